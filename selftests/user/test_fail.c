// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of each change of routes, policy routes and groups fails in turn: the change is
 * refused, and nothing is other than before. And the limits of a namespace.
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
#define GROUPS		6
#define TUNNELS		9
#define POLICIES	10

static struct vgw_prefix prefixes[PREFIXES];
/* dst is prefixes[] of the same index. */
static struct vgw_policy policies[POLICIES];
static struct vgw_tunnel tunnels[TUNNELS];
static struct net_device device = { .name = "vgw0", .ifindex = 1 };
static struct vgw_net vnet;
static struct vgw_gateway gw;

void vgw_tunnel_destroy(struct vgw_tunnel *tunnel)
{
	printf("# tunnel %u was destroyed\n", tunnel->id);
	exit(1);
}

void vgw_port_del(struct vgw_port *port)
{
	printf("# a port was deleted\n");
	exit(1);
}

static struct vgw_group *group_of(unsigned int i)
{
	return xa_load(&gw.groups, i + 1);
}

/* Every second one is IPv6. Lengths of all sorts, some of them nested. */
static void prefixes_make(void)
{
	memset(prefixes, 0, sizeof(prefixes));
	for (unsigned int i = 0; i < PREFIXES; i++) {
		prefixes[i].table = i & 1;
		prefixes[i].len = 4 + i / 2;
		prefixes[i].key.addr[0] = 0x10 * (i % 12);
		if (prefixes[i].len > 15)
			prefixes[i].key.addr[1] = 2 * i;
	}
	memset(policies, 0, sizeof(policies));
	for (unsigned int i = 0; i < POLICIES; i++) {
		policies[i].dst = prefixes[i].key;
		policies[i].dst_len = prefixes[i].len;
		policies[i].sequence = i;
	}
}

static int world_make(void)
{
	prefixes_make();
	memset(&vnet, 0, sizeof(vnet));
	memset(&gw, 0, sizeof(gw));
	memset(tunnels, 0, sizeof(tunnels));
	gw.dev = &device;
	gw.vnet = &vnet;
	xa_init(&gw.chains);
	xa_init(&gw.tunnels);
	xa_init(&gw.ports);
	xa_init(&gw.groups);
	for (unsigned int i = 0; i < 2; i++) {
		gw.lpm[i] = vgw_lpm_create(i ? 128 : 32);
		gw.guard[i] = vgw_lpm_create(i ? 128 : 32);
	}
	for (unsigned int i = 0; i < TUNNELS; i++) {
		tunnels[i].gw = &gw;
		tunnels[i].id = 100 + i;
		tunnels[i].live = true;
		EXPECT(!xa_store(&gw.tunnels, tunnels[i].id, &tunnels[i], 0));
	}
	return 0;
}

static int world_free(void)
{
	struct vgw_group *group;
	unsigned long id;

	vgw_route_destroy_all(&gw);
	vgw_policy_destroy_all(&gw);
	xa_for_each(&gw.groups, id, group)
		vgw_group_destroy(&gw, group);
	for (unsigned int i = 0; i < TUNNELS; i++)
		EXPECT(tunnels[i].members == 0);
	rcu_flush();
	for (unsigned int i = 0; i < 2; i++) {
		vgw_lpm_destroy(gw.lpm[i]);
		vgw_lpm_destroy(gw.guard[i]);
	}
	xa_destroy(&gw.chains);
	xa_destroy(&gw.tunnels);
	xa_destroy(&gw.ports);
	xa_destroy(&gw.groups);
	EXPECT(alloc_live == 0);
	return 0;
}

/* All that a change may touch, and a change that was refused may not. */
struct snapshot {
	struct vgw_slot slot[PREFIXES][VGW_N_CLASSES];
	u8 mark[PREFIXES];
	struct vgw_policy policy[2][POLICIES];
	u32 n_policies[2];
	struct {
		u32 routes;
		bool in_use;		/* chains that wait for a grace period count no more */
		u8 mark;
		struct vgw_group_map map;
	} group[GROUPS];
	u32 routes, policies, dynamic, fresh, groups, table_seq, net_routes;
	size_t count[2];
	u16 found[PREFIXES];
	unsigned int members[TUNNELS];
};

static void snapshot_groups(struct snapshot *now)
{
	for (unsigned int i = 0; i < GROUPS; i++) {
		const struct vgw_group *group = group_of(i);

		if (!group)
			continue;
		now->group[i].routes = group->routes;
		now->group[i].in_use = group->chains;
		now->group[i].mark = group->mark;
		memcpy(&now->group[i].map, group->map, sizeof(*group->map));
	}
	for (unsigned int i = 0; i < TUNNELS; i++)
		now->members[i] = tunnels[i].members;
}

