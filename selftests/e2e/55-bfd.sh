# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# BFD with FRR's bfdd inside the tunnels: the same silent peer costs the detection time instead of
# the hold time, and neither the agent's death nor a reload is taken for a failure.

# shellcheck source=selftests/lib/bfd.sh
. selftests/lib/bfd.sh

# FRR's own count of the sessions' failures.
dc_bfd_downs()
{
	frr "show bfd peers counters json" | python3 -c '
import json, sys
print(sum(peer["session-down"] for peer in json.load(sys.stdin)))'
}
gw_established() { gw_rows "show peers" "sum(r['established_count'] for r in rows)"; }

before=$(gw_established)
check "vgw-bfd starts" bfd_start
check "FRR's bfdd starts" dc_bfd_start
bfd_config > "$site_config"
check "BFD is switched on by a reload" vgwctl reload
check "BFD is up in both tunnels" wait_for 30 gw_bfd_up
check_equal "no BGP session was reset by it" "$before" "$(gw_established)"

traffic_start 64 200
since=$(date +%s%3N)
peer_silent 2
check "the silent path is left" wait_for $((site_hold + 6)) gw_next_hops_are 172.16.0.0/24 t1
sleep 1
traffic_stop
failed=$(grep 't2: BFD: the path failed' "$site_run/vgwd.log" | tail -n 1)
noticed=$(($(date -d "${failed%% *}" +%s%3N) - since))
ktap_note "silent peer with BFD $bfd_multiplier x $bfd_every ms, noticed after $noticed ms: $(traffic forward_lost) there and $(traffic back_lost) back of $(traffic sent) packets lost"
check "the reason is told" test -n "$failed"
check "before the hold time could tell ($noticed ms)" test "$noticed" -lt $(((site_hold - 3) * 1000))
traffic_start
sleep 1
traffic_stop
check_no_loss "the other tunnel carries everything"
check "the silence ends" peer_talks 2
check "the tunnel is used again" wait_for 60 gw_next_hops_are 172.16.0.0/24 "t1 t2"
check "in both directions" wait_for 30 dc_has_both
check "BFD is up again" wait_for 30 gw_bfd_up

downs=$(dc_bfd_downs)
traffic_start
check "the agent is killed" gw_kill9
sleep 2
check "the agent starts again" gw_start
check "both sessions come back" wait_for 30 gw_peers_up 2
check "BFD is known to be up" wait_for 10 gw_bfd_up
bfd_gateway_runs() { [ "$(gw_rows "show gateway" "rows[0]['state']")" = running ]; }
check "the restart is over" wait_for 30 bfd_gateway_runs
traffic_stop
check_no_loss "kill -9 of the agent loses nothing with BFD on"
check_equal "FRR saw no path fail" "$downs" "$(dc_bfd_downs)"

before=$(gw_established)
gw_config > "$site_config"
check "BFD is switched off by a reload" vgwctl reload
frr "configure terminal" "router bgp 65010" "no neighbor gw bfd" > "$site_run/dc-bfd.out"
check "vgw-bfd ends" bfd_stop
check_equal "no BGP session was reset by it" "$before" "$(gw_established)"
