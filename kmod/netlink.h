/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic-netlink family (Documentation/netlink/specs/vgw.yaml): policies,
 * commands, dumps, events. netlink.c has the family and the small objects,
 * netlink_route.c routes and generations, netlink_lookup.c the explanation.
 */
#ifndef _VGW_NETLINK_H
#define _VGW_NETLINK_H

#include <linux/types.h>
#include <net/genetlink.h>

struct vgw_gateway;
struct vgw_tunnel;
struct vgw_prefix;

int vgw_netlink_init(void);
void vgw_netlink_uninit(void);

/* Under the config lock. */
void vgw_netlink_tunnel_event(struct vgw_tunnel *tunnel);
void vgw_netlink_gateway_event(struct vgw_gateway *gw);

extern struct genl_family vgw_genl_family;

/*
 * The gateway of an ifindex, with the config lock held until _put. NULL: the
 * extack says why, and the error is -ENODEV.
 */
struct vgw_gateway *vgw_netlink_gateway_get(struct net *net, u32 ifindex,
					    struct netlink_ext_ack *extack);
void vgw_netlink_gateway_put(struct vgw_gateway *gw);

/*
 * Entry i of an array attribute of prefixes (table 0: struct vgw_prefix4).
 * -EINVAL with a text, and the error's offset at the entry itself.
 */
unsigned int vgw_netlink_prefix_count(const struct nlattr *attr, unsigned int table);
int vgw_netlink_prefix_read(const struct nlattr *attr, unsigned int table, unsigned int i,
			    struct vgw_prefix *prefix, struct netlink_ext_ack *extack);
/* Points the error at byte data of the request. */
void vgw_netlink_error_at(struct netlink_ext_ack *extack, const void *data);
int vgw_netlink_prefix_put(struct sk_buff *skb, int type4, int type6,
			   const struct vgw_prefix *prefix);
/* Validation of an attribute that is an array of prefixes. */
int vgw_netlink_prefix4_valid(const struct nlattr *attr, struct netlink_ext_ack *extack);
int vgw_netlink_prefix6_valid(const struct nlattr *attr, struct netlink_ext_ack *extack);

/* Commands of netlink_route.c and netlink_lookup.c. */
extern const struct nla_policy vgw_routes_policy[];
extern const struct nla_policy vgw_lookup_policy[];
int vgw_netlink_route_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_route_add(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_route_del(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_generation_begin(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_generation_commit(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_lookup(struct sk_buff *skb, struct genl_info *info);

#endif /* _VGW_NETLINK_H */
