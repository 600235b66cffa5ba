/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A charon for tests: a VICI server in the test's own loop, one client at a
 * time, with an encoder of its own (so the client's is checked against it).
 * The clock of the loop stands still; settle() lets all I/O come to rest.
 */
#ifndef VGW_TESTS_FAKE_CHARON_H
#define VGW_TESTS_FAKE_CHARON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/loop.h"
#include "sys/vici.h"

#define FAKE_BODY 16384

struct body {
	uint8_t data[FAKE_BODY];
	size_t len;
};

struct fake {
	struct loop *loop;
	char dir[32], path[64];
	int listen_fd, fd, turns_fd[2];
	struct loop_io *listen_io, *io, *turns_io;
	unsigned int turns;
	uint8_t in[65536];
	size_t in_len;
	bool trickle; /* send byte by byte */
	size_t accepted;
	char registered[512]; /* events, each followed by a blank */
	/* A command arrived; body is borrowed. */
	void (*command)(void *ctx, struct fake *fake, const char *name, const uint8_t *body,
			size_t len);
	void *ctx;
};

/* ---- encoding ---- */

static inline void body_text(struct body *b, int type, const char *name, const char *value)
{
	size_t n;

	b->data[b->len++] = (uint8_t)type;
	if (name) {
		n = strlen(name);
		b->data[b->len++] = (uint8_t)n;
		memcpy(b->data + b->len, name, n);
		b->len += n;
	}
	if (value) {
		n = strlen(value);
		b->data[b->len++] = (uint8_t)(n >> 8);
		b->data[b->len++] = (uint8_t)n;
		memcpy(b->data + b->len, value, n);
		b->len += n;
	}
}

static inline void body_section(struct body *b, const char *name)
{
	body_text(b, 1, name, NULL);
}

static inline void body_end(struct body *b)
{
	body_text(b, 2, NULL, NULL);
}

static inline void body_value(struct body *b, const char *key, const char *value)
{
	body_text(b, 3, key, value);
}

static inline void fake_send(struct fake *fake, int type, const char *name, const struct body *body)
{
	uint8_t packet[FAKE_BODY + 300];
	size_t n = 4;
	size_t len;

	packet[n++] = (uint8_t)type;
	if (name) {
		packet[n++] = (uint8_t)strlen(name);
		memcpy(packet + n, name, strlen(name));
		n += strlen(name);
	}
	if (body) {
		memcpy(packet + n, body->data, body->len);
		n += body->len;
	}
	len = n - 4;
	packet[0] = (uint8_t)(len >> 24);
	packet[1] = (uint8_t)(len >> 16);
	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	for (size_t i = 0; i < n; i += fake->trickle ? 1 : n)
		if (send(fake->fd, packet + i, fake->trickle ? 1 : n, MSG_NOSIGNAL) < 0)
			return;
}

static inline void fake_reply(struct fake *fake, const struct body *body)
{
	fake_send(fake, 1, NULL, body);
}

static inline void fake_success(struct fake *fake, const char *errmsg)
{
	struct body body = { .len = 0 };

	body_value(&body, "success", errmsg ? "no" : "yes");
	if (errmsg)
		body_value(&body, "errmsg", errmsg);
	fake_reply(fake, &body);
}

static inline void fake_event(struct fake *fake, const char *name, const struct body *body)
{
	if (fake->fd >= 0)
		fake_send(fake, 7, name, body);
}

/* ---- server ---- */

static inline void fake_hang_up(struct fake *fake)
{
	loop_io_free(fake->io);
	fake->io = NULL;
	if (fake->fd >= 0)
		close(fake->fd);
	fake->fd = -1;
	explicit_bzero(fake->in, sizeof(fake->in));
	fake->in_len = 0;
	fake->registered[0] = '\0';
}

static inline void fake_packet(struct fake *fake, const uint8_t *p, size_t len)
{
	char name[256];
	size_t n = p[1];

	memcpy(name, p + 2, n);
	name[n] = '\0';
	if (p[0] == 3) {
		strcat(fake->registered, name);
		strcat(fake->registered, " ");
		fake_send(fake, 5, NULL, NULL);
	} else if (p[0] == 0) {
		fake->command(fake->ctx, fake, name, p + 2 + n, len - 2 - n);
	}
}

static inline void fake_ready(void *ctx, unsigned int events)
{
	struct fake *fake = ctx;
	ssize_t n = recv(fake->fd, fake->in + fake->in_len, sizeof(fake->in) - fake->in_len, 0);

	if (n <= 0) {
		fake_hang_up(fake);
		return;
	}
	fake->in_len += (size_t)n;
	while (fake->fd >= 0 && fake->in_len >= 4) {
		const uint8_t *p = fake->in;
		size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (fake->in_len < 4 + len)
			break;
		fake_packet(fake, p + 4, len);
		if (fake->fd < 0)
			return;
		memmove(fake->in, fake->in + 4 + len, fake->in_len - 4 - len);
		/* No copy of a secret stays here. */
		explicit_bzero(fake->in + fake->in_len - 4 - len, 4 + len);
		fake->in_len -= 4 + len;
	}
}

static inline void fake_accept(void *ctx, unsigned int events)
{
	struct fake *fake = ctx;
	int fd = accept(fake->listen_fd, NULL, NULL);

	if (fd < 0)
		return;
	fake_hang_up(fake);
	fake->fd = fd;
	fake->accepted++;
	fake->io = loop_io_new(fake->loop, fd, fake_ready, fake);
	loop_io_set(fake->io, LOOP_READ);
}

static inline void fake_listen(struct fake *fake)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(sun.sun_path, fake->path);
	fake->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(fake->listen_fd, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(fake->listen_fd, 4))
		abort();
	fake->listen_io = loop_io_new(fake->loop, fake->listen_fd, fake_accept, fake);
	loop_io_set(fake->listen_io, LOOP_READ);
}

