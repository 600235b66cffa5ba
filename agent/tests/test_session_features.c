// SPDX-License-Identifier: GPL-2.0-only
/*
 * What RFC 4271's additions change on a live session: extended messages,
 * graceful NOTIFICATIONs, delayed OPENs, rests, and a way to the peer on which
 * not everything gets through. Against the scripted peer of bgp_raw.h.
 */
#include <linux/filter.h>

#include "bgp_cases.h"
#include "bgp_raw.h"

/* As OPEN_NEW, IPv4 alone, with extended messages, enhanced refresh, and graceful restart: 120 s,
 * N bit, forwarding kept. */
#define OPEN_FULL "04 fde9 001e 0a000002 1c 021a 010400010001 0200 0600 4600 41040000fde9 " \
		  "4006 4078 00010180"

static struct session_config config_full(void)
{
	struct session_config ca = config_a();

	ca.passive = true;
	ca.extended_message = true;
	ca.graceful_notification = true;
	return ca;
}

static void start_full(void)
{
	struct session_config ca = config_full();

	start_a(&ca);
	raw_establish(&raw, OPEN_FULL);
}

static const struct session_info *info(void)
{
	return session_info(a.session);
}

/* UPDATE with n /24 from 10.0.0.0 on, and more attributes; its length. */
static size_t update_body(uint8_t *body, const char *attributes, unsigned int n)
{
	size_t len = 4 + hex(attributes, body + 4, BGP_EXTENDED_MAX - 4);

	memset(body, 0, 4);
	body[2] = (uint8_t)((len - 4) >> 8);
	body[3] = (uint8_t)(len - 4);
	for (unsigned int i = 0; i < n; i++) {
		body[len++] = 24;
		body[len++] = 10;
		body[len++] = (uint8_t)(i >> 8);
		body[len++] = (uint8_t)i;
	}
	return len;
}

static bool a_eor(void)
{
	return a.eors[SESSION_IPV4];
}

/* RFC 8654, received: the longest message, and another behind it. */
static void test_extended_receive(void **state)
{
	uint8_t body[BGP_EXTENDED_MAX];
	size_t len;

	start_full();
	assert_true(info()->extended_message);
	len = update_body(body, BASE, 16000);
	raw_send(&raw, BGP_UPDATE, body, len);
	raw_send_hex(&raw, BGP_UPDATE, "0000 0000");
	wait_for(a_eor, 5000);
	assert_int_equal(pmap_count(&a.routes), 16000);
	assert_int_equal(a.downs, 0);
	/* KEEPALIVE and OPEN stay short. */
	memset(body, 0, 5000);
	raw_send(&raw, BGP_OPEN, body, 5000);
	raw_expect_notification(&raw, BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH);
}

/* The larger buffer takes over what the smaller one holds of the next message. */
static void test_extended_buffer(void **state)
{
	struct session_config ca = config_full();
	uint8_t bytes[300];
	size_t len = hex("ff*16 0000 01 " OPEN_FULL "ff*16 0013 04", bytes, sizeof(bytes));

	bytes[17] = (uint8_t)(len - BGP_HEADER_SIZE);
	start_a(&ca);
	raw_connect(&raw);
	raw_expect(&raw, BGP_OPEN);
	assert_int_equal(send(raw.fd, bytes, len - 5, MSG_NOSIGNAL), len - 5);
	raw_expect(&raw, BGP_KEEPALIVE);
	assert_int_equal(send(raw.fd, bytes + len - 5, 5, MSG_NOSIGNAL), 5);
	wait_for(a_up, 2000);
}

/* Who did not announce it has no right to it. */
static void test_extended_not_negotiated(void **state)
{
	struct session_config ca = config_full();
	uint8_t body[BGP_EXTENDED_MAX];

	start_a(&ca);
	raw_establish(&raw, OPEN_NEW);
	assert_false(info()->extended_message);
	raw_send(&raw, BGP_UPDATE, body, update_body(body, BASE, 1100));
	raw_expect_notification(&raw, BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH);
	assert_int_equal(pmap_count(&a.routes), 0);
}

