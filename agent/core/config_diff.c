// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a reload would change. Objects are the same when they have the same
 * name (static routes: prefix and target, policy routes: priority and source, too;
 * prefixes of a list: themselves);
 * their values are compared by tables, one report per value that differs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/config_private.h"
#include "core/profile.h"

#define VALUE_SIZE 50 /* of a value in a report: two of them and the key fit */

enum field_type {
	FIELD_TEXT,
	FIELD_BOOL,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32, /* enums too */
	FIELD_ADDR,
	FIELD_PREFIX,
};

struct field {
	const char *key;
	size_t offset;
	enum field_type type;
	const char *const *names; /* of the values, instead of numbers */
	const char *code, *reason; /* set: a change is refused */
};

/* The type follows from the member, so that it cannot be another one. */
#define FIELD(object, member, name, ...) \
	{ \
		.key = name, .offset = offsetof(struct object, member), \
		.type = _Generic(((struct object *)NULL)->member, \
				 char *: FIELD_TEXT, \
				 bool: FIELD_BOOL, \
				 uint8_t: FIELD_U8, \
				 uint16_t: FIELD_U16, \
				 unsigned int: FIELD_U32, \
				 struct addr: FIELD_ADDR, \
				 struct prefix: FIELD_PREFIX), \
		__VA_ARGS__ \
	}
#define NAMES(list) .names = list
#define AT_START .code = "RESTART_REQUIRED", .reason = "is taken when the agent starts: restart it"
#define IMMUTABLE \
	.code = "IMMUTABLE", \
	.reason = "is fixed for the life of a customer gateway: add a new one and move the " \
		  "connections to it"

static const struct field top_fields[] = {
	FIELD(config, log_level, "log", NAMES(log_level_names)),
	{ .key = NULL },
};

static const struct field control_fields[] = {
	FIELD(config, control_socket, "socket", AT_START),
	FIELD(config, control_group, "group", AT_START),
	{ .key = NULL },
};

static const struct field gateway_fields[] = {
	FIELD(config_gateway, name, "name", AT_START),
	FIELD(config_gateway, router_id, "router-id"),
	FIELD(config_gateway, attachment, "attachment", NAMES(config_attachment_names)),
	FIELD(config_gateway, vrf, "vrf", AT_START),
	FIELD(config_gateway, quota, "quota"),
	FIELD(config_gateway, auto_advertise, "auto-advertise"),
	FIELD(config_gateway, overlap_allow, "overlap", NAMES(config_overlap_names)),
	FIELD(config_gateway, reserved_strict, "reserved", NAMES(config_reserved_names)),
	FIELD(config_gateway, profile, "profile", NAMES(config_profile_names)),
	FIELD(config_gateway, hash.seed, "hash.seed"),
	FIELD(config_gateway, hash.fields, "hash.fields", NAMES(config_hash_fields_names)),
	FIELD(config_gateway, hash.idle, "hash.idle"),
	FIELD(config_gateway, restart_time, "graceful-restart.restart-time"),
	FIELD(config_gateway, force, "force"),
	{ .key = NULL },
};

static const struct field transit_fields[] = {
	FIELD(config, transit_overlapping, "overlapping-routing"),
	FIELD(config, transit_quota, "quota"),
	{ .key = NULL },
};

static const struct field customer_gateway_fields[] = {
	FIELD(config_customer_gateway, address, "address", IMMUTABLE),
	FIELD(config_customer_gateway, asn, "asn", IMMUTABLE),
	FIELD(config_customer_gateway, site, "site"),
	FIELD(config_customer_gateway, profile, "profile", NAMES(config_profile_names)),
	FIELD(config_customer_gateway, description, "description"),
	{ .key = NULL },
};

/* A number that was never given has met no peer yet. */
static const struct field customer_gateway_fields_no_asn[] = {
	FIELD(config_customer_gateway, address, "address", IMMUTABLE),
	FIELD(config_customer_gateway, asn, "asn"),
	FIELD(config_customer_gateway, site, "site"),
	FIELD(config_customer_gateway, profile, "profile", NAMES(config_profile_names)),
	FIELD(config_customer_gateway, description, "description"),
	{ .key = NULL },
};

