// SPDX-License-Identifier: GPL-2.0-only
/*
 * One connection of a session, from TCP to established (RFC 4271 8).
 *
 * Any message handler may end the connection, by an error or because a callback
 * stopped the session; the loop over received messages asks conn_is() after
 * each one whether its transport is still the connection's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/fsm.h"
#include "bgp/update.h"
#include "lib/log.h"

/* RFC 4271 8.2.2: large while waiting for OPEN. */
#define OPEN_HOLD_MS (240 * 1000)
/* The hold timer's second look, when bytes wait that were not yet read. */
#define HOLD_AGAIN_MS 1000
#define MALFORMED_LOG_MS 10000
/* How often TCP is looked at while something is not acknowledged, and what is long for that. */
#define LOOK_MS 1000
#define STALL_MS 3000
/* Retransmissions in a row that are no chance. */
#define STALL_RETRIES 2

static const struct transport_ops conn_transport_ops;

static bool conn_is(const struct conn *c, const struct transport *t)
{
	return c->transport == t;
}

static void conn_timers_stop(struct conn *c)
{
	loop_timer_stop(c->hold);
	loop_timer_stop(c->keepalive);
	loop_timer_stop(c->send_hold);
	loop_timer_stop(c->look);
}

void conn_drop(struct conn *c)
{
	struct transport *t = c->transport;

	conn_timers_stop(c);
	c->transport = NULL;
	c->state = CONN_NONE;
	if (t)
		transport_close(t);
}

/* Room for one message; encode into what is returned, then conn_commit(). */
static bool conn_begin(struct conn *c, struct cursor_out *out)
{
	uint8_t *p = transport_reserve(c->transport, BGP_MESSAGE_MAX);

	if (p)
		*out = cursor_out_make(p, BGP_MESSAGE_MAX);
	return p;
}

/* RFC 9687: runs while bytes wait and none of them goes. */
static void conn_send_hold_check(struct conn *c)
{
	uint64_t sent = transport_sent(c->transport);
	uint32_t seconds = c->session->config.send_hold;

	if (c->state != CONN_ESTABLISHED || !c->hold_time || !transport_pending(c->transport)) {
		loop_timer_stop(c->send_hold);
		return;
	}
	if (loop_timer_pending(c->send_hold) && sent == c->sent_seen)
		return;
	if (!seconds)
		seconds = c->hold_time > 240 ? 2u * c->hold_time : 480u;
	c->sent_seen = sent;
	loop_timer_start(c->send_hold, seconds * 1000ull);
}

static void conn_commit(struct conn *c, size_t len)
{
	c->session->info.messages_out++;
	transport_commit(c->transport, len);
	conn_send_hold_check(c);
	if (c->state == CONN_ESTABLISHED && !loop_timer_pending(c->look))
		loop_timer_start(c->look, LOOK_MS);
}

/* RFC 8538: both sides know the N bit, and with it Hard Reset. */
static bool conn_graceful(const struct conn *c)
{
	return c->state >= CONN_OPEN_CONFIRM && c->sent.graceful_notification &&
	       c->got.graceful_notification;
}

void conn_drop_with(struct conn *c, const struct bgp_error *error, bool hard)
{
	struct transport *t = c->transport;
	struct bgp_error wrapped;
	struct cursor_out out;

	if (hard && conn_graceful(c)) {
		wrapped = *error;
		message_hard_reset_wrap(&wrapped);
		error = &wrapped;
	}
	if (c->state < CONN_OPEN_SENT || !conn_begin(c, &out)) {
		conn_drop(c);
		return;
	}
	message_notification_encode(&out, error);
	conn_timers_stop(c);
	c->session->info.messages_out++;
	c->transport = NULL;
	c->state = CONN_NONE;
	transport_commit(t, out.len);
	transport_finish(t);
}

void conn_fail(struct conn *c, const struct bgp_error *error, enum session_down_reason reason)
{
	struct session *s = c->session;
	/* Who is silent may be cut off: what both keep for it would be a black hole. */
	bool was_up = s->up == c, graceful = conn_graceful(c), hard = reason == SESSION_DOWN_HOLD;

	session_note_notification(s, error, true, hard && graceful);
	if (!was_up)
		session_trouble(s, "%s", s->info.last_error);
	conn_drop_with(c, error, hard);
	session_count_error(s, error);
	session_conn_gone(s, was_up, reason, graceful && !hard);
}

