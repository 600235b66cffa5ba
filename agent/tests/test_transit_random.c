// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a transit peer has heard at the end of any sequence of events is what a few lines of
 * plain logic say it should have: no event is missed, and none leaves anything behind. The
 * peer is a session of ours; the two sites, the kernel's routes and the tunnels' fate
 * are made up.
 */
#include "bgp_netns.h"
#include "bgp_side.h"
#include "tests/transit_side.h"

#define PREFIXES 12
#define EVENTS 400

/* Static routes lead to the first two prefixes. */
#define CONFIG                                                                           \
	"gateway: {local-asn: 65000, router-id: 10.0.0.1}\n"                             \
	"customer-gateways:\n"                                                           \
	"  - {name: cg1, address: 198.51.100.2, asn: 65001}\n"                           \
	"  - {name: cg2, address: 198.51.100.3, asn: 65002}\n"                           \
	"connections:\n"                                                                 \
	"  - name: c1\n    customer-gateway: cg1\n    bgp: {}\n    tunnels:\n"           \
	"      - {name: t1, inside-cidr: 169.254.21.0/30}\n"                             \
	"  - name: c2\n    customer-gateway: cg2\n    bgp: {}\n    tunnels:\n"           \
	"      - {name: t2, inside-cidr: 169.254.21.4/30}\n"                             \
	"transit-peers:\n  - {name: rr, asn: 65000, interface: lo, "                     \
	"local-address: 10.9.0.1, peer-address: 10.9.0.2, bgp: {passive: true}}\n"       \
	"static-routes:\n  - {prefix: 10.50.0.0/16, connection: c1}\n"                   \
	"  - {prefix: 10.51.0.0/16, connection: c1}\n"

static uint64_t random_state;
/* The facts, as the events made them. */
static bool site[2][PREFIXES], domain[PREFIXES], kernel_has[PREFIXES];

static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static struct prefix prefix_at(unsigned int i)
{
	return (struct prefix){.addr = {AF_INET, {10, (uint8_t)(50 + i)}}, .len = 16};
}

struct expected {
	bool told, drained;
	uint32_t site_as; /* 0: a static route */
};

static struct expected expected_at(unsigned int i)
{
	unsigned int winner;

	if (domain[i] || kernel_has[i])
		return (struct expected){0};
	if (i < 2 && !tunnels[0].failed)
		return (struct expected){.told = true, .drained = tunnels[0].drained};
	if (!site[0][i] && !site[1][i])
		return (struct expected){0};
	winner = !site[0][i] || (site[1][i] && tunnels[0].drained && !tunnels[1].drained);
	return (struct expected){
		.told = true,
		.drained = tunnels[winner].drained,
		.site_as = 65001 + winner,
	};
}

/* NULL: as it should be. */
static const char *wrong_at(unsigned int i)
{
	struct expected wanted = expected_at(i);
	struct prefix prefix = prefix_at(i);
	const struct attrs *attrs = pmap_get(&b.routes, &prefix);

	if (!wanted.told != !attrs)
		return attrs ? "was not taken back" : "was not told";
	if (export_contains(gateway.export, &prefix) != (domain[i] || kernel_has[i]))
		return "is told to the sites, or is not";
	if (!attrs)
		return NULL;
	if (attrs->neighbour_as != wanted.site_as)
		return "has another path";
	if (attrs->local_pref != (wanted.drained ? 0 : 100))
		return "has another preference";
	if (attrs->n_communities != wanted.drained)
		return "has other communities";
	return attrs->n_large_communities == 1 ? NULL : "has no mark";
}

static bool all_right(void)
{
	for (unsigned int i = 0; i < PREFIXES; i++)
		if (wrong_at(i))
			return false;
	return true;
}

static void check_all(unsigned int event, const char *what)
{
	if (wait_try(all_right, 1000))
		return;
	for (unsigned int i = 0; i < PREFIXES; i++)
		if (wrong_at(i))
			print_error("10.%u.0.0/16 %s\n", 50 + i, wrong_at(i));
	fail_msg("after event %u: %s", event, what);
}

static const char *event_site(unsigned int n, unsigned int i)
{
	struct prefix prefix = prefix_at(i);

	site[n][i] = !site[n][i] || random_next() % 2;
	if (site[n][i]) {
		assert_true(transit_site_says(&tunnels[n], &prefix, random_next() % 3, NULL, 0));
		return "a site announces";
	}
	rib_withdraw(tunnels[n].peer.source, &prefix);
	gateway_kick(&gateway);
	return "a site withdraws";
}

