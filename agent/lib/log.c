// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line is one write(), so lines of several threads do not mix. A reader of
 * stderr that stands still costs lines, not time: they are counted and the
 * number is told when the reader is back.
 */
#include "lib/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 1024
/* Under PIPE_BUF, so that a pipe takes a line whole once poll() says it is writable. */
#define LINE_MAX_BYTES 4000
#define PATIENCE_MS 100

const char *const log_level_names[] = { "error", "warning", "info", "debug", NULL };

/* syslog(3) */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = 3,
	[LOG_LEVEL_WARNING] = 4,
	[LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
};

static atomic_int max_level = LOG_LEVEL_INFO;
static atomic_uint lost;
static atomic_bool stuck;

bool log_level_parse(const char *text, enum log_level *level)
{
	for (unsigned int i = 0; log_level_names[i]; i++) {
		if (strcmp(text, log_level_names[i]))
			continue;
		*level = (enum log_level)i;
		return true;
	}
	return false;
}

void log_set_level(enum log_level level)
{
	max_level = (int)level;
}

enum log_level log_get_level(void)
{
	return (enum log_level)max_level;
}

/* write() without its SIGPIPE: stderr going away must not end the daemon. */
static bool write_quietly(const char *data, size_t len)
{
	struct timespec now = { 0 };
	sigset_t pipe_set, old;
	ssize_t n;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	do {
		n = write(STDERR_FILENO, data, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EPIPE)
		sigtimedwait(&pipe_set, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return n >= 0;
}

static bool emit(const char *line, size_t len)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	int n;

	/* Only the first line waits; a reader that is stuck stays stuck for a while. */
	do {
		n = poll(&pfd, 1, stuck ? 0 : PATIENCE_MS);
	} while (n < 0 && errno == EINTR);
	stuck = n != 1 || pfd.revents != POLLOUT || !write_quietly(line, len);
	return !stuck;
}

static size_t head(enum log_level level, char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	char stamp[32];

	if (getenv("JOURNAL_STREAM"))
		return (size_t)snprintf(buf, size, "<%d>", priorities[level]);
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	return (size_t)snprintf(buf, size, "%s.%03ldZ %s: ", stamp, ts.tv_nsec / 1000000,
				log_level_names[level]);
}

static bool write_line(enum log_level level, const char *subject, const char *text)
{
	char line[LINE_MAX_BYTES];
	char *end = line + sizeof(line) - 1; /* room for the line feed */
	char *p = line + head(level, line, sizeof(line));

	/* A safety net: whatever slipped in here unescaped stays one harmless line. */
	if (subject) {
		log_escape((const uint8_t *)subject, strlen(subject), p, 256);
		p = stpcpy(p + strlen(p), ": ");
	}
	log_escape((const uint8_t *)text, strlen(text), p, (size_t)(end - p));
	p += strlen(p);
	*p++ = '\n';
	return emit(line, (size_t)(p - line));
}

static void tell_lost(void)
{
	unsigned int n = atomic_exchange(&lost, 0);
	char text[64];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%u log lines lost, stderr was not read", n);
	if (!write_line(LOG_LEVEL_WARNING, "log", text))
		lost += n;
}

void log_write(enum log_level level, const char *subject, const char *fmt, ...)
{
	int saved = errno; /* callers look at errno after they have logged it */
	char text[TEXT_MAX];
	va_list ap;
	int n;

	if ((int)level > max_level)
		return;
	if ((unsigned int)level > LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		snprintf(text, sizeof(text), "(no text: %s)", fmt);
	else if ((size_t)n >= sizeof(text))
		strcpy(text + sizeof(text) - 4, "...");
	if (lost)
		tell_lost();
	if (lost || !write_line(level, subject, text))
		lost++;
	errno = saved;
}

/* Length of the well-formed UTF-8 sequence at data, its code point in *cp; 0 if there is none. */
static size_t utf8_decode(const uint8_t *data, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = data[0] < 0x80 ? 1 : data[0] >> 5 == 6 ? 2 : data[0] >> 4 == 14 ? 3 : 4;

	if (n == 1) {
		*cp = data[0];
		return 1;
	}
	if ((n == 4 && data[0] >> 3 != 30) || n > len)
		return 0;
	*cp = data[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (data[i] >> 6 != 2)
			return 0;
		*cp = *cp << 6 | (data[i] & 0x3f);
	}
	/* Overlong forms and surrogates are a way around filters like this one. */
	if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

/* Besides C0 and C1: what starts a new line or turns the direction of the text around. */
static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c ||
	       (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

const char *log_escape(const uint8_t *data, size_t len, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	while (len && size) {
		uint32_t cp;
		size_t n = utf8_decode(data, len, &cp);
		bool keep = n && !is_control(cp);
		size_t out = keep ? n : 4;

		/* Never half a character or escape: the text ends before it instead. */
		if (used + out >= size)
			break;
		if (keep) {
			memcpy(buf + used, data, n);
		} else {
			/* Byte by byte; the rest of a sequence is then malformed itself. */
			memcpy(buf + used, (char[]){ '\\', 'x', hex[*data >> 4], hex[*data & 15] },
			       4);
			n = 1;
		}
		used += out;
		data += n;
		len -= n;
	}
	if (size)
		buf[used] = '\0';
	return buf;
}
