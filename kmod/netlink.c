// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.h"

#include <linux/rtnetlink.h>
#include <linux/vgw.h>
#include <net/sock.h>

#include "gateway.h"

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

unsigned int vgw_netlink_prefix_size(unsigned int table)
{
	return table ? sizeof(struct vgw_prefix6) : sizeof(struct vgw_prefix4);
}

static int prefix_array_valid(const struct nlattr *attr, unsigned int table,
			      struct netlink_ext_ack *extack)
{
	if (nla_len(attr) % vgw_netlink_prefix_size(table) == 0)
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
	return attr ? nla_len(attr) / vgw_netlink_prefix_size(table) : 0;
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
	const u8 *entry = (const u8 *)nla_data(attr) + i * vgw_netlink_prefix_size(table);
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

struct vgw_gateway *vgw_netlink_gateway_of(struct genl_info *info, int attr)
{
	if (GENL_REQ_ATTR_CHECK(info, attr)) {
		NL_SET_ERR_MSG(info->extack, "the gateway's ifindex is missing");
		return NULL;
	}
	return vgw_netlink_gateway_get(genl_info_net(info), nla_get_u32(info->attrs[attr]),
				       info->extack);
}

int vgw_netlink_gateway_error(const struct genl_info *info, int attr)
{
	return info->attrs[attr] ? -ENODEV : -EINVAL;
}

/* True: the message is full. */
static bool dump_objects_of(struct sk_buff *skb, struct netlink_callback *cb,
			    struct vgw_gateway *gw, const struct vgw_netlink_dump *dump)
{
	struct vgw_dump_place *place = (struct vgw_dump_place *)cb->ctx;
	struct xarray *objects = (void *)gw + dump->objects;
	unsigned long id = place->id;
	void *object;

	for (object = id ? xa_find_after(objects, &id, U32_MAX, XA_PRESENT) :
			   xa_find(objects, &id, U32_MAX, XA_PRESENT);
	     object; object = xa_find_after(objects, &id, U32_MAX, XA_PRESENT)) {
		if (dump->put(skb, cb, gw, object))
			return true;
		place->id = id;
	}
	place->id = 0;
	return false;
}

int vgw_netlink_dump(struct sk_buff *skb, struct netlink_callback *cb, const struct nlattr *gateway,
		     const struct vgw_netlink_dump *dump)
{
	struct vgw_net *vnet = vgw_net_get(sock_net(skb->sk));
	struct vgw_dump_place *place = (struct vgw_dump_place *)cb->ctx;
	u32 only = gateway ? nla_get_u32(gateway) : 0;
	struct vgw_gateway *gw, *next;
	bool full = false;

	mutex_lock(&vnet->lock);
	cb->seq = vnet->objects_seq;
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
		full = dump_objects_of(skb, cb, next, dump);
		if (!full)
			place->gateway++;
	} while (!full);
	mutex_unlock(&vnet->lock);
	return full && !skb->len ? -EMSGSIZE : skb->len;
}

/* Family */

#define OP(cmd_, policy_, max_, do_, dump_)							\
	{ .cmd = (cmd_), .policy = (policy_), .maxattr = (max_), .doit = (do_),			\
	  .dumpit = (dump_), .flags = GENL_UNS_ADMIN_PERM }

