// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a reload would change, and that no text at all breaks reading or comparing.
 */
#include "tests/config_side.h"

/* Differences */

struct changes {
	char lines[32][320];
	size_t n;
};

static void collect(void *ctx, const struct config_change *change)
{
	static const char *const kinds[] = { "+", "-", "~", "!" };
	struct changes *changes = ctx;

	assert_true(changes->n < 32);
	snprintf(changes->lines[changes->n++], sizeof(changes->lines[0]), "%s%s %s: %s%s%s",
		 kinds[change->kind], change->object, change->name, change->detail,
		 change->code ? " " : "", change->code ? change->code : "");
}

/* expected ends with NULL; a refusal is compared up to its reason. Returns new, with old's ids. */
static struct config *assert_diff(const struct config *old, const char *text,
				  const char *const *expected)
{
	struct config *new = parse_good(text);
	struct changes changes = { .n = 0 };
	size_t refused = config_diff(old, new, collect, &changes), i;

	for (i = 0; i < changes.n; i++)
		refused -= changes.lines[i][0] == '!';
	assert_int_equal(refused, 0);
	for (i = 0; i < changes.n && expected[i]; i++) {
		if (changes.lines[i][0] == '!')
			assert_non_null(strstr(changes.lines[i], expected[i]));
		else
			assert_string_equal(changes.lines[i], expected[i]);
	}
	if (i < changes.n)
		print_error("unexpected: %s\n", changes.lines[i]);
	assert_int_equal(i, changes.n);
	assert_null(expected[i]);
	return new;
}

#define EXPECT(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static void check_diff(const char *before, const char *after, const char *const *expected)
{
	struct config *old = parse_good(before);

	config_free(assert_diff(old, before, EXPECT()));
	config_free(assert_diff(old, after, expected));
	config_free(old);
}

static void test_diff_same(void **state)
{
	struct config *a = load_good("config/full.yaml"), *b = load_good("config/full.yaml");
	struct changes changes = { .n = 0 };

	assert_int_equal(config_diff(a, b, collect, &changes), 0);
	assert_int_equal(changes.n, 0);
	config_free(a);
	config_free(b);
}

static void test_diff_gateway(void **state)
{
	check_diff(
		"gateway: {quota: 50, overlap: refuse, guard: [10.0.0.0/8]}\nlog: info\n",
		"gateway: {quota: 60, overlap: allow, guard: [10.0.0.0/9, \"fd00::/8\"]}\n"
		"log: debug\n",
		EXPECT("~log : log info -> debug", "~gateway vgw0: quota 50 -> 60",
		       "~gateway vgw0: overlap refuse -> allow",
		       "~gateway vgw0: guard without 10.0.0.0/8",
		       "~gateway vgw0: guard with 10.0.0.0/9",
		       "~gateway vgw0: guard with fd00::/8"));
	check_diff("gateway: {ports: [a, b]}\n", "gateway: {ports: [c, b]}\n",
		   EXPECT("~gateway vgw0: ports without a", "~gateway vgw0: ports with c"));
	check_diff("gateway: {name: vgw0}\n", "gateway: {name: vgw1, vrf: blue}\n",
		   EXPECT("!gateway vgw1: name", "!gateway vgw1: vrf"));
	check_diff("control: {group: a}\n", "control: {group: b}\n", EXPECT("RESTART_REQUIRED"));
	/* Rule 17: free to change only while nobody speaks BGP. */
	check_diff(GOOD BGP, GOOD BGP "gateway: {local-asn: 65001}\n",
		   EXPECT("LOCAL_ASN_MISMATCH"));
	check_diff(GOOD, GOOD "gateway: {local-asn: 65001}\n",
		   EXPECT("~gateway vgw0: local-asn 45104 -> 65001"));
	check_diff("transit-domain: {}\n", "transit-domain: {overlapping-routing: false}\n",
		   EXPECT("~transit-domain : overlapping-routing true -> false"));
}

#define CUSTOMER(name, address, rest) \
	"customer-gateways:\n- {name: " name ", address: " address rest "}\n"

