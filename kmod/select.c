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
	choice->group = slot->group;
	choice->tunnel = vgw_group_pick(slot->group, hash, excluded ? excluded->tunnel : NULL,
					excluded ? excluded->n : 0, &choice->bucket);
	if (choice->tunnel) {
		choice->verdict = VGW_VERDICT_TUNNEL;
		return true;
	}
	*seen_dead = true;
	choice->verdict = VGW_VERDICT_RESERVED;
	return slot->on_fail == VGW_ON_FAIL_RESERVE;
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
		 u32 hash, const struct vgw_excluded *excluded, struct vgw_choice *choice)
{
	u8 len = VGW_LPM_START;
	bool seen_dead = false;
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
	struct vgw_lpm_key key;

	vgw_key_from_addr(&key, flow->family, &flow->dst);
	memset(choice, 0, sizeof(*choice));
	walk(gw, flow->family == AF_INET6, &key, hash, excluded, choice);
}

void vgw_select(const struct vgw_gateway *gw, const struct vgw_flow *flow, u32 hash,
		const struct vgw_excluded *excluded, struct vgw_choice *choice)
{
	unsigned int table = flow->family == AF_INET6;
	const struct vgw_chain *chain;
	struct vgw_lpm_key key;
	bool seen_dead = false;

	vgw_key_from_addr(&key, flow->family, &flow->dst);
	memset(choice, 0, sizeof(*choice));
	chain = vgw_chain_get(gw, vgw_lpm_lookup(gw->lpm[table], &key));
	if (chain && try_chain(chain, hash, excluded, &seen_dead, choice))
		return;
	/* All at that prefix is dead, or there is none. */
	walk(gw, table, &key, hash, excluded, choice);
}

bool vgw_select_source_ok(const struct vgw_gateway *gw, const struct vgw_tunnel *tunnel, u8 family,
			  const union vgw_addr *addr, bool by_site)
{
	u32 id = by_site ? READ_ONCE(tunnel->site) : READ_ONCE(tunnel->connection);
	const struct vgw_chain *chain;
	struct vgw_lpm_key key;

	vgw_key_from_addr(&key, family, addr);
	chain = vgw_chain_get(gw, vgw_lpm_lookup(gw->lpm[family == AF_INET6], &key));
	if (!chain)
		return false;
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		if (chain->slot[i].group && vgw_group_leads_to(chain->slot[i].group, id, by_site))
			return true;
	return false;
}
