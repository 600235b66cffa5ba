// SPDX-License-Identifier: GPL-2.0-only
/* One-way tunnels as the agent finds them: by the counters of the module, over its model. */
#include "gateway_side.h"

static const char text[] =
	"customer-gateways:\n- {name: cg1, address: 198.51.100.2}\n"
	"connections:\n- name: c1\n  customer-gateway: cg1\n  tunnels:\n"
	"  - {name: t1, inside-cidr: 169.254.21.0/30, interface: lo, if-id: 1}\n"
	"  - {name: t2, inside-cidr: 169.254.22.0/30, interface: d2, if-id: 2}\n";

static int setup(void **state)
{
	side_up(text);
	assert_int_equal(watch_init(&gateway), 0);
	return 0;
}

static int teardown(void **state)
{
	side_down();
	return 0;
}

/* Seconds in which the module counts so many packets each. */
static void traffic(unsigned int seconds, uint64_t tx, uint64_t rx)
{
	for (unsigned int i = 0; i < seconds; i++) {
		kernel_model_count(gateway.kernel, SIDE_IFINDEX, 1, tx, rx);
		side_pass(1000);
	}
}

static void test_oneway(void **state)
{
	char why[200] = "";
	json_t *row;

	traffic(10, 5, 5);
	assert_false(watch_oneway(&tunnels[0], why, sizeof(why)));
	traffic(12, 5, 0);
	assert_false(watch_oneway(&tunnels[0], why, sizeof(why)));
	traffic(16, 5, 0);
	assert_true(watch_oneway(&tunnels[0], why, sizeof(why)));
	assert_non_null(strstr(why, "none received"));
	assert_non_null(tunnels[0].asker);
	assert_non_null(side_event(TIMELINE_ONEWAY));
	row = side_show_one("warnings", "code", "ONE_WAY");
	assert_non_null(row);
	assert_string_equal(json_string_value(json_object_get(row, "path")), "tunnel t1");
	assert_non_null(strstr(json_string_value(json_object_get(row, "text")), "none received"));
	json_decref(row);
	assert_false(watch_oneway(&tunnels[1], why, sizeof(why)));
	/* A warning: the tunnel is used as before. */
	assert_int_equal(tunnels[0].kernel.state, VGW_TUNNEL_STATE_UP);
	traffic(4, 5, 1);
	assert_false(watch_oneway(&tunnels[0], why, sizeof(why)));
	assert_null(tunnels[0].asker);
	assert_null(side_show_one("warnings", "code", "ONE_WAY"));
	assert_non_null(side_event(TIMELINE_RESTORED));
}

static void test_idle(void **state)
{
	char why[200];

	traffic(3, 5, 5);
	traffic(300, 0, 0);
	assert_false(watch_oneway(&tunnels[0], why, sizeof(why)));
	assert_int_equal(tunnels[0].oneway.probes, 0);
	assert_null(side_event(TIMELINE_ONEWAY));
}

/* The look goes on when the module was away. */
static void test_module_gone(void **state)
{
	char why[200];

	traffic(6, 5, 5);
	gateway.bound = false;
	traffic(30, 5, 0);
	assert_false(watch_oneway(&tunnels[0], why, sizeof(why)));
	gateway.bound = true;
	traffic(40, 5, 0);
	assert_true(watch_oneway(&tunnels[0], why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_oneway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_module_gone, setup, teardown),
	};

	if (!side_enter()) {
		printf("1..0 # SKIP no network namespace of our own\n");
		return 0;
	}
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
