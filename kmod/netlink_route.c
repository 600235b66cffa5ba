// SPDX-License-Identifier: GPL-2.0-only
#include <linux/vgw.h>
#include <net/sock.h>

#include "compat.h"
#include "gateway.h"
#include "group.h"
#include "netlink.h"
#include "route.h"

static const struct nla_policy route_policy[VGW_A_ROUTE_MAX + 1] = {
	[VGW_A_ROUTE_CLASS] = NLA_POLICY_RANGE(NLA_U8, VGW_ROUTE_CLASS_SYSTEM,
					       VGW_ROUTE_CLASS_DYNAMIC),
	[VGW_A_ROUTE_GROUP] = NLA_POLICY_MIN(NLA_U32, 1),
	[VGW_A_ROUTE_ON_FAIL] = NLA_POLICY_MAX(NLA_U8, VGW_ON_FAIL_MAX),
	[VGW_A_ROUTE_PREFIX4] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, vgw_netlink_prefix4_valid),
	[VGW_A_ROUTE_PREFIX6] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, vgw_netlink_prefix6_valid),
};

const struct nla_policy vgw_routes_policy[VGW_A_ROUTES_MAX + 1] = {
	[VGW_A_ROUTES_GATEWAY] = { .type = NLA_U32 },
	[VGW_A_ROUTES_ROUTE] = NLA_POLICY_NESTED(route_policy),
};

/* What the prefixes of one run share. */
struct run {
	struct vgw_group *group;
	u8 class, on_fail;
};

static int read_run(struct vgw_gateway *gw, struct nlattr **a, const struct nlattr *nest, bool add,
		    struct run *run, struct netlink_ext_ack *extack)
{
	memset(run, 0, sizeof(*run));
	if (!a[VGW_A_ROUTE_CLASS]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "route has no class");
		return -EINVAL;
	}
	run->class = nla_get_u8(a[VGW_A_ROUTE_CLASS]);
	if (a[VGW_A_ROUTE_ON_FAIL])
		run->on_fail = nla_get_u8(a[VGW_A_ROUTE_ON_FAIL]);
	if (!add)
		return 0;
	if (run->class == VGW_ROUTE_CLASS_SYSTEM) {
		if (!a[VGW_A_ROUTE_GROUP])
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, a[VGW_A_ROUTE_GROUP], "a system route has no group");
		return -EINVAL;
	}
	if (!a[VGW_A_ROUTE_GROUP]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "route has no group");
		return -EINVAL;
	}
	run->group = xa_load(&gw->groups, nla_get_u32(a[VGW_A_ROUTE_GROUP]));
	if (!run->group) {
		NL_SET_ERR_MSG_ATTR(extack, a[VGW_A_ROUTE_GROUP], "no group with this id");
		return -ENOENT;
	}
	return 0;
}

static int apply_prefix(struct vgw_route_batch *batch, const struct nlattr *attr,
			unsigned int table, unsigned int i, const struct run *run, bool add,
			struct netlink_ext_ack *extack)
{
	struct vgw_prefix prefix;
	int ret;

	ret = vgw_netlink_prefix_read(attr, table, i, &prefix, extack);
	if (ret)
		return ret;
	if (add)
		ret = vgw_route_batch_add(batch, &prefix, run->class, run->group, run->on_fail,
					  extack);
	else
		ret = vgw_route_batch_del(batch, &prefix, run->class, extack);
	if (ret)
		vgw_netlink_error_at(extack, (u8 *)nla_data(attr) +
				     i * (table ? sizeof(struct vgw_prefix6) :
						  sizeof(struct vgw_prefix4)));
	return ret;
}

static int apply_run(struct vgw_route_batch *batch, const struct nlattr *nest, bool add,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *a[VGW_A_ROUTE_MAX + 1], *attr[2];
	struct run run;
	int ret;

	ret = nla_parse_nested(a, VGW_A_ROUTE_MAX, nest, route_policy, extack);
	if (!ret)
		ret = read_run(batch->gw, a, nest, add, &run, extack);
	if (ret)
		return ret;
	attr[0] = a[VGW_A_ROUTE_PREFIX4];
	attr[1] = a[VGW_A_ROUTE_PREFIX6];
	for (unsigned int table = 0; table < 2; table++) {
		unsigned int n = vgw_netlink_prefix_count(attr[table], table);

		for (unsigned int i = 0; i < n; i++) {
			ret = apply_prefix(batch, attr[table], table, i, &run, add, extack);
			if (ret)
				return ret;
			cond_resched();
		}
	}
	return 0;
}

/* All runs of the message, or none. */
static int apply_all(struct vgw_gateway *gw, struct genl_info *info, bool add)
{
	struct vgw_route_batch batch;
	const struct nlattr *attr;
	int rem, ret;

	ret = vgw_route_batch_begin(&batch, gw);
	if (ret)
		return ret;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VGW_A_ROUTES_ROUTE)
			continue;
		ret = apply_run(&batch, attr, add, info->extack);
		if (ret) {
			vgw_route_batch_abort(&batch);
			return ret;
		}
	}
	vgw_route_batch_commit(&batch);
	return 0;
}

static int route_doit(struct genl_info *info, bool add)
{
	struct nlattr *attr = info->attrs[VGW_A_ROUTES_GATEWAY];
	struct vgw_gateway *gw;
	int ret;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "the gateway's ifindex is missing");
		return -EINVAL;
	}
	if (!info->attrs[VGW_A_ROUTES_ROUTE]) {
		NL_SET_ERR_MSG(info->extack, "no route in the message");
		return -EINVAL;
	}
	gw = vgw_netlink_gateway_get(genl_info_net(info), nla_get_u32(attr), info->extack);
	if (!gw)
		return -ENODEV;
	ret = apply_all(gw, info, add);
	vgw_netlink_gateway_put(gw);
	return ret;
}

