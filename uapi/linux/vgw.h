/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Made by scripts/uapi-gen from Documentation/netlink/specs/vgw.yaml. Do not edit. */

#ifndef _UAPI_LINUX_VGW_H
#define _UAPI_LINUX_VGW_H

#include <linux/types.h>

#define VGW_FAMILY_NAME	"vgw"
#define VGW_FAMILY_VERSION	1

/* Route protocol of every route that vgw installs in a kernel table. */
#define VGW_RTPROTO	118

/* Largest number of members in a group. */
#define VGW_MEMBERS_MAX	64

/* Largest number of guard ranges of a gateway. */
#define VGW_GUARDS_MAX	256

/* Largest number of policy routes of a gateway, both families together. */
#define VGW_POLICIES_MAX	8192

/* Largest hash-idle of a gateway. */
#define VGW_HASH_IDLE_MAX	3600000

/* Order of routes with the same prefix; lower wins. */
enum vgw_route_class {
	/*
	 * A route that the domain owns; a packet that hits it in a gateway's table
	 * is dropped.
	 */
	VGW_ROUTE_CLASS_SYSTEM = 1,
	/* Configured by the operator. */
	VGW_ROUTE_CLASS_STATIC,
	/* Learned by BGP; counts against the quota. */
	VGW_ROUTE_CLASS_DYNAMIC,

	__VGW_ROUTE_CLASS_MAX,
	VGW_ROUTE_CLASS_MAX = __VGW_ROUTE_CLASS_MAX - 1
};

/* What a route does when every member of its group is dead. */
enum vgw_on_fail {
	/*
	 * Yield: a policy route to the next one that matches, then to the routes; a
	 * route to the next class, then to a shorter prefix.
	 */
	VGW_ON_FAIL_REVOKE,
	/* Keep the packet and drop it. */
	VGW_ON_FAIL_RESERVE,

	__VGW_ON_FAIL_MAX,
	VGW_ON_FAIL_MAX = __VGW_ON_FAIL_MAX - 1
};

/* Validation of the source address of packets that a tunnel delivers. */
enum vgw_source_check {
	/* The route back to the source must lead to this tunnel's connection. */
	VGW_SOURCE_CHECK_STRICT,
	/* The route back to the source must lead to this tunnel's site. */
	VGW_SOURCE_CHECK_SITE,
	/* No validation. */
	VGW_SOURCE_CHECK_OFF,

	__VGW_SOURCE_CHECK_MAX,
	VGW_SOURCE_CHECK_MAX = __VGW_SOURCE_CHECK_MAX - 1
};

enum vgw_tunnel_state {
	VGW_TUNNEL_STATE_DOWN,
	VGW_TUNNEL_STATE_UP,

	__VGW_TUNNEL_STATE_MAX,
	VGW_TUNNEL_STATE_MAX = __VGW_TUNNEL_STATE_MAX - 1
};

/* Why a tunnel is in its state. */
enum vgw_tunnel_reason {
	/* Device up and a valid outbound SA. */
	VGW_TUNNEL_REASON_LIVE,
	/* The XFRM device is not up. */
	VGW_TUNNEL_REASON_DEVICE_DOWN,
	/* No valid outbound SA for the if_id. */
	VGW_TUNNEL_REASON_NO_SA,
	/*
	 * Declared failed by user space (health check, BFD); device and SA are
	 * there.
	 */
	VGW_TUNNEL_REASON_FAILED,
	/* The packet path met an error other than a missing SA. */
	VGW_TUNNEL_REASON_LOOKUP_ERROR,

	__VGW_TUNNEL_REASON_MAX,
	VGW_TUNNEL_REASON_MAX = __VGW_TUNNEL_REASON_MAX - 1
};

/*
 * Whether the XFRM lookup of one packet serves the next; if not, every packet
 * has its own, and why.
 */
