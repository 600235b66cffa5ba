/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses and prefixes of both families as plain values.
 *
 * Promise: values only, no allocation, no global state. Bytes are in network
 * order. An IPv4 address uses the first four bytes and the rest are zero, so
 * that values can be compared and hashed as memory.
 */
#ifndef VGW_LIB_ADDR_H
#define VGW_LIB_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	uint8_t family; /* AF_INET, AF_INET6, or AF_UNSPEC for "none" */
	uint8_t b[16];
};

struct prefix {
	struct addr addr; /* bits behind len are zero */
	uint8_t len;
};

#define ADDR_STRLEN INET6_ADDRSTRLEN
#define PREFIX_STRLEN (INET6_ADDRSTRLEN + 4)

/* 32 or 128; 0 for AF_UNSPEC. */
unsigned int addr_bits(uint8_t family);
bool addr_is_set(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
int addr_compare(const struct addr *a, const struct addr *b);
struct addr addr_from_in4(struct in_addr in);
struct addr addr_from_in6(const struct in6_addr *in);
struct addr addr_from_sockaddr(const struct sockaddr *sa);
/* Fills *ss for bind() or connect(); port in host order. Returns its length. */
socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *ss);
/* Both parsers: false and *out untouched when the text is not exactly one address / prefix. */
bool addr_parse(const char *text, struct addr *out);
/* Refuses host bits: "10.0.0.1/8" is false with *host_bits true (if given). */
bool prefix_parse(const char *text, struct prefix *out, bool *host_bits);
/* Write into buf (ADDR_STRLEN / PREFIX_STRLEN) and return it. */
const char *addr_format(const struct addr *a, char *buf, size_t size);
const char *prefix_format(const struct prefix *p, char *buf, size_t size);

bool prefix_equal(const struct prefix *a, const struct prefix *b);
int prefix_compare(const struct prefix *a, const struct prefix *b);
/* True if inner is equal to or inside outer (same family). */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_contains(const struct prefix *p, const struct addr *a);
bool prefix_is_default(const struct prefix *p);
/* The length is one of the family, and no bit behind it is set. */
bool prefix_is_proper(const struct prefix *p);
/* Clears the bits behind p->len. */
void prefix_normalize(struct prefix *p);

#endif
