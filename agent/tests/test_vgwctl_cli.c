// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgwctl as a program: command lines that are wrong, answers of a vgwd made up
 * here over a real control socket, and what each looks like. Links
 * agent/vgwctl without main.c.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/control.h"
#include "core/lint.h"
#include "vgwctl/cli.h"

#define WORDS_MAX 24

struct fake {
	struct loop *loop;
	struct control *control;
	char dir[64], path[96];
	pthread_t thread;
	json_t *args; /* of the last request */
};

/* What the made-up vgwd holds. */
static const char tunnels[] =
	"[{\"name\":\"dc-a\",\"connection\":\"dc\",\"site\":\"zurich\",\"interface\":\"ipsec1\","
	"\"ifindex\":7,\"if_id\":17,\"id\":1,\"state\":\"up\",\"reason\":\"live\","
	"\"remote\":\"198.51.100.2\",\"inside\":\"169.254.10.1\",\"inside_peer\":\"169.254.10.2\","
	"\"spi\":3405691582,\"mtu\":1438,\"ike\":{\"state\":\"installed\",\"since_ms\":7265000,"
	"\"attempts\":0,\"retry_ms\":0,\"last_error\":\"\",\"ike_cipher\":\"AES_GCM_16_256\","
	"\"child_cipher\":\"AES_GCM_16_128\",\"rekeys\":2},\"bgp\":\"Established\","
	"\"tx_packets\":1234567,\"tx_bytes\":1610612736,\"tx_errors\":0,\"rx_packets\":99999,"
	"\"rx_bytes\":1023,\"rx_refused\":3,\"last_rx_ms\":350,\"transitions\":1,"
	"\"cache4\":\"on\",\"cache6\":\"policy-selector\",\"cache_hits\":90,\"cache_fills\":2,"
	"\"cache_unused\":5,\"drop_too_big\":6,\"drop_loop\":0,\"drop_blocked\":7,"
	"\"drop_no_memory\":0,\"drop_isolation\":0,\"error\":null},"
	"{\"name\":\"dc-b\",\"connection\":\"dc\",\"site\":\"zurich\",\"interface\":\"ipsec2\","
	"\"ifindex\":null,\"if_id\":18,\"id\":2,\"state\":\"down\",\"reason\":\"no-sa\","
	"\"remote\":null,\"inside\":\"169.254.10.5\",\"inside_peer\":\"169.254.10.6\","
	"\"spi\":null,\"mtu\":null,\"ike\":{\"state\":\"connecting\",\"since_ms\":900,"
	"\"attempts\":3,\"retry_ms\":4000,\"last_error\":\"no \\u001b[31mproposal\","
	"\"ike_cipher\":\"\",\"child_cipher\":\"\",\"rekeys\":0},\"bgp\":null,\"tx_packets\":0,"
	"\"tx_bytes\":0,\"tx_errors\":0,\"rx_packets\":0,\"rx_bytes\":0,\"rx_refused\":0,"
	"\"last_rx_ms\":null,\"transitions\":0,\"error\":\"no such device\","
	"\"why\":\"3 probes lost\",\"health\":{\"state\":\"failed\",\"since_ms\":5000,"
	"\"destination\":\"169.254.10.6\",\"sent\":10,\"answered\":7,\"rtt_ms\":12,"
	"\"lost_in_row\":3,\"error\":\"cannot send\"}}]";

static const char gateway[] =
	"[{\"name\":\"vgw0\",\"ifindex\":5,\"state\":\"running\",\"module\":\"present\","
	"\"protocol_version\":1,\"local_asn\":45104,\"router_id\":\"10.0.0.1\","
	"\"attachment\":\"vpn-gateway\",\"vrf\":null,\"quota\":50,\"quota_used\":50,\"refused\":2,"
	"\"auto_advertise\":true,\"published\":50,\"generation\":3,\"generation_open\":false,"
	"\"routes\":53,\"groups\":2,\"tunnels\":2,\"tunnels_up\":1,\"memory\":65536,"
	"\"uptime_ms\":90061000,\"hash_seed\":0,\"hash_fields\":\"addresses\",\"hash_idle_ms\":2000,"
	"\"guard\":[\"10.0.0.0/8\",\"172.16.0.0/12\"],"
	"\"warnings\":[\"first\",\"second\"],\"stats\":{\"tx_packets\":100000,\"tx_bytes\":2048,"
	"\"failover\":12,\"drop_miss\":4,\"drop_system\":0,\"drop_dead\":1,\"drop_reserved\":0,"
	"\"drop_guard\":0,\"drop_too_big\":0,\"drop_loop\":0,\"drop_malformed\":0,"
	"\"drop_blocked\":0,\"drop_no_memory\":0,\"drop_isolation\":0,\"drop_source\":0}}]";

static const char peers[] =
	"[{\"tunnel\":\"dc-a\",\"connection\":\"dc\",\"peer\":\"169.254.10.2\","
	"\"local\":\"169.254.10.1\",\"peer_as\":65010,\"local_as\":45104,"
	"\"state\":\"Established\",\"since_ms\":185000,\"hold_time\":30,\"keepalive\":10,"
	"\"peer_id\":\"192.0.2.9\",\"families\":[\"ipv4\",\"ipv6\"],\"as4\":true,"
	"\"refresh\":true,\"graceful_restart\":true,\"peer_restart_time\":120,\"stale\":false,"
	"\"bfd\":\"up\",\"bfd_detection_ms\":900,\"bfd_diag\":null,"
	"\"accepted\":50,\"rejected\":2,\"advertised\":4,\"end_of_rib\":{\"sent\":[\"ipv4\"],"
	"\"received\":[\"ipv4\",\"ipv6\"]},\"messages_in\":100,\"messages_out\":90,"
	"\"updates_in\":20,\"updates_out\":4,\"established_count\":1,\"last_error\":\"\","
	"\"last_code\":0,\"last_subcode\":0,\"backlog\":0}]";

