// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections, tunnels and static routes: what refers to something else by
 * name. A name that is not there is answered with those that are.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vgw.h>

#include "core/config_private.h"
#include "core/profile.h"
#include "core/rules.h"

#define CANDIDATES_SIZE 160
/* What Linux takes as a maximum segment size. */
#define TCP_MSS_MIN 88

/* Appends to a list of names for people; what does not fit ends in "...". */
static void candidate(char *list, const char *name)
{
	size_t n = strlen(list);

	if (!name || (n >= 3 && !strcmp(list + n - 3, "...")))
		return;
	if (n + strlen(name) + sizeof(", , ...") > CANDIDATES_SIZE)
		name = "...";
	snprintf(list + n, CANDIDATES_SIZE - n, "%s%s", n ? ", " : "", name);
}

static void fail_reference(const struct config_place *place, const char *key, const char *what,
			   const char *name, const char *list)
{
	config_fail_key(place, key, "UNKNOWN_REFERENCE", "there is no %s \"%.32s\"; there is: %s",
			what, name, *list ? list : "none");
}

static bool named(const char *name, const char *wanted)
{
	return name && !strcmp(name, wanted);
}

/* The ASN may be left out of a customer gateway only while nobody speaks BGP to it. */
static void need_asn(struct config_parse *parse, size_t i)
{
	char path[CONFIG_PATH_SIZE];

	snprintf(path, sizeof(path), "customer-gateways[%zu].asn", i);
	if (parse->raw->customer_gateways[i].asn || config_failed_at(parse, path))
		return;
	config_fail(
		parse, "MISSING_KEY", path,
		"the key \"asn\" is missing here: a connection to this customer gateway runs BGP, "
		"which refuses a peer of any other AS number");
}

static void resolve_customer_gateway(struct config_parse *parse, const struct config_place *place,
				     struct config_connection *connection, const char *name,
				     bool bgp)
{
	struct config *config = parse->config;
	char list[CANDIDATES_SIZE] = "";

	if (!name || !*name)
		return;
	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		if (named(config->customer_gateways[i].name, name)) {
			connection->customer_gateway = &config->customer_gateways[i];
			if (bgp)
				need_asn(parse, i);
			return;
		}
		candidate(list, config->customer_gateways[i].name);
	}
	fail_reference(place, "customer-gateway", "customer gateway", name, list);
}

/* A keepalive that comes later than the peer waits ends the session over and over. */
static void check_timers(const struct config_place *place, struct config_bgp *bgp)
{
	if (bgp->hold_time == 1 || bgp->hold_time == 2)
		config_fail_key(place, "hold-time", "BGP_TIMERS",
				"the hold time is 0 (never) or at least 3 seconds (RFC 4271 4.2)");
	else if (!bgp->hold_time && bgp->keepalive)
		config_fail_key(
			place, "keepalive", "BGP_TIMERS",
			"with hold-time 0 no keepalives are sent, so this must be 0 or left out");
	else if (bgp->hold_time && (!bgp->keepalive || bgp->keepalive >= bgp->hold_time))
		config_fail_key(
			place, "keepalive", "BGP_TIMERS",
			"must be at least 1 and less than the hold time (%u), a third of it is "
			"usual: a later keepalive finds the session ended",
			bgp->hold_time);
}

static void load_send_hold(const struct config_place *place, struct config_bgp *bgp,
			   const char *text)
{
	bgp->send_hold = (uint16_t)config_number(place, "send-hold", text, 0, 65535, 0);
	if (bgp->send_hold && bgp->send_hold <= bgp->hold_time)
		config_fail_key(place, "send-hold", "BGP_TIMERS",
				"must be longer than the hold time of %u s (RFC 9687): it is for a "
				"peer that is heard but takes nothing more",
				bgp->hold_time);
}

