// SPDX-License-Identifier: GPL-2.0-only
/* The model of the module: the cases that the module passes too, and what only a model can do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/vgw.h>

#include "kernel_cases.h"

#define GATEWAY 7

struct heard {
	struct loop *loop;
	bool found, lost, down;
	unsigned int gateways, order;
};

static void on_found(void *ctx)
{
	struct heard *heard = ctx;

	heard->found = true;
	loop_stop(heard->loop);
}

static void on_lost(void *ctx)
{
	((struct heard *)ctx)->lost = true;
}

static void on_tunnel(void *ctx, uint32_t gateway, const struct kernel_tunnel *tunnel)
{
	struct heard *heard = ctx;

	assert_int_equal(gateway, GATEWAY);
	if (tunnel->state == VGW_TUNNEL_STATE_DOWN) {
		heard->down = true;
		loop_stop(heard->loop);
	}
}

static void on_gateway(void *ctx, const struct kernel_gateway *gateway)
{
	((struct heard *)ctx)->gateways++;
}

static const struct kernel_events events = {
	.found = on_found, .lost = on_lost, .tunnel = on_tunnel, .gateway = on_gateway,
};

struct fixture {
	struct cases c;
	struct heard heard;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->c.loop = f->heard.loop = loop_new();
	f->c.kernel = kernel_model_new(f->c.loop, &events, &f->heard);
	f->c.gateway = GATEWAY;
	for (unsigned int i = 0; i < CASES_DEVICES; i++)
		f->c.device[i] = 100 + i;
	assert_true(cases_init(&f->c));
	assert_int_equal(kernel_model_add_gateway(f->c.kernel, GATEWAY), 0);
	assert_false(kernel_available(f->c.kernel));
	assert_true(cases_wait(&f->c, &f->heard.found));
	assert_true(kernel_available(f->c.kernel));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kernel_free(f->c.kernel);
	cases_clear(&f->c);
	loop_free(f->c.loop);
	free(f);
	return 0;
}

static void test_cases(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < n_kernel_cases; i++)
		if (!cases_run(&f->c, &kernel_cases[i]))
			fail_msg("%s: %s", kernel_cases[i].name, f->c.failure);
	assert_true(f->heard.gateways > 0);
}

static void test_random(void **state)
{
	struct fixture *f = *state;
	bool full = false, stale = false, busy = false;
	char *first;

	for (unsigned int seed = 1; seed <= 20; seed++) {
		assert_true(cases_random(&f->c, seed, 300));
		first = f->c.log;
		f->c.log = NULL;
		assert_true(cases_random(&f->c, seed, 300));
		assert_string_equal(first, f->c.log);
		full |= strstr(first, "bgp table full") != NULL;
		stale |= strstr(first, "stale 1") != NULL;
		busy |= strstr(first, "routes lead to the group") != NULL;
		free(first);
	}
	/* It reaches what it is meant to reach. */
	assert_true(full && stale && busy);
}

static void test_liveness(void **state)
{
	struct fixture *f = *state;

	/* Leaves tunnels behind. */
	assert_true(cases_run(&f->c, &kernel_cases[2]));
	kernel_model_set_live(f->c.kernel, GATEWAY, 2, false);
	assert_true(cases_wait(&f->c, &f->heard.down));
}

struct answer {
	struct heard *heard;
	int error;
	unsigned int order;
};

static void on_answer(void *ctx, int error, const char *text, long index)
{
	struct answer *answer = ctx;

	assert_false(answer->heard->lost);
	answer->error = error;
	answer->order = ++answer->heard->order;
}

static void test_unload(void **state)
{
	struct fixture *f = *state;
	struct answer answers[3] = {
		{ .heard = &f->heard }, { .heard = &f->heard }, { .heard = &f->heard },
	};
	struct kernel_tunnel tunnel = { .id = 1, .ifindex = 5 };

	for (unsigned int i = 0; i < 3; i++)
		kernel_tunnel_set(f->c.kernel, GATEWAY, &tunnel, on_answer, &answers[i]);
	kernel_model_unload(f->c.kernel);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(answers[i].error, -ENOLINK);
		assert_int_equal(answers[i].order, i + 1);
	}
	assert_true(f->heard.lost);
	assert_false(kernel_available(f->c.kernel));
	f->heard.found = f->heard.lost = false;
	kernel_tunnel_set(f->c.kernel, GATEWAY, &tunnel, on_answer, &answers[0]);
	kernel_model_load(f->c.kernel);
	assert_true(cases_wait(&f->c, &f->heard.found));
	/* What is asked of a new module, but before it was found, was asked of the old one. */
	kernel_free(f->c.kernel);
	assert_int_equal(answers[0].order, 4);
	assert_int_equal(answers[0].error, -ENOLINK);
	f->c.kernel = NULL;
}

/* The real client where there is no module: it says so, and closes cleanly. */
static void test_no_module(void **state)
{
	struct fixture *f = *state;
	struct answer answers[12];
	struct kernel *kernel = kernel_genl_new(f->c.loop, &events, &f->heard);
	struct kernel_tunnel tunnel = { .id = 1, .ifindex = 5 };

	if (!kernel)
		skip();
	for (unsigned int i = 0; i < 12; i++) {
		answers[i] = (struct answer){ .heard = &f->heard };
		kernel_tunnel_set(kernel, GATEWAY, &tunnel, on_answer, &answers[i]);
		assert_int_equal(answers[i].order, 0);
	}
	kernel_free(kernel);
	for (unsigned int i = 0; i < 12; i++) {
		assert_int_equal(answers[i].order, i + 1);
		assert_int_equal(answers[i].error, -ENOLINK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_liveness, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_module, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
