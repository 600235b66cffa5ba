// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed and memory of the lookup table, native: the module's own files in a plain
 * process, beside DPDK's tables where they were built in, in one run.
 *
 * usage: table [4|6] [ROUTES] [SEED]
 *
 * Every lookup is checked against a plain one before it is timed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lpm_impl.h"
#include "routes.h"
#include "table.h"

#define BATCH		1000

/* The kernel's allocator in small: size classes out of 2 MiB pages. */

#define CHUNK		(2ul << 20)

static struct class {
	void *free;
	char *at, *end;
} classes[14];

static const size_t class_size[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
				     16384 };

static unsigned int class_of(size_t size)
{
	unsigned int i = 0;

	while (class_size[i] < size)
		i++;
	return i;
}

size_t kmalloc_size_roundup(size_t size)
{
	return class_size[class_of(size)];
}

void *huge_alloc(size_t size)
{
	char *p = mmap(NULL, size + CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		exit(1);
	p = (char *)(((unsigned long)p + CHUNK - 1) & ~(CHUNK - 1));
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

/* A word in front would spoil the alignment: the class is kept per chunk of 64 KiB. */
#define AREA		(8ul << 30)
static char *area, *area_at;
static unsigned char *area_class;

void *kmalloc(size_t size, int flags)
{
	struct class *class = &classes[class_of(size)];
	void *p = class->free;

	if (p) {
		class->free = *(void **)p;
		return p;
	}
	if (class->at + class_size[class - classes] > class->end) {
		if (!area) {
			area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			area = (char *)(((unsigned long)area + CHUNK - 1) & ~(CHUNK - 1));
			madvise(area, AREA - CHUNK, MADV_HUGEPAGE);
			area_at = area;
			area_class = calloc(AREA >> 16, 1);
		}
		class->at = area_at;
		area_at += 65536;
		class->end = area_at;
		area_class[(class->at - area) >> 16] = class - classes;
	}
	p = class->at;
	class->at += class_size[class - classes];
	return p;
}

void *kzalloc(size_t size, int flags)
{
	return memset(kmalloc(size, flags), 0, size);
}

void kfree(const void *p)
{
	struct class *class;

	if (!p)
		return;
	class = &classes[area_class[((char *)p - area) >> 16]];
	*(void **)p = class->free;
	class->free = (void *)p;
}

/* No reader runs while a transaction is freed. */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	func(head);
}

void synchronize_rcu(void)
{
}

void (*after_store)(void);

/* Time */

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct vgw_lpm *lpm;
static struct vgw_lpm_key *keys;
static unsigned int bits;

static u32 vgw_one(const struct vgw_lpm_key *key)
{
	return vgw_lpm_lookup(lpm, key);
}

static u32 slow_one(const struct vgw_lpm_key *key)
{
	u8 len = VGW_LPM_START;

	return vgw_lpm_lookup_below(lpm, key, &len);
}

volatile u32 zero;

static MEASURE(measure_vgw, vgw_one)
static MEASURE(measure_slow, slow_one)

struct subject {
	const char *name;
	double (*measure)(const struct vgw_lpm_key *set, bool dependent);
};

/*
 * In turns, so that what else the machine does meets all of them; medians.
 * Addresses are from all routes alike, or a few popular ones by Zipf's law.
 */
static void compare(const struct subject *subjects, unsigned int n)
{
	static double times[4][4][RUNS];

	for (unsigned int run = 0; run < RUNS; run++)
		for (unsigned int how = 0; how < 4; how++)
			for (unsigned int i = 0; i < n; i++)
				times[how][i][run] =
					subjects[i].measure(how < 2 ? keys : keys + KEYS,
							    !(how & 1));
	printf("%-16s %24s %24s\n", "ns a lookup", "all routes", "popular addresses");
	printf("%-16s %12s %11s %12s %11s\n", "", "dependent", "independent", "dependent",
	       "independent");
	for (unsigned int i = 0; i < n; i++) {
		printf("%-16s", subjects[i].name);
		for (unsigned int how = 0; how < 4; how++) {
			qsort(times[how][i], RUNS, sizeof(double), compare_double);
			printf(" %12.1f", times[how][i][RUNS / 2]);
		}
		printf("\n");
	}
	for (unsigned int i = 1; i < n; i++) {
		printf("vgw / %-10s", subjects[i].name);
		for (unsigned int how = 0; how < 4; how++)
			printf(" %12.2f", times[how][0][RUNS / 2] / times[how][i][RUNS / 2]);
		printf("\n");
	}
}

static void fail(const char *what)
{
	fprintf(stderr, "table: %s\n", what);
	exit(1);
}

/* All routes in batches, in the order they were made up, which is random. */
static void load(void)
{
	double start = now();

	for (unsigned int i = 0; i < n_routes;) {
		struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);

		for (unsigned int end = i + BATCH; i < end && i < n_routes; i++) {
			struct vgw_lpm_key key;

			memcpy(key.addr, routes[i].addr, 16);
			if (vgw_lpm_txn_set(txn, &key, routes[i].len,
					    (struct vgw_lpm_value){ .nh = routes[i].nh }))
				fail("a route was refused");
		}
		vgw_lpm_txn_publish(txn);
		vgw_lpm_txn_free(txn);
	}
	printf("load             %u routes, batches of %u: %.2f us a route\n", n_routes, BATCH,
	       (now() - start) / n_routes * 1e6);
}

