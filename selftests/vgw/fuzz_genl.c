// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random and broken requests for the generic-netlink family, made after its YNL
 * specification (fuzz_spec.h), and what must be true of every answer: there is
 * one, a refusal says why and points into the request, and a reply holds only
 * what the specification says. What the kernel log says is the caller's to judge.
 *
 *   fuzz_genl [-n COUNT] [-j PROCESSES] [-s SEED] -g IFINDEX... [-d IFINDEX...]
 *   fuzz_genl -p
 *
 * -g: gateways, -d: devices that may become tunnels. In the end the gateways are
 * emptied. With -p every command must be refused for want of CAP_NET_ADMIN.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MESSAGE_MAX	32768
#define BATCH_MAX	32
#define POOL_MAX	32
#define IDS		12
#define TOLD_MAX	10	/* findings that are printed by each process */
#define WAIT_S		60

enum kind { U8, U16, U32, U64, PAD, NEST, PREFIX4, PREFIX6, ADDR6, BINARY };
enum pool { POOL_NONE, POOL_GATEWAY, POOL_DEVICE, POOL_ID, POOL_GENERATION };

struct attr {
	const char *name;
	unsigned int number;
	enum kind kind;
	enum pool pool;
	unsigned int max;	/* of an enum, else 0 */
	unsigned int nest;	/* index of the nested set */
	bool multi;
};

struct set {
	const struct attr *attrs;
	unsigned int n;
};

struct op {
	const char *name;
	unsigned int number, set;
	uint64_t request;	/* bit: number of an attribute that a request may have */
	bool can_do, can_dump;
};

#include "fuzz_spec.h"

struct message {
	uint8_t data[MESSAGE_MAX] __attribute__((aligned(4)));
	size_t len;
};

/* Shared by all processes; counted atomically. */
struct totals {
	unsigned long messages, accepted, refused, replies, dumps, silent, wrong, overruns;
};

static struct totals *totals;
static uint32_t gateways[POOL_MAX], devices[POOL_MAX], generation = 1;
static unsigned int n_gateways, n_devices, told;
static struct message batch[BATCH_MAX];
static uint8_t answer[1 << 18] __attribute__((aligned(8)));
static uint64_t state;
static uint32_t seq;
static uint16_t family;
static int sock = -1;

static void count(unsigned long *counter, unsigned long by)
{
	__atomic_add_fetch(counter, by, __ATOMIC_RELAXED);
}

static __attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fuzz_genl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

/* xorshift64*: the same seed makes the same messages. */
static uint32_t draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull) >> 32;
}

static uint32_t below(uint32_t n)
{
	return draw() % n;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

/* Messages */

static void *put(struct message *m, size_t len)
{
	uint8_t *at = m->data + m->len;

	if (m->len + len > sizeof(m->data))
		return NULL;
	m->len += len;
	return memset(at, 0, len);
}

/* An attribute's data, or NULL if the message is full. */
static void *put_attr(struct message *m, uint16_t type, size_t len)
{
	struct nlattr *nla = put(m, NLA_HDRLEN + NLA_ALIGN(len));

	if (!nla)
		return NULL;
	nla->nla_len = NLA_HDRLEN + len;
	nla->nla_type = type;
	return nla + 1;
}

static uint64_t draw_number(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff,
					  0x80000000, 0xfffffffe, 0xffffffff, UINT64_MAX };

	switch (below(4)) {
	case 0:
		return edges[below(ARRAY_SIZE(edges))];
	case 1:
		return (uint64_t)draw() << 32 | draw();
	default:
		return below(IDS + 1);
	}
}

static uint64_t draw_value(const struct attr *attr)
{
	if (percent(5))
		return draw_number();
	switch (attr->pool) {
	case POOL_GATEWAY:
		return gateways[below(n_gateways)];
	case POOL_DEVICE:
		return n_devices ? devices[below(n_devices)] : draw_number();
	case POOL_ID:
		return 1 + below(IDS);
	case POOL_GENERATION:
		return generation;
	case POOL_NONE:
		break;
	}
	return attr->max ? below(attr->max + 1) : draw_number();
}

