// SPDX-License-Identifier: GPL-2.0-only
/* Objects of one size: zeroed, apart from each other, found by handle, and memory comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/slab.h"

#define OBJECTS 20000
#define PARTS 3

static uint64_t random_state = 1;

static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static uint8_t *object_new(struct slab *slab, struct slab_part *part, size_t size, size_t n)
{
	uint8_t *object = slab_alloc(part);
	uint32_t handle;

	assert_non_null(object);
	assert_int_equal((uintptr_t)object % (size % 8 ? 4 : 8), 0);
	for (size_t j = 0; j < size; j++)
		assert_int_equal(object[j], 0);
	memset(object, (int)n, size);
	handle = slab_handle(slab, object);
	assert_in_range(handle, 1, SLAB_HANDLES - 1);
	assert_ptr_equal(slab_at(slab, handle), object);
	assert_true(slab_is_used(slab, handle));
	assert_ptr_equal(slab_owner(object), part->owner);
	return object;
}

/* A walk meets every object of the part once and none of another. */
static void check_walk(const struct slab_part *part, uint8_t *const *objects, size_t which)
{
	uint8_t *object = NULL;
	size_t here = 0;

	while ((object = slab_next(part, object))) {
		assert_ptr_equal(slab_owner(object), part->owner);
		here++;
	}
	for (size_t n = which; n < OBJECTS; n += PARTS)
		here -= objects[n] != NULL;
	assert_int_equal(here, 0);
}

static void check_size(size_t size)
{
	uint8_t **objects = calloc(OBJECTS, sizeof(*objects));
	struct slab_part parts[PARTS];
	struct slab slab;
	size_t full;

	slab_init(&slab, size);
	for (size_t i = 0; i < PARTS; i++)
		slab_part_init(&parts[i], &slab, &parts[i]);
	assert_int_equal(slab_memory(&slab), 0);
	for (unsigned int i = 0; i < 6 * OBJECTS; i++) {
		/* First it fills up, then it comes and goes. */
		size_t n = i < OBJECTS ? i : random_next() % OBJECTS;
		uint32_t handle;

		if (!objects[n]) {
			objects[n] = object_new(&slab, &parts[n % PARTS], size, n);
			continue;
		}
		/* Nobody else wrote to it. */
		for (size_t j = 0; j < size; j++)
			assert_int_equal(objects[n][j], (uint8_t)n);
		handle = slab_handle(&slab, objects[n]);
		slab_put(&slab, objects[n]);
		assert_false(slab_is_used(&slab, handle));
		objects[n] = NULL;
	}
	for (size_t i = 0; i < PARTS; i++)
		check_walk(&parts[i], objects, i);
	full = slab_memory(&slab);
	assert_true(full >= OBJECTS / 2 * size &&
		    full < OBJECTS * (size + 8) * 12 / 10 + PARTS * SLAB_CHUNK_SIZE);
	for (size_t n = 0; n < OBJECTS; n++)
		slab_put(&slab, objects[n]);
	/* All but a spare chunk each. */
	assert_int_equal(slab_memory(&slab), PARTS * SLAB_CHUNK_SIZE);
	for (size_t i = 0; i < PARTS; i++) {
		assert_null(slab_next(&parts[i], NULL));
		slab_put(&slab, slab_alloc(&parts[i]));
		slab_part_end(&parts[i]);
	}
	assert_int_equal(slab_memory(&slab), 0);
	slab_destroy(&slab);
	free(objects);
}

static void test_sizes(void **state)
{
	check_size(16);
	check_size(20);
	check_size(56);
	check_size(400);
}

#define SCANNED 20000

static void *numbered(struct slab_part *part, size_t number)
{
	size_t *object = slab_alloc(part);

	assert_non_null(object);
	*object = number;
	return object;
}

/* What was there and stays comes exactly once, whatever comes and goes meanwhile. */
static void test_scan(void **state)
{
	static void *objects[SCANNED];
	static unsigned int seen[SCANNED]; /* SCANNED: it was not there at the begin, or went */
	struct slab_part part;
	struct slab slab;
	void *object;

	slab_init(&slab, 24);
	slab_part_init(&part, &slab, NULL);
	for (unsigned int round = 0; round < 5; round++) {
		for (size_t i = 0; i < SCANNED; i++) {
			if (!objects[i] && random_next() % 8)
				objects[i] = numbered(&part, i);
			seen[i] = objects[i] ? 0 : SCANNED;
		}
		slab_scan_begin(&part);
		while ((object = slab_scan(&part))) {
			/* Sometimes every chunk is given back while the scan is in it. */
			unsigned int went = round % 2 ? 0 : random_next() % 8;
			size_t i = *(size_t *)object;

			assert_ptr_equal(objects[i], object);
			seen[i]++;
			if (went < 6) {
				slab_put(&slab, object);
				objects[i] = NULL;
			}
			i = random_next() % SCANNED;
			if (went == 6 && objects[i]) {
				slab_put(&slab, objects[i]);
				objects[i] = NULL;
				seen[i] = SCANNED;
			} else if (went == 7 && !objects[i]) {
				objects[i] = numbered(&part, i);
				seen[i] = SCANNED;
			}
		}
		for (size_t i = 0; i < SCANNED; i++)
			assert_true(seen[i] == 1 || seen[i] >= SCANNED);
	}
	for (size_t i = 0; i < SCANNED; i++)
		slab_put(&slab, objects[i]);
	slab_part_end(&part);
	slab_destroy(&slab);
}

/* One object that comes and goes must not take and return a chunk each time. */
static void test_keeps_a_spare(void **state)
{
	struct slab_part part;
	struct slab slab;
	void *object;

	slab_init(&slab, 56);
	slab_part_init(&part, &slab, NULL);
	for (int i = 0; i < 100; i++) {
		object = slab_alloc(&part);
		assert_int_equal(slab_memory(&slab), SLAB_CHUNK_SIZE);
		slab_put(&slab, object);
		assert_int_equal(slab_memory(&slab), SLAB_CHUNK_SIZE);
	}
	slab_part_end(&part);
	slab_destroy(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_keeps_a_spare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
