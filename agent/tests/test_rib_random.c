// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RIB under random histories. Three judges: an oracle that computes every
 * decision and the quota's line anew from plain facts, a table that hears only
 * the final facts, and an owner that looks at nothing but dirty prefixes. Once with all work
 * done in the call that asks for it, and once in the smallest steps between other events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rib.h"
#include "core/rules.h"
#include "tests/rib_input.h"

#define SOURCES 6
#define PREFIXES 20

struct facts {
	const struct attrs *attrs[SOURCES][PREFIXES]; /* NULL: no path */
	const struct attrs *last[SOURCES][PREFIXES]; /* told last, also if it is gone */
	bool stale[SOURCES][PREFIXES];
	uint32_t router_ids[SOURCES];
	unsigned int drained; /* mask of sources */
	struct rib_policy policy;
	/* the quota's own history */
	uint8_t state[PREFIXES]; /* 0 unwanted, 1 installed, 2 waiting */
	uint64_t waiting_since[PREFIXES];
};

static struct prefix pool[PREFIXES];
static struct prefix protected_pool[4];
static struct addr outer_pool[3];
static uint8_t outer_pinned[3];
static uint64_t random_state;

static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static const uint32_t source_sites[SOURCES] = { 1, 1, 1, 2, 2, 3 };
static const uint32_t source_asns[SOURCES] = { 65010, 65010, 65010, 65020, 65020, 65010 };

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static void pools_make(void)
{
	static const char *const texts[PREFIXES] = {
		"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "10.1.0.0/16", "10.1.2.0/24",
		"10.1.2.3/32", "10.200.0.0/16", "100.64.0.0/10", "100.0.0.0/8", "127.0.0.0/8",
		"172.16.0.0/12", "172.16.5.0/24", "198.51.100.0/24", "198.51.100.9/32",
		"203.0.113.0/24", "::/0", "2001:db8::/32", "2001:db8:1::/48", "fd00::/8",
		"fe80::/10",
	};

	for (size_t i = 0; i < PREFIXES; i++)
		pool[i] = prefix(texts[i]);
	/* The oracle's line of waiting prefixes goes by index. */
	qsort(pool, PREFIXES, sizeof(pool[0]), compare);
	protected_pool[0] = prefix("10.1.0.0/16");
	protected_pool[1] = prefix("172.16.5.0/24");
	protected_pool[2] = prefix("2001:db8::/32");
	protected_pool[3] = prefix("10.0.0.0/9");
	outer_pool[0] = addr("198.51.100.9");
	outer_pool[1] = addr("203.0.113.200");
	outer_pool[2] = addr("2001:db8:1::5");
}

static void policy_random(struct rib_policy *policy, bool quota)
{
	static const uint32_t quotas[] = { 0, 1, 3, 6, 9 }, caps[] = { 0, 1, 2, 3 };

	policy->local_as = random_next() % 8 ? LOCAL_AS : 3;
	policy->transit = random_next() % 2;
	policy->overlap_allow = random_next() % 4 == 0;
	policy->reserved_ranges = random_next() % 2;
	policy->quota = quota ? quotas[random_next() % N(quotas)] : 0;
	policy->multipath_max = caps[random_next() % N(caps)];
	policy->protected = protected_pool + random_next() % 2;
	policy->n_protected = random_next() % 4;
	policy->outer_peers = outer_pool;
	policy->n_outer_peers = random_next() % 4;
	for (size_t i = 0; i < 3; i++)
		outer_pinned[i] = random_next() % 2 ? random_next() % 33 : 0;
	policy->outer_pinned = outer_pinned;
}

static const struct attrs *attrs_random(const struct rib_source_config *config)
{
	struct say say = { .path = { config->peer_as, 1 } };

	if (random_next() % 3 == 0)
		say.path[1] = random_next() % 4;
	if (random_next() % 16 == 0)
		say.path[0] = 65099;
	say.med = random_next() % 3;
	say.origin = random_next() % 4 == 0;
	say.local_pref = random_next() % 4 ? 0 : 99 + random_next() % 3;
	if (random_next() % 16 == 0)
		say.hop = "169.254.99.1";
	return attrs_of(config, &say);
}