/* From a space that is small enough for prefixes to meet again and cover each other. */
static void draw_prefix(uint8_t *at, unsigned int bytes)
{
	unsigned int bits = bytes * 8, len = below(bits + 1);

	if (percent(50))
		len = bits / 2 + below(bits / 2 + 1);
	if (percent(2))
		len = below(256);
	at[0] = bytes == 4 ? 10 : 0xfd;
	for (unsigned int i = 1; i < bytes; i++)
		at[i] = below(3);
	if (percent(99))
		for (unsigned int i = len; i < bits; i++)
			at[i / 8] &= ~(0x80 >> i % 8);
	at[bytes] = len;
	if (percent(1))
		at[bytes + 1 + below(3)] = draw();
}

static void put_prefixes(struct message *m, unsigned int number, unsigned int bytes)
{
	unsigned int n = percent(5) ? below(600) : below(20);
	uint8_t *at = put_attr(m, number, n * (bytes + 4));

	for (unsigned int i = 0; at && i < n; i++)
		draw_prefix(at + i * (bytes + 4), bytes);
}

static void put_set(struct message *m, unsigned int set, uint64_t request);

static void put_nest(struct message *m, const struct attr *attr)
{
	size_t begin = m->len;
	struct nlattr *nla;

	if (!put_attr(m, attr->number | (percent(98) ? NLA_F_NESTED : 0), 0))
		return;
	put_set(m, attr->nest, UINT64_MAX);
	nla = (struct nlattr *)(m->data + begin);
	nla->nla_len = m->len - begin;
}

static void put_random(struct message *m, unsigned int type, size_t len)
{
	uint8_t *at = put_attr(m, type, len);

	for (size_t i = 0; at && i < len; i++)
		at[i] = draw();
}

static void put_drawn(struct message *m, const struct attr *attr)
{
	static const uint8_t sizes[] = { [U8] = 1, [U16] = 2, [U32] = 4, [U64] = 8 };
	uint64_t value;
	uint8_t *at;

	switch (attr->kind) {
	case U8:
	case U16:
	case U32:
	case U64:
		value = draw_value(attr);
		at = put_attr(m, attr->number, sizes[attr->kind]);
		if (at)
			memcpy(at, &value, sizes[attr->kind]);
		break;
	case NEST:
		put_nest(m, attr);
		break;
	case PREFIX4:
		put_prefixes(m, attr->number, 4);
		break;
	case PREFIX6:
		put_prefixes(m, attr->number, 16);
		break;
	case ADDR6:
		at = put_attr(m, attr->number, 16);
		if (!at)
			break;
		at[0] = 0xfd;
		at[15] = below(3);
		break;
	case PAD:
	case BINARY:
		put_random(m, attr->number, below(40));
		break;
	}
}

/* What a request may have, mostly; what it may not, and what nobody knows, now and then. */
static void put_set(struct message *m, unsigned int set, uint64_t request)
{
	for (unsigned int i = 0; i < sets[set].n; i++) {
		const struct attr *attr = &sets[set].attrs[i];
		bool wanted = request >> attr->number & 1;
		/* All is allowed for lack of a list: what only replies have is there, too. */
		unsigned int chance = request == UINT64_MAX ? 80 : wanted ? 85 : 1;
		unsigned int n = attr->multi ? 1 + below(6) : 1;

		if (request == UINT64_MAX && i >= 5)
			chance = 1;
		if (attr->pool == POOL_GATEWAY && wanted)
			chance = 97;
		for (unsigned int k = 0; k < n && percent(chance); k++)
			put_drawn(m, attr);
	}
	if (percent(1))
		put_random(m, percent(50) ? 1 + sets[set].n : draw(), below(64));
}

/* Ops that change something are drawn more often. */
static const struct op *draw_op(void)
{
	const struct op *op;

	do {
		op = &ops[below(ARRAY_SIZE(ops))];
	} while (op->can_dump && percent(60));
	return op;
}

