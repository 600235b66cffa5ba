// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSS clamp on packets that are right, almost right, and plain noise, in one piece
 * and in two. What counts is what a receiver reads: its MSS is at most what was asked
 * for, it is never larger than before, and the checksum is as right as it was.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ipv6.h>

#include "flow.h"
#include "mss.h"

#define PACKET_MAX	400

/* What the kernel does for the clamp */

int skb_ensure_writable(struct sk_buff *skb, unsigned int len)
{
	unsigned int headlen = len > skb->headlen ? len : skb->headlen;
	unsigned int pulled = headlen - skb->headlen;
	u8 *data, *rest;

	if (len > skb->len || skb->no_memory)
		return -ENOMEM;
	/* No more than what was asked for, and both at other places. */
	data = malloc(headlen);
	rest = malloc(skb->len - headlen);
	memcpy(data, skb->data, skb->headlen);
	memcpy(data + skb->headlen, skb->rest, pulled);
	memcpy(rest, skb->rest + pulled, skb->len - headlen);
	free(skb->data);
	free(skb->rest);
	skb->data = data;
	skb->rest = rest;
	skb->headlen = headlen;
	skb->moved++;
	return 0;
}

void inet_proto_csum_replace2(__sum16 *sum, struct sk_buff *skb, __be16 from, __be16 to,
			      bool pseudohdr)
{
	u32 x = (u16)~*sum + (u16)~from + to;

	x = (x & 0xffff) + (x >> 16);
	x = (x & 0xffff) + (x >> 16);
	*sum = ~x;
}

