// SPDX-License-Identifier: GPL-2.0-only
/* What is told to the sites: eligibility, counting, policy, and random histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <linux/vgw.h>

#include "core/export.h"
#include "core/rules.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (!prefix_parse(text, &p, NULL))
		fail_msg("\"%s\" is a prefix", text);
	return p;
}

/* The owner: knows the set only from what it is told. */
#define TOLD_MAX 64
static struct prefix told[TOLD_MAX];
static size_t n_told, n_calls;

static size_t told_index(const struct prefix *p)
{
	size_t i;

	for (i = 0; i < n_told; i++)
		if (prefix_equal(&told[i], p))
			break;
	return i;
}

static void changed(void *ctx, const struct prefix *p, bool present)
{
	size_t i = told_index(p);

	assert_ptr_equal(ctx, told);
	n_calls++;
	if (present) {
		assert_int_equal(i, n_told);
		assert_true(n_told < TOLD_MAX);
		told[n_told++] = *p;
	} else {
		assert_true(i < n_told);
		told[i] = told[--n_told];
	}
}

static const struct export_ops ops = { .changed = changed };

static struct export *export_start(void)
{
	struct export *export = export_new(&ops, told);

	assert_non_null(export);
	n_told = n_calls = 0;
	return export;
}

static void route(struct export *export, const char *text, uint8_t protocol, uint8_t type,
		  bool present)
{
	struct prefix p = prefix(text);

	assert_int_equal(export_route(export, &p, protocol, type, present), 0);
}

static bool contains(struct export *export, const char *text)
{
	struct prefix p = prefix(text);
	bool is_told = told_index(&p) < n_told;

	assert_int_equal(export_contains(export, &p), is_told);
	return is_told;
}

static void test_eligible(void **state)
{
	static const struct {
		const char *prefix;
		uint8_t protocol, type;
		bool transit, reserved_ranges, want;
	} cases[] = {
		{ "10.0.0.0/24", RTPROT_KERNEL, RTN_UNICAST, false, false, true },
		{ "10.0.0.0/24", RTPROT_STATIC, RTN_UNICAST, false, false, true },
		{ "2001:db8::/64", RTPROT_RA, RTN_UNICAST, false, false, true },
		{ "10.0.0.0/24", VGW_RTPROTO, RTN_UNICAST, true, false, false },
		{ "10.0.0.0/24", RTPROT_STATIC, RTN_UNREACHABLE, false, false, false },
		{ "10.0.0.0/24", RTPROT_STATIC, RTN_BLACKHOLE, false, false, false },
		{ "10.0.0.1/32", RTPROT_KERNEL, RTN_LOCAL, false, false, false },
		{ "0.0.0.0/0", RTPROT_DHCP, RTN_UNICAST, false, false, false },
		{ "0.0.0.0/0", RTPROT_DHCP, RTN_UNICAST, true, true, true },
		{ "::/0", RTPROT_RA, RTN_UNICAST, false, false, false },
		{ "::/0", RTPROT_RA, RTN_UNICAST, true, false, true },
		{ "0.0.0.0/1", RTPROT_STATIC, RTN_UNICAST, false, false, true },
		{ "169.254.0.0/16", RTPROT_KERNEL, RTN_UNICAST, false, false, false },
		{ "fe80::/64", RTPROT_KERNEL, RTN_UNICAST, false, false, false },
		{ "127.0.0.0/8", RTPROT_STATIC, RTN_UNICAST, true, false, false },
		{ "100.64.3.0/24", RTPROT_STATIC, RTN_UNICAST, false, false, true },
		{ "100.64.3.0/24", RTPROT_STATIC, RTN_UNICAST, false, true, false },
		{ "100.0.0.0/8", RTPROT_STATIC, RTN_UNICAST, false, true, false },
		{ "10.9.0.0/30", RTPROT_KERNEL, RTN_UNICAST, false, false, false },
		{ "10.9.0.1/32", RTPROT_KERNEL, RTN_UNICAST, false, false, false },
		{ "10.9.0.0/29", RTPROT_KERNEL, RTN_UNICAST, false, false, true },
	};
	struct prefix exclude = prefix("10.9.0.0/30");

	for (size_t i = 0; i < N(cases); i++) {
		struct export *export = export_start();
		struct export_policy policy = { cases[i].transit, cases[i].reserved_ranges,
						&exclude, 1 };

		assert_int_equal(export_set_policy(export, &policy), 0);
		route(export, cases[i].prefix, cases[i].protocol, cases[i].type, true);
		if (contains(export, cases[i].prefix) != cases[i].want)
			fail_msg("%s, case %zu", cases[i].prefix, i);
		route(export, cases[i].prefix, cases[i].protocol, cases[i].type, false);
		assert_false(contains(export, cases[i].prefix));
		assert_int_equal(n_calls, cases[i].want ? 2 : 0);
		export_free(export);
	}
}

