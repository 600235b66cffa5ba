// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new configuration on a running gateway. The file is read and judged whole
 * before anything changes; a refused change refuses all. Then each object that
 * differs is brought to its new state, and the same file changes nothing: a
 * session, an SA or a route that is the same in both files is not touched.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

struct reload_report {
	void (*report)(void *ctx, const struct config_change *change);
	void *ctx;
	size_t changes;
	char refused[CONFIG_ERROR_STRLEN]; /* the first one */
};

static void reload_count(void *ctx, const struct config_change *change)
{
	struct reload_report *report = ctx;

	report->changes++;
	if (change->kind == CONFIG_REFUSED && !report->refused[0])
		snprintf(report->refused, sizeof(report->refused), "%s %s: %s", change->object,
			 change->name, change->detail);
	if (report->report)
		report->report(report->ctx, change);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* What only a new session can have, by its key; the rest is for peer_retune(). NULL: the same. */
static const char *bgp_differs(const struct config_bgp *a, const struct config_bgp *b)
{
	if (!a || !b)
		return a == b ? NULL : "bgp";
	if (a->hold_time != b->hold_time)
		return "bgp.hold-time";
	if (a->keepalive != b->keepalive)
		return "bgp.keepalive";
	if (a->gtsm != b->gtsm)
		return "bgp.gtsm";
	if (a->ttl != b->ttl)
		return "bgp.ttl";
	if (a->ipv4 != b->ipv4)
		return "bgp.ipv4";
	if (a->ipv6 != b->ipv6)
		return "bgp.ipv6";
	if (a->tcp_mss != b->tcp_mss)
		return "bgp.tcp-mss";
	if (a->extended_messages != b->extended_messages)
		return "bgp.extended-messages";
	if (a->graceful_notification != b->graceful_notification)
		return "bgp.graceful-notification";
	return same_text(a->md5_file, b->md5_file) ? NULL : "bgp.md5-file";
}

/* The device below has to be another one. NULL: it stays. */
static const char *device_differs(const struct config_tunnel *a, const struct config_tunnel *b)
{
	if (strcmp(a->interface, b->interface))
		return "interface";
	if (a->if_id != b->if_id)
		return "if-id";
	if (!same_text(a->underlay, b->underlay))
		return "underlay";
	if (!prefix_equal(&a->inside, &b->inside))
		return "inside-cidr";
	if (!addr_equal(&a->inside_address, &b->inside_address))
		return "inside-address";
	return !a->ike == !b->ike ? NULL : "ike";
}

/* Of the gateway itself, for every session. */
static const char *settings_differ(const struct config *old, const struct config *new)
{
	if (old->gateway.local_asn != new->gateway.local_asn)
		return "gateway.local-asn";
	if (old->gateway.restart_time != new->gateway.restart_time)
		return "gateway.graceful-restart.restart-time";
	return gateway_router_id(old) != gateway_router_id(new) ? "gateway.router-id" : NULL;
}

static const char *session_differs(const struct config *old, const struct config *new,
				   const struct config_connection *a,
				   const struct config_connection *b)
{
	const char *reason;

	if (!a->bgp && !b->bgp)
		return NULL;
	if (a->customer_gateway->asn != b->customer_gateway->asn)
		return "the customer gateway's asn";
	if (a->customer_gateway->site_id != b->customer_gateway->site_id)
		return "the customer gateway's site";
	reason = settings_differ(old, new);
	return reason ? reason : bgp_differs(a->bgp, b->bgp);
}

static const char *line_differs(const struct config *old, const struct config *new,
				const struct config_private_line *a,
				const struct config_private_line *b)
{
	const char *reason;

	if (strcmp(a->interface, b->interface))
		return "interface";
	if (!addr_equal(&a->local_address, &b->local_address))
		return "local-address";
	if (!addr_equal(&a->peer_address, &b->peer_address))
		return "peer-address";
	if (a->asn != b->asn)
		return "asn";
	if (a->transit != b->transit)
		return "kind";
	if (a->site_id != b->site_id)
		return "site";
	reason = settings_differ(old, new);
	return reason ? reason : bgp_differs(a->bgp, b->bgp);
}

const char *reload_resets(const struct config *old, const struct config *new, const char *tunnel)
{
	struct config_connection *a, *b;
	const struct config_tunnel *was = config_tunnel_find(old, tunnel, &a);
	const struct config_tunnel *is = config_tunnel_find(new, tunnel, &b);
	const char *reason;

	if (!was || !a->bgp)
		return NULL;
	if (!is)
		return "the tunnel";
	reason = device_differs(was, is);
	return reason ? reason : session_differs(old, new, a, b);
}

const char *reload_resets_line(const struct config *old, const struct config *new,
			       const char *line)
{
	const struct config_private_line *was = config_line_find(old, line);
	const struct config_private_line *is = config_line_find(new, line);

	if (!was)
		return NULL;
	if (is)
		return line_differs(old, new, was, is);
	return was->transit ? "the transit peer" : "the private line";
}

static struct tunnel *tunnel_by_name(const struct gateway *gateway, const char *name)
{
	for (struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (!strcmp(t->config->name, name))
			return t;
	return NULL;
}

static void tunnel_unlink(struct gateway *gateway, struct tunnel *tunnel)
{
	struct tunnel **link = &gateway->tunnels;

	while (*link != tunnel)
		link = &(*link)->next;
	*link = tunnel->next;
}

/* Tunnels that are gone, or whose device must be another, leave while the old tree is there. */
static void reload_remove(struct gateway *gateway, const struct config *new)
{
	struct tunnel *tunnel = gateway->tunnels, *next;

	for (; tunnel; tunnel = next) {
		const struct config_tunnel *wanted =
			config_tunnel_find(new, tunnel->config->name, NULL);

		next = tunnel->next;
		if (wanted && !device_differs(tunnel->config, wanted))
			continue;
		tunnel_unlink(gateway, tunnel);
		tunnel_remove(tunnel);
	}
}

static void reload_tunnel(struct gateway *gateway, const struct config *old,
			  const struct config_connection *connection,
			  const struct config_tunnel *config)
{
	struct tunnel *tunnel = tunnel_by_name(gateway, config->name), **tail = &gateway->tunnels;
	bool keep;

	if (!tunnel) {
		tunnel = tunnel_new(gateway, connection, config);
		if (!tunnel) {
			log_error(config->name, "out of memory, the tunnel is not set up");
			return;
		}
		while (*tail)
			tail = &(*tail)->next;
		*tail = tunnel;
		return;
	}
	keep = !session_differs(old, gateway->config, tunnel->connection, connection);
	if (!keep)
		peer_destroy(&tunnel->peer, SESSION_CEASE_CONFIG_CHANGE, "configuration changed");
	tunnel->config = config;
	tunnel->connection = connection;
	if (!keep && peer_create(&tunnel->peer))
		log_error(config->name, "out of memory, no BGP session");
	else if (tunnel->peer.source)
		rib_source_set_weight(tunnel->peer.source, config->weight);
	if (keep)
		peer_retune(&tunnel->peer);
}

static void reload_tunnels(struct gateway *gateway, const struct config *old)
{
	const struct config *config = gateway->config;

	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *connection = &config->connections[i];

		for (size_t k = 0; k < connection->n_tunnels; k++)
			reload_tunnel(gateway, old, connection, &connection->tunnels[k]);
	}
}

/* Lines that are gone or must be made anew leave; the others get their new values. */
static void reload_lines_old(struct gateway *gateway, const struct config *old,
			     const struct config *new)
{
	struct line **link = &gateway->lines;

	while (*link) {
		const struct config_private_line *wanted =
			config_line_find(new, (*link)->config->name);
		struct line *line = *link;

		if (wanted && !line_differs(old, new, line->config, wanted)) {
			line->config = wanted;
			peer_retune(&line->peer);
			link = &line->next;
			continue;
		}
		*link = line->next;
		line_remove(line);
	}
}

static void reload_lines(struct gateway *gateway)
{
	struct line **tail = &gateway->lines;
	const struct config_private_line *line;

	while (*tail)
		tail = &(*tail)->next;
	for (size_t i = 0; (line = config_line_at(gateway->config, i)); i++) {
		if (line_by_name(gateway, line->name))
			continue;
		*tail = line_new(gateway, line);
		if (*tail)
			tail = &(*tail)->next;
		else
			log_error(line->name, "out of memory, it is not set up");
	}
	/* A place in the file is a metric. */
	for (struct line *at = gateway->lines; at; at = at->next)
		rib_source_touch(at->peer.source);
}

/* What depends on the switch of rule 20, or on which paths count. */
static void reload_publish(struct gateway *gateway)
{
	/* Of a million paths, in steps. */
	for (struct peer *peer = gateway->peers; peer; peer = peer->next)
		if (peer->source)
			rib_source_touch(peer->source);
}

static void reload_apply(struct gateway *gateway, struct config *new)
{
	struct config *old = gateway->config;
	char err[CONFIG_ERROR_STRLEN];
	bool publish = old->gateway.auto_advertise != new->gateway.auto_advertise;
	int ret;

	reload_remove(gateway, new);
	reload_lines_old(gateway, old, new);
	gateway->config = new;
	gateway->router_id = gateway_router_id(new);
	/* Sessions that start from here on are no restart. */
	gateway->kept_forwarding = gateway->kept_forwarding && restart_deferring(gateway);
	reload_tunnels(gateway, old);
	reload_lines(gateway);
	/* Also of a tunnel that got another device; those that are gone are forgotten. */
	drain_load(gateway);
	ret = drain_save(gateway);
	if (ret)
		log_warning("reload", "a restart will forget which tunnels are drained: %s",
			    strerror(-ret));
	drain_watch(gateway);
	if (!gateway_guards_apply(gateway, err, sizeof(err)))
		log_error("reload", "%s", err);
	gateway_settings_apply(gateway);
	for (struct tunnel *t = gateway->tunnels; t; t = t->next)
		tunnel_setup(t);
	for (struct line *line = gateway->lines; line; line = line->next)
		line_setup(line);
	derive_statics_dirty(gateway, old);
	derive_statics_dirty(gateway, new);
	if (publish)
		reload_publish(gateway);
	gateway_kick(gateway);
	config_free(old);
}

static void reload_tell_reset(struct reload_report *report, const char *name, const char *reason,
			      bool stays)
{
	struct config_change change = {.kind = CONFIG_RESET, .object = "session"};

	if (!reason)
		return;
	snprintf(change.name, sizeof(change.name), "%s", name);
	snprintf(change.detail, sizeof(change.detail), "%s %s", reason, stays ? "changes" : "goes");
	report->report(report->ctx, &change);
}

/* Which sessions end, and the value that makes it necessary. */
static void reload_tell_resets(const struct gateway *gateway, const struct config *new,
			       struct reload_report *report)
{
	const struct config *old = gateway->config;

	if (!report->report)
		return;
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next) {
		const char *name = t->config->name;

		reload_tell_reset(report, name, reload_resets(old, new, name),
				  config_tunnel_find(new, name, NULL));
	}
	for (const struct line *line = gateway->lines; line; line = line->next) {
		const char *name = line->config->name;

		reload_tell_reset(report, name, reload_resets_line(old, new, name),
				  config_line_find(new, name));
	}
}

int gateway_reload(struct gateway *gateway, bool dry_run,
		   void (*report)(void *ctx, const struct config_change *change), void *ctx,
		   char *err, size_t size)
{
	struct reload_report summary = {.report = report, .ctx = ctx};
	struct config_errors errors = {0};
	struct config *new = config_load(gateway->config_path, &errors);

	if (!new) {
		config_error_format(gateway->config_path, &errors.list[0], err, size);
		for (size_t i = 0; i < errors.n; i++) {
			char line[CONFIG_ERROR_STRLEN];

			log_error("reload", "%s",
				  config_error_format(gateway->config_path, &errors.list[i], line,
						      sizeof(line)));
		}
		config_errors_free(&errors);
		return -EINVAL;
	}
	if (config_diff(gateway->config, new, reload_count, &summary)) {
		snprintf(err, size, "%s", summary.refused);
		config_free(new);
		return -EOPNOTSUPP;
	}
	reload_tell_resets(gateway, new, &summary);
	if (dry_run || !summary.changes) {
		config_free(new);
		return 0;
	}
	log_info("reload", "%zu changes", summary.changes);
	reload_apply(gateway, new);
	return 0;
}
