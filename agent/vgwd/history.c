// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happened, for people: each event is kept in the timeline, written to the
 * log, and told to those who follow it. The log outlives the agent, the timeline
 * does not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"
#include "vgwd/gateway.h"
#include "vgwd/verbs.h"

#define EVENTS_PER_STEP 64
#define NS_PER_S 1000000000ull

/* Somebody who follows the events; owned by his reply. */
struct follower {
	struct follower *next;
	struct gateway *gateway;
	struct control_reply *reply; /* NULL: wants what there is, and no more */
	uint64_t told; /* the last event that he knows */
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void history_added(void *ctx, const struct timeline_event *event)
{
	struct gateway *gateway = ctx;
	struct follower *follower = gateway->followers, *next;
	char cause[64] = "";

	if (event->cause && event->cause != event->number)
		snprintf(cause, sizeof(cause), ", by event %" PRIu64 " %" PRIu64 ".%03u ms ago",
			 event->cause, event->after / 1000000,
			 (unsigned int)(event->after / 1000 % 1000));
	log_info("timeline", "event %" PRIu64 ": %s%s%s%s%s%s", event->number, event->object,
		 *event->object ? " " : "", timeline_kind_name(event->kind),
		 *event->text ? ": " : "", event->text, cause);
	for (; follower; follower = next) {
		next = follower->next;
		control_reply_wake(follower->reply);
	}
}

int history_init(struct gateway *gateway)
{
	gateway->timeline = timeline_new(history_added, gateway);
	if (!gateway->timeline)
		return -1;
	history_note(gateway, TIMELINE_STARTED, "", "vgwd " VGW_VERSION);
	return 0;
}

void history_note(struct gateway *gateway, enum timeline_kind kind, const char *object,
		  const char *fmt, ...)
{
	char text[TIMELINE_TEXT_SIZE], clean[TIMELINE_TEXT_SIZE];
	va_list ap;

	if (!gateway->timeline)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* It may hold a peer's words, cut within a character. */
	log_escape((const uint8_t *)text, strlen(text), clean, sizeof(clean));
	timeline_add(gateway->timeline, clock_ns(CLOCK_MONOTONIC),
		     (int64_t)clock_ns(CLOCK_REALTIME), kind, object, clean);
}

bool history_incident(const struct gateway *gateway, const char *object)
{
	return gateway->timeline && timeline_in_incident(gateway->timeline, object);
}

void history_settle(struct gateway *gateway, enum timeline_kind end, const char *object,
		    const char *text)
{
	if (history_incident(gateway, object))
		history_note(gateway, end, object, "%s", text);
}

void history_forget(struct gateway *gateway, const char *object)
{
	if (gateway->timeline)
		timeline_forget(gateway->timeline, object);
}

/* "2026-01-31T12:00:00.000000000Z" */
static json_t *time_text(int64_t wall)
{
	time_t seconds = (time_t)(wall / (int64_t)NS_PER_S);
	char text[64], whole[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%09uZ", whole, (unsigned int)(wall % (int64_t)NS_PER_S));
	return json_string(text);
}

static json_t *event_row(const struct timeline_event *event)
{
	json_t *cause = event->cause ? json_integer((json_int_t)event->cause) : json_null();
	json_t *after = event->cause ? json_integer((json_int_t)event->after) : json_null();

	return json_pack("{s:I,s:o,s:I,s:o,s:o,s:s,s:s,s:s}", "event", (json_int_t)event->number,
			 "time", time_text(event->wall), "monotonic_ns", (json_int_t)event->at,
			 "cause", cause, "after_ns", after, "object", event->object, "what",
			 timeline_kind_name(event->kind), "text", event->text);
}

/* One event; false: he knows all there is. */
static bool follower_tell(struct follower *follower, struct control_reply *reply)
{
	const struct timeline_event *event =
		timeline_after(follower->gateway->timeline, follower->told);

	if (!event)
		return false;
	/* Only who reads slower than things happen: the ring went on without him. */
	if (follower->told && event->number != follower->told + 1)
		log_warning("monitor", "%" PRIu64 " events were overtaken before they were read",
			    event->number - follower->told - 1);
	control_reply_row(reply, event_row(event));
	follower->told = event->number;
	return true;
}

static bool follower_step(void *state, struct control_reply *reply)
{
	struct follower *follower = state;

	for (unsigned int i = 0; i < EVENTS_PER_STEP; i++) {
		if (follower_tell(follower, reply))
			continue;
		if (!follower->reply)
			return false;
		control_reply_wait(reply);
		return true;
	}
	return true;
}

static void follower_release(void *state)
{
	struct follower *follower = state, **link = &follower->gateway->followers;

	while (*link && *link != follower)
		link = &(*link)->next;
	if (*link)
		*link = follower->next;
	free(follower);
}

static struct follower *follower_new(struct gateway *gateway, struct control_reply *reply)
{
	struct follower *follower = calloc(1, sizeof(*follower));

	if (follower)
		follower->gateway = gateway;
	else
		control_reply_error(reply, ENOMEM, "out of memory");
	return follower;
}

void show_timeline(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct follower *follower = follower_new(ctx, reply);

	(void)args;
	if (follower)
		control_reply_stream(reply, follower_step, follower_release, follower);
}

void monitor(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct follower *follower = follower_new(ctx, reply);
	struct gateway *gateway = ctx;

	(void)args;
	if (!follower)
		return;
	follower->reply = reply;
	follower->told = timeline_last(gateway->timeline);
	follower->next = gateway->followers;
	gateway->followers = follower;
	control_reply_stream(reply, follower_step, follower_release, follower);
}
