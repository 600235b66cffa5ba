// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/vgw.h>
#include <net/sock.h>

#include "compat.h"
#include "device.h"
#include "gateway.h"
#include "group.h"
#include "tunnel.h"

struct vgw_gateway *vgw_netlink_gateway_get(struct net *net, u32 ifindex,
					    struct netlink_ext_ack *extack)
{
	struct vgw_net *vnet = vgw_net_get(net);
	struct vgw_gateway *gw;

	mutex_lock(&vnet->lock);
	list_for_each_entry(gw, &vnet->gateways, list)
		if (gw->dev->ifindex == ifindex)
			return gw;
	mutex_unlock(&vnet->lock);
	NL_SET_ERR_MSG(extack, "no gateway with this ifindex in the network namespace");
	return NULL;
}

void vgw_netlink_gateway_put(struct vgw_gateway *gw)
{
	mutex_unlock(&gw->vnet->lock);
}

void vgw_netlink_error_at(struct netlink_ext_ack *extack, const void *data)
{
	/* Only the distance from the head of the message is ever used. */
	extack->bad_attr = data;
}

static unsigned int prefix_size(unsigned int table)
{
	return table ? sizeof(struct vgw_prefix6) : sizeof(struct vgw_prefix4);
}

static int prefix_array_valid(const struct nlattr *attr, unsigned int table,
			      struct netlink_ext_ack *extack)
{
	if (nla_len(attr) % prefix_size(table) == 0)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "length is not a multiple of a prefix");
	return -EINVAL;
}

int vgw_netlink_prefix4_valid(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	return prefix_array_valid(attr, 0, extack);
}

int vgw_netlink_prefix6_valid(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	return prefix_array_valid(attr, 1, extack);
}

unsigned int vgw_netlink_prefix_count(const struct nlattr *attr, unsigned int table)
{
	return attr ? nla_len(attr) / prefix_size(table) : 0;
}

static bool has_host_bits(const struct vgw_prefix *prefix)
{
	for (unsigned int i = prefix->len / 8; i < sizeof(prefix->key.addr); i++) {
		u8 behind = i == prefix->len / 8 ? 0xff >> (prefix->len % 8) : 0xff;

		if (prefix->key.addr[i] & behind)
			return true;
	}
	return false;
}

int vgw_netlink_prefix_read(const struct nlattr *attr, unsigned int table, unsigned int i,
			    struct vgw_prefix *prefix, struct netlink_ext_ack *extack)
{
	const u8 *entry = (const u8 *)nla_data(attr) + i * prefix_size(table);
	unsigned int bytes = table ? 16 : 4;

	memset(prefix, 0, sizeof(*prefix));
	memcpy(prefix->key.addr, entry, bytes);
	prefix->len = entry[bytes];
	prefix->table = table;
	vgw_netlink_error_at(extack, entry);
	if (prefix->len > bytes * 8) {
		NL_SET_ERR_MSG(extack, "prefix length is larger than the address");
		return -EINVAL;
	}
	if (has_host_bits(prefix)) {
		NL_SET_ERR_MSG(extack, "address has bits set behind the prefix length");
		return -EINVAL;
	}
	if (entry[bytes + 1] || entry[bytes + 2] || entry[bytes + 3]) {
		NL_SET_ERR_MSG(extack, "padding of a prefix is not zero");
		return -EINVAL;
	}
	extack->bad_attr = NULL;
	return 0;
}

int vgw_netlink_prefix_put(struct sk_buff *skb, int type4, int type6,
			   const struct vgw_prefix *prefix)
{
	struct vgw_prefix6 p6 = { .len = prefix->len };
	struct vgw_prefix4 p4 = { .len = prefix->len };

	memcpy(&p4.addr, prefix->key.addr, sizeof(p4.addr));
	memcpy(p6.addr, prefix->key.addr, sizeof(p6.addr));
	return prefix->table ? nla_put(skb, type6, sizeof(p6), &p6) :
			       nla_put(skb, type4, sizeof(p4), &p4);
}