static const char routes[] =
	"[{\"prefix\":\"10.1.0.0/16\",\"class\":\"dynamic\",\"installed\":true,"
	"\"effective\":true,\"next_hops\":[{\"tunnel\":\"dc-a\",\"weight\":1},"
	"{\"tunnel\":\"dc-b\",\"weight\":3,\"live\":false,\"why\":\"2 probes lost\"}],\"paths\":[{\"tunnel\":\"dc-a\","
	"\"peer\":\"169.254.10.2\",\"as_path\":\"65010 65020\",\"local_pref\":null,\"med\":10,"
	"\"origin\":\"igp\",\"next_hop\":\"169.254.10.2\",\"verdict\":\"accepted\","
	"\"reason\":\"\",\"step\":\"best\",\"stale\":false,\"since_ms\":4000}],"
	"\"on_fail\":\"revoke\",\"published\":true,\"refused_error\":null},"
	"{\"prefix\":\"10.2.0.0/16\",\"class\":\"dynamic\",\"installed\":false,"
	"\"effective\":false,\"next_hops\":[],\"paths\":[{\"tunnel\":\"dc-a\","
	"\"peer\":\"169.254.10.2\",\"as_path\":\"\",\"local_pref\":100,\"med\":null,"
	"\"origin\":\"incomplete\",\"next_hop\":\"169.254.10.2\",\"verdict\":\"over-quota\","
	"\"reason\":\"the table holds 50 of 50 prefixes\",\"step\":\"rejected\",\"stale\":true,"
	"\"since_ms\":61000}],\"on_fail\":\"revoke\",\"published\":false,"
	"\"refused_error\":\"bgp table full\"}]";

static const char groups[] =
	"[{\"id\":3,\"buckets\":256,\"live\":1,\"mtu\":1438,\"routes\":50,\"packets\":7,"
	"\"failover\":2,\"drop_dead\":3,\"drop_reserved\":4,\"kept\":17,"
	"\"members\":[{\"tunnel\":\"dc-a\",\"weight\":1,\"buckets\":256,\"live\":true},"
	"{\"tunnel\":\"dc-b\",\"weight\":3,\"buckets\":0,\"live\":false}]},"
	"{\"id\":12,\"buckets\":256,\"live\":1,\"mtu\":null,\"routes\":1,\"packets\":0,"
	"\"members\":[{\"tunnel\":\"dc-a\",\"weight\":1,\"buckets\":256,\"live\":true}]}]";

static const char memory[] =
	"[{\"type\":\"prefixes\",\"count\":1000000,\"bytes\":31000000},"
	"{\"type\":\"paths\",\"count\":12,\"bytes\":65536}]";

static const char explain[] =
	"[{\"destination\":\"10.1.2.3\",\"verdict\":\"tunnel\",\"text\":\"leaves through a "
	"tunnel\",\"hash\":4660,\"bucket\":52,\"group\":3,\"tunnel\":\"dc-a\","
	"\"interface\":\"ipsec1\",\"spi\":3405691582,\"candidates\":[{\"prefix\":"
	"\"10.1.0.0/16\",\"class\":\"dynamic\",\"group\":3,\"on_fail\":\"revoke\",\"live\":1,"
	"\"result\":\"selected\",\"tunnels\":[\"dc-a\",\"dc-b\"]},{\"prefix\":\"10.0.0.0/8\","
	"\"class\":\"system\",\"group\":null,\"on_fail\":\"revoke\",\"live\":0,"
	"\"result\":\"shorter-prefix\",\"tunnels\":[]}],\"guard\":\"10.0.0.0/8\",\"kernel\":"
	"{\"prefix\":\"10.1.0.0/16\",\"proto\":118,\"type\":1,\"dev\":\"vgw0\","
	"\"note\":\"leads to the gateway\"},\"steps\":[\"one\",\"two\"]}]";

static void give(struct fake *fake, const json_t *args, struct control_reply *reply,
		 const char *text)
{
	json_t *rows = json_loads(text, 0, NULL), *row;
	size_t i;

	json_decref(fake->args);
	fake->args = json_deep_copy(args);
	json_array_foreach(rows, i, row)
		control_reply_row(reply, json_incref(row));
	control_reply_done(reply);
	json_decref(rows);
}

#define ANSWER(name)                                                                              \
	static void name##_answer(void *ctx, const json_t *args, struct control_reply *reply)     \
	{                                                                                         \
		give(ctx, args, reply, name);                                                     \
	}

ANSWER(tunnels)
ANSWER(gateway)
ANSWER(peers)
ANSWER(groups)
ANSWER(memory)

/* Filters itself, as vgwd does. */
static void routes_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	const char *prefix = json_string_value(json_object_get(args, "prefix"));

	give(ctx, args, reply, prefix && !strcmp(prefix, "192.0.2.0/24") ? "[]" : routes);
}

static void explain_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	json_t *rows = json_loads(explain, 0, NULL);
	char *text;

	if (!strcmp(json_string_value(json_object_get(args, "address")), "192.0.2.1"))
		json_array_clear(json_object_get(json_array_get(rows, 0), "steps"));
	text = json_dumps(rows, 0);
	give(ctx, args, reply, text);
	free(text);
	json_decref(rows);
}

static void reload_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	if (!json_is_true(json_object_get(args, "dry_run")))
		give(ctx, args, reply, "[]");
	else
		give(ctx, args, reply,
		     "[{\"kind\":\"changed\",\"object\":\"tunnel\",\"name\":\"dc-a\",\"detail\":"
		     "\"weight 1 -> 2\",\"code\":null},{\"kind\":\"refused\",\"object\":"
		     "\"customer-gateway\",\"name\":\"cgw\",\"detail\":\"the ASN is fixed\","
		     "\"code\":\"IMMUTABLE\"}]");
}

