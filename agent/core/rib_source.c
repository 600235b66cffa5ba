// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sources, and the eras of their paths.
 *
 * A path knows the era of its source in which it was announced last. To flush
 * a source is to begin a new era and to say that older ones are dead; to mark is
 * to say that they are stale, to sweep that what is stale is dead. None of these
 * depends on how many paths there are, nor on whether the dead of an earlier time
 * have been taken out: a session that comes back announces into its own era.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/rib_private.h"

static const uint8_t families[2] = { AF_INET, AF_INET6 };

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
	slab_part_init(&source->paths, &rib->path_slab, source);
	source->next = rib->sources;
	rib->sources = source;
	rib->n_sources++;
	return source;
}

/* Those that are removed count until here: they may still have paths of a prefix. */
void rib_source_free(struct rib_source *source)
{
	slab_part_end(&source->paths);
	source->rib->n_sources--;
	free((char *)(uintptr_t)source->config.name);
	free(source);
}

static size_t source_paths(const struct rib_source *source)
{
	return source->n_accepted + source->n_rejected;
}

static void source_walk(struct rib_source *source, unsigned int walk)
{
	if (!source_paths(source))
		return;
	rib_walk_want(source, walk);
	rib_work_begin(source->rib);
}

void rib_source_remove(struct rib_source *source)
{
	struct rib_source **link;

	if (!source)
		return;
	for (link = &source->rib->sources; *link != source;)
		link = &(*link)->next;
	*link = source->next;
	source->rib->n_drained -= source->drained;
	source->removed = true;
	source->alive_from[0] = source->alive_from[1] = RIB_ERA_NEVER;
	if (source_paths(source) || source->queued)
		source_walk(source, RIB_WALK_SWEEP);
	else
		rib_source_free(source);
}

const struct rib_source_config *rib_source_config(const struct rib_source *source)
{
	return &source->config;
}

void rib_source_touch(struct rib_source *source)
{
	source_walk(source, RIB_WALK_TOUCH);
}

void rib_source_set_router_id(struct rib_source *source, uint32_t id)
{
	if (source->router_id == id)
		return;
	source->router_id = id;
	rib_source_touch(source);
}

void rib_source_set_weight(struct rib_source *source, uint8_t weight)
{
	if (source->config.weight == weight)
		return;
	source->config.weight = weight;
	rib_source_touch(source);
}

void rib_source_set_drained(struct rib_source *source, bool drained)
{
	if (source->drained == drained)
		return;
	source->drained = drained;
	source->rib->n_drained += drained ? 1 : -1;
	rib_source_touch(source);
}

bool rib_source_has(const struct rib_source *source, const struct prefix *prefix)
{
	const struct rib_prefix *entry = rib_prefix_find(source->rib, prefix);
	const struct rib_path *path = entry ? rib_path_find(source->rib, entry, source) : NULL;

	return path && path->verdict == RIB_ACCEPTED && rib_path_is_live(path);
}

/* Eras */

/* Once in thirty thousand of them the paths are given small numbers again, in one go. */
static void eras_renumber(struct rib_source *source)
{
	struct rib_path *path, *next;

	for (path = slab_next(&source->paths, NULL); path; path = next) {
		next = slab_next(&source->paths, path);
		if (rib_path_is_live(path))
			path->era = !rib_path_is_stale(path);
		else
			rib_path_remove(source->rib, path);
	}
	for (unsigned int six = 0; six < 2; six++) {
		source->alive_from[six] = 0;
		source->fresh_from[six] = 1;
	}
	source->era = 1;
}

static void era_begin(struct rib_source *source)
{
	if (source->era == RIB_ERA_MAX)
		eras_renumber(source);
	source->era++;
}

/* False: nothing is. */
static bool stale_die(struct rib_source *source, unsigned int six)
{
	if (source->alive_from[six] == source->fresh_from[six])
		return false;
	source->alive_from[six] = source->fresh_from[six];
	return true;
}

void rib_source_flush(struct rib_source *source)
{
	era_begin(source);
	for (unsigned int six = 0; six < 2; six++)
		source->alive_from[six] = source->fresh_from[six] = source->era;
	source_walk(source, RIB_WALK_SWEEP);
}

void rib_source_mark_stale(struct rib_source *source)
{
	bool dead = false;

	era_begin(source);
	for (unsigned int six = 0; six < 2; six++) {
		/* A second restart before the first was over: RFC 4724 4.2 gives no more credit. */
		dead |= stale_die(source, six);
		source->fresh_from[six] = source->era;
	}
	if (dead)
		source_walk(source, RIB_WALK_SWEEP);
}

void rib_source_mark_refresh(struct rib_source *source, uint8_t family)
{
	era_begin(source);
	for (unsigned int six = 0; six < 2; six++)
		if (families[six] == family)
			source->fresh_from[six] = source->era;
}

void rib_source_sweep_stale(struct rib_source *source, uint8_t family)
{
	for (unsigned int six = 0; six < 2; six++)
		if (families[six] == family && stale_die(source, six))
			source_walk(source, RIB_WALK_SWEEP);
}

void rib_source_counters(const struct rib_source *source, size_t *accepted, size_t *rejected)
{
	*accepted = source->n_accepted;
	*rejected = source->n_rejected;
}
