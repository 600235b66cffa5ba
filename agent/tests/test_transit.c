// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transit peers with a real device, a real system table and a scripted router of the
 * domain in a network namespace of its own: what it is told, what it teaches, and what
 * must never pass from one side to the same side again.
 */
#include <fcntl.h>

#include "bgp_netns.h"
#include "bgp_raw.h"
#include "tests/transit_side.h"

#define SITES                                                                            \
	"customer-gateways:\n"                                                           \
	"  - {name: cg1, address: 198.51.100.2, asn: 65001}\n"                           \
	"  - {name: cg2, address: 198.51.100.3, asn: 65002}\n"                           \
	"connections:\n"                                                                 \
	"  - name: c1\n    customer-gateway: cg1\n    bgp: {}\n    tunnels:\n"           \
	"      - {name: t1, inside-cidr: 169.254.21.0/30}\n"                             \
	"  - name: c2\n    customer-gateway: cg2\n    bgp: {}\n    tunnels:\n"           \
	"      - {name: t2, inside-cidr: 169.254.21.4/30}\n"
#define PEER(asn)                                                                        \
	"transit-peers:\n  - {name: rr, asn: " asn ", interface: d0, "                   \
	"local-address: 10.9.0.1, peer-address: 10.9.0.2, bgp: {passive: true}}\n"
#define GATEWAY "gateway: {local-asn: 65000, router-id: 10.0.0.1}\n"
#define CONFIG(asn) GATEWAY SITES PEER(asn)
#define STATIC "static-routes:\n  - {prefix: 10.30.0.0/16, connection: c1}\n"

/* AS 65000 (ours) and AS 65100; IPv4, 4-octet AS, graceful restart with forwarding kept. */
#define INTERNAL "04 fde8 001e 0a000002 16 0214 010400010001 41040000fde8 4006 0078 00010180"
#define EXTERNAL "04 fe4c 001e 0a000002 16 0214 010400010001 41040000fe4c 4006 0078 00010180"
/* Paths of the domain: empty, with LOCAL_PREF 100; and of AS 65100. */
#define LEARNED(hop, nlri) "0000 0015 400101 00 400200 400304 " hop " 400504 00000064 " nlri
#define LEARNED_MORE(len, more, nlri)                                                    \
	"0000 " len " 400101 00 400200 400304 0a090002 400504 00000064 " more " " nlri
#define EOR "0000 0000"
#define PEER_HOP "0a090002"
/* Inside what we send: the attributes that matter, in their order. */
#define MARK "c0200c 0000fde8 76677731"

static int here, there; /* namespaces: the gateway's, the peer's */
static uint8_t wanted[512];
static size_t wanted_len;
static const char *wanted_routes;

static void sh(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

static int setup(void **state)
{
	char command[300];

	if (raw_setup(state))
		return -1;
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET))
		return -1;
	there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(command, sizeof(command),
		 "ip link set lo up && ip link add d1 type veth peer name d0 netns /proc/%d/fd/%d "
		 "&& ip address add 10.9.0.2/29 dev d1 && ip link set d1 up",
		 getpid(), here);
	sh(command);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	sh("ip address add 10.9.0.1/29 dev d0 && ip link set d0 up");
	return 0;
}

static int teardown(void **state)
{
	raw_close(&raw);
	transit_down();
	sh("ip link delete d0 2> /dev/null || true");
	close(here);
	close(there);
	return raw_teardown(state);
}

static bool synced(void)
{
	return gateway.routes_synced;
}

static void begin(const char *text, bool kept)
{
	struct config_errors errors;
	struct config *config = config_parse(text, strlen(text), &errors);

	if (!config)
		fail_msg("%s: %s", errors.list[0].path, errors.list[0].text);
	config_errors_free(&errors);
	assert_true(transit_up(test_loop, config, kept));
	wait_for(synced, 2000);
}

static struct peer *the_peer(void)
{
	return &gateway.lines->peer;
}

static bool up(void)
{
	const struct session *session = the_peer()->session;

	return session && session_info(session)->state == SESSION_ESTABLISHED;
}

static bool down(void)
{
	return !up();
}

static void connect_there(const char *open_text)
{
	raw_close(&raw);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	raw_connect_to(&raw, "10.9.0.2", "10.9.0.1", BGP_PORT);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	raw_expect(&raw, BGP_OPEN);
	raw_send_hex(&raw, BGP_OPEN, open_text);
	raw_expect(&raw, BGP_KEEPALIVE);
	raw_send(&raw, BGP_KEEPALIVE, NULL, 0);
	wait_for(up, 2000);
}