static void warnings_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	give(ctx, args, reply,
	     "[{\"line\":4,\"column\":49,\"path\":\"customer-gateways[1].asn\",\"text\":\"two\","
	     "\"code\":\"SITE_ASN_MISMATCH\",\"rule\":\"11\",\"reason\":\"flaps\"}]");
}

static void timeline_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	give(ctx, args, reply,
	     "[{\"event\":7,\"time\":\"2026-01-31T12:00:00.123456789Z\",\"monotonic_ns\":5,"
	     "\"cause\":7,\"after_ns\":0,\"object\":\"t1\",\"what\":\"health-failed\","
	     "\"text\":\"3 probes\"},"
	     "{\"event\":9,\"time\":\"2026-01-31T12:00:00.125456789Z\",\"monotonic_ns\":6,"
	     "\"cause\":7,\"after_ns\":2000999,\"object\":\"t1\",\"what\":\"tunnel-down\","
	     "\"text\":\"\"},"
	     "{\"event\":10,\"time\":\"odd\",\"monotonic_ns\":6,\"cause\":null,"
	     "\"after_ns\":null,\"object\":\"\",\"what\":\"module-lost\",\"text\":\"x\"}]");
}

/* "alone": no other tunnel is up, and nothing can be written down. */
static void drain_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	const char *name = json_string_value(json_object_get(args, "tunnel"));

	give(ctx, args, reply,
	     strcmp(name, "alone") ?
		     "[{\"tunnel\":\"t1\",\"drained\":true,\"others_up\":2,\"not_kept\":null}]" :
		     "[{\"tunnel\":\"alone\",\"drained\":true,\"others_up\":0,"
		     "\"not_kept\":\"No space left\"}]");
}

static void undrain_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	give(ctx, args, reply,
	     "[{\"tunnel\":\"t1\",\"drained\":false,\"others_up\":2,\"not_kept\":null}]");
}

static void stop_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	control_reply_done(reply);
	loop_stop(((struct fake *)ctx)->loop);
}

static const struct control_verb fake_verbs[] = {
	{ "show", "tunnels", tunnels_answer }, { "show", "gateway", gateway_answer },
	{ "show", "peers", peers_answer },     { "show", "groups", groups_answer },
	{ "show", "routes", routes_answer },   { "explain", NULL, explain_answer },
	{ "show", "memory", memory_answer },
	{ "reload", NULL, reload_answer },     { "stop", NULL, stop_answer },
	{ "show", "warnings", warnings_answer },
	{ "show", "timeline", timeline_answer }, { "monitor", NULL, timeline_answer },
	{ "drain", NULL, drain_answer },       { "undrain", NULL, undrain_answer },
	{ NULL, NULL, NULL },
};

/* A vgwd that answers and then breaks off, and one that refuses. */
static void half_answer(void *ctx, const json_t *args, struct control_reply *reply)
{
	control_reply_row(reply, json_pack("{s:s}", "name", "dc-a"));
	control_reply_error(reply, ENOMEM, "no memory for more");
}

static const struct control_verb half_verbs[] = {
	{ "show", "tunnels", half_answer }, { "stop", NULL, stop_answer }, { NULL, NULL, NULL },
};

static void *serve(void *arg)
{
	loop_run(((struct fake *)arg)->loop);
	return NULL;
}

static struct fake *fake_new(const struct control_verb *answers)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	char err[256];

	strcpy(fake->dir, "/tmp/vgwctl-XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	snprintf(fake->path, sizeof(fake->path), "%s/sock", fake->dir);
	fake->loop = loop_new();
	fake->control = control_new(fake->loop, fake->path, NULL, answers, fake, err, sizeof(err));
	assert_non_null(fake->control);
	assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
	return fake;
}

static void no_row(void *ctx, const json_t *row)
{
}

static void fake_free(struct fake *fake)
{
	json_t *request = json_pack("{s:s}", "verb", "stop");
	char err[256];

	/* A loop that stops does not answer any more: say it and go. */
	control_call(fake->path, request, 1, no_row, NULL, err, sizeof(err));
	json_decref(request);
	pthread_join(fake->thread, NULL);
	control_free(fake->control);
	loop_free(fake->loop);
	rmdir(fake->dir);
	json_decref(fake->args);
	free(fake);
}

static int setup(void **state)
{
	*state = fake_new(fake_verbs);
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

struct result {
	int status;
	char *out, *err;
};

/* One command line, split at blanks; socket NULL: as it is. */
static struct result run(const char *socket, const char *line)
{
	char *argv[WORDS_MAX] = { (char *)"vgwctl" }, *copy = strdup(line), *save = NULL;
	struct result r = { 0 };
	size_t out_size, err_size;
	FILE *out = open_memstream(&r.out, &out_size), *err = open_memstream(&r.err, &err_size);
	int argc = 1;

	if (socket) {
		argv[argc++] = (char *)"-s";
		argv[argc++] = (char *)socket;
	}
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(argc + 1 < WORDS_MAX);
		argv[argc++] = strcmp(word, "''") ? word : (char *)"";
	}
	r.status = cli_run(argc, argv, "1.2-test", out, err);
	fclose(out);
	fclose(err);
	free(copy);
	return r;
}

static void result_free(struct result *r)
{
	free(r->out);
	free(r->err);
}

static void expect(const char *socket, const char *line, int status, const char *out,
		   const char *err)
{
	struct result r = run(socket, line);

	assert_string_equal(r.err, err);
	assert_string_equal(r.out, out);
	assert_int_equal(r.status, status);
	result_free(&r);
}

