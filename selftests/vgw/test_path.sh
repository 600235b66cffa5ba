#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a packet meets on its way out: all mixes of inner and outer family with sizes
# around the MTU, ESP in UDP, policies that leave no room for a cache, an outer route
# that leads back, and packets of every make.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc
tunnel_make dc 1
tunnel_make dc 2 6
gateway_make
tunnel_join 1 1
tunnel_join 2 1

# The only tunnel from now on.
by_tunnel()
{
	group_set "$1" "$1"
	route_add dynamic "$1" 172.16.0.0/16
	route_add dynamic "$1" fd16::/16
	way_back dc "$1"
}

# Else the limit of one tunnel is remembered for the next one.
forget_pmtu()
{
	local name
	for name in "$c1" "$gw"; do
		ip -n "$name" route flush cache
		ip -n "$name" -6 route flush cache
	done
}

reach() { in_ns "$c1" ping -n -c 1 -W 5 "$@"; }
try() { in_ns "$c1" ping -n -c 1 -W 1 "$@" 2>&1; }

sizes() # tunnel, name
{
	local mtu small
	by_tunnel "$1"
	wait_for 5 tunnel_is "$1" up
	reach 172.16.0.1 > "$vgw_tmp/seen"
	mtu=$(tunnel_of "$1" mtu)
	check_match "IPv4 over $2: the MTU is known" "^1[34][0-9][0-9]$" "$mtu"
	check "IPv4 over $2: a byte below it" reach -M "do" -s $((mtu - 29)) 172.16.0.1
	check "IPv4 over $2: just as large" reach -M "do" -s $((mtu - 28)) 172.16.0.1
	check_match "IPv4 over $2: a byte above it" "From 10.1.0.1.*mtu = $mtu" \
		"$(try -M "do" -s $((mtu - 27)) 172.16.0.1)"
	forget_pmtu
	for small in 29 28 27; do
		check "IPv4 over $2: $((mtu - small + 28)) bytes without DF" \
			reach -M dont -s $((mtu - small)) 172.16.0.1
	done
	check "IPv6 over $2: a byte below it" reach -M "do" -s $((mtu - 49)) fd16::1
	check "IPv6 over $2: just as large" reach -M "do" -s $((mtu - 48)) fd16::1
	check_match "IPv6 over $2: a byte above it" "From fd01::1.*mtu=$mtu" \
		"$(try -M "do" -s $((mtu - 47)) fd16::1)"
	check "IPv6 over $2: fragments" reach -c 3 -i 0.2 -M dont -s 3000 fd16::1
	forget_pmtu
	check_equal "the group's MTU is its tunnel's" "$mtu" "$(field mtu "$(g group-get "\"id\": $1")")"
}

sizes 1 IPv4
sizes 2 IPv6
group_set 3 1 2
check_equal "the MTU of a group is its smallest" "$(tunnel_of 2 mtu)" "$(field mtu "$(g group-get '"id": 3')")"

# Datagrams that the sender leaves to be cut: each arrives, whole, and none is told to be too big.
by_tunnel 1
segments() # address, bytes of a segment: how many arrived and left
{
	in_ns "$dc" timeout 20 python3 - "$1" "$2" > "$vgw_tmp/segments" <<- 'EOF' &
		import socket, sys
		s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
		s.bind((sys.argv[1], 5002))
		s.settimeout(8)
		print("ready", flush=True)
		good = 0
		try:
		    while good < 10:
		        data = s.recv(65536)
		        good += data == bytes([data[0]]) * int(sys.argv[2])
		except socket.timeout:
		    pass
		print(good)
	EOF
	wait_for 20 grep -q ready "$vgw_tmp/segments"
	in_ns "$c1" python3 - "$1" "$2" <<- 'EOF'
		import socket, sys
		s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(socket.IPPROTO_UDP, 103, int(sys.argv[2]))
		s.sendto(b"".join(bytes([i]) * int(sys.argv[2]) for i in range(65, 75)), (sys.argv[1], 5002))
	EOF
	wait $!
	tail -n 1 "$vgw_tmp/segments"
}

packets=$(tunnel_of 1 tx-packets)
check_equal "UDP over IPv4 with GSO" 10 "$(segments 172.16.0.1 1200)"
check_match "it came as one packet" "^[1-5]$" $(($(tunnel_of 1 tx-packets) - packets))
check_equal "UDP over IPv6 with GSO" 10 "$(segments fd16::1 1200)"

# A tap has a clone of each packet while the sender's checksum is not there yet.
in_ns "$gw" timeout 30 tcpdump -nn -U -i lan -w "$vgw_tmp/capture" 2> "$vgw_tmp/tcpdump" &
tap=$!
wait_for 10 grep -q "listening on" "$vgw_tmp/tcpdump"
head -c 300000 /dev/urandom > "$vgw_tmp/sent"
in_ns "$dc" timeout 30 socat -u TCP4-LISTEN:5001,reuseaddr CREATE:"$vgw_tmp/got" &
listener=$!
listening() { [ -n "$(in_ns "$dc" ss -Hltn 'sport = 5001')" ]; }
wait_for 5 listening
in_ns "$c1" timeout 30 socat -u FILE:"$vgw_tmp/sent" TCP4:172.16.0.1:5001
wait $listener
check "cloned packets without a checksum arrive right" cmp "$vgw_tmp/sent" "$vgw_tmp/got"
kill $tap
wait $tap 2> /dev/null

# ESP in UDP.
encap_open() # namespace, address: somebody has the port
{
	in_ns "$1" python3 -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 100, 2)
s.bind(('$2', 4500))
time.sleep(300)" &
	vgw_jobs+=($!)
}

port_is_open() { [ -n "$(in_ns "$1" ss -Hlun 'sport = 4500')" ]; }