static const char *event_domain(unsigned int i)
{
	static const struct attrs empty = {.origin = ATTRS_ORIGIN_IGP};
	struct prefix prefix = prefix_at(i);
	const struct attrs *attrs;

	domain[i] = !domain[i];
	if (!domain[i]) {
		assert_int_equal(session_withdraw(b.session, &prefix), 0);
		return "the domain withdraws";
	}
	attrs = attrs_intern(&empty);
	assert_int_equal(session_announce(b.session, &prefix, attrs), 0);
	attrs_put(attrs);
	return "the domain announces";
}

static const char *event_kernel(unsigned int i)
{
	struct rtnl_route route = {
		.prefix = prefix_at(i),
		.protocol = RTPROT_STATIC,
		.type = RTN_UNICAST,
	};

	kernel_has[i] = !kernel_has[i];
	advertise_route_changed(&gateway, &route, kernel_has[i]);
	return kernel_has[i] ? "the kernel has a route" : "the kernel's route goes";
}

static const char *event_tunnel(unsigned int n)
{
	struct tunnel *tunnel = &tunnels[n];

	if (random_next() % 2) {
		tunnel->failed = !tunnel->failed;
		transit_tell_configured(&gateway);
		return "a tunnel fails or comes back";
	}
	tunnel->drained = !tunnel->drained;
	rib_source_set_drained(tunnel->peer.source, tunnel->drained);
	derive_statics_dirty(&gateway, gateway.config);
	gateway_kick(&gateway);
	return "a tunnel is drained or taken back";
}

/* All that the site taught goes with its session. */
static const char *event_flush(unsigned int n)
{
	rib_source_flush(tunnels[n].peer.source);
	memset(site[n], 0, sizeof(site[n]));
	gateway_kick(&gateway);
	return "a site's session ends";
}

static const char *event_one(void)
{
	unsigned int i = random_next() % PREFIXES, n = random_next() % 2;

	switch (random_next() % 16) {
	case 0:
		return event_flush(n);
	case 1:
	case 2:
		return event_tunnel(n);
	case 3:
	case 4:
	case 5:
		return event_kernel(i);
	case 6:
	case 7:
	case 8:
	case 9:
		return event_domain(i);
	default:
		return event_site(n, i);
	}
}

static bool both_up(void)
{
	const struct session *session = gateway.lines->peer.session;

	return session && session_info(session)->state == SESSION_ESTABLISHED &&
	       side_state(&b) == SESSION_ESTABLISHED;
}

static void begin(void)
{
	struct config_errors errors;
	struct config *config = config_parse(CONFIG, strlen(CONFIG), &errors);
	struct session_config peer = config_b();

	if (!config)
		fail_msg("%s: %s", errors.list[0].path, errors.list[0].text);
	config_errors_free(&errors);
	assert_true(transit_up(test_loop, config, false));
	peer.local_as = peer.peer_as = 65000;
	peer.local = addr_of("10.9.0.2");
	peer.peer = addr_of("10.9.0.1");
	peer.port = 0;
	peer.afi[SESSION_IPV6] = false;
	side_open(&b, &peer);
	session_start(b.session);
	wait_for(both_up, 5000);
}

static void test_random(void **state)
{
	const char *seed = getenv("TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) : 1;
	begin();
	for (unsigned int n = 0; n < EVENTS; n++) {
		const char *what = event_one();

		/* Some settle, some come together. */
		if (random_next() % 4)
			check_all(n, what);
	}
	check_all(EVENTS, "the last one");
	/* A session that begins now hears the same. */
	session_stop(b.session, SESSION_CEASE_RESET, NULL);
	memset(domain, 0, sizeof(domain));
	session_start(b.session);
	wait_for(both_up, 10000);
	check_all(EVENTS, "a new session");
}

static int teardown(void **state)
{
	session_free(b.session);
	b.session = NULL;
	transit_down();
	return sides_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, sides_setup, teardown),
	};

	if (!netns_enter("ip link set lo up && ip address add 10.9.0.1/32 dev lo && "
			 "ip address add 10.9.0.2/32 dev lo")) {
		print_message("1..0 # SKIP no network namespace of our own here\n");
		return 4;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
