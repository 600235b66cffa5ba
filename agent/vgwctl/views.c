// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns of gateway, tunnels, peers, routes, groups and memory. A format function here
 * joins several values of a row into what a person asks for; everything is
 * looked up by name, so that a row of another version never does harm.
 */
#include "vgwctl/views.h"

#include <inttypes.h>
#include <string.h>

#include "vgwctl/human.h"

static uint64_t number(const json_t *row, const char *key)
{
	return json_integer_value(row_get(row, key));
}

static const char *string(const json_t *row, const char *key)
{
	const char *text = json_string_value(row_get(row, key));

	return text ? text : "";
}

static bool has(const json_t *row, const char *key)
{
	return row_get(row, key) != NULL;
}

static void value_put(FILE *out, const json_t *row, const char *key)
{
	human_any(out, row_get(row, key), row);
}

/* gateway */

static void gateway_state(FILE *out, const json_t *value, const json_t *row)
{
	if (!strcmp(string(row, "state"), "stopped"))
		fputs("vgwd stopped; the module goes on with what it has", out);
	else
		human_any(out, value, row);
	if (has(row, "uptime_ms")) {
		fputs(", vgwd up ", out);
		human_time_put(out, number(row, "uptime_ms"));
	}
}

static void gateway_module(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (number(row, "protocol_version"))
		fprintf(out, ", interface version %" PRIu64, number(row, "protocol_version"));
	if (number(row, "ifindex"))
		fprintf(out, ", device index %" PRIu64, number(row, "ifindex"));
}

static void gateway_quota(FILE *out, const json_t *value, const json_t *row)
{
	fprintf(out, "%" PRIu64, number(row, "quota_used"));
	if (number(row, "quota"))
		fprintf(out, " of %" PRIu64 " prefixes", number(row, "quota"));
	else
		fputs(" prefixes, no limit", out);
	if (number(row, "refused"))
		fprintf(out, ", %" PRIu64 " refused", number(row, "refused"));
}

static void gateway_advertise(FILE *out, const json_t *value, const json_t *row)
{
	if (!value)
		return;
	if (json_is_true(value))
		fprintf(out, "on, %" PRIu64 " prefixes published", number(row, "published"));
	else
		fputs("off", out);
}

static void gateway_tunnels(FILE *out, const json_t *value, const json_t *row)
{
	if (value)
		fprintf(out, "%" PRIu64 " of %" PRIu64 " up", number(row, "tunnels_up"),
			number(row, "tunnels"));
}

static void gateway_generation(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (json_is_true(row_get(row, "generation_open")))
		fputs(", open: routes of an earlier life may still go", out);
}

static void gateway_sent(FILE *out, const json_t *value, const json_t *row)
{
	if (!value)
		return;
	human_count_put(out, number(value, "tx_packets"));
	fputs(" packets, ", out);
	human_bytes_put(out, number(value, "tx_bytes"));
	if (number(value, "failover")) {
		fputs(", ", out);
		human_count_put(out, number(value, "failover"));
		fputs(" met a dead tunnel and left through another", out);
	}
	if (number(value, "mss_clamped")) {
		fputs(", ", out);
		human_count_put(out, number(value, "mss_clamped"));
		fputs(" SYN with a lowered MSS", out);
	}
}

/* Only causes that happened, each with its counter's name. */
static void gateway_dropped(FILE *out, const json_t *value, const json_t *row)
{
	static const struct {
		const char *key, *text;
	} causes[] = {
		{ "drop_miss", "no route" },
		{ "drop_system", "the best route is a system route" },
		{ "drop_dead", "every tunnel dead" },
		{ "drop_reserved", "held by a dead route with on-fail reserve" },
		{ "drop_guard", "in a guard range" },
		{ "drop_too_big", "larger than the MTU" },
		{ "drop_loop", "outer route leads back into a gateway" },
		{ "drop_malformed", "not a whole IP header" },
		{ "drop_blocked", "blocked by an XFRM policy or the SA" },
		{ "drop_no_memory", "no memory" },
		{ "drop_isolation", "from tunnel to tunnel without transit" },
		{ "drop_source", "source does not belong to the tunnel" },
	};
	bool first = true;

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		uint64_t n = number(value, causes[i].key);

		if (!n)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", first ? "" : "\n", n, causes[i].text);
		first = false;
	}
	if (value && first)
		fputs("none", out);
}

