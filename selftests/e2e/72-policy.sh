# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Policy routes of the configuration reach the module, come before what was learned,
# and survive the agent.

decided_by() { gw_rows "explain 172.16.0.2 from $1" "[c['class'] for c in rows[0]['candidates'] if c['result'] == 'selected'][0]"; }
leaves_by() { gw_rows "explain 172.16.0.2 from $1" "rows[0]['tunnel']"; }
policies() { gw_rows "show routes" "sum(r['class'] == 'policy' for r in rows)"; }
policies_in_use() { [ "$(gw_rows "show routes" "sum(r['class'] == 'policy' and r['effective'] for r in rows)")" = "$1" ]; }
decided_by_policy() { [ "$(decided_by 10.1.0.2)" = policy ]; }

{
	gw_config
	cat <<-END
	policy-routes:
	  - { source: 10.1.0.0/28, destination: 172.16.0.0/24, tunnel: t2 }
	  - { source: 10.1.0.0/28, destination: 172.16.0.0/24, tunnel: t1, weight: 0 }
	  - { source: 10.1.0.2/32, destination: 172.16.0.0/12, tunnel: t1, priority: 200 }
	END
} > "$site_config"
traffic_start
check_match "a dry run names them" "policy-route 172.16.0.0/24 from 10.1.0.0/28 via t2" \
	"$(vgwctl reload --dry-run 2>&1)"
check "policy routes are reloaded" vgwctl reload
check "they are in use" wait_for 10 policies_in_use 2
check "the first decides" wait_for 10 decided_by_policy
check_equal "for its active tunnel" "t2" "$(leaves_by 10.1.0.2)"
check_equal "other sources take what was learned" "dynamic" "$(decided_by 10.1.0.99)"
check_match "explain tells it in words" "policy route of priority 100, number 1" \
	"$(vgwctl explain 172.16.0.2 from 10.1.0.2)"
gw_stop
check_match "without the agent the module tells the same" "10.1.0.0/28" \
	"$(vgwctl explain 172.16.0.2 from 10.1.0.2 2> /dev/null)"
check_equal "and lists them" 2 "$(policies 2> /dev/null)"
check "the agent comes back" gw_start
check "with everything" wait_for 60 gw_settled
check "the policy routes are still there" wait_for 10 decided_by_policy
gw_config > "$site_config"
check "they are taken away" vgwctl reload
check "and gone" wait_for 10 policies_in_use 0
traffic_stop
check_no_loss "none of this lost a packet"
