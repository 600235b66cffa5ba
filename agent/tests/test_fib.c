// SPDX-License-Identifier: GPL-2.0-only
/*
 * fib against the model of the module: facts are changed at random, and in
 * the end the module must hold what the facts say, no more and no less. Time
 * is stepped by hand, so every run is the same.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/vgw.h>

#include "sys/fib.h"

#define GATEWAY 7
#define TUNNELS 6 /* ids 1 to 6 */
#define PREFIXES 250
#define CLASSES 3
#define POLICIES 12
#define DUMP_MAX 16384
/* Longer than fib waits before it tries again. */
#define PATIENCE_MS 5000

static const struct kernel_hash no_hash;

struct fact {
	bool exists;
	uint8_t on_fail;
	uint8_t members; /* bit per tunnel */
	unsigned int refusals;
};

struct world {
	struct loop *loop;
	struct kernel *kernel;
	struct fib *fib;
	struct loop_timer *chaos;
	unsigned int steps, state;
	bool tunnel[TUNNELS + 1], failed[TUNNELS + 1], keep_tunnels;
	struct prefix *prefixes;
	struct fact *facts; /* by prefix, class */
	size_t n, told;
	struct fact policies[POLICIES];
	unsigned int tells, idle, found, lost, refused, looks;
	void (*finale)(struct world *w); /* after the last random event, with requests under way */
	int last_error;

	unsigned int busy; /* times that a finale met requests under way */

	struct kernel_gateway gateway;
	struct kernel_tunnel tunnels[16];
	struct kernel_group groups[256];
	struct kernel_route *routes;
	struct kernel_policy held[POLICIES];
	size_t n_tunnels, n_groups, n_routes, n_policies;
	uint32_t generation;
};

static unsigned int dice(struct world *w, unsigned int sides)
{
	w->state = w->state * 1103515245u + 12345u;
	return (w->state >> 16) % sides;
}

static struct fact *fact_at(struct world *w, size_t i, uint8_t class)
{
	return &w->facts[i * CLASSES + class - 1];
}

/* prefixes are made so that their place is in the address */
static size_t place_of(const struct prefix *prefix)
{
	return (size_t)prefix->addr.b[1] << 16 | (size_t)prefix->addr.b[2] << 8 | prefix->addr.b[3];
}

static struct prefix make_prefix(size_t i)
{
	bool v6 = i % 5 == 0;
	struct prefix prefix = { .addr = { .family = v6 ? AF_INET6 : AF_INET },
				 .len = v6 ? 48 : 32 };

	prefix.addr.b[0] = v6 ? 0x20 : 10;
	prefix.addr.b[1] = (uint8_t)(i >> 16);
	prefix.addr.b[2] = (uint8_t)(i >> 8);
	prefix.addr.b[3] = (uint8_t)i;
	return prefix;
}

/* What the owner of a fib answers */

static bool route_op(void *ctx, const struct prefix *prefix, uint8_t class, struct fib_route *out)
{
	struct world *w = ctx;
	const struct fact *fact = fact_at(w, place_of(prefix), class);

	if (!fact->exists)
		return false;
	out->on_fail = fact->on_fail;
	if (class == KERNEL_SYSTEM)
		return true;
	/* Upwards or downwards: the order of members must not matter. */
	w->looks++;
	for (uint32_t i = 1; i <= TUNNELS; i++) {
		uint32_t id = w->looks % 2 ? i : TUNNELS + 1 - i;

		if (fact->members & 1u << id)
			out->members[out->n_members++] =
				(struct kernel_member){ .tunnel = id, .weight = 1 };
	}
	return true;
}

static bool tunnel_op(void *ctx, uint32_t id, struct kernel_tunnel *out)
{
	struct world *w = ctx;

	if (id > TUNNELS || !w->tunnel[id])
		return false;
	*out = (struct kernel_tunnel){ .id = id, .ifindex = 100 + id, .connection = id,
				       .failed = w->failed[id] };
	return true;
}

/* A third of it at a time, and nothing in many calls between. */
static bool everything_op(void *ctx, struct fib *fib, bool first)
{
	struct world *w = ctx;

	if (first)
		w->told = 0;
	else if (w->tells++ % 32)
		return true;
	for (size_t end = w->told + w->n / 3 + 1; w->told < w->n && w->told < end; w->told++)
		for (uint8_t class = 1; class <= CLASSES; class++)
			if (fact_at(w, w->told, class)->exists)
				fib_dirty_route(fib, &w->prefixes[w->told], class);
	if (w->told < w->n)
		return true;
	fib_dirty_policies(fib);
	/* After the routes: the order of marks must not matter. */
	for (uint32_t id = 1; id <= TUNNELS; id++)
		if (w->tunnel[id])
			fib_dirty_tunnel(fib, id);
	return false;
}

