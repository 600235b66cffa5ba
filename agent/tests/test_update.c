// SPDX-License-Identifier: GPL-2.0-only
/*
 * UPDATE: the table of cases, what attributes decode to, that what is encoded
 * decodes to the same, and mutated messages. The queue that makes the messages
 * is tested against a plain model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/outqueue.h"
#include "bgp/update.h"
#include "bgp_cases.h"
#include "lib/pmap.h"

struct record {
	char log[2000];
	const struct attrs *last; /* reference */
	size_t calls;
	bool quiet;
};

static void record_add(struct record *r, const char *sign, const struct prefix *prefix)
{
	char text[PREFIX_STRLEN];

	r->calls++;
	if (!r->quiet)
		case_log(r->log, sizeof(r->log), sign, prefix_format(prefix, text, sizeof(text)));
}

static void record_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct record *r = ctx;

	record_add(r, "+", prefix);
	assert_true(addr_is_set(&attrs->next_hop));
	attrs_put(r->last);
	r->last = attrs_get(attrs);
}

static void record_withdraw(void *ctx, const struct prefix *prefix)
{
	record_add(ctx, "-", prefix);
}

static void record_eor(void *ctx, enum session_afi afi)
{
	struct record *r = ctx;

	r->calls++;
	case_log(r->log, sizeof(r->log), "eor", afi == SESSION_IPV4 ? "4" : "6");
}

static const struct update_sink record_sink = { record_route, record_withdraw, record_eor,
						NULL };

static struct attr_peer peer_of(enum case_peer kind)
{
	struct attr_peer peer = {
		.as4 = kind != PEER_OLD, .internal = kind == PEER_INTERNAL, .afi = { true, true },
		.local_as = kind == PEER_INTERNAL ? 65001 : 65000, .router_id = 0x0a000001,
	};

	addr_parse("10.0.0.1", &peer.local);
	peer.next_hop[SESSION_IPV4] = peer.local;
	addr_parse("2001:db8::1", &peer.next_hop[SESSION_IPV6]);
	return peer;
}

static bool decode(const uint8_t *body, size_t len, const struct attr_peer *peer, struct record *r,
		   struct update_result *result)
{
	/* Of exactly this size: ASan sees every octet too much. */
	uint8_t *exact = malloc(len ? len : 1);
	struct bgp_error error;
	bool good;

	memcpy(exact, body, len);
	good = update_decode(cursor_make(exact, len), peer, &record_sink, r, result, &error);
	free(exact);
	if (!good) {
		char text[16];

		/* A reset must not have changed anything before. */
		assert_int_equal(r->calls, 0);
		assert_in_range(error.data_len, 0, len);
		snprintf(text, sizeof(text), "%u/%u", error.code, error.subcode);
		case_log(r->log, sizeof(r->log), "reset ", text);
	}
	return good;
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < N_UPDATE_CASES; i++) {
		const struct update_case *c = &update_cases[i];
		struct attr_peer peer = peer_of(c->peer);
		uint8_t body[BGP_MESSAGE_MAX];
		struct record r = { .log = "" };
		struct update_result result;

		decode(body, case_body(c, body, sizeof(body)), &peer, &r, &result);
		attrs_put(r.last);
		if (strcmp(r.log, c->expect))
			fail_msg("%s: \"%s\", expected \"%s\" (%s)", c->name, r.log, c->expect,
				 result.reason);
	}
	assert_int_equal(attrs_count(), 0);
}

/* Routes of a family that was not negotiated are read over, in either form. */
static void test_not_negotiated(void **state)
{
	static const struct update_case cases[] = {
		{ "", PEER_NEW, "18 0a0200", BASE, NET, "" },
		{ "", PEER_NEW, "18 0a0200", ORIGIN HOP, NET, "" },
		{ "", PEER_NEW, "", REACH6("40 20010db800010000", "1e") BASE, NET, "" },
		{ "", PEER_NEW, "", "800f0c 000201 40 20010db800010000", "", "" },
		{ "", PEER_NEW, "", "800f03 000201", "", "" },
		{ "", PEER_NEW, "", "", "", "" },
	};
	struct attr_peer peer = peer_of(PEER_NEW);

	peer.afi[SESSION_IPV4] = peer.afi[SESSION_IPV6] = false;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t body[BGP_MESSAGE_MAX];
		struct record r = { .log = "" };
		struct update_result result;

		assert_true(decode(body, case_body(&cases[i], body, sizeof(body)), &peer, &r,
				   &result));
		assert_string_equal(r.log, "");
	}
	assert_int_equal(attrs_count(), 0);
}

