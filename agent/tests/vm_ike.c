// SPDX-License-Identifier: GPL-2.0-only
/*
 * One IKE connection through ike.c against a real charon, for vm_ike.sh: prints
 * every change as one line, SIGUSR1 deletes the connection, SIGUSR2 asks for a
 * new look, SIGTERM leaves.
 *
 *   vm_ike SOCKET NAME LOCAL REMOTE PSK_FILE IF_ID [initiate|respond] [ID REMOTE_ID]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/ike.h"

static struct loop *loop;
static struct ike *ike;
static const char *name;

static void on_changed(void *ctx, const char *conn, const struct ike_status *status)
{
	printf("%s %s attempts=%u rekeys=%llu ike=%s child=%s error=%s\n", conn,
	       ike_state_name(status->state), status->attempts,
	       (unsigned long long)status->rekeys, status->ike_cipher, status->child_cipher,
	       status->last_error);
}

static void on_available(void *ctx, bool up)
{
	printf("charon %s\n", up ? "up" : "down");
}

static void on_delete(void *ctx)
{
	ike_del(ike, name);
	puts("deleted");
}

static void on_kick(void *ctx)
{
	ike_kick(ike, name);
}

static void on_term(void *ctx)
{
	loop_stop(loop);
}

int main(int argc, char **argv)
{
	static const struct ike_ops ops = { .changed = on_changed, .available = on_available };
	struct ike_config config = { .dpd_delay = 5 };

	if (argc < 7) {
		fprintf(stderr, "vm_ike SOCKET NAME LOCAL REMOTE PSK_FILE IF_ID [MODE [ID REMOTE_ID]]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	name = argv[2];
	config.name = name;
	config.psk_file = argv[5];
	config.if_id = (uint32_t)strtoul(argv[6], NULL, 0);
	config.initiate = argc < 8 || strcmp(argv[7], "respond");
	config.local_id = argc > 8 ? argv[8] : NULL;
	config.remote_id = argc > 9 ? argv[9] : NULL;
	if (!addr_parse(argv[3], &config.local) || !addr_parse(argv[4], &config.remote))
		return 2;
	loop = loop_new();
	ike = ike_new(loop, argv[1], &ops, NULL);
	if (!ike || ike_set(ike, &config))
		return 1;
	loop_signal_new(loop, SIGUSR1, on_delete, NULL);
	loop_signal_new(loop, SIGUSR2, on_kick, NULL);
	loop_signal_new(loop, SIGTERM, on_term, NULL);
	loop_run(loop);
	ike_free(ike);
	return 0;
}
