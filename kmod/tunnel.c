// SPDX-License-Identifier: GPL-2.0-only
#include "tunnel.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/vgw.h>
#include <net/rtnetlink.h>
#include <net/xfrm.h>

#include "event.h"
#include "gateway.h"
#include "netlink.h"

static struct hlist_head *bucket_of(struct hlist_head *table, u32 key)
{
	return &table[key % VGW_TUNNEL_BUCKETS];
}

struct vgw_tunnel *vgw_tunnel_by_ifindex(struct vgw_net *vnet, u32 ifindex)
{
	struct vgw_tunnel *tunnel;

	hlist_for_each_entry_rcu(tunnel, bucket_of(vnet->by_ifindex, ifindex), by_ifindex)
		if (READ_ONCE(tunnel->ifindex) == ifindex)
			return tunnel;
	return NULL;
}

struct vgw_tunnel *vgw_tunnel_by_if_id(struct vgw_net *vnet, u32 if_id)
{
	struct vgw_tunnel *tunnel;

	hlist_for_each_entry_rcu(tunnel, bucket_of(vnet->by_if_id, if_id), by_if_id)
		if (tunnel->if_id == if_id)
			return tunnel;
	return NULL;
}

u32 vgw_tunnel_connection_mtu(const struct vgw_tunnel *tunnel)
{
	u32 connection = READ_ONCE(tunnel->connection), mtu = READ_ONCE(tunnel->mtu);
	const struct vgw_tunnel *other;

	hlist_for_each_entry_rcu(other, bucket_of(tunnel->gw->by_connection, connection),
				 by_connection)
		if (READ_ONCE(other->connection) == connection)
			mtu = min_not_zero(mtu, READ_ONCE(other->mtu));
	return mtu;
}

void vgw_tunnel_note(struct vgw_tunnel *tunnel, __be32 spi, u32 mtu)
{
	if (READ_ONCE(tunnel->spi) != spi)
		WRITE_ONCE(tunnel->spi, spi);
	if (READ_ONCE(tunnel->mtu) != mtu)
		WRITE_ONCE(tunnel->mtu, mtu);
}

/* Remembers what people and the audit want to know of the SA in use. */
static void note_sa(struct vgw_tunnel *tunnel, const struct dst_entry *dst)
{
	const struct xfrm_state *x = dst->xfrm;

	vgw_tunnel_note(tunnel, x->id.spi, dst_mtu(dst));
	memcpy(&tunnel->remote, &x->id.daddr, sizeof(tunnel->remote));
	tunnel->remote_family = x->props.family;
}

/* Does a packet of the family find an SA? 0, or why not. */
static int probe(struct vgw_tunnel *tunnel, struct net_device *dev, u8 family)
{
	struct xfrm_if *xi = netdev_priv(dev);
	struct dst_entry *dst;
	struct flowi fl;
	int ret = -ESRCH;

	dst = vgw_bundle_route(dev, family);
	if (!dst)
		return -ENETUNREACH;
	vgw_census_flow(&tunnel->census[family == AF_INET6], family, &fl);
	fl.flowi_oif = xi->p.link;
	dst = xfrm_lookup_with_ifid(dev_net(dev), dst, &fl, NULL, 0, tunnel->if_id);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (dst->xfrm && dst->xfrm->if_id == tunnel->if_id) {
		note_sa(tunnel, dst);
		ret = 0;
	}
	dst_release(dst);
	return ret;
}

#define RESOLVED4	BIT(0)
#define RESOLVED6	BIT(1)

static u8 examine(struct vgw_tunnel *tunnel)
{
	struct mutex *lock = &tunnel->gw->vnet->lock;
	struct net_device *dev = rcu_dereference_protected(tunnel->dev, lockdep_is_held(lock));
	int v4, v6;

	if (!dev || !netif_running(dev))
		return VGW_TUNNEL_REASON_DEVICE_DOWN;
	v6 = probe(tunnel, dev, AF_INET6);
	v4 = probe(tunnel, dev, AF_INET);
	WRITE_ONCE(tunnel->resolved, (v4 ? 0 : RESOLVED4) | (v6 ? 0 : RESOLVED6));
	/* Who declared it failed wants to know that there is more to it. */
	if (!v4 || !v6)
		return tunnel->failed ? VGW_TUNNEL_REASON_FAILED : VGW_TUNNEL_REASON_LIVE;
	switch (v4 == -ESRCH || v4 == -ENETUNREACH ? v6 : v4) {
	case -EREMOTE:
	case -EAGAIN:
	case -ESRCH:
	case -ENETUNREACH:
		return v4 == -ENETUNREACH && v6 == -ENETUNREACH ?
			VGW_TUNNEL_REASON_LOOKUP_ERROR : VGW_TUNNEL_REASON_NO_SA;
	default:
		return VGW_TUNNEL_REASON_LOOKUP_ERROR;
	}
}

static void announce(struct vgw_tunnel *tunnel)
{
	bool live = vgw_tunnel_live(tunnel);

	if (!vgw_tunnel_unannounced(tunnel))
		return;
	if (!live && time_before(jiffies, READ_ONCE(tunnel->down_since) + VGW_TUNNEL_HOLD))
		return;
	tunnel->announced = live;
	tunnel->transitions++;
	vgw_netlink_tunnel_event(tunnel);
}

