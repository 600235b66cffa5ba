// SPDX-License-Identifier: GPL-2.0-only
#include "kept.h"

#include <linux/kernel.h>
#include <linux/slab.h>

struct vgw_kept *vgw_kept_create(unsigned int buckets, u32 idle)
{
	struct vgw_kept *kept = kzalloc(struct_size(kept, bucket, buckets), GFP_KERNEL_ACCOUNT);

	if (!kept)
		return NULL;
	kept->idle = idle;
	kept->buckets = buckets;
	for (unsigned int i = 0; i < buckets; i++)
		kept->bucket[i].member = VGW_KEPT_NONE;
	return kept;
}

static u8 member_of(const struct vgw_kept *kept, const struct vgw_kept_bucket *bucket, u32 now)
{
	/* Another CPU's now may be one ahead of this one's. */
	s32 age = now - READ_ONCE(bucket->last);

	return age < (s32)kept->idle ? READ_ONCE(bucket->member) : VGW_KEPT_NONE;
}

u8 vgw_kept_member(struct vgw_kept *kept, u32 hash, u32 now)
{
	return member_of(kept, vgw_kept_bucket(kept, hash), now);
}

void vgw_kept_used(struct vgw_kept *kept, u32 hash, bool stayed, u32 now)
{
	struct vgw_kept_bucket *bucket = vgw_kept_bucket(kept, hash);

	if (READ_ONCE(bucket->member) == VGW_KEPT_NONE)
		return;
	if (!stayed || member_of(kept, bucket, now) == VGW_KEPT_NONE)
		WRITE_ONCE(bucket->member, VGW_KEPT_NONE);
	else if (READ_ONCE(bucket->last) != now)
		WRITE_ONCE(bucket->last, now);
}

unsigned int vgw_kept_count(struct vgw_kept *kept, u32 now)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < kept->buckets; i++)
		n += member_of(kept, &kept->bucket[i], now) != VGW_KEPT_NONE;
	return n;
}
