// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BGP speaker for interoperability tests: one session, every event as a JSON
 * line on stdout, commands as lines on stdin:
 *
 *   announce PREFIX [MED]    withdraw PREFIX    eor 4|6    refresh 4|6
 *   communities [N:N | N:N:N | 16 HEX DIGITS]...    of what is announced from then on
 *   stop [TEXT]    reset [TEXT]    start    quit
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgp/session.h"
#include "bgp/wire.h"
#include "lib/log.h"

static struct loop *loop;
static struct session *session;
static struct session_config config = {
	.name = "peer", .hold_time = 30, .connect_retry = 1, .restart_time = 60,
	.afi = { true, false },
};

static void print(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static void print_prefix(const char *event, const struct prefix *prefix)
{
	char text[PREFIX_STRLEN];

	print(json_pack("{s:s,s:s}", "event", event, "prefix",
			prefix_format(prefix, text, sizeof(text))));
}

static void on_established(void *ctx)
{
	const struct session_info *info = session_info(session);

	print(json_pack("{s:s,s:I,s:i,s:b,s:b,s:b,s:b,s:b,s:i,s:b,s:b,s:b,s:b}", "event", "established", "peer_as",
			(json_int_t)info->peer_as, "hold_time", info->hold_time, "as4", info->as4,
			"ipv4", info->afi[SESSION_IPV4], "ipv6", info->afi[SESSION_IPV6],
			"refresh", info->refresh, "graceful_restart", info->graceful_restart,
			"restart_time", info->peer_restart_time, "extended_message",
			info->extended_message, "extended_next_hop", info->extended_next_hop,
			"graceful_notification", info->graceful_notification,
			"enhanced_refresh", info->enhanced_refresh));
}

static void on_down(void *ctx, enum session_down_reason reason)
{
	static const char *const names[] = {
		[SESSION_DOWN_TRANSPORT] = "transport",
		[SESSION_DOWN_HOLD] = "hold",
		[SESSION_DOWN_NOTIFICATION_IN] = "notification-in",
		[SESSION_DOWN_NOTIFICATION_OUT] = "notification-out",
		[SESSION_DOWN_STOPPED] = "stopped",
	};
	const struct session_info *info = session_info(session);

	print(json_pack("{s:s,s:s,s:i,s:i,s:s,s:b,s:b}", "event", "down", "reason", names[reason],
			"code", info->last_code, "subcode", info->last_subcode, "error",
			info->last_error, "hard", info->last_hard, "graceful",
			info->down_graceful));
}

static void on_route(void *ctx, const struct prefix *prefix, const struct attrs *attrs)
{
	char text[PREFIX_STRLEN], hop[ADDR_STRLEN], path[500];
	json_t *communities = json_array(), *large = json_array(), *extended = json_array();

	for (int i = 0; i < attrs->n_communities; i++)
		json_array_append_new(communities,
				      json_sprintf("%u:%u", attrs->communities[i] >> 16,
						   attrs->communities[i] & 0xffff));
	for (int i = 0; i < attrs->n_large_communities; i++)
		json_array_append_new(large, json_sprintf("%u:%u:%u",
							  attrs->large_communities[i].global,
							  attrs->large_communities[i].local1,
							  attrs->large_communities[i].local2));
	for (int i = 0; i < attrs->n_ext_communities; i++)
		json_array_append_new(extended, json_sprintf("%016llx",
							     (unsigned long long)
								     attrs->ext_communities[i]));
	print(json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:o}", "event", "route", "prefix",
			prefix_format(prefix, text, sizeof(text)), "path",
			attrs_format_path(attrs, path, sizeof(path)), "next_hop",
			addr_format(&attrs->next_hop, hop, sizeof(hop)), "med",
			attrs->has_med ? (json_int_t)attrs->med : -1, "communities", communities,
			"large", large, "extended", extended));
}

static void on_withdraw(void *ctx, const struct prefix *prefix)
{
	print_prefix("withdraw", prefix);
}

