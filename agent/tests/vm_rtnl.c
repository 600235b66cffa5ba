// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of rtnetlink that need a kernel with devices of kinds xfrm, vrf
 * and vgw: run as root in the VM, with the path of vgw.ko.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sys/rtnl.h"

#define METRIC 500
#define TABLE 100

struct fixture {
	struct loop *loop;
	struct rtnl *rtnl;
	struct loop_timer *poll;
	bool (*cond)(struct fixture *f);
	bool met;
	uint64_t deadline;
	size_t synced, unicast_local;
	bool publish;
	struct rtnl_link last;
};

static const char *module;
static unsigned int failures;

#define check(cond) check_at(cond, #cond, __LINE__)

static bool check_at(bool ok, const char *what, int line)
{
	if (!ok) {
		printf("# line %d: %s\n", line, what);
		failures++;
	}
	return ok;
}

static void sh(const char *command)
{
	if (system(command))
		printf("# failed: %s\n", command);
}

static size_t lines_of(const char *command)
{
	FILE *pipe = popen(command, "r");
	char line[512];
	size_t n = 0;

	check(pipe);
	while (fgets(line, sizeof(line), pipe))
		n++;
	pclose(pipe);
	return n;
}

static void poll_fire(void *ctx)
{
	struct fixture *f = ctx;

	f->met = f->cond(f);
	if (f->met || loop_now(f->loop) >= f->deadline)
		loop_stop(f->loop);
	else
		loop_timer_start(f->poll, 10);
}

static bool run_until(struct fixture *f, bool (*cond)(struct fixture *f), uint64_t ms)
{
	f->cond = cond;
	f->deadline = loop_now(f->loop) + ms;
	loop_timer_start(f->poll, 0);
	loop_run(f->loop);
	return f->met;
}

static void on_route(void *ctx, const struct rtnl_route *route, bool present)
{
	struct fixture *f = ctx;

	/* The VRF's table holds addresses and multicast of its devices too. */
	if (present && route->type == RTN_UNICAST &&
	    (route->prefix.len == addr_bits(route->prefix.addr.family) ||
	     (route->prefix.addr.family == AF_INET6 && route->prefix.addr.b[0] == 0xff)))
		f->unicast_local++;
}

static void on_synced(void *ctx)
{
	((struct fixture *)ctx)->synced++;
}

static void on_link(void *ctx, const struct rtnl_link *link, bool present)
{
	struct fixture *f = ctx;

	if (present)
		f->last = *link;
}

static bool on_published(void *ctx, const struct prefix *prefix)
{
	return ((struct fixture *)ctx)->publish;
}

static const struct rtnl_ops ops = { .route = on_route, .routes_synced = on_synced,
				     .link = on_link, .published = on_published };

static bool is_synced(struct fixture *f)
{
	return f->synced > 0;
}

static bool never(struct fixture *f)
{
	return false;
}

static bool published_one(struct fixture *f)
{
	return rtnl_counters(f->rtnl).published == 2;
}

static bool setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	if (unshare(CLONE_NEWNET))
		return false;
	sh("ip link set lo up; ip link add u0 type dummy; ip link set u0 up");
	f->loop = loop_new();
	f->poll = loop_timer_new(f->loop, poll_fire, f);
	return true;
}

static void teardown(struct fixture *f)
{
	rtnl_free(f->rtnl);
	loop_timer_free(f->poll);
	loop_free(f->loop);
}

static void start(struct fixture *f, uint32_t table)
{
	f->rtnl = rtnl_new(f->loop, table, &ops, f);
	check(f->rtnl);
	check(rtnl_follow(f->rtnl) == 0);
	check(run_until(f, is_synced, 5000));
}

static void test_xfrm(struct fixture *f)
{
	struct rtnl_link link;
	char err[256] = "";
	bool up = true;
	uint32_t mtu = 1400;

	start(f, RT_TABLE_MAIN);
	check(rtnl_link_add_xfrm(f->rtnl, "ipsec1", 7, "u0", err, sizeof(err)) == 0);
	check(rtnl_link_add_xfrm(f->rtnl, "ipsec1", 7, "u0", err, sizeof(err)) == 0);
	check(rtnl_link_add_xfrm(f->rtnl, "ipsec2", 8, NULL, err, sizeof(err)) == 0);
	check(rtnl_link_get(f->rtnl, "ipsec1", &link) == 0);
	check(!strcmp(link.kind, "xfrm"));
	check(link.if_id == 7);
	check(rtnl_link_add_xfrm(f->rtnl, "ipsec1", 9, "u0", err, sizeof(err)) == -EEXIST);
	check(strstr(err, "if_id 7"));
	check(rtnl_link_add_xfrm(f->rtnl, "ipsec3", 7, "u0", err, sizeof(err)) == -EEXIST);
	check(strstr(err, "'ipsec1'"));
	check(rtnl_link_add_xfrm(f->rtnl, "u0", 11, NULL, err, sizeof(err)) == -EEXIST);
	check(strstr(err, "dummy"));
	check(rtnl_link_add_xfrm(f->rtnl, "ipsec4", 12, "u9", err, sizeof(err)) == -ENODEV);
	sh("ip link add ipsec5 type xfrm external");
	check(rtnl_link_add_xfrm(f->rtnl, "ipsec5", 13, NULL, err, sizeof(err)) == -EEXIST);
	check(strstr(err, "external"));
	check(rtnl_link_set(f->rtnl, "ipsec1", &up, &mtu, NULL, err, sizeof(err)) == 0);
	run_until(f, never, 100);
	check(!strcmp(f->last.name, "ipsec1"));
	check(f->last.if_id == 7);
	check(f->last.mtu == 1400);
	check(f->last.up);
}

