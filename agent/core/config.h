/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration: one YAML file, one typed tree, every rule checked.
 *
 * Promise: config_load() either returns a tree in which everything is valid,
 * complete (defaults filled in, names resolved to pointers) and within the
 * gateway rules, or no tree and every error found, each with its line and
 * column, the key's path and the rule's reason. With `gateway.force` a broken
 * topology rule (11-18, 42, and the outer peer of 50, which depends on routes
 * that are not in the file) is a warning that stays in the tree. Loading
 * changes nothing and needs no privilege. config_diff() compares two trees.
 */
#ifndef VGW_CORE_CONFIG_H
#define VGW_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/log.h"

#define CONFIG_ERROR_STRLEN 512
#define CONFIG_IF_ID_BASE 0x76000000u
#define CONFIG_IF_ID_LAST 0x76ffffffu
#define CONFIG_LINES_MAX 16
#define CONFIG_NAME_MAX 31 /* names of connections, tunnels, sites, customer gateways */

struct config_error {
	unsigned int line, column; /* 1-based, 0 when there is none */
	char path[128]; /* "connections[0].tunnels[1].inside-cidr" */
	char text[320]; /* what is wrong, and why the rule exists */
	const char *code; /* short name: "TUNNEL_CIDR_RANGE", "SITE_ASN_MISMATCH", ... "SYNTAX" */
};

struct config_errors {
	struct config_error *list;
	size_t n;
};

enum config_attachment { CONFIG_VPN_GATEWAY, CONFIG_TRANSIT };
enum config_routing { CONFIG_ROUTING_DESTINATION, CONFIG_ROUTING_POLICY };
/* The gateway's own (none, alibaba), and the other side's. */
enum config_profile {
	CONFIG_PROFILE_NONE,
	CONFIG_PROFILE_ALIBABA,
	CONFIG_PROFILE_AWS,
	CONFIG_PROFILE_AZURE,
	CONFIG_PROFILE_GCP,
};

/* How flows are spread over the tunnels of a group; fields as enum vgw_hash_fields. */
struct config_hash {
	uint32_t seed; /* default 0 */
	uint8_t fields; /* ports (default), addresses, flow-label */
	uint32_t idle; /* seconds, default 0 */
};

struct config_gateway {
	char *name; /* of the device, default vgw0 */
	uint32_t local_asn; /* default 45104 */
	struct addr router_id; /* IPv4; none: the agent picks */
	enum config_attachment attachment;
	char *vrf; /* NULL: main table */
	uint32_t quota; /* default 50 */
	bool auto_advertise; /* default true */
	bool overlap_allow; /* overlap: allow | refuse (default) */
	bool reserved_strict; /* reserved: strict | standard (default) */
	enum config_profile profile;
	struct prefix *guard; /* D6 */
	size_t n_guard;
	struct prefix *protected; /* D4; besides what the system table holds */
	size_t n_protected;
	struct config_hash hash;
	char **ports; /* LAN devices that are fast-path ports */
	size_t n_ports;
	uint32_t restart_time; /* seconds, default 120, 0 switches graceful restart off */
	bool force;
};

struct config_customer_gateway {
	char *name, *site, *description; /* site defaults to the name */
	struct addr address;
	uint32_t asn; /* 0: not given, only where no connection runs BGP */
	enum config_profile profile; /* defaults for its connections, and what it refuses */
	uint32_t site_id; /* 1.., by order of first mention of the site's name */
};

struct config_bgp {
	uint16_t hold_time; /* seconds, default 30; 0 or 3..65535 */
	uint16_t keepalive; /* default hold / 3 */
	uint16_t connect_retry; /* default 5 */
	bool passive, gtsm;
	uint8_t ttl; /* default 255 */
	char *md5_file;
	bool ipv4, ipv6; /* default true, false */
	uint16_t send_hold; /* seconds, 0 (default): max(480, 2 * hold time) */
	uint16_t delay_open; /* seconds, default 0 */
	uint16_t idle_hold_max; /* seconds, default 60 */
	uint16_t tcp_mss; /* 0 (default): from the tunnel's MTU */
	bool extended_messages; /* default true */
	bool graceful_notification; /* default false */
};

