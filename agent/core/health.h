/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A health check as a machine: when to send a probe, and what answers and
 * silence mean. It sends nothing and reads no clock: the caller gives it
 * milliseconds that never go back.
 *
 * One probe is under way at a time, sent every interval. It is lost if it has no
 * answer when the next one is due. So many lost ones in a row (retries) are a
 * failure, so many answered ones in a row (recover) the end of it. A path that stops
 * answering is failed after retries to retries + 1 intervals.
 *
 * Promise: a verdict comes from probes only. A probe that could not be sent, a
 * pause, a late answer, one answer twice and a caller that was held up say nothing.
 */
#ifndef VGW_CORE_HEALTH_H
#define VGW_CORE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum health_verdict {
	HEALTH_WAITING, /* nothing is known yet: counts as good */
	HEALTH_GOOD,
	HEALTH_FAILED,
};

struct health_timing {
	uint32_t interval; /* milliseconds, not 0 */
	uint8_t retries, recover; /* not 0 */
};

struct health {
	struct health_timing timing;
	enum health_verdict verdict;
	uint64_t since; /* of the verdict */
	uint64_t due; /* health_tick() has something to do then; UINT64_MAX while paused */
	uint64_t sent_at; /* the last probe */
	uint16_t sequence; /* its number */
	bool open; /* it counts, and has no answer yet */
	unsigned int lost_row, good_row; /* in a row, up to now */
	uint64_t sent, answered, lost, stray;
	uint32_t rtt; /* milliseconds, of the last answer */
};

/* The first probe is due at once; of number sequence + 1. */
void health_init(struct health *health, const struct health_timing *timing, uint16_t sequence,
		 uint64_t now);
/* Another timing; what is known stays. */
void health_retime(struct health *health, const struct health_timing *timing, uint64_t now);
/*
 * Call at health->due or later, after every answer that arrived was told. True: send
 * a probe of number health->sequence now.
 */
bool health_tick(struct health *health, uint64_t now);
void health_answer(struct health *health, uint16_t sequence, uint64_t now);
/* The probe of the last health_tick() could not be sent, for a reason of our own. */
void health_unsent(struct health *health);
/* The path is known to be dead for another reason: nothing is sent, the verdict stays. */
void health_pause(struct health *health, bool pause, uint64_t now);
const char *health_verdict_name(enum health_verdict verdict); /* "waiting", "good", "failed" */

#endif
