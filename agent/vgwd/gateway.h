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
 * One file a concern: gateway.c (life, module, device), version.c (is the module
 * one that BGP can run with), derive.c (what module and system table should hold),
 * tunnel.c (link, address, IKE), liveness.c (is the path good), health.c (health
 * checks), watch.c (counters, one-way failures), line.c (private lines, and the sessions of
 * transit peers), transit.c (routes to and from the domain), peer.c (session and its paths),
 * advertise.c (what each peer hears), restart.c (graceful restart), drain.c (a tunnel is taken
 * out of use), audit.c (what others change), reload.c, history.c (what happened), and verbs.h's
 * files (answers).
 */
#ifndef VGW_VGWD_GATEWAY_H
#define VGW_VGWD_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/session.h"
#include "core/config.h"
#include "core/export.h"
#include "core/health.h"
#include "core/oneway.h"
#include "core/rib.h"
#include "core/timeline.h"
#include "lib/pmap.h"
#include "sys/bfd.h"
#include "sys/fib.h"
#include "sys/ike.h"
#include "sys/kernel.h"
#include "sys/rtnl.h"
#include "vgwd/line.h"
#include "vgwd/peer.h"
#include "vgwd/transit.h"

/* Why a tunnel or the device cannot be set up, kept for show. */
#define TUNNEL_ERROR_SIZE 200
#define GATEWAY_ERROR_SIZE 200
#define HEALTH_ERROR_SIZE 120

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
	bool unsure; /* somebody changed the device: set it up again */
	bool ready; /* device and inside address are there: given to the module, session may run */
	char ike_name[64]; /* "" without ike */
	char error[TUNNEL_ERROR_SIZE]; /* why it is not ready */
	struct kernel_tunnel kernel; /* last report of the module */
	bool reported;
	bool failed; /* by BFD or health check: told to the module */
	bool bfd_failed; /* BFD's verdict, for the BGP session */
	struct health_check *check; /* NULL: none */
	struct oneway oneway;
	struct icmp *asker; /* for an answer, while the tunnel is suspected to be one-way */
	bool ike_up; /* as it was told last */
	bool groups_due; /* an event said so: tell the timeline when the module has it all */
	bool bfd_passed; /* BFD was up in this life, or the peer had switched it off */
	bool drained; /* by the operator: carries only what nobody else can */
	bool drain_empty; /* and nothing moved for a while */
	uint64_t drain_since, drain_moved; /* loop time: of the order, of the last packet seen */
	uint64_t drain_tx; /* packets at the last look */

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
	struct rib *domain; /* what transit peers told; NULL: there was never one */
	struct pmap domain_told; /* prefixes of it that are in export */
	struct export *export;
	struct pmap underlay,
		connected; /* unicast prefixes of the system table: all, the kernel's own */
	/* Of everything that is advertised, and of the same over a drained tunnel. */
	const struct attrs *domain_attrs, *drained_attrs;
	struct tunnel *tunnels;
	struct line *lines; /* transit peers too */
	struct peer *peers; /* of tunnels, lines and transit peers: those with BGP */
	struct loop_timer *drain_timer; /* bounded steps over changed prefixes */
	struct loop_timer *device_timer; /* device or a tunnel is not there: look again */
	struct loop_timer *restart_timer;
	struct loop_timer *drained_timer; /* is a drained tunnel empty? */
	struct loop_timer *audit_timer; /* does the module still hold what it was given? */
	uint64_t audit_sent; /* routes told to the module when it was asked */
	uint32_t audit_pause; /* ms */
	uint32_t ifindex; /* of the gateway's device, 0 while there is none */
	uint32_t table; /* kernel table number of the system table */
	uint32_t router_id;
	enum gateway_phase phase;
	bool kept_forwarding; /* the module held our routes when we started */
	bool routes_synced; /* the system table was read once */
	bool bound; /* the module knows the device, fib runs */
	bool autoload_tried; /* only a start may load the module, never a device that went away */
	bool commit_due; /* once the changed prefixes are drained: close the generation, sweep */
	bool export_due; /* memory ran out for a system route: take all of them in again */
	bool hurry; /* the next drain publishes at once: packets are being lost */
	struct prefix derived; /* learned routes up to here are told to the module anew */
	bool policy_due; /* a protected prefix came or went */
	char device_error[GATEWAY_ERROR_SIZE]; /* why there is no device; "" if there is */
	uint64_t started; /* loop time */
	const char *bgp_refused; /* code, why there is no BGP (rule 4); NULL: there is */
	char bgp_refused_text[GATEWAY_ERROR_SIZE];
	struct loop_timer *watch_timer;
	struct timeline *timeline;
	struct follower *followers; /* of the timeline, see history.c */
	uint32_t warned_quota; /* last percentage that was logged: 0, 80 or 100 */
	bool warned_domain; /* that its table is full */
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
void gateway_drain(void *ctx); /* takes changed prefixes on; ctx: the gateway */
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
/* If the table is worked off and the module has all of it: it has what the events led to. */
void derive_settled(struct gateway *gateway);
void derive_statics_dirty(struct gateway *gateway, const struct config *config);

/* tunnel.c */
extern const struct peer_owner tunnel_peer_owner;
struct tunnel *tunnel_new(struct gateway *gateway, const struct config_connection *connection,
			  const struct config_tunnel *config);