/* Gateways */

static const struct nla_policy gateway_policy[VGW_A_GATEWAY_MAX + 1] = {
	[VGW_A_GATEWAY_IFINDEX] = { .type = NLA_U32 },
	[VGW_A_GATEWAY_QUOTA] = { .type = NLA_U32 },
	[VGW_A_GATEWAY_HASH_SEED] = { .type = NLA_U32 },
	[VGW_A_GATEWAY_GUARD4] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, vgw_netlink_prefix4_valid),
	[VGW_A_GATEWAY_GUARD6] = NLA_POLICY_VALIDATE_FN(NLA_BINARY, vgw_netlink_prefix6_valid),
	[VGW_A_GATEWAY_GENERATION] = { .type = NLA_U32 },
};

static int put_guards(struct sk_buff *skb, struct vgw_gateway *gw, unsigned int table)
{
	unsigned int n = vgw_lpm_count(gw->guard[table]), size = prefix_size(table);
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
		memory += vgw_lpm_memory(gw->lpm[i]) + vgw_lpm_memory(gw->guard[i]);
	if (nla_put_u32(skb, VGW_A_GATEWAY_IFINDEX, gw->dev->ifindex) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_QUOTA, gw->quota) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_HASH_SEED, gw->seed) ||
	    put_guards(skb, gw, 0) || put_guards(skb, gw, 1) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_GENERATION, gw->generation) ||
	    nla_put_u8(skb, VGW_A_GATEWAY_GENERATION_OPEN, gw->generation_open) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_TUNNELS, gw->tunnel_count) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_GROUPS, gw->group_count) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_ROUTES, gw->routes) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_DYNAMIC_PREFIXES, gw->dynamic_prefixes) ||
	    nla_put_u64_64bit(skb, VGW_A_GATEWAY_MEMORY, memory, VGW_A_GATEWAY_PAD) ||
	    nla_put_u32(skb, VGW_A_GATEWAY_PROTOCOL_VERSION, VGW_PROTOCOL_VERSION))
		return -EMSGSIZE;
	return 0;
}

/* Starts, fills and ends one message. */
#define put_message(to, portid, seq, flags, cmd, put, object)					\
({												\
	struct sk_buff *to_ = (to);								\
	void *head_ = genlmsg_put(to_, portid, seq, &vgw_genl_family, flags, cmd);		\
	int ret_ = head_ ? put(to_, object) : -EMSGSIZE;					\
												\
	if (ret_ && head_)									\
		genlmsg_cancel(to_, head_);							\
	else if (head_)										\
		genlmsg_end(to_, head_);							\
	ret_;											\
})

#define reply_with(to, cmd, size, put, object)							\
({												\
	struct genl_info *info_ = (to);								\
	struct sk_buff *skb_ = genlmsg_new(size, GFP_KERNEL);					\
	int err_ = -ENOMEM;									\
												\
	if (skb_) {										\
		err_ = put_message(skb_, info_->snd_portid, info_->snd_seq, 0, cmd, put,	\
				   object);							\
		if (err_)									\
			nlmsg_free(skb_);							\
		else										\
			err_ = genlmsg_reply(skb_, info_);					\
	}											\
	err_;											\
})

#define GATEWAY_MSG_SIZE	(NLMSG_GOODSIZE + VGW_GUARDS_MAX * 2 * sizeof(struct vgw_prefix6))

static struct vgw_gateway *gateway_of(struct genl_info *info, int attr)
{
	if (GENL_REQ_ATTR_CHECK(info, attr)) {
		NL_SET_ERR_MSG(info->extack, "the gateway's ifindex is missing");
		return NULL;
	}
	return vgw_netlink_gateway_get(genl_info_net(info), nla_get_u32(info->attrs[attr]),
				       info->extack);
}

static int gateway_error(struct genl_info *info, int attr)
{
	return info->attrs[attr] ? -ENODEV : -EINVAL;
}

