// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every few seconds a look at the tunnels as the module has them: counters make no
 * events, and neither does a reason that changes while the tunnel is down. Finds
 * tunnels that send while nothing comes back.
 */
#include <inttypes.h>
#include <stdio.h>

#include <linux/vgw.h>

#include "lib/log.h"
#include "sys/icmp.h"
#include "vgwd/gateway.h"

#define WATCH_MS 3000

static void watch_ignore(void *ctx, uint16_t sequence)
{
	(void)ctx;
	(void)sequence;
}

/* The answer, or any other packet, is counted by the module: that is all it is for. */
static void watch_ask(struct tunnel *tunnel)
{
	const struct icmp_config config = {
		.device = tunnel->config->interface,
		.source = tunnel->config->inside_address,
		.destination = tunnel->config->inside_peer,
	};
	char err[HEALTH_ERROR_SIZE];

	if (!tunnel->asker)
		tunnel->asker = icmp_new(tunnel->gateway->loop, &config, watch_ignore, tunnel, err,
					 sizeof(err));
	if (!tunnel->asker)
		log_debug(tunnel->config->name, "one-way: %s", err);
	else
		icmp_send(tunnel->asker, (uint16_t)tunnel->oneway.probes);
}

bool watch_oneway(const struct tunnel *tunnel, char *buf, size_t size)
{
	const struct oneway *oneway = &tunnel->oneway;
	uint64_t now = loop_now(tunnel->gateway->loop);
	const struct ike_status *ike = NULL;

	if (oneway->state != ONEWAY_FAILED)
		return false;
	if (tunnel->config->ike && tunnel->gateway->ike)
		ike = ike_status(tunnel->gateway->ike, tunnel->ike_name);
	snprintf(buf, size,
		 "%" PRIu64 " packets sent in %" PRIu64 " s and none received, no answer to a ping "
		 "either%s",
		 oneway->unanswered, (now - oneway->since) / 1000,
		 ike && ike->state == IKE_INSTALLED ? "; IKE says that the peer is alive" : "");
	return true;
}

static void watch_changed(struct tunnel *tunnel)
{
	const char *name = tunnel->config->name;
	char text[TIMELINE_TEXT_SIZE];

	if (watch_oneway(tunnel, text, sizeof(text))) {
		log_warning(name, "one-way: %s", text);
		history_note(tunnel->gateway, TIMELINE_ONEWAY, name, "%s", text);
	} else {
		log_info(name, "one-way: no longer");
		history_note(tunnel->gateway, TIMELINE_ONEWAY_OVER, name,
			     "something was received, or nothing is sent any more");
	}
}

static void watch_look(struct tunnel *tunnel)
{
	const struct kernel_tunnel *kernel = &tunnel->kernel;
	bool was = tunnel->oneway.state == ONEWAY_FAILED, is;

	if (oneway_look(&tunnel->oneway, kernel->state == VGW_TUNNEL_STATE_UP, kernel->tx_packets,
			kernel->rx_packets + kernel->rx_refused,
			loop_now(tunnel->gateway->loop)))
		watch_ask(tunnel);
	is = tunnel->oneway.state == ONEWAY_FAILED;
	if (is != was)
		watch_changed(tunnel);
	if (tunnel->oneway.state == ONEWAY_NONE)
		watch_forget(tunnel);
}

void watch_forget(struct tunnel *tunnel)
{
	icmp_free(tunnel->asker);
	tunnel->asker = NULL;
}

static void watch_row(void *ctx, const struct kernel_tunnel *report)
{
	struct tunnel *tunnel = gateway_tunnel_by_id(ctx, report->id);

	if (!tunnel)
		return;
	tunnel_reported(tunnel, report);
	watch_look(tunnel);
}

static void watch_done(void *ctx, int error, const char *text, long index)
{
	(void)ctx;
	(void)index;
	if (error)
		log_debug(NULL, "tunnels cannot be read from the module: %s", text);
}

static void watch_fire(void *ctx)
{
	struct gateway *gateway = ctx;

	loop_timer_start(gateway->watch_timer, WATCH_MS);
	if (gateway->bound)
		kernel_tunnels_dump(gateway->kernel, gateway->ifindex, watch_row, watch_done,
				    gateway);
}

int watch_init(struct gateway *gateway)
{
	gateway->watch_timer = loop_timer_new(gateway->loop, watch_fire, gateway);
	if (!gateway->watch_timer)
		return -1;
	loop_timer_start(gateway->watch_timer, WATCH_MS);
	return 0;
}
