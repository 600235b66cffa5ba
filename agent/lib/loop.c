// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event loop on libevent. Timers are kept in a heap of our own with one
 * libevent timer at its head: loop_timer_start() can then not fail (the room
 * is made by loop_timer_new()), and the fake clock fires by the same order.
 */
#include "lib/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "lib/log.h"

/* About 70 years; keeps sums far from overflow whatever the caller asks for. */
#define TIMER_MAX_MS (1ull << 41)
#define NOT_PENDING SIZE_MAX
/* libevent serves all files that are ready before a timer: thirty full sockets take long. */
#define LATE_US 5000

struct loop {
	struct event_base *base;
	struct event *tick; /* pending for the head of the heap */
	struct loop_timer **heap;
	size_t n_pending, n_timers, heap_size;
	uint64_t tick_due; /* what tick is armed for, if armed */
	uint64_t seq;
	uint64_t fake_now;
	bool armed, fake, stopping;
};

struct loop_timer {
	struct loop *loop;
	void (*fire)(void *ctx);
	void *ctx;
	uint64_t due; /* microseconds; milliseconds would fire up to one too early */
	uint64_t seq; /* timers due at once fire in the order they were started */
	size_t slot; /* in the heap, or NOT_PENDING */
};

struct loop_io {
	struct loop *loop;
	struct event *event;
	void (*ready)(void *ctx, unsigned int events);
	void *ctx;
	int fd;
	unsigned int events;
};

struct loop_signal {
	struct event *event;
	void (*caught)(void *ctx);
	void *ctx;
};

