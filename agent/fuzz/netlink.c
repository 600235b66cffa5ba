// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel sends: answers of the module's family (the first octet is the
 * operation that they answer), and links and routes of rtnetlink (the first octet says
 * which). The rest is the message behind its header, whose length is right: that is
 * what the reading of a socket has made sure of.
 */
#include "fuzz/fuzz.h"

#include <linux/vgw.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#include "sys/kernel_genl.h"
#include "sys/rtnl_internal.h"

#define OPS (KERNEL_OP_ROUTES_DUMP + 1)
#define TABLE 254

/* The message in memory of its own size. */
static struct nlmsghdr *message_new(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh = malloc(NLMSG_HDRLEN + size);

	FUZZ_CHECK(nlh);
	memset(nlh, 0, NLMSG_HDRLEN);
	nlh->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size);
	nlh->nlmsg_type = RTM_NEWROUTE;
	if (size)
		memcpy((char *)nlh + NLMSG_HDRLEN, data, size);
	return nlh;
}

/* Adds a message as a seed; frees it. */
static void add_message(fuzz_add add, uint8_t first, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	size_t size = nlh->nlmsg_len - NLMSG_HDRLEN;
	uint8_t *bytes = malloc(1 + size);

	FUZZ_CHECK(bytes);
	bytes[0] = first;
	memcpy(bytes + 1, nlmsg_data(nlh), size);
	add(bytes, 1 + size);
	free(bytes);
	nlmsg_free(msg);
}

static void check_prefix(const struct prefix *prefix)
{
	struct prefix same = *prefix;
	char text[PREFIX_STRLEN];

	if (!prefix->addr.family)
		return;
	FUZZ_CHECK(prefix->len <= addr_bits(prefix->addr.family));
	prefix_normalize(&same);
	FUZZ_CHECK(!memcmp(&same, prefix, sizeof(same)));
	fuzz_check_text(prefix_format(prefix, text, sizeof(text)));
}

/* ---- the module's family ---- */

static void check_result(enum kernel_op op, const struct kernel_result *result)
{
	if (op == KERNEL_OP_LOOKUP) {
		size_t max = sizeof(result->u.lookup.candidates) /
			     sizeof(result->u.lookup.candidates[0]);

		FUZZ_CHECK(result->u.lookup.n_candidates <= max);
		for (size_t i = 0; i < result->u.lookup.n_candidates; i++)
			check_prefix(&result->u.lookup.candidates[i].prefix);
		check_prefix(&result->u.lookup.guard);
	} else if (op == KERNEL_OP_ROUTES_DUMP) {
		for (size_t i = 0; i < result->n_rows; i++)
			check_prefix(&((struct kernel_route *)result->rows)[i].prefix);
	} else if (op == KERNEL_OP_GROUPS_DUMP) {
		for (size_t i = 0; i < result->n_rows; i++)
			FUZZ_CHECK(((struct kernel_group *)result->rows)[i].n_members <=
				   KERNEL_MEMBERS_MAX);
	}
}

static void genl_run(const uint8_t *data, size_t size)
{
	struct kernel_result result;
	struct kernel_tunnel tunnel;
	struct nlmsghdr *nlh;
	enum kernel_op op;
	uint32_t gateway;

	if (!size)
		return;
	op = (enum kernel_op)(data[0] % OPS);
	nlh = message_new(data + 1, size - 1);
	kernel_result_init(&result);
	if (!kernel_genl_decode(op, nlh, &result))
		check_result(op, &result);
	kernel_result_clear(&result);
	kernel_genl_decode_tunnel(nlh, &gateway, &tunnel);
	for (uint32_t at = 0; at < size && at < 64; at++)
		FUZZ_CHECK(kernel_genl_route_at(nlh, NLMSG_HDRLEN + at) >= -1);
	free(nlh);
}

/* Requests have the form of answers. */
static void add_request(fuzz_add add, struct kernel_call call, enum kernel_op answered)
{
	struct kernel_route_ref order[4];
	struct nl_msg *msg;
	int error;

	call.gateway = 7;
	msg = kernel_genl_encode(&call, order, &error);
	FUZZ_CHECK(msg);
	add_message(add, (uint8_t)answered, msg);
}

