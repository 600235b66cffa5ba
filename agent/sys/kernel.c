// SPDX-License-Identifier: GPL-2.0-only
/* The calls of sys/kernel.h made into values for a back end, and its answers told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/kernel_request.h"

void kernel_free(struct kernel *kernel)
{
	if (kernel)
		kernel->ops->free(kernel);
}

bool kernel_available(const struct kernel *kernel)
{
	return kernel->ops->available(kernel);
}

static void submit(struct kernel *kernel, const struct kernel_call *call,
		   struct kernel_caller *caller)
{
	caller->op = call->op;
	kernel->ops->submit(kernel, call, caller);
}

static void submit_done(struct kernel *kernel, const struct kernel_call *call, kernel_done done,
			void *ctx)
{
	struct kernel_caller caller = { .reply.done = done, .ctx = ctx };

	submit(kernel, call, &caller);
}

void kernel_gateway_get(struct kernel *kernel, uint32_t ifindex,
			void (*reply)(void *ctx, int error, const char *text,
				      const struct kernel_gateway *gateway), void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_GATEWAY_GET, .gateway = ifindex };
	struct kernel_caller caller = { .reply.gateway = reply, .ctx = ctx };

	submit(kernel, &call, &caller);
}

static bool family_valid(const struct addr *addr)
{
	return addr->family == AF_INET || addr->family == AF_INET6;
}

static void refuse(struct kernel_call *call, int error, const char *text, long index)
{
	call->error = error;
	call->text = text;
	call->index = index;
}

void kernel_gateway_set(struct kernel *kernel, uint32_t ifindex, const uint32_t *quota,
			const struct kernel_hash *hash, const struct prefix *guards,
			size_t n_guards, kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_GATEWAY_SET, .gateway = ifindex,
				    .quota = quota, .hash = hash, .guards = guards,
				    .n_guards = guards ? n_guards : 0 };

	for (size_t i = 0; i < call.n_guards && !call.error; i++)
		if (!family_valid(&guards[i].addr))
			refuse(&call, -EINVAL, "guard range is neither IPv4 nor IPv6", -1);
	submit_done(kernel, &call, done, ctx);
}

void kernel_tunnel_set(struct kernel *kernel, uint32_t gateway, const struct kernel_tunnel *tunnel,
		       kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_TUNNEL_SET, .gateway = gateway,
				    .tunnel = tunnel };

	submit_done(kernel, &call, done, ctx);
}

void kernel_tunnel_del(struct kernel *kernel, uint32_t gateway, uint32_t id, kernel_done done,
		       void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_TUNNEL_DEL, .gateway = gateway, .id = id };

	submit_done(kernel, &call, done, ctx);
}

void kernel_group_set(struct kernel *kernel, uint32_t gateway, const struct kernel_group *group,
		      kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_GROUP_SET, .gateway = gateway,
				    .group = group };

	if (group->n_members > KERNEL_MEMBERS_MAX)
		refuse(&call, -E2BIG, "too many members", -1);
	submit_done(kernel, &call, done, ctx);
}

void kernel_group_del(struct kernel *kernel, uint32_t gateway, uint32_t id, kernel_done done,
		      void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_GROUP_DEL, .gateway = gateway, .id = id };

	submit_done(kernel, &call, done, ctx);
}

static void submit_routes(struct kernel *kernel, struct kernel_call *call, kernel_done done,
			  void *ctx)
{
	if (call->n_routes > KERNEL_ROUTES_MAX)
		refuse(call, -E2BIG, "too many routes in one batch", -1);
	for (size_t i = 0; i < call->n_routes && !call->error; i++)
		if (!family_valid(&call->routes[i].prefix.addr))
			refuse(call, -EINVAL, "prefix is neither IPv4 nor IPv6", (long)i);
	submit_done(kernel, call, done, ctx);
}

void kernel_routes_add(struct kernel *kernel, uint32_t gateway, const struct kernel_route *routes,
		       size_t n, kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_ROUTES_ADD, .gateway = gateway,
				    .routes = routes, .n_routes = n };

	submit_routes(kernel, &call, done, ctx);
}

void kernel_routes_del(struct kernel *kernel, uint32_t gateway, const struct kernel_route *routes,
		       size_t n, kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_ROUTES_DEL, .gateway = gateway,
				    .routes = routes, .n_routes = n };

	submit_routes(kernel, &call, done, ctx);
}

static void submit_policies(struct kernel *kernel, struct kernel_call *call, kernel_done done,
			    void *ctx)
{
	if (call->n_policies > KERNEL_POLICIES_MAX)
		refuse(call, -E2BIG, "too many policy routes in one batch", -1);
	for (size_t i = 0; i < call->n_policies && !call->error; i++) {
		const struct kernel_policy *policy = &call->policies[i];

		if (!family_valid(&policy->dst.addr))
			refuse(call, -EINVAL, "prefix is neither IPv4 nor IPv6", (long)i);
		else if (policy->src.addr.family != policy->dst.addr.family)
			refuse(call, -EINVAL, "source and destination are of different families",
			       (long)i);
	}
	submit_done(kernel, call, done, ctx);
}

void kernel_policies_add(struct kernel *kernel, uint32_t gateway,
			 const struct kernel_policy *policies, size_t n, kernel_done done,
			 void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_POLICIES_ADD, .gateway = gateway,
				    .policies = policies, .n_policies = n };

	submit_policies(kernel, &call, done, ctx);
}

void kernel_policies_del(struct kernel *kernel, uint32_t gateway,
			 const struct kernel_policy *policies, size_t n, kernel_done done,
			 void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_POLICIES_DEL, .gateway = gateway,
				    .policies = policies, .n_policies = n };

	submit_policies(kernel, &call, done, ctx);
}

void kernel_port_add(struct kernel *kernel, uint32_t gateway, uint32_t ifindex, kernel_done done,
		     void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_PORT_ADD, .gateway = gateway, .id = ifindex };

	submit_done(kernel, &call, done, ctx);
}

void kernel_port_del(struct kernel *kernel, uint32_t gateway, uint32_t ifindex, kernel_done done,
		     void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_PORT_DEL, .gateway = gateway, .id = ifindex };

	submit_done(kernel, &call, done, ctx);
}

void kernel_generation_begin(struct kernel *kernel, uint32_t gateway,
			     void (*reply)(void *ctx, int error, const char *text,
					   uint32_t generation), void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_BEGIN, .gateway = gateway };
	struct kernel_caller caller = { .reply.generation = reply, .ctx = ctx };

	submit(kernel, &call, &caller);
}

void kernel_generation_commit(struct kernel *kernel, uint32_t gateway, uint32_t generation,
			      kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_COMMIT, .gateway = gateway,
				    .id = generation };

	submit_done(kernel, &call, done, ctx);
}

void kernel_lookup(struct kernel *kernel, uint32_t gateway, const struct kernel_flow *flow,
		   void (*reply)(void *ctx, int error, const char *text,
				 const struct kernel_lookup *lookup), void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_LOOKUP, .gateway = gateway, .flow = flow };
	struct kernel_caller caller = { .reply.lookup = reply, .ctx = ctx };

	if (!family_valid(&flow->dst))
		refuse(&call, -EINVAL, "exactly one destination is needed", -1);
	else if (flow->src.family != AF_UNSPEC && flow->src.family != flow->dst.family)
		refuse(&call, -EINVAL, "source and destination are of different families", -1);
	submit(kernel, &call, &caller);
}

void kernel_stats_get(struct kernel *kernel, uint32_t gateway,
		      void (*reply)(void *ctx, int error, const char *text,
				    const struct kernel_stats *stats), void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_STATS_GET, .gateway = gateway };
	struct kernel_caller caller = { .reply.stats = reply, .ctx = ctx };

	submit(kernel, &call, &caller);
}

void kernel_tunnels_dump(struct kernel *kernel, uint32_t gateway,
			 void (*row)(void *ctx, const struct kernel_tunnel *tunnel),
			 kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_TUNNELS_DUMP, .gateway = gateway };
	struct kernel_caller caller = { .reply.done = done, .row.tunnel = row, .ctx = ctx };

	submit(kernel, &call, &caller);
}

void kernel_groups_dump(struct kernel *kernel, uint32_t gateway,
			void (*row)(void *ctx, const struct kernel_group *group),
			kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_GROUPS_DUMP, .gateway = gateway };
	struct kernel_caller caller = { .reply.done = done, .row.group = row, .ctx = ctx };

	submit(kernel, &call, &caller);
}

void kernel_routes_dump(struct kernel *kernel, uint32_t gateway,
			void (*row)(void *ctx, const struct kernel_route *route),
			kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_ROUTES_DUMP, .gateway = gateway };
	struct kernel_caller caller = { .reply.done = done, .row.route = row, .ctx = ctx };

	submit(kernel, &call, &caller);
}

void kernel_policies_dump(struct kernel *kernel, uint32_t gateway,
			  void (*row)(void *ctx, const struct kernel_policy *policy),
			  kernel_done done, void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_POLICIES_DUMP, .gateway = gateway };
	struct kernel_caller caller = { .reply.done = done, .row.policy = row, .ctx = ctx };

	submit(kernel, &call, &caller);
}

void kernel_ports_dump(struct kernel *kernel, uint32_t gateway,
		       void (*row)(void *ctx, const struct kernel_port *port), kernel_done done,
		       void *ctx)
{
	struct kernel_call call = { .op = KERNEL_OP_PORTS_DUMP, .gateway = gateway };
	struct kernel_caller caller = { .reply.done = done, .row.port = row, .ctx = ctx };

	submit(kernel, &call, &caller);
}

int kernel_policy_compare(const struct kernel_policy *a, const struct kernel_policy *b)
{
	int order;

	if (a->dst.addr.family != b->dst.addr.family)
		return a->dst.addr.family == AF_INET ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	order = prefix_compare(&a->src, &b->src);
	return order ? order : prefix_compare(&a->dst, &b->dst);
}

/* Answers */

