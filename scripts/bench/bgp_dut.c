// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's BGP side without tunnels and module: listener, sessions, table
 * and, with -f, the push to a module that says yes to everything. Made of the
 * same archives as vgwd, with the same steps between (vgwd/peer.c, gateway.c).
 *
 * SIGUSR1 prints what it holds as one line.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bgp/session.h"
#include "core/rib.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "sys/fib.h"
#include "sys/kernel_request.h"

#define GATEWAY 7
#define DRAIN_STEP 2048
#define DRAIN_DELAY 5
#define TICK_MS 20
#define ANSWERS 4096

struct peer {
	struct rib_source *source;
	struct session *session;
	bool any;
};

static struct {
	const char *local, *first;
	unsigned int peers;
	uint32_t peer_as;
	bool push;
} opt = { .peers = 1, .peer_as = 65010 };

static struct loop *loop;
static struct rib *rib;
static struct fib *fib;
static struct loop_timer *drain_timer, *tick;
static uint64_t tick_due, tick_used, late, late_used;
static struct peer peers[256];

/* A module that takes what it gets. */

static struct {
	struct kernel kernel;
	struct kernel_caller answers[ANSWERS];
	size_t n_answers;
	struct loop_timer *answer;
	uint64_t adds, dels;
} sink;

static void sink_answer(void *ctx)
{
	static struct kernel_caller now[ANSWERS];
	size_t n = sink.n_answers;

	memcpy(now, sink.answers, n * sizeof(now[0]));
	sink.n_answers = 0;
	for (size_t i = 0; i < n; i++) {
		struct kernel_result result;

		kernel_result_init(&result);
		if (now[i].op == KERNEL_OP_BEGIN)
			result.u.generation = 1;
		kernel_answer(&now[i], &result);
	}
}

static void sink_submit(struct kernel *kernel, const struct kernel_call *call,
			const struct kernel_caller *caller)
{
	if (sink.n_answers == ANSWERS)
		abort();
	sink.answers[sink.n_answers++] = *caller;
	sink.adds += call->op == KERNEL_OP_ROUTES_ADD ? call->n_routes : 0;
	sink.dels += call->op == KERNEL_OP_ROUTES_DEL ? call->n_routes : 0;
	if (!loop_timer_pending(sink.answer))
		loop_timer_start(sink.answer, 0);
}

static bool sink_available(const struct kernel *kernel)
{
	return true;
}

static void sink_free(struct kernel *kernel)
{
}

static const struct kernel_ops sink_ops = { sink_free, sink_available, sink_submit };

/* What the push asks for */

static bool fib_route(void *ctx, const struct prefix *prefix, uint8_t class, struct fib_route *out)
{
	struct rib_decision decision __attribute__((uninitialized));

	out->n_members = 0;
	out->on_fail = 0;
	rib_decide(rib, prefix, &decision);
	for (uint32_t i = 0; i < decision.n_next_hops; i++)
		out->members[out->n_members++] = (struct kernel_member){
			.tunnel = decision.next_hops[i].tunnel,
			.weight = decision.next_hops[i].weight,
		};
	return out->n_members;
}

static bool fib_tunnel(void *ctx, uint32_t id, struct kernel_tunnel *out)
{
	*out = (struct kernel_tunnel){ .id = id, .ifindex = id };
	return true;
}

static bool fib_everything(void *ctx, struct fib *f, bool first)
{
	for (uint32_t id = 1; id <= opt.peers; id++)
		fib_dirty_tunnel(f, id);
	return false;
}

static void fib_refused(void *ctx, const struct prefix *prefix, uint8_t class, int error,
			const char *text)
{
	fprintf(stderr, "refused: %s\n", text);
}

static void fib_idle_now(void *ctx)
{
}

static const struct fib_ops fib_ops = {
	fib_route, fib_tunnel, fib_everything, fib_refused, fib_idle_now, NULL,
};

static void drain(void *ctx)
{
	struct prefix prefix;

	if (rib_work(rib))
		loop_timer_start(drain_timer, 0);
	for (unsigned int i = 0; rib_dirty_next(rib, &prefix); i++) {
		if (fib)
			fib_dirty_route(fib, &prefix, KERNEL_DYNAMIC);
		if (i == DRAIN_STEP) {
			loop_timer_start(drain_timer, 0);
			return;
		}
	}
}

static void kick(void)
{
	rib_set_time(rib, loop_now(loop));
	if (!loop_timer_pending(drain_timer))
		loop_timer_start(drain_timer, DRAIN_DELAY);
}

/* Sessions */

static void on_established(void *ctx)
{
	struct peer *peer = ctx;

	rib_source_set_router_id(peer->source, session_info(peer->session)->peer_id);
	session_end_of_rib(peer->session, SESSION_IPV4);
	session_end_of_rib(peer->session, SESSION_IPV6);
}

static void on_down(void *ctx, enum session_down_reason reason)
{
	struct peer *peer = ctx;

	rib_source_flush(peer->source);
	kick();
}

static void on_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	struct peer *peer = ctx;

	if (rib_announce(peer->source, prefix, attrs))
		abort();
}

