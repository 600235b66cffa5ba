// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session against a scripted peer on a raw socket: what no good speaker does.
 * The session is a (127.0.0.1, AS 65000, identifier 10.0.0.1), mostly passive;
 * the peer is 127.0.0.2, AS 65001.
 */
#include <sys/resource.h>
#include <time.h>

#include "bgp_cases.h"
#include "bgp_raw.h"

static bool a_active(void)
{
	return side_state(&a) == SESSION_ACTIVE;
}

static bool a_not_open(void)
{
	return side_state(&a) < SESSION_OPEN_SENT;
}

static void test_open_refused(void **state)
{
	static const struct {
		const char *name, *open;
		uint8_t code, subcode;
	} cases[] = {
		{ "version", "03 fde9 001e 0a000002 00", 2, 1 },
		{ "AS", "04 fdea 001e 0a000002 00", 2, 2 },
		{ "AS 0", "04 0000 001e 0a000002 00", 2, 2 },
		{ "AS of the capability", "04 fde9 001e 0a000002 08 0206 41040000fdea", 2, 2 },
		{ "identifier 0", "04 fde9 001e 00000000 00", 2, 3 },
		{ "hold time 1", "04 fde9 0001 0a000002 00", 2, 6 },
		{ "hold time 2", "04 fde9 0002 0a000002 00", 2, 6 },
		{ "option", "04 fde9 001e 0a000002 02 0100", 2, 4 },
		{ "capability too long", "04 fde9 001e 0a000002 04 02024101", 2, 0 },
		{ "families", "04 fde9 001e 0a000002 08 0206 010400190041", 2, 7 },
	};
	struct session_config ca = config_a();

	ca.passive = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_a(&ca);
		raw_connect(&raw);
		raw_expect(&raw, BGP_OPEN);
		raw_send_hex(&raw, BGP_OPEN, cases[i].open);
		raw_expect_notification(&raw, cases[i].code, cases[i].subcode);
		raw_close(&raw);
		assert_int_equal(session_info(a.session)->last_code, cases[i].code);
		assert_true(session_info(a.session)->last_sent);
		session_free(a.session);
	}
	a.session = NULL;
	assert_int_equal(a.ups + a.downs, 0);
}

/* Same AS and same identifier: ourselves. Same identifier in another AS: fine (RFC 6286). */
static void test_open_identifier(void **state)
{
	struct session_config ca = config_a();

	ca.passive = true;
	ca.peer_as = ca.local_as;
	start_a(&ca);
	raw_connect(&raw);
	raw_expect(&raw, BGP_OPEN);
	raw_send_hex(&raw, BGP_OPEN, "04 fde8 001e 0a000001 00");
	raw_expect_notification(&raw, 2, 3);
	raw_close(&raw);
	session_free(a.session);
	start_passive();
	raw_establish(&raw, "04 fde9 001e 0a000001 00");
}

static void test_hold_negotiated(void **state)
{
	start_passive();
	raw_establish(&raw, "04 fde9 0003 0a000002 00");
	assert_int_equal(session_info(a.session)->hold_time, 3);
	assert_int_equal(session_info(a.session)->keepalive, 1);
	assert_false(session_info(a.session)->as4 || session_info(a.session)->refresh);
	assert_false(session_info(a.session)->afi[SESSION_IPV6]);
	/* KEEPALIVEs come, and then silence has its end. */
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_expect_notification(&raw, BGP_ERROR_HOLD, 0);
	assert_int_equal(a.downs, 1);
	assert_int_equal(a.reason, SESSION_DOWN_HOLD);
}

static void test_hold_zero(void **state)
{
	start_passive();
	raw_establish(&raw, "04 fde9 0000 0a000002 00");
	assert_int_equal(session_info(a.session)->hold_time, 0);
	wait_pass(500);
	assert_true(a_up());
}

