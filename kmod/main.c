// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <net/rtnetlink.h>

#include "device.h"
#include "event.h"
#include "gateway.h"
#include "netlink.h"

static int __init vgw_init(void)
{
	int ret;

	ret = vgw_net_init();
	if (ret)
		return ret;
	ret = vgw_event_init();
	if (ret)
		goto uninit_net;
	ret = vgw_device_init();
	if (ret)
		goto uninit_event;
	ret = vgw_netlink_init();
	if (ret)
		goto uninit_device;
	pr_info("loaded, protocol version %u\n", VGW_PROTOCOL_VERSION);
	return 0;

uninit_device:
	vgw_device_uninit();
uninit_event:
	vgw_event_uninit();
uninit_net:
	vgw_net_uninit();
	rcu_barrier();
	return ret;
}

static void __exit vgw_exit(void)
{
	vgw_netlink_uninit();
	vgw_device_uninit();
	vgw_event_uninit();
	vgw_net_uninit();
	/* Objects free themselves in RCU callbacks that are our code. */
	rcu_barrier();
}

module_init(vgw_init);
module_exit(vgw_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Forwarding table of a VPN gateway: ECMP over XFRM tunnels");
MODULE_AUTHOR("The vgw authors");
MODULE_ALIAS_RTNL_LINK(VGW_KIND);
