/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 45 messages that broke other BGP speakers, and what has to come of them here.
 *
 * One row is one message to one session, from each sort of peer. Run by
 * test_malformed.c on the decoders and on live sessions; the fuzzers start from it.
 *
 * Body: hexadecimal as in bgp_hex.h, and
 *   (...)*N     what is in brackets, N times
 *   $A          head of an OPEN of this sort of peer, up to the options' length
 *   $O $P $H    ORIGIN, AS_PATH, NEXT_HOP as this sort sends them; $B all three
 *   $U          one empty unknown attribute of each number from 64 to 255
 *   W|A|N       body of an UPDATE: the two lengths are put in front of W and A
 *
 * Expected: "accept", "discard" (an attribute) or "withdraw" and the calls that are
 * made; "reset CODE/SUBCODE:DATA", the NOTIFICATION that answers; "closed TEXT", the
 * session ends with this in its last error.
 */
#ifndef VGW_TESTS_BGP_MALFORMED_H
#define VGW_TESTS_BGP_MALFORMED_H

#include <stdbool.h>
#include <string.h>

#include "tests/bgp_hex.h"

enum malformed_sort { FROM_NEW, FROM_OLD, FROM_INTERNAL, N_SORTS };

/* Of 4-octet AS numbers, of 2-octet ones, of our own AS. */
#define NEW (1u << FROM_NEW)
#define OLD (1u << FROM_OLD)
#define INTERNAL (1u << FROM_INTERNAL)
#define ALL (NEW | OLD | INTERNAL)

#define GRACEFUL 1u /* capabilities beyond families, refresh and 4-octet AS */

/* Message types that the table needs; the last is not one of a message. */
enum { M_OPEN = 1, M_UPDATE = 2, M_NOTIFICATION = 3, M_REFRESH = 5, M_CAPABILITY = 6, M_NONE = 0 };

struct malformed_case {
	unsigned int number; /* of the list, 1 to 45 */
	const char *reference, *name;
	uint8_t type;
	unsigned int sorts, capabilities;
	const char *body; /* M_NONE: why there is nothing to send */
	const char *expect;
};

#define M_NET "18 0a0100"
#define M_UP " +10.1.0.0/24"
#define M_DOWN " -10.1.0.0/24"
#define M_HOP6 "20010db8 00000000 00000000 00000002 "
#define M_DOWN6 " -2001:db8:1::/64"

