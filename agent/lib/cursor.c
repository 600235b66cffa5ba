// SPDX-License-Identifier: GPL-2.0-only
/* Bounded reading and writing; the only place where wire bytes are indexed. */
#include "lib/cursor.h"

#include <string.h>

struct cursor cursor_make(const void *data, size_t len)
{
	static const uint8_t nothing[1];

	/* Never NULL, so that an empty read gives a usable pointer. */
	return (struct cursor){ .at = data ? data : nothing, .left = data ? len : 0 };
}

struct cursor_out cursor_out_make(void *data, size_t size)
{
	return (struct cursor_out){ .data = data, .size = size };
}

size_t cursor_out_room(const struct cursor_out *c)
{
	return c->bad ? 0 : c->size - c->len;
}

void cursor_put_bytes(struct cursor_out *c, const void *data, size_t n)
{
	if (n > cursor_out_room(c)) {
		c->bad = true;
		return;
	}
	if (n)
		memcpy(c->data + c->len, data, n);
	c->len += n;
}

static void put(struct cursor_out *c, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	cursor_put_bytes(c, b, n);
}

void cursor_put_u8(struct cursor_out *c, uint8_t v)
{
	put(c, v, 1);
}

void cursor_put_u16(struct cursor_out *c, uint16_t v)
{
	put(c, v, 2);
}

void cursor_put_u32(struct cursor_out *c, uint32_t v)
{
	put(c, v, 4);
}

void cursor_put_u64(struct cursor_out *c, uint64_t v)
{
	put(c, v, 8);
}

void cursor_patch_u8(struct cursor_out *c, size_t at, uint8_t v)
{
	if (at >= c->len) {
		c->bad = true;
		return;
	}
	c->data[at] = v;
}

void cursor_patch_u16(struct cursor_out *c, size_t at, uint16_t v)
{
	if (at >= c->len || c->len - at < 2) {
		c->bad = true;
		return;
	}
	c->data[at] = (uint8_t)(v >> 8);
	c->data[at + 1] = (uint8_t)v;
}
