// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of paths: sources, prefixes, what changed, and the quota.
 *
 * A path is in two lists, its prefix's and its source's, so that losing a peer
 * costs what that peer had and nothing else. A prefix lives as long as it has
 * paths or its owner has not yet seen that it lost the last one.
 *
 * Quota: a prefix is wanted while the import rules let one of its paths in. A
 * wanted prefix is installed while there is room and waits otherwise. Whoever
 * leaves makes room for who waits longest; those that began to wait at the
 * same moment go in prefix order, so that the order inside of a burst is of
 * no importance. Nothing that is installed is ever thrown out for another.
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
	rib->dirty_link = &rib->dirty_first;
	slab_init(&rib->prefix_slab, sizeof(struct rib_prefix));
	slab_init(&rib->path_slab, sizeof(struct rib_path));
	return rib;
}

void rib_free(struct rib *rib)
{
	struct prefix key;

	if (!rib)
		return;
	rib_admission_hold(rib);
	while (rib->sources)
		rib_source_remove(rib->sources);
	while (rib_dirty_next(rib, &key))
		;
	slab_destroy(&rib->prefix_slab);
	slab_destroy(&rib->path_slab);
	rib_rules_clear(&rib->rules);
	free(rib);
}

void rib_set_time(struct rib *rib, uint64_t now)
{
	rib->now = now;
}

/* Prefixes */

static struct rib_prefix *prefix_of(struct pmap_node *node)
{
	return (struct rib_prefix *)node;
}

struct rib_prefix *rib_prefix_find(struct rib *rib, const struct prefix *key)
{
	struct rib_prefix *prefix;

	if (rib->last && prefix_equal(&rib->last->node.key, key))
		return rib->last;
	prefix = prefix_of(pmap_node_find(&rib->table, key));
	if (prefix)
		rib->last = prefix;
	return prefix;
}

struct rib_prefix *rib_prefix_next(const struct rib *rib, const struct prefix *key)
{
	return prefix_of(pmap_node_next(&rib->table, key));
}

/* The key is not in the table. */
static struct rib_prefix *prefix_new(struct rib *rib, const struct prefix *key)
{
	struct rib_prefix *prefix = slab_alloc(&rib->prefix_slab);

	if (!prefix)
		return NULL;
	prefix->node.key = *key;
	pmap_node_insert(&rib->table, &prefix->node);
	rib->last = prefix;
	return prefix;
}

/* Frees it if nobody needs it. */
static void prefix_release(struct rib *rib, struct rib_prefix *prefix)
{
	if (prefix->paths || prefix->node.user.flag)
		return;
	if (rib->last == prefix)
		rib->last = NULL;
	pmap_node_remove(&rib->table, &prefix->node);
	slab_put(&rib->prefix_slab, prefix);
}

void rib_prefix_mark_dirty(struct rib *rib, struct rib_prefix *prefix)
{
	if (prefix->node.user.flag)
		return;
	prefix->node.user.flag = true;
	prefix->dirty_next = NULL;
	*rib->dirty_link = prefix;
	rib->dirty_link = &prefix->dirty_next;
}

bool rib_dirty_next(struct rib *rib, struct prefix *prefix)
{
	struct rib_prefix *first = rib->dirty_first;

	if (!first)
		return false;
	rib->dirty_first = first->dirty_next;
	if (!rib->dirty_first)
		rib->dirty_link = &rib->dirty_first;
	first->node.user.flag = false;
	*prefix = first->node.key;
	rib->last = first;
	prefix_release(rib, first);
	return true;
}

bool rib_next(struct rib *rib, struct prefix *prefix)
{
	const struct rib_prefix *next = rib_prefix_next(rib, prefix);

	/* Those without paths only wait for their owner to hear of it. */
	while (next && !next->paths)
		next = rib_prefix_next(rib, &next->node.key);
	if (!next)
		return false;
	*prefix = next->node.key;
	return true;
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
		path->source->n_accepted--;
	else
		path->source->n_rejected--;
}

