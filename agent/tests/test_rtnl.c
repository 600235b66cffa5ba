// SPDX-License-Identifier: GPL-2.0-only
/*
 * rtnetlink in a network namespace of its own: following against a fresh dump
 * as the oracle, guards, publishing. Devices of kinds xfrm, vgw and vrf are
 * tested by vm_rtnl, on a kernel that has them.
 */
#include <errno.h>
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

#include "lib/log.h"
#include "lib/pmap.h"
#include "sys/rtnl.h"

#define METRIC 500
#define N_OVERRUN 60000
#define N_MANY 5000

struct fixture {
	struct loop *loop;
	struct rtnl *rtnl;
	struct loop_timer *poll;
	bool (*cond)(struct fixture *f);
	bool met;
	uint64_t deadline;
	size_t synced;
	long balance; /* routes told minus routes gone */
	size_t events;
	size_t count; /* of each_route */
	char last_link[16];
	bool last_present;
	bool renamed; /* a link of this name was told */
	struct pmap wanted; /* prefixes to publish */
	char text[200000];
	size_t text_len;
};

static void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void sh(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* Random operations may be refused by the kernel. */
static void sh_try(const char *command)
{
	char quiet[600];
	int ret;

	snprintf(quiet, sizeof(quiet), "%s 2> /dev/null", command);
	ret = system(quiet);
	(void)ret;
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

/* ---- what the kernel tells everybody ---- */

static int monitor_open(void)
{
	struct sockaddr_nl local = { .nl_family = AF_NETLINK,
				     .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof(local)), 0);
	return fd;
}

/* Route messages of our protocol since the last call. */
static size_t monitor_count(int fd)
{
	char buffer[65536];
	size_t count = 0;
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)buffer;
		unsigned int left = (unsigned int)n;

		for (; NLMSG_OK(nlh, left); nlh = NLMSG_NEXT(nlh, left)) {
			struct rtmsg *rtm = NLMSG_DATA(nlh);

			count += rtm->rtm_protocol == VGW_RTPROTO;
		}
	}
	return count;
}

/* ---- the loop ---- */

static void poll_fire(void *ctx)
{
	struct fixture *f = ctx;

	if (f->cond(f)) {
		f->met = true;
		loop_stop(f->loop);
	} else if (loop_now(f->loop) >= f->deadline) {
		loop_stop(f->loop);
	} else {
		loop_timer_start(f->poll, 2);
	}
}

