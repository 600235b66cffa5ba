// SPDX-License-Identifier: GPL-2.0-only
/* Answers that are told rather than tabulated: explain, reload, drain. */
#include "vgwctl/views.h"

#include <linux/rtnetlink.h>
#include <linux/vgw.h>
#include <string.h>

#include "vgwctl/human.h"

#define LABEL "  %-12s"

static void put(FILE *out, const json_t *row, const char *key)
{
	human_any(out, row_get(row, key), row);
}

static bool filled(const json_t *row, const char *key)
{
	const json_t *value = row_get(row, key);

	return value && (!json_is_string(value) || json_string_length(value));
}

/* ", word VALUE" if there is a value; hex for what people know in hex. */
static void also(FILE *out, const json_t *row, const char *key, const char *words, bool hex)
{
	if (!filled(row, key))
		return;
	fprintf(out, ", %s ", words);
	if (hex)
		human_hex(out, row_get(row, key), row);
	else
		put(out, row, key);
}

/* Numbers of rtnetlink as ip(8) names them. */
static void protocol_put(FILE *out, json_int_t protocol)
{
	static const struct {
		json_int_t protocol;
		const char *name;
	} names[] = {
		{ RTPROT_REDIRECT, "redirect" }, { RTPROT_KERNEL, "kernel" },
		{ RTPROT_BOOT, "boot" },	 { RTPROT_STATIC, "static" },
		{ RTPROT_RA, "ra" },		 { RTPROT_BIRD, "bird" },
		{ RTPROT_DHCP, "dhcp" },	 { RTPROT_BGP, "bgp" },
		{ RTPROT_OSPF, "ospf" },	 { VGW_RTPROTO, "vgw" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].protocol == protocol) {
			fputs(names[i].name, out);
			return;
		}
	fprintf(out, "%" JSON_INTEGER_FORMAT, protocol);
}

static const char *type_name(json_int_t type)
{
	static const char *const names[] = {
		[RTN_UNICAST] = "unicast", [RTN_LOCAL] = "local", [RTN_BROADCAST] = "broadcast",
		[RTN_ANYCAST] = "anycast", [RTN_MULTICAST] = "multicast",
		[RTN_BLACKHOLE] = "blackhole", [RTN_UNREACHABLE] = "unreachable",
		[RTN_PROHIBIT] = "prohibit", [RTN_THROW] = "throw",
	};

	return type >= 0 && type < (json_int_t)(sizeof(names) / sizeof(names[0])) && names[type] ?
		       names[type] : "unknown";
}

static void explain_kernel(FILE *out, const json_t *kernel)
{
	if (!json_is_object(kernel))
		return;
	fprintf(out, LABEL, "kernel");
	if (filled(kernel, "prefix"))
		put(out, kernel, "prefix");
	else
		fputs("no route", out);
	if (filled(kernel, "dev")) {
		fputs(" dev ", out);
		put(out, kernel, "dev");
	}
	if (filled(kernel, "proto")) {
		fputs(" proto ", out);
		protocol_put(out, json_integer_value(row_get(kernel, "proto")));
	}
	if (filled(kernel, "type"))
		fprintf(out, " (%s)", type_name(json_integer_value(row_get(kernel, "type"))));
	if (filled(kernel, "note")) {
		fputs(": ", out);
		put(out, kernel, "note");
	}
	fputc('\n', out);
}

static void explain_candidates(FILE *out, const json_t *candidates)
{
	const json_t *candidate;
	size_t i;

	json_array_foreach(candidates, i, candidate) {
		if (i == 0)
			fprintf(out, "  candidates, %sthe longest prefix first\n",
				filled(candidate, "source") ? "policy routes before " : "");
		fputs("    ", out);
		put(out, candidate, "prefix");
		fputc(' ', out);
		put(out, candidate, "class");
		if (filled(candidate, "source")) {
			also(out, candidate, "source", "from", false);
			also(out, candidate, "priority", "priority", false);
		}
		fputs(": ", out);
		put(out, candidate, "result");
		if (filled(candidate, "group")) {
			also(out, candidate, "group", "group", false);
			also(out, candidate, "live", "live members", false);
			also(out, candidate, "on_fail", "on-fail", false);
		}
		if (json_array_size(row_get(candidate, "tunnels")))
			also(out, candidate, "tunnels", "tunnels", false);
		fputc('\n', out);
	}
	if (json_is_array(candidates) && !json_array_size(candidates))
		fprintf(out, LABEL "no route of the gateway matches\n", "candidates");
}

static void explain_choice(FILE *out, const json_t *row)
{
	if (filled(row, "guard")) {
		fprintf(out, LABEL, "guard");
		put(out, row, "guard");
		fputs(" covers it: without a route it is dropped\n", out);
	}
	if (!filled(row, "tunnel"))
		return;
	fprintf(out, LABEL, "flow");
	fputs("hash ", out);
	human_hex(out, row_get(row, "hash"), row);
	also(out, row, "group", "group", false);
	also(out, row, "bucket", "bucket", false);
	fprintf(out, "\n" LABEL, "tunnel");
	put(out, row, "tunnel");
	also(out, row, "interface", "interface", false);
	also(out, row, "spi", "SPI", true);
	also(out, row, "cache", "cache", false);
	if (json_is_true(row_get(row, "kept")))
		fputs(", kept by live flows", out);
	fputc('\n', out);
}

/* vgwd tells the story step by step; without steps it is made of the facts. */
static void explain_story(FILE *out, const json_t *row)
{
	const json_t *step;
	size_t i = 0;

	put(out, row, "destination");
	fputs(": ", out);
	put(out, row, filled(row, "text") ? "text" : "verdict");
	fputc('\n', out);
	json_array_foreach(row_get(row, "steps"), i, step) {
		fprintf(out, "  %zu. ", i + 1);
		human_any(out, step, row);
		fputc('\n', out);
	}
	if (i)
		return;
	explain_kernel(out, row_get(row, "kernel"));
	explain_candidates(out, row_get(row, "candidates"));
	explain_choice(out, row);
}

const struct view view_explain = { VIEW_STORY, NULL, NULL, explain_story };

static void reload_story(FILE *out, const json_t *row)
{
	put(out, row, "kind");
	fputc(' ', out);
	put(out, row, "object");
	if (filled(row, "name")) {
		fputc(' ', out);
		put(out, row, "name");
	}
	if (filled(row, "detail")) {
		fputs(": ", out);
		put(out, row, "detail");
	}
	if (filled(row, "code")) {
		fputs(" [", out);
		put(out, row, "code");
		fputc(']', out);
	}
	fputc('\n', out);
}

const struct view view_reload = { VIEW_STORY, "nothing to change", NULL, reload_story };

static void drain_story(FILE *out, const json_t *row)
{
	json_int_t others = json_integer_value(row_get(row, "others_up"));

	put(out, row, "tunnel");
	if (!json_is_true(row_get(row, "drained"))) {
		fputs(" is used again\n", out);
	} else if (others) {
		fprintf(out, " is drained: it takes no new flows where one of %" JSON_INTEGER_FORMAT
			" other tunnels leads; 'vgwctl show tunnels ", others);
		put(out, row, "tunnel");
		fputs("' tells when it is empty\n", out);
	} else {
		fputs(" is drained, but no other tunnel is up: it goes on carrying\n", out);
	}
	if (filled(row, "not_kept")) {
		fputs("a restart of vgwd will forget this: ", out);
		put(out, row, "not_kept");
		fputc('\n', out);
	}
}

const struct view view_drain = { VIEW_STORY, NULL, NULL, drain_story };
