// SPDX-License-Identifier: GPL-2.0-only
/* When is a tunnel one-way: as early as can be told, and never when it is idle or answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/oneway.h"

#define LOOK 3000

struct side {
	struct oneway oneway;
	uint64_t now, tx, rx;
	unsigned int asked;
	bool answers; /* pings */
};

/* Some seconds pass, with so many packets a look in each direction. */
static void pass(struct side *s, unsigned int looks, unsigned int tx, unsigned int rx)
{
	for (unsigned int i = 0; i < looks; i++) {
		s->now += LOOK;
		s->tx += tx;
		s->rx += rx;
		if (!oneway_look(&s->oneway, true, s->tx, s->rx, s->now))
			continue;
		s->asked++;
		s->rx += s->answers;
	}
}

static void test_found(void **state)
{
	struct side s = {.now = 5};

	pass(&s, 3, 10, 10);
	pass(&s, 4, 10, 0);
	assert_int_equal(s.oneway.state, ONEWAY_NONE);
	pass(&s, 1, 10, 0);
	assert_int_equal(s.oneway.state, ONEWAY_SUSPECT);
	pass(&s, ONEWAY_PROBES - 1, 10, 0);
	assert_int_equal(s.oneway.state, ONEWAY_SUSPECT);
	assert_int_equal(s.asked, ONEWAY_PROBES);
	pass(&s, 1, 10, 0);
	assert_int_equal(s.oneway.state, ONEWAY_FAILED);
	assert_int_equal(s.oneway.unanswered, 80);
	/* It goes on asking, or it would never know. */
	pass(&s, 1, 10, 0);
	assert_int_equal(s.asked, ONEWAY_PROBES + 2);
}

static void test_idle(void **state)
{
	struct side s = {0};

	pass(&s, 100, 0, 0);
	pass(&s, 3, 5, 5);
	pass(&s, 1000, 0, 0);
	assert_int_equal(s.oneway.state, ONEWAY_NONE);
	assert_int_equal(s.asked, 0);
}

/* A packet now and then is no proof. */
static void test_few(void **state)
{
	struct side s = {0};

	pass(&s, 2, 1, 1);
	pass(&s, 1, ONEWAY_PACKETS - 1, 0);
	pass(&s, 15, 0, 0);
	assert_int_equal(s.asked, 0);
	pass(&s, 10, 0, 0); /* and is forgotten */
	pass(&s, 1, ONEWAY_PACKETS - 1, 0);
	pass(&s, 15, 0, 0);
	assert_int_equal(s.asked, 0);
}

/* Traffic of one direction, with a far end that answers a ping. */
static void test_one_direction_by_nature(void **state)
{
	struct side s = {.answers = true};

	for (int i = 0; i < 500; i++) {
		pass(&s, 1, 50, 0);
		assert_int_not_equal(s.oneway.state, ONEWAY_FAILED);
	}
	assert_true(s.asked > 10);
}

static void test_over(void **state)
{
	struct side s = {0};

	pass(&s, 20, 5, 0);
	assert_int_equal(s.oneway.state, ONEWAY_FAILED);
	pass(&s, 1, 5, 1);
	assert_int_equal(s.oneway.state, ONEWAY_NONE);
	/* All of it again. */
	pass(&s, 4, 5, 0);
	assert_int_equal(s.oneway.state, ONEWAY_NONE);
	pass(&s, 16, 5, 0);
	assert_int_equal(s.oneway.state, ONEWAY_FAILED);
	/* Nobody sends any more: nothing is known any more. */
	pass(&s, ONEWAY_IDLE / LOOK, 0, 0);
	assert_int_equal(s.oneway.state, ONEWAY_FAILED);
	pass(&s, 1, 0, 0);
	assert_int_equal(s.oneway.state, ONEWAY_NONE);
}

static void test_down_and_new(void **state)
{
	struct side s = {0};

	pass(&s, 20, 5, 0);
	assert_int_equal(s.oneway.state, ONEWAY_FAILED);
	assert_false(oneway_look(&s.oneway, false, s.tx, s.rx, s.now));
	assert_int_equal(s.oneway.state, ONEWAY_NONE);
	pass(&s, 20, 5, 0);
	assert_int_equal(s.oneway.state, ONEWAY_FAILED);
	s.tx = s.rx = 0; /* the module was loaded anew */
	pass(&s, 1, 0, 0);
	assert_int_equal(s.oneway.state, ONEWAY_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_one_direction_by_nature),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_down_and_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
