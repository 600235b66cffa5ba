// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a file of routes to the kernel's table or to a gateway's, and makes what the
 * gateway needs for it. Both ways take many routes at a call, as fast as they can be taken.
 *
 * usage: feed fib 4|6 FILE NEXTHOP          rtnetlink, next hop objects
 *        feed vgw 4|6 FILE DEVICE GROUP     generic netlink
 *        feed tunnels DEVICE XFRM-DEVICE... ids from 1
 *        feed groups DEVICE N TUNNEL...     ids 1 to N, all with these tunnels
 *
 * NEXTHOP and GROUP: one id for all routes, or +N, the route's own id plus N. Prints what
 * it took: routes, wall-clock ns, ns of the kernel's processor time (0 without vgw_bench.ko).
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/vgw.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "routes.h"

#define FIB_BATCH	512
#define VGW_BATCH	4096
#define SPACE		(1u << 20)

static int fd;
static uint8_t request[SPACE];
static uint32_t seq;
static uint16_t family_id;

static void fail(const char *what, int error)
{
	fprintf(stderr, "feed: %s: %s\n", what, strerror(error));
	exit(1);
}

/* Messages */

static struct nlmsghdr *message(void *at, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = at;

	*nlh = (struct nlmsghdr){ .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type,
				  .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = ++seq };
	return nlh;
}

static void *room(struct nlmsghdr *nlh, size_t size)
{
	void *at = (uint8_t *)nlh + NLMSG_ALIGN(nlh->nlmsg_len);

	memset(at, 0, NLMSG_ALIGN(size));
	nlh->nlmsg_len = NLMSG_ALIGN(nlh->nlmsg_len) + size;
	return at;
}

static void *attr_room(struct nlmsghdr *nlh, uint16_t type, size_t size)
{
	struct nlattr *attr = room(nlh, NLA_HDRLEN + size);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	return attr + 1;
}

static void attr_u32(struct nlmsghdr *nlh, uint16_t type, uint32_t value)
{
	memcpy(attr_room(nlh, type, sizeof(value)), &value, sizeof(value));
}

static void attr_u8(struct nlmsghdr *nlh, uint16_t type, uint8_t value)
{
	memcpy(attr_room(nlh, type, sizeof(value)), &value, sizeof(value));
}

static struct nlattr *nest_begin(struct nlmsghdr *nlh, uint16_t type)
{
	return (struct nlattr *)attr_room(nlh, type | NLA_F_NESTED, 0) - 1;
}

static void nest_end(struct nlmsghdr *nlh, struct nlattr *nest)
{
	nest->nla_len = (uint8_t *)nlh + nlh->nlmsg_len - (uint8_t *)nest;
}

/* What the controller says of the family. */
static void read_family(const struct nlmsghdr *nlh)
{
	const uint8_t *at = (const uint8_t *)NLMSG_DATA(nlh) + GENL_HDRLEN;
	const uint8_t *end = (const uint8_t *)nlh + nlh->nlmsg_len;

	while (at < end) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&family_id, attr + 1, sizeof(family_id));
		at += NLA_ALIGN(attr->nla_len);
	}
}

/* True: this was the answer to the last message. Ends the program on a refusal. */
static bool read_reply(const struct nlmsghdr *nlh, const char *what)
{
	const struct nlmsgerr *error = NLMSG_DATA(nlh);

	if (nlh->nlmsg_type == GENL_ID_CTRL)
		read_family(nlh);
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return false;
	if (error->error)
		fail(what, -error->error);
	return nlh->nlmsg_seq == seq;
}

/* Sends, and waits until the last message is answered. */
static void talk(size_t len, const char *what)
{
	static uint8_t reply[65536];
	bool done = false;

	if (send(fd, request, len, 0) != (ssize_t)len)
		fail(what, errno);
	while (!done) {
		ssize_t got = recv(fd, reply, sizeof(reply), 0);

		if (got < 0)
			fail(what, errno);
		for (struct nlmsghdr *nlh = (void *)reply; NLMSG_OK(nlh, got);
		     nlh = NLMSG_NEXT(nlh, got))
			done = read_reply(nlh, what) || done;
	}
}

