// SPDX-License-Identifier: GPL-2.0-only
#include "vgwd/verbs.h"

#include <errno.h>

static void reload_row(void *ctx, const struct config_change *change)
{
	static const char *const kinds[] = {
		[CONFIG_ADDED] = "added",
		[CONFIG_REMOVED] = "removed",
		[CONFIG_CHANGED] = "changed",
		[CONFIG_REFUSED] = "refused",
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

const struct control_verb verbs_table[] = {
	{"show", "gateway", show_gateway}, {"show", "tunnels", show_tunnels},
	{"show", "peers", show_peers},	   {"show", "routes", show_routes},
	{"show", "groups", show_groups},   {"show", "memory", show_memory},
	{"show", "warnings", show_warnings}, {"show", "timeline", show_timeline},
	{"monitor", NULL, monitor},
	{"explain", NULL, explain},	   {"reload", NULL, reload},
	{NULL, NULL, NULL},
};
