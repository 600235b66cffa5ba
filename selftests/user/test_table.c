// SPDX-License-Identifier: GPL-2.0-only
/*
 * Routes, policy routes, groups and the choice between them against a plain model, under random
 * batches, member changes, deaths of tunnels and generations, with allocations
 * that fail. After each step the counts and the choices must be the model's.
 */
#include "harness.h"

#include <linux/netdevice.h>
#include <linux/vgw.h>

#include "gateway.h"
#include "group.h"
#include "port.h"
#include "select.h"
#include "tunnel.h"

#define PREFIXES	48
#define GROUPS		10
#define TUNNELS		9
#define POLICIES	10

struct model_slot {
	bool present, fresh;
	u8 on_fail;
	unsigned int group;
};

struct model_group {
	bool there, fresh;
	unsigned int n, member[TUNNELS];
	u8 weight[TUNNELS];
};

/* Of policies[] of the same index. */
struct model_policy {
	bool present, fresh;
	u8 on_fail;
	unsigned int group;
};

static struct {
	struct model_slot slot[PREFIXES][VGW_N_CLASSES];
	struct model_policy policy[POLICIES];
	struct model_group group[GROUPS];
} model;

static struct vgw_prefix prefixes[PREFIXES];
/* In the order in which packets meet them; dst is prefixes[] of the same index. */
static struct vgw_policy policies[POLICIES];
static struct vgw_tunnel tunnels[TUNNELS];
static struct net_device device = { .name = "vgw0", .ifindex = 1 };
static struct vgw_net vnet;
static struct vgw_gateway gw;
static unsigned int guarded;		/* index of the prefix that is a guard range, too */

/* All tunnels are refreshed in every generation: none is ever swept. */
void vgw_tunnel_destroy(struct vgw_tunnel *tunnel)
{
	printf("# tunnel %u was swept\n", tunnel->id);
	exit(1);
}

/* There is none. */
void vgw_port_del(struct vgw_port *port)
{
	printf("# a port was swept\n");
	exit(1);
}

static struct vgw_group *group_of(unsigned int i)
{
	return xa_load(&gw.groups, i + 1);
}

/* World */

static void prefixes_make(void)
{
	for (unsigned int i = 0; i < PREFIXES; i++) {
		struct vgw_prefix *prefix = &prefixes[i];
		bool again = true;

		while (again) {
			memset(prefix, 0, sizeof(*prefix));
			prefix->table = i & 1;
			prefix->len = random_below(9) * 4;
			for (unsigned int b = 0; b < prefix->len; b++)
				prefix->key.addr[b / 8] |= (random_below(4) == 0) << (7 - b % 8);
			again = false;
			for (unsigned int j = 0; j < i; j++)
				again |= !memcmp(&prefixes[j], prefix, sizeof(*prefix));
		}
	}
}

/* Every second one is IPv6, as the prefixes are. */
static void policies_make(void)
{
	for (unsigned int i = 0; i < POLICIES; i++) {
		struct vgw_policy *policy = &policies[i];

		memset(policy, 0, sizeof(*policy));
		policy->dst = prefixes[i].key;
		policy->dst_len = prefixes[i].len;
		policy->priority = i / 4;
		policy->sequence = i;
		policy->src_len = random_below(3) * 2;
		for (unsigned int b = 0; b < policy->src_len; b++)
			policy->src.addr[0] |= random_below(2) << (7 - b);
	}
}

