/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The choice for a flow: policy routes in their order, then the longest prefix
 * and its classes; the first group with a live member, then its bucket.
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
	const struct vgw_policy *policy;	/* that decided, else NULL */
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
/* Does the way back to the flow's source lead to the tunnel's connection (or site)? */
bool vgw_select_source_ok(const struct vgw_gateway *gw, const struct vgw_tunnel *tunnel,
			  const struct vgw_flow *flow, bool by_site);

#endif /* _VGW_SELECT_H */
