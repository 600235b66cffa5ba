// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the system table to the sites (rules 22 and 23), to every peer what it is to
 * hear, and what else depends
 * on the domain's own routes: protected prefixes (D4), pinned routes to the
 * tunnels' outer peers (rule 50), system routes of the module's table (P1).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>
#include <linux/vgw.h>

#include "core/rules.h"
#include "lib/log.h"
#include "vgwd/gateway.h"

/* Until there may be memory again. */
#define RETELL_MS 2000

/* With what the peer hears the prefix, NULL: not at all; the caller's reference. */
static int advertise_attrs(const struct peer *peer, const struct prefix *prefix,
			   const struct attrs **out)
{
	const struct gateway *gateway = peer->gateway;
	int ret;

	if (peer->transit)
		return transit_attrs(peer, prefix, out);
	*out = NULL;
	if (!export_contains(gateway->export, prefix))
		return 0;
	ret = transit_site_attrs(peer, prefix, out);
	if (!ret && !*out)
		*out = attrs_get(peer->owner->drained(peer) ? gateway->drained_attrs
							    : gateway->domain_attrs);
	return ret;
}

void advertise_prefix(struct peer *peer, const struct prefix *prefix)
{
	enum session_afi afi = prefix->addr.family == AF_INET ? SESSION_IPV4 : SESSION_IPV6;
	const struct session_info *info;
	const struct attrs *attrs;
	int ret;

	if (!peer->session)
		return;
	info = session_info(peer->session);
	if (info->state != SESSION_ESTABLISHED || !info->afi[afi])
		return;
	ret = advertise_attrs(peer, prefix, &attrs);
	if (!ret)
		ret = attrs ? session_announce(peer->session, prefix, attrs)
			    : session_withdraw(peer->session, prefix);
	attrs_put(attrs);
	if (!ret)
		return;
	log_error(peer_name(peer), "cannot queue an UPDATE: %s", strerror(-ret));
	peer->retell = true;
	gateway_look_soon(peer->gateway, RETELL_MS);
}

static void advertise_changed(void *ctx, const struct prefix *prefix, bool present)
{
	struct gateway *gateway = ctx;

	(void)present;
	fib_dirty_route(gateway->fib, prefix, KERNEL_SYSTEM);
	for (struct peer *peer = gateway->peers; peer; peer = peer->next)
		if (!peer->transit)
			advertise_prefix(peer, prefix);
}

static const struct export_ops export_ops = {.changed = advertise_changed};

void advertise_all(struct peer *peer, enum session_afi afi)
{
	uint8_t family = afi == SESSION_IPV4 ? AF_INET : AF_INET6;
	struct prefix prefix = {.addr.family = AF_UNSPEC};

	if (peer->transit) {
		transit_tell_all(peer, afi);
		return;
	}
	while (export_next(peer->gateway->export, &prefix))
		if (prefix.addr.family == family)
			advertise_prefix(peer, &prefix);
}

/* A route that leads into a gateway or one of its tunnels is not the domain's own. */
static bool advertise_ours(const struct gateway *gateway, uint32_t oif)
{
	if (!oif)
		return false;
	if (oif == gateway->ifindex)
		return true;
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (t->ifindex == oif)
			return true;
	return false;
}

/* One more or one less kernel route that holds the prefix, in a map of counts. */
static bool advertise_count(struct pmap *map, const struct prefix *prefix, bool present)
{
	uintptr_t n = (uintptr_t)pmap_get(map, prefix);

	if (!present && !n)
		return true;
	n += present ? 1 : -1;
	if (!n)
		pmap_del(map, prefix);
	else if (pmap_put(map, prefix, (void *)n))
		return false;
	return true;
}

