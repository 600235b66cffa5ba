#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each allocation of each command fails in turn, and of the creation of a gateway
# (see the head of 'fault'). Not part of the suite, for it needs a kernel with
# fault injection: scripts/check-debug.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/lib/leaks.sh
. "$vgw_top/selftests/lib/leaks.sh"

vgw_begin
# Namespaces do not see it.
for kind in failslab fail_page_alloc; do
	if [ -e /sys/kernel/debug/$kind ]; then
		echo N > /sys/kernel/debug/$kind/ignore-gfp-wait
		echo 0 > /sys/kernel/debug/$kind/verbose
	fi
done
if [ -e /sys/kernel/debug/fail_page_alloc ]; then
	echo 0 > /sys/kernel/debug/fail_page_alloc/min-order
fi
topo_make dc
tunnel_make dc 1
ip -n "$gw" link add vgw0 type vgw
ip -n "$gw" link set vgw0 up
in_ns "$gw" "$(dirname "$0")/fault" "$(ifindex_of "$gw" vgw0)" "$(ifindex_of "$gw" ipsec1)" \
	> "$vgw_tmp/seen" 2>&1
status=$?
cat "$vgw_tmp/seen"
if [ $status = 4 ]; then
	ktap_skip "each allocation fails in turn" "no fault injection"
	exit
fi
grep -E '^[a-z-]+: ' "$vgw_tmp/seen" > "$vgw_tmp/results"
while read -r name result; do
	check_match "each allocation of ${name%:} fails in turn (${result#ok })" "^ok " "$result"
done < "$vgw_tmp/results"
check_equal "to the end" 0 $status
netns_remove_all
vgw_unload
if [ -e /sys/kernel/debug/kmemleak ]; then
	check_not "nothing leaked" leaks_of vgw
fi
if [ -e /proc/lockdep_stats ]; then
	check "lockdep is awake to the end" grep -qE 'debug_locks: *1$' /proc/lockdep_stats
fi
