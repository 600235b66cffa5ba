// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a packet its bucket depends on: both directions agree, fragments agree, an
 * ICMP error goes with the flow that it is about, and nothing else makes a difference.
 */
#include "harness.h"

#include <linux/icmp.h>
#include <linux/kernel.h>
#include <linux/vgw.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "flow.h"

#define PACKET_MAX	256
#define SEED		77

/* Fragment headers are all the extension headers here. */
int ipv6_skip_exthdr(const struct sk_buff *skb, int start, u8 *next, __be16 *frag_off)
{
	u8 buf[8], *at;

	if (*next != NEXTHDR_FRAGMENT)
		return start;
	at = skb_header_pointer(skb, start, 8, buf);
	if (!at)
		return -1;
	memcpy(frag_off, at + 2, 2);
	if (!(ntohs(*frag_off) & ~7)) {
		*next = at[0];
		start += 8;
	}
	return start;
}

struct packet {
	u8 byte[PACKET_MAX];
	unsigned int len;
};

/* A flow as a test wants it; addresses are filled to the family's length. */
struct wish {
	bool v6;
	u8 src[16], dst[16], protocol;
	u16 sport, dport;
	u32 label;
};

static struct wish wish_make(void)
{
	static const u8 protocols[] = { 6, 17, 132, 33, 136, 50, 47 };
	struct wish wish = { .v6 = random_below(2) };

	for (unsigned int i = 0; i < 16; i++) {
		wish.src[i] = random_below(256);
		wish.dst[i] = random_below(256);
	}
	wish.protocol = protocols[random_below(sizeof(protocols))];
	wish.sport = random_below(65536);
	wish.dport = random_below(65536);
	wish.label = random_below(1 << 20);
	return wish;
}

static struct wish back(struct wish wish)
{
	struct wish other = wish;

	memcpy(other.src, wish.dst, 16);
	memcpy(other.dst, wish.src, 16);
	other.sport = wish.dport;
	other.dport = wish.sport;
	return other;
}

static void add(struct packet *packet, const void *bytes, unsigned int n)
{
	memcpy(packet->byte + packet->len, bytes, n);
	packet->len += n;
}

enum part { WHOLE, FIRST, LATER };

static void add_ipv4(struct packet *p, const struct wish *wish, u8 protocol, enum part part)
{
	struct iphdr iph = { .version = 4, .ihl = 5, .ttl = 1 + random_below(255),
			     .tos = random_below(256), .protocol = protocol,
			     .id = random_below(65536) };

	if (part != WHOLE)
		iph.frag_off = htons(part == FIRST ? 0x2000 : 100);
	memcpy(&iph.saddr, wish->src, 4);
	memcpy(&iph.daddr, wish->dst, 4);
	add(p, &iph, sizeof(iph));
}

static void add_ipv6(struct packet *p, const struct wish *wish, u8 protocol, enum part part)
{
	__be32 first = htonl(6u << 28 | random_below(256) << 20 | wish->label);
	u8 rest[4] = { 0, 0, part == WHOLE ? protocol : NEXTHDR_FRAGMENT, 1 + random_below(255) };
	u8 frag[8] = { protocol, 0, 0, part == FIRST ? 1 : 0x49 };

	add(p, &first, 4);
	add(p, rest, 4);
	add(p, wish->src, 16);
	add(p, wish->dst, 16);
	if (part != WHOLE)
		add(p, frag, sizeof(frag));
}

static void add_packet(struct packet *p, const struct wish *wish, enum part part)
{
	__be16 ports[2] = { htons(wish->sport), htons(wish->dport) };
	u8 payload[20];

	if (wish->v6)
		add_ipv6(p, wish, wish->protocol, part);
	else
		add_ipv4(p, wish, wish->protocol, part);
	if (part != LATER)
		add(p, ports, sizeof(ports));
	for (unsigned int i = 0; i < sizeof(payload); i++)
		payload[i] = random_below(256);
	add(p, payload, sizeof(payload));
}

/* An error about a packet of the flow, from a router on the way of its destination. */
static void add_error(struct packet *p, const struct wish *about)
{
	struct wish way = back(*about);
	u8 icmp[8] = { about->v6 ? 2 : ICMP_DEST_UNREACH };

	way.src[1] ^= 0x55;
	if (way.v6)
		add_ipv6(p, &way, 58, WHOLE);
	else
		add_ipv4(p, &way, IPPROTO_ICMP, WHOLE);
	add(p, icmp, sizeof(icmp));
	add_packet(p, about, WHOLE);
}

/* In two pieces, wherever they part. */
static bool hash_bytes(const struct packet *p, u8 fields, u32 seed, u32 *hash)
{
	struct vgw_hash how = { .seed = seed, .fields = fields };
	unsigned int headlen = random_below(p->len + 1);
	struct sk_buff skb = { .len = p->len, .headlen = headlen };
	struct vgw_flow flow;
	bool good;

	skb.data = malloc(headlen);
	skb.rest = malloc(p->len - headlen);
	memcpy(skb.data, p->byte, headlen);
	memcpy(skb.rest, p->byte + headlen, p->len - headlen);
	good = vgw_flow_from_skb(&skb, &flow);
	if (good) {
		vgw_flow_of_error(&skb, &flow);
		*hash = vgw_flow_hash(&flow, &how);
	}
	free(skb.data);
	free(skb.rest);
	return good;
}