static bool run_until(struct fixture *f, bool (*cond)(struct fixture *f), uint64_t ms)
{
	f->cond = cond;
	f->met = false;
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

static void run_for(struct fixture *f, uint64_t ms)
{
	run_until(f, never, ms);
}

/* ---- callbacks ---- */

static void on_route(void *ctx, const struct rtnl_route *route, bool present)
{
	struct fixture *f = ctx;

	assert_int_not_equal(route->protocol, VGW_RTPROTO);
	f->balance += present ? 1 : -1;
	f->events++;
}

static void on_synced(void *ctx)
{
	((struct fixture *)ctx)->synced++;
}

static void on_link(void *ctx, const struct rtnl_link *link, bool present)
{
	struct fixture *f = ctx;

	f->renamed |= present && !strcmp(link->name, "renamed");
	memcpy(f->last_link, link->name, sizeof(f->last_link));
	f->last_present = present;
}

static bool on_published(void *ctx, const struct prefix *prefix)
{
	return pmap_contains(&((struct fixture *)ctx)->wanted, prefix);
}

static const struct rtnl_ops ops = { .route = on_route, .routes_synced = on_synced,
				     .link = on_link, .published = on_published };

static uint32_t index_of(struct fixture *f, const char *name)
{
	struct rtnl_link link;

	assert_int_equal(rtnl_link_get(f->rtnl, name, &link), 0);
	return link.ifindex;
}

static void start(struct fixture *f, uint32_t table)
{
	f->rtnl = rtnl_new(f->loop, table, &ops, f);
	assert_non_null(f->rtnl);
	f->synced = 0;
	f->balance = 0;
	assert_int_equal(rtnl_follow(f->rtnl), 0);
	assert_true(run_until(f, is_synced, 5000));
}

static int setup_namespace(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		skip();
	sh("ip link set lo up; ip link add v0 type veth peer name v1; ip link set v1 up;"
	   "ip link add g0 type veth peer name g1; ip link set g1 up; ip link set g0 up;"
	   "ip link set v0 up; ip addr add 192.0.2.1/24 dev v0; ip addr add 198.51.100.1/24 dev v1;"
	   "ip -6 addr add 2001:db8:1::1/64 dev v0 nodad; ip -6 addr add 2001:db8:2::1/64 dev v1 nodad");
	f->loop = loop_new();
	f->poll = loop_timer_new(f->loop, poll_fire, f);
	pmap_init(&f->wanted);
	return 0;
}

static int teardown_namespace(void **state)
{
	struct fixture *f = *state;

	rtnl_free(f->rtnl);
	pmap_clear(&f->wanted, NULL);
	loop_timer_free(f->poll);
	loop_free(f->loop);
	free(f);
	return 0;
}

/* ---- following ---- */

static void count_row(void *ctx, const struct rtnl_route *route)
{
	((struct fixture *)ctx)->count++;
}

static void text_row(void *ctx, const struct rtnl_route *route)
{
	struct fixture *f = ctx;
	char prefix[PREFIX_STRLEN];

	f->text_len += (size_t)snprintf(f->text + f->text_len, sizeof(f->text) - f->text_len,
					"%s proto %u type %u scope %u metric %u\n",
					prefix_format(&route->prefix, prefix, sizeof(prefix)),
					route->protocol, route->type, route->scope, route->metric);
	f->count++;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The followed routes as sorted lines, in f->text. */
static void routes_text(struct fixture *f)
{
	char *lines[2000], *copy, *save = NULL;
	size_t n = 0;

	f->text_len = 0;
	f->count = 0;
	f->text[0] = '\0';
	rtnl_each_route(f->rtnl, text_row, f);
	copy = strdup(f->text);
	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(n < 2000);
		lines[n++] = line;
	}
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	f->text_len = 0;
	for (size_t i = 0; i < n; i++)
		f->text_len += (size_t)snprintf(f->text + f->text_len,
						sizeof(f->text) - f->text_len, "%s\n", lines[i]);
	free(copy);
}

/* The routes that events led to are those of a fresh dump, and every one was told once. */
static void assert_like_fresh(struct fixture *f)
{
	struct rtnl *followed = f->rtnl;
	long balance = f->balance;
	size_t synced = f->synced;
	char *text;

	routes_text(f);
	assert_int_equal(balance, f->count);
	assert_int_equal(rtnl_counters(followed).routes, f->count);
	text = strdup(f->text);
	assert_non_null(text);
	start(f, RT_TABLE_MAIN);
	routes_text(f);
	assert_string_equal(text, f->text);
	free(text);
	rtnl_free(f->rtnl);
	f->rtnl = followed;
	f->balance = balance;
	f->synced = synced;
}

static bool has_route(struct fixture *f, const char *needle)
{
	routes_text(f);
	return strstr(f->text, needle) != NULL;
}

static void test_follow(void **state)
{
	struct fixture *f = *state;

	sh("ip route add 10.1.0.0/16 via 192.0.2.9 metric 7; ip route add 10.9.0.0/16 dev v0 table 77");
	start(f, RT_TABLE_MAIN);
	assert_true(has_route(f, "10.1.0.0/16 proto 3 type 1 scope 0 metric 7\n"));
	assert_true(has_route(f, "2001:db8:1::/64 proto 2 type 1"));
	assert_false(has_route(f, "10.9.0.0/16"));
	assert_false(has_route(f, "ff00::/8 proto 2 type 1"));

	sh("ip route add 10.2.0.0/16 dev v0; ip route add 10.2.0.0/16 dev v1 metric 5;"
	   "ip route add blackhole 10.3.0.0/16; ip -6 route add 2001:db8:a::/48 dev v0;"
	   "ip route add 10.4.0.0/16 nexthop via 192.0.2.9 nexthop via 198.51.100.9;"
	   "ip route add 10.5.0.0/16 dev v0 proto 118; ip route add 10.6.0.0/16 dev v0 table 77");
	run_for(f, 100);
	assert_true(has_route(f, "10.3.0.0/16 proto 3 type 6"));
	assert_true(has_route(f, "10.4.0.0/16"));
	assert_false(has_route(f, "10.5.0.0/16"));
	assert_false(has_route(f, "10.6.0.0/16"));
	assert_like_fresh(f);

	sh("ip route replace 10.2.0.0/16 dev v1 proto 99; ip route del 10.3.0.0/16;"
	   "ip route del 10.4.0.0/16");
	run_for(f, 100);
	assert_true(has_route(f, "10.2.0.0/16 proto 99 type 1 scope 253 metric 0\n"));
	assert_false(has_route(f, "10.2.0.0/16 proto 3 type 1 scope 253 metric 0\n"));
	assert_true(has_route(f, "10.2.0.0/16 proto 3 type 1 scope 253 metric 5\n"));
	assert_like_fresh(f);
}

static void test_follow_multipath6(void **state)
{
	struct fixture *f = *state;

	start(f, RT_TABLE_MAIN);
	sh("ip -6 route add 2001:db8:b::/48 via 2001:db8:1::9 metric 9;"
	   "ip -6 route append 2001:db8:b::/48 via 2001:db8:2::9 metric 9");
	run_for(f, 100);
	assert_like_fresh(f);
	sh("ip -6 route append 2001:db8:b::/48 via 2001:db8:2::8 metric 9");
	sh("ip -6 route del 2001:db8:b::/48 via 2001:db8:1::9 metric 9");
	run_for(f, 100);
	assert_true(has_route(f, "2001:db8:b::/48"));
	assert_like_fresh(f);
	sh("ip -6 route replace 2001:db8:b::/48 via 2001:db8:1::7 metric 9");
	run_for(f, 100);
	assert_like_fresh(f);
	sh("ip -6 route del 2001:db8:b::/48");
	run_for(f, 100);
	assert_false(has_route(f, "2001:db8:b::/48"));
	assert_like_fresh(f);
	/* None of it needed a second dump. */
	assert_int_equal(rtnl_counters(f->rtnl).dumps, 1);
}

static bool has_no_v0(struct fixture *f)
{
	return !has_route(f, "10.7.0.0/16");
}

/* The kernel says nothing about IPv4 routes that leave with their device or address. */
static void test_follow_silent(void **state)
{
	struct fixture *f = *state;

	sh("ip link add w0 type veth peer name w1; ip link set w1 up; ip link set w0 up");
	sh("ip route add 10.6.0.0/16 dev w0");
	start(f, RT_TABLE_MAIN);
	sh("ip link set w0 down; ip link set w0 up");
	run_for(f, 300);
	assert_false(has_route(f, "10.6.0.0/16"));
	assert_int_equal(rtnl_counters(f->rtnl).dumps, 1);
	rtnl_free(f->rtnl);

	sh("ip route add 10.7.0.0/16 dev w0; ip route add 10.8.0.0/16 dev v0;"
	   "ip -6 route add 2001:db8:7::/48 dev w0;"
	   "ip addr add 203.0.113.1/32 dev v0; ip route add 10.10.0.0/16 dev v1 src 203.0.113.1;"
	   "ip nexthop add id 4 via 192.0.2.9 dev v0; ip route add 10.11.0.0/16 nhid 4;"
	   "ip route add 10.12.0.0/16 nexthop dev w0 nexthop dev v0");
	start(f, RT_TABLE_MAIN);
	assert_false(has_no_v0(f));
	sh("ip link set w0 down");
	assert_true(run_until(f, has_no_v0, 1000));
	run_for(f, 1500);
	assert_like_fresh(f);
	assert_true(has_route(f, "10.8.0.0/16"));
	assert_true(has_route(f, "10.10.0.0/16"));
	sh("ip addr del 203.0.113.1/32 dev v0");
	run_for(f, 1500);
	assert_false(has_route(f, "10.10.0.0/16"));
	assert_true(has_route(f, "10.11.0.0/16"));
	assert_like_fresh(f);
	sh("ip nexthop del id 4");
	run_for(f, 1500);
	assert_false(has_route(f, "10.11.0.0/16"));
	sh("ip link del w0");
	run_for(f, 200);
	assert_false(f->last_present);
	assert_like_fresh(f);
}

static bool is_renamed(struct fixture *f)
{
	return f->renamed;
}

static void test_follow_links(void **state)
{
	struct fixture *f = *state;

	start(f, RT_TABLE_MAIN);
	sh("ip link add name w0 type veth peer name w1");
	run_for(f, 50);
	sh("ip link del w1");
	run_for(f, 50);
	assert_false(f->last_present);
	assert_true(f->last_link[0] == 'w');
	sh("ip link set g1 down; ip link set g1 name renamed");
	/* Not the last event: its peer loses the carrier, sooner or later. */
	assert_true(run_until(f, is_renamed, 1000));
}

static void test_follow_random(void **state)
{
	static const char *const verbs[] = { "add", "del", "replace", "append", "prepend" };
	static const char *const hops4[] = { "dev v0", "dev v1", "via 192.0.2.9", "via 198.51.100.9",
					     "nexthop via 192.0.2.8 nexthop via 198.51.100.9" };
	static const char *const hops6[] = { "dev v0", "dev v1", "via 2001:db8:1::9",
					     "via 2001:db8:2::9",
					     "nexthop via 2001:db8:1::8 nexthop via 2001:db8:2::9" };
	struct fixture *f = *state;

	srand(7);
	start(f, RT_TABLE_MAIN);
	for (int round = 0; round < 25; round++) {
		FILE *batch = popen("ip -force -batch - > /dev/null 2>&1", "w");

		assert_non_null(batch);
		for (int i = 0; i < 40; i++) {
			bool six = rand() % 2;

			if (six)
				fprintf(batch, "-6 route %s 2001:db8:f%d::/48 metric %d %s\n",
					verbs[rand() % 5], rand() % 4, 1 + rand() % 2,
					hops6[rand() % 5]);
			else
				fprintf(batch, "route %s 10.%d.0.0/16 metric %d %s\n",
					verbs[rand() % 5], rand() % 4, rand() % 2,
					hops4[rand() % 5]);
		}
		pclose(batch);
		if (round % 5 == 4) {
			sh_try(rand() % 2 ? "ip link set v0 down" : "ip link set v1 down");
			run_for(f, rand() % 3);
			sh_try("ip link set v0 up; ip link set v1 up");
		}
		run_for(f, 50);
	}
	/* A new dump may be due where an event was not enough. */
	run_for(f, 2500);
	assert_like_fresh(f);
}

static bool has_all(struct fixture *f)
{
	return rtnl_counters(f->rtnl).routes >= N_OVERRUN;
}

static void test_follow_overrun(void **state)
{
	struct fixture *f = *state;
	FILE *batch;

	start(f, RT_TABLE_MAIN);
	batch = popen("ip -batch -", "w");
	assert_non_null(batch);
	for (unsigned int i = 0; i < N_OVERRUN; i++)
		fprintf(batch, "route add 10.%u.%u.%u/32 dev v0\n", i >> 16, i >> 8 & 255, i & 255);
	assert_int_equal(pclose(batch), 0);
	assert_true(run_until(f, has_all, 20000));
	run_for(f, 1500);
	assert_true(rtnl_counters(f->rtnl).overruns > 0);
	assert_true(f->synced > 1);
	f->count = 0;
	rtnl_each_route(f->rtnl, count_row, f);
	assert_int_equal(f->count, f->balance);
	assert_int_equal(lines_of("ip route; ip -6 route"), f->count);
}

/* ---- guards ---- */

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix = { 0 };

	assert_true(prefix_parse(text, &prefix, NULL));
	return prefix;
}

