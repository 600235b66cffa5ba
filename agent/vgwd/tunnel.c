// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tunnel of the configuration: its XFRM device, inside address and IKE
 * connection. Setting up is idempotent and may be asked for at any time; what
 * is in the way is kept as the tunnel's error and looked at again later.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vgw.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

/* How long a tunnel without an SA is left to IKE before it is asked again. */
#define TUNNEL_REVIVE_MS 5000

#define INSIDE_LEN4 30
#define INSIDE_LEN6 126

static void tunnel_fail(struct tunnel *tunnel, const char *text)
{
	if (strcmp(tunnel->error, text)) {
		snprintf(tunnel->error, sizeof(tunnel->error), "%s", text);
		log_warning(tunnel->config->name, "%s", text);
	}
}

static bool tunnel_device(struct tunnel *tunnel, char *err, size_t size)
{
	const struct config_tunnel *config = tunnel->config;
	struct rtnl *rtnl = tunnel->gateway->rtnl;
	const bool up = true;
	struct rtnl_link link;

	if (config->ike &&
	    rtnl_link_add_xfrm(rtnl, config->interface, config->if_id, config->underlay, err, size))
		return false;
	if (rtnl_link_get(rtnl, config->interface, &link)) {
		snprintf(err, size, "no interface \"%s\" to adopt (the tunnel has no ike section)",
			 config->interface);
		return false;
	}
	if (strcmp(link.kind, "xfrm")) {
		snprintf(err, size, "interface \"%s\" is not an XFRM interface", config->interface);
		return false;
	}
	if (!link.if_id || (config->if_id && link.if_id != config->if_id)) {
		snprintf(err, size, "interface \"%s\" has if_id %u, configured is %u",
			 config->interface, link.if_id, config->if_id);
		return false;
	}
	/* Only a new device is put up: one that somebody put down stays down. */
	if (link.ifindex != tunnel->ifindex && !link.up &&
	    rtnl_link_set(rtnl, config->interface, &up, NULL, NULL, err, size))
		return false;
	if (link.ifindex != tunnel->ifindex && tunnel->gateway->config->gateway.vrf &&
	    rtnl_link_set(rtnl, config->interface, NULL, NULL, tunnel->gateway->config->gateway.vrf,
			  err, size))
		return false;
	if (rtnl_address_add(rtnl, config->interface, &config->inside_address,
			     config->inside.addr.family == AF_INET ? INSIDE_LEN4 : INSIDE_LEN6, err,
			     size))
		return false;
	tunnel->ifindex = link.ifindex;
	return true;
}

static void tunnel_ike(struct tunnel *tunnel)
{
	const struct config_tunnel *config = tunnel->config;
	const struct config_ike *ike = config->ike;
	struct ike_config wanted = {
		.name = tunnel->ike_name,
		.local = config->local_address,
		.remote = config->remote_address,
		.if_id = config->if_id,
	};

	if (!ike)
		return;
	wanted.local_id = ike->local_id;
	wanted.remote_id = ike->remote_id;
	wanted.psk_file = ike->psk_file;
	wanted.proposals = ike->proposals;
	wanted.esp_proposals = ike->esp_proposals;
	wanted.dpd_delay = ike->dpd_delay;
	wanted.rekey_time = ike->rekey_time;
	wanted.child_rekey_time = ike->child_rekey_time;
	wanted.version = ike->version;
	wanted.initiate = ike->initiate;
	wanted.encap = ike->encap;
	if (ike_set(tunnel->gateway->ike, &wanted))
		tunnel_fail(tunnel, "IKE connection cannot be set up");
}

void tunnel_setup(struct tunnel *tunnel)
{
	uint32_t before = tunnel->ifindex;
	char err[TUNNEL_ERROR_SIZE];

	if (!tunnel_device(tunnel, err, sizeof(err))) {
		tunnel_fail(tunnel, err);
		tunnel->ready = false;
	} else {
		if (!tunnel->ready || before != tunnel->ifindex)
			log_info(tunnel->config->name, "interface %s is set up",
				 tunnel->config->interface);
		tunnel->ready = true;
		tunnel->error[0] = '\0';
		tunnel_ike(tunnel);
		liveness_watch(tunnel);
	}
	fib_dirty_tunnel(tunnel->gateway->fib, tunnel->id);
	peer_start(&tunnel->peer);
}

void tunnel_link_changed(struct tunnel *tunnel, const struct rtnl_link *link, bool present)
{
	struct gateway *gateway = tunnel->gateway;

	if (!present && link->ifindex == tunnel->ifindex) {
		tunnel->ifindex = 0;
		tunnel->ready = false;
		tunnel_fail(tunnel, "the interface was deleted");
		fib_dirty_tunnel(gateway->fib, tunnel->id);
		derive_statics_dirty(gateway, gateway->config);
		/* Whoever deletes it may be about to make it again: no race with him. */
		gateway_look_soon(gateway, 1000);
	} else if (present && link->ifindex != tunnel->ifindex) {
		tunnel_setup(tunnel);
	}
}

/* Asks for an SA, and goes on asking: IKE may believe that there is one. */
bool tunnel_revive(struct tunnel *tunnel)
{
	if (!tunnel->reported || tunnel->kernel.state != VGW_TUNNEL_STATE_DOWN ||
	    tunnel->kernel.reason != VGW_TUNNEL_REASON_NO_SA || !tunnel->config->ike)
		return false;
	ike_kick(tunnel->gateway->ike, tunnel->ike_name);
	gateway_look_soon(tunnel->gateway, TUNNEL_REVIVE_MS);
	return true;
}

