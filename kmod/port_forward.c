// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ip_forward() and ip_output() do to a packet on its way to the gateway's device,
 * for those packets only to which they do nothing else. In doubt a packet goes the
 * normal way, which decides it all again.
 */
#include "port.h"

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/vgw.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "compat.h"
#include "gateway.h"
#include "xmit.h"

/* May the packet be forwarded without a look at anything but its route? */
static bool plain(const struct sk_buff *skb)
{
	if (skb->pkt_type != PACKET_HOST || skb->sk || skb_dst(skb) || skb->ignore_df ||
	    skb_sec_path(skb) || nf_bridge_info_exists(skb))
		return false;
#ifdef CONFIG_NETWORK_SECMARK
	/* Security hooks would look at it. */
	if (skb->secmark)
		return false;
#endif
#ifdef CONFIG_NET_SWITCHDEV
	if (skb->offload_l3_fwd_mark)
		return false;
#endif
	/* Merged by a device that cannot take them apart again. */
	return !skb_is_gso(skb) || skb_shinfo(skb)->gso_type;
}

static bool plain4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return iph->ihl == 5 && iph->ttl > 1 && !IPCB(skb)->frag_max_size &&
	       !ipv4_is_multicast(iph->daddr) && !ipv4_is_lbcast(iph->daddr);
}

/* Would the gateway's device take the segments as they are? */
static bool merged_ok(struct sk_buff *skb, struct net_device *out)
{
	struct net_device *dev = skb->dev;
	bool ok;

	if (!skb_is_gso(skb))
		return true;
	skb->dev = out;
	ok = !netif_needs_gso(skb, netif_skb_features(skb));
	skb->dev = dev;
	return ok;
}

static bool leads_to(const struct dst_entry *dst, const struct net_device *out)
{
	return dst->dev == out && !dst->error && !dst->lwtstate && !dst->xfrm;
}

static bool fast4(const struct vgw_port *port, struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	const struct dst_entry *dst = &rt->dst;

	if (!leads_to(dst, port->gw->dev) || rt->rt_type != RTN_UNICAST ||
	    !rt_is_input_route(rt) || dst->output != ip_output)
		return false;
#ifdef CONFIG_IP_ROUTE_CLASSID
	if (dst->tclassid)
		return false;
#endif
	return !(IPCB(skb)->flags & IPSKB_DOREDIRECT) &&
	       vgw_xmit_fits(skb, ip_dst_mtu_maybe_forward(dst, true)) &&
	       merged_ok(skb, port->gw->dev);
}

/* To the gateway, as its device's queue would hand it over. */
static unsigned int deliver(struct vgw_port *port, struct sk_buff *skb)
{
	struct net_device *out = port->gw->dev;

	skb_clear_tstamp(skb);
	skb->dev = out;
	skb_reset_mac_header(skb);
	/* A verdict from user space may have come here with them on. */
	local_bh_disable();
	vgw_stats_packet(port->stats, VGW_PSTAT_PACKETS, skb->len);
	vgw_xmit(skb, out);
	local_bh_enable();
	return NF_STOLEN;
}

static unsigned int forward4(struct vgw_port *port, struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	struct net *net = dev_net(skb->dev);
	struct iphdr *iph;

	skb_forward_csum(skb);
	if (skb_cow(skb, LL_RESERVED_SPACE(dst->dev) + dst->header_len))
		return NF_DROP;
	iph = ip_hdr(skb);
	ip_decrease_ttl(iph);
	if (READ_ONCE(net->ipv4.sysctl_ip_fwd_update_priority))
		skb->priority = rt_tos2priority(iph->tos);
	__IP_INC_STATS(net, IPSTATS_MIB_OUTFORWDATAGRAMS);
#ifndef VGW_HAVE_OUT_OCTETS_ONCE
	__IP_ADD_STATS(net, IPSTATS_MIB_OUTOCTETS, skb->len);
#endif
	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, skb->len);
	return deliver(port, skb);
}

/* The input lookup refused it: so ends the packet in the kernel's own hands, too. */
static unsigned int refuse(struct sk_buff *skb, int err)
{
	if (err == -EXDEV)
		__NET_INC_STATS(dev_net(skb->dev), LINUX_MIB_IPRPFILTER);
	kfree_skb_reason(skb, err == -EXDEV ? SKB_DROP_REASON_IP_RPFILTER :
					      SKB_DROP_REASON_NOT_SPECIFIED);
	return NF_STOLEN;
}

