/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vgw module as the agent sees it: one message-shaped interface, two back
 * ends (the generic-netlink family, and a model of it in this process that
 * follows the same rules). No pointer crosses it but for the duration of a
 * call, so it can become a socket to another process.
 *
 * Promise: requests are asynchronous and answered in order, each exactly
 * once, also when the module goes away or kernel_free() is called (then with
 * -ENOLINK). Answers come from the loop; only when there is no memory for the
 * request does -ENOMEM come before the call returns. Nothing here waits.
 * Errors are negative errno plus the module's own text.
 */
#ifndef VGW_SYS_KERNEL_H
#define VGW_SYS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/loop.h"

/* As uapi; a candidate of a lookup that is a policy route has none. */
enum kernel_class { KERNEL_POLICY, KERNEL_SYSTEM, KERNEL_STATIC, KERNEL_DYNAMIC };

/* How flows are spread. */
struct kernel_hash {
	uint32_t seed, idle_ms;
	uint8_t fields; /* enum vgw_hash_fields */
};

struct kernel_gateway {
	uint32_t ifindex, quota, generation, tunnels, groups, routes, dynamic_prefixes;
	uint32_t policies, protocol_version;
	bool generation_open;
	uint64_t memory;
	struct kernel_hash hash;
};

struct kernel_tunnel {
	uint32_t id, ifindex, if_id, connection, site;
	uint8_t source_check; /* enum vgw_source_check */
	bool transit, failed;
	/* below: replies and events only */
	uint8_t state, reason; /* enum vgw_tunnel_state, vgw_tunnel_reason */
	struct addr remote;
	uint32_t spi, mtu, transitions; /* spi in host order */
	uint64_t tx_packets, tx_bytes, tx_errors, rx_packets, rx_bytes, rx_refused;
	uint64_t last_rx_ms; /* UINT64_MAX: never */
	uint8_t cache4, cache6; /* enum vgw_cache_state */
	uint64_t cache_hits, cache_fills, cache_unused;
	uint64_t drop_too_big, drop_loop, drop_blocked, drop_no_memory, drop_isolation;
};

#define KERNEL_MEMBERS_MAX 64
/* Routes of one call. A batch is one message of at most 60 KiB even if each route is IPv6 and
 * has a group of its own, and the module takes a message as a whole or not at all. */
#define KERNEL_ROUTES_MAX 1024

struct kernel_member {
	uint32_t tunnel;
	uint8_t weight;
	/* replies only */
	uint32_t buckets;
	bool live;
};

struct kernel_group {
	uint32_t id, n_members;
	struct kernel_member members[KERNEL_MEMBERS_MAX];
	/* replies only */
	uint32_t buckets, live, mtu, routes, kept;
	uint64_t packets, failover, drop_dead, drop_reserved;
};

struct kernel_route {
	struct prefix prefix;
	uint8_t class; /* enum kernel_class */
	uint8_t on_fail; /* enum vgw_on_fail */
	uint32_t group; /* 0 for class system */
	bool stale; /* replies only */
};

/* Policy routes of one call: one message of less than 50 KiB. */
#define KERNEL_POLICIES_MAX 512

/* All but group, on_fail and stale is its name. Both prefixes are of one family. */
struct kernel_policy {
	struct prefix src, dst; /* src of length 0: any */
	uint32_t priority, sequence; /* lower first */
	uint32_t group;
	uint8_t on_fail; /* enum vgw_on_fail */
	bool stale; /* replies only */
};

struct kernel_port {
	uint32_t ifindex;
	/* replies only */
	uint8_t state4, state6; /* enum vgw_port_state */
	uint64_t packets, bytes, aside, other;
};

struct kernel_flow {
	struct addr dst, src; /* src may be none */
	uint8_t protocol;
	uint16_t sport, dport;
	uint32_t flow_label; /* IPv6; 0: none */
};

