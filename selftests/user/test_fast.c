// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both planes of the lookup table against a naive table, in shapes that reach
 * every form of node: crowded, so that nodes split and join again; nested
 * to the last bit; one id or many; with allocations that fail while publishing.
 * After each transaction the addresses around each change must find what the naive
 * table says, in both planes.
 */
#include "harness.h"

#include <linux/kernel.h>

#include "lpm_impl.h"
#include "oracle.h"

#define BATCH_MAX	400

static struct oracle oracle;
static struct vgw_lpm *lpm;
static unsigned int bits;

struct shape {
	const char *name;
	unsigned int bits;
	unsigned int from, to;		/* lengths */
	unsigned int spread;		/* random bits in front, all others from a few patterns */
	unsigned int groups;
	unsigned int steps;
};

static const struct shape shapes[] = {
	{ "IPv4, all lengths", 32, 0, 32, 32, 50, 3000 },
	{ "IPv4, one /16 full", 32, 15, 32, 0, 60000, 2000 },
	{ "IPv4, one id", 32, 8, 26, 4, 1, 2000 },
	{ "IPv4, like the Internet", 32, 12, 24, 14, 8, 1500 },
	{ "IPv6, all lengths", 128, 0, 128, 40, 50, 2000 },
	{ "IPv6, one /24 full", 128, 22, 64, 8, 60000, 1500 },
	{ "IPv6, one id", 128, 20, 64, 10, 1, 1000 },
	{ "IPv6, deep", 128, 50, 128, 2, 300, 1500 },
	{ "IPv6, the last bytes", 128, 96, 128, 0, 300, 1500 },
	{ "IPv6, like the Internet", 128, 19, 48, 26, 8, 1000 },
};

static const struct shape *shape;

static void set_bit(struct vgw_lpm_key *key, unsigned int bit, bool value)
{
	u8 mask = 0x80 >> bit % 8;

	key->addr[bit / 8] = value ? key->addr[bit / 8] | mask : key->addr[bit / 8] & ~mask;
}

/* Where prefixes crowd: mostly the last bits of the range of lengths vary. */
static struct vgw_lpm_key random_key(void)
{
	unsigned int pattern = random_below(3);
	struct vgw_lpm_key key = {};

	for (unsigned int i = 0; i < bits / 8; i++)
		key.addr[i] = pattern == 0 ? 0x20 : pattern == 1 ? 0xff : 0x00;
	if (random_below(8) == 0)
		for (unsigned int i = 0; i < shape->spread; i++)
			set_bit(&key, i, random_below(2));
	for (unsigned int n = random_below(20); n; n--) {
		unsigned int back = random_below(shape->to - shape->from);

		set_bit(&key, shape->to - 1 - back, random_below(2));
	}
	return key;
}

static u8 random_len(void)
{
	return shape->from + random_below(shape->to - shape->from + 1);
}

static bool same_answers(const struct vgw_lpm_key *key)
{
	u8 found = VGW_LPM_START, len = VGW_LPM_START;
	unsigned int limit = 256;
	u16 nh;

	if (vgw_lpm_lookup(lpm, key) != oracle_lookup(&oracle, key, 256, &found))
		return false;
	do {
		found = len;
		nh = oracle_lookup(&oracle, key, limit, &found);
		if (vgw_lpm_lookup_below(lpm, key, &len) != nh || len != found)
			return false;
		limit = found;
	} while (nh);
	return true;
}