void advertise_route_changed(void *ctx, const struct rtnl_route *route, bool present)
{
	struct gateway *gateway = ctx;
	bool ok, unicast = route->type == RTN_UNICAST;

	if (advertise_ours(gateway, route->oif))
		return;
	ok = export_route(gateway->export, &route->prefix, route->protocol, route->type,
			  present) != -ENOMEM;
	ok &= !unicast || advertise_count(&gateway->underlay, &route->prefix, present);
	ok &= !unicast || route->protocol != RTPROT_KERNEL ||
	      advertise_count(&gateway->connected, &route->prefix, present);
	if (!ok) {
		log_error(NULL, "out of memory, a system route is not taken into account for now");
		gateway->export_due = true;
		gateway_look_soon(gateway, RETELL_MS);
	}
	if (!unicast)
		return;
	transit_tell(gateway, &route->prefix);
	gateway->policy_due = true;
	gateway_kick(gateway);
}

static void advertise_row(void *ctx, const struct rtnl_route *route)
{
	/* Those of protocol vgw are ours. */
	if (route->protocol != VGW_RTPROTO)
		advertise_route_changed(ctx, route, true);
}

/* Nothing that went is missed by starting over: only what came could not be kept. */
void advertise_again(struct gateway *gateway)
{
	struct export *export;

	if (!gateway->export_due)
		return;
	export = export_new(&export_ops, gateway);
	if (!export) {
		gateway_look_soon(gateway, RETELL_MS);
		return;
	}
	gateway->export_due = false;
	export_free(gateway->export);
	gateway->export = export;
	pmap_clear(&gateway->underlay, NULL);
	pmap_clear(&gateway->connected, NULL);
	advertise_policy(gateway);
	rtnl_each_route(gateway->rtnl, advertise_row, gateway);
	transit_again(gateway);
}

uint8_t advertise_pinned(const struct gateway *gateway, const struct addr *peer)
{
	struct prefix host = {.addr = *peer, .len = addr_bits(peer->family)};
	struct prefix key = {.addr.family = AF_UNSPEC};

	return pmap_covering(&gateway->underlay, &host, &key, NULL) ? key.len : 0;
}

/* Configured and connected prefixes of the domain; *out is the caller's to free. */
size_t advertise_protected(const struct gateway *gateway, struct prefix **out)
{
	const struct config_gateway *config = &gateway->config->gateway;
	size_t n = config->n_protected, max = n + pmap_count(&gateway->connected);
	struct prefix prefix = {.addr.family = AF_UNSPEC};
	void *value;

	*out = calloc(max + 1, sizeof(**out));
	if (!*out) {
		return 0;
	}
	if (n)
		memcpy(*out, config->protected, n * sizeof(**out));
	while (n < max && pmap_next(&gateway->connected, &prefix, &value))
		if (!prefix_is_default(&prefix) && !rules_never_accept(&prefix))
			(*out)[n++] = prefix;
	return n;
}

void advertise_policy(struct gateway *gateway)
{
	struct export_policy policy = {
		.transit = gateway->config->gateway.attachment == CONFIG_TRANSIT,
		.reserved_ranges = gateway->config->gateway.profile == CONFIG_PROFILE_ALIBABA,
	};
	struct prefix *inside = calloc(gateway_tunnel_count(gateway) + 1, sizeof(*inside));

	if (!inside) {
		log_error(NULL, "out of memory, the export policy stays as it was");
		return;
	}
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		inside[policy.n_exclude++] = t->config->inside;
	policy.exclude = inside;
	if (export_set_policy(gateway->export, &policy))
		log_error(NULL, "out of memory, the export policy stays as it was");
	free(inside);
}

int advertise_init(struct gateway *gateway)
{
	static const uint32_t graceful_shutdown = 0xffff0000; /* RFC 8326 */
	struct attrs draft = {.origin = ATTRS_ORIGIN_IGP};

	pmap_init(&gateway->underlay);
	pmap_init(&gateway->connected);
	pmap_init(&gateway->domain_told);
	gateway->domain_attrs = attrs_intern(&draft);
	draft.communities = &graceful_shutdown;
	draft.n_communities = 1;
	draft.has_med = true;
	draft.med = UINT32_MAX;
	gateway->drained_attrs = attrs_intern(&draft);
	gateway->export = export_new(&export_ops, gateway);
	return gateway->domain_attrs && gateway->drained_attrs && gateway->export ? 0 : -ENOMEM;
}
