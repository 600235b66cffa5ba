// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sys/fib_state.h"

#define SUBJECT "fib"

static struct fib_port *port_find(const struct fib *fib, uint32_t ifindex)
{
	for (struct fib_port *port = fib->ports; port; port = port->next)
		if (port->ifindex == ifindex)
			return port;
	return NULL;
}

static void ports_dirty(struct fib *fib)
{
	fib->ports_dirty = true;
	fib_kick(fib);
}

void fib_ports(struct fib *fib, const uint32_t *ifindexes, size_t n)
{
	for (struct fib_port *port = fib->ports; port; port = port->next)
		port->wanted = false;
	for (size_t i = 0; i < n; i++) {
		struct fib_port *port = port_find(fib, ifindexes[i]);

		if (!port) {
			port = calloc(1, sizeof(*port));
			if (!port) {
				log_error(SUBJECT, "port %u: out of memory", ifindexes[i]);
				continue;
			}
			port->ifindex = ifindexes[i];
			port->next = fib->ports;
			fib->ports = port;
		}
		port->wanted = true;
		port->refused = false;
	}
	ports_dirty(fib);
}

static void add_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib_port *port = request->object;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	port->sent = false;
	port->held = !error;
	if (error && !fib_passing_error(fib, "port", error, text)) {
		port->refused = true;
		log_error(SUBJECT, "port %u refused: %s", port->ifindex, text);
	}
	ports_dirty(fib);
out:
	fib_leave(fib);
}

static void del_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib_port *port = request->object;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	port->sent = false;
	/* It may have gone with its device. */
	if (!error || !fib_passing_error(fib, "port", error, text))
		port->held = false;
	ports_dirty(fib);
out:
	fib_leave(fib);
}

/* False on no memory. */
static bool port_send(struct fib *fib, struct fib_port *port)
{
	struct fib_request *request = fib_request_new(fib, port);

	if (!request) {
		fib_passing_error(fib, "port", -ENOMEM, strerror(ENOMEM));
		return false;
	}
	port->sent = true;
	if (port->wanted)
		kernel_port_add(fib->kernel, fib->ifindex, port->ifindex, add_done, request);
	else
		kernel_port_del(fib->kernel, fib->ifindex, port->ifindex, del_done, request);
	return true;
}

void fib_ports_pump(struct fib *fib)
{
	struct fib_port **link = &fib->ports;

	if (!fib->ports_dirty)
		return;
	fib->ports_dirty = false;
	while (*link) {
		struct fib_port *port = *link;

		if (!port->sent && !port->wanted && !port->held) {
			*link = port->next;
			free(port);
			continue;
		}
		if (!port->sent && port->wanted != port->held && !port->refused &&
		    !port_send(fib, port)) {
			fib->ports_dirty = true;
			return;
		}
		link = &port->next;
	}
}

void fib_ports_forget(struct fib *fib)
{
	for (struct fib_port *port = fib->ports; port; port = port->next)
		port->held = port->sent = port->refused = false;
	fib->ports_dirty = fib->ports;
}

void fib_ports_free(struct fib *fib)
{
	while (fib->ports) {
		struct fib_port *port = fib->ports;

		fib->ports = port->next;
		free(port);
	}
}
