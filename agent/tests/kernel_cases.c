// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_cases.h"

#include <errno.h>
#include <linux/vgw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000

/* Synchronous calls */

static void gave_up(void *ctx)
{
	struct cases *c = ctx;

	snprintf(c->failure, sizeof(c->failure), "no answer within %d ms", PATIENCE_MS);
	loop_stop(c->loop);
}

static void stop_when_answered(struct cases *c)
{
	c->answered = true;
	loop_stop(c->loop);
}

bool cases_wait(struct cases *c, const bool *flag)
{
	loop_timer_start(c->guard, PATIENCE_MS);
	while (!*flag && loop_timer_pending(c->guard))
		loop_run(c->loop);
	loop_timer_stop(c->guard);
	return *flag;
}

static void wait_answer(struct cases *c)
{
	cases_wait(c, &c->answered);
	c->answered = false;
}

static void note_answer(struct cases *c, int error, const char *text, long index)
{
	c->error = error;
	c->index = index;
	snprintf(c->text, sizeof(c->text), "%s", text);
	stop_when_answered(c);
}

static void on_done(void *ctx, int error, const char *text, long index)
{
	note_answer(ctx, error, text, index);
}

static void on_gateway(void *ctx, int error, const char *text, const struct kernel_gateway *gateway)
{
	struct cases *c = ctx;

	c->is = *gateway;
	note_answer(c, error, text, -1);
}

static void on_generation(void *ctx, int error, const char *text, uint32_t generation)
{
	struct cases *c = ctx;

	c->generation = generation;
	note_answer(c, error, text, -1);
}

static void on_lookup(void *ctx, int error, const char *text, const struct kernel_lookup *lookup)
{
	struct cases *c = ctx;

	c->lookup = *lookup;
	note_answer(c, error, text, -1);
}

static void on_tunnel(void *ctx, const struct kernel_tunnel *tunnel)
{
	struct cases *c = ctx;

	if (c->n_tunnels < 64)
		c->tunnels[c->n_tunnels++] = *tunnel;
}

static void on_group(void *ctx, const struct kernel_group *group)
{
	struct cases *c = ctx;

	if (c->n_groups < 64)
		c->groups[c->n_groups++] = *group;
}

static void on_route(void *ctx, const struct kernel_route *route)
{
	struct cases *c = ctx;

	if (c->n_routes < 2048)
		c->routes[c->n_routes++] = *route;
}

static void on_policy(void *ctx, const struct kernel_policy *policy)
{
	struct cases *c = ctx;

	if (c->n_policies < 1024)
		c->policies[c->n_policies++] = *policy;
}

static int get(struct cases *c)
{
	kernel_gateway_get(c->kernel, c->gateway, on_gateway, c);
	wait_answer(c);
	return c->error;
}

static int set(struct cases *c, uint32_t quota, const struct prefix *guards, size_t n)
{
	struct kernel_hash hash = { .seed = 7, .idle_ms = 1500,
				    .fields = VGW_HASH_FIELDS_ADDRESSES };

	kernel_gateway_set(c->kernel, c->gateway, &quota, &hash, guards, n, on_done, c);
	wait_answer(c);
	return c->error;
}

static int tunnel_set(struct cases *c, uint32_t id, uint32_t ifindex, bool failed)
{
	struct kernel_tunnel tunnel = { .id = id, .ifindex = ifindex, .connection = id,
					.site = 1, .failed = failed };

	kernel_tunnel_set(c->kernel, c->gateway, &tunnel, on_done, c);
	wait_answer(c);
	return c->error;
}

static int tunnel_del(struct cases *c, uint32_t id)
{
	kernel_tunnel_del(c->kernel, c->gateway, id, on_done, c);
	wait_answer(c);
	return c->error;
}

/* Members end with 0. */
static int group_set(struct cases *c, uint32_t id, ...)
{
	struct kernel_group group = { .id = id };
	uint32_t tunnel;
	va_list ap;

	va_start(ap, id);
	while ((tunnel = va_arg(ap, uint32_t)) && group.n_members < KERNEL_MEMBERS_MAX)
		group.members[group.n_members++] =
			(struct kernel_member){ .tunnel = tunnel, .weight = 1 };
	va_end(ap);
	kernel_group_set(c->kernel, c->gateway, &group, on_done, c);
	wait_answer(c);
	return c->error;
}

static int group_del(struct cases *c, uint32_t id)
{
	kernel_group_del(c->kernel, c->gateway, id, on_done, c);
	wait_answer(c);
	return c->error;
}

static struct kernel_route route(const char *text, uint8_t class, uint32_t group)
{
	struct kernel_route made = { .class = class, .group = group };
	const char *slash = strchr(text, '/');
	char addr[ADDR_STRLEN];

	/* Not prefix_parse(): host bits are wanted here. */
	snprintf(addr, sizeof(addr), "%.*s", (int)(slash - text), text);
	addr_parse(addr, &made.prefix.addr);
	made.prefix.len = (uint8_t)atoi(slash + 1);
	return made;
}

static int add(struct cases *c, const struct kernel_route *routes, size_t n)
{
	kernel_routes_add(c->kernel, c->gateway, routes, n, on_done, c);
	wait_answer(c);
	return c->error;
}

static int del(struct cases *c, const struct kernel_route *routes, size_t n)
{
	kernel_routes_del(c->kernel, c->gateway, routes, n, on_done, c);
	wait_answer(c);
	return c->error;
}

/* "SOURCE>DESTINATION" */
static struct kernel_policy policy(const char *text, uint32_t priority, uint32_t sequence,
				   uint32_t group)
{
	struct kernel_policy made = { .priority = priority, .sequence = sequence,
				      .group = group };
	const char *middle = strchr(text, '>');

	made.src = route(text, 0, 0).prefix;
	made.dst = route(middle + 1, 0, 0).prefix;
	return made;
}

