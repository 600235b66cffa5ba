// SPDX-License-Identifier: GPL-2.0-only
/*
 * The messages that broke others (bgp_malformed.h), on the decoders alone and on a live session.
 *
 * Live: a scripted peer sends the message and, in the same write, a sentinel route. A
 * second peer is up all the time. Whatever the first one sent, the calls that the
 * session made are the expected ones in their order, and the sentinel comes last: from the
 * same peer if its session goes on, else from the other one and not from this one.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bgp/message.h"
#include "bgp/update.h"
#include "bgp_malformed.h"
#include "bgp_side.h"

#define SENTINEL " +198.51.100.0/24"
#define PATIENCE_MS 3000

struct transcript {
	char calls[400];
	unsigned int ups, downs;
};

static void note(struct transcript *t, const char *sign, const char *what)
{
	size_t len = strlen(t->calls);

	snprintf(t->calls + len, sizeof(t->calls) - len, " %s%s", sign, what);
}

static void note_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	char text[PREFIX_STRLEN];

	note(ctx, "+", prefix_format(prefix, text, sizeof(text)));
}

static void note_withdraw(void *ctx, const struct prefix *prefix)
{
	char text[PREFIX_STRLEN];

	note(ctx, "-", prefix_format(prefix, text, sizeof(text)));
}

static void note_end_of_rib(void *ctx, enum session_afi afi)
{
	note(ctx, "eor", afi == SESSION_IPV4 ? "4" : "6");
}

static bool sends(const struct malformed_case *c, enum malformed_sort sort)
{
	return c->type != M_NONE && c->sorts & 1u << sort;
}

static void fail_case(const struct malformed_case *c, enum malformed_sort sort, const char *what,
		      const char *got)
{
	static const char *const sorts[] = { "new", "old", "internal" };

	fail_msg("[%u] %s (%s peer): %s \"%s\", expected \"%s\"", c->number, c->name, sorts[sort],
		 what, got, c->expect);
}

/* ---- the decoders ---- */

static struct attr_peer attr_peer_of(enum malformed_sort sort)
{
	return (struct attr_peer){
		.as4 = sort != FROM_OLD, .internal = sort == FROM_INTERNAL, .afi = { true, true },
		.local_as = 65000, .router_id = 0x0a000001, .local = addr_of("127.0.0.1"),
		.remote = addr_of("127.0.0.2"), .next_hop = { addr_of("127.0.0.1"),
							       addr_of("2001:db8::a") },
	};
}

/* What was announced goes out again, to each sort of peer, or is found not to fit: never more. */
static void encode_again(const struct attrs *attrs)
{
	static const struct prefix prefix = { .addr.family = AF_INET, .len = 32 };

	for (int sort = 0; sort < N_SORTS; sort++) {
		struct attr_peer peer = attr_peer_of((enum malformed_sort)sort);
		uint8_t *buf = malloc(BGP_MESSAGE_MAX);
		struct update_writer w;

		for (int afi = 0; afi < SESSION_N_AFI; afi++) {
			if (!update_begin(&w, buf, &peer, (enum session_afi)afi, attrs))
				continue;
			assert_true(update_add(&w, &prefix));
			assert_in_range(update_end(&w), BGP_HEADER_SIZE, BGP_MESSAGE_MAX);
		}
		free(buf);
	}
}

static void decoded_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	note_route(ctx, prefix, attrs);
	encode_again(attrs);
}

static const struct update_sink sink = { decoded_route, note_withdraw, note_end_of_rib,
					 NULL };

static bool decode(const struct malformed_case *c, enum malformed_sort sort, struct cursor body,
		   struct transcript *t, struct bgp_error *error)
{
	static const char *const outcomes[] = { "accept", "discard", "withdraw" };
	struct attr_peer peer = attr_peer_of(sort);
	struct update_result result = { .action = ATTR_OK };
	enum session_afi afi;
	struct bgp_open open;
	uint8_t subtype, header[BGP_HEADER_SIZE], type;
	char calls[sizeof(t->calls)];
	size_t len = body.left + BGP_HEADER_SIZE;
	bool known, good;

	memset(header, 0xff, BGP_MARKER_SIZE);
	header[16] = (uint8_t)(len >> 8);
	header[17] = (uint8_t)len;
	header[18] = c->type;
	if (!message_header_decode(header, &len, &type, error))
		return false;
	if (c->type == M_OPEN)
		good = message_open_decode(body, &open, error);
	else if (c->type == M_REFRESH)
		good = message_refresh_decode(body, &afi, &subtype, &known, error);
	else
		good = update_decode(body, &peer, &sink, t, &result, error);
	snprintf(calls, sizeof(calls), "%s%s", outcomes[result.action], t->calls);
	memcpy(t->calls, calls, sizeof(calls));
	return good;
}

