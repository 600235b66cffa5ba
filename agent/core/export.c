// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two layers: routes counts the routes per prefix whose kind can be exported
 * at all, the policy decides which of those prefixes are out. Whether a prefix
 * is in the set is computed when asked, so there is no second copy to keep right.
 */
#include "core/export.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/vgw.h>
#include <stdlib.h>

#include "core/rules.h"
#include "lib/pmap.h"

struct policy {
	bool transit, reserved_ranges;
	struct pmap exclude;
};

struct export
{
	const struct export_ops *ops;
	void *ctx;
	struct policy policy;
	struct pmap routes; /* number of routes, as uintptr_t, at least 1 */
	size_t count;
};

static bool policy_allows(const struct policy *policy, const struct prefix *prefix)
{
	struct prefix cover = { 0 };

	if (prefix_is_default(prefix))
		return policy->transit;
	if (rules_never_accept(prefix))
		return false;
	if (policy->reserved_ranges && rules_reserved_range(prefix))
		return false;
	return !pmap_covering(&policy->exclude, prefix, &cover, NULL);
}

/* D11: a route that we put there ourselves came from a site. */
static bool route_eligible(uint8_t protocol, uint8_t type)
{
	return type == RTN_UNICAST && protocol != VGW_RTPROTO;
}

struct export *export_new(const struct export_ops *ops, void *ctx)
{
	struct export *export = calloc(1, sizeof(*export));

	if (!export)
		return NULL;
	export->ops = ops;
	export->ctx = ctx;
	return export;
}

void export_free(struct export *export)
{
	if (!export)
		return;
	pmap_clear(&export->policy.exclude, NULL);
	pmap_clear(&export->routes, NULL);
	free(export);
}

static void report(struct export *export, const struct prefix *prefix, bool present)
{
	export->count += present ? 1 : (size_t)-1;
	if (export->ops && export->ops->changed)
		export->ops->changed(export->ctx, prefix, present);
}

int export_set_policy(struct export *export, const struct export_policy *policy)
{
	struct policy new = {
		.transit = policy->transit,
		.reserved_ranges = policy->reserved_ranges,
	};
	struct policy old = export->policy;
	struct prefix key = { 0 };

	for (size_t i = 0; i < policy->n_exclude; i++) {
		if (!pmap_put(&new.exclude, &policy->exclude[i], NULL))
			continue;
		pmap_clear(&new.exclude, NULL);
		return -ENOMEM;
	}
	export->policy = new;
	while (pmap_next(&export->routes, &key, NULL)) {
		bool present = policy_allows(&new, &key);

		if (present != policy_allows(&old, &key))
			report(export, &key, present);
	}
	pmap_clear(&old.exclude, NULL);
	return 0;
}

static int route_add(struct export *export, const struct prefix *prefix, uintptr_t count)
{
	int rc = pmap_put(&export->routes, prefix, (void *)(count + 1));

	if (!rc && !count && policy_allows(&export->policy, prefix))
		report(export, prefix, true);
	return rc;
}

static void route_remove(struct export *export, const struct prefix *prefix, uintptr_t count)
{
	if (count > 1) {
		/* Replaces, and that needs no memory. */
		pmap_put(&export->routes, prefix, (void *)(count - 1));
		return;
	}
	pmap_del(&export->routes, prefix);
	if (policy_allows(&export->policy, prefix))
		report(export, prefix, false);
}

int export_route(struct export *export, const struct prefix *prefix, uint8_t protocol, uint8_t type,
		 bool present)
{
	struct prefix clean = *prefix;
	uintptr_t count;

	prefix_normalize(&clean);
	if (!addr_bits(prefix->addr.family) || prefix->len > addr_bits(prefix->addr.family) ||
	    !prefix_equal(&clean, prefix))
		return -EINVAL;
	if (!route_eligible(protocol, type))
		return 0;
	count = (uintptr_t)pmap_get(&export->routes, prefix);
	if (present)
		return route_add(export, prefix, count);
	/* A route that was never told, or did not fit in memory, cannot go. */
	if (count)
		route_remove(export, prefix, count);
	return 0;
}

bool export_contains(const struct export *export, const struct prefix *prefix)
{
	return pmap_contains(&export->routes, prefix) && policy_allows(&export->policy, prefix);
}

bool export_next(const struct export *export, struct prefix *prefix)
{
	struct prefix key = *prefix;

	while (pmap_next(&export->routes, &key, NULL)) {
		if (!policy_allows(&export->policy, &key))
			continue;
		*prefix = key;
		return true;
	}
	return false;
}

size_t export_count(const struct export *export)
{
	return export->count;
}
