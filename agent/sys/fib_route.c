// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sys/fib_state.h"

#define SUBJECT "fib"
#define WINDOW 4 /* batches under way */
#define LOOKS_PER_TURN 8192

/* A route in a batch, with what it will be. */
struct item {
	struct route *route;
	struct fib_group *group; /* referenced */
	uint64_t run; /* equal for those that stand together in the message */
	uint8_t on_fail;
};

struct batch {
	struct fib *fib;
	uint64_t epoch;
	size_t n;
	struct item items[KERNEL_ROUTES_MAX];
};

static uint8_t class_of(const struct fib *fib, const struct route *route)
{
	return (uint8_t)(ptable_of(route) - fib->routes + 1);
}

static struct prefix prefix_of(const struct route *route)
{
	struct prefix prefix;

	ptable_key(ptable_of(route), route, &prefix);
	return prefix;
}

static struct route *route_at(struct fib *fib, uint32_t reference)
{
	uint32_t class = (reference & ROUTE_CLASS) >> ROUTE_CLASS_SHIFT;

	return class ? ptable_at(&fib->routes[class - 1], reference & ~ROUTE_CLASS) : NULL;
}

static uint32_t reference_of(const struct fib *fib, const struct route *route)
{
	return ptable_handle(ptable_of(route), route) |
	       (uint32_t)class_of(fib, route) << ROUTE_CLASS_SHIFT;
}

static void list_remove(struct fib *fib, struct route_list *list, struct route *route)
{
	*(route->prev ? &route_at(fib, route->prev)->next : &list->first) = route->next;
	*(route->next ? &route_at(fib, route->next)->prev : &list->last) = route->prev;
	route->prev = route->next = 0;
	list->n--;
}

static void list_append(struct fib *fib, struct route_list *list, struct route *route)
{
	uint32_t reference = reference_of(fib, route);

	route->prev = list->last;
	route->next = 0;
	*(list->last ? &route_at(fib, list->last)->next : &list->first) = reference;
	list->last = reference;
	list->n++;
}

static void list_prepend(struct fib *fib, struct route_list *list, struct route *route)
{
	uint32_t reference = reference_of(fib, route);

	route->prev = 0;
	route->next = list->first;
	*(list->first ? &route_at(fib, list->first)->prev : &list->last) = reference;
	list->first = reference;
	list->n++;
}

/* Takes the route off whatever list its state puts it on. */
static void leave_state(struct fib *fib, struct route *route)
{
	if (route->state == ROUTE_DIRTY)
		list_remove(fib, &fib->dirty, route);
	else if (route->state == ROUTE_REFUSED)
		list_remove(fib, &fib->refused, route);
	if (route->state == ROUTE_REFUSED && !route->told)
		fib->untold--;
}

static void make_dirty(struct fib *fib, struct route *route, bool first)
{
	leave_state(fib, route);
	route->state = ROUTE_DIRTY;
	route->again = false;
	if (first)
		list_prepend(fib, &fib->dirty, route);
	else
		list_append(fib, &fib->dirty, route);
	fib_kick(fib);
}

/* Back from a batch, or looked at and found right. */
static void settle(struct fib *fib, struct route *route)
{
	if (route->again) {
		make_dirty(fib, route, false);
		return;
	}
	leave_state(fib, route);
	route->state = ROUTE_CLEAN;
	route->told = false;
	if (route->held == HELD_NO) {
		ptable_remove(ptable_of(route), route);
	}
}

/* Refusals. There are few different ones, so a route only knows which. */

static uint8_t refusal_of(struct fib *fib, int error, const char *text)
{
	struct refusal *refusal = fib->refusals;
	unsigned int i;

	for (i = 0; i < fib->n_refusals; i++, refusal++)
		if (refusal->error == error && !strcmp(refusal->text, text))
			return (uint8_t)i;
	if (i == FIB_REFUSALS)
		return FIB_REFUSALS - 1;
	refusal->error = error;
	snprintf(refusal->text, sizeof(refusal->text), "%s", text);
	fib->n_refusals++;
	return (uint8_t)i;
}

