/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gateway over the model of the module: real sockets on the loopback of the
 * test's own network, and a clock that stands still. Tunnel t1 has the loopback
 * as its device; its peer's addresses are there too, so the kernel answers for it.
 */
#ifndef VGW_TESTS_GATEWAY_SIDE_H
#define VGW_TESTS_GATEWAY_SIDE_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <linux/vgw.h>

#include "bgp_netns.h"
#include "lib/log.h"
#include "vgwd/gateway.h"
#include "vgwd/verbs.h"

#define SIDE_IFINDEX 7

static struct gateway gateway;
static struct tunnel tunnels[2];
static struct kernel_lookup looked;

static inline void side_ignore(void *ctx)
{
}

static inline void side_bfd_ignore(void *ctx, const char *name, const struct bfd_status *status)
{
}

static const struct bfd_ops side_bfd_ops = {.changed = side_bfd_ignore};
static const struct rtnl_ops side_rtnl_ops = {.published = derive_published};

static inline void side_tunnel(void *ctx, uint32_t ifindex, const struct kernel_tunnel *report)
{
	struct tunnel *tunnel = gateway_tunnel_by_id(&gateway, report->id);

	if (tunnel)
		tunnel_reported(tunnel, report);
}

static const struct kernel_events side_events = {.tunnel = side_tunnel};

static inline bool side_enter(void)
{
	return netns_enter("ip link set lo up && ip address add 169.254.21.1/32 dev lo && "
			   "ip address add 169.254.21.2/32 dev lo && "
			   "ip address add fd00:9::1/128 dev lo && "
			   "ip address add fd00:9::2/128 dev lo");
}

/* Does the kernel answer pings of the family? */
static inline void side_answers(uint8_t family, bool on)
{
	FILE *file = fopen(family == AF_INET ? "/proc/sys/net/ipv4/icmp_echo_ignore_all"
					     : "/proc/sys/net/ipv6/icmp/echo_ignore_all",
			   "w");

	assert_non_null(file);
	fputs(on ? "0" : "1", file);
	assert_int_equal(fclose(file), 0);
}

static inline void side_pass(uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 10)
		loop_fake_advance(gateway.loop, 10);
}

static inline struct config *side_config(const char *text)
{
	struct config_errors errors;
	struct config *config = config_parse(text, strlen(text), &errors);

	for (size_t i = 0; i < errors.n; i++)
		print_error("%s: %s\n", errors.list[i].path, errors.list[i].text);
	config_errors_free(&errors);
	assert_non_null(config);
	return config;
}

static inline void side_tunnels(void)
{
	const struct config_connection *connection = &gateway.config->connections[0];

	for (unsigned int i = 0; i < 2; i++) {
		tunnels[i] = (struct tunnel){
			.gateway = &gateway,
			.peer = {.gateway = &gateway, .owner = &tunnel_peer_owner},
			.next = i ? NULL : &tunnels[1],
			.id = i + 1,
			.ifindex = i + 1,
			.ready = true,
			.connection = connection,
			.config = &connection->tunnels[i],
		};
		assert_int_equal(peer_create(&tunnels[i].peer), 0);
	}
	gateway.tunnels = tunnels;
}

static inline void side_up(const char *text)
{
	struct loop *loop = loop_new();

	loop_fake_clock(loop);
	gateway = (struct gateway){
		.loop = loop,
		.config = side_config(text),
		.rib = rib_new(),
		.router_id = 0x0a000001,
		.ifindex = SIDE_IFINDEX,
		.bound = true,
		.routes_synced = true,
		.phase = GATEWAY_RUNNING,
		.drain_timer = loop_timer_new(loop, side_ignore, NULL),
		.device_timer = loop_timer_new(loop, side_ignore, NULL),
		.kernel = kernel_model_new(loop, &side_events, NULL),
		.rtnl = rtnl_new(loop, RT_TABLE_MAIN, &side_rtnl_ops, NULL),
		.bfd = bfd_new(loop, "/nonexistent/vgw-bfd.sock", "test", &side_bfd_ops, NULL),
	};
	assert_int_equal(kernel_model_add_gateway(gateway.kernel, SIDE_IFINDEX), 0);
	assert_non_null(gateway.rtnl);
	assert_int_equal(advertise_init(&gateway), 0);
	assert_int_equal(history_init(&gateway), 0);
	side_tunnels();
	side_pass(100);
	gateway.fib = fib_new(loop, gateway.kernel, &derive_fib_ops, &gateway);
	assert_non_null(gateway.fib);
	fib_start(gateway.fib, SIDE_IFINDEX);
	side_pass(500);
}

