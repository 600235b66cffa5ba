// SPDX-License-Identifier: GPL-2.0-only
/*
 * What vgwctl makes of rows: the first octet chooses the view and its layout, the others
 * say what the rows are. Keys are those that the views look for, values are of any type.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cursor.h"
#include "vgwctl/views.h"

#define DEPTH_MAX 4
#define ROWS 2

static const char *const keys[] = {
	"accepted", "advertised", "as4", "aside", "as_path", "attachment", "attempts", "backlog",
	"bfd",
	"bfd_detection_ms", "bfd_diag", "bgp", "bucket", "buckets", "cache", "cache4", "cache6",
	"cache_fills", "cache_hits", "cache_unused", "candidates", "capabilities",
	"child_cipher", "class", "code", "connection", "dead", "destination", "detail", "dev",
	"drop_blocked", "drop_dead", "drop_isolation", "drop_loop", "drop_miss", "drop_no_memory",
	"drop_reserved", "drop_source", "drop_too_big", "dropped", "effective", "end_of_rib",
	"error", "established_count", "failover", "families", "flow", "gateway", "generation",
	"generation_open", "graceful_restart", "group", "groups", "guard", "hash",
	"hash_fields", "hash_idle_ms", "hash_seed",
	"drain", "drained", "empty", "not_kept", "others_up", "quiet_ms",
	"hold_time", "id", "if_id", "ifindex", "ike", "ike_cipher", "inside", "inside_peer",
	"installed", "interface", "keepalive", "kept", "kernel", "kind", "last_code", "last_error",
	"last_rx_ms", "last_subcode", "live", "local", "local_as", "local_asn", "local_pref", "med",
	"members", "memory", "messages_in", "messages_out", "module", "mss_clamped", "mtu", "name",
	"next_hop", "next_hops", "note", "object", "on_fail", "origin", "packets", "paths", "peer",
	"peer_as", "peer_id", "peer_restart_time", "ports", "prefix", "proto", "protocol_version",
	"published", "quota", "quota_used", "reason", "received", "refresh", "refused",
	"refused_error", "rejected", "rekeys", "remote", "result", "retry_ms", "route",
	"router_id", "routes", "rx", "rx_bytes", "rx_packets", "rx_refused", "sent", "since",
	"since_ms", "site", "spi", "stale", "state", "state4", "state6",
	"stats", "step", "steps", "text", "timers",
	"transitions", "tunnel", "tunnels", "tunnels_up", "tx", "tx_bytes", "tx_errors",
	"tx_packets", "type", "up", "updates_in", "updates_out", "uptime_ms", "verdict", "vgwctl",
	"vrf", "warnings", "weight", "after_ns", "answered", "cause", "event", "health", "line",
	"lost_in_row", "rtt_ms", "rule", "time", "warning", "what", "why",
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const struct view *const views[] = {
	&view_gateway, &view_tunnels, &view_peers,  &view_routes,
	&view_groups,  &view_explain, &view_reload, &view_version,
	&view_memory,  &view_warnings, &view_timeline, &view_monitor,
	&view_drain,
};

#define N_VIEWS (sizeof(views) / sizeof(views[0]))

/* What comes over the socket is whole characters and no NUL; the words are known to some view. */
static json_t *string_make(struct cursor *c)
{
	static const char *const words[] = { "established", "stopped", "dynamic", "up", "down" };
	size_t len = cursor_u8(c) % 40;
	const char *bytes;

	if (len < sizeof(words) / sizeof(words[0]))
		return json_string(words[len]);
	if (len > c->left)
		len = c->left;
	bytes = (const char *)cursor_bytes(c, len);
	return json_stringn(bytes, strnlen(bytes, len));
}

static json_t *value_make(struct cursor *c, unsigned int depth);

static json_t *object_make(struct cursor *c, unsigned int depth, size_t n)
{
	json_t *object = json_object();

	while (c->left && n--)
		json_object_set_new(object, keys[cursor_u8(c) % N_KEYS],
				    value_make(c, depth + 1));
	return object;
}