#define GUARDS4 "ip route show type unreachable proto 118 metric 4294967295"
#define GUARDS6 "ip -6 route show type unreachable proto 118 metric 4294967295"

static bool guards_are_two(struct fixture *f)
{
	return lines_of(GUARDS4) == 2;
}

static void test_guards(void **state)
{
	struct fixture *f = *state;
	struct prefix guards[] = { prefix_of("172.16.0.0/12"), prefix_of("10.0.0.0/8"),
				   prefix_of("fd00::/8"), prefix_of("10.0.0.0/8") };
	char err[256] = "";
	int monitor = monitor_open();

	start(f, RT_TABLE_MAIN);
	sh("ip route add unreachable 10.99.0.0/16 metric 4294967295 proto 4");
	assert_int_equal(rtnl_guards_apply(f->rtnl, guards, 4, err, sizeof(err)), 0);
	assert_int_equal(lines_of(GUARDS4), 2);
	assert_int_equal(lines_of(GUARDS6), 1);
	assert_int_equal(monitor_count(monitor), 3);

	/* The same again: nothing is touched. */
	assert_int_equal(rtnl_guards_apply(f->rtnl, guards, 4, err, sizeof(err)), 0);
	assert_int_equal(monitor_count(monitor), 0);

	/* Another agent's life: found, not made again. */
	rtnl_free(f->rtnl);
	start(f, RT_TABLE_MAIN);
	assert_int_equal(rtnl_guards_apply(f->rtnl, guards, 2, err, sizeof(err)), 0);
	assert_int_equal(monitor_count(monitor), 1);
	assert_int_equal(lines_of(GUARDS6), 0);

	sh("ip route del unreachable 10.0.0.0/8 proto 118 metric 4294967295");
	assert_int_equal(lines_of(GUARDS4), 1);
	assert_true(run_until(f, guards_are_two, 2000));

	guards[2] = prefix_of("10.99.0.0/16");
	assert_int_equal(rtnl_guards_apply(f->rtnl, guards + 1, 2, err, sizeof(err)), -EEXIST);
	assert_non_null(strstr(err, "10.99.0.0/16"));
	assert_non_null(strstr(err, "in the way"));
	/* The rest of the list was applied. */
	assert_int_equal(lines_of("ip route show 172.16.0.0/12"), 0);

	assert_int_equal(rtnl_guards_apply(f->rtnl, NULL, 0, err, sizeof(err)), 0);
	run_for(f, 300);
	assert_int_equal(lines_of(GUARDS4), 0);
	assert_int_equal(lines_of("ip route show 10.99.0.0/16"), 1);
	close(monitor);
}

