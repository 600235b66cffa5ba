// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of a prefix table: a tree over the bytes of the address with lists
 * of handles at its ends, which are put in order only when somebody walks by.
 *
 * An insertion appends to a list and a removal counts in it; a list that is full
 * is cleaned of handles whose entries are gone, then grows, then is cut by the
 * next byte of the address. An entry that is gone stays in its list as a handle
 * until then, and the handle may have found a new entry meanwhile, in this list
 * or in another: a handle is good if its entry is there and begins with the
 * bytes of the list, and handles that stand twice are one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ptable.h"

#define LIST_FIRST 8
#define LIST_CUT 512

struct list {
	uint32_t n, room, gone;
	bool sorted;
	uint32_t handles[];
};

struct fork { /* by the next byte of the address */
	uintptr_t slots[256]; /* a struct list, a struct fork (odd), or nothing */
};

static struct fork *fork_of(uintptr_t slot)
{
	return slot & 1 ? (struct fork *)(slot - 1) : NULL;
}

static struct list *list_of(uintptr_t slot)
{
	return (struct list *)slot;
}

static size_t list_size(uint32_t room)
{
	return sizeof(struct list) + room * sizeof(uint32_t);
}

/* Where key's list hangs, and how many bytes of the address lead there. */
static uintptr_t *slot_of(struct ptable *table, const struct prefix *key, unsigned int *depth)
{
	uintptr_t *slot = &table->order[key->addr.family == AF_INET6];

	for (*depth = 0; *slot & 1; ++*depth)
		slot = &fork_of(*slot)->slots[key->addr.b[*depth]];
	return slot;
}

static bool handle_fits(const struct ptable *table, uint32_t handle, const struct prefix *key,
			unsigned int depth)
{
	const uint8_t *bytes;

	if (!slab_is_used(&table->slab[handle >> 31], handle & ~PTABLE_IPV6))
		return false;
	bytes = (const uint8_t *)ptable_at(table, handle) + table->size;
	return !memcmp(bytes, key->addr.b, depth);
}

static int compare_handles(const void *a, const void *b, void *arg)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	struct prefix left, right;

	if (x == y)
		return 0;
	ptable_key(arg, ptable_at(arg, x), &left);
	ptable_key(arg, ptable_at(arg, y), &right);
	return prefix_compare(&left, &right);
}

/* Leaves what is there, once and in order. key: anything that belongs to the list. */
static void list_sort(struct ptable *table, struct list *list, const struct prefix *key,
		      unsigned int depth)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < list->n; i++)
		if (handle_fits(table, list->handles[i], key, depth))
			list->handles[n++] = list->handles[i];
	qsort_r(list->handles, n, sizeof(uint32_t), compare_handles, table);
	list->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!i || list->handles[i] != list->handles[i - 1])
			list->handles[list->n++] = list->handles[i];
	list->gone = 0;
	list->sorted = true;
}

static bool list_grow(struct ptable *table, uintptr_t *slot)
{
	struct list *list = list_of(*slot);
	uint32_t old = list ? list->room : 0, room = old ? old + (old + 1) / 2 : LIST_FIRST;
	struct list *new = realloc(list, list_size(room));

	if (!new)
		return false;
	if (!list)
		memset(new, 0, sizeof(*new));
	new->room = room;
	table->order_memory += list_size(room) - (old ? list_size(old) : 0);
	*slot = (uintptr_t)new;
	return true;
}

/* Makes a fork of the list; without memory it stays one. */
static void list_cut(struct ptable *table, uintptr_t *slot, unsigned int depth)
{
	struct list *list = list_of(*slot);
	struct fork *fork = calloc(1, sizeof(*fork));

	if (!fork)
		return;
	for (uint32_t i = 0; i < list->n; i++) {
		const uint8_t *bytes =
			(const uint8_t *)ptable_at(table, list->handles[i]) + table->size;
		uintptr_t *to = &fork->slots[bytes[depth]];

		if ((!*to || list_of(*to)->n == list_of(*to)->room) && !list_grow(table, to))
			goto undo;
		list_of(*to)->handles[list_of(*to)->n++] = list->handles[i];
	}
	table->order_memory += sizeof(*fork) - list_size(list->room);
	free(list);
	*slot = (uintptr_t)fork + 1;
	return;
undo:
	for (unsigned int i = 0; i < 256; i++) {
		if (fork->slots[i])
			table->order_memory -= list_size(list_of(fork->slots[i])->room);
		free(list_of(fork->slots[i]));
	}
	free(fork);
}

