/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_NET_CHECKSUM_H
#define _SHIM_NET_CHECKSUM_H

#include <linux/types.h>

struct sk_buff;

/* A word behind the checksum changes (RFC 1624). */
void inet_proto_csum_replace2(__sum16 *sum, struct sk_buff *skb, __be16 from, __be16 to,
			      bool pseudohdr);

#endif /* _SHIM_NET_CHECKSUM_H */