/* A nest of 4-octet attributes of every number. */
static void put_all(struct nl_msg *msg, int max)
{
	for (int type = 1; type <= max; type++)
		FUZZ_CHECK(!nla_put_u32(msg, type, (uint32_t)type));
}

static void add_lookup(fuzz_add add)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest;

	FUZZ_CHECK(msg && genlmsg_put(msg, 0, 0, 0, 0, 0, VGW_CMD_LOOKUP, 1));
	FUZZ_CHECK(!nla_put_u32(msg, VGW_A_LOOKUP_GATEWAY, 7));
	for (int i = 0; i < 3; i++) {
		struct vgw_prefix4 prefix = { .len = 8 };

		nest = nla_nest_start(msg, VGW_A_LOOKUP_CANDIDATE);
		FUZZ_CHECK(nest && !nla_put(msg, VGW_A_CANDIDATE_PREFIX4, sizeof(prefix), &prefix));
		FUZZ_CHECK(!nla_put_u32(msg, VGW_A_CANDIDATE_GROUP, 3));
		nla_nest_end(msg, nest);
	}
	add_message(add, KERNEL_OP_LOOKUP, msg);
}

static void add_group(fuzz_add add, unsigned int members)
{
	struct nl_msg *msg = nlmsg_alloc();

	FUZZ_CHECK(msg && genlmsg_put(msg, 0, 0, 0, 0, 0, VGW_CMD_GROUP_GET, 1));
	for (unsigned int i = 0; i < members; i++) {
		struct nlattr *nest = nla_nest_start(msg, VGW_A_GROUP_MEMBER);

		FUZZ_CHECK(nest && !nla_put_u32(msg, VGW_A_MEMBER_TUNNEL, i));
		nla_nest_end(msg, nest);
	}
	add_message(add, KERNEL_OP_GROUPS_DUMP, msg);
}

static void genl_seeds(fuzz_add add)
{
	struct kernel_group group = { .id = 3, .buckets = 256, .n_members = 2 };
	struct kernel_tunnel tunnel = { .id = 1, .ifindex = 9, .if_id = 5, .connection = 1 };
	struct kernel_route routes[3] = { { .group = 3 }, { .group = 3 }, { .group = 3 } };

	prefix_parse("10.1.0.0/16", &routes[0].prefix, NULL);
	prefix_parse("10.2.0.0/16", &routes[1].prefix, NULL);
	prefix_parse("2001:db8::/32", &routes[2].prefix, NULL);
	add_request(add, (struct kernel_call){ .op = KERNEL_OP_GROUP_SET, .group = &group },
		    KERNEL_OP_GROUPS_DUMP);
	add_request(add, (struct kernel_call){ .op = KERNEL_OP_TUNNEL_SET, .tunnel = &tunnel },
		    KERNEL_OP_TUNNELS_DUMP);
	for (size_t i = 0; i < 3; i++)
		add_request(add,
			    (struct kernel_call){ .op = KERNEL_OP_ROUTES_ADD,
						  .routes = routes + i, .n_routes = 1 },
			    KERNEL_OP_ROUTES_DUMP);
	add_request(add,
		    (struct kernel_call){ .op = KERNEL_OP_ROUTES_ADD,
					  .routes = routes, .n_routes = 3 },
		    KERNEL_OP_ROUTES_DUMP);
	add_lookup(add);
	add_group(add, KERNEL_MEMBERS_MAX);
	add_group(add, KERNEL_MEMBERS_MAX + 1);
	for (uint8_t op = 0; op < OPS; op++) {
		struct nl_msg *msg = nlmsg_alloc();

		FUZZ_CHECK(msg && genlmsg_put(msg, 0, 0, 0, 0, 0, 1, 1));
		put_all(msg, 40);
		add_message(add, op, msg);
	}
}

const struct fuzz_target fuzz_genl = { "genl", 4096, genl_run, genl_seeds };

/* ---- rtnetlink ---- */