static int policies_add(struct cases *c, const struct kernel_policy *policies, size_t n)
{
	kernel_policies_add(c->kernel, c->gateway, policies, n, on_done, c);
	wait_answer(c);
	return c->error;
}

static int policies_del(struct cases *c, const struct kernel_policy *policies, size_t n)
{
	kernel_policies_del(c->kernel, c->gateway, policies, n, on_done, c);
	wait_answer(c);
	return c->error;
}

static int policy_add1(struct cases *c, const char *text, uint32_t priority, uint32_t sequence,
		       uint32_t group)
{
	struct kernel_policy one = policy(text, priority, sequence, group);

	return policies_add(c, &one, 1);
}

static int add1(struct cases *c, const char *prefix, uint8_t class, uint32_t group)
{
	struct kernel_route one = route(prefix, class, group);

	return add(c, &one, 1);
}

static int del1(struct cases *c, const char *prefix, uint8_t class)
{
	struct kernel_route one = route(prefix, class, 0);

	return del(c, &one, 1);
}

static int begin(struct cases *c)
{
	kernel_generation_begin(c->kernel, c->gateway, on_generation, c);
	wait_answer(c);
	return c->error;
}

static int commit(struct cases *c, uint32_t generation)
{
	kernel_generation_commit(c->kernel, c->gateway, generation, on_done, c);
	wait_answer(c);
	return c->error;
}

static int look_up_from(struct cases *c, const char *src, const char *dst)
{
	struct kernel_flow flow = { .protocol = 6, .sport = 1000, .dport = 443 };

	addr_parse(dst, &flow.dst);
	if (src)
		addr_parse(src, &flow.src);
	kernel_lookup(c->kernel, c->gateway, &flow, on_lookup, c);
	wait_answer(c);
	return c->error;
}

static int look_up(struct cases *c, const char *dst)
{
	return look_up_from(c, NULL, dst);
}

static void dump(struct cases *c)
{
	c->n_tunnels = c->n_groups = c->n_routes = c->n_policies = 0;
	kernel_tunnels_dump(c->kernel, c->gateway, on_tunnel, on_done, c);
	wait_answer(c);
	kernel_groups_dump(c->kernel, c->gateway, on_group, on_done, c);
	wait_answer(c);
	kernel_routes_dump(c->kernel, c->gateway, on_route, on_done, c);
	wait_answer(c);
	kernel_policies_dump(c->kernel, c->gateway, on_policy, on_done, c);
	wait_answer(c);
}

static void empty(struct cases *c)
{
	struct prefix none;

	begin(c);
	commit(c, c->generation);
	set(c, 50, &none, 0);
}

/* Checks */

static void complain(struct cases *c, int line, const char *what)
{
	if (!*c->failure)
		snprintf(c->failure, sizeof(c->failure),
			 "line %d: %s (last answer: %d \"%s\" index %ld)", line, what, c->error,
			 c->text, c->index);
}

