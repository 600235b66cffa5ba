/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scripted peer on a raw socket: 127.0.0.2, AS 65001, to a session of ours, a
 * (127.0.0.1, AS 65000, identifier 10.0.0.1), mostly passive.
 */
#ifndef VGW_TESTS_BGP_RAW_H
#define VGW_TESTS_BGP_RAW_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp_hex.h"
#include "bgp_side.h"

struct raw {
	int fd;
	uint8_t buf[2 * BGP_EXTENDED_MAX];
	size_t len;
	/* the message taken last */
	uint8_t type, body[BGP_EXTENDED_MAX];
	size_t body_len;
	bool end; /* of file, or reset */
};

static struct raw raw, raw2;

static inline int raw_socket(const char *from, uint16_t port)
{
	struct sockaddr_storage ss;
	struct addr addr = addr_of(from);
	socklen_t len = addr_to_sockaddr(&addr, port, &ss);
	int fd = socket(addr.family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	/* A small window, so that a peer that does not read is felt early. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 8192 }, sizeof(int)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static inline void raw_connect_to(struct raw *r, const char *from, const char *to, uint16_t port)
{
	struct sockaddr_storage ss;
	struct addr addr = addr_of(to);
	socklen_t len = addr_to_sockaddr(&addr, port, &ss);

	memset(r, 0, sizeof(*r));
	r->fd = raw_socket(from, 0);
	assert_int_equal(connect(r->fd, (struct sockaddr *)&ss, len), 0);
	fcntl(r->fd, F_SETFL, O_NONBLOCK);
}

static inline void raw_connect_from(struct raw *r, const char *from)
{
	raw_connect_to(r, from, "127.0.0.1", TEST_PORT);
}

static inline void raw_connect(struct raw *r)
{
	raw_connect_from(r, "127.0.0.2");
}

static inline void raw_close(struct raw *r)
{
	if (r->fd > 0)
		close(r->fd);
	r->fd = 0;
}

/* Takes one message if a whole one is there. */
static inline bool raw_take(struct raw *r)
{
	ssize_t n = recv(r->fd, r->buf + r->len, sizeof(r->buf) - r->len, MSG_DONTWAIT);
	size_t len;

	if (n > 0)
		r->len += (size_t)n;
	else if (!n || errno != EAGAIN)
		r->end = true;
	if (r->len < BGP_HEADER_SIZE)
		return r->end;
	len = (size_t)(r->buf[16] << 8 | r->buf[17]);
	assert_in_range(len, BGP_HEADER_SIZE, BGP_EXTENDED_MAX);
	if (r->len < len)
		return r->end;
	r->end = false;
	r->type = r->buf[18];
	r->body_len = len - BGP_HEADER_SIZE;
	memcpy(r->body, r->buf + BGP_HEADER_SIZE, r->body_len);
	r->len -= len;
	memmove(r->buf, r->buf + len, r->len);
	return true;
}

static inline bool raw_took(void)
{
	return raw_take(&raw);
}

static inline bool raw2_took(void)
{
	return raw_take(&raw2);
}

static inline void raw_expect(struct raw *r, uint8_t type)
{
	r->type = 0;
	wait_for(r == &raw ? raw_took : raw2_took, 5000);
	if (r->end || r->type != type)
		fail_msg("message type %u, expected %u; NOTIFICATION %u/%u", r->end ? 0 : r->type,
			 type, r->body[0], r->body[1]);
}

static inline void raw_expect_notification(struct raw *r, uint8_t code, uint8_t subcode)
{
	do {
		r->type = 0;
		wait_for(r == &raw ? raw_took : raw2_took, 5000);
		if (r->end)
			fail_msg("closed without NOTIFICATION %u/%u", code, subcode);
	} while (r->type != BGP_NOTIFICATION);
	if (r->body[0] != code || r->body[1] != subcode)
		fail_msg("NOTIFICATION %u/%u, expected %u/%u (%s)", r->body[0], r->body[1], code,
			 subcode, side_error(&a));
	/* And then the connection ends. */
	r->type = 0;
	wait_for(r == &raw ? raw_took : raw2_took, 5000);
	assert_true(r->end);
}

static inline void raw_send(struct raw *r, uint8_t type, const uint8_t *body, size_t len)
{
	uint8_t message[BGP_EXTENDED_MAX];
	size_t total = len + BGP_HEADER_SIZE;

	memset(message, 0xff, BGP_MARKER_SIZE);
	message[16] = (uint8_t)(total >> 8);
	message[17] = (uint8_t)total;
	message[18] = type;
	if (len)
		memcpy(message + BGP_HEADER_SIZE, body, len);
	for (size_t done = 0; done < total;) {
		ssize_t n = send(r->fd, message + done, total - done, MSG_NOSIGNAL);

		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		else
			done += (size_t)n;
		if (n < 0)
			wait_pass(1);
	}
}

static inline void raw_send_hex(struct raw *r, uint8_t type, const char *text)
{
	uint8_t body[BGP_EXTENDED_MAX];

	raw_send(r, type, body, hex(text, body, sizeof(body)));
}

/* AS 65001, hold time 30, identifier 10.0.0.2; both families, refresh, 4-octet AS. */
#define OPEN_NEW "04 fde9 001e 0a000002 16 0214 010400010001 010400020001 0200 41040000fde9"
#define OPEN_OLD "04 fde9 001e 0a000002 0e 020c 010400010001 010400020001"
#define OPEN_INTERNAL "04 fde8 001e 0a000002 16 0214 010400010001 010400020001 0200 41040000fde8"
#define OPEN_RESTART "04 fde9 001e 0a000002 1e 021c 010400010001 010400020001 0200 41040000fde9 " \
		     "4006 0078 00010180"

static inline bool a_up(void)
{
	return side_state(&a) == SESSION_ESTABLISHED;
}

static inline bool a_gone(void)
{
	return a.downs;
}

static inline void start_a(const struct session_config *config)
{
	side_open(&a, config);
	session_start(a.session);
}

static inline void start_passive(void)
{
	struct session_config ca = config_a();

	ca.passive = true;
	start_a(&ca);
}

static inline void raw_establish(struct raw *r, const char *open)
{
	raw_connect(r);
	raw_expect(r, BGP_OPEN);
	raw_send_hex(r, BGP_OPEN, open);
	raw_expect(r, BGP_KEEPALIVE);
	raw_send(r, BGP_KEEPALIVE, NULL, 0);
	wait_for(a_up, 2000);
}

static inline int raw_setup(void **state)
{
	memset(&raw, 0, sizeof(raw));
	memset(&raw2, 0, sizeof(raw2));
	return sides_setup(state);
}

static inline int raw_teardown(void **state)
{
	raw_close(&raw);
	raw_close(&raw2);
	return sides_teardown(state);
}

#endif
