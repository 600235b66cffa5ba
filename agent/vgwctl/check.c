// SPDX-License-Identifier: GPL-2.0-only
/*
 * "check FILE...": the configuration's own judgement, without vgwd and without
 * privilege. Several files are the gateways of one host and judged together too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/lint.h"
#include "vgwctl/cli.h"

struct check {
	struct cli *cli;
	struct writer *writer; /* NULL: text */
	struct lint_file *files;
	struct config_errors *errors; /* of each file alone */
	size_t n;
	bool failed;
};

static void write_row(struct check *check, const char *file, bool warning,
		      const struct config_error *e)
{
	const struct lint_rule *rule = lint_rule_find(e->code);
	json_t *row = json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s?, s:s?}", "file", file,
				"severity", warning ? "warning" : "error", "line", (int)e->line,
				"column", (int)e->column, "path", e->path, "text", e->text, "code",
				e->code, "rule", rule ? rule->rule : NULL, "reason",
				rule ? rule->reason : NULL);

	if (row)
		writer_row(check->writer, row);
	else
		check->writer->failed = true;
	json_decref(row);
}

/* The form that editors jump to. */
static void print_line(struct check *check, const char *file, bool warning,
		       const struct config_error *e)
{
	const struct lint_rule *rule = lint_rule_find(e->code);
	char line[CONFIG_ERROR_STRLEN];

	config_error_format(file, e, line, sizeof(line));
	fprintf(check->cli->err, "%s%s\n", line, warning ? " (warning)" : "");
	if (check->cli->verbose && rule)
		fprintf(check->cli->err, "    rule %s (%s): %s\n", rule->rule,
			lint_severity_name(rule->severity), rule->reason);
}

static void tell(struct check *check, const char *file, bool warning, const struct config_error *e)
{
	if (check->writer)
		write_row(check, file, warning, e);
	else
		print_line(check, file, warning, e);
	check->failed |= !warning;
}

static void print_value(void *ctx, const char *path, const char *value, const char *profile)
{
	struct check *check = ctx;
	int width = fprintf(check->cli->out, "  %s", path);

	fprintf(check->cli->out, "%*s %s", width < 48 ? 48 - width : 0, "", value);
	if (profile && !strcmp(profile, value))
		fprintf(check->cli->out, "  (as the profile)");
	else if (profile)
		fprintf(check->cli->out, "  (profile: %s)", profile);
	fputc('\n', check->cli->out);
}

static bool is_forced(const struct check *check, const struct lint_file *file, const char *code)
{
	const struct lint_rule *rule = lint_rule_find(code);

	return rule && rule->severity == LINT_TOPOLOGY &&
	       (check->cli->force || file->config->gateway.force);
}

/* What the file does only in the company of the others. */
static bool tell_found(struct check *check, struct lint_file *file)
{
	bool good = true;

	for (size_t i = 0; i < file->found.n; i++) {
		struct config_error *e = &file->found.list[i];
		bool forced = is_forced(check, file, e->code);

		config_position(file->name, e->path, &e->line, &e->column);
		tell(check, file->name, forced, e);
		good &= forced;
	}
	return good;
}

static void tell_file(struct check *check, size_t i)
{
	struct lint_file *file = &check->files[i];
	const struct config *config = file->config;
	bool good;

	for (size_t k = 0; k < check->errors[i].n; k++)
		tell(check, file->name, false, &check->errors[i].list[k]);
	if (!config)
		return;
	for (size_t k = 0; k < config->warnings.n; k++)
		tell(check, file->name, true, &config->warnings.list[k]);
	good = tell_found(check, file);
	if (!good || check->writer)
		return;
	fprintf(check->cli->out, "%s: ok\n", file->name);
	if (check->cli->verbose)
		config_values(config, print_value, check);
}

static int check_files(struct check *check, const struct request *request)
{
	struct cli *cli = check->cli;
	int ret;

	for (size_t i = 0; i < check->n; i++) {
		check->files[i].name = request->files[i];
		check->files[i].config =
			cli->force ? config_load_forced(request->files[i], &check->errors[i])
				   : config_load(request->files[i], &check->errors[i]);
	}
	lint_together(check->files, check->n);
	if (cli->json) {
		check->writer = cli_writer_new(cli, request);
		if (!check->writer)
			return CLI_FAILED;
	}
	for (size_t i = 0; i < check->n; i++)
		tell_file(check, i);
	ret = check->failed ? CLI_FAILED : CLI_OK;
	if (check->writer)
		return cli_writer_end(cli, check->writer, ret);
	return fflush(cli->out) ? cli_fail(cli, "cannot write: %s", strerror(errno)) : ret;
}

int check_run(struct cli *cli, struct request *request)
{
	struct check check = {.cli = cli, .n = request->n_files};
	int ret = CLI_FAILED;

	check.files = calloc(check.n, sizeof(*check.files));
	check.errors = calloc(check.n, sizeof(*check.errors));
	if (check.files && check.errors)
		ret = check_files(&check, request);
	else
		cli_fail(cli, "%s", strerror(ENOMEM));
	for (size_t i = 0; check.files && check.errors && i < check.n; i++) {
		config_errors_free(&check.errors[i]);
		config_errors_free(&check.files[i].found);
		config_free(check.files[i].config);
	}
	free(check.files);
	free(check.errors);
	return ret;
}