/* Nothing is swept before all is told. */
static bool tell_op(void *ctx, struct fib *fib, bool first)
{
	assert_true(fib_generation_open(fib));
	return everything_op(ctx, fib, first);
}

static void refused_op(void *ctx, const struct prefix *prefix, uint8_t class, int error,
		       const char *text)
{
	struct world *w = ctx;

	if (class == KERNEL_POLICY)
		w->policies[place_of(prefix)].refusals++;
	else
		fact_at(w, place_of(prefix), class)->refusals++;
	w->refused++;
	w->last_error = error;
	assert_true(*text);
}

static void idle_op(void *ctx)
{
	((struct world *)ctx)->idle++;
}

/* Policy route number i has priority i % 3; its place is its sequence. */
static bool policy_op(void *ctx, size_t index, struct fib_policy *out)
{
	const struct world *w = ctx;
	const struct fact *fact;

	if (index >= POLICIES)
		return false;
	fact = &w->policies[index];
	out->dst = make_prefix(index);
	out->src.addr.family = out->dst.addr.family;
	out->priority = (uint32_t)index % 3;
	out->sequence = (uint32_t)index;
	out->to.on_fail = fact->on_fail;
	for (uint32_t id = 1; fact->exists && id <= TUNNELS; id++)
		if (fact->members & 1u << id)
			out->to.members[out->to.n_members++] =
				(struct kernel_member){ .tunnel = id, .weight = 1 };
	return true;
}

static const struct fib_ops ops = { route_op, tunnel_op, tell_op, refused_op, idle_op,
				    policy_op };

static void on_found(void *ctx)
{
	struct world *w = ctx;

	w->found++;
	if (w->fib)
		fib_kernel_found(w->fib);
}

static void on_lost(void *ctx)
{
	struct world *w = ctx;

	w->lost++;
	if (w->fib)
		fib_kernel_lost(w->fib);
}

static const struct kernel_events events = { .found = on_found, .lost = on_lost };

/* What the module holds */

static void run(struct world *w)
{
	loop_fake_advance(w->loop, PATIENCE_MS);
}

static void on_done(void *ctx, int error, const char *text, long index)
{
	if (error)
		fail_msg("%d %s", error, text);
}

static void on_tunnel(void *ctx, const struct kernel_tunnel *tunnel)
{
	struct world *w = ctx;

	w->tunnels[w->n_tunnels++] = *tunnel;
}

static void on_group(void *ctx, const struct kernel_group *group)
{
	struct world *w = ctx;

	w->groups[w->n_groups++] = *group;
}

static void on_route(void *ctx, const struct kernel_route *route)
{
	struct world *w = ctx;

	assert_true(w->n_routes < DUMP_MAX);
	w->routes[w->n_routes++] = *route;
}

static void on_policy(void *ctx, const struct kernel_policy *policy)
{
	struct world *w = ctx;

	assert_true(w->n_policies < POLICIES);
	w->held[w->n_policies++] = *policy;
}

static void on_gateway(void *ctx, int error, const char *text, const struct kernel_gateway *gateway)
{
	struct world *w = ctx;

	assert_int_equal(error, 0);
	w->gateway = *gateway;
}

static void read_module(struct world *w)
{
	w->n_tunnels = w->n_groups = w->n_routes = w->n_policies = 0;
	kernel_gateway_get(w->kernel, GATEWAY, on_gateway, w);
	kernel_tunnels_dump(w->kernel, GATEWAY, on_tunnel, on_done, w);
	kernel_groups_dump(w->kernel, GATEWAY, on_group, on_done, w);
	kernel_routes_dump(w->kernel, GATEWAY, on_route, on_done, w);
	kernel_policies_dump(w->kernel, GATEWAY, on_policy, on_done, w);
	loop_fake_advance(w->loop, 0);
}

static const struct kernel_group *group_by_id(const struct world *w, uint32_t id)
{
	for (size_t i = 0; i < w->n_groups; i++)
		if (w->groups[i].id == id)
			return &w->groups[i];
	return NULL;
}

