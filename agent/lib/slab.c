// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks are aligned to their size, so that an object finds its chunk by its
 * address. A chunk hands out its never-used objects in address order and then
 * those that came back. Chunks come from the kernel one by one and go back to
 * it: malloc() would keep them.
 */
#include "lib/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define NUMBERS_MAX (SLAB_HANDLES / SLAB_CHUNK_OBJECTS)

_Static_assert(sizeof(struct slab_chunk) % 8 == 0, "objects are aligned to 8");

struct free_object {
	uint16_t next; /* plus 1 */
};

static void *object_at(const struct slab *slab, struct slab_chunk *chunk, uint32_t index)
{
	return (uint8_t *)(chunk + 1) + index * slab->size;
}

static void open_link(struct slab_part *part, struct slab_chunk *chunk)
{
	chunk->prev_open = NULL;
	chunk->next_open = part->open;
	if (chunk->next_open)
		chunk->next_open->prev_open = chunk;
	part->open = chunk;
}

static void open_unlink(struct slab_part *part, struct slab_chunk *chunk)
{
	*(chunk->prev_open ? &chunk->prev_open->next_open : &part->open) = chunk->next_open;
	if (chunk->next_open)
		chunk->next_open->prev_open = chunk->prev_open;
}

/* 0: no memory, or too many of them. */
static uint32_t number_take(struct slab *slab)
{
	uint32_t number = slab->free_number;

	if (number) {
		slab->free_number = (uint32_t)((uintptr_t)slab->chunks[number] >> 1);
		return number;
	}
	number = slab->n_numbers ? slab->n_numbers : 1;
	if (number == NUMBERS_MAX)
		return 0;
	if (number >= slab->room_numbers) {
		uint32_t room = slab->room_numbers ? 2 * slab->room_numbers : 16;
		struct slab_chunk **chunks =
			realloc(slab->chunks, room * sizeof(struct slab_chunk *));

		if (!chunks)
			return 0;
		slab->chunks = chunks;
		slab->room_numbers = room;
	}
	slab->n_numbers = number + 1;
	return number;
}

static void number_put(struct slab *slab, uint32_t number)
{
	slab->chunks[number] = (struct slab_chunk *)((uintptr_t)slab->free_number << 1 | 1);
	slab->free_number = number;
}