static int world_make(void)
{
	struct vgw_lpm_value value = { .nh = 1 };
	struct vgw_lpm_txn *txn;

	memset(&model, 0, sizeof(model));
	memset(&vnet, 0, sizeof(vnet));
	memset(&gw, 0, sizeof(gw));
	gw.dev = &device;
	gw.vnet = &vnet;
	gw.generation = 1;
	gw.table_seq = 1;
	gw.quota = 12;
	xa_init(&gw.chains);
	xa_init(&gw.tunnels);
	xa_init(&gw.ports);
	xa_init(&gw.groups);
	for (unsigned int i = 0; i < 2; i++) {
		gw.lpm[i] = vgw_lpm_create(i ? 128 : 32);
		gw.guard[i] = vgw_lpm_create(i ? 128 : 32);
	}
	prefixes_make();
	policies_make();
	guarded = random_below(PREFIXES);
	txn = vgw_lpm_txn_begin(gw.guard[prefixes[guarded].table]);
	EXPECT(!vgw_lpm_txn_set(txn, &prefixes[guarded].key, prefixes[guarded].len, value));
	vgw_lpm_txn_publish(txn);
	vgw_lpm_txn_free(txn);
	memset(tunnels, 0, sizeof(tunnels));
	for (unsigned int i = 0; i < TUNNELS; i++) {
		tunnels[i].gw = &gw;
		tunnels[i].id = 100 + i;
		tunnels[i].connection = i / 2;
		tunnels[i].site = i / 4;
		tunnels[i].live = true;
		EXPECT(!xa_store(&gw.tunnels, tunnels[i].id, &tunnels[i], 0));
	}
	return 0;
}

/* Everything is given back. */
static int world_free(void)
{
	struct vgw_group *group;
	unsigned long id;

	vgw_route_destroy_all(&gw);
	vgw_policy_destroy_all(&gw);
	xa_for_each(&gw.groups, id, group) {
		EXPECT(group->chains == 0);
		vgw_group_destroy(&gw, group);
	}
	for (unsigned int i = 0; i < TUNNELS; i++)
		EXPECT(tunnels[i].members == 0);
	rcu_flush();
	for (unsigned int i = 0; i < 2; i++) {
		vgw_lpm_destroy(gw.lpm[i]);
		vgw_lpm_destroy(gw.guard[i]);
	}
	EXPECT(vnet.group_count == 0 && vnet.route_count == 0 && vnet.policy_count == 0);
	xa_destroy(&gw.chains);
	xa_destroy(&gw.tunnels);
	xa_destroy(&gw.ports);
	xa_destroy(&gw.groups);
	EXPECT(alloc_live == 0);
	return 0;
}

/* The model's answers */

static unsigned int model_fresh_dynamic(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PREFIXES; i++)
		n += model.slot[i][2].present && model.slot[i][2].fresh;
	return n;
}

static bool model_in_use(unsigned int group)
{
	for (unsigned int i = 0; i < PREFIXES; i++)
		for (unsigned int c = 1; c < VGW_N_CLASSES; c++)
			if (model.slot[i][c].present && model.slot[i][c].group == group)
				return true;
	for (unsigned int i = 0; i < POLICIES; i++)
		if (model.policy[i].present && model.policy[i].group == group)
			return true;
	return false;
}

static bool is_excluded(const struct vgw_excluded *excluded, const struct vgw_tunnel *tunnel)
{
	for (unsigned int i = 0; i < excluded->n; i++)
		if (excluded->tunnel[i] == tunnel)
			return true;
	return false;
}

/* Largest weight among the members that can carry something; -1 if none can. */
static int model_best_weight(unsigned int group, const struct vgw_excluded *excluded)
{
	const struct model_group *one = &model.group[group];
	int best = -1;

	for (unsigned int i = 0; i < one->n; i++) {
		const struct vgw_tunnel *tunnel = &tunnels[one->member[i]];

		if (tunnel->live && !is_excluded(excluded, tunnel) && one->weight[i] > best)
			best = one->weight[i];
	}
	return best;
}

static bool covers(const struct vgw_lpm_key *prefix, u8 len, const struct vgw_lpm_key *key)
{
	for (unsigned int b = 0; b < len; b++)
		if ((prefix->addr[b / 8] ^ key->addr[b / 8]) >> (7 - b % 8) & 1)
			return false;
	return true;
}

static bool contains(const struct vgw_prefix *prefix, const struct vgw_lpm_key *key)
{
	return covers(&prefix->key, prefix->len, key);
}

