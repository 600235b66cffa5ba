/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows go in, an answer comes out: text for people or JSON for programs.
 *
 * Promise: both back ends get exactly the same rows. JSON is the rows as they
 * are: one array, or one object where the verb answers with one thing; an
 * answer that broke off is left without its end, so that no reader takes it
 * for whole. Text has aligned columns, never passes control characters of a
 * value on to the terminal, and shows a missing or strange value as "-". Any
 * number of rows takes bounded memory.
 */
#ifndef VGW_VGWCTL_WRITER_H
#define VGW_VGWCTL_WRITER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define COLUMN_RIGHT 1u /* numbers: right-aligned in a table */
#define COLUMN_DETAIL 2u /* only in blocks */
#define COLUMN_TABLE 4u /* only in tables */

/*
 * One column of a table and one line of a block. key: path of the value in the
 * row, "ike.state"; "" for the row itself. format prints the value (NULL when
 * the row has none); printing nothing means "no value". Lines of a block's
 * value are separated by line feeds.
 */
struct column {
	const char *title;
	const char *key;
	void (*format)(FILE *out, const json_t *value, const json_t *row);
	unsigned int flags;
};

enum view_layout {
	VIEW_TABLE, /* a row is a line */
	VIEW_BLOCK, /* a row is a paragraph: the first column heads it */
	VIEW_STORY, /* story() tells it */
};

struct view {
	enum view_layout layout;
	const char *empty; /* what text says when there is no row, NULL for nothing */
	const struct column *columns; /* end with a NULL title */
	void (*story)(FILE *out, const json_t *row);
};

struct writer;

struct writer_ops {
	void (*row)(struct writer *writer, const json_t *row);
	void (*end)(struct writer *writer, bool whole);
};

struct writer {
	const struct writer_ops *ops;
	FILE *out;
	size_t rows;
	bool failed; /* no memory for something */
};

/* Rows that the text of a table is measured by; longer cells further down just stick out. */
#define WRITER_MEASURE_ROWS 512

/* NULL: no memory. out stays the caller's. detail: a table's rows as blocks. */
struct writer *writer_text_new(FILE *out, const struct view *view, bool detail);
struct writer *writer_json_new(FILE *out, bool object);
/* Without beginning or end: a line a row. */
struct writer *writer_lines_new(FILE *out);

void writer_row(struct writer *writer, const json_t *row);
/* Writes what is left and frees. whole: no more rows belong to the answer.
 * 0, -ENOMEM, or the negative errno of the output. */
int writer_end(struct writer *writer, bool whole);

/* The value at a path of keys with dots, NULL if there is none or it is null. */
const json_t *row_get(const json_t *row, const char *path);

#endif
