// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot is filled by its own CPU with BH off, so nobody else fills it meanwhile;
 * whoever takes a bundle out has moved the generation before. A filler looks at the
 * generation again after it has stored: one of the two sees the other.
 */
#include "bundle.h"

#include <linux/percpu.h>
#include <linux/vgw.h>
#include <net/dst.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "census.h"
#include "compat.h"
#include "gateway.h"
#include "stats.h"
#include "trace.h"
#include "tunnel.h"

/* One packet a second still asks, so that a key manager hears of the need. */
#define NO_SA_PERIOD	HZ
#define UNDERLAY_MANY	(-1)

int vgw_bundle_init(struct vgw_tunnel *tunnel)
{
	struct vgw_bundles *bundles = &tunnel->bundles;

	/* Generation 0 is in empty slots, and in a verdict that never was. */
	atomic_set(&bundles->gen, 1);
	atomic_set(&bundles->rules, 1);
	bundles->cpu = alloc_percpu_gfp(struct vgw_bundle_cpu, GFP_KERNEL_ACCOUNT);
	return bundles->cpu ? 0 : -ENOMEM;
}

void vgw_bundle_free(struct vgw_tunnel *tunnel)
{
	free_percpu(tunnel->bundles.cpu);
}

/* A generation (its lower 24 bits) and a state in one word, so that they belong together. */
static u32 stamp(u32 gen, u8 state)
{
	return gen << 8 | state;
}

static bool stamp_is(u32 word, u32 gen)
{
	return word >> 8 == (gen & 0xffffff);
}

static void drop(struct vgw_bundle_slot *slot)
{
	dst_release(unrcu_pointer(xchg(&slot->dst, NULL)));
}

void vgw_bundle_void(struct vgw_bundles *bundles)
{
	/* Who sees the new generation sees what changed. */
	smp_mb__before_atomic();
	atomic_inc(&bundles->gen);
}

void vgw_bundle_void_rules(struct vgw_bundles *bundles)
{
	/* As below. */
	smp_mb__before_atomic();
	atomic_inc(&bundles->rules);
	vgw_bundle_void(bundles);
}

void vgw_bundle_judge(struct vgw_bundles *bundles, unsigned int index, u32 rules, u8 state)
{
	WRITE_ONCE(bundles->verdict[index], stamp(rules, state));
}

u8 vgw_bundle_state(const struct vgw_bundles *bundles, unsigned int index)
{
	u32 gen = vgw_bundle_generation(bundles);
	u32 verdict = READ_ONCE(bundles->verdict[index]);
	u32 refused = READ_ONCE(bundles->refused[index]);

	if (!stamp_is(verdict, atomic_read_acquire(&bundles->rules)))
		return VGW_CACHE_STATE_COUNTING;
	if ((verdict & 0xff) == VGW_CACHE_STATE_ON && stamp_is(refused, gen))
		return refused & 0xff;
	return verdict & 0xff;
}

static bool dead(struct vgw_bundle_slot *slot)
{
	const struct dst_entry *dst = rcu_dereference(slot->dst);

	return dst && READ_ONCE(dst->xfrm->km.state) != XFRM_STATE_VALID;
}

void vgw_bundle_sweep(struct vgw_bundles *bundles)
{
	u32 gen = vgw_bundle_generation(bundles);
	int cpu;

	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		for (unsigned int i = 0; i < 2; i++) {
			struct vgw_bundle_slot *slot = &per_cpu_ptr(bundles->cpu, cpu)->slot[i];

			if (READ_ONCE(slot->gen) != gen || dead(slot))
				drop(slot);
		}
	}
	rcu_read_unlock();
}

void vgw_bundle_purge(struct vgw_bundles *bundles)
{
	int cpu;

	WRITE_ONCE(bundles->underlay, 0);
	vgw_bundle_void(bundles);
	for_each_possible_cpu(cpu)
		for (unsigned int i = 0; i < 2; i++)
			drop(&per_cpu_ptr(bundles->cpu, cpu)->slot[i]);
}

