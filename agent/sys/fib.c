// SPDX-License-Identifier: GPL-2.0-only
#include "sys/fib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "sys/fib_state.h"

#define SUBJECT "fib"
#define RETRY_MS 1000

/* Requests and errors */

static void destroy(struct fib *fib)
{
	free(fib->tunnels);
	free(fib->group_slots);
	free(fib->guards);
	fib_ports_free(fib);
	free(fib);
}

void fib_enter(struct fib *fib)
{
	fib->depth++;
}

void fib_leave(struct fib *fib)
{
	if (!--fib->depth && fib->dead && !fib->outstanding)
		destroy(fib);
}

void fib_sent(struct fib *fib)
{
	fib->outstanding++;
	fib->in_flight++;
}

bool fib_answered(struct fib *fib, uint64_t epoch)
{
	fib->outstanding--;
	if (fib->dead || epoch != fib->epoch)
		return false;
	fib->in_flight--;
	fib_kick(fib);
	return true;
}

struct fib_request *fib_request_new(struct fib *fib, void *object)
{
	struct fib_request *request = malloc(sizeof(*request));

	if (!request)
		return NULL;
	*request = (struct fib_request){ .fib = fib, .epoch = fib->epoch, .object = object };
	fib_sent(fib);
	return request;
}

bool fib_request_enter(struct fib_request *request)
{
	struct fib *fib = request->fib;
	uint64_t epoch = request->epoch;

	free(request);
	fib_enter(fib);
	return fib_answered(fib, epoch);
}

void fib_kick(struct fib *fib)
{
	if (!fib->dead && !loop_timer_pending(fib->kick))
		loop_timer_start(fib->kick, 0);
	fib->idle_told = false;
}

static void retry_later(struct fib *fib)
{
	if (!fib->dead && !loop_timer_pending(fib->retry))
		loop_timer_start(fib->retry, RETRY_MS);
}

static void stop(struct fib *fib);

bool fib_passing_error(struct fib *fib, const char *what, int error, const char *text)
{
	switch (error) {
	case -ENODEV:
	case -ENOLINK:
		if (fib->phase != FIB_STOPPED)
			log_warning(SUBJECT, "%s: %s; waiting for the gateway", what, text);
		/* Not now: the caller still holds objects that stop() would free. */
		fib->phase = FIB_STOPPED;
		return true;
	case -ENOMEM:
	case -ENOBUFS:
	case -EAGAIN:
	case -EINTR:
	case -EPERM:
	case -EACCES:
	case -EMSGSIZE:
		if (!loop_timer_pending(fib->retry))
			log_warning(SUBJECT, "%s: %s; trying again", what, text);
		retry_later(fib);
		return true;
	default:
		return false;
	}
}

void fib_replay(struct fib *fib, const char *reason)
{
	if (!fib->restart_wanted)
		log_warning(SUBJECT, "telling the module everything again: %s", reason);
	fib->restart_wanted = true;
	/* There is nobody left who would commit a generation that was over. */
	if (!fib->generation_open)
		fib->commit_wanted = true;
	retry_later(fib);
}

/* Settings */

static void settings_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	if (!error)
		fib->retry_refused = true;
	else if (fib_passing_error(fib, "settings", error, text))
		fib->settings_dirty = true;
	else
		log_error(SUBJECT, "settings refused: %s", text);
out:
	fib_leave(fib);
}

static void settings_send(struct fib *fib)
{
	struct fib_request *request = fib_request_new(fib, NULL);

	if (!request) {
		fib_passing_error(fib, "settings", -ENOMEM, strerror(ENOMEM));
		return;
	}
	fib->settings_dirty = false;
	kernel_gateway_set(fib->kernel, fib->ifindex, &fib->quota, &fib->hash, fib->guards,
			   fib->n_guards, settings_done, request);
}

static bool settings_equal(const struct fib *fib, uint32_t quota, const struct kernel_hash *hash,
			   const struct prefix *guards, size_t n_guards)
{
	if (!fib->has_settings || fib->quota != quota || fib->hash.seed != hash->seed ||
	    fib->hash.idle_ms != hash->idle_ms || fib->hash.fields != hash->fields ||
	    fib->n_guards != n_guards)
		return false;
	for (size_t i = 0; i < n_guards; i++)
		if (!prefix_equal(&fib->guards[i], &guards[i]))
			return false;
	return true;
}

