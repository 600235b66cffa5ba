// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private lines and transit peers. The verdict of a line is a function of its device and BFD; when
 * it changes, the session ends or may start, and every route of the line is looked
 * at again without the usual delay: packets are being lost.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

_Static_assert(CONFIG_LINES_MAX < RTNL_VIAS_MAX,
	       "each line may have a route to a prefix, and the domain one");

static struct line *line_of(const struct peer *peer)
{
	return (struct line *)((char *)(uintptr_t)peer - offsetof(struct line, peer));
}

/* Verdict */

const struct bfd_status *line_bfd_status(const struct line *line)
{
	return bfd_status(line->gateway->bfd, line->config->name);
}

static bool line_bfd_failed(const struct line *line)
{
	return liveness_bfd_verdict(line_bfd_status(line), line->config->bfd, line->bfd_passed,
				   line->peer.stale);
}

static const char *line_kind(const struct line *line)
{
	return line->config->transit ? "transit peer" : "private line";
}

/* What was collected goes out at once. */
static void line_push(struct line *line)
{
	struct gateway *gateway = line->gateway;

	if (line->peer.source)
		rib_source_touch(line->peer.source);
	gateway->hurry = true;
	loop_timer_start(gateway->drain_timer, 0);
}

bool line_explain(const struct line *line, char *buf, size_t size)
{
	const struct bfd_status *status = line_bfd_status(line);

	if (line->good)
		return false;
	if (!line->ifindex)
		snprintf(buf, size, "%s", line->error[0] ? line->error : "not set up");
	else if (!line->running)
		snprintf(buf, size, "its interface does not run");
	else if (status && status->info.failed)
		snprintf(buf, size, "BFD: %s", bfd_diag_name(status->info.diag));
	else
		snprintf(buf, size, "BFD is strict and was not up yet");
	return true;
}

static void line_tell(const struct line *line)
{
	const char *name = line->config->name;
	char why[TIMELINE_TEXT_SIZE];

	if (!line_explain(line, why, sizeof(why))) {
		log_info(name, "the %s is good", line_kind(line));
		history_note(line->gateway, TIMELINE_LINE_UP, name, "it carries its routes");
		return;
	}
	log_warning(name, "the %s failed: %s", line_kind(line), why);
	history_note(line->gateway, TIMELINE_LINE_DOWN, name, "%s", why);
}

static void line_judge(struct line *line)
{
	bool good = line->ifindex && line->running && !line_bfd_failed(line);

	if (good == line->good)
		return;
	line->good = good;
	line_tell(line);
	if (good)
		peer_path_good(&line->peer);
	else
		peer_path_failed(&line->peer);
	line_push(line);
	restart_check(line->gateway);
}

bool line_bfd_changed(struct gateway *gateway, const char *name, const struct bfd_status *status)
{
	struct line *line = line_by_name(gateway, name);
	bool up;

	if (!line)
		return false;
	if (status->error[0])
		log_warning(name, "BFD: %s", status->error);
	up = status->known && (status->info.state == BFD_UP ||
			       status->info.remote_state == BFD_ADMIN_DOWN);
	line->bfd_passed |= up;
	line_judge(line);
	return true;
}

/* The device */

static void line_fail(struct line *line, const char *text)
{
	if (strcmp(line->error, text)) {
		snprintf(line->error, sizeof(line->error), "%s", text);
		log_warning(line->config->name, "%s", text);
	}
}

/* A reason why routes cannot lead there; "" if they can. */
static void line_device_check(const struct line *line, const struct rtnl_link *link, char *err,
			      size_t size)
{
	const char *vrf = line->gateway->config->gateway.vrf;
	struct rtnl_link master = {0};

	*err = '\0';
	if (!strcmp(link->kind, "vgw") || !strcmp(link->kind, "xfrm"))
		snprintf(err, size, "interface \"%s\" is of kind %s, a line is a plain one",
			 link->name, link->kind);
	else if (vrf && (rtnl_link_get(line->gateway->rtnl, vrf, &master) ||
			 link->master != master.ifindex))
		snprintf(err, size, "interface \"%s\" is not in VRF %s, as the gateway is",
			 link->name, vrf);
}

static void line_bfd_watch(struct line *line)
{
	const struct config_bfd *config = line->config->bfd;
	struct bfd_config wanted = {
		.device = line->config->interface,
		.local = line->config->local_address,
		.peer = line->config->peer_address,
	};
	int ret;

	if (!config) {
		bfd_del(line->gateway->bfd, line->config->name);
		line->bfd_passed = false;
		return;
	}
	wanted.timers = (struct bfd_timers){
		.transmit = config->transmit,
		.receive = config->receive,
		.multiplier = config->multiplier,
	};
	wanted.source_port = config->local_port;
	ret = bfd_set(line->gateway->bfd, line->config->name, &wanted);
	if (ret)
		log_error(line->config->name, "no BFD session: %s", strerror(-ret));
}

static void line_lost(struct line *line, const char *text)
{
	line->ifindex = 0;
	line->running = false;
	line_fail(line, text);
	line_judge(line);
}

void line_setup(struct line *line)
{
	char err[LINE_ERROR_SIZE];
	struct rtnl_link link;

	if (rtnl_link_get(line->gateway->rtnl, line->config->interface, &link)) {
		snprintf(err, sizeof(err), "there is no interface \"%s\"",
			 line->config->interface);
		line_lost(line, err);
		return;
	}
	line_device_check(line, &link, err, sizeof(err));
	if (err[0]) {
		line_lost(line, err);
		return;
	}
	line->ifindex = link.ifindex;
	line->running = link.running;
	line->error[0] = '\0';
	line_bfd_watch(line);
	line_judge(line);
	peer_start(&line->peer);
}

