# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# No descriptors, a full disk for the log, a clock that jumps, no memory: the agent lives.

# Descriptors: none is left, and they come back.
before=$(established_count)
# Those that are open stay, a new one finds no number.
prlimit --pid "$(gw_pid)" --nofile=3:1024
check_not "without descriptors nobody gets an answer" vgwctl -t 1 show gateway
sleep 1
check "but it lives" gw_alive
prlimit --pid "$(gw_pid)" --nofile=1024:1024
check "and answers as soon as there are some" wait_for 10 vgwctl show gateway
check_state "with the state of before" "$fresh"

# The clock: a day on, two days back.
date -s '+1 day' > /dev/null
sleep 1
check "a day later everything is up" settled
date -s '-2 days' > /dev/null
sleep 1
check "two days earlier, too" settled
date -s '+1 day' > /dev/null
check_equal "no session was lost by any of it" "$before" "$(established_count)"
check_equal "nothing is told to be older or younger than it is" "" \
	"$(gw_rows "show peers" "''.join(r['tunnel'] for r in rows if not 0 <= r['since_ms'] < 3600000)" || true)"

# A log that takes nothing.
gw_stop
ip netns exec gw "$site_programs/vgwd" -c "$site_config" -l debug > /dev/full 2>&1 &
echo $! > "$site_run/vgwd.pid"
disown
check "it starts with a full disk below its log" wait_for 20 vgwctl show gateway
check_state "and gets to the same state" "$fresh"

# No memory: every so many allocations fail, while peers say all they know again.
gw_stop
check "the agent starts with failing allocations at hand" \
	gw_start_with VGW_FAULTS="$faults" LD_PRELOAD="$PWD/$faults_lib"
check_state "without faults all is as usual" "$fresh"
for period in 200 37 11; do
	fault_set 1 $period
	frr "clear bgp ipv4 unicast *" > /dev/null
	dc_announce 21 40
	sleep 2
	dc_withdraw 21 40
	vgwctl -t 2 show routes > /dev/null 2>&1
	sleep 1
	fault_set 1 0
	check "it lives after each ${period}th allocation failed" gw_alive
done
ktap_note "allocations that failed: $(fault_get 2)"
check "allocations really failed" test "$(fault_get 2)" -gt 0
check "it says what it lost" grep -qi 'memory' "$site_run/vgwd.log"
vgwctl reload > /dev/null 2>&1
frr "clear bgp ipv4 unicast *" > /dev/null
check_state "with memory again and one more session all is as it was" "$fresh"
gw_stop
check "a usual start" gw_start
check_state "and the same state" "$fresh"