static void test_vgw(struct fixture *f)
{
	struct rtnl_link link;
	char err[256] = "", command[300];

	f->rtnl = rtnl_new(f->loop, RT_TABLE_MAIN, &ops, f);
	check(rtnl_link_add_vgw(f->rtnl, "vgw0", err, sizeof(err)) == -EOPNOTSUPP);
	check(strstr(err, "'vgw'"));
	snprintf(command, sizeof(command), "insmod %s", module);
	sh(command);
	check(rtnl_link_add_vgw(f->rtnl, "vgw0", err, sizeof(err)) == 0);
	check(rtnl_link_add_vgw(f->rtnl, "vgw0", err, sizeof(err)) == 0);
	check(rtnl_link_get(f->rtnl, "vgw0", &link) == 0);
	check(!strcmp(link.kind, "vgw"));
	check(rtnl_link_add_vgw(f->rtnl, "u0", err, sizeof(err)) == -EEXIST);
}

static void test_vrf(struct fixture *f)
{
	struct prefix four, six, guard;
	struct rtnl_link link;
	char err[256] = "";
	bool up = true;

	sh("ip link add blue type vrf table 100; ip link set blue up;"
	   "ip link set u0 master blue; ip addr add 192.0.2.1/24 dev u0;"
	   "ip -6 addr add 2001:db8::1/64 dev u0 nodad; ip route add 10.0.0.0/8 dev u0 table 100");
	start(f, TABLE);
	check(rtnl_vrf_table(f->rtnl, "blue") == TABLE);
	check(rtnl_vrf_table(f->rtnl, "u0") == 0);
	check(f->unicast_local == 0);
	check(rtnl_link_add_vgw(f->rtnl, "vgw0", err, sizeof(err)) == 0);
	check(rtnl_link_set(f->rtnl, "vgw0", &up, NULL, "blue", err, sizeof(err)) == 0);
	check(rtnl_link_get(f->rtnl, "vgw0", &link) == 0);
	check(link.up && link.master);
	check(prefix_parse("172.16.0.0/24", &four, NULL));
	check(prefix_parse("fd00:1::/48", &six, NULL));
	check(prefix_parse("172.16.0.0/12", &guard, NULL));
	check(rtnl_guards_apply(f->rtnl, &guard, 1, err, sizeof(err)) == 0);
	check(lines_of("ip route show table 100 type unreachable proto 118") == 1);
	f->publish = true;
	run_until(f, never, 100);
	rtnl_publish_start(f->rtnl, link.ifindex, METRIC);
	rtnl_publish_dirty(f->rtnl, &four);
	rtnl_publish_dirty(f->rtnl, &six);
	check(run_until(f, published_one, 5000));
	check(lines_of("ip route show table 100 dev vgw0 proto 118 metric 500") == 1);
	check(lines_of("ip -6 route show table 100 dev vgw0 proto 118 metric 500") == 1);
	check(lines_of("ip route show table main proto 118") == 0);

	/* The device goes and comes back as another. */
	check(rtnl_link_del(f->rtnl, "vgw0", err, sizeof(err)) == 0);
	run_until(f, never, 200);
	check(rtnl_counters(f->rtnl).published == 0);
	check(lines_of("ip route show table 100 type unreachable proto 118") == 1);
	check(rtnl_link_add_vgw(f->rtnl, "vgw0", err, sizeof(err)) == 0);
	check(rtnl_link_set(f->rtnl, "vgw0", &up, NULL, "blue", err, sizeof(err)) == 0);
	check(rtnl_link_get(f->rtnl, "vgw0", &link) == 0);
	rtnl_publish_start(f->rtnl, link.ifindex, METRIC);
	check(run_until(f, published_one, 5000));
	check(lines_of("ip route show table 100 dev vgw0 proto 118") == 1);
	check(rtnl_counters(f->rtnl).refused == 0);
}

int main(int argc, char **argv)
{
	static const struct {
		void (*run)(struct fixture *f);
		const char *name;
	} tests[] = { { test_xfrm, "xfrm" }, { test_vgw, "vgw" }, { test_vrf, "vrf" } };
	struct fixture f;
	bool ok = true;

	if (argc != 2) {
		fprintf(stderr, "vm_rtnl VGW_KO\n");
		return 2;
	}
	module = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (system("modprobe -a xfrm_interface vrf dummy"))
		return 4;
	log_set_level(LOG_LEVEL_ERROR);
	puts("1..3");
	for (size_t i = 0; i < 3; i++) {
		failures = 0;
		if (check(setup(&f))) {
			tests[i].run(&f);
			teardown(&f);
		}
		printf("%sok %zu - %s\n", failures ? "not " : "", i + 1, tests[i].name);
		ok &= !failures;
	}
	return !ok;
}
