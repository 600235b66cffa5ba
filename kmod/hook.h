/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that tunnels deliver: source validation where they come in, isolation
 * where they are forwarded.
 */
#ifndef _VGW_HOOK_H
#define _VGW_HOOK_H

struct net;

int vgw_hook_register(struct net *net);
void vgw_hook_unregister(struct net *net);

#endif /* _VGW_HOOK_H */
