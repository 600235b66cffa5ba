// SPDX-License-Identifier: GPL-2.0-only
#include "sys/kernel_genl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/vgw.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

/* A route at its worst: IPv6, in a run of its own (nest, class, group, on-fail, array). */
#define ROUTE_ROOM (4 + 8 + 8 + 8 + 4 + sizeof(struct vgw_prefix6))
#define MEMBER_ROOM (4 + 8 + 8)
#define POLICY_ROOM (4 + 4 * 8 + 2 * (4 + sizeof(struct vgw_prefix6)))
#define BASE_ROOM 256

static size_t prefix_size(uint8_t family)
{
	return family == AF_INET6 ? sizeof(struct vgw_prefix6) : sizeof(struct vgw_prefix4);
}

static void write_prefix(void *to, const struct prefix *prefix)
{
	size_t bytes = addr_bits(prefix->addr.family) / 8;

	memset(to, 0, prefix_size(prefix->addr.family));
	memcpy(to, prefix->addr.b, bytes);
	((uint8_t *)to)[bytes] = prefix->len;
}

static bool read_prefix(const struct nlattr *attr, uint8_t family, struct prefix *prefix)
{
	size_t bytes = addr_bits(family) / 8;
	const uint8_t *data = nla_data(attr);

	if ((size_t)nla_len(attr) != prefix_size(family) || data[bytes] > bytes * 8)
		return false;
	memset(prefix, 0, sizeof(*prefix));
	prefix->addr.family = family;
	memcpy(prefix->addr.b, data, bytes);
	prefix->len = data[bytes];
	prefix_normalize(prefix);
	return true;
}

/* Requests */

static int put_guards(struct nl_msg *msg, const struct kernel_call *call, int type, uint8_t family)
{
	size_t n = 0, size = prefix_size(family);
	struct nlattr *attr;
	char *to;

	for (size_t i = 0; i < call->n_guards; i++)
		n += call->guards[i].addr.family == family;
	attr = nla_reserve(msg, type, (int)(n * size));
	if (!attr)
		return -1;
	to = nla_data(attr);
	for (size_t i = 0; i < call->n_guards; i++) {
		if (call->guards[i].addr.family != family)
			continue;
		write_prefix(to, &call->guards[i]);
		to += size;
	}
	return 0;
}

static int put_hash(struct nl_msg *msg, const struct kernel_hash *hash)
{
	return nla_put_u32(msg, VGW_A_GATEWAY_HASH_SEED, hash->seed) ||
	       nla_put_u8(msg, VGW_A_GATEWAY_HASH_FIELDS, hash->fields) ||
	       nla_put_u32(msg, VGW_A_GATEWAY_HASH_IDLE, hash->idle_ms);
}

static int put_gateway(struct nl_msg *msg, const struct kernel_call *call)
{
	if (nla_put_u32(msg, VGW_A_GATEWAY_IFINDEX, call->gateway) ||
	    (call->quota && nla_put_u32(msg, VGW_A_GATEWAY_QUOTA, *call->quota)) ||
	    (call->hash && put_hash(msg, call->hash)))
		return -1;
	if (call->op == KERNEL_OP_COMMIT)
		return nla_put_u32(msg, VGW_A_GATEWAY_GENERATION, call->id);
	if (!call->guards)
		return 0;
	return put_guards(msg, call, VGW_A_GATEWAY_GUARD4, AF_INET) ||
	       put_guards(msg, call, VGW_A_GATEWAY_GUARD6, AF_INET6);
}

static int put_tunnel(struct nl_msg *msg, const struct kernel_call *call)
{
	const struct kernel_tunnel *tunnel = call->tunnel;

	return nla_put_u32(msg, VGW_A_TUNNEL_GATEWAY, call->gateway) ||
	       nla_put_u32(msg, VGW_A_TUNNEL_ID, tunnel->id) ||
	       (tunnel->ifindex && nla_put_u32(msg, VGW_A_TUNNEL_IFINDEX, tunnel->ifindex)) ||
	       nla_put_u32(msg, VGW_A_TUNNEL_CONNECTION, tunnel->connection) ||
	       nla_put_u32(msg, VGW_A_TUNNEL_SITE, tunnel->site) ||
	       nla_put_u8(msg, VGW_A_TUNNEL_SOURCE_CHECK, tunnel->source_check) ||
	       nla_put_u8(msg, VGW_A_TUNNEL_TRANSIT, tunnel->transit) ||
	       nla_put_u8(msg, VGW_A_TUNNEL_FAILED, tunnel->failed);
}

