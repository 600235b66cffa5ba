/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UPDATE messages: decoded to calls a prefix, encoded packed.
 *
 * Promise (decode): the whole message is checked before the first call; a
 * message that resets the session changes nothing. What RFC 7606 calls
 * treat-as-withdraw comes out as withdraw calls.
 * Promise (encode): no message exceeds what the peer takes (attr_peer.message_max).
 */
#ifndef VGW_BGP_UPDATE_H
#define VGW_BGP_UPDATE_H

#include "bgp/attr.h"

/* Called while the message is decoded; none of them may decode another one. */
struct update_sink {
	void (*route)(void *ctx, const struct prefix *prefix, const struct attrs *attrs);
	void (*withdraw)(void *ctx, const struct prefix *prefix);
	void (*end_of_rib)(void *ctx, enum session_afi afi);
	/* It is going to be withdrawn, soon; NULL: nobody wants to know. */
	void (*expect)(void *ctx, const struct prefix *prefix);
};

struct update_result {
	enum attr_action action; /* the strongest that was needed, at most ATTR_WITHDRAW */
	char reason[80];
};

/* False: reset the session with *error (no memory gives Cease / Out of Resources). */
bool update_decode(struct cursor body, const struct attr_peer *peer, const struct update_sink *sink,
		   void *ctx, struct update_result *result, struct bgp_error *error);

/* One message that is being filled. */
struct update_writer {
	struct cursor_out out;
	enum session_afi afi;
	bool withdraw, mp; /* mp: the prefixes are in a multiprotocol attribute */
	size_t max; /* octets of the message */
	size_t limit; /* out.len may grow up to here, room for the tail is kept */
	size_t attrs_at, mp_at; /* offsets of lengths */
	size_t tail_len;
	uint8_t tail[BGP_MESSAGE_MAX]; /* attributes that follow MP_REACH_NLRI */
};

/* buf: update_message_max(). attrs NULL: withdraw. False: the attributes leave no room for
 * a prefix, nothing can be announced with them. */
bool update_begin(struct update_writer *w, uint8_t *buf, const struct attr_peer *peer,
		  enum session_afi afi, const struct attrs *attrs);
/* Octets of the longest message to the peer. */
size_t update_message_max(const struct attr_peer *peer);
/* False: no more room, end the message and begin another. */
bool update_add(struct update_writer *w, const struct prefix *prefix);
/* Returns the size of the message. */
size_t update_end(struct update_writer *w);
void update_encode_end_of_rib(struct cursor_out *out, enum session_afi afi);

#endif