/* The oracle: rules as one condition over plain arrays. */
static bool naive_wanted(const struct facts *facts, const struct rib_source_config *config,
			 const struct prefix *p, const struct attrs *a)
{
	const struct rib_policy *policy = &facts->policy;

	if (prefix_is_default(p) && !policy->transit)
		return false;
	if (rules_never_accept(p) || (policy->reserved_ranges && rules_reserved_range(p)))
		return false;
	if (attrs_path_contains(a, policy->local_as) || a->neighbour_as != config->peer_as ||
	    !addr_equal(&a->next_hop, &config->peer))
		return false;
	for (size_t i = 0; i < policy->n_protected && !policy->overlap_allow; i++)
		if (prefix_covers(&policy->protected[i], p))
			return false;
	for (size_t i = 0; i < policy->n_outer_peers; i++)
		if (p->len >= policy->outer_pinned[i] &&
		    prefix_contains(p, &policy->outer_peers[i]))
			return false;
	return true;
}

/* Does y keep x out, by one of the steps up to the MED? Looks at pairs, in one expression. */
static bool naive_beats(const struct attrs *y, const struct attrs *x)
{
	uint32_t yp = y->has_local_pref ? y->local_pref : 100;
	uint32_t xp = x->has_local_pref ? x->local_pref : 100;

	if (yp != xp)
		return yp > xp;
	if (y->as_path_len != x->as_path_len)
		return y->as_path_len < x->as_path_len;
	if (y->origin != x->origin)
		return y->origin < x->origin;
	return y->neighbour_as == x->neighbour_as && y->med < x->med;
}

#define STANDBY_SHIFT 16

/* Bit mask of the sources that win; tunnels and peer addresses ascend with the index. Drained ones
 * that stand by are in the upper half. */
static unsigned int naive_decide(const struct facts *facts, const unsigned int all, size_t p)
{
	const unsigned int wanted = all & ~facts->drained ? all & ~facts->drained : all;
	unsigned int in = wanted, used = 0, n = 0;
	int best = -1;

	for (int x = 0; x < SOURCES; x++)
		for (int y = 0; y < SOURCES; y++)
			if ((wanted >> x & 1) && (wanted >> y & 1) &&
			    naive_beats(facts->attrs[y][p], facts->attrs[x][p]))
				in &= ~(1u << x);
	for (int x = 0; x < SOURCES; x++)
		if ((in >> x & 1) &&
		    (best < 0 || facts->router_ids[x] < facts->router_ids[best]))
			best = x;
	for (int x = 0; x < SOURCES; x++)
		if ((all & ~wanted) >> x & 1 && source_sites[x] == source_sites[best])
			used |= 1u << (x + STANDBY_SHIFT);
	for (int x = 0; x < SOURCES; x++) {
		if (!(in >> x & 1) || source_sites[x] != source_sites[best] ||
		    n == (facts->policy.multipath_max ? facts->policy.multipath_max : 16))
			continue;
		used |= 1u << x;
		n++;
	}
	return used;
}

static void naive_admit(struct facts *facts, const unsigned int *wanted, uint64_t now)
{
	for (size_t p = 0; p < PREFIXES; p++) {
		if (!wanted[p]) {
			facts->state[p] = 0;
		} else if (!facts->state[p]) {
			facts->state[p] = 2;
			facts->waiting_since[p] = now;
		}
	}
	for (;;) {
		size_t installed = 0;
		int next = -1;

		for (size_t p = 0; p < PREFIXES; p++) {
			installed += facts->state[p] == 1;
			if (facts->state[p] == 2 &&
			    (next < 0 || facts->waiting_since[p] < facts->waiting_since[next]))
				next = (int)p;
		}
		if (next < 0 || (facts->policy.quota && installed >= facts->policy.quota))
			return;
		facts->state[next] = 1;
	}
}