int vgw_netlink_route_add(struct sk_buff *skb, struct genl_info *info)
{
	return route_doit(info, true);
}

int vgw_netlink_route_del(struct sk_buff *skb, struct genl_info *info)
{
	return route_doit(info, false);
}

/* Where a dump goes on: after this prefix, whose classes all were told. */
struct route_place {
	struct vgw_lpm_key key;
	u8 len;
	u8 table;
	bool started;
};

static int put_route(struct sk_buff *skb, const struct vgw_gateway *gw,
		     const struct vgw_prefix *prefix, u8 mark, const struct vgw_slot *slot,
		     unsigned int index)
{
	struct nlattr *nest = nla_nest_start(skb, VGW_A_ROUTES_ROUTE);
	bool stale = gw->generation_open && !vgw_route_fresh(gw, mark, index);

	if (!nest || nla_put_u8(skb, VGW_A_ROUTE_CLASS, index + 1) ||
	    (slot->group && nla_put_u32(skb, VGW_A_ROUTE_GROUP, slot->group->id)) ||
	    nla_put_u8(skb, VGW_A_ROUTE_ON_FAIL, slot->on_fail) ||
	    vgw_netlink_prefix_put(skb, VGW_A_ROUTE_PREFIX4, VGW_A_ROUTE_PREFIX6, prefix) ||
	    (stale && nla_put_u8(skb, VGW_A_ROUTE_STALE, 1)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_prefix(struct sk_buff *skb, const struct vgw_gateway *gw,
		      const struct vgw_prefix *prefix, const struct vgw_lpm_value *value)
{
	const struct vgw_chain *chain = vgw_chain_get(gw, value->nh);
	unsigned int before = skb->len;

	for (unsigned int i = 0; i < VGW_N_CLASSES; i++) {
		if (chain->slot[i].present &&
		    put_route(skb, gw, prefix, value->mark, &chain->slot[i], i)) {
			skb_trim(skb, before);
			return -EMSGSIZE;
		}
	}
	return 0;
}

/* One message full of routes; *more says if the table has further ones. */
static unsigned int put_routes(struct sk_buff *skb, const struct vgw_gateway *gw,
			       struct route_place *place, bool *more)
{
	unsigned int count = 0;

	for (; place->table < 2; place->table++, place->len = VGW_LPM_START) {
		struct vgw_prefix prefix = { .key = place->key, .len = place->len,
					     .table = place->table };
		struct vgw_lpm_value value;

		if (place->len == VGW_LPM_START)
			memset(&prefix.key, 0, sizeof(prefix.key));
		while (vgw_lpm_next(gw->lpm[place->table], &prefix.key, &prefix.len, &value)) {
			*more = put_prefix(skb, gw, &prefix, &value);
			if (*more)
				return count;
			place->key = prefix.key;
			place->len = prefix.len;
			count++;
		}
	}
	*more = false;
	return count;
}

int vgw_netlink_route_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = vgw_dump_attrs(cb)[VGW_A_ROUTES_GATEWAY];
	struct route_place *place = (struct route_place *)cb->ctx;
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
	if (!place->started) {
		place->started = true;
		place->len = VGW_LPM_START;
	}
	cb->seq = gw->table_seq;
	head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &vgw_genl_family,
			   NLM_F_MULTI, VGW_CMD_ROUTE_GET);
	if (head && !nla_put_u32(skb, VGW_A_ROUTES_GATEWAY, gw->dev->ifindex)) {
		genl_dump_check_consistent(cb, head);
		if (put_routes(skb, gw, place, &more)) {
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

static struct vgw_gateway *generation_gateway(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[VGW_A_GATEWAY_IFINDEX];

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "the gateway's ifindex is missing");
		return ERR_PTR(-EINVAL);
	}
	return vgw_netlink_gateway_get(genl_info_net(info), nla_get_u32(attr), info->extack) ?:
	       ERR_PTR(-ENODEV);
}

int vgw_netlink_generation_begin(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = generation_gateway(info);
	struct sk_buff *reply;
	void *head;
	int ret = -EMSGSIZE;

	if (IS_ERR(gw))
		return PTR_ERR(gw);
	reply = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply) {
		vgw_netlink_gateway_put(gw);
		return -ENOMEM;
	}
	vgw_generation_begin(gw);
	head = genlmsg_put_reply(reply, info, &vgw_genl_family, 0, VGW_CMD_GENERATION_BEGIN);
	if (head && !nla_put_u32(reply, VGW_A_GATEWAY_IFINDEX, gw->dev->ifindex))
		ret = nla_put_u32(reply, VGW_A_GATEWAY_GENERATION, gw->generation);
	vgw_netlink_gateway_put(gw);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	genlmsg_end(reply, head);
	return genlmsg_reply(reply, info);
}

int vgw_netlink_generation_commit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *number = info->attrs[VGW_A_GATEWAY_GENERATION];
	struct vgw_gateway *gw = generation_gateway(info);
	int ret = -EINVAL;

	if (IS_ERR(gw))
		return PTR_ERR(gw);
	if (!number) {
		NL_SET_ERR_MSG(info->extack, "the generation's number is missing");
	} else if (!gw->generation_open || nla_get_u32(number) != gw->generation) {
		NL_SET_ERR_MSG_ATTR(info->extack, number, "this generation is not open");
		ret = -ESTALE;
	} else {
		ret = vgw_generation_commit(gw, info->extack);
	}
	if (!ret)
		vgw_netlink_gateway_event(gw);
	vgw_netlink_gateway_put(gw);
	return ret;
}
