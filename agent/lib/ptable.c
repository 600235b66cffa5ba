// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chained linear hashing: a table of n buckets grows by splitting one bucket per
 * insertion and shrinks by joining two pairs per removal, so that nothing ever
 * stops for a rehash. The bucket heads are in segments that never move.
 *
 * Neighbours stay neighbours: the last four bits of the prefix choose a place
 * in a line of sixteen heads, and the keyed hash of the rest chooses the line.
 * What a peer announces together is mostly adjacent, and so in one cache line.
 */
#include "lib/ptable.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENT 16384u /* heads */
#define SEGMENTS 65536u
#define BUCKETS_MIN 64u
#define PREFETCH 12u /* splits ahead */

static uint8_t family_of(unsigned int six)
{
	return six ? AF_INET6 : AF_INET;
}

static unsigned int is_six(const struct prefix *key)
{
	return key->addr.family == AF_INET6;
}

static uint8_t *key_bytes(const struct ptable *table, const void *object)
{
	return (uint8_t *)(uintptr_t)object + table->size;
}

static bool key_is(const struct ptable *table, const struct ptable_node *node,
		   const struct prefix *key)
{
	const uint8_t *bytes = key_bytes(table, node);

	if (node->len != key->len)
		return false;
	return is_six(key) ? !memcmp(bytes, key->addr.b, 16) : !memcmp(bytes, key->addr.b, 4);
}

static uint32_t line_hash4(struct ptable *table, uint64_t line)
{
	struct ptable_memo *memo = &table->memos[line * 0x9e3779b97f4a7c15 >> 60];
	struct siphash hash;

	if (memo->is_set && memo->line == line)
		return memo->hash;
	hash = siphash_begin(&table->key);
	siphash_word(&hash, line);
	*memo = (struct ptable_memo){ line, (uint32_t)siphash_end(&hash), true };
	return memo->hash;
}

static uint32_t line_hash6(const struct ptable *table, const uint8_t *bytes, uint8_t len)
{
	struct siphash hash = siphash_begin(&table->key);
	uint64_t words[2];

	memcpy(words, bytes, sizeof(words));
	siphash_word(&hash, words[0]);
	siphash_word(&hash, words[1]);
	siphash_word(&hash, 256u + len);
	return (uint32_t)siphash_end(&hash);
}

static uint32_t key_hash(struct ptable *table, const struct prefix *key)
{
	unsigned int at = key->len ? (key->len - 1u) / 8 % 16 : 0;
	unsigned int shift = key->len ? 7 - (key->len - 1u) % 8 : 0;
	unsigned int place = key->addr.b[at] >> shift & 15u;
	uint8_t bytes[16];
	uint32_t line;

	if (is_six(key)) {
		memcpy(bytes, key->addr.b, sizeof(bytes));
		bytes[at] &= (uint8_t)~(15u << shift);
		return line_hash6(table, bytes, key->len) ^ place;
	}
	memcpy(bytes, key->addr.b, 4);
	if (at < 4)
		bytes[at] &= (uint8_t)~(15u << shift);
	memcpy(&line, bytes, sizeof(line));
	return line_hash4(table, line | (uint64_t)key->len << 32) ^ place;
}

/* Linear hashing: buckets at or above n are not there yet, their entries are a half below. */
static uint32_t bucket_of(uint32_t hash, uint32_t n)
{
	uint32_t mask = UINT32_MAX >> __builtin_clz(n - 1);
	uint32_t bucket = hash & mask;

	return bucket < n ? bucket : bucket & mask >> 1;
}

static uint32_t *head_at(const struct ptable *table, uint32_t bucket)
{
	return &table->heads[bucket / SEGMENT][bucket % SEGMENT];
}

static uint32_t *head_of(struct ptable *table, const struct prefix *key)
{
	return head_at(table, bucket_of(key_hash(table, key), table->n_buckets));
}

/* The bucket that n shares its entries with while n is not there. */
static uint32_t partner_of(uint32_t n)
{
	return n & ~(1u << (31 - __builtin_clz(n)));
}

/* Without memory the chains are longer. */
static void grow(struct ptable *table)
{
	uint32_t new = table->n_buckets, *from, *to, handle, next;

	if (new % SEGMENT == 0 && !table->heads[new / SEGMENT])
		table->heads[new / SEGMENT] = calloc(SEGMENT, sizeof(uint32_t));
	if (!table->heads[new / SEGMENT] || new / SEGMENT == SEGMENTS - 1)
		return;
	from = head_at(table, partner_of(new));
	to = head_at(table, new);
	table->n_buckets++;
	/* The splits go through memory in the order of the hash: ask early for what they read. */
	next = *head_at(table, partner_of(new + PREFETCH));
	if (next)
		__builtin_prefetch(ptable_at(table, next));
	for (handle = *from, *from = *to = 0; handle; handle = next) {
		struct ptable_node *node = ptable_at(table, handle);
		struct prefix key;
		uint32_t *head;

		next = node->chain;
		ptable_key(table, node, &key);
		head = bucket_of(key_hash(table, &key), new + 1) == new ? to : from;
		node->chain = *head;
		*head = handle;
	}
}

