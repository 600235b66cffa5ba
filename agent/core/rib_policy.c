// SPDX-License-Identifier: GPL-2.0-only
/*
 * Import rules: may a path be in the table at all? The verdict is a function of
 * the path, its source and the policy, and knows nothing of other paths; the
 * quota, which does, is in rib.c.
 *
 * The checks run in a fixed order and the first that fails is the verdict:
 *
 *  1. length: the prefix is a proper value of its family.
 *  2. default: 0.0.0.0/0 and ::/0 only on a transit attachment (rules 40, 41).
 *  3. never: loopback, link-local, multicast and the like (rule 50).
 *  4. reserved: 100.64.0.0/10 and its relatives, if the profile says so (rule 49).
 *  5. own AS: our AS number in the path is a loop (rule 18, RFC 4271 9.1.2).
 *  6. first AS: the path begins with the peer's own AS (RFC 4271 6.3).
 *  7. next hop: the peer itself. The tunnel is point-to-point; a third party's
 *     address would name a place where the packets do not go.
 *  8. protected: equal to or inside a local prefix, unless overlap is allowed (D4).
 *  9. outer peer: covers the outer address of a tunnel's peer; ESP would be routed
 *     into its own tunnel (rule 50).
 * 10. site AS: the site was configured with another AS (rule 11).
 *
 * Of a transit peer, 7 to 10 are others:
 *
 *  7. next hop: an address on the network that this side has there (RFC 4271 5.1.3: a router
 *     may name its neighbour; a reflector always does).
 *  8. site route: a site's AS is in the path, or the mark of a gateway that had the
 *     route from a site. It would win over our own way to the site, and go on to other
 *     sites as if it were the domain's (D11).
 *  9. overlap: with a route of a site, where overlapping routing is off (rule 42).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/rib_private.h"
#include "core/rules.h"

static const struct {
	const char *name, *reason;
} verdicts[RIB_N_VERDICTS] = {
	[RIB_ACCEPTED] = {
		"accepted",
		"The import rules let it in.",
	},
	[RIB_REJECT_DEFAULT] = {
		"default-refused",
		"A VPN gateway takes no default route from a peer; a transit attachment does.",
	},
	[RIB_REJECT_NEVER] = {
		"never-accepted",
		"Loopback, link-local, multicast and the like are no destinations to route to.",
	},
	[RIB_REJECT_PROTECTED] = {
		"protected",
		"Equal to or inside a local prefix, and overlap is not allowed.",
	},
	[RIB_REJECT_OWN_AS] = {
		"own-as",
		"The AS path has the gateway's own AS in it, so it is a loop.",
	},
	[RIB_REJECT_RESERVED] = {
		"reserved-range",
		"Overlaps 100.64.0.0/10, which the profile keeps for the platform.",
	},
	[RIB_REJECT_OUTER_PEER] = {
		"outer-peer",
		"Covers a tunnel's outer peer: without a pinned route it would go into itself.",
	},
	[RIB_REJECT_SITE_AS] = {
		"site-as",
		"The AS path begins with another AS than the site's; one site has one AS.",
	},
	[RIB_REJECT_FIRST_AS] = {
		"first-as",
		"The AS path does not begin with the peer's AS.",
	},
	[RIB_REJECT_NEXT_HOP] = {
		"next-hop",
		"The next hop is not the peer's own address on the tunnel.",
	},
	[RIB_REJECT_QUOTA] = {
		"quota",
		"The table is full; the prefix enters when there is room.",
	},
	[RIB_REJECT_LENGTH] = {
		"length",
		"Longer than an address, or it has bits behind its length.",
	},
	[RIB_REJECT_SITE_ROUTE] = {
		"site-route",
		"Learned from a site, by its AS or a gateway's mark: not the domain's own.",
	},
	[RIB_REJECT_OVERLAP] = {
		"overlap",
		"Overlaps a site's route, and the transit domain has overlapping routing off.",
	},
};

const char *rib_verdict_name(enum rib_verdict verdict)
{
	return verdict < RIB_N_VERDICTS ? verdicts[verdict].name : "unknown";
}

const char *rib_verdict_reason(enum rib_verdict verdict)
{
	return verdict < RIB_N_VERDICTS ? verdicts[verdict].reason : "Unknown.";
}

static unsigned int first_word(const struct addr *a)
{
	return (unsigned int)a->b[0] << 8 | a->b[1];
}

/* Some rule is about this block: who begins like it has to be looked at. */
static void rules_concern(struct rib_rules *rules, const struct prefix *block)
{
	uint64_t *words = rules->concerned[block->addr.family == AF_INET6];
	unsigned int n = block->len < 16 ? 1u << (16 - block->len) : 1;
	unsigned int first = first_word(&block->addr) & ~(n - 1);

	for (unsigned int i = first; i < first + n; i++)
		words[i / 64] |= 1ull << i % 64;
}

