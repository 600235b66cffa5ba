// SPDX-License-Identifier: GPL-2.0-only
/*
 * One connection: non-blocking socket, a receive buffer that always has room
 * for a message, a send buffer that is filled no further than the socket
 * drains it. A transport that is closed within its own callback stays as a
 * shell until the callback has returned.
 */
#include "bgp/transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/wire.h"

/* Twice a long message: what is read at once is not cut into bits by it. */
#define RX_ROOM(message) ((message) > 16 * 1024 ? 2 * (message) : (size_t)32 * 1024)
/* Beyond what is filled: a message, and room for others. */
#define TX_ROOM(message) (TRANSPORT_TX_FILL + (message) + 7 * BGP_MESSAGE_MAX)
/* Unsent bytes above which the kernel does not call us writable: the queue is to be ours. */
#define NOTSENT_LOWAT (64 * 1024)
#define LINGER_MS 3000

struct transport {
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *timer; /* of the end */
	const struct transport_ops *ops;
	void *ctx;
	struct transport *next; /* in finishing */
	int fd;
	bool connecting, finishing, closed, shut;
	bool want_write; /* writable() is to be called although nothing is buffered */
	unsigned int busy; /* depth of callbacks */
	size_t rx_size, rx_len, tx_size, tx_start, tx_len;
	uint64_t sent;
	uint8_t *rx, *tx;
	uint8_t *rx_next; /* larger one, for when nobody reads the old one any more */
	size_t rx_next_size;
};

static struct transport *finishing;

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? errno : 0;
}

/* A link-local address means something only together with its device. */
static socklen_t sockaddr_make(const struct addr *a, uint16_t port, const char *device,
			       struct sockaddr_storage *ss)
{
	socklen_t len = addr_to_sockaddr(a, port, ss);
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	if (device && a->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr))
		sin6->sin6_scope_id = if_nametoindex(device);
	return len;
}

int transport_md5(int fd, const struct addr *peer, const char *key)
{
	struct tcp_md5sig sig = { 0 };
	size_t len = key ? strlen(key) : 0;
	int error;

	if (len > sizeof(sig.tcpm_key))
		return EINVAL;
	/* The kernel's name for the same structure. */
	addr_to_sockaddr(peer, 0, (struct sockaddr_storage *)&sig.tcpm_addr);
	sig.tcpm_keylen = (uint16_t)len;
	if (len)
		memcpy(sig.tcpm_key, key, len);
	error = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)) ? errno : 0;
	explicit_bzero(&sig, sizeof(sig));
	return error;
}

int transport_gtsm(int fd, uint8_t family, bool on)
{
	return family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, on ? 255 : 0) :
				    set_int(fd, IPPROTO_IP, IP_MINTTL, on ? 255 : 0);
}

int transport_mss(int fd, uint16_t mss)
{
	return set_int(fd, IPPROTO_TCP, TCP_MAXSEG, mss);
}

int transport_protect(int fd, const struct transport_config *config)
{
	bool v6 = config->peer.family == AF_INET6;
	int ttl = config->ttl ? config->ttl : 255, error;

	error = v6 ? set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl) :
		     set_int(fd, IPPROTO_IP, IP_TTL, ttl);
	if (!error && config->gtsm)
		error = transport_gtsm(fd, config->peer.family, true);
	if (!error && config->mss)
		error = transport_mss(fd, config->mss);
	if (!error)
		error = set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)config->user_timeout);
	if (error)
		return error;
	/* No reason to fail: class of routing protocols, no delay, short queue in the kernel. */
	if (v6)
		set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, IPTOS_CLASS_CS6);
	else
		set_int(fd, IPPROTO_IP, IP_TOS, IPTOS_CLASS_CS6);
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_LOWAT);
	return 0;
}

static int socket_bind(int fd, const struct transport_config *config, uint16_t port)
{
	struct addr any = { .family = config->peer.family };
	struct sockaddr_storage ss;
	socklen_t len;

	if (config->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->device,
					 (socklen_t)strlen(config->device) + 1))
		return errno;
	if (!addr_is_set(&config->local) && !port)
		return 0;
	len = sockaddr_make(addr_is_set(&config->local) ? &config->local : &any, port,
			    config->device, &ss);
	return bind(fd, (struct sockaddr *)&ss, len) ? errno : 0;
}

