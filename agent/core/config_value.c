// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single values: text of the file -> number, address, name. Numbers have one
 * spelling (decimal, no sign, no leading zero): what YAML readers make of
 * 010 or 1_000 differs from reader to reader.
 */
#include <ctype.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_private.h"
#include "core/rules.h"

/* Order of the enums in config.h and linux/vgw.h. */
const char *const config_attachment_names[] = { "vpn-gateway", "transit", NULL };
const char *const config_overlap_names[] = { "refuse", "allow", NULL };
const char *const config_reserved_names[] = { "standard", "strict", NULL };
const char *const config_profile_names[] = { "none", "alibaba", "aws", "azure", "gcp", NULL };
const char *const config_gateway_profile_names[] = { "none", "alibaba", NULL };
const char *const config_hash_fields_names[] = { "ports", "addresses", "flow-label", NULL };
const char *const config_routing_names[] = { "destination", "policy", NULL };
const char *const config_transit_names[] = { "deny", "allow", NULL };
const char *const config_source_check_names[] = { "strict", "site", "off", NULL };
const char *const config_on_fail_names[] = { "revoke", "reserve", NULL };

void config_place_set(struct config_place *place, struct config_parse *parse, const char *fmt, ...)
{
	va_list args;

	place->parse = parse;
	va_start(args, fmt);
	vsnprintf(place->path, sizeof(place->path), fmt, args);
	va_end(args);
}

/* Empty values were reported by config_shape.c. */
static bool given(const char *text)
{
	return text && *text;
}

bool config_need(const struct config_place *place, const char *key, const void *value)
{
	if (!value)
		config_fail_key(place, key, "MISSING_KEY", "the key \"%s\" is missing here", key);
	return value;
}

char *config_copy(struct config_parse *parse, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		parse->no_memory = true;
	return copy;
}

void *config_array(struct config_parse *parse, size_t n, size_t size)
{
	void *array;

	if (!n)
		return NULL;
	array = calloc(n, size);
	if (!array)
		parse->no_memory = true;
	return array;
}

static bool parse_u32(const char *text, uint32_t *out)
{
	uint64_t value = 0;

	if (text[0] == '0' && text[1])
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

uint32_t config_number(const struct config_place *place, const char *key, const char *text,
		       uint32_t min, uint32_t max, uint32_t fallback)
{
	uint32_t value;

	if (!given(text))
		return fallback;
	if (parse_u32(text, &value) && value >= min && value <= max)
		return value;
	config_fail_key(place, key, "VALUE",
			"a whole number from %u to %u is expected, not \"%.64s\"", min, max, text);
	return fallback;
}

bool config_flag(const struct config_place *place, const char *key, const char *text, bool fallback)
{
	if (!given(text))
		return fallback;
	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return text[0] == 't';
	config_fail_key(place, key, "VALUE", "true or false is expected, not \"%.64s\"", text);
	return fallback;
}

unsigned int config_choice(const struct config_place *place, const char *key, const char *text,
			   const char *const *names, unsigned int fallback)
{
	char list[128] = "";
	size_t n = 0;

	if (!given(text))
		return fallback;
	for (unsigned int i = 0; names[i]; i++) {
		if (!strcmp(text, names[i]))
			return i;
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", names[i]);
	}
	config_fail_key(place, key, "VALUE", "one of %s is expected, not \"%.64s\"", list, text);
	return fallback;
}

uint32_t config_asn(const struct config_place *place, const char *key, const char *text,
		    uint32_t fallback)
{
	uint32_t asn;

	if (!given(text))
		return fallback;
	if (!rules_asn_parse(text, &asn)) {
		config_fail_key(
			place, key, "ASN_RANGE",
			"an AS number is 1 to 4294967295, or two parts of 0 to 65535 (1.10), "
			"not \"%.64s\"",
			text);
		return 0;
	}
	if (asn != 23456)
		return asn;
	config_fail_key(place, key, "ASN_RESERVED",
			"23456 only stands in for a long AS number toward old speakers (RFC 6793), "
			"nobody can own it");
	return 0;
}

struct addr config_address(const struct config_place *place, const char *key, const char *text,
			   uint8_t family)
{
	struct addr none = { .family = AF_UNSPEC }, address = none;

	if (!given(text))
		return none;
	if (addr_parse(text, &address) && (!family || address.family == family))
		return address;
	config_fail_key(place, key, "VALUE", "an %s address is expected, not \"%.64s\"",
			family == AF_INET ? "IPv4" : "IPv4 or IPv6", text);
	return none;
}

bool config_prefix(const struct config_place *place, const char *key, const char *text,
		   struct prefix *out)
{
	bool host_bits;

	if (!given(text))
		return false;
	if (prefix_parse(text, out, &host_bits))
		return true;
	if (host_bits)
		config_fail_key(
			place, key, "HOST_BITS",
			"\"%.64s\" has bits set behind its length, so it is not clear which "
			"network is meant",
			text);
	else
		config_fail_key(place, key, "VALUE",
				"a prefix such as 10.1.0.0/16 is expected, not \"%.64s\"", text);
	return false;
}

char *config_text(const struct config_place *place, const char *key, const char *text)
{
	if (!text)
		return NULL;
	if (strlen(text) > 255)
		config_fail_key(place, key, "VALUE", "at most 255 bytes are taken, these are %zu",
				strlen(text));
	return config_copy(place->parse, text);
}

char *config_name(const struct config_place *place, const char *key, const char *text)
{
	size_t n, good;

	if (!given(text))
		return NULL;
	n = strlen(text);
	good = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	if (n > CONFIG_NAME_MAX || good != n || !isalnum((unsigned char)text[0]))
		config_fail_key(
			place, key, "NAME",
			"a name has 1 to %u letters, digits, \".\", \"_\" or \"-\" and starts "
			"with a letter or digit; \"%.64s\" does not",
			CONFIG_NAME_MAX, text);
	return config_copy(place->parse, text);
}

/* What the kernel takes as a device's name, less the characters that its tools treat specially. */
char *config_device(const struct config_place *place, const char *key, const char *text)
{
	size_t n;

	if (!given(text))
		return NULL;
	n = strlen(text);
	if (n >= IFNAMSIZ)
		config_fail_key(place, key, "DEVICE_NAME",
				"a device name has at most %u characters, \"%.64s\" has %zu",
				IFNAMSIZ - 1, text, n);
	else if (strcspn(text, "/:%* \"'\\") != n || text[0] == '.' || text[0] == '-')
		config_fail_key(place, key, "DEVICE_NAME", "\"%.64s\" cannot be a device name",
				text);
	return config_copy(place->parse, text);
}

char *config_path(const struct config_place *place, const char *key, const char *text)
{
	if (!given(text))
		return NULL;
	if (text[0] != '/')
		config_fail_key(
			place, key, "VALUE",
			"an absolute path is expected, since the agent does not run where the "
			"file is; \"%.64s\" has no leading /",
			text);
	else if (strlen(text) >= 4096)
		config_fail_key(place, key, "VALUE", "the path is too long");
	return config_copy(place->parse, text);
}
