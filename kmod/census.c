// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each walk holds a lock that every lookup of the namespace may want, with BH off,
 * so it pauses often.
 */
#include "census.h"

#include <linux/sched.h>
#include <linux/vgw.h>
#include <net/xfrm.h>

#include "bundle.h"
#include "gateway.h"
#include "tunnel.h"
#include "unbound.h"

#define CHUNK	128

struct walk {
	struct vgw_net *vnet;
	unsigned int left;	/* of the chunk */
	bool unbound;		/* a policy of no interface, on the way of forwarded packets */
};

bool vgw_census_wildcard(const struct xfrm_selector *sel)
{
	return !sel->prefixlen_d && !sel->prefixlen_s && !sel->proto && !sel->dport_mask &&
	       !sel->sport_mask && !sel->ifindex && !sel->user;
}

bool vgw_census_narrow(const struct xfrm_state *x)
{
	return x->sel.family && !vgw_census_wildcard(&x->sel);
}

static void take_sample(struct vgw_census *census, const struct xfrm_selector *sel)
{
	/* A wildcard allows any flow: better one that nobody has a rule of his own for. */
	if (vgw_census_wildcard(sel))
		return;
	census->has_sample = true;
	census->protocol = sel->proto;
	census->sport = sel->sport;
	census->dport = sel->dport;
	memcpy(&census->src, &sel->saddr, sizeof(census->src));
	memcpy(&census->dst, &sel->daddr, sizeof(census->dst));
}

static int count_policy(struct xfrm_policy *policy, int dir, int seq, void *data)
{
	struct walk *walk = data;
	struct vgw_tunnel *tunnel;
	struct vgw_census *census;

	if (!walk->left)
		return -EAGAIN;
	walk->left--;
	if (!policy->if_id && (dir == XFRM_POLICY_OUT || dir == XFRM_POLICY_FWD))
		walk->unbound = true;
	if (dir != XFRM_POLICY_OUT || !policy->if_id)
		return 0;
	tunnel = vgw_tunnel_by_if_id(walk->vnet, policy->if_id);
	if (!tunnel)
		return 0;
	census = &tunnel->census[policy->family == AF_INET6];
	census->policies++;
	if (policy->action != XFRM_POLICY_ALLOW || !policy->xfrm_nr)
		return 0;
	census->transport |= policy->xfrm_vec[0].mode != XFRM_MODE_TUNNEL;
	census->peer_family = policy->xfrm_vec[0].encap_family;
	memcpy(&census->peer, &policy->xfrm_vec[0].id.daddr, sizeof(census->peer));
	census->mark = policy->mark.v;
	census->wildcard |= vgw_census_wildcard(&policy->selector);
	take_sample(census, &policy->selector);
	return 0;
}

static int count_sa(struct xfrm_state *x, int seq, void *data)
{
	struct walk *walk = data;
	struct vgw_census *census;
	struct vgw_tunnel *tunnel;

	if (!walk->left)
		return -EAGAIN;
	walk->left--;
	/* What an acquire made has the selector of a flow, and carries nothing. */
	if (!x->if_id || x->km.state == XFRM_STATE_ACQ || !vgw_census_narrow(x))
		return 0;
	tunnel = vgw_tunnel_by_if_id(walk->vnet, x->if_id);
	if (!tunnel)
		return 0;
	census = &tunnel->census[x->sel.family == AF_INET6];
	census->narrow = true;
	if (x->props.family == census->peer_family &&
	    xfrm_addr_equal(&x->id.daddr, (const xfrm_address_t *)&census->peer, x->props.family))
		take_sample(census, &x->sel);
	return 0;
}

static void walk_policies(struct vgw_net *vnet)
{
	u32 gen = vgw_unbound_begin(vnet);
	struct walk walk = { .vnet = vnet };
	struct xfrm_policy_walk place;
	int ret;

	xfrm_policy_walk_init(&place, XFRM_POLICY_TYPE_ANY);
	do {
		walk.left = CHUNK;
		rcu_read_lock();
		ret = xfrm_policy_walk(vnet->net, &place, count_policy, &walk);
		rcu_read_unlock();
		cond_resched();
	} while (ret == -EAGAIN);
	xfrm_policy_walk_done(&place, vnet->net);
	vgw_unbound_end(vnet, gen, walk.unbound);
}

static void walk_sas(struct vgw_net *vnet)
{
	struct walk walk = { .vnet = vnet };
	struct xfrm_state_walk place;
	int ret;

	xfrm_state_walk_init(&place, 0, NULL);
	do {
		walk.left = CHUNK;
		rcu_read_lock();
		ret = xfrm_state_walk(vnet->net, &place, count_sa, &walk);
		rcu_read_unlock();
		cond_resched();
	} while (ret == -EAGAIN);
	xfrm_state_walk_done(&place, vnet->net);
}

static u8 verdict(const struct vgw_census *census)
{
	if (census->policies != 1)
		return census->policies ? VGW_CACHE_STATE_MANY_POLICIES :
					  VGW_CACHE_STATE_NO_POLICY;
	if (census->transport)
		return VGW_CACHE_STATE_SA_MODE;
	if (census->narrow)
		return VGW_CACHE_STATE_SA_SELECTOR;
	return VGW_CACHE_STATE_ON;
}

static void start(struct vgw_tunnel *tunnel)
{
	u32 rules = atomic_read_acquire(&tunnel->bundles.rules);

	for (unsigned int i = 0; i < 2; i++)
		tunnel->census[i] = (struct vgw_census){ .rules = rules };
}

static void finish(struct vgw_tunnel *tunnel)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct vgw_census *census = &tunnel->census[i];

		if (census->wildcard && !census->narrow)
			census->has_sample = false;
		vgw_bundle_judge(&tunnel->bundles, i, census->rules, verdict(census));
	}
}

static void act_on_tunnels(struct vgw_net *vnet, void (*act)(struct vgw_tunnel *tunnel))
{
	struct vgw_tunnel *tunnel;
	struct vgw_gateway *gw;
	unsigned long id;

	lockdep_assert_held(&vnet->lock);
	list_for_each_entry(gw, &vnet->gateways, list)
		xa_for_each(&gw->tunnels, id, tunnel)
			act(tunnel);
}

void vgw_census_take(struct vgw_net *vnet)
{
	act_on_tunnels(vnet, start);
	walk_policies(vnet);
	walk_sas(vnet);
	act_on_tunnels(vnet, finish);
}

void vgw_census_flow(const struct vgw_census *census, u8 family, struct flowi *fl)
{
	memset(fl, 0, sizeof(*fl));
	fl->flowi_proto = census->has_sample ? census->protocol : 0;
	fl->flowi_mark = census->mark;
	if (family == AF_INET) {
		fl->u.ip4.daddr = census->has_sample ? census->dst.v4 : htonl(0xc0000201);
		fl->u.ip4.saddr = census->src.v4;
		fl->u.ip4.fl4_sport = census->sport;
		fl->u.ip4.fl4_dport = census->dport;
		return;
	}
	if (census->has_sample)
		fl->u.ip6.daddr = census->dst.v6;
	else
		ipv6_addr_set(&fl->u.ip6.daddr, htonl(0x20010db8), 0, 0, htonl(1));
	fl->u.ip6.saddr = census->src.v6;
	fl->u.ip6.fl6_sport = census->sport;
	fl->u.ip6.fl6_dport = census->dport;
}
