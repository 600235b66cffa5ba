// SPDX-License-Identifier: GPL-2.0-only
/* Attribute sets: one object per content, derived values, references. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/attrs.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const uint32_t path_a[] = { 65010, 65020 }, path_b[] = { 65010, 65021 };
static const uint32_t communities_a[] = { 1, 2 }, communities_b[] = { 1, 3 };
static const uint64_t ext_a[] = { 7, 8 }, ext_b[] = { 7, 9 };
static const struct large_community large_a[] = { { 1, 2, 3 } }, large_b[] = { { 1, 2, 4 } };
static const struct as_segment segments_a[] = { { AS_SEQUENCE, 2, path_a }, { AS_SET, 2, path_b } };
static const struct as_segment segments_b[] = { { AS_SEQUENCE, 2, path_a }, { AS_SET, 2, path_a } };
static const struct as_segment segments_c[] = { { AS_SEQUENCE, 2, path_a },
						{ AS_SEQUENCE, 2, path_b } };
static const struct as_segment segments_d[] = { { AS_SEQUENCE, 2, path_a }, { AS_SET, 1, path_b } };

static const struct attrs base = {
	.origin = ATTRS_ORIGIN_EGP,
	.has_med = true, .has_local_pref = true, .atomic_aggregate = true,
	.med = 5, .local_pref = 200,
	.n_segments = 2, .n_communities = 2, .n_ext_communities = 2, .n_large_communities = 1,
	.next_hop = { AF_INET6, { 0xfd } }, .link_local = { AF_INET6, { 0xfe, 0x80 } },
	.segments = segments_a, .communities = communities_a, .ext_communities = ext_a,
	.large_communities = large_a,
	.aggregator_as = 65010, .aggregator = { AF_INET, { 192, 0, 2, 1 } },
};

/* Each differs from base in one thing. */
static size_t variants(struct attrs *out)
{
	size_t n = 0;

	for (n = 0; n < 23; n++)
		out[n] = base;
	n = 0;
	out[n++].origin = ATTRS_ORIGIN_IGP;
	out[n++].has_med = false;
	out[n++].has_local_pref = false;
	out[n++].atomic_aggregate = false;
	out[n++].med = 6;
	out[n++].local_pref = 201;
	out[n++].n_segments = 1;
	out[n++].segments = segments_b;
	out[n++].segments = segments_c;
	out[n++].segments = segments_d;
	out[n++].n_communities = 1;
	out[n++].communities = communities_b;
	out[n++].n_ext_communities = 1;
	out[n++].ext_communities = ext_b;
	out[n++].n_large_communities = 0;
	out[n++].large_communities = large_b;
	out[n++].next_hop.b[15] = 1;
	out[n++].next_hop.family = AF_INET;
	out[n++].link_local.b[15] = 1;
	out[n++].link_local = (struct addr){ 0 };
	out[n++].aggregator_as = 65011;
	out[n++].aggregator.b[3] = 2;
	out[n++] = (struct attrs){ 0 };
	return n;
}

static void test_equal_is_one(void **state)
{
	const struct attrs *sets[32];
	struct attrs drafts[32];
	size_t n = variants(drafts);
	const struct attrs *a = attrs_intern(&base), *b = attrs_intern(&base);

	assert_non_null(a);
	assert_ptr_equal(a, b);
	assert_int_equal(attrs_count(), 1);
	for (size_t i = 0; i < n; i++) {
		sets[i] = attrs_intern(&drafts[i]);
		assert_non_null(sets[i]);
		assert_ptr_not_equal(sets[i], a);
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(sets[i], sets[j]);
	}
	assert_int_equal(attrs_count(), n + 1);
	for (size_t i = 0; i < n; i++)
		attrs_put(sets[i]);
	attrs_put(a);
	assert_int_equal(attrs_count(), 1);
	assert_ptr_equal(attrs_get(b), b);
	attrs_put(b);
	assert_int_equal(attrs_count(), 1);
	attrs_put(b);
	assert_int_equal(attrs_count(), 0);
	attrs_put(NULL);
}

