// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thousand random changes of everything that the agent knows (sessions, paths,
 * devices, SAs, drained tunnels, system routes, the module itself), between two looks
 * at the clock or far apart: the module's table is always that of an agent that
 * starts with the same facts. The module is the model. FLAPS in the environment: more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/vgw.h>

#include "tests/rib_input.h"
#include "vgwd/gateway.h"

static const char text[] =
	"gateway: {local-asn: 65000, router-id: 10.0.0.1, quota: 1000}\n"
	"customer-gateways:\n"
	"- {name: cg1, address: 198.51.100.2, asn: 65010, site: a}\n"
	"- {name: cg2, address: 198.51.100.6, asn: 65020, site: b}\n"
	"connections:\n"
	"- name: c1\n  customer-gateway: cg1\n  bgp: {passive: true}\n  tunnels:\n"
	"  - {name: t1, inside-cidr: 169.254.21.0/30, interface: x1}\n"
	"  - {name: t2, inside-cidr: 169.254.21.4/30, interface: x2}\n"
	"  - {name: t3, inside-cidr: 169.254.21.8/30, interface: x3, weight: 3}\n"
	"- name: c2\n  customer-gateway: cg2\n  bgp: {passive: true}\n  tunnels:\n"
	"  - {name: t4, inside-cidr: 169.254.22.0/30, interface: x4}\n"
	"  - {name: t5, inside-cidr: 169.254.22.4/30, interface: x5}\n"
	"static-routes:\n"
	"- {prefix: 10.1.0.0/16, connection: c1}\n"
	"- {prefix: 10.9.0.0/16, tunnel: t4}\n"
	"- {prefix: 10.9.0.0/16, tunnel: t2, weight: 0}\n";

#define TUNNELS 5
#define PREFIXES 16
#define GATEWAY 7
#define TABLE_MAX 256

struct fact {
	const struct attrs *attrs; /* NULL: no path */
};

/* A gateway with a module of its own. */
struct life {
	struct gateway gateway;
	struct tunnel tunnels[TUNNELS];
};

struct table { /* what a module holds, by contents: ids of groups may differ */
	size_t n;
	char rows[TABLE_MAX][400];
	struct kernel_group groups[64];
	size_t n_groups;
};

static struct fact facts[TUNNELS][PREFIXES];
static bool system_routes[PREFIXES];
static struct prefix pool[PREFIXES];
static struct loop *loop;
static uint64_t random_state;
static const struct kernel_events no_events;
static const struct kernel_hash hash;

