// SPDX-License-Identifier: GPL-2.0-only
/*
 * Publishing: keeps our routes on the gateway's device and over private lines equal
 * to what the owner says (rtnl_ops.published and vias), without ever repeating a change.
 *
 * What is in the table is known from the dump, from events and from our own
 * acknowledgements. Where two of them speak of the same moment, the
 * acknowledgement wins: events caused by this file are not looked at, and a
 * dump's row for a route that we deleted while it ran is old.
 *
 * A prefix goes through the dirty queue; at most RTNL_WINDOW requests are in
 * flight, sent as one batch, and the next batch follows when all are answered.
 */
#include "sys/rtnl.h"

#include <errno.h>
#include <linux/vgw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "sys/rtnl_internal.h"

/* Collect changes: each batch makes every cached XFRM bundle stale. */
#define COLLECT_MS 50
#define RETRY_MS 200
#define HELD_CHECK_MS 100
#define LOST_MS 100
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define PUBLISH_BUFFER (1 << 20)
#define BATCH_SIZE (RTNL_WINDOW * 128)

struct have { /* one of our routes to the prefix, in the kernel */
	struct have *next;
	struct rtnl_via to;
	uint32_t mark;
	bool wanted; /* at the last look */
	bool claimed; /* wanted once */
};

/* A next hop that the kernel refuses must not keep back the others: rare, so a list. */
struct pause {
	struct pause *next;
	struct rtnl_via to;
	uint64_t not_before; /* no add until then */
	uint32_t ms; /* doubles with every refusal */
};

/* What the kernel should have of a prefix. */
struct targets {
	struct rtnl_via to[1 + RTNL_VIAS_MAX];
	size_t n;
	bool gateway_known, vias_known; /* else what is there stays */
};

struct rtnl_own {
	struct prefix prefix;
	struct have *have;
	struct rtnl_own *dirty_next, *held_next;
	uint64_t added; /* loop time of the last successful add, 0 for never */
	struct pause *pauses;
	uint32_t deleted_in; /* dump generation in which we deleted it */
	bool dirty, held, in_flight, again;
	bool wanted; /* the last answer */
	bool lost; /* somebody else deleted it */
};

/* ---- what is known of a prefix ---- */

static bool via_equal(const struct rtnl_via *a, const struct rtnl_via *b)
{
	return a->metric == b->metric && a->oif == b->oif && addr_equal(&a->via, &b->via);
}

static struct have **have_find(struct rtnl_own *own, const struct rtnl_via *to)
{
	struct have **p = &own->have;

	while (*p && !via_equal(&(*p)->to, to))
		p = &(*p)->next;
	return p;
}

static struct pause **pause_find(struct rtnl_own *own, const struct rtnl_via *to)
{
	struct pause **p = &own->pauses;

	while (*p && !via_equal(&(*p)->to, to))
		p = &(*p)->next;
	return p;
}

/* NULL: no memory, then it is tried again without a pause. */
static struct pause *pause_get(struct rtnl_own *own, const struct rtnl_via *to)
{
	struct pause **p = pause_find(own, to);

	if (!*p) {
		*p = calloc(1, sizeof(**p));
		if (*p)
			(*p)->to = *to;
	}
	return *p;
}

static void pause_end(struct pause **p)
{
	struct pause *pause = *p;

	if (!pause)
		return;
	*p = pause->next;
	free(pause);
}

static void have_remove(struct have **p)
{
	struct have *have = *p;

	*p = have->next;
	free(have);
}

static bool have_add(struct rtnl *rtnl, struct rtnl_own *own, const struct rtnl_via *to)
{
	struct have **p = have_find(own, to);

	if (!*p) {
		*p = calloc(1, sizeof(**p));
		if (!*p)
			return false;
		(*p)->to = *to;
	}
	(*p)->mark = rtnl->generation;
	return true;
}