struct kernel_candidate {
	struct prefix prefix; /* of a policy route its destination */
	uint8_t class, on_fail, result; /* result: enum vgw_candidate_result */
	uint32_t group, live;
	/* of a policy route */
	struct prefix src;
	uint32_t priority, sequence;
};

struct kernel_lookup {
	uint8_t verdict; /* enum vgw_verdict */
	uint32_t hash, group, bucket, tunnel, tunnel_ifindex, spi;
	uint8_t cache; /* enum vgw_cache_state */
	bool kept;
	struct prefix guard; /* AF_UNSPEC if none */
	size_t n_candidates;
	/* the first of them: policy routes in their order, then the longest prefix first */
	struct kernel_candidate candidates[64];
};

struct kernel_stats {
	uint64_t tx_packets, tx_bytes, failover, drop_miss, drop_system, drop_dead, drop_reserved,
		drop_guard, drop_too_big, drop_loop, drop_malformed, drop_blocked, drop_no_memory,
		drop_isolation, drop_source, mss_clamped;
};

struct kernel; /* a connection to the module in this network namespace */

/* Completion of a request. error 0 or negative errno; text is the module's (never NULL), borrowed;
 * index: for batches the index of the refused route in the caller's array, else -1. */
typedef void (*kernel_done)(void *ctx, int error, const char *text, long index);

/* From the loop; each may be NULL. */
struct kernel_events {
	void (*tunnel)(void *ctx, uint32_t gateway, const struct kernel_tunnel *tunnel);
	void (*gateway)(void *ctx, const struct kernel_gateway *gateway);
	/* Events were lost (ENOBUFS): dump again. */
	void (*overrun)(void *ctx);
	/* The family disappeared (rmmod), or is there: found() comes the first time too.
	 * Requests under way are answered with -ENOLINK before lost(). */
	void (*lost)(void *ctx);
	void (*found)(void *ctx);
};

/* Real module, in the network namespace of the caller. Not available until found(). NULL only on
 * no memory or no netlink. */
struct kernel *kernel_genl_new(struct loop *loop, const struct kernel_events *events, void *ctx);

/* The model. Not available until found(), like the real one. The functions below do what an
 * operator does to the real one; errors are -ENOMEM, -EEXIST, -ENOENT. */
struct kernel *kernel_model_new(struct loop *loop, const struct kernel_events *events, void *ctx);
/* ip link add / del; quota is the module's default of 50 */
int kernel_model_add_gateway(struct kernel *kernel, uint32_t ifindex);
int kernel_model_del_gateway(struct kernel *kernel, uint32_t ifindex);
/* The tunnel's SA comes or goes. Tunnels are created live. */
void kernel_model_set_live(struct kernel *kernel, uint32_t gateway, uint32_t tunnel, bool live);
/* Packets of the tunnel, which the model itself has none of: added to its counters. */
void kernel_model_count(struct kernel *kernel, uint32_t gateway, uint32_t tunnel, uint64_t tx,
			uint64_t rx);
/* What the module says its interface is; 1 when the gateway is added. */
void kernel_model_set_version(struct kernel *kernel, uint32_t gateway, uint32_t version);
/* rmmod (forgets everything) and modprobe */
void kernel_model_unload(struct kernel *kernel);
void kernel_model_load(struct kernel *kernel);

/* Answers what is under way with -ENOLINK; those callbacks must not use the kernel any more. */
void kernel_free(struct kernel *kernel);
bool kernel_available(const struct kernel *kernel);

void kernel_gateway_get(struct kernel *kernel, uint32_t ifindex,
			void (*reply)(void *ctx, int error, const char *text,
				      const struct kernel_gateway *gateway),
			void *ctx);
void kernel_gateway_set(struct kernel *kernel, uint32_t ifindex, const uint32_t *quota,
			const struct kernel_hash *hash, const struct prefix *guards,
			size_t n_guards, kernel_done done,
			void *ctx); /* NULL fields stay as they are */
