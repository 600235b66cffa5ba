// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes into the domain and what comes from it. Like all that is told, it is derived from
 * the facts each time it is asked for; kept is only which prefixes the export set
 * counts as the domain's because of us, as that set counts routes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>
#include <linux/vgw.h>

#include "bgp/wire.h"
#include "core/rules.h"
#include "lib/log.h"
#include "vgwd/gateway.h"

#define PATHS_MAX 64
/* Until there may be memory again. */
#define RETRY_MS 2000

/* RFC 1997, RFC 8326. */
#define NO_EXPORT 0xffffff01u
#define NO_ADVERTISE 0xffffff02u
#define NO_EXPORT_SUBCONFED 0xffffff03u

/* RFC 4360 2: an extended community of a type with this bit stays in its AS. */
#define EXT_NON_TRANSITIVE (0x40ull << 56)

static bool has_community(const struct attrs *attrs, uint32_t community)
{
	for (size_t i = 0; i < attrs->n_communities; i++)
		if (attrs->communities[i] == community)
			return true;
	return false;
}

static bool may_tell(const struct attrs *attrs, bool internal)
{
	if (has_community(attrs, NO_ADVERTISE))
		return false;
	return internal || (!has_community(attrs, NO_EXPORT) &&
			    !has_community(attrs, NO_EXPORT_SUBCONFED));
}

/* The domain's table */

int transit_init(struct gateway *gateway)
{
	if (!gateway->domain)
		gateway->domain = rib_new();
	return gateway->domain ? 0 : -ENOMEM;
}

/* Where overlapping routing is off: what configuration leads to sites. */
static size_t policy_apart(const struct config *config, struct prefix *out)
{
	size_t n = 0;

	if (config->transit_overlapping)
		return 0;
	for (size_t i = 0; i < config->n_static_routes; i++)
		out[n++] = config->static_routes[i].prefix;
	for (size_t i = 0; i < config->n_policy_routes; i++)
		if (!prefix_is_default(&config->policy_routes[i].to.prefix))
			out[n++] = config->policy_routes[i].to.prefix;
	return n;
}

static size_t policy_ases(const struct config *config, uint32_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_customer_gateways; i++)
		if (config->customer_gateways[i].asn)
			out[n++] = config->customer_gateways[i].asn;
	for (size_t i = 0; i < config->n_private_lines; i++)
		out[n++] = config->private_lines[i].asn;
	return n;
}

static size_t policy_connected(const struct gateway *gateway, struct prefix *out)
{
	struct prefix prefix = {.addr.family = AF_UNSPEC};
	size_t n = 0, max = pmap_count(&gateway->connected);

	while (n < max && pmap_next(&gateway->connected, &prefix, NULL))
		out[n++] = prefix;
	return n;
}

int transit_policy(struct gateway *gateway)
{
	const struct config *config = gateway->config;
	struct prefix *connected, *apart;
	struct rib_policy policy = {
		.local_as = config->gateway.local_asn,
		.transit = config->gateway.attachment == CONFIG_TRANSIT,
		.overlap_allow = true,
		.quota = config->transit_quota,
	};
	uint32_t *ases;
	int ret = -ENOMEM;

	if (!gateway->domain)
		return 0;
	connected = calloc(pmap_count(&gateway->connected) + 1, sizeof(*connected));
	apart = calloc(config->n_static_routes + config->n_policy_routes + 1, sizeof(*apart));
	ases = calloc(config->n_customer_gateways + config->n_private_lines + 1, sizeof(*ases));
	if (connected && apart && ases) {
		policy.connected = connected;
		policy.n_connected = policy_connected(gateway, connected);
		policy.apart = apart;
		policy.n_apart = policy_apart(config, apart);
		policy.site_ases = ases;
		policy.n_site_ases = policy_ases(config, ases);
		ret = rib_set_policy(gateway->domain, &policy);
	}
	free(connected);
	free(apart);
	free(ases);
	return ret;
}

bool transit_best(const struct gateway *gateway, const struct prefix *prefix,
		  struct rib_path_info *out)
{
	return gateway->domain && rib_paths(gateway->domain, prefix, out, 1) &&
	       out->step == RIB_STEP_BEST;
}

static const struct line *line_of_source(const struct gateway *gateway,
					 const struct rib_source *source)
{
	const struct line *line = gateway->lines;

	while (line && line->peer.source != source)
		line = line->next;
	return line;
}

_Static_assert(TRANSIT_METRIC + (1u << TRANSIT_METRIC_BITS) <= LINE_METRIC_AHEAD,
	       "the domain's routes are ahead of a line's");

