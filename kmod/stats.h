/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-CPU counters in arrays, indexed by the enums below. Any context may add;
 * sums are exact once the writers are quiet.
 */
#ifndef _VGW_STATS_H
#define _VGW_STATS_H

#include <linux/u64_stats_sync.h>

/* Of a gateway; in the order of the netlink attributes after VGW_A_STATS_GATEWAY. */
enum vgw_stat {
	VGW_STAT_TX_PACKETS,
	VGW_STAT_TX_BYTES,
	VGW_STAT_FAILOVER,
	VGW_STAT_DROP_MISS,
	VGW_STAT_DROP_SYSTEM,
	VGW_STAT_DROP_DEAD,
	VGW_STAT_DROP_RESERVED,
	VGW_STAT_DROP_GUARD,
	VGW_STAT_DROP_TOO_BIG,
	VGW_STAT_DROP_LOOP,
	VGW_STAT_DROP_MALFORMED,
	VGW_STAT_DROP_BLOCKED,
	VGW_STAT_DROP_NO_MEMORY,
	VGW_STAT_DROP_ISOLATION,
	VGW_STAT_DROP_SOURCE,
	VGW_STAT_MSS_CLAMPED,
	VGW_N_STATS,
};

/* Of a tunnel. */
enum vgw_tunnel_stat {
	VGW_TSTAT_TX_PACKETS,
	VGW_TSTAT_TX_BYTES,
	VGW_TSTAT_TX_ERRORS,
	VGW_TSTAT_RX_PACKETS,
	VGW_TSTAT_RX_BYTES,
	VGW_TSTAT_RX_REFUSED,
	VGW_TSTAT_CACHE_HITS,
	VGW_TSTAT_CACHE_FILLS,
	VGW_TSTAT_CACHE_UNUSED,
	VGW_TSTAT_DROP_TOO_BIG,
	VGW_TSTAT_DROP_LOOP,
	VGW_TSTAT_DROP_BLOCKED,
	VGW_TSTAT_DROP_NO_MEMORY,
	VGW_TSTAT_DROP_ISOLATION,
	VGW_N_TSTATS,
};

/* Of a port. */
enum vgw_port_stat {
	VGW_PSTAT_PACKETS,
	VGW_PSTAT_BYTES,
	VGW_PSTAT_ASIDE,
	VGW_PSTAT_OTHER,
	VGW_N_PSTATS,
};

#define VGW_STATS_MAX		VGW_N_STATS
#define VGW_STAT_NAME_SIZE	32

struct vgw_stats {
	u64_stats_t value[VGW_STATS_MAX];
	struct u64_stats_sync syncp;
};

/* Names of the gateway's counters, in the words of the netlink attributes. */
extern const char vgw_stat_names[VGW_N_STATS][VGW_STAT_NAME_SIZE];

struct vgw_stats __percpu *vgw_stats_alloc(void);
void vgw_stats_add(struct vgw_stats __percpu *stats, unsigned int index, u64 count);
/* Adds one packet and its length to two neighbouring counters. */
void vgw_stats_packet(struct vgw_stats __percpu *stats, unsigned int index, unsigned int len);
void vgw_stats_sum(struct vgw_stats __percpu *stats, unsigned int n, u64 *sum);

#endif /* _VGW_STATS_H */
