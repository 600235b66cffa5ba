// SPDX-License-Identifier: GPL-2.0-only
/*
 * The connection to the real module. One socket carries requests, a few of
 * them under way, found again by sequence number; a dump is under way alone,
 * since a socket can have one only. The other one carries the news: of the
 * family itself (the generic-netlink controller) and the family's events.
 *
 * The family is looked up by a dump of all families: asking for it by name
 * would make the kernel run modprobe and wait for it.
 */
#include "sys/kernel_genl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vgw.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define SUBJECT "module"
#define WINDOW 4
#define BUFFER_SIZE 65536 /* the largest message of the kernel is half of it */
#define RECEIVE_BUFFER (8 << 20)
#define READS_PER_TURN 64
#define DUMP_REPEATS 8
#define RESOLVE_RETRY_MS 1000
#define CONTROLLER_GROUP GENL_ID_CTRL /* "notify" of nlctrl has this number */

struct request {
	struct request *next;
	struct kernel_caller caller;
	struct kernel_result result;
	struct kernel_route_ref *order; /* route batches */
	struct nl_msg *msg; /* until answered */
	uint32_t seq;
	unsigned int repeats;
	bool sent, answered, interrupted;
};

struct genl {
	struct kernel kernel;
	struct loop *loop;
	struct kernel_events events;
	void *ctx;
	struct nl_sock *requests, *news;
	struct loop_io *requests_io, *news_io;
	struct loop_timer *kick, *resolve_timer;
	struct request *head, **tail; /* in the order of their answers */
	size_t under_way;
	uint32_t seq, resolve_seq;
	uint32_t group; /* of events, 0 if not joined */
	uint16_t family; /* 0: not there */
	bool seen; /* by the lookup under way */
	bool dumping, closed;
	unsigned int depth; /* callbacks that run: not freed before they end */
	char *answers, *heard; /* what was read last from either socket */
};

static const char GONE[] = "the vgw module is not loaded";

static struct genl *genl_of(struct kernel *kernel)
{
	return (struct genl *)kernel; /* first member */
}

/* Requests */

static void request_free(struct request *request)
{
	if (request->msg)
		nlmsg_free(request->msg);
	kernel_result_clear(&request->result);
	free(request->order);
	free(request);
}

static void settle(struct genl *genl, struct request *request)
{
	if (request->sent && !request->answered)
		genl->under_way--;
	if (kernel_op_is_dump(request->caller.op) && request->sent)
		genl->dumping = false;
	request->answered = true;
}

static void fail(struct genl *genl, struct request *request, int error, const char *text)
{
	kernel_result_fail(&request->result, error, text, -1);
	settle(genl, request);
}

static void transmit(struct genl *genl, struct request *request)
{
	struct nlmsghdr *nlh = nlmsg_hdr(request->msg);

	request->seq = ++genl->seq;
	nlh->nlmsg_seq = request->seq;
	nlh->nlmsg_pid = nl_socket_get_local_port(genl->requests);
	nlh->nlmsg_type = genl->family;
	request->sent = true;
	genl->under_way++;
	genl->dumping = kernel_op_is_dump(request->caller.op);
	/* The kernel does the work of a request right here; what it answers waits in the socket. */
	if (send(nl_socket_get_fd(genl->requests), nlh, nlh->nlmsg_len, MSG_DONTWAIT) < 0)
		fail(genl, request, -errno, NULL);
}

static void pump(struct genl *genl)
{
	for (struct request *r = genl->head; r && genl->under_way < WINDOW; r = r->next) {
		if (r->sent || r->answered)
			continue;
		if (genl->dumping || (kernel_op_is_dump(r->caller.op) && genl->under_way))
			break;
		if (genl->family)
			transmit(genl, r);
		else
			fail(genl, r, -ENOLINK, GONE);
	}
	if (genl->head && genl->head->answered)
		loop_timer_start(genl->kick, 0);
}

/* Tells the answers that have their turn. */
static void deliver(struct genl *genl)
{
	struct request *request;

	while ((request = genl->head) && request->answered) {
		genl->head = request->next;
		if (!genl->head)
			genl->tail = &genl->head;
		kernel_answer(&request->caller, &request->result);
		request_free(request);
	}
}

