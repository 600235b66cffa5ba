# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # site.sh's variables
#
# BFD on both ends of a site's tunnels (selftests/lib/site.sh): vgw-bfd at the
# gateway, FRR's bfdd at the data center.

bfd_every=300
bfd_multiplier=5

bfd_config()
{
	local timers="transmit: $bfd_every, receive: $bfd_every, multiplier: $bfd_multiplier"
	gw_config | sed "s/^    customer-gateway: dc\$/&\n    bfd: { $timers }/"
}

bfd_start()
{
	mkdir -p /run/vgw
	ip netns exec gw "$site_programs/vgw-bfd" >> "$site_run/vgw-bfd.log" 2>&1 &
	echo $! > "$site_run/vgw-bfd.pid"
	disown
	wait_for 10 test -S /run/vgw/bfd.sock
}

bfd_stop()
{
	local pid
	pid=$(cat "$site_run/vgw-bfd.pid")
	kill -TERM "$pid"
	wait_for 10 gw_gone "$pid"
}

dc_bfd_start()
{
	: > /etc/frr/dc/bfdd.conf
	chown frr:frr /etc/frr/dc/bfdd.conf
	in_ns dc /usr/lib/frr/bfdd -d -N dc -f /etc/frr/dc/bfdd.conf \
		--log file:/run/frr/dc/bfdd.log > "$site_run/dc-bfdd.out" 2>&1
	wait_for 20 test -S /run/frr/dc/bfdd.vty
	frr "configure terminal" "router bgp 65010" \
		"neighbor gw bfd $bfd_multiplier $bfd_every $bfd_every" \
		"neighbor gw bfd check-control-plane-failure" > "$site_run/dc-bfd.out"
}

gw_bfd_up() { [ "$(gw_rows "show peers" "sum(r['bfd'] == 'up' for r in rows)")" = 2 ]; }
