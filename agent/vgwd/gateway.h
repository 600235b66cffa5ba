/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gateway as the agent runs it: joins configuration, tunnels, BGP
 * sessions, the RIB, the module and the system table.
 *
 * Promise: everything that the module, the system table and the peers are told
 * is derived from the facts held here (configuration, paths, system routes,
 * what the kernel reports); an event only asks for a new look. The order of
 * events does not matter, and no event ends the process.
 *
 * One file a concern: gateway.c (life, module, device), derive.c (what module
 * and system table should hold), tunnel.c (link, address, IKE), liveness.c
 * (BFD), line.c (private lines), peer.c (session and its paths), advertise.c (system table to
 * sites), restart.c (graceful restart), reload.c, and verbs.h's files (answers).
 */
#ifndef VGW_VGWD_GATEWAY_H
#define VGW_VGWD_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/session.h"
#include "core/config.h"
#include "core/export.h"
#include "core/rib.h"
#include "lib/pmap.h"
#include "sys/bfd.h"
#include "sys/fib.h"
#include "sys/ike.h"
#include "sys/kernel.h"
#include "sys/rtnl.h"
#include "vgwd/line.h"
#include "vgwd/peer.h"

/* Why a tunnel or the device cannot be set up, kept for show. */
#define TUNNEL_ERROR_SIZE 200
#define GATEWAY_ERROR_SIZE 200

/* Of published routes: behind what people and the kernel put there (rules 31 and 32). */
#define GATEWAY_PUBLISH_METRIC 20000

struct gateway;

struct tunnel {
	struct gateway *gateway;
	struct tunnel *next; /* in the order of the configuration */
	/* Borrowed from gateway->config, renewed by every reload. */
	const struct config_tunnel *config;
	const struct config_connection *connection;
	uint32_t id;
	uint32_t ifindex; /* of the xfrm device, 0 while there is none */
	bool ready; /* device and inside address are there: given to the module, session may run */
	char ike_name[64]; /* "" without ike */
	char error[TUNNEL_ERROR_SIZE]; /* why it is not ready */
	struct kernel_tunnel kernel; /* last report of the module */
	bool reported;
	bool failed; /* BFD's verdict, for the module and the BGP session */
	bool bfd_passed; /* BFD was up in this life, or the peer had switched it off */

	struct peer peer; /* idle on a connection without BGP */
};

enum gateway_phase {
	GATEWAY_WAITING, /* no module or no device yet */
	GATEWAY_RESTARTING, /* module holds routes of an earlier life, selection is deferred */
	GATEWAY_RUNNING,
};

struct gateway {
	struct loop *loop;
	struct config *config;
	const char *config_path;
	struct kernel *kernel;
	struct fib *fib;
	struct rtnl *rtnl;
	struct ike *ike;
	struct bfd *bfd;
	struct rib *rib;
	struct export *export;
	struct pmap underlay,
		connected; /* unicast prefixes of the system table: all, the kernel's own */
	const struct attrs *domain_attrs; /* of everything that is advertised */
	struct tunnel *tunnels;
	struct line *lines;
	struct peer *peers; /* of tunnels and lines: those with BGP */
	struct loop_timer *drain_timer; /* bounded steps over changed prefixes */
	struct loop_timer *device_timer; /* device or a tunnel is not there: look again */
	struct loop_timer *restart_timer;
	uint32_t ifindex; /* of the gateway's device, 0 while there is none */
	uint32_t table; /* kernel table number of the system table */
	uint32_t router_id;
	enum gateway_phase phase;
	bool kept_forwarding; /* the module held our routes when we started */
	bool routes_synced; /* the system table was read once */
	bool bound; /* the module knows the device, fib runs */
	bool autoload_tried; /* only a start may load the module, never a device that went away */
	bool commit_due; /* once the changed prefixes are drained: close the generation, sweep */
	bool hurry; /* the next drain publishes at once: packets are being lost */
	bool policy_due; /* a protected prefix came or went */
	char device_error[GATEWAY_ERROR_SIZE]; /* why there is no device; "" if there is */
	uint64_t started; /* loop time */
	uint32_t warned_quota; /* last percentage that was logged: 0, 80 or 100 */
};

/* gateway.c. config becomes the gateway's, also on failure. NULL: see err. */
struct gateway *gateway_new(struct loop *loop, const char *config_path, struct config *config,
			    char *err, size_t size);
