// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encoding and decoding of everything but UPDATE. Capabilities are a table:
 * their length limits are checked before their decoder sees a byte, and a
 * decoder sets its result only from bytes that were there.
 */
#include "bgp/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* RFC 9003: one octet of length. */
#define SHUTDOWN_TEXT_MAX 255

bool bgp_error_set(struct bgp_error *error, uint8_t code, uint8_t subcode, const void *data,
		   size_t len, const char *fmt, ...)
{
	va_list ap;

	error->code = code;
	error->subcode = subcode;
	if (len > sizeof(error->data))
		len = sizeof(error->data);
	if (len)
		memcpy(error->data, data, len);
	error->data_len = (uint16_t)len;
	va_start(ap, fmt);
	vsnprintf(error->reason, sizeof(error->reason), fmt, ap);
	va_end(ap);
	return false;
}

static const char *const code_names[] = {
	[BGP_ERROR_HEADER] = "Message Header Error",
	[BGP_ERROR_OPEN] = "OPEN Message Error",
	[BGP_ERROR_UPDATE] = "UPDATE Message Error",
	[BGP_ERROR_HOLD] = "Hold Timer Expired",
	[BGP_ERROR_FSM] = "Finite State Machine Error",
	[BGP_ERROR_CEASE] = "Cease",
	[BGP_ERROR_REFRESH] = "ROUTE-REFRESH Message Error",
	[BGP_ERROR_SEND_HOLD] = "Send Hold Timer Expired",
};

static const struct {
	uint8_t code, subcode;
	const char *name;
} subcode_names[] = {
	{ BGP_ERROR_HEADER, BGP_HEADER_NOT_SYNCHRONIZED, "Connection Not Synchronized" },
	{ BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH, "Bad Message Length" },
	{ BGP_ERROR_HEADER, BGP_HEADER_BAD_TYPE, "Bad Message Type" },
	{ BGP_ERROR_OPEN, BGP_OPEN_VERSION, "Unsupported Version Number" },
	{ BGP_ERROR_OPEN, BGP_OPEN_PEER_AS, "Bad Peer AS" },
	{ BGP_ERROR_OPEN, BGP_OPEN_ID, "Bad BGP Identifier" },
	{ BGP_ERROR_OPEN, BGP_OPEN_OPTION, "Unsupported Optional Parameter" },
	{ BGP_ERROR_OPEN, BGP_OPEN_HOLD_TIME, "Unacceptable Hold Time" },
	{ BGP_ERROR_OPEN, BGP_OPEN_CAPABILITY, "Unsupported Capability" },
	{ BGP_ERROR_UPDATE, BGP_UPDATE_ATTRIBUTE_LIST, "Malformed Attribute List" },
	{ BGP_ERROR_UPDATE, BGP_UPDATE_UNKNOWN_WELL_KNOWN, "Unrecognized Well-known Attribute" },
	{ BGP_ERROR_UPDATE, BGP_UPDATE_OPTIONAL_ATTRIBUTE, "Optional Attribute Error" },
	{ BGP_ERROR_UPDATE, BGP_UPDATE_NETWORK, "Invalid Network Field" },
	{ BGP_ERROR_FSM, BGP_FSM_OPEN_SENT, "Unexpected Message in OpenSent" },
	{ BGP_ERROR_FSM, BGP_FSM_OPEN_CONFIRM, "Unexpected Message in OpenConfirm" },
	{ BGP_ERROR_FSM, BGP_FSM_ESTABLISHED, "Unexpected Message in Established" },
	{ BGP_ERROR_CEASE, BGP_CEASE_MAX_PREFIXES, "Maximum Number of Prefixes Reached" },
	{ BGP_ERROR_CEASE, BGP_CEASE_SHUTDOWN, "Administrative Shutdown" },
	{ BGP_ERROR_CEASE, BGP_CEASE_DECONFIGURED, "Peer De-configured" },
	{ BGP_ERROR_CEASE, BGP_CEASE_RESET, "Administrative Reset" },
	{ BGP_ERROR_CEASE, BGP_CEASE_REJECTED, "Connection Rejected" },
	{ BGP_ERROR_CEASE, BGP_CEASE_CONFIG_CHANGE, "Other Configuration Change" },
	{ BGP_ERROR_CEASE, BGP_CEASE_COLLISION, "Connection Collision Resolution" },
	{ BGP_ERROR_CEASE, BGP_CEASE_RESOURCES, "Out of Resources" },
	{ BGP_ERROR_CEASE, BGP_CEASE_HARD_RESET, "Hard Reset" },
	{ BGP_ERROR_CEASE, BGP_CEASE_BFD_DOWN, "BFD Down" },
	{ BGP_ERROR_REFRESH, BGP_REFRESH_LENGTH, "Invalid Message Length" },
};

