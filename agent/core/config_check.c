// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that need more than one value: what must be unique, static routes,
 * guard ranges. A value that was refused before is unset here and passes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_private.h"
#include "core/rules.h"

/* Values of which each may appear once, with the path of each. */

struct claim {
	char value[64];
	char path[96];
	size_t order;
};

struct claims {
	struct config_parse *parse;
	struct claim *list;
	size_t n, room;
};

static void claims_init(struct claims *claims, struct config_parse *parse, size_t room)
{
	*claims = (struct claims){ .parse = parse, .room = room };
	claims->list = config_array(parse, room, sizeof(*claims->list));
}

static void claim(struct claims *claims, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void claim(struct claims *claims, const char *value, const char *fmt, ...)
{
	struct claim *c;
	va_list args;

	if (!value || !claims->list || claims->n == claims->room ||
	    strlen(value) >= sizeof(c->value))
		return;
	c = &claims->list[claims->n];
	c->order = claims->n++;
	strcpy(c->value, value);
	va_start(args, fmt);
	vsnprintf(c->path, sizeof(c->path), fmt, args);
	va_end(args);
}

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->value, y->value);

	if (order)
		return order;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* The first one keeps the value, every later one is told where it is. */
static void claims_judge(struct claims *claims, const char *code, const char *reason)
{
	const struct claim *first = claims->list;

	if (claims->list)
		qsort(claims->list, claims->n, sizeof(*claims->list), claim_compare);
	for (size_t i = 1; i < claims->n; i++) {
		const struct claim *c = &claims->list[i];

		if (strcmp(c->value, first->value))
			first = c;
		else if (!config_failed_at(claims->parse, c->path))
			config_fail(claims->parse, code, c->path, "%s is taken by %s: %s", c->value,
				    first->path, reason);
	}
	free(claims->list);
}

void config_check_customer_gateways(struct config_parse *parse)
{
	const struct config *config = parse->config;
	struct claims names, addresses;
	char text[ADDR_STRLEN];

	claims_init(&names, parse, config->n_customer_gateways);
	claims_init(&addresses, parse, config->n_customer_gateways);
	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		const struct config_customer_gateway *cg = &config->customer_gateways[i];

		claim(&names, cg->name, "customer-gateways[%zu].name", i);
		if (addr_is_set(&cg->address))
			claim(&addresses, addr_format(&cg->address, text, sizeof(text)),
			      "customer-gateways[%zu].address", i);
	}
	claims_judge(&names, "DUPLICATE", "connections refer to customer gateways by name");
	claims_judge(&addresses, "DUPLICATE",
		     "one device is one customer gateway, or its packets cannot be told apart");
}

static size_t count_tunnels(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_connections; i++)
		n += config->connections[i].n_tunnels;
	return n;
}

struct tunnel_claims {
	struct claims names, inside, interfaces, if_ids;
};

static void claim_tunnel(struct tunnel_claims *claims, size_t i, size_t j)
{
	struct config_parse *parse = claims->names.parse;
	const struct config_tunnel *t = &parse->config->connections[i].tunnels[j];
	const struct raw_tunnel *raw = &parse->raw->connections[i].tunnels[j];
	char text[PREFIX_STRLEN];

	claim(&claims->names, t->name, "connections[%zu].tunnels[%zu].name", i, j);
	if (addr_is_set(&t->inside.addr))
		claim(&claims->inside, prefix_format(&t->inside, text, sizeof(text)),
		      "connections[%zu].tunnels[%zu].inside-cidr", i, j);
	/* A device named by default is a complaint about the name. */
	claim(&claims->interfaces, t->interface, "connections[%zu].tunnels[%zu].%s", i, j,
	      raw->interface ? "interface" : "name");
	snprintf(text, sizeof(text), "%u", t->if_id);
	if (t->if_id)
		claim(&claims->if_ids, text, "connections[%zu].tunnels[%zu].if-id", i, j);
}

/* The kernel's gateway device and its VRF are names that a tunnel's device cannot have. */
void config_check_device_names(struct config_parse *parse)
{
	const struct config_gateway *gw = &parse->config->gateway;

	if (gw->vrf && gw->name && !strcmp(gw->vrf, gw->name))
		config_fail(parse, "DUPLICATE", "gateway.vrf",
			    "\"%s\" is the gateway's own device, not a VRF", gw->vrf);
}