static int gateway_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_GATEWAY_IFINDEX);
	int ret;

	if (!gw)
		return gateway_error(info, VGW_A_GATEWAY_IFINDEX);
	ret = reply_with(info, VGW_CMD_GATEWAY_GET, GATEWAY_MSG_SIZE, put_gateway, gw);
	vgw_netlink_gateway_put(gw);
	return ret;
}

/* Where a dump goes on: strictly after this object. */
struct dump_place {
	u32 gateway;	/* ifindex */
	u32 id;
	u32 started;
};

static int dump_gateways(struct sk_buff *skb, struct netlink_callback *cb,
			 int (*put)(struct sk_buff *skb, struct vgw_gateway *gw), u8 cmd)
{
	struct vgw_net *vnet = vgw_net_get(sock_net(skb->sk));
	struct dump_place *place = (struct dump_place *)cb->ctx;
	struct vgw_gateway *gw, *next;

	mutex_lock(&vnet->lock);
	for (;;) {
		next = NULL;
		list_for_each_entry(gw, &vnet->gateways, list)
			if (gw->dev->ifindex > place->gateway &&
			    (!next || gw->dev->ifindex < next->dev->ifindex))
				next = gw;
		if (!next || put_message(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					 NLM_F_MULTI, cmd, put, next))
			break;
		place->gateway = next->dev->ifindex;
	}
	mutex_unlock(&vnet->lock);
	return next && !skb->len ? -EMSGSIZE : skb->len;
}

static int gateway_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
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

/* Both lists are read before either is replaced. */
static int set_guards(struct vgw_gateway *gw, struct genl_info *info)
{
	struct nlattr *attr[2] = { info->attrs[VGW_A_GATEWAY_GUARD4],
				   info->attrs[VGW_A_GATEWAY_GUARD6] };
	struct vgw_prefix *prefixes;
	int ret = 0;

	if (!attr[0] && !attr[1])
		return 0;
	prefixes = kcalloc(2 * VGW_GUARDS_MAX, sizeof(*prefixes), GFP_KERNEL_ACCOUNT);
	if (!prefixes)
		return -ENOMEM;
	for (unsigned int i = 0; i < 2 && !ret; i++)
		ret = read_guards(attr[i], i, prefixes + i * VGW_GUARDS_MAX, info->extack);
	for (unsigned int i = 0; i < 2 && !ret; i++)
		if (attr[i])
			ret = vgw_gateway_set_guards(gw, i, prefixes + i * VGW_GUARDS_MAX,
						     vgw_netlink_prefix_count(attr[i], i));
	kfree(prefixes);
	return ret;
}

static int gateway_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_GATEWAY_IFINDEX);
	int ret;

	if (!gw)
		return gateway_error(info, VGW_A_GATEWAY_IFINDEX);
	ret = set_guards(gw, info);
	if (!ret && info->attrs[VGW_A_GATEWAY_QUOTA])
		WRITE_ONCE(gw->quota, nla_get_u32(info->attrs[VGW_A_GATEWAY_QUOTA]));
	if (!ret && info->attrs[VGW_A_GATEWAY_HASH_SEED])
		WRITE_ONCE(gw->seed, nla_get_u32(info->attrs[VGW_A_GATEWAY_HASH_SEED]));
	if (!ret)
		vgw_netlink_gateway_event(gw);
	vgw_netlink_gateway_put(gw);
	return ret;
}

/* Tunnels */

