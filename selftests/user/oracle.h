/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A naive table: all prefixes in one hash table, a lookup asks for each length. No
 * cleverness, so that it can be trusted; fast enough for millions of questions.
 */
#ifndef _USER_ORACLE_H
#define _USER_ORACLE_H

#include <stdbool.h>

#include "lpm.h"

#define ORACLE_SLOTS	(1u << 18)

struct oracle_entry {
	struct vgw_lpm_key key;
	u8 len;
	bool used;		/* once; stays in the way of others */
	u16 nh;			/* 0: not there */
};

struct oracle {
	struct oracle_entry *slot;
	unsigned int bits, used, lengths[129];	/* prefixes of each length */
};

static inline void oracle_init(struct oracle *oracle, unsigned int bits)
{
	memset(oracle, 0, sizeof(*oracle));
	oracle->slot = calloc(ORACLE_SLOTS, sizeof(*oracle->slot));
	oracle->bits = bits;
}

static inline void oracle_free(struct oracle *oracle)
{
	free(oracle->slot);
}

static inline struct vgw_lpm_key oracle_cut(const struct vgw_lpm_key *key, unsigned int len)
{
	struct vgw_lpm_key cut = {};

	memcpy(cut.addr, key->addr, len / 8);
	if (len % 8)
		cut.addr[len / 8] = key->addr[len / 8] & (0xff00 >> len % 8);
	return cut;
}

static inline struct oracle_entry *oracle_entry(struct oracle *oracle,
						const struct vgw_lpm_key *key, u8 len)
{
	unsigned int at = 2166136261u * (len + 1u);

	for (unsigned int i = 0; i < 16; i++)
		at = (at ^ key->addr[i]) * 16777619u;
	for (at ^= at >> 15;; at++) {
		struct oracle_entry *entry = &oracle->slot[at % ORACLE_SLOTS];

		if (!entry->used || (entry->len == len && !memcmp(&entry->key, key, sizeof(*key))))
			return entry;
	}
}

static inline u16 oracle_get(struct oracle *oracle, const struct vgw_lpm_key *key, u8 len)
{
	return oracle_entry(oracle, key, len)->nh;
}

/* nh 0: takes it out. */
static inline void oracle_set(struct oracle *oracle, const struct vgw_lpm_key *key, u8 len, u16 nh)
{
	struct oracle_entry *entry = oracle_entry(oracle, key, len);

	oracle->lengths[len] += !!nh - !!entry->nh;
	if (!entry->used && ++oracle->used > ORACLE_SLOTS * 3 / 4)
		abort();
	entry->used = true;
	entry->key = *key;
	entry->len = len;
	entry->nh = nh;
}

/* The longest match that is shorter than limit. */
static inline u16 oracle_lookup(struct oracle *oracle, const struct vgw_lpm_key *key,
				unsigned int limit, u8 *found)
{
	for (int len = limit > oracle->bits ? oracle->bits : (int)limit - 1; len >= 0; len--) {
		struct vgw_lpm_key cut = oracle_cut(key, len);
		u16 nh = oracle->lengths[len] ? oracle_get(oracle, &cut, len) : 0;

		if (nh) {
			*found = len;
			return nh;
		}
	}
	return VGW_LPM_NONE;
}

#endif /* _USER_ORACLE_H */
