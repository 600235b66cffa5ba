// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP echo: the messages byte by byte, answers that are none, and a real question
 * in a network of the test's own, both families.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp_netns.h"
#include "sys/icmp.h"

static const struct icmp_echo echo = {0x1234, 0x5678, 0x1122334455667788};

static void test_request(void **state)
{
	static const uint8_t v4[] = {8,	   0,	 0x1f, 0x8b, 0x12, 0x34, 0x56, 0x78,
				     0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
	uint8_t out[ICMP_ECHO_SIZE];
	uint32_t sum = 0;

	icmp_request_write(AF_INET, &echo, out);
	for (unsigned int i = 0; i < ICMP_ECHO_SIZE; i += 2)
		sum += (uint32_t)out[i] << 8 | out[i + 1];
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	assert_int_equal(sum, 0xffff); /* RFC 1071 */
	assert_memory_equal(out, v4, 2);
	assert_memory_equal(out + 4, v4 + 4, sizeof(v4) - 4);
	icmp_request_write(AF_INET6, &echo, out);
	assert_int_equal(out[0], 128);
	assert_int_equal(out[2] | out[3], 0);
}

/* An answer to echo, behind so many bytes of IP header. */
static size_t answer(uint8_t *out, size_t header, uint8_t type)
{
	memset(out, 0xee, header);
	icmp_request_write(AF_INET6, &echo, out + header);
	out[header] = type;
	if (header)
		out[0] = (uint8_t)(0x40 | header / 4);
	return header + ICMP_ECHO_SIZE;
}

static void check_read(uint8_t family, const uint8_t *data, size_t len, bool good)
{
	uint8_t *copy = malloc(len ? len : 1); /* so that a byte behind it is noticed */
	struct icmp_echo got;

	memcpy(copy, data, len);
	assert_int_equal(icmp_answer_read(family, copy, len, &got), good);
	if (good) {
		assert_int_equal(got.id, echo.id);
		assert_int_equal(got.sequence, echo.sequence);
		assert_int_equal(got.cookie, echo.cookie);
	}
	free(copy);
}

static void test_answers(void **state)
{
	uint8_t data[128];
	size_t len = answer(data, 20, 0);

	check_read(AF_INET, data, len, true);
	for (size_t n = 0; n < 36; n++)
		check_read(AF_INET, data, n, false);
	check_read(AF_INET, data, 36, true);
	len = answer(data, 60, 0);
	check_read(AF_INET, data, len, true);
	check_read(AF_INET, data, 60, false);
	data[0] = 0x6f;
	check_read(AF_INET, data, len, false);
	for (size_t header = 0; header < 20; header += 4) { /* too short to be one */
		len = answer(data, header, 0);
		data[0] = (uint8_t)(0x40 | header / 4);
		check_read(AF_INET, data, len, false);
	}
	len = answer(data, 20, 8); /* the question is no answer */
	check_read(AF_INET, data, len, false);
	len = answer(data, 20, 0);
	data[21] = 1;
	check_read(AF_INET, data, len, false);
	len = answer(data, 0, 129);
	check_read(AF_INET6, data, len, true);
	for (size_t n = 0; n < 16; n++)
		check_read(AF_INET6, data, n, false);
	len = answer(data, 0, 128);
	check_read(AF_INET6, data, len, false);
}

static struct loop *loop;
static unsigned int answers;
static bool running;
static uint16_t last;

static void heard(void *ctx, uint16_t sequence)
{
	answers++;
	last = sequence;
	if (running)
		loop_stop(loop);
}

static struct icmp *ask(const char *source, const char *destination, char *err)
{
	struct icmp_config config = {.device = "lo"};

	assert_true(addr_parse(source, &config.source));
	assert_true(addr_parse(destination, &config.destination));
	return icmp_new(loop, &config, heard, NULL, err, 200);
}

static void real(const char *source, const char *destination)
{
	char err[200] = "";
	struct icmp *one = ask(source, destination, err), *two = ask(source, destination, err);

	assert_string_equal(err, "");
	answers = 0;
	running = true;
	for (uint16_t i = 7; i < 10; i++) {
		assert_int_equal(icmp_send(one, i), 0);
		assert_int_equal(loop_run(loop), 0);
		assert_int_equal(last, i);
	}
	running = false;
	assert_int_equal(answers, 3);
	/* The other one hears the same packets, and they are not his. */
	icmp_drain(two);
	assert_int_equal(answers, 3);
	assert_int_equal(icmp_send(two, 99), 0);
	icmp_drain(one);
	icmp_drain(two);
	assert_int_equal(answers, 4);
	icmp_free(one);
	icmp_free(two);
}

static void test_real(void **state)
{
	real("169.254.21.1", "169.254.21.2");
	real("fd00:9::1", "fd00:9::2");
}

static void test_refused(void **state)
{
	char err[200] = "";
	struct icmp_config config = {.device = "nodevice0"};

	assert_null(ask("192.0.2.1", "169.254.21.2", err));
	assert_string_equal(err, "192.0.2.1 is no address of this host");
	assert_null(ask("fd00:7::1", "fd00:9::2", err));
	assert_string_equal(err, "fd00:7::1 is no address of this host");
	assert_true(addr_parse("169.254.21.1", &config.source));
	assert_true(addr_parse("169.254.21.2", &config.destination));
	assert_null(icmp_new(loop, &config, heard, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "nodevice0"));
	assert_true(icmp_error_is_path(-ENETUNREACH));
	assert_false(icmp_error_is_path(-EPERM));
}

int main(void)
{
	const struct CMUnitTest messages[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_answers),
	};
	const struct CMUnitTest sockets[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_refused),
	};
	int failed = cmocka_run_group_tests(messages, NULL, NULL);

	if (!netns_enter("ip link set lo up && ip address add 169.254.21.1/32 dev lo && "
			 "ip address add 169.254.21.2/32 dev lo && "
			 "ip address add fd00:9::1/128 dev lo && "
			 "ip address add fd00:9::2/128 dev lo")) {
		printf("# no network namespace of our own: real answers are not tested\n");
		return failed;
	}
	loop = loop_new();
	failed += cmocka_run_group_tests(sockets, NULL, NULL);
	loop_free(loop);
	return failed;
}