static void announce_hosts(unsigned int n)
{
	const struct attrs *set = attrs_intern(&(struct attrs){ .has_med = true });

	for (uint32_t i = 0; i < n; i++) {
		struct prefix p = { .addr = { AF_INET, { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				    (uint8_t)i } }, .len = 32 };

		assert_int_equal(session_announce(a.session, &p, set), 0);
	}
	attrs_put(set);
}

static size_t longest, total;

static bool raw_got_end(void)
{
	for (int i = 0; i < 100 && raw_take(&raw) && !raw.end; i++) {
		if (raw.type != BGP_UPDATE)
			continue;
		if (raw.body_len == 4)
			return true;
		longest = raw.body_len > longest ? raw.body_len : longest;
		total += raw.body_len;
	}
	return false;
}

static void extended_send(const char *open, size_t least, size_t most)
{
	struct session_config ca = config_full();

	start_a(&ca);
	raw_establish(&raw, open);
	longest = total = 0;
	announce_hosts(40000);
	session_end_of_rib(a.session, SESSION_IPV4);
	wait_for(raw_got_end, 20000);
	assert_true(total > 200000);
	assert_in_range(longest + BGP_HEADER_SIZE, least, most);
	session_free(a.session);
	memset(&a, 0, sizeof(a));
	raw_close(&raw);
}

static void test_extended_send(void **state)
{
	extended_send(OPEN_FULL, 65500, BGP_EXTENDED_MAX);
	extended_send(OPEN_NEW, 4000, BGP_MESSAGE_MAX);
}

/* An attribute beyond what is kept: its routes go, the session does not. */
static void test_extended_attribute(void **state)
{
	uint8_t body[BGP_EXTENDED_MAX];

	start_full();
	raw_send(&raw, BGP_UPDATE, body, update_body(body, BASE "d008 1f40 00*8000", 3));
	raw_send(&raw, BGP_UPDATE, body, update_body(body, BASE "d008 0fa0 00*4000", 1));
	raw_send_hex(&raw, BGP_UPDATE, "0000 0000");
	wait_for(a_eor, 5000);
	assert_int_equal(a.downs, 0);
	assert_int_equal(pmap_count(&a.routes), 1);
	assert_int_equal(info()->updates_malformed, 1);
}

static bool a_down(void)
{
	return a.downs;
}

static void notification(const char *open, const char *text, bool graceful)
{
	struct session_config ca = config_full();

	start_a(&ca);
	raw_establish(&raw, open);
	raw_send_hex(&raw, BGP_NOTIFICATION, text);
	wait_for(a_down, 2000);
	assert_int_equal(a.reason, SESSION_DOWN_NOTIFICATION_IN);
	assert_int_equal(info()->down_graceful, graceful);
	raw_close(&raw);
}

static void notification_end(void)
{
	session_free(a.session);
	memset(&a, 0, sizeof(a));
}

/* RFC 8538: with the N bit on both sides a NOTIFICATION is survived, a Hard Reset is not. */
static void test_notification_received(void **state)
{
	notification(OPEN_FULL, "06 04", true);
	assert_false(info()->last_hard);
	notification_end();
	notification(OPEN_FULL, "04 00", true);
	notification_end();
	notification(OPEN_RESTART, "06 04", false);
	notification_end();
	notification(OPEN_FULL, "06 09", false);
	assert_true(info()->last_hard);
	assert_int_equal(info()->last_subcode, BGP_CEASE_HARD_RESET);
	notification_end();
	notification(OPEN_FULL, "06 09 06 02 07 676f6f64627965", false);
	assert_int_equal(info()->last_subcode, BGP_CEASE_SHUTDOWN);
	assert_string_equal(info()->shutdown_text, "goodbye");
	assert_string_equal(info()->last_error, "the peer sent (hard reset): Cease / "
			    "Administrative Shutdown: goodbye");
}