static void refuse(struct fib *fib, struct route *route, uint8_t why)
{
	leave_state(fib, route);
	route->state = ROUTE_REFUSED;
	route->why = why;
	list_append(fib, &fib->refused, route);
	if (!route->told)
		fib->untold++;
}

void fib_routes_tell(struct fib *fib)
{
	struct route *route;

	for (uint32_t next = fib->refused.first; next && fib->untold;) {
		struct prefix prefix;

		route = route_at(fib, next);
		next = route->next;
		if (route->told)
			continue;
		route->told = true;
		fib->untold--;
		fib->counters.refused++;
		prefix = prefix_of(route);
		fib->ops.refused(fib->ctx, &prefix, class_of(fib, route),
				 fib->refusals[route->why].error, fib->refusals[route->why].text);
	}
}

/* Batches */

static bool is_new_dynamic(const struct fib *fib, const struct route *route)
{
	return class_of(fib, route) == KERNEL_DYNAMIC && route->held != HELD_YES;
}

static uint8_t group_refusal(struct fib *fib, const struct fib_group *group)
{
	return refusal_of(fib, group->error, group->text ? group->text : strerror(-group->error));
}

/* All items but the one at skip are as they were; they stand first in the queue, in order. Those
 * whose group was refused would only be refused after it. */
static void batch_undo(struct batch *batch, size_t skip, bool unsure)
{
	struct fib *fib = batch->fib;

	for (size_t i = batch->n; i-- > 0;) {
		struct item *item = &batch->items[i];
		struct route *route = item->route;
		bool hopeless = item->group && item->group->error && !route->again;
		uint8_t why = hopeless ? group_refusal(fib, item->group) : 0;

		fib_group_put(fib, item->group);
		if (unsure)
			route->held = HELD_MAYBE;
		if (i == skip)
			continue;
		if (hopeless)
			refuse(fib, route, why);
		else
			make_dirty(fib, route, true);
	}
}

static void refused_at(struct batch *batch, size_t at, int error, const char *text)
{
	struct item *item = &batch->items[at];
	struct route *route = item->route;
	struct fib *fib = batch->fib;
	uint8_t why;

	if (item->group && item->group->error)
		why = group_refusal(fib, item->group);
	else
		why = refusal_of(fib, error, text);
	if (error == -ENOENT && item->group && !item->group->error)
		fib_replay(fib, "the module has lost a group");
	if (error == -ENOSPC && class_of(fib, route) == KERNEL_DYNAMIC) {
		fib->full = true;
		fib->full_why = why;
		/* Those before it found room, and stand first in the queue now. */
		fib->allowance = 0;
		for (size_t i = 0; i < at; i++)
			fib->allowance += is_new_dynamic(fib, batch->items[i].route);
	}
	batch_undo(batch, at, false);
	if (route->again)
		make_dirty(fib, route, false);
	else
		refuse(fib, route, why);
}

static void added(struct batch *batch)
{
	struct fib *fib = batch->fib;

	for (size_t i = 0; i < batch->n; i++) {
		struct item *item = &batch->items[i];
		struct route *route = item->route;
		struct fib_group *before = fib_group_at(fib, route->group);

		route->held = HELD_YES;
		route->group = item->group ? item->group->slot : 0;
		route->on_fail = item->on_fail;
		fib_group_put(fib, before);
		settle(fib, route);
	}
}

static void add_done(void *ctx, int error, const char *text, long index)
{
	struct batch *batch = ctx;
	struct fib *fib = batch->fib;

	fib_enter(fib);
	if (!fib_answered(fib, batch->epoch))
		goto out;
	fib->batches_in_flight--;
	if (!error)
		added(batch);
	else if (fib_passing_error(fib, "routes", error, text))
		batch_undo(batch, batch->n, true);
	else if (index >= 0 && (size_t)index < batch->n)
		refused_at(batch, (size_t)index, error, text);
	else
		refused_at(batch, 0, error, text);
out:
	free(batch);
	fib_leave(fib);
}

static void route_gone(struct fib *fib, struct route *route)
{
	struct fib_group *group = fib_group_at(fib, route->group);

	route->group = 0;
	route->held = HELD_NO;
	settle(fib, route);
	fib_group_put(fib, group);
	fib->retry_refused = true;
}

