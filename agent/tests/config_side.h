/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the configuration share: a small good file in pieces, and ways to read one. */
#ifndef VGW_TESTS_CONFIG_SIDE_H
#define VGW_TESTS_CONFIG_SIDE_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/config.h"

/* One line each, so that lines can be counted below. */
#define CG1 "- {name: cg1, address: 198.51.100.2, asn: 65010}\n"
#define CGS "customer-gateways:\n" CG1 /* lines 1-2 */
#define CONN "connections:\n- name: c1\n  customer-gateway: cg1\n  tunnels:\n" /* lines 3-6 */
#define T1 "  - {name: t1, inside-cidr: 169.254.10.0/30}\n"
#define T2 "  - {name: t2, inside-cidr: 169.254.10.4/30}\n"
#define GOOD CGS CONN T1 /* lines 1-7 */
#define BGP "  bgp: {}\n"

/* Path of a file beside this one. */
static inline const char *beside(const char *name)
{
	static char path[PATH_MAX];
	const char *slash = strrchr(__FILE__, '/');

	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__,
		 name);
	return path;
}

static inline struct config *parse(const char *text, struct config_errors *errors)
{
	return config_parse(text, strlen(text), errors);
}

static inline struct config *parse_good(const char *text)
{
	struct config_errors errors;
	struct config *config = parse(text, &errors);
	char line[CONFIG_ERROR_STRLEN];

	for (size_t i = 0; i < errors.n; i++)
		print_error("%s\n",
			    config_error_format("good", &errors.list[i], line, sizeof(line)));
	assert_non_null(config);
	assert_int_equal(errors.n, 0);
	config_errors_free(&errors);
	return config;
}

static inline struct config *load_good(const char *name)
{
	struct config_errors errors;
	struct config *config = config_load(beside(name), &errors);
	char line[CONFIG_ERROR_STRLEN];

	for (size_t i = 0; i < errors.n; i++)
		print_error("%s\n", config_error_format(name, &errors.list[i], line, sizeof(line)));
	assert_non_null(config);
	config_errors_free(&errors);
	return config;
}

#endif
