# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A private line to the data center beside the tunnels: it carries the traffic while it is
# good, the tunnels take over when it fails and give back, and the agent may die in between.

line_config()
{
	gw_config
	cat <<-END
	private-lines:
	  - name: leased
	    site: dc
	    interface: pl0
	    local-address: 10.255.0.1
	    peer-address: 10.255.0.2
	    preference: ${1:-line}
	    bgp: { hold-time: $site_hold, keepalive: 3, connect-retry: 1 }
	END
}

dc_line()
{
	frr "configure terminal" "route-map leased permit 10" "set local-preference 200" "exit" \
		"router bgp 65010" "neighbor 10.255.0.1 remote-as 65001" \
		"neighbor 10.255.0.1 timers 3 $site_hold" "neighbor 10.255.0.1 timers connect 1" \
		"neighbor 10.255.0.1 advertisement-interval 0" "address-family ipv4 unicast" \
		"neighbor 10.255.0.1 activate" "neighbor 10.255.0.1 route-map leased in" > /dev/null
}
dc_line_command() { frr "configure terminal" "router bgp 65010" "${1}neighbor 10.255.0.1 ${2:-}" > /dev/null; }

way_to_dc() { ip -n gw route get 172.16.0.2 | sed -n 's/.* dev \([^ ]*\) .*/\1/p'; }
way_is() { [ "$(way_to_dc)" = "$1" ]; }
dc_way_is() { dc_kernel_route 10.1.0.0/24 | grep -q "dev $1"; }
line_sent() { ip netns exec gw cat /sys/class/net/pl0/statistics/tx_packets; }
# By its number: the name is known where vgw is installed.
line_routes() { ip -n gw -4 route show proto 118 dev pl0; }
line_up() { ip -n dc link set pl0 up && ip -n gw link set pl0 up; }

site_link gw pl0 10.255.0.1/30 dc pl0 10.255.0.2/30
in_ns dc sysctl -qw net.ipv4.conf.pl0.rp_filter=0
check "FRR gets a neighbor on the line" dc_line
sessions=$(gw_rows "show peers" "sum(r['established_count'] for r in rows)")
traffic_start
line_config > "$site_config"
check_match "a dry run names the line" "private-line leased" "$(vgwctl reload --dry-run 2>&1)"
check "the line is added by a reload" vgwctl reload
check "traffic goes over the line" wait_for 30 way_is pl0
check "and comes back over it" wait_for 30 dc_way_is pl0
sleep 1
traffic_stop
check_no_loss "the change to the line loses nothing"
check_match "the route is vgw's, by the peer" "172.16.0.0/24 via 10.255.0.2 .*metric 10000" "$(line_routes)"
check "the tunnels' route stands by" gw_next_hops_are 172.16.0.0/24 "t1 t2"
check_equal "show routes: the line is in use, the tunnels are not" "[('line', True), ('dynamic', False)]" \
	"$(gw_rows "show routes 172.16.0.0/24" "[(r['class'], r['effective']) for r in rows]")"
check_match "explain names the line" "private line leased carries it" "$(vgwctl explain 172.16.0.2)"
check_match "show peers lists it" "leased" "$(vgwctl show peers)"
check_equal "no session over a tunnel was touched" "$sessions" \
	"$(gw_rows "show peers" "sum(r['established_count'] for r in rows if r['tunnel'])")"
check_equal "what the line taught goes to nobody (D11)" "" \
	"$(frr "show bgp ipv4 unicast neighbors $(gw_inside 1) routes" | grep 172.16)"

# The agent dies and comes back: the line's routes stay and are taken over as they are.
ip netns exec gw ip -4 monitor route > "$site_run/line-monitor.log" 2>&1 &
monitor_pid=$!
before=$(line_sent)
traffic_start
check "the agent is killed" gw_kill9
check "the line still carries" way_is pl0
check "the agent starts again" gw_start
check "all three sessions come back" wait_for 30 gw_peers_up 3
line_gateway_runs() { [ "$(gw_rows "show gateway" "rows[0]['state']")" = running ]; }
check "the restart is over" wait_for 30 line_gateway_runs
traffic_stop
kill "$monitor_pid"
check_no_loss "kill -9 of the agent loses nothing on the line"
check "the line carried it" test "$(($(line_sent) - before))" -gt "$(traffic sent)"
check_equal "no route over the line was touched" 0 "$(grep -c 'dev pl0.*proto' "$site_run/line-monitor.log")"

# Planned: the far end shuts the session. The line still works, so nothing is lost.
traffic_start
check "FRR shuts the session" dc_line_command "" shutdown
check "the tunnels take over" wait_for 15 way_is vgw0
check_equal "no route over the line is left" "" "$(line_routes)"
sleep 1
check "FRR opens it again" dc_line_command "no " shutdown
check "the line takes back" wait_for 30 way_is pl0
check "in both directions" wait_for 30 dc_way_is pl0
sleep 1
traffic_stop
check_no_loss "over to the tunnels and back without a loss"

# Not planned: the far end's device goes down. What is under way when it breaks is lost.
traffic_start 64 200
ip -n dc link set pl0 down
check "the broken line is left" wait_for 15 way_is vgw0
check "by the data center too" wait_for 15 dc_has_both
sleep 1
traffic_stop
ktap_note "line broken: $(traffic forward_lost) there and $(traffic back_lost) back of $(traffic sent) packets lost, longest gap $(traffic gap_ms) ms"
check "the tunnels carried the rest ($(traffic lost) lost)" test "$(traffic lost)" -lt 100
check "the reason is told" grep -q 'leased: the private line failed: its interface does not run' "$site_run/vgwd.log"
traffic_start
check "the line is repaired" line_up
check "it takes back" wait_for 30 way_is pl0
check "in both directions again" wait_for 30 dc_way_is pl0
sleep 1
traffic_stop
check_no_loss "the repaired line takes back without a loss"

# Behind the tunnels, then gone.
line_config tunnels > "$site_config"
traffic_start
check "the tunnels are preferred by a reload" vgwctl reload
check "they carry" wait_for 10 way_is vgw0
check_match "the line stands by" "172.16.0.0/24 via 10.255.0.2 .*metric 30000" "$(line_routes)"
gw_config > "$site_config"
check "the line is removed by a reload" vgwctl reload
line_routes_gone() { [ -z "$(line_routes)" ]; }
check "its routes go" wait_for 10 line_routes_gone
check "two peers are left" wait_for 10 gw_peers_up 2
traffic_stop
check_no_loss "none of this lost a packet"
dc_line_command "no "
ip -n gw link delete pl0
check "the data center uses the tunnels" wait_for 20 dc_has_both