static void check_route(const struct rtnl_known *known)
{
	struct rtnl_known *copy;
	size_t size = sizeof(*known) + known->n_hops * sizeof(known->hops[0]);

	check_prefix(&known->route.prefix);
	FUZZ_CHECK(rtnl_known_equal(known, known));
	FUZZ_CHECK(!known->n_hops || rtnl_known_overlap(known, known));
	copy = malloc(size);
	FUZZ_CHECK(copy);
	memcpy(copy, known, size);
	/* All of it taken out leaves nothing. */
	FUZZ_CHECK(rtnl_known_subtract(copy, known));
	free(copy);
}

static void check_link(const struct rtnl_link *link)
{
	FUZZ_CHECK(memchr(link->name, '\0', sizeof(link->name)));
	FUZZ_CHECK(memchr(link->kind, '\0', sizeof(link->kind)));
}

static void rtnl_run(const uint8_t *data, size_t size)
{
	static const struct rtnl rtnl = { .table = TABLE };
	struct rtnl_link_details details;
	struct rtnl_known *known;
	struct nlmsghdr *nlh;
	char text[100];
	int error;

	if (!size)
		return;
	nlh = message_new(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		if (rtnl_link_parse(nlh, &details))
			check_link(&details.link);
		break;
	case 1:
		known = rtnl_known_parse(&rtnl, nlh, &error);
		if (known)
			check_route(known);
		free(known);
		break;
	default:
		nlh->nlmsg_flags = (uint16_t)(size << 8);
		nlh->nlmsg_type = size & 1 ? NLMSG_ERROR : NLMSG_DONE;
		rtnl_error(nlh, text, sizeof(text));
		FUZZ_CHECK(memchr(text, '\0', sizeof(text)));
	}
	free(nlh);
}

static void add_link(fuzz_add add, const char *kind)
{
	struct ifinfomsg ifi = { .ifi_index = 5 };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct nlattr *info, *data;

	FUZZ_CHECK(msg && !nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO));
	FUZZ_CHECK(!nla_put_string(msg, IFLA_IFNAME, "ipsec1"));
	FUZZ_CHECK(!nla_put_u32(msg, IFLA_MTU, 1400));
	info = nla_nest_start(msg, IFLA_LINKINFO);
	FUZZ_CHECK(info && !nla_put_string(msg, IFLA_INFO_KIND, kind));
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	FUZZ_CHECK(data);
	put_all(msg, 3);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	add_message(add, 0, msg);
}

static void add_multipath(fuzz_add add)
{
	static const uint8_t hops[] = { 16, 0, 0, 0, 2, 0, 0, 0, 8, 0, RTA_GATEWAY, 0, 10, 0, 0, 1,
					8,  0, 0, 0, 3, 0, 0, 0 };
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_dst_len = 8, .rtm_table = TABLE };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWROUTE, 0);

	FUZZ_CHECK(msg && !nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO));
	FUZZ_CHECK(!nla_put_u32(msg, RTA_DST, 10));
	FUZZ_CHECK(!nla_put_u32(msg, RTA_PRIORITY, 5) && !nla_put_u32(msg, RTA_PREFSRC, 10));
	/* At the end, so that whoever reads beyond it reads beyond the message. */
	FUZZ_CHECK(!nla_put(msg, RTA_MULTIPATH, sizeof(hops), hops));
	add_message(add, 1, msg);
}

static void rtnl_seeds(fuzz_add add)
{
	static const struct rtnl rtnl = { .table = TABLE };
	static const char *const prefixes[] = { "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0" };
	const struct rtnl_via to = { .metric = 77, .oif = 3 };
	struct prefix prefix;

	add_link(add, "xfrm");
	add_link(add, "vrf");
	add_multipath(add);
	for (size_t i = 0; i < 3; i++) {
		struct nl_msg *msg;

		prefix_parse(prefixes[i], &prefix, NULL);
		msg = rtnl_route_msg(&rtnl, true, &prefix, &to);
		FUZZ_CHECK(msg);
		add_message(add, 1, msg);
	}
	add("\2\xfe\xff\xff\xff\x10\0\0\0\x1c\0\5\0\0\0\0\0\0\0\0\0\x09\0\1\0text\0\0\0\0", 33);
}

const struct fuzz_target fuzz_rtnl = { "rtnl", 2048, rtnl_run, rtnl_seeds };