void kernel_result_init(struct kernel_result *result)
{
	memset(result, 0, sizeof(*result));
	result->index = -1;
}

void kernel_result_fail(struct kernel_result *result, int error, const char *text, long index)
{
	if (!text || !*text)
		text = strerror(-error);
	result->error = error;
	result->index = index;
	snprintf(result->text, sizeof(result->text), "%s", text);
}

static size_t row_size(enum kernel_op op)
{
	switch (op) {
	case KERNEL_OP_TUNNELS_DUMP:
		return sizeof(struct kernel_tunnel);
	case KERNEL_OP_GROUPS_DUMP:
		return sizeof(struct kernel_group);
	case KERNEL_OP_ROUTES_DUMP:
		return sizeof(struct kernel_route);
	case KERNEL_OP_POLICIES_DUMP:
		return sizeof(struct kernel_policy);
	case KERNEL_OP_PORTS_DUMP:
		return sizeof(struct kernel_port);
	default:
		return 0;
	}
}

bool kernel_op_is_dump(enum kernel_op op)
{
	return row_size(op) != 0;
}

void *kernel_result_row(struct kernel_result *result, enum kernel_op op)
{
	size_t size = row_size(op);
	char *row;

	if (result->n_rows == result->size_rows) {
		size_t more = result->size_rows ? 2 * result->size_rows : 64;
		void *rows = reallocarray(result->rows, more, size);

		if (!rows)
			return NULL;
		result->rows = rows;
		result->size_rows = more;
	}
	row = (char *)result->rows + result->n_rows++ * size;
	return memset(row, 0, size);
}