static void gateway_hash(FILE *out, const json_t *value, const json_t *row)
{
	fputs("seed ", out);
	human_hex(out, value, row);
	if (has(row, "hash_fields")) {
		fputs(", by ", out);
		value_put(out, row, "hash_fields");
	}
	if (number(row, "hash_idle_ms")) {
		fputs(", live flows stay until idle for ", out);
		human_time_put(out, number(row, "hash_idle_ms"));
	}
}

static void port_line(FILE *out, const json_t *port)
{
	const char *state4 = string(port, "state4"), *state6 = string(port, "state6");

	human_any(out, row_get(port, "name"), port);
	if (!strcmp(state4, state6))
		fprintf(out, ": %s, ", state4);
	else
		fprintf(out, ": IPv4 %s, IPv6 %s, ", state4, state6);
	human_count_put(out, number(port, "packets"));
	fputs(" packets taken", out);
	if (number(port, "aside")) {
		fputs(", ", out);
		human_count_put(out, number(port, "aside"));
		fputs(" while it stood aside", out);
	}
}

/* A line each: on, or why it stands aside. */
static void gateway_ports(FILE *out, const json_t *value, const json_t *row)
{
	const json_t *port;
	size_t i;

	json_array_foreach((json_t *)value, i, port) {
		if (i)
			fputc('\n', out);
		port_line(out, port);
	}
}

static const struct column gateway_columns[] = {
	{ "gateway", "name", human_any, 0 },
	{ "state", "state", gateway_state, 0 },
	{ "module", "module", gateway_module, 0 },
	{ "local ASN", "local_asn", human_any, 0 },
	{ "router id", "router_id", human_any, 0 },
	{ "attachment", "attachment", human_any, 0 },
	{ "vrf", "vrf", human_any, 0 },
	{ "bgp table", "", gateway_quota, 0 },
	{ "auto-advertise", "auto_advertise", gateway_advertise, 0 },
	{ "tunnels", "tunnels", gateway_tunnels, 0 },
	{ "groups", "groups", human_any, 0 },
	{ "routes", "routes", human_count, 0 },
	{ "generation", "generation", gateway_generation, 0 },
	{ "table memory", "memory", human_bytes, 0 },
	{ "hash", "hash_seed", gateway_hash, 0 },
	{ "ports", "ports", gateway_ports, 0 },
	{ "guard", "guard", human_any, 0 },
	{ "sent", "stats", gateway_sent, 0 },
	{ "dropped", "stats", gateway_dropped, 0 },
	{ "warnings", "warnings", human_lines, 0 },
	{ 0 },
};

const struct view view_gateway = { VIEW_BLOCK, "no gateway", gateway_columns, NULL };

/* Of a tunnel and its peer. */
static void bfd_detail(FILE *out, const json_t *value, const json_t *row)
{
	if (!value)
		return;
	human_any(out, value, row);
	if (!strcmp(string(row, "bfd"), "up")) {
		fprintf(out, ", a failure is seen within %" PRIu64 " ms",
			number(row, "bfd_detection_ms"));
	} else if (*string(row, "bfd_diag")) {
		fputs(": ", out);
		value_put(out, row, "bfd_diag");
	}
}

/* tunnels */

static void tunnel_device(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (number(row, "ifindex"))
		fprintf(out, ", index %" PRIu64, number(row, "ifindex"));
	if (number(row, "if_id"))
		fprintf(out, ", if_id 0x%" PRIx64, number(row, "if_id"));
}

static void tunnel_inside(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (has(row, "inside_peer")) {
		fputs(", peer ", out);
		value_put(out, row, "inside_peer");
	}
}

static void tunnel_why(FILE *out, const json_t *value, const json_t *row)
{
	/* "up, live" would say the same thing twice. */
	if (strcmp(string(row, "state"), "up"))
		human_any(out, value, row);
	else if (*string(row, "warning"))
		fputs("one-way", out);
}

/* Why it is as it is; the module's word where vgwd has no better one. */
static void tunnel_reason(FILE *out, const json_t *value, const json_t *row)
{
	if (*string(row, "why"))
		value_put(out, row, "why");
	else if (strcmp(string(row, "state"), "up"))
		human_any(out, value, row);
}

