// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the input is a program for the table. Each operation is three
 * bytes and a key; the planes must agree with the naive table after each step.
 */
#include <stdio.h>

#include <linux/kernel.h>

#include "lpm_impl.h"
#include "oracle.h"

static struct oracle oracle;
static struct vgw_lpm *lpm;
static struct vgw_lpm_txn *txn;
static struct {
	struct vgw_lpm_key key;
	u8 len;
	u16 before;
} undo[64];
static unsigned int staged;

#define MUST(condition)								\
do {										\
	if (!(condition)) {							\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);	\
		abort();							\
	}									\
} while (0)

static void check(const struct vgw_lpm_key *key)
{
	u8 found = VGW_LPM_START, len = VGW_LPM_START;
	u16 nh = oracle_lookup(&oracle, key, 256, &found);

	MUST(vgw_lpm_lookup(lpm, key) == nh);
	MUST(vgw_lpm_lookup_below(lpm, key, &len) == nh && (!nh || len == found));
}

static void end(bool publish)
{
	if (!txn)
		return;
	if (publish)
		vgw_lpm_txn_publish(txn);
	vgw_lpm_txn_free(txn);
	alloc_fail_after = -1;
	txn = NULL;
	while (!publish && staged) {
		staged--;
		oracle_set(&oracle, &undo[staged].key, undo[staged].len, undo[staged].before);
	}
	for (unsigned int i = 0; i < staged; i++)
		check(&undo[i].key);
	staged = 0;
}

static void change(const struct vgw_lpm_key *key, u8 len, u16 nh)
{
	struct vgw_lpm_value value = { .nh = nh };
	u16 before = oracle_get(&oracle, key, len);
	int ret;

	if (!txn)
		txn = vgw_lpm_txn_begin(lpm);
	MUST(txn);
	ret = nh ? vgw_lpm_txn_set(txn, key, len, value) : vgw_lpm_txn_del(txn, key, len);
	MUST(ret == (nh || before ? 0 : -ENOENT));
	if (ret)
		return;
	undo[staged].key = *key;
	undo[staged].len = len;
	undo[staged++].before = before;
	oracle_set(&oracle, key, len, nh);
}

static void step(const u8 *data)
{
	unsigned int len = data[1] % (oracle.bits + 1);
	struct vgw_lpm_key key = {};

	memcpy(key.addr, data + 3, 4);
	if (oracle.bits == 128) {
		key.addr[6] = data[3];
		key.addr[15] = data[4];
	}
	if (data[0] & 0x80 && !txn)
		check(&key);
	key = oracle_cut(&key, len);
	change(&key, len, data[0] & 0x40 ? 0 : data[2] % 5 + 1);
	if (data[0] & 0x20) {
		alloc_fail_after = data[0] & 0x10 ? data[0] & 7 : -1;
		end(true);
	} else if (staged == 64 || (data[0] & 0x18) == 0x18) {
		end(false);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!size)
		return 0;
	if (!oracle.slot)
		oracle_init(&oracle, 32);
	oracle.bits = data[0] & 1 ? 32 : 128;
	lpm = vgw_lpm_create(oracle.bits);
	for (size_t at = 1; at + 7 <= size && at < 7000; at += 7)
		step(data + at);
	end(true);
	vgw_lpm_destroy(lpm);
	rcu_flush();
	MUST(alloc_live == 0);
	memset(oracle.slot, 0, ORACLE_SLOTS * sizeof(*oracle.slot));
	memset(oracle.lengths, 0, sizeof(oracle.lengths));
	oracle.used = 0;
	return 0;
}
