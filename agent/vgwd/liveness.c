// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the path through a tunnel good? What BFD and the health check say becomes
 * the tunnel's "failed" in the module, so that its routes are withdrawn or kept as
 * each says (rules 28, 30 and 56). BFD is a matter of the BGP session too and
 * ends it; a health check is not, for the host that it asks need not be the peer.
 *
 * A failure of BFD is a path that was up and is not, unless one of the ends was switched
 * off (RFC 5882 4.1); a far end that never spoke BFD is none. "strict" asks for more:
 * no BGP and no packets before BFD was up once. What vgw-bfd knows decides; when
 * that process is not there, nobody knows anything and the tunnel counts as
 * without BFD, but strict keeps what it has proven.
 *
 * A far end without the C bit loses BFD together with its BGP. While such a peer
 * restarts gracefully (its paths are stale), BFD going down says nothing about
 * the path and is not judged before the restart is over (RFC 5882 4.3).
 */
#include <stdio.h>
#include <string.h>

#include <linux/vgw.h>

#include "lib/log.h"
#include "sys/names.h"
#include "vgwd/gateway.h"

const struct bfd_status *liveness_status(const struct tunnel *tunnel)
{
	return bfd_status(tunnel->gateway->bfd, tunnel->config->name);
}

static bool liveness_passed(const struct bfd_session_info *info)
{
	return info->state == BFD_UP || info->remote_state == BFD_ADMIN_DOWN;
}

bool liveness_bfd_verdict(const struct bfd_status *status, const struct config_bfd *config,
			 bool passed, bool stale)
{
	if (!config || !status || !status->known)
		return false;
	if (status->info.failed)
		return !stale || status->info.remote_independent;
	return config->strict && !passed && !liveness_passed(&status->info);
}

static bool liveness_bfd_failed(const struct tunnel *tunnel)
{
	return liveness_bfd_verdict(liveness_status(tunnel), tunnel->connection->bfd,
				   tunnel->bfd_passed, tunnel->peer.stale);
}

bool liveness_allows_bgp(const struct tunnel *tunnel)
{
	const struct config_bfd *config = tunnel->connection->bfd;

	return !config || !config->strict || (tunnel->bfd_passed && !tunnel->bfd_failed);
}

static void liveness_bfd_reason(const struct tunnel *tunnel, char *buf, size_t size)
{
	const struct bfd_status *status = liveness_status(tunnel);

	if (status && status->info.failed)
		snprintf(buf, size, "BFD: %s", bfd_diag_name(status->info.diag));
	else
		snprintf(buf, size, "BFD is strict and was not up yet");
}

static void liveness_bfd_changed(struct tunnel *tunnel)
{
	const struct bfd_status *status = liveness_status(tunnel);
	const char *name = tunnel->config->name;
	char text[TIMELINE_TEXT_SIZE];

	if (!tunnel->bfd_failed) {
		history_note(tunnel->gateway, TIMELINE_BFD_UP, name, "the path is not failed");
		return;
	}
	liveness_bfd_reason(tunnel, text, sizeof(text));
	history_note(tunnel->gateway, TIMELINE_BFD_DOWN, name, "%s", text);
	if (status->info.failed)
		log_warning(name, "BFD: the path failed: %s", bfd_diag_name(status->info.diag));
	else
		log_info(name, "BFD is strict: not used before BFD is up");
}

void liveness_judge(struct tunnel *tunnel)
{
	bool bfd = liveness_bfd_failed(tunnel), changed = bfd != tunnel->bfd_failed;
	bool failed = bfd || health_check_failed(tunnel);

	tunnel->bfd_failed = bfd;
	if (changed)
		liveness_bfd_changed(tunnel);
	if (failed != tunnel->failed) {
		tunnel->failed = failed;
		tunnel->groups_due = true;
		if (!failed)
			log_info(tunnel->config->name, "the path counts as good again");
		fib_dirty_tunnel(tunnel->gateway->fib, tunnel->id);
		transit_tell_configured(tunnel->gateway);
	}
	if (changed && bfd)
		peer_path_failed(&tunnel->peer);
	else if (changed)
		peer_path_good(&tunnel->peer);
}

bool liveness_explain(const struct tunnel *tunnel, char *buf, size_t size)
{
	if (!tunnel->ready)
		snprintf(buf, size, "%s", tunnel->error[0] ? tunnel->error : "not set up");
	else if (!tunnel->reported)
		snprintf(buf, size, "not known to the module");
	else if (tunnel->kernel.state == VGW_TUNNEL_STATE_UP)
		return false;
	else if (tunnel->kernel.reason != VGW_TUNNEL_REASON_FAILED)
		snprintf(buf, size, "%s", names_tunnel_reason(tunnel->kernel.reason));
	else if (tunnel->bfd_failed)
		liveness_bfd_reason(tunnel, buf, size);
	else if (tunnel->check)
		health_check_reason(tunnel, buf, size);
	else
		snprintf(buf, size, "failed");
	return true;
}

/* What is lost with a peer whose BFD dies with its BGP, said once a session. */
static void liveness_first(const struct tunnel *tunnel, const struct bfd_session_info *info)
{
	if (info->state == BFD_UP && !info->remote_independent && tunnel->connection->bgp)
		log_info(tunnel->config->name,
			 "the peer's BFD shares the fate of its BGP (no C bit): if its BGP dies, "
			 "the path may count as failed; while it restarts, a failed path is not "
			 "seen");
}

void liveness_changed(void *ctx, const char *name, const struct bfd_status *status)
{
	struct gateway *gateway = ctx;
	struct tunnel *tunnel = gateway->tunnels;
	bool first;

	if (line_bfd_changed(gateway, name, status))
		return;
	while (tunnel && strcmp(tunnel->config->name, name))
		tunnel = tunnel->next;
	if (!tunnel)
		return;
	if (status->error[0])
		log_warning(name, "BFD: %s", status->error);
	first = status->known && !tunnel->bfd_passed && liveness_passed(&status->info);
	if (first) {
		tunnel->bfd_passed = true;
		liveness_first(tunnel, &status->info);
	}
	liveness_judge(tunnel);
	if (first)
		peer_path_good(&tunnel->peer);
}

static void liveness_forget_bfd(struct tunnel *tunnel)
{
	bfd_del(tunnel->gateway->bfd, tunnel->config->name);
	tunnel->bfd_passed = false;
}

void liveness_watch(struct tunnel *tunnel)
{
	const struct config_bfd *config = tunnel->connection->bfd;
	struct bfd_config wanted = {
		.device = tunnel->config->interface,
		.local = tunnel->config->inside_address,
		.peer = tunnel->config->inside_peer,
	};
	int ret;

	health_check_watch(tunnel);
	if (!config) {
		liveness_forget_bfd(tunnel);
		liveness_judge(tunnel);
		return;
	}
	wanted.timers = (struct bfd_timers){
		.transmit = config->transmit,
		.receive = config->receive,
		.multiplier = config->multiplier,
	};
	wanted.source_port = config->local_port;
	ret = bfd_set(tunnel->gateway->bfd, tunnel->config->name, &wanted);
	if (ret)
		log_error(tunnel->config->name, "no BFD session: %s", strerror(-ret));
	liveness_judge(tunnel);
}

void liveness_forget(struct tunnel *tunnel)
{
	liveness_forget_bfd(tunnel);
	health_check_forget(tunnel);
}
