// SPDX-License-Identifier: GPL-2.0-only
#include "sys/kernel_model.h"

#include <linux/vgw.h>
#include <stdlib.h>

struct choice {
	uint8_t verdict;
	const struct kernel_route *route;
	const struct kernel_policy *policy;
	bool decided, seen_dead;
};

static int compare_matches(const void *a, const void *b)
{
	const struct kernel_route *x = *(const struct kernel_route *const *)a;
	const struct kernel_route *y = *(const struct kernel_route *const *)b;

	return x->prefix.len != y->prefix.len ? y->prefix.len - x->prefix.len :
						x->class - y->class;
}

/* Every route that covers the destination, longest prefix first, then class. */
static size_t find_matches(const struct model_gateway *gw, const struct addr *dst,
			   const struct kernel_route **matches)
{
	const struct kernel_route *routes = gw->routes.items;
	size_t n = 0;

	for (size_t i = 0; i < gw->routes.n; i++)
		if (prefix_contains(&routes[i].prefix, dst))
			matches[n++] = &routes[i];
	qsort(matches, n, sizeof(*matches), compare_matches);
	return n;
}

static uint32_t route_live(const struct model_gateway *gw, const struct kernel_route *route)
{
	const struct model_group *group = route->group ? model_group_find(gw, route->group) : NULL;

	return group ? model_group_live(gw, group) : 0;
}

static uint32_t group_live(const struct model_gateway *gw, uint32_t id)
{
	const struct model_group *group = model_group_find(gw, id);

	return group ? model_group_live(gw, group) : 0;
}

static bool policy_matches(const struct kernel_policy *policy, const struct kernel_flow *flow)
{
	struct addr src = flow->src;

	/* No source is the address 0. */
	if (!addr_is_set(&src))
		src.family = flow->dst.family;
	return prefix_contains(&policy->dst, &flow->dst) && prefix_contains(&policy->src, &src);
}

static void choose_policy(const struct model_gateway *gw, const struct kernel_flow *flow,
			  struct choice *choice)
{
	const struct kernel_policy *policies = gw->policies.items;

	for (size_t i = 0; i < gw->policies.n; i++) {
		if (!policy_matches(&policies[i], flow))
			continue;
		choice->policy = &policies[i];
		choice->decided = true;
		choice->verdict = VGW_VERDICT_TUNNEL;
		if (group_live(gw, policies[i].group))
			return;
		choice->seen_dead = true;
		choice->verdict = VGW_VERDICT_RESERVED;
		if (policies[i].on_fail == VGW_ON_FAIL_RESERVE)
			return;
	}
	choice->policy = NULL;
	choice->decided = false;
}

static void choose_route(const struct model_gateway *gw, const struct kernel_route **matches,
			 size_t n, struct choice *choice)
{
	for (size_t i = 0; i < n; i++) {
		choice->route = matches[i];
		choice->decided = true;
		if (matches[i]->class == VGW_ROUTE_CLASS_SYSTEM) {
			choice->verdict = VGW_VERDICT_SYSTEM;
			if (!choice->seen_dead)
				return;
			continue;
		}
		choice->verdict = VGW_VERDICT_TUNNEL;
		if (route_live(gw, matches[i]))
			return;
		choice->seen_dead = true;
		choice->verdict = VGW_VERDICT_RESERVED;
		if (matches[i]->on_fail == VGW_ON_FAIL_RESERVE)
			return;
	}
	choice->route = NULL;
	choice->decided = false;
	choice->verdict = choice->seen_dead ? VGW_VERDICT_DEAD : VGW_VERDICT_MISS;
}

static uint8_t candidate_result(const struct model_gateway *gw, const struct choice *choice,
				const struct kernel_route *route)
{
	if (choice->policy)
		return VGW_CANDIDATE_RESULT_AFTER_POLICY;
	if (choice->decided && route == choice->route)
		return choice->verdict == VGW_VERDICT_RESERVED ? VGW_CANDIDATE_RESULT_HELD :
								 VGW_CANDIDATE_RESULT_SELECTED;
	if (choice->decided && route->prefix.len < choice->route->prefix.len)
		return VGW_CANDIDATE_RESULT_SHORTER_PREFIX;
	if (choice->decided && route->prefix.len == choice->route->prefix.len &&
	    route->class > choice->route->class)
		return VGW_CANDIDATE_RESULT_LOWER_CLASS;
	return route->group && !route_live(gw, route) ? VGW_CANDIDATE_RESULT_ALL_DEAD :
							VGW_CANDIDATE_RESULT_CLEAR_TEXT;
}

