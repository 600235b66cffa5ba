// SPDX-License-Identifier: GPL-2.0-only
/* The prefix table against a sorted array that does everything the slow way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ptable.h"

#define ORACLE_MAX 6000

struct object {
	struct ptable_node node;
	uint32_t value;
};

static struct {
	struct prefix keys[ORACLE_MAX];
	uint32_t values[ORACLE_MAX];
	size_t n;
} oracle;

static uint64_t random_state;

static uint32_t random_next(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33);
}

/* dense: neighbours by the hundred below few addresses, so that lists are cut and cut again. */
static struct prefix random_prefix(bool dense)
{
	struct prefix p = { .addr = { .family = random_next() % 3 ? AF_INET : AF_INET6 } };
	unsigned int bits = addr_bits(p.addr.family);

	for (unsigned int i = 0; i < bits / 8; i++)
		p.addr.b[i] = (uint8_t)(random_next() % 4 ? 0 : 1u << random_next() % 8);
	p.len = (uint8_t)(random_next() % (bits + 1));
	if (dense) {
		p.len = (uint8_t)(bits - random_next() % 3);
		p.addr.b[bits / 8 - 2] = (uint8_t)(random_next() % 8);
		p.addr.b[bits / 8 - 1] = (uint8_t)random_next();
	}
	prefix_normalize(&p);
	/* Announced by somebody who does not know better; it must be kept apart. */
	if (random_next() % 64 == 0)
		p.len = (uint8_t)(200 + random_next() % 50);
	return p;
}

