/* SPDX-License-Identifier: GPL-2.0-only */
/* The system's own, which libc's headers want as well, and the kernel's. */
#include_next <linux/types.h>
#include "../shim.h"