/* Memory that is aligned to its size, by cutting it out of twice as much. */
static void *chunk_map(void)
{
	uint8_t *map = mmap(NULL, 2 * SLAB_CHUNK_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *chunk;

	if (map == MAP_FAILED)
		return NULL;
	chunk = (uint8_t *)(((uintptr_t)map + SLAB_CHUNK_SIZE - 1) &
			    ~(uintptr_t)(SLAB_CHUNK_SIZE - 1));
	if (chunk > map)
		munmap(map, (size_t)(chunk - map));
	if (chunk < map + SLAB_CHUNK_SIZE)
		munmap(chunk + SLAB_CHUNK_SIZE, (size_t)(map + SLAB_CHUNK_SIZE - chunk));
	return chunk;
}

static void chunk_unmap(struct slab *slab, struct slab_chunk *chunk)
{
	ASAN_UNPOISON_MEMORY_REGION(chunk, SLAB_CHUNK_SIZE);
	munmap(chunk, SLAB_CHUNK_SIZE);
	slab->n_chunks--;
}

static struct slab_chunk *chunk_new(struct slab_part *part)
{
	struct slab *slab = part->slab;
	uint32_t number = number_take(slab);
	struct slab_chunk *chunk;

	if (!number)
		return NULL;
	chunk = part->spare ? part->spare : chunk_map();
	if (!chunk) {
		number_put(slab, number);
		return NULL;
	}
	if (!part->spare)
		slab->n_chunks++;
	part->spare = NULL;
	memset(chunk, 0, sizeof(*chunk));
	ASAN_POISON_MEMORY_REGION(chunk + 1, SLAB_CHUNK_SIZE - sizeof(*chunk));
	chunk->number = number;
	chunk->part = part;
	slab->chunks[number] = chunk;
	chunk->next = part->all;
	if (chunk->next)
		chunk->next->prev = chunk;
	part->all = chunk;
	open_link(part, chunk);
	return chunk;
}

static void chunk_release(struct slab *slab, struct slab_chunk *chunk)
{
	struct slab_part *part = chunk->part;

	open_unlink(part, chunk);
	*(chunk->prev ? &chunk->prev->next : &part->all) = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
	number_put(slab, chunk->number);
	if (part->spare)
		chunk_unmap(slab, chunk);
	else
		part->spare = chunk;
}

void slab_init(struct slab *slab, size_t size)
{
	*slab = (struct slab){.size = size};
	slab->inverse = (uint32_t)(((1ull << 32) + size - 1) / size);
	slab->capacity = (uint32_t)((SLAB_CHUNK_SIZE - sizeof(struct slab_chunk)) / size);
}

void slab_destroy(struct slab *slab)
{
	free(slab->chunks);
	slab->chunks = NULL;
	slab->n_numbers = slab->room_numbers = slab->free_number = 0;
}

void slab_part_init(struct slab_part *part, struct slab *slab, void *owner)
{
	*part = (struct slab_part){.slab = slab, .owner = owner};
}

void slab_part_end(struct slab_part *part)
{
	if (part->spare)
		chunk_unmap(part->slab, part->spare);
	part->spare = NULL;
}

void *slab_alloc(struct slab_part *part)
{
	struct slab_chunk *chunk = part->open ? part->open : chunk_new(part);
	const struct slab *slab = part->slab;
	uint32_t index;
	void *object;

	if (!chunk)
		return NULL;
	index = chunk->free ? chunk->free - 1u : chunk->n_fresh;
	object = object_at(slab, chunk, index);
	ASAN_UNPOISON_MEMORY_REGION(object, slab->size);
	if (chunk->free)
		chunk->free = ((struct free_object *)object)->next;
	else
		chunk->n_fresh++;
	chunk->used[index / 64] |= 1ull << index % 64;
	if (++chunk->n_used == slab->capacity)
		open_unlink(part, chunk);
	return memset(object, 0, slab->size);
}

void slab_put(struct slab *slab, void *object)
{
	struct slab_chunk *chunk = slab_chunk_of(object);
	struct free_object *entry = object;
	uint32_t index;

	if (!object)
		return;
	index = slab_handle(slab, object) % SLAB_CHUNK_OBJECTS;
	chunk->used[index / 64] &= ~(1ull << index % 64);
	entry->next = chunk->free;
	chunk->free = (uint16_t)(index + 1);
	ASAN_POISON_MEMORY_REGION(object, slab->size);
	if (chunk->n_used-- == slab->capacity)
		open_link(chunk->part, chunk);
	if (!chunk->n_used)
		chunk_release(slab, chunk);
}

/* The first object at or after index. */
static void *used_from(const struct slab *slab, struct slab_chunk *chunk, uint32_t index)
{
	for (uint32_t word = index / 64; word < SLAB_CHUNK_OBJECTS / 64; word++) {
		uint64_t bits = chunk->used[word];

		if (word == index / 64)
			bits &= ~0ull << index % 64;
		if (bits)
			return object_at(slab, chunk,
					 word * 64 + (uint32_t)__builtin_ctzll(bits));
	}
	return NULL;
}

void *slab_next(const struct slab_part *part, const void *object)
{
	struct slab_chunk *chunk = object ? slab_chunk_of(object) : part->all;
	uint32_t index = object ? slab_handle(part->slab, object) % SLAB_CHUNK_OBJECTS + 1 : 0;

	for (; chunk; chunk = chunk->next, index = 0) {
		void *next = used_from(part->slab, chunk, index);

		if (next)
			return next;
	}
	return NULL;
}

bool slab_is_used(const struct slab *slab, uint32_t handle)
{
	uint32_t number = handle / SLAB_CHUNK_OBJECTS, index = handle % SLAB_CHUNK_OBJECTS;
	const struct slab_chunk *chunk;

	if (!number || number >= slab->n_numbers)
		return false;
	chunk = slab->chunks[number];
	return !((uintptr_t)chunk & 1) && (chunk->used[index / 64] >> index % 64 & 1);
}

size_t slab_memory(const struct slab *slab)
{
	return slab->n_chunks * SLAB_CHUNK_SIZE;
}
