// SPDX-License-Identifier: GPL-2.0-only
#include "stats.h"

#include <linux/gfp.h>
#include <linux/percpu.h>

const char vgw_stat_names[VGW_N_STATS][VGW_STAT_NAME_SIZE] = {
	[VGW_STAT_TX_PACKETS] = "tx-packets",
	[VGW_STAT_TX_BYTES] = "tx-bytes",
	[VGW_STAT_FAILOVER] = "failover",
	[VGW_STAT_DROP_MISS] = "drop-miss",
	[VGW_STAT_DROP_SYSTEM] = "drop-system",
	[VGW_STAT_DROP_DEAD] = "drop-dead",
	[VGW_STAT_DROP_RESERVED] = "drop-reserved",
	[VGW_STAT_DROP_GUARD] = "drop-guard",
	[VGW_STAT_DROP_TOO_BIG] = "drop-too-big",
	[VGW_STAT_DROP_LOOP] = "drop-loop",
	[VGW_STAT_DROP_MALFORMED] = "drop-malformed",
	[VGW_STAT_DROP_BLOCKED] = "drop-blocked",
	[VGW_STAT_DROP_NO_MEMORY] = "drop-no-memory",
	[VGW_STAT_DROP_ISOLATION] = "drop-isolation",
	[VGW_STAT_DROP_SOURCE] = "drop-source",
	[VGW_STAT_MSS_CLAMPED] = "mss-clamped",
};

struct vgw_stats __percpu *vgw_stats_alloc(void)
{
	struct vgw_stats __percpu *stats = alloc_percpu_gfp(struct vgw_stats, GFP_KERNEL_ACCOUNT);
	int cpu;

	if (!stats)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(stats, cpu)->syncp);
	return stats;
}

void vgw_stats_add(struct vgw_stats __percpu *stats, unsigned int index, u64 count)
{
	struct vgw_stats *here;

	local_bh_disable();
	here = this_cpu_ptr(stats);
	u64_stats_update_begin(&here->syncp);
	u64_stats_add(&here->value[index], count);
	u64_stats_update_end(&here->syncp);
	local_bh_enable();
}

void vgw_stats_packet(struct vgw_stats __percpu *stats, unsigned int index, unsigned int len)
{
	struct vgw_stats *here;

	local_bh_disable();
	here = this_cpu_ptr(stats);
	u64_stats_update_begin(&here->syncp);
	u64_stats_inc(&here->value[index]);
	u64_stats_add(&here->value[index + 1], len);
	u64_stats_update_end(&here->syncp);
	local_bh_enable();
}

void vgw_stats_sum(struct vgw_stats __percpu *stats, unsigned int n, u64 *sum)
{
	int cpu;

	memset(sum, 0, n * sizeof(*sum));
	for_each_possible_cpu(cpu) {
		struct vgw_stats *one = per_cpu_ptr(stats, cpu);

		for (unsigned int i = 0; i < n; i++) {
			unsigned int start;
			u64 value;

			do {
				start = u64_stats_fetch_begin(&one->syncp);
				value = u64_stats_read(&one->value[i]);
			} while (u64_stats_fetch_retry(&one->syncp, start));
			sum[i] += value;
		}
	}
}