static void del_done(void *ctx, int error, const char *text, long index)
{
	struct batch *batch = ctx;
	struct fib *fib = batch->fib;

	fib_enter(fib);
	if (!fib_answered(fib, batch->epoch))
		goto out;
	fib->batches_in_flight--;
	if (!error) {
		for (size_t i = 0; i < batch->n; i++)
			route_gone(fib, batch->items[i].route);
	} else if (fib_passing_error(fib, "routes", error, text)) {
		batch_undo(batch, batch->n, true);
	} else {
		if (index < 0 || (size_t)index >= batch->n)
			index = 0;
		if (error != -ENOENT)
			log_error(SUBJECT, "a route cannot be deleted: %s", text);
		batch_undo(batch, (size_t)index, false);
		route_gone(fib, batch->items[index].route);
	}
out:
	free(batch);
	fib_leave(fib);
}

static int compare_items(const void *a, const void *b)
{
	uint64_t x = ((const struct item *)a)->run, y = ((const struct item *)b)->run;

	return x < y ? -1 : x > y;
}

/* As in the message: the module has met what stands before a refused one. */
static void batch_order(struct batch *batch)
{
	bool ordered = true;

	for (size_t i = 0; i < batch->n; i++) {
		struct item *item = &batch->items[i];

		item->run = (uint64_t)class_of(batch->fib, item->route) << 48 |
			    (uint64_t)item->on_fail << 40 |
			    (uint64_t)(ptable_handle(ptable_of(item->route), item->route) >> 31)
				    << 32 |
			    (item->group ? item->group->id : 0);
		ordered &= !i || item[-1].run <= item->run;
	}
	if (!ordered)
		qsort(batch->items, batch->n, sizeof(batch->items[0]), compare_items);
}

static void batch_send(struct fib *fib, struct batch *batch, bool add)
{
	if (add)
		batch_order(batch);
	for (size_t i = 0; i < batch->n; i++) {
		const struct item *item = &batch->items[i];

		fib->batch[i] = (struct kernel_route){
			.prefix = prefix_of(item->route),
			.class = class_of(fib, item->route),
			.on_fail = item->on_fail,
			.group = item->group ? item->group->id : 0,
		};
	}
	fib_sent(fib);
	fib->batches_in_flight++;
	fib->counters.batches++;
	fib->counters.routes_sent += batch->n;
	if (add)
		kernel_routes_add(fib->kernel, fib->ifindex, fib->batch, batch->n, add_done, batch);
	else
		kernel_routes_del(fib->kernel, fib->ifindex, fib->batch, batch->n, del_done, batch);
}

/* Looks */

static void batch_take(struct batch *batch, struct fib *fib, struct route *route,
		       struct fib_group *group, uint8_t on_fail)
{
	leave_state(fib, route);
	route->state = ROUTE_SENT;
	batch->items[batch->n++] = (struct item){ route, group, 0, on_fail };
}

static void look_wanted(struct fib *fib, struct route *route, const struct fib_route *want,
			struct batch *adds)
{
	struct fib_group *group = NULL;

	if (want->n_members > KERNEL_MEMBERS_MAX) {
		refuse(fib, route, refusal_of(fib, -E2BIG, "too many members"));
		return;
	}
	if (want->n_members) {
		group = fib_group_get(fib, want->members, want->n_members);
		if (!group) {
			fib_passing_error(fib, "group", -ENOMEM, strerror(ENOMEM));
			return;
		}
	}
	if (route->held == HELD_YES && fib_group_at(fib, route->group) == group &&
	    route->on_fail == want->on_fail) {
		fib->counters.routes_skipped++;
		settle(fib, route);
	} else if (group && group->error) {
		refuse(fib, route, group_refusal(fib, group));
	} else if (fib->full && !fib->allowance && is_new_dynamic(fib, route)) {
		refuse(fib, route, fib->full_why);
	} else {
		fib->allowance -= fib->allowance && is_new_dynamic(fib, route);
		batch_take(adds, fib, route, group, want->on_fail);
		return;
	}
	fib_group_put(fib, group);
}

