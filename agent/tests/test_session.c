// SPDX-License-Identifier: GPL-2.0-only
/* Two sessions of ours with each other over TCP on the loopback. */
#include <errno.h>
#include <unistd.h>

#include "bgp_side.h"

static bool both_up(void)
{
	return side_state(&a) == SESSION_ESTABLISHED && side_state(&b) == SESSION_ESTABLISHED;
}

static bool a_down(void)
{
	return a.downs;
}

static bool b_down(void)
{
	return b.downs;
}

static void open_both(const struct session_config *ca, const struct session_config *cb)
{
	side_open(&a, ca);
	side_open(&b, cb);
	session_start(a.session);
	session_start(b.session);
}

static void open_default(void)
{
	struct session_config ca = config_a(), cb = config_b();

	open_both(&ca, &cb);
	wait_for(both_up, 5000);
}

static int announce(struct side *side, const char *prefix, uint32_t med)
{
	const struct attrs *attrs = attrs_intern(&(struct attrs){ .has_med = true, .med = med });
	struct prefix p = prefix_of(prefix);
	int ret = session_announce(side->session, &p, attrs);

	attrs_put(attrs);
	return ret;
}

static int withdraw(struct side *side, const char *prefix)
{
	struct prefix p = prefix_of(prefix);

	return session_withdraw(side->session, &p);
}

static const struct attrs *route_of(struct side *side, const char *prefix)
{
	struct prefix p = prefix_of(prefix);

	return pmap_get(&side->routes, &p);
}

static bool b_eor4(void)
{
	return b.eors[SESSION_IPV4];
}

static bool b_eor6(void)
{
	return b.eors[SESSION_IPV6];
}

/* Both connect at the same time: one connection is left, and it stays. */
static void test_both_active(void **state)
{
	const struct session_info *info;

	open_default();
	wait_pass(300);
	assert_true(both_up());
	assert_int_equal(a.ups + b.ups, 2);
	assert_int_equal(a.downs + b.downs, 0);
	info = session_info(a.session);
	assert_int_equal(info->peer_as, 65001);
	assert_int_equal(info->peer_id, 0x0a000002);
	assert_int_equal(info->hold_time, 30);
	assert_int_equal(info->keepalive, 10);
	assert_true(info->as4 && info->refresh && info->enhanced_refresh);
	assert_true(info->afi[SESSION_IPV4] && info->afi[SESSION_IPV6]);
	assert_true(info->graceful_restart && !info->peer_restarting);
	assert_int_equal(info->peer_restart_time, 120);
	assert_true(addr_equal(&info->local, &(struct addr){ AF_INET, { 127, 0, 0, 1 } }));
	assert_int_equal(info->established_count, 1);
}

static void test_passive(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.passive = true;
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	assert_int_equal(a.downs + b.downs, 0);
}

static bool b_has_three(void)
{
	return pmap_count(&b.routes) == 3 && b.eors[SESSION_IPV4] && b.eors[SESSION_IPV6];
}

static bool b_has_one(void)
{
	return pmap_count(&b.routes) == 1;
}

static void test_routes(void **state)
{
	const struct attrs *r;
	struct addr hop6;
	char path[50];

	open_default();
	b.eor_expects = 2;
	assert_int_equal(announce(&a, "10.1.0.0/16", 7), 0);
	assert_int_equal(announce(&a, "0.0.0.0/0", 7), 0);
	assert_int_equal(announce(&a, "2001:db8:1::/48", 8), 0);
	session_end_of_rib(a.session, SESSION_IPV4);
	session_end_of_rib(a.session, SESSION_IPV6);
	wait_for(b_has_three, 2000);
	assert_false(b.eor_early);
	assert_true(session_info(a.session)->eor_sent[SESSION_IPV6]);
	assert_true(session_info(b.session)->eor_received[SESSION_IPV4]);
	r = route_of(&b, "10.1.0.0/16");
	assert_string_equal(attrs_format_path(r, path, sizeof(path)), "65000");
	assert_int_equal(r->med, 7);
	assert_true(addr_equal(&r->next_hop, &session_info(a.session)->local));
	r = route_of(&b, "2001:db8:1::/48");
	hop6 = addr_of("2001:db8::a");
	assert_true(addr_equal(&r->next_hop, &hop6));
	/* The two IPv4 prefixes were packed: one UPDATE for them, one for IPv6, two marks. */
	assert_int_equal(session_info(a.session)->updates_out, 4);
	assert_int_equal(withdraw(&a, "10.1.0.0/16"), 0);
	assert_int_equal(withdraw(&a, "2001:db8:1::/48"), 0);
	wait_for(b_has_one, 2000);
	assert_non_null(route_of(&b, "0.0.0.0/0"));
	assert_int_equal(session_backlog(a.session), 0);
}

