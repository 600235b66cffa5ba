# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the kernel's search for leaks holds against a module. Sourced.

# module: the leaks that it has part in; fails if there is none. Some minutes. Once the module
# is unloaded its name is gone from the traces, and what is left are bare addresses of modules.
leaks_of()
{
	local found
	[ -e /sys/kernel/debug/kmemleak ] || return 1
	# An object counts once it is some seconds old, and its sum the same in two scans.
	sleep 6
	echo scan > /sys/kernel/debug/kmemleak
	echo scan > /sys/kernel/debug/kmemleak
	found=$(awk -v module="$1" '
		function tell() { if (ours) printf "%s", object }
		/^unreferenced object/ { tell(); object = ""; ours = 0 }
		{ object = object $0 "\n" }
		index($0, "[" module "]") || / 0xffffffff[0-9a-f]*$/ { ours = 1 }
		END { tell() }' /sys/kernel/debug/kmemleak)
	[ -n "$found" ] && echo "$found"
}
