// SPDX-License-Identifier: GPL-2.0-only
/*
 * A drained tunnel: what its peer is told, what static and policy routes make of
 * it, and that it lasts. The module is the model, the peer is scripted.
 */
#include <sys/stat.h>

#include "bgp_netns.h"
#include "bgp_raw.h"
#include "vgwd/gateway.h"

static const char text[] =
	"control: {socket: %s/control.sock}\n"
	"gateway: {local-asn: 65000, router-id: 10.0.0.1}\n"
	"customer-gateways:\n- {name: cg1, address: 198.51.100.2, asn: 65001}\n"
	"connections:\n- name: c1\n  customer-gateway: cg1\n  bgp: {passive: true}\n"
	"  tunnels:\n"
	"  - {name: t1, inside-cidr: 169.254.21.0/30, interface: lo}\n"
	"  - {name: t2, inside-cidr: 169.254.21.4/30, interface: ipsec2}\n"
	"static-routes:\n"
	"- {prefix: 10.9.0.0/16, connection: c1}\n";

#define OPEN "04 fde9 001e 0a000002 10 020e 010400010001 0200 41040000fde9"

/* COMMUNITIES with GRACEFUL_SHUTDOWN, and the worst MED. */
static const uint8_t gshut[] = {0xc0, 8, 4, 0xff, 0xff, 0, 0};
static const uint8_t med[] = {0x80, 4, 4, 0xff, 0xff, 0xff, 0xff};

static struct gateway gateway;
static struct tunnel tunnels[2];
static char directory[64];

static void ignore(void *ctx)
{
}

static void bfd_ignore(void *ctx, const char *name, const struct bfd_status *status)
{
}

static const struct bfd_ops bfd_ops = {.changed = bfd_ignore};
static const struct kernel_events no_events;
static const struct rtnl_ops no_rtnl;

static bool enter(void)
{
	return netns_enter("ip link set lo up && ip address add 169.254.21.1/32 dev lo && "
			   "ip address add 169.254.21.2/32 dev lo");
}

static void life_begin(void)
{
	struct config_errors errors;
	char file[sizeof(text) + sizeof(directory)];
	int len = snprintf(file, sizeof(file), text, directory);

	gateway = (struct gateway){
		.loop = test_loop,
		.config = config_parse(file, (size_t)len, &errors),
		.rib = rib_new(),
		.router_id = 0x0a000001,
		.bound = true,
		.routes_synced = true,
		.phase = GATEWAY_RUNNING,
		.tunnels = &tunnels[0],
		.drain_timer = loop_timer_new(test_loop, ignore, NULL),
		.drained_timer = loop_timer_new(test_loop, drain_look, &gateway),
		.kernel = kernel_model_new(test_loop, &no_events, NULL),
		.rtnl = rtnl_new(test_loop, 254, &no_rtnl, NULL),
		.bfd = bfd_new(test_loop, "/nonexistent/vgw-bfd.sock", "test", &bfd_ops, NULL),
	};
	if (!gateway.config)
		fail_msg("%s", errors.list[0].text);
	config_errors_free(&errors);
	gateway.fib = fib_new(test_loop, gateway.kernel, &derive_fib_ops, &gateway);
	assert_int_equal(advertise_init(&gateway), 0);
	for (int i = 0; i < 2; i++) {
		tunnels[i] = (struct tunnel){
			.gateway = &gateway,
			.peer = {.gateway = &gateway, .owner = &tunnel_peer_owner},
			.next = i ? NULL : &tunnels[1],
			.id = gateway.config->connections[0].tunnels[i].id,
			.ready = true,
			.connection = &gateway.config->connections[0],
			.config = &gateway.config->connections[0].tunnels[i],
		};
		assert_int_equal(peer_create(&tunnels[i].peer), 0);
	}
}

static void life_end(void)
{
	for (int i = 0; i < 2; i++)
		peer_destroy(&tunnels[i].peer, 0, NULL);
	fib_free(gateway.fib);
	kernel_free(gateway.kernel);
	rtnl_free(gateway.rtnl);
	rib_free(gateway.rib);
	export_free(gateway.export);
	attrs_put(gateway.domain_attrs);
	attrs_put(gateway.drained_attrs);
	bfd_free(gateway.bfd);
	loop_timer_free(gateway.drain_timer);
	loop_timer_free(gateway.drained_timer);
	config_free(gateway.config);
}

static int drain_setup(void **state)
{
	if (raw_setup(state))
		return -1;
	snprintf(directory, sizeof(directory), "/tmp/test-drain.XXXXXX");
	assert_non_null(mkdtemp(directory));
	life_begin();
	return 0;
}

static int drain_teardown(void **state)
{
	char path[128];

	life_end();
	snprintf(path, sizeof(path), "%s/drained", directory);
	unlink(path);
	rmdir(directory);
	return raw_teardown(state);
}

static bool up(void)
{
	return session_info(tunnels[0].peer.session)->state == SESSION_ESTABLISHED;
}

