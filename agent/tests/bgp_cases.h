/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UPDATE messages, good and malformed, and what has to come out. Used on the
 * decoder alone and on a live session. Numbers in brackets: the case of the
 * research list (known bugs of other implementations).
 */
#ifndef VGW_TESTS_BGP_CASES_H
#define VGW_TESTS_BGP_CASES_H

#include <stdint.h>
#include <string.h>

#include "bgp_hex.h"

enum case_peer { PEER_NEW, PEER_OLD, PEER_INTERNAL }; /* 4-octet AS, 2-octet AS, same AS */

struct update_case {
	const char *name;
	enum case_peer peer;
	const char *withdrawn, *attributes, *nlri; /* hex; attributes "!...": whole body instead */
	const char *expect; /* "+announced -withdrawn eor4 ...", or "reset 3/1" */
};

#define ORIGIN "400101 00 "
#define PATH "400206 0201 0000fde9 "
#define PATH_OLD "400204 0201 fde9 "
#define HOP "400304 0a000002 "
#define BASE ORIGIN PATH HOP
#define BASE_OLD ORIGIN PATH_OLD HOP
#define NET "18 0a0100 "
#define UP "+10.1.0.0/24"
#define DOWN "-10.1.0.0/24"
#define HOP6 "20010db8 00000000 00000000 00000002 "
#define REACH6(nlri_octets, attr_len) "800e" attr_len " 0002 01 10 " HOP6 "00 " nlri_octets

