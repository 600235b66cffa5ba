// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VICI protocol: packets with a 32-bit length, a type, for some a name, and
 * a message of nested sections, keys and lists. One packet of ours is under way at a
 * time; charon would queue more, but so the memory of a request can be wiped
 * as soon as it is answered, and its time limit starts when it is sent.
 */
#include "sys/vici.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

#define RECONNECT_MS 1000
/* All commands that are used return at once; a charon that is silent for so long is stuck. */
#define REPLY_MS 30000
#define DEPTH_MAX 16
#define READS_A_TURN 16

enum packet {
	CMD_REQUEST, CMD_RESPONSE, CMD_UNKNOWN, EVENT_REGISTER, EVENT_UNREGISTER, EVENT_CONFIRM,
	EVENT_UNKNOWN, EVENT,
};

/* ---- messages to send ---- */

struct vici_msg {
	uint8_t *data;
	size_t len, size;
	bool failed;
};

struct vici_msg *vici_msg_new(void)
{
	return calloc(1, sizeof(struct vici_msg));
}

static void wipe_free(uint8_t *data, size_t size)
{
	if (data)
		explicit_bzero(data, size);
	free(data);
}

void vici_msg_free(struct vici_msg *msg)
{
	if (!msg)
		return;
	wipe_free(msg->data, msg->size);
	free(msg);
}

/* Not realloc(): it could leave a copy behind. */
static bool msg_room(struct vici_msg *msg, size_t len)
{
	size_t size = msg->size ? msg->size : 1024;
	uint8_t *data;

	if (msg->failed || msg->len + len > VICI_MESSAGE_MAX) {
		msg->failed = true;
		return false;
	}
	if (msg->len + len <= msg->size)
		return true;
	while (size < msg->len + len)
		size *= 2;
	data = malloc(size);
	if (!data) {
		msg->failed = true;
		return false;
	}
	if (msg->len)
		memcpy(data, msg->data, msg->len);
	wipe_free(msg->data, msg->size);
	msg->data = data;
	msg->size = size;
	return true;
}

static void put_byte(struct vici_msg *msg, uint8_t byte)
{
	if (msg && msg_room(msg, 1))
		msg->data[msg->len++] = byte;
}

/* prefix: bytes of the length in front, 0, 1 or 2. */
static void put_bytes(struct vici_msg *msg, unsigned int prefix, const void *data, size_t len)
{
	if (!msg)
		return;
	if (len >= (size_t)1 << (8 * (prefix ? prefix : 3)))
		msg->failed = true;
	if (prefix == 2)
		put_byte(msg, (uint8_t)(len >> 8));
	if (prefix)
		put_byte(msg, (uint8_t)len);
	if (len && msg_room(msg, len)) {
		memcpy(msg->data + msg->len, data, len);
		msg->len += len;
	}
}

void vici_section(struct vici_msg *msg, const char *name)
{
	put_byte(msg, VICI_SECTION_START);
	put_bytes(msg, 1, name, strlen(name));
}

void vici_section_end(struct vici_msg *msg)
{
	put_byte(msg, VICI_SECTION_END);
}

void vici_data(struct vici_msg *msg, const char *key, const void *data, size_t len)
{
	put_byte(msg, VICI_KEY_VALUE);
	put_bytes(msg, 1, key, strlen(key));
	put_bytes(msg, 2, data, len);
}

void vici_value(struct vici_msg *msg, const char *key, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (msg && (n < 0 || (size_t)n >= sizeof(text)))
		msg->failed = true;
	else
		vici_data(msg, key, text, (size_t)n);
}

void vici_list_start(struct vici_msg *msg, const char *name)
{
	put_byte(msg, VICI_LIST_START);
	put_bytes(msg, 1, name, strlen(name));
}

static void put_item(struct vici_msg *msg, const char *item, size_t len)
{
	put_byte(msg, VICI_LIST_ITEM);
	put_bytes(msg, 2, item, len);
}

void vici_list_item(struct vici_msg *msg, const char *item)
{
	put_item(msg, item, strlen(item));
}

void vici_list_end(struct vici_msg *msg)
{
	put_byte(msg, VICI_LIST_END);
}

void vici_list(struct vici_msg *msg, const char *name, const char *items)
{
	vici_list_start(msg, name);
	while (*(items += strspn(items, ", "))) {
		size_t len = strcspn(items, ", ");

		put_item(msg, items, len);
		items += len;
	}
	vici_list_end(msg);
}

/* ---- messages received ---- */

void vici_reader_init(struct vici_reader *reader, const uint8_t *data, size_t len)
{
	memset(reader, 0, sizeof(*reader));
	reader->c = cursor_make(data, len);
}