static void connect_peer(void)
{
	raw_close(&raw);
	raw_connect_to(&raw, "169.254.21.2", "169.254.21.1", BGP_PORT);
	raw_expect(&raw, BGP_OPEN);
	raw_send_hex(&raw, BGP_OPEN, OPEN);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(up, 2000);
}

static bool told(const uint8_t *attribute, size_t len)
{
	return memmem(raw.body, raw.body_len, attribute, len);
}

static void expect_told(bool drained)
{
	raw_expect(&raw, BGP_UPDATE);
	assert_int_equal(told(gshut, sizeof(gshut)), drained);
	assert_int_equal(told(med, sizeof(med)), drained);
	/* 10.1.0.0/16 is in it. */
	assert_true(memmem(raw.body, raw.body_len, "\x10\x0a\x01", 3));
}

/* RFC 8326: said again with the community, in this session and in the next one. */
static void test_peer_is_told(void **state)
{
	struct prefix prefix;

	assert_true(prefix_parse("10.1.0.0/16", &prefix, NULL));
	assert_int_equal(export_route(gateway.export, &prefix, 4, 1, true), 0);
	peer_start(&tunnels[0].peer);
	connect_peer();
	expect_told(false);
	raw_expect(&raw, BGP_UPDATE); /* End-of-RIB */
	assert_int_equal(drain_set(&tunnels[0], true), 0);
	expect_told(true);
	connect_peer();
	expect_told(true);
	raw_expect(&raw, BGP_UPDATE);
	assert_int_equal(drain_set(&tunnels[0], false), 0);
	expect_told(false);
	/* Nothing changes, nothing is said. */
	assert_int_equal(drain_set(&tunnels[0], false), 0);
	wait_pass(50);
	assert_false(raw_take(&raw));
}

/* What could not be queued or kept for want of memory is told, and asked for, again. */
static void test_catch_up(void **state)
{
	struct prefix prefix;

	assert_true(prefix_parse("10.1.0.0/16", &prefix, NULL));
	assert_int_equal(export_route(gateway.export, &prefix, 4, 1, true), 0);
	peer_start(&tunnels[0].peer);
	connect_peer();
	expect_told(false);
	raw_expect(&raw, BGP_UPDATE); /* End-of-RIB */
	peer_catch_up(&tunnels[0].peer);
	wait_pass(50);
	assert_false(raw_take(&raw));
	tunnels[0].peer.retell = true;
	peer_catch_up(&tunnels[0].peer);
	expect_told(false);
	tunnels[0].peer.relearn = true;
	peer_catch_up(&tunnels[0].peer);
	raw_expect(&raw, BGP_ROUTE_REFRESH);
	assert_false(tunnels[0].peer.relearn || tunnels[0].peer.retell);
	/* A new session tells all by itself. */
	tunnels[0].peer.relearn = tunnels[0].peer.retell = true;
	session_stop(tunnels[0].peer.session, 0, NULL);
	peer_catch_up(&tunnels[0].peer);
	assert_false(tunnels[0].peer.relearn || tunnels[0].peer.retell);
}

static void expect_static(uint8_t weight1, uint8_t weight2)
{
	struct fib_route route;
	struct prefix prefix;

	assert_true(prefix_parse("10.9.0.0/16", &prefix, NULL));
	assert_true(derive_static(&gateway, &prefix, &route));
	assert_int_equal(route.n_members, 2);
	assert_int_equal(route.members[0].tunnel, tunnels[0].id);
	assert_int_equal(route.members[0].weight, weight1);
	assert_int_equal(route.members[1].weight, weight2);
}

/* The standby takes over; who stands by already changes nothing; all drained is none drained. */
static void test_static_routes(void **state)
{
	expect_static(1, 0);
	drain_set(&tunnels[1], true);
	expect_static(1, 0);
	drain_set(&tunnels[0], true);
	expect_static(1, 0);
	drain_set(&tunnels[1], false);
	expect_static(0, 1);
	/* Alone it carries. */
	tunnels[1].ready = false;
	gateway.tunnels = &tunnels[0];
	tunnels[0].next = NULL;
	{
		struct fib_route route;
		struct prefix prefix;

		assert_true(prefix_parse("10.9.0.0/16", &prefix, NULL));
		assert_true(derive_static(&gateway, &prefix, &route));
		assert_int_equal(route.n_members, 1);
		assert_int_equal(route.members[0].weight, 1);
	}
	tunnels[0].next = &tunnels[1];
}

/* A new session, a new life of the agent. */
static void test_lasts(void **state)
{
	drain_set(&tunnels[1], true);
	life_end();
	life_begin();
	assert_false(tunnels[1].drained);
	drain_load(&gateway);
	assert_false(tunnels[0].drained);
	assert_true(tunnels[1].drained);
	assert_true(loop_timer_pending(gateway.drained_timer));
	drain_set(&tunnels[1], false);
	assert_false(loop_timer_pending(gateway.drained_timer));
	life_end();
	life_begin();
	drain_load(&gateway);
	assert_false(tunnels[1].drained);
}

