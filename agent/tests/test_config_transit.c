// SPDX-License-Identifier: GPL-2.0-only
/* Transit peers in the configuration: values, defaults, mistakes, what a reload would change. */
#include "core/lint.h"
#include "tests/config_side.h"

#define SITE "customer-gateways:\n- {name: dc, address: 198.51.100.2, asn: 65010}\n"
#define PEER(more)                                                                        \
	SITE "transit-peers:\n- {name: rr, asn: 64999, interface: eth1, "                 \
	     "local-address: 10.0.0.2, peer-address: 10.0.0.1" more "}\n"

static void test_full(void **state)
{
	struct config *c = load_good("config/full.yaml");
	const struct config_private_line *peer = config_line_find(c, "rr1");

	assert_int_equal(c->n_transit_peers, 2);
	assert_ptr_equal(peer, &c->transit_peers[0]);
	assert_ptr_equal(peer, config_line_at(c, c->n_private_lines));
	assert_null(config_line_at(c, c->n_private_lines + 2));
	assert_true(peer->transit);
	assert_null(peer->site);
	assert_int_equal(peer->asn, 65001);
	assert_string_equal(peer->interface, "eth1");
	assert_int_equal(peer->bgp->hold_time, 9);
	assert_true(peer->bgp->passive);
	assert_int_equal(peer->bfd->multiplier, 5);
	peer = config_line_find(c, "rr2");
	assert_true(peer->bgp->ipv6 && !peer->bgp->ipv4);
	assert_false(config_line_find(c, "line1")->transit);
	assert_int_equal(c->transit_quota, 200);
	config_free(c);
	c = parse_good(SITE);
	assert_int_equal(c->transit_quota, 1000);
	config_free(c);
}

static void test_example(void **state)
{
	struct config *c = load_good("../../Documentation/examples/transit.yaml");

	assert_int_equal(c->n_transit_peers, 2);
	assert_int_equal(c->gateway.attachment, CONFIG_TRANSIT);
	assert_int_equal(c->warnings.n, 0);
	config_free(c);
}

static const struct {
	const char *text;
	unsigned int line, column;
	const char *path, *code, *part;
} bad[] = {
	{PEER(", site: dc"), 4, 92, "transit-peers[0].site", "UNKNOWN_KEY", "site"},
	{PEER(", preference: line"), 4, 92, "transit-peers[0].preference", "UNKNOWN_KEY", ""},
	{PEER(", bgp: {ipv6: true}"), 4, 104, "transit-peers[0].bgp.ipv6", "FAMILY",
	 "second transit peer"},
	{PEER(", bfd: {multiplier: 0}"), 4, 110, "transit-peers[0].bfd.multiplier", "VALUE", "255"},
	{SITE "transit-peers:\n- {name: rr}\n", 4, 3, "transit-peers[0].asn", "MISSING_KEY", "asn"},
	{SITE "transit-peers:\n- {name: rr, asn: 65010, interface: e, local-address: 10.0.0.2, "
	      "peer-address: 10.0.0.1}\n",
	 4, 19, "transit-peers[0].asn", "TRANSIT_SITE_ASN", "site \"dc\""},
	{SITE "transit-peers:\n- {name: rr, asn: 1, interface: vgw0, local-address: 10.0.0.2, "
	      "peer-address: 10.0.0.1}\n",
	 4, 33, "transit-peers[0].interface", "DUPLICATE", "own device"},
	{PEER("") "- {name: rr, asn: 1, interface: e, local-address: 10.0.0.2, "
		  "peer-address: 10.0.0.3}\n",
	 5, 10, "transit-peers[1].name", "DUPLICATE", "transit-peers[0].name"},
	{PEER("") "- {name: r2, asn: 1, interface: eth1, local-address: 10.0.0.2, "
		  "peer-address: 10.0.0.1}\n",
	 5, 78, "transit-peers[1].peer-address", "DUPLICATE", "one peer is one transit peer"},
	{PEER("") "private-lines:\n- {name: rr, site: dc, interface: e, local-address: 10.9.0.1, "
		  "peer-address: 10.9.0.2}\n",
	 4, 10, "transit-peers[0].name", "DUPLICATE", "private-lines[0].name"},
	{PEER("") "connections:\n- name: c1\n  customer-gateway: dc\n  tunnels:\n"
		  "  - {name: rr, inside-cidr: 169.254.21.0/30, local-address: 203.0.113.1}\n",
	 4, 10, "transit-peers[0].name", "DUPLICATE", "is a tunnel"},
	{SITE "connections:\n- name: c1\n  customer-gateway: dc\n  tunnels:\n"
	      "  - {name: t1, inside-cidr: 169.254.21.0/30, local-address: 203.0.113.1}\n"
	      "transit-peers:\n- {name: rr, asn: 1, interface: e, local-address: 203.0.113.2, "
	      "peer-address: 203.0.113.1}\n",
	 9, 78, "transit-peers[0].peer-address", "GATEWAY_PEERING", "do not peer"},
	{"transit-domain: {quota: 0}\n", 1, 25, "transit-domain.quota", "VALUE", "1000000"},
};

