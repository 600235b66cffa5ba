/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IKE connections in strongSwan's charon over VICI, asynchronous.
 *
 * Promise: connections wanted here are loaded (PSK included), initiated and,
 * when they go down, initiated again with back-off (1 s doubling to 60 s, with
 * jitter; a series ends once the tunnel was up for 30 s); an attempt that the
 * peer does not answer is given up after 20 s; an identical connection is not
 * reloaded; if charon restarts, all is loaded again; SAs that are there when
 * the agent starts are adopted. Never touches connections it did not load. The
 * PSK is read from its file when needed and wiped.
 */
#ifndef VGW_SYS_IKE_H
#define VGW_SYS_IKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/loop.h"

struct ike;

struct ike_config { /* strings are borrowed for the call */
	const char
		*name; /* connection and child name in charon: "vgw-<tunnel>" made by the caller */
	struct addr local, remote; /* outer */
	const char *local_id, *remote_id; /* NULL: the addresses */
	const char *psk_file; /* its text without the line end */
	const char *proposals, *esp_proposals; /* NULL: ike.c's sound defaults */
	uint32_t if_id;
	uint32_t dpd_delay, rekey_time, child_rekey_time; /* seconds, 0: ike.c's defaults */
	uint8_t version; /* 0: 2 */
	bool initiate; /* false: responder only */
	bool encap; /* force UDP encapsulation */
};

enum ike_state { IKE_DISCONNECTED, IKE_LOADED, IKE_CONNECTING, IKE_ESTABLISHED, IKE_INSTALLED };

struct ike_status {
	enum ike_state state; /* INSTALLED: an IKE SA and a CHILD SA are there */
	uint64_t since; /* loop time */
	uint32_t attempts; /* since the last success */
	uint64_t retry_ms; /* until the next attempt, 0 if none is due */
	char last_error[160];
	char ike_cipher[80], child_cipher[80];
	uint64_t rekeys;
};

struct ike_ops {
	/* State, ciphers or a new error; a failure that repeats itself is told once. Callbacks must
	 * not free the ike. */
	void (*changed)(void *ctx, const char *name, const struct ike_status *status);
	void (*available)(void *ctx, bool up); /* charon's socket */
};

/* socket_path NULL: /var/run/charon.vici */
struct ike *ike_new(struct loop *loop, const char *socket_path, const struct ike_ops *ops,
		    void *ctx);
void ike_free(struct ike *ike); /* leaves charon and its SAs as they are */
/* Wanted from now on; again with other content (or another PSK file): reloaded, SA re-established
 * only if addresses, identities, proposals, if_id, version or encap changed. -EINVAL without
 * name, remote, PSK file or if_id, -ENAMETOOLONG (63), -ENOMEM. */
int ike_set(struct ike *ike, const struct ike_config *config);
/* Unload and terminate. */
void ike_del(struct ike *ike, const char *name);
/*
 * Ask for a new look now (tunnel reported without SA): initiates unless an attempt is under way.
 * Where charon believes in an SA that the kernel lost it rekeys, and asked again within 15 s it
 * terminates and initiates.
 */
void ike_kick(struct ike *ike, const char *name);
const struct ike_status *ike_status(struct ike *ike, const char *name); /* NULL: not wanted */
const char *ike_state_name(enum ike_state state);

#endif
