/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The largest segment that two TCP ends agree on, lowered while they shake hands,
 * so that what they send fits a tunnel: also where ICMP errors get lost on the way.
 *
 * Only what both ends would read is touched: every MSS option of a whole SYN, before
 * the first option that is broken. It is never raised and never added. A SYN whose
 * options or addresses are authenticated (TCP-AO, AH) stays as it is.
 */
#ifndef _VGW_MSS_H
#define _VGW_MSS_H

#include <linux/types.h>

struct sk_buff;
struct vgw_flow;

/* Offset from skb->data of the TCP header of a whole SYN, 0 for any other packet. */
unsigned int vgw_mss_syn(const struct sk_buff *skb, const struct vgw_flow *flow);

/*
 * Lowers the MSS of a SYN to what fits an mtu (bytes of inner packet; 0 is unknown and
 * changes nothing). True: it was changed, and pointers into the packet are void. Without
 * memory for a private copy it stays as it is.
 */
bool vgw_mss_lower(struct sk_buff *skb, unsigned int tcp, u8 family, u32 mtu);

#endif /* _VGW_MSS_H */
