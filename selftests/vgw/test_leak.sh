#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing for a held or guarded range ever leaves in clear text: a capture on the
# underlay, with a default route that points there, while everything dies that
# can. The guard routes in the system table stand as the agent sets them.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels
for range in 172.16.0.0/12 fd10::/12; do
	ip -n "$gw" route add unreachable $range proto 118 metric 4294967295
done
ip -n "$gw" route add default via 198.51.100.2
ip -n "$gw" -6 route add default via 2001:db8:100::2
gset gateway-set '"guard4": ["172.16.0.0/12"], "guard6": ["fd10::/12"]'

in_ns "$dc" tcpdump -nn -l -i u 'not esp and (net 172.16.0.0/12 or net fd10::/12)' \
	> "$vgw_tmp/clear" 2> "$vgw_tmp/tcpdump" &
vgw_jobs+=($!)
wait_for 5 grep -q "listening on" "$vgw_tmp/tcpdump"

load_all()
{
	load_start four "$c1" send -t 172.16.0.1 -f 20 -r 200
	load_start six "$c1" send -t fd16::1 -f 20 -r 200
	load_start own "$gw" send -t 172.16.0.1 -b 10.1.0.1 -f 5 -r 50
}

settle() { sleep 0.4; }

# What the dead tunnels' packets became is written down; the capture must stay empty.
no_clear_text() # name
{
	settle
	check_equal "no clear text: $1" "" "$(head -n 3 "$vgw_tmp/clear")"
	: > "$vgw_tmp/clear"
}

receiver_start there "$dc"
load_all
no_clear_text "all is well"
check_match "packets are on their way" "^[1-9][0-9]" "$(stat_of tx-packets)"

g tunnel-set '"id": 1, "failed": 1'
g tunnel-set '"id": 2, "failed": 1'
no_clear_text "all tunnels failed"
g tunnel-set '"id": 1, "failed": 0'
g tunnel-set '"id": 2, "failed": 0'

sa_out_del dc 1
sa_out_del dc 2
no_clear_text "all outbound SAs deleted"
check_match "they were dropped as dead" "^[1-9]" "$(stat_of drop-dead)"
sa_out_add dc 1
sa_out_add dc 2

ip -n "$gw" xfrm policy flush
no_clear_text "all policies deleted"
for id in 1 2; do
	policies_add "$gw" $id 198.51.100.1 198.51.100.2
done

for id in 1 2; do
	ip -n "$gw" link set ipsec$id down
done
no_clear_text "all tunnel devices down"
for id in 1 2; do
	ip -n "$gw" link set ipsec$id up
done

route_add system - 172.16.0.0/16
no_clear_text "a system route for the prefix"
check_match "they were dropped as system" "^[1-9]" "$(stat_of drop-system)"
route_del system 172.16.0.0/16

route_del dynamic 172.16.0.0/16
route_del dynamic fd16::/16
no_clear_text "routes withdrawn from the gateway"
check_match "they were dropped by the guard" "^[1-9]" "$(stat_of drop-guard)"

ip -n "$gw" route del 172.16.0.0/12 dev vgw0
ip -n "$gw" -6 route del fd10::/12 dev vgw0
no_clear_text "routes withdrawn from the system table"
check_match "the guard route decides" "No route to host" \
	"$(ip -n "$gw" route get 172.16.0.1 from 10.1.0.2 iif lan 2>&1)"
gateway_routes
route_add dynamic 1 172.16.0.0/16
route_add dynamic 1 fd16::/16
wait_for 3 tunnel_is 1 up
check "again: packets arrive" in_ns "$c1" ping -n -c 1 -W 10 172.16.0.1

ip -n "$gw" link set vgw0 down
no_clear_text "link down"
ip -n "$gw" link set vgw0 up
gateway_routes
settle
ip -n "$gw" link del vgw0
no_clear_text "link deleted"

ynl_stop
gateway_make
tunnel_join 1 1
group_set 1 1
route_add dynamic 1 172.16.0.0/16
route_add dynamic 1 fd16::/16
check "again: packets arrive" in_ns "$c1" ping -n -c 1 -W 10 172.16.0.1
ynl_stop
vgw_unload
no_clear_text "module unloaded"
check_equal "the guard routes are still there" 2 \
	"$( (ip -n "$gw" route; ip -n "$gw" -6 route) | grep -c '^unreachable.* proto 118 metric 4294967295')"

# The capture sees clear text where there is some: else all of this proves nothing.
ip -n "$gw" route del unreachable 172.16.0.0/12 proto 118 metric 4294967295
ip -n "$gw" -6 route del unreachable fd10::/12 proto 118 metric 4294967295
settle
check "without the guard routes there is clear text" grep -q "10.1.0.2.* > 172.16.0.1" "$vgw_tmp/clear"
check "in IPv6, too" grep -q "fd01::2.* > fd16::1" "$vgw_tmp/clear"
