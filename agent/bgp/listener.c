// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listening sockets, one for each (local address, device, port), alive as long
 * as a session is a member. Who connects is told apart by the source address.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/transport.h"
#include "lib/log.h"

#define BACKLOG 16
/* Connections taken a turn. */
#define ACCEPT_BURST 16
/* Out of file descriptors or memory: asking again at once would only burn time. */
#define ACCEPT_PAUSE_MS 1000

struct listener {
	LIST_ENTRY(listener) link;
	LIST_HEAD(, listener_member) members;
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *pause;
	struct addr local;
	char device[IF_NAMESIZE];
	unsigned int ifindex; /* of the device when the socket was bound to it */
	uint16_t port;
	int fd;
};

struct listener_member {
	LIST_ENTRY(listener_member) link;
	struct listener *listener;
	struct addr peer;
	bool md5, gtsm;
	void (*accepted)(void *ctx, int fd);
	void *ctx;
};

static LIST_HEAD(, listener) listeners = LIST_HEAD_INITIALIZER(listeners);

static struct listener_member *member_find(const struct listener *l, const struct addr *peer)
{
	struct listener_member *m;

	LIST_FOREACH(m, &l->members, link)
		if (addr_equal(&m->peer, peer))
			return m;
	return NULL;
}

/* False: nobody waits, or the listener may be gone. */
static bool listener_accept_one(struct listener *l)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct listener_member *member;
	char text[ADDR_STRLEN];
	struct addr peer;
	int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_error("bgp", "cannot accept a connection: %m");
			loop_io_set(l->io, 0);
			loop_timer_start(l->pause, ACCEPT_PAUSE_MS);
		}
		return false;
	}
	peer = addr_from_sockaddr((struct sockaddr *)&ss);
	member = member_find(l, &peer);
	if (!member) {
		log_debug("bgp", "connection from %s, which is no peer: closed",
			  addr_format(&peer, text, sizeof(text)));
		close(fd);
		return true;
	}
	member->accepted(member->ctx, fd);
	return false;
}

static void listener_ready(void *arg, unsigned int events)
{
	for (int i = 0; i < ACCEPT_BURST && listener_accept_one(arg); i++)
		;
}

static void listener_resume(void *arg)
{
	struct listener *l = arg;

	loop_io_set(l->io, LOOP_READ);
}

static void listener_free(struct listener *l)
{
	LIST_REMOVE(l, link);
	loop_timer_free(l->pause);
	loop_io_free(l->io);
	close(l->fd);
	free(l);
}

static struct listener *listener_new(struct loop *loop, const struct transport_config *config,
				     int *error)
{
	/* What protects one member must not shut out another: see listener_protect(). */
	struct transport_config plain = *config;
	struct listener *l;

	plain.md5 = NULL;
	plain.gtsm = false;
	plain.mss = 0;
	l = calloc(1, sizeof(*l));
	if (!l) {
		*error = ENOMEM;
		return NULL;
	}
	l->loop = loop;
	l->local = config->local;
	l->port = config->port;
	if (config->device) {
		strncpy(l->device, config->device, sizeof(l->device) - 1);
		l->ifindex = if_nametoindex(config->device);
	}
	l->fd = transport_socket(&plain, true, error);
	if (l->fd < 0)
		goto free_listener;
	l->io = loop_io_new(loop, l->fd, listener_ready, l);
	l->pause = loop_timer_new(loop, listener_resume, l);
	if (!l->io || !l->pause) {
		*error = ENOMEM;
		goto close_fd;
	}
	if (listen(l->fd, BACKLOG)) {
		*error = errno;
		goto close_fd;
	}
	loop_io_set(l->io, LOOP_READ);
	LIST_INSERT_HEAD(&listeners, l, link);
	return l;
close_fd:
	loop_timer_free(l->pause);
	loop_io_free(l->io);
	close(l->fd);
free_listener:
	free(l);
	return NULL;
}

static bool device_current(const struct listener *l)
{
	return !l->device[0] || (l->ifindex && l->ifindex == if_nametoindex(l->device));
}

/* One on a device that was replaced is left alone: its members will leave it. */
static struct listener *listener_find(struct loop *loop, const struct transport_config *config)
{
	struct listener *l;

	LIST_FOREACH(l, &listeners, link)
		if (l->loop == loop && l->port == config->port &&
		    addr_equal(&l->local, &config->local) &&
		    !strcmp(l->device, config->device ? config->device : "") && device_current(l))
			return l;
	return NULL;
}

/*
 * Before accept() the socket's own rules apply: the TTL check only if every
 * member wants it, the others have it from accept() on.
 */
static void listener_protect(struct listener *l)
{
	struct listener_member *m;
	bool all = true;

	LIST_FOREACH(m, &l->members, link)
		all = all && m->gtsm;
	transport_gtsm(l->fd, LIST_FIRST(&l->members)->peer.family, all);
}

static struct listener_member *member_new(struct listener *l,
					  const struct transport_config *config, int *error)
{
	struct listener_member *m;

	if (member_find(l, &config->peer)) {
		*error = EEXIST;
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		*error = ENOMEM;
		return NULL;
	}
	*error = config->md5 ? transport_md5(l->fd, &config->peer, config->md5) : 0;
	if (!*error && config->mss)
		*error = transport_mss(l->fd, config->mss);
	if (*error) {
		free(m);
		return NULL;
	}
	m->listener = l;
	m->peer = config->peer;
	m->md5 = config->md5;
	m->gtsm = config->gtsm;
	LIST_INSERT_HEAD(&l->members, m, link);
	listener_protect(l);
	return m;
}

struct listener_member *listener_join(struct loop *loop, const struct transport_config *config,
				      void (*accepted)(void *ctx, int fd), void *ctx, int *error)
{
	struct listener *l = listener_find(loop, config);
	struct listener_member *m;

	if (!l)
		l = listener_new(loop, config, error);
	if (!l)
		return NULL;
	m = member_new(l, config, error);
	if (!m) {
		if (LIST_EMPTY(&l->members))
			listener_free(l);
		return NULL;
	}
	m->accepted = accepted;
	m->ctx = ctx;
	return m;
}

void listener_leave(struct listener_member *m)
{
	struct listener *l;

	if (!m)
		return;
	l = m->listener;
	LIST_REMOVE(m, link);
	if (m->md5)
		transport_md5(l->fd, &m->peer, NULL);
	free(m);
	if (LIST_EMPTY(&l->members))
		listener_free(l);
	else
		listener_protect(l);
}

bool listener_alive(const struct listener_member *m)
{
	return device_current(m->listener);
}
