// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules between gateways of one host, one file each. What each file may not do
 * alone was judged when it was loaded. Gateways with the same VRF are of one
 * domain; addresses inside and names of devices are the namespace's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/config_private.h"
#include "core/lint.h"

static void found(struct lint_file *file, const char *code, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void found(struct lint_file *file, const char *code, const char *path, const char *fmt, ...)
{
	struct config_error error = {.code = code};
	char text[sizeof(error.text)];
	va_list args;

	snprintf(error.path, sizeof(error.path), "%s", path);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	config_errors_add(&file->found, &error, text);
}

static bool same_domain(const struct config *a, const struct config *b)
{
	const char *x = a->gateway.vrf, *y = b->gateway.vrf;

	return x == y || (x && y && !strcmp(x, y));
}

static bool speaks_bgp_to(const struct config *config, const struct config_customer_gateway *cg)
{
	for (size_t i = 0; i < config->n_connections; i++)
		if (config->connections[i].customer_gateway == cg && config->connections[i].bgp)
			return true;
	return false;
}

static const struct config_customer_gateway *customer_at(const struct config *config,
							 const struct addr *address)
{
	for (size_t i = 0; i < config->n_customer_gateways; i++)
		if (addr_equal(&config->customer_gateways[i].address, address))
			return &config->customer_gateways[i];
	return NULL;
}

/* Rule 16. */
static void check_shared_peers(const struct lint_file *first, struct lint_file *file)
{
	const struct config *a = first->config, *b = file->config;
	char text[ADDR_STRLEN];

	if (a->gateway.local_asn == b->gateway.local_asn || !same_domain(a, b))
		return;
	for (size_t i = 0; i < b->n_customer_gateways; i++) {
		const struct config_customer_gateway *cg = &b->customer_gateways[i];
		const struct config_customer_gateway *other = customer_at(a, &cg->address);

		if (!other || !speaks_bgp_to(a, other) || !speaks_bgp_to(b, cg))
			continue;
		found(file, "SHARED_PEER_ASN", "gateway.local-asn",
		      "%u, but %.64s speaks BGP to the same customer gateway %s with %u: gateways "
		      "of one domain meet a peer with one number, or routes loop between them",
		      b->gateway.local_asn, first->name,
		      addr_format(&cg->address, text, sizeof(text)), a->gateway.local_asn);
		return;
	}
}

static const struct config_tunnel *tunnel_from(const struct config *config, const struct addr *a)
{
	for (size_t i = 0; i < config->n_connections; i++)
		for (size_t j = 0; j < config->connections[i].n_tunnels; j++)
			if (addr_equal(&config->connections[i].tunnels[j].local_address, a))
				return &config->connections[i].tunnels[j];
	return NULL;
}

/* Rule 15; from is the one whose tunnels start at the address. */
static void check_peering(const struct lint_file *from, const struct lint_file *to,
			  struct lint_file *told)
{
	char path[CONFIG_PATH_SIZE], text[ADDR_STRLEN];

	for (size_t i = 0; i < to->config->n_customer_gateways; i++) {
		const struct addr *address = &to->config->customer_gateways[i].address;
		const struct config_tunnel *own = tunnel_from(from->config, address);

		if (!own)
			continue;
		snprintf(path, sizeof(path), "customer-gateways[%zu].address", i);
		found(told, "GATEWAY_PEERING", told == to ? path : "",
		      "%s, customer gateway \"%s\" of %.64s, is the local-address of tunnel \"%s\" "
		      "of %.64s: gateways of one domain do not peer with each other",
		      addr_format(address, text, sizeof(text)),
		      to->config->customer_gateways[i].name, to->name, own->name, from->name);
	}
}

static const struct config_tunnel *tunnel_inside(const struct config *config,
						 const struct prefix *inside)
{
	for (size_t i = 0; i < config->n_connections; i++)
		for (size_t j = 0; j < config->connections[i].n_tunnels; j++)
			if (prefix_equal(&config->connections[i].tunnels[j].inside, inside))
				return &config->connections[i].tunnels[j];
	return NULL;
}

/* Rule 39: one network namespace has one address space, unless VRFs divide it. */
static void check_inside(const struct lint_file *first, struct lint_file *file)
{
	char path[CONFIG_PATH_SIZE], text[PREFIX_STRLEN];

	for (size_t i = 0; i < file->config->n_connections; i++) {
		const struct config_connection *c = &file->config->connections[i];

		for (size_t j = 0; j < c->n_tunnels; j++) {
			const struct config_tunnel *other =
				tunnel_inside(first->config, &c->tunnels[j].inside);

			if (!other)
				continue;
			snprintf(path, sizeof(path), "connections[%zu].tunnels[%zu].inside-cidr", i,
				 j);
			found(file, "TUNNEL_CIDR_DUPLICATE", path,
			      "%s is tunnel \"%s\" of %.64s: one host has one address space",
			      prefix_format(&c->tunnels[j].inside, text, sizeof(text)), other->name,
			      first->name);
		}
	}
}

static void check_names(const struct lint_file *first, struct lint_file *file)
{
	if (!strcmp(first->config->gateway.name, file->config->gateway.name))
		found(file, "DUPLICATE", "gateway.name",
		      "\"%s\" is the device of %.64s: each gateway has its own",
		      file->config->gateway.name, first->name);
	if (!strcmp(first->config->control_socket, file->config->control_socket))
		found(file, "DUPLICATE", "control.socket",
		      "%.128s is the socket of %.64s: each agent has its own",
		      file->config->control_socket, first->name);
}

static const struct config_tunnel *tunnel_clash(const struct config *config,
						const struct config_tunnel *tunnel,
						const char **key)
{
	for (size_t i = 0; i < config->n_connections; i++) {
		const struct config_connection *c = &config->connections[i];

		for (size_t j = 0; j < c->n_tunnels; j++) {
			const struct config_tunnel *t = &c->tunnels[j];

			*key = NULL;
			if (!strcmp(t->interface, tunnel->interface))
				*key = "interface";
			else if (t->if_id && t->if_id == tunnel->if_id)
				*key = "if-id";
			else if (t->ike && tunnel->ike && !strcmp(t->name, tunnel->name))
				*key = "name";
			if (*key)
				return t;
		}
	}
	return NULL;
}

/* Devices and if-ids are the host's, and so are the names of strongSwan's connections. */
static void check_tunnels(const struct lint_file *first, struct lint_file *file)
{
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; i < file->config->n_connections; i++) {
		const struct config_connection *c = &file->config->connections[i];

		for (size_t j = 0; j < c->n_tunnels; j++) {
			const struct config_tunnel *other;
			const char *key;

			other = tunnel_clash(first->config, &c->tunnels[j], &key);
			if (!other)
				continue;
			snprintf(path, sizeof(path), "connections[%zu].tunnels[%zu].%s", i, j, key);
			found(file, "DUPLICATE", path,
			      "tunnel \"%s\" of %.64s has the same %s: gateways of one host share "
			      "devices, if-ids and strongSwan, so give it one of its own here",
			      other->name, first->name, key);
		}
	}
}

