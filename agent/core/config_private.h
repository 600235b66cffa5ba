/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the configuration share; nobody else includes this.
 *
 * A text goes through five stages: config_locate (text -> tree of positions,
 * YAML syntax), config_shape (tree against the schema: unknown keys, wrong
 * kinds), libcyaml (text -> raw structures, all values still text),
 * config_load (raw -> typed, defaults, references), lint (rules).
 * Every stage reports all it finds and goes on while what it has makes sense;
 * a value that was refused stays unset, and later stages skip it.
 */
#ifndef VGW_CORE_CONFIG_PRIVATE_H
#define VGW_CORE_CONFIG_PRIVATE_H

#include <cyaml/cyaml.h>

#include "core/config.h"

#define CONFIG_FILE_MAX (1024 * 1024) /* bytes; thousands of tunnels need a part of it */
#define CONFIG_ERRORS_MAX 256 /* more than that is not read by anybody */
#define CONFIG_PATH_SIZE sizeof(((struct config_error *)NULL)->path)

/* Tree of positions */

enum config_node_kind { CONFIG_NODE_SCALAR, CONFIG_NODE_MAPPING, CONFIG_NODE_SEQUENCE };

struct config_node;

struct config_entry {
	char *key; /* NULL in a sequence */
	size_t key_len;
	unsigned int line, column; /* of the key, or of the value in a sequence */
	struct config_node *value;
};

struct config_node {
	enum config_node_kind kind;
	unsigned int line, column;
	char *text; /* of a scalar */
	size_t len;
	struct config_entry *entries; /* of the others */
	size_t n, room;
};

/* Raw structures: NULL is a key that is not there, an empty text was reported by config_shape. */

struct raw_control {
	char *socket, *group;
};

struct raw_restart {
	char *restart_time;
};

struct raw_hash {
	char *seed, *fields, *idle;
};

struct raw_gateway {
	char *name, *local_asn, *router_id, *attachment, *vrf, *quota, *auto_advertise, *overlap;
	char *reserved, *profile, *force;
	char **guard, **protected, **ports;
	unsigned int n_guard, n_protected, n_ports;
	struct raw_hash *hash;
	struct raw_restart *restart;
};

struct raw_customer_gateway {
	char *name, *address, *asn, *site, *profile, *description;
};

struct raw_bgp {
	char *hold_time, *keepalive, *connect_retry, *passive, *gtsm, *ttl, *md5_file, *ipv4, *ipv6;
	char *send_hold, *delay_open, *idle_hold_max, *tcp_mss, *extended_messages;
	char *graceful_notification;
};

struct raw_bfd {
	char *transmit, *receive, *multiplier, *strict, *local_port;
};

struct raw_health {
	char *source, *destination, *interval, *retries, *recover;
};

struct raw_ike {
	char *psk_file, *proposals, *esp_proposals, *dpd_delay, *rekey_time, *child_rekey_time;
	char *local_id, *remote_id, *initiate, *encap, *version;
};

struct raw_tunnel {
	char *name, *inside_cidr, *inside_address, *interface, *if_id, *underlay, *local_address;
	char *remote_address, *weight;
	struct raw_ike *ike;
	struct raw_health *health;
};

struct raw_connection {
	char *name, *customer_gateway, *routing, *transit, *source_check;
	struct raw_bgp *bgp;
	struct raw_bfd *bfd;
	struct raw_health *health;
	struct raw_tunnel *tunnels;
	unsigned int n_tunnels;
};

struct raw_private_line {
	char *name, *site, *asn, *interface, *local_address, *peer_address, *preference;
	struct raw_bgp *bgp;
	struct raw_bfd *bfd;
};

struct raw_static_route {
	char *prefix, *tunnel, *connection, *weight, *on_fail;
};

struct raw_policy_route {
	char *source, *destination, *priority, *tunnel, *connection, *weight, *on_fail;
};

