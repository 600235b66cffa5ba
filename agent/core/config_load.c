// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a file to the typed tree: runs the stages (see config_private.h) and
 * loads the sections that refer to nothing else.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <linux/vgw.h>

#include "core/config_private.h"
#include "core/lint.h"
#include "core/rules.h"
#include "lib/control.h"

#define DEFAULT_QUOTA 50 /* rule 34 */
#define DEFAULT_RESTART_TIME 120 /* D14 */
#define TRANSIT_QUOTA 1000 /* domain routes; ours: no source names one */
#define PREFIXES_MAX VGW_GUARDS_MAX /* what the module takes */
#define PORTS_MAX 64

static struct prefix *load_prefixes(struct config_parse *parse, const char *list, char *const *raw,
				    unsigned int n, size_t *count)
{
	struct config_place place;
	struct prefix *out;
	char key[64];

	config_place_set(&place, parse, "gateway");
	if (n > PREFIXES_MAX) {
		config_fail_key(&place, list, "VALUE",
				"at most %u prefixes are taken, these are %u", PREFIXES_MAX, n);
		return NULL;
	}
	out = config_array(parse, n, sizeof(*out));
	for (unsigned int i = 0; out && i < n; i++) {
		struct prefix *prefix = &out[*count];

		snprintf(key, sizeof(key), "%s[%u]", list, i);
		if (!config_prefix(&place, key, raw[i], prefix))
			continue;
		for (size_t j = 0; j < *count; j++) {
			if (!prefix_equal(&out[j], prefix))
				continue;
			config_fail_key(&place, key, "DUPLICATE", "%.64s is in the list already",
					raw[i]);
			break;
		}
		++*count;
	}
	return out;
}

/* Devices; whether they exist is a matter of each moment. */
static void load_ports(struct config_parse *parse, const struct raw_gateway *raw)
{
	struct config_gateway *gw = &parse->config->gateway;
	struct config_place place;
	char key[64];

	config_place_set(&place, parse, "gateway");
	if (raw->n_ports > PORTS_MAX) {
		config_fail_key(&place, "ports", "VALUE",
				"at most %u ports are taken, these are %u", PORTS_MAX,
				raw->n_ports);
		return;
	}
	gw->ports = config_array(parse, raw->n_ports, sizeof(*gw->ports));
	for (unsigned int i = 0; gw->ports && i < raw->n_ports; i++) {
		char *name;

		snprintf(key, sizeof(key), "ports[%u]", i);
		name = config_device(&place, key, raw->ports[i]);
		if (!name)
			continue;
		for (size_t j = 0; j < gw->n_ports; j++) {
			if (strcmp(gw->ports[j], name))
				continue;
			config_fail_key(&place, key, "DUPLICATE", "%.64s is in the list already",
					name);
			break;
		}
		if (gw->name && !strcmp(name, gw->name))
			config_fail_key(&place, key, "VALUE", "%.64s is the gateway itself", name);
		gw->ports[gw->n_ports++] = name;
	}
}

static void load_router_id(struct config_parse *parse, const struct config_place *place,
			   const char *text)
{
	struct addr id = config_address(place, "router-id", text, AF_INET);
	static const uint8_t zero[4];

	if (addr_is_set(&id) && !memcmp(id.b, zero, sizeof(zero))) {
		config_fail_key(place, "router-id", "VALUE",
				"0.0.0.0 is no router id, every peer refuses it (RFC 6286)");
		return;
	}
	parse->config->gateway.router_id = id;
}

static void load_hash(struct config_parse *parse, const struct raw_hash *raw,
		      struct config_hash *hash)
{
	static const struct raw_hash none;
	struct config_place place;

	if (!raw)
		raw = &none;
	config_place_set(&place, parse, "gateway.hash");
	hash->seed = config_number(&place, "seed", raw->seed, 0, UINT32_MAX, 0);
	hash->fields = config_choice(&place, "fields", raw->fields, config_hash_fields_names, 0);
	hash->idle = config_number(&place, "idle", raw->idle, 0, 3600, 0);
}