static void verdict_set(struct rib *rib, struct rib_path *path, enum rib_verdict verdict)
{
	verdict_uncount(rib, path);
	path->judged = true;
	path->verdict = verdict;
	rib->verdicts[verdict]++;
	if (verdict == RIB_ACCEPTED)
		path->source->n_accepted++;
	else
		path->source->n_rejected++;
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

	prefix->node.user.state = RIB_PREFIX_WAITING;
	rib->n_waiting++;
	if (!group || pmap_put(&group->prefixes, &prefix->node.key, prefix)) {
		rib->wait_unlisted = true;
	} else if (pmap_put(&rib->waiting, &prefix->node.key, group)) {
		pmap_del(&group->prefixes, &prefix->node.key);
		rib->wait_unlisted = true;
	}
	if (group)
		wait_group_release(rib, group);
}

static void wait_end(struct rib *rib, struct rib_prefix *prefix)
{
	struct rib_wait *group = pmap_del(&rib->waiting, &prefix->node.key);

	prefix->node.user.state = RIB_PREFIX_UNWANTED;
	rib->n_waiting--;
	if (!group)
		return;
	pmap_del(&group->prefixes, &prefix->node.key);
	wait_group_release(rib, group);
}

static struct rib_prefix *wait_next(struct rib *rib)
{
	struct rib_prefix *prefix;
	struct prefix key = { 0 };
	void *value;

	if (rib->wait_first && pmap_next(&rib->wait_first->prefixes, &key, &value))
		return value;
	if (!rib->wait_unlisted)
		return NULL;
	for (prefix = rib_prefix_next(rib, &key); prefix;
	     prefix = rib_prefix_next(rib, &prefix->node.key))
		if (prefix->node.user.state == RIB_PREFIX_WAITING)
			return prefix;
	rib->wait_unlisted = false;
	return NULL;
}

static void prefix_install(struct rib *rib, struct rib_prefix *prefix)
{
	prefix->node.user.state = RIB_PREFIX_INSTALLED;
	rib->n_installed++;
	rib_prefix_mark_dirty(rib, prefix);
	for (struct rib_path *path = prefix->paths; path; path = path->next)
		if (path_is_wanted(path))
			verdict_set(rib, path, RIB_ACCEPTED);
}

static void admit(struct rib *rib)
{
	struct rib_prefix *prefix;

	while (!rib->admission_held && has_room(rib) && (prefix = wait_next(rib))) {
		wait_end(rib, prefix);
		prefix_install(rib, prefix);
	}
}

void rib_admission_hold(struct rib *rib)
{
	rib->admission_held++;
}

void rib_admission_release(struct rib *rib)
{
	rib->admission_held--;
	admit(rib);
}

/* The first path of the prefix was let in. */
static void prefix_enter(struct rib *rib, struct rib_prefix *prefix)
{
	bool queue = rib->admission_held && rib->rules.quota;

	if (has_room(rib) && !queue)
		prefix_install(rib, prefix);
	else
		wait_begin(rib, prefix);
}

/* The last path that was let in is gone; the prefix is dirty already if it was installed. */
static void prefix_leave(struct rib *rib, struct rib_prefix *prefix)
{
	if (prefix->node.user.state == RIB_PREFIX_WAITING) {
		wait_end(rib, prefix);
		return;
	}
	prefix->node.user.state = RIB_PREFIX_UNWANTED;
	rib->n_installed--;
	admit(rib);
}

/* Paths */

