// SPDX-License-Identifier: GPL-2.0-only
/* Events, as a table of those that were and as lines of those that come. */
#include "vgwctl/views.h"

#include <inttypes.h>
#include <string.h>

#include "vgwctl/human.h"

static void put(FILE *out, const json_t *row, const char *key)
{
	human_any(out, row_get(row, key), row);
}

static uint64_t number(const json_t *row, const char *key)
{
	return (uint64_t)json_integer_value(row_get(row, key));
}

static bool is_consequence(const json_t *row)
{
	return row_get(row, "cause") && number(row, "cause") != number(row, "event");
}

/* "2026-01-31 12:00:00.123456" of vgwd's nanoseconds. */
static void event_time(FILE *out, const json_t *value, const json_t *row)
{
	const char *text = json_string_value(value);

	if (!text)
		return;
	if (strlen(text) < 26 || strspn(text, "0123456789-:.TZ") != strlen(text))
		human_escape(out, text);
	else
		fprintf(out, "%.10s %.15s", text, text + 11);
}

/* How long after its cause. */
static void event_after(FILE *out, const json_t *value, const json_t *row)
{
	uint64_t us = number(row, "after_ns") / 1000;

	if (is_consequence(row))
		fprintf(out, "+%" PRIu64 ".%03" PRIu64 " ms", us / 1000, us % 1000);
}

static void event_cause(FILE *out, const json_t *value, const json_t *row)
{
	if (is_consequence(row))
		human_any(out, value, row);
}

static const struct column timeline_columns[] = {
	{ "event", "event", human_any, COLUMN_RIGHT },
	{ "time (UTC)", "time", event_time, 0 },
	{ "cause", "cause", event_cause, COLUMN_RIGHT },
	{ "after", "after_ns", event_after, COLUMN_RIGHT },
	{ "object", "object", human_any, 0 },
	{ "what", "what", human_any, 0 },
	{ "why", "text", human_any, 0 },
	{ 0 },
};

const struct view view_timeline = { VIEW_TABLE, "nothing happened", timeline_columns, NULL };

static void monitor_story(FILE *out, const json_t *row)
{
	event_time(out, row_get(row, "time"), row);
	fprintf(out, " %" PRIu64, number(row, "event"));
	if (json_string_length(row_get(row, "object"))) {
		fputc(' ', out);
		put(out, row, "object");
	}
	fputc(' ', out);
	put(out, row, "what");
	if (json_string_length(row_get(row, "text"))) {
		fputs(": ", out);
		put(out, row, "text");
	}
	if (is_consequence(row)) {
		fprintf(out, " (by %" PRIu64 ", ", number(row, "cause"));
		event_after(out, NULL, row);
		fputc(')', out);
	}
	fputc('\n', out);
}

const struct view view_monitor = { VIEW_STORY, NULL, NULL, monitor_story };
