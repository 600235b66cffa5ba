// SPDX-License-Identifier: GPL-2.0-only
/* The list of targets, and what they share. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct fuzz_target *const fuzz_targets[] = {
	&fuzz_open, &fuzz_update,  &fuzz_notification, &fuzz_refresh, &fuzz_session,
	&fuzz_bfd,  &fuzz_text,	   &fuzz_vici,	       &fuzz_config,  &fuzz_control,
	&fuzz_genl, &fuzz_rtnl,	   &fuzz_show,	       &fuzz_icmp,    NULL,
};

const struct fuzz_target *fuzz_target_find(const char *name)
{
	for (size_t i = 0; fuzz_targets[i]; i++)
		if (!strcmp(fuzz_targets[i]->name, name))
			return fuzz_targets[i];
	return NULL;
}

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* Length of the character at p by the table of the Unicode standard (3-7), 0: ill-formed. */
static size_t character(const uint8_t *p)
{
	static const struct {
		uint8_t first, last, low, high;
		size_t len;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*p < forms[i].first || *p > forms[i].last)
			continue;
		if (forms[i].len > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
			return 0;
		for (size_t j = 2; j < forms[i].len; j++)
			if (p[j] < 0x80 || p[j] > 0xbf)
				return 0;
		return forms[i].len;
	}
	return 0;
}

void fuzz_check_text(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;

	while (*p) {
		size_t len = character(p);

		FUZZ_CHECK(len);
		FUZZ_CHECK(*p >= 0x20 && *p != 0x7f);
		/* C1, and what turns the direction of the text or starts a new line. */
		FUZZ_CHECK(!(*p == 0xc2 && p[1] < 0xa0));
		FUZZ_CHECK(!(*p == 0xd8 && p[1] == 0x9c));
		FUZZ_CHECK(!(*p == 0xe2 && p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f)));
		FUZZ_CHECK(!(*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae));
		FUZZ_CHECK(!(*p == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
		p += len;
	}
}