static int put_group(struct nl_msg *msg, const struct kernel_call *call)
{
	const struct kernel_group *group = call->group;

	if (nla_put_u32(msg, VGW_A_GROUP_GATEWAY, call->gateway) ||
	    nla_put_u32(msg, VGW_A_GROUP_ID, group->id))
		return -1;
	for (uint32_t i = 0; i < group->n_members; i++) {
		struct nlattr *nest = nla_nest_start(msg, VGW_A_GROUP_MEMBER);

		if (!nest || nla_put_u32(msg, VGW_A_MEMBER_TUNNEL, group->members[i].tunnel) ||
		    nla_put_u8(msg, VGW_A_MEMBER_WEIGHT, group->members[i].weight))
			return -1;
		nla_nest_end(msg, nest);
	}
	return 0;
}

static int put_run(struct nl_msg *msg, const struct kernel_call *call,
		   const struct kernel_route_ref *order, size_t n)
{
	const struct kernel_route *first = &call->routes[order[0].index];
	uint8_t family = first->prefix.addr.family;
	struct nlattr *nest = nla_nest_start(msg, VGW_A_ROUTES_ROUTE), *array;
	size_t size = prefix_size(family);

	if (!nest || nla_put_u8(msg, VGW_A_ROUTE_CLASS, first->class))
		return -1;
	if (call->op == KERNEL_OP_ROUTES_ADD &&
	    ((first->group && nla_put_u32(msg, VGW_A_ROUTE_GROUP, first->group)) ||
	     nla_put_u8(msg, VGW_A_ROUTE_ON_FAIL, first->on_fail)))
		return -1;
	array = nla_reserve(msg, family == AF_INET6 ? VGW_A_ROUTE_PREFIX6 : VGW_A_ROUTE_PREFIX4,
			    (int)(n * size));
	if (!array)
		return -1;
	for (size_t i = 0; i < n; i++)
		write_prefix((char *)nla_data(array) + i * size,
			     &call->routes[order[i].index].prefix);
	nla_nest_end(msg, nest);
	return 0;
}

static int put_routes(struct nl_msg *msg, const struct kernel_call *call,
		      struct kernel_route_ref *order)
{
	size_t n = call->n_routes, end;

	kernel_routes_order(call->routes, n, call->op == KERNEL_OP_ROUTES_ADD, order);
	if (nla_put_u32(msg, VGW_A_ROUTES_GATEWAY, call->gateway))
		return -1;
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && order[end].run == order[i].run;)
			end++;
		if (put_run(msg, call, &order[i], end - i))
			return -1;
	}
	return 0;
}

static int put_addr(struct nl_msg *msg, int type4, int type6, const struct addr *addr)
{
	if (!addr_is_set(addr))
		return 0;
	return nla_put(msg, addr->family == AF_INET6 ? type6 : type4,
		       (int)addr_bits(addr->family) / 8, addr->b);
}

static int put_flow(struct nl_msg *msg, const struct kernel_call *call)
{
	const struct kernel_flow *flow = call->flow;

	return nla_put_u32(msg, VGW_A_LOOKUP_GATEWAY, call->gateway) ||
	       put_addr(msg, VGW_A_LOOKUP_DST4, VGW_A_LOOKUP_DST6, &flow->dst) ||
	       put_addr(msg, VGW_A_LOOKUP_SRC4, VGW_A_LOOKUP_SRC6, &flow->src) ||
	       nla_put_u8(msg, VGW_A_LOOKUP_PROTOCOL, flow->protocol) ||
	       nla_put_u16(msg, VGW_A_LOOKUP_SPORT, flow->sport) ||
	       nla_put_u16(msg, VGW_A_LOOKUP_DPORT, flow->dport) ||
	       nla_put_u32(msg, VGW_A_LOOKUP_FLOW_LABEL, flow->flow_label);
}

static int put_prefix(struct nl_msg *msg, int type4, int type6, const struct prefix *prefix)
{
	bool v6 = prefix->addr.family == AF_INET6;
	struct nlattr *attr =
		nla_reserve(msg, v6 ? type6 : type4, (int)prefix_size(prefix->addr.family));

	if (!attr)
		return -1;
	write_prefix(nla_data(attr), prefix);
	return 0;
}

