/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module knows, in vgwd's rows, for when vgwd is not running.
 *
 * Promise: only reads. Names are the agent's, so a tunnel is called by its
 * interface ("#ID" if that is gone) and connections and sites by their number
 * ("#1"); what only the agent knows is null. Every call ends within the time
 * limit.
 */
#ifndef VGW_VGWCTL_MODULE_H
#define VGW_VGWCTL_MODULE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/kernel.h"

struct module;

/* Each row is borrowed. */
typedef void (*module_row)(void *ctx, const json_t *row);
/* 0 or negative errno with the text in module_error(). args as in the control protocol. */
typedef int (*module_answer)(struct module *module, const json_t *args, module_row row, void *ctx);

/*
 * Finds the gateways: the device named, or NULL for all. NULL: see err. kernel is normally NULL
 * (the real module is opened); a test gives its own, with its loop, and keeps both.
 */
struct module *module_open(const char *device, unsigned int timeout_ms, struct loop *loop,
			   struct kernel *kernel, char *err, size_t size);
void module_close(struct module *module);
const char *module_error(const struct module *module);

int module_gateway(struct module *module, const json_t *args, module_row row, void *ctx);
int module_tunnels(struct module *module, const json_t *args, module_row row, void *ctx);
int module_groups(struct module *module, const json_t *args, module_row row, void *ctx);
/* args.prefix: only that prefix. */
int module_routes(struct module *module, const json_t *args, module_row row, void *ctx);
/* args.address, from, proto, sport, dport. -EINVAL if there are several gateways. */
int module_explain(struct module *module, const json_t *args, module_row row, void *ctx);

/* Inside: module.c talks to the kernel, module_rows.c makes rows. */

struct module_gateway {
	uint32_t ifindex;
	char name[16];
	struct kernel_gateway info;
};

#define MODULE_LABEL_SIZE 24

struct module_tunnel {
	struct kernel_tunnel is;
	char label[MODULE_LABEL_SIZE]; /* its interface, or "#ID" */
	bool has_device;
};

struct module_tunnels { /* of one gateway, by a dump */
	struct module_tunnel *list;
	size_t n;
};

/* Fills label and has_device: once a tunnel, since it asks the kernel. */
void module_tunnel_name(struct module_tunnel *tunnel);

json_t *module_gateway_row(const struct module_gateway *gateway, const struct kernel_stats *stats,
			   const struct module_tunnels *tunnels);
json_t *module_tunnel_row(const struct module_tunnel *tunnel);
json_t *module_group_row(const struct kernel_group *group, const struct module_tunnels *tunnels);
/* effective: the class that packets for this very prefix take. group NULL: unknown or none. */
json_t *module_policy_row(const struct kernel_policy *policy, const struct kernel_group *group,
			  const struct module_tunnels *tunnels);
json_t *module_route_row(const struct kernel_route *route, bool effective,
			 const struct kernel_group *group, const struct module_tunnels *tunnels);
/* groups: n of them, to name the tunnels of candidates. gateway: name of the device. */
json_t *module_explain_row(const struct kernel_flow *flow, const struct kernel_lookup *lookup,
			   const struct module_tunnels *tunnels, const struct kernel_group *groups,
			   size_t n_groups, const char *gateway);

/* system.c: what the kernel's own tables say, as the member "kernel" of explain's row; gateway is
 * the device that the packet should reach. A packet of this host outside of any VRF. NULL on no
 * memory. */
json_t *system_route(const struct kernel_flow *flow, const char *gateway);

#endif