static uint8_t members_of(const struct kernel_group *group)
{
	uint8_t members = 0;

	for (uint32_t i = 0; i < group->n_members; i++)
		members |= (uint8_t)(1u << group->members[i].tunnel);
	return members;
}

static void check_objects(struct world *w)
{
	bool seen[256] = { false };
	size_t tunnels = 0;

	for (uint32_t id = 1; id <= TUNNELS; id++)
		tunnels += w->tunnel[id];
	assert_int_equal(w->n_tunnels, tunnels);
	for (size_t i = 0; i < w->n_tunnels; i++) {
		assert_true(w->tunnel[w->tunnels[i].id]);
		assert_int_equal(w->tunnels[i].failed, w->failed[w->tunnels[i].id]);
	}
	for (size_t i = 0; i < w->n_groups; i++) {
		/* Equal member lists are one group, and none is left that nobody uses. */
		assert_false(seen[members_of(&w->groups[i])]);
		seen[members_of(&w->groups[i])] = true;
		assert_true(w->groups[i].routes > 0);
	}
}

static void check_policies(struct world *w)
{
	size_t wanted = 0;

	for (size_t i = 0; i < POLICIES; i++)
		wanted += w->policies[i].exists;
	assert_int_equal(w->n_policies, wanted);
	for (size_t i = 0; i < w->n_policies; i++) {
		const struct kernel_policy *held = &w->held[i];
		const struct fact *fact = &w->policies[held->sequence];

		assert_true(fact->exists && !held->stale);
		assert_int_equal(held->priority, held->sequence % 3);
		assert_int_equal(place_of(&held->dst), held->sequence);
		assert_int_equal(held->on_fail, fact->on_fail);
		assert_int_equal(members_of(group_by_id(w, held->group)), fact->members);
	}
}

/* The module holds exactly the facts. */
static void check_equal(struct world *w)
{
	size_t wanted = 0;

	assert_true(fib_idle(w->fib));
	assert_int_equal(fib_counters(w->fib).in_flight, 0);
	read_module(w);
	assert_false(w->gateway.generation_open);
	for (size_t i = 0; i < w->n * CLASSES; i++)
		wanted += w->facts[i].exists;
	assert_int_equal(w->n_routes, wanted);
	for (size_t i = 0; i < w->n_routes; i++) {
		const struct kernel_route *route = &w->routes[i];
		const struct fact *fact = fact_at(w, place_of(&route->prefix), route->class);

		assert_true(fact->exists);
		assert_int_equal(route->on_fail, fact->on_fail);
		assert_false(route->stale);
		if (route->class == KERNEL_SYSTEM)
			assert_int_equal(route->group, 0);
		else
			assert_int_equal(members_of(group_by_id(w, route->group)), fact->members);
	}
	check_policies(w);
	check_objects(w);
	assert_int_equal(fib_counters(w->fib).groups, w->n_groups);
}

/* Facts and events */

static void dirty(struct world *w, size_t i, uint8_t class)
{
	if (w->fib)
		fib_dirty_route(w->fib, &w->prefixes[i], class);
}

static uint8_t random_members(struct world *w)
{
	uint8_t members = 0;

	for (uint32_t id = 1; id <= TUNNELS; id++)
		if (w->tunnel[id] && !dice(w, 3))
			members |= (uint8_t)(1u << id);
	return members;
}

static void want_route(struct world *w, size_t i, uint8_t class, uint8_t members)
{
	struct fact *fact = fact_at(w, i, class);

	fact->exists = members || class == KERNEL_SYSTEM;
	fact->members = members;
	fact->on_fail = 0;
	dirty(w, i, class);
}

static void drop_route(struct world *w, size_t i, uint8_t class)
{
	fact_at(w, i, class)->exists = false;
	dirty(w, i, class);
}

static void want_policy(struct world *w, size_t i, uint8_t members)
{
	w->policies[i] = (struct fact){ .exists = members, .members = members,
					.on_fail = (uint8_t)dice(w, 2) };
	if (w->fib)
		fib_dirty_policies(w->fib);
}