tunnel_make dc 3 4 cold
outer_of dc
encap_open "$gw" $gw_outer
encap_open "$dc" $dc_outer
wait_for 20 port_is_open "$gw"
wait_for 20 port_is_open "$dc"
for name in "$gw" "$dc"; do
	sa_add "$name" 3 $gw_outer $dc_outer 1003 encap espinudp 4500 4500 0.0.0.0
	sa_add "$name" 3 $dc_outer $gw_outer 2003 encap espinudp 4500 4500 0.0.0.0
done
tunnel_join 3 1
plain=$(tunnel_of 1 mtu)
sizes 3 "IPv4 with UDP"
check_equal "UDP takes eight bytes" "$(((plain - $(tunnel_of 3 mtu)) / 8 * 8))" 8
check_equal "one lookup serves all" "on on" "$(tunnel_of 3 cache4) $(tunnel_of 3 cache6)"
check_match "ESP went in UDP" "^[1-9]" "$(tunnel_of 3 tx-packets)"

# A policy for some flows: those go, uncached, others go by the next tunnel.
outer_of dc
any="src 0.0.0.0/0 dst 0.0.0.0/0"
tmpl="tmpl src $gw_outer dst $dc_outer proto esp reqid 1 mode tunnel"
group_set 4 1:1 2:0
route_add dynamic 4 172.16.0.0/16
way_back dc 1
ip -n "$dc" addr add 172.16.200.1/32 dev lo
# shellcheck disable=SC2086 # words
{
	ip -n "$gw" xfrm policy delete $any dir out if_id 1
	ip -n "$gw" xfrm policy add src 10.1.0.0/24 dst 172.16.0.0/17 dir out if_id 1 $tmpl
}
narrow() { [ "$(tunnel_of 1 state) $(tunnel_of 1 cache4)" = "up $1" ]; }
wait_for 15 narrow "on"
reach 172.16.0.1 > "$vgw_tmp/seen"
check "a policy with a selector: the tunnel says so" wait_for 15 narrow policy-selector
before=$(tunnel_of 1 tx-packets) unused=$(tunnel_of 1 cache-unused)
check "its flows go" reach 172.16.0.1
check_equal "by this tunnel, with a lookup of their own" "1 1" \
	"$(($(tunnel_of 1 tx-packets) - before)) $(($(tunnel_of 1 cache-unused) - unused))"
check "others go by the standby" reach 172.16.200.1
check_equal "not by this one" 1 $(($(tunnel_of 1 tx-packets) - before))
check_equal "which is up all the same" up "$(tunnel_of 1 state)"

# Transport mode: right or not at all, but never what is kept for others.
# shellcheck disable=SC2086 # words
{
	ip -n "$gw" xfrm policy delete src 10.1.0.0/24 dst 172.16.0.0/17 dir out if_id 1
	ip -n "$gw" xfrm policy add $any dir out if_id 1 tmpl proto esp reqid 31 mode transport
}
outer=172.16.0.1
for name in "$gw" "$dc"; do
	ip -n "$name" xfrm state add src 10.1.0.2 dst $outer proto esp spi 3001 if_id 1 mode transport \
		reqid 31 aead 'rfc4106(gcm(aes))' "0x$(printf '%040d' 3001)" 128
done
sa_mode() { [ "$(tunnel_of 1 cache4)" = "sa-mode" ]; }
check "transport mode: the tunnel says so" wait_for 15 sa_mode
fills=$(tunnel_of 1 cache-fills)
try 172.16.0.1 > "$vgw_tmp/seen"
try 172.16.0.1 > "$vgw_tmp/seen"
check_equal "nothing of it is kept" "$fills" "$(tunnel_of 1 cache-fills)"
for name in "$gw" "$dc"; do
	ip -n "$name" xfrm state delete src 10.1.0.2 dst $outer proto esp spi 3001
done
# shellcheck disable=SC2086 # words
ip -n "$gw" xfrm policy update $any dir out if_id 1 $tmpl
wait_for 15 narrow "on"
check "tunnel mode again" reach 172.16.0.1

# The stack's own policies, of no interface, are asked before the device is: they decide, too.
outer_of dc
ip -n "$dc" addr add 172.16.9.1/32 dev lo
check "without a policy of no interface" reach 172.16.9.1
ip -n "$gw" xfrm policy add src 0.0.0.0/0 dst 172.16.9.0/24 dir out action block
check_not "one that blocks does, from its ACK on" try 172.16.9.1
check "others go" reach 172.16.0.1
ip -n "$gw" xfrm policy delete src 0.0.0.0/0 dst 172.16.9.0/24 dir out
check "without it all go" reach 172.16.9.1

# The outer packet would come back, by this gateway or by another one.
loops() # device
{
	local before
	ip -n "$gw" route replace 198.51.100.9/32 dev "$1"
	wait_for 5 tunnel_is 5 up
	before=$(stat_of drop-loop)
	try 172.16.0.1 > "$vgw_tmp/seen"
	check_equal "an outer route into $1 is a loop" 1 $(($(stat_of drop-loop) - before))
}

ip -n "$gw" link add ipsec5 type xfrm if_id 5
ip -n "$gw" link set ipsec5 up
ip -n "$gw" link add vgw1 type vgw
ip -n "$gw" link set vgw1 up
policies_add "$gw" 5 $gw_outer 198.51.100.9
sa_add "$gw" 5 $gw_outer 198.51.100.9 1005
tunnel_join 5 1
group_set 5 5
route_add dynamic 5 172.16.0.0/16
loops vgw0
loops vgw1
check_match "the tunnel counts it" "^[1-9]" "$(tunnel_of 5 drop-loop)"
ip -n "$gw" route del 198.51.100.9/32