static const struct {
	const char *line, *reason;
} wrong_lines[] = {
	{ "", "what? One of show, monitor, explain, check, init, reload, drain, undrain, help, "
	  "version" },
	{ "tunnels", "\"tunnels\" is none of show, monitor, explain, check, init, reload, drain, "
	  "undrain, help, version" },
	{ "show", "show: what? One of gateway, tunnels, peers, routes, groups, memory, "
		  "warnings, timeline" },
	{ "show tunnel", "show: \"tunnel\" is none of gateway, tunnels, peers, routes, "
			 "groups, memory, warnings, timeline" },
	{ "show tunnels a b", "show tunnels: \"b\" is one word too many" },
	{ "show tunnels ''", "show tunnels: the name is empty" },
	{ "show routes 10.0.0.1", "show routes: \"10.0.0.1\" is an address, not a prefix; "
				  "'vgwctl explain 10.0.0.1' tells its route" },
	{ "show routes 10.0.0.1/8", "show routes: \"10.0.0.1/8\" has bits set behind its "
				    "length" },
	{ "show routes 10.0.0.0/33", "show routes: \"10.0.0.0/33\" is not a prefix such as "
				     "10.1.0.0/16 or 2001:db8::/32" },
	{ "show routes 10.0.0.0/8 x", "show routes: \"x\" is one word too many" },
	{ "explain", "explain: which address?" },
	{ "explain 10.0.0.0/8", "explain: \"10.0.0.0/8\" is not an address" },
	{ "explain 10.0.0.1 to 10.0.0.2", "explain: \"to\" is none of from, proto, sport, "
					  "dport, label" },
	{ "explain 10.0.0.1 from", "explain: from needs a value" },
	{ "explain 10.0.0.1 label 1", "explain: only IPv6 has a flow label" },
	{ "explain ::1 label 1048576", "explain: label \"1048576\" is not a number from 0 to "
	  "1048575" },
	{ "explain 10.0.0.1 from x", "explain: from \"x\" is not an address" },
	{ "explain 10.0.0.1 from ::1", "explain: from \"::1\" and the destination are of "
				       "different families" },
	{ "explain 10.0.0.1 proto tcp proto udp", "explain: proto is given twice" },
	{ "explain 10.0.0.1 proto 256", "explain: proto \"256\" is none of tcp, udp, icmp "
					"and no number from 0 to 255" },
	{ "explain 10.0.0.1 proto +1", "explain: proto \"+1\" is none of tcp, udp, icmp "
				       "and no number from 0 to 255" },
	{ "explain 10.0.0.1 sport 1", "explain: sport needs a protocol with ports (proto "
				      "tcp)" },
	{ "explain 10.0.0.1 proto icmp dport 1", "explain: dport needs a protocol with "
						 "ports (proto tcp)" },
	{ "explain 10.0.0.1 proto tcp sport 65536", "explain: sport \"65536\" is not a "
						    "number from 0 to 65535" },
	{ "explain 10.0.0.1 proto tcp sport 1x", "explain: sport \"1x\" is not a number "
						 "from 0 to 65535" },
	{ "check", "check: which file?" },
	{ "init x", "init: \"x\" is one word too many" },
	{ "init --profile ibm", "--profile: \"ibm\" is none of alibaba, aws, azure, gcp" },
	{ "-j init", "init: writes YAML, not JSON" },
	{ "--profile aws check a", "--profile: only \"init\" takes it" },
	{ "--force show tunnels", "--force: only \"check\" takes it" },
	{ "-v reload", "--verbose: only \"check\" takes it" },
	{ "drain", "drain: which tunnel?" },
	{ "undrain t1 t2", "undrain: \"t2\" is one word too many" },
	{ "reload now", "reload: \"now\" is one word too many" },
	{ "--dry-run show tunnels", "--dry-run: \"show\" changes nothing anyway" },
	{ "version 2", "version: \"2\" is one word too many" },
	{ "-x show", "\"-x\": no such option, or not with this value" },
	{ "show --frobnicate", "\"--frobnicate\": no such option, or not with this value" },
	{ "show tunnels -t", "option \"-t\" needs a value" },
	{ "-t 0 show tunnels", "-t \"0\": not a number of seconds from 1 to 3600" },
	{ "-t 3601 show tunnels", "-t \"3601\": not a number of seconds from 1 to 3600" },
	{ "-t 5s show tunnels", "-t \"5s\": not a number of seconds from 1 to 3600" },
	{ "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "\"17\": too many words" },
};

static void test_wrong_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong_lines) / sizeof(wrong_lines[0]); i++) {
		char err[512];

		snprintf(err, sizeof(err), "vgwctl: %s\nTry 'vgwctl help'.\n",
			 wrong_lines[i].reason);
		expect(NULL, wrong_lines[i].line, CLI_USAGE, "", err);
	}
}

static void test_tunnels(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "show tunnels", CLI_OK,
	       "TUNNEL  CONNECTION  STATE  REASON  INTERFACE  REMOTE        CACHE               "
	       "IKE         BGP               TX      RX  LAST RX\n"
	       "dc-a    dc          up     -       ipsec1     198.51.100.2  on/policy-selector  "
	       "installed   Established  1.5 GiB  1023 B   350 ms\n"
	       "dc-b    dc          down   no-sa   ipsec2     -             -                   "
	       "connecting  -                0 B     0 B        -\n", "");
	assert_int_equal(json_object_size(fake->args), 0);
}

