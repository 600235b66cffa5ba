// SPDX-License-Identifier: GPL-2.0-only
/* The fast plane's root of pages, and how it follows the slow plane. */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "lpm_impl.h"
#include "lpm_packed.h"

#define deref_writer(p)	rcu_dereference_protected(p, true)

/* Gives up all that is below an entry, which readers cannot reach from above any more. */
static void release(struct vgw_lpm_txn *txn, const struct vgw_lpm *lpm, void *entry,
		    unsigned int level)
{
	struct vgw_fast_page *page = entry;

	if (!vgw_fast_is_pointer(entry))
		return;
	if (level == lpm->levels) {
		vgw_packed_release(txn, entry, NULL, true);
		return;
	}
	for (unsigned int i = 0; i < 256; i++)
		release(txn, lpm, deref_writer(page->entry[i]), level + 1);
	if (txn)
		vgw_lpm_retire_now(txn, page, sizeof(*page));
	else
		kfree(page);
	cond_resched();
}

static void replace(struct vgw_lpm_txn *txn, void __rcu **slot, void *entry, unsigned int level)
{
	void *before = deref_writer(*slot);

	if (before == entry)
		return;
	rcu_assign_pointer(*slot, entry);
	release(txn, txn->lpm, before, level);
}

static void ask_slow(struct vgw_lpm_txn *txn, void __rcu **slot, unsigned int level)
{
	txn->lpm->degraded = true;
	replace(txn, slot, VGW_FAST_SLOW, level);
}

/* One entry below the pages: def is the id of the best match up there. */
static void update_packed(struct vgw_lpm_txn *txn, void __rcu **slot, const struct vgw_slow *was,
			  const struct vgw_slow *slow, u16 def)
{
	unsigned int level = txn->lpm->levels;
	void *before = deref_writer(*slot), *packed;

	if (!vgw_fast_is_pointer(before))
		before = NULL;
	if (before && was == slow) {
		vgw_packed_set_def(before, def);
		return;
	}
	packed = vgw_packed_build(txn, slow, level * 8, was, before);
	if (!packed) {
		ask_slow(txn, slot, level);
		return;
	}
	vgw_packed_set_def(packed, def);
	rcu_assign_pointer(*slot, packed);
	vgw_packed_release(txn, before, packed, true);
}

static const struct vgw_slow *child_of(const struct vgw_slow *slow, unsigned int *next, u8 byte)
{
	if (!slow || *next == slow->n_children || vgw_slow_bytes(slow)[*next] != byte)
		return NULL;
	return slow->child[(*next)++];
}

static struct vgw_fast_page *page_new(struct vgw_lpm_txn *txn, u16 nh)
{
	struct vgw_fast_page *page = vgw_lpm_alloc(txn, sizeof(*page));

	for (unsigned int i = 0; page && i < 256; i++)
		RCU_INIT_POINTER(page->entry[i], VGW_FAST_LEAF(nh));
	return page;
}

static void update(struct vgw_lpm_txn *txn, void __rcu **slot, unsigned int level,
		   const struct vgw_slow *was, const struct vgw_slow *slow, u16 nh_was, u16 nh);

/* The entries of the page of a node. */
static void update_page(struct vgw_lpm_txn *txn, struct vgw_fast_page *page, unsigned int level,
			const struct vgw_slow *was, const struct vgw_slow *slow, u16 nh_was, u16 nh)
{
	u16 *values_was = txn->was[level], *values = txn->is[level];
	unsigned int next_was = 0, next = 0;

	vgw_slow_paint(was, values_was, nh_was);
	vgw_slow_paint(slow, values, nh);
	for (unsigned int i = 0; i < 256; i++) {
		const struct vgw_slow *below_was = child_of(was, &next_was, i);
		const struct vgw_slow *below = child_of(slow, &next, i);

		if (below != below_was || values[i] != values_was[i] || txn->heal)
			update(txn, &page->entry[i], level + 1, below_was, below, values_was[i],
			       values[i]);
	}
	cond_resched();
}

/*
 * One entry at a level: the best match that ends above it was and is an id, the
 * slow plane below it was and is a node or NULL. Recursion: at most 4 levels.
 */
static void update(struct vgw_lpm_txn *txn, void __rcu **slot, unsigned int level,
		   const struct vgw_slow *was, const struct vgw_slow *slow, u16 nh_was, u16 nh)
{
	struct vgw_fast_page *page = deref_writer(*slot);

	if (!slow) {
		replace(txn, slot, VGW_FAST_LEAF(nh), level);
	} else if (level == txn->lpm->levels) {
		update_packed(txn, slot, was, slow, nh);
	} else if (vgw_fast_is_pointer(page)) {
		update_page(txn, page, level, was, slow, nh_was, nh);
	} else {
		page = page_new(txn, nh);
		if (!page) {
			ask_slow(txn, slot, level);
			return;
		}
		/* Readers see it when all below it is there. */
		update_page(txn, page, level, NULL, slow, nh, nh);
		rcu_assign_pointer(*slot, page);
	}
}

void vgw_fast_update(struct vgw_lpm_txn *txn, const struct vgw_slow *before,
		     const struct vgw_slow *after)
{
	/* Entries that ask the slow plane get another chance. */
	txn->heal = txn->lpm->degraded;
	txn->lpm->degraded = false;
	if (before != after || txn->heal)
		update(txn, &txn->lpm->fast, 0, before, after, VGW_LPM_NONE,
		       VGW_LPM_NONE);
}

void vgw_fast_free(struct vgw_lpm *lpm)
{
	release(NULL, lpm, deref_writer(lpm->fast), 0);
}
