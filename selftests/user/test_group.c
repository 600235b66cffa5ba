// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group through changes of members, weights and of who is alive. Without an idle time
 * it is as one that was never changed; with it, each flow of a few is followed by a
 * naive model: it stays where it is until it was silent, or its tunnel is no choice.
 */
#include "harness.h"

#include <linux/kernel.h>

#include "gateway.h"
#include "group.h"
#include "tunnel.h"

#define TUNNELS		12
#define FLOWS		200	/* in buckets of their own, as the smallest table has 256 */

struct flow {
	u32 hash;
	struct vgw_tunnel *held;	/* by the change before, NULL: nobody */
	unsigned long last;
};

struct content {
	struct vgw_tunnel *tunnel[TUNNELS];
	u8 weight[TUNNELS];
	unsigned int n;
};

static struct vgw_net vnet;
static struct vgw_gateway gw;
static struct net_device device;
static struct vgw_tunnel tunnels[TUNNELS];
static struct flow flows[FLOWS];
static struct netlink_ext_ack extack;
static u32 group_id;

static int world_make(u32 idle)
{
	memset(&vnet, 0, sizeof(vnet));
	memset(&gw, 0, sizeof(gw));
	memset(tunnels, 0, sizeof(tunnels));
	gw.vnet = &vnet;
	gw.dev = &device;
	gw.hash_idle = idle;
	xa_init(&gw.groups);
	for (unsigned int i = 0; i < TUNNELS; i++)
		tunnels[i] = (struct vgw_tunnel){ .gw = &gw, .id = 100 + i, .live = true };
	for (unsigned int i = 0; i < FLOWS; i++)
		flows[i] = (struct flow){ .hash = random_below(1 << 20) << 8 | i };
	group_id = 0;
	jiffies = (1ul << 32) - 20000;	/* it wraps on the way */
	return 0;
}

static struct vgw_group *group(void)
{
	return xa_load(&gw.groups, group_id);
}

static int world_free(void)
{
	vgw_group_destroy(&gw, group());
	xa_destroy(&gw.groups);
	rcu_flush();
	EXPECT(!gw.kept_groups && !vnet.group_count && !alloc_live);
	return 0;
}

/* The first tunnel is always there, and always alive: somebody carries each flow. */
static struct content content_make(void)
{
	struct content content = {};

	for (unsigned int i = 0; i < TUNNELS; i++) {
		if (i && random_below(2))
			continue;
		content.tunnel[content.n] = &tunnels[i];
		content.weight[content.n++] = random_below(4) ? 1 + random_below(5) : 0;
	}
	return content;
}

static struct vgw_tunnel *pick(struct vgw_group *from, u32 hash)
{
	u32 bucket;

	return vgw_group_pick(from, hash, NULL, 0, &bucket);
}

/* A group whose members have been these for ever. */
static struct vgw_group *fresh_group(struct content *content)
{
	u32 idle = gw.hash_idle;

	gw.hash_idle = 0;
	if (vgw_group_set(&gw, 60000, content->tunnel, content->weight, content->n, &extack))
		abort();
	gw.hash_idle = idle;
	return xa_load(&gw.groups, 60000);
}

static bool is_member(const struct content *content, const struct vgw_tunnel *tunnel)
{
	for (unsigned int i = 0; i < content->n; i++)
		if (content->tunnel[i] == tunnel)
			return true;
	return false;
}

static bool holds(const struct flow *flow)
{
	return flow->held && jiffies - flow->last < gw.hash_idle;
}

/* Where flows go while everybody is alive. */
static void homes_of(struct content *content, struct vgw_tunnel **home)
{
	struct vgw_group *fresh = fresh_group(content);
	bool live[TUNNELS];

	for (unsigned int i = 0; i < TUNNELS; i++) {
		live[i] = tunnels[i].live;
		tunnels[i].live = true;
	}
	for (unsigned int i = 0; i < FLOWS; i++)
		home[i] = pick(fresh, flows[i].hash);
	for (unsigned int i = 0; i < TUNNELS; i++)
		tunnels[i].live = live[i];
}

static void model_change(struct content *old, struct content *content)
{
	struct vgw_tunnel *home[FLOWS];
	struct vgw_group *fresh;

	homes_of(content, home);
	fresh = fresh_group(old);

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow *flow = &flows[i];

		if (!holds(flow) || !flow->held->live) {
			flow->held = pick(fresh, flow->hash);
			flow->last = jiffies;
		}
		/* Who is at home needs nothing to stay there. */
		if (!is_member(content, flow->held) || flow->held == home[i])
			flow->held = NULL;
	}
}

/* In place, or by a new group that a route goes over to. */
static int change(struct content *old, bool in_place)
{
	struct content content = content_make();
	struct vgw_group *before = group();

	if (in_place && !memcmp(old, &content, sizeof(content)))
		return 0;
	model_change(old, &content);
	if (!in_place)
		group_id = group_id % 50000 + 1;
	EXPECT(!vgw_group_set(&gw, group_id, content.tunnel, content.weight, content.n, &extack));
	if (!in_place) {
		vgw_group_inherit(&gw, group(), before);
		group()->chains = 1;
		vgw_group_destroy(&gw, before);
	}
	*old = content;
	return 0;
}

