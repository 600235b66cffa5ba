// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module and the system table should hold, computed from the facts:
 * configuration, paths, system routes, tunnels that are set up. Nothing here
 * remembers anything.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/vgw.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

/* Until there may be memory again. */
#define POLICY_RETRY_MS 2000
/* Routes that one turn tells the module anew: as GATEWAY_DRAIN_STEP. */
#define DERIVE_STEP 2048

static void add_member(struct fib_route *out, const struct tunnel *tunnel, uint8_t weight)
{
	if (!tunnel || !tunnel->ready || out->n_members == KERNEL_MEMBERS_MAX)
		return;
	for (uint32_t i = 0; i < out->n_members; i++)
		if (out->members[i].tunnel == tunnel->id)
			return;
	out->members[out->n_members++] = (struct kernel_member){
		.tunnel = tunnel->id,
		.weight = weight,
	};
}

/*
 * Static routes are active and standby (D8): of a connection the first tunnel
 * is active and the others stand by, on a transit attachment all of them carry
 * (rule 54). A standby route's tunnels stand by (D7).
 */
static void add_static(const struct gateway *gateway, const struct config_static_route *route,
		       struct fib_route *out)
{
	bool all = gateway->config->gateway.attachment == CONFIG_TRANSIT;

	if (route->tunnel) {
		add_member(out, gateway_tunnel_by_id(gateway, route->tunnel->id),
			   route->weight ? route->tunnel->weight : 0);
		return;
	}
	for (size_t i = 0; i < route->connection->n_tunnels; i++) {
		const struct config_tunnel *tunnel = &route->connection->tunnels[i];

		add_member(out, gateway_tunnel_by_id(gateway, tunnel->id),
			   route->weight && (all || i == 0) ? tunnel->weight : 0);
	}
}

bool derive_static(const struct gateway *gateway, const struct prefix *prefix,
		   struct fib_route *out)
{
	const struct config *config = gateway->config;

	out->n_members = 0;
	out->on_fail = VGW_ON_FAIL_REVOKE;
	/* Active ones first: a tunnel named by both is active. */
	for (int active = 1; active >= 0; active--) {
		for (size_t i = 0; i < config->n_static_routes; i++) {
			const struct config_static_route *route = &config->static_routes[i];

			if ((route->weight != 0) != active || !prefix_equal(&route->prefix, prefix))
				continue;
			add_static(gateway, route, out);
			if (active || out->on_fail == VGW_ON_FAIL_REVOKE)
				out->on_fail = route->on_fail;
		}
	}
	drain_members(gateway, out);
	return out->n_members > 0;
}

bool derive_policy_begins(const struct config *config, size_t i)
{
	const struct config_policy_route *list = config->policy_routes;

	return !i || list[i - 1].priority != list[i].priority ||
	       list[i - 1].sequence != list[i].sequence;
}

bool derive_policy_route(void *ctx, size_t index, struct fib_policy *out)
{
	const struct gateway *gateway = ctx;
	const struct config *config = gateway->config;
	const struct config_policy_route *list = config->policy_routes;
	size_t end = index;

	if (index >= config->n_policy_routes)
		return false;
	out->src = list[index].source;
	out->dst = list[index].to.prefix;
	out->priority = list[index].priority;
	out->sequence = list[index].sequence;
	out->to.n_members = 0;
	out->to.on_fail = list[index].to.on_fail;
	/* Further rows of a route are told with its first one. */
	if (!derive_policy_begins(config, index))
		return true;
	do
		end++;
	while (end < config->n_policy_routes && !derive_policy_begins(config, end));
	for (int active = 1; active >= 0; active--)
		for (size_t i = index; i < end; i++)
			if ((list[i].to.weight != 0) == active)
				add_static(gateway, &list[i].to, &out->to);
	drain_members(gateway, &out->to);
	return true;
}

/* Published whatever the source: what no policy route takes is dropped by the gateway. */
static bool is_policy_destination(const struct gateway *gateway, const struct prefix *prefix)
{
	for (size_t i = 0; i < gateway->config->n_policy_routes; i++)
		if (prefix_equal(&gateway->config->policy_routes[i].to.prefix, prefix))
			return true;
	return false;
}

bool derive_static_exists(const struct gateway *gateway, const struct prefix *prefix)
{
	for (size_t i = 0; i < gateway->config->n_static_routes; i++)
		if (prefix_equal(&gateway->config->static_routes[i].prefix, prefix))
			return true;
	return false;
}

bool derive_configured(const struct gateway *gateway, const struct prefix *prefix)
{
	return derive_static_exists(gateway, prefix) || is_policy_destination(gateway, prefix);
}

static bool derive_dynamic(struct gateway *gateway, const struct prefix *prefix,
			   struct fib_route *out)
{
	struct rib_decision decision __attribute__((uninitialized));

	out->n_members = 0;
	out->on_fail = VGW_ON_FAIL_REVOKE;
	rib_decide(gateway->rib, prefix, &decision);
	for (uint32_t i = 0; i < decision.n_next_hops; i++)
		add_member(out, gateway_tunnel_by_id(gateway, decision.next_hops[i].tunnel),
			   decision.next_hops[i].weight);
	return out->n_members > 0;
}

static bool derive_route(void *ctx, const struct prefix *prefix, uint8_t class,
			 struct fib_route *out)
{
	struct gateway *gateway = ctx;

	switch (class) {
	case KERNEL_SYSTEM:
		out->n_members = 0;
		out->on_fail = VGW_ON_FAIL_REVOKE;
		/* A default route of the domain would end every lookup. */
		return !prefix_is_default(prefix) && export_contains(gateway->export, prefix);
	case KERNEL_STATIC:
		return derive_static(gateway, prefix, out);
	default:
		return derive_dynamic(gateway, prefix, out);
	}
}