static void begin(struct message *m, const struct op *op, uint16_t flags)
{
	struct nlmsghdr *nlh;
	struct genlmsghdr *genl;

	m->len = 0;
	nlh = put(m, NLMSG_HDRLEN + GENL_HDRLEN);
	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++seq;
	genl = (struct genlmsghdr *)(nlh + 1);
	genl->cmd = op->number;
	genl->version = FAMILY_VERSION;
}

static void end(struct message *m)
{
	((struct nlmsghdr *)m->data)->nlmsg_len = m->len;
	while (m->len % NLMSG_ALIGNTO)
		m->data[m->len++] = 0;
}

/* One attribute of the outermost level, or NULL. */
static struct nlattr *pick_attr(struct message *m)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN, at = head;
	struct nlattr *picked = NULL;
	unsigned int n = 0;

	while (at + NLA_HDRLEN <= m->len) {
		struct nlattr *nla = (struct nlattr *)(m->data + at);

		if (nla->nla_len < NLA_HDRLEN)
			break;
		if (!below(++n))
			picked = nla;
		at += NLA_ALIGN(nla->nla_len);
	}
	return picked;
}

static void break_message(struct message *m)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN, len = m->len;
	struct nlattr *nla = pick_attr(m);
	uint8_t *at;

	switch (below(6)) {
	case 0:
		for (unsigned int n = 1 + below(8); n && len > head; n--)
			m->data[head + below(len - head)] ^= 1 << below(8);
		break;
	case 1:
		m->len = NLMSG_HDRLEN + below(len - NLMSG_HDRLEN + 1);
		break;
	case 2:
		len = 1 + below(64);
		at = put(m, len);
		for (size_t i = 0; at && i < len; i++)
			at[i] = draw();
		break;
	case 3:
		if (nla)
			nla->nla_len = percent(50) ? draw() : nla->nla_len + below(9) - 4;
		break;
	case 4:
		if (nla)
			nla->nla_type ^= percent(50) ? draw() : NLA_F_NESTED >> below(2);
		break;
	case 5:
		len = nla ? NLA_ALIGN(nla->nla_len) : 0;
		if (!nla || (uint8_t *)nla + len > m->data + m->len)
			break;
		at = put(m, len);
		if (at)
			memcpy(at, nla, len);
		break;
	}
}

static void draw_message(struct message *m)
{
	const struct op *op = draw_op();
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->data;
	struct genlmsghdr *genl = (struct genlmsghdr *)(nlh + 1);

	begin(m, op, NLM_F_ACK);
	put_set(m, op->set, op->request);
	if (percent(1))
		genl->cmd = draw();
	if (percent(1))
		genl->version = draw();
	if (percent(1))
		genl->reserved = draw();
	/* Both bits of NLM_F_DUMP together would make a dump. */
	if (percent(2))
		nlh->nlmsg_flags |= draw() & ~NLM_F_MATCH & ~NLM_F_MULTI;
	if (percent(25))
		break_message(m);
	end(m);
}

/* Judgement */

static __attribute__((format(printf, 2, 3))) void wrong(const struct message *m,
							const char *format, ...)
{
	va_list args;

	count(&totals->wrong, 1);
	if (told++ >= TOLD_MAX)
		return;
	va_start(args, format);
	printf("WRONG: ");
	vprintf(format, args);
	va_end(args);
	printf("\n   request:");
	for (size_t i = 0; m && i < m->len && i < 512; i++)
		printf("%s%02x", i % 4 ? "" : " ", m->data[i]);
	printf("\n");
	fflush(stdout);
}

static const struct op *op_by_number(unsigned int number)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		if (ops[i].number == number)
			return &ops[i];
	return NULL;
}

static const struct op *op_by_name(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	die("the specification has no operation %s", name);
}

static bool size_ok(const struct attr *attr, size_t len)
{
	static const uint8_t sizes[] = { [U8] = 1, [U16] = 2, [U32] = 4, [U64] = 8, [PAD] = 0 };

	switch (attr->kind) {
	case PREFIX4:
		return len % 8 == 0;
	case PREFIX6:
		return len % 20 == 0;
	case ADDR6:
		return len == 16;
	case NEST:
	case BINARY:
		return true;
	default:
		return len == sizes[attr->kind];
	}
}

