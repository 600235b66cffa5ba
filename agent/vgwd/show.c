// SPDX-License-Identifier: GPL-2.0-only
/* The gateway, its tunnels, peers and groups, as rows. Routes are in show_routes.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vgw.h>

#include "lib/log.h"
#include "sys/names.h"
#include "vgwd/verbs.h"

json_t *verbs_address(const struct addr *address)
{
	char text[ADDR_STRLEN];

	return addr_is_set(address) ? json_string(addr_format(address, text, sizeof(text)))
				    : json_null();
}

json_t *verbs_prefix(const struct prefix *prefix)
{
	char text[PREFIX_STRLEN];

	return addr_is_set(&prefix->addr) ? json_string(prefix_format(prefix, text, sizeof(text)))
					  : json_null();
}

json_t *verbs_text(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *number_or_null(uint64_t number)
{
	return number ? json_integer(number) : json_null();
}

/* Gateway: the module is asked for the device, then for its counters. */

struct gateway_answer {
	struct gateway *gateway;
	struct control_reply *reply;
	struct kernel_gateway kernel;
	struct kernel_stats stats;
	json_t *ports; /* as the module tells of them */
	bool present, has_stats;
};

static json_t *gateway_prefixes(const struct prefix *list, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, verbs_prefix(&list[i]));
	return out;
}

static json_t *gateway_warnings(const struct gateway *gateway)
{
	const struct config_errors *warnings = &gateway->config->warnings;
	json_t *out = json_array();

	for (size_t i = 0; i < warnings->n; i++)
		json_array_append_new(out, json_string(warnings->list[i].text));
	if (gateway->device_error[0])
		json_array_append_new(out, json_string(gateway->device_error));
	if (gateway->bgp_refused)
		json_array_append_new(out, json_string(gateway->bgp_refused_text));
	return out;
}

static json_t *stats_row(const struct kernel_stats *s)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
			 "tx_packets", (json_int_t)s->tx_packets, "tx_bytes",
			 (json_int_t)s->tx_bytes, "failover", (json_int_t)s->failover, "drop_miss",
			 (json_int_t)s->drop_miss, "drop_system", (json_int_t)s->drop_system,
			 "drop_dead", (json_int_t)s->drop_dead, "drop_reserved",
			 (json_int_t)s->drop_reserved, "drop_guard", (json_int_t)s->drop_guard,
			 "drop_too_big", (json_int_t)s->drop_too_big, "drop_loop",
			 (json_int_t)s->drop_loop, "drop_malformed", (json_int_t)s->drop_malformed,
			 "drop_blocked", (json_int_t)s->drop_blocked, "drop_no_memory",
			 (json_int_t)s->drop_no_memory, "drop_isolation",
			 (json_int_t)s->drop_isolation, "drop_source", (json_int_t)s->drop_source,
			 "mss_clamped", (json_int_t)s->mss_clamped);
}

static unsigned int tunnels_up(const struct gateway *gateway)
{
	unsigned int n = 0;

	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		n += t->reported && t->kernel.state == VGW_TUNNEL_STATE_UP;
	return n;
}

static size_t published_count(struct gateway *gateway)
{
	struct prefix prefix = {.addr.family = AF_UNSPEC};
	size_t n = 0;

	while (rib_next(gateway->rib, &prefix))
		n += derive_published(gateway, &prefix);
	return n;
}

static const char *phase_name(const struct gateway *gateway)
{
	static const char *const names[] = {
		[GATEWAY_WAITING] = "waiting",
		[GATEWAY_RESTARTING] = "restarting",
		[GATEWAY_RUNNING] = "running",
	};

	return gateway->bound ? names[gateway->phase] : "waiting";
}

