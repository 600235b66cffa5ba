// SPDX-License-Identifier: GPL-2.0-only
/*
 * IKE connections in charon. An event of charon only asks for a new look: what
 * a connection's state is, is read from its list of SAs (rekeys and duplicates
 * then need no bookkeeping), and what to do follows from that state and the time.
 *
 * Initiation is asynchronous in charon (no thread of it waits for us), so a
 * dead peer holds up nobody; failure shows as an IKE SA that is gone or has not
 * come up in time, its reason is picked from charon's log.
 */
#include "sys/ike.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "sys/ike_internal.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
#define SETTLE_MS 1000 /* from initiate until charon must have an IKE SA */
#define POLL_MS 2000
#define ATTEMPT_MS 20000 /* charon alone would try for minutes, with ever longer pauses */
#define STABLE_MS 30000 /* up for so long: the next failure begins a new series */
#define AUDIT_MS 30000
#define REPAIR_MS 15000 /* a rekey must have helped by then */

static const char *const events[] = { "ike-updown", "child-updown", "ike-rekey", "child-rekey",
				      "list-sa", "log", NULL };

static void conn_work(struct ike_conn *conn);

const char *ike_state_name(enum ike_state state)
{
	static const char *const names[] = {
		[IKE_DISCONNECTED] = "disconnected", [IKE_LOADED] = "loaded",
		[IKE_CONNECTING] = "connecting", [IKE_ESTABLISHED] = "established",
		[IKE_INSTALLED] = "installed",
	};

	return (unsigned int)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static struct ike_conn *conn_find(struct ike *ike, const char *name)
{
	for (struct ike_conn *conn = ike->conns; conn; conn = conn->next)
		if (!strcmp(conn->settings.name, name))
			return conn;
	return NULL;
}

static uint64_t now_ms(const struct ike_conn *conn)
{
	return loop_now(conn->ike->loop);
}

/* Three to five quarters of it, so that many connections do not act as one. */
static uint64_t jitter(uint64_t ms)
{
	uint16_t random;

	/* Early at boot there is no entropy yet: then no jitter. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = 0x8000;
	return ms * 3 / 4 + ms / 2 * random / 65536;
}

/* ---- state ---- */

static void conn_tell(struct ike_conn *conn)
{
	if (!conn->wanted || !conn->ike->ops->changed)
		return;
	conn->ike->ops->changed(conn->ike->ctx, conn->settings.name,
				ike_status(conn->ike, conn->settings.name));
}

static void conn_state(struct ike_conn *conn, enum ike_state state)
{
	if (conn->status.state == state)
		return;
	conn->status.state = state;
	conn->status.since = now_ms(conn);
	conn_tell(conn);
}

/* Told once, not with every retry. */
static void conn_error(struct ike_conn *conn, const char *text)
{
	if (!strcmp(conn->status.last_error, text))
		return;
	snprintf(conn->status.last_error, sizeof(conn->status.last_error), "%s", text);
	conn_tell(conn);
}

static void conn_later(struct ike_conn *conn, uint64_t ms)
{
	loop_timer_start(conn->timer, ms);
}

/* Something did not work: when to try again. */
static void conn_failed(struct ike_conn *conn)
{
	conn->backoff = conn->backoff ? 2 * conn->backoff : BACKOFF_MIN_MS;
	if (conn->backoff > BACKOFF_MAX_MS)
		conn->backoff = BACKOFF_MAX_MS;
	conn->retry_at = now_ms(conn) + jitter(conn->backoff);
	conn->attempt_at = 0;
	conn_later(conn, conn->retry_at - now_ms(conn));
}

static void conn_reset(struct ike_conn *conn)
{
	conn->loaded = conn->secret_loaded = conn->busy = false;
	conn->attempt_at = conn->retry_at = conn->up_at = 0;
	conn->looking = conn->reload = false;
	conn->status.ike_cipher[0] = conn->status.child_cipher[0] = '\0';
	conn->status.attempts = 0;
	conn->backoff = 0;
	loop_timer_stop(conn->timer);
}

static void conn_free(struct ike_conn *conn)
{
	struct ike_conn **p = &conn->ike->conns;

	while (*p != conn)
		p = &(*p)->next;
	*p = conn->next;
	loop_timer_free(conn->timer);
	ike_settings_clear(&conn->settings);
	free(conn);
}

/* ---- requests ---- */

/* One request of a connection is under way at a time; its answer leads back to conn_work(). */
static void conn_request(struct ike_conn *conn, const char *command, struct vici_msg *msg,
			 vici_reply reply)
{
	if (!msg || vici_request(conn->ike->vici, command, msg, reply, conn)) {
		conn_failed(conn);
		conn_error(conn, "out of memory");
		return;
	}
	conn->busy = true;
}

/* Did charon do it? Else its reason is in text. */
static bool succeeded(int error, struct vici_reader *message, char *text, size_t size)
{
	bool ok = true;

	snprintf(text, size, "%s", error ? strerror(-error) : "refused by charon");
	while (!error && vici_next(message) > VICI_END) {
		if (message->element != VICI_KEY_VALUE || message->depth)
			continue;
		if (!strcmp(message->name, "success"))
			ok = vici_is(message, "yes");
		else if (!strcmp(message->name, "errmsg"))
			vici_text(message, text, size);
	}
	return !error && ok && message->element == VICI_END;
}

/* Common part of all answers; false: charon is gone, all begins anew. */
static bool conn_answered(struct ike_conn *conn, int error)
{
	conn->busy = conn->reload = false;
	return error != -ENOLINK && error != -ETIMEDOUT;
}

static void load_answered(struct ike_conn *conn, int error, struct vici_reader *message,
			  const char *what, bool *done)
{
	char reason[120], text[160];
	bool stale = conn->reload;

	if (!conn_answered(conn, error))
		return;
	if (stale) {
		conn_work(conn);
		return;
	}
	*done = succeeded(error, message, reason, sizeof(reason));
	if (!*done) {
		snprintf(text, sizeof(text), "cannot load %s: %s", what, reason);
		conn_failed(conn);
		conn_error(conn, text);
	}
	conn_work(conn);
}

static void secret_loaded(void *ctx, int error, struct vici_reader *message)
{
	struct ike_conn *conn = ctx;

	load_answered(conn, error, message, "pre-shared key", &conn->secret_loaded);
}

static void conn_loaded(void *ctx, int error, struct vici_reader *message)
{
	struct ike_conn *conn = ctx;

	load_answered(conn, error, message, "connection", &conn->loaded);
}

static void plain_answered(void *ctx, int error, struct vici_reader *message)
{
	struct ike_conn *conn = ctx;

	if (conn_answered(conn, error))
		conn_work(conn);
}

static void initiated(void *ctx, int error, struct vici_reader *message)
{
	struct ike_conn *conn = ctx;
	char reason[120], text[160];

	if (!conn_answered(conn, error))
		return;
	if (!succeeded(error, message, reason, sizeof(reason))) {
		snprintf(text, sizeof(text), "cannot initiate: %s", reason);
		conn_failed(conn);
		conn_error(conn, text);
	}
	conn_work(conn);
}

static struct vici_msg *named_msg(const char *key, const char *value)
{
	struct vici_msg *msg = vici_msg_new();

	if (msg)
		vici_value(msg, key, "%s", value);
	return msg;
}

static void send_secret(struct ike_conn *conn)
{
	char text[160];
	struct vici_msg *msg = ike_secret_msg(&conn->settings, text, sizeof(text));

	if (!msg) {
		conn_failed(conn);
		conn_error(conn, text);
		return;
	}
	conn_request(conn, "load-shared", msg, secret_loaded);
}

/* force: do not wait for the peer's answer. */
static void send_terminate(struct ike_conn *conn, bool force)
{
	struct vici_msg *msg = named_msg("ike", conn->settings.name);

	if (msg) {
		vici_value(msg, "timeout", "-1");
		if (force)
			vici_value(msg, "force", "yes");
	}
	conn_request(conn, "terminate", msg, plain_answered);
}

static void send_initiate(struct ike_conn *conn)
{
	struct vici_msg *msg = named_msg("child", conn->settings.name);

	if (msg) {
		vici_value(msg, "ike", "%s", conn->settings.name);
		/* Return at once. */
		vici_value(msg, "timeout", "-1");
	}
	conn->attempt_at = now_ms(conn);
	conn->kicked = false;
	conn->reason[0] = '\0';
	conn->status.attempts++;
	conn_later(conn, SETTLE_MS);
	if (conn->status.state < IKE_CONNECTING)
		conn_state(conn, IKE_CONNECTING);
	conn_request(conn, "initiate", msg, initiated);
}

static void send_rekey(struct ike_conn *conn)
{
	conn_request(conn, "rekey", named_msg("child", conn->settings.name), plain_answered);
}

/* ---- what is there ---- */

static void attempt_failed(struct ike_conn *conn)
{
	conn_failed(conn);
	conn_error(conn, conn->reason[0] ? conn->reason : "no answer from the peer");
}

/* Neither installed nor being set up. */
static void look_idle(struct ike_conn *conn, enum ike_state state)
{
	uint64_t now = now_ms(conn), patience = ATTEMPT_MS;

	/* No IKE SA, or the peer refused the child. */
	if (state == IKE_LOADED || conn->reason[0])
		patience = SETTLE_MS;
	if (conn->attempt_at && now - conn->attempt_at < patience) {
		conn_state(conn, state == IKE_LOADED ? IKE_CONNECTING : state);
		conn_later(conn, patience == SETTLE_MS ? SETTLE_MS : POLL_MS);
		return;
	}
	if (conn->attempt_at)
		attempt_failed(conn);
	conn_state(conn, state);
	if (!conn->settings.initiate)
		return;
	if (conn->kicked || conn->retry_at <= now)
		send_initiate(conn);
	else
		conn_later(conn, conn->retry_at - now);
}

static void look_connecting(struct ike_conn *conn)
{
	uint64_t now = now_ms(conn);

	conn_state(conn, IKE_CONNECTING);
	if (!conn->settings.initiate)
		return;
	if (!conn->attempt_at)
		conn->attempt_at = now;
	if (now - conn->attempt_at < ATTEMPT_MS) {
		conn_later(conn, POLL_MS);
		return;
	}
	attempt_failed(conn);
	send_terminate(conn, true);
}

/*
 * Charon calls it installed and the kernel has no SA: somebody flushed or
 * deleted it there, which charon does not see. A rekey makes new SAs and hurts
 * nothing that still works, as the peer's direction may; if the owner complains
 * again soon after, all is made from scratch.
 */
static void conn_repair(struct ike_conn *conn)
{
	uint64_t now = now_ms(conn);

	conn->kicked = false;
	if (conn->repaired_at && now - conn->repaired_at < REPAIR_MS) {
		conn->repaired_at = 0;
		conn->terminate = true;
		conn_work(conn);
		return;
	}
	log_info(conn->settings.name, "the kernel has lost the SA, it is made anew");
	conn->repaired_at = now;
	send_rekey(conn);
}

static void look_installed(struct ike_conn *conn)
{
	const struct ike_look *look = &conn->look;
	bool same = !strcmp(conn->status.ike_cipher, look->ike_cipher) &&
		    !strcmp(conn->status.child_cipher, look->child_cipher) && !conn->rekeyed;

	memcpy(conn->status.ike_cipher, look->ike_cipher, sizeof(look->ike_cipher));
	memcpy(conn->status.child_cipher, look->child_cipher, sizeof(look->child_cipher));
	if (!conn->up_at)
		conn->up_at = now_ms(conn);
	conn->attempt_at = conn->retry_at = 0;
	conn->rekeyed = false;
	conn->status.attempts = 0;
	conn->status.last_error[0] = '\0';
	conn_later(conn, AUDIT_MS);
	if (conn->status.state != IKE_INSTALLED)
		conn_state(conn, IKE_INSTALLED);
	else if (!same)
		conn_tell(conn);
	if (conn->kicked)
		conn_repair(conn);
}

static void looked(void *ctx, int error, struct vici_reader *message)
{
	struct ike_conn *conn = ctx;
	uint64_t now = now_ms(conn);

	conn->looking = false;
	if (!conn_answered(conn, error))
		return;
	if (!conn->wanted || !conn->loaded || conn->look_again) {
		conn_work(conn);
		return;
	}
	if (conn->look.installed) {
		look_installed(conn);
		return;
	}
	memcpy(conn->status.ike_cipher, conn->look.ike_cipher, sizeof(conn->look.ike_cipher));
	conn->status.child_cipher[0] = '\0';
	if (conn->up_at) {
		/* Lost. A peer that takes it down again and again is not asked ever faster. */
		if (now - conn->up_at >= STABLE_MS)
			conn->backoff = 0;
		conn->up_at = 0;
		conn_failed(conn);
	}
	if (conn->look.connecting && !conn->look.established)
		look_connecting(conn);
	else
		look_idle(conn, conn->look.established ? IKE_ESTABLISHED : IKE_LOADED);
}

static void send_look(struct ike_conn *conn)
{
	conn->look_again = false;
	conn->looking = true;
	memset(&conn->look, 0, sizeof(conn->look));
	conn_request(conn, "list-sas", named_msg("ike", conn->settings.name), looked);
	if (!conn->busy)
		conn->looking = false;
}

/* ---- the next step ---- */

/* Takes one that is not wanted any more out of charon, then frees it. */
static void conn_unload(struct ike_conn *conn)
{
	switch (conn->unload_step++) {
	case 0:
		conn_request(conn, "unload-conn", named_msg("name", conn->settings.name),
			     plain_answered);
		break;
	case 1:
		conn_request(conn, "unload-shared", named_msg("id", conn->settings.name),
			     plain_answered);
		break;
	case 2:
		send_terminate(conn, false);
		break;
	default:
		conn_free(conn);
	}
}

static void conn_load(struct ike_conn *conn)
{
	uint64_t now = now_ms(conn);

	if (conn->retry_at > now) {
		conn_later(conn, conn->retry_at - now);
		return;
	}
	if (!conn->secret_loaded) {
		send_secret(conn);
		return;
	}
	conn->terminate |= conn->terminate_after_load;
	conn->terminate_after_load = false;
	conn_request(conn, "load-conn", ike_conn_msg(&conn->settings), conn_loaded);
}

static void conn_work(struct ike_conn *conn)
{
	if (!vici_connected(conn->ike->vici) || conn->busy)
		return;
	if (!conn->wanted) {
		conn_unload(conn);
		return;
	}
	if (!conn->loaded || !conn->secret_loaded) {
		conn_load(conn);
		return;
	}
	if (conn->status.state == IKE_DISCONNECTED) {
		/* A load that failed before is not a reason to wait now. */
		conn->backoff = 0;
		conn->retry_at = 0;
		conn_state(conn, IKE_LOADED);
	}
	if (conn->terminate) {
		conn->terminate = false;
		conn->up_at = conn->attempt_at = conn->retry_at = 0;
		conn->backoff = 0;
		conn->look_again = true;
		send_terminate(conn, true);
		return;
	}
	if (conn->look_again)
		send_look(conn);
}

static void conn_look(struct ike_conn *conn)
{
	conn->look_again = true;
	conn_work(conn);
}

static void conn_fire(void *ctx)
{
	conn_look(ctx);
}

/* ---- from charon ---- */

static void on_up(void *ctx)
{
	struct ike *ike = ctx;

	log_info("ike", "connected to charon");
	if (ike->ops->available)
		ike->ops->available(ike->ctx, true);
	for (struct ike_conn *conn = ike->conns, *next; conn; conn = next) {
		next = conn->next;
		conn->unload_step = 0;
		conn_look(conn);
	}
}

static void on_down(void *ctx)
{
	struct ike *ike = ctx;

	log_warning("ike", "lost the connection to charon");
	for (struct ike_conn *conn = ike->conns; conn; conn = conn->next) {
		conn_reset(conn);
		conn_state(conn, IKE_DISCONNECTED);
	}
	if (ike->ops->available)
		ike->ops->available(ike->ctx, false);
}

/* The events of charon name the connection by their section. */
static void on_change(struct ike *ike, struct vici_reader *message, bool rekey)
{
	while (vici_next(message) > VICI_END) {
		struct ike_conn *conn;

		if (message->element != VICI_SECTION_START)
			continue;
		conn = conn_find(ike, message->name);
		if (!vici_skip(message))
			return;
		if (!conn || !conn->wanted)
			continue;
		if (rekey) {
			conn->status.rekeys++;
			conn->rekeyed = true;
		}
		if (conn->loaded)
			conn_look(conn);
	}
}

static void on_event(void *ctx, const char *name, struct vici_reader *message)
{
	struct ike *ike = ctx;
	struct ike_conn *conn;
	char reason[160];

	if (!strcmp(name, "log")) {
		char subject[64];

		if (ike_log_reason(message, subject, sizeof(subject), reason, sizeof(reason))) {
			conn = conn_find(ike, subject);
			/* The first one is the cause, what follows is told by it. */
			if (conn && conn->attempt_at && !conn->reason[0])
				memcpy(conn->reason, reason, sizeof(conn->reason));
		}
		return;
	}
	if (strcmp(name, "list-sa")) {
		on_change(ike, message, strstr(name, "rekey") != NULL);
		return;
	}
	if (vici_next(message) != VICI_SECTION_START)
		return;
	conn = conn_find(ike, message->name);
	if (conn && conn->looking)
		ike_look_read(&conn->look, message);
}

static const struct vici_ops vici_ops = { .up = on_up, .down = on_down, .event = on_event };

/* ---- what the owner calls ---- */

struct ike *ike_new(struct loop *loop, const char *socket_path, const struct ike_ops *ops,
		    void *ctx)
{
	struct ike *ike = calloc(1, sizeof(*ike));

	if (!ike)
		return NULL;
	ike->loop = loop;
	ike->ops = ops;
	ike->ctx = ctx;
	ike->vici = vici_new(loop, socket_path, events, &vici_ops, ike);
	if (!ike->vici) {
		free(ike);
		return NULL;
	}
	return ike;
}

void ike_free(struct ike *ike)
{
	if (!ike)
		return;
	vici_free(ike->vici);
	while (ike->conns)
		conn_free(ike->conns);
	free(ike);
}

static int conn_new(struct ike *ike, struct ike_settings *settings)
{
	struct ike_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return -ENOMEM;
	conn->timer = loop_timer_new(ike->loop, conn_fire, conn);
	if (!conn->timer) {
		free(conn);
		return -ENOMEM;
	}
	conn->ike = ike;
	conn->settings = *settings;
	conn->wanted = true;
	conn->status.since = loop_now(ike->loop);
	conn->next = ike->conns;
	ike->conns = conn;
	conn_look(conn);
	return 0;
}

int ike_set(struct ike *ike, const struct ike_config *config)
{
	struct ike_conn *conn = conn_find(ike, config->name);
	struct ike_settings settings;
	enum ike_difference difference;
	int ret = ike_settings_make(&settings, config);

	if (ret)
		return ret;
	if (!conn) {
		ret = conn_new(ike, &settings);
		if (ret)
			ike_settings_clear(&settings);
		return ret;
	}
	difference = ike_settings_compare(&conn->settings, &settings);
	if (difference == IKE_SAME && conn->wanted) {
		ike_settings_clear(&settings);
		return 0;
	}
	ike_settings_clear(&conn->settings);
	conn->settings = settings;
	conn->wanted = true;
	conn->unload_step = 0;
	/* What is under way belongs to the old content: its answer must not count as loaded. */
	conn->reload = conn->busy;
	conn->loaded = conn->secret_loaded = false;
	conn->retry_at = 0;
	conn->terminate_after_load |= difference == IKE_OTHER_SA;
	conn_look(conn);
	return 0;
}

void ike_del(struct ike *ike, const char *name)
{
	struct ike_conn *conn = conn_find(ike, name);

	if (!conn || !conn->wanted)
		return;
	loop_timer_stop(conn->timer);
	conn->wanted = false;
	conn->unload_step = 0;
	conn_work(conn);
}

void ike_kick(struct ike *ike, const char *name)
{
	struct ike_conn *conn = conn_find(ike, name);
	uint64_t now = loop_now(ike->loop);

	if (!conn || !conn->wanted || !conn->loaded || conn->attempt_at ||
	    now - conn->kicked_at < BACKOFF_MIN_MS)
		return;
	conn->kicked_at = now;
	conn->kicked = true;
	conn_look(conn);
}

const struct ike_status *ike_status(struct ike *ike, const char *name)
{
	struct ike_conn *conn = conn_find(ike, name);
	uint64_t now = loop_now(ike->loop);

	if (!conn || !conn->wanted)
		return NULL;
	conn->status.retry_ms = conn->retry_at > now ? conn->retry_at - now : 0;
	return &conn->status;
}