static uint32_t route_metric(const struct addr *next_hop)
{
	unsigned int end = addr_bits(next_hop->family) / 8;
	uint32_t last = (uint32_t)next_hop->b[end - 2] << 8 | next_hop->b[end - 1];

	return TRANSIT_METRIC + (last & ((1u << TRANSIT_METRIC_BITS) - 1));
}

const struct line *transit_route(const struct gateway *gateway, const struct prefix *prefix,
				 struct rtnl_via *out)
{
	struct rib_path_info best;
	const struct line *line;

	if (!transit_best(gateway, prefix, &best))
		return NULL;
	line = line_of_source(gateway, best.source);
	if (!line || !line->good || best.attrs->next_hop.family != prefix->addr.family)
		return NULL;
	*out = (struct rtnl_via){
		.metric = route_metric(&best.attrs->next_hop),
		.oif = line->ifindex,
		.via = best.attrs->next_hop,
	};
	return line;
}

/* To the sites */

static void tell_sites(struct gateway *gateway, const struct prefix *prefix)
{
	for (struct peer *peer = gateway->peers; peer; peer = peer->next)
		if (!peer->transit)
			advertise_prefix(peer, prefix);
}

/* The sites are other systems. */
static bool belongs_out(const struct gateway *gateway, const struct prefix *prefix)
{
	struct rib_path_info best;

	return transit_best(gateway, prefix, &best) && may_tell(best.attrs, false);
}

static bool export_set(struct gateway *gateway, const struct prefix *prefix, bool present)
{
	if (present && pmap_put(&gateway->domain_told, prefix, NULL))
		return false;
	if (!present)
		pmap_del(&gateway->domain_told, prefix);
	if (!export_route(gateway->export, prefix, RTPROT_BGP, RTN_UNICAST, present))
		return true;
	pmap_del(&gateway->domain_told, prefix);
	return false;
}

void transit_changed(struct gateway *gateway, const struct prefix *prefix)
{
	bool wanted = belongs_out(gateway, prefix);
	bool told = pmap_contains(&gateway->domain_told, prefix);

	if (wanted != told && !export_set(gateway, prefix, wanted)) {
		log_error(NULL, "out of memory, a route of the domain is not advertised for now");
		gateway->export_due = true;
		gateway_look_soon(gateway, RETRY_MS);
	} else if (wanted && told) {
		tell_sites(gateway, prefix);
	}
	rtnl_publish_dirty(gateway->rtnl, prefix);
	transit_tell(gateway, prefix);
}

void transit_again(struct gateway *gateway)
{
	struct prefix prefix = {.addr.family = AF_UNSPEC};

	pmap_clear(&gateway->domain_told, NULL);
	while (gateway->domain && rib_next(gateway->domain, &prefix))
		transit_changed(gateway, &prefix);
}

/* Adds the community that asks for other ways, where it is not there. NULL: no memory. */
static uint32_t *communities_drained(struct attrs *draft)
{
	size_t n = draft->n_communities;
	uint32_t *list = calloc(n + 1u, sizeof(*list));

	if (!list)
		return NULL;
	if (n)
		memcpy(list, draft->communities, n * sizeof(*list));
	if (!has_community(draft, BGP_COMMUNITY_GRACEFUL_SHUTDOWN))
		list[draft->n_communities++] = BGP_COMMUNITY_GRACEFUL_SHUTDOWN;
	draft->communities = list;
	return list;
}

/* RFC 4271 5.1.2: the path goes on, so that whoever is in it can see the loop. */
int transit_site_attrs(const struct peer *peer, const struct prefix *prefix,
		       const struct attrs **out)
{
	const struct gateway *gateway = peer->gateway;
	struct rib_path_info best;
	struct attrs draft = {0};
	uint32_t *list = NULL;

	*out = NULL;
	if (!gateway->domain || pmap_contains(&gateway->underlay, prefix) ||
	    !transit_best(gateway, prefix, &best))
		return 0;
	draft.origin = best.attrs->origin;
	draft.segments = best.attrs->segments;
	draft.n_segments = best.attrs->n_segments;
	if (peer->owner->drained(peer)) {
		list = communities_drained(&draft);
		if (!list)
			return -ENOMEM;
		draft.has_med = true;
		draft.med = UINT32_MAX;
	}
	*out = attrs_intern(&draft);
	free(list);
	return *out ? 0 : -ENOMEM;
}

/* To the transit peers */

/* What the gateway uses to get to the prefix; from NULL: a static route. */
struct own_route {
	const struct attrs *from;
	bool drained; /* every tunnel that it uses is */
};

static const struct attrs *line_attrs(const struct line *line, const struct prefix *prefix)
{
	struct rib_path_info paths[PATHS_MAX];
	size_t n = rib_paths(line->gateway->rib, prefix, paths, PATHS_MAX);

	for (size_t i = 0; i < n && i < PATHS_MAX; i++)
		if (paths[i].source == line->peer.source)
			return paths[i].attrs;
	return NULL;
}

