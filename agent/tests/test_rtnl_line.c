// SPDX-License-Identifier: GPL-2.0-only
/*
 * Publishing over plain devices (private lines), beside the gateway's device, in a
 * network namespace of its own: l0 and l1 are lines, g0 stands for the gateway.
 */
#include <linux/rtnetlink.h>
#include <linux/vgw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/pmap.h"
#include "sys/rtnl.h"

#define METRIC 20000

struct fixture {
	struct loop *loop;
	struct rtnl *rtnl;
	struct loop_timer *poll;
	bool (*cond)(struct fixture *f);
	bool met, running, deferring;
	uint64_t deadline;
	size_t synced;
	struct pmap wanted; /* on the gateway's device */
	struct pmap vias; /* over lines: number of rows of table */
	struct rtnl_via table[4];
	uint32_t owned;
};

static void sh(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

static size_t lines_of(const char *command)
{
	FILE *pipe = popen(command, "r");
	char line[512];
	size_t n = 0;

	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		n++;
	pclose(pipe);
	return n;
}

static int monitor_open(void)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK,
				    .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof(local)), 0);
	return fd;
}

/* Changes of our routes since the last call. */
static size_t monitor_count(int fd)
{
	char buffer[65536];
	size_t count = 0;
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)buffer;
		unsigned int left = (unsigned int)n;

		for (; NLMSG_OK(nlh, left); nlh = NLMSG_NEXT(nlh, left))
			count += ((struct rtmsg *)NLMSG_DATA(nlh))->rtm_protocol == VGW_RTPROTO;
	}
	return count;
}

static void poll_fire(void *ctx)
{
	struct fixture *f = ctx;

	f->met = f->cond(f);
	if (f->met || loop_now(f->loop) >= f->deadline)
		loop_stop(f->loop);
	else
		loop_timer_start(f->poll, 2);
}

static bool run_until(struct fixture *f, bool (*cond)(struct fixture *f), uint64_t ms)
{
	f->cond = cond;
	f->deadline = loop_now(f->loop) + ms;
	loop_timer_start(f->poll, 0);
	loop_run(f->loop);
	return f->met;
}

static bool never(struct fixture *f)
{
	return false;
}

static bool is_synced(struct fixture *f)
{
	return f->synced > 0;
}

static bool is_running(struct fixture *f)
{
	return f->running;
}

static bool is_not_running(struct fixture *f)
{
	return !f->running;
}

static void settle(struct fixture *f)
{
	run_until(f, never, 250);
}

static void on_synced(void *ctx)
{
	((struct fixture *)ctx)->synced++;
}

static void on_link(void *ctx, const struct rtnl_link *link, bool present)
{
	if (!strcmp(link->name, "l0"))
		((struct fixture *)ctx)->running = present && link->running;
}

static bool on_published(void *ctx, const struct prefix *prefix)
{
	return pmap_contains(&((struct fixture *)ctx)->wanted, prefix);
}

static int on_vias(void *ctx, const struct prefix *prefix, struct rtnl_via *out)
{
	struct fixture *f = ctx;
	uintptr_t rows = (uintptr_t)pmap_get(&f->vias, prefix);
	int n = 0;

	if (f->deferring)
		return -1;
	for (unsigned int i = 0; i < 4; i++)
		if (rows & 1u << i && f->table[i].via.family == prefix->addr.family)
			out[n++] = f->table[i];
	return n;
}

static bool on_owns(void *ctx, uint32_t ifindex)
{
	return ((struct fixture *)ctx)->owned == ifindex;
}

static const struct rtnl_ops ops = {.routes_synced = on_synced, .link = on_link,
				    .published = on_published, .vias = on_vias,
				    .owns = on_owns};

static uint32_t index_of(struct fixture *f, const char *name)
{
	struct rtnl_link link;

	assert_int_equal(rtnl_link_get(f->rtnl, name, &link), 0);
	return link.ifindex;
}

static struct rtnl_via via(struct fixture *f, uint32_t metric, const char *device,
			   const char *address)
{
	struct rtnl_via out = {.metric = metric, .oif = index_of(f, device)};

	assert_true(addr_parse(address, &out.via));
	return out;
}

