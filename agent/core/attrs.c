// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interned attribute sets: a hash table of blocks that hold the set and
 * everything it points at. The hash is keyed (SipHash-1-3 with a random key):
 * peers choose what goes in.
 *
 * The table is open, with linear probing, and keeps the hashes apart from the
 * sets: neither a search for what is not there nor growing reads a set.
 */
#include "core/attrs.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"

#define LOCAL_PREF_DEFAULT 100
#define SLOTS_MIN 64

struct node {
	struct attrs attrs; /* first: a set is found by its own address */
	uint32_t refs, hash;
	/* the arrays follow, widest members first */
};

/* Slot by slot a hash and a set; a hash of 0 is an empty slot. At most three quarters are full. */
static struct {
	uint32_t *hashes;
	struct node **nodes;
	size_t n_slots, count, memory;
	struct siphash_key key;
} table;

/* Most sets have one address of the three. */
static void hash_addr(struct siphash *s, const struct addr *a)
{
	siphash_word(s, a->family);
	if (a->family == AF_INET)
		siphash_bytes(s, a->b, 4);
	else if (a->family)
		siphash_bytes(s, a->b, sizeof(a->b));
}

static uint32_t attrs_hash(const struct attrs *a)
{
	struct siphash s = siphash_begin(&table.key);
	uint32_t hash;

	siphash_word(&s, a->origin | (uint64_t)a->has_med << 8 | (uint64_t)a->has_local_pref << 9 |
			     (uint64_t)a->atomic_aggregate << 10 | (uint64_t)a->n_segments << 16 |
			     (uint64_t)a->aggregator_as << 32);
	siphash_word(&s, a->n_communities | (uint64_t)a->n_ext_communities << 16 |
			     (uint64_t)a->n_large_communities << 32);
	siphash_word(&s, a->med | (uint64_t)a->local_pref << 32);
	hash_addr(&s, &a->next_hop);
	hash_addr(&s, &a->link_local);
	hash_addr(&s, &a->aggregator);
	for (size_t i = 0; i < a->n_segments; i++) {
		siphash_word(&s, a->segments[i].type | (uint64_t)a->segments[i].count << 8);
		siphash_bytes(&s, a->segments[i].asns, a->segments[i].count * sizeof(uint32_t));
	}
	siphash_bytes(&s, a->communities, a->n_communities * sizeof(*a->communities));
	siphash_bytes(&s, a->ext_communities, a->n_ext_communities * sizeof(*a->ext_communities));
	siphash_bytes(&s, a->large_communities,
		      a->n_large_communities * sizeof(*a->large_communities));
	hash = (uint32_t)siphash_end(&s);
	return hash ? hash : 1;
}

/* memcmp() must not get NULL, also not for nothing. */
static bool same(const void *a, const void *b, size_t len)
{
	return !len || !memcmp(a, b, len);
}

static bool attrs_same_path(const struct attrs *a, const struct attrs *b)
{
	if (a->n_segments != b->n_segments)
		return false;
	for (size_t i = 0; i < a->n_segments; i++) {
		const struct as_segment *x = &a->segments[i], *y = &b->segments[i];

		if (x->type != y->type || x->count != y->count ||
		    !same(x->asns, y->asns, x->count * sizeof(*x->asns)))
			return false;
	}
	return true;
}

static bool attrs_same(const struct attrs *a, const struct attrs *b)
{
	return a->origin == b->origin && a->has_med == b->has_med &&
	       a->has_local_pref == b->has_local_pref &&
	       a->atomic_aggregate == b->atomic_aggregate && a->med == b->med &&
	       a->local_pref == b->local_pref && a->aggregator_as == b->aggregator_as &&
	       a->n_communities == b->n_communities &&
	       a->n_ext_communities == b->n_ext_communities &&
	       a->n_large_communities == b->n_large_communities &&
	       addr_equal(&a->next_hop, &b->next_hop) &&
	       addr_equal(&a->link_local, &b->link_local) &&
	       addr_equal(&a->aggregator, &b->aggregator) && attrs_same_path(a, b) &&
	       same(a->communities, b->communities, a->n_communities * sizeof(*a->communities)) &&
	       same(a->ext_communities, b->ext_communities,
		    a->n_ext_communities * sizeof(*a->ext_communities)) &&
	       same(a->large_communities, b->large_communities,
		    a->n_large_communities * sizeof(*a->large_communities));
}

