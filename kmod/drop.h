/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet that ends here: counted once at the gateway, and at the tunnel and the
 * group that it had come to, each by cause; and told to who traces.
 */
#ifndef _VGW_DROP_H
#define _VGW_DROP_H

#include "stats.h"

struct sk_buff;
struct vgw_gateway;
struct vgw_group;
struct vgw_tunnel;

/* The packet met a tunnel (or came by it), or NULL. cause: one of VGW_STAT_DROP_*. Any context. */
void vgw_drop(struct vgw_gateway *gw, struct vgw_tunnel *tunnel, const struct sk_buff *skb,
	      enum vgw_stat cause);
/* No tunnel was left; group is the last that was asked, or NULL. BH off. */
void vgw_drop_unrouted(struct vgw_gateway *gw, struct vgw_group *group, const struct sk_buff *skb,
		       enum vgw_stat cause);

#endif /* _VGW_DROP_H */
