// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.h"

#include <linux/slab.h>
#include <linux/vgw.h>
#include <net/sock.h>

#include "gateway.h"

static struct netlink_range_validation idle_range = { .max = VGW_HASH_IDLE_MAX };

const struct nla_policy vgw_gateway_policy[VGW_A_GATEWAY_MAX + 1] = {
	[VGW_A_GATEWAY_IFINDEX] = { .type = NLA_U32 },
	[VGW_A_GATEWAY_QUOTA] = { .type = NLA_U32 },
	[VGW_A_GATEWAY_HASH_SEED] = { .type = NLA_U32 },
	[VGW_A_GATEWAY_GUARD4] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, vgw_netlink_prefix4_valid),
	[VGW_A_GATEWAY_GUARD6] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, vgw_netlink_prefix6_valid),
	[VGW_A_GATEWAY_GENERATION] = { .type = NLA_U32 },
	[VGW_A_GATEWAY_MSS_CLAMP] = NLA_POLICY_MAX(NLA_U8, 1),
	[VGW_A_GATEWAY_HASH_FIELDS] = NLA_POLICY_MAX(NLA_U8, VGW_HASH_FIELDS_MAX),
	[VGW_A_GATEWAY_HASH_IDLE] = NLA_POLICY_FULL_RANGE(NLA_U32, &idle_range),
};

static int put_guards(struct sk_buff *skb, struct vgw_gateway *gw, unsigned int table)
{
	unsigned int n = vgw_lpm_count(gw->guard[table]), size = vgw_netlink_prefix_size(table);
	struct vgw_lpm_value value;
	struct vgw_lpm_key key = {};
	struct nlattr *attr;
	u8 len = VGW_LPM_START;
	u8 *entry;

	if (!n)
		return 0;
	attr = nla_reserve(skb, table ? VGW_A_GATEWAY_GUARD6 : VGW_A_GATEWAY_GUARD4, n * size);
	if (!attr)
		return -EMSGSIZE;
	entry = nla_data(attr);
	memset(entry, 0, n * size);
	for (; vgw_lpm_next(gw->guard[table], &key, &len, &value); entry += size) {
		memcpy(entry, key.addr, table ? 16 : 4);
		entry[table ? 16 : 4] = len;
	}
	return 0;
}

static int put_gateway(struct sk_buff *skb, struct vgw_gateway *gw)
{
	u64 memory = 0;

	for (unsigned int i = 0; i < 2; i++)
		memory += vgw_lpm_memory(gw->lpm[i]) + vgw_lpm_memory(gw->guard[i]) +
			  vgw_policy_set_memory(vgw_policy_set_of(gw, i));
	if (nla_put_u32(skb, VGW_A_GATEWAY_IFINDEX, gw->dev->ifindex) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_QUOTA, gw->quota) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_HASH_SEED, gw->hash.seed) ||
	    put_guards(skb, gw, 0) || put_guards(skb, gw, 1) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_GENERATION, gw->generation) ||
	    nla_put_u8(skb, VGW_A_GATEWAY_GENERATION_OPEN, gw->generation_open) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_TUNNELS, gw->tunnel_count) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_GROUPS, gw->group_count) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_ROUTES, gw->routes) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_DYNAMIC_PREFIXES, gw->dynamic_prefixes) ||
	    nla_put_u64_64bit(skb, VGW_A_GATEWAY_MEMORY, memory, VGW_A_GATEWAY_PAD) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_PROTOCOL_VERSION, VGW_PROTOCOL_VERSION) ||
	    nla_put_u8(skb, VGW_A_GATEWAY_MSS_CLAMP, gw->mss_clamp) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_POLICY_ROUTES, gw->policy_count) ||
	    nla_put_u8(skb, VGW_A_GATEWAY_HASH_FIELDS, gw->hash.fields) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_HASH_IDLE, gw->hash_idle))
		return -EMSGSIZE;
	return 0;
}

#define GATEWAY_MSG_SIZE	(NLMSG_GOODSIZE + VGW_GUARDS_MAX * 2 * sizeof(struct vgw_prefix6))

int vgw_netlink_gateway_do_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_GATEWAY_IFINDEX);
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_GATEWAY_IFINDEX);
	ret = vgw_netlink_reply(info, VGW_CMD_GATEWAY_GET, GATEWAY_MSG_SIZE, put_gateway, gw);
	vgw_netlink_gateway_put(gw);
	return ret;
}

static int dump_gateways(struct sk_buff *skb, struct netlink_callback *cb,
			 int (*put)(struct sk_buff *skb, struct vgw_gateway *gw), u8 cmd)
{
	struct vgw_net *vnet = vgw_net_get(sock_net(skb->sk));
	struct vgw_dump_place *place = (struct vgw_dump_place *)cb->ctx;
	struct vgw_gateway *gw, *next;

	mutex_lock(&vnet->lock);
	cb->seq = vnet->objects_seq;
	for (;;) {
		next = NULL;
		list_for_each_entry(gw, &vnet->gateways, list)
			if (gw->dev->ifindex > place->gateway &&
			    (!next || gw->dev->ifindex < next->dev->ifindex))
				next = gw;
		if (!next || vgw_netlink_put_dump(skb, cb, cmd, put, next))
			break;
		place->gateway = next->dev->ifindex;
	}
	mutex_unlock(&vnet->lock);
	return next && !skb->len ? -EMSGSIZE : skb->len;
}

