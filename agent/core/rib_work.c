// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long work in steps: walks through the paths of a source, passes through all
 * prefixes, and letting in those that waited for room.
 *
 * A walk or a pass that is wanted while one is under way comes after it, and
 * begins anew: so every one ends, however often somebody wants another. What is
 * announced meanwhile is right by itself: it is alive, judged by the rules of now, and
 * makes its prefix dirty.
 *
 * A pass that judges holds back the line of those who wait until it is over: for the
 * quota, it is one step.
 */
#include "core/rib_private.h"

#define WALK_AHEAD 16

/* Paths */

static void walk_begin(struct rib_source *source)
{
	source->walk = source->walk_next;
	source->walk_next = 0;
	slab_scan_begin(&source->paths);
}

void rib_walk_want(struct rib_source *source, unsigned int walk)
{
	struct rib *rib = source->rib;

	source->walk_next |= walk;
	if (source->queued)
		return;
	source->queued = true;
	source->work_next = NULL;
	*(rib->work_first ? &rib->work_last->work_next : &rib->work_first) = source;
	rib->work_last = source;
	walk_begin(source);
}

static void walk_path(struct rib_source *source, struct rib_path *path)
{
	struct rib *rib = source->rib;

	if (!rib_path_is_live(path)) {
		if (source->walk & RIB_WALK_SWEEP)
			rib_path_remove(rib, path);
	} else if (source->walk & RIB_WALK_TOUCH && path->verdict == RIB_ACCEPTED) {
		rib_prefix_mark_dirty(rib, ptable_at(&rib->table, path->prefix));
	}
}

/* Does at most so many; false: the walk is over. */
static bool walk_step(struct rib_source *source, unsigned int *left)
{
	struct rib_path *paths[WALK_AHEAD];
	unsigned int n = 1;

	/* Some at a time: their prefixes come from memory together. No path removes another. */
	while (*left && n) {
		for (n = 0; n < WALK_AHEAD && n < *left; n++) {
			paths[n] = slab_scan(&source->paths);
			if (!paths[n])
				break;
			__builtin_prefetch(ptable_at(&source->rib->table, paths[n]->prefix));
		}
		for (unsigned int i = 0; i < n; i++)
			walk_path(source, paths[i]);
		*left -= n;
	}
	return n;
}

static void walk_end(struct rib *rib, struct rib_source *source)
{
	rib->work_first = source->work_next;
	source->queued = false;
	source->walk = 0;
	if (source->walk_next)
		rib_walk_want(source, 0);
	else if (source->removed)
		rib_source_free(source);
}

static void walks_step(struct rib *rib, unsigned int left)
{
	while (left && rib->work_first)
		if (!walk_step(rib->work_first, &left))
			walk_end(rib, rib->work_first);
}

/* Prefixes */

static void pass_begin(struct rib *rib)
{
	struct rib_pass *pass = &rib->pass;

	pass->doing = pass->next;
	pass->since = pass->next_since;
	pass->next = 0;
	if (pass->doing)
		ptable_scan_begin(&rib->table);
}

void rib_pass_want(struct rib *rib, unsigned int pass)
{
	if (pass & RIB_PASS_JUDGE && !((rib->pass.doing | rib->pass.next) & RIB_PASS_JUDGE))
		rib_admission_hold(rib);
	rib->pass.next |= pass;
	rib->pass.next_since = rib->now;
	if (!rib->pass.doing)
		pass_begin(rib);
}

/* Who has to wait by the new rules has waited since they are there. */
static void pass_judge(struct rib *rib, struct rib_prefix *prefix)
{
	const struct rib_pass *pass = &rib->pass;
	uint64_t now = rib->now;

	rib->now = pass->next & RIB_PASS_JUDGE ? pass->next_since : pass->since;
	rib_prefix_rejudge(rib, prefix);
	rib->now = now;
}

void rib_pass_catch_up(struct rib *rib, struct rib_prefix *prefix)
{
	if ((rib->pass.doing | rib->pass.next) & RIB_PASS_JUDGE)
		pass_judge(rib, prefix);
}

static void pass_prefix(struct rib *rib, struct rib_prefix *prefix)
{
	if (rib->pass.doing & RIB_PASS_JUDGE)
		pass_judge(rib, prefix);
	if (rib->pass.doing & RIB_PASS_MULTIPATH && prefix->node.user16 > 1 &&
	    rib_prefix_state(prefix) == RIB_PREFIX_INSTALLED)
		rib_prefix_mark_dirty(rib, prefix);
}

static void pass_end(struct rib *rib)
{
	if (rib->pass.doing & RIB_PASS_JUDGE && !(rib->pass.next & RIB_PASS_JUDGE))
		rib_admission_release(rib);
	pass_begin(rib);
}

static void passes_step(struct rib *rib, unsigned int left)
{
	for (; left && rib->pass.doing; left--) {
		struct rib_prefix *prefix = ptable_scan(&rib->table);

		if (prefix)
			pass_prefix(rib, prefix);
		else
			pass_end(rib);
	}
}

/* All */

static bool work_step(struct rib *rib, unsigned int step)
{
	bool walks = rib->work_first, pass = rib->pass.doing;

	/* Both go on: peers decide how many walks there are. */
	if (walks)
		walks_step(rib, pass && step > 1 ? step / 2 : step);
	if (pass && (!walks || step > 1))
		passes_step(rib, walks ? step - step / 2 : step);
	while (step && rib_admit(rib))
		step--;
	return rib->work_first || rib->pass.doing || rib_admission_due(rib);
}

bool rib_work(struct rib *rib)
{
	return work_step(rib, rib->step ? rib->step : 1);
}

void rib_work_begin(struct rib *rib)
{
	if (rib->step)
		work_step(rib, rib->step);
}
