// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inside CIDRs that nobody wants to choose: "inside-cidr: auto". The blocks are
 * the 128 of 169.254.21.0 to 169.254.22.255, which every cloud takes (D12).
 *
 * The peer has to be told the same block, so it must not change. A tunnel's
 * place is that of its name: the search for a free block starts at a number made
 * from the name alone, and tunnels are served in the order of the file after all
 * blocks that are written out. So the choice depends on nothing but the file, a
 * tunnel that is added behind the others moves none of them, and most others do
 * not either. A reload that would move one is refused (INSIDE_MOVED).
 */
#include <stdio.h>
#include <string.h>

#include "core/config_private.h"

#define BLOCKS 128u
#define NO_BLOCK 255u

static bool is_used(const struct config_parse *parse, unsigned int block)
{
	return parse->inside_used[block / 64] >> block % 64 & 1;
}

static void use(struct config_parse *parse, unsigned int block)
{
	parse->inside_used[block / 64] |= 1ull << block % 64;
}

/* FNV-1a, folded so that all of its bits count. */
static unsigned int place_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return (hash ^ hash >> 16) % BLOCKS;
}

static struct prefix block_prefix(unsigned int block)
{
	struct prefix prefix = {.addr = {.family = AF_INET, .b = {169, 254}}, .len = 30};

	prefix.addr.b[2] = (uint8_t)(21 + block / 64);
	prefix.addr.b[3] = (uint8_t)(block % 64 * 4);
	return prefix;
}

/* Whatever length it has: no chosen block may meet it. */
static void use_written(struct config_parse *parse, const char *text)
{
	struct prefix written;

	if (!text || !prefix_parse(text, &written, NULL))
		return;
	for (unsigned int block = 0; block < BLOCKS; block++) {
		struct prefix prefix = block_prefix(block);

		if (prefix_covers(&prefix, &written) || prefix_covers(&written, &prefix))
			use(parse, block);
	}
}

static uint8_t choose(struct config_parse *parse, const char *name)
{
	unsigned int first = place_of(name ? name : "");

	for (unsigned int i = 0; i < BLOCKS; i++) {
		unsigned int block = (first + i) % BLOCKS;

		if (is_used(parse, block))
			continue;
		use(parse, block);
		return (uint8_t)block;
	}
	return NO_BLOCK;
}

static bool is_auto(const struct raw_tunnel *raw)
{
	return raw->inside_cidr && !strcmp(raw->inside_cidr, "auto");
}

void config_inside_plan(struct config_parse *parse)
{
	const struct raw_config *raw = parse->raw;
	size_t n = 0, k = 0;

	for (unsigned int i = 0; i < raw->n_connections; i++) {
		n += raw->connections[i].n_tunnels;
		for (unsigned int j = 0; j < raw->connections[i].n_tunnels; j++)
			use_written(parse, raw->connections[i].tunnels[j].inside_cidr);
	}
	parse->inside_slots = config_array(parse, n, 1);
	if (!parse->inside_slots)
		return;
	for (unsigned int i = 0; i < raw->n_connections; i++)
		for (unsigned int j = 0; j < raw->connections[i].n_tunnels; j++) {
			const struct raw_tunnel *t = &raw->connections[i].tunnels[j];

			parse->inside_slots[k++] = is_auto(t) ? choose(parse, t->name) : NO_BLOCK;
		}
}

bool config_inside_allocated(const struct config_parse *parse, uint32_t tunnel_id,
			     struct prefix *out)
{
	unsigned int block = parse->inside_slots ? parse->inside_slots[tunnel_id - 1] : NO_BLOCK;

	if (block == NO_BLOCK)
		return false;
	*out = block_prefix(block);
	return true;
}

const char *config_cidr_hint(const struct config_parse *parse, char *buf, size_t size)
{
	char text[PREFIX_STRLEN];

	for (unsigned int block = 0; block < BLOCKS; block++) {
		struct prefix prefix = block_prefix(block);

		if (is_used(parse, block))
			continue;
		snprintf(buf, size, " (%s is free)", prefix_format(&prefix, text, sizeof(text)));
		return buf;
	}
	return "";
}
