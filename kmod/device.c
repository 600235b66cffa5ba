// SPDX-License-Identifier: GPL-2.0-only
#include "device.h"

#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/vgw.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>

#include "compat.h"
#include "ethtool.h"
#include "gateway.h"
#include "unbound.h"
#include "xmit.h"

/* Outer IPv6 header, UDP, ESP header, IV, and what the link needs. */
#define VGW_HEADROOM	128

static void device_free(struct net_device *dev)
{
	vgw_gateway_free(netdev_priv(dev));
#ifndef VGW_HAVE_CORE_TSTATS
	free_percpu(dev->tstats);
#endif
}

static int device_init(struct net_device *dev)
{
	struct vgw_gateway *gw = netdev_priv(dev);
	int ret;

#ifndef VGW_HAVE_CORE_TSTATS
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		return -ENOMEM;
#endif
	ret = vgw_gateway_init(gw, dev);
	if (!ret) {
		/* From here on a failed registration calls it, too. */
		dev->priv_destructor = device_free;
		return 0;
	}
#ifndef VGW_HAVE_CORE_TSTATS
	free_percpu(dev->tstats);
#endif
	return ret;
}

static void device_uninit(struct net_device *dev)
{
	vgw_gateway_uninit(netdev_priv(dev));
}

static int device_open(struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rtnl(dev);
	struct vgw_gateway *gw = netdev_priv(dev);

	/* A LAN host and a site are never behind the same device: no redirects. */
	if (in_dev) {
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	vgw_unbound_changed(gw->vnet);
	return 0;
}

static const struct net_device_ops device_ops = {
	.ndo_init = device_init,
	.ndo_uninit = device_uninit,
	.ndo_open = device_open,
	.ndo_start_xmit = vgw_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

bool vgw_device_is(const struct net_device *dev)
{
	return dev->netdev_ops == &device_ops;
}

static const struct device_type device_type = { .name = VGW_KIND };

static void device_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_GSO_SOFTWARE |
					   NETIF_F_HW_CSUM | NETIF_F_HIGHDMA | NETIF_F_RXCSUM;

	dev->netdev_ops = &device_ops;
	dev->ethtool_ops = &vgw_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = IP_MAX_MTU;
	dev->needed_headroom = VGW_HEADROOM;
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
#ifdef VGW_HAVE_CORE_TSTATS
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
#endif
	vgw_dev_set_lockless(dev);
	vgw_dev_pin_netns(dev);
	SET_NETDEV_DEVTYPE(dev, &device_type);
	/* ICMP errors need the route that brought the packet here. */
	netif_keep_dst(dev);
	dev->needs_free_netdev = true;
}

static void apply_settings(struct vgw_gateway *gw, struct nlattr *data[])
{
	if (data && data[IFLA_VGW_QUOTA])
		WRITE_ONCE(gw->quota, nla_get_u32(data[IFLA_VGW_QUOTA]));
	if (data && data[IFLA_VGW_HASH_SEED])
		WRITE_ONCE(gw->hash.seed, nla_get_u32(data[IFLA_VGW_HASH_SEED]));
}

static int device_newlink(struct net *src_net, struct net_device *dev, struct nlattr *tb[],
			  struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct vgw_gateway *gw = netdev_priv(dev);
	int ret;

	gw->quota = VGW_QUOTA_DEFAULT;
	apply_settings(gw, data);
	ret = register_netdevice(dev);
	if (ret == -ENOSPC)
		NL_SET_ERR_MSG(extack, "network namespace has its limit of gateways");
	return ret;
}

static int device_changelink(struct net_device *dev, struct nlattr *tb[], struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	struct vgw_gateway *gw = netdev_priv(dev);

	mutex_lock(&gw->vnet->lock);
	apply_settings(gw, data);
	vgw_net_changed(gw->vnet);
	mutex_unlock(&gw->vnet->lock);
	return 0;
}

static size_t device_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u32)) * 2;
}

static int device_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct vgw_gateway *gw = netdev_priv(dev);

	if (nla_put_u32(skb, IFLA_VGW_QUOTA, READ_ONCE(gw->quota)) ||
	    nla_put_u32(skb, IFLA_VGW_HASH_SEED, READ_ONCE(gw->hash.seed)))
		return -EMSGSIZE;
	return 0;
}

static const struct nla_policy device_policy[IFLA_VGW_MAX + 1] = {
	[IFLA_VGW_QUOTA] = { .type = NLA_U32 },
	[IFLA_VGW_HASH_SEED] = { .type = NLA_U32 },
};

static struct rtnl_link_ops link_ops __read_mostly = {
	.kind = VGW_KIND,
	.priv_size = sizeof(struct vgw_gateway),
	.setup = device_setup,
	.maxtype = IFLA_VGW_MAX,
	.policy = device_policy,
	.newlink = device_newlink,
	.changelink = device_changelink,
	.get_size = device_get_size,
	.fill_info = device_fill_info,
};

int vgw_device_init(void)
{
	return rtnl_link_register(&link_ops);
}

void vgw_device_uninit(void)
{
	rtnl_link_unregister(&link_ops);
}
