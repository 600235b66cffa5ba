// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of errors and warnings, kept in the order of the file.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_private.h"
#include "core/lint.h"

static bool after(const struct config_error *a, const struct config_error *b)
{
	if (a->line != b->line)
		return a->line > b->line;
	return a->column > b->column;
}

/* For want of memory for an entry: no tree and no error would be no answer. */
static struct config_error no_memory = { .text = "out of memory", .code = "NO_MEMORY" };

/* Room for one more at the place at; what was there and behind moves on. */
static struct config_error *insert(struct config_errors *errors, size_t at)
{
	struct config_error *list = realloc(errors->list, (errors->n + 1) * sizeof(*list));

	if (!list) {
		if (!errors->n)
			*errors = (struct config_errors){ &no_memory, 1 };
		return NULL;
	}
	errors->list = list;
	memmove(&list[at + 1], &list[at], (errors->n - at) * sizeof(*list));
	errors->n++;
	return &list[at];
}

/* The text may quote the file, so it goes through the escaping that makes it printable. */
void config_errors_add(struct config_errors *errors, const struct config_error *error,
		       const char *text)
{
	static const struct config_error more = { .code = "TOO_MANY" };
	struct config_error *e;
	size_t at = errors->n;

	if (errors->n >= CONFIG_ERRORS_MAX || errors->list == &no_memory)
		return;
	if (errors->n == CONFIG_ERRORS_MAX - 1) {
		error = &more;
		text = "there are more errors, correct these first";
	} else {
		while (at && after(&errors->list[at - 1], error))
			at--;
	}
	e = insert(errors, at);
	if (!e)
		return;
	*e = *error;
	log_escape((const uint8_t *)error->path, strlen(error->path), e->path, sizeof(e->path));
	log_escape((const uint8_t *)text, strlen(text), e->text, sizeof(e->text));
}

static void add(const struct config_parse *parse, struct config_errors *errors, const char *code,
		const char *path, const char *suffix, const char *fmt, va_list args)
{
	struct config_error error = { .code = code };
	char text[sizeof(error.text)];
	int n;

	config_locate(parse->root, path, &error.line, &error.column);
	snprintf(error.path, sizeof(error.path), "%s", path);
	n = vsnprintf(text, sizeof(text), fmt, args);
	if (n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, "%s", suffix);
	config_errors_add(errors, &error, text);
}

void config_fail(struct config_parse *parse, const char *code, const char *path, const char *fmt,
		 ...)
{
	va_list args;

	va_start(args, fmt);
	add(parse, parse->errors, code, path, "", fmt, args);
	va_end(args);
}

void config_fail_key(const struct config_place *place, const char *key, const char *code,
		     const char *fmt, ...)
{
	char path[CONFIG_PATH_SIZE];
	va_list args;

	snprintf(path, sizeof(path), "%s%s%s", place->path, *place->path ? "." : "", key);
	va_start(args, fmt);
	add(place->parse, place->parse->errors, code, path, "", fmt, args);
	va_end(args);
}

void config_warn(struct config_parse *parse, const char *code, const char *path, const char *fmt,
		 ...)
{
	va_list args;

	va_start(args, fmt);
	add(parse, &parse->config->warnings, code, path, "", fmt, args);
	va_end(args);
}

void config_fail_rule(struct config_parse *parse, const char *code, const char *path,
		      const char *fmt, ...)
{
	bool force = parse->config->gateway.force;
	va_list args;

	va_start(args, fmt);
	add(parse, force ? &parse->config->warnings : parse->errors, code, path,
	    force ? " (accepted because of gateway.force)" : "", fmt, args);
	va_end(args);
}

bool config_failed_at(const struct config_parse *parse, const char *path)
{
	for (size_t i = 0; i < parse->errors->n; i++)
		if (!strcmp(parse->errors->list[i].path, path))
			return true;
	return false;
}

void config_errors_free(struct config_errors *errors)
{
	if (errors->list != &no_memory)
		free(errors->list);
	errors->list = NULL;
	errors->n = 0;
}

const char *config_error_format(const char *file, const struct config_error *error, char *buf,
				size_t size)
{
	const struct lint_rule *rule = lint_rule_find(error->code);
	char position[32] = "";

	if (error->line)
		snprintf(position, sizeof(position), ":%u:%u", error->line, error->column);
	snprintf(buf, size, "%s%s: %s%s%s [%s%s%s]", file, position, error->path,
		 *error->path ? ": " : "", error->text, error->code, rule ? ", rule " : "",
		 rule ? rule->rule : "");
	return buf;
}
