// SPDX-License-Identifier: GPL-2.0-only
/* The prefix map against a sorted array that does everything the slow way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/pmap.h"

#define ORACLE_MAX 600
#define N(a) (sizeof(a) / sizeof((a)[0]))

struct oracle {
	struct prefix keys[ORACLE_MAX];
	void *values[ORACLE_MAX];
	size_t n;
};

static struct oracle oracle;
static uint64_t random_state;

static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (!prefix_parse(text, &p, NULL))
		fail_msg("\"%s\" is a prefix", text);
	return p;
}

/* Few addresses and all lengths, so that nesting and equal addresses are common. */
static struct prefix random_prefix(void)
{
	struct prefix p = { .addr = { .family = random_next() % 3 ? AF_INET : AF_INET6 } };
	unsigned int bits = addr_bits(p.addr.family);

	for (unsigned int i = 0; i < bits / 8; i++)
		p.addr.b[i] = (uint8_t)(random_next() % 4 ? 0 : 1u << random_next() % 8);
	p.len = (uint8_t)(random_next() % (bits + 1));
	prefix_normalize(&p);
	return p;
}

static size_t oracle_find(const struct prefix *key, bool *equal)
{
	size_t i = 0;

	while (i < oracle.n && prefix_compare(&oracle.keys[i], key) < 0)
		i++;
	*equal = i < oracle.n && prefix_equal(&oracle.keys[i], key);
	return i;
}

static void oracle_put(const struct prefix *key, void *value)
{
	bool equal;
	size_t i = oracle_find(key, &equal);

	if (!equal) {
		memmove(&oracle.keys[i + 1], &oracle.keys[i], (oracle.n - i) * sizeof(*key));
		memmove(&oracle.values[i + 1], &oracle.values[i], (oracle.n - i) * sizeof(value));
		oracle.keys[i] = *key;
		oracle.n++;
	}
	oracle.values[i] = value;
}

static void *oracle_del(const struct prefix *key)
{
	bool equal;
	size_t i = oracle_find(key, &equal);
	void *old;

	if (!equal)
		return NULL;
	old = oracle.values[i];
	oracle.n--;
	memmove(&oracle.keys[i], &oracle.keys[i + 1], (oracle.n - i) * sizeof(*key));
	memmove(&oracle.values[i], &oracle.values[i + 1], (oracle.n - i) * sizeof(old));
	return old;
}

static void check_walk(const struct pmap *map)
{
	struct prefix key = { 0 };
	void *value;
	size_t i = 0;

	while (pmap_next(map, &key, &value)) {
		assert_true(i < oracle.n);
		assert_true(prefix_equal(&key, &oracle.keys[i]));
		assert_ptr_equal(value, oracle.values[i]);
		i++;
	}
	assert_int_equal(i, oracle.n);
	assert_int_equal(pmap_count(map), oracle.n);
}

static void check_next(const struct pmap *map, const struct prefix *from)
{
	struct prefix key = *from;
	bool equal;
	size_t i = oracle_find(from, &equal) + equal;

	if (i == oracle.n) {
		assert_false(pmap_next(map, &key, NULL));
		assert_true(prefix_equal(&key, from));
		return;
	}
	assert_true(pmap_next(map, &key, NULL));
	assert_true(prefix_equal(&key, &oracle.keys[i]));
}

static void check_covering(const struct pmap *map, const struct prefix *p)
{
	struct prefix key = { 0 };
	bool inside = false;
	void *value;

	/* In the order of the map shorter covers come first. */
	for (size_t i = oracle.n; i--;) {
		inside |= prefix_covers(p, &oracle.keys[i]);
		if (!prefix_covers(&oracle.keys[i], p))
			continue;
		assert_true(pmap_covering(map, p, &key, &value));
		assert_true(prefix_equal(&key, &oracle.keys[i]));
		assert_ptr_equal(value, oracle.values[i]);
	}
	assert_false(pmap_covering(map, p, &key, &value));
	assert_int_equal(pmap_any_inside(map, p), inside);
}

