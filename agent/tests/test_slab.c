// SPDX-License-Identifier: GPL-2.0-only
/* Objects of one size: zeroed, apart from each other, and memory comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/slab.h"

#define OBJECTS 20000

static uint64_t random_state = 1;

static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static void check_size(size_t size)
{
	uint8_t **objects = calloc(OBJECTS, sizeof(*objects));
	struct slab slab;
	size_t full;

	slab_init(&slab, size);
	assert_int_equal(slab_memory(&slab), 0);
	for (unsigned int i = 0; i < 6 * OBJECTS; i++) {
		/* First it fills up, then it comes and goes. */
		size_t n = i < OBJECTS ? i : random_next() % OBJECTS;

		if (objects[n]) {
			/* Nobody else wrote to it. */
			for (size_t j = 0; j < size; j++)
				assert_int_equal(objects[n][j], (uint8_t)n);
			slab_put(&slab, objects[n]);
			objects[n] = NULL;
			continue;
		}
		objects[n] = slab_alloc(&slab);
		assert_non_null(objects[n]);
		assert_int_equal((uintptr_t)objects[n] % 8, 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(objects[n][j], 0);
		memset(objects[n], (int)n, size);
	}
	full = slab_memory(&slab);
	assert_true(full >= OBJECTS / 2 * size && full < OBJECTS * (size + 8) * 12 / 10);
	for (size_t n = 0; n < OBJECTS; n++)
		slab_put(&slab, objects[n]);
	/* All but the spare chunk. */
	assert_true(slab_memory(&slab) <= 65536);
	slab_put(&slab, slab_alloc(&slab));
	slab_destroy(&slab);
	assert_int_equal(slab_memory(&slab), 0);
	free(objects);
}

static void test_sizes(void **state)
{
	check_size(8);
	check_size(13);
	check_size(56);
	check_size(400);
}

/* One object that comes and goes must not take and return a chunk each time. */
static void test_keeps_a_spare(void **state)
{
	struct slab slab;
	void *object;

	slab_init(&slab, 56);
	for (int i = 0; i < 100; i++) {
		object = slab_alloc(&slab);
		assert_int_equal(slab_memory(&slab), 65536);
		slab_put(&slab, object);
		assert_int_equal(slab_memory(&slab), 65536);
	}
	slab_destroy(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_keeps_a_spare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
