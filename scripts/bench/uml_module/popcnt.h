/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User Mode Linux counts bits in software. A real kernel puts the instruction
 * where the processor has it, which every 64-bit server has.
 */
#include <linux/bitops.h>

#undef hweight64
#define hweight64(word)	((unsigned int)__builtin_popcountll(word))
#undef hweight32
#define hweight32(word)	((unsigned int)__builtin_popcount(word))
