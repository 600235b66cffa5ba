// SPDX-License-Identifier: GPL-2.0-only
/*
 * A private line with a real device, a real system table and a scripted peer in
 * a network namespace of its own. There is no module: a line needs none.
 */
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bgp_netns.h"
#include "bgp_raw.h"
#include "vgwbfd/server.h"
#include "vgwd/gateway.h"

#define LINE(more)                                                                             \
	"  - {name: l1, site: cg1, interface: l0, local-address: 10.9.0.1, "                   \
	"peer-address: 10.9.0.2, bgp: {passive: true}" more "}\n"
#define CONFIG(line)                                                                          \
	"gateway: {local-asn: 65000, router-id: 10.0.0.1}\n"                                  \
	"customer-gateways:\n  - {name: cg1, address: 198.51.100.2, asn: 65001}\n"            \
	"connections:\n  - name: c1\n    customer-gateway: cg1\n    tunnels:\n"               \
	"      - {name: t1, inside-cidr: 169.254.21.0/30}\n"                                  \
	"private-lines:\n" line "static-routes:\n  - {prefix: 10.2.0.0/16, tunnel: t1}\n"

#define OPEN "04 fde9 001e 0a000002 1a 0218 010400010001 0200 4600 41040000fde9 4006 0078 00010180"
#define OPEN6 \
	"04 fde9 001e 0a000002 1a 0218 010400020001 0200 4600 41040000fde9 4006 0078 00020180"
#define ROUTE6(nlri)                                                 \
	"0000 002c 400101 00 400206 0201 0000fde9 800e1c 0002 01 10" \
	"fd000009000000000000000000000002 00" nlri
#define EOR6 "0000 0006 800f03 0002 01"
#define ROUTE(nlri) "0000 0014 400101 00 400206 0201 0000fde9 400304 0a090002 " nlri
#define EOR "0000 0000"

static struct gateway gateway;
static struct config *config;
static int here, there; /* namespaces: the gateway's, the peer's */
static unsigned int synced;
static const char *wanted_routes;
static char bfd_path[64];

static void drain(void *ctx)
{
	struct prefix prefix;

	if (restart_deferring(&gateway))
		return;
	while (rib_dirty_next(gateway.rib, &prefix))
		rtnl_publish_dirty(gateway.rtnl, &prefix);
	if (gateway.hurry)
		rtnl_publish_now(gateway.rtnl);
	gateway.hurry = false;
	if (gateway.commit_due)
		rtnl_publish_sweep(gateway.rtnl);
	gateway.commit_due = false;
}

static void on_synced(void *ctx)
{
	synced++;
}

static void on_link(void *ctx, const struct rtnl_link *link, bool present)
{
	line_link_changed(ctx, link, present);
}

static const struct bfd_ops bfd_ops = {.changed = liveness_changed};
static const struct rtnl_ops rtnl_ops = {
	.routes_synced = on_synced,
	.link = on_link,
	.vias = line_vias,
	.owns = line_owns,
};

static bool is_synced(void)
{
	return synced;
}

