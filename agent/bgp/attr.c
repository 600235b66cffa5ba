// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding of path attributes.
 *
 * One table says for each attribute which flags and lengths are right and what
 * RFC 7606 wants done when they are not. A decoder is called with exactly the
 * value, its length already checked, and returns what is to be done about it.
 */
#include "bgp/attr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static bool addr_is_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* RFC 4271 6.3: the address of a host, and not ours. */
static bool next_hop_good(const struct addr *a, const struct attr_peer *peer)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT, any = IN6ADDR_ANY_INIT;

	if (addr_equal(a, &peer->local))
		return false;
	if (addr_equal(a, &peer->remote))
		return true;
	if (a->family == AF_INET)
		return a->b[0] && a->b[0] != 127 && a->b[0] < 224;
	return a->b[0] != 0xff && memcmp(a->b, &loopback, 16) && memcmp(a->b, &any, 16);
}

static struct addr addr_read(struct cursor *c, uint8_t family)
{
	struct addr a = { .family = family };

	cursor_copy(c, a.b, family == AF_INET ? 4 : 16);
	return a;
}

bool attr_set_has(const struct attr_set *set, uint8_t code)
{
	return set->seen[code / 64] >> (code % 64) & 1;
}

/* Notes what is to be done; the first reason of the strongest action stays. */
static void set_note(struct attr_set *set, enum attr_action action, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void set_note(struct attr_set *set, enum attr_action action, const char *fmt, ...)
{
	va_list ap;

	if (action <= set->action)
		return;
	set->action = action;
	va_start(ap, fmt);
	vsnprintf(set->reason, sizeof(set->reason), fmt, ap);
	va_end(ap);
}

/* RFC 4271 4.3: the value of trailing bits is irrelevant. One word instead of loops. */
static void nlri_copy4(uint8_t *to, const uint8_t *bytes, unsigned int len)
{
	uint32_t word = 0;

	for (unsigned int i = 0; i < (len + 7) / 8; i++)
		word |= (uint32_t)bytes[i] << (24 - 8 * i);
	word = htonl(word & (uint32_t)(0xffffffff00000000 >> len));
	memcpy(to, &word, sizeof(word));
}

static void nlri_copy6(struct prefix *prefix, const uint8_t *bytes)
{
	unsigned int whole = prefix->len / 8, rest = prefix->len % 8;

	prefix->addr.family = AF_INET6;
	memcpy(prefix->addr.b, bytes, whole);
	if (rest)
		prefix->addr.b[whole] = (uint8_t)(bytes[whole] & 0xff00 >> rest);
}

bool attr_nlri_next(struct cursor *c, enum session_afi afi, struct prefix *prefix)
{
	const uint8_t *bytes;
	uint8_t len;

	if (!c->left)
		return false;
	len = cursor_u8(c);
	if (len > (afi == SESSION_IPV4 ? 32 : 128)) {
		c->bad = true;
		return false;
	}
	bytes = cursor_bytes(c, (len + 7u) / 8);
	if (!bytes)
		return false;
	*prefix = (struct prefix){ .addr.family = AF_INET, .len = len };
	if (afi == SESSION_IPV4)
		nlri_copy4(prefix->addr.b, bytes, len);
	else
		nlri_copy6(prefix, bytes);
	return true;
}

bool attr_nlri_valid(struct cursor c, enum session_afi afi)
{
	const uint8_t max = afi == SESSION_IPV4 ? 32 : 128;

	while (c.left) {
		uint8_t len = cursor_u8(&c);

		if (len > max || !cursor_bytes(&c, (len + 7u) / 8))
			return false;
	}
	return true;
}

void attr_nlri_put(struct cursor_out *out, const struct prefix *prefix)
{
	cursor_put_u8(out, prefix->len);
	cursor_put_bytes(out, prefix->addr.b, (prefix->len + 7u) / 8);
}

/* AS paths */

/* Adjacent sequences become one: how a path was cut for the wire is not a property of it. */
static bool path_append(struct attr_path *path, uint8_t type, const uint32_t *asns, size_t n)
{
	struct as_segment *last = path->n_segments ? &path->segments[path->n_segments - 1] : NULL;

	if (n > ATTR_ASNS_MAX - (size_t)path->n_asns)
		return false;
	if (!last || type != AS_SEQUENCE || last->type != AS_SEQUENCE) {
		if (path->n_segments == ATTR_SEGMENTS_MAX)
			return false;
		last = &path->segments[path->n_segments++];
		*last = (struct as_segment){ .type = type, .asns = path->asns + path->n_asns };
	}
	memcpy(path->asns + path->n_asns, asns, n * sizeof(*asns));
	path->n_asns = (uint16_t)(path->n_asns + n);
	last->count = (uint16_t)(last->count + n);
	return true;
}

/* RFC 7606 7.2, RFC 7607 (AS 0), RFC 5065 5 and RFC 6793 6 (confederation segments). */
static bool path_read(struct attr_path *path, struct cursor c, bool as4, bool skip_confed)
{
	uint32_t asns[UINT8_MAX];

	while (c.left) {
		uint8_t type = cursor_u8(&c), n = cursor_u8(&c);
		bool confed = type == AS_CONFED_SEQUENCE || type == AS_CONFED_SET;

		if (!n || type < AS_SET || type > AS_CONFED_SET || (confed && !skip_confed))
			return false;
		for (unsigned int i = 0; i < n; i++) {
			asns[i] = as4 ? cursor_u32(&c) : cursor_u16(&c);
			if (!asns[i])
				return false;
		}
		if (c.bad || (!confed && !path_append(path, type, asns, n)))
			return false;
	}
	return !c.bad;
}

/* A malformed path is no path, not the part before the error. */
static bool path_decode(struct attr_path *path, struct cursor c, bool as4, bool skip_confed)
{
	path->n_segments = 0;
	path->n_asns = 0;
	if (path_read(path, c, as4, skip_confed))
		return true;
	path->n_segments = 0;
	path->n_asns = 0;
	return false;
}

/* RFC 4271 9.1.2.2: a set counts as one. */
static unsigned int path_length(const struct attr_path *path)
{
	unsigned int len = 0;

	for (unsigned int i = 0; i < path->n_segments; i++)
		len += path->segments[i].type == AS_SEQUENCE ? path->segments[i].count : 1;
	return len;
}

/* RFC 6793 4.2.3: the part of AS_PATH that AS4_PATH does not cover, then AS4_PATH. */
static const struct attr_path *path_merge(struct attr_set *set)
{
	unsigned int old = path_length(&set->path), new = path_length(&set->path4);
	struct attr_path *out = &set->merged;
	unsigned int keep = old - new;

	if (old < new || !new)
		return &set->path;
	out->n_segments = 0;
	out->n_asns = 0;
	for (unsigned int i = 0; keep && i < set->path.n_segments; i++) {
		const struct as_segment *s = &set->path.segments[i];
		bool sequence = s->type == AS_SEQUENCE;
		unsigned int n = sequence && keep < s->count ? keep : s->count;

		if (!path_append(out, s->type, s->asns, n))
			return &set->path;
		keep -= sequence ? n : 1;
	}
	for (unsigned int i = 0; i < set->path4.n_segments; i++) {
		const struct as_segment *s = &set->path4.segments[i];

		if (!path_append(out, s->type, s->asns, s->count))
			return &set->path;
	}
	return out;
}

/* Decoders */

static enum attr_action decode_origin(struct attr_set *set, struct cursor *c,
				      const struct attr_peer *peer)
{
	set->attrs.origin = cursor_u8(c);
	return set->attrs.origin > ATTRS_ORIGIN_INCOMPLETE ? ATTR_WITHDRAW : ATTR_OK;
}

static enum attr_action decode_as_path(struct attr_set *set, struct cursor *c,
				       const struct attr_peer *peer)
{
	return path_decode(&set->path, *c, peer->as4, false) ? ATTR_OK : ATTR_WITHDRAW;
}

static enum attr_action decode_as4_path(struct attr_set *set, struct cursor *c,
					const struct attr_peer *peer)
{
	return path_decode(&set->path4, *c, true, true) ? ATTR_OK : ATTR_DISCARD;
}

static enum attr_action decode_next_hop(struct attr_set *set, struct cursor *c,
					const struct attr_peer *peer)
{
	set->next_hop4 = addr_read(c, AF_INET);
	return next_hop_good(&set->next_hop4, peer) ? ATTR_OK : ATTR_WITHDRAW;
}

static enum attr_action decode_med(struct attr_set *set, struct cursor *c,
				   const struct attr_peer *peer)
{
	set->attrs.med = cursor_u32(c);
	set->attrs.has_med = true;
	return ATTR_OK;
}

static enum attr_action decode_local_pref(struct attr_set *set, struct cursor *c,
					  const struct attr_peer *peer)
{
	set->attrs.local_pref = cursor_u32(c);
	set->attrs.has_local_pref = true;
	return ATTR_OK;
}

static enum attr_action decode_atomic(struct attr_set *set, struct cursor *c,
				      const struct attr_peer *peer)
{
	set->attrs.atomic_aggregate = true;
	return ATTR_OK;
}

static enum attr_action decode_aggregator(struct attr_set *set, struct cursor *c,
					  const struct attr_peer *peer)
{
	uint32_t as;

	if (c->left != (peer->as4 ? 8 : 6))
		return ATTR_DISCARD;
	as = peer->as4 ? cursor_u32(c) : cursor_u16(c);
	if (!as)
		return ATTR_DISCARD;
	set->attrs.aggregator_as = as;
	set->attrs.aggregator = addr_read(c, AF_INET);
	return ATTR_OK;
}

static enum attr_action decode_as4_aggregator(struct attr_set *set, struct cursor *c,
					      const struct attr_peer *peer)
{
	uint32_t as = cursor_u32(c);

	if (!as)
		return ATTR_DISCARD;
	set->as4_aggregator_as = as;
	set->as4_aggregator = addr_read(c, AF_INET);
	return ATTR_OK;
}

static enum attr_action decode_communities(struct attr_set *set, struct cursor *c,
					   const struct attr_peer *peer)
{
	uint16_t n = 0;

	while (c->left && n < ARRAY_SIZE(set->communities))
		set->communities[n++] = cursor_u32(c);
	set->attrs.communities = set->communities;
	set->attrs.n_communities = n;
	return ATTR_OK;
}

static enum attr_action decode_ext_communities(struct attr_set *set, struct cursor *c,
					       const struct attr_peer *peer)
{
	uint16_t n = 0;

	while (c->left && n < ARRAY_SIZE(set->ext_communities))
		set->ext_communities[n++] = cursor_u64(c);
	set->attrs.ext_communities = set->ext_communities;
	set->attrs.n_ext_communities = n;
	return ATTR_OK;
}

static enum attr_action decode_large_communities(struct attr_set *set, struct cursor *c,
						 const struct attr_peer *peer)
{
	uint16_t n = 0;

	while (c->left && n < ARRAY_SIZE(set->large_communities)) {
		struct large_community *l = &set->large_communities[n++];

		l->global = cursor_u32(c);
		l->local1 = cursor_u32(c);
		l->local2 = cursor_u32(c);
	}
	set->attrs.large_communities = set->large_communities;
	set->attrs.n_large_communities = n;
	return ATTR_OK;
}

/* RFC 4456 8: our own route, come back through a reflector. */
static enum attr_action decode_originator(struct attr_set *set, struct cursor *c,
					  const struct attr_peer *peer)
{
	return cursor_u32(c) == peer->router_id ? ATTR_WITHDRAW : ATTR_OK;
}

static enum attr_action decode_cluster_list(struct attr_set *set, struct cursor *c,
					    const struct attr_peer *peer)
{
	while (c->left)
		if (cursor_u32(c) == peer->router_id)
			return ATTR_WITHDRAW;
	return ATTR_OK;
}

static enum attr_action mp_next_hop(struct attr_set *set, struct cursor hop,
				    const struct attr_peer *peer)
{
	bool v4 = set->reach.afi == SESSION_IPV4;

	/* RFC 7606 7.11: the place of the NLRI cannot be trusted any more. */
	if (v4 && peer->next_hop6)
		v4 = hop.left == 4; /* RFC 8950 3: the length tells the family */
	if (v4 ? hop.left != 4 : hop.left != 16 && hop.left != 32)
		return ATTR_RESET;
	set->next_hop_mp = addr_read(&hop, v4 ? AF_INET : AF_INET6);
	if (hop.left) {
		set->link_local_mp = addr_read(&hop, AF_INET6);
		if (!addr_is_link_local(&set->link_local_mp))
			set->link_local_mp = (struct addr){ .family = AF_UNSPEC };
	}
	return next_hop_good(&set->next_hop_mp, peer) ? ATTR_OK : ATTR_WITHDRAW;
}

static enum attr_action decode_mp_reach(struct attr_set *set, struct cursor *c,
					const struct attr_peer *peer)
{
	struct attr_nlri *reach = &set->reach;
	enum attr_action action = ATTR_OK;
	uint16_t afi = cursor_u16(c);
	uint8_t safi = cursor_u8(c);
	struct cursor hop = cursor_sub(c, cursor_u8(c));

	cursor_u8(c); /* reserved, once the number of SNPAs */
	if (c->bad)
		return ATTR_RESET;
	reach->present = true;
	reach->prefixes = *c;
	reach->known = message_afi_known(afi, safi, &reach->afi) && peer->afi[reach->afi];
	if (!reach->known)
		return ATTR_OK;
	action = mp_next_hop(set, hop, peer);
	return attr_nlri_valid(*c, reach->afi) ? action : ATTR_RESET;
}

static enum attr_action decode_mp_unreach(struct attr_set *set, struct cursor *c,
					  const struct attr_peer *peer)
{
	struct attr_nlri *unreach = &set->unreach;
	uint16_t afi = cursor_u16(c);
	uint8_t safi = cursor_u8(c);

	unreach->present = true;
	unreach->prefixes = *c;
	unreach->known = message_afi_known(afi, safi, &unreach->afi) && peer->afi[unreach->afi];
	if (!unreach->known)
		return ATTR_OK;
	return attr_nlri_valid(*c, unreach->afi) ? ATTR_OK : ATTR_RESET;
}

/* From whom an attribute is taken; from others it is discarded unread. */
enum attr_from { FROM_ANY, FROM_INTERNAL, FROM_OLD /* 2-octet AS, RFC 6793 */ };

static const struct attr_type {
	uint8_t code, flags;
	enum attr_from from;
	uint16_t min, max, unit; /* octets: min, or more by unit up to max */
	enum attr_action bad_length; /* RFC 7606 7 */
	const char *name;
	enum attr_action (*decode)(struct attr_set *set, struct cursor *c,
				   const struct attr_peer *peer);
} attr_types[] = {
#define WELL_KNOWN BGP_ATTR_TRANSITIVE
#define OPTIONAL BGP_ATTR_OPTIONAL
#define OPTIONAL_TRANSITIVE (BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE)
#define ANY_LENGTH UINT16_MAX
	{ BGP_ATTR_ORIGIN, WELL_KNOWN, FROM_ANY, 1, 1, 1, ATTR_WITHDRAW, "ORIGIN", decode_origin },
	{ BGP_ATTR_AS_PATH, WELL_KNOWN, FROM_ANY, 0, ANY_LENGTH, 2, ATTR_WITHDRAW, "AS_PATH",
	  decode_as_path },
	{ BGP_ATTR_NEXT_HOP, WELL_KNOWN, FROM_ANY, 4, 4, 1, ATTR_WITHDRAW, "NEXT_HOP",
	  decode_next_hop },
	{ BGP_ATTR_MED, OPTIONAL, FROM_ANY, 4, 4, 1, ATTR_WITHDRAW, "MULTI_EXIT_DISC", decode_med },
	{ BGP_ATTR_LOCAL_PREF, WELL_KNOWN, FROM_INTERNAL, 4, 4, 1, ATTR_WITHDRAW, "LOCAL_PREF",
	  decode_local_pref },
	{ BGP_ATTR_ATOMIC_AGGREGATE, WELL_KNOWN, FROM_ANY, 0, 0, 1, ATTR_DISCARD,
	  "ATOMIC_AGGREGATE", decode_atomic },
	{ BGP_ATTR_AGGREGATOR, OPTIONAL_TRANSITIVE, FROM_ANY, 6, 8, 2, ATTR_DISCARD, "AGGREGATOR",
	  decode_aggregator },
	{ BGP_ATTR_COMMUNITIES, OPTIONAL_TRANSITIVE, FROM_ANY, 4, ANY_LENGTH, 4, ATTR_WITHDRAW,
	  "COMMUNITIES", decode_communities },
	{ BGP_ATTR_ORIGINATOR_ID, OPTIONAL, FROM_INTERNAL, 4, 4, 1, ATTR_WITHDRAW, "ORIGINATOR_ID",
	  decode_originator },
	{ BGP_ATTR_CLUSTER_LIST, OPTIONAL, FROM_INTERNAL, 4, ANY_LENGTH, 4, ATTR_WITHDRAW,
	  "CLUSTER_LIST", decode_cluster_list },
	{ BGP_ATTR_MP_REACH, OPTIONAL, FROM_ANY, 5, ANY_LENGTH, 1, ATTR_RESET, "MP_REACH_NLRI",
	  decode_mp_reach },
	{ BGP_ATTR_MP_UNREACH, OPTIONAL, FROM_ANY, 3, ANY_LENGTH, 1, ATTR_RESET, "MP_UNREACH_NLRI",
	  decode_mp_unreach },
	{ BGP_ATTR_EXT_COMMUNITIES, OPTIONAL_TRANSITIVE, FROM_ANY, 8, ANY_LENGTH, 8, ATTR_WITHDRAW,
	  "EXTENDED COMMUNITIES", decode_ext_communities },
	{ BGP_ATTR_AS4_PATH, OPTIONAL_TRANSITIVE, FROM_OLD, 6, ANY_LENGTH, 2, ATTR_DISCARD,
	  "AS4_PATH", decode_as4_path },
	{ BGP_ATTR_AS4_AGGREGATOR, OPTIONAL_TRANSITIVE, FROM_OLD, 8, 8, 1, ATTR_DISCARD,
	  "AS4_AGGREGATOR", decode_as4_aggregator },
	{ BGP_ATTR_LARGE_COMMUNITIES, OPTIONAL_TRANSITIVE, FROM_ANY, 12, ANY_LENGTH, 12,
	  ATTR_WITHDRAW, "LARGE_COMMUNITY", decode_large_communities },
};

static const struct attr_type *type_find(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(attr_types); i++)
		if (attr_types[i].code == code)
			return &attr_types[i];
	return NULL;
}