static struct genl_ops ops[] __ro_after_init = {
	OP(VGW_CMD_GATEWAY_GET, vgw_gateway_policy, VGW_A_GATEWAY_MAX,
	   vgw_netlink_gateway_do_get, vgw_netlink_gateway_dump),
	OP(VGW_CMD_GATEWAY_SET, vgw_gateway_policy, VGW_A_GATEWAY_MAX,
	   vgw_netlink_gateway_set, NULL),
	OP(VGW_CMD_TUNNEL_GET, vgw_tunnel_policy, VGW_A_TUNNEL_MAX,
	   vgw_netlink_tunnel_get, vgw_netlink_tunnel_dump),
	OP(VGW_CMD_TUNNEL_SET, vgw_tunnel_policy, VGW_A_TUNNEL_MAX, vgw_netlink_tunnel_set, NULL),
	OP(VGW_CMD_TUNNEL_DEL, vgw_tunnel_policy, VGW_A_TUNNEL_MAX, vgw_netlink_tunnel_del, NULL),
	OP(VGW_CMD_GROUP_GET, vgw_group_policy, VGW_A_GROUP_MAX,
	   vgw_netlink_group_get, vgw_netlink_group_dump),
	OP(VGW_CMD_GROUP_SET, vgw_group_policy, VGW_A_GROUP_MAX, vgw_netlink_group_set, NULL),
	OP(VGW_CMD_GROUP_DEL, vgw_group_policy, VGW_A_GROUP_MAX, vgw_netlink_group_del, NULL),
	OP(VGW_CMD_ROUTE_GET, vgw_routes_policy, VGW_A_ROUTES_MAX, NULL, vgw_netlink_route_dump),
	OP(VGW_CMD_ROUTE_ADD, vgw_routes_policy, VGW_A_ROUTES_MAX, vgw_netlink_route_add, NULL),
	OP(VGW_CMD_ROUTE_DEL, vgw_routes_policy, VGW_A_ROUTES_MAX, vgw_netlink_route_del, NULL),
	OP(VGW_CMD_GENERATION_BEGIN, vgw_gateway_policy, VGW_A_GATEWAY_MAX,
	   vgw_netlink_generation_begin, NULL),
	OP(VGW_CMD_GENERATION_COMMIT, vgw_gateway_policy, VGW_A_GATEWAY_MAX,
	   vgw_netlink_generation_commit, NULL),
	OP(VGW_CMD_LOOKUP, vgw_lookup_policy, VGW_A_LOOKUP_MAX, vgw_netlink_lookup, NULL),
	OP(VGW_CMD_STATS_GET, vgw_stats_policy, VGW_A_STATS_MAX,
	   vgw_netlink_stats_get, vgw_netlink_stats_dump),
	OP(VGW_CMD_POLICY_ROUTE_GET, vgw_policy_routes_policy, VGW_A_POLICY_ROUTES_MAX,
	   NULL, vgw_netlink_policy_dump),
	OP(VGW_CMD_POLICY_ROUTE_ADD, vgw_policy_routes_policy, VGW_A_POLICY_ROUTES_MAX,
	   vgw_netlink_policy_add, NULL),
	OP(VGW_CMD_POLICY_ROUTE_DEL, vgw_policy_routes_policy, VGW_A_POLICY_ROUTES_MAX,
	   vgw_netlink_policy_del, NULL),
	OP(VGW_CMD_PORT_GET, vgw_port_policy, VGW_A_PORT_MAX,
	   vgw_netlink_port_get, vgw_netlink_port_dump),
	OP(VGW_CMD_PORT_ADD, vgw_port_policy, VGW_A_PORT_MAX, vgw_netlink_port_add, NULL),
	OP(VGW_CMD_PORT_DEL, vgw_port_policy, VGW_A_PORT_MAX, vgw_netlink_port_del, NULL),
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

static int (*commands[VGW_CMD_MAX + 1])(struct sk_buff *skb,
					struct genl_info *info) __ro_after_init;

/* Any command may run out of memory, in places that know nothing of its answer. */
static int run_command(struct sk_buff *skb, struct genl_info *info)
{
	int ret = commands[info->genlhdr->cmd](skb, info);

	if (ret == -ENOMEM && !info->extack->_msg)
		NL_SET_ERR_MSG(info->extack, "out of memory: nothing was changed");
	return ret;
}

int vgw_netlink_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!ops[i].doit)
			continue;
		commands[ops[i].cmd] = ops[i].doit;
		ops[i].doit = run_command;
	}
	return genl_register_family(&vgw_genl_family);
}

void vgw_netlink_uninit(void)
{
	genl_unregister_family(&vgw_genl_family);
}
