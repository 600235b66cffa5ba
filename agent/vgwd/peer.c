// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tunnel's BGP peer: what its session says becomes paths of its RIB source.
 *
 * A session that ends takes its paths along, with one exception (RFC 4724,
 * receiving speaker; RFC 8538): the transport broke without a NOTIFICATION, or
 * with one that both sides agreed to survive, and the peer had announced graceful
 * restart. Then the paths stay, marked stale, until the
 * peer has said End-of-RIB in a new session, or did not keep its forwarding
 * state, or its restart time is over. A peer that went silent (hold timer, BFD) gets
 * no such credit: the tunnel may well be a black hole.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

/* Without End-of-RIB, this long without an UPDATE means that the peer has told all. */
#define QUIET_MS 5000
/* RFC 7313 4: a peer that began to tell all again has so long for it. */
#define REFRESH_MS 300000
/* Until there may be memory again. */
#define CATCH_UP_MS 2000
/* Of IP and TCP, without options: those are the kernel's business. */
#define TCP_HEADERS4 40
#define TCP_HEADERS6 60
/* A smaller MTU was not reported by a tunnel that works. */
#define MTU_MIN 576

static const uint8_t family_of[SESSION_N_AFI] = {
	[SESSION_IPV4] = AF_INET,
	[SESSION_IPV6] = AF_INET6,
};

static void peer_synced(struct tunnel *tunnel)
{
	loop_timer_stop(tunnel->quiet_timer);
	if (tunnel->synced)
		return;
	tunnel->synced = true;
	restart_check(tunnel->gateway);
}

static void peer_stale_end(struct tunnel *tunnel)
{
	loop_timer_stop(tunnel->stale_timer);
	tunnel->stale = false;
	liveness_judge(tunnel);
}

static void peer_stale_expired(void *ctx)
{
	struct tunnel *tunnel = ctx;

	log_warning(tunnel->config->name,
		    "peer did not finish its restart in time, stale paths go");
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		rib_source_sweep_stale(tunnel->source, family_of[afi]);
	peer_stale_end(tunnel);
	gateway_kick(tunnel->gateway);
}

static void peer_refresh_stop(struct tunnel *tunnel)
{
	loop_timer_stop(tunnel->refresh_timer);
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		tunnel->refreshing[afi] = false;
}

static void peer_refresh_expired(void *ctx)
{
	struct tunnel *tunnel = ctx;

	log_warning(tunnel->config->name,
		    "peer did not finish its route refresh in time, what it did not repeat goes");
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		if (tunnel->refreshing[afi])
			rib_source_sweep_stale(tunnel->source, family_of[afi]);
	peer_refresh_stop(tunnel);
	gateway_kick(tunnel->gateway);
}

static void peer_quiet(void *ctx)
{
	peer_synced(ctx);
}

static bool peer_all_eor(const struct session_info *info)
{
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		if (info->afi[afi] && !info->eor_received[afi])
			return false;
	return true;
}

static void peer_established(void *ctx)
{
	struct tunnel *tunnel = ctx;
	const struct session_info *info = session_info(tunnel->session);

	log_info(tunnel->config->name, "BGP established, hold time %u s, graceful restart %s",
		 info->hold_time, info->graceful_restart ? "yes" : "no");
	tunnel->groups_due = true;
	history_note(tunnel->gateway, TIMELINE_BGP_UP, tunnel->config->name, "hold time %u s",
		     info->hold_time);
	rib_source_set_router_id(tunnel->source, info->peer_id);
	tunnel->synced = false;
	tunnel->had_session = true;
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		bool kept = info->afi[afi] && info->graceful_restart && info->peer_forwarding[afi];

		if (tunnel->stale && !kept)
			rib_source_sweep_stale(tunnel->source, family_of[afi]);
		if (!info->afi[afi])
			continue;
		advertise_all(tunnel, afi);
		session_end_of_rib(tunnel->session, afi);
	}
	if (!info->graceful_restart)
		loop_timer_start(tunnel->quiet_timer, QUIET_MS);
	gateway_kick(tunnel->gateway);
}

/* A second restart before the first was over gets no more credit (RFC 4724 4.2). */
static void peer_keep_stale(struct tunnel *tunnel, const struct session_info *info)
{
	if (tunnel->stale)
		rib_source_mark_stale(tunnel->source);
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		/* Not mark_stale(): what a refresh marked has not been stale before. */
		rib_source_mark_refresh(tunnel->source, family_of[afi]);
		if (!info->peer_restart_afi[afi])
			rib_source_sweep_stale(tunnel->source, family_of[afi]);
	}
	tunnel->stale = true;
	loop_timer_start(tunnel->stale_timer, info->peer_restart_time * 1000ull);
}

