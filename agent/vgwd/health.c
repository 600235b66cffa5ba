// SPDX-License-Identifier: GPL-2.0-only
/*
 * The health check of a tunnel (rules 28 and 30): an ICMP echo through its XFRM
 * device, past the module, so that a failed tunnel can show that it is good again.
 *
 * While the module says that the tunnel has no SA or no device there is nothing to
 * find out: the check pauses and its verdict stays. So does it where the check
 * itself cannot be done; that is a warning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vgw.h>

#include "lib/log.h"
#include "sys/icmp.h"
#include "vgwd/gateway.h"

struct health_check {
	struct tunnel *tunnel;
	struct config_health config; /* what it was made of */
	uint32_t ifindex; /* of the device that the socket is bound to */
	struct health machine;
	enum health_verdict told;
	struct icmp *icmp; /* NULL: cannot be opened now */
	struct loop_timer *timer;
	char error[HEALTH_ERROR_SIZE];
};

static uint64_t check_now(const struct health_check *check)
{
	return loop_now(check->tunnel->gateway->loop);
}

static struct health_timing timing_of(const struct config_health *config)
{
	return (struct health_timing){
		.interval = config->interval * 1000,
		.retries = config->retries,
		.recover = config->recover,
	};
}

static void check_fail(struct health_check *check, const char *text)
{
	if (!strcmp(check->error, text))
		return;
	snprintf(check->error, sizeof(check->error), "%s", text);
	log_warning(check->tunnel->config->name, "health check: %s", text);
}

static void check_tell(struct health_check *check)
{
	struct tunnel *tunnel = check->tunnel;
	const char *name = tunnel->config->name;
	char text[TIMELINE_TEXT_SIZE], destination[ADDR_STRLEN];

	addr_format(&check->config.destination, destination, sizeof(destination));
	check->told = check->machine.verdict;
	switch (check->told) {
	case HEALTH_FAILED:
		health_check_reason(tunnel, text, sizeof(text));
		log_warning(name, "health check: the path failed: %s", text);
		history_note(tunnel->gateway, TIMELINE_HEALTH_DOWN, name, "%s", text);
		break;
	default:
		log_info(name, "health check: %s answers", destination);
		history_note(tunnel->gateway, TIMELINE_HEALTH_UP, name, "%s answers", destination);
		break;
	}
	liveness_judge(tunnel);
}

static void check_settle(struct health_check *check)
{
	uint64_t now = check_now(check);

	if (check->machine.due == UINT64_MAX)
		loop_timer_stop(check->timer);
	else
		loop_timer_start(check->timer,
				 check->machine.due > now ? check->machine.due - now : 0);
	if (check->told != check->machine.verdict)
		check_tell(check);
}

static void check_answer(void *ctx, uint16_t sequence)
{
	struct health_check *check = ctx;

	check->error[0] = '\0';
	health_answer(&check->machine, sequence, check_now(check));
	check_settle(check);
}

static void check_close(struct health_check *check)
{
	icmp_free(check->icmp);
	check->icmp = NULL;
}

static bool check_open(struct health_check *check)
{
	struct tunnel *tunnel = check->tunnel;
	const struct icmp_config config = {
		.device = tunnel->config->interface,
		.source = check->config.source,
		.destination = check->config.destination,
	};
	char err[HEALTH_ERROR_SIZE];

	if (check->icmp)
		return true;
	check->icmp =
		icmp_new(tunnel->gateway->loop, &config, check_answer, check, err, sizeof(err));
	if (check->icmp)
		check->error[0] = '\0';
	else
		check_fail(check, err);
	return check->icmp;
}

static void check_send(struct health_check *check)
{
	char text[HEALTH_ERROR_SIZE];
	int ret;

	if (!check_open(check)) {
		health_unsent(&check->machine);
		return;
	}
	ret = icmp_send(check->icmp, check->machine.sequence);
	if (!ret) {
		check->error[0] = '\0';
		return;
	}
	snprintf(text, sizeof(text), "cannot send: %s", strerror(-ret));
	check_fail(check, text);
	if (icmp_error_is_path(ret))
		return;
	health_unsent(&check->machine);
	check_close(check);
}

