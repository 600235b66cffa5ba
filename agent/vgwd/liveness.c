// SPDX-License-Identifier: GPL-2.0-only
/*
 * BFD on a tunnel: what its session says becomes the tunnel's "failed" in the
 * module and the end of its BGP session.
 *
 * A failure is a path that was up and is not, unless one of the ends was switched
 * off (RFC 5882 4.1); a far end that never spoke BFD is none. "strict" asks for more:
 * no BGP and no packets before BFD was up once. What vgw-bfd knows decides; when
 * that process is not there, nobody knows anything and the tunnel counts as
 * without BFD, but strict keeps what it has proven.
 *
 * A far end without the C bit loses BFD together with its BGP. While such a peer
 * restarts gracefully (its paths are stale), BFD going down says nothing about
 * the path and is not judged before the restart is over (RFC 5882 4.3).
 */
#include <string.h>

#include "lib/log.h"
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

static bool liveness_failed(const struct tunnel *tunnel)
{
	return liveness_bfd_verdict(liveness_status(tunnel), tunnel->connection->bfd,
				   tunnel->bfd_passed, tunnel->peer.stale);
}

bool liveness_allows_bgp(const struct tunnel *tunnel)
{
	const struct config_bfd *config = tunnel->connection->bfd;

	return !config || !config->strict || (tunnel->bfd_passed && !tunnel->failed);
}

static void liveness_log(const struct tunnel *tunnel)
{
	const struct bfd_status *status = liveness_status(tunnel);
	const char *name = tunnel->config->name;

	if (!tunnel->failed)
		log_info(name, "the path counts as good again");
	else if (status->info.failed)
		log_warning(name, "BFD: the path failed: %s", bfd_diag_name(status->info.diag));
	else
		log_info(name, "BFD is strict: not used before BFD is up");
}

void liveness_judge(struct tunnel *tunnel)
{
	bool failed = liveness_failed(tunnel);

	if (failed == tunnel->failed)
		return;
	tunnel->failed = failed;
	liveness_log(tunnel);
	fib_dirty_tunnel(tunnel->gateway->fib, tunnel->id);
	if (failed)
		peer_path_failed(&tunnel->peer);
	else
		peer_path_good(&tunnel->peer);
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

void liveness_watch(struct tunnel *tunnel)
{
	const struct config_bfd *config = tunnel->connection->bfd;
	struct bfd_config wanted = {
		.device = tunnel->config->interface,
		.local = tunnel->config->inside_address,
		.peer = tunnel->config->inside_peer,
	};
	int ret;

	if (!config) {
		liveness_forget(tunnel);
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
	bfd_del(tunnel->gateway->bfd, tunnel->config->name);
	tunnel->bfd_passed = false;
}
