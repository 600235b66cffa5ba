// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and prefixes. Both structures are arrays of bytes in comparison
 * order (family, address, length), so one memcmp() is equality and order.
 */
#include "lib/addr.h"

#include <endian.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* A hole would put undefined bytes into every comparison and hash. */
_Static_assert(sizeof(struct addr) == 17, "struct addr has padding");
_Static_assert(sizeof(struct prefix) == 18, "struct prefix has padding");

unsigned int addr_bits(uint8_t family)
{
	switch (family) {
	case AF_INET:
		return 32;
	case AF_INET6:
		return 128;
	default:
		return 0;
	}
}

bool addr_is_set(const struct addr *a)
{
	return a->family != AF_UNSPEC;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

struct addr addr_from_in4(struct in_addr in)
{
	struct addr a = { .family = AF_INET };

	memcpy(a.b, &in, sizeof(in));
	return a;
}

struct addr addr_from_in6(const struct in6_addr *in)
{
	struct addr a = { .family = AF_INET6 };

	memcpy(a.b, in, sizeof(*in));
	return a;
}

struct addr addr_from_sockaddr(const struct sockaddr *sa)
{
	struct addr none = { .family = AF_UNSPEC };
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	/* getifaddrs() has entries without an address. */
	if (!sa)
		return none;
	/* Copies: the caller's buffer need not be aligned for the real type. */
	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&sin, sa, sizeof(sin));
		return addr_from_in4(sin.sin_addr);
	case AF_INET6:
		memcpy(&sin6, sa, sizeof(sin6));
		return addr_from_in6(&sin6.sin6_addr);
	default:
		return none;
	}
}

socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(ss, 0, sizeof(*ss));
	switch (a->family) {
	case AF_INET:
		memcpy(&sin.sin_addr, a->b, sizeof(sin.sin_addr));
		memcpy(ss, &sin, sizeof(sin));
		return sizeof(sin);
	case AF_INET6:
		memcpy(&sin6.sin6_addr, a->b, sizeof(sin6.sin6_addr));
		memcpy(ss, &sin6, sizeof(sin6));
		return sizeof(sin6);
	default:
		return 0;
	}
}

bool addr_parse(const char *text, struct addr *out)
{
	struct addr a = { .family = AF_UNSPEC };

	if (!text)
		return false;
	/* inet_pton() is the strict one: no short forms, octal, scope or blanks. */
	a.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a.family, text, a.b) != 1)
		return false;
	*out = a;
	return true;
}

/* strtoul() would take signs, blanks and leading zeros; a length has one spelling. */
static bool length_parse(const char *text, unsigned int max, uint8_t *out)
{
	unsigned int len = 0;
	size_t i;

	for (i = 0; text[i]; i++) {
		if (text[i] < '0' || text[i] > '9' || i == 3)
			return false;
		len = len * 10 + (unsigned int)(text[i] - '0');
	}
	if (!i || (i > 1 && text[0] == '0') || len > max)
		return false;
	*out = (uint8_t)len;
	return true;
}

bool prefix_parse(const char *text, struct prefix *out, bool *host_bits)
{
	const char *slash = text ? strchr(text, '/') : NULL;
	char addr[ADDR_STRLEN];
	struct prefix p, clean;
	size_t n;

	if (host_bits)
		*host_bits = false;
	if (!slash)
		return false;
	n = (size_t)(slash - text);
	if (n >= sizeof(addr))
		return false;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (!addr_parse(addr, &p.addr) ||
	    !length_parse(slash + 1, addr_bits(p.addr.family), &p.len))
		return false;
	clean = p;
	prefix_normalize(&clean);
	if (!prefix_equal(&clean, &p)) {
		if (host_bits)
			*host_bits = true;
		return false;
	}
	*out = p;
	return true;
}

const char *addr_format(const struct addr *a, char *buf, size_t size)
{
	char text[ADDR_STRLEN];

	/* Through a copy: a short buffer gets a cut text, not inet_ntop()'s nothing. */
	if (!addr_bits(a->family) || !inet_ntop(a->family, a->b, text, sizeof(text)))
		snprintf(buf, size, "none");
	else
		snprintf(buf, size, "%s", text);
	return buf;
}

const char *prefix_format(const struct prefix *p, char *buf, size_t size)
{
	char text[ADDR_STRLEN];

	addr_format(&p->addr, text, sizeof(text));
	if (addr_bits(p->addr.family))
		snprintf(buf, size, "%s/%u", text, p->len);
	else
		snprintf(buf, size, "%s", text);
	return buf;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->addr);
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	unsigned int bits = addr_bits(p->addr.family);
	size_t whole = p->len / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (p->len % 8));

	/* The bound on len keeps a hand-made prefix from reading behind b. */
	if (!bits || p->addr.family != a->family || p->len > bits)
		return false;
	if (memcmp(p->addr.b, a->b, whole))
		return false;
	return !mask || !((p->addr.b[whole] ^ a->b[whole]) & mask);
}

bool prefix_is_default(const struct prefix *p)
{
	return addr_bits(p->addr.family) && !p->len;
}

/* Are bits from number len on clear? len: up to 64. */
static bool tail_is_clear(const uint8_t *bytes, unsigned int len)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return len >= 64 || !(be64toh(word) << len);
}

bool prefix_is_proper(const struct prefix *p)
{
	unsigned int len = p->len;

	if (len > addr_bits(p->addr.family))
		return false;
	/* An IPv4 address is followed by zeros, so that it can be looked at in the same way. */
	return len < 64 ? tail_is_clear(p->addr.b, len) && tail_is_clear(p->addr.b + 8, 0) :
			  tail_is_clear(p->addr.b + 8, len - 64);
}

void prefix_normalize(struct prefix *p)
{
	unsigned int bits = addr_bits(p->addr.family);
	unsigned int len = p->len < bits ? p->len : bits;
	size_t whole = len / 8;

	if (len % 8) {
		p->addr.b[whole] &= (uint8_t)(0xff00 >> (len % 8));
		whole++;
	}
	/* To the end of b, also for IPv4: values are compared as memory. */
	memset(p->addr.b + whole, 0, sizeof(p->addr.b) - whole);
}
