#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Reverse path filtering of the kernel and the gateway. The way back to a site is
# vgw0, never the device that its packets come in by; but the kernel does not
# filter what came through IPsec. So every setting works, and none protects: the
# gateway's own validation has to.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels
# A source that no route leads to.
ip -n "$dc" addr add 192.0.2.9/32 dev lo
refused=0

for all in 0 1 2; do
	for own in 0 1 2; do
		sysctl_in "$gw" net.ipv4.conf.all.rp_filter=$all \
			net.ipv4.conf.ipsec1.rp_filter=$own net.ipv4.conf.ipsec2.rp_filter=$own
		name="rp_filter $all on all, $own on the tunnels"
		check "$name: works" in_ns "$c1" ping -n -c 1 -W 10 172.16.0.1
		check_equal "$name: nothing good is refused" $refused "$(stat_of drop-source)"
		in_ns "$dc" ping -n -c 1 -W 0.1 -I 192.0.2.9 10.1.0.2 > /dev/null
		refused=$((refused + 1))
		check_equal "$name: a foreign source is" $refused "$(stat_of drop-source)"
	done
done
sysctl_in "$gw" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.ipsec1.rp_filter=0 \
	net.ipv4.conf.ipsec2.rp_filter=0
for own in 0 1 2; do
	sysctl_in "$gw" net.ipv4.conf.vgw0.rp_filter=$own
	check "rp_filter $own on vgw0: works" in_ns "$c1" ping -n -c 1 -W 10 172.16.0.1
done
