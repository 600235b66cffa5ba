// SPDX-License-Identifier: GPL-2.0-only
/* VICI: encoding, the reader against damaged input, and the connection against a fake charon. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "tests/fake_charon.h"

#define N_FUZZ 200000

struct fixture {
	struct fake fake;
	struct vici *vici;
	size_t commands;
	char last_command[64];
	uint8_t last_body[FAKE_BODY];
	size_t last_len;
	char answers[512]; /* one word an answer */
	char seen[512]; /* events */
	size_t ups, downs, again, at_down;
	bool inside;
	enum { ANSWER, SILENT, UNKNOWN, HANG_UP, GARBAGE } mode;
};

static const char *const events[] = { "alpha", "beta", NULL };

static void on_command(void *ctx, struct fake *fake, const char *name, const uint8_t *body,
		       size_t len)
{
	struct fixture *f = ctx;
	static const uint8_t huge[] = { 0x7f, 0, 0, 0, 1 };

	f->commands++;
	snprintf(f->last_command, sizeof(f->last_command), "%s", name);
	memcpy(f->last_body, body, len);
	f->last_len = len;
	if (f->mode == ANSWER)
		fake_success(fake, NULL);
	else if (f->mode == UNKNOWN)
		fake_send(fake, 2, NULL, NULL);
	else if (f->mode == HANG_UP)
		fake_hang_up(fake);
	else if (f->mode == GARBAGE)
		assert_int_equal(send(fake->fd, huge, sizeof(huge), 0), sizeof(huge));
}

static void on_up(void *ctx)
{
	((struct fixture *)ctx)->ups++;
}

static void on_down(void *ctx)
{
	struct fixture *f = ctx;

	f->downs++;
	f->at_down = strlen(f->answers);
}

static void on_event(void *ctx, const char *name, struct vici_reader *message)
{
	struct fixture *f = ctx;
	char text[64] = "";

	while (vici_next(message) > VICI_END)
		if (message->element == VICI_KEY_VALUE)
			vici_text(message, text, sizeof(text));
	snprintf(f->seen + strlen(f->seen), sizeof(f->seen) - strlen(f->seen), "%s=%s ", name, text);
}

static const struct vici_ops ops = { .up = on_up, .down = on_down, .event = on_event };

static void on_reply(void *ctx, int error, struct vici_reader *message)
{
	struct fixture *f = ctx;

	assert_int_equal(error != 0, message == NULL);
	snprintf(f->answers + strlen(f->answers), sizeof(f->answers) - strlen(f->answers), "%s ",
		 error ? strerrorname_np(-error) : "ok");
}

/* Asks again from inside an answer: must not go round for ever within one call. */
static void on_reply_again(void *ctx, int error, struct vici_reader *message)
{
	struct fixture *f = ctx;

	on_reply(ctx, error, message);
	assert_false(f->inside);
	f->inside = true;
	if (error && f->again--)
		vici_request(f->vici, "again", NULL, on_reply_again, f);
	f->inside = false;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	fake_init(&f->fake, on_command, f);
	f->vici = vici_new(f->fake.loop, f->fake.path, events, &ops, f);
	assert_non_null(f->vici);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vici_free(f->vici);
	fake_exit(&f->fake);
	free(f);
	return 0;
}

static void test_encoding(void **state)
{
	/* The example of the protocol's description: a key, a nested section, a list. */
	static const uint8_t wanted[] = {
		3, 4, 'k', 'e', 'y', '1', 0, 6, 'v', 'a', 'l', 'u', 'e', '1',
		1, 8, 's', 'e', 'c', 't', 'i', 'o', 'n', '1',
		1, 11, 's', 'u', 'b', '-', 's', 'e', 'c', 't', 'i', 'o', 'n',
		3, 4, 'k', 'e', 'y', '2', 0, 6, 'v', 'a', 'l', 'u', 'e', '2',
		2,
		4, 5, 'l', 'i', 's', 't', '1', 5, 0, 5, 'i', 't', 'e', 'm', '1',
		5, 0, 5, 'i', 't', 'e', 'm', '2', 6,
		2,
	};
	struct fixture *f = *state;
	struct vici_msg *msg = vici_msg_new();

	fake_listen(&f->fake);
	advance(&f->fake, 1000);
	assert_int_equal(f->ups, 1);
	assert_true(vici_connected(f->vici));
	vici_value(msg, "key1", "value%d", 1);
	vici_section(msg, "section1");
	vici_section(msg, "sub-section");
	vici_data(msg, "key2", "value2", 6);
	vici_section_end(msg);
	vici_list(msg, "list1", "item1, item2");
	vici_section_end(msg);
	vici_request(f->vici, "test", msg, on_reply, f);
	settle(&f->fake);
	assert_string_equal(f->fake.registered, "alpha beta ");
	assert_string_equal(f->last_command, "test");
	assert_int_equal(f->last_len, sizeof(wanted));
	assert_memory_equal(f->last_body, wanted, sizeof(wanted));
	assert_string_equal(f->answers, "ok ");
}

