/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who carried the flows of a group before its members or weights changed. As long as
 * the packets of a bucket follow each other closer than the idle time it stays where
 * it was, then it goes to its new home for good. Packets cost a store only while there
 * is such a bucket.
 */
#ifndef _VGW_KEPT_H
#define _VGW_KEPT_H

#include <linux/rcupdate.h>
#include <linux/types.h>

/* At home, or moved there. */
#define VGW_KEPT_NONE	0xff

struct vgw_kept_bucket {
	u32 last;	/* jiffies of the last packet; READ_ONCE, packets write */
	u8 member;	/* of the new map; READ_ONCE, packets write VGW_KEPT_NONE */
};

struct vgw_kept {
	struct rcu_head rcu;
	u32 idle;	/* jiffies */
	u32 buckets;	/* a power of two, not less than that of any map it stands for */
	struct vgw_kept_bucket bucket[];
};

/* All buckets are at home. NULL: no memory. */
struct vgw_kept *vgw_kept_create(unsigned int buckets, u32 idle);

static inline struct vgw_kept_bucket *vgw_kept_bucket(struct vgw_kept *kept, u32 hash)
{
	return &kept->bucket[hash & (kept->buckets - 1)];
}

/* The member that still has the hash's bucket at the time (jiffies), or VGW_KEPT_NONE. */
u8 vgw_kept_member(struct vgw_kept *kept, u32 hash, u32 now);
/* A packet of the hash was sent: by the member that has the bucket, or (stayed false) another. */
void vgw_kept_used(struct vgw_kept *kept, u32 hash, bool stayed, u32 now);
/* Buckets that are not at home at the time. */
unsigned int vgw_kept_count(struct vgw_kept *kept, u32 now);

#endif /* _VGW_KEPT_H */
