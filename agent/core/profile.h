/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known about the clouds that a customer gateway can be: values to
 * start from, what they refuse, limits. Every value names where it is stated.
 *
 * Promise: constant data and predicates; "n/d" (nothing found) is left out, not guessed.
 */
#ifndef VGW_CORE_PROFILE_H
#define VGW_CORE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"

struct profile_value {
	const char *key; /* "bgp.hold-time", "ike.proposals", "tunnel.inside-host" */
	const char *text; /* as it would stand in the file */
	const char *source;
};

struct profile_fact {
	const char *text, *source; /* limits and habits, for people */
};

struct profile {
	const char *name, *title;
	const struct profile_value *values; /* to a NULL key */
	const struct profile_fact *facts; /* to a NULL text */
	const uint32_t (*our_asn)[2]; /* ranges that we may not have, to { 0, 0 } */
	const char *asn_source;
	uint32_t peer_asn; /* the one it has unless told otherwise, 0: given at its creation */
	uint16_t fixed_keepalive; /* seconds; 0: negotiated as RFC 4271 says */
	bool no_bfd, never_connects;
	bool first_host; /* of an inside CIDR is the cloud's, ours is the second */
};

/* NULL for CONFIG_PROFILE_NONE. */
const struct profile *profile_get(enum config_profile profile);
/* The value of a key, NULL where the profile has none; profile may be NULL. */
const char *profile_text(const struct profile *profile, const char *key);
bool profile_asn_refused(const struct profile *profile, uint32_t asn);
/* NULL if the cloud takes an inside CIDR that rules 35-37 allow, else why not. */
const char *profile_inside_check(enum config_profile profile, const struct prefix *inside);

#endif
