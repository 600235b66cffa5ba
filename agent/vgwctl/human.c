// SPDX-License-Identifier: GPL-2.0-only
/* Units, times and safe text. */
#include "vgwctl/human.h"

#include <inttypes.h>
#include <stdbool.h>

#define BROKEN UINT32_MAX

/* One character of UTF-8, or one byte that is none (BROKEN); returns its bytes. */
static unsigned int character(const char *text, uint32_t *code)
{
	const unsigned char *t = (const unsigned char *)text;
	unsigned int n = t[0] < 0x80 ? 1 : t[0] < 0xe0 ? 2 : t[0] < 0xf0 ? 3 : 4;

	*code = n == 1 ? t[0] : t[0] & (0xff >> (n + 1));
	for (unsigned int i = 1; i < n; i++) {
		if (t[0] < 0xc0 || (t[i] & 0xc0) != 0x80) {
			*code = BROKEN;
			return 1;
		}
		*code = *code << 6 | (t[i] & 0x3f);
	}
	return n;
}

/* What could move the cursor, colour the terminal or turn the text around. */
static bool harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
	       (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

void human_escape(FILE *out, const char *text)
{
	while (*text) {
		uint32_t code;
		unsigned int n = character(text, &code);

		if (code == BROKEN)
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else if (!harmful(code))
			fwrite(text, 1, n, out);
		else if (code < 0x100)
			fprintf(out, "\\x%02" PRIx32, code);
		else
			fprintf(out, "\\u{%" PRIx32 "}", code);
		text += n;
	}
}

/* Three digits are enough: "1.2" below ten, else none behind the point. */
static void scaled(FILE *out, uint64_t value, unsigned int base, const char *const *units)
{
	double v = value;
	unsigned int i = 0;

	while (v >= base && units[i + 1]) {
		v /= base;
		i++;
	}
	fprintf(out, v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[i]);
}

void human_bytes_put(FILE *out, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };

	if (bytes < 1024)
		fprintf(out, "%" PRIu64 " B", bytes);
	else
		scaled(out, bytes, 1024, units);
}

void human_count_put(FILE *out, uint64_t count)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E", NULL };

	if (count < 100000)
		fprintf(out, "%" PRIu64, count);
	else
		scaled(out, count, 1000, units);
}

void human_time_put(FILE *out, uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (ms < 1000)
		fprintf(out, "%" PRIu64 " ms", ms);
	else if (s < 60)
		fprintf(out, "%" PRIu64 " s", s);
	else if (s < 3600)
		fprintf(out, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		fprintf(out, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s % 3600 / 60);
	else
		fprintf(out, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s % 86400 / 3600);
}

static void any(FILE *out, const json_t *value)
{
	if (json_is_string(value))
		human_escape(out, json_string_value(value));
	else if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "yes" : "no", out);
	else if (json_is_real(value))
		fprintf(out, "%g", json_real_value(value));
}

static void list(FILE *out, const json_t *value, char separator)
{
	json_t *element;
	size_t i;

	json_array_foreach(value, i, element) {
		if (i)
			fputc(separator, out);
		any(out, element);
	}
}

void human_any(FILE *out, const json_t *value, const json_t *row)
{
	any(out, value);
	list(out, value, ' ');
}

void human_lines(FILE *out, const json_t *value, const json_t *row)
{
	list(out, value, '\n');
}

void human_bytes(FILE *out, const json_t *value, const json_t *row)
{
	if (json_is_integer(value))
		human_bytes_put(out, json_integer_value(value));
}

void human_count(FILE *out, const json_t *value, const json_t *row)
{
	if (json_is_integer(value))
		human_count_put(out, json_integer_value(value));
}

void human_time(FILE *out, const json_t *value, const json_t *row)
{
	if (json_is_integer(value))
		human_time_put(out, json_integer_value(value));
}

void human_hex(FILE *out, const json_t *value, const json_t *row)
{
	if (json_is_integer(value))
		fprintf(out, "0x%08" PRIx64, (uint64_t)json_integer_value(value));
	else
		any(out, value);
}

void human_unless_zero(FILE *out, const json_t *value, const json_t *row)
{
	if (json_is_integer(value) && json_integer_value(value) == 0)
		return;
	if (json_is_false(value))
		return;
	human_any(out, value, row);
}