void vgw_bundle_purge_underlay(struct vgw_bundles *bundles, int ifindex)
{
	int underlay = READ_ONCE(bundles->underlay);

	if (underlay == ifindex || underlay == UNDERLAY_MANY)
		vgw_bundle_purge(bundles);
}

static void note_underlay(struct vgw_bundles *bundles, int ifindex)
{
	int old = READ_ONCE(bundles->underlay);

	if (!old)
		old = cmpxchg(&bundles->underlay, 0, ifindex);
	if (old && old != ifindex)
		WRITE_ONCE(bundles->underlay, UNDERLAY_MANY);
}

static void store(struct vgw_bundles *bundles, struct vgw_bundle_slot *slot, struct dst_entry *dst,
		  u32 gen)
{
	note_underlay(bundles, dst->dev->ifindex);
	WRITE_ONCE(slot->gen, gen);
	slot->no_sa_until = 0;
	dst_hold(dst);
	dst_release(unrcu_pointer(xchg(&slot->dst, RCU_INITIALIZER(dst))));
	if (atomic_read(&bundles->gen) != gen)
		drop(slot);
}

struct dst_entry *vgw_bundle_route(struct net_device *dev, u8 family)
{
	struct dst_entry *dst;
	struct flowi6 fl6;

	if (family == AF_INET) {
		struct rtable *rt = rt_dst_alloc(dev, 0, RTN_UNICAST, true);

		return rt ? &rt->dst : NULL;
	}
	if (!IS_ENABLED(CONFIG_IPV6))
		return NULL;
	/* Only a route of the table stays valid; this one is there as long as IPv6 is. */
	memset(&fl6, 0, sizeof(fl6));
	fl6.flowi6_oif = dev->ifindex;
	fl6.flowi6_flags = FLOWI_FLAG_ANYSRC;
	ipv6_addr_set(&fl6.daddr, htonl(0xff020000), 0, 0, htonl(1));
	dst = ip6_route_output(dev_net(dev), NULL, &fl6);
	if (!dst->error)
		return dst;
	dst_release(dst);
	return NULL;
}

/* May the bundle serve every flow? Its policy is the only one: the census said so. */
static u8 judge(const struct dst_entry *dst)
{
	const struct xfrm_dst *xdst = (const struct xfrm_dst *)dst;
	const struct xfrm_policy *policy = xdst->pols[0];
	const struct xfrm_state *x = dst->xfrm;

	if (xdst->num_pols != 1 || xdst->num_xfrms != 1)
		return VGW_CACHE_STATE_NESTED;
	if (!vgw_census_wildcard(&policy->selector))
		return VGW_CACHE_STATE_POLICY_SELECTOR;
	if (policy->mark.m)
		return VGW_CACHE_STATE_POLICY_MARK;
	if (x->props.smark.v || x->props.smark.m)
		return VGW_CACHE_STATE_SA_MARK;
	if (policy->security || x->security)
		return VGW_CACHE_STATE_SECURITY;
	return VGW_CACHE_STATE_ON;
}

/* The lookup itself. Eats the reference to the inner route. */
static struct dst_entry *lookup(struct vgw_tunnel *tunnel, struct net_device *dev,
				struct dst_entry *route, struct flowi *fl)
{
	struct xfrm_if *xi = netdev_priv(dev);
	struct dst_entry *dst;

	fl->flowi_oif = xi->p.link;
	dst = xfrm_lookup_with_ifid(dev_net(dev), route, fl, NULL, 0, tunnel->if_id);
	if (IS_ERR(dst) || (dst->xfrm && dst->xfrm->if_id == tunnel->if_id))
		return dst;
	dst_release(dst);
	return ERR_PTR(-ESRCH);
}

