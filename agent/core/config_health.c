// SPDX-License-Identifier: GPL-2.0-only
/*
 * Health checks: the section of a tunnel, filled up from that of its connection,
 * then from what the tunnel's inside addresses give.
 */
#include <stdio.h>
#include <string.h>

#include "core/config_private.h"

struct section {
	struct config_place own, shared; /* where the two sections stand */
	bool is_shared; /* the tunnel has none of its own */
};

/* The section that a complaint about the whole belongs to. */
static const struct config_place *place_of(const struct section *section)
{
	return section->is_shared ? &section->shared : &section->own;
}

static bool told(const struct config_place *place, const char *key)
{
	char path[CONFIG_PATH_SIZE];

	snprintf(path, sizeof(path), "%s.%s", place->path, key);
	return config_failed_at(place->parse, path);
}

/*
 * The tunnel's value, else the connection's, and where it stands. What was
 * refused in the connection's is told for its first tunnel only.
 */
static const char *pick(const struct section *section, const char *key, const char *own,
			const char *shared, const struct config_place **place)
{
	*place = own ? &section->own : &section->shared;
	if (own || !shared)
		return own;
	return told(*place, key) ? NULL : shared;
}

static uint32_t load_number(const struct section *section, const char *key, const char *own,
			    const char *shared, uint32_t max)
{
	const struct config_place *place;
	const char *text = pick(section, key, own, shared, &place);

	return config_number(place, key, text, 1, max, 3);
}

/* Whom a probe can be sent to, and where it can come from: one host. */
static bool is_host(const struct addr *a)
{
	static const struct addr any6 = {.family = AF_INET6};

	if (a->family == AF_INET)
		return a->b[0] && a->b[0] != 127 && a->b[0] < 224;
	/* Link-local addresses say nothing without their link. */
	return !addr_equal(a, &any6) && a->b[0] != 0xff &&
	       !(a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80);
}

static struct addr load_host(const struct section *section, const char *key, const char *own,
			     const char *shared)
{
	const struct config_place *place;
	const char *text = pick(section, key, own, shared, &place);
	struct addr addr = config_address(place, key, text, AF_UNSPEC);

	if (!addr_is_set(&addr) || is_host(&addr))
		return addr;
	config_fail_key(place, key, "HEALTH_ADDRESS",
			"%s is not the address of one host that a tunnel leads to or from", text);
	return (struct addr){0};
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* Of a key that the two addresses together need, or make wrong. */
#define COMPLAIN(place, key, code, ...) \
	do { \
		if (!told(place, key)) \
			config_fail_key(place, key, code, __VA_ARGS__); \
	} while (0)

static void check_pair(const struct config_place *place, const struct config_health *health)
{
	const struct addr *source = &health->source, *destination = &health->destination;

	if (source->family != destination->family)
		COMPLAIN(place, "source", "FAMILY",
			 "source and destination must be of one family, they are %s and %s",
			 family_name(source->family), family_name(destination->family));
	else if (addr_equal(source, destination))
		COMPLAIN(place, "destination", "HEALTH_ADDRESS",
			 "source and destination are one address: that would ask ourselves");
}

/* What the file leaves out is the tunnel's own, if that is of the right family. */
static void complete(const struct config_place *place, const struct config_tunnel *tunnel,
		     struct config_health *health)
{
	uint8_t inside = tunnel->inside_address.family;
	struct addr *source = &health->source, *destination = &health->destination;

	if (!inside)
		return;
	if (!addr_is_set(destination) && addr_is_set(source) && source->family != inside) {
		COMPLAIN(place, "destination", "MISSING_KEY",
			 "the key \"destination\" is missing here: the source is %s, the peer's "
			 "inside address is %s",
			 family_name(source->family), family_name(inside));
		return;
	}
	if (!addr_is_set(destination))
		*destination = tunnel->inside_peer;
	if (!addr_is_set(source) && destination->family != inside) {
		COMPLAIN(place, "source", "MISSING_KEY",
			 "the key \"source\" is missing here: the destination is %s, our inside "
			 "address is %s",
			 family_name(destination->family), family_name(inside));
		return;
	}
	if (!addr_is_set(source))
		*source = tunnel->inside_address;
	check_pair(place, health);
}

struct config_health *config_load_health(struct config_parse *parse,
					 const struct config_tunnel *tunnel,
					 const struct raw_health *own,
					 const struct raw_health *shared, const char *owner,
					 const char *sharer)
{
	static const struct raw_health nothing;
	struct section section = {.is_shared = !own};
	struct config_health *health;

	if (!own && !shared)
		return NULL;
	health = config_array(parse, 1, sizeof(*health));
	if (!health)
		return NULL;
	config_place_set(&section.own, parse, "%s.health-check", owner);
	config_place_set(&section.shared, parse, "%s.health-check", sharer);
	own = own ? own : &nothing;
	shared = shared ? shared : &nothing;
	health->source = load_host(&section, "source", own->source, shared->source);
	health->destination =
		load_host(&section, "destination", own->destination, shared->destination);
	health->interval =
		load_number(&section, "interval", own->interval, shared->interval, 3600);
	health->retries =
		(uint8_t)load_number(&section, "retries", own->retries, shared->retries, 255);
	health->recover =
		(uint8_t)load_number(&section, "recover", own->recover, shared->recover, 255);
	complete(place_of(&section), tunnel, health);
	return health;
}

/* The tunnel that packets take first, and its connection. */
static const struct config_tunnel *first_tunnel(struct config *config,
						const struct config_static_route *route,
						struct config_connection **connection)
{
	*connection = route->connection;
	if (route->connection)
		return route->connection->n_tunnels ? &route->connection->tunnels[0] : NULL;
	return route->tunnel && route->tunnel->name ?
		       config_tunnel_find(config, route->tunnel->name, connection) :
		       NULL;
}

static bool has_standby(const struct config_row *rows, size_t n,
			const struct config_static_route *active)
{
	if (active->connection && active->connection->n_tunnels > 1)
		return true;
	for (size_t i = 0; i < n; i++)
		if (!rows[i].route->weight)
			return true;
	return false;
}

void config_check_watched(struct config_parse *parse, const char *list,
			  const struct config_row *rows, size_t n)
{
	const struct config_row *active = rows;
	struct config_connection *connection;
	const struct config_tunnel *tunnel;
	char path[CONFIG_PATH_SIZE];

	while (active < rows + n && !active->route->weight)
		active++;
	if (active == rows + n || !has_standby(rows, n, active->route))
		return;
	tunnel = first_tunnel(parse->config, active->route, &connection);
	if (!tunnel || !tunnel->name || tunnel->health || connection->bfd)
		return;
	snprintf(path, sizeof(path), "%s[%zu]", list, active->i);
	config_warn(parse, "STATIC_UNWATCHED", path,
		    "nothing but its SA tells whether tunnel \"%.32s\" works: a path that fails "
		    "while the SA stays keeps the standby waiting; give it a health-check, or its "
		    "connection bfd",
		    tunnel->name);
}