static void naive_wanted_all(const struct facts *facts, struct rib_source *const *sources,
			     unsigned int *wanted)
{
	for (size_t p = 0; p < PREFIXES; p++) {
		wanted[p] = 0;
		for (size_t s = 0; s < SOURCES; s++)
			if (facts->attrs[s][p] &&
			    naive_wanted(facts, rib_source_config(sources[s]), &pool[p],
					 facts->attrs[s][p]))
				wanted[p] |= 1u << s;
	}
}

static unsigned int decided(struct rib *rib, const struct prefix *p)
{
	struct rib_decision decision;
	unsigned int mask = 0;

	rib_decide(rib, p, &decision);
	for (size_t i = 0; i < decision.n_next_hops; i++) {
		mask |= 1u << (decision.next_hops[i].tunnel - 1 +
			       (decision.next_hops[i].weight ? 0 : STANDBY_SHIFT));
		assert_true(!i || decision.next_hops[i - 1].tunnel < decision.next_hops[i].tunnel);
	}
	return mask;
}

static void fact_set(struct facts *facts, size_t s, size_t p, const struct attrs *attrs)
{
	attrs_put(facts->attrs[s][p]);
	facts->attrs[s][p] = attrs;
	facts->stale[s][p] = false;
}

static void facts_drop(struct facts *facts, size_t s, uint8_t family, bool only_stale)
{
	for (size_t p = 0; p < PREFIXES; p++)
		if ((!family || pool[p].addr.family == family) &&
		    (!only_stale || facts->stale[s][p]))
			fact_set(facts, s, p, NULL);
}

static void facts_clear(struct facts *facts)
{
	for (size_t s = 0; s < SOURCES; s++) {
		facts_drop(facts, s, AF_UNSPEC, false);
		for (size_t p = 0; p < PREFIXES; p++)
			attrs_put(facts->last[s][p]);
	}
}

static void step_announce(struct facts *facts, struct rib_source **sources, size_t s)
{
	size_t p = random_next() % PREFIXES;
	const struct attrs *attrs = facts->last[s][p];

	/* The same again: a path that is there, or one that is gone and perhaps not yet swept. */
	if (attrs && random_next() % 3 == 0)
		attrs_get(attrs);
	else
		attrs = attrs_random(rib_source_config(sources[s]));
	attrs_put(facts->last[s][p]);
	facts->last[s][p] = attrs_get(attrs);
	assert_int_equal(rib_announce(sources[s], &pool[p], attrs), 0);
	fact_set(facts, s, p, attrs);
}

static void step_stale(struct facts *facts, struct rib_source **sources, size_t s)
{
	uint8_t family = random_next() % 2 ? AF_INET : AF_INET6;

	if (random_next() % 2) {
		rib_source_sweep_stale(sources[s], family);
		facts_drop(facts, s, family, true);
		return;
	}
	rib_source_mark_stale(sources[s]);
	facts_drop(facts, s, AF_UNSPEC, true);
	for (size_t p = 0; p < PREFIXES; p++)
		facts->stale[s][p] = facts->attrs[s][p];
}

static void step_source(struct rib *rib, struct facts *facts, struct rib_source **sources, size_t s)
{
	facts_drop(facts, s, AF_UNSPEC, false);
	if (random_next() % 2) {
		rib_source_flush(sources[s]);
		return;
	}
	rib_source_remove(sources[s]);
	sources[s] = source_add(rib, (uint32_t)s + 1, source_sites[s], source_asns[s]);
	facts->router_ids[s] = 101 + (uint32_t)s;
	facts->drained &= ~(1u << s);
}