static void load_gateway(struct config_parse *parse)
{
	static const struct raw_gateway none;
	const struct raw_gateway *raw = parse->raw->gateway ? parse->raw->gateway : &none;
	struct config_gateway *gw = &parse->config->gateway;
	struct config_place place;

	config_place_set(&place, parse, "gateway");
	gw->name = raw->name ? config_device(&place, "name", raw->name)
			     : config_copy(parse, CONTROL_GATEWAY);
	gw->local_asn = config_asn(&place, "local-asn", raw->local_asn, RULES_ASN_LOCAL_DEFAULT);
	load_router_id(parse, &place, raw->router_id);
	gw->attachment = config_choice(&place, "attachment", raw->attachment,
				       config_attachment_names, CONFIG_VPN_GATEWAY);
	gw->vrf = config_device(&place, "vrf", raw->vrf);
	gw->quota = config_number(&place, "quota", raw->quota, 1, 10000000, DEFAULT_QUOTA);
	gw->auto_advertise = config_flag(&place, "auto-advertise", raw->auto_advertise, true);
	gw->overlap_allow = config_choice(&place, "overlap", raw->overlap, config_overlap_names, 0);
	gw->reserved_strict =
		config_choice(&place, "reserved", raw->reserved, config_reserved_names, 0);
	gw->profile = config_choice(&place, "profile", raw->profile, config_gateway_profile_names,
				    CONFIG_PROFILE_NONE);
	gw->guard = load_prefixes(parse, "guard", raw->guard, raw->n_guard, &gw->n_guard);
	gw->protected = load_prefixes(parse, "protected", raw->protected, raw->n_protected,
				      &gw->n_protected);
	load_ports(parse, raw);
	gw->force = config_flag(&place, "force", raw->force, false) || parse->force;
	load_hash(parse, raw->hash, &gw->hash);
	config_place_set(&place, parse, "gateway.graceful-restart");
	/* 12 bits in the capability (RFC 4724 3). */
	gw->restart_time = config_number(&place, "restart-time",
					 raw->restart ? raw->restart->restart_time : NULL, 0, 4095,
					 DEFAULT_RESTART_TIME);
}

/* Each gateway of a host has its own; what is wrong with a name is said elsewhere. */
static const char *default_socket(const struct config_parse *parse, char *path)
{
	const char *name = parse->raw->gateway ? parse->raw->gateway->name : NULL;

	return control_default_path(name && strlen(name) < IFNAMSIZ ? name : NULL, path,
				    CONTROL_PATH_SIZE);
}

