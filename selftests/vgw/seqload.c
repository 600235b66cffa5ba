// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbered UDP packets, and an exact account of what became of them.
 *
 * The sender numbers the packets of each flow. The receiver tells lost from late
 * from duplicated, notes by which device each flow arrives and, with -e, sends
 * every packet back under a number of its own, with what it has counted so far.
 * So each direction has its own account, and the sender knows both.
 *
 * The flows of a sender differ in their source port only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAGIC		0x76677731u
#define PORT_DEFAULT	"7000"
#define FLOWS_MAX	50000u
#define DEVICES_MAX	32
#define WINDOW		1024u	/* how late a packet may be and still be known as late */
#define TICK_NS		1000000
#define BURST_MIN	16
#define BURST_SECONDS	0.02
#define END_REPEATS	3
#define END_EVERY_NS	100000000ull
#define NS		1000000000ull

enum packet_type {
	PACKET_DATA,
	PACKET_END,	/* number is the count of packets sent */
};

/* On the wire, big endian. */
struct packet {
	uint32_t magic;
	uint32_t type;
	uint64_t run;		/* tells senders apart */
	uint32_t flow;
	uint32_t told_reordered, told_duplicated, pad;
	uint64_t number;
	uint64_t told_received;	/* in an answer: what the other side has counted */
};

/* One flow in one direction. */
struct account {
	uint64_t next;		/* smallest number above all that came */
	uint64_t received, reordered, duplicated;
	uint64_t last_ns, longest_ns;
	uint64_t seen[WINDOW / 64];
};

struct device {
	unsigned int ifindex;
	uint64_t packets, flows, left;
};

/* The receiver's side of a flow. */
struct peer_flow {
	uint64_t run;
	uint32_t flow;
	bool used, ended;
	struct device *via;
	uint64_t moves;
	uint64_t answers;
	struct account account;
};

/* The sender's side of a flow. */
struct own_flow {
	int fd;
	uint64_t sent;
	bool heard;
	struct packet told;	/* the freshest answer, host order */
	struct account back;
};

struct options {
	const char *bind, *target, *port, *device;
	double rate, seconds;
	uint64_t count;
	unsigned int flows, size, interval_ms, source_port, linger_ms;
	bool echo;
};

static struct options opt = {
	.port = PORT_DEFAULT, .rate = 1000, .flows = 1, .size = sizeof(struct packet),
	.linger_ms = 500,
};

static const char usage[] =
	"usage: seqload receive [-b ADDRESS] [-p PORT] [-I DEVICE] [-e] [-i MS]\n"
	"       seqload send -t ADDRESS [-b ADDRESS] [-p PORT] [-I DEVICE] [-r RATE]\n"
	"                    [-c COUNT | -d SECONDS] [-f FLOWS] [-P FIRST_SOURCE_PORT]\n"
	"                    [-s SIZE] [-l LINGER_MS] [-i MS]\n"
	"\n"
	"  -r  packets per second of all flows together (1000)\n"
	"  -c  packets in all; -d seconds; neither: until SIGTERM\n"
	"  -s  bytes of UDP payload (48 or more)\n"
	"  -e  send every packet back\n"
	"  -l  wait at most this long for the last answers (500)\n"
	"  -i  print a line of JSON this often, besides the one at the end\n"
	"\n"
	"Ends on SIGTERM and SIGINT, the sender also by itself; prints one line of JSON.\n"
	"Exit status: 0, 1 on an error. What was lost does not count as an error.\n";

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("seqload: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

static double number_of(char option, const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= least && value <= most))
		fail("-%c %s: a number from %.0f to %.0f is needed", option, text, least, most);
	return value;
}

static void read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "b:t:p:I:r:c:d:f:P:s:l:i:eh")) != -1) {
		switch (c) {
		case 'b': opt.bind = optarg; break;
		case 't': opt.target = optarg; break;
		case 'p': opt.port = optarg; break;
		case 'I': opt.device = optarg; break;
		case 'r': opt.rate = number_of(c, optarg, 0.1, 1e7); break;
		case 'c': opt.count = number_of(c, optarg, 1, 1e15); break;
		case 'd': opt.seconds = number_of(c, optarg, 0, 1e9); break;
		case 'f': opt.flows = number_of(c, optarg, 1, FLOWS_MAX); break;
		case 'P': opt.source_port = number_of(c, optarg, 1, 65535); break;
		case 's': opt.size = number_of(c, optarg, sizeof(struct packet), 65507); break;
		case 'l': opt.linger_ms = number_of(c, optarg, 0, 1e6); break;
		case 'i': opt.interval_ms = number_of(c, optarg, 10, 1e6); break;
		case 'e': opt.echo = true; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(1);
		}
	}
	if (optind != argc)
		fail("'%s' is no option", argv[optind]);
}

