// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connection to vgw-bfd. What it has not been told is a mark on each session,
 * never a queue; a new connection marks them all.
 */
#include "sys/bfd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

#define RETRY_MS 1000
#define READ_BURST 64

struct entry {
	struct entry *next;
	char name[BFD_NAME_SIZE];
	struct bfd_request request;
	struct bfd_status status;
	bool untold;
	bool removed; /* DEL is to be sent, then it is forgotten */
};

struct bfd {
	struct loop *loop;
	struct bfd_ops ops;
	void *ctx;
	struct entry *entries;
	struct loop_io *io;
	struct loop_timer *retry;
	int fd; /* -1: not connected */
	bool hello, sync; /* to be sent */
	bool complained; /* that nobody serves the socket */
	char agent[BFD_NAME_SIZE];
	struct sockaddr_un address;
};

static struct entry *entry_find(const struct bfd *bfd, const char *name)
{
	for (struct entry *e = bfd->entries; e; e = e->next)
		if (!e->removed && !strcmp(e->name, name))
			return e;
	return NULL;
}

static void entry_free(struct bfd *bfd, struct entry *entry)
{
	struct entry **link = &bfd->entries;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	free(entry);
}

static void entry_tell(struct bfd *bfd, struct entry *entry)
{
	if (!entry->removed && bfd->ops.changed)
		bfd->ops.changed(bfd->ctx, entry->name, &entry->status);
}

/* The owner may add and remove sessions in its callback: found again by name after each. */
static void entries_unknown(struct bfd *bfd)
{
	struct entry *e = bfd->entries;

	while (e) {
		if (!e->status.known && !e->status.error[0]) {
			e = e->next;
			continue;
		}
		e->status = (struct bfd_status){ 0 };
		entry_tell(bfd, e);
		e = bfd->entries;
	}
}

static void disconnect(struct bfd *bfd)
{
	struct entry *next;

	loop_io_free(bfd->io);
	bfd->io = NULL;
	close(bfd->fd);
	bfd->fd = -1;
	loop_timer_start(bfd->retry, RETRY_MS);
	/* SYNC of the next connection says the same as a DEL. */
	for (struct entry *e = bfd->entries; e; e = next) {
		next = e->next;
		if (e->removed)
			entry_free(bfd, e);
	}
	entries_unknown(bfd);
}

/* Sending */

