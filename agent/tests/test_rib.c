// SPDX-License-Identifier: GPL-2.0-only
/* The RIB: verdicts, decision, changes, quota. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/rib.h"
#include "tests/rib_input.h"

static void announce(struct rib_source *source, const char *text, const struct say *say)
{
	const struct attrs *attrs = attrs_of(rib_source_config(source), say);
	struct prefix p = prefix(text);

	assert_int_equal(rib_announce(source, &p, attrs), 0);
	attrs_put(attrs);
}

static void withdraw(struct rib_source *source, const char *text)
{
	struct prefix p = prefix(text);

	rib_withdraw(source, &p);
}

static struct rib *rib_with(const struct rib_policy *policy)
{
	struct rib *rib = rib_new();

	assert_non_null(rib);
	assert_int_equal(rib_set_policy(rib, policy), 0);
	return rib;
}

static void drain(struct rib *rib)
{
	struct prefix p;

	while (rib_dirty_next(rib, &p))
		;
}

static void expect_dirty(struct rib *rib, const char *text)
{
	struct prefix p, want;

	if (!text) {
		assert_false(rib_dirty_next(rib, &p));
		return;
	}
	want = prefix(text);
	assert_true(rib_dirty_next(rib, &p));
	assert_true(prefix_equal(&p, &want));
}

/* The tunnels that win, as digits: "13". */
static void expect_hops(struct rib *rib, const char *text, const char *tunnels)
{
	struct rib_decision decision;
	struct prefix p = prefix(text);

	rib_decide(rib, &p, &decision);
	assert_int_equal(decision.n_next_hops, strlen(tunnels));
	for (size_t i = 0; i < decision.n_next_hops; i++)
		assert_int_equal(decision.next_hops[i].tunnel, tunnels[i] - '0');
	assert_int_equal(decision.best != NULL, decision.n_next_hops > 0);
}

static void expect_step(struct rib *rib, const char *text, uint32_t tunnel, enum rib_step step)
{
	struct rib_path_info info[16];
	struct prefix p = prefix(text);
	size_t n = rib_paths(rib, &p, info, N(info));

	for (size_t i = 0; i < n; i++) {
		if (rib_source_config(info[i].source)->tunnel != tunnel)
			continue;
		assert_string_equal(rib_step_name(info[i].step), rib_step_name(step));
		return;
	}
	fail_msg("no path of tunnel %u", tunnel);
}

static enum rib_verdict verdict_of(struct rib *rib, const char *text)
{
	struct rib_path_info info;
	struct prefix p = prefix(text);

	assert_int_equal(rib_paths(rib, &p, &info, 1), 1);
	return info.verdict;
}

/* Verdicts */

static const struct {
	const char *prefix;
	struct say say;
	bool transit, overlap_allow, reserved_ranges;
	uint8_t pinned; /* length of the underlay route to the outer peer */
	enum rib_verdict verdict;
} verdict_cases[] = {
	{ .prefix = "10.20.0.0/16", .verdict = RIB_ACCEPTED },
	{ .prefix = "0.0.0.0/0", .verdict = RIB_REJECT_DEFAULT },
	{ .prefix = "::/0", .verdict = RIB_REJECT_DEFAULT },
	{ .prefix = "0.0.0.0/0", .transit = true, .verdict = RIB_REJECT_OUTER_PEER },
	{ .prefix = "0.0.0.0/0", .transit = true, .pinned = 24, .verdict = RIB_ACCEPTED },
	{ .prefix = "0.0.0.0/1", .verdict = RIB_ACCEPTED },
	{ .prefix = "127.0.0.0/8", .verdict = RIB_REJECT_NEVER },
	{ .prefix = "169.254.10.0/30", .verdict = RIB_REJECT_NEVER },
	{ .prefix = "fe80::/64", .verdict = RIB_REJECT_NEVER },
	{ .prefix = "100.64.1.0/24", .verdict = RIB_ACCEPTED },
	{ .prefix = "100.64.1.0/24", .reserved_ranges = true, .verdict = RIB_REJECT_RESERVED },
	{ .prefix = "100.0.0.0/8", .reserved_ranges = true, .verdict = RIB_REJECT_RESERVED },
	{ .prefix = "0.0.0.0/0", .transit = true, .pinned = 24, .reserved_ranges = true,
	  .verdict = RIB_ACCEPTED },
	{ .prefix = "10.20.0.0/16", .say = { .path = { 65010, LOCAL_AS, 65010 } },
	  .verdict = RIB_REJECT_OWN_AS },
	{ .prefix = "10.20.0.0/16", .say = { .path = { 65011 } }, .verdict = RIB_REJECT_FIRST_AS },
	{ .prefix = "10.20.0.0/16", .say = { .hop = "169.254.10.9" },
	  .verdict = RIB_REJECT_NEXT_HOP },
	{ .prefix = "10.20.0.0/16", .say = { .hop = "169.254.10.5" },
	  .verdict = RIB_REJECT_NEXT_HOP },
	{ .prefix = "2001:db8::/32", .say = { .hop = "fe80::1" }, .verdict = RIB_ACCEPTED },
	{ .prefix = "2001:db8::/32", .say = { .hop = "::ffff:169.254.10.6" },
	  .verdict = RIB_ACCEPTED },
	{ .prefix = "2001:db8::/32", .say = { .hop = "2001:db8::1", .link_local = "fe80::1" },
	  .verdict = RIB_ACCEPTED },
	{ .prefix = "2001:db8::/32", .say = { .hop = "2001:db8::1" },
	  .verdict = RIB_REJECT_NEXT_HOP },
	{ .prefix = "192.168.0.0/16", .verdict = RIB_REJECT_PROTECTED },
	{ .prefix = "192.168.7.0/24", .verdict = RIB_REJECT_PROTECTED },
	{ .prefix = "192.168.7.0/24", .overlap_allow = true, .verdict = RIB_ACCEPTED },
	{ .prefix = "192.168.0.0/15", .verdict = RIB_ACCEPTED },
	{ .prefix = "203.0.113.0/24", .verdict = RIB_REJECT_OUTER_PEER },
	{ .prefix = "203.0.113.7/32", .verdict = RIB_REJECT_OUTER_PEER },
	{ .prefix = "203.0.113.8/32", .verdict = RIB_ACCEPTED },
	{ .prefix = "203.0.113.0/24", .pinned = 25, .verdict = RIB_ACCEPTED },
	{ .prefix = "203.0.113.0/24", .pinned = 24, .verdict = RIB_REJECT_OUTER_PEER },
	{ .prefix = "203.0.113.4/30", .pinned = 24, .verdict = RIB_REJECT_OUTER_PEER },
	{ .prefix = "203.0.113.7/32", .pinned = 32, .verdict = RIB_REJECT_OUTER_PEER },
};