static void step(struct rib *rib, struct facts *facts, struct rib_source **sources, bool quota)
{
	size_t s = random_next() % SOURCES, p = random_next() % PREFIXES;
	uint32_t what = random_next() % 100;

	if (what < 60) {
		step_announce(facts, sources, s);
	} else if (what < 85) {
		rib_withdraw(sources[s], &pool[p]);
		fact_set(facts, s, p, NULL);
	} else if (what < 90) {
		step_stale(facts, sources, s);
	} else if (what < 93) {
		step_source(rib, facts, sources, s);
	} else if (what < 95) {
		facts->drained ^= 1u << s;
		rib_source_set_drained(sources[s], facts->drained >> s & 1);
	} else if (what < 97) {
		facts->router_ids[s] = random_next() % 4;
		rib_source_set_router_id(sources[s], facts->router_ids[s]);
	} else {
		policy_random(&facts->policy, quota);
		assert_int_equal(rib_set_policy(rib, &facts->policy), 0);
	}
}

static void check_counters(struct rib *rib, const struct facts *facts, const unsigned int *wanted)
{
	struct rib_counters c = counters_of(rib);
	size_t paths = 0, prefixes = 0, installed = 0, waiting = 0, accepted = 0, all = 0;

	for (size_t p = 0; p < PREFIXES; p++) {
		size_t here = 0;

		for (size_t s = 0; s < SOURCES; s++)
			here += facts->attrs[s][p] != NULL;
		paths += here;
		prefixes += here > 0;
		installed += facts->state[p] == 1;
		waiting += facts->state[p] == 2;
		if (facts->state[p] == 1)
			accepted += (size_t)__builtin_popcount(wanted[p]);
	}
	for (size_t i = 0; i < RIB_N_VERDICTS; i++)
		all += c.verdicts[i];
	assert_int_equal(c.paths, paths);
	assert_int_equal(all, paths);
	assert_int_equal(c.prefixes, prefixes);
	assert_int_equal(c.installed, installed);
	assert_int_equal(c.refused_quota, waiting);
	assert_int_equal(c.verdicts[RIB_ACCEPTED], accepted);
}

static void check_sources(struct rib *rib, struct rib_source **sources)
{
	struct rib_counters c = counters_of(rib);
	size_t accepted = 0, rejected = 0;

	for (size_t s = 0; s < SOURCES; s++) {
		size_t a, r;

		rib_source_counters(sources[s], &a, &r);
		accepted += a;
		rejected += r;
	}
	assert_int_equal(accepted, c.verdicts[RIB_ACCEPTED]);
	assert_int_equal(accepted + rejected, c.paths);
}

/* A table that hears nothing but the final facts, in another order. */
static void check_fresh(struct rib *rib, const struct facts *facts)
{
	struct rib *fresh = rib_new();
	struct rib_source *sources[SOURCES];

	for (size_t s = SOURCES; s--;) {
		sources[s] = source_add(fresh, (uint32_t)s + 1, source_sites[s], source_asns[s]);
		for (size_t p = PREFIXES; p--;)
			if (facts->attrs[s][p])
				assert_int_equal(rib_announce(sources[s], &pool[p],
							      facts->attrs[s][p]), 0);
		rib_source_set_router_id(sources[s], facts->router_ids[s]);
		rib_source_set_drained(sources[s], facts->drained >> s & 1);
	}
	assert_int_equal(rib_set_policy(fresh, &facts->policy), 0);
	for (size_t p = 0; p < PREFIXES; p++) {
		struct rib_path_info a[SOURCES], b[SOURCES];
		size_t n = rib_paths(rib, &pool[p], a, SOURCES);

		assert_int_equal(decided(rib, &pool[p]), decided(fresh, &pool[p]));
		assert_int_equal(rib_paths(fresh, &pool[p], b, SOURCES), n);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(rib_source_config(a[i].source)->tunnel,
					 rib_source_config(b[i].source)->tunnel);
			assert_int_equal(a[i].verdict, b[i].verdict);
			assert_int_equal(a[i].step, b[i].step);
			assert_ptr_equal(a[i].attrs, b[i].attrs);
		}
	}
	rib_free(fresh);
}