static void row_add_config(json_t *row, const struct gateway *gateway)
{
	const struct config_gateway *config = &gateway->config->gateway;
	const uint32_t id = gateway->router_id;
	const struct addr router_id = {AF_INET, {id >> 24, id >> 16, id >> 8, id}};

	json_object_set_new(row, "name", json_string(config->name));
	json_object_set_new(row, "state", json_string(phase_name(gateway)));
	json_object_set_new(row, "local_asn", json_integer(config->local_asn));
	json_object_set_new(row, "router_id", verbs_address(&router_id));
	json_object_set_new(row, "attachment",
			    json_string(config->attachment == CONFIG_TRANSIT ? "transit"
									     : "vpn-gateway"));
	json_object_set_new(row, "vrf", verbs_text(config->vrf));
	json_object_set_new(row, "quota", json_integer(config->quota));
	json_object_set_new(row, "auto_advertise", json_boolean(config->auto_advertise));
	json_object_set_new(row, "hash_seed", json_integer(config->hash.seed));
	json_object_set_new(row, "hash_fields",
			    json_string(names_hash_fields(config->hash.fields)));
	json_object_set_new(row, "hash_idle_ms", json_integer(config->hash.idle * 1000LL));
	json_object_set_new(row, "guard", gateway_prefixes(config->guard, config->n_guard));
	json_object_set_new(row, "warnings", gateway_warnings(gateway));
}

static json_t *port_absent(const char *name, const char *state)
{
	return json_pack("{s:s,s:n,s:s,s:s,s:I,s:I,s:I,s:I}", "name", name, "ifindex", "state4",
			 state, "state6", state, "packets", (json_int_t)0, "bytes", (json_int_t)0,
			 "aside", (json_int_t)0, "other", (json_int_t)0);
}

/* The configured ones, each as the module has it, or why it has not. */
static json_t *ports_rows(const struct gateway_answer *answer)
{
	const struct config_gateway *config = &answer->gateway->config->gateway;
	json_t *rows = json_array(), *row, *found;
	struct rtnl_link link;
	size_t at;

	for (size_t i = 0; i < config->n_ports; i++) {
		bool there = !rtnl_link_get(answer->gateway->rtnl, config->ports[i], &link);

		found = NULL;
		json_array_foreach(answer->ports, at, row)
			if (there && json_integer_value(json_object_get(row, "ifindex")) ==
					     (json_int_t)link.ifindex)
				found = json_incref(row);
		if (found)
			json_object_set_new(found, "name", json_string(config->ports[i]));
		else
			found = port_absent(config->ports[i], there ? "refused" : "no-device");
		json_array_append_new(rows, found);
	}
	return rows;
}

static json_t *gateway_row(struct gateway_answer *answer, const struct kernel_stats *stats)
{
	struct gateway *gateway = answer->gateway;
	const struct kernel_gateway *kernel = &answer->kernel;
	struct rib_counters counters;
	json_t *row = json_object();

	rib_counters(gateway->rib, &counters);
	row_add_config(row, gateway);
	json_object_set_new(row, "ifindex", number_or_null(gateway->ifindex));
	json_object_set_new(row, "module", json_string(answer->present ? "present" : "absent"));
	json_object_set_new(row, "protocol_version", number_or_null(kernel->protocol_version));
	json_object_set_new(row, "bgp_capable", json_boolean(!gateway->bgp_refused));
	json_object_set_new(row, "quota_used", json_integer(counters.installed));
	json_object_set_new(row, "refused", json_integer(counters.refused_quota));
	json_object_set_new(row, "published", json_integer(published_count(gateway)));
	json_object_set_new(row, "generation", json_integer(kernel->generation));
	json_object_set_new(row, "generation_open", json_boolean(kernel->generation_open));
	json_object_set_new(row, "routes", json_integer(kernel->routes));
	json_object_set_new(row, "groups", json_integer(kernel->groups));
	json_object_set_new(row, "tunnels", json_integer(gateway_tunnel_count(gateway)));
	json_object_set_new(row, "tunnels_up", json_integer(tunnels_up(gateway)));
	json_object_set_new(row, "memory", json_integer(kernel->memory));
	json_object_set_new(row, "uptime_ms",
			    json_integer(loop_now(gateway->loop) - gateway->started));
	json_object_set_new(row, "ports", ports_rows(answer));
	json_object_set_new(row, "stats", stats ? stats_row(stats) : json_null());
	return row;
}

