/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path attributes of a route as the decision process needs them, interned:
 * equal sets are one object, so that comparing sets is comparing pointers.
 *
 * Promise: an interned set never changes. attrs_get/attrs_put count
 * references; the last put frees it. One thread uses them. Order counts in the
 * arrays: a sender's other order is another set.
 */
#ifndef VGW_CORE_ATTRS_H
#define VGW_CORE_ATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

enum attrs_origin { ATTRS_ORIGIN_IGP = 0, ATTRS_ORIGIN_EGP = 1, ATTRS_ORIGIN_INCOMPLETE = 2 };

enum as_segment_type { AS_SET = 1, AS_SEQUENCE = 2, AS_CONFED_SEQUENCE = 3, AS_CONFED_SET = 4 };

struct as_segment {
	uint8_t type;
	uint16_t count;
	const uint32_t *asns; /* host order */
};

struct large_community {
	uint32_t global, local1, local2;
};

/* Where the parts of attrs->order begin; the origin has the lowest bits. */
#define ATTRS_ORDER_PATH 8
#define ATTRS_ORDER_LOCAL_PREF 24

/* RFC numbers: 4271 (1-7), 1997, 4360, 8092. Pointers belong to the set. */
struct attrs {
	uint8_t origin;
	bool has_med, has_local_pref, atomic_aggregate;
	uint32_t med, local_pref;
	uint16_t n_segments, n_communities, n_ext_communities, n_large_communities;
	/* The next four are derived by attrs_intern(); ignored in a draft. */
	uint64_t order; /* local preference, path length, origin: less is better */
	uint16_t as_path_len; /* decision length: a set counts 1, confederation segments 0 */
	uint32_t neighbour_as; /* first AS of the path, 0 if it begins with a set or is empty */
	uint32_t origin_as; /* last AS of the path, 0 if it ends in a set or is empty */
	struct addr next_hop; /* global next hop */
	struct addr link_local; /* RFC 2545 second next hop, or none */
	const struct as_segment *segments;
	const uint32_t *communities;
	const uint64_t *ext_communities;
	const struct large_community *large_communities;
	uint32_t aggregator_as;
	struct addr aggregator;
};

/* The caller gets a reference. Copies what draft points at. NULL on no memory. */
const struct attrs *attrs_intern(const struct attrs *draft);
/* Another reference; returns attrs. */
const struct attrs *attrs_get(const struct attrs *attrs);
void attrs_put(const struct attrs *attrs); /* NULL is fine */
bool attrs_path_contains(const struct attrs *attrs, uint32_t asn);
/* "65010 65020 {1 2}", cut if buf is short; returns buf. */
const char *attrs_format_path(const struct attrs *attrs, char *buf, size_t size);
size_t attrs_memory(void); /* bytes of all of them and their table */
size_t attrs_count(void); /* interned sets alive: tests check for leaks */

#endif
