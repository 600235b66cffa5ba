// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text: tables, blocks and stories. A table's first rows are kept until their
 * widths are known; what comes later is printed at once with these widths.
 */
#include "vgwctl/writer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32

struct text_writer {
	struct writer writer;
	const struct view *view;
	enum view_layout layout;
	const struct column *columns[COLUMNS_MAX]; /* those that the layout shows */
	size_t n_columns;
	size_t width[COLUMNS_MAX];
	char **cells; /* kept rows, n_columns each */
	size_t n_kept;
	bool one; /* asked for one thing: what is missing is an error of the caller's */
	bool measured; /* widths are fixed, nothing is kept any more */
};

static struct text_writer *text_writer(struct writer *writer)
{
	return (struct text_writer *)writer;
}

/* Columns that a text takes: characters, not bytes. */
static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void pad(FILE *out, size_t n)
{
	while (n--)
		fputc(' ', out);
}

/* NULL on no memory. */
static char *cell_new(const struct column *column, const json_t *row)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	column->format(out, row_get(row, column->key), row);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void table_heading(struct text_writer *text)
{
	FILE *out = text->writer.out;

	for (size_t i = 0; i < text->n_columns; i++) {
		const char *title = text->columns[i]->title;
		size_t gap = text->width[i] - text_width(title);
		bool right = text->columns[i]->flags & COLUMN_RIGHT;

		if (right)
			pad(out, gap);
		for (; *title; title++)
			fputc(toupper((unsigned char)*title), out);
		if (i + 1 == text->n_columns)
			break;
		pad(out, (right ? 0 : gap) + 2);
	}
	fputc('\n', out);
}

static void table_line(struct text_writer *text, char *const *cells)
{
	FILE *out = text->writer.out;

	for (size_t i = 0; i < text->n_columns; i++) {
		const char *cell = cells[i] && *cells[i] ? cells[i] : "-";
		size_t width = text_width(cell);
		size_t gap = text->width[i] > width ? text->width[i] - width : 0;
		bool right = text->columns[i]->flags & COLUMN_RIGHT;

		if (right)
			pad(out, gap);
		for (; *cell; cell++) /* a line feed would end the line early */
			fputc(*cell == '\n' ? ' ' : *cell, out);
		if (i + 1 < text->n_columns)
			pad(out, (right ? 0 : gap) + 2);
	}
	fputc('\n', out);
}

static void table_cells_free(struct text_writer *text, char **cells)
{
	for (size_t i = 0; i < text->n_columns; i++)
		free(cells[i]);
}

static void table_measure(struct text_writer *text, char *const *cells)
{
	for (size_t i = 0; i < text->n_columns; i++) {
		size_t width = cells[i] ? text_width(cells[i]) : 0;

		if (width > text->width[i])
			text->width[i] = width;
	}
}

static void table_flush(struct text_writer *text)
{
	table_heading(text);
	for (size_t i = 0; i < text->n_kept; i++) {
		table_line(text, &text->cells[i * text->n_columns]);
		table_cells_free(text, &text->cells[i * text->n_columns]);
	}
	free(text->cells);
	text->cells = NULL;
	text->n_kept = 0;
	text->measured = true;
}

static void table_row(struct text_writer *text, const json_t *row)
{
	char *cells[COLUMNS_MAX];

	for (size_t i = 0; i < text->n_columns; i++) {
		cells[i] = cell_new(text->columns[i], row);
		text->writer.failed |= !cells[i];
	}
	if (!text->measured && !text->cells)
		text->cells = calloc(WRITER_MEASURE_ROWS * text->n_columns, sizeof(char *));
	if (text->measured || !text->cells) {
		text->writer.failed |= !text->measured;
		table_line(text, cells);
		table_cells_free(text, cells);
		return;
	}
	table_measure(text, cells);
	memcpy(&text->cells[text->n_kept++ * text->n_columns], cells,
	       text->n_columns * sizeof(char *));
	if (text->n_kept == WRITER_MEASURE_ROWS)
		table_flush(text);
}

/* The lines of a value, the second and later ones below the first. */
static void block_value(FILE *out, const char *value, size_t indent)
{
	for (; *value; value++) {
		fputc(*value, out);
		if (*value == '\n')
			pad(out, indent);
	}
	fputc('\n', out);
}

static void block_row(struct text_writer *text, const json_t *row)
{
	FILE *out = text->writer.out;
	size_t width = 0;

	if (text->writer.rows)
		fputc('\n', out);
	for (size_t i = 1; i < text->n_columns; i++)
		if (text_width(text->columns[i]->title) > width)
			width = text_width(text->columns[i]->title);
	for (size_t i = 0; i < text->n_columns; i++) {
		const char *title = text->columns[i]->title;
		char *cell = cell_new(text->columns[i], row);

		if (!cell) {
			text->writer.failed = true;
		} else if (i == 0) {
			fprintf(out, "%s %s\n", title, *cell ? cell : "-");
		} else if (*cell) {
			fprintf(out, "  %s", title);
			pad(out, width - text_width(title) + 2);
			block_value(out, cell, width + 4);
		}
		free(cell);
	}
}

static void text_writer_row(struct writer *writer, const json_t *row)
{
	struct text_writer *text = text_writer(writer);

	if (text->layout == VIEW_TABLE)
		table_row(text, row);
	else if (text->layout == VIEW_BLOCK)
		block_row(text, row);
	else
		text->view->story(writer->out, row);
}

static void text_writer_end(struct writer *writer, bool whole)
{
	struct text_writer *text = text_writer(writer);

	if (text->n_kept)
		table_flush(text);
	free(text->cells);
	if (whole && !writer->rows && !text->one && text->view->empty)
		fprintf(writer->out, "%s\n", text->view->empty);
}

static const struct writer_ops text_writer_ops = { text_writer_row, text_writer_end };

struct writer *writer_text_new(FILE *out, const struct view *view, bool detail)
{
	struct text_writer *text = calloc(1, sizeof(*text));
	unsigned int hidden;

	if (!text)
		return NULL;
	text->writer.ops = &text_writer_ops;
	text->writer.out = out;
	text->view = view;
	text->one = detail;
	text->layout = detail && view->layout == VIEW_TABLE ? VIEW_BLOCK : view->layout;
	hidden = text->layout == VIEW_BLOCK ? COLUMN_TABLE : COLUMN_DETAIL;
	for (const struct column *c = view->columns; c && c->title; c++) {
		if (c->flags & hidden || text->n_columns == COLUMNS_MAX)
			continue;
		text->width[text->n_columns] = text_width(c->title);
		text->columns[text->n_columns++] = c;
	}
	return &text->writer;
}
