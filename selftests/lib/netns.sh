# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Network namespaces that go away with the test, and waiting without sleeping
# longer than needed. Sourced.

netns_all=()

# variable...: makes a namespace for each, with its name in the variable and lo up.
netns_make()
{
	local variable name
	for variable; do
		name=$variable-$$
		ip netns add "$name"
		ip -n "$name" link set lo up
		netns_all+=("$name")
		printf -v "$variable" %s "$name"
	done
}

# Ends what runs in the namespace and removes it.
netns_remove()
{
	local pids
	pids=$(ip netns pids "$1" 2> /dev/null) || return 0
	# shellcheck disable=SC2086 # a list
	[ -z "$pids" ] || kill -KILL $pids 2> /dev/null
	ip netns del "$1"
}

netns_remove_all()
{
	local name
	for name in "${netns_all[@]}"; do
		netns_remove "$name"
	done
	netns_all=()
}

# seconds, command...: until the command succeeds.
wait_for()
{
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# namespace, command...
in_ns()
{
	local name=$1
	shift
	ip netns exec "$name" "$@"
}
