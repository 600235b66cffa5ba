// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commits one fault on purpose when it is loaded: fault=NAME. A kernel that does
 * not report it would not report one of vgw's either. Never loaded but by
 * scripts/check-debug, in a machine made for it.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *fault;
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "see faults[] in the source");

static DEFINE_SPINLOCK(lock);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static int __rcu *published;
static void *lost;

static void rcu(void)
{
	/* Neither inside of a reader nor with a lock that keeps the writer out. */
	if (rcu_dereference(published))
		pr_info("planted: there is something\n");
}

static void sleep(void)
{
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void locks(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void leak(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		lost = kmalloc(96, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(lost);
	}
	lost = NULL;
}

static void list(void)
{
	LIST_HEAD(head);
	struct list_head entry, *next;

	list_add(&entry, &head);
	/* An entry that its neighbour does not know. */
	next = &entry;
	OPTIMIZER_HIDE_VAR(next);
	WRITE_ONCE(head.next, &head);
	list_del(next);
}

static void object_done(struct rcu_head *unused)
{
}

static void object(void)
{
	static struct rcu_head head;

	rcu_read_lock();
	call_rcu(&head, object_done);
	call_rcu(&head, object_done);
	rcu_read_unlock();
	rcu_barrier();
}

static void shift(void)
{
	int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("planted: %d\n", 1 << by);
}

static void use_after_free(void)
{
	char *object = kmalloc(64, GFP_KERNEL);

	kfree(object);
	OPTIMIZER_HIDE_VAR(object);
	if (object)
		WRITE_ONCE(object[8], 1);
}

static void out_of_bounds(void)
{
	char *object = kmalloc(50, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(object);
	if (object)
		WRITE_ONCE(object[50], 1);
	kfree(object);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "rcu", rcu },
	{ "sleep", sleep },
	{ "locks", locks },
	{ "leak", leak },
	{ "list", list },
	{ "object", object },
	{ "shift", shift },
	{ "use-after-free", use_after_free },
	{ "out-of-bounds", out_of_bounds },
};

static int __init planted_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		if (fault && !strcmp(fault, faults[i].name)) {
			faults[i].commit();
			return 0;
		}
	}
	pr_err("planted: no such fault\n");
	return -EINVAL;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Faults on purpose, to test what looks for them");
