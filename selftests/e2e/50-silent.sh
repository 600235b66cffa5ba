# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A peer falls silent without a word: only its hold time can tell. The cost is printed.

traffic_start 64 200
peer_silent 2
began=$SECONDS
check "the session over t2 ends by its hold time" wait_for $((site_hold + 6)) gw_next_hops_are 172.16.0.0/24 t1
noticed=$((SECONDS - began))
sleep 1
traffic_stop
ktap_note "silent peer: $(traffic lost) of $(traffic sent) packets lost, noticed after $noticed s (hold time $site_hold s)"
check "about half of the flows went on all the time" test "$(traffic lost)" -lt "$(($(traffic sent) * 8 / 10))"
traffic_start
sleep 1
traffic_stop
check_no_loss "the other tunnel carries everything"
check "the silence ends" peer_talks 2
check "the tunnel is used again" wait_for 60 gw_next_hops_are 172.16.0.0/24 "t1 t2"
check "in both directions" wait_for 30 dc_has_both
