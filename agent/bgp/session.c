// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a session: when to listen, connect, wait and try again, and what its
 * owner is told.
 *
 * Waiting: a session that has no connection tries again after connect_retry.
 * Peers that end the session by NOTIFICATION time and again get a growing
 * rest, in which incoming connections are refused too (RFC 4271 8.1.1,
 * DampPeerOscillations); a session that stayed up for a while clears it.
 */
#include "bgp/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bgp/fsm.h"
#include "lib/log.h"

#define CONNECT_RETRY_DEFAULT 10
#define REST_MAX_DEFAULT 60
/* A session that was up this long was a good one. */
#define STABLE_MS 60000

static const char *const state_names[] = {
	[SESSION_IDLE] = "idle",
	[SESSION_CONNECT] = "connect",
	[SESSION_ACTIVE] = "active",
	[SESSION_OPEN_SENT] = "open-sent",
	[SESSION_OPEN_CONFIRM] = "open-confirm",
	[SESSION_ESTABLISHED] = "established",
};

const char *session_state_name(enum session_state state)
{
	if ((size_t)state >= sizeof(state_names) / sizeof(state_names[0]))
		return "unknown";
	return state_names[state];
}

const char *session_path_name(enum session_path path)
{
	static const char *const names[] = {
		[SESSION_PATH_GOOD] = "good",
		[SESSION_PATH_STUCK] = "stuck",
		[SESSION_PATH_UNREAD] = "peer-does-not-read",
		[SESSION_PATH_BIG_LOST] = "big-packets-lost",
	};

	return (size_t)path < sizeof(names) / sizeof(names[0]) ? names[path] : "unknown";
}

const struct session_info *session_info(const struct session *s)
{
	return &s->info;
}

void session_transport_config(const struct session *s, struct transport_config *out)
{
	const struct session_config *config = &s->config;

	*out = (struct transport_config){
		.local = config->local,
		.peer = config->peer,
		.device = config->device,
		.port = config->port,
		.ttl = config->ttl,
		.gtsm = config->gtsm,
		.md5 = config->md5,
		.mss = config->tcp_mss,
		.user_timeout = config->hold_time * 1000u,
	};
}

static struct addr session_next_hop(const struct session *s, const struct addr *local,
				    enum session_afi afi)
{
	static const struct addr none;

	if (afi == SESSION_IPV4)
		return local->family == AF_INET || s->config.extended_next_hop ? *local : none;
	if (addr_is_set(&s->config.next_hop6))
		return s->config.next_hop6;
	return local->family == AF_INET6 ? *local : none;
}

bool session_offers(const struct session *s, enum session_afi afi)
{
	/* An address that the kernel chooses has the peer's family. */
	const struct addr *local = addr_is_set(&s->config.local) ? &s->config.local :
								   &s->config.peer;
	struct addr next_hop = session_next_hop(s, local, afi);

	return s->config.afi[afi] && addr_is_set(&next_hop);
}

bool session_shares(const struct session *s, const struct bgp_open *sent,
		    const struct bgp_open *open, enum session_afi afi)
{
	if (!sent->afi[afi] || !open->afi[afi])
		return false;
	return afi != SESSION_IPV4 || s->config.peer.family == AF_INET ||
	       (sent->next_hop6 && open->next_hop6);
}

/* xorshift: spreads timers, nothing more. */
uint64_t session_jitter(struct session *s, uint64_t ms)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return ms * 3 / 4 + ms / 4 * (s->random % 1025) / 1024;
}

void session_set_state(struct session *s)
{
	static const enum session_state of_conn[] = {
		[CONN_NONE] = SESSION_ACTIVE,
		[CONN_CONNECTING] = SESSION_CONNECT,
		[CONN_DELAYED] = SESSION_CONNECT,
		[CONN_OPEN_SENT] = SESSION_OPEN_SENT,
		[CONN_OPEN_CONFIRM] = SESSION_OPEN_CONFIRM,
		[CONN_ESTABLISHED] = SESSION_ESTABLISHED,
	};
	enum conn_state best = CONN_NONE;
	enum session_state state;

	for (int i = 0; i < SESSION_CONNS; i++)
		if (s->conns[i].state > best)
			best = s->conns[i].state;
	state = of_conn[best];
	if (best == CONN_NONE && (!s->running || s->holding))
		state = SESSION_IDLE;
	if ((state == SESSION_ESTABLISHED) != (s->info.state == SESSION_ESTABLISHED))
		s->info.since = loop_now(s->loop);
	s->info.state = state;
}

void session_trouble(struct session *s, const char *fmt, ...)
{
	char text[sizeof(s->logged[0])];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(s->info.last_error, text, sizeof(text));
	for (int i = 0; i < SESSION_LOGGED; i++)
		if (!strcmp(text, s->logged[i]))
			return;
	memcpy(s->logged[s->n_logged++ % SESSION_LOGGED], text, sizeof(text));
	log_warning(s->config.name, "BGP: %s", text);
}

