// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interned attribute sets: a chained hash table of blocks that hold the set and
 * everything it points at. The hash is keyed (SipHash-1-3 with a random key):
 * peers choose what goes in.
 */
#include "core/attrs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"

#define LOCAL_PREF_DEFAULT 100
#define BUCKETS_MIN 64

struct node {
	struct attrs attrs; /* first: a set is found by its own address */
	uint32_t refs, hash;
	struct node *next;
	/* the arrays follow, widest members first */
};

static struct {
	struct node **buckets;
	size_t n_buckets, count;
	struct siphash_key key;
} table;

static uint32_t attrs_hash(const struct attrs *a)
{
	struct siphash s = siphash_begin(&table.key);

	siphash_word(&s, a->origin | (uint64_t)a->has_med << 8 | (uint64_t)a->has_local_pref << 9 |
			     (uint64_t)a->atomic_aggregate << 10 | (uint64_t)a->n_segments << 16 |
			     (uint64_t)a->aggregator_as << 32);
	siphash_word(&s, a->n_communities | (uint64_t)a->n_ext_communities << 16 |
			     (uint64_t)a->n_large_communities << 32);
	siphash_word(&s, a->med | (uint64_t)a->local_pref << 32);
	siphash_bytes(&s, &a->next_hop, sizeof(a->next_hop));
	siphash_bytes(&s, &a->link_local, sizeof(a->link_local));
	siphash_bytes(&s, &a->aggregator, sizeof(a->aggregator));
	for (size_t i = 0; i < a->n_segments; i++) {
		siphash_word(&s, a->segments[i].type | (uint64_t)a->segments[i].count << 8);
		siphash_bytes(&s, a->segments[i].asns, a->segments[i].count * sizeof(uint32_t));
	}
	siphash_bytes(&s, a->communities, a->n_communities * sizeof(*a->communities));
	siphash_bytes(&s, a->ext_communities, a->n_ext_communities * sizeof(*a->ext_communities));
	siphash_bytes(&s, a->large_communities, a->n_large_communities * sizeof(*a->large_communities));
	return (uint32_t)siphash_end(&s);
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

/* Keeps chains short. Without memory for more buckets they only get longer. */
static bool table_grow(void)
{
	size_t n = table.n_buckets ? table.n_buckets * 2 : BUCKETS_MIN;
	struct node **buckets;

	if (table.count < table.n_buckets)
		return true;
	buckets = calloc(n, sizeof(struct node *));
	if (!buckets)
		return table.n_buckets;
	if (!table.n_buckets)
		siphash_key_make(&table.key);
	for (size_t i = 0; i < table.n_buckets; i++) {
		struct node *node, *next;

		for (node = table.buckets[i]; node; node = next) {
			next = node->next;
			node->next = buckets[node->hash & (n - 1)];
			buckets[node->hash & (n - 1)] = node;
		}
	}
	free(table.buckets);
	table.buckets = buckets;
	table.n_buckets = n;
	return true;
}

const struct attrs *attrs_intern(const struct attrs *draft)
{
	struct node *node, **bucket;
	uint32_t hash;

	if (!table_grow())
		return NULL;
	hash = attrs_hash(draft);
	bucket = &table.buckets[hash & (table.n_buckets - 1)];
	for (node = *bucket; node; node = node->next)
		if (node->hash == hash && attrs_same(&node->attrs, draft))
			return attrs_get(&node->attrs);
	node = malloc(sizeof(*node) + attrs_tail_size(draft));
	if (!node)
		return NULL;
	attrs_copy(node, draft);
	node->refs = 1;
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	table.count++;
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

void attrs_put(const struct attrs *attrs)
{
	struct node *node = attrs_node(attrs), **link;

	if (!attrs || --node->refs)
		return;
	link = &table.buckets[node->hash & (table.n_buckets - 1)];
	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	free(node);
	if (--table.count)
		return;
	free(table.buckets);
	table.buckets = NULL;
	table.n_buckets = 0;
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
