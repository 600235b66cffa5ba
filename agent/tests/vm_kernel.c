// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real module, as the agent speaks to it: the cases that the model passes,
 * random histories compared with the model, events, lost events, interrupted
 * dumps, and the module going away. Needs root and a kernel to itself (a VM):
 *
 *	vm_kernel path/to/vgw.ko
 *
 * Output is TAP.
 */
#include <errno.h>
#include <linux/vgw.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel_cases.h"

#define SEEDS 12
#define STEPS 250
#define MANY 20000

struct world {
	struct loop *loop;
	struct kernel *kernel;
	struct cases *cases;
	bool found, lost, overrun, down, up;
	unsigned int tests, failures, gateways;
};

static void report(struct world *w, bool ok, const char *name, const char *why)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++w->tests, name);
	if (!ok && why && *why)
		printf("# %s\n", why);
	w->failures += !ok;
	fflush(stdout);
}

static __attribute__((format(printf, 1, 2))) bool run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (!system(command))
		return true;
	printf("# failed: %s\n", command);
	return false;
}

static bool sa_add(unsigned int i)
{
	return run("ip xfrm state add src 10.99.0.1 dst 10.99.0.2 proto esp spi 0x%x reqid %u "
		   "mode tunnel if_id %u aead 'rfc4106(gcm(aes))' "
		   "0x0102030405060708090a0b0c0d0e0f1011121314 128", 0x1000 + i, i, i);
}

static bool devices_add(void)
{
	if (!run("modprobe -a xfrm_interface esp4 dummy") || !run("ip link add dum0 type dummy") ||
	    !run("ip addr add 10.99.0.1/24 dev dum0") || !run("ip link set dum0 up") ||
	    !run("ip link set lo up"))
		return false;
	for (unsigned int i = 1; i <= CASES_DEVICES; i++) {
		if (!run("ip link add ipsec%u type xfrm dev lo if_id %u", i, i) ||
		    !run("ip link set ipsec%u up", i) ||
		    !run("ip xfrm policy add dir out if_id %u src 0.0.0.0/0 dst 0.0.0.0/0 tmpl src "
			 "10.99.0.1 dst 10.99.0.2 proto esp reqid %u mode tunnel", i, i) ||
		    !sa_add(i))
			return false;
	}
	return true;
}

static void on_found(void *ctx)
{
	struct world *w = ctx;

	w->found = true;
	loop_stop(w->loop);
}

static void on_lost(void *ctx)
{
	struct world *w = ctx;

	w->lost = true;
	loop_stop(w->loop);
}

static void on_overrun(void *ctx)
{
	struct world *w = ctx;

	w->overrun = true;
	loop_stop(w->loop);
}

static void on_tunnel(void *ctx, uint32_t gateway, const struct kernel_tunnel *tunnel)
{
	struct world *w = ctx;

	if (tunnel->id != 1)
		return;
	if (tunnel->state == VGW_TUNNEL_STATE_UP)
		w->up = true;
	else
		w->down = true;
	loop_stop(w->loop);
}

static void on_gateway(void *ctx, const struct kernel_gateway *gateway)
{
	((struct world *)ctx)->gateways++;
}

static const struct kernel_events events = {
	.found = on_found, .lost = on_lost, .overrun = on_overrun, .tunnel = on_tunnel,
	.gateway = on_gateway,
};

