// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgwd: reads the configuration, runs one gateway, answers on the control
 * socket. SIGHUP reloads. SIGTERM and SIGINT leave with the kernel forwarding
 * on what it holds and the peers keeping our routes (graceful restart).
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "vgwd/gateway.h"
#include "vgwd/verbs.h"

#ifndef VGW_VERSION
#error "VGW_VERSION comes from the Makefile"
#endif

#define DEFAULT_CONFIG "/etc/vgw/vgw.yaml"

struct arguments {
	const char *path;
	bool level_given; /* else the file's */
	enum log_level level;
	bool guards;
};

struct daemon {
	struct loop *loop;
	struct gateway *gateway;
	struct control *control;
	struct loop_signal *term, *interrupt, *hangup;
	struct loop_timer *watchdog;
};

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'}, {"guards", no_argument, NULL, 'g'},
	{"log", required_argument, NULL, 'l'},	  {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},	  {0},
};

static void usage(FILE *out)
{
	fputs("Usage: vgwd [-c FILE] [-l LEVEL]\n"
	      "       vgwd -g [-c FILE]\n"
	      "\n"
	      "  -c, --config FILE   configuration (default " DEFAULT_CONFIG ")\n"
	      "  -g, --guards        only put the guard routes into the system table, then leave:\n"
	      "                      for early at boot, before the network is up\n"
	      "  -l, --log LEVEL     error, warning, info or debug, instead of the file's\n"
	      "  -V, --version       print the version and leave\n"
	      "  -h, --help          this text\n"
	      "\n"
	      "Runs in the foreground. SIGHUP reloads the configuration; SIGTERM leaves\n"
	      "while the kernel goes on forwarding. Check a file with 'vgwctl check FILE'.\n",
	      out);
}

static void on_stop(void *ctx)
{
	loop_stop(((struct daemon *)ctx)->loop);
}

static void on_reload(void *ctx)
{
	struct daemon *daemon = ctx;
	char err[CONFIG_ERROR_STRLEN];

	notify_reloading();
	if (gateway_reload(daemon->gateway, false, NULL, NULL, err, sizeof(err)))
		log_error("reload", "%s", err);
	notify_ready();
}

static void on_watchdog(void *ctx)
{
	struct daemon *daemon = ctx;

	notify_watchdog();
	loop_timer_start(daemon->watchdog, notify_watchdog_period());
}

static void print_errors(const char *path, const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		char line[CONFIG_ERROR_STRLEN];

		fprintf(stderr, "%s\n",
			config_error_format(path, &errors->list[i], line, sizeof(line)));
	}
}

/* 0: go on; else the exit status plus one. */
static int parse_arguments(int argc, char **argv, struct arguments *args)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:gl:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			args->path = optarg;
			break;
		case 'g':
			args->guards = true;
			break;
		case 'l':
			args->level_given = log_level_parse(optarg, &args->level);
			if (args->level_given)
				break;
			fprintf(stderr,
				"vgwd: --log: \"%s\" is not error, warning, info or debug\n",
				optarg);
			return 3;
		case 'V':
			puts("vgwd " VGW_VERSION);
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
	fprintf(stderr, "vgwd: unexpected argument \"%s\"\n", argv[optind]);
	return 3;
}

static bool daemon_signals(struct daemon *daemon)
{
	daemon->term = loop_signal_new(daemon->loop, SIGTERM, on_stop, daemon);
	daemon->interrupt = loop_signal_new(daemon->loop, SIGINT, on_stop, daemon);
	daemon->hangup = loop_signal_new(daemon->loop, SIGHUP, on_reload, daemon);
	daemon->watchdog = loop_timer_new(daemon->loop, on_watchdog, daemon);
	return daemon->term && daemon->interrupt && daemon->hangup && daemon->watchdog;
}

static bool daemon_start(struct daemon *daemon, const char *path, struct config *config)
{
	char err[CONFIG_ERROR_STRLEN] = "out of memory";

	daemon->loop = loop_new();
	if (!daemon->loop || !daemon_signals(daemon)) {
		config_free(config);
		log_error(NULL, "%s", err);
		return false;
	}
	daemon->gateway = gateway_new(daemon->loop, path, config, err, sizeof(err));
	if (daemon->gateway)
		daemon->control = control_new(daemon->loop, config->control_socket,
					      config->control_group, verbs_table, daemon->gateway,
					      err, sizeof(err));
	if (!daemon->control)
		log_error(NULL, "%s", err);
	return daemon->control;
}

static void daemon_free(struct daemon *daemon)
{
	control_free(daemon->control);
	gateway_free(daemon->gateway);
	loop_signal_free(daemon->term);
	loop_signal_free(daemon->interrupt);
	loop_signal_free(daemon->hangup);
	loop_timer_free(daemon->watchdog);
	if (daemon->loop)
		loop_free(daemon->loop);
}

static int run_guards(struct config *config)
{
	char err[CONFIG_ERROR_STRLEN];
	struct loop *loop = loop_new();
	int ret = loop ? gateway_guards_only(loop, config, err, sizeof(err)) : -ENOMEM;

	if (ret)
		log_error(NULL, "guard routes: %s", loop ? err : "out of memory");
	if (loop)
		loop_free(loop);
	config_free(config);
	return ret ? 1 : 0;
}

static int run_daemon(struct config *config, const char *path)
{
	struct daemon daemon = {0};
	int status = 1;

	if (daemon_start(&daemon, path, config)) {
		log_info(NULL, "vgwd " VGW_VERSION " started");
		notify_ready();
		if (notify_watchdog_period())
			on_watchdog(&daemon);
		status = loop_run(daemon.loop) ? 1 : 0;
		notify_stopping();
		log_info(NULL, "leaving; the kernel goes on forwarding");
	}
	daemon_free(&daemon);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments args = {.path = DEFAULT_CONFIG};
	struct config_errors errors = {0};
	struct config *config;
	int status = parse_arguments(argc, argv, &args);

	if (status)
		return status - 1;
	config = config_load(args.path, &errors);
	if (!config) {
		print_errors(args.path, &errors);
		config_errors_free(&errors);
		return 1;
	}
	print_errors(args.path, &config->warnings);
	if (args.level_given)
		config->log_level = args.level;
	log_set_level(config->log_level);
	return args.guards ? run_guards(config) : run_daemon(config, args.path);
}
