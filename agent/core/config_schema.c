// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keys of the file, as libcyaml wants them. Every value is text here and
 * every key optional: libcyaml stops at its first complaint, so what it would
 * refuse is looked for by config_shape.c and config_load.c, which report all of it.
 */
#include "core/config_private.h"

#define TEXT(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_OPTIONAL, type, member, 0, CYAML_UNLIMITED)
#define OBJECT(key, type, member, fields) \
	CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_OPTIONAL, type, member, fields)
#define LIST(key, type, member, entry) \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, type, member, \
				   n_##member, entry, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t control_fields[] = {
	TEXT("socket", struct raw_control, socket),
	TEXT("group", struct raw_control, group),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t restart_fields[] = {
	TEXT("restart-time", struct raw_restart, restart_time),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t hash_fields[] = {
	TEXT("seed", struct raw_hash, seed),
	TEXT("fields", struct raw_hash, fields),
	TEXT("idle", struct raw_hash, idle),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t gateway_fields[] = {
	TEXT("name", struct raw_gateway, name),
	TEXT("local-asn", struct raw_gateway, local_asn),
	TEXT("router-id", struct raw_gateway, router_id),
	TEXT("attachment", struct raw_gateway, attachment),
	TEXT("vrf", struct raw_gateway, vrf),
	TEXT("quota", struct raw_gateway, quota),
	TEXT("auto-advertise", struct raw_gateway, auto_advertise),
	TEXT("overlap", struct raw_gateway, overlap),
	TEXT("reserved", struct raw_gateway, reserved),
	TEXT("profile", struct raw_gateway, profile),
	LIST("guard", struct raw_gateway, guard, &text_entry),
	LIST("protected", struct raw_gateway, protected, &text_entry),
	OBJECT("hash", struct raw_gateway, hash, hash_fields),
	LIST("ports", struct raw_gateway, ports, &text_entry),
	OBJECT("graceful-restart", struct raw_gateway, restart, restart_fields),
	TEXT("force", struct raw_gateway, force),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t customer_gateway_fields[] = {
	TEXT("name", struct raw_customer_gateway, name),
	TEXT("address", struct raw_customer_gateway, address),
	TEXT("asn", struct raw_customer_gateway, asn),
	TEXT("site", struct raw_customer_gateway, site),
	TEXT("profile", struct raw_customer_gateway, profile),
	TEXT("description", struct raw_customer_gateway, description),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t customer_gateway_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_customer_gateway,
			    customer_gateway_fields),
};

static const cyaml_schema_field_t bgp_fields[] = {
	TEXT("hold-time", struct raw_bgp, hold_time),
	TEXT("keepalive", struct raw_bgp, keepalive),
	TEXT("connect-retry", struct raw_bgp, connect_retry),
	TEXT("passive", struct raw_bgp, passive),
	TEXT("gtsm", struct raw_bgp, gtsm),
	TEXT("ttl", struct raw_bgp, ttl),
	TEXT("md5-file", struct raw_bgp, md5_file),
	TEXT("ipv4", struct raw_bgp, ipv4),
	TEXT("ipv6", struct raw_bgp, ipv6),
	TEXT("send-hold", struct raw_bgp, send_hold),
	TEXT("delay-open", struct raw_bgp, delay_open),
	TEXT("idle-hold-max", struct raw_bgp, idle_hold_max),
	TEXT("tcp-mss", struct raw_bgp, tcp_mss),
	TEXT("extended-messages", struct raw_bgp, extended_messages),
	TEXT("graceful-notification", struct raw_bgp, graceful_notification),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t bfd_fields[] = {
	TEXT("transmit", struct raw_bfd, transmit),
	TEXT("receive", struct raw_bfd, receive),
	TEXT("multiplier", struct raw_bfd, multiplier),
	TEXT("strict", struct raw_bfd, strict),
	TEXT("local-port", struct raw_bfd, local_port),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t health_fields[] = {
	TEXT("source", struct raw_health, source),
	TEXT("destination", struct raw_health, destination),
	TEXT("interval", struct raw_health, interval),
	TEXT("retries", struct raw_health, retries),
	TEXT("recover", struct raw_health, recover),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t ike_fields[] = {
	TEXT("psk-file", struct raw_ike, psk_file),
	TEXT("proposals", struct raw_ike, proposals),
	TEXT("esp-proposals", struct raw_ike, esp_proposals),
	TEXT("dpd-delay", struct raw_ike, dpd_delay),
	TEXT("rekey-time", struct raw_ike, rekey_time),
	TEXT("child-rekey-time", struct raw_ike, child_rekey_time),
	TEXT("local-id", struct raw_ike, local_id),
	TEXT("remote-id", struct raw_ike, remote_id),
	TEXT("initiate", struct raw_ike, initiate),
	TEXT("encap", struct raw_ike, encap),
	TEXT("version", struct raw_ike, version),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t tunnel_fields[] = {
	TEXT("name", struct raw_tunnel, name),
	TEXT("inside-cidr", struct raw_tunnel, inside_cidr),
	TEXT("inside-address", struct raw_tunnel, inside_address),
	TEXT("interface", struct raw_tunnel, interface),
	TEXT("if-id", struct raw_tunnel, if_id),
	TEXT("underlay", struct raw_tunnel, underlay),
	TEXT("local-address", struct raw_tunnel, local_address),
	TEXT("remote-address", struct raw_tunnel, remote_address),
	TEXT("weight", struct raw_tunnel, weight),
	OBJECT("ike", struct raw_tunnel, ike, ike_fields),
	OBJECT("health-check", struct raw_tunnel, health, health_fields),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t tunnel_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_tunnel, tunnel_fields),
};

static const cyaml_schema_field_t connection_fields[] = {
	TEXT("name", struct raw_connection, name),
	TEXT("customer-gateway", struct raw_connection, customer_gateway),
	TEXT("routing", struct raw_connection, routing),
	TEXT("transit", struct raw_connection, transit),
	TEXT("source-check", struct raw_connection, source_check),
	OBJECT("bgp", struct raw_connection, bgp, bgp_fields),
	OBJECT("bfd", struct raw_connection, bfd, bfd_fields),
	OBJECT("health-check", struct raw_connection, health, health_fields),
	LIST("tunnels", struct raw_connection, tunnels, &tunnel_entry),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t connection_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_connection, connection_fields),
};

static const cyaml_schema_field_t private_line_fields[] = {
	TEXT("name", struct raw_private_line, name),
	TEXT("site", struct raw_private_line, site),
	TEXT("asn", struct raw_private_line, asn),
	TEXT("interface", struct raw_private_line, interface),
	TEXT("local-address", struct raw_private_line, local_address),
	TEXT("peer-address", struct raw_private_line, peer_address),
	TEXT("preference", struct raw_private_line, preference),
	OBJECT("bgp", struct raw_private_line, bgp, bgp_fields),
	OBJECT("bfd", struct raw_private_line, bfd, bfd_fields),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t private_line_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_private_line, private_line_fields),
};

static const cyaml_schema_field_t transit_peer_fields[] = {
	TEXT("name", struct raw_private_line, name),
	TEXT("asn", struct raw_private_line, asn),
	TEXT("interface", struct raw_private_line, interface),
	TEXT("local-address", struct raw_private_line, local_address),
	TEXT("peer-address", struct raw_private_line, peer_address),
	OBJECT("bgp", struct raw_private_line, bgp, bgp_fields),
	OBJECT("bfd", struct raw_private_line, bfd, bfd_fields),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t transit_peer_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_private_line, transit_peer_fields),
};

static const cyaml_schema_field_t static_route_fields[] = {
	TEXT("prefix", struct raw_static_route, prefix),
	TEXT("tunnel", struct raw_static_route, tunnel),
	TEXT("connection", struct raw_static_route, connection),
	TEXT("weight", struct raw_static_route, weight),
	TEXT("on-fail", struct raw_static_route, on_fail),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t static_route_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_static_route, static_route_fields),
};

static const cyaml_schema_field_t policy_route_fields[] = {
	TEXT("source", struct raw_policy_route, source),
	TEXT("destination", struct raw_policy_route, destination),
	TEXT("priority", struct raw_policy_route, priority),
	TEXT("tunnel", struct raw_policy_route, tunnel),
	TEXT("connection", struct raw_policy_route, connection),
	TEXT("weight", struct raw_policy_route, weight),
	TEXT("on-fail", struct raw_policy_route, on_fail),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t policy_route_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_policy_route, policy_route_fields),
};