const char *bgp_error_text(uint8_t code, uint8_t subcode, char *buf, size_t size)
{
	const char *name = code < ARRAY_SIZE(code_names) ? code_names[code] : NULL;

	if (!name) {
		snprintf(buf, size, "error %u/%u", code, subcode);
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subcode_names); i++) {
		if (subcode_names[i].code != code || subcode_names[i].subcode != subcode)
			continue;
		snprintf(buf, size, "%s / %s", name, subcode_names[i].name);
		return buf;
	}
	if (subcode)
		snprintf(buf, size, "%s / %u", name, subcode);
	else
		snprintf(buf, size, "%s", name);
	return buf;
}

uint16_t message_afi(enum session_afi afi)
{
	return afi == SESSION_IPV4 ? BGP_AFI_IPV4 : BGP_AFI_IPV6;
}

bool message_afi_known(uint16_t afi, uint8_t safi, enum session_afi *out)
{
	if (safi != BGP_SAFI_UNICAST || (afi != BGP_AFI_IPV4 && afi != BGP_AFI_IPV6))
		return false;
	*out = afi == BGP_AFI_IPV4 ? SESSION_IPV4 : SESSION_IPV6;
	return true;
}

size_t message_begin(struct cursor_out *out, uint8_t type)
{
	size_t start = out->len;
	uint8_t marker[BGP_MARKER_SIZE];

	memset(marker, 0xff, sizeof(marker));
	cursor_put_bytes(out, marker, sizeof(marker));
	cursor_put_u16(out, 0);
	cursor_put_u8(out, type);
	return start;
}

void message_end(struct cursor_out *out, size_t start)
{
	if (!out->bad)
		cursor_patch_u16(out, start + BGP_MARKER_SIZE, (uint16_t)(out->len - start));
}

/* Smallest size of each type; KEEPALIVE has just one, ROUTE-REFRESH answers by its own rules. */
static size_t message_min(uint8_t type)
{
	switch (type) {
	case BGP_OPEN:
		return 29;
	case BGP_UPDATE:
		return 23;
	case BGP_NOTIFICATION:
		return 21;
	default:
		return BGP_HEADER_SIZE;
	}
}

/* RFC 8654 4: these two are never longer. */
static size_t message_max(uint8_t type, size_t max)
{
	return (type == BGP_OPEN || type == BGP_KEEPALIVE) && max > BGP_MESSAGE_MAX ?
	       BGP_MESSAGE_MAX : max;
}

bool message_header_decode(const uint8_t *header, size_t *len, uint8_t *type,
			   struct bgp_error *error)
{
	return message_header_decode_max(header, BGP_MESSAGE_MAX, len, type, error);
}

bool message_header_decode_max(const uint8_t *header, size_t max, size_t *len, uint8_t *type,
			       struct bgp_error *error)
{
	struct cursor c = cursor_make(header, BGP_HEADER_SIZE);
	const uint8_t *marker = cursor_bytes(&c, BGP_MARKER_SIZE);
	const uint8_t *field = c.at;