struct raw_transit_domain {
	char *overlapping_routing, *quota;
	char **domains;
	unsigned int n_domains;
};

struct raw_config {
	char *log;
	struct raw_control *control;
	struct raw_gateway *gateway;
	struct raw_customer_gateway *customer_gateways;
	unsigned int n_customer_gateways;
	struct raw_connection *connections;
	unsigned int n_connections;
	struct raw_private_line *private_lines;
	unsigned int n_private_lines;
	struct raw_private_line *transit_peers; /* without site and preference */
	unsigned int n_transit_peers;
	struct raw_static_route *static_routes;
	unsigned int n_static_routes;
	struct raw_policy_route *policy_routes;
	unsigned int n_policy_routes;
	struct raw_transit_domain *transit_domain;
};

/* One run of config_parse(). */
struct config_parse {
	const struct config_node *root;
	const struct raw_config *raw;
	struct config *config;
	struct config_errors *errors;
	bool no_memory;
	bool force; /* asked for by the caller */
	uint8_t *inside_slots; /* by tunnel id - 1, see config_inside.c */
	uint64_t inside_used[2];
};

/* An object of the file: what the helpers below put in front of a key. */
struct config_place {
	struct config_parse *parse;
	char path[96]; /* "" is the top */
};

/* config_error.c: adding keeps the list in the order of the file. */
void config_errors_add(struct config_errors *errors, const struct config_error *error,
		       const char *text);