static void snapshot_take(struct snapshot *now)
{
	struct vgw_lpm_value value;

	memset(now, 0, sizeof(*now));
	for (unsigned int i = 0; i < PREFIXES; i++) {
		struct vgw_lpm *lpm = gw.lpm[prefixes[i].table];

		now->found[i] = vgw_lpm_lookup(lpm, &prefixes[i].key);
		if (!vgw_lpm_get(lpm, &prefixes[i].key, prefixes[i].len, &value))
			continue;
		memcpy(now->slot[i], vgw_chain_get(&gw, value.nh)->slot, sizeof(now->slot[i]));
		now->mark[i] = value.mark;
	}
	for (unsigned int table = 0; table < 2; table++) {
		struct vgw_policy_set *set = vgw_policy_set_of(&gw, table);

		now->count[table] = vgw_lpm_count(gw.lpm[table]);
		now->n_policies[table] = vgw_policy_set_count(set);
		for (u32 i = 0; i < now->n_policies[table]; i++)
			memcpy(&now->policy[table][i], vgw_policy_set_at(set, i),
			       sizeof(now->policy[table][i]));
	}
	snapshot_groups(now);
	now->routes = gw.routes;
	now->policies = gw.policy_count;
	now->dynamic = gw.dynamic_prefixes;
	now->fresh = gw.dynamic_fresh;
	now->groups = gw.group_count;
	now->table_seq = gw.table_seq;
	now->net_routes = vnet.route_count;
}

/* The changes: each is refused as a whole, or done. */

static int change_routes(bool add, unsigned int first)
{
	struct netlink_ext_ack extack = {};
	struct vgw_route_batch batch;
	int ret = vgw_route_batch_begin(&batch, &gw);

	if (ret)
		return ret;
	for (unsigned int i = first; i < PREFIXES && !ret; i += 2) {
		u8 class = 2 + (i / 2) % 2;

		ret = add ? vgw_route_batch_add(&batch, &prefixes[i], class, group_of(i % 3), 0,
						&extack) :
			    vgw_route_batch_del(&batch, &prefixes[i], class, &extack);
	}
	if (ret)
		vgw_route_batch_abort(&batch);
	else
		vgw_route_batch_commit(&batch);
	return ret;
}

static int change_add4(void) { return change_routes(true, 0); }
static int change_add6(void) { return change_routes(true, 1); }
static int change_del4(void) { return change_routes(false, 0); }
static int change_del6(void) { return change_routes(false, 1); }

static int change_policies(bool add)
{
	struct netlink_ext_ack extack = {};
	struct vgw_policy_batch batch;
	int ret = 0;

	vgw_policy_batch_begin(&batch, &gw);
	for (unsigned int i = 0; i < POLICIES && !ret; i++) {
		struct vgw_policy policy = policies[i];

		policy.group = group_of(i % 3);
		ret = add ? vgw_policy_batch_add(&batch, prefixes[i].table, &policy, &extack) :
			    vgw_policy_batch_del(&batch, prefixes[i].table, &policy, &extack);
	}
	if (!ret)
		return vgw_policy_batch_commit(&batch);
	vgw_policy_batch_abort(&batch);
	return ret;
}

static int change_add_policies(void) { return change_policies(true); }
static int change_del_policies(void) { return change_policies(false); }

static int change_group(unsigned int i, unsigned int n)
{
	struct vgw_tunnel *list[TUNNELS];
	struct netlink_ext_ack extack = {};
	const u8 weight[TUNNELS] = { 1, 2, 1, 1, 1, 1, 1, 1, 1 };

	for (unsigned int t = 0; t < n; t++)
		list[t] = &tunnels[t];
	return vgw_group_set(&gw, i + 1, list, weight, n, &extack);
}

static int change_add_group(void) { return change_group(5, 2); }
static int change_members(void) { return change_group(0, 5); }

