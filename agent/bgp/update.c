// SPDX-License-Identifier: GPL-2.0-only
/*
 * UPDATE: IPv4 in the classic fields, IPv6 (and IPv4 from those who like it)
 * in MP_REACH_NLRI and MP_UNREACH_NLRI. IPv4 whose next hop is IPv6 (RFC 8950) is
 * announced there too, and withdrawn in the classic field.
 */
#include "bgp/update.h"

#include <stdio.h>
#include <string.h>

/* Withdrawn, attributes, NLRI of one message. */
struct update_parts {
	struct cursor withdrawn, attributes, nlri;
};

/* RFC 4271 6.3, RFC 7606 3 (a), (i), (j): these leave no way to know which routes are meant. */
static bool parts_split(struct cursor body, struct update_parts *parts, struct bgp_error *error)
{
	parts->withdrawn = cursor_sub(&body, cursor_u16(&body));
	parts->attributes = cursor_sub(&body, cursor_u16(&body));
	if (body.bad)
		return bgp_error_set(error, BGP_ERROR_UPDATE, BGP_UPDATE_ATTRIBUTE_LIST, NULL, 0,
				     "lengths exceed the message");
	parts->nlri = cursor_sub(&body, body.left);
	if (!attr_nlri_valid(parts->withdrawn, SESSION_IPV4) ||
	    !attr_nlri_valid(parts->nlri, SESSION_IPV4))
		return bgp_error_set(error, BGP_ERROR_UPDATE, BGP_UPDATE_NETWORK, NULL, 0,
				     "malformed prefix");
	return true;
}

/* RFC 4724 2: an UPDATE without anything, or with an empty MP_UNREACH_NLRI alone. */
static bool parts_end_of_rib(const struct update_parts *parts, const struct attr_set *set,
			     enum session_afi *afi)
{
	if (parts->withdrawn.left || parts->nlri.left)
		return false;
	if (!parts->attributes.left) {
		*afi = SESSION_IPV4;
		return true;
	}
	*afi = set->unreach.afi;
	return set->count == 1 && set->action == ATTR_OK && set->unreach.known &&
	       !set->unreach.prefixes.left;
}

static const char *mandatory_missing(const struct update_parts *parts, const struct attr_set *set)
{
	if (!attr_set_has(set, BGP_ATTR_ORIGIN))
		return "ORIGIN";
	if (!attr_set_has(set, BGP_ATTR_AS_PATH))
		return "AS_PATH";
	if (parts->nlri.left && !attr_set_has(set, BGP_ATTR_NEXT_HOP))
		return "NEXT_HOP";
	return NULL;
}

/* RFC 7606 3 (d) and 5.2; false: reset. */
static bool set_judge(const struct update_parts *parts, struct attr_set *set,
		      struct bgp_error *error)
{
	bool reach = parts->nlri.left || (set->reach.present && set->reach.prefixes.left);
	const char *missing = reach ? mandatory_missing(parts, set) : NULL;
	bool others = set->count > (set->unreach.present ? 1u : 0u);

	if (missing && set->action < ATTR_WITHDRAW) {
		set->action = ATTR_WITHDRAW;
		snprintf(set->reason, sizeof(set->reason), "no %s", missing);
	}
	if (set->action == ATTR_WITHDRAW && !reach && others)
		return bgp_error_set(error, BGP_ERROR_UPDATE, BGP_UPDATE_ATTRIBUTE_LIST, NULL, 0,
				     "%s, and no route it belongs to", set->reason);
	return true;
}

/* Of a list of withdrawals, so many prefixes ahead are expected. */
#define AHEAD 16

/*
 * What is withdrawn is there, and mostly not in the processor's cache. For announcements it
 * would be of no use: a new entry reads little of what is there.
 */