/* ---- publishing ---- */

static void want(struct fixture *f, const char *text, bool on)
{
	struct prefix prefix = prefix_of(text);

	if (on)
		assert_int_equal(pmap_put(&f->wanted, &prefix, f), 0);
	else
		pmap_del(&f->wanted, &prefix);
	rtnl_publish_dirty(f->rtnl, &prefix);
}

static bool idle(struct fixture *f)
{
	struct rtnl_counters c = rtnl_counters(f->rtnl);

	return !c.dirty && !c.held && c.published == pmap_count(&f->wanted);
}

#define PUBLISHED "ip route show proto 118 dev g0; ip -6 route show proto 118 dev g0"

static void test_publish(void **state)
{
	struct fixture *f = *state;
	int monitor = monitor_open();

	start(f, RT_TABLE_MAIN);
	want(f, "172.16.0.0/24", true);
	want(f, "fd00:1::/32", true);
	run_for(f, 150);
	assert_int_equal(lines_of(PUBLISHED), 0); /* no device yet */
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	assert_true(run_until(f, idle, 2000));
	assert_int_equal(lines_of(PUBLISHED), 2);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 proto 118 dev g0 metric 500"), 1);
	assert_int_equal(monitor_count(monitor), 2);

	/* Asked again, the same answer: nothing is sent. */
	want(f, "172.16.0.0/24", true);
	want(f, "fd00:1::/32", true);
	run_for(f, 150);
	assert_int_equal(monitor_count(monitor), 0);

	want(f, "172.16.0.0/24", false);
	want(f, "fd00:1::/32", false);
	want(f, "172.16.9.0/24", false);
	assert_true(run_until(f, idle, 2000));
	assert_int_equal(lines_of(PUBLISHED), 0);
	assert_int_equal(monitor_count(monitor), 2);

	/* There and gone within one turn: nothing to do. */
	want(f, "172.16.3.0/24", true);
	want(f, "172.16.3.0/24", false);
	run_for(f, 150);
	assert_int_equal(monitor_count(monitor), 0);
	close(monitor);
}

