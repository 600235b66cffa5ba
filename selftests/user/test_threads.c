// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers beside a writer, built for ThreadSanitizer: no data race, nothing
 * used after its grace period, and for one address a transaction is one step:
 * it finds what was there before, or what is there after.
 */
#include "harness.h"

#include <pthread.h>
#include <sched.h>

#include <linux/kernel.h>

#include "lpm_impl.h"

#define READERS	2
#define PLACES	16

/* Grace periods: a reader's count is odd while it reads. */
static unsigned long reading[READERS];
static bool stop, wrong;
static struct vgw_lpm *lpm;
static unsigned int bits;

void synchronize_rcu(void)
{
	for (unsigned int i = 0; i < READERS; i++) {
		unsigned long seen = __atomic_load_n(&reading[i], __ATOMIC_SEQ_CST);

		while (seen & 1 && __atomic_load_n(&reading[i], __ATOMIC_SEQ_CST) == seen)
			sched_yield();
	}
}

/* An address of a place: it is never without route, and the id tells the place. */
static struct vgw_lpm_key place_key(unsigned int place)
{
	struct vgw_lpm_key key = { .addr = { 10, 1, place * 16, 77 } };

	if (bits == 128)
		key.addr[5] = 0xab;
	return key;
}

static void *read_all(void *arg)
{
	unsigned int me = (uintptr_t)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		__atomic_add_fetch(&reading[me], 1, __ATOMIC_SEQ_CST);
		for (unsigned int place = 0; place < PLACES; place++) {
			struct vgw_lpm_key key = place_key(place);
			u8 len = VGW_LPM_START;

			if (vgw_lpm_lookup(lpm, &key) % PLACES != place ||
			    vgw_lpm_lookup_below(lpm, &key, &len) % PLACES != place)
				__atomic_store_n(&wrong, true, __ATOMIC_RELAXED);
		}
		__atomic_add_fetch(&reading[me], 1, __ATOMIC_SEQ_CST);
		/* Others get the processor here, not while the writer would have to wait. */
		sched_yield();
	}
	return NULL;
}

static void cut(struct vgw_lpm_key *key, unsigned int len)
{
	for (unsigned int i = len; i < 128; i++)
		key->addr[i / 8] &= ~(0x80 >> i % 8);
}

/* The lengths that a place's route takes in turn; longer than what makes it a place. */
static unsigned int place_len(void)
{
	return 20 + random_below(bits - 20 + 1);
}

/* Routes of places move to another length and id in one transaction; strangers come and go. */
static int write_step(u8 *lens)
{
	struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);
	unsigned int n = 1 + random_below(4);

	for (unsigned int i = 0; i < n; i++) {
		unsigned int place = random_below(PLACES), len = place_len();
		struct vgw_lpm_value value = { .nh = PLACES * (1 + random_below(4000)) + place };
		struct vgw_lpm_key key = place_key(place);

		cut(&key, lens[place]);
		if (lens[place])
			EXPECT(!vgw_lpm_txn_del(txn, &key, lens[place]));
		key = place_key(place);
		cut(&key, len);
		EXPECT(!vgw_lpm_txn_set(txn, &key, len, value));
		lens[place] = len;
	}
	for (unsigned int i = 0; i < 6; i++) {
		/* Beside the places, or around them: shorter than any of their routes. */
		struct vgw_lpm_key key = { .addr = { 10, 1, random_below(256),
						     128 + random_below(128) } };
		struct vgw_lpm_value value = { .nh = 1 + random_below(9) };
		unsigned int len = random_below(2) ? 1 + random_below(19) :
						     25 + random_below(bits - 24);

		cut(&key, len);
		if (random_below(2))
			vgw_lpm_txn_del(txn, &key, len);
		else
			EXPECT(!vgw_lpm_txn_set(txn, &key, len, value));
	}
	alloc_fail_after = random_below(32) ? -1 : (long)random_below(5);
	alloc_fail_forever = random_below(2);
	vgw_lpm_txn_publish(txn);
	alloc_fail_after = -1;
	vgw_lpm_txn_free(txn);
	if (random_below(8) == 0) {
		synchronize_rcu();
		rcu_flush();
	}
	return 0;
}

static int run_width(unsigned int width)
{
	pthread_t thread[READERS];
	u8 lens[PLACES] = {};
	int ret = 0;

	bits = width;
	stop = false;
	lpm = vgw_lpm_create(bits);
	for (unsigned int place = 0; place < PLACES; place++) {
		struct vgw_lpm_txn *txn = vgw_lpm_txn_begin(lpm);
		struct vgw_lpm_key key = place_key(place);
		struct vgw_lpm_value value = { .nh = PLACES + place };

		lens[place] = 28;
		cut(&key, 28);
		EXPECT(!vgw_lpm_txn_set(txn, &key, 28, value));
		vgw_lpm_txn_publish(txn);
		vgw_lpm_txn_free(txn);
	}
	for (unsigned long i = 0; i < READERS; i++)
		EXPECT(!pthread_create(&thread[i], NULL, read_all, (void *)i));
	for (unsigned int i = 0; i < 1000 * rounds && !ret && !wrong; i++)
		ret = write_step(lens);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	EXPECT(!wrong);
	vgw_lpm_destroy(lpm);
	rcu_flush();
	EXPECT(alloc_live == 0);
	return ret;
}

static int ipv4(void)
{
	return run_width(32);
}

static int ipv6(void)
{
	return run_width(128);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "readers beside a writer, IPv4", ipv4 },
		{ "readers beside a writer, IPv6", ipv6 },
	};

	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}