/* Inside the prefix, its first and last address, and the two beside it. */
static int check_around(const struct vgw_lpm_key *prefix, u8 len)
{
	struct vgw_lpm_key key = *prefix;

	EXPECT(same_answers(&key));
	for (unsigned int i = len; i < bits; i++)
		set_bit(&key, i, true);
	EXPECT(same_answers(&key));
	for (int i = bits - 1; i >= 0; i--) {
		bool was = key.addr[i / 8] & 0x80 >> i % 8;

		set_bit(&key, i, !was);
		if (!was)
			break;
	}
	EXPECT(same_answers(&key));
	key = *prefix;
	for (int i = bits - 1; i >= 0; i--) {
		bool was = key.addr[i / 8] & 0x80 >> i % 8;

		set_bit(&key, i, !was);
		if (was)
			break;
	}
	EXPECT(same_answers(&key));
	key = *prefix;
	for (unsigned int i = len; i < bits; i++)
		set_bit(&key, i, random_below(2));
	EXPECT(same_answers(&key));
	return 0;
}

struct change {
	struct vgw_lpm_key key;
	u8 len;
	u16 nh, before;
};

static int stage(struct vgw_lpm_txn *txn, struct change *change, unsigned int deletes)
{
	struct vgw_lpm_value value = {};
	struct vgw_lpm_key key = random_key();
	int ret;

	change->len = random_len();
	change->key = oracle_cut(&key, change->len);
	if (random_below(100) < deletes) {
		/* Something that is there, if a few tries find it. */
		for (unsigned int i = 0; i < 4; i++) {
			if (oracle_get(&oracle, &change->key, change->len))
				break;
			change->len = random_len();
			change->key = oracle_cut(&key, change->len);
		}
		change->before = oracle_get(&oracle, &change->key, change->len);
		change->nh = 0;
		ret = vgw_lpm_txn_del(txn, &change->key, change->len);
		EXPECT(ret == (change->before ? 0 : -ENOENT));
	} else {
		change->before = oracle_get(&oracle, &change->key, change->len);
		change->nh = 1 + random_below(shape->groups);
		value.nh = change->nh;
		EXPECT(!vgw_lpm_txn_set(txn, &change->key, change->len, value));
	}
	oracle_set(&oracle, &change->key, change->len, change->nh);
	return 0;
}

#define WATCHED_MAX	4

/* What a reader in the middle of publishing may find. */
static struct {
	struct vgw_lpm_key key;
	u16 before, after;
} watched[WATCHED_MAX];
static unsigned int n_watched, stores;
static bool between;

static void look(void)
{
	/* A short prefix makes thousands. */
	if (++stores > 50 && stores % 64)
		return;
	for (unsigned int i = 0; i < n_watched; i++) {
		u16 nh = vgw_lpm_lookup(lpm, &watched[i].key);

		between |= nh != watched[i].before && nh != watched[i].after;
	}
}

/* At each store on the way, each address has its old answer or its new one. */
static int publish(struct vgw_lpm_txn *txn, const struct change *change, unsigned int n)
{
	/* The prefix of length 0 is a step of its own. */
	n_watched = txn->zero.nh == lpm->zero.nh ? min(n, WATCHED_MAX) : 0;
	for (unsigned int i = 0; i < n_watched; i++) {
		u8 found;

		watched[i].key = change[i].key;
		watched[i].before = vgw_lpm_lookup(lpm, &change[i].key);
		watched[i].after = oracle_lookup(&oracle, &change[i].key, 256, &found);
	}
	between = false;
	stores = 0;
	alloc_fail_after = random_below(8) ? -1 : (long)random_below(12);
	alloc_fail_forever = random_below(2);
	after_store = look;
	vgw_lpm_txn_publish(txn);
	after_store = NULL;
	alloc_fail_after = -1;
	alloc_fail_forever = false;
	EXPECT(!between);
	return 0;
}

static int transact(unsigned int deletes)
{
	static struct change change[BATCH_MAX];
	unsigned int n = 1 + random_below(random_below(6) ? 3 : BATCH_MAX);
	struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);
	bool keep = random_below(10) != 0;

	for (unsigned int i = 0; i < n; i++)
		if (stage(txn, &change[i], deletes))
			return 1;
	if (keep && publish(txn, change, n))
		return 1;
	vgw_lpm_txn_free(txn);
	for (unsigned int i = n; !keep && i--;)
		oracle_set(&oracle, &change[i].key, change[i].len, change[i].before);
	for (unsigned int i = 0; i < n && i < 40; i++)
		if (check_around(&change[i].key, change[i].len))
			return 1;
	return 0;
}