/* Nearly all prefixes: no rule is about their part of the address space. */
static bool is_unconcerned(const struct rib_rules *rules, const struct prefix *prefix)
{
	const uint64_t *words = rules->concerned[prefix->addr.family == AF_INET6];
	unsigned int i = first_word(&prefix->addr);

	return prefix->len >= 16 && !(words[i / 64] >> i % 64 & 1);
}

static bool addr_is_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* ::ffff:a.b.c.d, what an IPv4 session may give as the IPv6 next hop (RFC 4760 has no rule). */
static bool addr_maps(const struct addr *v6, const struct addr *v4)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return v6->family == AF_INET6 && v4->family == AF_INET &&
	       !memcmp(v6->b, mapped, sizeof(mapped)) && !memcmp(v6->b + 12, v4->b, 4);
}

/*
 * A link-local address is by its nature one on the tunnel, and a peer gives one
 * besides the global address only if that is on the link too (RFC 2545 3).
 */
static bool next_hop_is_peer(const struct rib_source *source, const struct attrs *attrs)
{
	const struct addr *peer = &source->config.peer, *hop = &attrs->next_hop;

	return addr_is_set(hop) &&
	       (addr_equal(hop, peer) || addr_is_link_local(hop) ||
		addr_is_link_local(&attrs->link_local) || addr_maps(hop, peer));
}

static bool is_protected(const struct rib_rules *rules, const struct prefix *prefix)
{
	struct prefix cover = { 0 };

	return !rules->overlap_allow && pmap_covering(&rules->protected, prefix, &cover, NULL);
}

static enum rib_verdict judge_prefix(const struct rib_rules *rules, const struct prefix *prefix,
				     bool unconcerned)
{
	if (!prefix_is_proper(prefix))
		return RIB_REJECT_LENGTH;
	if (unconcerned)
		return RIB_ACCEPTED;
	if (!rules->transit && prefix_is_default(prefix))
		return RIB_REJECT_DEFAULT;
	if (rules_never_accept(prefix))
		return RIB_REJECT_NEVER;
	if (rules->reserved_ranges && rules_reserved_range(prefix))
		return RIB_REJECT_RESERVED;
	return RIB_ACCEPTED;
}

/* Rule 50: would the prefix win over the underlay's own route to some tunnel's far end? */
static bool takes_outer_peer(const struct rib_rules *rules, const struct prefix *prefix)
{
	unsigned int host = addr_bits(prefix->addr.family);
	struct prefix key = *prefix;
	void *pinned;

	if (prefix->len == host && pmap_contains(&rules->outer_peers, prefix))
		return (uintptr_t)pmap_get(&rules->outer_peers, prefix) <= prefix->len;
	while (pmap_next(&rules->outer_peers, &key, &pinned) && prefix_covers(prefix, &key))
		if ((uintptr_t)pinned <= prefix->len)
			return true;
	return false;
}

static struct prefix host_of(const struct addr *a)
{
	return (struct prefix){ .addr = *a, .len = (uint8_t)addr_bits(a->family) };
}

/* Another router of the network that our address there is of; what is link-local is there. */
static bool next_hop_is_near(const struct rib_rules *rules, const struct rib_source *source,
			     const struct attrs *attrs)
{
	const struct addr *hop = &attrs->next_hop, *local = &source->config.local;
	struct prefix host, own, network = { 0 };

	if (hop->family != local->family || addr_equal(hop, local))
		return false;
	if (addr_equal(hop, &source->config.peer) || addr_is_link_local(hop))
		return true;
	host = host_of(hop);
	own = host_of(local);
	return pmap_covering(&rules->connected, &host, &network, NULL) &&
	       prefix_covers(&network, &own);
}