static void peer_tell_down(struct tunnel *tunnel, const struct session_info *info)
{
	const char *why = info->last_error[0] ? info->last_error : "connection lost";
	bool kept = info->down_graceful && info->peer_restart_time;
	size_t accepted = 0, rejected = 0;

	log_warning(tunnel->config->name, "BGP down: %s", why);
	history_note(tunnel->gateway, TIMELINE_BGP_DOWN, tunnel->config->name, "%s", why);
	rib_source_counters(tunnel->source, &accepted, &rejected);
	if (kept)
		history_note(tunnel->gateway, TIMELINE_ROUTES, tunnel->config->name,
			     "none: %zu paths are kept for at most %u s", accepted,
			     info->peer_restart_time);
	else
		history_note(tunnel->gateway, TIMELINE_ROUTES, tunnel->config->name, "%zu paths",
			     accepted);
	tunnel->groups_due = !kept;
}

static void peer_down(void *ctx, enum session_down_reason reason)
{
	struct tunnel *tunnel = ctx;
	const struct session_info *info = session_info(tunnel->session);

	peer_tell_down(tunnel, info);
	loop_timer_stop(tunnel->quiet_timer);
	tunnel->synced = false;
	peer_refresh_stop(tunnel);
	if (info->down_graceful && info->peer_restart_time) {
		peer_keep_stale(tunnel, info);
	} else {
		rib_source_flush(tunnel->source);
		peer_stale_end(tunnel);
	}
	gateway_kick(tunnel->gateway);
	restart_check(tunnel->gateway);
}

static void peer_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct tunnel *tunnel = ctx;

	if (rib_announce(tunnel->source, prefix, attrs)) {
		char text[PREFIX_STRLEN];

		/* What cannot be kept must not be half kept: the old path would be a lie. */
		rib_withdraw(tunnel->source, prefix);
		log_error(tunnel->config->name, "out of memory, path for %s lost for now",
			  prefix_format(prefix, text, sizeof(text)));
		tunnel->relearn = true;
		gateway_look_soon(tunnel->gateway, CATCH_UP_MS);
	}
}

static void peer_withdraw(void *ctx, const struct prefix *prefix)
{
	struct tunnel *tunnel = ctx;

	rib_withdraw(tunnel->source, prefix);
}

static void peer_update_end(void *ctx)
{
	struct tunnel *tunnel = ctx;

	if (loop_timer_pending(tunnel->quiet_timer))
		loop_timer_start(tunnel->quiet_timer, QUIET_MS);
	gateway_kick(tunnel->gateway);
}

static void peer_end_of_rib(void *ctx, enum session_afi afi)
{
	struct tunnel *tunnel = ctx;

	rib_source_sweep_stale(tunnel->source, family_of[afi]);
	gateway_kick(tunnel->gateway);
	if (peer_all_eor(session_info(tunnel->session))) {
		peer_stale_end(tunnel);
		peer_synced(tunnel);
	}
}

static void peer_refresh(void *ctx, enum session_afi afi)
{
	advertise_all(ctx, afi);
}

static void peer_refresh_begin(void *ctx, enum session_afi afi)
{
	struct tunnel *tunnel = ctx;

	rib_source_mark_refresh(tunnel->source, family_of[afi]);
	tunnel->refreshing[afi] = true;
	loop_timer_start(tunnel->refresh_timer, REFRESH_MS);
}

/* RFC 7313 4: an end without a beginning means nothing. */
static void peer_refresh_end(void *ctx, enum session_afi afi)
{
	struct tunnel *tunnel = ctx;

	if (!tunnel->refreshing[afi])
		return;
	tunnel->refreshing[afi] = false;
	rib_source_sweep_stale(tunnel->source, family_of[afi]);
	if (!tunnel->refreshing[SESSION_IPV4] && !tunnel->refreshing[SESSION_IPV6])
		loop_timer_stop(tunnel->refresh_timer);
	gateway_kick(tunnel->gateway);
}

static const char *peer_accept_open(void *ctx, uint32_t peer_as, uint32_t peer_id)
{
	const struct tunnel *tunnel = ctx;

	(void)peer_as;
	/* Rule 15: gateways of one domain do not peer with each other. */
	if (peer_id == tunnel->gateway->router_id)
		return "router-id is that of this gateway";
	return NULL;
}

static const struct session_ops peer_ops = {
	.established = peer_established,
	.down = peer_down,
	.route = peer_route,
	.withdraw = peer_withdraw,
	.update_end = peer_update_end,
	.end_of_rib = peer_end_of_rib,
	.refresh = peer_refresh,
	.refresh_begin = peer_refresh_begin,
	.refresh_end = peer_refresh_end,
	.accept_open = peer_accept_open,
};

