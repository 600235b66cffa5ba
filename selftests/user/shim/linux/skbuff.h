/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet with nothing but its bytes: the first headlen in one allocation of exactly
 * that size, the rest in another. Reading past either is found, and so is a pointer
 * that is used after the bytes moved.
 */
#ifndef _SHIM_SKBUFF_H
#define _SHIM_SKBUFF_H

#include "../shim.h"

struct sk_buff {
	u8 *data, *rest;
	unsigned int len, headlen;
	unsigned int moved;	/* calls of skb_ensure_writable() that moved the bytes */
	bool no_memory;
};

static inline int skb_network_offset(const struct sk_buff *skb)
{
	return 0;
}

static inline void *skb_header_pointer(const struct sk_buff *skb, int offset, int len, void *buf)
{
	if (offset < 0 || len > (int)skb->len - offset)
		return NULL;
	if (offset + len <= (int)skb->headlen)
		return skb->data + offset;
	for (int i = 0; i < len; i++) {
		unsigned int at = offset + i;

		((u8 *)buf)[i] = at < skb->headlen ? skb->data[at] : skb->rest[at - skb->headlen];
	}
	return buf;
}

int skb_ensure_writable(struct sk_buff *skb, unsigned int len);

#endif /* _SHIM_SKBUFF_H */