/* Rows 0 and 1: two lines; 2: IPv6; 3: a next hop that is not on the link. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		skip();
	sh("ip link set lo up; for d in g l m; do "
	   "ip link add ${d}0 type veth peer name ${d}1; ip link set ${d}1 up;"
	   "ip link set ${d}0 up; done;"
	   "ip addr add 192.0.2.1/30 dev l0; ip addr add 192.0.2.5/30 dev m0;"
	   "ip -6 addr add fd00:9::1/64 dev l0 nodad");
	f->loop = loop_new();
	f->poll = loop_timer_new(f->loop, poll_fire, f);
	pmap_init(&f->wanted);
	pmap_init(&f->vias);
	f->rtnl = rtnl_new(f->loop, RT_TABLE_MAIN, &ops, f);
	assert_non_null(f->rtnl);
	f->table[0] = via(f, 10000, "l0", "192.0.2.2");
	f->table[1] = via(f, 10001, "m0", "192.0.2.6");
	f->table[2] = via(f, 10000, "l0", "fd00:9::2");
	f->table[3] = via(f, 10003, "l0", "203.0.113.9");
	f->owned = f->table[0].oif;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rtnl_free(f->rtnl);
	pmap_clear(&f->wanted, NULL);
	pmap_clear(&f->vias, NULL);
	loop_timer_free(f->poll);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void start(struct fixture *f, const char *gateway)
{
	assert_int_equal(rtnl_follow(f->rtnl), 0);
	assert_true(run_until(f, is_synced, 5000));
	rtnl_publish_start(f->rtnl, gateway ? index_of(f, gateway) : 0, METRIC);
}

/* On the gateway's device, and over the lines of these rows. */
static void want(struct fixture *f, const char *text, bool gateway, unsigned int rows)
{
	struct prefix prefix;

	assert_true(prefix_parse(text, &prefix, NULL));
	if (gateway)
		assert_int_equal(pmap_put(&f->wanted, &prefix, f), 0);
	else
		pmap_del(&f->wanted, &prefix);
	assert_int_equal(pmap_put(&f->vias, &prefix, (void *)(uintptr_t)rows), 0);
	rtnl_publish_dirty(f->rtnl, &prefix);
}

static void test_line_wins(void **state)
{
	struct fixture *f = *state;
	int monitor = monitor_open();

	start(f, "g0");
	want(f, "172.16.0.0/24", true, 1);
	want(f, "fd00:1::/32", true, 4);
	settle(f);
	assert_int_equal(lines_of("ip route get 172.16.0.9 | grep 'via 192.0.2.2 dev l0'"), 1);
	assert_int_equal(lines_of("ip route get fd00:1::9 | grep 'via fd00:9::2 dev l0'"), 1);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 2);
	assert_int_equal(monitor_count(monitor), 4);
	/* The same answer: nothing is sent. */
	want(f, "172.16.0.0/24", true, 1);
	settle(f);
	assert_int_equal(monitor_count(monitor), 0);
	/* It fails: its routes go, the gateway's stay as they are; at once if asked. */
	want(f, "172.16.0.0/24", true, 0);
	rtnl_publish_now(f->rtnl);
	run_until(f, never, 20);
	assert_int_equal(monitor_count(monitor), 1);
	assert_int_equal(lines_of("ip route get 172.16.0.9 | grep 'dev g0'"), 1);
	/* Back. */
	want(f, "172.16.0.0/24", true, 1);
	settle(f);
	assert_int_equal(lines_of("ip route get 172.16.0.9 | grep 'via 192.0.2.2 dev l0'"), 1);
	/* The gateway's goes, the line's stays. */
	want(f, "172.16.0.0/24", false, 1);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 1);
	want(f, "172.16.0.0/24", false, 0);
	want(f, "fd00:1::/32", false, 0);
	settle(f);
	assert_int_equal(lines_of("ip route show proto 118; ip -6 route show proto 118"), 0);
	close(monitor);
}

static void test_two_lines(void **state)
{
	struct fixture *f = *state;

	start(f, NULL); /* lines need no gateway's device */
	want(f, "172.16.0.0/24", true, 3);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 2);
	assert_int_equal(lines_of("ip route get 172.16.0.9 | grep 'via 192.0.2.2 dev l0'"), 1);
	want(f, "172.16.0.0/24", true, 2);
	settle(f);
	assert_int_equal(lines_of("ip route get 172.16.0.9 | grep 'via 192.0.2.6 dev m0'"), 1);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 1);
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 dev g0"), 1);
	/* A line that is configured no more is known from this life. */
	want(f, "172.16.0.0/24", true, 0);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 1);
}

/* What an earlier life left stays until it is claimed or swept. */
static void test_adopt(void **state)
{
	struct fixture *f = *state;
	int monitor;

	sh("ip route add 172.16.0.0/24 via 192.0.2.2 dev l0 proto 118 metric 10000;"
	   "ip route add 172.16.1.0/24 via 192.0.2.2 dev l0 proto 118 metric 10000;"
	   "ip -6 route add fd00:1::/32 via fd00:9::2 dev l0 proto 118 metric 10000;"
	   "ip route add 172.16.2.0/24 via 192.0.2.6 dev m0 proto 118 metric 10000");
	monitor = monitor_open();
	f->deferring = true;
	start(f, "g0");
	assert_true(rtnl_publish_has_vias(f->rtnl));
	want(f, "172.16.0.0/24", true, 0);
	want(f, "172.16.1.0/24", false, 0);
	settle(f);
	assert_int_equal(monitor_count(monitor), 1); /* the gateway's own */
	f->deferring = false;
	want(f, "172.16.0.0/24", true, 1);
	want(f, "fd00:1::/32", false, 4);
	rtnl_publish_sweep(f->rtnl);
	settle(f);
	assert_int_equal(monitor_count(monitor), 1);
	assert_int_equal(lines_of("ip route show proto 118 dev l0"), 1);
	assert_int_equal(lines_of("ip route show 172.16.1.0/24"), 0);
	assert_int_equal(lines_of("ip -6 route show fd00:1::/32"), 1);
	/* Over a device that is none of ours. */
	assert_int_equal(lines_of("ip route show 172.16.2.0/24"), 1);
	close(monitor);
}

