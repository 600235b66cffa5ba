// SPDX-License-Identifier: GPL-2.0-only
/* Names of levels: one list, read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"

static void test_level_names(void **state)
{
	static const char *const refused[] = { "", "warn", "Error", "errors", " info", "4" };
	enum log_level level;

	assert_true(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
	assert_true(log_level_parse("warning", &level) && level == LOG_LEVEL_WARNING);
	assert_true(log_level_parse("info", &level) && level == LOG_LEVEL_INFO);
	assert_true(log_level_parse("debug", &level) && level == LOG_LEVEL_DEBUG);
	assert_null(log_level_names[LOG_LEVEL_DEBUG + 1]);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_false(log_level_parse(refused[i], &level));
		assert_int_equal(level, LOG_LEVEL_DEBUG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
