/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gateway's BGP table: every path that the sources announced, which of
 * them the import rules accept, and which next hops win (rules 7, 9, 19, 34).
 *
 * Promise: no event order matters. The decision for a prefix is a function of
 * the accepted paths; a changed prefix is queued once and the owner pulls it
 * (rib_dirty_next), so a burst costs one look per prefix. The quota counts
 * unique prefixes; what it refuses is kept, listed, and admitted when room
 * appears, first come first served by (time, prefix). A smaller quota takes
 * nothing out that is in. One thread uses a table.
 *
 * No call takes long: what touches many paths (the end of a source, a sweep, a
 * new policy) begins with RIB_STEP of them, and the owner does the rest with
 * rib_work(). Decisions and rib_paths() know at once which paths are gone; the
 * counters, the queue of changed prefixes and, after rib_set_policy(), the
 * verdicts follow.
 */
#ifndef VGW_CORE_RIB_H
#define VGW_CORE_RIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/attrs.h"
#include "lib/addr.h"

struct rib;
struct rib_source; /* one peer: the session of a tunnel, a private line or a transit peer */

#define RIB_NEXT_HOPS_MAX 64
#define RIB_STEP 2048 /* paths that one call works off: less than a millisecond */

/*
 * Of a large community (RFC 8092) behind the gateway's AS and before the site's: a gateway tells
 * its domain what a site taught it. No gateway takes that for a route of the domain's own.
 */
#define RIB_SITE_MARK 0x76677731u

struct rib_source_config {
	uint32_t tunnel; /* next-hop id, what the decision yields */
	uint32_t connection, site;
	uint32_t peer_as; /* the first AS of every path; 0: any */
	uint32_t site_as; /* configured for the site (rule 11), 0: none */
	uint8_t weight; /* of the tunnel in its group; 0 counts as 1 */
	struct addr peer; /* inside address, or the far end of the line */
	/*
	 * A private line: held to the same rules and the same quota, but its paths are no next
	 * hops of the decision. They stand beside it: who has a line asks rib_source_has().
	 */
	bool line;
	/*
	 * A transit peer, of a table of its own: it may name another router on the network of
	 * the address local as the next hop, and nothing that comes from a site is let in.
	 */
	bool transit;
	struct addr local;
	const char *name; /* copied */
};

/* Why a path is not in the table (rules 11, 18, 34, 40, 49, 50, D4). */
enum rib_verdict {
	RIB_ACCEPTED,
	RIB_REJECT_DEFAULT,
	RIB_REJECT_NEVER,
	RIB_REJECT_PROTECTED,
	RIB_REJECT_OWN_AS,
	RIB_REJECT_RESERVED,
	RIB_REJECT_OUTER_PEER,
	RIB_REJECT_SITE_AS,
	RIB_REJECT_FIRST_AS,
	RIB_REJECT_NEXT_HOP,
	RIB_REJECT_QUOTA,
	RIB_REJECT_LENGTH,
	RIB_REJECT_SITE_ROUTE,
	RIB_REJECT_OVERLAP,
	RIB_N_VERDICTS,
};
const char *rib_verdict_name(enum rib_verdict verdict); /* "default-refused" ... */
const char *rib_verdict_reason(enum rib_verdict verdict); /* one sentence for people */

/* The step of the decision process at which a path lost. */
enum rib_step {
	RIB_STEP_BEST,
	RIB_STEP_MULTIPATH,
	RIB_STEP_DRAINED,
	RIB_STEP_LOCAL_PREF,
	RIB_STEP_AS_PATH,
	RIB_STEP_ORIGIN,
	RIB_STEP_MED,
	RIB_STEP_SITE,
	RIB_STEP_ROUTER_ID,
	RIB_STEP_PEER_ADDRESS,
	RIB_STEP_LINE, /* a private line's: not compared with others */
	RIB_STEP_REJECTED,
	RIB_N_STEPS,
};
const char *rib_step_name(enum rib_step step); /* "best", "as-path" ... */

struct rib_path_info { /* for show; borrowed */
	const struct rib_source *source;
	const struct attrs *attrs;
	enum rib_verdict verdict;
	enum rib_step step;
	bool stale;
	uint64_t since; /* ms */
};

struct rib_next_hop {
	uint32_t tunnel;
	uint8_t weight; /* 0: a drained tunnel, which stands by for the others */
};

struct rib_decision {
	uint32_t n_next_hops; /* 0: no route */
	struct rib_next_hop next_hops[RIB_NEXT_HOPS_MAX]; /* sorted by tunnel */
	const struct attrs *best; /* borrowed */
};