enum vgw_cache_state {
	/*
	 * Policies or selectors changed; nothing is kept until they are counted
	 * again.
	 */
	VGW_CACHE_STATE_COUNTING,
	/* One lookup serves every flow. */
	VGW_CACHE_STATE_ON,
	/* No out policy of the family has the if_id. */
	VGW_CACHE_STATE_NO_POLICY,
	/* Several out policies of the family have the if_id. */
	VGW_CACHE_STATE_MANY_POLICIES,
	/* The out policy is for some flows only. */
	VGW_CACHE_STATE_POLICY_SELECTOR,
	/* The out policy is for some marks only. */
	VGW_CACHE_STATE_POLICY_MARK,
	/* Several policies or SAs apply to one packet. */
	VGW_CACHE_STATE_NESTED,
	/* An SA of the if_id is for some flows only. */
	VGW_CACHE_STATE_SA_SELECTOR,
	/* The SA gives the outer packet a mark of its own. */
	VGW_CACHE_STATE_SA_MARK,
	/* The out policy asks for an SA that is not in tunnel mode. */
	VGW_CACHE_STATE_SA_MODE,
	/* Policy or SA has a security label. */
	VGW_CACHE_STATE_SECURITY,
	/* The XFRM device has no address family for a route of its own. */
	VGW_CACHE_STATE_NO_ROUTE,

	__VGW_CACHE_STATE_MAX,
	VGW_CACHE_STATE_MAX = __VGW_CACHE_STATE_MAX - 1
};

/*
 * What of a packet its bucket depends on. An ICMP error goes by the packet
 * that it quotes.
 */
enum vgw_hash_fields {
	/*
	 * Addresses, protocol, and the ports of TCP, UDP, UDP-Lite, SCTP and DCCP.
	 * Fragments go without ports.
	 */
	VGW_HASH_FIELDS_PORTS,
	/* Addresses only, so that fragments stay with their flow. */
	VGW_HASH_FIELDS_ADDRESSES,
	/*
	 * Addresses and flow label of an IPv6 packet that has one, else as ports.
	 * Each direction of a flow has a label of its own, so each has a bucket of
	 * its own.
	 */
	VGW_HASH_FIELDS_FLOW_LABEL,

	__VGW_HASH_FIELDS_MAX,
	VGW_HASH_FIELDS_MAX = __VGW_HASH_FIELDS_MAX - 1
};

/*
 * Whether a port takes packets of a family; if not, they go the normal way,
 * and why.
 */
enum vgw_port_state {
	/* It takes them. */
	VGW_PORT_STATE_ON,
	/* The gateway's device is not up. */
	VGW_PORT_STATE_GATEWAY_DOWN,
	/* The port's device does not forward. */
	VGW_PORT_STATE_FORWARDING_OFF,
	/* The port's device is a VRF, or in one. */
	VGW_PORT_STATE_VRF,
	/* The port's device is a tunnel of a gateway by now. */
	VGW_PORT_STATE_TUNNEL,
	/* Somebody else has a netfilter hook at FORWARD. */
	VGW_PORT_STATE_FORWARD_HOOK,
	/* Somebody else has a netfilter hook at POST_ROUTING. */
	VGW_PORT_STATE_POST_ROUTING_HOOK,
	/* A queue, a filter or a capture waits at the gateway's device. */
	VGW_PORT_STATE_GATEWAY_EGRESS,
	/*
	 * A policy for packets of no XFRM interface could concern forwarded packets,
	 * or the default policy blocks.
	 */
	VGW_PORT_STATE_POLICY,
	/* Policies changed and are being counted. */
	VGW_PORT_STATE_COUNTING,

	__VGW_PORT_STATE_MAX,
	VGW_PORT_STATE_MAX = __VGW_PORT_STATE_MAX - 1
};

/* Outcome of a lookup. */
enum vgw_verdict {
	/* Sent through a tunnel. */
	VGW_VERDICT_TUNNEL,
	/* No route and no guard range. */
	VGW_VERDICT_MISS,
	/* The best route is a system route. */
	VGW_VERDICT_SYSTEM,
	/* Routes match and every candidate is dead. */
	VGW_VERDICT_DEAD,
	/* A dead route with on-fail reserve holds the packet. */
	VGW_VERDICT_RESERVED,
	/* No route; the destination is inside a guard range. */
	VGW_VERDICT_GUARD,

