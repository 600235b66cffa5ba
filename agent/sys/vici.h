/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Client of charon's VICI protocol over its UNIX socket, asynchronous.
 *
 * Promise: requests are answered in order, each exactly once, also when charon
 * goes away or does not answer in time (then with an error). The connection
 * is made again by itself, once a second, until vici_free(). Messages may
 * hold secrets: their memory is wiped before it is freed. What charon sends is
 * read with bounds and size limits; a malformed packet closes the connection.
 */
#ifndef VGW_SYS_VICI_H
#define VGW_SYS_VICI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cursor.h"
#include "lib/loop.h"

#define VICI_SOCKET "/var/run/charon.vici"
#define VICI_MESSAGE_MAX (512 * 1024)

/* ---- messages to send ---- */

struct vici_msg;

/* Any failure (memory, a name or value too long) is remembered and told by vici_request(). */
struct vici_msg *vici_msg_new(void);
void vici_msg_free(struct vici_msg *msg);
void vici_section(struct vici_msg *msg, const char *name);
void vici_section_end(struct vici_msg *msg);
void vici_value(struct vici_msg *msg, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void vici_data(struct vici_msg *msg, const char *key, const void *data, size_t len);
void vici_list_start(struct vici_msg *msg, const char *name);
void vici_list_item(struct vici_msg *msg, const char *item);
void vici_list_end(struct vici_msg *msg);
/* A list from text: items are separated by commas or blanks. */
void vici_list(struct vici_msg *msg, const char *name, const char *items);

/* ---- messages received ---- */

enum vici_element {
	VICI_BAD = -1, /* malformed */
	VICI_END = 0, /* end of the message */
	VICI_SECTION_START,
	VICI_SECTION_END,
	VICI_KEY_VALUE,
	VICI_LIST_START,
	VICI_LIST_ITEM,
	VICI_LIST_END,
};

struct vici_reader {
	struct cursor c;
	unsigned int depth; /* open sections */
	bool in_list;
	enum vici_element element;
	char name[256]; /* of section, key or list */
	const uint8_t *value; /* of key or item, not terminated */
	size_t value_len;
};

void vici_reader_init(struct vici_reader *reader, const uint8_t *data, size_t len);
/* Next element; nesting is checked: what is returned is balanced, or VICI_BAD. */
enum vici_element vici_next(struct vici_reader *reader);
/* Skips to the end of the section that was just started. False: malformed. */
bool vici_skip(struct vici_reader *reader);
bool vici_is(const struct vici_reader *reader, const char *value); /* the value is this text */
/* Value as text, cut to size, unprintable bytes replaced. Returns out. */
char *vici_text(const struct vici_reader *reader, char *out, size_t size);

/* ---- the connection ---- */

struct vici;

/* Answer of a request; may make new requests, must not free the client, as all callbacks here.
 * error: 0, -ENOLINK (connection lost), -ETIMEDOUT, -EOPNOTSUPP (charon does not know the
 * command), -ENOMEM, -EMSGSIZE (the message could not be built). message is borrowed, NULL on
 * error. */
typedef void (*vici_reply)(void *ctx, int error, struct vici_reader *message);

struct vici_ops {
	void (*up)(void *ctx); /* connected; events are subscribed to before any request */
	void (*down)(void *ctx); /* after all requests were answered with an error */
	/* An event, one of a streamed command too. */
	void (*event)(void *ctx, const char *name, struct vici_reader *message);
};

/* path NULL: VICI_SOCKET. events: names to subscribe to, ended by NULL; must outlive the client. */
struct vici *vici_new(struct loop *loop, const char *path, const char *const *events,
		      const struct vici_ops *ops, void *ctx);
void vici_free(struct vici *vici); /* requests under way are not answered any more */
bool vici_connected(const struct vici *vici);
/* Takes msg (NULL: a command without arguments). The reply never comes from inside this call.
 * -ENOMEM: no reply will come. */
int vici_request(struct vici *vici, const char *command, struct vici_msg *msg, vici_reply reply,
		 void *ctx);

#endif