/* Takes what the gateway sends until an UPDATE has the bytes in it. */
static bool heard(void)
{
	raw.type = 0;
	while (raw_take(&raw) && !raw.end) {
		if (raw.type == BGP_UPDATE &&
		    memmem(raw.body, raw.body_len, wanted, wanted_len))
			return true;
		raw.type = 0;
	}
	return false;
}

static void hears(const char *text)
{
	wanted_len = hex(text, wanted, sizeof(wanted));
	if (!wait_try(heard, 2000))
		fail_msg("not heard: %s", text);
}

/* End-of-RIB is an UPDATE of four zeros, and nothing else is as short. */
static bool heard_eor(void)
{
	raw.type = 0;
	while (raw_take(&raw) && !raw.end) {
		if (raw.type == BGP_UPDATE && raw.body_len == 4)
			return true;
		raw.type = 0;
	}
	return false;
}

static const char *routes(void)
{
	static char text[4096];
	FILE *pipe = popen("ip route show proto 118 dev d0", "r");
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

/* By the router that ends in .last; the metric has these bits. */
#define VIA(prefix, last) prefix " via 10.9.0." last " metric 500" last "\n"

static bool told_to_sites(const char *text)
{
	struct prefix prefix = prefix_of(text);

	return export_contains(gateway.export, &prefix);
}

static enum rib_verdict verdict(const char *text)
{
	struct prefix prefix = prefix_of(text);
	struct rib_path_info path = {.verdict = RIB_N_VERDICTS};

	rib_paths(gateway.domain, &prefix, &path, 1);
	return path.verdict;
}

static void site_says(const char *text)
{
	struct prefix prefix = prefix_of(text);

	assert_true(transit_site_says(&tunnels[0], &prefix, 7, NULL, 0));
}

static void site_says_with(const char *text, uint32_t community)
{
	struct prefix prefix = prefix_of(text);

	assert_true(transit_site_says(&tunnels[0], &prefix, 0, &community, 1));
}

static void site_withdraws(const char *text)
{
	struct prefix prefix = prefix_of(text);

	rib_withdraw(tunnels[0].peer.source, &prefix);
	gateway_kick(&gateway);
}

/* With what the transit peer is told the prefix; to be put back. */
static const struct attrs *told(const char *text)
{
	struct prefix prefix = prefix_of(text);
	const struct attrs *attrs;

	assert_int_equal(transit_attrs(the_peer(), &prefix, &attrs), 0);
	return attrs;
}

static bool is_told(const char *text)
{
	const struct attrs *attrs = told(text);

	attrs_put(attrs);
	return attrs;
}

/* RFC 4271 5.1: our AS is not in the path, LOCAL_PREF is there, MED stays, next hop self. */
static void test_internal(void **state)
{
	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	site_says("10.20.0.0/16");
	hears("400101 00 400206 0201 0000fde9 400304 0a090001 800404 00000007 400504 00000064 " MARK
	      " 0000fde9 10 0a14");
	assert_int_equal(transit_count(the_peer(), AF_INET), 1);
	site_withdraws("10.20.0.0/16");
	hears("0003 10 0a14 0000");
	assert_int_equal(transit_count(the_peer(), AF_INET), 0);
}

/* To another AS: ours first, no LOCAL_PREF, and no metric of the site's. */
static void test_external(void **state)
{
	begin(CONFIG("65100"), false);
	connect_there(EXTERNAL);
	site_says("10.20.0.0/16");
	hears("400101 00 40020a 0202 0000fde8 0000fde9 400304 0a090001 " MARK " 0000fde9 10 0a14");
}

/* A new session hears all of it and the end; static routes are the gateway's own. */
static void test_all(void **state)
{
	begin(CONFIG("65000") STATIC, false);
	site_says("10.20.0.0/16");
	wait_pass(50);
	connect_there(INTERNAL);
	hears("10 0a14");
	assert_int_equal(transit_count(the_peer(), AF_INET), 2);
	wait_for(heard_eor, 2000);
}

/* The peer's own next hop, another router's on the network, and one that is elsewhere. */
static void test_learned(void **state)
{
	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED("0a090003", "10 0a33"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED("0a4d0001", "10 0a34"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	expect_routes(VIA("10.50.0.0/16", "2") VIA("10.51.0.0/16", "3"));
	assert_true(told_to_sites("10.50.0.0/16"));
	assert_true(told_to_sites("10.51.0.0/16"));
	assert_int_equal(verdict("10.52.0.0/16"), RIB_REJECT_NEXT_HOP);
	assert_false(told_to_sites("10.52.0.0/16"));
	/* The default route is a transit attachment's. */
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "00"));
	raw_send_hex(&raw, BGP_UPDATE, "0003 10 0a32 0000");
	expect_routes(VIA("10.51.0.0/16", "3"));
	assert_int_equal(verdict("0.0.0.0/0"), RIB_REJECT_DEFAULT);
	assert_false(told_to_sites("10.50.0.0/16"));
	raw_send_hex(&raw, BGP_NOTIFICATION, "06 04");
	wait_for(down, 2000);
	expect_routes("");
	assert_false(told_to_sites("10.51.0.0/16"));
}

/* A new next hop stands beside the old one before that goes; where it cannot, it follows. */
static void test_next_hop_changes(void **state)
{
	struct rtnl_counters counters;

	begin(CONFIG("65000"), false);
	sh("ip address add 10.9.0.1/16 dev d0");
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	expect_routes(VIA("10.50.0.0/16", "2"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED("0a090003", "10 0a32"));
	expect_routes(VIA("10.50.0.0/16", "3"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED("0a091003", "10 0a32"));
	expect_routes("10.50.0.0/16 via 10.9.16.3 metric 5003\n");
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	expect_routes(VIA("10.50.0.0/16", "2"));
	counters = rtnl_counters(gateway.rtnl);
	assert_int_equal(counters.refused, 0);
	assert_int_equal(counters.added, 4);
	assert_int_equal(counters.deleted, 3);
	assert_true(told_to_sites("10.50.0.0/16"));
}

static void test_default(void **state)
{
	begin("gateway: {local-asn: 65000, router-id: 10.0.0.1, attachment: transit}\n" SITES
		      PEER("65000"),
	      false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "00"));
	expect_routes("default via 10.9.0.2 metric 5002\n");
	assert_true(told_to_sites("0.0.0.0/0"));
}

/* What a site has comes back by no way: its AS, our own AS, the mark of any gateway. */
static void test_loops(void **state)
{
	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE,
		     "0000 001b 400101 00 400206 0201 0000fdea 400304 0a090002 400504 00000064 "
		     "10 0a3c");
	raw_send_hex(&raw, BGP_UPDATE,
		     "0000 001b 400101 00 400206 0201 0000fde8 400304 0a090002 400504 00000064 "
		     "10 0a3d");
	raw_send_hex(&raw, BGP_UPDATE,
		     LEARNED_MORE("0024", "c0200c 0000fdf0 76677731 00000000", "10 0a3e"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	expect_routes(VIA("10.50.0.0/16", "2"));
	assert_int_equal(verdict("10.60.0.0/16"), RIB_REJECT_SITE_ROUTE);
	assert_int_equal(verdict("10.61.0.0/16"), RIB_REJECT_OWN_AS);
	assert_int_equal(verdict("10.62.0.0/16"), RIB_REJECT_SITE_ROUTE);
}

/* RFC 4456 8: through the reflector our own route comes back with our identifier. */
static void test_originator(void **state)
{
	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED_MORE("001c", "800904 0a000001", "10 0a3f"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED_MORE("001c", "800904 0a000009", "10 0a40"));
	expect_routes(VIA("10.64.0.0/16", "2"));
	assert_int_equal(verdict("10.63.0.0/16"), RIB_N_VERDICTS);
}

/* RFC 4271 9.1.3: what the domain itself has is used, so the site's way is not told. */
static void test_domain_first(void **state)
{
	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	site_says("10.50.0.0/16");
	hears("10 0a32");
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	hears("0003 10 0a32 0000");
	assert_false(is_told("10.50.0.0/16"));
	raw_send_hex(&raw, BGP_UPDATE, "0003 10 0a32 0000");
	hears("10 0a32");
	/* The same of the kernel's own routes. */
	sh("ip route add 10.50.0.0/16 via 10.9.0.4");
	hears("0003 10 0a32 0000");
	sh("ip route del 10.50.0.0/16");
	hears("10 0a32");
}

/* The sites hear the path as it came, and nothing that is to stay inside. */
static void test_to_sites(void **state)
{
	struct prefix prefix = prefix_of("10.50.0.0/16");
	const struct attrs *attrs;

	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE,
		     "0000 001b 400101 00 400206 0201 0000fe4c 400304 0a090002 400504 00000064 "
		     "10 0a32");
	raw_send_hex(&raw, BGP_UPDATE, LEARNED_MORE("001c", "c00804 ffffff01", "10 0a33"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED_MORE("001c", "c00804 ffffff02", "10 0a34"));
	expect_routes(VIA("10.50.0.0/16", "2") VIA("10.51.0.0/16", "2")
			      VIA("10.52.0.0/16", "2"));
	assert_false(told_to_sites("10.51.0.0/16"));
	assert_false(told_to_sites("10.52.0.0/16"));
	assert_int_equal(transit_site_attrs(&tunnels[0].peer, &prefix, &attrs), 0);
	assert_non_null(attrs);
	assert_int_equal(attrs->neighbour_as, 65100);
	assert_false(attrs->has_local_pref || attrs->has_med);
	attrs_put(attrs);
	/* A route of the kernel's own is told as ever, and outlives the other one. */
	sh("ip route add 10.50.0.0/16 via 10.9.0.4");
	wait_pass(100);
	assert_int_equal(transit_site_attrs(&tunnels[0].peer, &prefix, &attrs), 0);
	assert_null(attrs);
	raw_send_hex(&raw, BGP_UPDATE, "0003 10 0a32 0000");
	wait_pass(100);
	assert_true(told_to_sites("10.50.0.0/16"));
	sh("ip route del 10.50.0.0/16");
	wait_pass(100);
	assert_false(told_to_sites("10.50.0.0/16"));
}

/* RFC 1997: what a site said not to pass on stays in our AS, or with us. */
static void test_no_export(void **state)
{
	begin(CONFIG("65100"), false);
	site_says_with("10.20.0.0/16", 0xffffff01);
	site_says_with("10.21.0.0/16", 0xffffff02);
	site_says_with("10.22.0.0/16", 0xfde90001);
	wait_pass(50);
	assert_false(is_told("10.20.0.0/16"));
	assert_false(is_told("10.21.0.0/16"));
	assert_true(is_told("10.22.0.0/16"));
	transit_down();
	begin(CONFIG("65000"), false);
	site_says_with("10.20.0.0/16", 0xffffff01);
	site_says_with("10.21.0.0/16", 0xffffff02);
	wait_pass(50);
	assert_true(is_told("10.20.0.0/16"));
	assert_false(is_told("10.21.0.0/16"));
}

/* RFC 8326: inside the AS the preference falls too, outside the metric rises. */
static void test_drained(void **state)
{
	begin(CONFIG("65000") STATIC, false);
	connect_there(INTERNAL);
	site_says("10.20.0.0/16");
	hears("10 0a14");
	tunnels[0].drained = true;
	rib_source_set_drained(tunnels[0].peer.source, true);
	derive_statics_dirty(&gateway, gateway.config);
	gateway_kick(&gateway);
	hears("800404 ffffffff 400504 00000000 c00804 ffff0000 " MARK " 0000fde9 10 0a14");
	tunnels[0].drained = false;
	rib_source_set_drained(tunnels[0].peer.source, false);
	gateway_kick(&gateway);
	hears("800404 00000007 400504 00000064 " MARK " 0000fde9 10 0a14");
}

/* A static route whose tunnel is dead is no way: another gateway may have one. */
static void test_static(void **state)
{
	begin(CONFIG("65000") STATIC, false);
	connect_there(INTERNAL);
	hears("10 0a1e");
	tunnels[0].failed = true;
	transit_tell_configured(&gateway);
	hears("0003 10 0a1e 0000");
	tunnels[0].failed = false;
	transit_tell_configured(&gateway);
	hears("10 0a1e");
}

/* Rule 20's switch holds for the domain's routers as for its system table. */
static void test_not_published(void **state)
{
	begin("gateway: {local-asn: 65000, router-id: 10.0.0.1, auto-advertise: false}\n" SITES
		      PEER("65000") STATIC,
	      false);
	site_says("10.20.0.0/16");
	wait_pass(50);
	assert_false(is_told("10.20.0.0/16"));
	assert_true(is_told("10.30.0.0/16"));
}

/* Rule 42: without overlapping routing the configured one is there first, either way round. */
static void test_overlap(void **state)
{
	begin(GATEWAY "customer-gateways:\n  - {name: cg1, address: 198.51.100.2, asn: 65001}\n"
		      "connections:\n  - name: c1\n    customer-gateway: cg1\n    tunnels:\n"
		      "      - {name: t1, inside-cidr: 169.254.21.0/30}\n" STATIC PEER("65000")
		      "transit-domain: {overlapping-routing: false}\n",
	      false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a1e 18 0a1e01 08 0a 10 0a1f"));
	expect_routes(VIA("10.31.0.0/16", "2"));
	assert_int_equal(verdict("10.30.0.0/16"), RIB_REJECT_OVERLAP);
	assert_int_equal(verdict("10.30.1.0/24"), RIB_REJECT_OVERLAP);
	assert_int_equal(verdict("10.0.0.0/8"), RIB_REJECT_OVERLAP);
	/* Switched on by a reload. */
	gateway.config->transit_overlapping = true;
	derive_policy(&gateway);
	gateway_kick(&gateway);
	expect_routes(VIA("10.0.0.0/8", "2") VIA("10.30.0.0/16", "2")
			      VIA("10.30.1.0/24", "2") VIA("10.31.0.0/16", "2"));
}

static void test_quota(void **state)
{
	begin(CONFIG("65000") "transit-domain: {quota: 1}\n", false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	expect_routes(VIA("10.50.0.0/16", "2"));
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a33"));
	wait_pass(100);
	assert_int_equal(verdict("10.51.0.0/16"), RIB_REJECT_QUOTA);
	assert_false(told_to_sites("10.51.0.0/16"));
	/* The sites' quota is another one, and who goes makes room. */
	raw_send_hex(&raw, BGP_UPDATE, "0003 10 0a32 0000");
	expect_routes(VIA("10.51.0.0/16", "2"));
	assert_true(told_to_sites("10.51.0.0/16"));
}

/*
 * D14, RFC 4724 4.1: routes of an earlier life stay, and nobody hears an End-of-RIB before
 * the transit peer has told all: the others would drop what is not yet known.
 */
static void test_restart(void **state)
{
	sh("ip route add 10.50.0.0/16 via 10.9.0.2 dev d0 proto 118 metric 5002;"
	   "ip route add 10.57.0.0/16 via 10.9.0.2 dev d0 proto 118 metric 5002");
	begin(CONFIG("65000"), true);
	assert_true(restart_deferring(&gateway));
	assert_true(rtnl_publish_has_vias(gateway.rtnl));
	connect_there(INTERNAL);
	site_says("10.20.0.0/16");
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	wait_pass(200);
	assert_false(heard_eor());
	assert_string_equal(routes(), VIA("10.50.0.0/16", "2")
					      VIA("10.57.0.0/16", "2"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	hears("10 0a14");
	wait_for(heard_eor, 2000);
	assert_false(restart_deferring(&gateway));
	expect_routes(VIA("10.50.0.0/16", "2"));
	assert_true(told_to_sites("10.50.0.0/16"));
}

/* A router that restarts gracefully forwards meanwhile; what it does not repeat goes. */
static void test_peer_restarts(void **state)
{
	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32 10 0a33"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	expect_routes(VIA("10.50.0.0/16", "2") VIA("10.51.0.0/16", "2"));
	raw_close(&raw);
	wait_for(down, 2000);
	wait_pass(100);
	assert_string_equal(routes(), VIA("10.50.0.0/16", "2")
					      VIA("10.51.0.0/16", "2"));
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	raw_send_hex(&raw, BGP_UPDATE, EOR);
	expect_routes(VIA("10.50.0.0/16", "2"));
}

static bool domain_is_silent(void)
{
	return !told_to_sites("10.50.0.0/16");
}

/* The interface is what the routes hang on. */
static void test_device(void **state)
{
	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	expect_routes(VIA("10.50.0.0/16", "2"));
	sh("ip link set d0 down");
	wait_for(down, 3000);
	expect_routes("");
	wait_for(domain_is_silent, 2000);
}

/* No longer configured: its routes go and the sites' way to the same prefix is there again. */
static void test_removed(void **state)
{
	struct line *line;

	begin(CONFIG("65000"), false);
	connect_there(INTERNAL);
	site_says("10.50.0.0/16");
	raw_send_hex(&raw, BGP_UPDATE, LEARNED(PEER_HOP, "10 0a32"));
	expect_routes(VIA("10.50.0.0/16", "2"));
	line = gateway.lines;
	gateway.lines = NULL;
	line_remove(line);
	gateway_kick(&gateway);
	expect_routes("");
	assert_false(told_to_sites("10.50.0.0/16"));
}

#define RUN(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_internal),
		RUN(test_external),
		RUN(test_all),
		RUN(test_learned),
		RUN(test_next_hop_changes),
		RUN(test_default),
		RUN(test_loops),
		RUN(test_originator),
		RUN(test_domain_first),
		RUN(test_to_sites),
		RUN(test_no_export),
		RUN(test_drained),
		RUN(test_static),
		RUN(test_not_published),
		RUN(test_overlap),
		RUN(test_quota),
		RUN(test_restart),
		RUN(test_peer_restarts),
		RUN(test_device),
		RUN(test_removed),
	};

	if (!netns_enter("ip link set lo up")) {
		print_message("1..0 # SKIP not permitted to make a namespace\n");
		return 4;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
