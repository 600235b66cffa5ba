/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks a host for an ICMP or ICMPv6 echo through one device, and tells its
 * answers.
 *
 * Promise: requests leave through the device and nowhere else, whatever the
 * routing tables say; an answer counts only if it came in there from that host
 * and carries what was sent, a number that nobody outside the path can guess.
 * IPv4 needs no route; IPv6, and IPv4 in a VRF, needs one through the device to a
 * destination that is not on its link.
 */
#ifndef VGW_SYS_ICMP_H
#define VGW_SYS_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/loop.h"

struct icmp;

struct icmp_config {
	const char *device; /* borrowed for the call */
	struct addr source, destination; /* one family, both set */
};

/* answer: from the loop or from icmp_drain(); must not free the icmp. NULL: see err. */
struct icmp *icmp_new(struct loop *loop, const struct icmp_config *config,
		      void (*answer)(void *ctx, uint16_t sequence), void *ctx, char *err,
		      size_t size);
void icmp_free(struct icmp *icmp);
/* 0, or negative errno of the kernel. Never waits. */
int icmp_send(struct icmp *icmp, uint16_t sequence);
/* Tells what has arrived up to now, in bounded steps. */
void icmp_drain(struct icmp *icmp);
/* No route, no neighbour, too big: the path's fault and not ours. */
bool icmp_error_is_path(int error);

/* The messages, for tests: cookie is what makes an answer ours. */
#define ICMP_ECHO_SIZE 32

struct icmp_echo {
	uint16_t id, sequence;
	uint64_t cookie;
};

/* Fills ICMP_ECHO_SIZE bytes; the kernel adds the checksum of ICMPv6. */
void icmp_request_write(uint8_t family, const struct icmp_echo *echo, uint8_t *out);
/* data as a raw socket gives it: IPv4 with its IP header, ICMPv6 without. False: no such answer. */
bool icmp_answer_read(uint8_t family, const uint8_t *data, size_t len, struct icmp_echo *echo);

#endif
