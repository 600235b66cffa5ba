#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fast-path ports: each reason to step aside, one by one; routes and rules with nobody
# there to tell the module; merged segments, bridges, VRFs; configuration; birth and
# death under load. Run by name: test_port.sh has the comparison with the normal way.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
modprobe -a vrf br_netfilter 2> /dev/null

port_add() { g port-add "\"ifindex\": $(ifindex_of "$gw" "${1:-lan}")"; }
port_del() { g port-del "\"ifindex\": $(ifindex_of "$gw" "${1:-lan}")"; }
port_of() # name, device
{
	field "$1" "$(g port-get "\"ifindex\": $(ifindex_of "$gw" "${2:-lan}")")"
}

# Reasons to step aside

gateway_with_two_tunnels
port_add

reaches4() { in_ns "$c1" ping -n -c 2 -i 0.05 -W 5 172.16.0.1; }
reaches6() { in_ns "$c1" ping -n -c 2 -i 0.05 -W 5 fd16::1; }
is_on() { [ "$(port_of "state$1")" = on ]; }
state_is() { [ "$(port_of state4)" = "$1" ]; }

# family: packets arrive, and the port takes them.
fast()
{
	local before
	wait_for 5 is_on "$1" || return 1
	before=$(port_of packets)
	"reaches$1" || return 1
	[ $(($(port_of packets) - before)) = 2 ]
}

# family, reason, "lost" if packets do not arrive: the port does not take them and says why.
aside()
{
	local packets passed
	packets=$(port_of packets) passed=$(port_of aside)
	check_equal "IPv$1: the reason is told: $2" "$2" "$(port_of "state$1")"
	if [ "${3:-}" = lost ]; then
		in_ns "$c1" ping -n -c 1 -W 0.2 172.16.0.1 > "$vgw_tmp/seen"
	else
		check "IPv$1: packets go the normal way" "reaches$1"
	fi
	check "IPv$1: and are counted" [ "$(port_of packets) $(($(port_of aside) > passed))" = "$packets 1" ]
}

both_aside()
{
	aside 4 "$1"
	aside 6 "$1"
}

both_fast()
{
	check "then IPv4 is fast (again): $1" fast 4
	check "then IPv6 is fast (again): $1" fast 6
}

both_fast "nothing is in the way"
check_equal "nothing was passed on for a reason of state" 0 "$(port_of aside)"

# Hooks: a foreign one, even if it does nothing.
for place in forward postrouting; do
	reason=forward-hook
	[ $place = forward ] || reason=post-routing-hook
	for family in 4 6; do
		table=ip other=6
		[ $family = 4 ] || table=ip6 other=4
		in_ns "$gw" nft "add table $table t; add chain $table t c { type filter hook $place priority 300; }"
		aside $family $reason
		check "IPv$other does not mind" fast $other
		in_ns "$gw" nft "delete table $table t"
	done
	both_fast "without a hook at $place"
done
in_ns "$gw" nft 'add table inet t; add chain inet t c { type filter hook forward priority 0; policy drop; }'
check_not "a rule that drops is obeyed" reaches4
in_ns "$gw" nft 'delete table inet t'
in_ns "$gw" nft 'add table ip t; add chain ip t c { type filter hook prerouting priority 0; ip protocol icmp drop; }'
check_not "a rule before the port is obeyed" reaches4
in_ns "$gw" nft 'delete table ip t'
both_fast "without rules"

# Policies of no XFRM interface.
for dir in out fwd; do
	ip -n "$gw" xfrm policy add dir $dir src 192.0.2.0/24 dst 192.0.2.0/24 action block priority 9
	wait_for 3 state_is policy
	both_aside policy
	ip -n "$gw" xfrm policy delete dir $dir src 192.0.2.0/24 dst 192.0.2.0/24
	both_fast "without a policy for $dir"
done
ip -n "$gw" xfrm policy add dir fwd src 10.1.0.2/32 dst 172.16.0.1/32 action block
check_not "a policy that blocks is obeyed by the time it is there" \
	in_ns "$c1" ping -n -c 1 -W 0.3 172.16.0.1
