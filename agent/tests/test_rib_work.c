// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long work of a large table in steps: how much a step does, how long a turn of
 * the loop takes, what may happen between two, and that a dead tunnel's packets
 * do not wait for any of it. VGW_TEST_PATHS makes the table larger.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <linux/vgw.h>

#include "lib/loop.h"
#include "sys/fib.h"
#include "sys/kernel_request.h"
#include "tests/rib_input.h"

#define PATHS 100000
#define TURN_MS 50
#define GATEWAY 7

static size_t n_paths(void)
{
	const char *text = getenv("VGW_TEST_PATHS");

	return text ? (size_t)atol(text) : PATHS;
}

static struct prefix number(size_t i)
{
	return (struct prefix){
		.addr = { AF_INET, { (uint8_t)(20 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i } },
		.len = 24,
	};
}

static void tell(struct rib_source *source, size_t from, size_t to)
{
	const struct attrs *attrs = attrs_of(rib_source_config(source), &(struct say){ 0 });

	for (size_t i = from; i < to; i++) {
		struct prefix p = number(i);

		assert_int_equal(rib_announce(source, &p, attrs), 0);
	}
	attrs_put(attrs);
}

static void policy_set(struct rib *rib, uint32_t local_as, uint32_t quota, uint32_t multipath)
{
	const struct rib_policy policy = {
		.local_as = local_as, .quota = quota, .multipath_max = multipath,
	};

	assert_int_equal(rib_set_policy(rib, &policy), 0);
}

/* A gateway without a module: the loop, a table, and a timer that must not be late. */
struct side {
	struct loop *loop;
	struct loop_timer *drain, *tick;
	struct rib *rib;
	size_t drained, most_gone;
	uint64_t turn_us; /* of processor time: the machine may be busy */
	unsigned int turns;
	bool idle;
};

static uint64_t processor_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void side_drain(void *ctx)
{
	struct side *side = ctx;
	size_t before = counters_of(side->rib).paths, after;
	uint64_t begin = processor_us();
	struct prefix key;
	bool more = rib_work(side->rib);

	after = counters_of(side->rib).paths;
	if (before - after > side->most_gone)
		side->most_gone = before - after;
	for (unsigned int i = 0; i < RIB_STEP && rib_dirty_next(side->rib, &key); i++, more = true)
		side->drained++;
	begin = processor_us() - begin;
	if (begin > side->turn_us)
		side->turn_us = begin;
	side->turns++;
	if (more)
		loop_timer_start(side->drain, 0);
	else
		loop_stop(side->loop);
}

static void side_tick(void *ctx)
{
	struct side *side = ctx;

	loop_timer_start(side->tick, 20);
}

static void side_new(struct side *side)
{
	*side = (struct side){ .loop = loop_new(), .rib = rib_new() };
	side->drain = loop_timer_new(side->loop, side_drain, side);
	side->tick = loop_timer_new(side->loop, side_tick, side);
	assert_non_null(side->tick);
	side_tick(side);
	policy_set(side->rib, LOCAL_AS, 0, 0);
}

static void side_free(struct side *side)
{
	rib_free(side->rib);
	loop_timer_free(side->drain);
	loop_timer_free(side->tick);
	loop_free(side->loop);
}

/* What was told is known; that is not what is measured. */
static void side_settle(struct side *side)
{
	struct prefix key;

	while (rib_work(side->rib))
		;
	while (rib_dirty_next(side->rib, &key))
		;
}

/* To the end of it. Began: processor time before the call that made the work. */
static void side_run(struct side *side, const char *what, uint64_t began, size_t dirty)
{
	began = processor_us() - began;
	side->drained = side->most_gone = side->turn_us = side->turns = 0;
	loop_timer_start(side->drain, 0);
	assert_int_equal(loop_run(side->loop), 0);
	print_message("%s: call %llu us, then %u turns, the longest of %llu us\n", what,
		      (unsigned long long)began, side->turns,
		      (unsigned long long)side->turn_us);
	assert_int_equal(side->drained, dirty);
	assert_true(side->most_gone <= RIB_STEP);
	assert_true(began < TURN_MS * 1000 && side->turn_us < TURN_MS * 1000);
}

#define RUN(side, what, call, dirty)                          \
	do {                                                  \
		uint64_t began = processor_us();              \
		call;                                         \
		side_run(side, what, began, dirty);           \
	} while (0)

static void test_turns(void **state)
{
	size_t n = n_paths(), turns = n / RIB_STEP;
	struct rib_source *a, *b;
	struct side side;

	side_new(&side);
	a = source_add(side.rib, 1, 1, 65010);
	b = source_add(side.rib, 2, 1, 65010);
	tell(a, 0, n);
	RUN(&side, "announced", tell(b, 0, 1), n);
	tell(b, 1, n);
	side_settle(&side);
	RUN(&side, "router-id", rib_source_set_router_id(b, 7), n);
	RUN(&side, "multipath", policy_set(side.rib, LOCAL_AS, 0, 1), n);
	RUN(&side, "own AS", policy_set(side.rib, 65010, 0, 1), n);
	assert_true(side.turns >= turns);
	RUN(&side, "other AS", policy_set(side.rib, LOCAL_AS, 0, 1), n);
	rib_source_mark_stale(a);
	tell(a, 0, n / 2);
	RUN(&side, "sweep", rib_source_sweep_stale(a, AF_INET), n - n / 2);
	RUN(&side, "flush", rib_source_flush(a), n / 2);
	RUN(&side, "remove", rib_source_remove(b), n);
	assert_true(side.turns >= turns);
	assert_int_equal(counters_of(side.rib).paths, 0);
	side_free(&side);
}

static void test_quota_grows(void **state)
{
	size_t n = n_paths();
	struct side side;

	side_new(&side);
	policy_set(side.rib, LOCAL_AS, 10, 0);
	RUN(&side, "one announced", tell(source_add(side.rib, 1, 1, 65010), 0, 1), 1);
	tell(source_add(side.rib, 2, 1, 65010), 0, n);
	RUN(&side, "quota grows", policy_set(side.rib, LOCAL_AS, 0, 0), n);
	assert_int_equal(counters_of(side.rib).installed, n);
	assert_int_equal(counters_of(side.rib).refused_quota, 0);
	side_free(&side);
}

static uint32_t hops(struct rib *rib, size_t i)
{
	struct rib_decision decision;
	struct prefix p = number(i);

	rib_decide(rib, &p, &decision);
	return decision.n_next_hops;
}

/* The session is back, and ends again, before what it left is swept; then it is deleted. */
static void test_comes_back(void **state)
{
	struct rib *rib = rib_new();
	struct rib_source *source = source_add(rib, 1, 1, 65010);
	struct rib_source *other = source_add(rib, 2, 1, 65010);
	size_t n = 5 * RIB_STEP, accepted, rejected;

	policy_set(rib, LOCAL_AS, 0, 0);
	tell(source, 0, n);
	rib_source_flush(source);
	assert_int_equal(counters_of(rib).paths, n - RIB_STEP);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(hops(rib, i), 0);
	tell(source, 0, n / 2);
	assert_true(rib_work(rib));
	assert_int_equal(hops(rib, 0), 1);
	rib_source_flush(source);
	tell(source, n / 2, n);
	while (rib_work(rib))
		;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(hops(rib, i), i >= n / 2);
	rib_source_counters(source, &accepted, &rejected);
	assert_int_equal(accepted, n - n / 2);
	assert_int_equal(rejected, 0);
	rib_source_flush(source);
	rib_source_remove(source);
	tell(other, 0, 10);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(hops(rib, i), i < 10);
	while (rib_work(rib))
		;
	assert_int_equal(counters_of(rib).paths, 10);
	rib_free(rib);
}

static void tell_path(struct rib_source *source, size_t i, uint32_t second)
{
	const struct attrs *attrs = attrs_of(rib_source_config(source),
					     &(struct say){ .path = { 65010, second } });
	struct prefix p = number(i);

	assert_int_equal(rib_announce(source, &p, attrs), 0);
	attrs_put(attrs);
}

/* Dead, seen to be dead, and told again as it was: the owner hears of it. */
static void test_same_again(void **state)
{
	struct rib *rib = rib_new();
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);
	struct prefix p = number(0), key;

