// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.h"

#include <linux/slab.h>
#include <linux/vgw.h>

#include "compat.h"
#include "gateway.h"
#include "group.h"
#include "tunnel.h"

static const struct nla_policy member_policy[VGW_A_MEMBER_MAX + 1] = {
	[VGW_A_MEMBER_TUNNEL] = NLA_POLICY_MIN(NLA_U32, 1),
	[VGW_A_MEMBER_WEIGHT] = { .type = NLA_U8 },
};

const struct nla_policy vgw_group_policy[VGW_A_GROUP_MAX + 1] = {
	[VGW_A_GROUP_GATEWAY] = { .type = NLA_U32 },
	[VGW_A_GROUP_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[VGW_A_GROUP_MEMBER] = NLA_POLICY_NESTED(member_policy),
};

static int put_members(struct sk_buff *skb, const struct vgw_group_map *map)
{
	for (unsigned int i = 0; i < map->n; i++) {
		struct nlattr *nest = nla_nest_start(skb, VGW_A_GROUP_MEMBER);
		unsigned int buckets = 0;

		for (unsigned int b = 0; b < map->buckets; b++)
			buckets += map->home[b] == i;
		if (!nest || nla_put_u32(skb, VGW_A_MEMBER_TUNNEL, map->tunnel[i]->id) ||
		    nla_put_u8(skb, VGW_A_MEMBER_WEIGHT, map->member[i].weight) ||
		    nla_put_u32(skb, VGW_A_MEMBER_BUCKETS, buckets) ||
		    nla_put_u8(skb, VGW_A_MEMBER_LIVE, vgw_tunnel_live(map->tunnel[i])))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

struct group_of_gateway {
	struct vgw_gateway *gw;
	struct vgw_group *group;
};

static int put_group_stats(struct sk_buff *skb, const struct vgw_group *group)
{
	struct vgw_group_stats sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct vgw_group_stats *one = per_cpu_ptr(group->stats, cpu);

		sum.packets += READ_ONCE(one->packets);
		sum.failover += READ_ONCE(one->failover);
		sum.drop_dead += READ_ONCE(one->drop_dead);
		sum.drop_reserved += READ_ONCE(one->drop_reserved);
	}
	return nla_put_u64_64bit(skb, VGW_A_GROUP_PACKETS, sum.packets, VGW_A_GROUP_PAD) ||
	       nla_put_u64_64bit(skb, VGW_A_GROUP_FAILOVER, sum.failover, VGW_A_GROUP_PAD) ||
	       nla_put_u64_64bit(skb, VGW_A_GROUP_DROP_DEAD, sum.drop_dead, VGW_A_GROUP_PAD) ||
	       nla_put_u64_64bit(skb, VGW_A_GROUP_DROP_RESERVED, sum.drop_reserved,
				 VGW_A_GROUP_PAD);
}

static int put_group(struct sk_buff *skb, const struct group_of_gateway *one)
{
	const struct vgw_group *group = one->group;
	const struct vgw_group_map *map;
	int ret;

	rcu_read_lock();
	map = rcu_dereference(group->map);
	ret = nla_put_u32(skb, VGW_A_GROUP_GATEWAY, one->gw->dev->ifindex) ||
	      nla_put_u32(skb, VGW_A_GROUP_ID, group->id) ||
	      put_members(skb, map) ||
	      nla_put_u32(skb, VGW_A_GROUP_BUCKETS, map->buckets) ||
	      nla_put_u32(skb, VGW_A_GROUP_LIVE, vgw_group_live(group)) ||
	      nla_put_u32(skb, VGW_A_GROUP_MTU, vgw_group_mtu(group)) ||
	      nla_put_u32(skb, VGW_A_GROUP_ROUTES, group->routes) ||
	      nla_put_u32(skb, VGW_A_GROUP_KEPT, vgw_group_kept(group)) ||
	      put_group_stats(skb, group);
	rcu_read_unlock();
	return ret ? -EMSGSIZE : 0;
}

static struct vgw_group *group_of(struct vgw_gateway *gw, struct genl_info *info)
{
	struct vgw_group *group;

	if (GENL_REQ_ATTR_CHECK(info, VGW_A_GROUP_ID)) {
		NL_SET_ERR_MSG(info->extack, "the group's id is missing");
		return ERR_PTR(-EINVAL);
	}
	group = xa_load(&gw->groups, nla_get_u32(info->attrs[VGW_A_GROUP_ID]));
	if (!group) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VGW_A_GROUP_ID],
				    "no group with this id");
		return ERR_PTR(-ENOENT);
	}
	return group;
}

