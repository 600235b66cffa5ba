/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_ICMP_H
#define _SHIM_ICMP_H

#include_next <linux/icmp.h>

static inline bool icmp_is_err(int type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

#endif /* _SHIM_ICMP_H */
