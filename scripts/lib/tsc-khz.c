// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints this machine's time stamp counter's frequency in kHz. An emulated
 * guest reads the same counter; its own calibration is far off when the host is
 * busy while it boots. The best of several short measurements: an interruption
 * between the two readings of one end only ever spoils that one.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct point {
	double ns;
	double ticks;
	unsigned long long width;	/* ticks that the reading took */
};

static struct point point_read(void)
{
	struct point best = { .width = ~0ULL };
	struct timespec now;

	for (int i = 0; i < 100; i++) {
		unsigned long long before = __rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC, &now);
		after = __rdtsc();
		if (after - before >= best.width)
			continue;
		best.width = after - before;
		best.ticks = (double)before + (double)best.width / 2;
		best.ns = (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct point begin = point_read(), end;

	nanosleep(&pause, NULL);
	end = point_read();
	printf("%.0f\n", (end.ticks - begin.ticks) / (end.ns - begin.ns) * 1e6);
	return 0;
}
