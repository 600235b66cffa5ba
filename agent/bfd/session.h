/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One BFD session: state machine, timers, poll sequences (RFC 5880 6.8,
 * asynchronous mode; demand mode of the peer is respected, echo not offered).
 *
 * Promise: no I/O here: packets go out through ops.send and come in through
 * bfd_session_receive(). Sending never depends on receiving. A late loop is no
 * failure of the peer: before the detection time is judged, ops.drain has read
 * what waits in the socket. Packets of the peer never make more than one packet
 * of ours each.
 *
 * Every packet carries the C bit: this process does not share the fate of the
 * agent that speaks BGP.
 */
#ifndef VGW_BFD_SESSION_H
#define VGW_BFD_SESSION_H

#include "bfd/packet.h"
#include "lib/loop.h"

struct bfd_session;

struct bfd_timers {
	uint32_t transmit, receive; /* milliseconds: fastest we send, fastest we take */
	uint8_t multiplier; /* of our interval: when the peer gives us up */
};

struct bfd_session_info {
	uint8_t state, diag; /* enum bfd_state, enum bfd_diag: why it went down last */
	uint8_t remote_state, remote_diag; /* of the peer's last packet */
	bool heard; /* the peer has sent something within the detection time */
	bool remote_independent; /* its C bit */
	/* Was up and is not, for another reason than that one end was switched off
	 * (RFC 5882 4.1); also over the time in which the peer is not heard. */
	bool failed;
	bool was_up; /* ever */
	uint32_t discriminator, remote_discriminator;
	uint32_t interval; /* milliseconds between our packets, before jitter; 0: none */
	uint32_t detection; /* milliseconds; 0: no packet seen yet */
	uint64_t sent, received, discarded, transitions;
};

struct bfd_session_ops {
	void (*send)(void *ctx, const struct bfd_packet *packet);
	/* Hand over what has arrived; may be NULL. */
	void (*drain)(void *ctx);
	/* Something in the info but counters changed. Must not free the session. */
	void (*changed)(void *ctx);
};

/* Sends at once. discriminator: not 0, unique in this process. NULL on no memory. */
struct bfd_session *bfd_session_new(struct loop *loop, const struct bfd_timers *timers,
				    uint32_t discriminator, const struct bfd_session_ops *ops,
				    void *ctx);
void bfd_session_free(struct bfd_session *session);
/* New timers: by a poll sequence while the session is up, the session stays. */
void bfd_session_set_timers(struct bfd_session *session, const struct bfd_timers *timers);
/* On: to AdminDown, and says so until freed; off: begins anew. */
void bfd_session_set_admin_down(struct bfd_session *session, bool on);
/* How long AdminDown must be said for the peer to have heard of it, milliseconds. */
uint32_t bfd_session_goodbye_ms(const struct bfd_session *session);
/* A packet that bfd_packet_decode() accepted, from the right peer. */
void bfd_session_receive(struct bfd_session *session, const struct bfd_packet *packet);
/* One that it did not. */
void bfd_session_count_discarded(struct bfd_session *session);
const struct bfd_session_info *bfd_session_info(const struct bfd_session *session);

#endif
