// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two BFD sessions on a wire of this file and a clock that stands still:
 * states, timers, poll sequences, what is a failure and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bfd/session.h"

struct wire;

struct end {
	struct wire *wire;
	struct end *other;
	struct bfd_session *session;
	bool cut; /* what this end sends is lost */
	unsigned int sent, polls, finals, changes;
	uint64_t last_sent, gap_min, gap_max; /* between periodic packets */
	struct bfd_packet last;
	struct bfd_packet queue[16]; /* waits in the socket */
	size_t queued;
	bool blocked; /* the loop is late: nothing is read but by drain */
};

struct wire {
	struct loop *loop;
	struct end a, b;
};

static void end_deliver(struct end *end)
{
	for (size_t i = 0; i < end->queued; i++)
		bfd_session_receive(end->session, &end->queue[i]);
	end->queued = 0;
}

static void end_send(void *ctx, const struct bfd_packet *packet)
{
	struct end *end = ctx;
	uint64_t now = loop_now(end->wire->loop), gap = now - end->last_sent;

	end->sent++;
	end->polls += packet->poll;
	end->finals += packet->final;
	end->last = *packet;
	if (!packet->final) {
		if (gap > end->gap_max)
			end->gap_max = gap;
		if (gap < end->gap_min)
			end->gap_min = gap;
		end->last_sent = now;
	}
	assert_true(packet->independent);
	assert_false(packet->poll && packet->final);
	if (!end->cut && end->other->session && end->other->queued < 16)
		end->other->queue[end->other->queued++] = *packet;
}

static void end_drain(void *ctx)
{
	end_deliver(ctx);
}

static void end_changed(void *ctx)
{
	struct end *end = ctx;

	end->changes++;
}

static const struct bfd_session_ops ops = {
	.send = end_send,
	.drain = end_drain,
	.changed = end_changed,
};

static const struct bfd_session_info *info(const struct end *end)
{
	return bfd_session_info(end->session);
}

/* Packets arrive within a millisecond. */
static void run(struct wire *wire, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++) {
		loop_fake_advance(wire->loop, 1);
		for (int k = 0; k < 4 && (wire->a.queued || wire->b.queued); k++) {
			if (!wire->a.blocked)
				end_deliver(&wire->a);
			if (!wire->b.blocked)
				end_deliver(&wire->b);
		}
	}
}

static void end_open(struct wire *wire, struct end *end, struct end *other,
		     struct bfd_timers timers, uint32_t discriminator)
{
	*end = (struct end){ .wire = wire, .other = other, .gap_min = UINT64_MAX };
	end->session = bfd_session_new(wire->loop, &timers, discriminator, &ops, end);
	assert_non_null(end->session);
}

static const struct bfd_timers usual = { 300, 300, 3 };

static int setup(void **state)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	wire->loop = loop_new();
	loop_fake_clock(wire->loop);
	loop_fake_advance(wire->loop, 100000);
	end_open(wire, &wire->a, &wire->b, usual, 11);
	end_open(wire, &wire->b, &wire->a, usual, 22);
	*state = wire;
	return 0;
}

static int teardown(void **state)
{
	struct wire *wire = *state;

	bfd_session_free(wire->a.session);
	bfd_session_free(wire->b.session);
	loop_free(wire->loop);
	free(wire);
	return 0;
}

static void measure(struct end *end)
{
	end->gap_min = UINT64_MAX;
	end->gap_max = end->sent = end->polls = end->finals = end->changes = 0;
}

static void up(struct wire *wire)
{
	run(wire, 2000);
	assert_int_equal(info(&wire->a)->state, BFD_UP);
	assert_int_equal(info(&wire->b)->state, BFD_UP);
	run(wire, 1000);
	measure(&wire->a);
	measure(&wire->b);
}

static void test_up(void **state)
{
	struct wire *wire = *state;

	up(wire);
	assert_int_equal(info(&wire->a)->interval, 300);
	assert_int_equal(info(&wire->a)->detection, 900);
	assert_int_equal(info(&wire->a)->remote_discriminator, 22);
	assert_true(info(&wire->a)->was_up && info(&wire->a)->remote_independent);
	assert_false(info(&wire->a)->failed);
	run(wire, 30000);
	/* 75 to 100 of a hundred (RFC 5880 6.8.7), and really spread. */
	assert_in_range(wire->a.gap_min, 224, 240);
	assert_in_range(wire->a.gap_max, 285, 301);
	assert_int_equal(wire->a.changes, 0);
	assert_int_equal(wire->a.polls + wire->b.polls, 0);
}

/* Alone: once a second, never faster (RFC 5880 6.8.3). */
static void test_alone(void **state)
{
	struct wire *wire = *state;

	wire->b.cut = true;
	run(wire, 3000);
	measure(&wire->a);
	wire->a.cut = true;
	run(wire, 60000);
	assert_int_equal(info(&wire->a)->state, BFD_DOWN);
	assert_false(info(&wire->a)->failed);
	assert_false(info(&wire->a)->was_up);
	assert_in_range(wire->a.gap_min, 749, 1001);
	assert_in_range(wire->a.gap_max, 749, 1001);
	assert_int_equal(wire->a.last.desired_tx, 1000000);
}

