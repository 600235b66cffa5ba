/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as the module's pure parts need, over libc: so that the
 * very files that the module is made of run under sanitizers in a plain process.
 *
 * One thread writes; READ_ONCE() and RCU's pointers are atomic for others that read.
 * What is freed by RCU stays until rcu_flush(), the end of a grace period, so that a
 * use after it is found. Any allocation can be made to fail, see alloc_fail_after.
 */
#ifndef _SHIM_H
#define _SHIM_H

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Types and compiler */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define __rcu
#define __percpu
#define __force
#define __read_mostly
#define fallthrough		__attribute__((fallthrough))
#define likely(x)		(x)
#define unlikely(x)		(x)
#define noinline		__attribute__((noinline))
#ifndef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#endif
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)							\
do {										\
	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED);				\
	if (after_store)							\
		after_store();							\
} while (0)

/* Called after each store that readers may see: what would one find now? */
extern void (*after_store)(void);

typedef struct {
	int counter;
} atomic_t;

#define atomic_read_acquire(a)	__atomic_load_n(&(a)->counter, __ATOMIC_ACQUIRE)

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define U16_MAX			0xffffu
#define U32_MAX			0xffffffffu
#define U64_MAX			0xffffffffffffffffull
#define be32_to_cpu(x)		be32toh(x)
#define prefetch(p)		__builtin_prefetch(p)
#define hweight64(x)		__builtin_popcountll(x)
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define struct_size(p, member, n) \
	(offsetof(__typeof__(*(p)), member) + sizeof((p)->member[0]) * (n))
#define pr_debug(...)		do { } while (0)
#define cond_resched()		do { } while (0)

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

/* Errors in pointers */

#define IS_ERR(p)		((uintptr_t)(p) >= (uintptr_t)-4095)
#define ERR_PTR(e)		((void *)(intptr_t)(e))
#define PTR_ERR(p)		((int)(intptr_t)(p))

/* Memory */

#define GFP_KERNEL_ACCOUNT	0

/* Counts down with every allocation; the one that meets 0 fails. Negative: none does. */
extern long alloc_fail_after;
/* So do all after it. */
extern bool alloc_fail_forever;
/* Allocations that were not freed yet. */
extern long alloc_live;

void *kzalloc(size_t size, int flags);
void *kmalloc(size_t size, int flags);
/* What the kernel's allocator takes for a size. */
size_t kmalloc_size_roundup(size_t size);
void kfree(const void *p);

#define kvzalloc(size, flags)		kzalloc(size, flags)
#define kvmalloc_array(n, size, flags)	kmalloc((n) * (size), flags)
#define kvcalloc(n, size, flags)	kzalloc((n) * (size), flags)
#define kvfree(p)			kfree(p)

#define alloc_percpu_gfp(type, flags)	((type *)kzalloc(sizeof(type), flags))
#define free_percpu(p)			kfree(p)

/* RCU */

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
	void *object;
};

#define rcu_dereference(p)		__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_dereference_protected(p, c)	(p)
#define rcu_access_pointer(p)		(p)
#define rcu_assign_pointer(p, v)						\
do {										\
	__atomic_store_n(&(p), (v), __ATOMIC_RELEASE);				\
	if (after_store)							\
		after_store();							\
} while (0)
#define RCU_INIT_POINTER(p, v)		((p) = (v))
#define kfree_rcu(p, member)		rcu_free(p, &(p)->member)
#define kvfree_rcu(p, member)		rcu_free(p, &(p)->member)
#define rcu_barrier()			rcu_flush()
/* Tests with other threads have their own. */
void synchronize_rcu(void);
#define rcu_read_lock()			do { } while (0)
#define rcu_read_unlock()		do { } while (0)

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void rcu_free(void *object, struct rcu_head *head);
void rcu_flush(void);

/* Time: a test moves it. */

#define HZ			1000
#define msecs_to_jiffies(ms)	(ms)

