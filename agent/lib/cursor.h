/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded access to bytes from and for the wire. Numbers are in network order
 * there and in host order here.
 *
 * Promise: no call reads or writes outside of the buffer it was given. An
 * access that does not fit does nothing, yields zeros and marks the cursor bad
 * for good, so a parser may read a whole structure and ask once at its end.
 */
#ifndef VGW_LIB_CURSOR_H
#define VGW_LIB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor { /* reading */
	const uint8_t *at;
	size_t left;
	bool bad;
};

struct cursor cursor_make(const void *data, size_t len);
/* Points at the next n bytes and passes them; NULL if there are fewer. n 0: not NULL. */
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t n)
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

/* Inline: an UPDATE is read by some forty of these. */
static inline uint64_t cursor_number(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_number(c, 1);
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_number(c, 2);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_number(c, 4);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	return cursor_number(c, 8);
}

/* Copies n bytes to out, which gets zeros if there are fewer. */
static inline bool cursor_copy(struct cursor *c, void *out, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
	return p;
}

/* The next n bytes as a cursor of their own, passed here; bad and empty if there are fewer. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);
	struct cursor sub = cursor_make(p, n);

	sub.bad = !p;
	return sub;
}

struct cursor_out { /* writing */
	uint8_t *data;
	size_t size, len;
	bool bad; /* something did not fit; len is what did */
};

struct cursor_out cursor_out_make(void *data, size_t size);
size_t cursor_out_room(const struct cursor_out *c);
void cursor_put_u8(struct cursor_out *c, uint8_t v);
void cursor_put_u16(struct cursor_out *c, uint16_t v);
void cursor_put_u32(struct cursor_out *c, uint32_t v);
void cursor_put_u64(struct cursor_out *c, uint64_t v);
void cursor_put_bytes(struct cursor_out *c, const void *data, size_t n);
/* Replace what was written at offset at, for lengths that are known late. */
void cursor_patch_u8(struct cursor_out *c, size_t at, uint8_t v);
void cursor_patch_u16(struct cursor_out *c, size_t at, uint16_t v);

#endif