static bool policy_matches(unsigned int i, unsigned int table, const struct vgw_lpm_key *src,
			   const struct vgw_lpm_key *dst)
{
	return model.policy[i].present && prefixes[i].table == table &&
	       covers(&policies[i].src, policies[i].src_len, src) &&
	       covers(&policies[i].dst, policies[i].dst_len, dst);
}

struct answer {
	u8 verdict;
	unsigned int len, class, group;
	int policy;			/* that decided, or -1 */
};

/* True: a policy route decides. */
static bool model_select_policy(const struct vgw_lpm_key *src, const struct vgw_lpm_key *key,
				unsigned int table, const struct vgw_excluded *excluded,
				bool *dead, struct answer *answer)
{
	for (unsigned int i = 0; i < POLICIES; i++) {
		if (!policy_matches(i, table, src, key))
			continue;
		*answer = (struct answer){ .verdict = VGW_VERDICT_TUNNEL, .policy = i,
					   .group = model.policy[i].group };
		if (model_best_weight(answer->group, excluded) >= 0)
			return true;
		*dead = true;
		answer->verdict = VGW_VERDICT_RESERVED;
		if (model.policy[i].on_fail == VGW_ON_FAIL_RESERVE)
			return true;
	}
	return false;
}

static void model_select(const struct vgw_lpm_key *src, const struct vgw_lpm_key *key,
			 unsigned int table, const struct vgw_excluded *excluded,
			 struct answer *answer)
{
	bool dead = false;

	if (model_select_policy(src, key, table, excluded, &dead, answer))
		return;
	for (int len = 32; len >= 0; len--) {
		for (unsigned int i = 0; i < PREFIXES; i++) {
			if (prefixes[i].table != table || prefixes[i].len != len ||
			    !contains(&prefixes[i], key))
				continue;
			for (unsigned int c = 0; c < VGW_N_CLASSES; c++) {
				const struct model_slot *slot = &model.slot[i][c];

				*answer = (struct answer){ VGW_VERDICT_TUNNEL, len, c,
							   slot->group, -1 };
				if (!slot->present)
					continue;
				if (c == 0) {
					answer->verdict = VGW_VERDICT_SYSTEM;
					if (dead)
						continue;
					return;
				}
				if (model_best_weight(slot->group, excluded) >= 0)
					return;
				dead = true;
				answer->verdict = VGW_VERDICT_RESERVED;
				if (slot->on_fail == VGW_ON_FAIL_RESERVE)
					return;
			}
		}
	}
	answer->policy = -1;
	answer->verdict = dead ? VGW_VERDICT_DEAD : VGW_VERDICT_MISS;
	if (!dead && prefixes[guarded].table == table && contains(&prefixes[guarded], key))
		answer->verdict = VGW_VERDICT_GUARD;
}

/* Checks */

static int check_counts(void)
{
	unsigned int routes = 0, dynamic = 0, groups = 0, of_group[GROUPS] = {};
	unsigned int policy_routes = 0;

	for (unsigned int i = 0; i < PREFIXES; i++) {
		for (unsigned int c = 0; c < VGW_N_CLASSES; c++) {
			if (!model.slot[i][c].present)
				continue;
			routes++;
			dynamic += c == 2;
			if (c)
				of_group[model.slot[i][c].group]++;
		}
	}
	EXPECT(gw.routes == routes && vnet.route_count == routes);
	EXPECT(gw.dynamic_prefixes == dynamic);
	EXPECT(gw.dynamic_fresh == (gw.generation_open ? model_fresh_dynamic() : dynamic));
	for (unsigned int i = 0; i < POLICIES; i++) {
		policy_routes += model.policy[i].present;
		if (model.policy[i].present)
			of_group[model.policy[i].group]++;
	}
	EXPECT(gw.policy_count == policy_routes && vnet.policy_count == policy_routes);
	for (unsigned int i = 0; i < GROUPS; i++) {
		EXPECT(!group_of(i) == !model.group[i].there);
		EXPECT(!group_of(i) || group_of(i)->routes == of_group[i]);
		EXPECT(!group_of(i) || !group_of(i)->chains == !of_group[i]);
		groups += model.group[i].there;
	}
	EXPECT(gw.group_count == groups && vnet.group_count == groups);
	return 0;
}

