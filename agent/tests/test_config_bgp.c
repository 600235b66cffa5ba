// SPDX-License-Identifier: GPL-2.0-only
/* The keys of "bgp": defaults, values, what is refused and where, what a reload reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/config.h"

/* The section is on line 5. */
#define HEAD \
	"customer-gateways:\n- {name: cg1, address: 198.51.100.2, asn: 65010}\n" \
	"connections:\n- name: c1\n"
#define TAIL \
	"  customer-gateway: cg1\n  tunnels:\n" \
	"  - {name: t1, inside-cidr: 169.254.10.0/30}\n"
#define BGP(keys) HEAD "  bgp: {" keys "}\n" TAIL

static struct config *parse(const char *text)
{
	struct config_errors errors;
	struct config *config = config_parse(text, strlen(text), &errors);

	if (!config)
		fail_msg("%s", errors.list[0].text);
	config_errors_free(&errors);
	return config;
}

static void test_defaults(void **state)
{
	struct config *config = parse(BGP(""));
	const struct config_bgp *bgp = config->connections[0].bgp;

	assert_int_equal(bgp->send_hold, 0);
	assert_int_equal(bgp->delay_open, 0);
	assert_int_equal(bgp->idle_hold_max, 60);
	assert_int_equal(bgp->tcp_mss, 0);
	assert_true(bgp->extended_messages);
	assert_false(bgp->graceful_notification);
	config_free(config);
}

static void test_values(void **state)
{
	struct config *config = parse(BGP("hold-time: 9, send-hold: 10, delay-open: 240, "
					  "idle-hold-max: 3600, tcp-mss: 88, "
					  "extended-messages: false, "
					  "graceful-notification: true"));
	const struct config_bgp *bgp = config->connections[0].bgp;

	assert_int_equal(bgp->send_hold, 10);
	assert_int_equal(bgp->delay_open, 240);
	assert_int_equal(bgp->idle_hold_max, 3600);
	assert_int_equal(bgp->tcp_mss, 88);
	assert_false(bgp->extended_messages);
	assert_true(bgp->graceful_notification);
	config_free(config);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *key, *code, *says;
		unsigned int column;
	} cases[] = {
		{ BGP("send-hold: 30"), "send-hold", "BGP_TIMERS", "hold time of 30 s", 20 },
		{ BGP("hold-time: 9, send-hold: 9"), "send-hold", "BGP_TIMERS", "RFC 9687", 34 },
		{ BGP("send-hold: 65536"), "send-hold", "VALUE", "0 to 65535", 20 },
		{ BGP("delay-open: 241"), "delay-open", "VALUE", "0 to 240", 21 },
		{ BGP("idle-hold-max: 0"), "idle-hold-max", "VALUE", "1 to 3600", 24 },
		{ BGP("tcp-mss: 87"), "tcp-mss", "VALUE", "88 to 32767", 18 },
		{ BGP("tcp-mss: 32768"), "tcp-mss", "VALUE", "32767", 18 },
		{ BGP("extended-messages: yes"), "extended-messages", "VALUE", "true or false", 28 },
		{ BGP("graceful-notification: 1"), "graceful-notification", "VALUE",
		  "true or false", 32 },
		{ BGP("idle-hold: 3"), "idle-hold", "UNKNOWN_KEY", "idle-hold-max", 9 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_errors errors;
		char path[80];

		assert_null(config_parse(cases[i].text, strlen(cases[i].text), &errors));
		assert_int_equal(errors.n, 1);
		snprintf(path, sizeof(path), "connections[0].bgp.%s", cases[i].key);
		assert_string_equal(errors.list[0].path, path);
		assert_string_equal(errors.list[0].code, cases[i].code);
		if (!strstr(errors.list[0].text, cases[i].says))
			fail_msg("%s", errors.list[0].text);
		assert_int_equal(errors.list[0].line, 5);
		assert_int_equal(errors.list[0].column, cases[i].column);
		config_errors_free(&errors);
	}
}

struct changes {
	size_t n;
	char text[16][260];
};

static void collect(void *ctx, const struct config_change *change)
{
	struct changes *changes = ctx;

	assert_int_equal(change->kind, CONFIG_CHANGED);
	assert_true(changes->n < 16);
	snprintf(changes->text[changes->n++], 260, "%s %s", change->name, change->detail);
}

static void test_diff(void **state)
{
	static const char *const expected[] = {
		"c1 bgp.send-hold 0 -> 100",
		"c1 bgp.delay-open 0 -> 2",
		"c1 bgp.idle-hold-max 60 -> 5",
		"c1 bgp.tcp-mss 0 -> 1000",
		"c1 bgp.extended-messages true -> false",
		"c1 bgp.graceful-notification false -> true",
	};
	struct config *old = parse(BGP(""));
	struct config *new = parse(BGP("graceful-notification: true, extended-messages: false, "
				       "tcp-mss: 1000, idle-hold-max: 5, delay-open: 2, "
				       "send-hold: 100"));
	struct changes changes = { 0 };

	assert_int_equal(config_diff(old, old, collect, &changes), 0);
	assert_int_equal(changes.n, 0);
	assert_int_equal(config_diff(old, new, collect, &changes), 0);
	assert_int_equal(changes.n, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < changes.n; i++)
		assert_string_equal(changes.text[i], expected[i]);
	config_free(old);
	config_free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