static void netlink_open(int protocol)
{
	int size = 4 << 20, on = 1;

	fd = socket(AF_NETLINK, SOCK_RAW, protocol);
	if (fd < 0)
		fail("netlink", errno);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
}

static struct nlmsghdr *genl_message(uint16_t type, uint8_t command)
{
	struct nlmsghdr *nlh = message(request, type, NLM_F_ACK);
	struct genlmsghdr *genl = room(nlh, GENL_HDRLEN);

	genl->cmd = command;
	genl->version = 1;
	return nlh;
}

static void genl_open(void)
{
	struct nlmsghdr *nlh;

	netlink_open(NETLINK_GENERIC);
	nlh = genl_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	strcpy(attr_room(nlh, CTRL_ATTR_FAMILY_NAME, sizeof(VGW_FAMILY_NAME)), VGW_FAMILY_NAME);
	talk(nlh->nlmsg_len, "family vgw");
}

static unsigned int ifindex(const char *name)
{
	return if_nametoindex(name) ?: (fail(name, errno), 0);
}

/* Routes */

struct ids {
	uint32_t base;
	bool own;	/* plus the route's id */
};

static struct ids ids_read(const char *text)
{
	return (struct ids){ .base = strtoul(text, NULL, 10), .own = *text == '+' };
}

static uint32_t id_of(const struct ids *ids, const struct route *route)
{
	return ids->base + (ids->own ? route->nh : 0);
}

static void fib_batch(const struct route *from, unsigned int n, unsigned int family,
		      const struct ids *ids)
{
	unsigned int bytes = family == 4 ? 4 : 16;
	struct nlmsghdr *nlh = NULL;
	size_t len = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct rtmsg *rtm;

		nlh = message(request + len, RTM_NEWROUTE,
			      NLM_F_CREATE | (i + 1 == n ? NLM_F_ACK : 0));
		rtm = room(nlh, sizeof(*rtm));
		*rtm = (struct rtmsg){ .rtm_family = family == 4 ? AF_INET : AF_INET6,
				       .rtm_dst_len = from[i].len, .rtm_table = RT_TABLE_MAIN,
				       .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST };
		memcpy(attr_room(nlh, RTA_DST, bytes), from[i].addr, bytes);
		attr_u32(nlh, RTA_NH_ID, id_of(ids, &from[i]));
		len += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	talk(len, "routes");
}

static int by_id(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	return (x->nh > y->nh) - (x->nh < y->nh);
}

/* Routes of one group as one run. */
static void vgw_run(struct nlmsghdr *nlh, const struct route *from, unsigned int n,
		    unsigned int family, uint32_t group)
{
	struct nlattr *nest = nest_begin(nlh, VGW_A_ROUTES_ROUTE);

	attr_u8(nlh, VGW_A_ROUTE_CLASS, VGW_ROUTE_CLASS_STATIC);
	attr_u32(nlh, VGW_A_ROUTE_GROUP, group);
	if (family == 4) {
		struct vgw_prefix4 *p = attr_room(nlh, VGW_A_ROUTE_PREFIX4, n * sizeof(*p));

		for (unsigned int i = 0; i < n; i++) {
			memcpy(&p[i].addr, from[i].addr, 4);
			p[i].len = from[i].len;
		}
	} else {
		struct vgw_prefix6 *p = attr_room(nlh, VGW_A_ROUTE_PREFIX6, n * sizeof(*p));

		for (unsigned int i = 0; i < n; i++) {
			memcpy(p[i].addr, from[i].addr, 16);
			p[i].len = from[i].len;
		}
	}
	nest_end(nlh, nest);
}

/* An attribute holds less than 64 KiB. */
#define RUN_MAX	3000