	*len = cursor_u16(&c);
	*type = cursor_u8(&c);
	for (size_t i = 0; i < BGP_MARKER_SIZE; i++)
		if (marker[i] != 0xff)
			return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_NOT_SYNCHRONIZED,
					     NULL, 0, "marker is not all ones");
	if (*len < BGP_HEADER_SIZE || *len > message_max(*type, max))
		return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH, field, 2,
				     "message of %zu octets", *len);
	if (*type < BGP_OPEN || *type > BGP_ROUTE_REFRESH)
		return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_BAD_TYPE, type, 1,
				     "message type %u", *type);
	if (*len < message_min(*type) || (*type == BGP_KEEPALIVE && *len != BGP_HEADER_SIZE))
		return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH, field, 2,
				     "message type %u of %zu octets", *type, *len);
	return true;
}

/* Capabilities: decoders get exactly the value, within the limits of the table. */

static void cap_multiprotocol(struct cursor *c, struct bgp_open *open)
{
	uint16_t afi = cursor_u16(c);
	enum session_afi known;

	cursor_u8(c);
	if (message_afi_known(afi, cursor_u8(c), &known))
		open->afi[known] = true;
	open->multiprotocol = true;
}

static void cap_refresh(struct cursor *c, struct bgp_open *open)
{
	open->refresh = true;
}

static void cap_enhanced_refresh(struct cursor *c, struct bgp_open *open)
{
	open->enhanced_refresh = true;
}

static void cap_extended_message(struct cursor *c, struct bgp_open *open)
{
	open->extended_message = true;
}

/* RFC 8950 4: triples of 16 bits, the family of routes and that of their next hops. */
static void cap_next_hop(struct cursor *c, struct bgp_open *open)
{
	while (c->left >= 6) {
		uint16_t afi = cursor_u16(c), safi = cursor_u16(c), hop = cursor_u16(c);

		if (afi == BGP_AFI_IPV4 && safi == BGP_SAFI_UNICAST && hop == BGP_AFI_IPV6)
			open->next_hop6 = true;
	}
}

static void cap_as4(struct cursor *c, struct bgp_open *open)
{
	open->as = cursor_u32(c);
	open->as4 = true;
}

/* RFC 4724 3. Sent more than once, the last one counts. */
static void cap_graceful_restart(struct cursor *c, struct bgp_open *open)
{
	uint16_t head = cursor_u16(c);

	open->graceful_restart = true;
	open->restarting = head & BGP_GR_RESTARTING;
	open->graceful_notification = head & BGP_GR_NOTIFICATION;
	open->restart_time = head & BGP_GR_TIME_MASK;
	memset(open->gr_afi, 0, sizeof(open->gr_afi));
	memset(open->gr_forwarding, 0, sizeof(open->gr_forwarding));
	while (c->left >= 4) {
		uint16_t afi = cursor_u16(c);
		uint8_t safi = cursor_u8(c), flags = cursor_u8(c);
		enum session_afi known;

		if (!message_afi_known(afi, safi, &known))
			continue;
		open->gr_afi[known] = true;
		open->gr_forwarding[known] = flags & BGP_GR_FORWARDING;
	}
}

static const struct capability {
	uint8_t code, min, max, unit; /* the length is min plus a multiple of unit, up to max */
	const char *name;
	void (*decode)(struct cursor *c, struct bgp_open *open);
} capabilities[] = {
	{ BGP_CAP_MULTIPROTOCOL, 4, 4, 1, "multiprotocol", cap_multiprotocol },
	{ BGP_CAP_REFRESH, 0, 0, 1, "route refresh", cap_refresh },
	{ BGP_CAP_NEXT_HOP, 0, 252, 6, "extended next hop", cap_next_hop },
	{ BGP_CAP_EXTENDED_MESSAGE, 0, 0, 1, "extended message", cap_extended_message },
	{ BGP_CAP_GRACEFUL_RESTART, 2, 254, 4, "graceful restart", cap_graceful_restart },
	{ BGP_CAP_AS4, 4, 4, 1, "4-octet AS", cap_as4 },
	{ BGP_CAP_ENHANCED_REFRESH, 0, 0, 1, "enhanced route refresh", cap_enhanced_refresh },
};