/* With each allocation failing in turn, until it needs none that was not tried. */
static int fail_each(const char *name, int (*change)(void))
{
	static struct snapshot before, after;
	unsigned int refused = 0;
	bool met = true;

	for (long nth = 0; met; nth++) {
		long live;
		int ret;

		rcu_flush();
		snapshot_take(&before);
		live = alloc_live;
		alloc_fail_after = nth;
		ret = change();
		met = alloc_fail_after < 0;
		alloc_fail_after = -1;
		EXPECT(!ret || (ret == -ENOMEM && met));
		if (!ret)
			break;
		refused++;
		snapshot_take(&after);
		EXPECT(!memcmp(&before, &after, sizeof(before)));
		rcu_flush();
		EXPECT(alloc_live == live);
	}
	EXPECT(refused);
	printf("# %s: %u allocations failed in turn\n", name, refused);
	return 0;
}

/* Packets find what people are told, also where memory for the fast plane was missing. */
static int check_found(unsigned int routes, unsigned int with_policies)
{
	EXPECT(gw.routes == routes && vnet.route_count == routes);
	EXPECT(gw.policy_count == with_policies && vnet.policy_count == with_policies);
	for (unsigned int i = 0; i < PREFIXES; i++) {
		struct vgw_flow flow = { .family = prefixes[i].table ? AF_INET6 : AF_INET };
		struct vgw_choice choice, told;

		memcpy(&flow.dst, prefixes[i].key.addr, prefixes[i].table ? 16 : 4);
		vgw_select(&gw, &flow, i, NULL, &choice);
		vgw_select_explain(&gw, &flow, i, NULL, &told);
		EXPECT(choice.verdict == told.verdict && choice.tunnel == told.tunnel);
		EXPECT(choice.policy == told.policy && choice.group == told.group);
		EXPECT(!routes || choice.verdict == VGW_VERDICT_TUNNEL);
	}
	return 0;
}

static int allocations_fail(void)
{
	if (world_make())
		return 1;
	for (unsigned int i = 0; i < 3; i++)
		EXPECT(!change_group(i, 2));
	if (fail_each("group-set, new", change_add_group) ||
	    fail_each("group-set, other members", change_members) ||
	    fail_each("route-add, IPv4", change_add4) ||
	    fail_each("route-add, IPv6", change_add6) || check_found(PREFIXES, 0) ||
	    fail_each("policy-route-add", change_add_policies) ||
	    check_found(PREFIXES, POLICIES) ||
	    fail_each("route-add, again", change_add4) ||
	    fail_each("policy-route-del", change_del_policies) || check_found(PREFIXES, 0) ||
	    fail_each("route-del, IPv4", change_del4) ||
	    fail_each("route-del, IPv6", change_del6) || check_found(0, 0))
		return 1;
	return world_free();
}

/* A namespace has limits of its own, whatever its gateways have. */
static int limits_hold(void)
{
	struct netlink_ext_ack extack = {};
	struct vgw_route_batch batch;
	struct vgw_policy_batch policy_batch;
	struct vgw_tunnel *list[] = { &tunnels[0] };
	const u8 weight = 1;

	if (world_make())
		return 1;
	vnet.group_count = VGW_GROUPS_MAX - 1;
	EXPECT(!vgw_group_set(&gw, 1, list, &weight, 1, &extack));
	EXPECT(vgw_group_set(&gw, 2, list, &weight, 1, &extack) == -ENOSPC);
	EXPECT(!strcmp(extack.text, "network namespace has its limit of groups"));
	EXPECT(!vgw_group_set(&gw, 1, list, &weight, 1, &extack));
	vnet.group_count = 1;
	vnet.route_count = VGW_ROUTES_MAX - 1;
	EXPECT(!vgw_route_batch_begin(&batch, &gw));
	EXPECT(!vgw_route_batch_add(&batch, &prefixes[0], 2, group_of(0), 0, &extack));
	EXPECT(!vgw_route_batch_add(&batch, &prefixes[0], 2, group_of(0), 1, &extack));
	EXPECT(vgw_route_batch_add(&batch, &prefixes[1], 2, group_of(0), 0, &extack) == -ENOSPC);
	EXPECT(!strcmp(extack.text, "network namespace has its limit of routes"));
	vgw_route_batch_abort(&batch);
	vnet.route_count = 0;
	vnet.policy_count = VGW_NET_POLICIES_MAX;
	vgw_policy_batch_begin(&policy_batch, &gw);
	EXPECT(vgw_policy_batch_add(&policy_batch, 0, &policies[0], &extack) == -ENOSPC);
	EXPECT(!strcmp(extack.text, "network namespace has its limit of policy routes"));
	vgw_policy_batch_abort(&policy_batch);
	vnet.policy_count = 0;
	return world_free();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "each allocation of each change fails", allocations_fail },
		{ "a namespace has limits", limits_hold },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
