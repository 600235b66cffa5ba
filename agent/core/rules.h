/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gateway's rules about single values: prefixes, tunnel CIDRs, addresses,
 * AS numbers. Configuration and RIB ask the same functions.
 *
 * Promise: values in, verdict out; no state, no allocation.
 */
#ifndef VGW_CORE_RULES_H
#define VGW_CORE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

/* Rule 51: the gateway's AS number unless configured; not for customer gateways. */
#define RULES_ASN_LOCAL_DEFAULT 45104u

/*
 * Rule 50: equal to or inside a block that is never a route (IPv4: 0/8, 127/8,
 * 169.254/16, 224/4, 240/4; IPv6: the unspecified, loopback, IPv4-compatible
 * and -mapped, link-local and multicast ones). The default route is not.
 */
bool rules_never_accept(const struct prefix *prefix);
/* Rule 49: equal to, inside or containing 100.64.0.0/10; the default route is exempt. */
bool rules_reserved_range(const struct prefix *prefix);

/* The blocks that the two above are about, from 0; NULL: there are no more. */
const struct prefix *rules_block(size_t i);

/* Rules 35-37 and their IPv6 counterpart: what is wrong with a tunnel's inside CIDR. */
enum rules_cidr {
	RULES_CIDR_OK,
	RULES_CIDR_RANGE, /* not inside 169.254.0.0/16 or fd00::/8 */
	RULES_CIDR_MASK, /* not a /30 or /126 */
	RULES_CIDR_HOST_BITS,
	RULES_CIDR_RESERVED,
	RULES_N_CIDR,
};
/* strict: 169.254.6.0/30 is reserved too (D12). The prefix may have host bits here. */
enum rules_cidr rules_inside_cidr_check(const struct prefix *prefix, bool strict);
const char *rules_cidr_code(enum rules_cidr cidr); /* "TUNNEL_CIDR_RANGE", "OK" */
const char *rules_cidr_reason(enum rules_cidr cidr); /* one sentence for people */
/* Rule 38: one of the two usable hosts (.1, .2) of a valid inside CIDR; *other gets the other. */
bool rules_inside_host(const struct prefix *inside, const struct addr *host, struct addr *other);

/* Rule 52: NULL if the address may be a customer gateway's, else why not. */
const char *rules_customer_address_check(const struct addr *address);

/* Rule 51: "65010" or "high.low" ("123.456"), 1-4294967295. False: *asn untouched. */
bool rules_asn_parse(const char *text, uint32_t *asn);

#endif
