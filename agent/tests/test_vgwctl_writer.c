// SPDX-License-Identifier: GPL-2.0-only
/* The two back ends of the writer, units, and views given rows that make no sense. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vgwctl/human.h"
#include "vgwctl/views.h"
#include "vgwctl/writer.h"

static void twice(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	human_any(out, value, row);
}

static const struct column columns[] = {
	{ "name", "name", human_any, 0 },
	{ "n", "deep.n", human_any, COLUMN_RIGHT },
	{ "only table", "x", twice, COLUMN_TABLE },
	{ "only block", "lines", human_lines, COLUMN_DETAIL },
	{ "last", "last", human_any, 0 },
	{ 0 },
};

static const struct view table = { VIEW_TABLE, "nothing here", columns, NULL };

/* Rows (a JSON array) through a writer; returns its text. */
static char *written(bool json, bool special, const struct view *view, const char *rows, bool whole)
{
	json_t *list = json_loads(rows, 0, NULL), *row;
	struct writer *writer;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(list);
	writer = json ? writer_json_new(out, special) : writer_text_new(out, view, special);
	json_array_foreach(list, i, row)
		writer_row(writer, row);
	assert_int_equal(writer_end(writer, whole), 0);
	fclose(out);
	json_decref(list);
	return text;
}

static void expect(bool json, bool special, const char *rows, bool whole, const char *text)
{
	char *told = written(json, special, &table, rows, whole);

	assert_string_equal(told, text);
	free(told);
}

static const char two[] =
	"[{\"name\":\"a\",\"deep\":{\"n\":5},\"x\":\"x\",\"lines\":[\"l1\",\"l2\"],\"last\":true},"
	"{\"name\":\"z\\u00fcrich\",\"deep\":{\"n\":12345},\"x\":null,\"lines\":[]}]";

static void test_table(void **state)
{
	(void)state;
	expect(false, false, two, true,
	       "NAME        N  ONLY TABLE  LAST\n"
	       "a           5  xx          yes\n"
	       "z\xc3\xbcrich  12345  -           -\n");
	expect(false, false, "[]", true, "nothing here\n");
	expect(false, false, "[]", false, "");
	expect(false, false, "[{\"name\":\"a\\nb\"},7,null]", true,
	       "NAME    N  ONLY TABLE  LAST\n"
	       "a\\x0ab  -  -           -\n"
	       "-       -  -           -\n"
	       "-       -  -           -\n");
}

static void test_block(void **state)
{
	(void)state;
	expect(false, true, two, true,
	       "name a\n"
	       "  n           5\n"
	       "  only block  l1\n"
	       "              l2\n"
	       "  last        yes\n"
	       "\n"
	       "name z\xc3\xbcrich\n"
	       "  n           12345\n");
	expect(false, true, "[]", true, ""); /* whoever asked for one says what is missing */
}

static void test_json(void **state)
{
	(void)state;
	expect(true, false, "[]", true, "[]\n");
	expect(true, false, "[]", false, "");
	expect(true, false, "[{\"b\":1,\"a\":null}]", true, "[\n{\"b\":1,\"a\":null}\n]\n");
	expect(true, false, "[1,[2],\"x\"]", true, "[\n1,\n[2],\n\"x\"\n]\n");
	expect(true, false, "[1]", false, "[\n1");
	expect(true, true, "[{\"a\":1},{\"a\":2}]", true, "{\"a\":1}\n");
	expect(true, true, "[]", true, "");
}

/* Far more rows than are kept: each comes out, in order; what is wider later sticks out. */
static void test_many_rows(void **state)
{
	char *text = NULL, *line, *save = NULL;
	size_t size, n = 0;
	FILE *out = open_memstream(&text, &size);
	struct writer *writer = writer_text_new(out, &table, false);

	(void)state;
	for (int i = 0; i < 3 * WRITER_MEASURE_ROWS; i++) {
		json_t *row = json_pack("{s:s, s:{s:i}}", "name",
					i == 2 * WRITER_MEASURE_ROWS ? "wider" : "x", "deep", "n",
					i);

		writer_row(writer, row);
		json_decref(row);
		fflush(out);
		if (i < WRITER_MEASURE_ROWS - 1)
			assert_int_equal(size, 0);
		else
			assert_int_not_equal(size, 0);
	}
	assert_int_equal(writer_end(writer, true), 0);
	fclose(out);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), n++) {
		char expected[64];

		if (n == 0)
			continue; /* heading */
		snprintf(expected, sizeof(expected), "%-4s  %3zu  -           -",
			 n - 1 == 2 * WRITER_MEASURE_ROWS ? "wider" : "x", n - 1);
		assert_string_equal(line, expected);
	}
	assert_int_equal(n, 3 * WRITER_MEASURE_ROWS + 1);
	free(text);
}

