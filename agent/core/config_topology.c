// SPDX-License-Identifier: GPL-2.0-only
/*
 * Topology rules: what looks fine for each object alone and makes routes loop
 * or flap when put together. gateway.force turns them into warnings, except
 * that an AS cannot be its own peer.
 */
#include <stdio.h>
#include <string.h>

#include "core/config_private.h"

static bool runs_bgp(const struct config *config)
{
	for (size_t i = 0; i < config->n_connections; i++)
		if (config->connections[i].bgp)
			return true;
	return false;
}

/* Rule 11. */
void config_check_site_asn(struct config_parse *parse)
{
	const struct config_customer_gateway *list = parse->config->customer_gateways;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < parse->config->n_customer_gateways; i++) {
		size_t j = 0;

		while (j < i && !(list[j].site_id == list[i].site_id && list[j].asn))
			j++;
		if (j == i || !list[i].asn || list[i].asn == list[j].asn)
			continue;
		snprintf(path, sizeof(path), "customer-gateways[%zu].asn", i);
		config_fail_rule(
			parse, "SITE_ASN_MISMATCH", path,
			"site \"%.32s\" has AS %u in customer-gateways[%zu]: a site is one AS, "
			"else its two ways look different and routes flap inside it",
			list[i].site ? list[i].site : "", list[j].asn, j);
	}
	config_check_line_asn(parse);
}

/* Rule 17: every session is external, loop protection needs two numbers. */
void config_check_internal(struct config_parse *parse)
{
	const struct config *config = parse->config;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		if (!config->customer_gateways[i].asn ||
		    config->customer_gateways[i].asn != config->gateway.local_asn)
			continue;
		snprintf(path, sizeof(path), "customer-gateways[%zu].asn", i);
		config_fail(
			parse, "IBGP", path,
			"%u is the gateway's own AS: paths of a site in it carry no AS that loop "
			"protection could see, so gateway and site need different numbers",
			config->gateway.local_asn);
	}
	config_check_line_internal(parse);
}

/* Rule 12. */
void config_check_transit_domain(struct config_parse *parse)
{
	const struct raw_transit_domain *raw = parse->raw->transit_domain;
	const struct config *config = parse->config;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < config->n_connections && raw && raw->n_domains >= 2; i++) {
		if (!config->connections[i].bgp)
			continue;
		snprintf(path, sizeof(path), "connections[%zu].bgp", i);
		config_fail_rule(
			parse, "TRANSIT_DOMAIN_BGP", path,
			"transit-domain.domains has %u domains: with BGP toward the site each "
			"would learn the site's routes from its gateway and from the others, "
			"and they flap in the cloud",
			raw->n_domains);
	}
}

static const struct config_tunnel *own_address(const struct config *config, const struct addr *a)
{
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *c = &config->connections[i];

		for (size_t j = 0; j < c->n_tunnels; j++)
			if (addr_equal(&c->tunnels[j].local_address, a))
				return &c->tunnels[j];
	}
	return NULL;
}

static void check_not_own(struct config_parse *parse, const struct addr *address, const char *path)
{
	const struct config_tunnel *own;
	char text[ADDR_STRLEN];

	own = addr_is_set(address) ? own_address(parse->config, address) : NULL;
	if (own)
		config_fail_rule(
			parse, "GATEWAY_PEERING", path,
			"%s is this side's local-address of tunnel \"%.32s\": gateways of one "
			"domain do not peer with each other, what one publishes would come "
			"back through the other",
			addr_format(address, text, sizeof(text)), own->name ? own->name : "");
}

/* Rule 15. */
void config_check_gateway_peering(struct config_parse *parse)
{
	const struct config *config = parse->config;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		snprintf(path, sizeof(path), "customer-gateways[%zu].address", i);
		check_not_own(parse, &config->customer_gateways[i].address, path);
	}
	for (size_t i = 0; i < config->n_transit_peers; i++) {
		snprintf(path, sizeof(path), "transit-peers[%zu].peer-address", i);
		check_not_own(parse, &config->transit_peers[i].peer_address, path);
	}
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct raw_connection *raw = &parse->raw->connections[i];

		for (size_t j = 0; j < config->connections[i].n_tunnels; j++) {
			if (!raw->tunnels[j].remote_address)
				continue;
			snprintf(path, sizeof(path), "connections[%zu].tunnels[%zu].remote-address",
				 i, j);
			check_not_own(parse, &config->connections[i].tunnels[j].remote_address,
				      path);
		}
	}
}

/* Rule 42. */
void config_check_overlapping(struct config_parse *parse)
{
	if (parse->config->transit_overlapping || !runs_bgp(parse->config))
		return;
	config_fail_rule(
		parse, "OVERLAP_REQUIRED", "transit-domain.overlapping-routing",
		"BGP on a gateway of a transit domain needs overlapping routing: without it a "
		"learned prefix that overlaps another attachment's is refused, and which one "
		"came first decides");
}