void conn_lost(struct conn *c, enum session_down_reason reason, bool graceful)
{
	struct session *s = c->session;
	bool was_up = s->up == c;

	conn_drop(c);
	session_conn_gone(s, was_up, reason, graceful);
}

/* OPEN */

static void conn_open_fill(const struct session *s, struct bgp_open *open)
{
	memset(open, 0, sizeof(*open));
	open->as = s->config.local_as;
	open->id = s->config.router_id;
	open->hold_time = s->config.hold_time;
	open->no_capabilities = s->plain;
	if (s->plain) {
		open->afi[SESSION_IPV4] = true;
		return;
	}
	open->as4 = open->refresh = true;
	open->extended_message = s->config.extended_message;
	open->enhanced_refresh = s->ops.refresh_begin && s->ops.refresh_end;
	open->next_hop6 = s->config.extended_next_hop && s->config.afi[SESSION_IPV4] &&
			  s->config.peer.family == AF_INET6;
	open->graceful_restart = s->config.restart_time;
	open->graceful_notification = open->graceful_restart && s->config.graceful_notification;
	open->restart_time = s->config.restart_time;
	if (open->restart_time > BGP_GR_TIME_MASK)
		open->restart_time = BGP_GR_TIME_MASK;
	open->restarting = s->config.restarting && !s->was_established;
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		open->afi[afi] = session_offers(s, (enum session_afi)afi);
		open->gr_afi[afi] = open->afi[afi];
		/* A process that runs on has not lost what it forwards by. */
		open->gr_forwarding[afi] = s->config.forwarding_kept || s->was_established;
	}
}

static void conn_send_open(struct conn *c)
{
	struct cursor_out out;

	c->state = CONN_OPEN_SENT;
	loop_timer_stop(c->session->retry);
	loop_timer_start(c->hold, OPEN_HOLD_MS);
	session_set_state(c->session);
	conn_open_fill(c->session, &c->sent);
	/* The buffer of a new connection is empty. */
	if (!conn_begin(c, &out))
		return;
	message_open_encode(&out, &c->sent);
	conn_commit(c, out.len);
}

/* TCP is there. DelayOpen (RFC 4271 8.1.1): the peer may speak first, for so long. */
static void conn_begin_open(struct conn *c)
{
	uint16_t delay = c->session->config.delay_open;

	if (!delay) {
		conn_send_open(c);
		return;
	}
	c->state = CONN_DELAYED;
	loop_timer_stop(c->session->retry);
	loop_timer_start(c->hold, delay * 1000ull);
	session_set_state(c->session);
}

bool conn_connect(struct conn *c, int *error)
{
	struct transport_config config;

	session_transport_config(c->session, &config);
	c->transport = transport_connect(c->session->loop, &config, &conn_transport_ops, c, error);
	if (!c->transport)
		return false;
	c->outgoing = true;
	c->state = CONN_CONNECTING;
	return true;
}

bool conn_accept(struct conn *c, int fd, int *error)
{
	struct transport_config config;

	session_transport_config(c->session, &config);
	c->transport = transport_accepted(c->session->loop, fd, &config, &conn_transport_ops, c,
					  error);
	if (!c->transport)
		return false;
	c->outgoing = false;
	conn_begin_open(c);
	return true;
}

static void conn_connected(void *ctx)
{
	conn_begin_open(ctx);
}

static void conn_send_keepalive(struct conn *c)
{
	struct cursor_out out;

	/* No room means that enough else is on its way. */
	if (!conn_begin(c, &out))
		return;
	message_keepalive_encode(&out);
	conn_commit(c, out.len);
}

static void conn_keepalive_start(struct conn *c)
{
	if (c->hold_time)
		loop_timer_start(c->keepalive,
				 session_jitter(c->session, c->keepalive_time * 1000ull));
}

static void conn_hold_start(struct conn *c)
{
	if (c->hold_time)
		loop_timer_start(c->hold, c->hold_time * 1000ull);
	else
		loop_timer_stop(c->hold);
}

