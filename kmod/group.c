// SPDX-License-Identifier: GPL-2.0-only
#include "group.h"

#include <linux/jiffies.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "gateway.h"
#include "tunnel.h"

static bool usable(const struct vgw_tunnel *tunnel, const struct vgw_tunnel *const *excluded,
		   unsigned int n_excluded)
{
	if (!vgw_tunnel_live(tunnel))
		return false;
	for (unsigned int i = 0; i < n_excluded; i++)
		if (excluded[i] == tunnel)
			return false;
	return true;
}

struct vgw_tunnel *vgw_group_pick(const struct vgw_group *group, u32 hash,
				  const struct vgw_tunnel *const *excluded, unsigned int n_excluded,
				  u32 *bucket)
{
	const struct vgw_group_map *map = rcu_dereference(group->map);
	struct vgw_kept *kept = rcu_dereference(map->kept);
	struct vgw_tunnel *home;
	u64 live = 0;
	int index;

	*bucket = hash & (map->buckets - 1);
	if (unlikely(kept)) {
		u8 member = vgw_kept_member(kept, hash, jiffies);

		if (member != VGW_KEPT_NONE && usable(map->tunnel[member], excluded, n_excluded))
			return map->tunnel[member];
	}
	home = map->tunnel[map->home[*bucket]];
	if (likely(usable(home, excluded, n_excluded)))
		return home;
	for (unsigned int i = 0; i < map->n; i++)
		if (usable(map->tunnel[i], excluded, n_excluded))
			live |= 1ULL << i;
	index = vgw_ecmp_failover(map->member, map->n, live, *bucket);
	return index < 0 ? NULL : map->tunnel[index];
}

void vgw_group_used(const struct vgw_group *group, u32 hash, const struct vgw_tunnel *tunnel)
{
	const struct vgw_group_map *map = rcu_dereference(group->map);
	struct vgw_kept *kept = rcu_dereference(map->kept);
	u8 member;

	if (likely(!kept))
		return;
	member = READ_ONCE(vgw_kept_bucket(kept, hash)->member);
	vgw_kept_used(kept, hash, member != VGW_KEPT_NONE && map->tunnel[member] == tunnel,
		      jiffies);
}

bool vgw_group_keeps(const struct vgw_group *group, u32 hash, const struct vgw_tunnel *tunnel)
{
	const struct vgw_group_map *map = rcu_dereference(group->map);
	struct vgw_kept *kept = rcu_dereference(map->kept);
	u8 member = kept ? vgw_kept_member(kept, hash, jiffies) : VGW_KEPT_NONE;

	return member != VGW_KEPT_NONE && map->tunnel[member] == tunnel &&
	       member != map->home[hash & (map->buckets - 1)];
}

unsigned int vgw_group_kept(const struct vgw_group *group)
{
	struct vgw_kept *kept = rcu_dereference(rcu_dereference(group->map)->kept);

	return kept ? vgw_kept_count(kept, jiffies) : 0;
}

unsigned int vgw_group_live(const struct vgw_group *group)
{
	const struct vgw_group_map *map = rcu_dereference(group->map);
	unsigned int live = 0;

	for (unsigned int i = 0; i < map->n; i++)
		live += vgw_tunnel_live(map->tunnel[i]);
	return live;
}

bool vgw_group_leads_to(const struct vgw_group *group, u32 id, bool by_site)
{
	const struct vgw_group_map *map = rcu_dereference(group->map);

	for (unsigned int i = 0; i < map->n; i++) {
		const struct vgw_tunnel *tunnel = map->tunnel[i];

		if (id == (by_site ? READ_ONCE(tunnel->site) : READ_ONCE(tunnel->connection)))
			return true;
	}
	return false;
}

u32 vgw_group_mtu(const struct vgw_group *group)
{
	const struct vgw_group_map *map = rcu_dereference(group->map);
	u32 mtu = 0;

	for (unsigned int i = 0; i < map->n; i++) {
		u32 one = READ_ONCE(map->tunnel[i]->mtu);

		if (one && (!mtu || one < mtu))
			mtu = one;
	}
	return mtu;
}

static struct vgw_group_map *map_new(struct vgw_tunnel **tunnels, const u8 *weights, unsigned int n)
{
	unsigned int buckets = vgw_ecmp_buckets(n);
	struct vgw_group_map *map;

