// SPDX-License-Identifier: GPL-2.0-only
#include "sys/kernel_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUOTA_DEFAULT 50
#define GROUP_BUCKETS 256

static const char NO_GATEWAY[] = "no gateway with this ifindex in the network namespace";

static struct model *model_of(struct kernel *kernel)
{
	return (struct model *)kernel; /* first member */
}

static void fail(struct kernel_result *result, int error, const char *text)
{
	kernel_result_fail(result, error, text, -1);
}

static struct model_gateway *gateway_find(struct model *model, uint32_t ifindex)
{
	struct model_gateway *gateways = model->gateways.items;

	for (size_t i = 0; i < model->gateways.n; i++)
		if (gateways[i].is.ifindex == ifindex)
			return &gateways[i];
	return NULL;
}

/* Dumps */

static void group_report(const struct model_gateway *gw, const struct model_group *group,
			 struct kernel_group *row)
{
	*row = group->is;
	row->buckets = GROUP_BUCKETS;
	row->live = model_group_live(gw, group);
	row->routes = model_group_routes(gw, group->is.id);
	for (uint32_t i = 0; i < row->n_members; i++)
		row->members[i].live = model_tunnel_live(gw, row->members[i].tunnel);
}

static void dump(const struct model_gateway *gw, enum kernel_op op, struct kernel_result *result)
{
	const struct model_tunnel *tunnels = gw->tunnels.items;
	const struct model_group *groups = gw->groups.items;
	const struct kernel_route *routes = gw->routes.items;
	const struct kernel_policy *policies = gw->policies.items;
	const struct model_port *ports = gw->ports.items;
	size_t n = op == KERNEL_OP_TUNNELS_DUMP	 ? gw->tunnels.n :
		   op == KERNEL_OP_GROUPS_DUMP	 ? gw->groups.n :
		   op == KERNEL_OP_POLICIES_DUMP ? gw->policies.n :
		   op == KERNEL_OP_PORTS_DUMP	 ? gw->ports.n :
						   gw->routes.n;

	for (size_t i = 0; i < n; i++) {
		void *row = kernel_result_row(result, op);

		if (!row) {
			fail(result, -ENOMEM, NULL);
			return;
		}
		if (op == KERNEL_OP_TUNNELS_DUMP)
			memcpy(row, &tunnels[i].is, sizeof(tunnels[i].is));
		else if (op == KERNEL_OP_GROUPS_DUMP)
			group_report(gw, &groups[i], row);
		else if (op == KERNEL_OP_POLICIES_DUMP)
			memcpy(row, &policies[i], sizeof(policies[i]));
		else if (op == KERNEL_OP_PORTS_DUMP)
			memcpy(row, &ports[i].is, sizeof(ports[i].is));
		else
			memcpy(row, &routes[i], sizeof(routes[i]));
	}
}

static void execute_on(struct model *model, struct model_gateway *gw,
		       const struct kernel_call *call, struct kernel_result *result)
{
	if (call->op == KERNEL_OP_LOOKUP)
		model_lookup(gw, call->flow, &result->u.lookup);
	else if (kernel_op_is_dump(call->op))
		dump(gw, call->op, result);
	else
		model_change(model, gw, call, result);
	model_gateway_count(gw);
	if (call->op == KERNEL_OP_GATEWAY_GET)
		result->u.gateway = gw->is;
}

static void execute(struct model *model, const struct kernel_call *call,
		    struct kernel_result *result)
{
	struct model_gateway *gw = gateway_find(model, call->gateway);
	bool routes = call->op == KERNEL_OP_ROUTES_ADD || call->op == KERNEL_OP_ROUTES_DEL;
	bool objects = call->op == KERNEL_OP_TUNNELS_DUMP || call->op == KERNEL_OP_GROUPS_DUMP ||
		       call->op == KERNEL_OP_PORTS_DUMP;

	if (!model->announced)
		fail(result, -ENOLINK, "the vgw module is not loaded");
	else if (call->error)
		kernel_result_fail(result, call->error, call->text, call->index);
	else if (routes && !call->n_routes)
		fail(result, -EINVAL, "no route in the message");
	else if (gw)
		execute_on(model, gw, call, result);
	else if (!objects) /* such a dump is a filter, and nothing passes it */
		fail(result, -ENODEV, NO_GATEWAY);
}

static struct model_note *note_new(struct model *model, int kind)
{
	struct model_note *note = calloc(1, sizeof(*note));

	if (!note)
		return NULL;
	note->kind = kind;
	kernel_result_init(&note->result);
	*model->tail = note;
	model->tail = &note->next;
	loop_timer_start(model->kick, 0);
	return note;
}

void model_tell_tunnel(struct model *model, const struct model_gateway *gw,
		       const struct model_tunnel *tunnel)
{
	struct model_note *note = note_new(model, NOTE_TUNNEL);

	if (!note)
		return;
	note->gateway = gw->is.ifindex;
	note->tunnel = tunnel->is;
}

void model_tell_gateway(struct model *model, const struct model_gateway *gw)
{
	struct model_note *note = note_new(model, NOTE_GATEWAY);

	if (note)
		note->result.u.gateway = gw->is;
}

static void model_submit(struct kernel *kernel, const struct kernel_call *call,
			 const struct kernel_caller *caller)
{
	struct model *model = model_of(kernel);
	struct model_note *note = note_new(model, NOTE_ANSWER);
	struct kernel_result no_memory;

	if (note) {
		note->caller = *caller;
		execute(model, call, &note->result);
		return;
	}
	kernel_result_init(&no_memory);
	fail(&no_memory, -ENOMEM, NULL);
	kernel_answer(caller, &no_memory);
}

/* Life */

