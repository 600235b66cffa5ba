// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chunks are aligned to their size, so that an object finds its chunk by its
 * address. A chunk hands out its never-used objects in address order and then
 * those that came back.
 *
 * Chunks are cut from arenas of the size of a huge page, which is asked for once
 * tables are large: a table in random order is read all over, and with small pages
 * the processor looks up an address nearly every time. The memory of a chunk goes
 * back to the kernel when it is free, the addresses when the arena is.
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
#define ARENA_CHUNKS 32u
#define ARENA_SIZE (ARENA_CHUNKS * SLAB_CHUNK_SIZE)
#define ARENAS_SMALL 2u /* a small gateway stays small */

struct slab_arena {
	uint8_t *base;
	uint32_t free; /* a bit per chunk */
	struct slab_arena *next, *prev; /* of those with a free chunk */
};

static struct {
	struct slab_arena *open;
	size_t n;
} arenas;

_Static_assert(ARENA_CHUNKS == 32, "a bit of a word for each");
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
static uint8_t *arena_map(void)
{
	uint8_t *map = mmap(NULL, 2 * ARENA_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *base;

	if (map == MAP_FAILED)
		return NULL;
	base = (uint8_t *)(((uintptr_t)map + ARENA_SIZE - 1) & ~(uintptr_t)(ARENA_SIZE - 1));
	if (base > map)
		munmap(map, (size_t)(base - map));
	if (base < map + ARENA_SIZE)
		munmap(base + ARENA_SIZE, (size_t)(map + ARENA_SIZE - base));
	/* Without huge pages it works as well. */
	if (arenas.n >= ARENAS_SMALL)
		madvise(base, ARENA_SIZE, MADV_HUGEPAGE);
	return base;
}

static void arena_link(struct slab_arena *arena)
{
	arena->prev = NULL;
	arena->next = arenas.open;
	if (arena->next)
		arena->next->prev = arena;
	arenas.open = arena;
}

static void arena_unlink(struct slab_arena *arena)
{
	*(arena->prev ? &arena->prev->next : &arenas.open) = arena->next;
	if (arena->next)
		arena->next->prev = arena->prev;
}

static struct slab_arena *arena_new(void)
{
	struct slab_arena *arena = malloc(sizeof(*arena));

	if (!arena)
		return NULL;
	arena->base = arena_map();
	if (!arena->base) {
		free(arena);
		return NULL;
	}
	arena->free = UINT32_MAX;
	arenas.n++;
	arena_link(arena);
	return arena;
}

static struct slab_chunk *chunk_map(void)
{
	struct slab_arena *arena = arenas.open ? arenas.open : arena_new();
	struct slab_chunk *chunk;
	unsigned int place;

	if (!arena)
		return NULL;
	place = (unsigned int)__builtin_ctz(arena->free);
	arena->free &= arena->free - 1;
	if (!arena->free)
		arena_unlink(arena);
	chunk = (struct slab_chunk *)(arena->base + place * SLAB_CHUNK_SIZE);
	chunk->arena = arena;
	return chunk;
}

static void chunk_unmap(struct slab *slab, struct slab_chunk *chunk)
{
	struct slab_arena *arena = chunk->arena;
	size_t place = (size_t)((uint8_t *)chunk - arena->base) / SLAB_CHUNK_SIZE;

	ASAN_UNPOISON_MEMORY_REGION(chunk, SLAB_CHUNK_SIZE);
	slab->n_chunks--;
	if (!arena->free)
		arena_link(arena);
	arena->free |= 1u << place;
	if (arena->free != UINT32_MAX) {
		madvise(chunk, SLAB_CHUNK_SIZE, MADV_DONTNEED);
		return;
	}
	arena_unlink(arena);
	munmap(arena->base, ARENA_SIZE);
	arenas.n--;
	free(arena);
}

static struct slab_chunk *chunk_new(struct slab_part *part)
{
	struct slab *slab = part->slab;
	uint32_t number = number_take(slab);
	struct slab_arena *arena;
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
	arena = chunk->arena;
	memset(chunk, 0, sizeof(*chunk));
	chunk->arena = arena;
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

	if (part->scan == chunk) {
		part->scan = chunk->next;
		part->scan_index = 0;
	}
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

void slab_scan_begin(struct slab_part *part)
{
	part->scan = part->all;
	part->scan_index = 0;
}

void *slab_scan(struct slab_part *part)
{
	void *object = NULL;

	while (part->scan && !(object = used_from(part->slab, part->scan, part->scan_index))) {
		part->scan = part->scan->next;
		part->scan_index = 0;
	}
	if (object)
		part->scan_index = slab_handle(part->slab, object) % SLAB_CHUNK_OBJECTS + 1;
	return object;
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
