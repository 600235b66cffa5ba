/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BFD control packet (RFC 5880 4.1), without authentication.
 *
 * Promise: what bfd_packet_decode() accepts has passed every check of RFC 5880
 * 6.8.6 that needs no session; nothing outside of the given bytes is read.
 */
#ifndef VGW_BFD_PACKET_H
#define VGW_BFD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BFD_PACKET_LEN 24
#define BFD_PORT 3784 /* RFC 5881 4 */
#define BFD_SOURCE_PORT_FIRST 49152

enum bfd_state { BFD_ADMIN_DOWN, BFD_DOWN, BFD_INIT, BFD_UP }; /* as on the wire */

enum bfd_diag { /* as on the wire, RFC 5880 4.1 */
	BFD_DIAG_NONE,
	BFD_DIAG_TIME_EXPIRED,
	BFD_DIAG_ECHO_FAILED,
	BFD_DIAG_NEIGHBOR_DOWN,
	BFD_DIAG_FORWARDING_RESET,
	BFD_DIAG_PATH_DOWN,
	BFD_DIAG_CONCATENATED_DOWN,
	BFD_DIAG_ADMIN_DOWN,
	BFD_DIAG_REVERSE_DOWN,
};

struct bfd_packet {
	uint8_t state; /* enum bfd_state */
	uint8_t diag; /* enum bfd_diag, or a number up to 31 that it does not know */
	uint8_t multiplier;
	bool poll, final, independent /* C bit */, demand;
	uint32_t my_discriminator, your_discriminator;
	uint32_t desired_tx, required_rx, required_echo_rx; /* microseconds */
};

/* out has BFD_PACKET_LEN bytes. */
void bfd_packet_encode(const struct bfd_packet *packet, uint8_t *out);
/* NULL, or why the packet is discarded (then *out is undefined). */
const char *bfd_packet_decode(const void *data, size_t len, struct bfd_packet *out);

const char *bfd_state_name(unsigned int state);
const char *bfd_diag_name(unsigned int diag);

#endif
