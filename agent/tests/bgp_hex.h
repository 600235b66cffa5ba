/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes from hexadecimal text, blanks ignored, "*N" after an octet repeats it N times. */
#ifndef VGW_TESTS_BGP_HEX_H
#define VGW_TESTS_BGP_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline size_t hex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;

	while (text && *text) {
		unsigned int v;

		if (*text == ' ') {
			text++;
			continue;
		}
		if (*text == '*') {
			char *end;
			long times = strtol(text + 1, &end, 10);

			for (long i = 1; i < times && n && n < size; i++, n++)
				out[n] = out[n - 1];
			text = end;
			continue;
		}
		if (sscanf(text, "%2x", &v) != 1 || n == size)
			abort();
		out[n++] = (uint8_t)v;
		text += 2;
	}
	return n;
}

#endif
