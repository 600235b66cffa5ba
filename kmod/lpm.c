// SPDX-License-Identifier: GPL-2.0-only
/*
 * A binary trie with compressed paths. A node is a prefix; it carries a route
 * (nh not 0) or joins two subtrees. A node's prefix never changes while readers
 * can see it, so an update is one store: of an id into a node, or of a pointer
 * into the parent.
 */
#include "lpm.h"

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jhash.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

struct node {
	struct node __rcu *child[2];
	u8 addr[16];
	u8 len;
	u8 mark;		/* writer's */
	u16 nh;			/* 0: joins two subtrees only */
	struct rcu_head rcu;
};

struct vgw_lpm {
	struct node __rcu *root;
	unsigned int bits;
	size_t count, nodes;	/* writer's */
};

/* One staged change. Its nodes are allocated before anything is visible. */
struct op {
	struct list_head list;		/* in order of staging */
	struct hlist_node hash;		/* newest first, so the first hit is the truth */
	struct vgw_lpm_key key;
	struct vgw_lpm_value value;	/* nh 0: delete */
	struct node *spare[2];
	u16 before;
	u8 len;
};

#define TXN_BUCKETS 256

struct vgw_lpm_txn {
	struct vgw_lpm *lpm;
	struct list_head ops;
	struct hlist_head hash[TXN_BUCKETS];
};

#define deref_writer(p)	rcu_dereference_protected(p, true)

static bool bit_at(const u8 *addr, u8 index)
{
	return addr[index >> 3] >> (7 - (index & 7)) & 1;
}

/* Length of the common prefix of a and b, at most max. */
static u8 common_bits(const u8 *a, const u8 *b, u8 max)
{
	u8 bits = 0;

	for (unsigned int i = 0; bits < max; i++, bits += 8) {
		u8 diff = a[i] ^ b[i];

		if (diff)
			return min_t(u8, max, bits + 8 - fls(diff));
	}
	return max;
}

static bool covers(const struct node *node, const u8 *addr, u8 len)
{
	return node->len <= len && common_bits(node->addr, addr, node->len) == node->len;
}

static bool key_valid(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 len)
{
	if (len > lpm->bits)
		return false;
	for (unsigned int i = len / 8; i < 16; i++) {
		u8 keep = i == len / 8 ? (u8)~(0xff >> (len % 8)) : 0;

		if (key->addr[i] & (u8)~keep)
			return false;
	}
	return true;
}

struct vgw_lpm *vgw_lpm_create(unsigned int bits)
{
	struct vgw_lpm *lpm = kzalloc(sizeof(*lpm), GFP_KERNEL_ACCOUNT);

	if (lpm)
		lpm->bits = bits;
	return lpm;
}

void vgw_lpm_destroy(struct vgw_lpm *lpm)
{
	struct node *node;

	if (!lpm)
		return;
	/* Take leaves off until nothing is left: depth is bounded, memory is not needed. */
	while ((node = deref_writer(lpm->root))) {
		struct node __rcu **slot = &lpm->root;

		for (;;) {
			unsigned int side = rcu_access_pointer(node->child[0]) ? 0 : 1;

			if (!rcu_access_pointer(node->child[side]))
				break;
			slot = &node->child[side];
			node = deref_writer(*slot);
		}
		RCU_INIT_POINTER(*slot, NULL);
		kfree(node);
	}
	kfree(lpm);
}

static struct node *exact(struct vgw_lpm *lpm, const u8 *addr, u8 len)
{
	struct node *node = deref_writer(lpm->root);

	while (node && covers(node, addr, len)) {
		if (node->len == len)
			return node->nh ? node : NULL;
		node = deref_writer(node->child[bit_at(addr, node->len)]);
	}
	return NULL;
}

static struct node *node_new(const u8 *addr, u8 len)
{
	struct node *node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);

	if (!node)
		return NULL;
	memcpy(node->addr, addr, len / 8);
	if (len % 8)
		node->addr[len / 8] = addr[len / 8] & ~(0xff >> (len % 8));
	node->len = len;
	return node;
}

/* Where the prefix is, or belongs: the slot and what it holds now. */
static struct node __rcu **find_slot(struct vgw_lpm *lpm, const u8 *addr, u8 len,
				     struct node **node)
{
	struct node __rcu **slot = &lpm->root;

	while ((*node = deref_writer(*slot)) && covers(*node, addr, len) && (*node)->len < len)
		slot = &(*node)->child[bit_at(addr, (*node)->len)];
	return slot;
}