/* Gives the path the verdict of the current rules, with all that follows. */
static void path_settle(struct rib *rib, struct rib_path *path, bool announced)
{
	struct rib_prefix *prefix = path->prefix;
	enum rib_verdict verdict =
		rib_judge(&rib->rules, path->source, &prefix->node.key, path->attrs);
	bool was = path_is_wanted(path), is = verdict == RIB_ACCEPTED, changed;

	if (is != was)
		prefix->node.user.count += is ? 1 : -1;
	if (is && prefix->node.user.state == RIB_PREFIX_UNWANTED)
		prefix_enter(rib, prefix);
	if (is && prefix->node.user.state == RIB_PREFIX_WAITING)
		verdict = RIB_REJECT_QUOTA;
	changed = announced || verdict != path->verdict;
	verdict_set(rib, path, verdict);
	if (changed && verdict != RIB_ACCEPTED)
		rib->rejected_total[verdict]++;
	if (changed && (was || is) && prefix->node.user.state == RIB_PREFIX_INSTALLED)
		rib_prefix_mark_dirty(rib, prefix);
	if (!prefix->node.user.count && prefix->node.user.state != RIB_PREFIX_UNWANTED)
		prefix_leave(rib, prefix);
}

/* The prefix keeps its place as long as some path of it is let in before and after. */
void rib_prefix_rejudge(struct rib *rib, struct rib_prefix *prefix)
{
	prefix->node.user.count++;
	for (struct rib_path *path = prefix->paths; path; path = path->next)
		path_settle(rib, path, false);
	prefix->node.user.count--;
	if (!prefix->node.user.count && prefix->node.user.state != RIB_PREFIX_UNWANTED)
		prefix_leave(rib, prefix);
}

static struct rib_path *path_find(const struct rib_prefix *prefix, const struct rib_source *source)
{
	struct rib_path *path;

	for (path = prefix->paths; path; path = path->next)
		if (path->source == source)
			break;
	return path;
}

/* prefix is NULL if the key is not in the table. NULL: no memory, and nothing has changed. */
static struct rib_path *path_new(struct rib_source *source, struct rib_prefix *prefix,
				 const struct prefix *key)
{
	struct rib *rib = source->rib;
	struct rib_path *path = slab_alloc(&rib->path_slab);

	if (path && !prefix)
		prefix = prefix_new(rib, key);
	if (!path || !prefix) {
		slab_put(&rib->path_slab, path);
		return NULL;
	}
	if (!prefix->paths)
		rib->n_prefixes++;
	rib->n_paths++;
	path->prefix = prefix;
	path->next = prefix->paths;
	prefix->paths = path;
	path->source = source;
	path->source_next = source->paths;
	path->source_link = &source->paths;
	if (path->source_next)
		path->source_next->source_link = &path->source_next;
	source->paths = path;
	return path;
}

static void path_unlink(struct rib *rib, struct rib_path *path)
{
	struct rib_path **link = &path->prefix->paths;

	while (*link != path)
		link = &(*link)->next;
	*link = path->next;
	*path->source_link = path->source_next;
	if (path->source_next)
		path->source_next->source_link = path->source_link;
	rib->n_paths--;
	if (!path->prefix->paths)
		rib->n_prefixes--;
}

