/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies that are bound to no XFRM interface (if_id 0) and lie on the way of what
 * a router forwards or sends.
 *
 * The kernel looks for one with each packet, and walks past the policies of all the
 * tunnels to find none. While there is none nobody needs to look: ports do not
 * (port.h), and routes over a gateway's device are made so that the kernel does not
 * look for one to send by (its disable_xfrm, which only IPv4 has).
 *
 * A policy that comes is obeyed from the moment at which the kernel has told of it;
 * that the last one has gone is found by the next census.
 */
#ifndef _VGW_UNBOUND_H
#define _VGW_UNBOUND_H

#include <linux/types.h>

struct vgw_net;

enum vgw_unbound {
	VGW_UNBOUND_NONE,
	VGW_UNBOUND_SOME,	/* or none, and the default is to block */
	VGW_UNBOUND_UNKNOWN,	/* until the next census */
};

/* Any context. */
enum vgw_unbound vgw_unbound_state(const struct vgw_net *vnet);
/* May the kernel's default for what no policy covers block a packet, and nobody asked? */
bool vgw_unbound_blocks(const struct vgw_net *vnet);

/* Any context: one may have come or gone, or there is a new device. */
void vgw_unbound_changed(struct vgw_net *vnet);
/* Around a census: what begin returned, and was there one. Config lock. */
u32 vgw_unbound_begin(struct vgw_net *vnet);
void vgw_unbound_end(struct vgw_net *vnet, u32 gen, bool found);

#endif /* _VGW_UNBOUND_H */
