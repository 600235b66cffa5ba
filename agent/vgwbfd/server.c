// SPDX-License-Identifier: GPL-2.0-only
/*
 * Agents and their sessions. An agent is a name; its connection comes and goes.
 * A state that the agent has not been told is a mark on the session, never a
 * queue: a slow reader gets the latest state of each, once.
 */
#include "vgwbfd/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "vgwbfd/path.h"

#define BACKLOG 8
#define CONNECTIONS_MAX (2 * BFD_SERVER_AGENTS_MAX)
#define READ_BURST 64
/* Out of file descriptors: asking again at once would only burn time. */
#define ACCEPT_PAUSE_MS 1000

struct agent;

struct member {
	struct agent *agent;
	struct member *next;
	struct bfd_path *path;
	struct loop_timer *goodbye; /* pending: being closed, AdminDown is said for so long */
	char name[BFD_NAME_SIZE];
	uint8_t logged; /* state */
	bool claimed; /* set on this connection of the agent */
	bool untold; /* the agent does not know the latest state */
};

struct connection {
	struct bfd_server *server;
	struct connection *next;
	struct agent *agent; /* NULL before HELLO */
	struct loop_io *io;
	int fd;
};

struct agent {
	struct bfd_server *server;
	struct agent *next;
	struct connection *connection; /* NULL: gone, the hold time runs */
	struct loop_timer *hold;
	struct member *members;
	char name[BFD_NAME_SIZE];
};

struct bfd_server {
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *pause;
	struct connection *connections;
	struct agent *agents;
	size_t n_connections, n_agents, n_sessions;
	uint32_t hold;
	char *path;
	int fd;
};

/* Members */

static bool discriminator_used(const struct bfd_server *server, uint32_t discriminator)
{
	for (const struct agent *a = server->agents; a; a = a->next)
		for (const struct member *m = a->members; m; m = m->next)
			if (bfd_session_info(bfd_path_session(m->path))->discriminator ==
			    discriminator)
				return true;
	return false;
}

/* Random, so that a session of an earlier life is not mistaken for this one. */
static uint32_t discriminator_new(const struct bfd_server *server)
{
	uint32_t out = 0;

	if (getrandom(&out, sizeof(out), GRND_NONBLOCK) != sizeof(out))
		out = (uint32_t)loop_now(server->loop);
	while (!out || discriminator_used(server, out))
		out++;
	return out;
}