static struct addrinfo *resolve(const char *address, const char *port, int family)
{
	struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	};
	struct addrinfo *info;
	int ret = getaddrinfo(address, port, &hints, &info);

	if (ret)
		fail("%s port %s: %s", address ? address : "any address", port, gai_strerror(ret));
	return info;
}

static int socket_open(int family)
{
	int on = 1, bytes = 4 << 20, off = 0;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	if (opt.device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, opt.device,
				     strlen(opt.device) + 1))
		fail("device %s: %s", opt.device, strerror(errno));
	/* A burst must not be lost in our own buffer; as root the limit does not count. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	return fd;
}

/* Numbers */

static bool seen(const struct account *account, uint64_t number)
{
	return account->seen[number % WINDOW / 64] >> (number % 64) & 1;
}

static void mark(struct account *account, uint64_t number, bool value)
{
	uint64_t bit = 1ull << (number % 64), *word = &account->seen[number % WINDOW / 64];

	*word = value ? *word | bit : *word & ~bit;
}

static void account_packet(struct account *account, uint64_t number, uint64_t now)
{
	if (account->last_ns && now - account->last_ns > account->longest_ns)
		account->longest_ns = now - account->last_ns;
	account->last_ns = now;
	if (number >= account->next) {
		uint64_t gap = number - account->next;

		for (uint64_t i = 0; i < (gap < WINDOW ? gap : WINDOW); i++)
			mark(account, number - 1 - i, false);
		account->next = number + 1;
	} else if (account->next - number > WINDOW || seen(account, number)) {
		account->duplicated++;
		return;
	} else {
		account->reordered++;
	}
	mark(account, number, true);
	account->received++;
}

/* The other side has sent so many in all: what is missing at the end is lost too. */
static void account_end(struct account *account, uint64_t sent)
{
	if (sent > account->next) {
		memset(account->seen, 0, sizeof(account->seen));
		account->next = sent;
	}
}

static void account_add(struct account *sum, const struct account *one)
{
	sum->next += one->next;
	sum->received += one->received;
	sum->reordered += one->reordered;
	sum->duplicated += one->duplicated;
	if (one->longest_ns > sum->longest_ns)
		sum->longest_ns = one->longest_ns;
}

static void print_account(const char *name, const struct account *account, bool gap)
{
	printf("\"%s\":{\"received\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"reordered\":%" PRIu64
	       ",\"duplicated\":%" PRIu64, name, account->received,
	       account->next - account->received, account->reordered, account->duplicated);
	if (gap)
		printf(",\"longest_gap_ms\":%.1f", account->longest_ns / 1e6);
	putchar('}');
}

/* Packets */

static void packet_order(struct packet *packet)
{
	packet->magic = htobe32(packet->magic);
	packet->type = htobe32(packet->type);
	packet->run = htobe64(packet->run);
	packet->flow = htobe32(packet->flow);
	packet->told_reordered = htobe32(packet->told_reordered);
	packet->told_duplicated = htobe32(packet->told_duplicated);
	packet->number = htobe64(packet->number);
	packet->told_received = htobe64(packet->told_received);
}

static bool packet_read(const void *data, ssize_t len, struct packet *packet)
{
	if (len < (ssize_t)sizeof(*packet))
		return false;
	memcpy(packet, data, sizeof(*packet));
	packet_order(packet);
	return packet->magic == MAGIC;
}

/* Receiver */

static struct peer_flow *flows;
static size_t flows_size, flows_used;
static struct device devices[DEVICES_MAX];
static uint64_t receive_errors;

static size_t flow_slot(const struct peer_flow *table, size_t size, uint64_t run, uint32_t flow)
{
	size_t i = ((run ^ flow) * 0x9e3779b97f4a7c15ull >> 32) & (size - 1);

	while (table[i].used && (table[i].run != run || table[i].flow != flow))
		i = (i + 1) & (size - 1);
	return i;
}

static void flows_grow(void)
{
	size_t size = flows_size ? flows_size * 2 : 64;
	struct peer_flow *table = calloc(size, sizeof(*table));

	if (!table)
		fail("out of memory");
	for (size_t i = 0; i < flows_size; i++)
		if (flows[i].used)
			table[flow_slot(table, size, flows[i].run, flows[i].flow)] = flows[i];
	free(flows);
	flows = table;
	flows_size = size;
}