	__VGW_VERDICT_MAX,
	VGW_VERDICT_MAX = __VGW_VERDICT_MAX - 1
};

/* Why a candidate of a lookup won or lost. */
enum vgw_candidate_result {
	VGW_CANDIDATE_RESULT_SELECTED,
	/* Its group has no live member. */
	VGW_CANDIDATE_RESULT_ALL_DEAD,
	/* A better class holds the same prefix. */
	VGW_CANDIDATE_RESULT_LOWER_CLASS,
	/* A longer prefix was selected. */
	VGW_CANDIDATE_RESULT_SHORTER_PREFIX,
	/* Its group is dead and on-fail is reserve, so it keeps the packet. */
	VGW_CANDIDATE_RESULT_HELD,
	/* A system route behind a dead tunnel route is never used. */
	VGW_CANDIDATE_RESULT_CLEAR_TEXT,
	/* A policy route decided before it was looked at. */
	VGW_CANDIDATE_RESULT_AFTER_POLICY,

	__VGW_CANDIDATE_RESULT_MAX,
	VGW_CANDIDATE_RESULT_MAX = __VGW_CANDIDATE_RESULT_MAX - 1
};

/* Attributes of the rtnetlink link kind "vgw" in IFLA_INFO_DATA. */
enum vgw_link_attr {
	IFLA_VGW_UNSPEC,
	/* u32, as gateway attribute quota. */
	IFLA_VGW_QUOTA,
	/* u32, as gateway attribute hash-seed. */
	IFLA_VGW_HASH_SEED,

	__IFLA_VGW_MAX,
	IFLA_VGW_MAX = __IFLA_VGW_MAX - 1
};

/* IPv4 prefix in network byte order; bits behind the length are zero. */
struct vgw_prefix4 {
	__be32 addr;
	__u8 len;
	__u8 pad[3];
};

/* IPv6 prefix; bits behind the length are zero. */
struct vgw_prefix6 {
	__u8 addr[16];
	__u8 len;
	__u8 pad[3];
};

enum {
	/* The gateway's net device. */
	VGW_A_GATEWAY_IFINDEX = 1,
	/*
	 * Largest number of unique dynamic prefixes, both families together; 0 is no
	 * limit. Default 50.
	 */
	VGW_A_GATEWAY_QUOTA,
	/*
	 * Seed of the flow hash. Two gateways with one seed choose the same bucket
	 * for both directions of a flow.
	 */
	VGW_A_GATEWAY_HASH_SEED,
	/* Array of IPv4 guard ranges; replaces the list. Empty clears it. */
	VGW_A_GATEWAY_GUARD4,
	/* Array of IPv6 guard ranges; replaces the list. Empty clears it. */
	VGW_A_GATEWAY_GUARD6,
	/*
	 * Number of the generation that is open, else of the last one committed.
	 * Starts at 1.
	 */
	VGW_A_GATEWAY_GENERATION,
	/* 1 between generation-begin and generation-commit. */
	VGW_A_GATEWAY_GENERATION_OPEN,
	/* Number of tunnels. */
	VGW_A_GATEWAY_TUNNELS,
	/* Number of groups. */
	VGW_A_GATEWAY_GROUPS,
	/* Number of routes (prefix and class). */
	VGW_A_GATEWAY_ROUTES,
	/* Unique dynamic prefixes, what the quota counts. */
	VGW_A_GATEWAY_DYNAMIC_PREFIXES,
	/* Bytes of the lookup tables. */
	VGW_A_GATEWAY_MEMORY,
	/* Version of this interface that the module speaks. */
	VGW_A_GATEWAY_PROTOCOL_VERSION,
	VGW_A_GATEWAY_PAD,
	/*
	 * 1 lowers the MSS of TCP SYN packets, in both directions, to what the
	 * tunnels carry. Default 1.
	 */
	VGW_A_GATEWAY_MSS_CLAMP,
	/* Number of policy routes. */
	VGW_A_GATEWAY_POLICY_ROUTES,
	VGW_A_GATEWAY_HASH_FIELDS,
	/*
	 * Milliseconds. When members or weights of a group change, or a route goes
	 * to a new group, a bucket stays with its tunnel as long as its packets
	 * follow each other closer than this. 0, the default: it moves at once.
	 */
	VGW_A_GATEWAY_HASH_IDLE,

