// SPDX-License-Identifier: GPL-2.0-only
/*
 * A crit-bit tree over the bytes of struct prefix, whose memory order is the
 * order of the map.
 *
 * A node serves as leaf and as inner node (PATRICIA). Its leaf half is the key,
 * its inner half is bit and child[]: where the keys below part. N entries need
 * N - 1 inner nodes, so one node's inner half is unused; it has bit -1. Going
 * down, bits grow; a link to a node whose bit is not greater is a link to its
 * leaf half. That works because a node's inner half is always on the way to its
 * leaf half.
 *
 * The map of values is boxes: a node and a value.
 */
#include "lib/pmap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct pmap_node {
	struct pmap_node *child[2];
	int16_t bit; /* beside child: what a search reads is on one cache line, mostly */
	struct prefix key;
};

struct box {
	struct pmap_node node; /* first: a node of this map is its box */
	void *value;
};

static unsigned int key_bit(const struct prefix *key, int bit)
{
	const uint8_t *bytes = (const uint8_t *)key;

	return bytes[bit >> 3] >> (7 - (bit & 7)) & 1;
}

/* The first bit where two keys differ, -1 if they do not. */
static int key_differ(const struct prefix *a, const struct prefix *b)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;

	for (size_t i = 0; i < sizeof(*a); i++)
		if (x[i] != y[i])
			return (int)i * 8 + __builtin_clz((unsigned int)(x[i] ^ y[i])) - 24;
	return -1;
}

/* The leaf where the search for key ends; it shares the most bits with key. NULL: empty. */
static struct pmap_node *leaf_for(const struct pmap *map, const struct prefix *key)
{
	struct pmap_node *node = map->root;
	int bit = -1;

	while (node && node->bit > bit) {
		bit = node->bit;
		node = node->child[key_bit(key, bit)];
	}
	return node;
}

static struct pmap_node *leaf_exact(const struct pmap *map, const struct prefix *key)
{
	struct pmap_node *leaf = leaf_for(map, key);

	return leaf && prefix_equal(&leaf->key, key) ? leaf : NULL;
}

/* The leaf at one end (side 0: lowest) of what hangs on a link under a node with that bit. */
static struct pmap_node *leaf_end(struct pmap_node *node, int bit, unsigned int side)
{
	while (node->bit > bit) {
		bit = node->bit;
		node = node->child[side];
	}
	return node;
}

/* The nearest leaf strictly above (side 0) or below (side 1) key. */
static struct pmap_node *leaf_beyond(const struct pmap *map, const struct prefix *key,
				     unsigned int side)
{
	struct pmap_node *node = leaf_for(map, key), *turn = NULL;
	int differ, bit = -1, turn_bit = -1;

	if (!node)
		return NULL;
	differ = key_differ(key, &node->key);
	/* Down again to where key parts from all that is there, with the last other way in mind. */
	for (node = map->root; node->bit > bit && (differ < 0 || node->bit < differ);) {
		unsigned int way = key_bit(key, node->bit);

		bit = node->bit;
		if (way == side) {
			turn = node->child[!side];
			turn_bit = bit;
		}
		node = node->child[way];
	}
	if (differ >= 0 && key_bit(key, differ) == side)
		return leaf_end(node, bit, side);
	return turn ? leaf_end(turn, turn_bit, side) : NULL;
}

void pmap_init(struct pmap *map)
{
	map->root = NULL;
	map->count = 0;
}

static struct pmap_node *node_insert(struct pmap *map, struct pmap_node *node)
{
	struct pmap_node *leaf = leaf_for(map, &node->key), **link = &map->root;
	int differ = leaf ? key_differ(&node->key, &leaf->key) : -1, bit = -1;

	if (leaf && differ < 0)
		return leaf;
	node->bit = (int16_t)differ;
	if (leaf) {
		unsigned int way = key_bit(&node->key, differ);

		while ((*link)->bit > bit && (*link)->bit < differ) {
			bit = (*link)->bit;
			link = &(*link)->child[key_bit(&node->key, bit)];
		}
		node->child[way] = node;
		node->child[!way] = *link;
	}
	*link = node;
	map->count++;
	return NULL;
}

/* Gives the inner half of from to the node to, whose own is free. */
static void inner_move(struct pmap *map, struct pmap_node *from, struct pmap_node *to)
{
	struct pmap_node **link = &map->root;

	if (from->bit >= 0) {
		while (*link != from)
			link = &(*link)->child[key_bit(&from->key, (*link)->bit)];
		*link = to;
	}
	to->bit = from->bit;
	to->child[0] = from->child[0];
	to->child[1] = from->child[1];
}