/* Room for one more. */
static bool list_make_room(struct ptable *table, uintptr_t *slot, const struct prefix *key,
			   unsigned int depth)
{
	struct list *list = list_of(*slot);

	if (list && list->n < list->room)
		return true;
	if (list && list->gone >= list->n / 4)
		list_sort(table, list, key, depth);
	if (!list || list->n > list->room / 4 * 3)
		return list_grow(table, slot);
	return true;
}

int ptable_order_insert(struct ptable *table, const struct prefix *key, uint32_t handle)
{
	unsigned int depth, bytes = key->addr.family == AF_INET6 ? 16 : 4;
	uintptr_t *slot = slot_of(table, key, &depth);
	struct list *list = list_of(*slot);

	/* Lists of one address cannot be cut: they are as long as there are lengths. */
	while (list && list->n >= LIST_CUT && list->n == list->room && depth < bytes) {
		list_sort(table, list, key, depth);
		if (list->n < LIST_CUT / 2)
			break;
		list_cut(table, slot, depth);
		if (!(*slot & 1))
			break;
		slot = slot_of(table, key, &depth);
		list = list_of(*slot);
	}
	if (!list_make_room(table, slot, key, depth))
		return -ENOMEM;
	list = list_of(*slot);
	list->handles[list->n++] = handle;
	list->sorted = false;
	return 0;
}

/* After the entry is gone. */
void ptable_order_remove(struct ptable *table, const struct prefix *key)
{
	unsigned int depth;
	uintptr_t *slot = slot_of(table, key, &depth);
	struct list *list = list_of(*slot);

	list->sorted = false;
	if (++list->gone < list->n)
		return;
	table->order_memory -= list_size(list->room);
	free(list);
	*slot = 0;
}

static void slot_clear(uintptr_t slot)
{
	struct fork *fork = fork_of(slot);

	for (unsigned int i = 0; fork && i < 256; i++)
		slot_clear(fork->slots[i]);
	free(fork ? (void *)fork : (void *)list_of(slot));
}

void ptable_order_clear(struct ptable *table)
{
	for (unsigned int six = 0; six < 2; six++) {
		slot_clear(table->order[six]);
		table->order[six] = 0;
	}
	table->order_memory = 0;
}

/* The first strictly after key in a list that is in order. */
static uint32_t list_after(struct ptable *table, struct list *list, const struct prefix *key)
{
	uint32_t low = 0, high = list->n;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		struct prefix here;

		ptable_key(table, ptable_at(table, list->handles[middle]), &here);
		if (prefix_compare(&here, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->n ? list->handles[low] : 0;
}

/*
 * The first handle behind a slot, strictly after key if bound is set. at has the
 * bytes that lead to the slot, which tell what belongs to its lists.
 */
static uint32_t slot_after(struct ptable *table, uintptr_t slot, struct prefix *at,
			   unsigned int depth, const struct prefix *key, bool bound)
{
	struct fork *fork = fork_of(slot);
	struct list *list = list_of(slot);
	uint32_t handle = 0;

	if (!slot)
		return 0;
	if (!fork) {
		if (!list->sorted)
			list_sort(table, list, at, depth);
		return bound ? list_after(table, list, key) : list->n ? list->handles[0] : 0;
	}
	for (unsigned int i = bound ? key->addr.b[depth] : 0; i < 256 && !handle; i++) {
		at->addr.b[depth] = (uint8_t)i;
		handle = slot_after(table, fork->slots[i], at, depth + 1, key,
				    bound && i == key->addr.b[depth]);
	}
	return handle;
}

void *ptable_next(struct ptable *table, const struct prefix *key)
{
	uint32_t handle = 0;

	for (unsigned int six = key->addr.family == AF_INET6; six < 2 && !handle; six++) {
		struct prefix at = { .addr.family = six ? AF_INET6 : AF_INET };

		handle = slot_after(table, table->order[six], &at, 0, key,
				    key->addr.family == at.addr.family);
	}
	return handle ? ptable_at(table, handle) : NULL;
}
