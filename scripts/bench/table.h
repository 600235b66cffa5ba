/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the benchmark of the lookup table share. */
#ifndef _BENCH_TABLE_H
#define _BENCH_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "routes.h"

#define RUNS	11

struct vgw_lpm_key;

extern volatile uint32_t zero;

double now(void);

/*
 * One run over all addresses, ns for a lookup. dependent: which address comes next
 * depends on the result before. A macro, so that inline lookups stay inline.
 */
#define MEASURE(name, one)								\
double name(const struct vgw_lpm_key *set, bool dependent)				\
{											\
	uint32_t none = zero, sum = 0, last = 0;					\
	double start = now();								\
											\
	for (unsigned int i = 0; dependent && i < KEYS; i++) {				\
		last = one(&set[i + (last & none)]);					\
		sum += last;								\
	}										\
	for (unsigned int i = 0; !dependent && i < KEYS; i++)				\
		sum += one(&set[i]);							\
	zero = sum & none;								\
	return (now() - start) / KEYS * 1e9;						\
}

/* DPDK's tables, filled with the routes. */
void dpdk_table(unsigned int bits);
uint32_t dpdk_lookup(const struct vgw_lpm_key *key);
double measure_dpdk4(const struct vgw_lpm_key *set, bool dependent);
double measure_dpdk6(const struct vgw_lpm_key *set, bool dependent);

#endif /* _BENCH_TABLE_H */