static void test_verdicts(void **state)
{
	struct prefix protected = prefix("192.168.0.0/16");
	struct addr outer = addr("203.0.113.7");

	for (size_t i = 0; i < N(verdict_cases); i++) {
		struct rib_policy policy = {
			.local_as = LOCAL_AS,
			.transit = verdict_cases[i].transit,
			.overlap_allow = verdict_cases[i].overlap_allow,
			.reserved_ranges = verdict_cases[i].reserved_ranges,
			.protected = &protected, .n_protected = 1,
			.outer_peers = &outer, .n_outer_peers = 1,
			.outer_pinned = &verdict_cases[i].pinned,
		};
		enum rib_verdict want = verdict_cases[i].verdict;
		struct rib *early = rib_with(&policy), *late = rib_new();
		struct rib_source *a = source_add(early, 1, 1, 65010);
		struct rib_source *b = source_add(late, 1, 1, 65010);
		struct rib_counters counters;

		announce(a, verdict_cases[i].prefix, &verdict_cases[i].say);
		assert_string_equal(rib_verdict_name(verdict_of(early, verdict_cases[i].prefix)),
				    rib_verdict_name(want));
		rib_counters(early, &counters);
		assert_int_equal(counters.verdicts[want], 1);
		assert_int_equal(counters.rejected_total[want], want != RIB_ACCEPTED);
		expect_hops(early, verdict_cases[i].prefix, want == RIB_ACCEPTED ? "1" : "");
		expect_dirty(early, want == RIB_ACCEPTED ? verdict_cases[i].prefix : NULL);
		/* The policy that comes later judges the same. */
		announce(b, verdict_cases[i].prefix, &verdict_cases[i].say);
		assert_int_equal(rib_set_policy(late, &policy), 0);
		assert_int_equal(verdict_of(late, verdict_cases[i].prefix), want);
		rib_free(early);
		rib_free(late);
	}
}

static void test_verdict_length_and_family(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source *source = source_add(rib, 1, 1, 65010);
	const struct attrs *attrs = attrs_of(rib_source_config(source), &(struct say){ 0 });
	struct prefix p = { .addr = { AF_INET, { 10 } }, .len = 33 }, key = { 0 };
	struct rib_path_info info;

	assert_int_equal(rib_announce(source, &p, attrs), 0);
	assert_int_equal(rib_paths(rib, &p, &info, 1), 1);
	assert_int_equal(info.verdict, RIB_REJECT_LENGTH);
	p = (struct prefix){ .addr = { AF_INET, { 10, 1 } }, .len = 8 };
	assert_int_equal(rib_announce(source, &p, attrs), 0);
	assert_int_equal(rib_paths(rib, &p, &info, 1), 1);
	assert_int_equal(info.verdict, RIB_REJECT_LENGTH);
	p.addr.family = AF_UNSPEC;
	assert_int_not_equal(rib_announce(source, &p, attrs), 0);
	attrs_put(attrs);
	assert_true(rib_next(rib, &key) && rib_next(rib, &key) && !rib_next(rib, &key));
	rib_free(rib);
}

static void test_verdict_site_as(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source_config config = {
		.tunnel = 1, .site = 1, .site_as = 65010, .peer = addr("169.254.10.6"),
	};
	struct rib_source *source = rib_source_add(rib, &config);
	size_t accepted, rejected;

	announce(source, "10.1.0.0/16", &(struct say){ .path = { 65010 } });
	announce(source, "10.2.0.0/16", &(struct say){ .path = { 65011 } });
	assert_int_equal(verdict_of(rib, "10.1.0.0/16"), RIB_ACCEPTED);
	assert_int_equal(verdict_of(rib, "10.2.0.0/16"), RIB_REJECT_SITE_AS);
	rib_source_counters(source, &accepted, &rejected);
	assert_int_equal(accepted, 1);
	assert_int_equal(rejected, 1);
	rib_free(rib);
}