static void withdraw_all(struct cursor c, enum session_afi afi, const struct update_sink *sink,
			 void *ctx)
{
	struct cursor ahead = c;
	struct prefix prefix;

	for (unsigned int i = 0; sink->expect && i < AHEAD; i++)
		if (attr_nlri_next(&ahead, afi, &prefix))
			sink->expect(ctx, &prefix);
	while (attr_nlri_next(&c, afi, &prefix)) {
		struct prefix later;

		if (sink->expect && attr_nlri_next(&ahead, afi, &later))
			sink->expect(ctx, &later);
		sink->withdraw(ctx, &prefix);
	}
}

static bool announce_all(struct cursor c, enum session_afi afi, const struct attrs *draft,
			 const struct update_sink *sink, void *ctx, struct bgp_error *error)
{
	const struct attrs *attrs;
	struct prefix prefix;

	if (!c.left)
		return true;
	attrs = attrs_intern(draft);
	if (!attrs)
		return bgp_error_set(error, BGP_ERROR_CEASE, BGP_CEASE_RESOURCES, NULL, 0,
				     "out of memory");
	while (attr_nlri_next(&c, afi, &prefix))
		sink->route(ctx, &prefix, attrs);
	attrs_put(attrs);
	return true;
}

static bool deliver(const struct update_parts *parts, struct attr_set *set,
		    const struct attr_peer *peer, const struct update_sink *sink, void *ctx,
		    struct bgp_error *error)
{
	static const struct cursor none;
	struct cursor nlri = peer->afi[SESSION_IPV4] ? parts->nlri : none;
	struct cursor mp = set->reach.known ? set->reach.prefixes : none;

	if (peer->afi[SESSION_IPV4])
		withdraw_all(parts->withdrawn, SESSION_IPV4, sink, ctx);
	if (set->unreach.known)
		withdraw_all(set->unreach.prefixes, set->unreach.afi, sink, ctx);
	if (set->action == ATTR_WITHDRAW) {
		withdraw_all(nlri, SESSION_IPV4, sink, ctx);
		withdraw_all(mp, set->reach.afi, sink, ctx);
		return true;
	}
	set->attrs.next_hop = set->next_hop4;
	if (!announce_all(nlri, SESSION_IPV4, &set->attrs, sink, ctx, error))
		return false;
	set->attrs.next_hop = set->next_hop_mp;
	set->attrs.link_local = set->link_local_mp;
	return announce_all(mp, set->reach.afi, &set->attrs, sink, ctx, error);
}

bool update_decode(struct cursor body, const struct attr_peer *peer,
		   const struct update_sink *sink, void *ctx, struct update_result *result,
		   struct bgp_error *error)
{
	struct update_parts parts;
	/*
	 * Ninety kilobytes, of which its decoder initialises what it reads; on the stack they
	 * would be probed page by page. One thread decodes, and no callback does.
	 */
	static struct attr_set set;
	enum session_afi afi;

	result->action = ATTR_OK;
	result->reason[0] = '\0';
	if (!parts_split(body, &parts, error) ||
	    !attr_set_decode(&set, parts.attributes, peer, error))
		return false;
	if (parts_end_of_rib(&parts, &set, &afi)) {
		if (peer->afi[afi])
			sink->end_of_rib(ctx, afi);
		return true;
	}
	if (!set_judge(&parts, &set, error))
		return false;
	result->action = set.action;
	if (set.action != ATTR_OK)
		snprintf(result->reason, sizeof(result->reason), "%s", set.reason);
	return deliver(&parts, &set, peer, sink, ctx, error);
}

/* Writing */

/* Head of MP_REACH_NLRI or MP_UNREACH_NLRI, always with the extended length. */
static void mp_begin(struct update_writer *w, uint8_t code, const struct addr *next_hop)
{
	cursor_put_u8(&w->out, BGP_ATTR_OPTIONAL | BGP_ATTR_EXTENDED);
	cursor_put_u8(&w->out, code);
	w->mp_at = w->out.len;
	cursor_put_u16(&w->out, 0);
	cursor_put_u16(&w->out, message_afi(w->afi));
	cursor_put_u8(&w->out, BGP_SAFI_UNICAST);
	if (!next_hop)
		return;
	cursor_put_u8(&w->out, 16);
	cursor_put_bytes(&w->out, next_hop->b, 16);
	cursor_put_u8(&w->out, 0);
}

