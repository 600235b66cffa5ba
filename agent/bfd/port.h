/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two sockets of a session (RFC 5881 4 and 5): one that takes packets for
 * UDP port 3784, one that sends from a port of 49152 and above. Both are bound to
 * the session's device and address.
 *
 * Promise: handed up is only what came from the peer's address on this device
 * with a TTL (hop limit) of 255, which no router can have forwarded; sent is
 * with 255. Neither reading nor sending blocks. The ports are not shared: while
 * they are held nobody else gets the packets.
 */
#ifndef VGW_BFD_PORT_H
#define VGW_BFD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/loop.h"

struct bfd_port;

struct bfd_port_config {
	const char *device; /* NULL: any, for tests */
	struct addr local, peer; /* one family */
	uint16_t source_port; /* 0: a random one */
};

struct bfd_port_ops {
	void (*packet)(void *ctx, const uint8_t *data, size_t len);
	/* Something arrived that is not from the peer, or not with 255. */
	void (*discarded)(void *ctx);
};

/* NULL: *error is an errno. */
struct bfd_port *bfd_port_open(struct loop *loop, const struct bfd_port_config *config,
			       const struct bfd_port_ops *ops, void *ctx, int *error);
void bfd_port_close(struct bfd_port *port);
/* False if the device is another one (or none) by now: packets no longer come through. */
bool bfd_port_current(const struct bfd_port *port);
/* Whatever stops a packet is what BFD is there to detect: errors are counted by nobody. */
void bfd_port_send(struct bfd_port *port, const uint8_t *data, size_t len);
/* Hands up all that waits, at most some hundred packets. Must not be called from packet(). */
void bfd_port_drain(struct bfd_port *port);

#endif
