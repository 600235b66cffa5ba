// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the targets without a fuzzing engine: each seed first, then seeds changed at
 * random for some time. The same number gives the same inputs.
 *
 *   fuzz [-t SECONDS] [-n NUMBER] [-s SEEDS] [-d DIRECTORY] [TARGET...]
 *   fuzz -r FILE TARGET	that input only
 *   fuzz -x DIRECTORY		write every seed as a file, for other engines
 *
 * SECONDS (10) are for all targets together. SEEDS (agent/fuzz/seeds) has TARGET.hex,
 * an input a line in hexadecimal ("# " begins a comment), and TARGET/ with one a
 * file. Results are TAP. The input that ended the program is in DIRECTORY (.), as
 * crash-TARGET.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "lib/log.h"
#include "tests/bgp_hex.h"

#define INPUT_MAX 65536
#define HANG_SECONDS 60

struct seed {
	uint8_t *data;
	size_t size;
};

static struct seed *seeds;
static size_t n_seeds;
static const char *crash_directory = ".";
/* What is being run, for the one who looks after a crash. */
static const struct fuzz_target *current;
static uint8_t input[INPUT_MAX];
static size_t input_size;
static uint64_t random_state;

_Noreturn static void die(const char *what, const char *name)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, name);
	exit(2);
}

/* xorshift64*: small, and the same everywhere. */
static uint32_t pick(uint32_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1d) >> 32) % below;
}

/* ---- seeds ---- */

static void seed_add(const void *data, size_t size)
{
	seeds = realloc(seeds, (n_seeds + 1) * sizeof(*seeds));
	if (!seeds || size > INPUT_MAX)
		die("seed too large", current->name);
	seeds[n_seeds].data = malloc(size ? size : 1);
	if (!seeds[n_seeds].data)
		die("no memory", current->name);
	memcpy(seeds[n_seeds].data, data, size);
	seeds[n_seeds++].size = size;
}

static void seeds_clear(void)
{
	while (n_seeds)
		free(seeds[--n_seeds].data);
	free(seeds);
	seeds = NULL;
}

static void seeds_read_lines(const char *directory)
{
	char path[300], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.hex", directory, current->name);
	file = fopen(path, "r");
	if (!file)
		return;
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "#\n")] = '\0';
		if (*line)
			seed_add(input, hex(line, input, sizeof(input)));
	}
	free(line);
	fclose(file);
}

static size_t file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, input, sizeof(input));

	if (n < 0)
		die(strerror(errno), path);
	close(fd);
	return (size_t)n;
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their names, or a run would not be the same everywhere. */
static void seeds_read_files(const char *directory)
{
	struct dirent **entries;
	char path[600];
	int n;

	snprintf(path, sizeof(path), "%s/%s", directory, current->name);
	n = scandir(path, &entries, no_dots, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", directory, current->name,
			 entries[i]->d_name);
		seed_add(input, file_read(path));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void seeds_collect(const struct fuzz_target *target, const char *directory)
{
	current = target;
	if (target->seeds)
		target->seeds(seed_add);
	seeds_read_lines(directory);
	seeds_read_files(directory);
	if (!n_seeds)
		die("no seeds", target->name);
}

/* ---- running ---- */

static void crash_save(void)
{
	char path[300];
	int fd;

	if (!current)
		return;
	snprintf(path, sizeof(path), "%s/crash-%s", crash_directory, current->name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, input, input_size) != (ssize_t)input_size)
		return;
	dprintf(STDERR_FILENO, "fuzz: %s: the input is in %s\n", current->name, path);
	current = NULL;
}

static void on_signal(int number)
{
	static const char hang[] = "fuzz: this input takes too long\n";

	if (number == SIGALRM && write(STDERR_FILENO, hang, sizeof(hang) - 1) < 0)
		_exit(99);
	crash_save();
	_exit(99);
}

/* In memory of exactly its size. */
static void run_one(size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		die("no memory", current->name);
	memcpy(exact, input, size);
	input_size = size;
	current->run(exact, size);
	free(exact);
}

static size_t mutate_bytes(size_t size)
{
	static const uint8_t values[] = {
		0, 1, 2, 3, 4, 8, 16, 17, 32, 33, 127, 128, 129, 254, 255,
	};
	size_t at = pick((uint32_t)size);

	switch (pick(4)) {
	case 0:
		input[at] ^= (uint8_t)(1u << pick(8));
		break;
	case 1:
		input[at] = values[pick(sizeof(values))];
		break;
	case 2:
		input[at] = (uint8_t)(input[at] + pick(9) - 4);
		break;
	default:
		input[at] = (uint8_t)pick(256);
	}
	return size;
}

static size_t mutate_cut(size_t size)
{
	size_t at = pick((uint32_t)size), n = 1 + pick(16);

	if (pick(4) == 0)
		return at;
	n = n < size - at ? n : size - at;
	memmove(input + at, input + at + n, size - at - n);
	return size - n;
}