/* Attributes of the one route in the message. */
static const struct attrs *decode_attrs(enum case_peer kind, const char *attributes)
{
	struct update_case c = { "", kind, "", attributes, NET, UP };
	struct attr_peer peer = peer_of(kind);
	uint8_t body[BGP_MESSAGE_MAX];
	struct record r = { .log = "" };
	struct update_result result;

	decode(body, case_body(&c, body, sizeof(body)), &peer, &r, &result);
	assert_string_equal(r.log, UP);
	return r.last;
}

static void test_values(void **state)
{
	const struct attrs *a = decode_attrs(PEER_NEW,
		"400101 02 400210 0202 0000fde9 fa56ea01 0101 00000007 " HOP
		"800404 00000102 400600 c00708 fa56ea01 0a000009 c00808 fde90001 ffffff01"
		"c01008 0002fde900000064 c0200c 00000001 00000002 00000003");
	char path[100];

	assert_int_equal(a->origin, ATTRS_ORIGIN_INCOMPLETE);
	assert_string_equal(attrs_format_path(a, path, sizeof(path)), "65001 4200000001 {7}");
	assert_int_equal(a->as_path_len, 3);
	assert_int_equal(a->neighbour_as, 65001);
	assert_true(a->has_med && a->med == 0x102 && a->atomic_aggregate);
	assert_int_equal(a->aggregator_as, 4200000001);
	assert_int_equal(a->n_communities, 2);
	assert_int_equal(a->communities[1], 0xffffff01);
	assert_int_equal(a->n_ext_communities, 1);
	assert_int_equal(a->ext_communities[0], 0x0002fde900000064);
	assert_int_equal(a->n_large_communities, 1);
	assert_int_equal(a->large_communities[0].local2, 3);
	assert_int_equal(a->next_hop.b[3], 2);
	attrs_put(a);
	/* LOCAL_PREF counts from inside only. */
	a = decode_attrs(PEER_INTERNAL, BASE "400504 000000c8");
	assert_true(a->has_local_pref && a->local_pref == 200);
	attrs_put(a);
	a = decode_attrs(PEER_NEW, BASE "400504 000000c8");
	assert_false(a->has_local_pref);
	attrs_put(a);
}

/* RFC 8326: what a neighbour is about to take away is the last choice; inside it is said already. */
static void test_graceful_shutdown(void **state)
{
	const struct attrs *a = decode_attrs(PEER_NEW, BASE "c00808 fde90001 ffff0000");

	assert_true(a->has_local_pref);
	assert_int_equal(a->local_pref, 0);
	assert_int_equal(a->n_communities, 2);
	attrs_put(a);
	a = decode_attrs(PEER_OLD, BASE_OLD "c00804 ffff0000 400504 000000c8");
	assert_true(a->has_local_pref && !a->local_pref);
	attrs_put(a);
	a = decode_attrs(PEER_INTERNAL, BASE "400504 000000c8 c00804 ffff0000");
	assert_int_equal(a->local_pref, 200);
	attrs_put(a);
	/* Others of the well-known ones are not it; nor is it where it is no community. */
	a = decode_attrs(PEER_NEW, BASE "c00808 ffff0001 0000ffff c0200c ffff0000 ffff0000 ffff0000");
	assert_false(a->has_local_pref);
	attrs_put(a);
}

