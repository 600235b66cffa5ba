// SPDX-License-Identifier: GPL-2.0-only
/*
 * Server side of the control protocol. A client is a small state machine: its
 * input collects one line, its output is a buffer that the socket drains. One
 * request of a client is under way at a time; the next line waits.
 */
#include "lib/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

struct client;

struct control_reply {
	struct client *client; /* NULL once the client is gone */
	bool (*step)(void *state, struct control_reply *reply);
	void (*release)(void *state);
	void *state;
	bool stepping; /* inside step(): the reply must not be freed below it */
	bool waiting; /* step() has nothing to tell before it is woken */
	bool broken; /* a row could not be made */
};

struct client {
	struct control *control;
	struct client *next;
	struct loop_io *io;
	int fd;
	char *in;
	size_t in_len;
	char *out;
	size_t out_len, out_size;
	struct control_reply *reply;
	bool closing; /* close once the output is written */
	bool eof; /* the client has said its last request */
};

struct control {
	struct loop *loop;
	struct loop_io *io;
	struct client *clients;
	size_t n_clients;
	const struct control_verb *verbs;
	void *ctx;
	char *path;
	int fd;
};

static void reply_free(struct control_reply *reply)
{
	if (reply->release)
		reply->release(reply->state);
	free(reply);
}

static void client_free(struct client *client)
{
	struct client **p = &client->control->clients;

	while (*p != client)
		p = &(*p)->next;
	*p = client->next;
	client->control->n_clients--;
	if (client->reply) {
		client->reply->client = NULL;
		/* A stream has nobody else to end it. */
		if (client->reply->step && !client->reply->stepping)
			reply_free(client->reply);
	}
	loop_io_free(client->io);
	close(client->fd);
	free(client->in);
	free(client->out);
	free(client);
}

static void client_watch(struct client *client)
{
	unsigned int events = 0;

	if (!client->reply && !client->eof && !client->closing)
		events |= LOOP_READ;
	if (client->out_len)
		events |= LOOP_WRITE;
	/* A request is under way: still learn of a hang-up, while there is room to read into. */
	if (!events && !client->eof && client->in_len < CONTROL_REQUEST_MAX)
		events = LOOP_READ;
	loop_io_set(client->io, events);
}

static bool client_append(struct client *client, const char *data, size_t len)
{
	if (client->out_len + len > client->out_size) {
		size_t size = client->out_size ? client->out_size : 4096;
		char *out;

		while (size < client->out_len + len)
			size *= 2;
		out = realloc(client->out, size);
		if (!out)
			return false;
		client->out = out;
		client->out_size = size;
	}
	memcpy(client->out + client->out_len, data, len);
	client->out_len += len;
	return true;
}

static bool client_emit(struct client *client, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	bool ok = text && client_append(client, text, strlen(text)) &&
		  client_append(client, "\n", 1);

	free(text);
	json_decref(line);
	return ok;
}

void control_reply_row(struct control_reply *reply, json_t *row)
{
	json_t *line;

	if (!reply->client || reply->broken) {
		json_decref(row);
		return;
	}
	line = row ? json_pack("{s:o}", "row", row) : NULL;
	if (!client_emit(reply->client, line))
		reply->broken = true;
}

static void reply_finish(struct control_reply *reply, json_t *last)
{
	struct client *client = reply->client;

	if (client) {
		if (!client_emit(client, last))
			client->closing = true;
		client->reply = NULL;
		reply->client = NULL;
		client_watch(client);
	} else {
		json_decref(last);
	}
	if (!reply->stepping)
		reply_free(reply);
}

void control_reply_done(struct control_reply *reply)
{
	if (reply->broken) {
		reply->broken = false;
		control_reply_error(reply, ENOMEM, "out of memory while answering");
		return;
	}
	reply_finish(reply, json_pack("{s:b}", "done", 1));
}

/* JSON takes whole characters only: a text that was cut in one, or has a name that is none, is
 * told escaped. */
static json_t *error_text(const char *text)
{
	char escaped[1024];
	json_t *string = json_string(text);

	if (string)
		return string;
	return json_string(log_escape((const uint8_t *)text, strlen(text), escaped,
				      sizeof(escaped)));
}

