// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of paths: sources, prefixes, what changed, and the quota.
 *
 * A path is in the list of its prefix and in its source's part of the slab, so
 * that losing a peer costs what that peer had and nothing else. A prefix lives as
 * long as it has paths or its owner has not yet seen that it lost the last one.
 * Prefixes and paths name each other by handles: a pointer is twice as much.
 *
 * Quota: a prefix is wanted while the import rules let one of its paths in. A
 * wanted prefix is installed while there is room and waits otherwise. Whoever
 * leaves makes room for who waits longest; those that began to wait at the
 * same moment go in prefix order, so that the order inside of a burst is of
 * no importance. Nothing that is installed is ever thrown out for another.
 *
 * What touches many paths is done in steps (rib_work.c). A path that its source
 * has flushed is dead at once, for everybody who asks; that it is also taken
 * out, counted off and told to the owner comes step by step.
 */
#include "core/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/rib_private.h"

struct rib *rib_new(void)
{
	struct rib *rib = calloc(1, sizeof(*rib));

	if (!rib)
		return NULL;
	ptable_init(&rib->table, sizeof(struct rib_prefix), true);
	slab_init(&rib->path_slab, sizeof(struct rib_path));
	rib->step = RIB_STEP;
	if (!rib_set_policy(rib, &(struct rib_policy){ 0 }))
		return rib;
	rib_free(rib);
	return NULL;
}

void rib_free(struct rib *rib)
{
	struct prefix key;

	if (!rib)
		return;
	rib_admission_hold(rib);
	while (rib->sources)
		rib_source_remove(rib->sources);
	while (rib_work(rib))
		;
	while (rib_dirty_next(rib, &key))
		;
	ptable_destroy(&rib->table);
	slab_destroy(&rib->path_slab);
	rib_rules_clear(&rib->rules);
	free(rib);
}

void rib_set_time(struct rib *rib, uint64_t now)
{
	rib->now = now;
}

void rib_set_step(struct rib *rib, unsigned int step)
{
	rib->step = step;
}

/* Prefixes */

struct rib_prefix *rib_prefix_find(struct rib *rib, const struct prefix *key)
{
	return ptable_find(&rib->table, key);
}

void rib_expect(struct rib *rib, const struct prefix *prefix)
{
	ptable_expect(&rib->table, prefix);
}

struct rib_prefix *rib_prefix_next(struct rib *rib, const struct prefix *key)
{
	return ptable_next(&rib->table, key);
}

/* Frees it if nobody needs it. */
static void prefix_release(struct rib *rib, struct rib_prefix *prefix)
{
	if (!prefix->paths && !(prefix->node.user8 & RIB_PREFIX_DIRTY))
		ptable_remove(&rib->table, prefix);
}

static void prefix_set_state(struct rib_prefix *prefix, enum rib_prefix_state state)
{
	prefix->node.user8 = (uint8_t)((prefix->node.user8 & RIB_PREFIX_DIRTY) | state);
}

void rib_prefix_mark_dirty(struct rib *rib, struct rib_prefix *prefix)
{
	uint32_t handle;

	if (prefix->node.user8 & RIB_PREFIX_DIRTY)
		return;
	handle = ptable_handle(&rib->table, prefix);
	prefix->node.user8 |= RIB_PREFIX_DIRTY;
	prefix->dirty_next = 0;
	if (rib->dirty_first)
		((struct rib_prefix *)ptable_at(&rib->table, rib->dirty_last))->dirty_next = handle;
	else
		rib->dirty_first = handle;
	rib->dirty_last = handle;
}

bool rib_dirty_next(struct rib *rib, struct prefix *prefix)
{
	struct rib_prefix *first;

	if (!rib->dirty_first)
		return false;
	first = ptable_at(&rib->table, rib->dirty_first);
	rib->dirty_first = first->dirty_next;
	if (rib->dirty_first)
		__builtin_prefetch(ptable_at(&rib->table, rib->dirty_first));
	first->node.user8 &= (uint8_t)~RIB_PREFIX_DIRTY;
	ptable_key(&rib->table, first, prefix);
	prefix_release(rib, first);
	return true;
}