static struct peer_flow *flow_get(uint64_t run, uint32_t number)
{
	struct peer_flow *flow;

	if (flows_used * 2 >= flows_size)
		flows_grow();
	flow = &flows[flow_slot(flows, flows_size, run, number)];
	if (!flow->used) {
		flow->used = true;
		flow->run = run;
		flow->flow = number;
		flows_used++;
	}
	return flow;
}

static struct device *device_get(unsigned int ifindex)
{
	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		if (devices[i].ifindex == ifindex || !devices[i].ifindex) {
			devices[i].ifindex = ifindex;
			return &devices[i];
		}
	}
	return &devices[DEVICES_MAX - 1];
}

static void flow_arrives_by(struct peer_flow *flow, unsigned int ifindex)
{
	struct device *device = device_get(ifindex);

	device->packets++;
	if (flow->via == device)
		return;
	device->flows++;
	if (flow->via) {
		flow->via->flows--;
		flow->via->left++;
		flow->moves++;
	}
	flow->via = device;
}

/* The device that a packet came in by. The answer shall take the way that routing says. */
static unsigned int arrival(struct msghdr *msg)
{
	unsigned int ifindex = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);

			ifindex = info->ipi_ifindex;
			info->ipi_ifindex = 0;
			info->ipi_spec_dst = info->ipi_addr;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(c);

			ifindex = info->ipi6_ifindex;
			if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
				info->ipi6_ifindex = 0;
		}
	}
	return ifindex;
}

static void answer(int fd, struct msghdr *msg, struct peer_flow *flow, struct packet packet)
{
	uint8_t *data = msg->msg_iov->iov_base;

	packet.number = packet.type == PACKET_END ? flow->answers : flow->answers++;
	packet.told_received = flow->account.received;
	packet.told_reordered = flow->account.reordered;
	packet.told_duplicated = flow->account.duplicated;
	packet_order(&packet);
	memcpy(data, &packet, sizeof(packet));
	msg->msg_flags = 0;
	for (int tries = 0; tries < 3; tries++) {
		if (sendmsg(fd, msg, 0) >= 0)
			return;
		receive_errors++;
	}
}

static void receive_one(int fd, struct msghdr *msg, ssize_t len)
{
	unsigned int ifindex = arrival(msg);
	struct packet packet;
	struct peer_flow *flow;

	if (!packet_read(msg->msg_iov->iov_base, len, &packet))
		return;
	flow = flow_get(packet.run, packet.flow);
	if (packet.type == PACKET_END) {
		account_end(&flow->account, packet.number);
		flow->ended = true;
	} else {
		flow_arrives_by(flow, ifindex);
		account_packet(&flow->account, packet.number, now_ns());
	}
	msg->msg_iov->iov_len = len;
	if (opt.echo)
		answer(fd, msg, flow, packet);
}

