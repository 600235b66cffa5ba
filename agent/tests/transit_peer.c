// SPDX-License-Identifier: GPL-2.0-only
/*
 * A gateway with the transit peers of a configuration file, for interoperability tests: the
 * module is a model and the sites are words on stdin, the system table and the sessions are
 * real. Answers are JSON lines on stdout.
 *
 *   site 1|2 PREFIX [MED]    gone 1|2 PREFIX    drain 1|2    undrain 1|2
 *   sites    what the sites would hear, with the path as they would    quit
 *
 * transit_peer FILE [kept]: kept for a start over the routes of an earlier life.
 */
#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/transit_side.h"

static struct loop *loop;

static void print(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static struct tunnel *tunnel_named(const char *number)
{
	bool known = number && (!strcmp(number, "1") || !strcmp(number, "2"));

	return known && tunnels[*number - '1'].gateway ? &tunnels[*number - '1'] : NULL;
}

static int command_site(struct tunnel *tunnel, const char *text, const char *med)
{
	struct prefix prefix;

	if (!text || !prefix_parse(text, &prefix, NULL))
		return -EINVAL;
	return transit_site_says(tunnel, &prefix, med ? (uint32_t)atoll(med) : 0, NULL, 0)
		       ? 0
		       : -ENOMEM;
}

static int command_gone(const struct tunnel *tunnel, const char *text)
{
	struct prefix prefix;

	if (!text || !prefix_parse(text, &prefix, NULL))
		return -EINVAL;
	rib_withdraw(tunnel->peer.source, &prefix);
	gateway_kick(&gateway);
	return 0;
}

static void command_drain(struct tunnel *tunnel, bool on)
{
	tunnel->drained = on;
	rib_source_set_drained(tunnel->peer.source, on);
	derive_statics_dirty(&gateway, gateway.config);
	gateway_kick(&gateway);
}

static void command_sites(void)
{
	struct prefix prefix = {.addr.family = AF_UNSPEC};
	char text[PREFIX_STRLEN], path[500];
	const struct attrs *attrs;

	while (export_next(gateway.export, &prefix)) {
		if (transit_site_attrs(&tunnels[0].peer, &prefix, &attrs))
			continue;
		print(json_pack("{s:s,s:s}", "told", prefix_format(&prefix, text, sizeof(text)),
				"path", attrs ? attrs_format_path(attrs, path, sizeof(path)) : ""));
		attrs_put(attrs);
	}
	print(json_pack("{s:b}", "end", 1));
}

static int command(char *line)
{
	char *rest = line, *verb = strsep(&rest, " ");
	struct tunnel *tunnel = tunnel_named(strsep(&rest, " "));
	char *prefix = strsep(&rest, " ");

	if (!strcmp(verb, "sites"))
		command_sites();
	else if (!strcmp(verb, "quit"))
		loop_stop(loop);
	else if (!tunnel)
		return -EINVAL;
	else if (!strcmp(verb, "site"))
		return command_site(tunnel, prefix, rest);
	else if (!strcmp(verb, "gone"))
		return command_gone(tunnel, prefix);
	else if (!strcmp(verb, "drain") || !strcmp(verb, "undrain"))
		command_drain(tunnel, *verb == 'd');
	else
		return -EINVAL;
	return 0;
}

static void on_stdin(void *ctx, unsigned int events)
{
	static char buf[1024];
	static size_t len;
	ssize_t n = read(STDIN_FILENO, buf + len, sizeof(buf) - 1 - len);
	char *end;

	if (n <= 0) {
		loop_stop(loop);
		return;
	}
	len += (size_t)n;
	buf[len] = '\0';
	while ((end = strchr(buf, '\n'))) {
		int ret;

		*end = '\0';
		ret = command(buf);
		if (ret)
			print(json_pack("{s:s}", "error", strerror(-ret)));
		len -= (size_t)(end + 1 - buf);
		memmove(buf, end + 1, len + 1);
	}
	if (len == sizeof(buf) - 1)
		loop_stop(loop);
}

int main(int argc, char **argv)
{
	struct config_errors errors;
	struct config *config;
	struct loop_io *io;

	config = argc > 1 ? config_load(argv[1], &errors) : NULL;
	if (!config) {
		if (argc > 1)
			fprintf(stderr, "%s: %s\n", errors.list[0].path, errors.list[0].text);
		return 2;
	}
	config_errors_free(&errors);
	log_set_level(LOG_LEVEL_INFO);
	loop = loop_new();
	if (!loop || !transit_up(loop, config, argc > 2 && !strcmp(argv[2], "kept"))) {
		fputs("the gateway cannot be set up\n", stderr);
		return 1;
	}
	io = loop_io_new(loop, STDIN_FILENO, on_stdin, NULL);
	loop_io_set(io, LOOP_READ);
	loop_run(loop);
	loop_io_free(io);
	transit_down();
	loop_free(loop);
	return 0;
}