static void reset_text(const struct bgp_error *error, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "reset %u/%u:", error->code, error->subcode);

	for (size_t i = 0; i < error->data_len && n + 2 < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%02x", error->data[i]);
}

static void decode_case(const struct malformed_case *c, enum malformed_sort sort)
{
	struct transcript t = { .calls = "" };
	uint8_t buf[BGP_MESSAGE_MAX], *exact;
	size_t len = malformed_body(c, sort, buf, sizeof(buf));
	struct bgp_error error;
	char got[500];

	/* Of exactly this size: ASan sees every octet too much. */
	exact = malloc(len ? len : 1);
	memcpy(exact, buf, len);
	if (c->type == M_NOTIFICATION) {
		char text[200], name[100];

		assert_true(message_notification_decode(cursor_make(exact, len), &error));
		message_shutdown_text(&error, text, sizeof(text));
		bgp_error_text(error.code, error.subcode, name, sizeof(name));
		snprintf(got, sizeof(got), "closed %s: %s", name, text);
		if (!strstr(got, c->expect + strlen("closed ")))
			fail_case(c, sort, "decoded", got);
	} else {
		if (decode(c, sort, cursor_make(exact, len), &t, &error))
			snprintf(got, sizeof(got), "%s", t.calls);
		else
			reset_text(&error, got, sizeof(got));
		if (strcmp(got, c->expect))
			fail_case(c, sort, "decoded", got);
	}
	free(exact);
}

static void test_decoders(void **state)
{
	for (size_t i = 0; i < N_MALFORMED; i++)
		for (int sort = 0; sort < N_SORTS; sort++)
			if (sends(&malformed_cases[i], (enum malformed_sort)sort))
				decode_case(&malformed_cases[i], (enum malformed_sort)sort);
	assert_int_equal(attrs_count(), 0);
}

/* The table is whole: each number of the list, in order. */
static void test_all_numbers(void **state)
{
	unsigned int last = 0;

	for (size_t i = 0; i < N_MALFORMED; i++) {
		assert_in_range(malformed_cases[i].number, last ? last : 1, last + 1);
		assert_non_null(malformed_cases[i].reference);
		last = malformed_cases[i].number;
	}
	assert_int_equal(last, 45);
}

/* ---- live sessions ---- */

struct peer {
	int fd;
	uint8_t in[2 * BGP_MESSAGE_MAX], out[2 * BGP_MESSAGE_MAX];
	size_t len, out_len;
	struct session *session;
	struct transcript log;
	/* what came last */
	uint8_t type, body[BGP_MESSAGE_MAX];
	size_t body_len;
	bool end;
	uint8_t wanted;
};

static struct peer victim, bystander, *looked_at;

static void peer_established(void *ctx)
{
	((struct transcript *)ctx)->ups++;
}

static void peer_down(void *ctx, enum session_down_reason reason)
{
	((struct transcript *)ctx)->downs++;
}

static const char *peer_accept(void *ctx, uint32_t peer_as, uint32_t peer_id)
{
	return NULL;
}

static void peer_ignore(void *ctx)
{
}

static void peer_ignore_afi(void *ctx, enum session_afi afi)
{
}

static const struct session_ops ops = {
	.established = peer_established,
	.down = peer_down,
	.route = note_route,
	.withdraw = note_withdraw,
	.update_end = peer_ignore,
	.end_of_rib = note_end_of_rib,
	.refresh = peer_ignore_afi,
	.refresh_begin = peer_ignore_afi,
	.refresh_end = peer_ignore_afi,
	.accept_open = peer_accept,
};

/* Collected until peer_flush(), so that several messages arrive at once. */
static void peer_put(struct peer *p, uint8_t type, const uint8_t *body, size_t len)
{
	uint8_t *message = p->out + p->out_len;

	memset(message, 0xff, BGP_MARKER_SIZE);
	message[16] = (uint8_t)((len + BGP_HEADER_SIZE) >> 8);
	message[17] = (uint8_t)(len + BGP_HEADER_SIZE);
	message[18] = type;
	if (len)
		memcpy(message + BGP_HEADER_SIZE, body, len);
	p->out_len += len + BGP_HEADER_SIZE;
}