static void test_one_tunnel(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "show tunnels dc-a", CLI_OK,
	       "tunnel dc-a\n"
	       "  id             1\n"
	       "  connection     dc\n"
	       "  site           zurich\n"
	       "  state          up\n"
	       "  interface      ipsec1, index 7, if_id 0x11\n"
	       "  inside         169.254.10.1, peer 169.254.10.2\n"
	       "  remote         198.51.100.2\n"
	       "  SPI            0xcafebabe\n"
	       "  MTU            1438\n"
	       "  cache          IPv4 on, IPv6 policy-selector; 90 hits, 2 fills, 5 lookups not "
	       "kept\n"
	       "  ike            installed for 2h 1m, 2 rekeys\n"
	       "                 IKE AES_GCM_16_256, child AES_GCM_16_128\n"
	       "  bgp            Established\n"
	       "  sent           1.2 M packets, 1.5 GiB\n"
	       "  received       99999 packets, 1023 B, 3 refused by source validation\n"
	       "  last received  350 ms\n"
	       "  dropped        6 too big, 7 blocked by a policy\n"
	       "  state changes  1\n", "");
	/* What a peer sent does not reach the terminal as it is. */
	expect(fake->path, "show tunnels dc-b", CLI_OK,
	       "tunnel dc-b\n"
	       "  id             2\n"
	       "  connection     dc\n"
	       "  site           zurich\n"
	       "  state          down\n"
	       "  reason         3 probes lost\n"
	       "  error          no such device\n"
	       "  interface      ipsec2, if_id 0x12\n"
	       "  inside         169.254.10.5, peer 169.254.10.6\n"
	       "  ike            connecting for 900 ms, 3 attempts since the last success, next in "
	       "4 s\n"
	       "                 last error: no \\x1b[31mproposal\n"
	       "  health         failed for 5 s, 169.254.10.6 answered 7 of 10, the last after 12 ms, "
	       "3 lost in a row\n"
	       "                 cannot send\n"
	       "  sent           0 packets, 0 B\n"
	       "  received       0 packets, 0 B\n"
	       "  state changes  0\n", "");
}

static void test_timeline(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "show timeline", CLI_OK,
	       "EVENT  TIME (UTC)                  CAUSE      AFTER  OBJECT  WHAT           WHY\n"
	       "    7  2026-01-31 12:00:00.123456      -          -  t1      health-failed  "
	       "3 probes\n"
	       "    9  2026-01-31 12:00:00.125456      7  +2.000 ms  t1      tunnel-down    -\n"
	       "   10  odd                             -          -  -       module-lost    x\n",
	       "");
	expect(fake->path, "show timeline t2", CLI_OK, "nothing happened\n", "");
	expect(fake->path, "show timeline t1 t2", CLI_USAGE, "",
	       "vgwctl: show timeline: \"t2\" is one word too many\nTry 'vgwctl help'.\n");
}

/* Lines as they come; in JSON each is whole. */
static void test_monitor(void **state)
{
	struct fake *fake = *state;
	struct result r;

	expect(fake->path, "monitor", CLI_OK,
	       "2026-01-31 12:00:00.123456 7 t1 health-failed: 3 probes\n"
	       "2026-01-31 12:00:00.125456 9 t1 tunnel-down (by 7, +2.000 ms)\n"
	       "odd 10 module-lost: x\n",
	       "");
	r = run(fake->path, "monitor t1 -j");
	assert_int_equal(r.status, CLI_OK);
	for (const char *line = r.out; *line; line = strchr(line, '\n') + 1) {
		json_t *row = json_loadb(line, strcspn(line, "\n"), 0, NULL);

		assert_string_equal(json_string_value(json_object_get(row, "object")), "t1");
		json_decref(row);
	}
	assert_int_equal(*strchr(r.out, '\n') && strlen(r.out) > 200, 1);
	result_free(&r);
}

static void test_filters(void **state)
{
	struct fake *fake = *state;
	struct result r = run(fake->path, "-j show tunnels dc");
	json_t *rows = json_loads(r.out, 0, NULL);

	assert_int_equal(json_array_size(rows), 2); /* by connection */
	json_decref(rows);
	result_free(&r);
	expect(fake->path, "show tunnels dc-c", CLI_FAILED, "",
	       "vgwctl: show tunnels: nothing matches \"dc-c\"\n");
	expect(fake->path, "show tunnels dc-c -j", CLI_FAILED, "[]\n",
	       "vgwctl: show tunnels: nothing matches \"dc-c\"\n");
	expect(fake->path, "show groups 12", CLI_OK,
	       "group 12\n"
	       "  live          1 of 1\n"
	       "  routes        1\n"
	       "  packets       0\n"
	       "  members       dc-a: weight 1, 256 of 256 buckets, live\n", "");
	expect(fake->path, "show groups dc-b", CLI_OK, /* by a member */
	       "group 3\n"
	       "  live          1 of 2\n"
	       "  MTU           1438\n"
	       "  routes        50\n"
	       "  packets       7\n"
	       "  failover      2\n"
	       "  dropped       3 all dead, 4 held by on-fail reserve\n"
	       "  kept buckets  17\n"
	       "  members       dc-a: weight 1, 256 of 256 buckets, live\n"
	       "                dc-b: weight 3, 0 of 256 buckets, dead\n", "");
	expect(fake->path, "show memory", CLI_OK,
	       "TYPE        COUNT     BYTES\n"
	       "prefixes  1000000  31000000\n"
	       "paths          12     65536\n", "");
	expect(fake->path, "show memory paths", CLI_OK,
	       "type paths\n"
	       "  count  12\n"
	       "  bytes  65536\n", "");
	expect(fake->path, "show routes 192.0.2.0/24", CLI_FAILED, "",
	       "vgwctl: show routes: nothing matches \"192.0.2.0/24\"\n");
}

/* JSON is exactly the rows. */
static void test_json_is_the_rows(void **state)
{
	static const struct {
		const char *line, *rows;
		bool object;
	} cases[] = {
		{ "-j show tunnels", tunnels, false }, { "show -j gateway", gateway, false },
		{ "show peers --json", peers, false }, { "-j show routes", routes, false },
		{ "-j show groups", groups, false },   { "-j explain 10.1.2.3", explain, true },
	};
	struct fake *fake = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r = run(fake->path, cases[i].line);
		json_t *told = json_loads(r.out, 0, NULL);
		json_t *rows = json_loads(cases[i].rows, 0, NULL);

		assert_int_equal(r.status, CLI_OK);
		assert_string_equal(r.err, "");
		assert_true(json_equal(told, cases[i].object ? json_array_get(rows, 0) : rows));
		json_decref(told);
		json_decref(rows);
		result_free(&r);
	}
}