static void gateway_finish(struct gateway_answer *answer, const struct kernel_stats *stats)
{
	control_reply_row(answer->reply, gateway_row(answer, stats));
	control_reply_done(answer->reply);
	json_decref(answer->ports);
	free(answer);
}

static void gateway_port(void *ctx, const struct kernel_port *port)
{
	struct gateway_answer *answer = ctx;

	json_array_append_new(
		answer->ports,
		json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:I}", "ifindex", (json_int_t)port->ifindex,
			  "state4", names_port_state(port->state4), "state6",
			  names_port_state(port->state6), "packets", (json_int_t)port->packets,
			  "bytes", (json_int_t)port->bytes, "aside", (json_int_t)port->aside,
			  "other", (json_int_t)port->other));
}

static void gateway_ports_done(void *ctx, int error, const char *text, long index)
{
	struct gateway_answer *answer = ctx;

	(void)error;
	(void)text;
	(void)index;
	gateway_finish(answer, answer->has_stats ? &answer->stats : NULL);
}

static void gateway_stats(void *ctx, int error, const char *text, const struct kernel_stats *stats)
{
	struct gateway_answer *answer = ctx;

	(void)text;
	answer->has_stats = !error;
	if (!error)
		answer->stats = *stats;
	kernel_ports_dump(answer->gateway->kernel, answer->gateway->ifindex, gateway_port,
			  gateway_ports_done, answer);
}

static void gateway_facts(void *ctx, int error, const char *text,
			  const struct kernel_gateway *kernel)
{
	struct gateway_answer *answer = ctx;

	(void)text;
	if (error) {
		gateway_finish(answer, NULL);
		return;
	}
	answer->kernel = *kernel;
	answer->present = true;
	kernel_stats_get(answer->gateway->kernel, answer->gateway->ifindex, gateway_stats, answer);
}

void show_gateway(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct gateway_answer *answer = calloc(1, sizeof(*answer));
	struct gateway *gateway = ctx;

	(void)args;
	if (!answer) {
		control_reply_error(reply, ENOMEM, "out of memory");
		return;
	}
	answer->gateway = gateway;
	answer->reply = reply;
	answer->ports = json_array();
	if (gateway->ifindex && kernel_available(gateway->kernel))
		kernel_gateway_get(gateway->kernel, gateway->ifindex, gateway_facts, answer);
	else
		gateway_finish(answer, NULL);
}

/* Tunnels */

struct tunnels_answer {
	struct gateway *gateway;
	struct control_reply *reply;
};

static json_t *ike_row(const struct tunnel *tunnel)
{
	const struct ike_status *ike;

	if (!tunnel->config->ike)
		return json_null();
	ike = ike_status(tunnel->gateway->ike, tunnel->ike_name);
	if (!ike)
		return json_null();
	return json_pack("{s:s,s:I,s:I,s:I,s:s,s:s,s:s,s:I}", "state", ike_state_name(ike->state),
			 "since_ms", (json_int_t)(loop_now(tunnel->gateway->loop) - ike->since),
			 "attempts", (json_int_t)ike->attempts, "retry_ms",
			 (json_int_t)ike->retry_ms, "last_error", ike->last_error, "ike_cipher",
			 ike->ike_cipher, "child_cipher", ike->child_cipher, "rekeys",
			 (json_int_t)ike->rekeys);
}

static json_t *bgp_state(const struct tunnel *tunnel)
{
	if (!tunnel->connection->bgp)
		return json_null();
	if (!tunnel->peer.session)
		return json_string(session_state_name(SESSION_IDLE));
	return json_string(session_state_name(session_info(tunnel->peer.session)->state));
}

