/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's walks over extension headers, as far as their callers can tell. */
#ifndef _SHIM_NET_IPV6_H
#define _SHIM_NET_IPV6_H

#include <arpa/inet.h>
#include <linux/skbuff.h>

#define NEXTHDR_HOP		0
#define NEXTHDR_ROUTING		43
#define NEXTHDR_FRAGMENT	44
#define NEXTHDR_AUTH		51
#define NEXTHDR_NONE		59
#define NEXTHDR_DEST		60

struct ipv6hdr;

/* Without version and traffic class. */
static inline __be32 ip6_flowlabel(const struct ipv6hdr *hdr)
{
	return *(const __be32 *)hdr & htonl(0xfffff);
}

int ipv6_skip_exthdr(const struct sk_buff *skb, int start, u8 *next, __be16 *frag_off);
int ipv6_find_hdr(const struct sk_buff *skb, unsigned int *offset, int target,
		  unsigned short *frag_off, int *flags);

#endif /* _SHIM_NET_IPV6_H */
