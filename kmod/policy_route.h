/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy routes of a gateway: a stage before the prefix lookup (decision D3).
 * Each leads to a group; the table itself is policy.h's.
 */
#ifndef _VGW_POLICY_ROUTE_H
#define _VGW_POLICY_ROUTE_H

#include "policy.h"

struct netlink_ext_ack;
struct vgw_gateway;

/* A change of many policy routes, all or nothing, under the config lock. */
struct vgw_policy_batch {
	struct vgw_gateway *gw;
	struct vgw_policy_txn txn[2];	/* list is NULL while nothing of the family changed */
	int added;			/* what the commit adds to the counts */
};

void vgw_policy_batch_begin(struct vgw_policy_batch *batch, struct vgw_gateway *gw);
/* table: 0 IPv4, 1 IPv6. On error the text is set and the batch must be aborted. */
int vgw_policy_batch_add(struct vgw_policy_batch *batch, unsigned int table,
			 const struct vgw_policy *policy, struct netlink_ext_ack *extack);
int vgw_policy_batch_del(struct vgw_policy_batch *batch, unsigned int table,
			 const struct vgw_policy *name, struct netlink_ext_ack *extack);
/* 0, or -ENOMEM with nothing changed. Ends the batch either way. */
int vgw_policy_batch_commit(struct vgw_policy_batch *batch);
void vgw_policy_batch_abort(struct vgw_policy_batch *batch);

/* What generations need: nothing is fresh any more; what is not goes. 0 or -ENOMEM. */
void vgw_policy_make_stale(struct vgw_gateway *gw);
int vgw_policy_sweep(struct vgw_gateway *gw);

/* The gateway goes away: no reader is left. */
void vgw_policy_destroy_all(struct vgw_gateway *gw);

/* Under the config lock. */
struct vgw_policy_set *vgw_policy_set_of(struct vgw_gateway *gw, unsigned int table);

#endif /* _VGW_POLICY_ROUTE_H */