void fib_settings(struct fib *fib, uint32_t quota, const struct kernel_hash *hash,
		  const struct prefix *guards, size_t n_guards)
{
	struct prefix *copy;

	if (settings_equal(fib, quota, hash, guards, n_guards))
		return;
	/* Never empty: NULL would tell the module to keep its list. */
	copy = calloc(n_guards + 1, sizeof(*copy));
	if (!copy) {
		log_error(SUBJECT, "settings: %s", strerror(ENOMEM));
		return;
	}
	for (size_t i = 0; i < n_guards; i++)
		copy[i] = guards[i];
	free(fib->guards);
	fib->guards = copy;
	fib->n_guards = n_guards;
	fib->quota = quota;
	fib->hash = *hash;
	fib->has_settings = fib->settings_dirty = true;
	fib_kick(fib);
}

/* Tunnels */

static size_t tunnel_place(const struct fib *fib, uint32_t id)
{
	size_t low = 0, high = fib->n_tunnels;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (fib->tunnels[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Found or made; NULL on no memory. */
static struct fib_tunnel *tunnel_get(struct fib *fib, uint32_t id)
{
	size_t place = tunnel_place(fib, id);
	struct fib_tunnel *tunnel;

	if (place < fib->n_tunnels && fib->tunnels[place]->id == id)
		return fib->tunnels[place];
	if (fib->n_tunnels == fib->room_tunnels) {
		size_t room = fib->room_tunnels ? 2 * fib->room_tunnels : 16;
		struct fib_tunnel **tunnels =
			realloc(fib->tunnels, room * sizeof(struct fib_tunnel *));

		if (!tunnels)
			return NULL;
		fib->tunnels = tunnels;
		fib->room_tunnels = room;
	}
	tunnel = calloc(1, sizeof(*tunnel));
	if (!tunnel)
		return NULL;
	tunnel->id = id;
	memmove(&fib->tunnels[place + 1], &fib->tunnels[place],
		(fib->n_tunnels - place) * sizeof(struct fib_tunnel *));
	fib->tunnels[place] = tunnel;
	fib->n_tunnels++;
	return tunnel;
}

static void tunnel_forget(struct fib *fib, struct fib_tunnel *tunnel)
{
	size_t place = tunnel_place(fib, tunnel->id);

	fib->n_tunnels--;
	memmove(&fib->tunnels[place], &fib->tunnels[place + 1],
		(fib->n_tunnels - place) * sizeof(struct fib_tunnel *));
	free(tunnel);
}

static void tunnel_dirty(struct fib *fib, struct fib_tunnel *tunnel)
{
	if (!tunnel->dirty)
		fib->n_dirty_tunnels++;
	tunnel->dirty = true;
	fib_kick(fib);
}

void fib_dirty_tunnel(struct fib *fib, uint32_t id)
{
	struct fib_tunnel *tunnel;

	if (fib->phase != FIB_RUNNING)
		return;
	tunnel = tunnel_get(fib, id);
	if (tunnel)
		tunnel_dirty(fib, tunnel);
	else
		fib_replay(fib, strerror(ENOMEM));
}

bool fib_tunnel_held(const struct fib *fib, uint32_t id)
{
	size_t place = tunnel_place(fib, id);

	return place < fib->n_tunnels && fib->tunnels[place]->id == id &&
	       fib->tunnels[place]->held == HELD_YES;
}

void fib_tunnels_recheck(struct fib *fib)
{
	for (size_t i = 0; i < fib->n_tunnels; i++)
		if (fib->tunnels[i]->doomed && !fib->tunnels[i]->sent)
			tunnel_dirty(fib, fib->tunnels[i]);
}

static void tunnel_set_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib_tunnel *tunnel = request->object;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	tunnel->sent = false;
	if (!error) {
		/* Routes may have been refused for want of it. */
		if (tunnel->held != HELD_YES)
			fib->retry_refused = true;
		tunnel->held = HELD_YES;
		goto out;
	}
	/* It may be there as it was before, or not at all. */
	tunnel->held = HELD_MAYBE;
	tunnel->fresh = false;
	if (fib_passing_error(fib, "tunnel", error, text))
		tunnel_dirty(fib, tunnel);
	else
		log_error(SUBJECT, "tunnel %u refused: %s", tunnel->id, text);
out:
	fib_leave(fib);
}

static void tunnel_del_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib_tunnel *tunnel = request->object;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	tunnel->sent = false;
	if (!error || error == -ENOENT) {
		tunnel->held = HELD_NO;
		tunnel->fresh = false;
		tunnel_dirty(fib, tunnel); /* forgotten unless wanted again */
		fib->retry_refused = true;
	} else if (fib_passing_error(fib, "tunnel", error, text)) {
		tunnel_dirty(fib, tunnel);
	} else {
		tunnel->doomed = true; /* tried again when a group is gone */
		log_warning(SUBJECT, "tunnel %u cannot be deleted: %s", tunnel->id, text);
	}
out:
	fib_leave(fib);
}

static bool tunnel_same(const struct kernel_tunnel *a, const struct kernel_tunnel *b)
{
	return a->ifindex == b->ifindex && a->connection == b->connection && a->site == b->site &&
	       a->source_check == b->source_check && a->transit == b->transit &&
	       a->failed == b->failed;
}

static void tunnel_send(struct fib *fib, struct fib_tunnel *tunnel, bool set)
{
	struct fib_request *request = fib_request_new(fib, tunnel);

	if (!request) {
		tunnel_dirty(fib, tunnel);
		fib_passing_error(fib, "tunnel", -ENOMEM, strerror(ENOMEM));
		return;
	}
	tunnel->sent = true;
	if (set)
		kernel_tunnel_set(fib->kernel, fib->ifindex, &tunnel->is, tunnel_set_done, request);
	else
		kernel_tunnel_del(fib->kernel, fib->ifindex, tunnel->id, tunnel_del_done, request);
}

/* False: the tunnel is no more. */
static bool tunnel_look(struct fib *fib, struct fib_tunnel *tunnel)
{
	struct kernel_tunnel want = { 0 };

	tunnel->dirty = false;
	fib->n_dirty_tunnels--;
	if (fib->ops.tunnel(fib->ctx, tunnel->id, &want)) {
		want.id = tunnel->id;
		tunnel->doomed = false;
		if (tunnel->held == HELD_YES && tunnel->fresh && tunnel_same(&want, &tunnel->is))
			return true;
		tunnel->is = want;
		tunnel->fresh = true;
		tunnel_send(fib, tunnel, true);
		return true;
	}
	if (tunnel->held == HELD_NO) {
		tunnel_forget(fib, tunnel);
		return false;
	}
	tunnel->doomed = fib->generation_open || fib_groups_have(fib, tunnel->id);
	if (!tunnel->doomed)
		tunnel_send(fib, tunnel, false);
	return true;
}

static void tunnels_pump(struct fib *fib)
{
	for (size_t i = 0; i < fib->n_tunnels && fib->n_dirty_tunnels;) {
		struct fib_tunnel *tunnel = fib->tunnels[i];

		if (!tunnel->dirty || tunnel->sent || tunnel_look(fib, tunnel))
			i++;
		if (loop_timer_pending(fib->retry))
			return;
	}
}

static void tunnels_committed(struct fib *fib)
{
	for (size_t i = fib->n_tunnels; i-- > 0;) {
		struct fib_tunnel *tunnel = fib->tunnels[i];

		if (tunnel->fresh || tunnel->sent || tunnel->dirty)
			continue;
		/* The sweep took it; a look tells whether the owner wants it after all. */
		tunnel->held = HELD_NO;
		tunnel_dirty(fib, tunnel);
	}
	fib_tunnels_recheck(fib);
}

static void tunnels_clear(struct fib *fib)
{
	for (size_t i = 0; i < fib->n_tunnels; i++)
		free(fib->tunnels[i]);
	fib->n_tunnels = fib->n_dirty_tunnels = 0;
}

/* Start */

/* Forgets what the module holds; answers to what was asked mean nothing from here on. */
static void stop(struct fib *fib)
{
	fib->phase = FIB_STOPPED;
	fib->epoch++;
	fib->in_flight = 0;
	fib_routes_clear(fib);
	fib_policies_clear(fib);
	fib_groups_clear(fib);
	tunnels_clear(fib);
	fib_ports_forget(fib);
	fib->generation_open = fib->commit_sent = fib->restart_wanted = false;
	fib->settings_dirty = fib->telling = false;
	loop_timer_stop(fib->kick);
	loop_timer_stop(fib->retry);
}

/* A step of the start failed. */
static void start_failed(struct fib *fib, int error, const char *text)
{
	if (!fib_passing_error(fib, "start", error, text))
		log_error(SUBJECT, "start: %s", text);
	if (fib->phase == FIB_STOPPED)
		return;
	fib->restart_wanted = true;
	retry_later(fib);
}

static struct fib_request *start_step(struct fib *fib)
{
	struct fib_request *request = fib_request_new(fib, NULL);

	if (!request)
		start_failed(fib, -ENOMEM, strerror(ENOMEM));
	return request;
}

static void tell(struct fib *fib, bool first)
{
	fib->telling = fib->ops.everything(fib->ctx, fib, first);
	if (fib->telling)
		fib_kick(fib);
}

static void begin_done(void *ctx, int error, const char *text, uint32_t generation)
{
	struct fib_request *request = ctx;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	if (error) {
		start_failed(fib, error, text);
		goto out;
	}
	fib->generation = generation;
	fib->generation_open = true;
	fib->phase = FIB_RUNNING;
	tell(fib, true);
out:
	fib_leave(fib);
}

static void adopt_group(void *ctx, const struct kernel_group *row)
{
	struct fib_request *request = ctx;
	struct fib *fib = request->fib;

	if (!fib->dead && request->epoch == fib->epoch && fib_group_adopt(fib, row))
		fib->restart_wanted = true;
}

static void adopt_tunnel(void *ctx, const struct kernel_tunnel *row)
{
	struct fib_request *request = ctx;
	struct fib *fib = request->fib;
	struct fib_tunnel *tunnel;

	if (fib->dead || request->epoch != fib->epoch)
		return;
	tunnel = tunnel_get(fib, row->id);
	if (!tunnel) {
		fib->restart_wanted = true;
		return;
	}
	tunnel->held = HELD_YES;
	tunnel->is = *row;
}

static void groups_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx, *next;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	if (!error && fib->restart_wanted)
		error = -ENOMEM;
	if (error) {
		start_failed(fib, error, text);
		goto out;
	}
	next = start_step(fib);
	if (next)
		kernel_generation_begin(fib->kernel, fib->ifindex, begin_done, next);
out:
	fib_leave(fib);
}