static size_t oracle_find(const struct prefix *key, bool *equal)
{
	size_t low = 0, high = oracle.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (prefix_compare(&oracle.keys[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*equal = low < oracle.n && prefix_equal(&oracle.keys[low], key);
	return low;
}

static void check_key(struct ptable *table, const struct prefix *key)
{
	struct object *object, *next = ptable_next(table, key);
	struct prefix here;
	bool equal;
	size_t i = oracle_find(key, &equal);

	/* A hint changes nothing, whatever came since the last one. */
	ptable_expect(table, key);
	object = ptable_find(table, key);

	assert_int_equal(object != NULL, equal);
	if (object) {
		ptable_key(table, object, &here);
		assert_true(prefix_equal(&here, key));
		assert_int_equal(object->value, oracle.values[i]);
		assert_ptr_equal(ptable_at(table, ptable_handle(table, object)), object);
	}
	i += equal;
	assert_int_equal(next != NULL, i < oracle.n);
	if (!next)
		return;
	ptable_key(table, next, &here);
	assert_true(prefix_equal(&here, &oracle.keys[i]));
}

static void check_walks(struct ptable *table)
{
	struct prefix key = { 0 };
	struct object *object = NULL;
	size_t n = 0;

	for (size_t i = 0; i < oracle.n; i++) {
		object = ptable_next(table, &key);
		assert_non_null(object);
		ptable_key(table, object, &key);
		assert_true(prefix_equal(&key, &oracle.keys[i]));
		assert_int_equal(object->value, oracle.values[i]);
	}
	assert_null(ptable_next(table, &key));
	for (object = NULL; (object = ptable_walk(table, object));)
		n++;
	assert_int_equal(n, oracle.n);
}

static void insert(struct ptable *table, const struct prefix *key)
{
	bool equal, is_new = false, again = true;
	struct object *object = ptable_get(table, key, &is_new);
	size_t i = oracle_find(key, &equal);

	assert_non_null(object);
	assert_true(is_new);
	assert_ptr_equal(ptable_get(table, key, &again), object);
	assert_false(again);
	assert_int_equal(object->value, 0);
	object->value = random_next();
	memmove(&oracle.keys[i + 1], &oracle.keys[i], (oracle.n - i) * sizeof(*key));
	memmove(&oracle.values[i + 1], &oracle.values[i], (oracle.n - i) * sizeof(uint32_t));
	oracle.keys[i] = *key;
	oracle.values[i] = object->value;
	oracle.n++;
}

static void removal(struct ptable *table, size_t i)
{
	ptable_remove(table, ptable_find(table, &oracle.keys[i]));
	oracle.n--;
	memmove(&oracle.keys[i], &oracle.keys[i + 1], (oracle.n - i) * sizeof(oracle.keys[0]));
	memmove(&oracle.values[i], &oracle.values[i + 1], (oracle.n - i) * sizeof(uint32_t));
}

/* Grows and shrinks several times; every so often all is compared. */
static void history(unsigned int seed, bool dense, size_t most)
{
	struct ptable table;
	bool growing = true, equal;

	random_state = seed;
	oracle.n = 0;
	ptable_init(&table, sizeof(struct object), true);
	for (unsigned int i = 0; i < 30000; i++) {
		struct prefix key = random_prefix(dense);

		if (oracle.n >= most || (growing && random_next() % 5000 == 0))
			growing = false;
		if (oracle.n < 10)
			growing = true;
		if (random_next() % 8 < (growing ? 6 : 2)) {
			oracle_find(&key, &equal);
			if (!equal)
				insert(&table, &key);
		} else if (oracle.n) {
			removal(&table, random_next() % oracle.n);
		}
		if (random_next() % 16 == 0)
			check_key(&table, &key);
		if (i % 3000 == 0)
			check_walks(&table);
	}
	check_walks(&table);
	while (oracle.n)
		removal(&table, random_next() % oracle.n);
	check_walks(&table);
	assert_int_equal(table.order_memory, 0);
	ptable_destroy(&table);
	assert_int_equal(ptable_memory(&table), 0);
}

static void test_random(void **state)
{
	for (unsigned int seed = 1; seed <= 4; seed++) {
		history(seed, false, 300);
		history(seed + 100, true, ORACLE_MAX - 1);
	}
}

/* A walk that removes what it meets, and one that inserts behind itself. */
static void test_change_under_walk(void **state)
{
	struct prefix key = { 0 }, other;
	struct ptable table;
	struct object *object;
	size_t n = 0;
	bool equal;

	random_state = 7;
	oracle.n = 0;
	ptable_init(&table, sizeof(struct object), true);
	while (oracle.n < 3000) {
		other = random_prefix(true);
		oracle_find(&other, &equal);
		if (!equal)
			insert(&table, &other);
	}
	while ((object = ptable_next(&table, &key))) {
		ptable_key(&table, object, &key);
		ptable_remove(&table, object);
		n++;
	}
	assert_int_equal(n, 3000);
	assert_int_equal(table.count, 0);
	ptable_destroy(&table);
}

/* One prefix that flaps must not make its list of handles grow. */
static void test_flapping(void **state)
{
	struct prefix key = { .addr.family = AF_INET, .len = 24 }, other = key;
	struct ptable table;
	bool is_new;

	ptable_init(&table, sizeof(struct object), true);
	other.addr.b[2] = 1;
	assert_non_null(ptable_get(&table, &other, &is_new));
	for (unsigned int i = 0; i < 10000; i++) {
		assert_non_null(ptable_get(&table, &key, &is_new));
		ptable_remove(&table, ptable_find(&table, &key));
	}
	assert_true(table.order_memory < 200);
	ptable_destroy(&table);
}

/* What was many is few again: a table that was large once does not stay so. */
static void test_memory_returns(void **state)
{
	struct prefix key = { .addr.family = AF_INET, .len = 24 };
	struct ptable table;
	size_t full;
	bool equal;

	ptable_init(&table, sizeof(struct object), true);
	for (uint32_t i = 0; i < 200000; i++) {
		memcpy(key.addr.b, (uint8_t[]){ 20, i >> 16, i >> 8, i }, 4);
		assert_non_null(ptable_get(&table, &key, &equal));
	}
	full = ptable_memory(&table);
	/* Object, key, place in the hash and in the order. */
	assert_true(full < 200000 * (sizeof(struct object) + 4 + 8 + 8));
	for (uint32_t i = 0; i < 199000; i++) {
		memcpy(key.addr.b, (uint8_t[]){ 20, i >> 16, i >> 8, i }, 4);
		ptable_remove(&table, ptable_find(&table, &key));
	}
	assert_true(ptable_memory(&table) < full / 10);
	ptable_destroy(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_change_under_walk),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_memory_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
