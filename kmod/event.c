// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key manager's callbacks may run in softirq with the SA's lock held, and
 * the SA they get may be a dead copy, so they judge nothing: they name the
 * tunnel whose truth may have changed, and the audit finds the truth by the
 * lookup that a packet would do.
 */
#include "event.h"

#include <linux/netdevice.h>
#include <linux/vgw.h>
#include <linux/workqueue.h>
#include <net/xfrm.h>

#include "bundle.h"
#include "census.h"
#include "gateway.h"
#include "group.h"
#include "port.h"
#include "tunnel.h"
#include "unbound.h"

/* Dead tunnels are looked at in every round, living ones in every tenth. */
#define AUDIT_PERIOD	HZ
#define AUDIT_LIVE_EVERY	10
/* A storm of policies: counting them again takes at most a part of the time. */
#define CENSUS_REST	10

void vgw_event_kick(struct vgw_net *vnet)
{
	mod_delayed_work(system_wq, &vnet->audit, 0);
}

void vgw_event_count(struct vgw_net *vnet)
{
	WRITE_ONCE(vnet->count_rules, true);
	vgw_event_kick(vnet);
}

/* True if one is due that has to wait. */
static bool take_census(struct vgw_net *vnet)
{
	unsigned long begin = jiffies;

	if (!READ_ONCE(vnet->count_rules))
		return false;
	if (time_before(begin, vnet->census_rest))
		return true;
	/* Before the first look, with vgw_bundle_void(): who sets it later wants another count. */
	smp_store_mb(vnet->count_rules, false);
	vgw_census_take(vnet);
	vnet->census_rest = jiffies + (jiffies - begin) * CENSUS_REST;
	return false;
}

static bool audit_due(struct vgw_tunnel *tunnel, bool all)
{
	bool told = READ_ONCE(tunnel->recheck);

	/* Before the look that follows: what is set in between is seen, not lost. */
	if (told)
		smp_store_mb(tunnel->recheck, false); /* with vgw_bundle_void() */
	if (told || all)
		vgw_bundle_sweep(&tunnel->bundles);
	return told || all || !vgw_tunnel_live(tunnel) || !tunnel->announced;
}

void vgw_event_audit(struct work_struct *work)
{
	struct vgw_net *vnet = container_of(to_delayed_work(work), struct vgw_net, audit);
	unsigned long next = AUDIT_PERIOD;
	struct vgw_tunnel *tunnel;
	struct vgw_gateway *gw;
	unsigned long id;
	bool all;

	mutex_lock(&vnet->lock);
	if (take_census(vnet))
		next = min_t(unsigned long, next, vnet->census_rest - jiffies);
	all = ++vnet->audits % AUDIT_LIVE_EVERY == 0;
	list_for_each_entry(gw, &vnet->gateways, list) {
		xa_for_each(&gw->tunnels, id, tunnel) {
			if (audit_due(tunnel, all))
				vgw_tunnel_audit(tunnel);
			if (vgw_tunnel_unannounced(tunnel))
				next = min_t(unsigned long, next, VGW_TUNNEL_HOLD);
			cond_resched();
		}
		vgw_group_settle(gw);
	}
	if (vnet->tunnel_count || (vnet->gateway_count && READ_ONCE(vnet->count_rules)))
		queue_delayed_work(system_wq, &vnet->audit, next);
	mutex_unlock(&vnet->lock);
}

/* Void at once, so that nobody sends by what was; references and state follow with the audit. */
static void changed(struct vgw_net *vnet, struct vgw_tunnel *tunnel, bool rules)
{
	if (rules)
		vgw_bundle_void_rules(&tunnel->bundles);
	else
		vgw_bundle_void(&tunnel->bundles);
	WRITE_ONCE(tunnel->recheck, true);
	if (rules)
		vgw_event_count(vnet);
	else
		vgw_event_kick(vnet);
}

/* Under RCU, as the key manager's list is walked. */
static struct vgw_tunnel *tunnel_of(struct vgw_net *vnet, u32 if_id)
{
	return if_id ? vgw_tunnel_by_if_id(vnet, if_id) : NULL;
}

static void changed_all(struct vgw_net *vnet)
{
	struct vgw_tunnel *tunnel;
	bool any = false;

	for (unsigned int i = 0; i < VGW_TUNNEL_BUCKETS; i++) {
		hlist_for_each_entry_rcu(tunnel, &vnet->by_if_id[i], by_if_id) {
			vgw_bundle_void_rules(&tunnel->bundles);
			WRITE_ONCE(tunnel->recheck, true);
			any = true;
		}
	}
	if (any)
		vgw_event_count(vnet);
}

