#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What can be seen of a packet from outside: trace events, counters by cause at the
# gateway, the tunnel and the group, and those of the network devices.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels
tracefs=/sys/kernel/tracing
[ -e $tracefs/trace ] || mount -t tracefs nodev $tracefs
events=$tracefs/events/vgw

# Only this test's packets: those of the gateway's namespace.
trace()
{
	echo "$1" > $events/enable
}

traced() # event, regular expression: its first line
{
	grep -E "$1: $2" $tracefs/trace | head -n 1
}

trace_is_there() { [ -n "$(traced "$@")" ]; }

seen_in_trace() # name, event, regular expression
{
	check "$1" wait_for 3 trace_is_there "$2" "$3"
}

clear() { echo > $tracefs/trace; }

# One packet and the answer.
reach() { in_ns "$c1" ping -n -c 1 -W 5 "$@" > "$vgw_tmp/seen"; }
fail_to_reach() { in_ns "$c1" ping -n -c "${2:-1}" -i 0.1 -W 0.3 "$1" > "$vgw_tmp/seen"; }

check_equal "there is an event for each" "drop failover lookup refill" \
	"$(find $events -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sed 's/vgw_//' | sort | paste -sd ' ')"
# An SA that is new: the next packet looks it up again.
sa_out_del dc 1
sa_out_del dc 2
sa_out_add dc 1
sa_out_add dc 2
wait_for 5 tunnel_is 1 up
wait_for 5 tunnel_is 2 up
cache_is_on() { [ "$(tunnel_of 1 cache4)$(tunnel_of 2 cache6)" = onon ]; }
wait_for 15 cache_is_on
clear
trace 1
reach 172.16.0.1
id=$(lookup 172.16.0.1 '"src4": "10.1.0.2", "protocol": 1')
seen_in_trace "a lookup is told" vgw_lookup \
	"vgw0 src=::ffff:10.1.0.2 dst=::ffff:172.16.0.1 protocol=1 ports=0,0 hash=0x[0-9a-f]+ tunnel group=1 bucket=[0-9]+ tunnel=${id#tunnel }"
seen_in_trace "a refill is told" vgw_refill "vgw0 tunnel=${id#tunnel } ipv4 error=0 cache-state=1"
clear
reach fd16::1
seen_in_trace "IPv6, too" vgw_lookup "vgw0 src=fd01::2 dst=fd16::1 protocol=58 .* tunnel group=1"

# Why a packet ends here, by name, where it came to.
group_drop() { field "$2" "$(g group-get "\"id\": $1")"; }

clear
route_add dynamic 1 172.18.0.0/16 # the kernel's table leads there, too
route_del dynamic 172.18.0.0/16
fail_to_reach 172.18.0.1
seen_in_trace "a miss is told" vgw_drop "vgw0 drop-miss skb=.* len=84 tunnel=0 group=0"

g tunnel-set '"id": 1, "failed": 1'
g tunnel-set '"id": 2, "failed": 1'
clear
fail_to_reach 172.16.0.1 2
seen_in_trace "a dead group is told" vgw_drop "vgw0 drop-dead .* tunnel=0 group=1"
seen_in_trace "its lookup, too" vgw_lookup "vgw0 .* dead group=1"
check_equal "and counted there" 2 "$(group_drop 1 drop-dead)"
route_add static 1 172.19.0.0/16 '"on-fail": "reserve"'
clear
fail_to_reach 172.19.0.1
seen_in_trace "a route that holds is told" vgw_drop "vgw0 drop-reserved .* group=1"
check_equal "and counted at its group" 1 "$(group_drop 1 drop-reserved)"
g tunnel-set '"id": 1, "failed": 0'
g tunnel-set '"id": 2, "failed": 0'

mtu=$(tunnel_of 1 mtu)
clear
in_ns "$c1" ping -n -c 1 -W 1 -M "do" -s $((mtu - 27)) 172.16.0.1 > "$vgw_tmp/seen"
seen_in_trace "a packet that is too big is told" vgw_drop "vgw0 drop-too-big .* len=$((mtu + 1)) tunnel=[12] group=0"
check_equal "and counted at the tunnel" 1 $(($(tunnel_of 1 drop-too-big) + $(tunnel_of 2 drop-too-big)))
outer_of dc
for id in 1 2; do
	ip -n "$gw" xfrm policy update dir out src 0.0.0.0/0 dst 0.0.0.0/0 if_id $id priority 10 \
		tmpl src $gw_outer dst $dc_outer proto esp reqid $id mode tunnel
	ip -n "$gw" xfrm policy add dir out src 0.0.0.0/0 dst 172.16.7.0/24 if_id $id priority 1 action block
