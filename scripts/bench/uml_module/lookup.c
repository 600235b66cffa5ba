// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gateway's table beside the kernel's. The routes are in the initial namespace's
 * main table already, each with a next hop object whose id is that of the route plus
 * 1000 times the family. Both tables must give one answer for every address before they
 * are timed, in turns.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/ip6_fib.h>
#include <net/ip_fib.h>
#include <net/ipv6_stubs.h>
#include <net/net_namespace.h>
#include <net/nexthop.h>

#include "bench.h"
#include "lpm.h"

#define RUNS		5
#define KEYS		(1u << 20)	/* in each of the two sets */
#define CHUNK_KEYS	(1u << 17)	/* 2 MiB at once: on one page of the host */
#define CHUNKS		(2 * KEYS / CHUNK_KEYS)
#define PARTS		16
#define PART_KEYS	(CHUNK_KEYS / PARTS)
#define SAMPLES		(RUNS * CHUNKS / 2 * PARTS)
#define BATCH		1000

/* As scripts/bench/routes.h has it. */
struct route {
	u8 addr[16];
	u8 len;
	u8 pad;
	u16 nh;
};

static struct vgw_lpm *lpm;
static struct vgw_lpm_key *keys[CHUNKS];
static u32 times[2][RUNS][CHUNKS / 2][PARTS];
static struct fib_table *table4;
static struct fib6_table *table6;
/* Made once: what a flow costs to fill in is not the table's. */
static struct flowi4 flow4;
static struct flowi6 flow6;

static inline u32 vgw_one(const struct vgw_lpm_key *key)
{
	return vgw_lpm_lookup(lpm, key);
}

static inline u32 fib4_one(const struct vgw_lpm_key *key)
{
	struct fib_result result;

	flow4.daddr = *(const __be32 *)key->addr;
	if (fib_table_lookup(table4, &flow4, &result, FIB_LOOKUP_NOREF))
		return 0;
	return result.fi->nh->id - 4000;
}

static inline u32 fib6_one(const struct vgw_lpm_key *key)
{
	struct fib6_result result;

	memcpy(&flow6.daddr, key->addr, sizeof(flow6.daddr));
	if (ipv6_stub->fib6_table_lookup(&init_net, table6, 0, &flow6, &result, 0) ||
	    !result.f6i || !result.f6i->nh)
		return 0;
	return result.f6i->nh->id - 6000;
}

/* Written by the measurements so that none is left out by the compiler; always 0. */
static u32 zero;

/*
 * One chunk; ns of each part of it. dependent: which address comes next depends on the
 * result before.
 */
#define MEASURE(name, one)								\
static noinline void name(const struct vgw_lpm_key *set, bool dependent, u32 *ns)	\
{											\
	u32 none = READ_ONCE(zero), sum = 0, last = 0;					\
											\
	for (unsigned int part = 0; part < PARTS; part++, set += PART_KEYS) {		\
		u64 start = bench_clock();						\
											\
		rcu_read_lock();							\
		for (unsigned int i = 0; dependent && i < PART_KEYS; i++) {		\
			last = one(&set[i + (last & none)]);				\
			sum += last;							\
		}									\
		for (unsigned int i = 0; !dependent && i < PART_KEYS; i++)		\
			sum += one(&set[i]);						\
		rcu_read_unlock();							\
		ns[part] = bench_clock() - start;					\
	}										\
	WRITE_ONCE(zero, sum & none);							\
}

MEASURE(measure_vgw, vgw_one)
MEASURE(measure_fib4, fib4_one)
MEASURE(measure_fib6, fib6_one)

typedef void measure_t(const struct vgw_lpm_key *set, bool dependent, u32 *ns);

static int compare_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* A file of addresses or routes; bytes read, or an error. */
static ssize_t read_part(struct file *file, void *buffer, size_t size, loff_t *at)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = kernel_read(file, buffer + done, size - done, at);

		if (n < 0)
			return n;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static void free_keys(void)
{
	for (unsigned int i = 0; i < CHUNKS; i++) {
		kfree(keys[i]);
		keys[i] = NULL;
	}
}

static int read_keys(const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	size_t size = CHUNK_KEYS * sizeof(**keys);
	loff_t at = 0;
	int ret = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	for (unsigned int i = 0; !ret && i < CHUNKS; i++) {
		keys[i] = kmalloc(size, GFP_KERNEL);
		if (!keys[i])
			ret = -ENOMEM;
		else if (read_part(file, keys[i], size, &at) != size)
			ret = -EINVAL;
	}
	filp_close(file, NULL);
	return ret;
}

