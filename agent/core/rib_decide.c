// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decision process (RFC 4271 9.1.2.2, for a gateway with external peers only).
 *
 * Of the accepted paths of a prefix, in this order:
 *
 *  0. A path through a drained tunnel goes if there is one through another tunnel.
 *  1. Those with the highest local preference stay; 100 where none was given.
 *  2. The shortest AS path stays.
 *  3. The lowest origin stays: IGP, EGP, incomplete.
 *  4. MED: a path goes if another one from the same neighbour AS has a lower MED.
 *     A missing MED is 0. Paths from different neighbours are not compared. As
 *     the whole set is looked at, no order of arrival can matter.
 *  5. Site: all that is left of one site may share the traffic, but two sites
 *     never do (D8). The path with the lowest router-id (then the lowest peer
 *     address, then the lowest tunnel) wins for its site.
 *  6. Of the winner's site at most multipath_max paths are used, those with the
 *     lowest peer addresses. The one of them that is lowest in the order of
 *     step 5 is called the best.
 *
 * Of the winner's site, the tunnels of step 0 stand by: next hops of weight 0, for the
 * moment in which the others are dead and their paths are not yet withdrawn.
 *
 * The next hops share by the weights of their tunnels. Where none has a weight other
 * than 1 and every path has a link bandwidth community, they share in its ratio.
 *
 * Paths of private lines take no part: the system table prefers a line's route or
 * does not, whatever the attributes say.
 *
 * A path that is stale under RFC 4724 counts like any other: a peer that
 * restarts while it forwards must not move a flow.
 *
 * Our implementation: every path carries the step at which it lost, and each of
 * the steps above is a pass over the paths that are still in. There are a
 * few at most, one per tunnel, so nothing is allocated and nothing is cached;
 * asking again gives the same answer.
 */
#include <string.h>

#include "core/link_bandwidth.h"
#include "core/rib_private.h"

#define MULTIPATH_DEFAULT 16

static const char *const step_names[RIB_N_STEPS] = {
	[RIB_STEP_BEST] = "best",
	[RIB_STEP_MULTIPATH] = "multipath",
	[RIB_STEP_DRAINED] = "drained",
	[RIB_STEP_LOCAL_PREF] = "local-pref",
	[RIB_STEP_AS_PATH] = "as-path",
	[RIB_STEP_ORIGIN] = "origin",
	[RIB_STEP_MED] = "med",
	[RIB_STEP_SITE] = "site",
	[RIB_STEP_ROUTER_ID] = "router-id",
	[RIB_STEP_PEER_ADDRESS] = "peer-address",
	[RIB_STEP_LINE] = "line",
	[RIB_STEP_REJECTED] = "rejected",
};

const char *rib_step_name(enum rib_step step)
{
	return step < RIB_N_STEPS ? step_names[step] : "unknown";
}

/* Paths that are still in have this step until the end. */
enum { IN = RIB_STEP_BEST };

#define for_each_in(path, rib, prefix)           \
	rib_for_each_path(path, rib, prefix) \
		if (path->step == IN)

static void keep_undrained(const struct rib *rib, struct rib_prefix *prefix)
{
	bool other = false;

	if (!rib->n_drained)
		return;
	for_each_in(path, rib, prefix)
		other |= !rib_path_source(path)->drained;
	if (!other)
		return;
	for_each_in(path, rib, prefix)
		if (rib_path_source(path)->drained)
			path->step = RIB_STEP_DRAINED;
}

/* Steps 1 to 3 are one number of the set (attrs->order); where two differ is the step. */
static enum rib_step order_step(uint64_t best, uint64_t other)
{
	uint64_t differ = best ^ other;

	if (differ >> ATTRS_ORDER_LOCAL_PREF)
		return RIB_STEP_LOCAL_PREF;
	return differ >> ATTRS_ORDER_PATH ? RIB_STEP_AS_PATH : RIB_STEP_ORIGIN;
}

static void keep_lowest_order(const struct rib *rib, struct rib_prefix *prefix)
{
	uint64_t lowest = UINT64_MAX;

	for_each_in(path, rib, prefix)
		if (path->attrs->order < lowest)
			lowest = path->attrs->order;
	for_each_in(path, rib, prefix)
		if (path->attrs->order > lowest)
			path->step = order_step(lowest, path->attrs->order);
}

static uint32_t path_med(const struct rib_path *path)
{
	return path->attrs->has_med ? path->attrs->med : 0;
}

/* What is thrown out on the way was beaten by a lower one that stays, so it is not missed. */
static void keep_lowest_med(const struct rib *rib, struct rib_prefix *prefix)
{
	for_each_in(path, rib, prefix) {
		for_each_in(other, rib, prefix) {
			if (other->attrs->neighbour_as == path->attrs->neighbour_as &&
			    path_med(other) < path_med(path)) {
				path->step = RIB_STEP_MED;
				break;
			}
		}
	}
}

