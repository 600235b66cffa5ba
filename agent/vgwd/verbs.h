/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the control socket answers: one table of verbs, one handler each.
 *
 * Promise: a row says what is, not what was once meant: facts of the module
 * are asked of the module for every answer.
 */
#ifndef VGW_VGWD_VERBS_H
#define VGW_VGWD_VERBS_H

#include <jansson.h>

#include "lib/control.h"
#include "vgwd/gateway.h"

extern const struct control_verb verbs_table[]; /* ctx: the gateway */

void show_gateway(void *ctx, const json_t *args, struct control_reply *reply);
void show_tunnels(void *ctx, const json_t *args, struct control_reply *reply);
void show_peers(void *ctx, const json_t *args, struct control_reply *reply);
void show_routes(void *ctx, const json_t *args, struct control_reply *reply);
void show_groups(void *ctx, const json_t *args, struct control_reply *reply);
void show_memory(void *ctx, const json_t *args, struct control_reply *reply);
void show_warnings(void *ctx, const json_t *args, struct control_reply *reply);
void show_timeline(void *ctx, const json_t *args, struct control_reply *reply);
void monitor(void *ctx, const json_t *args, struct control_reply *reply);
void explain(void *ctx, const json_t *args, struct control_reply *reply);

/* JSON null for "none", for addresses, prefixes and text. */
json_t *verbs_address(const struct addr *address);
json_t *verbs_prefix(const struct prefix *prefix);
json_t *verbs_text(const char *text);

#endif
