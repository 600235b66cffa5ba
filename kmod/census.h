/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The census: which out policies and selectors there are for the if_id of each
 * tunnel. Two answers come of it: whether one bundle may serve all flows of the
 * tunnel, and a flow that the rules let through, for the audit to ask with.
 *
 * Policies are counted, not events: an update replaces one without a deletion.
 */
#ifndef _VGW_CENSUS_H
#define _VGW_CENSUS_H

#include <linux/types.h>

#include "flow.h"

struct vgw_net;
struct xfrm_state;
struct xfrm_selector;
struct flowi;

/* Of one tunnel and inner family; vgw_net.lock. */
struct vgw_census {
	u32 rules;		/* generation of the rules when the count began */
	u32 policies;
	bool wildcard;		/* a policy lets everything through */
	bool transport;		/* a policy wants an SA that is not in tunnel mode */
	bool narrow;		/* an SA has a selector */
	u8 peer_family;		/* outer, of the policies' SA */
	union vgw_addr peer;
	bool has_sample;
	u8 protocol;
	__be16 sport, dport;
	u32 mark;
	union vgw_addr src, dst;
};

/* True if a selector takes every flow. */
bool vgw_census_wildcard(const struct xfrm_selector *sel);
/* True if an SA takes but some of the flows of its if_id. Any context. */
bool vgw_census_narrow(const struct xfrm_state *x);

/* Counts for every tunnel of the namespace. Under the config lock. */
void vgw_census_take(struct vgw_net *vnet);

/* Addresses, protocol and ports of a flow that the rules let through. */
void vgw_census_flow(const struct vgw_census *census, u8 family, struct flowi *fl);

#endif /* _VGW_CENSUS_H */
