// SPDX-License-Identifier: GPL-2.0-only
/* A message of charon, as the reader and the two users of it see it. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "sys/ike_internal.h"
#include "sys/vici.h"

static void read_all(const uint8_t *data, size_t size)
{
	struct vici_reader reader;
	enum vici_element element;
	unsigned int depth = 0;
	bool list = false;
	char text[40];

	vici_reader_init(&reader, data, size);
	while ((element = vici_next(&reader)) > VICI_END) {
		depth += element == VICI_SECTION_START;
		FUZZ_CHECK(element != VICI_SECTION_END || depth--);
		FUZZ_CHECK(list == (element == VICI_LIST_ITEM || element == VICI_LIST_END));
		list = element == VICI_LIST_START || element == VICI_LIST_ITEM;
		FUZZ_CHECK(strlen(reader.name) < sizeof(reader.name));
		if (element != VICI_KEY_VALUE && element != VICI_LIST_ITEM)
			continue;
		FUZZ_CHECK(reader.value >= data && reader.value + reader.value_len <= data + size);
		fuzz_check_text(vici_text(&reader, text, sizeof(text)));
		fuzz_check_text(vici_text(&reader, text, 1));
		vici_is(&reader, "ESTABLISHED");
	}
	FUZZ_CHECK(element == VICI_BAD || (!depth && !list));
	/* It stays at its end. */
	FUZZ_CHECK(vici_next(&reader) == element);
}

static void read_sections(const uint8_t *data, size_t size)
{
	struct vici_reader reader;
	enum vici_element element;

	vici_reader_init(&reader, data, size);
	while ((element = vici_next(&reader)) > VICI_END) {
		unsigned int depth = reader.depth;

		if (element != VICI_SECTION_START)
			continue;
		if (!vici_skip(&reader))
			return;
		FUZZ_CHECK(reader.depth == depth - 1);
	}
}

static void read_as_list_of_sas(const uint8_t *data, size_t size)
{
	struct vici_reader reader;
	struct ike_look look = { .connecting = false };

	vici_reader_init(&reader, data, size);
	if (vici_next(&reader) != VICI_SECTION_START)
		return;
	ike_look_read(&look, &reader);
	fuzz_check_text(look.ike_cipher);
	fuzz_check_text(look.child_cipher);
}

static void read_as_log_line(const uint8_t *data, size_t size)
{
	char name[64] = "", reason[160] = "";
	struct vici_reader reader;

	vici_reader_init(&reader, data, size);
	if (!ike_log_reason(&reader, name, sizeof(name), reason, sizeof(reason)))
		return;
	fuzz_check_text(name);
	fuzz_check_text(reason);
}

static void vici_run(const uint8_t *data, size_t size)
{
	read_all(data, size);
	read_sections(data, size);
	read_as_list_of_sas(data, size);
	read_as_log_line(data, size);
}

/* Elements: 1 and 2 begin and end a section, 3 is a key with its value, 4 to 6 are a list. */
static const char sas[] =
	"\1\4conn"
	"\3\10uniqueid\0\0012" "\3\5state\0\13ESTABLISHED" "\3\10encr-alg\0\7AES_GCM"
	"\3\14encr-keysize\0\003256" "\3\7prf-alg\0\21PRF_HMAC_SHA2_256" "\3\10dh-group\0\7ECP_256"
	"\1\11child-sas" "\1\6conn-1"
	"\3\4name\0\4conn" "\3\5state\0\11INSTALLED" "\3\10encr-alg\0\7AES_GCM"
	"\3\10if-id-in\0\0105600000a"
	"\4\10local-ts\5\0\0110.0.0.0/0\6" "\2\2\2";

static const char log_line[] =
	"\3\5group\0\3IKE" "\3\5level\0\0011" "\3\12ikesa-name\0\4conn"
	"\3\3msg\0\60received AUTHENTICATION_FAILED notify error \x1b[2J\r\n";

static void vici_seeds(fuzz_add add)
{
	static const char *const odd[] = {
		"\2", "\6", "\5\0\1a", "\1\1a\1\1b\2", "\4\1a\4\1b\6\6", "\3\377k", "\7",
		"\4\1l\5\377\377a", "\1\0\2\3\0",
	};

	add(sas, sizeof(sas) - 1);
	add(log_line, sizeof(log_line) - 1);
	add("\3\7success\0\3yes", 14);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		add(odd[i], strlen(odd[i]));
	/* Sections in sections, as deep as it gets. */
	for (size_t depth = 15; depth < 19; depth++) {
		char text[100];

		for (size_t i = 0; i < depth; i++) {
			memcpy(text + 3 * i, "\1\1s", 3);
			text[3 * depth + i] = 2;
		}
		add(text, 4 * depth);
	}
}

const struct fuzz_target fuzz_vici = { "vici", 4096, vici_run, vici_seeds };