/* RFC 4271 6.2, RFC 6286: who may be our peer. */
static bool conn_open_check(struct conn *c, const struct bgp_open *open, struct bgp_error *error)
{
	const struct session_config *config = &c->session->config;
	const char *refusal;

	if (!open->as || (config->peer_as && open->as != config->peer_as))
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_PEER_AS, NULL, 0,
				     "peer is AS %u, not %u", open->as, config->peer_as);
	if (!open->id || (open->id == config->router_id && open->as == config->local_as))
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_ID, NULL, 0,
				     "BGP identifier %u.%u.%u.%u", open->id >> 24,
				     open->id >> 16 & 255, open->id >> 8 & 255, open->id & 255);
	if (open->hold_time == 1 || open->hold_time == 2)
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_HOLD_TIME, NULL, 0,
				     "hold time %u s", open->hold_time);
	if (!session_shares(c->session, &c->sent, open, SESSION_IPV4) &&
	    !session_shares(c->session, &c->sent, open, SESSION_IPV6)) {
		/* The capability that was missed: code, length, family. */
		uint16_t afi = message_afi(c->sent.afi[SESSION_IPV4] ? SESSION_IPV4 : SESSION_IPV6);
		uint8_t data[6] = { BGP_CAP_MULTIPROTOCOL, 4, 0, (uint8_t)afi, 0,
				    BGP_SAFI_UNICAST };

		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_CAPABILITY, data,
				     sizeof(data), "no address family in common");
	}
	refusal = c->session->ops.accept_open ?
		  c->session->ops.accept_open(c->session->ctx, open->as, open->id) : NULL;
	if (refusal) {
		message_shutdown_set(error, BGP_CEASE_REJECTED, refusal);
		return false;
	}
	return true;
}

static void collision_error(struct bgp_error *error)
{
	bgp_error_set(error, BGP_ERROR_CEASE, BGP_CEASE_COLLISION, NULL, 0, "collision");
}

/* The connection of the speaker with the higher identifier stays (RFC 4271 6.8, RFC 6286). */
static bool conn_loses(const struct conn *c, const struct bgp_open *open)
{
	const struct session_config *config = &c->session->config;
	bool ours = config->router_id != open->id ? config->router_id > open->id :
						    config->local_as > open->as;

	return c->outgoing != ours;
}

/* False: c is gone. */
static bool conn_collide(struct conn *c)
{
	struct session *s = c->session;
	struct transport *t = c->transport;
	struct bgp_error error;

	collision_error(&error);
	for (int i = 0; i < SESSION_CONNS; i++) {
		struct conn *o = &s->conns[i], *loser;

		if (o == c || o->state < CONN_OPEN_CONFIRM)
			continue;
		if (o->state == CONN_ESTABLISHED && s->info.graceful_restart) {
			/* RFC 4724 4.2: the peer restarted and we had not noticed. */
			snprintf(s->info.last_error, sizeof(s->info.last_error),
				 "the peer connected anew");
			conn_lost(o, SESSION_DOWN_TRANSPORT, true);
			if (!conn_is(c, t))
				return false;
			continue;
		}
		loser = o->state == CONN_ESTABLISHED || conn_loses(c, &c->got) ? c : o;
		conn_drop_with(loser, &error, false);
		if (loser != c)
			continue;
		session_conn_gone(s, false, SESSION_DOWN_NOTIFICATION_OUT, false);
		return false;
	}
	return true;
}

static void conn_negotiate_time(struct conn *c)
{
	const struct session_config *config = &c->session->config;
	uint16_t hold = c->got.hold_time < config->hold_time ? c->got.hold_time : config->hold_time;

	c->hold_time = hold;
	c->keepalive_time = hold / 3;
	if (config->keepalive && config->keepalive < c->keepalive_time)
		c->keepalive_time = config->keepalive;
}

static bool conn_extended(const struct conn *c)
{
	return c->state >= CONN_OPEN_CONFIRM && c->sent.extended_message &&
	       c->got.extended_message;
}

