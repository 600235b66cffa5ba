// SPDX-License-Identifier: GPL-2.0-only
/* The rules about single values, at and around every border. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/rules.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (!prefix_parse(text, &p, NULL))
		fail_msg("\"%s\" is a prefix", text);
	return p;
}

static struct addr addr(const char *text)
{
	struct addr a;

	if (!addr_parse(text, &a))
		fail_msg("\"%s\" is an address", text);
	return a;
}

static void check_prefixes(bool (*rule)(const struct prefix *prefix), const char *const *texts,
			   size_t n, bool want)
{
	for (size_t i = 0; i < n; i++) {
		struct prefix p = prefix(texts[i]);

		if (rule(&p) != want)
			fail_msg("%s: %d wanted", texts[i], want);
	}
}

static void test_never_accept(void **state)
{
	static const char *const never[] = {
		"0.0.0.0/8", "0.0.0.0/9", "0.0.0.0/32", "0.255.255.255/32", "127.0.0.0/8",
		"127.255.255.255/32", "169.254.0.0/16", "169.254.10.0/30", "224.0.0.0/4",
		"224.0.0.0/3", "239.255.255.255/32", "240.0.0.0/4", "255.255.255.255/32", "::/128",
		"::1/128", "::/96", "::ffff:0.0.0.0/96", "::ffff:10.0.0.0/104", "fe80::/10",
		"fe80::/64", "febf:ffff::/32", "ff00::/8", "ff02::1/128",
	};
	static const char *const fine[] = {
		"0.0.0.0/0", "::/0", "0.0.0.0/1", "0.0.0.0/7", "1.0.0.0/8", "126.0.0.0/8",
		"126.0.0.0/7", "128.0.0.0/8", "169.253.0.0/16", "169.255.0.0/16", "169.254.0.0/15",
		"192.0.0.0/2", "223.255.255.0/24", "100.64.0.0/10", "64:ff9b::/96", "fd00::/8",
		"fec0::/10", "fe00::/9", "fe00::/8", "2001:db8::/32", "::/95",
	};

	check_prefixes(rules_never_accept, never, N(never), true);
	check_prefixes(rules_never_accept, fine, N(fine), false);
}

static void test_reserved_range(void **state)
{
	static const char *const reserved[] = {
		"100.64.0.0/10", "100.64.0.0/11", "100.127.255.255/32", "100.0.0.0/8", "64.0.0.0/2",
		"0.0.0.0/1",
	};
	static const char *const fine[] = {
		"0.0.0.0/0", "::/0", "100.0.0.0/10", "100.63.255.255/32", "100.128.0.0/9",
		"128.0.0.0/1", "6440::/10",
	};

	check_prefixes(rules_reserved_range, reserved, N(reserved), true);
	check_prefixes(rules_reserved_range, fine, N(fine), false);
}

/* Rules 35-37 with the test values they name. */
static void test_inside_cidr(void **state)
{
	static const struct {
		const char *text;
		enum rules_cidr want, strict;
	} cases[] = {
		{ "169.254.10.0/30", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "169.254.21.0/30", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "169.254.255.252/30", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "169.253.255.252/30", RULES_CIDR_RANGE, RULES_CIDR_RANGE },
		{ "169.255.0.0/30", RULES_CIDR_RANGE, RULES_CIDR_RANGE },
		{ "10.0.0.0/30", RULES_CIDR_RANGE, RULES_CIDR_RANGE },
		{ "169.254.0.0/15", RULES_CIDR_RANGE, RULES_CIDR_RANGE },
		{ "169.254.10.0/29", RULES_CIDR_MASK, RULES_CIDR_MASK },
		{ "169.254.10.0/31", RULES_CIDR_MASK, RULES_CIDR_MASK },
		{ "169.254.10.0/32", RULES_CIDR_MASK, RULES_CIDR_MASK },
		{ "169.254.10.0/24", RULES_CIDR_MASK, RULES_CIDR_MASK },
		{ "169.254.0.0/16", RULES_CIDR_MASK, RULES_CIDR_MASK },
		{ "169.254.0.0/30", RULES_CIDR_RESERVED, RULES_CIDR_RESERVED },
		{ "169.254.1.0/30", RULES_CIDR_RESERVED, RULES_CIDR_RESERVED },
		{ "169.254.2.0/30", RULES_CIDR_RESERVED, RULES_CIDR_RESERVED },
		{ "169.254.3.0/30", RULES_CIDR_RESERVED, RULES_CIDR_RESERVED },
		{ "169.254.4.0/30", RULES_CIDR_RESERVED, RULES_CIDR_RESERVED },
		{ "169.254.5.0/30", RULES_CIDR_RESERVED, RULES_CIDR_RESERVED },
		{ "169.254.169.252/30", RULES_CIDR_RESERVED, RULES_CIDR_RESERVED },
		{ "169.254.0.4/30", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "169.254.5.4/30", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "169.254.6.0/30", RULES_CIDR_OK, RULES_CIDR_RESERVED },
		{ "169.254.169.248/30", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "169.254.170.0/30", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "fd00::/126", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "fdff:1:2:3::4/126", RULES_CIDR_OK, RULES_CIDR_OK },
		{ "fd00::/127", RULES_CIDR_MASK, RULES_CIDR_MASK },
		{ "fd00::/125", RULES_CIDR_MASK, RULES_CIDR_MASK },
		{ "fc00::/126", RULES_CIDR_RANGE, RULES_CIDR_RANGE },
		{ "fe00::/126", RULES_CIDR_RANGE, RULES_CIDR_RANGE },
		{ "a9fe::/126", RULES_CIDR_RANGE, RULES_CIDR_RANGE },
	};
	struct prefix host = { .addr = addr("169.254.10.1"), .len = 30 }, none = { 0 };

	for (size_t i = 0; i < N(cases); i++) {
		struct prefix p = prefix(cases[i].text);

		if (rules_inside_cidr_check(&p, false) != cases[i].want ||
		    rules_inside_cidr_check(&p, true) != cases[i].strict)
			fail_msg("%s: %s", cases[i].text,
				 rules_cidr_code(rules_inside_cidr_check(&p, false)));
	}
	assert_int_equal(rules_inside_cidr_check(&host, false), RULES_CIDR_HOST_BITS);
	assert_int_equal(rules_inside_cidr_check(&none, false), RULES_CIDR_RANGE);
}