	map = kzalloc(struct_size(map, home, buckets), GFP_KERNEL_ACCOUNT);
	if (!map)
		return NULL;
	map->n = n;
	map->buckets = buckets;
	for (unsigned int i = 0; i < n; i++) {
		map->tunnel[i] = tunnels[i];
		map->member[i].key = tunnels[i]->id;
		map->member[i].weight = weights[i];
	}
	vgw_ecmp_fill(map->member, n, map->home, buckets);
	return map;
}

static u8 member_of(const struct vgw_group_map *map, const struct vgw_tunnel *tunnel)
{
	for (unsigned int i = 0; i < map->n; i++)
		if (map->tunnel[i] == tunnel)
			return i;
	return VGW_KEPT_NONE;
}

/* The member of the old map that has carried the hash, if it is none that the map keeps. */
static unsigned int carrier(const struct vgw_group_map *old, u64 live, u32 hash)
{
	u32 bucket = hash & (old->buckets - 1);
	unsigned int home = old->home[bucket];
	int other;

	if (live >> home & 1)
		return home;
	other = vgw_ecmp_failover(old->member, old->n, live, bucket);
	return other < 0 ? home : other;
}

/* Everything that flows may use now stays theirs in the new map. No memory: it does not. */
static struct vgw_kept *keep(const struct vgw_group_map *old, struct vgw_kept *was,
			     const struct vgw_group_map *map, u32 idle)
{
	u32 now = jiffies, n = max(map->buckets, old->buckets);
	struct vgw_kept *kept;
	u64 live = 0;

	/* So that each bucket has one place in every table. */
	n = was ? max(n, was->buckets) : n;
	kept = vgw_kept_create(n, idle);
	for (unsigned int i = 0; i < old->n; i++)
		live |= (u64)vgw_tunnel_live(old->tunnel[i]) << i;
	for (u32 b = 0; kept && b < n; b++) {
		u8 member = was ? vgw_kept_member(was, b, now) : VGW_KEPT_NONE;

		kept->bucket[b].last = now;
		if (member == VGW_KEPT_NONE || !(live >> member & 1))
			member = carrier(old, live, b);
		else
			kept->bucket[b].last = READ_ONCE(vgw_kept_bucket(was, b)->last);
		member = member_of(map, old->tunnel[member]);
		if (member != map->home[b & (map->buckets - 1)])
			kept->bucket[b].member = member;
	}
	return kept;
}

static struct vgw_kept *kept_of(const struct vgw_gateway *gw, const struct vgw_group_map *map)
{
	return rcu_dereference_protected(map->kept, lockdep_is_held(&gw->vnet->lock));
}

static void kept_replace(struct vgw_gateway *gw, struct vgw_group_map *map, struct vgw_kept *kept)
{
	struct vgw_kept *old = kept_of(gw, map);

	rcu_assign_pointer(map->kept, kept);
	gw->kept_groups += !!kept - !!old;
	if (old)
		kfree_rcu(old, rcu);
}

/* The new map is not published yet, or nobody comes by it. */
static void keep_flows(struct vgw_gateway *gw, struct vgw_group_map *map,
		       const struct vgw_group_map *old)
{
	if (gw->hash_idle)
		kept_replace(gw, map, keep(old, kept_of(gw, old), map,
					   msecs_to_jiffies(gw->hash_idle)));
}

static void map_publish(struct vgw_gateway *gw, struct vgw_group *group, struct vgw_group_map *map)
{
	struct vgw_group_map *old = rcu_dereference_protected(group->map,
							      lockdep_is_held(&gw->vnet->lock));

	for (unsigned int i = 0; i < map->n; i++)
		map->tunnel[i]->members++;
	if (old)
		keep_flows(gw, map, old);
	rcu_assign_pointer(group->map, map);
	if (!old)
		return;
	for (unsigned int i = 0; i < old->n; i++)
		old->tunnel[i]->members--;
	kept_replace(gw, old, NULL);
	kfree_rcu(old, rcu);
}

static struct vgw_group *create(struct vgw_gateway *gw, u32 id, struct netlink_ext_ack *extack)
{
	struct vgw_group *group;
	int ret = -ENOMEM;

