# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Objects are deleted behind the agent's back: it notices, and the state is that of a fresh start.

repaired_in() # name, command...
{
	local name=$1 begin=${EPOCHREALTIME/./}
	shift
	"$@" > "$site_run/chaos.out" 2>&1 || ktap_note "'$*': $(cat "$site_run/chaos.out")"
	check_state "$name" "$fresh"
	ktap_note "$name: $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
}

delete_routes() { ip -n gw -4 route flush proto 118 dev vgw0; }
delete_some_routes() { ip -n gw route del 172.16.3.0/24 dev vgw0 && ip -n gw route del 172.16.9.0/24 dev vgw0; }
delete_guard() { ip -n gw route del unreachable 172.16.0.0/12 metric 4294967295; }
delete_address() { ip -n gw address flush dev ipsec1 scope global; }
delete_device() { ip -n gw link del vgw0; }
delete_xfrm() { ip -n gw link del ipsec2; }
device_down() { ip -n gw link set vgw0 down && sleep 0.3 && ip -n gw link set vgw0 up; }
delete_module_routes()
{
	ynl "do" route-del "{\"gateway\": $(vgw_index), \"route\": [{\"class\": \"dynamic\", \"prefix4\": [\"172.16.4.0/24\", \"172.16.5.0/24\"]}]}"
}
# A generation that nobody refreshes takes routes, groups and tunnels along.
sweep_module()
{
	local generation
	generation=$(ynl "do" generation-begin "{\"ifindex\": $(vgw_index)}" | sed -n 's/.*"generation": *\([0-9]*\).*/\1/p')
	ynl "do" generation-commit "{\"ifindex\": $(vgw_index), \"generation\": $generation}"
}

repaired_in "all published routes come back" delete_routes
repaired_in "some published routes come back" delete_some_routes
repaired_in "the guard route comes back" delete_guard
repaired_in "an inside address comes back" delete_address
repaired_in "a tunnel's device comes back" delete_xfrm
repaired_in "the gateway's device comes back" delete_device
repaired_in "the gateway's device was down" device_down
repaired_in "routes of the module come back" delete_module_routes
repaired_in "everything that the module held comes back" sweep_module
traffic_start
sleep 1
traffic_stop
check_equal "and all of it carries" 0 "$(traffic lost)"