void control_reply_error(struct control_reply *reply, int error, const char *fmt, ...)
{
	const char *name = strerrorname_np(error < 0 ? -error : error);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply_finish(reply, json_pack("{s:o, s:s}", "error", error_text(text), "errno",
				      name ? name : "EIO"));
}

static void reply_step(struct control_reply *reply)
{
	while (reply->client && !reply->waiting &&
	       reply->client->out_len < CONTROL_BACKLOG_MAX) {
		bool more;

		reply->stepping = true;
		more = reply->step(reply->state, reply);
		reply->stepping = false;
		if (!reply->client) {
			reply_free(reply);
			return;
		}
		if (!more) {
			control_reply_done(reply);
			return;
		}
		if (reply->broken) {
			control_reply_done(reply);
			return;
		}
	}
	if (reply->client)
		client_watch(reply->client);
}

void control_reply_stream(struct control_reply *reply,
			  bool (*step)(void *state, struct control_reply *reply),
			  void (*release)(void *state), void *state)
{
	reply->step = step;
	reply->release = release;
	reply->state = state;
	if (!reply->client) {
		reply_free(reply);
		return;
	}
	reply_step(reply);
}

void control_reply_wait(struct control_reply *reply)
{
	reply->waiting = true;
}

void control_reply_wake(struct control_reply *reply)
{
	if (!reply->waiting)
		return;
	reply->waiting = false;
	reply_step(reply);
}

static void client_error(struct client *client, int error, const char *text)
{
	struct control_reply reply = { .client = client };

	client->reply = &reply;
	reply.stepping = true; /* it lives on the stack */
	control_reply_error(&reply, error, "%s", text);
}

static void client_dispatch(struct client *client, const json_t *verb, const json_t *object,
			    const json_t *args)
{
	const char *v = json_string_value(verb), *o = json_string_value(object);
	struct control *control = client->control;

	for (const struct control_verb *entry = control->verbs; entry->verb; entry++) {
		struct control_reply *reply;

		if (strcmp(entry->verb, v) || (entry->object != NULL) != (o != NULL) ||
		    (o && strcmp(entry->object, o)))
			continue;
		reply = calloc(1, sizeof(*reply));
		if (!reply) {
			client_error(client, ENOMEM, "out of memory");
			return;
		}
		reply->client = client;
		client->reply = reply;
		entry->handler(control->ctx, args, reply);
		return;
	}
	client_error(client, EOPNOTSUPP, "no such verb or object");
}

static void client_request(struct client *client, const char *line, size_t len)
{
	json_t *verb, *object, *args, *empty = NULL;
	json_error_t error;
	char text[256];
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	if (!request) {
		snprintf(text, sizeof(text), "request is not JSON: %s at column %d", error.text,
			 error.column);
		client_error(client, EINVAL, text);
		return;
	}
	verb = json_object_get(request, "verb");
	object = json_object_get(request, "object");
	args = json_object_get(request, "args");
	if (!args)
		args = empty = json_object();
	if (!json_is_string(verb))
		client_error(client, EINVAL, "request has no verb");
	else if (object && !json_is_string(object))
		client_error(client, EINVAL, "\"object\" must be a string");
	else if (!json_is_object(args))
		client_error(client, EINVAL, "\"args\" must be an object");
	else
		client_dispatch(client, verb, object, args);
	json_decref(empty);
	json_decref(request);
}

/* Takes lines while no request is under way; false: the client is over. */
static bool client_lines(struct client *client)
{
	while (!client->reply && !client->closing) {
		char *end = memchr(client->in, '\n', client->in_len);
		size_t used;

		if (!end)
			break;
		used = end - client->in + 1;
		if (used > 1)
			client_request(client, client->in, used - 1);
		client->in_len -= used;
		memmove(client->in, client->in + used, client->in_len);
	}
	if (client->in_len == CONTROL_REQUEST_MAX && !client->reply && !client->closing) {
		client_error(client, EMSGSIZE, "request is longer than 64 KiB");
		client->closing = true;
	}
	return !(client->eof && (!client->reply || client->reply->waiting) && !client->out_len);
}

