/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the lookup table share.
 *
 * Two planes. The slow plane is the authority: a trie of eight bits a level that
 * holds the exact prefixes. A transaction copies the nodes that it changes and
 * all above them, so that publishing is one store and giving up leaves no trace.
 *
 * The fast plane holds next-hop ids only and is what packets read: a root of
 * pages, each of which exists where the slow plane has a node, and below it packed
 * nodes (lpm_packed.h). Publishing walks the two slow tries, skips what both share, and
 * builds each packed node under a difference once. All that a lookup may read of
 * one root entry is replaced by one store: it sees the table before or after.
 *
 * Publishing cannot fail. Where memory for a page or node is missing the entry says
 * "ask the slow plane" until a later transaction finds the memory.
 */
#ifndef _VGW_LPM_IMPL_H
#define _VGW_LPM_IMPL_H

#include <linux/rcupdate.h>
#include <linux/types.h>

#include "lpm.h"

#define VGW_FAST_LEVELS_MAX	3
#define VGW_BIN_OBJECTS		60
#define VGW_CHANGES		126

/*
 * Slow plane: the prefixes that are 1 to 8 bits longer than the node is deep, in
 * the order of a walk, and the nodes below. Neither is ever empty. What
 * readers can see never changes, but for the marks, which they do not read.
 */
struct vgw_slow {
	u64 epoch : 44;		/* the transaction that made it */
	u64 n : 10;		/* prefixes */
	u64 n_children : 10;
	struct vgw_slow *child[];
	/* u16 prefix[n], u16 nh[n], u8 byte[n_children] */
};

/*
 * A prefix in a node: bits of the address's byte, and how many, are its key; the
 * mark follows in four bits of its own, which only the writer looks at.
 */
static inline u16 vgw_slow_key_of(u8 byte, unsigned int bits)
{
	return (byte & (u8)(0xff00 >> bits)) << 4 | bits;
}

/* Where the child of a byte stands among them. */
#define VGW_SLOW_CHILD(byte)	((u16)((byte) << 4 | 9))

static inline u16 *vgw_slow_prefixes(const struct vgw_slow *slow)
{
	return (u16 *)&slow->child[slow->n_children];
}

static inline u16 vgw_slow_key_at(const struct vgw_slow *slow, unsigned int at)
{
	return READ_ONCE(vgw_slow_prefixes(slow)[at]) >> 4;
}

static inline u8 vgw_slow_mark_at(const struct vgw_slow *slow, unsigned int at)
{
	return vgw_slow_prefixes(slow)[at] & VGW_LPM_MARKS;
}

static inline u16 *vgw_slow_nhs(const struct vgw_slow *slow)
{
	return vgw_slow_prefixes(slow) + slow->n;
}

static inline u8 *vgw_slow_bytes(const struct vgw_slow *slow)
{
	return (u8 *)(vgw_slow_nhs(slow) + slow->n);
}

/* An entry of the fast plane: a pointer, or one of these. */
#define VGW_FAST_LEAF(nh)	((void *)((unsigned long)(nh) << 2 | 1))
#define VGW_FAST_SLOW		((void *)2ul)	/* ask the slow plane */

static inline bool vgw_fast_is_pointer(const void *entry)
{
	return !((unsigned long)entry & 3);
}

static inline u16 vgw_fast_leaf(const void *entry)
{
	return (unsigned long)entry >> 2;
}

struct vgw_fast_page {
	void __rcu *entry[256];
};

struct vgw_lpm {
	void __rcu *fast;
	struct vgw_slow __rcu *slow;
	struct vgw_lpm_value zero;	/* of the prefix of length 0; nh: READ_ONCE */
	u8 bits;
	u8 levels;			/* of pages */
	/* The writer's */
	bool degraded;			/* some entry asks the slow plane */
	u64 epoch;
	size_t count, memory;
};