static void test_detection(void **state)
{
	struct wire *wire = *state;
	uint64_t silent;

	up(wire);
	wire->b.cut = true;
	silent = loop_now(wire->loop);
	while (info(&wire->a)->state == BFD_UP && loop_now(wire->loop) - silent < 2000)
		run(wire, 1);
	assert_in_range(loop_now(wire->loop) - silent, 599, 901);
	assert_int_equal(info(&wire->a)->diag, BFD_DIAG_TIME_EXPIRED);
	assert_true(info(&wire->a)->failed);
	assert_int_equal(info(&wire->a)->remote_discriminator, 0);
	assert_int_equal(wire->a.last.desired_tx, 1000000);
	run(wire, 1);
	/* The other one is told at once. */
	assert_int_equal(info(&wire->b)->state, BFD_DOWN);
	assert_int_equal(info(&wire->b)->diag, BFD_DIAG_NEIGHBOR_DOWN);
	assert_true(info(&wire->b)->failed);
	run(wire, 60000);
	assert_true(info(&wire->a)->failed);
	wire->b.cut = false;
	up(wire);
	assert_false(info(&wire->a)->failed || info(&wire->b)->failed);
}

/* The loop was held up for longer than the detection time; the packets are in the socket. */
static void test_late_loop(void **state)
{
	struct wire *wire = *state;

	up(wire);
	wire->a.blocked = true;
	run(wire, 3000);
	assert_int_equal(info(&wire->a)->state, BFD_UP);
	assert_int_equal(info(&wire->a)->transitions, 2);
	wire->b.cut = true;
	run(wire, 2000);
	assert_int_equal(info(&wire->a)->state, BFD_DOWN);
}

static void test_admin_down(void **state)
{
	struct wire *wire = *state;

	up(wire);
	bfd_session_set_admin_down(wire->b.session, true);
	run(wire, 2);
	assert_int_equal(info(&wire->a)->state, BFD_DOWN);
	assert_int_equal(info(&wire->a)->remote_state, BFD_ADMIN_DOWN);
	assert_int_equal(info(&wire->a)->diag, BFD_DIAG_NEIGHBOR_DOWN);
	assert_false(info(&wire->a)->failed);
	assert_in_range(bfd_session_goodbye_ms(wire->b.session), 3000, 3000);
	run(wire, 10000);
	assert_int_equal(info(&wire->b)->state, BFD_ADMIN_DOWN);
	wire->b.cut = true;
	run(wire, 10000);
	assert_false(info(&wire->a)->failed);
	wire->b.cut = false;
	bfd_session_set_admin_down(wire->b.session, false);
	up(wire);
}

/* Switched off while it counts as failed: that ends. */
static void test_admin_down_after_failure(void **state)
{
	struct wire *wire = *state;

	up(wire);
	wire->b.cut = true;
	run(wire, 2000);
	assert_true(info(&wire->a)->failed);
	bfd_session_set_admin_down(wire->b.session, true);
	wire->b.cut = false;
	run(wire, 2000);
	assert_false(info(&wire->a)->failed);
}

/* The peer's process is a new one: it knows nothing of us, which is a failure. */
static void test_peer_restarts(void **state)
{
	struct wire *wire = *state;

	up(wire);
	bfd_session_free(wire->b.session);
	end_open(wire, &wire->b, &wire->a, usual, 33);
	run(wire, 5);
	assert_int_equal(info(&wire->a)->transitions, 4); /* init, up, down, init */
	up(wire);
	assert_int_equal(info(&wire->a)->remote_discriminator, 33);
	assert_false(info(&wire->a)->failed);
}

/* Slower than the peer wants to receive is what counts, each direction by itself. */
static void test_negotiation(void **state)
{
	struct wire *wire = *state;

	bfd_session_free(wire->b.session);
	end_open(wire, &wire->b, &wire->a, (struct bfd_timers){ 100, 700, 5 }, 22);
	up(wire);
	run(wire, 30000);
	assert_int_equal(info(&wire->a)->interval, 700);
	assert_int_equal(info(&wire->b)->interval, 300);
	assert_int_equal(info(&wire->a)->detection, 5 * 300);
	assert_int_equal(info(&wire->b)->detection, 3 * 700);
	assert_in_range(wire->a.gap_max, 650, 701);
}

