/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow that a packet belongs to, and its hash.
 *
 * Ports count for whole TCP, UDP, UDP-Lite, SCTP and DCCP packets. Every
 * fragment and every other protocol is addresses and protocol only, so all
 * fragments of a packet agree. An ICMP error counts as the flow it is about.
 */
#ifndef _VGW_FLOW_H
#define _VGW_FLOW_H

#include <linux/in6.h>
#include <linux/types.h>

struct sk_buff;

union vgw_addr {
	__be32 v4;
	struct in6_addr v6;
	u32 word[4];
};

struct vgw_flow {
	union vgw_addr src, dst;	/* IPv4: words 1 to 3 are zero */
	__be16 sport, dport;		/* 0 where ports do not count */
	__be32 label;			/* IPv6 flow label; 0: none */
	u8 family;			/* AF_INET or AF_INET6 */
	u8 protocol;
};

/* False: no whole header of either family. */
bool vgw_flow_from_skb(const struct sk_buff *skb, struct vgw_flow *flow);

/* The flow for the bucket choice: that of the packet an ICMP error quotes, else the same. */
void vgw_flow_of_error(const struct sk_buff *skb, struct vgw_flow *flow);

/* How flows are spread; READ_ONCE, the owner's lock to write. */
struct vgw_hash {
	u32 seed;
	u8 fields;			/* enum vgw_hash_fields */
};

/*
 * Equal on hosts of one byte order with one seed and the same fields, and, unless by the
 * flow label, for both directions of a flow.
 */
u32 vgw_flow_hash(const struct vgw_flow *flow, const struct vgw_hash *hash);

#endif /* _VGW_FLOW_H */
