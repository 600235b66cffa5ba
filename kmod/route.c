// SPDX-License-Identifier: GPL-2.0-only
#include "route.h"

#include <linux/jhash.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vgw.h>

#include "gateway.h"
#include "group.h"
#include "port.h"
#include "tunnel.h"

#define SLOT_DYNAMIC	(VGW_ROUTE_CLASS_DYNAMIC - 1)
/* Routes that one step of a sweep changes. */
#define SWEEP_STEP	512

struct vgw_chain *vgw_chain_get(const struct vgw_gateway *gw, u16 id)
{
	return xa_load((struct xarray *)&gw->chains, id);
}

static struct hlist_head *chain_bucket(struct vgw_gateway *gw, const struct vgw_slot *slots)
{
	u32 hash = 0;

	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		hash = jhash_3words(slots[i].group ? slots[i].group->id : 0, slots[i].present,
				    slots[i].on_fail, hash);
	return &gw->chain_hash[hash % VGW_CHAIN_BUCKETS];
}

static bool slots_equal(const struct vgw_slot *a, const struct vgw_slot *b)
{
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		if (a[i].group != b[i].group || a[i].present != b[i].present ||
		    a[i].on_fail != b[i].on_fail)
			return false;
	return true;
}

/*
 * A packet may have read the id from the table just before it was replaced. It
 * must still find this chain, and never another one under the same id.
 */
static void chain_free_rcu(struct rcu_head *head)
{
	struct vgw_chain *chain = container_of(head, struct vgw_chain, rcu);

	xa_erase_bh(&chain->gw->chains, chain->id);
	kfree(chain);
}

static void chain_put(struct vgw_gateway *gw, struct vgw_chain *chain)
{
	if (--chain->prefixes)
		return;
	hlist_del(&chain->hash);
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		if (chain->slot[i].group)
			chain->slot[i].group->chains--;
	call_rcu(&chain->rcu, chain_free_rcu);
}

static struct vgw_chain *chain_create(struct vgw_gateway *gw, const struct vgw_slot *slots,
				      struct netlink_ext_ack *extack)
{
	struct vgw_chain *chain = kzalloc(sizeof(*chain), GFP_KERNEL_ACCOUNT);
	u32 id;
	int ret;

	if (!chain)
		return ERR_PTR(-ENOMEM);
	chain->gw = gw;
	memcpy(chain->slot, slots, sizeof(chain->slot));
	ret = xa_alloc_bh(&gw->chains, &id, chain, XA_LIMIT(1, U16_MAX), GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(chain);
		if (ret == -EBUSY) {
			NL_SET_ERR_MSG(extack, "out of next-hop ids: use fewer different groups");
			ret = -ENOSPC;
		}
		return ERR_PTR(ret);
	}
	chain->id = id;
	hlist_add_head(&chain->hash, chain_bucket(gw, slots));
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		if (slots[i].group)
			slots[i].group->chains++;
	return chain;
}

/* The chain of these slots, with one more user. */
static struct vgw_chain *chain_intern(struct vgw_gateway *gw, const struct vgw_slot *slots,
				      struct netlink_ext_ack *extack)
{
	struct vgw_chain *chain;

	hlist_for_each_entry(chain, chain_bucket(gw, slots), hash)
		if (slots_equal(chain->slot, slots))
			goto found;
	chain = chain_create(gw, slots, extack);
	if (IS_ERR(chain))
		return chain;
found:
	chain->prefixes++;
	return chain;
}

bool vgw_route_fresh(const struct vgw_gateway *gw, u8 mark, unsigned int slot)
{
	return (mark >> slot & 1) == gw->parity;
}