static int put_policy(struct nl_msg *msg, const struct kernel_policy *policy, bool add)
{
	struct nlattr *nest = nla_nest_start(msg, VGW_A_POLICY_ROUTES_POLICY_ROUTE);

	if (!nest || nla_put_u32(msg, VGW_A_POLICY_ROUTE_PRIORITY, policy->priority) ||
	    nla_put_u32(msg, VGW_A_POLICY_ROUTE_SEQUENCE, policy->sequence) ||
	    put_prefix(msg, VGW_A_POLICY_ROUTE_SRC4, VGW_A_POLICY_ROUTE_SRC6, &policy->src) ||
	    put_prefix(msg, VGW_A_POLICY_ROUTE_DST4, VGW_A_POLICY_ROUTE_DST6, &policy->dst))
		return -1;
	if (add &&
	    ((policy->group && nla_put_u32(msg, VGW_A_POLICY_ROUTE_GROUP, policy->group)) ||
	     nla_put_u8(msg, VGW_A_POLICY_ROUTE_ON_FAIL, policy->on_fail)))
		return -1;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_policies(struct nl_msg *msg, const struct kernel_call *call)
{
	if (nla_put_u32(msg, VGW_A_POLICY_ROUTES_GATEWAY, call->gateway))
		return -1;
	for (size_t i = 0; i < call->n_policies; i++)
		if (put_policy(msg, &call->policies[i], call->op == KERNEL_OP_POLICIES_ADD))
			return -1;
	return 0;
}

static const struct {
	uint8_t cmd;
	uint8_t gateway; /* attribute that names the gateway, where that and the id is all */
	uint8_t id;
	int (*put)(struct nl_msg *msg, const struct kernel_call *call);
} requests[] = {
	[KERNEL_OP_GATEWAY_GET] = { VGW_CMD_GATEWAY_GET, .put = put_gateway },
	[KERNEL_OP_GATEWAY_SET] = { VGW_CMD_GATEWAY_SET, .put = put_gateway },
	[KERNEL_OP_TUNNEL_SET] = { VGW_CMD_TUNNEL_SET, .put = put_tunnel },
	[KERNEL_OP_TUNNEL_DEL] = { VGW_CMD_TUNNEL_DEL, VGW_A_TUNNEL_GATEWAY, VGW_A_TUNNEL_ID },
	[KERNEL_OP_GROUP_SET] = { VGW_CMD_GROUP_SET, .put = put_group },
	[KERNEL_OP_GROUP_DEL] = { VGW_CMD_GROUP_DEL, VGW_A_GROUP_GATEWAY, VGW_A_GROUP_ID },
	[KERNEL_OP_ROUTES_ADD] = { VGW_CMD_ROUTE_ADD },
	[KERNEL_OP_ROUTES_DEL] = { VGW_CMD_ROUTE_DEL },
	[KERNEL_OP_BEGIN] = { VGW_CMD_GENERATION_BEGIN, .put = put_gateway },
	[KERNEL_OP_COMMIT] = { VGW_CMD_GENERATION_COMMIT, .put = put_gateway },
	[KERNEL_OP_LOOKUP] = { VGW_CMD_LOOKUP, .put = put_flow },
	[KERNEL_OP_STATS_GET] = { VGW_CMD_STATS_GET, VGW_A_STATS_GATEWAY },
	[KERNEL_OP_TUNNELS_DUMP] = { VGW_CMD_TUNNEL_GET, VGW_A_TUNNEL_GATEWAY },
	[KERNEL_OP_GROUPS_DUMP] = { VGW_CMD_GROUP_GET, VGW_A_GROUP_GATEWAY },
	[KERNEL_OP_ROUTES_DUMP] = { VGW_CMD_ROUTE_GET, VGW_A_ROUTES_GATEWAY },
	[KERNEL_OP_POLICIES_ADD] = { VGW_CMD_POLICY_ROUTE_ADD, .put = put_policies },
	[KERNEL_OP_POLICIES_DEL] = { VGW_CMD_POLICY_ROUTE_DEL, .put = put_policies },
	[KERNEL_OP_POLICIES_DUMP] = { VGW_CMD_POLICY_ROUTE_GET, VGW_A_POLICY_ROUTES_GATEWAY },
	[KERNEL_OP_PORT_ADD] = { VGW_CMD_PORT_ADD, VGW_A_PORT_GATEWAY, VGW_A_PORT_IFINDEX },
	[KERNEL_OP_PORT_DEL] = { VGW_CMD_PORT_DEL, VGW_A_PORT_GATEWAY, VGW_A_PORT_IFINDEX },
	[KERNEL_OP_PORTS_DUMP] = { VGW_CMD_PORT_GET, VGW_A_PORT_GATEWAY },
};

static int put_request(struct nl_msg *msg, const struct kernel_call *call,
		       struct kernel_route_ref *order)
{
	if (call->op == KERNEL_OP_ROUTES_ADD || call->op == KERNEL_OP_ROUTES_DEL)
		return put_routes(msg, call, order);
	if (requests[call->op].put)
		return requests[call->op].put(msg, call);
	if (nla_put_u32(msg, requests[call->op].gateway, call->gateway))
		return -1;
	return requests[call->op].id ? nla_put_u32(msg, requests[call->op].id, call->id) : 0;
}

static size_t room_for(const struct kernel_call *call)
{
	return BASE_ROOM + call->n_routes * ROUTE_ROOM + call->n_policies * POLICY_ROOM +
	       call->n_guards * sizeof(struct vgw_prefix6) +
	       (call->group ? call->group->n_members * MEMBER_ROOM : 0);
}

struct nl_msg *kernel_genl_encode(const struct kernel_call *call, struct kernel_route_ref *order,
				  int *error)
{
	int flags = NLM_F_REQUEST | (kernel_op_is_dump(call->op) ? NLM_F_DUMP : NLM_F_ACK);
	struct nl_msg *msg = nlmsg_alloc_size(room_for(call));

	*error = -ENOMEM;
	if (!msg)
		return NULL;
	if (genlmsg_put(msg, 0, 0, 0, 0, flags, requests[call->op].cmd, VGW_FAMILY_VERSION) &&
	    !put_request(msg, call, order))
		return msg;
	/* The room is right for all but a list of guard ranges beyond what an attribute holds. */
	*error = -EMSGSIZE;
	nlmsg_free(msg);
	return NULL;
}

long kernel_genl_route_at(struct nlmsghdr *request, uint32_t offset)
{
	const char *at = (const char *)request + offset;
	struct nlattr *run, *attr;
	long first = 0;
	int rem, rem_run;

	nlmsg_for_each_attr(run, request, GENL_HDRLEN, rem) {
		long count = 0, place = 0;

		if (nla_type(run) != VGW_A_ROUTES_ROUTE)
			continue;
		nla_for_each_nested(attr, run, rem_run) {
			bool v6 = nla_type(attr) == VGW_A_ROUTE_PREFIX6;
			const char *data = nla_data(attr);
			long size = (long)prefix_size(v6 ? AF_INET6 : AF_INET);

			if (!v6 && nla_type(attr) != VGW_A_ROUTE_PREFIX4)
				continue;
			count = nla_len(attr) / size;
			if (at >= data && at < data + nla_len(attr))
				place = (at - data) / size;
		}
		if (at >= (const char *)run && at < (const char *)run + run->nla_len)
			return first + place;
		first += count;
	}
	return -1;
}

long kernel_genl_policy_at(struct nlmsghdr *request, uint32_t offset)
{
	const char *at = (const char *)request + offset;
	struct nlattr *attr;
	long place = 0;
	int rem;

	nlmsg_for_each_attr(attr, request, GENL_HDRLEN, rem) {
		if (nla_type(attr) != VGW_A_POLICY_ROUTES_POLICY_ROUTE)
			continue;
		if (at >= (const char *)attr && at < (const char *)attr + attr->nla_len)
			return place;
		place++;
	}
	return -1;
}

/* Replies. Attributes that are absent leave zero. */

static int parse(struct nlmsghdr *nlh, struct nlattr **a, int max)
{
	return genlmsg_parse(nlh, 0, a, max, NULL) < 0 ? -EPROTO : 0;
}

static uint8_t get_u8(const struct nlattr *attr)
{
	return attr && nla_len(attr) >= 1 ? nla_get_u8(attr) : 0;
}

static uint32_t get_u32(const struct nlattr *attr)
{
	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

static uint64_t get_u64(const struct nlattr *attr)
{
	return attr && nla_len(attr) >= 8 ? nla_get_u64(attr) : 0;
}

static void get_addr(struct nlattr *v4, struct nlattr *v6, struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (v4 && nla_len(v4) >= 4) {
		addr->family = AF_INET;
		memcpy(addr->b, nla_data(v4), 4);
	} else if (v6 && nla_len(v6) >= 16) {
		addr->family = AF_INET6;
		memcpy(addr->b, nla_data(v6), 16);
	}
}

/* True with *prefix AF_UNSPEC if neither is there; false if what is there is malformed. */
static bool get_prefix(const struct nlattr *v4, const struct nlattr *v6, struct prefix *prefix)
{
	memset(prefix, 0, sizeof(*prefix));
	if (v4)
		return read_prefix(v4, AF_INET, prefix);
	return v6 ? read_prefix(v6, AF_INET6, prefix) : true;
}

int kernel_genl_decode_gateway(struct nlmsghdr *nlh, struct kernel_gateway *gateway)
{
	struct nlattr *a[VGW_A_GATEWAY_MAX + 1];

	if (parse(nlh, a, VGW_A_GATEWAY_MAX))
		return -EPROTO;
	*gateway = (struct kernel_gateway){
		.ifindex = get_u32(a[VGW_A_GATEWAY_IFINDEX]),
		.quota = get_u32(a[VGW_A_GATEWAY_QUOTA]),
		.hash = { .seed = get_u32(a[VGW_A_GATEWAY_HASH_SEED]),
			  .idle_ms = get_u32(a[VGW_A_GATEWAY_HASH_IDLE]),
			  .fields = get_u8(a[VGW_A_GATEWAY_HASH_FIELDS]) },
		.generation = get_u32(a[VGW_A_GATEWAY_GENERATION]),
		.tunnels = get_u32(a[VGW_A_GATEWAY_TUNNELS]),
		.groups = get_u32(a[VGW_A_GATEWAY_GROUPS]),
		.routes = get_u32(a[VGW_A_GATEWAY_ROUTES]),
		.dynamic_prefixes = get_u32(a[VGW_A_GATEWAY_DYNAMIC_PREFIXES]),
		.policies = get_u32(a[VGW_A_GATEWAY_POLICY_ROUTES]),
		.protocol_version = get_u32(a[VGW_A_GATEWAY_PROTOCOL_VERSION]),
		.generation_open = get_u8(a[VGW_A_GATEWAY_GENERATION_OPEN]),
		.memory = get_u64(a[VGW_A_GATEWAY_MEMORY]),
	};
	return 0;
}

int kernel_genl_decode_tunnel(struct nlmsghdr *nlh, uint32_t *gateway,
			      struct kernel_tunnel *tunnel)
{
	struct nlattr *a[VGW_A_TUNNEL_MAX + 1];

	if (parse(nlh, a, VGW_A_TUNNEL_MAX))
		return -EPROTO;
	*gateway = get_u32(a[VGW_A_TUNNEL_GATEWAY]);
	*tunnel = (struct kernel_tunnel){
		.id = get_u32(a[VGW_A_TUNNEL_ID]),
		.ifindex = get_u32(a[VGW_A_TUNNEL_IFINDEX]),
		.if_id = get_u32(a[VGW_A_TUNNEL_IF_ID]),
		.connection = get_u32(a[VGW_A_TUNNEL_CONNECTION]),
		.site = get_u32(a[VGW_A_TUNNEL_SITE]),
		.source_check = get_u8(a[VGW_A_TUNNEL_SOURCE_CHECK]),
		.transit = get_u8(a[VGW_A_TUNNEL_TRANSIT]),
		.failed = get_u8(a[VGW_A_TUNNEL_FAILED]),
		.state = get_u8(a[VGW_A_TUNNEL_STATE]),
		.reason = get_u8(a[VGW_A_TUNNEL_REASON]),
		.spi = ntohl(get_u32(a[VGW_A_TUNNEL_SPI])),
		.mtu = get_u32(a[VGW_A_TUNNEL_MTU]),
		.transitions = get_u32(a[VGW_A_TUNNEL_TRANSITIONS]),
		.tx_packets = get_u64(a[VGW_A_TUNNEL_TX_PACKETS]),
		.tx_bytes = get_u64(a[VGW_A_TUNNEL_TX_BYTES]),
		.tx_errors = get_u64(a[VGW_A_TUNNEL_TX_ERRORS]),
		.rx_packets = get_u64(a[VGW_A_TUNNEL_RX_PACKETS]),
		.rx_bytes = get_u64(a[VGW_A_TUNNEL_RX_BYTES]),
		.rx_refused = get_u64(a[VGW_A_TUNNEL_RX_REFUSED]),
		.last_rx_ms = a[VGW_A_TUNNEL_LAST_RX] ? get_u64(a[VGW_A_TUNNEL_LAST_RX]) :
							UINT64_MAX,
		.cache4 = get_u8(a[VGW_A_TUNNEL_CACHE4]),
		.cache6 = get_u8(a[VGW_A_TUNNEL_CACHE6]),
		.cache_hits = get_u64(a[VGW_A_TUNNEL_CACHE_HITS]),
		.cache_fills = get_u64(a[VGW_A_TUNNEL_CACHE_FILLS]),
		.cache_unused = get_u64(a[VGW_A_TUNNEL_CACHE_UNUSED]),
		.drop_too_big = get_u64(a[VGW_A_TUNNEL_DROP_TOO_BIG]),
		.drop_loop = get_u64(a[VGW_A_TUNNEL_DROP_LOOP]),
		.drop_blocked = get_u64(a[VGW_A_TUNNEL_DROP_BLOCKED]),
		.drop_no_memory = get_u64(a[VGW_A_TUNNEL_DROP_NO_MEMORY]),
		.drop_isolation = get_u64(a[VGW_A_TUNNEL_DROP_ISOLATION]),
	};
	get_addr(a[VGW_A_TUNNEL_REMOTE4], a[VGW_A_TUNNEL_REMOTE6], &tunnel->remote);
	return 0;
}

static int read_member(struct nlattr *nest, struct kernel_group *group)
{
	struct nlattr *a[VGW_A_MEMBER_MAX + 1];

	if (group->n_members == KERNEL_MEMBERS_MAX ||
	    nla_parse_nested(a, VGW_A_MEMBER_MAX, nest, NULL) < 0)
		return -EPROTO;
	group->members[group->n_members++] = (struct kernel_member){
		.tunnel = get_u32(a[VGW_A_MEMBER_TUNNEL]),
		.weight = get_u8(a[VGW_A_MEMBER_WEIGHT]),
		.buckets = get_u32(a[VGW_A_MEMBER_BUCKETS]),
		.live = get_u8(a[VGW_A_MEMBER_LIVE]),
	};
	return 0;
}

static int decode_group(struct nlmsghdr *nlh, struct kernel_group *group)
{
	struct nlattr *a[VGW_A_GROUP_MAX + 1], *attr;
	int rem;

	if (parse(nlh, a, VGW_A_GROUP_MAX))
		return -EPROTO;
	group->id = get_u32(a[VGW_A_GROUP_ID]);
	group->buckets = get_u32(a[VGW_A_GROUP_BUCKETS]);
	group->live = get_u32(a[VGW_A_GROUP_LIVE]);
	group->mtu = get_u32(a[VGW_A_GROUP_MTU]);
	group->routes = get_u32(a[VGW_A_GROUP_ROUTES]);
	group->packets = get_u64(a[VGW_A_GROUP_PACKETS]);
	group->kept = get_u32(a[VGW_A_GROUP_KEPT]);
	group->failover = get_u64(a[VGW_A_GROUP_FAILOVER]);
	group->drop_dead = get_u64(a[VGW_A_GROUP_DROP_DEAD]);
	group->drop_reserved = get_u64(a[VGW_A_GROUP_DROP_RESERVED]);
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem)
		if (nla_type(attr) == VGW_A_GROUP_MEMBER && read_member(attr, group))
			return -EPROTO;
	return 0;
}

static int read_route(struct nlattr *nest, struct kernel_route *route)
{
	struct nlattr *a[VGW_A_ROUTE_MAX + 1];

	if (nla_parse_nested(a, VGW_A_ROUTE_MAX, nest, NULL) < 0 ||
	    !get_prefix(a[VGW_A_ROUTE_PREFIX4], a[VGW_A_ROUTE_PREFIX6], &route->prefix) ||
	    !route->prefix.addr.family)
		return -EPROTO;
	route->class = get_u8(a[VGW_A_ROUTE_CLASS]);
	route->on_fail = get_u8(a[VGW_A_ROUTE_ON_FAIL]);
	route->group = get_u32(a[VGW_A_ROUTE_GROUP]);
	route->stale = get_u8(a[VGW_A_ROUTE_STALE]);
	return 0;
}

static int decode_routes(struct nlmsghdr *nlh, struct kernel_result *result)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		struct kernel_route *route;

		if (nla_type(attr) != VGW_A_ROUTES_ROUTE)
			continue;
		route = kernel_result_row(result, KERNEL_OP_ROUTES_DUMP);
		if (!route)
			return -ENOMEM;
		if (read_route(attr, route))
			return -EPROTO;
	}
	return 0;
}

