/* SPDX-License-Identifier: GPL-2.0-only */
#include_next <linux/swab.h>
#define swab16(x)	__swab16(x)
