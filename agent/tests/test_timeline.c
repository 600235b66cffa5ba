// SPDX-License-Identifier: GPL-2.0-only
/* The timeline: incidents begin and end once, consequences name their cause, memory is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/timeline.h"

#define MS 1000000ull

static struct timeline *timeline;
static uint64_t now;
static unsigned int told;

static void added(void *ctx, const struct timeline_event *event)
{
	assert_ptr_equal(ctx, &told);
	assert_int_equal(event->number, ++told);
}

static int setup(void **state)
{
	told = 0;
	now = 1000 * MS;
	timeline = timeline_new(added, &told);
	return timeline ? 0 : -1;
}

static int teardown(void **state)
{
	timeline_free(timeline);
	return 0;
}

static void add(enum timeline_kind kind, const char *object)
{
	now += 10 * MS;
	timeline_add(timeline, now, (int64_t)(now * 3), kind, object, "text");
}

static void expect(uint64_t number, enum timeline_kind kind, const char *object, uint64_t cause,
		   uint64_t after_ms)
{
	const struct timeline_event *event = timeline_after(timeline, number - 1);

	assert_non_null(event);
	assert_int_equal(event->number, number);
	assert_string_equal(timeline_kind_name(event->kind), timeline_kind_name(kind));
	assert_string_equal(event->object, object);
	assert_int_equal(event->cause, cause);
	assert_int_equal(event->after, after_ms * MS);
	assert_int_equal(event->wall, event->at * 3);
}

static void test_chain(void **state)
{
	add(TIMELINE_TUNNEL_UP, "t1");
	add(TIMELINE_TUNNEL_DOWN, "t2");
	add(TIMELINE_FAILOVER, "t2");
	add(TIMELINE_ROUTES, "t1");
	add(TIMELINE_BGP_DOWN, "t2");
	add(TIMELINE_TUNNEL_UP, "t2");
	assert_true(timeline_in_incident(timeline, "t2"));
	add(TIMELINE_BGP_UP, "t2");
	assert_false(timeline_in_incident(timeline, "t2"));
	add(TIMELINE_TUNNEL_DOWN, "t2");
	expect(1, TIMELINE_TUNNEL_UP, "t1", 0, 0);
	expect(2, TIMELINE_TUNNEL_DOWN, "t2", 2, 0);
	expect(3, TIMELINE_FAILOVER, "t2", 2, 10);
	expect(4, TIMELINE_ROUTES, "t1", 0, 0);
	expect(5, TIMELINE_BGP_DOWN, "t2", 2, 30);
	expect(6, TIMELINE_TUNNEL_UP, "t2", 2, 40);
	expect(7, TIMELINE_BGP_UP, "t2", 2, 50);
	expect(8, TIMELINE_RESTORED, "t2", 2, 50);
	assert_string_equal(timeline_after(timeline, 7)->text, "after 0.050 s");
	expect(9, TIMELINE_TUNNEL_DOWN, "t2", 9, 0);
	assert_null(timeline_after(timeline, 9));
	assert_int_equal(timeline_last(timeline), 9);
	assert_int_equal(told, 9);
}

/* A fault twice, and an end of what was no fault. */
static void test_repeated(void **state)
{
	add(TIMELINE_HEALTH_DOWN, "t1");
	add(TIMELINE_HEALTH_DOWN, "t1");
	add(TIMELINE_BFD_UP, "t1");
	assert_int_equal(timeline_last(timeline), 1);
	add(TIMELINE_TUNNEL_DOWN, "t1");
	add(TIMELINE_HEALTH_UP, "t1");
	add(TIMELINE_HEALTH_UP, "t1");
	assert_int_equal(timeline_last(timeline), 3);
	add(TIMELINE_TUNNEL_UP, "t1");
	expect(5, TIMELINE_RESTORED, "t1", 1, timeline_after(timeline, 4)->after / MS);
}

static void test_objects(void **state)
{
	size_t at = 0;

	add(TIMELINE_TUNNEL_DOWN, "t1");
	add(TIMELINE_TUNNEL_DOWN, "t2");
	add(TIMELINE_MODULE_LOST, "");
	expect(3, TIMELINE_MODULE_LOST, "", 3, 0);
	assert_string_equal(timeline_incident_next(timeline, &at), "t1");
	assert_string_equal(timeline_incident_next(timeline, &at), "t2");
	assert_string_equal(timeline_incident_next(timeline, &at), "");
	assert_null(timeline_incident_next(timeline, &at));
	timeline_forget(timeline, "t1");
	timeline_forget(timeline, "nobody");
	add(TIMELINE_TUNNEL_UP, "t1");
	add(TIMELINE_MODULE_FOUND, "");
	expect(4, TIMELINE_TUNNEL_UP, "t1", 0, 0);
	expect(5, TIMELINE_MODULE_FOUND, "", 3, 20);
	expect(6, TIMELINE_RESTORED, "", 3, 20);
	assert_true(timeline_in_incident(timeline, "t2"));
}

static void test_bounded(void **state)
{
	char name[100];

	for (unsigned int i = 0; i < TIMELINE_INCIDENTS_MAX + 50; i++) {
		snprintf(name, sizeof(name), "tunnel-with-a-name-that-is-far-too-long-%u", i);
		add(TIMELINE_TUNNEL_DOWN, name + (i ? 20 : 0));
		assert_int_equal(strlen(timeline_after(timeline, i)->object) < TIMELINE_OBJECT_SIZE,
				 true);
	}
	for (unsigned int i = 0; i < 3 * TIMELINE_EVENTS; i++)
		add(TIMELINE_ROUTES, "t");
	/* The oldest are gone, the last ones are all there. */
	assert_int_equal(timeline_after(timeline, 0)->number,
			 timeline_last(timeline) - TIMELINE_EVENTS + 1);
	for (uint64_t n = timeline_last(timeline) - TIMELINE_EVENTS; n < timeline_last(timeline);
	     n++)
		assert_int_equal(timeline_after(timeline, n)->number, n + 1);
	assert_true(timeline_memory(timeline) < 512 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