/* Two metrics, and one of ours beside them: in while one that counts is there. */
static void test_counts_routes(void **state)
{
	struct export *export = export_start();

	route(export, "10.0.0.0/24", RTPROT_STATIC, RTN_UNICAST, true);
	route(export, "10.0.0.0/24", RTPROT_KERNEL, RTN_UNICAST, true);
	route(export, "10.0.0.0/24", VGW_RTPROTO, RTN_UNICAST, true);
	assert_int_equal(n_calls, 1);
	route(export, "10.0.0.0/24", VGW_RTPROTO, RTN_UNICAST, false);
	route(export, "10.0.0.0/24", RTPROT_STATIC, RTN_UNICAST, false);
	assert_true(contains(export, "10.0.0.0/24"));
	assert_int_equal(n_calls, 1);
	route(export, "10.0.0.0/24", RTPROT_KERNEL, RTN_UNICAST, false);
	assert_false(contains(export, "10.0.0.0/24"));
	assert_int_equal(n_calls, 2);
	/* One that never came cannot go. */
	route(export, "10.0.0.0/24", RTPROT_KERNEL, RTN_UNICAST, false);
	route(export, "10.0.0.0/24", RTPROT_KERNEL, RTN_UNICAST, true);
	assert_true(contains(export, "10.0.0.0/24"));
	assert_int_equal(n_calls, 3);
	assert_int_equal(export_count(export), 1);
	export_free(export);
}

static void test_policy_change(void **state)
{
	struct prefix exclude[2] = { prefix("10.2.0.0/16"), prefix("2001:db8::/32") };
	struct export_policy policy = { 0 };
	struct export *export = export_start();

	route(export, "0.0.0.0/0", RTPROT_STATIC, RTN_UNICAST, true);
	route(export, "100.64.0.0/10", RTPROT_STATIC, RTN_UNICAST, true);
	route(export, "10.2.3.0/24", RTPROT_STATIC, RTN_UNICAST, true);
	route(export, "2001:db8:1::/48", RTPROT_STATIC, RTN_UNICAST, true);
	assert_int_equal(export_count(export), 3);
	policy.transit = policy.reserved_ranges = true;
	assert_int_equal(export_set_policy(export, &policy), 0);
	assert_true(contains(export, "0.0.0.0/0"));
	assert_false(contains(export, "100.64.0.0/10"));
	n_calls = 0;
	assert_int_equal(export_set_policy(export, &policy), 0);
	assert_int_equal(n_calls, 0);
	policy.exclude = exclude;
	policy.n_exclude = 2;
	assert_int_equal(export_set_policy(export, &policy), 0);
	assert_int_equal(n_calls, 2);
	/* The list was copied. */
	exclude[0] = prefix("10.5.0.0/16");
	assert_false(contains(export, "10.2.3.0/24"));
	assert_int_equal(export_set_policy(export, &policy), 0);
	assert_true(contains(export, "10.2.3.0/24"));
	assert_false(contains(export, "2001:db8:1::/48"));
	export_free(export);
}

