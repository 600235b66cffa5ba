// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole session: what a peer says on its connection, until it closes it.
 *
 * The first octet: who the peer is, whether a good OPEN and KEEPALIVE come first, and whether
 * the rest is sent as it is or as messages (type, two octets of length, body) that get
 * a right header.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/session.h"
#include "bgp/wire.h"
#include "tests/bgp_malformed.h"

enum {
	BIT_OPEN = 1, BIT_FRAMED = 2, BIT_INTERNAL = 4, BIT_OLD = 8, BIT_GRACEFUL = 16,
	BIT_STOP = 32, /* the owner stops the session in the first call */
};

#define PORT ((uint16_t)(10000 + getpid() % 20000))
#define STREAM_MAX 16384

struct run {
	struct loop *loop;
	struct loop_io *io;
	struct session *session;
	int fd;
	unsigned int ups, downs, calls;
	bool stop;
	uint8_t stream[STREAM_MAX];
	size_t len;
};

static void on_established(void *ctx)
{
	struct run *run = ctx;

	FUZZ_CHECK(run->ups++ == run->downs);
}

static void on_down(void *ctx, enum session_down_reason reason)
{
	struct run *run = ctx;

	FUZZ_CHECK(++run->downs == run->ups);
}

/* Routes are told of an established session only. */
static void on_call(struct run *run)
{
	FUZZ_CHECK(run->ups == run->downs + 1);
	if (!run->calls++ && run->stop)
		session_stop(run->session, SESSION_CEASE_RESET, "enough");
}

static void on_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	FUZZ_CHECK(addr_is_set(&attrs->next_hop));
	on_call(ctx);
}

static void on_withdraw(void *ctx, const struct prefix *prefix)
{
	on_call(ctx);
}

static void on_update_end(void *ctx)
{
	on_call(ctx);
}

static void on_afi(void *ctx, enum session_afi afi)
{
	FUZZ_CHECK(afi == SESSION_IPV4 || afi == SESSION_IPV6);
	on_call(ctx);
}

static void on_expect(void *ctx, const struct prefix *prefix)
{
	FUZZ_CHECK(prefix_is_proper(prefix));
}

static const char *on_open(void *ctx, uint32_t peer_as, uint32_t peer_id)
{
	return peer_id == 0xdeadbeef ? "not this one" : NULL;
}

static const struct session_ops ops = {
	.established = on_established, .down = on_down,	      .route = on_route,
	.withdraw = on_withdraw,       .update_end = on_update_end, .end_of_rib = on_afi,
	.refresh = on_afi,	       .refresh_begin = on_afi,	    .refresh_end = on_afi,
	.accept_open = on_open,	       .expect = on_expect,
};

static void put(struct run *run, uint8_t type, const uint8_t *body, size_t len)
{
	uint8_t *to = run->stream + run->len;

	if (len + BGP_HEADER_SIZE > sizeof(run->stream) - run->len)
		return;
	memset(to, 0xff, BGP_MARKER_SIZE);
	to[16] = (uint8_t)((len + BGP_HEADER_SIZE) >> 8);
	to[17] = (uint8_t)(len + BGP_HEADER_SIZE);
	to[18] = type;
	if (len)
		memcpy(to + BGP_HEADER_SIZE, body, len);
	run->len += len + BGP_HEADER_SIZE;
}

static void put_open(struct run *run, uint8_t bits)
{
	uint8_t body[100];
	char text[200];
	bool as4 = !(bits & BIT_OLD), graceful = bits & BIT_GRACEFUL;
	unsigned int len = 16 + (as4 ? 6 : 0) + (graceful ? 12 : 0);

	snprintf(text, sizeof(text), "%s %02x 02%02x 010400010001 010400020001 0200 4600 %s%s %s",
		 malformed_token('A', bits & BIT_INTERNAL ? FROM_INTERNAL : FROM_NEW), len + 2, len,
		 as4 ? "41040000" : "", !as4 ? "" : bits & BIT_INTERNAL ? "fde8" : "fde9",
		 graceful ? "400a 0078 00010180 00020180" : "");
	put(run, BGP_OPEN, body, hex(text, body, sizeof(body)));
	put(run, BGP_KEEPALIVE, NULL, 0);
}

