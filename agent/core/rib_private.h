/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the RIB share. Nobody else includes this. */
#ifndef VGW_CORE_RIB_PRIVATE_H
#define VGW_CORE_RIB_PRIVATE_H

#include "core/rib.h"
#include "lib/pmap.h"
#include "lib/ptable.h"
#include "lib/slab.h"

/* Paths of a source are a part of the slab: it is walked to find them, and tells whose one is. */
struct rib_path {
	const struct attrs *attrs;
	uint32_t prefix; /* handle in the table */
	uint32_t next; /* of the prefix; handle in the path slab */
	uint64_t since : 46;
	uint64_t stale : 1;
	uint64_t judged : 1; /* verdict is set and counted */
	uint64_t verdict : 8; /* enum rib_verdict */
	uint64_t step : 8; /* enum rib_step, scratch of the decision */
};

/*
 * WANTED means that the import rules let at least one path in. Wanted prefixes
 * are either installed or wait for room; all their wanted paths then have the
 * verdict RIB_ACCEPTED or RIB_REJECT_QUOTA.
 */
enum rib_prefix_state { RIB_PREFIX_UNWANTED, RIB_PREFIX_INSTALLED, RIB_PREFIX_WAITING };

struct rib_prefix {
	/*
	 * First: a node of the table is its prefix. Of it, user8 is enum rib_prefix_state
	 * and RIB_PREFIX_DIRTY, user16 the number of its wanted paths.
	 */
	struct ptable_node node;
	uint32_t paths; /* handle in the path slab */
	uint32_t dirty_next; /* handle in the table */
};

#define RIB_PREFIX_DIRTY 0x80 /* it is in the dirty queue */

/* Wanted paths of a prefix are counted in 16 bits, with one to spare. */
#define RIB_SOURCES_MAX (UINT16_MAX - 1)

struct rib_source {
	struct rib *rib;
	struct rib_source *next;
	struct rib_source_config config;
	uint32_t router_id;
	bool drained;
	size_t n_accepted, n_rejected;
	struct slab_part paths;
};

/* Prefixes that began to wait at the same time. */
struct rib_wait {
	uint64_t time;
	struct pmap prefixes; /* to struct rib_prefix */
	struct rib_wait *prev, *next;
};

struct rib_rules { /* a policy, copied and indexed */
	uint32_t local_as, quota, multipath_max;
	bool transit, overlap_allow, reserved_ranges;
	struct pmap protected;
	struct pmap outer_peers; /* host prefix -> length of the underlay's route to it */
	struct pmap connected, apart;
	uint32_t *site_ases; /* sorted */
	size_t n_site_ases;
};

struct rib {
	struct ptable table; /* of struct rib_prefix */
	struct slab path_slab;
	struct rib_source *sources;
	size_t n_sources, n_drained; /* sources; those that are drained */
	struct rib_rules rules;
	uint64_t now;
	uint32_t dirty_first, dirty_last; /* handles in the table */
	struct pmap waiting; /* to the struct rib_wait that has the prefix */
	struct rib_wait *wait_first, *wait_last;
	bool wait_unlisted; /* there was no memory to put some waiting prefix on the list */
	unsigned int admission_held;
	size_t n_prefixes, n_paths, n_installed, n_waiting; /* prefixes: those with paths */
	size_t verdicts[RIB_N_VERDICTS];
	uint64_t rejected_total[RIB_N_VERDICTS];
};

static inline enum rib_prefix_state rib_prefix_state(const struct rib_prefix *prefix)
{
	return prefix->node.user8 & ~RIB_PREFIX_DIRTY;
}

static inline struct rib_path *rib_path_at(const struct rib *rib, uint32_t handle)
{
	return handle ? slab_at(&rib->path_slab, handle) : NULL;
}

static inline struct rib_path *rib_path_next(const struct rib *rib, const struct rib_path *path)
{
	return rib_path_at(rib, path->next);
}

static inline struct rib_source *rib_path_source(const struct rib_path *path)
{
	return slab_owner(path);
}

#define rib_for_each_path(path, rib, prefix)                                     \
	for (struct rib_path *path = rib_path_at(rib, (prefix)->paths); path; \
	     path = rib_path_next(rib, path))

/* rib.c */
struct rib_prefix *rib_prefix_find(struct rib *rib, const struct prefix *key);
/* The first strictly after key; NULL: no more. */
struct rib_prefix *rib_prefix_next(struct rib *rib, const struct prefix *key);
void rib_prefix_mark_dirty(struct rib *rib, struct rib_prefix *prefix);
/* Applies the current rules to all paths of the prefix. */
void rib_prefix_rejudge(struct rib *rib, struct rib_prefix *prefix);
/* Between the two nothing that waits is let in, so that a long change is one step for the quota. */
void rib_admission_hold(struct rib *rib);
void rib_admission_release(struct rib *rib);

/* rib_policy.c */
enum rib_verdict rib_judge(const struct rib_rules *rules, const struct rib_source *source,
			   const struct prefix *prefix, const struct attrs *attrs);
void rib_rules_clear(struct rib_rules *rules);

#endif
