#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fast-path ports: what comes out is what the normal way gives, byte for byte and
# counter for counter. Reasons to step aside: port_aside.sh.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
traffic=$vgw_top/selftests/vgw/port_traffic

port_add() { g port-add "\"ifindex\": $(ifindex_of "$gw" lan)"; }
port_of() # name
{
	field "$1" "$(g port-get "\"ifindex\": $(ifindex_of "$gw" lan)")"
}

# The same packets, both ways

neighbours_fix() # namespace, device, address...: none is ever asked for
{
	local name=$1 device=$2 mac=02:00:00:00:00:77 address peer
	shift 2
	for address; do
		peer=$name
		case $address in
		10.1.0.2 | fd01::2) peer=$c1/eth0 ;;
		198.51.100.2 | 2001:db8:100::2) peer=$dc/u ;;
		10.1.0.1 | fd01::1) peer=$gw/lan ;;
		198.51.100.1 | 2001:db8:100::1) peer=$gw/u0 ;;
		esac
		[ "$peer" = "$name" ] || mac=$(mac_of "${peer%/*}" "${peer#*/}")
		ip -n "$name" neigh replace "$address" lladdr "$mac" dev "$device"
	done
}

mac_of() { ip -n "$1" -o link show dev "$2" | sed 's/.*ether \([^ ]*\).*/\1/'; }

# None is waiting for duplicate address detection: no ICMP error could come from it.
addresses_settled() { [ -z "$(ip -n "$1" -6 address show tentative)" ]; }

# "port" or "none": leaves files with that name and rp_filter's value.
differential()
{
	local family name rp_filter out
	gateway_with_two_tunnels
	gset gateway-set '"hash-seed": 7'
	route_add system - 172.18.0.0/16
	gset gateway-set '"guard4": ["172.19.0.0/16"]'
	# Addresses, limits and neighbours that time would change.
	for name in "$gw" "$c1" "$dc"; do
		wait_for 20 addresses_settled "$name"
	done
	# The router's errors to a link-local sender come from its own link-local address,
	# which a random MAC would give.
	ip -n "$gw" -6 address flush dev lan scope link
	ip -n "$gw" -6 address add fe80::1/64 dev lan nodad
	for name in "$gw" "$dc"; do
		sysctl_in "$name" net.ipv4.icmp_ratemask=0
		in_ns "$name" sh -c 'echo > /proc/sys/net/ipv6/icmp/ratemask'
		sysctl_in "$name" net.ipv6.icmp.ratelimit=0
	done
	neighbours_fix "$gw" lan 10.1.0.77 fd01::77 fe80::5 10.1.0.2 fd01::2
	neighbours_fix "$c1" eth0 10.1.0.1 fd01::1
	neighbours_fix "$gw" u0 198.51.100.2 2001:db8:100::2
	neighbours_fix "$dc" u 198.51.100.1 2001:db8:100::1
	ip -n "$gw" route add 172.20.0.0/16 dev vgw0 mtu 600
	# The site is an observer.
	for family in -4 -6; do
		ip -n "$dc" $family rule add pref 2 lookup local
		ip -n "$dc" $family rule del pref 0
		ip -n "$dc" $family rule add pref 1 iif ipsec1 blackhole
		ip -n "$dc" $family rule add pref 1 iif ipsec2 blackhole
	done
	[ "$1" = none ] || port_add
	for rp_filter in 0 1; do
		sysctl_in "$gw" net.ipv4.conf.lan.rp_filter=$rp_filter
		out=$vgw_tmp/$1.$rp_filter
		ktap_note "$1: $("$traffic" "$c1" "$gw" "$dc" "$(mac_of "$gw" lan)" $packets "$out")"
		{
			g stats-get
			g dump tunnel-get
			g dump group-get
		} | sed 's/"\(ifindex\|gateway\|last-rx\|memory\)": [0-9]*//g' >> "$out"
	done
	[ "$1" = none ] || ktap_note "$(g dump port-get)"
	[ "$1" = none ] || taken=$(port_of packets)
	ynl_stop
	netns_remove_all
}

same() { cmp "$@" || { diff "$@" | cut -c1-200 | head -n 40; false; }; }

# One for all namespaces.
error_cost=$(sysctl -n net.ipv4.route.error_cost)
sysctl -qw net.ipv4.route.error_cost=0
packets=2500
differential none
differential port
sysctl -qw net.ipv4.route.error_cost="$error_cost"
check "packets are taken" [ "$taken" -gt $((packets / 2)) ]
for rp_filter in 0 1; do
	check "rp_filter $rp_filter: packets and counters are those of the normal way" \
		same "$vgw_tmp/none.$rp_filter" "$vgw_tmp/port.$rp_filter"
done