/* Kernel state stays and the sessions close without a word: the peers keep our routes (D14). */
void gateway_free(struct gateway *gateway);
/* Nothing but the guard routes, for early at boot. config stays the caller's. */
int gateway_guards_only(struct loop *loop, struct config *config, char *err, size_t size);
/* Look again at what is missing, after so many milliseconds at the latest. */
void gateway_look_soon(struct gateway *gateway, uint64_t ms);
void gateway_kick(struct gateway *gateway); /* some prefix may have changed */
void gateway_settings_apply(struct gateway *gateway); /* guards, quota, seed, import rules */
bool gateway_guards_apply(struct gateway *gateway, char *err, size_t size);
struct tunnel *gateway_tunnel_by_id(const struct gateway *gateway, uint32_t id);
size_t gateway_tunnel_count(const struct gateway *gateway);
uint32_t
gateway_router_id(const struct config *config); /* configured, or the first local address */

/* derive.c */
extern const struct fib_ops derive_fib_ops; /* ctx: the gateway */
bool derive_published(void *ctx, const struct prefix *prefix);
/* Does the configuration itself lead the prefix somewhere, by a static or a policy route? */
bool derive_configured(const struct gateway *gateway, const struct prefix *prefix);
bool derive_static_exists(const struct gateway *gateway, const struct prefix *prefix);
bool derive_static(const struct gateway *gateway, const struct prefix *prefix,
		   struct fib_route *out);
bool derive_policy_route(void *ctx, size_t index, struct fib_policy *out);
/* Is this row of the configuration the first one of its policy route? */
bool derive_policy_begins(const struct config *config, size_t i);
void derive_policy(struct gateway *gateway); /* import rules from configuration and facts */
void derive_statics_dirty(struct gateway *gateway, const struct config *config);

/* tunnel.c */
extern const struct peer_owner tunnel_peer_owner;
struct tunnel *tunnel_new(struct gateway *gateway, const struct config_connection *connection,
			  const struct config_tunnel *config);
void tunnel_free(struct tunnel *tunnel); /* forget it; the kernel and charon keep it */
void tunnel_setup(struct tunnel *tunnel); /* link, address, IKE; idempotent */
void tunnel_remove(struct tunnel *tunnel); /* no longer configured: take all of it away, and free */
void tunnel_link_changed(struct tunnel *tunnel, const struct rtnl_link *link, bool present);
void tunnel_reported(struct tunnel *tunnel, const struct kernel_tunnel *report);
bool tunnel_revive(struct tunnel *tunnel); /* true if it has no SA: call again later */
bool tunnel_wanted(const struct tunnel *tunnel, struct kernel_tunnel *out);

/* liveness.c */
void liveness_watch(struct tunnel *tunnel); /* BFD as configured; the device is there */
void liveness_forget(struct tunnel *tunnel);
void liveness_changed(void *ctx, const char *name, const struct bfd_status *status);
void liveness_judge(struct tunnel *tunnel); /* a fact of the verdict changed */
bool liveness_allows_bgp(const struct tunnel *tunnel);
/* What BFD says of a path; stale: its peer restarts gracefully. NULL, NULL: no BFD. */
bool liveness_bfd_verdict(const struct bfd_status *status, const struct config_bfd *config,
			 bool passed, bool stale);
const struct bfd_status *liveness_status(const struct tunnel *tunnel); /* NULL: no BFD */

/* advertise.c */
int advertise_init(struct gateway *gateway);
void advertise_route_changed(void *ctx, const struct rtnl_route *route, bool present);
void advertise_policy(struct gateway *gateway);
void advertise_all(struct peer *peer, enum session_afi afi);
/* Length of the system table's longest route to an outer address, 0: none but a default. */
uint8_t advertise_pinned(const struct gateway *gateway, const struct addr *peer);
size_t advertise_protected(const struct gateway *gateway, struct prefix **out);

/* restart.c */
void restart_begin(struct gateway *gateway);
void restart_check(struct gateway *gateway); /* some session said End-of-RIB, or a tunnel changed */
void restart_expired(void *ctx);
bool restart_deferring(const struct gateway *gateway);

/* reload.c. dry_run: only report. Each change goes to report(). 0, or negative errno and err. */
int gateway_reload(struct gateway *gateway, bool dry_run,
		   void (*report)(void *ctx, const struct config_change *change), void *ctx,
		   char *err, size_t size);

#endif