static int read_policy(struct nlattr *nest, struct kernel_policy *policy)
{
	struct nlattr *a[VGW_A_POLICY_ROUTE_MAX + 1];

	if (nla_parse_nested(a, VGW_A_POLICY_ROUTE_MAX, nest, NULL) < 0 ||
	    !get_prefix(a[VGW_A_POLICY_ROUTE_SRC4], a[VGW_A_POLICY_ROUTE_SRC6], &policy->src) ||
	    !get_prefix(a[VGW_A_POLICY_ROUTE_DST4], a[VGW_A_POLICY_ROUTE_DST6], &policy->dst) ||
	    !policy->dst.addr.family || policy->src.addr.family != policy->dst.addr.family)
		return -EPROTO;
	policy->priority = get_u32(a[VGW_A_POLICY_ROUTE_PRIORITY]);
	policy->sequence = get_u32(a[VGW_A_POLICY_ROUTE_SEQUENCE]);
	policy->group = get_u32(a[VGW_A_POLICY_ROUTE_GROUP]);
	policy->on_fail = get_u8(a[VGW_A_POLICY_ROUTE_ON_FAIL]);
	policy->stale = get_u8(a[VGW_A_POLICY_ROUTE_STALE]);
	return 0;
}

static int decode_policies(struct nlmsghdr *nlh, struct kernel_result *result)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		struct kernel_policy *policy;

		if (nla_type(attr) != VGW_A_POLICY_ROUTES_POLICY_ROUTE)
			continue;
		policy = kernel_result_row(result, KERNEL_OP_POLICIES_DUMP);
		if (!policy)
			return -ENOMEM;
		if (read_policy(attr, policy))
			return -EPROTO;
	}
	return 0;
}

