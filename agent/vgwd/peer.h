/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BGP peer: a session and the paths that it told. It belongs to a tunnel, a private
 * line or a transit peer, which says where the peer is and when it may be spoken to.
 *
 * Promise: paths of the peer's source are what its session told, and go with it
 * except over a graceful restart (RFC 4724, RFC 8538).
 */
#ifndef VGW_VGWD_PEER_H
#define VGW_VGWD_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "bgp/session.h"
#include "core/config.h"
#include "core/rib.h"
#include "lib/loop.h"

struct gateway;
struct peer;

/* What the owner knows; strings and sections are the configuration's, good for the call. */
struct peer_facts {
	const char *name;
	const struct config_bgp *bgp; /* NULL: there is no session */
	const char *device;
	struct addr local, remote;
	uint32_t remote_as;
	uint32_t mtu; /* of the way to the peer, 0: the device's own */
	bool ready; /* the device is there */
};

struct peer_owner {
	struct peer_facts (*facts)(const struct peer *peer);
	struct rib_source_config (*source)(const struct peer *peer);
	bool (*allows)(const struct peer *peer); /* false: the way to the peer is known to be bad */
	bool (*expected)(const struct peer *peer); /* will it come back after our restart? */
	bool (*drained)(const struct peer *peer); /* by the operator: used last, and says so */
	/* It has paths now, or none (soon); or keeps those that it had (not soon). */
	void (*changed)(struct peer *peer, bool soon);
	void (*judge)(struct peer *peer); /* a restart of the peer is over, one way or another */
	void (*fail)(struct peer *peer, const char *text); /* why there is no session, for show */
};

struct peer {
	struct gateway *gateway;
	const struct peer_owner *owner;
	struct peer *next; /* of gateway->peers, in order of creation */
	bool transit; /* inside the domain: its paths are of gateway->domain */
	struct session *session; /* NULL before the first start */
	struct rib_source *source; /* NULL without bgp */
	bool started;
	bool had_session; /* in this life: what we forward by is there (RFC 4724, F bits) */
	bool stale; /* paths are kept for a peer that restarts (RFC 4724 4.2) */
	bool synced; /* End-of-RIB (or what stands for it) of this session seen */
	struct loop_timer *stale_timer;
	/* Memory ran out for what the peer said, or for what it is told: again, later. */
	bool relearn, retell;
	bool untold; /* it still waits for our routes and End-of-RIB */
	bool refreshing[SESSION_N_AFI]; /* the peer tells the family again (RFC 7313) */
	struct loop_timer *refresh_timer; /* bounds that */
	struct loop_timer *quiet_timer; /* a peer without graceful restart never says End-of-RIB */
};

/* gateway and owner are set. 0, also without bgp and then without a session, or -ENOMEM. */
int peer_create(struct peer *peer);
void peer_destroy(struct peer *peer, uint8_t cease_subcode, const char *text);
void peer_start(struct peer *peer); /* if it may run now */
void peer_retune(struct peer *peer); /* what resets no session changed: configuration, MTU */
void peer_path_failed(struct peer *peer); /* ends the session, its paths go at once */
void peer_path_good(struct peer *peer);
void peer_refuse(struct peer *peer); /* no BGP with this module: rule 4 */
void peer_catch_up(struct peer *peer); /* on what was lost for want of memory */
void peer_tell(struct peer *peer); /* all routes and End-of-RIB, if it waits and we know them */
const char *peer_name(const struct peer *peer);

#endif
