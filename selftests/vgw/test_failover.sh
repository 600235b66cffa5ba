#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every way in which one of two tunnels can die and come back: no packet that is
# sent is lost, in either direction; and what is told of it.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels
receiver_start there "$dc"

# Where packets may have gone.
drops()
{
	local name
	ktap_note "queue: $(awk '{ printf "%s ", $2 }' /proc/net/softnet_stat)"
	for name in "$gw" "$dc" "$c1"; do
		ktap_note "$name: $(in_ns "$name" nstat -as 2> /dev/null | awk '
			/Err|Drop|Discard|Fail|NoPort/ && $2 > 0 { printf "%s %s, ", $1, $2 }')$(
			in_ns "$name" awk '$2 > 0 { printf "%s %s, ", $1, $2 }' /proc/net/xfrm_stat)"
	done
	ktap_note "vgw0: $(g stats-get)"
}

# Runs the steps in the middle of a load; no packet may be lost or doubled.
lossless() # name, command...
{
	local name=$1 seen
	shift
	load_start here "$c1" send -t 172.16.0.1 -b 10.1.0.2 -f 50 -r 1000 -d 1.3 -l 5000
	sleep 0.5
	"$@"
	seen=$(load_wait here)
	[[ $seen == *'"lost":0,'*'"lost":0,'* ]] || drops
	check_match "$name: nothing lost" \
		'"sent":[0-9]{3,4},.*"forward":."received":[0-9]+,"lost":0,"reordered":[0-9]+,"duplicated":0.*"back":."received":[0-9]+,"lost":0,"reordered":[0-9]+,"duplicated":0' \
		"$seen"
}

state_of() # id
{
	local seen
	seen=$(g tunnel-get "\"id\": $1")
	echo "$(field state "$seen") $(field reason "$seen")"
}

becomes() # name, id, state and reason
{
	wait_for 3 state_is "$2" "$3"
	check_equal "$1" "$3" "$(state_of "$2")"
}

state_is() { [ "$(state_of "$1")" = "$2" ]; }

lossless "the outbound SA is deleted" sa_out_del dc 1
becomes "it is told" 1 "down no-sa"
check_equal "packets take the other tunnel" "tunnel 2" "$(lookup 172.16.0.1)"
check_match "the group counts who is alive" '"buckets": 256, "live": 1' "$(g group-get '"id": 1')"
lossless "the SA comes back" sa_out_add dc 1
becomes "it is told" 1 "up live"

rekey()
{
	outer_of dc
	sa_add "$dc" 1 $gw_outer $dc_outer 3001
	sa_add "$gw" 1 $gw_outer $dc_outer 3001
	ip -n "$gw" xfrm state delete src $gw_outer dst $dc_outer proto esp spi 1001
	sleep 0.3
	ip -n "$dc" xfrm state delete src $gw_outer dst $dc_outer proto esp spi 1001
}

before=$(tunnel_of 1 transitions)
lossless "a rekey" rekey
check_equal "a rekey is no transition" "$before" "$(tunnel_of 1 transitions)"
check_equal "the new SPI is known" 3001 "$(tunnel_of 1 spi)"

expire()
{
	outer_of dc
	sa_add "$dc" 2 $gw_outer $dc_outer 3002
	sa_add "$gw" 2 $gw_outer $dc_outer 3002 limit packet-hard 200
	ip -n "$gw" xfrm state delete src $gw_outer dst $dc_outer proto esp spi 1002
}

# The packet that meets the limit is the SA's last word: the kernel drops it itself.
load_start here "$c1" send -t 172.16.0.1 -f 50 -r 1000 -c 2500 -l 5000
sleep 0.5
expire
seen=$(load_wait here)
check "an SA that expires by itself costs one packet at most ($(field forward.lost "$seen"))" \
	[ "$(field forward.lost "$seen")" -le 1 ]
becomes "it is told" 2 "down no-sa"
sa_out_add dc 2 && ip -n "$dc" xfrm state delete src 198.51.100.1 dst 198.51.100.2 proto esp spi 3002
ip -n "$dc" xfrm state update src 198.51.100.1 dst 198.51.100.2 proto esp spi 1002 if_id 2 \
	mode tunnel reqid 2 flag af-unspec aead 'rfc4106(gcm(aes))' "0x$(printf '%040d' 1002)" 128
becomes "a new SA brings it back" 2 "up live"

lossless "user space declares it failed" g tunnel-set '"id": 2, "failed": 1'
becomes "it is told" 2 "down failed"
lossless "then its SA goes as well" sa_out_del dc 2
becomes "that is told too: it needs a new one" 2 "down no-sa"
lossless "the SA comes back" sa_out_add dc 2
becomes "and it is failed as before" 2 "down failed"
lossless "user space takes it back" g tunnel-set '"id": 2, "failed": 0'
becomes "it is told" 2 "up live"

# What comes in by the device is lost with it, so the way back goes by the other one.
way_back dc 1
lossless "the device goes down" ip -n "$gw" link set ipsec2 down
becomes "it is told" 2 "down device-down"
lossless "the device comes up" ip -n "$gw" link set ipsec2 up
becomes "it is told" 2 "up live"
lossless "the device is deleted" ip -n "$gw" link del ipsec2
becomes "the tunnel stays, dead" 2 "down device-down"
ip -n "$gw" link add ipsec2 type xfrm dev u0 if_id 2
ip -n "$gw" link set ipsec2 up
lossless "it is given a new device" tunnel_join 2 1
becomes "it is told" 2 "up live"

lossless "the out policies go" ip -n "$gw" xfrm policy delete dir out src 0.0.0.0/0 dst 0.0.0.0/0 if_id 2
check_equal "and IPv4 takes the other tunnel" 0 "$(stat_of drop-dead)"
policies_add "$gw" 2 198.51.100.1 198.51.100.2 2> /dev/null

lossless "the group changes its members" group_set 1 1
lossless "and back" group_set 1 1 2
lossless "a better route comes" route_add static 1 172.16.0.0/24
lossless "and goes" route_del static 172.16.0.0/24

# Active and standby.
group_set 2 2:0 1:1
route_add static 2 172.16.0.0/16
check_equal "the active one is used" "tunnel 1" "$(lookup 172.16.0.1)"
lossless "the active one dies" ip -n "$gw" xfrm state delete src 198.51.100.1 dst 198.51.100.2 \
	proto esp spi 3001
check_equal "the standby is used" "tunnel 2" "$(lookup 172.16.0.1)"
lossless "the active one returns" sa_add "$gw" 1 198.51.100.1 198.51.100.2 3001 replay-window 0
becomes "it is told" 1 "up live"
check_equal "and is used" "tunnel 1" "$(lookup 172.16.0.1)"
route_del static 172.16.0.0/16

# All die: dropped, counted, and the sender is told.
before=$(stat_of drop-dead)
ip -n "$gw" xfrm state flush
seen=$(in_ns "$c1" ping -n -c 3 -i 0.1 -W 1 172.16.0.1)
check_match "all dead: ICMP unreachable" "From 10.1.0.1.*Net Unreachable" "$seen"
check_equal "and counted" $((before + 3)) "$(stat_of drop-dead)"
becomes "it is told" 1 "down no-sa"
becomes "it is told" 2 "down no-sa"
seen=$(load_stop there)
check_match "packets that met a dead tunnel and went on were counted" "^[1-9]" "$(stat_of failover)"