static void path_remove(struct rib *rib, struct rib_path *path)
{
	struct rib_prefix *prefix = path->prefix;

	path_unlink(rib, path);
	verdict_uncount(rib, path);
	if (path_is_wanted(path)) {
		prefix->node.user.count--;
		if (prefix->node.user.state == RIB_PREFIX_INSTALLED)
			rib_prefix_mark_dirty(rib, prefix);
		if (!prefix->node.user.count)
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

	if (!addr_bits(prefix->addr.family))
		return -EINVAL;
	entry = rib_prefix_find(rib, prefix);
	path = entry ? path_find(entry, source) : NULL;
	if (path && path->attrs == attrs) {
		path->stale = false;
		if (path->verdict != RIB_ACCEPTED)
			rib->rejected_total[path->verdict]++;
		return 0;
	}
	if (!path)
		path = path_new(source, entry, prefix);
	if (!path)
		return -ENOMEM;
	attrs_get(attrs);
	attrs_put(path->attrs);
	path->attrs = attrs;
	path->stale = false;
	path->since = rib->now;
	path_settle(rib, path, true);
	return 0;
}

void rib_withdraw(struct rib_source *source, const struct prefix *prefix)
{
	struct rib_prefix *entry = rib_prefix_find(source->rib, prefix);
	struct rib_path *path = entry ? path_find(entry, source) : NULL;

	if (path)
		path_remove(source->rib, path);
}

/* Sources */

struct rib_source *rib_source_add(struct rib *rib, const struct rib_source_config *config)
{
	struct rib_source *source = NULL;

	if (rib->n_sources < RIB_SOURCES_MAX)
		source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	source->rib = rib;
	source->config = *config;
	source->config.name = strdup(config->name ? config->name : "");
	if (!source->config.name) {
		free(source);
		return NULL;
	}
	source->next = rib->sources;
	rib->sources = source;
	rib->n_sources++;
	return source;
}

void rib_source_remove(struct rib_source *source)
{
	struct rib_source **link;

	if (!source)
		return;
	rib_source_flush(source);
	for (link = &source->rib->sources; *link != source;)
		link = &(*link)->next;
	*link = source->next;
	source->rib->n_sources--;
	free((char *)(uintptr_t)source->config.name);
	free(source);
}

const struct rib_source_config *rib_source_config(const struct rib_source *source)
{
	return &source->config;
}

static void source_mark_dirty(struct rib_source *source)
{
	for (struct rib_path *path = source->paths; path; path = path->source_next)
		if (path->verdict == RIB_ACCEPTED)
			rib_prefix_mark_dirty(source->rib, path->prefix);
}

void rib_source_set_router_id(struct rib_source *source, uint32_t id)
{
	if (source->router_id == id)
		return;
	source->router_id = id;
	source_mark_dirty(source);
}

void rib_source_set_weight(struct rib_source *source, uint8_t weight)
{
	if (source->config.weight == weight)
		return;
	source->config.weight = weight;
	source_mark_dirty(source);
}

/* Removes the paths of a family (AF_UNSPEC: both), maybe only the stale ones. */
static void source_remove_paths(struct rib_source *source, uint8_t family, bool only_stale)
{
	struct rib_path *path, *next;

	rib_admission_hold(source->rib);
	for (path = source->paths; path; path = next) {
		next = path->source_next;
		if (only_stale && !path->stale)
			continue;
		if (family == AF_UNSPEC || path->prefix->node.key.addr.family == family)
			path_remove(source->rib, path);
	}
	rib_admission_release(source->rib);
}

void rib_source_flush(struct rib_source *source)
{
	source_remove_paths(source, AF_UNSPEC, false);
}

void rib_source_mark_stale(struct rib_source *source)
{
	/* A second restart before the first was over: RFC 4724 4.2 gives no more credit. */
	source_remove_paths(source, AF_UNSPEC, true);
	for (struct rib_path *path = source->paths; path; path = path->source_next)
		path->stale = true;
}

void rib_source_mark_refresh(struct rib_source *source, uint8_t family)
{
	for (struct rib_path *path = source->paths; path; path = path->source_next)
		if (path->prefix->node.key.addr.family == family)
			path->stale = true;
}

void rib_source_sweep_stale(struct rib_source *source, uint8_t family)
{
	source_remove_paths(source, family, true);
}

void rib_source_counters(const struct rib_source *source, size_t *accepted, size_t *rejected)
{
	*accepted = source->n_accepted;
	*rejected = source->n_rejected;
}

void rib_counters(const struct rib *rib, struct rib_counters *out)
{
	*out = (struct rib_counters){
		.prefixes = rib->n_prefixes,
		.installed = rib->n_installed,
		.refused_quota = rib->n_waiting,
		.paths = rib->n_paths,
		.memory = slab_memory(&rib->prefix_slab) + slab_memory(&rib->path_slab) +
			  2 * pmap_memory(&rib->waiting),
	};
	memcpy(out->verdicts, rib->verdicts, sizeof(out->verdicts));
	memcpy(out->rejected_total, rib->rejected_total, sizeof(out->rejected_total));
}