static void gateway_clear(struct model_gateway *gw)
{
	free(gw->tunnels.items);
	free(gw->groups.items);
	free(gw->routes.items);
	free(gw->policies.items);
	free(gw->ports.items);
	free(gw->guards);
}

static void forget_gateways(struct model *model)
{
	for (size_t i = 0; i < model->gateways.n; i++)
		gateway_clear(model_item(&model->gateways, i, sizeof(struct model_gateway)));
	free(model->gateways.items);
	memset(&model->gateways, 0, sizeof(model->gateways));
}

static void destroy(struct model *model)
{
	forget_gateways(model);
	loop_timer_free(model->kick);
	free(model);
}

/* Takes the first note off the queue and tells it. */
static void deliver_one(struct model *model)
{
	struct model_note *note = model->head;

	model->head = note->next;
	if (!model->head)
		model->tail = &model->head;
	if (note->kind == NOTE_ANSWER)
		kernel_answer(&note->caller, &note->result);
	else if (note->kind == NOTE_TUNNEL && model->announced && model->events.tunnel)
		model->events.tunnel(model->ctx, note->gateway, &note->tunnel);
	else if (note->kind == NOTE_GATEWAY && model->announced && model->events.gateway)
		model->events.gateway(model->ctx, &note->result.u.gateway);
	free(note);
}

static void leave(struct model *model)
{
	if (!--model->depth && model->closed)
		destroy(model);
}

/* What answers ask for waits for the next turn, as with a socket. */
static void kick_fire(void *ctx)
{
	struct model *model = ctx;
	size_t n = 0;

	model->depth++;
	if (model->loaded && !model->announced) {
		model->announced = true;
		if (model->events.found)
			model->events.found(model->ctx);
	}
	for (const struct model_note *note = model->head; note; note = note->next)
		n++;
	for (; n && model->head; n--)
		deliver_one(model);
	leave(model);
}

/* The module goes: whatever was asked has no answer any more. */
static void vanish(struct model *model, const char *text)
{
	model->loaded = model->announced = false;
	for (struct model_note *note = model->head; note; note = note->next) {
		kernel_result_clear(&note->result);
		fail(&note->result, -ENOLINK, text);
	}
	while (model->head)
		deliver_one(model);
}

static void model_free(struct kernel *kernel)
{
	struct model *model = model_of(kernel);

	if (model->closed)
		return;
	model->closed = true;
	model->depth++;
	vanish(model, "the connection to the module was closed");
	leave(model);
}

static bool model_available(const struct kernel *kernel)
{
	const struct model *model = (const struct model *)kernel;

	return model->announced;
}

static const struct kernel_ops model_ops = {
	.free = model_free,
	.available = model_available,
	.submit = model_submit,
};

struct kernel *kernel_model_new(struct loop *loop, const struct kernel_events *events, void *ctx)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->kernel.ops = &model_ops;
	model->loop = loop;
	model->tail = &model->head;
	model->ctx = ctx;
	if (events)
		model->events = *events;
	model->kick = loop_timer_new(loop, kick_fire, model);
	if (!model->kick) {
		free(model);
		return NULL;
	}
	kernel_model_load(&model->kernel);
	return &model->kernel;
}

int kernel_model_add_gateway(struct kernel *kernel, uint32_t ifindex)
{
	struct model *model = model_of(kernel);
	struct model_gateway *gw;

	if (gateway_find(model, ifindex))
		return -EEXIST;
	gw = model_insert(&model->gateways, model->gateways.n, sizeof(*gw));
	if (!gw)
		return -ENOMEM;
	gw->is.ifindex = ifindex;
	gw->is.quota = QUOTA_DEFAULT;
	gw->is.generation = 1;
	gw->is.protocol_version = 1;
	model_gateway_count(gw);
	return 0;
}

int kernel_model_del_gateway(struct kernel *kernel, uint32_t ifindex)
{
	struct model *model = model_of(kernel);
	struct model_gateway *gw = gateway_find(model, ifindex);

	if (!gw)
		return -ENOENT;
	gateway_clear(gw);
	model_remove(&model->gateways, (size_t)(gw - (struct model_gateway *)model->gateways.items),
		     sizeof(*gw));
	return 0;
}

void kernel_model_set_live(struct kernel *kernel, uint32_t gateway, uint32_t tunnel, bool live)
{
	struct model *model = model_of(kernel);
	struct model_gateway *gw = gateway_find(model, gateway);
	struct model_tunnel *it = gw ? model_tunnel_find(gw, tunnel) : NULL;

	if (!it)
		return;
	it->sa = live;
	model_tunnel_judge(model, gw, it);
}

void kernel_model_count(struct kernel *kernel, uint32_t gateway, uint32_t tunnel, uint64_t tx,
			uint64_t rx)
{
	struct model_gateway *gw = gateway_find(model_of(kernel), gateway);
	struct model_tunnel *it = gw ? model_tunnel_find(gw, tunnel) : NULL;

	if (!it)
		return;
	it->is.tx_packets += tx;
	it->is.rx_packets += rx;
}

void kernel_model_set_version(struct kernel *kernel, uint32_t gateway, uint32_t version)
{
	struct model_gateway *gw = gateway_find(model_of(kernel), gateway);

	if (gw)
		gw->is.protocol_version = version;
}

void kernel_model_unload(struct kernel *kernel)
{
	struct model *model = model_of(kernel);
	bool told = model->announced;

	if (!model->loaded)
		return;
	forget_gateways(model);
	model->depth++;
	vanish(model, "the vgw module is not loaded");
	if (told && model->events.lost && !model->closed)
		model->events.lost(model->ctx);
	leave(model);
}

void kernel_model_load(struct kernel *kernel)
{
	struct model *model = model_of(kernel);

	model->loaded = true;
	loop_timer_start(model->kick, 0);
}