struct rib_policy { /* import rules */
	uint32_t local_as;
	bool transit; /* attachment: accepts a default route */
	bool overlap_allow; /* D4 off */
	bool reserved_ranges; /* rule 49, profile alibaba */
	uint32_t quota; /* 0: none */
	uint32_t multipath_max; /* 0: the default, 16 */
	const struct prefix *protected; /* local prefixes; learned equal or inside is refused */
	size_t n_protected;
	const struct addr *outer_peers; /* rule 50: prefixes covering one are refused ... */
	size_t n_outer_peers;
	/* ... unless the underlay's longest route to it (its length is here, 0: none) is longer */
	const uint8_t *outer_pinned;
	/* Of transit peers: networks of this host, AS numbers of the sites, and prefixes (of
	 * the sites) that must not be overlapped in either direction (rule 42). */
	const struct prefix *connected;
	size_t n_connected;
	const uint32_t *site_ases;
	size_t n_site_ases;
	const struct prefix *apart;
	size_t n_apart;
};

/* NULL: no memory. A new table has a policy of all zeros. */
struct rib *rib_new(void);
void rib_free(struct rib *rib); /* with all its sources */
/* One more step of what calls have left to do; true: there is more. */
bool rib_work(struct rib *rib);
/* Other than RIB_STEP, for tests. 0: calls leave everything to rib_work(), which does one. */
void rib_set_step(struct rib *rib, unsigned int step);
/*
 * Copies the policy. Paths that the difference can touch are judged again, those that come from
 * now on by the new one; changed prefixes become dirty. 0, or -ENOMEM and the old policy stays.
 */
int rib_set_policy(struct rib *rib, const struct rib_policy *policy);
/* now: milliseconds for "since" and quota order. */
void rib_set_time(struct rib *rib, uint64_t now);

/* NULL: no memory. */
struct rib_source *rib_source_add(struct rib *rib, const struct rib_source_config *config);
/* Its paths go, nobody is shown the source any more; NULL is fine. */
void rib_source_remove(struct rib_source *source);
const struct rib_source_config *rib_source_config(const struct rib_source *source);
void rib_source_set_router_id(struct rib_source *source, uint32_t id); /* host order */
/* The tunnel's share in its groups, at run time. */
void rib_source_set_weight(struct rib_source *source, uint8_t weight);
/* Its paths lose against all others, and are used while there are no others. */
void rib_source_set_drained(struct rib_source *source, bool drained);
/* All its accepted prefixes become dirty: something beside the paths changed. */
void rib_source_touch(struct rib_source *source);
/* Is there an accepted path of this source? */
bool rib_source_has(const struct rib_source *source, const struct prefix *prefix);
/* A source whose paths must not be used (its session is down without graceful restart, ...). */
void rib_source_flush(struct rib_source *source);
/*
 * RFC 4724 4.2 as helper: keep, mark stale; what was stale already goes. A stale
 * path counts like a fresh one. Sweep: what was not announced again goes.
 */
void rib_source_mark_stale(struct rib_source *source);
/* RFC 7313 4: the paths of the family will be told again; as stale, until they are or a sweep. */
void rib_source_mark_refresh(struct rib_source *source, uint8_t family);
void rib_source_sweep_stale(struct rib_source *source, uint8_t family);

/*
 * Replaces the source's path for the prefix; takes its own reference to attrs.
 * 0 (also if the rules refuse the path), -ENOMEM and nothing has changed, or
 * -EINVAL if the prefix has no family.
 */
int rib_announce(struct rib_source *source, const struct prefix *prefix, const struct attrs *attrs);
void rib_withdraw(struct rib_source *source, const struct prefix *prefix);

/* It will be withdrawn soon: only a hint (ptable_expect()). */
void rib_expect(struct rib *rib, const struct prefix *prefix);

/* Next changed prefix; false when none is left. */
bool rib_dirty_next(struct rib *rib, struct prefix *prefix);
/* best is good until the next change of the table. */
void rib_decide(struct rib *rib, const struct prefix *prefix, struct rib_decision *decision);

/* Walks in (family, address, length) order, resumable by key: strictly after *prefix (family
 * AF_UNSPEC: start). What is still to be taken out has no paths, but may come. */
bool rib_next(struct rib *rib, struct prefix *prefix);
/* Fills up to max paths, best first, and returns how many there are. */
size_t rib_paths(struct rib *rib, const struct prefix *prefix, struct rib_path_info *out,
		 size_t max);

struct rib_counters { /* of paths now: with those that are still to be taken out */
	size_t prefixes, installed, refused_quota, paths;
	size_t verdicts[RIB_N_VERDICTS]; /* paths now */
	/* Since start: announcements that were refused, and paths that a new policy threw out. */
	uint64_t rejected_total[RIB_N_VERDICTS];
	size_t memory; /* bytes, without attribute sets */
};
void rib_counters(const struct rib *rib, struct rib_counters *out);

struct rib_memory { /* objects and their bytes, with what they leave unused */
	size_t n_prefixes, prefixes; /* with the places in the hash and in the order */
	size_t n_paths, paths;
	size_t n_waiting, waiting; /* the line of those that the quota keeps out */
};
void rib_memory(const struct rib *rib, struct rib_memory *out);
void rib_source_counters(const struct rib_source *source, size_t *accepted, size_t *rejected);

#endif