static struct rtnl_own *own_get(struct rtnl *rtnl, const struct prefix *prefix)
{
	struct rtnl_own *own = pmap_get(&rtnl->own, prefix);

	if (own)
		return own;
	own = calloc(1, sizeof(*own));
	if (!own)
		return NULL;
	own->prefix = *prefix;
	if (pmap_put(&rtnl->own, prefix, own)) {
		free(own);
		return NULL;
	}
	return own;
}

static void own_free(void *value)
{
	struct rtnl_own *own = value;

	while (own->have)
		have_remove(&own->have);
	while (own->pauses)
		pause_end(&own->pauses);
	free(own);
}

/* Frees what says nothing any more. */
static void own_prune(struct rtnl *rtnl, struct rtnl_own *own)
{
	bool tombstone = rtnl->dump != RTNL_DUMP_NONE && own->deleted_in == rtnl->generation;

	if (own->have || own->wanted || own->dirty || own->held || own->in_flight || tombstone)
		return;
	pmap_del(&rtnl->own, &own->prefix);
	own_free(own);
}

/* ---- the queue ---- */

static bool gateway_up(const struct rtnl *rtnl)
{
	return rtnl->ifindex && rtnl->link_up;
}

static bool may_run(const struct rtnl *rtnl)
{
	return rtnl->synced && (gateway_up(rtnl) || rtnl->ops->vias);
}

static void run_soon(struct rtnl *rtnl, uint64_t ms)
{
	if (may_run(rtnl) && rtnl->dirty && !rtnl->n_flights && rtnl->publish_timer &&
	    !loop_timer_pending(rtnl->publish_timer))
		loop_timer_start(rtnl->publish_timer, ms);
}

static void own_dirty(struct rtnl *rtnl, struct rtnl_own *own)
{
	if (own->in_flight) {
		own->again = true;
		return;
	}
	if (!own->dirty) {
		own->dirty = true;
		own->dirty_next = NULL;
		*rtnl->dirty_tail = own;
		rtnl->dirty_tail = &own->dirty_next;
		rtnl->counters.dirty++;
	}
	run_soon(rtnl, COLLECT_MS);
}

static struct rtnl_own *dirty_pop(struct rtnl *rtnl)
{
	struct rtnl_own *own = rtnl->dirty;

	rtnl->dirty = own->dirty_next;
	if (!rtnl->dirty)
		rtnl->dirty_tail = &rtnl->dirty;
	own->dirty = false;
	rtnl->counters.dirty--;
	return own;
}

static void own_hold(struct rtnl *rtnl, struct rtnl_own *own)
{
	if (own->held)
		return;
	own->held = true;
	own->held_next = rtnl->held;
	rtnl->held = own;
	rtnl->counters.held++;
	if (!loop_timer_pending(rtnl->held_timer))
		loop_timer_start(rtnl->held_timer, HELD_CHECK_MS);
}

static bool held_due(const struct rtnl_own *own, uint64_t now)
{
	for (const struct pause *pause = own->pauses; pause; pause = pause->next)
		if (pause->not_before <= now)
			return true;
	return !own->pauses;
}

static void held_check(void *ctx)
{
	struct rtnl *rtnl = ctx;
	uint64_t now = loop_now(rtnl->loop);

	for (struct rtnl_own **p = &rtnl->held; *p;) {
		struct rtnl_own *own = *p;

		if (!held_due(own, now)) {
			p = &own->held_next;
			continue;
		}
		*p = own->held_next;
		own->held = false;
		rtnl->counters.held--;
		own_dirty(rtnl, own);
	}
	if (rtnl->held)
		loop_timer_start(rtnl->held_timer, HELD_CHECK_MS);
}

void rtnl_publish_unblock(struct rtnl *rtnl, const struct rtnl_route *route)
{
	struct rtnl_own *own = pmap_get(&rtnl->own, &route->prefix);

	/* held_check() finds it due. */
	for (struct pause *pause = own && own->held ? own->pauses : NULL; pause;
	     pause = pause->next)
		if (pause->ms && route->metric == pause->to.metric)
			pause->not_before = 0;
}

