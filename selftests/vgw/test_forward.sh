#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets through vgw0: both inner and outer families, forwarded and the host's
# own, TTL, MTU and ICMP, fragments, GSO and GRO, a busy egress, counters.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels

ping_from() # namespace, words
{
	local name=$1
	shift
	ip netns exec "$name" ping -n -c 2 -i 0.1 -W 5 "$@"
}

check "IPv4 is forwarded" ping_from "$c1" 172.16.0.1
check "IPv6 is forwarded" ping_from "$c1" fd16::1
check "the host's own IPv4 goes out" ping_from "$gw" -I 10.1.0.1 172.16.0.1
check "the host's own IPv6 goes out" ping_from "$gw" -I fd01::1 fd16::1
before=$(stat_of tx-packets)
ping_from "$gw" -I vgw0 -W 0.1 172.16.0.1 > "$vgw_tmp/seen"
check_equal "what a socket bound to the device sends goes out" $((before + 2)) \
	"$(stat_of tx-packets)"

# TTL: the gateway is one hop, the data center the next.
check_match "TTL 1 ends at the gateway" "From 10.1.0.1.*Time to live" \
	"$(ping_from "$c1" -t 1 172.16.0.1)"
check "TTL 2 arrives" ping_from "$c1" -t 2 172.16.0.1
check_match "hop limit 1 ends at the gateway" "From fd01::1.*Time exceeded" \
	"$(ping_from "$c1" -t 1 fd16::1)"
check "hop limit 2 arrives" ping_from "$c1" -t 2 fd16::1

# MTU: what the SA leaves of the underlay's 1500.
mtu=$(tunnel_of 1 mtu)
check_match "the tunnel's MTU is known" "^14[0-9][0-9]$" "$mtu"
check "the largest packet fits" ping_from "$c1" -M "do" -s $((mtu - 28)) 172.16.0.1
check_match "one byte more: fragmentation needed, with the MTU" "From 10.1.0.1.*mtu = $mtu" \
	"$(ping_from "$c1" -M "do" -s $((mtu - 27)) 172.16.0.1 2>&1)"
check_match "IPv6: packet too big, with the MTU" "From fd01::1.*mtu=$mtu" \
	"$(ping_from "$c1" -M "do" -s $((mtu - 47)) fd16::1 2>&1)"
check "without DF it is fragmented" ping_from "$c1" -M dont -s $((mtu - 27)) 172.16.0.1
check "fragments of the sender's arrive" ping_from "$c1" -M dont -s 4000 172.16.0.1
check "IPv6 fragments of the sender's arrive" ping_from "$c1" -s 4000 fd16::1
check "the host's own large packets arrive" ping_from "$gw" -I 10.1.0.1 -s 4000 172.16.0.1
check_match "drops for size are counted" "^[1-9]" "$(stat_of drop-too-big)"
ip -n "$c1" route flush cache
ip -n "$c1" -6 route flush cache

# TCP: the LAN hands over segments for GSO; with GRO on the underlay they arrive merged.
stream() # address, namespace of the sender, source
{
	local from=$2 listen=TCP4-LISTEN connect=TCP4 address=$1
	if [[ $1 == *:* ]]; then
		listen=TCP6-LISTEN connect=TCP6 address="[$1]"
	fi
	in_ns "$dc" timeout 60 socat -u "$listen":5001,reuseaddr CREATE:"$vgw_tmp/got" &
	wait_for 5 listener_there
	in_ns "$from" timeout 60 socat -u FILE:"$vgw_tmp/sent" "$connect:$address:5001,bind=$3" || return 1
	wait $!
	cmp "$vgw_tmp/sent" "$vgw_tmp/got"
}

listener_there()
{
	[ -n "$(ip netns exec "$dc" ss -Hltn 'sport = 5001')" ]
}

