# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Health checks (rules 28, 30 and 56): the far end stops answering while its SA and its BGP stay.
# t1 asks over IPv4, t2 over IPv6. And the timeline, which tells what led to what.

health_interval=1
health_retries=2

health_config()
{
	local section="interval: $health_interval, retries: $health_retries, recover: 2"
	gw_config | sed "s|^        weight: 1\$|&\n        health-check: { $section }|" |
		sed "/name: t2/,\$ s|health-check: { |&source: 'fd00:10::5', destination: 'fd00:10::6', |"
	cat <<-END
	static-routes:
	  - { prefix: 172.20.0.0/24, tunnel: t1 }
	  - { prefix: 172.20.0.0/24, tunnel: t2, weight: 0 }
	  - { prefix: 172.20.1.0/24, tunnel: t2, on-fail: reserve }
	  - { prefix: 172.20.2.0/24, tunnel: t2 }
	END
}

# The far end hears no ping in tunnel N any more.
dc_deaf()
{
	in_ns dc nft -f - <<-END
	table inet deaf$1 {
		chain in { type filter hook input priority 0; iifname ipsec$1 icmp type echo-request drop; iifname ipsec$1 icmpv6 type echo-request drop; }
	}
	END
}
dc_hears() { in_ns dc nft delete table inet "deaf$1"; }
health_is() { [ "$(gw_rows "show tunnels" "[r['health']['state'] for r in rows if r['name'] == 't$1'][0]")" = "$2" ]; }
both_healthy() { health_is 1 good && health_is 2 good; }
way_of() { gw_rows "explain $1" "rows[0]['tunnel'] or rows[0]['verdict']"; }
way_is() { [ "$(way_of "$1")" = "$2" ]; }
why_route() # prefix: of its dead next hops
{
	gw_rows "show routes" "[h['why'] for r in rows if r['prefix'] == '$1' for h in r['next_hops'] if not h['live']][0]"
}
timeline_of() { gw_rows "show timeline" "' '.join(e['what'] for e in rows if e['cause'] == max(x['cause'] or 0 for x in rows if x['object'] == '$1'))"; }

ip -n gw address add fd00:10::5/126 dev ipsec2
ip -n dc address add fd00:10::6/126 dev ipsec2
before=$(gw_rows "show peers" "sum(r['established_count'] for r in rows)")
health_config > "$site_config"
check "health checks are switched on by a reload" vgwctl reload
check "both far ends answer" wait_for 10 both_healthy
check "the active route is used" wait_for 5 way_is 172.20.0.2 t1
vgwctl -j monitor > "$site_run/monitor.json" 2> /dev/null &
monitor=$!
wait_for 5 test -e "$site_run/monitor.json"

traffic_start
began=$SECONDS
dc_deaf 1
check "a far end that does not answer fails the check" wait_for 10 health_is 1 failed
ktap_note "noticed after $((SECONDS - began)) s ($health_retries x $health_interval s)"
check_equal "while its SA is there" 0 "$(has_sa 1; echo $?)"
check_equal "the tunnel counts as down (rule 30)" "down" "$(gw_tunnel_state 1)"
check "the standby carries the static route (rule 28)" wait_for 5 way_is 172.20.0.2 t2
check_match "the route says why" "in a row from 169.254.10.1 to 169.254.10.2 without an answer" \
	"$(why_route 172.20.0.0/24)"
check_equal "BGP is another matter" "$before" "$(gw_rows "show peers" "sum(r['established_count'] for r in rows)")"
dc_hears 1
check "it answers again" wait_for 10 health_is 1 good
check "and the route is back" wait_for 5 way_is 172.20.0.2 t1
traffic_stop
check_no_loss "learned routes lost nothing by it"
seen=$(timeline_of t1)
check_match "the timeline tells the chain" " groups-changed " "$seen"
check_equal "in its order" "health-failed tunnel-down failover health-good tunnel-up restored" \
	"${seen// groups-changed/}"

dc_deaf 2
check "the same over IPv6" wait_for 10 health_is 2 failed
check "on-fail reserve keeps the packets (rule 56)" wait_for 5 way_is 172.20.1.2 reserved
check_equal "on-fail revoke gives them to others, here there are none" dead "$(way_of 172.20.2.2)"
check_match "explain says why" "tunnel t2 is dead: [0-9]+ probes in a row from fd00:10::5" \
	"$(vgwctl explain 172.20.1.2)"
dc_hears 2
check "it answers again, too" wait_for 10 health_is 2 good
check "all is as before" wait_for 5 way_is 172.20.1.2 t2

monitored() { grep -c "\"object\": *\"$1\".*$2" "$site_run/monitor.json"; }
check "the monitor told it all" test "$(monitored t1 restored)" = 1 -a "$(monitored t2 restored)" = 1
check "and the log" grep -q 'timeline: event [0-9]*: t1 restored: after' "$site_run/vgwd.log"
kill "$monitor"
gw_config > "$site_config"
check "health checks are switched off by a reload" vgwctl reload
ip -n gw address del fd00:10::5/126 dev ipsec2
ip -n dc address del fd00:10::6/126 dev ipsec2
