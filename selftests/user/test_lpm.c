// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lookup table against a list that is searched from end to end, under random
 * transactions: published, given up, and out of memory at every allocation.
 */
#include "harness.h"

#include <linux/kernel.h>

#include "lpm.h"

#define POOL	300

struct entry {
	struct vgw_lpm_key key;
	u8 len;
	struct vgw_lpm_value value;	/* nh 0: not there */
};

static struct entry pool[POOL];		/* the oracle */
static unsigned int bits;
static struct vgw_lpm *lpm;

static bool same_bits(const u8 *a, const u8 *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static void clear_behind(struct vgw_lpm_key *key, unsigned int len)
{
	for (unsigned int i = len; i < 128; i++)
		key->addr[i / 8] &= ~(0x80 >> i % 8);
}

static struct vgw_lpm_key random_key(void)
{
	struct vgw_lpm_key key = {};

	/* Few different bits, so that prefixes nest. */
	for (unsigned int i = 0; i < bits / 8; i++)
		key.addr[i] = random_below(3) ? 0 : random_below(256) & random_below(256);
	return key;
}

static bool in_pool(unsigned int n, const struct entry *one)
{
	for (unsigned int i = 0; i < n; i++)
		if (pool[i].len == one->len && !memcmp(&pool[i].key, &one->key, sizeof(one->key)))
			return true;
	return false;
}

static void pool_make(unsigned int width)
{
	bits = width;
	memset(pool, 0, sizeof(pool));
	for (unsigned int n = 0; n < POOL;) {
		struct entry one = { .len = random_below(bits + 1) };

		/* Half of them below or above another one. */
		one.key = n && random_below(2) ? pool[random_below(n)].key : random_key();
		if (random_below(4) == 0 && one.len)
			one.key.addr[(one.len - 1) / 8] ^= 0x80 >> (one.len - 1) % 8;
		clear_behind(&one.key, one.len);
		if (!in_pool(n, &one))
			pool[n++] = one;
	}
	pool[0].len = 0;
	pool[0].key = (struct vgw_lpm_key){};
	pool[1].len = bits;
	memset(pool[1].key.addr, 0xff, bits / 8);
	for (unsigned int n = 2; n < POOL; n++)
		if (in_pool(2, &pool[n]))
			pool[n].len = 0xfe;	/* never used */
}

static const struct entry *oracle_below(const struct vgw_lpm_key *key, unsigned int limit)
{
	const struct entry *best = NULL;

	for (unsigned int i = 0; i < POOL; i++)
		if (pool[i].value.nh && pool[i].len < limit &&
		    same_bits(pool[i].key.addr, key->addr, pool[i].len) &&
		    (!best || pool[i].len > best->len))
			best = &pool[i];
	return best;
}

static int compare_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	return order ? order : (int)x->len - y->len;
}

/* Walk, exact gets and counts. */
static int check_contents(void)
{
	struct entry sorted[POOL];
	struct vgw_lpm_value value;
	struct vgw_lpm_key key = {};
	u8 len = VGW_LPM_START;
	unsigned int n = 0;

	for (unsigned int i = 0; i < POOL; i++) {
		bool there = pool[i].len != 0xfe &&
			     vgw_lpm_get(lpm, &pool[i].key, pool[i].len, &value);

		EXPECT(there == !!pool[i].value.nh);
		EXPECT(!there || value.nh == pool[i].value.nh);
		EXPECT(!there || value.mark == pool[i].value.mark);
		if (there)
			sorted[n++] = pool[i];
	}
	EXPECT(vgw_lpm_count(lpm) == n);
	qsort(sorted, n, sizeof(*sorted), compare_order);
	for (unsigned int i = 0; i < n; i++) {
		EXPECT(vgw_lpm_next(lpm, &key, &len, &value));
		EXPECT(len == sorted[i].len && !memcmp(&key, &sorted[i].key, sizeof(key)));
		EXPECT(value.nh == sorted[i].value.nh && value.mark == sorted[i].value.mark);
	}
	EXPECT(!vgw_lpm_next(lpm, &key, &len, &value));
	return 0;
}

/* A walk may go on from a prefix that is gone: whatever comes after it. */
static int check_next_from_anywhere(void)
{
	for (unsigned int i = 0; i < POOL; i++) {
		struct entry from = pool[i];
		const struct entry *wanted = NULL;
		struct vgw_lpm_value value;
		bool found;

		if (from.len == 0xfe)
			continue;
		for (unsigned int j = 0; j < POOL; j++)
			if (pool[j].value.nh && compare_order(&pool[j], &pool[i]) > 0 &&
			    (!wanted || compare_order(&pool[j], wanted) < 0))
				wanted = &pool[j];
		found = vgw_lpm_next(lpm, &from.key, &from.len, &value);
		EXPECT(found == !!wanted);
		EXPECT(!found || !compare_order(&from, wanted));
	}
	return 0;
}

