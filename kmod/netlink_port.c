// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.h"

#include <linux/vgw.h>

#include "compat.h"
#include "gateway.h"
#include "port.h"

const struct nla_policy vgw_port_policy[VGW_A_PORT_MAX + 1] = {
	[VGW_A_PORT_GATEWAY] = { .type = NLA_U32 },
	[VGW_A_PORT_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

static int put_port_state(struct sk_buff *skb, struct vgw_port *port)
{
	const struct net_device *dev;
	u8 state4, state6;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(port->gw->vnet->net, port->ifindex);
	state4 = dev ? vgw_port_state(port, dev, AF_INET) : VGW_PORT_STATE_FORWARDING_OFF;
	state6 = dev ? vgw_port_state(port, dev, AF_INET6) : VGW_PORT_STATE_FORWARDING_OFF;
	rcu_read_unlock();
	return nla_put_u8(skb, VGW_A_PORT_STATE4, state4) ||
	       nla_put_u8(skb, VGW_A_PORT_STATE6, state6);
}

static int put_port(struct sk_buff *skb, struct vgw_port *port)
{
	static const u8 attr[VGW_N_PSTATS] = {
		[VGW_PSTAT_PACKETS] = VGW_A_PORT_PACKETS,
		[VGW_PSTAT_BYTES] = VGW_A_PORT_BYTES,
		[VGW_PSTAT_ASIDE] = VGW_A_PORT_ASIDE,
		[VGW_PSTAT_OTHER] = VGW_A_PORT_OTHER,
	};
	u64 sum[VGW_N_PSTATS];

	if (nla_put_u32(skb, VGW_A_PORT_GATEWAY, port->gw->dev->ifindex) ||
	    nla_put_u32(skb, VGW_A_PORT_IFINDEX, port->ifindex) || put_port_state(skb, port))
		return -EMSGSIZE;
	vgw_stats_sum(port->stats, VGW_N_PSTATS, sum);
	for (unsigned int i = 0; i < VGW_N_PSTATS; i++)
		if (nla_put_u64_64bit(skb, attr[i], sum[i], VGW_A_PORT_PAD))
			return -EMSGSIZE;
	return 0;
}

/* 0, or an error with a text. */
static int ifindex_of(struct genl_info *info, u32 *ifindex)
{
	if (GENL_REQ_ATTR_CHECK(info, VGW_A_PORT_IFINDEX)) {
		NL_SET_ERR_MSG(info->extack, "the port's ifindex is missing");
		return -EINVAL;
	}
	*ifindex = nla_get_u32(info->attrs[VGW_A_PORT_IFINDEX]);
	return 0;
}

static struct vgw_port *port_of(struct vgw_gateway *gw, struct genl_info *info)
{
	struct vgw_port *port;
	u32 ifindex;
	int ret;

	ret = ifindex_of(info, &ifindex);
	if (ret)
		return ERR_PTR(ret);
	port = xa_load(&gw->ports, ifindex);
	if (!port) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VGW_A_PORT_IFINDEX],
				    "device is not a port of the gateway");
		return ERR_PTR(-ENOENT);
	}
	return port;
}

int vgw_netlink_port_get(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_PORT_GATEWAY);
	struct vgw_port *port;
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_PORT_GATEWAY);
	port = port_of(gw, info);
	ret = PTR_ERR_OR_ZERO(port);
	if (!ret)
		ret = vgw_netlink_reply(info, VGW_CMD_PORT_GET, NLMSG_GOODSIZE, put_port, port);
	vgw_netlink_gateway_put(gw);
	return ret;
}

int vgw_netlink_port_add(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_PORT_GATEWAY);
	u32 ifindex;
	int ret;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_PORT_GATEWAY);
	ret = ifindex_of(info, &ifindex);
	if (!ret)
		ret = vgw_port_add(gw, ifindex, info->extack);
	vgw_netlink_gateway_put(gw);
	return ret;
}

int vgw_netlink_port_del(struct sk_buff *skb, struct genl_info *info)
{
	struct vgw_gateway *gw = vgw_netlink_gateway_of(info, VGW_A_PORT_GATEWAY);
	struct vgw_port *port;

	if (!gw)
		return vgw_netlink_gateway_error(info, VGW_A_PORT_GATEWAY);
	port = port_of(gw, info);
	if (!IS_ERR(port))
		vgw_port_del(port);
	vgw_netlink_gateway_put(gw);
	return PTR_ERR_OR_ZERO(port);
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, struct vgw_gateway *gw,
		    void *object)
{
	struct vgw_port *port = object;

	return vgw_netlink_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, NLM_F_MULTI,
			       VGW_CMD_PORT_GET, put_port, port);
}

int vgw_netlink_port_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	static const struct vgw_netlink_dump dump = {
		.objects = offsetof(struct vgw_gateway, ports),
		.put = dump_one,
	};

	return vgw_netlink_dump(skb, cb, vgw_dump_attrs(cb)[VGW_A_PORT_GATEWAY], &dump);
}