static void test_bad(void **state)
{
	size_t wrong = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_errors errors;
		const struct config_error *e = NULL;

		assert_null(parse(bad[i].text, &errors));
		for (size_t k = 0; k < errors.n && !e; k++)
			if (!strcmp(errors.list[k].path, bad[i].path))
				e = &errors.list[k];
		if (!e || strcmp(e->code, bad[i].code) || !strstr(e->text, bad[i].part) ||
		    e->line != bad[i].line || e->column != bad[i].column) {
			print_error("%zu: %s: %u:%u %s %s\n", i, bad[i].path, e ? e->line : 0,
				    e ? e->column : 0, e ? e->code : "", e ? e->text : "nothing");
			wrong++;
		}
		config_errors_free(&errors);
	}
	assert_int_equal(wrong, 0);
}

/* What a reload reports, one line each. */
static void note(void *ctx, const struct config_change *change)
{
	char *out = ctx;
	size_t n = strlen(out);

	snprintf(out + n, 1024 - n, "%d %s %s: %s%s\n", change->kind, change->object, change->name,
		 change->detail, change->code ? change->code : "");
}

static void assert_diff(const char *old, const char *new, const char *wanted, size_t refused)
{
	struct config *a = parse_good(old), *b = parse_good(new);
	char out[1024] = "";

	assert_int_equal(config_diff(a, b, note, out), refused);
	assert_string_equal(out, wanted);
	config_free(a);
	config_free(b);
}

static void test_diff(void **state)
{
	const char *line = SITE "private-lines:\n- {name: rr, site: dc, interface: eth1, "
				"local-address: 10.0.0.2, peer-address: 10.0.0.1}\n";

	assert_diff(PEER(""), PEER(""), "", 0);
	assert_diff(SITE, PEER(""), "0 transit-peer rr: AS 64999\n", 0);
	assert_diff(PEER(""), SITE, "1 transit-peer rr: AS 64999\n", 0);
	assert_diff(PEER(""), PEER(", bfd: {}, bgp: {hold-time: 60}"),
		    "2 transit-peer rr: bgp.hold-time 30 -> 60\n"
		    "2 transit-peer rr: bgp.keepalive 10 -> 20\n"
		    "2 transit-peer rr: bfd off -> on\n",
		    0);
	/* The same name for another kind of thing is another thing. */
	assert_diff(line, PEER(""),
		    "1 private-line rr: site dc\n0 transit-peer rr: AS 64999\n", 0);
	assert_diff(PEER("") "transit-domain: {}\n", PEER("") "transit-domain: {quota: 9}\n",
		    "2 transit-domain : quota 1000 -> 9\n", 0);
}

/* Routes are known by the interface, so two gateways of a host do not share one. */
static void test_together(void **state)
{
	struct lint_file files[2] = {
		{.name = "a", .config = parse_good(PEER(""))},
		{.name = "b",
		 .config = parse_good("gateway: {name: vgw1}\ncontrol: {socket: /b}\n" PEER(""))},
	};

	assert_int_equal(lint_together(files, 2), 1);
	assert_string_equal(files[1].found.list[0].path, "transit-peers[0].interface");
	assert_string_equal(files[1].found.list[0].code, "DUPLICATE");
	for (size_t i = 0; i < 2; i++) {
		config_errors_free(&files[i].found);
		config_free(files[i].config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