static void test_diff_customer(void **state)
{
	const char *old = CUSTOMER("a", "198.51.100.2", ", asn: 65010, site: s");

	check_diff(old, CUSTOMER("a", "198.51.100.3", ", asn: 65011, site: s"),
		   EXPECT("!customer-gateway a: address", "!customer-gateway a: asn"));
	check_diff(old, CUSTOMER("a", "198.51.100.2", ", asn: 65010, site: s, description: x"),
		   EXPECT("~customer-gateway a: description none -> x"));
	check_diff(old, CUSTOMER("b", "198.51.100.2", ", asn: 65010, site: s"),
		   EXPECT("~customer-gateway b: name a -> b"));
	check_diff(old, CUSTOMER("b", "198.51.100.9", ", asn: 65010, site: s"),
		   EXPECT("-customer-gateway a: ", "+customer-gateway b: "));
	check_diff(CUSTOMER("a", "198.51.100.2", ""), CUSTOMER("a", "198.51.100.2", ", asn: 65010"),
		   EXPECT("~customer-gateway a: asn 0 -> 65010"));
}

static void test_diff_connection(void **state)
{
	check_diff(GOOD, GOOD BGP "  transit: allow\n  source-check: off\n",
		   EXPECT("~connection c1: transit deny -> allow",
			  "~connection c1: source-check site -> off",
			  "~connection c1: bgp off -> on"));
	check_diff(GOOD BGP, GOOD "  bgp: {hold-time: 9}\n",
		   EXPECT("~connection c1: bgp.hold-time 30 -> 9",
			  "~connection c1: bgp.keepalive 10 -> 3"));
	check_diff(GOOD, GOOD "  bfd: {}\n", EXPECT("~connection c1: bfd off -> on"));
	check_diff(GOOD, GOOD "  health-check: {}\n",
		   EXPECT("~tunnel t1: health-check off -> on"));
	check_diff(GOOD "  health-check: {}\n",
		   GOOD "  health-check: {interval: 1, retries: 4, destination: 10.1.2.3}\n",
		   EXPECT("~tunnel t1: health-check.destination 169.254.10.2 -> 10.1.2.3",
			  "~tunnel t1: health-check.interval 3 -> 1",
			  "~tunnel t1: health-check.retries 3 -> 4"));
	check_diff(GOOD "  bfd: {}\n", GOOD "  bfd: {receive: 50, strict: true}\n",
		   EXPECT("~connection c1: bfd.receive 300 -> 50",
			  "~connection c1: bfd.strict false -> true"));
	check_diff(GOOD, GOOD T2, EXPECT("+tunnel t2: connection c1"));
	check_diff(GOOD T2, GOOD, EXPECT("-tunnel t2: connection c1"));
	check_diff(GOOD, CGS,
		   EXPECT("-tunnel t1: connection c1", "-connection c1: customer-gateway cg1"));
	check_diff(CGS, GOOD,
		   EXPECT("+connection c1: customer-gateway cg1", "+tunnel t1: connection c1"));
	check_diff(GOOD T2, GOOD "- name: c2\n  customer-gateway: cg1\n  tunnels:\n" T2,
		   EXPECT("+connection c2: customer-gateway cg1",
			  "~tunnel t2: connection c1 -> c2"));
	check_diff(GOOD,
		   CGS CONN "  - {name: t1, inside-cidr: 169.254.10.4/30, weight: 5, "
			    "local-address: 203.0.113.1, ike: {psk-file: /p}}\n",
		   EXPECT("~tunnel t1: inside-cidr 169.254.10.0/30 -> 169.254.10.4/30",
			  "~tunnel t1: inside-address 169.254.10.1 -> 169.254.10.5",
			  "~tunnel t1: if-id 0 -> 1979711489",
			  "~tunnel t1: local-address none -> 203.0.113.1",
			  "~tunnel t1: weight 1 -> 5", "~tunnel t1: ike off -> on"));
}

static void test_diff_static(void **state)
{
	const char *old = GOOD "static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t1}\n"
			       "- {prefix: 11.0.0.0/8, tunnel: t1}\n";

	check_diff(old,
		   GOOD "static-routes:\n- {prefix: 11.0.0.0/8, tunnel: t1, on-fail: reserve}\n"
			"- {prefix: 10.0.0.0/8, connection: c1}\n",
		   EXPECT("-static-route 10.0.0.0/8 via t1: tunnel, weight 100",
			  "~static-route 11.0.0.0/8 via t1: on-fail revoke -> reserve",
			  "+static-route 10.0.0.0/8 via c1: connection, weight 100"));
	check_diff(old, GOOD,
		   EXPECT("-static-route 10.0.0.0/8 via t1: tunnel, weight 100",
			  "-static-route 11.0.0.0/8 via t1: tunnel, weight 100"));
}