done
clear
fail_to_reach 172.16.7.1
seen_in_trace "a blocked one is told" vgw_drop "vgw0 drop-blocked .* tunnel=[12]"
check_equal "and counted at the tunnel" 1 $(($(tunnel_of 1 drop-blocked) + $(tunnel_of 2 drop-blocked)))
for id in 1 2; do
	ip -n "$gw" xfrm policy delete src 0.0.0.0/0 dst 172.16.7.0/24 dir out if_id $id
done
clear
in_ns "$dc" ping -n -c 1 -W 0.3 -I 172.17.0.9 10.1.0.2 > "$vgw_tmp/seen" 2>&1
ip -n "$dc" addr add 172.17.0.9/32 dev lo
in_ns "$dc" ping -n -c 1 -W 0.3 -I 172.17.0.9 10.1.0.2 > "$vgw_tmp/seen" 2>&1
seen_in_trace "a source that is refused is told" vgw_drop "vgw0 drop-source .* tunnel=[12]"

# A tunnel whose SA takes IPv4 only: it is up, and each IPv6 packet meets it dead.
clear
before=$(stat_of failover)
sa_out_del dc 1
ip -n "$gw" xfrm state add src $gw_outer dst $dc_outer proto esp spi 1001 if_id 1 mode tunnel reqid 1 \
	aead 'rfc4106(gcm(aes))' "0x$(printf '%040d' 1001)" 128 sel src 0.0.0.0/0 dst 0.0.0.0/0
wait_for 5 tunnel_is 1 up
reached=0
for host in 1 2 3 4 5 6 7 8 9 10; do
	ip -n "$dc" addr add fd16::a:$host/128 dev lo nodad
	reach fd16::a:$host && reached=$((reached + 1))
done
check_equal "IPv6 takes the other tunnel" 10 $reached
seen_in_trace "who met it dead is told" vgw_failover "vgw0 group=1 bucket=[0-9]+ dead tunnel=1"
check "the gateway counts it" [ "$(stat_of failover)" -gt "$before" ]
check_equal "the group counts the same" "$(stat_of failover)" "$(group_drop 1 failover)"

trace 0
clear
reach 172.16.0.1
check_equal "switched off it is quiet" 0 "$(grep -c vgw_ $tracefs/trace)"

# ethtool -S shows the same, by the same names.
in_ns "$gw" ethtool -S vgw0 | sed -n 's/^ *\([a-z-]*\): \([0-9]*\)$/\1 \2/p' > "$vgw_tmp/ethtool"
g stats-get > "$vgw_tmp/stats"
check_equal "ethtool -S has every counter" "$(grep -o '"[a-z-]*":' "$vgw_tmp/stats" | grep -vc gateway)" \
	"$(wc -l < "$vgw_tmp/ethtool")"
different=$(while read -r name value; do
	[ "$(field "$name" "$(cat "$vgw_tmp/stats")")" = "$value" ] || echo "$name"
done < "$vgw_tmp/ethtool")
check_equal "and the family's values" "" "$different"
check_match "ethtool -i names the driver" "driver: vgw" "$(in_ns "$gw" ethtool -i vgw0)"

# The XFRM devices that packets pass by count what their tunnels sent.
for id in 1 2; do
	check_equal "ipsec$id counts its tunnel's packets" "$(tunnel_of $id tx-packets)" \
		"$(in_ns "$gw" cat /sys/class/net/ipsec$id/statistics/tx_packets)"
	check_equal "and bytes" "$(tunnel_of $id tx-bytes)" \
		"$(in_ns "$gw" cat /sys/class/net/ipsec$id/statistics/tx_bytes)"
done

# The explanation of a lookup says how the packet finds its SA.
check_match "a lookup tells the SA's cache" '"cache": "on"' "$(g lookup '"dst4": "172.16.0.1"')"
ip -n "$gw" xfrm policy add dir out src 0.0.0.0/0 dst 172.16.7.0/24 if_id 1 priority 1 action block
ip -n "$gw" xfrm policy add dir out src 0.0.0.0/0 dst 172.16.7.0/24 if_id 2 priority 1 action block
many() { [ "$(tunnel_of 1 cache4) $(tunnel_of 2 cache4)" = "many-policies many-policies" ]; }
wait_for 15 many
check_match "and why it has none" '"cache": "many-policies"' "$(g lookup '"dst4": "172.16.0.1"')"
check_match "of the other family" '"cache": "on"' "$(g lookup '"dst6": "fd16::1"')"
