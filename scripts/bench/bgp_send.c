// SPDX-License-Identifier: GPL-2.0-only
/*
 * BGP peers that tell a prebuilt table as fast as the socket takes it, and a
 * stopwatch on the process that hears it.
 *
 * Every phase ends when all was written and the process has stopped using its
 * processor; the time of the phase is that of the last sample in which it
 * worked. One line a phase: name, seconds, processor seconds, resident KiB,
 * and the seconds until the sender had written everything (if that is close
 * to the first number, the sender was measured).
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 179
#define PEERS_MAX 64
#define PIDS_MAX 4
#define HOLD_TIME 180
#define SAMPLE_MS 2
#define QUIET_MS 400
#define PHASE_MAX_MS 300000

struct buffer {
	uint8_t *data;
	size_t len, size;
};

struct peer {
	int fd;
	bool up;
	uint8_t in[65536];
	size_t in_len;
	struct buffer table, withdraw, churn;
	const struct buffer *sending;
	size_t sent;
};

static struct {
	const char *target, *source;
	unsigned int peers, prefixes, per_update, churn;
	uint32_t peer_as;
	bool v6, common, shuffled;
	int pids[PIDS_MAX];
	unsigned int n_pids;
} opt = { .peers = 1, .prefixes = 1000000, .per_update = 4, .churn = 100000, .peer_as = 65010 };

static struct peer peers[PEERS_MAX];
static uint32_t *order;

static void die(const char *what)
{
	fprintf(stderr, "bgp_send: %s: %s\n", what, errno ? strerror(errno) : "no");
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t mix(uint32_t x)
{
	x = (x ^ x >> 16) * 0x7feb352du;
	x = (x ^ x >> 15) * 0x846ca68bu;
	return x ^ x >> 16;
}

/* Messages */

