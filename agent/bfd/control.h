/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the agent and vgw-bfd say to each other: one message a packet of a UNIX
 * SOCK_SEQPACKET socket.
 *
 * The agent says HELLO first, with its name (the gateway's device), then SET for
 * each session that it wants, then SYNC: sessions of an earlier connection of that
 * name which it did not set are closed. Later SET and DEL as things change.
 * vgw-bfd answers with STATE for each session, whenever something changes, the
 * latest state only; REFUSED (with a text) instead where a session cannot be.
 *
 * Promise: decoding accepts exactly what encoding makes; names in a decoded
 * message are terminated and of bounded length.
 */
#ifndef VGW_BFD_CONTROL_H
#define VGW_BFD_CONTROL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bfd/session.h"
#include "lib/addr.h"

#define BFD_CONTROL_PATH "/run/vgw/bfd.sock"
#define BFD_CONTROL_MAX 256 /* bytes of a message */
#define BFD_NAME_SIZE 40
#define BFD_TEXT_SIZE 120
#define BFD_INTERVAL_MIN 10 /* milliseconds, of transmit and receive */
#define BFD_INTERVAL_MAX 60000

enum bfd_message_type {
	BFD_MESSAGE_HELLO = 1, /* name: of the agent */
	BFD_MESSAGE_SET, /* name, request */
	BFD_MESSAGE_DEL, /* name */
	BFD_MESSAGE_SYNC,
	BFD_MESSAGE_STATE, /* name, info without the counters of packets */
	BFD_MESSAGE_REFUSED, /* name, text */
};

struct bfd_request {
	char device[IF_NAMESIZE]; /* "": any */
	struct addr local, peer;
	struct bfd_timers timers;
	uint16_t source_port; /* 0: a random one */
};

struct bfd_message {
	uint8_t type;
	char name[BFD_NAME_SIZE];
	struct bfd_request request;
	struct bfd_session_info info;
	char text[BFD_TEXT_SIZE];
};

/* out has BFD_CONTROL_MAX bytes. Returns the length; 0: a name does not fit. */
size_t bfd_message_encode(const struct bfd_message *message, uint8_t *out);
/* False: not a message of this version, then *out is undefined. */
bool bfd_message_decode(const void *data, size_t len, struct bfd_message *out);
/* NULL, or why no session can be made of it. */
const char *bfd_request_check(const struct bfd_request *request);
bool bfd_request_same_path(const struct bfd_request *a, const struct bfd_request *b);

#endif