void session_note_notification(struct session *s, const struct bgp_error *error, bool sent,
			       bool hard)
{
	struct session_info *info = &s->info;
	char name[100], text[78];
	const char *more;

	info->last_code = error->code;
	info->last_subcode = error->subcode;
	info->last_sent = sent;
	info->last_hard = hard;
	bgp_error_text(error->code, error->subcode, name, sizeof(name));
	message_shutdown_text(error, info->shutdown_text, sizeof(info->shutdown_text));
	more = message_shutdown_text(error, text, sizeof(text));
	/* Our own errors have a reason that is not on the wire. */
	if (sent && error->code != BGP_ERROR_CEASE)
		more = error->reason;
	snprintf(info->last_error, sizeof(info->last_error), "%s%s: %.54s%s%.77s",
		 sent ? "we sent" : "the peer sent", hard ? " (hard reset)" : "", name,
		 *more ? ": " : "", more);
}

/* Waiting and trying */

static uint64_t session_retry_ms(struct session *s)
{
	uint16_t seconds = s->config.connect_retry;

	return session_jitter(s, (seconds ? seconds : CONNECT_RETRY_DEFAULT) * 1000ull);
}

static bool session_any(const struct session *s, enum conn_state least)
{
	for (int i = 0; i < SESSION_CONNS; i++)
		if (s->conns[i].state >= least)
			return true;
	return false;
}

static struct conn *session_free_conn(struct session *s)
{
	for (int i = 0; i < SESSION_CONNS; i++)
		if (s->conns[i].state == CONN_NONE)
			return &s->conns[i];
	return NULL;
}

static void session_accepted(void *ctx, int fd)
{
	struct session *s = ctx;
	struct conn *c;
	int error;

	if (s->holding) {
		close(fd);
		return;
	}
	/* A peer that connects again has given up what it began before. */
	for (int i = 0; i < SESSION_CONNS; i++) {
		c = &s->conns[i];
		if (c->state != CONN_NONE && !c->outgoing && c != s->up)
			conn_drop(c);
	}
	c = session_free_conn(s);
	if (!c) {
		close(fd);
		return;
	}
	if (!conn_accept(c, fd, &error)) {
		session_trouble(s, "cannot accept: %s", strerror(error));
		session_conn_gone(s, false, SESSION_DOWN_TRANSPORT, false);
	}
}

static void session_listen(struct session *s)
{
	struct transport_config config;
	int error;

	if (s->listener && listener_alive(s->listener))
		return;
	listener_leave(s->listener);
	session_transport_config(s, &config);
	s->listener = listener_join(s->loop, &config, session_accepted, s, &error);
	if (!s->listener)
		session_trouble(s, "cannot listen: %s", strerror(error));
}

static void session_connect(struct session *s)
{
	struct conn *c = session_free_conn(s);
	int error;

	if (!s->config.passive && c && !conn_connect(c, &error))
		session_trouble(s, "cannot connect: %s", strerror(error));
}

/* Now, and again later, unless a connection has got beyond TCP meanwhile. */
static void session_try(struct session *s)
{
	s->holding = false;
	session_listen(s);
	if (!session_any(s, CONN_DELAYED)) {
		for (int i = 0; i < SESSION_CONNS; i++)
			if (s->conns[i].state == CONN_CONNECTING)
				conn_drop(&s->conns[i]);
		session_connect(s);
		loop_timer_start(s->retry, session_retry_ms(s));
	}
	session_set_state(s);
}

static void session_retry_fired(void *ctx)
{
	session_try(ctx);
}

static bool session_was_stable(const struct session *s)
{
	return s->up && loop_now(s->loop) - s->info.since >= STABLE_MS;
}

void session_count_error(struct session *s, const struct bgp_error *error)
{
	s->plain = false;
	/* A peer that went silent is not one that refuses us. */
	if (error->code == BGP_ERROR_HOLD)
		return;
	if (session_was_stable(s))
		s->errors = 0;
	s->errors++;
	s->holding = s->errors > 1;
}

static uint64_t session_rest_ms(const struct session *s)
{
	uint64_t max = (s->config.rest_max ? s->config.rest_max : REST_MAX_DEFAULT) * 1000ull;
	unsigned int shift = s->errors - 1;
	uint64_t ms = shift >= 16 ? max : 1000ull << shift;

	return ms < max ? ms : max;
}