static void load_tcp_mss(const struct config_place *place, struct config_bgp *bgp,
			 const char *text)
{
	bgp->tcp_mss = (uint16_t)config_number(place, "tcp-mss", text, 0, 32767, 0);
	if (bgp->tcp_mss && bgp->tcp_mss < TCP_MSS_MIN)
		config_fail_key(place, "tcp-mss", "VALUE",
				"0 (by the tunnel's MTU) or %u to 32767 is expected, not %u: the "
				"kernel refuses smaller segments",
				TCP_MSS_MIN, bgp->tcp_mss);
}

static const struct profile *profile_of(const struct config_connection *connection)
{
	const struct config_customer_gateway *cg = connection->customer_gateway;

	return cg ? profile_get(cg->profile) : NULL;
}

/* What the file leaves out is taken from the profile; raw is a copy, its texts stay constant. */
static void fill_from_profile(const struct profile *profile, const char *section,
			      const cyaml_schema_field_t *fields, void *raw)
{
	char key[64];

	for (; profile && fields->key; fields++) {
		const char **text = (const char **)((char *)raw + fields->data_offset);

		snprintf(key, sizeof(key), "%s.%s", section, fields->key);
		if (!*text)
			*text = profile_text(profile, key);
	}
}

struct config_bgp *config_load_bgp(struct config_parse *parse, const struct raw_bgp *given,
				   const struct profile *profile, const char *path)
{
	struct raw_bgp copy = *given, *raw = &copy;
	struct config_bgp *bgp = config_array(parse, 1, sizeof(*bgp));
	struct config_place place;

	if (!bgp)
		return NULL;
	/* A hold time of the file's own has a keepalive of its own: a third of it. */
	if (raw->hold_time && !raw->keepalive)
		profile = NULL;
	fill_from_profile(profile, "bgp", config_bgp_schema, raw);
	config_place_set(&place, parse, "%s.bgp", path);
	bgp->hold_time = (uint16_t)config_number(&place, "hold-time", raw->hold_time, 0, 65535, 30);
	bgp->keepalive = (uint16_t)config_number(&place, "keepalive", raw->keepalive, 0, 65535,
						 bgp->hold_time / 3);
	bgp->connect_retry =
		(uint16_t)config_number(&place, "connect-retry", raw->connect_retry, 1, 65535, 5);
	bgp->passive = config_flag(&place, "passive", raw->passive, false);
	bgp->gtsm = config_flag(&place, "gtsm", raw->gtsm, false);
	bgp->ttl = (uint8_t)config_number(&place, "ttl", raw->ttl, 1, 255, 255);
	bgp->md5_file = config_path(&place, "md5-file", raw->md5_file);
	bgp->ipv4 = config_flag(&place, "ipv4", raw->ipv4, true);
	bgp->ipv6 = config_flag(&place, "ipv6", raw->ipv6, false);
	bgp->delay_open = (uint16_t)config_number(&place, "delay-open", raw->delay_open, 0, 240, 0);
	bgp->idle_hold_max =
		(uint16_t)config_number(&place, "idle-hold-max", raw->idle_hold_max, 1, 3600, 60);
	bgp->extended_messages =
		config_flag(&place, "extended-messages", raw->extended_messages, true);
	bgp->graceful_notification =
		config_flag(&place, "graceful-notification", raw->graceful_notification, false);
	load_send_hold(&place, bgp, raw->send_hold);
	load_tcp_mss(&place, bgp, raw->tcp_mss);
	check_timers(&place, bgp);
	if (bgp->gtsm && bgp->ttl != 255)
		config_fail_key(&place, "ttl", "GTSM",
				"with gtsm the TTL is 255: the peer drops everything that came "
				"through a router and shows it by a lower one (RFC 5082)");
	if (!bgp->ipv4 && !bgp->ipv6)
		config_fail_key(&place, "ipv4", "NO_FAMILY",
				"ipv4 and ipv6 are both off, the session could carry no route");
	return bgp;
}