static const struct malformed_case malformed_cases[] = {
	{ 1, "CVE-2022-40302", "extended options, 2 of 3 octets of their head", M_OPEN, ALL, 0,
	  "$A ff ff00", "reset 2/0:" },
	{ 1, "CVE-2022-40302", "extended options, nothing behind their type", M_OPEN, ALL, 0,
	  "$A ff ff", "reset 2/0:" },
	{ 2, "CVE-2022-40318", "option longer than the message", M_OPEN, ALL, 0,
	  "$A 04 02ff0104", "reset 2/0:" },
	{ 2, "CVE-2022-40318", "extended option longer than the message", M_OPEN, ALL, 0,
	  "$A ff ff0005 02ffff0104", "reset 2/0:" },
	{ 3, "CVE-2022-43681", "ends behind an option's type", M_OPEN, ALL, 0, "$A 01 02",
	  "reset 2/0:" },
	{ 3, "CVE-2022-43681", "half the length of an extended option", M_OPEN, ALL, 0,
	  "$A ff ff0002 0200", "reset 2/0:" },
	{ 4, "CVE-2022-36440", "4-octet AS capability cut", M_OPEN, ALL, 0,
	  "$A 06 020441040000", "reset 2/0:" },
	{ 4, "CVE-2022-36440", "4-octet AS capability of 3 octets", M_OPEN, ALL, 0,
	  "$A 07 02054103000001", "reset 2/0:" },
	{ 5, "CVE-2022-37032", "CAPABILITY message without a body", M_CAPABILITY, ALL, 0, "",
	  "reset 1/3:06" },
	{ 5, "CVE-2022-37032", "CAPABILITY message, half a capability", M_CAPABILITY, ALL, 0,
	  "0002", "reset 1/3:06" },
	{ 6, "CVE-2023-31489", "long-lived graceful restart of 3 octets", M_OPEN, ALL, 0,
	  "$A 07 02054703000101", "accept" },
	{ 7, "CVE-2025-43971", "software version of 0 octets", M_OPEN, ALL, 0, "$A 04 02024b00",
	  "accept" },
	{ 7, "CVE-2023-41361", "software version longer than itself", M_OPEN, ALL, 0,
	  "$A 06 02044b02ff61", "accept" },
	{ 7, "CVE-2023-41361", "host name longer than its option", M_OPEN, ALL, 0,
	  "$A 06 0204490a6161", "reset 2/0:" },
	{ 8, "CVE-2012-1820", "ORF capability with a bogus count", M_OPEN, ALL, 0,
	  "$A 09 0207030500010001ff", "accept" },
	{ 8, "CVE-2023-41360", "ORF entry that nobody asked for", M_REFRESH, ALL, 0,
	  "00010001 01 80 0001 ff", "reset 1/2:001c" },
	{ 8, "CVE-2023-41360", "ORF head at the end of the message", M_REFRESH, ALL, 0,
	  "00010001 01", "reset 1/2:0018" },
	{ 9, "CVE-2018-5381", "graceful restart of 1 octet", M_OPEN, ALL, 0,
	  "$A 05 0203400100", "reset 2/0:" },
	{ 9, "CVE-2024-31949", "graceful restart with half a family", M_OPEN, ALL, 0,
	  "$A 08 020640040078 0001", "reset 2/0:" },
	{ 9, "CVE-2024-31949", "multiprotocol of 3 octets", M_OPEN, ALL, 0,
	  "$A 07 02050103000100", "reset 2/0:" },
	{ 10, "5fd5e49544", "unknown capability of 255 octets", M_OPEN, ALL, 0,
	  "$A ff ff0104 020101 c8ff 00*255", "accept" },
	{ 11, "CVE-2023-41358", "NLRI without attributes", M_UPDATE, ALL, 0, "||" M_NET,
	  "withdraw" M_DOWN },
	{ 12, "CVE-2023-46753", "one unknown attribute is no End-of-RIB", M_UPDATE, ALL, GRACEFUL,
	  "|c06301 00|", "accept" },
	{ 12, "CVE-2023-46753", "NLRI with one unknown attribute", M_UPDATE, ALL, GRACEFUL,
	  "|c06301 00|" M_NET, "withdraw" M_DOWN },
	{ 13, "CVE-2023-46752", "MP_REACH_NLRI ends in its head", M_UPDATE, ALL, 0,
	  "|800e04 00020110 $O $P|", "reset 3/9:800e0400020110" },
	{ 13, "CVE-2023-46752", "MP_REACH_NLRI with a next hop longer than itself", M_UPDATE, ALL, 0,
	  "|800e06 0002 01 20 0000 $O $P|", "reset 3/9:800e06000201200000" },
	{ 13, "CVE-2023-46752", "MP_REACH_NLRI with a next hop of 0 octets", M_UPDATE, ALL, 0,
	  "|800e05 0002 01 00 00 $O $P|", "reset 3/9:800e050002010000" },
	{ 14, "CVE-2023-47234", "MP_UNREACH_NLRI, and NLRI with nothing mandatory", M_UPDATE, ALL, 0,
	  "|800f0c 000201 40 20010db800010000|" M_NET, "withdraw" M_DOWN6 M_DOWN },
	{ 15, "CVE-2023-47235", "like End-of-RIB, with a bad attribute", M_UPDATE, ALL, GRACEFUL,
	  "|800f03 000201 400101 07|", "reset 3/1:" },
	{ 15, "CVE-2023-47235", "bad attribute alone", M_UPDATE, ALL, GRACEFUL, "|400101 07|",
	  "reset 3/1:" },
	{ 16, "CVE-2023-41359", "AIGP with 1 octet of a TLV", M_UPDATE, ALL, 0,
	  "|$B 801a01 01|" M_NET, "accept" M_UP },
	{ 17, "CVE-2023-38802", "tunnel encapsulation, sub-TLV too long", M_UPDATE, ALL, 0,
	  "|$B c01706 000f0002 06ff|" M_NET, "accept" M_UP },
	{ 17, "CVE-2024-44070", "tunnel encapsulation, TLV too long", M_UPDATE, ALL, 0,
	  "|$B c01704 000fffff|" M_NET, "accept" M_UP },
	{ 18, "CVE-2023-31490", "prefix SID of 1 octet", M_UPDATE, ALL, 0,
	  "|$B c02801 01|" M_NET, "accept" M_UP },
	{ 18, "CVE-2024-31948", "prefix SID, TLV short and repeated", M_UPDATE, ALL, 0,
	  "|$B c02804 01000101|" M_NET, "accept" M_UP },
	{ 19, "#22042", "prefix SID, transposition 128 of 255 bits", M_UPDATE, ALL, 0,
	  "|$B c02810 05000d00 01000900 80ff80ff 80ff80ff|" M_NET, "accept" M_UP },
	{ 20, "CVE-2023-38407", "labelled unicast that runs past its end", M_UPDATE, ALL, 0,
	  "|800e0d 0001 04 04 0a000002 00 ff000000 $O $P|", "accept" },
	{ 20, "#22043", "labelled unicast with 10 labels", M_UPDATE, ALL, 0,
	  "|800e2b 0001 04 04 0a000002 00 ff (000010)*10 0a0100 $O $P|", "accept" },
	{ 21, "CVE-2023-38406", "flow specification of 0 octets", M_UPDATE, ALL, 0,
	  "|800e06 0001 85 00 00 00 $B|" M_NET, "accept" M_UP },
	{ 21, "CVE-2025-43972", "flow specification longer than itself", M_UPDATE, ALL, 0,
	  "|800e07 0001 85 00 00 ffff $B|" M_NET, "accept" M_UP },
	{ 22, "CVE-2017-15865", "attribute of 64 KiB in a short list", M_UPDATE, ALL, 0,
	  "|$B d008ffff 00|" M_NET, "withdraw" M_DOWN },
	{ 22, "CVE-2017-15865", "attribute of 64 KiB, nothing to withdraw", M_UPDATE, ALL, 0,
	  "|$B d008ffff 00|", "reset 3/1:" },
	{ 23, "CVE-2019-5892", "attribute 255", M_UPDATE, ALL, 0, "|$B c0ff03 000000|" M_NET,
	  "accept" M_UP },
	{ 24, "CVE-2010-1674", "extended communities of 9 octets", M_UPDATE, ALL, 0,
	  "|$B c01009 0002fde90000000100|" M_NET, "withdraw" M_DOWN },
	{ 24, "CVE-2011-3327", "extended communities of 0 octets", M_UPDATE, ALL, 0,
	  "|$B c01000|" M_NET, "withdraw" M_DOWN },
	{ 25, "e7bc47b501", "link bandwidth of 7 octets", M_UPDATE, ALL, 0,
	  "|$B c01007 4004fde9000000|" M_NET, "withdraw" M_DOWN },
	{ 25, "0f5834d499", "link bandwidth that is no number", M_UPDATE, ALL, 0,
	  "|$B c01008 4004fde97fc00000|" M_NET, "accept" M_UP },
	{ 26, "#5423", "path identifiers that were not negotiated", M_UPDATE, ALL, 0,
	  "|$B|00000001 " M_NET, "accept +0.0.0.0/0 +0.0.0.0/0 +0.0.0.0/0 +0.0.0.0/1 +1.0.0.0/10" },
	{ 27, "CVE-2019-16159", "shutdown text longer than its length", M_NOTIFICATION, ALL, 0,
	  "06 02 ff 41*300", "closed Administrative Shutdown: AAAA" },
	{ 27, "CVE-2019-16159", "shutdown text shorter than its length", M_NOTIFICATION, ALL, 0,
	  "06 02 ff 41*10", "closed Administrative Shutdown" },
	{ 28, "66370eac1", "attributes and no NLRI", M_UPDATE, ALL, 0, "|$B|", "accept" },
	{ 29, "2a6bbd148", "AS_PATH of 765 hops", M_UPDATE, NEW | INTERNAL, 0,
	  "|$O $H 50020bfa (02ff 01*1020)*3|" M_NET, "accept" M_UP },
	{ 29, "2a6bbd148", "AS_PATH of 1785 hops", M_UPDATE, OLD, 0,
	  "|$O $H 50020e00 (02ff 01*510)*7|" M_NET, "accept" M_UP },
	{ 30, "2025-10-24", "only-to-customer of 1024 octets", M_UPDATE, ALL, 0,
	  "|$B d0230400 41*1024|" M_NET, "accept" M_UP },
	{ 31, "errata 2009-02", "AS_PATH segment of 255 hops, full", M_UPDATE, NEW | INTERNAL, 0,
	  "|$O $H 500203fe 02ff 01*1020|" M_NET, "accept" M_UP },
	{ 31, "errata 2009-02", "AS_PATH segment of 255 hops, full", M_UPDATE, OLD, 0,
	  "|$O $H 50020200 02ff 01*510|" M_NET, "accept" M_UP },
	{ 32, "2008-12", "AS4_PATH with a confederation", M_UPDATE, OLD, 0,
	  "|$B c0110c 0301 0000fde8 0201 0000fde9|" M_NET, "accept" M_UP },
	{ 32, "2008-12", "AS4_PATH with a confederation, from one who needs none", M_UPDATE,
	  NEW | INTERNAL, 0, "|$B c0110c 0301 0000fde8 0201 0000fde9|" M_NET, "discard" M_UP },
	{ 33, "NANOG 2011-11", "reserved flag bits", M_UPDATE, ALL, 0,
	  "|4f0101 00 $P $H|" M_NET, "accept" M_UP },
	{ 34, "CVE-2023-38283", "MED of 5 octets with more behind it", M_UPDATE, ALL, 0,
	  "|$O 800405 0000000100 $P $H c00804 fde90001|" M_NET, "withdraw" M_DOWN },
	{ 35, "68bcde75f", "192 unknown attributes", M_UPDATE, ALL, 0, "|$B $U|" M_NET,
	  "accept" M_UP },
	{ 35, "d76d10659", "AS_PATH of 950 hops and more than 2-octet numbers can say", M_UPDATE, OLD,
	  0, "|$O $H 50020774 (02ff 5b*510)*3 02b9 5b*370 c01106 0201 fa56ea01|" M_NET,
	  "accept" M_UP },
	{ 36, "#22045", "1011 communities, a message that is full", M_UPDATE, ALL, 0,
	  "|$B d0080fcc 01*4044|" M_NET, "accept" M_UP },
	{ 37, "CVE-2025-43973", "RTR PDU shorter than its head", M_NONE, ALL, 0,
	  "RPKI is not spoken: no byte of RTR is read", "" },
	{ 38, "CVE-2024-55553", "RTR delta that makes all routes be judged again", M_NONE, ALL, 0,
	  "RPKI is not spoken: no byte of RTR is read", "" },
	{ 39, "CVE-2026-37462", "withdrawn routes longer than the message", M_UPDATE, ALL, 0,
	  "ffff 0000", "reset 3/1:" },
	{ 39, "CVE-2026-37462", "withdrawn routes over the attributes' length", M_UPDATE, ALL, 0,
	  "0003 180a01", "reset 3/1:" },
	{ 40, "CVE-2026-41643", "AS4_PATH of 1 octet before AS_PATH", M_UPDATE, ALL, 0,
	  "|c01101 02 $B|" M_NET, "discard" M_UP },
	{ 41, "f12b8fbb", "NEXT_HOP of 0 octets", M_UPDATE, ALL, 0, "|$O $P 400300|" M_NET,
	  "withdraw" M_DOWN },
	{ 41, "583080a7", "NEXT_HOP of 5 octets", M_UPDATE, ALL, 0,
	  "|$O $P 400305 0a00000200|" M_NET, "withdraw" M_DOWN },
	{ 41, "583080a7", "NEXT_HOP of 16 octets", M_UPDATE, ALL, 0,
	  "|$O $P 400310 " M_HOP6 "|" M_NET, "withdraw" M_DOWN },
	{ 42, "#3392", "ORIGIN without the transitive flag", M_UPDATE, ALL, 0,
	  "|000101 00 $P $H|" M_NET, "withdraw" M_DOWN },
	{ 43, "9c13d68e", "unknown extended community", M_UPDATE, ALL, 0,
	  "|$B c01010 ffffffffffffffff 0606ffffffffffff|" M_NET, "accept" M_UP },
	{ 44, "VU#347067", "attribute 21", M_UPDATE, ALL, 0, "|$B c01501 ff|" M_NET,
	  "accept" M_UP },
	{ 44, "VU#347067", "attribute 25", M_UPDATE, ALL, 0, "|$B c01903 ffffff|" M_NET,
	  "accept" M_UP },
	{ 44, "VU#347067", "attribute 28", M_UPDATE, ALL, 0,
	  "|$B e01c10 01040000 00000000 00000000 00000000|" M_NET, "accept" M_UP },
	{ 44, "VU#347067", "attribute 29", M_UPDATE, ALL, 0, "|$B 801d00|" M_NET, "accept" M_UP },
	{ 44, "VU#347067", "attribute 0", M_UPDATE, ALL, 0, "|$B c00001 00|" M_NET,
	  "accept" M_UP },
	{ 45, "#22352", "one capability set and changed 100 times", M_OPEN, ALL, 0,
	  "$A ff ff0320 (020005 4002 0078 02 0002 4600)*50", "reset 2/0:" },
	{ 45, "#22352", "two capabilities told 50 times each", M_OPEN, ALL, 0,
	  "$A ff ff0258 (020004 40020078 020002 4600)*50", "accept" },
	{ 45, "499504b8ca", "shutdown text with controls, turned text, half a character",
	  M_NOTIFICATION, ALL, 0, "06 02 0c 1b5b324a 0d0a e280ae c3 41ff",
	  "closed \\x1b[2J\\x0d\\x0a\\xe2\\x80\\xae\\xc3A\\xff" },
	{ 45, "499504b8ca", "NOTIFICATION of numbers that nobody knows", M_NOTIFICATION, ALL, 0,
	  "ff fe 0d0a", "closed error 255/254" },
};

