// SPDX-License-Identifier: GPL-2.0-only
/* Session and sockets joined. */
#include "vgwbfd/path.h"

#include <stdlib.h>
#include <string.h>

#include "bfd/port.h"
#include "lib/log.h"

/* How often it is looked whether the device is still the same. */
#define LOOK_MS 1000

struct bfd_path {
	struct loop *loop;
	char name[BFD_NAME_SIZE];
	struct bfd_request request;
	struct bfd_session *session;
	struct bfd_port *port; /* NULL while it cannot be opened */
	struct loop_timer *look;
	int error; /* that was logged last */
	void (*changed)(void *ctx);
	void *ctx;
};

static void path_send(void *ctx, const struct bfd_packet *packet)
{
	struct bfd_path *path = ctx;
	uint8_t data[BFD_PACKET_LEN];

	if (!path->port)
		return;
	bfd_packet_encode(packet, data);
	bfd_port_send(path->port, data, sizeof(data));
}

static void path_drain(void *ctx)
{
	struct bfd_path *path = ctx;

	if (path->port)
		bfd_port_drain(path->port);
}

static void path_changed(void *ctx)
{
	struct bfd_path *path = ctx;

	path->changed(path->ctx);
}

static const struct bfd_session_ops session_ops = {
	.send = path_send,
	.drain = path_drain,
	.changed = path_changed,
};

static void path_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct bfd_path *path = ctx;
	struct bfd_packet packet;
	const char *why = bfd_packet_decode(data, len, &packet);

	if (why) {
		log_debug(path->name, "packet discarded: %s", why);
		bfd_session_count_discarded(path->session);
		return;
	}
	bfd_session_receive(path->session, &packet);
}

static void path_discarded(void *ctx)
{
	struct bfd_path *path = ctx;

	bfd_session_count_discarded(path->session);
}

static const struct bfd_port_ops port_ops = {
	.packet = path_packet,
	.discarded = path_discarded,
};

static void path_open(struct bfd_path *path)
{
	struct bfd_port_config config = {
		.device = path->request.device[0] ? path->request.device : NULL,
		.local = path->request.local,
		.peer = path->request.peer,
		.source_port = path->request.source_port,
	};
	int error;

	path->port = bfd_port_open(path->loop, &config, &port_ops, path, &error);
	if (path->port)
		error = 0;
	if (error && error != path->error)
		log_warning(path->name, "no socket for BFD on \"%s\": %s", path->request.device,
			    strerror(error));
	path->error = error;
}

static void path_look(void *ctx)
{
	struct bfd_path *path = ctx;

	if (path->port && !bfd_port_current(path->port)) {
		bfd_port_close(path->port);
		path->port = NULL;
	}
	if (!path->port)
		path_open(path);
	loop_timer_start(path->look, LOOK_MS);
}

struct bfd_path *bfd_path_new(struct loop *loop, const char *name,
			      const struct bfd_request *request, uint32_t discriminator,
			      void (*changed)(void *ctx), void *ctx)
{
	struct bfd_path *path = calloc(1, sizeof(*path));

	if (!path)
		return NULL;
	path->loop = loop;
	strncpy(path->name, name, sizeof(path->name) - 1);
	path->request = *request;
	path->changed = changed;
	path->ctx = ctx;
	path->look = loop_timer_new(loop, path_look, path);
	path->session = bfd_session_new(loop, &request->timers, discriminator, &session_ops, path);
	if (!path->look || !path->session) {
		bfd_path_free(path);
		return NULL;
	}
	path_look(path);
	return path;
}

void bfd_path_free(struct bfd_path *path)
{
	if (!path)
		return;
	loop_timer_free(path->look);
	bfd_session_free(path->session);
	bfd_port_close(path->port);
	free(path);
}

const struct bfd_request *bfd_path_request(const struct bfd_path *path)
{
	return &path->request;
}

struct bfd_session *bfd_path_session(struct bfd_path *path)
{
	return path->session;
}

void bfd_path_set_timers(struct bfd_path *path, const struct bfd_timers *timers)
{
	const struct bfd_timers *old = &path->request.timers;

	if (old->transmit == timers->transmit && old->receive == timers->receive &&
	    old->multiplier == timers->multiplier)
		return;
	path->request.timers = *timers;
	bfd_session_set_timers(path->session, timers);
}