static void sh(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

static void sh_there(const char *command)
{
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	sh(command);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
}

/* Our routes over l0, one a line: "10.1.0.0/16 via 10.9.0.2 metric 10000". */
static const char *routes(void)
{
	static char text[4096];
	FILE *pipe = popen("ip route show proto 118 dev l0", "r");
	size_t n;

	assert_non_null(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	pclose(pipe);
	for (char *p = text; *p; p++)
		if (*p == ' ' && (p[1] == '\n' || !p[1]))
			memmove(p, p + 1, strlen(p));
	return text;
}

static bool routes_are_wanted(void)
{
	return !strcmp(routes(), wanted_routes);
}

static void expect_routes(const char *text)
{
	wanted_routes = text;
	for (unsigned int i = 0; i < 150 && !routes_are_wanted(); i++)
		wait_pass(20);
	assert_string_equal(routes(), text);
}

#define VIA(prefix, metric) prefix " via 10.9.0.2 metric " metric "\n"

static struct line *the_line(void)
{
	return gateway.lines;
}

static void line_begin(const char *text)
{
	const struct rib_policy policy = {.local_as = 65000};
	struct config_errors errors;

	assert_int_equal(rib_set_policy(gateway.rib, &policy), 0);
	config = config_parse(text, strlen(text), &errors);
	assert_non_null(config);
	config_errors_free(&errors);
	gateway.config = config;
	gateway.lines = line_new(&gateway, &config->private_lines[0]);
	assert_non_null(gateway.lines);
	line_setup(gateway.lines);
}

static int setup(void **state)
{
	char command[200];

	if (raw_setup(state))
		return -1;
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET))
		return -1;
	there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(command, sizeof(command),
		 "ip link set lo up && ip link add l1 type veth peer name l0 netns /proc/%d/fd/%d "
		 "&& ip address add 10.9.0.2/30 dev l1 && ip link set l1 up && "
		 "ip address add fd00:9::2/64 dev l1 nodad",
		 getpid(), here);
	sh(command);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	sh("ip address add 10.9.0.1/30 dev l0 && ip link set l0 up && "
	   "ip address add fd00:9::1/64 dev l0 nodad");
	synced = 0;
	snprintf(bfd_path, sizeof(bfd_path), "/tmp/test-line-bfd-%d.sock", getpid());
	gateway = (struct gateway){
		.loop = test_loop,
		.rib = rib_new(),
		.router_id = 0x0a000001,
		.bound = true,
		.routes_synced = true,
		.phase = GATEWAY_RUNNING,
		.drain_timer = loop_timer_new(test_loop, drain, NULL),
		.restart_timer = loop_timer_new(test_loop, restart_expired, &gateway),
		.bfd = bfd_new(test_loop, bfd_path, "test", &bfd_ops, &gateway),
		.rtnl = rtnl_new(test_loop, RT_TABLE_MAIN, &rtnl_ops, &gateway),
	};
	assert_int_equal(advertise_init(&gateway), 0);
	assert_int_equal(history_init(&gateway), 0);
	return 0;
}

static int teardown(void **state)
{
	raw_close(&raw);
	timeline_free(gateway.timeline);
	gateway.timeline = NULL;
	line_free(gateway.lines);
	rtnl_free(gateway.rtnl);
	rib_free(gateway.rib);
	export_free(gateway.export);
	attrs_put(gateway.domain_attrs);
	attrs_put(gateway.drained_attrs);
	bfd_free(gateway.bfd);
	loop_timer_free(gateway.drain_timer);
	loop_timer_free(gateway.restart_timer);
	config_free(config);
	sh("ip link delete l0 2> /dev/null || true");
	close(here);
	close(there);
	return raw_teardown(state);
}

static void follow(void)
{
	assert_int_equal(rtnl_follow(gateway.rtnl), 0);
	wait_for(is_synced, 2000);
	rtnl_publish_start(gateway.rtnl, 0, GATEWAY_PUBLISH_METRIC);
}

static bool up(void)
{
	const struct session *session = the_line()->peer.session;

	return session && session_info(session)->state == SESSION_ESTABLISHED;
}

static bool down(void)
{
	return !up();
}

static bool good(void)
{
	return the_line()->good;
}

static bool bad(void)
{
	return !good();
}

static void connect_from(const char *from, const char *to, const char *open_text)
{
	raw_close(&raw);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	raw_connect_to(&raw, from, to, BGP_PORT);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	raw_expect(&raw, BGP_OPEN);
	raw_send_hex(&raw, BGP_OPEN, open_text);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(up, 2000);
}

static void connect_there(void)
{
	connect_from("10.9.0.2", "10.9.0.1", OPEN);
}

/* A session with 10.1.0.0/16, and 10.2.0.0/16, to which a static route leads. */
static void begin(void)
{
	connect_there();
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a01 10 0a02"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
}