static int read_candidate(struct nlattr *nest, struct kernel_lookup *lookup)
{
	size_t max = sizeof(lookup->candidates) / sizeof(lookup->candidates[0]);
	struct nlattr *a[VGW_A_CANDIDATE_MAX + 1];
	struct kernel_candidate *candidate;

	if (lookup->n_candidates == max)
		return 0;
	candidate = &lookup->candidates[lookup->n_candidates];
	if (nla_parse_nested(a, VGW_A_CANDIDATE_MAX, nest, NULL) < 0 ||
	    !get_prefix(a[VGW_A_CANDIDATE_PREFIX4], a[VGW_A_CANDIDATE_PREFIX6],
			&candidate->prefix) ||
	    !get_prefix(a[VGW_A_CANDIDATE_SRC4], a[VGW_A_CANDIDATE_SRC6], &candidate->src))
		return -EPROTO;
	candidate->class = get_u8(a[VGW_A_CANDIDATE_CLASS]);
	candidate->on_fail = get_u8(a[VGW_A_CANDIDATE_ON_FAIL]);
	candidate->result = get_u8(a[VGW_A_CANDIDATE_RESULT]);
	candidate->group = get_u32(a[VGW_A_CANDIDATE_GROUP]);
	candidate->live = get_u32(a[VGW_A_CANDIDATE_LIVE]);
	candidate->priority = get_u32(a[VGW_A_CANDIDATE_PRIORITY]);
	candidate->sequence = get_u32(a[VGW_A_CANDIDATE_SEQUENCE]);
	lookup->n_candidates++;
	return 0;
}