static bool type_is_mp(const struct attr_type *type)
{
	return type->code == BGP_ATTR_MP_REACH || type->code == BGP_ATTR_MP_UNREACH;
}

static bool type_is_taken(const struct attr_type *type, const struct attr_peer *peer)
{
	switch (type->from) {
	case FROM_INTERNAL:
		return peer->internal;
	case FROM_OLD:
		return !peer->as4;
	default:
		return true;
	}
}

/* An attribute as it came: flags, code, value, and all of it for the NOTIFICATION's data. */
struct attr_raw {
	uint8_t flags, code;
	struct cursor value;
	const uint8_t *start;
	size_t size;
};

static bool raw_reset(const struct attr_raw *raw, uint8_t subcode, struct bgp_error *error,
		      const char *what)
{
	return bgp_error_set(error, BGP_ERROR_UPDATE, subcode, raw->start, raw->size,
			     "attribute %u: %s", raw->code, what);
}

/* False: reset. */
static bool attr_decode(struct attr_set *set, const struct attr_type *type,
			const struct attr_raw *raw, const struct attr_peer *peer,
			struct bgp_error *error)
{
	struct cursor value = raw->value;
	enum attr_action action;

	if (!type_is_taken(type, peer)) {
		set_note(set, ATTR_DISCARD, "%s from this kind of peer", type->name);
		return true;
	}
	/* RFC 7606 3 (c). The routes in a multiprotocol attribute must still be found. */
	if ((raw->flags ^ type->flags) & (BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE)) {
		set_note(set, ATTR_WITHDRAW, "%s with flags 0x%02x", type->name, raw->flags);
		if (!type_is_mp(type))
			return true;
	}
	if (value.left > BGP_MESSAGE_MAX && !type_is_mp(type)) {
		set_note(set, ATTR_WITHDRAW, "%s of %zu octets, more than is kept", type->name,
			 value.left);
		return true;
	}
	if (value.left < type->min || value.left > type->max ||
	    (value.left - type->min) % type->unit)
		action = type->bad_length;
	else
		action = type->decode(set, &value, peer);
	if (action == ATTR_RESET)
		return raw_reset(raw, BGP_UPDATE_OPTIONAL_ATTRIBUTE, error, "malformed");
	set_note(set, action, "malformed %s of %zu octets", type->name, raw->value.left);
	return true;
}

