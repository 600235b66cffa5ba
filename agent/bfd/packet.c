// SPDX-License-Identifier: GPL-2.0-only
/* BFD control packets to bytes and back. */
#include "bfd/packet.h"

#include "lib/cursor.h"

#define VERSION 1

#define FLAG_POLL 0x20
#define FLAG_FINAL 0x10
#define FLAG_INDEPENDENT 0x08
#define FLAG_AUTHENTICATION 0x04
#define FLAG_DEMAND 0x02
#define FLAG_MULTIPOINT 0x01

void bfd_packet_encode(const struct bfd_packet *packet, uint8_t *out)
{
	struct cursor_out c = cursor_out_make(out, BFD_PACKET_LEN);

	cursor_put_u8(&c, (uint8_t)(VERSION << 5 | (packet->diag & 0x1f)));
	cursor_put_u8(&c, (uint8_t)(packet->state << 6 | (packet->poll ? FLAG_POLL : 0) |
				    (packet->final ? FLAG_FINAL : 0) |
				    (packet->independent ? FLAG_INDEPENDENT : 0) |
				    (packet->demand ? FLAG_DEMAND : 0)));
	cursor_put_u8(&c, packet->multiplier);
	cursor_put_u8(&c, BFD_PACKET_LEN);
	cursor_put_u32(&c, packet->my_discriminator);
	cursor_put_u32(&c, packet->your_discriminator);
	cursor_put_u32(&c, packet->desired_tx);
	cursor_put_u32(&c, packet->required_rx);
	cursor_put_u32(&c, packet->required_echo_rx);
}

/* In the order of RFC 5880 6.8.6. */
static const char *check(const struct bfd_packet *packet, unsigned int version, uint8_t flags,
			 size_t claimed, size_t len)
{
	if (version != VERSION)
		return "version is not 1";
	if (claimed < BFD_PACKET_LEN || claimed > len)
		return "wrong length";
	if (!packet->multiplier)
		return "detect multiplier 0";
	if (flags & FLAG_MULTIPOINT)
		return "multipoint bit";
	if (!packet->my_discriminator)
		return "discriminator 0";
	if (!packet->your_discriminator && packet->state != BFD_DOWN &&
	    packet->state != BFD_ADMIN_DOWN)
		return "no discriminator of ours";
	if (flags & FLAG_AUTHENTICATION)
		return "authentication, which is not in use";
	return NULL;
}

const char *bfd_packet_decode(const void *data, size_t len, struct bfd_packet *out)
{
	struct cursor c = cursor_make(data, len);
	uint8_t first = cursor_u8(&c), flags = cursor_u8(&c);
	size_t claimed;

	*out = (struct bfd_packet){
		.state = flags >> 6,
		.diag = first & 0x1f,
		.poll = flags & FLAG_POLL,
		.final = flags & FLAG_FINAL,
		.independent = flags & FLAG_INDEPENDENT,
		.demand = flags & FLAG_DEMAND,
	};
	out->multiplier = cursor_u8(&c);
	claimed = cursor_u8(&c);
	out->my_discriminator = cursor_u32(&c);
	out->your_discriminator = cursor_u32(&c);
	out->desired_tx = cursor_u32(&c);
	out->required_rx = cursor_u32(&c);
	out->required_echo_rx = cursor_u32(&c);
	if (c.bad)
		return "too short";
	return check(out, first >> 5, flags, claimed, len);
}

const char *bfd_state_name(unsigned int state)
{
	static const char *const names[] = { "admin-down", "down", "init", "up" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const char *bfd_diag_name(unsigned int diag)
{
	static const char *const names[] = {
		[BFD_DIAG_NONE] = "none",
		[BFD_DIAG_TIME_EXPIRED] = "detection time expired",
		[BFD_DIAG_ECHO_FAILED] = "echo failed",
		[BFD_DIAG_NEIGHBOR_DOWN] = "the peer signaled down",
		[BFD_DIAG_FORWARDING_RESET] = "forwarding plane reset",
		[BFD_DIAG_PATH_DOWN] = "path down",
		[BFD_DIAG_CONCATENATED_DOWN] = "concatenated path down",
		[BFD_DIAG_ADMIN_DOWN] = "switched off",
		[BFD_DIAG_REVERSE_DOWN] = "reverse concatenated path down",
	};

	return diag < sizeof(names) / sizeof(names[0]) ? names[diag] : "unknown";
}
