// SPDX-License-Identifier: GPL-2.0-only
/* Cursors: what fits, what does not, and that nothing outside is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cursor.h"

static void test_read(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct cursor c = cursor_make(data, sizeof(data)), sub;
	uint8_t out[2];

	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_u16(&c), 0x0203);
	assert_int_equal(cursor_u32(&c), 0x04050607);
	assert_int_equal(cursor_u64(&c), 0x08090a0b0c0d0e0f);
	assert_int_equal(c.left, 1);
	assert_false(c.bad);
	assert_false(cursor_copy(&c, out, 2));
	assert_int_equal(out[0] | out[1], 0);
	assert_true(c.bad);
	/* Bad for good, also for what would have fitted. */
	assert_int_equal(cursor_u8(&c), 0);
	assert_int_equal(c.left, 0);

	c = cursor_make(data, 4);
	sub = cursor_sub(&c, 3);
	assert_int_equal(sub.left, 3);
	assert_int_equal(c.left, 1);
	sub = cursor_sub(&c, 2);
	assert_true(sub.bad && c.bad);
	assert_int_equal(sub.left, 0);
	assert_null(cursor_bytes(&sub, 0));
}

static void test_read_nothing(void **state)
{
	struct cursor c = cursor_make(NULL, 10);

	assert_non_null(cursor_bytes(&c, 0));
	assert_false(c.bad);
	assert_int_equal(cursor_u32(&c), 0);
	assert_true(c.bad);
}

/* A model in plain indices must agree with every step; ASan sees any byte too much. */
static void test_read_random(void **state)
{
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand() % 24, at = 0;
		uint8_t *data = malloc(len + 1);
		struct cursor c;
		bool bad = false;

		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)rand();
		data = realloc(data, len ? len : 1);
		c = cursor_make(data, len);
		for (int step = 0; step < 8; step++) {
			size_t n = (size_t[]){ 1, 2, 4, 8 }[rand() % 4];
			uint64_t want = 0, got;

			bad = bad || n > len - at;
			for (size_t i = 0; !bad && i < n; i++)
				want = want << 8 | data[at + i];
			at += bad ? 0 : n;
			got = n == 1 ? cursor_u8(&c) : n == 2 ? cursor_u16(&c) :
			      n == 4 ? cursor_u32(&c) : cursor_u64(&c);
			assert_int_equal(got, want);
			assert_int_equal(c.bad, bad);
		}
		free(data);
	}
}

static void test_write(void **state)
{
	uint8_t buf[17];
	struct cursor_out c = cursor_out_make(buf, 16);

	buf[16] = 0xee;
	cursor_put_u8(&c, 1);
	cursor_put_u16(&c, 0x0203);
	cursor_put_u32(&c, 0x04050607);
	cursor_put_u64(&c, 0x08090a0b0c0d0e0f);
	assert_int_equal(cursor_out_room(&c), 1);
	for (int i = 0; i < 15; i++)
		assert_int_equal(buf[i], i + 1);
	cursor_patch_u8(&c, 0, 9);
	cursor_patch_u16(&c, 13, 0xabcd);
	assert_int_equal(buf[0], 9);
	assert_int_equal(buf[13] << 8 | buf[14], 0xabcd);
	assert_false(c.bad);
	/* What does not fit is not half written. */
	cursor_put_u16(&c, 0x7777);
	assert_true(c.bad);
	assert_int_equal(c.len, 15);
	cursor_put_u8(&c, 1);
	assert_int_equal(c.len, 15);
	assert_int_equal(buf[16], 0xee);
}

static void test_patch_outside(void **state)
{
	uint8_t buf[4];
	struct cursor_out c = cursor_out_make(buf, sizeof(buf));

	cursor_put_u16(&c, 0x0102);
	cursor_patch_u16(&c, 1, 0xffff);
	assert_true(c.bad);
	assert_int_equal(buf[1], 2);
	c = cursor_out_make(buf, sizeof(buf));
	cursor_patch_u8(&c, 0, 1);
	assert_true(c.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_nothing),
		cmocka_unit_test(test_read_random),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_patch_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