static const struct field connection_fields[] = {
	FIELD(config_connection, routing, "routing", NAMES(config_routing_names)),
	FIELD(config_connection, transit_allow, "transit", NAMES(config_transit_names)),
	FIELD(config_connection, source_check, "source-check", NAMES(config_source_check_names)),
	{ .key = NULL },
};

static const struct field bgp_fields[] = {
	FIELD(config_bgp, hold_time, "bgp.hold-time"),
	FIELD(config_bgp, keepalive, "bgp.keepalive"),
	FIELD(config_bgp, connect_retry, "bgp.connect-retry"),
	FIELD(config_bgp, passive, "bgp.passive"),
	FIELD(config_bgp, gtsm, "bgp.gtsm"),
	FIELD(config_bgp, ttl, "bgp.ttl"),
	FIELD(config_bgp, md5_file, "bgp.md5-file"),
	FIELD(config_bgp, ipv4, "bgp.ipv4"),
	FIELD(config_bgp, ipv6, "bgp.ipv6"),
	FIELD(config_bgp, send_hold, "bgp.send-hold"),
	FIELD(config_bgp, delay_open, "bgp.delay-open"),
	FIELD(config_bgp, idle_hold_max, "bgp.idle-hold-max"),
	FIELD(config_bgp, tcp_mss, "bgp.tcp-mss"),
	FIELD(config_bgp, extended_messages, "bgp.extended-messages"),
	FIELD(config_bgp, graceful_notification, "bgp.graceful-notification"),
	{ .key = NULL },
};

static const struct field bfd_fields[] = {
	FIELD(config_bfd, transmit, "bfd.transmit"),
	FIELD(config_bfd, receive, "bfd.receive"),
	FIELD(config_bfd, multiplier, "bfd.multiplier"),
	FIELD(config_bfd, strict, "bfd.strict"),
	FIELD(config_bfd, local_port, "bfd.local-port"),
	{ .key = NULL },
};

static const struct field health_fields[] = {
	FIELD(config_health, source, "health-check.source"),
	FIELD(config_health, destination, "health-check.destination"),
	FIELD(config_health, interval, "health-check.interval"),
	FIELD(config_health, retries, "health-check.retries"),
	FIELD(config_health, recover, "health-check.recover"),
	{ .key = NULL },
};

static const struct field tunnel_fields[] = {
	FIELD(config_tunnel, inside, "inside-cidr"),
	FIELD(config_tunnel, inside_address, "inside-address"),
	FIELD(config_tunnel, interface, "interface"),
	FIELD(config_tunnel, if_id, "if-id"),
	FIELD(config_tunnel, underlay, "underlay"),
	FIELD(config_tunnel, local_address, "local-address"),
	FIELD(config_tunnel, remote_address, "remote-address"),
	FIELD(config_tunnel, weight, "weight"),
	{ .key = NULL },
};

static const struct field private_line_fields[] = {
	FIELD(config_private_line, site, "site"),
	FIELD(config_private_line, asn, "asn"),
	FIELD(config_private_line, interface, "interface"),
	FIELD(config_private_line, local_address, "local-address"),
	FIELD(config_private_line, peer_address, "peer-address"),
	FIELD(config_private_line, behind_tunnels, "preference", NAMES(config_preference_names)),
	{ .key = NULL },
};

static const struct field transit_peer_fields[] = {
	FIELD(config_private_line, asn, "asn"),
	FIELD(config_private_line, interface, "interface"),
	FIELD(config_private_line, local_address, "local-address"),
	FIELD(config_private_line, peer_address, "peer-address"),
	{ .key = NULL },
};

static const struct field ike_fields[] = {
	FIELD(config_ike, psk_file, "ike.psk-file"),
	FIELD(config_ike, proposals, "ike.proposals"),
	FIELD(config_ike, esp_proposals, "ike.esp-proposals"),
	FIELD(config_ike, local_id, "ike.local-id"),
	FIELD(config_ike, remote_id, "ike.remote-id"),
	FIELD(config_ike, dpd_delay, "ike.dpd-delay"),
	FIELD(config_ike, rekey_time, "ike.rekey-time"),
	FIELD(config_ike, child_rekey_time, "ike.child-rekey-time"),
	FIELD(config_ike, initiate, "ike.initiate"),
	FIELD(config_ike, encap, "ike.encap"),
	FIELD(config_ike, version, "ike.version"),
	{ .key = NULL },
};