void vgw_tunnel_audit(struct vgw_tunnel *tunnel)
{
	u8 reason;
	bool live;

	lockdep_assert_held(&tunnel->gw->vnet->lock);
	reason = examine(tunnel);
	live = reason == VGW_TUNNEL_REASON_LIVE;
	if (!live && vgw_tunnel_live(tunnel))
		WRITE_ONCE(tunnel->down_since, jiffies);
	tunnel->reason = reason;
	WRITE_ONCE(tunnel->live, live);
	announce(tunnel);
}

void vgw_tunnel_suspect(struct vgw_tunnel *tunnel)
{
	if (vgw_tunnel_live(tunnel)) {
		WRITE_ONCE(tunnel->down_since, jiffies);
		WRITE_ONCE(tunnel->live, false);
	}
	if (!READ_ONCE(tunnel->recheck)) {
		WRITE_ONCE(tunnel->recheck, true);
		vgw_event_kick(tunnel->gw->vnet);
	}
}

void vgw_tunnel_suspect_family(struct vgw_tunnel *tunnel, u8 family)
{
	if (READ_ONCE(tunnel->resolved) & (family == AF_INET ? RESOLVED4 : RESOLVED6))
		vgw_tunnel_suspect(tunnel);
}

static int device_check(struct net_device *dev, struct vgw_net *vnet,
			struct netlink_ext_ack *extack)
{
	struct xfrm_if *xi = netdev_priv(dev);

	if (!dev->rtnl_link_ops || strcmp(dev->rtnl_link_ops->kind, "xfrm")) {
		NL_SET_ERR_MSG(extack, "device is not an XFRM interface");
		return -EINVAL;
	}
	if (xi->p.collect_md) {
		NL_SET_ERR_MSG(extack, "XFRM interface in external mode has no if_id of its own");
		return -EINVAL;
	}
	if (!xi->p.if_id) {
		NL_SET_ERR_MSG(extack, "XFRM interface has if_id 0");
		return -EINVAL;
	}
	if (!net_eq(xi->net, dev_net(dev))) {
		NL_SET_ERR_MSG(extack, "XFRM interface has its link in another network namespace");
		return -EINVAL;
	}
	if (vgw_tunnel_by_ifindex(vnet, dev->ifindex)) {
		NL_SET_ERR_MSG(extack, "device is a tunnel of a gateway already");
		return -EEXIST;
	}
	if (dev->reg_state != NETREG_REGISTERED) {
		NL_SET_ERR_MSG(extack, "device is being removed");
		return -ENODEV;
	}
	return 0;
}

static int attach(struct vgw_tunnel *tunnel, u32 ifindex, struct netlink_ext_ack *extack)
{
	struct vgw_net *vnet = tunnel->gw->vnet;
	struct net_device *dev = dev_get_by_index(vnet->net, ifindex);
	int ret;

	if (!dev) {
		NL_SET_ERR_MSG(extack, "no device with this ifindex in the network namespace");
		return -ENODEV;
	}
	rcu_read_lock();
	ret = device_check(dev, vnet, extack);
	rcu_read_unlock();
	if (!ret) {
		struct xfrm_if *xi = netdev_priv(dev);

		/* A reader may still stand on the nodes, or have met the device before. */
		cond_synchronize_rcu(tunnel->detached);
		netdev_hold(dev, &tunnel->tracker, GFP_KERNEL);
		WRITE_ONCE(tunnel->ifindex, ifindex);
		tunnel->if_id = xi->p.if_id;
		rcu_assign_pointer(tunnel->dev, dev);
		hlist_add_head_rcu(&tunnel->by_ifindex, bucket_of(vnet->by_ifindex, ifindex));
		hlist_add_head_rcu(&tunnel->by_if_id, bucket_of(vnet->by_if_id, tunnel->if_id));
		/* Events were not heard before. */
		vgw_bundle_void_rules(&tunnel->bundles);
		WRITE_ONCE(tunnel->recheck, true);
		vgw_event_count(vnet);
	}
	dev_put(dev);
	return ret;
}

void vgw_tunnel_detach(struct vgw_tunnel *tunnel)
{
	struct net_device *dev;

	lockdep_assert_held(&tunnel->gw->vnet->lock);
	dev = rcu_dereference_protected(tunnel->dev, lockdep_is_held(&tunnel->gw->vnet->lock));
	if (!dev)
		return;
	hlist_del_init_rcu(&tunnel->by_ifindex);
	hlist_del_init_rcu(&tunnel->by_if_id);
	RCU_INIT_POINTER(tunnel->dev, NULL);
	WRITE_ONCE(tunnel->ifindex, 0);
	tunnel->detached = get_state_synchronize_rcu();
	vgw_net_changed(tunnel->gw->vnet);
	if (vgw_tunnel_live(tunnel))
		WRITE_ONCE(tunnel->down_since, jiffies);
	WRITE_ONCE(tunnel->live, false);
	tunnel->reason = VGW_TUNNEL_REASON_DEVICE_DOWN;
	vgw_bundle_purge(&tunnel->bundles);
	/* Packets in flight use the pointer under RCU; the device waits for them itself. */
	netdev_put(dev, &tunnel->tracker);
}

