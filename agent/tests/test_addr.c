// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and prefixes: what is read, what is refused, order, containment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "lib/addr.h"

static struct addr addr(const char *text)
{
	struct addr a;

	if (!addr_parse(text, &a))
		fail_msg("\"%s\" is an address", text);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (!prefix_parse(text, &p, NULL))
		fail_msg("\"%s\" is a prefix", text);
	return p;
}

static void test_addr_round_trip(void **state)
{
	static const char *const texts[][2] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "169.254.10.2", "169.254.10.2" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char buf[ADDR_STRLEN];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr a = addr(texts[i][0]), again;

		assert_ptr_equal(addr_format(&a, buf, sizeof(buf)), buf);
		assert_string_equal(buf, texts[i][1]);
		again = addr(buf);
		assert_true(addr_equal(&a, &again));
	}
}

static void test_addr_refused(void **state)
{
	static const char *const texts[] = {
		"", " ", "10", "10.0.0", "10.0.0.0.1", "10.0.0.256", "10.0.0.-1", "10.0.0.01",
		"0x0a.0.0.1", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1\n", "10.0.0.1/32", "10..0.1",
		".10.0.0.1", "10.0.0.1.", "localhost", "10.0.0.1:179",
		":", ":::", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "fe80::1%eth0", "[::1]", "::1/128",
		"::1 ", "::256.0.0.1", "1:2:3:4:5:6:7:1.2.3.4", ":1::", "1:",
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
	};
	struct addr out, before;

	memset(&before, 0xa5, sizeof(before));
	out = before;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (addr_parse(texts[i], &out))
			fail_msg("\"%s\" is no address", texts[i]);
		assert_memory_equal(&out, &before, sizeof(out));
	}
	assert_false(addr_parse(NULL, &out));
	assert_memory_equal(&out, &before, sizeof(out));
}

static void test_addr_bytes(void **state)
{
	static const uint8_t want[16] = { 192, 0, 2, 1 };
	struct addr a, set = addr("0.0.0.0"), none = { .family = AF_UNSPEC };

	/* The rest is zero even where there was something else before. */
	memset(&a, 0xff, sizeof(a));
	assert_true(addr_parse("192.0.2.1", &a));
	assert_int_equal(a.family, AF_INET);
	assert_memory_equal(a.b, want, sizeof(want));
	assert_true(addr_is_set(&set));
	assert_false(addr_is_set(&none));
	assert_int_equal(addr_bits(AF_INET), 32);
	assert_int_equal(addr_bits(AF_INET6), 128);
	assert_int_equal(addr_bits(AF_UNSPEC), 0);
	assert_int_equal(addr_bits(AF_UNIX), 0);
}

static void test_addr_order(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0", "1.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.1", "128.0.0.0",
		"255.255.255.255", "::", "::1", "100::", "8000::", "ffff::",
	};
	size_t n = sizeof(sorted) / sizeof(sorted[0]);
	struct addr none = { .family = AF_UNSPEC };

	for (size_t i = 0; i < n; i++) {
		struct addr a = addr(sorted[i]);

		assert_true(addr_compare(&none, &a) < 0);
		for (size_t j = 0; j < n; j++) {
			struct addr b = addr(sorted[j]);
			int c = addr_compare(&a, &b);

			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
	}
}

static void test_mapped_is_another(void **state)
{
	struct addr mapped = addr("::ffff:10.0.0.1"), plain = addr("10.0.0.1");
	struct addr v6 = addr("a00:1::");

	assert_false(addr_equal(&mapped, &plain));
	/* The same bytes, but another family. */
	assert_memory_equal(v6.b, plain.b, sizeof(v6.b));
	assert_false(addr_equal(&v6, &plain));
}

static void test_sockaddr(void **state)
{
	struct addr v4 = addr("192.0.2.1"), v6 = addr("2001:db8::1");
	struct addr none = { .family = AF_UNSPEC }, back;
	struct sockaddr_storage ss, zero = { 0 };
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	memset(&ss, 0xff, sizeof(ss));
	assert_int_equal(addr_to_sockaddr(&v4, 179, &ss), sizeof(sin));
	memcpy(&sin, &ss, sizeof(sin));
	assert_int_equal(sin.sin_family, AF_INET);
	assert_int_equal(sin.sin_port, htons(179));
	back = addr_from_sockaddr((struct sockaddr *)&ss);
	assert_true(addr_equal(&back, &v4));
	back = addr_from_in4(sin.sin_addr);
	assert_true(addr_equal(&back, &v4));

	memset(&ss, 0xff, sizeof(ss));
	assert_int_equal(addr_to_sockaddr(&v6, 65535, &ss), sizeof(sin6));
	memcpy(&sin6, &ss, sizeof(sin6));
	assert_int_equal(sin6.sin6_port, htons(65535));
	assert_int_equal(sin6.sin6_scope_id, 0);
	assert_int_equal(sin6.sin6_flowinfo, 0);
	back = addr_from_sockaddr((struct sockaddr *)&ss);
	assert_true(addr_equal(&back, &v6));
	back = addr_from_in6(&sin6.sin6_addr);
	assert_true(addr_equal(&back, &v6));

	memset(&ss, 0xff, sizeof(ss));
	assert_int_equal(addr_to_sockaddr(&none, 1, &ss), 0);
	assert_memory_equal(&ss, &zero, sizeof(ss));
	ss.ss_family = AF_UNIX;
	back = addr_from_sockaddr((struct sockaddr *)&ss);
	assert_memory_equal(&back, &none, sizeof(back));
	back = addr_from_sockaddr(NULL);
	assert_false(addr_is_set(&back));
}