static void tunnel_health(FILE *out, const json_t *value, const json_t *row)
{
	if (!value)
		return;
	value_put(out, value, "state");
	if (has(value, "since_ms") && strcmp(string(value, "state"), "paused")) {
		fputs(" for ", out);
		human_time_put(out, number(value, "since_ms"));
	}
	fputs(", ", out);
	value_put(out, value, "destination");
	fprintf(out, " answered %" PRIu64 " of %" PRIu64, number(value, "answered"),
		number(value, "sent"));
	if (number(value, "answered"))
		fprintf(out, ", the last after %" PRIu64 " ms", number(value, "rtt_ms"));
	if (number(value, "lost_in_row"))
		fprintf(out, ", %" PRIu64 " lost in a row", number(value, "lost_in_row"));
	if (*string(value, "error")) {
		fputs("\n", out);
		value_put(out, value, "error");
	}
}

static void tunnel_state(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (has(row, "drain"))
		fputs(json_is_true(row_get(row, "drain.empty")) ? ", drained" : ", draining", out);
}

static void tunnel_drain(FILE *out, const json_t *value, const json_t *row)
{
	if (!value)
		return;
	fputs("for ", out);
	human_time_put(out, number(value, "since_ms"));
	fputs(json_is_true(row_get(value, "empty")) ? ", empty: no packet for " :
						      ", still in use: last packet before ", out);
	human_time_put(out, number(value, "quiet_ms"));
}

static void tunnel_ike(FILE *out, const json_t *value, const json_t *row)
{
	if (!value)
		return;
	value_put(out, value, "state");
	if (has(value, "since_ms")) {
		fputs(" for ", out);
		human_time_put(out, number(value, "since_ms"));
	}
	if (number(value, "rekeys"))
		fprintf(out, ", %" PRIu64 " rekeys", number(value, "rekeys"));
	if (number(value, "attempts"))
		fprintf(out, ", %" PRIu64 " attempts since the last success",
			number(value, "attempts"));
	if (number(value, "retry_ms")) {
		fputs(", next in ", out);
		human_time_put(out, number(value, "retry_ms"));
	}
	if (*string(value, "ike_cipher") || *string(value, "child_cipher")) {
		fputs("\nIKE ", out);
		value_put(out, value, "ike_cipher");
		fputs(", child ", out);
		value_put(out, value, "child_cipher");
	}
	if (*string(value, "last_error")) {
		fputs("\nlast error: ", out);
		value_put(out, value, "last_error");
	}
}

static void traffic(FILE *out, const json_t *row, const char *packets, const char *bytes)
{
	human_count_put(out, number(row, packets));
	fputs(" packets, ", out);
	human_bytes_put(out, number(row, bytes));
}

static void tunnel_sent(FILE *out, const json_t *value, const json_t *row)
{
	traffic(out, row, "tx_packets", "tx_bytes");
	if (number(row, "tx_errors"))
		fprintf(out, ", %" PRIu64 " met it dead", number(row, "tx_errors"));
}

static void tunnel_received(FILE *out, const json_t *value, const json_t *row)
{
	traffic(out, row, "rx_packets", "rx_bytes");
	if (number(row, "rx_refused"))
		fprintf(out, ", %" PRIu64 " refused by source validation",
			number(row, "rx_refused"));
}

static void tunnel_cache(FILE *out, const json_t *value, const json_t *row)
{
	if (!value)
		return;
	fputs("IPv4 ", out);
	human_any(out, value, row);
	fputs(", IPv6 ", out);
	value_put(out, row, "cache6");
	fprintf(out, "; %" PRIu64 " hits, %" PRIu64 " fills, %" PRIu64 " lookups not kept",
		number(row, "cache_hits"), number(row, "cache_fills"),
		number(row, "cache_unused"));
}

/* In the table: one word if both families have the same. */
static void tunnel_cache_short(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (strcmp(string(row, "cache4"), string(row, "cache6"))) {
		fputc('/', out);
		value_put(out, row, "cache6");
	}
}

