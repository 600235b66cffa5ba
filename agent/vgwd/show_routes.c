// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy routes in their order, then every prefix that the gateway knows, in
 * order, with every class that has it and every path behind it, the refused ones
 * too: what lost and why is half of the answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vgw.h>

#include "sys/names.h"
#include "vgwd/verbs.h"

#define ROUTES_PER_STEP 64
#define PATHS_MAX 64

struct routes_state {
	struct gateway *gateway;
	size_t policy; /* the next row of the policy routes */
	struct prefix at; /* strictly after this one */
	bool only_one;
};

/* Of a line or a transit peer, NULL of a tunnel. */
static const char *source_line(const struct rib_source_config *source)
{
	return source->line || source->transit ? source->name : NULL;
}

static bool tunnel_is_live(const struct gateway *gateway, uint32_t id)
{
	const struct tunnel *tunnel = gateway_tunnel_by_id(gateway, id);

	return tunnel && tunnel->reported && tunnel->kernel.state == VGW_TUNNEL_STATE_UP;
}

static json_t *next_hop_row(const struct gateway *gateway, uint32_t id, uint8_t weight)
{
	const struct tunnel *tunnel = gateway_tunnel_by_id(gateway, id);
	char why[TUNNEL_ERROR_SIZE];
	bool dead = tunnel && liveness_explain(tunnel, why, sizeof(why));

	return json_pack("{s:s*,s:i,s:b,s:o}", "tunnel", tunnel ? tunnel->config->name : NULL,
			 "weight", (int)weight, "live", (int)tunnel_is_live(gateway, id), "why",
			 verbs_text(dead ? why : NULL));
}

static json_t *path_row(const struct gateway *gateway, const struct rib_path_info *path)
{
	static const char *const origins[] = {"igp", "egp", "incomplete"};
	const struct rib_source_config *source = rib_source_config(path->source);
	const struct attrs *attrs = path->attrs;
	char as_path[512];
	const char *line = source_line(source);
	json_t *row = json_pack("{s:s*,s:s*,s:s,s:s,s:s,s:s,s:b,s:I}", "tunnel",
				line ? NULL : source->name, "line", line, "as_path",
				attrs_format_path(attrs, as_path, sizeof(as_path)), "origin",
				attrs->origin < 3 ? origins[attrs->origin] : "unknown", "verdict",
				rib_verdict_name(path->verdict), "step", rib_step_name(path->step),
				"stale", (int)path->stale, "since_ms",
				(json_int_t)(loop_now(gateway->loop) - path->since));

	if (!row)
		return NULL;
	json_object_set_new(row, "peer", verbs_address(&source->peer));
	json_object_set_new(row, "next_hop", verbs_address(&attrs->next_hop));
	json_object_set_new(row, "local_pref",
			    attrs->has_local_pref ? json_integer(attrs->local_pref) : json_null());
	json_object_set_new(row, "med", attrs->has_med ? json_integer(attrs->med) : json_null());
	json_object_set_new(row, "reason",
			    path->verdict == RIB_ACCEPTED
				    ? json_null()
				    : json_string(rib_verdict_reason(path->verdict)));
	return row;
}

static json_t *route_row(struct gateway *gateway, const struct prefix *prefix, uint8_t class,
			 bool installed)
{
	return json_pack(
		"{s:o,s:s,s:b,s:b,s:[],s:[],s:s,s:b,s:n}", "prefix", verbs_prefix(prefix), "class",
		names_route_class(class), "installed", (int)installed, "effective", 0, "next_hops",
		"paths", "on_fail", names_on_fail(VGW_ON_FAIL_REVOKE), "published",
		(int)(class != VGW_ROUTE_CLASS_SYSTEM && derive_published(gateway, prefix)),
		"refused_error");
}

/*
 * The first class whose tunnels can carry it; *taken says that a better one did. Dead
 * tunnels that hold their packets (on-fail reserve) are told as that.
 */
