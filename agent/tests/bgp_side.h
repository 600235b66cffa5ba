/* SPDX-License-Identifier: GPL-2.0-only */
/* Sessions of ours under test on the loopback: what they said, and waiting for it. */
#ifndef VGW_TESTS_BGP_SIDE_H
#define VGW_TESTS_BGP_SIDE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bgp/session.h"
#include "bgp/wire.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/pmap.h"

/* Tests may run at the same time. */
#define TEST_PORT ((uint16_t)(10000 + getpid() % 20000))

struct side {
	struct session *session;
	struct pmap routes; /* prefix -> interned set, referenced */
	unsigned int ups, downs, updates, refreshes, eors[SESSION_N_AFI];
	unsigned int refresh_begins, refresh_ends;
	enum session_down_reason reason;
	bool eor_early; /* End-of-RIB came before the number of routes expected */
	size_t eor_expects;
	const char *refuse; /* accept_open */
	/* Stops the session in the callback of this name. */
	const char *stop_in;
	void (*on_up)(struct side *side);
	void (*on_refresh)(struct side *side, enum session_afi afi);
};

static struct loop *test_loop;
static struct side a, b;

static void side_maybe_stop(struct side *side, const char *where)
{
	if (side->stop_in && !strcmp(side->stop_in, where))
		session_stop(side->session, BGP_CEASE_RESET, where);
}

static void side_forget(void *set)
{
	attrs_put(set);
}

static void side_established(void *ctx)
{
	struct side *side = ctx;

	side->ups++;
	if (side->on_up)
		side->on_up(side);
	side_maybe_stop(side, "established");
}

static void side_down(void *ctx, enum session_down_reason reason)
{
	struct side *side = ctx;

	side->downs++;
	side->reason = reason;
	pmap_clear(&side->routes, side_forget);
	side_maybe_stop(side, "down");
}

static void side_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct side *side = ctx;

	attrs_put(pmap_get(&side->routes, prefix));
	assert_int_equal(pmap_put(&side->routes, prefix, (void *)(uintptr_t)attrs_get(attrs)), 0);
	side_maybe_stop(side, "route");
}

static void side_withdraw(void *ctx, const struct prefix *prefix)
{
	struct side *side = ctx;

	attrs_put(pmap_del(&side->routes, prefix));
	side_maybe_stop(side, "withdraw");
}

static void side_update_end(void *ctx)
{
	struct side *side = ctx;

	side->updates++;
	side_maybe_stop(side, "update_end");
}

static void side_end_of_rib(void *ctx, enum session_afi afi)
{
	struct side *side = ctx;

	side->eors[afi]++;
	if (pmap_count(&side->routes) < side->eor_expects)
		side->eor_early = true;
	side_maybe_stop(side, "end_of_rib");
}

static void side_refresh(void *ctx, enum session_afi afi)
{
	struct side *side = ctx;

	side->refreshes++;
	if (side->on_refresh)
		side->on_refresh(side, afi);
	side_maybe_stop(side, "refresh");
}

static void side_refresh_begin(void *ctx, enum session_afi afi)
{
	struct side *side = ctx;

	side->refresh_begins++;
	side_maybe_stop(side, "refresh_begin");
}

static void side_refresh_end(void *ctx, enum session_afi afi)
{
	struct side *side = ctx;

	side->refresh_ends++;
	side_maybe_stop(side, "refresh_end");
}

static const char *side_accept_open(void *ctx, uint32_t peer_as, uint32_t peer_id)
{
	struct side *side = ctx;

	side_maybe_stop(side, "accept_open");
	return side->refuse;
}

static const struct session_ops side_ops = {
	.established = side_established,
	.down = side_down,
	.route = side_route,
	.withdraw = side_withdraw,
	.update_end = side_update_end,
	.end_of_rib = side_end_of_rib,
	.refresh = side_refresh,
	.refresh_begin = side_refresh_begin,
	.refresh_end = side_refresh_end,
	.accept_open = side_accept_open,
};