bool rib_next(struct rib *rib, struct prefix *prefix)
{
	const struct rib_prefix *next;
	struct prefix key = *prefix;

	/* Those without paths only wait for their owner to hear of it. */
	while ((next = rib_prefix_next(rib, &key))) {
		ptable_key(&rib->table, next, &key);
		if (!next->paths)
			continue;
		*prefix = key;
		return true;
	}
	return false;
}

/* Verdicts */

static bool path_is_wanted(const struct rib_path *path)
{
	return path->judged && (path->verdict == RIB_ACCEPTED || path->verdict == RIB_REJECT_QUOTA);
}

static void verdict_uncount(struct rib *rib, const struct rib_path *path)
{
	if (!path->judged)
		return;
	rib->verdicts[path->verdict]--;
	if (path->verdict == RIB_ACCEPTED)
		rib_path_source(path)->n_accepted--;
	else
		rib_path_source(path)->n_rejected--;
}

static void verdict_set(struct rib *rib, struct rib_path *path, enum rib_verdict verdict)
{
	verdict_uncount(rib, path);
	path->judged = true;
	path->verdict = verdict;
	rib->verdicts[verdict]++;
	if (verdict == RIB_ACCEPTED)
		rib_path_source(path)->n_accepted++;
	else
		rib_path_source(path)->n_rejected++;
}

/* The waiting line */

static bool has_room(const struct rib *rib)
{
	return !rib->rules.quota || rib->n_installed < rib->rules.quota;
}

/* The group of those that began to wait now; the clock may be set back, the order is kept. */
static struct rib_wait *wait_group(struct rib *rib)
{
	struct rib_wait *prev = rib->wait_last, *group;

	while (prev && prev->time > rib->now)
		prev = prev->prev;
	if (prev && prev->time == rib->now)
		return prev;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->time = rib->now;
	group->prev = prev;
	group->next = prev ? prev->next : rib->wait_first;
	*(prev ? &prev->next : &rib->wait_first) = group;
	*(group->next ? &group->next->prev : &rib->wait_last) = group;
	return group;
}

static void wait_group_release(struct rib *rib, struct rib_wait *group)
{
	if (pmap_count(&group->prefixes))
		return;
	*(group->prev ? &group->prev->next : &rib->wait_first) = group->next;
	*(group->next ? &group->next->prev : &rib->wait_last) = group->prev;
	free(group);
}

/* Without memory for its place the prefix waits at the end, outside of the line. */
static void wait_begin(struct rib *rib, struct rib_prefix *prefix)
{
	struct rib_wait *group = wait_group(rib);
	struct prefix key;

	ptable_key(&rib->table, prefix, &key);
	prefix_set_state(prefix, RIB_PREFIX_WAITING);
	rib->n_waiting++;
	if (!group || pmap_put(&group->prefixes, &key, prefix)) {
		rib->wait_unlisted = true;
	} else if (pmap_put(&rib->waiting, &key, group)) {
		pmap_del(&group->prefixes, &key);
		rib->wait_unlisted = true;
	}
	if (group)
		wait_group_release(rib, group);
}

static void wait_end(struct rib *rib, struct rib_prefix *prefix)
{
	struct rib_wait *group;
	struct prefix key;

	ptable_key(&rib->table, prefix, &key);
	group = pmap_del(&rib->waiting, &key);
	prefix_set_state(prefix, RIB_PREFIX_UNWANTED);
	rib->n_waiting--;
	if (!group)
		return;
	pmap_del(&group->prefixes, &key);
	wait_group_release(rib, group);
}

static struct rib_prefix *wait_next(struct rib *rib)
{
	struct rib_prefix *prefix = NULL;
	struct prefix key = { 0 };
	void *value;

	if (rib->wait_first && pmap_next(&rib->wait_first->prefixes, &key, &value))
		return value;
	if (!rib->wait_unlisted)
		return NULL;
	while ((prefix = ptable_walk(&rib->table, prefix)))
		if (rib_prefix_state(prefix) == RIB_PREFIX_WAITING)
			return prefix;
	rib->wait_unlisted = false;
	return NULL;
}

