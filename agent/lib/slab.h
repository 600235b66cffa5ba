/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of one size, for the tables that hold a million of them: no header
 * per object, neighbours in memory when they were made one after the other, and
 * a handle of 32 bits where a pointer would be too much.
 *
 * A slab is dealt out to parts. The objects of a part are apart from those of
 * others, so that they can be walked, and an object tells whose it is.
 *
 * Promise: memory goes back when it is free: a chunk whose objects are all gone
 * is given to the kernel (a part keeps one). One thread of the process has slabs.
 * Under AddressSanitizer a freed object is poisoned like one from free().
 */
#ifndef VGW_LIB_SLAB_H
#define VGW_LIB_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_CHUNK_SIZE ((size_t)64 * 1024)
#define SLAB_CHUNK_OBJECTS 4096u
/* Handles are below this (more than three hundred million objects): upper bits are the owner's. */
#define SLAB_HANDLES (1u << 29)

struct slab_part;
struct slab_arena; /* what the chunks of all slabs are cut from */

struct slab_chunk { /* aligned to its size */
	struct slab_part *part;
	struct slab_arena *arena;
	struct slab_chunk *next_open, *prev_open; /* of those of the part with room */
	struct slab_chunk *next, *prev; /* of all of the part */
	uint32_t number;
	uint16_t free; /* first object that came back, plus 1 */
	uint16_t n_used, n_fresh; /* objects out; objects that were handed out at least once */
	uint64_t used[SLAB_CHUNK_OBJECTS / 64];
};

struct slab {
	size_t size; /* of an object */
	uint32_t inverse; /* 2^32 / size, rounded up */
	uint32_t capacity; /* objects of a chunk */
	struct slab_chunk **chunks; /* by number, from 1; a free number holds the next one, odd */
	uint32_t n_numbers, room_numbers, free_number;
	size_t n_chunks;
};

struct slab_part {
	struct slab *slab;
	void *owner;
	struct slab_chunk *open, *all, *spare;
	struct slab_chunk *scan; /* where the scan goes on, at scan_index; NULL: it is over */
	uint32_t scan_index;
};

/* size: of an object, 16 to a few hundred; a multiple of 4. */
void slab_init(struct slab *slab, size_t size);
/* Every object must have been put and every part ended. */
void slab_destroy(struct slab *slab);
void slab_part_init(struct slab_part *part, struct slab *slab, void *owner);
/* Every object of it must have been put. */
void slab_part_end(struct slab_part *part);

/* Zeroed, aligned like its size (to 8 at most). NULL: no memory. */
void *slab_alloc(struct slab_part *part);
void slab_put(struct slab *slab, void *object); /* NULL is fine */
/* The next object of the part in the order of memory; NULL stands before the first. */
void *slab_next(const struct slab_part *part, const void *object);
/*
 * A walk that goes on another day: whatever is put and allocated between two steps, every object
 * that was out at the begin and still is comes once. Newer ones may come. One at a time per part.
 */
void slab_scan_begin(struct slab_part *part);
void *slab_scan(struct slab_part *part); /* NULL: it is over */
/* Is this the handle of an object that is out? */
bool slab_is_used(const struct slab *slab, uint32_t handle);
size_t slab_memory(const struct slab *slab); /* bytes taken from the kernel */

static inline struct slab_chunk *slab_chunk_of(const void *object)
{
	return (struct slab_chunk *)((uintptr_t)object & ~(uintptr_t)(SLAB_CHUNK_SIZE - 1));
}

/* Never 0. */
static inline uint32_t slab_handle(const struct slab *slab, const void *object)
{
	const struct slab_chunk *chunk = slab_chunk_of(object);
	uint64_t offset = (uintptr_t)object - (uintptr_t)(chunk + 1);

	return chunk->number * SLAB_CHUNK_OBJECTS + (uint32_t)(offset * slab->inverse >> 32);
}

static inline void *slab_at(const struct slab *slab, uint32_t handle)
{
	struct slab_chunk *chunk = slab->chunks[handle / SLAB_CHUNK_OBJECTS];

	return (uint8_t *)(chunk + 1) + handle % SLAB_CHUNK_OBJECTS * slab->size;
}

static inline void *slab_owner(const void *object)
{
	return slab_chunk_of(object)->part->owner;
}

#endif
