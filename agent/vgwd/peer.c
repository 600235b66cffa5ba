// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BGP peer: what its session says becomes paths of its RIB source.
 *
 * A session that ends takes its paths along, with one exception (RFC 4724,
 * receiving speaker; RFC 8538): the transport broke without a NOTIFICATION, or
 * with one that both sides agreed to survive, and the peer had announced graceful
 * restart. Then the paths stay, marked stale, until the
 * peer has said End-of-RIB in a new session, or did not keep its forwarding
 * state, or its restart time is over. A peer that went silent (hold timer, BFD) gets
 * no such credit: the way to it may well be a black hole.
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

static void peer_synced(struct peer *peer)
{
	loop_timer_stop(peer->quiet_timer);
	if (peer->synced)
		return;
	peer->synced = true;
	restart_check(peer->gateway);
}

static void peer_stale_end(struct peer *peer)
{
	loop_timer_stop(peer->stale_timer);
	peer->stale = false;
	peer->owner->judge(peer);
}

static void peer_stale_expired(void *ctx)
{
	struct peer *peer = ctx;

	log_warning(peer_name(peer),
		    "peer did not finish its restart in time, stale paths go");
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		rib_source_sweep_stale(peer->source, family_of[afi]);
	peer_stale_end(peer);
	gateway_kick(peer->gateway);
}

static void peer_refresh_stop(struct peer *peer)
{
	loop_timer_stop(peer->refresh_timer);
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		peer->refreshing[afi] = false;
}

static void peer_refresh_expired(void *ctx)
{
	struct peer *peer = ctx;

	log_warning(peer_name(peer),
		    "peer did not finish its route refresh in time, what it did not repeat goes");
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		if (peer->refreshing[afi])
			rib_source_sweep_stale(peer->source, family_of[afi]);
	peer_refresh_stop(peer);
	gateway_kick(peer->gateway);
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

void peer_tell(struct peer *peer)
{
	const struct session_info *info = peer->session ? session_info(peer->session) : NULL;

	if (!peer->untold || !info || info->state != SESSION_ESTABLISHED ||
	    transit_holds(peer->gateway))
		return;
	peer->untold = false;
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		if (!info->afi[afi])
			continue;
		advertise_all(peer, afi);
		session_end_of_rib(peer->session, afi);
	}
}

static void peer_established(void *ctx)
{
	struct peer *peer = ctx;
	const struct session_info *info = session_info(peer->session);

	log_info(peer_name(peer), "BGP established, hold time %u s, graceful restart %s",
		 info->hold_time, info->graceful_restart ? "yes" : "no");
	peer->owner->changed(peer, true);
	history_note(peer->gateway, TIMELINE_BGP_UP, peer_name(peer), "hold time %u s",
		     info->hold_time);
	rib_source_set_router_id(peer->source, info->peer_id);
	peer->synced = false;
	peer->had_session = true;
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		bool kept = info->afi[afi] && info->graceful_restart && info->peer_forwarding[afi];

		if (peer->stale && !kept)
			rib_source_sweep_stale(peer->source, family_of[afi]);
	}
	peer->untold = true;
	peer_tell(peer);
	if (!info->graceful_restart)
		loop_timer_start(peer->quiet_timer, QUIET_MS);
	gateway_kick(peer->gateway);
}

/* A second restart before the first was over gets no more credit (RFC 4724 4.2). */
static void peer_keep_stale(struct peer *peer, const struct session_info *info)
{
	if (peer->stale)
		rib_source_mark_stale(peer->source);
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		/* Not mark_stale(): what a refresh marked has not been stale before. */
		rib_source_mark_refresh(peer->source, family_of[afi]);
		if (!info->peer_restart_afi[afi])
			rib_source_sweep_stale(peer->source, family_of[afi]);
	}
	peer->stale = true;
	loop_timer_start(peer->stale_timer, info->peer_restart_time * 1000ull);
}

