/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_ICMPV6_H
#define _SHIM_ICMPV6_H

#include <linux/types.h>

static inline bool icmpv6_is_err(int type)
{
	return type < 128;
}

#endif /* _SHIM_ICMPV6_H */
