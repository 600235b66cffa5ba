// SPDX-License-Identifier: GPL-2.0-only
#include <linux/vgw.h>

#include "bundle.h"
#include "gateway.h"
#include "group.h"
#include "netlink.h"
#include "select.h"

/* Policy routes that an answer tells, and the one that decided. */
#define POLICIES_TOLD	32

static struct netlink_range_validation label_range = { .max = 0xfffff };

const struct nla_policy vgw_lookup_policy[VGW_A_LOOKUP_MAX + 1] = {
	[VGW_A_LOOKUP_GATEWAY] = { .type = NLA_U32 },
	[VGW_A_LOOKUP_DST4] = { .type = NLA_U32 },
	[VGW_A_LOOKUP_DST6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[VGW_A_LOOKUP_SRC4] = { .type = NLA_U32 },
	[VGW_A_LOOKUP_SRC6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[VGW_A_LOOKUP_PROTOCOL] = { .type = NLA_U8 },
	[VGW_A_LOOKUP_SPORT] = { .type = NLA_U16 },
	[VGW_A_LOOKUP_DPORT] = { .type = NLA_U16 },
	[VGW_A_LOOKUP_FLOW_LABEL] = NLA_POLICY_FULL_RANGE(NLA_U32, &label_range),
};

static int read_flow(struct genl_info *info, struct vgw_flow *flow)
{
	struct nlattr **a = info->attrs;

	memset(flow, 0, sizeof(*flow));
	if (!a[VGW_A_LOOKUP_DST4] == !a[VGW_A_LOOKUP_DST6]) {
		NL_SET_ERR_MSG(info->extack, "exactly one destination is needed");
		return -EINVAL;
	}
	if ((a[VGW_A_LOOKUP_SRC4] && !a[VGW_A_LOOKUP_DST4]) ||
	    (a[VGW_A_LOOKUP_SRC6] && !a[VGW_A_LOOKUP_DST6])) {
		NL_SET_ERR_MSG(info->extack, "source and destination are of different families");
		return -EINVAL;
	}
	if (a[VGW_A_LOOKUP_DST4]) {
		flow->family = AF_INET;
		flow->dst.v4 = nla_get_be32(a[VGW_A_LOOKUP_DST4]);
		if (a[VGW_A_LOOKUP_SRC4])
			flow->src.v4 = nla_get_be32(a[VGW_A_LOOKUP_SRC4]);
	} else {
		flow->family = AF_INET6;
		flow->dst.v6 = nla_get_in6_addr(a[VGW_A_LOOKUP_DST6]);
		if (a[VGW_A_LOOKUP_SRC6])
			flow->src.v6 = nla_get_in6_addr(a[VGW_A_LOOKUP_SRC6]);
	}
	if (a[VGW_A_LOOKUP_PROTOCOL])
		flow->protocol = nla_get_u8(a[VGW_A_LOOKUP_PROTOCOL]);
	if (a[VGW_A_LOOKUP_SPORT])
		flow->sport = htons(nla_get_u16(a[VGW_A_LOOKUP_SPORT]));
	if (a[VGW_A_LOOKUP_DPORT])
		flow->dport = htons(nla_get_u16(a[VGW_A_LOOKUP_DPORT]));
	if (a[VGW_A_LOOKUP_FLOW_LABEL] && flow->family == AF_INET6)
		flow->label = htonl(nla_get_u32(a[VGW_A_LOOKUP_FLOW_LABEL]));
	return 0;
}

static u8 candidate_result(const struct vgw_choice *choice, u8 len, unsigned int slot,
			   const struct vgw_slot *route, unsigned int live)
{
	bool decided = choice->verdict == VGW_VERDICT_TUNNEL ||
		       choice->verdict == VGW_VERDICT_SYSTEM ||
		       choice->verdict == VGW_VERDICT_RESERVED;

	if (choice->policy)
		return VGW_CANDIDATE_RESULT_AFTER_POLICY;
	if (decided && choice->len == len && choice->slot == slot)
		return choice->verdict == VGW_VERDICT_RESERVED ? VGW_CANDIDATE_RESULT_HELD :
								 VGW_CANDIDATE_RESULT_SELECTED;
	if (decided && len < choice->len)
		return VGW_CANDIDATE_RESULT_SHORTER_PREFIX;
	if (decided && len == choice->len && slot > choice->slot)
		return VGW_CANDIDATE_RESULT_LOWER_CLASS;
	/* It was looked at and passed over. */
	return route->group && !live ? VGW_CANDIDATE_RESULT_ALL_DEAD :
				       VGW_CANDIDATE_RESULT_CLEAR_TEXT;
}

static int put_candidate(struct sk_buff *skb, const struct vgw_choice *choice,
			 const struct vgw_prefix *prefix, unsigned int slot,
			 const struct vgw_slot *route)
{
	unsigned int live = route->group ? vgw_group_live(route->group) : 0;
	struct nlattr *nest = nla_nest_start(skb, VGW_A_LOOKUP_CANDIDATE);

	if (!nest || vgw_netlink_prefix_put(skb, VGW_A_CANDIDATE_PREFIX4, VGW_A_CANDIDATE_PREFIX6,
					    prefix) ||
	    nla_put_u8(skb, VGW_A_CANDIDATE_CLASS, slot + 1) ||
	    (route->group && nla_put_u32(skb, VGW_A_CANDIDATE_GROUP, route->group->id)) ||
	    nla_put_u8(skb, VGW_A_CANDIDATE_ON_FAIL, route->on_fail) ||
	    nla_put_u32(skb, VGW_A_CANDIDATE_LIVE, live) ||
	    nla_put_u8(skb, VGW_A_CANDIDATE_RESULT,
		       candidate_result(choice, prefix->len, slot, route, live)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* The covering prefix of a length: the address with the rest cut off. */
static void cut(struct vgw_prefix *prefix, const struct vgw_lpm_key *key, u8 len)
{
	memset(&prefix->key, 0, sizeof(prefix->key));
	memcpy(prefix->key.addr, key->addr, len / 8);
	if (len % 8)
		prefix->key.addr[len / 8] = key->addr[len / 8] & ~(0xff >> (len % 8));
	prefix->len = len;
}

static u8 policy_result(const struct vgw_choice *choice, const struct vgw_policy *policy,
			bool passed)
{
	if (policy == choice->policy)
		return choice->verdict == VGW_VERDICT_RESERVED ? VGW_CANDIDATE_RESULT_HELD :
								 VGW_CANDIDATE_RESULT_SELECTED;
	return passed ? VGW_CANDIDATE_RESULT_AFTER_POLICY : VGW_CANDIDATE_RESULT_ALL_DEAD;
}

static int put_policy(struct sk_buff *skb, unsigned int table, const struct vgw_policy *policy,
		      u8 result)
{
	struct vgw_prefix src = { .key = policy->src, .len = policy->src_len, .table = table };
	struct vgw_prefix dst = { .key = policy->dst, .len = policy->dst_len, .table = table };
	struct nlattr *nest = nla_nest_start(skb, VGW_A_LOOKUP_CANDIDATE);

	if (!nest || vgw_netlink_prefix_put(skb, VGW_A_CANDIDATE_PREFIX4, VGW_A_CANDIDATE_PREFIX6,
					    &dst) ||
	    vgw_netlink_prefix_put(skb, VGW_A_CANDIDATE_SRC4, VGW_A_CANDIDATE_SRC6, &src) ||
	    nla_put_u32(skb, VGW_A_CANDIDATE_PRIORITY, policy->priority) ||
	    nla_put_u32(skb, VGW_A_CANDIDATE_SEQUENCE, policy->sequence) ||
	    nla_put_u32(skb, VGW_A_CANDIDATE_GROUP, policy->group->id) ||
	    nla_put_u8(skb, VGW_A_CANDIDATE_ON_FAIL, policy->on_fail) ||
	    nla_put_u32(skb, VGW_A_CANDIDATE_LIVE, vgw_group_live(policy->group)) ||
	    nla_put_u8(skb, VGW_A_CANDIDATE_RESULT, result))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_policies(struct sk_buff *skb, const struct vgw_gateway *gw,
			const struct vgw_flow *flow, const struct vgw_choice *choice)
{
	unsigned int table = flow->family == AF_INET6, told = 0;
	const struct vgw_policy_set *set = rcu_dereference(gw->policies[table]);
	const struct vgw_policy *policy = NULL;
	struct vgw_lpm_key src, dst;
	bool passed = false;

	vgw_key_from_addr(&src, flow->family, &flow->src);
	vgw_key_from_addr(&dst, flow->family, &flow->dst);
	while (set && (policy = vgw_policy_match(set, &src, &dst, policy))) {
		if ((told < POLICIES_TOLD || policy == choice->policy) &&
		    put_policy(skb, table, policy, policy_result(choice, policy, passed)))
			return -EMSGSIZE;
		told++;
		passed |= policy == choice->policy;
		if (told >= POLICIES_TOLD && (passed || !choice->policy))
			return 0;
	}
	return 0;
}

static int put_candidates(struct sk_buff *skb, const struct vgw_gateway *gw,
			  const struct vgw_flow *flow, const struct vgw_choice *choice)
{
	struct vgw_prefix prefix = { .table = flow->family == AF_INET6 };
	struct vgw_lpm_key key;
	u8 len = VGW_LPM_START;
	u16 id;

	vgw_key_from_addr(&key, flow->family, &flow->dst);
	while ((id = vgw_lpm_lookup_below(gw->lpm[prefix.table], &key, &len))) {
		const struct vgw_chain *chain = vgw_chain_get(gw, id);

		cut(&prefix, &key, len);
		for (unsigned int i = 0; chain && i < VGW_N_CLASSES; i++)
			if (chain->slot[i].present &&
			    put_candidate(skb, choice, &prefix, i, &chain->slot[i]))
				return -EMSGSIZE;
	}
	len = VGW_LPM_START;
	if (!vgw_lpm_lookup_below(gw->guard[prefix.table], &key, &len))
		return 0;
	cut(&prefix, &key, len);
	return vgw_netlink_prefix_put(skb, VGW_A_LOOKUP_GUARD_PREFIX4, VGW_A_LOOKUP_GUARD_PREFIX6,
				      &prefix);
}

static int put_choice(struct sk_buff *skb, const struct vgw_choice *choice,
		      const struct vgw_flow *flow, u32 hash)
{
	const struct vgw_tunnel *tunnel = choice->tunnel;
	unsigned int table = flow->family == AF_INET6;

	if (nla_put_u8(skb, VGW_A_LOOKUP_VERDICT, choice->verdict) ||
	    nla_put_u32(skb, VGW_A_LOOKUP_HASH, hash))
		return -EMSGSIZE;
	if (choice->verdict != VGW_VERDICT_TUNNEL)
		return 0;
	return nla_put_u32(skb, VGW_A_LOOKUP_GROUP, choice->group->id) ||
	       nla_put_u32(skb, VGW_A_LOOKUP_BUCKET, choice->bucket) ||
	       nla_put_u32(skb, VGW_A_LOOKUP_TUNNEL, tunnel->id) ||
	       nla_put_u32(skb, VGW_A_LOOKUP_TUNNEL_IFINDEX, tunnel->ifindex) ||
	       nla_put_be32(skb, VGW_A_LOOKUP_SPI, READ_ONCE(tunnel->spi)) ||
	       nla_put_u8(skb, VGW_A_LOOKUP_CACHE, vgw_bundle_state(&tunnel->bundles, table)) ||
	       nla_put_u8(skb, VGW_A_LOOKUP_KEPT, vgw_group_keeps(choice->group, hash, tunnel));
}

static int put_lookup(struct sk_buff *skb, const struct vgw_gateway *gw,
		      const struct vgw_flow *flow)
{
	u32 hash = vgw_flow_hash(flow, &gw->hash);
	struct vgw_choice choice;
	int ret;

	rcu_read_lock();
	vgw_select_explain(gw, flow, hash, NULL, &choice);
	ret = nla_put_u32(skb, VGW_A_LOOKUP_GATEWAY, gw->dev->ifindex) ||
	      put_choice(skb, &choice, flow, hash) || put_policies(skb, gw, flow, &choice) ||
	      put_candidates(skb, gw, flow, &choice);
	rcu_read_unlock();
	return ret ? -EMSGSIZE : 0;
}

int vgw_netlink_lookup(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[VGW_A_LOOKUP_GATEWAY];
	struct vgw_gateway *gw;
	struct vgw_flow flow;
	struct sk_buff *reply;
	void *head;
	int ret;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "the gateway's ifindex is missing");
		return -EINVAL;
	}
	ret = read_flow(info, &flow);
	if (ret)
		return ret;
	/* Some policy routes, and 129 prefixes of three classes at most. */
	reply = genlmsg_new((POLICIES_TOLD + 1) * 128 + 129 * 3 * 80, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	gw = vgw_netlink_gateway_get(genl_info_net(info), nla_get_u32(attr), info->extack);
	if (!gw) {
		nlmsg_free(reply);
		return -ENODEV;
	}
	head = genlmsg_put_reply(reply, info, &vgw_genl_family, 0, VGW_CMD_LOOKUP);
	ret = head ? put_lookup(reply, gw, &flow) : -EMSGSIZE;
	vgw_netlink_gateway_put(gw);
	if (ret) {
		nlmsg_free(reply);
		return ret;
	}
	genlmsg_end(reply, head);
	return genlmsg_reply(reply, info);
}
