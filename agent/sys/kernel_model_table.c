// SPDX-License-Identifier: GPL-2.0-only
#include "sys/kernel_model.h"

#include <errno.h>
#include <linux/vgw.h>
#include <stdlib.h>
#include <string.h>

static const char OUT_OF_RANGE[] = "integer out of range";

void *model_item(const struct array *array, size_t i, size_t size)
{
	return (char *)array->items + i * size;
}

/* Opens a gap of one zeroed item at place; NULL on no memory. */
void *model_insert(struct array *array, size_t place, size_t size)
{
	char *at;

	if (array->n == array->room) {
		size_t room = array->room ? 2 * array->room : 8;
		void *items = reallocarray(array->items, room, size);

		if (!items)
			return NULL;
		array->items = items;
		array->room = room;
	}
	at = model_item(array, place, size);
	memmove(at + size, at, (array->n - place) * size);
	array->n++;
	return memset(at, 0, size);
}

void model_remove(struct array *array, size_t place, size_t size)
{
	char *at = model_item(array, place, size);

	array->n--;
	memmove(at, at + size, (array->n - place) * size);
}

struct model_tunnel *model_tunnel_find(const struct model_gateway *gw, uint32_t id)
{
	struct model_tunnel *tunnels = gw->tunnels.items;

	for (size_t i = 0; i < gw->tunnels.n; i++)
		if (tunnels[i].is.id == id)
			return &tunnels[i];
	return NULL;
}

struct model_group *model_group_find(const struct model_gateway *gw, uint32_t id)
{
	struct model_group *groups = gw->groups.items;

	for (size_t i = 0; i < gw->groups.n; i++)
		if (groups[i].is.id == id)
			return &groups[i];
	return NULL;
}

