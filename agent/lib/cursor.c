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

const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
	const uint8_t *p = c->at;

	if (c->bad || n > c->left) {
		c->bad = true;
		c->left = 0;
		return NULL;
	}
	c->at += n;
	c->left -= n;
	return p;
}

static uint64_t get(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)get(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)get(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)get(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return get(c, 8);
}

bool cursor_copy(struct cursor *c, void *out, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
	return p;
}

struct cursor cursor_sub(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);
	struct cursor sub = cursor_make(p, n);

	sub.bad = !p;
	return sub;
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
