/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink: links and addresses that the gateway needs, the system table
 * followed, learned prefixes published in it, guard routes.
 *
 * Promise: touches only links and addresses it is told to, and only routes of
 * protocol vgw (uapi VGW_RTPROTO) in the system table. An identical route is
 * never added again (each change there makes cached XFRM bundles stale).
 * ENOBUFS leads to a new dump. Small requests made at start-up and reload are
 * synchronous with a time limit; following and publishing never block.
 * Callbacks may call everything here except rtnl_free().
 *
 * One file a concern: rtnl.c (life, sockets, synchronous requests),
 * rtnl_link.c (links, addresses, sysctl), rtnl_follow.c (dumps and events),
 * rtnl_route.c (routes as messages), rtnl_guard.c, rtnl_publish.c.
 */
#ifndef VGW_SYS_RTNL_H
#define VGW_SYS_RTNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/loop.h"

struct rtnl;

struct rtnl_link {
	uint32_t ifindex, master, mtu;
	char name[16], kind[16]; /* kind "" for plain devices */
	bool up;
	bool running; /* up, and the other end is there (carrier) */
	uint32_t if_id; /* kind xfrm */
};

struct rtnl_route { /* of the system table */
	struct prefix prefix;
	uint8_t protocol, type; /* RTPROT_*, RTN_* */
	uint8_t scope;
	uint32_t metric, oif;
};

/* A route to a next hop on a plain device. */
struct rtnl_via {
	uint32_t metric, oif;
	struct addr via; /* of the prefix's family */
};

#define RTNL_VIAS_MAX 17

struct rtnl_ops {
	/* A route of the followed table appeared or went (a replaced one goes, then comes, except
	 * in a new dump after lost events, where the order is open). One with several next hops is
	 * one route, oif is the first. Routes of protocol vgw are not reported here. Any of these
	 * callbacks may be NULL. */
	void (*route)(void *ctx, const struct rtnl_route *route, bool present);
	void (*routes_synced)(void *ctx); /* the first dump, or one after ENOBUFS, is through */
	void (*link)(void *ctx, const struct rtnl_link *link, bool present);
	/* The device lost an address. */
	void (*address_gone)(void *ctx, uint32_t ifindex);
	/* Publishing: should the prefix be in the system table now? May be asked at any time. */
	bool (*published)(void *ctx, const struct prefix *prefix);
	/*
	 * The same for routes over plain devices (lines, the domain), each of another metric; a
	 * next hop that changes is replaced without a gap if its metric changes too. Fills up
	 * to RTNL_VIAS_MAX in and returns how many there should be; -1: not known yet, what is
	 * there stays.
	 */
	int (*vias)(void *ctx, const struct prefix *prefix, struct rtnl_via *out);
	/* Are routes of protocol vgw over the device the owner's? */
	bool (*owns)(void *ctx, uint32_t ifindex);
};

/* table: kernel table number of the system table (RT_TABLE_MAIN or a VRF's). Both families. */
struct rtnl *rtnl_new(struct loop *loop, uint32_t table, const struct rtnl_ops *ops, void *ctx);
void rtnl_free(struct rtnl *rtnl); /* leaves the kernel as it is */
int rtnl_follow(struct rtnl *rtnl); /* start dump and events: links first, then routes */
/* Walk the followed routes. */
void rtnl_each_route(struct rtnl *rtnl, void (*row)(void *ctx, const struct rtnl_route *route),
		     void *ctx);

/* All of these: 0 or negative errno, text in err. What is already so is not touched. */
int rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *out);
int rtnl_link_add_vgw(struct rtnl *rtnl, const char *name, char *err,
		      size_t size); /* exists: fine if kind vgw */
/* underlay may be NULL or "". Exists: fine if kind and if_id agree, else refused by name. */
int rtnl_link_add_xfrm(struct rtnl *rtnl, const char *name, uint32_t if_id, const char *underlay,
		       char *err, size_t size);
/* NULL fields stay as they are; master "" takes the device out of its master. */
int rtnl_link_set(struct rtnl *rtnl, const char *name, const bool *up, const uint32_t *mtu,
		  const char *master, char *err, size_t size);
int rtnl_link_del(struct rtnl *rtnl, const char *name, char *err, size_t size);
int rtnl_address_add(struct rtnl *rtnl, const char *name, const struct addr *address, uint8_t len,
		     char *err, size_t size); /* exists: fine */
int rtnl_address_del(struct rtnl *rtnl, const char *name, const struct addr *address, uint8_t len,
		     char *err, size_t size);
/*
 * The route that a packet of this host to dst takes (vrf: ifindex of the VRF device, 0: none).
 * device gets the name of its output device. 0, or what a sender would get (-ENETUNREACH, ...).
 */
int rtnl_route_lookup(struct rtnl *rtnl, const struct addr *dst, uint32_t vrf,
		      struct rtnl_route *out, char *device, size_t size);
/* Routing table of a VRF device; 0 if it is not one. */
uint32_t rtnl_vrf_table(struct rtnl *rtnl, const char *name);

/* Guard routes: `unreachable PREFIX proto vgw metric 4294967295`, there before all else, in both
 * families; only a configuration change removes one (given list replaces the set of unreachable
 * proto-vgw routes of the table, new ones first). One deleted by somebody else while the table is
 * followed is put back. */
int rtnl_guards_apply(struct rtnl *rtnl, const struct prefix *guards, size_t n, char *err,
		      size_t size);

/*
 * Publishing: `PREFIX dev GATEWAY proto vgw metric M`, and `PREFIX via PEER dev LINE proto vgw`.
 * The first starts once the first dump is done and the device is up, waits while it is not, and
 * goes on by itself when it is up again; called again when the device was made anew (ifindex 0: it
 * is gone, wait). The second needs the dump alone. Deleted are only routes of protocol vgw: on the
 * gateway's device, on devices that owns() knows, and those that were wanted before. A route that
 * somebody else deleted comes back, at most once a second; a refused one is tried again after 1 s,
 * doubling to 60 s.
 */
void rtnl_publish_start(struct rtnl *rtnl, uint32_t gateway_ifindex, uint32_t metric);
void rtnl_publish_dirty(struct rtnl *rtnl, const struct prefix *prefix);
void rtnl_publish_now(struct rtnl *rtnl); /* do not collect: packets are being lost */
/* Is there any route over a plain device that owns() knows, perhaps of an earlier life? */
bool rtnl_publish_has_vias(const struct rtnl *rtnl);
/* Routes of ours found in the table at start that published() never claimed go now. */
void rtnl_publish_sweep(struct rtnl *rtnl);

struct rtnl_counters {
	size_t routes, published, dirty, held; /* now; held: refused or restored too often */
	uint64_t added, deleted, refused, restored, dumps, overruns;
};
struct rtnl_counters rtnl_counters(const struct rtnl *rtnl);

/* sysctl of a device, e.g. forwarding; 0 or negative errno. Family is 4 or 6. */
int rtnl_conf_get(unsigned int family, const char *device, const char *key, long *value);

#endif
