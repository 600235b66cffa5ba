// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nanoseconds of a lookup among policy routes: the table, and a plain walk of
 * the ordered list, for packets that hit some policy and for packets that hit none.
 */
#include "harness.h"

#include <linux/err.h>
#include <time.h>

#include "policy.h"

#define PACKETS		4096
#define LOOKUPS		(1u << 20)

struct packet {
	struct vgw_lpm_key src, dst;
};

static struct packet packets[PACKETS];

static void cut(struct vgw_lpm_key *key, u8 len)
{
	for (unsigned int b = len; b < 128; b++)
		key->addr[b / 8] &= ~(1 << (7 - b % 8));
}

static void random_key(struct vgw_lpm_key *key, unsigned int bytes)
{
	memset(key, 0, sizeof(*key));
	for (unsigned int i = 0; i < bytes; i++)
		key->addr[i] = random_below(256);
}

/* The lengths that networks have; lengths: how many of them. */
static u8 random_len(unsigned int lengths, unsigned int bits)
{
	static const u8 four[] = { 24, 16, 28, 20, 32, 22, 26, 12 };
	static const u8 six[] = { 64, 48, 128, 56, 32, 60, 40, 96 };

	return (bits == 32 ? four : six)[random_below(lengths)];
}

static struct vgw_policy_set *fill(unsigned int n, unsigned int lengths, unsigned int bits)
{
	struct vgw_policy policy = {};
	struct vgw_policy_set *set;
	struct vgw_policy_txn txn;

	if (vgw_policy_txn_begin(&txn, NULL, bits))
		exit(1);
	for (policy.sequence = 0; policy.sequence < n; policy.sequence++) {
		policy.src_len = random_len(lengths, bits);
		policy.dst_len = random_len(lengths, bits);
		random_key(&policy.src, bits / 8);
		random_key(&policy.dst, bits / 8);
		cut(&policy.src, policy.src_len);
		cut(&policy.dst, policy.dst_len);
		if (vgw_policy_txn_set(&txn, &policy))
			exit(1);
	}
	set = vgw_policy_txn_build(&txn);
	if (IS_ERR(set))
		exit(1);
	vgw_policy_txn_end(&txn);
	return set;
}

static void address_packets(struct vgw_policy_set *set, bool hit, unsigned int bits)
{
	for (unsigned int i = 0; i < PACKETS; i++) {
		const struct vgw_policy *policy =
			vgw_policy_set_at(set, random_below(vgw_policy_set_count(set)));

		random_key(&packets[i].src, bits / 8);
		random_key(&packets[i].dst, bits / 8);
		if (!hit)
			continue;
		for (unsigned int b = 0; b < 16; b++) {
			if (b * 8 < policy->src_len)
				packets[i].src.addr[b] = policy->src.addr[b];
			if (b * 8 < policy->dst_len)
				packets[i].dst.addr[b] = policy->dst.addr[b];
		}
	}
}

struct mask {
	u64 src[2], dst[2];
};

/* What a walk would do at its best: masks made beforehand. */
static const struct vgw_policy *walk(struct vgw_policy_set *set, const struct mask *masks,
				     const struct packet *packet, unsigned int bits)
{
	u64 s[2], d[2], ps[2], pd[2];

	memcpy(s, &packet->src, 16);
	memcpy(d, &packet->dst, 16);
	for (u32 i = 0; i < vgw_policy_set_count(set); i++) {
		const struct vgw_policy *policy = vgw_policy_set_at(set, i);

		memcpy(ps, &policy->src, 16);
		memcpy(pd, &policy->dst, 16);
		if (((s[0] ^ ps[0]) & masks[i].src[0]) || ((d[0] ^ pd[0]) & masks[i].dst[0]))
			continue;
		if (bits == 32 || !(((s[1] ^ ps[1]) & masks[i].src[1]) |
				    ((d[1] ^ pd[1]) & masks[i].dst[1])))
			return policy;
	}
	return NULL;
}

static struct mask *masks_of(struct vgw_policy_set *set)
{
	struct mask *masks = calloc(vgw_policy_set_count(set), sizeof(*masks));

	for (u32 i = 0; masks && i < vgw_policy_set_count(set); i++) {
		memset(&masks[i], 0xff, sizeof(masks[i]));
		cut((struct vgw_lpm_key *)masks[i].src, vgw_policy_set_at(set, i)->src_len);
		cut((struct vgw_lpm_key *)masks[i].dst, vgw_policy_set_at(set, i)->dst_len);
	}
	return masks;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double measure(struct vgw_policy_set *set, const struct mask *masks, unsigned int bits)
{
	unsigned int lookups = masks ? LOOKUPS / 16 : LOOKUPS, found = 0;
	double begin = now();

	for (unsigned int i = 0; i < lookups; i++) {
		const struct packet *packet = &packets[i % PACKETS];

		found += masks ? walk(set, masks, packet, bits) != NULL :
				 vgw_policy_match(set, &packet->src, &packet->dst, NULL) != NULL;
	}
	if (found > lookups)
		exit(1);
	return (now() - begin) / lookups;
}

int main(void)
{
	static const unsigned int counts[] = { 1, 4, 16, 64, 256, 1024, 4096, 8192 };

	printf("%6s %8s %7s %10s %10s %10s %10s %9s\n", "family", "policies", "lengths", "hit ns",
	       "walk ns", "miss ns", "walk ns", "bytes");
	for (unsigned int bits = 32; bits <= 128; bits += 96) {
		for (unsigned int lengths = 2; lengths <= 8; lengths *= 2) {
			for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
				struct vgw_policy_set *set = fill(counts[i], lengths, bits);
				struct mask *masks = masks_of(set);
				double ns[4];

				for (int hit = 1; hit >= 0; hit--) {
					address_packets(set, hit, bits);
					ns[2 * !hit] = measure(set, NULL, bits);
					ns[2 * !hit + 1] = measure(set, masks, bits);
				}
				printf("%6s %8u %7u %10.1f %10.1f %10.1f %10.1f %9zu\n",
				       bits == 32 ? "ipv4" : "ipv6", counts[i], lengths, ns[0],
				       ns[1], ns[2], ns[3], vgw_policy_set_memory(set));
				free(masks);
				vgw_policy_set_destroy(set);
			}
		}
	}
	return 0;
}