void kernel_result_clear(struct kernel_result *result)
{
	free(result->rows);
	result->rows = NULL;
	result->n_rows = result->size_rows = 0;
}

static void tell_rows(const struct kernel_caller *caller, const struct kernel_result *result)
{
	size_t size = row_size(caller->op);

	for (size_t i = 0; i < result->n_rows; i++) {
		const void *row = (const char *)result->rows + i * size;

		if (caller->op == KERNEL_OP_TUNNELS_DUMP)
			caller->row.tunnel(caller->ctx, row);
		else if (caller->op == KERNEL_OP_GROUPS_DUMP)
			caller->row.group(caller->ctx, row);
		else if (caller->op == KERNEL_OP_POLICIES_DUMP)
			caller->row.policy(caller->ctx, row);
		else if (caller->op == KERNEL_OP_PORTS_DUMP)
			caller->row.port(caller->ctx, row);
		else
			caller->row.route(caller->ctx, row);
	}
}

void kernel_answer(const struct kernel_caller *caller, struct kernel_result *result)
{
	int error = result->error;

	switch (caller->op) {
	case KERNEL_OP_GATEWAY_GET:
		caller->reply.gateway(caller->ctx, error, result->text, &result->u.gateway);
		break;
	case KERNEL_OP_BEGIN:
		caller->reply.generation(caller->ctx, error, result->text, result->u.generation);
		break;
	case KERNEL_OP_LOOKUP:
		caller->reply.lookup(caller->ctx, error, result->text, &result->u.lookup);
		break;
	case KERNEL_OP_STATS_GET:
		caller->reply.stats(caller->ctx, error, result->text, &result->u.stats);
		break;
	default:
		if (!error)
			tell_rows(caller, result);
		caller->reply.done(caller->ctx, error, result->text, result->index);
		break;
	}
	kernel_result_clear(result);
}

/* Order of routes in a message */

static int compare_refs(const void *a, const void *b)
{
	const struct kernel_route_ref *x = a, *y = b;

	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

void kernel_routes_order(const struct kernel_route *routes, size_t n, bool add,
			 struct kernel_route_ref *order)
{
	bool sorted = true;

	for (size_t i = 0; i < n; i++) {
		const struct kernel_route *route = &routes[i];
		uint64_t run = (uint64_t)route->class << 48;

		if (add)
			run |= (uint64_t)route->on_fail << 40 | route->group;
		if (route->prefix.addr.family == AF_INET6)
			run |= 1ull << 32;
		order[i].run = run;
		order[i].index = (uint16_t)i;
		if (i && run < order[i - 1].run)
			sorted = false;
	}
	if (!sorted)
		qsort(order, n, sizeof(*order), compare_refs);
}
