// SPDX-License-Identifier: GPL-2.0-only
/* Rule 4 over the model of the module: with an interface that is not ours static routes only. */
#include "gateway_side.h"

static const char text[] =
	"gateway: {local-asn: 65000, router-id: 10.0.0.1}\n"
	"customer-gateways:\n- {name: cg1, address: 198.51.100.2, asn: 65001}\n"
	"connections:\n- name: c1\n  customer-gateway: cg1\n  bgp: {passive: true}\n  tunnels:\n"
	"  - {name: t1, inside-cidr: 169.254.21.0/30, interface: lo, if-id: 1}\n"
	"  - {name: t2, inside-cidr: 169.254.22.0/30, interface: d2, if-id: 2}\n"
	"static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t1}\n";

static int setup(void **state)
{
	side_up(text);
	return 0;
}

static int teardown(void **state)
{
	side_down();
	return 0;
}

static void told(void *ctx, int error, const char *error_text, const struct kernel_gateway *kernel)
{
	assert_int_equal(error, 0);
	version_judge(&gateway, kernel->protocol_version);
}

/* The module is asked, as when it is bound. */
static void speaks(uint32_t version)
{
	kernel_model_set_version(gateway.kernel, SIDE_IFINDEX, version);
	kernel_gateway_get(gateway.kernel, SIDE_IFINDEX, told, NULL);
	side_pass(50);
}

static void check_refused(const char *code, const char *words)
{
	json_t *row;

	peer_start(&tunnels[0].peer);
	side_pass(2000);
	assert_false(tunnels[0].peer.started);
	assert_null(tunnels[0].peer.session);
	assert_string_equal(gateway.bgp_refused, code);
	assert_non_null(strstr(gateway.bgp_refused_text, code));
	assert_non_null(strstr(gateway.bgp_refused_text, words));
	assert_int_equal(side_way("10.1.0.1"), 1);
	row = side_show_one("warnings", "code", code);
	assert_non_null(row);
	assert_string_equal(json_string_value(json_object_get(row, "rule")), "4");
	assert_non_null(strstr(json_string_value(json_object_get(row, "text")), words));
	json_decref(row);
	row = side_show_one("peers", "last_error", gateway.bgp_refused_text);
	assert_non_null(row);
	json_decref(row);
}

static void test_too_old(void **state)
{
	speaks(0);
	check_refused("MODULE_TOO_OLD", "upgrade the module");
}

static void test_too_new(void **state)
{
	speaks(2);
	check_refused("MODULE_TOO_NEW", "upgrade vgwd");
}

/* Static routes that are new are taken too. */
static void test_static_goes_on(void **state)
{
	struct prefix prefix;

	speaks(0);
	assert_true(prefix_parse("10.0.0.0/8", &prefix, NULL));
	tunnels[0].ready = false;
	fib_dirty_route(gateway.fib, &prefix, KERNEL_STATIC);
	side_pass(500);
	assert_int_equal(side_way("10.1.0.1"), -VGW_VERDICT_MISS);
	tunnels[0].ready = true;
	fib_dirty_route(gateway.fib, &prefix, KERNEL_STATIC);
	side_pass(500);
	assert_int_equal(side_way("10.1.0.1"), 1);
}

/* The module is replaced under a running agent, there and back. */
static void test_upgrade(void **state)
{
	speaks(1);
	assert_null(gateway.bgp_refused);
	peer_start(&tunnels[0].peer);
	assert_true(tunnels[0].peer.started);
	speaks(2);
	check_refused("MODULE_TOO_NEW", "upgrade vgwd");
	speaks(0);
	check_refused("MODULE_TOO_OLD", "upgrade the module");
	speaks(1);
	assert_null(gateway.bgp_refused);
	assert_true(tunnels[0].peer.started);
	assert_non_null(tunnels[0].peer.session);
	assert_int_equal(side_way("10.1.0.1"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_too_old, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_static_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
	};

	if (!side_enter()) {
		printf("1..0 # SKIP no network namespace of our own\n");
		return 0;
	}
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