void tunnel_free(struct tunnel *tunnel); /* forget it; the kernel and charon keep it */
void tunnel_setup(struct tunnel *tunnel); /* link, address, IKE; idempotent */
/* Whether routes may lead through it: all that have it are looked at again. */
void tunnel_set_ready(struct tunnel *tunnel, bool ready);
void tunnel_remove(struct tunnel *tunnel); /* no longer configured: take all of it away, and free */
void tunnel_link_changed(struct tunnel *tunnel, const struct rtnl_link *link, bool present);
void tunnel_reported(struct tunnel *tunnel, const struct kernel_tunnel *report);
bool tunnel_revive(struct tunnel *tunnel); /* true if it has no SA: call again later */
bool tunnel_wanted(const struct tunnel *tunnel, struct kernel_tunnel *out);

/* version.c: what the module said of itself. Ends and begins sessions as it allows. */
void version_judge(struct gateway *gateway, uint32_t version);

/* liveness.c */
void liveness_watch(struct tunnel *tunnel); /* all checks as configured; the device is there */
void liveness_forget(struct tunnel *tunnel);
void liveness_changed(void *ctx, const char *name, const struct bfd_status *status);
void liveness_judge(struct tunnel *tunnel); /* a fact of the verdict changed */
bool liveness_allows_bgp(const struct tunnel *tunnel);
/* What BFD says of a path; stale: its peer restarts gracefully. NULL, NULL: no BFD. */
bool liveness_bfd_verdict(const struct bfd_status *status, const struct config_bfd *config,
			 bool passed, bool stale);
const struct bfd_status *liveness_status(const struct tunnel *tunnel); /* NULL: no BFD */
/* Why the module sends nothing through the tunnel; false: it does. */
bool liveness_explain(const struct tunnel *tunnel, char *buf, size_t size);

/* health.c */
/* As configured. For both of these liveness_judge() is the caller's. */
void health_check_watch(struct tunnel *tunnel);
void health_check_forget(struct tunnel *tunnel);
void health_check_reported(struct tunnel *tunnel); /* the device or the module's report changed */
bool health_check_failed(const struct tunnel *tunnel);
const struct health *health_check_state(const struct tunnel *tunnel); /* NULL: no check */
const char *health_check_error(const struct tunnel *tunnel); /* why it cannot be done; "" */
void health_check_reason(const struct tunnel *tunnel, char *buf, size_t size); /* of a failure */

/* watch.c */
int watch_init(struct gateway *gateway);
void watch_forget(struct tunnel *tunnel);
/* True, with the reason: it sends, and nothing comes back. */
bool watch_oneway(const struct tunnel *tunnel, char *buf, size_t size);

/* history.c; without a timeline nothing is kept. */
int history_init(struct gateway *gateway);
void history_note(struct gateway *gateway, enum timeline_kind kind, const char *object,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool history_incident(const struct gateway *gateway, const char *object); /* is one open? */
/* The end of a fault that cannot end by itself any more; nothing if there is none. */
void history_settle(struct gateway *gateway, enum timeline_kind end, const char *object,
		    const char *text);
void history_forget(struct gateway *gateway, const char *object);

/* advertise.c */
int advertise_init(struct gateway *gateway);
void advertise_route_changed(void *ctx, const struct rtnl_route *route, bool present);
void advertise_policy(struct gateway *gateway);
void advertise_again(struct gateway *gateway); /* if export_due: from all routes known */
void advertise_all(struct peer *peer, enum session_afi afi);
/* The peer hears what is so of the prefix now, by the facts. */
void advertise_prefix(struct peer *peer, const struct prefix *prefix);
/* Length of the system table's longest route to an outer address, 0: none but a default. */
uint8_t advertise_pinned(const struct gateway *gateway, const struct addr *peer);
size_t advertise_protected(const struct gateway *gateway, struct prefix **out);

/* restart.c */
void restart_begin(struct gateway *gateway);
void restart_check(struct gateway *gateway); /* some session said End-of-RIB, or a tunnel changed */
void restart_expired(void *ctx);
bool restart_deferring(const struct gateway *gateway);

/* audit.c */
void audit_start(struct gateway *gateway);
void audit_fire(void *ctx); /* ctx: the gateway */
void audit_address_gone(void *ctx, uint32_t ifindex);

/* drain.c */
void drain_mark(struct tunnel *tunnel, bool drained);
/* And writes it down. */
int drain_set(struct tunnel *tunnel, bool drained); /* negative errno: a restart forgets it */
void drain_load(struct gateway *gateway); /* what the file says of the tunnels that are there */
int drain_save(const struct gateway *gateway);
/* Drained tunnels stand by, where the route has others. */
void drain_members(const struct gateway *gateway, struct fib_route *route);
void drain_watch(struct gateway *gateway); /* while some tunnel is drained */
void drain_look(void *ctx); /* ctx: the gateway */
void drain_judge(struct tunnel *tunnel); /* has anything moved since the last report? */
unsigned int drain_others_up(const struct tunnel *tunnel); /* tunnels that take over */

/* reload.c */
/* The key of a value that ends the tunnel's session when new replaces old; NULL: it stays. */
const char *reload_resets(const struct config *old, const struct config *new, const char *tunnel);
const char *reload_resets_line(const struct config *old, const struct config *new,
			       const char *line); /* the same of a private line's */
/* dry_run: only report. Each change goes to report(). 0, or negative errno and err. */
int gateway_reload(struct gateway *gateway, bool dry_run,
		   void (*report)(void *ctx, const struct config_change *change), void *ctx,
		   char *err, size_t size);

#endif
