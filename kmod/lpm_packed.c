// SPDX-License-Identifier: GPL-2.0-only
/* Packed nodes: how they are made of a part of the slow plane, and given up. */
#include "lpm_packed.h"

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "lpm_impl.h"

/* An interval node reads four bytes of the address from its depth on. */
#define INTERVALS_DEEPEST	96

static unsigned int n_children(const struct vgw_node *node)
{
	const struct vgw_node_children *children = vgw_node_children(node);

	return node->children_at ? children->before[3] + hweight64(children->bits[3]) : 0;
}

static size_t size_of(unsigned int n, unsigned int n_children)
{
	size_t size = sizeof(struct vgw_node) + n * sizeof(u16);

	if (!n_children)
		return size;
	return ((size + 7) & ~7) + sizeof(struct vgw_node_children) + n_children * sizeof(void *);
}

static size_t node_size(const struct vgw_node *node)
{
	return size_of(node->n, n_children(node));
}

static size_t interval_size(const struct vgw_interval_node *node)
{
	return (void *)(vgw_interval_children(node) + node->n_children) - (void *)node;
}

void vgw_packed_set_def(void *packed, u16 def)
{
	if (vgw_packed_is_intervals(packed))
		WRITE_ONCE(vgw_packed_intervals(packed)->def, def);
	else
		WRITE_ONCE(((struct vgw_node *)packed)->def, def);
}

static void give_up(struct vgw_lpm_txn *txn, void *object, size_t size, bool seen)
{
	if (!txn)
		kfree(object);
	else if (seen)
		vgw_lpm_retire_now(txn, object, size);
	else
		vgw_lpm_drop(txn, object, size);
}

static void node_release(struct vgw_lpm_txn *txn, struct vgw_node *node, const void *keep,
			 bool seen)
{
	if (keep && vgw_packed_is_intervals(keep))
		keep = NULL;
	for (unsigned int i = 0; n_children(node) && i < 256; i++) {
		const void *child = vgw_node_child(node, i);

		if (child)
			vgw_packed_release(txn, child, keep ? vgw_node_child(keep, i) : NULL, seen);
	}
	give_up(txn, node, node_size(node), seen);
}

/* Depth of recursion: at most 14 levels. */
void vgw_packed_release(struct vgw_lpm_txn *txn, const void *packed, const void *keep, bool seen)
{
	struct vgw_interval_node *node = vgw_packed_intervals(packed);

	if (!packed || packed == keep)
		return;
	if (!vgw_packed_is_intervals(packed)) {
		node_release(txn, (void *)packed, keep, seen);
		return;
	}
	for (unsigned int i = 0; i < node->n_children; i++)
		vgw_packed_release(txn, vgw_interval_children(node)[i], NULL, seen);
	give_up(txn, node, interval_size(node), seen);
}

static unsigned int count_runs(const u16 *values)
{
	unsigned int n = 1;

	for (unsigned int i = 1; i < 256; i++)
		n += values[i] != values[i - 1];
	return n;
}

static void encode_runs(struct vgw_node *node, const u16 *values)
{
	memset(node, 0, sizeof(*node));
	for (unsigned int i = 0; i < 256; i++) {
		if (i % 64 == 0)
			node->runs_before[i / 64] = node->n;
		if (i && values[i] == values[i - 1])
			continue;
		node->run[i / 64] |= 1ull << (i & 63);
		node->nh[node->n++] = values[i];
	}
}

/* Which parts have nodes below; the pointers are NULL as yet. */
static void encode_children(struct vgw_node *node, const struct vgw_slow *slow)
{
	struct vgw_node_children *children;
	unsigned int before = 0;

	if (!slow->n_children)
		return;
	node->children_at = (sizeof(*node) + node->n * sizeof(u16) + 7) / 8;
	children = vgw_node_children(node);
	memset(children, 0, sizeof(*children) + slow->n_children * sizeof(void *));
	for (unsigned int i = 0; i < slow->n_children; i++) {
		u8 byte = vgw_slow_bytes(slow)[i];

		children->bits[byte >> 6] |= 1ull << (byte & 63);
	}
	for (unsigned int i = 0; i < 4; i++) {
		children->before[i] = before;
		before += hweight64(children->bits[i]);
	}
}

static void *node_build(struct vgw_lpm_txn *txn, const struct vgw_slow *slow, unsigned int depth,
			const struct vgw_slow *slow_before, const void *before)
{
	struct vgw_node *node;

	vgw_slow_paint(slow, txn->paint, VGW_LPM_NONE);
	node = vgw_lpm_alloc(txn, size_of(count_runs(txn->paint), slow->n_children));
	if (!node)
		return NULL;
	encode_runs(node, txn->paint);
	encode_children(node, slow);
	if (before && vgw_packed_is_intervals(before))
		before = NULL;
	for (unsigned int i = 0; i < slow->n_children; i++) {
		u8 byte = vgw_slow_bytes(slow)[i];
		int at = slow_before ? vgw_slow_child(slow_before, byte) : -1;
		const struct vgw_slow *was = at < 0 ? NULL : slow_before->child[at];
		const void *child = before ? vgw_node_child(before, byte) : NULL;

		if (!child || was != slow->child[i])
			child = vgw_packed_build(txn, slow->child[i], depth + 8, was, child);
		if (!child) {
			vgw_packed_release(txn, node, before, false);
			return NULL;
		}
		vgw_node_children(node)->child[i] = (void *)child;
	}
	return node;
}

static bool has_child(const struct vgw_intervals *in, unsigned int interval)
{
	return in->n_children && in->child_interval[in->n_children - 1] == interval;
}