int transport_socket(const struct transport_config *config, bool listening, int *error)
{
	uint16_t port = config->port ? config->port : BGP_PORT;
	int fd = socket(config->peer.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		*error = errno;
		return -1;
	}
	*error = 0;
	if (config->peer.family == AF_INET6)
		*error = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!*error && listening)
		*error = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!*error)
		*error = socket_bind(fd, config, listening ? port : 0);
	if (!*error && config->md5)
		*error = transport_md5(fd, &config->peer, config->md5);
	if (!*error)
		*error = transport_protect(fd, config);
	if (!*error)
		return fd;
	close(fd);
	return -1;
}

static void transport_release(struct transport *t)
{
	loop_io_free(t->io);
	loop_timer_free(t->timer);
	if (t->fd >= 0)
		close(t->fd);
	free(t->rx_next);
	free(t->rx);
	free(t->tx);
	free(t);
}

static void transport_watch(struct transport *t)
{
	unsigned int events = 0;

	if (t->connecting || t->tx_len || t->want_write)
		events |= LOOP_WRITE;
	if (!t->connecting)
		events |= LOOP_READ;
	loop_io_set(t->io, events);
}

/* 0, or the errno of a broken connection. */
static int transport_write(struct transport *t)
{
	while (t->tx_len) {
		ssize_t n = send(t->fd, t->tx + t->tx_start, t->tx_len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : errno;
		t->tx_start += (size_t)n;
		t->tx_len -= (size_t)n;
		t->sent += (uint64_t)n;
	}
	t->tx_start = 0;
	return 0;
}

static void finishing_remove(struct transport *t)
{
	struct transport **at = &finishing;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
}

static void finish_end(void *arg)
{
	struct transport *t = arg;

	finishing_remove(t);
	transport_release(t);
}

/* Reads to the end of file: closing over unread bytes would be a reset, which takes the
 * peer's copy of our last words with it. */
static void finish_step(struct transport *t)
{
	ssize_t n;

	if (transport_write(t)) {
		finish_end(t);
		return;
	}
	if (!t->tx_len && !t->shut) {
		shutdown(t->fd, SHUT_WR);
		t->shut = true;
	}
	n = recv(t->fd, t->rx, t->rx_size, 0);
	if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		finish_end(t);
	else
		transport_watch(t);
}

static void transport_check_connect(struct transport *t)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error) {
		t->ops->closed(t->ctx, error);
		return;
	}
	t->connecting = false;
	t->ops->connected(t->ctx);
}

/* The callback that asked for it may have been reading the old one. */
static void transport_rx_renew(struct transport *t)
{
	if (!t->rx_next)
		return;
	memcpy(t->rx_next, t->rx, t->rx_len);
	free(t->rx);
	t->rx = t->rx_next;
	t->rx_size = t->rx_next_size;
	t->rx_next = NULL;
}

static void transport_read(struct transport *t)
{
	ssize_t n = recv(t->fd, t->rx + t->rx_len, t->rx_size - t->rx_len, 0);
	size_t taken;

	if (n <= 0) {
		if (!n || (errno != EAGAIN && errno != EINTR))
			t->ops->closed(t->ctx, n ? errno : 0);
		return;
	}
	t->rx_len += (size_t)n;
	taken = t->ops->received(t->ctx, t->rx, t->rx_len);
	if (t->closed || t->finishing)
		return;
	t->rx_len -= taken;
	memmove(t->rx, t->rx + taken, t->rx_len);
	transport_rx_renew(t);
	/* Room for a whole message is always left by a reader that knows messages. */
	if (t->rx_len == t->rx_size)
		t->ops->closed(t->ctx, EMSGSIZE);
}

static void transport_drain(struct transport *t)
{
	int error = transport_write(t);

	t->want_write = false;
	if (error)
		t->ops->closed(t->ctx, error);
	else
		t->ops->writable(t->ctx);
}

static void transport_ready(void *arg, unsigned int events)
{
	struct transport *t = arg;

	if (t->finishing) {
		finish_step(t);
		return;
	}
	t->busy++;
	if (t->connecting)
		transport_check_connect(t);
	else if (events & LOOP_READ)
		transport_read(t);
	if (!t->closed && !t->finishing && !t->connecting && (events & LOOP_WRITE))
		transport_drain(t);
	t->busy--;
	if (t->closed)
		transport_release(t);
	else if (t->finishing)
		finish_step(t);
	else
		transport_watch(t);
}

static struct transport *transport_new(struct loop *loop, int fd, const struct transport_ops *ops,
				       void *ctx)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->loop = loop;
	t->ops = ops;
	t->ctx = ctx;
	t->fd = -1;
	t->rx_size = RX_ROOM(BGP_MESSAGE_MAX);
	t->tx_size = TX_ROOM(BGP_MESSAGE_MAX);
	t->rx = malloc(t->rx_size);
	t->tx = malloc(t->tx_size);
	t->io = loop_io_new(loop, fd, transport_ready, t);
	t->timer = loop_timer_new(loop, finish_end, t);
	if (!t->io || !t->timer || !t->rx || !t->tx) {
		transport_release(t);
		return NULL;
	}
	t->fd = fd;
	return t;
}

