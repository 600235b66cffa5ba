/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the domain tells the sites: the prefixes of the system table that may
 * be advertised (rules 22, 23, 40-42, 49, 50, D10, D11).
 *
 * Promise: the export set holds a prefix if and only if the policy lets it out
 * and at least one eligible route of the system table has it. Eligible are
 * unicast routes that are not vgw's own: what a site taught us is never told
 * to another. Changes are reported exactly once each; the same facts in any
 * order give the same set.
 */
#ifndef VGW_CORE_EXPORT_H
#define VGW_CORE_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct export;

struct export_ops {
	/* The prefix joined or left the set. Must not call back into the same export's
	 * export_route, export_set_policy or export_free. */
	void (*changed)(void *ctx, const struct prefix *prefix, bool present);
};

struct export_policy {
	bool transit; /* attachment: a default route is advertised (rule 41) */
	bool reserved_ranges; /* profile keeps 100.64.0.0/10 back (rule 49) */
	const struct prefix *exclude; /* nothing equal or inside: the tunnels' inside CIDRs */
	size_t n_exclude;
};

/* A new export has the policy of a VPN gateway: all false, nothing excluded. ops must outlive it.
 * NULL: no memory. */
struct export *export_new(const struct export_ops *ops, void *ctx);
void export_free(struct export *export); /* reports nothing */
/* Copies the policy and reports what changes. 0, or -ENOMEM and nothing has changed. */
int export_set_policy(struct export *export, const struct export_policy *policy);
/*
 * A route of the system table came or went; several routes (metrics) may have
 * one prefix, each is told once. protocol and type are rtnetlink's. 0, or
 * -EINVAL for something that is no prefix, or -ENOMEM: this route does not count.
 */
int export_route(struct export *export, const struct prefix *prefix, uint8_t protocol, uint8_t type,
		 bool present);
bool export_contains(const struct export *export, const struct prefix *prefix);
/* Walks the set in prefix order, strictly after *prefix (family AF_UNSPEC: start). */
bool export_next(const struct export *export, struct prefix *prefix);
size_t export_count(const struct export *export);

#endif