static void test_inside_cidr_texts(void **state)
{
	static const char *const codes[RULES_N_CIDR] = {
		"OK", "TUNNEL_CIDR_RANGE", "TUNNEL_CIDR_MASK", "TUNNEL_CIDR_HOST_BITS",
		"TUNNEL_CIDR_RESERVED",
	};

	for (int i = 0; i < RULES_N_CIDR; i++) {
		assert_string_equal(rules_cidr_code((enum rules_cidr)i), codes[i]);
		assert_true(strlen(rules_cidr_reason((enum rules_cidr)i)) > 10);
	}
}

/* Rule 38. */
static void test_inside_host(void **state)
{
	static const struct {
		const char *inside, *host, *other; /* other NULL: refused */
	} cases[] = {
		{ "169.254.10.4/30", "169.254.10.5", "169.254.10.6" },
		{ "169.254.10.4/30", "169.254.10.6", "169.254.10.5" },
		{ "169.254.10.4/30", "169.254.10.4", NULL },
		{ "169.254.10.4/30", "169.254.10.7", NULL },
		{ "169.254.10.4/30", "169.254.10.9", NULL },
		{ "169.254.10.4/30", "fd00::1", NULL },
		{ "fd00::8/126", "fd00::9", "fd00::a" },
		{ "fd00::8/126", "fd00::a", "fd00::9" },
		{ "fd00::8/126", "fd00::b", NULL },
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct prefix inside = prefix(cases[i].inside);
		struct addr host = addr(cases[i].host), other = { 0 }, want;

		assert_int_equal(rules_inside_host(&inside, &host, &other), cases[i].other != NULL);
		assert_int_equal(rules_inside_host(&inside, &host, NULL), cases[i].other != NULL);
		assert_int_equal(addr_is_set(&other), cases[i].other != NULL);
		if (!cases[i].other)
			continue;
		want = addr(cases[i].other);
		assert_true(addr_equal(&other, &want));
	}
}

/* Rule 52. */
static void test_customer_address(void **state)
{
	static const char *const refused[] = {
		"0.0.0.0", "0.1.2.3", "100.64.0.0", "100.127.255.255", "127.0.0.1", "169.254.1.1",
		"224.0.0.1", "239.255.255.255", "255.0.0.1", "255.255.255.255", "::", "::1",
		"::ffff:192.0.2.1", "fe80::1", "ff02::1",
	};
	static const char *const fine[] = {
		"1.1.1.1", "100.63.255.255", "100.128.0.0", "169.253.1.1", "203.0.113.7",
		"10.0.0.1",
		"192.168.1.1", "240.0.0.1", "2001:db8::1", "fd00::1",
	};
	struct addr none = { 0 };

	for (size_t i = 0; i < N(refused); i++) {
		struct addr a = addr(refused[i]);

		if (!rules_customer_address_check(&a))
			fail_msg("%s must be refused", refused[i]);
	}
	for (size_t i = 0; i < N(fine); i++) {
		struct addr a = addr(fine[i]);

		if (rules_customer_address_check(&a))
			fail_msg("%s: %s", fine[i], rules_customer_address_check(&a));
	}
	assert_non_null(rules_customer_address_check(&none));
}

/* Rule 51. */
static void test_asn(void **state)
{
	static const struct {
		const char *text;
		uint32_t asn;
	} fine[] = {
		{ "1", 1 }, { "65010", 65010 }, { "4294967295", 4294967295u },
		{ "123.456", 8061384 },
		{ "0.1", 1 }, { "1.0", 65536 }, { "65535.65535", 4294967295u },
	};
	static const char *const bad[] = {
		"", "0", "0.0", "4294967296", "99999999999999999999999", "-1", "+1", " 1", "1 ",
		"1x",
		"x", "0x10", "01", "1.", ".1", "1.65536", "65536.1", "1.2.3", "1.02", "1,2", "1. 2",
	};

	for (size_t i = 0; i < N(fine); i++) {
		uint32_t asn = 0;

		if (!rules_asn_parse(fine[i].text, &asn))
			fail_msg("%s refused", fine[i].text);
		assert_int_equal(asn, fine[i].asn);
	}
	for (size_t i = 0; i < N(bad); i++) {
		uint32_t asn = 42;

		if (rules_asn_parse(bad[i], &asn))
			fail_msg("\"%s\" taken", bad[i]);
		assert_int_equal(asn, 42);
	}
	assert_false(rules_asn_parse(NULL, &(uint32_t){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_accept),
		cmocka_unit_test(test_reserved_range),
		cmocka_unit_test(test_inside_cidr),
		cmocka_unit_test(test_inside_cidr_texts),
		cmocka_unit_test(test_inside_host),
		cmocka_unit_test(test_customer_address),
		cmocka_unit_test(test_asn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