static void test_warnings(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "show warnings", CLI_OK,
	       "RULE  LINE  KEY                       CODE               WHAT\n"
	       "11       4  customer-gateways[1].asn  SITE_ASN_MISMATCH  two\n",
	       "");
}

static void test_gateway(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "show gateway", CLI_OK,
	       "gateway vgw0\n"
	       "  state           running, vgwd up 1d 1h\n"
	       "  module          present, interface version 1, device index 5\n"
	       "  local ASN       45104\n"
	       "  router id       10.0.0.1\n"
	       "  attachment      vpn-gateway\n"
	       "  bgp table       50 of 50 prefixes, 2 refused\n"
	       "  auto-advertise  on, 50 prefixes published\n"
	       "  tunnels         1 of 2 up\n"
	       "  groups          2\n"
	       "  routes          53\n"
	       "  generation      3\n"
	       "  table memory    64 KiB\n"
	       "  hash            seed 0x00000000, by addresses, live flows stay until idle for 2 s\n"
	       "  guard           10.0.0.0/8 172.16.0.0/12\n"
	       "  sent            100 k packets, 2.0 KiB, 12 met a dead tunnel and left through "
	       "another\n"
	       "  dropped         4 no route\n"
	       "                  1 every tunnel dead\n"
	       "  warnings        first\n"
	       "                  second\n", "");
}

static void test_peers(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "show peers", CLI_OK,
	       "PEER          TUNNEL     AS  STATE        SINCE  BFD  ACCEPTED  REJECTED  "
	       "ADVERTISED  LAST ERROR\n"
	       "169.254.10.2  dc-a    65010  Established  3m 5s  up         50         2  "
	       "         4  "
	       "-\n", "");
	expect(fake->path, "show peers dc", CLI_OK,
	       "peer 169.254.10.2\n"
	       "  tunnel         dc-a\n"
	       "  connection     dc\n"
	       "  local address  169.254.10.1\n"
	       "  peer AS        65010, ours 45104\n"
	       "  peer id        192.0.2.9\n"
	       "  state          Established for 3m 5s, sessions so far: 1\n"
	       "  BFD            up, a failure is seen within 900 ms\n"
	       "  timers         hold 30 s, keepalive 10 s\n"
	       "  capabilities   ipv4 ipv6, four-octet AS, route refresh, graceful restart (peer "
	       "120 s)\n"
	       "  paths          50 accepted, 2 rejected, 4 advertised\n"
	       "  end of RIB     sent ipv4, received ipv4 ipv6\n"
	       "  messages       100 in (20 updates), 90 out (4 updates)\n", "");
}

static void test_routes(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "show routes", CLI_OK,
	       "ROUTE        CLASS    STATE              PATHS  NEXT HOPS\n"
	       "10.1.0.0/16  dynamic  in use, published      1  dc-a dc-b*3\n"
	       "10.2.0.0/16  dynamic  refused                1  -\n", "");
	expect(fake->path, "show routes 10.0.0.0/8", CLI_OK,
	       "route 10.1.0.0/16\n"
	       "  class      dynamic\n"
	       "  state      in use, published\n"
	       "  on fail    revoke\n"
	       "  next hops  dc-a, weight 1\n"
	       "             dc-b, weight 3, dead: 2 probes lost\n"
	       "  paths      dc-a: path 65010 65020, med 10, origin igp, next hop 169.254.10.2\n"
	       "               accepted, best, for 4 s\n"
	       "\n"
	       "route 10.2.0.0/16\n"
	       "  class      dynamic\n"
	       "  state      refused\n"
	       "  refused    bgp table full\n"
	       "  on fail    revoke\n"
	       "  paths      dc-a: path empty, local-pref 100, origin incomplete, next hop "
	       "169.254.10.2\n"
	       "               over-quota, rejected, stale, for 1m 1s: the table holds 50 of 50 "
	       "prefixes\n", "");
}

static void test_explain(void **state)
{
	struct fake *fake = *state;
	json_t *args = json_loads("{\"address\":\"10.1.2.3\",\"from\":\"10.9.0.1\",\"proto\":6,"
				  "\"sport\":40000,\"dport\":443}", 0, NULL);

	expect(fake->path, "explain 10.1.2.3 from 10.9.0.1 proto tcp dport 443 sport 40000", CLI_OK,
	       "10.1.2.3: leaves through a tunnel\n"
	       "  1. one\n"
	       "  2. two\n", "");
	assert_true(json_equal(fake->args, args));
	json_decref(args);
}

/* Without steps, as the module's answer is, the facts are told. */
static void test_explain_facts(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "explain 192.0.2.1", CLI_OK,
	       "10.1.2.3: leaves through a tunnel\n"
	       "  kernel      10.1.0.0/16 dev vgw0 proto vgw (unicast): leads to the gateway\n"
	       "  candidates, the longest prefix first\n"
	       "    10.1.0.0/16 dynamic: selected, group 3, live members 1, on-fail revoke, "
	       "tunnels dc-a dc-b\n"
	       "    10.0.0.0/8 system: shorter-prefix\n"
	       "  guard       10.0.0.0/8 covers it: without a route it is dropped\n"
	       "  flow        hash 0x00001234, group 3, bucket 52\n"
	       "  tunnel      dc-a, interface ipsec1, SPI 0xcafebabe\n", "");
}

static void test_icmp_of_the_family(void **state)
{
	struct fake *fake = *state;
	struct result r = run(fake->path, "explain 10.1.2.3 proto icmp");

	assert_int_equal(json_integer_value(json_object_get(fake->args, "proto")), 1);
	result_free(&r);
	r = run(fake->path, "explain 2001:db8::1 proto icmp");
	assert_int_equal(json_integer_value(json_object_get(fake->args, "proto")), 58);
	result_free(&r);
}

