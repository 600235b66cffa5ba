// SPDX-License-Identifier: GPL-2.0-only
/*
 * Health checks on a clock that stands still: what is lost and what is not, when a
 * failure begins and ends, and that nothing but probes has a say. Then the same
 * against a count that is made the simple way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/health.h"

static const struct health_timing timing = {.interval = 3000, .retries = 3, .recover = 2};

static struct health fresh(uint16_t sequence)
{
	struct health h;

	health_init(&h, &timing, sequence, 1000);
	assert_int_equal(h.verdict, HEALTH_WAITING);
	assert_int_equal(h.due, 1000);
	return h;
}

/* Sends the probe that is due, and answers it after ms unless that is negative. */
static void round_trip(struct health *h, int ms)
{
	uint64_t at = h->due;

	assert_true(health_tick(h, at));
	if (ms >= 0)
		health_answer(h, h->sequence, at + (uint64_t)ms);
}

static void go_bad(struct health *h)
{
	for (unsigned int i = 0; i <= timing.retries; i++)
		round_trip(h, -1);
	assert_int_equal(h->verdict, HEALTH_FAILED);
}

static void test_probes(void **state)
{
	struct health h = fresh(7);

	assert_false(health_tick(&h, 999));
	assert_true(health_tick(&h, 1000));
	assert_int_equal(h.sequence, 8);
	assert_false(health_tick(&h, 3999));
	assert_int_equal(h.due, 4000);
	health_answer(&h, 8, 1020);
	assert_int_equal(h.verdict, HEALTH_GOOD);
	assert_int_equal(h.since, 1020);
	assert_int_equal(h.rtt, 20);
	assert_true(health_tick(&h, 4000));
	assert_int_equal(h.sent, 2);
	assert_int_equal(h.lost, 0);
}

/* Rule 28: after interval x retry. */
static void test_failure(void **state)
{
	struct health h = fresh(0);
	uint64_t silent;

	round_trip(&h, 5);
	silent = h.due; /* the first probe that is lost */
	round_trip(&h, -1);
	round_trip(&h, -1);
	round_trip(&h, -1);
	assert_int_equal(h.verdict, HEALTH_GOOD);
	assert_false(health_tick(&h, silent + 3 * 3000 - 1));
	assert_int_equal(h.verdict, HEALTH_GOOD);
	assert_true(health_tick(&h, silent + 3 * 3000));
	assert_int_equal(h.verdict, HEALTH_FAILED);
	assert_int_equal(h.since, silent + 3 * 3000);
	assert_int_equal(h.lost, 3);
	assert_int_equal(h.lost_row, 3);
}

/* Lost ones that are not in a row are none. */
static void test_single_losses(void **state)
{
	struct health h = fresh(0);

	for (int i = 0; i < 20; i++) {
		round_trip(&h, -1);
		round_trip(&h, -1);
		round_trip(&h, 1);
	}
	assert_int_equal(h.verdict, HEALTH_GOOD);
	assert_int_equal(h.lost, 40);
}

static void test_recovery(void **state)
{
	struct health h = fresh(0);

	go_bad(&h);
	round_trip(&h, 1);
	assert_int_equal(h.verdict, HEALTH_FAILED);
	round_trip(&h, -1);
	round_trip(&h, 1);
	assert_int_equal(h.verdict, HEALTH_FAILED);
	round_trip(&h, 1);
	assert_int_equal(h.verdict, HEALTH_GOOD);
	round_trip(&h, -1);
	assert_int_equal(h.verdict, HEALTH_GOOD);
}

/* A path that was never good fails in the same time. */
static void test_never_good(void **state)
{
	struct health h = fresh(0);

	for (int i = 0; i < 3; i++) {
		round_trip(&h, -1);
		assert_int_equal(h.verdict, HEALTH_WAITING);
	}
	round_trip(&h, -1);
	assert_int_equal(h.verdict, HEALTH_FAILED);
}

static void test_strays(void **state)
{
	struct health h = fresh(0);

	round_trip(&h, 1);
	health_answer(&h, h.sequence, 1100); /* twice */
	round_trip(&h, -1);
	health_answer(&h, (uint16_t)(h.sequence - 1), 4100); /* late */
	health_answer(&h, (uint16_t)(h.sequence + 1), 4100); /* never sent */
	assert_int_equal(h.stray, 3);
	assert_int_equal(h.answered, 1);
	assert_true(h.open);
	go_bad(&h);
	for (int i = 0; i < 5; i++)
		health_answer(&h, (uint16_t)(h.sequence - 1), h.due - 1);
	assert_int_equal(h.verdict, HEALTH_FAILED);
}