static const struct {
	const char *prefix;
	struct say say;
	bool marked;
	enum rib_verdict verdict;
} transit_cases[] = {
	{ .prefix = "10.20.0.0/16", .verdict = RIB_ACCEPTED },
	{ .prefix = "10.20.0.0/16", .say = { .hop = "10.0.0.77" }, .verdict = RIB_ACCEPTED },
	{ .prefix = "10.20.0.0/16", .say = { .hop = "10.0.1.77" }, .verdict = RIB_REJECT_NEXT_HOP },
	{ .prefix = "10.20.0.0/16", .say = { .hop = "10.0.0.2" }, .verdict = RIB_REJECT_NEXT_HOP },
	/* Connected, but on another network than the one of our address there. */
	{ .prefix = "10.20.0.0/16", .say = { .hop = "192.168.0.9" },
	  .verdict = RIB_REJECT_NEXT_HOP },
	{ .prefix = "2001:db8::/32", .say = { .hop = "fe80::1" }, .verdict = RIB_REJECT_NEXT_HOP },
	{ .prefix = "10.20.0.0/16", .say = { .path = { 64999, 65010 } },
	  .verdict = RIB_REJECT_SITE_ROUTE },
	{ .prefix = "10.20.0.0/16", .say = { .path = { 65012 } },
	  .verdict = RIB_REJECT_SITE_ROUTE },
	{ .prefix = "10.20.0.0/16", .say = { .path = { 65011 } }, .verdict = RIB_ACCEPTED },
	{ .prefix = "10.20.0.0/16", .say = { .path = { 64999, LOCAL_AS } },
	  .verdict = RIB_REJECT_OWN_AS },
	{ .prefix = "10.20.0.0/16", .marked = true, .verdict = RIB_REJECT_SITE_ROUTE },
	{ .prefix = "172.16.0.0/16", .verdict = RIB_REJECT_OVERLAP },
	{ .prefix = "172.16.9.0/24", .verdict = RIB_REJECT_OVERLAP },
	{ .prefix = "172.0.0.0/8", .verdict = RIB_REJECT_OVERLAP },
	{ .prefix = "172.17.0.0/16", .verdict = RIB_ACCEPTED },
	{ .prefix = "0.0.0.0/0", .verdict = RIB_REJECT_DEFAULT },
	{ .prefix = "127.0.0.0/8", .verdict = RIB_REJECT_NEVER },
};

static const struct attrs *transit_attrs_of(const struct rib_source_config *config, size_t i)
{
	static const struct large_community mark = { LOCAL_AS, RIB_SITE_MARK, 65010 };
	const struct attrs *plain = attrs_of(config, &transit_cases[i].say), *marked;
	struct attrs draft = *plain;

	if (!transit_cases[i].marked)
		return plain;
	draft.large_communities = &mark;
	draft.n_large_communities = 1;
	marked = attrs_intern(&draft);
	attrs_put(plain);
	return marked;
}

static struct rib *transit_rib(const struct rib_policy *policy, size_t i)
{
	struct rib *rib = rib_with(policy);
	struct rib_source_config config = {
		.peer = addr("10.0.0.1"), .local = addr("10.0.0.2"), .transit = true,
	};
	struct rib_source *source = rib_source_add(rib, &config);
	const struct attrs *attrs = transit_attrs_of(&config, i);
	struct prefix p = prefix(transit_cases[i].prefix);

	assert_int_equal(rib_announce(source, &p, attrs), 0);
	attrs_put(attrs);
	return rib;
}

/* The table takes another policy over, and says what a new one with that policy would. */
static void expect_as_new(struct rib *rib, const struct rib_policy *policy, size_t i)
{
	struct rib *fresh = transit_rib(policy, i);

	assert_int_equal(rib_set_policy(rib, policy), 0);
	assert_string_equal(rib_verdict_name(verdict_of(rib, transit_cases[i].prefix)),
			    rib_verdict_name(verdict_of(fresh, transit_cases[i].prefix)));
	rib_free(fresh);
}

/* What a transit peer may tell; and a policy that comes later, or goes, judges the same. */
static void test_verdict_transit(void **state)
{
	static const uint32_t site_ases[] = { 65012, 65010 };
	const struct prefix connected[] = { prefix("10.0.0.0/24"), prefix("192.168.0.0/16") };
	const struct prefix apart = prefix("172.16.0.0/16");
	const struct rib_policy none = { .local_as = LOCAL_AS }, policy = {
		.local_as = LOCAL_AS,
		.connected = connected, .n_connected = N(connected),
		.site_ases = site_ases, .n_site_ases = N(site_ases),
		.apart = &apart, .n_apart = 1,
	};

	for (size_t i = 0; i < N(transit_cases); i++) {
		struct rib *rib = transit_rib(&policy, i);

		assert_string_equal(rib_verdict_name(verdict_of(rib, transit_cases[i].prefix)),
				    rib_verdict_name(transit_cases[i].verdict));
		expect_as_new(rib, &none, i);
		/* Each part of it alone matters. */
		for (unsigned int part = 0; part < 3; part++) {
			struct rib_policy less = policy;

			less.n_connected = part == 0 ? 0 : less.n_connected;
			less.n_site_ases = part == 1 ? 0 : less.n_site_ases;
			less.n_apart = part == 2 ? 0 : less.n_apart;
			expect_as_new(rib, &policy, i);
			expect_as_new(rib, &less, i);
		}
		rib_free(rib);
	}
}