static const struct nla_policy tunnel_policy[VGW_A_TUNNEL_MAX + 1] = {
	[VGW_A_TUNNEL_GATEWAY] = { .type = NLA_U32 },
	[VGW_A_TUNNEL_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[VGW_A_TUNNEL_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[VGW_A_TUNNEL_CONNECTION] = { .type = NLA_U32 },
	[VGW_A_TUNNEL_SITE] = { .type = NLA_U32 },
	[VGW_A_TUNNEL_SOURCE_CHECK] = NLA_POLICY_MAX(NLA_U8, VGW_SOURCE_CHECK_MAX),
	[VGW_A_TUNNEL_TRANSIT] = NLA_POLICY_MAX(NLA_U8, 1),
	[VGW_A_TUNNEL_FAILED] = NLA_POLICY_MAX(NLA_U8, 1),
};

static int put_tunnel_settings(struct sk_buff *skb, struct vgw_tunnel *tunnel)
{
	return nla_put_u32(skb, VGW_A_TUNNEL_GATEWAY, tunnel->gw->dev->ifindex) ||
	       nla_put_u32(skb, VGW_A_TUNNEL_ID, tunnel->id) ||
	       nla_put_u32(skb, VGW_A_TUNNEL_IFINDEX, tunnel->ifindex) ||
	       nla_put_u32(skb, VGW_A_TUNNEL_IF_ID, tunnel->if_id) ||
	       nla_put_u32(skb, VGW_A_TUNNEL_CONNECTION, tunnel->connection) ||
	       nla_put_u32(skb, VGW_A_TUNNEL_SITE, tunnel->site) ||
	       nla_put_u8(skb, VGW_A_TUNNEL_SOURCE_CHECK, tunnel->source_check) ||
	       nla_put_u8(skb, VGW_A_TUNNEL_TRANSIT, tunnel->transit) ||
	       nla_put_u8(skb, VGW_A_TUNNEL_FAILED, tunnel->failed);
}

static int put_tunnel_sa(struct sk_buff *skb, struct vgw_tunnel *tunnel)
{
	u8 family = READ_ONCE(tunnel->remote_family);

	if (family == AF_INET && nla_put_in_addr(skb, VGW_A_TUNNEL_REMOTE4, tunnel->remote.v4))
		return -EMSGSIZE;
	if (family == AF_INET6 && nla_put_in6_addr(skb, VGW_A_TUNNEL_REMOTE6, &tunnel->remote.v6))
		return -EMSGSIZE;
	return nla_put_be32(skb, VGW_A_TUNNEL_SPI, READ_ONCE(tunnel->spi)) ||
	       nla_put_u32(skb, VGW_A_TUNNEL_MTU, READ_ONCE(tunnel->mtu));
}

static int put_tunnel_stats(struct sk_buff *skb, struct vgw_tunnel *tunnel)
{
	static const u8 attr[VGW_N_TSTATS] = {
		[VGW_TSTAT_TX_PACKETS] = VGW_A_TUNNEL_TX_PACKETS,
		[VGW_TSTAT_TX_BYTES] = VGW_A_TUNNEL_TX_BYTES,
		[VGW_TSTAT_TX_ERRORS] = VGW_A_TUNNEL_TX_ERRORS,
		[VGW_TSTAT_RX_PACKETS] = VGW_A_TUNNEL_RX_PACKETS,
		[VGW_TSTAT_RX_BYTES] = VGW_A_TUNNEL_RX_BYTES,
		[VGW_TSTAT_RX_REFUSED] = VGW_A_TUNNEL_RX_REFUSED,
	};
	unsigned long last = READ_ONCE(tunnel->last_rx);
	u64 sum[VGW_N_TSTATS];

	vgw_stats_sum(tunnel->stats, VGW_N_TSTATS, sum);
	for (unsigned int i = 0; i < VGW_N_TSTATS; i++)
		if (nla_put_u64_64bit(skb, attr[i], sum[i], VGW_A_TUNNEL_PAD))
			return -EMSGSIZE;
	if (last && nla_put_u64_64bit(skb, VGW_A_TUNNEL_LAST_RX, jiffies_to_msecs(jiffies - last),
				      VGW_A_TUNNEL_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_tunnel(struct sk_buff *skb, struct vgw_tunnel *tunnel)
{
	bool live = vgw_tunnel_live(tunnel);

	if (put_tunnel_settings(skb, tunnel) || put_tunnel_sa(skb, tunnel) ||
	    nla_put_u8(skb, VGW_A_TUNNEL_STATE,
		       live ? VGW_TUNNEL_STATE_UP : VGW_TUNNEL_STATE_DOWN) ||
	    nla_put_u8(skb, VGW_A_TUNNEL_REASON, tunnel->reason) ||
	    put_tunnel_stats(skb, tunnel) ||
	    nla_put_u32(skb, VGW_A_TUNNEL_TRANSITIONS, tunnel->transitions))
		return -EMSGSIZE;
	return 0;
}

static struct vgw_tunnel *tunnel_of(struct vgw_gateway *gw, struct genl_info *info)
{
	struct vgw_tunnel *tunnel;

	if (GENL_REQ_ATTR_CHECK(info, VGW_A_TUNNEL_ID)) {
		NL_SET_ERR_MSG(info->extack, "the tunnel's id is missing");
		return ERR_PTR(-EINVAL);
	}
	tunnel = xa_load(&gw->tunnels, nla_get_u32(info->attrs[VGW_A_TUNNEL_ID]));
	if (!tunnel) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VGW_A_TUNNEL_ID],
				    "no tunnel with this id");
		return ERR_PTR(-ENOENT);
	}
	return tunnel;
}

static int tunnel_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_TUNNEL_GATEWAY);
	struct vgw_tunnel *tunnel;
	int ret;

	if (!gw)
		return gateway_error(info, VGW_A_TUNNEL_GATEWAY);
	tunnel = tunnel_of(gw, info);
	ret = PTR_ERR_OR_ZERO(tunnel);
	if (!ret)
		ret = reply_with(info, VGW_CMD_TUNNEL_GET, NLMSG_GOODSIZE, put_tunnel, tunnel);
	vgw_netlink_gateway_put(gw);
	return ret;
}

