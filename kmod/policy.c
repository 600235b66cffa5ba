// SPDX-License-Identifier: GPL-2.0-only
#include "policy.h"

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#define WORDS_MAX	4	/* of an address */
#define ROOM_MIN	16

/* The policies of one pair of prefix lengths. */
struct tuple {
	u32 src_mask[WORDS_MAX], dst_mask[WORDS_MAX];	/* network order */
	u32 first, last;	/* places of its best and its worst policy */
	u32 cells, mask;	/* its hash table: where it begins, size less one */
	u32 n;
};

/* An entry of a hash table; 0 in place is none. */
struct cell {
	u32 hash;
	u32 place;		/* of the best policy with these addresses, plus one */
};

struct vgw_policy_set {
	struct rcu_head rcu;
	u32 n, n_tuples, n_cells;
	u32 words;		/* of an address: 1 or 4 */
	struct tuple *tuples;	/* ordered by first */
	struct cell *cells;
	u32 *next;		/* of each policy: the next one with its addresses, plus one */
	struct vgw_policy list[];
};

static int compare_u32(u32 a, u32 b)
{
	return a < b ? -1 : a > b;
}

int vgw_policy_compare(const struct vgw_policy *a, const struct vgw_policy *b)
{
	return compare_u32(a->priority, b->priority) ?:
	       compare_u32(a->sequence, b->sequence) ?:
	       memcmp(&a->src, &b->src, sizeof(a->src)) ?:
	       compare_u32(a->src_len, b->src_len) ?:
	       memcmp(&a->dst, &b->dst, sizeof(a->dst)) ?:
	       compare_u32(a->dst_len, b->dst_len);
}

/* Readers */

/* A key, cut to the lengths of a tuple, and its hash. */
struct probe {
	u32 word[2 * WORDS_MAX];	/* source, destination */
	u32 hash;
};

static __always_inline void probe_set(struct probe *probe, const struct tuple *tuple,
				      const u32 *src, const u32 *dst, u32 words)
{
	u32 hash = 0;

	for (u32 i = 0; i < words; i++) {
		probe->word[i] = src[i] & tuple->src_mask[i];
		probe->word[words + i] = dst[i] & tuple->dst_mask[i];
	}
	for (u32 i = 0; i < 2 * words; i++) {
		hash = (hash ^ probe->word[i]) * 0x9e3779b1u;
		hash ^= hash >> 15;
	}
	probe->hash = hash;
}

static __always_inline bool has_addresses(const struct vgw_policy *policy,
					  const struct probe *probe, u32 words)
{
	return !memcmp(&policy->src, probe->word, words * sizeof(u32)) &&
	       !memcmp(&policy->dst, probe->word + words, words * sizeof(u32));
}

/* The cell of these addresses, or the empty one where they would stand. */
static __always_inline struct cell *tuple_find(const struct vgw_policy_set *set,
					       const struct tuple *tuple,
					       const struct probe *probe, u32 words)
{
	struct cell *cells = set->cells + tuple->cells;
	u32 at = probe->hash & tuple->mask;

	/* Never more than half of the cells are taken. */
	while (cells[at].place && (cells[at].hash != probe->hash ||
				   !has_addresses(&set->list[cells[at].place - 1], probe, words)))
		at = (at + 1) & tuple->mask;
	return &cells[at];
}

/* words is a constant wherever this is used, which makes loops and comparisons go away. */
static __always_inline u32 match(const struct vgw_policy_set *set, const struct vgw_lpm_key *src,
				 const struct vgw_lpm_key *dst, u32 from, u32 words)
{
	u32 s[WORDS_MAX], d[WORDS_MAX], best = set->n;
	struct probe probe;

	memcpy(s, src, words * sizeof(u32));
	memcpy(d, dst, words * sizeof(u32));
	for (u32 i = 0; i < set->n_tuples; i++) {
		const struct tuple *tuple = &set->tuples[i];
		u32 place;

		if (tuple->first >= best)
			break;
		if (tuple->last < from)
			continue;
		probe_set(&probe, tuple, s, d, words);
		place = tuple_find(set, tuple, &probe, words)->place;
		while (place && place - 1 < from)
			place = set->next[place - 1];
		if (place && place - 1 < best)
			best = place - 1;
	}
	return best;
}

const struct vgw_policy *vgw_policy_match(const struct vgw_policy_set *set,
					  const struct vgw_lpm_key *src,
					  const struct vgw_lpm_key *dst,
					  const struct vgw_policy *after)
{
	u32 from = after ? after - set->list + 1 : 0;
	u32 best = set->words == 1 ? match(set, src, dst, from, 1) :
				     match(set, src, dst, from, WORDS_MAX);

	return best < set->n ? &set->list[best] : NULL;
}

