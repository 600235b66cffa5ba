# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Documentation/guide.rst, done as it is written: selftests/guide/walk runs its commands and
# compares what they say; what happens in the world outside ("test: do ...") happens here.
#
# In place of systemd, which this machine has not: "systemctl enable --now" does what the named
# units do, "journalctl" shows vgwd's log.

guide_bin=$site_run/guide-bin
guide_file=/etc/vgw/vgw.yaml
guide_socket=/run/vgw/control.sock

guide_programs()
{
	mkdir -p "$guide_bin" /etc/vgw /run/vgw /etc/iproute2/rt_protos.d
	cp etc/rt_protos.conf /etc/iproute2/rt_protos.d/vgw.conf
	ln -sfn "$site_programs/vgwctl" "$guide_bin/vgwctl"
	cat > "$guide_bin/systemctl" <<-END
	#!/bin/bash
	[ "\$1 \$2" = "enable --now" ] || exit 1
	shift 2
	for unit; do
		[ -e "$PWD/etc/\$unit.service.in" ] || exit 1
		case \$unit in
		vgw-guard) "$site_programs/vgwd" -g -c $guide_file || exit 1 ;;
		vgwd)
			"$site_programs/vgwd" -c $guide_file >> "$site_run/vgwd.log" 2>&1 &
			echo \$! > "$site_run/vgwd.pid"
			;;
		*) exit 1 ;;
		esac
	done
	END
	cat > "$guide_bin/journalctl" <<-END
	#!/bin/bash
	[ "\$1 \$2 \$3" = "-u vgwd -g" ] || exit 1
	grep -e "\$4" "$site_run/vgwd.log" | tail -n 5
	END
	chmod +x "$guide_bin"/*
}

# The running agent takes away what it has, and ends; the device goes, as its counters would
# tell of the steps before.
guide_clear() # file
{
	gw_config | sed '/^customer-gateways/,$d' | sed "s|socket: [^ ]*|socket: $site_socket|" > "$1"
	vgwctl reload > "$site_run/guide-reload.log" && gw_stop && in_ns gw ip link del vgw0
}

# The data center is given the key of tunnel N, or another one.
guide_key() # tunnel, [key]
{
	if [ $# = 1 ]; then
		cp "/etc/vgw/dc-$1.psk" "$site_run/t$1.psk"
	else
		echo "$2" > "$site_run/t$1.psk"
	fi
	{ dc_swanctl 1; dc_swanctl 2; } > "$site_run/dc-swanctl.conf"
	charon_ctl dc --load-creds --clear --noprompt --file "$site_run/dc-swanctl.conf"
}
guide_wrong_key() { guide_key "$1" wrong && charon_ctl dc --terminate --ike "t$1"; }
guide_tunnels() { wait_for 20 gw_tunnels_up "$1"; }
guide_peers() { wait_for 30 gw_peers_up "$1"; }
guide_routed() { wait_for 20 gw_next_hops_are 172.16.0.0/24 "$*"; }
guide_answered() { wait_for 20 dc_has_route 10.1.0.0/24; }
guide_ike_failed()
{
	wait_for 20 gw_rows "show tunnels" "[r for r in rows if r['name'] == 'dc-$1' and r['ike']['last_error']]"
}
guide_health_is() { [ "$(gw_rows "show tunnels" "[r['health']['state'] for r in rows if r['name'] == 'dc-$1'][0]")" = "$2" ]; }
guide_health() { wait_for 20 guide_health_is "$1" "$2"; }
guide_deaf()
{
	in_ns dc nft -f - <<-END
	table inet deaf$1 {
		chain in { type filter hook input priority 0; iifname ipsec$1 icmp type echo-request drop; }
	}
	END
}
guide_hears() { in_ns dc nft delete table inet "deaf$1"; }
guide_session() # tunnel, [no]
{
	frr "configure terminal" "router bgp 65010" "${2:+no }neighbor $(gw_inside "$1") shutdown"
}
guide_session_ends() { guide_session "$1" && wait_for 10 gw_peers_up 1; }
guide_announces() # [no]: a default route, and a part of our own network
{
	frr "configure terminal" "router bgp 65010" "address-family ipv4 unicast" \
		"${1:+no }neighbor gw default-originate" "${1:+no }network 10.1.0.128/25"
}
guide_knows() { wait_for 20 vgwctl show routes "$1"; }
guide_gateway() { wait_for 20 gw_rows "show gateway" "rows[0]['$1'] == $2"; }
# The last one is one too many.
guide_fills()
{
	dc_announce 1 49
	guide_gateway quota_used 50
	dc_announce 50 50
	guide_gateway refused 1
}
guide_line()
{
	site_link gw eth2 10.255.0.1/30 dc pl0 10.255.0.2/30
	in_ns dc sysctl -qw net.ipv4.conf.pl0.rp_filter=0
	frr "configure terminal" "router bgp 65010" "neighbor 10.255.0.1 remote-as 65001" \
		"neighbor 10.255.0.1 timers 3 $site_hold" "neighbor 10.255.0.1 timers connect 1" \
		"neighbor 10.255.0.1 advertisement-interval 0" "address-family ipv4 unicast" \
		"neighbor 10.255.0.1 activate" > /dev/null
}
guide_line_gone()
{
	frr "configure terminal" "router bgp 65010" "no neighbor 10.255.0.1" > /dev/null
	ip -n gw link delete eth2
}
guide_way_is() { ip -n gw route get 172.16.0.2 | grep -q "dev $1 "; }
guide_way() { wait_for 20 guide_way_is "$1"; }

guide_programs
# vtysh ends at the first error, and the seventh is gone already.
dc_withdraw 1 6
dc_withdraw 8 9
check "the scenario's gateway makes room" guide_clear "$site_config"
guide_before=("$site_socket" "$site_config")
site_socket=$guide_socket site_config=$guide_file
# Its ends stay ours when it has gone.
coproc guide { PATH=$guide_bin:$PATH exec ip netns exec gw selftests/guide/walk machine ${GUIDE_RECORD:+"$GUIDE_RECORD"} 2> "$site_run/guide.err"; }
guide_pid=$guide_PID
exec {guide_from}<&"${guide[0]}" {guide_to}>&"${guide[1]}"
while read -r -u "$guide_from" kind rest; do
	case $kind in
	do)
		# shellcheck disable=SC2086 # a function and its words
		if seen=$($rest 2>&1); then
			echo 0
		else
			ktap_note "$rest: $seen"
			echo 1
		fi >&"$guide_to"
		;;
	ok) ktap_pass "guide: $rest" ;;
	bad) ktap_fail "guide: $rest" ;;
	note) ktap_note "$rest" ;;
	esac
done
exec {guide_from}<&- {guide_to}>&-
wait "$guide_pid"
check_equal "the guide was walked through to its end" 0 $?
ktap_note "$(cat "$site_run/guide.err")"
rm -f /etc/iproute2/rt_protos.d/vgw.conf
gw_alive || gw_start
check "the guide's gateway makes room" guide_clear "$guide_file"
site_socket=${guide_before[0]} site_config=${guide_before[1]}
gw_config > "$site_config"
for n in 1 2; do
	[ ! -e "/etc/vgw/dc-$n.psk" ] || guide_key $n > "$site_run/guide-key.log" 2>&1
done
check "the scenario's own file again" gw_start
dc_announce 1 6
dc_announce 8 9
check "its tunnels and sessions are there" wait_for 30 gw_settled
check "and in both directions" wait_for 30 dc_has_both