static void test_number_wraps(void **state)
{
	struct health h = fresh(65533);

	for (int i = 0; i < 6; i++)
		round_trip(&h, 1);
	assert_int_equal(h.sequence, 3);
	assert_int_equal(h.lost, 0);
	assert_int_equal(h.stray, 0);
	assert_int_equal(h.verdict, HEALTH_GOOD);
}

/* However late the loop is, one probe is at most one loss. */
static void test_late_loop(void **state)
{
	struct health h = fresh(0);

	round_trip(&h, 1);
	round_trip(&h, -1);
	assert_true(health_tick(&h, h.due + 600000));
	assert_int_equal(h.lost, 1);
	assert_int_equal(h.verdict, HEALTH_GOOD);
}

static void test_unsent(void **state)
{
	struct health h = fresh(0);

	round_trip(&h, 1);
	for (int i = 0; i < 10; i++) {
		assert_true(health_tick(&h, h.due));
		health_unsent(&h);
	}
	assert_int_equal(h.verdict, HEALTH_GOOD);
	assert_int_equal(h.sent, 1);
	go_bad(&h);
	for (int i = 0; i < 10; i++) {
		assert_true(health_tick(&h, h.due));
		health_unsent(&h);
	}
	assert_int_equal(h.verdict, HEALTH_FAILED);
}

static void test_pause(void **state)
{
	struct health h = fresh(0);

	round_trip(&h, 1);
	round_trip(&h, -1);
	round_trip(&h, -1);
	round_trip(&h, -1);
	health_pause(&h, true, 20000);
	assert_false(health_tick(&h, 90000));
	health_answer(&h, h.sequence, 90000);
	assert_int_equal(h.answered, 1);
	health_pause(&h, false, 90000);
	assert_int_equal(h.due, 90000);
	assert_int_equal(h.verdict, HEALTH_GOOD);
	/* Losses from before the pause do not count. */
	round_trip(&h, -1);
	round_trip(&h, -1);
	assert_int_equal(h.verdict, HEALTH_GOOD);
	go_bad(&h);
	health_pause(&h, true, h.due);
	health_pause(&h, true, h.due);
	health_pause(&h, false, 200000);
	assert_int_equal(h.verdict, HEALTH_FAILED);
	round_trip(&h, 1);
	round_trip(&h, 1);
	assert_int_equal(h.verdict, HEALTH_GOOD);
}

static void test_retime(void **state)
{
	const struct health_timing quick = {.interval = 1000, .retries = 1, .recover = 1};
	struct health h = fresh(0);

	round_trip(&h, 1);
	health_retime(&h, &quick, 1500);
	assert_int_equal(h.verdict, HEALTH_GOOD);
	assert_int_equal(h.due, 2500);
	round_trip(&h, -1);
	round_trip(&h, -1);
	assert_int_equal(h.verdict, HEALTH_FAILED);
	round_trip(&h, 1);
	assert_int_equal(h.verdict, HEALTH_GOOD);
	health_pause(&h, true, 9000);
	health_retime(&h, &timing, 9000);
	assert_int_equal(h.due, UINT64_MAX);
}

/* The verdict by looking back over the whole row of probes. */
static enum health_verdict naive(const bool *answered, size_t n)
{
	enum health_verdict verdict = HEALTH_WAITING;
	size_t good = 0, lost = 0;

	for (size_t i = 0; i < n; i++) {
		good = answered[i] ? good + 1 : 0;
		lost = answered[i] ? 0 : lost + 1;
		if (lost >= timing.retries)
			verdict = HEALTH_FAILED;
		else if (good && (verdict != HEALTH_FAILED || good >= timing.recover))
			verdict = HEALTH_GOOD;
	}
	return verdict;
}

static void test_random(void **state)
{
	static bool answered[4000];
	struct health h = fresh(0);

	srandom(1);
	for (size_t i = 0; i < 4000; i++) {
		/* The tick judges the probe before; answers come at once. */
		assert_true(health_tick(&h, h.due));
		assert_int_equal(h.verdict, naive(answered, i));
		answered[i] = random() % 100 < (i / 500 % 2 ? 80 : 40);
		if (answered[i])
			health_answer(&h, h.sequence, h.due - 1);
	}
	assert_int_equal(h.answered + h.lost + h.open, h.sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),	     cmocka_unit_test(test_failure),
		cmocka_unit_test(test_single_losses), cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_never_good),   cmocka_unit_test(test_strays),
		cmocka_unit_test(test_number_wraps), cmocka_unit_test(test_late_loop),
		cmocka_unit_test(test_unsent),	     cmocka_unit_test(test_pause),
		cmocka_unit_test(test_retime),	     cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
