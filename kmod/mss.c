// SPDX-License-Identifier: GPL-2.0-only
#include "mss.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/swab.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "flow.h"

/* TCP options (RFC 9293 3.1, RFC 5925). */
#define OPTION_END	0
#define OPTION_NOP	1
#define OPTION_MSS	2
#define OPTION_AO	29
#define OPTION_MSS_SIZE	4

/* However small a path is, segments do not get smaller: each costs its receiver as much. */
#define MSS_MIN		88

#define TCP_HEADER_MAX	60

static unsigned int transport_ipv4(const struct sk_buff *skb, unsigned int offset)
{
	struct iphdr buf, *iph = skb_header_pointer(skb, offset, sizeof(buf), &buf);

	if (!iph || ip_is_fragment(iph) || iph->protocol != IPPROTO_TCP)
		return 0;
	return offset + iph->ihl * 4;
}

static unsigned int transport_ipv6(const struct sk_buff *skb, unsigned int offset)
{
	struct ipv6hdr buf, *ip6h = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	unsigned int first = offset + sizeof(*ip6h), start = offset;
	__be16 frag_off = 0;
	u8 next;
	int end;

	if (!ip6h)
		return 0;
	next = ip6h->nexthdr;
	end = ipv6_skip_exthdr(skb, first, &next, &frag_off);
	if (end < 0 || frag_off || next != IPPROTO_TCP)
		return 0;
	/* The walk passes an authentication header, which covers all behind it. */
	if (end != first && ipv6_find_hdr(skb, &start, NEXTHDR_AUTH, NULL, NULL) >= 0)
		return 0;
	return end;
}

unsigned int vgw_mss_syn(const struct sk_buff *skb, const struct vgw_flow *flow)
{
	unsigned int offset = skb_network_offset(skb), tcp;
	struct tcphdr buf, *tcph;

	if (flow->protocol != IPPROTO_TCP)
		return 0;
	tcp = flow->family == AF_INET ? transport_ipv4(skb, offset) : transport_ipv6(skb, offset);
	if (!tcp)
		return 0;
	tcph = skb_header_pointer(skb, tcp, sizeof(buf), &buf);
	return tcph && tcph->syn ? tcp : 0;
}

/*
 * Offset of the next option of a kind from offset at on, in a TCP header of len bytes;
 * 0: there is none before the end or before an option that is broken.
 */
static unsigned int next_option(const u8 *header, unsigned int len, unsigned int at, u8 kind)
{
	while (at < len && header[at] != OPTION_END) {
		if (header[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (len - at < 2 || header[at + 1] < 2 || header[at + 1] > len - at)
			return 0;
		if (header[at] == kind)
			return at;
		at += header[at + 1];
	}
	return 0;
}

static u16 value_of(const u8 *option)
{
	return option[2] << 8 | option[3];
}

/* The same for an MSS option of the right size that is larger than mss. */
static unsigned int next_larger(const u8 *header, unsigned int len, unsigned int at, u32 mss)
{
	while ((at = next_option(header, len, at, OPTION_MSS))) {
		if (header[at + 1] == OPTION_MSS_SIZE && value_of(header + at) > mss)
			return at;
		at += header[at + 1];
	}
	return 0;
}

static void replace(struct sk_buff *skb, struct tcphdr *tcph, unsigned int at, u16 mss)
{
	u8 *option = (u8 *)tcph + at;
	u16 from = value_of(option), to = mss;

	option[2] = mss >> 8;
	option[3] = mss & 0xff;
	/* The checksum is over words: behind an odd number of bytes the two lie across them. */
	if (at % 2) {
		from = swab16(from);
		to = swab16(to);
	}
	inet_proto_csum_replace2(&tcph->check, skb, htons(from), htons(to), false);
}

bool vgw_mss_lower(struct sk_buff *skb, unsigned int tcp, u8 family, u32 mtu)
{
	unsigned int headers = family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	u8 buf[TCP_HEADER_MAX], *header;
	unsigned int len, at;
	u32 mss;

	headers += sizeof(struct tcphdr);
	if (!mtu)
		return false;
	mss = max_t(u32, mtu, headers + MSS_MIN) - headers;
	header = skb_header_pointer(skb, tcp, sizeof(struct tcphdr), buf);
	len = header ? (header[12] >> 4) * 4 : 0;
	if (len <= sizeof(struct tcphdr))
		return false;
	header = skb_header_pointer(skb, tcp, len, buf);
	if (!header || next_option(header, len, sizeof(struct tcphdr), OPTION_AO))
		return false;
	at = next_larger(header, len, sizeof(struct tcphdr), mss);
	if (!at || skb_ensure_writable(skb, tcp + len))
		return false;
	header = skb->data + tcp;
	for (; at; at = next_larger(header, len, at, mss))
		replace(skb, (struct tcphdr *)header, at, mss);
	return true;
}