/* ---- requests ---- */

struct batch {
	uint8_t data[BATCH_SIZE];
	size_t len, n;
};

static bool batch_add(struct rtnl *rtnl, struct batch *batch, struct rtnl_own *own, bool add,
		      const struct rtnl_via *to)
{
	struct nl_msg *msg = rtnl_route_msg(rtnl, add, &own->prefix, to);
	struct rtnl_flight *flight = &rtnl->flights[batch->n];
	struct nlmsghdr *nlh;
	size_t len;

	if (!msg)
		return false;
	nlh = nlmsg_hdr(msg);
	len = NLMSG_ALIGN(nlh->nlmsg_len);
	if (batch->len + len > sizeof(batch->data)) {
		nlmsg_free(msg);
		return false;
	}
	nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_pid = rtnl->publish.portid;
	nlh->nlmsg_seq = rtnl->publish.seq + (uint32_t)batch->n + 1;
	*flight = (struct rtnl_flight){
		.own = own, .seq = nlh->nlmsg_seq, .to = *to, .add = add
	};
	memcpy(batch->data + batch->len, nlh, len);
	nlmsg_free(msg);
	batch->len += len;
	batch->n++;
	own->in_flight = true;
	return true;
}

/* The answer of the owner, and whether it wants anything at all. */
static bool targets_get(struct rtnl *rtnl, const struct rtnl_own *own, struct targets *targets)
{
	const struct rtnl_ops *ops = rtnl->ops;
	bool published = ops->published && ops->published(rtnl->ctx, &own->prefix);
	int n = ops->vias ? ops->vias(rtnl->ctx, &own->prefix, targets->to + 1) : 0;

	targets->gateway_known = gateway_up(rtnl);
	targets->vias_known = n >= 0;
	targets->n = 0;
	if (published && targets->gateway_known)
		targets->to[targets->n++] =
			(struct rtnl_via){ .metric = rtnl->metric, .oif = rtnl->ifindex };
	for (int i = 0; i < n; i++)
		targets->to[targets->n++] = targets->to[1 + i];
	return published || n > 0;
}

static bool is_target(const struct targets *targets, const struct rtnl_via *to)
{
	for (size_t i = 0; i < targets->n; i++)
		if (via_equal(&targets->to[i], to))
			return true;
	return false;
}

/* What is no longer wanted need not be waited for. */
static void pauses_prune(struct rtnl_own *own, const struct targets *targets)
{
	struct pause **p = &own->pauses;

	while (*p) {
		if (is_target(targets, &(*p)->to) || *have_find(own, &(*p)->to))
			p = &(*p)->next;
		else
			pause_end(p);
	}
}

/* A route that is there and not wanted: is it ours to delete? */
static bool may_delete(const struct rtnl *rtnl, const struct targets *targets,
		       const struct have *have)
{
	if (rtnl->ifindex && have->to.oif == rtnl->ifindex)
		return targets->gateway_known;
	if (!targets->vias_known || !addr_is_set(&have->to.via))
		return false;
	return have->claimed || (rtnl->ops->owns && rtnl->ops->owns(rtnl->ctx, have->to.oif));
}

/* The first wanted route that is missing and may be tried now; *held: the gateway's must wait. */
static const struct rtnl_via *missing(struct rtnl *rtnl, struct rtnl_own *own,
				      const struct targets *targets, bool *held)
{
	uint64_t now = loop_now(rtnl->loop);

	*held = false;
	for (size_t i = 0; i < targets->n; i++) {
		const struct pause *pause;

		if (*have_find(own, &targets->to[i]))
			continue;
		pause = *pause_find(own, &targets->to[i]);
		if (!pause || pause->not_before <= now)
			return &targets->to[i];
		own_hold(rtnl, own);
		*held |= !addr_is_set(&targets->to[i].via);
	}
	return NULL;
}