/* From here on the id is nh. Neighbours with the same id are one interval. */
static void interval_add(struct vgw_intervals *in, u32 start, u16 nh)
{
	if (in->n > VGW_INTERVALS_MAX)
		return;
	/* What began here was but the end of a prefix, or one that covers this one. */
	if (in->start[in->n - 1] == start && in->n > 1)
		in->n--;
	else if (in->start[in->n - 1] == start)
		in->nh[0] = nh;
	if (in->nh[in->n - 1] == nh && !has_child(in, in->n - 1))
		return;
	in->start[in->n] = start;
	in->nh[in->n] = nh;
	in->n++;
}

/* Ends the prefixes that do not reach as far as start. */
static void intervals_close(struct vgw_intervals *in, u64 start)
{
	while (in->open > 1 && in->around[in->open - 1].end <= start) {
		u64 end = in->around[--in->open].end;

		if (end <= U32_MAX)
			interval_add(in, end, in->around[in->open - 1].nh);
	}
}

static void intervals_open(struct vgw_intervals *in, u32 start, u64 size, u16 nh)
{
	intervals_close(in, start);
	interval_add(in, start, nh);
	in->around[in->open].end = start + size;
	in->around[in->open++].nh = nh;
}

/* An interval of one address with a node below. */
static void interval_child(struct vgw_intervals *in, u32 start, const struct vgw_slow *slow)
{
	u16 nh;

	intervals_close(in, start);
	nh = in->around[in->open - 1].nh;
	if (in->n > VGW_INTERVALS_MAX)
		return;
	if (in->start[in->n - 1] != start) {
		in->start[in->n] = start;
		in->nh[in->n++] = nh;
	}
	in->child_interval[in->n_children] = in->n - 1;
	in->child[in->n_children++] = slow;
	/* It ends after one address. */
	in->around[in->open].end = (u64)start + 1;
	in->around[in->open++].nh = nh;
}

/* All intervals of a subtree in order; false if they are too many. Recursion: 4 levels. */
static bool intervals_collect(struct vgw_intervals *in, const struct vgw_slow *slow, u32 base,
			      unsigned int shift)
{
	unsigned int at = 0, child = 0;

	while (at < slow->n || child < slow->n_children) {
		u16 key = at < slow->n ? vgw_slow_key_at(slow, at) : U16_MAX;
		u8 byte = child < slow->n_children ? vgw_slow_bytes(slow)[child] : 0;

		if (in->n > VGW_INTERVALS_MAX || in->prefixes > VGW_INTERVAL_PREFIXES)
			return false;
		in->prefixes++;
		if (child == slow->n_children || key < VGW_SLOW_CHILD(byte)) {
			intervals_open(in, base | (u32)(key >> 4) << shift,
				       (u64)(256 >> (key & 15)) << shift, vgw_slow_nhs(slow)[at]);
			at++;
			continue;
		}
		if (!shift)
			interval_child(in, base | byte, slow->child[child]);
		else if (!intervals_collect(in, slow->child[child], base | (u32)byte << shift,
					    shift - 8))
			return false;
		child++;
	}
	return true;
}

static bool intervals_make(struct vgw_intervals *in, const struct vgw_slow *slow)
{
	in->n = 1;
	in->start[0] = 0;
	in->nh[0] = VGW_LPM_NONE;
	in->n_children = 0;
	in->prefixes = 0;
	in->open = 1;
	in->around[0].end = U64_MAX;
	in->around[0].nh = VGW_LPM_NONE;
	if (!intervals_collect(in, slow, 0, 24))
		return false;
	intervals_close(in, 1ull << 32);
	return in->n <= VGW_INTERVALS_MAX;
}

static void *intervals_build(struct vgw_lpm_txn *txn, unsigned int depth)
{
	struct vgw_intervals *in = txn->intervals;
	const struct vgw_slow **below;
	struct vgw_interval_node *node;
	unsigned int n = in->n_children;
	void *packed;
	size_t bytes;

	bytes = sizeof(*node) + in->n * 6 + n * 2;
	node = vgw_lpm_alloc(txn, ((bytes + 7) & ~7) + n * sizeof(void *));
	if (!node)
		return NULL;
	packed = (void *)((unsigned long)node | VGW_PACKED_INTERVALS);
	memset(node, 0, sizeof(*node));
	node->n = in->n;
	node->n_children = n;
	memcpy(node->start, in->start, in->n * sizeof(*in->start));
	memcpy(vgw_interval_nhs(node), in->nh, in->n * sizeof(*in->nh));
	memcpy(vgw_interval_child_intervals(node), in->child_interval, n * sizeof(u16));
	/* The scratch is used again below: the children wait in the places of their packed form. */
	below = (const struct vgw_slow **)vgw_interval_children(node);
	memcpy(below, in->child, n * sizeof(*below));
	for (unsigned int i = 0; i < n; i++) {
		void *child = vgw_packed_build(txn, below[i], depth + 32, NULL, NULL);

		if (!child) {
			memset(below + i, 0, (n - i) * sizeof(*below));
			vgw_packed_release(txn, packed, NULL, false);
			return NULL;
		}
		vgw_interval_children(node)[i] = child;
	}
	return packed;
}

/* Depth of recursion: at most 14 levels. */
void *vgw_packed_build(struct vgw_lpm_txn *txn, const struct vgw_slow *slow, unsigned int depth,
		       const struct vgw_slow *slow_before, const void *before)
{
	if (txn->intervals && depth <= INTERVALS_DEEPEST && intervals_make(txn->intervals, slow))
		return intervals_build(txn, depth);
	return node_build(txn, slow, depth, slow_before, before);
}
