# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The same tunnels, with BIRD as the data center's router instead of FRR.

bird_config()
{
	cat <<-END
	log "$site_run/bird.log" all;
	router id 198.51.100.2;
	protocol device { }
	protocol kernel { merge paths on; ipv4 { export where source = RTS_BGP; }; }
	protocol static { ipv4; route 172.16.0.0/24 blackhole; route 172.20.0.0/16 blackhole; }
	template bgp tunnel_peer {
		local as 65010;
		hold time $site_hold;
		keepalive time 3;
		connect retry time 2;
		graceful restart on;
		ipv4 { import all; export where source = RTS_STATIC; };
	}
	protocol bgp gw1 from tunnel_peer { source address $(dc_inside 1); neighbor $(gw_inside 1) as 65001; }
	protocol bgp gw2 from tunnel_peer { source address $(dc_inside 2); neighbor $(gw_inside 2) as 65001; }
	END
}

bird() { in_ns dc birdc -s "$site_run/bird.ctl" "$@"; }
bird_paths() { bird show route 10.1.0.0/24 all | grep -c 'BGP.next_hop'; }
bird_has_both() { [ "$(bird_paths)" = 2 ]; }
not_published() { ! published "$1"; }
bird_end() { ! [ -e "$site_run/bird.ctl" ]; }

# As if the machine were replaced: no NOTIFICATION, no farewell.
# shellcheck disable=SC2046 # a word is a process
kill -9 $(cat /run/frr/dc/*.pid)
rm -f /run/frr/dc/*.pid
ip -n dc route flush proto bgp
bird_config > "$site_run/bird.conf"
check "BIRD takes the place of FRR" \
	in_ns dc bird -c "$site_run/bird.conf" -s "$site_run/bird.ctl" -P "$site_run/bird.pid"
check "both sessions are up" wait_for 40 gw_settled
check "what BIRD announces is learned over both" wait_for 20 gw_next_hops_are 172.20.0.0/16 "t1 t2"
check "what FRR announced and BIRD does not is gone" \
	wait_for 20 not_published 172.16.1.0/24
check "BIRD has the gateway's network twice" wait_for 20 bird_has_both
check "packets go" wait_for 20 ip netns exec c-gw ping -c 1 -W 1 172.16.0.2
traffic_start
gw_kill9
sleep 1
gw_start
check "the sessions come back after kill -9" wait_for 40 gw_settled
sleep 1
traffic_stop
check_no_loss "with BIRD, too, kill -9 loses nothing"
bird down > /dev/null
check "BIRD is shut down" wait_for 10 bird_end
dc_frr_start
check "FRR is back" wait_for 60 gw_settled
check "and traffic with it" wait_for 20 ip netns exec c-gw ping -c 1 -W 1 172.16.0.2
check "over both" wait_for 30 dc_has_both