static void peer_flush(struct peer *p)
{
	assert_int_equal(send(p->fd, p->out, p->out_len, MSG_NOSIGNAL), p->out_len);
	p->out_len = 0;
}

static void peer_write(struct peer *p, uint8_t type, const uint8_t *body, size_t len)
{
	peer_put(p, type, body, len);
	peer_flush(p);
}

static bool peer_took(struct peer *p)
{
	ssize_t n = recv(p->fd, p->in + p->len, sizeof(p->in) - p->len, MSG_DONTWAIT);
	size_t size;

	if (n > 0)
		p->len += (size_t)n;
	size = p->len < BGP_HEADER_SIZE ? BGP_HEADER_SIZE : (size_t)(p->in[16] << 8 | p->in[17]);
	if (p->len < size) {
		p->end = !n || (n < 0 && errno != EAGAIN);
		return p->end;
	}
	p->type = p->in[18];
	p->body_len = size - BGP_HEADER_SIZE;
	memcpy(p->body, p->in + BGP_HEADER_SIZE, p->body_len);
	p->len -= size;
	memmove(p->in, p->in + size, p->len);
	return p->type == p->wanted || p->type == BGP_NOTIFICATION;
}

static bool looked_at_took(void)
{
	return peer_took(looked_at);
}

/* Waits for a message of this type, or a NOTIFICATION, or the end. */
static void peer_expect(struct peer *p, uint8_t type)
{
	looked_at = p;
	p->type = 0;
	p->wanted = type;
	wait_for(looked_at_took, PATIENCE_MS);
}

static void peer_open(struct peer *p, const char *from, enum malformed_sort sort)
{
	struct session_config config = config_a();
	struct sockaddr_storage ss;
	struct addr to = config.local;
	socklen_t len;

	config.passive = true;
	config.peer = addr_of(from);
	if (sort == FROM_INTERNAL)
		config.peer_as = config.local_as;
	memset(p, 0, sizeof(*p));
	p->session = session_new(test_loop, &config, &ops, &p->log);
	assert_non_null(p->session);
	session_start(p->session);
	len = addr_to_sockaddr(&config.peer, 0, &ss);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	assert_int_equal(bind(p->fd, (struct sockaddr *)&ss, len), 0);
	len = addr_to_sockaddr(&to, TEST_PORT, &ss);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&ss, len), 0);
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	peer_expect(p, BGP_OPEN);
	assert_int_equal(p->type, BGP_OPEN);
}

static bool victim_up(void)
{
	return victim.log.ups || victim.log.downs;
}

static bool bystander_up(void)
{
	return bystander.log.ups;
}

static void peer_close(struct peer *p)
{
	session_free(p->session);
	if (p->fd > 0)
		close(p->fd);
	memset(p, 0, sizeof(*p));
}

static void peer_establish(struct peer *p, enum malformed_sort sort, unsigned int capabilities)
{
	uint8_t body[128];
	char open[200];
	bool as4 = sort != FROM_OLD, graceful = capabilities & GRACEFUL;
	unsigned int len = 14 + (as4 ? 6 : 0) + (graceful ? 12 : 0);

	snprintf(open, sizeof(open), "%s %02x 02%02x 010400010001 010400020001 0200 %s%s %s",
		 malformed_token('A', sort), len + 2, len, as4 ? "41040000" : "",
		 !as4 ? "" : sort == FROM_INTERNAL ? "fde8" : "fde9",
		 graceful ? "400a 0078 00010100 00020100" : "");
	peer_write(p, BGP_OPEN, body, hex(open, body, sizeof(body)));
	peer_expect(p, BGP_KEEPALIVE);
	assert_int_equal(p->type, BGP_KEEPALIVE);
	peer_write(p, BGP_KEEPALIVE, NULL, 0);
}

static void sentinel_put(struct peer *p, enum malformed_sort sort)
{
	static const struct malformed_case sentinel = { .body = "|$B|18 c63364" };
	uint8_t body[100];

	peer_put(p, BGP_UPDATE, body, malformed_body(&sentinel, sort, body, sizeof(body)));
}

static bool sentinel_in(const struct peer *p)
{
	size_t len = strlen(p->log.calls), want = strlen(SENTINEL);

	return len >= want && !strcmp(p->log.calls + len - want, SENTINEL);
}

static bool victim_has_sentinel(void)
{
	return sentinel_in(&victim) || victim.log.downs;
}

static bool bystander_has_sentinel(void)
{
	return sentinel_in(&bystander) || bystander.log.downs;
}

static bool victim_gone(void)
{
	return session_info(victim.session)->state != SESSION_ESTABLISHED &&
	       session_info(victim.session)->last_error[0];
}