static void test_names(void **state)
{
	for (int i = 0; i < RIB_N_VERDICTS; i++) {
		assert_non_null(rib_verdict_name((enum rib_verdict)i));
		assert_non_null(rib_verdict_reason((enum rib_verdict)i));
	}
	for (int i = 0; i < RIB_N_STEPS; i++)
		assert_non_null(rib_step_name((enum rib_step)i));
	assert_string_equal(rib_verdict_name(RIB_N_VERDICTS), "unknown");
	assert_string_equal(rib_verdict_name(RIB_REJECT_DEFAULT), "default-refused");
}

/* Rule 40: one counter per refused announcement, the rest of the session goes on. */
static void test_refused_counter(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source *source = source_add(rib, 1, 1, 65010);
	struct rib_counters counters;

	for (int i = 0; i < 2; i++) {
		announce(source, "0.0.0.0/0", &(struct say){ 0 });
		announce(source, "10.0.0.0/8", &(struct say){ 0 });
	}
	rib_counters(rib, &counters);
	assert_int_equal(counters.rejected_total[RIB_REJECT_DEFAULT], 2);
	assert_int_equal(counters.verdicts[RIB_REJECT_DEFAULT], 1);
	assert_int_equal(counters.installed, 1);
	assert_int_equal(counters.paths, 2);
	assert_int_equal(counters.prefixes, 2);
	rib_free(rib);
}

/* Decision */

static void test_steps(void **state)
{
	static const struct {
		struct say winner, loser;
		enum rib_step step;
	} cases[] = {
		{ { .local_pref = 200, .path = { 65010, 1, 2 } }, { 0 }, RIB_STEP_LOCAL_PREF },
		{ { 0 }, { .local_pref = 99 }, RIB_STEP_LOCAL_PREF },
		{ { .origin = 2 }, { .path = { 65010, 1 } }, RIB_STEP_AS_PATH },
		{ { .med = 5 }, { .origin = 1 }, RIB_STEP_ORIGIN },
		{ { .med = 5 }, { .med = 6 }, RIB_STEP_MED },
		{ { 0 }, { .med = 1 }, RIB_STEP_MED },
	};
	struct rib_policy policy = { .local_as = LOCAL_AS };

	for (size_t i = 0; i < N(cases); i++) {
		struct rib *rib = rib_with(&policy);
		/* The loser would win every later step. */
		struct rib_source *loser = source_add(rib, 1, 1, 65010);
		struct rib_source *winner = source_add(rib, 2, 1, 65010);

		announce(winner, "10.0.0.0/8", &cases[i].winner);
		announce(loser, "10.0.0.0/8", &cases[i].loser);
		expect_hops(rib, "10.0.0.0/8", "2");
		expect_step(rib, "10.0.0.0/8", 2, RIB_STEP_BEST);
		expect_step(rib, "10.0.0.0/8", 1, cases[i].step);
		rib_free(rib);
	}
}

static void test_multipath_and_cap(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source *s[6];

	for (uint32_t i = 6; i--;) {
		s[i] = source_add(rib, i + 1, 1, 65010);
		announce(s[i], "10.0.0.0/8", &(struct say){ 0 });
	}
	expect_hops(rib, "10.0.0.0/8", "123456");
	expect_step(rib, "10.0.0.0/8", 1, RIB_STEP_BEST);
	expect_step(rib, "10.0.0.0/8", 6, RIB_STEP_MULTIPATH);
	drain(rib);
	policy.multipath_max = 4;
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	expect_dirty(rib, "10.0.0.0/8");
	expect_hops(rib, "10.0.0.0/8", "1234");
	expect_step(rib, "10.0.0.0/8", 5, RIB_STEP_PEER_ADDRESS);
	/* The best has the lowest router-id of those that are used. */
	rib_source_set_router_id(s[2], 1);
	rib_source_set_router_id(s[5], 0);
	expect_hops(rib, "10.0.0.0/8", "1234");
	expect_step(rib, "10.0.0.0/8", 3, RIB_STEP_BEST);
	expect_step(rib, "10.0.0.0/8", 6, RIB_STEP_PEER_ADDRESS);
	withdraw(s[0], "10.0.0.0/8");
	expect_hops(rib, "10.0.0.0/8", "2345");
	rib_free(rib);
}