struct config_bfd {
	uint32_t transmit, receive; /* milliseconds, default 300 */
	uint8_t multiplier; /* default 3 */
	bool strict; /* no BGP, and no packets, before BFD was up once */
	uint16_t local_port; /* source port, 49152..65535; 0 (default): a random one */
};

/* ICMP echo through the tunnel. */
struct config_health {
	struct addr source, destination; /* one family; default the inside addresses */
	uint32_t interval; /* seconds, default 3 */
	uint8_t retries, recover; /* probes in a row, default 3 */
};

struct config_ike {
	char *psk_file; /* absolute path; not read here */
	char *proposals, *esp_proposals; /* NULL: defaults of sys/ike */
	char *local_id, *remote_id;
	uint32_t dpd_delay, rekey_time, child_rekey_time; /* seconds: 10, 14400, 3600 */
	bool initiate; /* default true */
	bool encap;
	uint8_t version; /* 2 (default) or 1 */
};

struct config_tunnel {
	char *name;
	struct prefix inside; /* inside-cidr */
	bool inside_auto; /* "auto": chosen by the name, see config_inside.c */
	struct addr inside_address; /* ours; default the first host */
	struct addr inside_peer; /* the other host, derived */
	char *interface; /* default the tunnel's name */
	/*
	 * 0 = adopt whatever the interface has, the default without ike. With ike the
	 * default is CONFIG_IF_ID_BASE + id, a range that cannot be given.
	 */
	uint32_t if_id;
	bool if_id_given;
	char *underlay; /* device of the outer packets, NULL: by route */
	struct addr local_address; /* outer; none: not given, only without ike */
	struct addr remote_address; /* outer, default the customer gateway's */
	uint8_t weight; /* 1..255, default 1 */
	struct config_health *health; /* NULL: none; the connection's is in it already */
	struct config_ike *ike; /* NULL: xfrm interface and SAs are somebody else's, adopted */
	uint32_t id; /* stable: hash-free, by order of appearance, 1.. */
};

struct config_connection {
	char *name;
	uint32_t id; /* 1.., by order */
	struct config_customer_gateway *customer_gateway;
	enum config_routing routing;
	bool transit_allow;
	uint8_t source_check; /* enum vgw_source_check: strict, site (default), off */
	struct config_bgp *bgp; /* NULL: static only */
	struct config_bfd *bfd; /* NULL: none */
	struct config_tunnel *tunnels;
	size_t n_tunnels;
};

/*
 * BGP over a plain interface: a private line to a site that also has tunnels, or a transit peer,
 * which is a router inside the domain.
 */
struct config_private_line {
	char *name; /* unique among lines, transit peers and tunnels */
	bool transit;
	char *site; /* of a private line, else NULL */
	uint32_t site_id; /* likewise, else 0 */
	uint32_t asn; /* of the site (rule 11); of the transit peer, iBGP if it is ours */
	char *interface;
	struct addr local_address, peer_address;
	bool behind_tunnels; /* preference: line (default) | tunnels */
	struct config_bgp *bgp; /* never NULL; the families are those of the addresses */
	struct config_bfd *bfd; /* NULL: none */
};

struct config_static_route {
	struct prefix prefix;
	struct config_tunnel *tunnel; /* one of both is set */
	struct config_connection *connection;
	uint8_t weight; /* 100 (active, default) or 0 (standby) */
	uint8_t on_fail; /* enum vgw_on_fail; default revoke, profile alibaba reserve */
};

/* In the order in which packets meet them; rows of one priority and sequence are one route. */
struct config_policy_route {
	struct prefix source; /* of length 0: any */
	uint32_t priority; /* lower first, default 100 */
	uint32_t sequence; /* 1.., place within the priority, by order in the file */
	size_t row; /* index in the file */
	struct config_static_route to; /* prefix is the destination */
};

