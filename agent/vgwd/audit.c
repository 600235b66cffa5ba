// SPDX-License-Identifier: GPL-2.0-only
/*
 * What others change behind the agent's back.
 *
 * Links, routes and tunnel states come with events and are looked at where they are
 * needed. Two things do not: an inside address that somebody deletes is put
 * back (the kernel's event asks for the tunnel's set-up again), and objects of the module
 * that somebody deletes through its interface. No event tells of those, so the
 * module is asked for its counts now and then; where they differ, it is told
 * everything again. If that does not help, it is tried less and less often.
 */
#include <errno.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

#define AUDIT_MS 10000
#define AUDIT_MAX_MS 640000
/* Whoever deletes an address may be about to set another one. */
#define ADDRESS_MS 500

void audit_start(struct gateway *gateway)
{
	gateway->audit_pause = AUDIT_MS;
	loop_timer_start(gateway->audit_timer, AUDIT_MS);
}

static void audit_answered(void *ctx, int error, const char *text,
			   const struct kernel_gateway *kernel)
{
	struct gateway *gateway = ctx;
	bool same;

	(void)text;
	if (error == -ENOLINK)
		return;
	/* What was told meanwhile may or may not be counted. */
	same = gateway->audit_sent == fib_counters(gateway->fib).routes_sent;
	if (!error && same && gateway->bound && fib_check(gateway->fib, kernel)) {
		gateway->commit_due = true;
		gateway_kick(gateway);
		if (gateway->audit_pause < AUDIT_MAX_MS)
			gateway->audit_pause *= 2;
	} else if (!error && same) {
		gateway->audit_pause = AUDIT_MS;
	}
	loop_timer_start(gateway->audit_timer, gateway->audit_pause);
}

void audit_fire(void *ctx)
{
	struct gateway *gateway = ctx;

	/* Armed first: an answer may never come. */
	loop_timer_start(gateway->audit_timer, gateway->audit_pause);
	if (!gateway->bound || restart_deferring(gateway) || !fib_idle(gateway->fib))
		return;
	gateway->audit_sent = fib_counters(gateway->fib).routes_sent;
	kernel_gateway_get(gateway->kernel, gateway->ifindex, audit_answered, gateway);
}

void audit_address_gone(void *ctx, uint32_t ifindex)
{
	struct gateway *gateway = ctx;

	for (struct tunnel *t = gateway->tunnels; t; t = t->next) {
		if (t->ifindex != ifindex)
			continue;
		t->unsure = true;
		gateway_look_soon(gateway, ADDRESS_MS);
	}
}
