/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases that hold for the module and for the model of it alike: each runs
 * against a struct kernel with one gateway and some tunnel devices whose SAs
 * are alive. They use no test library, so that they run in a VM too.
 */
#ifndef VGW_TESTS_KERNEL_CASES_H
#define VGW_TESTS_KERNEL_CASES_H

#include "lib/loop.h"
#include "sys/kernel.h"

#define CASES_DEVICES 4

struct cases {
	struct loop *loop;
	struct kernel *kernel;
	uint32_t gateway; /* ifindex */
	uint32_t device[CASES_DEVICES]; /* ifindexes of xfrm devices */

	/* the answer that came last */
	bool answered;
	int error;
	char text[128];
	long index;
	struct kernel_gateway is;
	struct kernel_lookup lookup;
	uint32_t generation;
	size_t n_tunnels, n_groups, n_routes, n_policies;
	struct kernel_tunnel tunnels[64];
	struct kernel_group groups[64];
	struct kernel_route routes[2048];
	struct kernel_policy policies[1024];
	struct loop_timer *guard;

	char failure[512]; /* of the case that runs, "" if none */
	char *log; /* transcript of cases_random(), to be freed */
	size_t log_size;
};

struct kernel_case {
	const char *name;
	void (*run)(struct cases *cases);
};

extern const struct kernel_case kernel_cases[];
extern const size_t n_kernel_cases;

/* kernel, gateway, device and loop are set by the caller. False on no memory. */
bool cases_init(struct cases *cases);
void cases_clear(struct cases *cases);
/* From an empty gateway; true if it went well, else failure says what. */
bool cases_run(struct cases *cases, const struct kernel_case *one);
/* A random history with everything that was answered: equal for equal rules. */
bool cases_random(struct cases *cases, unsigned int seed, unsigned int steps);
/* Runs the loop until *flag, 10 s at most. */
bool cases_wait(struct cases *cases, const bool *flag);

#endif