/* Null without BFD; "unknown" while vgw-bfd does not tell. */
static void row_add_bfd(json_t *row, const struct bfd_status *status, bool wanted)
{
	const struct bfd_session_info *info = status && status->known ? &status->info : NULL;
	json_t *state = json_null();

	if (info)
		state = json_string(bfd_state_name(info->state));
	else if (wanted)
		state = json_string("unknown");
	json_object_set_new(row, "bfd", state);
	json_object_set_new(row, "bfd_detection_ms", number_or_null(info ? info->detection : 0));
	json_object_set_new(row, "bfd_diag",
			    info && info->diag ? json_string(bfd_diag_name(info->diag))
					       : verbs_text(status ? status->error : NULL));
}

static json_t *health_row(const struct tunnel *tunnel)
{
	const struct health *health = health_check_state(tunnel);
	const struct config_health *config = tunnel->config->health;
	bool paused = health && health->due == UINT64_MAX;

	if (!health || !config)
		return json_null();
	return json_pack("{s:s,s:I,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "state",
			 paused ? "paused" : health_verdict_name(health->verdict), "since_ms",
			 (json_int_t)(loop_now(tunnel->gateway->loop) - health->since), "source",
			 verbs_address(&config->source), "destination",
			 verbs_address(&config->destination), "interval_ms",
			 (json_int_t)health->timing.interval, "sent", (json_int_t)health->sent,
			 "answered", (json_int_t)health->answered, "lost", (json_int_t)health->lost,
			 "lost_in_row", (json_int_t)health->lost_row, "rtt_ms",
			 (json_int_t)health->rtt, "error", verbs_text(health_check_error(tunnel)));
}

/* Why nothing is sent, and what is wrong although something is. */
static void row_add_verdict(json_t *row, const struct tunnel *tunnel)
{
	char why[TUNNEL_ERROR_SIZE], oneway[TUNNEL_ERROR_SIZE];
	bool dead = liveness_explain(tunnel, why, sizeof(why));
	bool warned = watch_oneway(tunnel, oneway, sizeof(oneway));

	json_object_set_new(row, "why", verbs_text(dead ? why : NULL));
	json_object_set_new(row, "warning", verbs_text(warned ? oneway : NULL));
	json_object_set_new(row, "health", health_row(tunnel));
}

/* What the module knows of a tunnel's lookups and of packets that ended at it. */
static void row_add_path(json_t *row, const struct kernel_tunnel *kernel, bool known)
{
	const struct {
		const char *key;
		uint64_t value;
	} counters[] = {
		{"cache_hits", kernel->cache_hits},
		{"cache_fills", kernel->cache_fills},
		{"cache_unused", kernel->cache_unused},
		{"drop_too_big", kernel->drop_too_big},
		{"drop_loop", kernel->drop_loop},
		{"drop_blocked", kernel->drop_blocked},
		{"drop_no_memory", kernel->drop_no_memory},
		{"drop_isolation", kernel->drop_isolation},
	};

	json_object_set_new(row, "cache4",
			    known ? json_string(names_cache_state(kernel->cache4)) : json_null());
	json_object_set_new(row, "cache6",
			    known ? json_string(names_cache_state(kernel->cache6)) : json_null());
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		json_object_set_new(row, counters[i].key, json_integer(counters[i].value));
}

static json_t *drain_state(const struct tunnel *tunnel)
{
	uint64_t now = loop_now(tunnel->gateway->loop);

	if (!tunnel->drained)
		return json_null();
	return json_pack("{s:b,s:I,s:I}", "empty", (int)tunnel->drain_empty, "since_ms",
			 (json_int_t)(now - tunnel->drain_since), "quiet_ms",
			 (json_int_t)(now - tunnel->drain_moved));
}

