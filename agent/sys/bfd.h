/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BFD sessions of the agent, run by the process vgw-bfd.
 *
 * Promise: what is wanted here is known there whenever that process runs; it is
 * looked for and connected to again by itself, but never started from here.
 * bfd_free() (and the agent's death) leave the sessions to the hold time of that
 * process; the next agent of the same name finds them as they were. Without
 * that process nothing is known of any session, which is told, and said in the
 * log once.
 */
#ifndef VGW_SYS_BFD_H
#define VGW_SYS_BFD_H

#include "bfd/control.h"
#include "lib/addr.h"
#include "lib/loop.h"

struct bfd;

struct bfd_config {
	const char *device; /* borrowed for the call */
	struct addr local, peer; /* one family */
	struct bfd_timers timers;
	uint16_t source_port; /* 0: a random one */
};

struct bfd_status {
	bool known; /* info is of the running process, up to date but for the counters */
	struct bfd_session_info info;
	char error[BFD_TEXT_SIZE]; /* why there is no session; "" */
};

struct bfd_ops {
	/* From the loop, for whatever changed in the status. Must not free the bfd. */
	void (*changed)(void *ctx, const char *name, const struct bfd_status *status);
};

/* path NULL: BFD_CONTROL_PATH. agent: whose sessions these are, unique on the host (the gateway's
 * device). Connects once a session is wanted. NULL on no memory. */
struct bfd *bfd_new(struct loop *loop, const char *path, const char *agent,
		    const struct bfd_ops *ops, void *ctx);
void bfd_free(struct bfd *bfd);
/* Wanted from now on, or with other timers (the session stays), or another way (it begins anew).
 * -EINVAL, -ENAMETOOLONG or -ENOMEM: nothing changed. */
int bfd_set(struct bfd *bfd, const char *name, const struct bfd_config *config);
/* The peer is told that it is switched off. */
void bfd_del(struct bfd *bfd, const char *name);
const struct bfd_status *bfd_status(const struct bfd *bfd, const char *name); /* NULL: not wanted */

#endif
