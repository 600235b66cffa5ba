// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tunnel's BGP peer over its whole life: which paths its source holds while
 * sessions come, end and restart (RFC 4724, RFC 8538) and while routes are told
 * again (RFC 7313). The peer is scripted; the gateway around it has no kernel.
 */
#include <netinet/tcp.h>

#include "bgp_netns.h"
#include "bgp_raw.h"
#include "vgwd/gateway.h"

#define CONFIG(more)                                                                          \
	"gateway: {local-asn: 65000, router-id: 10.0.0.1}\n"                                  \
	"customer-gateways:\n- {name: cg1, address: 198.51.100.2, asn: 65001}\n"              \
	"connections:\n- name: c1\n  customer-gateway: cg1\n  bgp: {passive: true" more "}\n" \
	"  tunnels:\n  - {name: t1, inside-cidr: 169.254.21.0/30, interface: lo}\n"
static const char text[] = CONFIG(", graceful-notification: true");
static const char text_defaults[] = CONFIG("");

/* IPv4, refreshes of both kinds, 4-octet AS, graceful restart; %s: flags and time, family. */
#define OPEN(gr) "04 fde9 001e 0a000002 1a 0218 010400010001 0200 4600 41040000fde9 4006 " gr
#define OPEN_GR OPEN("0078 00010180")
#define OPEN_GR_LOST OPEN("0078 00010100")
#define OPEN_GR_SHORT OPEN("0001 00010180")
#define OPEN_GR_N OPEN("4078 00010180")
#define ROUTE(nlri) "0000 0014 400101 00 400206 0201 0000fde9 400304 a9fe1502 " nlri
#define EOR "0000 0000"

static struct gateway gateway;
static struct tunnel tunnel;

static void ignore(void *ctx)
{
}

static void bfd_ignore(void *ctx, const char *name, const struct bfd_status *status)
{
}

static const struct bfd_ops bfd_ops = {.changed = bfd_ignore};

static bool enter(void)
{
	return netns_enter("ip link set lo up && ip address add 169.254.21.1/32 dev lo && "
			   "ip address add 169.254.21.2/32 dev lo");
}

static int peer_setup(void **state)
{
	struct config_errors errors;

	if (raw_setup(state))
		return -1;
	gateway = (struct gateway){
		.loop = test_loop,
		.config = config_parse(text, sizeof(text) - 1, &errors),
		.rib = rib_new(),
		.router_id = 0x0a000001,
		.bound = true,
		.routes_synced = true,
		.phase = GATEWAY_RUNNING,
		.tunnels = &tunnel,
		.drain_timer = loop_timer_new(test_loop, ignore, NULL),
		.bfd = bfd_new(test_loop, "/nonexistent/vgw-bfd.sock", "test", &bfd_ops, NULL),
	};
	assert_non_null(gateway.config);
	config_errors_free(&errors);
	assert_int_equal(advertise_init(&gateway), 0);
	tunnel = (struct tunnel){
		.gateway = &gateway,
		.id = 1,
		.ready = true,
		.peer = {.gateway = &gateway, .owner = &tunnel_peer_owner},
		.connection = &gateway.config->connections[0],
		.config = &gateway.config->connections[0].tunnels[0],
	};
	assert_int_equal(peer_create(&tunnel.peer), 0);
	peer_start(&tunnel.peer);
	assert_non_null(tunnel.peer.session);
	return 0;
}

static int peer_teardown(void **state)
{
	peer_destroy(&tunnel.peer, 0, NULL);
	rib_free(gateway.rib);
	export_free(gateway.export);
	attrs_put(gateway.domain_attrs);
	attrs_put(gateway.drained_attrs);
	bfd_free(gateway.bfd);
	loop_timer_free(gateway.drain_timer);
	config_free(gateway.config);
	return raw_teardown(state);
}

static size_t paths(void)
{
	size_t accepted = 0, rejected = 0;

	rib_source_counters(tunnel.peer.source, &accepted, &rejected);
	return accepted + rejected;
}

