/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the family: requests made, replies read. Private to sys/kernel_genl*.c. */
#ifndef VGW_SYS_KERNEL_GENL_H
#define VGW_SYS_KERNEL_GENL_H

#include <netlink/msg.h>

#include "sys/kernel_request.h"

/* The request, with type and sequence number still 0. NULL: *error says why. For routes, order[]
 * (n_routes of them) gets the order in which they stand in the message. */
struct nl_msg *kernel_genl_encode(const struct kernel_call *call, struct kernel_route_ref *order,
				  int *error);
/* The place of a byte of a route message among its prefixes, in the order of the message: the
 * prefix itself, or the first one of the run; -1 outside of any. */
long kernel_genl_route_at(struct nlmsghdr *request, uint32_t offset);
/* The same of a message of policy routes, which stand there in the order of the call. */
long kernel_genl_policy_at(struct nlmsghdr *request, uint32_t offset);

/* One message of an answer. 0, -EPROTO, -ENOMEM. */
int kernel_genl_decode(enum kernel_op op, struct nlmsghdr *nlh, struct kernel_result *result);
int kernel_genl_decode_tunnel(struct nlmsghdr *nlh, uint32_t *gateway,
			      struct kernel_tunnel *tunnel);
int kernel_genl_decode_gateway(struct nlmsghdr *nlh, struct kernel_gateway *gateway);

#endif