/* Many prefixes, most of them changed while they wait: the last state arrives, and in the end
 * the End-of-RIB. */
static void test_many(void **state)
{
	const struct attrs *sets[50];
	size_t left = 0;

	open_default();
	for (uint32_t i = 0; i < 50; i++)
		sets[i] = attrs_intern(&(struct attrs){ .has_med = true, .med = i });
	for (uint32_t round = 0; round < 3; round++) {
		left = 0;
		for (uint32_t i = 0; i < 100000; i++) {
			struct prefix p = { .addr = { AF_INET, { 10, (uint8_t)(i >> 16),
					    (uint8_t)(i >> 8), (uint8_t)i } }, .len = 32 };
			bool gone = (i + round) % 5 == 0;

			left += !gone;
			assert_int_equal(gone ? session_withdraw(a.session, &p) :
					 session_announce(a.session, &p, sets[(i + round) % 50]),
					 0);
		}
	}
	b.eor_expects = left;
	session_end_of_rib(a.session, SESSION_IPV4);
	assert_true(session_backlog(a.session) >= 500000);
	wait_for(b_eor4, 30000);
	assert_false(b.eor_early);
	assert_int_equal(pmap_count(&b.routes), left);
	for (uint32_t i = 0; i < 100000; i++) {
		struct prefix p = { .addr = { AF_INET, { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				    (uint8_t)i } }, .len = 32 };
		const struct attrs *r = pmap_get(&b.routes, &p);

		assert_int_equal(!r, (i + 2) % 5 == 0);
		assert_true(!r || r->med == (i + 2) % 50);
	}
	/* 5 octets each, 50 sets: far from one UPDATE a prefix. */
	assert_in_range(session_info(a.session)->updates_out, 100, 400);
	for (int i = 0; i < 50; i++)
		attrs_put(sets[i]);
}

static void test_internal_peer(void **state)
{
	struct session_config ca = config_a(), cb = config_b();
	const struct attrs *r;

	ca.peer_as = cb.local_as = cb.peer_as = ca.local_as;
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	announce(&a, "10.0.0.0/8", 1);
	session_end_of_rib(a.session, SESSION_IPV4);
	wait_for(b_eor4, 2000);
	r = route_of(&b, "10.0.0.0/8");
	assert_int_equal(r->n_segments, 0);
	assert_true(r->has_local_pref && r->local_pref == 100);
}

/* Without an IPv6 next hop there is no IPv6 to announce over IPv4. */
static void test_family_without_next_hop(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.next_hop6 = (struct addr){ .family = AF_UNSPEC };
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	assert_false(session_info(b.session)->afi[SESSION_IPV6]);
	assert_int_equal(announce(&b, "2001:db8::/32", 1), -EAFNOSUPPORT);
	assert_int_equal(announce(&b, "10.0.0.0/8", 1), 0);
}

static void test_ipv6_transport(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	/* One address is all that the loopback has: tell them apart by the port. */
	ca.local = ca.peer = cb.local = cb.peer = addr_of("::1");
	ca.next_hop6 = cb.next_hop6 = (struct addr){ .family = AF_UNSPEC };
	cb.peer_as = 65000;
	ca.passive = true;
	cb.afi[SESSION_IPV4] = false;
	side_open(&a, &ca);
	session_start(a.session);
	if (strstr(side_error(&a), "cannot listen")) {
		print_message("no IPv6 here\n");
		skip();
	}
	/* b cannot listen on the same address and port, and need not. */
	side_open(&b, &cb);
	session_start(b.session);
	wait_for(both_up, 5000);
	assert_false(session_info(a.session)->afi[SESSION_IPV4]);
	assert_int_equal(announce(&b, "2001:db8::/32", 1), 0);
}