head -c 1500000 /dev/urandom > "$vgw_tmp/sent"
check "TCP over IPv4 with GSO" stream 172.16.0.1 "$c1" 10.1.0.2
check "TCP over IPv6 with GSO" stream fd16::1 "$c1" "[fd01::2]"
packets=$(stat_of tx-packets) bytes=$(stat_of tx-bytes)
check "segments came merged" [ $((bytes / packets)) -gt $((2 * mtu)) ]
check "the host's own TCP over IPv4" stream 172.16.0.1 "$gw" 10.1.0.1
check "the host's own TCP over IPv6" stream fd16::1 "$gw" "[fd01::1]"
in_ns "$c1" ethtool -K eth0 tso off gso off > /dev/null
in_ns "$gw" ethtool -K lan gro on > /dev/null
check "TCP over IPv4 with GRO on the LAN" stream 172.16.0.1 "$c1" 10.1.0.2
check "TCP over IPv6 with GRO on the LAN" stream fd16::1 "$c1" "[fd01::2]"
in_ns "$gw" ethtool -K vgw0 gso off tso off > /dev/null
check "TCP with the device's GSO off" stream 172.16.0.1 "$c1" 10.1.0.2
in_ns "$gw" ethtool -K vgw0 gso on tso on > /dev/null

# Nothing of this was lost, and the counters agree.
check_equal "no packet met a dead tunnel" 0 "$(stat_of drop-dead)"
check_equal "no packet was malformed" 0 "$(stat_of drop-malformed)"
t1=$(tunnel_of 1 tx-packets) t2=$(tunnel_of 2 tx-packets) sum=$(stat_of tx-packets)
check_equal "the tunnels' packets are the gateway's" "$sum" $((t1 + t2))
check_equal "the group's packets are the gateway's" "$sum" \
	"$(field packets "$(g group-get '"id": 1')")"
check_equal "the device counts the same" "$sum" \
	"$(in_ns "$gw" cat /sys/class/net/vgw0/statistics/tx_packets)"
check_match "the XFRM device counts what passed it by" "^[1-9]" \
	"$(in_ns "$gw" cat /sys/class/net/ipsec1/statistics/tx_packets)"
# The data center spreads few pairs of addresses by a seed of its own: perhaps all to one tunnel.
check "received packets are counted" \
	[ $(($(tunnel_of 1 rx-packets) + $(tunnel_of 2 rx-packets))) -gt 0 ]

# A queue on the XFRM device: packets go through it.
passed() # queue's own count
{
	tc -n "$gw" -s qdisc show dev "$1" | sed -n 's/.* \([0-9]*\) pkt.*/\1/p'
}

for id in 1 2; do
	tc -n "$gw" qdisc add dev ipsec$id root pfifo limit 100
done
check "with a qdisc on the tunnels packets are forwarded" ping_from "$c1" 172.16.0.1
check_match "and pass it" "[1-9]" "$(passed ipsec1)$(passed ipsec2)"
for id in 1 2; do
	tc -n "$gw" qdisc del dev ipsec$id root
done

# IPv6 outside.
tunnel_make dc 3 6
tunnel_join 3 1 > "$vgw_tmp/seen"
group_set 3 3
route_add static 3 172.16.0.0/16
route_add static 3 fd16::/16
check_equal "a tunnel over IPv6 is live" up "$(tunnel_of 3 state)"
check_equal "and its peer is known" 2001:db8:100::2 "$(tunnel_of 3 remote6)"
way_back dc 3
check "IPv4 over IPv6" ping_from "$c1" 172.16.0.1
check "IPv6 over IPv6" ping_from "$c1" fd16::1
check "a large packet over IPv6" ping_from "$c1" -s 4000 172.16.0.1
check "TCP over IPv4 over IPv6" stream 172.16.0.1 "$c1" 10.1.0.2
check_match "the static route's tunnel carried it" "^[1-9][0-9]" "$(tunnel_of 3 tx-packets)"

# What has no tunnel.
route_del static 172.16.0.0/16
route_del dynamic 172.16.0.0/16
check_match "a miss is told by ICMP" "Net Unreachable" "$(ping_from "$c1" 172.16.0.1)"
check_match "and counted" "^[1-9]" "$(stat_of drop-miss)"
route_del static fd16::/16
route_del dynamic fd16::/16
check_match "IPv6: a miss is told by ICMP" "No route" "$(ping_from "$c1" fd16::1)"
in_ns "$gw" timeout 20 tcpdump -nn -c 1 -i vgw0 icmp > "$vgw_tmp/capture" 2> "$vgw_tmp/tcpdump" &
capture=$!
wait_for 10 grep -q "listening on" "$vgw_tmp/tcpdump"
ping_from "$c1" 172.16.0.1 > "$vgw_tmp/seen"
wait $capture
check_match "a packet in a capture on the device is whole" "10.1.0.2 > 172.16.0.1: ICMP" \
	"$(cat "$vgw_tmp/capture")"