static void prefix_install(struct rib *rib, struct rib_prefix *prefix)
{
	prefix_set_state(prefix, RIB_PREFIX_INSTALLED);
	rib->n_installed++;
	rib_prefix_mark_dirty(rib, prefix);
	rib_for_each_path(path, rib, prefix)
		if (path_is_wanted(path))
			verdict_set(rib, path, RIB_ACCEPTED);
}

bool rib_admission_due(const struct rib *rib)
{
	return !rib->admission_held && rib->n_waiting && has_room(rib);
}

bool rib_admit(struct rib *rib)
{
	struct rib_prefix *prefix;

	if (!rib_admission_due(rib))
		return false;
	prefix = wait_next(rib);
	if (!prefix)
		return false;
	wait_end(rib, prefix);
	prefix_install(rib, prefix);
	return true;
}

void rib_admission_hold(struct rib *rib)
{
	rib->admission_held++;
}

void rib_admission_release(struct rib *rib)
{
	rib->admission_held--;
}

/* The first path of the prefix was let in. */
static void prefix_enter(struct rib *rib, struct rib_prefix *prefix)
{
	bool queue = rib->admission_held && rib->rules.quota;

	/* Room that rib_work() has not yet given to who waits is theirs. */
	if (has_room(rib) && !queue && !rib->n_waiting)
		prefix_install(rib, prefix);
	else
		wait_begin(rib, prefix);
}

/* The last path that was let in is gone; the prefix is dirty already if it was installed. */
static void prefix_leave(struct rib *rib, struct rib_prefix *prefix)
{
	if (rib_prefix_state(prefix) == RIB_PREFIX_WAITING) {
		wait_end(rib, prefix);
		return;
	}
	prefix_set_state(prefix, RIB_PREFIX_UNWANTED);
	rib->n_installed--;
	rib_admit(rib);
}

/* Paths */

/* Gives the path the verdict of the current rules, with all that follows. */
static void path_settle(struct rib *rib, struct rib_prefix *prefix, const struct prefix *key,
			struct rib_path *path, bool announced)
{
	enum rib_verdict verdict =
		rib_judge(&rib->rules, rib_path_source(path), key, path->attrs);
	bool was = path_is_wanted(path), is = verdict == RIB_ACCEPTED, changed;

	if (is != was)
		prefix->node.user16 += is ? 1 : -1;
	if (is && rib_prefix_state(prefix) == RIB_PREFIX_UNWANTED)
		prefix_enter(rib, prefix);
	if (is && rib_prefix_state(prefix) == RIB_PREFIX_WAITING)
		verdict = RIB_REJECT_QUOTA;
	changed = announced || verdict != path->verdict;
	verdict_set(rib, path, verdict);
	if (changed && verdict != RIB_ACCEPTED)
		rib->rejected_total[verdict]++;
	if (changed && (was || is) && rib_prefix_state(prefix) == RIB_PREFIX_INSTALLED)
		rib_prefix_mark_dirty(rib, prefix);
	if (!prefix->node.user16 && rib_prefix_state(prefix) != RIB_PREFIX_UNWANTED)
		prefix_leave(rib, prefix);
}

/*
 * The prefix keeps its place as long as some path of it is let in before and after. Dead paths
 * keep their verdict until they are swept: nobody asks for it.
 */
void rib_prefix_rejudge(struct rib *rib, struct rib_prefix *prefix)
{
	struct prefix key;

	ptable_key(&rib->table, prefix, &key);
	prefix->node.user16++;
	rib_for_each_path(path, rib, prefix)
		if (rib_path_is_live(path))
			path_settle(rib, prefix, &key, path, false);
	prefix->node.user16--;
	if (!prefix->node.user16 && rib_prefix_state(prefix) != RIB_PREFIX_UNWANTED)
		prefix_leave(rib, prefix);
}

struct rib_path *rib_path_find(const struct rib *rib, const struct rib_prefix *prefix,
			       const struct rib_source *source)
{
	rib_for_each_path(path, rib, prefix)
		if (rib_path_source(path) == source)
			return path;
	return NULL;
}

