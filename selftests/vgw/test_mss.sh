#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The MSS of TCP handshakes, as both ends get it: in both directions and families what
# the smallest tunnel carries, for forwarded connections and the host's own; never more
# than an end asked for; untouched when the gateway is told so.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
command -v tcpdump > /dev/null || ktap_fail "tcpdump is there"

# The second tunnel has a longer outer header.
topo_make dc
tunnel_make dc 1
tunnel_make dc 2 6
way_back dc 1
gateway_make
tunnel_join 1 1 > "$vgw_tmp/seen"
tunnel_join 2 1 > "$vgw_tmp/seen"
group_set 1 1 2
group_set 2 1
route_add dynamic 1 172.16.0.0/16
route_add dynamic 1 fd16::/16

capture_start() # name of the namespace's variable
{
	ip netns exec "${!1}" tcpdump -i any -Q in -l -n tcp > "$vgw_tmp/$1" 2> "$vgw_tmp/$1.err" &
	vgw_jobs+=($!)
	check "packets to $1 are captured" wait_for 10 grep -q "listening on" "$vgw_tmp/$1.err"
}

# capture, end of the packet's line up to the flags: the MSS of the last such packet
mss_in()
{
	sed -n "s/.*$2.*options \[mss \([0-9]*\).*/\1/p" "$vgw_tmp/$1" | tail -n 1
}

listener_there()
{
	[ -n "$(ip netns exec "$1" ss -Hltn "sport = $2")" ]
}

# client, server, address, bind (both with brackets for IPv6), file to send: one connection
connect()
{
	local family=TCP4 server
	[[ $3 != \[* ]] || family=TCP6
	port=$((port + 1))
	in_ns "$2" timeout 60 socat -u "$family-LISTEN:$port,reuseaddr" CREATE:"$vgw_tmp/got" &
	server=$!
	wait_for 5 listener_there "$2" $port
	in_ns "$1" timeout 60 socat -u "FILE:${5:-/dev/null}" "$family:$3:$port,bind=$4"
	wait $server
}

both_seen() # captures of SYN and of SYN-ACK
{
	syn=$(mss_in "$1" "[.]$port: Flags \[S\]")
	ack=$(mss_in "$2" "[.]$port > .*Flags \[S[.]\]")
	[ -n "$syn" ] && [ -n "$ack" ]
}

# captures of the server and the client, then as connect: "MSS of SYN, MSS of SYN-ACK"
handshake()
{
	local syn='' ack='' at_server=$1 at_client=$2
	shift 2
	connect "$@" || echo "no connection"
	wait_for 5 both_seen "$at_server" "$at_client"
	both_seen "$at_server" "$at_client"
	echo "$syn $ack"
}

# The port counts on in the main shell only.
next_port() { port=$((port + 10)); }
port=6000

to_dc() { handshake dc c1 "$c1" "$dc" 172.16.0.1 10.1.0.2 "$@"; }
to_dc6() { handshake dc c1 "$c1" "$dc" "[fd16::1]" "[fd01::2]" "$@"; }
to_c1() { handshake c1 dc "$dc" "$c1" 10.1.0.2 172.16.0.1 "$@"; }
to_c1_6() { handshake c1 dc "$dc" "$c1" "[fd01::2]" "[fd16::1]" "$@"; }

expect() # description, "SYN SYN-ACK", command...
{
	local name=$1 wanted=$2
	shift 2
	next_port
	check_equal "$name" "$wanted" "$("$@")"
}

capture_start c1
capture_start dc
capture_start gw
large=$(tunnel_of 1 mtu) mtu=$(tunnel_of 2 mtu)
v4=$((mtu - 40)) v6=$((mtu - 60))
check "the second tunnel carries less ($mtu, $large)" [ "$mtu" -lt "$large" ]
check_equal "the group's MTU is the smaller one" "$mtu" "$(field mtu "$(g group-get '"id": 1')")"

# By default.
check_equal "the clamp is on" 1 "$(field mss-clamp "$(gset gateway-get)")"
check_equal "nothing was clamped yet" 0 "$(stat_of mss-clamped)"
expect "IPv4 from the LAN: SYN and SYN-ACK" "$v4 $v4" to_dc
check_equal "and both were counted" 2 "$(stat_of mss-clamped)"
expect "IPv4 from the data center" "$v4 $v4" to_c1
expect "IPv6 from the LAN" "$v6 $v6" to_dc6
expect "IPv6 from the data center" "$v6 $v6" to_c1_6
# A capture on the gateway itself gets the SYN-ACK before the clamp does.
before=$(stat_of mss-clamped)
expect "the host's own IPv4, its SYN" "$v4 1460" handshake dc gw "$gw" "$dc" 172.16.0.1 10.1.0.1
expect "the host's own IPv6, its SYN" "$v6 1440" handshake dc gw "$gw" "$dc" "[fd16::1]" "[fd01::1]"
check_equal "the SYN-ACKs were lowered, too" $((before + 4)) "$(stat_of mss-clamped)"

# With checksums that are whole when they arrive.
in_ns "$c1" ethtool -K eth0 tx off > /dev/null
expect "IPv4 without checksum offload" "$v4 $v4" to_dc
expect "IPv6 without checksum offload" "$v6 $v6" to_dc6
in_ns "$c1" ethtool -K eth0 tx on > /dev/null

# What is small already.
ip -n "$c1" route replace default via 10.1.0.1 advmss 900
before=$(stat_of mss-clamped)
expect "a small MSS is not raised" "900 $v4" to_dc
check_equal "and not counted" $((before + 1)) "$(stat_of mss-clamped)"
ip -n "$c1" route replace default via 10.1.0.1

# A group without the small tunnel: outwards its own MTU, inwards the connection's.
route_add dynamic 2 172.16.0.0/16
expect "outwards the group counts, inwards the connection" "$((large - 40)) $v4" to_dc
route_add dynamic 1 172.16.0.0/16

# Data that fits: nobody needs an ICMP error.
head -c 200000 /dev/urandom > "$vgw_tmp/sent"
expect "a stream over IPv4" "$v4 $v4" to_dc "$vgw_tmp/sent"
check "arrives" cmp "$vgw_tmp/sent" "$vgw_tmp/got"
expect "a stream over IPv6" "$v6 $v6" to_dc6 "$vgw_tmp/sent"
check "arrives too" cmp "$vgw_tmp/sent" "$vgw_tmp/got"
check_equal "and no packet was too big" 0 "$(stat_of drop-too-big)"

# Off.
before=$(stat_of mss-clamped)
check "the clamp is turned off" gset gateway-set '"mss-clamp": 0'
check_equal "and says so" 0 "$(field mss-clamp "$(gset gateway-get)")"
expect "off: IPv4 as the ends want it" "1460 1460" to_dc
expect "off: IPv6 from the data center" "1440 1440" to_c1_6
check_equal "off: nothing was counted" "$before" "$(stat_of mss-clamped)"
check_match "any other value is refused" EINVAL\|ERANGE "$(gset gateway-set '"mss-clamp": 2')"
check "the clamp is turned on again" gset gateway-set '"mss-clamp": 1'
expect "on: IPv4 is clamped" "$v4 $v4" to_dc
