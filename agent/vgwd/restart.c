// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graceful restart as the restarting speaker (RFC 4724 4.1, decision D14).
 *
 * The module and the system table still hold the routes of our earlier life,
 * and packets flow by them. Until every peer that can be expected to has told
 * all it knows (End-of-RIB), or the restart time is over, no dynamic route is
 * selected: choosing early would move flows onto the first peer that came
 * back. Then everything is selected at once, the module's generation is
 * committed and the published routes that nobody claimed go.
 */
#include "lib/log.h"
#include "vgwd/gateway.h"

static void restart_finish(struct gateway *gateway)
{
	loop_timer_stop(gateway->restart_timer);
	gateway->phase = GATEWAY_RUNNING;
	gateway->commit_due = true;
	gateway_kick(gateway);
}

void restart_expired(void *ctx)
{
	struct gateway *gateway = ctx;

	log_warning(NULL, "restart time is over before every peer was back");
	restart_finish(gateway);
}

void restart_begin(struct gateway *gateway)
{
	uint32_t seconds = gateway->config->gateway.restart_time;

	if (!gateway->kept_forwarding || !seconds) {
		restart_finish(gateway);
		return;
	}
	log_info(NULL,
		 "the module holds routes of an earlier run: waiting for the peers, %u s at most",
		 seconds);
	gateway->phase = GATEWAY_RESTARTING;
	loop_timer_start(gateway->restart_timer, seconds * 1000ull);
	restart_check(gateway);
}

void restart_check(struct gateway *gateway)
{
	if (gateway->phase != GATEWAY_RESTARTING)
		return;
	for (const struct peer *peer = gateway->peers; peer; peer = peer->next)
		if (!peer->synced && peer->owner->expected(peer))
			return;
	log_info(NULL, "every peer that could be expected is back");
	restart_finish(gateway);
}

bool restart_deferring(const struct gateway *gateway)
{
	return gateway->phase != GATEWAY_RUNNING;
}