static bool get_name(struct vici_reader *reader)
{
	size_t len = cursor_u8(&reader->c);

	if (!cursor_copy(&reader->c, reader->name, len) || memchr(reader->name, '\0', len))
		return false;
	reader->name[len] = '\0';
	return true;
}

static bool get_value(struct vici_reader *reader)
{
	reader->value_len = cursor_u16(&reader->c);
	reader->value = cursor_bytes(&reader->c, reader->value_len);
	return !reader->c.bad;
}

static bool get_element(struct vici_reader *reader)
{
	switch (reader->element) {
	case VICI_SECTION_START:
		return !reader->in_list && ++reader->depth <= DEPTH_MAX && get_name(reader);
	case VICI_SECTION_END:
		return !reader->in_list && reader->depth && reader->depth--;
	case VICI_KEY_VALUE:
		return !reader->in_list && get_name(reader) && get_value(reader);
	case VICI_LIST_START:
		if (reader->in_list)
			return false;
		reader->in_list = true;
		return get_name(reader);
	case VICI_LIST_ITEM:
		return reader->in_list && get_value(reader);
	case VICI_LIST_END:
		if (!reader->in_list)
			return false;
		reader->in_list = false;
		return true;
	default:
		return false;
	}
}

enum vici_element vici_next(struct vici_reader *reader)
{
	reader->value = NULL;
	reader->value_len = 0;
	if (reader->element == VICI_BAD)
		return VICI_BAD;
	if (!reader->c.left) {
		reader->element = reader->depth || reader->in_list ? VICI_BAD : VICI_END;
		return reader->element;
	}
	reader->element = (enum vici_element)cursor_u8(&reader->c);
	if (!get_element(reader))
		reader->element = VICI_BAD;
	return reader->element;
}

bool vici_skip(struct vici_reader *reader)
{
	unsigned int depth = reader->depth;
	enum vici_element element;

	while (reader->depth >= depth) {
		element = vici_next(reader);
		if (element == VICI_BAD || element == VICI_END)
			return false;
	}
	return true;
}

bool vici_is(const struct vici_reader *reader, const char *value)
{
	return reader->value_len == strlen(value) &&
	       !memcmp(reader->value, value, reader->value_len);
}

char *vici_text(const struct vici_reader *reader, char *out, size_t size)
{
	size_t len = reader->value_len < size - 1 ? reader->value_len : size - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = isprint(reader->value[i]) ? (char)reader->value[i] : '?';
	out[len] = '\0';
	return out;
}

/* ---- the connection ---- */

struct request {
	struct request *next;
	enum packet type; /* CMD_REQUEST or EVENT_REGISTER */
	uint8_t *data; /* the whole packet */
	size_t len, sent;
	char command[64]; /* for messages to people */
	int error; /* could not be built */
	vici_reply reply;
	void *ctx;
};

struct vici {
	struct loop *loop;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *const *events;
	const struct vici_ops *ops;
	void *ctx;
	int fd;
	bool established; /* up() was called */
	struct loop_io *io;
	struct loop_timer *connect_timer, *reply_timer, *failed_timer;
	struct request *queue, **queue_tail; /* the first is under way */
	uint8_t *in;
	size_t in_len, in_size;
	bool told; /* that it cannot connect */
};

static void request_free(struct request *request)
{
	wipe_free(request->data, request->len);
	free(request);
}

static void watch(struct vici *vici)
{
	const struct request *first = vici->queue;

	loop_io_set(vici->io, LOOP_READ | (first && first->sent < first->len ? LOOP_WRITE : 0));
}

/* Takes the first request out and answers it. */
static void answer(struct vici *vici, int error, struct vici_reader *message)
{
	struct request *request = vici->queue;

	vici->queue = request->next;
	if (!vici->queue)
		vici->queue_tail = &vici->queue;
	loop_timer_stop(vici->reply_timer);
	if (vici->queue)
		loop_timer_start(vici->reply_timer, REPLY_MS);
	/* Wiped before the owner goes on. */
	wipe_free(request->data, request->len);
	request->data = NULL;
	if (request->reply)
		request->reply(request->ctx, error, message);
	request_free(request);
}

static void disconnect(struct vici *vici, int error)
{
	bool established = vici->established;
	size_t n = 0;

	loop_io_free(vici->io);
	vici->io = NULL;
	if (vici->fd >= 0)
		close(vici->fd);
	vici->fd = -1;
	vici->established = false;
	if (vici->in)
		explicit_bzero(vici->in, vici->in_size);
	vici->in_len = 0;
	loop_timer_start(vici->connect_timer, RECONNECT_MS);
	/* Not those that are made by the answers. */
	for (const struct request *request = vici->queue; request; request = request->next)
		n++;
	while (n--) {
		answer(vici, error, NULL);
		error = -ENOLINK;
	}
	if (vici->queue)
		loop_timer_start(vici->failed_timer, 0);
	if (established && vici->ops->down)
		vici->ops->down(vici->ctx);
}