static bool own_line(const struct gateway *gateway, const struct prefix *prefix, bool behind,
		     struct own_route *out)
{
	struct rtnl_via via;

	for (const struct line *line = gateway->lines; line; line = line->next) {
		if (line->config->transit || !line_route(line, prefix, &via) ||
		    (via.metric >= LINE_METRIC_BEHIND) != behind)
			continue;
		*out = (struct own_route){.from = line_attrs(line, prefix)};
		return out->from;
	}
	return false;
}

/* Dead is what the module would not send through either. */
static bool tunnel_serves(const struct tunnel *tunnel)
{
	return tunnel && !tunnel->failed &&
	       !(tunnel->reported && tunnel->kernel.state == VGW_TUNNEL_STATE_DOWN);
}

static bool own_static(const struct gateway *gateway, const struct prefix *prefix,
		       struct own_route *out)
{
	struct fib_route route;
	bool live = false;

	if (!derive_configured(gateway, prefix))
		return false;
	*out = (struct own_route){0};
	/* Where a policy route sends depends on the source: it is published as a whole. */
	if (!derive_static_exists(gateway, prefix))
		return true;
	derive_static(gateway, prefix, &route);
	out->drained = route.n_members > 0;
	for (uint32_t i = 0; i < route.n_members; i++) {
		const struct tunnel *tunnel =
			gateway_tunnel_by_id(gateway, route.members[i].tunnel);

		live |= tunnel_serves(tunnel);
		out->drained &= tunnel && tunnel->drained;
	}
	return live || (route.n_members && route.on_fail == VGW_ON_FAIL_RESERVE);
}

static bool own_dynamic(const struct gateway *gateway, const struct prefix *prefix,
			struct own_route *out)
{
	struct rib_decision decision;

	if (!gateway->config->gateway.auto_advertise)
		return false;
	rib_decide(gateway->rib, prefix, &decision);
	*out = (struct own_route){.from = decision.best, .drained = decision.n_next_hops > 0};
	for (uint32_t i = 0; i < decision.n_next_hops; i++) {
		const struct tunnel *tunnel =
			gateway_tunnel_by_id(gateway, decision.next_hops[i].tunnel);

		out->drained &= tunnel && tunnel->drained;
	}
	return decision.n_next_hops > 0;
}

/* RFC 4271 9.1.3: only what is used; where the domain itself has the prefix, that is used. */
static bool own_route(const struct gateway *gateway, const struct prefix *prefix,
		      struct own_route *out)
{
	struct rib_path_info best;

	if (restart_deferring(gateway) || pmap_contains(&gateway->underlay, prefix) ||
	    transit_best(gateway, prefix, &best))
		return false;
	return own_line(gateway, prefix, false, out) || own_static(gateway, prefix, out) ||
	       own_dynamic(gateway, prefix, out) || own_line(gateway, prefix, true, out);
}

static bool is_internal(const struct peer *peer)
{
	return peer->owner->facts(peer).remote_as == peer->gateway->config->gateway.local_asn;
}

/* Lists of a draft that are made longer or shorter. */
struct lists {
	uint32_t *communities;
	uint64_t *ext;
	struct large_community *large;
};

static void lists_free(struct lists *lists)
{
	free(lists->communities);
	free(lists->ext);
	free(lists->large);
}

/* What lets any gateway of the domain see that the route is a site's. */
static bool draft_mark(struct attrs *draft, struct lists *lists, uint32_t local_as,
		       uint32_t site_as)
{
	size_t n = draft->n_large_communities;

	lists->large = calloc(n + 1u, sizeof(*lists->large));
	if (!lists->large)
		return false;
	if (n)
		memcpy(lists->large, draft->large_communities, n * sizeof(*lists->large));
	lists->large[n] = (struct large_community){local_as, RIB_SITE_MARK, site_as};
	draft->large_communities = lists->large;
	draft->n_large_communities++;
	return true;
}

static bool draft_external(struct attrs *draft, struct lists *lists)
{
	size_t n = 0;

	/* RFC 4271 5.1.4: another system's metric ends here. */
	draft->has_med = false;
	draft->med = 0;
	if (!draft->n_ext_communities)
		return true;
	lists->ext = calloc(draft->n_ext_communities, sizeof(*lists->ext));
	if (!lists->ext)
		return false;
	for (size_t i = 0; i < draft->n_ext_communities; i++)
		if (!(draft->ext_communities[i] & EXT_NON_TRANSITIVE))
			lists->ext[n++] = draft->ext_communities[i];
	draft->ext_communities = lists->ext;
	draft->n_ext_communities = n;
	return true;
}