static void shrink(struct ptable *table)
{
	uint32_t last = --table->n_buckets, *from = head_at(table, last), *to;

	to = head_at(table, partner_of(last));
	while (*to)
		to = &((struct ptable_node *)ptable_at(table, *to))->chain;
	*to = *from;
	*from = 0;
	if (last % SEGMENT == 0 && last) {
		free(table->heads[last / SEGMENT]);
		table->heads[last / SEGMENT] = NULL;
	}
}

void ptable_init(struct ptable *table, size_t size, bool ordered)
{
	*table = (struct ptable){ .size = size, .ordered = ordered };
	siphash_key_make(&table->key);
	for (unsigned int six = 0; six < 2; six++) {
		slab_init(&table->slab[six], size + (six ? 16 : 4));
		slab_part_init(&table->part[six], &table->slab[six], table);
	}
}

void ptable_destroy(struct ptable *table)
{
	for (unsigned int six = 0; six < 2; six++) {
		void *object;

		while ((object = slab_next(&table->part[six], NULL)))
			slab_put(&table->slab[six], object);
		slab_part_end(&table->part[six]);
		slab_destroy(&table->slab[six]);
	}
	for (uint32_t i = 0; table->heads && i * SEGMENT < table->n_buckets; i++)
		free(table->heads[i]);
	free(table->heads);
	ptable_order_clear(table);
	table->heads = NULL;
	table->n_buckets = table->count = 0;
}

static struct ptable_node *chain_find(const struct ptable *table, uint32_t handle,
				      const struct prefix *key)
{
	while (handle) {
		struct ptable_node *node = ptable_at(table, handle);

		if (handle >> 31 == is_six(key) && key_is(table, node, key))
			return node;
		handle = node->chain;
	}
	return NULL;
}

void *ptable_find(struct ptable *table, const struct prefix *key)
{
	return table->count ? chain_find(table, *head_of(table, key), key) : NULL;
}

static bool heads_make(struct ptable *table)
{
	if (table->heads)
		return true;
	table->heads = calloc(SEGMENTS, sizeof(uint32_t *));
	if (table->heads)
		table->heads[0] = calloc(SEGMENT, sizeof(uint32_t));
	if (table->heads && table->heads[0]) {
		table->n_buckets = BUCKETS_MIN;
		return true;
	}
	free(table->heads);
	table->heads = NULL;
	return false;
}

/* A node with this key that nobody can find yet; NULL: no memory. */
static struct ptable_node *node_new(struct ptable *table, const struct prefix *key)
{
	unsigned int six = is_six(key);
	struct ptable_node *node = slab_alloc(&table->part[six]);

	if (!node)
		return NULL;
	/* First: the order may still have the handle from an earlier life. */
	node->len = key->len;
	memcpy(key_bytes(table, node), key->addr.b, six ? 16 : 4);
	if (!table->ordered || !ptable_order_insert(table, key, ptable_handle(table, node)))
		return node;
	slab_put(&table->slab[six], node);
	return NULL;
}

void *ptable_get(struct ptable *table, const struct prefix *key, bool *is_new)
{
	struct ptable_node *node;
	uint32_t *head, hash;

	if (!heads_make(table))
		return NULL;
	hash = key_hash(table, key);
	node = chain_find(table, *head_at(table, bucket_of(hash, table->n_buckets)), key);
	*is_new = !node;
	if (node)
		return node;
	node = node_new(table, key);
	if (!node)
		return NULL;
	if (++table->count > table->n_buckets)
		grow(table);
	head = head_at(table, bucket_of(hash, table->n_buckets));
	node->chain = *head;
	*head = ptable_handle(table, node);
	return node;
}

void ptable_remove(struct ptable *table, void *object)
{
	uint32_t handle = ptable_handle(table, object), *link;
	struct ptable_node *node = object;
	struct prefix key;

	ptable_key(table, node, &key);
	for (link = head_of(table, &key); *link != handle;)
		link = &((struct ptable_node *)ptable_at(table, *link))->chain;
	*link = node->chain;
	slab_put(&table->slab[handle >> 31], node);
	if (table->ordered)
		ptable_order_remove(table, &key);
	table->count--;
	while (table->n_buckets > BUCKETS_MIN && table->n_buckets / 2 > table->count)
		shrink(table);
	if (!table->count)
		ptable_order_clear(table);
}

void ptable_key(const struct ptable *table, const void *object, struct prefix *key)
{
	const struct ptable_node *node = object;
	unsigned int six = slab_chunk_of(object)->part == &table->part[1];

	memset(key, 0, sizeof(*key));
	key->addr.family = family_of(six);
	key->len = node->len;
	memcpy(key->addr.b, key_bytes(table, node), six ? 16 : 4);
}

void *ptable_walk(const struct ptable *table, const void *object)
{
	unsigned int six = object && slab_chunk_of(object)->part == &table->part[1];
	void *next = slab_next(&table->part[six], object);

	if (!next && !six)
		next = slab_next(&table->part[1], NULL);
	return next;
}

size_t ptable_memory(const struct ptable *table)
{
	size_t segments = (table->n_buckets + SEGMENT - 1) / SEGMENT;

	return slab_memory(&table->slab[0]) + slab_memory(&table->slab[1]) +
	       segments * SEGMENT * sizeof(uint32_t) + table->order_memory;
}