static void read_tunnel(struct genl_info *info, struct vgw_tunnel_config *config)
{
	struct nlattr **a = info->attrs;

	config->id = nla_get_u32(a[VGW_A_TUNNEL_ID]);
	if (a[VGW_A_TUNNEL_IFINDEX])
		config->ifindex = nla_get_u32(a[VGW_A_TUNNEL_IFINDEX]);
	if (a[VGW_A_TUNNEL_CONNECTION])
		config->connection = nla_get_u32(a[VGW_A_TUNNEL_CONNECTION]);
	if (a[VGW_A_TUNNEL_SITE])
		config->site = nla_get_u32(a[VGW_A_TUNNEL_SITE]);
	if (a[VGW_A_TUNNEL_SOURCE_CHECK])
		config->source_check = nla_get_u8(a[VGW_A_TUNNEL_SOURCE_CHECK]);
	if (a[VGW_A_TUNNEL_TRANSIT])
		config->transit = nla_get_u8(a[VGW_A_TUNNEL_TRANSIT]);
	if (a[VGW_A_TUNNEL_FAILED])
		config->failed = nla_get_u8(a[VGW_A_TUNNEL_FAILED]);
}

static int tunnel_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_TUNNEL_GATEWAY);
	struct vgw_tunnel_config config = {};
	const struct vgw_tunnel *old;
	int ret = -EINVAL;

	if (!gw)
		return gateway_error(info, VGW_A_TUNNEL_GATEWAY);
	if (GENL_REQ_ATTR_CHECK(info, VGW_A_TUNNEL_ID)) {
		NL_SET_ERR_MSG(info->extack, "the tunnel's id is missing");
		goto out;
	}
	/* What the request does not name stays as it is. */
	old = xa_load(&gw->tunnels, nla_get_u32(info->attrs[VGW_A_TUNNEL_ID]));
	if (old) {
		config.connection = old->connection;
		config.site = old->site;
		config.source_check = old->source_check;
		config.transit = old->transit;
		config.failed = old->failed;
	}
	read_tunnel(info, &config);
	ret = vgw_tunnel_set(gw, &config, info->attrs[VGW_A_TUNNEL_IFINDEX], info->extack);
out:
	vgw_netlink_gateway_put(gw);
	return ret;
}

