/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control protocol between vgwd and its clients: a UNIX stream socket, one
 * JSON request a line, answered by JSON lines: any number of {"row": {...}},
 * then exactly one {"done": true} or {"error": "text", "errno": "ENOENT"}.
 *
 * Promise (server): a client can neither block the loop nor make it use
 * unbounded memory: requests are at most CONTROL_REQUEST_MAX bytes, a slow
 * reader stops the production of rows (they are made in steps), at most
 * CONTROL_CLIENTS_MAX clients are served. Access is by the socket's owner,
 * group and mode.
 * Promise (client): blocking, with a time limit; every failure has a text.
 */
#ifndef VGW_LIB_CONTROL_H
#define VGW_LIB_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/loop.h"

#define CONTROL_REQUEST_MAX 65536
#define CONTROL_CLIENTS_MAX 32
#define CONTROL_BACKLOG_MAX (256 * 1024)
#define CONTROL_PATH_SIZE 64 /* of a default path */
#define CONTROL_GATEWAY "vgw0" /* the gateway of those who name none */

struct control;
struct control_reply;

/*
 * A handler answers now or later through the reply, which stays valid until
 * control_reply_done() or control_reply_error(), also when the client is gone.
 * args is an object (maybe empty), borrowed for the call.
 */
struct control_verb {
	const char *verb, *object; /* object NULL: the verb has none */
	void (*handler)(void *ctx, const json_t *args, struct control_reply *reply);
};

/*
 * Where the agent of a gateway (its device's name; NULL: CONTROL_GATEWAY) is reached unless
 * its file says otherwise: each of them has its own. Returns buf.
 */
const char *control_default_path(const char *gateway, char *buf, size_t size);

/* Creates the socket (mode 0660, group by name or NULL) replacing a dead one; a living server
 * on it is an error. verbs end with a NULL verb and must outlive the server. NULL: see err. */
struct control *control_new(struct loop *loop, const char *path, const char *group,
			    const struct control_verb *verbs, void *ctx, char *err, size_t size);
void control_free(struct control *control); /* removes the socket */

/* Takes the reference to row (NULL stands for no memory and ends the reply with an error later). */
void control_reply_row(struct control_reply *reply, json_t *row);
void control_reply_done(struct control_reply *reply);
void control_reply_error(struct control_reply *reply, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * Long answers: step() adds some rows and returns true while there is more; it
 * is called again when the client has taken what there is. The end (or the
 * client's disappearance) calls release(state) and finishes the reply.
 */
void control_reply_stream(struct control_reply *reply,
			  bool (*step)(void *state, struct control_reply *reply),
			  void (*release)(void *state), void *state);
/*
 * In step(), with true as its result: there is nothing to tell now, do not ask again
 * before control_reply_wake(). A client that closes its end of the socket while its
 * reply waits is over.
 */
void control_reply_wait(struct control_reply *reply);
void control_reply_wake(struct control_reply *reply); /* not from step() */

/*
 * Client. request: {"verb", "object", "args"}. row() gets each row, borrowed.
 * Returns 0, or a negative errno with the text in err; -ENOTCONN when nobody
 * serves the path. timeout_ms is how long the server may be silent, 0: for ever.
 */
int control_call(const char *path, const json_t *request, unsigned int timeout_ms,
		 void (*row)(void *ctx, const json_t *row), void *ctx, char *err, size_t size);

#endif
