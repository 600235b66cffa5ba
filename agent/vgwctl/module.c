// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module, asked one thing after the other: each request of sys/kernel.h is
 * made and waited for. After a time-out nothing more is asked, since a late
 * reply could not be told from the next one's.
 */
#include "vgwctl/module.h"

#include <errno.h>
#include <linux/vgw.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATEWAYS_MAX 1024
/* How long the family may take to be found when the module is there. */
#define FIND_MS 1000

struct module {
	struct loop *loop;
	struct kernel *kernel;
	bool own; /* loop and kernel */
	struct loop_timer *timer;
	unsigned int timeout_ms;
	struct module_gateway *gateways;
	size_t n_gateways;
	struct module_tunnels tunnels; /* of the gateway under way */
	struct kernel_group *groups; /* likewise */
	size_t n_groups;
	/* the request under way */
	bool done, expired;
	void *out; /* where its reply goes */
	int error;
	char text[256];
	/* rows of a routes dump on their way to the caller */
	const struct prefix *only; /* NULL: every one */
	struct kernel_route same[3]; /* classes of one prefix */
	size_t n_same;
	module_row row;
	void *row_ctx;
};

const char *module_error(const struct module *module)
{
	return module->text;
}

static int module_fail(struct module *m, int error, const char *text)
{
	if (error == -EPERM)
		text = "the module answers only those who have CAP_NET_ADMIN";
	m->error = error;
	snprintf(m->text, sizeof(m->text), "%s", text && *text ? text : strerror(-error));
	return error;
}

static void finish(void *ctx, int error, const char *text, long index)
{
	struct module *m = ctx;

	if (m->expired)
		return;
	if (error)
		module_fail(m, error, text);
	m->done = true;
	loop_stop(m->loop);
}

static void expire(void *ctx)
{
	struct module *m = ctx;

	m->expired = true;
	module_fail(m, -ETIMEDOUT, "the module did not answer in time");
	loop_stop(m->loop);
}

/* Before each request; a reply that comes within the request is fine. */
static bool begin(struct module *m, void *out)
{
	if (m->expired)
		return false;
	m->done = false;
	m->error = 0;
	m->text[0] = '\0';
	m->out = out;
	return true;
}

static int await(struct module *m)
{
	int ret = 0;

	loop_timer_start(m->timer, m->timeout_ms);
	while (!ret && !m->done && !m->expired)
		ret = loop_run(m->loop);
	loop_timer_stop(m->timer);
	if (ret)
		return module_fail(m, ret, NULL);
	return m->error;
}

/* Replies: copy, then finish. */