static void on_end_of_rib(void *ctx, enum session_afi afi)
{
	print(json_pack("{s:s,s:i}", "event", "end-of-rib", "afi", afi == SESSION_IPV4 ? 4 : 6));
}

static void on_refresh(void *ctx, enum session_afi afi)
{
	print(json_pack("{s:s,s:i}", "event", "refresh", "afi", afi == SESSION_IPV4 ? 4 : 6));
}

static void on_refresh_begin(void *ctx, enum session_afi afi)
{
	print(json_pack("{s:s,s:i}", "event", "refresh-begin", "afi", afi == SESSION_IPV4 ? 4 : 6));
}

static void on_refresh_end(void *ctx, enum session_afi afi)
{
	print(json_pack("{s:s,s:i}", "event", "refresh-end", "afi", afi == SESSION_IPV4 ? 4 : 6));
}

static const struct session_ops ops = {
	.established = on_established,
	.down = on_down,
	.route = on_route,
	.withdraw = on_withdraw,
	.end_of_rib = on_end_of_rib,
	.refresh = on_refresh,
	.refresh_begin = on_refresh_begin,
	.refresh_end = on_refresh_end,
};

#define COMMUNITIES_MAX 16

static struct {
	uint32_t standard[COMMUNITIES_MAX];
	struct large_community large[COMMUNITIES_MAX];
	uint64_t extended[COMMUNITIES_MAX];
} lists;
static struct attrs communities_draft = {
	.communities = lists.standard,
	.large_communities = lists.large,
	.ext_communities = lists.extended,
};

static int command_communities(char *rest)
{
	struct attrs *draft = &communities_draft;
	unsigned int a, b, c;
	char *word;

	draft->n_communities = draft->n_large_communities = draft->n_ext_communities = 0;
	for (int i = 0; (word = strsep(&rest, " ")) && i < COMMUNITIES_MAX; i++) {
		int n = sscanf(word, "%u:%u:%u", &a, &b, &c);

		if (n == 3)
			lists.large[draft->n_large_communities++] =
				(struct large_community){ a, b, c };
		else if (n == 2)
			lists.standard[draft->n_communities++] = a << 16 | b;
		else if (strlen(word) == 16)
			lists.extended[draft->n_ext_communities++] = strtoull(word, NULL, 16);
		else
			return -EINVAL;
	}
	return 0;
}

static int command_prefix(const char *verb, const char *text, const char *med)
{
	struct attrs draft = communities_draft;
	const struct attrs *attrs;
	struct prefix prefix;
	int ret;

	draft.has_med = med;
	draft.med = med ? (uint32_t)atoll(med) : 0;
	if (!text || !prefix_parse(text, &prefix, NULL))
		return -EINVAL;
	if (!strcmp(verb, "withdraw"))
		return session_withdraw(session, &prefix);
	attrs = attrs_intern(&draft);
	ret = attrs ? session_announce(session, &prefix, attrs) : -ENOMEM;
	attrs_put(attrs);
	return ret;
}

static int command(char *line)
{
	char *rest = line, *verb = strsep(&rest, " "), *first = rest;
	enum session_afi afi = first && *first == '6' ? SESSION_IPV6 : SESSION_IPV4;

	if (!strcmp(verb, "announce") || !strcmp(verb, "withdraw")) {
		first = strsep(&rest, " ");
		return command_prefix(verb, first, rest);
	}
	if (!strcmp(verb, "communities"))
		return command_communities(rest);
	if (!strcmp(verb, "eor"))
		session_end_of_rib(session, afi);
	else if (!strcmp(verb, "refresh"))
		return session_request_refresh(session, afi);
	else if (!strcmp(verb, "stop"))
		session_stop(session, BGP_CEASE_SHUTDOWN, first);
	else if (!strcmp(verb, "reset"))
		session_stop(session, BGP_CEASE_RESET, first);
	else if (!strcmp(verb, "start"))
		session_start(session);
	else if (!strcmp(verb, "quit"))
		loop_stop(loop);
	else
		return -EINVAL;
	return 0;
}