/* Only what the set has, each of its size; gateway-get's generation is kept for later requests. */
static void check_reply(const struct message *m, unsigned int set, const uint8_t *data, size_t len)
{
	while (len >= NLA_HDRLEN) {
		const struct nlattr *nla = (const struct nlattr *)data;
		unsigned int number = nla->nla_type & NLA_TYPE_MASK;
		const struct attr *attr = NULL;
		size_t step = NLA_ALIGN(nla->nla_len);

		if (nla->nla_len < NLA_HDRLEN || nla->nla_len > len) {
			wrong(m, "a reply's attribute has a wrong length");
			return;
		}
		if (number && number <= sets[set].n)
			attr = &sets[set].attrs[number - 1];
		if (!attr || !size_ok(attr, nla->nla_len - NLA_HDRLEN)) {
			wrong(m, "a reply holds attribute %u of %u bytes", number, nla->nla_len);
			return;
		}
		if (attr->kind == NEST)
			check_reply(m, attr->nest, data + NLA_HDRLEN, nla->nla_len - NLA_HDRLEN);
		else if (attr->pool == POOL_GENERATION)
			memcpy(&generation, data + NLA_HDRLEN, sizeof(generation));
		if (step >= len)
			return;
		data += step;
		len -= step;
	}
}

static bool has_reason(const struct nlmsghdr *nlh, const struct message *m)
{
	/* The end of a dump has the error's number only, an error also the request's head. */
	size_t head = nlh->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(struct nlmsgerr);
	const uint8_t *data = (const uint8_t *)NLMSG_DATA(nlh) + head;
	size_t len = nlh->nlmsg_len - NLMSG_HDRLEN - head;
	bool text = false;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return false;
	while (len >= NLA_HDRLEN) {
		const struct nlattr *nla = (const struct nlattr *)data;
		size_t step = NLA_ALIGN(nla->nla_len);
		uint32_t offset;

		if (nla->nla_len < NLA_HDRLEN || nla->nla_len > len)
			break;
		if (nla->nla_type == NLMSGERR_ATTR_MSG)
			text = nla->nla_len > NLA_HDRLEN + 1;
		if (nla->nla_type == NLMSGERR_ATTR_OFFS) {
			memcpy(&offset, nla + 1, sizeof(offset));
			if (offset >= m->len)
				wrong(m, "an error points at byte %u of %zu", offset, m->len);
		}
		if (step >= len)
			break;
		data += step;
		len -= step;
	}
	return text;
}

/* The core answers these before the family can say anything. */
static bool core_refuses(const struct message *m, int error)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)m->data;
	const struct genlmsghdr *genl = (const struct genlmsghdr *)(nlh + 1);
	const struct op *op;
	bool dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	if (error == -ENOMEM || error == -ENOBUFS || nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return true;
	op = op_by_number(genl->cmd);
	return error == -EOPNOTSUPP && (!op || !(dump ? op->can_dump : op->can_do));
}

static void judge(const struct nlmsghdr *nlh, const struct message *m, int error)
{
	const struct genlmsghdr *genl = (const struct genlmsghdr *)(m->data + NLMSG_HDRLEN);
	const struct op *op = op_by_number(genl->cmd);

	count(error ? &totals->refused : &totals->accepted, 1);
	if (!error)
		return;
	if (has_reason(nlh, m) || core_refuses(m, error))
		return;
	count(&totals->silent, 1);
	wrong(m, "refused without a text: %s: %s", op ? op->name : "?", strerror(-error));
}

/* Reads once; calls back for each message. False: nothing came. */
static bool receive(bool (*take)(const struct nlmsghdr *nlh, void *ctx), void *ctx, bool *done)
{
	ssize_t len = recv(sock, answer, sizeof(answer), 0);
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)answer;

	if (len < 0 && errno == ENOBUFS) {
		count(&totals->overruns, 1);
		*done = true;
		return true;
	}
	if (len < 0)
		return false;
	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len))
		if (take(nlh, ctx))
			*done = true;
	return true;
}

struct wait {
	struct message *first;
	unsigned int n, answered;
	uint32_t seq;		/* of the first */
};

