// SPDX-License-Identifier: GPL-2.0-only
#include "core/oneway.h"

static void forget(struct oneway *oneway)
{
	oneway->state = ONEWAY_NONE;
	oneway->unanswered = 0;
	oneway->probes = 0;
}

/* Counters that run backwards are those of a new device or module. */
static bool heard(const struct oneway *oneway, bool up, uint64_t tx, uint64_t rx)
{
	return !up || !oneway->known || tx < oneway->tx || rx != oneway->rx;
}

static bool suspicious(const struct oneway *oneway, uint64_t now)
{
	return oneway->unanswered >= ONEWAY_PACKETS && now - oneway->since >= ONEWAY_SILENCE;
}

bool oneway_look(struct oneway *oneway, bool up, uint64_t tx, uint64_t rx, uint64_t now)
{
	if (heard(oneway, up, tx, rx)) {
		forget(oneway);
	} else if (tx > oneway->tx) {
		if (!oneway->unanswered)
			oneway->since = now;
		oneway->unanswered += tx - oneway->tx;
		oneway->sent_at = now;
	} else if (oneway->unanswered && now - oneway->sent_at > ONEWAY_IDLE) {
		forget(oneway);
	}
	oneway->known = up;
	oneway->tx = tx;
	oneway->rx = rx;
	if (oneway->state == ONEWAY_NONE && !suspicious(oneway, now))
		return false;
	oneway->state = oneway->probes < ONEWAY_PROBES ? ONEWAY_SUSPECT : ONEWAY_FAILED;
	oneway->probes += oneway->state == ONEWAY_SUSPECT;
	return true;
}
