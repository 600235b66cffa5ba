/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the module: the rules and nothing else. Small and slow on
 * purpose, so that it can be seen to be right: sorted arrays, a batch is tried
 * on a copy. Requests take effect at once and are answered from the loop.
 * What the packet hash decides (hash, bucket, which of several live members)
 * is not modelled. Private to sys/kernel_model*.c: _model.c has life, queue
 * and dumps, _table.c the objects and routes, _policy.c the policy routes,
 * _lookup.c the decision.
 */
#ifndef VGW_SYS_KERNEL_MODEL_H
#define VGW_SYS_KERNEL_MODEL_H

#include "sys/kernel_request.h"

struct array {
	void *items;
	size_t n, room;
};

struct model_tunnel {
	struct kernel_tunnel is;
	bool fresh, sa;
};

struct model_group {
	struct kernel_group is;
	bool fresh;
};

struct model_port {
	struct kernel_port is;
	bool fresh;
};

struct model_gateway {
	struct kernel_gateway is;
	struct array tunnels, groups; /* model_tunnel, model_group, by id */
	struct array routes; /* kernel_route by prefix, class; stale: not refreshed */
	struct array policies; /* kernel_policy in their order; stale as above */
	struct array ports; /* model_port */
	struct prefix *guards;
	size_t n_guards;
	uint32_t dynamic_fresh;
};

/* An answer or an event that waits for the loop. */
struct model_note {
	struct model_note *next;
	enum { NOTE_ANSWER, NOTE_TUNNEL, NOTE_GATEWAY } kind;
	struct kernel_caller caller;
	struct kernel_result result;
	uint32_t gateway;
	struct kernel_tunnel tunnel;
};

struct model {
	struct kernel kernel;
	struct loop *loop;
	struct kernel_events events;
	void *ctx;
	struct loop_timer *kick;
	struct model_note *head, **tail;
	struct array gateways; /* model_gateway */
	bool loaded, announced, closed;
	unsigned int depth;
};

/* kernel_model_table.c */
void *model_item(const struct array *array, size_t i, size_t size);
/* Opens a gap of one zeroed item at place; NULL on no memory. */
void *model_insert(struct array *array, size_t place, size_t size);
void model_remove(struct array *array, size_t place, size_t size);
struct model_tunnel *model_tunnel_find(const struct model_gateway *gw, uint32_t id);
struct model_group *model_group_find(const struct model_gateway *gw, uint32_t id);
bool model_tunnel_live(const struct model_gateway *gw, uint32_t id);
uint32_t model_group_live(const struct model_gateway *gw, const struct model_group *group);
uint32_t model_group_routes(const struct model_gateway *gw, uint32_t id);
void model_tunnel_judge(struct model *model, struct model_gateway *gw, struct model_tunnel *tunnel);
void model_gateway_count(struct model_gateway *gw);
/* Of a route of either kind; *text says what is wrong. */
int model_prefix_check(const struct prefix *prefix, const char **text);
/* Any request but lookups and dumps. */
void model_change(struct model *model, struct model_gateway *gw, const struct kernel_call *call,
		  struct kernel_result *result);

/* kernel_model_policy.c */
void model_policies_change(struct model_gateway *gw, const struct kernel_call *call,
			   struct kernel_result *result);

/* kernel_model_lookup.c */
void model_lookup(const struct model_gateway *gw, const struct kernel_flow *flow,
		  struct kernel_lookup *lookup);

/* kernel_model.c */
void model_tell_tunnel(struct model *model, const struct model_gateway *gw,
		       const struct model_tunnel *tunnel);
void model_tell_gateway(struct model *model, const struct model_gateway *gw);

#endif