static bool take_answer(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nlmsgerr *error = NLMSG_DATA(nlh);
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	struct wait *wait = ctx;
	uint32_t index = nlh->nlmsg_seq - wait->seq;
	const struct op *op;

	if (index >= wait->n)
		return false;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		judge(nlh, &wait->first[index], error->error);
		return ++wait->answered == wait->n;
	}
	count(&totals->replies, 1);
	op = op_by_number(genl->cmd);
	if (!op)
		wrong(&wait->first[index], "a reply has the unknown command %u", genl->cmd);
	else
		check_reply(&wait->first[index], op->set, (const uint8_t *)(genl + 1),
			    nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
	return false;
}

static void wait_answers(struct message *first, unsigned int n)
{
	struct wait wait = { .first = first, .n = n,
			     .seq = ((struct nlmsghdr *)first->data)->nlmsg_seq };
	bool done = false;

	while (!done)
		if (!receive(take_answer, &wait, &done)) {
			wrong(first, "%u of %u requests were answered in %u s", wait.answered, n,
			      WAIT_S);
			return;
		}
}

static void send_all(const struct message *first, unsigned int n)
{
	struct iovec iov[BATCH_MAX];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };

	for (unsigned int i = 0; i < n; i++)
		iov[i] = (struct iovec){ (void *)first[i].data, first[i].len };
	if (sendmsg(sock, &msg, 0) < 0)
		die("send: %s", strerror(errno));
	count(&totals->messages, n);
}

static int open_socket(void)
{
	struct timeval wait = { .tv_sec = WAIT_S };
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int one = 1, size = 1 << 23, fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static void resolve(void)
{
	static const struct op getfamily = { .number = CTRL_CMD_GETFAMILY };
	struct message *m = &batch[0];
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)answer;
	const uint8_t *at = answer + NLMSG_HDRLEN + GENL_HDRLEN;
	ssize_t len;

	family = GENL_ID_CTRL;
	begin(m, &getfamily, 0);
	memcpy(put_attr(m, CTRL_ATTR_FAMILY_NAME, sizeof(FAMILY)), FAMILY, sizeof(FAMILY));
	end(m);
	if (send(sock, m->data, m->len, 0) < 0)
		die("send: %s", strerror(errno));
	len = recv(sock, answer, sizeof(answer), 0);
	if (len < (ssize_t)(NLMSG_HDRLEN + GENL_HDRLEN) || nlh->nlmsg_type == NLMSG_ERROR)
		die("this kernel has no family '%s': is the module loaded?", FAMILY);
	for (; at < answer + len; at += NLA_ALIGN(((const struct nlattr *)at)->nla_len))
		if (((const struct nlattr *)at)->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&family, at + NLA_HDRLEN, sizeof(family));
}

/* A dump, alone on the socket: one at a time. Now and then it is left half read. */
static void fuzz_dump(void)
{
	struct message *m = &batch[0];
	const struct op *op;

	do {
		op = &ops[below(ARRAY_SIZE(ops))];
	} while (!op->can_dump && percent(90));
	begin(m, op, NLM_F_DUMP);
	put_set(m, op->set, percent(80) ? op->request & 2 : op->request);
	if (percent(10))
		break_message(m);
	end(m);
	send_all(m, 1);
	count(&totals->dumps, 1);
	if (percent(10)) {
		close(sock);
		sock = open_socket();
	} else {
		wait_answers(m, 1);
	}
}

static void fuzz(unsigned long n)
{
	while (n) {
		unsigned int k = 1 + below(BATCH_MAX);

		if (percent(20)) {
			fuzz_dump();
			n--;
			continue;
		}
		if (k > n)
			k = n;
		for (unsigned int i = 0; i < k; i++)
			draw_message(&batch[i]);
		send_all(batch, k);
		wait_answers(batch, k);
		n -= k;
	}
}

/* Emptying */

static void put_u32(struct message *m, unsigned int number, uint32_t value)
{
	memcpy(put_attr(m, number, sizeof(value)), &value, sizeof(value));
}

