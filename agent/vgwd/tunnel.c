// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tunnel of the configuration: its XFRM device, inside address and IKE
 * connection. Setting up is idempotent and may be asked for at any time; what
 * is in the way is kept as the tunnel's error and looked at again later.
 */
#include <errno.h>
#include <inttypes.h>
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

void tunnel_set_ready(struct tunnel *tunnel, bool ready)
{
	struct gateway *gateway = tunnel->gateway;

	if (tunnel->ready == ready)
		return;
	tunnel->ready = ready;
	fib_dirty_tunnel(gateway->fib, tunnel->id);
	derive_statics_dirty(gateway, gateway->config);
	/* A path may have been decided on meanwhile, and not be told again. */
	if (tunnel->peer.source)
		rib_source_touch(tunnel->peer.source);
	gateway_kick(gateway);
}

void tunnel_setup(struct tunnel *tunnel)
{
	uint32_t before = tunnel->ifindex;
	bool again = tunnel->unsure && tunnel->ready;
	char err[TUNNEL_ERROR_SIZE];

	tunnel->unsure = false;
	if (!tunnel_device(tunnel, err, sizeof(err))) {
		tunnel_fail(tunnel, err);
		tunnel_set_ready(tunnel, false);
		health_check_reported(tunnel);
	} else {
		if (!tunnel->ready || before != tunnel->ifindex || again)
			log_info(tunnel->config->name, "interface %s is set up",
				 tunnel->config->interface);
		tunnel_set_ready(tunnel, true);
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
		tunnel_set_ready(tunnel, false);
		tunnel_fail(tunnel, "the interface was deleted");
		health_check_reported(tunnel);
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

/* What of the change concerns the timeline; before is the report that was known. */
static void tunnel_history(struct tunnel *tunnel, const struct kernel_tunnel *before, bool known)
{
	struct gateway *gateway = tunnel->gateway;
	const char *name = tunnel->config->name;
	uint64_t met = tunnel->kernel.tx_errors;
	char text[TIMELINE_TEXT_SIZE];

	if (tunnel->kernel.state == VGW_TUNNEL_STATE_UP) {
		history_note(gateway, TIMELINE_TUNNEL_UP, name, "SPI %#x", tunnel->kernel.spi);
		return;
	}
	liveness_explain(tunnel, text, sizeof(text));
	history_note(gateway, TIMELINE_TUNNEL_DOWN, name, "%s", text);
	if (!known || met < before->tx_errors)
		return;
	met -= before->tx_errors;
	if (met)
		history_note(gateway, TIMELINE_FAILOVER, name,
			     "%" PRIu64 " packets met it dead and took the next way", met);
	else
		history_note(gateway, TIMELINE_FAILOVER, name,
			     "the module knew before a packet met it dead");
}

void tunnel_reported(struct tunnel *tunnel, const struct kernel_tunnel *report)
{
	struct kernel_tunnel before = tunnel->kernel;
	bool known = tunnel->reported;
	bool was_down = known && before.state == VGW_TUNNEL_STATE_DOWN;
	bool down = report->state == VGW_TUNNEL_STATE_DOWN;

	tunnel->kernel = *report;
	tunnel->reported = true;
	if (!known || before.mtu != report->mtu)
		peer_retune(&tunnel->peer);
	health_check_reported(tunnel);
	/* An SA that is lost while the path counts as failed is no change of the state. */
	if (down && was_down && report->reason != before.reason)
		tunnel_revive(tunnel);
	if (!known || down != was_down)
		tunnel_history(tunnel, &before, known);
	if (down == was_down)
		return;
	log_info(tunnel->config->name, "tunnel is %s", down ? "down" : "up");
	transit_tell_configured(tunnel->gateway);
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
	return !peer->gateway->bgp_refused && liveness_allows_bgp(tunnel_of(peer));
}

/* A tunnel that the module knows to be dead brings no session. */
static bool tunnel_expected(const struct peer *peer)
{
	const struct tunnel *tunnel = tunnel_of(peer);

	return !peer->gateway->bgp_refused &&
	       !(tunnel->reported && tunnel->kernel.state == VGW_TUNNEL_STATE_DOWN);
}

static bool tunnel_drained(const struct peer *peer)
{
	return tunnel_of(peer)->drained;
}

static void tunnel_changed(struct peer *peer, bool soon)
{
	tunnel_of(peer)->groups_due = soon;
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
	.drained = tunnel_drained,
	.changed = tunnel_changed,
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
	health_check_forget(tunnel);
	watch_forget(tunnel);
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
	watch_forget(tunnel);
	history_forget(gateway, tunnel->config->name);
	free(tunnel);
}