#define BOTH VIA("10.1.0.0/16", "10000") VIA("10.2.0.0/16", "30000")

/* Ahead of the tunnels, but behind what the file itself says of the prefix (rule 31). */
static void test_routes(void **state)
{
	line_begin(CONFIG(LINE("")));
	follow();
	begin();
	expect_routes(BOTH);
	/* 127/8 and our own AS are not let in; a withdrawn one goes. */
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("08 7f"));
	raw_send_hex(&raw, BGP_UPDATE,
		     "0000 0018 400101 00 40020a 0202 0000fde9 0000fde8 400304 0a090002 10 0a03");
	raw_send_hex(&raw, BGP_UPDATE, "0003 10 0a01 0000");
	expect_routes(VIA("10.2.0.0/16", "30000"));
	raw_send_hex(&raw, BGP_NOTIFICATION, "06 04");
	wait_for(down, 2000);
	expect_routes("");
}

static bool has_route6(void)
{
	return !system("ip -6 route show proto 118 dev l0 | "
		       "grep -q '^2001:db8:1::/48 via fd00:9::2 metric 10000'");
}

static bool has_no_route6(void)
{
	return !has_route6();
}

static void test_ipv6(void **state)
{
	line_begin(CONFIG("  - {name: l1, site: cg1, interface: l0, local-address: \"fd00:9::1\", "
			  "peer-address: \"fd00:9::2\", bgp: {passive: true}}\n"));
	follow();
	connect_from("fd00:9::2", "fd00:9::1", OPEN6);
	raw_send_hex(&raw, BGP_UPDATE, ROUTE6("30 20010db80001"));
	raw_send_hex(&raw, BGP_UPDATE, EOR6);
	wait_for(has_route6, 3000);
	sh_there("ip link set l1 down");
	wait_for(has_no_route6, 3000);
	assert_true(bad());
}

static void test_behind(void **state)
{
	line_begin(CONFIG(LINE(", preference: tunnels")));
	follow();
	begin();
	expect_routes(VIA("10.1.0.0/16", "30000") VIA("10.2.0.0/16", "30000"));
}

/* The carrier is lost: routes go at once although the peer could restart gracefully. */
static void test_carrier(void **state)
{
	line_begin(CONFIG(LINE("")));
	follow();
	begin();
	expect_routes(BOTH);
	sh_there("ip link set l1 down");
	wait_for(bad, 2000);
	assert_true(down());
	expect_routes("");
	sh_there("ip link set l1 up");
	wait_for(good, 2000);
	assert_string_equal(routes(), "");
	begin();
	expect_routes(BOTH);
}

static const struct timeline_event *event_of(enum timeline_kind kind)
{
	const struct timeline_event *event = timeline_after(gateway.timeline, 0);

	while (event && event->kind != kind)
		event = timeline_after(gateway.timeline, event->number);
	return event;
}

/* What happens to a line is told by its name, and as one incident. */
static void test_timeline(void **state)
{
	const struct timeline_event *event;

	line_begin(CONFIG(LINE("")));
	follow();
	begin();
	expect_routes(BOTH);
	sh_there("ip link set l1 down");
	wait_for(bad, 2000);
	event = event_of(TIMELINE_LINE_DOWN);
	assert_non_null(event);
	assert_string_equal(event->object, "l1");
	assert_string_equal(event->text, "its interface does not run");
	assert_non_null(event_of(TIMELINE_BGP_DOWN));
	assert_int_equal(event_of(TIMELINE_BGP_DOWN)->cause, event->number);
	assert_string_equal(event_of(TIMELINE_ROUTES)->text, "2 paths");
	sh_there("ip link set l1 up");
	wait_for(good, 2000);
	assert_true(history_incident(&gateway, "l1"));
	begin();
	assert_false(history_incident(&gateway, "l1"));
	assert_int_equal(event_of(TIMELINE_RESTORED)->cause, event->number);
}

