// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vgwctl can be asked: one table. A new verb is one line here, with the
 * parser of its words and the view of its rows.
 */
#include <errno.h>
#include <linux/vgw.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vgwctl/cli.h"
#include "vgwctl/views.h"

static bool too_many(struct cli *cli, const struct request *request, const char *word)
{
	const struct verb *verb = request->verb;

	return cli_usage_error(cli, "%s%s%s: \"%s\" is one word too many", verb->verb,
			       verb->object ? " " : "", verb->object ? verb->object : "", word);
}

static bool no_memory(struct cli *cli, int ret)
{
	if (ret)
		cli_fail(cli, "%s", strerror(ENOMEM));
	return !ret;
}

static bool parse_nothing(struct cli *cli, struct request *request, char **words, size_t n)
{
	return n == 0 || too_many(cli, request, words[0]);
}

static bool parse_filter(struct cli *cli, struct request *request, char **words, size_t n)
{
	if (n > 1)
		return too_many(cli, request, words[1]);
	if (n == 1 && !*words[0])
		return cli_usage_error(cli, "show %s: the name is empty", request->verb->object);
	request->filter = request->operand = n ? words[0] : NULL;
	return true;
}

static bool parse_object(struct cli *cli, struct request *request, char **words, size_t n)
{
	if (n > 1)
		return too_many(cli, request, words[1]);
	request->filter = n ? words[0] : NULL;
	return true;
}

static bool parse_prefix(struct cli *cli, struct request *request, char **words, size_t n)
{
	struct prefix prefix;
	struct addr addr;
	bool host_bits;

	if (n == 0)
		return true;
	if (n > 1)
		return too_many(cli, request, words[1]);
	if (addr_parse(words[0], &addr))
		return cli_usage_error(cli, "show routes: \"%s\" is an address, not a prefix; "
				       "'vgwctl explain %s' tells its route", words[0], words[0]);
	if (!prefix_parse(words[0], &prefix, &host_bits))
		return cli_usage_error(cli, "show routes: \"%s\" %s", words[0], host_bits ?
				       "has bits set behind its length" :
				       "is not a prefix such as 10.1.0.0/16 or 2001:db8::/32");
	request->operand = words[0];
	return no_memory(cli, json_object_set_new(request->args, "prefix",
						  json_string(words[0])));
}

/* explain ADDRESS [from ADDRESS] [proto P] [sport N] [dport N] [label N] */

struct flow_words {
	const char *from, *proto, *sport, *dport, *label;
	struct addr address;
	long protocol;
};

/* Decimal without sign or blanks; -1 if it is not a number from 0 to max. */
static long number(const char *text, long max)
{
	char *end;
	long value;

	if (*text < '0' || *text > '9' || strlen(text) > 7)
		return -1;
	value = strtol(text, &end, 10);
	return *end || value > max ? -1 : value;
}

static bool flow_split(struct cli *cli, struct flow_words *flow, char **words, size_t n)
{
	for (size_t i = 0; i < n; i += 2) {
		const char **place = !strcmp(words[i], "from")	? &flow->from :
				     !strcmp(words[i], "proto") ? &flow->proto :
				     !strcmp(words[i], "sport") ? &flow->sport :
				     !strcmp(words[i], "dport") ? &flow->dport :
				     !strcmp(words[i], "label") ? &flow->label :
								  NULL;

		if (!place)
			return cli_usage_error(cli, "explain: \"%s\" is none of from, proto, "
					       "sport, dport, label", words[i]);
		if (*place)
			return cli_usage_error(cli, "explain: %s is given twice", words[i]);
		if (i + 1 == n)
			return cli_usage_error(cli, "explain: %s needs a value", words[i]);
		*place = words[i + 1];
	}
	return true;
}

