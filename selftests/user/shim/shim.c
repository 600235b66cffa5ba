// SPDX-License-Identifier: GPL-2.0-only
#include "shim.h"

long alloc_fail_after = -1;
bool alloc_fail_forever;
void (*after_store)(void);
long alloc_live;
unsigned long jiffies;

static void *allocate(size_t size, int byte)
{
	void *p;

	if (alloc_fail_after == 0 && alloc_fail_forever)
		return NULL;
	if (alloc_fail_after >= 0 && alloc_fail_after-- == 0)
		return NULL;
	alloc_live++;
	p = malloc(size);
	if (!p)
		abort();
	return memset(p, byte, size);
}

void *kzalloc(size_t size, int flags)
{
	return allocate(size, 0);
}

/* Not zero: what is not set stands out. */
void *kmalloc(size_t size, int flags)
{
	return allocate(size, 0x6b);
}

size_t kmalloc_size_roundup(size_t size)
{
	size_t power = 8;

	while (power < size)
		power *= 2;
	if (power == 128 && size <= 96)
		return 96;
	return power == 256 && size <= 192 ? 192 : power;
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

void __attribute__((weak)) synchronize_rcu(void)
{
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