static void put(struct buffer *b, const void *data, size_t len)
{
	if (b->len + len > b->size) {
		b->size = (b->len + len) * 2;
		b->data = realloc(b->data, b->size);
		if (!b->data)
			die("memory");
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void put_u8(struct buffer *b, uint8_t v)
{
	put(b, &v, 1);
}

static void put_u16(struct buffer *b, uint16_t v)
{
	v = htons(v);
	put(b, &v, 2);
}

static void put_u32(struct buffer *b, uint32_t v)
{
	v = htonl(v);
	put(b, &v, 4);
}

static void patch_u16(struct buffer *b, size_t at, size_t v)
{
	b->data[at] = (uint8_t)(v >> 8);
	b->data[at + 1] = (uint8_t)v;
}

static size_t message_begin(struct buffer *b, uint8_t type)
{
	static const uint8_t marker[16] = { [0 ... 15] = 0xff };
	size_t at = b->len;

	put(b, marker, sizeof(marker));
	put_u16(b, 0);
	put_u8(b, type);
	return at;
}

static void message_end(struct buffer *b, size_t at)
{
	patch_u16(b, at + 16, b->len - at);
}

static void put_prefix(struct buffer *b, uint32_t index)
{
	uint8_t bytes[7] = { 24, 20 };

	index = order[index];
	if (opt.v6) {
		memcpy(bytes, (uint8_t[]){ 48, 0x2a, 0 }, 3);
		index = htonl(index);
		memcpy(bytes + 3, &index, 4);
		put(b, bytes, 7);
		return;
	}
	bytes[1] = (uint8_t)(bytes[1] + (index >> 16));
	bytes[2] = (uint8_t)(index >> 8);
	bytes[3] = (uint8_t)index;
	put(b, bytes, 4);
}

/* Origin, path of 3 to 6 numbers, next hop (IPv4), two communities. salt makes it another set. */
static void put_attributes(struct buffer *b, const struct peer *peer, uint32_t set, uint32_t salt)
{
	unsigned int hops = 3 + mix(set) % 4;
	struct sockaddr_storage us;
	socklen_t len = sizeof(us);

	put(b, (uint8_t[]){ 0x40, 1, 1, 0 }, 4);
	put(b, (uint8_t[]){ 0x40, 2, (uint8_t)(2 + 4 * hops), 2, (uint8_t)hops }, 5);
	put_u32(b, opt.peer_as);
	for (unsigned int i = 1; i < hops; i++)
		put_u32(b, 100000 + mix(set * 8 + i + salt) % 300000);
	if (!opt.v6) {
		getsockname(peer->fd, (struct sockaddr *)&us, &len);
		put(b, (uint8_t[]){ 0x40, 3, 4 }, 3);
		put(b, &((struct sockaddr_in *)&us)->sin_addr, 4);
	}
	put(b, (uint8_t[]){ 0xc0, 8, 8 }, 3);
	put_u32(b, opt.peer_as << 16 | (mix(set) & 0xffff));
	put_u32(b, opt.peer_as << 16 | set >> 16);
}

static void put_mp_reach(struct buffer *b, const struct peer *peer, uint32_t first, uint32_t n)
{
	struct sockaddr_in6 us;
	socklen_t len = sizeof(us);

	getsockname(peer->fd, (struct sockaddr *)&us, &len);
	put(b, (uint8_t[]){ 0x90, 14 }, 2);
	put_u16(b, (uint16_t)(21 + 7 * n));
	put(b, (uint8_t[]){ 0, 2, 1, 16 }, 4);
	put(b, &us.sin6_addr, 16);
	put_u8(b, 0);
	for (uint32_t i = 0; i < n; i++)
		put_prefix(b, first + i);
}

static void put_update(struct buffer *b, const struct peer *peer, uint32_t first, uint32_t n,
		       uint32_t salt)
{
	size_t at = message_begin(b, 2), attributes;

	put_u16(b, 0);
	attributes = b->len;
	put_u16(b, 0);
	put_attributes(b, peer, first / opt.per_update, salt);
	if (opt.v6)
		put_mp_reach(b, peer, first, n);
	patch_u16(b, attributes, b->len - attributes - 2);
	for (uint32_t i = 0; i < n && !opt.v6; i++)
		put_prefix(b, first + i);
	message_end(b, at);
}

static void put_withdraw(struct buffer *b, uint32_t first, uint32_t n)
{
	size_t at = message_begin(b, 2), list = b->len;

	put_u16(b, 0);
	if (opt.v6) {
		put_u16(b, (uint16_t)(4 + 3 + 7 * n));
		put(b, (uint8_t[]){ 0x90, 15 }, 2);
		put_u16(b, (uint16_t)(3 + 7 * n));
		put(b, (uint8_t[]){ 0, 2, 1 }, 3);
	}
	for (uint32_t i = 0; i < n; i++)
		put_prefix(b, first + i);
	if (!opt.v6) {
		patch_u16(b, list, b->len - list - 2);
		put_u16(b, 0);
	}
	message_end(b, at);
}

static void build(struct peer *peer, uint32_t base)
{
	for (uint32_t i = 0; i < opt.prefixes; i += opt.per_update) {
		uint32_t n = opt.prefixes - i < opt.per_update ? opt.prefixes - i : opt.per_update;

		put_update(&peer->table, peer, base + i, n, 0);
		if (i < opt.churn)
			put_update(&peer->churn, peer, base + i, n, 77);
	}
	for (uint32_t i = 0; i < opt.prefixes; i += 200)
		put_withdraw(&peer->withdraw, base + i,
			     opt.prefixes - i < 200 ? opt.prefixes - i : 200);
}

/* Prefix numbers, in ascending or in a pseudo-random order. */
static void order_make(void)
{
	uint32_t n = opt.common ? opt.prefixes : opt.prefixes * opt.peers;

	order = calloc(n, sizeof(*order));
	if (!order)
		die("memory");
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; opt.shuffled && i-- > 1;) {
		uint32_t j = mix(i + 0x5eed) % (i + 1), other = order[j];

		order[j] = order[i];
		order[i] = other;
	}
}

/* Sessions */

static socklen_t address(const char *text, unsigned int add, uint16_t port,
			 struct sockaddr_storage *out)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	errno = 0;
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		four->sin_addr.s_addr = htonl(ntohl(four->sin_addr.s_addr) + add);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
		die(text);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	six->sin6_addr.s6_addr[15] = (uint8_t)(six->sin6_addr.s6_addr[15] + add);
	return sizeof(*six);
}

static void send_open(struct peer *peer, unsigned int index)
{
	struct buffer b = { 0 };
	size_t at = message_begin(&b, 1);

	put_u8(&b, 4);
	put_u16(&b, opt.peer_as < 65536 ? (uint16_t)opt.peer_as : 23456);
	put_u16(&b, HOLD_TIME);
	put_u32(&b, 0x0a630000 + 100 + index);
	put(&b, (uint8_t[]){ 14, 2, 12, 1, 4, 0, opt.v6 ? 2 : 1, 0, 1, 65, 4 }, 11);
	put_u32(&b, opt.peer_as);
	message_end(&b, at);
	if (write(peer->fd, b.data, b.len) != (ssize_t)b.len)
		die("OPEN");
	free(b.data);
}