ip -n "$gw" xfrm policy delete dir fwd src 10.1.0.2/32 dst 172.16.0.1/32
ip -n "$gw" xfrm policy add dir in src 192.0.2.0/24 dst 192.0.2.0/24 action block
both_fast "a policy for input does not matter"
ip -n "$gw" xfrm policy delete dir in src 192.0.2.0/24 dst 192.0.2.0/24
if ip -n "$gw" xfrm policy setdefault fwd block 2> "$vgw_tmp/seen"; then
	aside 4 policy lost
	ip -n "$gw" xfrm policy setdefault fwd accept
	both_fast "with the default to accept"
fi

# Forwarding.
sysctl_in "$gw" net.ipv4.conf.lan.forwarding=0
aside 4 forwarding-off lost
check "IPv6 does not mind" fast 6
sysctl_in "$gw" net.ipv4.conf.lan.forwarding=1
sysctl_in "$gw" net.ipv6.conf.all.forwarding=0
check_equal "IPv6: the reason is told: forwarding-off" forwarding-off "$(port_of state6)"
check_not "IPv6: nothing is forwarded" in_ns "$c1" ping -n -c 1 -W 0.2 fd16::1
sysctl_in "$gw" net.ipv6.conf.all.forwarding=1
both_fast "with forwarding"

# What waits at the gateway's device.
tc -n "$gw" qdisc add dev vgw0 root pfifo limit 100
both_aside gateway-egress
tc -n "$gw" qdisc del dev vgw0 root
both_fast "without a queue"
for device in vgw0 any; do
	ip netns exec "$gw" timeout 20 tcpdump -nn -l --immediate-mode -i $device icmp \
		> "$vgw_tmp/capture" 2> "$vgw_tmp/tcpdump" &
	capture=$!
	wait_for 10 grep -q "listening on" "$vgw_tmp/tcpdump"
	aside 4 gateway-egress
	kill $capture
	wait $capture 2> /dev/null
	check_match "a capture on $device sees the packets" "10.1.0.2 > 172.16.0.1: ICMP" \
		"$(cat "$vgw_tmp/capture")"
done
both_fast "without a capture"
ip -n "$gw" link set vgw0 down
check_equal "the reason is told: gateway-down" gateway-down "$(port_of state4)"
check_not "no packet goes" in_ns "$c1" ping -n -c 1 -W 0.2 172.16.0.1
ip -n "$gw" link set vgw0 up
gateway_routes
both_fast "with the gateway up"

# Routes and rules are the kernel's own, with nobody there to tell the module.
ynl_stop
# Errors come as often as they are asked for. One of the two is for all namespaces.
error_cost=$(sysctl -n net.ipv4.route.error_cost)
sysctl -qw net.ipv4.route.error_cost=0
sysctl_in "$gw" net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
answers() { in_ns "$c1" ping -n -c 1 -W 0.5 172.16.0.1 2>&1; }
ip -n "$gw" route add unreachable 172.16.0.1/32
check_match "a longer route counts at once" "Host Unreachable" "$(answers)"
ip -n "$gw" route del unreachable 172.16.0.1/32
check_match "and no more" "bytes from 172.16.0.1" "$(answers)"
ip -n "$gw" addr add 172.16.0.1/32 dev lan
check_match "an address of our own counts at once" "ttl=64" "$(answers)"
ip -n "$gw" addr del 172.16.0.1/32 dev lan
check_match "and no more" "ttl=63" "$(answers)"
ip -n "$gw" rule add pref 10 from 10.1.0.2 prohibit
check_match "a rule counts at once" "Packet filtered" "$(answers)"
ip -n "$gw" rule del pref 10
check_match "and no more" "ttl=63" "$(answers)"
ip -n "$gw" -6 rule add pref 10 from fd01::2 prohibit
check_match "IPv6: a rule counts at once" "Administratively prohibited" \
	"$(in_ns "$c1" ping -n -c 1 -W 0.5 fd16::1 2>&1)"