static void node_remove(struct pmap *map, struct pmap_node *node)
{
	struct pmap_node *leaf = map->root, **link = &map->root, *parent = NULL;
	unsigned int way = 0;
	int bit = -1;

	while (leaf->bit > bit) {
		bit = leaf->bit;
		if (parent)
			link = &parent->child[way];
		parent = leaf;
		way = key_bit(&node->key, bit);
		leaf = leaf->child[way];
	}
	/* The parent's inner half goes; what it joined besides the leaf moves up. */
	*link = parent ? parent->child[!way] : NULL;
	if (parent && parent != leaf)
		inner_move(map, leaf, parent);
	map->count--;
}

/*
 * What covers the probe stands at or before it. If the last entry at or before
 * it does not cover it, no cover can be longer than what the two have in
 * common, since a cover would hold that entry too: probe again with that.
 */
static struct pmap_node *node_covering(const struct pmap *map, const struct prefix *prefix,
				     const struct prefix *key)
{
	struct prefix probe = *prefix;
	struct pmap_node *leaf;

	if (key->addr.family != AF_UNSPEC) {
		if (!key->len)
			return NULL;
		probe.len = key->len - 1;
		prefix_normalize(&probe);
	}
	for (;;) {
		int common;

		leaf = leaf_exact(map, &probe);
		if (!leaf)
			leaf = leaf_beyond(map, &probe, 1);
		if (!leaf || leaf->key.addr.family != probe.addr.family)
			return NULL;
		if (prefix_covers(&leaf->key, &probe))
			return leaf;
		/* Bits in common behind the family byte; less than probe.len, or it would cover. */
		common = key_differ(&leaf->key, &probe) - 8;
		if (common < 0 || common >= probe.len)
			return NULL;
		probe.len = (uint8_t)common;
		prefix_normalize(&probe);
	}
}

bool pmap_any_inside(const struct pmap *map, const struct prefix *prefix)
{
	struct pmap_node *leaf = leaf_exact(map, prefix);

	if (!leaf)
		leaf = leaf_beyond(map, prefix, 0);
	return leaf && prefix_covers(prefix, &leaf->key);
}

/* The map of values */

static struct box *box_of(struct pmap_node *node)
{
	return (struct box *)node;
}

static bool found(struct pmap_node *node, struct prefix *key, void **value)
{
	if (!node)
		return false;
	*key = node->key;
	if (value)
		*value = box_of(node)->value;
	return true;
}

void *pmap_get(const struct pmap *map, const struct prefix *key)
{
	struct pmap_node *node = leaf_exact(map, key);

	return node ? box_of(node)->value : NULL;
}

bool pmap_contains(const struct pmap *map, const struct prefix *key)
{
	return leaf_exact(map, key);
}

int pmap_put(struct pmap *map, const struct prefix *key, void *value)
{
	struct pmap_node *node = leaf_exact(map, key);
	struct box *box;

	if (node) {
		box_of(node)->value = value;
		return 0;
	}
	box = calloc(1, sizeof(*box));
	if (!box)
		return -ENOMEM;
	box->node.key = *key;
	box->value = value;
	node_insert(map, &box->node);
	return 0;
}

void *pmap_del(struct pmap *map, const struct prefix *key)
{
	struct pmap_node *node = leaf_exact(map, key);
	void *value;

	if (!node)
		return NULL;
	value = box_of(node)->value;
	node_remove(map, node);
	free(box_of(node));
	return value;
}

bool pmap_next(const struct pmap *map, struct prefix *key, void **value)
{
	return found(leaf_beyond(map, key, 0), key, value);
}

bool pmap_covering(const struct pmap *map, const struct prefix *prefix, struct prefix *key,
		   void **value)
{
	return found(node_covering(map, prefix, key), key, value);
}

size_t pmap_count(const struct pmap *map)
{
	return map->count;
}

size_t pmap_memory(const struct pmap *map)
{
	return map->root ? map->count * (malloc_usable_size(box_of(map->root)) + sizeof(size_t))
			 : 0;
}

/* As deep as a key has bits at most. Returns the node without inner half if it is met. */
static struct pmap_node *inner_free(struct pmap_node *node, int bit, void (*free_fn)(void *value))
{
	struct pmap_node *low, *high;

	if (node->bit <= bit)
		return node->bit < 0 ? node : NULL;
	low = inner_free(node->child[0], node->bit, free_fn);
	high = inner_free(node->child[1], node->bit, free_fn);
	if (free_fn)
		free_fn(box_of(node)->value);
	free(box_of(node));
	return low ? low : high;
}

void pmap_clear(struct pmap *map, void (*free_fn)(void *value))
{
	struct pmap_node *last = map->root ? inner_free(map->root, -1, free_fn) : NULL;

	if (last) {
		if (free_fn)
			free_fn(box_of(last)->value);
		free(box_of(last));
	}
	pmap_init(map);
}