static void test_encoding_limits(void **state)
{
	static char big[70000];
	struct fixture *f = *state;
	struct vici_msg *msg;

	memset(big, 'x', sizeof(big) - 1);
	fake_listen(&f->fake);
	advance(&f->fake, 1000);
	msg = vici_msg_new();
	vici_data(msg, "key", big, 65536);
	vici_request(f->vici, "a", msg, on_reply, f);
	msg = vici_msg_new();
	big[256] = '\0';
	vici_section(msg, big);
	vici_section_end(msg);
	vici_request(f->vici, "b", msg, on_reply, f);
	msg = vici_msg_new();
	for (int i = 0; i < 10; i++)
		vici_data(msg, "key", big, 60000);
	vici_request(f->vici, "c", msg, on_reply, f);
	vici_request(f->vici, "d", NULL, on_reply, f);
	assert_string_equal(f->answers, ""); /* never from inside */
	settle(&f->fake);
	assert_string_equal(f->answers, "EMSGSIZE EMSGSIZE EMSGSIZE ok ");
	assert_int_equal(f->commands, 1);
}

/* What the reader returns is balanced and inside the buffer, whatever the bytes. */
static void read_all(const uint8_t *data, size_t len)
{
	struct vici_reader reader;
	enum vici_element element;
	unsigned int depth = 0;
	bool in_list = false;
	uint8_t *copy = malloc(len ? len : 1); /* ends where the sanitizer watches */
	size_t sum = 0;

	assert_non_null(copy);
	memcpy(copy, data, len);
	vici_reader_init(&reader, copy, len);
	while ((element = vici_next(&reader)) > VICI_END) {
		if (element == VICI_SECTION_START)
			depth++;
		else if (element == VICI_SECTION_END)
			assert_true(depth-- > 0);
		else if (element == VICI_LIST_START || element == VICI_LIST_END)
			in_list = !in_list;
		assert_int_equal(depth, reader.depth);
		assert_int_equal(in_list, reader.in_list);
		for (size_t i = 0; i < reader.value_len; i++)
			sum += reader.value[i];
		assert_true(strlen(reader.name) < sizeof(reader.name));
	}
	if (element == VICI_END)
		assert_true(!depth && !in_list);
	assert_int_equal(vici_next(&reader), element);
	free(copy);
	assert_true(sum != SIZE_MAX);
}

static void test_reader_damage(void **state)
{
	struct body body = { .len = 0 };
	struct vici_reader reader;
	uint8_t copy[FAKE_BODY];

	body_value(&body, "key", "value");
	body_section(&body, "section");
	body_section(&body, "inner");
	body_value(&body, "other", "");
	body_text(&body, 4, "list", NULL);
	body_text(&body, 5, NULL, "item");
	body_text(&body, 6, NULL, NULL);
	body_end(&body);
	body_end(&body);
	for (size_t len = 0; len <= body.len; len++)
		read_all(body.data, len);
	srand(3);
	for (int i = 0; i < N_FUZZ; i++) {
		memcpy(copy, body.data, body.len);
		for (int k = rand() % 4; k >= 0; k--)
			copy[(size_t)rand() % body.len] =
				(uint8_t)(rand() % 2 ? rand() % 8 : rand() % 256);
		read_all(copy, body.len - (size_t)rand() % 4);
	}
	/* A cut message is an error, not a shorter message. */
	vici_reader_init(&reader, body.data, body.len - 1);
	while (vici_next(&reader) > VICI_END)
		;
	assert_int_equal(reader.element, VICI_BAD);
	/* Skipping a section stands behind its end. */
	vici_reader_init(&reader, body.data, body.len);
	assert_int_equal(vici_next(&reader), VICI_KEY_VALUE);
	assert_true(vici_is(&reader, "value"));
	assert_false(vici_is(&reader, "valu"));
	assert_int_equal(vici_next(&reader), VICI_SECTION_START);
	assert_true(vici_skip(&reader));
	assert_int_equal(vici_next(&reader), VICI_END);
	/* Nesting has a bound. */
	body.len = 0;
	for (int i = 0; i < 1000; i++)
		body_section(&body, "");
	vici_reader_init(&reader, body.data, body.len);
	while (vici_next(&reader) > VICI_END)
		;
	assert_int_equal(reader.element, VICI_BAD);
	assert_true(reader.depth < 100);
}