/* RFC 6793 4.2.3 */
static void test_as4_merge(void **state)
{
	static const struct {
		const char *name, *attributes, *path;
		uint32_t aggregator;
	} cases[] = {
		{ "path merged", "400208 0203 fde9 5ba0 5ba0 " "c0110a 0202 fa56ea01 fa56ea02 ",
		  "65001 4200000001 4200000002", 0 },
		{ "whole path", "400206 0202 5ba0 5ba0 " "c0110a 0202 fa56ea01 fa56ea02 ",
		  "4200000001 4200000002", 0 },
		{ "AS4_PATH longer: ignored", "400204 0201 fde9 " "c0110a 0202 fa56ea01 fa56ea02 ",
		  "65001", 0 },
		{ "set before", "40020c 0102 0001 0002 0202 5ba0 fde9 "
		  "c0110a 0202 fa56ea01 0000fde9 ", "{1 2} 4200000001 65001", 0 },
		{ "malformed: ignored", "400204 0201 5ba0 " "c01107 0201 fa56ea01 00 ", "23456",
		  0 },
		{ "confederation skipped", "400206 0202 fde9 5ba0 "
		  "c0110c 0301 0000fde8 0201 fa56ea01 ", "65001 4200000001", 0 },
		{ "aggregator", "400204 0201 fde9 c00706 5ba0 0a000002 c01208 fa56ea01 0a000003 ",
		  "65001", 4200000001 },
		{ "newer aggregator: both ignored", "400206 0202 fde9 5ba0 c00706 fde9 0a000002 "
		  "c01106 0201 fa56ea01 c01208 fa56ea01 0a000003 ", "65001 23456", 65001 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char attributes[300], path[100];
		const struct attrs *a;

		snprintf(attributes, sizeof(attributes), ORIGIN "%s" HOP, cases[i].attributes);
		a = decode_attrs(PEER_OLD, attributes);
		if (strcmp(attrs_format_path(a, path, sizeof(path)), cases[i].path) ||
		    a->aggregator_as != cases[i].aggregator)
			fail_msg("%s: %s, aggregator %u", cases[i].name, path, a->aggregator_as);
		attrs_put(a);
	}
	assert_int_equal(attrs_count(), 0);
}

/* Random sets; big: up to what one message can hold and beyond. */
static uint32_t random_as(void)
{
	return rand() % 2 ? 1u + (uint32_t)rand() % 65000 : 4200000000u + (uint32_t)rand() % 1000;
}

struct draft {
	struct attrs attrs;
	struct as_segment segments[8];
	uint32_t asns[8][700], communities[300];
	uint64_t ext[40];
	struct large_community large[30];
};

static void random_draft(struct draft *d, bool big)
{
	memset(d, 0, sizeof(*d));
	d->attrs.origin = (uint8_t)(rand() % 3);
	d->attrs.n_segments = (uint16_t)(rand() % 4);
	for (int i = 0; i < d->attrs.n_segments; i++) {
		struct as_segment *s = &d->segments[i];

		/* Never two sequences in a row: they would come back as one. */
		s->type = i % 2 ? AS_SET : AS_SEQUENCE;
		s->count = (uint16_t)(1 + rand() % (big && s->type == AS_SEQUENCE ? 700 : 6));
		s->asns = d->asns[i];
		for (int j = 0; j < s->count; j++)
			d->asns[i][j] = random_as();
	}
	d->attrs.segments = d->segments;
	d->attrs.has_med = rand() % 2;
	d->attrs.med = d->attrs.has_med ? (uint32_t)rand() : 0;
	d->attrs.atomic_aggregate = rand() % 2;
	if (rand() % 2) {
		d->attrs.aggregator_as = random_as();
		addr_parse("192.0.2.1", &d->attrs.aggregator);
	}
	d->attrs.n_communities = (uint16_t)(rand() % (big ? 300 : 3));
	for (int i = 0; i < d->attrs.n_communities; i++)
		d->communities[i] = (uint32_t)rand();
	d->attrs.communities = d->communities;
	d->attrs.n_ext_communities = (uint16_t)(rand() % 3);
	for (int i = 0; i < d->attrs.n_ext_communities; i++)
		d->ext[i] = (uint64_t)rand() << 33 | (uint64_t)rand();
	d->attrs.ext_communities = d->ext;
	d->attrs.n_large_communities = (uint16_t)(rand() % 3);
	for (int i = 0; i < d->attrs.n_large_communities; i++)
		d->large[i] = (struct large_community){ (uint32_t)rand(), 2, (uint32_t)rand() };
	d->attrs.large_communities = d->large;
}

static struct prefix random_prefix(void)
{
	struct prefix p = { .addr.family = rand() % 2 ? AF_INET : AF_INET6 };
	unsigned int bits = addr_bits(p.addr.family);

	for (unsigned int i = 0; i < bits / 8; i++)
		p.addr.b[i] = (uint8_t)(rand() % 4);
	p.len = (uint8_t)((unsigned int)rand() % (bits + 1));
	prefix_normalize(&p);
	return p;
}

/* The path as the receiver sees it: our AS in front. */
static const struct attrs *expected_attrs(const struct attrs *sent, const struct attr_peer *peer,
					  enum session_afi afi)
{
	static struct as_segment segments[9];
	static uint32_t first[701];
	struct attrs e = *sent;

	if (!peer->internal) {
		bool joined = e.n_segments && e.segments[0].type == AS_SEQUENCE;
		unsigned int n = joined ? e.segments[0].count : 0;

		first[0] = peer->local_as;
		memcpy(first + 1, joined ? e.segments[0].asns : first, n * sizeof(*first));
		segments[0] = (struct as_segment){ AS_SEQUENCE, (uint16_t)(n + 1), first };
		for (unsigned int i = joined; i < e.n_segments; i++)
			segments[i + 1 - joined] = e.segments[i];
		e.n_segments = (uint16_t)(e.n_segments + 1 - joined);
		e.segments = segments;
	} else {
		e.has_local_pref = true;
		e.local_pref = 100;
	}
	e.next_hop = peer->next_hop[afi];
	return attrs_intern(&e);
}

static void test_encode_decode(void **state)
{
	static struct draft d;
	unsigned int too_big = 0;

	srand(5);
	for (int round = 0; round < 20000; round++) {
		struct attr_peer peer = peer_of((enum case_peer)(rand() % 3)), receiver = peer;
		uint8_t buf[BGP_MESSAGE_MAX];
		struct record r = { .quiet = true };
		struct update_result result;
		struct update_writer w;
		const struct attrs *sent, *want;
		struct prefix prefix = random_prefix();
		enum session_afi afi = prefix.addr.family == AF_INET ? SESSION_IPV4 : SESSION_IPV6;
		size_t n = 0, len;

		random_draft(&d, round % 4 == 0);
		sent = attrs_intern(&d.attrs);
		receiver.local = (struct addr){ .family = AF_UNSPEC };
		if (!update_begin(&w, buf, &peer, afi, sent)) {
			too_big++;
			attrs_put(sent);
			continue;
		}
		while (n++ < 2000 && update_add(&w, &prefix))
			;
		len = update_end(&w);
		assert_in_range(len, BGP_HEADER_SIZE + 4, BGP_MESSAGE_MAX);
		assert_true(decode(buf + BGP_HEADER_SIZE, len - BGP_HEADER_SIZE, &receiver, &r,
				   &result));
		assert_int_equal(result.action, ATTR_OK);
		assert_in_range(r.calls, n - 1, n);
		want = expected_attrs(sent, &peer, afi);
		if (r.last != want) {
			char got_path[9000], want_path[9000];

			fail_msg("round %d: \"%s\", expected \"%s\"", round,
				 attrs_format_path(r.last, got_path, sizeof(got_path)),
				 attrs_format_path(want, want_path, sizeof(want_path)));
		}
		attrs_put(want);
		attrs_put(r.last);
		attrs_put(sent);
	}
	assert_int_equal(attrs_count(), 0);
	/* [36] some must have been too big for a message, or the limit was not tried. */
	assert_in_range(too_big, 50, 10000);
}

/* What is withdrawn is expected before, once and in its order. */
struct expected {
	struct prefix list[512];
	unsigned int n, come;
};

static void expected_note(void *ctx, const struct prefix *prefix)
{
	struct expected *e = ctx;

	assert_true(e->n < 512);
	e->list[e->n++] = *prefix;
}

static void expected_withdraw(void *ctx, const struct prefix *prefix)
{
	struct expected *e = ctx;

	assert_true(e->come < e->n);
	assert_true(prefix_equal(&e->list[e->come++], prefix));
}

static void expected_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	((struct expected *)ctx)->come++;
}

