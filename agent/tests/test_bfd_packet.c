// SPDX-License-Identifier: GPL-2.0-only
/*
 * BFD: bytes of control packets and of the messages between agent and vgw-bfd,
 * what is refused, and that no bytes at all do harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bfd/control.h"
#include "bfd/packet.h"

static const uint8_t sample[BFD_PACKET_LEN] = {
	0x23, 0xf8, 5, 24, 1, 2, 3, 4, 5, 6, 7, 8, 0, 4, 0x93, 0xe0, 0, 9, 0x27, 0xc0, 0, 0, 0, 7,
};

static void test_fields(void **state)
{
	struct bfd_packet packet;
	uint8_t out[BFD_PACKET_LEN];

	assert_null(bfd_packet_decode(sample, sizeof(sample), &packet));
	assert_int_equal(packet.state, BFD_UP);
	assert_int_equal(packet.diag, BFD_DIAG_NEIGHBOR_DOWN);
	assert_int_equal(packet.multiplier, 5);
	assert_true(packet.poll && packet.final && packet.independent);
	assert_false(packet.demand);
	assert_int_equal(packet.my_discriminator, 0x01020304);
	assert_int_equal(packet.your_discriminator, 0x05060708);
	assert_int_equal(packet.desired_tx, 300000);
	assert_int_equal(packet.required_rx, 600000);
	assert_int_equal(packet.required_echo_rx, 7);
	bfd_packet_encode(&packet, out);
	assert_memory_equal(out, sample, sizeof(out));
}

/* One octet of the sample changed; RFC 5880 6.8.6. */
static void test_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *why;
	} bad[] = {
		{ 0, 0x43, "version" },	    { 0, 0x03, "version" },
		{ 3, 23, "length" },	    { 3, 25, "length" },
		{ 2, 0, "multiplier" },	    { 1, 0xf9, "multipoint" },
		{ 1, 0xfc, "authentic" },
	};
	struct bfd_packet packet;
	uint8_t data[BFD_PACKET_LEN];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why;

		memcpy(data, sample, sizeof(data));
		data[bad[i].at] = bad[i].value;
		why = bfd_packet_decode(data, sizeof(data), &packet);
		assert_non_null(why);
		assert_non_null(strstr(why, bad[i].why));
	}
	for (size_t len = 0; len < sizeof(data); len++)
		assert_non_null(bfd_packet_decode(sample, len, &packet));
}

static void test_discriminators(void **state)
{
	struct bfd_packet packet;
	uint8_t data[BFD_PACKET_LEN];

	memcpy(data, sample, sizeof(data));
	memset(data + 4, 0, 4);
	assert_non_null(bfd_packet_decode(data, sizeof(data), &packet));
	memcpy(data, sample, sizeof(data));
	memset(data + 8, 0, 4);
	for (uint8_t s = BFD_ADMIN_DOWN; s <= BFD_UP; s++) {
		data[1] = (uint8_t)(s << 6);
		if (s == BFD_DOWN || s == BFD_ADMIN_DOWN)
			assert_null(bfd_packet_decode(data, sizeof(data), &packet));
		else
			assert_non_null(bfd_packet_decode(data, sizeof(data), &packet));
	}
}

static void test_messages(void **state)
{
	struct bfd_message message = { .name = "t1" }, back;
	uint8_t data[BFD_CONTROL_MAX];
	size_t len;

	message.type = BFD_MESSAGE_SET;
	strcpy(message.request.device, "ipsec0123456789");
	assert_true(addr_parse("169.254.10.1", &message.request.local));
	assert_true(addr_parse("169.254.10.2", &message.request.peer));
	message.request.timers = (struct bfd_timers){ 300, 60000, 255 };
	message.request.source_port = 65535;
	len = bfd_message_encode(&message, data);
	assert_true(len > 0);
	assert_true(bfd_message_decode(data, len, &back));
	assert_memory_equal(&message, &back, sizeof(back));
	for (size_t i = 0; i < len; i++)
		assert_false(bfd_message_decode(data, i, &back));
	data[0]++;
	assert_false(bfd_message_decode(data, len, &back));

	message = (struct bfd_message){ .type = BFD_MESSAGE_STATE, .name = "t1" };
	message.info = (struct bfd_session_info){
		.state = BFD_DOWN, .diag = 1, .remote_state = BFD_UP, .failed = true, .was_up = true,
		.remote_independent = true, .heard = true, .discriminator = 77,
		.remote_discriminator = UINT32_MAX, .interval = 300, .detection = 900,
		.transitions = 1ull << 40,
	};
	len = bfd_message_encode(&message, data);
	assert_true(bfd_message_decode(data, len, &back));
	assert_memory_equal(&message, &back, sizeof(back));
	data[len] = 0;
	assert_false(bfd_message_decode(data, len + 1, &back));
	memset(message.name, 'x', sizeof(message.name));
	assert_int_equal(bfd_message_encode(&message, data), 0);
}

/* What decodes, encodes to the same bytes: nothing unknown is let through. */
static void test_random(void **state)
{
	struct bfd_message message;
	struct bfd_packet packet;
	size_t good = 0;

	srandom(5880);
	for (unsigned int i = 0; i < 400000; i++) {
		size_t len = (size_t)random() % 64;
		uint8_t *data = malloc(len ? len : 1), out[BFD_CONTROL_MAX];

		for (size_t k = 0; k < len; k++)
			data[k] = (uint8_t)(random() % 4 ? random() % 8 : random());
		if (len > 1 && random() % 2)
			data[0] = 1;
		if (len > 4 && random() % 2) {
			data[0] = (uint8_t)(0x20 | (random() & 0x1f));
			data[3] = (uint8_t)BFD_PACKET_LEN;
		}
		if (!bfd_packet_decode(data, len, &packet)) {
			bfd_packet_encode(&packet, out);
			out[3] = data[3]; /* the length may be larger than what is known */
			assert_memory_equal(out, data, BFD_PACKET_LEN);
			good++;
		}
		if (bfd_message_decode(data, len, &message) &&
		    message.type != BFD_MESSAGE_STATE) {
			assert_int_equal(bfd_message_encode(&message, out), len);
			assert_memory_equal(out, data, len);
			good++;
		}
		free(data);
	}
	assert_true(good > 1000);
}

static void test_requests(void **state)
{
	struct bfd_request good = { .timers = { 300, 300, 3 } }, r;

	assert_true(addr_parse("169.254.10.1", &good.local));
	assert_true(addr_parse("169.254.10.2", &good.peer));
	assert_null(bfd_request_check(&good));
	r = good;
	assert_true(addr_parse("fd00::1", &r.peer));
	assert_non_null(bfd_request_check(&r));
	r = good;
	r.timers.transmit = BFD_INTERVAL_MIN - 1;
	assert_non_null(bfd_request_check(&r));
	r = good;
	r.timers.receive = BFD_INTERVAL_MAX + 1;
	assert_non_null(bfd_request_check(&r));
	r = good;
	r.timers.multiplier = 0;
	assert_non_null(bfd_request_check(&r));
	r = good;
	r.source_port = 49151;
	assert_non_null(bfd_request_check(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_discriminators), cmocka_unit_test(test_messages),
		cmocka_unit_test(test_random),	      cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