/* IPv4 alone over IPv6: nothing to announce with; the session says so and stays idle. */
static void test_no_family(void **state)
{
	struct session_config ca = config_a();

	ca.local = ca.peer = addr_of("::1");
	ca.afi[SESSION_IPV6] = false;
	side_open(&a, &ca);
	session_start(a.session);
	assert_int_equal(side_state(&a), SESSION_IDLE);
	assert_non_null(strstr(side_error(&a), "no address family"));
}

static void test_not_connected(void **state)
{
	struct session_config ca = config_a();

	side_open(&a, &ca);
	assert_int_equal(announce(&a, "10.0.0.0/8", 1), -ENOTCONN);
	assert_int_equal(withdraw(&a, "10.0.0.0/8"), -ENOTCONN);
	assert_int_equal(session_request_refresh(a.session, SESSION_IPV4), -ENOTCONN);
	session_end_of_rib(a.session, SESSION_IPV4);
	session_stop(a.session, BGP_CEASE_SHUTDOWN, NULL);
	session_kick(a.session);
	assert_int_equal(a.downs, 0);
	assert_int_equal(session_backlog(a.session), 0);
}

static void test_stop_with_text(void **state)
{
	open_default();
	session_stop(a.session, BGP_CEASE_SHUTDOWN, "new firmware");
	assert_int_equal(a.downs, 1);
	assert_int_equal(a.reason, SESSION_DOWN_STOPPED);
	assert_int_equal(side_state(&a), SESSION_IDLE);
	assert_true(session_info(a.session)->last_sent);
	wait_for(b_down, 2000);
	assert_int_equal(b.reason, SESSION_DOWN_NOTIFICATION_IN);
	assert_int_equal(session_info(b.session)->last_code, BGP_ERROR_CEASE);
	assert_int_equal(session_info(b.session)->last_subcode, BGP_CEASE_SHUTDOWN);
	assert_false(session_info(b.session)->last_sent);
	assert_string_equal(side_error(&b),
			    "the peer sent: Cease / Administrative Shutdown: new firmware");
	/* Stopped is stopped, and a start is a start. */
	wait_pass(1500);
	assert_int_equal(side_state(&a), SESSION_IDLE);
	session_start(a.session);
	wait_for(both_up, 5000);
}

/* Freed right after the stop, and with much unread from the peer: the text still arrives. */
static void test_stop_and_free(void **state)
{
	open_default();
	for (uint32_t i = 0; i < 50000; i++) {
		struct prefix p = { .addr = { AF_INET, { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				    (uint8_t)i } }, .len = 32 };
		const struct attrs *set = attrs_intern(&(struct attrs){ .med = i % 1000,
							.has_med = true });

		session_announce(b.session, &p, set);
		attrs_put(set);
	}
	session_stop(a.session, BGP_CEASE_DECONFIGURED, NULL);
	session_free(a.session);
	a.session = NULL;
	wait_for(b_down, 2000);
	assert_int_equal(session_info(b.session)->last_subcode, BGP_CEASE_DECONFIGURED);
}

static void test_stop_silently(void **state)
{
	open_default();
	session_stop(a.session, 0, NULL);
	wait_for(b_down, 2000);
	assert_int_equal(b.reason, SESSION_DOWN_TRANSPORT);
	/* What was negotiated can still be asked for after the call of down(). */
	assert_true(session_info(b.session)->graceful_restart);
	assert_int_equal(session_info(b.session)->last_code, 0);
}

static bool again_up(void)
{
	return both_up() && a.ups == 2;
}