#define REPLY(what)                                                                               \
	static void what##_reply(void *ctx, int error, const char *text,                          \
				 const struct kernel_##what *reply)                               \
	{                                                                                         \
		struct module *m = ctx;                                                           \
\
		if (!m->expired && !error)                                                        \
			*(struct kernel_##what *)m->out = *reply;                                 \
		finish(m, error, text, -1);                                                       \
	}

REPLY(gateway)
REPLY(stats)
REPLY(lookup)

static void tunnel_row(void *ctx, const struct kernel_tunnel *tunnel)
{
	struct module *m = ctx;
	struct module_tunnel *list;

	if (m->expired || m->error)
		return;
	list = reallocarray(m->tunnels.list, m->tunnels.n + 1, sizeof(*list));
	if (!list) {
		module_fail(m, -ENOMEM, NULL);
		return;
	}
	m->tunnels.list = list;
	list[m->tunnels.n].is = *tunnel;
	module_tunnel_name(&list[m->tunnels.n++]);
}

static int load_tunnels(struct module *m, const struct module_gateway *gateway)
{
	m->tunnels.n = 0;
	if (!begin(m, NULL))
		return -ETIMEDOUT;
	kernel_tunnels_dump(m->kernel, gateway->ifindex, tunnel_row, finish, m);
	return await(m);
}

static void group_row(void *ctx, const struct kernel_group *group)
{
	struct module *m = ctx;
	struct kernel_group *list;

	if (m->expired || m->error)
		return;
	list = reallocarray(m->groups, m->n_groups + 1, sizeof(*list));
	if (!list) {
		module_fail(m, -ENOMEM, NULL);
		return;
	}
	m->groups = list;
	list[m->n_groups++] = *group;
}

static int load_groups(struct module *m, const struct module_gateway *gateway)
{
	int ret = load_tunnels(m, gateway);

	m->n_groups = 0;
	if (ret)
		return ret;
	if (!begin(m, NULL))
		return -ETIMEDOUT;
	kernel_groups_dump(m->kernel, gateway->ifindex, group_row, finish, m);
	return await(m);
}

static const struct kernel_group *group_find(const struct module *m, uint32_t id)
{
	for (size_t i = 0; i < m->n_groups; i++)
		if (m->groups[i].id == id)
			return &m->groups[i];
	return NULL;
}

static int emit(struct module *m, json_t *row, module_row give, void *ctx)
{
	if (!row)
		return module_fail(m, -ENOMEM, NULL);
	give(ctx, row);
	json_decref(row);
	return 0;
}

/* Finding gateways */

static int gateway_add(struct module *m, uint32_t ifindex, const char *name)
{
	struct module_gateway *list, gateway = { .ifindex = ifindex };
	int ret;

	snprintf(gateway.name, sizeof(gateway.name), "%s", name);
	if (!begin(m, &gateway.info))
		return -ETIMEDOUT;
	kernel_gateway_get(m->kernel, ifindex, gateway_reply, m);
	ret = await(m);
	if (ret)
		return ret;
	list = reallocarray(m->gateways, m->n_gateways + 1, sizeof(*list));
	if (!list)
		return module_fail(m, -ENOMEM, NULL);
	m->gateways = list;
	list[m->n_gateways++] = gateway;
	return 0;
}

/* Asks the module about every device: it says which ones are its own, in the network namespace
 * that counts (sysfs may show another one). */
static int find_all(struct module *m)
{
	struct if_nameindex *devices = if_nameindex();
	int ret = 0;

	if (!devices)
		return module_fail(m, -errno, NULL);
	for (struct if_nameindex *d = devices; d->if_index && m->n_gateways < GATEWAYS_MAX; d++) {
		ret = gateway_add(m, d->if_index, d->if_name);
		if (ret && ret != -ENODEV)
			break;
		ret = 0;
	}
	if_freenameindex(devices);
	return ret;
}

static int find_one(struct module *m, const char *device)
{
	uint32_t ifindex = if_nametoindex(device);
	char text[sizeof(m->text)];
	int ret;

	snprintf(text, sizeof(text), "no device \"%.20s\"", device);
	if (!ifindex)
		return module_fail(m, -ENODEV, text);
	snprintf(text, sizeof(text), "device \"%.20s\" is not a gateway", device);
	ret = gateway_add(m, ifindex, device);
	return ret == -ENODEV ? module_fail(m, ret, text) : ret;
}

/* Waits until the family is found: the back end asks for it by itself. */
static void found(void *ctx)
{
	struct module *m = ctx;

	m->done = true;
	loop_stop(m->loop);
}

static const struct kernel_events find_events = { .found = found };

static int find_family(struct module *m)
{
	int ret = 0;

	if (kernel_available(m->kernel))
		return 0;
	loop_timer_start(m->timer, FIND_MS);
	while (!ret && !m->expired && !kernel_available(m->kernel))
		ret = loop_run(m->loop);
	loop_timer_stop(m->timer);
	if (ret)
		return module_fail(m, ret, NULL);
	return m->expired ? module_fail(m, -ENODEV, "the vgw module is not loaded") : 0;
}

static int connect_module(struct module *m)
{
	if (!m->own)
		return 0;
	m->loop = loop_new();
	if (!m->loop)
		return module_fail(m, -ENOMEM, NULL);
	m->kernel = kernel_genl_new(m->loop, &find_events, m);
	return m->kernel ? 0 : module_fail(m, -ENOMEM, "no netlink");
}

struct module *module_open(const char *device, unsigned int timeout_ms, struct loop *loop,
			   struct kernel *kernel, char *err, size_t size)
{
	struct module *m = calloc(1, sizeof(*m));
	int ret;

	if (!m) {
		snprintf(err, size, "%s", strerror(ENOMEM));
		return NULL;
	}
	m->own = !kernel;
	m->loop = loop;
	m->kernel = kernel;
	m->timeout_ms = timeout_ms;
	ret = connect_module(m);
	if (!ret) {
		m->timer = loop_timer_new(m->loop, expire, m);
		ret = m->timer ? find_family(m) : module_fail(m, -ENOMEM, NULL);
	}
	if (!ret)
		ret = device ? find_one(m, device) : find_all(m);
	if (!ret)
		return m;
	snprintf(err, size, "%s", m->text);
	module_close(m);
	return NULL;
}

void module_close(struct module *module)
{
	loop_timer_free(module->timer);
	if (module->own) {
		module->expired = true; /* what comes now comes too late */
		kernel_free(module->kernel);
		loop_free(module->loop);
	}
	free(module->gateways);
	free(module->tunnels.list);
	free(module->groups);
	free(module);
}

/* Answers */

int module_gateway(struct module *m, const json_t *args, module_row row, void *ctx)
{
	for (size_t i = 0; i < m->n_gateways; i++) {
		const struct module_gateway *gateway = &m->gateways[i];
		struct kernel_stats stats;
		int ret = load_tunnels(m, gateway);

		if (ret)
			return ret;
		if (!begin(m, &stats))
			return -ETIMEDOUT;
		kernel_stats_get(m->kernel, gateway->ifindex, stats_reply, m);
		ret = await(m);
		if (!ret)
			ret = emit(m, module_gateway_row(gateway, &stats, &m->tunnels), row, ctx);
		if (ret)
			return ret;
	}
	return 0;
}

int module_tunnels(struct module *m, const json_t *args, module_row row, void *ctx)
{
	for (size_t i = 0; i < m->n_gateways; i++) {
		int ret = load_tunnels(m, &m->gateways[i]);

		for (size_t t = 0; !ret && t < m->tunnels.n; t++)
			ret = emit(m, module_tunnel_row(&m->tunnels.list[t]), row, ctx);
		if (ret)
			return ret;
	}
	return 0;
}

int module_groups(struct module *m, const json_t *args, module_row row, void *ctx)
{
	for (size_t i = 0; i < m->n_gateways; i++) {
		int ret = load_groups(m, &m->gateways[i]);

		for (size_t g = 0; !ret && g < m->n_groups; g++)
			ret = emit(m, module_group_row(&m->groups[g], &m->tunnels), row, ctx);
		if (ret)
			return ret;
	}
	return 0;
}

/* The first class that does not yield is the one in use (VGW_ON_FAIL_REVOKE yields when dead). */
static void give_same(struct module *m)
{
	bool taken = false;

	for (size_t i = 0; i < m->n_same && !m->error; i++) {
		const struct kernel_route *route = &m->same[i];
		const struct kernel_group *group = group_find(m, route->group);
		bool holds = route->class == KERNEL_SYSTEM || (group && group->live) ||
			     route->on_fail == VGW_ON_FAIL_RESERVE;

		emit(m, module_route_row(route, holds && !taken, group, &m->tunnels), m->row,
		     m->row_ctx);
		taken |= holds;
	}
	m->n_same = 0;
}

static void route_row(void *ctx, const struct kernel_route *route)
{
	struct module *m = ctx;

	if (m->expired || m->error || (m->only && !prefix_equal(m->only, &route->prefix)))
		return;
	if (m->n_same == 3 || (m->n_same && !prefix_equal(&m->same[0].prefix, &route->prefix)))
		give_same(m);
	m->same[m->n_same++] = *route;
}

static void policy_row(void *ctx, const struct kernel_policy *policy)
{
	struct module *m = ctx;

	if (m->expired || m->error || (m->only && !prefix_equal(m->only, &policy->dst)))
		return;
	emit(m, module_policy_row(policy, group_find(m, policy->group), &m->tunnels), m->row,
	     m->row_ctx);
}

int module_routes(struct module *m, const json_t *args, module_row row, void *ctx)
{
	const char *text = json_string_value(json_object_get(args, "prefix"));
	struct prefix only;
	int ret = 0;

	if (text && !prefix_parse(text, &only, NULL))
		return module_fail(m, -EINVAL, "not a prefix");
	m->only = text ? &only : NULL;
	m->row = row;
	m->row_ctx = ctx;
	for (size_t i = 0; !ret && i < m->n_gateways; i++) {
		ret = load_groups(m, &m->gateways[i]);
		if (ret || !begin(m, NULL))
			break;
		kernel_policies_dump(m->kernel, m->gateways[i].ifindex, policy_row, finish, m);
		ret = await(m);
		if (!ret)
			ret = m->error;
		if (ret || !begin(m, NULL))
			break;
		kernel_routes_dump(m->kernel, m->gateways[i].ifindex, route_row, finish, m);
		ret = await(m);
		if (!ret)
			give_same(m);
		ret = m->error;
	}
	m->only = NULL;
	return ret;
}

static bool flow_from_args(const json_t *args, struct kernel_flow *flow)
{
	const char *from = json_string_value(json_object_get(args, "from"));

	memset(flow, 0, sizeof(*flow));
	flow->protocol = json_integer_value(json_object_get(args, "proto"));
	flow->sport = json_integer_value(json_object_get(args, "sport"));
	flow->dport = json_integer_value(json_object_get(args, "dport"));
	flow->flow_label = json_integer_value(json_object_get(args, "label"));
	return addr_parse(json_string_value(json_object_get(args, "address")), &flow->dst) &&
	       (!from || addr_parse(from, &flow->src));
}

int module_explain(struct module *m, const json_t *args, module_row row, void *ctx)
{
	struct kernel_lookup *lookup;
	struct kernel_flow flow;
	int ret;

	if (!flow_from_args(args, &flow))
		return module_fail(m, -EINVAL, "not an address");
	if (m->n_gateways != 1)
		return module_fail(m, m->n_gateways ? -EINVAL : -ENODEV, m->n_gateways ?
				   "there are several gateways: choose one by -d DEVICE" :
				   "there is no gateway");
	ret = load_groups(m, &m->gateways[0]);
	if (ret)
		return ret;
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup || !begin(m, lookup)) {
		free(lookup);
		return m->expired ? -ETIMEDOUT : module_fail(m, -ENOMEM, NULL);
	}
	kernel_lookup(m->kernel, m->gateways[0].ifindex, &flow, lookup_reply, m);
	ret = await(m);
	if (!ret)
		ret = emit(m, module_explain_row(&flow, lookup, &m->tunnels, m->groups,
						 m->n_groups, m->gateways[0].name), row, ctx);
	free(lookup);
	return ret;
}