void session_conn_gone(struct session *s, bool was_up, enum session_down_reason reason,
		       bool graceful)
{
	if (was_up) {
		if (reason == SESSION_DOWN_TRANSPORT && session_was_stable(s))
			s->errors = 0;
		s->up = NULL;
		s->plain = false;
		s->info.down_graceful = graceful;
		s->info.path = SESSION_PATH_GOOD;
		s->info.unacked = s->info.mss = 0;
		outqueue_clear(s->queue);
	}
	if (s->running && !session_any(s, CONN_DELAYED)) {
		uint64_t ms = session_retry_ms(s);

		if (s->holding && session_rest_ms(s) > ms)
			ms = session_rest_ms(s);
		else
			s->holding = false;
		/* A failed connection must not put off the next attempt for ever. */
		if (was_up || s->holding || !loop_timer_pending(s->retry))
			loop_timer_start(s->retry, ms);
	}
	session_set_state(s);
	if (was_up && s->ops.down)
		s->ops.down(s->ctx, reason);
}

/* Established */

static void session_negotiated(struct session *s, const struct conn *c)
{
	const struct bgp_open *us = &c->sent, *them = &c->got;
	struct session_info *info = &s->info;

	info->hold_time = c->hold_time;
	info->keepalive = c->keepalive_time;
	info->peer_as = them->as;
	info->peer_id = them->id;
	info->as4 = us->as4 && them->as4;
	info->refresh = us->refresh && them->refresh;
	info->enhanced_refresh = us->enhanced_refresh && them->enhanced_refresh;
	info->extended_message = us->extended_message && them->extended_message;
	info->extended_next_hop = us->next_hop6 && them->next_hop6;
	info->graceful_restart = us->graceful_restart && them->graceful_restart;
	info->graceful_notification = us->graceful_notification && them->graceful_notification;
	info->peer_restarting = info->graceful_restart && them->restarting;
	info->peer_restart_time = info->graceful_restart ? them->restart_time : 0;
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		info->afi[afi] = session_shares(s, us, them, (enum session_afi)afi);
		info->peer_restart_afi[afi] = info->graceful_restart && them->gr_afi[afi];
		info->peer_forwarding[afi] = info->peer_restart_afi[afi] &&
					     them->gr_forwarding[afi];
		info->eor_received[afi] = info->eor_sent[afi] = false;
	}
	transport_addresses(c->transport, &info->local, &info->peer);
}

static void session_peer_set(struct session *s)
{
	const struct session_info *info = &s->info;

	s->peer = (struct attr_peer){
		.as4 = info->as4,
		.next_hop6 = info->extended_next_hop,
		.message_max = info->extended_message ? BGP_EXTENDED_MAX : BGP_MESSAGE_MAX,
		.internal = info->peer_as == s->config.local_as,
		.local_as = s->config.local_as,
		.router_id = s->config.router_id,
		.local = info->local,
		.remote = info->peer,
	};
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		s->peer.afi[afi] = info->afi[afi];
		s->peer.next_hop[afi] = session_next_hop(s, &info->local, (enum session_afi)afi);
	}
}

void session_up(struct session *s, struct conn *conn)
{
	struct bgp_error error;

	bgp_error_set(&error, BGP_ERROR_CEASE, BGP_CEASE_COLLISION, NULL, 0, "collision");
	for (int i = 0; i < SESSION_CONNS; i++)
		if (&s->conns[i] != conn && s->conns[i].state != CONN_NONE)
			conn_drop_with(&s->conns[i], &error, false);
	loop_timer_stop(s->retry);
	session_negotiated(s, conn);
	session_peer_set(s);
	s->up = conn;
	s->was_established = true;
	memset(s->logged, 0, sizeof(s->logged));
	s->info.established_count++;
	session_set_state(s);
	if (s->ops.established)
		s->ops.established(s->ctx);
}

/* What the owner does */

static char *copy_text(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		*failed = true;
	return copy;
}

static bool session_copy_config(struct session *s, const struct session_config *config)
{
	bool failed = false;

	s->config = *config;
	s->config.name = copy_text(config->name ? config->name : "bgp", &failed);
	s->config.device = copy_text(config->device, &failed);
	s->config.md5 = copy_text(config->md5, &failed);
	return !failed;
}

struct session *session_new(struct loop *loop, const struct session_config *config,
			    const struct session_ops *ops, void *ctx)
{
	struct session *s = calloc(1, sizeof(*s));
	bool good;

	if (!s)
		return NULL;
	s->loop = loop;
	s->ops = *ops;
	s->ctx = ctx;
	good = session_copy_config(s, config);
	s->queue = outqueue_new();
	s->retry = loop_timer_new(loop, session_retry_fired, s);
	good = good && s->queue && s->retry;
	for (int i = 0; i < SESSION_CONNS; i++)
		good = !conn_init(&s->conns[i], s) && good;
	if (!good) {
		session_free(s);
		return NULL;
	}
	if (getrandom(&s->random, sizeof(s->random), GRND_NONBLOCK) != sizeof(s->random) ||
	    !s->random)
		s->random = (uint32_t)(uintptr_t)s | 1;
	s->info.local = config->local;
	s->info.peer = config->peer;
	s->info.since = loop_now(loop);
	return s;
}

