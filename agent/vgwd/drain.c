// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a tunnel out of use before work on it, without losing a packet.
 *
 * A drained tunnel is asked to carry nothing more in both directions: what is
 * advertised over it says so (GRACEFUL_SHUTDOWN, RFC 8326, and the worst MED for
 * peers that do not look at it), its paths lose against all others, and in groups that
 * have other tunnels it stands by with weight 0. It goes on carrying what only it can
 * carry, and the flows of others that died. It is empty when the module has given
 * it no packet for some seconds.
 *
 * It is a fact like any other: it lasts until it is taken back, over reloads
 * and, by a file beside the control socket, over restarts of the agent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vgw.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

#define DRAIN_LOOK_MS 1000
/* Without a packet for so long, a drained tunnel counts as empty. */
#define DRAIN_QUIET_MS 5000
#define DRAIN_FILE "drained"

static void drain_path(const struct gateway *gateway, const char *suffix, char *buf, size_t size)
{
	const char *socket = gateway->config->control_socket;
	const char *slash = strrchr(socket, '/');

	snprintf(buf, size, "%.*s" DRAIN_FILE "%s", slash ? (int)(slash + 1 - socket) : 0, socket,
		 suffix);
}

static bool drain_any(const struct gateway *gateway)
{
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (t->drained)
			return true;
	return false;
}

static bool drain_write(const struct gateway *gateway, const char *path)
{
	FILE *file = fopen(path, "we");
	bool ok = file;

	for (const struct tunnel *t = gateway->tunnels; t && ok; t = t->next)
		if (t->drained)
			ok = fprintf(file, "%s\n", t->config->name) > 0;
	if (file && fclose(file))
		ok = false;
	return ok;
}

int drain_save(const struct gateway *gateway)
{
	char path[300], new[300];
	int ret = 0;

	drain_path(gateway, "", path, sizeof(path));
	drain_path(gateway, ".new", new, sizeof(new));
	if (!drain_any(gateway))
		return unlink(path) && errno != ENOENT ? -errno : 0;
	if (!drain_write(gateway, new) || rename(new, path))
		ret = errno ? -errno : -EIO;
	if (ret)
		unlink(new);
	return ret;
}

void drain_watch(struct gateway *gateway)
{
	if (!drain_any(gateway))
		loop_timer_stop(gateway->drained_timer);
	else if (!loop_timer_pending(gateway->drained_timer))
		loop_timer_start(gateway->drained_timer, DRAIN_LOOK_MS);
}

/* Everything that depends on it is only asked for a new look. */
void drain_mark(struct tunnel *tunnel, bool drained)
{
	struct gateway *gateway = tunnel->gateway;

	if (tunnel->drained == drained)
		return;
	tunnel->drained = drained;
	tunnel->drain_empty = false;
	tunnel->drain_tx = tunnel->kernel.tx_packets;
	tunnel->drain_since = tunnel->drain_moved = loop_now(gateway->loop);
	if (tunnel->peer.source)
		rib_source_set_drained(tunnel->peer.source, drained);
	for (int afi = 0; afi < SESSION_N_AFI; afi++)
		advertise_all(&tunnel->peer, afi);
	derive_statics_dirty(gateway, gateway->config);
	gateway_kick(gateway);
	drain_watch(gateway);
	log_info(tunnel->config->name, drained ? "is drained" : "is no longer drained");
}

int drain_set(struct tunnel *tunnel, bool drained)
{
	drain_mark(tunnel, drained);
	return drain_save(tunnel->gateway);
}

void drain_load(struct gateway *gateway)
{
	char path[300], name[128];
	FILE *file;

	drain_path(gateway, "", path, sizeof(path));
	file = fopen(path, "re");
	while (file && fgets(name, sizeof(name), file)) {
		name[strcspn(name, "\n")] = '\0';
		for (struct tunnel *t = gateway->tunnels; t; t = t->next)
			if (!strcmp(t->config->name, name))
				drain_mark(t, true);
	}
	if (file)
		fclose(file);
}

void drain_members(const struct gateway *gateway, struct fib_route *route)
{
	struct kernel_member *first = NULL;
	bool drained = false, active = false;

	for (uint32_t i = 0; i < route->n_members; i++) {
		const struct tunnel *tunnel =
			gateway_tunnel_by_id(gateway, route->members[i].tunnel);

		if (tunnel->drained) {
			drained = true;
			continue;
		}
		active |= route->members[i].weight;
		if (!first)
			first = &route->members[i];
	}
	if (!drained || !first)
		return;
	for (uint32_t i = 0; i < route->n_members; i++)
		if (gateway_tunnel_by_id(gateway, route->members[i].tunnel)->drained)
			route->members[i].weight = 0;
	/* Its standby takes over: without any weight all would count as equal. */
	if (!active)
		first->weight = 1;
}

void drain_judge(struct tunnel *tunnel)
{
	uint64_t now = loop_now(tunnel->gateway->loop);

	if (!tunnel->drained || !tunnel->reported)
		return;
	if (tunnel->kernel.tx_packets != tunnel->drain_tx) {
		if (tunnel->drain_empty)
			log_info(tunnel->config->name, "is drained, but carries packets again");
		tunnel->drain_tx = tunnel->kernel.tx_packets;
		tunnel->drain_moved = now;
		tunnel->drain_empty = false;
	} else if (!tunnel->drain_empty && now - tunnel->drain_moved >= DRAIN_QUIET_MS) {
		tunnel->drain_empty = true;
		log_info(tunnel->config->name, "is drained and empty");
	}
}

static void drain_row(void *ctx, const struct kernel_tunnel *report)
{
	struct tunnel *tunnel = gateway_tunnel_by_id(ctx, report->id);

	if (!tunnel)
		return;
	tunnel_reported(tunnel, report);
	drain_judge(tunnel);
}

static void drain_looked(void *ctx, int error, const char *text, long index)
{
	(void)ctx;
	(void)error;
	(void)text;
	(void)index;
}

void drain_look(void *ctx)
{
	struct gateway *gateway = ctx;

	drain_watch(gateway);
	if (gateway->bound)
		kernel_tunnels_dump(gateway->kernel, gateway->ifindex, drain_row, drain_looked,
				    gateway);
}

unsigned int drain_others_up(const struct tunnel *tunnel)
{
	unsigned int n = 0;

	for (const struct tunnel *t = tunnel->gateway->tunnels; t; t = t->next)
		n += t != tunnel && !t->drained && t->reported &&
		     t->kernel.state == VGW_TUNNEL_STATE_UP;
	return n;
}
