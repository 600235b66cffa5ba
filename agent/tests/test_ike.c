// SPDX-License-Identifier: GPL-2.0-only
/* IKE connections against a fake charon: loading, secrets, back-off, restarts, adoption. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/log.h"
#include "sys/ike.h"
#include "tests/fake_charon.h"

#define N_SAS 4
/* The secret of the test is this, each byte plus one: the program itself must not hold it. */
#define SECRET_MASKED "rtd,bokf-bmc-knmf-rdbqds-eqnl,rhsd,u8"

enum outcome { COMES_UP, STAYS_CONNECTING, NOTHING, ONLY_IKE, REFUSED };

struct sa {
	char name[32];
	const char *ike_state, *child_state; /* child NULL: none */
};

struct fixture {
	struct fake fake;
	struct ike *ike;
	char psk_file[64];
	struct sa sas[N_SAS];
	enum outcome outcome;
	const char *refuse_load; /* command */
	void (*on_load)(struct fixture *f); /* before load-conn is answered */
	size_t initiates, loads, shareds, lists, terminates, rekeys;
	char commands[1024];
	uint32_t secret_hash;
	char conn_text[4096]; /* last load-conn, flat */
	char shared_text[4096]; /* without the secret */
	char changes[2048];
	size_t available, unavailable;
};

/* ---- the fake's behaviour ---- */

static struct sa *sa_find(struct fixture *f, const char *name)
{
	for (size_t i = 0; i < N_SAS; i++)
		if (!strcmp(f->sas[i].name, name))
			return &f->sas[i];
	return NULL;
}

static void sa_set(struct fixture *f, const char *name, const char *ike_state,
		   const char *child_state)
{
	struct sa *sa = sa_find(f, name);

	if (!sa)
		sa = sa_find(f, "");
	assert_non_null(sa);
	snprintf(sa->name, sizeof(sa->name), "%s", ike_state ? name : "");
	sa->ike_state = ike_state;
	sa->child_state = child_state;
}

static void tell(struct fixture *f, const char *event, const char *name)
{
	struct body body = { .len = 0 };

	body_value(&body, "up", "yes");
	body_section(&body, name);
	body_section(&body, "child-sas");
	body_end(&body);
	body_end(&body);
	fake_event(&f->fake, event, &body);
}

static void tell_log(struct fixture *f, const char *name, const char *text)
{
	struct body body = { .len = 0 };

	body_value(&body, "group", "IKE");
	body_value(&body, "ikesa-name", name);
	body_value(&body, "msg", text);
	fake_event(&f->fake, "log", &body);
}

static void list_sa(struct fixture *f, const struct sa *sa)
{
	struct body body = { .len = 0 };

	body_section(&body, sa->name);
	body_value(&body, "uniqueid", "1");
	body_value(&body, "state", sa->ike_state);
	body_value(&body, "encr-alg", "AES_GCM_16");
	body_value(&body, "encr-keysize", "256");
	body_value(&body, "prf-alg", "PRF_HMAC_SHA2_384");
	body_value(&body, "dh-group", "ECP_384");
	body_text(&body, 4, "tasks-passive", NULL);
	body_text(&body, 5, NULL, "X");
	body_text(&body, 6, NULL, NULL);
	body_section(&body, "child-sas");
	if (sa->child_state) {
		body_section(&body, "child-1");
		body_value(&body, "state", sa->child_state);
		body_value(&body, "encr-alg", "AES_CBC");
		body_value(&body, "encr-keysize", "128");
		body_value(&body, "integ-alg", "HMAC_SHA2_256_128");
		body_end(&body);
	}
	body_end(&body);
	body_end(&body);
	fake_event(&f->fake, "list-sa", &body);
}

static uint32_t hash(const uint8_t *data, size_t len)
{
	uint32_t h = 5381;

	while (len--)
		h = h * 33 + *data++;
	return h;
}

/* The message as text: "name{key=value;list[a,b,]}". A value named data only as its hash. */
static void flatten(struct fixture *f, const uint8_t *body, size_t len, char *out, size_t size)
{
	struct vici_reader r;
	size_t n = 0;
	char text[256];

	vici_reader_init(&r, body, len);
	while (vici_next(&r) > VICI_END) {
		bool secret = r.element == VICI_KEY_VALUE && !strcmp(r.name, "data");

		if (secret)
			f->secret_hash = hash(r.value, r.value_len);
		n += (size_t)snprintf(out + n, size - n, "%s%s%s",
				      r.element == VICI_SECTION_START || r.element == VICI_KEY_VALUE ||
						      r.element == VICI_LIST_START ? r.name : "",
				      r.element == VICI_KEY_VALUE ? "=" : "",
				      secret || !r.value ? "" : vici_text(&r, text, sizeof(text)));
		n += (size_t)snprintf(out + n, size - n, "%s",
				      (const char *[]){ "", "{", "}", ";", "[", ",", "]" }[r.element]);
	}
	assert_int_equal(r.element, VICI_END);
}

