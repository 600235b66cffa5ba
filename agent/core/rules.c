// SPDX-License-Identifier: GPL-2.0-only
/* Rules 35-38 and 49-52 as tables and predicates. */
#include "core/rules.h"

#include <stddef.h>

#define V4(a, b, c, d, n) { .addr = { AF_INET, { a, b, c, d } }, .len = (n) }
#define V6(n, ...) { .addr = { AF_INET6, { __VA_ARGS__ } }, .len = (n) }
#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct prefix never[] = {
	V4(0, 0, 0, 0, 8),
	V4(127, 0, 0, 0, 8),
	V4(169, 254, 0, 0, 16),
	/* 224/4 and 240/4 as one, so that the /3 that is nothing but the two is caught as well. */
	V4(224, 0, 0, 0, 3),
	/* IPv4-compatible, with :: and ::1. Not all of ::/8: 64:ff9b::/96 is a real route. */
	V6(96, 0),
	V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
	V6(10, 0xfe, 0x80),
	V6(8, 0xff),
};

static const struct prefix reserved_range = V4(100, 64, 0, 0, 10);

static const struct prefix inside_v4 = V4(169, 254, 0, 0, 16);
static const struct prefix inside_v6 = V6(8, 0xfd);

static const struct prefix inside_reserved[] = {
	V4(169, 254, 0, 0, 30),
	V4(169, 254, 1, 0, 30),
	V4(169, 254, 2, 0, 30),
	V4(169, 254, 3, 0, 30),
	V4(169, 254, 4, 0, 30),
	V4(169, 254, 5, 0, 30),
	V4(169, 254, 169, 252, 30),
};

static const struct prefix inside_reserved_strict = V4(169, 254, 6, 0, 30);

static const struct {
	struct prefix block;
	const char *reason;
} not_customer[] = {
	{ V4(0, 0, 0, 0, 8), "0.0.0.0/8 is \"this network\", not an address of a peer" },
	{ V4(100, 64, 0, 0, 10), "100.64.0.0/10 is shared address space, not a public one" },
	{ V4(127, 0, 0, 0, 8), "127.0.0.0/8 is loopback" },
	{ V4(169, 254, 0, 0, 16), "169.254.0.0/16 is link-local and used inside of tunnels" },
	{ V4(224, 0, 0, 0, 4), "224.0.0.0/4 is multicast" },
	{ V4(255, 0, 0, 0, 8), "255.0.0.0/8 is reserved for broadcast" },
	{ V6(128, 0), "the unspecified address is not an address of a peer" },
	{ V6(128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), "::1 is loopback" },
	{ V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
	  "an IPv4-mapped address must be written as IPv4" },
	{ V6(10, 0xfe, 0x80), "fe80::/10 is link-local" },
	{ V6(8, 0xff), "ff00::/8 is multicast" },
};

static const struct {
	const char *code, *reason;
} cidr_texts[RULES_N_CIDR] = {
	[RULES_CIDR_OK] = { "OK", "is a good inside CIDR" },
	[RULES_CIDR_RANGE] = { "TUNNEL_CIDR_RANGE",
			       "must be inside 169.254.0.0/16 (IPv6: fd00::/8)" },
	[RULES_CIDR_MASK] = { "TUNNEL_CIDR_MASK", "must be a /30 (IPv6: a /126)" },
	[RULES_CIDR_HOST_BITS] = { "TUNNEL_CIDR_HOST_BITS",
				   "has bits set behind its length; give the network's address" },
	[RULES_CIDR_RESERVED] = { "TUNNEL_CIDR_RESERVED",
				  "is one of the blocks that the platform keeps for itself" },
};

bool rules_never_accept(const struct prefix *prefix)
{
	for (size_t i = 0; i < N(never); i++)
		if (prefix_covers(&never[i], prefix))
			return true;
	return false;
}

bool rules_reserved_range(const struct prefix *prefix)
{
	return !prefix_is_default(prefix) && (prefix_covers(&reserved_range, prefix) ||
					      prefix_covers(prefix, &reserved_range));
}

const struct prefix *rules_block(size_t i)
{
	if (i < N(never))
		return &never[i];
	return i == N(never) ? &reserved_range : NULL;
}

enum rules_cidr rules_inside_cidr_check(const struct prefix *prefix, bool strict)
{
	bool v4 = prefix->addr.family == AF_INET;
	struct prefix clean = *prefix;

	if (!prefix_covers(v4 ? &inside_v4 : &inside_v6, prefix))
		return RULES_CIDR_RANGE;
	if (prefix->len != (v4 ? 30 : 126))
		return RULES_CIDR_MASK;
	prefix_normalize(&clean);
	if (!prefix_equal(&clean, prefix))
		return RULES_CIDR_HOST_BITS;
	for (size_t i = 0; i < N(inside_reserved); i++)
		if (prefix_equal(&inside_reserved[i], prefix))
			return RULES_CIDR_RESERVED;
	if (strict && prefix_equal(&inside_reserved_strict, prefix))
		return RULES_CIDR_RESERVED;
	return RULES_CIDR_OK;
}

const char *rules_cidr_code(enum rules_cidr cidr)
{
	return cidr < RULES_N_CIDR ? cidr_texts[cidr].code : "?";
}

const char *rules_cidr_reason(enum rules_cidr cidr)
{
	return cidr < RULES_N_CIDR ? cidr_texts[cidr].reason : "?";
}

bool rules_inside_host(const struct prefix *inside, const struct addr *host, struct addr *other)
{
	unsigned int last = addr_bits(inside->addr.family) / 8 - 1;
	unsigned int low;

	if (!addr_bits(inside->addr.family) || !prefix_contains(inside, host))
		return false;
	/* The lowest two bits: network and broadcast are 0 and 3. */
	low = host->b[last] & 3;
	if (low != 1 && low != 2)
		return false;
	if (other) {
		*other = *host;
		other->b[last] ^= 3;
	}
	return true;
}

const char *rules_customer_address_check(const struct addr *address)
{
	if (!addr_is_set(address))
		return "an address is needed";
	for (size_t i = 0; i < N(not_customer); i++)
		if (prefix_contains(&not_customer[i].block, address))
			return not_customer[i].reason;
	return NULL;
}

/* Decimal digits only, no leading zero; NULL or what follows them. */
static const char *number_parse(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9'; c++) {
		value = value * 10 + (uint64_t)(*c - '0');
		if (value > max)
			return NULL;
	}
	if (c == text || (*text == '0' && c - text > 1))
		return NULL;
	*out = value;
	return c;
}

bool rules_asn_parse(const char *text, uint32_t *asn)
{
	uint64_t high, low;
	const char *rest = text ? number_parse(text, UINT32_MAX, &high) : NULL;

	if (!rest)
		return false;
	if (*rest == '.') {
		rest = high <= UINT16_MAX ? number_parse(rest + 1, UINT16_MAX, &low) : NULL;
		if (!rest)
			return false;
		high = high << 16 | low;
	}
	if (*rest || !high)
		return false;
	*asn = (uint32_t)high;
	return true;
}