static void test_output_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct writer *writer;
	json_t *row = json_pack("{s:s}", "name", "x");

	(void)state;
	if (!full)
		skip();
	for (int i = 0; i < 2; i++) {
		clearerr(full);
		writer = i ? writer_json_new(full, false) : writer_text_new(full, &table, false);
		writer_row(writer, row);
		assert_int_equal(writer_end(writer, true), -ENOSPC);
	}
	json_decref(row);
	fclose(full);
}

static void shown(void (*put)(FILE *out, uint64_t value), uint64_t value, const char *text)
{
	char *told = NULL;
	size_t size;
	FILE *out = open_memstream(&told, &size);

	put(out, value);
	fclose(out);
	assert_string_equal(told, text);
	free(told);
}

static void test_units(void **state)
{
	(void)state;
	shown(human_bytes_put, 0, "0 B");
	shown(human_bytes_put, 1023, "1023 B");
	shown(human_bytes_put, 1024, "1.0 KiB");
	shown(human_bytes_put, 10189, "10 KiB"); /* not "10.0" */
	shown(human_bytes_put, 1536 * 1024, "1.5 MiB");
	shown(human_bytes_put, UINT64_MAX, "16 EiB");
	shown(human_count_put, 99999, "99999");
	shown(human_count_put, 100000, "100 k");
	shown(human_count_put, 1500000, "1.5 M");
	shown(human_count_put, UINT64_MAX, "18 E");
	shown(human_time_put, 0, "0 ms");
	shown(human_time_put, 999, "999 ms");
	shown(human_time_put, 1000, "1 s");
	shown(human_time_put, 59999, "59 s");
	shown(human_time_put, 60000, "1m 0s");
	shown(human_time_put, 3599999, "59m 59s");
	shown(human_time_put, 3600000, "1h 0m");
	shown(human_time_put, 86400000, "1d 0h");
	shown(human_time_put, UINT64_MAX, "213503982334d 14h");
}

static void escaped(const char *text, const char *expected)
{
	char *told = NULL;
	size_t size;
	FILE *out = open_memstream(&told, &size);

	human_escape(out, text);
	fclose(out);
	assert_string_equal(told, expected);
	free(told);
}

/* Nothing that a peer can make us print changes the terminal. */
static void test_escapes(void **state)
{
	(void)state;
	escaped("plain, z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80",
		"plain, z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80");
	escaped("\x1b[2J\a\r\n\t\x7f", "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f");
	escaped("\xc2\x9b" "31m", "\\x9b31m"); /* one-byte CSI */
	escaped("a\xe2\x80\xae" "b\xe2\x81\xa6", "a\\u{202e}b\\u{2066}");
	escaped("cut \xe2\x82", "cut \\xe2\\x82"); /* and no reading past the end */
	escaped("\x80\xff" "a", "\\x80\\xffa");
}

/* A row as it should be, from which strange ones are made. */
static const char *const samples[] = {
	"{\"name\":\"x\",\"ifindex\":1,\"if_id\":1,\"state\":\"up\",\"ike\":{\"state\":\"s\","
	"\"since_ms\":1,\"attempts\":1,\"retry_ms\":1,\"last_error\":\"e\",\"ike_cipher\":\"c\","
	"\"child_cipher\":\"c\",\"rekeys\":1},\"spi\":1,\"mtu\":1,\"reason\":\"r\","
	"\"tx_packets\":1,\"tx_bytes\":1,\"tx_errors\":1,\"last_rx_ms\":1,\"rx_refused\":1}",
	"{\"name\":\"x\",\"uptime_ms\":1,\"quota\":1,\"quota_used\":1,\"refused\":1,"
	"\"auto_advertise\":true,\"published\":1,\"guard\":[\"a\"],\"warnings\":[\"a\"],"
	"\"stats\":{\"tx_packets\":1,\"failover\":1,\"drop_miss\":1},\"generation_open\":true}",
	"{\"peer\":\"p\",\"since_ms\":1,\"families\":[\"ipv4\"],\"end_of_rib\":{\"sent\":[\"i\"],"
	"\"received\":[]},\"last_error\":\"x\",\"last_code\":1,\"last_subcode\":1,\"stale\":true}",
	"{\"prefix\":\"p\",\"installed\":true,\"effective\":true,\"next_hops\":[{\"tunnel\":\"t\","
	"\"weight\":2}],\"paths\":[{\"tunnel\":\"t\",\"as_path\":\"1\",\"local_pref\":1,\"med\":1,"
	"\"reason\":\"r\",\"step\":\"s\",\"stale\":true,\"since_ms\":1}],\"refused_error\":\"x\"}",
	"{\"id\":1,\"live\":1,\"buckets\":1,\"members\":[{\"tunnel\":\"t\",\"live\":true}]}",
	"{\"destination\":\"d\",\"verdict\":\"v\",\"text\":\"t\",\"hash\":1,\"tunnel\":\"t\","
	"\"candidates\":[{\"prefix\":\"p\",\"group\":1,\"tunnels\":[\"t\"]}],\"guard\":\"g\","
	"\"kernel\":{\"prefix\":\"p\",\"dev\":\"d\",\"note\":\"n\"},\"steps\":[\"s\"]}",
	"{\"kind\":\"k\",\"object\":\"o\",\"name\":\"n\",\"detail\":\"d\",\"code\":\"c\"}",
};