	__VGW_A_GATEWAY_MAX,
	VGW_A_GATEWAY_MAX = __VGW_A_GATEWAY_MAX - 1
};

enum {
	/* ifindex of the gateway. */
	VGW_A_TUNNEL_GATEWAY = 1,
	/* Chosen by user space, not 0, unique within the gateway. */
	VGW_A_TUNNEL_ID,
	/* The XFRM device, 0 after it was deleted. Fixed while the device exists. */
	VGW_A_TUNNEL_IFINDEX,
	/* The device's if_id. */
	VGW_A_TUNNEL_IF_ID,
	/*
	 * Connection that the tunnel belongs to; isolation and strict source
	 * validation compare it.
	 */
	VGW_A_TUNNEL_CONNECTION,
	/* Site of the connection; source validation "site" compares it. */
	VGW_A_TUNNEL_SITE,
	VGW_A_TUNNEL_SOURCE_CHECK,
	/* 1 allows forwarding between this tunnel and others that allow it too. */
	VGW_A_TUNNEL_TRANSIT,
	/* 1 while user space declares the tunnel failed. */
	VGW_A_TUNNEL_FAILED,
	VGW_A_TUNNEL_STATE,
	VGW_A_TUNNEL_REASON,
	/* Outer destination of the outbound SA. */
	VGW_A_TUNNEL_REMOTE4,
	/* Outer destination of the outbound SA. */
	VGW_A_TUNNEL_REMOTE6,
	/* SPI of the outbound SA in use. */
	VGW_A_TUNNEL_SPI,
	/* Largest inner packet, from the SA and the device; 0 until known. */
	VGW_A_TUNNEL_MTU,
	VGW_A_TUNNEL_TX_PACKETS,
	VGW_A_TUNNEL_TX_BYTES,
	/* Packets that met this tunnel dead and went on to another or were dropped. */
	VGW_A_TUNNEL_TX_ERRORS,
	VGW_A_TUNNEL_RX_PACKETS,
	VGW_A_TUNNEL_RX_BYTES,
	/* Packets dropped by source validation. */
	VGW_A_TUNNEL_RX_REFUSED,
	/* Milliseconds since the last packet arrived; absent if none did. */
	VGW_A_TUNNEL_LAST_RX,
	/* State changes since creation. */
	VGW_A_TUNNEL_TRANSITIONS,
	VGW_A_TUNNEL_PAD,
	/* Of IPv4 packets. */
	VGW_A_TUNNEL_CACHE4,
	/* Of IPv6 packets. */
	VGW_A_TUNNEL_CACHE6,
	/* Packets that needed no XFRM lookup. */
	VGW_A_TUNNEL_CACHE_HITS,
	/* Packets whose lookup was kept for the next ones. */
	VGW_A_TUNNEL_CACHE_FILLS,
	/* Packets with a lookup of their own, that was not kept. */
	VGW_A_TUNNEL_CACHE_UNUSED,
	/*
	 * As the gateway's counter, of packets that met this tunnel; so are the next
	 * ones.
	 */
	VGW_A_TUNNEL_DROP_TOO_BIG,
	VGW_A_TUNNEL_DROP_LOOP,
	VGW_A_TUNNEL_DROP_BLOCKED,
	VGW_A_TUNNEL_DROP_NO_MEMORY,
	/* As the gateway's counter, of packets that this tunnel delivered. */
	VGW_A_TUNNEL_DROP_ISOLATION,

