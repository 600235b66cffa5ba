// SPDX-License-Identifier: GPL-2.0-only
#include "select.h"

#include <linux/vgw.h>

#include "gateway.h"
#include "group.h"

void vgw_key_from_addr(struct vgw_lpm_key *key, u8 family, const union vgw_addr *addr)
{
	memset(key, 0, sizeof(*key));
	memcpy(key, addr, family == AF_INET ? sizeof(addr->v4) : sizeof(addr->v6));
}

/* True: the search is over, because somebody carries it, or the group's route keeps it. */
static bool try_group(struct vgw_group *group, u8 on_fail, u32 hash,
		      const struct vgw_excluded *excluded, bool *seen_dead,
		      struct vgw_choice *choice)
{
	choice->group = group;
	choice->tunnel = vgw_group_pick(group, hash, excluded ? excluded->tunnel : NULL,
					excluded ? excluded->n : 0, &choice->bucket);
	if (choice->tunnel) {
		choice->verdict = VGW_VERDICT_TUNNEL;
		return true;
	}
	*seen_dead = true;
	choice->verdict = VGW_VERDICT_RESERVED;
	return on_fail == VGW_ON_FAIL_RESERVE;
}

static bool try_policies(const struct vgw_gateway *gw, unsigned int table,
			 const struct vgw_lpm_key *src, const struct vgw_lpm_key *dst, u32 hash,
			 const struct vgw_excluded *excluded, bool *seen_dead,
			 struct vgw_choice *choice)
{
	const struct vgw_policy_set *set = rcu_dereference(gw->policies[table]);

	if (likely(!set))
		return false;
	while ((choice->policy = vgw_policy_match(set, src, dst, choice->policy)))
		if (try_group(choice->policy->group, choice->policy->on_fail, hash, excluded,
			      seen_dead, choice))
			return true;
	return false;
}

/* One class of one prefix. True: the search is over. */
static bool try_slot(const struct vgw_slot *slot, unsigned int index, u32 hash,
		     const struct vgw_excluded *excluded, bool *seen_dead,
		     struct vgw_choice *choice)
{
	choice->slot = index;
	if (index == VGW_ROUTE_CLASS_SYSTEM - 1) {
		choice->verdict = VGW_VERDICT_SYSTEM;
		/* Behind a dead tunnel, clear text is no way out. */
		return !*seen_dead;
	}
	return try_group(slot->group, slot->on_fail, hash, excluded, seen_dead, choice);
}

static bool try_chain(const struct vgw_chain *chain, u32 hash, const struct vgw_excluded *excluded,
		      bool *seen_dead, struct vgw_choice *choice)
{
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		if (chain->slot[i].present &&
		    try_slot(&chain->slot[i], i, hash, excluded, seen_dead, choice))
			return true;
	return false;
}

/* Prefix by prefix, from the longest on. */
static void walk(const struct vgw_gateway *gw, unsigned int table, const struct vgw_lpm_key *key,
		 u32 hash, const struct vgw_excluded *excluded, bool seen_dead,
		 struct vgw_choice *choice)
{
	u8 len = VGW_LPM_START;
	u16 id;

	while ((id = vgw_lpm_lookup_below(gw->lpm[table], key, &len))) {
		const struct vgw_chain *chain = vgw_chain_get(gw, id);

		choice->len = len;
		if (chain && try_chain(chain, hash, excluded, &seen_dead, choice))
			return;
	}
	choice->tunnel = NULL;
	if (seen_dead)
		choice->verdict = VGW_VERDICT_DEAD;
	else if (vgw_lpm_lookup(gw->guard[table], key))
		choice->verdict = VGW_VERDICT_GUARD;
	else
		choice->verdict = VGW_VERDICT_MISS;
}

void vgw_select_explain(const struct vgw_gateway *gw, const struct vgw_flow *flow, u32 hash,
			const struct vgw_excluded *excluded, struct vgw_choice *choice)
{
	unsigned int table = flow->family == AF_INET6;
	struct vgw_lpm_key src, dst;
	bool seen_dead = false;

	vgw_key_from_addr(&src, flow->family, &flow->src);
	vgw_key_from_addr(&dst, flow->family, &flow->dst);
	memset(choice, 0, sizeof(*choice));
	if (!try_policies(gw, table, &src, &dst, hash, excluded, &seen_dead, choice))
		walk(gw, table, &dst, hash, excluded, seen_dead, choice);
}

void vgw_select(const struct vgw_gateway *gw, const struct vgw_flow *flow, u32 hash,
		const struct vgw_excluded *excluded, struct vgw_choice *choice)
{
	unsigned int table = flow->family == AF_INET6;
	const struct vgw_chain *chain;
	struct vgw_lpm_key src, dst;
	bool seen_dead = false;

	vgw_key_from_addr(&src, flow->family, &flow->src);
	vgw_key_from_addr(&dst, flow->family, &flow->dst);
	memset(choice, 0, sizeof(*choice));
	if (try_policies(gw, table, &src, &dst, hash, excluded, &seen_dead, choice))
		return;
	chain = vgw_chain_get(gw, vgw_lpm_lookup(gw->lpm[table], &dst));
	if (chain && try_chain(chain, hash, excluded, &seen_dead, choice))
		return;
	/* All at that prefix is dead, or there is none. */
	walk(gw, table, &dst, hash, excluded, seen_dead, choice);
}

bool vgw_select_source_ok(const struct vgw_gateway *gw, const struct vgw_tunnel *tunnel,
			  const struct vgw_flow *flow, bool by_site)
{
	u32 id = by_site ? READ_ONCE(tunnel->site) : READ_ONCE(tunnel->connection);
	unsigned int table = flow->family == AF_INET6;
	const struct vgw_policy_set *set = rcu_dereference(gw->policies[table]);
	const struct vgw_policy *policy = NULL;
	const struct vgw_chain *chain;
	struct vgw_lpm_key here, there;

	/* The answer goes from here to there. */
	vgw_key_from_addr(&here, flow->family, &flow->dst);
	vgw_key_from_addr(&there, flow->family, &flow->src);
	while (set && (policy = vgw_policy_match(set, &here, &there, policy))) {
		if (vgw_group_leads_to(policy->group, id, by_site))
			return true;
		if (policy->on_fail == VGW_ON_FAIL_RESERVE)
			return false;
	}
	chain = vgw_chain_get(gw, vgw_lpm_lookup(gw->lpm[table], &there));
	if (!chain)
		return false;
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		if (chain->slot[i].group && vgw_group_leads_to(chain->slot[i].group, id, by_site))
			return true;
	return false;
}