/* RFC 8326 4.2: inside our AS the preference says it as well; outside, MED to those that look. */
static bool draft_drained(struct attrs *draft, struct lists *lists, bool internal)
{
	draft->has_local_pref = internal;
	draft->local_pref = 0;
	draft->has_med = true;
	draft->med = UINT32_MAX;
	lists->communities = communities_drained(draft);
	return lists->communities;
}

/* What the peer is to hear of the prefix; false: nothing. */
static bool told_route(const struct peer *peer, const struct prefix *prefix,
		       struct own_route *out)
{
	return own_route(peer->gateway, prefix, out) &&
	       (!out->from || may_tell(out->from, is_internal(peer)));
}

int transit_attrs(const struct peer *peer, const struct prefix *prefix, const struct attrs **out)
{
	const struct gateway *gateway = peer->gateway;
	bool internal = is_internal(peer);
	struct lists lists = {0};
	struct attrs draft = {.origin = ATTRS_ORIGIN_IGP};
	struct own_route own;
	bool ok;

	*out = NULL;
	if (!told_route(peer, prefix, &own))
		return 0;
	if (own.from)
		draft = *own.from;
	/* The session's own is put in. */
	draft.next_hop = draft.link_local = (struct addr){0};
	ok = draft_mark(&draft, &lists, gateway->config->gateway.local_asn,
			own.from ? own.from->neighbour_as : 0) &&
	     (internal || draft_external(&draft, &lists)) &&
	     (!own.drained || draft_drained(&draft, &lists, internal));
	if (ok)
		*out = attrs_intern(&draft);
	lists_free(&lists);
	return *out ? 0 : -ENOMEM;
}

void transit_tell(struct gateway *gateway, const struct prefix *prefix)
{
	if (!gateway->domain || restart_deferring(gateway))
		return;
	for (struct line *line = gateway->lines; line; line = line->next)
		if (line->config->transit)
			advertise_prefix(&line->peer, prefix);
}

void transit_tell_configured(struct gateway *gateway)
{
	const struct config *config = gateway->config;

	if (!gateway->domain)
		return;
	for (size_t i = 0; i < config->n_static_routes; i++)
		transit_tell(gateway, &config->static_routes[i].prefix);
	for (size_t i = 0; i < config->n_policy_routes; i++)
		if (derive_policy_begins(config, i))
			transit_tell(gateway, &config->policy_routes[i].to.prefix);
}

static bool is_first_static(const struct config *config, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (prefix_equal(&config->static_routes[k].prefix,
				 &config->static_routes[i].prefix))
			return false;
	return true;
}

static bool is_first_policy(const struct gateway *gateway, size_t i)
{
	const struct config_policy_route *list = gateway->config->policy_routes;

	for (size_t k = 0; k < i; k++)
		if (prefix_equal(&list[k].to.prefix, &list[i].to.prefix))
			return false;
	return !derive_static_exists(gateway, &list[i].to.prefix);
}

/* Calls back once for every prefix that the gateway may have from a site. */
static void each_own(struct gateway *gateway, uint8_t family,
		     void (*row)(void *ctx, const struct prefix *prefix), void *ctx)
{
	const struct config *config = gateway->config;
	struct prefix prefix = {.addr.family = AF_UNSPEC};

	while (rib_next(gateway->rib, &prefix))
		if (prefix.addr.family == family && !derive_configured(gateway, &prefix))
			row(ctx, &prefix);
	for (size_t i = 0; i < config->n_static_routes; i++)
		if (config->static_routes[i].prefix.addr.family == family &&
		    is_first_static(config, i))
			row(ctx, &config->static_routes[i].prefix);
	for (size_t i = 0; i < config->n_policy_routes; i++)
		if (config->policy_routes[i].to.prefix.addr.family == family &&
		    is_first_policy(gateway, i))
			row(ctx, &config->policy_routes[i].to.prefix);
}

static void tell_row(void *ctx, const struct prefix *prefix)
{
	advertise_prefix(ctx, prefix);
}

void transit_tell_all(struct peer *peer, enum session_afi afi)
{
	each_own(peer->gateway, afi == SESSION_IPV4 ? AF_INET : AF_INET6, tell_row, peer);
}

struct count {
	const struct peer *peer;
	size_t n;
};

static void count_row(void *ctx, const struct prefix *prefix)
{
	struct count *count = ctx;
	struct own_route own;

	count->n += told_route(count->peer, prefix, &own);
}

size_t transit_count(const struct peer *peer, uint8_t family)
{
	struct count count = {.peer = peer};

	each_own(peer->gateway, family, count_row, &count);
	return count.n;
}

bool transit_holds(const struct gateway *gateway)
{
	return gateway->domain && (restart_deferring(gateway) || gateway->commit_due);
}