static const struct capability *capability_find(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capabilities[i].code == code)
			return &capabilities[i];
	return NULL;
}

static bool open_malformed(struct bgp_error *error, const char *what)
{
	return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0, "%s", what);
}

static bool capabilities_decode(struct cursor c, struct bgp_open *open, struct bgp_error *error)
{
	while (c.left) {
		uint8_t code = cursor_u8(&c);
		struct cursor value = cursor_sub(&c, cursor_u8(&c));
		const struct capability *cap = capability_find(code);

		if (c.bad)
			return open_malformed(error, "capability longer than its parameter");
		/* RFC 5492: what is not known is ignored. */
		if (!cap)
			continue;
		if (value.left < cap->min || value.left > cap->max ||
		    (value.left - cap->min) % cap->unit)
			return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0,
					     "%s capability of %zu octets", cap->name,
					     value.left);
		cap->decode(&value, open);
	}
	return true;
}

static bool options_decode(struct cursor c, bool extended, struct bgp_open *open,
			   struct bgp_error *error)
{
	while (c.left) {
		uint8_t type = cursor_u8(&c);
		struct cursor value = cursor_sub(&c, extended ? cursor_u16(&c) : cursor_u8(&c));

		if (c.bad)
			return open_malformed(error, "optional parameter longer than the message");
		if (type != BGP_OPTION_CAPABILITIES)
			return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_OPTION, NULL, 0,
					     "optional parameter %u", type);
		if (!capabilities_decode(value, open, error))
			return false;
	}
	return true;
}

bool message_open_decode(struct cursor body, struct bgp_open *open, struct bgp_error *error)
{
	static const uint8_t version_data[2] = { 0, BGP_VERSION };
	bool extended = false;
	uint8_t version = cursor_u8(&body);
	size_t len;

	memset(open, 0, sizeof(*open));
	open->as = cursor_u16(&body);
	open->hold_time = cursor_u16(&body);
	open->id = cursor_u32(&body);
	len = cursor_u8(&body);
	if (body.bad)
		return open_malformed(error, "OPEN is too short");
	if (version != BGP_VERSION)
		return bgp_error_set(error, BGP_ERROR_OPEN, BGP_OPEN_VERSION, version_data, 2,
				     "version %u", version);
	/* RFC 9072: a first parameter of type 255 says that a longer length follows. */
	if (len && body.left && *body.at == BGP_OPTION_EXTENDED) {
		cursor_u8(&body);
		len = cursor_u16(&body);
		extended = open->extended_options = true;
	}
	if (body.bad || len != body.left)
		return open_malformed(error, "length of the optional parameters is wrong");
	if (!options_decode(body, extended, open, error))
		return false;
	if (!open->multiprotocol)
		open->afi[SESSION_IPV4] = true;
	return true;
}

static void capability_afis_encode(struct cursor_out *out, const struct bgp_open *open)
{
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		if (!open->afi[afi])
			continue;
		cursor_put_u8(out, BGP_CAP_MULTIPROTOCOL);
		cursor_put_u8(out, 4);
		cursor_put_u16(out, message_afi((enum session_afi)afi));
		cursor_put_u8(out, 0);
		cursor_put_u8(out, BGP_SAFI_UNICAST);
	}
}

static void capability_restart_encode(struct cursor_out *out, const struct bgp_open *open)
{
	uint16_t head = open->restart_time & BGP_GR_TIME_MASK;
	size_t len_at;

	if (open->restarting)
		head |= BGP_GR_RESTARTING;
	if (open->graceful_notification)
		head |= BGP_GR_NOTIFICATION;

	cursor_put_u8(out, BGP_CAP_GRACEFUL_RESTART);
	len_at = out->len;
	cursor_put_u8(out, 0);
	cursor_put_u16(out, head);
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		if (!open->gr_afi[afi])
			continue;
		cursor_put_u16(out, message_afi((enum session_afi)afi));
		cursor_put_u8(out, BGP_SAFI_UNICAST);
		cursor_put_u8(out, open->gr_forwarding[afi] ? BGP_GR_FORWARDING : 0);
	}
	cursor_patch_u8(out, len_at, (uint8_t)(out->len - len_at - 1));
}

