// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text as a tree of positions: libcyaml tells nobody where a value stood,
 * so libyaml reads the same text once more and keeps line and column.
 *
 * This stage also owns the YAML subset: one document, plain nesting, no
 * anchors and aliases (a few bytes of them make a tree of any size).
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/config_private.h"

#define DEPTH_MAX 16 /* the schema needs 6 */

struct builder {
	yaml_parser_t parser;
	struct config_errors *errors;
	struct config_node *root;
	struct config_node *stack[DEPTH_MAX];
	unsigned int depth;
	/* A key that waits for its value. */
	char *key;
	size_t key_len;
	unsigned int key_line, key_column;
	unsigned int documents;
};

static unsigned int position(size_t zero_based)
{
	return zero_based >= UINT_MAX ? UINT_MAX : (unsigned int)zero_based + 1;
}

static void fail(struct builder *b, const yaml_mark_t *mark, const char *text)
{
	struct config_error error = { .code = "SYNTAX" };

	if (mark) {
		error.line = position(mark->line);
		error.column = position(mark->column);
	}
	config_errors_add(b->errors, &error, text);
}

static char *copy(const yaml_char_t *text, size_t len)
{
	char *out = malloc(len + 1);

	if (!out)
		return NULL;
	memcpy(out, text, len);
	out[len] = '\0';
	return out;
}

static struct config_node *node_new(enum config_node_kind kind, const yaml_mark_t *mark)
{
	struct config_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->line = position(mark->line);
	node->column = position(mark->column);
	return node;
}

/* Depth is bounded by DEPTH_MAX, so is the recursion. */
void config_node_free(struct config_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->n; i++) {
		free(node->entries[i].key);
		config_node_free(node->entries[i].value);
	}
	free(node->entries);
	free(node->text);
	free(node);
}

static bool grow(struct config_node *node)
{
	size_t room = node->room ? node->room * 2 : 8;
	struct config_entry *entries;

	if (node->n < node->room)
		return true;
	entries = reallocarray(node->entries, room, sizeof(*entries));
	if (!entries)
		return false;
	node->entries = entries;
	node->room = room;
	return true;
}

static bool attach(struct builder *b, struct config_node *node)
{
	struct config_node *parent = b->depth ? b->stack[b->depth - 1] : NULL;
	struct config_entry *entry;

	if (!parent) {
		b->root = node;
		return true;
	}
	if (!grow(parent)) {
		fail(b, NULL, "out of memory");
		config_node_free(node);
		return false;
	}
	entry = &parent->entries[parent->n++];
	*entry = (struct config_entry){ .line = node->line, .column = node->column, .value = node };
	if (parent->kind == CONFIG_NODE_MAPPING) {
		entry->key = b->key;
		entry->key_len = b->key_len;
		entry->line = b->key_line;
		entry->column = b->key_column;
		b->key = NULL;
	}
	return true;
}

static bool key_expected(const struct builder *b)
{
	return b->depth && b->stack[b->depth - 1]->kind == CONFIG_NODE_MAPPING && !b->key;
}

static bool on_scalar(struct builder *b, const yaml_event_t *event)
{
	size_t len = event->data.scalar.length;
	char *text = copy(event->data.scalar.value, len);
	struct config_node *node;

	if (text && key_expected(b)) {
		b->key = text;
		b->key_len = len;
		b->key_line = position(event->start_mark.line);
		b->key_column = position(event->start_mark.column);
		return true;
	}
	node = text ? node_new(CONFIG_NODE_SCALAR, &event->start_mark) : NULL;
	if (!node) {
		free(text);
		fail(b, NULL, "out of memory");
		return false;
	}
	node->text = text;
	node->len = len;
	return attach(b, node);
}

static bool on_start(struct builder *b, const yaml_event_t *event, enum config_node_kind kind)
{
	struct config_node *node;

	if (key_expected(b)) {
		fail(b, &event->start_mark, "a key must be a plain word");
		return false;
	}
	if (b->depth == DEPTH_MAX) {
		fail(b, &event->start_mark, "nested too deeply");
		return false;
	}
	node = node_new(kind, &event->start_mark);
	if (!node) {
		fail(b, NULL, "out of memory");
		return false;
	}
	if (!attach(b, node))
		return false;
	b->stack[b->depth++] = node;
	return true;
}

static bool on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (!b->documents++)
			return true;
		fail(b, &event->start_mark, "one document is expected, here starts a second one");
		return false;
	case YAML_ALIAS_EVENT:
		fail(b, &event->start_mark,
		     "aliases (*name) are not supported, write the value out");
		return false;
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, event, CONFIG_NODE_MAPPING);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, event, CONFIG_NODE_SEQUENCE);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return true;
	default:
		return true;
	}
}

/* Bytes that are no text come with an offset only. */
static void on_parser_error(struct builder *b, const char *text, size_t len)
{
	yaml_mark_t mark = b->parser.problem_mark;
	char message[200];

	if (b->parser.error == YAML_MEMORY_ERROR) {
		fail(b, NULL, "out of memory");
		return;
	}
	if (b->parser.error == YAML_READER_ERROR) {
		mark = (yaml_mark_t){ 0 };
		for (size_t i = 0; i < b->parser.problem_offset && i < len; i++) {
			mark.column = text[i] == '\n' ? 0 : mark.column + 1;
			mark.line += text[i] == '\n';
		}
	}
	snprintf(message, sizeof(message), "not YAML: %s%s%s",
		 b->parser.context ? b->parser.context : "", b->parser.context ? ", " : "",
		 b->parser.problem ? b->parser.problem : "unreadable");
	fail(b, &mark, message);
}

static bool build(struct builder *b, const char *text, size_t len)
{
	yaml_event_t event;
	bool end, ok;

	do {
		if (!yaml_parser_parse(&b->parser, &event)) {
			on_parser_error(b, text, len);
			return false;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		ok = on_event(b, &event);
		yaml_event_delete(&event);
	} while (ok && !end);
	return ok;
}

struct config_node *config_node_parse(const char *text, size_t len, struct config_errors *errors)
{
	struct builder b = { .errors = errors };
	bool ok;

	if (!yaml_parser_initialize(&b.parser)) {
		fail(&b, NULL, "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, len);
	ok = build(&b, text, len);
	yaml_parser_delete(&b.parser);
	free(b.key);
	if (ok && !b.root)
		fail(&b, NULL, "the file is empty");
	if (ok)
		return b.root;
	config_node_free(b.root);
	return NULL;
}

/* Takes one step of a path; advances *path behind it. NULL: nothing there. */
static const struct config_node *step(const struct config_node *node, const char **path)
{
	size_t n, index;
	char *end;

	if (**path == '[') {
		index = strtoul(*path + 1, &end, 10);
		*path = end + (*end == ']');
		if (node->kind != CONFIG_NODE_SEQUENCE || index >= node->n)
			return NULL;
		return node->entries[index].value;
	}
	*path += **path == '.';
	n = strcspn(*path, ".[");
	if (node->kind != CONFIG_NODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < node->n; i++) {
		const struct config_entry *entry = &node->entries[i];

		if (entry->key_len == n && !memcmp(entry->key, *path, n)) {
			*path += n;
			return entry->value;
		}
	}
	return NULL;
}

void config_locate(const struct config_node *root, const char *path, unsigned int *line,
		   unsigned int *column)
{
	const struct config_node *node = root, *next;

	*line = 0;
	*column = 0;
	if (!root)
		return;
	while (*path && (next = step(node, &path)))
		node = next;
	*line = node->line;
	*column = node->column;
}