/* False: no whole attribute is left; the rest cannot be read (RFC 7606 4). */
static bool raw_next(struct cursor *c, struct attr_raw *raw)
{
	raw->start = c->at;
	raw->flags = cursor_u8(c);
	raw->code = cursor_u8(c);
	raw->value = cursor_sub(c, raw->flags & BGP_ATTR_EXTENDED ? cursor_u16(c) : cursor_u8(c));
	raw->size = (size_t)(c->at - raw->start);
	return !c->bad;
}

/* False: reset. */
static bool raw_decode(struct attr_set *set, const struct attr_raw *raw,
		       const struct attr_peer *peer, struct bgp_error *error)
{
	const struct attr_type *type = type_find(raw->code);

	/* RFC 7606 3 (g) */
	if (attr_set_has(set, raw->code)) {
		if (type && type_is_mp(type))
			return bgp_error_set(error, BGP_ERROR_UPDATE, BGP_UPDATE_ATTRIBUTE_LIST,
					     NULL, 0, "%s appears twice", type->name);
		set_note(set, ATTR_DISCARD, "attribute %u appears twice", raw->code);
		return true;
	}
	set->seen[raw->code / 64] |= 1ull << (raw->code % 64);
	if (type)
		return attr_decode(set, type, raw, peer, error);
	if (!(raw->flags & BGP_ATTR_OPTIONAL))
		return raw_reset(raw, BGP_UPDATE_UNKNOWN_WELL_KNOWN, error,
				 "well-known but unknown");
	/* Nothing that was learned is ever passed on, so what is unknown has no use. */
	return true;
}