static int tunnel_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_TUNNEL_GATEWAY);
	struct vgw_tunnel *tunnel;
	int ret;

	if (!gw)
		return gateway_error(info, VGW_A_TUNNEL_GATEWAY);
	tunnel = tunnel_of(gw, info);
	ret = IS_ERR(tunnel) ? PTR_ERR(tunnel) : vgw_tunnel_del(gw, tunnel, info->extack);
	vgw_netlink_gateway_put(gw);
	return ret;
}

/* Groups */

static const struct nla_policy member_policy[VGW_A_MEMBER_MAX + 1] = {
	[VGW_A_MEMBER_TUNNEL] = NLA_POLICY_MIN(NLA_U32, 1),
	[VGW_A_MEMBER_WEIGHT] = { .type = NLA_U8 },
};

static const struct nla_policy group_policy[VGW_A_GROUP_MAX + 1] = {
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

static int put_group(struct sk_buff *skb, const struct group_of_gateway *one)
{
	const struct vgw_group *group = one->group;
	const struct vgw_group_map *map;
	u64 packets = 0;
	int cpu, ret;

	for_each_possible_cpu(cpu)
		packets += READ_ONCE(*per_cpu_ptr(group->packets, cpu));
	rcu_read_lock();
	map = rcu_dereference(group->map);
	ret = nla_put_u32(skb, VGW_A_GROUP_GATEWAY, one->gw->dev->ifindex) ||
	      nla_put_u32(skb, VGW_A_GROUP_ID, group->id) ||
	      put_members(skb, map) ||
	      nla_put_u32(skb, VGW_A_GROUP_BUCKETS, map->buckets) ||
	      nla_put_u32(skb, VGW_A_GROUP_LIVE, vgw_group_live(group)) ||
	      nla_put_u32(skb, VGW_A_GROUP_MTU, vgw_group_mtu(group)) ||
	      nla_put_u32(skb, VGW_A_GROUP_ROUTES, group->routes) ||
	      nla_put_u64_64bit(skb, VGW_A_GROUP_PACKETS, packets, VGW_A_GROUP_PAD);
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

static int group_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_GROUP_GATEWAY);
	struct group_of_gateway one = { .gw = gw };
	int ret;

	if (!gw)
		return gateway_error(info, VGW_A_GROUP_GATEWAY);
	one.group = group_of(gw, info);
	ret = PTR_ERR_OR_ZERO(one.group);
	if (!ret)
		ret = reply_with(info, VGW_CMD_GROUP_GET, NLMSG_GOODSIZE, put_group, &one);
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

static int group_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_GROUP_GATEWAY);
	struct member_list *list;
	int ret = -ENOMEM;

	if (!gw)
		return gateway_error(info, VGW_A_GROUP_GATEWAY);
	list = kzalloc(sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (list)
		ret = group_set_locked(gw, info, list);
	vgw_netlink_gateway_put(gw);
	kfree(list);
	return ret;
}

static int group_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_GROUP_GATEWAY);
	struct vgw_group *group;
	int ret;

	if (!gw)
		return gateway_error(info, VGW_A_GROUP_GATEWAY);
	group = group_of(gw, info);
	ret = IS_ERR(group) ? PTR_ERR(group) : vgw_group_del(gw, group, info->extack);
	vgw_netlink_gateway_put(gw);
	return ret;
}

/* Dumps of a gateway's tunnels or groups, in order of id, of one gateway or of all. */

static int put_object(struct sk_buff *skb, struct netlink_callback *cb, struct vgw_gateway *gw,
		      void *object, bool tunnels)
{
	struct group_of_gateway one = { .gw = gw, .group = object };
	u32 portid = NETLINK_CB(cb->skb).portid, seq = cb->nlh->nlmsg_seq;

	return tunnels ? put_message(skb, portid, seq, NLM_F_MULTI, VGW_CMD_TUNNEL_GET, put_tunnel,
				     (struct vgw_tunnel *)object) :
			 put_message(skb, portid, seq, NLM_F_MULTI, VGW_CMD_GROUP_GET, put_group,
				     &one);
}