struct config {
	enum log_level log_level; /* default info */
	char *control_socket; /* default: by the gateway's name, see lib/control.h */
	char *control_group; /* NULL: the owner's */
	struct config_gateway gateway;
	struct config_customer_gateway *customer_gateways;
	size_t n_customer_gateways;
	struct config_connection *connections;
	size_t n_connections;
	struct config_private_line *private_lines;
	size_t n_private_lines;
	struct config_private_line *transit_peers;
	size_t n_transit_peers;
	struct config_static_route *static_routes;
	size_t n_static_routes;
	struct config_policy_route *policy_routes;
	size_t n_policy_routes;
	bool transit_overlapping; /* transit-domain.overlapping-routing, default true */
	uint32_t transit_quota; /* transit-domain.quota, prefixes, default 1000 */
	/* Highest ids ever given, also to objects that a reload removed. */
	uint32_t last_site_id, last_connection_id, last_tunnel_id;
	struct config_errors warnings; /* rules overridden by force, advice (rule 44) */
};

/* NULL: see errors (never empty then), to be freed with config_errors_free(). */
struct config *config_load(const char *path, struct config_errors *errors);
/* The same from memory. */
struct config *config_parse(const char *text, size_t len, struct config_errors *errors);
/* config_load() as if gateway.force were true: the topology rules are warnings. */
struct config *config_load_forced(const char *path, struct config_errors *errors);
/* Line and column of a key of a file that was loaded; 0 if it cannot be read any more. */
void config_position(const char *path, const char *key, unsigned int *line, unsigned int *column);
void config_free(struct config *config);
void config_errors_free(struct config_errors *errors);
/* "FILE:LINE:COLUMN: PATH: TEXT [CODE]", of a rule "[CODE, rule N]" */
const char *config_error_format(const char *file, const struct config_error *error, char *buf,
				size_t size);

struct config_tunnel *config_tunnel_find(const struct config *config, const char *name,
					 struct config_connection **connection);

/* Private lines and then transit peers, by place and by name; NULL: there is none. */
struct config_private_line *config_line_at(const struct config *config, size_t i);
struct config_private_line *config_line_find(const struct config *config, const char *name);

/* What a reload would change. */
enum config_change_kind {
	CONFIG_ADDED,
	CONFIG_REMOVED,
	CONFIG_CHANGED,
	CONFIG_REFUSED,
	CONFIG_RESET, /* never by config_diff(): a session that the changes end */
};

struct config_change {
	enum config_change_kind kind;
	/* "log", "control", "gateway", "customer-gateway", "connection", "tunnel", "private-line",
	 * "transit-peer", "static-route", "policy-route", "transit-domain" */
	const char *object;
	char name[96]; /* "t1"; of a static route "10.9.0.0/16 via t1"; "" where there is one */
	char detail[160]; /* "weight 1 -> 2"; for REFUSED the reason (rule 45: IMMUTABLE, ...) */
	const char *code; /* of a refusal, else NULL */
};

/*
 * Reports every difference, in the order of the files; an empty diff reports
 * nothing. Returns the number of refused changes (rules 17 and 45; what needs
 * a restart: gateway name, vrf). Ids (tunnel, connection, site) of objects that stay
 * are carried over from old into new, new objects get ids that old never used.
 */
size_t config_diff(const struct config *old, struct config *new,
		   void (*report)(void *ctx, const struct config_change *change), void *ctx);

/*
 * Every value in force, defaults and profiles included, in the order of the file:
 * path as in the file, value as it would be written, and what the customer
 * gateway's profile gives for the key (NULL: nothing).
 */
void config_values(const struct config *config,
		   void (*tell)(void *ctx, const char *path, const char *value,
				const char *profile),
		   void *ctx);

#endif
