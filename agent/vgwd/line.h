/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A private line: BGP over a plain interface to a site that also has tunnels. A transit
 * peer has the same kind of session, to a router inside the domain; of it, this is the session
 * and the interface, and transit.h says what its routes are.
 *
 * Promise: what the session of a private line teaches is in the system table, by the peer's
 * address, as long as the line is good (its device runs, BFD does not say otherwise) and the
 * import rules of the gateway let it in; by a metric ahead of the tunnels' routes or
 * behind them. It is never a next hop of the module and told to no site (D11). The
 * interface and its addresses are somebody else's: nothing is made or changed there.
 */
#ifndef VGW_VGWD_LINE_H
#define VGW_VGWD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "sys/bfd.h"
#include "sys/rtnl.h"
#include "vgwd/peer.h"

#define LINE_ERROR_SIZE 160

/* Of a line's routes, plus its place in the file: ahead of published routes, and behind them. */
#define LINE_METRIC_AHEAD 10000
#define LINE_METRIC_BEHIND 30000

struct line {
	struct gateway *gateway;
	struct line *next; /* in the order of creation */
	const struct config_private_line *config; /* borrowed, renewed by every reload */
	struct peer peer;
	uint32_t ifindex; /* of its device, 0: not usable, see error */
	bool running; /* the device is up and has a carrier */
	bool bfd_passed; /* BFD was up in this life, or the peer had switched it off */
	bool good; /* the verdict: running, and BFD does not say otherwise */
	char error[LINE_ERROR_SIZE]; /* "" if there is none */
};

/* NULL: no memory. Sets nothing up yet. */
struct line *line_new(struct gateway *gateway, const struct config_private_line *config);
void line_free(struct line *line); /* forget it; its routes stay in the kernel */
void line_remove(struct line *line); /* no longer configured: its routes go; frees it */
void line_setup(struct line *line); /* looks for the device, watches it; idempotent */
void line_link_changed(struct gateway *gateway, const struct rtnl_link *link, bool present);
/* True if the name is that of a line. */
bool line_bfd_changed(struct gateway *gateway, const char *name, const struct bfd_status *status);
const struct bfd_status *line_bfd_status(const struct line *line); /* NULL: no BFD */
/* Why it is not good; false: it is. */
bool line_explain(const struct line *line, char *buf, size_t size);
/* Does its route to the prefix belong into the system table, and by which way? */
bool line_route(const struct line *line, const struct prefix *prefix, struct rtnl_via *out);
struct line *line_by_device(const struct gateway *gateway, uint32_t ifindex);
struct line *line_by_name(const struct gateway *gateway, const char *name);

/* rtnl_ops of the same names; ctx: the gateway */
int line_vias(void *ctx, const struct prefix *prefix, struct rtnl_via *out);
bool line_owns(void *ctx, uint32_t ifindex);

#endif