/* Our own: an error may be survived, an end that is meant to last may not. */
static void test_notification_sent(void **state)
{
	start_full();
	raw_send_hex(&raw, BGP_UPDATE, "ffff 0000");
	raw_expect_notification(&raw, BGP_ERROR_UPDATE, BGP_UPDATE_ATTRIBUTE_LIST);
	assert_true(info()->down_graceful);
	notification_end();
	raw_close(&raw);
	start_full();
	session_stop(a.session, BGP_CEASE_RESET, "again");
	raw_expect(&raw, BGP_NOTIFICATION);
	assert_memory_equal(raw.body, "\x06\x04\x05" "again", 8);
	assert_false(info()->last_hard);
	notification_end();
	raw_close(&raw);
	start_full();
	session_stop(a.session, BGP_CEASE_SHUTDOWN, "bye");
	raw_expect(&raw, BGP_NOTIFICATION);
	assert_int_equal(raw.body_len, 8);
	assert_memory_equal(raw.body, "\x06\x09\x06\x02\x03" "bye", 8);
	assert_true(info()->last_hard);
	assert_string_equal(info()->shutdown_text, "bye");
}

/* A peer that does not know of it gets the plain one. */
static void test_notification_plain(void **state)
{
	struct session_config ca = config_full();

	start_a(&ca);
	raw_establish(&raw, OPEN_RESTART);
	assert_false(info()->graceful_notification);
	session_stop(a.session, BGP_CEASE_SHUTDOWN, NULL);
	raw_expect(&raw, BGP_NOTIFICATION);
	assert_memory_equal(raw.body, "\x06\x02", 2);
}

/* Silence is no reason to keep a path that may be a black hole: for both sides. */
static void test_hold_is_hard(void **state)
{
	struct session_config ca = config_full();

	ca.hold_time = 3;
	start_a(&ca);
	raw_establish(&raw, OPEN_FULL);
	do {
		raw.type = 0;
		wait_for(raw_took, 5000);
	} while (raw.type == BGP_KEEPALIVE);
	assert_int_equal(raw.type, BGP_NOTIFICATION);
	assert_memory_equal(raw.body, "\x06\x09\x04\x00", 4);
	assert_int_equal(a.reason, SESSION_DOWN_HOLD);
	assert_false(info()->down_graceful);
}

/* A lost connection is what graceful restart was made for. */
static void test_lost_is_graceful(void **state)
{
	start_full();
	raw_close(&raw);
	wait_for(a_down, 2000);
	assert_true(info()->down_graceful);
}

static void start_delayed(uint16_t seconds)
{
	struct session_config ca = config_full();

	ca.delay_open = seconds;
	start_a(&ca);
	raw_connect(&raw);
}

/* DelayOpen: nothing from us until the time is over ... */
static void test_delay_open(void **state)
{
	uint64_t start = loop_now(test_loop);

	start_delayed(1);
	raw_expect(&raw, BGP_OPEN);
	assert_true(loop_now(test_loop) - start >= 1000);
	raw_send_hex(&raw, BGP_OPEN, OPEN_FULL);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(a_up, 2000);
}

/* ... or the peer's OPEN is there. */
static void test_delay_open_ended(void **state)
{
	start_delayed(240);
	wait_pass(200);
	assert_int_equal(info()->messages_out, 0);
	assert_int_equal(side_state(&a), SESSION_CONNECT);
	raw_send_hex(&raw, BGP_OPEN, OPEN_FULL);
	raw_expect(&raw, BGP_OPEN);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(a_up, 2000);
}

static void test_delay_open_disorder(void **state)
{
	start_delayed(240);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	raw_expect_notification(&raw, BGP_ERROR_FSM, BGP_FSM_OPEN_SENT);
}

static bool a_active(void)
{
	return side_state(&a) == SESSION_ACTIVE;
}

static bool a_not_open(void)
{
	return side_state(&a) < SESSION_OPEN_SENT;
}