static void on_initiate(struct fixture *f, const char *name)
{
	f->initiates++;
	fake_success(&f->fake, f->outcome == REFUSED ? "not now" : NULL);
	if (f->outcome == COMES_UP)
		sa_set(f, name, "ESTABLISHED", "INSTALLED");
	else if (f->outcome == STAYS_CONNECTING)
		sa_set(f, name, "CONNECTING", NULL);
	else if (f->outcome == ONLY_IKE)
		sa_set(f, name, "ESTABLISHED", NULL);
	if (f->outcome == COMES_UP) {
		tell(f, "ike-updown", name);
		tell(f, "child-updown", name);
	}
}

static void on_command(void *ctx, struct fake *fake, const char *name, const uint8_t *body,
		       size_t len)
{
	struct fixture *f = ctx;
	char text[4096] = "", which[64] = "", *end;

	flatten(f, body, len, text, sizeof(text));
	snprintf(f->commands + strlen(f->commands), sizeof(f->commands) - strlen(f->commands),
		 "%s ", name);
	if (sscanf(text, "%*[^=]=%63[^;]", which) == 1 && (end = strchr(which, ';')))
		*end = '\0';
	if (f->refuse_load && !strcmp(f->refuse_load, name)) {
		fake_success(fake, "bad thing");
		return;
	}
	if (!strcmp(name, "list-sas")) {
		struct sa *sa = sa_find(f, which);

		f->lists++;
		if (sa)
			list_sa(f, sa);
		fake_reply(fake, NULL);
	} else if (!strcmp(name, "initiate")) {
		on_initiate(f, which);
	} else if (!strcmp(name, "rekey")) {
		f->rekeys++;
		fake_success(fake, sa_find(f, which) ? NULL : "no matching SAs");
	} else if (!strcmp(name, "terminate")) {
		f->terminates++;
		fake_success(fake, sa_find(f, which) ? NULL : "no matching SAs");
		if (sa_find(f, which)) {
			sa_set(f, which, NULL, NULL);
			tell(f, "ike-updown", which);
		}
	} else {
		if (!strcmp(name, "load-conn")) {
			f->loads++;
			if (f->on_load)
				f->on_load(f);
			snprintf(f->conn_text, sizeof(f->conn_text), "%s", text);
		} else if (!strcmp(name, "load-shared")) {
			f->shareds++;
			snprintf(f->shared_text, sizeof(f->shared_text), "%s", text);
		}
		fake_success(fake, NULL);
	}
}

/* ---- the test's side ---- */

static void on_changed(void *ctx, const char *name, const struct ike_status *status)
{
	struct fixture *f = ctx;

	assert_non_null(status);
	snprintf(f->changes + strlen(f->changes), sizeof(f->changes) - strlen(f->changes),
		 "%s:%s ", name, ike_state_name(status->state));
}

static void on_available(void *ctx, bool up)
{
	struct fixture *f = ctx;

	f->available += up;
	f->unavailable += !up;
}

static const struct ike_ops ops = { .changed = on_changed, .available = on_available };

/* Not through stdio, which would keep a copy. */
static void psk_write(const char *path, const char *more)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	for (const char *p = SECRET_MASKED; *p; p++) {
		char c = (char)(*p + 1);

		assert_int_equal(write(fd, &c, 1), 1);
	}
	assert_true(write(fd, more, strlen(more)) >= 0);
	close(fd);
}

static uint32_t secret_hash(void)
{
	uint32_t h = 5381;

	for (const char *p = SECRET_MASKED; *p; p++)
		h = h * 33 + (uint8_t)(*p + 1);
	return h;
}

static struct ike_config config_of(struct fixture *f, const char *name)
{
	struct ike_config config = { .name = name, .psk_file = f->psk_file, .if_id = 42,
				     .initiate = true };

