// SPDX-License-Identifier: GPL-2.0-only
/* Messages but UPDATE: round trips, malformed ones, and a storm of mutated OPENs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/message.h"
#include "bgp_hex.h"

static struct bgp_open full_open(void)
{
	return (struct bgp_open){
		.as = 4200000001, .id = 0x0a000001, .hold_time = 30, .multiprotocol = true,
		.afi = { true, true }, .as4 = true, .refresh = true, .enhanced_refresh = true,
		.extended_message = true, .next_hop6 = true, .graceful_notification = true,
		.graceful_restart = true, .restarting = true, .restart_time = 120,
		.gr_afi = { true, true }, .gr_forwarding = { true, false },
	};
}

static struct cursor message_body(const struct cursor_out *out, uint8_t want)
{
	struct bgp_error error;
	uint8_t type;
	size_t len;

	assert_false(out->bad);
	assert_true(message_header_decode(out->data, &len, &type, &error));
	assert_int_equal(len, out->len);
	assert_int_equal(type, want);
	return cursor_make(out->data + BGP_HEADER_SIZE, len - BGP_HEADER_SIZE);
}

static void test_open_round_trip(void **state)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	struct bgp_open open = full_open(), got;
	struct bgp_error error;

	message_open_encode(&out, &open);
	/* A 2-octet speaker sees AS_TRANS. */
	assert_int_equal(buf[20] << 8 | buf[21], BGP_AS_TRANS);
	assert_true(message_open_decode(message_body(&out, BGP_OPEN), &got, &error));
	assert_memory_equal(&got, &open, sizeof(open));
}

