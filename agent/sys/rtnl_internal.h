/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of rtnl share. Nobody else includes this. */
#ifndef VGW_SYS_RTNL_INTERNAL_H
#define VGW_SYS_RTNL_INTERNAL_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "lib/pmap.h"
#include "sys/rtnl.h"

#define RTNL_GUARD_METRIC UINT32_MAX
/* The kernel's largest netlink message in a dump is 32 KiB. */
#define RTNL_BUFFER_SIZE 65536

struct rtnl_socket {
	int fd;
	uint32_t portid, seq;
};

struct rtnl_hop {
	uint32_t oif;
	uint8_t via[16]; /* gateway, zero if none */
};

/* A route as the kernel tells it. */
struct rtnl_known {
	struct rtnl_known *next; /* same prefix */
	struct rtnl_route route;
	uint32_t nhid; /* nexthop object, 0 if none */
	uint32_t mark; /* the dump that saw it last */
	struct addr source; /* preferred source */
	uint8_t tos;
	uint16_t n_hops;
	struct rtnl_hop hops[];
};

struct rtnl_device {
	struct rtnl_device *next;
	struct rtnl_link link;
	uint32_t mark;
};

/* A link as the kernel tells it, with what only this module wants. */
struct rtnl_link_details {
	struct rtnl_link link;
	uint32_t vrf_table;
	bool external; /* xfrm in collect-metadata mode */
};

enum rtnl_dump { RTNL_DUMP_NONE, RTNL_DUMP_LINKS, RTNL_DUMP_IPV4, RTNL_DUMP_IPV6 };

struct rtnl_own; /* rtnl_publish.c */

#define RTNL_WINDOW 128 /* requests in flight */

struct rtnl_flight {
	struct rtnl_own *own; /* NULL once answered */
	struct rtnl_via to;
	uint32_t seq;
	bool add;
};

struct rtnl {
	struct loop *loop;
	const struct rtnl_ops *ops;
	void *ctx;
	uint32_t table;

	struct rtnl_socket sync;
	uint8_t *sync_buffer;

	/* following */
	struct rtnl_socket events;
	struct loop_io *events_io;
	uint8_t *events_buffer; /* not the one of sync: callbacks may make requests */
	struct loop_timer *resync_timer;
	enum rtnl_dump dump;
	uint32_t dump_seq;
	uint32_t generation; /* of dumps */
	uint64_t dump_started;
	bool dump_again; /* interrupted, or events were lost while it ran */
	bool synced;
	struct pmap routes; /* prefix -> struct rtnl_known list */
	size_t n_routes;
	struct rtnl_device *devices;

	/* guards */
	struct prefix *guards;
	size_t n_guards;
	struct loop_timer *guard_timer;

	/* publishing */
	struct rtnl_socket publish;
	struct loop_io *publish_io;
	struct loop_timer *publish_timer, *held_timer;
	uint32_t ifindex, metric; /* of the gateway's device, 0 if there is none */
	bool link_up, sweep;
	struct pmap own; /* prefix -> struct rtnl_own */
	struct rtnl_own *dirty, **dirty_tail, *held;
	struct rtnl_flight flights[RTNL_WINDOW];
	size_t n_flights; /* not answered yet */

	struct rtnl_counters counters;
};

/* rtnl.c */
int rtnl_socket_open(struct rtnl_socket *sock, bool nonblocking, int buffer);
void rtnl_socket_close(struct rtnl_socket *sock);
struct nl_msg *rtnl_msg_new(uint16_t type, uint16_t flags, const void *header, size_t len);
/*
 * Sends msg (freed in any case; NULL stands for no memory) and waits for its end. row may be NULL;
 * a dump that was interrupted is made again, so rows can come twice. The kernel's text is put
 * into text ("" if none).
 */
int rtnl_call(struct rtnl *rtnl, struct nl_msg *msg,
	      void (*row)(void *ctx, const struct nlmsghdr *nlh), void *ctx, char *text,
	      size_t size);
/* Error of an NLMSG_ERROR or NLMSG_DONE, text as above. */
int rtnl_error(const struct nlmsghdr *nlh, char *text, size_t size);
/* "WHAT: text or strerror" into err; returns ret. */
int rtnl_fail(char *err, size_t size, int ret, const char *text, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* rtnl_link.c; false: not a link of interest, or malformed. */
bool rtnl_link_parse(const struct nlmsghdr *nlh, struct rtnl_link_details *out);

/* rtnl_route.c */
/* NULL with *error 0: not a route of the followed table. */
struct rtnl_known *rtnl_known_parse(const struct rtnl *rtnl, const struct nlmsghdr *nlh,
				    int *error);
bool rtnl_known_equal(const struct rtnl_known *a, const struct rtnl_known *b);
/* Do they share a next hop? */
bool rtnl_known_overlap(const struct rtnl_known *a, const struct rtnl_known *b);
/* Takes b's next hops out of a; true if a had all of them. */
bool rtnl_known_subtract(struct rtnl_known *a, const struct rtnl_known *b);
/* A request for one of our routes; oif 0: unreachable. NULL on no memory. */
struct nl_msg *rtnl_route_msg(const struct rtnl *rtnl, bool add, const struct prefix *prefix,
			      const struct rtnl_via *to);
struct nl_msg *rtnl_route_dump_msg(const struct rtnl *rtnl, uint8_t family, uint8_t protocol);

/* rtnl_follow.c */
void rtnl_resync(struct rtnl *rtnl); /* a new dump, soon */
void rtnl_follow_stop(struct rtnl *rtnl);
const struct rtnl_link *rtnl_device_find(const struct rtnl *rtnl, uint32_t ifindex);

/* rtnl_guard.c */
void rtnl_guard_deleted(struct rtnl *rtnl, const struct rtnl_known *known);
void rtnl_guard_stop(struct rtnl *rtnl);

/* rtnl_publish.c */
void rtnl_publish_seen(struct rtnl *rtnl, const struct rtnl_known *known, bool in_dump);
void rtnl_publish_gone(struct rtnl *rtnl, const struct rtnl_known *known);
void rtnl_publish_dump_done(struct rtnl *rtnl); /* forget what the dump did not see, go on */
void rtnl_publish_link(struct rtnl *rtnl, const struct rtnl_link *link, bool present);
/* A foreign route went: perhaps it was in the way. */
void rtnl_publish_unblock(struct rtnl *rtnl, const struct rtnl_route *route);
size_t rtnl_publish_count(const struct rtnl *rtnl); /* routes on the gateway's device */
void rtnl_publish_stop(struct rtnl *rtnl);

#endif
