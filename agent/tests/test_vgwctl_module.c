// SPDX-License-Identifier: GPL-2.0-only
/* What vgwctl tells without vgwd, on the model of the module. */
#include <errno.h>
#include <linux/vgw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vgwctl/module.h"
#include "vgwctl/writer.h"

#define LO 1u /* the loopback device stands for the gateway: it is there everywhere */
#define GONE 0x7ffffffeu /* no device has this index */

struct fixture {
	struct loop *loop;
	struct kernel *kernel;
	struct module *module;
	bool done;
	json_t *rows;
};

static void found(void *ctx)
{
	struct fixture *f = ctx;

	loop_stop(f->loop);
}

static const struct kernel_events events = { .found = found };

static void done(void *ctx, int error, const char *text, long index)
{
	struct fixture *f = ctx;

	assert_int_equal(error, 0);
	f->done = true;
	loop_stop(f->loop);
}

static void await(struct fixture *f)
{
	while (!f->done)
		loop_run(f->loop);
	f->done = false;
}

static void collect(void *ctx, const json_t *row)
{
	struct fixture *f = ctx;

	assert_int_equal(json_array_append_new(f->rows, json_deep_copy(row)), 0);
}

static void add_tunnel(struct fixture *f, uint32_t id, uint32_t ifindex)
{
	struct kernel_tunnel tunnel = {
		.id = id, .ifindex = ifindex, .connection = 1, .site = 2,
	};

	kernel_tunnel_set(f->kernel, LO, &tunnel, done, f);
	await(f);
}

static void add_group(struct fixture *f, uint32_t id, uint32_t tunnel)
{
	struct kernel_group group = { .id = id, .n_members = 1 };

	group.members[0].tunnel = tunnel;
	group.members[0].weight = 3;
	kernel_group_set(f->kernel, LO, &group, done, f);
	await(f);
}

static void add_route(struct fixture *f, const char *prefix, uint8_t class, uint32_t group,
		      uint8_t on_fail)
{
	struct kernel_route route = { .class = class, .group = group, .on_fail = on_fail };

	assert_true(prefix_parse(prefix, &route.prefix, NULL));
	kernel_routes_add(f->kernel, LO, &route, 1, done, f);
	await(f);
}

static void populate(struct fixture *f)
{
	struct prefix guard;
	struct kernel_hash hash = { .seed = 0xabcd, .idle_ms = 2500,
				    .fields = VGW_HASH_FIELDS_FLOW_LABEL };
	uint32_t quota = 7;

	assert_true(prefix_parse("172.16.0.0/12", &guard, NULL));
	kernel_gateway_set(f->kernel, LO, &quota, &hash, &guard, 1, done, f);
	await(f);
	add_tunnel(f, 1, LO);
	add_tunnel(f, 2, GONE);
	add_group(f, 10, 1);
	add_group(f, 20, 2);
	add_route(f, "10.0.0.0/8", KERNEL_DYNAMIC, 10, VGW_ON_FAIL_REVOKE);
	add_route(f, "10.1.0.0/16", KERNEL_STATIC, 20, VGW_ON_FAIL_REVOKE);
	add_route(f, "10.1.0.0/16", KERNEL_DYNAMIC, 10, VGW_ON_FAIL_REVOKE);
	add_route(f, "10.2.0.0/16", KERNEL_SYSTEM, 0, VGW_ON_FAIL_REVOKE);
	add_route(f, "2001:db8::/32", KERNEL_DYNAMIC, 10, VGW_ON_FAIL_REVOKE);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char err[256] = "";

	f->loop = loop_new();
	f->kernel = kernel_model_new(f->loop, &events, f);
	while (!kernel_available(f->kernel))
		loop_run(f->loop);
	assert_int_equal(kernel_model_add_gateway(f->kernel, LO), 0);
	populate(f);
	f->module = module_open(NULL, 5000, f->loop, f->kernel, err, sizeof(err));
	assert_string_equal(err, "");
	assert_non_null(f->module);
	f->rows = json_array();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	module_close(f->module);
	kernel_free(f->kernel);
	loop_free(f->loop);
	json_decref(f->rows);
	free(f);
	return 0;
}

