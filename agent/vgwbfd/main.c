// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgw-bfd: BFD (RFC 5880, 5881) for vgwd, in a process of its own: it goes on
 * while the agent is dead, upgraded or busy. It does as little as it can: no
 * configuration, no netlink, nothing but timers and small packets.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "bfd/control.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "vgwbfd/server.h"

#ifndef VGW_VERSION
#error "VGW_VERSION comes from the Makefile"
#endif

#define HOLD_DEFAULT 120
#define HOLD_MAX 86400

struct arguments {
	const char *socket;
	uint32_t hold;
};

struct daemon {
	struct loop *loop;
	struct bfd_server *server;
	struct loop_signal *term, *interrupt;
	struct loop_timer *watchdog;
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' }, { "hold", required_argument, NULL, 'H' },
	{ "log", required_argument, NULL, 'l' },    { "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },	    { 0 },
};

static void usage(FILE *out)
{
	fputs("Usage: vgw-bfd [-s PATH] [-H SECONDS] [-l LEVEL]\n"
	      "\n"
	      "  -s, --socket PATH   where vgwd connects (default " BFD_CONTROL_PATH ")\n"
	      "  -H, --hold SECONDS  how long sessions go on without the agent (default 120)\n"
	      "  -l, --log LEVEL     error, warning, info (default) or debug\n"
	      "  -V, --version       print the version and leave\n"
	      "  -h, --help          this text\n"
	      "\n"
	      "Detects failed paths for vgwd, which tells it what to watch. Runs in the\n"
	      "foreground. SIGTERM switches the sessions off, which no peer takes for a failure.\n",
	      out);
}

static bool parse_hold(const char *text, uint32_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > HOLD_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

static int complain(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "vgw-bfd: --%s: \"%s\" is not %s\n", option, value, wanted);
	return 3;
}

/* 0: go on; else the exit status plus one. */
static int parse_arguments(int argc, char **argv, struct arguments *args)
{
	enum log_level level;
	int option;

	while ((option = getopt_long(argc, argv, "s:H:l:Vh", options, NULL)) != -1) {
		switch (option) {
		case 's':
			args->socket = optarg;
			break;
		case 'H':
			if (!parse_hold(optarg, &args->hold))
				return complain("hold", optarg, "0 to 86400 seconds");
			break;
		case 'l':
			if (!log_level_parse(optarg, &level))
				return complain("log", optarg, "error, warning, info or debug");
			log_set_level(level);
			break;
		case 'V':
			puts("vgw-bfd " VGW_VERSION);
			return 1;
		case 'h':
			usage(stdout);
			return 1;
		default:
			usage(stderr);
			return 3;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "vgw-bfd: unexpected argument \"%s\"\n", argv[optind]);
	return 3;
}

static void on_stop(void *ctx)
{
	loop_stop(((struct daemon *)ctx)->loop);
}

static void on_watchdog(void *ctx)
{
	struct daemon *daemon = ctx;

	notify_watchdog();
	loop_timer_start(daemon->watchdog, notify_watchdog_period());
}

/*
 * A page that has to be read from a busy disk takes longer than a detection time. Later pages
 * only without a limit: at a limit there would be no memory at all. Two sockets a session.
 */
static void limits_set(void)
{
	struct rlimit limit;
	int flags = MCL_CURRENT;

	if (!getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur == RLIM_INFINITY)
		flags |= MCL_FUTURE;
	if (mlockall(flags))
		log_debug(NULL, "memory is not locked: %m");
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_debug(NULL, "the limit of file descriptors stays: %m");
}

static bool daemon_start(struct daemon *daemon, const struct arguments *args)
{
	char err[256] = "out of memory";

	daemon->loop = loop_new();
	if (daemon->loop) {
		daemon->term = loop_signal_new(daemon->loop, SIGTERM, on_stop, daemon);
		daemon->interrupt = loop_signal_new(daemon->loop, SIGINT, on_stop, daemon);
		daemon->watchdog = loop_timer_new(daemon->loop, on_watchdog, daemon);
	}
	if (daemon->term && daemon->interrupt && daemon->watchdog)
		daemon->server = bfd_server_new(daemon->loop, args->socket, args->hold, err,
						sizeof(err));
	if (!daemon->server)
		log_error(NULL, "%s", err);
	return daemon->server;
}

static void daemon_free(struct daemon *daemon)
{
	bfd_server_free(daemon->server);
	loop_signal_free(daemon->term);
	loop_signal_free(daemon->interrupt);
	loop_timer_free(daemon->watchdog);
	if (daemon->loop)
		loop_free(daemon->loop);
}

int main(int argc, char **argv)
{
	struct arguments args = { .socket = BFD_CONTROL_PATH, .hold = HOLD_DEFAULT };
	struct daemon daemon = { 0 };
	int status = parse_arguments(argc, argv, &args);

	if (status)
		return status - 1;
	status = 1;
	limits_set();
	if (daemon_start(&daemon, &args)) {
		log_info(NULL, "vgw-bfd " VGW_VERSION " started");
		notify_ready();
		if (notify_watchdog_period())
			on_watchdog(&daemon);
		status = loop_run(daemon.loop) ? 1 : 0;
		notify_stopping();
	}
	daemon_free(&daemon);
	return status;
}
