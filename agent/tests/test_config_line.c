// SPDX-License-Identifier: GPL-2.0-only
/* Private lines in the configuration: values, defaults, mistakes, what a reload would change. */
#include "core/lint.h"
#include "tests/config_side.h"

#define SITE "customer-gateways:\n- {name: dc, address: 198.51.100.2, asn: 65010}\n"
#define LINE(more)                                                                             \
	SITE "private-lines:\n- {name: l1, site: dc, interface: eth2, local-address: 10.9.0.1, " \
	     "peer-address: 10.9.0.2" more "}\n"

static void assert_addr(const struct addr *address, const char *text)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(address, buf, sizeof(buf)), text);
}

static void test_full(void **state)
{
	struct config *c = load_good("config/full.yaml");
	const struct config_private_line *line = config_line_find(c, "line1");

	assert_int_equal(c->n_private_lines, 2);
	assert_ptr_equal(line, &c->private_lines[0]);
	assert_string_equal(line->site, "dc1");
	assert_int_equal(line->site_id, c->customer_gateways[0].site_id);
	assert_int_equal(line->asn, 65010);
	assert_string_equal(line->interface, "eth2");
	assert_addr(&line->local_address, "10.255.0.1");
	assert_addr(&line->peer_address, "10.255.0.2");
	assert_true(line->behind_tunnels);
	assert_int_equal(line->bgp->hold_time, 12);
	assert_string_equal(line->bgp->md5_file, "/etc/vgw/line1.md5");
	assert_true(line->bgp->ipv4 && !line->bgp->ipv6);
	assert_int_equal(line->bfd->transmit, 200);
	line = config_line_find(c, "line2");
	assert_int_equal(line->asn, 65010);
	assert_false(line->behind_tunnels);
	assert_true(line->bgp->ipv6 && !line->bgp->ipv4);
	assert_null(line->bfd);
	assert_null(config_line_find(c, "line3"));
	config_free(c);
}

static void test_example(void **state)
{
	struct config *c = load_good("../../Documentation/examples/private-line.yaml");

	assert_int_equal(c->n_private_lines, 1);
	assert_int_equal(c->private_lines[0].asn, c->customer_gateways[0].asn);
	assert_int_equal(c->warnings.n, 0);
	config_free(c);
}

