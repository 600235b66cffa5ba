/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop: the only file that knows libevent.
 *
 * Promise: callbacks run one at a time on the thread that runs the loop; a
 * callback may free its own or any other handle. A timer is late by the longest
 * callback, however many files are ready. Timers use the monotonic clock; tests
 * can replace it (loop_fake_clock) and step time by hand.
 */
#ifndef VGW_LIB_LOOP_H
#define VGW_LIB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_io;
struct loop_signal;

struct loop *loop_new(void);
void loop_free(struct loop *loop);
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Monotonic milliseconds, the loop's (or the fake) clock. */
uint64_t loop_now(const struct loop *loop);

/* One-shot timer; created stopped. start while running re-arms it. */
struct loop_timer *loop_timer_new(struct loop *loop, void (*fire)(void *ctx), void *ctx);
void loop_timer_start(struct loop_timer *timer, uint64_t ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_pending(const struct loop_timer *timer);
/* Milliseconds until it fires, 0 if not pending. */
uint64_t loop_timer_left(const struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine, as for every _free here */

#define LOOP_READ 1u
#define LOOP_WRITE 2u
/* The handle does not own fd. events: LOOP_READ | LOOP_WRITE, level triggered. */
struct loop_io *loop_io_new(struct loop *loop, int fd,
			    void (*ready)(void *ctx, unsigned int events), void *ctx);
void loop_io_set(struct loop_io *io, unsigned int events);
void loop_io_free(struct loop_io *io);

struct loop_signal *loop_signal_new(struct loop *loop, int signo, void (*caught)(void *ctx),
				    void *ctx);
void loop_signal_free(struct loop_signal *sig);

/* Test clock: time stands still until loop_fake_advance(), which fires due timers in order. */
void loop_fake_clock(struct loop *loop);
void loop_fake_advance(struct loop *loop, uint64_t ms);

#endif
