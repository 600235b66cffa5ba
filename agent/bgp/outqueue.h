/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a peer is still to be told: prefixes with the attributes to announce
 * them with, or to withdraw.
 *
 * Promise: a prefix is queued once and its latest state wins, so the queue is
 * never longer than the number of prefixes. Messages carry as many prefixes of
 * one attribute set as fit; withdrawals go first. A mark comes out after all
 * that was queued before it, and cannot be starved by what is queued later.
 */
#ifndef VGW_BGP_OUTQUEUE_H
#define VGW_BGP_OUTQUEUE_H

#include "bgp/attr.h"

struct outqueue;

enum outqueue_mark { OUTQUEUE_END_OF_RIB, OUTQUEUE_REFRESH_END, OUTQUEUE_N_MARKS };

/* What a message was. */
struct outqueue_sent {
	bool update; /* else a ROUTE-REFRESH */
	bool end_of_rib; /* of afi */
	enum session_afi afi;
	size_t dropped; /* prefixes whose attributes fit into no message: withdrawn instead */
};

struct outqueue *outqueue_new(void);
void outqueue_free(struct outqueue *queue);
void outqueue_clear(struct outqueue *queue);
/* attrs NULL: withdraw. 0 or -ENOMEM, then the prefix's former entry is unchanged. */
int outqueue_put(struct outqueue *queue, const struct prefix *prefix, const struct attrs *attrs);
void outqueue_set_mark(struct outqueue *queue, enum session_afi afi, enum outqueue_mark mark);
bool outqueue_empty(const struct outqueue *queue);
size_t outqueue_bytes(const struct outqueue *queue); /* of prefixes, without attributes */
/* Writes the next message to buf (update_message_max() octets) and returns its length, 0: empty. */
size_t outqueue_next(struct outqueue *queue, uint8_t *buf, const struct attr_peer *peer,
		     struct outqueue_sent *sent);

#endif