static void reply_late(void *ctx)
{
	struct vici *vici = ctx;

	log_warning("ike", "charon did not answer '%s' in %d s", vici->queue->command,
		    REPLY_MS / 1000);
	disconnect(vici, -ETIMEDOUT);
}

static int enqueue(struct vici *vici, enum packet type, const char *name, struct vici_msg *msg,
		    vici_reply reply, void *ctx)
{
	struct request *request = calloc(1, sizeof(*request));
	size_t name_len = strlen(name), body = msg ? msg->len : 0, len = 2 + name_len + body;

	if (!request)
		return -ENOMEM;
	request->type = type;
	request->reply = reply;
	request->ctx = ctx;
	snprintf(request->command, sizeof(request->command), "%s", name);
	if (msg && msg->failed)
		request->error = -EMSGSIZE;
	else if (!(request->data = malloc(4 + len)))
		request->error = -ENOMEM;
	else {
		request->len = 4 + len;
		request->data[0] = (uint8_t)(len >> 24);
		request->data[1] = (uint8_t)(len >> 16);
		request->data[2] = (uint8_t)(len >> 8);
		request->data[3] = (uint8_t)len;
		request->data[4] = (uint8_t)type;
		request->data[5] = (uint8_t)name_len;
		memcpy(request->data + 6, name, name_len);
		if (body)
			memcpy(request->data + 6 + name_len, msg->data, body);
	}
	*vici->queue_tail = request;
	vici->queue_tail = &request->next;
	if (vici->queue == request)
		loop_timer_start(vici->reply_timer, REPLY_MS);
	return 0;
}

/* Requests that cannot be sent are answered from here, not from inside vici_request(). */
static void failed_check(void *ctx)
{
	struct vici *vici = ctx;

	while (vici->queue && (vici->queue->error || vici->fd < 0))
		answer(vici, vici->queue->error ? vici->queue->error : -ENOLINK, NULL);
	if (vici->io)
		watch(vici);
}

int vici_request(struct vici *vici, const char *command, struct vici_msg *msg, vici_reply reply,
		 void *ctx)
{
	int ret = enqueue(vici, CMD_REQUEST, command, msg, reply, ctx);

	vici_msg_free(msg);
	if (ret)
		return ret;
	if (vici->fd < 0 || (vici->queue && vici->queue->error))
		loop_timer_start(vici->failed_timer, 0);
	else
		watch(vici);
	return 0;
}

/* ---- packets in ---- */

static bool packet_event(struct vici *vici, const uint8_t *data, size_t len)
{
	struct cursor c = cursor_make(data, len);
	struct vici_reader reader;
	size_t name_len = cursor_u8(&c);
	char name[256] = "";

	if (!cursor_copy(&c, name, name_len))
		return false;
	vici_reader_init(&reader, c.at, c.left);
	if (vici->ops->event)
		vici->ops->event(vici->ctx, name, &reader);
	return true;
}

static bool packet(struct vici *vici, const uint8_t *data, size_t len)
{
	const struct request *first = vici->queue;
	enum packet type = (enum packet)data[0];
	struct vici_reader reader;

	if (type == EVENT)
		return packet_event(vici, data + 1, len - 1);
	if (!first || first->sent < first->len)
		return false;
	vici_reader_init(&reader, data + 1, len - 1);
	switch (type) {
	case CMD_RESPONSE:
	case CMD_UNKNOWN:
		if (first->type != CMD_REQUEST)
			return false;
		answer(vici, type == CMD_RESPONSE ? 0 : -EOPNOTSUPP,
		       type == CMD_RESPONSE ? &reader : NULL);
		return true;
	case EVENT_CONFIRM:
	case EVENT_UNKNOWN:
		if (first->type != EVENT_REGISTER)
			return false;
		if (type == EVENT_UNKNOWN)
			log_debug("ike", "charon has no event '%s'", first->command);
		answer(vici, 0, NULL);
		return true;
	default:
		return false;
	}
}

static bool input_grow(struct vici *vici, size_t size)
{
	uint8_t *in;

	if (size <= vici->in_size)
		return true;
	in = malloc(size);
	if (!in)
		return false;
	if (vici->in_len)
		memcpy(in, vici->in, vici->in_len);
	wipe_free(vici->in, vici->in_size);
	vici->in = in;
	vici->in_size = size;
	return true;
}

