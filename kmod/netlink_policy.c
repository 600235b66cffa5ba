// SPDX-License-Identifier: GPL-2.0-only
#include <linux/vgw.h>
#include <net/sock.h>

#include "compat.h"
#include "gateway.h"
#include "group.h"
#include "netlink.h"

#define PREFIX4		NLA_POLICY_EXACT_LEN(sizeof(struct vgw_prefix4))
#define PREFIX6		NLA_POLICY_EXACT_LEN(sizeof(struct vgw_prefix6))

static const struct nla_policy policy_route_policy[VGW_A_POLICY_ROUTE_MAX + 1] = {
	[VGW_A_POLICY_ROUTE_PRIORITY] = { .type = NLA_U32 },
	[VGW_A_POLICY_ROUTE_SEQUENCE] = { .type = NLA_U32 },
	[VGW_A_POLICY_ROUTE_SRC4] = PREFIX4,
	[VGW_A_POLICY_ROUTE_SRC6] = PREFIX6,
	[VGW_A_POLICY_ROUTE_DST4] = PREFIX4,
	[VGW_A_POLICY_ROUTE_DST6] = PREFIX6,
	[VGW_A_POLICY_ROUTE_GROUP] = NLA_POLICY_MIN(NLA_U32, 1),
	[VGW_A_POLICY_ROUTE_ON_FAIL] = NLA_POLICY_MAX(NLA_U8, VGW_ON_FAIL_MAX),
};

const struct nla_policy vgw_policy_routes_policy[VGW_A_POLICY_ROUTES_MAX + 1] = {
	[VGW_A_POLICY_ROUTES_GATEWAY] = { .type = NLA_U32 },
	[VGW_A_POLICY_ROUTES_POLICY_ROUTE] = NLA_POLICY_NESTED(policy_route_policy),
};

/* What the request says of one policy route. */
struct wanted {
	struct vgw_policy policy;
	unsigned int table;
};

static int read_prefixes(struct nlattr **a, const struct nlattr *nest, struct wanted *wanted,
			 struct netlink_ext_ack *extack)
{
	const struct nlattr *dst4 = a[VGW_A_POLICY_ROUTE_DST4], *dst6 = a[VGW_A_POLICY_ROUTE_DST6];
	const struct nlattr *src[2] = { a[VGW_A_POLICY_ROUTE_SRC4], a[VGW_A_POLICY_ROUTE_SRC6] };
	struct vgw_prefix prefix;
	int ret;

	if (!dst4 == !dst6) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "a policy route has exactly one destination");
		return -EINVAL;
	}
	wanted->table = !dst4;
	if (src[!wanted->table]) {
		NL_SET_ERR_MSG_ATTR(extack, src[!wanted->table],
				    "source and destination are of different families");
		return -EINVAL;
	}
	ret = vgw_netlink_prefix_read(dst4 ?: dst6, wanted->table, 0, &prefix, extack);
	if (ret)
		return ret;
	wanted->policy.dst = prefix.key;
	wanted->policy.dst_len = prefix.len;
	if (!src[wanted->table])
		return 0;
	ret = vgw_netlink_prefix_read(src[wanted->table], wanted->table, 0, &prefix, extack);
	if (ret)
		return ret;
	wanted->policy.src = prefix.key;
	wanted->policy.src_len = prefix.len;
	return 0;
}

static int read_group(struct vgw_gateway *gw, struct nlattr **a, const struct nlattr *nest,
		      struct wanted *wanted, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = a[VGW_A_POLICY_ROUTE_GROUP];

	if (!attr) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "policy route has no group");
		return -EINVAL;
	}
	wanted->policy.group = xa_load(&gw->groups, nla_get_u32(attr));
	if (!wanted->policy.group) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no group with this id");
		return -ENOENT;
	}
	return 0;
}

static int read_policy(struct vgw_gateway *gw, const struct nlattr *nest, bool add,
		       struct wanted *wanted, struct netlink_ext_ack *extack)
{
	struct nlattr *a[VGW_A_POLICY_ROUTE_MAX + 1];
	int ret;

	memset(wanted, 0, sizeof(*wanted));
	ret = nla_parse_nested(a, VGW_A_POLICY_ROUTE_MAX, nest, policy_route_policy, extack);
	if (!ret)
		ret = read_prefixes(a, nest, wanted, extack);
	if (!ret && add)
		ret = read_group(gw, a, nest, wanted, extack);
	if (ret)
		return ret;
	if (a[VGW_A_POLICY_ROUTE_PRIORITY])
		wanted->policy.priority = nla_get_u32(a[VGW_A_POLICY_ROUTE_PRIORITY]);
	if (a[VGW_A_POLICY_ROUTE_SEQUENCE])
		wanted->policy.sequence = nla_get_u32(a[VGW_A_POLICY_ROUTE_SEQUENCE]);
	if (a[VGW_A_POLICY_ROUTE_ON_FAIL])
		wanted->policy.on_fail = nla_get_u8(a[VGW_A_POLICY_ROUTE_ON_FAIL]);
	return 0;
}

static int apply_one(struct vgw_policy_batch *batch, const struct nlattr *nest, bool add,
		     struct netlink_ext_ack *extack)
{
	struct wanted wanted;
	int ret;

	ret = read_policy(batch->gw, nest, add, &wanted, extack);
	if (ret)
		return ret;
	if (add)
		ret = vgw_policy_batch_add(batch, wanted.table, &wanted.policy, extack);
	else
		ret = vgw_policy_batch_del(batch, wanted.table, &wanted.policy, extack);
	if (ret)
		vgw_netlink_error_at(extack, nest);
	return ret;
}

