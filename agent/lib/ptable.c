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

#include <endian.h>
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

static uint32_t line_hash(struct ptable *table, const struct ptable_line *line)
{
	uint64_t mix = (line->words[0] ^ line->words[1] ^ line->kind) * 0x9e3779b97f4a7c15;
	struct ptable_memo *memo = &table->memos[mix >> 59];
	struct siphash hash;

	if (memo->line.words[0] == line->words[0] && memo->line.words[1] == line->words[1] &&
	    memo->line.kind == line->kind)
		return memo->hash;
	hash = siphash_begin(&table->key);
	siphash_word(&hash, line->words[0]);
	if (line->kind >> 8 == AF_INET6)
		siphash_word(&hash, line->words[1]);
	siphash_word(&hash, line->kind);
	*memo = (struct ptable_memo){ *line, (uint32_t)siphash_end(&hash) };
	return memo->hash;
}

/* Cuts the last four bits before number len out of the word. */
static uint32_t place_cut(uint64_t *word, unsigned int len)
{
	unsigned int shift = len < 64 ? 64 - len : 0;
	uint64_t place;

	if (!len)
		return 0;
	place = *word >> shift & 15;
	*word &= ~(place << shift);
	return (uint32_t)place;
}

static uint32_t key_hash(struct ptable *table, const struct prefix *key)
{
	struct ptable_line line = { .kind = (uint32_t)key->addr.family << 8 | key->len };
	uint32_t bits, place;

	if (is_six(key)) {
		memcpy(line.words, key->addr.b, sizeof(line.words));
		line.words[0] = be64toh(line.words[0]);
		line.words[1] = be64toh(line.words[1]);
		place = key->len > 64 ? place_cut(&line.words[1], key->len - 64) :
					place_cut(&line.words[0], key->len);
	} else {
		memcpy(&bits, key->addr.b, sizeof(bits));
		line.words[0] = (uint64_t)be32toh(bits) << 32;
		place = place_cut(&line.words[0], key->len < 32 ? key->len : 32);
	}
	return line_hash(table, &line) ^ place;
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

void ptable_expect(struct ptable *table, const struct prefix *key)
{
	uint32_t *expected = &table->expected[table->n_expected++ % PTABLE_AHEAD];
	uint32_t before = *expected, handle;

	if (!table->heads)
		return;
	*expected = bucket_of(key_hash(table, key), table->n_buckets);
	__builtin_prefetch(head_at(table, *expected));
	/* One whose head has arrived: now what it leads to. */
	if (before >= table->n_buckets)
		return;
	handle = *head_at(table, before);
	if (handle)
		__builtin_prefetch(ptable_at(table, handle));
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

void ptable_scan_begin(struct ptable *table)
{
	slab_scan_begin(&table->part[0]);
	slab_scan_begin(&table->part[1]);
}

void *ptable_scan(struct ptable *table)
{
	void *object = slab_scan(&table->part[0]);

	return object ? object : slab_scan(&table->part[1]);
}

size_t ptable_memory(const struct ptable *table)
{
	size_t segments = (table->n_buckets + SEGMENT - 1) / SEGMENT;

	return slab_memory(&table->slab[0]) + slab_memory(&table->slab[1]) +
	       segments * SEGMENT * sizeof(uint32_t) + table->order_memory;
}
