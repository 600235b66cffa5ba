/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefix table: a flat table of the owner's objects by prefix, both families,
 * for a million of them. An object has a handle of 32 bits.
 *
 * Promise: find, insert and remove cost one or two memory accesses, whatever
 * was inserted in which order; no operation ever touches more than a few hundred
 * entries (there is no moment at which all is rehashed). An ordered table can be
 * walked in the order of prefix_compare(), strictly after a key, so that any
 * change between two steps is fine. Keys are chosen by peers: the hash is keyed.
 *
 * The owner's struct begins with a struct ptable_node; the table stores the key
 * behind it. IPv4 keys have no bits set behind the fourth byte; the length can
 * be any.
 */
#ifndef VGW_LIB_PTABLE_H
#define VGW_LIB_PTABLE_H

#include "lib/addr.h"
#include "lib/siphash.h"
#include "lib/slab.h"

struct ptable_node {
	uint32_t chain;
	uint8_t len; /* of the prefix */
	uint8_t user8; /* the owner's: what would be a hole */
	uint16_t user16;
};

/* In a handle. The two bits below it are the owner's, and clear for the table. */
#define PTABLE_IPV6 0x80000000u

/* A line of neighbours: the prefix but for its last four bits. */
struct ptable_line {
	uint64_t words[2];
	uint32_t kind; /* length and family; never 0 */
};

/* Its hash; what comes together asks for the same again and again. */
struct ptable_memo {
	struct ptable_line line;
	uint32_t hash;
};

#define PTABLE_MEMOS 32
#define PTABLE_AHEAD 8

struct ptable {
	struct slab slab[2]; /* IPv4, IPv6 */
	struct slab_part part[2];
	size_t size; /* of the owner's struct */
	struct siphash_key key;
	struct ptable_memo memos[PTABLE_MEMOS];
	/* Buckets whose heads are on their way from memory, as a ring. */
	uint32_t expected[PTABLE_AHEAD], n_expected;
	uint32_t **heads; /* segments of the hash table */
	uint32_t n_buckets, count;
	bool ordered;
	uintptr_t order[2];
	size_t order_memory;
};

/* size: of the owner's struct, a multiple of 4 and at least 12. */
void ptable_init(struct ptable *table, size_t size, bool ordered);
/* The objects go with it. */
void ptable_destroy(struct ptable *table);
/*
 * The key will be asked for soon: what is read for it is fetched from memory meanwhile. Only a
 * hint; best some ten keys before each is used.
 */
void ptable_expect(struct ptable *table, const struct prefix *key);
void *ptable_find(struct ptable *table, const struct prefix *key);
/* Found, or made: zeroed but for its node. NULL: no memory. */
void *ptable_get(struct ptable *table, const struct prefix *key, bool *is_new);
void ptable_remove(struct ptable *table, void *object);
void ptable_key(const struct ptable *table, const void *object, struct prefix *key);
/* In no order; NULL stands before the first. The object must be in the table. */
void *ptable_walk(const struct ptable *table, const void *object);
/* The same in steps, between which the table may change: slab_scan(). One at a time. */
void ptable_scan_begin(struct ptable *table);
void *ptable_scan(struct ptable *table);
/* Ordered tables: the first object strictly after key; family AF_UNSPEC stands before all. */
void *ptable_next(struct ptable *table, const struct prefix *key);
size_t ptable_memory(const struct ptable *table);

static inline uint32_t ptable_handle(const struct ptable *table, const void *object)
{
	const struct slab_chunk *chunk = slab_chunk_of(object);

	if (chunk->part == &table->part[1])
		return slab_handle(&table->slab[1], object) | PTABLE_IPV6;
	return slab_handle(&table->slab[0], object);
}

static inline void *ptable_at(const struct ptable *table, uint32_t handle)
{
	return slab_at(&table->slab[handle >> 31], handle & ~PTABLE_IPV6);
}

/* The table that the object is in. */
static inline struct ptable *ptable_of(const void *object)
{
	return slab_owner(object);
}

/* ptable_order.c, for ptable.c: -ENOMEM and nothing has changed. */
int ptable_order_insert(struct ptable *table, const struct prefix *key, uint32_t handle);
void ptable_order_remove(struct ptable *table, const struct prefix *key);
void ptable_order_clear(struct ptable *table);

#endif
