// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slow plane, see lpm_impl.h. Nodes are as small as their contents: an update
 * makes a new one, so there is nothing to grow and no state between two shapes.
 */
#include "lpm_impl.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#define LEVELS	16

static size_t size_of(unsigned int n, unsigned int n_children)
{
	return sizeof(struct vgw_slow) + n_children * (sizeof(struct vgw_slow *) + 1) + n * 4;
}

size_t vgw_slow_size(const struct vgw_slow *slow)
{
	return size_of(slow->n, slow->n_children);
}

/* The first of n sorted bytes that is not below it. */
static unsigned int byte_position(const u8 *bytes, unsigned int n, u8 byte)
{
	unsigned int low = 0;

	while (n) {
		unsigned int half = n / 2;

		if (bytes[low + half] < byte) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

static unsigned int key_position(const struct vgw_slow *slow, u16 key)
{
	unsigned int low = 0, n = slow->n;

	while (n) {
		unsigned int half = n / 2;

		if (vgw_slow_key_at(slow, low + half) < key) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

/* Index of the child, or -1. */
int vgw_slow_child(const struct vgw_slow *slow, u8 byte)
{
	const u8 *bytes = vgw_slow_bytes(slow);
	unsigned int at = byte_position(bytes, slow->n_children, byte);

	return at < slow->n_children && bytes[at] == byte ? (int)at : -1;
}

/* Index of the prefix, or -1. */
int vgw_slow_find(const struct vgw_slow *slow, u16 key)
{
	unsigned int at = key_position(slow, key);

	return at < slow->n && vgw_slow_key_at(slow, at) == key ? (int)at : -1;
}

/* The depth of the node that holds prefixes of a length, which is not 0. */
static unsigned int depth_of(u8 len)
{
	return (len - 1) & ~7;
}

/* The node that holds, or would hold, the prefix. */
const struct vgw_slow *vgw_slow_node(const struct vgw_slow *slow, const u8 *addr, u8 len)
{
	for (unsigned int depth = 0; slow && depth < depth_of(len); depth += 8) {
		int at = vgw_slow_child(slow, addr[depth / 8]);

		slow = at < 0 ? NULL : slow->child[at];
	}
	return slow;
}

static struct vgw_slow *node_new(struct vgw_lpm_txn *txn, unsigned int n, unsigned int n_children)
{
	struct vgw_slow *slow = vgw_lpm_alloc(txn, size_of(n, n_children));

	if (!slow)
		return NULL;
	slow->epoch = txn->epoch;
	slow->n = n;
	slow->n_children = n_children;
	return slow;
}

/* A change of the number of elements at a place: by is -1, 0 or 1. */
struct shift {
	unsigned int at;
	int by;
};

static void copy_shifted(void *to, const void *from, unsigned int n, size_t size,
			 struct shift shift)
{
	unsigned int skip = shift.by < 0, gap = shift.by > 0;

	memcpy(to, from, shift.at * size);
	memcpy(to + (shift.at + gap) * size, from + (shift.at + skip) * size,
	       (n - shift.at - skip) * size);
}

/* A copy with a gap for one more prefix or child, or with one less. */
static struct vgw_slow *reshape(struct vgw_lpm_txn *txn, const struct vgw_slow *old,
				struct shift prefix, struct shift child)
{
	struct vgw_slow *slow = node_new(txn, old->n + prefix.by, old->n_children + child.by);

	if (!slow)
		return NULL;
	copy_shifted(slow->child, old->child, old->n_children, sizeof(*old->child), child);
	copy_shifted(vgw_slow_prefixes(slow), vgw_slow_prefixes(old), old->n, sizeof(u16), prefix);
	copy_shifted(vgw_slow_nhs(slow), vgw_slow_nhs(old), old->n, sizeof(u16), prefix);
	copy_shifted(vgw_slow_bytes(slow), vgw_slow_bytes(old), old->n_children, 1, child);
	return slow;
}

/* Puts another shape of the transaction's own node in its place. */
static int replace(struct vgw_lpm_txn *txn, struct vgw_slow **slot, struct shift prefix,
		   struct shift child)
{
	struct vgw_slow *slow = reshape(txn, *slot, prefix, child);

	if (!slow)
		return -ENOMEM;
	vgw_lpm_drop(txn, *slot, vgw_slow_size(*slot));
	*slot = slow;
	return 0;
}

/* Makes the node in the slot the transaction's own: a copy, if it is not. */
static int own(struct vgw_lpm_txn *txn, struct vgw_slow **slot)
{
	static const struct shift none;
	struct vgw_slow *old = *slot, *slow;

	if (old->epoch == txn->epoch)
		return 0;
	if (vgw_lpm_bin_reserve(txn))
		return -ENOMEM;
	slow = reshape(txn, old, none, none);
	if (!slow)
		return -ENOMEM;
	vgw_lpm_retire(txn, old, vgw_slow_size(old));
	*slot = slow;
	return 0;
}

void vgw_slow_store(const struct vgw_slow *slow, unsigned int at, u16 key,
		    struct vgw_lpm_value value)
{
	vgw_slow_prefixes(slow)[at] = key << 4 | (value.mark & VGW_LPM_MARKS);
	vgw_slow_nhs(slow)[at] = value.nh;
}

void vgw_slow_mark(const struct vgw_slow *slow, unsigned int at, u8 mark)
{
	u16 key = vgw_slow_key_at(slow, at);

	WRITE_ONCE(vgw_slow_prefixes(slow)[at], key << 4 | (mark & VGW_LPM_MARKS));
}

void vgw_slow_load(const struct vgw_slow *slow, unsigned int at, struct vgw_lpm_value *value)
{
	value->nh = vgw_slow_nhs(slow)[at];
	value->mark = vgw_slow_mark_at(slow, at);
}

/* A node at a depth, and the chain below it, with nothing but this prefix. */
static struct vgw_slow *chain_new(struct vgw_lpm_txn *txn, const u8 *addr, u8 len,
				  unsigned int depth, struct vgw_lpm_value value)
{
	struct vgw_slow *slow = node_new(txn, 1, 0), *parent;

	if (!slow)
		return NULL;
	vgw_slow_store(slow, 0, vgw_slow_key(addr, len), value);
	for (unsigned int at = depth_of(len); at > depth; at -= 8, slow = parent) {
		parent = node_new(txn, 0, 1);
		if (!parent) {
			vgw_slow_free(slow, txn);
			return NULL;
		}
		parent->child[0] = slow;
		*vgw_slow_bytes(parent) = addr[at / 8 - 1];
	}
	return slow;
}

static int add_child(struct vgw_lpm_txn *txn, struct vgw_slow **slot, const u8 *addr, u8 len,
		     unsigned int depth, struct vgw_lpm_value value)
{
	struct shift none = {}, child = { .by = 1 };
	struct vgw_slow *chain = chain_new(txn, addr, len, depth + 8, value);

	if (!chain)
		return -ENOMEM;
	child.at = byte_position(vgw_slow_bytes(*slot), (*slot)->n_children, addr[depth / 8]);
	if (replace(txn, slot, none, child)) {
		vgw_slow_free(chain, txn);
		return -ENOMEM;
	}
	(*slot)->child[child.at] = chain;
	vgw_slow_bytes(*slot)[child.at] = addr[depth / 8];
	return 0;
}

static int set_prefix(struct vgw_lpm_txn *txn, struct vgw_slow **slot, u16 key,
		      struct vgw_lpm_value value)
{
	struct shift none = {}, prefix = { .at = key_position(*slot, key), .by = 1 };

	if (vgw_slow_find(*slot, key) < 0 && replace(txn, slot, prefix, none))
		return -ENOMEM;
	vgw_slow_store(*slot, prefix.at, key, value);
	return 0;
}

int vgw_slow_set(struct vgw_lpm_txn *txn, const u8 *addr, u8 len, struct vgw_lpm_value value)
{
	struct vgw_slow **slot = &txn->slow;

	if (!*slot) {
		*slot = chain_new(txn, addr, len, 0, value);
		return *slot ? 0 : -ENOMEM;
	}
	for (unsigned int depth = 0;; depth += 8) {
		int at;

		if (own(txn, slot))
			return -ENOMEM;
		if (depth == depth_of(len))
			return set_prefix(txn, slot, vgw_slow_key(addr, len), value);
		at = vgw_slow_child(*slot, addr[depth / 8]);
		if (at < 0)
			return add_child(txn, slot, addr, len, depth, value);
		slot = &(*slot)->child[at];
	}
}

int vgw_slow_del(struct vgw_lpm_txn *txn, const u8 *addr, u8 len)
{
	struct vgw_slow **slot = &txn->slow, **cut = NULL, *branch;
	unsigned int cut_at = 0, depth;
	struct shift none = {}, gone = { .by = -1 };

	/* cut: the last node that holds more than the way to this prefix. */
	for (depth = 0;; depth += 8) {
		int at;

		if (own(txn, slot))
			return -ENOMEM;
		if (depth == depth_of(len))
			break;
		at = vgw_slow_child(*slot, addr[depth / 8]);
		if ((*slot)->n || (*slot)->n_children > 1) {
			cut = slot;
			cut_at = at;
		}
		slot = &(*slot)->child[at];
	}
	if ((*slot)->n > 1 || (*slot)->n_children) {
		gone.at = key_position(*slot, vgw_slow_key(addr, len));
		return replace(txn, slot, gone, none);
	}
	branch = cut ? (*cut)->child[cut_at] : txn->slow;
	gone.at = cut_at;
	if (!cut)
		txn->slow = NULL;
	else if (replace(txn, cut, none, gone))
		return -ENOMEM;
	while (branch) {
		struct vgw_slow *below = branch->n_children ? branch->child[0] : NULL;

		vgw_lpm_drop(txn, branch, vgw_slow_size(branch));
		branch = below;
	}
	return 0;
}

/* The first child whose place is not before key, or -1. */
static int child_from(const struct vgw_slow *slow, u16 key)
{
	unsigned int byte = (key + 15 - 9) >> 4, at;

	if (byte > 0xff)
		return -1;
	at = byte_position(vgw_slow_bytes(slow), slow->n_children, byte);
	return at < slow->n_children ? (int)at : -1;
}

/* How deep the path to the prefix goes, and from where on to search there. */
static unsigned int walk_resume(const struct vgw_slow **path, const u8 *addr, u8 len, u16 *from)
{
	unsigned int level = 0;

	*from = 0;
	if (!len || len == VGW_LPM_START)
		return 0;
	for (; level < depth_of(len) / 8; level++) {
		int at = vgw_slow_child(path[level], addr[level]);

		if (at < 0) {
			*from = VGW_SLOW_CHILD(addr[level]) + 1;
			return level;
		}
		path[level + 1] = path[level]->child[at];
	}
	*from = vgw_slow_key(addr, len) + 1;
	return level;
}

/* The first prefix after (*addr, *len), not counting that of length 0. */
bool vgw_slow_next(const struct vgw_slow *root, u8 *addr, u8 *len, struct vgw_lpm_value *value)
{
	const struct vgw_slow *path[LEVELS];
	unsigned int level;
	u16 from;

	if (!root)
		return false;
	path[0] = root;
	level = walk_resume(path, addr, *len, &from);
	for (;;) {
		const struct vgw_slow *slow = path[level];
		unsigned int at = key_position(slow, from);
		int child = child_from(slow, from);

		if (at < slow->n && (child < 0 || vgw_slow_key_at(slow, at) <
				     VGW_SLOW_CHILD(vgw_slow_bytes(slow)[child]))) {
			memset(addr + level, 0, 16 - level);
			addr[level] = vgw_slow_key_at(slow, at) >> 4;
			*len = level * 8 + (vgw_slow_key_at(slow, at) & 15);
			vgw_slow_load(slow, at, value);
			return true;
		}
		if (child >= 0) {
			addr[level] = vgw_slow_bytes(slow)[child];
			path[++level] = slow->child[child];
			from = 0;
		} else if (level) {
			level--;
			from = VGW_SLOW_CHILD(addr[level]) + 1;
		} else {
			return false;
		}
	}
}

u16 vgw_slow_lookup(const struct vgw_slow *slow, const u8 *addr, u8 *len)
{
	unsigned int limit = *len;
	u16 best = VGW_LPM_NONE;

	for (unsigned int depth = 0; slow && depth + 1 < limit; depth += 8) {
		int at;

		for (unsigned int bits = min(8u, limit - 1 - depth); bits; bits--) {
			at = vgw_slow_find(slow, vgw_slow_key_of(addr[depth / 8], bits));
			if (at >= 0) {
				best = vgw_slow_nhs(slow)[at];
				*len = depth + bits;
				break;
			}
		}
		at = vgw_slow_child(slow, addr[depth / 8]);
		slow = at < 0 ? NULL : slow->child[at];
	}
	return best;
}

void vgw_slow_paint(const struct vgw_slow *slow, u16 *values, u16 base)
{
	for (unsigned int i = 0; i < 256; i++)
		values[i] = base;
	if (!slow)
		return;
	/* In this order a longer prefix comes after those that cover it. */
	for (unsigned int i = 0; i < slow->n; i++) {
		u16 key = vgw_slow_key_at(slow, i);
		unsigned int at = key >> 4, end = at + (256 >> (key & 15));

		while (at < end)
			values[at++] = vgw_slow_nhs(slow)[i];
	}
}

/* Depth of recursion: at most 16 levels. */
void vgw_slow_free(struct vgw_slow *slow, const struct vgw_lpm_txn *txn)
{
	if (!slow || (txn && slow->epoch != txn->epoch))
		return;
	for (unsigned int i = 0; i < slow->n_children; i++)
		vgw_slow_free(slow->child[i], txn);
	kfree(slow);
}