	policy_set(rib, LOCAL_AS, 0, 0);
	tell_path(a, 0, 7);
	rib_set_step(rib, 0);
	rib_source_flush(a);
	tell_path(b, 0, 7);
	rib_withdraw(b, &p);
	while (rib_dirty_next(rib, &key))
		;
	assert_int_equal(hops(rib, 0), 0);
	tell_path(a, 0, 7);
	assert_true(rib_dirty_next(rib, &key));
	assert_true(prefix_equal(&key, &p));
	assert_int_equal(hops(rib, 0), 1);
	while (rib_work(rib))
		;
	assert_int_equal(counters_of(rib).paths, 1);
	rib_free(rib);
}

/* The new rules let in another path of the prefix than the old ones: it never loses its place. */
static void test_keeps_place(void **state)
{
	struct rib *rib = rib_new();
	struct rib_source *a = source_add(rib, 1, 1, 65010), *b = source_add(rib, 2, 1, 65010);
	struct prefix p = number(0);

	policy_set(rib, 100, 1, 0);
	tell_path(a, 0, 200);
	tell_path(b, 0, 100);
	tell_path(b, 1, 300);
	assert_int_equal(hops(rib, 0), 1);
	rib_set_step(rib, 0);
	rib_set_time(rib, 10);
	policy_set(rib, 200, 1, 0);
	rib_withdraw(a, &p);
	while (rib_work(rib))
		;
	assert_int_equal(hops(rib, 0), 1);
	assert_int_equal(hops(rib, 1), 0);
	rib_free(rib);
}