	assert_true(addr_parse("192.0.2.1", &config.local));
	assert_true(addr_parse("2001:db8::2", &config.remote));
	return config;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	fake_init(&f->fake, on_command, f);
	fake_listen(&f->fake);
	snprintf(f->psk_file, sizeof(f->psk_file), "%s/psk", f->fake.dir);
	psk_write(f->psk_file, "\r\n");
	f->ike = ike_new(f->fake.loop, f->fake.path, &ops, f);
	assert_non_null(f->ike);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ike_free(f->ike);
	unlink(f->psk_file);
	fake_exit(&f->fake);
	free(f);
	return 0;
}

static enum ike_state state_of(struct fixture *f, const char *name)
{
	const struct ike_status *status = ike_status(f->ike, name);

	assert_non_null(status);
	return status->state;
}

static void bring_up(struct fixture *f, const char *name)
{
	struct ike_config config = config_of(f, name);

	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_int_equal(state_of(f, name), IKE_INSTALLED);
	f->commands[0] = f->changes[0] = '\0';
}

/* ---- tests ---- */

static void test_up(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");
	const struct ike_status *status;

	assert_int_equal(ike_set(f->ike, &config), 0);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_DISCONNECTED);
	settle(&f->fake);
	assert_int_equal(f->available, 1);
	assert_string_equal(f->changes, "vgw-t1:loaded vgw-t1:connecting vgw-t1:installed ");
	status = ike_status(f->ike, "vgw-t1");
	assert_string_equal(status->ike_cipher, "AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_384");
	assert_string_equal(status->child_cipher, "AES_CBC-128/HMAC_SHA2_256_128");
	assert_int_equal(status->attempts, 0);
	assert_int_equal(f->secret_hash, secret_hash());
	assert_string_equal(f->shared_text,
			    "id=vgw-t1;type=IKE;data=;owners[192.0.2.1,2001:db8::2,]");
	for (const char *const *p = (const char *const[]){
		     "vgw-t1{version=2;", "local_addrs[192.0.2.1,]", "remote_addrs[2001:db8::2,]",
		     "mobike=no;", "keyingtries=1;", "if_id_in=42;if_id_out=42;local{auth=psk;}",
		     "remote{auth=psk;}", "children{vgw-t1{", "local_ts[0.0.0.0/0,::/0,]",
		     "remote_ts[0.0.0.0/0,::/0,]", "start_action=none;", "dpd_action=clear;", NULL };
	     *p; p++)
		if (!strstr(f->conn_text, *p))
			fail_msg("no %s in %s", *p, f->conn_text);

	/* The same again: nothing is said to charon. */
	f->commands[0] = '\0';
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_string_equal(f->commands, "");
}

static void test_bad_config(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	config.if_id = 0;
	assert_int_equal(ike_set(f->ike, &config), -EINVAL);
	config = config_of(f, "a-name-that-is-much-too-long-for-a-connection-in-charon-or-anywhere");
	assert_int_equal(ike_set(f->ike, &config), -ENAMETOOLONG);
	assert_null(ike_status(f->ike, "vgw-t1"));
}

static void test_adopt(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	sa_set(f, "vgw-t1", "ESTABLISHED", "INSTALLED");
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	assert_int_equal(f->initiates, 0);
	assert_int_equal(f->terminates, 0);
}

static void test_responder(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	config.initiate = false;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	advance(&f->fake, 100000);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_LOADED);
	ike_kick(f->ike, "vgw-t1");
	settle(&f->fake);
	assert_int_equal(f->initiates, 0);
	sa_set(f, "vgw-t1", "CONNECTING", NULL);
	sa_set(f, "vgw-t1", "ESTABLISHED", "INSTALLED");
	tell(f, "child-updown", "vgw-t1");
	settle(&f->fake);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
}

static void test_lost_and_back(void **state)
{
	struct fixture *f = *state;

	bring_up(f, "vgw-t1");
	advance(&f->fake, 40000);
	f->initiates = 0;
	sa_set(f, "vgw-t1", NULL, NULL);
	tell(f, "ike-updown", "vgw-t1");
	settle(&f->fake);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_LOADED);
	assert_in_range(ike_status(f->ike, "vgw-t1")->retry_ms, 700, 1300);
	advance(&f->fake, 1300);
	assert_int_equal(f->initiates, 1);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);

	/* Only the child: the IKE SA is used. */
	sa_set(f, "vgw-t1", "ESTABLISHED", NULL);
	tell(f, "child-updown", "vgw-t1");
	settle(&f->fake);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_ESTABLISHED);
	advance(&f->fake, 3000);
	assert_int_equal(f->initiates, 2);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	assert_int_equal(f->terminates, 0);

	/* An event that says nothing of it is not believed: the audit finds out. */
	sa_set(f, "vgw-t1", NULL, NULL);
	advance(&f->fake, 40000);
	assert_int_equal(f->initiates, 3);
	sa_set(f, "vgw-t1", NULL, NULL);
	advance(&f->fake, 40000);
	assert_int_equal(f->initiates, 4);
}

