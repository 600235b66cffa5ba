/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet that the kernel's own table sent to a gateway: choose, encrypt, send. */
#ifndef _VGW_XMIT_H
#define _VGW_XMIT_H

#include <linux/netdevice.h>

netdev_tx_t vgw_xmit(struct sk_buff *skb, struct net_device *dev);

#endif /* _VGW_XMIT_H */
