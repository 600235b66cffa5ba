// SPDX-License-Identifier: GPL-2.0-only
/* The targets for libFuzzer, which has its own main(): FUZZ_TARGET in the environment names one. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "lib/log.h"

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ_TARGET");

	target = name ? fuzz_target_find(name) : NULL;
	if (!target) {
		fprintf(stderr, "FUZZ_TARGET must name one of:");
		for (size_t i = 0; fuzz_targets[i]; i++)
			fprintf(stderr, " %s", fuzz_targets[i]->name);
		fprintf(stderr, "\n");
		exit(2);
	}
	log_set_level((enum log_level)-1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	target->run(data, size);
	return 0;
}