/* False: c is gone. */
static bool conn_negotiate_size(struct conn *c)
{
	struct bgp_error error;

	if (!c->sent.extended_message || !c->got.extended_message ||
	    transport_message_max(c->transport, BGP_EXTENDED_MAX))
		return true;
	bgp_error_set(&error, BGP_ERROR_CEASE, BGP_CEASE_RESOURCES, NULL, 0,
		      "no memory for extended messages");
	conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
	return false;
}

static void conn_receive_open(struct conn *c, struct cursor body)
{
	struct transport *t = c->transport;
	struct bgp_error error;
	bool good;

	if (c->state != CONN_OPEN_SENT) {
		bgp_error_set(&error, BGP_ERROR_FSM,
			      c->state == CONN_OPEN_CONFIRM ? BGP_FSM_OPEN_CONFIRM :
							      BGP_FSM_ESTABLISHED,
			      (uint8_t[]){ BGP_OPEN }, 1, "OPEN was not expected");
		conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
		return;
	}
	good = message_open_decode(body, &c->got, &error) && conn_open_check(c, &c->got, &error);
	/* accept_open() may have stopped the session. */
	if (!conn_is(c, t))
		return;
	if (!good) {
		conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
		return;
	}
	if (!conn_collide(c))
		return;
	if (!conn_negotiate_size(c))
		return;
	conn_negotiate_time(c);
	c->state = CONN_OPEN_CONFIRM;
	conn_send_keepalive(c);
	conn_keepalive_start(c);
	conn_hold_start(c);
	session_set_state(c->session);
}

static void conn_receive_keepalive(struct conn *c)
{
	struct bgp_error error;

	c->heard = true;
	if (c->state == CONN_OPEN_SENT) {
		bgp_error_set(&error, BGP_ERROR_FSM, BGP_FSM_OPEN_SENT,
			      (uint8_t[]){ BGP_KEEPALIVE }, 1, "KEEPALIVE before OPEN");
		conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
	} else if (c->state == CONN_OPEN_CONFIRM) {
		c->state = CONN_ESTABLISHED;
		session_up(c->session, c);
	}
}

/* RFC 4271 6.5 and what RFC 5492 3 has an old peer say about capabilities. */
static void conn_receive_notification(struct conn *c, struct cursor body)
{
	struct session *s = c->session;
	bool was_up = s->up == c, hard, graceful;
	struct bgp_error error;

	if (!message_notification_decode(body, &error)) {
		conn_lost(c, SESSION_DOWN_NOTIFICATION_IN, false);
		return;
	}
	hard = message_hard_reset_unwrap(&error);
	graceful = conn_graceful(c) && !hard;
	session_note_notification(s, &error, false, hard);
	if (error.code == BGP_ERROR_CEASE && error.subcode == BGP_CEASE_COLLISION && !was_up) {
		/* The way things go when both sides connect; the other connection lives. */
		conn_lost(c, SESSION_DOWN_NOTIFICATION_IN, false);
		return;
	}
	if (!was_up)
		session_trouble(s, "%s", s->info.last_error);
	if (error.code == BGP_ERROR_OPEN && error.subcode == BGP_OPEN_OPTION &&
	    !c->sent.no_capabilities && c->sent.afi[SESSION_IPV4] &&
	    s->config.local_as <= UINT16_MAX)
		s->plain = true;
	else
		session_count_error(s, &error);
	conn_lost(c, SESSION_DOWN_NOTIFICATION_IN, graceful);
}

/* Messages of an established session. The sink's context is the connection. */

static struct session *conn_up(struct conn *c)
{
	return c->session->up == c ? c->session : NULL;
}

static void sink_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct session *s = conn_up(ctx);

	if (s)
		s->ops.route(s->ctx, prefix, attrs);
}

static void sink_withdraw(void *ctx, const struct prefix *prefix)
{
	struct session *s = conn_up(ctx);

	if (s)
		s->ops.withdraw(s->ctx, prefix);
}

static void sink_end_of_rib(void *ctx, enum session_afi afi)
{
	struct session *s = conn_up(ctx);

	s->info.eor_received[afi] = true;
	if (s->ops.end_of_rib)
		s->ops.end_of_rib(s->ctx, afi);
}

