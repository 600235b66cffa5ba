// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of policy routes against a plain ordered list, under random
 * transactions with allocations that fail: every match of a packet, in order, is
 * the list's, and a set that a reader holds stays as it was.
 */
#include "harness.h"

#include <linux/err.h>

#include "policy.h"

#define POLICIES	400

static struct vgw_policy model[POLICIES];
static unsigned int n_model;
static struct vgw_policy_set *set;
static u8 bits;

static void random_key(struct vgw_lpm_key *key, u8 len)
{
	memset(key, 0, sizeof(*key));
	for (unsigned int b = 0; b < len; b++)
		key->addr[b / 8] |= (random_below(4) == 0) << (7 - b % 8);
}

/* Few lengths and few bits, so that much matches; now and then any. */
static u8 random_len(void)
{
	if (random_below(8) == 0)
		return random_below(bits + 1);
	return random_below(4) * 4;
}

static void random_policy(struct vgw_policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->src_len = random_len();
	policy->dst_len = random_len();
	random_key(&policy->src, policy->src_len);
	random_key(&policy->dst, policy->dst_len);
	policy->priority = random_below(5) * 0x3fffffffu;
	policy->sequence = random_below(40);
	policy->on_fail = random_below(2);
	policy->group = (void *)(uintptr_t)(1 + random_below(1000));
}

static bool same_name(const struct vgw_policy *a, const struct vgw_policy *b)
{
	return a->priority == b->priority && a->sequence == b->sequence &&
	       a->src_len == b->src_len && a->dst_len == b->dst_len &&
	       !memcmp(&a->src, &b->src, sizeof(a->src)) &&
	       !memcmp(&a->dst, &b->dst, sizeof(a->dst));
}

static bool same(const struct vgw_policy *a, const struct vgw_policy *b)
{
	return same_name(a, b) && a->group == b->group && a->on_fail == b->on_fail;
}

/* Does a come before b? Written out once more, as the specification says it. */
static bool before(const struct vgw_policy *a, const struct vgw_policy *b)
{
	int src = memcmp(&a->src, &b->src, sizeof(a->src));
	int dst = memcmp(&a->dst, &b->dst, sizeof(a->dst));

	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence;
	if (src)
		return src < 0;
	if (a->src_len != b->src_len)
		return a->src_len < b->src_len;
	if (dst)
		return dst < 0;
	return a->dst_len < b->dst_len;
}

static int model_find(const struct vgw_policy *name)
{
	for (unsigned int i = 0; i < n_model; i++)
		if (same_name(&model[i], name))
			return i;
	return -1;
}

static void model_set(const struct vgw_policy *policy)
{
	int i = model_find(policy);
	unsigned int at = 0;

	if (i >= 0) {
		model[i] = *policy;
		return;
	}
	while (at < n_model && before(&model[at], policy))
		at++;
	memmove(&model[at + 1], &model[at], (n_model - at) * sizeof(model[0]));
	model[at] = *policy;
	n_model++;
}

static void model_del(int i)
{
	n_model--;
	memmove(&model[i], &model[i + 1], (n_model - i) * sizeof(model[0]));
}

static bool inside(const struct vgw_lpm_key *addr, const struct vgw_lpm_key *prefix, u8 len)
{
	for (unsigned int b = 0; b < len; b++)
		if ((addr->addr[b / 8] ^ prefix->addr[b / 8]) >> (7 - b % 8) & 1)
			return false;
	return true;
}

static bool matches(const struct vgw_policy *policy, const struct vgw_lpm_key *src,
		    const struct vgw_lpm_key *dst)
{
	return inside(src, &policy->src, policy->src_len) &&
	       inside(dst, &policy->dst, policy->dst_len);
}

/* All matches of a packet, in order; with a budget, since most packets need only the first. */
static int check_packet(void)
{
	unsigned int most = random_below(4) ? 1 : POLICIES;
	const struct vgw_policy *found = NULL;
	struct vgw_lpm_key src, dst;

	random_key(&src, bits);
	random_key(&dst, bits);
	for (unsigned int i = 0; set && i < n_model && most; i++) {
		if (!matches(&model[i], &src, &dst))
			continue;
		found = vgw_policy_match(set, &src, &dst, found);
		EXPECT(found && same(found, &model[i]));
		most--;
	}
	if (set && most)
		EXPECT(!vgw_policy_match(set, &src, &dst, found));
	return 0;
}

