// SPDX-License-Identifier: GPL-2.0-only
/* "check FILE": the configuration's own judgement, without vgwd and without privilege. */
#include <errno.h>
#include <string.h>

#include "core/config.h"
#include "vgwctl/cli.h"

static void write_rows(struct writer *writer, const char *file, const char *severity,
		       const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		const struct config_error *e = &errors->list[i];
		json_t *row = json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s}", "file", file,
					"severity", severity, "line", (int)e->line, "column",
					(int)e->column, "path", e->path, "text", e->text, "code",
					e->code);

		if (row)
			writer_row(writer, row);
		else
			writer->failed = true;
		json_decref(row);
	}
}

/* The form that editors jump to. */
static void print_lines(struct cli *cli, const char *file, const char *behind,
			const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		char line[CONFIG_ERROR_STRLEN];

		config_error_format(file, &errors->list[i], line, sizeof(line));
		fprintf(cli->err, "%s%s\n", line, behind);
	}
}

static int check_json(struct cli *cli, struct request *request, const struct config *config,
		      const struct config_errors *errors)
{
	struct writer *writer = cli_writer_new(cli, request);
	int ret;

	if (!writer)
		return CLI_FAILED;
	write_rows(writer, request->operand, "error", errors);
	if (config)
		write_rows(writer, request->operand, "warning", &config->warnings);
	ret = cli_writer_end(cli, writer, CLI_OK);
	return config ? ret : CLI_FAILED;
}

static int check_text(struct cli *cli, struct request *request, const struct config *config,
		      const struct config_errors *errors)
{
	if (!config) {
		print_lines(cli, request->operand, "", errors);
		return CLI_FAILED;
	}
	print_lines(cli, request->operand, " (warning)", &config->warnings);
	fprintf(cli->out, "%s: ok\n", request->operand);
	if (fflush(cli->out))
		return cli_fail(cli, "cannot write: %s", strerror(errno));
	return CLI_OK;
}

int check_run(struct cli *cli, struct request *request)
{
	struct config_errors errors = { 0 };
	struct config *config = config_load(request->operand, &errors);
	int ret = cli->json ? check_json(cli, request, config, &errors) :
			      check_text(cli, request, config, &errors);

	config_errors_free(&errors);
	config_free(config);
	return ret;
}
