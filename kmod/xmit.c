// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tunnel that turns out to be dead while a packet is on its way costs that
 * packet nothing but the attempt: the choice is made again without it. Only
 * when nobody is left the packet is dropped, counted by cause, and its sender
 * told.
 */
#include "xmit.h"

#include <linux/icmpv6.h>
#include <linux/vgw.h>
#include <net/dst.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "bundle.h"
#include "compat.h"
#include "device.h"
#include "drop.h"
#include "gateway.h"
#include "group.h"
#include "mss.h"
#include "select.h"
#include "trace.h"
#include "unbound.h"

/* Outcome of one attempt. */
enum attempt {
	SENT,		/* the packet is gone: sent, or dropped further down and counted there */
	DEAD,		/* the tunnel is of no use for it, try another */
	REFUSED,	/* drop it; the cause is counted */
};

static void send_unreachable(struct sk_buff *skb, u8 family)
{
	if (family == AF_INET)
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_NOROUTE, 0);
}

/* Raw sockets on the device send without a route. */
static bool ensure_route(struct sk_buff *skb, struct net_device *dev, struct flowi *fl, u8 family)
{
	struct dst_entry *dst;

	if (skb_dst(skb))
		return true;
	fl->flowi_oif = dev->ifindex;
	if (family == AF_INET) {
		struct rtable *rt;

		fl->u.ip4.flowi4_flags |= FLOWI_FLAG_ANYSRC;
		rt = __ip_route_output_key(dev_net(dev), &fl->u.ip4);
		if (IS_ERR(rt))
			return false;
		skb_dst_set(skb, &rt->dst);
		return true;
	}
	fl->u.ip6.flowi6_flags |= FLOWI_FLAG_ANYSRC;
	dst = ip6_route_output(dev_net(dev), NULL, &fl->u.ip6);
	if (dst->error) {
		dst_release(dst);
		return false;
	}
	skb_dst_set(skb, dst);
	return true;
}

bool vgw_xmit_fits(const struct sk_buff *skb, unsigned int mtu)
{
	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) : skb->len <= mtu;
}

/* True if the packet may go on: it fits, or may be fragmented. Else its sender is told. */
static bool check_mtu(struct sk_buff *skb, u8 family, unsigned int mtu)
{
	if (vgw_xmit_fits(skb, mtu))
		return true;
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (family == AF_INET) {
		if (!(ip_hdr(skb)->frag_off & htons(IP_DF)))
			return true;
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
		return false;
	}
	/* Up to the IPv6 minimum the outer packet is fragmented instead. */
	if (!skb_is_gso(skb) && skb->len <= IPV6_MIN_MTU)
		return true;
	icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, max_t(unsigned int, mtu, IPV6_MIN_MTU));
	return false;
}

/* What an error of the XFRM lookup means for tunnel and packet. */
static enum attempt lookup_failed(struct vgw_tunnel *tunnel, const struct sk_buff *skb, u8 family,
				  int error, bool news)
{
	switch (error) {
	case -EPERM:
		vgw_drop(tunnel->gw, tunnel, skb, VGW_STAT_DROP_BLOCKED);
		return REFUSED;
	case -ENOMEM:
	case -ENOBUFS:
		vgw_drop(tunnel->gw, tunnel, skb, VGW_STAT_DROP_NO_MEMORY);
		return REFUSED;
	case -ESRCH:
		/* Outside of the policies. If they changed, events told the audit. */
		return DEAD;
	default:
		if (news)
			vgw_tunnel_suspect_family(tunnel, family);
		return DEAD;
	}
}

static void count_sent(struct vgw_tunnel *tunnel, struct net_device *xdev, unsigned int len,
		       int err)
{
	struct vgw_gateway *gw = tunnel->gw;

	if (net_xmit_eval(err)) {
		DEV_STATS_INC(gw->dev, tx_errors);
		DEV_STATS_INC(gw->dev, tx_aborted_errors);
		return;
	}
	dev_sw_netstats_tx_add(gw->dev, 1, len);
	vgw_stats_packet(gw->stats, VGW_STAT_TX_PACKETS, len);
	vgw_stats_packet(tunnel->stats, VGW_TSTAT_TX_PACKETS, len);
	if (xdev)
		dev_sw_netstats_tx_add(xdev, 1, len);
}