static void tunnel_dropped(FILE *out, const json_t *value, const json_t *row)
{
	static const struct {
		const char *key, *text;
	} causes[] = {
		{ "drop_too_big", "too big" },
		{ "drop_loop", "loop" },
		{ "drop_blocked", "blocked by a policy" },
		{ "drop_no_memory", "no memory" },
		{ "drop_isolation", "not allowed on to another tunnel" },
	};
	bool first = true;

	for (size_t i = 0; value && i < sizeof(causes) / sizeof(causes[0]); i++) {
		uint64_t n = number(row, causes[i].key);

		if (!n)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", first ? "" : ", ", n, causes[i].text);
		first = false;
	}
	if (value && first)
		fputs("none", out);
}

static const struct column tunnels_columns[] = {
	{ "tunnel", "name", human_any, 0 },
	{ "id", "id", human_any, COLUMN_DETAIL },
	{ "connection", "connection", human_any, 0 },
	{ "site", "site", human_any, COLUMN_DETAIL },
	{ "state", "state", tunnel_state, 0 },
	{ "reason", "reason", tunnel_why, COLUMN_TABLE },
	{ "reason", "reason", tunnel_reason, COLUMN_DETAIL },
	{ "warning", "warning", human_any, COLUMN_DETAIL },
	{ "drained", "drain", tunnel_drain, COLUMN_DETAIL },
	{ "error", "error", human_any, COLUMN_DETAIL },
	{ "interface", "interface", human_any, COLUMN_TABLE },
	{ "interface", "interface", tunnel_device, COLUMN_DETAIL },
	{ "inside", "inside", tunnel_inside, COLUMN_DETAIL },
	{ "remote", "remote", human_any, 0 },
	{ "SPI", "spi", human_hex, COLUMN_DETAIL },
	{ "MTU", "mtu", human_unless_zero, COLUMN_DETAIL },
	{ "cache", "cache4", tunnel_cache_short, COLUMN_TABLE },
	{ "cache", "cache4", tunnel_cache, COLUMN_DETAIL },
	{ "ike", "ike.state", human_any, COLUMN_TABLE },
	{ "ike", "ike", tunnel_ike, COLUMN_DETAIL },
	{ "bgp", "bgp", human_any, 0 },
	{ "bfd", "bfd", bfd_detail, COLUMN_DETAIL },
	{ "health", "health", tunnel_health, COLUMN_DETAIL },
	{ "tx", "tx_bytes", human_bytes, COLUMN_TABLE | COLUMN_RIGHT },
	{ "rx", "rx_bytes", human_bytes, COLUMN_TABLE | COLUMN_RIGHT },
	{ "last rx", "last_rx_ms", human_time, COLUMN_TABLE | COLUMN_RIGHT },
	{ "sent", "tx_packets", tunnel_sent, COLUMN_DETAIL },
	{ "received", "rx_packets", tunnel_received, COLUMN_DETAIL },
	{ "last received", "last_rx_ms", human_time, COLUMN_DETAIL },
	{ "dropped", "drop_too_big", tunnel_dropped, COLUMN_DETAIL },
	{ "state changes", "transitions", human_any, COLUMN_DETAIL },
	{ 0 },
};

const struct view view_tunnels = { VIEW_TABLE, "no tunnels", tunnels_columns, NULL };

/* peers */

static void peer_as(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	fputs(", ours ", out);
	value_put(out, row, "local_as");
}

static void peer_where(FILE *out, const json_t *value, const json_t *row)
{
	if (has(row, "line")) {
		value_put(out, row, "line");
		fputs(json_is_true(row_get(row, "transit")) ? " (transit)" : " (line)", out);
	} else {
		human_any(out, value, row);
	}
}

static void peer_state(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (has(row, "since_ms")) {
		fputs(" for ", out);
		human_time_put(out, number(row, "since_ms"));
	}
	if (number(row, "established_count"))
		fprintf(out, ", sessions so far: %" PRIu64, number(row, "established_count"));
}

static void peer_timers(FILE *out, const json_t *value, const json_t *row)
{
	fprintf(out, "hold %" PRIu64 " s, keepalive %" PRIu64 " s", number(row, "hold_time"),
		number(row, "keepalive"));
}