int vgw_route_batch_begin(struct vgw_route_batch *batch, struct vgw_gateway *gw)
{
	lockdep_assert_held(&gw->vnet->lock);
	memset(batch, 0, sizeof(*batch));
	batch->gw = gw;
	batch->txn[0] = vgw_lpm_txn_begin(gw->lpm[0]);
	batch->txn[1] = vgw_lpm_txn_begin(gw->lpm[1]);
	if (batch->txn[0] && batch->txn[1])
		return 0;
	vgw_route_batch_abort(batch);
	return -ENOMEM;
}

/* What the prefix holds, as far as the batch got. */
static bool current_slots(struct vgw_route_batch *batch, const struct vgw_prefix *prefix,
			  struct vgw_slot *slots, u8 *mark)
{
	struct vgw_lpm_value value;

	if (!vgw_lpm_txn_get(batch->txn[prefix->table], &prefix->key, prefix->len, &value)) {
		memset(slots, 0, VGW_N_CLASSES * sizeof(*slots));
		*mark = 0;
		return false;
	}
	memcpy(slots, vgw_chain_get(batch->gw, value.nh)->slot, VGW_N_CLASSES * sizeof(*slots));
	*mark = value.mark;
	return true;
}

static int check_limits(struct vgw_route_batch *batch, unsigned int slot, bool present, bool fresh,
			struct netlink_ext_ack *extack)
{
	struct vgw_gateway *gw = batch->gw;

	/* While a generation is open only what it refreshed counts: a full table refills. */
	if (slot == SLOT_DYNAMIC && !(present && fresh) && gw->quota &&
	    gw->dynamic_fresh + batch->fresh >= gw->quota) {
		NL_SET_ERR_MSG(extack, "bgp table full");
		return -ENOSPC;
	}
	if (!present && gw->vnet->route_count + batch->routes >= VGW_ROUTES_MAX) {
		NL_SET_ERR_MSG(extack, "network namespace has its limit of routes");
		return -ENOSPC;
	}
	return 0;
}

static int stage(struct vgw_route_batch *batch, const struct vgw_prefix *prefix,
		 const struct vgw_slot *slots, u8 mark, struct netlink_ext_ack *extack)
{
	struct vgw_chain *chain = chain_intern(batch->gw, slots, extack);
	int ret;

	if (IS_ERR(chain))
		return PTR_ERR(chain);
	ret = vgw_lpm_txn_set(batch->txn[prefix->table], &prefix->key, prefix->len,
			      (struct vgw_lpm_value){ .nh = chain->id, .mark = mark });
	if (ret)
		chain_put(batch->gw, chain);
	return ret;
}

int vgw_route_batch_add(struct vgw_route_batch *batch, const struct vgw_prefix *prefix, u8 class,
			struct vgw_group *group, u8 on_fail, struct netlink_ext_ack *extack)
{
	struct vgw_gateway *gw = batch->gw;
	struct vgw_slot slots[VGW_N_CLASSES];
	unsigned int slot = class - 1;
	bool present, fresh;
	int ret;
	u8 mark;

	current_slots(batch, prefix, slots, &mark);
	present = slots[slot].present;
	fresh = present && vgw_route_fresh(gw, mark, slot);
	ret = check_limits(batch, slot, present, fresh, extack);
	if (ret)
		return ret;
	if (group && slots[slot].group)
		vgw_group_inherit(gw, group, slots[slot].group);
	slots[slot] = (struct vgw_slot){ .group = group, .present = true, .on_fail = on_fail };
	mark = (mark & ~(1 << slot)) | gw->parity << slot;
	ret = stage(batch, prefix, slots, mark, extack);
	if (ret)
		return ret;
	batch->routes += !present;
	if (slot == SLOT_DYNAMIC) {
		batch->dynamic += !present;
		batch->fresh += !fresh;
	}
	return 0;
}

int vgw_route_batch_del(struct vgw_route_batch *batch, const struct vgw_prefix *prefix, u8 class,
			struct netlink_ext_ack *extack)
{
	struct vgw_slot slots[VGW_N_CLASSES];
	unsigned int slot = class - 1;
	bool left = false;
	int ret;
	u8 mark;

