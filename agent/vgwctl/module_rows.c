// SPDX-License-Identifier: GPL-2.0-only
/* The module's objects in the shape of vgwd's rows. */
#include "vgwctl/module.h"

#include <linux/vgw.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "sys/names.h"

void module_tunnel_name(struct module_tunnel *tunnel)
{
	char name[IF_NAMESIZE];

	tunnel->has_device = tunnel->is.ifindex && if_indextoname(tunnel->is.ifindex, name);
	if (tunnel->has_device)
		snprintf(tunnel->label, sizeof(tunnel->label), "%s", name);
	else
		snprintf(tunnel->label, sizeof(tunnel->label), "#%u", tunnel->is.id);
}

static json_t *tunnel_label(const struct module_tunnels *tunnels, uint32_t id)
{
	for (size_t i = 0; i < tunnels->n; i++)
		if (tunnels->list[i].is.id == id)
			return json_string(tunnels->list[i].label);
	return json_sprintf("#%u", id);
}

static json_t *number_label(uint32_t id)
{
	return json_sprintf("#%u", id);
}

/* The number, or null where nothing is set. */
static json_t *number_or_null(bool set, uint64_t value)
{
	return set ? json_integer(value) : json_null();
}

static json_t *prefix_json(const struct prefix *prefix)
{
	char buf[PREFIX_STRLEN];

	return json_string(prefix_format(prefix, buf, sizeof(buf)));
}

static json_t *stats_json(const struct kernel_stats *s)
{
#define STAT(name) #name, (json_int_t)s->name
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:I}",
			 STAT(tx_packets), STAT(tx_bytes), STAT(failover), STAT(drop_miss),
			 STAT(drop_system), STAT(drop_dead), STAT(drop_reserved), STAT(drop_guard),
			 STAT(drop_too_big), STAT(drop_loop), STAT(drop_malformed),
			 STAT(drop_blocked), STAT(drop_no_memory), STAT(drop_isolation),
			 STAT(drop_source), STAT(mss_clamped));
#undef STAT
}

json_t *module_gateway_row(const struct module_gateway *gateway, const struct kernel_stats *stats,
			   const struct module_tunnels *tunnels)
{
	const struct kernel_gateway *g = &gateway->info;
	unsigned int up = 0;

	for (size_t i = 0; i < tunnels->n; i++)
		up += tunnels->list[i].is.state == VGW_TUNNEL_STATE_UP;
	return json_pack("{s:s, s:I, s:s, s:s, s:I, s:n, s:n, s:n, s:n, s:I, s:I, s:n, s:n, s:n, "
			 "s:I, s:b, s:I, s:I, s:I, s:i, s:I, s:n, s:I, s:s, s:I, s:n, s:[], s:o}",
			 "name", gateway->name, "ifindex", (json_int_t)gateway->ifindex, "state",
			 "stopped", "module", "present", "protocol_version",
			 (json_int_t)g->protocol_version, "local_asn", "router_id", "attachment",
			 "vrf", "quota", (json_int_t)g->quota, "quota_used",
			 (json_int_t)g->dynamic_prefixes, "refused", "auto_advertise", "published",
			 "generation", (json_int_t)g->generation, "generation_open",
			 g->generation_open, "routes", (json_int_t)g->routes, "groups",
			 (json_int_t)g->groups, "tunnels", (json_int_t)g->tunnels, "tunnels_up",
			 (int)up, "memory", (json_int_t)g->memory, "uptime_ms", "hash_seed",
			 (json_int_t)g->hash.seed, "hash_fields",
			 names_hash_fields(g->hash.fields), "hash_idle_ms",
			 (json_int_t)g->hash.idle_ms, "guard", "warnings", "stats",
			 stats_json(stats));
}

/* How its packets are looked up, and those that ended at it. */
static json_t *tunnel_row_add_path(json_t *row, const struct kernel_tunnel *t)
{
	json_t *path;

#define COUNT(name) #name, (json_int_t)t->name
	path = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "cache4",
			 names_cache_state(t->cache4), "cache6", names_cache_state(t->cache6),
			 COUNT(cache_hits), COUNT(cache_fills), COUNT(cache_unused),
			 COUNT(drop_too_big), COUNT(drop_loop), COUNT(drop_blocked),
			 COUNT(drop_no_memory), COUNT(drop_isolation));
