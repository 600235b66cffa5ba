# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Routes in both directions, none that goes back, and the quota.

published() { ip -n gw -4 route show "$1" dev vgw0 proto 118 | grep -q .; }
# Paths that FRR has for a learned prefix from the gateway.
came_back() { frr "show bgp ipv4 unicast json" | grep -c '"path": *"65001 65010\|"path":"65001 65010'; }
established_count() { gw_rows "show peers" "sum(r['established_count'] for r in rows)"; }

check "a learned route leads to both tunnels" wait_for 20 gw_next_hops_are 172.16.0.0/24 "t1 t2"
check "it is published in the system table" wait_for 5 published 172.16.0.0/24
check "the data center learns the gateway's network" wait_for 20 dc_has_route 10.1.0.0/24
check "over both tunnels" wait_for 20 dc_has_both
check "a client reaches the data center" wait_for 10 ip netns exec c-gw ping -c 1 -W 1 172.16.0.2
check "and the other way round" ip netns exec c-dc ping -c 1 -W 2 10.1.0.2
check_equal "no learned route goes back (D11)" 0 "$(came_back)"
check_not "the inside networks are not advertised" dc_has_route 169.254.10.0/30
check_match "explain names tunnel and prefix" "172.16.0.0/24" "$(vgwctl explain 172.16.0.2)"

# Rules 21 and 22: the system table, and nothing but the system table.
not_at_dc() { ! dc_has_route "$1"; }
ip -n gw route add 10.77.0.0/24 dev lan table 100
ip -n gw route add 10.78.0.0/24 dev lan
check "a route of the system table is advertised" wait_for 20 dc_has_route 10.78.0.0/24
check_not "one of a custom table is not" dc_has_route 10.77.0.0/24
check_equal "a custom table gets no learned route" "" \
	"$(ip -n gw route show table 100 | grep -v '^10.77.0.0/24')"
ip -n gw route del 10.78.0.0/24
check "it is withdrawn with the route" wait_for 20 not_at_dc 10.78.0.0/24
ip -n gw route del 10.77.0.0/24 table 100

# Rule 40: filtered, not answered with a reset.
default_verdicts()
{
	gw_rows "show routes" "' '.join(sorted({p['verdict'] for r in rows
		if r['prefix'] == '0.0.0.0/0' and r['class'] == 'dynamic' for p in r['paths']}))"
}
default_refused() { [ "$(default_verdicts)" = default-refused ]; }
before=$(established_count)
frr "configure terminal" "router bgp 65010" "address-family ipv4 unicast" \
	"neighbor gw default-originate" > /dev/null
check "a default route is refused by name" wait_for 20 default_refused
check_not "it is not published" published default
check_equal "the sessions stay" "$before" "$(established_count)"
frr "configure terminal" "router bgp 65010" "address-family ipv4 unicast" \
	"no neighbor gw default-originate" > /dev/null

before=$(established_count)
dc_announce 1 49
quota_used() { [ "$(gw_rows "show gateway" "rows[0]['quota_used']")" = "$1" ]; }
refused_are() { [ "$(gw_quota_refused)" = "$1" ]; }
check "50 prefixes are accepted" wait_for 20 quota_used 50
check_equal "none is refused" "" "$(gw_quota_refused || true)"
dc_announce 50 50
check "the 51st is refused and listed" wait_for 15 refused_are 172.16.50.0/24
check "the 50 stay" quota_used 50
check_not "the refused one is not published" published 172.16.50.0/24
dc_withdraw 7 7
check "it enters when one is withdrawn" wait_for 15 gw_next_hops_are 172.16.50.0/24 "t1 t2"
check_not "the withdrawn one is gone from the system table" published 172.16.7.0/24
check_equal "no session was reset" "$before" "$(established_count)"
check_equal "no learned route goes back with 50 of them" 0 "$(came_back)"
dc_withdraw 10 50
check "withdrawals arrive" wait_for 15 quota_used 9
