// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key manager's callbacks may run in softirq with the SA's lock held, and
 * the SA they get may be a dead copy, so they judge nothing: they name the
 * tunnel whose truth may have changed, and the audit finds the truth by the
 * lookup that a packet would do.
 */
#include "event.h"

#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include <net/xfrm.h>

#include "gateway.h"
#include "tunnel.h"

/* Dead tunnels are looked at in every round, living ones in every tenth. */
#define AUDIT_PERIOD	HZ
#define AUDIT_LIVE_EVERY	10

void vgw_event_kick(struct vgw_net *vnet)
{
	mod_delayed_work(system_wq, &vnet->audit, 0);
}

static bool audit_due(struct vgw_tunnel *tunnel, bool all)
{
	bool told = READ_ONCE(tunnel->recheck);

	WRITE_ONCE(tunnel->recheck, false);
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
	all = ++vnet->audits % AUDIT_LIVE_EVERY == 0;
	list_for_each_entry(gw, &vnet->gateways, list) {
		xa_for_each(&gw->tunnels, id, tunnel) {
			if (audit_due(tunnel, all))
				vgw_tunnel_audit(tunnel);
			if (vgw_tunnel_unannounced(tunnel))
				next = VGW_TUNNEL_HOLD;
			cond_resched();
		}
	}
	if (vnet->tunnel_count)
		queue_delayed_work(system_wq, &vnet->audit, next);
	mutex_unlock(&vnet->lock);
}

/* Under RCU, as the key manager's list is walked. */
static void recheck_if_id(struct net *net, u32 if_id)
{
	struct vgw_net *vnet = vgw_net_get(net);
	struct vgw_tunnel *tunnel;

	if (!if_id)
		return;
	tunnel = vgw_tunnel_by_if_id(vnet, if_id);
	if (!tunnel)
		return;
	WRITE_ONCE(tunnel->recheck, true);
	vgw_event_kick(vnet);
}

static void recheck_all(struct net *net)
{
	struct vgw_net *vnet = vgw_net_get(net);
	struct vgw_tunnel *tunnel;
	bool any = false;

	for (unsigned int i = 0; i < VGW_TUNNEL_BUCKETS; i++) {
		hlist_for_each_entry_rcu(tunnel, &vnet->by_if_id[i], by_if_id) {
			WRITE_ONCE(tunnel->recheck, true);
			any = true;
		}
	}
	if (any)
		vgw_event_kick(vnet);
}

static int km_notify(struct xfrm_state *x, const struct km_event *c)
{
	switch (c->event) {
	case XFRM_MSG_EXPIRE:
		if (!c->data.hard)
			break;
		fallthrough;
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_DELSA:
		recheck_if_id(xs_net(x), x->if_id);
		break;
	case XFRM_MSG_FLUSHSA:
		recheck_all(c->net);
		break;
	}
	return 0;
}

static int km_notify_policy(struct xfrm_policy *xp, int dir, const struct km_event *c)
{
	if (xp)
		recheck_if_id(xp_net(xp), xp->if_id);
	else
		recheck_all(c->net);
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
	if (tunnel && event == NETDEV_UNREGISTER)
		vgw_tunnel_detach(tunnel);
	else if (tunnel)
		vgw_tunnel_audit(tunnel);
	if (tunnel)
		vgw_event_kick(vnet);
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