struct transport *transport_connect(struct loop *loop, const struct transport_config *config,
				    const struct transport_ops *ops, void *ctx, int *error)
{
	struct sockaddr_storage ss;
	struct transport *t;
	socklen_t len;
	int fd = transport_socket(config, false, error);

	if (fd < 0)
		return NULL;
	len = sockaddr_make(&config->peer, config->port ? config->port : BGP_PORT, config->device,
			    &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) && errno != EINPROGRESS) {
		*error = errno;
		close(fd);
		return NULL;
	}
	t = transport_new(loop, fd, ops, ctx);
	if (!t) {
		*error = ENOMEM;
		close(fd);
		return NULL;
	}
	/* Also when it is connected already: connected() must not be called from here. */
	t->connecting = true;
	transport_watch(t);
	return t;
}

struct transport *transport_accepted(struct loop *loop, int fd,
				     const struct transport_config *config,
				     const struct transport_ops *ops, void *ctx, int *error)
{
	struct transport *t = NULL;

	*error = transport_protect(fd, config);
	if (!*error) {
		t = transport_new(loop, fd, ops, ctx);
		*error = t ? 0 : ENOMEM;
	}
	if (!t) {
		close(fd);
		return NULL;
	}
	transport_watch(t);
	return t;
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	t->closed = true;
	if (t->busy) {
		loop_io_set(t->io, 0);
		return;
	}
	transport_release(t);
}

void transport_finish(struct transport *t)
{
	if (t->connecting) {
		transport_close(t);
		return;
	}
	t->finishing = true;
	t->next = finishing;
	finishing = t;
	loop_timer_start(t->timer, LINGER_MS);
	/* Now, not in the next turn: the process may be about to end. */
	transport_write(t);
	transport_watch(t);
}

void transport_abandon(const void *ctx)
{
	struct transport **at = &finishing;

	while (*at) {
		struct transport *t = *at;

		if (t->ctx != ctx) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		while (recv(t->fd, t->rx, t->rx_size, MSG_DONTWAIT) > 0)
			;
		transport_release(t);
	}
}

bool transport_message_max(struct transport *t, size_t octets)
{
	size_t rx_size = RX_ROOM(octets), tx_size = TX_ROOM(octets);
	uint8_t *rx, *tx;

	if (tx_size <= t->tx_size)
		return true;
	rx = malloc(rx_size);
	tx = rx ? realloc(t->tx, tx_size) : NULL;
	if (!tx) {
		free(rx);
		return false;
	}
	t->tx = tx;
	t->tx_size = tx_size;
	t->rx_next = rx;
	t->rx_next_size = rx_size;
	return true;
}

uint8_t *transport_reserve(struct transport *t, size_t n)
{
	if (n > t->tx_size - t->tx_len)
		return NULL;
	if (n > t->tx_size - t->tx_start - t->tx_len) {
		memmove(t->tx, t->tx + t->tx_start, t->tx_len);
		t->tx_start = 0;
	}
	return t->tx + t->tx_start + t->tx_len;
}

void transport_commit(struct transport *t, size_t n)
{
	t->tx_len += n;
	transport_watch(t);
}

size_t transport_pending(const struct transport *t)
{
	return t->tx_len;
}

uint64_t transport_sent(const struct transport *t)
{
	return t->sent;
}

void transport_want_write(struct transport *t)
{
	t->want_write = true;
	transport_watch(t);
}

bool transport_path(const struct transport *t, struct transport_path *path)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int unacked = 0;

	if (getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
	    ioctl(t->fd, SIOCOUTQ, &unacked))
		return false;
	*path = (struct transport_path){
		.unacked = (uint32_t)unacked,
		.mss = info.tcpi_snd_mss,
		.retries = info.tcpi_retransmits,
		.acked = info.tcpi_bytes_acked,
	};
	return true;
}

bool transport_readable(const struct transport *t)
{
	uint8_t byte;

	return recv(t->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void transport_addresses(const struct transport *t, struct addr *local, struct addr *peer)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	if (!getsockname(t->fd, (struct sockaddr *)&ss, &len))
		*local = addr_from_sockaddr((struct sockaddr *)&ss);
	len = sizeof(ss);
	if (!getpeername(t->fd, (struct sockaddr *)&ss, &len))
		*peer = addr_from_sockaddr((struct sockaddr *)&ss);
}