/* A route goes and comes back: each in its own transaction. */
static void churn(void)
{
	double start = now(), worst = 0;
	unsigned int n = 100000;

	for (unsigned int i = 0; i < n; i++) {
		const struct route *route = &routes[random_below(n_routes)];
		double before = now();
		struct vgw_lpm_key key;

		memcpy(key.addr, route->addr, 16);
		for (unsigned int back = 0; back < 2; back++) {
			struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);

			if (back)
				vgw_lpm_txn_set(txn, &key, route->len,
						(struct vgw_lpm_value){ .nh = route->nh });
			else
				vgw_lpm_txn_del(txn, &key, route->len);
			vgw_lpm_txn_publish(txn);
			vgw_lpm_txn_free(txn);
		}
		if (now() - before > worst)
			worst = now() - before;
	}
	printf("update           alone in its transaction: %.2f us, worst pair %.0f us\n",
	       (now() - start) / n / 2 * 1e6, worst * 1e6);
}

static void check_all(void)
{
	for (unsigned int i = 0; i < KEYS; i += 4) {
		u16 nh = routes_lookup(bits == 32 ? 4 : 6, keys[i].addr);

		if (vgw_one(&keys[i]) != nh || slow_one(&keys[i]) != nh)
			fail("a lookup is wrong");
	}
}

int main(int argc, char **argv)
{
	static struct subject subjects[] = {
		{ "vgw", measure_vgw },
		{ "slow plane", measure_slow },
#ifdef WITH_DPDK
		{ "rte_lpm", measure_dpdk4 },
#endif
	};
	unsigned int family = argc > 1 ? atoi(argv[1]) : 4;
	unsigned int wanted = argc > 2 ? atoi(argv[2]) : family == 4 ? 1000000 : 250000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	bits = family == 4 ? 32 : 128;
	keys = huge_alloc(2ul * KEYS * sizeof(*keys));
	routes_make(family, wanted, argc > 3 ? strtoull(argv[3], NULL, 0) : 1);
	routes_keys(family, (void *)keys);
	lpm = vgw_lpm_create(bits);
	printf("IPv%u\nempty            %zu bytes\n", family, vgw_lpm_memory(lpm));
	load();
	churn();
	printf("memory           %.2f MiB, both planes, as the allocator rounds it\n",
	       vgw_lpm_memory(lpm) / 1048576.0);
	check_all();
#ifdef WITH_DPDK
	if (family == 6)
		subjects[2] = (struct subject){ "rte_lpm6", measure_dpdk6 };
	dpdk_table(bits);
	for (unsigned int i = 0; i < KEYS; i += 4)
		if (dpdk_lookup(&keys[i]) != routes_lookup(bits == 32 ? 4 : 6, keys[i].addr))
			fail("DPDK's lookup is wrong");
#endif
	compare(subjects, sizeof(subjects) / sizeof(*subjects));
	return 0;
}