static json_t *array_make(struct cursor *c, unsigned int depth, size_t n)
{
	json_t *array = json_array();

	while (c->left && n--)
		json_array_append_new(array, value_make(c, depth + 1));
	return array;
}

/* Never NULL: what cannot be made is null. */
static json_t *value_make(struct cursor *c, unsigned int depth)
{
	uint8_t how = cursor_u8(c);
	json_t *value = NULL;

	switch (how % 8) {
	case 1:
		value = json_integer((json_int_t)((uint64_t)cursor_u32(c) << (how / 8)));
		break;
	case 2:
		value = json_real((double)(int32_t)cursor_u32(c) * 1e30);
		break;
	case 3:
		value = json_boolean(how & 8);
		break;
	case 4:
	case 5:
		value = string_make(c);
		break;
	case 6:
		value = depth < DEPTH_MAX ? array_make(c, depth, how / 8 % 4) : NULL;
		break;
	case 7:
		value = depth < DEPTH_MAX ? object_make(c, depth, 1u + how / 8 % 8) : NULL;
		break;
	}
	return value ? value : json_null();
}

/* The answer as text; to be freed. */
static char *answer(struct writer *(*make)(FILE *out, uint8_t how), uint8_t how,
		    json_t *const *rows)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct writer *writer = out ? make(out, how) : NULL;

	FUZZ_CHECK(writer);
	for (size_t i = 0; i < ROWS; i++)
		writer_row(writer, rows[i]);
	FUZZ_CHECK(!writer_end(writer, true));
	fclose(out);
	FUZZ_CHECK(strlen(text) == size);
	return text;
}

static struct writer *text_make(FILE *out, uint8_t how)
{
	return writer_text_new(out, views[how / 2 % N_VIEWS], how & 1);
}

static struct writer *json_make(FILE *out, uint8_t how)
{
	return writer_json_new(out, false);
}

static void check_lines(char *text)
{
	for (char *line = text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		fuzz_check_text(line);
	}
}

static void check_json(const char *text, json_t *const *rows)
{
	json_t *array = json_loads(text, 0, NULL);

	FUZZ_CHECK(json_array_size(array) == ROWS);
	for (size_t i = 0; i < ROWS; i++)
		FUZZ_CHECK(json_object_size(json_array_get(array, i)) == json_object_size(rows[i]));
	json_decref(array);
}

static void show_run(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_make(data, size);
	uint8_t how = cursor_u8(&c);
	json_t *rows[ROWS];
	char *text;

	for (size_t i = 0; i < ROWS; i++)
		rows[i] = object_make(&c, 0, i ? SIZE_MAX : 1u + cursor_u8(&c) % 64);
	text = answer(text_make, how, rows);
	check_lines(text);
	free(text);
	text = answer(json_make, how, rows);
	check_json(text, rows);
	free(text);
	for (size_t i = 0; i < ROWS; i++)
		json_decref(rows[i]);
}

/* For each view every key once, with values of each type in turn, strings with controls too. */
static void show_seeds(fuzz_add add)
{
	static const char text[] = "\x1b[2J \xd8\x9c\xe2\x80\xae\n\xc3\xa4 name";
	uint8_t data[2 + N_KEYS * (3 + sizeof(text))];

	for (uint8_t how = 0; how < 2 * N_VIEWS; how++) {
		for (uint8_t type = 1; type < 8; type++) {
			size_t n = 2;

			data[0] = how;
			data[1] = 60;
			for (size_t key = 0; key < N_KEYS; key++) {
				data[n++] = (uint8_t)key;
				data[n++] = (uint8_t)(type + 8 * (key % 5));
				if (type < 4)
					continue;
				data[n++] = sizeof(text) - 1;
				memcpy(data + n, text, sizeof(text) - 1);
				n += sizeof(text) - 1;
			}
			add(data, n);
		}
	}
}

const struct fuzz_target fuzz_show = { "show", 2048, show_run, show_seeds };
