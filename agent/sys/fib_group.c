// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sys/fib_state.h"

#define SUBJECT "fib"

static int compare_members(const void *a, const void *b)
{
	const struct kernel_member *x = a, *y = b;

	if (x->tunnel != y->tunnel)
		return x->tunnel < y->tunnel ? -1 : 1;
	return x->weight - y->weight;
}

/* What counts of a member list, in the one order that stands for all. */
static uint32_t canonical(const struct kernel_member *members, uint32_t n,
			  struct kernel_member *out)
{
	uint32_t hash = 2166136261u;

	for (uint32_t i = 0; i < n; i++)
		out[i] = (struct kernel_member){ .tunnel = members[i].tunnel,
						 .weight = members[i].weight };
	if (n > 1)
		qsort(out, n, sizeof(*out), compare_members);
	for (uint32_t i = 0; i < n; i++) {
		hash = (hash ^ out[i].tunnel) * 16777619u;
		hash = (hash ^ out[i].weight) * 16777619u;
	}
	return hash ^ hash >> 16;
}

static struct fib_group **bucket_of(struct fib *fib, uint32_t hash)
{
	return &fib->groups[hash % FIB_GROUP_BUCKETS];
}

static bool members_equal(const struct fib_group *group, const struct kernel_member *members,
			  uint32_t n)
{
	if (group->n_members != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (compare_members(&group->members[i], &members[i]))
			return false;
	return true;
}

static struct fib_group *find(struct fib *fib, const struct kernel_member *members, uint32_t n,
			      uint32_t hash)
{
	for (struct fib_group *group = *bucket_of(fib, hash); group; group = group->next)
		if (group->hash == hash && !group->deleting && members_equal(group, members, n))
			return group;
	return NULL;
}

static bool id_in_use(const struct fib *fib, uint32_t id)
{
	for (size_t i = 0; i < FIB_GROUP_BUCKETS; i++)
		for (const struct fib_group *group = fib->groups[i]; group; group = group->next)
			if (group->id == id)
				return true;
	return false;
}

/* Ids go up; only after the last one does it matter which are in use. */
static uint32_t fresh_id(struct fib *fib)
{
	uint32_t id;

	if (fib->next_group)
		return fib->next_group++;
	for (id = 1; id_in_use(fib, id);)
		id++;
	return id;
}

/* 0: no memory. */
static uint32_t slot_take(struct fib *fib, struct fib_group *group)
{
	uint32_t slot = fib->free_group_slot, n = fib->n_group_slots;

	if (slot) {
		fib->free_group_slot = (uint32_t)((uintptr_t)fib->group_slots[slot] >> 1);
	} else {
		/* A power of two is full: twice as many. Slot 0 is none. */
		if (!(n & (n - 1))) {
			size_t room = n ? 2 * (size_t)n : 2;
			struct fib_group **slots =
				realloc(fib->group_slots, room * sizeof(struct fib_group *));

			if (!slots)
				return 0;
			fib->group_slots = slots;
		}
		slot = n ? n : 1;
		fib->n_group_slots = slot + 1;
	}
	fib->group_slots[slot] = group;
	return slot;
}

static void slot_put(struct fib *fib, uint32_t slot)
{
	fib->group_slots[slot] = (struct fib_group *)((uintptr_t)fib->free_group_slot << 1 | 1);
	fib->free_group_slot = slot;
}

static struct fib_group *create(struct fib *fib, const struct kernel_member *members, uint32_t n,
				uint32_t hash, uint32_t id)
{
	struct fib_group *group = calloc(1, sizeof(*group) + n * sizeof(*members));

	if (!group)
		return NULL;
	group->slot = slot_take(fib, group);
	if (!group->slot) {
		free(group);
		return NULL;
	}
	group->id = id;
	group->hash = hash;
	group->n_members = n;
	memcpy(group->members, members, n * sizeof(*members));
	group->next = *bucket_of(fib, hash);
	*bucket_of(fib, hash) = group;
	fib->n_groups++;
	return group;
}

static void forget(struct fib *fib, struct fib_group *group)
{
	struct fib_group **at = bucket_of(fib, group->hash);

	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	fib->n_groups--;
	slot_put(fib, group->slot);
	free(group->text);
	free(group);
}

static bool all_tunnels_held(const struct fib *fib, const struct fib_group *group)
{
	for (uint32_t i = 0; i < group->n_members; i++)
		if (!fib_tunnel_held(fib, group->members[i].tunnel))
			return false;
	return true;
}

static void set_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib_group *group = request->object;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	group->sending--;
	if (error && fib_passing_error(fib, "group", error, text)) {
		/* Sent again with the next route that wants it; till then routes are refused. */
		group->fresh = false;
	} else if (error) {
		log_error(SUBJECT, "group %u refused: %s", group->id, text);
		if (error == -ENOENT && all_tunnels_held(fib, group))
			fib_replay(fib, "the module has lost a tunnel");
		group->error = error;
		free(group->text);
		group->text = strdup(text);
	}
	/* A second look at whether anybody wants it: till now it could not go. */
	group->refs++;
	fib_group_put(fib, group);
out:
	fib_leave(fib);
}