/* True: the message is full. */
static bool dump_objects_of(struct sk_buff *skb, struct netlink_callback *cb,
			    struct vgw_gateway *gw, bool tunnels)
{
	struct dump_place *place = (struct dump_place *)cb->ctx;
	struct xarray *objects = tunnels ? &gw->tunnels : &gw->groups;
	unsigned long id = place->id;
	void *object;

	for (object = id ? xa_find_after(objects, &id, U32_MAX, XA_PRESENT) :
			   xa_find(objects, &id, U32_MAX, XA_PRESENT);
	     object; object = xa_find_after(objects, &id, U32_MAX, XA_PRESENT)) {
		if (put_object(skb, cb, gw, object, tunnels))
			return true;
		place->id = id;
	}
	place->id = 0;
	return false;
}

static int dump_objects(struct sk_buff *skb, struct netlink_callback *cb, u32 only, bool tunnels)
{
	struct vgw_net *vnet = vgw_net_get(sock_net(skb->sk));
	struct dump_place *place = (struct dump_place *)cb->ctx;
	struct vgw_gateway *gw, *next;
	bool full = false;

	mutex_lock(&vnet->lock);
	do {
		next = NULL;
		list_for_each_entry(gw, &vnet->gateways, list)
			if ((!only || gw->dev->ifindex == only) &&
			    gw->dev->ifindex >= place->gateway &&
			    (!next || gw->dev->ifindex < next->dev->ifindex))
				next = gw;
		if (!next)
			break;
		if (next->dev->ifindex != place->gateway)
			place->id = 0;
		place->gateway = next->dev->ifindex;
		full = dump_objects_of(skb, cb, next, tunnels);
		if (!full)
			place->gateway++;
	} while (!full);
	mutex_unlock(&vnet->lock);
	return full && !skb->len ? -EMSGSIZE : skb->len;
}

static int tunnel_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = vgw_dump_attrs(cb)[VGW_A_TUNNEL_GATEWAY];

	return dump_objects(skb, cb, attr ? nla_get_u32(attr) : 0, true);
}

static int group_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = vgw_dump_attrs(cb)[VGW_A_GROUP_GATEWAY];

	return dump_objects(skb, cb, attr ? nla_get_u32(attr) : 0, false);
}

/* Counters */

static const struct nla_policy stats_policy[VGW_A_STATS_MAX + 1] = {
	[VGW_A_STATS_GATEWAY] = { .type = NLA_U32 },
};

static int put_stats(struct sk_buff *skb, struct vgw_gateway *gw)
{
	u64 sum[VGW_N_STATS];

	vgw_stats_sum(gw->stats, VGW_N_STATS, sum);
	if (nla_put_u32(skb, VGW_A_STATS_GATEWAY, gw->dev->ifindex))
		return -EMSGSIZE;
	/* The counters stand in the order of their attributes. */
	for (unsigned int i = 0; i < VGW_N_STATS; i++)
		if (nla_put_u64_64bit(skb, VGW_A_STATS_TX_PACKETS + i, sum[i], VGW_A_STATS_PAD))
			return -EMSGSIZE;
	return 0;
}

static int stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = gateway_of(info, VGW_A_STATS_GATEWAY);
	int ret;

	BUILD_BUG_ON(VGW_A_STATS_TX_PACKETS + VGW_N_STATS != VGW_A_STATS_PAD);
	if (!gw)
		return gateway_error(info, VGW_A_STATS_GATEWAY);
	ret = reply_with(info, VGW_CMD_STATS_GET, NLMSG_GOODSIZE, put_stats, gw);
	vgw_netlink_gateway_put(gw);
	return ret;
}

static int stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_gateways(skb, cb, put_stats, VGW_CMD_STATS_GET);
}

/* Family */

#define OP(cmd_, policy_, max_, do_, dump_)							\
	{ .cmd = (cmd_), .policy = (policy_), .maxattr = (max_), .doit = (do_),			\
	  .dumpit = (dump_), .flags = GENL_UNS_ADMIN_PERM }

