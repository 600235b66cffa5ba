// SPDX-License-Identifier: GPL-2.0-only
/* The typed tree: its end, and finding things in it. */
#include <stdlib.h>
#include <string.h>

#include "core/config.h"

static void free_tunnel(struct config_tunnel *tunnel)
{
	free(tunnel->name);
	free(tunnel->interface);
	free(tunnel->underlay);
	if (tunnel->ike) {
		free(tunnel->ike->psk_file);
		free(tunnel->ike->proposals);
		free(tunnel->ike->esp_proposals);
		free(tunnel->ike->local_id);
		free(tunnel->ike->remote_id);
	}
	free(tunnel->ike);
	free(tunnel->health);
}

static void free_connection(struct config_connection *connection)
{
	for (size_t i = 0; i < connection->n_tunnels; i++)
		free_tunnel(&connection->tunnels[i]);
	free(connection->tunnels);
	if (connection->bgp)
		free(connection->bgp->md5_file);
	free(connection->bgp);
	free(connection->bfd);
	free(connection->name);
}

static void free_line(struct config_private_line *line)
{
	if (line->bgp)
		free(line->bgp->md5_file);
	free(line->bgp);
	free(line->bfd);
	free(line->interface);
	free(line->site);
	free(line->name);
}

static void free_customer_gateway(struct config_customer_gateway *cg)
{
	free(cg->name);
	free(cg->site);
	free(cg->description);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_connections; i++)
		free_connection(&config->connections[i]);
	for (size_t i = 0; i < config->n_customer_gateways; i++)
		free_customer_gateway(&config->customer_gateways[i]);
	for (size_t i = 0; i < config->n_private_lines; i++)
		free_line(&config->private_lines[i]);
	for (size_t i = 0; i < config->n_transit_peers; i++)
		free_line(&config->transit_peers[i]);
	free(config->connections);
	free(config->private_lines);
	free(config->transit_peers);
	free(config->customer_gateways);
	free(config->static_routes);
	free(config->policy_routes);
	free(config->gateway.name);
	free(config->gateway.vrf);
	free(config->gateway.guard);
	free(config->gateway.protected);
	for (size_t i = 0; i < config->gateway.n_ports; i++)
		free(config->gateway.ports[i]);
	free(config->gateway.ports);
	free(config->control_socket);
	free(config->control_group);
	config_errors_free(&config->warnings);
	free(config);
}

struct config_tunnel *config_tunnel_find(const struct config *config, const char *name,
					 struct config_connection **connection)
{
	for (size_t i = 0; i < config->n_connections; i++) {
		struct config_connection *c = &config->connections[i];

		for (size_t j = 0; j < c->n_tunnels; j++) {
			/* Names are missing only while a file is being judged. */
			if (!c->tunnels[j].name || strcmp(c->tunnels[j].name, name))
				continue;
			if (connection)
				*connection = c;
			return &c->tunnels[j];
		}
	}
	return NULL;
}