/* All of the message, or nothing. */
static int apply_all(struct vgw_gateway *gw, struct genl_info *info, bool add)
{
	struct vgw_policy_batch batch;
	const struct nlattr *attr;
	int rem, ret;

	vgw_policy_batch_begin(&batch, gw);
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VGW_A_POLICY_ROUTES_POLICY_ROUTE)
			continue;
		ret = apply_one(&batch, attr, add, info->extack);
		if (ret) {
			vgw_policy_batch_abort(&batch);
			return ret;
		}
		cond_resched();
	}
	return vgw_policy_batch_commit(&batch);
}

static int policy_doit(struct genl_info *info, bool add)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_POLICY_ROUTES_GATEWAY);
	int ret = -EINVAL;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_POLICY_ROUTES_GATEWAY);
	if (info->attrs[VGW_A_POLICY_ROUTES_POLICY_ROUTE])
		ret = apply_all(gw, info, add);
	else
		NL_SET_ERR_MSG(info->extack, "no policy route in the message");
	vgw_netlink_gateway_put(gw);
	return ret;
}

int vgw_netlink_policy_add(struct sk_buff *skb, struct genl_info *info)
{
	return policy_doit(info, true);
}

int vgw_netlink_policy_del(struct sk_buff *skb, struct genl_info *info)
{
	return policy_doit(info, false);
}

/* Where a dump goes on: after the policy route of this name. */
struct policy_place {
	struct vgw_lpm_key src, dst;
	u32 priority, sequence;
	u8 src_len, dst_len;
	u8 table;
	bool started;		/* the name means something */
};

static u32 place_next(const struct policy_place *place, const struct vgw_policy_set *set)
{
	const struct vgw_policy name = {
		.src = place->src, .dst = place->dst,
		.src_len = place->src_len, .dst_len = place->dst_len,
		.priority = place->priority, .sequence = place->sequence,
	};

	return place->started ? vgw_policy_set_after(set, &name) : 0;
}

static void place_set(struct policy_place *place, const struct vgw_policy *policy)
{
	place->src = policy->src;
	place->dst = policy->dst;
	place->src_len = policy->src_len;
	place->dst_len = policy->dst_len;
	place->priority = policy->priority;
	place->sequence = policy->sequence;
	place->started = true;
}

static int put_policy(struct sk_buff *skb, const struct vgw_gateway *gw, unsigned int table,
		      const struct vgw_policy *policy)
{
	struct nlattr *nest = nla_nest_start(skb, VGW_A_POLICY_ROUTES_POLICY_ROUTE);
	struct vgw_prefix src = { .key = policy->src, .len = policy->src_len, .table = table };
	struct vgw_prefix dst = { .key = policy->dst, .len = policy->dst_len, .table = table };
	bool stale = gw->generation_open && policy->mark != gw->parity;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, VGW_A_POLICY_ROUTE_PRIORITY, policy->priority) ||
	    nla_put_u32(skb, VGW_A_POLICY_ROUTE_SEQUENCE, policy->sequence) ||
	    vgw_netlink_prefix_put(skb, VGW_A_POLICY_ROUTE_SRC4, VGW_A_POLICY_ROUTE_SRC6, &src) ||
	    vgw_netlink_prefix_put(skb, VGW_A_POLICY_ROUTE_DST4, VGW_A_POLICY_ROUTE_DST6, &dst) ||
	    nla_put_u32(skb, VGW_A_POLICY_ROUTE_GROUP, policy->group->id) ||
	    nla_put_u8(skb, VGW_A_POLICY_ROUTE_ON_FAIL, policy->on_fail) ||
	    (stale && nla_put_u8(skb, VGW_A_POLICY_ROUTE_STALE, 1))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* One message full; *more says if there are further ones. */
static unsigned int put_policies(struct sk_buff *skb, struct vgw_gateway *gw,
				 struct policy_place *place, bool *more)
{
	unsigned int count = 0;

	for (; place->table < 2; place->table++, place->started = false) {
		struct vgw_policy_set *set = vgw_policy_set_of(gw, place->table);

		for (u32 i = place_next(place, set); i < vgw_policy_set_count(set); i++) {
			const struct vgw_policy *policy = vgw_policy_set_at(set, i);

			*more = put_policy(skb, gw, place->table, policy);
			if (*more)
				return count;
			place_set(place, policy);
			count++;
		}
	}
	*more = false;
	return count;
}

int vgw_netlink_policy_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = vgw_dump_attrs(cb)[VGW_A_POLICY_ROUTES_GATEWAY];
	struct policy_place *place = (struct policy_place *)cb->ctx;
	struct vgw_gateway *gw;
	bool more = false;
	int ret = -EMSGSIZE;
	void *head;

	BUILD_BUG_ON(sizeof(*place) > sizeof(cb->ctx));
	if (!attr) {
		NL_SET_ERR_MSG(cb->extack, "the gateway's ifindex is missing");
		return -EINVAL;
	}
	gw = vgw_netlink_gateway_get(sock_net(skb->sk), nla_get_u32(attr), cb->extack);
	if (!gw)
		return -ENODEV;
	cb->seq = gw->table_seq;
	head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &vgw_genl_family,
			   NLM_F_MULTI, VGW_CMD_POLICY_ROUTE_GET);
	if (head && !nla_put_u32(skb, VGW_A_POLICY_ROUTES_GATEWAY, gw->dev->ifindex)) {
		genl_dump_check_consistent(cb, head);
		if (put_policies(skb, gw, place, &more)) {
			genlmsg_end(skb, head);
			ret = skb->len;
		} else {
			genlmsg_cancel(skb, head);
			ret = more ? -EMSGSIZE : 0;
		}
	}
	vgw_netlink_gateway_put(gw);
	return ret;
}