/* RFC 9072: the same content in the other form, where it is asked for. */
static void test_open_extended_options(void **state)
{
	uint8_t buf[BGP_MESSAGE_MAX], other[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	struct cursor_out classic = cursor_out_make(other, sizeof(other));
	struct bgp_open open = full_open(), got;
	struct bgp_error error;

	message_open_encode(&classic, &open);
	open.extended_options = true;
	message_open_encode(&out, &open);
	assert_int_equal(out.len, classic.len + 4);
	assert_int_equal(buf[28], 255);
	assert_int_equal(buf[29], BGP_OPTION_EXTENDED);
	assert_true(message_open_decode(message_body(&out, BGP_OPEN), &got, &error));
	assert_memory_equal(&got, &open, sizeof(open));
}

/* RFC 8538: what is wrapped comes out again; what cannot be wrapped whole is cut. */
static void test_hard_reset(void **state)
{
	struct bgp_error error, was;
	static uint8_t big[BGP_MESSAGE_MAX];

	message_shutdown_set(&error, BGP_CEASE_SHUTDOWN, "bye");
	was = error;
	message_hard_reset_wrap(&error);
	assert_int_equal(error.code, BGP_ERROR_CEASE);
	assert_int_equal(error.subcode, BGP_CEASE_HARD_RESET);
	assert_int_equal(error.data_len, was.data_len + 2);
	assert_memory_equal(error.data, "\x06\x02\x03" "bye", 6);
	assert_true(message_hard_reset_unwrap(&error));
	assert_int_equal(error.code, was.code);
	assert_int_equal(error.subcode, was.subcode);
	assert_int_equal(error.data_len, was.data_len);
	assert_memory_equal(error.data, was.data, was.data_len);
	assert_false(message_hard_reset_unwrap(&error));
	bgp_error_set(&error, 3, 9, big, sizeof(big), "test");
	message_hard_reset_wrap(&error);
	assert_int_equal(error.data_len, sizeof(error.data));
	assert_memory_equal(error.data, "\x03\x09\x00", 3);
	/* Nothing inside: it stays what it is. */
	bgp_error_set(&error, BGP_ERROR_CEASE, BGP_CEASE_HARD_RESET, "\x06", 1, "test");
	assert_true(message_hard_reset_unwrap(&error));
	assert_int_equal(error.subcode, BGP_CEASE_HARD_RESET);
}

/* RFC 8654: longer messages, but never OPEN and KEEPALIVE. */
static void test_header_extended(void **state)
{
	static const struct {
		const char *header;
		bool good;
	} cases[] = {
		{ "ff*16 ffff 02", true }, { "ff*16 ffff 03", true }, { "ff*16 1001 05", true },
		{ "ff*16 1000 01", true }, { "ff*16 1001 01", false }, { "ff*16 1001 04", false },
		{ "ff*16 0013 04", true }, { "ff*16 0012 02", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t header[BGP_HEADER_SIZE], type;
		struct bgp_error error;
		size_t len;

		hex(cases[i].header, header, sizeof(header));
		if (message_header_decode_max(header, BGP_EXTENDED_MAX, &len, &type, &error) !=
		    cases[i].good)
			fail_msg("%s", cases[i].header);
	}
}

static void test_open_plain(void **state)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	struct bgp_open open = full_open(), got;
	struct bgp_error error;

	open.as = 65001;
	open.no_capabilities = true;
	message_open_encode(&out, &open);
	assert_int_equal(out.len, 29);
	assert_true(message_open_decode(message_body(&out, BGP_OPEN), &got, &error));
	assert_int_equal(got.as, 65001);
	assert_false(got.as4 || got.refresh || got.graceful_restart || got.multiprotocol);
	/* RFC 4760: without a word about families it is IPv4 unicast. */
	assert_true(got.afi[SESSION_IPV4] && !got.afi[SESSION_IPV6]);
}

#define HEAD "04 fde9 001e 0a000001 "

/* Expected: "ok", or code/subcode. In brackets: the case of the research list. */
static const struct {
	const char *name, *body, *expect;
} open_cases[] = {
	{ "no options", HEAD "00", "ok" },
	{ "[1] extended length, 2 of 3 octets", HEAD "ff ff00", "2/0" },
	{ "[1] extended length missing", HEAD "ff ff", "2/0" },
	{ "[2] option longer than the message", HEAD "04 02ff0104", "2/0" },
	{ "[2] options longer than the message", HEAD "20 020641040000fde9", "2/0" },
	{ "[3] ends behind the option type", HEAD "01 02", "2/0" },
	{ "[3] half of an extended option length", HEAD "ff ff0002 0200", "2/0" },
	{ "[4] AS4 capability cut", HEAD "06 020441040000", "2/0" },
	{ "[4] AS4 capability too short", HEAD "07 02054103000001", "2/0" },
	{ "AS4 capability", HEAD "08 020641040000fde9", "ok" },
	{ "[6] long-lived graceful restart of 3 octets", HEAD "07 02054703000101", "ok" },
	{ "[7] software version of length 0", HEAD "04 02024b00", "ok" },
	{ "[7] FQDN with a length inside beyond its end", HEAD "06 02044902ff61", "ok" },
	{ "[7] capability longer than the parameter", HEAD "06 0204490a6161", "2/0" },
	{ "[8] ORF with a bogus count", HEAD "09 0207030500010001ff", "ok" },
	{ "[9] graceful restart of 1 octet", HEAD "05 0203400100", "2/0" },
	{ "[9] graceful restart with half a family", HEAD "08 02064004007800 01", "2/0" },
	{ "[9] multiprotocol of 3 octets", HEAD "07 02050103000100", "2/0" },
	{ "[10] unknown capability of 255 octets",
	  HEAD "ff ff0104 020101 c8ff 00*255", "ok" },
	{ "extended message with a value", HEAD "05 0203060100", "2/0" },
	{ "extended next hop", HEAD "0a 0208 0506 000100010002", "ok" },
	{ "extended next hop, nothing in it", HEAD "04 0202 0500", "ok" },
	{ "extended next hop of 5 octets", HEAD "09 0207 0505 0001000100", "2/0" },
	{ "route refresh with a value", HEAD "05 0203020100", "2/0" },
	{ "authentication option", HEAD "03 010100", "2/4" },
	{ "unknown option", HEAD "02 6300", "2/4" },
	{ "octets behind the options", HEAD "00 00", "2/0" },
	{ "version 3", "03 fde9 001e 0a000001 00", "2/1" },
	{ "extended form, RFC 9072", HEAD "ff ff0009 020006 41040000fde9", "ok" },
	{ "extended form without need", HEAD "05 ff0009 020006 41040000fde9", "ok" },
	{ "extended form, wrong length", HEAD "ff ff000a 020006 41040000fde9", "2/0" },
	{ "too short", "04 fde9 001e 0a0000", "2/0" },
	{ "nothing", "", "2/0" },
};

static void test_open_malformed(void **state)
{
	for (size_t i = 0; i < sizeof(open_cases) / sizeof(open_cases[0]); i++) {
		uint8_t buf[BGP_MESSAGE_MAX], *exact;
		size_t len = hex(open_cases[i].body, buf, sizeof(buf));
		struct bgp_error error;
		struct bgp_open open;
		char text[16] = "ok";

		/* Exactly as many bytes as there are: one more read is an ASan report. */
		exact = malloc(len ? len : 1);
		memcpy(exact, buf, len);
		if (!message_open_decode(cursor_make(exact, len), &open, &error))
			snprintf(text, sizeof(text), "%u/%u", error.code, error.subcode);
		free(exact);
		if (strcmp(text, open_cases[i].expect))
			fail_msg("%s: %s, expected %s", open_cases[i].name, text,
				 open_cases[i].expect);
	}
}

static void test_open_version_data(void **state)
{
	uint8_t buf[32];
	size_t len = hex("03 fde9 001e 0a000001 00", buf, sizeof(buf));
	struct bgp_error error;
	struct bgp_open open;

	assert_false(message_open_decode(cursor_make(buf, len), &open, &error));
	assert_int_equal(error.data_len, 2);
	assert_int_equal(error.data[1], 4);
}

/* A capability that is repeated: the last one of graceful restart, all of the families. */
static void test_open_repeated(void **state)
{
	uint8_t buf[64];
	size_t len = hex(HEAD "1a 0218 010400010001 010400020001"
			      " 4006 8078 00010180 4002 000a", buf, sizeof(buf));
	struct bgp_error error;
	struct bgp_open open;

	assert_true(message_open_decode(cursor_make(buf, len), &open, &error));
	assert_true(open.afi[SESSION_IPV4] && open.afi[SESSION_IPV6]);
	assert_false(open.restarting || open.gr_afi[SESSION_IPV4]);
	assert_int_equal(open.restart_time, 10);
}

static void test_open_mutated(void **state)
{
	uint8_t seed[BGP_MESSAGE_MAX], buf[256], *exact;
	struct cursor_out out = cursor_out_make(seed, sizeof(seed));
	struct bgp_open open = full_open(), got;
	size_t good = 0, len;
	struct bgp_error error;

	message_open_encode(&out, &open);
	srand(4);
	for (int round = 0; round < 100000; round++) {
		len = out.len - BGP_HEADER_SIZE;
		memcpy(buf, seed + BGP_HEADER_SIZE, len);
		if (rand() % 4 == 0)
			len = (size_t)rand() % (len + 1);
		for (int i = rand() % 4; i >= 0 && len; i--)
			buf[(size_t)rand() % len] = (uint8_t)(rand() % 3 ? rand() : rand() % 8);
		exact = malloc(len ? len : 1);
		memcpy(exact, buf, len);
		if (message_open_decode(cursor_make(exact, len), &got, &error))
			good++;
		else
			assert_int_equal(error.code, BGP_ERROR_OPEN);
		free(exact);
	}
	/* Neither all nor nothing, or the mutations test nothing. */
	assert_in_range(good, 10000, 90000);
}

static void test_header(void **state)
{
	static const struct {
		const char *name, *header, *expect;
	} cases[] = {
		{ "keepalive", "ff*16 0013 04", "ok" },
		{ "marker", "ff*15 fe 0013 04", "1/1" },
		{ "too short", "ff*16 0012 04", "1/2" },
		{ "length 0", "ff*16 0000 02", "1/2" },
		{ "4097", "ff*16 1001 02", "1/2" },
		{ "65535", "ff*16 ffff 02", "1/2" },
		{ "OPEN of 28", "ff*16 001c 01", "1/2" },
		{ "UPDATE of 22", "ff*16 0016 02", "1/2" },
		{ "NOTIFICATION of 20", "ff*16 0014 03", "1/2" },
		{ "KEEPALIVE of 20", "ff*16 0014 04", "1/2" },
		{ "type 0", "ff*16 0013 00", "1/3" },
		{ "[5] dynamic capability", "ff*16 0016 06", "1/3" },
		{ "[45] type 255", "ff*16 0013 ff", "1/3" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t header[BGP_HEADER_SIZE], type;
		char text[16] = "ok";
		struct bgp_error error;
		size_t len;

		assert_int_equal(hex(cases[i].header, header, sizeof(header)), sizeof(header));
		if (!message_header_decode(header, &len, &type, &error))
			snprintf(text, sizeof(text), "%u/%u", error.code, error.subcode);
		if (strcmp(text, cases[i].expect))
			fail_msg("%s: %s, expected %s", cases[i].name, text, cases[i].expect);
		/* RFC 4271 6.1: the field in question comes back. */
		if (!strcmp(text, "1/2"))
			assert_true(error.data_len == 2 && !memcmp(error.data, header + 16, 2));
	}
}

static void test_shutdown_text(void **state)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	struct bgp_error error, got;
	char text[1100], over[400];

	message_shutdown_set(&error, BGP_CEASE_SHUTDOWN, "maintenance \xc3\xa4");
	message_notification_encode(&out, &error);
	assert_true(message_notification_decode(message_body(&out, BGP_NOTIFICATION), &got));
	assert_int_equal(got.code, BGP_ERROR_CEASE);
	assert_int_equal(got.subcode, BGP_CEASE_SHUTDOWN);
	assert_string_equal(message_shutdown_text(&got, text, sizeof(text)),
			    "maintenance \xc3\xa4");
	/* 255 octets at most, and no half character at the cut. */
	memset(over, 'x', sizeof(over));
	memcpy(over + 254, "\xc3\xa4", 2);
	over[399] = '\0';
	message_shutdown_set(&error, BGP_CEASE_RESET, over);
	assert_int_equal(error.data[0], 254);
	assert_int_equal(error.data_len, 255);
	/* [27] a length beyond the data is no text. */
	bgp_error_set(&got, BGP_ERROR_CEASE, BGP_CEASE_SHUTDOWN, "\x80" "abc", 4, "test");
	assert_string_equal(message_shutdown_text(&got, text, sizeof(text)), "");
	/* [45] control characters do not reach a log or a terminal. */
	bgp_error_set(&got, BGP_ERROR_CEASE, BGP_CEASE_SHUTDOWN, "\x03" "a\x1b\n", 4, "test");
	assert_string_equal(message_shutdown_text(&got, text, sizeof(text)), "a\\x1b\\x0a");
	bgp_error_set(&got, BGP_ERROR_CEASE, BGP_CEASE_SHUTDOWN, NULL, 0, "test");
	assert_string_equal(message_shutdown_text(&got, text, sizeof(text)), "");
}

/* What is echoed to the peer is what it sent, never more than fits (case 22). */
static void test_error_data_bounded(void **state)
{
	uint8_t buf[BGP_MESSAGE_MAX], big[BGP_MESSAGE_MAX] = { 0 };
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	struct bgp_error error;

	bgp_error_set(&error, 3, 9, big, sizeof(big), "test");
	message_notification_encode(&out, &error);
	assert_false(out.bad);
	assert_int_equal(out.len, BGP_MESSAGE_MAX);
}

static void test_error_text(void **state)
{
	char buf[100];

	assert_string_equal(bgp_error_text(2, 2, buf, sizeof(buf)),
			    "OPEN Message Error / Bad Peer AS");
	assert_string_equal(bgp_error_text(4, 0, buf, sizeof(buf)), "Hold Timer Expired");
	assert_string_equal(bgp_error_text(6, 77, buf, sizeof(buf)), "Cease / 77");
	assert_string_equal(bgp_error_text(0, 0, buf, sizeof(buf)), "error 0/0");
	assert_string_equal(bgp_error_text(255, 255, buf, sizeof(buf)), "error 255/255");
}

static void test_refresh(void **state)
{
	static const struct {
		const char *name, *body, *expect;
	} cases[] = {
		{ "request IPv4", "0001 00 01", "0 0" },
		{ "begin IPv6", "0002 01 01", "1 1" },
		{ "end IPv6", "0002 02 01", "1 2" },
		{ "unknown family", "0019 00 41", "ignored" },
		{ "unknown safi", "0001 00 04", "ignored" },
		{ "unknown subtype", "0001 07 01", "ignored" },
		{ "short", "0001 00", "1/2" },
		{ "short begin", "0001 01", "7/1" },
		{ "nothing", "", "1/2" },
		{ "[8] ORF entries", "0001 00 01 01 40 0001 80", "1/2" },
		{ "end with more", "0001 02 01 00", "7/1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t body[32], subtype;
		size_t len = hex(cases[i].body, body, sizeof(body));
		enum session_afi afi = SESSION_IPV4;
		struct bgp_error error;
		char text[16];
		bool known;

		if (!message_refresh_decode(cursor_make(body, len), &afi, &subtype, &known, &error))
			snprintf(text, sizeof(text), "%u/%u", error.code, error.subcode);
		else if (known)
			snprintf(text, sizeof(text), "%d %u", (int)afi, subtype);
		else
			strcpy(text, "ignored");
		if (strcmp(text, cases[i].expect))
			fail_msg("%s: %s, expected %s", cases[i].name, text, cases[i].expect);
		/* RFC 7313: the whole message comes back. */
		if (!strcmp(text, "7/1"))
			assert_int_equal(error.data_len, len + BGP_HEADER_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_round_trip),
		cmocka_unit_test(test_open_extended_options),
		cmocka_unit_test(test_hard_reset),
		cmocka_unit_test(test_header_extended),
		cmocka_unit_test(test_open_plain),
		cmocka_unit_test(test_open_malformed),
		cmocka_unit_test(test_open_version_data),
		cmocka_unit_test(test_open_repeated),
		cmocka_unit_test(test_open_mutated),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_shutdown_text),
		cmocka_unit_test(test_error_data_bounded),
		cmocka_unit_test(test_error_text),
		cmocka_unit_test(test_refresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
