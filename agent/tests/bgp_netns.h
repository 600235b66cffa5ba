/* SPDX-License-Identifier: GPL-2.0-only */
/* A network of the test's own: addresses on the loopback that the host need not have. */
#ifndef VGW_TESTS_BGP_NETNS_H
#define VGW_TESTS_BGP_NETNS_H

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

/* commands: for the shell. False: not permitted here. */
static inline bool netns_enter(const char *commands)
{
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	return !system(commands);
}

#endif
