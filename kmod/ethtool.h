/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VGW_ETHTOOL_H
#define _VGW_ETHTOOL_H

#include <linux/ethtool.h>

/* The gateway's counters by name. */
extern const struct ethtool_ops vgw_ethtool_ops;

#endif /* _VGW_ETHTOOL_H */
