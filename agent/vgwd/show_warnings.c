// SPDX-License-Identifier: GPL-2.0-only
/*
 * "show warnings": the rules that the running configuration breaks with
 * permission (force), and the advice it does not follow, as "check" told them.
 */
#include "core/lint.h"
#include "vgwd/verbs.h"

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
	control_reply_done(reply);
}