static const char *line_key(const struct config_private_line *line)
{
	return line->transit ? "transit-peers" : "private-lines";
}

/* Routes over a line are known by its device, so it belongs to one agent. */
static void check_lines(const struct lint_file *first, struct lint_file *file)
{
	const struct config_private_line *line, *other;
	char path[CONFIG_PATH_SIZE];

	for (size_t i = 0; (line = config_line_at(file->config, i)); i++) {
		for (size_t k = 0; (other = config_line_at(first->config, k)); k++) {
			if (strcmp(line->interface, other->interface))
				continue;
			snprintf(path, sizeof(path), "%s[%zu].interface", line_key(line),
				 line->transit ? i - file->config->n_private_lines : i);
			found(file, "DUPLICATE", path,
			      "\"%s\" is the interface of %s \"%s\" of %.64s: it belongs to one "
			      "gateway",
			      line->interface, other->transit ? "transit peer" : "private line",
			      other->name, first->name);
		}
	}
}

static void check_pair(const struct lint_file *first, struct lint_file *file)
{
	check_names(first, file);
	check_shared_peers(first, file);
	check_inside(first, file);
	check_tunnels(first, file);
	check_lines(first, file);
	if (!same_domain(first->config, file->config))
		return;
	check_peering(first, file, file);
	check_peering(file, first, file);
}

size_t lint_together(struct lint_file *files, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		files[i].found = (struct config_errors){NULL, 0};
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			if (files[i].config && files[j].config)
				check_pair(&files[j], &files[i]);
		count += files[i].found.n;
	}
	return count;
}
