/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the benchmarks' module share. For User Mode Linux only. */
#ifndef _BENCH_KMOD_H
#define _BENCH_KMOD_H

#include <linux/types.h>

/*
 * Processor time of the machine's thread, in ns, as the host counts it. All of the
 * guest's kernel runs on this thread and none of the guest's processes do, so
 * what else the host does takes no part in it.
 */
u64 bench_clock(void);

/*
 * Fills a lookup table with the routes of a file, times it and the kernel's own table
 * with the addresses of another, and writes a report for people and programs.
 * family: 4 or 6. Negative error.
 */
int bench_lookup(unsigned int family, const char *routes, const char *keys, char *report,
		 size_t size);

#endif /* _BENCH_KMOD_H */
