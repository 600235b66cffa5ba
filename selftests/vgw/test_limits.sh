#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that a request takes is charged to who made it, so that a control group
# bounds what the root of a namespace of his own can take.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc
tunnel_make dc 1
gateway_make
tunnel_join 1 1
group_set 1 1
gset gateway-set '"quota": 0'

cgroup=$vgw_tmp/cgroup
mkdir "$cgroup"
trap 'rmdir "$cgroup/vgw"; umount "$cgroup"; vgw_end' EXIT
if ! mount -t cgroup2 none "$cgroup" || ! echo +memory > "$cgroup/cgroup.subtree_control"; then
	ktap_skip "memory is charged" "no memory controller in the unified hierarchy"
	exit
fi
mkdir "$cgroup/vgw"

charged() # operation, JSON: a request by a process in the control group
{
	(
		echo $BASHPID > "$cgroup/vgw/cgroup.procs"
		exec ip netns exec "$gw" "$ynl" "$1" - <<< "$2"
	)
}

request() # group or nothing, number of prefixes (thousands): all far from each other
{
	local i between=
	printf '{"gateway": %s, "route": [' "$vgw_ifindex"
	for ((i = 0; i < $2 * 1000; i++)); do
		# An attribute holds 8191 of them.
		if [ $((i % 4000)) = 0 ]; then
			printf '%s{"class": "static", %s "prefix4": [' "$between" "$1"
			between=
		fi
		printf '%s"%d.%d.%d.1/32"' "$between" $((11 + i / 8192)) $((i / 32 % 256)) $((i % 32 * 8))
		between=', '
		[ $((i % 4000)) != 3999 ] || between=']}, '
	done
	printf ']}]}'
}

memory() { field memory "$(gset gateway-get)"; }
current() { cat "$cgroup/vgw/memory.current"; }
grown_by() { [ $(($(current) - before)) -ge "$1" ]; }
at_most() { [ $(($(current) - before)) -le "$1" ]; }

# What the client itself leaves behind is there afterwards: the files that it read.
charged route-add "$(request '"group": 1,' 2)"
charged route-del "$(request '' 2)"
empty=$(memory)
before=$(current)
check_equal "many routes" "" "$(charged route-add "$(request '"group": 1,' 12)" 2>&1)"
taken=$(($(memory) - empty))
check "that is some memory ($taken bytes)" [ $taken -gt 600000 ]
check "which the control group is charged for" wait_for 5 grown_by $((taken * 9 / 10))
ktap_note "charged: $(($(current) - before))"
check_equal "all of them go" "" "$(charged route-del "$(request '' 12)" 2>&1)"
check "and their charge does" wait_for 10 at_most $((taken / 4))
