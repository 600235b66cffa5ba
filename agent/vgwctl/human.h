/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of rows as people read them. A value that is missing (NULL) or of the
 * wrong type prints nothing. The signature is that of a column's format.
 */
#ifndef VGW_VGWCTL_HUMAN_H
#define VGW_VGWCTL_HUMAN_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* Text without control characters: those of C0, C1 and the ones that turn the writing
 * direction become "\xNN" or "\u{NNNN}". */
void human_escape(FILE *out, const char *text);
/* "950 B", "1.2 KiB", "37 GiB" */
void human_bytes_put(FILE *out, uint64_t bytes);
/* "99999", "1.2 M" */
void human_count_put(FILE *out, uint64_t count);
/* Milliseconds: "350 ms", "12 s", "3m 5s", "2h 10m", "4d 3h" */
void human_time_put(FILE *out, uint64_t ms);

/* Text, number, yes or no, or a list of them separated by blanks. */
void human_any(FILE *out, const json_t *value, const json_t *row);
void human_bytes(FILE *out, const json_t *value, const json_t *row);
void human_count(FILE *out, const json_t *value, const json_t *row);
void human_time(FILE *out, const json_t *value, const json_t *row);
void human_hex(FILE *out, const json_t *value, const json_t *row);
/* A list, one element a line. */
void human_lines(FILE *out, const json_t *value, const json_t *row);
/* Only if it is not zero, not empty and not false. */
void human_unless_zero(FILE *out, const json_t *value, const json_t *row);

#endif
