/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tells of tunnels: the key manager (SAs and policies), devices, and the
 * audit that looks for itself.
 */
#ifndef _VGW_EVENT_H
#define _VGW_EVENT_H

#include <linux/types.h>

struct vgw_net;
struct work_struct;

int vgw_event_init(void);
void vgw_event_uninit(void);
/* Run the audit soon. Any context. */
void vgw_event_kick(struct vgw_net *vnet);
/* The same, with a census: the rules of some tunnel may have changed. Any context. */
void vgw_event_count(struct vgw_net *vnet);
void vgw_event_audit(struct work_struct *work);

#endif /* _VGW_EVENT_H */