struct config_bfd *config_load_bfd(struct config_parse *parse, const struct raw_bfd *raw,
				   const char *path)
{
	struct config_bfd *bfd = config_array(parse, 1, sizeof(*bfd));
	struct config_place place;

	if (!bfd)
		return NULL;
	config_place_set(&place, parse, "%s.bfd", path);
	bfd->transmit = config_number(&place, "transmit", raw->transmit, 10, 60000, 300);
	bfd->receive = config_number(&place, "receive", raw->receive, 10, 60000, 300);
	bfd->multiplier =
		(uint8_t)config_number(&place, "multiplier", raw->multiplier, 1, 255, 3);
	bfd->strict = config_flag(&place, "strict", raw->strict, false);
	bfd->local_port =
		(uint16_t)config_number(&place, "local-port", raw->local_port, 49152, 65535, 0);
	return bfd;
}

static struct config_ike *load_ike(struct config_parse *parse, const struct raw_ike *given,
				   const struct profile *profile, const char *path)
{
	struct raw_ike copy = *given, *raw = &copy;
	struct config_ike *ike = config_array(parse, 1, sizeof(*ike));
	struct config_place place;

	if (!ike)
		return NULL;
	fill_from_profile(profile, "ike", config_ike_schema, raw);
	config_place_set(&place, parse, "%s.ike", path);
	config_need(&place, "psk-file", raw->psk_file);
	ike->psk_file = config_path(&place, "psk-file", raw->psk_file);
	ike->proposals = config_text(&place, "proposals", raw->proposals);
	ike->esp_proposals = config_text(&place, "esp-proposals", raw->esp_proposals);
	ike->local_id = config_text(&place, "local-id", raw->local_id);
	ike->remote_id = config_text(&place, "remote-id", raw->remote_id);
	ike->dpd_delay = config_number(&place, "dpd-delay", raw->dpd_delay, 1, 3600, 10);
	ike->rekey_time = config_number(&place, "rekey-time", raw->rekey_time, 60, 604800, 14400);
	ike->child_rekey_time =
		config_number(&place, "child-rekey-time", raw->child_rekey_time, 60, 604800, 3600);
	ike->initiate = config_flag(&place, "initiate", raw->initiate, true);
	ike->encap = config_flag(&place, "encap", raw->encap, false);
	ike->version = (uint8_t)config_number(&place, "version", raw->version, 1, 2, 2);
	return ike;
}

static void fail_cidr(const struct config_place *place, enum rules_cidr cidr, const char *text)
{
	char hint[CONFIG_HINT_SIZE];

	config_fail_key(place, "inside-cidr", rules_cidr_code(cidr), "%.64s %s%s", text,
			rules_cidr_reason(cidr),
			strchr(text, ':') ? ""
					  : config_cidr_hint(place->parse, hint, sizeof(hint)));
}

static bool load_auto_cidr(const struct config_place *place, struct config_tunnel *tunnel)
{
	if (config_inside_allocated(place->parse, tunnel->id, &tunnel->inside))
		return true;
	config_fail_key(place, "inside-cidr", "TUNNEL_CIDR_FULL",
			"every block of 169.254.21.0 to 169.254.22.255 is taken, those that "
			"\"auto\" chooses from: give one of 169.254.0.0/16");
	return false;
}

static bool load_inside_cidr(const struct config_place *place, struct config_tunnel *tunnel,
			     const char *text)
{
	bool strict = place->parse->config->gateway.reserved_strict;
	enum rules_cidr cidr;
	struct prefix inside;
	bool host_bits;

	if (!text || !*text)
		return false;
	if (tunnel->inside_auto)
		return load_auto_cidr(place, tunnel);
	if (!prefix_parse(text, &inside, &host_bits)) {
		if (host_bits)
			fail_cidr(place, RULES_CIDR_HOST_BITS, text);
		else
			config_fail_key(
				place, "inside-cidr", "VALUE",
				"a prefix such as 169.254.21.0/30 or auto is expected, not "
				"\"%.64s\"",
				text);
		return false;
	}
	cidr = rules_inside_cidr_check(&inside, strict);
	if (cidr != RULES_CIDR_OK) {
		fail_cidr(place, cidr, text);
		return false;
	}
	tunnel->inside = inside;
	return true;
}

