/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does anything come back from a tunnel that sends? Judged from the counters of
 * the module, looked at every few seconds.
 *
 * A tunnel is suspected when it has sent for ONEWAY_SILENCE without receiving one
 * packet of any kind, answers to BGP, BFD and health checks included. Then the far
 * end is asked for an answer, ONEWAY_PROBES times; only if nothing at all arrives
 * after these, either, is it one-way. Traffic that flows in one direction by its
 * nature is thus no alarm wherever the far end answers a ping.
 *
 * Promise: a tunnel that sends nothing is never suspected, and is forgotten when
 * it has sent nothing for ONEWAY_IDLE; one received packet ends it all.
 */
#ifndef VGW_CORE_ONEWAY_H
#define VGW_CORE_ONEWAY_H

#include <stdbool.h>
#include <stdint.h>

#define ONEWAY_SILENCE 10000 /* milliseconds, as everything here */
#define ONEWAY_IDLE 60000
#define ONEWAY_PROBES 3
#define ONEWAY_PACKETS 3 /* fewer than so many sent ones prove nothing */

enum oneway_state { ONEWAY_NONE, ONEWAY_SUSPECT, ONEWAY_FAILED };

struct oneway { /* zeroed: nothing was looked at yet */
	enum oneway_state state;
	bool known; /* tx and rx are of the last look */
	uint64_t tx, rx;
	uint64_t unanswered; /* sent since something was received */
	uint64_t since; /* when the first of these was seen */
	uint64_t sent_at; /* when the last of these was seen */
	unsigned int probes;
};

/*
 * One look: does the module use the tunnel, and how many packets did it send and receive?
 * True: ask the far end for an answer now.
 */
bool oneway_look(struct oneway *oneway, bool up, uint64_t tx, uint64_t rx, uint64_t now);

#endif
