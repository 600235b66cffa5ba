// SPDX-License-Identifier: GPL-2.0-only
/* Answers to pings: the first octet chooses the family. */
#include "fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>

#include "sys/icmp.h"

#define HEADER4 20

static void icmp_run(const uint8_t *data, size_t size)
{
	uint8_t family = size && data[0] & 1 ? AF_INET6 : AF_INET;
	uint8_t bytes[ICMP_ECHO_SIZE];
	struct icmp_echo echo;
	size_t header;

	if (!size || !icmp_answer_read(family, data + 1, size - 1, &echo))
		return;
	header = family == AF_INET ? (size_t)(data[1] & 15) * 4 : 0;
	icmp_request_write(AF_INET6, &echo, bytes);
	/* Id, number and cookie are where a request has them. */
	FUZZ_CHECK(size >= 1 + header + 16);
	FUZZ_CHECK(!memcmp(data + 1 + header + 4, bytes + 4, 12));
}

static void icmp_seeds(fuzz_add add)
{
	const struct icmp_echo echo = { 1, 2, 3 };
	uint8_t bytes[1 + HEADER4 + ICMP_ECHO_SIZE] = { 0, 0x45 };

	icmp_request_write(AF_INET, &echo, bytes + 1 + HEADER4);
	bytes[1 + HEADER4] = 0;
	add(bytes, sizeof(bytes));
	bytes[0] = 1;
	icmp_request_write(AF_INET6, &echo, bytes + 1);
	bytes[1] = 129;
	add(bytes, 1 + ICMP_ECHO_SIZE);
}

const struct fuzz_target fuzz_icmp = { "icmp", 128, icmp_run, icmp_seeds };
