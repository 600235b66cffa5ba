// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the clouds at the other end refuse, told before they do (feature 9), and
 * the quotas of the cloud that the gateway itself stands for (rule 53).
 */
#include <stdio.h>

#include "core/config_private.h"
#include "core/profile.h"

/* Rule 53; gateway.profile alibaba. */
static void check_limit(struct config_parse *parse, const char *path, const char *what, size_t n,
			size_t max)
{
	if (n > max)
		config_warn(parse, "LIMIT", path,
			    "%zu %s: the platform of profile alibaba takes %zu unless its quota is "
			    "raised",
			    n, what, max);
}

void config_check_limits(struct config_parse *parse)
{
	const struct config *config = parse->config;

	if (config->gateway.profile != CONFIG_PROFILE_ALIBABA)
		return;
	check_limit(parse, "connections", "connections", config->n_connections, 10);
	check_limit(parse, "static-routes", "static routes", config->n_static_routes, 20);
	check_limit(parse, "customer-gateways", "customer gateways", config->n_customer_gateways,
		    100);
}

static bool has_bgp(const struct config *config, const struct config_customer_gateway *cg)
{
	for (size_t i = 0; i < config->n_connections; i++)
		if (config->connections[i].customer_gateway == cg && config->connections[i].bgp)
			return true;
	return false;
}

static void check_our_asn(struct config_parse *parse, size_t i)
{
	const struct config *config = parse->config;
	const struct config_customer_gateway *cg = &config->customer_gateways[i];
	const struct profile *profile = profile_get(cg->profile);
	char path[CONFIG_PATH_SIZE];

	if (!profile_asn_refused(profile, config->gateway.local_asn) || !has_bgp(config, cg))
		return;
	snprintf(path, sizeof(path), "customer-gateways[%zu].profile", i);
	config_fail_rule(parse, "PROFILE_ASN", path,
			 "gateway.local-asn is %u, which %s accepts from no peer: set another one",
			 config->gateway.local_asn, profile->title);
}

static void check_session(struct config_parse *parse, const struct config_connection *c,
			  const struct profile *profile, size_t i)
{
	char path[CONFIG_PATH_SIZE];

	if (c->bgp->hold_time && c->bgp->hold_time <= profile->fixed_keepalive) {
		snprintf(path, sizeof(path), "connections[%zu].bgp.hold-time", i);
		config_fail_rule(
			parse, "PROFILE_TIMERS", path,
			"%s sends a keepalive every %u seconds whatever is negotiated, so "
			"a hold time of %u ends the session again and again; 180 is its own",
			profile->title, profile->fixed_keepalive, c->bgp->hold_time);
	}
	if (c->bgp->passive && profile->never_connects) {
		snprintf(path, sizeof(path), "connections[%zu].bgp.passive", i);
		config_fail_rule(parse, "PROFILE_PASSIVE", path,
				 "%s starts no session toward a 169.254 address, so this side must",
				 profile->title);
	}
}

static void check_bfd(struct config_parse *parse, const struct config_connection *c,
		      const struct profile *profile, size_t i)
{
	char path[CONFIG_PATH_SIZE];

	if (!profile->no_bfd)
		return;
	snprintf(path, sizeof(path), "connections[%zu].bfd", i);
	if (c->bfd->strict)
		config_fail_rule(parse, "PROFILE_BFD_STRICT", path,
				 "%s does not speak BFD here, and strict lets nothing pass before "
				 "BFD is up",
				 profile->title);
	else
		config_warn(parse, "PROFILE_BFD", path,
			    "%s does not speak BFD here: the section watches nothing",
			    profile->title);
}

static void check_inside(struct config_parse *parse, const struct config_connection *c, size_t i)
{
	enum config_profile profile = c->customer_gateway->profile;
	char path[CONFIG_PATH_SIZE], text[PREFIX_STRLEN], hint[CONFIG_HINT_SIZE];

	for (size_t j = 0; j < c->n_tunnels; j++) {
		const struct prefix *inside = &c->tunnels[j].inside;
		const char *complaint = profile_inside_check(profile, inside);

		if (!addr_is_set(&inside->addr) || !complaint)
			continue;
		snprintf(path, sizeof(path), "connections[%zu].tunnels[%zu].inside-cidr", i, j);
		config_fail_rule(parse, "PROFILE_CIDR", path,
				 "%s is refused at the other end: %s%s",
				 prefix_format(inside, text, sizeof(text)), complaint,
				 config_cidr_hint(parse, hint, sizeof(hint)));
	}
}

void config_check_profiles(struct config_parse *parse)
{
	const struct config *config = parse->config;

	for (size_t i = 0; i < config->n_customer_gateways; i++)
		if (config->customer_gateways[i].profile)
			check_our_asn(parse, i);
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *c = &config->connections[i];
		const struct profile *profile =
			c->customer_gateway ? profile_get(c->customer_gateway->profile) : NULL;

		if (!profile)
			continue;
		if (c->bgp)
			check_session(parse, c, profile, i);
		if (c->bfd)
			check_bfd(parse, c, profile, i);
		check_inside(parse, c, i);
	}
}