static void tunnels_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx, *next;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	if (error) {
		start_failed(fib, error, text);
		goto out;
	}
	next = start_step(fib);
	if (next)
		kernel_groups_dump(fib->kernel, fib->ifindex, adopt_group, groups_done, next);
out:
	fib_leave(fib);
}

static void start(struct fib *fib)
{
	struct fib_request *next;

	stop(fib);
	if (!fib->ifindex)
		return;
	fib->phase = FIB_STARTING;
	if (fib->started)
		fib->counters.replays++;
	fib->started = true;
	if (fib->has_settings)
		settings_send(fib);
	next = start_step(fib);
	if (next)
		kernel_tunnels_dump(fib->kernel, fib->ifindex, adopt_tunnel, tunnels_done, next);
}

void fib_start(struct fib *fib, uint32_t ifindex)
{
	fib_enter(fib);
	fib->ifindex = ifindex;
	fib->commit_wanted = false;
	start(fib);
	fib_leave(fib);
}

/* Commit and idle */

static void committed(struct fib *fib)
{
	fib->commit_wanted = fib->generation_open = false;
	fib_routes_committed(fib);
	fib_policies_committed(fib);
	fib_groups_committed(fib);
	tunnels_committed(fib);
	fib->retry_refused = true;
}

static void commit_done(void *ctx, int error, const char *text, long index)
{
	struct fib_request *request = ctx;
	struct fib *fib = request->fib;

	if (!fib_request_enter(request))
		goto out;
	fib->commit_sent = false;
	if (!error)
		committed(fib);
	else if (!fib_passing_error(fib, "commit", error, text))
		fib_replay(fib, text);
out:
	fib_leave(fib);
}

