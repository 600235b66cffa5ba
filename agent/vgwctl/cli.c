// SPDX-License-Identifier: GPL-2.0-only
/* Options, usage errors, and the way from a command line to a verb. */
#include "vgwctl/cli.h"

#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16
#define TIMEOUT_MAX 3600

static void complain(struct cli *cli, const char *fmt, va_list args)
{
	fputs("vgwctl: ", cli->err);
	vfprintf(cli->err, fmt, args);
	fputc('\n', cli->err);
}

bool cli_usage_error(struct cli *cli, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(cli, fmt, args);
	va_end(args);
	fputs("Try 'vgwctl help'.\n", cli->err);
	return false;
}

int cli_fail(struct cli *cli, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(cli, fmt, args);
	va_end(args);
	return CLI_FAILED;
}

struct writer *cli_writer_new(struct cli *cli, const struct request *request)
{
	struct writer *writer;

	if (cli->json && (request->verb->flags & VERB_FOLLOW))
		writer = writer_lines_new(cli->out);
	else if (cli->json)
		writer = writer_json_new(cli->out, request->verb->flags & VERB_OBJECT);
	else
		writer = writer_text_new(cli->out, request->verb->view, request->operand);
	if (!writer)
		cli_fail(cli, "%s", strerror(ENOMEM));
	return writer;
}

int cli_writer_end(struct cli *cli, struct writer *writer, int status)
{
	int ret = writer_end(writer, true);

	if (!ret)
		return status;
	return cli_fail(cli, "cannot write the answer: %s", strerror(-ret));
}

static bool parse_timeout(struct cli *cli, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < 1 || value > TIMEOUT_MAX)
		return cli_usage_error(cli, "-t \"%s\": not a number of seconds from 1 to %u", text,
				       TIMEOUT_MAX);
	cli->timeout = value;
	return true;
}

/* Its agent, and without it its device. */
static bool parse_gateway(struct cli *cli, const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || strpbrk(name, "/ "))
		return cli_usage_error(cli, "-g \"%s\": not the name of a gateway", name);
	cli->socket =
		control_default_path(name, cli->gateway_socket, sizeof(cli->gateway_socket));
	cli->device = name;
	return true;
}

static bool parse_option(struct cli *cli, int option, char **argv, char **words, size_t *n)
{
	switch (option) {
	case 'j':
		cli->json = true;
		return true;
	case 's':
		cli->socket = optarg;
		return true;
	case 'g':
		return parse_gateway(cli, optarg);
	case 't':
		return parse_timeout(cli, optarg);
	case 'd':
		cli->device = optarg;
		return true;
	case 'n':
		cli->dry_run = true;
		return true;
	case 'f':
		cli->force = true;
		return true;
	case 'v':
		cli->verbose = true;
		return true;
	case 'p':
		cli->profile = optarg;
		return true;
	case 'h':
	case 'V': /* instead of whatever words there are */
		words[0] = option == 'h' ? "help" : "version";
		*n = 1;
		return true;
	case ':':
		return cli_usage_error(cli, "option \"%s\" needs a value", argv[optind - 1]);
	default:
		return cli_usage_error(cli, "\"%s\": no such option, or not with this value",
				       argv[optind - 1]);
	}
}

/* Options may stand anywhere, so that they can be added to a line that is there already. */
static bool parse_line(struct cli *cli, int argc, char **argv, char **words, size_t *n)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "gateway", required_argument, NULL, 'g' },
		{ "timeout", required_argument, NULL, 't' },
		{ "device", required_argument, NULL, 'd' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "force", no_argument, NULL, 'f' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "profile", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	bool asked = false; /* by --help or --version: words do not matter any more */
	int option;

	optind = 0; /* a fresh start also for a second line in one process */
	opterr = 0;
	for (;;) {
		option = getopt_long(argc, argv, "+:js:g:t:d:nfvp:hV", options, NULL);
		if (option != -1) {
			if (!parse_option(cli, option, argv, words, n))
				return false;
			asked |= option == 'h' || option == 'V';
			continue;
		}
		if (optind >= argc)
			return true;
		if (*n == WORDS_MAX)
			return cli_usage_error(cli, "\"%s\": too many words", argv[optind]);
		if (!asked)
			words[(*n)++] = argv[optind];
		optind++;
	}
}

/* Options that only some verbs take: on others they would be a misunderstanding. */
static bool options_fit(struct cli *cli, const struct verb *verb)
{
	const char *option = cli->force ? "--force" : cli->verbose ? "--verbose" : NULL;

	if (cli->dry_run && !(verb->flags & VERB_DRY_RUN))
		return cli_usage_error(cli, "--dry-run: \"%s\" changes nothing anyway", verb->verb);
	if (option && !(verb->flags & VERB_CHECK))
		return cli_usage_error(cli, "%s: only \"check\" takes it", option);
	if (cli->profile && !(verb->flags & VERB_PROFILE))
		return cli_usage_error(cli, "--profile: only \"init\" takes it");
	return true;
}

static int run_request(struct cli *cli, struct request *request, char **words, size_t n)
{
	const struct verb *verb = request->verb;

	if (!options_fit(cli, verb))
		return CLI_USAGE;
	request->args = json_object();
	if (!request->args)
		return cli_fail(cli, "%s", strerror(ENOMEM));
	if (!verb->parse(cli, request, words, n))
		return CLI_USAGE;
	return verb->run(cli, request);
}

int cli_run(int argc, char **argv, const char *version, FILE *out, FILE *err)
{
	struct cli cli = {
		.version = version, .out = out, .err = err, .timeout = CLI_TIMEOUT,
	};
	struct request request = { 0 };
	char *words[WORDS_MAX];
	size_t n = 0, used = 0;
	int ret;

	cli.socket = control_default_path(NULL, cli.gateway_socket, sizeof(cli.gateway_socket));
	if (!parse_line(&cli, argc, argv, words, &n))
		return CLI_USAGE;
	request.verb = verb_find(&cli, words, n, &used);
	if (!request.verb)
		return CLI_USAGE;
	ret = run_request(&cli, &request, words + used, n - used);
	json_decref(request.args);
	return ret;
}
