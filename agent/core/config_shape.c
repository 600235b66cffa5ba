// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree against the schema: unknown and doubled keys, a list where a value
 * belongs, empty values, bytes that are no text. Walks libcyaml's own tables,
 * so there is one list of keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_private.h"

#define TYPO_DISTANCE 2 /* letters that a mistyped key may differ by */
#define KEY_LEN_MAX 32

struct shape {
	struct config_parse *parse;
	bool readable; /* by libcyaml */
};

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edit distance. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[KEY_LEN_MAX + 1], diagonal, above;
	size_t n = strlen(a), m = strlen(b);

	if (n > KEY_LEN_MAX || m > KEY_LEN_MAX)
		return KEY_LEN_MAX;
	for (unsigned int j = 0; j <= m; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= n; i++) {
		diagonal = row[0];
		row[0] = i;
		for (unsigned int j = 1; j <= m; j++) {
			above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}

static const cyaml_schema_field_t *closest(const cyaml_schema_field_t *fields, const char *key)
{
	const cyaml_schema_field_t *best = NULL;
	unsigned int least = TYPO_DISTANCE + 1, d;

	for (; fields->key; fields++) {
		d = distance(fields->key, key);
		if (d < least && d < strlen(fields->key)) {
			least = d;
			best = fields;
		}
	}
	return best;
}

static void list_keys(const cyaml_schema_field_t *fields, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (; fields->key && n < size; fields++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", fields->key);
}

static void join(char *out, size_t size, const char *path, const char *key)
{
	snprintf(out, size, "%s%s%.*s", path, *path ? "." : "", KEY_LEN_MAX, key);
}

/* At the key, not at its value. */
static void fail_entry(struct shape *s, const struct config_entry *entry, const char *code,
		       const char *path, const char *text)
{
	struct config_error error = { .line = entry->line, .column = entry->column, .code = code };

	join(error.path, sizeof(error.path), path, entry->key);
	config_errors_add(s->parse->errors, &error, text);
}

static void fail_unknown(struct shape *s, const struct config_entry *entry,
			 const cyaml_schema_field_t *fields, const char *path)
{
	const cyaml_schema_field_t *meant = closest(fields, entry->key);
	char known[240], text[320];

	if (!strcmp(entry->key, "local-asn")) {
		fail_entry(s, entry, "LOCAL_ASN_MISMATCH", path,
			   "all BGP connections of a gateway use one local ASN, or the sites see "
			   "one gateway as several systems and its loop protection ends: "
			   "set gateway.local-asn");
		return;
	}
	list_keys(fields, known, sizeof(known));
	if (meant)
		snprintf(text, sizeof(text), "unknown key \"%.*s\", did you mean \"%s\"?",
			 KEY_LEN_MAX, entry->key, meant->key);
	else
		snprintf(text, sizeof(text), "unknown key \"%.*s\"; known here: %s", KEY_LEN_MAX,
			 entry->key, known);
	fail_entry(s, entry, "UNKNOWN_KEY", path, text);
}

static bool is_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static void check_value(struct shape *s, const struct config_node *node,
			const cyaml_schema_value_t *schema, const char *path);

static void check_entry(struct shape *s, const struct config_node *node, size_t i,
			const cyaml_schema_field_t *fields, const char *path)
{
	const struct config_entry *entry = &node->entries[i];
	const cyaml_schema_field_t *field = fields;
	char inner[CONFIG_PATH_SIZE];

	/* Full of errors: do not compare each of a million keys with all others. */
	if (s->parse->errors->n >= CONFIG_ERRORS_MAX)
		return;
	if (!is_text(entry->key, entry->key_len)) {
		s->readable = false;
		fail_entry(s, entry, "VALUE", path, "the key has control characters");
		return;
	}
	for (size_t j = 0; j < i; j++) {
		if (strcmp(node->entries[j].key, entry->key))
			continue;
		s->readable = false;
		fail_entry(s, entry, "DUPLICATE_KEY", path, "the key is given twice");
		return;
	}
	while (field->key && strcmp(field->key, entry->key))
		field++;
	if (!field->key) {
		fail_unknown(s, entry, fields, path);
		return;
	}
	join(inner, sizeof(inner), path, entry->key);
	check_value(s, entry->value, &field->value, inner);
}

static void check_scalar(struct shape *s, const struct config_node *node, const char *path)
{
	if (!is_text(node->text, node->len)) {
		s->readable = false;
		config_fail(s->parse, "VALUE", path, "the value has control characters");
	} else if (!node->len) {
		config_fail(s->parse, "NO_VALUE", path,
			    "no value; leave the key out to get the default");
	}
}

static const char *describe(const struct config_node *node)
{
	if (node->kind == CONFIG_NODE_MAPPING)
		return "a mapping (key: value)";
	if (node->kind == CONFIG_NODE_SEQUENCE)
		return "a list";
	return node->len ? "a single value" : "nothing";
}

static bool kind_is(struct shape *s, const struct config_node *node, enum config_node_kind kind,
		    const char *path)
{
	static const char *const wanted[] = {
		[CONFIG_NODE_SCALAR] = "a single value",
		[CONFIG_NODE_MAPPING] = "a mapping (key: value, or {} for defaults)",
		[CONFIG_NODE_SEQUENCE] = "a list (- value, or [] for none)",
	};

	if (node->kind == kind)
		return true;
	s->readable = false;
	config_fail(s->parse, "TYPE", path, "%s is expected here, found %s", wanted[kind],
		    describe(node));
	return false;
}

/* Recursion as deep as the schema. */
static void check_value(struct shape *s, const struct config_node *node,
			const cyaml_schema_value_t *schema, const char *path)
{
	char inner[CONFIG_PATH_SIZE];

	switch (schema->type) {
	case CYAML_MAPPING:
		if (!kind_is(s, node, CONFIG_NODE_MAPPING, path))
			return;
		for (size_t i = 0; i < node->n; i++)
			check_entry(s, node, i, schema->mapping.fields, path);
		return;
	case CYAML_SEQUENCE:
		if (!kind_is(s, node, CONFIG_NODE_SEQUENCE, path))
			return;
		for (size_t i = 0; i < node->n; i++) {
			snprintf(inner, sizeof(inner), "%.100s[%zu]", path, i);
			check_value(s, node->entries[i].value, schema->sequence.entry, inner);
		}
		return;
	default:
		if (kind_is(s, node, CONFIG_NODE_SCALAR, path))
			check_scalar(s, node, path);
	}
}

bool config_shape_check(struct config_parse *parse)
{
	struct shape shape = { .parse = parse, .readable = true };

	check_value(&shape, parse->root, &config_schema, "");
	return shape.readable;
}