/* The session has ended: with the right NOTIFICATION, and for nobody else. */
static void check_ended(const struct malformed_case *c, enum malformed_sort sort)
{
	char got[300] = "no NOTIFICATION";

	if (!strncmp(c->expect, "reset", 5)) {
		struct bgp_error error = { .code = 0 };

		peer_expect(&victim, BGP_NOTIFICATION);
		if (victim.type == BGP_NOTIFICATION &&
		    message_notification_decode(cursor_make(victim.body, victim.body_len), &error))
			reset_text(&error, got, sizeof(got));
		if (strcmp(got, c->expect))
			fail_case(c, sort, "answered", got);
	}
	wait_for(victim_gone, PATIENCE_MS);
	if (!strncmp(c->expect, "closed", 6) &&
	    !strstr(session_info(victim.session)->last_error, c->expect + strlen("closed ")))
		fail_case(c, sort, "ended with", session_info(victim.session)->last_error);
	/* A message that resets changes nothing. */
	if (victim.log.calls[0])
		fail_case(c, sort, "called", victim.log.calls);
	bystander.log.calls[0] = '\0';
	sentinel_put(&bystander, FROM_NEW);
	peer_flush(&bystander);
	wait_for(bystander_has_sentinel, PATIENCE_MS);
}

static void check_goes_on(const struct malformed_case *c, enum malformed_sort sort)
{
	const char *outcome;
	char got[500];

	wait_for(victim_has_sentinel, PATIENCE_MS);
	if (victim.log.downs)
		fail_case(c, sort, "ended with", session_info(victim.session)->last_error);
	victim.log.calls[strlen(victim.log.calls) - strlen(SENTINEL)] = '\0';
	outcome = session_info(victim.session)->updates_malformed ? "withdraw" : "accept";
	/* A discarded attribute is counted with the routes that are treated as withdrawn. */
	if (outcome[0] == 'w' && !strncmp(c->expect, "discard", 7))
		outcome = "discard";
	snprintf(got, sizeof(got), "%s%s", outcome, victim.log.calls);
	if (strcmp(got, c->expect))
		fail_case(c, sort, "did", got);
}

/* Whether it has told of 4-octet numbers is the message's affair. */
static void open_goes_on(void)
{
	peer_expect(&victim, BGP_KEEPALIVE);
	peer_write(&victim, BGP_KEEPALIVE, NULL, 0);
	wait_for(victim_up, PATIENCE_MS);
	sentinel_put(&victim, session_info(victim.session)->as4 ? FROM_NEW : FROM_OLD);
	peer_flush(&victim);
}

static void live_case(const struct malformed_case *c, enum malformed_sort sort)
{
	bool ends = !strncmp(c->expect, "reset", 5) || !strncmp(c->expect, "closed", 6);
	uint8_t body[BGP_MESSAGE_MAX];
	size_t len = malformed_body(c, sort, body, sizeof(body));

	peer_open(&victim, "127.0.0.2", sort);
	if (c->type != M_OPEN) {
		peer_establish(&victim, sort, c->capabilities);
		wait_for(victim_up, PATIENCE_MS);
	}
	peer_put(&victim, c->type, body, len);
	if (c->type != M_OPEN)
		sentinel_put(&victim, sort);
	peer_flush(&victim);
	if (c->type == M_OPEN && !ends)
		open_goes_on();
	if (ends)
		check_ended(c, sort);
	else
		check_goes_on(c, sort);
	peer_close(&victim);
	assert_int_equal(bystander.log.downs, 0);
}

static void test_sessions(void **state)
{
	peer_open(&bystander, "127.0.0.3", FROM_NEW);
	peer_establish(&bystander, FROM_NEW, 0);
	wait_for(bystander_up, PATIENCE_MS);
	for (size_t i = 0; i < N_MALFORMED; i++)
		for (int sort = 0; sort < N_SORTS; sort++)
			if (sends(&malformed_cases[i], (enum malformed_sort)sort))
				live_case(&malformed_cases[i], (enum malformed_sort)sort);
	assert_int_equal(bystander.log.ups, 1);
}

static int setup(void **state)
{
	int ret = sides_setup(state);

	/* What the table provokes is warned of by design. */
	if (!getenv("TEST_VERBOSE"))
		log_set_level((enum log_level)-1);
	return ret;
}

static int teardown(void **state)
{
	peer_close(&victim);
	peer_close(&bystander);
	return sides_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_numbers),
		cmocka_unit_test(test_decoders),
		cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
