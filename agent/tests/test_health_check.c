// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules 28, 30 and 56 in the agent: a real ping through a device, its verdict in
 * the model of the module, and where packets go then. Both families.
 */
#include "gateway_side.h"

#define ROUTES                                                        \
	"static-routes:\n"                                            \
	"- {prefix: 10.0.0.0/8, tunnel: t1}\n"                        \
	"- {prefix: 10.0.0.0/8, tunnel: t2, weight: 0}\n"             \
	"- {prefix: 11.0.0.0/8, tunnel: t1, on-fail: reserve}\n"      \
	"- {prefix: 12.0.0.0/8, tunnel: t1, on-fail: revoke}\n"       \
	"policy-routes:\n"                                            \
	"- {source: 10.9.0.0/16, destination: 13.0.0.0/8, tunnel: t1}\n"
#define CONFIG(check)                                                                   \
	"customer-gateways:\n- {name: cg1, address: 198.51.100.2}\n"                    \
	"connections:\n- name: c1\n  customer-gateway: cg1\n  tunnels:\n"                \
	"  - name: t1\n    inside-cidr: 169.254.21.0/30\n    interface: lo\n    if-id: 1\n" \
	"    health-check: {interval: 1, retries: 3, recover: 2" check "}\n"            \
	"  - {name: t2, inside-cidr: 169.254.22.0/30, interface: d2, if-id: 2}\n" ROUTES

static const char text4[] = CONFIG("");
static const char text6[] = CONFIG(", source: 'fd00:9::1', destination: 'fd00:9::2'");
static const char text_far[] = CONFIG(", source: 192.0.2.77, destination: 169.254.21.2");

static int teardown(void **state)
{
	side_down();
	side_answers(AF_INET, true);
	side_answers(AF_INET6, true);
	return 0;
}

static void begin(const char *text)
{
	side_up(text);
	health_check_watch(&tunnels[0]);
	liveness_judge(&tunnels[0]);
	side_pass(1500);
}

static void check_good(void)
{
	assert_int_equal(health_check_state(&tunnels[0])->verdict, HEALTH_GOOD);
	assert_false(tunnels[0].failed);
	assert_int_equal(side_way("10.1.0.1"), 1);
	assert_int_equal(side_way("11.1.0.1"), 1);
	assert_int_equal(side_way("12.1.0.1"), 1);
}

static void check_failed(void)
{
	char why[200] = "";

	assert_true(tunnels[0].failed);
	assert_int_equal(tunnels[0].kernel.state, VGW_TUNNEL_STATE_DOWN);
	assert_int_equal(tunnels[0].kernel.reason, VGW_TUNNEL_REASON_FAILED);
	assert_int_equal(side_way("10.1.0.1"), 2);
	assert_int_equal(side_way("11.1.0.1"), -VGW_VERDICT_RESERVED);
	assert_int_equal(side_way("12.1.0.1"), -VGW_VERDICT_DEAD);
	assert_true(liveness_explain(&tunnels[0], why, sizeof(why)));
	assert_non_null(strstr(why, "probes in a row"));
}

static void fail_and_recover(const char *text, uint8_t family)
{
	begin(text);
	check_good();
	side_answers(family, false);
	side_pass(2000);
	check_good();
	side_pass(2500);
	check_failed();
	side_pass(20000);
	check_failed();
	side_answers(family, true);
	side_pass(1000);
	check_failed();
	side_pass(2500);
	check_good();
}

static void test_ipv4(void **state)
{
	fail_and_recover(text4, AF_INET);
}

static void test_ipv6(void **state)
{
	fail_and_recover(text6, AF_INET6);
}

/* "show routes" of a static route: its state, and why. */
static void check_route(const char *prefix, bool effective, const char *why)
{
	json_t *row = side_show_one("routes", "prefix", prefix);
	const char *text = json_string_value(json_object_get(row, "why"));

	assert_non_null(row);
	assert_int_equal(json_is_true(json_object_get(row, "effective")), effective);
	if (why)
		assert_non_null(strstr(text ? text : "", why));
	else
		assert_null(text);
	json_decref(row);
}

static void test_routes_say_why(void **state)
{
	const json_t *hop;
	json_t *row;

	begin(text4);
	check_route("10.0.0.0/8", true, NULL);
	side_answers(AF_INET, false);
	side_pass(4500);
	check_route("10.0.0.0/8", true, NULL);
	check_route("11.0.0.0/8", true, "reserve: its packets are dropped");
	check_route("12.0.0.0/8", false, "every tunnel is dead");
	check_route("13.0.0.0/8", false, "every tunnel is dead");
	row = side_show_one("routes", "prefix", "10.0.0.0/8");
	hop = json_array_get(json_object_get(row, "next_hops"), 0);
	assert_string_equal(json_string_value(json_object_get(hop, "tunnel")), "t1");
	assert_non_null(strstr(json_string_value(json_object_get(hop, "why")),
			       "from 169.254.21.1 to 169.254.21.2 without an answer"));
	hop = json_array_get(json_object_get(row, "next_hops"), 1);
	assert_true(json_is_null(json_object_get(hop, "why")));
	json_decref(row);
}