static uint32_t number_of(const struct op *op, const char *name)
{
	for (unsigned int i = 0; i < sets[op->set].n; i++)
		if (!strcmp(sets[op->set].attrs[i].name, name))
			return sets[op->set].attrs[i].number;
	die("%s has no attribute %s", op->name, name);
}

/* A generation that refreshes nothing sweeps all. */
static void empty(uint32_t gateway)
{
	const struct op *op = op_by_name("generation-begin");
	unsigned long refused = totals->refused;

	begin(&batch[0], op, NLM_F_ACK);
	put_u32(&batch[0], number_of(op, "ifindex"), gateway);
	end(&batch[0]);
	send_all(batch, 1);
	wait_answers(batch, 1);
	op = op_by_name("generation-commit");
	begin(&batch[0], op, NLM_F_ACK);
	put_u32(&batch[0], number_of(op, "ifindex"), gateway);
	put_u32(&batch[0], number_of(op, "generation"), generation);
	end(&batch[0]);
	send_all(batch, 1);
	wait_answers(batch, 1);
	if (totals->refused != refused)
		wrong(&batch[0], "the gateway with ifindex %u cannot be emptied", gateway);
}

/* Permissions */

static bool take_error(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nlmsgerr *error = NLMSG_DATA(nlh);

	if (nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE)
		return false;
	*(int *)ctx = error->error;
	return true;
}

static void expect_eperm(const struct op *op, bool dump)
{
	int error = 0;
	bool done = false;

	begin(&batch[0], op, dump ? NLM_F_DUMP : NLM_F_ACK);
	put_set(&batch[0], op->set, op->request);
	end(&batch[0]);
	send_all(batch, 1);
	while (!done)
		if (!receive(take_error, &error, &done))
			die("no answer");
	if (error != -EPERM)
		wrong(&batch[0], "%s of %s without CAP_NET_ADMIN: %s", dump ? "dump" : "do",
		      op->name, error ? strerror(-error) : "allowed");
}

static void check_permissions(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (ops[i].can_do)
			expect_eperm(&ops[i], false);
		if (ops[i].can_dump)
			expect_eperm(&ops[i], true);
	}
}

static void run(unsigned long messages, unsigned int processes, uint64_t seed)
{
	int status;

	for (unsigned int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid)
			continue;
		state = (seed + i + 1) * 0x9e3779b97f4a7c15ull;
		close(sock);
		sock = open_socket();
		fuzz(messages / processes);
		exit(0);
	}
	while (wait(&status) > 0)
		if (status)
			wrong(NULL, "a process ended with status %#x", status);
	for (unsigned int i = 0; i < n_gateways; i++)
		empty(gateways[i]);
}

static void add_to(uint32_t *pool, unsigned int *n, const char *text)
{
	if (*n == POOL_MAX)
		die("too many devices");
	pool[(*n)++] = strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	unsigned long messages = 1000, processes = 1;
	bool permissions = false;
	uint64_t seed = 1;
	int option;

	while ((option = getopt(argc, argv, "n:j:s:g:d:p")) != -1) {
		switch (option) {
		case 'n':
			messages = strtoul(optarg, NULL, 10);
			break;
		case 'j':
			processes = strtoul(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'g':
			add_to(gateways, &n_gateways, optarg);
			break;
		case 'd':
			add_to(devices, &n_devices, optarg);
			break;
		case 'p':
			permissions = true;
			break;
		default:
			die("unknown option, see the head of the source");
		}
	}
	if (!processes || (!permissions && !n_gateways))
		die("no gateway, or no process");
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (totals == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	state = 1;
	sock = open_socket();
	resolve();
	if (permissions) {
		if (!n_gateways)
			add_to(gateways, &n_gateways, "1");
		check_permissions();
	} else {
		run(messages, processes, seed);
	}
	printf("messages %lu accepted %lu refused %lu replies %lu dumps %lu ", totals->messages,
	       totals->accepted, totals->refused, totals->replies, totals->dumps);
	printf("overruns %lu silent %lu wrong %lu\n", totals->overruns, totals->silent,
	       totals->wrong);
	return totals->wrong ? 1 : 0;
}