static int decode_lookup(struct nlmsghdr *nlh, struct kernel_lookup *lookup)
{
	struct nlattr *a[VGW_A_LOOKUP_MAX + 1], *attr;
	int rem;

	if (parse(nlh, a, VGW_A_LOOKUP_MAX))
		return -EPROTO;
	lookup->n_candidates = 0;
	lookup->verdict = get_u8(a[VGW_A_LOOKUP_VERDICT]);
	lookup->hash = get_u32(a[VGW_A_LOOKUP_HASH]);
	lookup->group = get_u32(a[VGW_A_LOOKUP_GROUP]);
	lookup->bucket = get_u32(a[VGW_A_LOOKUP_BUCKET]);
	lookup->tunnel = get_u32(a[VGW_A_LOOKUP_TUNNEL]);
	lookup->tunnel_ifindex = get_u32(a[VGW_A_LOOKUP_TUNNEL_IFINDEX]);
	lookup->spi = ntohl(get_u32(a[VGW_A_LOOKUP_SPI]));
	lookup->cache = get_u8(a[VGW_A_LOOKUP_CACHE]);
	lookup->kept = get_u8(a[VGW_A_LOOKUP_KEPT]);
	if (!get_prefix(a[VGW_A_LOOKUP_GUARD_PREFIX4], a[VGW_A_LOOKUP_GUARD_PREFIX6],
			&lookup->guard))
		return -EPROTO;
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem)
		if (nla_type(attr) == VGW_A_LOOKUP_CANDIDATE && read_candidate(attr, lookup))
			return -EPROTO;
	return 0;
}