static bool flow_from(struct cli *cli, struct request *request, const struct flow_words *flow)
{
	struct addr from;

	if (!flow->from)
		return true;
	if (!addr_parse(flow->from, &from))
		return cli_usage_error(cli, "explain: from \"%s\" is not an address", flow->from);
	if (from.family != flow->address.family)
		return cli_usage_error(cli, "explain: from \"%s\" and the destination are of "
				       "different families", flow->from);
	return no_memory(cli, json_object_set_new(request->args, "from",
						  json_string(flow->from)));
}

static bool flow_protocol(struct cli *cli, struct request *request, struct flow_words *flow)
{
	static const struct {
		const char *name;
		long number, number6;
	} names[] = {
		{ "tcp", IPPROTO_TCP, IPPROTO_TCP },
		{ "udp", IPPROTO_UDP, IPPROTO_UDP },
		{ "icmp", IPPROTO_ICMP, IPPROTO_ICMPV6 },
	};

	if (!flow->proto)
		return true;
	flow->protocol = number(flow->proto, 255);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(flow->proto, names[i].name))
			flow->protocol = flow->address.family == AF_INET6 ? names[i].number6 :
									    names[i].number;
	if (flow->protocol < 0)
		return cli_usage_error(cli, "explain: proto \"%s\" is none of tcp, udp, icmp and "
				       "no number from 0 to 255", flow->proto);
	return no_memory(cli, json_object_set_new(request->args, "proto",
						  json_integer(flow->protocol)));
}