static void sink_expect(void *ctx, const struct prefix *prefix)
{
	struct session *s = conn_up(ctx);

	if (s && s->ops.expect)
		s->ops.expect(s->ctx, prefix);
}

static const struct update_sink sink = {
	.expect = sink_expect,
	.route = sink_route,
	.withdraw = sink_withdraw,
	.end_of_rib = sink_end_of_rib,
};

static void conn_note_malformed(struct conn *c, const struct update_result *result)
{
	struct session *s = c->session;
	uint64_t now = loop_now(s->loop);

	if (result->action == ATTR_OK)
		return;
	s->info.updates_malformed++;
	if (s->malformed_logged && now - s->malformed_logged < MALFORMED_LOG_MS)
		return;
	s->malformed_logged = now;
	log_warning(s->config.name, "UPDATE with %s: %s (%llu so far)", result->reason,
		    result->action == ATTR_WITHDRAW ? "its routes are treated as withdrawn" :
						      "attribute discarded",
		    (unsigned long long)s->info.updates_malformed);
}

static void conn_receive_update(struct conn *c, struct cursor body)
{
	struct session *s = c->session;
	struct update_result result;
	struct bgp_error error;
	bool good;

	c->heard = true;
	s->info.updates_in++;
	good = update_decode(body, &s->peer, &sink, c, &result, &error);
	if (!conn_up(c))
		return;
	if (!good) {
		conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
		return;
	}
	conn_note_malformed(c, &result);
	if (s->ops.update_end)
		s->ops.update_end(s->ctx);
}

bool conn_send_refresh(struct conn *c, enum session_afi afi, uint8_t subtype)
{
	struct cursor_out out;

	if (!conn_begin(c, &out))
		return false;
	message_refresh_encode(&out, afi, subtype);
	conn_commit(c, out.len);
	return true;
}

/* RFC 2918, and RFC 7313 4: the answer between two marks, but not before the first End-of-RIB. */
static void conn_refresh_requested(struct conn *c, enum session_afi afi)
{
	struct session *s = c->session;
	bool marks = s->info.enhanced_refresh &&
		     (!s->info.graceful_restart || s->info.eor_sent[afi]) &&
		     conn_send_refresh(c, afi, BGP_REFRESH_BEGIN);

	if (s->ops.refresh)
		s->ops.refresh(s->ctx, afi);
	if (!marks || !conn_up(c))
		return;
	outqueue_set_mark(s->queue, afi, OUTQUEUE_REFRESH_END);
	conn_want_write(c);
}

static void conn_receive_refresh(struct conn *c, struct cursor body)
{
	struct session *s = c->session;
	enum session_afi afi;
	struct bgp_error error;
	uint8_t subtype;
	bool known;

	if (!message_refresh_decode(body, &afi, &subtype, &known, &error)) {
		conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
		return;
	}
	if (!known || !s->info.afi[afi])
		return;
	/* The octet was reserved, and to be ignored, before RFC 7313. */
	if (!s->info.enhanced_refresh || subtype == BGP_REFRESH_REQUEST)
		conn_refresh_requested(c, afi);
	else if (subtype == BGP_REFRESH_BEGIN)
		s->ops.refresh_begin(s->ctx, afi);
	else
		s->ops.refresh_end(s->ctx, afi);
}

static void conn_unexpected(struct conn *c, uint8_t type)
{
	struct bgp_error error;

	bgp_error_set(&error, BGP_ERROR_FSM,
		      c->state == CONN_OPEN_SENT ? BGP_FSM_OPEN_SENT : BGP_FSM_OPEN_CONFIRM, &type,
		      1, "message type %u before the session is established", type);
	conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
}

static void conn_message(struct conn *c, uint8_t type, struct cursor body)
{
	c->session->info.messages_in++;
	/* Whoever does not begin with OPEN gets ours before the complaint about it. */
	if (c->state == CONN_DELAYED && type != BGP_NOTIFICATION)
		conn_send_open(c);
	switch (type) {
	case BGP_OPEN:
		conn_receive_open(c, body);
		break;
	case BGP_KEEPALIVE:
		conn_receive_keepalive(c);
		break;
	case BGP_NOTIFICATION:
		conn_receive_notification(c, body);
		break;
	default:
		if (c->state != CONN_ESTABLISHED)
			conn_unexpected(c, type);
		else if (type == BGP_UPDATE)
			conn_receive_update(c, body);
		else
			conn_receive_refresh(c, body);
	}
}