static const struct update_sink expected_sink = {
	.route = expected_route, .withdraw = expected_withdraw, .expect = expected_note,
};

static unsigned int message_of(uint8_t *buf, enum session_afi afi, const struct attrs *attrs,
			       unsigned int n)
{
	static struct update_writer w;
	struct attr_peer peer = peer_of(PEER_NEW);

	addr_parse(afi == SESSION_IPV4 ? "10.0.0.2" : "fe80::2", &peer.next_hop[afi]);
	assert_true(update_begin(&w, buf, &peer, afi, attrs));
	for (unsigned int i = 0; i < n; i++) {
		struct prefix prefix = { { AF_INET, { 20, 0, (uint8_t)i } }, 24 };

		if (afi == SESSION_IPV6)
			prefix = (struct prefix){ { AF_INET6, { 0x20, 1, (uint8_t)i } }, 48 };
		assert_true(update_add(&w, &prefix));
	}
	return (unsigned int)update_end(&w);
}

static void test_expect(void **state)
{
	struct attr_peer peer = peer_of(PEER_NEW);
	struct attrs draft = { .origin = 0 };
	const struct attrs *attrs = attrs_intern(&draft);
	struct expected e;

	for (unsigned int n = 1; n < 200; n++) {
		for (unsigned int sort = 0; sort < 4; sort++) {
			uint8_t buf[BGP_MESSAGE_MAX];
			enum session_afi afi = sort % 2 ? SESSION_IPV6 : SESSION_IPV4;
			unsigned int len = message_of(buf, afi, sort / 2 ? attrs : NULL, n);
			struct cursor body = cursor_make(buf + BGP_HEADER_SIZE,
							 len - BGP_HEADER_SIZE);
			struct update_result result;
			struct bgp_error error;

			e.n = e.come = 0;
			assert_true(update_decode(body, &peer, &expected_sink, &e, &result,
						  &error));
			assert_int_equal(e.come, n);
			assert_int_equal(e.n, sort / 2 ? 0 : n);
		}
	}
	attrs_put(attrs);
}

