/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes: prefix and class, each leading to a group. The classes of a prefix
 * form a chain; equal chains are one object, whose 16-bit id is what the
 * lookup table holds.
 */
#ifndef _VGW_ROUTE_H
#define _VGW_ROUTE_H

#include <linux/rcupdate.h>
#include <linux/types.h>

#include "lpm.h"

#define VGW_CHAIN_BUCKETS	256
#define VGW_N_CLASSES		3	/* index: enum vgw_route_class - 1 */

struct netlink_ext_ack;
struct vgw_gateway;
struct vgw_group;

struct vgw_slot {
	struct vgw_group *group;	/* NULL for class system */
	u8 present;
	u8 on_fail;			/* enum vgw_on_fail */
};

struct vgw_chain {
	struct vgw_slot slot[VGW_N_CLASSES];	/* fixed */
	struct vgw_gateway *gw;		/* fixed */
	u32 prefixes;			/* users; config lock */
	u16 id;				/* fixed; not given again before a grace period */
	struct hlist_node hash;		/* config lock */
	struct rcu_head rcu;
};

struct vgw_prefix {
	struct vgw_lpm_key key;
	u8 len;
	u8 table;			/* 0: IPv4, 1: IPv6 */
};

/* In an RCU section. */
struct vgw_chain *vgw_chain_get(const struct vgw_gateway *gw, u16 id);

/* A change of many routes, all or nothing, under the config lock. */
struct vgw_route_batch {
	struct vgw_gateway *gw;
	struct vgw_lpm_txn *txn[2];
	int routes, dynamic, fresh;	/* what the commit adds to the counts */
};

int vgw_route_batch_begin(struct vgw_route_batch *batch, struct vgw_gateway *gw);
/* class: enum vgw_route_class. On error the text is set and the batch must be aborted. */
int vgw_route_batch_add(struct vgw_route_batch *batch, const struct vgw_prefix *prefix, u8 class,
			struct vgw_group *group, u8 on_fail, struct netlink_ext_ack *extack);
int vgw_route_batch_del(struct vgw_route_batch *batch, const struct vgw_prefix *prefix, u8 class,
			struct netlink_ext_ack *extack);
void vgw_route_batch_commit(struct vgw_route_batch *batch);
void vgw_route_batch_abort(struct vgw_route_batch *batch);

/* Was the class of this entry refreshed in the open generation? */
bool vgw_route_fresh(const struct vgw_gateway *gw, u8 mark, unsigned int slot);

void vgw_generation_begin(struct vgw_gateway *gw);
/*
 * Sweeps routes, policy routes, groups and tunnels that were not refreshed. Sleeps. -ENOMEM, with
 * a text: some of it is swept, all that was refreshed is there, and another commit goes on.
 */
int vgw_generation_commit(struct vgw_gateway *gw, struct netlink_ext_ack *extack);

/* The gateway goes away: tables, chains. No reader is left. */
void vgw_route_destroy_all(struct vgw_gateway *gw);

#endif /* _VGW_ROUTE_H */