static void load_top(struct config_parse *parse)
{
	static const struct raw_control none;
	const struct raw_control *raw = parse->raw->control ? parse->raw->control : &none;
	struct config *config = parse->config;
	char path[CONTROL_PATH_SIZE];
	struct config_place place;

	config_place_set(&place, parse, "%s", "");
	config->log_level =
		config_choice(&place, "log", parse->raw->log, log_level_names, LOG_LEVEL_INFO);
	config_place_set(&place, parse, "control");
	config->control_socket = raw->socket ? config_path(&place, "socket", raw->socket)
					     : config_copy(parse, default_socket(parse, path));
	config->control_group = config_text(&place, "group", raw->group);
	if (raw->socket && strlen(raw->socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		config_fail_key(&place, "socket", "VALUE",
				"the path of a UNIX socket has at most %zu bytes",
				sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
}

static void load_customer_asn(const struct config_place *place, struct config_customer_gateway *cg,
			      const char *text)
{
	cg->asn = config_asn(place, "asn", text, 0);
	/* Rule 51, from its other side: a peer that is Alibaba Cloud has the number rightly. */
	if (cg->asn != RULES_ASN_LOCAL_DEFAULT || cg->profile == CONFIG_PROFILE_ALIBABA)
		return;
	config_fail_key(
		place, "asn", "ASN_RESERVED",
		"45104 is the gateway's own default AS number, a customer gateway may not use it");
	cg->asn = 0;
}

static void load_customer_gateway(struct config_parse *parse, size_t i)
{
	const struct raw_customer_gateway *raw = &parse->raw->customer_gateways[i];
	struct config_customer_gateway *cg = &parse->config->customer_gateways[i];
	const char *complaint;
	struct config_place place;

	config_place_set(&place, parse, "customer-gateways[%zu]", i);
	config_need(&place, "name", raw->name);
	config_need(&place, "address", raw->address);
	cg->name = config_name(&place, "name", raw->name);
	cg->address = config_address(&place, "address", raw->address, AF_UNSPEC);
	cg->profile = config_choice(&place, "profile", raw->profile, config_profile_names,
				    CONFIG_PROFILE_NONE);
	load_customer_asn(&place, cg, raw->asn);
	if (raw->site)
		cg->site = config_name(&place, "site", raw->site);
	else if (cg->name)
		cg->site = config_copy(parse, cg->name);
	cg->description = config_text(&place, "description", raw->description);
	if (!addr_is_set(&cg->address))
		return;
	complaint = rules_customer_address_check(&cg->address);
	if (complaint)
		config_fail_key(&place, "address", "CUSTOMER_ADDRESS", "%s", complaint);
}

/* Sites are numbered by first mention. */
static void number_sites(struct config *config)
{
	for (size_t i = 0; i < config->n_customer_gateways; i++) {
		struct config_customer_gateway *cg = &config->customer_gateways[i];

		for (size_t j = 0; j < i && !cg->site_id; j++)
			if (cg->site && config->customer_gateways[j].site &&
			    !strcmp(cg->site, config->customer_gateways[j].site))
				cg->site_id = config->customer_gateways[j].site_id;
		if (!cg->site_id)
			cg->site_id = ++config->last_site_id;
	}
}

static void load_customer_gateways(struct config_parse *parse)
{
	struct config *config = parse->config;
	size_t n = parse->raw->n_customer_gateways;

	config->customer_gateways = config_array(parse, n, sizeof(*config->customer_gateways));
	if (!config->customer_gateways)
		return;
	config->n_customer_gateways = n;
	for (size_t i = 0; i < n; i++)
		load_customer_gateway(parse, i);
	number_sites(config);
}

static void load_transit_domain(struct config_parse *parse)
{
	const struct raw_transit_domain *raw = parse->raw->transit_domain;
	struct config_place place;
	char key[64];

	parse->config->transit_overlapping = true;
	parse->config->transit_quota = TRANSIT_QUOTA;
	if (!raw)
		return;
	config_place_set(&place, parse, "transit-domain");
	parse->config->transit_overlapping =
		config_flag(&place, "overlapping-routing", raw->overlapping_routing, true);
	parse->config->transit_quota =
		config_number(&place, "quota", raw->quota, 1, 1000000, TRANSIT_QUOTA);
	for (unsigned int i = 0; i < raw->n_domains; i++) {
		snprintf(key, sizeof(key), "domains[%u]", i);
		free(config_name(&place, key, raw->domains[i]));
		for (unsigned int j = 0; j < i; j++) {
			if (strcmp(raw->domains[i], raw->domains[j]))
				continue;
			config_fail_key(&place, key, "DUPLICATE",
					"\"%.64s\" is in the list already", raw->domains[i]);
			break;
		}
	}
}

static void load_tree(struct config_parse *parse)
{
	load_top(parse);
	load_gateway(parse);
	load_customer_gateways(parse);
	load_transit_domain(parse);
	config_load_connections(parse);
	config_load_private_lines(parse);
	config_load_transit_peers(parse);
	config_load_static_routes(parse);
	config_load_policy_routes(parse);
	if (parse->no_memory)
		return;
	lint_run(parse);
}

static const cyaml_config_t cyaml_settings = {
	.log_fn = NULL, /* its complaints have no position */
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
	.flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS | CYAML_CFG_NO_ALIAS,
};

static void parse_raw(struct config_parse *parse, const char *text, size_t len)
{
	struct raw_config *raw = NULL;
	cyaml_err_t err;

	err = cyaml_load_data((const uint8_t *)text, len, &cyaml_settings, &config_schema,
			      (cyaml_data_t **)&raw, NULL);
	if (err != CYAML_OK) {
		config_fail(parse, "SYNTAX", "", "cannot be read: %s", cyaml_strerror(err));
		return;
	}
	parse->raw = raw;
	load_tree(parse);
	parse->raw = NULL;
	cyaml_free(&cyaml_settings, &config_schema, raw, 0);
}

static void fail_file(struct config_errors *errors, const char *code, const char *text)
{
	struct config_error error = { .code = code };

	config_errors_add(errors, &error, text);
}

static struct config *parse_text(const char *text, size_t len, bool force,
				 struct config_errors *errors)
{
	struct config_parse parse = { .errors = errors, .force = force };
	struct config_node *root;

	*errors = (struct config_errors){ NULL, 0 };
	if (len > CONFIG_FILE_MAX) {
		fail_file(errors, "FILE", "the file is larger than 1 MiB");
		return NULL;
	}
	parse.config = calloc(1, sizeof(*parse.config));
	if (!parse.config) {
		fail_file(errors, "NO_MEMORY", "out of memory");
		return NULL;
	}
	root = config_node_parse(text, len, errors);
	parse.root = root;
	if (root && config_shape_check(&parse))
		parse_raw(&parse, text, len);
	config_node_free(root);
	free(parse.inside_slots);
	if (parse.no_memory)
		fail_file(errors, "NO_MEMORY", "out of memory");
	if (!errors->n)
		return parse.config;
	config_free(parse.config);
	return NULL;
}

struct config *config_parse(const char *text, size_t len, struct config_errors *errors)
{
	return parse_text(text, len, false, errors);
}

/* One byte more than allowed is read, so that config_parse() sees what is too large. */
static char *read_file(const char *path, size_t *len, struct config_errors *errors)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(CONFIG_FILE_MAX + 1);
	bool ok = file && text;

	if (ok) {
		*len = fread(text, 1, CONFIG_FILE_MAX + 1, file);
		ok = !ferror(file);
	}
	if (!ok) {
		fail_file(errors, "FILE", text ? strerror(errno) : "out of memory");
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

static struct config *load(const char *path, bool force, struct config_errors *errors)
{
	struct config *config;
	size_t len = 0;
	char *text;

	*errors = (struct config_errors){ NULL, 0 };
	text = read_file(path, &len, errors);
	if (!text)
		return NULL;
	config = parse_text(text, len, force, errors);
	free(text);
	return config;
}

struct config *config_load(const char *path, struct config_errors *errors)
{
	return load(path, false, errors);
}

struct config *config_load_forced(const char *path, struct config_errors *errors)
{
	return load(path, true, errors);
}

void config_position(const char *path, const char *key, unsigned int *line, unsigned int *column)
{
	struct config_errors errors = { NULL, 0 };
	struct config_node *root = NULL;
	size_t len = 0;
	char *text = read_file(path, &len, &errors);

	if (text && len <= CONFIG_FILE_MAX)
		root = config_node_parse(text, len, &errors);
	config_locate(root, key, line, column);
	config_node_free(root);
	config_errors_free(&errors);
	free(text);
}
