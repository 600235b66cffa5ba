// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encoding of path attributes, in the order of their numbers. A peer without
 * 4-octet AS numbers gets AS_TRANS, and the truth in AS4_PATH and
 * AS4_AGGREGATOR (RFC 6793 4.2.2).
 */
#include "bgp/attr.h"

#define SEGMENT_MAX 255

/* An attribute of any length: the extended form where it is needed, decided by the size given. */
static void attr_head(struct cursor_out *out, uint8_t flags, uint8_t code, size_t len)
{
	bool extended = len > UINT8_MAX;

	cursor_put_u8(out, extended ? flags | BGP_ATTR_EXTENDED : flags);
	cursor_put_u8(out, code);
	if (extended)
		cursor_put_u16(out, (uint16_t)len);
	else
		cursor_put_u8(out, (uint8_t)len);
	if (len > BGP_MESSAGE_MAX)
		out->bad = true;
}

static void as_put(struct cursor_out *out, uint32_t as, bool as4)
{
	if (as4)
		cursor_put_u32(out, as);
	else
		cursor_put_u16(out, as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)as);
}

/* Where a path is written: segments of at most 255, the size counted first. */
struct path_writer {
	struct cursor_out *out; /* NULL: only count */
	bool as4;
	size_t size;
};

static void path_segment(struct path_writer *w, uint8_t type, const uint32_t *first,
			 const uint32_t *asns, size_t n)
{
	size_t total = n + (first ? 1 : 0);

	for (size_t done = 0; done < total;) {
		size_t part = total - done < SEGMENT_MAX ? total - done : SEGMENT_MAX;

		w->size += 2 + part * (w->as4 ? 4 : 2);
		if (w->out) {
			cursor_put_u8(w->out, type);
			cursor_put_u8(w->out, (uint8_t)part);
		}
		for (size_t i = 0; w->out && i < part; i++, done++) {
			size_t at = done - (first ? 1 : 0);

			as_put(w->out, first && !done ? *first : asns[at], w->as4);
		}
		if (!w->out)
			done += part;
	}
}

/* prepend NULL: as it is. */
static void path_write(struct path_writer *w, const struct attrs *attrs, const uint32_t *prepend)
{
	bool joined = prepend && attrs->n_segments && attrs->segments[0].type == AS_SEQUENCE;

	if (prepend && !joined)
		path_segment(w, AS_SEQUENCE, prepend, NULL, 0);
	for (unsigned int i = 0; i < attrs->n_segments; i++)
		path_segment(w, attrs->segments[i].type, !i && joined ? prepend : NULL,
			     attrs->segments[i].asns, attrs->segments[i].count);
}

static void path_encode(struct cursor_out *out, uint8_t flags, uint8_t code, bool as4,
			const struct attrs *attrs, const uint32_t *prepend)
{
	struct path_writer w = { .as4 = as4 };

	path_write(&w, attrs, prepend);
	attr_head(out, flags, code, w.size);
	w.out = out;
	path_write(&w, attrs, prepend);
}

static bool path_needs_as4(const struct attrs *attrs, const uint32_t *prepend)
{
	if (prepend && *prepend > UINT16_MAX)
		return true;
	for (unsigned int i = 0; i < attrs->n_segments; i++)
		for (unsigned int j = 0; j < attrs->segments[i].count; j++)
			if (attrs->segments[i].asns[j] > UINT16_MAX)
				return true;
	return false;
}

static void u32_encode(struct cursor_out *out, uint8_t flags, uint8_t code, uint32_t value)
{
	attr_head(out, flags, code, 4);
	cursor_put_u32(out, value);
}

static void aggregator_encode(struct cursor_out *out, uint8_t code, const struct attrs *attrs,
			      bool as4)
{
	attr_head(out, BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE, code, as4 ? 8 : 6);
	as_put(out, attrs->aggregator_as, as4);
	cursor_put_bytes(out, attrs->aggregator.b, 4);
}

static void communities_encode(struct cursor_out *out, const struct attrs *attrs)
{
	if (!attrs->n_communities)
		return;
	attr_head(out, BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE, BGP_ATTR_COMMUNITIES,
		  attrs->n_communities * 4u);
	for (unsigned int i = 0; i < attrs->n_communities; i++)
		cursor_put_u32(out, attrs->communities[i]);
}

static void ext_communities_encode(struct cursor_out *out, const struct attrs *attrs)
{
	if (!attrs->n_ext_communities)
		return;
	attr_head(out, BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE, BGP_ATTR_EXT_COMMUNITIES,
		  attrs->n_ext_communities * 8u);
	for (unsigned int i = 0; i < attrs->n_ext_communities; i++)
		cursor_put_u64(out, attrs->ext_communities[i]);
}

static void large_communities_encode(struct cursor_out *out, const struct attrs *attrs)
{
	if (!attrs->n_large_communities)
		return;
	attr_head(out, BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE, BGP_ATTR_LARGE_COMMUNITIES,
		  attrs->n_large_communities * 12u);
	for (unsigned int i = 0; i < attrs->n_large_communities; i++) {
		cursor_put_u32(out, attrs->large_communities[i].global);
		cursor_put_u32(out, attrs->large_communities[i].local1);
		cursor_put_u32(out, attrs->large_communities[i].local2);
	}
}

void attr_encode(struct cursor_out *out, const struct attrs *attrs, const struct attr_peer *peer,
		 enum session_afi afi)
{
	const uint32_t *prepend = peer->internal ? NULL : &peer->local_as;
	bool aggregator = attrs->aggregator_as && attrs->aggregator.family == AF_INET;

	attr_head(out, BGP_ATTR_TRANSITIVE, BGP_ATTR_ORIGIN, 1);
	cursor_put_u8(out, attrs->origin);
	path_encode(out, BGP_ATTR_TRANSITIVE, BGP_ATTR_AS_PATH, peer->as4, attrs, prepend);
	/* IPv4 with an IPv6 next hop has it in MP_REACH_NLRI (RFC 8950). */
	if (afi == SESSION_IPV4 && peer->next_hop[SESSION_IPV4].family != AF_INET6) {
		attr_head(out, BGP_ATTR_TRANSITIVE, BGP_ATTR_NEXT_HOP, 4);
		cursor_put_bytes(out, peer->next_hop[SESSION_IPV4].b, 4);
	}
	if (attrs->has_med)
		u32_encode(out, BGP_ATTR_OPTIONAL, BGP_ATTR_MED, attrs->med);
	/* RFC 4271 5.1.5: to internal peers always, to external ones never. */
	if (peer->internal)
		u32_encode(out, BGP_ATTR_TRANSITIVE, BGP_ATTR_LOCAL_PREF,
			   attrs->has_local_pref ? attrs->local_pref : 100);
	if (attrs->atomic_aggregate)
		attr_head(out, BGP_ATTR_TRANSITIVE, BGP_ATTR_ATOMIC_AGGREGATE, 0);
	if (aggregator)
		aggregator_encode(out, BGP_ATTR_AGGREGATOR, attrs, peer->as4);
	communities_encode(out, attrs);
	ext_communities_encode(out, attrs);
	if (!peer->as4 && path_needs_as4(attrs, prepend))
		path_encode(out, BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE, BGP_ATTR_AS4_PATH, true,
			    attrs, prepend);
	if (!peer->as4 && aggregator && attrs->aggregator_as > UINT16_MAX)
		aggregator_encode(out, BGP_ATTR_AS4_AGGREGATOR, attrs, true);
	large_communities_encode(out, attrs);
}