static size_t conn_message_max(const struct conn *c)
{
	return conn_extended(c) ? BGP_EXTENDED_MAX : BGP_MESSAGE_MAX;
}

static size_t conn_received(void *ctx, const uint8_t *data, size_t len)
{
	struct conn *c = ctx;
	struct transport *t = c->transport;
	struct cursor in = cursor_make(data, len);
	struct bgp_error error;

	c->heard = false;
	while (in.left >= BGP_HEADER_SIZE && conn_is(c, t)) {
		struct cursor message;
		uint8_t type;
		size_t size;

		if (!message_header_decode_max(in.at, conn_message_max(c), &size, &type,
					       &error)) {
			conn_fail(c, &error, SESSION_DOWN_NOTIFICATION_OUT);
			break;
		}
		if (in.left < size)
			break;
		message = cursor_sub(&in, size);
		cursor_bytes(&message, BGP_HEADER_SIZE);
		conn_message(c, type, message);
	}
	/* Once for all of them: starting a timer is dearer than reading a message. */
	if (conn_is(c, t) && c->heard && c->state >= CONN_OPEN_CONFIRM) {
		c->heard_at = loop_now(c->session->loop);
		conn_hold_start(c);
	}
	return len - in.left;
}

/* What was seen of the way to the peer, behind the reason of an end. */
static const char *conn_path_text(const struct conn *c)
{
	const struct session *s = c->session;

	switch (s->up == c ? s->info.path : SESSION_PATH_GOOD) {
	case SESSION_PATH_UNREAD:
		return ", the peer did not read";
	case SESSION_PATH_BIG_LOST:
		return ", full-size packets were lost (MTU)";
	default:
		return "";
	}
}

static void conn_closed(void *ctx, int error)
{
	struct conn *c = ctx;
	struct session *s = c->session;
	/* TCP's user timeout, which is the hold time: silence, as far as TCP can tell. */
	bool silent = s->up == c && error == ETIMEDOUT;

	snprintf(s->info.last_error, sizeof(s->info.last_error), "%s: %s%s",
		 c->state == CONN_CONNECTING ? "cannot connect" : "connection lost",
		 error ? strerror(error) : "closed by the peer", conn_path_text(c));
	if (s->up != c)
		session_trouble(s, "%s", s->info.last_error);
	conn_lost(c, silent ? SESSION_DOWN_HOLD : SESSION_DOWN_TRANSPORT,
		  s->info.graceful_restart && !silent);
}

static void conn_note_sent(struct session *s, const struct outqueue_sent *sent)
{
	if (sent->update)
		s->info.updates_out++;
	if (sent->end_of_rib)
		s->info.eor_sent[sent->afi] = true;
	if (sent->dropped)
		log_error(s->config.name,
			  "%zu prefixes not announced: their attributes exceed a message",
			  sent->dropped);
}

/* The socket took something: fill up from the queue, but never far ahead of it. */
static void conn_writable(void *ctx)
{
	struct conn *c = ctx;
	struct session *s = c->session;
	struct outqueue_sent sent;
	size_t len;
	uint8_t *p;

	conn_send_hold_check(c);
	while (s->up == c && transport_pending(c->transport) < TRANSPORT_TX_FILL &&
	       !outqueue_empty(s->queue)) {
		p = transport_reserve(c->transport, update_message_max(&s->peer));
		len = p ? outqueue_next(s->queue, p, &s->peer, &sent) : 0;
		if (!len)
			break;
		conn_note_sent(s, &sent);
		conn_commit(c, len);
	}
}

static const struct transport_ops conn_transport_ops = {
	.connected = conn_connected,
	.closed = conn_closed,
	.received = conn_received,
	.writable = conn_writable,
};

void conn_want_write(struct conn *c)
{
	transport_want_write(c->transport);
}

/* Timers */

