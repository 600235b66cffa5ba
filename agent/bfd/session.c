// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session. Names in comments (bfd.X) are the variables of RFC 5880 6.8.1.
 *
 * Two copies of our timers: what is said in packets, and what counts here. They
 * differ only during a poll sequence in the state Up, when the peer has not yet
 * confirmed that it knows a slower rate of ours, or that we detect faster
 * (RFC 5880 6.8.3).
 */
#include "bfd/session.h"

#include <stdlib.h>
#include <sys/random.h>

/* RFC 5880 6.8.3: not faster than once a second while not up. */
#define SLOW_US 1000000u

struct bfd_session {
	struct loop *loop;
	struct bfd_session_ops ops;
	void *ctx;
	struct bfd_timers config;
	struct bfd_session_info info;
	struct loop_timer *transmit, *detect;
	uint32_t said_tx, said_rx; /* microseconds, in our packets */
	uint32_t used_tx, used_rx; /* what counts */
	uint32_t remote_tx, remote_rx; /* bfd.RemoteMinTxInterval (of the packets), RemoteMinRx */
	uint8_t remote_multiplier;
	bool remote_demand;
	bool polling;
	bool poll_again; /* timers changed while a poll sequence was under way */
	uint64_t last_received; /* loop time */
	uint64_t last_sent;
	uint32_t random;
};

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t to_ms(uint64_t us)
{
	uint64_t ms = (us + 999) / 1000;

	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

const struct bfd_session_info *bfd_session_info(const struct bfd_session *s)
{
	return &s->info;
}

/* Timers */

/* RFC 5880 6.8.7. */
static uint32_t interval_ms(const struct bfd_session *s)
{
	if (!s->remote_rx)
		return 0;
	if (s->remote_demand && s->info.state == BFD_UP && s->info.remote_state == BFD_UP &&
	    !s->polling)
		return 0;
	return to_ms(larger(s->used_tx, s->remote_rx));
}

/* RFC 5880 6.8.4. */
static uint32_t detection_ms(const struct bfd_session *s)
{
	if (!s->remote_multiplier)
		return 0;
	return to_ms((uint64_t)s->remote_multiplier * larger(s->used_rx, s->remote_tx));
}

/* xorshift: spreads packets, nothing more. */
static uint64_t jitter(struct bfd_session *s, uint32_t ms)
{
	/* With multiplier 1 a late packet is a failure: at least a tenth is taken off. */
	uint32_t most = s->config.multiplier == 1 ? 900 : 1000;

	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return (uint64_t)ms * (750 + s->random % (most - 750 + 1)) / 1000;
}

static void transmit_arm(struct bfd_session *s)
{
	uint64_t now = loop_now(s->loop), due;

	s->info.interval = interval_ms(s);
	if (!s->info.interval) {
		loop_timer_stop(s->transmit);
		return;
	}
	due = s->last_sent + jitter(s, s->info.interval);
	loop_timer_start(s->transmit, due > now ? due - now : 0);
}

/* A change of the rates: sooner if faster now, as late as it was if slower. */
static void transmit_adjust(struct bfd_session *s)
{
	if (interval_ms(s) != s->info.interval)
		transmit_arm(s);
}

static void detect_arm(struct bfd_session *s)
{
	uint64_t now = loop_now(s->loop), due;

	s->info.detection = detection_ms(s);
	due = s->last_received + s->info.detection;
	loop_timer_start(s->detect, due > now ? due - now : 0);
}

/* Sending */

static void send_packet(struct bfd_session *s, bool final)
{
	struct bfd_packet packet = {
		.state = s->info.state,
		.diag = s->info.diag,
		.multiplier = s->config.multiplier,
		.poll = s->polling && !final,
		.final = final,
		.independent = true,
		.my_discriminator = s->info.discriminator,
		.your_discriminator = s->info.remote_discriminator,
		.desired_tx = s->said_tx,
		.required_rx = s->said_rx,
	};

	s->info.sent++;
	s->ops.send(s->ctx, &packet);
}

static void send_periodic(struct bfd_session *s)
{
	s->last_sent = loop_now(s->loop);
	send_packet(s, false);
	transmit_arm(s);
}

static void transmit_fired(void *ctx)
{
	send_periodic(ctx);
}

/* Our rates */

static void poll_begin(struct bfd_session *s)
{
	s->poll_again = s->polling;
	s->polling = true;
}

/* What we say follows from state and configuration (RFC 5880 6.8.3). */
static void rates_update(struct bfd_session *s)
{
	bool up = s->info.state == BFD_UP;
	uint32_t tx = s->config.transmit * 1000, rx = s->config.receive * 1000;

	if (!up && tx < SLOW_US)
		tx = SLOW_US;
	if (tx == s->said_tx && rx == s->said_rx)
		return;
	s->said_tx = tx;
	s->said_rx = rx;
	/* What must wait for the peer to know: sending slower, detecting faster. */
	if (!up || tx < s->used_tx)
		s->used_tx = tx;
	if (!up || rx > s->used_rx)
		s->used_rx = rx;
	if (s->info.state == BFD_UP || s->info.state == BFD_INIT)
		poll_begin(s);
}

static void poll_end(struct bfd_session *s)
{
	s->polling = s->poll_again;
	s->poll_again = false;
	if (s->polling)
		return;
	s->used_tx = s->said_tx;
	s->used_rx = s->said_rx;
}

/* State */

static void forget_peer(struct bfd_session *s)
{
	s->info.remote_discriminator = 0;
	s->info.heard = false;
	s->remote_rx = 1; /* RFC 5880 6.8.1 */
	s->remote_demand = false;
	s->polling = s->poll_again = false;
}

static void set_state(struct bfd_session *s, uint8_t state, uint8_t diag)
{
	bool left_up = s->info.state == BFD_UP;

	s->info.state = state;
	s->info.diag = diag;
	s->info.transitions++;
	if (state == BFD_UP) {
		s->info.was_up = true;
		s->info.failed = false;
	} else if (state == BFD_ADMIN_DOWN) {
		s->info.failed = false;
	} else if (left_up) {
		s->info.failed = s->info.remote_state != BFD_ADMIN_DOWN ||
				 diag != BFD_DIAG_NEIGHBOR_DOWN;
	}
	if (state != BFD_UP && state != BFD_INIT)
		s->polling = s->poll_again = false;
	rates_update(s);
	/* The peer learns of it now, not at the next turn (RFC 5880 6.8.7). */
	send_periodic(s);
}

/* The peer is silent for the detection time: judged only when its packets were really read. */
static void detect_fired(void *ctx)
{
	struct bfd_session *s = ctx;
	uint64_t due;

	if (s->ops.drain)
		s->ops.drain(s->ctx);
	due = s->last_received + detection_ms(s);
	if (loop_now(s->loop) < due) {
		detect_arm(s);
		return;
	}
	loop_timer_stop(s->detect);
	forget_peer(s);
	s->info.detection = 0;
	if (s->info.state == BFD_UP || s->info.state == BFD_INIT)
		set_state(s, BFD_DOWN, BFD_DIAG_TIME_EXPIRED);
	else
		transmit_adjust(s);
	s->ops.changed(s->ctx);
}

/* RFC 5880 6.8.6, the table of states. */
static void step(struct bfd_session *s, uint8_t remote)
{
	uint8_t state = s->info.state;

	if (remote == BFD_ADMIN_DOWN) {
		s->info.failed = false;
		if (state != BFD_DOWN)
			set_state(s, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN);
	} else if (state == BFD_DOWN && remote == BFD_DOWN) {
		set_state(s, BFD_INIT, BFD_DIAG_NONE);
	} else if ((state == BFD_DOWN && remote == BFD_INIT) ||
		   (state == BFD_INIT && (remote == BFD_INIT || remote == BFD_UP))) {
		set_state(s, BFD_UP, BFD_DIAG_NONE);
	} else if (state == BFD_UP && remote == BFD_DOWN) {
		set_state(s, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN);
	}
}

static void take_values(struct bfd_session *s, const struct bfd_packet *packet)
{
	s->info.received++;
	s->info.heard = true;
	s->info.remote_discriminator = packet->my_discriminator;
	s->info.remote_state = packet->state;
	s->info.remote_diag = packet->diag;
	s->info.remote_independent = packet->independent;
	s->remote_tx = packet->desired_tx;
	s->remote_rx = packet->required_rx;
	s->remote_multiplier = packet->multiplier;
	s->remote_demand = packet->demand;
}

static bool same_info(const struct bfd_session_info *a, const struct bfd_session_info *b)
{
	return a->state == b->state && a->diag == b->diag && a->remote_state == b->remote_state &&
	       a->remote_diag == b->remote_diag && a->heard == b->heard &&
	       a->remote_independent == b->remote_independent && a->failed == b->failed &&
	       a->remote_discriminator == b->remote_discriminator && a->interval == b->interval &&
	       a->detection == b->detection;
}

void bfd_session_receive(struct bfd_session *s, const struct bfd_packet *packet)
{
	struct bfd_session_info before = s->info;

	if ((packet->your_discriminator && packet->your_discriminator != s->info.discriminator) ||
	    s->info.state == BFD_ADMIN_DOWN) {
		s->info.discarded++;
		return;
	}
	take_values(s, packet);
	if (s->polling && packet->final)
		poll_end(s);
	step(s, packet->state);
	if (packet->poll)
		send_packet(s, true);
	s->last_received = loop_now(s->loop);
	detect_arm(s);
	transmit_adjust(s);
	if (!same_info(&before, &s->info))
		s->ops.changed(s->ctx);
}

void bfd_session_count_discarded(struct bfd_session *s)
{
	s->info.discarded++;
}

void bfd_session_set_timers(struct bfd_session *s, const struct bfd_timers *timers)
{
	bool multiplier = timers->multiplier != s->config.multiplier;

	s->config = *timers;
	rates_update(s);
	if (s->info.detection)
		detect_arm(s);
	/* A multiplier needs no poll; tell it with the first packet, which is now. */
	if (multiplier || s->polling)
		send_periodic(s);
	else
		transmit_adjust(s);
	s->ops.changed(s->ctx);
}

void bfd_session_set_admin_down(struct bfd_session *s, bool on)
{
	if (on == (s->info.state == BFD_ADMIN_DOWN))
		return;
	if (on) {
		loop_timer_stop(s->detect);
		s->info.detection = 0;
		set_state(s, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN);
	} else {
		forget_peer(s);
		set_state(s, BFD_DOWN, BFD_DIAG_NONE);
	}
	s->ops.changed(s->ctx);
}

uint32_t bfd_session_goodbye_ms(const struct bfd_session *s)
{
	return to_ms((uint64_t)s->config.multiplier * larger(s->said_tx, s->remote_rx));
}

struct bfd_session *bfd_session_new(struct loop *loop, const struct bfd_timers *timers,
				    uint32_t discriminator, const struct bfd_session_ops *ops,
				    void *ctx)
{
	struct bfd_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->ops = *ops;
	s->ctx = ctx;
	s->config = *timers;
	s->info.state = s->info.remote_state = BFD_DOWN;
	s->info.discriminator = discriminator;
	s->remote_rx = 1;
	s->transmit = loop_timer_new(loop, transmit_fired, s);
	s->detect = loop_timer_new(loop, detect_fired, s);
	if (!s->transmit || !s->detect) {
		bfd_session_free(s);
		return NULL;
	}
	if (getrandom(&s->random, sizeof(s->random), GRND_NONBLOCK) != sizeof(s->random) ||
	    !s->random)
		s->random = discriminator | 1;
	rates_update(s);
	/* From the loop: the owner does not hold the session yet. */
	loop_timer_start(s->transmit, 0);
	return s;
}

void bfd_session_free(struct bfd_session *s)
{
	if (!s)
		return;
	loop_timer_free(s->transmit);
	loop_timer_free(s->detect);
	free(s);
}