static const struct field static_route_fields[] = {
	FIELD(config_static_route, weight, "weight"),
	FIELD(config_static_route, on_fail, "on-fail", NAMES(config_on_fail_names)),
	{ .key = NULL },
};

static const struct field policy_route_fields[] = {
	FIELD(config_policy_route, sequence, "sequence"),
	FIELD(config_policy_route, to.weight, "weight"),
	FIELD(config_policy_route, to.on_fail, "on-fail", NAMES(config_on_fail_names)),
	{ .key = NULL },
};

struct diff {
	const struct config *old;
	struct config *new;
	void (*report)(void *ctx, const struct config_change *change);
	void *ctx;
	size_t refused;
};

static void report(struct diff *d, enum config_change_kind kind, const char *object,
		   const char *name, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

static void report(struct diff *d, enum config_change_kind kind, const char *object,
		   const char *name, const char *code, const char *fmt, ...)
{
	struct config_change change = { .kind = kind, .object = object, .code = code };
	va_list args;

	snprintf(change.name, sizeof(change.name), "%s", name);
	va_start(args, fmt);
	vsnprintf(change.detail, sizeof(change.detail), fmt, args);
	va_end(args);
	d->refused += kind == CONFIG_REFUSED;
	if (d->report)
		d->report(d->ctx, &change);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static uint32_t number(const struct field *field, const void *value)
{
	switch (field->type) {
	case FIELD_BOOL:
		return *(const bool *)value;
	case FIELD_U8:
		return *(const uint8_t *)value;
	case FIELD_U16:
		return *(const uint16_t *)value;
	default:
		return *(const uint32_t *)value;
	}
}

static bool same(const struct field *field, const void *a, const void *b)
{
	switch (field->type) {
	case FIELD_TEXT:
		return same_text(*(char *const *)a, *(char *const *)b);
	case FIELD_ADDR:
		return addr_equal(a, b);
	case FIELD_PREFIX:
		return prefix_equal(a, b);
	default:
		return number(field, a) == number(field, b);
	}
}

static const char *format(const struct field *field, const void *value, char *buf, size_t size)
{
	const char *text;

	switch (field->type) {
	case FIELD_TEXT:
		/* Half a character at the cut would make the whole report unprintable. */
		text = *(char *const *)value;
		return text ? log_escape((const uint8_t *)text, strlen(text), buf, size) : "none";
	case FIELD_ADDR:
		return addr_format(value, buf, size);
	case FIELD_PREFIX:
		return prefix_format(value, buf, size);
	case FIELD_BOOL:
		if (!field->names)
			return number(field, value) ? "true" : "false";
		return field->names[number(field, value)];
	default:
		if (field->names)
			return field->names[number(field, value)];
		snprintf(buf, size, "%u", number(field, value));
		return buf;
	}
}

static void diff_fields(struct diff *d, const char *object, const char *name,
			const struct field *field, const void *old, const void *new)
{
	char before[VALUE_SIZE], after[VALUE_SIZE];

	for (; field->key; field++) {
		const char *a = (const char *)old + field->offset;
		const char *b = (const char *)new + field->offset;

		if (same(field, a, b))
			continue;
		if (field->code)
			report(d, CONFIG_REFUSED, object, name, field->code, "%s %s", field->key,
			       field->reason);
		else
			report(d, CONFIG_CHANGED, object, name, NULL, "%s %s -> %s", field->key,
			       format(field, a, before, sizeof(before)),
			       format(field, b, after, sizeof(after)));
	}
}

/* A section that is there or not, then its values. */
static void diff_section(struct diff *d, const char *object, const char *name, const char *section,
			 const struct field *fields, const void *old, const void *new)
{
	if (old && new)
		diff_fields(d, object, name, fields, old, new);
	else if (old || new)
		report(d, CONFIG_CHANGED, object, name, NULL, "%s %s", section,
		       new ? "off -> on" : "on -> off");
}

/* The gateway */

static bool runs_bgp(const struct config *config)
{
	for (size_t i = 0; i < config->n_connections; i++)
		if (config->connections[i].bgp)
			return true;
	return config->n_private_lines || config->n_transit_peers;
}

/* Rule 17: the number belongs to all sessions at once. */
static void diff_local_asn(struct diff *d)
{
	const struct config_gateway *old = &d->old->gateway, *new = &d->new->gateway;

	if (old->local_asn == new->local_asn)
		return;
	if (runs_bgp(d->old) && runs_bgp(d->new))
		report(d, CONFIG_REFUSED, "gateway", new->name, "LOCAL_ASN_MISMATCH",
		       "local-asn %u -> %u: sessions of one gateway share one number; take "
		       "\"bgp\" off every connection first, or restart the agent",
		       old->local_asn, new->local_asn);
	else
		report(d, CONFIG_CHANGED, "gateway", new->name, NULL, "local-asn %u -> %u",
		       old->local_asn, new->local_asn);
}

static bool listed(const struct prefix *prefix, const struct prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_equal(prefix, &list[i]))
			return true;
	return false;
}

static void diff_prefixes(struct diff *d, const char *key, const struct prefix *old, size_t n_old,
			  const struct prefix *new, size_t n_new)
{
	const char *name = d->new->gateway.name;
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < n_old; i++)
		if (!listed(&old[i], new, n_new))
			report(d, CONFIG_CHANGED, "gateway", name, NULL, "%s without %s", key,
			       prefix_format(&old[i], text, sizeof(text)));
	for (size_t i = 0; i < n_new; i++)
		if (!listed(&new[i], old, n_old))
			report(d, CONFIG_CHANGED, "gateway", name, NULL, "%s with %s", key,
			       prefix_format(&new[i], text, sizeof(text)));
}

