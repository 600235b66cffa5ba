// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the made-up table and the addresses to files.
 *
 * usage: routes_write 4|6 ROUTES FILE-OF-ROUTES [FILE-OF-ADDRESSES]
 */
#include <stdio.h>
#include <stdlib.h>

#include "routes.h"

static void write_all(const char *path, const void *data, size_t size, size_t n)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, size, n, file) != n || fclose(file)) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	unsigned int family = argc > 1 ? atoi(argv[1]) : 0;
	uint8_t (*keys)[16] = calloc(2 * KEYS, sizeof(*keys));

	if (!keys || argc < 4 || (family != 4 && family != 6)) {
		fputs("usage: see the head of routes_write.c\n", stderr);
		return 1;
	}
	routes_make(family, atoi(argv[2]), 1);
	write_all(argv[3], routes, sizeof(*routes), n_routes);
	if (argc > 4) {
		routes_keys(family, keys);
		write_all(argv[4], keys, sizeof(*keys), 2 * KEYS);
	}
	return 0;
}