/* Bytes of this or another seed, put in or written over. */
static size_t mutate_copy(size_t size, size_t max)
{
	const struct seed *from = &seeds[pick((uint32_t)n_seeds)];
	size_t at = pick((uint32_t)size + 1), n, start;

	if (!from->size)
		return size;
	start = pick((uint32_t)from->size);
	n = 1 + pick(pick(4) ? 12 : 200);
	n = n < from->size - start ? n : from->size - start;
	if (pick(2) && n <= size - at) {
		memcpy(input + at, from->data + start, n);
		return size;
	}
	n = n < max - size ? n : max - size;
	memmove(input + at + n, input + at, size - at);
	memcpy(input + at, from->data + start, n);
	return size + n;
}

static size_t mutate(size_t max)
{
	const struct seed *seed = &seeds[pick((uint32_t)n_seeds)];
	size_t size = seed->size < max ? seed->size : max;

	memcpy(input, seed->data, size);
	for (uint32_t n = 1 + pick(6); n; n--) {
		uint32_t how = pick(8);

		if (!size || how == 0)
			size = mutate_copy(size, max);
		else if (how == 1)
			size = mutate_cut(size);
		else
			size = mutate_bytes(size);
	}
	return size;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run_target(unsigned int number, double seconds)
{
	double end = now() + seconds;
	unsigned long rounds = 0;

	for (size_t i = 0; i < n_seeds; i++) {
		alarm(HANG_SECONDS);
		memcpy(input, seeds[i].data, seeds[i].size);
		run_one(seeds[i].size);
	}
	/* Looking at the clock and setting the alarm cost as much as a small input. */
	while (rounds % 16 || now() < end) {
		if (rounds % 16 == 0)
			alarm(HANG_SECONDS);
		run_one(mutate(current->max));
		rounds++;
	}
	alarm(0);
	printf("ok %u - %s: %zu seeds, %lu inputs made of them\n", number, current->name, n_seeds,
	       rounds);
	fflush(stdout);
}

static void export_target(const char *directory)
{
	char path[300];

	mkdir(directory, 0755);
	snprintf(path, sizeof(path), "%s/%s", directory, current->name);
	mkdir(path, 0755);
	for (size_t i = 0; i < n_seeds; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s/seed-%03zu", directory, current->name, i);
		file = fopen(path, "w");
		if (!file || fwrite(seeds[i].data, 1, seeds[i].size, file) != seeds[i].size ||
		    fclose(file))
			die(strerror(errno), path);
	}
}

struct options {
	double seconds;
	uint64_t number;
	const char *seeds, *export, *replay;
};

static void options_read(int argc, char **argv, struct options *options)
{
	int option;

	*options = (struct options){ .seconds = 10, .number = 1, .seeds = "agent/fuzz/seeds" };
	while ((option = getopt(argc, argv, "t:n:s:d:x:r:")) != -1) {
		if (option == 't')
			options->seconds = strtod(optarg, NULL);
		else if (option == 'n')
			options->number = strtoull(optarg, NULL, 0);
		else if (option == 's')
			options->seeds = optarg;
		else if (option == 'd')
			crash_directory = optarg;
		else if (option == 'x')
			options->export = optarg;
		else if (option == 'r')
			options->replay = optarg;
		else
			exit(2);
	}
}

static bool chosen(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static void replay(const char *path, const char *name)
{
	current = name ? fuzz_target_find(name) : NULL;
	if (!current)
		die("no such target", name ? name : "(none given)");
	alarm(HANG_SECONDS);
	run_one(file_read(path));
	printf("%s: nothing wrong with %s\n", name, path);
}

int main(int argc, char **argv)
{
	struct options options;
	unsigned int n = 0;

	options_read(argc, argv, &options);
	for (char **name = argv + optind; *name; name++)
		if (!fuzz_target_find(*name))
			die("no such target", *name);
	log_set_level((enum log_level)-1);
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);
	__sanitizer_set_death_callback(crash_save);
	if (options.replay) {
		replay(options.replay, argv[optind]);
		return 0;
	}
	for (size_t i = 0; fuzz_targets[i]; i++)
		n += chosen(fuzz_targets[i]->name, argv + optind);
	if (!options.export)
		printf("1..%u\n", n);
	for (unsigned int i = 0, number = 0; fuzz_targets[i]; i++) {
		if (!chosen(fuzz_targets[i]->name, argv + optind))
			continue;
		random_state = options.number * 0x9e3779b97f4a7c15 | 1;
		seeds_collect(fuzz_targets[i], options.seeds);
		if (options.export)
			export_target(options.export);
		else
			run_target(++number, options.seconds / n);
		seeds_clear();
	}
	return 0;
}
