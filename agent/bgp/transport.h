/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TCP side of a session: connections with bounded buffers, and listeners
 * shared by the sessions of one (local address, device, port).
 *
 * Promise: never blocks; memory per connection is bounded by the longest
 * message. A callback may close its own connection, which then calls back no
 * more. A connection is only ever made with the protections that were asked for
 * (MD5, TTL): where the kernel refuses one, there is no connection.
 */
#ifndef VGW_BGP_TRANSPORT_H
#define VGW_BGP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/loop.h"

/* Bytes of UPDATEs kept ready; what is above stays free for a message and some short ones. */
#define TRANSPORT_TX_FILL (32 * 1024)

struct transport;

struct transport_config { /* strings are borrowed for the call */
	struct addr local, peer; /* local AF_UNSPEC: the kernel chooses */
	const char *device; /* SO_BINDTODEVICE, or NULL */
	uint16_t port; /* of the listener; 0 = 179 */
	uint8_t ttl; /* 0 = 255 */
	bool gtsm; /* RFC 5082 */
	const char *md5; /* RFC 2385, or NULL */
	uint16_t mss; /* 0 = the kernel's */
	/* ms without an acknowledgement until the kernel gives up, 0: its default */
	unsigned int user_timeout;
};

/* What TCP says about the way to the peer. */
struct transport_path {
	uint32_t unacked; /* octets given to the kernel and not acknowledged */
	uint32_t mss; /* octets of a full segment */
	uint32_t retries; /* in a row, of the segment that is waited for; none while the window
			   * is closed */
	uint64_t acked; /* octets acknowledged so far */
};

struct transport_ops {
	void (*connected)(void *ctx); /* outgoing only */
	/* errno, 0: end of file. The transport is to be closed then. */
	void (*closed)(void *ctx, int error);
	/* Bytes not yet taken; returns how many of them are done with. */
	size_t (*received)(void *ctx, const uint8_t *data, size_t len);
	void (*writable)(void *ctx); /* the socket took something, or transport_want_write() */
};

/* Both: NULL with the errno in *error. */
struct transport *transport_connect(struct loop *loop, const struct transport_config *config,
				    const struct transport_ops *ops, void *ctx, int *error);
/* fd of an accepted connection, taken over also when this fails. */
struct transport *transport_accepted(struct loop *loop, int fd,
				     const struct transport_config *config,
				     const struct transport_ops *ops, void *ctx, int *error);
/* At once. Bytes not yet sent are lost. */
void transport_close(struct transport *transport);
/* Sends what is buffered, then closes so that the peer can read it all; takes at most some
 * seconds, in the background, without calling back. */
void transport_finish(struct transport *transport);
/* Ends what transport_finish() still does for this ctx. */
void transport_abandon(const void *ctx);

/* Buffers for messages of up to so many octets, of either direction. False: no memory, they stay
 * as they are. */
bool transport_message_max(struct transport *transport, size_t octets);
/* n octets to write to, then committed; NULL if there is no room. */
uint8_t *transport_reserve(struct transport *transport, size_t n);
void transport_commit(struct transport *transport, size_t n);
size_t transport_pending(const struct transport *transport); /* bytes buffered */
uint64_t transport_sent(const struct transport *transport); /* bytes that the kernel took */
void transport_want_write(struct transport *transport);
/* False: the kernel does not say. */
bool transport_path(const struct transport *transport, struct transport_path *path);
bool transport_readable(const struct transport *transport); /* the kernel holds bytes for us */
void transport_addresses(const struct transport *transport, struct addr *local, struct addr *peer);

struct listener_member;

/* accepted(): the fd is the callee's, which may close it. NULL with the errno in *error (EEXIST:
 * the same peer is there already). */
struct listener_member *listener_join(struct loop *loop, const struct transport_config *config,
				      void (*accepted)(void *ctx, int fd), void *ctx, int *error);
void listener_leave(struct listener_member *member);
/* False: its device is gone or was made anew, join again. */
bool listener_alive(const struct listener_member *member);

/* Helpers of both files. */
int transport_socket(const struct transport_config *config, bool listening, int *error);
int transport_md5(int fd, const struct addr *peer, const char *key); /* NULL removes; 0 or errno */
int transport_protect(int fd, const struct transport_config *config); /* 0 or errno */
int transport_gtsm(int fd, uint8_t family, bool on); /* 0 or errno */
int transport_mss(int fd, uint16_t mss); /* 0 or errno */

#endif
