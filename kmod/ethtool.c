// SPDX-License-Identifier: GPL-2.0-only
#include "ethtool.h"

#include "gateway.h"

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, VGW_KIND, sizeof(info->driver));
}

static int get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? VGW_N_STATS : -EOPNOTSUPP;
}

static void get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	BUILD_BUG_ON(VGW_STAT_NAME_SIZE != ETH_GSTRING_LEN);
	if (sset == ETH_SS_STATS)
		memcpy(data, vgw_stat_names, sizeof(vgw_stat_names));
}

static void get_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	const struct vgw_gateway *gw = netdev_priv(dev);

	vgw_stats_sum(gw->stats, VGW_N_STATS, data);
}

const struct ethtool_ops vgw_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_stats,
};