static void capabilities_encode(struct cursor_out *out, const struct bgp_open *open)
{
	capability_afis_encode(out, open);
	if (open->refresh)
		cursor_put_u16(out, BGP_CAP_REFRESH << 8);
	if (open->enhanced_refresh)
		cursor_put_u16(out, BGP_CAP_ENHANCED_REFRESH << 8);
	if (open->extended_message)
		cursor_put_u16(out, BGP_CAP_EXTENDED_MESSAGE << 8);
	if (open->next_hop6) {
		cursor_put_u8(out, BGP_CAP_NEXT_HOP);
		cursor_put_u8(out, 6);
		cursor_put_u16(out, BGP_AFI_IPV4);
		cursor_put_u16(out, BGP_SAFI_UNICAST);
		cursor_put_u16(out, BGP_AFI_IPV6);
	}
	if (open->as4) {
		cursor_put_u8(out, BGP_CAP_AS4);
		cursor_put_u8(out, 4);
		cursor_put_u32(out, open->as);
	}
	if (open->graceful_restart)
		capability_restart_encode(out, open);
}

/* One parameter with all capabilities; RFC 9072 where an octet is too short for its length. */
static void options_encode(struct cursor_out *out, const struct bgp_open *open)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct cursor_out caps = cursor_out_make(buf, sizeof(buf));
	bool extended;

	capabilities_encode(&caps, open);
	extended = open->extended_options || caps.len + 2 > UINT8_MAX;
	if (extended) {
		cursor_put_u8(out, UINT8_MAX);
		cursor_put_u8(out, BGP_OPTION_EXTENDED);
		cursor_put_u16(out, (uint16_t)(caps.len + 3));
		cursor_put_u8(out, BGP_OPTION_CAPABILITIES);
		cursor_put_u16(out, (uint16_t)caps.len);
	} else {
		cursor_put_u8(out, (uint8_t)(caps.len + 2));
		cursor_put_u8(out, BGP_OPTION_CAPABILITIES);
		cursor_put_u8(out, (uint8_t)caps.len);
	}
	cursor_put_bytes(out, caps.data, caps.len);
}

void message_open_encode(struct cursor_out *out, const struct bgp_open *open)
{
	size_t start = message_begin(out, BGP_OPEN);

	cursor_put_u8(out, BGP_VERSION);
	cursor_put_u16(out, open->as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)open->as);
	cursor_put_u16(out, open->hold_time);
	cursor_put_u32(out, open->id);
	if (open->no_capabilities)
		cursor_put_u8(out, 0);
	else
		options_encode(out, open);
	message_end(out, start);
}

void message_keepalive_encode(struct cursor_out *out)
{
	message_end(out, message_begin(out, BGP_KEEPALIVE));
}

void message_notification_encode(struct cursor_out *out, const struct bgp_error *error)
{
	size_t start = message_begin(out, BGP_NOTIFICATION);

	cursor_put_u8(out, error->code);
	cursor_put_u8(out, error->subcode);
	cursor_put_bytes(out, error->data, error->data_len);
	message_end(out, start);
}

bool message_notification_decode(struct cursor body, struct bgp_error *error)
{
	uint8_t code = cursor_u8(&body), subcode = cursor_u8(&body);
	char text[100];

	bgp_error_set(error, code, subcode, body.at, body.left, "%s",
		      bgp_error_text(code, subcode, text, sizeof(text)));
	return !body.bad;
}

