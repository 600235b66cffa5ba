// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.h"

#include <linux/vgw.h>

#include "compat.h"
#include "gateway.h"
#include "tunnel.h"

const struct nla_policy vgw_tunnel_policy[VGW_A_TUNNEL_MAX + 1] = {
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
	u8 family = tunnel->remote_family;

	if (family == AF_INET && nla_put_in_addr(skb, VGW_A_TUNNEL_REMOTE4, tunnel->remote.v4))
		return -EMSGSIZE;
	if (family == AF_INET6 && nla_put_in6_addr(skb, VGW_A_TUNNEL_REMOTE6, &tunnel->remote.v6))
		return -EMSGSIZE;
	return nla_put_be32(skb, VGW_A_TUNNEL_SPI, READ_ONCE(tunnel->spi)) ||
	       nla_put_u32(skb, VGW_A_TUNNEL_MTU, READ_ONCE(tunnel->mtu)) ||
	       nla_put_u8(skb, VGW_A_TUNNEL_CACHE4, vgw_bundle_state(&tunnel->bundles, 0)) ||
	       nla_put_u8(skb, VGW_A_TUNNEL_CACHE6, vgw_bundle_state(&tunnel->bundles, 1));
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
		[VGW_TSTAT_CACHE_HITS] = VGW_A_TUNNEL_CACHE_HITS,
		[VGW_TSTAT_CACHE_FILLS] = VGW_A_TUNNEL_CACHE_FILLS,
		[VGW_TSTAT_CACHE_UNUSED] = VGW_A_TUNNEL_CACHE_UNUSED,
		[VGW_TSTAT_DROP_TOO_BIG] = VGW_A_TUNNEL_DROP_TOO_BIG,
		[VGW_TSTAT_DROP_LOOP] = VGW_A_TUNNEL_DROP_LOOP,
		[VGW_TSTAT_DROP_BLOCKED] = VGW_A_TUNNEL_DROP_BLOCKED,
		[VGW_TSTAT_DROP_NO_MEMORY] = VGW_A_TUNNEL_DROP_NO_MEMORY,
		[VGW_TSTAT_DROP_ISOLATION] = VGW_A_TUNNEL_DROP_ISOLATION,
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

int vgw_netlink_tunnel_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_TUNNEL_GATEWAY);
	struct vgw_tunnel *tunnel;
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_TUNNEL_GATEWAY);
	tunnel = tunnel_of(gw, info);
	ret = PTR_ERR_OR_ZERO(tunnel);
	if (!ret)
		ret = vgw_netlink_reply(info, VGW_CMD_TUNNEL_GET, NLMSG_GOODSIZE, put_tunnel,
					tunnel);
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

int vgw_netlink_tunnel_set(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_TUNNEL_GATEWAY);
	struct vgw_tunnel_config config = {};
	const struct vgw_tunnel *old;
	int ret = -EINVAL;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_TUNNEL_GATEWAY);
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

int vgw_netlink_tunnel_del(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_TUNNEL_GATEWAY);
	struct vgw_tunnel *tunnel;
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_TUNNEL_GATEWAY);
	tunnel = tunnel_of(gw, info);
	ret = IS_ERR(tunnel) ? PTR_ERR(tunnel) : vgw_tunnel_del(gw, tunnel, info->extack);
	vgw_netlink_gateway_put(gw);
	return ret;
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, struct vgw_gateway *gw,
		    void *object)
{
	struct vgw_tunnel *tunnel = object;

	return vgw_netlink_put_dump(skb, cb, VGW_CMD_TUNNEL_GET, put_tunnel, tunnel);
}

int vgw_netlink_tunnel_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	static const struct vgw_netlink_dump dump = {
		.objects = offsetof(struct vgw_gateway, tunnels),
		.put = dump_one,
	};

	return vgw_netlink_dump(skb, cb, vgw_dump_attrs(cb)[VGW_A_TUNNEL_GATEWAY], &dump);
}

void vgw_netlink_tunnel_event(struct vgw_tunnel *tunnel)
{
	vgw_netlink_send_event(tunnel->gw, VGW_CMD_TUNNEL_NTF, NLMSG_GOODSIZE, put_tunnel, tunnel);
}
