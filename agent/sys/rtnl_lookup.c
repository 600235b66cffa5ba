// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel's own table says of one destination: the route of a packet of this host. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "sys/rtnl_internal.h"

struct rtnl_answer {
	struct rtnl_route *route;
	bool found;
};

static void rtnl_lookup_row(void *ctx, const struct nlmsghdr *nlh)
{
	struct rtnl_answer *answer = ctx;
	const struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *attrs[RTA_MAX + 1];
	struct prefix *prefix = &answer->route->prefix;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*rtm), attrs, RTA_MAX, NULL) < 0)
		return;
	*answer->route = (struct rtnl_route){
		.protocol = rtm->rtm_protocol,
		.type = rtm->rtm_type,
		.scope = rtm->rtm_scope,
	};
	prefix->addr.family = rtm->rtm_family;
	prefix->len = rtm->rtm_dst_len;
	if (attrs[RTA_DST] &&
	    (unsigned int)nla_len(attrs[RTA_DST]) * 8 == addr_bits(rtm->rtm_family))
		memcpy(prefix->addr.b, nla_data(attrs[RTA_DST]), nla_len(attrs[RTA_DST]));
	if (attrs[RTA_OIF])
		answer->route->oif = nla_get_u32(attrs[RTA_OIF]);
	if (attrs[RTA_PRIORITY])
		answer->route->metric = nla_get_u32(attrs[RTA_PRIORITY]);
	prefix_normalize(prefix);
	answer->found = true;
}

int rtnl_route_lookup(struct rtnl *rtnl, const struct addr *dst, uint32_t vrf,
		      struct rtnl_route *out, char *device, size_t size)
{
	unsigned int bits = addr_bits(dst->family);
	struct rtmsg rtm = {
		.rtm_family = dst->family,
		.rtm_dst_len = bits,
		.rtm_flags = RTM_F_FIB_MATCH,
	};
	struct nl_msg *msg = rtnl_msg_new(RTM_GETROUTE, NLM_F_REQUEST, &rtm, sizeof(rtm));
	struct rtnl_answer answer = { .route = out };
	char text[128], name[IF_NAMESIZE];
	int ret;

	if (msg && (nla_put(msg, RTA_DST, bits / 8, dst->b) ||
		    (vrf && nla_put_u32(msg, RTA_OIF, vrf)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = rtnl_call(rtnl, msg, rtnl_lookup_row, &answer, text, sizeof(text));
	if (ret)
		return ret;
	if (!answer.found)
		return -ENETUNREACH;
	snprintf(device, size, "%s", out->oif && if_indextoname(out->oif, name) ? name : "");
	return 0;
}