static void test_diff_policy(void **state)
{
	const char *old =
		GOOD "policy-routes:\n- {source: 10.0.0.0/8, destination: 10.1.0.0/16, tunnel: t1}\n"
		     "- {source: 10.0.0.0/8, destination: 10.2.0.0/16, tunnel: t1}\n";

	check_diff(old,
		   GOOD "policy-routes:\n"
			"- {source: 10.0.0.0/8, destination: 10.2.0.0/16, tunnel: t1}\n"
			"- {source: 10.0.0.0/8, destination: 10.3.0.0/16, tunnel: t1, priority: 1}\n",
		   EXPECT("-policy-route 10.1.0.0/16 from 10.0.0.0/8 via t1: priority 100, tunnel, "
			  "weight 100",
			  "+policy-route 10.3.0.0/16 from 10.0.0.0/8 via t1: priority 1, tunnel, "
			  "weight 100",
			  "~policy-route 10.2.0.0/16 from 10.0.0.0/8 via t1: sequence 2 -> 1"));
}

#define IKE_TUNNEL(name, net) \
	"  - {name: " name ", inside-cidr: 169.254.10." net "/30, local-address: 203.0.113.1, " \
	"ike: {psk-file: /p, local-id: " name "}}\n"

/* Ids stay with their names through reloads, and none comes back for somebody else. */
static void test_diff_ids(void **state)
{
	struct config *a = parse_good(CGS CONN IKE_TUNNEL("t1", "0") IKE_TUNNEL("t2", "4"));
	struct config *b, *c, *d;

	b = assert_diff(a, CGS CONN IKE_TUNNEL("t2", "4"), EXPECT("-tunnel t1: connection c1"));
	assert_int_equal(b->connections[0].tunnels[0].id, 2);
	assert_int_equal(b->connections[0].tunnels[0].if_id, CONFIG_IF_ID_BASE + 2);
	c = assert_diff(
		b,
		CUSTOMER("cg9", "198.51.100.9", "") CG1
		"connections:\n- name: c0\n  customer-gateway: cg9\n  tunnels:\n" IKE_TUNNEL(
			"t0",
			"8") "- name: c1\n  customer-gateway: cg1\n  tunnels:\n" IKE_TUNNEL("t2",
											    "4"),
		EXPECT("+customer-gateway cg9: ", "+connection c0: customer-gateway cg9",
		       "+tunnel t0: connection c0"));
	assert_int_equal(c->customer_gateways[0].site_id, 2);
	assert_int_equal(c->customer_gateways[1].site_id, 1);
	assert_int_equal(c->connections[0].id, 2);
	assert_int_equal(c->connections[0].tunnels[0].id, 3);
	assert_int_equal(c->connections[0].tunnels[0].if_id, CONFIG_IF_ID_BASE + 3);
	assert_int_equal(c->connections[1].id, 1);
	assert_int_equal(c->connections[1].tunnels[0].id, 2);
	d = assert_diff(c, CGS CONN IKE_TUNNEL("t9", "12"),
			EXPECT("-customer-gateway cg9: ", "-tunnel t0: connection c0",
			       "-connection c0: customer-gateway cg9", "-tunnel t2: connection c1",
			       "+tunnel t9: connection c1"));
	assert_int_equal(d->connections[0].tunnels[0].id, 4);
	config_free(a);
	config_free(b);
	config_free(c);
	config_free(d);
}

#define ADOPTED(interface) \
	"  - {name: t1, inside-cidr: 169.254.10.0/30, interface: " interface "}\n"

/* An adopted device stays when the tunnel gets another one: for the module that is a new tunnel. */
static void test_diff_adopted_id(void **state)
{
	struct config *a = parse_good(CGS CONN ADOPTED("x1")), *b, *c;

	b = assert_diff(a, CGS CONN ADOPTED("x2"), EXPECT("~tunnel t1: interface x1 -> x2"));
	assert_int_equal(b->connections[0].tunnels[0].id, 2);
	c = assert_diff(b, CGS CONN ADOPTED("x2, weight: 3"), EXPECT("~tunnel t1: weight 1 -> 3"));
	assert_int_equal(c->connections[0].tunnels[0].id, 2);
	config_free(a);
	config_free(b);
	config_free(c);
}

#define AUTO(name) "  - {name: " name ", inside-cidr: auto}\n"

