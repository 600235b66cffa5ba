// SPDX-License-Identifier: GPL-2.0-only
/* The table as its users see it, and transactions over its two planes. */
#include "lpm.h"

#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "lpm_impl.h"
#include "lpm_packed.h"

#define deref_writer(p)	rcu_dereference_protected(p, true)

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

	if (!lpm)
		return NULL;
	lpm->bits = bits;
	lpm->levels = bits == 32 ? 2 : 3;
	RCU_INIT_POINTER(lpm->fast, VGW_FAST_LEAF(VGW_LPM_NONE));
	return lpm;
}

void vgw_lpm_destroy(struct vgw_lpm *lpm)
{
	if (!lpm)
		return;
	vgw_fast_free(lpm);
	vgw_slow_free(deref_writer(lpm->slow), NULL);
	kfree(lpm);
}

void *vgw_lpm_alloc(struct vgw_lpm_txn *txn, size_t size)
{
	void *object = kmalloc(size, GFP_KERNEL_ACCOUNT);

	if (object)
		txn->memory += kmalloc_size_roundup(size);
	return object;
}

void vgw_lpm_drop(struct vgw_lpm_txn *txn, void *object, size_t size)
{
	txn->memory -= kmalloc_size_roundup(size);
	kfree(object);
}

int vgw_lpm_bin_reserve(struct vgw_lpm_txn *txn)
{
	struct vgw_bin *bin = txn->bins;

	if (bin && bin->n < VGW_BIN_OBJECTS)
		return 0;
	bin = kmalloc(sizeof(*bin), GFP_KERNEL_ACCOUNT);
	if (!bin)
		return -ENOMEM;
	bin->n = 0;
	bin->next = txn->bins;
	txn->bins = bin;
	return 0;
}

void vgw_lpm_retire(struct vgw_lpm_txn *txn, void *object, size_t size)
{
	txn->memory -= kmalloc_size_roundup(size);
	txn->bins->object[txn->bins->n++] = object;
}

void vgw_lpm_retire_now(struct vgw_lpm_txn *txn, void *object, size_t size)
{
	if (!vgw_lpm_bin_reserve(txn)) {
		vgw_lpm_retire(txn, object, size);
		return;
	}
	synchronize_rcu();
	vgw_lpm_drop(txn, object, size);
}

struct vgw_lpm_txn *vgw_lpm_txn_begin(struct vgw_lpm *lpm)
{
	struct vgw_lpm_txn *txn = kzalloc(sizeof(*txn), GFP_KERNEL_ACCOUNT);

	if (!txn)
		return NULL;
	txn->lpm = lpm;
	txn->slow = deref_writer(lpm->slow);
	txn->zero = lpm->zero;
	txn->epoch = ++lpm->epoch;
	txn->changes_tail = &txn->changes;
	if (lpm->bits == 32)
		return txn;
	txn->intervals = kmalloc(sizeof(*txn->intervals), GFP_KERNEL_ACCOUNT);
	if (txn->intervals)
		return txn;
	kfree(txn);
	return NULL;
}

static bool get(const struct vgw_slow *slow, struct vgw_lpm_value zero,
		const struct vgw_lpm_key *key, u8 len, struct vgw_lpm_value *value)
{
	int at;

	if (!len) {
		*value = zero;
		return zero.nh != VGW_LPM_NONE;
	}
	slow = vgw_slow_node(slow, key->addr, len);
	at = slow ? vgw_slow_find(slow, vgw_slow_key(key->addr, len)) : -1;
	if (at < 0)
		return false;
	vgw_slow_load(slow, at, value);
	return true;
}

bool vgw_lpm_txn_get(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len,
		     struct vgw_lpm_value *value)
{
	return get(txn->slow, txn->zero, key, len, value);
}

/* Room for one more change. */
static int changes_reserve(struct vgw_lpm_txn *txn)
{
	struct vgw_changes *changes = txn->last;

	if (changes && changes->n < VGW_CHANGES)
		return 0;
	changes = kmalloc(sizeof(*changes), GFP_KERNEL_ACCOUNT);
	if (!changes)
		return -ENOMEM;
	changes->n = 0;
	changes->next = NULL;
	*txn->changes_tail = changes;
	txn->changes_tail = &changes->next;
	txn->last = changes;
	return 0;
}

static void changes_add(struct vgw_lpm_txn *txn, u16 before, u16 after)
{
	struct vgw_changes *changes = txn->last;

	changes->change[changes->n].before = before;
	changes->change[changes->n].after = after;
	changes->n++;
	txn->count += !!after - !!before;
}

int vgw_lpm_txn_set(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len,
		    struct vgw_lpm_value value)
{
	struct vgw_lpm_value before = {};

	if (!value.nh || !key_valid(txn->lpm, key, len))
		return -EINVAL;
	if (changes_reserve(txn))
		return -ENOMEM;
	vgw_lpm_txn_get(txn, key, len, &before);
	value.mark &= VGW_LPM_MARKS;
	if (!len)
		txn->zero = value;
	else if (vgw_slow_set(txn, key->addr, len, value))
		return -ENOMEM;
	changes_add(txn, before.nh, value.nh);
	return 0;
}