static int check_choice(void)
{
	unsigned int table = random_below(2);
	struct vgw_excluded excluded = {};
	struct vgw_flow flow = { .family = table ? AF_INET6 : AF_INET };
	struct vgw_choice choice, again;
	struct answer answer = {};
	struct vgw_lpm_key key = {}, src = {};
	u32 hash = random_below(0xffffffff);

	for (unsigned int b = 0; b < 32; b++)
		key.addr[b / 8] |= (random_below(4) == 0) << (7 - b % 8);
	memcpy(&flow.dst, key.addr, table ? 16 : 4);
	src.addr[0] = random_below(256);
	memcpy(&flow.src, src.addr, table ? 16 : 4);
	while (excluded.n < 2 && random_below(3) == 0)
		excluded.tunnel[excluded.n++] = &tunnels[random_below(TUNNELS)];
	model_select(&src, &key, table, &excluded, &answer);
	vgw_select_explain(&gw, &flow, hash, &excluded, &choice);
	EXPECT(choice.verdict == answer.verdict);
	EXPECT(!choice.policy == (answer.policy < 0));
	if (choice.policy)
		EXPECT(!vgw_policy_compare(choice.policy, &policies[answer.policy]));
	else if (choice.verdict == VGW_VERDICT_TUNNEL || choice.verdict == VGW_VERDICT_SYSTEM ||
		 choice.verdict == VGW_VERDICT_RESERVED)
		EXPECT(choice.len == answer.len && choice.slot == answer.class);
	/* What packets get is the same. */
	vgw_select(&gw, &flow, hash, &excluded, &again);
	EXPECT(again.verdict == choice.verdict && again.tunnel == choice.tunnel &&
	       again.policy == choice.policy);
	if (choice.verdict != VGW_VERDICT_TUNNEL)
		return 0;
	EXPECT(again.group == choice.group && again.bucket == choice.bucket &&
	       again.slot == choice.slot);
	EXPECT(choice.group == group_of(answer.group));
	EXPECT(choice.tunnel->live && !is_excluded(&excluded, choice.tunnel));
	for (unsigned int i = 0; i < model.group[answer.group].n; i++)
		if (&tunnels[model.group[answer.group].member[i]] == choice.tunnel)
			EXPECT(!model.group[answer.group].weight[i] ==
			       !model_best_weight(answer.group, &excluded));
	return 0;
}

static bool model_leads_to(unsigned int group, const struct vgw_tunnel *tunnel, bool by_site)
{
	for (unsigned int m = 0; m < model.group[group].n; m++) {
		const struct vgw_tunnel *one = &tunnels[model.group[group].member[m]];

		if (by_site ? one->site == tunnel->site : one->connection == tunnel->connection)
			return true;
	}
	return false;
}

/* The policy routes of the way back: true if they decide, with *good. */
static bool model_source_policy(unsigned int i, const struct vgw_lpm_key *here,
				const struct vgw_tunnel *tunnel, bool by_site, bool *good)
{
	for (unsigned int p = 0; p < POLICIES; p++) {
		if (!policy_matches(p, prefixes[i].table, here, &prefixes[i].key))
			continue;
		*good = model_leads_to(model.policy[p].group, tunnel, by_site);
		if (*good || model.policy[p].on_fail == VGW_ON_FAIL_RESERVE)
			return true;
	}
	return false;
}

