// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes as rtnetlink messages, in both directions, and how two of them
 * compare. A route has a set of next hops: the kernel tells the paths of one
 * IPv6 multipath route in any order.
 */
#include "sys/rtnl.h"

#include <errno.h>
#include <linux/vgw.h>
#include <stdlib.h>
#include <string.h>

#include "sys/rtnl_internal.h"

#define HOPS_MAX 512

static struct nla_policy route_policy[RTA_MAX + 1] = {
	[RTA_DST] = { .minlen = 4 },
	[RTA_OIF] = { .type = NLA_U32 },
	[RTA_GATEWAY] = { .minlen = 4 },
	[RTA_PRIORITY] = { .type = NLA_U32 },
	[RTA_PREFSRC] = { .minlen = 4 },
	[RTA_MULTIPATH] = { .minlen = 0 },
	[RTA_TABLE] = { .type = NLA_U32 },
	[RTA_VIA] = { .minlen = 2 },
	[RTA_NH_ID] = { .type = NLA_U32 },
};

static uint32_t get_u32(const struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static void get_bytes(const struct nlattr *attr, size_t skip, uint8_t *out, size_t size)
{
	size_t len = attr ? (size_t)nla_len(attr) : 0;

	if (len <= skip)
		return;
	len -= skip;
	memcpy(out, (const uint8_t *)nla_data(attr) + skip, len < size ? len : size);
}

static void hop_fill(struct rtnl_hop *hop, uint32_t oif, struct nlattr **attrs)
{
	memset(hop, 0, sizeof(*hop));
	hop->oif = oif;
	get_bytes(attrs[RTA_GATEWAY], 0, hop->via, sizeof(hop->via));
	/* A gateway of the other family; its number comes first. */
	get_bytes(attrs[RTA_VIA], sizeof(uint16_t), hop->via, sizeof(hop->via));
}

/* Number of next hops of a multipath attribute; fills them in if hops is given. */
static size_t multipath_read(const struct nlattr *attr, struct rtnl_hop *hops)
{
	const uint8_t *p = nla_data(attr);
	size_t left = (size_t)nla_len(attr), n = 0;

	while (left >= sizeof(struct rtnexthop) && n < HOPS_MAX) {
		struct nlattr *attrs[RTA_MAX + 1] = { NULL };
		struct rtnexthop rtnh;
		size_t step;

		memcpy(&rtnh, p, sizeof(rtnh));
		if (rtnh.rtnh_len < sizeof(rtnh) || rtnh.rtnh_len > left)
			break;
		if (hops) {
			if (rtnh.rtnh_len > sizeof(rtnh))
				nla_parse(attrs, RTA_MAX, (struct nlattr *)(p + sizeof(rtnh)),
					  rtnh.rtnh_len - (int)sizeof(rtnh), route_policy);
			hop_fill(&hops[n], (uint32_t)rtnh.rtnh_ifindex, attrs);
		}
		n++;
		step = NLMSG_ALIGN(rtnh.rtnh_len);
		if (step >= left)
			break;
		p += step;
		left -= step;
	}
	return n;
}

static bool route_wanted(const struct rtnl *rtnl, const struct rtmsg *rtm, struct nlattr **attrs)
{
	uint32_t table = attrs[RTA_TABLE] ? nla_get_u32(attrs[RTA_TABLE]) : rtm->rtm_table;

	/* Cloned: a cached exception. With a source: a table of its own within IPv6. */
	return (rtm->rtm_family == AF_INET || rtm->rtm_family == AF_INET6) &&
	       table == rtnl->table && !(rtm->rtm_flags & RTM_F_CLONED) && !rtm->rtm_src_len &&
	       rtm->rtm_dst_len <= addr_bits(rtm->rtm_family);
}

static void route_fill(struct rtnl_known *known, const struct rtmsg *rtm, struct nlattr **attrs)
{
	size_t bytes = addr_bits(rtm->rtm_family) / 8;
	struct rtnl_route *route = &known->route;

	route->prefix.addr.family = rtm->rtm_family;
	route->prefix.len = rtm->rtm_dst_len;
	get_bytes(attrs[RTA_DST], 0, route->prefix.addr.b, bytes);
	prefix_normalize(&route->prefix);
	route->protocol = rtm->rtm_protocol;
	route->type = rtm->rtm_type;
	/* Some kernels call the multicast range of IPv6 a unicast route of the device. */
	if (rtm->rtm_family == AF_INET6 && rtm->rtm_dst_len >= 8 &&
	    route->prefix.addr.b[0] == 0xff && route->type == RTN_UNICAST)
		route->type = RTN_MULTICAST;
	route->scope = rtm->rtm_scope;
	route->metric = get_u32(attrs[RTA_PRIORITY]);
	known->tos = rtm->rtm_tos;
	known->nhid = get_u32(attrs[RTA_NH_ID]);
	if (attrs[RTA_PREFSRC]) {
		known->source.family = rtm->rtm_family;
		get_bytes(attrs[RTA_PREFSRC], 0, known->source.b, bytes);
	}
}

struct rtnl_known *rtnl_known_parse(const struct rtnl *rtnl, const struct nlmsghdr *nlh, int *error)
{
	const struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *attrs[RTA_MAX + 1];
	struct rtnl_known *known;
	size_t n_hops;

	*error = 0;
	if (nlmsg_datalen(nlh) < (int)sizeof(*rtm) ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*rtm), attrs, RTA_MAX, route_policy) ||
	    !route_wanted(rtnl, rtm, attrs))
		return NULL;
	n_hops = attrs[RTA_MULTIPATH] ? multipath_read(attrs[RTA_MULTIPATH], NULL) :
					attrs[RTA_OIF] != NULL;
	known = calloc(1, sizeof(*known) + n_hops * sizeof(known->hops[0]));
	if (!known) {
		*error = -ENOMEM;
		return NULL;
	}
	route_fill(known, rtm, attrs);
	known->n_hops = (uint16_t)n_hops;
	if (attrs[RTA_MULTIPATH])
		multipath_read(attrs[RTA_MULTIPATH], known->hops);
	else if (n_hops)
		hop_fill(&known->hops[0], nla_get_u32(attrs[RTA_OIF]), attrs);
	if (n_hops)
		known->route.oif = known->hops[0].oif;
	return known;
}