/* Objects that a grace period separates from their end. */
struct vgw_bin {
	struct rcu_head rcu;
	struct vgw_bin *next;
	unsigned int n;
	void *object[VGW_BIN_OBJECTS];
};

struct vgw_changes {
	struct vgw_changes *next;
	unsigned int n;
	struct {
		u16 before, after;
	} change[VGW_CHANGES];
};

struct vgw_lpm_txn {
	struct vgw_lpm *lpm;
	struct vgw_slow *slow;		/* as it will be */
	struct vgw_lpm_value zero;
	u64 epoch;
	long count, memory;		/* what publishing adds */
	bool published, heal;
	struct vgw_bin *bins;
	struct vgw_changes *changes, **changes_tail;
	struct vgw_changes *last;
	/* Scratch of publishing: values of the 256 parts of a page, per level; of a node. */
	u16 was[VGW_FAST_LEVELS_MAX][256], is[VGW_FAST_LEVELS_MAX][256];
	u16 paint[256];
	struct vgw_intervals *intervals;	/* IPv6 only */
};

/* Memory, accounted in the transaction. */
void *vgw_lpm_alloc(struct vgw_lpm_txn *txn, size_t size);
/* Of something that no reader has seen. */
void vgw_lpm_drop(struct vgw_lpm_txn *txn, void *object, size_t size);
/* Room for one object in the bin, or -ENOMEM. */
int vgw_lpm_bin_reserve(struct vgw_lpm_txn *txn);
/* For an object that readers may hold; it is out of their reach when the transaction is freed. */
void vgw_lpm_retire(struct vgw_lpm_txn *txn, void *object, size_t size);
/* The same with the object out of reach now. Never fails: waits for readers if it must. */
void vgw_lpm_retire_now(struct vgw_lpm_txn *txn, void *object, size_t size);

/* The rest of the prefix's length and its bits, in the node that holds it. */
static inline u16 vgw_slow_key(const u8 *addr, u8 len)
{
	unsigned int depth = (len - 1) & ~7;

	return vgw_slow_key_of(addr[depth / 8], len - depth);
}

/* Slow plane */
size_t vgw_slow_size(const struct vgw_slow *slow);
int vgw_slow_child(const struct vgw_slow *slow, u8 byte);
int vgw_slow_find(const struct vgw_slow *slow, u16 key);
const struct vgw_slow *vgw_slow_node(const struct vgw_slow *slow, const u8 *addr, u8 len);
int vgw_slow_set(struct vgw_lpm_txn *txn, const u8 *addr, u8 len, struct vgw_lpm_value value);
/* The prefix must be there. */
int vgw_slow_del(struct vgw_lpm_txn *txn, const u8 *addr, u8 len);
bool vgw_slow_next(const struct vgw_slow *root, u8 *addr, u8 *len, struct vgw_lpm_value *value);
void vgw_slow_store(const struct vgw_slow *slow, unsigned int at, u16 key,
		    struct vgw_lpm_value value);
/* Readers may be in the node. */
void vgw_slow_mark(const struct vgw_slow *slow, unsigned int at, u8 mark);
void vgw_slow_load(const struct vgw_slow *slow, unsigned int at, struct vgw_lpm_value *value);
u16 vgw_slow_lookup(const struct vgw_slow *root, const u8 *addr, u8 *len);
/* The longest match of each of the node's 256 parts, base where it has none. */
void vgw_slow_paint(const struct vgw_slow *slow, u16 *values, u16 base);
/* txn not NULL: only what the transaction made, which readers have not seen. */
void vgw_slow_free(struct vgw_slow *slow, const struct vgw_lpm_txn *txn);

/* Fast plane */
void vgw_fast_update(struct vgw_lpm_txn *txn, const struct vgw_slow *before,
		     const struct vgw_slow *after);
/* No reader is left. */
void vgw_fast_free(struct vgw_lpm *lpm);

#endif /* _VGW_LPM_IMPL_H */