static void on_withdraw(void *ctx, const struct prefix *prefix)
{
	struct peer *peer = ctx;

	rib_withdraw(peer->source, prefix);
}

static void on_expect(void *ctx, const struct prefix *prefix)
{
	rib_expect(rib, prefix);
}

static void on_update_end(void *ctx)
{
	kick();
}

static const struct session_ops session_ops = {
	.established = on_established,
	.down = on_down,
	.route = on_route,
	.withdraw = on_withdraw,
	.expect = on_expect,
	.update_end = on_update_end,
};

static void peer_make(unsigned int index, const struct addr *local, const struct addr *remote)
{
	struct peer *peer = &peers[index];
	struct rib_source_config source = {
		.tunnel = index + 1, .connection = 1, .site = 1, .peer_as = opt.peer_as,
		.site_as = opt.peer_as, .weight = 1, .peer = *remote, .name = "peer",
	};
	struct session_config config = {
		.name = "peer", .local_as = 65000, .peer_as = opt.peer_as, .router_id = 0x0a630001,
		.local = *local, .peer = *remote, .passive = true, .hold_time = 90,
		.connect_retry = 1,
		.afi = { local->family == AF_INET, local->family == AF_INET6 },
	};

	peer->source = rib_source_add(rib, &source);
	peer->session = session_new(loop, &config, &session_ops, peer);
	if (!peer->source || !peer->session)
		abort();
	session_start(peer->session);
}

static uint64_t used_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* How late it comes, and how much of that is our own doing and not other processes'. */
static void on_tick(void *ctx)
{
	uint64_t now = loop_now(loop), used = used_ms();

	if (used - tick_used > TICK_MS + late_used)
		late_used = used - tick_used - TICK_MS;
	tick_used = used;

	if (now > tick_due && now - tick_due > late)
		late = now - tick_due;
	tick_due = now + TICK_MS;
	loop_timer_start(tick, TICK_MS);
}

static void on_usr1(void *ctx)
{
	struct rib_counters c;

	rib_counters(rib, &c);
	printf("prefixes %zu paths %zu accepted %zu sets %zu ",
	       c.prefixes, c.paths, c.verdicts[RIB_ACCEPTED], attrs_count());
	printf("added %llu deleted %llu late_ms %llu own %llu\n",
	       (unsigned long long)sink.adds, (unsigned long long)sink.dels,
	       (unsigned long long)late, (unsigned long long)late_used);
	fflush(stdout);
	late = late_used = 0;
}

static void on_stop(void *ctx)
{
	loop_stop(loop);
}

static bool options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "l:r:n:a:f")) != -1) {
		switch (c) {
		case 'l': opt.local = optarg; break;
		case 'r': opt.first = optarg; break;
		case 'n': opt.peers = (unsigned int)atoi(optarg); break;
		case 'a': opt.peer_as = (uint32_t)atoi(optarg); break;
		case 'f': opt.push = true; break;
		default: return false;
		}
	}
	return opt.local && opt.first && opt.peers && opt.peers <= sizeof(peers) / sizeof(peers[0]);
}

static void push_start(void)
{
	static const struct kernel_hash hash;

	sink.kernel.ops = &sink_ops;
	sink.answer = loop_timer_new(loop, sink_answer, NULL);
	fib = fib_new(loop, &sink.kernel, &fib_ops, NULL);
	if (!fib || !sink.answer)
		abort();
	fib_settings(fib, 0, &hash, NULL, 0);
	fib_start(fib, GATEWAY);
	fib_commit(fib);
}

int main(int argc, char **argv)
{
	/* As vgwd's defaults for a gateway at this site, with the quota taken away. */
	struct prefix protected = { { AF_INET, { 192, 168, 0, 0 } }, 16 };
	struct addr local, remote, outer = { AF_INET, { 198, 51, 100, 9 } };
	struct rib_policy policy = {
		.local_as = 65000, .reserved_ranges = true, .protected = &protected,
		.n_protected = 1, .outer_peers = &outer, .n_outer_peers = 1,
	};

	if (!options(argc, argv) || !addr_parse(opt.local, &local) ||
	    !addr_parse(opt.first, &remote)) {
		fputs("Usage: bgp_dut -l ADDRESS -r FIRST_PEER [-n PEERS] [-a AS] [-f]\n", stderr);
		return 2;
	}
	loop = loop_new();
	rib = rib_new();
	drain_timer = loop_timer_new(loop, drain, NULL);
	tick = loop_timer_new(loop, on_tick, NULL);
	if (!rib || !drain_timer || !tick || rib_set_policy(rib, &policy))
		abort();
	if (opt.push)
		push_start();
	for (unsigned int i = 0; i < opt.peers; i++) {
		peer_make(i, &local, &remote);
		remote.b[local.family == AF_INET ? 3 : 15]++;
	}
	loop_signal_new(loop, SIGUSR1, on_usr1, NULL);
	loop_signal_new(loop, SIGTERM, on_stop, NULL);
	tick_due = loop_now(loop);
	on_tick(NULL);
	return loop_run(loop) ? 1 : 0;
}
