// SPDX-License-Identifier: GPL-2.0-only
/* The bucket map: shares, independence of order, and who moves when one dies. */
#include "harness.h"

#include <linux/kernel.h>

#include "ecmp.h"

static struct vgw_ecmp_member members[VGW_ECMP_MEMBERS];
static u8 home[VGW_ECMP_BUCKETS_MAX];

static void members_make(unsigned int n, bool standbys)
{
	for (unsigned int i = 0; i < n; i++) {
		members[i].key = i * 1000003u + random_below(1000000) + 1;
		members[i].weight = standbys && random_below(3) == 0 ? 0 : 1 + random_below(255);
	}
}

static int table_size(void)
{
	for (unsigned int n = 1; n <= VGW_ECMP_MEMBERS; n++) {
		unsigned int buckets = vgw_ecmp_buckets(n);

		EXPECT(buckets >= 256 && buckets >= 64 * n && buckets <= VGW_ECMP_BUCKETS_MAX);
		EXPECT(!(buckets & (buckets - 1)));
		EXPECT(buckets == 256 || buckets / 2 < 64 * n);
	}
	return 0;
}

static int shares_are_exact(void)
{
	for (unsigned int round = 0; round < 300 * rounds; round++) {
		unsigned int n = 1 + random_below(VGW_ECMP_MEMBERS);
		unsigned int buckets = vgw_ecmp_buckets(n), count[VGW_ECMP_MEMBERS] = {}, sum = 0;

		members_make(n, round & 1);
		for (unsigned int i = 0; i < n; i++)
			sum += members[i].weight;
		vgw_ecmp_fill(members, n, home, buckets);
		for (unsigned int b = 0; b < buckets; b++) {
			EXPECT(home[b] < n);
			count[home[b]]++;
		}
		for (unsigned int i = 0; i < n; i++) {
			double share = sum ? (double)buckets * members[i].weight / sum :
					     (double)buckets / n;

			EXPECT(count[i] > share - 1 && count[i] < share + 1);
			EXPECT(!sum || members[i].weight || !count[i]);
		}
	}
	return 0;
}

static int order_does_not_count(void)
{
	static u8 other[VGW_ECMP_BUCKETS_MAX];

	for (unsigned int round = 0; round < 200 * rounds; round++) {
		unsigned int n = 1 + random_below(VGW_ECMP_MEMBERS), buckets = vgw_ecmp_buckets(n);
		struct vgw_ecmp_member shuffled[VGW_ECMP_MEMBERS];

		members_make(n, true);
		memcpy(shuffled, members, sizeof(shuffled));
		for (unsigned int i = n; i > 1; i--) {
			unsigned int j = random_below(i);
			struct vgw_ecmp_member one = shuffled[j];

			shuffled[j] = shuffled[i - 1];
			shuffled[i - 1] = one;
		}
		vgw_ecmp_fill(members, n, home, buckets);
		vgw_ecmp_fill(shuffled, n, other, buckets);
		for (unsigned int b = 0; b < buckets; b++)
			EXPECT(members[home[b]].key == shuffled[other[b]].key);
	}
	return 0;
}

static u64 random_live(unsigned int n)
{
	u64 live = 0;

	for (unsigned int i = 0; i < n; i++)
		live |= (u64)(random_below(4) != 0) << i;
	return live;
}

static bool any_weight(unsigned int n, u64 live)
{
	for (unsigned int i = 0; i < n; i++)
		if ((live >> i & 1) && members[i].weight)
			return true;
	return false;
}

static int failover_moves_only_the_lost(void)
{
	for (unsigned int round = 0; round < 100 * rounds; round++) {
		unsigned int n = 2 + random_below(VGW_ECMP_MEMBERS - 1), lost = random_below(n);
		u64 live, after;

		members_make(n, round & 1);
		live = random_live(n) | 1ULL << lost;
		after = live & ~(1ULL << lost);
		for (u32 b = 0; b < 512; b++) {
			int was = vgw_ecmp_failover(members, n, live, b);
			int is = vgw_ecmp_failover(members, n, after, b);

			EXPECT(was >= 0 && was < (int)n && (live >> was & 1));
			EXPECT(members[was].weight || !any_weight(n, live));
			EXPECT(after ? is >= 0 && (after >> is & 1) : is == -1);
			/* When the last one with a weight goes, standbys come in: more moves. */
			if (was != (int)lost && any_weight(n, live) == any_weight(n, after))
				EXPECT(is == was);
		}
	}
	return 0;
}

static int failover_follows_weights(void)
{
	unsigned int count[4] = {};

	for (unsigned int i = 0; i < 4; i++)
		members[i] = (struct vgw_ecmp_member){ .key = 11 * i + 1, .weight = 1 + i };
	for (u32 b = 0; b < 40000; b++)
		count[vgw_ecmp_failover(members, 4, 0xf, b)]++;
	for (unsigned int i = 0; i < 4; i++)
		EXPECT(count[i] > 3600 * (i + 1) && count[i] < 4400 * (i + 1));
	return 0;
}

/* What must move from one home map to another with the same members: by how far shares shrink. */
static unsigned int must_move(const u8 *from, const u8 *to, unsigned int n, unsigned int buckets)
{
	unsigned int before[VGW_ECMP_MEMBERS] = {}, after[VGW_ECMP_MEMBERS] = {}, sum = 0;

	for (unsigned int b = 0; b < buckets; b++) {
		before[from[b]]++;
		after[to[b]]++;
	}
	for (unsigned int i = 0; i < n; i++)
		sum += before[i] > after[i] ? before[i] - after[i] : 0;
	return sum;
}

static unsigned int does_move(const u8 *from, const u8 *to, unsigned int buckets)
{
	unsigned int sum = 0;

	for (unsigned int b = 0; b < buckets; b++)
		sum += from[b] != to[b];
	return sum;
}

/*
 * The map knows nothing of the one before, so a change may move more than it must, but not much:
 * of all buckets 3 % on the average and 12 % at most, where a scan over sorted thresholds moves up
 * to half. A new member is one whose weight was 0.
 */
static int changes_move_little(void)
{
	static u8 other[VGW_ECMP_BUCKETS_MAX];
	double sum = 0;
	unsigned int n_cases = 400 * rounds;

	for (unsigned int round = 0; round < n_cases; round++) {
		unsigned int n = 2 + random_below(VGW_ECMP_MEMBERS - 1), which = random_below(n);
		unsigned int buckets = vgw_ecmp_buckets(n), extra;

		members_make(n, false);
		for (unsigned int i = 0; round % 3 && i < n; i++)
			members[i].weight = 1;
		vgw_ecmp_fill(members, n, home, buckets);
		members[which].weight = round & 1 ? 0 : 1 + random_below(members[which].weight * 2);
		vgw_ecmp_fill(members, n, other, buckets);
		extra = does_move(home, other, buckets) - must_move(home, other, n, buckets);
		EXPECT(extra * 100 <= 12 * buckets);
		sum += (double)extra / buckets;
	}
	EXPECT(sum / n_cases < 0.03);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "the table is a power of two, large enough", table_size },
		{ "shares are exact to one bucket", shares_are_exact },
		{ "the order of members does not count", order_does_not_count },
		{ "failover moves only what the lost one carried", failover_moves_only_the_lost },
		{ "failover follows the weights", failover_follows_weights },
		{ "a change moves little more than it must", changes_move_little },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