	__VGW_A_TUNNEL_MAX,
	VGW_A_TUNNEL_MAX = __VGW_A_TUNNEL_MAX - 1
};

enum {
	/* Tunnel id. */
	VGW_A_MEMBER_TUNNEL = 1,
	/*
	 * Share of the flows; 0 is a standby, used while no member with a weight is
	 * live. Default 1.
	 */
	VGW_A_MEMBER_WEIGHT,
	/* Buckets that the member holds now. */
	VGW_A_MEMBER_BUCKETS,
	VGW_A_MEMBER_LIVE,

	__VGW_A_MEMBER_MAX,
	VGW_A_MEMBER_MAX = __VGW_A_MEMBER_MAX - 1
};

enum {
	/* ifindex of the gateway. */
	VGW_A_GROUP_GATEWAY = 1,
	/* Chosen by user space, not 0, unique within the gateway. */
	VGW_A_GROUP_ID,
	/* Member of the group; the list replaces the one before. */
	VGW_A_GROUP_MEMBER,
	/* Size of the bucket table. */
	VGW_A_GROUP_BUCKETS,
	/* Live members. */
	VGW_A_GROUP_LIVE,
	/* Smallest MTU of the members; 0 until known. */
	VGW_A_GROUP_MTU,
	/* Routes and policy routes that lead to the group. */
	VGW_A_GROUP_ROUTES,
	/* Packets that the group carried. */
	VGW_A_GROUP_PACKETS,
	VGW_A_GROUP_PAD,
	/* Packets that met a dead tunnel and left through one of this group. */
	VGW_A_GROUP_FAILOVER,
	/* As the gateway's counter; this group was the last to be asked. */
	VGW_A_GROUP_DROP_DEAD,
	/* As the gateway's counter; this group holds the packets. */
	VGW_A_GROUP_DROP_RESERVED,
	/*
	 * Buckets that a change has not moved yet, because of live flows (gateway's
	 * hash-idle).
	 */
	VGW_A_GROUP_KEPT,

	__VGW_A_GROUP_MAX,
	VGW_A_GROUP_MAX = __VGW_A_GROUP_MAX - 1
};

/* A run of prefixes that share class, group and on-fail. */
enum {
	VGW_A_ROUTE_CLASS = 1,
	/* Group that the prefixes lead to; absent for class system. */
	VGW_A_ROUTE_GROUP,
	/* Default revoke. */
	VGW_A_ROUTE_ON_FAIL,
	/* Array of IPv4 prefixes. */
	VGW_A_ROUTE_PREFIX4,
	/* Array of IPv6 prefixes. */
	VGW_A_ROUTE_PREFIX6,
	/* 1 for a route that the open generation has not refreshed. Replies only. */
	VGW_A_ROUTE_STALE,

	__VGW_A_ROUTE_MAX,
	VGW_A_ROUTE_MAX = __VGW_A_ROUTE_MAX - 1
};

enum {
	/* ifindex of the gateway. */
	VGW_A_ROUTES_GATEWAY = 1,
	VGW_A_ROUTES_ROUTE,

	__VGW_A_ROUTES_MAX,
	VGW_A_ROUTES_MAX = __VGW_A_ROUTES_MAX - 1
};

/*
 * A policy route. Gateway, family, priority, sequence, source and destination
 * are its name; of two with the same priority the lower sequence comes first,
 * of two with the same of both the lower source, then the lower destination.
 */
enum {
	/* Lower first. Default 0. */
	VGW_A_POLICY_ROUTE_PRIORITY = 1,
	/* Order within a priority, lower first. Default 0. */
	VGW_A_POLICY_ROUTE_SEQUENCE,
	/* Source; absent for any. */
	VGW_A_POLICY_ROUTE_SRC4,
	/* Source; absent for any. */
	VGW_A_POLICY_ROUTE_SRC6,
	/* Destination; one of both families must be there. */
	VGW_A_POLICY_ROUTE_DST4,
	VGW_A_POLICY_ROUTE_DST6,
	/* Group that it leads to. */
	VGW_A_POLICY_ROUTE_GROUP,
	/* Default revoke. */
	VGW_A_POLICY_ROUTE_ON_FAIL,
	/* 1 for one that the open generation has not refreshed. Replies only. */
	VGW_A_POLICY_ROUTE_STALE,