static void test_fsm_errors(void **state)
{
	static const struct {
		uint8_t type, subcode;
		int phase; /* 0: OpenSent, 1: OpenConfirm, 2: established */
		const char *body;
	} cases[] = {
		{ BGP_KEEPALIVE, 1, 0, "" },
		{ BGP_UPDATE, 1, 0, "00000000" },
		{ BGP_ROUTE_REFRESH, 1, 0, "00010001" },
		{ BGP_OPEN, 2, 1, OPEN_NEW },
		{ BGP_UPDATE, 2, 1, "00000000" },
		{ BGP_ROUTE_REFRESH, 2, 1, "00010001" },
		{ BGP_OPEN, 3, 2, OPEN_NEW },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_passive();
		if (cases[i].phase == 2) {
			raw_establish(&raw, OPEN_NEW);
		} else {
			raw_connect(&raw);
			raw_expect(&raw, BGP_OPEN);
		}
		if (cases[i].phase == 1) {
			raw_send_hex(&raw, BGP_OPEN, OPEN_NEW);
			raw_expect(&raw, BGP_KEEPALIVE);
		}
		raw_send_hex(&raw, cases[i].type, cases[i].body);
		raw_expect_notification(&raw, BGP_ERROR_FSM, cases[i].subcode);
		assert_int_equal(raw.body_len, 3);
		assert_int_equal(raw.body[2], cases[i].type);
		raw_close(&raw);
		session_free(a.session);
	}
	a.session = NULL;
}

static void test_header_errors(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t subcode;
	} cases[] = {
		{ "ff*15 fe 0013 04", 1 },
		{ "ff*16 0012 04", 2 },
		{ "ff*16 1001 02", 2 },
		{ "ff*16 0014 04 00", 2 },
		{ "ff*16 0013 09", 3 },
		{ "00*19", 1 },
		{ "47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a 0d 0a", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[64];
		size_t len = hex(cases[i].bytes, bytes, sizeof(bytes));

		start_passive();
		raw_connect(&raw);
		raw_expect(&raw, BGP_OPEN);
		/* Byte by byte: a message has no duty to come in one piece. */
		for (size_t j = 0; j < len; j++) {
			assert_int_equal(send(raw.fd, bytes + j, 1, MSG_NOSIGNAL), 1);
			wait_pass(1);
		}
		raw_expect_notification(&raw, BGP_ERROR_HEADER, cases[i].subcode);
		raw_close(&raw);
		session_free(a.session);
	}
	a.session = NULL;
}

/* Every case of the table on a live session, each followed by a route that proves that the
 * session reads on, or by the NOTIFICATION. */
static bool a_has_sentinel(void)
{
	struct prefix p = prefix_of("198.51.100.0/24");

	return pmap_get(&a.routes, &p) || a.downs;
}

static void run_case(const struct update_case *c, bool *fresh)
{
	static const char *const opens[] = { OPEN_NEW, OPEN_OLD, OPEN_INTERNAL };
	static const char *const bases[] = { BASE, BASE_OLD, BASE };
	struct update_case sentinel = { "", c->peer, "", bases[c->peer], "18 c63364", "" };
	bool resets = !strncmp(c->expect, "reset", 5);
	uint8_t body[BGP_MESSAGE_MAX];

	if (*fresh)
		raw_establish(&raw, opens[c->peer]);
	raw_send(&raw, BGP_UPDATE, body, case_body(c, body, sizeof(body)));
	if (!resets)
		raw_send(&raw, BGP_UPDATE, body, case_body(&sentinel, body, sizeof(body)));
	if (!resets) {
		wait_for(a_has_sentinel, 2000);
	} else {
		unsigned int code, subcode;

		assert_int_equal(sscanf(c->expect, "reset %u/%u", &code, &subcode), 2);
		raw_expect_notification(&raw, (uint8_t)code, (uint8_t)subcode);
		wait_for(a_gone, 2000);
	}
	if (a.downs != resets)
		fail_msg("%s: the session %s", c->name, a.downs ? "ended" : "goes on");
	if (resets) {
		raw_close(&raw);
	} else {
		static const char *const gone[] = { "18 c63364", "00", "18 0a0100", "17 0a0100" };

		for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
			struct update_case w = { "", c->peer, gone[i], "", "", "" };

			raw_send(&raw, BGP_UPDATE, body, case_body(&w, body, sizeof(body)));
		}
		raw_send_hex(&raw, BGP_UPDATE, "0000 0000");
	}
	*fresh = resets;
}

