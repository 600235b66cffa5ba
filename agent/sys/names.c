// SPDX-License-Identifier: GPL-2.0-only
#include "sys/names.h"

#include <stddef.h>

#include <linux/vgw.h>

#define NAME_OF(table, value)                                                              \
	((value) < sizeof(table) / sizeof((table)[0]) && (table)[value] ? (table)[value] : \
									  "unknown")

const char *names_route_class(uint8_t class)
{
	static const char *const names[] = {
		[0] = "policy", /* a policy route has no class */
		[VGW_ROUTE_CLASS_SYSTEM] = "system",
		[VGW_ROUTE_CLASS_STATIC] = "static",
		[VGW_ROUTE_CLASS_DYNAMIC] = "dynamic",
	};

	return NAME_OF(names, class);
}

const char *names_on_fail(uint8_t on_fail)
{
	static const char *const names[] = {
		[VGW_ON_FAIL_REVOKE] = "revoke",
		[VGW_ON_FAIL_RESERVE] = "reserve",
	};

	return NAME_OF(names, on_fail);
}

const char *names_tunnel_state(uint8_t state)
{
	static const char *const names[] = {
		[VGW_TUNNEL_STATE_DOWN] = "down",
		[VGW_TUNNEL_STATE_UP] = "up",
	};

	return NAME_OF(names, state);
}

const char *names_tunnel_reason(uint8_t reason)
{
	static const char *const names[] = {
		[VGW_TUNNEL_REASON_LIVE] = "live",
		[VGW_TUNNEL_REASON_DEVICE_DOWN] = "device-down",
		[VGW_TUNNEL_REASON_NO_SA] = "no-sa",
		[VGW_TUNNEL_REASON_FAILED] = "failed",
		[VGW_TUNNEL_REASON_LOOKUP_ERROR] = "lookup-error",
	};

	return NAME_OF(names, reason);
}

const char *names_verdict(uint8_t verdict)
{
	static const char *const names[] = {
		[VGW_VERDICT_TUNNEL] = "tunnel",     [VGW_VERDICT_MISS] = "miss",
		[VGW_VERDICT_SYSTEM] = "system",     [VGW_VERDICT_DEAD] = "dead",
		[VGW_VERDICT_RESERVED] = "reserved", [VGW_VERDICT_GUARD] = "guard",
	};

	return NAME_OF(names, verdict);
}

const char *names_verdict_text(uint8_t verdict)
{
	static const char *const texts[] = {
		[VGW_VERDICT_TUNNEL] = "leaves through a tunnel",
		[VGW_VERDICT_MISS] = "dropped: no route",
		[VGW_VERDICT_SYSTEM] = "dropped: the best route is one of the domain's own",
		[VGW_VERDICT_DEAD] = "dropped: every tunnel that could carry it is dead",
		[VGW_VERDICT_RESERVED] = "dropped: held by a route whose tunnels are dead",
		[VGW_VERDICT_GUARD] = "dropped: no route, and inside a guard range",
	};

	return NAME_OF(texts, verdict);
}

const char *names_candidate_result(uint8_t result)
{
	static const char *const names[] = {
		[VGW_CANDIDATE_RESULT_SELECTED] = "selected",
		[VGW_CANDIDATE_RESULT_ALL_DEAD] = "all-dead",
		[VGW_CANDIDATE_RESULT_LOWER_CLASS] = "lower-class",
		[VGW_CANDIDATE_RESULT_SHORTER_PREFIX] = "shorter-prefix",
		[VGW_CANDIDATE_RESULT_HELD] = "held",
		[VGW_CANDIDATE_RESULT_CLEAR_TEXT] = "clear-text",
		[VGW_CANDIDATE_RESULT_AFTER_POLICY] = "after-policy",
	};

	return NAME_OF(names, result);
}

const char *names_hash_fields(uint8_t fields)
{
	static const char *const names[] = {
		[VGW_HASH_FIELDS_PORTS] = "ports",
		[VGW_HASH_FIELDS_ADDRESSES] = "addresses",
		[VGW_HASH_FIELDS_FLOW_LABEL] = "flow-label",
	};

	return NAME_OF(names, fields);
}

const char *names_cache_state(uint8_t state)
{
	static const char *const names[] = {
		[VGW_CACHE_STATE_COUNTING] = "counting",
		[VGW_CACHE_STATE_ON] = "on",
		[VGW_CACHE_STATE_NO_POLICY] = "no-policy",
		[VGW_CACHE_STATE_MANY_POLICIES] = "many-policies",
		[VGW_CACHE_STATE_POLICY_SELECTOR] = "policy-selector",
		[VGW_CACHE_STATE_POLICY_MARK] = "policy-mark",
		[VGW_CACHE_STATE_NESTED] = "nested",
		[VGW_CACHE_STATE_SA_SELECTOR] = "sa-selector",
		[VGW_CACHE_STATE_SA_MARK] = "sa-mark",
		[VGW_CACHE_STATE_SA_MODE] = "sa-mode",
		[VGW_CACHE_STATE_SECURITY] = "security",
		[VGW_CACHE_STATE_NO_ROUTE] = "no-route",
	};

	return NAME_OF(names, state);
}

const char *names_port_state(uint8_t state)
{
	static const char *const names[] = {
		[VGW_PORT_STATE_ON] = "on",
		[VGW_PORT_STATE_GATEWAY_DOWN] = "gateway-down",
		[VGW_PORT_STATE_FORWARDING_OFF] = "forwarding-off",
		[VGW_PORT_STATE_VRF] = "vrf",
		[VGW_PORT_STATE_TUNNEL] = "tunnel",
		[VGW_PORT_STATE_FORWARD_HOOK] = "forward-hook",
		[VGW_PORT_STATE_POST_ROUTING_HOOK] = "post-routing-hook",
		[VGW_PORT_STATE_GATEWAY_EGRESS] = "gateway-egress",
		[VGW_PORT_STATE_POLICY] = "policy",
		[VGW_PORT_STATE_COUNTING] = "counting",
	};

	return NAME_OF(names, state);
}