static void test_prefix_round_trip(void **state)
{
	static const char *const texts[] = {
		"0.0.0.0/0", "10.0.0.0/8", "10.128.0.0/9", "192.0.2.254/31", "192.0.2.1/32", "::/0",
		"8000::/1", "2001:db8::/32", "2001:db8:0:8000::/49", "::1/128",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
	};
	char buf[PREFIX_STRLEN];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct prefix p = prefix(texts[i]);

		assert_ptr_equal(prefix_format(&p, buf, sizeof(buf)), buf);
		assert_string_equal(buf, texts[i]);
	}
}

static void test_prefix_refused(void **state)
{
	static const char *const texts[] = {
		"", "/", "/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
		"10.0.0.0/ 8", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0 /8", "10.0.0.0/08",
		"10.0.0.0/00", "10.0.0.0/8/8", "10.0.0.0//8", "10.0.0.0/0x8", "10.0.0.0/8a",
		"10.0.0.0/255.0.0.0", "10/8", "10.0.0.0/256", "10.0.0.0/264",
		"10.0.0.0/4294967304", "::/129", "::/256", "::/", "::", "fe80::%1/64",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/0",
	};
	struct prefix out, before;

	memset(&before, 0xa5, sizeof(before));
	out = before;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bool host_bits = true;

		if (prefix_parse(texts[i], &out, &host_bits))
			fail_msg("\"%s\" is no prefix", texts[i]);
		assert_false(host_bits);
		assert_memory_equal(&out, &before, sizeof(out));
	}
	assert_false(prefix_parse(NULL, &out, NULL));
	assert_memory_equal(&out, &before, sizeof(out));
}

static void test_prefix_host_bits(void **state)
{
	static const char *const texts[] = {
		"10.0.0.1/8", "0.0.0.1/0", "128.0.0.0/0", "192.0.2.1/31", "10.64.0.0/9",
		"::1/0", "2001:db8::1/64", "::1/127", "2001:db8:0:4000::/49",
	};
	struct prefix out, before;
	bool host_bits;

	memset(&before, 0xa5, sizeof(before));
	out = before;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		host_bits = false;
		assert_false(prefix_parse(texts[i], &out, &host_bits));
		assert_true(host_bits);
		assert_false(prefix_parse(texts[i], &out, NULL));
		assert_memory_equal(&out, &before, sizeof(out));
	}
	host_bits = true;
	assert_true(prefix_parse("10.0.0.0/8", &out, &host_bits));
	assert_false(host_bits);
}

static void test_format_corners(void **state)
{
	struct prefix none = { .addr.family = AF_UNSPEC }, p = prefix("192.0.2.0/24");
	char buf[PREFIX_STRLEN];

	assert_string_equal(addr_format(&none.addr, buf, sizeof(buf)), "none");
	assert_string_equal(prefix_format(&none, buf, sizeof(buf)), "none");
	/* Short buffers: cut, ended, nothing written behind. */
	memset(buf, 'x', sizeof(buf));
	assert_string_equal(prefix_format(&p, buf, 6), "192.0");
	assert_int_equal(buf[6], 'x');
	assert_string_equal(addr_format(&p.addr, buf, 1), "");
	buf[0] = 'x';
	assert_ptr_equal(addr_format(&p.addr, buf, 0), buf);
	assert_int_equal(buf[0], 'x');
}

static void test_prefix_order(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0/0", "0.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/32", "10.0.0.1/32",
		"10.1.0.0/16", "::/0", "::/128", "::1/128", "2001:db8::/32", "2001:db8::/128",
	};
	size_t n = sizeof(sorted) / sizeof(sorted[0]);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			struct prefix a = prefix(sorted[i]), b = prefix(sorted[j]);
			int c = prefix_compare(&a, &b);

			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
			assert_int_equal(prefix_equal(&a, &b), i == j);
		}
	}
}