/* The same history on both; they must answer alike, word for word. */
static void compare_random(struct world *w, struct cases *real, struct cases *model)
{
	char why[400] = "";
	bool same = true;

	for (unsigned int seed = 1; seed <= SEEDS && same; seed++) {
		const char *a, *b;

		if (!cases_random(real, seed, STEPS) || !cases_random(model, seed, STEPS)) {
			snprintf(why, sizeof(why), "seed %u: %.150s %.150s", seed, real->failure,
				 model->failure);
			same = false;
			break;
		}
		a = real->log;
		b = model->log;
		same = !strcmp(a, b);
		while (!same && *a && *a == *b) {
			a++;
			b++;
		}
		while (!same && a > real->log && a[-1] != '\n') {
			a--;
			b--;
		}
		if (!same)
			snprintf(why, sizeof(why), "seed %u: module says \"%.*s\", model \"%.*s\"",
				 seed, (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
	}
	report(w, same, "random histories as in the model", why);
}

static void test_against_model(struct world *w, struct cases *real)
{
	struct cases *model = calloc(1, sizeof(*model));
	struct world model_world = { .loop = w->loop };

	if (!model)
		exit(2);
	*model = (struct cases){ .loop = w->loop, .gateway = real->gateway };
	memcpy(model->device, real->device, sizeof(model->device));
	model->kernel = kernel_model_new(w->loop, &events, &model_world);
	if (!model->kernel || kernel_model_add_gateway(model->kernel, real->gateway) ||
	    !cases_init(model))
		exit(2);
	cases_wait(model, &model_world.found);
	for (size_t i = 0; i < n_kernel_cases; i++) {
		bool ok = cases_run(real, &kernel_cases[i]);

		report(w, ok, kernel_cases[i].name, real->failure);
	}
	compare_random(w, real, model);
	kernel_free(model->kernel);
	cases_clear(model);
	free(model);
}

static void on_set(void *ctx, int error, const char *text, long index)
{
	if (error)
		printf("# tunnel: %s\n", text);
}

/* An SA goes and comes; nobody tells the module but the kernel. */
static void test_events(struct world *w, struct cases *c)
{
	struct kernel_tunnel tunnel = { .id = 1, .ifindex = c->device[0] };
	bool ok;

	/* Twice from an empty gateway: the tunnel is new, so its coming up is news. */
	ok = cases_run(c, &kernel_cases[0]) && cases_run(c, &kernel_cases[0]);
	w->up = w->down = false;
	kernel_tunnel_set(w->kernel, c->gateway, &tunnel, on_set, w);
	ok = ok && cases_wait(c, &w->up);
	w->up = false;
	ok = ok && run("ip xfrm state flush") && cases_wait(c, &w->down);
	for (unsigned int i = 1; i <= CASES_DEVICES; i++)
		ok = ok && sa_add(i);
	ok = ok && cases_wait(c, &w->up);
	report(w, ok && w->gateways, "events of tunnels and gateways", c->failure);
}

struct count {
	struct cases *c;
	unsigned int rows, disorder, left;
	struct kernel_route before;
	int error;
	bool done;
};

static void on_count_row(void *ctx, const struct kernel_route *route)
{
	struct count *count = ctx;

	if (count->rows++ && prefix_compare(&count->before.prefix, &route->prefix) >= 0)
		count->disorder++;
	count->before = *route;
}

static void on_counted(void *ctx, int error, const char *text, long index)
{
	struct count *count = ctx;

	count->error = error;
	count->done = true;
	loop_stop(count->c->loop);
}

static void on_batch(void *ctx, int error, const char *text, long index)
{
	struct count *count = ctx;

	if (error)
		printf("# batch: %s\n", text);
	count->error = count->error ? count->error : error;
	if (!--count->left)
		on_counted(ctx, count->error, text, index);
}

static bool fill(struct cases *c, unsigned int n)
{
	struct count count = { .c = c, .left = (n + KERNEL_ROUTES_MAX - 1) / KERNEL_ROUTES_MAX };
	static struct kernel_route routes[KERNEL_ROUTES_MAX];
	struct timespec from, to;
	unsigned int used = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned int i = 0; i < n; i++) {
		routes[used++] = (struct kernel_route){
			.prefix = { { AF_INET, { 11, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
					 (uint8_t)i } }, 32 },
			.class = VGW_ROUTE_CLASS_SYSTEM,
		};
		if (used == KERNEL_ROUTES_MAX || i == n - 1) {
			kernel_routes_add(c->kernel, c->gateway, routes, used, on_batch, &count);
			used = 0;
		}
	}
	cases_wait(c, &count.done);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("# %u routes in %.0f ms\n", n, (double)(to.tv_sec - from.tv_sec) * 1e3 +
	       (double)(to.tv_nsec - from.tv_nsec) / 1e6);
	return count.done && !count.error;
}

/* In a process of its own: changes one route for ever. */
static pid_t start_disturber(uint32_t gateway)
{
	static struct kernel_route one = { .class = VGW_ROUTE_CLASS_SYSTEM };
	struct world w = { 0 };
	struct cases *c;
	pid_t pid = fork();

	if (pid)
		return pid;
	c = calloc(1, sizeof(*c));
	w.loop = loop_new();
	if (!c || !w.loop)
		_exit(2);
	*c = (struct cases){ .loop = w.loop, .gateway = gateway };
	c->kernel = kernel_genl_new(w.loop, &events, &w);
	if (!c->kernel || !cases_init(c) || !cases_wait(c, &w.found))
		_exit(2);
	one.prefix = (struct prefix){ { AF_INET, { 10 } }, 8 };
	for (unsigned int i = 0;; i++) {
		struct count count = { .c = c };

		if (i % 2)
			kernel_routes_del(c->kernel, gateway, &one, 1, on_counted, &count);
		else
			kernel_routes_add(c->kernel, gateway, &one, 1, on_counted, &count);
		cases_wait(c, &count.done);
		usleep(150000);
	}
}

static void test_dump(struct world *w, struct cases *c)
{
	unsigned int whole = 0, given_up = 0, bad = 0;
	bool ok = fill(c, MANY);
	pid_t pid;

	c->failure[0] = '\0';
	pid = start_disturber(c->gateway);
	for (unsigned int i = 0; i < 20; i++) {
		struct count count = { .c = c };

		kernel_routes_dump(c->kernel, c->gateway, on_count_row, on_counted, &count);
		ok = ok && cases_wait(c, &count.done);
		if (count.error == -EAGAIN && !count.rows)
			given_up++;
		else if (!count.error && !count.disorder && count.rows >= MANY &&
			 count.rows <= MANY + 1)
			whole++;
		else
			bad++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("# %u dumps whole, %u given up\n", whole, given_up);
	report(w, ok && whole && !bad, "a dump among changes is whole, or says that it is not", c->failure);
}

/* Another process makes more events than the socket holds while nobody reads. */
static void test_overrun(struct world *w, struct cases *c)
{
	pid_t pid = fork();
	int status = 1;

	if (!pid) {
		struct world own = { .loop = loop_new() };
		struct kernel *kernel = kernel_genl_new(own.loop, &events, &own);
		struct cases *cc = calloc(1, sizeof(*cc));
		static struct prefix guards[VGW_GUARDS_MAX];

		for (unsigned int i = 0; i < VGW_GUARDS_MAX; i++)
			guards[i] = (struct prefix){ { AF_INET6, { 0xfd, (uint8_t)i } }, 16 };
		*cc = (struct cases){ .loop = own.loop, .kernel = kernel, .gateway = c->gateway };
		if (!cases_init(cc) || !cases_wait(cc, &own.found))
			_exit(2);
		for (unsigned int i = 0; i < 6000; i++) {
			struct count count = { .c = cc };

			kernel_gateway_set(kernel, c->gateway, NULL, NULL, guards, VGW_GUARDS_MAX,
					   on_counted, &count);
			cases_wait(cc, &count.done);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	c->failure[0] = '\0';
	report(w, !status && cases_wait(c, &w->overrun) && kernel_available(w->kernel),
	       "lost events are told", c->failure);
}

struct gone {
	struct world *w;
	unsigned int answered, truth, no_link, after_lost, expected;
	bool all;
};

static void on_gone(void *ctx, int error, const char *text, long index)
{
	struct gone *gone = ctx;

	gone->answered++;
	gone->truth += !error;
	gone->no_link += error == -ENOLINK;
	gone->after_lost += gone->w->lost;
	gone->all = gone->answered == gone->expected;
	if (gone->all)
		loop_stop(gone->w->loop);
}

static void test_unload(struct world *w, struct cases *c, const char *module)
{
	struct kernel_tunnel tunnel = { .id = 1, .ifindex = c->device[0] };
	struct gone gone = { .w = w };
	bool ok;

	c->failure[0] = '\0';
	w->found = false;
	for (unsigned int i = 0; i < 40; i++)
		kernel_tunnel_set(w->kernel, c->gateway, &tunnel, on_gone, &gone);
	ok = run("rmmod vgw") && cases_wait(c, &w->lost);
	printf("# %u answered, %u done, %u without module\n", gone.answered, gone.truth,
	       gone.no_link);
	report(w, ok && gone.answered == 40 && gone.truth && gone.no_link &&
		  gone.truth + gone.no_link == 40 && !gone.after_lost &&
		  !kernel_available(w->kernel), "rmmod ends what is under way", c->failure);
	gone = (struct gone){ .w = w, .expected = 1 };
	kernel_tunnel_set(w->kernel, c->gateway, &tunnel, on_gone, &gone);
	ok = cases_wait(c, &gone.all) && gone.no_link == 1;
	ok = ok && run("insmod %s", module) && run("ip link add vgw0 type vgw") &&
	     cases_wait(c, &w->found);
	c->gateway = if_nametoindex("vgw0");
	ok = ok && cases_run(c, &kernel_cases[0]) && cases_run(c, &kernel_cases[2]);
	report(w, ok, "the module comes back", c->failure);
}

static void test_close(struct world *w, struct cases *c)
{
	struct kernel_tunnel tunnel = { .id = 1, .ifindex = c->device[0] };
	struct gone gone = { .w = w };

	w->lost = false;
	for (unsigned int i = 0; i < 10; i++)
		kernel_tunnel_set(w->kernel, c->gateway, &tunnel, on_gone, &gone);
	kernel_free(w->kernel);
	report(w, gone.answered == 10 && gone.no_link == 10, "close answers what is under way",
	       NULL);
}

int main(int argc, char **argv)
{
	struct cases *c = calloc(1, sizeof(*c));
	struct world w = { .loop = loop_new() };

	if (argc != 2 || !c || !w.loop) {
		fprintf(stderr, "usage: vm_kernel path/to/vgw.ko\n");
		return 2;
	}
	if (!devices_add())
		return 2;
	w.kernel = kernel_genl_new(w.loop, &events, &w);
	if (!w.kernel)
		return 2;
	*c = (struct cases){ .loop = w.loop, .kernel = w.kernel };
	if (!cases_init(c))
		return 2;
	/* The family comes while the agent is there. */
	if (!run("insmod %s", argv[1]) || !run("ip link add vgw0 type vgw"))
		return 2;
	c->gateway = if_nametoindex("vgw0");
	for (unsigned int i = 0; i < CASES_DEVICES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "ipsec%u", i + 1);
		c->device[i] = if_nametoindex(name);
	}
	report(&w, cases_wait(c, &w.found) && kernel_available(w.kernel), "found", c->failure);
	test_against_model(&w, c);
	test_events(&w, c);
	test_dump(&w, c);
	test_overrun(&w, c);
	test_unload(&w, c, argv[1]);
	test_close(&w, c);
	printf("1..%u\n", w.tests);
	cases_clear(c);
	loop_free(w.loop);
	free(c);
	return w.failures ? 1 : 0;
}