/* A source is good if the route back to it, dead or alive, leads to the tunnel's own. */
static int check_source(void)
{
	const struct vgw_tunnel *tunnel = &tunnels[random_below(TUNNELS)];
	unsigned int i = random_below(PREFIXES), best = PREFIXES;
	bool by_site = random_below(2), wanted = false;
	struct vgw_flow flow = { .family = prefixes[i].table ? AF_INET6 : AF_INET };
	struct vgw_lpm_key here = { .addr = { random_below(256) } };

	memcpy(&flow.src, prefixes[i].key.addr, prefixes[i].table ? 16 : 4);
	memcpy(&flow.dst, here.addr, prefixes[i].table ? 16 : 4);
	if (model_source_policy(i, &here, tunnel, by_site, &wanted)) {
		EXPECT(vgw_select_source_ok(&gw, tunnel, &flow, by_site) == wanted);
		return 0;
	}
	for (unsigned int j = 0; j < PREFIXES; j++)
		if (prefixes[j].table == prefixes[i].table &&
		    contains(&prefixes[j], &prefixes[i].key) &&
		    (model.slot[j][0].present || model.slot[j][1].present ||
		     model.slot[j][2].present) &&
		    (best == PREFIXES || prefixes[j].len > prefixes[best].len))
			best = j;
	for (unsigned int c = 1; best < PREFIXES && c < VGW_N_CLASSES; c++) {
		const struct model_slot *slot = &model.slot[best][c];

		wanted |= slot->present && model_leads_to(slot->group, tunnel, by_site);
	}
	EXPECT(vgw_select_source_ok(&gw, tunnel, &flow, by_site) == wanted);
	return 0;
}

/* Steps */

static void set_random_failure(void)
{
	alloc_fail_after = random_below(4) ? -1 : (long)random_below(30);
}

/* One route of a batch; *ret: the error that ends it, or 0. */
static int batch_step(struct vgw_route_batch *batch, int *ret)
{
	struct netlink_ext_ack extack = {};
	unsigned int i = random_below(PREFIXES), class = 1 + random_below(3);
	struct model_slot *slot = &model.slot[i][class - 1];
	unsigned int group = random_below(GROUPS);
	u8 on_fail = random_below(5) == 0;

	if (random_below(3) == 0) {
		*ret = vgw_route_batch_del(batch, &prefixes[i], class, &extack);
		EXPECT(*ret == -ENOMEM || *ret == (slot->present ? 0 : -ENOENT));
		EXPECT(!*ret || *ret == -ENOMEM || extack.text);
		if (!*ret)
			slot->present = false;
		return 0;
	}
	if (class > 1 && !model.group[group].there) {
		*ret = 0;
		return 0;
	}
	*ret = vgw_route_batch_add(batch, &prefixes[i], class, class > 1 ? group_of(group) : NULL,
				   on_fail, &extack);
	if (class == 3 && !(slot->present && slot->fresh) && model_fresh_dynamic() >= gw.quota) {
		EXPECT(*ret == -ENOSPC && extack.text);
		return 0;
	}
	EXPECT(!*ret || *ret == -ENOMEM);
	if (!*ret)
		*slot = (struct model_slot){ true, true, on_fail, group };
	return 0;
}

/* What a packet may have read before a change holds until the grace period is over. */
struct reader {
	u16 id[PREFIXES];
	struct vgw_slot slot[PREFIXES][VGW_N_CLASSES];
};

static void reader_begin(struct reader *reader)
{
	for (unsigned int i = 0; i < PREFIXES; i++) {
		reader->id[i] = vgw_lpm_lookup(gw.lpm[prefixes[i].table], &prefixes[i].key);
		if (reader->id[i])
			memcpy(reader->slot[i], vgw_chain_get(&gw, reader->id[i])->slot,
			       sizeof(reader->slot[i]));
	}
}

static int reader_check(const struct reader *reader)
{
	for (unsigned int i = 0; i < PREFIXES; i++) {
		const struct vgw_chain *chain = vgw_chain_get(&gw, reader->id[i]);

		EXPECT(!reader->id[i] == !chain);
		EXPECT(!chain || !memcmp(chain->slot, reader->slot[i], sizeof(reader->slot[i])));
	}
	return 0;
}