/* A module that BGP over tunnels cannot run with is none of a line's business (rule 4). */
static void test_module_too_old(void **state)
{
	version_judge(&gateway, 0);
	assert_non_null(gateway.bgp_refused);
	line_begin(CONFIG(LINE("")));
	follow();
	begin();
	expect_routes(BOTH);
	version_judge(&gateway, 1);
	version_judge(&gateway, 0);
	wait_pass(50);
	assert_true(up());
	assert_string_equal(routes(), BOTH);
}

/* What was lost for want of memory is asked for again. */
static void test_catch_up(void **state)
{
	struct peer *peer;

	line_begin(CONFIG(LINE("")));
	connect_there();
	raw_expect(&raw, BGP_UPDATE); /* End-of-RIB */
	peer = &gateway.lines->peer;
	peer->relearn = true;
	peer_catch_up(peer);
	raw_expect(&raw, BGP_ROUTE_REFRESH);
	assert_false(peer->relearn);
}

static void expect_reset(const char *text, const char *key)
{
	struct config_errors errors;
	struct config *new = config_parse(text, strlen(text), &errors);
	const char *reason;

	if (!new)
		fail_msg("%s", errors.list[0].text);
	config_errors_free(&errors);
	reason = reload_resets_line(config, new, "l1");
	assert_true(reason ? key && !strcmp(reason, key) : !key);
	config_free(new);
}

/* A reload says beforehand which session ends, and by which key. */
static void test_resets(void **state)
{
	line_begin(CONFIG(LINE("")));
	expect_reset(CONFIG(LINE("")), NULL);
	expect_reset(CONFIG(LINE(", preference: tunnels")), NULL);
	expect_reset(CONFIG("  - {name: l1, site: cg1, interface: l9, local-address: 10.9.0.1, "
			    "peer-address: 10.9.0.2}\n"),
		     "interface");
	expect_reset(CONFIG("  - {name: l2, site: cg1, interface: l0, local-address: 10.9.0.1, "
			    "peer-address: 10.9.0.2}\n"),
		     "the private line");
	expect_reset(CONFIG("  - {name: l1, site: cg1, interface: l0, local-address: 10.9.0.1, "
			    "peer-address: 10.9.0.2, bgp: {hold-time: 9}}\n"),
		     "bgp.hold-time");
}

/* The peer's BFD: a process of its own, for its sockets are of the other namespace. */
static pid_t bfd_there(void)
{
	struct bfd_config wanted = {.device = "l1", .timers = {50, 50, 4}};
	char path[80], err[200];
	struct loop *loop;
	struct bfd *bfd;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
	loop = loop_new();
	snprintf(path, sizeof(path), "%s.peer", bfd_path);
	bfd = bfd_new(loop, path, "peer", &(const struct bfd_ops){0}, NULL);
	if (setns(there, CLONE_NEWNET) || !bfd_server_new(loop, path, 30, err, sizeof(err)) ||
	    !addr_parse("10.9.0.2", &wanted.local) || !addr_parse("10.9.0.1", &wanted.peer) ||
	    bfd_set(bfd, "line", &wanted))
		_exit(1);
	loop_run(loop);
	_exit(0);
}

static void bfd_there_dies(pid_t pid)
{
	char path[80];

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	snprintf(path, sizeof(path), "%s.peer", bfd_path);
	unlink(path);
}

static bool bfd_up(void)
{
	const struct bfd_status *status = line_bfd_status(the_line());

	return status && status->known && status->info.state == BFD_UP;
}