static void genl_submit(struct kernel *kernel, const struct kernel_call *call,
			const struct kernel_caller *caller)
{
	struct genl *genl = genl_of(kernel);
	struct request *request = calloc(1, sizeof(*request));
	struct kernel_result no_memory;
	int error = -ENOMEM;

	if (request && call->n_routes && !call->error)
		request->order = calloc(call->n_routes, sizeof(*request->order));
	if (!request || (call->n_routes && !call->error && !request->order)) {
		free(request);
		kernel_result_init(&no_memory);
		kernel_result_fail(&no_memory, -ENOMEM, NULL, -1);
		kernel_answer(caller, &no_memory);
		return;
	}
	request->caller = *caller;
	kernel_result_init(&request->result);
	*genl->tail = request;
	genl->tail = &request->next;
	if (call->error) {
		fail(genl, request, call->error, call->text);
		request->result.index = call->index;
	} else {
		request->msg = kernel_genl_encode(call, request->order, &error);
		if (!request->msg)
			fail(genl, request, error, NULL);
	}
	pump(genl);
}

/* Answers */

static struct request *find_request(struct genl *genl, uint32_t seq)
{
	size_t left = genl->under_way;

	for (struct request *r = genl->head; r && left; r = r->next) {
		if (!r->sent || r->answered)
			continue;
		if (r->seq == seq)
			return r;
		left--;
	}
	return NULL;
}

/* Text and offset of an extended acknowledgement, which starts at offset from of the payload. */
static void read_extack(struct nlmsghdr *nlh, size_t from, const char **text, uint32_t *offset)
{
	struct nlattr *a[NLMSGERR_ATTR_MAX + 1];
	size_t length = (size_t)nlmsg_datalen(nlh);

	*text = NULL;
	*offset = 0;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || from >= length)
		return;
	if (nla_parse(a, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)nlmsg_data(nlh) + from),
		      (int)(length - from), NULL) < 0)
		return;
	if (a[NLMSGERR_ATTR_MSG] && nla_len(a[NLMSGERR_ATTR_MSG]) > 0 &&
	    memchr(nla_data(a[NLMSGERR_ATTR_MSG]), 0, (size_t)nla_len(a[NLMSGERR_ATTR_MSG])))
		*text = nla_data(a[NLMSGERR_ATTR_MSG]);
	if (a[NLMSGERR_ATTR_OFFS] && nla_len(a[NLMSGERR_ATTR_OFFS]) >= 4)
		*offset = nla_get_u32(a[NLMSGERR_ATTR_OFFS]);
}

static void answered(struct genl *genl, struct request *request, int error, const char *text,
		     uint32_t offset)
{
	long place;

	/* Every refusal of the module has a text: this one is of the core, which has no family
	 * with this number. The news will say so too. */
	if (error == -ENOENT && !text) {
		error = -ENOLINK;
		text = GONE;
	}
	if (error && !request->result.error) {
		fail(genl, request, error, text);
		if (request->order && offset) {
			place = kernel_genl_route_at(nlmsg_hdr(request->msg), offset);
			if (place >= 0)
				request->result.index = request->order[place].index;
		} else if (offset && (request->caller.op == KERNEL_OP_POLICIES_ADD ||
				      request->caller.op == KERNEL_OP_POLICIES_DEL)) {
			request->result.index =
				kernel_genl_policy_at(nlmsg_hdr(request->msg), offset);
		}
	}
	settle(genl, request);
}

static void read_error(struct genl *genl, struct request *request, struct nlmsghdr *nlh)
{
	struct nlmsgerr *err = nlmsg_data(nlh);
	size_t from = sizeof(*err);
	const char *text;
	uint32_t offset;

	if (nlmsg_datalen(nlh) < (int)sizeof(*err)) {
		fail(genl, request, -EPROTO, NULL);
		return;
	}
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		from += NLMSG_ALIGN(err->msg.nlmsg_len - sizeof(err->msg));
	read_extack(nlh, from, &text, &offset);
	answered(genl, request, err->error, text, offset);
}