static int step_batch(void)
{
	static struct reader reader;
	unsigned int n = 1 + random_below(12);
	bool give_up = random_below(5) == 0;
	struct vgw_route_batch batch;
	__typeof__(model) before = model;
	int ret;

	reader_begin(&reader);
	set_random_failure();
	ret = vgw_route_batch_begin(&batch, &gw);
	if (ret) {
		EXPECT(ret == -ENOMEM);
		alloc_fail_after = -1;
		return 0;
	}
	while (n-- && !ret)
		if (batch_step(&batch, &ret))
			return 1;
	alloc_fail_after = -1;
	if (ret || give_up) {
		vgw_route_batch_abort(&batch);
		model = before;
	} else {
		vgw_route_batch_commit(&batch);
	}
	return reader_check(&reader);
}

static int policy_step(struct vgw_policy_batch *batch, int *ret)
{
	unsigned int i = random_below(POLICIES), group = random_below(GROUPS);
	struct model_policy *policy = &model.policy[i];
	struct netlink_ext_ack extack = {};
	struct vgw_policy wanted = policies[i];

	*ret = 0;
	if (random_below(3) == 0) {
		*ret = vgw_policy_batch_del(batch, prefixes[i].table, &wanted, &extack);
		EXPECT(*ret == -ENOMEM || *ret == (policy->present ? 0 : -ENOENT));
		EXPECT(!*ret || *ret == -ENOMEM || extack.text);
		policy->present &= !!*ret;
		return 0;
	}
	if (!model.group[group].there)
		return 0;
	wanted.group = group_of(group);
	wanted.on_fail = random_below(4) == 0;
	*ret = vgw_policy_batch_add(batch, prefixes[i].table, &wanted, &extack);
	EXPECT(!*ret || *ret == -ENOMEM);
	if (!*ret)
		*policy = (struct model_policy){ true, true, wanted.on_fail, group };
	return 0;
}

static int step_policies(void)
{
	unsigned int n = 1 + random_below(4);
	bool give_up = random_below(5) == 0;
	__typeof__(model) before = model;
	struct vgw_policy_batch batch;
	unsigned int table = random_below(2);
	struct vgw_policy_set *held = vgw_policy_set_of(&gw, table);
	unsigned int n_held = vgw_policy_set_count(held);
	int ret = 0;

	set_random_failure();
	vgw_policy_batch_begin(&batch, &gw);
	while (n-- && !ret)
		if (policy_step(&batch, &ret))
			return 1;
	if (ret || give_up)
		vgw_policy_batch_abort(&batch);
	else
		ret = vgw_policy_batch_commit(&batch);
	alloc_fail_after = -1;
	if (ret || give_up)
		model = before;
	/* A packet may still be reading the set that was replaced. */
	EXPECT(vgw_policy_set_count(held) == n_held);
	return 0;
}

static int step_group_set(void)
{
	unsigned int i = random_below(GROUPS), n = 0;
	struct model_group wanted = { .there = true, .fresh = true };
	struct vgw_tunnel *list[TUNNELS];
	struct netlink_ext_ack extack = {};
	int ret;

	for (unsigned int t = 0; t < TUNNELS; t++) {
		if (random_below(3))
			continue;
		wanted.member[n] = t;
		wanted.weight[n] = random_below(4) ? 1 + random_below(3) : 0;
		list[n++] = &tunnels[t];
	}
	if (!n)
		return 0;
	wanted.n = n;
	set_random_failure();
	ret = vgw_group_set(&gw, i + 1, list, wanted.weight, n, &extack);
	alloc_fail_after = -1;
	EXPECT(!ret || ret == -ENOMEM);
	if (!ret)
		model.group[i] = wanted;
	return 0;
}

static int step_group_del(void)
{
	unsigned int i = random_below(GROUPS);
	struct netlink_ext_ack extack = {};
	int ret;

	if (!model.group[i].there)
		return 0;
	ret = vgw_group_del(&gw, group_of(i), &extack);
	EXPECT(ret == (model_in_use(i) ? -EBUSY : 0));
	EXPECT(!ret || extack.text);
	if (!ret)
		model.group[i].there = false;
	return 0;
}

