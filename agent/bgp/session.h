/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One BGP session (RFC 4271) with one peer: transport, FSM, messages.
 *
 * Promise: whatever the peer sends, the worst result is that this session
 * ends with the right NOTIFICATION; the process and the other sessions go on.
 * The session knows nothing of RIB, policy or kernel: it hands decoded routes
 * up through struct session_ops and is told what to send.
 *
 * Ownership: prefixes and attrs given to callbacks are borrowed for the call
 * (attrs_get to keep). A callback may call session_stop() but not
 * session_free() on its own session.
 */
#ifndef VGW_BGP_SESSION_H
#define VGW_BGP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attrs.h"
#include "lib/addr.h"
#include "lib/loop.h"

struct session;

enum session_state {
	SESSION_IDLE,
	SESSION_CONNECT,
	SESSION_ACTIVE,
	SESSION_OPEN_SENT,
	SESSION_OPEN_CONFIRM,
	SESSION_ESTABLISHED,
};

enum session_afi { SESSION_IPV4, SESSION_IPV6, SESSION_N_AFI }; /* unicast */

struct session_config {
	const char *name; /* for logs and show; copied */
	uint32_t local_as, peer_as; /* peer_as 0: accept any (not used by vgwd) */
	uint32_t router_id; /* host order */
	struct addr local, peer; /* inside addresses of the tunnel */
	const char *device; /* SO_BINDTODEVICE, NULL for none; copied */
	uint16_t port; /* 0 = 179 */
	bool passive; /* never connect */
	uint16_t hold_time; /* seconds, 0 or >= 3; default of vgwd 30 */
	uint16_t keepalive; /* seconds, 0 = hold / 3 */
	uint16_t connect_retry; /* seconds */
	uint8_t ttl; /* TTL to send with; 0 = 255 */
	bool gtsm; /* RFC 5082: drop what arrives with TTL < 255 */
	const char *md5; /* RFC 2385 key, NULL for none; copied, wiped on free */
	bool afi[SESSION_N_AFI]; /* families to announce */
	/* RFC 4724 as restarting speaker */
	uint16_t restart_time; /* seconds announced; 0 = no graceful restart capability */
	bool restarting; /* set the R bit in the first OPEN */
	bool forwarding_kept; /* set the F bits; after the first session they are always set */
	uint16_t tcp_mss; /* 0 = the kernel's */
	/* NEXT_HOP of IPv6 routes, AF_UNSPEC: the local address. Over IPv4 without it, and for
	 * IPv4 over IPv6, there is no next hop to announce: the family is not negotiated. */
	struct addr next_hop6;
	uint16_t send_hold; /* RFC 9687, seconds; 0 = max(480, 2 * hold time) */
	uint16_t delay_open; /* RFC 4271 8.1.1: seconds to wait for the peer's OPEN before ours */
	uint16_t rest_max; /* seconds, longest rest after repeated errors; 0 = 60 */
	bool extended_message; /* announce RFC 8654 */
	/* IPv4 routes over IPv6 transport, with the local address as next hop (RFC 8950) */
	bool extended_next_hop;
	bool graceful_notification; /* announce RFC 8538, with a restart_time alone */
};

/* How data gets to the peer. */
enum session_path {
	SESSION_PATH_GOOD,
	SESSION_PATH_STUCK, /* nothing is acknowledged, and little or nothing heard */
	SESSION_PATH_UNREAD, /* the peer's TCP takes nothing: its BGP does not read */
	SESSION_PATH_BIG_LOST, /* full segments are lost while the peer is heard: MTU */
};

/* What was negotiated: valid while established, and still in the call of down(). */
struct session_info {
	enum session_state state;
	uint64_t since; /* loop time of the last state change to or from established */
	uint16_t hold_time, keepalive;
	uint32_t peer_as, peer_id; /* host order */
	bool afi[SESSION_N_AFI];
	bool as4, refresh, enhanced_refresh, graceful_restart;
	bool extended_message, extended_next_hop;
	bool graceful_notification; /* RFC 8538, both sides */
	bool peer_restarting; /* R bit of the peer's OPEN */
	uint16_t peer_restart_time;
	bool peer_restart_afi
		[SESSION_N_AFI]; /* families of its graceful restart: others are not kept */
	bool peer_forwarding[SESSION_N_AFI]; /* F bits of the peer's OPEN */
	bool eor_received[SESSION_N_AFI], eor_sent[SESSION_N_AFI];
	struct addr local, peer;
	uint64_t messages_in, messages_out, updates_in, updates_out, established_count;
	uint64_t updates_malformed; /* treated as withdraw, or attributes discarded (RFC 7606) */
	/* text of the last NOTIFICATION sent or received, or of the last transport error */
	char last_error[180];
	uint8_t last_code, last_subcode; /* of the last NOTIFICATION, 0 if none */
	bool last_sent; /* we sent it */
	bool last_hard; /* in a Hard Reset */
	char shutdown_text[256]; /* RFC 9003, of the last Cease, escaped; "" if there was none */
	bool down_graceful; /* of the last down(): RFC 4724 or RFC 8538 would keep the routes */
	enum session_path path;
	uint32_t unacked, mss; /* octets, at the last look at TCP */
};

