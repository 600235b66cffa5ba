// SPDX-License-Identifier: GPL-2.0-only
/* Bodies of OPEN, NOTIFICATION and ROUTE-REFRESH; any bytes as text from a peer. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "bgp/message.h"
#include "lib/log.h"
#include "tests/bgp_malformed.h"

/* Each case of the table, from each sort of peer, is a seed of the target for its type. */
static void table_seeds(uint8_t type, fuzz_add add)
{
	uint8_t body[BGP_MESSAGE_MAX];

	for (size_t i = 0; i < N_MALFORMED; i++)
		for (int sort = 0; malformed_cases[i].type == type && sort < N_SORTS; sort++)
			if (malformed_cases[i].sorts & 1u << sort)
				add(body, malformed_body(&malformed_cases[i],
							 (enum malformed_sort)sort, body,
							 sizeof(body)));
}

/* A NOTIFICATION that we answer with. */
static void check_error(const struct bgp_error *error)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	char text[100];

	fuzz_check_text(error->reason);
	fuzz_check_text(bgp_error_text(error->code, error->subcode, text, sizeof(text)));
	message_notification_encode(&out, error);
	FUZZ_CHECK(!out.bad && out.len == BGP_HEADER_SIZE + 2u + error->data_len);
}

static struct cursor encoded_body(const struct cursor_out *out, uint8_t want)
{
	struct bgp_error error;
	uint8_t type;
	size_t len;

	FUZZ_CHECK(!out->bad);
	FUZZ_CHECK(message_header_decode(out->data, &len, &type, &error));
	FUZZ_CHECK(len == out->len && type == want);
	return cursor_make(out->data + BGP_HEADER_SIZE, len - BGP_HEADER_SIZE);
}

/* ---- OPEN ---- */

static void open_run(const uint8_t *data, size_t size)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	struct bgp_open open, again;
	struct bgp_error error;

	if (!message_open_decode(cursor_make(data, size), &open, &error)) {
		check_error(&error);
		return;
	}
	/* Only families that we do not know: there is no way to say that with ours. */
	if (!open.afi[SESSION_IPV4] && !open.afi[SESSION_IPV6])
		return;
	message_open_encode(&out, &open);
	FUZZ_CHECK(message_open_decode(encoded_body(&out, BGP_OPEN), &again, &error));
	FUZZ_CHECK(open.as == again.as && open.as4 == again.as4 && open.id == again.id);
	FUZZ_CHECK(open.hold_time == again.hold_time && open.refresh == again.refresh);
	FUZZ_CHECK(open.enhanced_refresh == again.enhanced_refresh);
	FUZZ_CHECK(!memcmp(open.afi, again.afi, sizeof(open.afi)));
	FUZZ_CHECK(open.graceful_restart == again.graceful_restart);
	FUZZ_CHECK(open.restarting == again.restarting && open.restart_time == again.restart_time);
	FUZZ_CHECK(!memcmp(open.gr_afi, again.gr_afi, sizeof(open.gr_afi)));
	FUZZ_CHECK(!memcmp(open.gr_forwarding, again.gr_forwarding, sizeof(open.gr_forwarding)));
}

static void open_seeds(fuzz_add add)
{
	table_seeds(M_OPEN, add);
}

const struct fuzz_target fuzz_open = { "open", BGP_MESSAGE_MAX, open_run, open_seeds };

/* ---- NOTIFICATION ---- */

static void notification_run(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = { 1, 5, 78, 1100 };
	uint8_t buf[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	struct bgp_error error, again;
	char text[1100];

	if (size > BGP_MESSAGE_MAX - BGP_HEADER_SIZE ||
	    !message_notification_decode(cursor_make(data, size), &error))
		return;
	check_error(&error);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		message_shutdown_text(&error, text, sizes[i]);
		FUZZ_CHECK(memchr(text, '\0', sizes[i]));
		fuzz_check_text(text);
	}
	message_notification_encode(&out, &error);
	FUZZ_CHECK(message_notification_decode(encoded_body(&out, BGP_NOTIFICATION), &again));
	FUZZ_CHECK(again.code == error.code && again.subcode == error.subcode);
	FUZZ_CHECK(again.data_len == error.data_len &&
		   !memcmp(again.data, error.data, error.data_len));
	/* The text is told on as our own: cut at a character, it comes back as it was. */
	message_shutdown_set(&again, BGP_CEASE_SHUTDOWN, text);
	FUZZ_CHECK(again.data_len <= 256);
	message_shutdown_text(&again, text + 550, 550);
	FUZZ_CHECK(!strncmp(text, text + 550, strlen(text + 550)));
}

static void notification_seeds(fuzz_add add)
{
	table_seeds(M_NOTIFICATION, add);
}

const struct fuzz_target fuzz_notification = {
	"notification", BGP_MESSAGE_MAX, notification_run, notification_seeds,
};

/* ---- ROUTE-REFRESH ---- */

static void refresh_run(const uint8_t *data, size_t size)
{
	uint8_t buf[64], subtype, subtype2;
	struct cursor_out out = cursor_out_make(buf, sizeof(buf));
	enum session_afi afi, afi2;
	struct bgp_error error;
	bool known, known2;

	if (size > BGP_MESSAGE_MAX - BGP_HEADER_SIZE)
		return;
	if (!message_refresh_decode(cursor_make(data, size), &afi, &subtype, &known, &error)) {
		FUZZ_CHECK(size != 4);
		check_error(&error);
		return;
	}
	FUZZ_CHECK(size == 4);
	if (!known)
		return;
	message_refresh_encode(&out, afi, subtype);
	FUZZ_CHECK(message_refresh_decode(encoded_body(&out, BGP_ROUTE_REFRESH), &afi2, &subtype2,
					  &known2, &error));
	FUZZ_CHECK(known2 && afi == afi2 && subtype == subtype2);
}

static void refresh_seeds(fuzz_add add)
{
	table_seeds(M_REFRESH, add);
	add("\0\1\0\1", 4);
	add("\0\2\1\1", 4);
}

const struct fuzz_target fuzz_refresh = { "refresh", 64, refresh_run, refresh_seeds };

/* ---- text ---- */

/* The first octet is the room for it. */
static void text_run(const uint8_t *data, size_t size)
{
	char buf[256];
	size_t room;

	if (!size)
		return;
	room = data[0];
	memset(buf, 'x', sizeof(buf));
	log_escape(data + 1, size - 1, buf, room);
	FUZZ_CHECK(buf[room] == 'x');
	if (!room)
		return;
	FUZZ_CHECK(memchr(buf, '\0', room));
	fuzz_check_text(buf);
	/* Printable text that fits is left alone, so escaping again changes nothing. */
	log_escape((const uint8_t *)buf, strlen(buf), buf + 128, room < 128 ? room : 128);
	if (room < 128)
		FUZZ_CHECK(!strcmp(buf, buf + 128));
}

static void text_seeds(fuzz_add add)
{
	static const char *const texts[] = {
		"\x40plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x9b\xa1",
		"\x09\x1b[2J\r\n\xe2\x80\xae\xc3\x28\xff",
		"\xff\xed\xa0\x80\xc0\x80\xf8\x88\x80\x80\x80\xf4\x90\x80\x80\xc2\x85\xe2\x81\xa6",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		add(texts[i], strlen(texts[i]));
}

const struct fuzz_target fuzz_text = { "text", 300, text_run, text_seeds };
