/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which member of a group a bucket belongs to. Pure arithmetic over arrays:
 * the result depends on the members' keys, weights and who is alive, never on
 * their order or on history.
 */
#ifndef _VGW_ECMP_H
#define _VGW_ECMP_H

#include <linux/types.h>

#define VGW_ECMP_MEMBERS	64
#define VGW_ECMP_BUCKETS_MAX	4096

struct vgw_ecmp_member {
	u32 key;	/* stable and unique in the group */
	u8 weight;	/* 0: standby, used while no member with a weight is alive */
};

/* Size of the bucket table for n members: a power of two, at least 256 and 64 times n. */
unsigned int vgw_ecmp_buckets(unsigned int n);

/*
 * Home of each bucket: shares are exact to one bucket. Standbys get none,
 * unless all members are standbys: then they count as equal.
 */
void vgw_ecmp_fill(const struct vgw_ecmp_member *members, unsigned int n, u8 *home,
		   unsigned int buckets);

/*
 * The member that serves a bucket whose home is dead, by weighted rendezvous:
 * a further loss moves only what the lost member carried. live has bit i set
 * for member i. -1 if nobody is alive.
 */
int vgw_ecmp_failover(const struct vgw_ecmp_member *members, unsigned int n, u64 live, u32 bucket);

#endif /* _VGW_ECMP_H */