static int compare_ases(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool comes_from_site(const struct rib_rules *rules, const struct attrs *attrs)
{
	for (size_t i = 0; i < attrs->n_large_communities; i++)
		if (attrs->large_communities[i].local1 == RIB_SITE_MARK)
			return true;
	for (size_t i = 0; i < rules->n_site_ases; i++)
		if (attrs_path_contains(attrs, rules->site_ases[i]))
			return true;
	return false;
}

static bool overlaps(const struct pmap *map, const struct prefix *prefix)
{
	struct prefix cover = { 0 };

	return pmap_covering(map, prefix, &cover, NULL) || pmap_any_inside(map, prefix);
}

static enum rib_verdict judge_transit(const struct rib_rules *rules,
				      const struct rib_source *source, const struct prefix *prefix,
				      const struct attrs *attrs)
{
	if (!next_hop_is_near(rules, source, attrs))
		return RIB_REJECT_NEXT_HOP;
	if (comes_from_site(rules, attrs))
		return RIB_REJECT_SITE_ROUTE;
	if (overlaps(&rules->apart, prefix))
		return RIB_REJECT_OVERLAP;
	return RIB_ACCEPTED;
}

enum rib_verdict rib_judge(const struct rib_rules *rules, const struct rib_source *source,
			   const struct prefix *prefix, const struct attrs *attrs)
{
	const struct rib_source_config *config = &source->config;
	bool unconcerned = is_unconcerned(rules, prefix);
	enum rib_verdict verdict = judge_prefix(rules, prefix, unconcerned);

	if (verdict != RIB_ACCEPTED)
		return verdict;
	if (attrs_path_contains(attrs, rules->local_as))
		return RIB_REJECT_OWN_AS;
	if (config->peer_as && attrs->neighbour_as != config->peer_as)
		return RIB_REJECT_FIRST_AS;
	if (config->transit)
		return judge_transit(rules, source, prefix, attrs);
	if (!next_hop_is_peer(source, attrs))
		return RIB_REJECT_NEXT_HOP;
	if (!unconcerned && is_protected(rules, prefix))
		return RIB_REJECT_PROTECTED;
	if (!unconcerned && takes_outer_peer(rules, prefix))
		return RIB_REJECT_OUTER_PEER;
	if (config->site_as && attrs->neighbour_as != config->site_as)
		return RIB_REJECT_SITE_AS;
	return RIB_ACCEPTED;
}

void rib_rules_clear(struct rib_rules *rules)
{
	pmap_clear(&rules->protected, NULL);
	pmap_clear(&rules->outer_peers, NULL);
	pmap_clear(&rules->connected, NULL);
	pmap_clear(&rules->apart, NULL);
	free(rules->site_ases);
	rules->site_ases = NULL;
}

static int rules_fill_prefixes(struct pmap *map, const struct prefix *list, size_t n)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		if (addr_is_set(&list[i].addr))
			rc = pmap_put(map, &list[i], NULL);
	return rc;
}

static int rules_fill_ases(struct rib_rules *rules, const struct rib_policy *policy)
{
	size_t size = policy->n_site_ases * sizeof(*rules->site_ases);

	if (!size)
		return 0;
	rules->site_ases = malloc(size);
	if (!rules->site_ases)
		return -ENOMEM;
	memcpy(rules->site_ases, policy->site_ases, size);
	rules->n_site_ases = policy->n_site_ases;
	qsort(rules->site_ases, rules->n_site_ases, sizeof(*rules->site_ases), compare_ases);
	return 0;
}

static int rules_fill(struct rib_rules *rules, const struct rib_policy *policy)
{
	const struct prefix *block;
	int rc = 0;

	for (size_t i = 0; (block = rules_block(i)); i++)
		rules_concern(rules, block);
	for (size_t i = 0; !rc && i < policy->n_protected; i++) {
		block = &policy->protected[i];
		if (!addr_is_set(&block->addr))
			continue;
		rules_concern(rules, block);
		rc = pmap_put(&rules->protected, block, NULL);
	}
	if (!rc)
		rc = rules_fill_prefixes(&rules->connected, policy->connected,
					 policy->n_connected);
	if (!rc)
		rc = rules_fill_prefixes(&rules->apart, policy->apart, policy->n_apart);
	if (!rc)
		rc = rules_fill_ases(rules, policy);
	for (size_t i = 0; !rc && i < policy->n_outer_peers; i++) {
		const struct addr *peer = &policy->outer_peers[i];
		struct prefix host = { .addr = *peer, .len = (uint8_t)addr_bits(peer->family) };
		uintptr_t pinned = policy->outer_pinned ? policy->outer_pinned[i] : 0;

		if (!addr_is_set(peer))
			continue;
		rules_concern(rules, &host);
		rc = pmap_put(&rules->outer_peers, &host, (void *)pinned);
	}
	if (rc)
		rib_rules_clear(rules);
	return rc;
}