static void test_reload(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "reload", CLI_OK, "nothing to change\n", "");
	assert_true(json_is_false(json_object_get(fake->args, "dry_run")));
	expect(fake->path, "reload --dry-run", CLI_FAILED,
	       "changed tunnel dc-a: weight 1 -> 2\n"
	       "refused customer-gateway cgw: the ASN is fixed [IMMUTABLE]\n", "");
}

static void test_drain(void **state)
{
	struct fake *fake = *state;

	expect(fake->path, "drain t1", CLI_OK,
	       "t1 is drained: it takes no new flows where one of 2 other tunnels leads; "
	       "'vgwctl show tunnels t1' tells when it is empty\n", "");
	assert_string_equal(json_string_value(json_object_get(fake->args, "tunnel")), "t1");
	expect(fake->path, "drain alone", CLI_OK,
	       "alone is drained, but no other tunnel is up: it goes on carrying\n"
	       "a restart of vgwd will forget this: No space left\n", "");
	expect(fake->path, "undrain t1", CLI_OK, "t1 is used again\n", "");
}

/* An answer that breaks off is no valid JSON, and no success. */
static void test_half_an_answer(void **state)
{
	struct fake *half = fake_new(half_verbs);
	json_t *told;
	struct result r;

	(void)state;
	r = run(half->path, "-j show tunnels");
	assert_int_equal(r.status, CLI_FAILED);
	assert_string_equal(r.err, "vgwctl: no memory for more\n");
	assert_string_equal(r.out, "[\n{\"name\":\"dc-a\"}");
	told = json_loads(r.out, 0, NULL);
	assert_null(told);
	result_free(&r);
	expect(half->path, "reload", CLI_FAILED, "", "vgwctl: no such verb or object\n");
	fake_free(half);
}

static void test_without_vgwd(void **state)
{
	(void)state;
	expect("/nonexistent/sock", "show peers", CLI_FAILED, "",
	       "vgwctl: vgwd is not running (/nonexistent/sock)\n");
	expect("/nonexistent/sock", "reload", CLI_FAILED, "",
	       "vgwctl: vgwd is not running (/nonexistent/sock)\n");
}

static void test_full_disk(void **state)
{
	struct fake *fake = *state;
	char *argv[] = { (char *)"vgwctl", (char *)"-s", fake->path, (char *)"show",
			 (char *)"tunnels", NULL };
	FILE *full = fopen("/dev/full", "w"), *err;
	size_t size;
	char *text;

	if (!full)
		skip();
	err = open_memstream(&text, &size);
	assert_int_equal(cli_run(5, argv, "x", full, err), CLI_FAILED);
	fclose(err);
	fclose(full);
	assert_string_equal(text, "vgwctl: cannot write the answer: No space left on device\n");
	free(text);
}

