// SPDX-License-Identifier: GPL-2.0-only
#include "port.h"

#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/netfilter.h>
#include <linux/slab.h>
#include <linux/vgw.h>
#include <net/addrconf.h>

#include "compat.h"
#include "device.h"
#include "event.h"
#include "gateway.h"
#include "hook.h"
#include "tunnel.h"
#include "unbound.h"

static struct hlist_head *bucket_of(struct vgw_net *vnet, u32 ifindex)
{
	return &vnet->ports[ifindex % VGW_PORT_BUCKETS];
}

struct vgw_port *vgw_port_by_ifindex(struct vgw_net *vnet, u32 ifindex)
{
	struct vgw_port *port;

	hlist_for_each_entry_rcu(port, bucket_of(vnet, ifindex), node,
				 lockdep_is_held(&vnet->lock))
		if (port->ifindex == ifindex)
			return port;
	return NULL;
}

/* State */

static u8 policies_state(const struct vgw_net *vnet)
{
	switch (vgw_unbound_state(vnet)) {
	case VGW_UNBOUND_NONE:
		return VGW_PORT_STATE_ON;
	case VGW_UNBOUND_SOME:
		return VGW_PORT_STATE_POLICY;
	default:
		return VGW_PORT_STATE_COUNTING;
	}
}

static bool forwards(const struct net_device *dev, u8 family)
{
	struct in_device *in_dev;

	if (family == AF_INET) {
		in_dev = __in_dev_get_rcu(dev);
		return in_dev && IN_DEV_FORWARD(in_dev);
	}
#if IS_ENABLED(CONFIG_IPV6)
	return READ_ONCE(dev_net(dev)->ipv6.devconf_all->forwarding);
#else
	return false;
#endif
}

u8 vgw_port_state(const struct vgw_port *port, const struct net_device *dev, u8 family)
{
	struct net_device *out = port->gw->dev;
	struct vgw_net *vnet = port->gw->vnet;

	if (!netif_running(out) || !(READ_ONCE(out->flags) & IFF_UP))
		return VGW_PORT_STATE_GATEWAY_DOWN;
	if (!forwards(dev, family))
		return VGW_PORT_STATE_FORWARDING_OFF;
	/* A VRF has the packet's way begin anew, in its own tables. */
	if (netif_is_l3_slave(dev) || netif_is_l3_master(dev))
		return VGW_PORT_STATE_VRF;
	/* Isolation is the forward hook's. */
	if (vgw_tunnel_by_ifindex(vnet, dev->ifindex))
		return VGW_PORT_STATE_TUNNEL;
	if (!vgw_hook_alone(vnet->net, family, NF_INET_FORWARD))
		return VGW_PORT_STATE_FORWARD_HOOK;
	if (!vgw_hook_alone(vnet->net, family, NF_INET_POST_ROUTING))
		return VGW_PORT_STATE_POST_ROUTING_HOOK;
	if (vgw_dev_egress_busy(out) || dev_nit_active(out))
		return VGW_PORT_STATE_GATEWAY_EGRESS;
	return policies_state(vnet);
}

/* Configuration */

static int device_check(const struct net_device *dev, struct vgw_net *vnet,
			struct netlink_ext_ack *extack)
{
	if (dev->reg_state != NETREG_REGISTERED) {
		NL_SET_ERR_MSG(extack, "device is being removed");
		return -ENODEV;
	}
	if (vgw_device_is(dev) || dev->flags & IFF_LOOPBACK) {
		NL_SET_ERR_MSG(extack, "a gateway or loopback device cannot be a port");
		return -EINVAL;
	}
	if (vgw_tunnel_by_ifindex(vnet, dev->ifindex)) {
		NL_SET_ERR_MSG(extack, "device is a tunnel of a gateway");
		return -EINVAL;
	}
	if (vnet->port_count >= VGW_PORTS_MAX) {
		NL_SET_ERR_MSG(extack, "network namespace has its limit of ports");
		return -ENOSPC;
	}
	return 0;
}

