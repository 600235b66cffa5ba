/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of the packet path, in the system "vgw": where a packet goes, that it
 * leaves a dead tunnel, that it is dropped and why, and that a tunnel's XFRM lookup is
 * done anew.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vgw

#if !defined(_VGW_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VGW_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>
#include <linux/vgw.h>

#include "flow.h"
#include "group.h"
#include "select.h"
#include "tunnel.h"

/* Writes 16 bytes, an IPv4 address as a mapped one. */
void vgw_trace_addr(u8 *to, u8 family, const union vgw_addr *addr);

#define vgw_show_family(family)		__print_symbolic(family, { 2, "ipv4" }, { 10, "ipv6" })
#define vgw_show_verdict(verdict)						\
	__print_symbolic(verdict,						\
			 { VGW_VERDICT_TUNNEL, "tunnel" }, { VGW_VERDICT_MISS, "miss" },	\
			 { VGW_VERDICT_SYSTEM, "system" }, { VGW_VERDICT_DEAD, "dead" },	\
			 { VGW_VERDICT_RESERVED, "reserved" }, { VGW_VERDICT_GUARD, "guard" })

/* The choice for a packet, each time one is made: again after a dead tunnel. */
TRACE_EVENT(vgw_lookup,
	TP_PROTO(const struct net_device *dev, const struct vgw_flow *flow, u32 hash,
		 const struct vgw_choice *choice),
	TP_ARGS(dev, flow, hash, choice),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__array(u8, src, 16)
		__array(u8, dst, 16)
		__field(u32, hash)
		__field(u32, group)
		__field(u32, bucket)
		__field(u32, tunnel)
		__field(u16, sport)
		__field(u16, dport)
		__field(u8, protocol)
		__field(u8, verdict)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev->name, IFNAMSIZ);
		vgw_trace_addr(__entry->src, flow->family, &flow->src);
		vgw_trace_addr(__entry->dst, flow->family, &flow->dst);
		__entry->hash = hash;
		__entry->group = choice->group ? choice->group->id : 0;
		__entry->bucket = choice->bucket;
		__entry->tunnel = choice->tunnel ? choice->tunnel->id : 0;
		__entry->sport = ntohs(flow->sport);
		__entry->dport = ntohs(flow->dport);
		__entry->protocol = flow->protocol;
		__entry->verdict = choice->verdict;
	),
	TP_printk("%s src=%pI6c dst=%pI6c protocol=%u ports=%u,%u hash=%#x "
		  "%s group=%u bucket=%u tunnel=%u",
		  __entry->dev, __entry->src, __entry->dst, __entry->protocol,
		  __entry->sport, __entry->dport, __entry->hash,
		  vgw_show_verdict(__entry->verdict), __entry->group, __entry->bucket,
		  __entry->tunnel)
);

/* A packet met a dead tunnel and is given to another, if there is one. */
TRACE_EVENT(vgw_failover,
	TP_PROTO(const struct net_device *dev, u32 group, u32 bucket, u32 tunnel),
	TP_ARGS(dev, group, bucket, tunnel),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__field(u32, group)
		__field(u32, bucket)
		__field(u32, tunnel)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev->name, IFNAMSIZ);
		__entry->group = group;
		__entry->bucket = bucket;
		__entry->tunnel = tunnel;
	),
	TP_printk("%s group=%u bucket=%u dead tunnel=%u", __entry->dev, __entry->group,
		  __entry->bucket, __entry->tunnel)
);

/* A packet ends here. The cause is a name of the gateway's counters. */
TRACE_EVENT(vgw_drop,
	TP_PROTO(const struct net_device *dev, const struct sk_buff *skb, enum vgw_stat cause,
		 u32 tunnel, u32 group),
	TP_ARGS(dev, skb, cause, tunnel, group),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__array(char, cause, VGW_STAT_NAME_SIZE)
		__field(const void *, skb)
		__field(u32, len)
		__field(u32, tunnel)
		__field(u32, group)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev->name, IFNAMSIZ);
		memcpy(__entry->cause, vgw_stat_names[cause], VGW_STAT_NAME_SIZE);
		__entry->skb = skb;
		__entry->len = skb->len;
		__entry->tunnel = tunnel;
		__entry->group = group;
	),
	TP_printk("%s %s skb=%p len=%u tunnel=%u group=%u", __entry->dev, __entry->cause,
		  __entry->skb, __entry->len, __entry->tunnel, __entry->group)
);

/* An XFRM lookup for every flow of the tunnel and family: kept, or why not; or its error. */
TRACE_EVENT(vgw_refill,
	TP_PROTO(const struct net_device *dev, u32 tunnel, u8 family, int error, u8 state),
	TP_ARGS(dev, tunnel, family, error, state),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__field(u32, tunnel)
		__field(int, error)
		__field(u8, family)
		__field(u8, state)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev->name, IFNAMSIZ);
		__entry->tunnel = tunnel;
		__entry->error = error;
		__entry->family = family;
		__entry->state = state;
	),
	TP_printk("%s tunnel=%u %s error=%d cache-state=%u", __entry->dev, __entry->tunnel,
		  vgw_show_family(__entry->family), __entry->error, __entry->state)
);

#endif /* _VGW_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