static void read_done(struct genl *genl, struct request *request, struct nlmsghdr *nlh)
{
	const char *text = NULL;
	uint32_t offset = 0;
	int error = 0;

	if (nlmsg_datalen(nlh) >= (int)sizeof(int)) {
		memcpy(&error, nlmsg_data(nlh), sizeof(int));
		read_extack(nlh, sizeof(int), &text, &offset);
	}
	if (error > 0)
		error = 0;
	if (error || request->result.error || !request->interrupted) {
		answered(genl, request, error, text, 0);
		return;
	}
	if (++request->repeats == DUMP_REPEATS) {
		fail(genl, request, -EAGAIN, "the table kept changing while it was read");
		return;
	}
	settle(genl, request);
	kernel_result_clear(&request->result);
	request->answered = request->sent = request->interrupted = false;
}

static void read_answer(struct genl *genl, struct nlmsghdr *nlh)
{
	struct request *request = find_request(genl, nlh->nlmsg_seq);
	int error;

	if (!request)
		return;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		request->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		read_error(genl, request, nlh);
	} else if (nlh->nlmsg_type == NLMSG_DONE) {
		read_done(genl, request, nlh);
	} else if (nlh->nlmsg_type == genl->family && !request->result.error) {
		error = kernel_genl_decode(request->caller.op, nlh, &request->result);
		if (error)
			kernel_result_fail(&request->result, error, NULL, -1);
	}
}

/* Reads one datagram and hands out its messages. False: no more, or *error. */
static bool read_datagram(struct genl *genl, struct nl_sock *sock, char *buffer,
			  void (*read)(struct genl *genl, struct nlmsghdr *nlh), int *error)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	socklen_t from_size = sizeof(from);
	struct nlmsghdr *nlh;
	ssize_t n;
	int left;

	*error = 0;
	n = recvfrom(nl_socket_get_fd(sock), buffer, BUFFER_SIZE, MSG_DONTWAIT | MSG_TRUNC,
		     (struct sockaddr *)&from, &from_size);
	if (n < 0) {
		if (errno == EINTR)
			return true;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			*error = -errno;
		return false;
	}
	/* Anybody may write to a netlink socket; the kernel is port 0. */
	if (from.nl_pid)
		return true;
	if (n > BUFFER_SIZE) {
		*error = -ENOBUFS;
		return false;
	}
	left = (int)n;
	for (nlh = (struct nlmsghdr *)buffer; nlmsg_ok(nlh, left) && !genl->closed;
	     nlh = nlmsg_next(nlh, &left))
		read(genl, nlh);
	return !genl->closed;
}

static void fail_all(struct genl *genl, int error, const char *text, bool sent_only)
{
	for (struct request *r = genl->head; r; r = r->next)
		if (!r->answered && (r->sent || !sent_only))
			fail(genl, r, error, text);
}

/* False: the socket is empty. */
static bool read_answers(struct genl *genl)
{
	int error = 0;

	for (unsigned int i = 0; i < READS_PER_TURN; i++)
		if (!read_datagram(genl, genl->requests, genl->answers, read_answer, &error))
			goto empty;
	return true;
empty:
	/* Some answer is lost, nobody knows whose. */
	if (error)
		fail_all(genl, error, NULL, true);
	return false;
}

static void destroy(struct genl *genl);

static void enter(struct genl *genl)
{
	genl->depth++;
}

static void leave(struct genl *genl)
{
	if (!--genl->depth && genl->closed)
		destroy(genl);
}

static void requests_ready(void *ctx, unsigned int events)
{
	struct genl *genl = ctx;

	enter(genl);
	read_answers(genl);
	deliver(genl);
	if (!genl->closed)
		pump(genl);
	leave(genl);
}

static void kick_fire(void *ctx)
{
	requests_ready(ctx, 0);
}

/* News */

static void family_lost(struct genl *genl)
{
	/* What the module answered before it went is still true. */
	while (read_answers(genl))
		;
	genl->family = 0;
	genl->group = 0;
	fail_all(genl, -ENOLINK, GONE, false);
	deliver(genl);
	if (!genl->closed && genl->events.lost)
		genl->events.lost(genl->ctx);
}

