// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgw-bfd's server and the agent's client, with real sockets: two agents whose
 * sessions watch each other over the loopback device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bfd/port.h"
#include "sys/bfd.h"
#include "vgwbfd/server.h"

#define PATIENCE_MS 15000
#define STEP_MS 3

struct side {
	struct bfd *bfd;
	const char *agent;
	unsigned int changes;
	bool was_failed; /* ever, in any change */
};

struct bench {
	struct loop *loop;
	struct loop_timer *step;
	uint64_t deadline;
	bool (*until)(struct bench *bench);
	bool met;
	char path[64];
	struct bfd_server *server;
	struct side gw, dc;
	unsigned int packets, discarded;
};

static void changed(void *ctx, const char *name, const struct bfd_status *status)
{
	struct side *side = ctx;

	side->changes++;
	side->was_failed |= status->known && status->info.failed;
}

static const struct bfd_ops ops = { .changed = changed };

static void step(void *ctx)
{
	struct bench *b = ctx;

	b->met = b->until(b);
	if (b->met || loop_now(b->loop) >= b->deadline)
		loop_stop(b->loop);
	else
		loop_timer_start(b->step, STEP_MS);
}

static bool wait_until(struct bench *b, bool (*until)(struct bench *bench))
{
	b->until = until;
	b->deadline = loop_now(b->loop) + PATIENCE_MS;
	loop_timer_start(b->step, 0);
	assert_int_equal(loop_run(b->loop), 0);
	return b->met;
}

static void serve(struct bench *b, uint32_t hold)
{
	char err[200];

	b->server = bfd_server_new(b->loop, b->path, hold, err, sizeof(err));
	assert_non_null(b->server);
}

static void agent(struct bench *b, struct side *side, const char *name)
{
	side->agent = name;
	side->bfd = bfd_new(b->loop, b->path, name, &ops, side);
	assert_non_null(side->bfd);
}

static int set(struct side *side, const char *name, const char *local, const char *peer)
{
	struct bfd_config config = { .device = "lo", .timers = { 100, 100, 6 } };

	assert_true(addr_parse(local, &config.local));
	assert_true(addr_parse(peer, &config.peer));
	return bfd_set(side->bfd, name, &config);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->loop = loop_new();
	b->step = loop_timer_new(b->loop, step, b);
	snprintf(b->path, sizeof(b->path), "/tmp/test-bfd-%d.sock", getpid());
	serve(b, 30);
	agent(b, &b->gw, "gw");
	agent(b, &b->dc, "dc");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	bfd_free(b->gw.bfd);
	bfd_free(b->dc.bfd);
	bfd_server_free(b->server);
	loop_timer_free(b->step);
	loop_free(b->loop);
	assert_int_not_equal(access(b->path, F_OK), 0);
	free(b);
	return 0;
}

static const struct bfd_session_info *info(struct side *side, const char *name)
{
	static const struct bfd_session_info none;
	const struct bfd_status *status = bfd_status(side->bfd, name);

	return status && status->known ? &status->info : &none;
}

static bool both_up(struct bench *b)
{
	return info(&b->gw, "t1")->state == BFD_UP && info(&b->dc, "t1")->state == BFD_UP &&
	       info(&b->gw, "t1")->detection == 600;
}

static void up(struct bench *b, const char *local, const char *peer)
{
	assert_int_equal(set(&b->gw, "t1", local, peer), 0);
	assert_int_equal(set(&b->dc, "t1", peer, local), 0);
	assert_true(wait_until(b, both_up));
}

static void test_up(void **state)
{
	struct bench *b = *state;

	up(b, "127.0.7.1", "127.0.7.2");
	assert_int_equal(bfd_server_sessions(b->server), 2);
	assert_true(info(&b->gw, "t1")->remote_independent);
	assert_int_equal(info(&b->gw, "t1")->remote_discriminator,
			 info(&b->dc, "t1")->discriminator);
	assert_null(bfd_status(b->gw.bfd, "t2"));
}

static void test_ipv6(void **state)
{
	struct bench *b = *state;
	struct bfd_config config = { .device = "lo", .timers = { 100, 100, 6 } };

	/* One address at both ends would be its own peer. */
	assert_true(addr_parse("::1", &config.local));
	config.peer = config.local;
	assert_int_equal(bfd_set(b->gw.bfd, "t1", &config), 0);
	assert_true(addr_parse("127.0.0.1", &config.peer));
	assert_int_equal(bfd_set(b->gw.bfd, "t2", &config), -22);
}