static void peer_capabilities(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (json_is_true(row_get(row, "as4")))
		fputs(", four-octet AS", out);
	if (json_is_true(row_get(row, "refresh")))
		fputs(", route refresh", out);
	if (json_is_true(row_get(row, "enhanced_refresh")))
		fputs(" (enhanced)", out);
	if (json_is_true(row_get(row, "extended_message")))
		fputs(", extended messages", out);
	if (json_is_true(row_get(row, "extended_next_hop")))
		fputs(", IPv4 by IPv6 next hop", out);
	if (json_is_true(row_get(row, "graceful_restart"))) {
		fputs(", graceful restart", out);
		if (number(row, "peer_restart_time"))
			fprintf(out, " (peer %" PRIu64 " s)", number(row, "peer_restart_time"));
	}
	if (json_is_true(row_get(row, "graceful_notification")))
		fputs(", graceful notification", out);
}

static void peer_paths(FILE *out, const json_t *value, const json_t *row)
{
	fprintf(out, "%" PRIu64 " accepted, %" PRIu64 " rejected, %" PRIu64 " advertised",
		number(row, "accepted"), number(row, "rejected"), number(row, "advertised"));
	if (json_is_true(row_get(row, "stale")))
		fputs("; stale: kept while the peer restarts", out);
}

static void peer_end_of_rib(FILE *out, const json_t *value, const json_t *row)
{
	if (!json_array_size(row_get(value, "sent")) &&
	    !json_array_size(row_get(value, "received")))
		return;
	fputs("sent ", out);
	value_put(out, value, "sent");
	fputs(", received ", out);
	value_put(out, value, "received");
}

static void peer_messages(FILE *out, const json_t *value, const json_t *row)
{
	fprintf(out, "%" PRIu64 " in (%" PRIu64 " updates), %" PRIu64 " out (%" PRIu64 " updates)",
		number(row, "messages_in"), number(row, "updates_in"), number(row, "messages_out"),
		number(row, "updates_out"));
	if (number(row, "backlog"))
		fprintf(out, ", %" PRIu64 " waiting", number(row, "backlog"));
}

/* Nothing to say of a way on which data gets on. */
static void peer_path(FILE *out, const json_t *value, const json_t *row)
{
	const char *path = string(row, "path");

	if (!*path || !strcmp(path, "good"))
		return;
	human_any(out, value, row);
	fprintf(out, ", %" PRIu64 " octets not acknowledged, segments of %" PRIu64,
		number(row, "unacked"), number(row, "mss"));
}

static void peer_last_error(FILE *out, const json_t *value, const json_t *row)
{
	if (!*string(row, "last_error") && !number(row, "last_code"))
		return;
	human_any(out, value, row);
	if (number(row, "last_code"))
		fprintf(out, " (%" PRIu64 "/%" PRIu64 ")", number(row, "last_code"),
			number(row, "last_subcode"));
}

static const struct column peers_columns[] = {
	{ "peer", "peer", human_any, 0 },
	{ "tunnel", "tunnel", peer_where, 0 },
	{ "connection", "connection", human_any, COLUMN_DETAIL },
	{ "error", "line_error", human_any, COLUMN_DETAIL },
	{ "local address", "local", human_any, COLUMN_DETAIL },
	{ "as", "peer_as", human_any, COLUMN_TABLE | COLUMN_RIGHT },
	{ "peer AS", "peer_as", peer_as, COLUMN_DETAIL },
	{ "peer id", "peer_id", human_any, COLUMN_DETAIL },
	{ "state", "state", human_any, COLUMN_TABLE },
	{ "state", "state", peer_state, COLUMN_DETAIL },
	{ "since", "since_ms", human_time, COLUMN_TABLE | COLUMN_RIGHT },
	{ "bfd", "bfd", human_any, COLUMN_TABLE },
	{ "BFD", "bfd", bfd_detail, COLUMN_DETAIL },
	{ "accepted", "accepted", human_any, COLUMN_TABLE | COLUMN_RIGHT },
	{ "rejected", "rejected", human_any, COLUMN_TABLE | COLUMN_RIGHT },
	{ "advertised", "advertised", human_any, COLUMN_TABLE | COLUMN_RIGHT },
	{ "last error", "last_error", peer_last_error, COLUMN_TABLE },
	{ "timers", "hold_time", peer_timers, COLUMN_DETAIL },
	{ "capabilities", "families", peer_capabilities, COLUMN_DETAIL },
	{ "paths", "accepted", peer_paths, COLUMN_DETAIL },
	{ "end of RIB", "end_of_rib", peer_end_of_rib, COLUMN_DETAIL },
	{ "messages", "messages_in", peer_messages, COLUMN_DETAIL },
	{ "path", "path", peer_path, COLUMN_DETAIL },
	{ "last error", "last_error", peer_last_error, COLUMN_DETAIL },
	{ "shutdown text", "shutdown_text", human_any, COLUMN_DETAIL },
	{ 0 },
};