static void commit_send(struct fib *fib)
{
	struct fib_request *request = fib_request_new(fib, NULL);

	if (!request) {
		fib_passing_error(fib, "commit", -ENOMEM, strerror(ENOMEM));
		return;
	}
	fib->commit_sent = true;
	kernel_generation_commit(fib->kernel, fib->ifindex, fib->generation, commit_done, request);
}

void fib_commit(struct fib *fib)
{
	if (fib->phase == FIB_RUNNING && !fib->generation_open)
		return;
	fib->commit_wanted = true;
	fib_kick(fib);
}

bool fib_generation_open(const struct fib *fib)
{
	return fib->generation_open;
}

static bool drained(const struct fib *fib)
{
	return fib->phase == FIB_RUNNING && !fib->telling && !fib->dirty.n &&
	       !fib->n_dirty_tunnels && !fib->policies.dirty && !fib->in_flight &&
	       !fib->settings_dirty && !fib->ports_dirty && !fib->restart_wanted &&
	       !(fib->retry_refused && fib->refused.n) && !loop_timer_pending(fib->retry);
}

bool fib_idle(const struct fib *fib)
{
	return drained(fib) && !(fib->commit_wanted && fib->generation_open);
}

static void pump(struct fib *fib)
{
	if (fib->phase != FIB_RUNNING || loop_timer_pending(fib->retry))
		return;
	if (fib->settings_dirty)
		settings_send(fib);
	if (fib->telling)
		tell(fib, false);
	tunnels_pump(fib);
	fib_ports_pump(fib);
	fib_policies_pump(fib);
	fib_routes_pump(fib);
	if (!drained(fib))
		return;
	fib_routes_tell(fib);
	if (fib->commit_wanted && fib->generation_open) {
		commit_send(fib);
	} else if (!fib->idle_told) {
		fib->idle_told = true;
		fib->ops.idle(fib->ctx);
	}
}

