// SPDX-License-Identifier: GPL-2.0-only
#include "gateway.h"

#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "event.h"
#include "group.h"
#include "hook.h"
#include "port.h"
#include "tunnel.h"

unsigned int vgw_net_id;

static struct lock_class_key chains_lock_key;

struct vgw_net *vgw_net_get(struct net *net)
{
	return net_generic(net, vgw_net_id);
}

static int __net_init net_init(struct net *net)
{
	struct vgw_net *vnet = vgw_net_get(net);

	vnet->net = net;
	vnet->census_rest = jiffies;
	atomic_set(&vnet->unbound_gen, 1);
	vnet->objects_seq = 1;
	mutex_init(&vnet->lock);
	INIT_LIST_HEAD(&vnet->gateways);
	INIT_DELAYED_WORK(&vnet->audit, vgw_event_audit);
	return 0;
}

static void __net_exit net_exit(struct net *net)
{
	struct vgw_net *vnet = vgw_net_get(net);

	/* The devices are gone, so nobody starts it again. */
	cancel_delayed_work_sync(&vnet->audit);
	WARN_ON_ONCE(!list_empty(&vnet->gateways));
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
	.id = &vgw_net_id,
	.size = sizeof(struct vgw_net),
};

int vgw_net_init(void)
{
	return register_pernet_subsys(&net_ops);
}

void vgw_net_uninit(void)
{
	unregister_pernet_subsys(&net_ops);
}

static int tables_create(struct vgw_gateway *gw)
{
	for (unsigned int i = 0; i < 2; i++) {
		gw->lpm[i] = vgw_lpm_create(i ? 128 : 32);
		gw->guard[i] = vgw_lpm_create(i ? 128 : 32);
		if (!gw->lpm[i] || !gw->guard[i])
			return -ENOMEM;
	}
	gw->stats = vgw_stats_alloc();
	return gw->stats ? 0 : -ENOMEM;
}

static void tables_destroy(struct vgw_gateway *gw)
{
	for (unsigned int i = 0; i < 2; i++) {
		vgw_lpm_destroy(gw->lpm[i]);
		vgw_lpm_destroy(gw->guard[i]);
	}
	free_percpu(gw->stats);
}

/* The first gateway of a namespace brings the packet hooks, the last takes them away. */
static int net_join(struct vgw_gateway *gw)
{
	struct vgw_net *vnet = gw->vnet;
	int ret = 0;

	mutex_lock(&vnet->lock);
	if (vnet->gateway_count >= VGW_GATEWAYS_MAX)
		ret = -ENOSPC;
	if (!ret && !vnet->has_hooks) {
		ret = vgw_hook_register(vnet->net);
		vnet->has_hooks = !ret;
	}
	if (!ret) {
		WRITE_ONCE(vnet->gateway_count, vnet->gateway_count + 1);
		list_add_tail(&gw->list, &vnet->gateways);
		vgw_net_changed(vnet);
	}
	mutex_unlock(&vnet->lock);
	return ret;
}

int vgw_gateway_init(struct vgw_gateway *gw, struct net_device *dev)
{
	int ret;

	gw->dev = dev;
	gw->vnet = vgw_net_get(dev_net(dev));
	gw->generation = 1;
	gw->table_seq = 1;
	gw->mss_clamp = true;
	xa_init_flags(&gw->chains, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);
	/* RCU callbacks take it, and none of the other two: lockdep takes all three for one. */
	lockdep_set_class(&gw->chains.xa_lock, &chains_lock_key);
	xa_init(&gw->tunnels);
	xa_init(&gw->groups);
	xa_init(&gw->ports);
	ret = tables_create(gw);
	if (!ret)
		ret = net_join(gw);
	if (ret) {
		tables_destroy(gw);
		return ret;
	}
	pr_debug("%s: gateway created\n", dev->name);
	return 0;
}

void vgw_gateway_uninit(struct vgw_gateway *gw)
{
	struct vgw_net *vnet = gw->vnet;
	struct vgw_tunnel *tunnel;
	bool unhook;
	unsigned long id;

	mutex_lock(&vnet->lock);
	gw->dead = true;
	vgw_port_del_all(gw);
	/* No packet is in the device any more; hooks may still find the tunnels. */
	xa_for_each(&gw->tunnels, id, tunnel)
		vgw_tunnel_detach(tunnel);
	list_del(&gw->list);
	vgw_net_changed(vnet);
	WRITE_ONCE(vnet->gateway_count, vnet->gateway_count - 1);
	unhook = !vnet->gateway_count && vnet->has_hooks;
	if (unhook)
		vnet->has_hooks = false;
	if (unhook)
		vgw_hook_unregister(vnet->net);
	mutex_unlock(&vnet->lock);
}

void vgw_gateway_free(struct vgw_gateway *gw)
{
	struct vgw_net *vnet = gw->vnet;
	struct vgw_tunnel *tunnel;
	struct vgw_group *group;
	unsigned long id;

	mutex_lock(&vnet->lock);
	vgw_route_destroy_all(gw);
	vgw_policy_destroy_all(gw);
	xa_for_each(&gw->groups, id, group)
		vgw_group_destroy(gw, group);
	xa_for_each(&gw->tunnels, id, tunnel)
		vgw_tunnel_destroy(tunnel);
	mutex_unlock(&vnet->lock);
	xa_destroy(&gw->ports);
	xa_destroy(&gw->groups);
	xa_destroy(&gw->tunnels);
	xa_destroy(&gw->chains);
	tables_destroy(gw);
	pr_debug("%s: gateway destroyed\n", gw->dev->name);
}

static int guards_stage(struct vgw_lpm *lpm, struct vgw_lpm_txn *txn,
			const struct vgw_prefix *prefixes, unsigned int n)
{
	struct vgw_lpm_value value = { .nh = 1 };
	struct vgw_lpm_key key = {};
	u8 len = VGW_LPM_START;
	int ret = 0;

	while (!ret && vgw_lpm_next(lpm, &key, &len, &value))
		ret = vgw_lpm_txn_del(txn, &key, len);
	value = (struct vgw_lpm_value){ .nh = 1 };
	for (unsigned int i = 0; !ret && i < n; i++)
		ret = vgw_lpm_txn_set(txn, &prefixes[i].key, prefixes[i].len, value);
	return ret;
}

int vgw_gateway_set_guards(struct vgw_gateway *gw, const struct vgw_prefix *const prefixes[2],
			   const unsigned int n[2])
{
	struct vgw_lpm_txn *txn[2] = {};
	int ret = 0;

	lockdep_assert_held(&gw->vnet->lock);
	for (unsigned int i = 0; i < 2 && !ret; i++) {
		if (!prefixes[i])
			continue;
		txn[i] = vgw_lpm_txn_begin(gw->guard[i]);
		ret = txn[i] ? guards_stage(gw->guard[i], txn[i], prefixes[i], n[i]) : -ENOMEM;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (!txn[i])
			continue;
		if (!ret)
			vgw_lpm_txn_publish(txn[i]);
		vgw_lpm_txn_free(txn[i]);
	}
	return ret;
}