/* Nothing of the draft is needed afterwards, and what the caller "derived" is ignored. */
static void test_copies(void **state)
{
	uint32_t *path = malloc(2 * sizeof(*path)), *communities = malloc(sizeof(*communities));
	struct as_segment *segment = malloc(sizeof(*segment));
	struct attrs draft = { .n_segments = 1, .segments = segment, .n_communities = 1,
			       .communities = communities, .as_path_len = 77, .neighbour_as = 9 };
	const struct attrs *a;

	path[0] = 10;
	path[1] = 20;
	communities[0] = 30;
	*segment = (struct as_segment){ AS_SEQUENCE, 2, path };
	a = attrs_intern(&draft);
	free(path);
	free(communities);
	free(segment);
	assert_int_equal(a->segments[0].asns[1], 20);
	assert_int_equal(a->communities[0], 30);
	assert_null(a->ext_communities);
	assert_int_equal(a->as_path_len, 2);
	assert_int_equal(a->neighbour_as, 10);
	attrs_put(a);
}

static void test_derived_and_text(void **state)
{
	static const uint32_t one[] = { 1 }, two[] = { 2, 3 }, big[] = { 4294967295u };
	static const struct {
		struct as_segment segments[3];
		uint16_t n, len;
		uint32_t neighbour, origin;
		const char *text;
	} cases[] = {
		{ .text = "" },
		{ { { AS_SEQUENCE, 1, one } }, 1, 1, 1, 1, "1" },
		{ { { AS_SEQUENCE, 2, two }, { AS_SET, 2, two } }, 2, 3, 2, 0, "2 3 {2 3}" },
		{ { { AS_SET, 2, two }, { AS_SEQUENCE, 1, one } }, 2, 2, 0, 1, "{2 3} 1" },
		{ { { AS_CONFED_SEQUENCE, 2, two }, { AS_CONFED_SET, 1, one },
		    { AS_SEQUENCE, 1, big } }, 3, 1, 4294967295u, 4294967295u,
		  "(2 3) [1] 4294967295" },
		{ { { AS_SEQUENCE, 0, NULL } }, 1, 0, 0, 0, "" },
	};
	char buf[64];

	for (size_t i = 0; i < N(cases); i++) {
		struct attrs draft = { .n_segments = cases[i].n, .segments = cases[i].segments };
		const struct attrs *a = attrs_intern(&draft);

		assert_int_equal(a->as_path_len, cases[i].len);
		assert_int_equal(a->neighbour_as, cases[i].neighbour);
		assert_int_equal(a->origin_as, cases[i].origin);
		assert_string_equal(attrs_format_path(a, buf, sizeof(buf)), cases[i].text);
		/* Every shorter buffer gets a cut text. */
		for (size_t size = 1; size <= strlen(cases[i].text); size++) {
			char *small = malloc(size);

			attrs_format_path(a, small, size);
			assert_int_equal(strlen(small), size - 1);
			assert_memory_equal(small, cases[i].text, size - 1);
			free(small);
		}
		attrs_put(a);
	}
}

static void test_contains(void **state)
{
	const struct attrs *a = attrs_intern(&base);

	assert_true(attrs_path_contains(a, 65010));
	assert_true(attrs_path_contains(a, 65021));
	assert_false(attrs_path_contains(a, 65022));
	attrs_put(a);
}

/* The table grows and shrinks to nothing; every set is found again on the way. */
static void test_many(void **state)
{
	enum { MANY = 20000 };
	const struct attrs **sets = calloc(MANY, sizeof(const struct attrs *));

	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			struct attrs draft = { .n_communities = 1, .communities = &i };

			sets[i] = attrs_intern(&draft);
			assert_non_null(sets[i]);
		}
		assert_int_equal(attrs_count(), MANY);
		assert_in_range(attrs_memory(), MANY * sizeof(struct attrs),
				MANY * (sizeof(struct attrs) + 100));
		for (uint32_t i = 0; i < MANY; i += 7) {
			struct attrs draft = { .n_communities = 1, .communities = &i };
			const struct attrs *again = attrs_intern(&draft);

			assert_ptr_equal(again, sets[i]);
			assert_int_equal(sets[i]->communities[0], i);
			attrs_put(again);
		}
		/* Most go; what hashed behind them is still found. */
		for (uint32_t i = 0; i < MANY; i++)
			if (i % 16)
				attrs_put(sets[i]);
		for (uint32_t i = 0; i < MANY; i += 16) {
			struct attrs draft = { .n_communities = 1, .communities = &i };
			const struct attrs *again = attrs_intern(&draft);

			assert_ptr_equal(again, sets[i]);
			attrs_put(again);
			attrs_put(again);
		}
		assert_int_equal(attrs_count(), 0);
		assert_int_equal(attrs_memory(), 0);
	}
	free(sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_is_one),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_derived_and_text),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
