/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session with its sockets: what an agent asked for, kept going.
 *
 * Promise: sockets that cannot be opened, or whose device was replaced, are
 * opened again by themselves; meanwhile the session runs its timers, so a device
 * that is gone is a failure after the detection time.
 */
#ifndef VGW_VGWBFD_PATH_H
#define VGW_VGWBFD_PATH_H

#include "bfd/control.h"
#include "lib/loop.h"

struct bfd_path;

/* changed: as of bfd_session_ops. NULL on no memory. */
struct bfd_path *bfd_path_new(struct loop *loop, const char *name,
			      const struct bfd_request *request, uint32_t discriminator,
			      void (*changed)(void *ctx), void *ctx);
void bfd_path_free(struct bfd_path *path);
const struct bfd_request *bfd_path_request(const struct bfd_path *path);
struct bfd_session *bfd_path_session(struct bfd_path *path);
/* The way must be the same (bfd_request_same_path()). */
void bfd_path_set_timers(struct bfd_path *path, const struct bfd_timers *timers);

#endif