/* RFC 2385 key from its file: the first line. Wiped by the caller. */
static bool peer_read_key(const char *path, char *key, size_t size)
{
	FILE *file = fopen(path, "re");
	bool got;

	if (!file)
		return false;
	got = fgets(key, size, file);
	fclose(file);
	if (got)
		key[strcspn(key, "\r\n")] = '\0';
	return got && key[0];
}

/* IPv6 routes over an IPv4 session need a next hop of their family: the mapped address. */
static struct addr peer_mapped(const struct addr *v4)
{
	struct addr out = {.family = AF_INET6};

	memset(out.b + 10, 0xff, 2);
	memcpy(out.b + 12, v4->b, 4);
	return out;
}

/* What fits into the tunnel: a larger segment is lost wherever nobody may say so. */
static uint16_t peer_mss(const struct tunnel *tunnel)
{
	const struct config_bgp *bgp = tunnel->connection->bgp;
	bool v6 = tunnel->config->inside_peer.family == AF_INET6;

	if (bgp->tcp_mss)
		return bgp->tcp_mss;
	if (!tunnel->reported || tunnel->kernel.mtu < MTU_MIN || tunnel->kernel.mtu > 32767)
		return 0;
	return (uint16_t)(tunnel->kernel.mtu - (v6 ? TCP_HEADERS6 : TCP_HEADERS4));
}

/* Everything that a session can take over while it runs. */
static void peer_tuning(const struct tunnel *tunnel, struct session_config *config)
{
	const struct config_bgp *bgp = tunnel->connection->bgp;

	config->passive = bgp->passive;
	config->connect_retry = bgp->connect_retry;
	config->send_hold = bgp->send_hold;
	config->delay_open = bgp->delay_open;
	config->rest_max = bgp->idle_hold_max;
	config->tcp_mss = peer_mss(tunnel);
}

static struct session *peer_session(struct tunnel *tunnel, const char *key)
{
	const struct config_bgp *bgp = tunnel->connection->bgp;
	struct gateway *gateway = tunnel->gateway;
	struct session_config config = {
		.name = tunnel->config->name,
		.local_as = gateway->config->gateway.local_asn,
		.peer_as = tunnel->connection->customer_gateway->asn,
		.router_id = gateway->router_id,
		.local = tunnel->config->inside_address,
		.peer = tunnel->config->inside_peer,
		.device = tunnel->config->interface,
		.hold_time = bgp->hold_time,
		.keepalive = bgp->keepalive,
		.ttl = bgp->ttl,
		.gtsm = bgp->gtsm,
		.md5 = key,
		.afi = {[SESSION_IPV4] = bgp->ipv4, [SESSION_IPV6] = bgp->ipv6},
		.restart_time = gateway->config->gateway.restart_time,
		.restarting = gateway->kept_forwarding,
		.forwarding_kept = gateway->kept_forwarding || tunnel->had_session,
		.extended_message = bgp->extended_messages,
		.extended_next_hop = bgp->ipv4 && tunnel->config->inside_peer.family == AF_INET6,
		.graceful_notification = bgp->graceful_notification,
	};

	peer_tuning(tunnel, &config);

	if (bgp->ipv6 && config.local.family == AF_INET)
		config.next_hop6 = peer_mapped(&config.local);
	return session_new(gateway->loop, &config, &peer_ops, tunnel);
}

static struct rib_source *peer_source(struct tunnel *tunnel)
{
	struct rib_source_config config = {
		.tunnel = tunnel->id,
		.connection = tunnel->connection->id,
		.site = tunnel->connection->customer_gateway->site_id,
		.peer_as = tunnel->connection->customer_gateway->asn,
		.site_as = tunnel->connection->customer_gateway->asn,
		.weight = tunnel->config->weight,
		.peer = tunnel->config->inside_peer,
		.name = tunnel->config->name,
	};

	return rib_source_add(tunnel->gateway->rib, &config);
}

int peer_create(struct tunnel *tunnel)
{
	const struct config_bgp *bgp = tunnel->connection->bgp;

	if (!bgp)
		return 0;
	tunnel->source = peer_source(tunnel);
	if (tunnel->source)
		rib_source_set_drained(tunnel->source, tunnel->drained);
	tunnel->stale_timer = loop_timer_new(tunnel->gateway->loop, peer_stale_expired, tunnel);
	tunnel->quiet_timer = loop_timer_new(tunnel->gateway->loop, peer_quiet, tunnel);
	tunnel->refresh_timer =
		loop_timer_new(tunnel->gateway->loop, peer_refresh_expired, tunnel);
	if (tunnel->source && tunnel->stale_timer && tunnel->quiet_timer && tunnel->refresh_timer)
		return 0;
	peer_destroy(tunnel, 0, NULL);
	return -ENOMEM;
}