/* Length of an extension header, 0 if it is none. */
static unsigned int extension(u8 kind, const u8 *at)
{
	switch (kind) {
	case NEXTHDR_HOP:
	case NEXTHDR_ROUTING:
	case NEXTHDR_DEST:
		return (at[1] + 1) * 8;
	case NEXTHDR_AUTH:
		return (at[1] + 2) * 4;
	case NEXTHDR_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

static int walk(const struct sk_buff *skb, int start, u8 *next, __be16 *frag_off, int until)
{
	static const u8 none[8];
	u8 buf[8];

	while (*next != until && (*next == NEXTHDR_NONE || extension(*next, none))) {
		const u8 *at = skb_header_pointer(skb, start, 8, buf);

		if (*next == NEXTHDR_NONE || !at)
			return -1;
		if (*next == NEXTHDR_FRAGMENT) {
			memcpy(frag_off, at + 2, 2);
			if (ntohs(*frag_off) & ~7)
				break;
		}
		start += extension(*next, at);
		*next = at[0];
	}
	return start;
}

int ipv6_skip_exthdr(const struct sk_buff *skb, int start, u8 *next, __be16 *frag_off)
{
	return walk(skb, start, next, frag_off, -1);
}

int ipv6_find_hdr(const struct sk_buff *skb, unsigned int *offset, int target,
		  unsigned short *frag_off, int *flags)
{
	__be16 unused;
	u8 buf, next = *(u8 *)skb_header_pointer(skb, *offset + 6, 1, &buf);

	if (walk(skb, *offset + 40, &next, &unused, target) < 0)
		return -1;
	return next == target ? target : -1;
}

/* Packets */

struct packet {
	u8 byte[PACKET_MAX];
	unsigned int len, tcp;	/* tcp: offset of the header */
	u8 family;
};

static void add(struct packet *p, const void *bytes, unsigned int n)
{
	memcpy(p->byte + p->len, bytes, n);
	p->len += n;
}

static void begin(struct packet *p, u8 family, u8 next)
{
	static const u8 v4[20] = { 0x45, [8] = 64 }, v6[40] = { 0x60, [7] = 64 };

	memset(p, 0, sizeof(*p));
	p->family = family;
	add(p, family == AF_INET ? v4 : v6, family == AF_INET ? 20 : 40);
	p->byte[family == AF_INET ? 9 : 6] = next;
}

static void add_tcp(struct packet *p, u8 flags, const u8 *options, unsigned int n)
{
	u8 header[20] = { 0x30, 0x39, 0, 80, 1, 2, 3, 4, [13] = flags, 0xfa, 0xf0, 0x12, 0x34 };

	header[12] = (20 + n) / 4 << 4;
	p->tcp = p->len;
	add(p, header, sizeof(header));
	add(p, options, n);
}

static struct sk_buff *to_skb(const struct packet *p, unsigned int headlen)
{
	struct sk_buff *skb = calloc(1, sizeof(*skb));

	skb->len = p->len;
	skb->headlen = headlen;
	skb->data = malloc(headlen);
	skb->rest = malloc(p->len - headlen);
	memcpy(skb->data, p->byte, headlen);
	memcpy(skb->rest, p->byte + headlen, p->len - headlen);
	return skb;
}

static void from_skb(struct packet *p, struct sk_buff *skb)
{
	memcpy(p->byte, skb->data, skb->headlen);
	memcpy(p->byte + skb->headlen, skb->rest, skb->len - skb->headlen);
	free(skb->data);
	free(skb->rest);
	free(skb);
}

static struct vgw_flow flow_of(const struct packet *p)
{
	return (struct vgw_flow){ .family = p->family, .protocol = IPPROTO_TCP };
}

/* The whole clamp. 1: it changed something, 0: it did not, -1: not a SYN. */
static int clamp(struct packet *p, u32 mtu, unsigned int headlen)
{
	struct sk_buff *skb = to_skb(p, headlen);
	struct vgw_flow flow = flow_of(p);
	unsigned int tcp = vgw_mss_syn(skb, &flow);
	int ret = tcp ? vgw_mss_lower(skb, tcp, p->family, mtu) : -1;

	from_skb(p, skb);
	return ret;
}

/* What a receiver reads: the last good MSS option before the end or a broken one; 0: none. */
static u32 received(const u8 *tcp, bool *signed_by_ao)
{
	const u8 *at = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;
	u32 mss = 0;

	*signed_by_ao = false;
	while (at < end && *at != 0) {
		if (*at == 1) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			break;
		if (at[0] == 2 && at[1] == 4)
			mss = at[2] << 8 | at[3];
		*signed_by_ao |= at[0] == 29;
		at += at[1];
	}
	return mss;
}

/* Sum of all words behind the TCP header's begin, 0 and 0xffff being one. */
static u32 sum_of(const struct packet *p)
{
	u32 sum = 0;

	for (unsigned int i = p->tcp; i < p->len; i++)
		sum += (i - p->tcp) % 2 ? p->byte[i] : p->byte[i] << 8;
	return sum % 0xffff;
}

/* Tests */

static const struct {
	const char *name;
	u8 option[40];
	unsigned int n;
	u32 mss, wanted;	/* at an MTU of 1400, IPv4 */
} cases[] = {
	{ "lowered", { 2, 4, 5, 0xb4 }, 4, 1460, 1360 },
	{ "equal", { 2, 4, 5, 0x50 }, 4, 1360, 1360 },
	{ "never raised", { 2, 4, 2, 0x18 }, 4, 536, 536 },
	{ "zero", { 2, 4, 0, 0 }, 4, 0, 0 },
	{ "largest", { 2, 4, 0xff, 0xff }, 4, 0xffff, 1360 },
	{ "behind one NOP: an odd place", { 1, 2, 4, 5, 0xb4, 1, 1, 1 }, 8, 1460, 1360 },
	{ "behind two", { 1, 1, 2, 4, 5, 0xb4, 1, 1 }, 8, 1460, 1360 },
	{ "behind others", { 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 2, 4, 5, 0xb4 }, 16, 1460, 1360 },
	{ "twice, the last one counts", { 2, 4, 5, 0, 2, 4, 5, 0xb4 }, 8, 1460, 1360 },
	{ "twice, the first one larger", { 2, 4, 5, 0xb4, 2, 4, 4, 0 }, 8, 1024, 1024 },
	{ "before a broken option", { 2, 4, 5, 0xb4, 3, 1, 0, 0 }, 8, 1460, 1360 },
	{ "behind a broken option", { 3, 0, 2, 4, 5, 0xb4, 0, 0 }, 8, 0, 0 },
	{ "behind the end", { 0, 0, 0, 0, 2, 4, 5, 0xb4 }, 8, 0, 0 },
	{ "of a wrong size", { 2, 6, 5, 0xb4, 0, 0, 0, 0 }, 8, 0, 0 },
	{ "larger than the header", { 1, 1, 2, 4 }, 4, 0, 0 },
	{ "no length", { 1, 1, 1, 2 }, 4, 0, 0 },
	{ "with TCP-MD5", { 2, 4, 5, 0xb4, 19, 18, 7 }, 24, 1460, 1360 },
	{ "with TCP-AO", { 2, 4, 5, 0xb4, 29, 16, 7 }, 20, 1460, 1460 },
	{ "none", { }, 0, 0, 0 },
};

static int test_cases(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		bool ao;
		struct packet p;
		u32 sum;

		begin(&p, AF_INET, IPPROTO_TCP);
		add_tcp(&p, 0x02, cases[i].option, cases[i].n);
		sum = sum_of(&p);
		printf("# %s\n", cases[i].name);
		EXPECT(received(p.byte + p.tcp, &ao) == cases[i].mss);
		clamp(&p, 1400, p.len);
		EXPECT(received(p.byte + p.tcp, &ao) == cases[i].wanted);
		EXPECT(sum_of(&p) == sum);
		EXPECT(clamp(&p, 1400, p.len) == 0);
	}
	return 0;
}

static const u8 plain[4] = { 2, 4, 0x23, 0 };	/* 8960 */

/* Of a SYN with an MSS of 8960 behind what is in the packet by now. */
static u32 mss_after(struct packet *p, u8 flags, u32 mtu)
{
	bool ao;

	add_tcp(p, flags, plain, sizeof(plain));
	clamp(p, mtu, p->len);
	return received(p->byte + p->tcp, &ao);
}

static int test_limits(void)
{
	struct packet p;

	begin(&p, AF_INET, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x02, 1438) == 1398);
	begin(&p, AF_INET6, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x02, 1438) == 1378);
	begin(&p, AF_INET, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x12, 1438) == 1398);
	begin(&p, AF_INET, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x10, 1438) == 8960);
	begin(&p, AF_INET, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x02, 0) == 8960);
	begin(&p, AF_INET, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x02, 100000) == 8960);
	begin(&p, AF_INET, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x02, 1) == 88);
	begin(&p, AF_INET6, IPPROTO_TCP);
	EXPECT(mss_after(&p, 0x02, 60) == 88);
	return 0;
}