static bool client_read(struct client *client)
{
	ssize_t n;

	if (client->in_len == CONTROL_REQUEST_MAX)
		return true;
	n = recv(client->fd, client->in + client->in_len, CONTROL_REQUEST_MAX - client->in_len, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		client->eof = true;
	client->in_len += n;
	return true;
}

static bool client_write(struct client *client)
{
	ssize_t n = send(client->fd, client->out, client->out_len, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->out_len -= n;
	memmove(client->out, client->out + n, client->out_len);
	if (client->out_len)
		return true;
	if (client->closing)
		return false;
	if (client->reply && client->reply->step)
		reply_step(client->reply);
	return true;
}

static void client_ready(void *ctx, unsigned int events)
{
	struct client *client = ctx;

	if ((events & LOOP_READ) && !client_read(client))
		goto gone;
	if ((events & LOOP_WRITE) && client->out_len && !client_write(client))
		goto gone;
	if (!client_lines(client))
		goto gone;
	client_watch(client);
	return;
gone:
	client_free(client);
}

static void client_new(struct control *control, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		goto close_fd;
	client->in = malloc(CONTROL_REQUEST_MAX);
	client->io = loop_io_new(control->loop, fd, client_ready, client);
	if (!client->in || !client->io)
		goto free_client;
	client->control = control;
	client->fd = fd;
	client->next = control->clients;
	control->clients = client;
	control->n_clients++;
	client_watch(client);
	return;
free_client:
	loop_io_free(client->io);
	free(client->in);
	free(client);
close_fd:
	close(fd);
}

static void control_accept(void *ctx, unsigned int events)
{
	struct control *control = ctx;
	int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	if (control->n_clients >= CONTROL_CLIENTS_MAX) {
		static const char busy[] = "{\"error\":\"too many clients\",\"errno\":\"EBUSY\"}\n";

		if (send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			log_debug("control", "refused client did not take the answer");
		close(fd);
		return;
	}
	client_new(control, fd);
}

static bool address_fill(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path))
		return false;
	strcpy(sun->sun_path, path);
	return true;
}

static bool served(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return false;
	alive = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 || errno == EAGAIN;
	close(fd);
	return alive;
}

static int socket_open(const char *path, const char *group, char *err, size_t size)
{
	struct sockaddr_un sun;
	struct group *gr = group ? getgrnam(group) : NULL;
	mode_t mask;
	int fd, ret;

	if (group && !gr) {
		snprintf(err, size, "control socket: no group named \"%s\"", group);
		return -1;
	}
	if (!address_fill(&sun, path)) {
		snprintf(err, size, "control socket %s: path longer than %zu bytes", path,
			 sizeof(sun.sun_path) - 1);
		return -1;
	}
	if (served(&sun)) {
		snprintf(err, size, "control socket %s: another vgwd serves it", path);
		return -1;
	}
	if (unlink(path) && errno != ENOENT) {
		snprintf(err, size, "control socket %s: %s", path, strerror(errno));
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0117);
	ret = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(mask);
	if (!ret && gr)
		ret = chown(path, -1, gr->gr_gid);
	if (!ret)
		ret = listen(fd, 16);
	if (ret) {
		snprintf(err, size, "control socket %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

struct control *control_new(struct loop *loop, const char *path, const char *group,
			    const struct control_verb *verbs, void *ctx, char *err, size_t size)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		snprintf(err, size, "out of memory");
		return NULL;
	}
	control->loop = loop;
	control->verbs = verbs;
	control->ctx = ctx;
	control->fd = socket_open(path, group, err, size);
	if (control->fd < 0) {
		free(control);
		return NULL;
	}
	control->path = strdup(path);
	control->io = loop_io_new(loop, control->fd, control_accept, control);
	if (!control->path || !control->io) {
		snprintf(err, size, "out of memory");
		control_free(control);
		return NULL;
	}
	loop_io_set(control->io, LOOP_READ);
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->clients)
		client_free(control->clients);
	loop_io_free(control->io);
	close(control->fd);
	if (control->path)
		unlink(control->path);
	free(control->path);
	free(control);
}
