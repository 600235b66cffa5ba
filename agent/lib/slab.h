/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of one size, for the tables that hold a million of them: no header
 * per object, neighbours in memory when they were made one after the other.
 *
 * Promise: memory goes back when it is free: a chunk whose objects are all gone
 * is released (one empty chunk is kept). Under AddressSanitizer a freed object
 * is poisoned like one from free().
 */
#ifndef VGW_LIB_SLAB_H
#define VGW_LIB_SLAB_H

#include <stddef.h>

struct slab_chunk;

struct slab {
	size_t size; /* of an object, a multiple of 8 */
	size_t n_chunks;
	struct slab_chunk *open; /* chunks with room */
	struct slab_chunk *spare; /* one without objects */
};

/* size: of an object, at most a few hundred bytes. */
void slab_init(struct slab *slab, size_t size);
/* Zeroed, aligned to 8. NULL: no memory. */
void *slab_alloc(struct slab *slab);
void slab_put(struct slab *slab, void *object); /* NULL is fine */
/* Every object must have been put. */
void slab_destroy(struct slab *slab);
size_t slab_memory(const struct slab *slab); /* bytes taken from malloc() */

#endif