static bool a_caught_up(void)
{
	return a.eors[SESSION_IPV4] || a.downs;
}

static void test_update_cases(void **state)
{
	for (int kind = PEER_NEW; kind <= PEER_INTERNAL; kind++) {
		struct session_config ca = config_a();
		bool fresh = true;

		ca.passive = true;
		if (kind == PEER_INTERNAL)
			ca.peer_as = ca.local_as;
		for (size_t i = 0; i < N_UPDATE_CASES; i++) {
			if ((int)update_cases[i].peer != kind)
				continue;
			if (fresh) {
				session_free(a.session);
				start_a(&ca);
			}
			a.downs = 0;
			a.eors[SESSION_IPV4] = 0;
			run_case(&update_cases[i], &fresh);
			if (!fresh)
				wait_for(a_caught_up, 2000);
		}
		session_free(a.session);
		a.session = NULL;
		pmap_clear(&a.routes, side_forget);
		raw_close(&raw);
	}
}

/* RFC 5492 3: a peer that cannot do options gets an OPEN without them, once. */
static void test_plain_open(void **state)
{
	start_passive();
	raw_connect(&raw);
	raw_expect(&raw, BGP_OPEN);
	assert_true(raw.body_len > 10);
	raw_send_hex(&raw, BGP_NOTIFICATION, "02 04");
	wait_for(a_not_open, 1000);
	raw_close(&raw);
	raw_connect(&raw);
	raw_expect(&raw, BGP_OPEN);
	assert_int_equal(raw.body_len, 10);
	raw_send_hex(&raw, BGP_OPEN, "04 fde9 001e 0a000002 00");
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(a_up, 2000);
	assert_false(session_info(a.session)->as4);
	assert_true(session_info(a.session)->afi[SESSION_IPV4]);
}

/* Refused once: again after connect_retry. Refused again: a rest, in which nobody gets in. */
static void test_rest_after_errors(void **state)
{
	start_passive();
	for (int i = 0; i < 2; i++) {
		raw_connect(&raw);
		raw_expect(&raw, BGP_OPEN);
		raw_send_hex(&raw, BGP_NOTIFICATION, "02 02");
		wait_for(a_not_open, 1000);
		raw_close(&raw);
		assert_int_equal(side_state(&a), i ? SESSION_IDLE : SESSION_ACTIVE);
	}
	assert_string_equal(side_error(&a), "the peer sent: OPEN Message Error / Bad Peer AS");
	raw_connect(&raw);
	raw.type = 0;
	wait_for(raw_took, 1000);
	assert_true(raw.end);
	raw_close(&raw);
	/* Two seconds later the door is open again. */
	wait_for(a_active, 3000);
	raw_establish(&raw, OPEN_NEW);
}

static void test_unknown_source(void **state)
{
	start_passive();
	raw_connect_from(&raw, "127.0.0.9");
	raw.type = 0;
	wait_for(raw_took, 2000);
	assert_true(raw.end);
	assert_int_equal(session_info(a.session)->messages_out, 0);
	assert_int_equal(side_state(&a), SESSION_ACTIVE);
}

/* No file descriptor left: the session lives on, the loop does not spin, and later it works. */
static void test_no_descriptors(void **state)
{
	struct rlimit old, low;
	clock_t busy;

	start_passive();
	raw_connect(&raw); /* in the backlog: nobody has accepted yet */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)raw.fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	log_set_level((enum log_level)-1);
	busy = clock();
	wait_pass(500);
	busy = clock() - busy;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_in_range(busy, 0, CLOCKS_PER_SEC / 4);
	raw_expect(&raw, BGP_OPEN);
}

