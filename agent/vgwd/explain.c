// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a packet goes where it goes: the kernel's own table first (does it reach
 * the gateway's device at all?), then the module's lookup, the same that a
 * packet gets, told step by step.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>
#include <linux/vgw.h>

#include "sys/names.h"
#include "vgwd/verbs.h"

struct explain_state {
	struct gateway *gateway;
	struct control_reply *reply;
	struct kernel_flow flow;
	json_t *row, *steps;
};

static void step_add(json_t *steps, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void step_add(json_t *steps, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(steps, json_string(text));
}

static const char *tunnel_name(const struct gateway *gateway, uint32_t id)
{
	const struct tunnel *tunnel = gateway_tunnel_by_id(gateway, id);

	return tunnel ? tunnel->config->name : NULL;
}

static bool find_policy(struct gateway *gateway, const struct kernel_candidate *candidate,
			struct fib_route *out)
{
	struct fib_policy policy;

	for (size_t i = 0; derive_policy_route(gateway, i, &policy); i++) {
		if (policy.priority != candidate->priority ||
		    policy.sequence != candidate->sequence || !policy.to.n_members)
			continue;
		*out = policy.to;
		return true;
	}
	return false;
}

/* Which tunnels a candidate leads to, by the same derivation that gave it to the module. */
static json_t *candidate_tunnels(struct gateway *gateway, const struct kernel_candidate *candidate)
{
	json_t *out = json_array();
	struct fib_route route;

	if (candidate->class == KERNEL_POLICY) {
		if (!find_policy(gateway, candidate, &route))
			return out;
	} else if (candidate->class == VGW_ROUTE_CLASS_SYSTEM ||
		   !derive_fib_ops.route(gateway, &candidate->prefix, candidate->class, &route)) {
		return out;
	}
	for (uint32_t i = 0; i < route.n_members; i++) {
		const char *name = tunnel_name(gateway, route.members[i].tunnel);

		if (name)
			json_array_append_new(out, json_string(name));
	}
	return out;
}

/* What is wrong with the tunnels of a candidate that carries nothing. */
static void explain_dead(struct explain_state *state, const struct kernel_candidate *candidate,
			 const json_t *tunnels)
{
	const json_t *name;
	size_t i;

	if (candidate->result != VGW_CANDIDATE_RESULT_ALL_DEAD &&
	    candidate->result != VGW_CANDIDATE_RESULT_HELD)
		return;
	json_array_foreach(tunnels, i, name) {
		const struct tunnel *t = state->gateway->tunnels;
		char why[TUNNEL_ERROR_SIZE];

		while (t && strcmp(t->config->name, json_string_value(name)))
			t = t->next;
		if (t && liveness_explain(t, why, sizeof(why)))
			step_add(state->steps, "tunnel %s is dead: %s", t->config->name, why);
	}
}

static const char *result_text(uint8_t result)
{
	static const char *const texts[] = {
		[VGW_CANDIDATE_RESULT_SELECTED] = "selected",
		[VGW_CANDIDATE_RESULT_ALL_DEAD] = "passed over: every tunnel is dead",
		[VGW_CANDIDATE_RESULT_LOWER_CLASS] = "not needed: a better class has the prefix",
		[VGW_CANDIDATE_RESULT_SHORTER_PREFIX] = "not needed: a longer prefix was selected",
		[VGW_CANDIDATE_RESULT_HELD] =
			"holds the packet: its tunnels are dead, on-fail reserve",
		[VGW_CANDIDATE_RESULT_CLEAR_TEXT] =
			"never used: a dead tunnel's traffic does not leave in clear",
		[VGW_CANDIDATE_RESULT_AFTER_POLICY] =
			"not looked at: a policy route decided before",
	};

	return result < sizeof(texts) / sizeof(texts[0]) && texts[result] ? texts[result]
									  : "unknown";
}

/* A policy route's source and place, which stand for its class. */
static void explain_policy(struct explain_state *state, const struct kernel_candidate *c,
			   const char *prefix, json_t *row)
{
	char source[PREFIX_STRLEN];

	prefix_format(&c->src, source, sizeof(source));
	json_object_set_new(row, "source", json_string(source));
	json_object_set_new(row, "priority", json_integer(c->priority));
	json_object_set_new(row, "sequence", json_integer(c->sequence));
	step_add(state->steps, "%s from %s, policy route of priority %u, number %u: %s", prefix,
		 source, c->priority, c->sequence, result_text(c->result));
}

static void explain_candidates(struct explain_state *state, const struct kernel_lookup *lookup)
{
	json_t *list = json_array();

	for (size_t i = 0; i < lookup->n_candidates; i++) {
		const struct kernel_candidate *c = &lookup->candidates[i];
		char prefix[PREFIX_STRLEN];
		json_t *row;

		prefix_format(&c->prefix, prefix, sizeof(prefix));
		row = json_pack("{s:s,s:s,s:o,s:s,s:I,s:s,s:o}", "prefix", prefix, "class",
				names_route_class(c->class), "group",
				c->group ? json_integer(c->group) : json_null(), "on_fail",
				names_on_fail(c->on_fail), "live", (json_int_t)c->live, "result",
				names_candidate_result(c->result), "tunnels",
				candidate_tunnels(state->gateway, c));
		if (c->class == KERNEL_POLICY)
			explain_policy(state, c, prefix, row);
		else
			step_add(state->steps, "%s, %s: %s", prefix, names_route_class(c->class),
				 result_text(c->result));
		explain_dead(state, c, json_object_get(row, "tunnels"));
		json_array_append_new(list, row);
	}
	json_object_set_new(state->row, "candidates", list);
}

static void explain_choice(struct explain_state *state, const struct kernel_lookup *lookup)
{
	const char *name = tunnel_name(state->gateway, lookup->tunnel);
	const struct tunnel *tunnel = gateway_tunnel_by_id(state->gateway, lookup->tunnel);
	json_t *row = state->row;

	json_object_set_new(row, "verdict", json_string(names_verdict(lookup->verdict)));
	json_object_set_new(row, "text", json_string(names_verdict_text(lookup->verdict)));
	json_object_set_new(row, "hash", json_integer(lookup->hash));
	json_object_set_new(row, "guard", verbs_prefix(&lookup->guard));
	if (lookup->verdict != VGW_VERDICT_TUNNEL)
		return;
	json_object_set_new(row, "bucket", json_integer(lookup->bucket));
	json_object_set_new(row, "group", json_integer(lookup->group));
	json_object_set_new(row, "tunnel", name ? json_string(name) : json_integer(lookup->tunnel));
	json_object_set_new(row, "interface",
			    tunnel ? json_string(tunnel->config->interface) : json_null());
	json_object_set_new(row, "spi", json_integer(lookup->spi));
	json_object_set_new(row, "cache", json_string(names_cache_state(lookup->cache)));
	json_object_set_new(row, "kept", json_boolean(lookup->kept));
	step_add(state->steps, "flow hash %#x falls into bucket %u of group %u: tunnel %s, SPI %#x",
		 lookup->hash, lookup->bucket, lookup->group, name ? name : "(unknown)",
		 lookup->spi);
	if (lookup->kept)
		step_add(state->steps, "the bucket has another home; its live flows keep it there");
	if (lookup->cache == VGW_CACHE_STATE_ON)
		step_add(state->steps, "one XFRM lookup of the tunnel serves all packets");
	else
		step_add(state->steps, "the packet has an XFRM lookup of its own: %s",
			 names_cache_state(lookup->cache));
}

static const char *kernel_note(const struct gateway *gateway, uint32_t oif,
			       const struct line *line)
{
	if (oif && oif == gateway->ifindex)
		return "leads to the gateway";
	if (line && line->config->transit)
		return "leads into the domain: what follows is what the tunnels would do";
	if (line)
		return "leads over a private line: what follows is what the tunnels would do";
	return "does not lead to the gateway: what follows is what the gateway would do";
}

/* Whose route of ours over a plain interface it is, and the next hop. */
static const struct line *explain_line(const struct gateway *gateway,
				       const struct rtnl_route *route, struct addr *via)
{
	const struct line *line;
	struct rtnl_via to;

	if (route->protocol != VGW_RTPROTO)
		return NULL;
	line = transit_route(gateway, &route->prefix, &to);
	if (line && to.oif == route->oif) {
		*via = to.via;
		return line;
	}
	line = line_by_device(gateway, route->oif);
	if (line)
		*via = line->config->peer_address;
	return line;
}

static void explain_kernel(struct explain_state *state)
{
	struct gateway *gateway = state->gateway;
	struct rtnl_route route;
	struct addr via;
	char dev[32] = "", prefix[PREFIX_STRLEN];
	const struct line *line;
	const char *note, *vrf = gateway->config->gateway.vrf;
	struct rtnl_link link = {0};
	int ret = vrf ? rtnl_link_get(gateway->rtnl, vrf, &link) : 0;

	if (!ret)
		ret = rtnl_route_lookup(gateway->rtnl, &state->flow.dst, link.ifindex, &route, dev,
					sizeof(dev));

	if (ret) {
		note = ret == -ENETUNREACH || ret == -EHOSTUNREACH || ret == -EACCES
			       ? "the kernel's table refuses it before the gateway sees it"
			       : "the kernel's table could not be asked";
		json_object_set_new(state->row, "kernel",
				    json_pack("{s:n,s:s}", "dev", "note", note));
		step_add(state->steps, "kernel: %s", note);
		return;
	}
	line = explain_line(gateway, &route, &via);
	note = kernel_note(gateway, route.oif, line);
	prefix_format(&route.prefix, prefix, sizeof(prefix));
	json_object_set_new(state->row, "kernel",
			    json_pack("{s:s,s:i,s:i,s:o,s:s,s:o}", "prefix", prefix, "proto",
				      (int)route.protocol, "type", (int)route.type, "dev",
				      verbs_text(dev), "note", note, "line",
				      verbs_text(line ? line->config->name : NULL)));
	step_add(state->steps, "kernel: %s dev %s %s", prefix, *dev ? dev : "none", note);
	if (line)
		step_add(state->steps, "%s %s carries it, to %s",
			 line->config->transit ? "transit peer" : "private line",
			 line->config->name, addr_format(&via, prefix, sizeof(prefix)));
}

static void explain_found(void *ctx, int error, const char *text,
			  const struct kernel_lookup *lookup)
{
	struct explain_state *state = ctx;

	if (error) {
		control_reply_error(state->reply, error, "%s", text);
		json_decref(state->row);
		json_decref(state->steps);
		free(state);
		return;
	}
	explain_kernel(state);
	explain_candidates(state, lookup);
	explain_choice(state, lookup);
	step_add(state->steps, "%s", names_verdict_text(lookup->verdict));
	json_object_set_new(state->row, "steps", state->steps);
	control_reply_row(state->reply, state->row);
	control_reply_done(state->reply);
	free(state);
}

static const char *read_address(const json_t *args, const char *key, struct addr *out)
{
	const char *text = json_string_value(json_object_get(args, key));

	if (!text)
		return json_object_get(args, key) ? "must be a string" : NULL;
	return addr_parse(text, out) ? NULL : "is not an address";
}

static bool read_number(const json_t *args, const char *key, json_int_t max, json_int_t *out)
{
	const json_t *value = json_object_get(args, key);

	*out = json_integer_value(value);
	return !value || (json_is_integer(value) && *out >= 0 && *out <= max);
}

/* NULL, or what is wrong. */
static const char *read_flow(const json_t *args, struct kernel_flow *flow, char *err, size_t size)
{
	static const struct {
		const char *key;
		json_int_t max;
	} numbers[] = {
		{"proto", 255}, {"sport", 65535}, {"dport", 65535}, {"label", 0xfffff}};
	const char *wrong = read_address(args, "address", &flow->dst);
	json_int_t value[4];

	if (wrong || !addr_is_set(&flow->dst)) {
		snprintf(err, size, "\"address\" %s", wrong ? wrong : "is missing");
		return err;
	}
	wrong = read_address(args, "from", &flow->src);
	if (!wrong && addr_is_set(&flow->src) && flow->src.family != flow->dst.family)
		wrong = "is of another family than the destination";
	if (wrong) {
		snprintf(err, size, "\"from\" %s", wrong);
		return err;
	}
	for (unsigned int i = 0; i < 4; i++) {
		if (read_number(args, numbers[i].key, numbers[i].max, &value[i]))
			continue;
		snprintf(err, size, "\"%s\" must be a number up to %d", numbers[i].key,
			 (int)numbers[i].max);
		return err;
	}
	flow->protocol = value[0];
	flow->sport = value[1];
	flow->dport = value[2];
	flow->flow_label = value[3];
	return NULL;
}

void explain(void *ctx, const json_t *args, struct control_reply *reply)
{
	struct gateway *gateway = ctx;
	struct explain_state *state;
	struct kernel_flow flow = {0};
	char err[128];

	if (read_flow(args, &flow, err, sizeof(err))) {
		control_reply_error(reply, EINVAL, "%s", err);
		return;
	}
	if (!gateway->bound) {
		control_reply_error(reply, ENODEV, "the gateway's device is not there: %s",
				    gateway->device_error);
		return;
	}
	state = calloc(1, sizeof(*state));
	if (!state) {
		control_reply_error(reply, ENOMEM, "out of memory");
		return;
	}
	*state = (struct explain_state){.gateway = gateway, .reply = reply, .flow = flow};
	state->row = json_pack("{s:o,s:n,s:n,s:n,s:n,s:n,s:n,s:n}", "destination",
			       verbs_address(&flow.dst), "bucket", "group", "tunnel", "interface",
			       "spi", "cache", "kept");
	state->steps = json_array();
	kernel_lookup(gateway->kernel, gateway->ifindex, &flow, explain_found, state);
}