/* Routes of one metric exclude each other: with another next hop there, ours must go first. */
static const struct have *in_the_way(const struct rtnl *rtnl, const struct rtnl_own *own,
				     const struct targets *targets, const struct rtnl_via *to)
{
	for (const struct have *have = own->have; have; have = have->next)
		if (have->to.metric == to->metric && !have->wanted &&
		    may_delete(rtnl, targets, have))
			return have;
	return NULL;
}

/* The next change that the prefix needs, if any; add before delete. False: no memory. */
static bool reconcile(struct rtnl *rtnl, struct rtnl_own *own, struct batch *batch)
{
	const struct have *surplus = NULL, *first;
	const struct rtnl_via *to;
	struct targets targets;
	bool held;

	own->wanted = targets_get(rtnl, own, &targets);
	for (struct have *have = own->have; have; have = have->next) {
		have->wanted = is_target(&targets, &have->to);
		have->claimed |= have->wanted;
		if (!have->wanted && may_delete(rtnl, &targets, have))
			surplus = have;
	}
	pauses_prune(own, &targets);
	to = missing(rtnl, own, &targets, &held);
	first = to ? in_the_way(rtnl, own, &targets, to) : NULL;
	if (first)
		return batch_add(rtnl, batch, own, false, &first->to);
	if (to)
		return batch_add(rtnl, batch, own, true, to);
	/* What replaces a route of the gateway comes first; a line that failed must go. */
	if (surplus && !(held && !addr_is_set(&surplus->to.via)))
		return batch_add(rtnl, batch, own, false, &surplus->to);
	own_prune(rtnl, own);
	return true;
}

static void flights_abort(struct rtnl *rtnl, size_t n)
{
	rtnl->n_flights = 0;
	for (size_t i = 0; i < n; i++) {
		struct rtnl_own *own = rtnl->flights[i].own;

		if (!own)
			continue;
		rtnl->flights[i].own = NULL;
		own->in_flight = false;
		own_dirty(rtnl, own);
	}
}

static void publish_run(void *ctx)
{
	struct rtnl *rtnl = ctx;
	struct batch batch = { .len = 0 };
	ssize_t sent;

	if (!may_run(rtnl) || rtnl->n_flights)
		return;
	while (rtnl->dirty && batch.n < RTNL_WINDOW) {
		struct rtnl_own *own = dirty_pop(rtnl);

		if (!reconcile(rtnl, own, &batch)) {
			own_dirty(rtnl, own);
			break;
		}
	}
	if (!batch.n) {
		run_soon(rtnl, RETRY_MS);
		return;
	}
	do
		sent = send(rtnl->publish.fd, batch.data, batch.len, 0);
	while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		log_warning("system table", "cannot publish: %m");
		flights_abort(rtnl, batch.n);
		loop_timer_start(rtnl->publish_timer, RETRY_MS);
		return;
	}
	rtnl->publish.seq += (uint32_t)batch.n;
	rtnl->n_flights = batch.n;
}

/* ---- answers ---- */

static void refused(struct rtnl *rtnl, struct rtnl_own *own, const struct rtnl_flight *flight,
		    int error, const char *text)
{
	const char *verb = flight->add ? "publish" : "withdraw";
	struct pause *pause = pause_get(own, &flight->to);
	char name[PREFIX_STRLEN];

	rtnl->counters.refused++;
	if (error == -EEXIST)
		text = "another route with this metric is in the way";
	else if (!text[0])
		text = strerror(-error);
	/* Once a series: the retries would say the same. */
	if (!pause || !pause->ms)
		log_warning("system table", "cannot %s %s metric %u: %s", verb,
			    prefix_format(&own->prefix, name, sizeof(name)), flight->to.metric,
			    text);
	if (pause) {
		pause->ms = pause->ms ? 2 * pause->ms : PAUSE_MIN_MS;
		if (pause->ms > PAUSE_MAX_MS)
			pause->ms = PAUSE_MAX_MS;
		pause->not_before = loop_now(rtnl->loop) + pause->ms;
	}
	own_hold(rtnl, own);
	/* What is there is not what we believe. */
	if (error == -EEXIST)
		rtnl_resync(rtnl);
}