static void want_tunnel(struct world *w, uint32_t id, bool wanted)
{
	w->tunnel[id] = wanted;
	if (w->fib)
		fib_dirty_tunnel(w->fib, id);
	for (size_t i = 0; !wanted && i < w->n; i++) {
		for (uint8_t class = 2; class <= CLASSES; class++) {
			struct fact *fact = fact_at(w, i, class);

			if (!(fact->members & 1u << id))
				continue;
			fact->members &= (uint8_t)~(1u << id);
			fact->exists = fact->exists && fact->members;
			dirty(w, i, class);
		}
	}
	for (size_t i = 0; !wanted && i < POLICIES; i++)
		if (w->policies[i].members & 1u << id)
			want_policy(w, i, w->policies[i].members & (uint8_t)~(1u << id));
}

static void random_event(struct world *w)
{
	size_t i = dice(w, (unsigned int)w->n);
	uint8_t class = (uint8_t)(1 + dice(w, 3));
	uint32_t id = 1 + dice(w, TUNNELS);

	switch (dice(w, 13)) {
	case 0:
		if (!w->keep_tunnels)
			want_tunnel(w, id, dice(w, 3));
		break;
	case 1:
		w->failed[id] = !w->failed[id];
		if (w->fib)
			fib_dirty_tunnel(w->fib, id);
		break;
	case 2:
	case 3:
	case 4:
		drop_route(w, i, class);
		break;
	case 5:
		dirty(w, i, class);
		break;
	case 6:
		want_policy(w, i % POLICIES, dice(w, 4) ? random_members(w) : 0);
		break;
	default:
		want_route(w, i, class, random_members(w));
		fact_at(w, i, class)->on_fail = (uint8_t)dice(w, 2);
		break;
	}
}

/* Events fall between requests and their answers: timers due at once take turns. */
static void chaos_fire(void *ctx)
{
	struct world *w = ctx;

	for (unsigned int n = dice(w, 6); n && w->steps; n--, w->steps--)
		random_event(w);
	if (w->steps)
		loop_timer_start(w->chaos, 0);
	else if (w->finale)
		w->finale(w);
}

static void random_events(struct world *w, unsigned int steps)
{
	w->steps = steps;
	loop_timer_start(w->chaos, 0);
}

static void start(struct world *w)
{
	if (!w->fib)
		w->fib = fib_new(w->loop, w->kernel, &ops, w);
	assert_non_null(w->fib);
	fib_start(w->fib, GATEWAY);
}

static int world_new(void **state, size_t n)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->n = n;
	w->facts = calloc(n * CLASSES, sizeof(*w->facts));
	w->prefixes = calloc(n, sizeof(*w->prefixes));
	w->routes = calloc(DUMP_MAX, sizeof(*w->routes));
	w->loop = loop_new();
	w->state = 1;
	loop_fake_clock(w->loop);
	w->kernel = kernel_model_new(w->loop, &events, w);
	w->chaos = loop_timer_new(w->loop, chaos_fire, w);
	assert_int_equal(kernel_model_add_gateway(w->kernel, GATEWAY), 0);
	for (size_t i = 0; i < n; i++)
		w->prefixes[i] = make_prefix(i);
	for (uint32_t id = 1; id <= TUNNELS; id++)
		w->tunnel[id] = true;
	run(w);
	assert_int_equal(w->found, 1);
	*state = w;
	return 0;
}

static int setup(void **state)
{
	return world_new(state, PREFIXES);
}

static int setup_large(void **state)
{
	return world_new(state, 5000);
}

static int teardown(void **state)
{
	struct world *w = *state;

	fib_free(w->fib);
	kernel_free(w->kernel);
	loop_timer_free(w->chaos);
	loop_free(w->loop);
	free(w->facts);
	free(w->prefixes);
	free(w->routes);
	free(w);
	return 0;
}

/* Running, committed, without a quota. */
static void bring_up(struct world *w)
{
	start(w);
	fib_settings(w->fib, 0, &no_hash, NULL, 0);
	fib_commit(w->fib);
	run(w);
}

static void test_random(void **state)
{
	struct world *w = *state;

	bring_up(w);
	check_equal(w);
	for (unsigned int round = 0; round < 60; round++) {
		random_events(w, 40 + dice(w, 800));
		run(w);
		check_equal(w);
	}
	assert_true(fib_counters(w->fib).routes_skipped > 0);
	assert_int_equal(fib_counters(w->fib).refused, 0);
	assert_int_equal(fib_counters(w->fib).replays, 0);
}