/* As if charon had ended. */
static inline void fake_stop(struct fake *fake)
{
	fake_hang_up(fake);
	loop_io_free(fake->listen_io);
	fake->listen_io = NULL;
	if (fake->listen_fd >= 0)
		close(fake->listen_fd);
	fake->listen_fd = -1;
	unlink(fake->path);
}

static inline void fake_turn(void *ctx, unsigned int events)
{
	struct fake *fake = ctx;

	if (!--fake->turns) {
		loop_io_set(fake->turns_io, 0);
		loop_stop(fake->loop);
	}
}

/* Lets all messages arrive and everything due now happen. */
static inline void settle(struct fake *fake)
{
	for (int i = 0; i < 4; i++) {
		fake->turns = 60;
		loop_io_set(fake->turns_io, LOOP_WRITE);
		loop_run(fake->loop);
		loop_fake_advance(fake->loop, 0);
	}
}

/* In steps, so that answers are not late by this clock. */
static inline void advance(struct fake *fake, uint64_t ms)
{
	while (ms > 5000) {
		loop_fake_advance(fake->loop, 5000);
		settle(fake);
		ms -= 5000;
	}
	loop_fake_advance(fake->loop, ms);
	settle(fake);
}

static inline void fake_init(struct fake *fake,
			     void (*command)(void *ctx, struct fake *fake, const char *name,
					     const uint8_t *body, size_t len), void *ctx)
{
	memset(fake, 0, sizeof(*fake));
	fake->loop = loop_new();
	loop_fake_clock(fake->loop);
	strcpy(fake->dir, "/tmp/vgw-vici-XXXXXX");
	if (!mkdtemp(fake->dir) || socketpair(AF_UNIX, SOCK_STREAM, 0, fake->turns_fd))
		abort();
	snprintf(fake->path, sizeof(fake->path), "%s/vici", fake->dir);
	fake->fd = fake->listen_fd = -1;
	fake->command = command;
	fake->ctx = ctx;
	fake->turns_io = loop_io_new(fake->loop, fake->turns_fd[0], fake_turn, fake);
}

static inline void fake_exit(struct fake *fake)
{
	fake_stop(fake);
	rmdir(fake->dir);
	loop_io_free(fake->turns_io);
	close(fake->turns_fd[0]);
	close(fake->turns_fd[1]);
	loop_free(fake->loop);
}

#endif