static void vgw_batch(struct route *from, unsigned int n, unsigned int family, uint32_t gateway,
		      const struct ids *ids)
{
	struct nlmsghdr *nlh = genl_message(family_id, VGW_CMD_ROUTE_ADD);

	attr_u32(nlh, VGW_A_ROUTES_GATEWAY, gateway);
	if (ids->own)
		qsort(from, n, sizeof(*from), by_id);
	for (unsigned int i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && end < i + RUN_MAX &&
		     id_of(ids, &from[end]) == id_of(ids, &from[i]); end++)
			;
		vgw_run(nlh, from + i, end - i, family, id_of(ids, &from[i]));
	}
	talk(nlh->nlmsg_len, "routes");
}

/* Time */

static uint64_t wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t kernel_time(void)
{
	FILE *file = fopen("/sys/module/vgw_bench/parameters/clock", "r");
	uint64_t ns = 0;

	if (file && fscanf(file, "%lu", &ns) != 1)
		ns = 0;
	if (file)
		fclose(file);
	return ns;
}

/* gateway 0: the kernel's table. A little of the file at once: memory is dear in a guest. */
static void feed(const char *path, unsigned int family, uint32_t gateway, const struct ids *ids)
{
	static struct route part[VGW_BATCH];
	size_t batch = gateway ? VGW_BATCH : FIB_BATCH, n, total = 0;
	uint64_t begin = wall(), kernel = kernel_time();
	FILE *file = fopen(path, "r");

	if (!file)
		fail(path, errno);
	while ((n = fread(part, sizeof(*part), batch, file)) > 0) {
		if (gateway)
			vgw_batch(part, n, family, gateway, ids);
		else
			fib_batch(part, n, family, ids);
		total += n;
	}
	fclose(file);
	kernel = kernel_time() - kernel;
	printf("%zu %lu %lu\n", total, wall() - begin, kernel);
}

/* Objects */

static void tunnel_set(unsigned int gateway, uint32_t id, const char *device)
{
	struct nlmsghdr *nlh = genl_message(family_id, VGW_CMD_TUNNEL_SET);

	attr_u32(nlh, VGW_A_TUNNEL_GATEWAY, gateway);
	attr_u32(nlh, VGW_A_TUNNEL_ID, id);
	attr_u32(nlh, VGW_A_TUNNEL_IFINDEX, ifindex(device));
	attr_u32(nlh, VGW_A_TUNNEL_CONNECTION, 1);
	attr_u32(nlh, VGW_A_TUNNEL_SITE, 1);
	talk(nlh->nlmsg_len, "tunnel");
}

static void group_set(unsigned int gateway, uint32_t id, char **tunnels)
{
	struct nlmsghdr *nlh = genl_message(family_id, VGW_CMD_GROUP_SET);

	attr_u32(nlh, VGW_A_GROUP_GATEWAY, gateway);
	attr_u32(nlh, VGW_A_GROUP_ID, id);
	for (; *tunnels; tunnels++) {
		struct nlattr *nest = nest_begin(nlh, VGW_A_GROUP_MEMBER);

		attr_u32(nlh, VGW_A_MEMBER_TUNNEL, atoi(*tunnels));
		nest_end(nlh, nest);
	}
	talk(nlh->nlmsg_len, "group");
}

int main(int argc, char **argv)
{
	const char *what = argc > 4 ? argv[1] : "";
	struct ids ids;

	if (!strcmp(what, "fib")) {
		netlink_open(NETLINK_ROUTE);
		ids = ids_read(argv[4]);
		feed(argv[3], atoi(argv[2]), 0, &ids);
	} else if (!strcmp(what, "vgw") && argc > 5) {
		genl_open();
		ids = ids_read(argv[5]);
		feed(argv[3], atoi(argv[2]), ifindex(argv[4]), &ids);
	} else if (!strcmp(what, "tunnels")) {
		genl_open();
		for (int i = 3; i < argc; i++)
			tunnel_set(ifindex(argv[2]), i - 2, argv[i]);
	} else if (!strcmp(what, "groups")) {
		genl_open();
		for (int id = 1; id <= atoi(argv[3]); id++)
			group_set(ifindex(argv[2]), id, argv + 4);
	} else {
		fputs("usage: see the head of feed.c\n", stderr);
		return 1;
	}
	return 0;
}