static void test_equal_is_not_sent(void **state)
{
	struct world *w = *state;
	struct fib_counters before, after;

	bring_up(w);
	random_events(w, 500);
	run(w);
	before = fib_counters(w->fib);
	for (bool first = true; everything_op(w, w->fib, first);)
		first = false;
	run(w);
	after = fib_counters(w->fib);
	assert_int_equal(after.batches, before.batches);
	assert_int_equal(after.routes_sent, before.routes_sent);
	assert_true(after.routes_skipped >= before.routes_skipped + w->n_routes);
	check_equal(w);
}

static void die(struct world *w)
{
	w->busy += fib_counters(w->fib).in_flight != 0;
	fib_free(w->fib);
	w->fib = NULL;
}

static void start_again(struct world *w)
{
	w->busy += fib_counters(w->fib).in_flight != 0;
	start(w);
	fib_commit(w->fib);
}

/* Answers to what was asked before mean nothing after a new start. */
static void test_start_again(void **state)
{
	struct world *w = *state;

	bring_up(w);
	w->finale = start_again;
	for (unsigned int round = 0; round < 40; round++) {
		random_events(w, 1 + dice(w, 100));
		run(w);
		check_equal(w);
	}
	assert_true(w->busy > 10);
}

/* The agent dies at some moment, facts change, it comes back: nothing is missing meanwhile. */
static void test_restart(void **state)
{
	struct world *w = *state;
	static struct kernel_group before[256];
	size_t total = 0;

	bring_up(w);
	for (unsigned int round = 0; round < 40; round++) {
		size_t n, n_before, adopted = 0;

		w->finale = die;
		random_events(w, 300);
		run(w);
		w->finale = NULL;
		read_module(w);
		n = w->n_routes;
		n_before = w->n_groups;
		memcpy(before, w->groups, sizeof(before));
		random_events(w, 100);
		run(w);
		start(w);
		run(w);
		assert_true(fib_idle(w->fib) && fib_generation_open(w->fib));
		read_module(w);
		assert_true(w->n_routes >= n);
		fib_commit(w->fib);
		run(w);
		check_equal(w);
		for (size_t i = 0; i < w->n_groups; i++)
			for (size_t j = 0; j < n_before; j++)
				if (members_of(&w->groups[i]) == members_of(&before[j])) {
					assert_int_equal(w->groups[i].id, before[j].id);
					adopted++;
				}
		total += adopted;
	}
	assert_true(total > 0);
	assert_true(w->busy > 10);
}

static void test_delete_in_generation(void **state)
{
	struct world *w = *state;

	bring_up(w);
	for (size_t i = 0; i < 10; i++)
		want_route(w, i, KERNEL_DYNAMIC, 2);
	want_route(w, 10, KERNEL_STATIC, 4);
	run(w);
	check_equal(w);
	fib_free(w->fib);
	w->fib = NULL;
	fact_at(w, 3, KERNEL_DYNAMIC)->exists = false;
	fact_at(w, 4, KERNEL_DYNAMIC)->exists = false;
	fact_at(w, 10, KERNEL_STATIC)->exists = false;
	start(w);
	run(w);
	/* Said so: goes at once, though this life never sent it. One that is not there is fine. */
	dirty(w, 3, KERNEL_DYNAMIC);
	dirty(w, 77, KERNEL_DYNAMIC);
	dirty(w, 78, KERNEL_STATIC);
	/* Moved twice: the group between is of no use, but it waits. So does the tunnel. */
	want_route(w, 0, KERNEL_DYNAMIC, 8);
	run(w);
	want_route(w, 0, KERNEL_DYNAMIC, 2);
	want_tunnel(w, 6, false);
	run(w);
	read_module(w);
	assert_int_equal(w->n_routes, 10);
	assert_int_equal(w->n_groups, 3);
	assert_int_equal(w->n_tunnels, TUNNELS);
	assert_true(fib_generation_open(w->fib));
	fib_commit(w->fib);
	run(w);
	check_equal(w);
	assert_int_equal(w->n_routes, 8);
	assert_int_equal(w->n_groups, 1);
}

/* Sent in this generation, then not wanted: the sweep leaves it to us. */
static void test_tunnel_in_generation(void **state)
{
	struct world *w = *state;

	start(w);
	run(w);
	want_tunnel(w, 6, false);
	run(w);
	read_module(w);
	assert_int_equal(w->n_tunnels, TUNNELS);
	fib_commit(w->fib);
	run(w);
	check_equal(w);
	assert_int_equal(w->n_tunnels, TUNNELS - 1);
}

