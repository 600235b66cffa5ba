// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of BFD sessions. */
#include "bfd/port.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bfd/packet.h"

#define TTL 255
#define DSCP_CS6 0xc0 /* network control */
#define READ_BURST 16
#define DRAIN_MOST 256
#define BIND_TRIES 16
#define RECEIVE_BUFFER (64 * 1024)

struct bfd_port {
	struct bfd_port_ops ops;
	void *ctx;
	struct loop_io *io;
	struct addr peer;
	char device[IF_NAMESIZE];
	unsigned int ifindex; /* 0: no device */
	int in, out;
};

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_common(int fd, const struct bfd_port_config *config)
{
	bool v4 = config->local.family == AF_INET;

	if (config->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->device,
					 (socklen_t)strlen(config->device) + 1))
		return -1;
	return v4 ? 0 : set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

static int set_sender(int fd, uint8_t family)
{
	/* Nobody reads it: what is sent there shall not take memory. */
	if (set(fd, SOL_SOCKET, SO_RCVBUF, 0))
		return -1;
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_TTL, TTL) ||
		       set(fd, IPPROTO_IP, IP_TOS, DSCP_CS6);
	return set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, TTL) ||
	       set(fd, IPPROTO_IPV6, IPV6_TCLASS, DSCP_CS6);
}

static int set_receiver(int fd, uint8_t family)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER))
		return -1;
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_RECVTTL, 1);
	return set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
}

static int bind_to(int fd, const struct addr *local, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(local, port, &ss);

	return bind(fd, (struct sockaddr *)&ss, len);
}

static uint16_t random_port(void)
{
	uint16_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint16_t)getpid();
	return (uint16_t)(BFD_SOURCE_PORT_FIRST + random % (65536 - BFD_SOURCE_PORT_FIRST));
}

static int bind_sender(int fd, const struct bfd_port_config *config)
{
	int ret = -1;

	if (config->source_port)
		return bind_to(fd, &config->local, config->source_port);
	for (int i = 0; i < BIND_TRIES; i++) {
		ret = bind_to(fd, &config->local, random_port());
		if (!ret || errno != EADDRINUSE)
			return ret;
	}
	return ret;
}

/* -1: errno. */
static int open_socket(const struct bfd_port_config *config, bool sender)
{
	uint8_t family = config->local.family;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -1;
	if (!set_common(fd, config) &&
	    !(sender ? set_sender(fd, family) : set_receiver(fd, family)) &&
	    !(sender ? bind_sender(fd, config) : bind_to(fd, &config->local, BFD_PORT)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int received_ttl(struct msghdr *msg)
{
	int ttl;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT))
			continue;
		memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		return ttl;
	}
	return -1;
}

/* False: nothing more waits. */
static bool read_one(struct bfd_port *port)
{
	union {
		char buf[CMSG_SPACE(sizeof(int)) * 2];
		struct cmsghdr align;
	} control;
	uint8_t data[256];
	struct sockaddr_storage ss = { 0 };
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = {
		.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n = recvmsg(port->in, &msg, 0);
	struct addr from;

	if (n < 0)
		return errno == EINTR;
	from = addr_from_sockaddr((struct sockaddr *)&ss);
	if ((msg.msg_flags & MSG_TRUNC) || !addr_equal(&from, &port->peer) ||
	    received_ttl(&msg) != TTL)
		port->ops.discarded(port->ctx);
	else
		port->ops.packet(port->ctx, data, (size_t)n);
	return true;
}

static void port_ready(void *ctx, unsigned int events)
{
	for (int i = 0; i < READ_BURST && read_one(ctx); i++)
		;
}

void bfd_port_drain(struct bfd_port *port)
{
	for (int i = 0; i < DRAIN_MOST && read_one(port); i++)
		;
}

void bfd_port_send(struct bfd_port *port, const uint8_t *data, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t size = addr_to_sockaddr(&port->peer, BFD_PORT, &ss);
	ssize_t n = sendto(port->out, data, len, MSG_NOSIGNAL, (struct sockaddr *)&ss, size);

	(void)n;
}

bool bfd_port_current(const struct bfd_port *port)
{
	return !port->device[0] || if_nametoindex(port->device) == port->ifindex;
}

struct bfd_port *bfd_port_open(struct loop *loop, const struct bfd_port_config *config,
			       const struct bfd_port_ops *ops, void *ctx, int *error)
{
	struct bfd_port *port = calloc(1, sizeof(*port));

	*error = ENOMEM;
	if (!port)
		return NULL;
	port->ops = *ops;
	port->ctx = ctx;
	port->peer = config->peer;
	if (config->device) {
		strncpy(port->device, config->device, sizeof(port->device) - 1);
		port->ifindex = if_nametoindex(port->device);
	}
	port->out = -1;
	port->in = open_socket(config, false);
	if (port->in >= 0)
		port->out = open_socket(config, true);
	if (port->in < 0 || port->out < 0) {
		*error = errno;
		bfd_port_close(port);
		return NULL;
	}
	port->io = loop_io_new(loop, port->in, port_ready, port);
	if (!port->io) {
		bfd_port_close(port);
		return NULL;
	}
	loop_io_set(port->io, LOOP_READ);
	return port;
}

void bfd_port_close(struct bfd_port *port)
{
	if (!port)
		return;
	loop_io_free(port->io);
	if (port->in >= 0)
		close(port->in);
	if (port->out >= 0)
		close(port->out);
	free(port);
}