static const struct update_case update_cases[] = {
	{ "plain", PEER_NEW, "", BASE, NET, UP },
	{ "two prefixes, default, trailing bits", PEER_NEW, "", BASE, "00 17 0a0101 20 0a000009",
	  "+0.0.0.0/0 +10.1.0.0/23 +10.0.0.9/32" },
	{ "withdraw and announce", PEER_NEW, "18 0a0200", BASE, NET, "-10.2.0.0/24 " UP },
	{ "End-of-RIB IPv4", PEER_NEW, "", "", "", "eor4" },
	{ "End-of-RIB IPv6", PEER_NEW, "", "800f03 000201", "", "eor6" },
	{ "End-of-RIB IPv6, extended length", PEER_NEW, "", "900f0003 000201", "", "eor6" },
	{ "IPv6", PEER_NEW, "", REACH6("40 20010db800010000", "1e") ORIGIN PATH, "",
	  "+2001:db8:1::/64" },
	{ "IPv6, last attribute", PEER_NEW, "", ORIGIN PATH REACH6("40 20010db800010000", "1e"), "",
	  "+2001:db8:1::/64" },
	{ "IPv6 with link-local", PEER_NEW, "",
	  "800e2e 0002 01 20 " HOP6 "fe800000000000000000000000000001 00 40 20010db800010000" ORIGIN
	  PATH, "", "+2001:db8:1::/64" },
	{ "IPv6 withdrawn", PEER_NEW, "", "800f0c 000201 40 20010db800010000", "",
	  "-2001:db8:1::/64" },
	{ "IPv4 in MP_REACH_NLRI", PEER_NEW, "",
	  "800e0d 0001 01 04 0a000002 00 " NET ORIGIN PATH, "", UP },
	{ "both families", PEER_NEW, "", REACH6("40 20010db800010000", "1e") BASE, NET,
	  UP " +2001:db8:1::/64" },
	{ "2-octet peer", PEER_OLD, "", BASE_OLD, NET, UP },
	{ "internal peer", PEER_INTERNAL, "", BASE "400504 00000064", NET, UP },

	/* RFC 4271 6.3, RFC 7606 3 and 4 */
	{ "[39] withdrawn longer than the message", PEER_NEW, NULL, "!ffff 0000", NULL,
	  "reset 3/1" },
	{ "attributes longer than the message", PEER_NEW, NULL, "!0000 0010 " ORIGIN, NULL,
	  "reset 3/1" },
	{ "withdrawn over the attributes' length", PEER_NEW, NULL, "!0003 180a01", NULL,
	  "reset 3/1" },
	{ "withdrawn with length 33", PEER_NEW, "21 0a01000000", "", "", "reset 3/10" },
	{ "withdrawn cut", PEER_NEW, "18 0a01", "", "", "reset 3/10" },
	{ "NLRI with length 33", PEER_NEW, "", BASE, "21 0a01000000", "reset 3/10" },
	{ "NLRI cut", PEER_NEW, "", BASE, "18 0a01", "reset 3/10" },
	{ "good NLRI before a bad one: nothing of it", PEER_NEW, "", BASE, NET "ff", "reset 3/10" },
	{ "[22] attribute longer than the list", PEER_NEW, "", BASE "4005ff 00", NET, DOWN },
	{ "[22] extended attribute longer than the list", PEER_NEW, "", BASE "d008ffff 00", NET,
	  DOWN },
	{ "one octet of an attribute", PEER_NEW, "", BASE "40", NET, DOWN },
	{ "half an extended length", PEER_NEW, "", BASE "d00800", NET, DOWN },
	{ "[11] NLRI without attributes", PEER_NEW, "", "", NET, DOWN },
	{ "no ORIGIN", PEER_NEW, "", PATH HOP, NET, DOWN },
	{ "no AS_PATH", PEER_NEW, "", ORIGIN HOP, NET, DOWN },
	{ "no NEXT_HOP", PEER_NEW, "", ORIGIN PATH, NET, DOWN },
	{ "IPv6 without ORIGIN", PEER_NEW, "", REACH6("40 20010db800010000", "1e") PATH, "",
	  "-2001:db8:1::/64" },
	{ "MP_REACH_NLRI twice", PEER_NEW, "",
	  REACH6("40 20010db800010000", "1e") REACH6("40 20010db800010000", "1e") ORIGIN PATH, "",
	  "reset 3/1" },
	{ "MP_UNREACH_NLRI twice", PEER_NEW, "", "800f03 000201 800f03 000201", "", "reset 3/1" },
	{ "ORIGIN twice: the first counts", PEER_NEW, "", BASE "400101 07", NET, UP },
	{ "bad ORIGIN twice: the first counts", PEER_NEW, "", "400101 07" BASE, NET, DOWN },
	{ "unknown well-known", PEER_NEW, "", BASE "406300", NET, "reset 3/2" },
	{ "[28] attributes, no NLRI", PEER_NEW, "", BASE, "", "" },
	{ "empty MP_UNREACH_NLRI and more: no End-of-RIB", PEER_NEW, "", "800f03 000201" ORIGIN, "",
	  "" },
	{ "[12] one unknown attribute is no End-of-RIB", PEER_NEW, "", "c06301 00", "", "" },
	{ "[14] MP_UNREACH_NLRI, NLRI and nothing mandatory", PEER_NEW, "",
	  "800f0c 000201 40 20010db800010000", NET, "-2001:db8:1::/64 " DOWN },
	{ "[15] like End-of-RIB, bad attribute", PEER_NEW, "", "800f03 000201 400101 07", "",
	  "reset 3/1" },
	{ "[15] bad attribute alone", PEER_NEW, "", "400101 07", "", "reset 3/1" },
	{ "bad attribute and an empty MP_REACH_NLRI", PEER_NEW, "",
	  "800e15 0002 01 10 " HOP6 "00 400101 07", "", "reset 3/1" },
	{ "discarded attribute alone", PEER_NEW, "", "400601 00", "", "" },
	{ "withdrawn, and a bad attribute without routes", PEER_NEW, "18 0a0200", "400101 07", "",
	  "reset 3/1" },

	/* RFC 7606 7, attribute by attribute */
	{ "ORIGIN 3", PEER_NEW, "", "400101 03" PATH HOP, NET, DOWN },
	{ "ORIGIN of 0 octets", PEER_NEW, "", "400100" PATH HOP, NET, DOWN },
	{ "ORIGIN of 2 octets", PEER_NEW, "", "400102 0000" PATH HOP, NET, DOWN },
	{ "[42] ORIGIN not transitive", PEER_NEW, "", "000101 00" PATH HOP, NET, DOWN },
	{ "ORIGIN optional", PEER_NEW, "", "c00101 00" PATH HOP, NET, DOWN },
	{ "[33] reserved flag bits", PEER_NEW, "", "4f0101 00" PATH HOP, NET, UP },
	{ "partial bit", PEER_NEW, "", "600101 00" PATH HOP, NET, UP },
	{ "AS_PATH empty", PEER_NEW, "", ORIGIN "400200" HOP, NET, UP },
	{ "AS_PATH odd", PEER_NEW, "", ORIGIN "400205 0201 0000fd" HOP, NET, DOWN },
	{ "AS_PATH segment of 0", PEER_NEW, "", ORIGIN "400202 0200" HOP, NET, DOWN },
	{ "AS_PATH segment longer than it", PEER_NEW, "", ORIGIN "400206 0202 0000fde9" HOP, NET,
	  DOWN },
	{ "AS_PATH segment type 5", PEER_NEW, "", ORIGIN "400206 0501 0000fde9" HOP, NET, DOWN },
	{ "AS_PATH segment type 0", PEER_NEW, "", ORIGIN "400206 0001 0000fde9" HOP, NET, DOWN },
	{ "AS_PATH with AS 0", PEER_NEW, "", ORIGIN "400206 0201 00000000" HOP, NET, DOWN },
	{ "AS_PATH with a confederation", PEER_NEW, "", ORIGIN "400206 0301 0000fde9" HOP, NET,
	  DOWN },
	{ "AS_PATH of 2-octet numbers", PEER_NEW, "", ORIGIN PATH_OLD HOP, NET, DOWN },
	{ "AS_PATH of 4-octet numbers from an old peer", PEER_OLD, "", BASE, NET, DOWN },
	{ "[41] NEXT_HOP of 0 octets", PEER_NEW, "", ORIGIN PATH "400300", NET, DOWN },
	{ "[41] NEXT_HOP of 5 octets", PEER_NEW, "", ORIGIN PATH "400305 0a00000200", NET, DOWN },
	{ "[41] NEXT_HOP of 16 octets", PEER_NEW, "", ORIGIN PATH "400310 " HOP6, NET, DOWN },
	{ "NEXT_HOP 0.0.0.0", PEER_NEW, "", ORIGIN PATH "400304 00000000", NET, DOWN },
	{ "NEXT_HOP multicast", PEER_NEW, "", ORIGIN PATH "400304 e0000001", NET, DOWN },
	{ "MED of 3 octets", PEER_NEW, "", BASE "800403 000001", NET, DOWN },
	{ "[34] MED of 5 octets, more behind it", PEER_NEW, "",
	  ORIGIN "800405 0000000100" PATH HOP "c00804 fde90001", NET, DOWN },
	{ "MED transitive", PEER_NEW, "", BASE "c00404 00000001", NET, DOWN },
	{ "LOCAL_PREF from outside", PEER_NEW, "", BASE "400504 00000064", NET, UP },
	{ "LOCAL_PREF from outside, malformed", PEER_NEW, "", BASE "400501 00", NET, UP },
	{ "LOCAL_PREF of 3 octets", PEER_INTERNAL, "", BASE "400503 000064", NET, DOWN },
	{ "ATOMIC_AGGREGATE with a value", PEER_NEW, "", BASE "400601 00", NET, UP },
	{ "AGGREGATOR of 6 octets", PEER_NEW, "", BASE "c00706 fde9 0a000002", NET, UP },
	{ "AGGREGATOR of 7 octets", PEER_NEW, "", BASE "c00707 fde9 0a00000200", NET, UP },
	{ "AGGREGATOR of 8 octets from an old peer", PEER_OLD, "",
	  BASE_OLD "c00708 0000fde9 0a000002", NET, UP },
	{ "AGGREGATOR AS 0", PEER_NEW, "", BASE "c00708 00000000 0a000002", NET, UP },
	{ "COMMUNITIES empty", PEER_NEW, "", BASE "c00800", NET, DOWN },
	{ "COMMUNITIES of 5 octets", PEER_NEW, "", BASE "c00805 fde9000100", NET, DOWN },
	{ "[24] EXTENDED COMMUNITIES odd", PEER_NEW, "", BASE "c01009 0002fde90000000100", NET,
	  DOWN },
	{ "[25] link bandwidth of 7 octets", PEER_NEW, "", BASE "c01007 4004fde9000000", NET,
	  DOWN },
	{ "[43] unknown extended community", PEER_NEW, "", BASE "c01008 ffffffffffffffff", NET,
	  UP },
	{ "LARGE_COMMUNITY of 11 octets", PEER_NEW, "", BASE "c0200b 00000001*10", NET, DOWN },
	{ "LARGE_COMMUNITY empty", PEER_NEW, "", BASE "c02000", NET, DOWN },
	{ "ORIGINATOR_ID from outside, malformed", PEER_NEW, "", BASE "800903 0a0000", NET, UP },
	{ "ORIGINATOR_ID of 3 octets", PEER_INTERNAL, "", BASE "800903 0a0000", NET, DOWN },
	{ "ORIGINATOR_ID is ours", PEER_INTERNAL, "", BASE "800904 0a000001", NET, DOWN },
	{ "CLUSTER_LIST of 6 octets", PEER_INTERNAL, "", BASE "800a06 0a0000020000", NET, DOWN },
	{ "CLUSTER_LIST with us", PEER_INTERNAL, "", BASE "800a08 0a0000020a000001", NET, DOWN },
	{ "[40] AS4_PATH of 1 octet before AS_PATH", PEER_OLD, "", "c01101 02" BASE_OLD, NET, UP },
	{ "[40] AS4_PATH of 1 octet from a new peer", PEER_NEW, "", "c01101 02" BASE, NET, UP },
	{ "[32] AS4_PATH with a confederation", PEER_OLD, "",
	  BASE_OLD "c0110c 0301 0000fde8 0201 0000fde9", NET, UP },
	{ "AS4_AGGREGATOR of 6 octets", PEER_OLD, "", BASE_OLD "c01206 fde90a000002", NET, UP },

	/* RFC 4760 */
	{ "[13] MP_REACH_NLRI of 4 octets", PEER_NEW, "", "800e04 00020110" ORIGIN PATH, "",
	  "reset 3/9" },
	{ "[13] next hop longer than it", PEER_NEW, "", "800e06 0002 01 20 0000" ORIGIN PATH, "",
	  "reset 3/9" },
	{ "[13] next hop of 4 octets for IPv6", PEER_NEW, "",
	  "800e12 0002 01 04 0a000002 00 40 20010db800010000" ORIGIN PATH, "", "reset 3/9" },
	{ "[13] next hop of 0 octets", PEER_NEW, "", "800e05 0002 01 00 00" ORIGIN PATH, "",
	  "reset 3/9" },
	{ "IPv6 next hop ::", PEER_NEW, "",
	  "800e1e 0002 01 10 00*16 00 40 20010db800010000" ORIGIN PATH, "", "-2001:db8:1::/64" },
	{ "IPv6 prefix of length 129", PEER_NEW, "",
	  REACH6("81 00*17 ", "27") ORIGIN PATH, "", "reset 3/9" },
	{ "IPv6 prefix cut", PEER_NEW, "", REACH6("40 20010db8000100", "1d") ORIGIN PATH, "",
	  "reset 3/9" },
	{ "MP_UNREACH_NLRI of 2 octets", PEER_NEW, "", "800f02 0002", "", "reset 3/9" },
	{ "MP_UNREACH_NLRI prefix cut", PEER_NEW, "", "800f05 000201 40 20", "", "reset 3/9" },
	{ "MP_REACH_NLRI transitive", PEER_NEW, "",
	  "c00e1e 0002 01 10 " HOP6 "00 40 20010db800010000" ORIGIN PATH, "", "-2001:db8:1::/64" },
	{ "[20] labelled unicast, which was not negotiated", PEER_NEW, "",
	  "800e0d 0001 04 04 0a000002 00 ff000000" ORIGIN PATH, "", "" },
	{ "[21] flow specification of length 0", PEER_NEW, "", "800e06 0001 85 00 00 00" BASE, NET,
	  UP },
	{ "[26] path identifiers that were not negotiated", PEER_NEW, "", BASE,
	  "00000001 00 18 0a0100", "+0.0.0.0/0 +0.0.0.0/0 +0.0.0.0/0 +0.0.0.0/1 " UP },

	/* Attributes that are not ours, full of nonsense */
	{ "[16] AIGP TLV of 1 octet", PEER_NEW, "", BASE "801a01 01", NET, UP },
	{ "[17] tunnel encapsulation, sub-TLV too long", PEER_NEW, "",
	  BASE "c01706 000f0002 06ff", NET, UP },
	{ "[18] prefix SID, short and repeated TLV", PEER_NEW, "", BASE "c02804 01000101", NET,
	  UP },
	{ "[19] prefix SID, transposition 128/255", PEER_NEW, "",
	  BASE "c02810 05000d00 01000900 80ff80ff 80ff80ff", NET, UP },
	{ "[23] attribute 255", PEER_NEW, "", BASE "c0ff03 000000", NET, UP },
	{ "[30] only-to-customer of 1024 octets", PEER_NEW, "", BASE "d0230400 41*1024", NET, UP },
	{ "[44] attribute 21", PEER_NEW, "", BASE "c01501 ff", NET, UP },
	{ "[44] attribute 25", PEER_NEW, "", BASE "c01903 ffffff", NET, UP },
	{ "[44] attribute 28", PEER_NEW, "", BASE "e01c10 01040000 00000000 00000000 00000000", NET,
	  UP },
	{ "[44] attribute 29", PEER_NEW, "", BASE "801d00", NET, UP },
	{ "[44] attribute 0", PEER_NEW, "", BASE "c00001 00", NET, UP },
};

#define N_UPDATE_CASES (sizeof(update_cases) / sizeof(update_cases[0]))

/* The body of the UPDATE. */
static inline size_t case_body(const struct update_case *c, uint8_t *buf, size_t size)
{
	size_t withdrawn, attributes;

	if (c->attributes[0] == '!')
		return hex(c->attributes + 1, buf, size);
	withdrawn = hex(c->withdrawn, buf + 2, size - 4);
	buf[0] = (uint8_t)(withdrawn >> 8);
	buf[1] = (uint8_t)withdrawn;
	attributes = hex(c->attributes, buf + 4 + withdrawn, size - 4 - withdrawn);
	buf[2 + withdrawn] = (uint8_t)(attributes >> 8);
	buf[3 + withdrawn] = (uint8_t)attributes;
	return 4 + withdrawn + attributes +
	       hex(c->nlri, buf + 4 + withdrawn + attributes, size - 4 - withdrawn - attributes);
}

/* Adds " word" (or "word") to the transcript. */
static inline void case_log(char *log, size_t size, const char *sign, const char *word)
{
	size_t len = strlen(log);

	snprintf(log + len, size - len, "%s%s%s", len ? " " : "", sign, word);
}

#endif
