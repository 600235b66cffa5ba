// SPDX-License-Identifier: GPL-2.0-only
#define CREATE_TRACE_POINTS
#include "trace.h"

#include <net/ipv6.h>

void vgw_trace_addr(u8 *to, u8 family, const union vgw_addr *addr)
{
	struct in6_addr mapped = {};

	if (family == AF_INET)
		ipv6_addr_set_v4mapped(addr->v4, &mapped);
	memcpy(to, family == AF_INET ? &mapped : &addr->v6, sizeof(mapped));
}