/* A selector comes, goes or is replaced: an update's copy shows the new one only. */
static bool changes_rules(const struct vgw_tunnel *tunnel, const struct xfrm_state *x)
{
	return vgw_census_narrow(x) ||
	       vgw_bundle_state(&tunnel->bundles, 0) == VGW_CACHE_STATE_SA_SELECTOR ||
	       vgw_bundle_state(&tunnel->bundles, 1) == VGW_CACHE_STATE_SA_SELECTOR;
}

static int km_notify(struct xfrm_state *x, const struct km_event *c)
{
	struct vgw_tunnel *tunnel;
	struct vgw_net *vnet;

	switch (c->event) {
	case XFRM_MSG_EXPIRE:
		if (!c->data.hard)
			break;
		fallthrough;
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_DELSA:
		vnet = vgw_net_get(xs_net(x));
		tunnel = tunnel_of(vnet, x->if_id);
		if (tunnel)
			changed(vnet, tunnel, changes_rules(tunnel, x));
		break;
	case XFRM_MSG_FLUSHSA:
		changed_all(vgw_net_get(c->net));
		break;
	}
	return 0;
}

static int km_notify_policy(struct xfrm_policy *xp, int dir, const struct km_event *c)
{
	struct vgw_tunnel *tunnel;
	struct vgw_net *vnet;

	if (!xp) {
		changed_all(vgw_net_get(c->net));
		vgw_unbound_changed(vgw_net_get(c->net));
		return 0;
	}
	vnet = vgw_net_get(xp_net(xp));
	if (!xp->if_id && dir != XFRM_POLICY_IN)
		vgw_unbound_changed(vnet);
	tunnel = tunnel_of(vnet, xp->if_id);
	if (tunnel)
		changed(vnet, tunnel, true);
	return 0;
}

/* Called without a check for NULL. An error says that nobody negotiates here. */
static int km_acquire(struct xfrm_state *x, struct xfrm_tmpl *tmpl, struct xfrm_policy *xp)
{
	return -EOPNOTSUPP;
}

/* Called without a check for NULL, from a socket option. */
static struct xfrm_policy *km_compile_policy(struct sock *sk, int opt, u8 *data, int len, int *dir)
{
	return NULL;
}

static struct xfrm_mgr manager = {
	.notify = km_notify,
	.notify_policy = km_notify_policy,
	.acquire = km_acquire,
	.compile_policy = km_compile_policy,
};

/* Below which tunnels it was is not told, so each is asked. */
static void underlay_gone(struct vgw_net *vnet, int ifindex)
{
	struct vgw_tunnel *tunnel;

	rcu_read_lock();
	for (unsigned int i = 0; i < VGW_TUNNEL_BUCKETS; i++)
		hlist_for_each_entry_rcu(tunnel, &vnet->by_if_id[i], by_if_id)
			vgw_bundle_purge_underlay(&tunnel->bundles, ifindex);
	rcu_read_unlock();
}

static int device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct vgw_net *vnet = vgw_net_get(dev_net(dev));
	struct vgw_tunnel *tunnel;

	if (event != NETDEV_UP && event != NETDEV_DOWN && event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	mutex_lock(&vnet->lock);
	rcu_read_lock();
	tunnel = vgw_tunnel_by_ifindex(vnet, dev->ifindex);
	rcu_read_unlock();
	/* The lock keeps it: tunnels are removed under it only. */
	if (event == NETDEV_UNREGISTER)
		vgw_port_device_gone(vnet, dev->ifindex);
	if (tunnel && event == NETDEV_UNREGISTER)
		vgw_tunnel_detach(tunnel);
	else if (tunnel)
		vgw_tunnel_audit(tunnel);
	if (tunnel && event == NETDEV_DOWN)
		vgw_bundle_purge(&tunnel->bundles);
	if (tunnel)
		vgw_event_kick(vnet);
	else if (event != NETDEV_UP)
		underlay_gone(vnet, dev->ifindex);
	mutex_unlock(&vnet->lock);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = { .notifier_call = device_event };

int vgw_event_init(void)
{
	int ret = register_netdevice_notifier(&device_notifier);

	if (!ret)
		xfrm_register_km(&manager);
	return ret;
}

void vgw_event_uninit(void)
{
	xfrm_unregister_km(&manager);
	unregister_netdevice_notifier(&device_notifier);
}