ip -n "$gw" -6 rule del pref 10
ip -n "$gw" route del 172.16.0.0/12
check_match "without a route nothing is taken" "Net Unreachable" "$(answers)"
sysctl -qw net.ipv4.route.error_cost="$error_cost"
gateway_routes
ynl_start "$gw"
both_fast "all routes as before"

# Segments that the LAN handed over merged.
stream() # address, source
{
	local listen=TCP4-LISTEN connect=TCP4 address=$1
	if [[ $1 == *:* ]]; then
		listen=TCP6-LISTEN connect=TCP6 address="[$1]"
	fi
	in_ns "$dc" timeout 60 socat -u "$listen":5001,reuseaddr CREATE:"$vgw_tmp/got" &
	wait_for 5 listener_there
	in_ns "$c1" timeout 60 socat -u FILE:"$vgw_tmp/sent" "$connect:$address:5001,bind=$2" || return 1
	wait $!
	cmp "$vgw_tmp/sent" "$vgw_tmp/got"
}
listener_there() { [ -n "$(in_ns "$dc" ss -Hltn 'sport = 5001')" ]; }

head -c 1500000 /dev/urandom > "$vgw_tmp/sent"
before=$(port_of packets) bytes=$(port_of bytes)
check "TCP over IPv4 with GSO" stream 172.16.0.1 10.1.0.2
check "TCP over IPv6 with GSO" stream fd16::1 "[fd01::2]"
check "segments were taken merged" \
	[ $(($(port_of bytes) - bytes)) -gt $((3000 * ($(port_of packets) - before))) ]
before=$(port_of other)
in_ns "$gw" ethtool -K vgw0 gso off tso off > /dev/null
check "TCP with the device's GSO off" stream 172.16.0.1 10.1.0.2
in_ns "$gw" ethtool -K vgw0 gso on tso on > /dev/null
check "merged ones went the normal way" [ "$(port_of other)" -gt "$before" ]

# Bridges: what is switched is not the router's; what is routed by a bridge is.
ip -n "$gw" link add br0 type bridge
ip -n "$gw" link add p1 type veth peer name e1 netns "$c1"
ip -n "$gw" link set p1 master br0
ip -n "$gw" link set lan master br0
ip -n "$gw" link set p1 up
ip -n "$c1" link set e1 up
ip -n "$gw" addr flush dev lan
ip -n "$gw" addr add 10.1.0.1/24 dev br0
ip -n "$gw" addr add fd01::1/64 dev br0 nodad
ip -n "$gw" link set br0 up
for one in iptables ip6tables; do
	sysctl_in "$gw" net.bridge.bridge-nf-call-$one=0 2> /dev/null
done
wait_for 5 in_ns "$c1" ping -n -c 1 -W 1 10.1.0.1
port_add br0
before=$(port_of packets br0)
check "a bridge can be a port" reaches4
check_equal "and takes packets" $((before + 2)) "$(port_of packets br0)"
if sysctl_in "$gw" net.bridge.bridge-nf-call-iptables=1 2> /dev/null; then
	before=$(port_of packets br0)
	# To somebody else on the bridge, though the address is the site's.
	in_ns "$c1" python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
r = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
r.bind(("e1", 0x0800))
r.settimeout(3)
mac = bytes.fromhex(open("/sys/class/net/e1/address").read().strip().replace(":", ""))
head = bytes.fromhex("4500001c0001000040fd0000") + bytes((10, 1, 0, 2, 172, 16, 0, 1))
total = sum(head[i] << 8 | head[i + 1] for i in range(0, 20, 2))
total = ~(total + (total >> 16)) & 0xffff
s.send(mac + b"\2\0\0\0\0\1\10\0" + head[:10] + total.to_bytes(2, "big") + head[12:] + bytes(26))
while True:
    data = r.recv(2000)
    if data[9] == 0xfd:
        print("ttl", data[8])
        break' > "$vgw_tmp/switched" 2>&1
	check_equal "a frame that is switched stays as it is" "ttl 64" "$(tail -n 1 "$vgw_tmp/switched")"
	check_equal "the port did not take it" "$before" "$(port_of packets br0)"
	sysctl_in "$gw" net.bridge.bridge-nf-call-iptables=0