static json_t *tunnel_row(const struct tunnel *tunnel)
{
	const struct kernel_tunnel *kernel = &tunnel->kernel;
	bool known = tunnel->reported;
	json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s}", "name", tunnel->config->name,
				"connection", tunnel->connection->name, "site",
				tunnel->connection->customer_gateway->site, "interface",
				tunnel->config->interface, "id", (json_int_t)tunnel->id, "state",
				known ? names_tunnel_state(kernel->state) : "unknown", "reason",
				known ? names_tunnel_reason(kernel->reason) : "");

	if (!row)
		return NULL;
	json_object_set_new(row, "ifindex", number_or_null(tunnel->ifindex));
	json_object_set_new(row, "if_id",
			    json_integer(known ? kernel->if_id : tunnel->config->if_id));
	json_object_set_new(row, "remote",
			    verbs_address(known && addr_is_set(&kernel->remote)
						  ? &kernel->remote
						  : &tunnel->config->remote_address));
	json_object_set_new(row, "inside", verbs_address(&tunnel->config->inside_address));
	json_object_set_new(row, "inside_peer", verbs_address(&tunnel->config->inside_peer));
	json_object_set_new(row, "spi", number_or_null(kernel->spi));
	json_object_set_new(row, "mtu", number_or_null(kernel->mtu));
	json_object_set_new(row, "ike", ike_row(tunnel));
	json_object_set_new(row, "bgp", bgp_state(tunnel));
	json_object_set_new(row, "drain", drain_state(tunnel));
	row_add_bfd(row, liveness_status(tunnel), tunnel->connection->bfd);
	json_object_set_new(row, "tx_packets", json_integer(kernel->tx_packets));
	json_object_set_new(row, "tx_bytes", json_integer(kernel->tx_bytes));
	json_object_set_new(row, "tx_errors", json_integer(kernel->tx_errors));
	json_object_set_new(row, "rx_packets", json_integer(kernel->rx_packets));
	json_object_set_new(row, "rx_bytes", json_integer(kernel->rx_bytes));
	json_object_set_new(row, "rx_refused", json_integer(kernel->rx_refused));
	json_object_set_new(row, "last_rx_ms",
			    !known || kernel->last_rx_ms == UINT64_MAX
				    ? json_null()
				    : json_integer(kernel->last_rx_ms));
	json_object_set_new(row, "transitions", json_integer(kernel->transitions));
	row_add_path(row, kernel, known);
	json_object_set_new(row, "error", verbs_text(tunnel->error));
	row_add_verdict(row, tunnel);
	return row;
}

static void tunnels_row(void *ctx, const struct kernel_tunnel *report)
{
	struct tunnels_answer *answer = ctx;
	struct tunnel *tunnel = gateway_tunnel_by_id(answer->gateway, report->id);

	if (tunnel)
		tunnel_reported(tunnel, report);
}

static void tunnels_finish(void *ctx, int error, const char *text, long index)
{
	struct tunnels_answer *answer = ctx;

	(void)error;
	(void)text;
	(void)index;
	for (const struct tunnel *t = answer->gateway->tunnels; t; t = t->next)
		control_reply_row(answer->reply, tunnel_row(t));
	control_reply_done(answer->reply);
	free(answer);
}

/* NULL: the reply is given. */
static struct tunnels_answer *answer_new(struct gateway *gateway, struct control_reply *reply)
{
	struct tunnels_answer *answer = calloc(1, sizeof(*answer));

	if (!answer) {
		control_reply_error(reply, ENOMEM, "out of memory");
		return NULL;
	}
	answer->gateway = gateway;
	answer->reply = reply;
	return answer;
}

void show_tunnels(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct tunnels_answer *answer = answer_new(ctx, reply);
	struct gateway *gateway = ctx;

	(void)args;
	if (!answer)
		return;
	if (gateway->bound)
		kernel_tunnels_dump(gateway->kernel, gateway->ifindex, tunnels_row, tunnels_finish,
				    answer);
	else
		tunnels_finish(answer, 0, "", -1);
}

/* Peers */

static json_t *families(const bool afi[SESSION_N_AFI])
{
	json_t *out = json_array();

	if (afi[SESSION_IPV4])
		json_array_append_new(out, json_string("ipv4"));
	if (afi[SESSION_IPV6])
		json_array_append_new(out, json_string("ipv6"));
	return out;
}