static void test_backoff(void **state)
{
	static const uint64_t steps[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	f->outcome = NOTHING;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(f->initiates, i + 1);
		assert_int_equal(state_of(f, "vgw-t1"), IKE_CONNECTING);
		tell_log(f, "vgw-t1", "sending retransmit 1 of request");
		tell_log(f, "other", "received OTHER notify error");
		tell_log(f, "vgw-t1", "received AUTHENTICATION_FAILED notify error");
		settle(&f->fake);
		advance(&f->fake, 1000); /* charon has nothing of it: failed */
		assert_int_equal(state_of(f, "vgw-t1"), IKE_LOADED);
		assert_string_equal(ike_status(f->ike, "vgw-t1")->last_error,
				    "received AUTHENTICATION_FAILED notify error");
		assert_in_range(ike_status(f->ike, "vgw-t1")->retry_ms, steps[i] * 3 / 4,
				steps[i] * 5 / 4);
		assert_int_equal(ike_status(f->ike, "vgw-t1")->attempts, i + 1);
		advance(&f->fake, steps[i] * 3 / 4 - 100);
		assert_int_equal(f->initiates, i + 1);
		for (uint64_t ms = 0; f->initiates == i + 1 && ms < steps[i] / 2 + 300; ms += 100)
			advance(&f->fake, 100);
	}
	/* Failing again told the owner no news each time. */
	assert_true(strlen(f->changes) < 1000);
	f->outcome = COMES_UP;
	advance(&f->fake, 80000);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	assert_string_equal(ike_status(f->ike, "vgw-t1")->last_error, "");
	/* Taken down at once: the series goes on, it does not begin anew. */
	sa_set(f, "vgw-t1", NULL, NULL);
	tell(f, "ike-updown", "vgw-t1");
	settle(&f->fake);
	assert_in_range(ike_status(f->ike, "vgw-t1")->retry_ms, 45000, 75000);
}

static void test_silent_peer(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	f->outcome = STAYS_CONNECTING;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	for (int i = 0; i < 9; i++)
		advance(&f->fake, 2000);
	assert_int_equal(f->initiates, 1);
	assert_int_equal(f->terminates, 0);
	for (int i = 0; i < 3; i++)
		advance(&f->fake, 1000);
	/* Given up here: charon's own pauses grow to minutes. */
	assert_int_equal(f->terminates, 1);
	assert_string_equal(ike_status(f->ike, "vgw-t1")->last_error, "no answer from the peer");
	for (int i = 0; i < 5; i++)
		advance(&f->fake, 1000);
	assert_int_equal(f->initiates, 2);
}

/* The IKE SA stands, the peer refuses the child: named, tried again with back-off, no terminate. */
static void test_child_refused(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	f->outcome = ONLY_IKE;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	advance(&f->fake, 500);
	tell_log(f, "vgw-t1", "received TS_UNACCEPTABLE notify, no CHILD_SA built");
	tell(f, "ike-updown", "vgw-t1");
	settle(&f->fake);
	advance(&f->fake, 2000);
	assert_string_equal(ike_status(f->ike, "vgw-t1")->last_error,
			    "received TS_UNACCEPTABLE notify, no CHILD_SA built");
	assert_int_equal(state_of(f, "vgw-t1"), IKE_ESTABLISHED);
	assert_int_equal(f->terminates, 0);
	f->outcome = COMES_UP;
	advance(&f->fake, 3000);
	assert_int_equal(f->initiates, 2);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
}

