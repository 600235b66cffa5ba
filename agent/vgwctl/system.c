// SPDX-License-Identifier: GPL-2.0-only
/* One question to the kernel's own routing: does a packet reach the gateway's device at all? */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "sys/rtnl.h"
#include "vgwctl/module.h"

static json_t *route_json(const struct rtnl_route *route, const char *device, const char *gateway)
{
	const char *note = strcmp(device, gateway) ? "does not lead to the gateway" :
						     "leads to the gateway";
	char prefix[PREFIX_STRLEN];

	return json_pack("{s:s, s:i, s:i, s:s?, s:s}", "prefix",
			 prefix_format(&route->prefix, prefix, sizeof(prefix)), "proto",
			 route->protocol, "type", route->type, "dev", *device ? device : NULL,
			 "note", note);
}

json_t *system_route(const struct kernel_flow *flow, const char *gateway)
{
	static const struct rtnl_ops ops;
	char device[IF_NAMESIZE] = "";
	struct rtnl_route route = { 0 };
	struct loop *loop = loop_new();
	struct rtnl *rtnl = loop ? rtnl_new(loop, RT_TABLE_MAIN, &ops, NULL) : NULL;
	json_t *row;
	int ret = -ENOMEM;

	if (rtnl)
		ret = rtnl_route_lookup(rtnl, &flow->dst, 0, &route, device, sizeof(device));
	if (!ret)
		row = route_json(&route, device, gateway);
	else
		row = json_pack("{s:n, s:n, s:n, s:n, s:s}", "prefix", "proto", "type", "dev",
				"note", strerror(-ret));
	rtnl_free(rtnl);
	loop_free(loop);
	return row;
}
