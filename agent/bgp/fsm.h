/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of a session, shared by session.c (life, retries, what the owner
 * sees) and conn.c (one connection: OPEN to established). Not for others.
 */
#ifndef VGW_BGP_FSM_H
#define VGW_BGP_FSM_H

#include "bgp/attr.h"
#include "bgp/message.h"
#include "bgp/outqueue.h"
#include "bgp/session.h"
#include "bgp/transport.h"

/* One outgoing, one established incoming, one new incoming (RFC 4271 6.8, RFC 4724 4.2). */
#define SESSION_CONNS 3
#define SESSION_LOGGED 4

enum conn_state {
	CONN_NONE,
	CONN_CONNECTING,
	CONN_DELAYED, /* TCP is there, our OPEN waits (DelayOpen) */
	CONN_OPEN_SENT,
	CONN_OPEN_CONFIRM,
	CONN_ESTABLISHED,
};

struct conn {
	struct session *session;
	struct transport *transport; /* NULL in CONN_NONE alone */
	enum conn_state state;
	bool outgoing;
	bool heard; /* something that restarts the hold timer came in this turn */
	struct loop_timer *hold, *keepalive, *send_hold;
	struct loop_timer *look; /* at TCP, while something may not be acknowledged */
	uint64_t heard_at, stalled_at; /* loop time; stalled_at 0: TCP gets on */
	uint64_t acked; /* octets that were acknowledged at the last look */
	uint64_t sent_seen; /* transport_sent() when send_hold was started */
	struct bgp_open sent, got;
	uint16_t hold_time, keepalive_time; /* seconds, negotiated */
};

struct session {
	struct loop *loop;
	struct session_config config;
	struct session_ops ops;
	void *ctx;
	struct session_info info;
	struct conn conns[SESSION_CONNS];
	struct conn *up; /* the established one */
	struct attr_peer peer; /* what up negotiated */
	struct outqueue *queue;
	struct listener_member *listener;
	struct loop_timer *retry;
	bool running;
	bool holding; /* idle after repeated errors, until retry fires */
	bool plain; /* the next OPEN goes without capabilities */
	bool was_established;
	unsigned int errors; /* NOTIFICATIONs in a row without a long session between */
	uint64_t malformed_logged; /* loop time */
	uint32_t random;
	/* Troubles told since the last good session, so that a retry does not repeat them. */
	char logged[SESSION_LOGGED][sizeof(((struct session_info *)NULL)->last_error)];
	unsigned int n_logged;
};

/* Transport and addresses of the configuration. */
void session_transport_config(const struct session *s, struct transport_config *out);
void session_set_state(struct session *s);
/* Keeps the text for show; tells it once. */
void session_trouble(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* hard: it came or went inside of a Hard Reset (RFC 8538). */
void session_note_notification(struct session *s, const struct bgp_error *error, bool sent,
			       bool hard);
/* 75 to 100 % of ms (RFC 4271 10). */
uint64_t session_jitter(struct session *s, uint64_t ms);
bool session_offers(const struct session *s, enum session_afi afi);
/* The family can be used with this peer; open: of the peer. */
bool session_shares(const struct session *s, const struct bgp_open *sent,
		    const struct bgp_open *open, enum session_afi afi);
/* The connection has reached established: takes over as the session's. */
void session_up(struct session *s, struct conn *conn);
/* The connection is closed already; was_up: it was the established one, whose routes may be kept
 * (RFC 4724, RFC 8538) if graceful. */
void session_conn_gone(struct session *s, bool was_up, enum session_down_reason reason,
		       bool graceful);
/* A NOTIFICATION other than about collision ended a connection. */
void session_count_error(struct session *s, const struct bgp_error *error);

int conn_init(struct conn *c, struct session *s); /* 0 or -ENOMEM */
void conn_release(struct conn *c);
bool conn_connect(struct conn *c, int *error);
bool conn_accept(struct conn *c, int fd, int *error);
/* Close without a word and without telling the session. */
void conn_drop(struct conn *c);
/* NOTIFICATION (if an OPEN was sent) and close, without telling the session. hard: within a Hard
 * Reset, if the peer knows it. */
void conn_drop_with(struct conn *c, const struct bgp_error *error, bool hard);
/* Both with telling. */
void conn_fail(struct conn *c, const struct bgp_error *error, enum session_down_reason reason);
void conn_lost(struct conn *c, enum session_down_reason reason, bool graceful);
/* False: no room. */
bool conn_send_refresh(struct conn *c, enum session_afi afi, uint8_t subtype);
void conn_want_write(struct conn *c);

#endif