	__VGW_A_POLICY_ROUTE_MAX,
	VGW_A_POLICY_ROUTE_MAX = __VGW_A_POLICY_ROUTE_MAX - 1
};

enum {
	/* ifindex of the gateway. */
	VGW_A_POLICY_ROUTES_GATEWAY = 1,
	VGW_A_POLICY_ROUTES_POLICY_ROUTE,

	__VGW_A_POLICY_ROUTES_MAX,
	VGW_A_POLICY_ROUTES_MAX = __VGW_A_POLICY_ROUTES_MAX - 1
};

enum {
	VGW_A_CANDIDATE_PREFIX4 = 1,
	VGW_A_CANDIDATE_PREFIX6,
	VGW_A_CANDIDATE_CLASS,
	VGW_A_CANDIDATE_GROUP,
	VGW_A_CANDIDATE_ON_FAIL,
	/* Live members of the group. */
	VGW_A_CANDIDATE_LIVE,
	VGW_A_CANDIDATE_RESULT,
	/*
	 * Only of a policy route, whose destination is the prefix and which has no
	 * class.
	 */
	VGW_A_CANDIDATE_PRIORITY,
	/* Only of a policy route. */
	VGW_A_CANDIDATE_SEQUENCE,
	/* Source of a policy route. */
	VGW_A_CANDIDATE_SRC4,
	/* Source of a policy route. */
	VGW_A_CANDIDATE_SRC6,

	__VGW_A_CANDIDATE_MAX,
	VGW_A_CANDIDATE_MAX = __VGW_A_CANDIDATE_MAX - 1
};

enum {
	/* ifindex of the gateway. */
	VGW_A_LOOKUP_GATEWAY = 1,
	VGW_A_LOOKUP_DST4,
	VGW_A_LOOKUP_DST6,
	VGW_A_LOOKUP_SRC4,
	VGW_A_LOOKUP_SRC6,
	/* IP protocol of the flow; default 0, addresses only. */
	VGW_A_LOOKUP_PROTOCOL,
	VGW_A_LOOKUP_SPORT,
	VGW_A_LOOKUP_DPORT,
	VGW_A_LOOKUP_VERDICT,
	/*
	 * What matches: policy routes in their order (the first 32 and the one that
	 * decided), then every route, longest prefix first, then class.
	 */
	VGW_A_LOOKUP_CANDIDATE,
	/* Guard range that holds the destination. */
	VGW_A_LOOKUP_GUARD_PREFIX4,
	VGW_A_LOOKUP_GUARD_PREFIX6,
	VGW_A_LOOKUP_HASH,
	VGW_A_LOOKUP_GROUP,
	VGW_A_LOOKUP_BUCKET,
	VGW_A_LOOKUP_TUNNEL,
	VGW_A_LOOKUP_TUNNEL_IFINDEX,
	/* SPI of the tunnel's outbound SA. */
	VGW_A_LOOKUP_SPI,
	/* Of an IPv6 flow; default 0, none. */
	VGW_A_LOOKUP_FLOW_LABEL,
	/* Whether the tunnel's XFRM lookup is kept for packets of the family. */
	VGW_A_LOOKUP_CACHE,
	/* 1 if live flows hold the bucket at a tunnel that is no longer its home. */
	VGW_A_LOOKUP_KEPT,

	__VGW_A_LOOKUP_MAX,
	VGW_A_LOOKUP_MAX = __VGW_A_LOOKUP_MAX - 1
};