static u32 hash_of(struct wish wish, enum part part, u8 fields, u32 seed)
{
	struct packet p = {};
	u32 hash = 0;

	add_packet(&p, &wish, part);
	if (!hash_bytes(&p, fields, seed, &hash))
		abort();
	return hash;
}

static u32 hash_of_error(struct wish about, u8 fields)
{
	struct packet p = {};
	u32 hash = 0;

	add_error(&p, &about);
	if (!hash_bytes(&p, fields, SEED, &hash))
		abort();
	return hash;
}

static bool has_ports(const struct wish *wish)
{
	return wish->protocol != 50 && wish->protocol != 47;
}

static int directions_agree(void)
{
	for (unsigned int i = 0; i < 2000 * rounds; i++) {
		struct wish wish = wish_make();

		for (u8 fields = 0; fields <= VGW_HASH_FIELDS_ADDRESSES; fields++)
			EXPECT(hash_of(wish, WHOLE, fields, SEED) ==
			       hash_of(back(wish), WHOLE, fields, SEED));
		wish.label = 0;
		EXPECT(hash_of(wish, WHOLE, VGW_HASH_FIELDS_FLOW_LABEL, SEED) ==
		       hash_of(back(wish), WHOLE, VGW_HASH_FIELDS_FLOW_LABEL, SEED));
	}
	return 0;
}

static int fields_count(void)
{
	unsigned int same = 0;

	for (unsigned int i = 0; i < 2000 * rounds; i++) {
		struct wish wish = wish_make(), port, label, seed = wish;
		u32 ports, addresses, by_label;

		port = label = wish;
		port.dport ^= 1 + random_below(65535);
		label.label ^= 1 + random_below(1000);
		ports = hash_of(wish, WHOLE, VGW_HASH_FIELDS_PORTS, SEED);
		addresses = hash_of(wish, WHOLE, VGW_HASH_FIELDS_ADDRESSES, SEED);
		by_label = hash_of(wish, WHOLE, VGW_HASH_FIELDS_FLOW_LABEL, SEED);
		same += (hash_of(port, WHOLE, VGW_HASH_FIELDS_PORTS, SEED) == ports) ==
			has_ports(&wish);
		EXPECT(hash_of(port, WHOLE, VGW_HASH_FIELDS_ADDRESSES, SEED) == addresses);
		EXPECT(hash_of(label, WHOLE, VGW_HASH_FIELDS_PORTS, SEED) == ports);
		same += hash_of(seed, WHOLE, VGW_HASH_FIELDS_PORTS, SEED + 1) == ports;
		if (!wish.v6 || !wish.label || !label.label)
			continue;
		EXPECT(hash_of(port, WHOLE, VGW_HASH_FIELDS_FLOW_LABEL, SEED) == by_label);
		same += hash_of(label, WHOLE, VGW_HASH_FIELDS_FLOW_LABEL, SEED) == by_label;
		wish.label = label.label = 0;
		EXPECT(hash_of(wish, WHOLE, VGW_HASH_FIELDS_FLOW_LABEL, SEED) == ports);
	}
	/* By chance, of four billion. */
	EXPECT(same <= 1);
	return 0;
}

static int fragments_agree(void)
{
	for (unsigned int i = 0; i < 2000 * rounds; i++) {
		struct wish wish = wish_make(), other = wish;

		other.sport ^= 1;
		for (u8 fields = 0; fields <= VGW_HASH_FIELDS_MAX; fields++) {
			u32 first = hash_of(wish, FIRST, fields, SEED);

			EXPECT(first == hash_of(wish, LATER, fields, SEED));
			EXPECT(first == hash_of(other, FIRST, fields, SEED));
			if (fields == VGW_HASH_FIELDS_ADDRESSES ||
			    (fields == VGW_HASH_FIELDS_FLOW_LABEL && wish.v6 && wish.label))
				EXPECT(first == hash_of(wish, WHOLE, fields, SEED));
		}
		EXPECT(hash_of(wish, LATER, VGW_HASH_FIELDS_PORTS, SEED) ==
		       hash_of(back(wish), FIRST, VGW_HASH_FIELDS_PORTS, SEED));
	}
	return 0;
}

static int errors_follow_their_flow(void)
{
	for (unsigned int i = 0; i < 2000 * rounds; i++) {
		struct wish wish = wish_make();

		for (u8 fields = 0; fields <= VGW_HASH_FIELDS_MAX; fields++)
			EXPECT(hash_of_error(wish, fields) == hash_of(wish, WHOLE, fields, SEED));
	}
	return 0;
}

/* Cut anywhere: refused, or something; never read beyond. */
static int any_length(void)
{
	for (unsigned int i = 0; i < 2000 * rounds; i++) {
		struct wish wish = wish_make();
		struct packet p = {};
		u32 hash = 0;

		if (i & 1)
			add_error(&p, &wish);
		else
			add_packet(&p, &wish, random_below(3));
		p.len = random_below(p.len + 1);
		EXPECT(hash_bytes(&p, i % 3, SEED, &hash) == (p.len >= (wish.v6 ? 40 : 20)));
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "both directions have one hash", directions_agree },
		{ "ports, addresses and labels count where they shall", fields_count },
		{ "all fragments have one hash", fragments_agree },
		{ "an ICMP error has the hash of what it quotes", errors_follow_their_flow },
		{ "packets of any length", any_length },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
