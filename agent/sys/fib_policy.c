// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sys/fib_state.h"

#define SUBJECT "fib"

/* Places of the list that one message is about. */
struct policy_batch {
	struct fib *fib;
	uint64_t epoch;
	size_t n;
	size_t places[KERNEL_POLICIES_MAX];
};

static int compare(const void *a, const void *b)
{
	return kernel_policy_compare(&((const struct policy *)a)->is,
				     &((const struct policy *)b)->is);
}

/* What a list that is thrown away still refers to. */
static void release(struct fib *fib, struct policy *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fib_group_put(fib, list[i].next);
	free(list);
}

static void refuse(struct fib *fib, struct policy *policy, int error, const char *text)
{
	struct fib_group *group = policy->next;

	policy->next = NULL;
	policy->refused = true;
	fib->policies.refused++;
	if (!policy->told) {
		policy->told = true;
		fib->counters.refused++;
		fib->ops.refused(fib->ctx, &policy->is.dst, KERNEL_POLICY, error, text);
	}
	/* The text may be the group's. */
	fib_group_put(fib, group);
}

/* Answers */

/* Nothing of the batch happened; with unsure, nobody knows. */
static void batch_undo(struct policy_batch *batch, bool unsure)
{
	struct policy_list *policies = &batch->fib->policies;

	for (size_t i = 0; i < batch->n; i++) {
		struct policy *policy = &policies->list[batch->places[i]];

		fib_group_put(batch->fib, policy->next);
		policy->next = NULL;
		if (unsure)
			policy->held = HELD_MAYBE;
	}
	policies->dirty = true;
}

static void added(struct policy_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct policy *policy = &batch->fib->policies.list[batch->places[i]];

		fib_group_put(batch->fib, policy->group);
		policy->group = policy->next;
		policy->next = NULL;
		policy->on_fail = policy->is.on_fail;
		policy->held = HELD_YES;
		policy->told = false;
	}
}

static void gone(struct fib *fib, struct policy *policy)
{
	fib_group_put(fib, policy->group);
	policy->group = NULL;
	policy->held = HELD_NO;
	fib->retry_refused = true;
}

/* True: the answer is of this epoch; the caller ends with leave(). */
static bool enter(struct policy_batch *batch)
{
	fib_enter(batch->fib);
	if (!fib_answered(batch->fib, batch->epoch))
		return false;
	batch->fib->policies.in_flight--;
	return true;
}

static void leave(struct policy_batch *batch)
{
	struct fib *fib = batch->fib;

	free(batch);
	fib_leave(fib);
}

static void add_done(void *ctx, int error, const char *text, long index)
{
	struct policy_batch *batch = ctx;
	struct fib *fib = batch->fib;
	struct policy *policy;
	const struct fib_group *group;

	if (!enter(batch))
		goto out;
	if (!error) {
		added(batch);
	} else if (fib_passing_error(fib, "policy routes", error, text)) {
		batch_undo(batch, true);
	} else {
		policy = &fib->policies.list[batch->places[index < 0 ? 0 : index]];
		group = policy->next;
		if (error == -ENOENT && group && !group->error)
			fib_replay(fib, "the module has lost a group");
		refuse(fib, policy, group && group->error ? group->error : error,
		       group && group->text ? group->text : text);
		batch_undo(batch, false);
	}
out:
	leave(batch);
}

static void del_done(void *ctx, int error, const char *text, long index)
{
	struct policy_batch *batch = ctx;
	struct fib *fib = batch->fib;

	if (!enter(batch))
		goto out;
	if (!error) {
		for (size_t i = 0; i < batch->n; i++)
			gone(fib, &fib->policies.list[batch->places[i]]);
	} else if (fib_passing_error(fib, "policy routes", error, text)) {
		batch_undo(batch, true);
	} else {
		if (error != -ENOENT)
			log_error(SUBJECT, "a policy route cannot be deleted: %s", text);
		batch_undo(batch, false);
		gone(fib, &fib->policies.list[batch->places[index < 0 ? 0 : index]]);
	}
out:
	leave(batch);
}

/* Sending */

static bool must_add(const struct policy *policy)
{
	return policy->next;
}

static bool must_del(const struct policy *policy)
{
	return !policy->wanted && policy->held != HELD_NO;
}

static int batch_send(struct fib *fib, const struct policy_batch *from, bool add)
{
	struct kernel_policy *list = calloc(from->n, sizeof(*list));
	struct policy_batch *batch = malloc(sizeof(*batch));

	if (!list || !batch) {
		free(list);
		free(batch);
		return -ENOMEM;
	}
	*batch = *from;
	for (size_t i = 0; i < batch->n; i++)
		list[i] = fib->policies.list[batch->places[i]].is;
	fib_sent(fib);
	fib->policies.in_flight++;
	fib->counters.batches++;
	if (add)
		kernel_policies_add(fib->kernel, fib->ifindex, list, batch->n, add_done, batch);
	else
		kernel_policies_del(fib->kernel, fib->ifindex, list, batch->n, del_done, batch);
	free(list);
	return 0;
}

static int send_all(struct fib *fib, bool add)
{
	struct policy_batch batch = { .fib = fib, .epoch = fib->epoch };
	int ret = 0;

	for (size_t i = 0; i < fib->policies.n && !ret; i++) {
		const struct policy *policy = &fib->policies.list[i];

		if (add ? must_add(policy) : must_del(policy))
			batch.places[batch.n++] = i;
		if (batch.n < KERNEL_POLICIES_MAX && !(batch.n && i + 1 == fib->policies.n))
			continue;
		ret = batch_send(fib, &batch, add);
		batch.n = 0;
	}
	if (!ret && batch.n)
		ret = batch_send(fib, &batch, add);
	return ret;
}