static int decode_stats(struct nlmsghdr *nlh, struct kernel_stats *stats)
{
	struct nlattr *a[VGW_A_STATS_MAX + 1];

	if (parse(nlh, a, VGW_A_STATS_MAX))
		return -EPROTO;
	*stats = (struct kernel_stats){
		.tx_packets = get_u64(a[VGW_A_STATS_TX_PACKETS]),
		.tx_bytes = get_u64(a[VGW_A_STATS_TX_BYTES]),
		.failover = get_u64(a[VGW_A_STATS_FAILOVER]),
		.drop_miss = get_u64(a[VGW_A_STATS_DROP_MISS]),
		.drop_system = get_u64(a[VGW_A_STATS_DROP_SYSTEM]),
		.drop_dead = get_u64(a[VGW_A_STATS_DROP_DEAD]),
		.drop_reserved = get_u64(a[VGW_A_STATS_DROP_RESERVED]),
		.drop_guard = get_u64(a[VGW_A_STATS_DROP_GUARD]),
		.drop_too_big = get_u64(a[VGW_A_STATS_DROP_TOO_BIG]),
		.drop_loop = get_u64(a[VGW_A_STATS_DROP_LOOP]),
		.drop_malformed = get_u64(a[VGW_A_STATS_DROP_MALFORMED]),
		.drop_blocked = get_u64(a[VGW_A_STATS_DROP_BLOCKED]),
		.drop_no_memory = get_u64(a[VGW_A_STATS_DROP_NO_MEMORY]),
		.drop_isolation = get_u64(a[VGW_A_STATS_DROP_ISOLATION]),
		.drop_source = get_u64(a[VGW_A_STATS_DROP_SOURCE]),
		.mss_clamped = get_u64(a[VGW_A_STATS_MSS_CLAMPED]),
	};
	return 0;
}

