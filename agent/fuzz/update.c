// SPDX-License-Identifier: GPL-2.0-only
/*
 * UPDATE: the first octet says what was negotiated and who the peer is, the rest is
 * the body.
 *
 * What was decoded is encoded and decoded again, with 4-octet and with 2-octet AS
 * numbers: the same interned set must come out. What cannot be encoded must be found
 * out before, not be cut.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/update.h"
#include "tests/bgp_cases.h"
#include "tests/bgp_malformed.h"

enum { BIT_AS4 = 1, BIT_INTERNAL = 2, BIT_NO_IPV4 = 4, BIT_NO_IPV6 = 8, BIT_NEXT_HOP6 = 16 };

/* One list of prefixes each, the classic one and that of MP_REACH_NLRI. */
#define LISTS 2

/* The decoder may not be called from its sink: what comes is looked at afterwards. */
struct seen {
	const struct attr_peer *peer;
	const struct attrs *attrs[LISTS]; /* references */
	struct prefix prefix[LISTS]; /* the first of its list */
	unsigned int n, calls;
};

static enum session_afi prefix_afi(const struct prefix *prefix)
{
	FUZZ_CHECK(prefix->addr.family == AF_INET || prefix->addr.family == AF_INET6);
	return prefix->addr.family == AF_INET ? SESSION_IPV4 : SESSION_IPV6;
}

static void check_prefix(const struct seen *seen, const struct prefix *prefix)
{
	struct prefix same = *prefix;
	char text[PREFIX_STRLEN];

	FUZZ_CHECK(seen->peer->afi[prefix_afi(prefix)]);
	FUZZ_CHECK(prefix->len <= addr_bits(prefix->addr.family));
	prefix_normalize(&same);
	FUZZ_CHECK(prefix_equal(&same, prefix));
	fuzz_check_text(prefix_format(prefix, text, sizeof(text)));
}

static void check_path(const struct attrs *attrs)
{
	static const size_t sizes[] = { 1, 2, 9, 64, 32768 };
	static char text[32768];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		attrs_format_path(attrs, text, sizes[i]);
		FUZZ_CHECK(memchr(text, '\0', sizes[i]));
		fuzz_check_text(text);
	}
}

/* ---- again ---- */

struct again {
	const struct attrs *attrs; /* reference */
	unsigned int routes, others;
};

static void again_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct again *again = ctx;

	attrs_put(again->attrs);
	again->attrs = attrs_get(attrs);
	again->routes++;
}

static void again_withdraw(void *ctx, const struct prefix *prefix)
{
	((struct again *)ctx)->others++;
}

static void again_end_of_rib(void *ctx, enum session_afi afi)
{
	((struct again *)ctx)->others++;
}

static const struct update_sink again_sink = { again_route, again_withdraw, again_end_of_rib,
					       NULL };

/* One prefix with these attributes to this peer and back. NULL: they do not fit. A reference. */
static const struct attrs *there_and_back(const struct attrs *attrs, const struct attr_peer *peer,
					  const struct prefix *prefix)
{
	struct attr_peer receiver = *peer;
	uint8_t *buf = malloc(BGP_MESSAGE_MAX), type;
	struct again again = { .routes = 0 };
	struct update_result result;
	struct update_writer w;
	struct bgp_error error;
	size_t len, size;

	FUZZ_CHECK(buf);
	/* To the peer our address is a good next hop. */
	receiver.local = (struct addr){ .family = AF_UNSPEC };
	receiver.remote = peer->next_hop[prefix_afi(prefix)];
	if (update_begin(&w, buf, peer, prefix_afi(prefix), attrs)) {
		FUZZ_CHECK(update_add(&w, prefix));
		len = update_end(&w);
		FUZZ_CHECK(message_header_decode(buf, &size, &type, &error));
		FUZZ_CHECK(size == len && type == BGP_UPDATE);
		FUZZ_CHECK(update_decode(cursor_make(buf + BGP_HEADER_SIZE, len - BGP_HEADER_SIZE),
					 &receiver, &again_sink, &again, &result, &error));
		FUZZ_CHECK(result.action == ATTR_OK && again.routes == 1 && !again.others);
	}
	free(buf);
	return again.attrs;
}

/* What an internal peer gets is what we have, but for what is not passed on. */
static void round_trip(const struct attrs *attrs, const struct prefix *prefix, bool as4)
{
	struct attr_peer peer = {
		.as4 = as4, .internal = true, .afi = { true, true }, .local_as = 65000,
	};
	struct attrs draft = *attrs;
	const struct attrs *want, *got;

	if (attrs->next_hop.family != prefix->addr.family)
		return;
	peer.next_hop[prefix_afi(prefix)] = attrs->next_hop;
	draft.link_local = (struct addr){ .family = AF_UNSPEC };
	if (!draft.has_local_pref)
		draft.local_pref = 100;
	draft.has_local_pref = true;
	want = attrs_intern(&draft);
	FUZZ_CHECK(want);
	got = there_and_back(want, &peer, prefix);
	FUZZ_CHECK(!got || got == want);
	attrs_put(got);
	attrs_put(want);
}

