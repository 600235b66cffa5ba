/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the RIB share. Nobody else includes this. */
#ifndef VGW_CORE_RIB_PRIVATE_H
#define VGW_CORE_RIB_PRIVATE_H

#include "core/rib.h"
#include "lib/pmap.h"
#include "lib/ptable.h"
#include "lib/slab.h"

/* Of one source; a path from before the source's last flush is dead, whether swept or not. */
#define RIB_ERA_BITS 15
#define RIB_ERA_MAX ((1u << RIB_ERA_BITS) - 1)
#define RIB_ERA_NEVER (1u << RIB_ERA_BITS) /* later than all */

/* Paths of a source are a part of the slab: it is walked to find them, and tells whose one is. */
struct rib_path {
	const struct attrs *attrs;
	uint32_t prefix; /* handle in the table */
	uint32_t next; /* of the prefix; handle in the path slab */
	uint64_t since : 40; /* of uptime in ms: 34 years */
	uint64_t era : RIB_ERA_BITS; /* of its source, in which it was announced last */
	uint64_t judged : 1; /* verdict is set and counted */
	uint64_t verdict : 4; /* enum rib_verdict */
	uint64_t step : 4; /* enum rib_step, scratch of the decision */
};

_Static_assert(RIB_N_VERDICTS <= 16 && RIB_N_STEPS <= 16, "they have 4 bits in a path");

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
	/* Paths of an era below are dead, or stale; by family, IPv4 first. */
	uint32_t era, alive_from[2], fresh_from[2];
	/* What a walk through the paths does, and what the one after it will have to. */
	unsigned int walk, walk_next; /* RIB_WALK_ */
	struct rib_source *work_next;
	bool queued; /* in rib->work_first */
	bool removed; /* by the owner; lives until its paths are swept */
};

#define RIB_WALK_SWEEP 1u /* takes out the dead */
#define RIB_WALK_TOUCH 2u /* makes the prefixes dirty */

/* Prefixes that began to wait at the same time. */
struct rib_wait {
	uint64_t time;
	struct pmap prefixes; /* to struct rib_prefix */
	struct rib_wait *prev, *next;
};

struct rib_rules { /* a policy, copied and indexed */
	uint32_t local_as, quota, multipath_max;
	bool transit, overlap_allow, reserved_ranges;
	/* By family, a bit for the first 16 of an address: some rule is about a block there. */
	uint64_t concerned[2][65536 / 64];
	struct pmap protected;
	struct pmap outer_peers; /* host prefix -> length of the underlay's route to it */
	struct pmap connected, apart;
	uint32_t *site_ases; /* sorted */
	size_t n_site_ases;
};

#define RIB_PASS_JUDGE 1u /* by the rules as they are */
#define RIB_PASS_MULTIPATH 2u /* prefixes with more than one path are dirty */

/* A walk through all prefixes, in steps. */
struct rib_pass {
	unsigned int doing, next; /* RIB_PASS_; the one under way and the one after it */
	uint64_t since, next_since; /* when the rules changed */
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
	struct rib_source *work_first, *work_last; /* sources with paths to walk through */
	struct rib_pass pass;
	unsigned int step;
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

static inline bool rib_path_is_live(const struct rib_path *path)
{
	return path->era >= rib_path_source(path)->alive_from[path->prefix >> 31];
}

static inline bool rib_path_is_stale(const struct rib_path *path)
{
	return path->era < rib_path_source(path)->fresh_from[path->prefix >> 31];
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
/* Lets in who waits longest. False: nobody waits, there is no room, or it is held. */
bool rib_admit(struct rib *rib);
bool rib_admission_due(const struct rib *rib); /* would it? */
struct rib_path *rib_path_find(const struct rib *rib, const struct rib_prefix *prefix,
			       const struct rib_source *source);
void rib_path_remove(struct rib *rib, struct rib_path *path);

/* rib_work.c */
void rib_walk_want(struct rib_source *source, unsigned int walk);
void rib_pass_want(struct rib *rib, unsigned int pass);
/* Before one path of the prefix changes: or it might lose its place between two judgements. */
void rib_pass_catch_up(struct rib *rib, struct rib_prefix *prefix);
/* Does what one call may do of it. */
void rib_work_begin(struct rib *rib);

/* rib_source.c: it is removed and has no paths. */
void rib_source_free(struct rib_source *source);

/* rib_policy.c */
enum rib_verdict rib_judge(const struct rib_rules *rules, const struct rib_source *source,
			   const struct prefix *prefix, const struct attrs *attrs);
void rib_rules_clear(struct rib_rules *rules);

#endif