static int lan_check(struct vgw_net *vnet, u32 ifindex, struct netlink_ext_ack *extack)
{
	struct net_device *dev;
	int ret = -ENODEV;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(vnet->net, ifindex);
	if (dev)
		ret = device_check(dev, vnet, extack);
	else
		NL_SET_ERR_MSG(extack, "no device with this ifindex in the network namespace");
	rcu_read_unlock();
	return ret;
}

static void free_rcu_port(struct rcu_head *head)
{
	struct vgw_port *port = container_of(head, struct vgw_port, rcu);

	free_percpu(port->stats);
	kfree(port);
}

/* The first port of a namespace brings the hooks, the last takes them away. */
static int hooks_need(struct vgw_net *vnet)
{
	int ret;

	if (vnet->has_port_hooks)
		return 0;
	vgw_hook_learn(vnet->net);
	ret = vgw_port_hook_register(vnet->net);
	vnet->has_port_hooks = !ret;
	return ret;
}

static void hooks_drop(struct vgw_net *vnet)
{
	if (vnet->port_count || !vnet->has_port_hooks)
		return;
	vnet->has_port_hooks = false;
	vgw_port_hook_unregister(vnet->net);
}

static int create(struct vgw_gateway *gw, u32 ifindex)
{
	struct vgw_port *port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);
	struct vgw_net *vnet = gw->vnet;
	int ret = -ENOMEM;

	if (!port)
		return -ENOMEM;
	port->gw = gw;
	port->ifindex = ifindex;
	port->mark = gw->parity;
	port->stats = vgw_stats_alloc();
	if (port->stats)
		ret = xa_err(xa_store(&gw->ports, ifindex, port, GFP_KERNEL_ACCOUNT));
	if (!ret) {
		ret = hooks_need(vnet);
		if (ret)
			xa_erase(&gw->ports, ifindex);
	}
	if (ret) {
		call_rcu(&port->rcu, free_rcu_port);
		return ret;
	}
	WRITE_ONCE(vnet->port_count, vnet->port_count + 1);
	hlist_add_head_rcu(&port->node, bucket_of(vnet, ifindex));
	pr_debug("%s: port %u created\n", gw->dev->name, ifindex);
	return 0;
}

int vgw_port_add(struct vgw_gateway *gw, u32 ifindex, struct netlink_ext_ack *extack)
{
	struct vgw_net *vnet = gw->vnet;
	struct vgw_port *port;
	int ret;

	lockdep_assert_held(&vnet->lock);
	port = vgw_port_by_ifindex(vnet, ifindex);
	if (port && port->gw != gw) {
		NL_SET_ERR_MSG(extack, "device is a port of another gateway");
		return -EBUSY;
	}
	if (port) {
		port->mark = gw->parity;
		return 0;
	}
	/* Its removal waits for the lock that we hold, or is over. */
	ret = lan_check(vnet, ifindex, extack);
	return ret ?: create(gw, ifindex);
}

void vgw_port_del(struct vgw_port *port)
{
	struct vgw_gateway *gw = port->gw;
	struct vgw_net *vnet = gw->vnet;

	lockdep_assert_held(&vnet->lock);
	hlist_del_rcu(&port->node);
	xa_erase(&gw->ports, port->ifindex);
	WRITE_ONCE(vnet->port_count, vnet->port_count - 1);
	hooks_drop(vnet);
	pr_debug("%s: port %u destroyed\n", gw->dev->name, port->ifindex);
	call_rcu(&port->rcu, free_rcu_port);
}

void vgw_port_del_all(struct vgw_gateway *gw)
{
	struct vgw_port *port;
	unsigned long id;

	xa_for_each(&gw->ports, id, port)
		vgw_port_del(port);
}

void vgw_port_device_gone(struct vgw_net *vnet, u32 ifindex)
{
	struct vgw_port *port = vgw_port_by_ifindex(vnet, ifindex);

	if (port)
		vgw_port_del(port);
}