	if (gw->vnet->group_count >= VGW_GROUPS_MAX) {
		NL_SET_ERR_MSG(extack, "network namespace has its limit of groups");
		return ERR_PTR(-ENOSPC);
	}
	group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group)
		return ERR_PTR(-ENOMEM);
	group->id = id;
	group->stats = alloc_percpu_gfp(struct vgw_group_stats, GFP_KERNEL_ACCOUNT);
	if (group->stats)
		ret = xa_err(xa_store(&gw->groups, id, group, GFP_KERNEL_ACCOUNT));
	if (ret) {
		free_percpu(group->stats);
		kfree(group);
		return ERR_PTR(ret);
	}
	gw->vnet->group_count++;
	gw->group_count++;
	pr_debug("%s: group %u created\n", gw->dev->name, id);
	return group;
}

static bool map_equal(const struct vgw_group_map *a, const struct vgw_group_map *b)
{
	return a->n == b->n && !memcmp(a->tunnel, b->tunnel, sizeof(a->tunnel)) &&
	       !memcmp(a->member, b->member, sizeof(a->member));
}

int vgw_group_set(struct vgw_gateway *gw, u32 id, struct vgw_tunnel **tunnels, const u8 *weights,
		  unsigned int n, struct netlink_ext_ack *extack)
{
	struct vgw_group *group = xa_load(&gw->groups, id);
	struct vgw_group_map *map, *old;

	lockdep_assert_held(&gw->vnet->lock);
	map = map_new(tunnels, weights, n);
	if (!map)
		return -ENOMEM;
	if (!group) {
		group = create(gw, id, extack);
		if (IS_ERR(group)) {
			kfree(map);
			return PTR_ERR(group);
		}
	}
	group->mark = gw->parity;
	vgw_net_changed(gw->vnet);
	old = rcu_dereference_protected(group->map, lockdep_is_held(&gw->vnet->lock));
	if (old && map_equal(old, map))
		kfree(map);
	else
		map_publish(gw, group, map);
	return 0;
}

void vgw_group_inherit(struct vgw_gateway *gw, struct vgw_group *group,
		       const struct vgw_group *old)
{
	struct mutex *lock = &gw->vnet->lock;

	lockdep_assert_held(lock);
	if (group != old && !group->chains)
		keep_flows(gw, rcu_dereference_protected(group->map, lockdep_is_held(lock)),
			   rcu_dereference_protected(old->map, lockdep_is_held(lock)));
}

void vgw_group_settle(struct vgw_gateway *gw)
{
	struct mutex *lock = &gw->vnet->lock;
	struct vgw_group *group;
	unsigned long id;

	lockdep_assert_held(lock);
	if (likely(!gw->kept_groups))
		return;
	xa_for_each(&gw->groups, id, group) {
		struct vgw_group_map *map = rcu_dereference_protected(group->map,
								      lockdep_is_held(lock));
		struct vgw_kept *kept = kept_of(gw, map);

		if (kept && !vgw_kept_count(kept, jiffies))
			kept_replace(gw, map, NULL);
	}
}

static void free_rcu_group(struct rcu_head *head)
{
	struct vgw_group *group = container_of(head, struct vgw_group, rcu);

	kfree(rcu_access_pointer(group->map));
	free_percpu(group->stats);
	kfree(group);
}

/* Packets that found the group before may still use its map, until the grace period is over. */
void vgw_group_destroy(struct vgw_gateway *gw, struct vgw_group *group)
{
	struct vgw_group_map *map = rcu_dereference_protected(group->map,
							      lockdep_is_held(&gw->vnet->lock));

	lockdep_assert_held(&gw->vnet->lock);
	xa_erase(&gw->groups, group->id);
	vgw_net_changed(gw->vnet);
	for (unsigned int i = 0; i < map->n; i++)
		map->tunnel[i]->members--;
	kept_replace(gw, map, NULL);
	gw->vnet->group_count--;
	gw->group_count--;
	pr_debug("%s: group %u destroyed\n", gw->dev->name, group->id);
	call_rcu(&group->rcu, free_rcu_group);
}

int vgw_group_del(struct vgw_gateway *gw, struct vgw_group *group, struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&gw->vnet->lock);
	if (group->chains) {
		NL_SET_ERR_MSG(extack, "routes lead to the group");
		return -EBUSY;
	}
	vgw_group_destroy(gw, group);
	return 0;
}