static const char *const strange[] = {
	"null", "0", "-1", "9223372036854775807", "1.5", "\"\"", "\"x\"", "true", "false", "[]",
	"{}", "[[]]", "[{}]", "[null]", "{\"x\":{}}",
};

/* Replaces the n-th value met in the tree; returns how many there are. */
static size_t replace(json_t *value, size_t at, size_t n, json_t *by)
{
	const char *key;
	json_t *child;
	void *tmp;
	size_t i;

	json_object_foreach_safe(value, tmp, key, child) {
		at = replace(child, at, n, by);
		if (at++ == n)
			json_object_set(value, key, by);
	}
	json_array_foreach(value, i, child) {
		at = replace(child, at, n, by);
		if (at++ == n)
			json_array_set(value, i, by);
	}
	return at;
}

static void render_everywhere(const json_t *row)
{
	static const struct view *const views[] = {
		&view_gateway, &view_tunnels, &view_peers,   &view_routes,
		&view_groups,  &view_explain, &view_reload, &view_version, &view_warnings,
	};

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		for (int detail = 0; detail < 2; detail++) {
			char *text = NULL;
			size_t size;
			FILE *out = open_memstream(&text, &size);
			struct writer *writer = writer_text_new(out, views[i], detail);

			writer_row(writer, row);
			assert_int_equal(writer_end(writer, true), 0);
			fclose(out);
			assert_true(size > 0);
			free(text);
		}
	}
}

static void test_rows_of_another_world(void **state)
{
	(void)state;
	for (size_t s = 0; s < sizeof(samples) / sizeof(samples[0]); s++) {
		for (size_t b = 0; b < sizeof(strange) / sizeof(strange[0]); b++) {
			json_t *by = json_loads(strange[b], JSON_DECODE_ANY, NULL);
			size_t n = 0, total;

			do {
				json_t *row = json_loads(samples[s], 0, NULL);

				assert_non_null(row);
				total = replace(row, 0, n, by);
				render_everywhere(row);
				json_decref(row);
			} while (++n < total);
			render_everywhere(by);
			json_decref(by);
		}
	}
}

/* A private line's peer and route stand where a tunnel's do, and say what they are. */
static void test_line_rows(void **state)
{
	char *text = written(false, false, &view_peers,
			     "[{\"peer\":\"10.9.0.2\",\"tunnel\":null,\"line\":\"l1\"},"
			     "{\"peer\":\"169.254.10.2\",\"tunnel\":\"t1\",\"line\":null}]",
			     true);

	assert_non_null(strstr(text, "\n10.9.0.2      l1 (line)  "));
	assert_non_null(strstr(text, "\n169.254.10.2  t1         "));
	free(text);
	text = written(false, true, &view_routes,
		       "[{\"prefix\":\"10.1.0.0/16\",\"class\":\"line\",\"installed\":true,"
		       "\"effective\":true,\"published\":true,\"next_hops\":[{\"line\":\"l1\","
		       "\"weight\":1}],\"paths\":[{\"line\":\"l1\",\"as_path\":\"65010\","
		       "\"origin\":\"igp\",\"next_hop\":\"10.9.0.2\"}]}]",
		       true);
	assert_non_null(strstr(text, "next hops  l1, weight 1\n"));
	assert_non_null(strstr(text, "l1: path 65010, origin igp, next hop 10.9.0.2"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_rows),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_output_error),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_rows_of_another_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