static void test_contains(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool in;
	} cases[] = {
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "0.0.0.0/0", "::", false },
		{ "::/0", "0.0.0.0", false },
		{ "::/0", "ffff::", true },
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/8", "9.255.255.255", false },
		{ "10.128.0.0/9", "10.128.0.0", true },
		{ "10.128.0.0/9", "10.127.255.255", false },
		{ "192.0.2.2/31", "192.0.2.3", true },
		{ "192.0.2.2/31", "192.0.2.4", false },
		{ "192.0.2.1/32", "192.0.2.1", true },
		{ "192.0.2.1/32", "192.0.2.0", false },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "::1/128", "::1", true },
		{ "::1/128", "::", false },
		{ "::2/127", "::3", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix p = prefix(cases[i].prefix);
		struct addr a = addr(cases[i].addr);

		if (prefix_contains(&p, &a) != cases[i].in)
			fail_msg("%s in %s", cases[i].addr, cases[i].prefix);
	}
}

static void test_covers(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool in;
	} cases[] = {
		{ "10.0.0.0/8", "10.0.0.0/8", true },
		{ "10.0.0.0/8", "10.2.0.0/16", true },
		{ "10.0.0.0/16", "10.0.0.0/8", false },
		{ "10.0.0.0/8", "11.0.0.0/16", false },
		{ "0.0.0.0/0", "0.0.0.0/0", true },
		{ "0.0.0.0/0", "192.0.2.1/32", true },
		{ "0.0.0.0/0", "::/0", false },
		{ "::/0", "10.0.0.0/8", false },
		{ "0.0.0.0/1", "128.0.0.0/1", false },
		{ "2001:db8::/32", "2001:db8:ffff::/48", true },
		{ "2001:db8::/48", "2001:db8::/47", false },
		{ "::1/128", "::1/128", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix outer = prefix(cases[i].outer), inner = prefix(cases[i].inner);

		if (prefix_covers(&outer, &inner) != cases[i].in)
			fail_msg("%s covers %s", cases[i].outer, cases[i].inner);
	}
}

/* Values that no parser makes, but a message or a zeroed structure may. */
static void test_strange_values(void **state)
{
	struct prefix none = { .addr.family = AF_UNSPEC }, all = prefix("0.0.0.0/0");
	struct prefix *wild = malloc(sizeof(*wild)); /* so that the sanitizer sees its end */

	assert_non_null(wild);
	assert_false(prefix_contains(&none, &none.addr));
	assert_false(prefix_covers(&none, &none));
	assert_false(prefix_covers(&all, &none));
	assert_false(prefix_is_default(&none));
	memset(wild, 0xff, sizeof(*wild));
	wild->addr.family = AF_INET;
	assert_false(prefix_contains(wild, &wild->addr));
	prefix_normalize(wild);
	for (size_t i = 0; i < sizeof(wild->addr.b); i++)
		assert_int_equal(wild->addr.b[i], i < 4 ? 0xff : 0);
	wild->addr.family = AF_INET6;
	assert_false(prefix_contains(wild, &wild->addr));
	prefix_normalize(wild);
	free(wild);
}

static void test_default(void **state)
{
	struct prefix v4 = prefix("0.0.0.0/0"), v6 = prefix("::/0");
	struct prefix half = prefix("0.0.0.0/1"), zero = prefix("::/128");

	assert_true(prefix_is_default(&v4));
	assert_true(prefix_is_default(&v6));
	assert_false(prefix_is_default(&half));
	assert_false(prefix_is_default(&zero));
}

static void test_normalize(void **state)
{
	for (unsigned int len = 0; len <= 128; len++) {
		struct prefix p = { .addr.family = AF_INET6, .len = (uint8_t)len };

		memset(p.addr.b, 0xff, sizeof(p.addr.b));
		prefix_normalize(&p);
		assert_int_equal(p.len, len);
		for (unsigned int bit = 0; bit < 128; bit++)
			assert_int_equal(p.addr.b[bit / 8] >> (7 - bit % 8) & 1, bit < len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_round_trip),
		cmocka_unit_test(test_addr_refused),
		cmocka_unit_test(test_addr_bytes),
		cmocka_unit_test(test_addr_order),
		cmocka_unit_test(test_mapped_is_another),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_prefix_round_trip),
		cmocka_unit_test(test_prefix_refused),
		cmocka_unit_test(test_prefix_host_bits),
		cmocka_unit_test(test_format_corners),
		cmocka_unit_test(test_prefix_order),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_strange_values),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_normalize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