int vgw_lpm_txn_del(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len)
{
	struct vgw_lpm_value before;

	if (!key_valid(txn->lpm, key, len) || !vgw_lpm_txn_get(txn, key, len, &before))
		return -ENOENT;
	if (changes_reserve(txn))
		return -ENOMEM;
	if (!len)
		txn->zero = (struct vgw_lpm_value){};
	else if (vgw_slow_del(txn, key->addr, len))
		return -ENOMEM;
	changes_add(txn, before.nh, VGW_LPM_NONE);
	return 0;
}

void vgw_lpm_txn_each(struct vgw_lpm_txn *txn, void (*change)(void *ctx, u16 before, u16 after),
		      void *ctx)
{
	const struct vgw_changes *changes;

	for (changes = txn->changes; changes; changes = changes->next)
		for (unsigned int i = 0; i < changes->n; i++)
			change(ctx, changes->change[i].before, changes->change[i].after);
}

void vgw_lpm_txn_publish(struct vgw_lpm_txn *txn)
{
	struct vgw_lpm *lpm = txn->lpm;
	const struct vgw_slow *before = deref_writer(lpm->slow);

	/*
	 * What falls back to the prefix of length 0 must find it, so a new one
	 * comes first, and one that is taken out goes last.
	 */
	if (txn->zero.nh)
		WRITE_ONCE(lpm->zero.nh, txn->zero.nh);
	rcu_assign_pointer(lpm->slow, txn->slow);
	vgw_fast_update(txn, before, txn->slow);
	if (!txn->zero.nh)
		WRITE_ONCE(lpm->zero.nh, VGW_LPM_NONE);
	lpm->zero.mark = txn->zero.mark;
	lpm->count += txn->count;
	lpm->memory += txn->memory;
	txn->published = true;
}

static void bin_free_rcu(struct rcu_head *head)
{
	struct vgw_bin *bin = container_of(head, struct vgw_bin, rcu);

	for (unsigned int i = 0; i < bin->n; i++)
		kfree(bin->object[i]);
	kfree(bin);
}

void vgw_lpm_txn_free(struct vgw_lpm_txn *txn)
{
	if (!txn->published)
		vgw_slow_free(txn->slow, txn);
	while (txn->bins) {
		struct vgw_bin *bin = txn->bins;

		txn->bins = bin->next;
		if (txn->published)
			call_rcu(&bin->rcu, bin_free_rcu);
		else
			kfree(bin);
	}
	while (txn->changes) {
		struct vgw_changes *changes = txn->changes;

		txn->changes = changes->next;
		kfree(changes);
	}
	kfree(txn->intervals);
	kfree(txn);
}

bool vgw_lpm_get(struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 len,
		 struct vgw_lpm_value *value)
{
	return get(deref_writer(lpm->slow), lpm->zero, key, len, value);
}

bool vgw_lpm_mark(struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 len, u8 mark)
{
	const struct vgw_slow *slow;
	int at;

	if (!len) {
		lpm->zero.mark = mark & VGW_LPM_MARKS;
		return lpm->zero.nh != VGW_LPM_NONE;
	}
	slow = vgw_slow_node(deref_writer(lpm->slow), key->addr, len);
	at = slow ? vgw_slow_find(slow, vgw_slow_key(key->addr, len)) : -1;
	if (at < 0)
		return false;
	vgw_slow_mark(slow, at, mark);
	return true;
}

bool vgw_lpm_next(struct vgw_lpm *lpm, struct vgw_lpm_key *key, u8 *len,
		  struct vgw_lpm_value *value)
{
	if (*len == VGW_LPM_START && lpm->zero.nh) {
		memset(key, 0, sizeof(*key));
		*len = 0;
		*value = lpm->zero;
		return true;
	}
	return vgw_slow_next(deref_writer(lpm->slow), key->addr, len, value);
}

size_t vgw_lpm_count(const struct vgw_lpm *lpm)
{
	return lpm->count;
}

size_t vgw_lpm_memory(const struct vgw_lpm *lpm)
{
	return sizeof(*lpm) + lpm->memory;
}

static noinline u16 ask_slow(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key)
{
	u8 len = VGW_LPM_START;

	return vgw_slow_lookup(rcu_dereference(lpm->slow), key->addr, &len);
}

static __always_inline u16 lookup(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key,
				  unsigned int levels)
{
	const void *entry = rcu_dereference(lpm->fast);
	u16 nh;

	for (unsigned int level = 0; level < levels && vgw_fast_is_pointer(entry); level++)
		entry = rcu_dereference(((struct vgw_fast_page *)entry)->entry[key->addr[level]]);
	if (likely(vgw_fast_is_pointer(entry)))
		nh = vgw_packed_lookup(entry, key->addr + levels, levels == 2);
	else if (likely(entry != VGW_FAST_SLOW))
		nh = vgw_fast_leaf(entry);
	else
		nh = ask_slow(lpm, key);
	return nh ?: READ_ONCE(lpm->zero.nh);
}

u16 vgw_lpm_lookup(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key)
{
	return lpm->levels == 2 ? lookup(lpm, key, 2) : lookup(lpm, key, 3);
}

u16 vgw_lpm_lookup_below(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 *len)
{
	u8 found = *len;
	u16 nh = vgw_slow_lookup(rcu_dereference(lpm->slow), key->addr, &found);

	if (!nh && *len) {
		nh = READ_ONCE(lpm->zero.nh);
		found = nh ? 0 : found;
	}
	*len = found;
	return nh;
}