/* Something sits on the XFRM device's way out: the packet must pass it. */
static enum attempt send_by_device(struct vgw_tunnel *tunnel, struct net_device *xdev,
				   struct sk_buff *skb, struct dst_entry *bundle)
{
	unsigned int len = skb->len;

	dst_release(bundle);
	skb->dev = xdev;
	count_sent(tunnel, NULL, len, dev_queue_xmit(skb));
	return SENT;
}

static enum attempt send_bundle(struct vgw_tunnel *tunnel, struct net_device *xdev,
				struct sk_buff *skb, struct dst_entry *bundle)
{
	unsigned int len = skb->len;
	int err;

	skb_scrub_packet(skb, false);
	skb_dst_set(skb, bundle);
	skb->dev = bundle->dev;
	err = dst_output(dev_net(xdev), skb->sk, skb);
	count_sent(tunnel, xdev, len, err);
	return SENT;
}

/* To what every member of the group carries, so that a failover needs no smaller segments. */
static void clamp_mss(const struct vgw_choice *choice, struct sk_buff *skb,
		      const struct vgw_flow *flow, u32 mtu)
{
	struct vgw_gateway *gw = choice->tunnel->gw;
	unsigned int tcp;

	if (!READ_ONCE(gw->mss_clamp))
		return;
	tcp = vgw_mss_syn(skb, flow);
	if (tcp && vgw_mss_lower(skb, tcp, flow->family,
				 min_not_zero(mtu, vgw_group_mtu(choice->group))))
		vgw_stats_add(gw->stats, VGW_STAT_MSS_CLAMPED, 1);
}

static enum attempt try_tunnel(const struct vgw_choice *choice, struct sk_buff *skb,
			       const struct vgw_flow *flow)
{
	struct vgw_tunnel *tunnel = choice->tunnel;
	u32 gen = vgw_bundle_generation(&tunnel->bundles);
	struct net_device *xdev = rcu_dereference(tunnel->dev);
	struct dst_entry *bundle;
	unsigned int mtu;
	bool news;

	/* It stops running some time before it loses IFF_UP. */
	if (!xdev || !netif_running(xdev)) {
		vgw_tunnel_suspect(tunnel);
		return DEAD;
	}
	bundle = vgw_bundle_get(tunnel, xdev, gen, skb, flow->family, &news);
	if (IS_ERR(bundle))
		return lookup_failed(tunnel, skb, flow->family, PTR_ERR(bundle), news);
	if (vgw_device_is(bundle->dev)) {
		/* The outer packet would come back to us. */
		dst_release(bundle);
		DEV_STATS_INC(tunnel->gw->dev, collisions);
		vgw_drop(tunnel->gw, tunnel, skb, VGW_STAT_DROP_LOOP);
		return REFUSED;
	}
	mtu = dst_mtu(bundle);
	vgw_tunnel_note(tunnel, bundle->xfrm->id.spi, mtu);
	/* The bundle knows the tunnel's limit, the packet's own route that of its path. */
	if (!check_mtu(skb, flow->family, min(mtu, dst_mtu(skb_dst(skb))))) {
		dst_release(bundle);
		vgw_drop(tunnel->gw, tunnel, skb, VGW_STAT_DROP_TOO_BIG);
		return REFUSED;
	}
	clamp_mss(choice, skb, flow, mtu);
	if (vgw_dev_egress_busy(xdev))
		return send_by_device(tunnel, xdev, skb, bundle);
	return send_bundle(tunnel, xdev, skb, bundle);
}

static void drop_by_verdict(struct vgw_gateway *gw, const struct sk_buff *skb,
			    const struct vgw_choice *choice)
{
	static const u8 stat[] = {
		[VGW_VERDICT_MISS] = VGW_STAT_DROP_MISS,
		[VGW_VERDICT_SYSTEM] = VGW_STAT_DROP_SYSTEM,
		[VGW_VERDICT_DEAD] = VGW_STAT_DROP_DEAD,
		[VGW_VERDICT_RESERVED] = VGW_STAT_DROP_RESERVED,
		[VGW_VERDICT_GUARD] = VGW_STAT_DROP_GUARD,
	};

	vgw_drop_unrouted(gw, choice->group, skb, stat[choice->verdict]);
	DEV_STATS_INC(gw->dev, tx_carrier_errors);
}