/* Its result is the packet's own. */
static struct dst_entry *lookup_uncached(struct vgw_tunnel *tunnel, struct net_device *dev,
					 struct sk_buff *skb, struct flowi *fl)
{
	vgw_stats_add(tunnel->stats, VGW_TSTAT_CACHE_UNUSED, 1);
	/* A port's packet has borrowed its route. */
	if (!skb_dst_force(skb))
		return ERR_PTR(-ENOBUFS);
	dst_hold(skb_dst(skb));
	return lookup(tunnel, dev, skb_dst(skb), fl);
}

static void refuse(struct vgw_bundles *bundles, unsigned int index, u32 gen, u8 state)
{
	WRITE_ONCE(bundles->refused[index], stamp(gen, state));
}

/* A bundle that depends on nothing of the packet, kept if the guards allow. */
static struct dst_entry *fill(struct vgw_tunnel *tunnel, struct net_device *dev, u32 gen,
			      struct sk_buff *skb, u8 family, struct flowi *fl, bool *news)
{
	unsigned int index = family == AF_INET6;
	struct vgw_bundle_slot *slot = &this_cpu_ptr(tunnel->bundles.cpu)->slot[index];
	struct dst_entry *route = vgw_bundle_route(dev, family), *dst;
	u8 state, tos = 0;

	if (!route) {
		refuse(&tunnel->bundles, index, gen, VGW_CACHE_STATE_NO_ROUTE);
		return lookup_uncached(tunnel, dev, skb, fl);
	}
	if (family == AF_INET)
		swap(fl->u.ip4.flowi4_tos, tos);
	dst = lookup(tunnel, dev, route, fl);
	if (IS_ERR(dst)) {
		trace_vgw_refill(tunnel->gw->dev, tunnel->id, family, PTR_ERR(dst), 0);
		*news = true;
		if (PTR_ERR(dst) == -EREMOTE || PTR_ERR(dst) == -EAGAIN) {
			WRITE_ONCE(slot->gen, gen);
			slot->no_sa_until = (jiffies + NO_SA_PERIOD) ?: 1;
		}
		return dst;
	}
	state = judge(dst);
	trace_vgw_refill(tunnel->gw->dev, tunnel->id, family, 0, state);
	if (state == VGW_CACHE_STATE_ON) {
		vgw_stats_add(tunnel->stats, VGW_TSTAT_CACHE_FILLS, 1);
		store(&tunnel->bundles, slot, dst, gen);
		return dst;
	}
	refuse(&tunnel->bundles, index, gen, state);
	dst_release(dst);
	if (family == AF_INET)
		fl->u.ip4.flowi4_tos = tos;
	return lookup_uncached(tunnel, dev, skb, fl);
}

struct dst_entry *vgw_bundle_get(struct vgw_tunnel *tunnel, struct net_device *dev, u32 gen,
				 struct sk_buff *skb, u8 family, bool *news)
{
	struct vgw_bundle_slot *slot = &this_cpu_ptr(tunnel->bundles.cpu)->slot[family == AF_INET6];
	struct dst_entry *dst = rcu_dereference(slot->dst);
	struct flowi fl;

	*news = false;
	if (dst) {
		if (slot->gen == gen && dst_check(dst, 0) && dst_hold_safe(dst)) {
			vgw_stats_add(tunnel->stats, VGW_TSTAT_CACHE_HITS, 1);
			return dst;
		}
		drop(slot);
	} else if (slot->gen == gen && slot->no_sa_until) {
		if (time_before(jiffies, slot->no_sa_until))
			return ERR_PTR(-EREMOTE);
		slot->no_sa_until = 0;
	}
	memset(&fl, 0, sizeof(fl));
	if (vgw_decode_session(dev_net(dev), skb, &fl, family) < 0)
		return ERR_PTR(-ENOMEM);
	if (vgw_bundle_state(&tunnel->bundles, family == AF_INET6) == VGW_CACHE_STATE_ON)
		return fill(tunnel, dev, gen, skb, family, &fl, news);
	return lookup_uncached(tunnel, dev, skb, &fl);
}