int vgw_netlink_group_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_GROUP_GATEWAY);
	struct group_of_gateway one = { .gw = gw };
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_GROUP_GATEWAY);
	one.group = group_of(gw, info);
	ret = PTR_ERR_OR_ZERO(one.group);
	if (!ret)
		ret = vgw_netlink_reply(info, VGW_CMD_GROUP_GET, NLMSG_GOODSIZE, put_group, &one);
	vgw_netlink_gateway_put(gw);
	return ret;
}

struct member_list {
	struct vgw_tunnel *tunnel[VGW_MEMBERS_MAX];
	u8 weight[VGW_MEMBERS_MAX];
	unsigned int n;
};

static int read_member(struct vgw_gateway *gw, const struct nlattr *attr, struct member_list *list,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *a[VGW_A_MEMBER_MAX + 1];
	struct vgw_tunnel *tunnel;
	int ret;

	if (list->n == VGW_MEMBERS_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "too many members");
		return -E2BIG;
	}
	ret = nla_parse_nested(a, VGW_A_MEMBER_MAX, attr, member_policy, extack);
	if (ret)
		return ret;
	if (!a[VGW_A_MEMBER_TUNNEL]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "member has no tunnel");
		return -EINVAL;
	}
	tunnel = xa_load(&gw->tunnels, nla_get_u32(a[VGW_A_MEMBER_TUNNEL]));
	if (!tunnel) {
		NL_SET_ERR_MSG_ATTR(extack, a[VGW_A_MEMBER_TUNNEL], "no tunnel with this id");
		return -ENOENT;
	}
	for (unsigned int i = 0; i < list->n; i++) {
		if (list->tunnel[i] == tunnel) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "tunnel is a member twice");
			return -EINVAL;
		}
	}
	list->weight[list->n] = a[VGW_A_MEMBER_WEIGHT] ? nla_get_u8(a[VGW_A_MEMBER_WEIGHT]) : 1;
	list->tunnel[list->n++] = tunnel;
	return 0;
}

static int group_set_locked(struct vgw_gateway *gw, struct genl_info *info,
			    struct member_list *list)
{
	const struct nlattr *attr;
	int rem, ret;

	if (GENL_REQ_ATTR_CHECK(info, VGW_A_GROUP_ID)) {
		NL_SET_ERR_MSG(info->extack, "the group's id is missing");
		return -EINVAL;
	}
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VGW_A_GROUP_MEMBER)
			continue;
		ret = read_member(gw, attr, list, info->extack);
		if (ret)
			return ret;
	}
	if (!list->n) {
		NL_SET_ERR_MSG(info->extack, "a group needs a member");
		return -EINVAL;
	}
	return vgw_group_set(gw, nla_get_u32(info->attrs[VGW_A_GROUP_ID]), list->tunnel,
			     list->weight, list->n, info->extack);
}

int vgw_netlink_group_set(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_GROUP_GATEWAY);
	struct member_list *list;
	int ret = -ENOMEM;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_GROUP_GATEWAY);
	list = kzalloc(sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (list)
		ret = group_set_locked(gw, info, list);
	vgw_netlink_gateway_put(gw);
	kfree(list);
	return ret;
}

int vgw_netlink_group_del(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_GROUP_GATEWAY);
	struct vgw_group *group;
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_GROUP_GATEWAY);
	group = group_of(gw, info);
	ret = IS_ERR(group) ? PTR_ERR(group) : vgw_group_del(gw, group, info->extack);
	vgw_netlink_gateway_put(gw);
	return ret;
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, struct vgw_gateway *gw,
		    void *object)
{
	struct group_of_gateway one = { .gw = gw, .group = object };

	return vgw_netlink_put_dump(skb, cb, VGW_CMD_GROUP_GET, put_group, &one);
}

int vgw_netlink_group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	static const struct vgw_netlink_dump dump = {
		.objects = offsetof(struct vgw_gateway, groups),
		.put = dump_one,
	};

	return vgw_netlink_dump(skb, cb, vgw_dump_attrs(cb)[VGW_A_GROUP_GATEWAY], &dump);
}
