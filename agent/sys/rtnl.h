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
	uint32_t if_id; /* kind xfrm */
};

struct rtnl_route { /* of the system table */
	struct prefix prefix;
	uint8_t protocol, type; /* RTPROT_*, RTN_* */
	uint8_t scope;
	uint32_t metric, oif;
};

struct rtnl_ops {
	/* A route of the followed table appeared or went (a replaced one is gone, then added).
	 * Own routes (protocol vgw) are not reported here. */
	void (*route)(void *ctx, const struct rtnl_route *route, bool present);
	void (*routes_synced)(void *ctx); /* the first dump, or one after ENOBUFS, is through */
	void (*link)(void *ctx, const struct rtnl_link *link, bool present);
	/* Publishing: should the prefix be in the system table now? */
	bool (*published)(void *ctx, const struct prefix *prefix);
};

/* table: kernel table number of the system table (RT_TABLE_MAIN or a VRF's). Both families. */
struct rtnl *rtnl_new(struct loop *loop, uint32_t table, const struct rtnl_ops *ops, void *ctx);
void rtnl_free(struct rtnl *rtnl); /* leaves the kernel as it is */
int rtnl_follow(struct rtnl *rtnl); /* start dump and events */
/* Walk the followed routes. */
void rtnl_each_route(struct rtnl *rtnl, void (*row)(void *ctx, const struct rtnl_route *route), void *ctx);

/* All of these: 0 or negative errno, text in err (never NULL size). */
int rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *out);
int rtnl_link_add_vgw(struct rtnl *rtnl, const char *name, char *err, size_t size); /* exists: fine if kind vgw */
int rtnl_link_add_xfrm(struct rtnl *rtnl, const char *name, uint32_t if_id, const char *underlay,
		       char *err, size_t size); /* exists: fine if kind and if_id agree, else refused by name */
int rtnl_link_set(struct rtnl *rtnl, const char *name, const bool *up, const uint32_t *mtu,
		  const char *master, char *err, size_t size);
int rtnl_link_del(struct rtnl *rtnl, const char *name, char *err, size_t size);
int rtnl_address_add(struct rtnl *rtnl, const char *name, const struct addr *address, uint8_t len,
		     char *err, size_t size); /* exists: fine */
int rtnl_address_del(struct rtnl *rtnl, const char *name, const struct addr *address, uint8_t len,
		     char *err, size_t size);
/* Routing table of a VRF device; 0 if it is not one. */
uint32_t rtnl_vrf_table(struct rtnl *rtnl, const char *name);

/* Guard routes: `unreachable PREFIX proto vgw metric 4294967295`, there before anything else, in both
 * families; only a configuration change removes one (given list replaces the set of unreachable proto-vgw routes). */
int rtnl_guards_apply(struct rtnl *rtnl, const struct prefix *guards, size_t n, char *err, size_t size);

/* Publishing on the gateway's device (metric: above static, below kernel's; see rules 31-32). */
void rtnl_publish_start(struct rtnl *rtnl, uint32_t gateway_ifindex, uint32_t metric);
void rtnl_publish_dirty(struct rtnl *rtnl, const struct prefix *prefix);
/* Routes of ours found in the table at start that published() never claimed go now. */
void rtnl_publish_sweep(struct rtnl *rtnl);

/* sysctl of a device, e.g. rp_filter; 0 or negative errno. Family is 4 or 6. */
int rtnl_conf_get(unsigned int family, const char *device, const char *key, long *value);
int rtnl_conf_set(unsigned int family, const char *device, const char *key, long value);

#endif
