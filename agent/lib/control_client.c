// SPDX-License-Identifier: GPL-2.0-only
/* Client side of the control protocol: one blocking call. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/control.h"

const char *control_default_path(const char *gateway, char *buf, size_t size)
{
	if (!gateway || !strcmp(gateway, CONTROL_GATEWAY))
		snprintf(buf, size, "/run/vgw/control.sock");
	else
		snprintf(buf, size, "/run/vgw/control-%s.sock", gateway);
	return buf;
}

struct call {
	int fd;
	unsigned int timeout; /* ms without a byte from the server */
	uint64_t deadline; /* monotonic ms */
	char *line;
	size_t len, size;
	char *err;
	size_t err_size;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int call_fail(struct call *call, int error, const char *what)
{
	snprintf(call->err, call->err_size, "%s: %s", what, strerror(error));
	return -error;
}

static int call_connect(struct call *call, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(sun.sun_path))
		return call_fail(call, ENAMETOOLONG, path);
	strcpy(sun.sun_path, path);
	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (call->fd < 0)
		return call_fail(call, errno, "socket");
	if (connect(call->fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED) {
		snprintf(call->err, call->err_size, "vgwd is not running (%s)", path);
		return -ENOTCONN;
	}
	return call_fail(call, errno, path);
}

static int call_send(struct call *call, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0, done = 0;
	int ret = 0;

	if (!text)
		return call_fail(call, ENOMEM, "request");
	text[len++] = '\n'; /* in the place of the terminator */
	while (done < len && !ret) {
		ssize_t n = send(call->fd, text + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			ret = call_fail(call, errno, "control socket");
		else if (n > 0)
			done += n;
	}
	free(text);
	return ret;
}

static int call_receive(struct call *call)
{
	struct pollfd pfd = { .fd = call->fd, .events = POLLIN };
	uint64_t now = now_ms();
	ssize_t n;

	if (call->timeout &&
	    (now >= call->deadline || poll(&pfd, 1, (int)(call->deadline - now)) == 0)) {
		snprintf(call->err, call->err_size, "vgwd did not answer in time");
		return -ETIMEDOUT;
	}
	if (call->len == call->size) {
		size_t size = call->size ? call->size * 2 : 65536;
		char *line = realloc(call->line, size);

		if (!line)
			return call_fail(call, ENOMEM, "answer");
		call->line = line;
		call->size = size;
	}
	n = recv(call->fd, call->line + call->len, call->size - call->len, 0);
	if (n < 0)
		return errno == EINTR ? 0 : call_fail(call, errno, "control socket");
	if (n == 0) {
		snprintf(call->err, call->err_size, "vgwd closed the connection before the end");
		return -EPIPE;
	}
	call->len += n;
	call->deadline = now_ms() + call->timeout;
	return 0;
}

static int error_number(const char *name)
{
	for (int e = 1; name && e < 134; e++) {
		const char *candidate = strerrorname_np(e);

		if (candidate && !strcmp(candidate, name))
			return e;
	}
	return EIO;
}

/* 1: more to come, 0: done, negative: failed. */
static int call_line(struct call *call, const char *text, size_t len,
		     void (*row)(void *ctx, const json_t *row), void *ctx)
{
	json_t *line = json_loadb(text, len, 0, NULL), *value;
	int ret = 1;

	value = json_object_get(line, "row");
	if (value) {
		row(ctx, value);
	} else if (json_object_get(line, "done")) {
		ret = 0;
	} else if ((value = json_object_get(line, "error"))) {
		const char *name = json_string_value(json_object_get(line, "errno"));

		snprintf(call->err, call->err_size, "%s", json_string_value(value));
		ret = -error_number(name);
	} else {
		snprintf(call->err, call->err_size, "vgwd answered with something unknown");
		ret = -EPROTO;
	}
	json_decref(line);
	return ret;
}

static int call_lines(struct call *call, void (*row)(void *ctx, const json_t *row), void *ctx)
{
	size_t start = 0;
	int ret = 1;

	while (ret == 1) {
		char *end = memchr(call->line + start, '\n', call->len - start);
		size_t len;

		if (!end)
			break;
		len = end - call->line - start;
		ret = call_line(call, call->line + start, len, row, ctx);
		start += len + 1;
	}
	call->len -= start;
	memmove(call->line, call->line + start, call->len);
	return ret;
}

int control_call(const char *path, const json_t *request, unsigned int timeout_ms,
		 void (*row)(void *ctx, const json_t *row), void *ctx, char *err, size_t size)
{
	struct call call = { .fd = -1, .timeout = timeout_ms, .err = err, .err_size = size };
	int ret = call_connect(&call, path);

	call.deadline = now_ms() + timeout_ms;
	if (!ret)
		ret = call_send(&call, request);
	if (!ret) {
		do {
			ret = call_receive(&call);
			if (!ret)
				ret = call_lines(&call, row, ctx);
		} while (ret == 1);
	}
	if (call.fd >= 0)
		close(call.fd);
	free(call.line);
	return ret;
}