static void kick_fire(void *ctx)
{
	struct fib *fib = ctx;

	fib_enter(fib);
	pump(fib);
	fib_leave(fib);
}

static void retry_fire(void *ctx)
{
	struct fib *fib = ctx;

	fib_enter(fib);
	if (fib->restart_wanted)
		start(fib);
	else
		pump(fib);
	fib_leave(fib);
}

/* Life */

struct fib *fib_new(struct loop *loop, struct kernel *kernel, const struct fib_ops *ops, void *ctx)
{
	struct fib *fib = calloc(1, sizeof(*fib));

	if (!fib)
		return NULL;
	fib->loop = loop;
	fib->kernel = kernel;
	fib->ops = *ops;
	fib->ctx = ctx;
	fib->next_group = 1;
	fib_routes_init(fib);
	fib->kick = loop_timer_new(loop, kick_fire, fib);
	fib->retry = loop_timer_new(loop, retry_fire, fib);
	if (fib->kick && fib->retry)
		return fib;
	loop_timer_free(fib->kick);
	loop_timer_free(fib->retry);
	free(fib);
	return NULL;
}

void fib_free(struct fib *fib)
{
	if (!fib)
		return;
	fib_enter(fib);
	stop(fib);
	fib->dead = true;
	loop_timer_free(fib->kick);
	loop_timer_free(fib->retry);
	fib_leave(fib);
}

void fib_kernel_lost(struct fib *fib)
{
	fib_enter(fib);
	stop(fib);
	fib->ifindex = 0;
	fib_leave(fib);
}

void fib_kernel_found(struct fib *fib)
{
	if (fib->phase == FIB_STOPPED && fib->ifindex)
		start(fib);
}

static uint32_t tunnels_held(const struct fib *fib)
{
	uint32_t n = 0;

	for (size_t i = 0; i < fib->n_tunnels; i++)
		n += fib->tunnels[i]->held != HELD_NO;
	return n;
}

static uint32_t policies_held(const struct fib *fib)
{
	uint32_t n = 0;

	for (size_t i = 0; i < fib->policies.n; i++)
		n += fib->policies.list[i].held != HELD_NO;
	return n;
}

/* Only numbers: a table of a million routes is not read to find the one that somebody deleted. */
bool fib_check(struct fib *fib, const struct kernel_gateway *kernel)
{
	size_t routes = 0;

	if (!fib_idle(fib) || kernel->ifindex != fib->ifindex)
		return false;
	for (size_t i = 0; i < FIB_CLASSES; i++)
		routes += fib->routes[i].count;
	/* An idle fib has of those that it knows all but the refused ones in the module. */
	routes -= fib->refused.n;
	if (kernel->routes == routes && kernel->groups == fib->n_groups &&
	    kernel->tunnels == tunnels_held(fib) &&
	    kernel->policies == policies_held(fib) &&
	    kernel->generation_open == fib->generation_open)
		return false;
	log_warning(SUBJECT,
		    "the module holds %u routes, %u groups, %u tunnels, %u policy routes where it "
		    "was given %zu, %zu, %u, %u",
		    kernel->routes, kernel->groups, kernel->tunnels, kernel->policies, routes,
		    fib->n_groups, tunnels_held(fib), policies_held(fib));
	fib_enter(fib);
	fib_replay(fib, "somebody else changed its table");
	fib_leave(fib);
	return true;
}

struct fib_counters fib_counters(const struct fib *fib)
{
	struct fib_counters counters = fib->counters;

	counters.dirty = fib->dirty.n + fib->n_dirty_tunnels + fib->policies.dirty;
	counters.in_flight = fib->in_flight;
	counters.groups = fib->n_groups;
	for (size_t i = 0; i < FIB_CLASSES; i++) {
		counters.routes += fib->routes[i].count;
		counters.memory += ptable_memory(&fib->routes[i]);
	}
	return counters;
}