/* [31] [35] [29]: the longest path, cut into segments of 255, one more by prepending. */
static void test_long_path(void **state)
{
	static uint32_t asns[900];
	struct as_segment segment = { AS_SEQUENCE, 900, asns };
	struct attrs draft = { .segments = &segment, .n_segments = 1 };
	const struct attrs *sent;
	struct prefix prefix = { .addr.family = AF_INET };
	struct update_writer w;
	uint8_t buf[BGP_MESSAGE_MAX];

	for (int i = 0; i < 900; i++)
		asns[i] = 1u + (uint32_t)i;
	for (unsigned int n = 250; n <= 900; n++) {
		struct attr_peer peer = peer_of(n % 2 ? PEER_NEW : PEER_OLD), receiver = peer;
		struct record r = { .log = "" };
		struct update_result result;
		size_t len;

		receiver.local = (struct addr){ .family = AF_UNSPEC };
		segment.count = (uint16_t)n;
		sent = attrs_intern(&draft);
		assert_true(update_begin(&w, buf, &peer, SESSION_IPV4, sent));
		assert_true(update_add(&w, &prefix));
		len = update_end(&w);
		assert_true(decode(buf + BGP_HEADER_SIZE, len - BGP_HEADER_SIZE, &receiver, &r,
				   &result));
		assert_string_equal(r.log, "+0.0.0.0/0");
		assert_int_equal(r.last->as_path_len, n + 1);
		attrs_put(r.last);
		attrs_put(sent);
	}
}