static void judge_inside(struct claims *inside)
{
	char hint[CONFIG_HINT_SIZE], reason[160];

	snprintf(reason, sizeof(reason),
		 "all tunnels share the gateway's address space, so each needs its own%s",
		 config_cidr_hint(inside->parse, hint, sizeof(hint)));
	claims_judge(inside, "TUNNEL_CIDR_DUPLICATE", reason);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_identity(const struct config_tunnel *a, const struct config_tunnel *b)
{
	return addr_equal(&a->remote_address, &b->remote_address) &&
	       addr_equal(&a->local_address, &b->local_address) &&
	       same_text(a->ike->local_id, b->ike->local_id) &&
	       same_text(a->ike->remote_id, b->ike->remote_id);
}

/* IKE finds key and connection by addresses and identities alone. */
static void check_identities(struct config_parse *parse, const struct config_connection *c,
			     size_t i)
{
	char path[CONFIG_PATH_SIZE];

	for (size_t j = 1; j < c->n_tunnels; j++) {
		size_t k = 0;

		while (k < j && !(c->tunnels[j].ike && c->tunnels[k].ike &&
				  same_identity(&c->tunnels[k], &c->tunnels[j])))
			k++;
		if (k == j)
			continue;
		snprintf(path, sizeof(path), "connections[%zu].tunnels[%zu].ike", i, j);
		config_warn(
			parse, "IKE_IDENTITY", path,
			"addresses and identities are those of tunnels[%zu], so IKE cannot tell "
			"the two apart: give local-id and remote-id",
			k);
	}
}

void config_check_tunnels(struct config_parse *parse)
{
	const struct config *config = parse->config;
	size_t n = count_tunnels(config);
	struct tunnel_claims claims;

	claims_init(&claims.names, parse, n);
	claims_init(&claims.inside, parse, n);
	claims_init(&claims.interfaces, parse, n + 2);
	claims_init(&claims.if_ids, parse, n);
	claim(&claims.interfaces, config->gateway.name, "gateway.name");
	if (config->gateway.vrf && config->gateway.name &&
	    strcmp(config->gateway.vrf, config->gateway.name))
		claim(&claims.interfaces, config->gateway.vrf, "gateway.vrf");
	for (size_t i = 0; i < config->n_connections; i++)
		for (size_t j = 0; j < config->connections[i].n_tunnels; j++)
			claim_tunnel(&claims, i, j);
	claims_judge(&claims.names, "DUPLICATE",
		     "tunnels are named without their connection in routes and commands");
	judge_inside(&claims.inside);
	claims_judge(&claims.interfaces, "DUPLICATE", "a tunnel is one XFRM interface of its own");
	claims_judge(
		&claims.if_ids, "DUPLICATE",
		"the if_id joins SAs to a tunnel, two tunnels would take each other's packets");
}

void config_check_connections(struct config_parse *parse)
{
	const struct config *config = parse->config;
	struct claims names;
	char path[CONFIG_PATH_SIZE];

	claims_init(&names, parse, config->n_connections);
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *c = &config->connections[i];

		claim(&names, c->name, "connections[%zu].name", i);
		snprintf(path, sizeof(path), "connections[%zu].routing", i);
		if (c->bgp && c->routing == CONFIG_ROUTING_POLICY)
			config_warn(parse, "ROUTING_MODE", path,
				    "BGP is meant for destination routing: the narrow selectors of "
				    "policy routing drop learned prefixes that they do not cover");
		check_identities(parse, c, i);
	}
	claims_judge(&names, "DUPLICATE",
		     "static routes and commands refer to connections by name");
}

/* Static routes */

static bool is_customer_peer(const struct config *config, const struct prefix *prefix)
{
	for (size_t i = 0; i < config->n_connections; i++)
		for (size_t j = 0; j < config->connections[i].n_tunnels; j++)
			if (prefix_contains(prefix,
					    &config->connections[i].tunnels[j].remote_address))
				return true;
	return false;
}

void config_check_destination(struct config_parse *parse, const struct prefix *prefix,
			      const char *path)
{
	const struct config_gateway *gw = &parse->config->gateway;
	char text[PREFIX_STRLEN];

	if (!addr_is_set(&prefix->addr))
		return;
	prefix_format(prefix, text, sizeof(text));
	if (prefix_is_default(prefix))
		config_fail(parse, "DEFAULT_REFUSED", path,
			    "a static default route would take everything that has no other route, "
			    "ESP and the way to the peers included: name the site's networks");
	else if (rules_never_accept(prefix))
		config_fail(parse, "NEVER_ACCEPT", path,
			    "%s has a meaning of its own on every host (this host, loopback, "
			    "link-local, multicast) and is never behind a tunnel",
			    text);
	else if (gw->profile == CONFIG_PROFILE_ALIBABA && rules_reserved_range(prefix))
		config_fail(
			parse, "RESERVED_RANGE", path,
			"%s meets 100.64.0.0/10, where the platform of profile alibaba has its own "
			"services: they would be cut off",
			text);
	else if (is_customer_peer(parse->config, prefix))
		config_fail_rule(
			parse, "OUTER_PEER", path,
			"%s covers the outer address of a tunnel's peer, so ESP would be sent "
			"into its own tunnel; give longer prefixes, or have a more specific "
			"route to the peer in the system table and set gateway.force",
			text);
}