/* RFC 4271 6.8 with us connecting out and the peer connecting in. */
static void collide(const char *peer_id, bool ours_stays)
{
	struct session_config ca = config_a();
	char open[100];
	int listener = raw_socket("127.0.0.2", TEST_PORT);
	struct raw *stays = ours_stays ? &raw : &raw2, *goes = ours_stays ? &raw2 : &raw;

	assert_int_equal(listen(listener, 1), 0);
	start_a(&ca);
	raw.fd = accept(listener, NULL, NULL);
	assert_true(raw.fd > 0);
	raw_expect(&raw, BGP_OPEN);
	raw_connect(&raw2);
	raw_expect(&raw2, BGP_OPEN);
	snprintf(open, sizeof(open), "04 fde9 001e %s 00", peer_id);
	raw_send_hex(&raw, BGP_OPEN, open);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send_hex(&raw2, BGP_OPEN, open);
	raw_expect_notification(goes, BGP_ERROR_CEASE, BGP_CEASE_COLLISION);
	raw_send(stays, BGP_KEEPALIVE, NULL, 0);
	wait_for(a_up, 2000);
	assert_int_equal(a.ups, 1);
	assert_int_equal(a.downs, 0);
	close(listener);
	raw_close(&raw);
	raw_close(&raw2);
	wait_for(a_gone, 2000);
	session_free(a.session);
	memset(&a, 0, sizeof(a));
}

static void test_collision(void **state)
{
	collide("0a000009", false); /* the peer's identifier is greater: what it opened stays */
	collide("09000001", true);
	collide("0a000001", false); /* the same: the greater AS number decides (RFC 6286 2.3) */
}

/* A new connection while the session is up: refused, but for a peer that restarts (RFC 4724). */
static void test_second_connection(void **state)
{
	start_passive();
	raw_establish(&raw, OPEN_NEW);
	raw_connect(&raw2);
	raw_expect(&raw2, BGP_OPEN);
	raw_send_hex(&raw2, BGP_OPEN, OPEN_NEW);
	raw_expect_notification(&raw2, BGP_ERROR_CEASE, BGP_CEASE_COLLISION);
	assert_true(a_up());
	assert_int_equal(a.downs, 0);
}

static bool a_up_twice(void)
{
	return a.ups == 2;
}

static void test_second_connection_restart(void **state)
{
	start_passive();
	raw_establish(&raw, OPEN_RESTART);
	assert_true(session_info(a.session)->peer_forwarding[SESSION_IPV4]);
	assert_false(session_info(a.session)->peer_restart_afi[SESSION_IPV6]);
	raw_connect(&raw2);
	raw_expect(&raw2, BGP_OPEN);
	assert_true(a_up()); /* a TCP connection alone proves nothing */
	raw_send_hex(&raw2, BGP_OPEN, OPEN_RESTART);
	raw_expect(&raw2, BGP_KEEPALIVE);
	assert_int_equal(a.downs, 1);
	assert_int_equal(a.reason, SESSION_DOWN_TRANSPORT);
	raw_send(&raw2, BGP_KEEPALIVE, NULL, 0);
	wait_for(a_up_twice, 2000);
	/* The old one ended without a NOTIFICATION. */
	raw.type = 0;
	wait_for(raw_took, 1000);
	assert_true(raw.end);
}

static void test_transport_lost(void **state)
{
	start_passive();
	raw_establish(&raw, OPEN_NEW);
	raw_close(&raw);
	wait_for(a_gone, 2000);
	assert_int_equal(a.reason, SESSION_DOWN_TRANSPORT);
	assert_true(a_active());
	assert_non_null(strstr(side_error(&a), "closed by the peer"));
	/* No rest for a lost line. */
	raw_establish(&raw, OPEN_NEW);
}