/* The ordered walk is a list of all prefixes; it takes them out until nothing is left. */
static int drain(void)
{
	struct vgw_lpm_key key = {}, last = {};
	struct vgw_lpm_value value;
	u8 len = VGW_LPM_START, last_len = 0;
	unsigned int n = 0, there = 0;
	struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);

	for (unsigned int i = 0; i <= bits; i++)
		there += oracle.lengths[i];
	EXPECT(vgw_lpm_count(lpm) == there);
	while (vgw_lpm_next(lpm, &key, &len, &value)) {
		int order = memcmp(&key, &last, sizeof(key));

		EXPECT(!n || order > 0 || (order == 0 && len > last_len));
		EXPECT(value.nh == oracle_get(&oracle, &key, len));
		EXPECT(!vgw_lpm_txn_del(txn, &key, len));
		last = key;
		last_len = len;
		n++;
	}
	EXPECT(n == there);
	vgw_lpm_txn_publish(txn);
	vgw_lpm_txn_free(txn);
	EXPECT(vgw_lpm_memory(lpm) == sizeof(*lpm) && vgw_lpm_count(lpm) == 0);
	return 0;
}

static int run_shape(void)
{
	size_t most = 0;

	bits = shape->bits;
	oracle_init(&oracle, bits);
	lpm = vgw_lpm_create(bits);
	EXPECT(lpm);
	/* It fills for a while, then empties. */
	for (unsigned int i = 0; i < shape->steps * rounds; i++) {
		unsigned int phase = i / (shape->steps * rounds / 4);

		if (transact(phase & 1 ? 85 : 25))
			return 1;
		if (random_below(4) == 0)
			rcu_flush();
		most = vgw_lpm_count(lpm) > most ? vgw_lpm_count(lpm) : most;
	}
	printf("# %s: up to %zu prefixes\n", shape->name, most);
	/* What is left of the lack of memory goes with the next transaction. */
	if (transact(50) || drain())
		return 1;
	vgw_lpm_destroy(lpm);
	rcu_flush();
	oracle_free(&oracle);
	EXPECT(alloc_live == 0);
	return 0;
}

static int all_shapes(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++) {
		shape = &shapes[i];
		if (run_shape())
			return 1;
	}
	return 0;
}

/* With no memory to publish, both planes still agree; later the fast one is whole again. */
static int heals(void)
{
	struct vgw_lpm_key key = { .addr = { 10, 1, 2 } };
	struct vgw_lpm_value value = { .nh = 7 };

	for (bits = 32; bits <= 128; bits += 96) {
		struct vgw_lpm_txn *txn;

		lpm = vgw_lpm_create(bits);
		txn = vgw_lpm_txn_begin(lpm);
		EXPECT(!vgw_lpm_txn_set(txn, &key, 28, value));
		alloc_fail_after = 0;
		alloc_fail_forever = true;
		vgw_lpm_txn_publish(txn);
		alloc_fail_after = -1;
		alloc_fail_forever = false;
		vgw_lpm_txn_free(txn);
		EXPECT(lpm->degraded && vgw_lpm_lookup(lpm, &key) == 7);
		txn = vgw_lpm_txn_begin(lpm);
		vgw_lpm_txn_publish(txn);
		vgw_lpm_txn_free(txn);
		EXPECT(!lpm->degraded && vgw_lpm_lookup(lpm, &key) == 7);
		EXPECT(vgw_fast_is_pointer(lpm->fast));
		vgw_lpm_destroy(lpm);
		rcu_flush();
		EXPECT(alloc_live == 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "random transactions in all shapes", all_shapes },
		{ "lack of memory while publishing is made good", heals },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
