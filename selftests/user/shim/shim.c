// SPDX-License-Identifier: GPL-2.0-only
#include "shim.h"

long alloc_fail_after = -1;
long alloc_live;

void *kzalloc(size_t size, int flags)
{
	if (alloc_fail_after >= 0 && alloc_fail_after-- == 0)
		return NULL;
	alloc_live++;
	return calloc(1, size);
}

void kfree(const void *p)
{
	if (!p)
		return;
	alloc_live--;
	free((void *)p);
}

static struct rcu_head *rcu_waiting;

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = rcu_waiting;
	rcu_waiting = head;
}

void rcu_free(void *object, struct rcu_head *head)
{
	head->object = object;
	call_rcu(head, NULL);
}

void rcu_flush(void)
{
	while (rcu_waiting) {
		struct rcu_head *head = rcu_waiting;

		rcu_waiting = head->next;
		if (head->func)
			head->func(head);
		else
			kfree(head->object);
	}
}

u32 jhash(const void *key, u32 length, u32 initval)
{
	const u8 *byte = key;
	u32 hash = 2166136261u ^ initval;

	for (u32 i = 0; i < length; i++)
		hash = (hash ^ byte[i]) * 16777619u;
	return hash ^ hash >> 15;
}

void xa_init(struct xarray *xa)
{
	xa->slot = calloc(XA_SLOTS, sizeof(*xa->slot));
	if (!xa->slot)
		abort();
}

void xa_destroy(struct xarray *xa)
{
	free(xa->slot);
	xa->slot = NULL;
}

void *xa_load(struct xarray *xa, unsigned long id)
{
	return id < XA_SLOTS ? xa->slot[id] : NULL;
}

/* The kernel's may need memory for a new node. */
static bool no_memory(void)
{
	void *p = kzalloc(1, 0);

	kfree(p);
	return !p;
}

void *xa_store(struct xarray *xa, unsigned long id, void *entry, int flags)
{
	if (no_memory())
		return ERR_PTR(-ENOMEM);
	xa->slot[id] = entry;
	return NULL;
}

void *xa_erase(struct xarray *xa, unsigned long id)
{
	void *entry = xa_load(xa, id);

	if (entry)
		xa->slot[id] = NULL;
	return entry;
}

int xa_alloc_bh(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, int flags)
{
	if (no_memory())
		return -ENOMEM;
	for (*id = limit.min; *id <= limit.max; (*id)++) {
		if (!xa->slot[*id]) {
			xa->slot[*id] = entry;
			return 0;
		}
	}
	return -EBUSY;
}

void *xa_next(struct xarray *xa, unsigned long *id)
{
	for (; *id < XA_SLOTS; (*id)++)
		if (xa->slot[*id])
			return xa->slot[*id];
	return NULL;
}