static const cyaml_schema_field_t transit_domain_fields[] = {
	TEXT("overlapping-routing", struct raw_transit_domain, overlapping_routing),
	TEXT("quota", struct raw_transit_domain, quota),
	LIST("domains", struct raw_transit_domain, domains, &text_entry),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t config_fields[] = {
	TEXT("log", struct raw_config, log),
	OBJECT("control", struct raw_config, control, control_fields),
	OBJECT("gateway", struct raw_config, gateway, gateway_fields),
	LIST("customer-gateways", struct raw_config, customer_gateways, &customer_gateway_entry),
	LIST("connections", struct raw_config, connections, &connection_entry),
	LIST("private-lines", struct raw_config, private_lines, &private_line_entry),
	LIST("transit-peers", struct raw_config, transit_peers, &transit_peer_entry),
	LIST("static-routes", struct raw_config, static_routes, &static_route_entry),
	LIST("policy-routes", struct raw_config, policy_routes, &policy_route_entry),
	OBJECT("transit-domain", struct raw_config, transit_domain, transit_domain_fields),
	CYAML_FIELD_END
};

const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, config_fields),
};

const cyaml_schema_field_t *const config_bgp_schema = bgp_fields;
const cyaml_schema_field_t *const config_ike_schema = ike_fields;