static int test_extensions(void)
{
	static const u8 hop[8] = { NEXTHDR_DEST }, dest[16] = { IPPROTO_TCP, 1 };
	static const u8 auth[16] = { IPPROTO_TCP, 2 }, atomic[8] = { IPPROTO_TCP };
	static const u8 first[8] = { IPPROTO_TCP, 0, 0, 1 }, later[8] = { IPPROTO_TCP, 0, 0, 8 };
	struct packet p;

	begin(&p, AF_INET6, NEXTHDR_HOP);
	add(&p, hop, 8);
	add(&p, dest, 16);
	EXPECT(mss_after(&p, 0x02, 1400) == 1340);
	begin(&p, AF_INET6, NEXTHDR_AUTH);
	add(&p, auth, 16);
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET6, NEXTHDR_FRAGMENT);
	add(&p, atomic, 8);
	EXPECT(mss_after(&p, 0x02, 1400) == 1340);
	begin(&p, AF_INET6, NEXTHDR_FRAGMENT);
	add(&p, first, 8);
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET6, NEXTHDR_FRAGMENT);
	add(&p, later, 8);
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET6, NEXTHDR_NONE);
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET6, IPPROTO_UDP);
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET, IPPROTO_UDP);
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET, IPPROTO_TCP);
	p.byte[6] = 0x20;
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET, IPPROTO_TCP);
	p.byte[7] = 8;
	EXPECT(mss_after(&p, 0x02, 1400) == 8960);
	begin(&p, AF_INET, IPPROTO_TCP);
	p.byte[0] = 0x47;
	add(&p, "\x94\4\0\0\1\1\1\0", 8);
	EXPECT(mss_after(&p, 0x02, 1400) == 1360);
	return 0;
}