static void begin_announce(struct update_writer *w, const struct attr_peer *peer,
			   const struct attrs *attrs)
{
	struct cursor_out tail = cursor_out_make(w->tail, sizeof(w->tail));

	cursor_put_u16(&w->out, 0); /* nothing withdrawn */
	w->attrs_at = w->out.len;
	cursor_put_u16(&w->out, 0);
	attr_encode(&tail, attrs, peer, w->afi);
	w->mp = w->afi != SESSION_IPV4 || peer->next_hop[SESSION_IPV4].family == AF_INET6;
	if (!w->mp) {
		cursor_put_bytes(&w->out, tail.data, tail.len);
		cursor_patch_u16(&w->out, w->attrs_at, (uint16_t)tail.len);
	} else {
		/* RFC 7606 5.1: MP_REACH_NLRI comes first. */
		mp_begin(w, BGP_ATTR_MP_REACH, &peer->next_hop[w->afi]);
		w->tail_len = tail.len;
	}
	if (tail.bad)
		w->out.bad = true;
}

static void begin_withdraw(struct update_writer *w)
{
	/* IPv4: this is the withdrawn length, and the tail is the attributes' one. */
	w->attrs_at = w->out.len;
	cursor_put_u16(&w->out, 0);
	w->mp = w->afi != SESSION_IPV4;
	if (!w->mp) {
		memset(w->tail, 0, 2);
		w->tail_len = 2;
		return;
	}
	w->attrs_at = w->out.len;
	cursor_put_u16(&w->out, 0);
	mp_begin(w, BGP_ATTR_MP_UNREACH, NULL);
}

size_t update_message_max(const struct attr_peer *peer)
{
	return peer->message_max ? peer->message_max : BGP_MESSAGE_MAX;
}

bool update_begin(struct update_writer *w, uint8_t *buf, const struct attr_peer *peer,
		  enum session_afi afi, const struct attrs *attrs)
{
	w->max = update_message_max(peer);
	w->out = cursor_out_make(buf, w->max);
	w->afi = afi;
	w->withdraw = !attrs;
	w->tail_len = 0;
	message_begin(&w->out, BGP_UPDATE);
	if (attrs)
		begin_announce(w, peer, attrs);
	else
		begin_withdraw(w);
	w->limit = w->max - w->tail_len;
	/* The longest prefix must fit, or update_add() could fail on an empty message. */
	return !w->out.bad && w->out.len + 17 <= w->limit;
}

bool update_add(struct update_writer *w, const struct prefix *prefix)
{
	if (w->out.len + 1 + (prefix->len + 7u) / 8 > w->limit)
		return false;
	attr_nlri_put(&w->out, prefix);
	return true;
}

size_t update_end(struct update_writer *w)
{
	size_t list = w->out.len - w->attrs_at - 2;

	if (w->mp) {
		cursor_patch_u16(&w->out, w->mp_at, (uint16_t)(w->out.len - w->mp_at - 2));
		list += w->tail_len;
	}
	if (w->withdraw || w->mp)
		cursor_patch_u16(&w->out, w->attrs_at, (uint16_t)list);
	cursor_put_bytes(&w->out, w->tail, w->tail_len);
	message_end(&w->out, 0);
	return w->out.len;
}

void update_encode_end_of_rib(struct cursor_out *out, enum session_afi afi)
{
	size_t start = message_begin(out, BGP_UPDATE);

	cursor_put_u16(out, 0);
	if (afi == SESSION_IPV4) {
		cursor_put_u16(out, 0);
	} else {
		cursor_put_u16(out, 6);
		cursor_put_u8(out, BGP_ATTR_OPTIONAL);
		cursor_put_u8(out, BGP_ATTR_MP_UNREACH);
		cursor_put_u8(out, 3);
		cursor_put_u16(out, message_afi(afi));
		cursor_put_u8(out, BGP_SAFI_UNICAST);
	}
	message_end(out, start);
}