static void test_refuses_what_is_no_prefix(void **state)
{
	struct export *export = export_start();
	struct prefix bad[] = {
		{ .addr = { AF_INET, { 10 } }, .len = 33 },
		{ .addr = { AF_INET, { 10, 1 } }, .len = 8 },
		{ .addr = { AF_UNSPEC, { 0 } }, .len = 0 },
	};

	for (size_t i = 0; i < N(bad); i++) {
		assert_true(export_route(export, &bad[i], RTPROT_STATIC, RTN_UNICAST, true) < 0);
		assert_false(export_contains(export, &bad[i]));
	}
	assert_int_equal(n_calls, 0);
	export_free(export);
}

/* Random histories: the told set is what a look at the plain facts says. */

static uint64_t random_state;

static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static const char *const pool[] = {
	"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.0/30", "100.64.0.0/10",
	"100.64.7.0/24", "169.254.3.0/24", "192.168.0.0/16", "::/0", "2001:db8::/32",
	"2001:db8:1::/64", "fe80::/64",
};
static const uint8_t protocols[] = { RTPROT_KERNEL, RTPROT_STATIC, VGW_RTPROTO };
static const uint8_t types[] = { RTN_UNICAST, RTN_UNREACHABLE };

struct facts {
	unsigned int routes[N(pool)][N(protocols)][N(types)];
	struct export_policy policy;
};

static bool naive_contains(const struct facts *facts, size_t i)
{
	struct prefix p = prefix(pool[i]);

	if (!facts->routes[i][0][0] && !facts->routes[i][1][0])
		return false;
	if (rules_never_accept(&p) || (!p.len && !facts->policy.transit))
		return false;
	if (p.len && facts->policy.reserved_ranges && rules_reserved_range(&p))
		return false;
	for (size_t j = 0; p.len && j < facts->policy.n_exclude; j++)
		if (prefix_covers(&facts->policy.exclude[j], &p))
			return false;
	return true;
}

static void random_step(struct export *export, struct facts *facts, const struct prefix *exclude)
{
	size_t i = random_next() % N(pool), a = random_next() % N(protocols);
	size_t b = random_next() % N(types);
	bool present = !facts->routes[i][a][b] || random_next() % 3 == 0;

	if (random_next() % 10 == 0) {
		facts->policy.transit = random_next() % 2;
		facts->policy.reserved_ranges = random_next() % 2;
		facts->policy.exclude = exclude;
		facts->policy.n_exclude = random_next() % 3;
		assert_int_equal(export_set_policy(export, &facts->policy), 0);
		return;
	}
	facts->routes[i][a][b] += present ? 1 : -1;
	route(export, pool[i], protocols[a], types[b], present);
}

static void test_random(void **state)
{
	struct prefix exclude[] = { prefix("10.1.0.0/16"), prefix("2001:db8:1::/64") };
	struct export *export = export_start();
	struct facts facts = { 0 };

	random_state = 1;
	for (unsigned int n = 0; n < 20000; n++) {
		struct prefix key = { 0 }, last;
		size_t count = 0;

		random_step(export, &facts, exclude);
		for (size_t i = 0; i < N(pool); i++)
			assert_int_equal(contains(export, pool[i]), naive_contains(&facts, i));
		for (last = key; export_next(export, &key); last = key, count++) {
			assert_true(prefix_compare(&last, &key) < 0);
			assert_true(told_index(&key) < n_told);
		}
		assert_int_equal(count, n_told);
		assert_int_equal(export_count(export), n_told);
	}
	export_free(export);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eligible),
		cmocka_unit_test(test_counts_routes),
		cmocka_unit_test(test_policy_change),
		cmocka_unit_test(test_refuses_what_is_no_prefix),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
