// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the made-up table and the addresses to files.
 *
 * usage: routes_write 4|6 ROUTES FILE-OF-ROUTES [FILE-OF-ADDRESSES]
 *
 * The routes are in random order; FILE-OF-ROUTES.sorted has them by address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routes.h"

static void write_all(const char *path, const void *data, size_t size, size_t n)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, size, n, file) != n || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	return memcmp(x->addr, y->addr, sizeof(x->addr)) ?: x->len - y->len;
}

int main(int argc, char **argv)
{
	unsigned int family = argc > 1 ? atoi(argv[1]) : 0;
	char sorted[4096];
	uint8_t (*keys)[16] = calloc(2 * KEYS, sizeof(*keys));

	if (!keys || argc < 4 || (family != 4 && family != 6)) {
		fputs("usage: see the head of routes_write.c\n", stderr);
		return 1;
	}
	routes_make(family, atoi(argv[2]), 1);
	write_all(argv[3], routes, sizeof(*routes), n_routes);
	if (snprintf(sorted, sizeof(sorted), "%s.sorted", argv[3]) >= (int)sizeof(sorted))
		return 1;
	if (argc > 4) {
		routes_keys(family, keys);
		write_all(argv[4], keys, sizeof(*keys), 2 * KEYS);
	}
	qsort(routes, n_routes, sizeof(*routes), by_address);
	write_all(sorted, routes, sizeof(*routes), n_routes);
	return 0;
}
