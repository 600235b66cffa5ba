/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tunnel: an XFRM interface below a gateway, and whether it carries packets.
 *
 * A tunnel is live while its device is up, an outbound SA resolves for its
 * if_id, and user space has not declared it failed. The packet path finds a
 * missing SA by itself (vgw_tunnel_suspect()); key manager events and the
 * audit bring a tunnel back and tell user space.
 */
#ifndef _VGW_TUNNEL_H
#define _VGW_TUNNEL_H

#include <linux/netdevice.h>
#include <linux/rcupdate.h>

#include "bundle.h"
#include "census.h"
#include "flow.h"
#include "stats.h"

struct netlink_ext_ack;
struct vgw_gateway;
struct vgw_net;

struct vgw_tunnel_config {
	u32 id, ifindex, connection, site;
	u8 source_check;
	bool transit, failed;
};

struct vgw_tunnel {
	/* Read by packets */
	struct net_device __rcu *dev;	/* XFRM device; NULL after it went away */
	struct vgw_gateway *gw;		/* fixed */
	struct vgw_stats __percpu *stats;
	u32 if_id;			/* fixed while a reader may find the tunnel by it */
	u32 connection, site;		/* READ_ONCE; config lock to write */
	bool live;			/* READ_ONCE; audit and packet path write */
	bool recheck;			/* WRITE_ONCE: set by events, cleared by the audit */
	u8 resolved;			/* families with an SA, as of the audit; READ_ONCE */
	bool transit;			/* READ_ONCE; config lock to write */
	u8 source_check;		/* READ_ONCE; config lock to write */
	struct vgw_bundles bundles;
	u32 ifindex;			/* of dev, 0: none; READ_ONCE, config lock to write */
	unsigned long last_rx;		/* jiffies, 0: never; racy on purpose */
	unsigned long down_since;	/* jiffies, for the hold before "down" is announced; same */

	/* What the last good lookup showed: hints for people and for the audit. Racy on purpose. */
	__be32 spi;
	u32 mtu;

	/* RCU, config lock to write; a node that was taken out waits before it goes in again */
	struct hlist_node by_ifindex, by_if_id, by_connection;

	/* vgw_net.lock */
	unsigned long detached;		/* grace period that the first two nodes wait for */
	union vgw_addr remote;		/* outer, as of the audit */
	u8 remote_family;
	struct vgw_census census[2];	/* IPv4, IPv6 */
	netdevice_tracker tracker;
	u32 id;				/* fixed */
	u32 transitions;
	unsigned int members;		/* groups that have it as a member */
	u8 reason;			/* enum vgw_tunnel_reason */
	bool announced;			/* live, as user space was told */
	u8 mark;			/* parity of the generation that refreshed it */
	bool failed;			/* user space's veto */
	struct rcu_head rcu;
};

/* In an RCU section: the tunnel of an XFRM device, or of an if_id; NULL if there is none. */
struct vgw_tunnel *vgw_tunnel_by_ifindex(struct vgw_net *vnet, u32 ifindex);
struct vgw_tunnel *vgw_tunnel_by_if_id(struct vgw_net *vnet, u32 if_id);

/* In an RCU section: the smallest MTU that tunnels of its connection reported, 0 if none did. */
u32 vgw_tunnel_connection_mtu(const struct vgw_tunnel *tunnel);

/* Under the config lock. */
int vgw_tunnel_set(struct vgw_gateway *gw, const struct vgw_tunnel_config *config, bool has_ifindex,
		   struct netlink_ext_ack *extack);
int vgw_tunnel_del(struct vgw_gateway *gw, struct vgw_tunnel *tunnel,
		   struct netlink_ext_ack *extack);
/* The device is going away: the tunnel stays, dead, until it is given another. */
void vgw_tunnel_detach(struct vgw_tunnel *tunnel);
/* Looks at device and SA now. Sleeps. */
void vgw_tunnel_audit(struct vgw_tunnel *tunnel);
/* Removes the tunnel of a gateway that goes away. */
void vgw_tunnel_destroy(struct vgw_tunnel *tunnel);

/* The packet path found its device down: dead until an audit says otherwise. Any context. */
void vgw_tunnel_suspect(struct vgw_tunnel *tunnel);
/* The same for a missing SA of an inner family, if that is news: some have but the other one's. */
void vgw_tunnel_suspect_family(struct vgw_tunnel *tunnel, u8 family);
/* What a lookup showed; written only if it is news, as every packet says it. */
void vgw_tunnel_note(struct vgw_tunnel *tunnel, __be32 spi, u32 mtu);

/* Dead this long (jiffies) before user space hears: rekey and MOBIKE are shorter. */
#define VGW_TUNNEL_HOLD	(HZ / 10)

static inline bool vgw_tunnel_live(const struct vgw_tunnel *tunnel)
{
	return READ_ONCE(tunnel->live);
}

/* Under the config lock: is there a change that user space has not heard of? */
static inline bool vgw_tunnel_unannounced(const struct vgw_tunnel *tunnel)
{
	return tunnel->announced != vgw_tunnel_live(tunnel);
}

#endif /* _VGW_TUNNEL_H */