static void added(struct rtnl *rtnl, struct rtnl_own *own, const struct rtnl_flight *flight)
{
	char name[PREFIX_STRLEN];

	pause_end(pause_find(own, &flight->to));
	own->added = loop_now(rtnl->loop);
	own->deleted_in = 0;
	rtnl->counters.added++;
	if (own->lost) {
		own->lost = false;
		rtnl->counters.restored++;
		log_info("system table", "%s had been deleted by somebody else, is back",
			 prefix_format(&own->prefix, name, sizeof(name)));
	}
	if (!have_add(rtnl, own, &flight->to)) {
		rtnl_resync(rtnl);
		return;
	}
	/* Wanted when it was asked for: what happens to it before the next look counts. */
	(*have_find(own, &flight->to))->wanted = true;
	(*have_find(own, &flight->to))->claimed = true;
}

static void answered(struct rtnl *rtnl, const struct rtnl_flight *flight, int error,
		     const char *text)
{
	struct rtnl_own *own = flight->own;
	struct have **p = have_find(own, &flight->to);
	bool gone = !flight->add && (!error || error == -ESRCH || error == -ENODEV);
	bool more = own->again || (!error && (flight->add || own->have));

	own->in_flight = false;
	own->again = false;
	if (flight->add && !error) {
		added(rtnl, own, flight);
	} else if (gone) {
		pause_end(pause_find(own, &flight->to));
		own->deleted_in = rtnl->generation;
		rtnl->counters.deleted += !error;
		if (*p)
			have_remove(p);
	} else {
		refused(rtnl, own, flight, error, text);
	}
	/* Another next hop may be missing too; the refused one is paused. */
	if (more || (flight->add && *pause_find(own, &flight->to)))
		own_dirty(rtnl, own);
	else
		own_prune(rtnl, own);
}

static void answer(struct rtnl *rtnl, const struct nlmsghdr *nlh)
{
	char text[160];
	int error;

	if (nlh->nlmsg_type != NLMSG_ERROR)
		return;
	error = rtnl_error(nlh, text, sizeof(text));
	for (size_t i = 0; i < RTNL_WINDOW; i++) {
		struct rtnl_flight *flight = &rtnl->flights[i];

		if (!flight->own || flight->seq != nlh->nlmsg_seq)
			continue;
		answered(rtnl, flight, error, text);
		flight->own = NULL;
		if (!--rtnl->n_flights)
			run_soon(rtnl, 0);
		return;
	}
}

/* Acknowledgements were lost: only a dump can tell now. */
static void answers_lost(struct rtnl *rtnl)
{
	rtnl->counters.overruns++;
	rtnl->synced = false;
	flights_abort(rtnl, RTNL_WINDOW);
	rtnl_resync(rtnl);
}

static void answers_ready(void *ctx, unsigned int events)
{
	struct rtnl *rtnl = ctx;
	uint8_t buffer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (size_t i = 0; i < 2 * RTNL_WINDOW; i++) {
		ssize_t n = recv(rtnl->publish.fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *nlh = (struct nlmsghdr *)buffer;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				answers_lost(rtnl);
			return;
		}
		for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
			answer(rtnl, nlh);
	}
}

/* ---- from the dump and events ---- */

static bool is_published(const struct rtnl_known *known)
{
	return known->route.type == RTN_UNICAST && known->n_hops == 1;
}

static struct rtnl_via via_of(const struct rtnl_known *known)
{
	struct rtnl_via to = { .metric = known->route.metric, .oif = known->route.oif };
	static const uint8_t none[16];

	if (memcmp(known->hops[0].via, none, sizeof(none))) {
		to.via.family = known->route.prefix.addr.family;
		memcpy(to.via.b, known->hops[0].via, addr_bits(to.via.family) / 8);
	}
	return to;
}

