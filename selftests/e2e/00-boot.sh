# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Boot order: the agent first, then the module, then strongSwan.

guard_route() { ip -n gw -4 route show 172.16.0.0/12 type unreachable | grep -q 'metric 4294967295'; }
module_state() { [ "$(gw_rows "show gateway" "rows[0]['module']")" = "$1" ]; }

check "the agent starts without module and strongSwan" gw_start
[ $ktap_failed = 0 ] || give_up
check "it says that the module is absent" wait_for 5 module_state absent
check "the guard route is there before anything else" wait_for 2 guard_route
check_not "no tunnel is up" gw_tunnels_up 2
check "the module is loaded" gw_module_load
[ $ktap_failed = 0 ] || give_up
check "the module is noticed" wait_for 10 module_state present
check "the gateway's device is made" wait_for 10 ip -n gw link show vgw0 type vgw
check_equal "no learned route yet" 0 "$(gw_installed)"
charon_start gw
check "IKE brings both tunnels up" wait_for 40 gw_tunnels_up 2
check "BGP brings both sessions up" wait_for 30 gw_peers_up 2
[ $ktap_failed = 0 ] || give_up
check_equal "every reported tunnel error is gone" "" \
	"$(gw_rows "show tunnels" "''.join(r['error'] or '' for r in rows)" || true)"