/* Counters of a gateway by cause. */
enum {
	/* ifindex of the gateway. */
	VGW_A_STATS_GATEWAY = 1,
	VGW_A_STATS_TX_PACKETS,
	VGW_A_STATS_TX_BYTES,
	/* Packets that met a dead tunnel and left through another. */
	VGW_A_STATS_FAILOVER,
	/* No route. */
	VGW_A_STATS_DROP_MISS,
	/* Best route is a system route. */
	VGW_A_STATS_DROP_SYSTEM,
	/* Every candidate is dead. */
	VGW_A_STATS_DROP_DEAD,
	/* Held by a dead route with on-fail reserve. */
	VGW_A_STATS_DROP_RESERVED,
	/* Inside a guard range, no route. */
	VGW_A_STATS_DROP_GUARD,
	/* Larger than the MTU, ICMP sent. */
	VGW_A_STATS_DROP_TOO_BIG,
	/* The outer route leads back into a vgw device. */
	VGW_A_STATS_DROP_LOOP,
	/* Neither a whole IPv4 nor a whole IPv6 header. */
	VGW_A_STATS_DROP_MALFORMED,
	/*
	 * Blocked by an XFRM policy or by the default where there is none, or the SA
	 * refused it.
	 */
	VGW_A_STATS_DROP_BLOCKED,
	VGW_A_STATS_DROP_NO_MEMORY,
	/* Tunnel to tunnel without transit. */
	VGW_A_STATS_DROP_ISOLATION,
	/* Source validation. */
	VGW_A_STATS_DROP_SOURCE,
	VGW_A_STATS_PAD,
	/* TCP SYN packets whose MSS was lowered. */
	VGW_A_STATS_MSS_CLAMPED,

	__VGW_A_STATS_MAX,
	VGW_A_STATS_MAX = __VGW_A_STATS_MAX - 1
};

enum {
	/* ifindex of the gateway. */
	VGW_A_PORT_GATEWAY = 1,
	/* The LAN device. */
	VGW_A_PORT_IFINDEX,
	/* For IPv4. */
	VGW_A_PORT_STATE4,
	/* For IPv6. */
	VGW_A_PORT_STATE6,
	/* Packets that the port took. */
	VGW_A_PORT_PACKETS,
	VGW_A_PORT_BYTES,
	/* Packets that came while it stepped aside. */
	VGW_A_PORT_ASIDE,
	/*
	 * Packets for the normal way: their route is not the gateway's, or they need
	 * more than forwarding (options, fragmentation, ICMP).
	 */
	VGW_A_PORT_OTHER,
	VGW_A_PORT_PAD,

	__VGW_A_PORT_MAX,
	VGW_A_PORT_MAX = __VGW_A_PORT_MAX - 1
};

enum {
	VGW_CMD_GATEWAY_GET = 1,
	VGW_CMD_GATEWAY_SET,
	VGW_CMD_GATEWAY_NTF,
	VGW_CMD_TUNNEL_GET,
	VGW_CMD_TUNNEL_SET,
	VGW_CMD_TUNNEL_DEL,
	VGW_CMD_TUNNEL_NTF,
	VGW_CMD_GROUP_GET,
	VGW_CMD_GROUP_SET,
	VGW_CMD_GROUP_DEL,
	VGW_CMD_ROUTE_GET,
	VGW_CMD_ROUTE_ADD,
	VGW_CMD_ROUTE_DEL,
	VGW_CMD_GENERATION_BEGIN,
	VGW_CMD_GENERATION_COMMIT,
	VGW_CMD_LOOKUP,
	VGW_CMD_STATS_GET,
	VGW_CMD_POLICY_ROUTE_GET,
	VGW_CMD_POLICY_ROUTE_ADD,
	VGW_CMD_POLICY_ROUTE_DEL,
	VGW_CMD_PORT_GET,
	VGW_CMD_PORT_ADD,
	VGW_CMD_PORT_DEL,

	__VGW_CMD_MAX,
	VGW_CMD_MAX = __VGW_CMD_MAX - 1
};

#define VGW_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_VGW_H */
