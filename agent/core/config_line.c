// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private lines: BGP over a plain interface to a site that also has tunnels. What
 * a line needs of the site (its AS number) is the customer gateways' to say. Transit
 * peers: the same to a router inside the domain.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_private.h"

#define LIST_SIZE 160

const char *const config_preference_names[] = { "line", "tunnels", NULL };

static bool named(const char *name, const char *wanted)
{
	return name && wanted && !strcmp(name, wanted);
}

/* The site of some customer gateway, by name; one with an AS number before others. */
static const struct config_customer_gateway *find_site(const struct config *config,
						       const char *site)
{
	const struct config_customer_gateway *found = NULL;

	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		const struct config_customer_gateway *cg = &config->customer_gateways[i];

		if (named(cg->site, site) && (!found || (!found->asn && cg->asn)))
			found = cg;
	}
	return found;
}

static void fail_site(const struct config_place *place, const char *name)
{
	const struct config *config = place->parse->config;
	char list[LIST_SIZE] = "";
	size_t n = 0;

	for (size_t i = 0; i < config->n_customer_gateways && n < sizeof(list) - 40; i++) {
		const char *site = config->customer_gateways[i].site;

		if (site && !strstr(list, site))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
					      site);
	}
	config_fail_key(place, "site", "UNKNOWN_REFERENCE",
			"no customer gateway is of a site \"%.32s\"; there is: %s", name,
			n ? list : "none");
}

/* Rule 11: what was said of the site holds for its line. */
static void load_site(const struct config_place *place, struct config_private_line *line,
		      const struct raw_private_line *raw)
{
	const struct config_customer_gateway *cg;

	config_need(place, "site", raw->site);
	line->site = config_name(place, "site", raw->site);
	line->asn = config_asn(place, "asn", raw->asn, 0);
	if (!line->site)
		return;
	cg = find_site(place->parse->config, line->site);
	if (!cg) {
		fail_site(place, line->site);
		return;
	}
	line->site_id = cg->site_id;
	if (!raw->asn)
		line->asn = cg->asn;
	if (!raw->asn && !cg->asn)
		config_fail_key(place, "asn", "MISSING_KEY",
				"the key \"asn\" is missing here, and no customer gateway of site "
				"\"%.32s\" has one",
				line->site);
}

/* Loopback, multicast, "this host". Link-local blocks are common between two routers. */
static bool is_no_neighbour(const struct addr *a)
{
	static const uint8_t zeros[15];

	if (a->family == AF_INET)
		return a->b[0] == 0 || a->b[0] == 127 || a->b[0] >= 224;
	return a->b[0] == 0xff || (!memcmp(a->b, zeros, sizeof(zeros)) && a->b[15] < 2);
}

static void load_addresses(const struct config_place *place, struct config_private_line *line,
			   const struct raw_private_line *raw)
{
	config_need(place, "local-address", raw->local_address);
	config_need(place, "peer-address", raw->peer_address);
	line->local_address =
		config_address(place, "local-address", raw->local_address, AF_UNSPEC);
	line->peer_address = config_address(place, "peer-address", raw->peer_address, AF_UNSPEC);
	if (addr_is_set(&line->local_address) && is_no_neighbour(&line->local_address))
		config_fail_key(place, "local-address", "VALUE",
				"%.64s is no address of an interface", raw->local_address);
	if (!addr_is_set(&line->peer_address) || !addr_is_set(&line->local_address))
		return;
	if (is_no_neighbour(&line->peer_address))
		config_fail_key(place, "peer-address", "VALUE",
				"%.64s is no address of a neighbour", raw->peer_address);
	else if (line->peer_address.family != line->local_address.family)
		config_fail_key(place, "peer-address", "FAMILY",
				"the session runs over IPv4 or IPv6: local and peer address must "
				"be of one family");
	else if (addr_equal(&line->peer_address, &line->local_address))
		config_fail_key(place, "peer-address", "VALUE",
				"%.64s is this side's own address", raw->peer_address);
}

/* The next hop of a line's routes is the peer, so they are of its family. */
static void load_session(struct config_parse *parse, const struct config_place *place,
			 struct config_private_line *line, const struct raw_private_line *raw)
{
	static const struct raw_bgp none;
	struct raw_bgp bgp = raw->bgp ? *raw->bgp : none;
	bool v6 = line->peer_address.family == AF_INET6;
	char yes[] = "true", no[] = "false";