static unsigned int receive4(struct vgw_port *port, struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	int err;

	if (!plain(skb) || !plain4(skb))
		return NF_ACCEPT;
	err = ip_route_input_noref(skb, iph->daddr, iph->saddr, iph->tos, skb->dev);
	if (unlikely(err))
		return refuse(skb, err);
	return fast4(port, skb) ? forward4(port, skb) : NF_ACCEPT;
}

#if IS_ENABLED(CONFIG_IPV6)

static bool plain6(const struct sk_buff *skb)
{
	const struct ipv6hdr *hdr = ipv6_hdr(skb);
	int src = ipv6_addr_type(&hdr->saddr);
	int dst = ipv6_addr_type(&hdr->daddr);

	return hdr->nexthdr != NEXTHDR_HOP && hdr->hop_limit > 1 && !IP6CB(skb)->frag_max_size &&
	       src & IPV6_ADDR_UNICAST && dst & IPV6_ADDR_UNICAST &&
	       !((src | dst) & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL)) &&
	       !READ_ONCE(dev_net(skb->dev)->ipv6.devconf_all->proxy_ndp);
}

static bool fast6(const struct vgw_port *port, struct sk_buff *skb)
{
	const struct rt6_info *rt = skb_rt6_info(skb);
	const struct dst_entry *dst = skb_dst(skb);

	return leads_to(dst, port->gw->dev) && dst->output == ip6_output &&
	       !(rt->rt6i_flags & (RTF_REJECT | RTF_LOCAL | RTF_ANYCAST)) &&
	       rt->rt6i_idev && !READ_ONCE(rt->rt6i_idev->cnf.disable_ipv6) &&
	       !(dst_metric(dst, RTAX_FEATURES) & RTAX_FEATURE_ALLFRAG) &&
	       /* Of the device, and of the path if it is known: that is asked when it leaves. */
	       vgw_xmit_fits(skb, min(ip6_dst_mtu_maybe_forward(dst, true), dst_mtu(dst))) &&
	       merged_ok(skb, port->gw->dev);
}

static unsigned int forward6(struct vgw_port *port, struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	struct inet6_dev *idev = ip6_dst_idev((struct dst_entry *)dst);
	struct net *net = dev_net(skb->dev);

	skb_forward_csum(skb);
	if (skb_cow(skb, LL_RESERVED_SPACE(dst->dev))) {
		__IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTDISCARDS);
		return NF_DROP;
	}
	ipv6_hdr(skb)->hop_limit--;
	__IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTFORWDATAGRAMS);
#ifdef VGW_HAVE_OUT_OCTETS_ONCE
	IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_OUT, skb->len);
#else
	__IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTOCTETS, skb->len);
#endif
	return deliver(port, skb);
}

static unsigned int receive6(struct vgw_port *port, struct sk_buff *skb)
{
	const struct nf_ipv6_ops *ops = nf_get_ipv6_ops();

	if (!ops || !plain(skb) || !plain6(skb))
		return NF_ACCEPT;
	ops->route_input(skb);
	return fast6(port, skb) ? forward6(port, skb) : NF_ACCEPT;
}

#else

static unsigned int receive6(struct vgw_port *port, struct sk_buff *skb)
{
	return NF_ACCEPT;
}

#endif

static unsigned int receive(struct sk_buff *skb, const struct nf_hook_state *state, u8 family)
{
	struct vgw_port *port = vgw_port_by_ifindex(vgw_net_get(state->net), state->in->ifindex);
	unsigned int verdict;

	if (!port)
		return NF_ACCEPT;
	if (vgw_port_state(port, state->in, family) != VGW_PORT_STATE_ON) {
		vgw_stats_add(port->stats, VGW_PSTAT_ASIDE, 1);
		return NF_ACCEPT;
	}
	verdict = family == AF_INET ? receive4(port, skb) : receive6(port, skb);
	if (verdict == NF_ACCEPT)
		vgw_stats_add(port->stats, VGW_PSTAT_OTHER, 1);
	return verdict;
}

static unsigned int hook4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return receive(skb, state, AF_INET);
}

static unsigned int hook6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return receive(skb, state, AF_INET6);
}

/* After all others: what they change or refuse is done. */
static const struct nf_hook_ops hooks[] = {
	{
		.hook = hook4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = hook6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_LAST,
	},
};

int vgw_port_hook_register(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

void vgw_port_hook_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
