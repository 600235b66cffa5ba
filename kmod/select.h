/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The choice for a flow: longest prefix, then class, then the first group with
 * a live member, then its bucket (gateway-rules (e)).
 */
#ifndef _VGW_SELECT_H
#define _VGW_SELECT_H

#include "flow.h"
#include "route.h"
#include "tunnel.h"

#define VGW_EXCLUDED_MAX	8

struct vgw_choice {
	struct vgw_tunnel *tunnel;	/* with verdict VGW_VERDICT_TUNNEL */
	struct vgw_group *group;
	u32 bucket;
	u8 verdict;			/* enum vgw_verdict */
	u8 len;				/* of the prefix that decided; vgw_select_explain() only */
	u8 slot;
};

/* Tunnels that this packet has met dead already. */
struct vgw_excluded {
	const struct vgw_tunnel *tunnel[VGW_EXCLUDED_MAX];
	unsigned int n;
};

void vgw_key_from_addr(struct vgw_lpm_key *key, u8 family, const union vgw_addr *addr);

/* In an RCU section. excluded may be NULL. */
void vgw_select(const struct vgw_gateway *gw, const struct vgw_flow *flow, u32 hash,
		const struct vgw_excluded *excluded, struct vgw_choice *choice);
/* The same choice, with the length of the prefix, in more time. */
void vgw_select_explain(const struct vgw_gateway *gw, const struct vgw_flow *flow, u32 hash,
			const struct vgw_excluded *excluded, struct vgw_choice *choice);
/* Does the way back to addr lead to the tunnel's connection (or site)? */
bool vgw_select_source_ok(const struct vgw_gateway *gw, const struct vgw_tunnel *tunnel, u8 family,
			  const union vgw_addr *addr, bool by_site);

#endif /* _VGW_SELECT_H */