static void put_messages(struct run *run, const uint8_t *data, size_t size)
{
	while (size >= 3) {
		size_t len = (size_t)(data[1] << 8 | data[2]) % BGP_MESSAGE_MAX;

		len = len < size - 3 ? len : size - 3;
		put(run, data[0], data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
}

static void peer_ready(void *ctx, unsigned int events)
{
	struct run *run = ctx;
	uint8_t buf[4096];
	ssize_t n = recv(run->fd, buf, sizeof(buf), MSG_DONTWAIT);

	/* The other side closes: that is the end, with a reset if it had not read everything. */
	if (!n || (n < 0 && errno != EAGAIN))
		loop_stop(run->loop);
}

/* Not blocking: an engine's alarm would end the wait with nothing to show for it. */
static bool connected(int fd, const struct sockaddr_storage *to, socklen_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int error = 0;

	if (!connect(fd, (const struct sockaddr *)to, len))
		return true;
	if (errno != EINPROGRESS)
		return false;
	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			return false;
	len = sizeof(error);
	return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) && !error;
}

static void peer_connect(struct run *run, const struct session_config *config)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&config->peer, 0, &ss);

	run->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	FUZZ_CHECK(run->fd >= 0);
	FUZZ_CHECK(!bind(run->fd, (struct sockaddr *)&ss, len));
	len = addr_to_sockaddr(&config->local, config->port, &ss);
	FUZZ_CHECK(connected(run->fd, &ss, len));
	run->io = loop_io_new(run->loop, run->fd, peer_ready, run);
	FUZZ_CHECK(run->io);
	loop_io_set(run->io, LOOP_READ);
}

static struct session_config config_of(uint8_t bits)
{
	static unsigned int address;
	struct session_config config = {
		.name = "fuzz", .local_as = 65000, .peer_as = bits & BIT_INTERNAL ? 65000 : 65001,
		.router_id = 0x0a000001, .port = PORT, .passive = true, .hold_time = 30,
		.connect_retry = 1, .restart_time = bits & BIT_GRACEFUL ? 120 : 0,
		.afi = { true, true },
	};

	addr_parse("127.0.0.1", &config.local);
	addr_parse("127.0.0.2", &config.peer);
	/* Each connection leaves its port in TIME-WAIT, and an address has only so many. */
	config.peer.b[3] = (uint8_t)(2 + address++ % 200);
	addr_parse("2001:db8::1", &config.next_hop6);
	return config;
}

static void session_run(const uint8_t *data, size_t size)
{
	static struct run run;
	struct session_config config;

	if (!size || size > STREAM_MAX / 2)
		return;
	memset(&run, 0, sizeof(run));
	config = config_of(data[0]);
	run.stop = data[0] & BIT_STOP;
	run.loop = loop_new();
	run.session = session_new(run.loop, &config, &ops, &run);
	FUZZ_CHECK(run.session);
	session_start(run.session);
	peer_connect(&run, &config);
	if (data[0] & BIT_OPEN)
		put_open(&run, data[0]);
	if (data[0] & BIT_FRAMED) {
		put_messages(&run, data + 1, size - 1);
	} else {
		memcpy(run.stream + run.len, data + 1, size - 1);
		run.len += size - 1;
	}
	FUZZ_CHECK(send(run.fd, run.stream, run.len, MSG_NOSIGNAL) == (ssize_t)run.len);
	shutdown(run.fd, SHUT_WR);
	FUZZ_CHECK(!loop_run(run.loop));
	fuzz_check_text(session_info(run.session)->last_error);
	session_free(run.session);
	loop_io_free(run.io);
	close(run.fd);
	loop_free(run.loop);
	FUZZ_CHECK(!attrs_count());
}

static void session_seeds(fuzz_add add)
{
	static const uint8_t sorts[] = { 0, BIT_OLD, BIT_INTERNAL };
	uint8_t data[4 + BGP_MESSAGE_MAX];

	for (size_t i = 0; i < N_MALFORMED; i++)
		for (int sort = 0; malformed_cases[i].type != M_NONE && sort < N_SORTS; sort++) {
			size_t len;

			if (!(malformed_cases[i].sorts & 1u << sort))
				continue;
			len = malformed_body(&malformed_cases[i], (enum malformed_sort)sort,
					     data + 4, BGP_MESSAGE_MAX);
			data[0] = sorts[sort] | BIT_FRAMED;
			if (malformed_cases[i].type != M_OPEN)
				data[0] |= BIT_OPEN;
			if (malformed_cases[i].capabilities & GRACEFUL)
				data[0] |= BIT_GRACEFUL;
			data[1] = malformed_cases[i].type;
			data[2] = (uint8_t)(len >> 8);
			data[3] = (uint8_t)len;
			add(data, 4 + len);
			data[0] |= BIT_STOP;
			add(data, 4 + len);
		}
	/* End-of-RIB, a refresh with its marks, bytes that are no BGP. */
	add("\x13\2\0\4\0\0\0\0\5\0\4\0\1\0\1\5\0\4\0\1\1\1\5\0\4\0\1\2\1\4\0\0", 32);
	add("\1GET / HTTP/1.1\r\n\r\n", 19);
	add("\1", 1);
}

const struct fuzz_target fuzz_session = { "session", 4096, session_run, session_seeds };