static void peer_tell_down(struct peer *peer, const struct session_info *info)
{
	const char *why = info->last_error[0] ? info->last_error : "connection lost";
	bool kept = info->down_graceful && info->peer_restart_time;
	const char *name = peer_name(peer);
	size_t accepted = 0, rejected = 0;

	log_warning(name, "BGP down: %s", why);
	history_note(peer->gateway, TIMELINE_BGP_DOWN, name, "%s", why);
	rib_source_counters(peer->source, &accepted, &rejected);
	if (kept)
		history_note(peer->gateway, TIMELINE_ROUTES, name,
			     "none: %zu paths are kept for at most %u s", accepted,
			     info->peer_restart_time);
	else
		history_note(peer->gateway, TIMELINE_ROUTES, name, "%zu paths", accepted);
	peer->owner->changed(peer, !kept);
}

static void peer_down(void *ctx, enum session_down_reason reason)
{
	struct peer *peer = ctx;
	const struct session_info *info = session_info(peer->session);

	peer_tell_down(peer, info);
	peer->untold = false;
	loop_timer_stop(peer->quiet_timer);
	peer->synced = false;
	peer_refresh_stop(peer);
	if (info->down_graceful && info->peer_restart_time) {
		peer_keep_stale(peer, info);
	} else {
		rib_source_flush(peer->source);
		peer_stale_end(peer);
	}
	gateway_kick(peer->gateway);
	restart_check(peer->gateway);
}

static void peer_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct peer *peer = ctx;

	if (rib_announce(peer->source, prefix, attrs)) {
		char text[PREFIX_STRLEN];

		/* What cannot be kept must not be half kept: the old path would be a lie. */
		rib_withdraw(peer->source, prefix);
		log_error(peer_name(peer), "out of memory, path for %s lost for now",
			  prefix_format(prefix, text, sizeof(text)));
		peer->relearn = true;
		gateway_look_soon(peer->gateway, CATCH_UP_MS);
	}
}

static void peer_withdraw(void *ctx, const struct prefix *prefix)
{
	struct peer *peer = ctx;

	rib_withdraw(peer->source, prefix);
}

static void peer_expect(void *ctx, const struct prefix *prefix)
{
	const struct peer *peer = ctx;

	rib_expect(peer->transit ? peer->gateway->domain : peer->gateway->rib, prefix);
}

static void peer_update_end(void *ctx)
{
	struct peer *peer = ctx;

	if (loop_timer_pending(peer->quiet_timer))
		loop_timer_start(peer->quiet_timer, QUIET_MS);
	gateway_kick(peer->gateway);
}

static void peer_end_of_rib(void *ctx, enum session_afi afi)
{
	struct peer *peer = ctx;

	rib_source_sweep_stale(peer->source, family_of[afi]);
	gateway_kick(peer->gateway);
	if (peer_all_eor(session_info(peer->session))) {
		peer_stale_end(peer);
		peer_synced(peer);
	}
}

static void peer_refresh(void *ctx, enum session_afi afi)
{
	advertise_all(ctx, afi);
}

static void peer_refresh_begin(void *ctx, enum session_afi afi)
{
	struct peer *peer = ctx;

	rib_source_mark_refresh(peer->source, family_of[afi]);
	peer->refreshing[afi] = true;
	loop_timer_start(peer->refresh_timer, REFRESH_MS);
}

/* RFC 7313 4: an end without a beginning means nothing. */
static void peer_refresh_end(void *ctx, enum session_afi afi)
{
	struct peer *peer = ctx;

	if (!peer->refreshing[afi])
		return;
	peer->refreshing[afi] = false;
	rib_source_sweep_stale(peer->source, family_of[afi]);
	if (!peer->refreshing[SESSION_IPV4] && !peer->refreshing[SESSION_IPV6])
		loop_timer_stop(peer->refresh_timer);
	gateway_kick(peer->gateway);
}

static const char *peer_accept_open(void *ctx, uint32_t peer_as, uint32_t peer_id)
{
	const struct peer *peer = ctx;

	(void)peer_as;
	/* Rule 15: gateways of one domain do not peer with each other. */
	if (peer_id == peer->gateway->router_id)
		return "router-id is that of this gateway";
	return NULL;
}