static uint64_t now_us(const struct loop *loop)
{
	struct timespec ts;

	if (loop->fake)
		return loop->fake_now;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static bool timer_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void heap_place(struct loop *loop, size_t slot, struct loop_timer *timer)
{
	loop->heap[slot] = timer;
	timer->slot = slot;
}

static void heap_up(struct loop *loop, struct loop_timer *timer)
{
	size_t slot = timer->slot;

	while (slot && timer_before(timer, loop->heap[(slot - 1) / 2])) {
		heap_place(loop, slot, loop->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	heap_place(loop, slot, timer);
}

static void heap_down(struct loop *loop, struct loop_timer *timer)
{
	size_t slot = timer->slot, child;

	while ((child = 2 * slot + 1) < loop->n_pending) {
		if (child + 1 < loop->n_pending &&
		    timer_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (timer_before(timer, loop->heap[child]))
			break;
		heap_place(loop, slot, loop->heap[child]);
		slot = child;
	}
	heap_place(loop, slot, timer);
}

static void heap_remove(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer *last = loop->heap[--loop->n_pending];

	if (last != timer) {
		heap_place(loop, timer->slot, last);
		heap_up(loop, last);
		heap_down(loop, last);
	}
	timer->slot = NOT_PENDING;
}

static struct loop_timer *heap_head(const struct loop *loop)
{
	return loop->n_pending ? loop->heap[0] : NULL;
}

/* Makes tick agree with the head of the heap. */
static void tick_arm(struct loop *loop)
{
	struct loop_timer *timer = heap_head(loop);
	uint64_t now, left;
	struct timeval tv;

	if (loop->fake)
		return;
	if (!timer) {
		evtimer_del(loop->tick);
		loop->armed = false;
		return;
	}
	if (loop->armed && loop->tick_due == timer->due)
		return;
	now = now_us(loop);
	left = timer->due > now ? timer->due - now : 0;
	tv.tv_sec = (time_t)(left / 1000000);
	tv.tv_usec = (suseconds_t)(left % 1000000);
	/* Cannot fail: loop_new() has made libevent reserve the place. */
	evtimer_add(loop->tick, &tv);
	loop->tick_due = timer->due;
	loop->armed = true;
}

static void tick_fire(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t now = now_us(loop), seq = loop->seq;
	struct loop_timer *timer;

	loop->armed = false;
	/* Not those started meanwhile: a timer that re-arms with 0 must let I/O have its turn. */
	while (!loop->stopping && (timer = heap_head(loop)) && timer->due <= now &&
	       timer->seq < seq) {
		heap_remove(loop, timer);
		timer->fire(timer->ctx); /* may free any timer, this one too */
	}
	tick_arm(loop);
}

static void libevent_log(int severity, const char *text)
{
	static const enum log_level levels[] = {
		[EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
		[EVENT_LOG_MSG] = LOG_LEVEL_INFO,
		[EVENT_LOG_WARN] = LOG_LEVEL_WARNING,
		[EVENT_LOG_ERR] = LOG_LEVEL_ERROR,
	};

	if (severity < EVENT_LOG_DEBUG || severity > EVENT_LOG_ERR)
		severity = EVENT_LOG_ERR;
	log_write(levels[severity], "libevent", "%s", text);
}

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	/*
	 * The exact clock, read anew: else a timer started late in a long
	 * callback counts from the callback's begin, and off by a jiffy.
	 */
	if (!event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER |
						   EVENT_BASE_FLAG_NO_CACHE_TIME |
						   EVENT_BASE_FLAG_IGNORE_ENV))
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct loop *loop_new(void)
{
	const struct timeval hour = { .tv_sec = 3600 };
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	event_set_log_callback(libevent_log);
	loop->base = base_new();
	if (!loop->base)
		goto free_loop;
	loop->tick = evtimer_new(loop->base, tick_fire, loop);
	if (!loop->tick)
		goto free_base;
	if (evtimer_add(loop->tick, &hour))
		goto free_tick;
	evtimer_del(loop->tick);
	return loop;
free_tick:
	event_free(loop->tick);
free_base:
	event_base_free(loop->base);
free_loop:
	free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	event_free(loop->tick);
	event_base_free(loop->base);
	free(loop->heap);
	free(loop);
}

int loop_run(struct loop *loop)
{
	int ret = 0;

	errno = 0;
	/* libevent forgets a stop that comes before the run; a daemon must not. */
	if (!loop->stopping)
		ret = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	loop->stopping = false;
	if (ret < 0)
		return errno ? -errno : -EIO;
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
	event_base_loopbreak(loop->base);
}

uint64_t loop_now(const struct loop *loop)
{
	return now_us(loop) / 1000;
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*fire)(void *ctx), void *ctx)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	if (loop->n_timers == loop->heap_size) {
		size_t size = loop->heap_size ? 2 * loop->heap_size : 16;
		struct loop_timer **heap = realloc(loop->heap, size * sizeof(struct loop_timer *));

		if (!heap) {
			free(timer);
			return NULL;
		}
		loop->heap = heap;
		loop->heap_size = size;
	}
	loop->n_timers++;
	timer->loop = loop;
	timer->fire = fire;
	timer->ctx = ctx;
	timer->slot = NOT_PENDING;
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
	struct loop *loop = timer->loop;

	if (ms > TIMER_MAX_MS)
		ms = TIMER_MAX_MS;
	if (timer->slot != NOT_PENDING)
		heap_remove(loop, timer);
	timer->due = now_us(loop) + ms * 1000;
	timer->seq = loop->seq++;
	heap_place(loop, loop->n_pending++, timer);
	heap_up(loop, timer);
	tick_arm(loop);
}

void loop_timer_stop(struct loop_timer *timer)
{
	if (timer->slot == NOT_PENDING)
		return;
	heap_remove(timer->loop, timer);
	tick_arm(timer->loop);
}

bool loop_timer_pending(const struct loop_timer *timer)
{
	return timer->slot != NOT_PENDING;
}

uint64_t loop_timer_left(const struct loop_timer *timer)
{
	uint64_t now = now_us(timer->loop);

	if (timer->slot == NOT_PENDING || timer->due <= now)
		return 0;
	/* Upwards: 0 is for what is not pending or due now. */
	return (timer->due - now + 999) / 1000;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	loop_timer_stop(timer);
	timer->loop->n_timers--;
	free(timer);
}

static void io_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;
	struct loop *loop = io->loop;
	const struct loop_timer *head;
	unsigned int events = 0;

	if (what & EV_READ)
		events |= LOOP_READ;
	if (what & EV_WRITE)
		events |= LOOP_WRITE;
	io->ready(io->ctx, events); /* may free io */
	head = heap_head(loop);
	if (head && !loop->fake && now_us(loop) >= head->due + LATE_US)
		tick_fire(-1, 0, loop);
}

struct loop_io *loop_io_new(struct loop *loop, int fd,
			    void (*ready)(void *ctx, unsigned int events), void *ctx)
{
	struct loop_io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	io->event = event_new(loop->base, fd, EV_PERSIST, io_ready, io);
	if (!io->event) {
		free(io);
		return NULL;
	}
	io->loop = loop;
	io->fd = fd;
	io->ready = ready;
	io->ctx = ctx;
	return io;
}

void loop_io_set(struct loop_io *io, unsigned int events)
{
	short what = EV_PERSIST;

	events &= LOOP_READ | LOOP_WRITE;
	if (events == io->events)
		return;
	/* Takes back a call that is already queued; level triggering repeats it if still due. */
	event_del(io->event);
	io->events = 0;
	if (!events)
		return;
	if (events & LOOP_READ)
		what |= EV_READ;
	if (events & LOOP_WRITE)
		what |= EV_WRITE;
	if (event_assign(io->event, io->loop->base, io->fd, what, io_ready, io) ||
	    event_add(io->event, NULL)) {
		/* events stays 0, so the owner's next call tries again. */
		log_error("loop", "cannot watch file descriptor %d: %m", io->fd);
		return;
	}
	io->events = events;
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	event_free(io->event);
	free(io);
}

static void signal_caught(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *sig = arg;

	sig->caught(sig->ctx); /* may free sig */
}

struct loop_signal *loop_signal_new(struct loop *loop, int signo, void (*caught)(void *ctx),
				    void *ctx)
{
	struct loop_signal *sig = calloc(1, sizeof(*sig));

	if (!sig)
		return NULL;
	sig->caught = caught;
	sig->ctx = ctx;
	sig->event = evsignal_new(loop->base, signo, signal_caught, sig);
	if (!sig->event)
		goto free_sig;
	if (event_add(sig->event, NULL))
		goto free_event;
	return sig;
free_event:
	event_free(sig->event);
free_sig:
	free(sig);
	return NULL;
}

void loop_signal_free(struct loop_signal *sig)
{
	if (!sig)
		return;
	event_free(sig->event);
	free(sig);
}

void loop_fake_clock(struct loop *loop)
{
	if (loop->fake)
		return;
	/* From the real time on, so that what is pending keeps what it has left. */
	loop->fake_now = now_us(loop);
	loop->fake = true;
	loop->armed = false;
	evtimer_del(loop->tick);
}

void loop_fake_advance(struct loop *loop, uint64_t ms)
{
	uint64_t target = loop->fake_now + ms * 1000;
	struct loop_timer *timer;

	/* A test that forgot the fake clock would else wait for timers that never fire. */
	if (!loop->fake)
		abort();
	while ((timer = heap_head(loop)) && timer->due <= target) {
		/* A callback may have advanced beyond both. */
		if (timer->due > loop->fake_now)
			loop->fake_now = timer->due;
		heap_remove(loop, timer);
		timer->fire(timer->ctx);
	}
	if (loop->fake_now < target)
		loop->fake_now = target;
}