/* RFC 8326 4.1: a neighbour that is about to go says so, and its path yields to every other. */
static void graceful_shutdown(struct attrs *attrs)
{
	for (size_t i = 0; i < attrs->n_communities; i++) {
		if (attrs->communities[i] != BGP_COMMUNITY_GRACEFUL_SHUTDOWN)
			continue;
		attrs->has_local_pref = true;
		attrs->local_pref = 0;
	}
}

/* What earlier attributes of the set mean together. */
static void set_finish(struct attr_set *set, const struct attr_peer *peer)
{
	const struct attr_path *path = &set->path;
	struct attrs *attrs = &set->attrs;
	bool new_aggregator = attrs->aggregator_as && attrs->aggregator_as != BGP_AS_TRANS;

	/* RFC 6793 4.2.3: an AGGREGATOR with a real number was set by an old speaker later on. */
	if (!peer->as4 && !(new_aggregator && set->as4_aggregator_as)) {
		if (attrs->aggregator_as && set->as4_aggregator_as) {
			attrs->aggregator_as = set->as4_aggregator_as;
			attrs->aggregator = set->as4_aggregator;
		}
		path = path_merge(set);
	}
	attrs->segments = path->segments;
	attrs->n_segments = path->n_segments;
	/* An internal peer has set the preference itself. */
	if (!peer->internal)
		graceful_shutdown(attrs);
}

bool attr_set_decode(struct attr_set *set, struct cursor c, const struct attr_peer *peer,
		     struct bgp_error *error)
{
	struct attr_raw raw;

	memset(set, 0, offsetof(struct attr_set, path));
	set->path.n_segments = set->path.n_asns = 0;
	set->path4.n_segments = set->path4.n_asns = 0;
	while (c.left) {
		set->count++;
		if (!raw_next(&c, &raw)) {
			set_note(set, ATTR_WITHDRAW, "attribute longer than the list");
			break;
		}
		if (!raw_decode(set, &raw, peer, error))
			return false;
	}
	set_finish(set, peer);
	return true;
}
