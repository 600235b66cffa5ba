/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy routes as a table: source and destination prefix, in the order of
 * priority, then sequence; the first that matches wins, whatever its lengths.
 * It knows nothing of gateways, classes or netlink, and looks into no group.
 *
 * A set never changes but for its marks: writers build another one from a
 * transaction and publish it. Readers run under RCU and never wait. No set at
 * all (NULL) is the empty one.
 *
 * Lookup is tuple space search: the policies of one pair of prefix lengths are
 * a hash table, and the tables are asked in the order of their best policy, so
 * that the search ends as soon as no better one can come. A packet pays for
 * different pairs of lengths, not for policies.
 */
#ifndef _VGW_POLICY_H
#define _VGW_POLICY_H

#include <linux/types.h>

#include "lpm.h"

struct vgw_group;
struct vgw_policy_set;

/* All but group, on_fail and mark is the policy's name. Bits behind a length are zero. */
struct vgw_policy {
	struct vgw_lpm_key src, dst;
	u32 priority, sequence;		/* lower first */
	u8 src_len, dst_len;
	u8 on_fail;			/* enum vgw_on_fail */
	u8 mark;			/* parity of its last generation; the writer's */
	struct vgw_group *group;
};

/* Below, at or above 0 as a comes before b, has its name, or comes after it. */
int vgw_policy_compare(const struct vgw_policy *a, const struct vgw_policy *b);

/* Readers. The first match that comes after a policy of this set (NULL: the first of all). */
const struct vgw_policy *vgw_policy_match(const struct vgw_policy_set *set,
					  const struct vgw_lpm_key *src,
					  const struct vgw_lpm_key *dst,
					  const struct vgw_policy *after);

/* Writers, and whoever holds their lock. at() counts in the order of the policies. */
u32 vgw_policy_set_count(const struct vgw_policy_set *set);
struct vgw_policy *vgw_policy_set_at(struct vgw_policy_set *set, u32 i);
/* Place of the first policy that comes after this name. */
u32 vgw_policy_set_after(const struct vgw_policy_set *set, const struct vgw_policy *name);
size_t vgw_policy_set_memory(const struct vgw_policy_set *set);
/* After a grace period, or (no reader is left) at once. */
void vgw_policy_set_retire(struct vgw_policy_set *set);
void vgw_policy_set_destroy(struct vgw_policy_set *set);

/* Changes that are not visible before somebody publishes what is built of them. */
struct vgw_policy_txn {
	struct vgw_policy *list;	/* ordered */
	u32 n, room;
	u8 bits;
};

/* From what set holds. bits: 32 or 128. -ENOMEM. */
int vgw_policy_txn_begin(struct vgw_policy_txn *txn, struct vgw_policy_set *set, u8 bits);
/* The policy of this name as the transaction has it, or NULL. */
struct vgw_policy *vgw_policy_txn_get(struct vgw_policy_txn *txn, const struct vgw_policy *name);
/* Adds or replaces. -ENOMEM with nothing changed. */
int vgw_policy_txn_set(struct vgw_policy_txn *txn, const struct vgw_policy *policy);
/* -ENOENT */
int vgw_policy_txn_del(struct vgw_policy_txn *txn, const struct vgw_policy *name);
/* The set that readers may be given; NULL if it is empty, ERR_PTR(-ENOMEM). */
struct vgw_policy_set *vgw_policy_txn_build(const struct vgw_policy_txn *txn);
void vgw_policy_txn_end(struct vgw_policy_txn *txn);

#endif /* _VGW_POLICY_H */