static void check_tick(void *ctx)
{
	struct health_check *check = ctx;

	/* What waits in the socket came before now, however late the loop is. */
	if (check->icmp)
		icmp_drain(check->icmp);
	if (health_tick(&check->machine, check_now(check)))
		check_send(check);
	check_settle(check);
}

static struct health_check *check_new(struct tunnel *tunnel)
{
	struct health_check *check = calloc(1, sizeof(*check));
	struct health_timing timing = timing_of(tunnel->config->health);

	if (!check)
		return NULL;
	check->timer = loop_timer_new(tunnel->gateway->loop, check_tick, check);
	if (!check->timer) {
		free(check);
		return NULL;
	}
	check->tunnel = tunnel;
	check->config = *tunnel->config->health;
	check->ifindex = tunnel->ifindex;
	health_init(&check->machine, &timing, 0, check_now(check));
	return check;
}

static bool same_path(const struct health_check *check, const struct config_health *config)
{
	return addr_equal(&check->config.source, &config->source) &&
	       addr_equal(&check->config.destination, &config->destination);
}

void health_check_watch(struct tunnel *tunnel)
{
	const struct config_health *config = tunnel->config->health;
	struct health_check *check = tunnel->check;
	struct health_timing timing;

	if (check && (!config || !same_path(check, config))) {
		health_check_forget(tunnel);
		check = NULL;
	}
	if (!config)
		return;
	if (!check) {
		check = check_new(tunnel);
		tunnel->check = check;
	}
	if (!check) {
		log_error(tunnel->config->name, "out of memory, no health check");
		return;
	}
	timing = timing_of(config);
	check->config = *config;
	health_retime(&check->machine, &timing, check_now(check));
	if (check->ifindex != tunnel->ifindex)
		check_close(check);
	check->ifindex = tunnel->ifindex;
	health_check_reported(tunnel);
}

void health_check_forget(struct tunnel *tunnel)
{
	struct health_check *check = tunnel->check;

	if (!check)
		return;
	tunnel->check = NULL;
	check_close(check);
	loop_timer_free(check->timer);
	free(check);
	history_settle(tunnel->gateway, TIMELINE_HEALTH_UP, tunnel->config->name,
		       "no longer checked");
}

void health_check_reported(struct tunnel *tunnel)
{
	struct health_check *check = tunnel->check;
	bool dead = !tunnel->ready ||
		    (tunnel->reported && tunnel->kernel.state == VGW_TUNNEL_STATE_DOWN &&
		     tunnel->kernel.reason != VGW_TUNNEL_REASON_FAILED);

	if (!check)
		return;
	health_pause(&check->machine, dead, check_now(check));
	check_settle(check);
}

bool health_check_failed(const struct tunnel *tunnel)
{
	return tunnel->check && tunnel->check->machine.verdict == HEALTH_FAILED;
}

const struct health *health_check_state(const struct tunnel *tunnel)
{
	return tunnel->check ? &tunnel->check->machine : NULL;
}

const char *health_check_error(const struct tunnel *tunnel)
{
	return tunnel->check ? tunnel->check->error : "";
}

void health_check_reason(const struct tunnel *tunnel, char *buf, size_t size)
{
	const struct health_check *check = tunnel->check;
	char source[ADDR_STRLEN], destination[ADDR_STRLEN];

	if (!check) {
		snprintf(buf, size, "no health check");
		return;
	}
	snprintf(buf, size, "%u probes in a row from %s to %s without an answer%s%s",
		 check->machine.lost_row ? check->machine.lost_row : check->config.retries,
		 addr_format(&check->config.source, source, sizeof(source)),
		 addr_format(&check->config.destination, destination, sizeof(destination)),
		 check->error[0] ? "; " : "", check->error);
}