static const char *text(const json_t *row, const char *path)
{
	const char *value = json_string_value(row_get(row, path));

	return value ? value : "(none)";
}

static long number(const json_t *row, const char *path)
{
	assert_true(json_is_integer(row_get(row, path)));
	return json_integer_value(row_get(row, path));
}

static json_t *ask(struct fixture *f, module_answer answer, json_t *args, size_t n)
{
	assert_int_equal(answer(f->module, args, collect, f), 0);
	json_decref(args);
	assert_int_equal(json_array_size(f->rows), n);
	return f->rows;
}

static void test_gateway(void **state)
{
	json_t *row = json_array_get(ask(*state, module_gateway, json_object(), 1), 0);

	assert_string_equal(text(row, "name"), "lo");
	assert_string_equal(text(row, "state"), "stopped");
	assert_string_equal(text(row, "module"), "present");
	assert_int_equal(number(row, "quota"), 7);
	assert_int_equal(number(row, "quota_used"), 3);
	assert_int_equal(number(row, "hash_seed"), 0xabcd);
	assert_int_equal(number(row, "hash_idle_ms"), 2500);
	assert_string_equal(json_string_value(json_object_get(row, "hash_fields")), "flow-label");
	assert_int_equal(number(row, "tunnels"), 2);
	assert_int_equal(number(row, "tunnels_up"), 2);
	assert_int_equal(number(row, "routes"), 5);
	assert_int_equal(number(row, "stats.drop_miss"), 0);
	assert_true(json_is_null(json_object_get(row, "local_asn")));
}

static void test_tunnels(void **state)
{
	struct fixture *f = *state;
	json_t *rows;

	kernel_model_set_live(f->kernel, LO, 2, false);
	rows = ask(f, module_tunnels, json_object(), 2);
	assert_string_equal(text(json_array_get(rows, 0), "name"), "lo");
	assert_string_equal(text(json_array_get(rows, 0), "connection"), "#1");
	assert_string_equal(text(json_array_get(rows, 0), "site"), "#2");
	assert_string_equal(text(json_array_get(rows, 0), "state"), "up");
	assert_int_equal(number(json_array_get(rows, 0), "id"), 1);
	assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "last_rx_ms")));
	/* Its device is gone: the id is the only name left. */
	assert_string_equal(text(json_array_get(rows, 1), "name"), "#2");
	assert_string_equal(text(json_array_get(rows, 1), "interface"), "(none)");
	assert_string_equal(text(json_array_get(rows, 1), "state"), "down");
	assert_string_equal(text(json_array_get(rows, 1), "reason"), "no-sa");
}

static void test_groups(void **state)
{
	const json_t *row = json_array_get(ask(*state, module_groups, json_object(), 2), 1);
	const json_t *member = json_array_get(row_get(row, "members"), 0);

	assert_int_equal(number(row, "id"), 20);
	assert_int_equal(number(row, "routes"), 1);
	assert_string_equal(text(member, "tunnel"), "#2");
	assert_int_equal(number(member, "weight"), 3);
	assert_true(json_is_true(row_get(member, "live")));
}

/* "PREFIX CLASS effective NEXT-HOP" of every row. */
static void expect_routes(const json_t *rows, const char *const *lines)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const json_t *hop = json_array_get(row_get(row, "next_hops"), 0);
		char line[128];

		snprintf(line, sizeof(line), "%s %s %s %s", text(row, "prefix"),
			 text(row, "class"), json_is_true(row_get(row, "effective")) ? "yes" : "no",
			 text(hop, "tunnel"));
		assert_string_equal(line, lines[i]);
	}
	assert_null(lines[i]);
}

static void test_routes(void **state)
{
	static const char *const all[] = {
		"10.0.0.0/8 dynamic yes lo",   "10.1.0.0/16 static yes #2",
		"10.1.0.0/16 dynamic no lo",   "10.2.0.0/16 system yes (none)",
		"2001:db8::/32 dynamic yes lo", NULL,
	};

	expect_routes(ask(*state, module_routes, json_object(), 5), all);
}

