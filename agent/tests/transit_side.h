/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gateway with transit peers: the real system table of a namespace, the model of the
 * module, and two tunnels whose sites are not there: what they teach is put into the RIB.
 */
#ifndef VGW_TESTS_TRANSIT_SIDE_H
#define VGW_TESTS_TRANSIT_SIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "sys/kernel_model.h"
#include "vgwd/gateway.h"

/* No device has it: routes over the gateway's own are not looked at here. */
#define TRANSIT_IFINDEX 4711

static struct gateway gateway;
static struct tunnel tunnels[2];

static inline void transit_bfd_ignore(void *ctx, const char *name, const struct bfd_status *status)
{
}

static inline void transit_synced(void *ctx)
{
	gateway.routes_synced = true;
	derive_policy(&gateway);
	for (struct peer *peer = gateway.peers; peer; peer = peer->next)
		if (peer->transit)
			peer_start(peer);
	gateway_kick(&gateway);
}

static inline void transit_link(void *ctx, const struct rtnl_link *link, bool present)
{
	line_link_changed(ctx, link, present);
}

static const struct bfd_ops transit_bfd_ops = {.changed = transit_bfd_ignore};
static const struct kernel_events transit_kernel_events = {0};
static const struct rtnl_ops transit_rtnl_ops = {
	.route = advertise_route_changed,
	.routes_synced = transit_synced,
	.link = transit_link,
	.published = derive_published,
	.vias = line_vias,
	.owns = line_owns,
};

static inline bool transit_tunnels(const struct config *config)
{
	struct tunnel **tail = &gateway.tunnels;

	for (size_t i = 0; i < config->n_connections && i < 2; i++) {
		tunnels[i] = (struct tunnel){
			.gateway = &gateway,
			.peer = {.gateway = &gateway, .owner = &tunnel_peer_owner},
			.id = config->connections[i].tunnels[0].id,
			.ready = true,
			.connection = &config->connections[i],
			.config = &config->connections[i].tunnels[0],
		};
		*tail = &tunnels[i];
		tail = &tunnels[i].next;
		if (peer_create(&tunnels[i].peer))
			return false;
		tunnels[i].peer.synced = true; /* a restart does not wait for sites */
	}
	return true;
}

static inline bool transit_lines(const struct config *config)
{
	struct line **tail = &gateway.lines;
	const struct config_private_line *line;

	for (size_t i = 0; (line = config_line_at(config, i)); i++) {
		*tail = line_new(&gateway, line);
		if (!*tail)
			return false;
		tail = &(*tail)->next;
	}
	return true;
}

/* As vgwd starts; config becomes the gateway's. kept: an earlier life left routes. */
static inline bool transit_up(struct loop *loop, struct config *config, bool kept)
{
	gateway = (struct gateway){
		.loop = loop,
		.config = config,
		.rib = rib_new(),
		.router_id = gateway_router_id(config),
		.ifindex = TRANSIT_IFINDEX,
		.bound = true,
		.kept_forwarding = kept,
		.drain_timer = loop_timer_new(loop, gateway_drain, &gateway),
		.device_timer = loop_timer_new(loop, gateway_drain, &gateway),
		.restart_timer = loop_timer_new(loop, restart_expired, &gateway),
		.kernel = kernel_model_new(loop, &transit_kernel_events, NULL),
		.bfd = bfd_new(loop, "/nonexistent/vgw-bfd.sock", "test", &transit_bfd_ops, NULL),
		.rtnl = rtnl_new(loop, RT_TABLE_MAIN, &transit_rtnl_ops, &gateway),
	};
	if (!gateway.rib || !gateway.kernel || !gateway.rtnl || advertise_init(&gateway) ||
	    history_init(&gateway) || kernel_model_add_gateway(gateway.kernel, TRANSIT_IFINDEX))
		return false;
	gateway.fib = fib_new(loop, gateway.kernel, &derive_fib_ops, &gateway);
	if (!gateway.fib || !transit_tunnels(config) || !transit_lines(config))
		return false;
	advertise_policy(&gateway);
	for (struct line *line = gateway.lines; line; line = line->next)
		line_setup(line);
	fib_start(gateway.fib, TRANSIT_IFINDEX);
	restart_begin(&gateway);
	if (rtnl_follow(gateway.rtnl))
		return false;
	rtnl_publish_start(gateway.rtnl, 0, GATEWAY_PUBLISH_METRIC);
	return true;
}

static inline void transit_down(void)
{
	for (size_t i = 0; i < 2; i++)
		if (tunnels[i].gateway)
			peer_destroy(&tunnels[i].peer, 0, NULL);
	while (gateway.lines) {
		struct line *line = gateway.lines;

		gateway.lines = line->next;
		line_free(line);
	}
	memset(tunnels, 0, sizeof(tunnels));
	gateway.tunnels = NULL;
	timeline_free(gateway.timeline);
	fib_free(gateway.fib);
	kernel_free(gateway.kernel);
	rtnl_free(gateway.rtnl);
	export_free(gateway.export);
	rib_free(gateway.rib);
	if (gateway.domain)
		rib_free(gateway.domain);
	attrs_put(gateway.domain_attrs);
	attrs_put(gateway.drained_attrs);
	pmap_clear(&gateway.underlay, NULL);
	pmap_clear(&gateway.connected, NULL);
	pmap_clear(&gateway.domain_told, NULL);
	bfd_free(gateway.bfd);
	loop_timer_free(gateway.drain_timer);
	loop_timer_free(gateway.device_timer);
	loop_timer_free(gateway.restart_timer);
	config_free(gateway.config);
	memset(&gateway, 0, sizeof(gateway));
}

/* The site behind the tunnel has the prefix; the path begins with the site's AS. */
static inline bool transit_site_says(struct tunnel *tunnel, const struct prefix *prefix,
				     uint32_t med, const uint32_t *communities, uint16_t n)
{
	const struct rib_source_config *source = rib_source_config(tunnel->peer.source);
	struct as_segment segment = {AS_SEQUENCE, 1, &source->peer_as};
	struct attrs draft = {
		.segments = &segment,
		.n_segments = 1,
		.next_hop = source->peer,
		.has_med = med,
		.med = med,
		.communities = communities,
		.n_communities = n,
	};
	const struct attrs *attrs = attrs_intern(&draft);
	bool ok = attrs && !rib_announce(tunnel->peer.source, prefix, attrs);

	attrs_put(attrs);
	gateway_kick(&gateway);
	return ok;
}

#endif
