/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fast-path ports: LAN devices whose packets to the gateway skip what lies between
 * the kernel's input lookup and the gateway.
 *
 * The end of PRE_ROUTING asks the kernel's own input lookup, as the kernel would
 * a moment later, so rules, tables, exceptions and source validation are those
 * of this packet and never a copy of them. A unicast packet whose route is
 * the gateway's device is forwarded on the spot: what a router owes it is
 * done in the kernel's order, then it goes to vgw_xmit(), which does the rest as
 * for any other. Every other packet goes on, with the answer that was found.
 *
 * What would be skipped must have nothing to do. While a hook, a policy or a tap
 * waits there the port steps aside (vgw_port_state()), and its packets take the
 * normal way.
 */
#ifndef _VGW_PORT_H
#define _VGW_PORT_H

#include <linux/netdevice.h>
#include <linux/rcupdate.h>

#include "stats.h"

struct net;
struct netlink_ext_ack;
struct vgw_gateway;
struct vgw_net;

struct vgw_port {
	struct hlist_node node;		/* in vgw_net.ports; RCU, config lock */
	struct vgw_gateway *gw;		/* fixed */
	struct vgw_stats __percpu *stats;
	u32 ifindex;			/* fixed; the port goes with its device */
	u8 mark;			/* parity of the generation that refreshed it; lock */
	struct rcu_head rcu;
};

/* In an RCU section: the port of a device, or NULL. */
struct vgw_port *vgw_port_by_ifindex(struct vgw_net *vnet, u32 ifindex);

/*
 * In an RCU section: does the port take packets of the family, and if not, why: enum
 * vgw_port_state. dev is its device.
 */
u8 vgw_port_state(const struct vgw_port *port, const struct net_device *dev, u8 family);

/*
 * Under the config lock. A device that is a port of this gateway already is
 * refreshed only. -ENODEV, -EINVAL (what kind of device it is), -EBUSY (another
 * gateway's), -ENOSPC or -ENOMEM, with a text.
 */
int vgw_port_add(struct vgw_gateway *gw, u32 ifindex, struct netlink_ext_ack *extack);
void vgw_port_del(struct vgw_port *port);
void vgw_port_del_all(struct vgw_gateway *gw);
/* The device is going away, and its port with it. */
void vgw_port_device_gone(struct vgw_net *vnet, u32 ifindex);

/* The packet hooks of a namespace that has ports (port_forward.c). */
int vgw_port_hook_register(struct net *net);
void vgw_port_hook_unregister(struct net *net);

#endif /* _VGW_PORT_H */