void peer_destroy(struct tunnel *tunnel, uint8_t cease_subcode, const char *text)
{
	if (tunnel->session && tunnel->started)
		session_stop(tunnel->session, cease_subcode, text);
	session_free(tunnel->session);
	tunnel->session = NULL;
	tunnel->started = false;
	loop_timer_free(tunnel->stale_timer);
	loop_timer_free(tunnel->quiet_timer);
	loop_timer_free(tunnel->refresh_timer);
	tunnel->stale_timer = NULL;
	tunnel->refresh_timer = NULL;
	tunnel->quiet_timer = NULL;
	if (tunnel->source)
		rib_source_remove(tunnel->source);
	tunnel->source = NULL;
	history_settle(tunnel->gateway, TIMELINE_BGP_UP, tunnel->config->name,
		       "no session is wanted any more");
}

/*
 * Only now is it known whether forwarding was kept (the F bits), and a key file
 * may appear after us. Not before the gateway's device is there: who hears us sends
 * packets.
 */
void peer_start(struct tunnel *tunnel)
{
	const struct config_bgp *bgp = tunnel->connection->bgp;
	char key[81] = "";

	if (!bgp || tunnel->started || !tunnel->ready || !tunnel->gateway->bound ||
	    !tunnel->gateway->routes_synced || tunnel->gateway->bgp_refused ||
	    !liveness_allows_bgp(tunnel))
		return;
	if (bgp->md5_file && !peer_read_key(bgp->md5_file, key, sizeof(key))) {
		snprintf(tunnel->error, sizeof(tunnel->error), "%.120s: no BGP key in this file",
			 bgp->md5_file);
		log_error(tunnel->config->name, "%s", tunnel->error);
		gateway_look_soon(tunnel->gateway, 5000);
		return;
	}
	tunnel->session = peer_session(tunnel, bgp->md5_file ? key : NULL);
	explicit_bzero(key, sizeof(key));
	if (!tunnel->session) {
		log_error(tunnel->config->name, "out of memory, no BGP session");
		return;
	}
	tunnel->started = true;
	session_start(tunnel->session);
}

void peer_retune(struct tunnel *tunnel)
{
	struct session_config config = {0};

	if (!tunnel->session)
		return;
	peer_tuning(tunnel, &config);
	session_retune(tunnel->session, &config);
}

void peer_catch_up(struct tunnel *tunnel)
{
	const struct session_info *info = tunnel->session ? session_info(tunnel->session) : NULL;
	bool relearn = tunnel->relearn, retell = tunnel->retell;

	tunnel->relearn = tunnel->retell = false;
	if (!info || info->state != SESSION_ESTABLISHED)
		return; /* a new session tells everything */
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		if (retell && info->afi[afi])
			advertise_all(tunnel, afi);
		if (relearn && info->afi[afi] && session_request_refresh(tunnel->session, afi)) {
			tunnel->relearn = info->refresh;
			gateway_look_soon(tunnel->gateway, CATCH_UP_MS);
		}
	}
}

/*
 * RFC 5882 4.3: also a restart of the peer that is under way is given up. Without
 * "strict" BGP may try again at once; it finds out by itself whether it can.
 */
void peer_path_failed(struct tunnel *tunnel)
{
	if (!tunnel->started)
		return;
	session_stop(tunnel->session, SESSION_CEASE_BFD_DOWN, NULL);
	if (tunnel->stale) {
		rib_source_flush(tunnel->source);
		peer_stale_end(tunnel);
		gateway_kick(tunnel->gateway);
	}
	if (liveness_allows_bgp(tunnel))
		session_start(tunnel->session);
}

void peer_refuse(struct tunnel *tunnel)
{
	if (!tunnel->started)
		return;
	session_stop(tunnel->session, SESSION_CEASE_SHUTDOWN, tunnel->gateway->bgp_refused);
	session_free(tunnel->session);
	tunnel->session = NULL;
	tunnel->started = false;
	loop_timer_stop(tunnel->quiet_timer);
	peer_refresh_stop(tunnel);
	rib_source_flush(tunnel->source);
	peer_stale_end(tunnel);
	gateway_kick(tunnel->gateway);
}

void peer_path_good(struct tunnel *tunnel)
{
	if (!tunnel->started) {
		peer_start(tunnel);
		return;
	}
	if (!liveness_allows_bgp(tunnel))
		return;
	session_start(tunnel->session);
	session_kick(tunnel->session);
}