static const struct genl_ops ops[] = {
	OP(VGW_CMD_GATEWAY_GET, gateway_policy, VGW_A_GATEWAY_MAX, gateway_get_doit,
	   gateway_get_dumpit),
	OP(VGW_CMD_GATEWAY_SET, gateway_policy, VGW_A_GATEWAY_MAX, gateway_set_doit, NULL),
	OP(VGW_CMD_TUNNEL_GET, tunnel_policy, VGW_A_TUNNEL_MAX, tunnel_get_doit, tunnel_get_dumpit),
	OP(VGW_CMD_TUNNEL_SET, tunnel_policy, VGW_A_TUNNEL_MAX, tunnel_set_doit, NULL),
	OP(VGW_CMD_TUNNEL_DEL, tunnel_policy, VGW_A_TUNNEL_MAX, tunnel_del_doit, NULL),
	OP(VGW_CMD_GROUP_GET, group_policy, VGW_A_GROUP_MAX, group_get_doit, group_get_dumpit),
	OP(VGW_CMD_GROUP_SET, group_policy, VGW_A_GROUP_MAX, group_set_doit, NULL),
	OP(VGW_CMD_GROUP_DEL, group_policy, VGW_A_GROUP_MAX, group_del_doit, NULL),
	OP(VGW_CMD_ROUTE_GET, vgw_routes_policy, VGW_A_ROUTES_MAX, NULL, vgw_netlink_route_dump),
	OP(VGW_CMD_ROUTE_ADD, vgw_routes_policy, VGW_A_ROUTES_MAX, vgw_netlink_route_add, NULL),
	OP(VGW_CMD_ROUTE_DEL, vgw_routes_policy, VGW_A_ROUTES_MAX, vgw_netlink_route_del, NULL),
	OP(VGW_CMD_GENERATION_BEGIN, gateway_policy, VGW_A_GATEWAY_MAX,
	   vgw_netlink_generation_begin, NULL),
	OP(VGW_CMD_GENERATION_COMMIT, gateway_policy, VGW_A_GATEWAY_MAX,
	   vgw_netlink_generation_commit, NULL),
	OP(VGW_CMD_LOOKUP, vgw_lookup_policy, VGW_A_LOOKUP_MAX, vgw_netlink_lookup, NULL),
	OP(VGW_CMD_STATS_GET, stats_policy, VGW_A_STATS_MAX, stats_get_doit, stats_get_dumpit),
};

static const struct genl_multicast_group groups[] = {
	{ .name = VGW_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

struct genl_family vgw_genl_family __ro_after_init = {
	.name = VGW_FAMILY_NAME,
	.version = VGW_FAMILY_VERSION,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
	/* Different tables answer at once; every command takes its own lock. */
	.parallel_ops = true,
};

#define send_event(gw, cmd, size, put, object)							\
do {												\
	struct net *net_ = dev_net((gw)->dev);							\
	struct sk_buff *skb_;									\
												\
	if (!genl_has_listeners(&vgw_genl_family, net_, 0))					\
		break;										\
	skb_ = genlmsg_new(size, GFP_KERNEL);							\
	if (skb_ && !put_message(skb_, 0, 0, 0, cmd, put, object))				\
		genlmsg_multicast_netns(&vgw_genl_family, net_, skb_, 0, 0, GFP_KERNEL);	\
	else											\
		nlmsg_free(skb_);								\
} while (0)

void vgw_netlink_tunnel_event(struct vgw_tunnel *tunnel)
{
	send_event(tunnel->gw, VGW_CMD_TUNNEL_NTF, NLMSG_GOODSIZE, put_tunnel, tunnel);
}

void vgw_netlink_gateway_event(struct vgw_gateway *gw)
{
	send_event(gw, VGW_CMD_GATEWAY_NTF, GATEWAY_MSG_SIZE, put_gateway, gw);
}

int vgw_netlink_init(void)
{
	return genl_register_family(&vgw_genl_family);
}

void vgw_netlink_uninit(void)
{
	genl_unregister_family(&vgw_genl_family);
}
