// SPDX-License-Identifier: GPL-2.0-only
#include "sys/kernel_model.h"

#include <linux/vgw.h>
#include <stdlib.h>

struct choice {
	uint8_t verdict;
	const struct kernel_route *route;
	bool decided;
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

static struct choice choose(const struct model_gateway *gw, const struct kernel_route **matches,
			    size_t n)
{
	struct choice choice = { .verdict = VGW_VERDICT_MISS };
	bool seen_dead = false;

	for (size_t i = 0; i < n; i++) {
		choice.route = matches[i];
		choice.decided = true;
		if (matches[i]->class == VGW_ROUTE_CLASS_SYSTEM) {
			choice.verdict = VGW_VERDICT_SYSTEM;
			if (!seen_dead)
				return choice;
			continue;
		}
		choice.verdict = VGW_VERDICT_TUNNEL;
		if (route_live(gw, matches[i]))
			return choice;
		seen_dead = true;
		choice.verdict = VGW_VERDICT_RESERVED;
		if (matches[i]->on_fail == VGW_ON_FAIL_RESERVE)
			return choice;
	}
	choice.route = NULL;
	choice.decided = false;
	choice.verdict = seen_dead ? VGW_VERDICT_DEAD : VGW_VERDICT_MISS;
	return choice;
}

static uint8_t candidate_result(const struct model_gateway *gw, const struct choice *choice,
				const struct kernel_route *route)
{
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

void model_lookup(const struct model_gateway *gw, const struct kernel_flow *flow,
		    struct kernel_lookup *lookup)
{
	/* No more than three classes of 129 lengths. */
	const struct kernel_route *matches[3 * 129];
	size_t n = find_matches(gw, &flow->dst, matches);
	struct choice choice = choose(gw, matches, n);

	lookup->verdict = choice.verdict;
	if (choice.verdict == VGW_VERDICT_TUNNEL)
		pick_tunnel(gw, model_group_find(gw, choice.route->group), lookup);
	for (size_t i = 0; i < n && i < sizeof(lookup->candidates) / sizeof(lookup->candidates[0]);
	     i++)
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

