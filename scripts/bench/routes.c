// SPDX-License-Identifier: GPL-2.0-only
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOT	65536

static uint64_t state;

uint32_t random_u32(void)
{
	uint64_t x = state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) >> 32;
}

unsigned int random_below(unsigned int n)
{
	return (uint64_t)random_u32() * n >> 32;
}

struct share {
	uint8_t len;
	uint16_t parts;		/* of 1000 */
};

/* Lengths of a full table. */
static const struct share shares4[] = {
	{ 24, 604 }, { 23, 98 }, { 22, 117 }, { 21, 52 }, { 20, 46 }, { 19, 26 }, { 18, 15 },
	{ 17, 9 }, { 16, 14 }, { 15, 3 }, { 14, 3 }, { 13, 2 }, { 12, 1 }, { 11, 1 }, { 25, 2 },
	{ 26, 1 }, { 28, 1 }, { 32, 1 },
};

static const struct share shares6[] = {
	{ 48, 470 }, { 44, 110 }, { 40, 100 }, { 32, 110 }, { 36, 50 }, { 46, 40 }, { 47, 30 },
	{ 42, 25 }, { 33, 15 }, { 34, 10 }, { 35, 10 }, { 29, 20 }, { 28, 4 }, { 24, 1 }, { 20, 1 },
	{ 64, 2 }, { 128, 2 },
};

static uint8_t pick_len(const struct share *shares, unsigned int n)
{
	unsigned int at = random_below(1000);

	for (unsigned int i = 0; i < n; i++) {
		if (at < shares[i].parts)
			return shares[i].len;
		at -= shares[i].parts;
	}
	return shares[0].len;
}

static void cut(uint8_t *addr, unsigned int len)
{
	for (unsigned int i = len; i < 128; i++)
		addr[i / 8] &= ~(0x80 >> i % 8);
}

static uint32_t hash_addr(const uint8_t *addr, uint8_t len)
{
	uint32_t hash = len * 2654435761u;

	for (unsigned int i = 0; i < 16; i++)
		hash = (hash ^ addr[i]) * 16777619u;
	return hash ^ hash >> 15;
}

struct route *routes;
unsigned int n_routes;
static uint32_t *index_of;		/* open hash: route + 1 */
static uint32_t index_mask;

static struct route *find(const uint8_t *addr, uint8_t len)
{
	for (uint32_t at = hash_addr(addr, len);; at++) {
		uint32_t i = index_of[at & index_mask];

		if (!i)
			return NULL;
		if (routes[i - 1].len == len && !memcmp(routes[i - 1].addr, addr, 16))
			return &routes[i - 1];
	}
}

static void route_add(const uint8_t *addr, uint8_t len)
{
	struct route *route = &routes[n_routes];
	uint32_t at = hash_addr(addr, len);
	uint8_t around[16] = {};

	if (find(addr, len))
		return;
	memcpy(route->addr, addr, 16);
	route->len = len;
	/* Seven of ten as the block around them. */
	memcpy(around, addr, 3);
	around[2] &= 0xf0;
	route->nh = 1 + (random_below(10) < 7 ? hash_addr(around, 0) : random_u32()) % 64;
	while (index_of[at & index_mask])
		at++;
	index_of[at & index_mask] = ++n_routes;
}

/* Some 29,500 /16s in use, crowded very differently: few hold hundreds, most few. */
static void routes4(unsigned int wanted)
{
	static uint8_t blocks[29500][2];
	unsigned int n = sizeof(blocks) / sizeof(*blocks);

	for (unsigned int i = 0; i < n; i++) {
		blocks[i][0] = 1 + random_below(222);
		blocks[i][1] = random_below(256);
	}
	while (n_routes < wanted) {
		double skew = random_below(1u << 30) / (double)(1u << 30);
		unsigned int block = n * skew * skew;
		uint8_t addr[16] = { blocks[block][0], blocks[block][1], random_below(256),
				     random_below(256) };
		uint8_t len = pick_len(shares4, sizeof(shares4) / sizeof(*shares4));

		cut(addr, len);
		route_add(addr, len);
	}
}

/* Some 7,200 /24s; in each a few /32s; below them sites, half of them close together. */
static void routes6(unsigned int wanted)
{
	static const uint8_t heads[][2] = { { 0x20, 0x01 }, { 0x24, 0 }, { 0x26, 0 }, { 0x28, 0 },
				       { 0x2a, 0 }, { 0x2c, 0 } };
	static uint8_t blocks[7200][4];
	unsigned int n = sizeof(blocks) / sizeof(*blocks);

	for (unsigned int i = 0; i < n; i++) {
		const uint8_t *head = heads[random_below(6)];

		blocks[i][0] = head[0];
		blocks[i][1] = head[1] ?: random_below(16);
		blocks[i][2] = random_below(256);
		blocks[i][3] = random_below(256);
	}
	while (n_routes < wanted) {
		double skew = random_below(1u << 30) / (double)(1u << 30);
		unsigned int at = n * skew * skew * skew;
		uint8_t *block = blocks[at], addr[16] = {};
		uint8_t len = pick_len(shares6, sizeof(shares6) / sizeof(*shares6));

		memcpy(addr, block, 3);
		addr[3] = block[3] ^ (random_below(3) ? random_below(4) : random_below(256));
		addr[4] = random_below(2) ? random_below(8) : random_below(256);
		addr[5] = random_below(2) ? random_below(16) : random_below(256);
		for (unsigned int i = 6; i < 16; i++)
			addr[i] = random_below(256);
		cut(addr, len);
		route_add(addr, len);
	}
}

uint16_t routes_lookup(unsigned int family, const uint8_t *addr)
{
	for (int len = family == 4 ? 32 : 128; len >= 0; len--) {
		uint8_t part[16];
		struct route *route;

		memcpy(part, addr, 16);
		cut(part, len);
		route = find(part, len);
		if (route)
			return route->nh;
	}
	return 0;
}

void routes_make(unsigned int family, unsigned int wanted, uint64_t seed)
{
	state = seed;
	for (index_mask = 1; index_mask < wanted * 3; index_mask = index_mask * 2 + 1)
		;
	routes = calloc(wanted + 1, sizeof(*routes));
	index_of = calloc(index_mask + 1ul, sizeof(*index_of));
	if (!routes || !index_of) {
		fputs("routes: out of memory\n", stderr);
		exit(1);
	}
	if (family == 4)
		routes4(wanted);
	else
		routes6(wanted);
}

/* Where among the popular addresses a random share of their total weight falls. */
static unsigned int popular_pick(const double *popular)
{
	double at = popular[HOT - 1] * random_u32() / 4294967296.0;
	unsigned int low = 0, high = HOT - 1;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (popular[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void routes_keys(unsigned int family, uint8_t (*keys)[16])
{
	static double popular[HOT];
	double total = 0;

	for (unsigned int i = 0; i < KEYS; i++) {
		const struct route *route = &routes[random_below(n_routes)];

		memcpy(keys[i], route->addr, 16);
		for (unsigned int bit = route->len; bit < (family == 4 ? 32 : 128); bit++)
			if (random_u32() & 1)
				keys[i][bit / 8] |= 0x80 >> bit % 8;
	}
	for (unsigned int i = 0; i < HOT; i++)
		popular[i] = total += 1.0 / (i + 1);
	for (unsigned int i = KEYS; i < 2 * KEYS; i++)
		memcpy(keys[i], keys[popular_pick(popular)], 16);
}