fi

# A VRF has the packet's way begin anew.
if ip -n "$gw" link add red type vrf table 100 2> /dev/null; then
	ip -n "$gw" link set red up
	ip -n "$gw" link set br0 master red
	check_equal "the reason is told: vrf" vrf "$(port_of state4 br0)"
	ip -n "$gw" link del red
fi
ip -n "$gw" link del br0
check_equal "the bridge's port went with it" 1 "$(g dump port-get | wc -l)"
ip -n "$gw" link del p1
ip -n "$c1" neigh flush dev eth0
ip -n "$gw" addr add 10.1.0.1/24 dev lan
ip -n "$gw" addr add fd01::1/64 dev lan nodad
ip -n "$gw" addr add fe80::1/64 dev lan nodad

# Configuration
check_match "loopback is refused" EINVAL "$(g port-add '"ifindex": 1')"
check_match "so is a gateway" EINVAL "$(port_add vgw0)"
check_match "so is a tunnel" EINVAL "$(port_add ipsec1)"
check_match "so is what is not there" ENODEV "$(g port-add '"ifindex": 9999')"
check_match "what is not a port cannot be deleted" ENOENT "$(port_del u0)"
ip -n "$gw" link add vgw1 type vgw
check_match "another gateway's port is refused" EBUSY \
	"$(y port-add "{\"gateway\": $(ifindex_of "$gw" vgw1), \"ifindex\": $(ifindex_of "$gw" lan)}")"
ip -n "$gw" link del vgw1
check "a repeat is no error" port_add
check_equal "and makes no second one" 1 "$(g dump port-get | wc -l)"
port_add u0
generation=$(field generation "$(gset generation-begin)")
port_add
for id in 1 2; do
	tunnel_join $id 1 > /dev/null
done
group_set 1 1 2
route_add dynamic 1 172.16.0.0/16
route_add dynamic 1 fd16::/16
gset generation-commit "\"generation\": $generation" > "$vgw_tmp/seen"
check_match "a generation sweeps what it did not refresh" ENOENT \
	"$(g port-get "\"ifindex\": $(ifindex_of "$gw" u0)")"

# Under load: ports, devices, gateway, namespace. An emulated receiver keeps up with this.
both_fast "the LAN as before"
receiver_start there "$dc"
load_start four "$c1" send -t 172.16.0.1 -f 10 -r 200
load_start six "$c1" send -t fd16::1 -f 10 -r 200
for _ in {1..30}; do
	port_del > /dev/null
	port_add > /dev/null
done
sa_out_del dc 1
wait_for 3 tunnel_is 1 down
sa_out_add dc 1
wait_for 3 tunnel_is 1 up
check_equal "ports that come and go, and a dying tunnel, lose no packet" "0 0" \
	"$(field forward.lost "$(load_stop four)") $(field forward.lost "$(load_stop six)")"
load_start four "$c1" send -t 172.16.0.1 -f 10 -r 200
for _ in {1..5}; do
	ip -n "$gw" link del vgw0
	gateway_make
	tunnel_join 1 1 > /dev/null
	group_set 1 1
	route_add static 1 172.16.0.0/16
	route_add static 1 fd16::/16
	port_add
done
load_stop four > "$vgw_tmp/seen"
way_back dc 1
both_fast "the gateway was deleted and made anew under load"
load_start four "$c1" send -t 172.16.0.1 -f 10 -r 200
ip -n "$gw" link del lan
check_equal "a device that goes away takes its port along" "" "$(g dump port-get)"
load_stop four > "$vgw_tmp/seen"
load_stop there > "$vgw_tmp/seen"
ynl_stop
netns_remove_all
gateway_with_two_tunnels
port_add
load_start four "$c1" send -t 172.16.0.1 -f 10 -r 200
wait_for 3 reaches4
ynl_stop
netns_remove "$gw"
load_stop four > "$vgw_tmp/seen"
