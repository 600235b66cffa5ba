// SPDX-License-Identifier: GPL-2.0-only
/* Type 0x40 (or 0x00, which some send), subtype 4, an AS number, IEEE 754 bytes a second. */
#include "core/link_bandwidth.h"

#include <string.h>

#define TYPE 0x4004
#define TYPE_TRANSITIVE 0x0004
#define WEIGHT_MAX 255

/* 0 for what is no number, infinite, negative or less than a byte a second. */
static uint64_t bandwidth_read(uint64_t community)
{
	uint32_t bits = (uint32_t)community;
	float value;

	memcpy(&value, &bits, sizeof(value));
	/* Above is more than any link has; and a float beyond 64 bits cannot be converted. */
	if (!(value >= 1.0f && value <= 1e18f))
		return 0;
	return (uint64_t)value;
}

uint64_t link_bandwidth_get(const struct attrs *attrs)
{
	uint64_t lowest = 0;

	for (size_t i = 0; i < attrs->n_ext_communities; i++) {
		uint64_t community = attrs->ext_communities[i], value;

		if (community >> 48 != TYPE && community >> 48 != TYPE_TRANSITIVE)
			continue;
		value = bandwidth_read(community);
		if (value && (!lowest || value < lowest))
			lowest = value;
	}
	return lowest;
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void link_bandwidth_weights(const uint64_t *bandwidths, size_t n, uint8_t *weights)
{
	uint64_t greatest = 1, common = 0;

	for (size_t i = 0; i < n; i++) {
		common = divisor(common, bandwidths[i]);
		if (bandwidths[i] > greatest)
			greatest = bandwidths[i];
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t weight = bandwidths[i] / (common ? common : 1);

		/* Equal ways share equally as 1, not as 255: it is the same group then. */
		if (greatest / (common ? common : 1) > WEIGHT_MAX)
			weight = (uint64_t)((double)bandwidths[i] * WEIGHT_MAX / (double)greatest +
					    0.5);
		weights[i] = (uint8_t)(weight ? weight : 1);
	}
}
