// SPDX-License-Identifier: GPL-2.0-only
/* Messages between the agent and vgw-bfd. */
#include "bfd/control.h"

#include <string.h>

#include "lib/cursor.h"

#define VERSION 1

#define INFO_HEARD 1
#define INFO_INDEPENDENT 2
#define INFO_FAILED 4
#define INFO_WAS_UP 8
#define INFO_ALL 15

static void put_text(struct cursor_out *c, const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size) {
		c->bad = true;
		return;
	}
	cursor_put_u8(c, (uint8_t)len);
	cursor_put_bytes(c, text, len);
}

static void get_text(struct cursor *c, char *out, size_t size)
{
	size_t len = cursor_u8(c);

	if (len >= size) {
		c->bad = true;
		return;
	}
	cursor_copy(c, out, len);
	out[len] = '\0';
	/* A shorter name than it says would compare unlike what it prints. */
	if (strlen(out) != len)
		c->bad = true;
}

static void put_addr(struct cursor_out *c, const struct addr *addr)
{
	unsigned int len = addr_bits(addr->family) / 8;

	cursor_put_u8(c, (uint8_t)len);
	cursor_put_bytes(c, addr->b, len);
}

static void get_addr(struct cursor *c, struct addr *out)
{
	unsigned int len = cursor_u8(c);

	*out = (struct addr){ .family = len == 4 ? AF_INET : AF_INET6 };
	if (len != 4 && len != 16)
		c->bad = true;
	else
		cursor_copy(c, out->b, len);
}

static void put_request(struct cursor_out *c, const struct bfd_request *request)
{
	put_text(c, request->device, sizeof(request->device));
	put_addr(c, &request->local);
	put_addr(c, &request->peer);
	cursor_put_u32(c, request->timers.transmit);
	cursor_put_u32(c, request->timers.receive);
	cursor_put_u8(c, request->timers.multiplier);
	cursor_put_u16(c, request->source_port);
}

static void get_request(struct cursor *c, struct bfd_request *out)
{
	get_text(c, out->device, sizeof(out->device));
	get_addr(c, &out->local);
	get_addr(c, &out->peer);
	out->timers.transmit = cursor_u32(c);
	out->timers.receive = cursor_u32(c);
	out->timers.multiplier = cursor_u8(c);
	out->source_port = cursor_u16(c);
}

static void put_info(struct cursor_out *c, const struct bfd_session_info *info)
{
	cursor_put_u8(c, info->state);
	cursor_put_u8(c, info->diag);
	cursor_put_u8(c, info->remote_state);
	cursor_put_u8(c, info->remote_diag);
	cursor_put_u8(c, (uint8_t)((info->heard ? INFO_HEARD : 0) |
				   (info->remote_independent ? INFO_INDEPENDENT : 0) |
				   (info->failed ? INFO_FAILED : 0) |
				   (info->was_up ? INFO_WAS_UP : 0)));
	cursor_put_u32(c, info->discriminator);
	cursor_put_u32(c, info->remote_discriminator);
	cursor_put_u32(c, info->interval);
	cursor_put_u32(c, info->detection);
	cursor_put_u64(c, info->transitions);
}

static void get_info(struct cursor *c, struct bfd_session_info *out)
{
	uint8_t flags;

	out->state = cursor_u8(c);
	out->diag = cursor_u8(c);
	out->remote_state = cursor_u8(c);
	out->remote_diag = cursor_u8(c);
	flags = cursor_u8(c);
	out->heard = flags & INFO_HEARD;
	out->remote_independent = flags & INFO_INDEPENDENT;
	out->failed = flags & INFO_FAILED;
	out->was_up = flags & INFO_WAS_UP;
	out->discriminator = cursor_u32(c);
	out->remote_discriminator = cursor_u32(c);
	out->interval = cursor_u32(c);
	out->detection = cursor_u32(c);
	out->transitions = cursor_u64(c);
	if (out->state > BFD_UP || out->remote_state > BFD_UP || flags & ~INFO_ALL)
		c->bad = true;
}

size_t bfd_message_encode(const struct bfd_message *message, uint8_t *out)
{
	struct cursor_out c = cursor_out_make(out, BFD_CONTROL_MAX);

	cursor_put_u8(&c, VERSION);
	cursor_put_u8(&c, message->type);
	put_text(&c, message->name, sizeof(message->name));
	if (message->type == BFD_MESSAGE_SET)
		put_request(&c, &message->request);
	else if (message->type == BFD_MESSAGE_STATE)
		put_info(&c, &message->info);
	else if (message->type == BFD_MESSAGE_REFUSED)
		put_text(&c, message->text, sizeof(message->text));
	return c.bad ? 0 : c.len;
}

bool bfd_message_decode(const void *data, size_t len, struct bfd_message *out)
{
	struct cursor c = cursor_make(data, len);
	uint8_t version = cursor_u8(&c);

	*out = (struct bfd_message){ .type = cursor_u8(&c) };
	get_text(&c, out->name, sizeof(out->name));
	switch (out->type) {
	case BFD_MESSAGE_HELLO:
	case BFD_MESSAGE_DEL:
	case BFD_MESSAGE_SYNC:
		break;
	case BFD_MESSAGE_SET:
		get_request(&c, &out->request);
		break;
	case BFD_MESSAGE_STATE:
		get_info(&c, &out->info);
		break;
	case BFD_MESSAGE_REFUSED:
		get_text(&c, out->text, sizeof(out->text));
		break;
	default:
		return false;
	}
	return version == VERSION && !c.bad && !c.left;
}

static bool interval_good(uint32_t ms)
{
	return ms >= BFD_INTERVAL_MIN && ms <= BFD_INTERVAL_MAX;
}

const char *bfd_request_check(const struct bfd_request *request)
{
	if (request->local.family != request->peer.family)
		return "local and peer address are not of one family";
	if (!interval_good(request->timers.transmit) || !interval_good(request->timers.receive))
		return "an interval is out of range";
	if (!request->timers.multiplier)
		return "the multiplier is 0";
	if (request->source_port && request->source_port < BFD_SOURCE_PORT_FIRST)
		return "the source port is below 49152";
	return NULL;
}

bool bfd_request_same_path(const struct bfd_request *a, const struct bfd_request *b)
{
	return !strcmp(a->device, b->device) && addr_equal(&a->local, &b->local) &&
	       addr_equal(&a->peer, &b->peer) && a->source_port == b->source_port;
}