/* Looking */

/* What the owner wants, ordered, without groups yet; NULL with *n 0 if there is nothing. */
static int ask(struct fib *fib, struct fib_policy **out, size_t *n)
{
	size_t room = 0;

	*out = NULL;
	for (*n = 0; fib->ops.policy; ++*n) {
		if (*n == room) {
			size_t more = room ? 2 * room : 16;
			struct fib_policy *list = reallocarray(*out, more, sizeof(*list));

			if (!list)
				return -ENOMEM;
			*out = list;
			room = more;
		}
		memset(&(*out)[*n], 0, sizeof(**out));
		if (!fib->ops.policy(fib->ctx, *n, &(*out)[*n]))
			break;
	}
	return 0;
}

static struct policy *find(const struct fib *fib, const struct policy *name)
{
	if (!fib->policies.n)
		return NULL;
	return bsearch(name, fib->policies.list, fib->policies.n, sizeof(*name), compare);
}

/* A new entry of the list, which knows what the old one did. -ENOMEM. */
static int want(struct fib *fib, const struct fib_policy *asked, struct policy *policy)
{
	const struct policy *old;

	*policy = (struct policy){
		.is = { .src = asked->src, .dst = asked->dst, .priority = asked->priority,
			.sequence = asked->sequence, .on_fail = asked->to.on_fail },
		.held = fib->generation_open ? HELD_MAYBE : HELD_NO,
	};
	old = find(fib, policy);
	if (old) {
		policy->group = old->group;
		policy->on_fail = old->on_fail;
		policy->held = old->held;
		policy->told = old->told;
		policy->refused = old->refused;
	}
	policy->wanted = asked->to.n_members && asked->to.n_members <= KERNEL_MEMBERS_MAX;
	/* What an earlier life left forwards until the sweep: its tunnels may still come. */
	if (!policy->wanted && !old)
		policy->held = HELD_NO;
	fib->policies.refused += policy->refused;
	if (!policy->wanted || policy->refused)
		return 0;
	policy->next = fib_group_get(fib, asked->to.members, asked->to.n_members);
	if (!policy->next)
		return -ENOMEM;
	policy->is.group = policy->next->id;
	if (policy->next->error) {
		refuse(fib, policy, policy->next->error,
		       policy->next->text ? policy->next->text : strerror(-policy->next->error));
	} else if (policy->held == HELD_YES && policy->group == policy->next &&
		   policy->on_fail == policy->is.on_fail) {
		fib_group_put(fib, policy->next);
		policy->next = NULL;
	}
	return 0;
}

/* Those that nobody asked for, but the module may hold. */
static size_t keep_unwanted(struct fib *fib, struct policy *list, size_t n)
{
	size_t all = n;

	for (size_t i = 0; i < fib->policies.n; i++) {
		struct policy *old = &fib->policies.list[i];

		if (old->held == HELD_NO || (n && bsearch(old, list, n, sizeof(*old), compare)))
			continue;
		old->wanted = old->refused = false;
		list[all++] = *old;
	}
	if (all > n)
		qsort(list, all, sizeof(*list), compare);
	return all;
}

static int look(struct fib *fib)
{
	struct fib_policy *asked;
	struct policy *list;
	size_t n, made = 0;
	int ret = ask(fib, &asked, &n);

	list = ret ? NULL : calloc(n + fib->policies.n + 1, sizeof(*list));
	if (!list) {
		free(asked);
		return -ENOMEM;
	}
	fib->policies.refused = 0;
	for (; made < n && !ret; made++)
		ret = want(fib, &asked[made], &list[made]);
	free(asked);
	if (ret) {
		release(fib, list, made);
		return ret;
	}
	qsort(list, n, sizeof(*list), compare);
	n = keep_unwanted(fib, list, n);
	release(fib, fib->policies.list, fib->policies.n);
	fib->policies.list = list;
	fib->policies.n = n;
	return 0;
}

/* New ones first, so that no packet falls between an old one and its successor. */
void fib_policies_pump(struct fib *fib)
{
	struct policy_list *policies = &fib->policies;
	int ret;

	if (policies->in_flight || loop_timer_pending(fib->retry))
		return;
	if (fib->retry_refused && policies->refused) {
		for (size_t i = 0; i < policies->n; i++)
			policies->list[i].refused = false;
		policies->dirty = true;
	}
	if (!policies->dirty)
		return;
	policies->dirty = false;
	ret = look(fib);
	if (!ret)
		ret = send_all(fib, true);
	if (!ret)
		ret = send_all(fib, false);
	if (!ret)
		return;
	policies->dirty = true;
	fib_passing_error(fib, "policy routes", ret, strerror(-ret));
}

void fib_dirty_policies(struct fib *fib)
{
	if (fib->phase != FIB_RUNNING)
		return;
	/* The owner's mind may have changed about what was refused. */
	for (size_t i = 0; i < fib->policies.n; i++)
		fib->policies.list[i].refused = false;
	fib->policies.dirty = true;
	fib_kick(fib);
}

/* What an earlier life left of refused ones is swept. */
void fib_policies_committed(struct fib *fib)
{
	for (size_t i = 0; i < fib->policies.n; i++)
		if (fib->policies.list[i].held == HELD_MAYBE)
			fib->policies.list[i].held = HELD_NO;
}

void fib_policies_clear(struct fib *fib)
{
	free(fib->policies.list);
	memset(&fib->policies, 0, sizeof(fib->policies));
}
