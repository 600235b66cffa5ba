/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that tunnels deliver: source validation where they come in, isolation
 * where they are forwarded.
 */
#ifndef _VGW_HOOK_H
#define _VGW_HOOK_H

#include <linux/types.h>

struct net;

int vgw_hook_register(struct net *net);
void vgw_hook_unregister(struct net *net);

/* In an RCU section: is there no hook at that place that a port's packet could matter to? */
bool vgw_hook_alone(const struct net *net, u8 family, unsigned int place);
/* Looks for hooks that do not matter. Before the first question. */
void vgw_hook_learn(const struct net *net);

#endif /* _VGW_HOOK_H */
