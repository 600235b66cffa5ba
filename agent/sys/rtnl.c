// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of the rtnetlink module, its sockets and the synchronous requests.
 *
 * Three sockets: requests that wait for their answer, events with the dumps
 * they belong to (one queue, so that a dump's rows and the events around them
 * keep the kernel's order), and published routes with their acknowledgements.
 */
#include "sys/rtnl.h"

#include <errno.h>
#include <netlink/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sys/rtnl_internal.h"

#define SYNC_SECONDS 5
#define DUMP_TRIES 5

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

static int set_limit(int fd)
{
	struct timeval limit = { .tv_sec = SYNC_SECONDS };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* buffer: wanted size of the receive buffer, 0 for the system's. */
int rtnl_socket_open(struct rtnl_socket *sock, bool nonblocking, int buffer)
{
	int type = SOCK_RAW | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
	struct sockaddr_nl local = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(local);

	sock->fd = socket(AF_NETLINK, type, NETLINK_ROUTE);
	if (sock->fd < 0)
		return -errno;
	/* Helpful, not needed: texts of errors, short acknowledgements, dumps of one table. */
	set_option(sock->fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	set_option(sock->fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	set_option(sock->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
	if (buffer && set_option(sock->fd, SOL_SOCKET, SO_RCVBUFFORCE, buffer))
		set_option(sock->fd, SOL_SOCKET, SO_RCVBUF, buffer);
	if ((!nonblocking && set_limit(sock->fd)) ||
	    bind(sock->fd, (struct sockaddr *)&local, sizeof(local)) ||
	    getsockname(sock->fd, (struct sockaddr *)&local, &len)) {
		int ret = -errno;

		rtnl_socket_close(sock);
		return ret;
	}
	sock->portid = local.nl_pid;
	return 0;
}

void rtnl_socket_close(struct rtnl_socket *sock)
{
	if (sock->fd >= 0)
		close(sock->fd);
	sock->fd = -1;
}

struct rtnl *rtnl_new(struct loop *loop, uint32_t table, const struct rtnl_ops *ops, void *ctx)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));

	if (!rtnl)
		return NULL;
	rtnl->loop = loop;
	rtnl->table = table;
	rtnl->ops = ops;
	rtnl->ctx = ctx;
	rtnl->events.fd = -1;
	rtnl->publish.fd = -1;
	rtnl->dirty_tail = &rtnl->dirty;
	pmap_init(&rtnl->routes);
	pmap_init(&rtnl->own);
	rtnl->sync_buffer = malloc(RTNL_BUFFER_SIZE);
	rtnl->events_buffer = malloc(RTNL_BUFFER_SIZE);
	if (rtnl_socket_open(&rtnl->sync, false, 0) || !rtnl->sync_buffer || !rtnl->events_buffer) {
		rtnl_free(rtnl);
		return NULL;
	}
	return rtnl;
}

void rtnl_free(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	rtnl_publish_stop(rtnl);
	rtnl_guard_stop(rtnl);
	rtnl_follow_stop(rtnl);
	rtnl_socket_close(&rtnl->sync);
	free(rtnl->sync_buffer);
	free(rtnl->events_buffer);
	free(rtnl);
}

struct rtnl_counters rtnl_counters(const struct rtnl *rtnl)
{
	struct rtnl_counters counters = rtnl->counters;

	counters.routes = rtnl->n_routes;
	counters.published = rtnl_publish_count(rtnl);
	return counters;
}

struct nl_msg *rtnl_msg_new(uint16_t type, uint16_t flags, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (msg && nlmsg_append(msg, (void *)header, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* The kernel's own words on an error. */
static void extack_text(const struct nlattr *attrs, int len, char *text, size_t size)
{
	struct nlattr *msg = len > 0 ? nla_find(attrs, len, NLMSGERR_ATTR_MSG) : NULL;

	if (msg)
		snprintf(text, size, "%.*s", nla_len(msg), (const char *)nla_data(msg));
}

int rtnl_error(const struct nlmsghdr *nlh, char *text, size_t size)
{
	const uint8_t *data = nlmsg_data(nlh);
	size_t len = (size_t)nlmsg_datalen(nlh), used;
	struct nlmsgerr report;
	int error = 0;

	if (size)
		text[0] = '\0';
	if (nlh->nlmsg_type == NLMSG_DONE) {
		used = sizeof(error);
		if (len >= used)
			memcpy(&error, data, sizeof(error));
	} else {
		used = sizeof(report);
		if (len < used)
			return -EBADMSG;
		memcpy(&report, data, sizeof(report));
		error = report.error;
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && report.msg.nlmsg_len > NLMSG_HDRLEN)
			used += NLMSG_ALIGN(report.msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	if (size && (nlh->nlmsg_flags & NLM_F_ACK_TLVS) && used < len)
		extack_text((const struct nlattr *)(data + used), (int)(len - used), text, size);
	return error;
}

int rtnl_fail(char *err, size_t size, int ret, const char *text, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(err, size, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < size)
		snprintf(err + n, size - (size_t)n, ": %s", text[0] ? text : strerror(-ret));
	return ret;
}

static int sync_receive(struct rtnl *rtnl)
{
	ssize_t n;

	do
		n = recv(rtnl->sync.fd, rtnl->sync_buffer, RTNL_BUFFER_SIZE, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return n > RTNL_BUFFER_SIZE ? -EMSGSIZE : (int)n;
}

/* One exchange. -EINTR: a dump was interrupted by a change. */
static int sync_exchange(struct rtnl *rtnl, struct nlmsghdr *request,
			 void (*row)(void *ctx, const struct nlmsghdr *nlh), void *ctx,
			 char *text, size_t size)
{
	bool interrupted = false;
	ssize_t sent;

	request->nlmsg_seq = ++rtnl->sync.seq;
	request->nlmsg_pid = rtnl->sync.portid;
	do
		sent = send(rtnl->sync.fd, request, request->nlmsg_len, 0);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	for (;;) {
		int left = sync_receive(rtnl);
		struct nlmsghdr *nlh = (struct nlmsghdr *)rtnl->sync_buffer;

		if (left < 0)
			return left;
		for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
			/* An earlier request that ran out of time may be answered late. */
			if (nlh->nlmsg_seq != rtnl->sync.seq)
				continue;
			interrupted |= !!(nlh->nlmsg_flags & NLM_F_DUMP_INTR);
			if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
				int ret = rtnl_error(nlh, text, size);

				return !ret && interrupted ? -EINTR : ret;
			}
			if (row)
				row(ctx, nlh);
		}
	}
}

int rtnl_call(struct rtnl *rtnl, struct nl_msg *msg,
	      void (*row)(void *ctx, const struct nlmsghdr *nlh), void *ctx, char *text,
	      size_t size)
{
	struct nlmsghdr *request;
	int ret = -EINTR;

	if (size)
		text[0] = '\0';
	if (!msg)
		return -ENOMEM;
	request = nlmsg_hdr(msg);
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	for (int i = 0; ret == -EINTR && i < DUMP_TRIES; i++)
		ret = sync_exchange(rtnl, request, row, ctx, text, size);
	nlmsg_free(msg);
	return ret;
}