/* Rules 35-38. */
static void load_inside(const struct config_place *place, struct config_tunnel *tunnel,
			const struct raw_tunnel *raw, const struct profile *profile)
{
	char text[PREFIX_STRLEN];
	struct addr host;

	tunnel->inside_auto = raw->inside_cidr && !strcmp(raw->inside_cidr, "auto");
	if (!load_inside_cidr(place, tunnel, raw->inside_cidr))
		return;
	if (raw->inside_address) {
		host = config_address(place, "inside-address", raw->inside_address, AF_UNSPEC);
		if (!addr_is_set(&host))
			return;
	} else {
		host = tunnel->inside.addr;
		host.b[addr_bits(host.family) / 8 - 1] |= profile && profile->first_host ? 2 : 1;
	}
	if (rules_inside_host(&tunnel->inside, &host, &tunnel->inside_peer))
		tunnel->inside_address = host;
	else
		config_fail_key(place, "inside-address", "INSIDE_ADDRESS",
				"%.64s is not one of the two hosts of %.64s; the gateway is one of "
				"them and the peer the other",
				raw->inside_address,
				prefix_format(&tunnel->inside, text, sizeof(text)));
}

static void load_interface(const struct config_place *place, struct config_tunnel *tunnel,
			   const struct raw_tunnel *raw)
{
	struct config_parse *parse = place->parse;

	tunnel->underlay = config_device(place, "underlay", raw->underlay);
	if (raw->interface) {
		tunnel->interface = config_device(place, "interface", raw->interface);
	} else if (tunnel->name && strlen(tunnel->name) >= IFNAMSIZ) {
		config_fail_key(
			place, "interface", "DEVICE_NAME",
			"the tunnel's name is too long for a device (at most %u characters): "
			"give \"interface\"",
			IFNAMSIZ - 1);
	} else if (tunnel->name) {
		tunnel->interface = config_copy(parse, tunnel->name);
	}
	tunnel->if_id_given = raw->if_id || !raw->ike;
	tunnel->if_id = config_number(place, "if-id", raw->if_id, 0, UINT32_MAX, 0);
	if (!tunnel->if_id_given)
		tunnel->if_id = CONFIG_IF_ID_BASE + tunnel->id;
	else if (tunnel->if_id >= CONFIG_IF_ID_BASE && tunnel->if_id <= CONFIG_IF_ID_LAST)
		config_fail_key(place, "if-id", "IF_ID",
				"%u to %u are given to tunnels that name none", CONFIG_IF_ID_BASE,
				CONFIG_IF_ID_LAST);
	if (raw->ike && raw->if_id && !tunnel->if_id)
		config_fail_key(
			place, "if-id", "IF_ID",
			"0 takes what an existing interface has, but with \"ike\" the agent "
			"makes the interface: give a number or leave the key out");
}

static void load_outer(const struct config_place *place, struct config_tunnel *tunnel,
		       const struct raw_tunnel *raw, const struct config_customer_gateway *cg)
{
	const char *complaint;

	tunnel->local_address =
		config_address(place, "local-address", raw->local_address, AF_UNSPEC);
	if (raw->remote_address)
		tunnel->remote_address =
			config_address(place, "remote-address", raw->remote_address, AF_UNSPEC);
	else if (cg)
		tunnel->remote_address = cg->address;
	if (raw->ike)
		config_need(place, "local-address", raw->local_address);
	if (!addr_is_set(&tunnel->remote_address))
		return;
	complaint = rules_customer_address_check(&tunnel->remote_address);
	if (complaint && raw->remote_address)
		config_fail_key(place, "remote-address", "CUSTOMER_ADDRESS", "%s", complaint);
	if (addr_is_set(&tunnel->local_address) &&
	    tunnel->local_address.family != tunnel->remote_address.family)
		config_fail_key(
			place, "local-address", "FAMILY",
			"the outer packets are IPv4 or IPv6: local and remote address must be "
			"of one family");
}