/* The first OPEN says restarting, the next one not; forwarding state was kept in both. */
static void test_restart_bits(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.restarting = true;
	ca.forwarding_kept = true;
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	assert_true(session_info(b.session)->peer_restarting);
	assert_true(session_info(b.session)->peer_forwarding[SESSION_IPV4]);
	assert_true(session_info(b.session)->peer_restart_afi[SESSION_IPV6]);
	assert_false(session_info(a.session)->peer_forwarding[SESSION_IPV4]);
	session_stop(a.session, 0, NULL);
	session_start(a.session);
	wait_for(again_up, 5000);
	assert_false(session_info(b.session)->peer_restarting);
	assert_true(session_info(b.session)->peer_forwarding[SESSION_IPV6]);
	/* b has run on too, whatever its configuration said about its start. */
	assert_true(session_info(a.session)->peer_forwarding[SESSION_IPV4]);
}

/* What was queued for a session that ended is not told to the next one. */
static void test_queue_ends_with_session(void **state)
{
	open_default();
	assert_int_equal(announce(&a, "10.0.0.0/8", 1), 0);
	session_stop(a.session, 0, NULL);
	assert_int_equal(session_backlog(a.session), 0);
	session_start(a.session);
	wait_for(again_up, 5000);
	assert_int_equal(session_backlog(a.session), 0);
	session_end_of_rib(a.session, SESSION_IPV4);
	wait_for(b_eor4, 2000);
	assert_int_equal(pmap_count(&b.routes), 0);
}

static void test_no_graceful_restart(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.restart_time = 0;
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	assert_false(session_info(a.session)->graceful_restart);
	assert_false(session_info(b.session)->graceful_restart);
	assert_int_equal(session_info(b.session)->peer_restart_time, 0);
}

static bool a_refused(void)
{
	return session_info(a.session)->last_code;
}

static void test_accept_open(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	b.refuse = "router-id is that of this gateway";
	open_both(&ca, &cb);
	wait_for(a_refused, 5000);
	assert_int_equal(session_info(a.session)->last_code, BGP_ERROR_CEASE);
	assert_int_equal(session_info(a.session)->last_subcode, BGP_CEASE_REJECTED);
	assert_non_null(strstr(side_error(&a), "router-id is that of this gateway"));
	assert_int_equal(a.ups + b.ups + a.downs + b.downs, 0);
}

static void test_wrong_as(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	cb.peer_as = 65009;
	open_both(&ca, &cb);
	wait_for(a_refused, 5000);
	assert_int_equal(session_info(a.session)->last_code, BGP_ERROR_OPEN);
	assert_int_equal(session_info(a.session)->last_subcode, BGP_OPEN_PEER_AS);
}

static void test_four_octet_as(void **state)
{
	struct session_config ca = config_a(), cb = config_b();
	char path[50];

	ca.local_as = cb.peer_as = 4200000001;
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	assert_int_equal(session_info(b.session)->peer_as, 4200000001);
	announce(&a, "10.0.0.0/8", 1);
	session_end_of_rib(a.session, SESSION_IPV4);
	wait_for(b_eor4, 2000);
	assert_string_equal(attrs_format_path(route_of(&b, "10.0.0.0/8"), path, sizeof(path)),
			    "4200000001");
}

static void refresh_again(struct side *side, enum session_afi afi)
{
	announce(side, "10.9.0.0/16", 9);
}

static bool b_refreshed(void)
{
	return b.refresh_ends;
}

static void test_refresh(void **state)
{
	open_default();
	a.on_refresh = refresh_again;
	/* RFC 7313: no marks before the first End-of-RIB. */
	assert_int_equal(session_request_refresh(b.session, SESSION_IPV4), 0);
	wait_for(b_has_one, 2000);
	assert_int_equal(a.refreshes, 1);
	session_end_of_rib(a.session, SESSION_IPV4);
	wait_for(b_eor4, 2000);
	assert_int_equal(b.refresh_begins + b.refresh_ends, 0);
	assert_int_equal(session_request_refresh(b.session, SESSION_IPV4), 0);
	wait_for(b_refreshed, 2000);
	assert_int_equal(a.refreshes, 2);
	assert_int_equal(b.refresh_begins, 1);
	assert_non_null(route_of(&b, "10.9.0.0/16"));
}

