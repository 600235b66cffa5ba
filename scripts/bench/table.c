// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed and memory of the lookup table, native: the module's own files in a plain
 * process, beside DPDK's tables where they were built in, in one run.
 *
 * usage: table [4|6] [ROUTES] [SEED]
 *
 * The table is made up: lengths and crowding follow what a full table of 2025
 * looks like (see routes4() and routes6()), ids are 64, most like their
 * neighbours'. Every lookup is checked against a plain one before it is timed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lpm_impl.h"
#include "table.h"

#define HOT		65536
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

/* Random numbers and routes */

static u64 state;

u32 random_u32(void)
{
	u64 x = state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) >> 32;
}

static unsigned int below(unsigned int n)
{
	return (u64)random_u32() * n >> 32;
}

struct share {
	u8 len;
	u16 parts;		/* of 1000 */
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

static u8 pick_len(const struct share *shares, unsigned int n)
{
	unsigned int at = below(1000);

	for (unsigned int i = 0; i < n; i++) {
		if (at < shares[i].parts)
			return shares[i].len;
		at -= shares[i].parts;
	}
	return shares[0].len;
}

static void cut(u8 *addr, unsigned int len)
{
	for (unsigned int i = len; i < 128; i++)
		addr[i / 8] &= ~(0x80 >> i % 8);
}

static u32 hash_addr(const u8 *addr, u8 len)
{
	u32 hash = len * 2654435761u;

	for (unsigned int i = 0; i < 16; i++)
		hash = (hash ^ addr[i]) * 16777619u;
	return hash ^ hash >> 15;
}

struct route *routes;
unsigned int n_routes;
static u32 *index_of;		/* open hash: route + 1 */
static u32 index_mask;

static struct route *find(const u8 *addr, u8 len)
{
	for (u32 at = hash_addr(addr, len);; at++) {
		u32 i = index_of[at & index_mask];

		if (!i)
			return NULL;
		if (routes[i - 1].len == len && !memcmp(routes[i - 1].addr, addr, 16))
			return &routes[i - 1];
	}
}

static void route_add(const u8 *addr, u8 len)
{
	struct route *route = &routes[n_routes];
	u32 at = hash_addr(addr, len);
	u8 around[16] = {};

	if (find(addr, len))
		return;
	memcpy(route->addr, addr, 16);
	route->len = len;
	/* Seven of ten as the block around them. */
	memcpy(around, addr, 3);
	around[2] &= 0xf0;
	route->nh = 1 + (below(10) < 7 ? hash_addr(around, 0) : random_u32()) % 64;
	while (index_of[at & index_mask])
		at++;
	index_of[at & index_mask] = ++n_routes;
}

/* Some 29,500 /16s in use, crowded very differently: few hold hundreds, most few. */
static void routes4(unsigned int wanted)
{
	static u8 blocks[29500][2];
	unsigned int n = sizeof(blocks) / sizeof(*blocks);

	for (unsigned int i = 0; i < n; i++) {
		blocks[i][0] = 1 + below(222);
		blocks[i][1] = below(256);
	}
	while (n_routes < wanted) {
		double skew = below(1u << 30) / (double)(1u << 30);
		unsigned int block = n * skew * skew;
		u8 addr[16] = { blocks[block][0], blocks[block][1], below(256), below(256) };
		u8 len = pick_len(shares4, sizeof(shares4) / sizeof(*shares4));

		cut(addr, len);
		route_add(addr, len);
	}
}

/* Some 7,200 /24s; in each a few /32s; below them sites, half of them close together. */
static void routes6(unsigned int wanted)
{
	static const u8 heads[][2] = { { 0x20, 0x01 }, { 0x24, 0 }, { 0x26, 0 }, { 0x28, 0 },
				       { 0x2a, 0 }, { 0x2c, 0 } };
	static u8 blocks[7200][4];
	unsigned int n = sizeof(blocks) / sizeof(*blocks);

	for (unsigned int i = 0; i < n; i++) {
		const u8 *head = heads[below(6)];

		blocks[i][0] = head[0];
		blocks[i][1] = head[1] ?: below(16);
		blocks[i][2] = below(256);
		blocks[i][3] = below(256);
	}
	while (n_routes < wanted) {
		double skew = below(1u << 30) / (double)(1u << 30);
		u8 *block = blocks[(unsigned int)(n * skew * skew * skew)], addr[16] = {};
		u8 len = pick_len(shares6, sizeof(shares6) / sizeof(*shares6));

		memcpy(addr, block, 3);
		addr[3] = block[3] ^ (below(3) ? below(4) : below(256));
		addr[4] = below(2) ? below(8) : below(256);
		addr[5] = below(2) ? below(16) : below(256);
		for (unsigned int i = 6; i < 16; i++)
			addr[i] = below(256);
		cut(addr, len);
		route_add(addr, len);
	}
}

/* The plain lookup that the others are checked against. */
static u16 plain_lookup(const u8 *addr, unsigned int bits)
{
	for (int len = bits; len >= 0; len--) {
		u8 part[16];
		struct route *route;

		memcpy(part, addr, 16);
		cut(part, len);
		route = find(part, len);
		if (route)
			return route->nh;
	}
	return 0;
}

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

static void keys_make(void)
{
	double total = 0, *popular = malloc(HOT * sizeof(*popular));
	struct vgw_lpm_key *set = keys + KEYS;

	for (unsigned int i = 0; i < KEYS; i++) {
		const struct route *route = &routes[below(n_routes)];

		memcpy(keys[i].addr, route->addr, 16);
		for (unsigned int b = route->len; b < bits; b++)
			if (random_u32() & 1)
				keys[i].addr[b / 8] |= 0x80 >> b % 8;
	}
	for (unsigned int i = 0; i < HOT; i++)
		popular[i] = total += 1.0 / (i + 1);
	for (unsigned int i = 0; i < KEYS; i++) {
		double at = total * random_u32() / 4294967296.0;
		unsigned int low = 0, high = HOT - 1;

		while (low < high) {
			unsigned int middle = (low + high) / 2;

			if (popular[middle] < at)
				low = middle + 1;
			else
				high = middle;
		}
		set[i] = keys[low];
	}
	free(popular);
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
		const struct route *route = &routes[below(n_routes)];
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
		u16 nh = plain_lookup(keys[i].addr, bits);

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

	state = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bits = family == 4 ? 32 : 128;
	for (index_mask = 1; index_mask < wanted * 3; index_mask = index_mask * 2 + 1)
		;
	routes = calloc(wanted + 1, sizeof(*routes));
	index_of = calloc(index_mask + 1ul, sizeof(*index_of));
	keys = huge_alloc(2ul * KEYS * sizeof(*keys));
	if (family == 4)
		routes4(wanted);
	else
		routes6(wanted);
	keys_make();
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
		if (dpdk_lookup(&keys[i]) != plain_lookup(keys[i].addr, bits))
			fail("DPDK's lookup is wrong");
#endif
	compare(subjects, sizeof(subjects) / sizeof(*subjects));
	return 0;
}