/* Puts the op's value into the trie with the op's spare nodes. */
static void apply_set(struct vgw_lpm *lpm, struct op *op)
{
	struct node *node, *leaf, *join;
	struct node __rcu **slot = find_slot(lpm, op->key.addr, op->len, &node);
	u8 shared;

	if (node && node->len == op->len && covers(node, op->key.addr, op->len)) {
		lpm->count += !node->nh;
		node->mark = op->value.mark;
		WRITE_ONCE(node->nh, op->value.nh);
		return;
	}
	leaf = op->spare[0];
	op->spare[0] = NULL;
	leaf->nh = op->value.nh;
	leaf->mark = op->value.mark;
	lpm->count++;
	lpm->nodes++;
	if (!node) {
		rcu_assign_pointer(*slot, leaf);
		return;
	}
	shared = common_bits(node->addr, op->key.addr, min(node->len, op->len));
	if (shared == op->len) {
		rcu_assign_pointer(leaf->child[bit_at(node->addr, op->len)], node);
		rcu_assign_pointer(*slot, leaf);
		return;
	}
	join = op->spare[1];
	op->spare[1] = NULL;
	lpm->nodes++;
	memset(join->addr, 0, sizeof(join->addr));
	memcpy(join->addr, op->key.addr, shared / 8);
	if (shared % 8)
		join->addr[shared / 8] = op->key.addr[shared / 8] & ~(0xff >> (shared % 8));
	join->len = shared;
	rcu_assign_pointer(join->child[bit_at(op->key.addr, shared)], leaf);
	rcu_assign_pointer(join->child[bit_at(node->addr, shared)], node);
	rcu_assign_pointer(*slot, join);
}

/* Takes a node that carries nothing and joins nothing out of the trie. */
static bool prune(struct vgw_lpm *lpm, struct node __rcu **slot)
{
	struct node *node = deref_writer(*slot);
	struct node *left, *right;

	if (!node || node->nh)
		return false;
	left = deref_writer(node->child[0]);
	right = deref_writer(node->child[1]);
	if (left && right)
		return false;
	rcu_assign_pointer(*slot, left ?: right);
	lpm->nodes--;
	kfree_rcu(node, rcu);
	return true;
}

static void apply_del(struct vgw_lpm *lpm, struct op *op)
{
	struct node __rcu **slot = &lpm->root, **parent = NULL;
	struct node *node = deref_writer(*slot);

	while (node->len < op->len) {
		parent = slot;
		slot = &node->child[bit_at(op->key.addr, node->len)];
		node = deref_writer(*slot);
	}
	WRITE_ONCE(node->nh, VGW_LPM_NONE);
	lpm->count--;
	if (prune(lpm, slot) && parent)
		prune(lpm, parent);
}

struct vgw_lpm_txn *vgw_lpm_txn_begin(struct vgw_lpm *lpm)
{
	struct vgw_lpm_txn *txn = kzalloc(sizeof(*txn), GFP_KERNEL_ACCOUNT);

	if (!txn)
		return NULL;
	txn->lpm = lpm;
	INIT_LIST_HEAD(&txn->ops);
	return txn;
}

static struct hlist_head *txn_bucket(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len)
{
	return &txn->hash[jhash(key->addr, sizeof(key->addr), len) % TXN_BUCKETS];
}

bool vgw_lpm_txn_get(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len,
		     struct vgw_lpm_value *value)
{
	struct op *op;

	hlist_for_each_entry(op, txn_bucket(txn, key, len), hash) {
		if (op->len == len && !memcmp(&op->key, key, sizeof(*key))) {
			*value = op->value;
			return value->nh != VGW_LPM_NONE;
		}
	}
	return vgw_lpm_get(txn->lpm, key, len, value);
}

static void op_free(struct op *op)
{
	list_del(&op->list);
	kfree(op->spare[0]);
	kfree(op->spare[1]);
	kfree(op);
}

static int stage(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len,
		 struct vgw_lpm_value value)
{
	struct vgw_lpm_value before;
	struct op *op = kzalloc(sizeof(*op), GFP_KERNEL_ACCOUNT);

	if (!op)
		return -ENOMEM;
	if (vgw_lpm_txn_get(txn, key, len, &before))
		op->before = before.nh;
	op->key = *key;
	op->len = len;
	op->value = value;
	list_add_tail(&op->list, &txn->ops);
	if (value.nh) {
		op->spare[0] = node_new(key->addr, len);
		op->spare[1] = node_new(key->addr, 0);
		if (!op->spare[0] || !op->spare[1]) {
			op_free(op);
			return -ENOMEM;
		}
	}
	hlist_add_head(&op->hash, txn_bucket(txn, key, len));
	return 0;
}