static uint8_t weight_of_t1(void)
{
	struct rib_decision decision;
	struct prefix prefix;

	assert_true(prefix_parse("10.5.0.0/16", &prefix, NULL));
	for (int i = 0; i < 2; i++) {
		const uint32_t as = 65001;
		const struct as_segment segment = {.type = AS_SEQUENCE, .count = 1, .asns = &as};
		const struct attrs draft = {
			.n_segments = 1,
			.segments = &segment,
			.next_hop = tunnels[i].config->inside_peer,
		};
		const struct attrs *attrs = attrs_intern(&draft);

		assert_int_equal(rib_announce(tunnels[i].peer.source, &prefix, attrs), 0);
		attrs_put(attrs);
	}
	rib_decide(gateway.rib, &prefix, &decision);
	assert_int_equal(decision.n_next_hops, 2);
	return decision.next_hops[0].weight;
}

/* A reload that makes the session anew. */
static void test_session_anew(void **state)
{
	assert_int_equal(weight_of_t1(), 1);
	drain_set(&tunnels[0], true);
	assert_int_equal(weight_of_t1(), 0);
	peer_destroy(&tunnels[0].peer, SESSION_CEASE_CONFIG_CHANGE, NULL);
	assert_int_equal(peer_create(&tunnels[0].peer), 0);
	assert_int_equal(weight_of_t1(), 0);
}

/* What cannot be written down holds as long as the agent lives, and it says so. */
static void test_not_kept(void **state)
{
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(drain_set(&tunnels[0], true), -ENOENT);
	assert_true(tunnels[0].drained);
	expect_static(0, 1);
	assert_int_equal(mkdir(directory, 0700), 0);
}

static void reports(uint64_t tx)
{
	tunnels[0].reported = true;
	tunnels[0].kernel.tx_packets = tx;
	drain_judge(&tunnels[0]);
}

/* Empty after some seconds without a packet, and not so any more with the next one. */
static void test_empty(void **state)
{
	loop_fake_clock(test_loop);
	tunnels[0].kernel.tx_packets = 7;
	drain_set(&tunnels[0], true);
	loop_fake_advance(test_loop, 4999);
	reports(7);
	assert_false(tunnels[0].drain_empty);
	reports(8);
	loop_fake_advance(test_loop, 4999);
	reports(8);
	assert_false(tunnels[0].drain_empty);
	loop_fake_advance(test_loop, 1);
	reports(8);
	assert_true(tunnels[0].drain_empty);
	reports(9);
	assert_false(tunnels[0].drain_empty);
}

/* Which session a new file ends, and by which value. */
static void expect_reset(const char *from, const char *to, const char *t1, const char *t2)
{
	struct config_errors errors;
	char base[sizeof(text) + sizeof(directory)], file[sizeof(base) + 300], *at;
	struct config *new;
	const char *reasons[] = {t1, t2};

	snprintf(base, sizeof(base), text, directory);
	at = strstr(base, from);
	assert_non_null(at);
	snprintf(file, sizeof(file), "%.*s%s%s", (int)(at - base), base, to, at + strlen(from));
	new = config_parse(file, strlen(file), &errors);
	if (!new)
		fail_msg("%s: %s", to, errors.list[0].text);
	config_errors_free(&errors);
	for (int i = 0; i < 2; i++) {
		const char *reason = reload_resets(gateway.config, new, i ? "t2" : "t1");

		if (!reasons[i])
			assert_null(reason);
		else
			assert_string_equal(reason ? reason : "none", reasons[i]);
	}
	config_free(new);
}

static void test_reload_resets(void **state)
{
	expect_reset("passive: true", "passive: true", NULL, NULL);
	expect_reset("passive: true", "passive: false, connect-retry: 7", NULL, NULL);
	expect_reset("passive: true", "passive: true, hold-time: 60", "bgp.hold-time",
		     "bgp.hold-time");
	expect_reset("passive: true", "passive: true, gtsm: true", "bgp.gtsm", "bgp.gtsm");
	expect_reset("bgp: {passive: true}", "routing: destination", "bgp", "bgp");
	expect_reset("interface: ipsec2", "interface: ipsec2, weight: 3", NULL, NULL);
	expect_reset("interface: ipsec2", "interface: ipsec9", NULL, "interface");
	expect_reset("169.254.21.4/30", "169.254.22.4/30", NULL, "inside-cidr");
	expect_reset("  - {name: t2, inside-cidr: 169.254.21.4/30, interface: ipsec2}\n", "", NULL,
		     "the tunnel");
	expect_reset("router-id: 10.0.0.1", "router-id: 10.0.0.9", "gateway.router-id",
		     "gateway.router-id");
}

#define drained(f) cmocka_unit_test_setup_teardown(f, drain_setup, drain_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		drained(test_peer_is_told), drained(test_static_routes), drained(test_lasts),
		drained(test_session_anew),
		drained(test_catch_up),
		drained(test_not_kept),
		drained(test_empty),
		drained(test_reload_resets),
	};

	if (!enter()) {
		print_message("1..0 # SKIP no network namespace of our own here\n");
		return 4;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