static int step_begin(void)
{
	vgw_generation_begin(&gw);
	for (unsigned int i = 0; i < PREFIXES; i++)
		for (unsigned int c = 0; c < VGW_N_CLASSES; c++)
			model.slot[i][c].fresh = false;
	for (unsigned int i = 0; i < POLICIES; i++)
		model.policy[i].fresh = false;
	for (unsigned int i = 0; i < GROUPS; i++)
		model.group[i].fresh = false;
	for (unsigned int i = 0; i < TUNNELS; i++)
		tunnels[i].mark = gw.parity;
	return 0;
}

/* Whatever a commit that failed has swept, all that was refreshed is there. */
static int check_refreshed(void)
{
	for (unsigned int i = 0; i < PREFIXES; i++) {
		struct vgw_lpm_value value;

		for (unsigned int c = 0; c < VGW_N_CLASSES; c++) {
			if (!model.slot[i][c].present || !model.slot[i][c].fresh)
				continue;
			EXPECT(vgw_lpm_get(gw.lpm[prefixes[i].table], &prefixes[i].key,
					   prefixes[i].len, &value));
			EXPECT(vgw_chain_get(&gw, value.nh)->slot[c].present);
			EXPECT(vgw_route_fresh(&gw, value.mark, c));
		}
	}
	for (unsigned int i = 0; i < GROUPS; i++)
		EXPECT(!model.group[i].there || group_of(i));
	EXPECT(gw.generation_open && gw.dynamic_fresh == model_fresh_dynamic());
	return 0;
}

/* A commit that runs out of memory is tried again, and ends the same. */
static int step_commit(void)
{
	int ret;

	if (!gw.generation_open)
		return 0;
	do {
		struct netlink_ext_ack extack = {};

		set_random_failure();
		ret = vgw_generation_commit(&gw, &extack);
		alloc_fail_after = -1;
		EXPECT(!ret == !extack.text);
		EXPECT(!ret || ret == -ENOMEM);
		if (ret && check_refreshed())
			return 1;
	} while (ret);
	for (unsigned int i = 0; i < PREFIXES; i++)
		for (unsigned int c = 0; c < VGW_N_CLASSES; c++)
			model.slot[i][c].present &= model.slot[i][c].fresh;
	for (unsigned int i = 0; i < POLICIES; i++)
		model.policy[i].present &= model.policy[i].fresh;
	for (unsigned int i = 0; i < GROUPS; i++)
		if (!model.group[i].fresh && !model_in_use(i))
			model.group[i].there = false;
	return 0;
}

/* Outside of a generation everything counts as fresh. */
static void model_settle(void)
{
	if (gw.generation_open)
		return;
	for (unsigned int i = 0; i < PREFIXES; i++)
		for (unsigned int c = 0; c < VGW_N_CLASSES; c++)
			model.slot[i][c].fresh = true;
	for (unsigned int i = 0; i < POLICIES; i++)
		model.policy[i].fresh = true;
	for (unsigned int i = 0; i < GROUPS; i++)
		model.group[i].fresh = true;
}

static int step_tunnel(void)
{
	tunnels[random_below(TUNNELS)].live = random_below(3) != 0;
	return 0;
}

static int step_quota(void)
{
	gw.quota = random_below(4) ? 12 : PREFIXES;
	return 0;
}

static int step_grace_period(void)
{
	rcu_flush();
	return 0;
}

static int step(void)
{
	switch (random_below(19)) {
	case 0: return step_begin();
	case 1: return step_commit();
	case 2: return step_group_del();
	case 3:
	case 4: return step_group_set();
	case 5:
	case 6: return step_tunnel();
	case 7: return step_quota();
	case 8: return step_grace_period();
	case 9:
	case 10: return step_policies();
	default: return step_batch();
	}
}

