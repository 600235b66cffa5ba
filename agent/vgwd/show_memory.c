// SPDX-License-Identifier: GPL-2.0-only
/* What the agent's memory is used for, type by type; what is not in a row is small. */
#include <stdio.h>
#include <unistd.h>

#include "vgwd/verbs.h"

static void memory_row(struct control_reply *reply, const char *type, size_t count, size_t bytes)
{
	control_reply_row(reply, json_pack("{s:s,s:I,s:I}", "type", type, "count",
					   (json_int_t)count, "bytes", (json_int_t)bytes));
}

/* 0: it cannot be told. */
static size_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long size, resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

void show_memory(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct gateway *gateway = ctx;
	struct fib_counters fib = fib_counters(gateway->fib);
	struct rib_memory rib, domain = {0};

	(void)args;
	rib_memory(gateway->rib, &rib);
	if (gateway->domain)
		rib_memory(gateway->domain, &domain);
	memory_row(reply, "prefixes", rib.n_prefixes + domain.n_prefixes,
		   rib.prefixes + domain.prefixes);
	memory_row(reply, "paths", rib.n_paths + domain.n_paths, rib.paths + domain.paths);
	memory_row(reply, "waiting", rib.n_waiting + domain.n_waiting,
		   rib.waiting + domain.waiting);
	memory_row(reply, "attribute-sets", attrs_count(), attrs_memory());
	memory_row(reply, "module-routes", fib.routes, fib.memory);
	memory_row(reply, "timeline", timeline_last(gateway->timeline) < TIMELINE_EVENTS ?
			   timeline_last(gateway->timeline) : TIMELINE_EVENTS,
		   timeline_memory(gateway->timeline));
	memory_row(reply, "process", 1, resident_bytes());
	control_reply_done(reply);
}