static int check_walk(void)
{
	struct vgw_policy name;
	unsigned int place = 0;

	EXPECT(vgw_policy_set_count(set) == n_model);
	EXPECT(!n_model == !set && !n_model == !vgw_policy_set_memory(set));
	for (unsigned int i = 0; i < n_model; i++)
		EXPECT(same(vgw_policy_set_at(set, i), &model[i]));
	random_policy(&name);
	if (n_model && random_below(2))
		name = model[random_below(n_model)];
	while (place < n_model && !before(&name, &model[place]))
		place++;
	EXPECT(vgw_policy_set_after(set, &name) == place);
	return 0;
}

static void set_random_failure(void)
{
	alloc_fail_after = random_below(4) ? -1 : (long)random_below(6);
}

/* One change, tried on transaction and model. */
static int change(struct vgw_policy_txn *txn, int *ret)
{
	struct vgw_policy policy;
	int i;

	random_policy(&policy);
	if (n_model && random_below(3)) {
		policy = model[random_below(n_model)];
		policy.group = (void *)(uintptr_t)(1 + random_below(1000));
	}
	i = model_find(&policy);
	EXPECT(!vgw_policy_txn_get(txn, &policy) == (i < 0));
	if (n_model == POLICIES || random_below(5) < 2) {
		*ret = vgw_policy_txn_del(txn, &policy);
		EXPECT(*ret == (i < 0 ? -ENOENT : 0));
		if (i >= 0)
			model_del(i);
		*ret = 0;
		return 0;
	}
	*ret = vgw_policy_txn_set(txn, &policy);
	EXPECT(!*ret || *ret == -ENOMEM);
	if (!*ret)
		model_set(&policy);
	return 0;
}

/* A transaction of many changes; without memory nothing has happened. */
static int transaction(void)
{
	static struct vgw_policy saved[POLICIES];
	unsigned int n = 1 + random_below(24), n_saved = n_model;
	struct vgw_policy_set *next = ERR_PTR(-ENOMEM);
	struct vgw_policy_txn txn;
	int ret;

	memcpy(saved, model, sizeof(model));
	set_random_failure();
	ret = vgw_policy_txn_begin(&txn, set, bits);
	while (!ret && n--)
		if (change(&txn, &ret))
			return 1;
	if (!ret)
		next = vgw_policy_txn_build(&txn);
	alloc_fail_after = -1;
	vgw_policy_txn_end(&txn);
	if (IS_ERR(next)) {
		EXPECT(PTR_ERR(next) == -ENOMEM);
		memcpy(model, saved, sizeof(model));
		n_model = n_saved;
		return 0;
	}
	vgw_policy_set_retire(set);
	set = next;
	return 0;
}

static int random_operations(void)
{
	for (unsigned int world = 0; world < 8 * rounds; world++) {
		bits = world & 1 ? 128 : 32;
		set = NULL;
		n_model = 0;
		for (unsigned int i = 0; i < 1000; i++) {
			if (transaction() || check_walk())
				return 1;
			for (unsigned int j = 0; j < 120; j++)
				if (check_packet())
					return 1;
			rcu_flush();
		}
		vgw_policy_set_destroy(set);
		EXPECT(alloc_live == 0);
	}
	return 0;
}

/* Readers that found a policy go on from it while writers replace the set. */
static int reader_keeps_its_set(void)
{
	const struct vgw_policy *found;
	struct vgw_policy_txn txn;
	struct vgw_policy policy = { .sequence = 1 };
	struct vgw_lpm_key any = {};
	struct vgw_policy_set *old;

	EXPECT(!vgw_policy_txn_begin(&txn, NULL, 32));
	for (; policy.sequence <= 3; policy.sequence++)
		EXPECT(!vgw_policy_txn_set(&txn, &policy));
	set = vgw_policy_txn_build(&txn);
	vgw_policy_txn_end(&txn);
	found = vgw_policy_match(set, &any, &any, NULL);
	EXPECT(found && found->sequence == 1);
	old = set;
	EXPECT(!vgw_policy_txn_begin(&txn, old, 32));
	for (policy.sequence = 1; policy.sequence <= 3; policy.sequence++)
		EXPECT(!vgw_policy_txn_del(&txn, &policy));
	set = vgw_policy_txn_build(&txn);
	vgw_policy_txn_end(&txn);
	EXPECT(!set);
	vgw_policy_set_retire(old);
	found = vgw_policy_match(old, &any, &any, found);
	EXPECT(found && found->sequence == 2);
	found = vgw_policy_match(old, &any, &any, found);
	EXPECT(found && found->sequence == 3 && !vgw_policy_match(old, &any, &any, found));
	rcu_flush();
	EXPECT(alloc_live == 0);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "random operations against the list", random_operations },
		{ "a reader keeps its set", reader_keeps_its_set },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