/* The route's place, or the place where it would stand. */
static bool route_find(const struct model_gateway *gw, const struct prefix *prefix, uint8_t class,
		       size_t *place)
{
	const struct kernel_route *routes = gw->routes.items;
	size_t low = 0, high = gw->routes.n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = prefix_compare(&routes[middle].prefix, prefix);

		if (!order)
			order = routes[middle].class - class;
		if (!order) {
			*place = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*place = low;
	return false;
}

void model_tunnel_judge(struct model *model, struct model_gateway *gw, struct model_tunnel *tunnel)
{
	uint8_t before = tunnel->is.state;

	tunnel->is.reason = !tunnel->sa ? VGW_TUNNEL_REASON_NO_SA :
			    tunnel->is.failed ? VGW_TUNNEL_REASON_FAILED : VGW_TUNNEL_REASON_LIVE;
	tunnel->is.state = tunnel->is.reason == VGW_TUNNEL_REASON_LIVE ? VGW_TUNNEL_STATE_UP :
									 VGW_TUNNEL_STATE_DOWN;
	if (tunnel->is.state == before)
		return;
	tunnel->is.transitions++;
	model_tell_tunnel(model, gw, tunnel);
}

bool model_tunnel_live(const struct model_gateway *gw, uint32_t id)
{
	const struct model_tunnel *tunnel = model_tunnel_find(gw, id);

	return tunnel && tunnel->is.state == VGW_TUNNEL_STATE_UP;
}

uint32_t model_group_live(const struct model_gateway *gw, const struct model_group *group)
{
	uint32_t live = 0;

	for (uint32_t i = 0; i < group->is.n_members; i++)
		live += model_tunnel_live(gw, group->is.members[i].tunnel);
	return live;
}

uint32_t model_group_routes(const struct model_gateway *gw, uint32_t id)
{
	const struct kernel_route *routes = gw->routes.items;
	const struct kernel_policy *policies = gw->policies.items;
	uint32_t n = 0;

	for (size_t i = 0; i < gw->routes.n; i++)
		n += routes[i].group == id;
	for (size_t i = 0; i < gw->policies.n; i++)
		n += policies[i].group == id;
	return n;
}

static void fail(struct kernel_result *result, int error, const char *text)
{
	kernel_result_fail(result, error, text, -1);
}

/* Tunnels and groups */

static void gateway_set(struct model *model, struct model_gateway *gw,
			const struct kernel_call *call, struct kernel_result *result)
{
	struct prefix *guards = NULL;
	size_t n[2] = { 0, 0 };

	for (size_t i = 0; i < call->n_guards; i++) {
		struct prefix normal = call->guards[i];

		prefix_normalize(&normal);
		if (normal.len != call->guards[i].len || !prefix_equal(&normal, &call->guards[i])) {
			fail(result, -EINVAL, "address has bits set behind the prefix length");
			return;
		}
		n[normal.addr.family == AF_INET6]++;
	}
	if (n[0] > VGW_GUARDS_MAX || n[1] > VGW_GUARDS_MAX) {
		fail(result, -E2BIG, "too many guard ranges");
		return;
	}
	if (call->guards) {
		guards = calloc(call->n_guards + 1, sizeof(*guards));
		if (!guards) {
			fail(result, -ENOMEM, NULL);
			return;
		}
		memcpy(guards, call->guards, call->n_guards * sizeof(*guards));
		free(gw->guards);
		gw->guards = guards;
		gw->n_guards = call->n_guards;
	}
	if (call->quota)
		gw->is.quota = *call->quota;
	if (call->hash)
		gw->is.hash = *call->hash;
	model_tell_gateway(model, gw);
}

static bool ifindex_taken(struct model *model, uint32_t ifindex)
{
	const struct model_gateway *gateways = model->gateways.items;

	for (size_t i = 0; i < model->gateways.n; i++) {
		const struct model_tunnel *tunnels = gateways[i].tunnels.items;

		for (size_t j = 0; j < gateways[i].tunnels.n; j++)
			if (tunnels[j].is.ifindex == ifindex)
				return true;
	}
	return false;
}

static struct model_tunnel *tunnel_create(struct model *model, struct model_gateway *gw,
				    const struct kernel_tunnel *want, struct kernel_result *result)
{
	const struct model_tunnel *tunnels = gw->tunnels.items;
	struct model_tunnel *tunnel;
	size_t place = 0;

	if (!want->ifindex) {
		fail(result, -EINVAL, "a new tunnel needs an ifindex");
		return NULL;
	}
	if (ifindex_taken(model, want->ifindex)) {
		fail(result, -EEXIST, "device is a tunnel of a gateway already");
		return NULL;
	}
	while (place < gw->tunnels.n && tunnels[place].is.id < want->id)
		place++;
	tunnel = model_insert(&gw->tunnels, place, sizeof(*tunnel));
	if (!tunnel) {
		fail(result, -ENOMEM, NULL);
		return NULL;
	}
	tunnel->sa = true;
	tunnel->is.last_rx_ms = UINT64_MAX;
	return tunnel;
}

static void tunnel_set(struct model *model, struct model_gateway *gw,
		       const struct kernel_call *call, struct kernel_result *result)
{
	const struct kernel_tunnel *want = call->tunnel;
	struct model_tunnel *tunnel = model_tunnel_find(gw, want->id);

	if (!want->id || want->source_check > VGW_SOURCE_CHECK_MAX) {
		fail(result, -ERANGE, OUT_OF_RANGE);
		return;
	}
	if (tunnel && want->ifindex && want->ifindex != tunnel->is.ifindex) {
		fail(result, -EOPNOTSUPP, "the device of a tunnel is fixed while it exists");
		return;
	}
	if (!tunnel)
		tunnel = tunnel_create(model, gw, want, result);
	if (!tunnel)
		return;
	tunnel->is.id = want->id;
	if (want->ifindex)
		tunnel->is.ifindex = tunnel->is.if_id = want->ifindex;
	tunnel->is.connection = want->connection;
	tunnel->is.site = want->site;
	tunnel->is.source_check = want->source_check;
	tunnel->is.transit = want->transit;
	tunnel->is.failed = want->failed;
	tunnel->fresh = true;
	model_tunnel_judge(model, gw, tunnel);
}

static void tunnel_del(struct model_gateway *gw, uint32_t id, struct kernel_result *result)
{
	const struct model_group *groups = gw->groups.items;
	struct model_tunnel *tunnel = model_tunnel_find(gw, id);

	if (!tunnel) {
		fail(result, id ? -ENOENT : -ERANGE, id ? "no tunnel with this id" : OUT_OF_RANGE);
		return;
	}
	for (size_t i = 0; i < gw->groups.n; i++) {
		for (uint32_t j = 0; j < groups[i].is.n_members; j++) {
			if (groups[i].is.members[j].tunnel != id)
				continue;
			fail(result, -EBUSY, "tunnel is a member of a group");
			return;
		}
	}
	model_remove(&gw->tunnels, (size_t)(tunnel - (struct model_tunnel *)gw->tunnels.items),
		     sizeof(*tunnel));
}

static bool members_valid(const struct model_gateway *gw, const struct kernel_group *want,
			  struct kernel_result *result)
{
	for (uint32_t i = 0; i < want->n_members; i++) {
		if (!want->members[i].tunnel) {
			fail(result, -ERANGE, OUT_OF_RANGE);
			return false;
		}
		if (!model_tunnel_find(gw, want->members[i].tunnel)) {
			fail(result, -ENOENT, "no tunnel with this id");
			return false;
		}
		for (uint32_t j = 0; j < i; j++) {
			if (want->members[j].tunnel == want->members[i].tunnel) {
				fail(result, -EINVAL, "tunnel is a member twice");
				return false;
			}
		}
	}
	if (!want->n_members)
		fail(result, -EINVAL, "a group needs a member");
	return want->n_members != 0;
}

static void group_set(struct model_gateway *gw, const struct kernel_group *want,
		      struct kernel_result *result)
{
	const struct model_group *groups = gw->groups.items;
	struct model_group *group = model_group_find(gw, want->id);
	size_t place = 0;

	if (!want->id) {
		fail(result, -ERANGE, OUT_OF_RANGE);
		return;
	}
	if (!members_valid(gw, want, result))
		return;
	if (!group) {
		while (place < gw->groups.n && groups[place].is.id < want->id)
			place++;
		group = model_insert(&gw->groups, place, sizeof(*group));
	}
	if (!group) {
		fail(result, -ENOMEM, NULL);
		return;
	}
	memset(&group->is, 0, sizeof(group->is));
	group->is.id = want->id;
	group->is.n_members = want->n_members;
	for (uint32_t i = 0; i < want->n_members; i++) {
		group->is.members[i].tunnel = want->members[i].tunnel;
		group->is.members[i].weight = want->members[i].weight;
	}
	group->fresh = true;
}

static void group_del(struct model_gateway *gw, uint32_t id, struct kernel_result *result)
{
	struct model_group *group = model_group_find(gw, id);

	if (!group)
		fail(result, id ? -ENOENT : -ERANGE, id ? "no group with this id" : OUT_OF_RANGE);
	else if (model_group_routes(gw, id))
		fail(result, -EBUSY, "routes lead to the group");
	else
		model_remove(&gw->groups, (size_t)(group - (struct model_group *)gw->groups.items),
			     sizeof(*group));
}

/* Routes */

static int check_run(const struct model_gateway *gw, const struct kernel_route *route, bool add,
		     const char **text)
{
	*text = OUT_OF_RANGE;
	if (route->class < VGW_ROUTE_CLASS_SYSTEM || route->class > VGW_ROUTE_CLASS_DYNAMIC ||
	    (add && route->on_fail > VGW_ON_FAIL_MAX))
		return -ERANGE;
	if (!add)
		return 0;
	*text = "a system route has no group";
	if (route->class == VGW_ROUTE_CLASS_SYSTEM)
		return route->group ? -EINVAL : 0;
	*text = "route has no group";
	if (!route->group)
		return -EINVAL;
	*text = "no group with this id";
	return model_group_find(gw, route->group) ? 0 : -ENOENT;
}

int model_prefix_check(const struct prefix *prefix, const char **text)
{
	struct prefix normal = *prefix;

	*text = "prefix length is larger than the address";
	if (prefix->len > addr_bits(prefix->addr.family))
		return -EINVAL;
	*text = "address has bits set behind the prefix length";
	prefix_normalize(&normal);
	return prefix_equal(&normal, prefix) ? 0 : -EINVAL;
}

static int route_add(struct model_gateway *gw, const struct kernel_route *want, const char **text)
{
	struct kernel_route *route;
	bool present, fresh;
	size_t place;

	present = route_find(gw, &want->prefix, want->class, &place);
	route = present ? model_item(&gw->routes, place, sizeof(*route)) : NULL;
	fresh = present && !route->stale;
	*text = "bgp table full";
	if (want->class == VGW_ROUTE_CLASS_DYNAMIC && !fresh && gw->is.quota &&
	    gw->dynamic_fresh >= gw->is.quota)
		return -ENOSPC;
	*text = NULL;
	if (!present)
		route = model_insert(&gw->routes, place, sizeof(*route));
	if (!route)
		return -ENOMEM;
	*route = *want;
	route->stale = false;
	gw->dynamic_fresh += want->class == VGW_ROUTE_CLASS_DYNAMIC && !fresh;
	return 0;
}

static int route_del(struct model_gateway *gw, const struct kernel_route *want, const char **text)
{
	const struct kernel_route *route;
	size_t place;

	*text = "no route with this prefix and class";
	if (!route_find(gw, &want->prefix, want->class, &place))
		return -ENOENT;
	route = model_item(&gw->routes, place, sizeof(*route));
	gw->dynamic_fresh -= route->class == VGW_ROUTE_CLASS_DYNAMIC && !route->stale;
	model_remove(&gw->routes, place, sizeof(*route));
	return 0;
}

/* Applies the batch to gw in the order in which its message holds it. */
static int routes_apply(struct model_gateway *gw, const struct kernel_call *call, const char **text,
			long *index)
{
	struct kernel_route_ref order[KERNEL_ROUTES_MAX];
	bool add = call->op == KERNEL_OP_ROUTES_ADD;
	int ret;

	*index = -1;
	*text = "no route in the message";
	if (!call->n_routes)
		return -EINVAL;
	kernel_routes_order(call->routes, call->n_routes, add, order);
	for (size_t i = 0; i < call->n_routes; i++) {
		const struct kernel_route *route = &call->routes[order[i].index];

		*index = order[i].index;
		ret = check_run(gw, route, add, text);
		if (!ret)
			ret = model_prefix_check(&route->prefix, text);
		if (!ret)
			ret = add ? route_add(gw, route, text) : route_del(gw, route, text);
		if (ret)
			return ret;
	}
	return 0;
}

static void routes_change(struct model_gateway *gw, const struct kernel_call *call,
			  struct kernel_result *result)
{
	struct model_gateway trial = *gw;
	size_t room = gw->routes.n + call->n_routes + 1;
	const char *text;
	long index;
	int ret;

	trial.routes.items = calloc(room, sizeof(struct kernel_route));
	trial.routes.room = room;
	if (!trial.routes.items) {
		fail(result, -ENOMEM, NULL);
		return;
	}
	if (gw->routes.n)
		memcpy(trial.routes.items, gw->routes.items,
		       gw->routes.n * sizeof(struct kernel_route));
	ret = routes_apply(&trial, call, &text, &index);
	if (ret) {
		free(trial.routes.items);
		kernel_result_fail(result, ret, text, index);
		return;
	}
	free(gw->routes.items);
	*gw = trial;
}

/* Ports */

static void port_add(struct model_gateway *gw, uint32_t ifindex, struct kernel_result *result)
{
	struct model_port *ports = gw->ports.items, *port;

	for (size_t i = 0; i < gw->ports.n; i++) {
		if (ports[i].is.ifindex == ifindex) {
			ports[i].fresh = true;
			return;
		}
	}
	port = model_insert(&gw->ports, gw->ports.n, sizeof(*port));
	if (!port) {
		fail(result, -ENOMEM, NULL);
		return;
	}
	port->is.ifindex = ifindex;
	port->fresh = true;
}

static void port_del(struct model_gateway *gw, uint32_t ifindex, struct kernel_result *result)
{
	const struct model_port *ports = gw->ports.items;

	for (size_t i = 0; i < gw->ports.n; i++) {
		if (ports[i].is.ifindex == ifindex) {
			model_remove(&gw->ports, i, sizeof(*ports));
			return;
		}
	}
	fail(result, -ENOENT, "device is not a port of the gateway");
}

/* Generations */

static void begin(struct model_gateway *gw, struct kernel_result *result)
{
	struct kernel_route *routes = gw->routes.items;
	struct model_tunnel *tunnels = gw->tunnels.items;
	struct model_group *groups = gw->groups.items;
	struct kernel_policy *policies = gw->policies.items;
	struct model_port *ports = gw->ports.items;

	for (size_t i = 0; i < gw->ports.n; i++)
		ports[i].fresh = false;
	for (size_t i = 0; i < gw->routes.n; i++)
		routes[i].stale = true;
	for (size_t i = 0; i < gw->policies.n; i++)
		policies[i].stale = true;
	for (size_t i = 0; i < gw->tunnels.n; i++)
		tunnels[i].fresh = false;
	for (size_t i = 0; i < gw->groups.n; i++)
		groups[i].fresh = false;
	gw->is.generation_open = true;
	gw->dynamic_fresh = 0;
	result->u.generation = ++gw->is.generation;
}

static bool is_member(const struct model_gateway *gw, uint32_t tunnel)
{
	const struct model_group *groups = gw->groups.items;

	for (size_t i = 0; i < gw->groups.n; i++)
		for (uint32_t j = 0; j < groups[i].is.n_members; j++)
			if (groups[i].is.members[j].tunnel == tunnel)
				return true;
	return false;
}

static void sweep(struct model_gateway *gw)
{
	struct kernel_route *routes = gw->routes.items;
	struct model_tunnel *tunnels = gw->tunnels.items;
	struct model_group *groups = gw->groups.items;
	struct kernel_policy *policies = gw->policies.items;
	struct model_port *ports = gw->ports.items;

	for (size_t i = gw->ports.n; i-- > 0;)
		if (!ports[i].fresh)
			model_remove(&gw->ports, i, sizeof(*ports));
	for (size_t i = gw->policies.n; i-- > 0;)
		if (policies[i].stale)
			model_remove(&gw->policies, i, sizeof(*policies));
	for (size_t i = gw->routes.n; i-- > 0;)
		if (routes[i].stale)
			model_remove(&gw->routes, i, sizeof(*routes));
	for (size_t i = gw->groups.n; i-- > 0;)
		if (!groups[i].fresh && !model_group_routes(gw, groups[i].is.id))
			model_remove(&gw->groups, i, sizeof(*groups));
	for (size_t i = gw->tunnels.n; i-- > 0;)
		if (!tunnels[i].fresh && !is_member(gw, tunnels[i].is.id))
			model_remove(&gw->tunnels, i, sizeof(*tunnels));
}

static void commit(struct model *model, struct model_gateway *gw, uint32_t generation,
		   struct kernel_result *result)
{
	if (!gw->is.generation_open || generation != gw->is.generation) {
		fail(result, -ESTALE, "this generation is not open");
		return;
	}
	sweep(gw);
	gw->is.generation_open = false;
	model_tell_gateway(model, gw);
}

void model_gateway_count(struct model_gateway *gw)
{
	const struct kernel_route *routes = gw->routes.items;

	gw->is.tunnels = (uint32_t)gw->tunnels.n;
	gw->is.groups = (uint32_t)gw->groups.n;
	gw->is.routes = (uint32_t)gw->routes.n;
	gw->is.policies = (uint32_t)gw->policies.n;
	gw->is.dynamic_prefixes = 0;
	for (size_t i = 0; i < gw->routes.n; i++)
		gw->is.dynamic_prefixes += routes[i].class == VGW_ROUTE_CLASS_DYNAMIC;
}

void model_change(struct model *model, struct model_gateway *gw, const struct kernel_call *call,
		  struct kernel_result *result)
{
	switch (call->op) {
	case KERNEL_OP_GATEWAY_SET:
		gateway_set(model, gw, call, result);
		break;
	case KERNEL_OP_TUNNEL_SET:
		tunnel_set(model, gw, call, result);
		break;
	case KERNEL_OP_TUNNEL_DEL:
		tunnel_del(gw, call->id, result);
		break;
	case KERNEL_OP_GROUP_SET:
		group_set(gw, call->group, result);
		break;
	case KERNEL_OP_GROUP_DEL:
		group_del(gw, call->id, result);
		break;
	case KERNEL_OP_ROUTES_ADD:
	case KERNEL_OP_ROUTES_DEL:
		routes_change(gw, call, result);
		break;
	case KERNEL_OP_POLICIES_ADD:
	case KERNEL_OP_POLICIES_DEL:
		model_policies_change(gw, call, result);
		break;
	case KERNEL_OP_PORT_ADD:
		port_add(gw, call->id, result);
		break;
	case KERNEL_OP_PORT_DEL:
		port_del(gw, call->id, result);
		break;
	case KERNEL_OP_BEGIN:
		begin(gw, result);
		break;
	case KERNEL_OP_COMMIT:
		commit(model, gw, call->id, result);
		break;
	default:
		break;
	}
}