static void on_stdin(void *ctx, unsigned int events)
{
	static char buf[4096];
	static size_t len;
	ssize_t n = read(STDIN_FILENO, buf + len, sizeof(buf) - 1 - len);
	char *end;

	if (n <= 0) {
		loop_stop(loop);
		return;
	}
	len += (size_t)n;
	buf[len] = '\0';
	while ((end = strchr(buf, '\n'))) {
		int ret;

		*end = '\0';
		ret = command(buf);
		if (ret)
			print(json_pack("{s:s,s:s,s:s}", "event", "error", "command", buf, "error",
					strerror(-ret)));
		len -= (size_t)(end + 1 - buf);
		memmove(buf, end + 1, len + 1);
	}
	if (len == sizeof(buf) - 1)
		loop_stop(loop);
}

static const struct option options[] = {
	{ "local", required_argument, NULL, 'l' },
	{ "peer", required_argument, NULL, 'p' },
	{ "local-as", required_argument, NULL, 'a' },
	{ "peer-as", required_argument, NULL, 'A' },
	{ "id", required_argument, NULL, 'i' },
	{ "next-hop6", required_argument, NULL, '6' },
	{ "device", required_argument, NULL, 'd' },
	{ "md5", required_argument, NULL, 'm' },
	{ "hold", required_argument, NULL, 'h' },
	{ "port", required_argument, NULL, 'P' },
	{ "passive", no_argument, NULL, 'x' },
	{ "gtsm", no_argument, NULL, 'g' },
	{ "extended", no_argument, NULL, 'e' },
	{ "graceful-notification", no_argument, NULL, 'n' },
	{ "next-hop-capability", no_argument, NULL, 'c' },
	{ "verbose", no_argument, NULL, 'v' },
	{ 0 },
};

static bool option_set(int opt, const char *value)
{
	struct addr id;

	switch (opt) {
	case 'l':
		return addr_parse(value, &config.local);
	case 'p':
		return addr_parse(value, &config.peer);
	case 'a':
		config.local_as = (uint32_t)atoll(value);
		return config.local_as;
	case 'A':
		config.peer_as = (uint32_t)atoll(value);
		return config.peer_as;
	case 'i':
		config.router_id = 0;
		if (!addr_parse(value, &id) || id.family != AF_INET)
			return false;
		for (int i = 0; i < 4; i++)
			config.router_id = config.router_id << 8 | id.b[i];
		return true;
	case '6':
		config.afi[SESSION_IPV6] = true;
		return addr_parse(value, &config.next_hop6);
	case 'd':
		config.device = value;
		return true;
	case 'm':
		config.md5 = value;
		return true;
	case 'h':
		config.hold_time = (uint16_t)atoi(value);
		return true;
	case 'P':
		config.port = (uint16_t)atoi(value);
		return true;
	case 'x':
		return config.passive = true;
	case 'g':
		return config.gtsm = true;
	case 'e':
		return config.extended_message = true;
	case 'n':
		return config.graceful_notification = true;
	case 'c':
		return config.extended_next_hop = true;
	case 'v':
		log_set_level(LOG_LEVEL_DEBUG);
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct loop_io *io;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!option_set(opt, optarg)) {
			fprintf(stderr, "bgp_peer: bad option or value\n");
			return 2;
		}
	}
	loop = loop_new();
	session = loop ? session_new(loop, &config, &ops, NULL) : NULL;
	io = session ? loop_io_new(loop, STDIN_FILENO, on_stdin, NULL) : NULL;
	if (!io) {
		fprintf(stderr, "bgp_peer: no memory\n");
		return 1;
	}
	loop_io_set(io, LOOP_READ);
	session_start(session);
	loop_run(loop);
	loop_io_free(io);
	session_free(session);
	loop_free(loop);
	return 0;
}