#define CHECK(condition)					\
	do {							\
		if (!(condition))				\
			complain(c, __LINE__, #condition);	\
	} while (0)

/* The call is refused with this errno and text. */
#define REFUSED(call, err, words)				\
	do {							\
		CHECK((call) == -(err));			\
		CHECK(!strcmp(c->text, words));			\
	} while (0)

/* Cases */

static void case_gateway(struct cases *c)
{
	uint32_t gateway = c->gateway;
	struct prefix guard = { .addr = { .family = AF_INET, .b = { 10 } }, .len = 8 };

	CHECK(!get(c) && c->is.ifindex == gateway && c->is.quota == 50 && !c->is.routes);
	CHECK(c->is.protocol_version == 1 && !c->is.generation_open);
	CHECK(!set(c, 3, &guard, 1) && !get(c) && c->is.quota == 3);
	CHECK(c->is.hash.seed == 7 && c->is.hash.idle_ms == 1500 &&
	      c->is.hash.fields == VGW_HASH_FIELDS_ADDRESSES);
	guard.addr.b[3] = 1;
	REFUSED(set(c, 9, &guard, 1), EINVAL, "address has bits set behind the prefix length");
	CHECK(!get(c) && c->is.quota == 3);
	c->gateway = 999999;
	REFUSED(get(c), ENODEV, "no gateway with this ifindex in the network namespace");
	REFUSED(begin(c), ENODEV, "no gateway with this ifindex in the network namespace");
	REFUSED(add1(c, "10.0.0.0/8", 1, 0), ENODEV,
		"no gateway with this ifindex in the network namespace");
	dump(c);
	CHECK(c->error == -ENODEV && !c->n_tunnels && !c->n_groups);
	c->gateway = gateway;
}

static void case_tunnels(struct cases *c)
{
	REFUSED(tunnel_set(c, 5, 0, false), EINVAL, "a new tunnel needs an ifindex");
	REFUSED(tunnel_set(c, 0, c->device[0], false), ERANGE, "integer out of range");
	CHECK(!tunnel_set(c, 5, c->device[0], false));
	CHECK(!tunnel_set(c, 5, c->device[0], false));
	REFUSED(tunnel_set(c, 5, c->device[1], false), EOPNOTSUPP,
		"the device of a tunnel is fixed while it exists");
	REFUSED(tunnel_set(c, 6, c->device[0], false), EEXIST,
		"device is a tunnel of a gateway already");
	CHECK(!tunnel_set(c, 2, c->device[1], true));
	dump(c);
	CHECK(c->n_tunnels == 2 && c->tunnels[0].id == 2 && c->tunnels[1].id == 5);
	CHECK(c->tunnels[0].failed && c->tunnels[0].reason == VGW_TUNNEL_REASON_FAILED);
	CHECK(c->tunnels[1].state == VGW_TUNNEL_STATE_UP);
	CHECK(c->tunnels[1].connection == 5 && c->tunnels[1].last_rx_ms == UINT64_MAX);
	CHECK(!tunnel_set(c, 2, 0, false));
	CHECK(!get(c) && c->is.tunnels == 2);
	REFUSED(tunnel_del(c, 7), ENOENT, "no tunnel with this id");
	REFUSED(tunnel_del(c, 0), ERANGE, "integer out of range");
	CHECK(!tunnel_del(c, 5) && !tunnel_del(c, 2));
}

static void case_groups(struct cases *c)
{
	CHECK(!tunnel_set(c, 1, c->device[0], false) && !tunnel_set(c, 2, c->device[1], false));
	REFUSED(group_set(c, 1, 1, 9, 0), ENOENT, "no tunnel with this id");
	REFUSED(group_set(c, 1, 1, 1, 0), EINVAL, "tunnel is a member twice");
	REFUSED(group_set(c, 1, 0), EINVAL, "a group needs a member");
	REFUSED(group_set(c, 0, 1, 0), ERANGE, "integer out of range");
	CHECK(!group_set(c, 3, 1, 2, 0) && !group_set(c, 1, 2, 0));
	dump(c);
	CHECK(c->n_groups == 2 && c->groups[0].id == 1 && c->groups[1].id == 3);
	CHECK(c->groups[1].n_members == 2 && c->groups[1].members[1].tunnel == 2 &&
	      c->groups[1].members[1].weight == 1 && c->groups[1].live == 2);
	REFUSED(tunnel_del(c, 1), EBUSY, "tunnel is a member of a group");
	CHECK(!add1(c, "10.0.0.0/8", VGW_ROUTE_CLASS_STATIC, 3));
	REFUSED(group_del(c, 3), EBUSY, "routes lead to the group");
	CHECK(!group_set(c, 3, 2, 0) && !tunnel_del(c, 1));
	CHECK(!del1(c, "10.0.0.0/8", VGW_ROUTE_CLASS_STATIC) && !group_del(c, 3));
	REFUSED(group_del(c, 3), ENOENT, "no group with this id");
}

static void two_groups(struct cases *c)
{
	CHECK(!tunnel_set(c, 1, c->device[0], false) && !tunnel_set(c, 2, c->device[1], false));
	CHECK(!group_set(c, 1, 1, 0) && !group_set(c, 2, 2, 0));
}

/* The refused route stands at place of a batch that is a mix of everything. */
static void refused_in_mix(struct cases *c, struct kernel_route bad, size_t place, int err,
			   const char *words)
{
	struct kernel_route mix[8] = {
		route("10.9.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 2),
		route("2001:db8:9::/48", VGW_ROUTE_CLASS_STATIC, 1),
		route("10.8.0.0/16", VGW_ROUTE_CLASS_SYSTEM, 0),
		route("10.7.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 1),
		route("2001:db8:8::/48", VGW_ROUTE_CLASS_DYNAMIC, 2),
		route("10.6.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 2),
		route("0.0.0.0/0", VGW_ROUTE_CLASS_STATIC, 2),
		route("10.5.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 2),
	};

	mix[3].on_fail = VGW_ON_FAIL_RESERVE;
	mix[place] = bad;
	REFUSED(add(c, mix, 8), err, words);
	CHECK(c->index == (long)place);
	CHECK(!get(c) && !c->is.routes && !c->is.dynamic_prefixes);
}

static void case_refused_routes(struct cases *c)
{
	struct kernel_route bad;

	two_groups(c);
	for (size_t place = 0; place < 8; place++) {
		refused_in_mix(c, route("10.1.1.1/8", VGW_ROUTE_CLASS_DYNAMIC, 1), place, EINVAL,
			       "address has bits set behind the prefix length");
		refused_in_mix(c, route("2001:db8::1/64", VGW_ROUTE_CLASS_DYNAMIC, 2), place,
			       EINVAL, "address has bits set behind the prefix length");
		refused_in_mix(c, route("10.0.0.0/33", VGW_ROUTE_CLASS_STATIC, 2), place, EINVAL,
			       "prefix length is larger than the address");
		refused_in_mix(c, route("10.0.0.0/8", VGW_ROUTE_CLASS_DYNAMIC, 9), place, ENOENT,
			       "no group with this id");
		refused_in_mix(c, route("10.0.0.0/8", VGW_ROUTE_CLASS_DYNAMIC, 0), place, EINVAL,
			       "route has no group");
		refused_in_mix(c, route("10.0.0.0/8", VGW_ROUTE_CLASS_SYSTEM, 1), place, EINVAL,
			       "a system route has no group");
		refused_in_mix(c, route("10.0.0.0/8", 0, 1), place, ERANGE,
			       "integer out of range");
		refused_in_mix(c, route("10.0.0.0/8", 4, 1), place, ERANGE,
			       "integer out of range");
		bad = route("10.0.0.0/8", VGW_ROUTE_CLASS_STATIC, 1);
		bad.on_fail = 2;
		refused_in_mix(c, bad, place, ERANGE, "integer out of range");
	}
	REFUSED(add(c, &bad, 0), EINVAL, "no route in the message");
	bad.prefix.addr.family = AF_UNSPEC;
	REFUSED(add(c, &bad, 1), EINVAL, "prefix is neither IPv4 nor IPv6");
}

static void case_delete(struct cases *c)
{
	struct kernel_route some[4] = {
		route("10.0.0.0/8", VGW_ROUTE_CLASS_DYNAMIC, 1),
		route("2001:db8::/32", VGW_ROUTE_CLASS_STATIC, 2),
		route("10.0.0.0/8", VGW_ROUTE_CLASS_STATIC, 2),
		route("10.1.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 2),
	};

	two_groups(c);
	CHECK(!add(c, some, 3));
	for (size_t i = 0; i < 4; i++) {
		struct kernel_route swapped = some[i];

		some[i] = some[3];
		some[3] = swapped;
		REFUSED(del(c, some, 4), ENOENT, "no route with this prefix and class");
		CHECK(c->index == (long)i);
		some[3] = some[i];
		some[i] = swapped;
		CHECK(!get(c) && c->is.routes == 3);
	}
	dump(c);
	CHECK(c->n_routes == 3 && c->routes[0].class == VGW_ROUTE_CLASS_STATIC &&
	      c->routes[1].class == VGW_ROUTE_CLASS_DYNAMIC && c->routes[0].group == 2 &&
	      c->routes[2].prefix.addr.family == AF_INET6 && !c->routes[2].stale);
	CHECK(!del(c, some, 3) && !get(c) && !c->is.routes && !c->is.dynamic_prefixes);
}

static void case_quota(struct cases *c)
{
	struct kernel_route three[3] = {
		route("10.1.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 1),
		route("10.2.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 1),
		route("2001:db8::/32", VGW_ROUTE_CLASS_DYNAMIC, 1),
	};
	struct kernel_route both[2] = { three[0], route("10.3.0.0/16", 3, 2) };

	two_groups(c);
	CHECK(!set(c, 3, NULL, 0) && !add(c, three, 3));
	REFUSED(add(c, both, 2), ENOSPC, "bgp table full");
	CHECK(c->index == 1);
	three[0].group = 2;
	CHECK(!add(c, three, 3));
	CHECK(!add1(c, "10.3.0.0/16", VGW_ROUTE_CLASS_STATIC, 1));
	CHECK(!del1(c, "10.1.0.0/16", 3) && !add1(c, "10.3.0.0/16", 3, 2));
	CHECK(!get(c) && c->is.dynamic_prefixes == 3 && c->is.routes == 4);
	/* Lower than what is there: keeps it, takes no more. */
	CHECK(!set(c, 2, NULL, 0) && !add1(c, "10.3.0.0/16", 3, 1));
	REFUSED(add1(c, "10.1.0.0/16", 3, 1), ENOSPC, "bgp table full");
	/* A generation refills a full table, whatever the prefixes. */
	CHECK(!set(c, 3, NULL, 0) && !begin(c));
	CHECK(!add1(c, "10.1.0.0/16", 3, 1) && !add1(c, "10.2.0.0/16", 3, 1) &&
	      !add1(c, "10.4.0.0/16", 3, 1));
	REFUSED(add1(c, "10.3.0.0/16", 3, 2), ENOSPC, "bgp table full");
	CHECK(!get(c) && c->is.dynamic_prefixes == 5);
	CHECK(!commit(c, c->generation) && !get(c) && c->is.dynamic_prefixes == 3);
	CHECK(!set(c, 0, NULL, 0) && !add1(c, "10.5.0.0/16", 3, 1));
}

static void case_generation(struct cases *c)
{
	uint32_t first;

	two_groups(c);
	CHECK(!group_set(c, 3, 1, 2, 0));
	CHECK(!add1(c, "10.1.0.0/16", 3, 1) && !add1(c, "10.2.0.0/16", 2, 3) &&
	      !add1(c, "10.3.0.0/16", 1, 0));
	CHECK(!get(c));
	first = c->is.generation;
	REFUSED(commit(c, first), ESTALE, "this generation is not open");
	CHECK(!begin(c) && c->generation == first + 1);
	CHECK(!add1(c, "10.1.0.0/16", 3, 1) && !tunnel_set(c, 1, 0, false) &&
	      !group_set(c, 1, 1, 0));
	dump(c);
	CHECK(c->n_routes == 3 && !c->routes[0].stale && c->routes[1].stale && c->routes[2].stale);
	/* Begun anew: what was refreshed counts for nothing. */
	CHECK(!begin(c) && c->generation == first + 2);
	REFUSED(commit(c, first + 1), ESTALE, "this generation is not open");
	CHECK(!add1(c, "10.2.0.0/16", 2, 3) && !del1(c, "10.3.0.0/16", 1));
	CHECK(!group_set(c, 2, 2, 0));
	CHECK(!commit(c, first + 2));
	dump(c);
	/* Tunnels and groups that are in use stay, refreshed or not. */
	CHECK(c->n_routes == 1 && c->routes[0].class == 2 && !c->routes[0].stale);
	CHECK(c->n_groups == 2 && c->groups[0].id == 2 && c->groups[1].id == 3);
	CHECK(c->n_tunnels == 2);
	REFUSED(commit(c, first + 2), ESTALE, "this generation is not open");
	CHECK(!begin(c) && !commit(c, c->generation) && !get(c) && !c->is.tunnels &&
	      !c->is.groups && !c->is.routes && !c->is.generation_open);
}

static void check_lookup(struct cases *c, int line, const char *dst, uint8_t verdict,
			 uint32_t tunnel, size_t candidates)
{
	if (look_up(c, dst) || c->lookup.verdict != verdict || c->lookup.tunnel != tunnel ||
	    c->lookup.n_candidates != candidates)
		complain(c, line, "lookup");
}

#define LOOKUP(dst, verdict, tunnel, candidates) \
	check_lookup(c, __LINE__, dst, VGW_VERDICT_##verdict, tunnel, candidates)
#define CANDIDATE(i, what) CHECK(c->lookup.candidates[i].result == VGW_CANDIDATE_RESULT_##what)

static void case_lookup(struct cases *c)
{
	struct kernel_route held = route("10.4.0.0/16", VGW_ROUTE_CLASS_DYNAMIC, 1);
	struct prefix guards[2] = { { { AF_INET, { 10 } }, 8 },
				    { { AF_INET6, { 0xfd } }, 8 } };

	two_groups(c);
	held.on_fail = VGW_ON_FAIL_RESERVE;
	CHECK(!set(c, 50, guards, 2) && !add(c, &held, 1));
	CHECK(!add1(c, "10.0.0.0/12", 3, 2) && !add1(c, "10.1.0.0/16", 2, 1) &&
	      !add1(c, "10.1.0.0/16", 3, 2) && !add1(c, "10.2.0.0/16", 1, 0) &&
	      !add1(c, "10.3.0.0/16", 2, 1) && !add1(c, "10.3.0.0/16", 1, 0) &&
	      !add1(c, "10.4.0.0/15", 1, 0) && !add1(c, "2001:db8::/32", 3, 1));
	LOOKUP("10.1.2.3", TUNNEL, 1, 3);
	CANDIDATE(0, SELECTED);
	CANDIDATE(1, LOWER_CLASS);
	CANDIDATE(2, SHORTER_PREFIX);
	CHECK(c->lookup.group == 1 && c->lookup.tunnel_ifindex == c->device[0]);
	CHECK(c->lookup.guard.len == 8 && c->lookup.guard.addr.b[0] == 10);
	LOOKUP("10.2.0.1", SYSTEM, 0, 2);
	LOOKUP("10.3.0.1", SYSTEM, 0, 3);
	LOOKUP("10.15.0.1", TUNNEL, 2, 1);
	LOOKUP("10.200.0.1", GUARD, 0, 0);
	LOOKUP("192.0.2.1", MISS, 0, 0);
	LOOKUP("2001:db8::9", TUNNEL, 1, 1);
	LOOKUP("fd00::1", GUARD, 0, 0);
	CHECK(!tunnel_set(c, 1, 0, true));
	LOOKUP("10.1.2.3", TUNNEL, 2, 3);
	CANDIDATE(0, ALL_DEAD);
	CANDIDATE(1, SELECTED);
	LOOKUP("10.4.0.1", RESERVED, 0, 3);
	CANDIDATE(0, HELD);
	LOOKUP("2001:db8::9", DEAD, 0, 1);
	CHECK(!tunnel_set(c, 2, 0, true));
	LOOKUP("10.1.2.3", DEAD, 0, 3);
	CHECK(!add1(c, "10.1.2.0/24", 3, 1) && !add1(c, "10.1.0.0/20", 1, 0));
	LOOKUP("10.1.2.3", DEAD, 0, 5);
	CANDIDATE(1, CLEAR_TEXT);
}

/* The whole window and more at once, a dump among it; answers come in order. */
struct in_order {
	struct cases *c;
	unsigned int *next, at;
	int error;
};

static void on_in_order(void *ctx, int error, const char *text, long index)
{
	struct in_order *one = ctx;

	if (*one->next != one->at || error != one->error)
		complain(one->c, __LINE__, "answers in order");
	if (++*one->next == 32)
		stop_when_answered(one->c);
}

static void on_row_in_order(void *ctx, const struct kernel_route *row)
{
}

static void case_order(struct cases *c)
{
	struct in_order requests[32];
	unsigned int next = 0;

	two_groups(c);
	for (unsigned int i = 0; i < 32; i++) {
		struct kernel_route one = route("10.0.0.0/16", 3, i % 7 == 6 ? 9 : 1);

		one.prefix.addr.b[1] = (uint8_t)i;
		requests[i] = (struct in_order){ c, &next, i, i % 7 == 6 ? -ENOENT : 0 };
		if (i % 5 == 3)
			requests[i].error = 0;
		if (i % 5 == 3)
			kernel_routes_dump(c->kernel, c->gateway, on_row_in_order, on_in_order,
					   &requests[i]);
		else
			kernel_routes_add(c->kernel, c->gateway, &one, 1, on_in_order,
					  &requests[i]);
		CHECK(!next);
	}
	wait_answer(c);
	CHECK(next == 32);
}

/* Batches as large as they may be, at their worst: every route in a run of its own. */
static void case_large(struct cases *c)
{
	struct kernel_route *many = calloc(KERNEL_ROUTES_MAX + 1, sizeof(*many));
	size_t n = KERNEL_ROUTES_MAX;

	two_groups(c);
	if (!many)
		return;
	CHECK(!set(c, 0, NULL, 0));
	for (size_t i = 0; i <= n; i++) {
		many[i] = route("2001:db8::/48", VGW_ROUTE_CLASS_DYNAMIC, 1 + i % 2);
		many[i].prefix.addr.b[4] = (uint8_t)(i >> 8);
		many[i].prefix.addr.b[5] = (uint8_t)i;
	}
	REFUSED(add(c, many, n + 1), E2BIG, "too many routes in one batch");
	CHECK(!add(c, many, n) && !get(c) && c->is.routes == n);
	dump(c);
	CHECK(c->n_routes == n && prefix_equal(&c->routes[n - 1].prefix, &many[n - 1].prefix));
	many[n - 1].prefix.addr.b[15] = 1;
	CHECK(add(c, many, n) == -EINVAL && c->index == (long)n - 1);
	many[n - 1].prefix.addr.b[15] = 0;
	CHECK(!del(c, many, n) && !get(c) && !c->is.routes);
	free(many);
}

static void case_policies(struct cases *c)
{
	struct kernel_policy batch[3], wrong;

	two_groups(c);
	batch[0] = policy("192.168.0.0/16>10.0.0.0/8", 7, 2, 1);
	batch[1] = policy("0.0.0.0/0>10.1.0.0/16", 7, 1, 2);
	batch[2] = policy("::/0>2001:db8::/32", 1, 0, 2);
	CHECK(!policies_add(c, batch, 3) && !get(c) && c->is.policies == 3 && !c->is.routes);
	dump(c);
	CHECK(c->n_policies == 3 && c->policies[0].sequence == 1 && c->policies[1].sequence == 2);
	CHECK(!kernel_policy_compare(&c->policies[2], &batch[2]) && c->policies[2].group == 2);
	CHECK(c->groups[0].routes == 1 && c->groups[1].routes == 2);
	REFUSED(group_del(c, 1), EBUSY, "routes lead to the group");
	/* The same name again is the same one with another group. */
	batch[0].group = 2;
	batch[0].on_fail = VGW_ON_FAIL_RESERVE;
	CHECK(!policies_add(c, batch, 1));
	dump(c);
	CHECK(c->n_policies == 3 && c->policies[1].group == 2 && c->policies[1].on_fail);
	CHECK(!group_del(c, 1));
	/* All or nothing, with the place of the refused one. */
	wrong = policy("10.0.0.0/8>10.1.0.1/16", 0, 0, 2);
	batch[1] = wrong;
	REFUSED(policies_add(c, batch, 3), EINVAL, "address has bits set behind the prefix length");
	CHECK(c->index == 1);
	REFUSED(policy_add1(c, "10.0.0.1/8>10.1.0.0/16", 0, 0, 2), EINVAL,
		"address has bits set behind the prefix length");
	REFUSED(policy_add1(c, "10.0.0.0/8>2001:db8::/32", 0, 0, 2), EINVAL,
		"source and destination are of different families");
	REFUSED(policy_add1(c, "10.0.0.0/8>10.1.0.0/16", 0, 0, 0), EINVAL,
		"policy route has no group");
	REFUSED(policy_add1(c, "10.0.0.0/8>10.1.0.0/16", 0, 0, 9), ENOENT,
		"no group with this id");
	REFUSED(policies_add(c, batch, 0), EINVAL, "no policy route in the message");
	batch[1] = policy("0.0.0.0/0>10.1.0.0/16", 7, 0, 0);
	REFUSED(policies_del(c, batch, 2), ENOENT,
		"no policy route with this priority, sequence and prefixes");
	CHECK(c->index == 1 && !get(c) && c->is.policies == 3);
	batch[1].sequence = 1;
	CHECK(!policies_del(c, batch, 3) && !get(c) && !c->is.policies);
}

/* The truth table's last row (rule 31), and what comes after it. */
static void case_policy_lookup(struct cases *c)
{
	struct kernel_policy held = policy("192.168.0.0/24>10.1.0.0/16", 5, 0, 2);

	two_groups(c);
	CHECK(!add1(c, "10.1.1.0/24", VGW_ROUTE_CLASS_DYNAMIC, 1));
	CHECK(!policy_add1(c, "192.168.0.0/24>10.1.0.0/16", 5, 0, 2));
	look_up_from(c, "192.168.0.9", "10.1.1.1");
	CHECK(c->lookup.verdict == VGW_VERDICT_TUNNEL && c->lookup.group == 2);
	CHECK(c->lookup.n_candidates == 2 && c->lookup.candidates[0].class == KERNEL_POLICY);
	CHECK(c->lookup.candidates[0].priority == 5 && c->lookup.candidates[0].src.len == 24);
	CANDIDATE(0, SELECTED);
	CANDIDATE(1, AFTER_POLICY);
	/* Both sides must match. */
	look_up_from(c, "192.168.1.9", "10.1.1.1");
	CHECK(c->lookup.group == 1 && c->lookup.n_candidates == 1);
	look_up_from(c, "192.168.0.9", "10.2.1.1");
	CHECK(c->lookup.verdict == VGW_VERDICT_MISS && !c->lookup.n_candidates);
	/* A lower number first, then the lower sequence; lengths play no part. */
	CHECK(!policy_add1(c, "0.0.0.0/0>10.0.0.0/8", 4, 1, 1));
	CHECK(!policy_add1(c, "192.168.0.9/32>10.1.1.1/32", 4, 2, 2));
	look_up_from(c, "192.168.0.9", "10.1.1.1");
	CHECK(c->lookup.group == 1 && c->lookup.n_candidates == 4);
	CANDIDATE(0, SELECTED);
	CANDIDATE(1, AFTER_POLICY);
	CANDIDATE(2, AFTER_POLICY);
	/* Dead: the next ones, then the routes; with reserve it ends there. */
	CHECK(!tunnel_set(c, 1, 0, true));
	look_up_from(c, "192.168.0.9", "10.1.1.1");
	CHECK(c->lookup.group == 2 && c->lookup.candidates[1].sequence == 2);
	CANDIDATE(0, ALL_DEAD);
	CANDIDATE(1, SELECTED);
	CHECK(!tunnel_set(c, 2, 0, true));
	look_up_from(c, "192.168.0.9", "10.1.1.1");
	CHECK(c->lookup.verdict == VGW_VERDICT_DEAD && c->lookup.n_candidates == 4);
	CANDIDATE(3, ALL_DEAD);
	held.on_fail = VGW_ON_FAIL_RESERVE;
	CHECK(!policies_add(c, &held, 1));
	look_up_from(c, "192.168.0.9", "10.1.1.1");
	CHECK(c->lookup.verdict == VGW_VERDICT_RESERVED);
	CANDIDATE(1, ALL_DEAD);
	CANDIDATE(2, HELD);
	CANDIDATE(3, AFTER_POLICY);
	/* Behind a dead one there is no clear text. */
	CHECK(!policies_del(c, &held, 1) && !add1(c, "10.1.1.1/32", VGW_ROUTE_CLASS_SYSTEM, 0));
	look_up_from(c, "192.168.0.9", "10.1.1.1");
	CHECK(c->lookup.verdict == VGW_VERDICT_DEAD);
	CANDIDATE(2, CLEAR_TEXT);
}

static void case_policy_generation(struct cases *c)
{
	uint32_t generation;

	two_groups(c);
	CHECK(!policy_add1(c, "0.0.0.0/0>10.0.0.0/8", 1, 0, 1));
	CHECK(!policy_add1(c, "0.0.0.0/0>10.0.0.0/8", 2, 0, 2));
	CHECK(!begin(c));
	generation = c->generation;
	CHECK(!policy_add1(c, "0.0.0.0/0>10.0.0.0/8", 2, 0, 2));
	dump(c);
	CHECK(c->n_policies == 2 && c->policies[0].stale && !c->policies[1].stale);
	/* A begin while one is open starts it anew. */
	CHECK(!begin(c));
	dump(c);
	CHECK(c->policies[0].stale && c->policies[1].stale);
	REFUSED(commit(c, generation), ESTALE, "this generation is not open");
	CHECK(!policy_add1(c, "0.0.0.0/0>10.0.0.0/8", 1, 0, 2));
	CHECK(!commit(c, generation + 1));
	dump(c);
	CHECK(c->n_policies == 1 && c->policies[0].priority == 1 && c->policies[0].group == 2);
	/* What nothing leads to any more went with it. */
	CHECK(c->n_groups == 1 && c->groups[0].id == 2 && c->groups[0].routes == 1);
}

/* Several messages of a dump, and the largest batch. */
static void case_policies_large(struct cases *c)
{
	struct kernel_policy *many = calloc(KERNEL_POLICIES_MAX + 1, sizeof(*many));
	size_t n = KERNEL_POLICIES_MAX;

	two_groups(c);
	if (!many)
		return;
	for (size_t i = 0; i <= n; i++)
		many[i] = policy("2001:db8::/32>2001:db8:1::/48", 0, (uint32_t)(n - i), 1);
	REFUSED(policies_add(c, many, n + 1), E2BIG, "too many policy routes in one batch");
	CHECK(!policies_add(c, many, n) && !get(c) && c->is.policies == n);
	dump(c);
	CHECK(c->n_policies == n);
	for (size_t i = 0; i < n && i < c->n_policies; i++)
		CHECK(c->policies[i].sequence == i + 1);
	look_up_from(c, "2001:db8::1", "2001:db8:1::1");
	CHECK(c->lookup.n_candidates == 32 && c->lookup.group == 1);
	CHECK(!policies_del(c, many, n) && !get(c) && !c->is.policies);
	free(many);
}

const struct kernel_case kernel_cases[] = {
	{ "gateway", case_gateway },
	{ "tunnels", case_tunnels },
	{ "groups", case_groups },
	{ "refused routes", case_refused_routes },
	{ "delete", case_delete },
	{ "quota", case_quota },
	{ "generation", case_generation },
	{ "lookup", case_lookup },
	{ "order", case_order },
	{ "large batches", case_large },
	{ "policy routes", case_policies },
	{ "policy routes before routes", case_policy_lookup },
	{ "policy routes and generations", case_policy_generation },
	{ "many policy routes", case_policies_large },
};
const size_t n_kernel_cases = sizeof(kernel_cases) / sizeof(kernel_cases[0]);

bool cases_init(struct cases *c)
{
	c->guard = loop_timer_new(c->loop, gave_up, c);
	return c->guard != NULL;
}

void cases_clear(struct cases *c)
{
	loop_timer_free(c->guard);
	free(c->log);
	c->guard = NULL;
	c->log = NULL;
}

bool cases_run(struct cases *c, const struct kernel_case *one)
{
	c->failure[0] = '\0';
	c->answered = false;
	empty(c);
	one->run(c);
	return !*c->failure;
}

/* Random history */

static unsigned int dice(unsigned int *state, unsigned int sides)
{
	*state = *state * 1103515245u + 12345u;
	return (*state >> 16) % sides;
}

static struct kernel_route random_route(unsigned int *state)
{
	static const char *const texts[] = {
		"10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.1/32", "0.0.0.0/0",
		"192.0.2.0/24", "10.2.0.0/15", "2001:db8::/32", "2001:db8:1::/48", "::/0",
		"10.1.1.1/24", "2001:db8::1/127",
	};
	/* The last two have host bits: rare, or no batch would ever be taken. */
	unsigned int which = dice(state, 30) ? dice(state, 10) : 10 + dice(state, 2);
	struct kernel_route made = route(texts[which], (uint8_t)(1 + dice(state, 3)), 0);

	made.on_fail = (uint8_t)(dice(state, 4) == 0);
	if (made.class != VGW_ROUTE_CLASS_SYSTEM)
		made.group = 1 + dice(state, 4);
	return made;
}

static void random_batch(struct cases *c, unsigned int *state)
{
	size_t n = 1 + dice(state, 4), m = 0;
	struct kernel_route batch[4];
	bool adds = dice(state, 3);

	for (size_t i = 0; i < n; i++) {
		struct kernel_route one = random_route(state);
		bool twice = false;

		for (size_t j = 0; j < m; j++)
			twice |= prefix_equal(&batch[j].prefix, &one.prefix) &&
				 batch[j].class == one.class;
		if (!twice)
			batch[m++] = one;
	}
	if (adds)
		add(c, batch, m);
	else
		del(c, batch, m);
}

static struct kernel_policy random_policy(unsigned int *state)
{
	static const char *const texts[] = {
		"0.0.0.0/0>10.0.0.0/8", "192.0.2.0/24>10.1.0.0/16", "192.0.2.128/25>10.1.1.1/32",
		"::/0>2001:db8::/32", "2001:db8:9::/48>::/0", "192.0.2.1/24>10.0.0.0/8",
	};
	/* The last one has host bits: rare. */
	unsigned int which = dice(state, 30) ? dice(state, 5) : 5;
	struct kernel_policy made = policy(texts[which], dice(state, 2), dice(state, 2), 0);

	made.group = 1 + dice(state, 4);
	made.on_fail = (uint8_t)(dice(state, 4) == 0);
	return made;
}

static void random_policies(struct cases *c, unsigned int *state)
{
	size_t n = 1 + dice(state, 3), m = 0;
	struct kernel_policy batch[3];
	bool adds = dice(state, 3);

	for (size_t i = 0; i < n; i++) {
		struct kernel_policy one = random_policy(state);
		bool twice = false;

		for (size_t j = 0; j < m; j++)
			twice |= !kernel_policy_compare(&batch[j], &one);
		if (!twice)
			batch[m++] = one;
	}
	if (adds)
		policies_add(c, batch, m);
	else
		policies_del(c, batch, m);
}

static const char *random_step(struct cases *c, unsigned int *state)
{
	static const char *const dsts[] = { "10.1.1.1", "10.1.2.3", "10.3.0.1", "192.0.2.9",
					    "2001:db8:1::1", "2001:db9::1" };
	static const char *const srcs[] = { NULL, "192.0.2.1", "192.0.2.200",
					    "2001:db8:9::1" };
	unsigned int which, what = dice(state, 28), id = 1 + dice(state, 4), b = 1 + dice(state, 4);

	switch (what) {
	case 0:
		set(c, dice(state, 6), NULL, 0);
		return "set";
	case 1:
	case 2:
	case 3:
		tunnel_set(c, id, c->device[dice(state, 8) ? id - 1 : b - 1], !dice(state, 3));
		return "tunnel-set";
	case 4:
		tunnel_del(c, id);
		return "tunnel-del";
	case 5:
	case 6:
	case 7:
		group_set(c, id, b, 1 + dice(state, 4), 0);
		return "group-set";
	case 8:
		group_del(c, id);
		return "group-del";
	case 9:
		begin(c);
		return "begin";
	case 10:
		commit(c, c->generation - !dice(state, 4));
		return "commit";
	case 11:
	case 12:
		which = dice(state, 6);
		look_up_from(c, srcs[which < 4 ? dice(state, 3) : 3 * dice(state, 2)],
			     dsts[which]);
		return "lookup";
	case 13:
	case 14:
	case 15:
	case 16:
		random_policies(c, state);
		return "policies";
	default:
		random_batch(c, state);
		return "routes";
	}
}

static void log_policies(const struct cases *c, FILE *out)
{
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN];

	for (size_t i = 0; i < c->n_policies; i++) {
		const struct kernel_policy *one = &c->policies[i];

		fprintf(out, "policy %u %u %s > %s group %u on-fail %u stale %d\n",
			one->priority, one->sequence, prefix_format(&one->src, src, sizeof(src)),
			prefix_format(&one->dst, dst, sizeof(dst)), one->group, one->on_fail,
			one->stale);
	}
}

static void log_state(struct cases *c, FILE *out)
{
	char text[PREFIX_STRLEN];

	get(c);
	fprintf(out, "gateway quota %u open %d tunnels %u groups %u routes %u dynamic %u\n",
		c->is.quota, c->is.generation_open, c->is.tunnels, c->is.groups, c->is.routes,
		c->is.dynamic_prefixes);
	dump(c);
	for (size_t i = 0; i < c->n_tunnels; i++)
		fprintf(out, "tunnel %u device %u state %u reason %u\n", c->tunnels[i].id,
			c->tunnels[i].ifindex, c->tunnels[i].state, c->tunnels[i].reason);
	for (size_t i = 0; i < c->n_groups; i++) {
		fprintf(out, "group %u live %u routes %u:", c->groups[i].id, c->groups[i].live,
			c->groups[i].routes);
		for (uint32_t j = 0; j < c->groups[i].n_members; j++)
			fprintf(out, " %u*%u", c->groups[i].members[j].tunnel,
				c->groups[i].members[j].weight);
		fprintf(out, "\n");
	}
	for (size_t i = 0; i < c->n_routes; i++)
		fprintf(out, "route %s class %u group %u on-fail %u stale %d\n",
			prefix_format(&c->routes[i].prefix, text, sizeof(text)),
			c->routes[i].class, c->routes[i].group, c->routes[i].on_fail,
			c->routes[i].stale);
	log_policies(c, out);
}

static void log_lookup(const struct kernel_lookup *lookup, FILE *out)
{
	char text[PREFIX_STRLEN];

	fprintf(out, "verdict %u group %u\n", lookup->verdict, lookup->group);
	for (size_t i = 0; i < lookup->n_candidates; i++) {
		const struct kernel_candidate *one = &lookup->candidates[i];

		fprintf(out, "candidate %s class %u group %u live %u on-fail %u result %u %u/%u\n",
			prefix_format(&one->prefix, text, sizeof(text)), one->class, one->group,
			one->live, one->on_fail, one->result, one->priority, one->sequence);
	}
}

bool cases_random(struct cases *c, unsigned int seed, unsigned int steps)
{
	unsigned int state = seed;
	FILE *out;

	free(c->log);
	c->log = NULL;
	out = open_memstream(&c->log, &c->log_size);
	if (!out)
		return false;
	c->failure[0] = '\0';
	empty(c);
	c->generation = 0;
	for (unsigned int i = 0; i < steps && !*c->failure; i++) {
		const char *step = random_step(c, &state);

		fprintf(out, "%u %s: %d \"%s\" %ld\n", i, step, c->error, c->text, c->index);
		if (!strcmp(step, "lookup"))
			log_lookup(&c->lookup, out);
		if (i % 8 == 7)
			log_state(c, out);
	}
	fclose(out);
	return !*c->failure;
}
