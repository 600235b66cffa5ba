// SPDX-License-Identifier: GPL-2.0-only
#include "ecmp.h"

#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/math64.h>

/* Finalizer-quality mix of a member's key and a bucket. */
static u32 score_hash(u32 key, u32 bucket)
{
	u64 x = ((u64)key << 32 | bucket) + 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31) >> 32;
}

/* -log2(h / 2^32) in 16.16 fixed point, never 0; the fraction is linear, good to 0.09. */
static u32 neg_log2(u32 h)
{
	unsigned int top = h ? fls(h) - 1 : 0;
	u32 frac = h ? (u32)(((u64)h << (32 - top) & 0xffffffff) >> 16) : 0;

	return ((32 - top) << 16) - frac;
}

/* Rendezvous: the higher of weight / -log(hash) wins; equal scores go to the lower key. */
static bool beats(const struct vgw_ecmp_member *a, u32 weight_a,
		  const struct vgw_ecmp_member *b, u32 weight_b, u32 bucket)
{
	u64 left = (u64)weight_a * neg_log2(score_hash(b->key, bucket));
	u64 right = (u64)weight_b * neg_log2(score_hash(a->key, bucket));

	return left != right ? left > right : a->key < b->key;
}

unsigned int vgw_ecmp_buckets(unsigned int n)
{
	unsigned int buckets = 256;

	while (buckets < 64 * n && buckets < VGW_ECMP_BUCKETS_MAX)
		buckets *= 2;
	return buckets;
}

static u32 total_weight(const struct vgw_ecmp_member *members, unsigned int n)
{
	u32 total = 0;

	for (unsigned int i = 0; i < n; i++)
		total += members[i].weight;
	return total;
}

/* Weight that counts for the home map. */
static u32 home_weight(const struct vgw_ecmp_member *member, u32 total)
{
	return total ? member->weight : 1;
}

/* Exact shares; what rounding leaves goes to the largest remainders, then the lowest keys. */
static void set_quotas(const struct vgw_ecmp_member *members, unsigned int n, u16 *quota,
		       unsigned int buckets)
{
	u32 total = total_weight(members, n), sum = total ?: n;
	unsigned int left = buckets;
	u32 rest[VGW_ECMP_MEMBERS];

	for (unsigned int i = 0; i < n; i++) {
		u32 share = buckets * home_weight(&members[i], total);

		quota[i] = share / sum;
		rest[i] = share % sum;
		left -= quota[i];
	}
	while (left--) {
		unsigned int best = 0;

		for (unsigned int i = 1; i < n; i++)
			if (rest[i] > rest[best] ||
			    (rest[i] == rest[best] && members[i].key < members[best].key))
				best = i;
		quota[best]++;
		rest[best] = 0;
	}
}

void vgw_ecmp_fill(const struct vgw_ecmp_member *members, unsigned int n, u8 *home,
		   unsigned int buckets)
{
	u32 total = total_weight(members, n);
	u16 quota[VGW_ECMP_MEMBERS];

	set_quotas(members, n, quota, buckets);
	for (u32 b = 0; b < buckets; b++) {
		int best = -1;

		for (unsigned int i = 0; i < n; i++) {
			if (!quota[i])
				continue;
			if (best < 0 ||
			    beats(&members[i], home_weight(&members[i], total), &members[best],
				  home_weight(&members[best], total), b))
				best = i;
		}
		home[b] = best;
		quota[best]--;
	}
}

int vgw_ecmp_failover(const struct vgw_ecmp_member *members, unsigned int n, u64 live, u32 bucket)
{
	bool weighted = false;
	int best = -1;

	for (unsigned int i = 0; i < n; i++)
		weighted |= (live >> i & 1) && members[i].weight;
	for (unsigned int i = 0; i < n; i++) {
		if (!(live >> i & 1) || (weighted && !members[i].weight))
			continue;
		if (best < 0 || beats(&members[i], members[i].weight ?: 1, &members[best],
				      members[best].weight ?: 1, bucket))
			best = i;
	}
	return best;
}
