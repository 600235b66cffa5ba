/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bundle (route, policy and SA in one dst_entry) that encrypts a tunnel's
 * packets, kept per CPU and inner family, so that a packet costs no XFRM lookup.
 *
 * One bundle serves every flow only while no rule tells flows apart: exactly one
 * out policy of the if_id and family, a wildcard, without mark; a plain SA in
 * tunnel mode, a wildcard, too. That is a security boundary: whatever is not known
 * to be so is looked up packet by packet. vgw_census counts the rules.
 *
 * What a lookup found is void once the generation moved that was read before it:
 * every key manager event of the if_id moves it before user space gets its answer.
 */
#ifndef _VGW_BUNDLE_H
#define _VGW_BUNDLE_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct dst_entry;
struct net_device;
struct sk_buff;
struct vgw_tunnel;

struct vgw_bundle_slot {
	struct dst_entry __rcu *dst;	/* stored by its own CPU, taken out by anybody */
	u32 gen;			/* its own CPU, BH off: generation of the lookup */
	unsigned long no_sa_until;	/* its own CPU, BH off: jiffies; 0: nothing of the kind */
};

struct vgw_bundle_cpu {
	struct vgw_bundle_slot slot[2];	/* IPv4, IPv6 */
};

struct vgw_bundles {
	struct vgw_bundle_cpu __percpu *cpu;	/* fixed */
	atomic_t gen;		/* moves with everything that may change a lookup */
	atomic_t rules;		/* moves with the policies and selectors of the if_id */
	u32 verdict[2];		/* READ_ONCE; the census writes: rules, vgw_cache_state */
	u32 refused[2];		/* READ_ONCE; packets write: gen, vgw_cache_state */
	int underlay;		/* ifindex of the devices that slots lead to, 0: none */
};

int vgw_bundle_init(struct vgw_tunnel *tunnel);
/* After the last packet and after a purge. */
void vgw_bundle_free(struct vgw_tunnel *tunnel);

/*
 * To be read before anything that the bundle depends on, the tunnel's device
 * included: what is purged meanwhile is not brought back then.
 */
static inline u32 vgw_bundle_generation(const struct vgw_bundles *bundles)
{
	return atomic_read_acquire(&bundles->gen);
}

/*
 * The bundle for the packet, with a reference. BH off, RCU. -ESRCH: no policy for
 * it; else the error of the XFRM lookup. *news: it holds for every flow of the
 * family, and was not known before.
 */
struct dst_entry *vgw_bundle_get(struct vgw_tunnel *tunnel, struct net_device *dev, u32 gen,
				 struct sk_buff *skb, u8 family, bool *news);

/* An inner route of the family that depends on the XFRM device alone; NULL: there is none. */
struct dst_entry *vgw_bundle_route(struct net_device *dev, u8 family);

/* What was found is void from now on. Any context; the references stay until a sweep. */
void vgw_bundle_void(struct vgw_bundles *bundles);
/* The same, and the rules have to be counted again. */
void vgw_bundle_void_rules(struct vgw_bundles *bundles);
/* The census' word for the family (index 0: IPv4), if the rules did not move since. */
void vgw_bundle_judge(struct vgw_bundles *bundles, unsigned int index, u32 rules, u8 state);
/* Releases what is void or has a dead SA. */
void vgw_bundle_sweep(struct vgw_bundles *bundles);
/* Releases everything; when it returns, no reference of an earlier lookup comes back. */
void vgw_bundle_purge(struct vgw_bundles *bundles);
/* Purges if a bundle may lead to the device. */
void vgw_bundle_purge_underlay(struct vgw_bundles *bundles, int ifindex);
/* enum vgw_cache_state of the family (index 0: IPv4). */
u8 vgw_bundle_state(const struct vgw_bundles *bundles, unsigned int index);

#endif /* _VGW_BUNDLE_H */