/* [29] what a peer can send at most: 2-octet numbers, message full. [35] many attributes. */
static void test_full_messages(void **state)
{
	static uint8_t body[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(body, sizeof(body) - BGP_HEADER_SIZE);
	struct attr_peer peer = peer_of(PEER_OLD);
	struct record r = { .log = "" };
	struct update_result result;
	size_t path;

	cursor_put_u16(&out, 0);
	cursor_put_u16(&out, 4000);
	cursor_put_u32(&out, 0x40010100);
	cursor_put_u16(&out, 0x4003);
	cursor_put_u8(&out, 4);
	cursor_put_u32(&out, 0x0a000002);
	path = 4000 - 4 - 7 - 4;
	cursor_put_u16(&out, 0x5002);
	cursor_put_u16(&out, (uint16_t)path);
	/* Segments of one AS: the most segments, 4 octets each. */
	for (size_t i = 0; i + 4 <= path; i += 4)
		cursor_put_u32(&out, i % 8 ? 0x01010007 : 0x02010007);
	cursor_put_u8(&out, 0);
	cursor_patch_u16(&out, 2, (uint16_t)(4000 - path % 4));
	cursor_patch_u16(&out, 17, (uint16_t)(path - path % 4));
	assert_false(out.bad);
	assert_true(decode(body, out.len, &peer, &r, &result));
	assert_string_equal(r.log, "+0.0.0.0/0");
	assert_int_equal(r.last->as_path_len, path / 4);
	attrs_put(r.last);

	r = (struct record){ .log = "" };
	out = cursor_out_make(body, sizeof(body));
	cursor_put_u16(&out, 0);
	cursor_put_u16(&out, 0);
	cursor_put_bytes(&out, "\x40\x01\x01\x00\x40\x02\x00\x40\x03\x04\x0a\x00\x00\x02", 14);
	for (unsigned int code = 33; code < 256; code++) {
		cursor_put_u16(&out, (uint16_t)(0xc000 | code));
		cursor_put_u8(&out, 0);
	}
	cursor_patch_u16(&out, 2, (uint16_t)(out.len - 4));
	cursor_put_u8(&out, 0);
	assert_true(decode(body, out.len, &peer, &r, &result));
	assert_string_equal(r.log, "+0.0.0.0/0");
	attrs_put(r.last);
}

/* Seeds are the cases; whatever comes, no report of ASan, UBSan, and no leaked set. */
static void test_mutated(void **state)
{
	size_t good = 0, rounds = 0;

	srand(6);
	for (int round = 0; round < 800; round++) {
		for (size_t i = 0; i < N_UPDATE_CASES; i++, rounds++) {
			struct attr_peer peer = peer_of((enum case_peer)(rand() % 3));
			uint8_t body[BGP_MESSAGE_MAX + 64];
			size_t len = case_body(&update_cases[i], body, BGP_MESSAGE_MAX);
			struct record r = { .quiet = true };
			struct update_result result;

			/* Long ones now and then: they cost more than they find. */
			if (len > 200 && round % 50)
				continue;
			for (int n = rand() % 5; n > 0 && len; n--)
				body[(size_t)rand() % len] =
					(uint8_t)(rand() % 2 ? rand() : rand() % 40);
			if (rand() % 8 == 0)
				len = (size_t)rand() % (len + 1);
			if (len >= 4)
				good += decode(body, len, &peer, &r, &result);
			attrs_put(r.last);
		}
	}
	assert_int_equal(attrs_count(), 0);
	assert_in_range(good, rounds / 10, rounds * 9 / 10);
}

/* The queue against a map of what was put last. */

struct model {
	struct pmap want; /* what the peer should hold: interned sets */
	struct pmap got;
};

static struct model model;

static void model_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	assert_int_equal(pmap_put(&model.got, prefix, (void *)(uintptr_t)(attrs->med + 1)), 0);
}

static void model_withdraw(void *ctx, const struct prefix *prefix)
{
	pmap_del(&model.got, prefix);
}

static void model_eor(void *ctx, enum session_afi afi)
{
	(*(unsigned int *)ctx)++;
}

static const struct update_sink model_sink = { model_route, model_withdraw, model_eor, NULL };

static void model_take(struct outqueue *queue, const struct attr_peer *peer, unsigned int *eors)
{
	struct attr_peer receiver = *peer;
	uint8_t buf[BGP_MESSAGE_MAX];
	struct outqueue_sent sent;
	struct update_result result;
	struct bgp_error error;
	size_t len = outqueue_next(queue, buf, peer, &sent);

	receiver.local.family = AF_UNSPEC;
	if (!len || !sent.update)
		return;
	assert_true(update_decode(cursor_make(buf + BGP_HEADER_SIZE, len - BGP_HEADER_SIZE),
				  &receiver, &model_sink, eors, &result, &error));
}

static void model_same(void)
{
	struct prefix key = { 0 };
	void *value;

	assert_int_equal(pmap_count(&model.want), pmap_count(&model.got));
	while (pmap_next(&model.want, &key, &value))
		assert_ptr_equal(pmap_get(&model.got, &key), value);
}