const struct view view_peers = { VIEW_TABLE, "no peers", peers_columns, NULL };

/* routes */

static void route_state(FILE *out, const json_t *value, const json_t *row)
{
	if (*string(row, "refused_error"))
		fputs("refused", out);
	else if (!json_is_true(row_get(row, "installed")))
		fputs("not installed", out);
	else
		fputs(json_is_true(row_get(row, "effective")) ? "in use" : "standby", out);
	if (json_is_true(row_get(row, "published")))
		fputs(", published", out);
}

static void route_next_hops(FILE *out, const json_t *value, const json_t *row)
{
	const json_t *hop;
	size_t i;

	json_array_foreach(value, i, hop) {
		fputs(i ? " " : "", out);
		value_put(out, hop, has(hop, "line") ? "line" : "tunnel");
		if (number(hop, "weight") != 1)
			fprintf(out, "*%" PRIu64, number(hop, "weight"));
	}
}

/* With what is wrong with each. */
static void route_next_hop_lines(FILE *out, const json_t *value, const json_t *row)
{
	const json_t *hop;
	size_t i;

	json_array_foreach(value, i, hop) {
		fputs(i ? "\n" : "", out);
		value_put(out, hop, has(hop, "line") ? "line" : "tunnel");
		if (has(hop, "weight"))
			fprintf(out, ", weight %" PRIu64, number(hop, "weight"));
		if (has(hop, "live"))
			fputs(json_is_true(row_get(hop, "live")) ? ", live" : ", dead", out);
		if (*string(hop, "why")) {
			fputs(": ", out);
			value_put(out, hop, "why");
		}
	}
}

static void route_path_count(FILE *out, const json_t *value, const json_t *row)
{
	if (json_array_size(value))
		fprintf(out, "%zu", json_array_size(value));
}

/* What a path is, and why it is or is not used. */
static void path_put(FILE *out, const json_t *path)
{
	value_put(out, path, has(path, "line") ? "line" : "tunnel");
	fputs(": path ", out);
	if (*string(path, "as_path") || json_is_array(row_get(path, "as_path")))
		value_put(out, path, "as_path");
	else
		fputs("empty", out);
	if (has(path, "local_pref"))
		fprintf(out, ", local-pref %" PRIu64, number(path, "local_pref"));
	if (has(path, "med"))
		fprintf(out, ", med %" PRIu64, number(path, "med"));
	fputs(", origin ", out);
	value_put(out, path, "origin");
	fputs(", next hop ", out);
	value_put(out, path, "next_hop");
	fputs("\n  ", out);
	value_put(out, path, "verdict");
	if (*string(path, "step")) {
		fputs(", ", out);
		value_put(out, path, "step");
	}
	if (json_is_true(row_get(path, "stale")))
		fputs(", stale", out);
	if (has(path, "since_ms")) {
		fputs(", for ", out);
		human_time_put(out, number(path, "since_ms"));
	}
	if (*string(path, "reason")) {
		fputs(": ", out);
		value_put(out, path, "reason");
	}
}

static void route_paths(FILE *out, const json_t *value, const json_t *row)
{
	const json_t *path;
	size_t i;

	json_array_foreach(value, i, path) {
		fputs(i ? "\n" : "", out);
		path_put(out, path);
	}
}

/* A policy route is named by its source, too. */
static void route_name(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	if (!has(row, "source"))
		return;
	fputs(" from ", out);
	value_put(out, row, "source");
	fprintf(out, " priority %" PRIu64, number(row, "priority"));
}