	if (!current_slots(batch, prefix, slots, &mark) || !slots[slot].present) {
		NL_SET_ERR_MSG(extack, "no route with this prefix and class");
		return -ENOENT;
	}
	slots[slot] = (struct vgw_slot){};
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		left |= slots[i].present;
	if (left)
		ret = stage(batch, prefix, slots, mark, extack);
	else
		ret = vgw_lpm_txn_del(batch->txn[prefix->table], &prefix->key, prefix->len);
	if (ret)
		return ret;
	batch->routes--;
	if (slot == SLOT_DYNAMIC) {
		batch->dynamic--;
		batch->fresh -= vgw_route_fresh(batch->gw, mark, slot);
	}
	return 0;
}

static void count_slots(struct vgw_chain *chain, int by)
{
	for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
		if (chain->slot[i].group)
			chain->slot[i].group->routes += by;
}

static void change_counts(void *ctx, u16 before, u16 after)
{
	struct vgw_gateway *gw = ctx;

	if (after)
		count_slots(vgw_chain_get(gw, after), 1);
	if (before)
		count_slots(vgw_chain_get(gw, before), -1);
}

static void put_before(void *ctx, u16 before, u16 after)
{
	if (before)
		chain_put(ctx, vgw_chain_get(ctx, before));
}

static void put_after(void *ctx, u16 before, u16 after)
{
	if (after)
		chain_put(ctx, vgw_chain_get(ctx, after));
}

void vgw_route_batch_commit(struct vgw_route_batch *batch)
{
	struct vgw_gateway *gw = batch->gw;

	lockdep_assert_held(&gw->vnet->lock);
	for (unsigned int i = 0; i < 2; i++)
		vgw_lpm_txn_each(batch->txn[i], change_counts, gw);
	for (unsigned int i = 0; i < 2; i++)
		vgw_lpm_txn_publish(batch->txn[i]);
	for (unsigned int i = 0; i < 2; i++) {
		vgw_lpm_txn_each(batch->txn[i], put_before, gw);
		vgw_lpm_txn_free(batch->txn[i]);
	}
	gw->routes += batch->routes;
	gw->vnet->route_count += batch->routes;
	gw->dynamic_prefixes += batch->dynamic;
	gw->dynamic_fresh += batch->fresh;
	gw->table_seq = gw->table_seq + 1 ?: 1;
}

void vgw_route_batch_abort(struct vgw_route_batch *batch)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (!batch->txn[i])
			continue;
		vgw_lpm_txn_each(batch->txn[i], put_after, batch->gw);
		vgw_lpm_txn_free(batch->txn[i]);
	}
}

/* Marks everything that the table holds as not refreshed. */
static void make_stale(struct vgw_gateway *gw)
{
	u8 stale = gw->parity ? 0 : 0xff;

	for (unsigned int i = 0; i < 2; i++) {
		struct vgw_lpm_value value;
		struct vgw_lpm_key key = {};
		u8 len = VGW_LPM_START;

		while (vgw_lpm_next(gw->lpm[i], &key, &len, &value)) {
			vgw_lpm_mark(gw->lpm[i], &key, len, stale);
			cond_resched();
		}
	}
}

void vgw_generation_begin(struct vgw_gateway *gw)
{
	struct vgw_tunnel *tunnel;
	struct vgw_group *group;
	struct vgw_port *port;
	unsigned long id;

	lockdep_assert_held(&gw->vnet->lock);
	/* What a generation that never was committed refreshed counts for nothing. */
	if (gw->generation_open) {
		make_stale(gw);
		vgw_policy_make_stale(gw);
		xa_for_each(&gw->ports, id, port)
			port->mark = !gw->parity;
		xa_for_each(&gw->groups, id, group)
			group->mark = !gw->parity;
		xa_for_each(&gw->tunnels, id, tunnel)
			tunnel->mark = !gw->parity;
	} else {
		gw->parity = !gw->parity;
	}
	gw->generation_open = true;
	gw->generation++;
	gw->dynamic_fresh = 0;
}