/* Ports make a difference only where the module's flow hash reads them. */
static bool protocol_has_ports(long protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

static bool flow_port(struct cli *cli, struct request *request, const struct flow_words *flow,
		      const char *key, const char *text)
{
	long port;

	if (!text)
		return true;
	if (!protocol_has_ports(flow->protocol))
		return cli_usage_error(cli, "explain: %s needs a protocol with ports (proto tcp)",
				       key);
	port = number(text, 65535);
	if (port < 0)
		return cli_usage_error(cli, "explain: %s \"%s\" is not a number from 0 to 65535",
				       key, text);
	return no_memory(cli, json_object_set_new(request->args, key, json_integer(port)));
}

static bool flow_label(struct cli *cli, struct request *request, const struct flow_words *flow)
{
	long label;

	if (!flow->label)
		return true;
	if (flow->address.family != AF_INET6)
		return cli_usage_error(cli, "explain: only IPv6 has a flow label");
	label = number(flow->label, 0xfffff);
	if (label < 0)
		return cli_usage_error(cli, "explain: label \"%s\" is not a number from 0 to "
				       "1048575", flow->label);
	return no_memory(cli, json_object_set_new(request->args, "label", json_integer(label)));
}

static bool parse_explain(struct cli *cli, struct request *request, char **words, size_t n)
{
	struct flow_words flow = { 0 };

	if (n == 0)
		return cli_usage_error(cli, "explain: which address?");
	if (!addr_parse(words[0], &flow.address))
		return cli_usage_error(cli, "explain: \"%s\" is not an address", words[0]);
	request->operand = words[0];
	return flow_split(cli, &flow, words + 1, n - 1) &&
	       no_memory(cli, json_object_set_new(request->args, "address",
						  json_string(words[0]))) &&
	       flow_from(cli, request, &flow) && flow_protocol(cli, request, &flow) &&
	       flow_port(cli, request, &flow, "sport", flow.sport) &&
	       flow_port(cli, request, &flow, "dport", flow.dport) &&
	       flow_label(cli, request, &flow);
}

static bool parse_files(struct cli *cli, struct request *request, char **words, size_t n)
{
	if (n == 0)
		return cli_usage_error(cli, "check: which file?");
	request->files = words;
	request->n_files = n;
	return true;
}

static bool parse_reload(struct cli *cli, struct request *request, char **words, size_t n)
{
	if (n)
		return too_many(cli, request, words[0]);
	return no_memory(cli, json_object_set_new(request->args, "dry_run",
						  json_boolean(cli->dry_run)));
}

static bool parse_tunnel(struct cli *cli, struct request *request, char **words, size_t n)
{
	if (n == 0)
		return cli_usage_error(cli, "%s: which tunnel?", request->verb->verb);
	if (n > 1)
		return too_many(cli, request, words[1]);
	request->operand = words[0];
	return no_memory(cli, json_object_set_new(request->args, "tunnel",
						  json_string(words[0])));
}

static bool reload_refused(const json_t *row)
{
	const char *kind = json_string_value(row_get(row, "kind"));

	return kind && !strcmp(kind, "refused");
}

static int run_help(struct cli *cli, struct request *request)
{
	fputs("Usage: vgwctl [-j] [-g GATEWAY | -s SOCKET] [-t SECONDS] [-d DEVICE] COMMAND\n\n"
	      "Commands:\n",
	      cli->out);
	for (const struct verb *v = verbs; v->verb; v++) {
		int width = fprintf(cli->out, "  %s%s%s%s%s", v->verb, v->object ? " " : "",
				    v->object ? v->object : "", *v->operands ? " " : "",
				    v->operands);

		if (width > 30)
			width = fprintf(cli->out, "\n") - 1;
		fprintf(cli->out, "%*s%s\n", 32 - width, "", v->summary);
	}
	fprintf(cli->out,
		"\nOptions:\n"
		"  -j, --json             JSON instead of text\n"
		"  -g, --gateway NAME     the gateway with this device (" CONTROL_GATEWAY ")\n"
		"  -s, --socket SOCKET    control socket of vgwd, instead of the gateway's\n"
		"  -t, --timeout SECONDS  how long an answer may take (%u)\n"
		"  -d, --device DEVICE    gateway to ask the module about without vgwd\n"
		"  -n, --dry-run          of reload: only tell what would change\n"
		"  -f, --force            of check: broken topology rules are warnings\n"
		"  -v, --verbose          of check: reasons, and every value in force\n"
		"  -p, --profile NAME     of init: alibaba, aws, azure or gcp\n"
		"  -h, --help  -V, --version\n"
		"\nExit status: 0 answered, 1 the answer is an error, 2 wrong command line.\n",
		CLI_TIMEOUT);
	return fflush(cli->out) ? cli_fail(cli, "cannot write: %s", strerror(errno)) : CLI_OK;
}

static int run_version(struct cli *cli, struct request *request)
{
	struct writer *writer = cli_writer_new(cli, request);
	json_t *row = json_pack("{s:s, s:i}", "vgwctl", cli->version, "module_interface",
				VGW_FAMILY_VERSION);

	if (writer && row)
		writer_row(writer, row);
	json_decref(row);
	return writer ? cli_writer_end(cli, writer, CLI_OK) : CLI_FAILED;
}

static const char *const match_gateway[] = { "name", NULL };
static const char *const match_tunnels[] = { "name", "connection", NULL };
static const char *const match_peers[] = { "tunnel", "line", "connection", "peer",
					     NULL };
static const char *const match_groups[] = { "id", "members.tunnel", NULL };
static const char *const match_memory[] = { "type", NULL };
static const char *const match_timeline[] = { "object", NULL };

const struct verb verbs[] = {
	{ "show", "gateway", "[NAME]", "the gateway: state, table, counters", 0, parse_filter,
	  answer_run, &view_gateway, match_gateway, NULL, module_gateway },
	{ "show", "tunnels", "[NAME|CONNECTION]", "tunnels; with a name all about them", 0,
	  parse_filter, answer_run, &view_tunnels, match_tunnels, NULL, module_tunnels },
	{ "show", "peers", "[TUNNEL|CONNECTION|ADDRESS]", "BGP peers", 0, parse_filter, answer_run,
	  &view_peers, match_peers, NULL, NULL },
	{ "show", "routes", "[PREFIX]", "routes; with a prefix all about it", 0,
	  parse_prefix, answer_run, &view_routes, NULL, NULL, module_routes },
	{ "show", "groups", "[ID|TUNNEL]", "groups of next hops", 0, parse_filter, answer_run,
	  &view_groups, match_groups, NULL, module_groups },
	{ "show", "memory", "[TYPE]", "what vgwd's memory is used for", 0, parse_filter, answer_run,
	  &view_memory, match_memory, NULL, NULL },
	{ "show", "warnings", "", "rules that the running configuration breaks", 0, parse_nothing,
	  answer_run, &view_warnings, NULL, NULL, NULL },
	{ "show", "timeline", "[TUNNEL|LINE]", "what happened, and what it was a consequence of", 0,
	  parse_object, answer_run, &view_timeline, match_timeline, NULL, NULL },
	{ "monitor", NULL, "[TUNNEL|LINE]", "what happens, as it does, until it is stopped",
	  VERB_FOLLOW, parse_object, answer_run, &view_monitor, match_timeline, NULL, NULL },
	{ "explain", NULL,
	  "ADDRESS [from ADDRESS] [proto tcp|udp|icmp|N] [sport N] [dport N] [label N]",
	  "where a packet goes, and why", VERB_OBJECT, parse_explain, answer_run, &view_explain,
	  NULL, NULL, module_explain },
	{ "check", NULL, "[--force] [--verbose] FILE...", "every error of configuration files",
	  VERB_CHECK, parse_files, check_run, NULL, NULL, NULL, NULL },
	{ "init", NULL, "[--profile NAME]", "write a configuration file to start from",
	  VERB_PROFILE, parse_nothing, init_run, NULL, NULL, NULL, NULL },
	{ "reload", NULL, "[--dry-run]", "make vgwd read its configuration again", VERB_DRY_RUN,
	  parse_reload, answer_run, &view_reload, NULL, reload_refused, NULL },
	{ "drain", NULL, "TUNNEL", "take a tunnel out of use, without losing a packet", VERB_OBJECT,
	  parse_tunnel, answer_run, &view_drain, NULL, NULL, NULL },
	{ "undrain", NULL, "TUNNEL", "use a drained tunnel again", VERB_OBJECT, parse_tunnel,
	  answer_run, &view_drain, NULL, NULL, NULL },
	{ "help", NULL, "", "this text", 0, parse_nothing, run_help, NULL, NULL, NULL, NULL },
	{ "version", NULL, "", "version", VERB_OBJECT, parse_nothing, run_version, &view_version,
	  NULL, NULL, NULL },
	{ 0 },
};

/* "gateway, tunnels, ..." of a verb, or all verbs. */
static bool unknown(struct cli *cli, const char *verb, const char *word)
{
	const char *before = "";
	char text[256] = "";

	for (const struct verb *v = verbs; v->verb; v++) {
		const char *name = verb ? v->object : v->verb;

		if ((verb && strcmp(v->verb, verb)) ||
		    (!verb && v != verbs && !strcmp(v->verb, v[-1].verb)))
			continue;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", before, name);
		before = ", ";
	}
	if (!word)
		return cli_usage_error(cli, "%s%swhat? One of %s", verb ? verb : "",
				       verb ? ": " : "", text);
	return cli_usage_error(cli, "%s%s\"%s\" is none of %s", verb ? verb : "", verb ? ": " : "",
			       word, text);
}

const struct verb *verb_find(struct cli *cli, char **words, size_t n, size_t *used)
{
	const struct verb *known = NULL;

	for (const struct verb *v = verbs; n && v->verb; v++) {
		if (strcmp(v->verb, words[0]))
			continue;
		known = v;
		*used = v->object ? 2 : 1;
		if (!v->object || (n > 1 && !strcmp(v->object, words[1])))
			return v;
	}
	if (known)
		unknown(cli, known->verb, n > 1 ? words[1] : NULL);
	else
		unknown(cli, NULL, n ? words[0] : NULL);
	return NULL;
}