/* The carrier stays and the other end is silent: BFD finds out, strict waits for it. */
static void test_bfd(void **state)
{
	char err[200];
	struct bfd_server *server = bfd_server_new(test_loop, bfd_path, 30, err, sizeof(err));
	pid_t pid;

	assert_non_null(server);
	line_begin(CONFIG(LINE(", bfd: {transmit: 50, receive: 50, multiplier: 4, strict: true}")));
	follow();
	wait_pass(300);
	assert_false(good());
	assert_null(the_line()->peer.session);
	pid = bfd_there();
	wait_for(bfd_up, 5000);
	assert_true(good());
	begin();
	expect_routes(BOTH);
	bfd_there_dies(pid);
	wait_for(bad, 3000);
	assert_true(down());
	expect_routes("");
	assert_true(the_line()->running);
	pid = bfd_there();
	wait_for(good, 10000);
	begin();
	expect_routes(BOTH);
	bfd_there_dies(pid);
	bfd_server_free(server);
}

/* BFD may say no while BGP goes on: then there are paths and no routes. */
static void test_verdict(void **state)
{
	line_begin(CONFIG(LINE("")));
	follow();
	begin();
	expect_routes(BOTH);
	the_line()->good = false;
	rib_source_touch(the_line()->peer.source);
	drain(NULL);
	expect_routes("");
	assert_true(up());
}

/* A lost connection alone: the peer restarts, and forwards meanwhile (RFC 4724). */
static void test_peer_restarts(void **state)
{
	line_begin(CONFIG(LINE("")));
	follow();
	begin();
	expect_routes(BOTH);
	raw_close(&raw);
	wait_for(down, 2000);
	wait_pass(100);
	assert_string_equal(routes(), BOTH);
	assert_true(the_line()->peer.stale);
	connect_there();
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a01"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	expect_routes(VIA("10.1.0.0/16", "10000"));
}

/* Decision D14: what an earlier life left stays until the restart is over. */
static void test_adopted(void **state)
{
	struct prefix configured;

	assert_true(prefix_parse("10.2.0.0/16", &configured, NULL));
	sh("ip route add 10.1.0.0/16 via 10.9.0.2 dev l0 proto 118 metric 10000;"
	   "ip route add 10.2.0.0/16 via 10.9.0.2 dev l0 proto 118 metric 30000;"
	   "ip route add 10.7.0.0/16 via 10.9.0.2 dev l0 proto 118 metric 10000");
	line_begin(CONFIG(LINE("")));
	gateway.phase = GATEWAY_RESTARTING;
	follow();
	assert_true(rtnl_publish_has_vias(gateway.rtnl));
	/* Static routes are looked at during a restart too. */
	rtnl_publish_dirty(gateway.rtnl, &configured);
	wait_pass(200);
	connect_there();
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a01 10 0a02"));
	wait_pass(200);
	assert_string_equal(routes(), BOTH VIA("10.7.0.0/16", "10000"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	expect_routes(BOTH);
	assert_int_equal(gateway.phase, GATEWAY_RUNNING);
}

/* What is no plain device that runs is no line; it may come later. */
static void test_device(void **state)
{
	const char *text = CONFIG("  - {name: l1, site: cg1, interface: l5, local-address: "
				  "10.9.0.1, peer-address: 10.9.0.2, bgp: {passive: true}}\n");

	line_begin(text);
	follow();
	assert_string_equal(the_line()->error, "there is no interface \"l5\"");
	assert_null(the_line()->peer.session);
	sh("ip link set l0 down && ip link set l0 name l5 && ip link set l5 up");
	wait_for(good, 2000);
	assert_string_equal(the_line()->error, "");
	connect_there();
	sh("ip link delete l5");
	wait_for(bad, 2000);
	assert_string_not_equal(the_line()->error, "");
	assert_true(down());
}

#define lined(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		lined(test_routes),	   lined(test_behind),	lined(test_carrier),
		lined(test_peer_restarts), lined(test_adopted), lined(test_device),
		lined(test_verdict),	   lined(test_ipv6),	lined(test_bfd),
		lined(test_timeline),	   lined(test_module_too_old),
		lined(test_catch_up),	   lined(test_resets),
	};

	if (!netns_enter("ip link set lo up")) {
		print_message("1..0 # SKIP no network namespace of our own here\n");
		return 4;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
