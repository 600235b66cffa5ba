/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows of differences between kernels. Kbuild asks the
 * target's headers what is there (VGW_HAVE_*); nothing here asks for a version.
 */
#ifndef _VGW_COMPAT_H
#define _VGW_COMPAT_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/genetlink.h>
#include <net/sch_generic.h>
#include <net/xfrm.h>
#ifdef VGW_HAVE_GSO_H
#include <net/gso.h>
#endif

static inline void vgw_dev_set_lockless(struct net_device *dev)
{
#ifdef VGW_HAVE_DEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

static inline void vgw_dev_pin_netns(struct net_device *dev)
{
#if defined(VGW_HAVE_DEV_NETNS_IMMUTABLE)
	dev->netns_immutable = true;
#elif defined(VGW_HAVE_DEV_NETNS_LOCAL)
	dev->netns_local = true;
#else
	dev->features |= NETIF_F_NETNS_LOCAL;
#endif
}

static inline int vgw_decode_session(struct net *net, struct sk_buff *skb, struct flowi *fl,
				     unsigned int family)
{
#ifdef VGW_HAVE_DECODE_SESSION_NET
	return xfrm_decode_session(net, skb, fl, family);
#else
	return xfrm_decode_session(skb, fl, family);
#endif
}

/* The request's attributes, in a dump. */
static inline struct nlattr **vgw_dump_attrs(struct netlink_callback *cb)
{
#ifdef VGW_HAVE_DUMPIT_GENL_INFO
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/*
 * Does anything wait on the device's way out: a qdisc, a filter, a tap? RCU. While
 * a device comes up or goes down it has a qdisc that drops all: that is nothing.
 */
static inline bool vgw_dev_egress_busy(const struct net_device *dev)
{
	const struct Qdisc *qdisc = rcu_dereference(netdev_get_tx_queue(dev, 0)->qdisc);

	if (!list_empty(&dev->ptype_all) || (qdisc && qdisc != &noop_qdisc && qdisc->enqueue))
		return true;
#ifdef CONFIG_NETFILTER_EGRESS
	if (rcu_access_pointer(dev->nf_hooks_egress))
		return true;
#endif
#ifdef CONFIG_NET_XGRESS
	return rcu_access_pointer(dev->tcx_egress);
#elif defined(CONFIG_NET_CLS_ACT)
	return rcu_access_pointer(dev->miniq_egress);
#else
	return false;
#endif
}

#endif /* _VGW_COMPAT_H */