static void test_publish_adopt_and_sweep(void **state)
{
	struct fixture *f = *state;
	int monitor;

	sh("ip route add 172.16.0.0/24 dev g0 proto 118 metric 500;"
	   "ip route add 172.16.1.0/24 dev g0 proto 118 metric 500;"
	   "ip route add 172.16.2.0/24 dev g0 proto 118 metric 400;"
	   "ip route add 172.16.3.0/24 dev v0 proto 118 metric 500;"
	   "ip route add 172.16.0.0/24 dev v0 proto 118 metric 450;"
	   "ip -6 route add fd00:1::/32 dev g0 proto 118 metric 500;"
	   "ip route add unreachable 172.16.0.0/12 proto 118 metric 4294967295");
	monitor = monitor_open();
	start(f, RT_TABLE_MAIN);
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	want(f, "172.16.0.0/24", true);
	want(f, "172.16.2.0/24", true);
	want(f, "fd00:1::/32", true);
	run_for(f, 300);
	assert_int_equal(lines_of("ip route show 172.16.1.0/24"), 1);
	/* The one with another metric was added and the old one deleted, no other was touched. */
	assert_int_equal(monitor_count(monitor), 2);
	rtnl_publish_sweep(f->rtnl);
	assert_true(run_until(f, idle, 2000));
	assert_int_equal(monitor_count(monitor), 1);
	assert_int_equal(lines_of("ip route show 172.16.1.0/24"), 0);
	/* Another gateway's, and the guard, are not ours to sweep. */
	assert_int_equal(lines_of("ip route show 172.16.3.0/24"), 1);
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 dev v0"), 1);
	assert_int_equal(lines_of("ip route show 172.16.0.0/12"), 1);
	close(monitor);
}

