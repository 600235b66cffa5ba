// SPDX-License-Identifier: GPL-2.0-only
/*
 * A raw socket for each destination, bound to the device and connected, so that
 * the kernel hands over nothing but that host's answers. What is left to compare
 * is whose request an answer belongs to: id, and a random number in the data.
 */
#include "sys/icmp.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/cursor.h"

#define ECHO_CHECKSUM_AT 2
#define IPV4_HEADER_MIN 20
#define IPV4_VERSION 4
#define RECEIVE_BUFFER (32 * 1024)
/* A far end that sends without end gets no more of a turn. */
#define DRAIN_MAX 64

struct icmp {
	struct loop_io *io;
	void (*answer)(void *ctx, uint16_t sequence);
	void *ctx;
	struct icmp_echo echo;
	uint8_t family;
	int fd;
};

static uint16_t checksum(const uint8_t *data, size_t len)
{
	struct cursor c = cursor_make(data, len);
	uint32_t sum = 0;

	while (c.left)
		sum += cursor_u16(&c);
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

void icmp_request_write(uint8_t family, const struct icmp_echo *echo, uint8_t *out)
{
	struct cursor_out c = cursor_out_make(out, ICMP_ECHO_SIZE);

	memset(out, 0, ICMP_ECHO_SIZE);
	cursor_put_u8(&c, family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST);
	cursor_put_u8(&c, 0);
	cursor_put_u16(&c, 0);
	cursor_put_u16(&c, echo->id);
	cursor_put_u16(&c, echo->sequence);
	cursor_put_u64(&c, echo->cookie);
	if (family == AF_INET)
		cursor_patch_u16(&c, ECHO_CHECKSUM_AT, checksum(out, ICMP_ECHO_SIZE));
}

static bool skip_ipv4(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	size_t header = (size_t)(first & 15) * 4;

	if (first >> 4 != IPV4_VERSION || header < IPV4_HEADER_MIN)
		return false;
	return cursor_bytes(c, header - 1);
}

bool icmp_answer_read(uint8_t family, const uint8_t *data, size_t len, struct icmp_echo *echo)
{
	struct cursor c = cursor_make(data, len);
	uint8_t type, code;

	if (family == AF_INET && !skip_ipv4(&c))
		return false;
	type = cursor_u8(&c);
	code = cursor_u8(&c);
	cursor_u16(&c); /* the checksum: the kernel has looked at it */
	echo->id = cursor_u16(&c);
	echo->sequence = cursor_u16(&c);
	echo->cookie = cursor_u64(&c);
	return !c.bad && !code && type == (family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
}

void icmp_drain(struct icmp *icmp)
{
	for (unsigned int i = 0; i < DRAIN_MAX; i++) {
		struct icmp_echo echo;
		uint8_t data[256];
		ssize_t n = recv(icmp->fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);

		/* Other errors are those of earlier requests, each told once. */
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0)
			continue;
		if ((size_t)n > sizeof(data))
			n = sizeof(data);
		if (icmp_answer_read(icmp->family, data, (size_t)n, &echo) &&
		    echo.id == icmp->echo.id && echo.cookie == icmp->echo.cookie)
			icmp->answer(icmp->ctx, echo.sequence);
	}
}

static void icmp_ready(void *ctx, unsigned int events)
{
	(void)events;
	icmp_drain(ctx);
}

bool icmp_error_is_path(int error)
{
	switch (error < 0 ? -error : error) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ECONNREFUSED:
	case EHOSTDOWN:
	case ENETDOWN:
	case EAGAIN:
	case ENOBUFS:
		return true;
	default:
		return false;
	}
}

int icmp_send(struct icmp *icmp, uint16_t sequence)
{
	uint8_t data[ICMP_ECHO_SIZE];
	int error = 0;

	icmp->echo.sequence = sequence;
	icmp_request_write(icmp->family, &icmp->echo, data);
	/* The first call may only tell what an earlier request met. */
	for (unsigned int i = 0; i < 2; i++) {
		if (send(icmp->fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		error = errno;
	}
	return -error;
}

/* Only answers to echoes are of interest; the rest need not wake us. */
static int set_filter(int fd, uint8_t family)
{
	struct icmp_filter only = {.data = ~(1u << ICMP_ECHOREPLY)};
	struct icmp6_filter only6;

	if (family == AF_INET)
		return setsockopt(fd, SOL_RAW, ICMP_FILTER, &only, sizeof(only));
	ICMP6_FILTER_SETBLOCKALL(&only6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only6);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only6, sizeof(only6));
}

static int place(int fd, const struct icmp_config *config)
{
	struct sockaddr_storage ss;
	int size = RECEIVE_BUFFER;
	socklen_t len;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->device, strlen(config->device)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    set_filter(fd, config->source.family))
		return -1;
	len = addr_to_sockaddr(&config->source, 0, &ss);
	if (bind(fd, (struct sockaddr *)&ss, len))
		return -1;
	len = addr_to_sockaddr(&config->destination, 0, &ss);
	return connect(fd, (struct sockaddr *)&ss, len);
}

static void explain(const struct icmp_config *config, char *err, size_t size)
{
	int error = errno;
	char source[ADDR_STRLEN], destination[ADDR_STRLEN];

	addr_format(&config->source, source, sizeof(source));
	addr_format(&config->destination, destination, sizeof(destination));
	if (error == EADDRNOTAVAIL)
		snprintf(err, size, "%s is no address of this host", source);
	else if (icmp_error_is_path(error))
		snprintf(err, size, "no route to %s through %s", destination, config->device);
	else
		snprintf(err, size, "ICMP from %s to %s through %s: %s", source, destination,
			 config->device, strerror(error));
}

struct icmp *icmp_new(struct loop *loop, const struct icmp_config *config,
		      void (*answer)(void *ctx, uint16_t sequence), void *ctx, char *err,
		      size_t size)
{
	uint8_t family = config->source.family;
	struct icmp *icmp = calloc(1, sizeof(*icmp));

	if (!icmp) {
		snprintf(err, size, "out of memory");
		return NULL;
	}
	icmp->answer = answer;
	icmp->ctx = ctx;
	icmp->family = family;
	if (getrandom(&icmp->echo, sizeof(icmp->echo), GRND_NONBLOCK) != sizeof(icmp->echo))
		icmp->echo.cookie = (uintptr_t)icmp;
	icmp->fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (icmp->fd < 0 || place(icmp->fd, config)) {
		explain(config, err, size);
		icmp_free(icmp);
		return NULL;
	}
	icmp->io = loop_io_new(loop, icmp->fd, icmp_ready, icmp);
	if (!icmp->io) {
		snprintf(err, size, "out of memory");
		icmp_free(icmp);
		return NULL;
	}
	loop_io_set(icmp->io, LOOP_READ);
	return icmp;
}

void icmp_free(struct icmp *icmp)
{
	if (!icmp)
		return;
	loop_io_free(icmp->io);
	if (icmp->fd >= 0)
		close(icmp->fd);
	free(icmp);
}
