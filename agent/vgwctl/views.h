/* SPDX-License-Identifier: GPL-2.0-only */
/* How the rows of each answer look as text. The rows themselves are vgwd's. */
#ifndef VGW_VGWCTL_VIEWS_H
#define VGW_VGWCTL_VIEWS_H

#include "vgwctl/writer.h"

extern const struct view view_gateway, view_tunnels, view_peers, view_routes;
extern const struct view view_groups, view_memory, view_warnings;
extern const struct view view_timeline, view_monitor;
extern const struct view view_explain, view_reload, view_drain, view_version;

#endif