/* Who is let in by new rules waits since they are there, not since his turn of the pass came. */
static void test_waits_since(void **state)
{
	struct rib *rib = rib_new();
	struct rib_source *a = source_add(rib, 1, 1, 65010);
	struct prefix first = number(2);

	policy_set(rib, 100, 1, 0);
	tell_path(a, 2, 300);
	tell_path(a, 1, 100);
	rib_set_step(rib, 0);
	rib_set_time(rib, 10);
	policy_set(rib, 200, 1, 0);
	rib_set_time(rib, 20);
	tell_path(a, 0, 300);
	rib_set_time(rib, 30);
	while (rib_work(rib))
		;
	rib_withdraw(a, &first);
	assert_int_equal(hops(rib, 1), 1);
	assert_int_equal(hops(rib, 0), 0);
	rib_free(rib);
}

/* More marks than there are eras: what was stale stays so, what was told again is fresh. */
static void test_eras(void **state)
{
	struct rib *rib = rib_new();
	struct rib_source *source = source_add(rib, 1, 1, 65010);

	policy_set(rib, LOCAL_AS, 0, 0);
	tell(source, 0, 3);
	rib_source_mark_stale(source);
	for (unsigned int i = 0; i < 70000; i++) {
		rib_source_mark_refresh(source, AF_INET6);
		if (i % 1000 == 0)
			tell(source, 1, 2);
	}
	tell(source, 3, 4);
	rib_source_sweep_stale(source, AF_INET);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(hops(rib, i), i % 2);
	rib_set_step(rib, 0);
	rib_source_flush(source);
	for (unsigned int i = 0; i < 70000; i++)
		rib_source_mark_refresh(source, AF_INET);
	tell(source, 0, 1);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(hops(rib, i), i == 0);
	while (rib_work(rib))
		;
	assert_int_equal(counters_of(rib).paths, 1);
	rib_free(rib);
}

/* A tunnel dies with its session: the module has to know before any route is looked at. */
struct failover {
	struct side side;
	struct kernel kernel; /* takes what it gets, and notes when */
	struct kernel_caller answers[64];
	size_t n_answers;
	struct loop_timer *answer;
	struct fib *fib;
	struct rib_source *sources[2];
	bool failed; /* tunnel 1 */
	size_t routes; /* sent since then */
	unsigned int turns; /* of the table's work since then */
	bool told;
	size_t told_routes;
	unsigned int told_turns;
};

static void failover_answer(void *ctx)
{
	struct failover *f = ctx;
	struct kernel_caller now[64];
	size_t n = f->n_answers;

	memcpy(now, f->answers, n * sizeof(now[0]));
	f->n_answers = 0;
	for (size_t i = 0; i < n; i++) {
		struct kernel_result result;

		kernel_result_init(&result);
		if (now[i].op == KERNEL_OP_BEGIN)
			result.u.generation = 1;
		kernel_answer(&now[i], &result);
	}
}

static void failover_submit(struct kernel *kernel, const struct kernel_call *call,
			    const struct kernel_caller *caller)
{
	struct failover *f = (struct failover *)((char *)kernel - offsetof(struct failover, kernel));

	assert_true(f->n_answers < N(f->answers));
	f->answers[f->n_answers++] = *caller;
	if (!loop_timer_pending(f->answer))
		loop_timer_start(f->answer, 0);
	if (call->op == KERNEL_OP_TUNNEL_SET && call->tunnel->id == 1 && call->tunnel->failed) {
		f->told = true;
		f->told_routes = f->routes;
		f->told_turns = f->turns;
	}
	f->routes += call->n_routes;
}

static bool failover_available(const struct kernel *kernel)
{
	return true;
}

static void failover_free(struct kernel *kernel)
{
}