enum session_cease { /* RFC 4486, RFC 9384 */
		     SESSION_CEASE_MAX_PREFIXES = 1,
		     SESSION_CEASE_SHUTDOWN,
		     SESSION_CEASE_DECONFIGURED,
		     SESSION_CEASE_RESET,
		     SESSION_CEASE_REJECTED,
		     SESSION_CEASE_CONFIG_CHANGE,
		     SESSION_CEASE_COLLISION,
		     SESSION_CEASE_RESOURCES,
		     SESSION_CEASE_BFD_DOWN = 10,
};

enum session_down_reason {
	SESSION_DOWN_TRANSPORT, /* connection lost without NOTIFICATION: RFC 4724 keeps routes */
	SESSION_DOWN_HOLD, /* our hold timer, the send hold timer, or TCP's user timeout */
	SESSION_DOWN_NOTIFICATION_IN,
	SESSION_DOWN_NOTIFICATION_OUT,
	SESSION_DOWN_STOPPED, /* session_stop() */
};

struct session_ops {
	void (*established)(void *ctx);
	void (*down)(void *ctx, enum session_down_reason reason);
	/* attrs->next_hop is set. One call a prefix. */
	void (*route)(void *ctx, const struct prefix *prefix, const struct attrs *attrs);
	void (*withdraw)(void *ctx, const struct prefix *prefix);
	/* It will be withdrawn soon: memory can be asked for what is known of it. May be NULL. */
	void (*expect)(void *ctx, const struct prefix *prefix);
	/* End of the message: a good moment to decide. */
	void (*update_end)(void *ctx);
	void (*end_of_rib)(void *ctx, enum session_afi afi);
	/* The peer asks for everything again (RFC 2918). */
	void (*refresh)(void *ctx, enum session_afi afi);
	/* Enhanced route refresh (RFC 7313): the peer tells everything again between the two; what
	 * it did not tell is gone. Both NULL: the capability is not announced. */
	void (*refresh_begin)(void *ctx, enum session_afi afi);
	void (*refresh_end)(void *ctx, enum session_afi afi);
	/* OPEN is good but for the owner's own rules (router-id of a local gateway ...): return
	 * NULL to accept, or the text of a Cease / Connection Rejected. */
	const char *(*accept_open)(void *ctx, uint32_t peer_as, uint32_t peer_id);
};

/* Copies config and ops. Created idle. NULL on no memory. */
struct session *session_new(struct loop *loop, const struct session_config *config,
			    const struct session_ops *ops, void *ctx);
/* Listens and connects now, and again every connect_retry until session_stop(). What is not
 * there yet (device, address) is a reason to retry. No-op on a started session. */
void session_start(struct session *session);
/* The way to the peer may work again: connect now, not at the next retry. */
void session_kick(struct session *session);
/* Ends with Cease/subcode and RFC 9003 text (NULL for none), goes to idle and stays there; an
 * established session calls down(). What is meant to last (all but RESET, CONFIG_CHANGE and
 * RESOURCES) is a Hard Reset to a peer that would keep our routes otherwise (RFC 8538).
 * subcode 0: just close the transport without NOTIFICATION (graceful restart keeps routes). */
void session_stop(struct session *session, uint8_t subcode, const char *text);
/* Closes without NOTIFICATION and without a callback. */
void session_free(struct session *session);
/* Takes over what concerns no connection that is there: passive, connect_retry, send_hold,
 * delay_open, rest_max, tcp_mss. Nothing is reset. */
void session_retune(struct session *session, const struct session_config *config);
const struct session_info *session_info(const struct session *session);
const char *session_state_name(enum session_state state);
const char *session_path_name(enum session_path path); /* "good", "big-packets-lost" ... */

/*
 * Sending. Each prefix is queued once, the latest state wins; UPDATEs are
 * packed by attribute set and written as the socket takes them. AS_PATH gets
 * local_as prepended (not for a peer of the same AS) and NEXT_HOP is the
 * session's own address: give the domain's attributes (usually an empty path).
 * The queue lives as long as the established session: before and after there is
 * nothing to send to, -ENOTCONN; a family that was not negotiated is
 * -EAFNOSUPPORT. Both are harmless. -ENOMEM: the prefix's former state stays.
 */
int session_announce(struct session *session, const struct prefix *prefix,
		     const struct attrs *attrs);
int session_withdraw(struct session *session, const struct prefix *prefix);
/* After all that is queued now. */
void session_end_of_rib(struct session *session, enum session_afi afi);
/* -EOPNOTSUPP: the peer cannot. -ENOBUFS: it does not read what it gets. */
int session_request_refresh(struct session *session, enum session_afi afi);
/* Bytes queued and not yet taken by the socket. */
size_t session_backlog(const struct session *session);

/*
 * Incoming connections: one listener per (local address, device, port),
 * shared and counted; session_start() makes its own. A connection from an
 * unknown source is closed before a byte is read.
 */

#endif
