/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both back ends of sys/kernel.h share: a request as one value, and the
 * way of its answer. Private to sys/kernel*.c.
 */
#ifndef VGW_SYS_KERNEL_REQUEST_H
#define VGW_SYS_KERNEL_REQUEST_H

#include "sys/kernel.h"

enum kernel_op {
	KERNEL_OP_GATEWAY_GET,
	KERNEL_OP_GATEWAY_SET,
	KERNEL_OP_TUNNEL_SET,
	KERNEL_OP_TUNNEL_DEL,
	KERNEL_OP_GROUP_SET,
	KERNEL_OP_GROUP_DEL,
	KERNEL_OP_ROUTES_ADD,
	KERNEL_OP_ROUTES_DEL,
	KERNEL_OP_BEGIN,
	KERNEL_OP_COMMIT,
	KERNEL_OP_LOOKUP,
	KERNEL_OP_STATS_GET,
	KERNEL_OP_TUNNELS_DUMP,
	KERNEL_OP_GROUPS_DUMP,
	KERNEL_OP_ROUTES_DUMP,
	KERNEL_OP_POLICIES_ADD,
	KERNEL_OP_POLICIES_DEL,
	KERNEL_OP_POLICIES_DUMP,
	KERNEL_OP_PORT_ADD,
	KERNEL_OP_PORT_DEL,
	KERNEL_OP_PORTS_DUMP,
};

/* A request. Pointers are good until submit returns. */
struct kernel_call {
	enum kernel_op op;
	uint32_t gateway;
	uint32_t id; /* TUNNEL_DEL, GROUP_DEL; PORT_*: the ifindex; COMMIT: the generation */
	const struct kernel_tunnel *tunnel;
	const struct kernel_group *group;
	const struct kernel_route *routes;
	size_t n_routes;
	const struct kernel_policy *policies;
	size_t n_policies;
	const struct kernel_flow *flow;
	const uint32_t *quota;
	const struct kernel_hash *hash;
	const struct prefix *guards;
	size_t n_guards;
	/* The caller's mistake, found before any back end: answer with it, in turn. */
	int error;
	const char *text;
	long index;
};

/* Where the answer goes. */
struct kernel_caller {
	enum kernel_op op;
	union {
		kernel_done done;
		void (*gateway)(void *ctx, int error, const char *text,
				const struct kernel_gateway *gateway);
		void (*generation)(void *ctx, int error, const char *text, uint32_t generation);
		void (*lookup)(void *ctx, int error, const char *text,
			       const struct kernel_lookup *lookup);
		void (*stats)(void *ctx, int error, const char *text,
			      const struct kernel_stats *stats);
	} reply;
	union {
		void (*tunnel)(void *ctx, const struct kernel_tunnel *tunnel);
		void (*group)(void *ctx, const struct kernel_group *group);
		void (*route)(void *ctx, const struct kernel_route *route);
		void (*policy)(void *ctx, const struct kernel_policy *policy);
		void (*port)(void *ctx, const struct kernel_port *port);
	} row;
	void *ctx;
};

#define KERNEL_TEXT_SIZE 128

/* The answer. rows belongs to it. */
struct kernel_result {
	int error;
	char text[KERNEL_TEXT_SIZE];
	long index;
	union {
		struct kernel_gateway gateway;
		uint32_t generation;
		struct kernel_lookup lookup;
		struct kernel_stats stats;
	} u;
	void *rows; /* of a dump: structs of its row type, one after the other */
	size_t n_rows, size_rows;
};

void kernel_result_init(struct kernel_result *result);
/* text may be NULL or empty: then that of errno. */
void kernel_result_fail(struct kernel_result *result, int error, const char *text, long index);
/* Room for one more row, zeroed; NULL on no memory. */
void *kernel_result_row(struct kernel_result *result, enum kernel_op op);
void kernel_result_clear(struct kernel_result *result);
bool kernel_op_is_dump(enum kernel_op op);
/* Tells the caller; clears the rows. */
void kernel_answer(const struct kernel_caller *caller, struct kernel_result *result);

/* Order in which the routes of a batch stand in its message: runs that share class, group,
 * on_fail and family, stable within. */
struct kernel_route_ref {
	uint64_t run; /* equal for routes of one run */
	uint16_t index;
};
void kernel_routes_order(const struct kernel_route *routes, size_t n, bool add,
			 struct kernel_route_ref *order);

struct kernel_ops {
	void (*free)(struct kernel *kernel);
	bool (*available)(const struct kernel *kernel);
	void (*submit)(struct kernel *kernel, const struct kernel_call *call,
		       const struct kernel_caller *caller);
};

struct kernel {
	const struct kernel_ops *ops;
};

#endif
