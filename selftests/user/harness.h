/* SPDX-License-Identifier: GPL-2.0-only */
/* Results as KTAP, and random numbers that a seed repeats. */
#ifndef _USER_HARNESS_H
#define _USER_HARNESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state;

/* From 0 to below n. */
static inline uint32_t random_below(uint32_t n)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	x ^= x >> 31;
	return n ? (x >> 32) % n : 0;
}

/* Ends the running test: a function that returns 0 on success. */
#define EXPECT(condition)							\
do {										\
	if (!(condition)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);	\
		return 1;							\
	}									\
} while (0)

struct test {
	const char *name;
	int (*run)(void);
};

/* usage: PROGRAM [SEED [ROUNDS]] */
static unsigned int rounds = 1;

static inline int run_tests(const struct test *tests, unsigned int n, int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int failed = 0;

	if (argc > 2)
		rounds = atoi(argv[2]);
	printf("TAP version 13\n1..%u\n# seed %llu\n", n, (unsigned long long)seed);
	for (unsigned int i = 0; i < n; i++) {
		int bad;

		random_state = seed;
		bad = tests[i].run();
		printf("%sok %u %s\n", bad ? "not " : "", i + 1, tests[i].name);
		fflush(stdout);
		failed |= bad;
	}
	return failed;
}

#endif /* _USER_HARNESS_H */
