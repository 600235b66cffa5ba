#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Connection tracking, SNAT and DNAT by nftables work on vgw0 as on any device,
# also while a tunnel dies.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels
in_ns "$gw" nft -f - << EOR || exit 1
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat
		iifname "lan" ip daddr 10.99.0.1 dnat to 172.16.0.1
		iifname "ipsec*" udp dport 7100 dnat to 10.1.0.2:7000
	}
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname "vgw0" ip saddr 10.1.0.2 udp sport 30000-30999 snat to 10.1.0.100
	}
}
table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop
		ct state established,related accept
		iifname "lan" oifname "vgw0" accept
		ct status dnat accept
	}
}
EOR
ip -n "$gw" addr add 10.1.0.100/32 dev lan

# What address does the data center see? It answers with that.
in_ns "$dc" python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("172.16.0.1", 6000))
while True:
    _, peer = s.recvfrom(100)
    s.sendto(peer[0].encode(), peer)
' &
vgw_jobs+=($!)
echo_there() { [ -n "$(in_ns "$dc" ss -Hlun 'sport = 6000')" ]; }
wait_for 10 echo_there

# Source port and address, in pairs: the answers, one per line.
seen_as()
{
	in_ns "$c1" python3 -c '
import socket, sys
for port, address in zip(sys.argv[1::2], sys.argv[2::2]):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.bind(("10.1.0.2", int(port)))
    s.connect((address, 6000))
    s.send(b"hello")
    try:
        print(s.recv(100).decode())
    except OSError as error:
        print(error)
' "$@"
}

seen_as 20000 172.16.0.1 30000 172.16.0.1 20001 10.99.0.1 30001 10.99.0.1 > "$vgw_tmp/seen"
mapfile -t seen_by < "$vgw_tmp/seen"
check_equal "without NAT the source is the host's" 10.1.0.2 "${seen_by[0]}"
check_equal "with SNAT it is the gateway's" 10.1.0.100 "${seen_by[1]}"
check_equal "with DNAT another destination answers" 10.1.0.2 "${seen_by[2]}"
check_equal "with both" 10.1.0.100 "${seen_by[3]}"
check_not "the filter holds: nothing new comes in" in_ns "$dc" ping -n -c 1 -W 0.3 -I 172.16.0.1 10.1.0.2

# From the data center to a host behind DNAT.
receiver_start there "$c1"
load_start here "$dc" send -t 10.1.0.1 -p 7100 -b 172.16.0.1 -f 10 -r 500 -c 500 -l 3000
seen=$(load_wait here)
check_equal "inbound DNAT: all arrive" 500 "$(field forward.received "$seen")"
check_equal "inbound DNAT: all answers, too" 500 "$(field back.received "$seen")"
load_stop there > /dev/null

# A tunnel dies below translated flows.
receiver_start there "$dc"
load_start here "$c1" send -t 10.99.0.1 -P 30100 -f 100 -r 1000 -d 3 -l 3000
sleep 1
sa_out_del dc 1
seen=$(load_wait here)
check_equal "SNAT, DNAT and a dying tunnel: nothing lost" "0 0" \
	"$(field forward.lost "$seen") $(field back.lost "$seen")"
check_match "all was sent" "^[23][0-9][0-9][0-9]" "$(field forward.received "$seen")"
