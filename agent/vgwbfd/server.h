/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sessions of this process and the agents that want them (bfd/control.h).
 *
 * Promise: a session lives as long as its agent wants it, and for the hold time
 * after the agent's connection ended: an agent that comes back in time finds it
 * as it was. Then it is closed as switched off (AdminDown), which no peer takes
 * for a failure. Sessions, agents and memory for each are bounded; a connection
 * that speaks anything else is closed.
 */
#ifndef VGW_VGWBFD_SERVER_H
#define VGW_VGWBFD_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/loop.h"

#define BFD_SERVER_AGENTS_MAX 16
#define BFD_SERVER_SESSIONS_MAX 4096

struct bfd_server;

/* Creates the socket (mode 0600), replacing a dead one. hold: seconds. NULL: see err. */
struct bfd_server *bfd_server_new(struct loop *loop, const char *path, uint32_t hold, char *err,
				  size_t size);
/* Tells the peers (AdminDown) and removes the socket. */
void bfd_server_free(struct bfd_server *server);
size_t bfd_server_sessions(const struct bfd_server *server);

#endif
