// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule 4: BGP over tunnels runs only with a module whose interface this agent knows.
 * Static routes are a matter of a few messages that every version has understood the
 * same way, so they go on with any; and what a private line teaches never reaches
 * the module.
 */
#include <stdio.h>

#include "lib/log.h"
#include "vgwd/gateway.h"

/* The versions of the interface that BGP's routes can be kept by. */
#define VERSION_OLDEST 1
#define VERSION_NEWEST 1

static void version_refuse(struct gateway *gateway, const char *code, const char *what,
			   uint32_t version)
{
	gateway->bgp_refused = code;
	snprintf(gateway->bgp_refused_text, sizeof(gateway->bgp_refused_text),
		 "%s: no BGP over tunnels: the vgw module speaks version %u of its interface, vgwd "
		 "needs %u to %u: upgrade %s; static routes work",
		 code, version, VERSION_OLDEST, VERSION_NEWEST, what);
}

void version_judge(struct gateway *gateway, uint32_t version)
{
	const char *before = gateway->bgp_refused;

	gateway->bgp_refused = NULL;
	gateway->bgp_refused_text[0] = '\0';
	if (version < VERSION_OLDEST)
		version_refuse(gateway, "MODULE_TOO_OLD", "the module", version);
	else if (version > VERSION_NEWEST)
		version_refuse(gateway, "MODULE_TOO_NEW", "vgwd", version);
	if (gateway->bgp_refused == before)
		return;
	if (gateway->bgp_refused)
		log_error(NULL, "%s", gateway->bgp_refused_text);
	for (struct tunnel *t = gateway->tunnels; t; t = t->next)
		if (gateway->bgp_refused)
			peer_refuse(&t->peer);
		else
			peer_start(&t->peer);
}
