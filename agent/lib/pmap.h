/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ordered map from prefix to pointer, both families in one map.
 *
 * Promise: the order is that of prefix_compare(): IPv4 before IPv6, then
 * address, then length, so that a prefix comes right before what is inside it.
 * Walks are by key and hold no state: any change between two steps is fine.
 * Keys have no bits behind their length (as prefix_parse() and
 * prefix_normalize() make them) and a family other than AF_UNSPEC. Values are
 * the owner's. Every operation is O(length of the key in bits), usually far less.
 */
#ifndef VGW_LIB_PMAP_H
#define VGW_LIB_PMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

struct pmap_node;

struct pmap {
	struct pmap_node *root;
	size_t count;
};

/* A zeroed struct pmap is an empty map too. */
void pmap_init(struct pmap *map);
/* NULL if there is none (or NULL was put). */
void *pmap_get(const struct pmap *map, const struct prefix *key);
bool pmap_contains(const struct pmap *map, const struct prefix *key);
/* Adds or replaces; the old value is forgotten. 0 or -ENOMEM, then nothing changed. */
int pmap_put(struct pmap *map, const struct prefix *key, void *value);
/* Returns the value that was there, NULL if there was none. */
void *pmap_del(struct pmap *map, const struct prefix *key);
/*
 * The first entry strictly after *key, which becomes its key; family AF_UNSPEC
 * stands before everything. value may be NULL. False: no more, *key unchanged.
 */
bool pmap_next(const struct pmap *map, struct prefix *key, void **value);
/*
 * The entries that cover prefix (are equal to it or contain it), longest first:
 * *key with family AF_UNSPEC starts, otherwise the longest one shorter than
 * *key follows. value may be NULL. False: no more, *key unchanged.
 */
bool pmap_covering(const struct pmap *map, const struct prefix *prefix, struct prefix *key,
		   void **value);
/* True if some entry is equal to prefix or inside it. */
bool pmap_any_inside(const struct pmap *map, const struct prefix *prefix);
size_t pmap_count(const struct pmap *map);
size_t pmap_memory(const struct pmap *map); /* bytes of the map itself, without values */
/* Empties the map; free_fn(value) for each entry, in no order, may be NULL. */
void pmap_clear(struct pmap *map, void (*free_fn)(void *value));

#endif