static void test_publish_restore(void **state)
{
	struct fixture *f = *state;
	uint64_t begin;

	start(f, RT_TABLE_MAIN);
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	want(f, "172.16.0.0/24", true);
	want(f, "fd00:1::/32", true);
	assert_true(run_until(f, idle, 2000));
	for (int i = 0; i < 2; i++) {
		begin = loop_now(f->loop);
		sh("ip route del 172.16.0.0/24; ip -6 route del fd00:1::/32");
		run_for(f, 60);
		assert_true(run_until(f, idle, 3000));
		assert_int_equal(lines_of(PUBLISHED), 2);
	}
	/* The second time it was held: it had just been added. */
	assert_true(loop_now(f->loop) - begin > 800);
	assert_int_equal(rtnl_counters(f->rtnl).restored, 4);
}

static void test_publish_device(void **state)
{
	struct fixture *f = *state;
	int monitor;

	start(f, RT_TABLE_MAIN);
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	want(f, "172.16.0.0/24", true);
	want(f, "fd00:1::/32", true);
	assert_true(run_until(f, idle, 2000));
	sh("ip link set g0 down");
	run_for(f, 300);
	assert_int_equal(rtnl_counters(f->rtnl).published, 0);
	assert_int_equal(rtnl_counters(f->rtnl).refused, 0);
	want(f, "172.16.1.0/24", true);
	run_for(f, 100);
	sh("ip link set g0 up");
	assert_true(run_until(f, idle, 3000));
	assert_int_equal(lines_of(PUBLISHED), 3);
	assert_int_equal(rtnl_counters(f->rtnl).refused, 0);
	assert_int_equal(rtnl_counters(f->rtnl).restored, 0);

	sh("ip link del g0");
	run_for(f, 100);
	rtnl_publish_start(f->rtnl, 0, METRIC);
	run_for(f, 100);
	sh("ip link add g0 type veth peer name g1; ip link set g1 up; ip link set g0 up");
	run_for(f, 50);
	monitor = monitor_open();
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	assert_true(run_until(f, idle, 3000));
	assert_int_equal(lines_of(PUBLISHED), 3);
	assert_int_equal(monitor_count(monitor), 3);
	close(monitor);
}

static bool one_refused(struct fixture *f)
{
	return rtnl_counters(f->rtnl).refused == 1;
}

