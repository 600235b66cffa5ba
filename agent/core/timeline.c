// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of events, and the open incidents as a list of which faults are there. A
 * fault's bit is half of its kind, since faults and ends take turns in the enum.
 */
#include "core/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct incident {
	char object[TIMELINE_OBJECT_SIZE];
	uint32_t faults;
	uint64_t cause, at; /* of the first fault */
};

struct timeline {
	void (*added)(void *ctx, const struct timeline_event *event);
	void *ctx;
	uint64_t last;
	size_t n_incidents;
	struct incident incidents[TIMELINE_INCIDENTS_MAX];
	struct timeline_event events[TIMELINE_EVENTS]; /* number n is at n % TIMELINE_EVENTS */
};

struct timeline *timeline_new(void (*added)(void *ctx, const struct timeline_event *event),
			      void *ctx)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));

	if (!timeline)
		return NULL;
	timeline->added = added;
	timeline->ctx = ctx;
	return timeline;
}

void timeline_free(struct timeline *timeline)
{
	free(timeline);
}

static struct incident *incident_find(const struct timeline *timeline, const char *object)
{
	for (size_t i = 0; i < timeline->n_incidents; i++)
		if (!strcmp(timeline->incidents[i].object, object))
			return (struct incident *)&timeline->incidents[i];
	return NULL;
}

static void incident_remove(struct timeline *timeline, struct incident *incident)
{
	*incident = timeline->incidents[--timeline->n_incidents];
}

static bool is_fault(enum timeline_kind kind)
{
	return kind <= TIMELINE_LAST_FAULT && kind % 2 == 0;
}

static bool is_end(enum timeline_kind kind)
{
	return kind <= TIMELINE_LAST_FAULT && kind % 2 == 1;
}

static uint32_t fault_bit(enum timeline_kind kind)
{
	return 1u << (kind / 2);
}

static struct incident *incident_open(struct timeline *timeline, const char *object, uint64_t at)
{
	struct incident *incident = &timeline->incidents[timeline->n_incidents];

	if (timeline->n_incidents == TIMELINE_INCIDENTS_MAX)
		return NULL;
	timeline->n_incidents++;
	*incident = (struct incident){.cause = timeline->last + 1, .at = at};
	snprintf(incident->object, sizeof(incident->object), "%s", object);
	return incident;
}

static void append(struct timeline *timeline, const struct incident *incident,
		   const struct timeline_event *facts, const char *object, const char *text)
{
	uint64_t number = ++timeline->last;
	struct timeline_event *event = &timeline->events[number % TIMELINE_EVENTS];

	*event = *facts;
	event->number = number;
	event->cause = incident ? incident->cause : 0;
	event->after = incident ? facts->at - incident->at : 0;
	snprintf(event->object, sizeof(event->object), "%s", object);
	snprintf(event->text, sizeof(event->text), "%s", text ? text : "");
	if (timeline->added)
		timeline->added(timeline->ctx, event);
}

static void restored(struct timeline *timeline, struct incident *incident,
		     struct timeline_event facts)
{
	uint64_t ms = (facts.at - incident->at) / 1000000;
	char text[64];

	facts.kind = TIMELINE_RESTORED;
	snprintf(text, sizeof(text), "after %" PRIu64 ".%03" PRIu64 " s", ms / 1000, ms % 1000);
	append(timeline, incident, &facts, incident->object, text);
	incident_remove(timeline, incident);
}

void timeline_add(struct timeline *timeline, uint64_t at, int64_t wall, enum timeline_kind kind,
		  const char *object, const char *text)
{
	const struct timeline_event facts = {.at = at, .wall = wall, .kind = kind};
	char name[TIMELINE_OBJECT_SIZE];
	struct incident *incident;

	snprintf(name, sizeof(name), "%s", object);
	incident = incident_find(timeline, name);
	if (is_fault(kind)) {
		if (incident && (incident->faults & fault_bit(kind)))
			return;
		if (!incident)
			incident = incident_open(timeline, name, at);
		if (incident)
			incident->faults |= fault_bit(kind);
	} else if (is_end(kind) && incident) {
		if (!(incident->faults & fault_bit(kind)))
			return;
		incident->faults &= ~fault_bit(kind);
	}
	append(timeline, incident, &facts, name, text);
	if (incident && !incident->faults)
		restored(timeline, incident, facts);
}

bool timeline_in_incident(const struct timeline *timeline, const char *object)
{
	return incident_find(timeline, object);
}

const char *timeline_incident_next(const struct timeline *timeline, size_t *at)
{
	return *at < timeline->n_incidents ? timeline->incidents[(*at)++].object : NULL;
}

void timeline_forget(struct timeline *timeline, const char *object)
{
	struct incident *incident = incident_find(timeline, object);

	if (incident)
		incident_remove(timeline, incident);
}

const struct timeline_event *timeline_after(const struct timeline *timeline, uint64_t number)
{
	uint64_t oldest = timeline->last > TIMELINE_EVENTS ? timeline->last - TIMELINE_EVENTS : 0;

	if (number >= timeline->last)
		return NULL;
	if (number < oldest)
		number = oldest;
	return &timeline->events[(number + 1) % TIMELINE_EVENTS];
}

uint64_t timeline_last(const struct timeline *timeline)
{
	return timeline->last;
}

size_t timeline_memory(const struct timeline *timeline)
{
	return sizeof(*timeline);
}

const char *timeline_kind_name(enum timeline_kind kind)
{
	static const char *const names[TIMELINE_N_KINDS] = {
		[TIMELINE_TUNNEL_DOWN] = "tunnel-down",
		[TIMELINE_TUNNEL_UP] = "tunnel-up",
		[TIMELINE_IKE_DOWN] = "ike-down",
		[TIMELINE_IKE_UP] = "ike-up",
		[TIMELINE_BFD_DOWN] = "bfd-down",
		[TIMELINE_BFD_UP] = "bfd-up",
		[TIMELINE_HEALTH_DOWN] = "health-failed",
		[TIMELINE_HEALTH_UP] = "health-good",
		[TIMELINE_ONEWAY] = "one-way",
		[TIMELINE_ONEWAY_OVER] = "one-way-over",
		[TIMELINE_BGP_DOWN] = "bgp-down",
		[TIMELINE_BGP_UP] = "bgp-up",
		[TIMELINE_LINE_DOWN] = "line-down",
		[TIMELINE_LINE_UP] = "line-up",
		[TIMELINE_MODULE_LOST] = "module-lost",
		[TIMELINE_MODULE_FOUND] = "module-found",
		[TIMELINE_ROUTES] = "routes-withdrawn",
		[TIMELINE_FAILOVER] = "failover",
		[TIMELINE_GROUPS] = "groups-changed",
		[TIMELINE_RESTORED] = "restored",
		[TIMELINE_STARTED] = "started",
	};

	return names[kind];
}