static inline void side_down(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		peer_destroy(&tunnels[i].peer, 0, NULL);
		health_check_forget(&tunnels[i]);
		watch_forget(&tunnels[i]);
	}
	timeline_free(gateway.timeline);
	fib_free(gateway.fib);
	kernel_free(gateway.kernel);
	rib_free(gateway.rib);
	rtnl_free(gateway.rtnl);
	export_free(gateway.export);
	attrs_put(gateway.domain_attrs);
	bfd_free(gateway.bfd);
	loop_timer_free(gateway.drain_timer);
	loop_timer_free(gateway.device_timer);
	loop_timer_free(gateway.watch_timer);
	config_free(gateway.config);
	loop_free(gateway.loop);
}

static inline void side_found(void *ctx, int error, const char *text,
			      const struct kernel_lookup *lookup)
{
	assert_int_equal(error, 0);
	looked = *lookup;
}

/* Where a packet would go: the tunnel's id, or minus the verdict. */
static inline int side_way(const char *address)
{
	struct kernel_flow flow = {0};

	assert_true(addr_parse(address, &flow.dst));
	kernel_lookup(gateway.kernel, SIDE_IFINDEX, &flow, side_found, NULL);
	side_pass(50);
	return looked.verdict == VGW_VERDICT_TUNNEL ? (int)looked.tunnel : -(int)looked.verdict;
}

/* Asks as vgwctl does, from a thread of its own: the loop is ours. */
struct side_question {
	char path[96];
	json_t *request, *rows;
	int done[2], ret;
};

static inline void side_row(void *ctx, const json_t *row)
{
	json_array_append_new(ctx, json_deep_copy(row));
}

static inline void *side_client(void *ctx)
{
	struct side_question *question = ctx;
	char err[256];

	question->ret = control_call(question->path, question->request, 10000, side_row,
				     question->rows, err, sizeof(err));
	assert_int_equal(write(question->done[1], "", 1), 1);
	return NULL;
}

static inline void side_answered(void *ctx, unsigned int events)
{
	loop_stop(ctx);
}

/* The rows of "show OBJECT"; to be freed. Only what needs no answer of the module. */
static inline json_t *side_show(const char *object)
{
	struct side_question question = {.rows = json_array()};
	char dir[] = "/tmp/vgw-side-XXXXXX", err[256];
	struct control *control;
	struct loop_io *io;
	pthread_t thread;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(pipe(question.done), 0);
	snprintf(question.path, sizeof(question.path), "%s/sock", dir);
	question.request = json_pack("{s:s, s:s}", "verb", "show", "object", object);
	control = control_new(gateway.loop, question.path, NULL, verbs_table, &gateway, err,
			      sizeof(err));
	assert_non_null(control);
	io = loop_io_new(gateway.loop, question.done[0], side_answered, gateway.loop);
	loop_io_set(io, LOOP_READ);
	assert_int_equal(pthread_create(&thread, NULL, side_client, &question), 0);
	assert_int_equal(loop_run(gateway.loop), 0);
	pthread_join(thread, NULL);
	loop_io_free(io);
	control_free(control);
	close(question.done[0]);
	close(question.done[1]);
	rmdir(dir);
	json_decref(question.request);
	assert_int_equal(question.ret, 0);
	return question.rows;
}

/* The first row of "show OBJECT" that has the value; to be freed. */
static inline json_t *side_show_one(const char *object, const char *key, const char *value)
{
	json_t *rows = side_show(object), *row, *found = NULL;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *text = json_string_value(json_object_get(row, key));

		if (text && !strcmp(text, value) && !found)
			found = json_incref(row);
	}
	json_decref(rows);
	return found;
}

/* The newest event of the kind; NULL: none. */
static inline const struct timeline_event *side_event(enum timeline_kind kind)
{
	const struct timeline_event *event, *found = NULL;

	for (uint64_t n = 0; (event = timeline_after(gateway.timeline, n)); n = event->number)
		if (event->kind == kind)
			found = event;
	return found;
}

#endif
