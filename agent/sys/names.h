/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of the family's enumerations, as the specification spells them.
 *
 * Promise: never NULL; a value that a newer module may send is "unknown".
 */
#ifndef VGW_SYS_NAMES_H
#define VGW_SYS_NAMES_H

#include <stdint.h>

const char *names_route_class(uint8_t class);
const char *names_on_fail(uint8_t on_fail);
const char *names_tunnel_state(uint8_t state);
const char *names_tunnel_reason(uint8_t reason);
const char *names_verdict(uint8_t verdict);
const char *names_verdict_text(uint8_t verdict); /* a sentence for people */
const char *names_candidate_result(uint8_t result);
const char *names_hash_fields(uint8_t fields);
const char *names_cache_state(uint8_t state);
const char *names_port_state(uint8_t state);

#endif
