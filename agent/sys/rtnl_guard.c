// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guard routes (decision D6): what keeps a tunnel's destination out of clear
 * text when no tunnel is there. They need no device, carry the worst metric,
 * and are only ever taken away by another list of guards.
 */
#include "sys/rtnl.h"

#include <errno.h>
#include <linux/vgw.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sys/rtnl_internal.h"

#define RESTORE_MS 100

struct collect {
	struct rtnl *rtnl;
	struct pmap found; /* the guards that are there; values mean nothing */
	int error;
};

static bool is_guard(const struct rtnl_known *known)
{
	return known->route.protocol == VGW_RTPROTO && known->route.type == RTN_UNREACHABLE &&
	       known->route.metric == RTNL_GUARD_METRIC;
}

static void collect_row(void *ctx, const struct nlmsghdr *nlh)
{
	struct collect *collect = ctx;
	struct rtnl_known *known;
	int error;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return;
	known = rtnl_known_parse(collect->rtnl, nlh, &error);
	if (known && is_guard(known))
		error = pmap_put(&collect->found, &known->route.prefix, collect);
	if (error)
		collect->error = error;
	free(known);
}

static int collect_family(struct collect *collect, uint8_t family, char *err, size_t size)
{
	char text[160];
	int ret = rtnl_call(collect->rtnl, rtnl_route_dump_msg(collect->rtnl, family, VGW_RTPROTO),
			    collect_row, collect, text, sizeof(text));

	/* A table without routes is not there at all; so is a family that is off. */
	if (ret == -ENOENT || ret == -EAFNOSUPPORT || ret == -EOPNOTSUPP)
		ret = 0;
	if (!ret)
		ret = collect->error;
	if (ret)
		return rtnl_fail(err, size, ret, text, "cannot read table %u",
				 collect->rtnl->table);
	return 0;
}

static int guard_set(struct rtnl *rtnl, const struct prefix *guard, bool add, char *err,
		     size_t size)
{
	char text[160], name[PREFIX_STRLEN];
	const struct rtnl_via nowhere = { .metric = RTNL_GUARD_METRIC };
	int ret = rtnl_call(rtnl, rtnl_route_msg(rtnl, add, guard, &nowhere), NULL,
			    NULL, text, sizeof(text));

	if (!ret || (!add && ret == -ESRCH))
		return 0;
	prefix_format(guard, name, sizeof(name));
	if (add && ret == -EEXIST)
		return rtnl_fail(err, size, ret, "another route with this metric is in the way",
				 "guard route %s metric %u", name, RTNL_GUARD_METRIC);
	return rtnl_fail(err, size, ret, text, "cannot %s guard route %s", add ? "add" : "delete",
			 name);
}

static bool listed_before(const struct rtnl *rtnl, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (prefix_equal(&rtnl->guards[i], &rtnl->guards[j]))
			return true;
	return false;
}

/* New ones first; every one is tried, the first failure is told. */
static int guards_apply(struct rtnl *rtnl, struct pmap *found, char *err, size_t size)
{
	struct prefix key = { 0 };
	char later[256];
	int ret, first = 0;

	for (size_t i = 0; i < rtnl->n_guards; i++) {
		if (pmap_contains(found, &rtnl->guards[i])) {
			pmap_del(found, &rtnl->guards[i]);
			continue;
		}
		if (listed_before(rtnl, i))
			continue;
		ret = guard_set(rtnl, &rtnl->guards[i], true, first ? later : err,
				first ? sizeof(later) : size);
		first = first ? first : ret;
	}
	while (pmap_next(found, &key, NULL)) {
		ret = guard_set(rtnl, &key, false, first ? later : err,
				first ? sizeof(later) : size);
		first = first ? first : ret;
	}
	return first;
}

static int guards_remember(struct rtnl *rtnl, const struct prefix *guards, size_t n)
{
	struct prefix *copy = calloc(n ? n : 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		copy[i] = guards[i];
		prefix_normalize(&copy[i]);
	}
	free(rtnl->guards);
	rtnl->guards = copy;
	rtnl->n_guards = n;
	return 0;
}

static int guards_refresh(struct rtnl *rtnl, char *err, size_t size)
{
	struct collect collect = { .rtnl = rtnl };
	int ret;

	pmap_init(&collect.found);
	ret = collect_family(&collect, AF_INET, err, size);
	if (!ret)
		ret = collect_family(&collect, AF_INET6, err, size);
	if (!ret)
		ret = guards_apply(rtnl, &collect.found, err, size);
	pmap_clear(&collect.found, NULL);
	return ret;
}

int rtnl_guards_apply(struct rtnl *rtnl, const struct prefix *guards, size_t n, char *err,
		      size_t size)
{
	int ret = guards_remember(rtnl, guards, n);

	if (ret)
		return rtnl_fail(err, size, ret, "", "guard routes");
	return guards_refresh(rtnl, err, size);
}

static void restore(void *ctx)
{
	char err[256];

	if (guards_refresh(ctx, err, sizeof(err)))
		log_error("guard", "%s", err);
}

void rtnl_guard_deleted(struct rtnl *rtnl, const struct rtnl_known *known)
{
	char name[PREFIX_STRLEN];

	if (!is_guard(known))
		return;
	for (size_t i = 0; i < rtnl->n_guards; i++) {
		if (!prefix_equal(&rtnl->guards[i], &known->route.prefix))
			continue;
		log_warning("guard", "route %s was deleted by somebody else, putting it back",
			    prefix_format(&known->route.prefix, name, sizeof(name)));
		if (!rtnl->guard_timer)
			rtnl->guard_timer = loop_timer_new(rtnl->loop, restore, rtnl);
		if (rtnl->guard_timer && !loop_timer_pending(rtnl->guard_timer))
			loop_timer_start(rtnl->guard_timer, RESTORE_MS);
		return;
	}
}

void rtnl_guard_stop(struct rtnl *rtnl)
{
	loop_timer_free(rtnl->guard_timer);
	free(rtnl->guards);
}