static bool named(const char *name, const struct config_gateway *gw)
{
	for (size_t i = 0; i < gw->n_ports; i++)
		if (!strcmp(gw->ports[i], name))
			return true;
	return false;
}

static void diff_ports(struct diff *d, const struct config_gateway *old,
		       const struct config_gateway *new)
{
	for (size_t i = 0; i < old->n_ports; i++)
		if (!named(old->ports[i], new))
			report(d, CONFIG_CHANGED, "gateway", new->name, NULL, "ports without %s",
			       old->ports[i]);
	for (size_t i = 0; i < new->n_ports; i++)
		if (!named(new->ports[i], old))
			report(d, CONFIG_CHANGED, "gateway", new->name, NULL, "ports with %s",
			       new->ports[i]);
}

static void diff_gateway(struct diff *d)
{
	const struct config_gateway *old = &d->old->gateway, *new = &d->new->gateway;

	diff_fields(d, "log", "", top_fields, d->old, d->new);
	/* Another name brings another socket along; that is not what was asked for. */
	if (same_text(old->name, new->name))
		diff_fields(d, "control", "", control_fields, d->old, d->new);
	diff_local_asn(d);
	diff_fields(d, "gateway", new->name, gateway_fields, old, new);
	diff_prefixes(d, "guard", old->guard, old->n_guard, new->guard, new->n_guard);
	diff_ports(d, old, new);
	diff_prefixes(d, "protected", old->protected, old->n_protected, new->protected,
		      new->n_protected);
}

/* Customer gateways */

static struct config_customer_gateway *find_customer(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_customer_gateways; i++)
		if (!strcmp(config->customer_gateways[i].name, name))
			return &config->customer_gateways[i];
	return NULL;
}

static bool same_device(const struct config_customer_gateway *a,
			const struct config_customer_gateway *b)
{
	return addr_equal(&a->address, &b->address) && a->asn == b->asn;
}

/* The same device under a name that the other tree does not have (rule 45 allows a new name). */
static const struct config_customer_gateway *find_renamed(const struct config *config,
							  const struct config_customer_gateway *cg,
							  const struct config *other)
{
	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		const struct config_customer_gateway *c = &config->customer_gateways[i];

		if (same_device(c, cg))
			return find_customer(other, c->name) ? NULL : c;
	}
	return NULL;
}

static void diff_customer_gateway(struct diff *d, const struct config_customer_gateway *new)
{
	const struct config_customer_gateway *old = find_customer(d->old, new->name);

	if (!old) {
		old = find_renamed(d->old, new, d->new);
		if (!old) {
			report(d, CONFIG_ADDED, "customer-gateway", new->name, NULL, "%s", "");
			return;
		}
		report(d, CONFIG_CHANGED, "customer-gateway", new->name, NULL, "name %s -> %s",
		       old->name, new->name);
	}
	diff_fields(d, "customer-gateway", new->name,
		    old->asn ? customer_gateway_fields : customer_gateway_fields_no_asn, old, new);
}