/* NULL: no memory, and nothing has changed. */
static struct rib_path *path_new(struct rib_source *source, struct rib_prefix *prefix)
{
	struct rib_path *path = slab_alloc(&source->paths);
	struct rib *rib = source->rib;

	if (!path)
		return NULL;
	if (!prefix->paths)
		rib->n_prefixes++;
	rib->n_paths++;
	path->prefix = ptable_handle(&rib->table, prefix);
	path->next = prefix->paths;
	prefix->paths = slab_handle(&rib->path_slab, path);
	return path;
}

static void path_unlink(struct rib *rib, struct rib_prefix *prefix, const struct rib_path *path)
{
	uint32_t *link = &prefix->paths;

	while (rib_path_at(rib, *link) != path)
		link = &rib_path_at(rib, *link)->next;
	*link = path->next;
	rib->n_paths--;
	if (!prefix->paths)
		rib->n_prefixes--;
}

void rib_path_remove(struct rib *rib, struct rib_path *path)
{
	struct rib_prefix *prefix = ptable_at(&rib->table, path->prefix);

	rib_pass_catch_up(rib, prefix);
	path_unlink(rib, prefix, path);
	verdict_uncount(rib, path);
	if (path_is_wanted(path)) {
		prefix->node.user16--;
		if (rib_prefix_state(prefix) == RIB_PREFIX_INSTALLED)
			rib_prefix_mark_dirty(rib, prefix);
		if (!prefix->node.user16)
			prefix_leave(rib, prefix);
	}
	attrs_put(path->attrs);
	slab_put(&rib->path_slab, path);
	prefix_release(rib, prefix);
}

int rib_announce(struct rib_source *source, const struct prefix *prefix, const struct attrs *attrs)
{
	struct rib *rib = source->rib;
	struct rib_prefix *entry;
	struct rib_path *path;
	bool is_new;

	if (!addr_bits(prefix->addr.family))
		return -EINVAL;
	entry = ptable_get(&rib->table, prefix, &is_new);
	if (!entry)
		return -ENOMEM;
	path = is_new ? NULL : rib_path_find(rib, entry, source);
	if (path && path->attrs == attrs && rib_path_is_live(path)) {
		path->era = source->era;
		if (path->verdict != RIB_ACCEPTED)
			rib->rejected_total[path->verdict]++;
		return 0;
	}
	rib_pass_catch_up(rib, entry);
	if (!path)
		path = path_new(source, entry);
	if (!path) {
		prefix_release(rib, entry);
		return -ENOMEM;
	}
	attrs_get(attrs);
	attrs_put(path->attrs);
	path->attrs = attrs;
	path->era = source->era;
	path->since = rib->now;
	path_settle(rib, entry, prefix, path, true);
	return 0;
}

void rib_withdraw(struct rib_source *source, const struct prefix *prefix)
{
	struct rib_prefix *entry = rib_prefix_find(source->rib, prefix);
	struct rib_path *path = entry ? rib_path_find(source->rib, entry, source) : NULL;

	if (path)
		rib_path_remove(source->rib, path);
}

void rib_memory(const struct rib *rib, struct rib_memory *out)
{
	*out = (struct rib_memory){
		.n_prefixes = rib->table.count,
		.prefixes = ptable_memory(&rib->table),
		.n_paths = rib->n_paths,
		.paths = slab_memory(&rib->path_slab),
		.n_waiting = rib->n_waiting,
		/* A prefix is in its group's map and in the one that finds the group. */
		.waiting = 2 * pmap_memory(&rib->waiting),
	};
}

void rib_counters(const struct rib *rib, struct rib_counters *out)
{
	struct rib_memory memory;

	rib_memory(rib, &memory);
	*out = (struct rib_counters){
		.prefixes = rib->n_prefixes,
		.installed = rib->n_installed,
		.refused_quota = rib->n_waiting,
		.paths = rib->n_paths,
		.memory = memory.prefixes + memory.paths + memory.waiting,
	};
	memcpy(out->verdicts, rib->verdicts, sizeof(out->verdicts));
	memcpy(out->rejected_total, rib->rejected_total, sizeof(out->rejected_total));
}
