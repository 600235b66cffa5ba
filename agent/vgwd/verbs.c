// SPDX-License-Identifier: GPL-2.0-only
#include "vgwd/verbs.h"

#include <errno.h>
#include <string.h>

static void reload_row(void *ctx, const struct config_change *change)
{
	static const char *const kinds[] = {
		[CONFIG_ADDED] = "added",
		[CONFIG_REMOVED] = "removed",
		[CONFIG_CHANGED] = "changed",
		[CONFIG_REFUSED] = "refused",
		[CONFIG_RESET] = "reset",
	};

	control_reply_row(ctx, json_pack("{s:s,s:s,s:s,s:s,s:o}", "kind", kinds[change->kind],
					 "object", change->object, "name", change->name, "detail",
					 change->detail, "code", verbs_text(change->code)));
}

static void reload(void *ctx, const json_t *args, struct control_reply *reply)
{
	bool dry_run = json_is_true(json_object_get(args, "dry_run"));
	char err[CONFIG_ERROR_STRLEN];
	int ret = gateway_reload(ctx, dry_run, reload_row, reply, err, sizeof(err));

	if (ret)
		control_reply_error(reply, ret, "%s", err);
	else
		control_reply_done(reply);
}

static struct tunnel *drain_tunnel(const struct gateway *gateway, const json_t *args,
				   struct control_reply *reply)
{
	const char *name = json_string_value(json_object_get(args, "tunnel"));
	struct tunnel *tunnel = gateway->tunnels;

	while (tunnel && name && strcmp(tunnel->config->name, name))
		tunnel = tunnel->next;
	if (!name)
		control_reply_error(reply, EINVAL, "which tunnel?");
	else if (!tunnel)
		control_reply_error(reply, ENOENT, "there is no tunnel \"%s\"", name);
	return name ? tunnel : NULL;
}

static void drain_reply(struct gateway *gateway, const json_t *args, bool drained,
			struct control_reply *reply)
{
	struct tunnel *tunnel = drain_tunnel(gateway, args, reply);
	int ret;

	if (!tunnel)
		return;
	ret = drain_set(tunnel, drained);
	control_reply_row(reply, json_pack("{s:s,s:b,s:i,s:o}", "tunnel", tunnel->config->name,
					   "drained", (int)drained, "others_up",
					   (int)drain_others_up(tunnel), "not_kept",
					   verbs_text(ret ? strerror(-ret) : NULL)));
	control_reply_done(reply);
}

static void drain(void *ctx, const json_t *args, struct control_reply *reply)
{
	drain_reply(ctx, args, true, reply);
}

static void undrain(void *ctx, const json_t *args, struct control_reply *reply)
{
	drain_reply(ctx, args, false, reply);
}

const struct control_verb verbs_table[] = {
	{"show", "gateway", show_gateway}, {"show", "tunnels", show_tunnels},
	{"show", "peers", show_peers},	   {"show", "routes", show_routes},
	{"show", "groups", show_groups},   {"show", "memory", show_memory},
	{"show", "warnings", show_warnings}, {"show", "timeline", show_timeline},
	{"monitor", NULL, monitor},
	{"explain", NULL, explain},	   {"reload", NULL, reload},
	{"drain", NULL, drain},		   {"undrain", NULL, undrain},
	{NULL, NULL, NULL},
};