static const struct session_ops peer_ops = {
	.established = peer_established,
	.down = peer_down,
	.route = peer_route,
	.withdraw = peer_withdraw,
	.update_end = peer_update_end,
	.expect = peer_expect,
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

/* What fits into the way to the peer: a larger segment is lost wherever nobody may say so. */
static uint16_t peer_mss(const struct peer_facts *facts)
{
	bool v6 = facts->remote.family == AF_INET6;

	if (facts->bgp->tcp_mss)
		return facts->bgp->tcp_mss;
	if (facts->mtu < MTU_MIN || facts->mtu > 32767)
		return 0;
	return (uint16_t)(facts->mtu - (v6 ? TCP_HEADERS6 : TCP_HEADERS4));
}

/* Everything that a session can take over while it runs. */
static void peer_tuning(const struct peer_facts *facts, struct session_config *config)
{
	const struct config_bgp *bgp = facts->bgp;

	config->passive = bgp->passive;
	config->connect_retry = bgp->connect_retry;
	config->send_hold = bgp->send_hold;
	config->delay_open = bgp->delay_open;
	config->rest_max = bgp->idle_hold_max;
	config->tcp_mss = peer_mss(facts);
}

static struct session *peer_session(struct peer *peer, const struct peer_facts *facts,
				    const char *key)
{
	const struct config_bgp *bgp = facts->bgp;
	struct gateway *gateway = peer->gateway;
	struct session_config config = {
		.name = facts->name,
		.local_as = gateway->config->gateway.local_asn,
		.peer_as = facts->remote_as,
		.router_id = gateway->router_id,
		.local = facts->local,
		.peer = facts->remote,
		.device = facts->device,
		.hold_time = bgp->hold_time,
		.keepalive = bgp->keepalive,
		.ttl = bgp->ttl,
		.gtsm = bgp->gtsm,
		.md5 = key,
		.afi = {[SESSION_IPV4] = bgp->ipv4, [SESSION_IPV6] = bgp->ipv6},
		.restart_time = gateway->config->gateway.restart_time,
		.restarting = gateway->kept_forwarding,
		.forwarding_kept = gateway->kept_forwarding || peer->had_session,
		.extended_message = bgp->extended_messages,
		.extended_next_hop = bgp->ipv4 && facts->remote.family == AF_INET6,
		.graceful_notification = bgp->graceful_notification,
	};

	peer_tuning(facts, &config);

	if (bgp->ipv6 && config.local.family == AF_INET)
		config.next_hop6 = peer_mapped(&config.local);
	return session_new(gateway->loop, &config, &peer_ops, peer);
}

static void peer_link(struct peer *peer)
{
	struct peer **tail = &peer->gateway->peers;

	while (*tail)
		tail = &(*tail)->next;
	peer->next = NULL;
	*tail = peer;
}

static void peer_unlink(struct peer *peer)
{
	struct peer **link = &peer->gateway->peers;

	while (*link && *link != peer)
		link = &(*link)->next;
	if (*link)
		*link = peer->next;
}

const char *peer_name(const struct peer *peer)
{
	return peer->owner->facts(peer).name;
}

int peer_create(struct peer *peer)
{
	struct rib_source_config source;

	if (!peer->owner->facts(peer).bgp)
		return 0;
	source = peer->owner->source(peer);
	peer->source = rib_source_add(peer->transit ? peer->gateway->domain : peer->gateway->rib,
				      &source);
	if (peer->source)
		rib_source_set_drained(peer->source, peer->owner->drained(peer));
	peer->stale_timer = loop_timer_new(peer->gateway->loop, peer_stale_expired, peer);
	peer->quiet_timer = loop_timer_new(peer->gateway->loop, peer_quiet, peer);
	peer->refresh_timer = loop_timer_new(peer->gateway->loop, peer_refresh_expired, peer);
	peer_link(peer);
	if (peer->source && peer->stale_timer && peer->quiet_timer && peer->refresh_timer)
		return 0;
	peer_destroy(peer, 0, NULL);
	return -ENOMEM;
}

void peer_destroy(struct peer *peer, uint8_t cease_subcode, const char *text)
{
	if (peer->session && peer->started)
		session_stop(peer->session, cease_subcode, text);
	session_free(peer->session);
	peer->session = NULL;
	peer->started = false;
	loop_timer_free(peer->stale_timer);
	loop_timer_free(peer->quiet_timer);
	loop_timer_free(peer->refresh_timer);
	peer->stale_timer = NULL;
	peer->refresh_timer = NULL;
	peer->quiet_timer = NULL;
	if (peer->source)
		rib_source_remove(peer->source);
	peer->source = NULL;
	peer_unlink(peer);
	history_settle(peer->gateway, TIMELINE_BGP_UP, peer_name(peer),
		       "no session is wanted any more");
}

/*
 * Only now is it known whether forwarding was kept (the F bits), and a key file
 * may appear after us. Not before the gateway's device is there: who hears us sends
 * packets.
 */
void peer_start(struct peer *peer)
{
	struct peer_facts facts = peer->owner->facts(peer);
	const struct config_bgp *bgp = facts.bgp;
	char key[81] = "", error[160];

	if (!bgp || peer->started || !facts.ready || !peer->gateway->bound ||
	    !peer->gateway->routes_synced || !peer->owner->allows(peer))
		return;
	if (bgp->md5_file && !peer_read_key(bgp->md5_file, key, sizeof(key))) {
		snprintf(error, sizeof(error), "%.120s: no BGP key in this file", bgp->md5_file);
		log_error(facts.name, "%s", error);
		peer->owner->fail(peer, error);
		gateway_look_soon(peer->gateway, 5000);
		return;
	}
	peer->session = peer_session(peer, &facts, bgp->md5_file ? key : NULL);
	explicit_bzero(key, sizeof(key));
	if (!peer->session) {
		log_error(peer_name(peer), "out of memory, no BGP session");
		return;
	}
	peer->started = true;
	session_start(peer->session);
}

void peer_retune(struct peer *peer)
{
	struct peer_facts facts = peer->owner->facts(peer);
	struct session_config config = {0};

	if (!peer->session || !facts.bgp)
		return;
	peer_tuning(&facts, &config);
	session_retune(peer->session, &config);
}

void peer_catch_up(struct peer *peer)
{
	const struct session_info *info = peer->session ? session_info(peer->session) : NULL;
	bool relearn = peer->relearn, retell = peer->retell;

	peer->relearn = peer->retell = false;
	if (!info || info->state != SESSION_ESTABLISHED)
		return; /* a new session tells everything */
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		if (retell && info->afi[afi])
			advertise_all(peer, afi);
		if (relearn && info->afi[afi] && session_request_refresh(peer->session, afi)) {
			peer->relearn = info->refresh;
			gateway_look_soon(peer->gateway, CATCH_UP_MS);
		}
	}
}

/*
 * RFC 5882 4.3: also a restart of the peer that is under way is given up. Without
 * "strict" BGP may try again at once; it finds out by itself whether it can.
 */
void peer_path_failed(struct peer *peer)
{
	if (!peer->started)
		return;
	session_stop(peer->session, SESSION_CEASE_BFD_DOWN, NULL);
	if (peer->stale) {
		rib_source_flush(peer->source);
		peer_stale_end(peer);
		gateway_kick(peer->gateway);
	}
	if (peer->owner->allows(peer))
		session_start(peer->session);
}

void peer_refuse(struct peer *peer)
{
	if (!peer->started)
		return;
	session_stop(peer->session, SESSION_CEASE_SHUTDOWN, peer->gateway->bgp_refused);
	session_free(peer->session);
	peer->session = NULL;
	peer->started = false;
	loop_timer_stop(peer->quiet_timer);
	peer_refresh_stop(peer);
	rib_source_flush(peer->source);
	peer_stale_end(peer);
	gateway_kick(peer->gateway);
}

void peer_path_good(struct peer *peer)
{
	if (!peer->started) {
		peer_start(peer);
		return;
	}
	if (!peer->owner->allows(peer))
		return;
	session_start(peer->session);
	session_kick(peer->session);
}