static size_t advertised_count(const struct peer *peer, const struct session_info *info)
{
	struct prefix prefix = {.addr.family = AF_UNSPEC};
	size_t n = 0;

	if (info->state != SESSION_ESTABLISHED)
		return 0;
	if (peer->transit)
		return (info->afi[SESSION_IPV4] ? transit_count(peer, AF_INET) : 0) +
		       (info->afi[SESSION_IPV6] ? transit_count(peer, AF_INET6) : 0);
	while (export_next(peer->gateway->export, &prefix))
		n += info->afi[prefix.addr.family == AF_INET ? SESSION_IPV4 : SESSION_IPV6];
	return n;
}

static void peer_add_session(json_t *row, const struct peer *peer)
{
	static const struct session_info none = {.state = SESSION_IDLE};
	const struct session_info *info = peer->session ? session_info(peer->session) : &none;
	const uint32_t id = info->peer_id;
	const struct addr peer_id = {AF_INET, {id >> 24, id >> 16, id >> 8, id}};

	json_object_set_new(row, "state", json_string(session_state_name(info->state)));
	json_object_set_new(row, "since_ms",
			    json_integer(loop_now(peer->gateway->loop) - info->since));
	json_object_set_new(row, "hold_time", json_integer(info->hold_time));
	json_object_set_new(row, "keepalive", json_integer(info->keepalive));
	json_object_set_new(row, "peer_id", id ? verbs_address(&peer_id) : json_null());
	json_object_set_new(row, "families", families(info->afi));
	json_object_set_new(row, "as4", json_boolean(info->as4));
	json_object_set_new(row, "refresh", json_boolean(info->refresh));
	json_object_set_new(row, "graceful_restart", json_boolean(info->graceful_restart));
	json_object_set_new(row, "enhanced_refresh", json_boolean(info->enhanced_refresh));
	json_object_set_new(row, "extended_message", json_boolean(info->extended_message));
	json_object_set_new(row, "extended_next_hop", json_boolean(info->extended_next_hop));
	json_object_set_new(row, "graceful_notification",
			    json_boolean(info->graceful_notification));
	json_object_set_new(row, "peer_restart_time", json_integer(info->peer_restart_time));
	json_object_set_new(row, "advertised", json_integer(advertised_count(peer, info)));
	json_object_set_new(row, "end_of_rib",
			    json_pack("{s:o,s:o}", "sent", families(info->eor_sent), "received",
				      families(info->eor_received)));
	json_object_set_new(row, "messages_in", json_integer(info->messages_in));
	json_object_set_new(row, "messages_out", json_integer(info->messages_out));
	json_object_set_new(row, "updates_in", json_integer(info->updates_in));
	json_object_set_new(row, "updates_out", json_integer(info->updates_out));
	json_object_set_new(row, "established_count", json_integer(info->established_count));
	json_object_set_new(row, "last_error", verbs_text(info->last_error));
	json_object_set_new(row, "last_code", json_integer(info->last_code));
	json_object_set_new(row, "last_subcode", json_integer(info->last_subcode));
	json_object_set_new(row, "last_hard", json_boolean(info->last_hard));
	json_object_set_new(row, "shutdown_text", verbs_text(info->shutdown_text));
	json_object_set_new(row, "path", json_string(session_path_name(info->path)));
	json_object_set_new(row, "unacked", json_integer(info->unacked));
	json_object_set_new(row, "mss", number_or_null(info->mss));
	json_object_set_new(row, "backlog",
			    json_integer(peer->session ? session_backlog(peer->session) : 0));
}

