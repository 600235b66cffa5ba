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

# What the hash is made of.
flow_to() # source port, further fields: the tunnel of a flow to the data center
{
	lookup 172.16.0.1 "\"src4\": \"10.1.0.2\", \"protocol\": 17, \"dport\": 9, \"sport\": $1${2:+, $2}"
}

label_to() # source port, flow label
{
	lookup fd16::1 "\"src6\": \"fd01::2\", \"protocol\": 6, \"sport\": $1, \"dport\": 9, \"flow-label\": $2"
}

tunnels_seen() # command, words with a number for %: how many different tunnels for 1 to 24
{
	local i
	for ((i = 1; i <= 24; i++)); do
		"${@//%/$i}"
	done | sort -u | wc -l
}

group_set 1 1 2 3
check_equal "by ports: flows of two hosts have all tunnels" 3 "$(tunnels_seen flow_to %)"
check_equal "a flow label does not count" 1 "$(tunnels_seen label_to 7 %)"
gset gateway-set '"hash-fields": "addresses"'
check_equal "by addresses: they have one tunnel" 1 "$(tunnels_seen flow_to %)"
gset gateway-set '"hash-fields": "flow-label"'
check_equal "by flow label: labels count" 3 "$(tunnels_seen label_to 7 %)"
check_equal "ports do not" 1 "$(tunnels_seen label_to % 7)"
check_equal "without a label they do" 3 "$(tunnels_seen label_to % 0)"
check_equal "IPv4 goes by ports" 3 "$(tunnels_seen flow_to %)"
gset gateway-set '"hash-fields": "ports"'
check_match "an unknown kind is refused" "ERANGE" \
	"$(gset gateway-set '"hash-fields": 3')$(field hash-fields "$(gset gateway-get)")"

# Packets of each tunnel, in one line.
sent_by() { echo "$(tunnel_of 1 tx-packets) $(tunnel_of 2 tx-packets) $(tunnel_of 3 tx-packets)"; }

# before, after: how many each tunnel has sent
by_tunnel()
{
	local i old new
	read -ra old <<< "$1"
	read -ra new <<< "$2"
	for i in 0 1 2; do
		echo $((new[i] - old[i]))
	done | paste -sd ' '
}

# The three of fragments are one packet's; one of IPv6 has the answer's way back alike.
before=$(sent_by)
in_ns "$c1" ping -n -c 1 -W 5 -s 4000 172.16.0.1 > "$vgw_tmp/seen"
check_match "all fragments of a packet have one tunnel" "^(3 0 0|0 3 0|0 0 3)$" \
	"$(by_tunnel "$before" "$(sent_by)")"

