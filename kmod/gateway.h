/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gateway object (a net device's private area) and what a network
 * namespace keeps of all its gateways.
 *
 * Locking: vgw_net.lock guards the configuration of every gateway in the
 * namespace. It nests inside RTNL; nothing that holds it takes RTNL. Packets
 * read under RCU only.
 */
#ifndef _VGW_GATEWAY_H
#define _VGW_GATEWAY_H

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "flow.h"
#include "policy_route.h"
#include "route.h"
#include "stats.h"

struct netlink_ext_ack;

#define VGW_KIND		"vgw"
#define VGW_PROTOCOL_VERSION	1
#define VGW_QUOTA_DEFAULT	50
#define VGW_TUNNEL_BUCKETS	64
#define VGW_PORT_BUCKETS	16

/* Limits of one network namespace: any user can make one. */
#define VGW_GATEWAYS_MAX	64
#define VGW_TUNNELS_MAX		4096
#define VGW_GROUPS_MAX		16384
#define VGW_ROUTES_MAX		4000000
#define VGW_NET_POLICIES_MAX	32768
#define VGW_PORTS_MAX		256

struct vgw_net {
	struct hlist_head by_ifindex[VGW_TUNNEL_BUCKETS];	/* tunnels; RCU, lock */
	struct hlist_head by_if_id[VGW_TUNNEL_BUCKETS];		/* tunnels; RCU, lock */
	struct hlist_head ports[VGW_PORT_BUCKETS];	/* by ifindex; RCU, lock */
	atomic_t unbound_gen;		/* moves when a policy of no interface may have changed */
	u32 unbound_counted;		/* at which of these, and was there one; READ_ONCE, lock */
	bool unbound_spared;		/* nobody looks for one; READ_ONCE, any context ends it */
	struct delayed_work audit;	/* looks at tunnels, announces changes */
	struct mutex lock;		/* all below, and every gateway's configuration */
	struct list_head gateways;	/* vgw_gateway.list; lock */
	struct net *net;
	unsigned int gateway_count;	/* READ_ONCE; lock to write */
	unsigned int tunnel_count, group_count;	/* lock */
	u32 objects_seq;		/* of gateways, tunnels and groups, for dumps; lock */
	u32 route_count, policy_count;	/* lock */
	unsigned int port_count;	/* READ_ONCE; lock to write */
	unsigned int audits;		/* lock */
	unsigned long census_rest;	/* jiffies: no census before; lock */
	bool count_rules;		/* a census is due; READ_ONCE, any context sets it */
	bool has_hooks, has_port_hooks;	/* lock */
};

struct vgw_gateway {
	/* Read by packets */
	struct vgw_lpm *lpm[2];		/* IPv4, IPv6; fixed */
	struct vgw_lpm *guard[2];	/* guard ranges; nh is always 1; fixed */
	struct vgw_policy_set __rcu *policies[2];	/* NULL: none; RCU, lock */
	struct xarray chains;		/* vgw_chain by the id that the tables hold; RCU */
	struct vgw_stats __percpu *stats;
	struct vgw_hash hash;		/* READ_ONCE; lock to write */
	bool mss_clamp;			/* READ_ONCE; lock to write */
	struct hlist_head by_connection[VGW_TUNNEL_BUCKETS];	/* tunnels; RCU, lock */

	/* Configuration: vgw_net.lock */
	struct net_device *dev;		/* fixed */
	struct vgw_net *vnet;		/* fixed */
	struct list_head list;		/* in vgw_net.gateways */
	struct xarray tunnels;		/* by id */
	struct xarray groups;		/* by id */
	struct xarray ports;		/* by ifindex */
	struct hlist_head chain_hash[VGW_CHAIN_BUCKETS];
	u32 quota;			/* READ_ONCE by who has not the lock */
	u32 hash_idle;			/* milliseconds that live flows stay, 0: no time */
	u32 kept_groups;		/* groups that may still keep flows */
	u32 generation;
	u32 table_seq;			/* changes with the table, for dumps */
	u32 routes;			/* prefix and class */
	u32 policy_count;
	u32 dynamic_prefixes;		/* all of them */
	u32 tunnel_count, group_count;
	u32 dynamic_fresh;		/* of the open generation, or all */
	u32 guards;			/* number of guard ranges */
	u8 parity;			/* mark of what is fresh, 0 or 1 */
	bool generation_open;
	bool dead;			/* being removed: no more configuration */
};

extern unsigned int vgw_net_id;

struct vgw_net *vgw_net_get(struct net *net);

/* Under the lock: a gateway, tunnel or group came, went, or has other settings. */
static inline void vgw_net_changed(struct vgw_net *vnet)
{
	lockdep_assert_held(&vnet->lock);
	vnet->objects_seq = vnet->objects_seq + 1 ?: 1;
}

int vgw_net_init(void);
void vgw_net_uninit(void);

/* From the device's ndo_init and ndo_uninit, under RTNL. */
int vgw_gateway_init(struct vgw_gateway *gw, struct net_device *dev);
void vgw_gateway_uninit(struct vgw_gateway *gw);
/* From the device's destructor: after the last packet. */
void vgw_gateway_free(struct vgw_gateway *gw);

/*
 * Replaces the guard ranges of each family (index 0: IPv4) whose list is not NULL.
 * prefixes are validated by the caller. 0, or -ENOMEM with all old ranges in place.
 */
struct vgw_prefix;
int vgw_gateway_set_guards(struct vgw_gateway *gw, const struct vgw_prefix *const prefixes[2],
			   const unsigned int n[2]);

#endif /* _VGW_GATEWAY_H */
