// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of rules. A rule is one line here; its check adds what it finds to
 * the lists of the parse, with the values at fault in the text.
 */
#include <string.h>

#include "core/config_private.h"
#include "core/lint.h"

const struct lint_rule lint_rules[] = {
	/* Topology */
	{"SITE_ASN_MISMATCH", "11", LINT_TOPOLOGY,
	 "two numbers for one site make its two ways to us look different, and routes flap in "
	 "the site",
	 config_check_site_asn},
	{"TRANSIT_DOMAIN_BGP", "12", LINT_TOPOLOGY,
	 "each domain would learn the site's routes from its own gateway and from the others, "
	 "and they flap in the cloud",
	 config_check_transit_domain},
	{"GATEWAY_PEERING", "15", LINT_TOPOLOGY,
	 "what one gateway publishes would come back through the other: a loop",
	 config_check_gateway_peering},
	{"SHARED_PEER_ASN", "16", LINT_TOPOLOGY,
	 "a customer gateway that sees one domain as two systems sends the routes of the one "
	 "back to the other: a loop",
	 NULL},
	{"LOCAL_ASN_MISMATCH", "17", LINT_ERROR,
	 "the sites would see one gateway as several systems, and its loop protection ends", NULL},
	{"IBGP", "18", LINT_ERROR,
	 "loop protection looks for our own AS number in the paths of a site, so the site needs "
	 "another one",
	 config_check_internal},
	{"TRANSIT_SITE_ASN", "D11", LINT_TOPOLOGY,
	 "a path through a site's AS is a site's route, so nothing that the peer tells would be "
	 "taken for the domain's",
	 config_check_transit_asn},
	{"OVERLAP_REQUIRED", "42", LINT_TOPOLOGY,
	 "without overlapping routing the prefix that comes first wins and the other "
	 "attachment's is refused, so the outcome depends on time",
	 config_check_overlapping},
	/* Tunnels */
	{"TUNNEL_CIDR_RANGE", "35", LINT_ERROR,
	 "inside addresses are link-local: they are routed nowhere else", NULL},
	{"TUNNEL_CIDR_MASK", "36", LINT_ERROR, "a tunnel has two ends, and a /30 has two hosts",
	 NULL},
	{"TUNNEL_CIDR_HOST_BITS", "36", LINT_ERROR,
	 "bits behind the mask leave open which block is meant", NULL},
	{"TUNNEL_CIDR_RESERVED", "37", LINT_ERROR,
	 "the platform uses the block itself, so the tunnel would take its services away", NULL},
	{"INSIDE_ADDRESS", "38", LINT_ERROR,
	 "the gateway is one host of the block and the peer is the other", NULL},
	{"TUNNEL_CIDR_DUPLICATE", "39", LINT_ERROR,
	 "all tunnels share the gateway's address space, so the same block twice sends packets "
	 "of one peer to the other",
	 config_check_tunnels},
	{"TUNNEL_CIDR_FULL", "D12", LINT_ERROR,
	 "169.254.21.0 to 169.254.22.255 has 128 blocks, and each tunnel has one of its own", NULL},
	{"ROUTING_MODE", "44", LINT_ADVICE,
	 "narrow selectors drop learned prefixes that they do not cover, without a word",
	 config_check_connections},
	/* Static routes */
	{"STATIC_WEIGHT", "47", LINT_ERROR,
	 "static routes take over from each other and share no load, so 100 and 0 are all there "
	 "is and one is active",
	 config_check_static_routes},
	{"STATIC_DUPLICATE", "D7", LINT_ERROR,
	 "a standby that leads into the tunnel of the active route fails together with it", NULL},
	{"STATIC_UNWATCHED", "28", LINT_ADVICE,
	 "an SA outlives the path below it until IKE notices, and a standby that nobody calls "
	 "carries nothing",
	 NULL},
	{"STATIC_ON_FAIL", "56", LINT_ERROR,
	 "what happens when all routes of a prefix are dead is one decision", NULL},
	{"DEFAULT_REFUSED", "48", LINT_ERROR,
	 "a static default route takes the way to the peers with it", NULL},
	{"RESERVED_RANGE", "49", LINT_ERROR,
	 "the platform's own services are in 100.64.0.0/10 and would be cut off", NULL},
	{"NEVER_ACCEPT", "50", LINT_ERROR,
	 "the block has a meaning of its own on every host and is never behind a tunnel", NULL},
	{"OUTER_PEER", "50", LINT_TOPOLOGY,
	 "ESP to the peer would be routed into its own tunnel: a loop", NULL},
	/* Numbers and addresses */
	{"ASN_RANGE", "51", LINT_ERROR, "an AS number has 32 bits and is not 0", NULL},
	{"ASN_RESERVED", "51", LINT_ERROR,
	 "nobody can own the number, or the gateway's side owns it already", NULL},
	{"CUSTOMER_ADDRESS", "52", LINT_ERROR,
	 "no peer can be reached at such an address from outside", NULL},
	{"LIMIT", "53", LINT_ADVICE,
	 "the platform that the profile stands for takes no more without a raised quota",
	 config_check_limits},
	/* Ranges of the gateway */
	{"GUARD_DEFAULT", "D6", LINT_ERROR,
	 "a guard of everything would keep back the packets to the peers too", config_check_ranges},
	{"GUARD_COVERS_PEER", "D6", LINT_ADVICE,
	 "without a more specific route to the peer no tunnel comes up", NULL},
	{"PROTECTED_DEFAULT", "D4", LINT_ERROR,
	 "every learned prefix is inside it, and none would be accepted", NULL},
	/* Profiles of the other side */
	{"PROFILE_CIDR", "D12", LINT_TOPOLOGY,
	 "the cloud at the other end does not take the block, so the tunnel cannot be made there",
	 config_check_profiles},
	{"PROFILE_ASN", "F9", LINT_TOPOLOGY,
	 "the cloud keeps the number for itself and does not accept a peer with it", NULL},
	{"PROFILE_TIMERS", "F9", LINT_TOPOLOGY,
	 "the cloud's keepalives are fixed and come later than our hold time: the session ends "
	 "over and over",
	 NULL},
	{"PROFILE_PASSIVE", "F9", LINT_TOPOLOGY,
	 "the cloud does not start the session either, so both wait for ever", NULL},
	{"PROFILE_BFD", "F9", LINT_ADVICE, "the cloud does not speak BFD, so nothing is watched",
	 NULL},
	{"PROFILE_BFD_STRICT", "F9", LINT_TOPOLOGY,
	 "strict waits for BFD to be up, and the cloud does not speak it: no packet ever passes",
	 NULL},
	{"IKE_IDENTITY", "39", LINT_ADVICE,
	 "IKE chooses by addresses and identities, so one tunnel takes the other's place", NULL},
	{.code = NULL},
};

/*
 * What belongs to no rule of the list and is needed all the same: names, unique things; and the
 * policy routes, which break the rules of static routes above.
 */
static void (*const others[])(struct config_parse *parse) = {
	config_check_customer_gateways,
	config_check_device_names,
	config_check_policy_routes,
	config_check_private_lines,
};

const struct lint_rule *lint_rule_find(const char *code)
{
	for (const struct lint_rule *r = lint_rules; r->code; r++)
		if (!strcmp(r->code, code))
			return r;
	return NULL;
}

const char *lint_severity_name(enum lint_severity severity)
{
	static const char *const names[] = {"error", "topology", "advice"};

	return names[severity];
}

void lint_run(struct config_parse *parse)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		others[i](parse);
	for (const struct lint_rule *r = lint_rules; r->code; r++)
		if (r->check)
			r->check(parse);
}
