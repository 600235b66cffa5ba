/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The link bandwidth extended community (draft-ietf-idr-link-bandwidth): how much the
 * way behind a path can carry, and what that makes of its share of the flows.
 *
 * Promise: whatever the peers say, each weight is between 1 and 255, and the result does
 * not depend on the order of the paths.
 */
#ifndef VGW_CORE_LINK_BANDWIDTH_H
#define VGW_CORE_LINK_BANDWIDTH_H

#include <stddef.h>
#include <stdint.h>

#include "core/attrs.h"

/* Bytes a second; 0 if the set has none that is a number above 0. Of several, the lowest. */
uint64_t link_bandwidth_get(const struct attrs *attrs);
/*
 * Weights in the ratio of the bandwidths, in their smallest numbers where these are small
 * enough, else rounded with the greatest as 255. None may be 0: without a value for each
 * path there is no ratio (all or nothing), that is for the caller to see.
 */
void link_bandwidth_weights(const uint64_t *bandwidths, size_t n, uint8_t *weights);

#endif