/* A session may be stopped in any callback. */
static bool b_idle(void)
{
	return side_state(&b) == SESSION_IDLE;
}

static bool b_idle_or_fed(void)
{
	return b_idle() || b.eors[SESSION_IPV4];
}

static void stop_in(const char *where)
{
	struct session_config ca = config_a(), cb = config_b();

	a.on_refresh = refresh_again;
	b.stop_in = where;
	open_both(&ca, &cb);
	if (strcmp(where, "accept_open")) {
		wait_for(both_up, 5000);
		announce(&a, "10.1.0.0/16", 1);
		announce(&a, "10.2.0.0/16", 1);
		announce(&a, "10.3.0.0/16", 2);
		session_end_of_rib(a.session, SESSION_IPV4);
		wait_for(b_idle_or_fed, 2000);
	}
	if (!b_idle() && !strcmp(where, "down")) {
		session_stop(a.session, BGP_CEASE_RESET, NULL);
	} else if (!b_idle()) {
		withdraw(&a, "10.1.0.0/16");
		withdraw(&a, "10.2.0.0/16");
		session_request_refresh(b.session, SESSION_IPV4);
		session_request_refresh(a.session, SESSION_IPV4);
	}
	wait_for(b_idle, 2000);
	assert_int_equal(b.downs, strcmp(where, "accept_open") ? 1 : 0);
	session_stop(a.session, BGP_CEASE_SHUTDOWN, NULL);
}

static bool b_idle_once_up(void)
{
	return b.ups && side_state(&b) == SESSION_IDLE;
}

static void test_stop_in_callbacks(void **state)
{
	static const char *const where[] = { "route", "withdraw", "update_end", "end_of_rib",
					     "refresh", "refresh_begin", "refresh_end", "down",
					     "accept_open" };
	struct session_config ca, cb;

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		stop_in(where[i]);
		sides_teardown(state);
		sides_setup(state);
	}
	ca = config_a();
	cb = config_b();
	b.stop_in = "established";
	open_both(&ca, &cb);
	wait_for(b_idle_once_up, 5000);
	wait_pass(50);
	assert_int_equal(b.downs, 1);
}

/* No device yet: no reason to give up, and none to fill the log. */
static void test_device_missing(void **state)
{
	struct session_config cb = config_b();
	int saved = dup(STDERR_FILENO);
	FILE *log = tmpfile();
	unsigned int lines = 0;
	char line[300];

	assert_true(saved >= 0 && log && dup2(fileno(log), STDERR_FILENO) >= 0);
	log_set_level(LOG_LEVEL_WARNING);
	cb.device = "vgwnodev0";
	side_open(&b, &cb);
	session_start(b.session);
	wait_pass(3300);
	assert_int_equal(side_state(&b), SESSION_ACTIVE);
	assert_non_null(strstr(side_error(&b), "No such device"));
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	/* Listening and connecting, once each. */
	rewind(log);
	while (fgets(line, sizeof(line), log))
		lines++;
	fclose(log);
	assert_int_equal(lines, 2);
}

/* The device of both is the loopback: works when the kernel lets us bind to it. */
static void test_device(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	if (geteuid())
		skip();
	ca.device = cb.device = "lo";
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
}

static bool needs_md5(void)
{
	return strstr(side_error(&a), "cannot") && strstr(side_error(&a), "Protocol not");
}

static void test_md5(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.md5 = cb.md5 = "a good secret";
	side_open(&a, &ca);
	session_start(a.session);
	if (needs_md5()) {
		print_message("no TCP MD5 in this kernel\n");
		skip();
	}
	side_open(&b, &cb);
	session_start(b.session);
	wait_for(both_up, 5000);
}

static void test_md5_wrong(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.md5 = "a good secret";
	cb.md5 = "another one";
	open_both(&ca, &cb);
	wait_pass(1500);
	assert_int_equal(a.ups + b.ups, 0);
}

/* A key that the kernel cannot take must not mean a session without a key. */
static void test_md5_too_long(void **state)
{
	struct session_config ca = config_a(), cb = config_b();
	char key[100];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	ca.md5 = key;
	open_both(&ca, &cb);
	wait_pass(1500);
	assert_int_equal(a.ups + b.ups, 0);
}

