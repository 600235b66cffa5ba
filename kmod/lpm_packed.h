/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packed nodes of the fast plane, what a packet reads below the pages. They
 * hold next-hop ids; 0 says "nothing better here than further up".
 *
 * A node splits eight bits of the address: a bitmap of the parts where the id
 * changes, and the ids of these runs. Where nodes follow below, a bitmap of these
 * parts and the pointers stand behind. Most have none: two cache lines do.
 *
 * An interval node splits 32 bits (IPv6, where prefixes are far apart): the sorted
 * first addresses of its intervals, an id for each, and, for prefixes longer than
 * it reaches, nodes below some intervals of one address.
 */
#ifndef _VGW_LPM_PACKED_H
#define _VGW_LPM_PACKED_H

#include <linux/bitops.h>
#include <linux/prefetch.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

struct vgw_lpm_txn;
struct vgw_slow;

/* Intervals of a node, and prefixes that one is made of: they bound the work of an update. */
#define VGW_INTERVALS_MAX	256
#define VGW_INTERVAL_PREFIXES	512

struct vgw_node {
	u64 run[4];
	u16 def;			/* id of a prefix further up; READ_ONCE */
	u16 children_at;		/* offset in words of 8 bytes, 0: none */
	u8 runs_before[4];		/* in the words of the bitmap before this one */
	u16 n;				/* runs */
	u16 nh[];			/* one per run */
	/* to 8 bytes, struct vgw_node_children */
};

struct vgw_node_children {
	u64 bits[4];
	u8 before[8];			/* as runs_before; 4 of them */
	void *child[];
};

struct vgw_interval_node {
	u16 def;			/* as above */
	u16 n;
	u16 n_children;
	u16 unused;
	u32 start[];
	/* u16 nh[n], u16 child_interval[n_children], to 8 bytes, void *child[n_children] */
};

/* Scratch for the making of an interval node. */
struct vgw_intervals {
	unsigned int n, n_children, prefixes, open;
	u32 start[VGW_INTERVALS_MAX + 2];
	u16 nh[VGW_INTERVALS_MAX + 2];
	u16 child_interval[VGW_INTERVALS_MAX + 2];
	const struct vgw_slow *child[VGW_INTERVALS_MAX + 2];
	/* Prefixes around the place where the walk is. */
	struct {
		u64 end;
		u16 nh;
	} around[36];
};

/* A pointer to an interval node has this bit set. */
#define VGW_PACKED_INTERVALS	4ul

static inline bool vgw_packed_is_intervals(const void *packed)
{
	return (unsigned long)packed & VGW_PACKED_INTERVALS;
}

static inline struct vgw_interval_node *vgw_packed_intervals(const void *packed)
{
	return (void *)((unsigned long)packed & ~VGW_PACKED_INTERVALS);
}

/* Only of a node that has some. */
static inline struct vgw_node_children *vgw_node_children(const struct vgw_node *node)
{
	return (void *)((u64 *)node + node->children_at);
}

static inline u16 *vgw_interval_nhs(const struct vgw_interval_node *node)
{
	return (u16 *)&node->start[node->n];
}

static inline u16 *vgw_interval_child_intervals(const struct vgw_interval_node *node)
{
	return vgw_interval_nhs(node) + node->n;
}

static inline void **vgw_interval_children(const struct vgw_interval_node *node)
{
	size_t bytes = sizeof(*node) + node->n * 6 + node->n_children * 2;

	return (void **)node + (bytes + 7) / 8;
}

/* The node below a part of this one, or NULL. */
static inline const void *vgw_node_child(const struct vgw_node *node, u8 byte)
{
	const struct vgw_node_children *children;
	u64 word, bit = 1ull << (byte & 63);

	if (likely(!node->children_at))
		return NULL;
	children = vgw_node_children(node);
	word = children->bits[byte >> 6];
	if (!(word & bit))
		return NULL;
	return children->child[children->before[byte >> 6] + hweight64(word & (bit - 1))];
}

static inline u16 vgw_node_nh(const struct vgw_node *node, u8 byte)
{
	u64 upto = ~0ull >> (63 - (byte & 63));

	return node->nh[node->runs_before[byte >> 6] + hweight64(node->run[byte >> 6] & upto) - 1];
}

/* The interval that an address is in. The first one starts at 0. */
static inline unsigned int vgw_interval_find(const struct vgw_interval_node *node, u32 part)
{
	unsigned int low = 0, n = node->n;

	/* Without branches that depend on the address: they could not be foretold. */
	while (n > 1) {
		unsigned int half = n / 2;

		low += half & -(unsigned int)(node->start[low + half] <= part);
		n -= half;
	}
	return low;
}

static inline const void *vgw_interval_child(const struct vgw_interval_node *node,
					     unsigned int interval)
{
	const u16 *intervals = vgw_interval_child_intervals(node);

	for (unsigned int i = 0; i < node->n_children; i++)
		if (intervals[i] == interval)
			return vgw_interval_children(node)[i];
	return NULL;
}

static inline u32 vgw_packed_part(const u8 *addr)
{
	__be32 part;

	memcpy(&part, addr, sizeof(part));
	return be32_to_cpu(part);
}

/* addr: the byte from which on the packed node looks. */
static __always_inline u16 vgw_packed_lookup(const void *packed, const u8 *addr, bool nodes_only)
{
	u16 best, nh;

	/* The second line of a node holds most ids: fetched beside the first, not after it. */
	prefetch((void *)((unsigned long)packed & ~VGW_PACKED_INTERVALS) + 64);
	if (nodes_only || !vgw_packed_is_intervals(packed))
		best = READ_ONCE(((const struct vgw_node *)packed)->def);
	else
		best = READ_ONCE(vgw_packed_intervals(packed)->def);
	while (packed) {
		if (nodes_only || !vgw_packed_is_intervals(packed)) {
			nh = vgw_node_nh(packed, *addr);
			packed = vgw_node_child(packed, *addr);
			addr++;
		} else {
			const struct vgw_interval_node *node = vgw_packed_intervals(packed);
			unsigned int interval = vgw_interval_find(node, vgw_packed_part(addr));

			nh = vgw_interval_nhs(node)[interval];
			packed = vgw_interval_child(node, interval);
			addr += 4;
		}
		best = nh ?: best;
	}
	return best;
}

/*
 * The packed form of a subtree of the slow plane at a depth, NULL on no memory. Where
 * it shares a part with the one before, so do the packed ones.
 */
void *vgw_packed_build(struct vgw_lpm_txn *txn, const struct vgw_slow *slow, unsigned int depth,
		       const struct vgw_slow *slow_before, const void *before);
void vgw_packed_set_def(void *packed, u16 def);
/*
 * Gives up what keep does not share. txn NULL: frees at once, keep is NULL;
 * seen: readers may still be in it.
 */
void vgw_packed_release(struct vgw_lpm_txn *txn, const void *packed, const void *keep, bool seen);

#endif /* _VGW_LPM_PACKED_H */