static bool up(void)
{
	return session_info(tunnel.peer.session)->state == SESSION_ESTABLISHED;
}

static bool down(void)
{
	return !up();
}

static bool told(void)
{
	return session_info(tunnel.peer.session)->eor_received[SESSION_IPV4];
}

static bool no_paths(void)
{
	return !paths();
}

static void connect_with(const char *open)
{
	raw_close(&raw);
	raw_connect_to(&raw, "169.254.21.2", "169.254.21.1", BGP_PORT);
	raw_expect(&raw, BGP_OPEN);
	raw_send_hex(&raw, BGP_OPEN, open);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(up, 2000);
}

/* A session with 10.1.0.0/16 and 10.2.0.0/16. */
static void begin(const char *open)
{
	connect_with(open);
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a01 10 0a02"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	wait_for(told, 2000);
	assert_int_equal(paths(), 2);
}

static void lose(void)
{
	raw_close(&raw);
	wait_for(down, 2000);
}

static void end_by(const char *notification)
{
	raw_send_hex(&raw, BGP_NOTIFICATION, notification);
	wait_for(down, 2000);
}

/* RFC 4724 4.2: kept over the restart; what is not told again goes with End-of-RIB. */
static void test_restart(void **state)
{
	begin(OPEN_GR);
	lose();
	assert_int_equal(paths(), 2);
	assert_true(tunnel.peer.stale);
	connect_with(OPEN_GR);
	assert_int_equal(paths(), 2);
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a02"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	wait_for(told, 2000);
	assert_int_equal(paths(), 1);
	assert_false(tunnel.peer.stale);
}

/* The F bit says whether the peer still forwards. */
static void test_restart_forwarding_lost(void **state)
{
	begin(OPEN_GR);
	lose();
	connect_with(OPEN_GR_LOST);
	assert_int_equal(paths(), 0);
}

static void test_restart_time_over(void **state)
{
	begin(OPEN_GR_SHORT);
	lose();
	assert_int_equal(paths(), 2);
	wait_for(no_paths, 3000);
	assert_false(tunnel.peer.stale);
}

static void test_restart_twice(void **state)
{
	begin(OPEN_GR);
	lose();
	connect_with(OPEN_GR);
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a02 10 0a03"));
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 00 01");
	raw_expect(&raw, BGP_UPDATE); /* our End-of-RIB: what was sent before it is read */
	wait_pass(100);
	assert_int_equal(paths(), 3);
	lose();
	/* 10.1.0.0/16 was stale already: no second credit. */
	assert_int_equal(paths(), 2);
}

static void test_notification_ends(void **state)
{
	begin(OPEN_GR);
	end_by("06 04");
	assert_int_equal(paths(), 0);
	assert_false(tunnel.peer.stale);
}

static void test_notification_survived(void **state)
{
	begin(OPEN_GR_N);
	end_by("06 04");
	assert_int_equal(paths(), 2);
	assert_true(tunnel.peer.stale);
}

/* Off unless asked for: the peer would keep our routes over a path that fell silent. */
static void test_notification_not_announced(void **state)
{
	struct config_errors errors;
	struct config *defaults = config_parse(text_defaults, sizeof(text_defaults) - 1, &errors);

	assert_non_null(defaults);
	config_errors_free(&errors);
	peer_destroy(&tunnel.peer, 0, NULL);
	tunnel.connection = &defaults->connections[0];
	assert_int_equal(peer_create(&tunnel.peer), 0);
	peer_start(&tunnel.peer);
	begin(OPEN_GR_N);
	assert_false(session_info(tunnel.peer.session)->graceful_notification);
	end_by("06 04");
	assert_int_equal(paths(), 0);
	tunnel.connection = &gateway.config->connections[0];
	config_free(defaults);
}

