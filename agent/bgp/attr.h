/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path attributes on the wire (RFC 4271 5, with the error handling of RFC 7606).
 *
 * Promise: any bytes are decoded into attributes or into what is to be done
 * about them. An attribute takes exactly the octets that its length says,
 * whatever its content is. No allocation: what is decoded lives in the set.
 */
#ifndef VGW_BGP_ATTR_H
#define VGW_BGP_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/message.h"
#include "bgp/wire.h"
#include "core/attrs.h"
#include "lib/cursor.h"

/* Outcomes of RFC 7606 2, weakest first; of several in one message the strongest counts. */
enum attr_action { ATTR_OK, ATTR_DISCARD, ATTR_WITHDRAW, ATTR_RESET };

/* What was negotiated, as far as it changes the meaning of attributes. */
struct attr_peer {
	bool as4; /* 4-octet AS numbers in AS_PATH and AGGREGATOR */
	bool internal; /* same AS */
	bool afi[SESSION_N_AFI];
	bool next_hop6; /* IPv4 routes may have IPv6 next hops (RFC 8950) */
	uint16_t message_max; /* octets of a message to the peer; 0: BGP_MESSAGE_MAX */
	uint32_t local_as, router_id;
	struct addr local; /* never a valid next hop from the peer */
	struct addr remote; /* always one */
	struct addr next_hop[SESSION_N_AFI]; /* sending: ours; AF_UNSPEC: family not announced */
};

/*
 * Limits that no attribute of at most BGP_MESSAGE_MAX octets can exceed: a segment has at least 4
 * octets, an AS number 2. A longer one, which takes a peer with extended messages, is not kept:
 * its routes are treated as withdrawn. Lists of prefixes may fill the longest message.
 */
#define ATTR_SEGMENTS_MAX (BGP_MESSAGE_MAX / 4)
#define ATTR_ASNS_MAX (BGP_MESSAGE_MAX / 2)

struct attr_path {
	uint16_t n_segments, n_asns;
	struct as_segment segments[ATTR_SEGMENTS_MAX];
	uint32_t asns[ATTR_ASNS_MAX];
};

/* NLRI of MP_REACH_NLRI or MP_UNREACH_NLRI, checked. */
struct attr_nlri {
	bool present; /* the attribute was there */
	bool known; /* family is one of ours and negotiated; else the routes are ignored */
	enum session_afi afi;
	struct cursor prefixes;
};

/* Large: keep it on the stack of the one who decodes; only its head is initialised. */
struct attr_set {
	struct attrs attrs; /* without next_hop; pointers into this set */
	struct addr next_hop4; /* NEXT_HOP */
	struct addr next_hop_mp, link_local_mp; /* of MP_REACH_NLRI */
	struct attr_nlri reach, unreach;
	enum attr_action action;
	char reason[80]; /* why it is not ATTR_OK */
	unsigned int count; /* attributes seen, also bad ones */
	uint64_t seen[4]; /* attribute numbers, a bit each */
	uint32_t as4_aggregator_as;
	struct addr as4_aggregator;
	struct attr_path path, path4, merged;
	uint32_t communities[BGP_MESSAGE_MAX / 4];
	uint64_t ext_communities[BGP_MESSAGE_MAX / 8];
	struct large_community large_communities[BGP_MESSAGE_MAX / 12];
};

/* False: reset the session with *error. */
bool attr_set_decode(struct attr_set *set, struct cursor c, const struct attr_peer *peer,
		     struct bgp_error *error);
bool attr_set_has(const struct attr_set *set, uint8_t code);

/* Next prefix of a list; false at its end or when it is malformed (c->bad). */
bool attr_nlri_next(struct cursor *c, enum session_afi afi, struct prefix *prefix);
bool attr_nlri_valid(struct cursor c, enum session_afi afi);
void attr_nlri_put(struct cursor_out *out, const struct prefix *prefix);

/*
 * Everything but MP_REACH_NLRI, as sent to the peer: local_as prepended for an
 * external one, NEXT_HOP for IPv4. out->bad: does not fit.
 */
void attr_encode(struct cursor_out *out, const struct attrs *attrs, const struct attr_peer *peer,
		 enum session_afi afi);

#endif