static void test_publish_refused(void **state)
{
	struct fixture *f = *state;

	sh("ip route add 172.16.0.0/24 dev v0 metric 500");
	start(f, RT_TABLE_MAIN);
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	want(f, "172.16.0.0/24", true);
	want(f, "172.16.1.0/24", true);
	assert_true(run_until(f, one_refused, 2000));
	assert_int_equal(lines_of("ip route show 172.16.1.0/24 dev g0"), 1);
	/* Again after a second, then after two. */
	run_for(f, 2200);
	assert_int_equal(rtnl_counters(f->rtnl).refused, 2);
	sh("ip route del 172.16.0.0/24 dev v0");
	assert_true(run_until(f, idle, 500));
	assert_int_equal(lines_of("ip route show 172.16.0.0/24 dev g0"), 1);
}

static bool drained(struct fixture *f)
{
	struct rtnl_counters c = rtnl_counters(f->rtnl);

	return !c.dirty && c.published == pmap_count(&f->wanted);
}

/* Random wishes while dumps run and somebody deletes: ends in what is wanted. */
static void test_publish_random(void **state)
{
	struct fixture *f = *state;
	char text[64];

	srand(11);
	start(f, RT_TABLE_MAIN);
	rtnl_publish_start(f->rtnl, index_of(f, "g0"), METRIC);
	for (unsigned int i = 0; i < N_MANY; i++) {
		snprintf(text, sizeof(text), "172.%u.%u.0/24", 16 + i / 256, i % 256);
		want(f, text, true);
	}
	assert_true(run_until(f, drained, 10000));
	assert_int_equal(lines_of(PUBLISHED), N_MANY);
	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < 200; i++) {
			unsigned int k = (unsigned int)rand() % N_MANY;

			snprintf(text, sizeof(text), "172.%u.%u.0/24", 16 + k / 256, k % 256);
			want(f, text, rand() % 2);
		}
		if (round % 3 == 0) {
			snprintf(text, sizeof(text), "ip route del 172.16.%d.0/24", rand() % 256);
			sh_try(text);
		}
		if (round % 4 == 0)
			sh_try("ip route replace 10.0.0.0/8 dev v0; ip addr add 192.0.2.77/32 dev v0;"
			       "ip route add 10.1.0.0/16 dev v1 src 192.0.2.77;"
			       "ip addr del 192.0.2.77/32 dev v0");
		run_for(f, (uint64_t)rand() % 120);
	}
	run_for(f, 1200);
	assert_true(run_until(f, idle, 10000));
	run_for(f, 1200);
	assert_true(idle(f));
	assert_int_equal(lines_of(PUBLISHED), pmap_count(&f->wanted));
	assert_int_equal(rtnl_counters(f->rtnl).refused, 0);
	assert_true(rtnl_counters(f->rtnl).dumps > 2);
	/* An agent that leaves takes nothing with it. */
	rtnl_free(f->rtnl);
	f->rtnl = NULL;
	assert_int_equal(lines_of(PUBLISHED), pmap_count(&f->wanted));
}

/* ---- links, addresses, settings ---- */