static int decode_port(struct nlmsghdr *nlh, struct kernel_port *port)
{
	struct nlattr *a[VGW_A_PORT_MAX + 1];

	if (parse(nlh, a, VGW_A_PORT_MAX))
		return -EPROTO;
	*port = (struct kernel_port){
		.ifindex = get_u32(a[VGW_A_PORT_IFINDEX]),
		.state4 = get_u8(a[VGW_A_PORT_STATE4]),
		.state6 = get_u8(a[VGW_A_PORT_STATE6]),
		.packets = get_u64(a[VGW_A_PORT_PACKETS]),
		.bytes = get_u64(a[VGW_A_PORT_BYTES]),
		.aside = get_u64(a[VGW_A_PORT_ASIDE]),
		.other = get_u64(a[VGW_A_PORT_OTHER]),
	};
	return 0;
}

static int decode_begin(struct nlmsghdr *nlh, uint32_t *generation)
{
	struct nlattr *a[VGW_A_GATEWAY_MAX + 1];

	if (parse(nlh, a, VGW_A_GATEWAY_MAX) || !a[VGW_A_GATEWAY_GENERATION])
		return -EPROTO;
	*generation = get_u32(a[VGW_A_GATEWAY_GENERATION]);
	return 0;
}

int kernel_genl_decode(enum kernel_op op, struct nlmsghdr *nlh, struct kernel_result *result)
{
	uint32_t gateway;
	void *row;

	switch (op) {
	case KERNEL_OP_GATEWAY_GET:
		return kernel_genl_decode_gateway(nlh, &result->u.gateway);
	case KERNEL_OP_BEGIN:
		return decode_begin(nlh, &result->u.generation);
	case KERNEL_OP_LOOKUP:
		return decode_lookup(nlh, &result->u.lookup);
	case KERNEL_OP_STATS_GET:
		return decode_stats(nlh, &result->u.stats);
	case KERNEL_OP_ROUTES_DUMP:
		return decode_routes(nlh, result);
	case KERNEL_OP_POLICIES_DUMP:
		return decode_policies(nlh, result);
	case KERNEL_OP_TUNNELS_DUMP:
		row = kernel_result_row(result, op);
		return row ? kernel_genl_decode_tunnel(nlh, &gateway, row) : -ENOMEM;
	case KERNEL_OP_GROUPS_DUMP:
		row = kernel_result_row(result, op);
		return row ? decode_group(nlh, row) : -ENOMEM;
	case KERNEL_OP_PORTS_DUMP:
		row = kernel_result_row(result, op);
		return row ? decode_port(nlh, row) : -ENOMEM;
	default:
		return 0;
	}
}