/* True: the packet is gone. False: drop it, the cause is counted. */
static bool forward(struct vgw_gateway *gw, struct sk_buff *skb, const struct vgw_flow *flow,
		    u32 hash)
{
	struct vgw_excluded excluded = {};
	struct vgw_choice choice;

	for (;;) {
		enum attempt attempt;

		vgw_select(gw, flow, hash, &excluded, &choice);
		if (choice.verdict == VGW_VERDICT_TUNNEL && excluded.n == VGW_EXCLUDED_MAX)
			choice.verdict = VGW_VERDICT_DEAD;
		trace_vgw_lookup(gw->dev, flow, hash, &choice);
		if (choice.verdict != VGW_VERDICT_TUNNEL) {
			drop_by_verdict(gw, skb, &choice);
			send_unreachable(skb, flow->family);
			return false;
		}
		attempt = try_tunnel(&choice, skb, flow);
		if (attempt == REFUSED)
			return false;
		if (attempt == SENT)
			break;
		vgw_stats_add(choice.tunnel->stats, VGW_TSTAT_TX_ERRORS, 1);
		trace_vgw_failover(gw->dev, choice.group->id, choice.bucket, choice.tunnel->id);
		excluded.tunnel[excluded.n++] = choice.tunnel;
	}
	this_cpu_inc(choice.group->stats->packets);
	vgw_group_used(choice.group, hash, choice.tunnel);
	if (excluded.n) {
		this_cpu_inc(choice.group->stats->failover);
		vgw_stats_add(gw->stats, VGW_STAT_FAILOVER, 1);
	}
	return true;
}

/* The control block belongs to the layer that sends; ours starts clean. */
static bool prepare(struct sk_buff *skb, struct vgw_flow *flow)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		return pskb_may_pull(skb, sizeof(struct iphdr)) && vgw_flow_from_skb(skb, flow) &&
		       flow->family == AF_INET;
	case htons(ETH_P_IPV6):
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
		return pskb_may_pull(skb, sizeof(struct ipv6hdr)) && vgw_flow_from_skb(skb, flow) &&
		       flow->family == AF_INET6;
	default:
		return false;
	}
}

static bool transmit(struct vgw_gateway *gw, struct sk_buff *skb)
{
	struct vgw_flow flow, errs;
	struct flowi fl = {};

	if (!prepare(skb, &flow)) {
		vgw_drop(gw, NULL, skb, VGW_STAT_DROP_MALFORMED);
		return false;
	}
	if (flow.family == AF_INET && vgw_unbound_blocks(gw->vnet)) {
		vgw_drop(gw, NULL, skb, VGW_STAT_DROP_BLOCKED);
		return false;
	}
	if (!skb_dst(skb)) {
		if (flow.family == AF_INET) {
			fl.u.ip4.daddr = flow.dst.v4;
		} else {
			fl.u.ip6.daddr = flow.dst.v6;
			fl.u.ip6.saddr = flow.src.v6;
		}
		if (!ensure_route(skb, gw->dev, &fl, flow.family)) {
			vgw_drop(gw, NULL, skb, VGW_STAT_DROP_MISS);
			return false;
		}
	}
	errs = flow;
	vgw_flow_of_error(skb, &errs);
	return forward(gw, skb, &flow, vgw_flow_hash(&errs, &gw->hash));
}

netdev_tx_t vgw_xmit(struct sk_buff *skb, struct net_device *dev)
{
	/* The core promises RCU-bh only. */
	rcu_read_lock();
	if (!transmit(netdev_priv(dev), skb)) {
		DEV_STATS_INC(dev, tx_errors);
		DEV_STATS_INC(dev, tx_dropped);
		kfree_skb(skb);
	}
	rcu_read_unlock();
	return NETDEV_TX_OK;
}