static int route_compare(const void *a, const void *b)
{
	const struct config_row *x = a, *y = b;
	int order = prefix_compare(&x->route->prefix, &y->route->prefix);

	if (order)
		return order;
	return x->i < y->i ? -1 : x->i > y->i;
}

static bool holds(const struct config_connection *connection, const struct config_tunnel *tunnel)
{
	/* Pointers into one array or another: compared by identity only. */
	for (size_t i = 0; i < connection->n_tunnels; i++)
		if (&connection->tunnels[i] == tunnel)
			return true;
	return false;
}

static bool same_target(const struct config_static_route *a, const struct config_static_route *b)
{
	if (a->tunnel && b->tunnel)
		return a->tunnel == b->tunnel;
	if (a->connection && b->connection)
		return a->connection == b->connection;
	if (a->tunnel && b->connection)
		return holds(b->connection, a->tunnel);
	return a->connection && b->tunnel && holds(a->connection, b->tunnel);
}

void config_check_rows(struct config_parse *parse, const char *list, const struct config_row *rows,
		       size_t n)
{
	const struct config_row *active = NULL;
	char path[CONFIG_PATH_SIZE];

	for (size_t k = 0; k < n; k++) {
		const struct config_static_route *route = rows[k].route;
		const struct config_row *same = rows;

		while (same < &rows[k] && !same_target(same->route, route))
			same++;
		snprintf(path, sizeof(path), "%s[%zu]", list, rows[k].i);
		if (same < &rows[k])
			config_fail(
				parse, "STATIC_DUPLICATE", path,
				"%s[%zu] leads this prefix into the same tunnel already", list,
				same->i);
		else if (route->weight && active)
			config_fail(
				parse, "STATIC_WEIGHT", path,
				"%s[%zu] is the active one (weight 100) of this prefix "
				"already, others stand by with weight 0",
				list, active->i);
		else if (route->on_fail != rows[0].route->on_fail)
			config_fail(
				parse, "STATIC_ON_FAIL", path,
				"on-fail differs from %s[%zu]: what happens when all "
				"routes of a prefix are dead is one decision",
				list, rows[0].i);
		if (route->weight && !active)
			active = &rows[k];
	}
	config_check_watched(parse, list, rows, n);
}

void config_check_static_routes(struct config_parse *parse)
{
	const struct config *config = parse->config;
	size_t n = config->n_static_routes, end;
	struct config_row *list = config_array(parse, n, sizeof(*list));
	char path[CONFIG_PATH_SIZE];

	if (!list)
		return;
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "static-routes[%zu].prefix", i);
		config_check_destination(parse, &config->static_routes[i].prefix, path);
		list[i] = (struct config_row){ &config->static_routes[i], i };
	}
	qsort(list, n, sizeof(*list), route_compare);
	for (size_t i = 0; i < n; i = end) {
		end = i + 1;
		while (end < n && prefix_equal(&list[end].route->prefix, &list[i].route->prefix))
			end++;
		if (addr_is_set(&list[i].route->prefix.addr))
			config_check_rows(parse, "static-routes", &list[i], end - i);
	}
	free(list);
}

/* Ranges of the gateway */

/* The index in the file: refused entries are not in the typed list. */
static void check_guard(struct config_parse *parse, const char *text, unsigned int i)
{
	char path[CONFIG_PATH_SIZE];
	struct prefix prefix;

	snprintf(path, sizeof(path), "gateway.guard[%u]", i);
	if (!prefix_parse(text, &prefix, NULL))
		return;
	if (prefix_is_default(&prefix))
		config_fail(parse, "GUARD_DEFAULT", path,
			    "a guard range is what must never leave in clear; the default would be "
			    "everything, the way to the peers included");
	else if (is_customer_peer(parse->config, &prefix))
		config_warn(
			parse, "GUARD_COVERS_PEER", path,
			"%s covers the outer address of a tunnel's peer: without a more specific "
			"route to it in the system table no tunnel comes up",
			text);
}

void config_check_ranges(struct config_parse *parse)
{
	const struct raw_gateway *raw = parse->raw->gateway;
	char path[CONFIG_PATH_SIZE];
	struct prefix prefix;

	if (!raw)
		return;
	for (unsigned int i = 0; i < raw->n_guard; i++)
		check_guard(parse, raw->guard[i], i);
	for (unsigned int i = 0; i < raw->n_protected; i++) {
		if (!prefix_parse(raw->protected[i], &prefix, NULL) || !prefix_is_default(&prefix))
			continue;
		snprintf(path, sizeof(path), "gateway.protected[%u]", i);
		config_fail(parse, "PROTECTED_DEFAULT", path,
			    "every learned prefix is inside it and would be refused");
	}
}