/* Time that it takes is added to *ns. */
static int add_batch(const struct route *routes, unsigned int n, u64 *ns)
{
	u64 start = bench_clock();
	struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);
	int ret = txn ? 0 : -ENOMEM;

	for (unsigned int i = 0; !ret && i < n; i++) {
		struct vgw_lpm_key key;

		memcpy(key.addr, routes[i].addr, sizeof(key.addr));
		ret = vgw_lpm_txn_set(txn, &key, routes[i].len,
				      (struct vgw_lpm_value){ .nh = routes[i].nh });
	}
	if (!ret)
		vgw_lpm_txn_publish(txn);
	if (txn)
		vgw_lpm_txn_free(txn);
	*ns += bench_clock() - start;
	cond_resched();
	return ret;
}

/* Fills the table; the number of routes, or an error. */
static int read_routes(const char *path, u64 *ns)
{
	struct route *batch = kmalloc_array(BATCH, sizeof(*batch), GFP_KERNEL);
	struct file *file = filp_open(path, O_RDONLY, 0);
	ssize_t got = 0;
	loff_t at = 0;
	int ret = 0;

	if (IS_ERR(file) || !batch) {
		ret = batch ? PTR_ERR(file) : -ENOMEM;
	} else {
		while (!ret) {
			got = read_part(file, batch, BATCH * sizeof(*batch), &at);
			if (got <= 0)
				break;
			ret = add_batch(batch, got / sizeof(*batch), ns);
		}
	}
	if (!IS_ERR(file))
		filp_close(file, NULL);
	kfree(batch);
	if (!ret && got < 0)
		ret = got;
	return ret ?: (int)vgw_lpm_count(lpm);
}

static int verify(u32 (*other)(const struct vgw_lpm_key *key))
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < CHUNKS; i++) {
		rcu_read_lock();
		for (unsigned int j = 0; j < CHUNK_KEYS; j++)
			wrong += vgw_one(&keys[i][j]) != other(&keys[i][j]);
		rcu_read_unlock();
		cond_resched();
	}
	if (wrong)
		pr_err("%u of %u answers differ\n", wrong, 2 * KEYS);
	return wrong ? -EBADMSG : 0;
}

/*
 * All runs of one way to ask, a chunk in turns: ns * 10 a lookup over the parts of all
 * chunks. The median, ours and theirs; then what a tenth of the parts was faster than: on
 * a busy machine the others found their caches emptied.
 */
static void compare(measure_t *other, bool popular, bool dependent, u64 result[4])
{
	measure_t *measure[2] = { measure_vgw, other };

	for (unsigned int run = 0; run < RUNS; run++) {
		for (unsigned int i = 0; i < CHUNKS / 2; i++) {
			const struct vgw_lpm_key *set = keys[i + (popular ? CHUNKS / 2 : 0)];

			for (unsigned int j = 0; j < 2; j++)
				measure[j](set, dependent, times[j][run][i]);
			cond_resched();
		}
	}
	for (unsigned int i = 0; i < 2; i++) {
		sort(times[i], SAMPLES, sizeof(u32), compare_u32, NULL);
		result[i] = ((u32 *)times[i])[SAMPLES / 2] * 10ull / PART_KEYS;
		result[i + 2] = ((u32 *)times[i])[SAMPLES / 10] * 10ull / PART_KEYS;
	}
}

/* Lines of compare()'s results, times in tenths of a ns. */
static int report_times(unsigned int family, char *report, size_t size)
{
	int n = 0;

	for (unsigned int how = 0; how < 4; how++) {
		u64 ns[4];

		compare(family == 4 ? measure_fib4 : measure_fib6, how & 2, !(how & 1), ns);
		n += scnprintf(report + n, size - n, "lookup IPv%u %s %s %llu %llu %llu %llu\n",
			       family, how & 2 ? "popular" : "all",
			       how & 1 ? "independent" : "dependent", ns[0], ns[1], ns[2], ns[3]);
	}
	return n;
}

static int bench(unsigned int family, const char *routes, const char *addresses, char *report,
		 size_t size)
{
	u64 ns = 0;
	int n, ret;

	ret = read_keys(addresses);
	if (ret)
		return ret;
	ret = read_routes(routes, &ns);
	if (ret < 0)
		return ret;
	n = scnprintf(report, size, "routes IPv%u %d\nmemory IPv%u %zu\nload IPv%u %llu\n", family,
		      ret, family, vgw_lpm_memory(lpm), family, ns / max(ret, 1));
	ret = verify(family == 4 ? fib4_one : fib6_one);
	if (!ret)
		report_times(family, report + n, size - n);
	return ret;
}

int bench_lookup(unsigned int family, const char *routes, const char *addresses, char *report,
		 size_t size)
{
	int ret = -ENOMEM;

	*report = 0;
	table4 = fib_new_table(&init_net, RT_TABLE_MAIN);
	table6 = ipv6_stub->fib6_get_table(&init_net, RT_TABLE_MAIN);
	lpm = vgw_lpm_create(family == 4 ? 32 : 128);
	if (lpm && table4 && table6)
		ret = bench(family, routes, addresses, report, size);
	vgw_lpm_destroy(lpm);
	free_keys();
	/* What the table gave to RCU. */
	rcu_barrier();
	return ret;
}