static void random_step(struct pmap *map, unsigned int fill)
{
	struct prefix p = random_prefix();
	void *value = (void *)(uintptr_t)(random_next() | 1);

	/* Half of the deletions aim at what is there. */
	if (oracle.n && random_next() % 2)
		p = oracle.keys[random_next() % oracle.n];
	if (random_next() % 100 < fill && oracle.n < ORACLE_MAX) {
		oracle_put(&p, value);
		assert_int_equal(pmap_put(map, &p, value), 0);
	} else {
		assert_ptr_equal(pmap_del(map, &p), oracle_del(&p));
	}
	assert_int_equal(pmap_count(map), oracle.n);
	p = random_prefix();
	check_next(map, &p);
	check_covering(map, &p);
	if (oracle.n) {
		bool equal;
		size_t i = oracle_find(&p, &equal);

		assert_int_equal(pmap_contains(map, &p), equal);
		assert_ptr_equal(pmap_get(map, &p), equal ? oracle.values[i] : NULL);
		check_covering(map, &oracle.keys[random_next() % oracle.n]);
	}
}

static void test_random(void **state)
{
	static const unsigned int fills[] = { 80, 50, 20, 60, 10 };

	for (unsigned int seed = 1; seed <= 6; seed++) {
		struct pmap map;

		random_state = seed;
		oracle.n = 0;
		pmap_init(&map);
		for (unsigned int i = 0; i < 5000; i++) {
			random_step(&map, fills[i / 500 % N(fills)]);
			if (i % 50 == 0)
				check_walk(&map);
		}
		check_walk(&map);
		pmap_clear(&map, NULL);
		assert_int_equal(pmap_count(&map), 0);
	}
}

static void test_empty_and_one(void **state)
{
	struct prefix p = prefix("10.0.0.0/8"), key = { 0 };
	struct pmap map = { 0 };
	int a, b;

	assert_false(pmap_next(&map, &key, NULL));
	assert_null(pmap_get(&map, &p));
	assert_null(pmap_del(&map, &p));
	assert_false(pmap_covering(&map, &p, &key, NULL));
	assert_int_equal(pmap_put(&map, &p, &a), 0);
	assert_int_equal(pmap_put(&map, &p, &b), 0);
	assert_int_equal(pmap_count(&map), 1);
	assert_ptr_equal(pmap_get(&map, &p), &b);
	assert_true(pmap_next(&map, &key, NULL));
	assert_false(pmap_next(&map, &key, NULL));
	assert_ptr_equal(pmap_del(&map, &p), &b);
	assert_int_equal(pmap_count(&map), 0);
	assert_int_equal(pmap_memory(&map), 0);
}

static void test_order_and_cover(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/32", "10.64.0.0/10",
		"255.255.255.255/32", "::/0", "::/128", "2001:db8::/32", "2001:db8::1/128",
	};
	static const char *const covers[] = {
		"10.0.0.0/9", "10.0.0.0/8", "0.0.0.0/1", "0.0.0.0/0",
	};
	struct prefix key = { 0 }, inner = prefix("10.32.1.0/24"), p;
	struct pmap map = { 0 };

	for (size_t i = N(sorted); i--;) {
		p = prefix(sorted[i]);
		assert_int_equal(pmap_put(&map, &p, NULL), 0);
	}
	for (size_t i = 0; i < N(sorted); i++) {
		p = prefix(sorted[i]);
		assert_true(pmap_next(&map, &key, NULL));
		assert_true(prefix_equal(&key, &p));
	}
	key.addr.family = AF_UNSPEC;
	for (size_t i = 0; i < N(covers); i++) {
		p = prefix(covers[i]);
		assert_true(pmap_covering(&map, &inner, &key, NULL));
		assert_true(prefix_equal(&key, &p));
	}
	assert_false(pmap_covering(&map, &inner, &key, NULL));
	pmap_clear(&map, NULL);
}

static unsigned int freed;

static void count_free(void *value)
{
	freed++;
	free(value);
}

static void test_clear(void **state)
{
	struct pmap map = { 0 };

	random_state = 7;
	for (unsigned int i = 0; i < 1000; i++) {
		struct prefix p = random_prefix();

		if (!pmap_contains(&map, &p))
			assert_int_equal(pmap_put(&map, &p, malloc(8)), 0);
	}
	freed = 0;
	pmap_clear(&map, count_free);
	assert_true(freed > 100);
	assert_null(map.root);
	pmap_clear(&map, count_free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_and_one),
		cmocka_unit_test(test_order_and_cover),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