/* A next hop that the kernel refuses keeps nothing else back. */
static void test_refused(void **state)
{
	struct fixture *f = *state;

	start(f, "g0");
	f->table[0] = f->table[3];
	want(f, "172.16.0.0/24", false, 1);
	settle(f);
	assert_int_equal(lines_of("ip route show proto 118"), 0);
	assert_int_equal(rtnl_counters(f->rtnl).refused, 1);
	want(f, "172.16.0.0/24", true, 3);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 2);
	want(f, "172.16.0.0/24", false, 1);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 0);
	/* The next one does not wait for the first to be tried again. */
	want(f, "172.16.6.0/24", false, 3);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.6.0/24 proto 118"), 1);
	/* The gateway's place is taken: a line that fails leaves all the same. */
	sh("ip route add 172.16.5.0/24 dev m0 metric 20000");
	want(f, "172.16.5.0/24", true, 2);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.5.0/24 proto 118"), 1);
	want(f, "172.16.5.0/24", true, 0);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.5.0/24 proto 118"), 0);
	/* Once it can be reached, it is there with the next try. */
	sh("ip addr add 203.0.113.1/24 dev l0");
	run_until(f, never, 3000);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118 dev l0"), 1);
}

static bool one_refused(struct fixture *f)
{
	return rtnl_counters(f->rtnl).refused > 0;
}

static void on_route(void *ctx, const struct rtnl_route *route, bool present)
{
	assert_int_not_equal(route->protocol, VGW_RTPROTO);
}

/*
 * Rule 14: two gateways of one domain, each with an agent: what one publishes is no route of
 * the domain to the other, and neither touches the other's. The second stands by.
 */
static void test_two_gateways(void **state)
{
	static const struct rtnl_ops both = {.routes_synced = on_synced, .route = on_route,
					     .published = on_published};
	struct fixture *f = *state, second = {.loop = f->loop};
	struct prefix prefix;

	assert_true(prefix_parse("172.16.0.0/24", &prefix, NULL));
	pmap_init(&second.wanted);
	second.poll = loop_timer_new(f->loop, poll_fire, &second);
	second.rtnl = rtnl_new(f->loop, RT_TABLE_MAIN, &both, &second);
	start(f, "g0");
	start(&second, "m0");
	want(f, "172.16.0.0/24", true, 0);
	want(f, "172.16.1.0/24", true, 0);
	settle(f);
	assert_int_equal(pmap_put(&second.wanted, &prefix, f), 0);
	rtnl_publish_dirty(second.rtnl, &prefix);
	assert_true(run_until(&second, one_refused, 2000));
	rtnl_publish_sweep(second.rtnl);
	settle(f);
	assert_int_equal(lines_of("ip route show proto 118 dev g0"), 2);
	assert_int_equal(lines_of("ip route show proto 118 dev m0"), 0);
	/* The first gateway withdraws, the other takes its place without waiting for its turn. */
	want(f, "172.16.0.0/24", false, 0);
	settle(f);
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118 dev m0"), 1);
	assert_int_equal(lines_of("ip route show proto 118 dev g0"), 1);
	rtnl_free(second.rtnl);
	loop_timer_free(second.poll);
	pmap_clear(&second.wanted, NULL);
}

/* The kernel drops IPv4 routes of a device that goes down and does not tell. */
static void test_device_down(void **state)
{
	struct fixture *f = *state;

	start(f, "g0");
	assert_true(f->running);
	want(f, "172.16.0.0/24", true, 1);
	settle(f);
	sh("ip link set l1 down");
	assert_true(run_until(f, is_not_running, 2000)); /* up, without a carrier */
	sh("ip link set l0 down; ip link set l1 up; ip link set l0 up");
	assert_true(run_until(f, is_running, 2000));
	settle(f);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 2);
	assert_int_equal(rtnl_counters(f->rtnl).restored, 0);
	/* Somebody deletes it. */
	sh("ip route del 172.16.0.0/24 via 192.0.2.2 dev l0");
	run_until(f, never, 1500);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118"), 2);
	assert_int_equal(rtnl_counters(f->rtnl).restored, 1);
}

#define in_namespace(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_namespace(test_line_wins), in_namespace(test_two_lines),
		in_namespace(test_adopt),     in_namespace(test_refused),
		in_namespace(test_device_down), in_namespace(test_two_gateways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
