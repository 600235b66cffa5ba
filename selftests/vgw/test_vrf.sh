#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The gateway, its tunnels and its LAN in a VRF, the underlay outside of it.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
modprobe vrf 2> /dev/null
topo_make dc dc2
tunnel_make dc 1
tunnel_make dc2 2
way_back dc 1
way_back dc2 2
ip -n "$gw" link add red type vrf table 100 || {
	ktap_skip "all" "this kernel has no VRF"
	exit
}
ip -n "$gw" link set red up
ip -n "$gw" route add unreachable default metric 4278198272 vrf red
for device in lan ipsec1 ipsec2; do
	ip -n "$gw" link set $device master red
done
# IPv6 addresses do not survive the change.
ip -n "$gw" addr replace fd01::1/64 dev lan nodad
for id in 1 2; do
	ip -n "$gw" addr replace fd20:$id::1/64 dev ipsec$id nodad
done
ip -n "$gw" link add vgw0 type vgw
ip -n "$gw" link set vgw0 master red
ip -n "$gw" link set vgw0 up
ip -n "$gw" route add 172.16.0.0/12 dev vgw0 vrf red
ip -n "$gw" -6 route add fd10::/12 dev vgw0 vrf red
vgw_ifindex=$(ifindex_of "$gw" vgw0)
ynl_start "$gw"
for id in 1 2; do
	tunnel_join $id $id
	group_set $id $id
	route_add dynamic $id 172.$((15 + id)).0.0/16
	route_add dynamic $id fd$((15 + id))::/16
done

# The patience is for a machine that stands still now and then, not for the packet.
reach() # namespace, address, words
{
	local name=$1 address=$2
	shift 2
	in_ns "$name" ping -n -c 2 -i 0.1 -W 10 "$@" "$address"
}

# What is not to arrive need not be waited for.
try() # as reach
{
	reach "$@" -W 0.5
}

check_equal "tunnels in a VRF are live" "up up" "$(tunnel_of 1 state) $(tunnel_of 2 state)"
check "IPv4 is forwarded" reach "$c1" 172.16.0.1
check "IPv6 is forwarded" reach "$c1" fd16::1
check "to the other data center, too" reach "$c1" 172.17.0.1
check "the host's own packets go out" reach "$gw" 172.16.0.1 -I red
check "in IPv6, too" reach "$gw" fd16::1 -I red -I fd01::1
check "a large packet arrives" reach "$c1" 172.16.0.1 -s 4000
check_not "nothing goes out by the main table" try "$gw" 172.16.0.1 -I 198.51.100.1

# A VRF hides the device that a packet came in by; isolation must know it all the same.
ip -n "$dc" route add 172.17.0.0/16 dev ipsec1 src 172.16.0.1
ip -n "$dc2" route add 172.16.0.0/16 dev ipsec2 src 172.17.0.1
ip -n "$dc" -6 route add fd17::/16 dev ipsec1 src fd16::1
ip -n "$dc2" -6 route add fd16::/16 dev ipsec2 src fd17::1
check_not "the data centers do not reach each other" try "$dc" 172.17.0.1
check_not "nor in IPv6" try "$dc" fd17::1
check_equal "it is counted" 4 "$(stat_of drop-isolation)"
g tunnel-set '"id": 1, "transit": 1'
g tunnel-set '"id": 2, "transit": 1'
check "with transit they do" reach "$dc" 172.17.0.1
check "with transit they do in IPv6" reach "$dc" fd17::1
ip -n "$dc" addr add 172.17.0.9/32 dev lo
check_not "a source that is not its own is refused" try "$dc" 10.1.0.2 -I 172.17.0.9
check_equal "and counted" 2 "$(tunnel_of 1 rx-refused)"

# Failover in a VRF.
tunnel_make dc 3
ip -n "$gw" link set ipsec3 master red
way_back dc 1
tunnel_join 3 1
group_set 1 1 3
receiver_start there "$dc"
load_start here "$c1" send -t 172.16.0.1 -f 50 -r 500 -d 2 -l 3000
sleep 0.7
sa_out_del dc 1
seen=$(load_wait here)
check_equal "a tunnel dies: nothing lost" "0 0" \
	"$(field forward.lost "$seen") $(field back.lost "$seen")"

# The VRF goes away with everything in it.
ip -n "$gw" link del red
check "the gateway outlives its VRF" ip -n "$gw" link show vgw0
