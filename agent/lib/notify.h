/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The service manager's notification protocol (sd_notify(3)): datagrams to the
 * socket that $NOTIFY_SOCKET names.
 *
 * Promise: does nothing without a service manager; never blocks, never fails.
 */
#ifndef VGW_LIB_NOTIFY_H
#define VGW_LIB_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_watchdog(void);
/* Half of the time in which the manager wants to hear, milliseconds; 0: it does not. */
uint64_t notify_watchdog_period(void);

#endif