/* A line's paths stand beside the decision, and within the rules and the quota. */
static void test_line(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS, .quota = 2 };
	struct rib *rib = rib_with(&policy);
	struct rib_source_config config = *rib_source_config(source_add(rib, 1, 1, 65010));
	struct prefix p = prefix("10.0.0.0/8"), other = prefix("10.1.0.0/16");
	struct rib_source *tunnel = source_add(rib, 2, 1, 65010), *line;
	struct rib_counters counters;

	config.line = true;
	line = rib_source_add(rib, &config);
	announce(line, "10.0.0.0/8", &(struct say){ .local_pref = 900 });
	assert_true(rib_source_has(line, &p));
	assert_false(rib_source_has(line, &other));
	assert_false(rib_source_has(tunnel, &p));
	expect_hops(rib, "10.0.0.0/8", "");
	expect_step(rib, "10.0.0.0/8", 1, RIB_STEP_LINE);
	announce(tunnel, "10.0.0.0/8", &(struct say){ 0 });
	expect_hops(rib, "10.0.0.0/8", "2");
	expect_step(rib, "10.0.0.0/8", 2, RIB_STEP_BEST);
	drain(rib);
	rib_source_touch(line);
	expect_dirty(rib, "10.0.0.0/8");
	/* Known both ways it counts once; what is refused is refused over the line too. */
	announce(tunnel, "10.1.0.0/16", &(struct say){ 0 });
	announce(line, "10.2.0.0/16", &(struct say){ 0 });
	announce(line, "127.0.0.0/8", &(struct say){ 0 });
	p = prefix("10.2.0.0/16");
	assert_false(rib_source_has(line, &p));
	p = prefix("127.0.0.0/8");
	assert_false(rib_source_has(line, &p));
	rib_counters(rib, &counters);
	assert_int_equal(counters.installed, 2);
	assert_int_equal(counters.refused_quota, 1);
	withdraw(tunnel, "10.1.0.0/16");
	p = prefix("10.2.0.0/16");
	assert_true(rib_source_has(line, &p));
	/* Losing the line takes nothing from the tunnel. */
	drain(rib);
	rib_source_flush(line);
	expect_hops(rib, "10.0.0.0/8", "2");
	rib_free(rib);
}

static void test_sites_do_not_share(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a1 = source_add(rib, 1, 1, 65010), *a2 = source_add(rib, 2, 1, 65010);
	struct rib_source *b3 = source_add(rib, 3, 2, 65020), *b4 = source_add(rib, 4, 2, 65020);

	announce(b3, "10.0.0.0/8", &(struct say){ 0 });
	announce(b4, "10.0.0.0/8", &(struct say){ 0 });
	announce(a1, "10.0.0.0/8", &(struct say){ 0 });
	announce(a2, "10.0.0.0/8", &(struct say){ 0 });
	expect_hops(rib, "10.0.0.0/8", "12");
	expect_step(rib, "10.0.0.0/8", 3, RIB_STEP_ROUTER_ID);
	expect_step(rib, "10.0.0.0/8", 4, RIB_STEP_SITE);
	drain(rib);
	rib_source_set_router_id(b4, 1);
	expect_dirty(rib, "10.0.0.0/8");
	expect_dirty(rib, NULL);
	expect_hops(rib, "10.0.0.0/8", "34");
	expect_step(rib, "10.0.0.0/8", 1, RIB_STEP_ROUTER_ID);
	/* Equal router-ids: the peer's address. */
	rib_source_set_router_id(a2, 1);
	expect_hops(rib, "10.0.0.0/8", "12");
	expect_step(rib, "10.0.0.0/8", 4, RIB_STEP_PEER_ADDRESS);
	rib_free(rib);
}

/* The well-known trap: comparing pairwise, the order of arrival would decide. */
static void test_med_order(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	static const struct say says[] = { { .med = 10, .path = { 65010 } },
					   { .med = 0, .path = { 65020 } },
					   { .med = 5, .path = { 65010 } } };
	static const uint32_t ids[] = { 1, 2, 3 }, asns[] = { 65010, 65020, 65010 };
	struct rib_policy policy = { .local_as = LOCAL_AS };

	for (size_t i = 0; i < N(orders); i++) {
		struct rib *rib = rib_with(&policy);
		struct rib_source *s[3];

		for (uint32_t j = 0; j < 3; j++) {
			s[j] = source_add(rib, j + 1, j + 1, asns[j]);
			rib_source_set_router_id(s[j], ids[j]);
		}
		for (size_t j = 0; j < 3; j++)
			announce(s[orders[i][j]], "10.0.0.0/8", &says[orders[i][j]]);
		/* 1 loses to 3 by MED, then 2 has the lower router-id of the rest. */
		expect_hops(rib, "10.0.0.0/8", "2");
		expect_step(rib, "10.0.0.0/8", 1, RIB_STEP_MED);
		expect_step(rib, "10.0.0.0/8", 3, RIB_STEP_ROUTER_ID);
		rib_free(rib);
	}
}

static void test_weights_and_one_tunnel_twice(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source_config config = {
		.tunnel = 9, .peer = addr("169.254.10.2"), .weight = 7,
	};
	struct rib_source *a = rib_source_add(rib, &config), *b, *c;
	struct rib_decision decision;
	struct prefix p = prefix("10.0.0.0/8");

	config.weight = 3;
	config.peer = addr("169.254.10.6");
	b = rib_source_add(rib, &config);
	config.weight = 0;
	config.tunnel = 4;
	c = rib_source_add(rib, &config);
	announce(a, "10.0.0.0/8", &(struct say){ .path = { 65010 } });
	announce(b, "10.0.0.0/8", &(struct say){ .path = { 65010 } });
	announce(c, "10.0.0.0/8", &(struct say){ .path = { 65010 } });
	rib_decide(rib, &p, &decision);
	assert_int_equal(decision.n_next_hops, 2);
	assert_int_equal(decision.next_hops[0].tunnel, 4);
	assert_int_equal(decision.next_hops[0].weight, 1);
	assert_int_equal(decision.next_hops[1].tunnel, 9);
	assert_int_equal(decision.next_hops[1].weight, 7);
	drain(rib);
	rib_source_set_weight(a, 5);
	expect_dirty(rib, "10.0.0.0/8");
	rib_source_set_weight(a, 5);
	expect_dirty(rib, NULL);
	rib_decide(rib, &p, &decision);
	assert_int_equal(decision.next_hops[1].weight, 5);
	rib_free(rib);
}