static void test_quota(void **state)
{
	struct world *w = *state;
	size_t in = 0;

	bring_up(w);
	fib_settings(w->fib, 50, &no_hash, NULL, 0);
	run(w);
	for (size_t i = 0; i < 60; i++) {
		want_route(w, i, KERNEL_DYNAMIC, 2);
		want_route(w, i, KERNEL_STATIC, 4);
	}
	run(w);
	assert_true(fib_idle(w->fib));
	read_module(w);
	assert_int_equal(w->n_routes, 110);
	assert_int_equal(w->refused, 10);
	assert_int_equal(w->last_error, -ENOSPC);
	/* What was refused is not missed. */
	assert_false(fib_check(w->fib, &w->gateway));
	/* One batch with the refused one, one without, and what is left is not even tried. */
	assert_true(fib_counters(w->fib).batches <= 4);
	for (size_t i = 0; i < 60; i++)
		assert_true(fact_at(w, i, KERNEL_DYNAMIC)->refusals <= 1);
	for (size_t i = 0; i < w->n_routes && in < 5; i++) {
		if (w->routes[i].class != KERNEL_DYNAMIC)
			continue;
		drop_route(w, place_of(&w->routes[i].prefix), KERNEL_DYNAMIC);
		in++;
	}
	run(w);
	read_module(w);
	assert_int_equal(w->gateway.dynamic_prefixes, 50);
	assert_int_equal(w->refused, 10);
	assert_false(fib_check(w->fib, &w->gateway));
	fib_settings(w->fib, 100, &no_hash, NULL, 0);
	run(w);
	check_equal(w);
	assert_int_equal(w->refused, 10);
}

/* One goes and one comes at once, in a full table: no refusal. */
static void test_quota_swap(void **state)
{
	struct world *w = *state;

	bring_up(w);
	fib_settings(w->fib, 20, &no_hash, NULL, 0);
	run(w);
	for (size_t i = 0; i < 20; i++)
		want_route(w, i, KERNEL_DYNAMIC, 2);
	run(w);
	for (size_t i = 0; i < 20; i++) {
		want_route(w, 20 + i, KERNEL_DYNAMIC, 2);
		drop_route(w, i, KERNEL_DYNAMIC);
	}
	run(w);
	check_equal(w);
	assert_int_equal(w->refused, 0);
}

/* A group that the module refuses: its routes wait, all others go. */
static void test_refused_group(void **state)
{
	struct world *w = *state;

	bring_up(w);
	want_tunnel(w, 5, false);
	run(w);
	for (size_t i = 0; i < w->n; i++)
		want_route(w, i, KERNEL_DYNAMIC, i % 10 == 4 ? 1 << 5 | 1 << 1 : 1 << 2);
	run(w);
	assert_true(fib_idle(w->fib));
	assert_int_equal(w->refused, w->n / 10);
	assert_int_equal(w->last_error, -ENOENT);
	read_module(w);
	assert_int_equal(w->n_routes, w->n - w->n / 10);
	assert_int_equal(w->n_groups, 1);
	assert_true(fib_counters(w->fib).batches <= 3);
	/* They are looked at again because of the tunnel, nobody dirties them. */
	w->tunnel[5] = true;
	fib_dirty_tunnel(w->fib, 5);
	run(w);
	check_equal(w);
	assert_int_equal(w->refused, w->n / 10);
}

/* One that is refused holds up none of the others, is told once, and taken when it may be. */
static void test_refused_policy(void **state)
{
	struct world *w = *state;

	bring_up(w);
	want_tunnel(w, 5, false);
	run(w);
	for (size_t i = 0; i < POLICIES; i++)
		want_policy(w, i, i % 4 == 1 ? 1 << 5 : 1 << 2);
	run(w);
	assert_true(fib_idle(w->fib));
	assert_int_equal(w->refused, POLICIES / 4);
	assert_int_equal(w->last_error, -ENOENT);
	read_module(w);
	assert_int_equal(w->n_policies, POLICIES - POLICIES / 4);
	w->tunnel[5] = true;
	fib_dirty_tunnel(w->fib, 5);
	run(w);
	check_equal(w);
	assert_int_equal(w->refused, POLICIES / 4);
}