static void test_order_and_events(void **state)
{
	struct fixture *f = *state;
	struct body body = { .len = 0 };

	fake_listen(&f->fake);
	f->fake.trickle = true;
	advance(&f->fake, 1000);
	vici_request(f->vici, "one", NULL, on_reply, f);
	vici_request(f->vici, "two", NULL, on_reply, f);
	settle(&f->fake);
	assert_int_equal(f->commands, 2);
	f->mode = UNKNOWN;
	vici_request(f->vici, "three", NULL, on_reply, f);
	settle(&f->fake);
	assert_string_equal(f->answers, "ok ok EOPNOTSUPP ");
	body_section(&body, "s");
	body_value(&body, "k", "v1");
	body_end(&body);
	fake_event(&f->fake, "alpha", &body);
	settle(&f->fake);
	settle(&f->fake);
	assert_string_equal(f->seen, "alpha=v1 ");
}

static void test_lost(void **state)
{
	struct fixture *f = *state;

	settle(&f->fake); /* nobody there */
	vici_request(f->vici, "early", NULL, on_reply, f);
	settle(&f->fake);
	assert_string_equal(f->answers, "ENOLINK ");
	assert_int_equal(f->ups, 0);
	fake_listen(&f->fake);
	advance(&f->fake, 1000);
	assert_int_equal(f->ups, 1);
	f->answers[0] = '\0';
	f->mode = HANG_UP;
	f->again = 3;
	vici_request(f->vici, "one", NULL, on_reply_again, f);
	vici_request(f->vici, "two", NULL, on_reply, f);
	settle(&f->fake);
	assert_int_equal(f->at_down, strlen("ENOLINK ENOLINK "));
	assert_string_equal(f->answers, "ENOLINK ENOLINK ENOLINK ENOLINK ENOLINK ");
	assert_int_equal(f->downs, 1);
	assert_false(vici_connected(f->vici));
	f->mode = ANSWER;
	advance(&f->fake, 900);
	assert_int_equal(f->ups, 1);
	advance(&f->fake, 200);
	assert_int_equal(f->ups, 2);
	assert_string_equal(f->fake.registered, "alpha beta ");
	vici_request(f->vici, "three", NULL, on_reply, f);
	settle(&f->fake);
	assert_string_equal(f->answers, "ENOLINK ENOLINK ENOLINK ENOLINK ENOLINK ok ");
}

static void test_stuck(void **state)
{
	struct fixture *f = *state;

	fake_listen(&f->fake);
	advance(&f->fake, 1000);
	f->mode = SILENT;
	vici_request(f->vici, "one", NULL, on_reply, f);
	vici_request(f->vici, "two", NULL, on_reply, f);
	advance(&f->fake, 29000);
	assert_string_equal(f->answers, "");
	advance(&f->fake, 2000);
	assert_string_equal(f->answers, "ETIMEDOUT ENOLINK ");
	assert_int_equal(f->downs, 1);
	advance(&f->fake, 1000);
	assert_int_equal(f->ups, 2);
	/* The limit of the second one starts when it is its turn. */
	f->answers[0] = '\0';
	vici_request(f->vici, "three", NULL, on_reply, f);
	vici_request(f->vici, "four", NULL, on_reply, f);
	settle(&f->fake);
	advance(&f->fake, 20000);
	fake_success(&f->fake, NULL);
	settle(&f->fake);
	advance(&f->fake, 29000);
	assert_string_equal(f->answers, "ok ");
	advance(&f->fake, 2000);
	assert_string_equal(f->answers, "ok ETIMEDOUT ");
	advance(&f->fake, 1000);
	assert_int_equal(f->ups, 3);
	/* What is not asked is not waited for. */
	advance(&f->fake, 100000);
	assert_int_equal(f->downs, 2);
}

static void test_garbage(void **state)
{
	struct fixture *f = *state;

	fake_listen(&f->fake);
	advance(&f->fake, 1000);
	f->mode = GARBAGE;
	vici_request(f->vici, "one", NULL, on_reply, f);
	settle(&f->fake);
	assert_string_equal(f->answers, "ENOLINK ");
	assert_int_equal(f->downs, 1);
	/* An answer that nobody asked for. */
	advance(&f->fake, 1000);
	assert_int_equal(f->ups, 2);
	fake_success(&f->fake, NULL);
	settle(&f->fake);
	assert_int_equal(f->downs, 2);
}

#define connected(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		connected(test_encoding),
		connected(test_encoding_limits),
		cmocka_unit_test(test_reader_damage),
		connected(test_order_and_events),
		connected(test_lost),
		connected(test_stuck),
		connected(test_garbage),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