int vgw_lpm_txn_set(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len,
		    struct vgw_lpm_value value)
{
	if (!value.nh || !key_valid(txn->lpm, key, len))
		return -EINVAL;
	return stage(txn, key, len, value);
}

int vgw_lpm_txn_del(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len)
{
	struct vgw_lpm_value value;

	if (!key_valid(txn->lpm, key, len) || !vgw_lpm_txn_get(txn, key, len, &value))
		return -ENOENT;
	return stage(txn, key, len, (struct vgw_lpm_value){});
}

void vgw_lpm_txn_each(struct vgw_lpm_txn *txn, void (*change)(void *ctx, u16 before, u16 after),
		      void *ctx)
{
	struct op *op;

	list_for_each_entry(op, &txn->ops, list)
		change(ctx, op->before, op->value.nh);
}

void vgw_lpm_txn_publish(struct vgw_lpm_txn *txn)
{
	struct op *op;

	list_for_each_entry(op, &txn->ops, list) {
		if (op->value.nh)
			apply_set(txn->lpm, op);
		else
			apply_del(txn->lpm, op);
	}
}

void vgw_lpm_txn_free(struct vgw_lpm_txn *txn)
{
	struct op *op, *next;

	list_for_each_entry_safe(op, next, &txn->ops, list)
		op_free(op);
	kfree(txn);
}

bool vgw_lpm_get(struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 len,
		 struct vgw_lpm_value *value)
{
	struct node *node = exact(lpm, key->addr, len);

	if (!node)
		return false;
	value->nh = node->nh;
	value->mark = node->mark;
	return true;
}

bool vgw_lpm_mark(struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 len, u8 mark)
{
	struct node *node = exact(lpm, key->addr, len);

	if (node)
		node->mark = mark;
	return node;
}

/* The first route of a subtree: a node without one has two children. */
static bool first_below(struct node *node, struct vgw_lpm_key *key, u8 *len,
			struct vgw_lpm_value *value)
{
	while (node && !node->nh)
		node = deref_writer(node->child[0]);
	if (!node)
		return false;
	memcpy(key->addr, node->addr, sizeof(key->addr));
	*len = node->len;
	value->nh = node->nh;
	value->mark = node->mark;
	return true;
}

bool vgw_lpm_next(struct vgw_lpm *lpm, struct vgw_lpm_key *key, u8 *len,
		  struct vgw_lpm_value *value)
{
	struct node *node = deref_writer(lpm->root), *later = NULL;

	if (*len == VGW_LPM_START)
		return first_below(node, key, len, value);
	while (node) {
		int order = memcmp(node->addr, key->addr, sizeof(node->addr));
		unsigned int side;

		if (order > 0 || (order == 0 && node->len > *len))
			return first_below(node, key, len, value);
		if (node->len >= *len) {
			/* The prefix itself: what is below it comes next. */
			if (order == 0 && rcu_access_pointer(node->child[0]))
				later = deref_writer(node->child[0]);
			else if (order == 0 && rcu_access_pointer(node->child[1]))
				later = deref_writer(node->child[1]);
			break;
		}
		if (!covers(node, key->addr, *len))
			break;
		side = bit_at(key->addr, node->len);
		if (!side && rcu_access_pointer(node->child[1]))
			later = deref_writer(node->child[1]);
		node = deref_writer(node->child[side]);
	}
	return first_below(later, key, len, value);
}

size_t vgw_lpm_count(const struct vgw_lpm *lpm)
{
	return lpm->count;
}

size_t vgw_lpm_memory(const struct vgw_lpm *lpm)
{
	return sizeof(*lpm) + lpm->nodes * sizeof(struct node);
}

u16 vgw_lpm_lookup(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key)
{
	u8 len = VGW_LPM_START;

	return vgw_lpm_lookup_below(lpm, key, &len);
}

u16 vgw_lpm_lookup_below(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 *len)
{
	const struct node *node = rcu_dereference(lpm->root);
	u8 limit = *len;
	u16 best = VGW_LPM_NONE;

	while (node && node->len < limit && covers(node, key->addr, lpm->bits)) {
		u16 nh = READ_ONCE(node->nh);

		if (nh) {
			best = nh;
			*len = node->len;
		}
		if (node->len == lpm->bits)
			break;
		node = rcu_dereference(node->child[bit_at(key->addr, node->len)]);
	}
	return best;
}