static void test_outqueue(void **state)
{
	struct outqueue *queue = outqueue_new();
	struct attr_peer peer = peer_of(PEER_NEW);
	const struct attrs *sets[20];
	unsigned int eors = 0;

	srand(7);
	for (uint32_t i = 0; i < 20; i++)
		sets[i] = attrs_intern(&(struct attrs){ .has_med = true, .med = i });
	for (int step = 0; step < 300000; step++) {
		struct prefix prefix = random_prefix();
		uint32_t i = (uint32_t)rand() % 25;

		/* Few prefixes, so that they meet themselves in the queue. */
		prefix.len = (uint8_t)(prefix.len % 20);
		prefix_normalize(&prefix);
		if (i < 20)
			pmap_put(&model.want, &prefix, (void *)(uintptr_t)(i + 1));
		else
			pmap_del(&model.want, &prefix);
		assert_int_equal(outqueue_put(queue, &prefix, i < 20 ? sets[i] : NULL), 0);
		if (rand() % 30 == 0)
			model_take(queue, &peer, &eors);
		if (rand() % 20000)
			continue;
		while (!outqueue_empty(queue))
			model_take(queue, &peer, &eors);
		assert_int_equal(outqueue_bytes(queue), 0);
		model_same();
	}
	outqueue_clear(queue);
	assert_true(outqueue_empty(queue));
	assert_int_equal(outqueue_bytes(queue), 0);
	outqueue_free(queue);
	pmap_clear(&model.want, NULL);
	pmap_clear(&model.got, NULL);
	for (int i = 0; i < 20; i++)
		attrs_put(sets[i]);
	assert_int_equal(attrs_count(), 0);
}

/* A mark waits for what was there before it, also in its later states, and for nothing else. */
static void test_outqueue_mark(void **state)
{
	struct outqueue *queue = outqueue_new();
	struct attr_peer peer = peer_of(PEER_NEW);
	const struct attrs *a = attrs_intern(&(struct attrs){ .has_med = true, .med = 1 });
	const struct attrs *b = attrs_intern(&(struct attrs){ .has_med = true, .med = 2 });
	struct prefix before, after;
	unsigned int eors = 0;

	prefix_parse("10.0.0.0/8", &before, NULL);
	prefix_parse("11.0.0.0/8", &after, NULL);
	outqueue_set_mark(queue, SESSION_IPV6, OUTQUEUE_END_OF_RIB);
	assert_int_equal(outqueue_put(queue, &before, a), 0);
	outqueue_set_mark(queue, SESSION_IPV4, OUTQUEUE_END_OF_RIB);
	assert_int_equal(outqueue_put(queue, &after, a), 0);
	assert_int_equal(outqueue_put(queue, &before, b), 0);
	model_take(queue, &peer, &eors);
	assert_int_equal(eors, 1); /* IPv6 had nothing before it */
	model_take(queue, &peer, &eors);
	assert_int_equal(pmap_count(&model.got), 1); /* after, with a */
	assert_int_equal(eors, 1);
	assert_int_equal(outqueue_put(queue, &after, a), 0);
	model_take(queue, &peer, &eors);
	assert_ptr_equal(pmap_get(&model.got, &before), (void *)3);
	model_take(queue, &peer, &eors);
	assert_int_equal(eors, 2); /* although one that came later is still queued */
	assert_false(outqueue_empty(queue));
	outqueue_free(queue);
	pmap_clear(&model.got, NULL);
	attrs_put(a);
	attrs_put(b);
}

/* What cannot be told with its attributes is withdrawn, the rest goes its way. */
static void test_outqueue_too_big(void **state)
{
	static uint32_t communities[1100];
	struct outqueue *queue = outqueue_new();
	struct attr_peer peer = peer_of(PEER_NEW);
	const struct attrs *big = attrs_intern(&(struct attrs){
		.communities = communities, .n_communities = 1100 });
	struct outqueue_sent sent;
	uint8_t buf[BGP_MESSAGE_MAX];
	struct prefix prefix;

	prefix_parse("10.0.0.0/8", &prefix, NULL);
	assert_int_equal(outqueue_put(queue, &prefix, big), 0);
	assert_int_equal(outqueue_next(queue, buf, &peer, &sent), 23 + 2);
	assert_int_equal(sent.dropped, 1);
	assert_int_equal(buf[20], 2); /* withdrawn length */
	assert_true(outqueue_empty(queue));
	outqueue_free(queue);
	attrs_put(big);
	assert_int_equal(attrs_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_not_negotiated),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_graceful_shutdown),
		cmocka_unit_test(test_as4_merge),
		cmocka_unit_test(test_encode_decode),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_full_messages),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_outqueue),
		cmocka_unit_test(test_outqueue_mark),
		cmocka_unit_test(test_outqueue_too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
