// SPDX-License-Identifier: GPL-2.0-only
/*
 * An agent with one BFD session, for scripts: says each state of it as a line
 * of JSON, takes commands from stdin, leaves at its end (the session is then
 * vgw-bfd's to hold).
 *
 *   bfd_peer SOCKET DEVICE LOCAL PEER [TRANSMIT RECEIVE MULTIPLIER]
 *
 * Commands: "set TRANSMIT RECEIVE MULTIPLIER", "del".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/bfd.h"

#define NAME "t1"

struct peer {
	struct loop *loop;
	struct bfd *bfd;
	struct bfd_config config;
	char line[200];
	size_t len;
};

static void changed(void *ctx, const char *name, const struct bfd_status *status)
{
	const struct bfd_session_info *info = &status->info;

	(void)ctx;
	if (!status->known)
		printf("{\"name\":\"%s\",\"state\":\"unknown\",\"error\":\"%s\"}\n", name,
		       status->error);
	else
		printf("{\"name\":\"%s\",\"state\":\"%s\",\"diag\":\"%s\",\"remote\":\"%s\","
		       "\"failed\":%s,\"independent\":%s,\"interval\":%u,\"detection\":%u,"
		       "\"discriminator\":%u,\"transitions\":%llu}\n",
		       name, bfd_state_name(info->state), bfd_diag_name(info->diag),
		       bfd_state_name(info->remote_state), info->failed ? "true" : "false",
		       info->remote_independent ? "true" : "false", info->interval,
		       info->detection, info->discriminator,
		       (unsigned long long)info->transitions);
	fflush(stdout);
}

static void session_set(struct peer *peer)
{
	int ret = bfd_set(peer->bfd, NAME, &peer->config);

	if (ret)
		fprintf(stderr, "bfd_peer: %s\n", strerror(-ret));
}

static void command(struct peer *peer, const char *line)
{
	unsigned int transmit, receive, multiplier;

	if (sscanf(line, "set %u %u %u", &transmit, &receive, &multiplier) == 3) {
		peer->config.timers = (struct bfd_timers){ transmit, receive, (uint8_t)multiplier };
		session_set(peer);
	} else if (!strcmp(line, "del")) {
		bfd_del(peer->bfd, NAME);
	} else {
		fprintf(stderr, "bfd_peer: what is \"%s\"?\n", line);
	}
}

static void input(void *ctx, unsigned int events)
{
	struct peer *peer = ctx;
	ssize_t n = read(STDIN_FILENO, peer->line + peer->len,
			 sizeof(peer->line) - 1 - peer->len);
	char *end;

	(void)events;
	if (n <= 0) {
		loop_stop(peer->loop);
		return;
	}
	peer->len += (size_t)n;
	peer->line[peer->len] = '\0';
	while ((end = strchr(peer->line, '\n'))) {
		*end = '\0';
		command(peer, peer->line);
		peer->len -= (size_t)(end + 1 - peer->line);
		memmove(peer->line, end + 1, peer->len + 1);
	}
}

int main(int argc, char **argv)
{
	static const struct bfd_ops ops = { .changed = changed };
	struct peer peer = { .config.timers = { 300, 300, 3 } };
	struct loop_io *io;
	int status;

	if (argc < 5 || !addr_parse(argv[3], &peer.config.local) ||
	    !addr_parse(argv[4], &peer.config.peer)) {
		fputs("usage: bfd_peer SOCKET DEVICE LOCAL PEER [TRANSMIT RECEIVE MULTIPLIER]\n",
		      stderr);
		return 2;
	}
	peer.config.device = argv[2];
	if (argc == 8)
		peer.config.timers = (struct bfd_timers){ (uint32_t)atoi(argv[5]),
							  (uint32_t)atoi(argv[6]),
							  (uint8_t)atoi(argv[7]) };
	peer.loop = loop_new();
	peer.bfd = bfd_new(peer.loop, argv[1], "bfd_peer", &ops, &peer);
	io = loop_io_new(peer.loop, STDIN_FILENO, input, &peer);
	if (!peer.bfd || !io)
		return 1;
	loop_io_set(io, LOOP_READ);
	session_set(&peer);
	status = loop_run(peer.loop) ? 1 : 0;
	loop_io_free(io);
	bfd_free(peer.bfd);
	loop_free(peer.loop);
	return status;
}
