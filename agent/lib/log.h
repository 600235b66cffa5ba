/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log lines: level, subject, text. Goes to stderr (systemd takes it) with the
 * "<N>" priority prefix when JOURNAL_STREAM is set, else with a time stamp.
 *
 * Promise: never fails, never blocks for long, never prints raw bytes from a
 * peer (log_escape is for those).
 */
#ifndef VGW_LIB_LOG_H
#define VGW_LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* "error", "warning", "info", "debug", NULL: the order of the enum. */
extern const char *const log_level_names[];
/* False: none of the names, *level untouched. */
bool log_level_parse(const char *text, enum log_level *level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* subject: what the line is about ("tunnel t1", "peer 169.254.10.2"), may be NULL. */
void log_write(enum log_level level, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define log_error(subject, ...) log_write(LOG_LEVEL_ERROR, subject, __VA_ARGS__)
#define log_warning(subject, ...) log_write(LOG_LEVEL_WARNING, subject, __VA_ARGS__)
#define log_info(subject, ...) log_write(LOG_LEVEL_INFO, subject, __VA_ARGS__)
#define log_debug(subject, ...) log_write(LOG_LEVEL_DEBUG, subject, __VA_ARGS__)
/* Printable form of bytes from a peer (UTF-8 kept, controls escaped); returns buf. */
const char *log_escape(const uint8_t *data, size_t len, char *buf, size_t size);

#endif
