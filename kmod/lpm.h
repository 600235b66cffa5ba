/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Longest prefix match: a table from prefixes to 16-bit next-hop ids. It knows
 * nothing of classes, groups or netlink.
 *
 * Readers run under RCU and never wait. Writers hold a lock of the owner's
 * and stage their changes in a transaction: nothing is visible before it is
 * published, publishing cannot fail, and freeing it unpublished leaves no trace.
 */
#ifndef _VGW_LPM_H
#define _VGW_LPM_H

#include <linux/types.h>

#define VGW_LPM_NONE	0	/* next-hop id of "no match" */
#define VGW_LPM_START	0xff	/* prefix length that stands before the first prefix */

/* Address in network order; IPv4 in the first four bytes, the rest zero. */
struct vgw_lpm_key {
	u8 addr[16];
};

#define VGW_LPM_MARKS	0xf	/* bits of a mark that are kept */

/* nh is what lookups return; mark is the owner's and takes no part in lookups. */
struct vgw_lpm_value {
	u16 nh;
	u8 mark;
};

struct vgw_lpm;
struct vgw_lpm_txn;

/* bits: 32 or 128. NULL on no memory. */
struct vgw_lpm *vgw_lpm_create(unsigned int bits);
/* No reader and no writer may be left. */
void vgw_lpm_destroy(struct vgw_lpm *lpm);

/* One transaction at a time. NULL on no memory. */
struct vgw_lpm_txn *vgw_lpm_txn_begin(struct vgw_lpm *lpm);
/* Adds or replaces. -ENOMEM, -EINVAL (bits behind len, len too long, nh 0). */
int vgw_lpm_txn_set(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len,
		    struct vgw_lpm_value value);
/* -ENOENT if the prefix is not there, -ENOMEM. */
int vgw_lpm_txn_del(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len);
/* The prefix's value as the transaction would leave it. */
bool vgw_lpm_txn_get(struct vgw_lpm_txn *txn, const struct vgw_lpm_key *key, u8 len,
		     struct vgw_lpm_value *value);
/* Each staged change in order: next-hop id before and after it, 0 for none. */
void vgw_lpm_txn_each(struct vgw_lpm_txn *txn, void (*change)(void *ctx, u16 before, u16 after),
		      void *ctx);
/* Makes the changes visible, once. */
void vgw_lpm_txn_publish(struct vgw_lpm_txn *txn);
/* Ends the transaction; what was not published never was. */
void vgw_lpm_txn_free(struct vgw_lpm_txn *txn);

/* The rest of the writer's side. */
bool vgw_lpm_get(struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 len,
		 struct vgw_lpm_value *value);
bool vgw_lpm_mark(struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 len, u8 mark);
/*
 * The first prefix after (*key, *len) in order of address, then length; the
 * walk starts with len VGW_LPM_START. False at the end.
 */
bool vgw_lpm_next(struct vgw_lpm *lpm, struct vgw_lpm_key *key, u8 *len,
		  struct vgw_lpm_value *value);
size_t vgw_lpm_count(const struct vgw_lpm *lpm);
size_t vgw_lpm_memory(const struct vgw_lpm *lpm);

/* Readers, in an RCU read-side section. */
u16 vgw_lpm_lookup(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key);
/*
 * The longest match that is shorter than *len (VGW_LPM_START: any), whose
 * length is stored in *len. For dead routes and explanations, not for speed.
 */
u16 vgw_lpm_lookup_below(const struct vgw_lpm *lpm, const struct vgw_lpm_key *key, u8 *len);

#endif /* _VGW_LPM_H */