static void diff_customer_gateways(struct diff *d)
{
	for (size_t i = 0; i < d->old->n_customer_gateways; i++) {
		const struct config_customer_gateway *old = &d->old->customer_gateways[i];

		if (!find_customer(d->new, old->name) && !find_renamed(d->new, old, d->old))
			report(d, CONFIG_REMOVED, "customer-gateway", old->name, NULL, "%s", "");
	}
	for (size_t i = 0; i < d->new->n_customer_gateways; i++)
		diff_customer_gateway(d, &d->new->customer_gateways[i]);
}

/* Connections and tunnels */

static struct config_connection *find_connection(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_connections; i++)
		if (!strcmp(config->connections[i].name, name))
			return &config->connections[i];
	return NULL;
}

/* The peer was told the block, and nobody asked for another one. */
static void diff_auto(struct diff *d, const struct config_tunnel *old,
		      const struct config_tunnel *new)
{
	char was[PREFIX_STRLEN], is[PREFIX_STRLEN];

	if (!old->inside_auto || !new->inside_auto || prefix_equal(&old->inside, &new->inside))
		return;
	prefix_format(&old->inside, was, sizeof(was));
	report(d, CONFIG_REFUSED, "tunnel", new->name, "INSIDE_MOVED",
	       "inside-cidr auto would move to %s, the peer has %s: write inside-cidr: %s",
	       prefix_format(&new->inside, is, sizeof(is)), was, was);
}

static void diff_tunnel(struct diff *d, const struct config_connection *connection,
			const struct config_tunnel *new)
{
	struct config_connection *was = NULL;
	const struct config_tunnel *old = config_tunnel_find(d->old, new->name, &was);

	if (!old) {
		report(d, CONFIG_ADDED, "tunnel", new->name, NULL, "connection %s",
		       connection->name);
		return;
	}
	if (strcmp(was->name, connection->name))
		report(d, CONFIG_CHANGED, "tunnel", new->name, NULL, "connection %s -> %s",
		       was->name, connection->name);
	diff_auto(d, old, new);
	diff_fields(d, "tunnel", new->name, tunnel_fields, old, new);
	diff_section(d, "tunnel", new->name, "ike", ike_fields, old->ike, new->ike);
	diff_section(d, "tunnel", new->name, "health-check", health_fields, old->health,
		     new->health);
}

static void diff_connection(struct diff *d, const struct config_connection *new)
{
	const struct config_connection *old = find_connection(d->old, new->name);

	if (!old) {
		report(d, CONFIG_ADDED, "connection", new->name, NULL, "customer-gateway %s",
		       new->customer_gateway->name);
		return;
	}
	if (strcmp(old->customer_gateway->name, new->customer_gateway->name) &&
	    !same_device(old->customer_gateway, new->customer_gateway))
		report(d, CONFIG_CHANGED, "connection", new->name, NULL,
		       "customer-gateway %s -> %s", old->customer_gateway->name,
		       new->customer_gateway->name);
	diff_fields(d, "connection", new->name, connection_fields, old, new);
	diff_section(d, "connection", new->name, "bgp", bgp_fields, old->bgp, new->bgp);
	diff_section(d, "connection", new->name, "bfd", bfd_fields, old->bfd, new->bfd);
}

static void diff_removed(struct diff *d, const struct config_connection *old)
{
	for (size_t i = 0; i < old->n_tunnels; i++)
		if (!config_tunnel_find(d->new, old->tunnels[i].name, NULL))
			report(d, CONFIG_REMOVED, "tunnel", old->tunnels[i].name, NULL,
			       "connection %s", old->name);
	if (!find_connection(d->new, old->name))
		report(d, CONFIG_REMOVED, "connection", old->name, NULL, "customer-gateway %s",
		       old->customer_gateway->name);
}

