#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything changes at once, for MINUTES (10): routes, groups, tunnels, SAs,
# devices, gateways, a namespace, the module, with traffic on all processors.
# Then the log must be clean, all objects freed, and nothing leaked. Not part of
# the suite: scripts/check-debug runs it, on a kernel that looks for faults.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lib/leaks.sh
. "$vgw_top/selftests/lib/leaks.sh"

minutes=${MINUTES:-10}
fuzz=$vgw_top/build/selftests/fuzz_genl
declare -A rounds=()

vgw_begin
topo_make dc
for id in 1 2 3; do
	tunnel_make dc $id
done
way_back dc 1 2

setup()
{
	local id
	gateway_make
	gset gateway-set '"quota": 0, "guard4": ["172.16.0.0/12"], "guard6": ["fd10::/12"]' > /dev/null
	for id in 1 2 3; do
		tunnel_join $id 1 '"transit": 1' > /dev/null
	done
	group_set 1 1 2 3:0 > /dev/null
	group_set 2 2 > /dev/null
	route_add dynamic 1 172.16.0.0/16 > /dev/null
	route_add dynamic 2 fd16::/16 > /dev/null
}

# In the background, until told to stop: SAs, policies and devices, and requests out of the blue.
churn_sas()
{
	local id
	while [ ! -e "$vgw_tmp/stop" ]; do
		id=$((1 + RANDOM % 3))
		case $((RANDOM % 6)) in
		0 | 1 | 2) sa_out_del dc $id; sa_out_add dc $id ;;
		3) ip -n "$gw" link set ipsec$id down; ip -n "$gw" link set ipsec$id up ;;
		4) ip -n "$gw" xfrm policy flush; policies_add "$gw" $id 198.51.100.1 198.51.100.2 ;;
		5) ip -n "$gw" xfrm state flush; sas_make dc $id ;;
		esac
		echo >> "$vgw_tmp/churned"
	done 2> /dev/null
}

churn_requests()
{
	local devices=() id
	while [ ! -e "$vgw_tmp/stop" ]; do
		devices=()
		for id in 1 2 3; do
			devices+=(-d "$(ifindex_of "$gw" ipsec$id)")
		done
		in_ns "$gw" "$fuzz" -n 300 -s $RANDOM -g "$(ifindex_of "$gw" vgw0)" "${devices[@]}"
		echo >> "$vgw_tmp/fuzzed"
	done > /dev/null 2>&1
}

# One of the changes that pull the ground from under all others.
upheaval()
{
	local kind=$((RANDOM % 6)) id=$((1 + RANDOM % 3))
	rounds[$kind]=$((${rounds[$kind]:-0} + 1))
	case $kind in
	0) ip -n "$gw" link del vgw0 ;;
	1) ip -n "$gw" link del ipsec$id && ip -n "$gw" link add ipsec$id type xfrm dev u0 if_id $id &&
		ip -n "$gw" link set ipsec$id up ;;
	2) rmmod vgw && vgw_load ;;
	3) unshare -n bash -c "ip link add vgw0 type vgw && ip link set lo up && ip link set vgw0 up &&
		ip link add x type xfrm dev lo if_id 5 && ip link set x up && ip route add 10.0.0.0/8 dev vgw0 &&
		$fuzz -n 500 -s $RANDOM -g 2 -d 3" > /dev/null ;;
	4) ip -n "$gw" link set vgw0 down; ip -n "$gw" link set vgw0 up ;;
	5) rmmod vgw & ip -n "$gw" link del vgw0; wait $!; vgw_load ;;
	esac 2> /dev/null
	[ -e /sys/module/vgw ] || vgw_load
	ip -n "$gw" link show vgw0 > /dev/null 2>&1 || setup
}

receiver_start there "$dc"
setup
load_start four "$c1" send -t 172.16.0.1 -f 50 -r 150
load_start six "$c1" send -t fd16::1 -f 50 -r 150
load_start own "$gw" send -t 172.16.0.1 -b 10.1.0.1 -f 5 -r 50
churn_sas &
churning=$!
churn_requests &
fuzzing=$!
end=$((SECONDS + minutes * 60))
while [ $SECONDS -lt $end ]; do
	upheaval
	ynl_stop
	sleep 0.2
done
touch "$vgw_tmp/stop"
wait $churning $fuzzing
for id in four six own; do
	seen=$(load_stop $id)
	ktap_note "$id: $seen"
	check_match "packets went through meanwhile: $id" '^[1-9]' "$(field back.received "$seen")"
done
load_stop there > /dev/null
ktap_note "upheavals by kind: $(for id in "${!rounds[@]}"; do echo "$id: ${rounds[$id]}"; done | paste -sd ' ')"
ktap_note "SA changes: $(wc -l < "$vgw_tmp/churned"), runs of the fuzzer: $(wc -l < "$vgw_tmp/fuzzed")"
check "SAs, devices and requests changed all the time" [ "$(wc -l < "$vgw_tmp/churned")" -gt "$minutes" ]

netns_remove_all
vgw_unload
if [ -e /sys/kernel/debug/kmemleak ]; then
	check_not "nothing leaked" leaks_of vgw
fi
if [ -e /proc/lockdep_stats ]; then
	check "lockdep is awake to the end" grep -qE 'debug_locks: *1$' /proc/lockdep_stats
fi
