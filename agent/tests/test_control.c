// SPDX-License-Identifier: GPL-2.0-only
/* The control protocol over a real socket: answers, streams, refusals, a slow reader, limits. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/control.h"

#define N_STREAM 60000

struct server {
	struct loop *loop;
	struct control *control;
	struct control_reply *held;
	char dir[64], path[96];
	size_t produced, released, events, heard;
	struct control_reply *follower;
	pthread_t thread;
};

static void echo(void *ctx, const json_t *args, struct control_reply *reply)
{
	(void)ctx;
	control_reply_row(reply, json_deep_copy(args));
	control_reply_done(reply);
}

static void refuse(void *ctx, const json_t *args, struct control_reply *reply)
{
	(void)ctx;
	(void)args;
	control_reply_error(reply, ENOENT, "no tunnel named \"%s\"", "t9");
}

static bool stream_step(void *state, struct control_reply *reply)
{
	struct server *server = state;

	control_reply_row(reply, json_pack("{s:i}", "n", (int)server->produced));
	return ++server->produced < N_STREAM;
}

static void stream_release(void *state)
{
	((struct server *)state)->released++;
}

static void stream(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct server *server = ctx;

	(void)args;
	server->produced = 0;
	control_reply_stream(reply, stream_step, stream_release, server);
}

/* Tells the events that there are, then waits for more. */
static bool follow_step(void *state, struct control_reply *reply)
{
	struct server *server = state;

	if (server->heard < server->events)
		control_reply_row(reply, json_pack("{s:i}", "event", (int)++server->heard));
	else
		control_reply_wait(reply);
	return true;
}

static void follow_release(void *state)
{
	struct server *server = state;

	server->follower = NULL;
	server->released++;
}

static void follow(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct server *server = ctx;

	server->follower = reply;
	server->heard = server->events = server->released = 0;
	control_reply_stream(reply, follow_step, follow_release, server);
}

/* So many events at once. */
static void happen(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct server *server = ctx;

	server->events += (size_t)json_integer_value(json_object_get(args, "n"));
	if (server->follower)
		control_reply_wake(server->follower);
	control_reply_row(reply, json_pack("{s:i, s:i, s:b}", "heard", (int)server->heard,
					   "released", (int)server->released, "follower",
					   server->follower != NULL));
	control_reply_done(reply);
}

static void hold(void *ctx, const json_t *args, struct control_reply *reply)
{
	(void)args;
	((struct server *)ctx)->held = reply;
}

static void release(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct server *server = ctx;

	(void)args;
	if (server->held)
		control_reply_done(server->held);
	server->held = NULL;
	control_reply_row(reply, json_pack("{s:i, s:i}", "produced", (int)server->produced,
					   "released", (int)server->released));
	control_reply_done(reply);
}

static void stop(void *ctx, const json_t *args, struct control_reply *reply)
{
	(void)args;
	control_reply_done(reply);
	loop_stop(((struct server *)ctx)->loop);
}

static const struct control_verb verbs[] = {
	{ "show", "echo", echo },     { "show", "stream", stream }, { "fail", NULL, refuse },
	{ "hold", NULL, hold },	      { "release", NULL, release }, { "stop", NULL, stop },
	{ "follow", NULL, follow },    { "happen", NULL, happen },
	{ NULL, NULL, NULL },
};

static void *serve(void *arg)
{
	loop_run(((struct server *)arg)->loop);
	return NULL;
}

static int setup(void **state)
{
	struct server *server = calloc(1, sizeof(*server));
	char err[256];

	strcpy(server->dir, "/tmp/vgw-control-XXXXXX");
	assert_non_null(mkdtemp(server->dir));
	snprintf(server->path, sizeof(server->path), "%s/sock", server->dir);
	server->loop = loop_new();
	server->control = control_new(server->loop, server->path, NULL, verbs, server, err,
				      sizeof(err));
	assert_non_null(server->control);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	*state = server;
	return 0;
}

struct rows {
	size_t n;
	json_t *last;
};

static void collect(void *ctx, const json_t *row)
{
	struct rows *rows = ctx;

	rows->n++;
	json_decref(rows->last);
	rows->last = json_deep_copy(row);
}