static void test_gtsm(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.gtsm = cb.gtsm = true;
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
}

static void test_gtsm_far(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.gtsm = true;
	cb.ttl = 254;
	open_both(&ca, &cb);
	wait_pass(1500);
	assert_int_equal(a.ups + b.ups, 0);
}

/* Without a local address the kernel chooses one, for the next hop too. */
static void test_no_local(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	ca.local = (struct addr){ .family = AF_UNSPEC };
	ca.passive = true;
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	assert_int_equal(session_info(a.session)->local.b[3], 1);
	assert_int_equal(announce(&a, "10.0.0.0/8", 1), 0);
	wait_for(b_has_one, 2000);
	assert_int_equal(route_of(&b, "10.0.0.0/8")->next_hop.b[3], 1);
}

/* Three sessions of one address share a listener; the last to go closes it. */
static void test_shared_listener(void **state)
{
	struct session_config ca = config_a(), cb = config_b(), cc = config_a();
	struct side c = { 0 };

	cc.name = "c";
	cc.peer = addr_of("127.0.0.3");
	ca.passive = true;
	side_open(&c, &cc);
	session_start(c.session);
	open_both(&ca, &cb);
	wait_for(both_up, 5000);
	session_free(c.session);
	session_stop(b.session, 0, NULL);
	wait_for(a_down, 2000);
	session_start(b.session);
	wait_for(both_up, 5000);
	/* The same peer twice is a mistake that is told. */
	cc.peer = ca.peer;
	cc.passive = true;
	memset(&c, 0, sizeof(c));
	side_open(&c, &cc);
	session_start(c.session);
	assert_non_null(strstr(side_error(&c), "cannot listen"));
	session_free(c.session);
}

/* Sessions come and go at random; in the end both are up and agree. */
static void test_flaps(void **state)
{
	struct session_config ca = config_a(), cb = config_b();

	srand(8);
	open_both(&ca, &cb);
	for (int i = 0; i < 300; i++) {
		struct side *side = rand() % 2 ? &a : &b;

		switch (rand() % 5) {
		case 0:
			session_stop(side->session, 0, NULL);
			break;
		case 1:
			session_stop(side->session, BGP_CEASE_RESET, "again");
			break;
		case 2:
			session_kick(side->session);
			break;
		default:
			session_start(side->session);
		}
		wait_pass((unsigned int)rand() % 8);
	}
	for (struct side *side = &a;; side = &b) {
		session_stop(side->session, 0, NULL);
		session_start(side->session);
		if (side == &b)
			break;
	}
	wait_for(both_up, 10000);
	assert_int_equal(a.ups, a.downs + 1);
	assert_int_equal(b.ups, b.downs + 1);
	announce(&a, "10.0.0.0/8", 1);
	session_end_of_rib(a.session, SESSION_IPV6);
	b.eors[SESSION_IPV6] = 0;
	wait_for(b_eor6, 2000);
}

#define sided(f) cmocka_unit_test_setup_teardown(f, sides_setup, sides_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sided(test_both_active),
		sided(test_passive),
		sided(test_routes),
		sided(test_many),
		sided(test_internal_peer),
		sided(test_family_without_next_hop),
		sided(test_ipv6_transport),
		sided(test_no_family),
		sided(test_not_connected),
		sided(test_stop_with_text),
		sided(test_stop_and_free),
		sided(test_stop_silently),
		sided(test_restart_bits),
		sided(test_queue_ends_with_session),
		sided(test_no_graceful_restart),
		sided(test_accept_open),
		sided(test_wrong_as),
		sided(test_four_octet_as),
		sided(test_refresh),
		sided(test_stop_in_callbacks),
		sided(test_device_missing),
		sided(test_device),
		sided(test_md5),
		sided(test_md5_wrong),
		sided(test_md5_too_long),
		sided(test_gtsm),
		sided(test_gtsm_far),
		sided(test_no_local),
		sided(test_shared_listener),
		sided(test_flaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
