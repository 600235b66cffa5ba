/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain behind transit peers: routers inside it (a transit router, a route
 * reflector) that hear by BGP what the gateway publishes, and tell it what the domain has.
 *
 * Promise: a prefix that a transit peer told is, while a table of its own lets it in, a route
 * of the domain: in the system table by the next hop that the peer named, in the module as
 * a system route, and told to the sites. What the gateway has from sites (learned,
 * static, over private lines) and uses is told to the transit peers; what the domain itself
 * has is not, whoever else has it too. So nothing that came from one side is ever told
 * to that side, and nothing that a gateway had from a site passes for the domain's own.
 *
 * A transit peer's session and interface are a line's (line.h).
 */
#ifndef VGW_VGWD_TRANSIT_H
#define VGW_VGWD_TRANSIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/session.h"
#include "core/attrs.h"
#include "core/rib.h"
#include "sys/rtnl.h"

struct gateway;
struct line;
struct peer;

/*
 * Of routes learned from transit peers: ahead of private lines and of published routes. The last
 * bits of the next hop's address are added, so that a new next hop stands beside the old
 * one while the two change places.
 */
#define TRANSIT_METRIC 5000
#define TRANSIT_METRIC_BITS 12

/* The domain's table, once there is a transit peer. 0 or -ENOMEM. */
int transit_init(struct gateway *gateway);
/* Which rules hold in it; -ENOMEM: the old ones stay. */
int transit_policy(struct gateway *gateway);
/* The best path of the domain to the prefix; false: there is none. */
bool transit_best(const struct gateway *gateway, const struct prefix *prefix,
		  struct rib_path_info *out);
/* Its route in the system table, and the peer that it is from. NULL: there is none. */
const struct line *transit_route(const struct gateway *gateway, const struct prefix *prefix,
				 struct rtnl_via *out);
/* A prefix of the domain's table changed: system table, module, sites and peers follow. */
void transit_changed(struct gateway *gateway, const struct prefix *prefix);
/* The sites hear all prefixes of the domain's table again; for a new export set. */
void transit_again(struct gateway *gateway);

/*
 * With what a transit peer hears the prefix, NULL: not at all; the caller's reference.
 * 0, or -ENOMEM: not known.
 */
int transit_attrs(const struct peer *peer, const struct prefix *prefix, const struct attrs **out);
/* The same of a site, for a route of the domain that a transit peer taught; NULL: it did not. */
int transit_site_attrs(const struct peer *peer, const struct prefix *prefix,
		       const struct attrs **out);
/* Something about the prefix changed: every transit peer hears what is so now. */
void transit_tell(struct gateway *gateway, const struct prefix *prefix);
/* The same of everything that static and policy routes lead to: a tunnel failed, or is back. */
void transit_tell_configured(struct gateway *gateway);
void transit_tell_all(struct peer *peer, enum session_afi afi);
size_t transit_count(const struct peer *peer, uint8_t family); /* what it hears now */
/* A start after which the peers keep our routes: no End-of-RIB before all is known. */
bool transit_holds(const struct gateway *gateway);

#endif
