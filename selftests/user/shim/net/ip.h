/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_NET_IP_H
#define _SHIM_NET_IP_H

#include <arpa/inet.h>
#include <linux/ip.h>

static inline bool ip_is_fragment(const struct iphdr *iph)
{
	return iph->frag_off & htons(0x3fff);
}

#endif /* _SHIM_NET_IP_H */
