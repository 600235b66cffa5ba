// SPDX-License-Identifier: GPL-2.0-only
/* The link bandwidth community: read, made to weights, and what the decision makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/link_bandwidth.h"
#include "core/rib.h"
#include "tests/rib_input.h"

#define GIGABIT 0x4004fde94cee6b28 /* 125000000 bytes a second */
#define TEN_GIGABIT 0x4004fde94e9502f9 /* 1250000000 */

static void test_read(void **state)
{
	static const struct {
		uint64_t communities[2];
		uint64_t want;
	} cases[] = {
		{ { GIGABIT }, 125000000 },
		{ { TEN_GIGABIT }, 1250000000 },
		{ { 0x0004fde94cee6b28 }, 125000000 }, /* transitive */
		{ { 0x0002fde900000064, GIGABIT }, 125000000 },
		{ { TEN_GIGABIT, GIGABIT }, 125000000 },
		{ { GIGABIT, TEN_GIGABIT }, 125000000 },
		{ { 0x4004fde93f800000 }, 1 },
		{ { 0x4004fde93f7fffff }, 0 }, /* less than 1 */
		{ { 0x4004fde900000000 }, 0 },
		{ { 0x4004fde9ccee6b28 }, 0 }, /* negative */
		{ { 0x4004fde97f800000 }, 0 }, /* infinite */
		{ { 0x4004fde97fc00000 }, 0 }, /* no number */
		{ { 0x4004fde97f7fffff }, 0 }, /* too much for 64 bits */
		{ { 0x4004fde95dde0b6b }, 0 }, /* 2e18: more than any link has */
		{ { 0x4004fde97fc00000, GIGABIT }, 125000000 },
		{ { 0x4104fde94cee6b28 }, 0 }, /* another type */
		{ { 0x4005fde94cee6b28 }, 0 },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct attrs attrs = { .ext_communities = cases[i].communities };

		attrs.n_ext_communities = cases[i].communities[1] ? 2 : 1;
		assert_int_equal(link_bandwidth_get(&attrs), cases[i].want);
	}
	assert_int_equal(link_bandwidth_get(&(struct attrs){ .origin = 0 }), 0);
}

static void expect_weights(size_t n, const uint64_t *bandwidths, const uint8_t *want)
{
	uint8_t got[8];

	link_bandwidth_weights(bandwidths, n, got);
	assert_memory_equal(got, want, n);
}

static void test_weights(void **state)
{
	expect_weights(2, (uint64_t[]){ 125000000, 125000000 }, (uint8_t[]){ 1, 1 });
	expect_weights(2, (uint64_t[]){ 125000000, 1250000000 }, (uint8_t[]){ 1, 10 });
	expect_weights(3, (uint64_t[]){ 600, 400, 200 }, (uint8_t[]){ 3, 2, 1 });
	expect_weights(2, (uint64_t[]){ 255, 1 }, (uint8_t[]){ 255, 1 });
	expect_weights(2, (uint64_t[]){ 256, 1 }, (uint8_t[]){ 255, 1 });
	expect_weights(2, (uint64_t[]){ 1000, 501 }, (uint8_t[]){ 255, 128 });
	expect_weights(2, (uint64_t[]){ 1000000000000000000, 1 }, (uint8_t[]){ 255, 1 });
	expect_weights(1, (uint64_t[]){ 77 }, (uint8_t[]){ 1 });
}

/* Whatever they are: the ratio is exact, or right to half a weight, and no way gets nothing. */
static void test_weights_random(void **state)
{
	srand(3);
	for (int round = 0; round < 200000; round++) {
		size_t n = 1 + (size_t)rand() % 8;
		uint64_t bandwidths[8], greatest = 0;
		uint8_t weights[8], top = 0;

		for (size_t i = 0; i < n; i++) {
			bandwidths[i] = 1 + (uint64_t)rand() % (rand() % 2 ? 12 : 100000);
			if (bandwidths[i] > greatest)
				greatest = bandwidths[i];
		}
		link_bandwidth_weights(bandwidths, n, weights);
		for (size_t i = 0; i < n; i++)
			top = weights[i] > top ? weights[i] : top;
		for (size_t i = 0; i < n; i++) {
			double exact = (double)bandwidths[i] * top / (double)greatest;

			assert_true(weights[i] >= 1);
			assert_true(weights[i] == 1 ? exact < 1.5 :
						      exact > weights[i] - 0.51 &&
							      exact < weights[i] + 0.51);
		}
	}
}

static void announce(struct rib_source *source, uint64_t community)
{
	struct as_segment segment = { .type = AS_SEQUENCE, .count = 1,
				      .asns = &rib_source_config(source)->peer_as };
	struct attrs draft = {
		.segments = &segment, .n_segments = 1, .ext_communities = &community,
		.n_ext_communities = community != 0, .next_hop = rib_source_config(source)->peer,
	};
	const struct attrs *attrs = attrs_intern(&draft);
	struct prefix p = prefix("10.1.0.0/16");

	assert_int_equal(rib_announce(source, &p, attrs), 0);
	attrs_put(attrs);
}

static void expect(struct rib *rib, const char *weights)
{
	struct prefix p = prefix("10.1.0.0/16"), dirty;
	struct rib_decision decision;
	char got[64] = "";

	assert_true(rib_dirty_next(rib, &dirty));
	rib_decide(rib, &p, &decision);
	for (size_t i = 0, n = 0; i < decision.n_next_hops; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%u", i ? " " : "",
				      decision.next_hops[i].weight);
	assert_string_equal(got, weights);
}

static void test_decision(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib_source_config config = {
		.tunnel = 1, .connection = 1, .site = 1, .peer_as = 65001,
		.peer = addr("169.254.10.2"), .name = "t1",
	};
	struct rib *rib = rib_new();
	struct rib_source *a, *b, *c;

	assert_non_null(rib);
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	a = rib_source_add(rib, &config);
	config.tunnel = 2;
	config.peer = addr("169.254.10.6");
	b = rib_source_add(rib, &config);
	config.tunnel = 3;
	config.peer = addr("169.254.10.10");
	c = rib_source_add(rib, &config);
	announce(a, GIGABIT);
	announce(b, TEN_GIGABIT);
	expect(rib, "1 10");
	announce(a, TEN_GIGABIT);
	announce(b, GIGABIT);
	expect(rib, "10 1");
	/* One without: no ratio can be known, all share equally. */
	announce(c, 0);
	expect(rib, "1 1 1");
	announce(c, GIGABIT);
	expect(rib, "10 1 1");
	/* The operator's word counts more than a peer's. */
	rib_source_set_weight(b, 5);
	expect(rib, "1 5 1");
	rib_source_set_weight(b, 1);
	expect(rib, "10 1 1");
	announce(a, GIGABIT);
	expect(rib, "1 1 1");
	rib_free(rib);
	assert_int_equal(attrs_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_weights_random),
		cmocka_unit_test(test_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