static void test_link(void **state)
{
	struct fixture *f = *state;
	struct addr four, six;
	struct rtnl_link link;
	char err[256] = "";
	uint32_t mtu = 1400;
	bool up = true;
	int monitor;
	long value;

	f->rtnl = rtnl_new(f->loop, RT_TABLE_MAIN, &ops, f);
	assert_non_null(f->rtnl);
	assert_int_equal(rtnl_link_get(f->rtnl, "nothing", &link), -ENODEV);
	assert_int_equal(rtnl_link_get(f->rtnl, "a-name-that-is-too-long", &link), -EINVAL);
	assert_int_equal(rtnl_link_get(f->rtnl, "v0", &link), 0);
	assert_string_equal(link.kind, "veth");
	assert_true(link.up);
	assert_int_equal(rtnl_link_set(f->rtnl, "v0", &up, &mtu, NULL, err, sizeof(err)), 0);
	assert_int_equal(rtnl_link_get(f->rtnl, "v0", &link), 0);
	assert_int_equal(link.mtu, 1400);
	up = false;
	assert_int_equal(rtnl_link_set(f->rtnl, "v0", &up, NULL, "", err, sizeof(err)), 0);
	assert_int_equal(rtnl_link_get(f->rtnl, "v0", &link), 0);
	assert_false(link.up);
	mtu = 1;
	assert_true(rtnl_link_set(f->rtnl, "v0", NULL, &mtu, NULL, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "'v0'"));
	assert_int_equal(rtnl_link_set(f->rtnl, "v0", NULL, NULL, "boss", err, sizeof(err)), -ENODEV);
	assert_non_null(strstr(err, "boss"));
	assert_int_equal(rtnl_link_add_vgw(f->rtnl, "v0", err, sizeof(err)), -EEXIST);
	assert_non_null(strstr(err, "veth"));
	assert_int_equal(rtnl_link_add_xfrm(f->rtnl, "t1", 5, "v9", err, sizeof(err)), -ENODEV);
	assert_non_null(strstr(err, "v9"));
	assert_int_equal(rtnl_link_add_xfrm(f->rtnl, "t1", 0, NULL, err, sizeof(err)), -EINVAL);
	assert_int_equal(rtnl_vrf_table(f->rtnl, "v0"), 0);

	assert_true(addr_parse("169.254.10.1", &four) && addr_parse("fd00:a::1", &six));
	up = true;
	assert_int_equal(rtnl_link_set(f->rtnl, "v0", &up, NULL, NULL, err, sizeof(err)), 0);
	monitor = monitor_open();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rtnl_address_add(f->rtnl, "v0", &four, 30, err, sizeof(err)), 0);
		assert_int_equal(rtnl_address_add(f->rtnl, "v0", &six, 64, err, sizeof(err)), 0);
	}
	assert_int_equal(lines_of("ip -o addr show dev v0 | grep -E '169.254.10.1/30|fd00:a::1/64'"),
			 2);
	assert_int_equal(lines_of("ip -o addr show dev v0 tentative | grep fd00"), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rtnl_address_del(f->rtnl, "v0", &four, 30, err, sizeof(err)), 0);
		assert_int_equal(rtnl_address_del(f->rtnl, "v0", &six, 64, err, sizeof(err)), 0);
	}
	assert_int_equal(lines_of("ip -o addr show dev v0 | grep -E '169.254.10.1/30|fd00:a::1/64'"),
			 0);
	assert_int_equal(rtnl_address_add(f->rtnl, "v7", &four, 30, err, sizeof(err)), -ENODEV);
	assert_int_equal(rtnl_address_add(f->rtnl, "v0", &four, 33, err, sizeof(err)), -EINVAL);
	close(monitor);

	sh("sysctl -qw net.ipv4.conf.v0.rp_filter=2");
	assert_int_equal(rtnl_conf_get(4, "v0", "rp_filter", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(rtnl_conf_get(4, "..", "rp_filter", &value), -EINVAL);
	assert_int_equal(rtnl_conf_get(4, "v0", "../x", &value), -EINVAL);
	assert_int_equal(rtnl_conf_get(5, "v0", "rp_filter", &value), -EINVAL);
	assert_int_equal(rtnl_conf_get(6, "nothing", "forwarding", &value), -ENOENT);

	assert_int_equal(rtnl_link_del(f->rtnl, "v0", err, sizeof(err)), 0);
	assert_int_equal(rtnl_link_del(f->rtnl, "v0", err, sizeof(err)), 0);
}

#define in_namespace(f) cmocka_unit_test_setup_teardown(f, setup_namespace, teardown_namespace)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_namespace(test_follow),
		in_namespace(test_follow_multipath6),
		in_namespace(test_follow_silent),
		in_namespace(test_follow_links),
		in_namespace(test_follow_random),
		in_namespace(test_follow_overrun),
		in_namespace(test_guards),
		in_namespace(test_publish),
		in_namespace(test_publish_adopt_and_sweep),
		in_namespace(test_publish_restore),
		in_namespace(test_publish_device),
		in_namespace(test_publish_refused),
		in_namespace(test_publish_random),
		in_namespace(test_link),
	};

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		printf("1..0 # SKIP needs a network namespace: %s\n", strerror(errno));
		return 0;
	}
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