static void send_plain(struct peer *peer, uint8_t type, const void *body, size_t len)
{
	struct buffer b = { 0 };
	size_t at = message_begin(&b, type);

	put(&b, body, len);
	message_end(&b, at);
	if (write(peer->fd, b.data, b.len) != (ssize_t)b.len)
		die("write");
	free(b.data);
}

static bool try_connect(struct peer *peer, unsigned int index)
{
	struct sockaddr_storage us, them;
	socklen_t len = address(opt.source, index, 0, &us);

	address(opt.target, 0, PORT, &them);
	peer->fd = socket(us.ss_family, SOCK_STREAM, 0);
	if (peer->fd < 0 || bind(peer->fd, (struct sockaddr *)&us, len))
		die("bind");
	if (!connect(peer->fd, (struct sockaddr *)&them, len))
		return true;
	close(peer->fd);
	return false;
}

/* What the other side says is read away; its OPEN and first KEEPALIVE matter. */
static bool peer_read(struct peer *peer)
{
	ssize_t n = recv(peer->fd, peer->in + peer->in_len, sizeof(peer->in) - peer->in_len,
			 MSG_DONTWAIT);
	size_t at = 0, size;

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	peer->in_len += (size_t)n;
	for (; peer->in_len - at >= 19; at += size) {
		size = (size_t)peer->in[at + 16] << 8 | peer->in[at + 17];
		if (size < 19 || peer->in_len - at < size)
			break;
		if (peer->in[at + 18] == 1)
			send_plain(peer, 4, "", 0);
		if (peer->in[at + 18] == 3)
			return false;
		peer->up |= peer->in[at + 18] == 4;
	}
	peer->in_len -= at;
	memmove(peer->in, peer->in + at, peer->in_len);
	return true;
}

static void peer_open(struct peer *peer, unsigned int index)
{
	uint64_t end = now_us() + 20000000;

	for (;;) {
		bool good = try_connect(peer, index);

		if (good)
			send_open(peer, index);
		while (good && !peer->up && now_us() < end) {
			struct pollfd p = { .fd = peer->fd, .events = POLLIN };

			poll(&p, 1, 100);
			good = peer_read(peer);
		}
		if (good && peer->up)
			break;
		if (good)
			close(peer->fd);
		errno = ETIMEDOUT;
		if (now_us() >= end)
			die("session");
		peer->in_len = 0;
		usleep(200000);
	}
	fcntl(peer->fd, F_SETFL, O_NONBLOCK);
}

/* The process under test */

/* On a processor, and waiting for one: on a busy machine who waits is not idle. */
struct use {
	uint64_t run, wait;
};

static struct use task_use(int pid)
{
	char path[320], text[80];
	struct use sum = { 0 };
	struct dirent *entry;
	char *end;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir))) {
		ssize_t n = -1;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
		fd = entry->d_name[0] == '.' ? -1 : open(path, O_RDONLY);
		if (fd >= 0)
			n = read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = '\0';
		sum.run += strtoull(text, &end, 10);
		sum.wait += strtoull(end, NULL, 10);
	}
	closedir(dir);
	return sum;
}

static struct use use_now(void)
{
	struct use sum = { 0 };

	for (unsigned int i = 0; i < opt.n_pids; i++) {
		struct use one = task_use(opt.pids[i]);

		sum.run += one.run;
		sum.wait += one.wait;
	}
	return sum;
}

static unsigned long rss_kib(void)
{
	unsigned long sum = 0;

	for (unsigned int i = 0; i < opt.n_pids; i++) {
		unsigned long size, resident;
		char path[64];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/statm", opt.pids[i]);
		file = fopen(path, "r");
		if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
			die(path);
		fclose(file);
		sum += resident * 4;
	}
	return sum;
}

/* Phases */