# A port that nobody listens at: the ICMP error leaves by the tunnel of the flow that it is about.
wanted=(0 0 0)
for ((port = 3001; port <= 3012; port++)); do
	id=$(lookup 172.16.0.1 "\"src4\": \"10.1.0.2\", \"protocol\": 17, \"sport\": 9, \"dport\": $port")
	wanted[${id#tunnel } - 1]=$((${wanted[${id#tunnel } - 1]} + 1))
done
way_back dc 1 2 3
before=$(sent_by)
sysctl_in "$c1" net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 2> /dev/null
in_ns "$dc" bash -c 'for ((port = 3001; port <= 3012; port++)); do
	echo x | socat -u STDIN UDP4-SENDTO:10.1.0.2:9,bind=172.16.0.1:$port
done'
all_left() { [ "$(by_tunnel "$before" "$(sent_by)")" = "${wanted[*]}" ]; }
wait_for 5 all_left
check_equal "ICMP errors leave by the tunnels of their flows" "${wanted[*]}" \
	"$(by_tunnel "$before" "$(sent_by)")"

# Live flows stay through a change of weights, and through a route's change of groups.
kept_is() { [ "$(field kept "$(g group-get "\"id\": $1")")" = "$2" ]; }

gset gateway-set '"hash-idle": 4000'
group_set 1 1 2
receiver_start there "$dc"
load_start here "$c1" send -t 172.16.0.1 -f 200 -r 800 -d 6 -l 3000
sleep 2
group_set 1 1:1 2:3 3:1
check_match "a change with live flows keeps buckets" "^[1-9]" \
	"$(field kept "$(g group-get '"id": 1')")"
sleep 1
group_set 2 1:1 2:1 3:4
route_add dynamic 2 172.16.0.0/16
check_match "and so does another group" "^[1-9]" "$(field kept "$(g group-get '"id": 2')")"
load_wait here > "$vgw_tmp/seen"
seen=$(load_stop there)
check_equal "no flow moved" "0 0" \
	"$(sed -n 's/.*"name":"ipsec1"[^}]*"left":\([0-9]*\).*/\1/p' <<< "$seen") $(sed -n 's/.*"name":"ipsec2"[^}]*"left":\([0-9]*\).*/\1/p' <<< "$seen")"
check_equal "each packet arrived" 0 "$(field forward.lost "$(tail -n 1 "$vgw_tmp/seen")")"
check "the buckets go home when they are silent" wait_for 10 kept_is 2 0
map_of "$vgw_tmp/few" > "$vgw_tmp/moved"
near "then the weights hold" $((2000 * 4 / 6)) "$(share "$vgw_tmp/moved" 3)" 150
gset gateway-set '"hash-idle": 0'
group_set 2 1 2 3
check_equal "without the idle time nothing is kept" 0 "$(field kept "$(g group-get '"id": 2')")"
route_add dynamic 1 172.16.0.0/16

# A gateway at either end: nothing but the seed is agreed on.
group_set 1 1 2 3
ip -n "$dc" link add vgw0 type vgw
ip -n "$dc" link set vgw0 up
ip -n "$dc" route replace 10.1.0.0/24 dev vgw0
peer=$(ifindex_of "$dc" vgw0)
requests=()
for id in 1 2 3; do
	requests+=(tunnel-set "{\"gateway\": $peer, \"id\": $id, \"connection\": 1, \"site\": 1, \"ifindex\": $(ifindex_of "$dc" ipsec$id)}")
done
requests+=(group-set "{\"gateway\": $peer, \"id\": 7, \"member\": [{\"tunnel\": 3}, {\"tunnel\": 1}, {\"tunnel\": 2}]}"
	route-add "{\"gateway\": $peer, \"route\": [{\"class\": \"static\", \"group\": 7, \"prefix4\": [\"10.1.0.0/16\"]}]}")
in_ns "$dc" "$ynl" "${requests[@]}" > "$vgw_tmp/seen"
map_of "$vgw_tmp/few" > "$vgw_tmp/there"
# From the data center, a flow has its ends the other way round.
in_ns "$dc" "$ynl" tunnels "$peer" < "$vgw_tmp/back" > "$vgw_tmp/from"
check "two gateways with one seed choose the same tunnel for both directions" \
	cmp "$vgw_tmp/there" "$vgw_tmp/from"
in_ns "$dc" "$ynl" gateway-set "{\"ifindex\": $peer, \"hash-seed\": 5}" > "$vgw_tmp/seen"
in_ns "$dc" "$ynl" tunnels "$peer" < "$vgw_tmp/back" > "$vgw_tmp/from"
check_not "with another seed they do not" cmp "$vgw_tmp/there" "$vgw_tmp/from"
gset gateway-set '"hash-seed": 5'
map_of "$vgw_tmp/few" > "$vgw_tmp/there"
check "with the same new one they do" cmp "$vgw_tmp/there" "$vgw_tmp/from"

before=$(sent_by)
receiver_start there "$dc"
load_start here "$c1" send -t 172.16.0.1 -f 100 -r 400 -c 400 -l 3000
seen=$(load_wait here)
load_stop there > /dev/null
check_equal "packets: every answer arrives" 400 "$(field back.received "$seen")"
came=
for id in 1 2 3; do
	came+=" $(in_ns "$dc" "$ynl" tunnel-get "{\"gateway\": $peer, \"id\": $id}" |
		sed 's/.*"tx-packets": \([0-9]*\).*/\1/')"
done
# Whatever else crosses a gateway meanwhile, an ICMP error for one, is in its counters too.
alike() # counts, counts
{
	local -a one two
	local i
	read -r -a one <<< "$1"
	read -r -a two <<< "$2"
	for i in 0 1 2; do
		[ "$((one[i] - two[i]))" -le 15 ] && [ "$((two[i] - one[i]))" -le 15 ] || return 1
	done
}
went=$(by_tunnel "$before" "$(sent_by)")
check "the answers' tunnels are those of the packets ($went, $came)" alike "$went" "$came"
ip -n "$dc" link del vgw0
way_back dc 1 2 3
gset gateway-set '"hash-seed": 0'

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
