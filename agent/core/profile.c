// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four clouds. A value that they negotiate is here only if the negotiation
 * needs help; one that nobody documents is not here.
 */
#include "core/profile.h"

#include <string.h>

#include "core/rules.h"

#define ALIBABA_BGP "Alibaba Cloud, VPN Gateway: BGP dynamic routing"
#define ALIBABA_CGW "Alibaba Cloud, VPN Gateway: customer gateway, ASN constraints"
#define AWS_TUNNEL "Amazon EC2 API: VpnTunnelOptionsSpecification"
#define AWS_LIMITS "AWS Site-to-Site VPN user guide: quotas"
#define AZURE_FAQ "Microsoft Learn, Azure VPN Gateway FAQ: BGP"
#define AZURE_APIPA "Microsoft Learn, Azure VPN Gateway: configure BGP, APIPA addresses"
#define AZURE_CRYPTO "Microsoft Learn, Azure VPN Gateway: IPsec/IKE policy, algorithms"
#define GCP_TIMERS "Google Cloud Router: managing BGP timers"
#define GCP_BFD "Google Cloud Router: BFD, supported attachments"

static const struct profile_value alibaba_values[] = {
	{.key = NULL},
};

static const struct profile_fact alibaba_facts[] = {
	{"its BGP table takes 50 routes unless the quota is raised", ALIBABA_BGP},
	{"it refuses 0.0.0.0/0 from us on a VPN gateway, and takes it on a transit router",
	 ALIBABA_BGP},
	{"100.64.0.0/10 is its own and must not be announced", ALIBABA_BGP},
	{.text = NULL},
};

static const uint32_t alibaba_asn[][2] = {{45104, 45104}, {0, 0}};

/*
 * AWS renews an IPsec SA after 3600 s and an IKE SA after 28800 s at most; ours
 * come first, so that one side alone renews.
 */
static const struct profile_value aws_values[] = {
	{"ike.rekey-time", "25200", AWS_TUNNEL},
	{"ike.child-rekey-time", "3000", AWS_TUNNEL},
	{"ike.proposals", "aes256gcm16-prfsha384-ecp384", AWS_TUNNEL},
	{"ike.esp-proposals", "aes256gcm16-ecp384", AWS_TUNNEL},
	{.key = NULL},
};

static const struct profile_fact aws_facts[] = {
	{"the first host of an inside CIDR is its own, the second one is ours",
	 "AWS Network Administrator Guide: generic customer gateway"},
	{"a virtual private gateway takes 100 routes from us and ends the session at more, a "
	 "transit gateway 1000",
	 AWS_LIMITS},
	{"1.25 Gbit/s and 140000 packets/s per tunnel", AWS_LIMITS},
	{"a virtual private gateway sends the routes of one connection to the others",
	 "AWS Site-to-Site VPN user guide: CloudHub"},
	{.text = NULL},
};

static const struct profile_value azure_values[] = {
	{"bgp.hold-time", "180", AZURE_FAQ},
	{"bgp.keepalive", "60", AZURE_FAQ},
	{"ike.proposals", "aes256gcm16-prfsha384-ecp384", AZURE_CRYPTO},
	{"ike.esp-proposals", "aes256gcm16-ecp384", AZURE_CRYPTO},
	{.key = NULL},
};

static const struct profile_fact azure_facts[] = {
	{"it takes 4000 prefixes from us and ends the session at more", AZURE_FAQ},
	{"its timers are fixed at 60 and 180 seconds and it does not speak BFD", AZURE_FAQ},
	{"it never starts a session toward a 169.254 address", AZURE_FAQ},
	{"the connection there needs a policy with GCMAES256, SHA384 and ECP384", AZURE_CRYPTO},
	{.text = NULL},
};

static const uint32_t azure_asn[][2] = {
	{8074, 8075}, {12076, 12076}, {65515, 65515}, {65517, 65520}, {0, 0},
};

static const struct profile_value gcp_values[] = {
	{"bgp.hold-time", "60", GCP_TIMERS},
	{"bgp.keepalive", "20", GCP_TIMERS},
	{.key = NULL},
};

static const struct profile_fact gcp_facts[] = {
	{"its quota counts unique destinations; which are over it is not told by BGP",
	 "Google Cloud Router: quotas"},
	{"it does not speak BFD over HA VPN", GCP_BFD},
	{"250000 packets/s per tunnel", "Google Cloud VPN: topologies for more bandwidth"},
	{.text = NULL},
};

static const struct profile profiles[] = {
	[CONFIG_PROFILE_ALIBABA] =
		{
			.name = "alibaba",
			.title = "Alibaba Cloud VPN gateway",
			.values = alibaba_values,
			.facts = alibaba_facts,
			.our_asn = alibaba_asn,
			.asn_source = ALIBABA_CGW,
			.peer_asn = RULES_ASN_LOCAL_DEFAULT,
		},
	[CONFIG_PROFILE_AWS] =
		{
			.name = "aws",
			.title = "AWS Site-to-Site VPN",
			.values = aws_values,
			.facts = aws_facts,
			.peer_asn = 64512,
			.first_host = true,
		},
	[CONFIG_PROFILE_AZURE] =
		{
			.name = "azure",
			.title = "Azure VPN gateway",
			.values = azure_values,
			.facts = azure_facts,
			.our_asn = azure_asn,
			.asn_source = AZURE_FAQ,
			.peer_asn = 65515,
			.fixed_keepalive = 60,
			.no_bfd = true,
			.never_connects = true,
		},
	[CONFIG_PROFILE_GCP] =
		{
			.name = "gcp",
			.title = "Google Cloud HA VPN",
			.values = gcp_values,
			.facts = gcp_facts,
			.no_bfd = true,
		},
};

const struct profile *profile_get(enum config_profile profile)
{
	return profile == CONFIG_PROFILE_NONE ? NULL : &profiles[profile];
}

const char *profile_text(const struct profile *profile, const char *key)
{
	for (const struct profile_value *v = profile ? profile->values : NULL; v && v->key; v++)
		if (!strcmp(v->key, key))
			return v->text;
	return NULL;
}

bool profile_asn_refused(const struct profile *profile, uint32_t asn)
{
	for (size_t i = 0; profile->our_asn && profile->our_asn[i][0]; i++)
		if (asn >= profile->our_asn[i][0] && asn <= profile->our_asn[i][1])
			return true;
	return false;
}

/* AWS and GCP keep nothing more than the blocks of rule 37 do. */
const char *profile_inside_check(enum config_profile profile, const struct prefix *inside)
{
	const uint8_t *b = inside->addr.b;

	if (inside->addr.family != AF_INET)
		return NULL;
	if (profile == CONFIG_PROFILE_ALIBABA &&
	    rules_inside_cidr_check(inside, true) == RULES_CIDR_RESERVED)
		return "169.254.6.0/30 is Alibaba Cloud's own";
	if (profile == CONFIG_PROFILE_AZURE && b[2] != 21 && b[2] != 22)
		return "Azure takes 169.254.21.0 to 169.254.22.255 only";
	return NULL;
}