static const struct column routes_columns[] = {
	{ "route", "prefix", route_name, 0 },
	{ "class", "class", human_any, 0 },
	{ "state", "", route_state, 0 },
	{ "refused", "refused_error", human_any, COLUMN_DETAIL },
	{ "why", "why", human_any, COLUMN_DETAIL },
	{ "on fail", "on_fail", human_any, COLUMN_DETAIL },
	{ "paths", "paths", route_path_count, COLUMN_TABLE | COLUMN_RIGHT },
	{ "next hops", "next_hops", route_next_hops, COLUMN_TABLE },
	{ "next hops", "next_hops", route_next_hop_lines, COLUMN_DETAIL },
	{ "paths", "paths", route_paths, COLUMN_DETAIL },
	{ 0 },
};

const struct view view_routes = { VIEW_TABLE, "no routes", routes_columns, NULL };

/* groups */

static void group_live(FILE *out, const json_t *value, const json_t *row)
{
	human_any(out, value, row);
	fprintf(out, " of %zu", json_array_size(row_get(row, "members")));
}

static void group_members(FILE *out, const json_t *value, const json_t *row)
{
	const json_t *member;
	size_t i;

	json_array_foreach(value, i, member) {
		fputs(i ? " " : "", out);
		value_put(out, member, "tunnel");
		if (!json_is_true(row_get(member, "live")))
			fputs("(dead)", out);
		else
			fprintf(out, "(%" PRIu64 ")", number(member, "buckets"));
	}
}

static void group_member_lines(FILE *out, const json_t *value, const json_t *row)
{
	const json_t *member;
	size_t i;

	json_array_foreach(value, i, member) {
		fputs(i ? "\n" : "", out);
		value_put(out, member, "tunnel");
		fprintf(out, ": weight %" PRIu64 ", %" PRIu64 " of %" PRIu64 " buckets, %s",
			number(member, "weight"), number(member, "buckets"), number(row, "buckets"),
			json_is_true(row_get(member, "live")) ? "live" : "dead");
	}
}

static void group_dropped(FILE *out, const json_t *value, const json_t *row)
{
	if (value)
		fprintf(out, "%" PRIu64 " all dead, %" PRIu64 " held by on-fail reserve",
			number(row, "drop_dead"), number(row, "drop_reserved"));
}

static const struct column groups_columns[] = {
	{ "group", "id", human_any, COLUMN_TABLE | COLUMN_RIGHT },
	{ "group", "id", human_any, COLUMN_DETAIL },
	{ "live", "live", group_live, 0 },
	{ "MTU", "mtu", human_unless_zero, COLUMN_RIGHT },
	{ "routes", "routes", human_any, COLUMN_RIGHT },
	{ "packets", "packets", human_count, COLUMN_RIGHT },
	{ "failover", "failover", human_count, COLUMN_DETAIL },
	{ "dropped", "drop_dead", group_dropped, COLUMN_DETAIL },
	{ "kept buckets", "kept", human_unless_zero, COLUMN_DETAIL },
	{ "members", "members", group_members, COLUMN_TABLE },
	{ "members", "members", group_member_lines, COLUMN_DETAIL },
	{ 0 },
};

const struct view view_groups = { VIEW_TABLE, "no groups", groups_columns, NULL };

/* memory */

static const struct column memory_columns[] = {
	{ "type", "type", human_any, COLUMN_TABLE },
	{ "type", "type", human_any, COLUMN_DETAIL },
	{ "count", "count", human_any, COLUMN_RIGHT },
	{ "bytes", "bytes", human_any, COLUMN_RIGHT },
	{ 0 },
};

const struct view view_memory = { VIEW_TABLE, "nothing is known", memory_columns, NULL };

/* warnings */

static const struct column warnings_columns[] = {
	{ "rule", "rule", human_any, 0 },
	{ "line", "line", human_any, COLUMN_RIGHT },
	{ "key", "path", human_any, 0 },
	{ "code", "code", human_any, 0 },
	{ "what", "text", human_any, 0 },
	{ 0 },
};

const struct view view_warnings = { VIEW_TABLE, "no warnings", warnings_columns, NULL };

/* version */

static const struct column version_columns[] = {
	{ "vgwctl", "vgwctl", human_any, 0 },
	{ "module interface", "module_interface", human_any, 0 },
	{ 0 },
};

const struct view view_version = { VIEW_BLOCK, NULL, version_columns, NULL };