static const struct kernel_ops failover_kernel = {
	failover_free, failover_available, failover_submit,
};

static bool failover_route(void *ctx, const struct prefix *prefix, uint8_t class,
			   struct fib_route *out)
{
	struct failover *f = ctx;
	struct rib_decision decision;

	rib_decide(f->side.rib, prefix, &decision);
	out->n_members = 0;
	out->on_fail = VGW_ON_FAIL_REVOKE;
	for (uint32_t i = 0; i < decision.n_next_hops; i++)
		out->members[out->n_members++] =
			(struct kernel_member){ .tunnel = decision.next_hops[i].tunnel, .weight = 1 };
	return out->n_members;
}

static bool failover_tunnel(void *ctx, uint32_t id, struct kernel_tunnel *out)
{
	struct failover *f = ctx;

	*out = (struct kernel_tunnel){ .id = id, .ifindex = 100 + id, .connection = id,
				       .failed = f->failed && id == 1 };
	return true;
}

static bool failover_everything(void *ctx, struct fib *fib, bool first)
{
	fib_dirty_tunnel(fib, 1);
	fib_dirty_tunnel(fib, 2);
	return false;
}

static void failover_refused(void *ctx, const struct prefix *prefix, uint8_t class, int error,
			     const char *text)
{
	fail_msg("%s", text);
}

static void failover_idle(void *ctx)
{
}

static const struct fib_ops failover_ops = {
	failover_route, failover_tunnel, failover_everything, failover_refused, failover_idle, NULL,
};

static void failover_drain(void *ctx)
{
	struct failover *f = ctx;
	bool more = rib_work(f->side.rib);
	struct prefix key;

	f->turns++;
	for (unsigned int i = 0; i < RIB_STEP && rib_dirty_next(f->side.rib, &key); i++, more = true)
		fib_dirty_route(f->fib, &key, KERNEL_DYNAMIC);
	if (more)
		loop_timer_start(f->side.drain, 0);
}

static void failover_new(struct failover *f)
{
	static const struct kernel_hash hash;

	*f = (struct failover){ 0 };
	f->side.loop = loop_new();
	loop_fake_clock(f->side.loop);
	f->side.rib = rib_new();
	f->side.drain = loop_timer_new(f->side.loop, failover_drain, f);
	f->answer = loop_timer_new(f->side.loop, failover_answer, f);
	f->kernel.ops = &failover_kernel;
	f->fib = fib_new(f->side.loop, &f->kernel, &failover_ops, f);
	assert_non_null(f->fib);
	fib_settings(f->fib, 0, &hash, NULL, 0);
	fib_start(f->fib, GATEWAY);
	fib_commit(f->fib);
	loop_fake_advance(f->side.loop, 5000);
	policy_set(f->side.rib, LOCAL_AS, 0, 0);
	for (unsigned int i = 0; i < 2; i++)
		f->sources[i] = source_add(f->side.rib, i + 1, 1, 65010);
}

static void test_failover(void **state)
{
	size_t n = 4 * RIB_STEP;
	struct failover f;

	failover_new(&f);
	tell(f.sources[0], 0, n);
	tell(f.sources[1], 0, n);
	loop_timer_start(f.side.drain, 0);
	loop_fake_advance(f.side.loop, 5000);
	assert_int_equal(fib_counters(f.fib).routes, n);
	/* As the gateway does when a path fails. */
	f.routes = f.turns = 0;
	f.failed = true;
	rib_source_flush(f.sources[0]);
	failover_drain(&f);
	fib_dirty_tunnel(f.fib, 1);
	loop_fake_advance(f.side.loop, 5000);
	assert_true(f.told && !f.told_routes && f.told_turns <= 1);
	/* The sweep went on for longer than that, and each route was told its new group once. */
	assert_true(f.turns >= n / RIB_STEP);
	assert_int_equal(f.routes, n);
	fib_free(f.fib);
	loop_timer_free(f.answer);
	loop_timer_free(f.side.drain);
	rib_free(f.side.rib);
	loop_free(f.side.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_turns, no_attrs_left),
		cmocka_unit_test_teardown(test_quota_grows, no_attrs_left),
		cmocka_unit_test_teardown(test_comes_back, no_attrs_left),
		cmocka_unit_test_teardown(test_same_again, no_attrs_left),
		cmocka_unit_test_teardown(test_keeps_place, no_attrs_left),
		cmocka_unit_test_teardown(test_waits_since, no_attrs_left),
		cmocka_unit_test_teardown(test_eras, no_attrs_left),
		cmocka_unit_test_teardown(test_failover, no_attrs_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