static void test_kick(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	f->outcome = NOTHING;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	ike_kick(f->ike, "vgw-t1"); /* one is under way */
	settle(&f->fake);
	assert_int_equal(f->initiates, 1);
	for (int i = 0; i < 60; i++)
		advance(&f->fake, 500);
	while (state_of(f, "vgw-t1") != IKE_LOADED)
		advance(&f->fake, 500);
	f->initiates = 0;
	ike_kick(f->ike, "vgw-t1");
	settle(&f->fake);
	assert_int_equal(f->initiates, 1);
	ike_kick(f->ike, "nobody");
	/* Installed for charon, gone for the kernel: a rekey; and if that did not help, anew. */
	f->outcome = COMES_UP;
	advance(&f->fake, 80000);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	f->initiates = 0;
	ike_kick(f->ike, "vgw-t1");
	settle(&f->fake);
	assert_int_equal(f->initiates, 0);
	assert_int_equal(f->rekeys, 1);
	assert_int_equal(f->terminates, 0);
	advance(&f->fake, 30000);
	ike_kick(f->ike, "vgw-t1");
	settle(&f->fake);
	assert_int_equal(f->rekeys, 2);
	advance(&f->fake, 5000);
	ike_kick(f->ike, "vgw-t1");
	settle(&f->fake);
	assert_int_equal(f->rekeys, 2);
	assert_int_equal(f->terminates, 1);
	advance(&f->fake, 3000);
	assert_int_equal(f->initiates, 1);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	f->refuse_load = "load-conn";
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_DISCONNECTED);
	assert_string_equal(ike_status(f->ike, "vgw-t1")->last_error,
			    "cannot load connection: bad thing");
	f->refuse_load = NULL;
	f->outcome = REFUSED;
	advance(&f->fake, 1300);
	assert_string_equal(ike_status(f->ike, "vgw-t1")->last_error, "cannot initiate: not now");
	assert_int_equal(f->loads, 1);
	f->outcome = COMES_UP;
	advance(&f->fake, 3000);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
}

static void test_psk_file(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	unlink(f->psk_file);
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_non_null(strstr(ike_status(f->ike, "vgw-t1")->last_error, f->psk_file));
	assert_int_equal(f->loads, 0);
	psk_write(f->psk_file, "");
	advance(&f->fake, 1300);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	assert_int_equal(f->secret_hash, secret_hash());
	/* Another secret: loaded, and the SA stays. */
	psk_write(f->psk_file, "and more");
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_int_equal(f->shareds, 2);
	assert_int_not_equal(f->secret_hash, secret_hash());
	assert_int_equal(f->terminates, 0);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	/* An empty file and a directory are refused by name. */
	assert_int_equal(truncate(f->psk_file, 0), 0);
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_non_null(strstr(ike_status(f->ike, "vgw-t1")->last_error, "empty"));
}

/* Called when charon has the request and has not answered it. */
static void ike_set_while_loading(struct fixture *f)
{
	struct ike_config config = config_of(f, "vgw-t1");

	config.if_id = 43;
	config.dpd_delay = 37;
	f->on_load = NULL;
	assert_int_equal(ike_set(f->ike, &config), 0);
}

static void test_change(void **state)
{
	struct fixture *f = *state;
	struct ike_config config = config_of(f, "vgw-t1");

	bring_up(f, "vgw-t1");
	config.dpd_delay = 33;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_non_null(strstr(f->conn_text, "dpd_delay=33;"));
	assert_int_equal(f->terminates, 0);
	assert_int_equal(f->initiates, 1);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	config.if_id = 43;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_non_null(strstr(f->conn_text, "if_id_in=43;"));
	assert_int_equal(f->terminates, 1);
	advance(&f->fake, 1300);
	assert_int_equal(f->initiates, 2);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	/* Changed while the one before is being loaded: the last one counts. */
	config.dpd_delay = 34;
	assert_int_equal(ike_set(f->ike, &config), 0);
	config.dpd_delay = 35;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_non_null(strstr(f->conn_text, "dpd_delay=35;"));
	assert_int_equal(f->terminates, 1);
	f->on_load = ike_set_while_loading;
	config.dpd_delay = 36;
	assert_int_equal(ike_set(f->ike, &config), 0);
	settle(&f->fake);
	assert_non_null(strstr(f->conn_text, "dpd_delay=37;"));
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
}

static void test_delete(void **state)
{
	struct fixture *f = *state;

	bring_up(f, "vgw-t1");
	bring_up(f, "vgw-t2");
	ike_del(f->ike, "vgw-t1");
	assert_null(ike_status(f->ike, "vgw-t1"));
	settle(&f->fake);
	assert_string_equal(f->commands, "unload-conn unload-shared terminate ");
	assert_null(sa_find(f, "vgw-t1"));
	assert_non_null(sa_find(f, "vgw-t2"));
	advance(&f->fake, 100);
	assert_int_equal(f->initiates, 2);
	/* Without charon: done once it is back. */
	fake_stop(&f->fake);
	settle(&f->fake);
	ike_del(f->ike, "vgw-t2");
	settle(&f->fake);
	f->commands[0] = '\0';
	fake_listen(&f->fake);
	advance(&f->fake, 2000);
	assert_string_equal(f->commands, "unload-conn unload-shared terminate ");
	/* Deleted and wanted again before it was gone. */
	bring_up(f, "vgw-t3");
	ike_del(f->ike, "vgw-t3");
	bring_up(f, "vgw-t3");
}