static inline struct addr addr_of(const char *text)
{
	struct addr addr;

	if (!addr_parse(text, &addr))
		abort();
	return addr;
}

static inline struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	if (!prefix_parse(text, &prefix, NULL))
		abort();
	return prefix;
}

/* a is 127.0.0.1 AS 65000, b 127.0.0.2 AS 65001 (a smaller identifier, then a greater one). */
static inline struct session_config config_a(void)
{
	return (struct session_config){
		.name = "a", .local_as = 65000, .peer_as = 65001, .router_id = 0x0a000001,
		.local = addr_of("127.0.0.1"), .peer = addr_of("127.0.0.2"), .port = TEST_PORT,
		.hold_time = 30, .connect_retry = 1, .restart_time = 120, .afi = { true, true },
		.next_hop6 = addr_of("2001:db8::a"),
	};
}

static inline struct session_config config_b(void)
{
	return (struct session_config){
		.name = "b", .local_as = 65001, .peer_as = 65000, .router_id = 0x0a000002,
		.local = addr_of("127.0.0.2"), .peer = addr_of("127.0.0.1"), .port = TEST_PORT,
		.hold_time = 30, .connect_retry = 1, .restart_time = 120, .afi = { true, true },
		.next_hop6 = addr_of("2001:db8::b"),
	};
}

static inline void side_open(struct side *side, const struct session_config *config)
{
	side->session = session_new(test_loop, config, &side_ops, side);
	assert_non_null(side->session);
}

static inline enum session_state side_state(const struct side *side)
{
	return session_info(side->session)->state;
}

/* Runs the loop until the condition holds. A busy machine gets more time than is asked for. */
#define WAIT_PATIENCE 5

struct wait {
	bool (*done)(void);
	struct loop_timer *timer;
	uint64_t deadline;
	bool held;
};

static void wait_look(void *ctx)
{
	struct wait *w = ctx;

	w->held = !w->done || w->done();
	if ((w->done && w->held) || loop_now(test_loop) >= w->deadline)
		loop_stop(test_loop);
	else
		loop_timer_start(w->timer, 1);
}

static inline bool wait_try(bool (*done)(void), unsigned int ms)
{
	struct wait w = {
		.done = done,
		.deadline = loop_now(test_loop) + ms * (done ? WAIT_PATIENCE : 1),
	};

	w.timer = loop_timer_new(test_loop, wait_look, &w);
	assert_non_null(w.timer);
	loop_timer_start(w.timer, 0);
	assert_int_equal(loop_run(test_loop), 0);
	loop_timer_free(w.timer);
	return w.held;
}

#define wait_for(done, ms) \
	do { \
		if (!wait_try(done, ms)) \
			fail_msg("%s did not come true in %u ms; a: %s, %s; b: %s, %s", #done, \
				 (unsigned int)(ms), side_text(&a), side_error(&a), side_text(&b), \
				 side_error(&b)); \
	} while (0)

static inline const char *side_text(const struct side *side)
{
	return side->session ? session_state_name(side_state(side)) : "none";
}

static inline const char *side_error(const struct side *side)
{
	return side->session ? session_info(side->session)->last_error : "";
}

/* For what must not happen: lets this time pass. */
static inline void wait_pass(unsigned int ms)
{
	wait_try(NULL, ms);
}

static inline int sides_setup(void **state)
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	log_set_level(getenv("TEST_VERBOSE") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	test_loop = loop_new();
	return test_loop ? 0 : -1;
}

static inline int sides_teardown(void **state)
{
	session_free(a.session);
	session_free(b.session);
	pmap_clear(&a.routes, side_forget);
	pmap_clear(&b.routes, side_forget);
	loop_free(test_loop);
	/* A set that nobody gave back is a leak. */
	return attrs_count() ? -1 : 0;
}

#endif