static void test_poll(void **state)
{
	struct wire *wire = *state;

	up(wire);
	/* Slower: not before the peer has confirmed. */
	wire->b.cut = true;
	bfd_session_set_timers(wire->a.session, &(struct bfd_timers){ 500, 300, 3 });
	run(wire, 400);
	assert_int_equal(wire->a.last.desired_tx, 500000);
	assert_true(wire->a.last.poll);
	assert_int_equal(info(&wire->a)->interval, 300);
	wire->b.cut = false;
	run(wire, 3000);
	assert_int_equal(info(&wire->a)->interval, 500);
	assert_int_equal(info(&wire->b)->detection, 1500);
	assert_false(wire->a.last.poll);
	assert_true(wire->b.finals >= 1);
	/* Detecting faster: the same. */
	bfd_session_set_timers(wire->a.session, &(struct bfd_timers){ 100, 100, 3 });
	assert_int_equal(info(&wire->a)->detection, 900);
	run(wire, 3000);
	assert_int_equal(info(&wire->b)->interval, 300);
	bfd_session_set_timers(wire->b.session, &(struct bfd_timers){ 100, 100, 3 });
	run(wire, 3000);
	assert_int_equal(info(&wire->a)->interval, 100);
	assert_int_equal(info(&wire->b)->interval, 100);
	assert_int_equal(info(&wire->a)->detection, 300);
	assert_int_equal(info(&wire->a)->transitions, 2);
	assert_int_equal(info(&wire->b)->transitions, 2);
}

/* A poll of the peer is answered at once, also between two packets, and by one packet. */
static void test_final(void **state)
{
	struct wire *wire = *state;
	struct bfd_packet packet;

	up(wire);
	packet = wire->b.last;
	packet.poll = true;
	measure(&wire->a);
	bfd_session_receive(wire->a.session, &packet);
	assert_int_equal(wire->a.sent, 1);
	assert_true(wire->a.last.final);
}

static void test_discards(void **state)
{
	struct wire *wire = *state;
	struct bfd_packet packet;

	up(wire);
	packet = wire->b.last;
	packet.state = BFD_DOWN;
	packet.your_discriminator = 12;
	bfd_session_receive(wire->a.session, &packet);
	assert_int_equal(info(&wire->a)->state, BFD_UP);
	assert_int_equal(info(&wire->a)->discarded, 1);
}

/* The peer asks for silence: demand mode while both are up, or required rx 0. */
static void test_silence(void **state)
{
	struct wire *wire = *state;
	struct bfd_packet packet;

	up(wire);
	packet = wire->b.last;
	wire->b.cut = true;
	packet.demand = true;
	packet.desired_tx = 60000000;
	bfd_session_receive(wire->a.session, &packet);
	measure(&wire->a);
	run(wire, 5000);
	assert_int_equal(wire->a.sent, 0);
	packet.demand = false;
	packet.required_rx = 0;
	bfd_session_receive(wire->a.session, &packet);
	run(wire, 5000);
	assert_int_equal(wire->a.sent, 0);
	packet.required_rx = 100000;
	bfd_session_receive(wire->a.session, &packet);
	run(wire, 5000);
	assert_in_range(wire->a.sent, 16, 23);
}

static void test_multiplier_one(void **state)
{
	struct wire *wire = *state;

	bfd_session_free(wire->a.session);
	end_open(wire, &wire->a, &wire->b, (struct bfd_timers){ 300, 300, 1 }, 11);
	up(wire);
	run(wire, 60000);
	assert_in_range(wire->a.gap_max, 255, 271);
	assert_int_equal(info(&wire->b)->transitions, 2);
}

/* Loss, cuts, restarts, new timers at random: quiet again, both come up and stay. */
static void test_random(void **state)
{
	struct wire *wire = *state;

	srandom(5880);
	for (unsigned int round = 0; round < 2000; round++) {
		struct end *end = random() % 2 ? &wire->a : &wire->b;
		struct bfd_timers timers = { 10 + random() % 1000, 10 + random() % 1000,
					     1 + random() % 5 };

		switch (random() % 6) {
		case 0:
			end->cut = random() % 2;
			break;
		case 1:
			bfd_session_set_timers(end->session, &timers);
			break;
		case 2:
			bfd_session_set_admin_down(end->session, random() % 2);
			break;
		case 3:
			end->blocked = random() % 2;
			break;
		case 4:
			bfd_session_free(end->session);
			end_open(wire, end, end->other, timers, 100 + round);
			break;
		}
		run(wire, random() % 300);
		assert_false(info(end)->failed && info(end)->state == BFD_UP);
		if (round % 100 != 99)
			continue;
		wire->a.cut = wire->b.cut = wire->a.blocked = wire->b.blocked = false;
		bfd_session_set_admin_down(wire->a.session, false);
		bfd_session_set_admin_down(wire->b.session, false);
		bfd_session_set_timers(wire->a.session, &usual);
		bfd_session_set_timers(wire->b.session, &usual);
		run(wire, 20000);
		up(wire);
		assert_int_equal(info(&wire->a)->interval, 300);
		assert_int_equal(info(&wire->b)->interval, 300);
		assert_int_equal(info(&wire->a)->detection, 900);
		assert_int_equal(info(&wire->b)->detection, 900);
		assert_false(info(&wire->a)->failed || info(&wire->b)->failed);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up),		   TEST(test_alone),
		TEST(test_detection),	   TEST(test_late_loop),
		TEST(test_admin_down),	   TEST(test_admin_down_after_failure),
		TEST(test_peer_restarts),  TEST(test_negotiation),
		TEST(test_poll),	   TEST(test_final),
		TEST(test_discards),	   TEST(test_silence),
		TEST(test_multiplier_one), TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