	if (!bgp.ipv4)
		bgp.ipv4 = v6 ? no : yes;
	if (!bgp.ipv6)
		bgp.ipv6 = v6 ? yes : no;
	line->bgp = config_load_bgp(parse, &bgp, NULL, place->path);
	if (line->bgp && (v6 ? line->bgp->ipv4 : line->bgp->ipv6))
		config_fail_key(place, v6 ? "bgp.ipv4" : "bgp.ipv6", "FAMILY",
				"routes lead to addresses of the family of peer-address: a second "
				"%s with addresses of the other family carries that",
				line->transit ? "transit peer" : "line");
	if (raw->bfd)
		line->bfd = config_load_bfd(parse, raw->bfd, place->path);
}

static void load_line(struct config_parse *parse, size_t i)
{
	const struct raw_private_line *raw = &parse->raw->private_lines[i];
	struct config_private_line *line = &parse->config->private_lines[i];
	struct config_place place;

	config_place_set(&place, parse, "private-lines[%zu]", i);
	config_need(&place, "name", raw->name);
	config_need(&place, "interface", raw->interface);
	line->name = config_name(&place, "name", raw->name);
	line->interface = config_device(&place, "interface", raw->interface);
	load_site(&place, line, raw);
	load_addresses(&place, line, raw);
	line->behind_tunnels = config_choice(&place, "preference", raw->preference,
					     config_preference_names, 0);
	load_session(parse, &place, line, raw);
}

static void load_transit_peer(struct config_parse *parse, size_t i)
{
	const struct raw_private_line *raw = &parse->raw->transit_peers[i];
	struct config_private_line *line = &parse->config->transit_peers[i];
	struct config_place place;

	config_place_set(&place, parse, "transit-peers[%zu]", i);
	line->transit = true;
	config_need(&place, "name", raw->name);
	config_need(&place, "asn", raw->asn);
	config_need(&place, "interface", raw->interface);
	line->name = config_name(&place, "name", raw->name);
	line->asn = config_asn(&place, "asn", raw->asn, 0);
	line->interface = config_device(&place, "interface", raw->interface);
	load_addresses(&place, line, raw);
	load_session(parse, &place, line, raw);
}

static size_t lines_max(struct config_parse *parse, const char *key, size_t n)
{
	if (n <= CONFIG_LINES_MAX)
		return n;
	config_fail(parse, "VALUE", key, "at most %u are taken, these are %zu", CONFIG_LINES_MAX,
		    n);
	return CONFIG_LINES_MAX;
}

void config_load_transit_peers(struct config_parse *parse)
{
	struct config *config = parse->config;
	size_t n = lines_max(parse, "transit-peers", parse->raw->n_transit_peers);

	config->transit_peers = config_array(parse, n, sizeof(*config->transit_peers));
	if (!config->transit_peers)
		return;
	config->n_transit_peers = n;
	for (size_t i = 0; i < n; i++)
		load_transit_peer(parse, i);
}

void config_load_private_lines(struct config_parse *parse)
{
	struct config *config = parse->config;
	size_t n = lines_max(parse, "private-lines", parse->raw->n_private_lines);

	config->private_lines = config_array(parse, n, sizeof(*config->private_lines));
	if (!config->private_lines)
		return;
	config->n_private_lines = n;
	for (size_t i = 0; i < n; i++)
		load_line(parse, i);
}

struct config_private_line *config_line_at(const struct config *config, size_t i)
{
	if (i < config->n_private_lines)
		return &config->private_lines[i];
	i -= config->n_private_lines;
	return i < config->n_transit_peers ? &config->transit_peers[i] : NULL;
}

struct config_private_line *config_line_find(const struct config *config, const char *name)
{
	struct config_private_line *line;

	for (size_t i = 0; (line = config_line_at(config, i)); i++)
		if (named(line->name, name))
			return line;
	return NULL;
}

/* Checks */

static const struct config_tunnel *tunnel_on(const struct config *config, const char *device)
{
	for (size_t i = 0; i < config->n_connections; i++)
		for (size_t j = 0; j < config->connections[i].n_tunnels; j++)
			if (named(config->connections[i].tunnels[j].interface, device))
				return &config->connections[i].tunnels[j];
	return NULL;
}