void line_link_changed(struct gateway *gateway, const struct rtnl_link *link, bool present)
{
	for (struct line *line = gateway->lines; line; line = line->next) {
		bool named = !strcmp(line->config->interface, link->name);

		if (!present && link->ifindex == line->ifindex)
			line_lost(line, "the interface was deleted");
		else if (present && (named || link->ifindex == line->ifindex))
			line_setup(line);
	}
}

/* The line as the owner of its peer */

static struct peer_facts line_facts(const struct peer *peer)
{
	const struct line *line = line_of(peer);

	return (struct peer_facts){
		.name = line->config->name,
		.bgp = line->config->bgp,
		.device = line->config->interface,
		.local = line->config->local_address,
		.remote = line->config->peer_address,
		.remote_as = line->config->asn,
		.ready = line->ifindex,
	};
}

static struct rib_source_config line_source_transit(const struct line *line)
{
	uint32_t local_as = line->gateway->config->gateway.local_asn;

	return (struct rib_source_config){
		/* An internal peer's path begins with whoever told that peer. */
		.peer_as = line->config->asn == local_as ? 0 : line->config->asn,
		.peer = line->config->peer_address,
		.local = line->config->local_address,
		.transit = true,
		.name = line->config->name,
	};
}

static struct rib_source_config line_source(const struct peer *peer)
{
	const struct line *line = line_of(peer);

	if (line->config->transit)
		return line_source_transit(line);
	return (struct rib_source_config){
		.site = line->config->site_id,
		.peer_as = line->config->asn,
		.site_as = line->config->asn,
		.peer = line->config->peer_address,
		.line = true,
		.name = line->config->name,
	};
}

static bool line_allows(const struct peer *peer)
{
	const struct line *line = line_of(peer);
	const struct config_bfd *bfd = line->config->bfd;

	if (!line->ifindex || !line->running)
		return false;
	return !bfd || !bfd->strict || (line->bfd_passed && line->good);
}

static bool line_expected(const struct peer *peer)
{
	return line_of(peer)->running;
}

static bool line_drained(const struct peer *peer)
{
	(void)peer;
	return false;
}

/* Its routes are in no group of the module. */
static void line_changed(struct peer *peer, bool soon)
{
	(void)peer;
	(void)soon;
}

static void line_peer_judge(struct peer *peer)
{
	line_judge(line_of(peer));
}

static void line_peer_fail(struct peer *peer, const char *text)
{
	struct line *line = line_of(peer);

	snprintf(line->error, sizeof(line->error), "%s", text);
}

static const struct peer_owner line_peer_owner = {
	.facts = line_facts,
	.source = line_source,
	.allows = line_allows,
	.expected = line_expected,
	.drained = line_drained,
	.changed = line_changed,
	.judge = line_peer_judge,
	.fail = line_peer_fail,
};

/* Routes */

bool line_route(const struct line *line, const struct prefix *prefix, struct rtnl_via *out)
{
	const struct gateway *gateway = line->gateway;
	bool behind = line->config->behind_tunnels || derive_configured(gateway, prefix);

	if (!line->good || !line->peer.source || !rib_source_has(line->peer.source, prefix) ||
	    prefix->addr.family != line->config->peer_address.family)
		return false;
	*out = (struct rtnl_via){
		.metric = (behind ? LINE_METRIC_BEHIND : LINE_METRIC_AHEAD) +
			  (uint32_t)(line->config - gateway->config->private_lines),
		.oif = line->ifindex,
		.via = line->config->peer_address,
	};
	return true;
}

int line_vias(void *ctx, const struct prefix *prefix, struct rtnl_via *out)
{
	const struct gateway *gateway = ctx;
	int n;

	/* Routes of an earlier life stay until the peers had their time to tell. */
	if (restart_deferring(gateway))
		return -1;
	n = transit_route(gateway, prefix, &out[0]) ? 1 : 0;
	for (const struct line *line = gateway->lines; line && n < RTNL_VIAS_MAX; line = line->next)
		if (!line->config->transit)
			n += line_route(line, prefix, &out[n]);
	return n;
}

bool line_owns(void *ctx, uint32_t ifindex)
{
	return line_by_device(ctx, ifindex);
}

struct line *line_by_device(const struct gateway *gateway, uint32_t ifindex)
{
	struct line *line = ifindex ? gateway->lines : NULL;

	while (line && line->ifindex != ifindex)
		line = line->next;
	return line;
}

struct line *line_by_name(const struct gateway *gateway, const char *name)
{
	struct line *line = gateway->lines;

	while (line && strcmp(line->config->name, name))
		line = line->next;
	return line;
}

/* Life */

struct line *line_new(struct gateway *gateway, const struct config_private_line *config)
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	if (config->transit && transit_init(gateway)) {
		free(line);
		return NULL;
	}
	line->gateway = gateway;
	line->config = config;
	line->peer = (struct peer){
		.gateway = gateway,
		.owner = &line_peer_owner,
		.transit = config->transit,
	};
	if (!peer_create(&line->peer))
		return line;
	free(line);
	return NULL;
}

void line_free(struct line *line)
{
	if (!line)
		return;
	peer_destroy(&line->peer, 0, NULL);
	free(line);
}

void line_remove(struct line *line)
{
	char text[32];

	log_info(line->config->name, "%s is no longer configured", line_kind(line));
	snprintf(text, sizeof(text), "%s removed", line_kind(line));
	peer_destroy(&line->peer, SESSION_CEASE_DECONFIGURED, text);
	bfd_del(line->gateway->bfd, line->config->name);
	history_forget(line->gateway, line->config->name);
	free(line);
}