static void load_tunnel(struct config_parse *parse, const struct config_connection *connection,
			struct config_tunnel *tunnel, const struct raw_tunnel *raw,
			const char *path)
{
	struct config_place place;

	config_place_set(&place, parse, "%s", path);
	tunnel->id = ++parse->config->last_tunnel_id;
	config_need(&place, "name", raw->name);
	config_need(&place, "inside-cidr", raw->inside_cidr);
	tunnel->name = config_name(&place, "name", raw->name);
	load_inside(&place, tunnel, raw, profile_of(connection));
	load_interface(&place, tunnel, raw);
	load_outer(&place, tunnel, raw, connection->customer_gateway);
	tunnel->weight = (uint8_t)config_number(&place, "weight", raw->weight, 1, 255, 1);
	if (raw->ike)
		tunnel->ike = load_ike(parse, raw->ike, profile_of(connection), path);
}

static void load_tunnels(struct config_parse *parse, const struct config_place *place,
			 struct config_connection *connection, const struct raw_connection *raw)
{
	char path[sizeof(place->path)];

	if (!raw->n_tunnels)
		config_fail_key(place, "tunnels", "MISSING_KEY",
				"a connection has at least one tunnel");
	if (raw->n_tunnels > VGW_MEMBERS_MAX)
		config_fail_key(
			place, "tunnels", "VALUE",
			"a connection has at most %u tunnels, what one group of the module takes",
			VGW_MEMBERS_MAX);
	connection->tunnels = config_array(parse, raw->n_tunnels, sizeof(*connection->tunnels));
	if (!connection->tunnels)
		return;
	connection->n_tunnels = raw->n_tunnels;
	for (unsigned int i = 0; i < raw->n_tunnels; i++) {
		snprintf(path, sizeof(path), "%.64s.tunnels[%u]", place->path, i);
		load_tunnel(parse, connection, &connection->tunnels[i], &raw->tunnels[i], path);
		connection->tunnels[i].health =
			config_load_health(parse, &connection->tunnels[i], raw->tunnels[i].health,
					   raw->health, path, place->path);
	}
}

static void load_connection(struct config_parse *parse, size_t i)
{
	const struct raw_connection *raw = &parse->raw->connections[i];
	struct config_connection *connection = &parse->config->connections[i];
	struct config_place place;

	config_place_set(&place, parse, "connections[%zu]", i);
	connection->id = ++parse->config->last_connection_id;
	config_need(&place, "name", raw->name);
	config_need(&place, "customer-gateway", raw->customer_gateway);
	connection->name = config_name(&place, "name", raw->name);
	connection->routing = config_choice(&place, "routing", raw->routing, config_routing_names,
					    CONFIG_ROUTING_DESTINATION);
	connection->transit_allow =
		config_choice(&place, "transit", raw->transit, config_transit_names, 0);
	connection->source_check = (uint8_t)config_choice(&place, "source-check", raw->source_check,
							  config_source_check_names,
							  VGW_SOURCE_CHECK_SITE);
	resolve_customer_gateway(parse, &place, connection, raw->customer_gateway, raw->bgp);
	if (raw->bgp)
		connection->bgp =
			config_load_bgp(parse, raw->bgp, profile_of(connection), place.path);
	if (raw->bfd)
		connection->bfd = config_load_bfd(parse, raw->bfd, place.path);
	load_tunnels(parse, &place, connection, raw);
}