/* What happened, with its cause. */
static void test_timeline(void **state)
{
	const struct timeline_event *cause, *event;
	json_t *row;

	fail_and_recover(text4, AF_INET);
	cause = side_event(TIMELINE_HEALTH_DOWN);
	assert_non_null(cause);
	assert_string_equal(cause->object, "t1");
	assert_non_null(strstr(cause->text, "169.254.21.2 without an answer"));
	for (enum timeline_kind kind = TIMELINE_TUNNEL_DOWN;; kind = TIMELINE_GROUPS) {
		event = side_event(kind);
		assert_non_null(event);
		assert_string_equal(event->object, "t1");
		assert_int_equal(event->cause, cause->number);
		if (kind == TIMELINE_GROUPS)
			break;
	}
	event = side_event(TIMELINE_RESTORED);
	assert_non_null(event);
	assert_int_equal(event->cause, cause->number);
	row = side_show_one("timeline", "what", "health-failed");
	assert_non_null(row);
	assert_int_equal(json_integer_value(json_object_get(row, "event")), cause->number);
	assert_int_equal(json_integer_value(json_object_get(row, "after_ns")), 0);
	assert_int_equal(strlen(json_string_value(json_object_get(row, "time"))), 30);
	json_decref(row);
}

/* Without an SA there is nothing to ask: the verdict stays, and the reason is the module's. */
static void test_no_sa(void **state)
{
	uint64_t sent;

	begin(text4);
	kernel_model_set_live(gateway.kernel, SIDE_IFINDEX, 1, false);
	side_pass(100);
	sent = health_check_state(&tunnels[0])->sent;
	side_answers(AF_INET, false);
	side_pass(30000);
	assert_int_equal(health_check_state(&tunnels[0])->sent, sent);
	assert_false(tunnels[0].failed);
	assert_int_equal(tunnels[0].kernel.reason, VGW_TUNNEL_REASON_NO_SA);
	kernel_model_set_live(gateway.kernel, SIDE_IFINDEX, 1, true);
	side_pass(100);
	assert_int_equal(side_way("10.1.0.1"), 1);
	side_pass(4500);
	check_failed();
	/* A failed one without SA says so, too: somebody has to make one. */
	kernel_model_set_live(gateway.kernel, SIDE_IFINDEX, 1, false);
	side_pass(100);
	assert_true(tunnels[0].failed);
	side_answers(AF_INET, true);
	kernel_model_set_live(gateway.kernel, SIDE_IFINDEX, 1, true);
	side_pass(4000);
	check_good();
}

/* A check that cannot be done is a warning, not a failure. */
static void test_cannot(void **state)
{
	json_t *row;

	begin(text_far);
	side_pass(30000);
	assert_int_equal(health_check_state(&tunnels[0])->verdict, HEALTH_WAITING);
	assert_non_null(strstr(health_check_error(&tunnels[0]), "192.0.2.77 is no address"));
	assert_int_equal(side_way("10.1.0.1"), 1);
	row = side_show_one("warnings", "code", "HEALTH_CHECK");
	assert_non_null(row);
	assert_string_equal(json_string_value(json_object_get(row, "path")), "tunnel t1");
	json_decref(row);
	assert_int_equal(system("ip address add 192.0.2.77/32 dev lo"), 0);
	side_pass(2500);
	assert_int_equal(health_check_state(&tunnels[0])->verdict, HEALTH_GOOD);
	assert_string_equal(health_check_error(&tunnels[0]), "");
	assert_int_equal(system("ip address del 192.0.2.77/32 dev lo"), 0);
}

/* The section goes while the check has failed, and comes with other values. */
static void test_reconfigure(void **state)
{
	struct config_health *health;

	begin(text4);
	side_answers(AF_INET, false);
	side_pass(4500);
	check_failed();
	health = ((struct config_tunnel *)tunnels[0].config)->health;
	((struct config_tunnel *)tunnels[0].config)->health = NULL;
	liveness_watch(&tunnels[0]);
	side_pass(200);
	assert_null(health_check_state(&tunnels[0]));
	assert_false(tunnels[0].failed);
	assert_int_equal(side_way("11.1.0.1"), 1);
	assert_non_null(side_event(TIMELINE_RESTORED));
	((struct config_tunnel *)tunnels[0].config)->health = health;
	health->retries = 1;
	liveness_watch(&tunnels[0]);
	side_pass(1500);
	check_failed();
	/* Other timing keeps the verdict, another path begins anew. */
	health->interval = 2;
	liveness_watch(&tunnels[0]);
	assert_int_equal(health_check_state(&tunnels[0])->verdict, HEALTH_FAILED);
	assert_true(addr_parse("fd00:9::2", &health->destination));
	assert_true(addr_parse("fd00:9::1", &health->source));
	liveness_watch(&tunnels[0]);
	assert_int_equal(health_check_state(&tunnels[0])->verdict, HEALTH_WAITING);
	side_pass(2500);
	check_good();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_ipv4, teardown),
		cmocka_unit_test_teardown(test_ipv6, teardown),
		cmocka_unit_test_teardown(test_routes_say_why, teardown),
		cmocka_unit_test_teardown(test_timeline, teardown),
		cmocka_unit_test_teardown(test_no_sa, teardown),
		cmocka_unit_test_teardown(test_cannot, teardown),
		cmocka_unit_test_teardown(test_reconfigure, teardown),
	};

	if (!side_enter()) {
		printf("1..0 # SKIP no network namespace of our own\n");
		return 0;
	}
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