#undef COUNT
	json_object_update(row, path);
	json_decref(path);
	return row;
}

json_t *module_tunnel_row(const struct module_tunnel *tunnel)
{
	const struct kernel_tunnel *t = &tunnel->is;
	char remote[ADDR_STRLEN];
	bool has_remote = addr_is_set(&t->remote);

	json_t *row;

	row = json_pack("{s:s, s:o, s:o, s:s?, s:I, s:I, s:I, s:s, s:s, s:s?, s:n, s:n, s:o, s:o, "
			 "s:n, s:n, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:n}",
			 "name", tunnel->label, "connection",
			 number_label(t->connection), "site", number_label(t->site), "interface",
			 tunnel->has_device ? tunnel->label : NULL, "ifindex",
			 (json_int_t)t->ifindex, "if_id",
			 (json_int_t)t->if_id, "id", (json_int_t)t->id, "state",
			 names_tunnel_state(t->state), "reason", names_tunnel_reason(t->reason),
			 "remote", has_remote ? addr_format(&t->remote, remote, sizeof(remote)) :
						NULL,
			 "inside", "inside_peer", "spi", number_or_null(t->spi, t->spi), "mtu",
			 number_or_null(t->mtu, t->mtu), "ike", "bgp", "tx_packets",
			 (json_int_t)t->tx_packets, "tx_bytes", (json_int_t)t->tx_bytes,
			 "tx_errors", (json_int_t)t->tx_errors, "rx_packets",
			 (json_int_t)t->rx_packets, "rx_bytes", (json_int_t)t->rx_bytes,
			 "rx_refused", (json_int_t)t->rx_refused, "last_rx_ms",
			 number_or_null(t->last_rx_ms != UINT64_MAX, t->last_rx_ms), "transitions",
			 (json_int_t)t->transitions, "error");
	return tunnel_row_add_path(row, t);
}

json_t *module_group_row(const struct kernel_group *group, const struct module_tunnels *tunnels)
{
	json_t *members = json_array();

	for (size_t i = 0; i < group->n_members; i++) {
		const struct kernel_member *m = &group->members[i];

		json_array_append_new(members, json_pack("{s:o, s:i, s:I, s:b}", "tunnel",
							 tunnel_label(tunnels, m->tunnel),
							 "weight", m->weight, "buckets",
							 (json_int_t)m->buckets, "live", m->live));
	}
	return json_pack("{s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "id",
			 (json_int_t)group->id,
			 "buckets", (json_int_t)group->buckets, "live", (json_int_t)group->live,
			 "mtu", number_or_null(group->mtu, group->mtu), "routes",
			 (json_int_t)group->routes, "packets", (json_int_t)group->packets,
			 "failover", (json_int_t)group->failover, "drop_dead",
			 (json_int_t)group->drop_dead, "drop_reserved",
			 (json_int_t)group->drop_reserved, "kept", (json_int_t)group->kept,
			 "members", members);
}

static json_t *next_hops(const struct kernel_group *group, const struct module_tunnels *tunnels)
{
	json_t *list = json_array();

	for (size_t i = 0; group && i < group->n_members; i++)
		json_array_append_new(list, json_pack("{s:o, s:i}", "tunnel",
						      tunnel_label(tunnels,
								   group->members[i].tunnel),
						      "weight", group->members[i].weight));
	return list;
}

json_t *module_route_row(const struct kernel_route *route, bool effective,
			 const struct kernel_group *group, const struct module_tunnels *tunnels)
{
	return json_pack("{s:o, s:s, s:b, s:b, s:o, s:[], s:s, s:n, s:n}", "prefix",
			 prefix_json(&route->prefix), "class", names_route_class(route->class),
			 "installed", 1, "effective", effective, "next_hops",
			 next_hops(group, tunnels), "paths", "on_fail",
			 names_on_fail(route->on_fail), "published", "refused_error");
}

