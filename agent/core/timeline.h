/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened to the gateway, in order, and what it was a consequence of.
 *
 * An incident of an object (a tunnel, a private line, the module) begins with the first fault
 * while it had none and ends when its last fault is over; the end is an event of
 * its own and says how long it took. Everything that happens to the object in
 * between names the first fault as its cause.
 *
 * Promise: bounded memory: the last events are kept, at most
 * TIMELINE_INCIDENTS_MAX objects are in an incident at once (events of further ones have
 * no cause). Numbers are never used twice. Adding never fails.
 */
#ifndef VGW_CORE_TIMELINE_H
#define VGW_CORE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMELINE_EVENTS 1024
#define TIMELINE_INCIDENTS_MAX 256
#define TIMELINE_OBJECT_SIZE 32
#define TIMELINE_TEXT_SIZE 160

enum timeline_kind {
	/* faults, and behind each its end */
	TIMELINE_TUNNEL_DOWN,
	TIMELINE_TUNNEL_UP,
	TIMELINE_IKE_DOWN,
	TIMELINE_IKE_UP,
	TIMELINE_BFD_DOWN,
	TIMELINE_BFD_UP,
	TIMELINE_HEALTH_DOWN,
	TIMELINE_HEALTH_UP,
	TIMELINE_ONEWAY,
	TIMELINE_ONEWAY_OVER,
	TIMELINE_BGP_DOWN,
	TIMELINE_BGP_UP,
	TIMELINE_LINE_DOWN,
	TIMELINE_LINE_UP,
	TIMELINE_MODULE_LOST,
	TIMELINE_MODULE_FOUND,
	TIMELINE_LAST_FAULT = TIMELINE_MODULE_FOUND,
	/* neither */
	TIMELINE_ROUTES,
	TIMELINE_FAILOVER,
	TIMELINE_GROUPS,
	TIMELINE_RESTORED,
	TIMELINE_STARTED,
	TIMELINE_N_KINDS,
};

struct timeline_event {
	uint64_t number; /* 1.. */
	uint64_t cause; /* number of the incident's first fault, the own one there; 0: none */
	uint64_t after; /* nanoseconds since then */
	uint64_t at; /* nanoseconds of the monotonic clock */
	int64_t wall; /* nanoseconds since 1970 */
	enum timeline_kind kind;
	char object[TIMELINE_OBJECT_SIZE]; /* tunnel or private line; "" is the gateway */
	char text[TIMELINE_TEXT_SIZE];
};

struct timeline;

/* added: after each event, borrowed for the call; it must not add. May be NULL. NULL: no memory. */
struct timeline *timeline_new(void (*added)(void *ctx, const struct timeline_event *event),
			      void *ctx);
void timeline_free(struct timeline *timeline);
/* A fault that is there already, or an end without one that is, adds nothing within an incident. */
void timeline_add(struct timeline *timeline, uint64_t at, int64_t wall, enum timeline_kind kind,
		  const char *object, const char *text);
bool timeline_in_incident(const struct timeline *timeline, const char *object);
/* The next object with an open incident behind *at (NULL: the first); NULL: none. */
const char *timeline_incident_next(const struct timeline *timeline, size_t *at);
/* The object is gone, and its incident with it. */
void timeline_forget(struct timeline *timeline, const char *object);
/* The oldest kept event of a number above this one; NULL: none. */
const struct timeline_event *timeline_after(const struct timeline *timeline, uint64_t number);
uint64_t timeline_last(const struct timeline *timeline); /* number; 0: none yet */
size_t timeline_memory(const struct timeline *timeline);
const char *timeline_kind_name(enum timeline_kind kind); /* "tunnel-down", ... */

#endif
