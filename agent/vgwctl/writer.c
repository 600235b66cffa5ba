// SPDX-License-Identifier: GPL-2.0-only
/* What both back ends share, and the JSON one. */
#include "vgwctl/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct json_writer {
	struct writer writer;
	bool object; /* the answer is one row, not a list */
};

const json_t *row_get(const json_t *row, const char *path)
{
	while (row && *path) {
		size_t len = strcspn(path, ".");

		row = json_object_getn(row, path, len);
		path += len + (path[len] == '.');
	}
	return json_is_null(row) ? NULL : row;
}

void writer_row(struct writer *writer, const json_t *row)
{
	writer->ops->row(writer, row);
	writer->rows++;
}

int writer_end(struct writer *writer, bool whole)
{
	bool failed;
	int ret = 0;

	writer->ops->end(writer, whole);
	failed = writer->failed;
	errno = 0;
	if (fflush(writer->out) || ferror(writer->out))
		ret = errno ? -errno : -EIO;
	free(writer);
	return failed ? -ENOMEM : ret;
}

static void json_writer_row(struct writer *writer, const json_t *row)
{
	struct json_writer *json = (struct json_writer *)writer;

	if (json->object && writer->rows)
		return;
	if (!json->object)
		fputs(writer->rows ? ",\n" : "[\n", writer->out);
	if (json_dumpf(row, writer->out, JSON_COMPACT | JSON_ENCODE_ANY) && !ferror(writer->out))
		writer->failed = true;
}

static void json_writer_end(struct writer *writer, bool whole)
{
	struct json_writer *json = (struct json_writer *)writer;

	if (json->object) {
		if (writer->rows)
			fputc('\n', writer->out);
	} else if (whole) {
		fputs(writer->rows ? "\n]\n" : "[]\n", writer->out);
	}
}

static void lines_writer_row(struct writer *writer, const json_t *row)
{
	if (json_dumpf(row, writer->out, JSON_COMPACT | JSON_ENCODE_ANY) && !ferror(writer->out))
		writer->failed = true;
	fputc('\n', writer->out);
}

static void lines_writer_end(struct writer *writer, bool whole)
{
	(void)writer;
	(void)whole;
}

static const struct writer_ops lines_writer_ops = { lines_writer_row, lines_writer_end };

struct writer *writer_lines_new(FILE *out)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->ops = &lines_writer_ops;
	writer->out = out;
	return writer;
}

static const struct writer_ops json_writer_ops = { json_writer_row, json_writer_end };

struct writer *writer_json_new(FILE *out, bool object)
{
	struct json_writer *json = calloc(1, sizeof(*json));

	if (!json)
		return NULL;
	json->writer.ops = &json_writer_ops;
	json->writer.out = out;
	json->object = object;
	return &json->writer;
}
