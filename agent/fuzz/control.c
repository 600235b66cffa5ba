// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket: the input is all that a client says. Each line that is not empty
 * gets one answer, in order, and then the server closes.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/control.h"

static void handle_echo(void *ctx, const json_t *args, struct control_reply *reply)
{
	control_reply_row(reply, json_deep_copy(args));
	control_reply_done(reply);
}

static void handle_fail(void *ctx, const json_t *args, struct control_reply *reply)
{
	const char *text = json_string_value(json_object_get(args, "text"));

	control_reply_error(reply, 2, "no such thing: %s", text ? text : "");
}

static bool step(void *state, struct control_reply *reply)
{
	control_reply_row(reply, json_pack("{s:i}", "left", *(int *)state));
	return --*(int *)state > 0;
}

static void handle_stream(void *ctx, const json_t *args, struct control_reply *reply)
{
	int *left = malloc(sizeof(*left));

	FUZZ_CHECK(left);
	*left = 3;
	control_reply_stream(reply, step, free, left);
}

static const struct control_verb verbs[] = {
	{ "show", "echo", handle_echo },
	{ "show", "stream", handle_stream },
	{ "fail", NULL, handle_fail },
	{ NULL, NULL, NULL },
};

struct client {
	struct loop *loop;
	struct loop_io *io;
	int fd;
	char answer[1 << 17];
	size_t len;
};

static void client_ready(void *ctx, unsigned int events)
{
	struct client *client = ctx;
	ssize_t n = recv(client->fd, client->answer + client->len,
			 sizeof(client->answer) - client->len, MSG_DONTWAIT);

	if (n > 0)
		client->len += (size_t)n;
	FUZZ_CHECK(client->len < sizeof(client->answer));
	if (!n)
		loop_stop(client->loop);
}

static void client_connect(struct client *client, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(!connect(client->fd, (struct sockaddr *)&sun, sizeof(sun)));
	client->io = loop_io_new(client->loop, client->fd, client_ready, client);
	FUZZ_CHECK(client->io);
	loop_io_set(client->io, LOOP_READ);
}

static size_t requests(const uint8_t *data, size_t size)
{
	size_t n = 0, start = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] != '\n')
			continue;
		n += i > start;
		start = i + 1;
	}
	return n;
}

/* Rows, then an end. Returns the number of ends. */
static size_t answers(const char *text, size_t len)
{
	size_t n = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		json_t *line;

		FUZZ_CHECK(end);
		line = json_loadb(text, (size_t)(end - text), 0, NULL);
		FUZZ_CHECK(json_is_object(line));
		if (!json_object_get(line, "row")) {
			FUZZ_CHECK(json_object_get(line, "done") ||
				   (json_is_string(json_object_get(line, "error")) &&
				    json_is_string(json_object_get(line, "errno"))));
			n++;
		}
		json_decref(line);
		len -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	return n;
}

static void control_run(const uint8_t *data, size_t size)
{
	static struct client client;
	char path[64], err[200];
	struct control *control;

	client.len = 0;
	client.loop = loop_new();
	FUZZ_CHECK(client.loop);
	snprintf(path, sizeof(path), "/tmp/vgw-fuzz-%d.sock", (int)getpid());
	control = control_new(client.loop, path, NULL, verbs, NULL, err, sizeof(err));
	FUZZ_CHECK(control);
	client_connect(&client, path);
	FUZZ_CHECK(send(client.fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
	shutdown(client.fd, SHUT_WR);
	FUZZ_CHECK(!loop_run(client.loop));
	FUZZ_CHECK(answers(client.answer, client.len) == requests(data, size));
	loop_io_free(client.io);
	close(client.fd);
	control_free(control);
	loop_free(client.loop);
}

static void control_seeds(fuzz_add add)
{
	static const char *const texts[] = {
		"{\"verb\":\"show\",\"object\":\"echo\","
		"\"args\":{\"a\":[1,\"\xc3\xa4\",null,2.5e300]}}\n",
		"{\"verb\":\"show\",\"object\":\"stream\"}\n"
		"{\"verb\":\"show\",\"object\":\"stream\"}\n",
		"{\"verb\":\"fail\",\"args\":{\"text\":\"\xe2\x82\xac\\u001b\\r\\n\"}}\n\n",
		"{\"verb\":\"fail\",\"verb\":\"fail\"}\n[]\n1\n{\"verb\":1}\n",
		"{\"verb\":\"show\",\"object\":{},\"args\":[]}\n{\"verb\":\"show\"}\nnot whole",
		"{\"verb\":\"\\u0000\",\"object\":\"\\ud800\"}\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
	};
	char text[2100] = "{\"verb\":\"fail\",\"args\":{\"text\":\"";
	size_t len = strlen(text);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		add(texts[i], strlen(texts[i]));
	/* An answer's text has an end, and that is not in the middle of a character. */
	for (; len < 2000; len += 3)
		memcpy(text + len, "\xe2\x82\xac", 3);
	strcpy(text + len, "\"}}\n");
	add(text, strlen(text));
	memmove(text + 33, text + 34, strlen(text + 33));
	add(text, strlen(text));
}

const struct fuzz_target fuzz_control = { "control", 4096, control_run, control_seeds };