int vgw_netlink_gateway_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_gateways(skb, cb, put_gateway, VGW_CMD_GATEWAY_GET);
}

static int read_guards(const struct nlattr *attr, unsigned int table, struct vgw_prefix *prefixes,
		       struct netlink_ext_ack *extack)
{
	unsigned int n = vgw_netlink_prefix_count(attr, table);

	if (n > VGW_GUARDS_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "too many guard ranges");
		return -E2BIG;
	}
	for (unsigned int i = 0; i < n; i++) {
		int ret = vgw_netlink_prefix_read(attr, table, i, &prefixes[i], extack);

		if (ret)
			return ret;
	}
	return 0;
}

/* Both lists or, when one is refused, neither. */
static int set_guards(struct vgw_gateway *gw, struct genl_info *info)
{
	struct nlattr *attr[2] = { info->attrs[VGW_A_GATEWAY_GUARD4],
				   info->attrs[VGW_A_GATEWAY_GUARD6] };
	const struct vgw_prefix *lists[2] = {};
	struct vgw_prefix *prefixes;
	unsigned int n[2];
	int ret = 0;

	if (!attr[0] && !attr[1])
		return 0;
	prefixes = kcalloc(2 * VGW_GUARDS_MAX, sizeof(*prefixes), GFP_KERNEL_ACCOUNT);
	if (!prefixes)
		return -ENOMEM;
	for (unsigned int i = 0; i < 2 && !ret; i++) {
		n[i] = vgw_netlink_prefix_count(attr[i], i);
		if (attr[i])
			lists[i] = prefixes + i * VGW_GUARDS_MAX;
		ret = read_guards(attr[i], i, prefixes + i * VGW_GUARDS_MAX, info->extack);
	}
	if (!ret)
		ret = vgw_gateway_set_guards(gw, lists, n);
	kfree(prefixes);
	return ret;
}

static void set_hash(struct vgw_gateway *gw, struct nlattr **a)
{
	if (a[VGW_A_GATEWAY_HASH_SEED])
		WRITE_ONCE(gw->hash.seed, nla_get_u32(a[VGW_A_GATEWAY_HASH_SEED]));
	if (a[VGW_A_GATEWAY_HASH_FIELDS])
		WRITE_ONCE(gw->hash.fields, nla_get_u8(a[VGW_A_GATEWAY_HASH_FIELDS]));
	if (a[VGW_A_GATEWAY_HASH_IDLE])
		WRITE_ONCE(gw->hash_idle, nla_get_u32(a[VGW_A_GATEWAY_HASH_IDLE]));
}

int vgw_netlink_gateway_set(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_GATEWAY_IFINDEX);
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_GATEWAY_IFINDEX);
	ret = set_guards(gw, info);
	if (!ret && info->attrs[VGW_A_GATEWAY_QUOTA])
		WRITE_ONCE(gw->quota, nla_get_u32(info->attrs[VGW_A_GATEWAY_QUOTA]));
	if (!ret)
		set_hash(gw, info->attrs);
	if (!ret && info->attrs[VGW_A_GATEWAY_MSS_CLAMP])
		WRITE_ONCE(gw->mss_clamp, nla_get_u8(info->attrs[VGW_A_GATEWAY_MSS_CLAMP]));
	if (!ret) {
		vgw_net_changed(gw->vnet);
		vgw_netlink_gateway_event(gw);
	}
	vgw_netlink_gateway_put(gw);
	return ret;
}

void vgw_netlink_gateway_event(struct vgw_gateway *gw)
{
	vgw_netlink_send_event(gw, VGW_CMD_GATEWAY_NTF, GATEWAY_MSG_SIZE, put_gateway, gw);
}

/* Counters */

const struct nla_policy vgw_stats_policy[VGW_A_STATS_MAX + 1] = {
	[VGW_A_STATS_GATEWAY] = { .type = NLA_U32 },
};

static int put_stats(struct sk_buff *skb, struct vgw_gateway *gw)
{
	u64 sum[VGW_N_STATS];

	vgw_stats_sum(gw->stats, VGW_N_STATS, sum);
	if (nla_put_u32(skb, VGW_A_STATS_GATEWAY, gw->dev->ifindex))
		return -EMSGSIZE;
	/* The counters stand in the order of their attributes; among those is the pad. */
	for (unsigned int i = 0; i < VGW_N_STATS; i++) {
		int attr = VGW_A_STATS_TX_PACKETS + i;

		if (nla_put_u64_64bit(skb, attr < VGW_A_STATS_PAD ? attr : attr + 1, sum[i],
				      VGW_A_STATS_PAD))
			return -EMSGSIZE;
	}
	return 0;
}

int vgw_netlink_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_STATS_GATEWAY);
	int ret;

	BUILD_BUG_ON(VGW_A_STATS_TX_PACKETS + VGW_N_STATS != VGW_A_STATS_MAX);
	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_STATS_GATEWAY);
	ret = vgw_netlink_reply(info, VGW_CMD_STATS_GET, NLMSG_GOODSIZE, put_stats, gw);
	vgw_netlink_gateway_put(gw);
	return ret;
}

int vgw_netlink_stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_gateways(skb, cb, put_stats, VGW_CMD_STATS_GET);
}