static void receive_all(int fd)
{
	static uint8_t data[65536];

	for (;;) {
		struct iovec iov = { data, sizeof(data) };
		struct sockaddr_storage from;
		union {
			struct cmsghdr align;
			char space[256];
		} control;
		struct msghdr msg = {
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
			.msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t len = recvmsg(fd, &msg, 0);

		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (len < 0)
			receive_errors++;
		else
			receive_one(fd, &msg, len);
	}
}

static void receiver_report(void)
{
	char name[IF_NAMESIZE], number[16];
	struct account sum = {};
	uint64_t moves = 0, ended = 0;
	const char *comma = "";

	for (size_t i = 0; i < flows_size; i++) {
		if (!flows[i].used)
			continue;
		account_add(&sum, &flows[i].account);
		moves += flows[i].moves;
		ended += flows[i].ended;
	}
	printf("{\"role\":\"receiver\",\"flows\":%zu,\"ended\":%" PRIu64 ",\"errors\":%" PRIu64
	       ",\"moves\":%" PRIu64 ",", flows_used, ended, receive_errors, moves);
	print_account("forward", &sum, true);
	printf(",\"devices\":[");
	for (unsigned int i = 0; i < DEVICES_MAX && devices[i].ifindex; i++) {
		snprintf(number, sizeof(number), "%u", devices[i].ifindex);
		printf("%s{\"name\":\"%s\",\"packets\":%" PRIu64 ",\"flows\":%" PRIu64
		       ",\"left\":%" PRIu64 "}", comma,
		       if_indextoname(devices[i].ifindex, name) ? name : number,
		       devices[i].packets, devices[i].flows, devices[i].left);
		comma = ",";
	}
	puts("]}");
	fflush(stdout);
}

/* Sender */

static struct own_flow *own;
static uint64_t sent_all, send_errors, run_id, begin_ns;

static void sender_connect(void)
{
	struct addrinfo *to = resolve(opt.target, opt.port, AF_UNSPEC), *from = NULL;

	own = calloc(opt.flows, sizeof(*own));
	if (!own)
		fail("out of memory");
	if (opt.source_port + opt.flows > 65536)
		fail("source ports end at 65535");
	for (unsigned int i = 0; i < opt.flows; i++) {
		char port[8];

		own[i].fd = socket_open(to->ai_family);
		if (opt.bind || opt.source_port) {
			snprintf(port, sizeof(port), "%u",
				 opt.source_port ? opt.source_port + i : 0);
			from = resolve(opt.bind, port, to->ai_family);
			if (bind(own[i].fd, from->ai_addr, from->ai_addrlen))
				fail("address %s port %s: %s", opt.bind ? opt.bind : "any", port,
				     strerror(errno));
			freeaddrinfo(from);
		}
		if (connect(own[i].fd, to->ai_addr, to->ai_addrlen))
			fail("%s: %s", opt.target, strerror(errno));
	}
	freeaddrinfo(to);
}

/* An ICMP error of an earlier packet comes up as an error of this call, which sends nothing. */
static bool send_one(unsigned int index, enum packet_type type)
{
	static uint8_t data[65536];
	struct packet packet = {
		.magic = MAGIC, .type = type, .run = run_id, .flow = index,
		.number = own[index].sent,
	};

	packet_order(&packet);
	memcpy(data, &packet, sizeof(packet));
	for (int tries = 0; tries < 3; tries++) {
		if (send(own[index].fd, data, opt.size, 0) >= 0)
			return true;
		send_errors++;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
			break;
	}
	return false;
}

/*
 * Sends what is due by now; true when all is sent. After a pause of the whole
 * machine, what it missed is not made up for: a burst of a second's packets would
 * only show how long the queues on the way are.
 */
static bool send_due(void)
{
	static uint64_t missed;
	uint64_t elapsed = now_ns() - begin_ns, due = elapsed / 1e9 * opt.rate + 1 - missed;
	uint64_t most = sent_all + BURST_MIN + opt.rate * BURST_SECONDS;

	if (opt.seconds && elapsed >= opt.seconds * NS)
		return true;
	if (due > most) {
		missed += due - most;
		due = most;
	}
	if (opt.count && due > opt.count)
		due = opt.count;
	while (sent_all < due) {
		unsigned int index = sent_all % opt.flows;

		if (send_one(index, PACKET_DATA))
			own[index].sent++;
		sent_all++;
	}
	return opt.count && sent_all >= opt.count;
}

static void hear(unsigned int index)
{
	struct own_flow *flow = &own[index];
	static uint8_t data[65536];
	struct packet packet;
	ssize_t len;

	while ((len = recv(flow->fd, data, sizeof(data), 0)) >= 0) {
		if (!packet_read(data, len, &packet) || packet.run != run_id)
			continue;
		if (packet.type == PACKET_END)
			account_end(&flow->back, packet.number);
		else
			account_packet(&flow->back, packet.number, now_ns());
		if (!flow->heard || packet.told_received >= flow->told.told_received)
			flow->told = packet;
		flow->heard = true;
	}
}

static void sender_report(void)
{
	struct account forward = {}, back = {};
	uint64_t sent = 0, told = 0;

	for (unsigned int i = 0; i < opt.flows; i++) {
		struct account one = {
			.next = own[i].sent, .received = own[i].told.told_received,
			.reordered = own[i].told.told_reordered,
			.duplicated = own[i].told.told_duplicated,
		};

		sent += own[i].sent;
		told += own[i].heard;
		account_add(&forward, &one);
		account_add(&back, &own[i].back);
	}
	printf("{\"role\":\"sender\",\"flows\":%u,\"sent\":%" PRIu64 ",\"errors\":%" PRIu64
	       ",\"answered\":%" PRIu64 ",\"seconds\":%.3f,", opt.flows, sent, send_errors, told,
	       (now_ns() - begin_ns) / 1e9);
	print_account("forward", &forward, false);
	putchar(',');
	print_account("back", &back, true);
	puts("}");
	fflush(stdout);
}

/* Loop */

static int poller;

static void watch(int fd, uint64_t tag)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag };

	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
		fail("epoll: %s", strerror(errno));
}

