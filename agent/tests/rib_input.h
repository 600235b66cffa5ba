/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the RIB share: a table's inputs in few words. */
#ifndef VGW_TESTS_RIB_INPUT_H
#define VGW_TESTS_RIB_INPUT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/rib.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define LOCAL_AS 65000

static inline struct addr addr(const char *text)
{
	struct addr a;

	if (!addr_parse(text, &a))
		fail_msg("\"%s\" is an address", text);
	return a;
}

static inline struct prefix prefix(const char *text)
{
	struct prefix p;

	if (!prefix_parse(text, &p, NULL))
		fail_msg("\"%s\" is a prefix", text);
	return p;
}

/* What a test says of a path; zeros are the usual. */
struct say {
	const char *hop; /* NULL: the peer */
	uint32_t path[4]; /* up to the first 0; nothing: the peer's AS */
	uint32_t med, local_pref;
	uint8_t origin;
	const char *link_local;
};

static inline const struct attrs *attrs_of(const struct rib_source_config *config,
					   const struct say *say)
{
	struct as_segment segment = { .type = AS_SEQUENCE, .asns = say->path };
	struct attrs draft = { .origin = say->origin, .n_segments = 1, .segments = &segment };
	const struct attrs *attrs;

	while (segment.count < N(say->path) && say->path[segment.count])
		segment.count++;
	if (!segment.count) {
		segment.asns = &config->peer_as;
		segment.count = 1;
	}
	draft.has_med = say->med;
	draft.med = say->med;
	draft.has_local_pref = say->local_pref;
	draft.local_pref = say->local_pref;
	draft.next_hop = say->hop ? addr(say->hop) : config->peer;
	if (say->link_local)
		draft.link_local = addr(say->link_local);
	attrs = attrs_intern(&draft);
	assert_non_null(attrs);
	return attrs;
}

/* Tunnel n has the peer 169.254.10.(4n + 2). */
static inline struct rib_source *source_add(struct rib *rib, uint32_t tunnel, uint32_t site,
					    uint32_t as)
{
	struct rib_source_config config = {
		.tunnel = tunnel, .connection = tunnel, .site = site, .peer_as = as, .weight = 1,
		.peer = { AF_INET, { 169, 254, 10, (uint8_t)(4 * tunnel + 2) } }, .name = "t",
	};
	struct rib_source *source = rib_source_add(rib, &config);

	assert_non_null(source);
	rib_source_set_router_id(source, 100 + tunnel);
	return source;
}

static inline struct rib_counters counters_of(const struct rib *rib)
{
	struct rib_counters counters;

	rib_counters(rib, &counters);
	return counters;
}

static inline int no_attrs_left(void **state)
{
	assert_int_equal(attrs_count(), 0);
	return 0;
}

#endif