static uint32_t random_next(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

/* gateway_drain(), which is not to be reached from here. */
static void flush(void *ctx)
{
	struct gateway *gateway = ctx;
	struct prefix p;

	while (rib_dirty_next(gateway->rib, &p))
		fib_dirty_route(gateway->fib, &p, KERNEL_DYNAMIC);
}

static void ignore(void *ctx)
{
}

static void life_tunnel(struct life *life, unsigned int i)
{
	const struct config *config = life->gateway.config;
	const struct config_connection *connection = &config->connections[i < 3 ? 0 : 1];
	struct tunnel *tunnel = &life->tunnels[i];

	*tunnel = (struct tunnel){
		.gateway = &life->gateway,
		.peer = {.gateway = &life->gateway, .owner = &tunnel_peer_owner},
		.next = i + 1 < TUNNELS ? &life->tunnels[i + 1] : NULL,
		.connection = connection,
		.config = &connection->tunnels[i < 3 ? i : i - 3],
		.ifindex = 100 + i,
		.ready = true,
	};
	tunnel->id = tunnel->config->id;
	assert_int_equal(peer_create(&tunnel->peer), 0);
	rib_source_set_router_id(tunnel->peer.source, 101 + i);
}

static void life_begin(struct life *life)
{
	struct gateway *gateway = &life->gateway;
	struct config_errors errors;

	*gateway = (struct gateway){
		.loop = loop,
		.config = config_parse(text, sizeof(text) - 1, &errors),
		.rib = rib_new(),
		.router_id = 0x0a000001,
		.phase = GATEWAY_RUNNING,
		.tunnels = &life->tunnels[0],
		.ifindex = GATEWAY,
		.bound = true,
		.drained_timer = loop_timer_new(loop, ignore, NULL),
		.kernel = kernel_model_new(loop, &no_events, NULL),
		.rtnl = rtnl_new(loop, 254, &(const struct rtnl_ops){0}, NULL),
	};
	if (!gateway->config)
		fail_msg("%s", errors.list[0].text);
	config_errors_free(&errors);
	gateway->drain_timer = loop_timer_new(loop, flush, gateway);
	gateway->fib = fib_new(loop, gateway->kernel, &derive_fib_ops, gateway);
	assert_int_equal(advertise_init(gateway), 0);
	assert_int_equal(kernel_model_add_gateway(gateway->kernel, GATEWAY), 0);
	for (unsigned int i = 0; i < TUNNELS; i++)
		life_tunnel(life, i);
	loop_fake_advance(loop, 100);
}

static void life_run(struct life *life)
{
	fib_settings(life->gateway.fib, 0, &hash, NULL, 0);
	fib_start(life->gateway.fib, GATEWAY);
	fib_commit(life->gateway.fib);
}

static void life_end(struct life *life)
{
	struct gateway *gateway = &life->gateway;

	for (unsigned int i = 0; i < TUNNELS; i++)
		peer_destroy(&life->tunnels[i].peer, 0, NULL);
	fib_free(gateway->fib);
	kernel_free(gateway->kernel);
	rtnl_free(gateway->rtnl);
	rib_free(gateway->rib);
	export_free(gateway->export);
	attrs_put(gateway->domain_attrs);
	attrs_put(gateway->drained_attrs);
	loop_timer_free(gateway->drain_timer);
	loop_timer_free(gateway->drained_timer);
	config_free(gateway->config);
}

/* What a module holds */

static void on_group(void *ctx, const struct kernel_group *group)
{
	struct table *table = ctx;

	assert_in_range(table->n_groups, 0, 63);
	table->groups[table->n_groups++] = *group;
}

static void on_route(void *ctx, const struct kernel_route *route)
{
	struct table *table = ctx;
	char *row = table->rows[table->n], prefix_text[PREFIX_STRLEN];
	size_t len;

	assert_in_range(table->n, 0, TABLE_MAX - 1);
	table->n++;
	len = (size_t)snprintf(row, sizeof(table->rows[0]), "%s class %u on-fail %u%s",
			       prefix_format(&route->prefix, prefix_text, sizeof(prefix_text)),
			       route->class, route->on_fail, route->stale ? " stale" : "");
	for (size_t i = 0; i < table->n_groups; i++)
		for (uint32_t k = 0; table->groups[i].id == route->group &&
				     k < table->groups[i].n_members; k++)
			len += (size_t)snprintf(row + len, sizeof(table->rows[0]) - len, " %u=%u",
						table->groups[i].members[k].tunnel,
						table->groups[i].members[k].weight);
}

static void on_tunnel(void *ctx, const struct kernel_tunnel *tunnel)
{
	struct table *table = ctx;

	assert_in_range(table->n, 0, TABLE_MAX - 1);
	snprintf(table->rows[table->n++], sizeof(table->rows[0]), "tunnel %u if %u failed %u",
		 tunnel->id, tunnel->ifindex, tunnel->failed);
}

static void on_done(void *ctx, int error, const char *reason, long index)
{
	assert_int_equal(error, 0);
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void settle(struct life *life)
{
	for (unsigned int i = 0; i < 1000 && !fib_idle(life->gateway.fib); i++)
		loop_fake_advance(loop, 100);
	loop_fake_advance(loop, 100);
	assert_true(fib_idle(life->gateway.fib));
}

static void table_read(struct life *life, struct table *table)
{
	struct kernel *kernel = life->gateway.kernel;

	table->n = table->n_groups = 0;
	kernel_groups_dump(kernel, GATEWAY, on_group, on_done, table);
	kernel_routes_dump(kernel, GATEWAY, on_route, on_done, table);
	kernel_tunnels_dump(kernel, GATEWAY, on_tunnel, on_done, table);
	loop_fake_advance(loop, 100);
	qsort(table->rows, table->n, sizeof(table->rows[0]), compare_rows);
}

/* An agent that starts with the facts of now. */
static void fresh_table(const struct life *is, struct table *table)
{
	static struct life fresh;

	life_begin(&fresh);
	for (unsigned int i = TUNNELS; i--;) {
		struct tunnel *tunnel = &fresh.tunnels[i];

		tunnel->ready = is->tunnels[i].ready;
		tunnel->ifindex = is->tunnels[i].ifindex;
		tunnel->failed = is->tunnels[i].failed;
		tunnel->drained = is->tunnels[i].drained;
		rib_source_set_drained(tunnel->peer.source, tunnel->drained);
		for (unsigned int p = PREFIXES; p--;)
			if (facts[i][p].attrs)
				assert_int_equal(rib_announce(tunnel->peer.source, &pool[p],
							      facts[i][p].attrs), 0);
	}
	for (unsigned int p = 0; p < PREFIXES; p++)
		if (system_routes[p])
			export_route(fresh.gateway.export, &pool[p], 4, 1, true);
	flush(&fresh.gateway);
	life_run(&fresh);
	settle(&fresh);
	table_read(&fresh, table);
	life_end(&fresh);
}

/* Changes */

static void fact_set(unsigned int i, unsigned int p, const struct attrs *attrs)
{
	attrs_put(facts[i][p].attrs);
	facts[i][p].attrs = attrs;
}

static void change_path(struct life *life, unsigned int i)
{
	struct rib_source *source = life->tunnels[i].peer.source;
	unsigned int p = random_next(PREFIXES);

	if (random_next(3)) {
		struct say say = {.path = {i < 3 ? 65010 : 65020, 1 + random_next(2)},
				  .med = random_next(2)};
		const struct attrs *attrs = attrs_of(rib_source_config(source), &say);

		assert_int_equal(rib_announce(source, &pool[p], attrs), 0);
		fact_set(i, p, attrs);
	} else {
		rib_withdraw(source, &pool[p]);
		fact_set(i, p, NULL);
	}
}

/* A session ends, or restarts and tells nothing again. */
static void change_session(struct life *life, unsigned int i)
{
	struct rib_source *source = life->tunnels[i].peer.source;

	if (random_next(2)) {
		rib_source_flush(source);
	} else {
		rib_source_mark_stale(source);
		rib_source_sweep_stale(source, AF_INET);
	}
	for (unsigned int p = 0; p < PREFIXES; p++)
		fact_set(i, p, NULL);
}

static void change_link(struct life *life, unsigned int i)
{
	tunnel_set_ready(&life->tunnels[i], !life->tunnels[i].ready);
}

static void change_system(struct life *life)
{
	unsigned int p = random_next(PREFIXES);

	system_routes[p] = !system_routes[p];
	export_route(life->gateway.export, &pool[p], 4, 1, system_routes[p]);
}

/* The agent begins anew with a module that holds its table, or with one that holds nothing. */
static void change_module(struct life *life)
{
	struct gateway *gateway = &life->gateway;

	if (random_next(2)) {
		kernel_model_unload(gateway->kernel);
		fib_kernel_lost(gateway->fib);
		kernel_model_load(gateway->kernel);
		assert_int_equal(kernel_model_add_gateway(gateway->kernel, GATEWAY), 0);
		loop_fake_advance(loop, 100);
		fib_kernel_found(gateway->fib);
	}
	fib_start(gateway->fib, GATEWAY);
	fib_commit(gateway->fib);
}

static void change(struct life *life)
{
	unsigned int i = random_next(TUNNELS), what = random_next(100);

	if (what < 60) {
		change_path(life, i);
	} else if (what < 66) {
		change_session(life, i);
	} else if (what < 76) {
		change_link(life, i);
	} else if (what < 82) {
		drain_mark(&life->tunnels[i], !life->tunnels[i].drained);
	} else if (what < 88) {
		change_system(life);
	} else if (what < 94) {
		kernel_model_set_live(life->gateway.kernel, GATEWAY, life->tunnels[i].id,
				      random_next(2));
	} else if (what < 97) {
		life->tunnels[i].failed = !life->tunnels[i].failed;
		fib_dirty_tunnel(life->gateway.fib, life->tunnels[i].id);
	} else {
		change_module(life);
	}
	if (random_next(3))
		gateway_kick(&life->gateway);
	if (!random_next(4))
		loop_fake_advance(loop, random_next(3) ? random_next(4) : 1000);
}

static void compare_tables(const struct table *is, const struct table *fresh, unsigned int flap)
{
	for (size_t i = 0; i < is->n || i < fresh->n; i++) {
		const char *a = i < is->n ? is->rows[i] : "nothing";
		const char *b = i < fresh->n ? fresh->rows[i] : "nothing";

		if (strcmp(a, b))
			fail_msg("after %u changes: %s; a fresh start has %s", flap, a, b);
	}
	assert_int_equal(is->n_groups, fresh->n_groups);
}

static void test_flaps(void **state)
{
	static struct table is, fresh;
	static struct life life;
	unsigned int flaps = getenv("FLAPS") ? (unsigned int)atoi(getenv("FLAPS")) : 1000;

	loop = loop_new();
	loop_fake_clock(loop);
	random_state = 1;
	for (unsigned int i = 0; i < PREFIXES; i++) {
		char p[32];

		snprintf(p, sizeof(p), i < 12 ? "10.%u.0.0/16" : "172.16.%u.0/24", i);
		pool[i] = prefix(p);
	}
	life_begin(&life);
	life_run(&life);
	for (unsigned int flap = 1; flap <= flaps; flap++) {
		change(&life);
		if (random_next(10) && flap != flaps)
			continue;
		gateway_kick(&life.gateway);
		settle(&life);
		table_read(&life, &is);
		fresh_table(&life, &fresh);
		compare_tables(&is, &fresh, flap);
	}
	assert_true(is.n > 0);
	life_end(&life);
	for (unsigned int i = 0; i < TUNNELS; i++)
		for (unsigned int p = 0; p < PREFIXES; p++)
			fact_set(i, p, NULL);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_flaps, no_attrs_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