/* A drained tunnel loses, stands by for its site, and is used where it is the only one. */
static void test_drained(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);
	struct rib_source *c = source_add(rib, 3, 2, 65020);
	struct rib_decision decision;
	struct prefix p = prefix("10.0.0.0/8");

	announce(a, "10.0.0.0/8", &(struct say){ .path = { 65010 } });
	announce(b, "10.0.0.0/8", &(struct say){ .path = { 65010, 1, 2 } });
	announce(a, "10.64.0.0/10", &(struct say){ .path = { 65010 } });
	drain(rib);
	rib_source_set_drained(a, true);
	expect_dirty(rib, "10.0.0.0/8");
	expect_dirty(rib, "10.64.0.0/10");
	rib_source_set_drained(a, true);
	expect_dirty(rib, NULL);
	expect_step(rib, "10.0.0.0/8", 1, RIB_STEP_DRAINED);
	expect_step(rib, "10.0.0.0/8", 2, RIB_STEP_BEST);
	expect_hops(rib, "10.0.0.0/8", "12");
	rib_decide(rib, &p, &decision);
	assert_int_equal(decision.next_hops[0].weight, 0);
	assert_int_equal(decision.next_hops[1].weight, 1);
	expect_hops(rib, "10.64.0.0/10", "1");
	expect_step(rib, "10.64.0.0/10", 1, RIB_STEP_BEST);
	/* It does not stand by for another site. */
	withdraw(b, "10.0.0.0/8");
	announce(c, "10.0.0.0/8", &(struct say){ .path = { 65020 } });
	expect_hops(rib, "10.0.0.0/8", "3");
	/* All drained is as none drained. */
	rib_source_set_drained(c, true);
	announce(b, "10.0.0.0/8", &(struct say){ .path = { 65010 } });
	rib_source_set_drained(b, true);
	expect_hops(rib, "10.0.0.0/8", "12");
	rib_decide(rib, &p, &decision);
	assert_int_equal(decision.next_hops[0].weight, 1);
	rib_source_set_drained(a, false);
	rib_source_remove(b);
	rib_source_remove(c);
	expect_step(rib, "10.0.0.0/8", 1, RIB_STEP_BEST);
	rib_free(rib);
}

/* Changes */

static void test_dirty_once(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);
	struct prefix key = { 0 };

	announce(a, "10.1.0.0/16", &(struct say){ 0 });
	announce(a, "10.0.0.0/16", &(struct say){ 0 });
	announce(b, "10.1.0.0/16", &(struct say){ 0 });
	announce(a, "10.1.0.0/16", &(struct say){ .med = 4 });
	expect_dirty(rib, "10.1.0.0/16");
	expect_dirty(rib, "10.0.0.0/16");
	expect_dirty(rib, NULL);
	/* The same again is no change, as a refresh would send it. */
	announce(a, "10.1.0.0/16", &(struct say){ .med = 4 });
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	rib_source_set_router_id(a, 101);
	expect_dirty(rib, NULL);
	/* A refused path that comes or goes changes nothing. */
	announce(b, "127.1.0.0/16", &(struct say){ 0 });
	withdraw(b, "127.1.0.0/16");
	expect_dirty(rib, NULL);
	/* Gone before it was seen: the owner still hears of it, once. */
	rib_source_flush(a);
	announce(b, "10.9.0.0/16", &(struct say){ 0 });
	withdraw(b, "10.9.0.0/16");
	rib_source_remove(b);
	assert_false(rib_next(rib, &key));
	for (int i = 0; i < 3; i++)
		assert_true(rib_dirty_next(rib, &key));
	expect_dirty(rib, NULL);
	rib_free(rib);
}

static void test_stale(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);

	announce(a, "10.1.0.0/16", &(struct say){ 0 });
	announce(a, "10.2.0.0/16", &(struct say){ 0 });
	announce(a, "2001:db8::/32", &(struct say){ .hop = "fe80::1" });
	announce(b, "10.1.0.0/16", &(struct say){ 0 });
	drain(rib);
	rib_source_mark_stale(a);
	/* No flow moves while the peer restarts. */
	expect_dirty(rib, NULL);
	expect_hops(rib, "10.1.0.0/16", "12");
	announce(a, "10.1.0.0/16", &(struct say){ 0 });
	rib_source_sweep_stale(a, AF_INET);
	expect_dirty(rib, "10.2.0.0/16");
	expect_dirty(rib, NULL);
	expect_hops(rib, "10.1.0.0/16", "12");
	expect_hops(rib, "2001:db8::/32", "1");
	/* Still stale when the next restart comes: no second credit. */
	rib_source_mark_stale(a);
	expect_dirty(rib, "2001:db8::/32");
	expect_hops(rib, "10.1.0.0/16", "12");
	rib_source_sweep_stale(a, AF_INET6);
	expect_hops(rib, "10.1.0.0/16", "12");
	rib_source_sweep_stale(a, AF_INET);
	expect_hops(rib, "10.1.0.0/16", "2");
	rib_free(rib);
}

