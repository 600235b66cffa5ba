/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic-netlink family (Documentation/netlink/specs/vgw.yaml): policies,
 * commands, dumps, events. netlink.c has the family and what its commands share;
 * gateways with their counters, tunnels, groups, routes with generations, policy
 * routes, ports, and the explanation of a lookup have a file each.
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
/* Bytes of an entry. */
unsigned int vgw_netlink_prefix_size(unsigned int table);
int vgw_netlink_prefix_put(struct sk_buff *skb, int type4, int type6,
			   const struct vgw_prefix *prefix);
/* Validation of an attribute that is an array of prefixes. */
int vgw_netlink_prefix4_valid(const struct nlattr *attr, struct netlink_ext_ack *extack);
int vgw_netlink_prefix6_valid(const struct nlattr *attr, struct netlink_ext_ack *extack);

/* The same for the gateway that an attribute of the request names, and the error for NULL. */
struct vgw_gateway *vgw_netlink_gateway_of(struct genl_info *info, int attr);
int vgw_netlink_gateway_error(const struct genl_info *info, int attr);

/* In a dump's context: it goes on strictly after this object. */
struct vgw_dump_place {
	u32 gateway;	/* ifindex */
	u32 id;
};

struct vgw_netlink_dump {
	size_t objects;	/* offset of the XArray in the gateway */
	/* One message of an object; not 0: it does not fit. */
	int (*put)(struct sk_buff *skb, struct netlink_callback *cb, struct vgw_gateway *gw,
		   void *object);
};

/* Dumps objects in order of id, of the one gateway that the attribute names, or (NULL) of all. */
int vgw_netlink_dump(struct sk_buff *skb, struct netlink_callback *cb, const struct nlattr *gateway,
		     const struct vgw_netlink_dump *dump);

/* Starts, fills and ends one message; put(skb, object) is typed. */
#define vgw_netlink_put(to, portid, seq, flags, cmd, put, object)				\
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

/* The same in a dump, marked if what is dumped changed since the message before it (cb->seq). */
#define vgw_netlink_put_dump(to, cb, cmd, put, object)						\
({												\
	struct netlink_callback *cb_ = (cb);							\
	struct sk_buff *dump_ = (to);								\
	struct nlmsghdr *nlh_ = (struct nlmsghdr *)skb_tail_pointer(dump_);			\
	int err_ = vgw_netlink_put(dump_, NETLINK_CB(cb_->skb).portid, cb_->nlh->nlmsg_seq,	\
				   NLM_F_MULTI, cmd, put, object);				\
												\
	if (!err_)										\
		nl_dump_check_consistent(cb_, nlh_);						\
	err_;											\
})

/* Answers a request with one message of at most size bytes. */
#define vgw_netlink_reply(to, cmd, size, put, object)						\
({												\
	struct genl_info *info_ = (to);								\
	struct sk_buff *skb_ = genlmsg_new(size, GFP_KERNEL);					\
	int err_ = -ENOMEM;									\
												\
	if (skb_) {										\
		err_ = vgw_netlink_put(skb_, info_->snd_portid, info_->snd_seq, 0, cmd, put,	\
				       object);							\
		if (err_)									\
			nlmsg_free(skb_);							\
		else										\
			err_ = genlmsg_reply(skb_, info_);					\
	}											\
	err_;											\
})

/* Tells the listeners in the gateway's network namespace. */
#define vgw_netlink_send_event(gw, cmd, size, put, object)					\
do {												\
	struct net *net_ = dev_net((gw)->dev);							\
	struct sk_buff *skb_;									\
												\
	if (!genl_has_listeners(&vgw_genl_family, net_, 0))					\
		break;										\
	skb_ = genlmsg_new(size, GFP_KERNEL);							\
	if (skb_ && !vgw_netlink_put(skb_, 0, 0, 0, cmd, put, object))				\
		genlmsg_multicast_netns(&vgw_genl_family, net_, skb_, 0, 0, GFP_KERNEL);	\
	else											\
		nlmsg_free(skb_);								\
} while (0)

/* Commands */
extern const struct nla_policy vgw_gateway_policy[];
extern const struct nla_policy vgw_stats_policy[];
extern const struct nla_policy vgw_tunnel_policy[];
extern const struct nla_policy vgw_group_policy[];
extern const struct nla_policy vgw_routes_policy[];
extern const struct nla_policy vgw_lookup_policy[];
extern const struct nla_policy vgw_policy_routes_policy[];
extern const struct nla_policy vgw_port_policy[];
int vgw_netlink_gateway_do_get(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_gateway_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_gateway_set(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_stats_get(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_stats_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_tunnel_get(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_tunnel_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_tunnel_set(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_tunnel_del(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_group_get(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_group_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_group_set(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_group_del(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_route_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_route_add(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_route_del(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_generation_begin(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_generation_commit(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_lookup(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_policy_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_policy_add(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_policy_del(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_port_get(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_port_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vgw_netlink_port_add(struct sk_buff *skb, struct genl_info *info);
int vgw_netlink_port_del(struct sk_buff *skb, struct genl_info *info);

#endif /* _VGW_NETLINK_H */
