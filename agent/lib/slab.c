// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks are aligned to their size, so that an object finds its chunk by its
 * address. A chunk hands out its never-used objects in address order and then
 * those that came back. Chunks with room are in a list, full ones in none.
 */
#include "lib/slab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define CHUNK_SIZE ((size_t)64 * 1024)

struct free_object {
	struct free_object *next;
};

struct slab_chunk {
	struct slab_chunk *next, *prev; /* in the list of those with room */
	struct free_object *free;
	uint32_t n_used; /* objects out */
	uint32_t n_fresh; /* objects that were handed out at least once */
};

static size_t chunk_capacity(const struct slab *slab)
{
	return (CHUNK_SIZE - sizeof(struct slab_chunk)) / slab->size;
}

static struct slab_chunk *chunk_of(void *object)
{
	return (struct slab_chunk *)((uintptr_t)object & ~(CHUNK_SIZE - 1));
}

static void chunk_link(struct slab *slab, struct slab_chunk *chunk)
{
	chunk->prev = NULL;
	chunk->next = slab->open;
	if (chunk->next)
		chunk->next->prev = chunk;
	slab->open = chunk;
}

static void chunk_unlink(struct slab *slab, struct slab_chunk *chunk)
{
	*(chunk->prev ? &chunk->prev->next : &slab->open) = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
}

static void chunk_free(struct slab *slab, struct slab_chunk *chunk)
{
	ASAN_UNPOISON_MEMORY_REGION(chunk, CHUNK_SIZE);
	free(chunk);
	slab->n_chunks--;
}

static struct slab_chunk *chunk_new(struct slab *slab)
{
	struct slab_chunk *chunk = slab->spare;

	slab->spare = NULL;
	if (!chunk) {
		chunk = aligned_alloc(CHUNK_SIZE, CHUNK_SIZE);
		if (!chunk)
			return NULL;
		slab->n_chunks++;
	}
	memset(chunk, 0, sizeof(*chunk));
	ASAN_POISON_MEMORY_REGION(chunk + 1, CHUNK_SIZE - sizeof(*chunk));
	chunk_link(slab, chunk);
	return chunk;
}

void slab_init(struct slab *slab, size_t size)
{
	*slab = (struct slab){.size = (size + 7) & ~(size_t)7};
}

void *slab_alloc(struct slab *slab)
{
	struct slab_chunk *chunk = slab->open ? slab->open : chunk_new(slab);
	void *object;

	if (!chunk)
		return NULL;
	if (chunk->free) {
		object = chunk->free;
		ASAN_UNPOISON_MEMORY_REGION(object, slab->size);
		chunk->free = chunk->free->next;
	} else {
		object = (uint8_t *)(chunk + 1) + chunk->n_fresh++ * slab->size;
		ASAN_UNPOISON_MEMORY_REGION(object, slab->size);
	}
	if (++chunk->n_used == chunk_capacity(slab))
		chunk_unlink(slab, chunk);
	return memset(object, 0, slab->size);
}

void slab_put(struct slab *slab, void *object)
{
	struct slab_chunk *chunk = chunk_of(object);
	struct free_object *entry = object;

	if (!object)
		return;
	entry->next = chunk->free;
	chunk->free = entry;
	ASAN_POISON_MEMORY_REGION(object, slab->size);
	if (chunk->n_used-- == chunk_capacity(slab))
		chunk_link(slab, chunk);
	if (chunk->n_used)
		return;
	chunk_unlink(slab, chunk);
	if (slab->spare)
		chunk_free(slab, chunk);
	else
		slab->spare = chunk;
}

void slab_destroy(struct slab *slab)
{
	if (slab->spare)
		chunk_free(slab, slab->spare);
	slab->spare = NULL;
}

size_t slab_memory(const struct slab *slab)
{
	return slab->n_chunks * CHUNK_SIZE;
}