static int check_lookups(void)
{
	for (unsigned int i = 0; i < 100; i++) {
		struct vgw_lpm_key key = random_key();
		const struct entry *wanted;
		u8 len = VGW_LPM_START;

		if (i & 1) {
			/* Inside a prefix of the pool, or just beside it. */
			const struct entry *one = &pool[random_below(POOL)];

			for (unsigned int b = 0; one->len != 0xfe && b < one->len; b++)
				key.addr[b / 8] = (key.addr[b / 8] & ~(0x80 >> b % 8)) |
						  (one->key.addr[b / 8] & 0x80 >> b % 8);
		}
		wanted = oracle_below(&key, 256);
		EXPECT(vgw_lpm_lookup(lpm, &key) == (wanted ? wanted->value.nh : VGW_LPM_NONE));
		while (wanted) {
			EXPECT(vgw_lpm_lookup_below(lpm, &key, &len) == wanted->value.nh);
			EXPECT(len == wanted->len);
			wanted = oracle_below(&key, len);
		}
		EXPECT(vgw_lpm_lookup_below(lpm, &key, &len) == VGW_LPM_NONE);
	}
	return 0;
}

struct change_log {
	long balance;
};

/* Sum over all changes of after - before is what the table's contents changed by. */
static void note_change(void *ctx, u16 before, u16 after)
{
	struct change_log *log = ctx;

	log->balance += (long)after - before;
}

/* One staged change of a random prefix; the pool follows if it was taken. */
static int stage_one(struct vgw_lpm_txn *txn, int *ret)
{
	struct entry *one = &pool[random_below(POOL)];
	struct vgw_lpm_value value, seen;
	bool there;

	if (one->len == 0xfe)
		one = &pool[0];
	if (random_below(5) < 2) {
		*ret = vgw_lpm_txn_del(txn, &one->key, one->len);
		EXPECT(*ret == (one->value.nh ? 0 : -ENOENT) || *ret == -ENOMEM);
		if (!*ret)
			one->value.nh = 0;
		if (*ret == -ENOENT)
			*ret = 0;
	} else {
		value = (struct vgw_lpm_value){ .nh = 1 + random_below(65535),
						.mark = random_below(VGW_LPM_MARKS + 1) };
		*ret = vgw_lpm_txn_set(txn, &one->key, one->len, value);
		EXPECT(!*ret || *ret == -ENOMEM);
		if (!*ret)
			one->value = value;
	}
	there = vgw_lpm_txn_get(txn, &one->key, one->len, &seen);
	EXPECT(there == !!one->value.nh && (!there || seen.nh == one->value.nh));
	return 0;
}

static long pool_sum(void)
{
	long sum = 0;

	for (unsigned int i = 0; i < POOL; i++)
		sum += pool[i].value.nh;
	return sum;
}

/* Publishing cannot fail, however little memory there is. */
static void publish_txn(struct vgw_lpm_txn *txn)
{
	alloc_fail_after = random_below(4) ? -1 : (long)random_below(6);
	alloc_fail_forever = random_below(2);
	vgw_lpm_txn_publish(txn);
	alloc_fail_after = -1;
	alloc_fail_forever = false;
}

/* A transaction of some changes, published or not. fail_after: see alloc_fail_after. */
static int transact(long fail_after)
{
	unsigned int changes = 1 + random_below(random_below(8) ? 5 : 200);
	bool publish = random_below(4) != 0;
	struct change_log log = {};
	struct entry before[POOL];
	struct vgw_lpm_txn *txn;
	int ret = 0;
	long sum;

	memcpy(before, pool, sizeof(pool));
	sum = pool_sum();
	alloc_fail_after = fail_after;
	txn = vgw_lpm_txn_begin(lpm);
	if (!txn) {
		alloc_fail_after = -1;
		EXPECT(fail_after == 0 || fail_after == 1);
		return 0;
	}
	for (unsigned int i = 0; i < changes && !ret; i++)
		if (stage_one(txn, &ret))
			return 1;
	alloc_fail_after = -1;
	vgw_lpm_txn_each(txn, note_change, &log);
	EXPECT(sum + log.balance == pool_sum());
	if (ret || !publish)
		memcpy(pool, before, sizeof(pool));
	else
		publish_txn(txn);
	vgw_lpm_txn_free(txn);
	return 0;
}

