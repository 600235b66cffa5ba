// SPDX-License-Identifier: GPL-2.0-only
/* Asks vgwd; when nobody is there, what the module knows has to do. */
#include <errno.h>
#include <string.h>

#include "lib/control.h"
#include "vgwctl/cli.h"

#define ERROR_SIZE 512

/* Rows on their way from whoever answers to the writer. */
struct answer {
	const struct request *request;
	struct writer *writer;
	bool refused;
};

static bool equals(const json_t *value, const char *filter)
{
	char text[32];

	if (json_is_string(value))
		return !strcmp(json_string_value(value), filter);
	if (!json_is_integer(value))
		return false;
	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return !strcmp(text, filter);
}

/* Goes down the path; of an array every element counts. */
static bool matches(const json_t *value, const char *path, const char *filter)
{
	size_t len = strcspn(path, "."), i;
	const json_t *element;

	if (json_is_array(value)) {
		json_array_foreach(value, i, element)
			if (matches(element, path, filter))
				return true;
		return false;
	}
	if (!*path)
		return equals(value, filter);
	value = json_object_getn(value, path, len);
	return value && matches(value, path + len + (path[len] == '.'), filter);
}

static bool wanted(const struct request *request, const json_t *row)
{
	if (!request->filter)
		return true;
	for (const char *const *path = request->verb->match; *path; path++)
		if (matches(row, *path, request->filter))
			return true;
	return false;
}

static void answer_row(void *ctx, const json_t *row)
{
	struct answer *answer = ctx;
	const struct verb *verb = answer->request->verb;

	if (!wanted(answer->request, row))
		return;
	if (verb->refused && verb->refused(row))
		answer->refused = true;
	writer_row(answer->writer, row);
	if (verb->flags & VERB_FOLLOW)
		fflush(answer->writer->out);
}

static int ask_vgwd(struct cli *cli, struct answer *answer, char *err, size_t size)
{
	const struct verb *verb = answer->request->verb;
	json_t *request = json_pack("{s:s, s:s*, s:O}", "verb", verb->verb, "object", verb->object,
				    "args", answer->request->args);
	int ret;

	if (!request) {
		snprintf(err, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = control_call(cli->socket, request,
			   verb->flags & VERB_FOLLOW ? 0 : cli->timeout * 1000, answer_row, answer,
			   err, size);
	json_decref(request);
	return ret;
}

static int ask_module(struct cli *cli, struct answer *answer, char *err, size_t size)
{
	const struct verb *verb = answer->request->verb;
	struct module *module;
	int ret;

	module = module_open(cli->device, cli->timeout * 1000, NULL, NULL, err, size);
	if (!module)
		return -ENODEV;
	fputs("vgwctl: vgwd is not running: what the module knows\n", cli->err);
	ret = verb->module(module, answer->request->args, answer_row, answer);
	if (ret)
		snprintf(err, size, "%s", module_error(module));
	module_close(module);
	return ret;
}

/* The answer came to its end; is it one? */
static int judge(struct cli *cli, const struct answer *answer)
{
	const struct request *request = answer->request;

	if (answer->refused)
		return CLI_FAILED; /* the rows say what and why */
	if (answer->writer->rows)
		return CLI_OK;
	if (request->verb->flags & VERB_OBJECT)
		return cli_fail(cli, "%s: no answer", request->verb->verb);
	if (request->operand)
		return cli_fail(cli, "%s %s: nothing matches \"%s\"", request->verb->verb,
				request->verb->object, request->operand);
	return CLI_OK;
}

static int ask(struct cli *cli, struct answer *answer, char *err, size_t size)
{
	char absent[ERROR_SIZE];
	int ret = ask_vgwd(cli, answer, err, size);

	if (ret != -ENOTCONN || !answer->request->verb->module)
		return ret;
	snprintf(absent, sizeof(absent), "%s", err);
	ret = ask_module(cli, answer, err, size);
	if (ret == -ENODEV) {
		char why[ERROR_SIZE];

		snprintf(why, sizeof(why), "%s", err);
		snprintf(err, size, "%.200s, and %.300s", absent, why);
	}
	return ret;
}

int answer_run(struct cli *cli, struct request *request)
{
	struct answer answer = { .request = request, .writer = cli_writer_new(cli, request) };
	char err[ERROR_SIZE] = "";
	int ret;

	if (!answer.writer)
		return CLI_FAILED;
	ret = ask(cli, &answer, err, sizeof(err));
	if (ret) {
		int status = cli_fail(cli, "%s%s", err, ret == -EACCES || ret == -EPERM ?
				      " (not root, nor in the socket's group?)" : "");

		writer_end(answer.writer, false);
		return status;
	}
	/* What is whole is written whole, also when it is bad news. */
	return cli_writer_end(cli, answer.writer, judge(cli, &answer));
}
