# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The agent is killed and started again: the kernel forwards, the peer waits.

routes_of_vgw() { ip -n gw -4 route show proto 118 | sort; }

before=$(routes_of_vgw)
spis=$(outbound_spis 1; outbound_spis 2)
ip -n gw -ts monitor route > "$site_run/monitor.txt" 2>&1 &
monitor=$!
traffic_start
sleep 0.5
check "the agent is killed" gw_kill9
sleep 1
check_equal "its routes stay while it is dead" "$before" "$(routes_of_vgw)"
check "the data center keeps its route" dc_has_both
check "the agent starts again" gw_start
check "both sessions come back" wait_for 30 gw_peers_up 2
gateway_running() { [ "$(gw_rows "show gateway" "rows[0]['state']")" = running ]; }
check "the restart is over" wait_for 30 gateway_running
sleep 1
traffic_stop
kill "$monitor"
wait "$monitor" 2> /dev/null
check_no_loss "kill -9 and a new start lose nothing"
check_equal "the system table is as before" "$before" "$(routes_of_vgw)"
check_equal "no learned route was taken away meanwhile" "" \
	"$(grep -E 'Deleted 172\.16\.[0-9.]+/24 dev vgw0' "$site_run/monitor.txt")"
check_equal "the SAs are the same" "$spis" "$(outbound_spis 1; outbound_spis 2)"
check "both next hops are there" wait_for 10 gw_next_hops_are 172.16.0.0/24 "t1 t2"
