// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gateway's life: its device, the module behind it, and the steps from a
 * changed fact to the module and the system table.
 *
 * Start: guard routes first, then the device, the tunnels, the system table;
 * sessions only when the module knows the device and the system table was
 * read, for who hears our routes sends packets. Later the device or the module
 * may go and come back at any time: what they held is given to them again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>
#include <linux/vgw.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

/* Changed prefixes that one turn of the loop takes on. */
#define GATEWAY_DRAIN_STEP 2048

/* A burst of UPDATEs is one look, milliseconds. */
#define GATEWAY_DRAIN_DELAY 5
#define GATEWAY_DEVICE_RETRY 2000

struct tunnel *gateway_tunnel_by_id(const struct gateway *gateway, uint32_t id)
{
	for (struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (t->id == id)
			return t;
	return NULL;
}

size_t gateway_tunnel_count(const struct gateway *gateway)
{
	size_t n = 0;

	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		n++;
	return n;
}

uint32_t gateway_router_id(const struct config *config)
{
	const struct addr *id = &config->gateway.router_id;

	for (size_t i = 0; i < config->n_connections && !addr_is_set(id); i++) {
		const struct config_connection *connection = &config->connections[i];

		for (size_t k = 0; k < connection->n_tunnels && !addr_is_set(id); k++) {
			const struct config_tunnel *tunnel = &connection->tunnels[k];

			if (tunnel->local_address.family == AF_INET)
				id = &tunnel->local_address;
			else if (tunnel->inside_address.family == AF_INET)
				id = &tunnel->inside_address;
		}
	}
	if (!addr_is_set(id))
		return config->gateway.local_asn; /* any number that is not 0 (RFC 6286) */
	return (uint32_t)id->b[0] << 24 | id->b[1] << 16 | id->b[2] << 8 | id->b[3];
}

void gateway_look_soon(struct gateway *gateway, uint64_t ms)
{
	if (!loop_timer_pending(gateway->device_timer) ||
	    loop_timer_left(gateway->device_timer) > ms)
		loop_timer_start(gateway->device_timer, ms);
}

/* Changed prefixes */

static void gateway_watch_quota(struct gateway *gateway)
{
	uint32_t quota = gateway->config->gateway.quota, level = 0;
	struct rib_counters counters;

	if (!quota)
		return;
	rib_counters(gateway->rib, &counters);
	if (counters.refused_quota)
		level = 100;
	else if (counters.installed * 10 >= quota * 8ull)
		level = 80;
	if (level > gateway->warned_quota && level == 100)
		log_warning(NULL,
			    "bgp table full %u/%u: %zu prefixes are refused until there is room",
			    quota, quota, counters.refused_quota);
	else if (level > gateway->warned_quota)
		log_warning(NULL, "bgp table holds %zu of %u prefixes", counters.installed, quota);
	gateway->warned_quota = level;
}

static void gateway_watch_domain(struct gateway *gateway)
{
	uint32_t quota = gateway->config->transit_quota;
	struct rib_counters counters = {0};

	if (gateway->domain)
		rib_counters(gateway->domain, &counters);
	if (counters.refused_quota && !gateway->warned_domain)
		log_warning(NULL,
			    "table of the domain full %u/%u: %zu prefixes are refused until there "
			    "is room",
			    quota, quota, counters.refused_quota);
	gateway->warned_domain = counters.refused_quota;
}

/* Some of the changed prefixes; false: there are more. */
static bool gateway_drain_step(struct gateway *gateway)
{
	unsigned int i = 0;
	struct prefix prefix;

	while (i < GATEWAY_DRAIN_STEP && gateway->domain &&
	       rib_dirty_next(gateway->domain, &prefix)) {
		transit_changed(gateway, &prefix);
		i++;
	}
	while (i < GATEWAY_DRAIN_STEP && rib_dirty_next(gateway->rib, &prefix)) {
		fib_dirty_route(gateway->fib, &prefix, KERNEL_DYNAMIC);
		rtnl_publish_dirty(gateway->rtnl, &prefix);
		transit_tell(gateway, &prefix);
		i++;
	}
	return i < GATEWAY_DRAIN_STEP;
}

void gateway_drain(void *ctx)
{
	struct gateway *gateway = ctx;
	bool more;

	if (gateway->policy_due)
		derive_policy(gateway);
	more = rib_work(gateway->rib);
	more |= gateway->domain && rib_work(gateway->domain);
	if (more)
		loop_timer_start(gateway->drain_timer, 0);
	if (restart_deferring(gateway))
		return;
	if (!gateway_drain_step(gateway)) {
		loop_timer_start(gateway->drain_timer, 0);
		return;
	}
	if (more)
		return;
	if (gateway->hurry)
		rtnl_publish_now(gateway->rtnl);
	gateway->hurry = false;
	gateway_watch_quota(gateway);
	derive_settled(gateway);
	gateway_watch_domain(gateway);
	if (!gateway->commit_due || !gateway->bound || !gateway->routes_synced)
		return;
	gateway->commit_due = false;
	fib_commit(gateway->fib);
	rtnl_publish_sweep(gateway->rtnl);
	transit_tell_configured(gateway);
	for (struct peer *peer = gateway->peers; peer; peer = peer->next)
		peer_tell(peer);
}

void gateway_kick(struct gateway *gateway)
{
	rib_set_time(gateway->rib, loop_now(gateway->loop));
	if (gateway->domain)
		rib_set_time(gateway->domain, loop_now(gateway->loop));
	if (!loop_timer_pending(gateway->drain_timer))
		loop_timer_start(gateway->drain_timer, GATEWAY_DRAIN_DELAY);
}

/* The module */

static void gateway_tunnel_row(void *ctx, const struct kernel_tunnel *report)
{
	struct tunnel *tunnel = gateway_tunnel_by_id(ctx, report->id);

	if (tunnel)
		tunnel_reported(tunnel, report);
}

static void gateway_tunnels_read(void *ctx, int error, const char *text, long index)
{
	struct gateway *gateway = ctx;

	(void)index;
	if (error && error != -ENOLINK)
		log_warning(NULL, "tunnels cannot be read from the module: %s", text);
	restart_check(gateway);
}

static void gateway_peers_start(struct gateway *gateway)
{
	for (struct peer *peer = gateway->peers; peer; peer = peer->next)
		peer_start(peer);
}

static void gateway_bound(struct gateway *gateway, const struct kernel_gateway *kernel)
{
	bool first = gateway->phase == GATEWAY_WAITING;

	gateway->bound = true;
	gateway->device_error[0] = '\0';
	if (first)
		gateway->kept_forwarding |= kernel->dynamic_prefixes > 0;
	log_info(NULL, "%s is bound, the module holds %u routes", gateway->config->gateway.name,
		 kernel->routes);
	version_judge(gateway, kernel->protocol_version);
	kernel_tunnels_dump(gateway->kernel, gateway->ifindex, gateway_tunnel_row,
			    gateway_tunnels_read, gateway);
	fib_start(gateway->fib, gateway->ifindex);
	rtnl_publish_start(gateway->rtnl, gateway->ifindex, GATEWAY_PUBLISH_METRIC);
	if (first) {
		restart_begin(gateway);
	} else {
		gateway->commit_due = true;
		gateway_kick(gateway);
	}
	gateway_peers_start(gateway);
}

/* The module had nothing of ours, but the system table has routes over lines. */
static void gateway_adopt_lines(struct gateway *gateway)
{
	if (gateway->routes_synced || gateway->kept_forwarding ||
	    !rtnl_publish_has_vias(gateway->rtnl))
		return;
	gateway->kept_forwarding = true;
	if (gateway->phase == GATEWAY_RUNNING && gateway->commit_due)
		restart_begin(gateway);
}

static void gateway_unbind(struct gateway *gateway)
{
	if (gateway->bound)
		fib_start(gateway->fib, 0);
	gateway->bound = false;
}

static void gateway_bind_reply(void *ctx, int error, const char *text,
			       const struct kernel_gateway *kernel)
{
	struct gateway *gateway = ctx;

	if (gateway->bound || error == -ENOLINK)
		return;
	if (!error && kernel->ifindex == gateway->ifindex) {
		gateway_bound(gateway, kernel);
		return;
	}
	snprintf(gateway->device_error, sizeof(gateway->device_error), "%s",
		 error ? text : "the module answers for another device");
	log_error(NULL, "%s", gateway->device_error);
	gateway_look_soon(gateway, GATEWAY_DEVICE_RETRY);
}

static void gateway_bind(struct gateway *gateway)
{
	if (!gateway->bound && gateway->ifindex && kernel_available(gateway->kernel))
		kernel_gateway_get(gateway->kernel, gateway->ifindex, gateway_bind_reply, gateway);
}

/* The device */

static bool gateway_device(struct gateway *gateway, char *err, size_t size)
{
	const struct config_gateway *config = &gateway->config->gateway;
	const bool up = true;
	struct rtnl_link link;

	if (rtnl_link_add_vgw(gateway->rtnl, config->name, err, size))
		return false;
	if (rtnl_link_get(gateway->rtnl, config->name, &link)) {
		snprintf(err, size, "%s disappeared while it was set up", config->name);
		return false;
	}
	if (config->vrf &&
	    rtnl_link_set(gateway->rtnl, config->name, NULL, NULL, config->vrf, err, size))
		return false;
	if (!link.up && rtnl_link_set(gateway->rtnl, config->name, &up, NULL, NULL, err, size))
		return false;
	gateway->ifindex = link.ifindex;
	return true;
}

/*
 * Adding a link of the kind loads the module, which is right at a start and
 * wrong after somebody removed it: then the module's return is waited for.
 */
static void gateway_device_ensure(struct gateway *gateway)
{
	char err[GATEWAY_ERROR_SIZE];

	if (gateway->ifindex) {
		gateway_bind(gateway);
		return;
	}
	if (gateway->autoload_tried && !kernel_available(gateway->kernel)) {
		snprintf(gateway->device_error, sizeof(gateway->device_error),
			 "the vgw module is not loaded");
		return;
	}
	gateway->autoload_tried = true;
	if (gateway_device(gateway, err, sizeof(err))) {
		gateway_bind(gateway);
		return;
	}
	if (strcmp(err, gateway->device_error)) {
		log_error(NULL, "%s", err);
		snprintf(gateway->device_error, sizeof(gateway->device_error), "%s", err);
	}
	gateway_look_soon(gateway, GATEWAY_DEVICE_RETRY);
}

/* Something was in the way earlier: what is missing is tried again. */
static void gateway_look_again(void *ctx)
{
	struct gateway *gateway = ctx;

	gateway_device_ensure(gateway);
	advertise_again(gateway);
	if (gateway->policy_due)
		gateway_kick(gateway);
	for (struct line *line = gateway->lines; line; line = line->next) {
		peer_start(&line->peer);
		peer_catch_up(&line->peer);
	}
	for (struct tunnel *t = gateway->tunnels; t; t = t->next) {
		if (t->ready && !t->unsure) {
			peer_start(&t->peer);
			peer_catch_up(&t->peer);
			tunnel_revive(t);
			continue;
		}
		tunnel_setup(t);
		if (!t->ready)
			gateway_look_soon(gateway, GATEWAY_DEVICE_RETRY);
	}
}

static void gateway_device_gone(struct gateway *gateway)
{
	log_warning(NULL, "%s was deleted", gateway->config->gateway.name);
	gateway->ifindex = 0;
	gateway_unbind(gateway);
	rtnl_publish_start(gateway->rtnl, 0, GATEWAY_PUBLISH_METRIC);
	gateway_look_soon(gateway, 1000);
}

/* Those of the configured devices that are there. */
static void gateway_ports_apply(struct gateway *gateway)
{
	const struct config_gateway *config = &gateway->config->gateway;
	uint32_t *ifindexes = calloc(config->n_ports + 1, sizeof(*ifindexes));
	struct rtnl_link link;
	size_t n = 0;

	if (!ifindexes) {
		log_error(NULL, "ports: out of memory");
		return;
	}
	for (size_t i = 0; i < config->n_ports; i++)
		if (!rtnl_link_get(gateway->rtnl, config->ports[i], &link))
			ifindexes[n++] = link.ifindex;
	fib_ports(gateway->fib, ifindexes, n);
	free(ifindexes);
}

static void gateway_link(void *ctx, const struct rtnl_link *link, bool present)
{
	struct gateway *gateway = ctx;

	/* A port may have got its name just now, or lost it. */
	if (gateway->config->gateway.n_ports)
		gateway_ports_apply(gateway);
	if (!present && link->ifindex == gateway->ifindex) {
		gateway_device_gone(gateway);
		return;
	}
	if (present && !gateway->ifindex && !strcmp(link->name, gateway->config->gateway.name) &&
	    !strcmp(link->kind, "vgw"))
		gateway_device_ensure(gateway);
	for (struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (!strcmp(t->config->interface, link->name) || t->ifindex == link->ifindex)
			tunnel_link_changed(t, link, present);
	line_link_changed(gateway, link, present);
}

static void gateway_kernel_tunnel(void *ctx, uint32_t ifindex, const struct kernel_tunnel *report)
{
	struct gateway *gateway = ctx;

	if (ifindex == gateway->ifindex)
		gateway_tunnel_row(gateway, report);
}

static void gateway_kernel_gateway(void *ctx, const struct kernel_gateway *kernel)
{
	(void)ctx;
	(void)kernel;
}

static void gateway_kernel_overrun(void *ctx)
{
	struct gateway *gateway = ctx;

	kernel_tunnels_dump(gateway->kernel, gateway->ifindex, gateway_tunnel_row,
			    gateway_tunnels_read, gateway);
}

static void gateway_kernel_lost(void *ctx)
{
	struct gateway *gateway = ctx;

	log_warning(NULL, "the vgw module was removed");
	history_note(gateway, TIMELINE_MODULE_LOST, "", "its tables went with it");
	fib_kernel_lost(gateway->fib);
	gateway->bound = false;
	for (struct tunnel *t = gateway->tunnels; t; t = t->next)
		t->reported = false;
}

static void gateway_kernel_found(void *ctx)
{
	struct gateway *gateway = ctx;

	log_info(NULL, "the vgw module is there");
	history_note(gateway, TIMELINE_MODULE_FOUND, "", "its tables are filled");
	fib_kernel_found(gateway->fib);
	gateway_device_ensure(gateway);
}

static const struct kernel_events kernel_events = {
	.tunnel = gateway_kernel_tunnel,
	.gateway = gateway_kernel_gateway,
	.overrun = gateway_kernel_overrun,
	.lost = gateway_kernel_lost,
	.found = gateway_kernel_found,
};

/* The system table */

static void gateway_routes_synced(void *ctx)
{
	struct gateway *gateway = ctx;

	if (!gateway->routes_synced)
		log_info(NULL, "the system table is read");
	gateway_adopt_lines(gateway);
	gateway->routes_synced = true;
	derive_policy(gateway);
	gateway_peers_start(gateway);
	gateway_kick(gateway);
}

static const struct rtnl_ops rtnl_ops = {
	.route = advertise_route_changed,
	.routes_synced = gateway_routes_synced,
	.link = gateway_link,
	.address_gone = audit_address_gone,
	.published = derive_published,
	.vias = line_vias,
	.owns = line_owns,
};

/* IKE */

/* Only what was there can be lost: attempts that fail are for the log. */
static void gateway_ike_history(struct gateway *gateway, const char *name,
				const struct ike_status *status)
{
	struct tunnel *tunnel = gateway->tunnels;
	bool up = status->state == IKE_INSTALLED;

	while (tunnel && strcmp(tunnel->ike_name, name))
		tunnel = tunnel->next;
	if (!tunnel || tunnel->ike_up == up)
		return;
	tunnel->ike_up = up;
	history_note(gateway, up ? TIMELINE_IKE_UP : TIMELINE_IKE_DOWN, tunnel->config->name,
		     "%s", up ? status->child_cipher : status->last_error);
}

static void gateway_ike_changed(void *ctx, const char *name, const struct ike_status *status)
{
	gateway_ike_history(ctx, name, status);
	if (status->last_error[0] && status->state != IKE_INSTALLED)
		log_warning(name, "IKE %s: %s", ike_state_name(status->state), status->last_error);
	else
		log_info(name, "IKE %s", ike_state_name(status->state));
}

static void gateway_ike_available(void *ctx, bool up)
{
	(void)ctx;
	if (up)
		log_info(NULL, "strongSwan is there");
	else
		log_warning(NULL,
			    "strongSwan is not there: tunnels that are up stay, none is made");
}

static const struct ike_ops ike_ops = {
	.changed = gateway_ike_changed,
	.available = gateway_ike_available,
};

/* BFD */

static const struct bfd_ops bfd_ops = {
	.changed = liveness_changed,
};

/* Settings */

bool gateway_guards_apply(struct gateway *gateway, char *err, size_t size)
{
	const struct config_gateway *config = &gateway->config->gateway;

	return !rtnl_guards_apply(gateway->rtnl, config->guard, config->n_guard, err, size);
}

void gateway_settings_apply(struct gateway *gateway)
{
	const struct config_gateway *config = &gateway->config->gateway;

	const struct kernel_hash hash = {
		.seed = config->hash.seed,
		.idle_ms = config->hash.idle * 1000,
		.fields = config->hash.fields,
	};

	fib_settings(gateway->fib, config->quota, &hash, config->guard, config->n_guard);
	gateway_ports_apply(gateway);
	advertise_policy(gateway);
	derive_policy(gateway);
	log_set_level(gateway->config->log_level);
}

/* Life */

static bool gateway_rtnl(struct gateway *gateway, char *err, size_t size)
{
	const char *vrf = gateway->config->gateway.vrf;

	gateway->table = RT_TABLE_MAIN;
	if (vrf) {
		struct rtnl *probe = rtnl_new(gateway->loop, RT_TABLE_MAIN, &rtnl_ops, gateway);

		gateway->table = probe ? rtnl_vrf_table(probe, vrf) : 0;
		rtnl_free(probe);
	}
	if (!gateway->table) {
		snprintf(err, size, "gateway.vrf: there is no VRF device \"%s\"", vrf);
		return false;
	}
	gateway->rtnl = rtnl_new(gateway->loop, gateway->table, &rtnl_ops, gateway);
	if (!gateway->rtnl)
		snprintf(err, size, "netlink: %s", strerror(errno));
	return gateway->rtnl;
}

int gateway_guards_only(struct loop *loop, struct config *config, char *err, size_t size)
{
	struct gateway gateway = {.loop = loop, .config = config};
	bool ok = gateway_rtnl(&gateway, err, size) && gateway_guards_apply(&gateway, err, size);

	rtnl_free(gateway.rtnl);
	return ok ? 0 : -EIO;
}

/* What an operator forgets: nothing is forwarded, and nobody says so. */
static void gateway_check_forwarding(const struct gateway *gateway)
{
	const struct config *config = gateway->config;
	long on;

	if (config->n_connections && !rtnl_conf_get(4, "all", "forwarding", &on) && !on)
		log_warning(NULL, "net.ipv4.ip_forward is 0: this host forwards no IPv4 packet");
}

static bool gateway_parts(struct gateway *gateway, char *err, size_t size)
{
	struct loop *loop = gateway->loop;

	if (history_init(gateway) || watch_init(gateway)) {
		snprintf(err, size, "out of memory");
		return false;
	}
	gateway->rib = rib_new();
	gateway->drain_timer = loop_timer_new(loop, gateway_drain, gateway);
	gateway->device_timer = loop_timer_new(loop, gateway_look_again, gateway);
	gateway->restart_timer = loop_timer_new(loop, restart_expired, gateway);
	gateway->drained_timer = loop_timer_new(loop, drain_look, gateway);
	gateway->audit_timer = loop_timer_new(loop, audit_fire, gateway);
	gateway->kernel = kernel_genl_new(loop, &kernel_events, gateway);
	if (gateway->kernel)
		gateway->fib = fib_new(loop, gateway->kernel, &derive_fib_ops, gateway);
	gateway->ike = ike_new(loop, NULL, &ike_ops, gateway);
	gateway->bfd = bfd_new(loop, NULL, gateway->config->gateway.name, &bfd_ops, gateway);
	if (gateway->rib && gateway->drain_timer && gateway->device_timer &&
	    gateway->restart_timer && gateway->drained_timer && gateway->audit_timer &&
	    gateway->fib && gateway->ike && gateway->bfd && !advertise_init(gateway))
		return true;
	snprintf(err, size, "out of memory, or no netlink");
	return false;
}

static bool gateway_tunnels(struct gateway *gateway, char *err, size_t size)
{
	const struct config *config = gateway->config;
	struct tunnel **tail = &gateway->tunnels;

	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *connection = &config->connections[i];

		for (size_t k = 0; k < connection->n_tunnels; k++) {
			*tail = tunnel_new(gateway, connection, &connection->tunnels[k]);
			if (!*tail) {
				snprintf(err, size, "out of memory");
				return false;
			}
			tail = &(*tail)->next;
		}
	}
	return true;
}

static bool gateway_lines(struct gateway *gateway, char *err, size_t size)
{
	const struct config_private_line *line;
	struct line **tail = &gateway->lines;

	for (size_t i = 0; (line = config_line_at(gateway->config, i)); i++) {
		*tail = line_new(gateway, line);
		if (!*tail) {
			snprintf(err, size, "out of memory");
			return false;
		}
		tail = &(*tail)->next;
	}
	return true;
}

struct gateway *gateway_new(struct loop *loop, const char *config_path, struct config *config,
			    char *err, size_t size)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	if (!gateway) {
		config_free(config);
		snprintf(err, size, "out of memory");
		return NULL;
	}
	gateway->loop = loop;
	gateway->config = config;
	gateway->config_path = config_path;
	gateway->router_id = gateway_router_id(config);
	gateway->started = loop_now(loop);
	if (!gateway_rtnl(gateway, err, size) || !gateway_guards_apply(gateway, err, size) ||
	    !gateway_parts(gateway, err, size) || !gateway_tunnels(gateway, err, size) ||
	    !gateway_lines(gateway, err, size)) {
		gateway_free(gateway);
		return NULL;
	}
	drain_load(gateway);
	gateway_settings_apply(gateway);
	gateway_check_forwarding(gateway);
	gateway_device_ensure(gateway);
	for (struct tunnel *t = gateway->tunnels; t; t = t->next)
		tunnel_setup(t);
	for (struct line *line = gateway->lines; line; line = line->next)
		line_setup(line);
	gateway_look_soon(gateway, GATEWAY_DEVICE_RETRY);
	audit_start(gateway);
	if (rtnl_follow(gateway->rtnl)) {
		snprintf(err, size, "the system table cannot be followed");
		gateway_free(gateway);
		return NULL;
	}
	return gateway;
}

void gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return;
	/* The end of all is no event of its own. */
	timeline_free(gateway->timeline);
	gateway->timeline = NULL;
	while (gateway->tunnels) {
		struct tunnel *tunnel = gateway->tunnels;

		gateway->tunnels = tunnel->next;
		tunnel_free(tunnel);
	}
	while (gateway->lines) {
		struct line *line = gateway->lines;

		gateway->lines = line->next;
		line_free(line);
	}
	fib_free(gateway->fib);
	kernel_free(gateway->kernel);
	ike_free(gateway->ike);
	bfd_free(gateway->bfd);
	rtnl_free(gateway->rtnl);
	export_free(gateway->export);
	if (gateway->rib)
		rib_free(gateway->rib);
	if (gateway->domain)
		rib_free(gateway->domain);
	attrs_put(gateway->domain_attrs);
	attrs_put(gateway->drained_attrs);
	pmap_clear(&gateway->underlay, NULL);
	pmap_clear(&gateway->connected, NULL);
	pmap_clear(&gateway->domain_told, NULL);
	loop_timer_free(gateway->drain_timer);
	loop_timer_free(gateway->device_timer);
	loop_timer_free(gateway->restart_timer);
	loop_timer_free(gateway->watch_timer);
	loop_timer_free(gateway->drained_timer);
	loop_timer_free(gateway->audit_timer);
	config_free(gateway->config);
	free(gateway);
}