/* A life that ended left what this one does not want: it goes with the commit. */
static void test_policies_restart(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < POLICIES; i++)
		want_policy(w, i, 1 << 1);
	bring_up(w);
	check_equal(w);
	fib_free(w->fib);
	w->fib = NULL;
	for (size_t i = 0; i < POLICIES; i++)
		want_policy(w, i, i % 2 ? 1 << 2 : 0);
	start(w);
	run(w);
	read_module(w);
	assert_int_equal(w->n_policies, POLICIES);
	fib_commit(w->fib);
	run(w);
	check_equal(w);
}

static void test_unloaded(void **state)
{
	struct world *w = *state;

	bring_up(w);
	for (unsigned int round = 0; round < 10; round++) {
		random_events(w, 200);
		loop_fake_advance(w->loop, 0);
		for (size_t i = 0; i < 50; i++)
			random_event(w);
		kernel_model_unload(w->kernel);
		assert_int_equal(w->lost, round + 1);
		random_events(w, 50);
		run(w);
		assert_false(fib_idle(w->fib));
		kernel_model_load(w->kernel);
		assert_int_equal(kernel_model_add_gateway(w->kernel, GATEWAY), 0);
		run(w);
		start(w);
		fib_commit(w->fib);
		run(w);
		check_equal(w);
		/* Settings come back with it. */
		assert_int_equal(w->gateway.quota, 0);
	}
}

static void test_device_gone(void **state)
{
	struct world *w = *state;

	bring_up(w);
	random_events(w, 300);
	run(w);
	assert_int_equal(kernel_model_del_gateway(w->kernel, GATEWAY), 0);
	random_events(w, 100);
	run(w);
	assert_false(fib_idle(w->fib));
	fib_start(w->fib, 0);
	random_events(w, 100);
	run(w);
	assert_int_equal(kernel_model_add_gateway(w->kernel, GATEWAY), 0);
	start(w);
	fib_commit(w->fib);
	run(w);
	check_equal(w);
}

static void on_generation(void *ctx, int error, const char *text, uint32_t generation)
{
	((struct world *)ctx)->generation = generation;
}

/* Somebody else begins a generation in ours: the commit is refused, and all is said again. */
static void test_other_generation(void **state)
{
	struct world *w = *state;

	w->keep_tunnels = true;
	random_events(w, 300);
	run(w);
	start(w);
	fib_settings(w->fib, 0, &no_hash, NULL, 0);
	run(w);
	kernel_generation_begin(w->kernel, GATEWAY, on_generation, w);
	fib_commit(w->fib);
	run(w);
	check_equal(w);
	assert_int_equal(fib_counters(w->fib).replays, 1);
	/* And somebody else sweeps the lot. */
	kernel_generation_begin(w->kernel, GATEWAY, on_generation, w);
	run(w);
	kernel_generation_commit(w->kernel, GATEWAY, w->generation, on_done, w);
	run(w);
	read_module(w);
	assert_int_equal(w->n_routes + w->n_tunnels + w->n_groups, 0);
	for (size_t i = 0; i < w->n; i++)
		want_route(w, i, KERNEL_STATIC, 1 << 1 | 1 << 2);
	run(w);
	check_equal(w);
}

/* Found, told again, and equal; with what the module holds now there is nothing to find. */
static void expect_repaired(struct world *w)
{
	run(w);
	read_module(w);
	assert_true(fib_check(w->fib, &w->gateway));
	fib_commit(w->fib);
	run(w);
	check_equal(w);
	assert_false(fib_check(w->fib, &w->gateway));
}

/* Somebody else deletes what fib gave to the module: no event tells of it. */
static void test_check(void **state)
{
	struct world *w = *state;
	struct kernel_policy policy;

	w->keep_tunnels = true;
	bring_up(w);
	for (unsigned int round = 0; round < 20; round++) {
		random_events(w, 100);
		run(w);
		for (size_t i = 0; i < w->n; i++)
			want_route(w, i, KERNEL_STATIC, 1 << 1 | 1 << 2);
		run(w);
		check_equal(w);
		assert_false(fib_check(w->fib, &w->gateway));
		kernel_routes_del(w->kernel, GATEWAY, &w->routes[dice(w, (unsigned int)w->n_routes)],
				  1, on_done, w);
		expect_repaired(w);
		policy = (struct kernel_policy){
			.src.addr.family = make_prefix(4).addr.family,
			.dst = make_prefix(4), .priority = 4711,
			.sequence = 9, .group = w->groups[0].id,
		};
		kernel_policies_add(w->kernel, GATEWAY, &policy, 1, on_done, w);
		expect_repaired(w);
		kernel_generation_begin(w->kernel, GATEWAY, on_generation, w);
		expect_repaired(w);
	}
	/* Not asked in the middle of work. */
	random_events(w, 5);
	loop_fake_advance(w->loop, 0);
	w->gateway.routes++;
	assert_true(fib_idle(w->fib) || !fib_check(w->fib, &w->gateway));
	run(w);
}

