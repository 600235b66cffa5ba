/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A group: a weighted set of tunnels and the bucket table that spreads flows
 * over them. A bucket whose home is alive always uses it; that of a dead home
 * goes by rendezvous to a live member. So a loss moves only the lost member's
 * flows, and a return restores the map. What changes of members and weights move
 * depends on nothing but those, too; the gateway's idle time lets live flows stay.
 */
#ifndef _VGW_GROUP_H
#define _VGW_GROUP_H

#include <linux/rcupdate.h>
#include <linux/types.h>

#include "ecmp.h"
#include "kept.h"

struct netlink_ext_ack;
struct vgw_gateway;
struct vgw_tunnel;

/* Immutable once published, replaced whole. */
struct vgw_group_map {
	struct rcu_head rcu;
	struct vgw_kept __rcu *kept;	/* NULL: all buckets are at home; config lock to write */
	u16 n, buckets;
	struct vgw_tunnel *tunnel[VGW_ECMP_MEMBERS];
	struct vgw_ecmp_member member[VGW_ECMP_MEMBERS];
	u8 home[];			/* member of each bucket */
};

/* One CPU's; in the order of the names. */
struct vgw_group_stats {
	u64 packets, failover, drop_dead, drop_reserved;
};

struct vgw_group {
	struct vgw_group_map __rcu *map;	/* config lock to write */
	struct vgw_group_stats __percpu *stats;	/* fixed; BH off to write */
	u32 id;				/* fixed */
	u32 routes;			/* slots (times prefixes), policy routes; config lock */
	u32 chains;			/* chains and policy routes that name it; config lock */
	u8 mark;			/* parity of its last generation; config lock */
	struct rcu_head rcu;
};

/* In an RCU section. Which tunnel carries the hash; *bucket is set. NULL: nobody is live. */
struct vgw_tunnel *vgw_group_pick(const struct vgw_group *group, u32 hash,
				  const struct vgw_tunnel *const *excluded, unsigned int n_excluded,
				  u32 *bucket);
/* In an RCU section: the tunnel that was picked for the hash carried a packet. */
void vgw_group_used(const struct vgw_group *group, u32 hash, const struct vgw_tunnel *tunnel);
/* In an RCU section: is the hash's bucket with the tunnel only because its flows are alive? */
bool vgw_group_keeps(const struct vgw_group *group, u32 hash, const struct vgw_tunnel *tunnel);
/* In an RCU section: buckets that live flows keep from their home. */
unsigned int vgw_group_kept(const struct vgw_group *group);
unsigned int vgw_group_live(const struct vgw_group *group);
/* True if some member belongs to the connection (or, with by_site, to the site). */
bool vgw_group_leads_to(const struct vgw_group *group, u32 id, bool by_site);
/* Smallest MTU that the members reported, 0 if none did. */
u32 vgw_group_mtu(const struct vgw_group *group);

/* Under the config lock. The list replaces the members. */
int vgw_group_set(struct vgw_gateway *gw, u32 id, struct vgw_tunnel **tunnels, const u8 *weights,
		  unsigned int n, struct netlink_ext_ack *extack);
/* A route goes over from the old group to another: if nothing led there yet, live flows stay. */
void vgw_group_inherit(struct vgw_gateway *gw, struct vgw_group *group,
		       const struct vgw_group *old);
/* Forgets what no live flow needs any more. */
void vgw_group_settle(struct vgw_gateway *gw);
int vgw_group_del(struct vgw_gateway *gw, struct vgw_group *group, struct netlink_ext_ack *extack);
void vgw_group_destroy(struct vgw_gateway *gw, struct vgw_group *group);

#endif /* _VGW_GROUP_H */
