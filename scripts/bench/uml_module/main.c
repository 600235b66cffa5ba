// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/module/vgw_bench/parameters/
 *   clock    processor time of the guest's kernel so far, ns
 *   lookup   write "4|6 ROUTES KEYS": compare lookups; read: the report
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "bench.h"

/* The numbers of the host, which is no concern of the kernel's headers here. */
#define HOST_CLOCK_GETTIME	228
#define HOST_CLOCK_THREAD	3

static char report[PAGE_SIZE];	/* under the parameters' lock */

u64 bench_clock(void)
{
	struct {
		s64 sec, nsec;
	} time = {};
	long ret;

	/* The kernel is a process of the host: it may call it. */
	asm volatile("syscall" : "=a" (ret) : "0" (HOST_CLOCK_GETTIME), "D" (HOST_CLOCK_THREAD),
		     "S" (&time) : "rcx", "r11", "memory");
	return time.sec * NSEC_PER_SEC + time.nsec;
}

static int clock_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%llu\n", bench_clock());
}

static const struct kernel_param_ops clock_ops = {
	.get = clock_get,
};

module_param_cb(clock, &clock_ops, NULL, 0444);

static int lookup_set(const char *value, const struct kernel_param *param)
{
	char *words = kstrdup(value, GFP_KERNEL), *rest = words, *family, *routes, *keys;
	int ret = -EINVAL;

	if (!words)
		return -ENOMEM;
	rest = strim(words);
	family = strsep(&rest, " ");
	routes = strsep(&rest, " ");
	keys = rest;
	if (keys && (!strcmp(family, "4") || !strcmp(family, "6")))
		ret = bench_lookup(*family - '0', routes, keys, report, sizeof(report));
	kfree(words);
	return ret;
}

static int lookup_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", report);
}

static const struct kernel_param_ops lookup_ops = {
	.set = lookup_set,
	.get = lookup_get,
};

module_param_cb(lookup, &lookup_ops, NULL, 0600);

static int __init bench_init(void)
{
	return 0;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Benchmarks of vgw in User Mode Linux");
MODULE_LICENSE("GPL");