void config_load_connections(struct config_parse *parse)
{
	struct config *config = parse->config;
	size_t n = parse->raw->n_connections;

	config->connections = config_array(parse, n, sizeof(*config->connections));
	if (!config->connections)
		return;
	config->n_connections = n;
	config_inside_plan(parse);
	for (size_t i = 0; i < n; i++)
		load_connection(parse, i);
}

static void resolve_tunnel(const struct config_place *place, struct config_static_route *route,
			   const char *name)
{
	const struct config *config = place->parse->config;
	char list[CANDIDATES_SIZE] = "";

	route->tunnel = config_tunnel_find(config, name, NULL);
	if (route->tunnel)
		return;
	for (size_t i = 0; i < config->n_connections; i++)
		for (size_t j = 0; j < config->connections[i].n_tunnels; j++)
			candidate(list, config->connections[i].tunnels[j].name);
	fail_reference(place, "tunnel", "tunnel", name, list);
}

static void resolve_connection(const struct config_place *place, struct config_static_route *route,
			       const char *name)
{
	const struct config *config = place->parse->config;
	char list[CANDIDATES_SIZE] = "";

	for (size_t i = 0; i < config->n_connections; i++) {
		if (named(config->connections[i].name, name)) {
			route->connection = &config->connections[i];
			return;
		}
		candidate(list, config->connections[i].name);
	}
	fail_reference(place, "connection", "connection", name, list);
}

static void resolve_target(const struct config_place *place, struct config_static_route *route,
			   const struct raw_static_route *raw)
{
	if (raw->tunnel && raw->connection)
		config_fail_key(
			place, "connection", "VALUE",
			"\"tunnel\" and \"connection\" are both given, a route has one of them");
	else if (raw->tunnel && *raw->tunnel)
		resolve_tunnel(place, route, raw->tunnel);
	else if (raw->connection && *raw->connection)
		resolve_connection(place, route, raw->connection);
	else if (!raw->tunnel && !raw->connection)
		config_fail_key(
			place, "tunnel", "MISSING_KEY",
			"\"tunnel\" or \"connection\" is missing here, the route leads nowhere");
}

/* Rule 47. Any other weight would look like load sharing, which static routes do not do. */
static uint8_t load_static_weight(const struct config_place *place, const char *text)
{
	if (!text || !*text || !strcmp(text, "100"))
		return 100;
	if (strcmp(text, "0"))
		config_fail_key(
			place, "weight", "STATIC_WEIGHT",
			"the weight of a static route is 100 (active) or 0 (standby), not "
			"\"%.64s\": static routes take over from each other, they share no load",
			text);
	return 0;
}

void config_load_target(const struct config_place *place, struct config_static_route *route,
			const struct raw_static_route *raw)
{
	bool alibaba = place->parse->config->gateway.profile == CONFIG_PROFILE_ALIBABA;

	resolve_target(place, route, raw);
	route->weight = load_static_weight(place, raw->weight);
	route->on_fail = (uint8_t)config_choice(place, "on-fail", raw->on_fail,
						config_on_fail_names,
						alibaba ? VGW_ON_FAIL_RESERVE : VGW_ON_FAIL_REVOKE);
}

static void load_static_route(struct config_parse *parse, size_t i)
{
	const struct raw_static_route *raw = &parse->raw->static_routes[i];
	struct config_static_route *route = &parse->config->static_routes[i];
	struct config_place place;

	config_place_set(&place, parse, "static-routes[%zu]", i);
	config_need(&place, "prefix", raw->prefix);
	config_prefix(&place, "prefix", raw->prefix, &route->prefix);
	config_load_target(&place, route, raw);
}

void config_load_static_routes(struct config_parse *parse)
{
	struct config *config = parse->config;
	size_t n = parse->raw->n_static_routes;

	config->static_routes = config_array(parse, n, sizeof(*config->static_routes));
	if (!config->static_routes)
		return;
	config->n_static_routes = n;
	for (size_t i = 0; i < n; i++)
		load_static_route(parse, i);
}
