// SPDX-License-Identifier: GPL-2.0-only
/* DPDK's rte_lpm and rte_lpm6 with the benchmark's routes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

#include "table.h"

#define TBL8S_V4	60000
#define TBL8S_V6	350000

/* As the module's header has it, which DPDK's headers do not go with. */
struct vgw_lpm_key {
	uint8_t addr[16];
};

static struct rte_lpm *lpm4;
static struct rte_lpm6 *lpm6;

static inline uint32_t lookup4(const struct vgw_lpm_key *key)
{
	uint32_t nh, addr;

	memcpy(&addr, key->addr, sizeof(addr));
	return rte_lpm_lookup(lpm4, rte_be_to_cpu_32(addr), &nh) ? 0 : nh;
}

static inline uint32_t lookup6(const struct vgw_lpm_key *key)
{
	uint32_t nh;

	return rte_lpm6_lookup(lpm6, key->addr, &nh) ? 0 : nh;
}

MEASURE(measure_dpdk4, lookup4)
MEASURE(measure_dpdk6, lookup6)

uint32_t dpdk_lookup(const struct vgw_lpm_key *key)
{
	return lpm4 ? lookup4(key) : lookup6(key);
}

static int add(const struct route *route)
{
	uint32_t addr;

	if (lpm6)
		return rte_lpm6_add(lpm6, route->addr, route->len, route->nh);
	memcpy(&addr, route->addr, sizeof(addr));
	return rte_lpm_add(lpm4, rte_be_to_cpu_32(addr), route->len, route->nh);
}

void dpdk_table(unsigned int bits)
{
	static char *huge[] = { "table", "--in-memory", "--no-pci", "--no-telemetry", "-l", "1",
				"--log-level", "error" };
	struct rte_lpm_config config4 = { .max_rules = n_routes + 1, .number_tbl8s = TBL8S_V4 };
	struct rte_lpm6_config config6 = { .max_rules = n_routes + 1, .number_tbl8s = TBL8S_V6 };
	double start;

	if (rte_eal_init(sizeof(huge) / sizeof(*huge), huge) < 0) {
		fprintf(stderr, "table: DPDK does not start (it needs huge pages of 2 MiB)\n");
		exit(1);
	}
	if (bits == 32)
		lpm4 = rte_lpm_create("lpm", SOCKET_ID_ANY, &config4);
	else
		lpm6 = rte_lpm6_create("lpm", SOCKET_ID_ANY, &config6);
	if (!lpm4 && !lpm6) {
		fprintf(stderr, "table: DPDK: %s\n", rte_strerror(rte_errno));
		exit(1);
	}
	start = now();
	for (unsigned int i = 0; i < n_routes; i++) {
		if (add(&routes[i])) {
			fprintf(stderr, "table: DPDK refuses route %u\n", i);
			exit(1);
		}
	}
	printf("DPDK's load      %.2f us a route\n", (now() - start) / n_routes * 1e6);
}