static void test_restart(void **state)
{
	struct fixture *f = *state;

	bring_up(f, "vgw-t1");
	bring_up(f, "vgw-t2");
	fake_stop(&f->fake);
	settle(&f->fake);
	assert_int_equal(f->unavailable, 1);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_DISCONNECTED);
	advance(&f->fake, 5000);
	memset(f->sas, 0, sizeof(f->sas));
	f->loads = f->shareds = 0;
	fake_listen(&f->fake);
	advance(&f->fake, 1000);
	settle(&f->fake);
	assert_int_equal(f->available, 2);
	assert_int_equal(f->loads, 2);
	assert_int_equal(f->shareds, 2);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_INSTALLED);
	assert_int_equal(state_of(f, "vgw-t2"), IKE_INSTALLED);
}

static void test_rekey(void **state)
{
	struct fixture *f = *state;

	bring_up(f, "vgw-t1");
	sa_set(f, "vgw-t1", "ESTABLISHED", "REKEYING");
	tell(f, "child-rekey", "vgw-t1");
	settle(&f->fake);
	assert_int_equal(ike_status(f->ike, "vgw-t1")->rekeys, 1);
	assert_string_equal(f->changes, "vgw-t1:installed ");
	/* Only the outdated one is left: that is no tunnel. */
	sa_set(f, "vgw-t1", "ESTABLISHED", "REKEYED");
	tell(f, "child-updown", "vgw-t1");
	settle(&f->fake);
	assert_int_equal(state_of(f, "vgw-t1"), IKE_ESTABLISHED);
}

/* ---- secrets in memory ---- */

static void mask_add(uint8_t *p, size_t len)
{
	while (len--)
		*p++ += 1;
}

/* Copies of the secret in the writable memory of this process. */
static size_t copies(void)
{
	static uint8_t window[1 << 16];
	size_t len = strlen(SECRET_MASKED), found = 0;
	int mem = open("/proc/self/mem", O_RDONLY);
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from, to, at;
	char line[512];

	assert_true(mem >= 0 && maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 || !strstr(line, " rw") ||
		    to - from > 1ul << 28)
			continue;
		for (at = from; at < to;) {
			ssize_t n = pread(mem, window, sizeof(window), (off_t)at);

			if (n <= (ssize_t)len)
				break;
			for (size_t i = 0; i + len <= (size_t)n; i++) {
				size_t k = 0;

				while (k < len && window[i + k] == (uint8_t)(SECRET_MASKED[k] + 1))
					k++;
				found += k == len && (at + i < (unsigned long)window ||
						      at + i >= (unsigned long)window + sizeof(window));
			}
			/* Windows overlap, so that none is missed (a find may count twice). */
			at += (unsigned long)n - (at + (unsigned long)n < to ? len : 0);
		}
		explicit_bzero(window, sizeof(window));
	}
	fclose(maps);
	close(mem);
	return found;
}

static void test_secret_wiped(void **state)
{
	struct fixture *f = *state;
	size_t len = strlen(SECRET_MASKED);
	uint8_t *control = malloc(len);

	/* The search does find: a copy here, and one in memory that was freed. */
	assert_non_null(control);
	memcpy(control, SECRET_MASKED, len);
	mask_add(control, len);
	assert_true(copies() > 0);
	explicit_bzero(control, len);
	assert_int_equal(copies(), 0);
	free(control);

	bring_up(f, "vgw-t1");
	assert_int_equal(f->secret_hash, secret_hash());
	assert_int_equal(copies(), 0);
	/* Also when charon goes away with the request under way. */
	fake_stop(&f->fake);
	settle(&f->fake);
	assert_int_equal(copies(), 0);
}

#define charon(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		charon(test_up),
		charon(test_bad_config),
		charon(test_adopt),
		charon(test_responder),
		charon(test_lost_and_back),
		charon(test_backoff),
		charon(test_silent_peer),
		charon(test_child_refused),
		charon(test_kick),
		charon(test_refused),
		charon(test_psk_file),
		charon(test_change),
		charon(test_delete),
		charon(test_restart),
		charon(test_rekey),
		charon(test_secret_wiped),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
