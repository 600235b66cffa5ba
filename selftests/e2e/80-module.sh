# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The module is removed under traffic and comes back: nothing leaks, all is installed again.

module_state() { [ "$(gw_rows "show gateway" "rows[0]['module']")" = "$1" ]; }
bound() { [ "$(gw_rows "show gateway" "rows[0]['state']")" = running ] && [ -n "$(ip -n gw -4 route show dev vgw0)" ]; }

capture_start
traffic_start 16 100
check "the module is removed under traffic" gw_module_unload
check "the agent says so" wait_for 10 module_state absent
check "the guard route is still there" \
	test -n "$(ip -n gw -4 route show 172.16.0.0/12 type unreachable)"
sleep 1
check "the sessions go on" gw_peers_up 2
gw_module_load
check "the module is noticed again" wait_for 15 module_state present
check "everything is installed again" wait_for 15 gw_next_hops_are 172.16.0.0/24 "t1 t2"
check "and published again" wait_for 15 bound
check "a client reaches the data center again" wait_for 15 ip netns exec c-gw ping -c 1 -W 1 172.16.0.2
traffic_stop
capture_stop
check_equal "no packet left in clear text" 0 "$capture_clear"
ktap_note "rmmod and insmod: $(traffic lost) of $(traffic sent) packets lost, none in clear text"
traffic_start
sleep 1
traffic_stop
check_no_loss "afterwards nothing is lost"
