/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BGP messages but UPDATE: header, OPEN with capabilities, NOTIFICATION,
 * KEEPALIVE, ROUTE-REFRESH.
 *
 * Promise: decoders take any bytes; they either fill their result or say which
 * NOTIFICATION answers the message. Values only, no allocation.
 */
#ifndef VGW_BGP_MESSAGE_H
#define VGW_BGP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bgp/session.h"
#include "bgp/wire.h"
#include "lib/cursor.h"

/* What a NOTIFICATION says. Data is a bounded copy: what does not fit is left out. */
struct bgp_error {
	uint8_t code, subcode;
	uint16_t data_len;
	uint8_t data[BGP_MESSAGE_MAX - BGP_HEADER_SIZE - 2];
	char reason[120]; /* for the log, printable */
};

/* Fills *error; always false, so that a decoder can return it. */
bool bgp_error_set(struct bgp_error *error, uint8_t code, uint8_t subcode, const void *data,
		   size_t len, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* "OPEN Message Error / Bad Peer AS"; unknown numbers are printed. */
const char *bgp_error_text(uint8_t code, uint8_t subcode, char *buf, size_t size);

/* header: BGP_HEADER_SIZE bytes. RFC 4271 6.1. *len: of the whole message. */
bool message_header_decode(const uint8_t *header, size_t *len, uint8_t *type,
			   struct bgp_error *error);
/* The same for a peer that may send more than BGP_MESSAGE_MAX (RFC 8654), up to max octets. */
bool message_header_decode_max(const uint8_t *header, size_t max, size_t *len, uint8_t *type,
			       struct bgp_error *error);

struct bgp_open {
	uint32_t as; /* 4-octet number if announced, else the 2-octet field */
	uint32_t id; /* host order */
	uint16_t hold_time; /* seconds */
	bool no_capabilities; /* encode: leave the optional parameters out (RFC 5492 3) */
	bool extended_options; /* the form of RFC 9072; encode: also where it is not needed */
	bool multiprotocol; /* some family was announced; without: IPv4 unicast alone */
	bool afi[SESSION_N_AFI];
	bool as4, refresh, enhanced_refresh, extended_message;
	bool next_hop6; /* IPv4 routes may have IPv6 next hops (RFC 8950) */
	bool graceful_restart, restarting;
	bool graceful_notification; /* N bit, RFC 8538 */
	uint16_t restart_time; /* seconds, 12 bits */
	bool gr_afi[SESSION_N_AFI], gr_forwarding[SESSION_N_AFI];
};

/* body: behind the header. Structure only, RFC 4271 6.2, 5492, 9072; who may peer: the session. */
bool message_open_decode(struct cursor body, struct bgp_open *open, struct bgp_error *error);
void message_open_encode(struct cursor_out *out, const struct bgp_open *open);

void message_keepalive_encode(struct cursor_out *out);
void message_notification_encode(struct cursor_out *out, const struct bgp_error *error);
/* Code and data of a received one; false if it is too short to have any. */
bool message_notification_decode(struct cursor body, struct bgp_error *error);
/* Makes the data of a Cease with a text for the operator (RFC 9003), cut at a character. */
void message_shutdown_set(struct bgp_error *error, uint8_t subcode, const char *text);
/*
 * RFC 8538 3: wraps *error, so that the peer keeps nothing; of the data, what fits.
 * Unwrap: true if it was one, *error is then what was wrapped (Cease / Hard Reset alone, if
 * nothing was).
 */
void message_hard_reset_wrap(struct bgp_error *error);
bool message_hard_reset_unwrap(struct bgp_error *error);
/* The text of a received Cease, escaped; "" if there is none or it is malformed. */
const char *message_shutdown_text(const struct bgp_error *error, char *buf, size_t size);

/* *known false: a family or subtype that is to be ignored. */
bool message_refresh_decode(struct cursor body, enum session_afi *afi, uint8_t *subtype,
			    bool *known, struct bgp_error *error);
void message_refresh_encode(struct cursor_out *out, enum session_afi afi, uint8_t subtype);

/* Begin and end of any message; the end writes the length. */
size_t message_begin(struct cursor_out *out, uint8_t type);
void message_end(struct cursor_out *out, size_t start);

/* Wire number of a family, and back; false if it is not one of ours. */
uint16_t message_afi(enum session_afi afi);
bool message_afi_known(uint16_t afi, uint8_t safi, enum session_afi *out);

#endif
