// SPDX-License-Identifier: GPL-2.0-only
/* BFD: the first octet chooses a packet of the network or one of the agent's socket. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "bfd/control.h"
#include "bfd/packet.h"

static void packet_run(const uint8_t *data, size_t size)
{
	uint8_t bytes[BFD_PACKET_LEN];
	struct bfd_packet packet;
	const char *why = bfd_packet_decode(data, size, &packet);

	if (why) {
		fuzz_check_text(why);
		return;
	}
	bfd_packet_encode(&packet, bytes);
	/* The length may count what follows, and the payload is not ours. */
	FUZZ_CHECK(bytes[0] == data[0] && bytes[1] == data[1] && bytes[2] == data[2]);
	FUZZ_CHECK(!memcmp(bytes + 4, data + 4, sizeof(bytes) - 4));
	fuzz_check_text(bfd_state_name(packet.state));
	fuzz_check_text(bfd_diag_name(packet.diag));
}

static void control_run(const uint8_t *data, size_t size)
{
	uint8_t bytes[BFD_CONTROL_MAX];
	struct bfd_message message;
	const char *why;

	if (!bfd_message_decode(data, size, &message))
		return;
	FUZZ_CHECK(strlen(message.name) < BFD_NAME_SIZE);
	FUZZ_CHECK(strlen(message.text) < BFD_TEXT_SIZE);
	if (message.type == BFD_MESSAGE_SET) {
		why = bfd_request_check(&message.request);
		if (why)
			fuzz_check_text(why);
	}
	/* Exactly what encoding makes is accepted. */
	FUZZ_CHECK(bfd_message_encode(&message, bytes) == size);
	FUZZ_CHECK(!memcmp(bytes, data, size));
}

static void bfd_run(const uint8_t *data, size_t size)
{
	if (!size)
		return;
	if (data[0] & 1)
		control_run(data + 1, size - 1);
	else
		packet_run(data + 1, size - 1);
}

static void bfd_seeds(fuzz_add add)
{
	struct bfd_packet packet = {
		.state = BFD_UP, .multiplier = 3, .my_discriminator = 1, .your_discriminator = 2,
		.desired_tx = 300000, .required_rx = 300000, .poll = true,
	};
	struct bfd_message message = { .type = BFD_MESSAGE_HELLO, .name = "vgw0" };
	uint8_t bytes[1 + BFD_CONTROL_MAX] = { 0 };

	bfd_packet_encode(&packet, bytes + 1);
	add(bytes, 1 + BFD_PACKET_LEN);
	bytes[0] = 1;
	addr_parse("169.254.10.1", &message.request.local);
	addr_parse("169.254.10.2", &message.request.peer);
	strcpy(message.request.device, "ipsec1");
	message.request.timers.transmit = message.request.timers.receive = 300;
	message.request.timers.multiplier = 3;
	message.info.state = message.info.remote_state = BFD_UP;
	strcpy(message.text, "no such device");
	for (; message.type <= BFD_MESSAGE_REFUSED; message.type++)
		add(bytes, 1 + bfd_message_encode(&message, bytes + 1));
}

const struct fuzz_target fuzz_bfd = { "bfd", 300, bfd_run, bfd_seeds };