static bool send_message(struct bfd *bfd, struct bfd_message *message, const char *name)
{
	uint8_t data[BFD_CONTROL_MAX];
	size_t len;

	snprintf(message->name, sizeof(message->name), "%s", name);
	len = bfd_message_encode(message, data);
	return send(bfd->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static bool send_entry(struct bfd *bfd, struct entry *entry)
{
	struct bfd_message message = { .type = entry->removed ? BFD_MESSAGE_DEL : BFD_MESSAGE_SET };

	message.request = entry->request;
	if (!send_message(bfd, &message, entry->name))
		return false;
	entry->untold = false;
	if (entry->removed)
		entry_free(bfd, entry);
	return true;
}

static bool send_all(struct bfd *bfd)
{
	struct bfd_message hello = { .type = BFD_MESSAGE_HELLO };
	struct bfd_message sync = { .type = BFD_MESSAGE_SYNC };
	struct entry *next;

	if (bfd->hello && !send_message(bfd, &hello, bfd->agent))
		return false;
	bfd->hello = false;
	for (struct entry *e = bfd->entries; e; e = next) {
		next = e->next;
		if (e->untold && !send_entry(bfd, e))
			return false;
	}
	if (bfd->sync && !send_message(bfd, &sync, ""))
		return false;
	bfd->sync = false;
	return true;
}

/* A dead connection is found by its reader. */
static void flush(struct bfd *bfd)
{
	if (bfd->fd < 0)
		return;
	if (send_all(bfd))
		loop_io_set(bfd->io, LOOP_READ);
	else
		loop_io_set(bfd->io, LOOP_READ | (errno == EAGAIN ? LOOP_WRITE : 0));
}

/* Receiving */

static bool same_status(const struct bfd_status *a, const struct bfd_status *b)
{
	const struct bfd_session_info *i = &a->info, *k = &b->info;

	return a->known == b->known && !strcmp(a->error, b->error) && i->state == k->state &&
	       i->diag == k->diag && i->remote_state == k->remote_state &&
	       i->remote_diag == k->remote_diag && i->heard == k->heard &&
	       i->remote_independent == k->remote_independent && i->failed == k->failed &&
	       i->was_up == k->was_up && i->interval == k->interval &&
	       i->detection == k->detection && i->discriminator == k->discriminator &&
	       i->remote_discriminator == k->remote_discriminator;
}

static void on_message(struct bfd *bfd, const struct bfd_message *message)
{
	struct entry *entry = entry_find(bfd, message->name);
	struct bfd_status before;

	/* What was asked for otherwise meanwhile is not the state of what is wanted now. */
	if (!entry || entry->untold)
		return;
	before = entry->status;
	entry->status = (struct bfd_status){ .known = message->type == BFD_MESSAGE_STATE };
	if (entry->status.known)
		entry->status.info = message->info;
	else
		memcpy(entry->status.error, message->text, sizeof(entry->status.error));
	if (!same_status(&before, &entry->status))
		entry_tell(bfd, entry);
}

/* False: the connection is dead. */
static bool read_all(struct bfd *bfd)
{
	uint8_t data[BFD_CONTROL_MAX + 1];
	struct bfd_message message;

	for (int i = 0; i < READ_BURST; i++) {
		ssize_t n = recv(bfd->fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		if (!bfd_message_decode(data, (size_t)n, &message) ||
		    (message.type != BFD_MESSAGE_STATE && message.type != BFD_MESSAGE_REFUSED)) {
			log_warning("bfd", "%s speaks another language: of another version?",
				    bfd->address.sun_path);
			return false;
		}
		on_message(bfd, &message);
	}
	return true;
}

static void on_ready(void *ctx, unsigned int events)
{
	struct bfd *bfd = ctx;

	if ((events & LOOP_READ) && !read_all(bfd)) {
		log_warning("bfd", "vgw-bfd is gone: failures of paths are not detected by BFD");
		bfd->complained = true;
		disconnect(bfd);
		return;
	}
	if (events & LOOP_WRITE)
		flush(bfd);
}

/* Connecting */

static int connect_fd(const struct bfd *bfd)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -1;
	if (!connect(fd, (const struct sockaddr *)&bfd->address, sizeof(bfd->address)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void try_connect(void *ctx)
{
	struct bfd *bfd = ctx;

	if (bfd->fd >= 0 || !bfd->entries)
		return;
	bfd->fd = connect_fd(bfd);
	if (bfd->fd < 0) {
		if (!bfd->complained)
			log_warning("bfd", "%s: %m: without vgw-bfd no path is watched",
				    bfd->address.sun_path);
		bfd->complained = true;
		loop_timer_start(bfd->retry, RETRY_MS);
		return;
	}
	bfd->io = loop_io_new(bfd->loop, bfd->fd, on_ready, bfd);
	if (!bfd->io) {
		disconnect(bfd);
		return;
	}
	log_info("bfd", "vgw-bfd is there");
	bfd->complained = false;
	bfd->hello = bfd->sync = true;
	for (struct entry *e = bfd->entries; e; e = e->next)
		e->untold = true;
	flush(bfd);
}

/* What the owner does */

/* From the loop: several sessions set in one turn are told in one go. */
static void work_soon(struct bfd *bfd)
{
	if (bfd->fd >= 0)
		loop_io_set(bfd->io, LOOP_READ | LOOP_WRITE);
	else if (!loop_timer_pending(bfd->retry))
		loop_timer_start(bfd->retry, 0);
}

static int make_request(const struct bfd_config *config, struct bfd_request *out)
{
	*out = (struct bfd_request){
		.local = config->local,
		.peer = config->peer,
		.timers = config->timers,
		.source_port = config->source_port,
	};
	if (config->device && strlen(config->device) >= sizeof(out->device))
		return -ENAMETOOLONG;
	if (config->device)
		strcpy(out->device, config->device);
	return bfd_request_check(out) ? -EINVAL : 0;
}

static bool same_request(const struct bfd_request *a, const struct bfd_request *b)
{
	return bfd_request_same_path(a, b) && a->timers.transmit == b->timers.transmit &&
	       a->timers.receive == b->timers.receive &&
	       a->timers.multiplier == b->timers.multiplier;
}

int bfd_set(struct bfd *bfd, const char *name, const struct bfd_config *config)
{
	struct entry *entry = entry_find(bfd, name);
	struct bfd_request request;
	int ret = make_request(config, &request);

	if (ret)
		return ret;
	if (!*name || strlen(name) >= BFD_NAME_SIZE)
		return *name ? -ENAMETOOLONG : -EINVAL;
	if (entry && same_request(&entry->request, &request))
		return 0;
	if (!entry) {
		struct entry **tail = &bfd->entries;

		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		strcpy(entry->name, name);
		/* Behind a removed one of this name: DEL goes first. */
		while (*tail)
			tail = &(*tail)->next;
		*tail = entry;
	} else if (!bfd_request_same_path(&entry->request, &request)) {
		entry->status = (struct bfd_status){ 0 };
	}
	entry->request = request;
	entry->untold = true;
	work_soon(bfd);
	return 0;
}

void bfd_del(struct bfd *bfd, const char *name)
{
	struct entry *entry = entry_find(bfd, name);

	if (!entry)
		return;
	if (bfd->fd < 0) {
		entry_free(bfd, entry);
		return;
	}
	entry->removed = entry->untold = true;
	work_soon(bfd);
}

const struct bfd_status *bfd_status(const struct bfd *bfd, const char *name)
{
	const struct entry *entry = entry_find(bfd, name);

	return entry ? &entry->status : NULL;
}

struct bfd *bfd_new(struct loop *loop, const char *path, const char *agent,
		    const struct bfd_ops *ops, void *ctx)
{
	struct bfd *bfd = calloc(1, sizeof(*bfd));

	if (!bfd)
		return NULL;
	bfd->loop = loop;
	bfd->ops = *ops;
	bfd->ctx = ctx;
	bfd->fd = -1;
	bfd->address.sun_family = AF_UNIX;
	strncpy(bfd->address.sun_path, path ? path : BFD_CONTROL_PATH,
		sizeof(bfd->address.sun_path) - 1);
	strncpy(bfd->agent, agent, sizeof(bfd->agent) - 1);
	bfd->retry = loop_timer_new(loop, try_connect, bfd);
	if (!bfd->retry) {
		bfd_free(bfd);
		return NULL;
	}
	return bfd;
}

void bfd_free(struct bfd *bfd)
{
	if (!bfd)
		return;
	loop_io_free(bfd->io);
	if (bfd->fd >= 0)
		close(bfd->fd);
	loop_timer_free(bfd->retry);
	while (bfd->entries)
		entry_free(bfd, bfd->entries);
	free(bfd);
}