void tunnel_reported(struct tunnel *tunnel, const struct kernel_tunnel *report)
{
	bool was_down = tunnel->reported && tunnel->kernel.state == VGW_TUNNEL_STATE_DOWN;
	bool down = report->state == VGW_TUNNEL_STATE_DOWN;
	bool resized = !tunnel->reported || tunnel->kernel.mtu != report->mtu;

	tunnel->kernel = *report;
	tunnel->reported = true;
	if (resized)
		peer_retune(&tunnel->peer);
	if (down == was_down)
		return;
	log_info(tunnel->config->name, "tunnel is %s", down ? "down" : "up");
	if (down)
		tunnel_revive(tunnel);
	if (!down && tunnel->peer.session)
		session_kick(tunnel->peer.session);
	restart_check(tunnel->gateway);
}

bool tunnel_wanted(const struct tunnel *tunnel, struct kernel_tunnel *out)
{
	if (!tunnel->ready)
		return false;
	*out = (struct kernel_tunnel){
		.id = tunnel->id,
		.ifindex = tunnel->ifindex,
		.connection = tunnel->connection->id,
		.site = tunnel->connection->customer_gateway->site_id,
		.source_check = tunnel->connection->source_check,
		.transit = tunnel->connection->transit_allow,
		.failed = tunnel->failed,
	};
	return true;
}

/* The tunnel as the owner of its peer */

static struct tunnel *tunnel_of(const struct peer *peer)
{
	return (struct tunnel *)((char *)(uintptr_t)peer - offsetof(struct tunnel, peer));
}

static struct peer_facts tunnel_facts(const struct peer *peer)
{
	const struct tunnel *tunnel = tunnel_of(peer);

	return (struct peer_facts){
		.name = tunnel->config->name,
		.bgp = tunnel->connection->bgp,
		.device = tunnel->config->interface,
		.local = tunnel->config->inside_address,
		.remote = tunnel->config->inside_peer,
		.remote_as = tunnel->connection->customer_gateway->asn,
		.mtu = tunnel->reported ? tunnel->kernel.mtu : 0,
		.ready = tunnel->ready,
	};
}

static struct rib_source_config tunnel_source(const struct peer *peer)
{
	const struct tunnel *tunnel = tunnel_of(peer);

	return (struct rib_source_config){
		.tunnel = tunnel->id,
		.connection = tunnel->connection->id,
		.site = tunnel->connection->customer_gateway->site_id,
		.peer_as = tunnel->connection->customer_gateway->asn,
		.site_as = tunnel->connection->customer_gateway->asn,
		.weight = tunnel->config->weight,
		.peer = tunnel->config->inside_peer,
		.name = tunnel->config->name,
	};
}

static bool tunnel_allows(const struct peer *peer)
{
	return liveness_allows_bgp(tunnel_of(peer));
}

/* A tunnel that the module knows to be dead brings no session. */
static bool tunnel_expected(const struct peer *peer)
{
	const struct tunnel *tunnel = tunnel_of(peer);

	return !(tunnel->reported && tunnel->kernel.state == VGW_TUNNEL_STATE_DOWN);
}

static void tunnel_judge(struct peer *peer)
{
	liveness_judge(tunnel_of(peer));
}

static void tunnel_peer_fail(struct peer *peer, const char *text)
{
	struct tunnel *tunnel = tunnel_of(peer);

	snprintf(tunnel->error, sizeof(tunnel->error), "%s", text);
}

const struct peer_owner tunnel_peer_owner = {
	.facts = tunnel_facts,
	.source = tunnel_source,
	.allows = tunnel_allows,
	.expected = tunnel_expected,
	.judge = tunnel_judge,
	.fail = tunnel_peer_fail,
};

struct tunnel *tunnel_new(struct gateway *gateway, const struct config_connection *connection,
			  const struct config_tunnel *config)
{
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));

	if (!tunnel)
		return NULL;
	tunnel->gateway = gateway;
	tunnel->connection = connection;
	tunnel->config = config;
	tunnel->id = config->id;
	if (config->ike)
		snprintf(tunnel->ike_name, sizeof(tunnel->ike_name), "vgw-%s", config->name);
	tunnel->peer = (struct peer){.gateway = gateway, .owner = &tunnel_peer_owner};
	if (peer_create(&tunnel->peer)) {
		tunnel_free(tunnel);
		return NULL;
	}
	return tunnel;
}

void tunnel_free(struct tunnel *tunnel)
{
	if (!tunnel)
		return;
	peer_destroy(&tunnel->peer, 0, NULL);
	free(tunnel);
}

void tunnel_remove(struct tunnel *tunnel)
{
	struct gateway *gateway = tunnel->gateway;
	char err[TUNNEL_ERROR_SIZE];
	int ret;

	log_info(tunnel->config->name, "tunnel is no longer configured");
	peer_destroy(&tunnel->peer, SESSION_CEASE_DECONFIGURED, "tunnel removed");
	liveness_forget(tunnel);
	if (tunnel->config->ike) {
		ike_del(gateway->ike, tunnel->ike_name);
		ret = rtnl_link_del(gateway->rtnl, tunnel->config->interface, err, sizeof(err));
	} else {
		ret = rtnl_address_del(
			gateway->rtnl, tunnel->config->interface, &tunnel->config->inside_address,
			tunnel->config->inside.addr.family == AF_INET ? INSIDE_LEN4 : INSIDE_LEN6,
			err, sizeof(err));
	}
	if (ret && ret != -ENODEV && ret != -EADDRNOTAVAIL)
		log_warning(tunnel->config->name, "%s", err);
	fib_dirty_tunnel(gateway->fib, tunnel->id);
	free(tunnel);
}