/* The static route's only tunnel is dead: the dynamic one is in use, unless it is held. */
static void test_effective_route(void **state)
{
	static const char *const revoked[] = {
		"10.1.0.0/16 static no #2", "10.1.0.0/16 dynamic yes lo", NULL,
	};
	static const char *const held[] = {
		"10.1.0.0/16 static yes #2", "10.1.0.0/16 dynamic no lo", NULL,
	};
	struct fixture *f = *state;

	kernel_model_set_live(f->kernel, LO, 2, false);
	expect_routes(ask(f, module_routes, json_pack("{s:s}", "prefix", "10.1.0.0/16"), 2),
		      revoked);
	json_array_clear(f->rows);
	add_route(f, "10.1.0.0/16", KERNEL_STATIC, 20, VGW_ON_FAIL_RESERVE);
	expect_routes(ask(f, module_routes, json_pack("{s:s}", "prefix", "10.1.0.0/16"), 2), held);
}

static void test_routes_of_a_prefix(void **state)
{
	static const char *const one[] = { "10.0.0.0/8 dynamic yes lo", NULL };
	struct fixture *f = *state;

	expect_routes(ask(f, module_routes, json_pack("{s:s}", "prefix", "10.0.0.0/8"), 1), one);
	json_array_clear(f->rows);
	ask(f, module_routes, json_pack("{s:s}", "prefix", "10.0.0.0/9"), 0);
}

static void test_explain(void **state)
{
	struct fixture *f = *state;
	const json_t *row, *candidate;

	row = json_array_get(ask(f, module_explain, json_pack("{s:s, s:i, s:i}", "address",
							      "10.1.2.3", "proto", 6, "dport", 443),
				 1), 0);
	assert_string_equal(text(row, "destination"), "10.1.2.3");
	assert_string_equal(text(row, "verdict"), "tunnel");
	assert_string_equal(text(row, "tunnel"), "#2");
	assert_int_equal(number(row, "group"), 20);
	assert_int_equal(json_array_size(row_get(row, "candidates")), 3);
	candidate = json_array_get(row_get(row, "candidates"), 1);
	assert_string_equal(text(candidate, "class"), "dynamic");
	assert_string_equal(text(candidate, "result"), "lower-class");
	assert_string_equal(json_string_value(json_array_get(row_get(candidate, "tunnels"), 0)),
			    "lo");
	assert_true(json_is_object(row_get(row, "kernel")));
	json_array_clear(f->rows);
	row = json_array_get(ask(f, module_explain, json_pack("{s:s}", "address", "172.16.1.1"),
				 1), 0);
	assert_string_equal(text(row, "verdict"), "guard");
	assert_string_equal(text(row, "guard"), "172.16.0.0/12");
	assert_true(json_is_null(json_object_get(row, "tunnel")));
}

static void test_which_gateway(void **state)
{
	struct fixture *f = *state;
	struct module *module;
	char err[256] = "";
	json_t *args = json_pack("{s:s}", "address", "10.1.2.3");

	module = module_open("lo", 5000, f->loop, f->kernel, err, sizeof(err));
	assert_non_null(module);
	module_close(module);
	assert_null(module_open("nosuchdev0", 5000, f->loop, f->kernel, err, sizeof(err)));
	assert_string_equal(err, "no device \"nosuchdev0\"");
	assert_int_equal(kernel_model_del_gateway(f->kernel, LO), 0);
	assert_null(module_open("lo", 5000, f->loop, f->kernel, err, sizeof(err)));
	assert_string_equal(err, "device \"lo\" is not a gateway");
	module = module_open(NULL, 5000, f->loop, f->kernel, err, sizeof(err));
	assert_non_null(module);
	assert_int_equal(module_explain(module, args, collect, f), -ENODEV);
	assert_string_equal(module_error(module), "there is no gateway");
	assert_int_equal(module_gateway(module, args, collect, f), 0);
	assert_int_equal(json_array_size(f->rows), 0);
	module_close(module);
	json_decref(args);
}

/* The module goes away between finding the gateway and asking about it. */
static void test_module_unloaded(void **state)
{
	struct fixture *f = *state;

	kernel_model_unload(f->kernel);
	assert_true(module_tunnels(f->module, NULL, collect, f) < 0);
	assert_true(*module_error(f->module));
	assert_int_equal(json_array_size(f->rows), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tunnels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_effective_route, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes_of_a_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_explain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_which_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_module_unloaded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