/* The first live member, standbys last; right where only one can be meant. */
static void pick_tunnel(const struct model_gateway *gw, const struct model_group *group,
			struct kernel_lookup *lookup)
{
	const struct kernel_member *members = group->is.members, *best = NULL;

	for (uint32_t i = 0; i < group->is.n_members; i++)
		if (model_tunnel_live(gw, members[i].tunnel) &&
		    (!best || (!best->weight && members[i].weight)))
			best = &members[i];
	lookup->group = group->is.id;
	lookup->tunnel = best ? best->tunnel : 0;
	lookup->tunnel_ifindex = best ? model_tunnel_find(gw, best->tunnel)->is.ifindex : 0;
}

static void find_guard(const struct model_gateway *gw, const struct addr *dst,
		       struct kernel_lookup *lookup)
{
	for (size_t i = 0; i < gw->n_guards; i++)
		if (prefix_contains(&gw->guards[i], dst) &&
		    (!lookup->guard.addr.family || gw->guards[i].len > lookup->guard.len))
			lookup->guard = gw->guards[i];
	if (lookup->verdict == VGW_VERDICT_MISS && lookup->guard.addr.family)
		lookup->verdict = VGW_VERDICT_GUARD;
}

#define CANDIDATES_MAX \
	(sizeof(((struct kernel_lookup *)NULL)->candidates) / sizeof(struct kernel_candidate))
#define POLICIES_TOLD 32 /* and the one that decided */

static void tell_policies(const struct model_gateway *gw, const struct kernel_flow *flow,
			  const struct choice *choice, struct kernel_lookup *lookup)
{
	const struct kernel_policy *policies = gw->policies.items;
	uint8_t held = choice->verdict == VGW_VERDICT_RESERVED ? VGW_CANDIDATE_RESULT_HELD :
								 VGW_CANDIDATE_RESULT_SELECTED;
	bool passed = false;
	size_t told = 0;

	for (size_t i = 0; i < gw->policies.n; i++) {
		bool decided = &policies[i] == choice->policy;

		if (!policy_matches(&policies[i], flow))
			continue;
		if (told++ < POLICIES_TOLD || decided)
			lookup->candidates[lookup->n_candidates++] = (struct kernel_candidate){
				.prefix = policies[i].dst,
				.src = policies[i].src,
				.priority = policies[i].priority,
				.sequence = policies[i].sequence,
				.on_fail = policies[i].on_fail,
				.group = policies[i].group,
				.live = group_live(gw, policies[i].group),
				.result = decided ? held :
					  passed  ? VGW_CANDIDATE_RESULT_AFTER_POLICY :
						    VGW_CANDIDATE_RESULT_ALL_DEAD,
			};
		passed |= decided;
	}
}

void model_lookup(const struct model_gateway *gw, const struct kernel_flow *flow,
		    struct kernel_lookup *lookup)
{
	/* No more than three classes of 129 lengths. */
	const struct kernel_route *matches[3 * 129];
	size_t n = find_matches(gw, &flow->dst, matches);
	struct choice choice = { .verdict = VGW_VERDICT_MISS };

	choose_policy(gw, flow, &choice);
	if (!choice.policy)
		choose_route(gw, matches, n, &choice);
	lookup->verdict = choice.verdict;
	if (choice.verdict == VGW_VERDICT_TUNNEL)
		pick_tunnel(gw,
			    model_group_find(gw, choice.policy ? choice.policy->group :
								 choice.route->group),
			    lookup);
	tell_policies(gw, flow, &choice, lookup);
	for (size_t i = 0; i < n && lookup->n_candidates < CANDIDATES_MAX; i++)
		lookup->candidates[lookup->n_candidates++] = (struct kernel_candidate){
			.prefix = matches[i]->prefix,
			.class = matches[i]->class,
			.on_fail = matches[i]->on_fail,
			.group = matches[i]->group,
			.live = route_live(gw, matches[i]),
			.result = candidate_result(gw, &choice, matches[i]),
		};
	find_guard(gw, &flow->dst, lookup);
}
