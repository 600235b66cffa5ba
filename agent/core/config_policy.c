// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy routes: loaded, put into the order in which packets meet them (priority,
 * then place in the file), and checked. Rows of one priority, source and
 * destination are one route with an active target and standbys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vgw.h>

#include "core/config_private.h"
#include "core/rules.h"

#define DEFAULT_PRIORITY 100

static void load_policy_route(struct config_parse *parse, size_t i)
{
	const struct raw_policy_route *raw = &parse->raw->policy_routes[i];
	struct config_policy_route *policy = &parse->config->policy_routes[i];
	const struct raw_static_route target = {
		.tunnel = raw->tunnel,
		.connection = raw->connection,
		.weight = raw->weight,
		.on_fail = raw->on_fail,
	};
	struct config_place place;

	config_place_set(&place, parse, "policy-routes[%zu]", i);
	policy->row = i;
	config_need(&place, "source", raw->source);
	config_need(&place, "destination", raw->destination);
	config_prefix(&place, "source", raw->source, &policy->source);
	config_prefix(&place, "destination", raw->destination, &policy->to.prefix);
	policy->priority = config_number(&place, "priority", raw->priority, 0, UINT32_MAX,
					 DEFAULT_PRIORITY);
	config_load_target(&place, &policy->to, &target);
}

/* Of one name: what makes rows one route. */
static int compare_names(const struct config_policy_route *a, const struct config_policy_route *b)
{
	int order;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	order = prefix_compare(&a->source, &b->source);
	return order ? order : prefix_compare(&a->to.prefix, &b->to.prefix);
}

static int compare_rows(const void *a, const void *b)
{
	const struct config_policy_route *x = a, *y = b;
	int order = compare_names(x, y);

	if (order)
		return order;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int compare_order(const void *a, const void *b)
{
	const struct config_policy_route *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* First by the row of the file in which a route begins, then counted from 1 in each priority. */
static void put_in_order(struct config_policy_route *list, size_t n)
{
	uint32_t begin, sequence = 0;

	qsort(list, n, sizeof(*list), compare_rows);
	for (size_t i = 0; i < n; i++)
		list[i].sequence = i && !compare_names(&list[i - 1], &list[i]) ?
					   list[i - 1].sequence : (uint32_t)list[i].row;
	qsort(list, n, sizeof(*list), compare_order);
	for (size_t i = 0; i < n; i++) {
		if (!i || list[i - 1].priority != list[i].priority)
			sequence = 1;
		else if (list[i].sequence != begin)
			sequence++;
		begin = list[i].sequence;
		list[i].sequence = sequence;
	}
}

void config_load_policy_routes(struct config_parse *parse)
{
	struct config *config = parse->config;
	size_t n = parse->raw->n_policy_routes;

	if (n > VGW_POLICIES_MAX)
		config_fail(parse, "VALUE", "policy-routes",
			    "at most %u policy routes are taken, these are %zu", VGW_POLICIES_MAX,
			    n);
	config->policy_routes = config_array(parse, n, sizeof(*config->policy_routes));
	if (!config->policy_routes)
		return;
	config->n_policy_routes = n;
	for (size_t i = 0; i < n; i++)
		load_policy_route(parse, i);
	put_in_order(config->policy_routes, n);
}

static void check_source(struct config_parse *parse, const struct config_policy_route *policy)
{
	char path[CONFIG_PATH_SIZE], text[PREFIX_STRLEN];

	if (!addr_is_set(&policy->source.addr))
		return;
	snprintf(path, sizeof(path), "policy-routes[%zu].source", policy->row);
	if (addr_is_set(&policy->to.prefix.addr) &&
	    policy->source.addr.family != policy->to.prefix.addr.family)
		config_fail(parse, "FAMILY", path,
			    "source and destination are of different families, no packet has both");
	else if (!prefix_is_default(&policy->source) && rules_never_accept(&policy->source))
		config_fail(parse, "NEVER_ACCEPT", path,
			    "%s has a meaning of its own on every host (this host, loopback, "
			    "link-local, multicast), no packet with such a source is forwarded",
			    prefix_format(&policy->source, text, sizeof(text)));
}

void config_check_policy_routes(struct config_parse *parse)
{
	const struct config_policy_route *list = parse->config->policy_routes;
	size_t n = parse->config->n_policy_routes, end;
	struct config_row *rows = config_array(parse, n, sizeof(*rows));
	char path[CONFIG_PATH_SIZE];

	if (!rows)
		return;
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "policy-routes[%zu].destination", list[i].row);
		config_check_destination(parse, &list[i].to.prefix, path);
		check_source(parse, &list[i]);
		rows[i] = (struct config_row){ &list[i].to, list[i].row };
	}
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && !compare_names(&list[i], &list[end]);)
			end++;
		if (addr_is_set(&list[i].source.addr) && addr_is_set(&list[i].to.prefix.addr))
			config_check_rows(parse, "policy-routes", &rows[i], end - i);
	}
	free(rows);
}