#define N_MALFORMED (sizeof(malformed_cases) / sizeof(malformed_cases[0]))

/* What a token of a body stands for. */
static inline const char *malformed_token(char token, enum malformed_sort sort)
{
	static const char *const path[] = { "400206 0201 0000fde9", "400204 0201 fde9",
					    "400206 0201 0000fde8" };

	switch (token) {
	case 'A':
		return sort == FROM_INTERNAL ? "04 fde8 001e 0a000002" : "04 fde9 001e 0a000002";
	case 'O':
		return "400101 00";
	case 'P':
		return path[sort];
	default:
		return "400304 0a000002";
	}
}

/* Bytes of a text without '|'; the text ends at end. */
static inline size_t malformed_hex(const char *text, const char *end, enum malformed_sort sort,
				   uint8_t *out, size_t size)
{
	size_t n = 0;

	while (text < end) {
		if (*text == '$' && text[1] == 'B') {
			for (const char *t = "OPH"; *t; t++)
				n += hex(malformed_token(*t, sort), out + n, size - n);
			text += 2;
		} else if (*text == '$' && text[1] == 'U') {
			for (unsigned int code = 64; code < 256; code++, n += 3)
				memcpy(out + n, (uint8_t[]){ 0xc0, (uint8_t)code, 0 }, 3);
			text += 2;
		} else if (*text == '$') {
			n += hex(malformed_token(text[1], sort), out + n, size - n);
			text += 2;
		} else if (*text == '(') {
			const char *close = strchr(text, ')');
			char *rest;
			long times = strtol(close + 2, &rest, 10);

			for (; times > 0; times--)
				n += malformed_hex(text + 1, close, sort, out + n, size - n);
			text = rest;
		} else {
			size_t len = strcspn(text, "$(|)"), left = (size_t)(end - text);
			char *part = strndup(text, len < left ? len : left);

			n += hex(part, out + n, size - n);
			text += strlen(part);
			free(part);
		}
	}
	return n;
}

/* The body of the message; size: at least 4096. */
static inline size_t malformed_body(const struct malformed_case *c, enum malformed_sort sort,
				    uint8_t *out, size_t size)
{
	const char *text = c->body, *bar = strchr(text, '|');
	size_t at = 0, n;

	for (; bar; text = bar + 1, bar = strchr(text, '|'), at += 2 + n) {
		n = malformed_hex(text, bar, sort, out + at + 2, size - at - 2);
		out[at] = (uint8_t)(n >> 8);
		out[at + 1] = (uint8_t)n;
	}
	return at + malformed_hex(text, text + strlen(text), sort, out + at, size - at);
}

#endif