static void announce_many(unsigned int n)
{
	const struct attrs *set = attrs_intern(&(struct attrs){ .has_med = true });

	for (uint32_t i = 0; i < n; i++) {
		struct prefix p = { .addr = { AF_INET, { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				    (uint8_t)i } }, .len = 32 };

		assert_int_equal(session_announce(a.session, &p, set), 0);
	}
	attrs_put(set);
}

/* A peer that takes nothing: our memory is the queue, KEEPALIVEs of the peer keep it up, and
 * when it reads again it gets everything. */
static bool raw_got_eor(void)
{
	for (int i = 0; i < 100 && raw_take(&raw) && !raw.end; i++)
		if (raw.type == BGP_UPDATE && raw.body_len == 4)
			return true;
	return false;
}

static void test_slow_peer(void **state)
{
	start_passive();
	raw_establish(&raw, OPEN_NEW);
	announce_many(300000);
	session_end_of_rib(a.session, SESSION_IPV4);
	for (int i = 0; i < 5; i++) {
		raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
		wait_pass(100);
	}
	assert_true(a_up());
	assert_true(session_backlog(a.session) > 1000000);
	/* What the peer says is heard all the while. */
	raw_send_hex(&raw, BGP_UPDATE, "0000 0000");
	wait_for(a_caught_up, 1000);
	wait_for(raw_got_eor, 20000);
	assert_int_equal(session_backlog(a.session), 0);
}

/* RFC 9687 */
static void test_send_hold(void **state)
{
	struct session_config ca = config_a();

	ca.passive = true;
	ca.send_hold = 1;
	start_a(&ca);
	raw_establish(&raw, OPEN_NEW);
	wait_pass(1500);
	assert_true(a_up()); /* nothing to send is no offence */
	announce_many(300000);
	for (int i = 0; i < 30 && !a.downs; i++) {
		raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
		wait_pass(100);
	}
	assert_int_equal(a.downs, 1);
	assert_int_equal(a.reason, SESSION_DOWN_HOLD);
	assert_non_null(strstr(side_error(&a), "Send Hold Timer Expired"));
	assert_non_null(strstr(side_error(&a), "octets wait"));
	assert_false(session_info(a.session)->down_graceful);
}

/* Without the capability the subtype octet means nothing (RFC 7313 4). */
static void test_refresh_subtype(void **state)
{
	start_passive();
	raw_establish(&raw, OPEN_NEW);
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 01 01");
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 00 85");
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 00 01");
	raw_send_hex(&raw, BGP_UPDATE, "0000 0000");
	wait_for(a_caught_up, 1000);
	assert_int_equal(a.refreshes, 2);
	assert_int_equal(a.refresh_begins, 0);
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 00");
	raw_expect_notification(&raw, BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH);
}

/* [27] */
static void test_shutdown_text_malformed(void **state)
{
	start_passive();
	raw_establish(&raw, OPEN_NEW);
	raw_send_hex(&raw, BGP_NOTIFICATION, "06 02 ff 41*300");
	wait_for(a_gone, 1000);
	assert_int_equal(a.reason, SESSION_DOWN_NOTIFICATION_IN);
	assert_non_null(strstr(side_error(&a), "Administrative Shutdown: AAAA"));
}

#define rawed(f) cmocka_unit_test_setup_teardown(f, raw_setup, raw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		rawed(test_open_refused),
		rawed(test_open_identifier),
		rawed(test_hold_negotiated),
		rawed(test_hold_zero),
		rawed(test_fsm_errors),
		rawed(test_header_errors),
		rawed(test_update_cases),
		rawed(test_plain_open),
		rawed(test_rest_after_errors),
		rawed(test_unknown_source),
		rawed(test_no_descriptors),
		rawed(test_collision),
		rawed(test_second_connection),
		rawed(test_second_connection_restart),
		rawed(test_transport_lost),
		rawed(test_slow_peer),
		rawed(test_send_hold),
		rawed(test_refresh_subtype),
		rawed(test_shutdown_text_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