static void diff_connections(struct diff *d)
{
	for (size_t i = 0; i < d->old->n_connections; i++)
		diff_removed(d, &d->old->connections[i]);
	for (size_t i = 0; i < d->new->n_connections; i++) {
		const struct config_connection *new = &d->new->connections[i];

		diff_connection(d, new);
		for (size_t j = 0; j < new->n_tunnels; j++)
			diff_tunnel(d, new, &new->tunnels[j]);
	}
}

/* Private lines and transit peers */

static const char *line_object(const struct config_private_line *line)
{
	return line->transit ? "transit-peer" : "private-line";
}

/* Of the same kind: with the other one it has the name alone in common. */
static const struct config_private_line *find_line(const struct config *config,
						   const struct config_private_line *line)
{
	const struct config_private_line *found = config_line_find(config, line->name);

	return found && found->transit == line->transit ? found : NULL;
}

static void report_line(struct diff *d, enum config_change_kind kind,
			const struct config_private_line *line)
{
	if (line->transit)
		report(d, kind, line_object(line), line->name, NULL, "AS %u", line->asn);
	else
		report(d, kind, line_object(line), line->name, NULL, "site %s", line->site);
}

static void diff_line(struct diff *d, const struct config_private_line *new)
{
	const struct config_private_line *old = find_line(d->old, new);
	const char *object = line_object(new);

	if (!old) {
		report_line(d, CONFIG_ADDED, new);
		return;
	}
	diff_fields(d, object, new->name,
		    new->transit ? transit_peer_fields : private_line_fields, old, new);
	diff_section(d, object, new->name, "bgp", bgp_fields, old->bgp, new->bgp);
	diff_section(d, object, new->name, "bfd", bfd_fields, old->bfd, new->bfd);
}

static void diff_lines(struct diff *d)
{
	const struct config_private_line *line;

	for (size_t i = 0; (line = config_line_at(d->old, i)); i++)
		if (!find_line(d->new, line))
			report_line(d, CONFIG_REMOVED, line);
	for (size_t i = 0; (line = config_line_at(d->new, i)); i++)
		diff_line(d, line);
}

/* Static routes */

static const char *target(const struct config_static_route *route)
{
	return route->tunnel ? route->tunnel->name : route->connection->name;
}

static bool same_route(const struct config_static_route *a, const struct config_static_route *b)
{
	return prefix_equal(&a->prefix, &b->prefix) && !a->tunnel == !b->tunnel &&
	       !strcmp(target(a), target(b));
}

/* From the place where it stood: in files that hardly differ the search ends at once. */
static const struct config_static_route *
find_route(const struct config *config, const struct config_static_route *route, size_t hint)
{
	size_t n = config->n_static_routes;

	for (size_t k = 0; k < n; k++)
		if (same_route(&config->static_routes[(hint + k) % n], route))
			return &config->static_routes[(hint + k) % n];
	return NULL;
}

static void diff_static_route(struct diff *d, const struct config_static_route *old,
			      const struct config_static_route *new)
{
	const struct config_static_route *route = new ? new : old;
	char name[sizeof(((struct config_change *)NULL)->name)], text[PREFIX_STRLEN];

	prefix_format(&route->prefix, text, sizeof(text));
	snprintf(name, sizeof(name), "%s via %s", text, target(route));
	if (old && new)
		diff_fields(d, "static-route", name, static_route_fields, old, new);
	else
		report(d, new ? CONFIG_ADDED : CONFIG_REMOVED, "static-route", name, NULL,
		       "%s, weight %u", route->tunnel ? "tunnel" : "connection", route->weight);
}

static void diff_static_routes(struct diff *d)
{
	for (size_t i = 0; i < d->old->n_static_routes; i++)
		if (!find_route(d->new, &d->old->static_routes[i], i))
			diff_static_route(d, &d->old->static_routes[i], NULL);
	for (size_t i = 0; i < d->new->n_static_routes; i++) {
		const struct config_static_route *new = &d->new->static_routes[i];

		diff_static_route(d, find_route(d->old, new, i), new);
	}
}

/* Policy routes */

static const struct config_policy_route *find_policy(const struct config *config,
						     const struct config_policy_route *policy,
						     size_t hint)
{
	size_t n = config->n_policy_routes;

	for (size_t k = 0; k < n; k++) {
		const struct config_policy_route *one = &config->policy_routes[(hint + k) % n];

		if (one->priority == policy->priority &&
		    prefix_equal(&one->source, &policy->source) &&
		    same_route(&one->to, &policy->to))
			return one;
	}
	return NULL;
}

