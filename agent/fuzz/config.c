// SPDX-License-Identifier: GPL-2.0-only
/* The configuration file. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "core/config.h"

static void check_errors(const struct config_errors *errors, size_t lines)
{
	char text[CONFIG_ERROR_STRLEN];

	for (size_t i = 0; i < errors->n; i++) {
		const struct config_error *error = &errors->list[i];

		FUZZ_CHECK(error->code && error->text[0]);
		FUZZ_CHECK(error->line <= lines + 1);
		fuzz_check_text(config_error_format("vgw.yaml", error, text, sizeof(text)));
	}
}

static void count_change(void *ctx, const struct config_change *change)
{
	++*(size_t *)ctx;
	fuzz_check_text(change->object);
	fuzz_check_text(change->name);
	fuzz_check_text(change->detail);
}

/* Against another file there are changes, with what is in both as their text. */
static void check_diff(struct config *config)
{
	static const char text[] =
		"gateway: { name: vgw0, local-asn: 65000 }\n"
		"customer-gateways: [{ name: cg1, address: 198.51.100.9, asn: 65009 }]\n"
		"connections: [{ name: c1, customer-gateway: cg1,\n"
		"  tunnels: [{ name: t1, inside-cidr: 169.254.99.0/30, if-id: 99 }] }]\n";
	struct config_errors errors = { .n = 0 };
	struct config *other = config_parse(text, sizeof(text) - 1, &errors);
	size_t changes = 0;

	FUZZ_CHECK(other);
	config_diff(other, config, count_change, &changes);
	config_diff(config, other, count_change, &changes);
	config_errors_free(&errors);
	config_free(other);
}

static void config_run(const uint8_t *data, size_t size)
{
	struct config_errors errors = { .n = 0 };
	struct config *config = config_parse((const char *)data, size, &errors), *again;
	size_t lines = 1, changes = 0;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r';
	if (!config) {
		FUZZ_CHECK(errors.n);
		check_errors(&errors, lines);
		config_errors_free(&errors);
		return;
	}
	check_errors(&config->warnings, lines);
	config_errors_free(&errors);
	/* The same file is no change. */
	again = config_parse((const char *)data, size, &errors);
	FUZZ_CHECK(again);
	FUZZ_CHECK(!config_diff(config, again, count_change, &changes) && !changes);
	check_diff(config);
	config_errors_free(&errors);
	config_free(again);
	config_free(config);
}

const struct fuzz_target fuzz_config = { "config", 4096, config_run, NULL };