static void test_large(void **state)
{
	struct world *w = *state;
	struct fib_counters counters;

	bring_up(w);
	for (size_t i = 0; i < w->n; i++)
		want_route(w, i, KERNEL_DYNAMIC, (uint8_t)(2 + 2 * (i % 3)));
	run(w);
	check_equal(w);
	counters = fib_counters(w->fib);
	assert_int_equal(counters.batches, (w->n + KERNEL_ROUTES_MAX - 1) / KERNEL_ROUTES_MAX);
	assert_int_equal(counters.routes_sent, w->n);
	for (size_t i = 0; i < w->n; i++)
		drop_route(w, i, KERNEL_DYNAMIC);
	run(w);
	check_equal(w);
	assert_int_equal(w->n_groups, 0);
	/* Tunnels that go together with all that uses them. */
	for (uint32_t id = 1; id <= TUNNELS; id++)
		want_tunnel(w, id, false);
	run(w);
	check_equal(w);
}

struct port_rows {
	uint32_t ifindex[8];
	size_t n;
};

static void on_port(void *ctx, const struct kernel_port *port)
{
	struct port_rows *rows = ctx;

	assert_true(rows->n < 8);
	rows->ifindex[rows->n++] = port->ifindex;
}

static void on_ports(void *ctx, int error, const char *text, long index)
{
	(void)ctx;
	(void)text;
	(void)index;
	assert_int_equal(error, 0);
}

/* A bit for each port that the module has. */
static unsigned int ports_held(struct world *w)
{
	struct port_rows rows = { .n = 0 };
	unsigned int held = 0;

	kernel_ports_dump(w->kernel, GATEWAY, on_port, on_ports, &rows);
	run(w);
	for (size_t i = 0; i < rows.n; i++)
		held |= 1u << rows.ifindex[i];
	return held;
}

static void test_ports(void **state)
{
	static const uint32_t two[] = { 3, 5 }, other[] = { 5, 8 };
	struct world *w = *state;

	/* Of somebody else, and of an earlier life. */
	kernel_port_add(w->kernel, GATEWAY, 3, on_done, w);
	kernel_port_add(w->kernel, GATEWAY, 4, on_done, w);
	bring_up(w);
	assert_int_equal(ports_held(w), 0);
	fib_ports(w->fib, two, 2);
	assert_false(fib_idle(w->fib));
	run(w);
	assert_int_equal(ports_held(w), 1 << 3 | 1 << 5);
	fib_ports(w->fib, other, 2);
	run(w);
	assert_int_equal(ports_held(w), 1 << 5 | 1 << 8);
	/* Gone with its device: no error. */
	kernel_port_del(w->kernel, GATEWAY, 8, on_done, w);
	fib_ports(w->fib, other, 1);
	run(w);
	assert_int_equal(ports_held(w), 1 << 5);
	/* A new generation has to be told of them, too. */
	start(w);
	fib_commit(w->fib);
	run(w);
	assert_int_equal(ports_held(w), 1 << 5);
	/* Latest wins while requests are under way. */
	fib_ports(w->fib, two, 2);
	loop_fake_advance(w->loop, 0);
	fib_ports(w->fib, NULL, 0);
	loop_fake_advance(w->loop, 0);
	fib_ports(w->fib, other, 2);
	run(w);
	assert_int_equal(ports_held(w), 1 << 5 | 1 << 8);
}

/* Whoever goes first, fib or the connection, nothing is left over (the sanitizer looks). */
static void test_ends(void **state)
{
	struct world *w = *state;

	bring_up(w);
	for (unsigned int i = 0; i < 100; i++)
		random_event(w);
	loop_fake_advance(w->loop, 0);
	for (unsigned int i = 0; i < 100; i++)
		random_event(w);
	start(w);
	kernel_free(w->kernel);
	w->kernel = NULL;
	run(w);
	assert_false(fib_idle(w->fib));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_equal_is_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_in_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tunnel_in_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quota, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quota_swap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policies_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unloaded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup_large, teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