/* path decides the position: its value, or the closest object around it that is in the file. */
void config_fail(struct config_parse *parse, const char *code, const char *path, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));
/* As config_fail(), for a key of an object. */
void config_fail_key(const struct config_place *place, const char *key, const char *code,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void config_warn(struct config_parse *parse, const char *code, const char *path, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));
/* A topology rule: an error, or with gateway.force a warning. */
void config_fail_rule(struct config_parse *parse, const char *code, const char *path,
		      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool config_failed_at(const struct config_parse *parse, const char *path);

/* config_locate.c. NULL: the error was added. */
struct config_node *config_node_parse(const char *text, size_t len, struct config_errors *errors);
void config_node_free(struct config_node *node);
/* Position of the value at path, or of the closest object around it. */
void config_locate(const struct config_node *root, const char *path, unsigned int *line,
		   unsigned int *column);

/* config_schema.c */
extern const cyaml_schema_value_t config_schema;
extern const cyaml_schema_field_t *const config_bgp_schema, *const config_ike_schema;

/* config_shape.c: false when libcyaml could not read the text. */
bool config_shape_check(struct config_parse *parse);

/* config_value.c: one value each; fallback when the key is absent or the value was refused. */
extern const char *const config_attachment_names[],
		*const config_overlap_names[],
			*const config_reserved_names[],
				*const config_profile_names[],
				*const config_gateway_profile_names[],
				*const config_hash_fields_names[],
					*const config_routing_names[],
						*const config_transit_names[],
							*const config_source_check_names[],
								*const config_on_fail_names[];
extern const char *const config_preference_names[]; /* config_line.c */

void config_place_set(struct config_place *place, struct config_parse *parse, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Reports a key that must be there. */
bool config_need(const struct config_place *place, const char *key, const void *value);
uint32_t config_number(const struct config_place *place, const char *key, const char *text,
		       uint32_t min, uint32_t max, uint32_t fallback);
bool config_flag(const struct config_place *place, const char *key, const char *text,
		 bool fallback);
/* Index into names, which end with NULL. */
unsigned int config_choice(const struct config_place *place, const char *key, const char *text,
			   const char *const *names, unsigned int fallback);
uint32_t config_asn(const struct config_place *place, const char *key, const char *text,
		    uint32_t fallback);
/* family AF_UNSPEC: any. */
struct addr config_address(const struct config_place *place, const char *key, const char *text,
			   uint8_t family);
bool config_prefix(const struct config_place *place, const char *key, const char *text,
		   struct prefix *out);
/* All of these return a copy, NULL when the key is absent. */
char *config_text(const struct config_place *place, const char *key, const char *text);
char *config_name(const struct config_place *place, const char *key, const char *text);
char *config_device(const struct config_place *place, const char *key, const char *text);
char *config_path(const struct config_place *place, const char *key, const char *text);
char *config_copy(struct config_parse *parse, const char *text);
/* Zeroed array, NULL with no_memory set when there is none, or n is 0. */
void *config_array(struct config_parse *parse, size_t n, size_t size);

/* config_load.c's second half, config_load_connection.c */
void config_load_connections(struct config_parse *parse);
void config_load_static_routes(struct config_parse *parse);
/* Where a route of either kind leads to; *route has its prefix already. */
void config_load_target(const struct config_place *place, struct config_static_route *route,
			const struct raw_static_route *raw);

/*
 * config_health.c: own is the tunnel's section, shared its connection's, at the paths owner and
 * sharer. NULL if there is neither. The tunnel has its inside addresses.
 */
struct config_health *config_load_health(struct config_parse *parse,
					 const struct config_tunnel *tunnel,
					 const struct raw_health *own,
					 const struct raw_health *shared, const char *owner,
					 const char *sharer);

/* Rule 28 of rows as below; part of config_check_rows(). */
struct config_row;
void config_check_watched(struct config_parse *parse, const char *list,
			  const struct config_row *rows, size_t n);

struct profile;
struct config_bgp *config_load_bgp(struct config_parse *parse, const struct raw_bgp *given,
				   const struct profile *profile, const char *path);
struct config_bfd *config_load_bfd(struct config_parse *parse, const struct raw_bfd *raw,
				   const char *path);

/* config_line.c */
void config_load_private_lines(struct config_parse *parse);
void config_load_transit_peers(struct config_parse *parse);
void config_check_private_lines(struct config_parse *parse);
void config_check_line_asn(struct config_parse *parse); /* rule 11 */
void config_check_line_internal(struct config_parse *parse); /* rule 18 */
void config_check_transit_asn(struct config_parse *parse);

/* config_inside.c: blocks of 169.254.21.0-169.254.22.255 (D12). */
void config_inside_plan(struct config_parse *parse);
/* The block of an "auto" tunnel; false: all are taken. */
bool config_inside_allocated(const struct config_parse *parse, uint32_t tunnel_id,
			     struct prefix *out);
#define CONFIG_HINT_SIZE 64
/* " (169.254.21.0/30 is free)", or "" when none is. */
const char *config_cidr_hint(const struct config_parse *parse, char *buf, size_t size);

/* config_policy.c */
void config_load_policy_routes(struct config_parse *parse);
void config_check_policy_routes(struct config_parse *parse);

/* Rules 48-50 of a prefix that stands at path. */
void config_check_destination(struct config_parse *parse, const struct prefix *prefix,
			      const char *path);
/* Rows of one destination, in the order of the file (rule 47, D7); list is their key. */
struct config_row {
	const struct config_static_route *route;
	size_t i;
};
void config_check_rows(struct config_parse *parse, const char *list, const struct config_row *rows,
		       size_t n);

/* The checks of lint.c's table. config_check.c: what needs more than one value. */
void config_check_customer_gateways(struct config_parse *parse);
void config_check_device_names(struct config_parse *parse);
void config_check_tunnels(struct config_parse *parse);
void config_check_connections(struct config_parse *parse);
void config_check_static_routes(struct config_parse *parse);
void config_check_ranges(struct config_parse *parse);
/* config_topology.c */
void config_check_site_asn(struct config_parse *parse);
void config_check_internal(struct config_parse *parse);
void config_check_transit_domain(struct config_parse *parse);
void config_check_gateway_peering(struct config_parse *parse);
void config_check_overlapping(struct config_parse *parse);
/* lint_profile.c */
void config_check_limits(struct config_parse *parse);
void config_check_profiles(struct config_parse *parse);

#endif
