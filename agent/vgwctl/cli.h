/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vgwctl: one command line in, one answer out.
 *
 * Promise: exit status 0 the answer is there, 1 the answer is an error, 2 the
 * command line is wrong; answers go to out, everything else to err. Changes
 * nothing but by "reload", "drain" and "undrain".
 */
#ifndef VGW_VGWCTL_CLI_H
#define VGW_VGWCTL_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/control.h"
#include "vgwctl/module.h"
#include "vgwctl/writer.h"

#define CLI_TIMEOUT 10 /* seconds */

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli {
	const char *version;
	FILE *out, *err;
	bool json, dry_run, force, verbose;
	const char *profile; /* NULL: not given */
	const char *socket; /* of --socket, or of the gateway */
	char gateway_socket[CONTROL_PATH_SIZE];
	const char *device; /* NULL: every gateway */
	unsigned int timeout; /* seconds */
};

struct request;

#define VERB_OBJECT 1u /* the answer is one thing: JSON gives an object, not an array */
#define VERB_DRY_RUN 2u /* takes --dry-run */
#define VERB_CHECK 4u /* takes --force and --verbose */
#define VERB_PROFILE 8u /* takes --profile */
#define VERB_FOLLOW 16u /* goes on for ever: rows are told as they come, in JSON one a line */

/* One line of the table in verbs.c. */
struct verb {
	const char *verb, *object; /* object NULL: the verb has none */
	const char *operands; /* behind them, for help */
	const char *summary; /* one line, for help */
	unsigned int flags;
	/* Fills the request from the words behind verb and object. False: said why. */
	bool (*parse)(struct cli *cli, struct request *request, char **words, size_t n);
	/* Answers; returns an exit status. */
	int (*run)(struct cli *cli, struct request *request);
	const struct view *view;
	const char *const *match; /* paths that a filter is compared with, to the NULL */
	bool (*refused)(const json_t *row); /* such a row makes the answer an error */
	/* Answers from the module when vgwd is not running, NULL if that is not possible. */
	module_answer module;
};

struct request {
	const struct verb *verb;
	json_t *args; /* of the control protocol */
	const char *filter; /* compared here, or NULL */
	const char *operand; /* the word as given: file, address, prefix, verb */
	char *const *files; /* of check */
	size_t n_files;
};

/* Complete program; version is what "version" tells. */
int cli_run(int argc, char **argv, const char *version, FILE *out, FILE *err);

/* Prints "vgwctl: TEXT" and a pointer to help on err; returns false. */
bool cli_usage_error(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints "vgwctl: TEXT" on err; returns CLI_FAILED. */
int cli_fail(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct writer *cli_writer_new(struct cli *cli, const struct request *request);
/* Ends a whole answer and frees the writer; returns status, or CLI_FAILED if the output went
 * wrong. */
int cli_writer_end(struct cli *cli, struct writer *writer, int status);

/* answer.c: asks vgwd, else the module. The run() of most verbs. */
int answer_run(struct cli *cli, struct request *request);
/* check.c: checks request->files here, each alone and all together. */
int check_run(struct cli *cli, struct request *request);
/* init.c: writes a file to start from. */
int init_run(struct cli *cli, struct request *request);

/* verbs.c: the table, to a NULL verb, and what is in it by name; object may be NULL. */
extern const struct verb verbs[];
const struct verb *verb_find(struct cli *cli, char **words, size_t n, size_t *used);

#endif