static void check_interface(const struct config_place *place,
			    const struct config_private_line *line)
{
	const struct config *config = place->parse->config;
	const struct config_tunnel *tunnel = tunnel_on(config, line->interface);
	const char *what = line->transit ? "a transit peer is on" : "a line is";

	if (tunnel)
		config_fail_key(place, "interface", "DUPLICATE",
				"%s is the interface of tunnel \"%.32s\": %s a plain interface",
				line->interface, tunnel->name ? tunnel->name : "", what);
	else if (named(config->gateway.name, line->interface) ||
		 named(config->gateway.vrf, line->interface))
		config_fail_key(place, "interface", "DUPLICATE",
				"%s is the gateway's own device or VRF: %s a plain interface",
				line->interface, what);
}

static void line_place(struct config_place *place, struct config_parse *parse, size_t i)
{
	size_t lines = parse->config->n_private_lines;
	bool transit = i >= lines;

	config_place_set(place, parse, "%s[%zu]", transit ? "transit-peers" : "private-lines",
			 transit ? i - lines : i);
}

static void check_unique(const struct config_place *place, size_t i)
{
	const struct config *config = place->parse->config;
	const struct config_private_line *line = config_line_at(config, i);
	struct config_place taken;

	if (line->name && config_tunnel_find(config, line->name, NULL))
		config_fail_key(place, "name", "DUPLICATE",
				"%s is a tunnel: %s and tunnels are named by one list in "
				"commands and answers",
				line->name, line->transit ? "transit peers" : "lines");
	for (size_t k = 0; k < i; k++) {
		const struct config_private_line *other = config_line_at(config, k);

		line_place(&taken, place->parse, k);
		if (named(line->name, other->name))
			config_fail_key(place, "name", "DUPLICATE", "%s is taken by %s.name",
					line->name, taken.path);
		if (named(line->interface, other->interface) &&
		    addr_is_set(&line->peer_address) &&
		    addr_equal(&line->peer_address, &other->peer_address))
			config_fail_key(place, "peer-address", "DUPLICATE",
					"%s has a session with it already: one peer is one %s",
					taken.path, line->transit ? "transit peer" : "line");
	}
}

void config_check_private_lines(struct config_parse *parse)
{
	const struct config_private_line *line;
	struct config_place place;

	for (size_t i = 0; (line = config_line_at(parse->config, i)); i++) {
		line_place(&place, parse, i);
		if (line->interface)
			check_interface(&place, line);
		check_unique(&place, i);
	}
}

/* A site's AS in a path is how a site's route is known. */
void config_check_transit_asn(struct config_parse *parse)
{
	const struct config *config = parse->config;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < config->n_transit_peers; i++) {
		uint32_t asn = config->transit_peers[i].asn;
		size_t k = 0;

		while (k < config->n_customer_gateways && config->customer_gateways[k].asn != asn)
			k++;
		if (!asn || k == config->n_customer_gateways)
			continue;
		snprintf(path, sizeof(path), "transit-peers[%zu].asn", i);
		config_fail_rule(
			parse, "TRANSIT_SITE_ASN", path,
			"AS %u is that of site \"%.32s\": a path through a site's AS is a "
			"site's route and never the domain's, so nothing that this peer tells "
			"would be taken",
			asn,
			config->customer_gateways[k].site ? config->customer_gateways[k].site : "");
	}
}

void config_check_line_asn(struct config_parse *parse)
{
	const struct config *config = parse->config;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < config->n_private_lines; i++) {
		const struct config_private_line *line = &config->private_lines[i];
		const struct config_customer_gateway *cg = find_site(config, line->site);

		if (!line->asn || !cg || !cg->asn || line->asn == cg->asn)
			continue;
		snprintf(path, sizeof(path), "private-lines[%zu].asn", i);
		config_fail_rule(
			parse, "SITE_ASN_MISMATCH", path,
			"site \"%.32s\" has AS %u at customer gateway \"%.32s\": a site is one AS, "
			"else its private line and its tunnels look like two ways to two places "
			"and routes flap inside it",
			line->site, cg->asn, cg->name ? cg->name : "");
	}
}

void config_check_line_internal(struct config_parse *parse)
{
	const struct config *config = parse->config;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < config->n_private_lines; i++) {
		const struct config_private_line *line = &config->private_lines[i];

		if (!parse->raw->private_lines[i].asn || !line->asn ||
		    line->asn != config->gateway.local_asn)
			continue;
		snprintf(path, sizeof(path), "private-lines[%zu].asn", i);
		config_fail(parse, "IBGP", path,
			    "%u is the gateway's own AS: paths of a site in it carry no AS that "
			    "loop protection could see, so gateway and site need different numbers",
			    line->asn);
	}
}
