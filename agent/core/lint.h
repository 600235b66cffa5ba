/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that a configuration is judged by, as one table: code, number in
 * the list of rules (Documentation/rules.rst), severity, reason.
 *
 * Promise: every code that config_load() puts into an error or warning and that
 * belongs to a rule is in the table once; the table never changes.
 */
#ifndef VGW_CORE_LINT_H
#define VGW_CORE_LINT_H

#include <stddef.h>

#include "core/config.h"

enum lint_severity {
	LINT_ERROR, /* always an error: the value cannot work or would leak */
	LINT_TOPOLOGY, /* an error; a warning with gateway.force or "check --force" */
	LINT_ADVICE, /* a warning */
};

struct config_parse;

struct lint_rule {
	const char *code; /* as in struct config_error */
	const char *rule; /* "11", "48", "D6" */
	enum lint_severity severity;
	const char *reason; /* what goes wrong without the rule */
	/* NULL: judged where the value is read, or by the check of a line above. */
	void (*check)(struct config_parse *parse);
};

extern const struct lint_rule lint_rules[]; /* to a NULL code */

/* NULL: the code belongs to no rule ("SYNTAX", "VALUE", ...), or there is no such code. */
const struct lint_rule *lint_rule_find(const char *code);
const char *lint_severity_name(enum lint_severity severity); /* "error", "topology", "advice" */
/* Every check of the table, once. */
void lint_run(struct config_parse *parse);

/* Rules about several gateways: one file each, all on one host. */
struct lint_file {
	const char *name; /* as messages name it */
	struct config *config; /* owned by the caller; not changed */
	struct config_errors found; /* to be freed with config_errors_free() */
};

/*
 * Rules 14-16 and 39 between files; a broken one is told at the later file, and
 * paths have no position yet (line 0). Returns the number found.
 */
size_t lint_together(struct lint_file *files, size_t n);

#endif