static int test_no_memory(void)
{
	struct vgw_flow flow;
	struct sk_buff *skb;
	struct packet p;

	begin(&p, AF_INET, IPPROTO_TCP);
	add_tcp(&p, 0x02, plain, sizeof(plain));
	skb = to_skb(&p, p.len);
	skb->no_memory = true;
	flow = flow_of(&p);
	EXPECT(!vgw_mss_lower(skb, vgw_mss_syn(skb, &flow), AF_INET, 1400));
	EXPECT(!memcmp(skb->data, p.byte, p.len));
	skb->no_memory = false;
	/* What needs no change gets no copy. */
	EXPECT(!vgw_mss_lower(skb, p.tcp, AF_INET, 9000) && skb->moved == 0);
	EXPECT(vgw_mss_lower(skb, p.tcp, AF_INET, 1400) && skb->moved == 1);
	from_skb(&p, skb);
	return 0;
}

/* Options as they come, often broken. */
static unsigned int random_options(u8 *options)
{
	unsigned int n = 0, words = random_below(11);

	while (n < words * 4) {
		static const u8 kinds[] = { 0, 1, 1, 2, 2, 2, 3, 4, 8, 19, 29, 254 };
		u8 kind = kinds[random_below(ARRAY_SIZE(kinds))];

		options[n] = random_below(8) ? kind : random_below(256);
		if (!options[n] && random_below(4))
			options[n] = 1;
		if (n + 1 < words * 4)
			options[n + 1] = random_below(8) ? 4 : random_below(256);
		for (unsigned int i = n + 2; i < n + 4 && i < words * 4; i++)
			options[i] = random_below(256);
		n += options[n] > 1 ? 4 : 1;
	}
	return words * 4;
}

/* Everything that must hold after the clamp, whatever the packet was. */
static int check_random(struct packet *p, unsigned int headlen)
{
	u32 mtu = random_below(4) ? 576 + random_below(9000) : random_below(200);
	u32 headers = p->family == AF_INET ? 40 : 60, mss = 0, old, now;
	const struct packet before = *p;
	bool ao, same;
	int ret;

	if (mtu)
		mss = mtu < headers + 88 ? 88 : mtu - headers;
	old = received(p->byte + p->tcp, &ao);
	ret = clamp(p, mtu, headlen);
	now = received(p->byte + p->tcp, &ao);
	same = !memcmp(p->byte, before.byte, p->len);
	EXPECT(ret >= 0);
	EXPECT(same == !ret);
	EXPECT(now == (mtu && !ao && old > mss ? mss : old));
	EXPECT(sum_of(p) == sum_of(&before));
	for (unsigned int i = 0; i < p->len; i++)
		EXPECT(p->byte[i] == before.byte[i] || i >= p->tcp + 20 || i / 2 == p->tcp / 2 + 8);
	return 0;
}

static int test_random_options(void)
{
	for (unsigned int i = 0; i < 300000 * rounds; i++) {
		struct packet p;
		u8 options[48];
		unsigned int n = random_options(options);

		begin(&p, random_below(2) ? AF_INET : AF_INET6, IPPROTO_TCP);
		add_tcp(&p, 0x02, options, n);
		add(&p, "payload", random_below(8));
		if (check_random(&p, random_below(p.len + 1)))
			return 1;
	}
	return 0;
}

/* Noise, cut anywhere: only the sanitizers judge, and what is no SYN stays as it is. */
static int test_noise(void)
{
	for (unsigned int i = 0; i < 300000 * rounds; i++) {
		static const u8 next[] = { IPPROTO_TCP, IPPROTO_TCP, 0, 43, 44, 51, 59, 60 };
		struct packet p, before;

		begin(&p, random_below(2) ? AF_INET : AF_INET6, next[random_below(8)]);
		p.byte[0] = random_below(4) ? p.byte[0] : random_below(256);
		while (p.len < PACKET_MAX && random_below(120)) {
			p.byte[p.len] = random_below(2) ? next[random_below(8)] : random_below(256);
			if (random_below(3) == 0)
				p.byte[p.len] = random_below(3);
			p.len++;
		}
		before = p;
		if (clamp(&p, 600, random_below(p.len + 1)) != 1)
			EXPECT(!memcmp(&p, &before, sizeof(p)));
	}
	return 0;
}

static const struct test tests[] = {
	{ "MSS: options of all kinds", test_cases },
	{ "MSS: limits, flags, both families", test_limits },
	{ "MSS: extension headers, fragments, IPv4 options", test_extensions },
	{ "MSS: no copy without need, no change without memory", test_no_memory },
	{ "MSS: random options against a receiver", test_random_options },
	{ "MSS: noise", test_noise },
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