static int random_steps(void)
{
	for (unsigned int world = 0; world < 6 * rounds; world++) {
		if (world_make())
			return 1;
		for (unsigned int i = 0; i < 3000; i++) {
			model_settle();
			if (step())
				return 1;
			model_settle();
			if (check_counts())
				return 1;
			for (unsigned int j = 0; j < 8; j++)
				if (check_choice() || check_source())
					return 1;
		}
		if (world_free())
			return 1;
	}
	return 0;
}

/* The refused one changes nothing. */
static int policies_run_out(void)
{
	struct netlink_ext_ack extack = {};
	struct vgw_policy_batch batch;
	struct vgw_policy policy = {};
	struct vgw_tunnel *list[] = { &tunnels[0] };
	const u8 weight = 1;
	int ret = 0;

	if (world_make())
		return 1;
	EXPECT(!vgw_group_set(&gw, 1, list, &weight, 1, &extack));
	policy.group = group_of(0);
	vgw_policy_batch_begin(&batch, &gw);
	for (; policy.sequence < VGW_POLICIES_MAX; policy.sequence++)
		EXPECT(!vgw_policy_batch_add(&batch, policy.sequence & 1, &policy, &extack));
	EXPECT(!vgw_policy_batch_commit(&batch));
	EXPECT(gw.policy_count == VGW_POLICIES_MAX && group_of(0)->routes == VGW_POLICIES_MAX);
	vgw_policy_batch_begin(&batch, &gw);
	ret = vgw_policy_batch_add(&batch, 0, &policy, &extack);
	EXPECT(ret == -ENOSPC);
	EXPECT(!strcmp(extack.text, "gateway has its limit of policy routes"));
	vgw_policy_batch_abort(&batch);
	/* What is there may be replaced, and what goes makes room. */
	vgw_policy_batch_begin(&batch, &gw);
	policy.sequence = 0;
	EXPECT(!vgw_policy_batch_add(&batch, 0, &policy, &extack));
	EXPECT(!vgw_policy_batch_del(&batch, 0, &policy, &extack));
	policy.sequence = VGW_POLICIES_MAX;
	EXPECT(!vgw_policy_batch_add(&batch, 0, &policy, &extack));
	EXPECT(!vgw_policy_batch_commit(&batch));
	EXPECT(gw.policy_count == VGW_POLICIES_MAX);
	return world_free();
}

/* 65,535 different chains are all there can be; the refused one changes nothing. */
static int ids_run_out(void)
{
	struct netlink_ext_ack extack = {};
	struct vgw_route_batch batch;
	struct vgw_tunnel *list[] = { &tunnels[0] };
	const u8 weight = 1;
	unsigned int n = 0;
	int ret = 0;

	if (world_make())
		return 1;
	gw.quota = 0;
	for (unsigned int i = 0; i < 300; i++)
		EXPECT(!vgw_group_set(&gw, i + 1, list, &weight, 1, &extack));
	EXPECT(!vgw_route_batch_begin(&batch, &gw));
	while (!ret) {
		struct vgw_prefix prefix = { .len = 24, .key.addr = { 10 + (n >> 16), n >> 8, n } };

		ret = vgw_route_batch_add(&batch, &prefix, 2, group_of(n % 300), 0, &extack);
		if (!ret)
			ret = vgw_route_batch_add(&batch, &prefix, 3, group_of(n / 300), 0,
						  &extack);
		n++;
	}
	EXPECT(ret == -ENOSPC && n > 60000);
	EXPECT(!strcmp(extack.text, "out of next-hop ids: use fewer different groups"));
	vgw_route_batch_abort(&batch);
	rcu_flush();
	EXPECT(gw.routes == 0 && vgw_lpm_count(gw.lpm[0]) == 0);
	EXPECT(!vgw_route_batch_begin(&batch, &gw));
	EXPECT(!vgw_route_batch_add(&batch, &prefixes[0], 2, group_of(0), 0, &extack));
	vgw_route_batch_commit(&batch);
	EXPECT(gw.routes == 1);
	return world_free();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "random steps against the model", random_steps },
		{ "next-hop ids run out", ids_run_out },
		{ "policy routes run out", policies_run_out },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