/* Whole packets in the buffer. False: give the connection up. */
static bool packets(struct vici *vici)
{
	size_t used = 0;
	bool ok = true;

	while (ok && vici->in_len - used >= 4) {
		struct cursor c = cursor_make(vici->in + used, vici->in_len - used);
		size_t len = cursor_u32(&c);

		if (!len || len > VICI_MESSAGE_MAX)
			return false;
		if (c.left < len) {
			ok = input_grow(vici, 4 + len);
			break;
		}
		ok = packet(vici, c.at, len);
		used += 4 + len;
	}
	if (used) {
		vici->in_len -= used;
		memmove(vici->in, vici->in + used, vici->in_len);
	}
	return ok;
}

static bool input(struct vici *vici)
{
	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t n;

		if (vici->in_len == vici->in_size && !input_grow(vici, vici->in_size * 2))
			return false;
		n = recv(vici->fd, vici->in + vici->in_len, vici->in_size - vici->in_len, 0);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (!n)
			return false;
		vici->in_len += (size_t)n;
		if (!packets(vici)) {
			log_warning("ike", "charon sent a malformed packet");
			return false;
		}
	}
	return true;
}

static bool output(struct vici *vici)
{
	struct request *first = vici->queue;
	ssize_t n;

	if (!first || first->error || first->sent == first->len)
		return true;
	n = send(vici->fd, first->data + first->sent, first->len - first->sent, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	first->sent += (size_t)n;
	return true;
}

static void ready(void *ctx, unsigned int events)
{
	struct vici *vici = ctx;

	if (((events & LOOP_WRITE) && !output(vici)) || ((events & LOOP_READ) && !input(vici))) {
		disconnect(vici, -ENOLINK);
		return;
	}
	if (vici->queue && vici->queue->error)
		loop_timer_start(vici->failed_timer, 0);
	watch(vici);
}

static int open_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

static void try_connect(void *ctx)
{
	struct vici *vici = ctx;

	vici->fd = open_socket(vici->path);
	if (vici->fd >= 0)
		vici->io = loop_io_new(vici->loop, vici->fd, ready, vici);
	if (!vici->io) {
		if (!vici->told)
			log_info("ike", "waiting for charon at %s: %s", vici->path,
				 vici->fd < 0 ? strerror(-vici->fd) : "no memory");
		vici->told = true;
		if (vici->fd >= 0)
			close(vici->fd);
		vici->fd = -1;
		loop_timer_start(vici->connect_timer, RECONNECT_MS);
		return;
	}
	vici->told = false;
	for (const char *const *event = vici->events; event && *event; event++)
		if (enqueue(vici, EVENT_REGISTER, *event, NULL, NULL, NULL)) {
			disconnect(vici, -ENOMEM);
			return;
		}
	watch(vici);
	vici->established = true;
	if (vici->ops->up)
		vici->ops->up(vici->ctx);
}

struct vici *vici_new(struct loop *loop, const char *path, const char *const *events,
		      const struct vici_ops *ops, void *ctx)
{
	struct vici *vici = calloc(1, sizeof(*vici));

	if (!vici)
		return NULL;
	vici->loop = loop;
	vici->events = events;
	vici->ops = ops;
	vici->ctx = ctx;
	vici->fd = -1;
	vici->queue_tail = &vici->queue;
	vici->connect_timer = loop_timer_new(loop, try_connect, vici);
	vici->reply_timer = loop_timer_new(loop, reply_late, vici);
	vici->failed_timer = loop_timer_new(loop, failed_check, vici);
	path = path ? path : VICI_SOCKET;
	if (strlen(path) >= sizeof(vici->path) || !vici->connect_timer || !vici->reply_timer ||
	    !vici->failed_timer || !input_grow(vici, 16384)) {
		vici_free(vici);
		return NULL;
	}
	memcpy(vici->path, path, strlen(path) + 1);
	loop_timer_start(vici->connect_timer, 0);
	return vici;
}

void vici_free(struct vici *vici)
{
	if (!vici)
		return;
	loop_io_free(vici->io);
	if (vici->fd >= 0)
		close(vici->fd);
	loop_timer_free(vici->connect_timer);
	loop_timer_free(vici->reply_timer);
	loop_timer_free(vici->failed_timer);
	while (vici->queue) {
		struct request *request = vici->queue;

		vici->queue = request->next;
		request_free(request);
	}
	wipe_free(vici->in, vici->in_size);
	free(vici);
}

bool vici_connected(const struct vici *vici)
{
	return vici->established;
}