static int packet(struct content *content)
{
	struct flow *flow = &flows[random_below(FLOWS)];
	struct vgw_tunnel *seen = pick(group(), flow->hash);

	if (holds(flow) && flow->held->live) {
		EXPECT(seen == flow->held);
		flow->last = jiffies;
	} else {
		EXPECT(seen == pick(fresh_group(content), flow->hash));
		flow->held = NULL;
	}
	EXPECT(pick(group(), flow->hash) == seen);
	vgw_group_used(group(), flow->hash, seen);
	return 0;
}

static int live_flows_stay(void)
{
	for (unsigned int round = 0; round < 20 * rounds; round++) {
		struct content content = content_make();
		struct vgw_tunnel *tunnel;

		world_make(1000);
		group_id = 1;
		EXPECT(!vgw_group_set(&gw, 1, content.tunnel, content.weight, content.n, &extack));
		group()->chains = 1;
		for (unsigned int step = 0; step < 2000; step++) {
			switch (random_below(40)) {
			case 0:
				if (change(&content, random_below(2)))
					return 1;
				break;
			case 1:
				tunnel = &tunnels[1 + random_below(TUNNELS - 1)];
				tunnel->live = !tunnel->live;
				break;
			case 2:
				vgw_group_settle(&gw);
				break;
			case 3:
				jiffies += random_below(1200);
				break;
			default:
				jiffies += random_below(12);
				if (packet(&content))
					return 1;
			}
		}
		vgw_group_destroy(&gw, fresh_group(&content));
		if (world_free())
			return 1;
	}
	return 0;
}

/* Silent flows are counted as moved, and nothing is left of them. */
static int all_is_forgotten(void)
{
	struct content content = { .tunnel = { &tunnels[0], &tunnels[1] }, .weight = { 1, 1 } };

	world_make(1000);
	group_id = 1;
	EXPECT(!vgw_group_set(&gw, 1, content.tunnel, content.weight, 2, &extack));
	content.weight[0] = 3;
	EXPECT(!vgw_group_set(&gw, 1, content.tunnel, content.weight, 2, &extack));
	EXPECT(vgw_group_kept(group()) >= 64 && vgw_group_kept(group()) < 128 && gw.kept_groups);
	vgw_group_settle(&gw);
	EXPECT(gw.kept_groups == 1);
	jiffies += 1000;
	EXPECT(!vgw_group_kept(group()));
	vgw_group_settle(&gw);
	EXPECT(!gw.kept_groups);
	return world_free();
}

static int no_idle_no_history(void)
{
	struct content content = content_make();

	world_make(0);
	group_id = 1;
	for (unsigned int step = 0; step < 300 * rounds; step++) {
		struct vgw_group *fresh;

		for (unsigned int i = 1; i < TUNNELS; i++)
			tunnels[i].live = random_below(3);
		content = content_make();
		EXPECT(!vgw_group_set(&gw, 1, content.tunnel, content.weight, content.n, &extack));
		if (step % 10 == 0 && xa_load(&gw.groups, 60000))
			vgw_group_destroy(&gw, xa_load(&gw.groups, 60000));
		fresh = fresh_group(&content);
		for (unsigned int i = 0; i < FLOWS; i++) {
			struct vgw_tunnel *seen = pick(group(), flows[i].hash);

			EXPECT(seen && seen->live && is_member(&content, seen));
			EXPECT(seen == pick(fresh, flows[i].hash));
		}
		EXPECT(!gw.kept_groups);
		rcu_flush();
	}
	vgw_group_destroy(&gw, xa_load(&gw.groups, 60000));
	return world_free();
}

/* A loss moves the lost member's flows, a return brings back the map, also through changes. */
static int return_restores(void)
{
	static struct vgw_tunnel *before[4096];

	world_make(0);
	group_id = 1;
	for (unsigned int step = 0; step < 200 * rounds; step++) {
		struct content content = content_make();
		struct vgw_tunnel *lost = &tunnels[1 + random_below(TUNNELS - 1)];
		bool weighted = false;

		EXPECT(!vgw_group_set(&gw, 1, content.tunnel, content.weight, content.n, &extack));
		for (u32 h = 0; h < 4096; h++)
			before[h] = pick(group(), h);
		lost->live = false;
		for (unsigned int i = 0; i < content.n; i++)
			weighted |= content.weight[i] && content.tunnel[i] != lost;
		for (u32 h = 0; h < 4096; h++) {
			struct vgw_tunnel *now = pick(group(), h);

			EXPECT(now != lost && (before[h] == lost || now == before[h] || !weighted));
		}
		lost->live = true;
		for (u32 h = 0; h < 4096; h++)
			EXPECT(pick(group(), h) == before[h]);
		rcu_flush();
	}
	return world_free();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "without an idle time history does not count", no_idle_no_history },
		{ "a loss moves its own flows, a return all of them back", return_restores },
		{ "with it live flows stay until they are silent", live_flows_stay },
		{ "and what was kept is forgotten", all_is_forgotten },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