static int call(struct server *server, const char *request, struct rows *rows, char *err)
{
	json_t *json = json_loads(request, 0, NULL);
	int ret = control_call(server->path, json, 10000, collect, rows, err, 256);

	json_decref(json);
	return ret;
}

static int teardown(void **state)
{
	struct server *server = *state;
	struct rows rows = { 0 };
	char err[256];

	call(server, "{\"verb\":\"stop\"}", &rows, err);
	pthread_join(server->thread, NULL);
	control_free(server->control);
	loop_free(server->loop);
	assert_int_equal(access(server->path, F_OK), -1);
	rmdir(server->dir);
	free(server);
	return 0;
}

static void test_answer(void **state)
{
	struct rows rows = { 0 };
	char err[256] = "";

	assert_int_equal(call(*state,
			      "{\"verb\":\"show\",\"object\":\"echo\",\"args\":{\"a\":[1,\"x\"]}}",
			      &rows, err), 0);
	assert_int_equal(rows.n, 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(rows.last, "a"), 1)),
			    "x");
	json_decref(rows.last);
}

static void test_error_has_text_and_number(void **state)
{
	struct rows rows = { 0 };
	char err[256] = "";

	assert_int_equal(call(*state, "{\"verb\":\"fail\"}", &rows, err), -ENOENT);
	assert_string_equal(err, "no tunnel named \"t9\"");
	assert_int_equal(call(*state, "{\"verb\":\"show\",\"object\":\"nothing\"}", &rows, err),
			 -EOPNOTSUPP);
	assert_int_equal(call(*state, "{\"verb\":\"show\"}", &rows, err), -EOPNOTSUPP);
	assert_int_equal(call(*state, "{\"verb\":7}", &rows, err), -EINVAL);
	assert_string_equal(err, "request has no verb");
	assert_int_equal(call(*state, "{\"verb\":\"fail\",\"args\":[]}", &rows, err), -EINVAL);
	assert_int_equal(rows.n, 0);
}

static void test_stream_is_whole(void **state)
{
	struct rows rows = { 0 };
	char err[256] = "";

	assert_int_equal(call(*state, "{\"verb\":\"show\",\"object\":\"stream\"}", &rows, err), 0);
	assert_int_equal(rows.n, N_STREAM);
	assert_int_equal(json_integer_value(json_object_get(rows.last, "n")), N_STREAM - 1);
	json_decref(rows.last);
}