/* RFC 4271 9.1.2.2 a) and RFC 5065 5.3: sets count one, confederations nothing. */
static void attrs_derive(struct attrs *a)
{
	const struct as_segment *first = NULL, *last = NULL;
	uint32_t len = 0;

	for (size_t i = 0; i < a->n_segments; i++) {
		const struct as_segment *s = &a->segments[i];

		if (!s->count || s->type == AS_CONFED_SEQUENCE || s->type == AS_CONFED_SET)
			continue;
		len += s->type == AS_SET ? 1 : s->count;
		first = first ? first : s;
		last = s;
	}
	a->as_path_len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
	a->neighbour_as = first && first->type == AS_SEQUENCE ? first->asns[0] : 0;
	a->origin_as = last && last->type == AS_SEQUENCE ? last->asns[last->count - 1] : 0;
	a->order = (uint64_t)~(a->has_local_pref ? a->local_pref : LOCAL_PREF_DEFAULT)
			   << ATTRS_ORDER_LOCAL_PREF |
		   (uint64_t)a->as_path_len << ATTRS_ORDER_PATH | a->origin;
}

static size_t attrs_tail_size(const struct attrs *a)
{
	size_t size = a->n_segments * sizeof(*a->segments) +
		      a->n_ext_communities * sizeof(*a->ext_communities) +
		      a->n_communities * sizeof(*a->communities) +
		      a->n_large_communities * sizeof(*a->large_communities);

	for (size_t i = 0; i < a->n_segments; i++)
		size += a->segments[i].count * sizeof(uint32_t);
	return size;
}

/* Copies len bytes to the tail and moves it; NULL for nothing. */
static void *tail_copy(uint8_t **tail, const void *data, size_t len)
{
	void *copy = *tail;

	if (!len)
		return NULL;
	memcpy(copy, data, len);
	*tail += len;
	return copy;
}

static void attrs_copy(struct node *node, const struct attrs *draft)
{
	struct attrs *a = &node->attrs;
	uint8_t *tail = (uint8_t *)(node + 1);
	struct as_segment *segments;

	*a = *draft;
	/* 8-byte members first, then 4-byte ones: no padding is needed between. */
	segments = tail_copy(&tail, draft->segments, a->n_segments * sizeof(*segments));
	a->segments = segments;
	a->ext_communities = tail_copy(&tail, draft->ext_communities,
				       a->n_ext_communities * sizeof(*a->ext_communities));
	for (size_t i = 0; i < a->n_segments; i++)
		segments[i].asns = tail_copy(&tail, draft->segments[i].asns,
					     segments[i].count * sizeof(uint32_t));
	a->communities = tail_copy(&tail, draft->communities,
				   a->n_communities * sizeof(*a->communities));
	a->large_communities = tail_copy(&tail, draft->large_communities,
					 a->n_large_communities * sizeof(*a->large_communities));
	attrs_derive(a);
}

static size_t slot_next(size_t slot)
{
	return (slot + 1) & (table.n_slots - 1);
}

static void slot_fill(struct node *node)
{
	size_t slot = node->hash & (table.n_slots - 1);

	while (table.hashes[slot])
		slot = slot_next(slot);
	table.hashes[slot] = node->hash;
	table.nodes[slot] = node;
}

static void table_free(uint32_t *hashes, struct node **nodes)
{
	free(hashes);
	free(nodes);
}

/* n: a power of two. Sets are not read: their hashes are in the slots. */
static bool table_resize(size_t n)
{
	uint32_t *hashes = calloc(n, sizeof(*hashes)), *old_hashes = table.hashes;
	struct node **nodes = malloc(n * sizeof(struct node *)), **old_nodes = table.nodes;
	size_t n_old = table.n_slots;

	if (!hashes || !nodes) {
		table_free(hashes, nodes);
		return false;
	}
	table.hashes = hashes;
	table.nodes = nodes;
	table.n_slots = n;
	for (size_t i = 0; i < n_old; i++) {
		size_t slot = old_hashes[i] & (n - 1);

		if (!old_hashes[i])
			continue;
		while (hashes[slot])
			slot = slot_next(slot);
		hashes[slot] = old_hashes[i];
		nodes[slot] = old_nodes[i];
	}
	table_free(old_hashes, old_nodes);
	return true;
}

/* Without memory for a larger table it is used up to the last slot but one. */
static bool table_make_room(void)
{
	if (!table.n_slots)
		siphash_key_make(&table.key);
	if (table.count + 1 <= table.n_slots / 4 * 3)
		return true;
	return table_resize(table.n_slots ? 2 * table.n_slots : SLOTS_MIN) ||
	       table.count + 2 <= table.n_slots;
}

