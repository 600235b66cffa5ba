/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet that the kernel's own table sent to a gateway: choose, encrypt, send. */
#ifndef _VGW_XMIT_H
#define _VGW_XMIT_H

#include <linux/netdevice.h>

netdev_tx_t vgw_xmit(struct sk_buff *skb, struct net_device *dev);

/* Is the packet, or each of its segments, at most that long? */
bool vgw_xmit_fits(const struct sk_buff *skb, unsigned int mtu);

#endif /* _VGW_XMIT_H */