json_t *module_policy_row(const struct kernel_policy *policy, const struct kernel_group *group,
			  const struct module_tunnels *tunnels)
{
	bool effective = (group && group->live) || policy->on_fail == VGW_ON_FAIL_RESERVE;

	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:b, s:b, s:o, s:[], s:s, s:n, s:n}", "prefix",
			 prefix_json(&policy->dst), "class", names_route_class(KERNEL_POLICY),
			 "source", prefix_json(&policy->src), "priority",
			 (json_int_t)policy->priority, "sequence", (json_int_t)policy->sequence,
			 "installed", 1, "effective", effective, "next_hops",
			 next_hops(group, tunnels), "paths", "on_fail",
			 names_on_fail(policy->on_fail), "published", "refused_error");
}

static json_t *candidate_tunnels(uint32_t id, const struct module_tunnels *tunnels,
				 const struct kernel_group *groups, size_t n)
{
	json_t *list = json_array();

	for (size_t g = 0; g < n; g++)
		for (size_t i = 0; groups[g].id == id && i < groups[g].n_members; i++)
			json_array_append_new(list, tunnel_label(tunnels,
								 groups[g].members[i].tunnel));
	return list;
}

static json_t *candidates(const struct kernel_lookup *lookup, const struct module_tunnels *tunnels,
			  const struct kernel_group *groups, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < lookup->n_candidates; i++) {
		const struct kernel_candidate *c = &lookup->candidates[i];

		json_t *row = json_pack("{s:o, s:s, s:o, s:s, s:I, s:s, s:o}", "prefix",
					prefix_json(&c->prefix), "class",
					names_route_class(c->class), "group",
					number_or_null(c->group, c->group), "on_fail",
					names_on_fail(c->on_fail), "live", (json_int_t)c->live,
					"result", names_candidate_result(c->result), "tunnels",
					candidate_tunnels(c->group, tunnels, groups, n));

		if (c->class == KERNEL_POLICY) {
			json_object_set_new(row, "source", prefix_json(&c->src));
			json_object_set_new(row, "priority", json_integer(c->priority));
			json_object_set_new(row, "sequence", json_integer(c->sequence));
		}
		json_array_append_new(list, row);
	}
	return list;
}

/* The verdict is about a packet on the device; does one get there? */
static json_t *explain_text(const struct kernel_lookup *lookup, const char *gateway,
			    const json_t *kernel)
{
	const char *text = names_verdict_text(lookup->verdict);
	const char *dev = json_string_value(json_object_get(kernel, "dev"));

	if (dev && !strcmp(dev, gateway))
		return json_string(text);
	return json_sprintf("the kernel does not route it to %s; there it would be: %s", gateway,
			    text);
}

json_t *module_explain_row(const struct kernel_flow *flow, const struct kernel_lookup *lookup,
			   const struct module_tunnels *tunnels, const struct kernel_group *groups,
			   size_t n_groups, const char *gateway)
{
	char name[IF_NAMESIZE], destination[ADDR_STRLEN];
	bool sent = lookup->verdict == VGW_VERDICT_TUNNEL;
	bool guarded = lookup->guard.addr.family;
	json_t *kernel = system_route(flow, gateway);

	return json_pack("{s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:s?, s:o, s:s?, s:b, s:o, s:o, s:o, "
			 "s:[]}", "destination",
			 addr_format(&flow->dst, destination, sizeof(destination)), "verdict",
			 names_verdict(lookup->verdict), "text",
			 explain_text(lookup, gateway, kernel), "hash", (json_int_t)lookup->hash,
			 "bucket", number_or_null(sent, lookup->bucket), "group",
			 number_or_null(sent, lookup->group), "tunnel",
			 sent ? tunnel_label(tunnels, lookup->tunnel) : json_null(), "interface",
			 sent ? if_indextoname(lookup->tunnel_ifindex, name) : NULL, "spi",
			 number_or_null(sent && lookup->spi, lookup->spi), "cache",
			 sent ? names_cache_state(lookup->cache) : NULL, "kept",
			 (int)lookup->kept, "candidates",
			 candidates(lookup, tunnels, groups, n_groups), "guard",
			 guarded ? prefix_json(&lookup->guard) : json_null(), "kernel",
			 kernel, "steps");
}