static const struct {
	const char *text;
	unsigned int line, column;
	const char *path, *code, *part;
} bad[] = {
	{LINE(", asn: 65011"), 4, 95, "private-lines[0].asn", "SITE_ASN_MISMATCH", "65010"},
	{LINE(", preference: best"), 4, 102, "private-lines[0].preference", "VALUE", "tunnels"},
	{LINE(", bgp: {ipv6: true}"), 4, 102, "private-lines[0].bgp.ipv6", "FAMILY", "second line"},
	{LINE(", bgp: {ipv4: false}"), 4, 102, "private-lines[0].bgp.ipv4", "NO_FAMILY", "both"},
	{LINE(", bfd: {multiplier: 0}"), 4, 108, "private-lines[0].bfd.multiplier", "VALUE", "255"},
	{LINE(", weight: 2"), 4, 90, "private-lines[0].weight", "UNKNOWN_KEY", "weight"},
	{SITE "private-lines:\n- {name: l1}\n", 4, 3, "private-lines[0].interface", "MISSING_KEY",
	 "interface"},
	{SITE "private-lines:\n- {name: l1, site: dx, interface: e, local-address: 10.9.0.1, "
	      "peer-address: 10.9.0.2}\n",
	 4, 20, "private-lines[0].site", "UNKNOWN_REFERENCE", "there is: dc"},
	{"customer-gateways:\n- {name: dc, address: 198.51.100.2}\n"
	 "private-lines:\n- {name: l1, site: dc, interface: e, local-address: 10.9.0.1, "
	 "peer-address: 10.9.0.2}\n",
	 4, 3, "private-lines[0].asn", "MISSING_KEY", "no customer gateway"},
	{SITE "private-lines:\n- {name: l1, site: dc, interface: e, local-address: 10.9.0.1, "
	      "peer-address: \"fd00::2\"}\n",
	 4, 77, "private-lines[0].peer-address", "FAMILY", "one family"},
	{SITE "private-lines:\n- {name: l1, site: dc, interface: e, local-address: 10.9.0.1, "
	      "peer-address: 10.9.0.1}\n",
	 4, 77, "private-lines[0].peer-address", "VALUE", "own address"},
	{SITE "private-lines:\n- {name: l1, site: dc, interface: e, local-address: 10.9.0.1, "
	      "peer-address: 224.0.0.1}\n",
	 4, 77, "private-lines[0].peer-address", "VALUE", "neighbour"},
	{SITE "private-lines:\n- {name: l1, site: dc, interface: e, local-address: \"::1\", "
	      "peer-address: \"fd00::2\"}\n",
	 4, 53, "private-lines[0].local-address", "VALUE", "interface"},
	{SITE "private-lines:\n- {name: l1, site: dc, interface: vgw0, local-address: 10.9.0.1, "
	      "peer-address: 10.9.0.2}\n",
	 4, 35, "private-lines[0].interface", "DUPLICATE", "own device"},
	{SITE "connections:\n- {name: c, customer-gateway: dc, tunnels: [{name: t1, inside-cidr: "
	      "169.254.10.0/30}]}\n"
	      "private-lines:\n- {name: l1, site: dc, interface: t1, local-address: 10.9.0.1, "
	      "peer-address: 10.9.0.2}\n",
	 6, 35, "private-lines[0].interface", "DUPLICATE", "tunnel \"t1\""},
	{SITE "connections:\n- {name: c, customer-gateway: dc, tunnels: [{name: l1, inside-cidr: "
	      "169.254.10.0/30}]}\n"
	      "private-lines:\n- {name: l1, site: dc, interface: e, local-address: 10.9.0.1, "
	      "peer-address: 10.9.0.2}\n",
	 6, 10, "private-lines[0].name", "DUPLICATE", "is a tunnel"},
	{LINE("") "- {name: l1, site: dc, interface: eth3, local-address: 10.8.0.1, peer-address: "
		  "10.8.0.2}\n",
	 5, 10, "private-lines[1].name", "DUPLICATE", "private-lines[0].name"},
	{LINE("") "- {name: l2, site: dc, interface: eth2, local-address: 10.9.0.1, peer-address: "
		  "10.9.0.2}\n",
	 5, 80, "private-lines[1].peer-address", "DUPLICATE", "one peer is one line"},
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

static void test_too_many(void **state)
{
	static char text[8192] = SITE "private-lines:\n";
	struct config_errors errors;
	size_t n = strlen(text);

	for (unsigned int i = 0; i <= CONFIG_LINES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "- {name: l%u, site: dc, interface: e%u, local-address: "
				      "10.9.0.1, peer-address: 10.9.0.2}\n",
				      i, i);
	assert_null(parse(text, &errors));
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.list[0].path, "private-lines");
	config_errors_free(&errors);
}

/* What a reload reports, one line each. */
static void note(void *ctx, const struct config_change *change)
{
	char *out = ctx;
	size_t n = strlen(out);

	snprintf(out + n, 1024 - n, "%d %s %s: %s\n", change->kind, change->object, change->name,
		 change->detail);
}

static void assert_diff(const char *old, const char *new, const char *wanted, size_t refused)
{
	struct config *a = parse_good(old), *b = parse_good(new);
	char out[1024] = "";

	assert_int_equal(config_diff(a, b, note, out), refused);
	assert_string_equal(out, wanted);
	for (size_t i = 0; i < b->n_private_lines; i++)
		assert_int_equal(b->private_lines[i].site_id, b->customer_gateways[0].site_id);
	config_free(a);
	config_free(b);
}

static void test_diff(void **state)
{
	assert_diff(LINE(""), LINE(""), "", 0);
	assert_diff(SITE, LINE(""), "0 private-line l1: site dc\n", 0);
	assert_diff(LINE(""), SITE, "1 private-line l1: site dc\n", 0);
	assert_diff(LINE(""), LINE(", preference: tunnels"),
		    "2 private-line l1: preference line -> tunnels\n", 0);
	assert_diff(LINE(""), LINE(", bfd: {}, bgp: {hold-time: 60}"),
		    "2 private-line l1: bgp.hold-time 30 -> 60\n"
		    "2 private-line l1: bgp.keepalive 10 -> 20\n"
		    "2 private-line l1: bfd off -> on\n",
		    0);
}

static void test_together(void **state)
{
	struct lint_file files[2] = {
		{.name = "a", .config = parse_good(LINE(""))},
		{.name = "b",
		 .config = parse_good("gateway: {name: vgw1}\ncontrol: {socket: /b}\n" LINE(""))},
	};

	assert_int_equal(lint_together(files, 2), 1);
	assert_string_equal(files[1].found.list[0].path, "private-lines[0].interface");
	assert_string_equal(files[1].found.list[0].code, "DUPLICATE");
	for (size_t i = 0; i < 2; i++) {
		config_errors_free(&files[i].found);
		config_free(files[i].config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),	 cmocka_unit_test(test_example),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_many), cmocka_unit_test(test_diff),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