static void test_policy_touches_what_it_can(void **state)
{
	struct prefix protected[2] = { prefix("10.1.0.0/16"), prefix("172.16.0.0/12") };
	struct addr outer = addr("198.51.100.9");
	struct rib_policy policy = { .local_as = LOCAL_AS, .protected = protected };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a = source_add(rib, 1, 1, 65010);

	announce(a, "10.1.2.0/24", &(struct say){ 0 });
	announce(a, "10.1.0.0/16", &(struct say){ 0 });
	announce(a, "10.0.0.0/8", &(struct say){ 0 });
	announce(a, "198.51.100.0/24", &(struct say){ 0 });
	drain(rib);
	policy.n_protected = 1;
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	expect_dirty(rib, "10.1.0.0/16");
	expect_dirty(rib, "10.1.2.0/24");
	expect_dirty(rib, NULL);
	policy.n_protected = 2;
	policy.n_outer_peers = 1;
	policy.outer_peers = &outer;
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	expect_dirty(rib, "198.51.100.0/24");
	expect_dirty(rib, NULL);
	policy.n_protected = policy.n_outer_peers = 0;
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	for (int i = 0; i < 3; i++)
		assert_true(rib_dirty_next(rib, &(struct prefix){ 0 }));
	expect_dirty(rib, NULL);
	rib_free(rib);
}

static void test_paths_order_and_limit(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS };
	struct rib *rib = rib_with(&policy);
	struct prefix p = prefix("10.0.0.0/8");
	struct rib_path_info info[4];
	struct rib_source *s[4];

	for (uint32_t i = 0; i < 4; i++)
		s[i] = source_add(rib, i + 1, 1, 65010);
	rib_set_time(rib, 1234);
	announce(s[0], "10.0.0.0/8", &(struct say){ .path = { 65010, LOCAL_AS } });
	announce(s[1], "10.0.0.0/8", &(struct say){ .origin = 1 });
	announce(s[2], "10.0.0.0/8", &(struct say){ 0 });
	announce(s[3], "10.0.0.0/8", &(struct say){ 0 });
	assert_int_equal(rib_paths(rib, &p, info, 2), 4);
	assert_int_equal(rib_paths(rib, &p, info, 4), 4);
	assert_ptr_equal(info[0].source, s[2]);
	assert_ptr_equal(info[1].source, s[3]);
	assert_ptr_equal(info[2].source, s[1]);
	assert_ptr_equal(info[3].source, s[0]);
	assert_int_equal(info[3].step, RIB_STEP_REJECTED);
	assert_int_equal(info[0].since, 1234);
	p = prefix("10.0.0.0/9");
	assert_int_equal(rib_paths(rib, &p, info, 4), 0);
	rib_free(rib);
}

/* Quota */

static void announce_nth(struct rib_source *source, unsigned int n)
{
	char text[32];

	snprintf(text, sizeof(text), "10.%u.0.0/16", n);
	announce(source, text, &(struct say){ 0 });
}

/* Rule 34, word by word. */
static void test_quota_rule(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS, .quota = 50 };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);

	for (unsigned int i = 0; i < 51; i++)
		announce_nth(a, i);
	assert_int_equal(counters_of(rib).installed, 50);
	assert_int_equal(counters_of(rib).refused_quota, 1);
	assert_int_equal(verdict_of(rib, "10.50.0.0/16"), RIB_REJECT_QUOTA);
	assert_string_equal(rib_verdict_name(RIB_REJECT_QUOTA), "quota");
	expect_hops(rib, "10.50.0.0/16", "");
	for (unsigned int i = 0; i < 50; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.%u.0.0/16", i);
		expect_hops(rib, text, "1");
		/* A second path costs nothing. */
		announce(b, text, &(struct say){ 0 });
		expect_hops(rib, text, "12");
	}
	announce_nth(b, 50);
	expect_hops(rib, "10.50.0.0/16", "");
	drain(rib);
	/* One of two paths: no room yet. */
	withdraw(a, "10.7.0.0/16");
	expect_hops(rib, "10.50.0.0/16", "");
	withdraw(b, "10.7.0.0/16");
	expect_hops(rib, "10.50.0.0/16", "12");
	expect_dirty(rib, "10.7.0.0/16");
	expect_dirty(rib, "10.50.0.0/16");
	expect_dirty(rib, NULL);
	assert_int_equal(counters_of(rib).installed, 50);
	/* The quota is raised: it enters with no new announcement. */
	announce_nth(a, 60);
	expect_hops(rib, "10.60.0.0/16", "");
	policy.quota = 51;
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	expect_hops(rib, "10.60.0.0/16", "1");
	expect_dirty(rib, "10.60.0.0/16");
	expect_dirty(rib, NULL);
	/* Lowered: what is in stays, nothing new enters. */
	policy.quota = 10;
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	expect_dirty(rib, NULL);
	assert_int_equal(counters_of(rib).installed, 51);
	announce_nth(a, 61);
	withdraw(a, "10.60.0.0/16");
	assert_int_equal(counters_of(rib).installed, 50);
	assert_int_equal(verdict_of(rib, "10.61.0.0/16"), RIB_REJECT_QUOTA);
	policy.quota = 0;
	assert_int_equal(rib_set_policy(rib, &policy), 0);
	assert_int_equal(verdict_of(rib, "10.61.0.0/16"), RIB_ACCEPTED);
	assert_int_equal(counters_of(rib).refused_quota, 0);
	rib_free(rib);
}

