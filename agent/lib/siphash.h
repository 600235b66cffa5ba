/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SipHash-1-3 over 64-bit words: a keyed hash for tables whose keys are chosen
 * by somebody else.
 *
 * Promise: who does not know the key cannot make keys that collide on purpose.
 * Values differ between processes and machines: nothing for the wire or a file.
 */
#ifndef VGW_LIB_SIPHASH_H
#define VGW_LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

struct siphash_key {
	uint64_t k[2];
};

struct siphash {
	uint64_t v0, v1, v2, v3;
};

/* Without entropy yet the key is where the caller's memory happens to be. */
static inline void siphash_key_make(struct siphash_key *key)
{
	if (getrandom(key, sizeof(*key), GRND_NONBLOCK) != sizeof(*key))
		key->k[0] = key->k[1] = (uintptr_t)key;
}

static inline uint64_t siphash_rotate(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline void siphash_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v2 = siphash_rotate(s->v2, 32);
}

static inline struct siphash siphash_begin(const struct siphash_key *key)
{
	return (struct siphash){
		key->k[0] ^ 0x736f6d6570736575, key->k[1] ^ 0x646f72616e646f6d,
		key->k[0] ^ 0x6c7967656e657261, key->k[1] ^ 0x7465646279746573,
	};
}

static inline void siphash_word(struct siphash *s, uint64_t word)
{
	s->v3 ^= word;
	siphash_round(s);
	s->v0 ^= word;
}

/* The caller hashes lengths that vary. */
static inline void siphash_bytes(struct siphash *s, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		siphash_word(s, word);
	}
	if (!len)
		return;
	word = 0;
	memcpy(&word, bytes, len);
	siphash_word(s, word);
}

static inline uint64_t siphash_end(struct siphash *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