/* What decisions say at once, whatever is still to be swept. */
static void check_at_once(struct rib *rib, const struct facts *facts, const unsigned int *wanted)
{
	for (size_t p = 0; p < PREFIXES; p++) {
		struct rib_path_info paths[SOURCES];
		size_t n = rib_paths(rib, &pool[p], paths, SOURCES), here = 0, stale = 0;

		assert_int_equal(decided(rib, &pool[p]), naive_decide(facts, wanted[p], p));
		for (size_t s = 0; s < SOURCES; s++) {
			here += facts->attrs[s][p] != NULL;
			stale += facts->attrs[s][p] && facts->stale[s][p];
		}
		assert_int_equal(n, here);
		for (size_t i = 0; i < n; i++)
			stale -= paths[i].stale;
		assert_int_equal(stale, 0);
	}
}

/* With a quota the line depends on when the dead are swept; what holds whenever that is: */
struct line {
	bool lost[PREFIXES]; /* was not wanted at some time since the last look */
	uint64_t wanted_at[PREFIXES]; /* 0: not since the last look */
	uint64_t looked;
};

static void line_watch(struct line *line, const unsigned int *wanted, uint64_t now)
{
	for (size_t p = 0; p < PREFIXES; p++) {
		line->lost[p] |= !wanted[p];
		if (!wanted[p])
			line->wanted_at[p] = 0;
		else if (!line->wanted_at[p])
			line->wanted_at[p] = now;
	}
}

static uint8_t state_of(struct rib *rib, const struct prefix *p)
{
	struct rib_path_info paths[SOURCES];
	size_t n = rib_paths(rib, p, paths, SOURCES);
	uint8_t state = 0;

	for (size_t i = 0; i < n; i++) {
		if (paths[i].verdict == RIB_ACCEPTED)
			state = 1;
		else if (paths[i].verdict == RIB_REJECT_QUOTA)
			state = 2;
	}
	return state;
}

/* Takes over the line, if it can be: it is full, nobody was thrown out, nobody overtook. */
static void line_check(struct rib *rib, struct line *line, struct facts *facts,
		       const unsigned int *wanted, uint64_t now)
{
	size_t installed = 0, waiting = 0;
	uint8_t state[PREFIXES];

	for (size_t p = 0; p < PREFIXES; p++) {
		state[p] = state_of(rib, &pool[p]);
		assert_int_equal(!state[p], !wanted[p]);
		installed += state[p] == 1;
		waiting += state[p] == 2;
		if (facts->state[p] == 1 && !line->lost[p])
			assert_int_equal(state[p], 1);
	}
	assert_true(!waiting || (facts->policy.quota && installed >= facts->policy.quota));
	for (size_t p = 0; p < PREFIXES; p++)
		for (size_t q = 0; q < PREFIXES; q++)
			if (state[p] == 2 && facts->state[p] == 2 && !line->lost[p] &&
			    state[q] == 1 && !facts->state[q])
				assert_true(line->wanted_at[q] <= line->looked);
	memcpy(facts->state, state, sizeof(state));
	memset(line->lost, 0, sizeof(line->lost));
	line->looked = now;
}

static void mirror_update(struct rib *rib, unsigned int *mirror, bool all)
{
	struct prefix key;

	while ((all || random_next() % 4) && rib_dirty_next(rib, &key))
		for (size_t p = 0; p < PREFIXES; p++)
			if (prefix_equal(&pool[p], &key))
				mirror[p] = decided(rib, &key);
}