static void test_hard_reset_ends(void **state)
{
	begin(OPEN_GR_N);
	end_by("06 09 06 02");
	assert_int_equal(paths(), 0);
}

static bool refreshing(void)
{
	return tunnel.peer.refreshing[SESSION_IPV4];
}

static bool not_refreshing(void)
{
	return !refreshing();
}

/* RFC 7313: between begin and end everything is told again; the rest is gone then. */
static void test_refresh(void **state)
{
	begin(OPEN_GR);
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 01 01");
	wait_for(refreshing, 1000);
	assert_int_equal(paths(), 2);
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a02"));
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 02 01");
	wait_for(not_refreshing, 1000);
	assert_int_equal(paths(), 1);
	/* An end alone sweeps nothing, not even what is stale. */
	lose();
	connect_with(OPEN_GR);
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a04"));
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 02 01");
	wait_pass(100);
	assert_int_equal(paths(), 2);
}

/* Lost in the middle: what was not told again yet is stale for the first time. */
static void test_refresh_lost(void **state)
{
	begin(OPEN_GR);
	raw_send_hex(&raw, BGP_ROUTE_REFRESH, "0001 01 01");
	raw_send_hex(&raw, BGP_UPDATE, ROUTE("10 0a02"));
	wait_for(refreshing, 1000);
	lose();
	assert_false(refreshing());
	assert_int_equal(paths(), 2);
}

/* A session of a running agent has its forwarding state, also when a reload made it anew. */
static bool open_has_forwarding(void)
{
	static const uint8_t family[] = {0, 1, 1, 0x80};

	return memmem(raw.body, raw.body_len, family, sizeof(family));
}

static void test_forwarding_after_reload(void **state)
{
	raw_connect_to(&raw, "169.254.21.2", "169.254.21.1", BGP_PORT);
	raw_expect(&raw, BGP_OPEN);
	assert_false(open_has_forwarding());
	begin(OPEN_GR);
	peer_destroy(&tunnel.peer, SESSION_CEASE_CONFIG_CHANGE, "configuration changed");
	assert_int_equal(peer_create(&tunnel.peer), 0);
	peer_start(&tunnel.peer);
	raw_close(&raw);
	raw_connect_to(&raw, "169.254.21.2", "169.254.21.1", BGP_PORT);
	raw_expect(&raw, BGP_OPEN);
	assert_true(open_has_forwarding());
}

static int raw_mss(const struct raw *r)
{
	socklen_t len = sizeof(int);
	int mss = 0;

	assert_int_equal(getsockopt(r->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len), 0);
	return mss;
}

/* Segments as large as the tunnel carries, unless the file says otherwise. */
static void test_mss(void **state)
{
	struct kernel_tunnel report = {.mtu = 1200};

	tunnel.reported = true;
	tunnel.kernel.mtu = 1000;
	peer_destroy(&tunnel.peer, 0, NULL);
	assert_int_equal(peer_create(&tunnel.peer), 0);
	peer_start(&tunnel.peer);
	begin(OPEN_GR);
	/* Ours is announced in the SYN, so it is the peer's too. */
	assert_in_range(raw_mss(&raw), 1000 - 60, 1000 - 40); /* less options */
	/* Another MTU is for the next connection. */
	tunnel_reported(&tunnel, &report);
	assert_true(up());
	lose();
	connect_with(OPEN_GR);
	assert_in_range(raw_mss(&raw), 1200 - 60, 1200 - 40);
}

#define peered(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		peered(test_restart),
		peered(test_restart_forwarding_lost),
		peered(test_restart_time_over),
		peered(test_restart_twice),
		peered(test_notification_ends),
		peered(test_notification_survived),
		peered(test_notification_not_announced),
		peered(test_hard_reset_ends),
		peered(test_refresh),
		peered(test_refresh_lost),
		peered(test_forwarding_after_reload),
		peered(test_mss),
	};

	if (!enter()) {
		print_message("1..0 # SKIP no network namespace of our own here\n");
		return 4;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