/* A file of the fixture's directory with this content. */
static const char *file_with(struct fake *fake, const char *content, char *path, size_t size)
{
	FILE *file;

	snprintf(path, size, "%s/vgw.yaml", fake->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
	return path;
}

/* "FILE:LINE:" of each line in text, in order; what follows holds the code. */
static void expect_places(const char *file, const char *text, const unsigned int *lines,
			  const char *const *codes, const char *behind)
{
	for (; *lines; lines++, codes++) {
		const struct lint_rule *rule = lint_rule_find(*codes);
		char start[160], end[64];
		size_t len = strcspn(text, "\n");

		snprintf(start, sizeof(start), "%s:%u:", file, *lines);
		snprintf(end, sizeof(end), "[%s%s%s]%s", *codes, rule ? ", rule " : "",
			 rule ? rule->rule : "", behind);
		assert_memory_equal(text, start, strlen(start));
		assert_true(len > strlen(end) && text[len] == '\n');
		assert_memory_equal(text + len - strlen(end), end, strlen(end));
		text += len + 1;
	}
	assert_string_equal(text, "");
}

static void expect_checked(struct fake *fake, const char *content, int status, bool bad,
			   const unsigned int *lines, const char *const *codes)
{
	char path[128], line[160], out[160] = "";
	size_t n = 0, i;
	struct result r;
	json_t *rows, *row;

	file_with(fake, content, path, sizeof(path));
	snprintf(line, sizeof(line), "check %s", path);
	if (!bad)
		snprintf(out, sizeof(out), "%s: ok\n", path);
	r = run(NULL, line);
	assert_int_equal(r.status, status);
	assert_string_equal(r.out, out);
	expect_places(path, r.err, lines, codes, bad ? "" : " (warning)");
	result_free(&r);

	snprintf(line, sizeof(line), "-j check %s", path);
	r = run(NULL, line);
	assert_int_equal(r.status, status);
	assert_string_equal(r.err, "");
	rows = json_loads(r.out, 0, NULL);
	assert_true(json_is_array(rows));
	json_array_foreach(rows, i, row) {
		assert_string_equal(json_string_value(json_object_get(row, "file")), path);
		assert_string_equal(json_string_value(json_object_get(row, "severity")),
				    bad ? "error" : "warning");
		assert_int_equal(json_integer_value(json_object_get(row, "line")), lines[n]);
		assert_string_equal(json_string_value(json_object_get(row, "code")), codes[n++]);
	}
	assert_int_equal(lines[n], 0);
	json_decref(rows);
	result_free(&r);
	unlink(path);
}

static void test_check(void **state)
{
	static const unsigned int bad[] = { 3, 7, 9, 0 }, syntax[] = { 2, 0 }, none[] = { 0 },
				  warned[] = { 4, 0 };
	static const char *const bad_codes[] = { "UNKNOWN_KEY", "UNKNOWN_REFERENCE",
						 "TUNNEL_CIDR_RANGE" };
	static const char *const syntax_codes[] = { "SYNTAX" };
	static const char *const warned_codes[] = { "SITE_ASN_MISMATCH" };

	expect_checked(*state,
		       "gateway:\n  local-asn: 65001\n  local-asm: 3\n\n"
		       "connections:\n  - name: dc1\n    customer-gateway: nope\n    tunnels:\n"
		       "      - { name: t1, inside-cidr: 10.0.0.0/30 }\n",
		       CLI_FAILED, true, bad, bad_codes);
	expect_checked(*state, "gateway: [\n", CLI_FAILED, true, syntax, syntax_codes);
	expect_checked(*state, "gateway: { local-asn: 65001 }\n", CLI_OK, false, none, NULL);
	expect_checked(*state,
		       "gateway: { local-asn: 65001, force: true }\ncustomer-gateways:\n"
		       "  - { name: a, address: 198.51.100.2, asn: 65010, site: z }\n"
		       "  - { name: b, address: 198.51.100.3, asn: 65011, site: z }\n",
		       CLI_OK, false, warned, warned_codes);
	expect(NULL, "check /nonexistent.yaml", CLI_FAILED, "",
	       "/nonexistent.yaml: No such file or directory [FILE]\n");
}

/* Several files are gateways of one host; what only the pair does is told at the later one. */
static void test_check_together(void **state)
{
	static const char *const pattern =
		"gateway: { name: %s, local-asn: %u }\ncontrol: { socket: /run/vgw/%s.sock }\n"
		"customer-gateways: [{ name: a, address: 198.51.100.2, asn: 65010 }]\nconnections:\n"
		"  - { name: c, customer-gateway: a, bgp: {}, tunnels: [\n"
		"        { name: t%u, inside-cidr: 169.254.10.%u/30, local-address: 203.0.113.%u }] }\n";
	char first[128], second[128], text[1024], line[400], out[300];
	struct result r;

	snprintf(text, sizeof(text), pattern, "vgw0", 65001u, "a", 1u, 0u, 1u);
	file_with(*state, text, first, sizeof(first));
	memmove(text, first, strlen(first) + 1);
	snprintf(first, sizeof(first), "%s.first", text);
	assert_int_equal(rename(text, first), 0);
	snprintf(text, sizeof(text), pattern, "vgw1", 65002u, "b", 2u, 4u, 2u);
	file_with(*state, text, second, sizeof(second));
	snprintf(line, sizeof(line), "check %s %s", first, second);
	r = run(NULL, line);
	assert_int_equal(r.status, CLI_FAILED);
	snprintf(out, sizeof(out), "%s:1:35: gateway.local-asn: 65002, but ", second);
	assert_memory_equal(r.err, out, strlen(out));
	assert_non_null(strstr(r.err, "[SHARED_PEER_ASN, rule 16]\n"));
	snprintf(out, sizeof(out), "%s: ok\n", first);
	assert_string_equal(r.out, out);
	result_free(&r);
	snprintf(line, sizeof(line), "--force check %s %s", first, second);
	r = run(NULL, line);
	assert_int_equal(r.status, CLI_OK);
	assert_non_null(strstr(r.err, "[SHARED_PEER_ASN, rule 16] (warning)\n"));
	result_free(&r);
	unlink(first);
	unlink(second);
}

/* What init writes passes check without a word, and the profile's values are in force. */
static void test_init(void **state)
{
	static const struct {
		const char *line, *value;
	} cases[] = {
		{ "init", "bgp.hold-time                   30\n" },
		{ "init --profile alibaba", "asn                       45104\n" },
		{ "init --profile aws", "inside-address       169.254.21.2\n" },
		{ "init --profile azure", "bgp.hold-time                   180  (as the profile)\n" },
		{ "init --profile gcp", "bgp.keepalive                   20  (as the profile)\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r = run(NULL, cases[i].line);
		char path[128], line[200];

		assert_int_equal(r.status, CLI_OK);
		assert_string_equal(r.err, "");
		file_with(*state, r.out, path, sizeof(path));
		result_free(&r);
		snprintf(line, sizeof(line), "-v check %s", path);
		r = run(NULL, line);
		assert_string_equal(r.err, "");
		assert_int_equal(r.status, CLI_OK);
		if (!strstr(r.out, cases[i].value))
			fail_msg("%s: no \"%s\" in\n%s", cases[i].line, cases[i].value, r.out);
		result_free(&r);
		unlink(path);
	}
}

static void test_help_and_version(void **state)
{
	struct result r = run(NULL, "help");

	(void)state;
	assert_int_equal(r.status, CLI_OK);
	assert_string_equal(r.err, "");
	for (const struct verb *v = verbs; v->verb; v++)
		assert_non_null(strstr(r.out, v->summary));
	result_free(&r);
	r = run(NULL, "show tunnels --help");
	assert_non_null(strstr(r.out, "Usage: vgwctl"));
	result_free(&r);
	/* The socket of a gateway by its name; refused words change nothing. */
	r = run(NULL, "-g vgw99 show peers");
	assert_int_equal(r.status, CLI_FAILED);
	assert_non_null(strstr(r.err, "/run/vgw/control-vgw99.sock"));
	result_free(&r);
	r = run(NULL, "-g a/b show peers");
	assert_int_equal(r.status, CLI_USAGE);
	assert_non_null(strstr(r.err, "not the name of a gateway"));
	result_free(&r);
	expect(NULL, "version", CLI_OK, "vgwctl 1.2-test\n  module interface  1\n", "");
	expect(NULL, "-j --version", CLI_OK, "{\"vgwctl\":\"1.2-test\",\"module_interface\":1}\n",
	       "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_one_tunnel),
		cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_json_is_the_rows),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_facts),
		cmocka_unit_test(test_icmp_of_the_family),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_half_an_answer),
		cmocka_unit_test(test_without_vgwd),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_together),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_help_and_version),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