static int raw_connect(struct server *server)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), small = 4096;

	strcpy(sun.sun_path, server->path);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void raw_send(int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* A client that asks for much and reads nothing: production stops, others are served, and its
 * hang-up releases the stream. */
static void test_slow_reader_is_bounded(void **state)
{
	static const char request[] = "{\"verb\":\"show\",\"object\":\"stream\"}\n";
	struct server *server = *state;
	struct rows rows = { 0 };
	size_t produced, again = 0;
	char err[256];
	int fd = raw_connect(server);

	call(server, "{\"verb\":\"release\"}", &rows, err);
	raw_send(fd, request, sizeof(request) - 1);
	do { /* until it stands still */
		produced = again;
		assert_int_equal(call(server, "{\"verb\":\"release\"}", &rows, err), 0);
		again = json_integer_value(json_object_get(rows.last, "produced"));
	} while (again == 0 || again != produced);
	assert_in_range(again, 1, N_STREAM / 2);
	close(fd);
	do {
		assert_int_equal(call(server, "{\"verb\":\"release\"}", &rows, err), 0);
	} while (json_integer_value(json_object_get(rows.last, "released")) == 0);
	json_decref(rows.last);
}

static json_int_t happens(struct server *server, int n, const char *key)
{
	struct rows rows = { 0 };
	char request[64], err[256];
	const json_t *value;
	json_int_t found;

	snprintf(request, sizeof(request), "{\"verb\":\"happen\",\"args\":{\"n\":%d}}", n);
	assert_int_equal(call(server, request, &rows, err), 0);
	value = json_object_get(rows.last, key);
	found = json_is_boolean(value) ? json_is_true(value) : json_integer_value(value);
	json_decref(rows.last);
	return found;
}

static void expect_text(int fd, const char *text)
{
	char got[256] = "";
	size_t len = 0;

	while (len < strlen(text)) {
		ssize_t n = recv(fd, got + len, strlen(text) - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_string_equal(got, text);
}

static int follower_connect(struct server *server)
{
	int fd = raw_connect(server);

	raw_send(fd, "{\"verb\":\"follow\"}\n", 18);
	while (!happens(server, 0, "follower"))
		;
	return fd;
}

/* An answer that goes on as things happen, and ends with the client. */
static void test_follow(void **state)
{
	struct server *server = *state;
	int fd = follower_connect(server);

	happens(server, 1, "heard");
	expect_text(fd, "{\"row\":{\"event\":1}}\n");
	happens(server, 2, "heard");
	expect_text(fd, "{\"row\":{\"event\":2}}\n{\"row\":{\"event\":3}}\n");
	close(fd);
	/* Nothing happens, and it is noticed all the same. */
	while (happens(server, 0, "follower"))
		;
	assert_int_equal(happens(server, 0, "released"), 1);
}

/* One that only closes its sending end says that it wants no more. */
static void test_follow_shutdown(void **state)
{
	struct server *server = *state;
	int fd = follower_connect(server);

	shutdown(fd, SHUT_WR);
	while (happens(server, 0, "follower"))
		;
	close(fd);
}

/* A follower that does not read costs bounded memory, and hears the rest later. */
static void test_follow_slowly(void **state)
{
	struct server *server = *state;
	int fd = follower_connect(server);
	json_int_t heard = happens(server, N_STREAM, "heard");
	size_t lines = 0;

	assert_in_range(heard, 1, N_STREAM / 2);
	happens(server, 1, "heard");
	while (lines < N_STREAM + 1) {
		char got[65536];
		ssize_t n = recv(fd, got, sizeof(got), 0);

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			lines += got[i] == '\n';
	}
	assert_int_equal(happens(server, 0, "heard"), N_STREAM + 1);
	close(fd);
	while (happens(server, 0, "follower"))
		;
}

static void test_broken_requests(void **state)
{
	struct server *server = *state;
	char answer[512] = "", *large = malloc(CONTROL_REQUEST_MAX + 10);
	int fd = raw_connect(server);
	ssize_t n;

	raw_send(fd, "{\"verb\":\n", 9);
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	assert_true(n > 0);
	assert_non_null(strstr(answer, "request is not JSON"));
	assert_non_null(strstr(answer, "EINVAL"));

	memset(large, 'x', CONTROL_REQUEST_MAX + 10);
	raw_send(fd, large, CONTROL_REQUEST_MAX);
	memset(answer, 0, sizeof(answer));
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	assert_true(n > 0);
	assert_non_null(strstr(answer, "EMSGSIZE"));
	n = recv(fd, answer, sizeof(answer), 0);
	assert_true(n <= 0); /* and closed */
	close(fd);
	free(large);
}

static void test_client_gone_before_answer(void **state)
{
	struct server *server = *state;
	struct rows rows = { 0 };
	char err[256];
	int fd = raw_connect(server);

	raw_send(fd, "{\"verb\":\"hold\"}\n", 16);
	close(fd);
	assert_int_equal(call(server, "{\"verb\":\"release\"}", &rows, err), 0);
	json_decref(rows.last);
}

static void test_nobody_there(void **state)
{
	json_t *request = json_pack("{s:s}", "verb", "show");
	struct rows rows = { 0 };
	char err[256] = "";

	(void)state;
	assert_int_equal(control_call("/nonexistent/sock", request, 1000, collect, &rows, err,
				      sizeof(err)), -ENOTCONN);
	assert_string_equal(err, "vgwd is not running (/nonexistent/sock)");
	json_decref(request);
}

static void test_second_server_refused(void **state)
{
	struct server *server = *state;
	struct loop *loop = loop_new();
	char err[256] = "";

	assert_null(control_new(loop, server->path, NULL, verbs, server, err, sizeof(err)));
	assert_non_null(strstr(err, "another vgwd serves it"));
	assert_null(control_new(loop, "/tmp/x", "no-such-group-here", verbs, server, err,
				sizeof(err)));
	assert_non_null(strstr(err, "no group named"));
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_error_has_text_and_number),
		cmocka_unit_test(test_stream_is_whole),
		cmocka_unit_test(test_slow_reader_is_bounded),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_follow_shutdown),
		cmocka_unit_test(test_follow_slowly),
		cmocka_unit_test(test_broken_requests),
		cmocka_unit_test(test_client_gone_before_answer),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_second_server_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