static void test_quota_order(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS, .quota = 1 };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);

	rib_set_time(rib, 10);
	announce_nth(a, 100);
	announce_nth(a, 9);
	announce_nth(b, 8);
	rib_set_time(rib, 20);
	announce_nth(b, 1);
	/* The clock goes back. */
	rib_set_time(rib, 5);
	announce_nth(b, 7);
	/* Refused by the rules: does not wait. */
	announce(b, "127.0.0.0/9", &(struct say){ 0 });
	assert_int_equal(counters_of(rib).refused_quota, 4);
	withdraw(a, "10.100.0.0/16");
	expect_hops(rib, "10.7.0.0/16", "2");
	withdraw(b, "10.7.0.0/16");
	expect_hops(rib, "10.8.0.0/16", "2");
	rib_free(rib);
}

/* Losing a peer is one step: its own waiting prefixes are not let in on the way out. */
static void test_quota_flush(void **state)
{
	struct rib_policy policy = { .local_as = LOCAL_AS, .quota = 1 };
	struct rib *rib = rib_with(&policy);
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);

	announce_nth(a, 100);
	/* The clock goes back: what came last is let in first, and goes first. */
	rib_set_time(rib, 20);
	announce_nth(b, 5);
	rib_set_time(rib, 10);
	announce_nth(b, 3);
	rib_set_time(rib, 30);
	announce_nth(a, 9);
	withdraw(a, "10.100.0.0/16");
	expect_hops(rib, "10.3.0.0/16", "2");
	drain(rib);
	rib_source_flush(b);
	expect_dirty(rib, "10.3.0.0/16");
	expect_dirty(rib, "10.9.0.0/16");
	expect_dirty(rib, NULL);
	expect_hops(rib, "10.9.0.0/16", "1");
	assert_int_equal(counters_of(rib).refused_quota, 0);
	rib_free(rib);
}

/* A new policy that swaps which path of a prefix is good must not cost the prefix its place. */
static void test_quota_keeps_place(void **state)
{
	struct rib_policy policy = { .local_as = 1, .quota = 1 };

	for (int first = 0; first < 2; first++) {
		struct rib *rib = rib_with(&policy);
		struct rib_source *s[2] = { source_add(rib, 1, 1, 65010),
					    source_add(rib, 2, 1, 65010) };

		announce(s[first], "10.1.0.0/16", &(struct say){ .path = { 65010, 1 + first } });
		announce(s[!first], "10.1.0.0/16", &(struct say){ .path = { 65010, 1 + !first } });
		announce(s[0], "10.0.0.0/16", &(struct say){ .path = { 65010, 3 } });
		policy.local_as = 2;
		assert_int_equal(rib_set_policy(rib, &policy), 0);
		expect_hops(rib, "10.1.0.0/16", "1");
		expect_hops(rib, "10.0.0.0/16", "");
		policy.local_as = 1;
		assert_int_equal(rib_set_policy(rib, &policy), 0);
		expect_hops(rib, "10.1.0.0/16", "2");
		rib_free(rib);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_verdicts, no_attrs_left),
		cmocka_unit_test_teardown(test_verdict_length_and_family, no_attrs_left),
		cmocka_unit_test_teardown(test_verdict_site_as, no_attrs_left),
		cmocka_unit_test_teardown(test_verdict_transit, no_attrs_left),
		cmocka_unit_test(test_names),
		cmocka_unit_test_teardown(test_refused_counter, no_attrs_left),
		cmocka_unit_test_teardown(test_steps, no_attrs_left),
		cmocka_unit_test_teardown(test_multipath_and_cap, no_attrs_left),
		cmocka_unit_test_teardown(test_line, no_attrs_left),
		cmocka_unit_test_teardown(test_sites_do_not_share, no_attrs_left),
		cmocka_unit_test_teardown(test_med_order, no_attrs_left),
		cmocka_unit_test_teardown(test_weights_and_one_tunnel_twice, no_attrs_left),
		cmocka_unit_test_teardown(test_drained, no_attrs_left),
		cmocka_unit_test_teardown(test_dirty_once, no_attrs_left),
		cmocka_unit_test_teardown(test_stale, no_attrs_left),
		cmocka_unit_test_teardown(test_policy_touches_what_it_can, no_attrs_left),
		cmocka_unit_test_teardown(test_paths_order_and_limit, no_attrs_left),
		cmocka_unit_test_teardown(test_quota_rule, no_attrs_left),
		cmocka_unit_test_teardown(test_quota_order, no_attrs_left),
		cmocka_unit_test_teardown(test_quota_flush, no_attrs_left),
		cmocka_unit_test_teardown(test_quota_keeps_place, no_attrs_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