static bool derive_tunnel(void *ctx, uint32_t id, struct kernel_tunnel *out)
{
	const struct tunnel *tunnel = gateway_tunnel_by_id(ctx, id);

	return tunnel && tunnel_wanted(tunnel, out);
}

void derive_statics_dirty(struct gateway *gateway, const struct config *config)
{
	for (size_t i = 0; i < config->n_static_routes; i++) {
		fib_dirty_route(gateway->fib, &config->static_routes[i].prefix, KERNEL_STATIC);
		rtnl_publish_dirty(gateway->rtnl, &config->static_routes[i].prefix);
		transit_tell(gateway, &config->static_routes[i].prefix);
	}
	fib_dirty_policies(gateway->fib);
	for (size_t i = 0; i < config->n_policy_routes; i++)
		if (derive_policy_begins(config, i)) {
			rtnl_publish_dirty(gateway->rtnl, &config->policy_routes[i].to.prefix);
			transit_tell(gateway, &config->policy_routes[i].to.prefix);
		}
}

static void derive_facts(struct gateway *gateway, struct fib *fib)
{
	struct prefix prefix = {.addr.family = AF_UNSPEC};

	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		fib_dirty_tunnel(fib, t->id);
	derive_statics_dirty(gateway, gateway->config);
	while (export_next(gateway->export, &prefix))
		fib_dirty_route(fib, &prefix, KERNEL_SYSTEM);
}

/* Learned routes may be a million: some in each turn of the loop. */
static bool derive_everything(void *ctx, struct fib *fib, bool first)
{
	struct gateway *gateway = ctx;

	if (first) {
		derive_facts(gateway, fib);
		gateway->derived = (struct prefix){.addr.family = AF_UNSPEC};
	}
	if (restart_deferring(gateway))
		return false;
	for (unsigned int i = 0; i < DERIVE_STEP; i++) {
		if (!rib_next(gateway->rib, &gateway->derived))
			return false;
		fib_dirty_route(fib, &gateway->derived, KERNEL_DYNAMIC);
	}
	return true;
}

static void derive_refused(void *ctx, const struct prefix *prefix, uint8_t class, int error,
			   const char *text)
{
	char name[PREFIX_STRLEN];

	(void)ctx;
	(void)class;
	log_error(NULL, "the module refused %s: %s (%s)", prefix_format(prefix, name, sizeof(name)),
		  text, strerror(-error));
}

void derive_settled(struct gateway *gateway)
{
	struct fib_counters fib;

	if (loop_timer_pending(gateway->drain_timer) || !fib_idle(gateway->fib))
		return;
	fib = fib_counters(gateway->fib);
	for (struct tunnel *t = gateway->tunnels; t; t = t->next) {
		if (!t->groups_due)
			continue;
		t->groups_due = false;
		if (history_incident(gateway, t->config->name))
			history_note(gateway, TIMELINE_GROUPS, t->config->name,
				     "the module has it: %zu routes, %zu groups", fib.routes,
				     fib.groups);
	}
}

static void derive_idle(void *ctx)
{
	derive_settled(ctx);
}

const struct fib_ops derive_fib_ops = {
	.route = derive_route,
	.tunnel = derive_tunnel,
	.everything = derive_everything,
	.refused = derive_refused,
	.idle = derive_idle,
	.policy = derive_policy_route,
};

/*
 * Rule 20: what the gateway learned is published if the switch is on. A path
 * counts even while its tunnel's device is missing: the packet then ends in the
 * gateway's device instead of leaving in clear.
 */
bool derive_published(void *ctx, const struct prefix *prefix)
{
	struct gateway *gateway = ctx;
	struct rib_decision decision;

	if (derive_configured(gateway, prefix))
		return true;
	if (!gateway->config->gateway.auto_advertise)
		return false;
	rib_decide(gateway->rib, prefix, &decision);
	return decision.n_next_hops > 0;
}

/* Outer addresses: a learned prefix must not pull the tunnel into itself (rule 50). */
static void outer_peers(const struct gateway *gateway, struct addr *peers, uint8_t *pinned,
			struct rib_policy *policy)
{
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next) {
		if (!addr_is_set(&t->config->remote_address))
			continue;
		peers[policy->n_outer_peers] = t->config->remote_address;
		pinned[policy->n_outer_peers++] =
			advertise_pinned(gateway, &t->config->remote_address);
	}
	policy->outer_peers = peers;
	policy->outer_pinned = pinned;
}

void derive_policy(struct gateway *gateway)
{
	const struct config_gateway *config = &gateway->config->gateway;
	size_t tunnels = gateway_tunnel_count(gateway);
	struct addr *peers = calloc(tunnels + 1, sizeof(*peers));
	uint8_t *pinned = calloc(tunnels + 1, sizeof(*pinned));
	struct prefix *protected = NULL;
	struct rib_policy policy = {
		.local_as = config->local_asn,
		.transit = config->attachment == CONFIG_TRANSIT,
		.overlap_allow = config->overlap_allow,
		.reserved_ranges = config->profile == CONFIG_PROFILE_ALIBABA,
		.quota = config->quota,
	};

	gateway->policy_due = false;
	policy.n_protected = advertise_protected(gateway, &protected);
	policy.protected = protected;
	if (peers && pinned)
		outer_peers(gateway, peers, pinned, &policy);
	if (!peers || !pinned || !protected || rib_set_policy(gateway->rib, &policy) ||
	    transit_policy(gateway)) {
		log_error(NULL, "out of memory, the import rules stay as they were for now");
		gateway->policy_due = true;
		gateway_look_soon(gateway, POLICY_RETRY_MS);
	}
	free(protected);
	free(peers);
	free(pinned);
}
