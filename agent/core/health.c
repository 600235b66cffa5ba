// SPDX-License-Identifier: GPL-2.0-only
#include "core/health.h"

static void judge(struct health *health, enum health_verdict verdict, uint64_t now)
{
	if (health->verdict == verdict)
		return;
	health->verdict = verdict;
	health->since = now;
}

void health_init(struct health *health, const struct health_timing *timing, uint16_t sequence,
		 uint64_t now)
{
	*health = (struct health){
		.timing = *timing,
		.sequence = sequence,
		.since = now,
		.due = now,
	};
}

void health_retime(struct health *health, const struct health_timing *timing, uint64_t now)
{
	health->timing = *timing;
	if (health->due != UINT64_MAX && health->due > now + timing->interval)
		health->due = now + timing->interval;
}

bool health_tick(struct health *health, uint64_t now)
{
	if (now < health->due)
		return false;
	if (health->open) {
		health->lost++;
		health->good_row = 0;
		if (++health->lost_row >= health->timing.retries)
			judge(health, HEALTH_FAILED, now);
	}
	health->sequence++;
	health->open = true;
	health->sent++;
	health->sent_at = now;
	health->due = now + health->timing.interval;
	return true;
}

void health_answer(struct health *health, uint16_t sequence, uint64_t now)
{
	if (!health->open || sequence != health->sequence) {
		health->stray++;
		return;
	}
	health->open = false;
	health->answered++;
	health->lost_row = 0;
	health->good_row++;
	health->rtt = (uint32_t)(now - health->sent_at);
	if (health->verdict != HEALTH_FAILED || health->good_row >= health->timing.recover)
		judge(health, HEALTH_GOOD, now);
}

void health_unsent(struct health *health)
{
	if (!health->open)
		return;
	health->open = false;
	health->sent--;
}

void health_pause(struct health *health, bool pause, uint64_t now)
{
	if (pause == (health->due == UINT64_MAX))
		return;
	health->open = false;
	health->lost_row = 0;
	health->good_row = 0;
	health->due = pause ? UINT64_MAX : now;
}

const char *health_verdict_name(enum health_verdict verdict)
{
	static const char *const names[] = {
		[HEALTH_WAITING] = "waiting",
		[HEALTH_GOOD] = "good",
		[HEALTH_FAILED] = "failed",
	};

	return names[verdict];
}