static bool send_set(struct fib *fib, struct fib_group *group)
{
	struct fib_request *request = fib_request_new(fib, group);
	struct kernel_group set = { .id = group->id, .n_members = group->n_members };

	if (!request)
		return false;
	memcpy(set.members, group->members, group->n_members * sizeof(*group->members));
	group->fresh = true;
	group->sending++;
	kernel_group_set(fib->kernel, fib->ifindex, &set, set_done, request);
	return true;
}

struct fib_group *fib_group_get(struct fib *fib, const struct kernel_member *members, uint32_t n)
{
	struct kernel_member sorted[KERNEL_MEMBERS_MAX] __attribute__((uninitialized));
	uint32_t hash = canonical(members, n, sorted);
	struct fib_group *group = find(fib, sorted, n, hash);

	if (!group)
		group = create(fib, sorted, n, hash, fresh_id(fib));
	if (!group)
		return NULL;
	group->refs++;
	if (group->fresh || group->error)
		return group;
	if (send_set(fib, group))
		return group;
	fib_group_put(fib, group);
	return NULL;
}

static void del_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib_group *group = request->object;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	if (!error || error == -ENOENT) {
		forget(fib, group);
		fib_tunnels_recheck(fib);
	} else {
		/* Somebody else's route leads there: it can be used again, and a sweep takes it. */
		group->deleting = false;
		if (!fib_passing_error(fib, "group", error, text))
			log_warning(SUBJECT, "group %u cannot be deleted: %s", group->id, text);
	}
out:
	fib_leave(fib);
}

/* While a generation is open stale routes may lead there; the commit comes by again. */
static void dispose(struct fib *fib, struct fib_group *group)
{
	struct fib_request *request;

	if (group->sending || group->deleting)
		return;
	if (group->error) {
		forget(fib, group);
		return;
	}
	if (fib->generation_open)
		return;
	request = fib_request_new(fib, group);
	if (!request)
		return;
	group->deleting = true;
	kernel_group_del(fib->kernel, fib->ifindex, group->id, del_done, request);
}

void fib_group_put(struct fib *fib, struct fib_group *group)
{
	if (group && !--group->refs)
		dispose(fib, group);
}

int fib_group_adopt(struct fib *fib, const struct kernel_group *row)
{
	struct kernel_member sorted[KERNEL_MEMBERS_MAX];
	uint32_t hash = canonical(row->members, row->n_members, sorted);

	if (fib->next_group && row->id >= fib->next_group)
		fib->next_group = row->id + 1;
	return create(fib, sorted, row->n_members, hash, row->id) ? 0 : -ENOMEM;
}

void fib_groups_committed(struct fib *fib)
{
	struct fib_group *group, *next;

	for (size_t i = 0; i < FIB_GROUP_BUCKETS; i++) {
		for (group = fib->groups[i]; group; group = next) {
			next = group->next;
			if (group->refs || group->sending)
				continue;
			if (group->fresh)
				dispose(fib, group);
			else
				forget(fib, group); /* the sweep took it */
		}
	}
}

bool fib_groups_have(const struct fib *fib, uint32_t tunnel)
{
	for (size_t i = 0; i < FIB_GROUP_BUCKETS; i++)
		for (const struct fib_group *group = fib->groups[i]; group; group = group->next)
			for (uint32_t j = 0; j < group->n_members; j++)
				if (group->members[j].tunnel == tunnel)
					return true;
	return false;
}

void fib_groups_clear(struct fib *fib)
{
	for (size_t i = 0; i < FIB_GROUP_BUCKETS; i++)
		while (fib->groups[i])
			forget(fib, fib->groups[i]);
	fib->next_group = 1;
}