static void diff_policy_route(struct diff *d, const struct config_policy_route *old,
			      const struct config_policy_route *new)
{
	const struct config_policy_route *policy = new ? new : old;
	char name[sizeof(((struct config_change *)NULL)->name)];
	char source[PREFIX_STRLEN], destination[PREFIX_STRLEN];

	prefix_format(&policy->source, source, sizeof(source));
	prefix_format(&policy->to.prefix, destination, sizeof(destination));
	if (snprintf(name, sizeof(name), "%s from %s via %s", destination, source,
		     target(&policy->to)) >= (int)sizeof(name))
		strcpy(name + sizeof(name) - 4, "...");
	if (old && new)
		diff_fields(d, "policy-route", name, policy_route_fields, old, new);
	else
		report(d, new ? CONFIG_ADDED : CONFIG_REMOVED, "policy-route", name, NULL,
		       "priority %u, %s, weight %u", policy->priority,
		       policy->to.tunnel ? "tunnel" : "connection", policy->to.weight);
}

static void diff_policy_routes(struct diff *d)
{
	for (size_t i = 0; i < d->old->n_policy_routes; i++)
		if (!find_policy(d->new, &d->old->policy_routes[i], i))
			diff_policy_route(d, &d->old->policy_routes[i], NULL);
	for (size_t i = 0; i < d->new->n_policy_routes; i++) {
		const struct config_policy_route *new = &d->new->policy_routes[i];

		diff_policy_route(d, find_policy(d->old, new, i), new);
	}
}

/* Ids live in the module and in paths: an object that stays keeps its own, none is used twice. */

static uint32_t carry_site(const struct config *old, struct config *new, size_t i)
{
	const char *site = new->customer_gateways[i].site;

	for (size_t j = 0; j < i; j++)
		if (!strcmp(new->customer_gateways[j].site, site))
			return new->customer_gateways[j].site_id;
	for (size_t j = 0; j < old->n_customer_gateways; j++)
		if (!strcmp(old->customer_gateways[j].site, site))
			return old->customer_gateways[j].site_id;
	return ++new->last_site_id;
}

/*
 * The module does not let a tunnel change its device while both are there. A device that the
 * agent makes goes before its successor comes; an adopted one stays, so the tunnel is a new one.
 */
static bool keeps_id(const struct config_tunnel *was, const struct config_tunnel *is)
{
	return (was->ike && is->ike) || !strcmp(was->interface, is->interface);
}

/* A line's site is that of some customer gateway, which has its number by now. */
static void carry_line(struct config *new, struct config_private_line *line)
{
	for (size_t i = 0; i < new->n_customer_gateways; i++)
		if (!strcmp(new->customer_gateways[i].site, line->site))
			line->site_id = new->customer_gateways[i].site_id;
}

static void carry_tunnel(const struct config *old, struct config *new, struct config_tunnel *tunnel)
{
	const struct config_tunnel *was = config_tunnel_find(old, tunnel->name, NULL);

	tunnel->id = was && keeps_id(was, tunnel) ? was->id : ++new->last_tunnel_id;
	if (!tunnel->if_id_given)
		tunnel->if_id = CONFIG_IF_ID_BASE + tunnel->id;
}

static void carry_ids(const struct config *old, struct config *new)
{
	new->last_site_id = old->last_site_id;
	new->last_connection_id = old->last_connection_id;
	new->last_tunnel_id = old->last_tunnel_id;
	for (size_t i = 0; i < new->n_customer_gateways; i++)
		new->customer_gateways[i].site_id = carry_site(old, new, i);
	for (size_t i = 0; i < new->n_private_lines; i++)
		carry_line(new, &new->private_lines[i]);
	for (size_t i = 0; i < new->n_connections; i++) {
		struct config_connection *c = &new->connections[i];
		const struct config_connection *was = find_connection(old, c->name);

		c->id = was ? was->id : ++new->last_connection_id;
		for (size_t j = 0; j < c->n_tunnels; j++)
			carry_tunnel(old, new, &c->tunnels[j]);
	}
}