/* Sets */

u32 vgw_policy_set_count(const struct vgw_policy_set *set)
{
	return set ? set->n : 0;
}

struct vgw_policy *vgw_policy_set_at(struct vgw_policy_set *set, u32 i)
{
	return &set->list[i];
}

/* Place of the first one that does not come before the name. */
static u32 lower_bound(const struct vgw_policy *list, u32 n, const struct vgw_policy *name)
{
	u32 low = 0;

	while (low < n) {
		u32 middle = low + (n - low) / 2;

		if (vgw_policy_compare(&list[middle], name) < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

u32 vgw_policy_set_after(const struct vgw_policy_set *set, const struct vgw_policy *name)
{
	u32 place = set ? lower_bound(set->list, set->n, name) : 0;

	if (set && place < set->n && !vgw_policy_compare(&set->list[place], name))
		place++;
	return place;
}

size_t vgw_policy_set_memory(const struct vgw_policy_set *set)
{
	if (!set)
		return 0;
	return sizeof(*set) + set->n * (sizeof(set->list[0]) + sizeof(set->next[0])) +
	       set->n_tuples * sizeof(set->tuples[0]) + set->n_cells * sizeof(set->cells[0]);
}

void vgw_policy_set_destroy(struct vgw_policy_set *set)
{
	kvfree(set);
}

void vgw_policy_set_retire(struct vgw_policy_set *set)
{
	if (set)
		kvfree_rcu(set, rcu);
}

/* Transactions */

int vgw_policy_txn_begin(struct vgw_policy_txn *txn, struct vgw_policy_set *set, u8 bits)
{
	u32 n = vgw_policy_set_count(set);

	txn->bits = bits;
	txn->n = n;
	txn->room = n + n / 2 + ROOM_MIN;
	txn->list = kvmalloc_array(txn->room, sizeof(*txn->list), GFP_KERNEL_ACCOUNT);
	if (!txn->list)
		return -ENOMEM;
	if (n)
		memcpy(txn->list, set->list, n * sizeof(*txn->list));
	return 0;
}

void vgw_policy_txn_end(struct vgw_policy_txn *txn)
{
	kvfree(txn->list);
	txn->list = NULL;
}

/* True: *place is where it stands. False: where it would. */
static bool txn_find(struct vgw_policy_txn *txn, const struct vgw_policy *name, u32 *place)
{
	*place = lower_bound(txn->list, txn->n, name);
	return *place < txn->n && !vgw_policy_compare(&txn->list[*place], name);
}

struct vgw_policy *vgw_policy_txn_get(struct vgw_policy_txn *txn, const struct vgw_policy *name)
{
	u32 place;

	return txn_find(txn, name, &place) ? &txn->list[place] : NULL;
}

static int txn_grow(struct vgw_policy_txn *txn)
{
	u32 room = 2 * txn->room;
	struct vgw_policy *list = kvmalloc_array(room, sizeof(*list), GFP_KERNEL_ACCOUNT);

	if (!list)
		return -ENOMEM;
	memcpy(list, txn->list, txn->n * sizeof(*list));
	kvfree(txn->list);
	txn->list = list;
	txn->room = room;
	return 0;
}

int vgw_policy_txn_set(struct vgw_policy_txn *txn, const struct vgw_policy *policy)
{
	u32 place;

	if (!txn_find(txn, policy, &place)) {
		if (txn->n == txn->room && txn_grow(txn))
			return -ENOMEM;
		memmove(&txn->list[place + 1], &txn->list[place],
			(txn->n - place) * sizeof(*txn->list));
		txn->n++;
	}
	txn->list[place] = *policy;
	return 0;
}

int vgw_policy_txn_del(struct vgw_policy_txn *txn, const struct vgw_policy *name)
{
	u32 place;

	if (!txn_find(txn, name, &place))
		return -ENOENT;
	txn->n--;
	memmove(&txn->list[place], &txn->list[place + 1], (txn->n - place) * sizeof(*txn->list));
	return 0;
}

/* Building a set */

/* What is counted before there is memory for the set. */
struct plan {
	struct tuple *tuples;	/* by first */
	u32 n_tuples, n_cells;
	u32 *tuple_of;		/* of a pair of lengths, plus one */
	u8 bits;
};

static u32 *plan_tuple(struct plan *plan, const struct vgw_policy *policy)
{
	return &plan->tuple_of[policy->src_len * (plan->bits + 1) + policy->dst_len];
}

/* The first len bits of an address are what a tuple compares. */
static void mask_set(u32 *mask, unsigned int len)
{
	u8 bytes[WORDS_MAX * sizeof(u32)] = {};

	memset(bytes, 0xff, len / 8);
	if (len % 8)
		bytes[len / 8] = 0xff00 >> (len % 8);
	memcpy(mask, bytes, sizeof(bytes));
}

static u32 cells_for(u32 n)
{
	u32 size = 4;

	while (size < 2 * n)
		size *= 2;
	return size;
}

/* In the order of the policies, so tuples come ordered by their best one. */
static void plan_tuples(struct plan *plan, const struct vgw_policy_txn *txn)
{
	for (u32 i = 0; i < txn->n; i++) {
		const struct vgw_policy *policy = &txn->list[i];
		u32 *known = plan_tuple(plan, policy);
		struct tuple *tuple;

		if (!*known) {
			tuple = &plan->tuples[plan->n_tuples++];
			*known = plan->n_tuples;
			mask_set(tuple->src_mask, policy->src_len);
			mask_set(tuple->dst_mask, policy->dst_len);
			tuple->first = i;
			tuple->n = 0;
		}
		tuple = &plan->tuples[*known - 1];
		tuple->last = i;
		tuple->n++;
	}
	for (u32 i = 0; i < plan->n_tuples; i++) {
		plan->tuples[i].cells = plan->n_cells;
		plan->tuples[i].mask = cells_for(plan->tuples[i].n) - 1;
		plan->n_cells += plan->tuples[i].mask + 1;
	}
}

static int plan_make(struct plan *plan, const struct vgw_policy_txn *txn)
{
	u32 pairs = (txn->bits + 1) * (txn->bits + 1);

	plan->bits = txn->bits;
	plan->n_tuples = 0;
	plan->n_cells = 0;
	plan->tuple_of = kvcalloc(pairs, sizeof(u32), GFP_KERNEL_ACCOUNT);
	plan->tuples = kvmalloc_array(min(txn->n, pairs), sizeof(*plan->tuples),
				      GFP_KERNEL_ACCOUNT);
	if (!plan->tuple_of || !plan->tuples)
		return -ENOMEM;
	plan_tuples(plan, txn);
	return 0;
}

static void plan_free(struct plan *plan)
{
	kvfree(plan->tuple_of);
	kvfree(plan->tuples);
}

/* One piece of memory, so that it can be freed by RCU. */
static struct vgw_policy_set *set_alloc(const struct vgw_policy_txn *txn, const struct plan *plan)
{
	size_t tuples = plan->n_tuples * sizeof(struct tuple);
	size_t cells = plan->n_cells * sizeof(struct cell);
	struct vgw_policy_set *set;
	size_t list = struct_size(set, list, txn->n);

	set = kvzalloc(list + tuples + cells + txn->n * sizeof(u32), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	set->n = txn->n;
	set->words = txn->bits / 32;
	set->n_tuples = plan->n_tuples;
	set->n_cells = plan->n_cells;
	set->tuples = (void *)set + list;
	set->cells = (void *)set->tuples + tuples;
	set->next = (void *)set->cells + cells;
	memcpy(set->list, txn->list, txn->n * sizeof(*set->list));
	memcpy(set->tuples, plan->tuples, tuples);
	return set;
}

/* Backwards, so that each finds itself before those that come after it. */
static void set_fill(struct vgw_policy_set *set, struct plan *plan)
{
	for (u32 i = set->n; i-- > 0;) {
		const struct vgw_policy *policy = &set->list[i];
		const struct tuple *tuple = &set->tuples[*plan_tuple(plan, policy) - 1];
		u32 src[WORDS_MAX], dst[WORDS_MAX];
		struct probe probe;
		struct cell *cell;

		memcpy(src, &policy->src, sizeof(src));
		memcpy(dst, &policy->dst, sizeof(dst));
		probe_set(&probe, tuple, src, dst, set->words);
		cell = tuple_find(set, tuple, &probe, set->words);
		set->next[i] = cell->place;
		*cell = (struct cell){ .hash = probe.hash, .place = i + 1 };
		cond_resched();
	}
}

struct vgw_policy_set *vgw_policy_txn_build(const struct vgw_policy_txn *txn)
{
	struct vgw_policy_set *set = NULL;
	struct plan plan;

	if (!txn->n)
		return NULL;
	if (!plan_make(&plan, txn)) {
		set = set_alloc(txn, &plan);
		if (set)
			set_fill(set, &plan);
	}
	plan_free(&plan);
	return set ?: ERR_PTR(-ENOMEM);
}
