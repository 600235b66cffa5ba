// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 routes with IPv6 next hops (RFC 8950): two sessions of ours over IPv6. */
#include "bgp_netns.h"
#include "bgp_raw.h"

static bool allowed;

static int setup(void **state)
{
	allowed = netns_enter("ip link set lo up && ip address add 2001:db8::a/128 dev lo nodad && "
			      "ip address add 2001:db8::b/128 dev lo nodad");
	return 0;
}

static bool both_up(void)
{
	return side_state(&a) == SESSION_ESTABLISHED && side_state(&b) == SESSION_ESTABLISHED;
}

static bool a_refused(void)
{
	return session_info(a.session)->last_code;
}

static bool b_told(void)
{
	return b.eors[SESSION_IPV4];
}

static void open_sides(bool a_can, bool b_can, bool ipv6)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.local = cb.peer = addr_of("2001:db8::a");
	cb.local = ca.peer = addr_of("2001:db8::b");
	ca.next_hop6 = cb.next_hop6 = (struct addr){ .family = AF_UNSPEC };
	ca.afi[SESSION_IPV6] = cb.afi[SESSION_IPV6] = ipv6;
	ca.extended_next_hop = a_can;
	cb.extended_next_hop = b_can;
	side_open(&a, &ca);
	side_open(&b, &cb);
	session_start(a.session);
	session_start(b.session);
}

static void test_routes(void **state)
{
	const struct attrs *set;
	const struct attrs *got;
	struct addr hop = addr_of("2001:db8::a");
	struct prefix p4 = prefix_of("10.1.0.0/16"), p6 = prefix_of("2001:db8:1::/48");

	if (!allowed)
		skip();
	open_sides(true, true, true);
	wait_for(both_up, 5000);
	assert_true(session_info(a.session)->extended_next_hop);
	assert_true(session_info(b.session)->afi[SESSION_IPV4]);
	set = attrs_intern(&(struct attrs){ .has_med = true, .med = 5 });
	assert_int_equal(session_announce(a.session, &p4, set), 0);
	assert_int_equal(session_announce(a.session, &p6, set), 0);
	attrs_put(set);
	session_end_of_rib(a.session, SESSION_IPV4);
	wait_for(b_told, 2000);
	got = pmap_get(&b.routes, &p4);
	assert_non_null(got);
	assert_true(addr_equal(&got->next_hop, &hop));
	assert_int_equal(got->med, 5);
	/* One set, two families, the same next hop: nothing tells the sets apart. */
	session_withdraw(a.session, &p4);
	b.eors[SESSION_IPV4] = 0;
	session_end_of_rib(a.session, SESSION_IPV4);
	wait_for(b_told, 2000);
	assert_null(pmap_get(&b.routes, &p4));
	assert_non_null(pmap_get(&b.routes, &p6));
	assert_int_equal(session_info(b.session)->updates_malformed, 0);
}

/* One side cannot: IPv6 goes on alone. */
static void test_one_side(void **state)
{
	if (!allowed)
		skip();
	open_sides(true, false, true);
	wait_for(both_up, 5000);
	assert_false(session_info(a.session)->extended_next_hop);
	assert_false(session_info(a.session)->afi[SESSION_IPV4]);
	assert_true(session_info(a.session)->afi[SESSION_IPV6]);
	assert_int_equal(session_info(a.session)->last_code, 0);
}

/* A peer that has IPv4 routes, but none with IPv6 next hops: they are not for us. */
static void test_without_capability(void **state)
{
	struct session_config ca = config_a();

	if (!allowed)
		skip();
	ca.local = addr_of("2001:db8::a");
	ca.peer = addr_of("2001:db8::b");
	ca.next_hop6 = (struct addr){ .family = AF_UNSPEC };
	ca.passive = ca.extended_next_hop = true;
	start_a(&ca);
	raw_connect_to(&raw, "2001:db8::b", "2001:db8::a", TEST_PORT);
	raw_expect(&raw, BGP_OPEN);
	raw_send_hex(&raw, BGP_OPEN, OPEN_NEW);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(a_up, 2000);
	assert_false(session_info(a.session)->afi[SESSION_IPV4]);
	assert_true(session_info(a.session)->afi[SESSION_IPV6]);
}

/* Nothing else to talk about: the session says why it ends. */
static void test_nothing_in_common(void **state)
{
	struct session_config cb = config_b();

	if (!allowed)
		skip();
	open_sides(true, false, false);
	/* b has no family at all then, so it never starts; let it offer IPv6. */
	session_free(b.session);
	cb.local = addr_of("2001:db8::b");
	cb.peer = addr_of("2001:db8::a");
	side_open(&b, &cb);
	session_start(b.session);
	wait_for(a_refused, 5000);
	assert_int_equal(session_info(a.session)->last_code, BGP_ERROR_OPEN);
	assert_int_equal(session_info(a.session)->last_subcode, BGP_OPEN_CAPABILITY);
	assert_int_equal(a.ups + b.ups, 0);
}

#define sided(f) cmocka_unit_test_setup_teardown(f, raw_setup, raw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sided(test_routes),
		sided(test_one_side),
		sided(test_without_capability),
		sided(test_nothing_in_common),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