static struct member *member_find(const struct agent *agent, const char *name)
{
	for (struct member *m = agent->members; m; m = m->next)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

static void member_free(struct member *member)
{
	struct member **link = &member->agent->members;

	while (*link != member)
		link = &(*link)->next;
	*link = member->next;
	member->agent->server->n_sessions--;
	loop_timer_free(member->goodbye);
	bfd_path_free(member->path);
	free(member);
}

static void agent_flush(struct agent *agent);
static void agent_release(struct agent *agent);

static void member_log(struct member *member, const struct bfd_session_info *info)
{
	if (info->state == member->logged)
		return;
	if (info->state == BFD_UP || member->logged == BFD_UP)
		log_info(member->name, "BFD %s%s%s", bfd_state_name(info->state),
			 info->diag ? ": " : "", info->diag ? bfd_diag_name(info->diag) : "");
	member->logged = info->state;
}

static void member_changed(void *ctx)
{
	struct member *member = ctx;

	member_log(member, bfd_session_info(bfd_path_session(member->path)));
	member->untold = true;
	agent_flush(member->agent);
}

static void member_gone(void *ctx)
{
	struct member *member = ctx;
	struct agent *agent = member->agent;

	member_free(member);
	agent_release(agent);
}

/* The peer is told for as long as it may take to hear it (RFC 5880 6.8.16). */
static void member_close(struct member *member)
{
	struct bfd_session *session = bfd_path_session(member->path);

	if (loop_timer_pending(member->goodbye))
		return;
	loop_timer_start(member->goodbye, bfd_session_goodbye_ms(session));
	bfd_session_set_admin_down(session, true);
}

static struct member *member_new(struct agent *agent, const char *name,
				 const struct bfd_request *request)
{
	struct bfd_server *server = agent->server;
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		return NULL;
	member->agent = agent;
	member->logged = BFD_DOWN;
	memcpy(member->name, name, sizeof(member->name));
	member->goodbye = loop_timer_new(server->loop, member_gone, member);
	member->path = bfd_path_new(server->loop, name, request, discriminator_new(server),
				    member_changed, member);
	if (!member->goodbye || !member->path) {
		loop_timer_free(member->goodbye);
		bfd_path_free(member->path);
		free(member);
		return NULL;
	}
	member->next = agent->members;
	agent->members = member;
	server->n_sessions++;
	return member;
}

/* Connections */

static void connection_free(struct connection *connection)
{
	struct connection **link = &connection->server->connections;

	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	connection->server->n_connections--;
	loop_io_free(connection->io);
	close(connection->fd);
	free(connection);
}

/* The agent may come back. */
static void connection_lost(struct connection *connection)
{
	struct agent *agent = connection->agent;

	connection_free(connection);
	if (!agent)
		return;
	agent->connection = NULL;
	if (agent->members)
		log_warning(agent->name, "the agent is gone, its sessions stay for %u s",
			    agent->server->hold);
	loop_timer_start(agent->hold, agent->server->hold * 1000ull);
	agent_release(agent);
}

/* 0, -EAGAIN (the rest later), or another errno: the connection is dead. */
static int connection_send(struct connection *connection, const struct bfd_message *message)
{
	uint8_t data[BFD_CONTROL_MAX];
	size_t len = bfd_message_encode(message, data);

	if (send(connection->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
}

static int member_tell(struct member *member)
{
	struct bfd_message message = {
		.type = BFD_MESSAGE_STATE,
		.info = *bfd_session_info(bfd_path_session(member->path)),
	};

	memcpy(message.name, member->name, sizeof(message.name));
	return connection_send(member->agent->connection, &message);
}

/* A dead connection is found by its reader; this may run in a session's callback. */
static void agent_flush(struct agent *agent)
{
	struct connection *connection = agent->connection;
	bool waits = false;

	if (!connection)
		return;
	for (struct member *m = agent->members; m && !waits; m = m->next) {
		if (!m->untold || !m->claimed || loop_timer_pending(m->goodbye))
			continue;
		m->untold = false;
		waits = member_tell(m) == -EAGAIN;
		m->untold = waits;
	}
	loop_io_set(connection->io, LOOP_READ | (waits ? LOOP_WRITE : 0));
}

static void refuse(struct connection *connection, const char *name, const char *why)
{
	struct bfd_message message = { .type = BFD_MESSAGE_REFUSED };

	memcpy(message.name, name, sizeof(message.name));
	snprintf(message.text, sizeof(message.text), "%s", why);
	log_warning(name, "no BFD session: %s", why);
	/* One that is not told is asked for again with the next connection. */
	connection_send(connection, &message);
}

/* Agents */

static void agent_release(struct agent *agent)
{
	struct agent **link = &agent->server->agents;

	if (agent->connection || agent->members)
		return;
	while (*link != agent)
		link = &(*link)->next;
	*link = agent->next;
	agent->server->n_agents--;
	loop_timer_free(agent->hold);
	free(agent);
}

static void agent_hold_over(void *ctx)
{
	struct agent *agent = ctx;

	log_warning(agent->name, "the agent did not come back, its sessions are switched off");
	for (struct member *m = agent->members; m; m = m->next)
		member_close(m);
	agent_release(agent);
}

static struct agent *agent_get(struct bfd_server *server, const char *name)
{
	struct agent *agent;

	for (agent = server->agents; agent; agent = agent->next)
		if (!strcmp(agent->name, name))
			return agent;
	if (server->n_agents == BFD_SERVER_AGENTS_MAX)
		return NULL;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return NULL;
	agent->hold = loop_timer_new(server->loop, agent_hold_over, agent);
	if (!agent->hold) {
		free(agent);
		return NULL;
	}
	agent->server = server;
	memcpy(agent->name, name, sizeof(agent->name));
	agent->next = server->agents;
	server->agents = agent;
	server->n_agents++;
	return agent;
}

static bool on_hello(struct connection *connection, const char *name)
{
	struct agent *agent;

	if (connection->agent || !name[0])
		return false;
	agent = agent_get(connection->server, name);
	if (!agent)
		return false;
	/* The newer one is the living one. */
	if (agent->connection)
		connection_free(agent->connection);
	loop_timer_stop(agent->hold);
	connection->agent = agent;
	agent->connection = connection;
	for (struct member *m = agent->members; m; m = m->next)
		m->claimed = false;
	return true;
}

/* One address of a device has one peer: the port tells no two apart. */
static bool address_taken(const struct bfd_server *server, const struct member *self,
			  const struct bfd_request *request)
{
	for (const struct agent *a = server->agents; a; a = a->next) {
		for (const struct member *m = a->members; m; m = m->next) {
			const struct bfd_request *r = bfd_path_request(m->path);

			if (m != self && !loop_timer_pending(m->goodbye) &&
			    !strcmp(r->device, request->device) &&
			    addr_equal(&r->local, &request->local))
				return true;
		}
	}
	return false;
}

static void on_set(struct connection *connection, const struct bfd_message *message)
{
	struct bfd_server *server = connection->server;
	struct agent *agent = connection->agent;
	struct member *member = member_find(agent, message->name);
	const char *why = bfd_request_check(&message->request);

	if (!why && address_taken(server, member, &message->request))
		why = "another session has this device and address";
	/* A session that was refused here is not one that goes on as it was. */
	if (member &&
	    (why || !bfd_request_same_path(bfd_path_request(member->path), &message->request))) {
		bfd_session_set_admin_down(bfd_path_session(member->path), true);
		member_free(member);
		member = NULL;
	}
	if (!why && !member && server->n_sessions >= BFD_SERVER_SESSIONS_MAX)
		why = "too many sessions";
	if (!why && !member) {
		member = member_new(agent, message->name, &message->request);
		why = member ? NULL : "out of memory";
	}
	if (why) {
		refuse(connection, message->name, why);
		return;
	}
	loop_timer_stop(member->goodbye);
	member->claimed = member->untold = true;
	bfd_session_set_admin_down(bfd_path_session(member->path), false);
	bfd_path_set_timers(member->path, &message->request.timers);
	agent_flush(agent);
}

static bool on_message(struct connection *connection, const struct bfd_message *message)
{
	struct agent *agent = connection->agent;
	struct member *member;

	if (message->type == BFD_MESSAGE_HELLO)
		return on_hello(connection, message->name);
	if (!agent)
		return false;
	switch (message->type) {
	case BFD_MESSAGE_SET:
		on_set(connection, message);
		return true;
	case BFD_MESSAGE_DEL:
		member = member_find(agent, message->name);
		if (member)
			member_close(member);
		return true;
	case BFD_MESSAGE_SYNC:
		for (member = agent->members; member; member = member->next)
			if (!member->claimed)
				member_close(member);
		return true;
	default:
		return false;
	}
}

/* False: the connection is gone. */
static bool connection_read(struct connection *connection)
{
	uint8_t data[BFD_CONTROL_MAX + 1];
	struct bfd_message message;

	for (int i = 0; i < READ_BURST; i++) {
		ssize_t n = recv(connection->fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		if (!bfd_message_decode(data, (size_t)n, &message) ||
		    !on_message(connection, &message)) {
			log_warning(NULL, "a client does not speak as it should: closed");
			return false;
		}
	}
	return true;
}

static void connection_ready(void *ctx, unsigned int events)
{
	struct connection *connection = ctx;

	if ((events & LOOP_READ) && !connection_read(connection)) {
		connection_lost(connection);
		return;
	}
	if ((events & LOOP_WRITE) && connection->agent)
		agent_flush(connection->agent);
}

static void server_accept(void *ctx, unsigned int events)
{
	struct bfd_server *server = ctx;
	struct connection *connection;
	int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		loop_io_set(server->io, 0);
		loop_timer_start(server->pause, ACCEPT_PAUSE_MS);
		return;
	}
	connection = server->n_connections < CONNECTIONS_MAX ? calloc(1, sizeof(*connection)) :
							       NULL;
	if (!connection) {
		close(fd);
		return;
	}
	connection->server = server;
	connection->fd = fd;
	connection->next = server->connections;
	server->connections = connection;
	server->n_connections++;
	connection->io = loop_io_new(server->loop, fd, connection_ready, connection);
	if (!connection->io)
		connection_free(connection);
	else
		loop_io_set(connection->io, LOOP_READ);
}

static void server_resume(void *ctx)
{
	struct bfd_server *server = ctx;

	loop_io_set(server->io, LOOP_READ);
}

/* Life */

static bool address_of(const char *path, struct sockaddr_un *sun)
{
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(sun->sun_path))
		return false;
	strcpy(sun->sun_path, path);
	return true;
}

/* A socket that nobody answers is left over from an earlier life. */
static bool somebody_serves(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 && (!connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) ||
			       errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

static int server_listen(const char *path, char *err, size_t size)
{
	struct sockaddr_un sun;
	mode_t mask;
	int fd, ret;

	if (!address_of(path, &sun)) {
		snprintf(err, size, "%s: the path is too long for a socket", path);
		return -1;
	}
	if (somebody_serves(&sun)) {
		snprintf(err, size, "%s: another vgw-bfd serves it", path);
		return -1;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mask = umask(0177);
	ret = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(mask);
	if (ret || listen(fd, BACKLOG)) {
		snprintf(err, size, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

struct bfd_server *bfd_server_new(struct loop *loop, const char *path, uint32_t hold, char *err,
				  size_t size)
{
	struct bfd_server *server = calloc(1, sizeof(*server));

	snprintf(err, size, "out of memory");
	if (!server)
		return NULL;
	server->loop = loop;
	server->hold = hold;
	server->fd = server_listen(path, err, size);
	if (server->fd < 0) {
		free(server);
		return NULL;
	}
	server->path = strdup(path);
	server->io = loop_io_new(loop, server->fd, server_accept, server);
	server->pause = loop_timer_new(loop, server_resume, server);
	if (!server->path || !server->io || !server->pause) {
		bfd_server_free(server);
		return NULL;
	}
	loop_io_set(server->io, LOOP_READ);
	return server;
}

void bfd_server_free(struct bfd_server *server)
{
	if (!server)
		return;
	while (server->connections) {
		if (server->connections->agent)
			server->connections->agent->connection = NULL;
		connection_free(server->connections);
	}
	while (server->agents) {
		struct agent *agent = server->agents;

		while (agent->members) {
			bfd_session_set_admin_down(bfd_path_session(agent->members->path), true);
			member_free(agent->members);
		}
		agent_release(agent);
	}
	loop_timer_free(server->pause);
	loop_io_free(server->io);
	close(server->fd);
	if (server->path)
		unlink(server->path);
	free(server->path);
	free(server);
}

size_t bfd_server_sessions(const struct bfd_server *server)
{
	return server->n_sessions;
}
