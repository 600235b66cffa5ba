/* SPDX-License-Identifier: GPL-2.0-only */
/* The net device of kind "vgw": link operations, and the test for "is it ours". */
#ifndef _VGW_DEVICE_H
#define _VGW_DEVICE_H

#include <linux/types.h>

struct net_device;

int vgw_device_init(void);
void vgw_device_uninit(void);
bool vgw_device_is(const struct net_device *dev);

#endif /* _VGW_DEVICE_H */
