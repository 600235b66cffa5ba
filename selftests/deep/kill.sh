# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# kill -9 at random moments, also while the agent starts, under traffic both ways.

kills=${KILLS:-30}
pause() { sleep "$((RANDOM % ($1 / 1000))).$(printf '%03d' $((RANDOM % 1000)))"; }

ip -n gw -ts monitor route > "$site_run/monitor.txt" 2>&1 &
monitor=$!
traffic_start 64 200
done_kills=0
begin=$SECONDS
for ((n = 0; n < kills; n++)); do
	# A third of the lives gets through its restart, the others die on the way.
	if ((n % 3 == 2)); then
		wait_for 60 settled || break
	else
		pause 3000
	fi
	kill -KILL "$(gw_pid)" && wait_for 5 gw_gone "$(gw_pid)" || break
	done_kills=$((done_kills + 1))
	((n % 2)) || sleep "0.$((RANDOM % 10))"
	gw_start || break
	((done_kills % 10)) || ktap_note "$done_kills kills in $((SECONDS - begin)) s"
done
seconds=$((SECONDS - begin))
check_equal "the agent was killed $kills times" "$kills" "$done_kills"
check_state "the state is that of a fresh start" "$fresh"
traffic_stop
kill "$monitor"
wait "$monitor" 2> /dev/null
ktap_note "$kills kills in $seconds s: $(traffic sent) packets sent, lost $(traffic forward_lost) there, $(traffic back_lost) back, longest gap $(traffic gap_ms) ms"
check_equal "no packet was lost" 0 "$(traffic lost)"
check_equal "no learned route was taken away" "" "$(grep 'Deleted 172\.16\.[0-9.]*/24 dev vgw0' "$site_run/monitor.txt")"