/* Stages the removal of the entry's stale classes; their number or an error. */
static int sweep_entry(struct vgw_route_batch *batch, const struct vgw_prefix *prefix,
		       const struct vgw_lpm_value *value)
{
	const struct vgw_chain *chain = vgw_chain_get(batch->gw, value->nh);
	int swept = 0, ret;

	for (unsigned int i = 0; i < VGW_N_CLASSES; i++) {
		if (!chain->slot[i].present || vgw_route_fresh(batch->gw, value->mark, i))
			continue;
		ret = vgw_route_batch_del(batch, prefix, i + 1, NULL);
		if (ret)
			return ret;
		swept++;
	}
	return swept;
}

/* One bounded step from *prefix on; *more is false at the end of the table. */
static int sweep_step(struct vgw_gateway *gw, struct vgw_prefix *prefix, bool *more)
{
	struct vgw_route_batch batch;
	struct vgw_lpm_value value;
	int swept = 0, ret;

	ret = vgw_route_batch_begin(&batch, gw);
	if (ret)
		return ret;
	while (swept < SWEEP_STEP &&
	       (*more = vgw_lpm_next(gw->lpm[prefix->table], &prefix->key, &prefix->len, &value))) {
		ret = sweep_entry(&batch, prefix, &value);
		if (ret < 0) {
			vgw_route_batch_abort(&batch);
			return ret;
		}
		swept += ret;
		cond_resched();
	}
	vgw_route_batch_commit(&batch);
	return 0;
}

/* What is kept because it is in use is marked, or the next generation would take it for fresh. */
static void sweep_objects(struct vgw_gateway *gw)
{
	struct vgw_tunnel *tunnel;
	struct vgw_group *group;
	struct vgw_port *port;
	unsigned long id;

	xa_for_each(&gw->ports, id, port) {
		if (port->mark != gw->parity)
			vgw_port_del(port);
	}
	xa_for_each(&gw->groups, id, group) {
		if (group->mark != gw->parity && !group->chains)
			vgw_group_destroy(gw, group);
		else
			group->mark = gw->parity;
	}
	xa_for_each(&gw->tunnels, id, tunnel) {
		if (tunnel->mark != gw->parity && !tunnel->members)
			vgw_tunnel_destroy(tunnel);
		else
			tunnel->mark = gw->parity;
	}
}

static int sweep(struct vgw_gateway *gw)
{
	int ret = vgw_policy_sweep(gw);

	for (u8 table = 0; !ret && table < 2; table++) {
		struct vgw_prefix prefix = { .table = table, .len = VGW_LPM_START };
		bool more = true;

		while (!ret && more)
			ret = sweep_step(gw, &prefix, &more);
	}
	return ret;
}

int vgw_generation_commit(struct vgw_gateway *gw, struct netlink_ext_ack *extack)
{
	int ret;

	lockdep_assert_held(&gw->vnet->lock);
	ret = sweep(gw);
	if (ret) {
		NL_SET_ERR_MSG(extack, "out of memory: the generation stays open, commit it again");
		return ret;
	}
	sweep_objects(gw);
	gw->generation_open = false;
	gw->dynamic_fresh = gw->dynamic_prefixes;
	return 0;
}

void vgw_route_destroy_all(struct vgw_gateway *gw)
{
	struct vgw_chain *chain;
	unsigned long id;

	gw->vnet->route_count -= gw->routes;
	/* Chains that were put lately still erase themselves from the array. */
	rcu_barrier();
	xa_for_each(&gw->chains, id, chain) {
		for (unsigned int i = 0; i < VGW_N_CLASSES; i++)
			if (chain->slot[i].group)
				chain->slot[i].group->chains--;
		kfree(chain);
	}
}