/* After the third refusal in a row the rest would be 4 seconds. */
static void test_rest_max(void **state)
{
	struct session_config ca = config_full();
	uint64_t last = 0;

	ca.rest_max = 1;
	start_a(&ca);
	for (int i = 0; i < 3; i++) {
		wait_for(a_active, 4000);
		raw_connect(&raw);
		raw_expect(&raw, BGP_OPEN);
		raw_send_hex(&raw, BGP_NOTIFICATION, "02 02");
		wait_for(a_not_open, 1000);
		raw_close(&raw);
		last = loop_now(test_loop);
	}
	assert_int_equal(side_state(&a), SESSION_IDLE);
	wait_for(a_active, 4000);
	assert_in_range(loop_now(test_loop) - last, 500, 3500);
}

/* Packets above a size are lost on the way to the peer; everything else arrives. */
static void raw_lose_big(struct raw *r, uint32_t size)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, size, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { 4, code };

	assert_int_equal(setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				    sizeof(program)), 0);
}

static void talk_until(enum session_path path)
{
	for (int i = 0; i < 100 && info()->path != path && !a.downs; i++) {
		raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
		wait_pass(200);
	}
	assert_string_equal(session_path_name(info()->path), session_path_name(path));
}

static void test_path_big_lost(void **state)
{
	struct session_config ca = config_full();

	ca.tcp_mss = 1000;
	start_a(&ca);
	raw_establish(&raw, OPEN_FULL);
	raw_lose_big(&raw, 600);
	announce_hosts(2000);
	talk_until(SESSION_PATH_BIG_LOST);
	assert_in_range(info()->mss, 900, 1000);
	assert_true(info()->unacked >= info()->mss);
	/* The way is whole again: so is the word for it. */
	assert_int_equal(setsockopt(raw.fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 },
				    sizeof(int)), 0);
	for (int i = 0; i < 200 && info()->path != SESSION_PATH_GOOD; i++) {
		raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
		wait_pass(100);
	}
	assert_int_equal(info()->path, SESSION_PATH_GOOD);
	assert_int_equal(a.downs, 0);
}

/* A peer that reads nothing: named, then dropped as silent by TCP's user timeout. */
static void test_path_unread(void **state)
{
	struct session_config ca = config_full();

	ca.hold_time = 6;
	start_a(&ca);
	raw_establish(&raw, OPEN_FULL);
	announce_hosts(300000);
	talk_until(SESSION_PATH_UNREAD);
	assert_true(session_backlog(a.session) > 1000000);
	for (int i = 0; i < 100 && !a.downs; i++) {
		raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
		wait_pass(200);
	}
	assert_int_equal(a.downs, 1);
	assert_int_equal(a.reason, SESSION_DOWN_HOLD);
	assert_non_null(strstr(side_error(&a), "the peer did not read"));
	assert_false(info()->down_graceful);
	assert_int_equal(info()->path, SESSION_PATH_GOOD);
}

/* What concerns no connection is taken over without touching it. */
static void test_retune(void **state)
{
	struct session_config ca = config_full();

	start_full();
	ca.delay_open = 240;
	ca.rest_max = 5;
	session_retune(a.session, &ca);
	wait_pass(50);
	assert_true(a_up());
	raw_close(&raw);
	wait_for(a_down, 2000);
	raw_connect(&raw);
	wait_pass(300);
	assert_int_equal(side_state(&a), SESSION_CONNECT);
}

#define rawed(f) cmocka_unit_test_setup_teardown(f, raw_setup, raw_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		rawed(test_extended_receive),
		rawed(test_extended_buffer),
		rawed(test_extended_not_negotiated),
		rawed(test_extended_send),
		rawed(test_extended_attribute),
		rawed(test_notification_received),
		rawed(test_notification_sent),
		rawed(test_notification_plain),
		rawed(test_hold_is_hard),
		rawed(test_lost_is_graceful),
		rawed(test_delay_open),
		rawed(test_delay_open_ended),
		rawed(test_delay_open_disorder),
		rawed(test_rest_max),
		rawed(test_path_big_lost),
		rawed(test_path_unread),
		rawed(test_retune),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