static void free_rcu_tunnel(struct rcu_head *head)
{
	struct vgw_tunnel *tunnel = container_of(head, struct vgw_tunnel, rcu);

	vgw_bundle_free(tunnel);
	free_percpu(tunnel->stats);
	kfree(tunnel);
}

static struct vgw_tunnel *create(struct vgw_gateway *gw, const struct vgw_tunnel_config *config,
				 struct netlink_ext_ack *extack)
{
	struct vgw_tunnel *tunnel;
	int ret;

	if (gw->vnet->tunnel_count >= VGW_TUNNELS_MAX) {
		NL_SET_ERR_MSG(extack, "network namespace has its limit of tunnels");
		return ERR_PTR(-ENOSPC);
	}
	tunnel = kzalloc(sizeof(*tunnel), GFP_KERNEL_ACCOUNT);
	if (!tunnel)
		return ERR_PTR(-ENOMEM);
	tunnel->gw = gw;
	tunnel->id = config->id;
	tunnel->detached = get_completed_synchronize_rcu();
	tunnel->stats = vgw_stats_alloc();
	ret = tunnel->stats ? vgw_bundle_init(tunnel) : -ENOMEM;
	if (!ret)
		ret = attach(tunnel, config->ifindex, extack);
	if (!ret) {
		ret = xa_err(xa_store(&gw->tunnels, config->id, tunnel, GFP_KERNEL_ACCOUNT));
		if (ret)
			vgw_tunnel_detach(tunnel);
	}
	if (ret) {
		call_rcu(&tunnel->rcu, free_rcu_tunnel);
		return ERR_PTR(ret);
	}
	gw->vnet->tunnel_count++;
	gw->tunnel_count++;
	pr_debug("%s: tunnel %u created\n", gw->dev->name, tunnel->id);
	return tunnel;
}

static void join_connection(struct vgw_tunnel *tunnel, u32 connection)
{
	bool member = !hlist_unhashed(&tunnel->by_connection);

	if (member && tunnel->connection == connection)
		return;
	hlist_del_init_rcu(&tunnel->by_connection);
	WRITE_ONCE(tunnel->connection, connection);
	/* Who stands on the node goes on where it stood. A move is rare. */
	if (member)
		synchronize_rcu();
	hlist_add_head_rcu(&tunnel->by_connection,
			   bucket_of(tunnel->gw->by_connection, connection));
}

int vgw_tunnel_set(struct vgw_gateway *gw, const struct vgw_tunnel_config *config, bool has_ifindex,
		   struct netlink_ext_ack *extack)
{
	struct vgw_tunnel *tunnel = xa_load(&gw->tunnels, config->id);
	int ret;

	lockdep_assert_held(&gw->vnet->lock);
	if (!tunnel && !has_ifindex) {
		NL_SET_ERR_MSG(extack, "a new tunnel needs an ifindex");
		return -EINVAL;
	}
	if (!tunnel) {
		tunnel = create(gw, config, extack);
		if (IS_ERR(tunnel))
			return PTR_ERR(tunnel);
	} else if (has_ifindex && tunnel->ifindex && tunnel->ifindex != config->ifindex) {
		NL_SET_ERR_MSG(extack, "the device of a tunnel is fixed while it exists");
		return -EOPNOTSUPP;
	} else if (has_ifindex && !tunnel->ifindex) {
		ret = attach(tunnel, config->ifindex, extack);
		if (ret)
			return ret;
	}
	join_connection(tunnel, config->connection);
	WRITE_ONCE(tunnel->site, config->site);
	WRITE_ONCE(tunnel->source_check, config->source_check);
	WRITE_ONCE(tunnel->transit, config->transit);
	tunnel->failed = config->failed;
	tunnel->mark = gw->parity;
	vgw_net_changed(gw->vnet);
	vgw_tunnel_audit(tunnel);
	vgw_event_kick(gw->vnet);
	return 0;
}

void vgw_tunnel_destroy(struct vgw_tunnel *tunnel)
{
	struct vgw_gateway *gw = tunnel->gw;

	lockdep_assert_held(&gw->vnet->lock);
	vgw_tunnel_detach(tunnel);
	hlist_del_init_rcu(&tunnel->by_connection);
	xa_erase(&gw->tunnels, tunnel->id);
	vgw_net_changed(gw->vnet);
	gw->vnet->tunnel_count--;
	gw->tunnel_count--;
	pr_debug("%s: tunnel %u destroyed\n", gw->dev->name, tunnel->id);
	call_rcu(&tunnel->rcu, free_rcu_tunnel);
}

int vgw_tunnel_del(struct vgw_gateway *gw, struct vgw_tunnel *tunnel,
		   struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&gw->vnet->lock);
	if (tunnel->members) {
		NL_SET_ERR_MSG(extack, "tunnel is a member of a group");
		return -EBUSY;
	}
	vgw_tunnel_destroy(tunnel);
	return 0;
}