static int compare_peers(const struct rib_path *a, const struct rib_path *b)
{
	const struct rib_source_config *x = &rib_path_source(a)->config;
	const struct rib_source_config *y = &rib_path_source(b)->config;
	int order = addr_compare(&x->peer, &y->peer);

	if (!order && x->tunnel != y->tunnel)
		order = x->tunnel < y->tunnel ? -1 : 1;
	return order;
}

static int compare_ids(const struct rib_path *a, const struct rib_path *b)
{
	uint32_t x = rib_path_source(a)->router_id, y = rib_path_source(b)->router_id;

	if (x != y)
		return x < y ? -1 : 1;
	return compare_peers(a, b);
}

static struct rib_path *lowest_id(const struct rib *rib, struct rib_prefix *prefix)
{
	struct rib_path *lowest = NULL;

	for_each_in(path, rib, prefix)
		if (!lowest || compare_ids(path, lowest) < 0)
			lowest = path;
	return lowest;
}

/*
 * A losing site's own first lost by the comparison of step 5; the others of that
 * site lost because their site did.
 */
static void keep_site(const struct rib *rib, struct rib_prefix *prefix,
		      const struct rib_path *winner)
{
	const struct rib_source *first = rib_path_source(winner);

	rib_for_each_path(path, rib, prefix) {
		const struct rib_source *source = rib_path_source(path);

		if (path->step != IN || source->config.site == first->config.site)
			continue;
		path->step = source->router_id == first->router_id ? RIB_STEP_PEER_ADDRESS :
								     RIB_STEP_ROUTER_ID;
		rib_for_each_path(other, rib, prefix) {
			bool was_in = other->step == IN || other->step == RIB_STEP_SITE ||
				      other->step == RIB_STEP_ROUTER_ID ||
				      other->step == RIB_STEP_PEER_ADDRESS;

			if (was_in && rib_path_source(other)->config.site == source->config.site &&
			    compare_ids(other, path) < 0)
				path->step = RIB_STEP_SITE;
		}
	}
}

static void keep_multipath(const struct rib *rib, struct rib_prefix *prefix, uint32_t max)
{
	size_t n = 0;

	for_each_in(path, rib, prefix)
		n++;
	for (; n > max; n--) {
		struct rib_path *last = NULL;

		for_each_in(path, rib, prefix)
			if (!last || compare_peers(path, last) > 0)
				last = path;
		last->step = RIB_STEP_PEER_ADDRESS;
	}
}

static enum rib_step first_step(const struct rib_path *path)
{
	if (path->verdict != RIB_ACCEPTED || !rib_path_is_live(path))
		return RIB_STEP_REJECTED;
	return rib_path_source(path)->config.line ? RIB_STEP_LINE : IN;
}

/* Gives every path its step; returns the best, NULL if there is no route. */
static struct rib_path *decide(const struct rib *rib, struct rib_prefix *prefix)
{
	uint32_t max = rib->rules.multipath_max ? rib->rules.multipath_max : MULTIPATH_DEFAULT;
	struct rib_path *best = rib_path_at(rib, prefix->paths);

	rib_for_each_path(path, rib, prefix)
		path->step = first_step(path);
	if (best && !best->next)
		return best->step == IN ? best : NULL;
	keep_undrained(rib, prefix);
	keep_lowest_order(rib, prefix);
	keep_lowest_med(rib, prefix);
	best = lowest_id(rib, prefix);
	if (!best)
		return NULL;
	keep_site(rib, prefix, best);
	keep_multipath(rib, prefix, max < RIB_NEXT_HOPS_MAX ? max : RIB_NEXT_HOPS_MAX);
	best = lowest_id(rib, prefix);
	for_each_in(path, rib, prefix)
		if (path != best)
			path->step = RIB_STEP_MULTIPATH;
	return best;
}

/*
 * Sorted by tunnel, bandwidths beside. Two sources on one tunnel are one next hop, with the
 * greater weight and, if both tell one, the greater bandwidth.
 */
static void next_hop_add(struct rib_decision *decision, uint64_t *bandwidths,
			 const struct rib_source_config *config, uint8_t weight, uint64_t bandwidth)
{
	struct rib_next_hop *hops = decision->next_hops;
	uint32_t i = 0;

	while (i < decision->n_next_hops && hops[i].tunnel < config->tunnel)
		i++;
	if (i < decision->n_next_hops && hops[i].tunnel == config->tunnel) {
		if (hops[i].weight < weight)
			hops[i].weight = weight;
		if (bandwidths[i] && (!bandwidth || bandwidths[i] < bandwidth))
			bandwidths[i] = bandwidth;
		return;
	}
	memmove(&hops[i + 1], &hops[i], (decision->n_next_hops - i) * sizeof(*hops));
	memmove(&bandwidths[i + 1], &bandwidths[i],
		(decision->n_next_hops - i) * sizeof(*bandwidths));
	bandwidths[i] = bandwidth;
	hops[i] = (struct rib_next_hop){ .tunnel = config->tunnel, .weight = weight };
	decision->n_next_hops++;
}