void rtnl_publish_seen(struct rtnl *rtnl, const struct rtnl_known *known, bool in_dump)
{
	struct rtnl_own *own;
	struct rtnl_via to;

	if (!is_published(known))
		return;
	to = via_of(known);
	own = own_get(rtnl, &known->route.prefix);
	if (!own || (in_dump && own->deleted_in == rtnl->generation))
		return;
	have_add(rtnl, own, &to);
}

void rtnl_publish_gone(struct rtnl *rtnl, const struct rtnl_known *known)
{
	struct rtnl_own *own = pmap_get(&rtnl->own, &known->route.prefix);
	uint64_t now = loop_now(rtnl->loop);
	struct pause *pause;
	struct rtnl_via to;
	struct have **p;
	bool wanted;

	if (!own || !is_published(known))
		return;
	to = via_of(known);
	p = have_find(own, &to);
	if (!*p)
		return;
	wanted = (*p)->wanted;
	have_remove(p);
	if (!own->wanted || !wanted) {
		/* Another gateway's: perhaps ours waits for its place. */
		rtnl_publish_unblock(rtnl, &known->route);
		own_prune(rtnl, own);
		return;
	}
	pause = pause_get(own, &to);
	/* Not at once: an IPv6 route that leaves with its device is told before the link is. */
	own->lost = true;
	if (pause && pause->not_before < now + LOST_MS)
		pause->not_before = now + LOST_MS;
	if (pause && own->added && pause->not_before < own->added + PAUSE_MIN_MS)
		pause->not_before = own->added + PAUSE_MIN_MS;
	own_dirty(rtnl, own);
}

/* Takes all routes away for which the test holds, and looks at the wanted ones again. */
static void have_forget(struct rtnl *rtnl, bool (*cond)(const struct have *have, uint32_t arg),
			uint32_t arg)
{
	struct prefix key = { 0 };
	void *value;

	while (pmap_next(&rtnl->own, &key, &value)) {
		struct rtnl_own *own = value;
		bool changed = false;

		for (struct have **p = &own->have; *p;) {
			if (cond(*p, arg)) {
				have_remove(p);
				changed = true;
				own->lost = false;
			} else {
				p = &(*p)->next;
			}
		}
		if (changed && own->wanted)
			own_dirty(rtnl, own);
		else
			own_prune(rtnl, own);
	}
}

static bool of_older_dump(const struct have *have, uint32_t generation)
{
	return have->mark != generation;
}

static bool on_device(const struct have *have, uint32_t ifindex)
{
	return have->to.oif == ifindex;
}

static bool has_unclaimed(const struct rtnl_own *own)
{
	for (const struct have *have = own->have; have; have = have->next)
		if (!have->claimed)
			return true;
	return false;
}

static void look_again(struct rtnl *rtnl, bool unclaimed)
{
	struct prefix key = { 0 };
	void *value;

	while (pmap_next(&rtnl->own, &key, &value)) {
		struct rtnl_own *own = value;

		if (own->wanted || (unclaimed && has_unclaimed(own)))
			own_dirty(rtnl, own);
	}
	run_soon(rtnl, COLLECT_MS);
}

void rtnl_publish_dump_done(struct rtnl *rtnl)
{
	have_forget(rtnl, of_older_dump, rtnl->generation);
	if (rtnl->sweep) {
		rtnl->sweep = false;
		look_again(rtnl, true);
	}
	run_soon(rtnl, COLLECT_MS);
}

size_t rtnl_publish_count(const struct rtnl *rtnl)
{
	struct prefix key = { 0 };
	void *value;
	size_t n = 0;

	while (pmap_next(&rtnl->own, &key, &value))
		for (const struct have *have = ((struct rtnl_own *)value)->have; have;
		     have = have->next)
			n += rtnl->ifindex && have->to.oif == rtnl->ifindex;
	return n;
}

