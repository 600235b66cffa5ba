// SPDX-License-Identifier: GPL-2.0-only
#include "flow.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/vgw.h>
#include <net/ip.h>
#include <net/ipv6.h>

static bool protocol_has_ports(u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return true;
	default:
		return false;
	}
}

static void read_ports(const struct sk_buff *skb, int offset, struct vgw_flow *flow)
{
	__be16 buf[2], *ports;

	if (!protocol_has_ports(flow->protocol))
		return;
	ports = skb_header_pointer(skb, offset, sizeof(buf), buf);
	if (!ports)
		return;
	flow->sport = ports[0];
	flow->dport = ports[1];
}

/* Each returns the offset of the transport header, 0 for a fragment, negative for no header. */
static int read_ipv4(const struct sk_buff *skb, int offset, struct vgw_flow *flow)
{
	struct iphdr buf, *iph = skb_header_pointer(skb, offset, sizeof(buf), &buf);

	if (!iph || iph->version != 4 || iph->ihl < 5)
		return -EINVAL;
	memset(flow, 0, sizeof(*flow));
	flow->family = AF_INET;
	flow->protocol = iph->protocol;
	flow->src.v4 = iph->saddr;
	flow->dst.v4 = iph->daddr;
	return ip_is_fragment(iph) ? 0 : offset + iph->ihl * 4;
}

static int read_ipv6(const struct sk_buff *skb, int offset, struct vgw_flow *flow)
{
	struct ipv6hdr buf, *ip6h = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	__be16 frag_off = 0;
	u8 next;
	int end;

	if (!ip6h || ip6h->version != 6)
		return -EINVAL;
	memset(flow, 0, sizeof(*flow));
	flow->family = AF_INET6;
	flow->src.v6 = ip6h->saddr;
	flow->dst.v6 = ip6h->daddr;
	flow->label = ip6_flowlabel(ip6h);
	next = ip6h->nexthdr;
	end = ipv6_skip_exthdr(skb, offset + sizeof(*ip6h), &next, &frag_off);
	flow->protocol = next;
	/*
	 * A first fragment has offset 0 but the "more" bit. The walk ends at different
	 * headers in first and later fragments, so none of that may count.
	 */
	if (frag_off)
		flow->protocol = NEXTHDR_FRAGMENT;
	if (end < 0 || frag_off)
		return 0;
	return end;
}

static int read_header(const struct sk_buff *skb, int offset, struct vgw_flow *flow)
{
	u8 buf, *first = skb_header_pointer(skb, offset, 1, &buf);

	if (!first)
		return -EINVAL;
	return *first >> 4 == 6 ? read_ipv6(skb, offset, flow) : read_ipv4(skb, offset, flow);
}

bool vgw_flow_from_skb(const struct sk_buff *skb, struct vgw_flow *flow)
{
	int transport = read_header(skb, skb_network_offset(skb), flow);

	if (transport < 0)
		return false;
	if (transport)
		read_ports(skb, transport, flow);
	return true;
}

static bool is_icmp_error(const struct vgw_flow *flow, u8 type)
{
	if (flow->family == AF_INET && flow->protocol == IPPROTO_ICMP)
		return icmp_is_err(type);
	if (flow->family == AF_INET6 && flow->protocol == IPPROTO_ICMPV6)
		return icmpv6_is_err(type);
	return false;
}

void vgw_flow_of_error(const struct sk_buff *skb, struct vgw_flow *flow)
{
	struct vgw_flow outer, quoted;
	int transport, inner;
	u8 buf, *type;

	if (flow->protocol != IPPROTO_ICMP && flow->protocol != IPPROTO_ICMPV6)
		return;
	transport = read_header(skb, skb_network_offset(skb), &outer);
	if (transport <= 0)
		return;
	type = skb_header_pointer(skb, transport, 1, &buf);
	if (!type || !is_icmp_error(flow, *type))
		return;
	inner = read_header(skb, transport + sizeof(struct icmphdr), &quoted);
	if (inner < 0 || quoted.family != flow->family)
		return;
	if (inner)
		read_ports(skb, inner, &quoted);
	*flow = quoted;
}

static u64 mix(u64 a, u64 b)
{
	u64 x = (a ^ b) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

static u64 fold(const union vgw_addr *addr, u64 seed)
{
	return mix(mix(seed, (u64)addr->word[0] << 32 | addr->word[1]),
		   (u64)addr->word[2] << 32 | addr->word[3]);
}

/* Each end is hashed by itself and the two are put together so that their order is lost. */
u32 vgw_flow_hash(const struct vgw_flow *flow, const struct vgw_hash *hash)
{
	u32 seed = READ_ONCE(hash->seed);
	u8 fields = READ_ONCE(hash->fields);
	bool by_label = fields == VGW_HASH_FIELDS_FLOW_LABEL && flow->label;
	bool by_ports = fields != VGW_HASH_FIELDS_ADDRESSES && !by_label;
	u64 a = mix(fold(&flow->src, seed), by_ports ? (__force u16)flow->sport : 0);
	u64 b = mix(fold(&flow->dst, seed), by_ports ? (__force u16)flow->dport : 0);
	u32 rest = by_ports ? flow->protocol : by_label ? (__force u32)flow->label : 0;

	return mix(mix(a + b, a ^ b), rest) >> 32;
}