static void row_set_effective(json_t *row, bool live, bool reserve, bool *taken)
{
	bool usable = live || reserve;
	bool installed = json_is_true(json_object_get(row, "installed"));
	const char *why = *taken      ? "another route of the prefix comes first"
			  : live      ? NULL
			  : usable    ? "on-fail reserve: its packets are dropped"
			  : installed ? "every tunnel is dead: other routes are looked at"
				      : "no path of it can be used";

	json_object_set_new(row, "effective", json_boolean(usable && !*taken));
	json_object_set_new(row, "why", verbs_text(why));
	*taken |= usable;
}

static void static_reply(struct gateway *gateway, const struct prefix *prefix, bool *taken,
			 struct control_reply *reply)
{
	struct fib_route route;
	bool installed, live = false;
	json_t *row, *hops;

	if (!derive_static_exists(gateway, prefix))
		return;
	installed = derive_static(gateway, prefix, &route);
	row = route_row(gateway, prefix, VGW_ROUTE_CLASS_STATIC, installed);
	hops = json_object_get(row, "next_hops");
	for (uint32_t i = 0; i < route.n_members; i++) {
		const struct kernel_member *member = &route.members[i];

		json_array_append_new(hops, next_hop_row(gateway, member->tunnel, member->weight));
		live |= tunnel_is_live(gateway, member->tunnel);
	}
	json_object_set_new(row, "on_fail", json_string(names_on_fail(route.on_fail)));
	row_set_effective(row, live, route.on_fail == VGW_ON_FAIL_RESERVE, taken);
	control_reply_row(reply, row);
}

/* One route of the domain, by the best of what its transit peers told. */
static void transit_reply(struct gateway *gateway, const struct prefix *prefix, bool *taken,
			  struct control_reply *reply)
{
	struct rib_path_info paths[PATHS_MAX];
	size_t n = gateway->domain ? rib_paths(gateway->domain, prefix, paths, PATHS_MAX) : 0;
	struct rtnl_via via;
	const struct line *line;
	json_t *row;

	if (!n)
		return;
	line = transit_route(gateway, prefix, &via);
	row = route_row(gateway, prefix, VGW_ROUTE_CLASS_SYSTEM, line);
	json_object_set_new(row, "class", json_string("transit"));
	json_object_set_new(row, "published", json_boolean(line));
	if (line) {
		json_array_append_new(json_object_get(row, "next_hops"),
				      json_pack("{s:s,s:s,s:o,s:i,s:b,s:n}", "line",
						line->config->name, "interface",
						line->config->interface, "via",
						verbs_address(&via.via), "weight", 1, "live", 1,
						"why"));
		json_object_set_new(row, "metric", json_integer(via.metric));
	}
	for (size_t i = 0; i < n && i < PATHS_MAX; i++)
		json_array_append_new(json_object_get(row, "paths"),
				      path_row(gateway, &paths[i]));
	row_set_effective(row, line, false, taken);
	control_reply_row(reply, row);
}

static void line_reply(const struct line *line, const struct prefix *prefix,
		       const struct rib_path_info *path, bool *taken, struct control_reply *reply)
{
	struct rtnl_via via;
	bool in = line_route(line, prefix, &via);
	char why[LINE_ERROR_SIZE];
	bool bad = line_explain(line, why, sizeof(why));
	json_t *row = route_row(line->gateway, prefix, VGW_ROUTE_CLASS_DYNAMIC, in);

	json_object_set_new(row, "class", json_string("line"));
	json_object_set_new(row, "published", json_boolean(in));
	json_array_append_new(json_object_get(row, "next_hops"),
			      json_pack("{s:s,s:s,s:o,s:i,s:b,s:o}", "line", line->config->name,
					"interface", line->config->interface, "via",
					verbs_address(&line->config->peer_address), "weight", 1,
					"live", (int)line->good, "why",
					verbs_text(bad ? why : NULL)));
	if (in)
		json_object_set_new(row, "metric", json_integer(via.metric));
	json_array_append_new(json_object_get(row, "paths"), path_row(line->gateway, path));
	row_set_effective(row, in, false, taken);
	control_reply_row(reply, row);
}

