// SPDX-License-Identifier: GPL-2.0-only
#include "unbound.h"

#include <linux/inetdevice.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/xfrm.h>

#include "device.h"
#include "event.h"
#include "gateway.h"

/* The number and the result in one word, so that they belong together. */
static u32 counted(u32 gen, bool found)
{
	return gen << 1 | found;
}

static bool blocks_by_default(const struct vgw_net *vnet, int dir)
{
	return READ_ONCE(vnet->net->xfrm.policy_default[dir]) != XFRM_USERPOLICY_ACCEPT;
}

enum vgw_unbound vgw_unbound_state(const struct vgw_net *vnet)
{
	u32 gen = atomic_read(&vnet->unbound_gen);
	u32 seen = READ_ONCE(vnet->unbound_counted);

	if (blocks_by_default(vnet, XFRM_POLICY_FWD) || blocks_by_default(vnet, XFRM_POLICY_OUT) ||
	    seen == counted(gen, true))
		return VGW_UNBOUND_SOME;
	return seen == counted(gen, false) ? VGW_UNBOUND_NONE : VGW_UNBOUND_UNKNOWN;
}

bool vgw_unbound_blocks(const struct vgw_net *vnet)
{
	return READ_ONCE(vnet->unbound_spared) && blocks_by_default(vnet, XFRM_POLICY_OUT);
}

/* Whether the kernel is spared the look. Routes that are there are made anew. */
static void spare(struct vgw_net *vnet, bool spared)
{
	struct net_device *dev;

	WRITE_ONCE(vnet->unbound_spared, spared);
	/* Before the devices: who changes the number after that sees it, or we see the number. */
	smp_mb();
	rcu_read_lock();
	for_each_netdev_rcu(vnet->net, dev) {
		struct in_device *in_dev = vgw_device_is(dev) ? __in_dev_get_rcu(dev) : NULL;

		if (in_dev)
			IN_DEV_CONF_SET(in_dev, NOXFRM, spared);
	}
	rcu_read_unlock();
	rt_genid_bump_ipv4(vnet->net);
}

void vgw_unbound_changed(struct vgw_net *vnet)
{
	/* Whoever counts with the new number sees what changed. */
	smp_mb__before_atomic();
	atomic_inc(&vnet->unbound_gen);
	/* The number before the look; spare() and who calls it have them the other way round. */
	smp_mb__after_atomic();
	if (READ_ONCE(vnet->unbound_spared))
		spare(vnet, false);
	if (READ_ONCE(vnet->gateway_count))
		vgw_event_count(vnet);
}

u32 vgw_unbound_begin(struct vgw_net *vnet)
{
	return atomic_read_acquire(&vnet->unbound_gen);
}

void vgw_unbound_end(struct vgw_net *vnet, u32 gen, bool found)
{
	lockdep_assert_held(&vnet->lock);
	WRITE_ONCE(vnet->unbound_counted, counted(gen, found));
	if (!found && !vnet->unbound_spared) {
		spare(vnet, true);
		if (atomic_read(&vnet->unbound_gen) != gen)
			spare(vnet, false);
	} else if (found) {
		/* A route that was being made while the devices were told. */
		rt_genid_bump_ipv4(vnet->net);
	}
}