static void family_found(struct genl *genl, uint16_t family, uint32_t group)
{
	int ret;

	if (genl->family == family)
		return;
	if (genl->family)
		family_lost(genl);
	if (genl->closed)
		return;
	genl->family = family;
	genl->group = group;
	ret = group ? nl_socket_add_membership(genl->news, (int)group) : -NLE_OBJ_NOTFOUND;
	if (ret < 0)
		log_error(SUBJECT, "cannot hear its events: %s", nl_geterror(ret));
	if (genl->events.found)
		genl->events.found(genl->ctx);
}

static uint32_t events_group(struct nlattr *groups)
{
	struct nlattr *a[CTRL_ATTR_MCAST_GRP_MAX + 1], *group;
	int rem;

	nla_for_each_nested(group, groups, rem) {
		if (nla_parse_nested(a, CTRL_ATTR_MCAST_GRP_MAX, group, NULL) < 0 ||
		    !a[CTRL_ATTR_MCAST_GRP_NAME] || !a[CTRL_ATTR_MCAST_GRP_ID])
			continue;
		if (!nla_strcmp(a[CTRL_ATTR_MCAST_GRP_NAME], VGW_MCGRP_EVENTS))
			return nla_get_u32(a[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

static void read_controller(struct genl *genl, struct nlmsghdr *nlh)
{
	struct nlattr *a[CTRL_ATTR_MAX + 1];
	uint8_t cmd = genlmsg_hdr(nlh)->cmd;

	if (genlmsg_parse(nlh, 0, a, CTRL_ATTR_MAX, NULL) < 0 || !a[CTRL_ATTR_FAMILY_NAME] ||
	    !a[CTRL_ATTR_FAMILY_ID] ||
	    nla_strcmp(a[CTRL_ATTR_FAMILY_NAME], VGW_FAMILY_NAME))
		return;
	if (cmd == CTRL_CMD_NEWFAMILY) {
		genl->seen = true;
		family_found(genl, nla_get_u16(a[CTRL_ATTR_FAMILY_ID]),
			     a[CTRL_ATTR_MCAST_GROUPS] ? events_group(a[CTRL_ATTR_MCAST_GROUPS]) :
							 0);
	} else if (cmd == CTRL_CMD_DELFAMILY && genl->family) {
		genl->seen = false;
		family_lost(genl);
	}
}

static void read_event(struct genl *genl, struct nlmsghdr *nlh)
{
	struct kernel_gateway gateway;
	struct kernel_tunnel tunnel;
	uint32_t of;

	if (genlmsg_hdr(nlh)->cmd == VGW_CMD_TUNNEL_NTF && genl->events.tunnel &&
	    !kernel_genl_decode_tunnel(nlh, &of, &tunnel))
		genl->events.tunnel(genl->ctx, of, &tunnel);
	if (genlmsg_hdr(nlh)->cmd == VGW_CMD_GATEWAY_NTF && genl->events.gateway &&
	    !kernel_genl_decode_gateway(nlh, &gateway))
		genl->events.gateway(genl->ctx, &gateway);
}

static void read_news(struct genl *genl, struct nlmsghdr *nlh)
{
	bool of_lookup = genl->resolve_seq && nlh->nlmsg_seq == genl->resolve_seq;

	if (nlh->nlmsg_type == NLMSG_DONE && of_lookup) {
		genl->resolve_seq = 0;
		if (genl->family && !genl->seen)
			family_lost(genl);
	} else if (nlh->nlmsg_type == NLMSG_ERROR && of_lookup) {
		loop_timer_start(genl->resolve_timer, RESOLVE_RETRY_MS);
	} else if (!genlmsg_valid_hdr(nlh, 0)) {
		return;
	} else if (nlh->nlmsg_type == GENL_ID_CTRL) {
		read_controller(genl, nlh);
	} else if (genl->family && nlh->nlmsg_type == genl->family) {
		read_event(genl, nlh);
	}
}

static void resolve(void *ctx)
{
	struct genl *genl = ctx;
	struct nl_msg *msg = nlmsg_alloc_size(BUFSIZ);
	struct nlmsghdr *nlh = NULL;

	if (msg && genlmsg_put(msg, nl_socket_get_local_port(genl->news), ++genl->seq,
			       GENL_ID_CTRL, 0, NLM_F_REQUEST | NLM_F_DUMP, CTRL_CMD_GETFAMILY, 1))
		nlh = nlmsg_hdr(msg);
	genl->seen = false;
	genl->resolve_seq = genl->seq;
	if (!nlh || send(nl_socket_get_fd(genl->news), nlh, nlh->nlmsg_len, MSG_DONTWAIT) < 0)
		loop_timer_start(genl->resolve_timer, RESOLVE_RETRY_MS);
	if (msg)
		nlmsg_free(msg);
}

static void news_ready(void *ctx, unsigned int events)
{
	struct genl *genl = ctx;
	int error = 0;

	enter(genl);
	for (unsigned int i = 0; i < READS_PER_TURN; i++)
		if (!read_datagram(genl, genl->news, genl->heard, read_news, &error))
			break;
	/* The family's coming or going may be among what was lost. */
	if (error) {
		loop_timer_start(genl->resolve_timer, 0);
		if (genl->family && genl->events.overrun)
			genl->events.overrun(genl->ctx);
	}
	if (!genl->closed)
		pump(genl);
	leave(genl);
}

/* Life */

static void destroy(struct genl *genl)
{
	loop_timer_free(genl->kick);
	loop_timer_free(genl->resolve_timer);
	loop_io_free(genl->requests_io);
	loop_io_free(genl->news_io);
	nl_socket_free(genl->requests);
	nl_socket_free(genl->news);
	free(genl->answers);
	free(genl->heard);
	free(genl);
}

static void genl_free(struct kernel *kernel)
{
	struct genl *genl = genl_of(kernel);

	if (genl->closed)
		return;
	enter(genl);
	genl->closed = true;
	genl->family = 0;
	fail_all(genl, -ENOLINK, "the connection to the module was closed", false);
	deliver(genl);
	leave(genl);
}

static bool genl_available(const struct kernel *kernel)
{
	return ((const struct genl *)kernel)->family != 0;
}

static const struct kernel_ops genl_ops = {
	.free = genl_free,
	.available = genl_available,
	.submit = genl_submit,
};

static struct nl_sock *socket_open(void)
{
	struct nl_sock *sock = nl_socket_alloc();
	int size = RECEIVE_BUFFER, on = 1, fd, ret;

	if (!sock)
		return NULL;
	ret = genl_connect(sock);
	if (!ret)
		ret = nl_socket_set_nonblocking(sock);
	if (ret) {
		log_error(SUBJECT, "cannot open a netlink socket: %s", nl_geterror(ret));
		nl_socket_free(sock);
		return NULL;
	}
	fd = nl_socket_get_fd(sock);
	/* Beyond the system's limit only with CAP_NET_ADMIN over the initial namespace. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return sock;
}

static bool genl_open(struct genl *genl)
{
	genl->answers = malloc(BUFFER_SIZE);
	genl->heard = malloc(BUFFER_SIZE);
	genl->kick = loop_timer_new(genl->loop, kick_fire, genl);
	genl->resolve_timer = loop_timer_new(genl->loop, resolve, genl);
	genl->requests = socket_open();
	genl->news = socket_open();
	if (!genl->answers || !genl->heard || !genl->kick || !genl->resolve_timer ||
	    !genl->requests || !genl->news)
		return false;
	/* Before the lookup, so that nothing falls between the two. */
	if (nl_socket_add_membership(genl->news, CONTROLLER_GROUP) < 0)
		return false;
	genl->requests_io = loop_io_new(genl->loop, nl_socket_get_fd(genl->requests),
					requests_ready, genl);
	genl->news_io = loop_io_new(genl->loop, nl_socket_get_fd(genl->news), news_ready, genl);
	return genl->requests_io && genl->news_io;
}

struct kernel *kernel_genl_new(struct loop *loop, const struct kernel_events *events, void *ctx)
{
	struct genl *genl = calloc(1, sizeof(*genl));

	if (!genl)
		return NULL;
	genl->kernel.ops = &genl_ops;
	genl->loop = loop;
	genl->tail = &genl->head;
	genl->ctx = ctx;
	if (events)
		genl->events = *events;
	if (!genl_open(genl)) {
		destroy(genl);
		return NULL;
	}
	loop_io_set(genl->requests_io, LOOP_READ);
	loop_io_set(genl->news_io, LOOP_READ);
	resolve(genl);
	return &genl->kernel;
}
