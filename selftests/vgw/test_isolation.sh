#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two data centers behind one gateway do not reach each other, unless both take
# part in transit; and neither sends under a source that is not its own.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc dc2
tunnel_make dc 1
tunnel_make dc2 2
way_back dc 1
way_back dc2 2
gateway_make
tunnel_join 1 1
tunnel_join 2 2
group_set 1 1
group_set 2 2
route_add dynamic 1 172.16.0.0/16
route_add dynamic 1 fd16::/16
route_add dynamic 2 172.17.0.0/16
route_add dynamic 2 fd17::/16
ip -n "$dc" route add 172.17.0.0/16 dev ipsec1 src 172.16.0.1
ip -n "$dc" -6 route add fd17::/16 dev ipsec1 src fd16::1
ip -n "$dc2" route add 172.16.0.0/16 dev ipsec2 src 172.17.0.1
ip -n "$dc2" -6 route add fd16::/16 dev ipsec2 src fd17::1

# The patience is for a machine that stands still now and then, not for the packet.
reach() # namespace, address, words
{
	local name=$1 address=$2
	shift 2
	in_ns "$name" ping -n -c 1 -W 10 "$@" "$address"
}

# What is not to arrive need not be waited for.
try() # as reach
{
	reach "$@" -W 0.5
}

transit() # of tunnel 1, of tunnel 2
{
	g tunnel-set "\"id\": 1, \"transit\": $1"
	g tunnel-set "\"id\": 2, \"transit\": $2"
}

check "the LAN reaches the first" reach "$c1" 172.16.0.1
check "the LAN reaches the second" reach "$c1" fd17::1
check "the first reaches the LAN" reach "$dc" 10.1.0.2 -I 172.16.0.1
check "the second reaches the LAN" reach "$dc2" fd01::2 -I fd17::1

isolated() # name
{
	local before
	before=$(stat_of drop-isolation)
	check_not "$1: the first does not reach the second" try "$dc" 172.17.0.1
	check_not "$1: nor in IPv6" try "$dc" fd17::1
	check_not "$1: nor the second the first" try "$dc2" 172.16.0.1
	check_equal "$1: it is counted" $((before + 3)) "$(stat_of drop-isolation)"
}

isolated "no transit"
transit 1 0
isolated "transit on one side"
transit 0 1
isolated "transit on the other side"
transit 1 1
check "transit on both: they reach each other" reach "$dc" 172.17.0.1
check "transit on both: in IPv6, too" reach "$dc2" fd16::1
transit 0 0

# A route in the kernel's table to the other's device is no way around.
ip -n "$gw" route add 172.17.0.0/16 dev ipsec2
ip -n "$gw" -6 route add fd17::/16 dev ipsec2
ip -n "$gw" route add 172.16.0.0/16 dev ipsec1
isolated "past the gateway"
transit 1 1
check "past the gateway with transit" reach "$dc" 172.17.0.1
transit 0 0
g tunnel-set '"id": 2, "connection": 1'
check "past the gateway, tunnels of one connection" reach "$dc" 172.17.0.1
g tunnel-set '"id": 2, "connection": 2'
ip -n "$gw" route del 172.17.0.0/16 dev ipsec2
ip -n "$gw" -6 route del fd17::/16 dev ipsec2
ip -n "$gw" route del 172.16.0.0/16 dev ipsec1

# Source validation. The answer would go elsewhere, so the counters decide.
ip -n "$dc" addr add 172.17.0.9/32 dev lo
ip -n "$dc" addr add 192.0.2.9/32 dev lo
ip -n "$dc" addr add fd17::9/128 dev lo nodad

sends() # source, destination: "accepted" or "refused"
{
	local refused
	refused=$(tunnel_of 1 rx-refused)
	in_ns "$dc" ping -n -c 1 -W 0.2 -I "$1" "$2" > /dev/null
	if [ "$(tunnel_of 1 rx-refused)" = "$refused" ]; then
		echo accepted
	else
		echo refused
	fi
}

sources() # name, own, own inside, the other's, the other's in IPv6, unknown
{
	check_equal "$1: its own source" "$2" "$(sends 172.16.0.1 10.1.0.2)"
	check_equal "$1: the inside address" "$3" "$(sends 169.254.21.2 10.1.0.2)"
	check_equal "$1: the other's source" "$4" "$(sends 172.17.0.9 10.1.0.2)"
	check_equal "$1: the other's IPv6 source" "$5" "$(sends fd17::9 fd01::2)"
	check_equal "$1: an unknown source" "$6" "$(sends 192.0.2.9 10.1.0.2)"
}

check_equal "the default is strict" strict "$(tunnel_of 1 source-check)"
sources strict accepted accepted refused refused refused
check_match "refusals are counted" "^[1-9]" "$(stat_of drop-source)"
g tunnel-set '"id": 1, "source-check": "site"'
sources "two sites" accepted accepted refused refused refused
g tunnel-set '"id": 2, "site": 1'
sources "one site" accepted accepted accepted accepted refused
g tunnel-set '"id": 1, "source-check": "off"'
sources off accepted accepted accepted accepted accepted
g tunnel-set '"id": 1, "source-check": "strict"'
g tunnel-set '"id": 1, "failed": 1'
sources "a dead tunnel" accepted accepted refused refused refused