static json_t *peer_row(const struct peer *peer)
{
	const struct peer_facts facts = peer->owner->facts(peer);
	size_t accepted = 0, rejected = 0;
	json_t *row = json_pack("{s:n,s:n,s:n,s:b,s:I,s:I,s:b}", "tunnel", "line", "connection",
				"transit", (int)peer->transit, "peer_as",
				(json_int_t)facts.remote_as, "local_as",
				(json_int_t)peer->gateway->config->gateway.local_asn, "stale",
				peer->stale);

	if (!row)
		return NULL;
	rib_source_counters(peer->source, &accepted, &rejected);
	json_object_set_new(row, "peer", verbs_address(&facts.remote));
	json_object_set_new(row, "local", verbs_address(&facts.local));
	json_object_set_new(row, "accepted", json_integer(accepted));
	json_object_set_new(row, "rejected", json_integer(rejected));
	return row;
}

static void tunnel_peer_reply(const struct tunnel *tunnel, struct control_reply *reply)
{
	json_t *row = peer_row(&tunnel->peer);

	json_object_set_new(row, "tunnel", json_string(tunnel->config->name));
	json_object_set_new(row, "connection", json_string(tunnel->connection->name));
	row_add_bfd(row, liveness_status(tunnel), tunnel->connection->bfd);
	peer_add_session(row, &tunnel->peer);
	if (tunnel->gateway->bgp_refused)
		json_object_set_new(row, "last_error",
				    json_string(tunnel->gateway->bgp_refused_text));
	control_reply_row(reply, row);
}

static void line_peer_reply(const struct line *line, struct control_reply *reply)
{
	json_t *row = peer_row(&line->peer);

	json_object_set_new(row, "line", json_string(line->config->name));
	json_object_set_new(row, "line_error", verbs_text(line->error));
	row_add_bfd(row, line_bfd_status(line), line->config->bfd);
	peer_add_session(row, &line->peer);
	control_reply_row(reply, row);
}

void show_peers(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct gateway *gateway = ctx;

	(void)args;
	for (const struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (t->connection->bgp)
			tunnel_peer_reply(t, reply);
	for (const struct line *line = gateway->lines; line; line = line->next)
		line_peer_reply(line, reply);
	control_reply_done(reply);
}

/* Groups, as the module has them */

static void groups_row(void *ctx, const struct kernel_group *group)
{
	struct tunnels_answer *answer = ctx;
	json_t *members = json_array();

	for (uint32_t i = 0; i < group->n_members; i++) {
		const struct kernel_member *member = &group->members[i];
		const struct tunnel *tunnel = gateway_tunnel_by_id(answer->gateway, member->tunnel);

		json_array_append_new(members,
				      json_pack("{s:s*,s:I,s:i,s:I,s:b}", "tunnel",
						tunnel ? tunnel->config->name : NULL, "id",
						(json_int_t)member->tunnel, "weight",
						(int)member->weight, "buckets",
						(json_int_t)member->buckets, "live", member->live));
	}
	control_reply_row(answer->reply,
			  json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "id",
				    (json_int_t)group->id, "buckets", (json_int_t)group->buckets,
				    "live", (json_int_t)group->live, "mtu", (json_int_t)group->mtu,
				    "routes", (json_int_t)group->routes, "packets",
				    (json_int_t)group->packets, "failover",
				    (json_int_t)group->failover, "drop_dead",
				    (json_int_t)group->drop_dead, "drop_reserved",
				    (json_int_t)group->drop_reserved, "kept",
				    (json_int_t)group->kept, "members", members));
}

static void groups_finish(void *ctx, int error, const char *text, long index)
{
	struct tunnels_answer *answer = ctx;

	(void)index;
	if (error)
		control_reply_error(answer->reply, error, "%s", text);
	else
		control_reply_done(answer->reply);
	free(answer);
}

void show_groups(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct tunnels_answer *answer = answer_new(ctx, reply);
	struct gateway *gateway = ctx;

	(void)args;
	if (!answer)
		return;
	if (gateway->bound)
		kernel_groups_dump(gateway->kernel, gateway->ifindex, groups_row, groups_finish,
				   answer);
	else
		groups_finish(answer, -ENOLINK, "the gateway's device is not there", -1);
}