void message_shutdown_set(struct bgp_error *error, uint8_t subcode, const char *text)
{
	uint8_t data[1 + SHUTDOWN_TEXT_MAX];
	size_t len = text ? strlen(text) : 0;

	if (len > SHUTDOWN_TEXT_MAX) {
		len = SHUTDOWN_TEXT_MAX;
		/* Not in the middle of a UTF-8 sequence. */
		while (len && ((uint8_t)text[len] & 0xc0) == 0x80)
			len--;
	}
	data[0] = (uint8_t)len;
	if (len)
		memcpy(data + 1, text, len);
	bgp_error_set(error, BGP_ERROR_CEASE, subcode, data, len ? len + 1 : 0, "%s",
		      text ? text : "");
}

void message_hard_reset_wrap(struct bgp_error *error)
{
	size_t len = error->data_len;

	if (len > sizeof(error->data) - 2)
		len = sizeof(error->data) - 2;
	memmove(error->data + 2, error->data, len);
	error->data[0] = error->code;
	error->data[1] = error->subcode;
	error->data_len = (uint16_t)(len + 2);
	error->code = BGP_ERROR_CEASE;
	error->subcode = BGP_CEASE_HARD_RESET;
}

bool message_hard_reset_unwrap(struct bgp_error *error)
{
	if (error->code != BGP_ERROR_CEASE || error->subcode != BGP_CEASE_HARD_RESET)
		return false;
	if (error->data_len < 2)
		return true;
	error->code = error->data[0];
	error->subcode = error->data[1];
	error->data_len = (uint16_t)(error->data_len - 2);
	memmove(error->data, error->data + 2, error->data_len);
	return true;
}

const char *message_shutdown_text(const struct bgp_error *error, char *buf, size_t size)
{
	struct cursor c = cursor_make(error->data, error->data_len);
	struct cursor text;

	buf[0] = '\0';
	if (error->code != BGP_ERROR_CEASE || !c.left)
		return buf;
	/* RFC 9003 has it for shutdown and reset; some send it with others, the form decides. */
	text = cursor_sub(&c, cursor_u8(&c));
	if (!text.bad)
		log_escape(text.at, text.left, buf, size);
	return buf;
}

static bool refresh_bad_length(struct cursor body, uint8_t subtype, struct bgp_error *error)
{
	uint8_t message[BGP_MESSAGE_MAX];
	struct cursor_out out = cursor_out_make(message, sizeof(message));
	size_t start = message_begin(&out, BGP_ROUTE_REFRESH), len = body.left;

	cursor_put_bytes(&out, cursor_bytes(&body, len), len);
	message_end(&out, start);
	/* RFC 7313 5: an error of its own for its two subtypes, with the whole message. */
	if (subtype == BGP_REFRESH_BEGIN || subtype == BGP_REFRESH_END)
		return bgp_error_set(error, BGP_ERROR_REFRESH, BGP_REFRESH_LENGTH, out.data,
				     out.len, "ROUTE-REFRESH body of %zu octets", len);
	return bgp_error_set(error, BGP_ERROR_HEADER, BGP_HEADER_BAD_LENGTH,
			     out.data + BGP_MARKER_SIZE, 2, "ROUTE-REFRESH body of %zu octets",
			     len);
}

bool message_refresh_decode(struct cursor body, enum session_afi *afi, uint8_t *subtype,
			    bool *known, struct bgp_error *error)
{
	struct cursor c = body;
	uint16_t number = cursor_u16(&c);
	uint8_t safi;

	*subtype = cursor_u8(&c);
	safi = cursor_u8(&c);
	if (c.bad || c.left)
		return refresh_bad_length(body, *subtype, error);
	*known = message_afi_known(number, safi, afi) && *subtype <= BGP_REFRESH_END;
	return true;
}

void message_refresh_encode(struct cursor_out *out, enum session_afi afi, uint8_t subtype)
{
	size_t start = message_begin(out, BGP_ROUTE_REFRESH);

	cursor_put_u16(out, message_afi(afi));
	cursor_put_u8(out, subtype);
	cursor_put_u8(out, BGP_SAFI_UNICAST);
	message_end(out, start);
}
