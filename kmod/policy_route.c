// SPDX-License-Identifier: GPL-2.0-only
#include "policy_route.h"

#include <linux/err.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/vgw.h>

#include "gateway.h"
#include "group.h"

struct vgw_policy_set *vgw_policy_set_of(struct vgw_gateway *gw, unsigned int table)
{
	return rcu_dereference_protected(gw->policies[table], lockdep_is_held(&gw->vnet->lock));
}

void vgw_policy_batch_begin(struct vgw_policy_batch *batch, struct vgw_gateway *gw)
{
	lockdep_assert_held(&gw->vnet->lock);
	memset(batch, 0, sizeof(*batch));
	batch->gw = gw;
}

static int touch(struct vgw_policy_batch *batch, unsigned int table)
{
	if (batch->txn[table].list)
		return 0;
	return vgw_policy_txn_begin(&batch->txn[table], vgw_policy_set_of(batch->gw, table),
				    table ? 128 : 32);
}

static int check_limits(const struct vgw_policy_batch *batch, struct netlink_ext_ack *extack)
{
	const struct vgw_gateway *gw = batch->gw;

	if (gw->policy_count + batch->added >= VGW_POLICIES_MAX) {
		NL_SET_ERR_MSG(extack, "gateway has its limit of policy routes");
		return -ENOSPC;
	}
	if (gw->vnet->policy_count + batch->added >= VGW_NET_POLICIES_MAX) {
		NL_SET_ERR_MSG(extack, "network namespace has its limit of policy routes");
		return -ENOSPC;
	}
	return 0;
}

int vgw_policy_batch_add(struct vgw_policy_batch *batch, unsigned int table,
			 const struct vgw_policy *policy, struct netlink_ext_ack *extack)
{
	struct vgw_policy fresh = *policy;
	bool present;
	int ret;

	ret = touch(batch, table);
	if (ret)
		return ret;
	present = vgw_policy_txn_get(&batch->txn[table], policy);
	if (!present) {
		ret = check_limits(batch, extack);
		if (ret)
			return ret;
	}
	fresh.mark = batch->gw->parity;
	ret = vgw_policy_txn_set(&batch->txn[table], &fresh);
	if (!ret)
		batch->added += !present;
	return ret;
}

int vgw_policy_batch_del(struct vgw_policy_batch *batch, unsigned int table,
			 const struct vgw_policy *name, struct netlink_ext_ack *extack)
{
	int ret;

	ret = touch(batch, table);
	if (ret)
		return ret;
	ret = vgw_policy_txn_del(&batch->txn[table], name);
	if (ret)
		NL_SET_ERR_MSG(extack, "no policy route with this priority, sequence and prefixes");
	else
		batch->added--;
	return ret;
}

/* A group's share of the routes that lead to it, and what keeps it from being deleted. */
static void count_groups(struct vgw_policy_set *set, int by)
{
	for (u32 i = 0; i < vgw_policy_set_count(set); i++) {
		struct vgw_group *group = vgw_policy_set_at(set, i)->group;

		group->chains += by;
		group->routes += by;
	}
}

static void publish(struct vgw_gateway *gw, unsigned int table, struct vgw_policy_set *set)
{
	struct vgw_policy_set *old = vgw_policy_set_of(gw, table);

	count_groups(set, 1);
	count_groups(old, -1);
	rcu_assign_pointer(gw->policies[table], set);
	vgw_policy_set_retire(old);
}

void vgw_policy_batch_abort(struct vgw_policy_batch *batch)
{
	for (unsigned int i = 0; i < 2; i++)
		vgw_policy_txn_end(&batch->txn[i]);
}

int vgw_policy_batch_commit(struct vgw_policy_batch *batch)
{
	struct vgw_policy_set *set[2] = {};
	struct vgw_gateway *gw = batch->gw;
	int ret = 0;

	lockdep_assert_held(&gw->vnet->lock);
	for (unsigned int i = 0; i < 2 && !ret; i++) {
		if (!batch->txn[i].list)
			continue;
		set[i] = vgw_policy_txn_build(&batch->txn[i]);
		if (IS_ERR(set[i])) {
			ret = PTR_ERR(set[i]);
			set[i] = NULL;
		}
	}
	if (ret) {
		vgw_policy_set_destroy(set[0]);
		vgw_policy_batch_abort(batch);
		return ret;
	}
	for (unsigned int i = 0; i < 2; i++)
		if (batch->txn[i].list)
			publish(gw, i, set[i]);
	gw->policy_count += batch->added;
	gw->vnet->policy_count += batch->added;
	gw->table_seq = gw->table_seq + 1 ?: 1;
	vgw_policy_batch_abort(batch);
	return 0;
}

/* Generations */

void vgw_policy_make_stale(struct vgw_gateway *gw)
{
	for (unsigned int table = 0; table < 2; table++) {
		struct vgw_policy_set *set = vgw_policy_set_of(gw, table);

		for (u32 i = 0; i < vgw_policy_set_count(set); i++)
			vgw_policy_set_at(set, i)->mark = !gw->parity;
	}
}

int vgw_policy_sweep(struct vgw_gateway *gw)
{
	struct vgw_policy_batch batch;
	bool swept = false;
	int ret = 0;

	vgw_policy_batch_begin(&batch, gw);
	for (unsigned int table = 0; table < 2 && !ret; table++) {
		struct vgw_policy_set *set = vgw_policy_set_of(gw, table);

		for (u32 i = 0; i < vgw_policy_set_count(set) && !ret; i++) {
			const struct vgw_policy *policy = vgw_policy_set_at(set, i);

			if (policy->mark == gw->parity)
				continue;
			ret = vgw_policy_batch_del(&batch, table, policy, NULL);
			swept = true;
			cond_resched();
		}
	}
	if (!ret && swept)
		return vgw_policy_batch_commit(&batch);
	vgw_policy_batch_abort(&batch);
	return ret;
}

void vgw_policy_destroy_all(struct vgw_gateway *gw)
{
	gw->vnet->policy_count -= gw->policy_count;
	for (unsigned int i = 0; i < 2; i++) {
		count_groups(vgw_policy_set_of(gw, i), -1);
		vgw_policy_set_destroy(vgw_policy_set_of(gw, i));
	}
}