/* Where every path tells its bandwidth, and the operator no weights, these are the shares. */
static void next_hops_weigh(struct rib_decision *decision, const uint64_t *bandwidths)
{
	uint8_t weights[RIB_NEXT_HOPS_MAX];

	for (uint32_t i = 0; i < decision->n_next_hops; i++)
		if (!bandwidths[i] || decision->next_hops[i].weight > 1)
			return;
	link_bandwidth_weights(bandwidths, decision->n_next_hops, weights);
	for (uint32_t i = 0; i < decision->n_next_hops; i++)
		decision->next_hops[i].weight = weights[i];
}

/* Those of step 0, as far as there is room. */
static void next_hops_stand_by(const struct rib *rib, struct rib_prefix *prefix, uint32_t site,
			       struct rib_decision *decision, uint64_t *bandwidths)
{
	rib_for_each_path(path, rib, prefix) {
		const struct rib_source_config *config = &rib_path_source(path)->config;

		if (path->step == RIB_STEP_DRAINED && config->site == site &&
		    decision->n_next_hops < RIB_NEXT_HOPS_MAX)
			next_hop_add(decision, bandwidths, config, 0, 0);
	}
}

void rib_decide(struct rib *rib, const struct prefix *prefix, struct rib_decision *decision)
{
	uint64_t bandwidths[RIB_NEXT_HOPS_MAX];
	struct rib_prefix *entry = rib_prefix_find(rib, prefix);
	struct rib_path *best = entry ? decide(rib, entry) : NULL;

	decision->n_next_hops = 0;
	decision->best = best ? best->attrs : NULL;
	if (!best)
		return;
	rib_for_each_path(path, rib, entry) {
		const struct rib_source_config *config = &rib_path_source(path)->config;

		if (path->step == RIB_STEP_BEST || path->step == RIB_STEP_MULTIPATH)
			next_hop_add(decision, bandwidths, config,
				     config->weight ? config->weight : 1,
				     link_bandwidth_get(path->attrs));
	}
	next_hops_weigh(decision, bandwidths);
	next_hops_stand_by(rib, entry, rib_path_source(best)->config.site, decision, bandwidths);
}

/* For people: winners first, then how far the losers came, refused ones last. */
static bool comes_before(const struct rib_path *a, const struct rib_path *b)
{
	static const uint8_t rank[RIB_N_STEPS] = {
		[RIB_STEP_BEST] = 0,	     [RIB_STEP_MULTIPATH] = 1, [RIB_STEP_PEER_ADDRESS] = 2,
		[RIB_STEP_ROUTER_ID] = 3,    [RIB_STEP_SITE] = 4,      [RIB_STEP_MED] = 5,
		[RIB_STEP_ORIGIN] = 6,	     [RIB_STEP_AS_PATH] = 7,   [RIB_STEP_LOCAL_PREF] = 8,
		[RIB_STEP_DRAINED] = 9,	     [RIB_STEP_LINE] = 10,    [RIB_STEP_REJECTED] = 11,
	};

	if (rank[a->step] != rank[b->step])
		return rank[a->step] < rank[b->step];
	return compare_ids(a, b) < 0;
}

/* Sorted insertion by links, so that the prefix's own list gets the order to show. */
static void sort_paths(const struct rib *rib, struct rib_prefix *entry)
{
	uint32_t rest = entry->paths, *link;

	entry->paths = 0;
	while (rest) {
		struct rib_path *path = rib_path_at(rib, rest);
		uint32_t next = path->next;

		link = &entry->paths;
		while (*link && !comes_before(path, rib_path_at(rib, *link)))
			link = &rib_path_at(rib, *link)->next;
		path->next = *link;
		*link = rest;
		rest = next;
	}
}

size_t rib_paths(struct rib *rib, const struct prefix *prefix, struct rib_path_info *out,
		 size_t max)
{
	struct rib_prefix *entry = rib_prefix_find(rib, prefix);
	size_t n = 0;

	if (!entry)
		return 0;
	decide(rib, entry);
	sort_paths(rib, entry);
	rib_for_each_path(path, rib, entry) {
		if (!rib_path_is_live(path) || n++ >= max)
			continue;
		out[n - 1] = (struct rib_path_info){
			.source = rib_path_source(path),
			.attrs = path->attrs,
			.verdict = path->verdict,
			.step = path->step,
			.stale = rib_path_is_stale(path),
			.since = path->since,
		};
	}
	return n;
}