/* Prefixes that a change may still touch at once; after that all are gone through in steps. */
struct budget {
	struct rib *rib;
	unsigned int left;
};

static bool rejudge(struct budget *budget, struct rib_prefix *prefix)
{
	if (!budget->left)
		return false;
	budget->left--;
	if (prefix)
		rib_prefix_rejudge(budget->rib, prefix);
	return true;
}

static bool rejudge_inside(struct budget *budget, const struct prefix *outer)
{
	struct rib_prefix *prefix = rib_prefix_find(budget->rib, outer);
	struct prefix key = *outer;

	if (!rejudge(budget, prefix))
		return false;
	while ((prefix = rib_prefix_next(budget->rib, &key))) {
		ptable_key(&budget->rib->table, prefix, &key);
		if (!prefix_covers(outer, &key))
			break;
		if (!rejudge(budget, prefix))
			return false;
	}
	return true;
}

static bool rejudge_covering(struct budget *budget, const struct prefix *inner)
{
	struct prefix key = *inner;

	for (unsigned int len = inner->len + 1u; len-- > 0;) {
		key.len = (uint8_t)len;
		prefix_normalize(&key);
		if (!rejudge(budget, rib_prefix_find(budget->rib, &key)))
			return false;
	}
	return true;
}

/* Rejudges for what is in a and not, or with another value, in b. False: too much of it. */
static bool rejudge_difference(struct budget *budget, const struct pmap *a, const struct pmap *b,
			       bool (*touch)(struct budget *budget, const struct prefix *prefix))
{
	struct prefix key = { 0 };
	void *value;

	while (pmap_next(a, &key, &value))
		if ((!pmap_contains(b, &key) || pmap_get(b, &key) != value) && !touch(budget, &key))
			return false;
	return true;
}

static bool same_prefixes(const struct pmap *a, const struct pmap *b)
{
	struct prefix key = { 0 };

	if (pmap_count(a) != pmap_count(b))
		return false;
	while (pmap_next(a, &key, NULL))
		if (!pmap_contains(b, &key))
			return false;
	return true;
}

static bool same_ases(const struct rib_rules *a, const struct rib_rules *b)
{
	return a->n_site_ases == b->n_site_ases &&
	       (!a->n_site_ases ||
		!memcmp(a->site_ases, b->site_ases, a->n_site_ases * sizeof(*a->site_ases)));
}

/* Every route of the domain that comes or goes is a new policy: touch only what it can touch. */
static bool rejudge_changed(struct rib *rib, const struct rib_rules *old)
{
	const struct rib_rules *new = &rib->rules;
	struct budget budget = { rib, rib->step };

	if (old->local_as != new->local_as || old->transit != new->transit ||
	    old->overlap_allow != new->overlap_allow ||
	    old->reserved_ranges != new->reserved_ranges || !same_ases(old, new) ||
	    !same_prefixes(&old->connected, &new->connected) ||
	    !same_prefixes(&old->apart, &new->apart))
		return false;
	if (!new->overlap_allow &&
	    (!rejudge_difference(&budget, &old->protected, &new->protected, rejudge_inside) ||
	     !rejudge_difference(&budget, &new->protected, &old->protected, rejudge_inside)))
		return false;
	return rejudge_difference(&budget, &old->outer_peers, &new->outer_peers,
				  rejudge_covering) &&
	       rejudge_difference(&budget, &new->outer_peers, &old->outer_peers,
				  rejudge_covering);
}

int rib_set_policy(struct rib *rib, const struct rib_policy *policy)
{
	struct rib_rules old = rib->rules, new = {
		.local_as = policy->local_as,
		.quota = policy->quota,
		.multipath_max = policy->multipath_max,
		.transit = policy->transit,
		.overlap_allow = policy->overlap_allow,
		.reserved_ranges = policy->reserved_ranges,
	};
	int rc = rules_fill(&new, policy);

	if (rc)
		return rc;
	rib->rules = new;
	rib_admission_hold(rib);
	if (!rejudge_changed(rib, &old))
		rib_pass_want(rib, RIB_PASS_JUDGE);
	if (old.multipath_max != new.multipath_max)
		rib_pass_want(rib, RIB_PASS_MULTIPATH);
	rib_admission_release(rib);
	rib_rules_clear(&old);
	rib_work_begin(rib);
	return 0;
}