const struct attrs *attrs_intern(const struct attrs *draft)
{
	struct node *node;
	uint32_t hash;

	if (!table_make_room())
		return NULL;
	hash = attrs_hash(draft);
	for (size_t slot = hash & (table.n_slots - 1); table.hashes[slot]; slot = slot_next(slot))
		if (table.hashes[slot] == hash && attrs_same(&table.nodes[slot]->attrs, draft))
			return attrs_get(&table.nodes[slot]->attrs);
	node = malloc(sizeof(*node) + attrs_tail_size(draft));
	if (!node)
		return NULL;
	attrs_copy(node, draft);
	node->refs = 1;
	node->hash = hash;
	slot_fill(node);
	table.count++;
	table.memory += malloc_usable_size(node) + sizeof(size_t);
	return &node->attrs;
}

static struct node *attrs_node(const struct attrs *attrs)
{
	return (struct node *)(uintptr_t)attrs;
}

const struct attrs *attrs_get(const struct attrs *attrs)
{
	attrs_node(attrs)->refs++;
	return attrs;
}

/* What follows moves up, unless its place is behind the hole. */
static void slot_empty(const struct node *node)
{
	size_t mask = table.n_slots - 1, hole = node->hash & mask, slot;

	while (table.nodes[hole] != node || !table.hashes[hole])
		hole = slot_next(hole);
	for (slot = slot_next(hole); table.hashes[slot]; slot = slot_next(slot)) {
		if (((slot - table.hashes[slot]) & mask) < ((slot - hole) & mask))
			continue;
		table.hashes[hole] = table.hashes[slot];
		table.nodes[hole] = table.nodes[slot];
		hole = slot;
	}
	table.hashes[hole] = 0;
}

void attrs_put(const struct attrs *attrs)
{
	struct node *node = attrs_node(attrs);

	if (!attrs || --node->refs)
		return;
	slot_empty(node);
	table.memory -= malloc_usable_size(node) + sizeof(size_t);
	free(node);
	table.count--;
	if (!table.count) {
		table_free(table.hashes, table.nodes);
		table.hashes = NULL;
		table.nodes = NULL;
		table.n_slots = 0;
	} else if (table.n_slots > SLOTS_MIN && table.count < table.n_slots / 8) {
		table_resize(table.n_slots / 2);
	}
}

size_t attrs_memory(void)
{
	return table.memory + table.n_slots * (sizeof(*table.hashes) + sizeof(struct node *));
}

size_t attrs_count(void)
{
	return table.count;
}

bool attrs_path_contains(const struct attrs *attrs, uint32_t asn)
{
	for (size_t i = 0; i < attrs->n_segments; i++)
		for (size_t j = 0; j < attrs->segments[i].count; j++)
			if (attrs->segments[i].asns[j] == asn)
				return true;
	return false;
}

static void append(char *buf, size_t size, size_t *used, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Once the buffer is full it stays as it is. */
static void append(char *buf, size_t size, size_t *used, const char *fmt, ...)
{
	va_list args;
	int n;

	if (*used >= size)
		return;
	va_start(args, fmt);
	n = vsnprintf(buf + *used, size - *used, fmt, args);
	va_end(args);
	*used += n > 0 ? (size_t)n : 0;
}

const char *attrs_format_path(const struct attrs *attrs, char *buf, size_t size)
{
	static const char *const brackets[][2] = {
		[AS_SET] = { "{", "}" },
		[AS_SEQUENCE] = { "", "" },
		[AS_CONFED_SEQUENCE] = { "(", ")" },
		[AS_CONFED_SET] = { "[", "]" },
	};
	size_t used = 0;

	if (size)
		buf[0] = '\0';
	for (size_t i = 0; i < attrs->n_segments; i++) {
		const struct as_segment *s = &attrs->segments[i];
		bool known = s->type >= AS_SET && s->type <= AS_CONFED_SET;
		unsigned int type = known ? s->type : AS_SET;

		append(buf, size, &used, "%s%s", i ? " " : "", brackets[type][0]);
		for (size_t j = 0; j < s->count; j++)
			append(buf, size, &used, "%s%u", j ? " " : "", s->asns[j]);
		append(buf, size, &used, "%s", brackets[type][1]);
	}
	return buf;
}