void rtnl_publish_link(struct rtnl *rtnl, const struct rtnl_link *link, bool present)
{
	bool up = present && link->up;

	if (link->ifindex == rtnl->ifindex && rtnl->link_up != up) {
		rtnl->link_up = up;
		if (up)
			look_again(rtnl, false);
		else
			have_forget(rtnl, on_device, link->ifindex);
	} else if (!up) {
		/* IPv4 routes of a device that goes down leave without a word. */
		have_forget(rtnl, on_device, link->ifindex);
	}
}

/* ---- what the owner calls ---- */

static int publish_open(struct rtnl *rtnl)
{
	int ret;

	if (rtnl->publish.fd >= 0)
		return 0;
	ret = rtnl_socket_open(&rtnl->publish, true, PUBLISH_BUFFER);
	if (ret)
		return ret;
	rtnl->publish_io = loop_io_new(rtnl->loop, rtnl->publish.fd, answers_ready, rtnl);
	rtnl->publish_timer = loop_timer_new(rtnl->loop, publish_run, rtnl);
	rtnl->held_timer = loop_timer_new(rtnl->loop, held_check, rtnl);
	if (!rtnl->publish_io || !rtnl->publish_timer || !rtnl->held_timer) {
		loop_io_free(rtnl->publish_io);
		loop_timer_free(rtnl->publish_timer);
		loop_timer_free(rtnl->held_timer);
		rtnl->publish_io = NULL;
		rtnl->publish_timer = rtnl->held_timer = NULL;
		rtnl_socket_close(&rtnl->publish);
		return -ENOMEM;
	}
	loop_io_set(rtnl->publish_io, LOOP_READ);
	return 0;
}

void rtnl_publish_start(struct rtnl *rtnl, uint32_t gateway_ifindex, uint32_t metric)
{
	const struct rtnl_link *link;
	int ret = publish_open(rtnl);

	if (ret) {
		log_error("system table", "publishing is off: %s", strerror(-ret));
		gateway_ifindex = 0;
	}
	rtnl->ifindex = gateway_ifindex;
	rtnl->metric = metric;
	link = gateway_ifindex ? rtnl_device_find(rtnl, gateway_ifindex) : NULL;
	rtnl->link_up = link && link->up;
	look_again(rtnl, false);
}

void rtnl_publish_dirty(struct rtnl *rtnl, const struct prefix *prefix)
{
	struct rtnl_own *own = own_get(rtnl, prefix);
	char name[PREFIX_STRLEN];

	if (own)
		own_dirty(rtnl, own);
	else
		log_error("system table", "no memory to publish %s",
			  prefix_format(prefix, name, sizeof(name)));
}

void rtnl_publish_now(struct rtnl *rtnl)
{
	if (may_run(rtnl) && rtnl->dirty && !rtnl->n_flights && rtnl->publish_timer)
		loop_timer_start(rtnl->publish_timer, 0);
}

bool rtnl_publish_has_vias(const struct rtnl *rtnl)
{
	struct prefix key = { 0 };
	void *value;

	while (rtnl->ops->owns && pmap_next(&rtnl->own, &key, &value))
		for (const struct have *have = ((struct rtnl_own *)value)->have; have;
		     have = have->next)
			if (addr_is_set(&have->to.via) &&
			    rtnl->ops->owns(rtnl->ctx, have->to.oif))
				return true;
	return false;
}

void rtnl_publish_sweep(struct rtnl *rtnl)
{
	if (rtnl->synced)
		look_again(rtnl, true);
	else
		rtnl->sweep = true;
}

void rtnl_publish_stop(struct rtnl *rtnl)
{
	loop_io_free(rtnl->publish_io);
	loop_timer_free(rtnl->publish_timer);
	loop_timer_free(rtnl->held_timer);
	rtnl_socket_close(&rtnl->publish);
	pmap_clear(&rtnl->own, own_free);
}