static bool line_is_ahead(const struct line *line, const struct prefix *prefix)
{
	return !line->config->behind_tunnels && !derive_configured(line->gateway, prefix);
}

/* Those ahead of the tunnels' routes, or those behind; each of them is a route of its own. */
static void lines_reply(struct gateway *gateway, const struct prefix *prefix, bool ahead,
			bool *taken, struct control_reply *reply)
{
	const struct config *config = gateway->config;
	struct rib_path_info paths[PATHS_MAX];
	size_t n = config->n_private_lines ? rib_paths(gateway->rib, prefix, paths, PATHS_MAX) : 0;

	for (size_t i = 0; i < config->n_private_lines; i++) {
		const struct line *line = line_by_name(gateway, config->private_lines[i].name);

		if (!line || line_is_ahead(line, prefix) != ahead)
			continue;
		for (size_t k = 0; k < n && k < PATHS_MAX; k++)
			if (paths[k].source == line->peer.source)
				line_reply(line, prefix, &paths[k], taken, reply);
	}
}

static void dynamic_reply(struct gateway *gateway, const struct prefix *prefix, bool *taken,
			  struct control_reply *reply)
{
	struct rib_path_info paths[PATHS_MAX];
	struct rib_decision decision;
	size_t n = rib_paths(gateway->rib, prefix, paths, PATHS_MAX), own = 0;
	json_t *row, *hops, *list;
	bool live = false;

	for (size_t i = 0; i < n && i < PATHS_MAX; i++)
		own += !rib_source_config(paths[i].source)->line;
	if (!own)
		return;
	rib_decide(gateway->rib, prefix, &decision);
	row = route_row(gateway, prefix, VGW_ROUTE_CLASS_DYNAMIC, decision.n_next_hops > 0);
	hops = json_object_get(row, "next_hops");
	list = json_object_get(row, "paths");
	for (uint32_t i = 0; i < decision.n_next_hops; i++) {
		const struct rib_next_hop *hop = &decision.next_hops[i];

		json_array_append_new(hops, next_hop_row(gateway, hop->tunnel, hop->weight));
		live |= tunnel_is_live(gateway, hop->tunnel);
	}
	for (size_t i = 0; i < n && i < PATHS_MAX; i++)
		if (!rib_source_config(paths[i].source)->line)
			json_array_append_new(list, path_row(gateway, &paths[i]));
	row_set_effective(row, live, false, taken);
	control_reply_row(reply, row);
}

static void prefix_reply(struct gateway *gateway, const struct prefix *prefix,
			 struct control_reply *reply)
{
	bool taken = false;

	/* What is there only because a transit peer told it is a row of that. */
	if (export_contains(gateway->export, prefix) &&
	    (pmap_contains(&gateway->underlay, prefix) ||
	     !pmap_contains(&gateway->domain_told, prefix))) {
		json_t *row = route_row(gateway, prefix, VGW_ROUTE_CLASS_SYSTEM,
					!prefix_is_default(prefix));

		row_set_effective(row, true, false, &taken);
		control_reply_row(reply, row);
	}
	transit_reply(gateway, prefix, &taken, reply);
	lines_reply(gateway, prefix, true, &taken, reply);
	static_reply(gateway, prefix, &taken, reply);
	dynamic_reply(gateway, prefix, &taken, reply);
	lines_reply(gateway, prefix, false, &taken, reply);
}

