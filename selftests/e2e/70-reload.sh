# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A changed file is applied as a difference; a bad one changes nothing.

established_count() { gw_rows "show peers" "sum(r['established_count'] for r in rows)"; }
weights() { gw_rows "show groups" "' '.join(sorted({str(m['tunnel']) + '=' + str(m['weight']) for r in rows for m in r['members']}))"; }
weight_of_t2() { weights | grep -q "=$1\$\|t2=$1\|2=$1"; }

before=$(established_count)
gw_config | sed "s/hold-time: $site_hold/hold-time: $((site_hold + 3))/" > "$site_config"
check_match "a dry run names the sessions that a hold time would reset" \
	"reset session t1: bgp.hold-time changes.*reset session t2: bgp.hold-time changes" \
	"$(vgwctl reload --dry-run 2>&1 | tr '\n' ' ')"
gw_config > "$site_config"
traffic_start
check "the same file changes nothing" test "$(vgwctl -j reload | tr -d ' \n')" = "[]"
gw_config 3 > "$site_config"
check_match "a dry run says what would change" "t2" "$(vgwctl reload --dry-run 2>&1)"
check_not "and changes nothing" weight_of_t2 3
check_equal "it names no session" "" "$(vgwctl reload --dry-run 2>&1 | grep reset)"
check "a tunnel's weight is reloaded" vgwctl reload
check "the module's group has it" wait_for 10 weight_of_t2 3
sleep 0.5
traffic_stop
check_no_loss "the reload loses nothing"
check_equal "no session was reset by it" "$before" "$(established_count)"
sed 's/inside-address: 169.254.10.5/inside-address: 169.254.10.9/' "$site_config" > "$site_config.new"
cp "$site_config" "$site_config.good"
cp "$site_config.new" "$site_config"
check_not "a bad file is refused" vgwctl reload
check_match "with its line" "vgw.yaml:[0-9]+" "$(vgwctl check "$site_config" 2>&1)"
check "the gateway goes on" gw_settled
gw_config > "$site_config"
check "the old file again" vgwctl reload
check "the old weight again" wait_for 10 weight_of_t2 1

# Rule 20: the switch decides what is published, not what is learned.
not_published() { ! published "$1"; }
gw_config | sed 's/auto-advertise: true/auto-advertise: false/' > "$site_config"
check "auto-advertise is switched off" vgwctl reload
check "what was published goes" wait_for 10 not_published 172.16.0.0/24
check "the gateway still holds it" gw_next_hops_are 172.16.0.0/24 "t1 t2"
check "and the module forwards by it" \
	test "$(gw_rows "explain 172.16.0.2" "rows[0]['verdict']")" = tunnel
gw_config > "$site_config"
check "auto-advertise is switched on" vgwctl reload
check "it is published again" wait_for 10 published 172.16.0.0/24
check_equal "no session was reset by the switch" "$before" "$(established_count)"
