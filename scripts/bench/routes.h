/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A made-up full table and addresses to look up, the same for every benchmark:
 * lengths and crowding follow what a full table of 2025 looks like, ids are 64,
 * most like their neighbours'.
 */
#ifndef _BENCH_ROUTES_H
#define _BENCH_ROUTES_H

#include <stdint.h>

#define KEYS	(1u << 20)

/* A file of routes is an array of these. */
struct route {
	uint8_t addr[16];	/* IPv4: the first four bytes */
	uint8_t len;
	uint8_t pad;
	uint16_t nh;		/* 1 to 64 */
};

extern struct route *routes;
extern unsigned int n_routes;

uint32_t random_u32(void);
unsigned int random_below(unsigned int n);

/* family: 4 or 6. The same seed makes the same table. Ends the program without memory. */
void routes_make(unsigned int family, unsigned int wanted, uint64_t seed);

/*
 * 2 * KEYS addresses of 16 bytes: first inside routes that are chosen alike, then
 * some popular ones of those by Zipf's law.
 */
void routes_keys(unsigned int family, uint8_t (*keys)[16]);

/* The plain lookup that the others are checked against; 0 for no route. */
uint16_t routes_lookup(unsigned int family, const uint8_t *addr);

#endif /* _BENCH_ROUTES_H */