/* A block that was chosen stays, or the reload is refused with the way out. */
static void test_diff_auto(void **state)
{
	const char *old = CGS CONN AUTO("t1") AUTO("t2");

	check_diff(old, CGS CONN AUTO("t1") AUTO("t2") AUTO("t3"),
		   EXPECT("+tunnel t3: connection c1"));
	check_diff(old, CGS CONN AUTO("t2"), EXPECT("-tunnel t1: connection c1"));
	/* t8 takes what t1 has: written out, so it goes before. */
	check_diff(CGS CONN AUTO("t1"),
		   CGS CONN AUTO("t1") "  - {name: t8, inside-cidr: 169.254.21.72/30}\n",
		   EXPECT("INSIDE_MOVED", "~tunnel t1: inside-cidr 169.254.21.72/30 -> "
			  "169.254.21.76/30", "~tunnel t1: inside-address 169.254.21.73 -> "
			  "169.254.21.77", "+tunnel t8: connection c1"));
}

/* Any text */

static uint64_t random_state = 0x5eed5eed5eed5eed;

static size_t random_below(size_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % n;
}

static char *read_text(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	char *text = malloc(65536);

	assert_non_null(file);
	assert_non_null(text);
	*len = fread(text, 1, 65535, file);
	text[*len] = '\0';
	fclose(file);
	return text;
}

/* A tree or errors, never both, never neither, and errors that can be shown. */
static void judge(const struct config *reference, const char *text, size_t len)
{
	struct config_errors errors;
	struct config *config = config_parse(text, len, &errors);

	assert_true(!config == (errors.n > 0));
	for (size_t i = 0; i < errors.n; i++) {
		assert_non_null(errors.list[i].code);
		assert_true(errors.list[i].text[0]);
		assert_true(errors.list[i].line <= len + 1);
	}
	if (config)
		config_diff(reference, config, NULL, NULL);
	config_errors_free(&errors);
	config_free(config);
}

static size_t mutate(char *text, size_t len, size_t room)
{
	static const char *const tokens[] = { "{}",  "[]",	   ": ", "- ",	 "\n",	  "&a ",
					      "*a",  "\"",	   "'",	 "~",	 "\\0",	  "[",
					      "]",   "{",	   "}",	 "#",	 "|\n",	  "!!str ",
					      "? ",  "4294967296", "%",	 "\xff", "---\n", "t1",
					      "/33", "," };
	const char *token = tokens[random_below(sizeof(tokens) / sizeof(tokens[0]))];
	size_t at = random_below(len), n = strlen(token), cut;

	switch (random_below(4)) {
	case 0:
		text[at] = (char)random_below(256);
		return len;
	case 1:
		cut = 1 + random_below(12);
		if (cut > len - at)
			cut = len - at;
		memmove(text + at, text + at + cut, len - at - cut);
		return len - cut;
	case 2:
		if (len + n > room)
			return len;
		memmove(text + at + n, text + at, len - at);
		memcpy(text + at, token, n);
		return len + n;
	default: /* a piece of the text somewhere else */
		cut = random_below(len);
		n = 1 + random_below(60);
		if (n > len - cut || n > len - at)
			return len;
		memmove(text + at, text + cut, n);
		return len;
	}
}

static void test_truncated(void **state)
{
	struct config *reference = load_good("config/full.yaml");
	size_t len;
	char *text = read_text(beside("config/full.yaml"), &len);

	for (size_t n = 0; n < len; n++) {
		/* A copy of its own size: a read behind the end is seen. */
		char *part = malloc(n ? n : 1);

		assert_non_null(part);
		memcpy(part, text, n);
		judge(reference, part, n);
		free(part);
	}
	free(text);
	config_free(reference);
}

static void test_mutated(void **state)
{
	struct config *reference = load_good("config/full.yaml");
	size_t len, n;
	char *text = read_text(beside("config/full.yaml"), &len), work[8192];

	assert_true(len < sizeof(work));
	for (unsigned int round = 0; round < 20000; round++) {
		memcpy(work, text, len);
		n = len;
		for (size_t k = random_below(4) + 1; k && n > 1; k--)
			n = mutate(work, n, sizeof(work));
		judge(reference, work, n);
	}
	free(text);
	config_free(reference);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff_same),
		cmocka_unit_test(test_diff_gateway),
		cmocka_unit_test(test_diff_customer),
		cmocka_unit_test(test_diff_connection),
		cmocka_unit_test(test_diff_static),
		cmocka_unit_test(test_diff_policy),
		cmocka_unit_test(test_diff_ids),
		cmocka_unit_test(test_diff_adopted_id),
		cmocka_unit_test(test_diff_auto),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