/* An external peer gets our AS in front. */
static void prepended(const struct attrs *attrs, const struct prefix *prefix, bool as4)
{
	struct attr_peer peer = { .as4 = as4, .afi = { true, true }, .local_as = 4200000007 };
	const struct attrs *got;

	if (attrs->next_hop.family != prefix->addr.family)
		return;
	peer.next_hop[prefix_afi(prefix)] = attrs->next_hop;
	got = there_and_back(attrs, &peer, prefix);
	if (!got)
		return;
	FUZZ_CHECK(got->as_path_len == attrs->as_path_len + 1);
	FUZZ_CHECK(got->neighbour_as == 4200000007);
	attrs_put(got);
}

/* ---- the message ---- */

static void seen_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct seen *seen = ctx;

	seen->calls++;
	check_prefix(seen, prefix);
	FUZZ_CHECK(addr_is_set(&attrs->next_hop));
	FUZZ_CHECK(attrs->origin <= ATTRS_ORIGIN_INCOMPLETE);
	if (seen->n && seen->attrs[seen->n - 1] == attrs &&
	    prefix_afi(&seen->prefix[seen->n - 1]) == prefix_afi(prefix))
		return;
	FUZZ_CHECK(seen->n < LISTS);
	seen->prefix[seen->n] = *prefix;
	seen->attrs[seen->n++] = attrs_get(attrs);
}

static void look_at(struct seen *seen)
{
	for (unsigned int i = 0; i < seen->n; i++) {
		check_path(seen->attrs[i]);
		for (int as4 = 0; as4 < 2; as4++) {
			round_trip(seen->attrs[i], &seen->prefix[i], as4);
			prepended(seen->attrs[i], &seen->prefix[i], as4);
		}
		attrs_put(seen->attrs[i]);
	}
}

static void seen_withdraw(void *ctx, const struct prefix *prefix)
{
	struct seen *seen = ctx;

	seen->calls++;
	check_prefix(seen, prefix);
}

static void seen_end_of_rib(void *ctx, enum session_afi afi)
{
	struct seen *seen = ctx;

	FUZZ_CHECK(seen->peer->afi[afi] && !seen->calls);
	seen->calls++;
}

static void seen_expect(void *ctx, const struct prefix *prefix)
{
	check_prefix(ctx, prefix);
}

static const struct update_sink seen_sink = { seen_route, seen_withdraw, seen_end_of_rib,
					      seen_expect };

static void update_run(const uint8_t *data, size_t size)
{
	struct attr_peer peer = { .local_as = 65000, .router_id = 0x0a000001 };
	struct seen seen = { .peer = &peer };
	struct update_result result;
	struct bgp_error error;

	if (!size || size > BGP_MESSAGE_MAX - BGP_HEADER_SIZE)
		return;
	peer.as4 = data[0] & BIT_AS4;
	peer.internal = data[0] & BIT_INTERNAL;
	peer.afi[SESSION_IPV4] = !(data[0] & BIT_NO_IPV4);
	peer.afi[SESSION_IPV6] = !(data[0] & BIT_NO_IPV6);
	peer.next_hop6 = data[0] & BIT_NEXT_HOP6;
	addr_parse("10.0.0.1", &peer.local);
	addr_parse("10.0.0.2", &peer.remote);
	if (update_decode(cursor_make(data + 1, size - 1), &peer, &seen_sink, &seen, &result,
			  &error)) {
		fuzz_check_text(result.reason);
		FUZZ_CHECK((result.action == ATTR_OK) == !result.reason[0]);
	} else {
		/* Nothing was done, and nothing is told that was not in the message. */
		fuzz_check_text(error.reason);
		FUZZ_CHECK(!seen.calls && error.data_len < size);
	}
	look_at(&seen);
	FUZZ_CHECK(!attrs_count());
}

static void update_seeds(fuzz_add add)
{
	static const uint8_t bits[] = { BIT_AS4, 0, BIT_AS4 | BIT_INTERNAL };
	uint8_t body[1 + BGP_MESSAGE_MAX];

	for (size_t i = 0; i < N_MALFORMED; i++)
		for (int sort = 0; malformed_cases[i].type == M_UPDATE && sort < N_SORTS; sort++) {
			if (!(malformed_cases[i].sorts & 1u << sort))
				continue;
			body[0] = bits[sort];
			add(body, 1 + malformed_body(&malformed_cases[i], (enum malformed_sort)sort,
						     body + 1, BGP_MESSAGE_MAX));
		}
	for (size_t i = 0; i < N_UPDATE_CASES; i++) {
		body[0] = bits[update_cases[i].peer];
		add(body, 1 + case_body(&update_cases[i], body + 1, BGP_MESSAGE_MAX));
	}
}

const struct fuzz_target fuzz_update = { "update", BGP_MESSAGE_MAX, update_run, update_seeds };