extern unsigned long jiffies;

/* Hashes: any will do. */

u32 jhash(const void *key, u32 length, u32 initval);

static inline u32 jhash_3words(u32 a, u32 b, u32 c, u32 initval)
{
	const u32 words[] = { a, b, c };

	return jhash(words, sizeof(words), initval);
}

/* Lists */

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *one, struct list_head *head)
{
	one->next = head;
	one->prev = head->prev;
	head->prev->next = one;
	head->prev = one;
}

static inline void list_del(struct list_head *one)
{
	one->prev->next = one->next;
	one->next->prev = one->prev;
}

#define list_entry_of(pos, ptr, member)	container_of(ptr, __typeof__(*(pos)), member)
#define list_for_each_entry(pos, head, member)						\
	for ((pos) = list_entry_of(pos, (head)->next, member); &(pos)->member != (head);	\
	     (pos) = list_entry_of(pos, (pos)->member.next, member))
#define list_for_each_entry_safe(pos, n, head, member)					\
	for ((pos) = list_entry_of(pos, (head)->next, member),				\
	     (n) = list_entry_of(pos, (pos)->member.next, member);			\
	     &(pos)->member != (head);							\
	     (pos) = (n), (n) = list_entry_of(n, (n)->member.next, member))

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	node->next = head->first;
	if (head->first)
		head->first->pprev = &node->next;
	head->first = node;
	node->pprev = &head->first;
}

static inline void hlist_del(struct hlist_node *node)
{
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
}

#define hlist_entry_of(pos, node, member) \
	((node) ? container_of(node, __typeof__(*(pos)), member) : NULL)
#define hlist_for_each_entry(pos, head, member)						\
	for ((pos) = hlist_entry_of(pos, (head)->first, member); (pos);			\
	     (pos) = hlist_entry_of(pos, (pos)->member.next, member))

/* XArray: ids below 65536 only */

#define XA_SLOTS		65536
#define XA_FLAGS_ALLOC1		1
#define XA_FLAGS_LOCK_BH	2

struct xarray {
	void **slot;
};

struct xa_limit {
	u32 min, max;
};

#define XA_LIMIT(a, b)		((struct xa_limit){ .min = (a), .max = (b) })

void xa_init(struct xarray *xa);
#define xa_init_flags(xa, flags)	xa_init(xa)
void xa_destroy(struct xarray *xa);
void *xa_load(struct xarray *xa, unsigned long id);
/* NULL, or an error that xa_err() knows. */
void *xa_store(struct xarray *xa, unsigned long id, void *entry, int flags);
void *xa_erase(struct xarray *xa, unsigned long id);
#define xa_erase_bh(xa, id)	xa_erase(xa, id)
/* 0, -ENOMEM, or -EBUSY if all ids are taken. */
int xa_alloc_bh(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, int flags);
void *xa_next(struct xarray *xa, unsigned long *id);

static inline int xa_err(void *entry)
{
	return IS_ERR(entry) ? PTR_ERR(entry) : 0;
}

#define xa_for_each(xa, id, entry)					\
	for ((id) = 0, (entry) = xa_next(xa, &(id)); (entry);		\
	     (id)++, (entry) = xa_next(xa, &(id)))

/* Names that structures need */

struct netlink_ext_ack {
	const char *text;
};

#define NL_SET_ERR_MSG(extack, msg)	((extack)->text = (msg))

struct mutex {
	int unused;
};

#define lockdep_assert_held(lock)	((void)(lock))
#define lockdep_is_held(lock)		((void)(lock), 1)

struct net_device {
	char name[16];
	int ifindex;
};

struct delayed_work {
	int unused;
};

typedef struct {
	int unused;
} netdevice_tracker;

typedef struct {
	u64 value;
} u64_stats_t;

struct u64_stats_sync {
	int unused;
};

#endif /* _SHIM_H */
