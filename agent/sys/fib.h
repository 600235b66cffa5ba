/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps one gateway of the module equal to what the agent wants.
 *
 * The owner says "look again" (fib_dirty_*); when the batch is flushed, fib
 * asks the owner what the object should be now (struct fib_ops). Nothing is
 * patched: latest wins, equal is not sent. Groups are interned here: equal
 * member lists are one kernel group; unused ones are deleted after the routes.
 *
 * Promise: paced and batched (a window of batches in flight, KERNEL_ROUTES_MAX
 * routes each); tunnels before groups before routes, and the other way round
 * when they go. A refused route does not hold up the others (the batch is
 * split at the index that the module names); it is reported once through
 * refused(), when the queue has drained, and tried again when something was
 * deleted or a setting, a tunnel or the owner's mind changed. A gateway that
 * is gone, or a module, only stops the work until the next fib_start().
 *
 * Restart (decision D14): fib_start() adopts the tunnels and groups that the
 * module holds (same content, same id), opens a generation, and
 * fib_commit() closes it, which sweeps what was not refreshed. While it is open
 * nothing is deleted but routes that the owner dirtied and does not want; groups
 * and tunnels wait for the commit. If somebody else began a generation meanwhile
 * (or memory ran out here), fib begins anew by itself and asks for everything().
 */
#ifndef VGW_SYS_FIB_H
#define VGW_SYS_FIB_H

#include "sys/kernel.h"

struct fib;

struct fib_route {
	uint8_t on_fail;
	uint32_t n_members; /* 0: class system, no group */
	struct kernel_member members[KERNEL_MEMBERS_MAX]; /* tunnel, weight */
};

/* A policy route. Two never share family, priority, sequence and prefixes. */
struct fib_policy {
	struct prefix src, dst;
	uint32_t priority, sequence;
	struct fib_route to; /* no members: it should not exist now */
};

/* route, tunnel, policy and refused must not call fib; everything may dirty, idle may do
 * anything. */
struct fib_ops {
	/* What the route should be; false: it should not exist. */
	bool (*route)(void *ctx, const struct prefix *prefix, uint8_t class, struct fib_route *out);
	/* What the tunnel should be; false: it should not exist. */
	bool (*tunnel)(void *ctx, uint32_t id, struct kernel_tunnel *out);
	/*
	 * Call fib_dirty_tunnel / fib_dirty_route for everything that should exist, or for some of
	 * it and return true: then it is called again in a later turn of the loop, to go on. first:
	 * to begin with. The module sweeps nothing before all was told.
	 */
	bool (*everything)(void *ctx, struct fib *fib, bool first);
	/* Of a policy route (class KERNEL_POLICY) the destination. */
	void (*refused)(void *ctx, const struct prefix *prefix, uint8_t class, int error,
			const char *text);
	/* fib_idle() became true. */
	void (*idle)(void *ctx);
	/* Policy route number index, in any order; false: there are no more. NULL: none. */
	bool (*policy)(void *ctx, size_t index, struct fib_policy *out);
};

struct fib *fib_new(struct loop *loop, struct kernel *kernel, const struct fib_ops *ops, void *ctx);
void fib_free(struct fib *fib); /* leaves the module as it is */
/* Bind to the device (0: gone) and begin: settings, adopt, generation, everything(). What is
 * dirtied before everything() is forgotten; so is a fib_commit() before this call. */
void fib_start(struct fib *fib, uint32_t ifindex);
void fib_settings(struct fib *fib, uint32_t quota, const struct kernel_hash *hash,
		  const struct prefix *guards, size_t n_guards);
/* All LAN devices that should be ports, as of now; each call tries a refused one again. */
void fib_ports(struct fib *fib, const uint32_t *ifindexes, size_t n);
void fib_dirty_tunnel(struct fib *fib, uint32_t id);
void fib_dirty_route(struct fib *fib, const struct prefix *prefix, uint8_t class);
/* Look at all policy routes again: they are few, and told as a list. */
void fib_dirty_policies(struct fib *fib);
/* Once every source has said End-of-RIB (or the timer ran out): after the queue drains, commit. */
void fib_commit(struct fib *fib);
bool fib_generation_open(const struct fib *fib);
/* Bound, nothing dirty, nothing in flight, no commit to do. */
bool fib_idle(const struct fib *fib);
/* From the owner's struct kernel_events. After found() the device has to be looked up again:
 * fib_start() and fib_commit() are the owner's to call. */
void fib_kernel_lost(struct fib *fib);
void fib_kernel_found(struct fib *fib);

/*
 * What the module says it holds, compared with what it was given. True: somebody else changed
 * it, and it is told everything again. Means something only if fib was idle and fib_counters()
 * are as they were when the module was asked.
 */
bool fib_check(struct fib *fib, const struct kernel_gateway *kernel);

struct fib_counters {
	uint64_t routes_sent, routes_skipped, batches, refused, replays;
	size_t dirty, in_flight, groups, routes;
	size_t memory; /* bytes of what is known of routes */
};
struct fib_counters fib_counters(const struct fib *fib);

#endif