void kernel_tunnel_set(struct kernel *kernel, uint32_t gateway, const struct kernel_tunnel *tunnel,
		       kernel_done done, void *ctx);
void kernel_tunnel_del(struct kernel *kernel, uint32_t gateway, uint32_t id, kernel_done done,
		       void *ctx);
void kernel_group_set(struct kernel *kernel, uint32_t gateway, const struct kernel_group *group,
		      kernel_done done, void *ctx);
void kernel_group_del(struct kernel *kernel, uint32_t gateway, uint32_t id, kernel_done done,
		      void *ctx);
/* All or nothing. n <= KERNEL_ROUTES_MAX, each prefix and class at most once. */
void kernel_routes_add(struct kernel *kernel, uint32_t gateway, const struct kernel_route *routes,
		       size_t n, kernel_done done, void *ctx);
void kernel_routes_del(struct kernel *kernel, uint32_t gateway, const struct kernel_route *routes,
		       size_t n, kernel_done done, void *ctx);
/* All or nothing. n <= KERNEL_POLICIES_MAX, each name at most once. */
void kernel_policies_add(struct kernel *kernel, uint32_t gateway,
			 const struct kernel_policy *policies, size_t n, kernel_done done,
			 void *ctx);
void kernel_policies_del(struct kernel *kernel, uint32_t gateway,
			 const struct kernel_policy *policies, size_t n, kernel_done done,
			 void *ctx);
/* A LAN device; a repeat only refreshes it in the open generation. */
void kernel_port_add(struct kernel *kernel, uint32_t gateway, uint32_t ifindex, kernel_done done,
		     void *ctx);
void kernel_port_del(struct kernel *kernel, uint32_t gateway, uint32_t ifindex, kernel_done done,
		     void *ctx);
void kernel_generation_begin(struct kernel *kernel, uint32_t gateway,
			     void (*reply)(void *ctx, int error, const char *text,
					   uint32_t generation),
			     void *ctx);
void kernel_generation_commit(struct kernel *kernel, uint32_t gateway, uint32_t generation,
			      kernel_done done, void *ctx);
void kernel_lookup(struct kernel *kernel, uint32_t gateway, const struct kernel_flow *flow,
		   void (*reply)(void *ctx, int error, const char *text,
				 const struct kernel_lookup *lookup),
		   void *ctx);
void kernel_stats_get(struct kernel *kernel, uint32_t gateway,
		      void (*reply)(void *ctx, int error, const char *text,
				    const struct kernel_stats *stats),
		      void *ctx);

/* Dumps: each row, then done. The row is borrowed. Rows are told after the whole dump arrived; one
 * that a change interrupted is repeated inside, a few times (then -EAGAIN). */
void kernel_tunnels_dump(struct kernel *kernel, uint32_t gateway,
			 void (*row)(void *ctx, const struct kernel_tunnel *tunnel),
			 kernel_done done, void *ctx);
void kernel_groups_dump(struct kernel *kernel, uint32_t gateway,
			void (*row)(void *ctx, const struct kernel_group *group), kernel_done done,
			void *ctx);
void kernel_routes_dump(struct kernel *kernel, uint32_t gateway,
			void (*row)(void *ctx, const struct kernel_route *route), kernel_done done,
			void *ctx);
/* IPv4 first, in the order in which packets meet them. */
void kernel_policies_dump(struct kernel *kernel, uint32_t gateway,
			  void (*row)(void *ctx, const struct kernel_policy *policy),
			  kernel_done done, void *ctx);

void kernel_ports_dump(struct kernel *kernel, uint32_t gateway,
		       void (*row)(void *ctx, const struct kernel_port *port), kernel_done done,
		       void *ctx);

/* Order of two policy routes: family, then as packets meet them; 0: one name. */
int kernel_policy_compare(const struct kernel_policy *a, const struct kernel_policy *b);

#endif