static int begin(unsigned int width)
{
	pool_make(width);
	lpm = vgw_lpm_create(width);
	EXPECT(lpm);
	return 0;
}

static int end(void)
{
	vgw_lpm_destroy(lpm);
	rcu_flush();
	EXPECT(alloc_live == 0);
	return 0;
}

static int random_width(unsigned int width)
{
	if (begin(width))
		return 1;
	for (unsigned int round = 0; round < 1500 * rounds; round++) {
		long fail_after = random_below(5) ? -1 : (long)random_below(20);

		if (transact(fail_after) || check_lookups())
			return 1;
		if (round % 16 == 0 && (check_contents() || check_next_from_anywhere()))
			return 1;
		if (random_below(3) == 0)
			rcu_flush();
	}
	return check_contents() || end();
}

static int random_ipv4(void)
{
	for (unsigned int i = 0; i < 2; i++)
		if (random_width(32))
			return 1;
	return 0;
}

static int random_ipv6(void)
{
	for (unsigned int i = 0; i < 2; i++)
		if (random_width(128))
			return 1;
	return 0;
}

/* Filled and emptied, nothing is left but the table itself. */
static int empties(void)
{
	size_t empty;

	if (begin(32))
		return 1;
	empty = vgw_lpm_memory(lpm);
	for (unsigned int fill = 0; fill < 2; fill++) {
		struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);

		for (unsigned int i = 0; i < POOL; i++) {
			struct vgw_lpm_value value = { .nh = i + 1 };

			if (pool[i].len == 0xfe)
				continue;
			EXPECT(!(fill ? vgw_lpm_txn_del(txn, &pool[i].key, pool[i].len) :
					vgw_lpm_txn_set(txn, &pool[i].key, pool[i].len, value)));
		}
		vgw_lpm_txn_publish(txn);
		vgw_lpm_txn_free(txn);
		EXPECT(fill ? vgw_lpm_count(lpm) == 0 : vgw_lpm_memory(lpm) > empty);
	}
	EXPECT(vgw_lpm_memory(lpm) == empty);
	return end();
}

static int refuses(void)
{
	struct vgw_lpm_key key = { .addr = { 10, 1, 2 } };
	struct vgw_lpm_txn *txn;

	if (begin(32))
		return 1;
	txn = vgw_lpm_txn_begin(lpm);
	EXPECT(vgw_lpm_txn_set(txn, &key, 16, (struct vgw_lpm_value){ .nh = 1 }) == -EINVAL);
	EXPECT(vgw_lpm_txn_set(txn, &key, 33, (struct vgw_lpm_value){ .nh = 1 }) == -EINVAL);
	EXPECT(vgw_lpm_txn_set(txn, &key, 24, (struct vgw_lpm_value){}) == -EINVAL);
	EXPECT(vgw_lpm_txn_del(txn, &key, 24) == -ENOENT);
	key.addr[4] = 1;
	EXPECT(vgw_lpm_txn_set(txn, &key, 32, (struct vgw_lpm_value){ .nh = 1 }) == -EINVAL);
	vgw_lpm_txn_publish(txn);
	vgw_lpm_txn_free(txn);
	EXPECT(vgw_lpm_count(lpm) == 0);
	return end();
}

static int marks(void)
{
	struct vgw_lpm_key key = { .addr = { 10 } };
	struct vgw_lpm_value value;
	struct vgw_lpm_txn *txn;

	if (begin(32))
		return 1;
	txn = vgw_lpm_txn_begin(lpm);
	EXPECT(!vgw_lpm_txn_set(txn, &key, 8, (struct vgw_lpm_value){ .nh = 7, .mark = 1 }));
	EXPECT(!vgw_lpm_mark(lpm, &key, 8, 2));
	vgw_lpm_txn_publish(txn);
	vgw_lpm_txn_free(txn);
	EXPECT(vgw_lpm_mark(lpm, &key, 8, 2) && !vgw_lpm_mark(lpm, &key, 9, 2));
	EXPECT(vgw_lpm_get(lpm, &key, 8, &value) && value.mark == 2 && value.nh == 7);
	return end();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "random transactions, IPv4", random_ipv4 },
		{ "random transactions, IPv6", random_ipv6 },
		{ "an emptied table holds no memory", empties },
		{ "bad keys are refused", refuses },
		{ "marks", marks },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