static bool gw_up(struct bench *b)
{
	return info(&b->gw, "t1")->state == BFD_UP;
}

/* The agent dies and comes back: the session is the same one. */
static void test_agent_restarts(void **state)
{
	struct bench *b = *state;
	struct bfd_session_info before;

	up(b, "127.0.7.3", "127.0.7.4");
	before = *info(&b->gw, "t1");
	b->dc.changes = 0;
	bfd_free(b->gw.bfd);
	agent(b, &b->gw, "gw");
	assert_int_equal(set(&b->gw, "t1", "127.0.7.3", "127.0.7.4"), 0);
	assert_true(wait_until(b, gw_up));
	assert_int_equal(info(&b->gw, "t1")->discriminator, before.discriminator);
	assert_int_equal(info(&b->gw, "t1")->transitions, before.transitions);
	assert_int_equal(b->dc.changes, 0);
}

static bool dc_hears_admin_down(struct bench *b)
{
	return info(&b->dc, "t1")->remote_state == BFD_ADMIN_DOWN;
}

static bool dc_forgot(struct bench *b)
{
	return bfd_server_sessions(b->server) == 1;
}

/* It comes back and does not want the session any more. */
static void test_unclaimed(void **state)
{
	struct bench *b = *state;

	up(b, "127.0.7.5", "127.0.7.6");
	bfd_free(b->gw.bfd);
	agent(b, &b->gw, "gw");
	assert_int_equal(set(&b->gw, "t9", "127.0.7.7", "127.0.7.8"), 0);
	assert_true(wait_until(b, dc_hears_admin_down));
	assert_false(b->dc.was_failed);
}

static void test_hold_over(void **state)
{
	struct bench *b = *state;

	bfd_server_free(b->server);
	serve(b, 1);
	up(b, "127.0.7.9", "127.0.7.10");
	bfd_free(b->gw.bfd);
	b->gw.bfd = NULL;
	assert_true(wait_until(b, dc_hears_admin_down));
	assert_false(b->dc.was_failed);
	assert_true(wait_until(b, dc_forgot));
}

static void test_removed(void **state)
{
	struct bench *b = *state;

	up(b, "127.0.7.11", "127.0.7.12");
	bfd_del(b->gw.bfd, "t1");
	assert_null(bfd_status(b->gw.bfd, "t1"));
	assert_true(wait_until(b, dc_hears_admin_down));
	assert_false(b->dc.was_failed);
	/* Wanted again while it says goodbye. */
	assert_int_equal(set(&b->gw, "t1", "127.0.7.11", "127.0.7.12"), 0);
	assert_true(wait_until(b, both_up));
}

static bool gw_unknown(struct bench *b)
{
	return !bfd_status(b->gw.bfd, "t1")->known;
}

/* vgw-bfd ends in order and starts again: no failure at either end, and it is told. */
static void test_server_restarts(void **state)
{
	struct bench *b = *state;

	up(b, "127.0.7.13", "127.0.7.14");
	bfd_server_free(b->server);
	b->server = NULL;
	assert_true(wait_until(b, gw_unknown));
	serve(b, 30);
	assert_true(wait_until(b, both_up));
	assert_false(b->gw.was_failed || b->dc.was_failed);
}

static bool gw_t2_refused(struct bench *b)
{
	return bfd_status(b->gw.bfd, "t2")->error[0];
}

static void test_refused(void **state)
{
	struct bench *b = *state;
	char err[200];

	up(b, "127.0.7.15", "127.0.7.16");
	assert_int_equal(set(&b->gw, "t2", "127.0.7.15", "127.0.7.17"), 0);
	assert_true(wait_until(b, gw_t2_refused));
	assert_true(both_up(b));
	assert_null(bfd_server_new(b->loop, b->path, 1, err, sizeof(err)));
	assert_non_null(strstr(err, "another"));
}