static void policy_reply(struct gateway *gateway, size_t i, struct control_reply *reply)
{
	struct fib_policy policy;
	bool live = false, taken = false;
	json_t *row, *hops;

	derive_policy_route(gateway, i, &policy);
	row = route_row(gateway, &policy.dst, KERNEL_POLICY, policy.to.n_members > 0);
	hops = json_object_get(row, "next_hops");
	for (uint32_t k = 0; k < policy.to.n_members; k++) {
		const struct kernel_member *member = &policy.to.members[k];

		json_array_append_new(hops, next_hop_row(gateway, member->tunnel, member->weight));
		live |= tunnel_is_live(gateway, member->tunnel);
	}
	json_object_set_new(row, "source", verbs_prefix(&policy.src));
	json_object_set_new(row, "priority", json_integer(policy.priority));
	json_object_set_new(row, "sequence", json_integer(policy.sequence));
	json_object_set_new(row, "on_fail", json_string(names_on_fail(policy.to.on_fail)));
	row_set_effective(row, live, policy.to.on_fail == VGW_ON_FAIL_RESERVE, &taken);
	control_reply_row(reply, row);
}

/* Some of them; true if there may be more. */
static bool policies_step(struct routes_state *state, struct control_reply *reply)
{
	const struct config *config = state->gateway->config;
	unsigned int told = 0;

	/* A reload may have made the list shorter. */
	for (; state->policy < config->n_policy_routes; state->policy++) {
		const struct config_policy_route *policy = &config->policy_routes[state->policy];

		if (!derive_policy_begins(config, state->policy) ||
		    (state->only_one && !prefix_equal(&policy->to.prefix, &state->at)))
			continue;
		if (told++ == ROUTES_PER_STEP)
			return true;
		policy_reply(state->gateway, state->policy, reply);
	}
	return false;
}

/* The smallest prefix after *at of both tables, the export set and the static routes. */
static bool prefix_next(struct gateway *gateway, struct prefix *at)
{
	struct prefix best = {.addr.family = AF_UNSPEC}, candidate = *at;

	if (rib_next(gateway->rib, &candidate))
		best = candidate;
	candidate = *at;
	if (gateway->domain && rib_next(gateway->domain, &candidate) &&
	    (!addr_is_set(&best.addr) || prefix_compare(&candidate, &best) < 0))
		best = candidate;
	candidate = *at;
	if (export_next(gateway->export, &candidate) &&
	    (!addr_is_set(&best.addr) || prefix_compare(&candidate, &best) < 0))
		best = candidate;
	for (size_t i = 0; i < gateway->config->n_static_routes; i++) {
		candidate = gateway->config->static_routes[i].prefix;
		if ((!addr_is_set(&at->addr) || prefix_compare(&candidate, at) > 0) &&
		    (!addr_is_set(&best.addr) || prefix_compare(&candidate, &best) < 0))
			best = candidate;
	}
	if (!addr_is_set(&best.addr))
		return false;
	*at = best;
	return true;
}

static bool routes_step(void *ctx, struct control_reply *reply)
{
	struct routes_state *state = ctx;

	if (policies_step(state, reply))
		return true;
	if (state->only_one) {
		prefix_reply(state->gateway, &state->at, reply);
		return false;
	}
	for (unsigned int i = 0; i < ROUTES_PER_STEP; i++) {
		if (!prefix_next(state->gateway, &state->at))
			return false;
		prefix_reply(state->gateway, &state->at, reply);
	}
	return true;
}

void show_routes(void *ctx, const json_t *args, struct control_reply *reply)
{
	const json_t *wanted = json_object_get(args, "prefix");
	struct routes_state *state;

	if (wanted && !json_is_string(wanted)) {
		control_reply_error(reply, EINVAL, "\"prefix\" must be a string");
		return;
	}
	state = calloc(1, sizeof(*state));
	if (!state) {
		control_reply_error(reply, ENOMEM, "out of memory");
		return;
	}
	state->gateway = ctx;
	state->only_one = wanted;
	if (wanted && !prefix_parse(json_string_value(wanted), &state->at, NULL)) {
		control_reply_error(reply, EINVAL, "\"%s\" is not a prefix",
				    json_string_value(wanted));
		free(state);
		return;
	}
	control_reply_stream(reply, routes_step, free, state);
}