/* Every call leaves nearly all of its work, and between two of them little of it is done. */
static void random_slices(unsigned int seed, bool quota)
{
	unsigned int wanted[PREFIXES], mirror[PREFIXES] = { 0 };
	struct rib_source *sources[SOURCES];
	struct facts facts = { 0 };
	struct line line = { 0 };
	struct rib *rib = rib_new();
	bool judged = true;

	random_state = seed;
	rib_set_step(rib, seed % 4);
	for (size_t s = 0; s < SOURCES; s++) {
		sources[s] = source_add(rib, (uint32_t)s + 1, source_sites[s], source_asns[s]);
		facts.router_ids[s] = 101 + (uint32_t)s;
	}
	policy_random(&facts.policy, quota);
	assert_int_equal(rib_set_policy(rib, &facts.policy), 0);
	for (uint64_t i = 1; i <= 3000; i++) {
		struct rib_policy before = facts.policy;

		rib_set_time(rib, i / 4);
		step(rib, &facts, sources, quota);
		judged &= !memcmp(&before, &facts.policy, sizeof(before));
		naive_wanted_all(&facts, sources, wanted);
		line_watch(&line, wanted, i / 4);
		if (judged && !quota)
			check_at_once(rib, &facts, wanted);
		for (uint32_t n = random_next() % 4; n; n--)
			judged |= !rib_work(rib);
		mirror_update(rib, mirror, false);
		if (random_next() % 16)
			continue;
		while (rib_work(rib))
			;
		judged = true;
		mirror_update(rib, mirror, true);
		line_check(rib, &line, &facts, wanted, i / 4);
		check_counters(rib, &facts, wanted);
		check_sources(rib, sources);
		for (size_t p = 0; p < PREFIXES; p++)
			assert_int_equal(mirror[p], facts.state[p] == 1 ?
						    naive_decide(&facts, wanted[p], p) : 0);
		if (!quota)
			check_fresh(rib, &facts);
	}
	facts_clear(&facts);
	rib_free(rib);
}

static void random_history(unsigned int seed, bool quota)
{
	unsigned int wanted[PREFIXES], mirror[PREFIXES] = { 0 };
	struct rib_source *sources[SOURCES];
	struct facts facts = { 0 };
	struct rib *rib = rib_new();

	random_state = seed;
	for (size_t s = 0; s < SOURCES; s++) {
		sources[s] = source_add(rib, (uint32_t)s + 1, source_sites[s], source_asns[s]);
		facts.router_ids[s] = 101 + (uint32_t)s;
	}
	policy_random(&facts.policy, quota);
	assert_int_equal(rib_set_policy(rib, &facts.policy), 0);
	for (uint64_t i = 1; i <= 3000; i++) {
		rib_set_time(rib, i / 4);
		step(rib, &facts, sources, quota);
		naive_wanted_all(&facts, sources, wanted);
		naive_admit(&facts, wanted, i / 4);
		check_counters(rib, &facts, wanted);
		check_sources(rib, sources);
		/* An owner that only looks at what is dirty, now and then. */
		mirror_update(rib, mirror, false);
		if (i % 16)
			continue;
		mirror_update(rib, mirror, true);
		for (size_t p = 0; p < PREFIXES; p++) {
			unsigned int want = facts.state[p] == 1 ?
						    naive_decide(&facts, wanted[p], p) : 0;

			assert_int_equal(mirror[p], want);
			assert_int_equal(decided(rib, &pool[p]), want);
		}
		if (!quota)
			check_fresh(rib, &facts);
	}
	facts_clear(&facts);
	rib_free(rib);
}

static void test_random(void **state)
{
	pools_make();
	for (unsigned int seed = 1; seed <= 10; seed++)
		random_history(seed, false);
}

static void test_random_quota(void **state)
{
	pools_make();
	for (unsigned int seed = 101; seed <= 115; seed++)
		random_history(seed, true);
}

static void test_random_slices(void **state)
{
	pools_make();
	for (unsigned int seed = 200; seed < 220; seed++)
		random_slices(seed, false);
}

static void test_random_slices_quota(void **state)
{
	pools_make();
	for (unsigned int seed = 300; seed < 320; seed++)
		random_slices(seed, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_random, no_attrs_left),
		cmocka_unit_test_teardown(test_random_quota, no_attrs_left),
		cmocka_unit_test_teardown(test_random_slices, no_attrs_left),
		cmocka_unit_test_teardown(test_random_slices_quota, no_attrs_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