/* Other timers, the same session; another way, another session. */
static void test_changed(void **state)
{
	struct bench *b = *state;
	struct bfd_session_info before;

	up(b, "127.0.7.18", "127.0.7.19");
	before = *info(&b->gw, "t1");
	bfd_del(b->dc.bfd, "t1");
	assert_int_equal(set(&b->gw, "t1", "127.0.7.20", "127.0.7.21"), 0);
	assert_int_equal(set(&b->dc, "t2", "127.0.7.21", "127.0.7.20"), 0);
	assert_true(wait_until(b, gw_up));
	assert_int_not_equal(info(&b->gw, "t1")->discriminator, before.discriminator);
}

static int raw_connect(const struct bench *b)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	strcpy(sun.sun_path, b->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static int raw_fd;

static bool raw_closed(struct bench *b)
{
	char c[256];

	return recv(raw_fd, c, sizeof(c), 0) == 0;
}

/* Anything else than the protocol closes that connection, and only that. */
static void test_garbage(void **state)
{
	struct bench *b = *state;
	uint8_t data[300];

	up(b, "127.0.7.22", "127.0.7.23");
	srandom(5881);
	for (int i = 0; i < 200; i++) {
		size_t len = 1 + (size_t)random() % sizeof(data);

		for (size_t k = 0; k < len; k++)
			data[k] = (uint8_t)(random() % 3 ? random() % 7 : random());
		/* No valid HELLO by chance: that would be a client. */
		data[0] = (uint8_t)(i % 2);
		if (len > 1 && data[0])
			data[1] = (uint8_t)(2 + random() % 5);
		raw_fd = raw_connect(b);
		assert_int_equal(send(raw_fd, data, len, 0), len);
		assert_true(wait_until(b, raw_closed));
		close(raw_fd);
	}
	assert_true(both_up(b));
}

/* Port: who is heard. */

static void port_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct bench *b = ctx;

	b->packets++;
}

static void port_discarded(void *ctx)
{
	struct bench *b = ctx;

	b->discarded++;
}

static const struct bfd_port_ops port_ops = { port_packet, port_discarded };

static void send_from(const char *from, const char *to, int ttl)
{
	struct sockaddr_storage ss;
	struct addr local, peer;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len;

	assert_true(addr_parse(from, &local));
	assert_true(addr_parse(to, &peer));
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), 0);
	len = addr_to_sockaddr(&local, 0, &ss);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = addr_to_sockaddr(&peer, BFD_PORT, &ss);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&ss, len), 1);
	close(fd);
}

static void test_port(void **state)
{
	struct bench *b = *state;
	struct bfd_port_config config = { .device = "lo", .source_port = 51000 };
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct bfd_port *port;
	struct addr own;
	int error, fd;
	char c;

	assert_true(addr_parse("127.0.8.1", &config.local));
	assert_true(addr_parse("127.0.8.2", &config.peer));
	port = bfd_port_open(b->loop, &config, &port_ops, b, &error);
	assert_non_null(port);
	assert_true(bfd_port_current(port));
	send_from("127.0.8.2", "127.0.8.1", 255);
	send_from("127.0.8.2", "127.0.8.1", 254);
	send_from("127.0.8.3", "127.0.8.1", 255);
	bfd_port_drain(port);
	assert_int_equal(b->packets, 1);
	assert_int_equal(b->discarded, 2);
	/* The port is ours alone. */
	assert_null(bfd_port_open(b->loop, &config, &port_ops, b, &error));
	assert_int_equal(error, 98);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	len = addr_to_sockaddr(&config.peer, BFD_PORT, &ss);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	bfd_port_send(port, (const uint8_t *)"y", 1);
	len = sizeof(ss);
	assert_int_equal(recvfrom(fd, &c, 1, 0, (struct sockaddr *)&ss, &len), 1);
	own = addr_from_sockaddr((struct sockaddr *)&ss);
	assert_true(addr_equal(&own, &config.local));
	assert_int_equal(ntohs(((struct sockaddr_in *)&ss)->sin_port), 51000);
	close(fd);
	bfd_port_close(port);
	config.device = "no-such-device";
	assert_null(bfd_port_open(b->loop, &config, &port_ops, b, &error));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up),	      TEST(test_ipv6),	    TEST(test_agent_restarts),
		TEST(test_unclaimed), TEST(test_hold_over), TEST(test_removed),
		TEST(test_changed),   TEST(test_refused),   TEST(test_server_restarts),
		TEST(test_garbage),   TEST(test_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