static bool peer_write(struct peer *peer)
{
	const struct buffer *b = peer->sending;
	ssize_t n;

	if (!b)
		return true;
	n = send(peer->fd, b->data + peer->sent,
		 b->len - peer->sent < 262144 ? b->len - peer->sent : 262144, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		die("the session broke");
	peer->sent += n > 0 ? (size_t)n : 0;
	if (peer->sent == b->len)
		peer->sending = NULL;
	return !peer->sending;
}

/* True: all has been written. */
static bool pump(void)
{
	struct pollfd polls[PEERS_MAX];
	bool done = true;

	for (unsigned int i = 0; i < opt.peers; i++) {
		polls[i].fd = peers[i].fd;
		polls[i].events = (short)(POLLIN | (peers[i].sending ? POLLOUT : 0));
		polls[i].revents = 0;
	}
	poll(polls, opt.peers, SAMPLE_MS);
	for (unsigned int i = 0; i < opt.peers; i++) {
		if ((polls[i].revents & (POLLIN | POLLHUP)) && !peer_read(&peers[i]))
			die("the session ended");
		if (polls[i].revents & POLLOUT)
			peer_write(&peers[i]);
		done &= !peers[i].sending;
	}
	return done;
}

static void phase_run(const char *name, bool pumping)
{
	uint64_t start = now_us(), sampled = start, busy = start, written = 0, idle = 0, t;
	struct use first = use_now(), last = first;

	for (t = start; t < start + PHASE_MAX_MS * 1000ull; t = now_us()) {
		if (!pumping)
			usleep(SAMPLE_MS * 1000);
		else if (pump() && !written)
			written = now_us();
		t = now_us();
		if (t - sampled >= SAMPLE_MS * 1000) {
			struct use use = use_now();

			/* A tenth of the sample is work; timers of an idle daemon are not. */
			if ((use.run - last.run) / 100 > t - sampled) {
				busy = t;
				idle = 0;
			} else if ((use.wait - last.wait) / 100 <= t - sampled) {
				idle += t - sampled;
			}
			last = use;
			sampled = t;
		}
		if ((written || !pumping) && idle > QUIET_MS * 1000)
			break;
		/* Done with the socket: look at the process only. */
		if (written)
			usleep(SAMPLE_MS * 1000);
	}
	printf("%s %.3f %.3f %lu %.3f\n", name, (double)(busy - start) / 1e6,
	       (double)(last.run - first.run) / 1e9, rss_kib(),
	       written ? (double)(written - start) / 1e6 : 0);
	fflush(stdout);
}

static void phase(const char *name)
{
	static const uint8_t cease[] = { 6, 2 };

	for (unsigned int i = 0; i < opt.peers; i++) {
		struct peer *peer = &peers[i];

		peer->sent = 0;
		if (!strcmp(name, "load"))
			peer->sending = &peer->table;
		else if (!strcmp(name, "churn"))
			peer->sending = &peer->churn;
		else if (!strcmp(name, "withdraw"))
			peer->sending = &peer->withdraw;
		else if (strcmp(name, "down") && strcmp(name, "one-down"))
			die(name);
	}
	if (strcmp(name, "down") && strcmp(name, "one-down")) {
		phase_run(name, true);
		return;
	}
	for (unsigned int i = 0; i < opt.peers && (!i || !strcmp(name, "down")); i++) {
		if (peers[i].fd < 0)
			continue;
		send_plain(&peers[i], 3, cease, sizeof(cease));
		close(peers[i].fd);
		peers[i].fd = -1;
	}
	phase_run(name, false);
}

static void usage(void)
{
	fputs("Usage: bgp_send -t TARGET -s SOURCE -k PID[,PID] [-n PEERS] [-p PREFIXES]\n"
	      "                [-u PER_UPDATE] [-c CHURN] [-a AS] [-6] [-C] [-S] PHASE...\n"
	      "phases: load churn withdraw down one-down; -C: one table for all, -S: shuffled\n",
	      stderr);
	exit(2);
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "t:s:k:n:p:u:c:a:6CS")) != -1) {
		switch (c) {
		case 't': opt.target = optarg; break;
		case 's': opt.source = optarg; break;
		case 'n': opt.peers = (unsigned int)atoi(optarg); break;
		case 'p': opt.prefixes = (unsigned int)atoi(optarg); break;
		case 'u': opt.per_update = (unsigned int)atoi(optarg); break;
		case 'c': opt.churn = (unsigned int)atoi(optarg); break;
		case 'a': opt.peer_as = (uint32_t)atoi(optarg); break;
		case '6': opt.v6 = true; break;
		case 'C': opt.common = true; break;
		case 'S': opt.shuffled = true; break;
		case 'k':
			for (char *p = strtok(optarg, ","); p; p = strtok(NULL, ","))
				if (opt.n_pids < PIDS_MAX)
					opt.pids[opt.n_pids++] = atoi(p);
			break;
		default: usage();
		}
	}
	if (!opt.target || !opt.source || !opt.n_pids || !opt.peers || opt.peers > PEERS_MAX ||
	    !opt.prefixes || !opt.per_update || opt.per_update > 200)
		usage();
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	options(argc, argv);
	order_make();
	for (unsigned int i = 0; i < opt.peers; i++) {
		peer_open(&peers[i], i);
		build(&peers[i], opt.common ? 0 : i * opt.prefixes);
	}
	usleep(500000);
	printf("idle 0 0 %lu 0\n", rss_kib());
	for (; optind < argc; optind++)
		phase(argv[optind]);
	return 0;
}
