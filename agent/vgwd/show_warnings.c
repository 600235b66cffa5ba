// SPDX-License-Identifier: GPL-2.0-only
/*
 * "show warnings": the rules that the running configuration breaks with
 * permission (force), and the advice it does not follow, as "check" told them;
 * then what goes wrong now without being a failure, and the tunnels that somebody
 * has drained, lest he forget.
 */
#include <stdio.h>

#include "core/lint.h"
#include "vgwd/verbs.h"

static void warn_rule(struct control_reply *reply, const struct config_error *e)
{
	const struct lint_rule *rule = lint_rule_find(e->code);

	control_reply_row(reply,
			  json_pack("{s:i,s:i,s:s,s:s,s:s,s:o,s:o}", "line", (int)e->line, "column",
				    (int)e->column, "path", e->path, "text", e->text, "code",
				    e->code, "rule", verbs_text(rule ? rule->rule : NULL), "reason",
				    verbs_text(rule ? rule->reason : NULL)));
}

/* Of no place in the file: path names the object. */
static void warn_state(struct control_reply *reply, const char *what, const char *name,
		       const char *code, const char *rule, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%s %s", what, name);
	control_reply_row(reply, json_pack("{s:n,s:n,s:s,s:s,s:s,s:s,s:n}", "line", "column",
					   "path", path, "text", text, "code", code, "rule", rule,
					   "reason"));
}

static void warn_tunnel(struct control_reply *reply, const struct tunnel *tunnel)
{
	const char *name = tunnel->config->name, *error = health_check_error(tunnel);
	char text[TUNNEL_ERROR_SIZE];

	if (watch_oneway(tunnel, text, sizeof(text)))
		warn_state(reply, "tunnel", name, "ONE_WAY", "F12", text);
	if (*error)
		warn_state(reply, "tunnel", name, "HEALTH_CHECK", "28", error);
	if (tunnel->drained)
		warn_state(reply, "tunnel", name, "DRAINED", "F11",
			   drain_others_up(tunnel)
				   ? "is drained: it takes no new flows ('vgwctl undrain' ends it)"
				   : "is drained, but no other tunnel is up");
}

static void warn_domain(struct control_reply *reply, const struct gateway *gateway)
{
	struct rib_counters counters = {0};
	char text[TUNNEL_ERROR_SIZE];

	if (gateway->domain)
		rib_counters(gateway->domain, &counters);
	if (!counters.refused_quota)
		return;
	snprintf(text, sizeof(text),
		 "transit-domain.quota is %u: %zu prefixes of transit peers wait for room",
		 gateway->config->transit_quota, counters.refused_quota);
	warn_state(reply, "gateway", gateway->config->gateway.name, "DOMAIN_QUOTA", "34", text);
}

/* Its routes are not used, and nobody else says why. */
static void warn_transit(struct control_reply *reply, const struct line *line)
{
	char text[LINE_ERROR_SIZE];

	if (line->config->transit && line_explain(line, text, sizeof(text)))
		warn_state(reply, "transit peer", line->config->name, "TRANSIT_PEER", "42", text);
}

void show_warnings(void *ctx, const json_t *args, struct control_reply *reply)
{
	const struct gateway *gateway = ctx;
	const struct config_errors *warnings = &gateway->config->warnings;

	(void)args;
	for (size_t i = 0; i < warnings->n; i++)
		warn_rule(reply, &warnings->list[i]);
	if (gateway->bgp_refused)
		warn_state(reply, "gateway", gateway->config->gateway.name, gateway->bgp_refused,
			   "4", gateway->bgp_refused_text);
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		warn_tunnel(reply, t);
	for (const struct line *line = gateway->lines; line; line = line->next)
		warn_transit(reply, line);
	warn_domain(reply, gateway);
	control_reply_done(reply);
}