static int timer_open(uint64_t ns)
{
	struct timespec every = { ns / NS, ns % NS };
	struct itimerspec spec = { every, every };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &spec, NULL))
		fail("timer: %s", strerror(errno));
	return fd;
}

static void drain(int fd)
{
	uint64_t ticks;

	while (read(fd, &ticks, sizeof(ticks)) > 0)
		;
}

static int signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		fail("signalfd: %s", strerror(errno));
	return fd;
}

/* Tags of what is no flow. */
#define TAG_SIGNAL	(1ull << 32)
#define TAG_TICK	(2ull << 32)
#define TAG_REPORT	(3ull << 32)
#define TAG_SOCKET	(4ull << 32)

static int reporter = -1, signals;

static void loop_open(void)
{
	poller = epoll_create1(EPOLL_CLOEXEC);
	signals = signals_open();
	watch(signals, TAG_SIGNAL);
	if (opt.interval_ms) {
		reporter = timer_open(opt.interval_ms * 1000000ull);
		watch(reporter, TAG_REPORT);
	}
}

static void signal_take(void)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) < 0 && errno != EAGAIN)
		fail("signalfd: %s", strerror(errno));
}

static int run_receiver(void)
{
	struct addrinfo *at = resolve(opt.bind, opt.port, opt.bind ? AF_UNSPEC : AF_INET6);
	int fd = socket_open(at->ai_family), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, at->ai_addr, at->ai_addrlen))
		fail("address %s port %s: %s", opt.bind ? opt.bind : "any", opt.port,
		     strerror(errno));
	freeaddrinfo(at);
	loop_open();
	watch(fd, TAG_SOCKET);
	for (;;) {
		struct epoll_event event;

		if (epoll_wait(poller, &event, 1, -1) < 1)
			continue;
		if (event.data.u64 == TAG_SOCKET)
			receive_all(fd);
		if (event.data.u64 == TAG_REPORT) {
			drain(reporter);
			receiver_report();
		}
		if (event.data.u64 == TAG_SIGNAL)
			break;
	}
	receive_all(fd);
	receiver_report();
	return 0;
}

static bool all_answered(void)
{
	for (unsigned int i = 0; i < opt.flows; i++)
		if (own[i].told.told_received < own[i].sent || own[i].back.received < own[i].sent)
			return false;
	return true;
}

/*
 * The end of each flow is told a few times, since that may be lost as well. True
 * when there is nothing more to wait for.
 */
static bool send_ends(uint64_t now)
{
	static uint64_t next, last;
	static int repeats;

	if (repeats < END_REPEATS && now >= next) {
		for (unsigned int i = 0; i < opt.flows; i++)
			send_one(i, PACKET_END);
		repeats++;
		next = now + END_EVERY_NS;
		last = now;
	}
	if (all_answered())
		return true;
	return repeats == END_REPEATS && now >= last + opt.linger_ms * 1000000ull;
}

static int run_sender(void)
{
	struct epoll_event events[64];
	bool sent = false, done = false;
	int tick;

	loop_open();
	sender_connect();
	tick = timer_open(TICK_NS);
	watch(tick, TAG_TICK);
	for (unsigned int i = 0; i < opt.flows; i++)
		watch(own[i].fd, i);
	run_id = now_ns() ^ (uint64_t)getpid() << 40;
	begin_ns = now_ns();
	while (!done) {
		int n = epoll_wait(poller, events, 64, -1);

		for (int i = 0; i < n; i++) {
			switch (events[i].data.u64) {
			case TAG_SIGNAL:
				/* The second one does not wait for answers. */
				signal_take();
				done = sent;
				sent = true;
				break;
			case TAG_TICK:
				drain(tick);
				break;
			case TAG_REPORT:
				drain(reporter);
				sender_report();
				break;
			default:
				hear(events[i].data.u64);
			}
		}
		sent = sent || send_due();
		done = done || (sent && send_ends(now_ns()));
	}
	sender_report();
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { FLOWS_MAX + 64, FLOWS_MAX + 64 };
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "-h") || !strcmp(mode, "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(mode, "send") && strcmp(mode, "receive")) {
		fputs(usage, stderr);
		return 1;
	}
	argv[1] = argv[0];
	read_options(argc - 1, argv + 1);
	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		getrlimit(RLIMIT_NOFILE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (*mode == 'r')
		return run_receiver();
	if (!opt.target)
		fail("a target is needed (-t)");
	return run_sender();
}
