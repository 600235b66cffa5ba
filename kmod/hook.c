// SPDX-License-Identifier: GPL-2.0-only
#include "hook.h"

#include <linux/inetdevice.h>
#include <linux/kallsyms.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/vgw.h>
#include <net/addrconf.h>

#include "device.h"
#include "drop.h"
#include "gateway.h"
#include "mss.h"
#include "select.h"
#include "tunnel.h"

/* The inside /30 of the tunnel: BGP and its like live there. */
static bool inside4(const struct net_device *dev, __be32 addr)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return false;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (inet_ifa_match(addr, ifa))
			return true;
	return false;
}

static bool inside6(struct net_device *dev, const struct in6_addr *addr)
{
	if (ipv6_addr_any(addr) || (ipv6_addr_type(addr) & IPV6_ADDR_LINKLOCAL))
		return true;
	return IS_ENABLED(CONFIG_IPV6) && ipv6_chk_prefix(addr, dev);
}

static bool source_ok(const struct vgw_tunnel *tunnel, struct net_device *dev,
		      const struct vgw_flow *flow)
{
	u8 check = READ_ONCE(tunnel->source_check);

	if (check == VGW_SOURCE_CHECK_OFF)
		return true;
	if (flow->family == AF_INET ? inside4(dev, flow->src.v4) : inside6(dev, &flow->src.v6))
		return true;
	return vgw_select_source_ok(tunnel->gw, tunnel, flow, check == VGW_SOURCE_CHECK_SITE);
}

/* What the far end may be sent goes back through a tunnel of the same connection. */
static void clamp_mss(const struct vgw_tunnel *tunnel, struct sk_buff *skb,
		      const struct vgw_flow *flow)
{
	unsigned int tcp;

	if (!READ_ONCE(tunnel->gw->mss_clamp))
		return;
	tcp = vgw_mss_syn(skb, flow);
	if (tcp && vgw_mss_lower(skb, tcp, flow->family, vgw_tunnel_connection_mtu(tunnel)))
		vgw_stats_add(tunnel->gw->stats, VGW_STAT_MSS_CLAMPED, 1);
}

/* Before connection tracking, so that a refused packet leaves no trace there. */
static unsigned int hook_ingress(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct vgw_tunnel *tunnel;
	struct vgw_flow flow;

	tunnel = vgw_tunnel_by_ifindex(vgw_net_get(state->net), state->in->ifindex);
	if (!tunnel)
		return NF_ACCEPT;
	if (!vgw_flow_from_skb(skb, &flow) || !source_ok(tunnel, skb->dev, &flow)) {
		vgw_drop(tunnel->gw, tunnel, skb, VGW_STAT_DROP_SOURCE);
		return NF_DROP;
	}
	vgw_stats_packet(tunnel->stats, VGW_TSTAT_RX_PACKETS, skb->len);
	WRITE_ONCE(tunnel->last_rx, jiffies ?: 1);
	clamp_mss(tunnel, skb, &flow);
	return NF_ACCEPT;
}

/* Would the gateway send the packet to a tunnel that takes part in transit? */
static bool transit_allowed(const struct vgw_tunnel *from, const struct net_device *out,
			    const struct sk_buff *skb)
{
	const struct vgw_gateway *gw = netdev_priv(out);
	struct vgw_choice choice;
	struct vgw_flow flow;

	if (!READ_ONCE(from->transit) || !vgw_flow_from_skb(skb, &flow))
		return false;
	vgw_select(gw, &flow, vgw_flow_hash(&flow, &gw->hash), NULL, &choice);
	/* What has no tunnel is dropped and explained by the gateway itself. */
	return choice.verdict != VGW_VERDICT_TUNNEL || READ_ONCE(choice.tunnel->transit);
}

static bool same_connection(const struct vgw_tunnel *from, const struct vgw_tunnel *to)
{
	return READ_ONCE(from->connection) == READ_ONCE(to->connection);
}

/* A VRF overwrites skb_iif; the layer's control block keeps the true ingress device. */
static unsigned int hook_forward(const struct nf_hook_state *state, struct sk_buff *skb, int iif)
{
	struct vgw_net *vnet = vgw_net_get(state->net);
	struct vgw_tunnel *from = vgw_tunnel_by_ifindex(vnet, iif), *to;
	bool allowed;

	if (!from)
		return NF_ACCEPT;
	if (vgw_device_is(state->out)) {
		allowed = transit_allowed(from, state->out, skb);
	} else {
		to = vgw_tunnel_by_ifindex(vnet, state->out->ifindex);
		allowed = !to || same_connection(from, to) ||
			  (READ_ONCE(from->transit) && READ_ONCE(to->transit));
	}
	if (allowed)
		return NF_ACCEPT;
	vgw_drop(from->gw, from, skb, VGW_STAT_DROP_ISOLATION);
	return NF_DROP;
}

static unsigned int hook_forward4(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	return hook_forward(state, skb, IPCB(skb)->iif);
}

static unsigned int hook_forward6(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	return hook_forward(state, skb, IP6CB(skb)->iif);
}

/*
 * AppArmor has a hook at POST_ROUTING of every namespace, for packets that have a security
 * mark and a local socket. It is part of the kernel, so once found it stays where it is.
 */
static const void *apparmor;

static const struct nf_hook_entries *entries_of(const struct net *net, u8 family,
						unsigned int place)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (family == AF_INET6)
		return rcu_dereference(net->nf.hooks_ipv6[place]);
#endif
	return rcu_dereference(net->nf.hooks_ipv4[place]);
}

bool vgw_hook_alone(const struct net *net, u8 family, unsigned int place)
{
	const struct nf_hook_entries *entries = entries_of(net, family, place);
	const void *known = READ_ONCE(apparmor);

	for (unsigned int i = 0; entries && i < entries->num_hook_entries; i++) {
		const void *hook = entries->hooks[i].hook;

		if (hook != hook_forward4 && hook != hook_forward6 && hook != known)
			return false;
	}
	return true;
}

void vgw_hook_learn(const struct net *net)
{
	const struct nf_hook_entries *entries;
	char name[KSYM_NAME_LEN];

	rcu_read_lock();
	entries = entries_of(net, AF_INET, NF_INET_POST_ROUTING);
	for (unsigned int i = 0; entries && i < entries->num_hook_entries; i++) {
		/* A module's symbol has the module's name behind it. */
		snprintf(name, sizeof(name), "%ps", entries->hooks[i].hook);
		if (!strcmp(name, "apparmor_ip_postroute"))
			WRITE_ONCE(apparmor, entries->hooks[i].hook);
	}
	rcu_read_unlock();
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook = hook_ingress,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG,
	},
	{
		.hook = hook_ingress,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_RAW_BEFORE_DEFRAG,
	},
	{
		.hook = hook_forward4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_FORWARD,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = hook_forward6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_FORWARD,
		.priority = NF_IP6_PRI_FIRST,
	},
};

int vgw_hook_register(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

void vgw_hook_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
