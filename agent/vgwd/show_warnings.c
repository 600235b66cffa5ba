// SPDX-License-Identifier: GPL-2.0-only
/*
 * "show warnings": the rules that the running configuration breaks with
 * permission (force), and the advice it does not follow, as "check" told them;
 * and the tunnels that somebody has drained, lest he forget.
 */
#include <stdio.h>

#include "core/lint.h"
#include "vgwd/verbs.h"

static void drained_row(const struct tunnel *tunnel, struct control_reply *reply)
{
	char path[200];

	snprintf(path, sizeof(path), "connections.%s.tunnels.%s", tunnel->connection->name,
		 tunnel->config->name);
	control_reply_row(
		reply,
		json_pack("{s:n,s:n,s:s,s:s,s:s,s:n,s:n}", "line", "column", "path", path, "text",
			  drain_others_up(tunnel)
				  ? "is drained: it takes no new flows ('vgwctl undrain' ends it)"
				  : "is drained, but no other tunnel is up",
			  "code", "DRAINED", "rule", "reason"));
}

void show_warnings(void *ctx, const json_t *args, struct control_reply *reply)
{
	const struct gateway *gateway = ctx;
	const struct config_errors *warnings = &gateway->config->warnings;

	(void)args;
	for (size_t i = 0; i < warnings->n; i++) {
		const struct config_error *e = &warnings->list[i];
		const struct lint_rule *rule = lint_rule_find(e->code);

		control_reply_row(reply, json_pack("{s:i,s:i,s:s,s:s,s:s,s:o,s:o}", "line",
						   (int)e->line, "column", (int)e->column, "path",
						   e->path, "text", e->text, "code", e->code,
						   "rule", verbs_text(rule ? rule->rule : NULL),
						   "reason",
						   verbs_text(rule ? rule->reason : NULL)));
	}
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (t->drained)
			drained_row(t, reply);
	control_reply_done(reply);
}
