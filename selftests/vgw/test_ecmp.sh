#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Flows over equal tunnels: the split, who moves when a tunnel dies and comes
# back, weights, both directions alike; then the same with packets.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels
tunnel_make dc 3
tunnel_join 3 1

# 10,000 random flows, always the same ones: source, destination, protocol, ports.
flows_make()
{
	awk 'BEGIN {
		srand(20)
		for (i = 0; i < 10000; i++)
			print "10.1." int(rand() * 256) "." int(rand() * 256), \
				"172.16." int(rand() * 256) "." int(rand() * 256), \
				rand() < 0.5 ? 6 : 17, int(rand() * 65536), int(rand() * 65536)
	}'
}

# The tunnel of each flow, one per line, in the order of the flows.
map_of() # file of flows
{
	in_ns "$gw" "$ynl" tunnels "$vgw_ifindex" < "$1"
}

share() # map, tunnel
{
	grep -cx "$2" "$1"
}

# Both maps side by side: flows that were on the tunnel and now are elsewhere.
moved() # map before, map after, tunnel
{
	paste -d ' ' "$1" "$2" | awk -v t="$3" '$1 == t && $2 != t { n++ } END { print n + 0 }'
}

near() # name, wanted, seen, tolerance
{
	check "$1 ($3, wanted $2)" [ $(($3 > $2 ? $3 - $2 : $2 - $3)) -le "$4" ]
}

flows_make > "$vgw_tmp/flows"
map_of "$vgw_tmp/flows" > "$vgw_tmp/two"
check_equal "every flow has a tunnel" 10000 "$(grep -c '^[12]$' "$vgw_tmp/two")"
near "two equal tunnels: half each" 5000 "$(share "$vgw_tmp/two" 1)" 500
near "the other half" 5000 "$(share "$vgw_tmp/two" 2)" 500

route_add static 1 10.1.0.0/16
head -n 2000 "$vgw_tmp/flows" > "$vgw_tmp/few"
awk '{ print $2, $1, $3, $5, $4 }' "$vgw_tmp/few" > "$vgw_tmp/back"
check_equal "both directions of a flow have one tunnel" "$(head -n 2000 "$vgw_tmp/two")" \
	"$(map_of "$vgw_tmp/back")"
route_del static 10.1.0.0/16

# One of three dies: nobody else's flows move. It returns: all is as before.
group_set 1 3 1 2
map_of "$vgw_tmp/flows" > "$vgw_tmp/three"
for id in 1 2 3; do
	near "three equal tunnels: a third on $id" 3333 "$(share "$vgw_tmp/three" $id)" 500
done
g tunnel-set '"id": 2, "failed": 1'
map_of "$vgw_tmp/flows" > "$vgw_tmp/dead"
check_equal "no flow of tunnel 1 moved" 0 "$(moved "$vgw_tmp/three" "$vgw_tmp/dead" 1)"
check_equal "no flow of tunnel 3 moved" 0 "$(moved "$vgw_tmp/three" "$vgw_tmp/dead" 3)"
check_equal "no flow is on the dead one" 0 "$(share "$vgw_tmp/dead" 2)"
near "what it had is shared out evenly" 5000 "$(share "$vgw_tmp/dead" 1)" 500
g tunnel-set '"id": 2, "failed": 0'
map_of "$vgw_tmp/few" > "$vgw_tmp/again"
check_equal "back again: the map of before" "$(head -n 2000 "$vgw_tmp/three")" "$(cat "$vgw_tmp/again")"

# The order of the members does not count, the weights do.
group_set 1 1:3 2:1
map_of "$vgw_tmp/few" > "$vgw_tmp/weights"
near "weight 3 to 1" 1500 "$(share "$vgw_tmp/weights" 1)" 100
group_set 1 2:1 1:3
map_of "$vgw_tmp/few" > "$vgw_tmp/again"
check "the order of members changes nothing" cmp "$vgw_tmp/weights" "$vgw_tmp/again"
group_set 1 1:1 2:0
check_equal "a standby has no flow" 2000 "$(map_of "$vgw_tmp/few" | grep -cx 1)"

# Packets: 400 flows; the data center sees by which tunnel each arrives.
device_of() # report, device, field
{
	sed -n "s/.*\"name\":\"$2\"[^}]*\"$3\":\([0-9]*\).*/\1/p" <<< "$1"
}

group_set 1 1 2
receiver_start there "$dc"
load_start here "$c1" send -t 172.16.0.1 -f 400 -r 1600 -d 5 -l 3000
sleep 2
sa_out_del dc 1
seen=$(load_wait here)
check_equal "a tunnel dies: every packet arrives" 0 "$(field forward.lost "$seen")"
check_equal "every answer arrives" 0 "$(field back.lost "$seen")"
check_equal "none is doubled" "0 0" "$(field forward.duplicated "$seen") $(field back.duplicated "$seen")"
seen=$(load_stop there)
check_equal "no flow of the surviving tunnel moved" 0 "$(device_of "$seen" ipsec2 left)"
check_match "the dead tunnel's flows did" "^[1-9][0-9][0-9]$" "$(device_of "$seen" ipsec1 left)"
check_equal "all flows are on the survivor" 400 "$(device_of "$seen" ipsec2 flows)"