static bool hop_in(const struct rtnl_hop *hop, const struct rtnl_known *known)
{
	for (size_t i = 0; i < known->n_hops; i++)
		if (!memcmp(hop, &known->hops[i], sizeof(*hop)))
			return true;
	return false;
}

bool rtnl_known_overlap(const struct rtnl_known *a, const struct rtnl_known *b)
{
	for (size_t i = 0; i < a->n_hops; i++)
		if (hop_in(&a->hops[i], b))
			return true;
	return false;
}

static bool hops_inside(const struct rtnl_known *a, const struct rtnl_known *b)
{
	for (size_t i = 0; i < a->n_hops; i++)
		if (!hop_in(&a->hops[i], b))
			return false;
	return true;
}

bool rtnl_known_equal(const struct rtnl_known *a, const struct rtnl_known *b)
{
	return prefix_equal(&a->route.prefix, &b->route.prefix) && a->tos == b->tos &&
	       a->route.protocol == b->route.protocol && a->route.type == b->route.type &&
	       a->route.scope == b->route.scope && a->route.metric == b->route.metric &&
	       a->nhid == b->nhid && addr_equal(&a->source, &b->source) &&
	       a->n_hops == b->n_hops && hops_inside(a, b) && hops_inside(b, a);
}

bool rtnl_known_subtract(struct rtnl_known *a, const struct rtnl_known *b)
{
	uint16_t n = 0;

	if (!hops_inside(b, a))
		return false;
	for (size_t i = 0; i < a->n_hops; i++)
		if (!hop_in(&a->hops[i], b))
			a->hops[n++] = a->hops[i];
	a->n_hops = n;
	a->route.oif = n ? a->hops[0].oif : 0;
	return true;
}

static uint8_t route_scope(bool add, const struct rtnl_via *to)
{
	if (!add)
		return RT_SCOPE_NOWHERE;
	return to->oif && !addr_is_set(&to->via) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

struct nl_msg *rtnl_route_msg(const struct rtnl *rtnl, bool add, const struct prefix *prefix,
			      const struct rtnl_via *to)
{
	int bytes = (int)addr_bits(prefix->addr.family) / 8;
	struct rtmsg rtm = {
		.rtm_family = prefix->addr.family,
		.rtm_dst_len = prefix->len,
		.rtm_table = rtnl->table < 256 ? (uint8_t)rtnl->table : RT_TABLE_UNSPEC,
		.rtm_protocol = VGW_RTPROTO,
		.rtm_type = to->oif ? RTN_UNICAST : RTN_UNREACHABLE,
		.rtm_scope = route_scope(add, to),
	};
	struct nl_msg *msg = rtnl_msg_new(add ? RTM_NEWROUTE : RTM_DELROUTE,
					  add ? NLM_F_CREATE | NLM_F_EXCL : 0, &rtm, sizeof(rtm));

	if (!msg)
		return NULL;
	if (nla_put(msg, RTA_DST, bytes, prefix->addr.b) ||
	    nla_put_u32(msg, RTA_TABLE, rtnl->table) ||
	    nla_put_u32(msg, RTA_PRIORITY, to->metric) ||
	    (to->oif && nla_put_u32(msg, RTA_OIF, to->oif)) ||
	    (addr_is_set(&to->via) && nla_put(msg, RTA_GATEWAY, bytes, to->via.b))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* protocol 0: all. The kernel filters if it can; rtnl_known_parse() does in any case. */
struct nl_msg *rtnl_route_dump_msg(const struct rtnl *rtnl, uint8_t family, uint8_t protocol)
{
	struct rtmsg rtm = {
		.rtm_family = family,
		.rtm_table = rtnl->table < 256 ? (uint8_t)rtnl->table : RT_TABLE_UNSPEC,
		.rtm_protocol = protocol,
	};
	struct nl_msg *msg = rtnl_msg_new(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));

	if (msg && nla_put_u32(msg, RTA_TABLE, rtnl->table)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}