size_t config_diff(const struct config *old, struct config *new,
		   void (*change)(void *ctx, const struct config_change *change), void *ctx)
{
	struct diff d = { .old = old, .new = new, .report = change, .ctx = ctx };

	carry_ids(old, new);
	diff_gateway(&d);
	diff_customer_gateways(&d);
	diff_connections(&d);
	diff_lines(&d);
	diff_static_routes(&d);
	diff_policy_routes(&d);
	diff_fields(&d, "transit-domain", "", transit_fields, old, new);
	return d.refused;
}

/* Values in force */

struct listing {
	void (*tell)(void *ctx, const char *path, const char *value, const char *profile);
	void *ctx;
};

static void list_fields(const struct listing *l, const char *at, const struct profile *profile,
			const struct field *field, const void *object)
{
	char path[CONFIG_PATH_SIZE], value[256];

	for (; object && field->key; field++) {
		snprintf(path, sizeof(path), "%s%s%s", at, *at ? "." : "", field->key);
		l->tell(l->ctx, path,
			format(field, (const char *)object + field->offset, value, sizeof(value)),
			profile_text(profile, field->key));
	}
}

static void list_connection(const struct listing *l, const struct config_connection *c, size_t i)
{
	const struct profile *profile = profile_get(c->customer_gateway->profile);
	char at[CONFIG_PATH_SIZE];

	snprintf(at, sizeof(at), "connections[%zu]", i);
	l->tell(l->ctx, at, c->name, NULL);
	list_fields(l, at, profile, connection_fields, c);
	list_fields(l, at, profile, bgp_fields, c->bgp);
	list_fields(l, at, profile, bfd_fields, c->bfd);
	for (size_t j = 0; j < c->n_tunnels; j++) {
		snprintf(at, sizeof(at), "connections[%zu].tunnels[%zu]", i, j);
		l->tell(l->ctx, at, c->tunnels[j].name, NULL);
		list_fields(l, at, profile, tunnel_fields, &c->tunnels[j]);
		list_fields(l, at, profile, ike_fields, c->tunnels[j].ike);
		list_fields(l, at, profile, health_fields, c->tunnels[j].health);
	}
}

static void list_line(const struct listing *l, const struct config_private_line *line, size_t i)
{
	char at[CONFIG_PATH_SIZE];

	snprintf(at, sizeof(at), "%ss[%zu]", line_object(line), i);
	l->tell(l->ctx, at, line->name, NULL);
	list_fields(l, at, NULL, line->transit ? transit_peer_fields : private_line_fields, line);
	list_fields(l, at, NULL, bgp_fields, line->bgp);
	list_fields(l, at, NULL, bfd_fields, line->bfd);
}

void config_values(const struct config *config,
		   void (*tell)(void *ctx, const char *path, const char *value,
				const char *profile),
		   void *ctx)
{
	const struct listing l = { tell, ctx };
	char at[CONFIG_PATH_SIZE], text[PREFIX_STRLEN];

	list_fields(&l, "", NULL, top_fields, config);
	list_fields(&l, "control", NULL, control_fields, config);
	snprintf(text, sizeof(text), "%u", config->gateway.local_asn);
	tell(ctx, "gateway.local-asn", text, NULL);
	list_fields(&l, "gateway", NULL, gateway_fields, &config->gateway);
	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		snprintf(at, sizeof(at), "customer-gateways[%zu]", i);
		tell(ctx, at, config->customer_gateways[i].name, NULL);
		list_fields(&l, at, NULL, customer_gateway_fields, &config->customer_gateways[i]);
	}
	for (size_t i = 0; i < config->n_connections; i++)
		list_connection(&l, &config->connections[i], i);
	for (size_t i = 0; i < config->n_private_lines; i++)
		list_line(&l, &config->private_lines[i], i);
	for (size_t i = 0; i < config->n_transit_peers; i++)
		list_line(&l, &config->transit_peers[i], i);
	for (size_t i = 0; i < config->n_static_routes; i++) {
		snprintf(at, sizeof(at), "static-routes[%zu]", i);
		tell(ctx, at, prefix_format(&config->static_routes[i].prefix, text, sizeof(text)),
		     NULL);
		list_fields(&l, at, NULL, static_route_fields, &config->static_routes[i]);
	}
	list_fields(&l, "transit-domain", NULL, transit_fields, config);
}
