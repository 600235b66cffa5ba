/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets are: one function each that takes any bytes and ends the
 * program when a promise of the code under test does not hold.
 *
 * A target must not keep anything from one input to the next. What it reads is of
 * exactly its size, so that a sanitizer sees one octet too much.
 */
#ifndef VGW_FUZZ_FUZZ_H
#define VGW_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*fuzz_add)(const void *data, size_t size);

struct fuzz_target {
	const char *name;
	size_t max; /* longest input that makes sense */
	void (*run)(const uint8_t *data, size_t size);
	/* Inputs that are better made than written down; may be NULL. */
	void (*seeds)(fuzz_add add);
};

extern const struct fuzz_target *const fuzz_targets[]; /* ends with NULL */
const struct fuzz_target *fuzz_target_find(const char *name);

/* Ends the program and leaves the input to be found. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);
#define FUZZ_CHECK(condition) \
	((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

/* Text that goes to a terminal or into JSON: whole UTF-8 characters, no controls, no line feed. */
void fuzz_check_text(const char *text);

/* The targets */
extern const struct fuzz_target fuzz_open, fuzz_update, fuzz_notification, fuzz_refresh;
extern const struct fuzz_target fuzz_session, fuzz_bfd, fuzz_text, fuzz_vici, fuzz_config;
extern const struct fuzz_target fuzz_control, fuzz_genl, fuzz_rtnl, fuzz_show, fuzz_icmp;

#endif