static void look(struct fib *fib, struct route *route, struct batch *adds, struct batch *dels)
{
	/* A kilobyte, of which the owner fills what it needs. */
	struct fib_route want __attribute__((uninitialized));
	struct prefix prefix = prefix_of(route);

	want.on_fail = 0;
	want.n_members = 0;
	if (fib->ops.route(fib->ctx, &prefix, class_of(fib, route), &want))
		look_wanted(fib, route, &want, adds);
	else if (route->held == HELD_NO)
		settle(fib, route);
	else
		batch_take(dels, fib, route, NULL, 0);
}

static struct batch *batch_new(struct fib *fib)
{
	struct batch *batch = malloc(sizeof(*batch));

	if (!batch)
		return NULL;
	batch->fib = fib;
	batch->epoch = fib->epoch;
	batch->n = 0;
	return batch;
}

/* New routes first, so that no packet falls between an old route and its successor. Where the
 * old ones must make room for them they are refused first, and tried again. */
static void batches_send(struct fib *fib, struct batch *adds, struct batch *dels)
{
	if (adds->n)
		batch_send(fib, adds, true);
	else
		free(adds);
	if (dels->n)
		batch_send(fib, dels, false);
	else
		free(dels);
}

static bool may_look(const struct fib *fib)
{
	return fib->dirty.n && !loop_timer_pending(fib->retry);
}

void fib_routes_pump(struct fib *fib)
{
	unsigned int looks = 0;

	if (fib->retry_refused && !fib->dirty.n && !fib->batches_in_flight) {
		fib->retry_refused = fib->full = false;
		while (fib->refused.n)
			make_dirty(fib, route_at(fib, fib->refused.first), false);
	}
	while (may_look(fib) && fib->batches_in_flight < WINDOW && looks < LOOKS_PER_TURN) {
		struct batch *adds = batch_new(fib), *dels = batch_new(fib);

		if (!adds || !dels) {
			free(adds);
			free(dels);
			fib_passing_error(fib, "routes", -ENOMEM, strerror(ENOMEM));
			return;
		}
		while (may_look(fib) && adds->n < KERNEL_ROUTES_MAX &&
		       dels->n < KERNEL_ROUTES_MAX && looks++ < LOOKS_PER_TURN)
			look(fib, route_at(fib, fib->dirty.first), adds, dels);
		batches_send(fib, adds, dels);
	}
	if (may_look(fib) && fib->batches_in_flight < WINDOW)
		fib_kick(fib);
}

void fib_dirty_route(struct fib *fib, const struct prefix *prefix, uint8_t class)
{
	struct route *route;
	bool is_new;

	/* everything() comes when it starts */
	if (fib->phase != FIB_RUNNING || class < 1 || class > FIB_CLASSES)
		return;
	route = ptable_get(&fib->routes[class - 1], prefix, &is_new);
	if (!route) {
		fib_replay(fib, strerror(ENOMEM));
		return;
	}
	if (is_new)
		route->held = fib->generation_open ? HELD_MAYBE : HELD_NO;
	if (route->state == ROUTE_SENT)
		route->again = true;
	else if (route->state != ROUTE_DIRTY)
		make_dirty(fib, route, false);
}

/* What an earlier life left of refused routes is swept. */
void fib_routes_committed(struct fib *fib)
{
	for (uint32_t next = fib->refused.first; next;) {
		struct route *route = route_at(fib, next);

		next = route->next;
		if (route->held == HELD_MAYBE)
			route->held = HELD_NO;
	}
}

void fib_routes_init(struct fib *fib)
{
	for (size_t i = 0; i < FIB_CLASSES; i++)
		ptable_init(&fib->routes[i], sizeof(struct route), false);
}

void fib_routes_clear(struct fib *fib)
{
	for (size_t i = 0; i < FIB_CLASSES; i++)
		ptable_destroy(&fib->routes[i]);
	fib_routes_init(fib);
	memset(&fib->dirty, 0, sizeof(fib->dirty));
	memset(&fib->refused, 0, sizeof(fib->refused));
	fib->batches_in_flight = fib->untold = fib->allowance = 0;
	fib->full = fib->retry_refused = false;
	fib->n_refusals = 0;
}