static void conn_hold_expired(void *ctx)
{
	struct conn *c = ctx;
	struct bgp_error error;

	if (c->state == CONN_DELAYED) {
		conn_send_open(c);
		return;
	}
	/* It is we who were late to read, not the peer to write. */
	if (transport_readable(c->transport)) {
		loop_timer_start(c->hold, HOLD_AGAIN_MS);
		return;
	}
	if (c->state == CONN_OPEN_SENT)
		bgp_error_set(&error, BGP_ERROR_HOLD, 0, NULL, 0, "no OPEN received");
	else
		bgp_error_set(&error, BGP_ERROR_HOLD, 0, NULL, 0, "nothing heard for %u s",
			      c->hold_time);
	conn_fail(c, &error, SESSION_DOWN_HOLD);
}

static void conn_keepalive_due(void *ctx)
{
	struct conn *c = ctx;

	conn_send_keepalive(c);
	conn_keepalive_start(c);
}

/* RFC 9687: the peer's TCP is there but takes nothing; a NOTIFICATION would not get through. */
static void conn_send_hold_expired(void *ctx)
{
	struct conn *c = ctx;
	struct session *s = c->session;

	if (!transport_pending(c->transport))
		return;
	snprintf(s->info.last_error, sizeof(s->info.last_error),
		 "Send Hold Timer Expired: %zu octets wait for a peer that does not take them",
		 session_backlog(s));
	conn_lost(c, SESSION_DOWN_HOLD, false);
}

static enum session_path conn_path_judge(struct conn *c, const struct transport_path *path)
{
	uint64_t now = loop_now(c->session->loop);

	if (!path->unacked || path->acked != c->acked || !c->stalled_at) {
		c->acked = path->acked;
		c->stalled_at = path->unacked ? now : 0;
		return SESSION_PATH_GOOD;
	}
	if (now - c->stalled_at < STALL_MS)
		return c->session->info.path;
	if (!path->retries)
		return SESSION_PATH_UNREAD;
	if (path->retries >= STALL_RETRIES && path->unacked >= path->mss &&
	    c->heard_at > c->stalled_at)
		return SESSION_PATH_BIG_LOST;
	return SESSION_PATH_STUCK;
}

/* Said once per trouble: the session's end, if it comes, has a line of its own. */
static void conn_path_tell(const struct conn *c, enum session_path path)
{
	const struct session_info *info = &c->session->info;

	if (path == SESSION_PATH_UNREAD)
		log_warning(c->session->config.name,
			    "BGP: the peer does not read, %zu octets wait for it",
			    session_backlog(c->session));
	else if (path == SESSION_PATH_BIG_LOST)
		log_warning(c->session->config.name,
			    "BGP: %u octets are not acknowledged although the peer is heard: "
			    "segments of %u octets seem to be lost, the MTU of the path is smaller "
			    "than the tunnel's (tcp-mss may be set)",
			    info->unacked, info->mss);
}

static void conn_look(void *ctx)
{
	struct conn *c = ctx;
	struct session_info *info = &c->session->info;
	struct transport_path path;
	enum session_path was = info->path;

	if (!transport_path(c->transport, &path))
		return;
	info->unacked = path.unacked;
	info->mss = path.mss;
	info->path = conn_path_judge(c, &path);
	if (info->path != was)
		conn_path_tell(c, info->path);
	if (path.unacked)
		loop_timer_start(c->look, LOOK_MS);
}

int conn_init(struct conn *c, struct session *s)
{
	c->session = s;
	c->hold = loop_timer_new(s->loop, conn_hold_expired, c);
	c->keepalive = loop_timer_new(s->loop, conn_keepalive_due, c);
	c->send_hold = loop_timer_new(s->loop, conn_send_hold_expired, c);
	c->look = loop_timer_new(s->loop, conn_look, c);
	return c->hold && c->keepalive && c->send_hold && c->look ? 0 : -ENOMEM;
}

void conn_release(struct conn *c)
{
	if (c->transport)
		conn_drop(c);
	loop_timer_free(c->hold);
	loop_timer_free(c->keepalive);
	loop_timer_free(c->send_hold);
	loop_timer_free(c->look);
	transport_abandon(c);
}
