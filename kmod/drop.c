// SPDX-License-Identifier: GPL-2.0-only
#include "drop.h"

#include "gateway.h"
#include "group.h"
#include "trace.h"
#include "tunnel.h"

/* The tunnel's counter of a cause, VGW_N_TSTATS if it has none. */
static enum vgw_tunnel_stat tunnel_stat(enum vgw_stat cause)
{
	switch (cause) {
	case VGW_STAT_DROP_TOO_BIG:
		return VGW_TSTAT_DROP_TOO_BIG;
	case VGW_STAT_DROP_LOOP:
		return VGW_TSTAT_DROP_LOOP;
	case VGW_STAT_DROP_BLOCKED:
		return VGW_TSTAT_DROP_BLOCKED;
	case VGW_STAT_DROP_NO_MEMORY:
		return VGW_TSTAT_DROP_NO_MEMORY;
	case VGW_STAT_DROP_ISOLATION:
		return VGW_TSTAT_DROP_ISOLATION;
	case VGW_STAT_DROP_SOURCE:
		return VGW_TSTAT_RX_REFUSED;
	default:
		return VGW_N_TSTATS;
	}
}

void vgw_drop(struct vgw_gateway *gw, struct vgw_tunnel *tunnel, const struct sk_buff *skb,
	      enum vgw_stat cause)
{
	enum vgw_tunnel_stat stat = tunnel_stat(cause);

	vgw_stats_add(gw->stats, cause, 1);
	if (tunnel && stat < VGW_N_TSTATS)
		vgw_stats_add(tunnel->stats, stat, 1);
	trace_vgw_drop(gw->dev, skb, cause, tunnel ? tunnel->id : 0, 0);
}

void vgw_drop_unrouted(struct vgw_gateway *gw, struct vgw_group *group, const struct sk_buff *skb,
		       enum vgw_stat cause)
{
	vgw_stats_add(gw->stats, cause, 1);
	if (group && cause == VGW_STAT_DROP_DEAD)
		this_cpu_inc(group->stats->drop_dead);
	else if (group && cause == VGW_STAT_DROP_RESERVED)
		this_cpu_inc(group->stats->drop_reserved);
	trace_vgw_drop(gw->dev, skb, cause, 0, group ? group->id : 0);
}