void session_retune(struct session *s, const struct session_config *config)
{
	s->config.passive = config->passive;
	s->config.connect_retry = config->connect_retry;
	s->config.send_hold = config->send_hold;
	s->config.delay_open = config->delay_open;
	s->config.rest_max = config->rest_max;
	if (s->config.tcp_mss == config->tcp_mss)
		return;
	s->config.tcp_mss = config->tcp_mss;
	/* Connections that come in have the size of their listener. */
	if (s->listener) {
		listener_leave(s->listener);
		s->listener = NULL;
		session_listen(s);
	}
}

void session_start(struct session *s)
{
	if (s->running)
		return;
	if (!session_offers(s, SESSION_IPV4) && !session_offers(s, SESSION_IPV6)) {
		session_trouble(s, "no address family that has a next hop to announce");
		return;
	}
	s->running = true;
	s->errors = 0;
	s->plain = false;
	memset(s->logged, 0, sizeof(s->logged));
	session_try(s);
}

void session_kick(struct session *s)
{
	if (s->running && !session_any(s, CONN_DELAYED))
		session_try(s);
}

/* RFC 8538 3.1: after these nothing of us comes back soon, so nothing of us is to be kept. */
static bool cease_is_hard(uint8_t subcode)
{
	return subcode != BGP_CEASE_RESET && subcode != BGP_CEASE_CONFIG_CHANGE &&
	       subcode != BGP_CEASE_RESOURCES;
}

void session_stop(struct session *s, uint8_t subcode, const char *text)
{
	bool was_up = s->up, hard = cease_is_hard(subcode);
	struct bgp_error error;

	if (!s->running)
		return;
	s->running = false;
	s->holding = false;
	loop_timer_stop(s->retry);
	listener_leave(s->listener);
	s->listener = NULL;
	message_shutdown_set(&error, subcode, text);
	for (int i = 0; i < SESSION_CONNS; i++) {
		if (s->conns[i].state == CONN_NONE)
			continue;
		if (subcode)
			conn_drop_with(&s->conns[i], &error, hard);
		else
			conn_drop(&s->conns[i]);
	}
	if (was_up && subcode)
		session_note_notification(s, &error, true,
					  hard && s->info.graceful_notification);
	else if (was_up)
		snprintf(s->info.last_error, sizeof(s->info.last_error), "stopped");
	session_conn_gone(s, was_up, SESSION_DOWN_STOPPED, false);
}

void session_free(struct session *s)
{
	if (!s)
		return;
	listener_leave(s->listener);
	for (int i = 0; i < SESSION_CONNS; i++)
		conn_release(&s->conns[i]);
	loop_timer_free(s->retry);
	outqueue_free(s->queue);
	if (s->config.md5)
		explicit_bzero((char *)s->config.md5, strlen(s->config.md5));
	free((char *)s->config.md5);
	free((char *)s->config.name);
	free((char *)s->config.device);
	free(s);
}

/* Sending */

static int session_put(struct session *s, const struct prefix *prefix, const struct attrs *attrs)
{
	enum session_afi afi = prefix->addr.family == AF_INET ? SESSION_IPV4 : SESSION_IPV6;
	int ret;

	if (!s->up)
		return -ENOTCONN;
	if (!s->info.afi[afi])
		return -EAFNOSUPPORT;
	ret = outqueue_put(s->queue, prefix, attrs);
	if (!ret)
		conn_want_write(s->up);
	return ret;
}

int session_announce(struct session *s, const struct prefix *prefix, const struct attrs *attrs)
{
	return session_put(s, prefix, attrs);
}

int session_withdraw(struct session *s, const struct prefix *prefix)
{
	return session_put(s, prefix, NULL);
}

void session_end_of_rib(struct session *s, enum session_afi afi)
{
	if (!s->up || !s->info.afi[afi])
		return;
	outqueue_set_mark(s->queue, afi, OUTQUEUE_END_OF_RIB);
	conn_want_write(s->up);
}

int session_request_refresh(struct session *s, enum session_afi afi)
{
	if (!s->up)
		return -ENOTCONN;
	if (!s->info.refresh || !s->info.afi[afi])
		return -EOPNOTSUPP;
	return conn_send_refresh(s->up, afi, BGP_REFRESH_REQUEST) ? 0 : -ENOBUFS;
}

size_t session_backlog(const struct session *s)
{
	return s->up ? transport_pending(s->up->transport) + outqueue_bytes(s->queue) : 0;
}
