# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# One BGP session of ours (bgp_peer) with another implementation, each in a
# network namespace of its own. Sourced by bgp-frr.sh and bgp-bird.sh.
#
# The other daemon comes from the private root (build/root, or INTEROP_ROOT).
# Everything runs in a namespace of processes and mounts that ends with the
# script. Without root, or without the daemon: exit status 4 (skip).

interop_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=selftests/lib/ktap.sh
. "$interop_top/selftests/lib/ktap.sh"
# shellcheck source=selftests/lib/netns.sh
. "$interop_top/selftests/lib/netns.sh"

interop_root=${INTEROP_ROOT:-$interop_top/build/root}
interop_peer=${BGP_PEER:-$interop_top/build/tests/bgp_peer}

# The session: ours first. AS numbers of four octets on our side.
our_as=4200000001 their_as=65010
our_addr=10.99.0.1 their_addr=10.99.0.2
our_addr6=fd00:99::1 their_addr6=fd00:99::2
# shellcheck disable=SC2034 # used by the scripts
secret=not-a-good-secret

# daemon (path in the root): runs the script again, isolated.
interop_isolate()
{
	[ -z "${INTEROP_INSIDE:-}" ] || return 0
	[ "$(id -u)" = 0 ] || ktap_skip_all "not root"
	[ -x "$interop_root$1" ] || ktap_skip_all "no $1 in $interop_root"
	[ -x "$interop_peer" ] || ktap_skip_all "no $interop_peer, build the agent's tests first"
	INTEROP_INSIDE=1 exec unshare --net --pid --fork --kill-child --mount-proc "$0"
}

interop_setup()
{
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mount -t proc proc "$interop_root/proc"
	mount -t tmpfs tmpfs "$interop_root/run"
	mount -t tmpfs tmpfs "$interop_root/tmp"
	unshare --net sleep infinity &
	their_pid=$!
	# The namespace is there as soon as it differs from ours.
	wait_for 5 namespaces_differ || exit 1
	ip link add v0 type veth peer name v1
	ip link set v1 netns "$their_pid"
	ip link set lo up
	ip address add $our_addr/30 dev v0
	ip address add $our_addr6/126 dev v0 nodad
	ip link set v0 up
	theirs ip link set lo up
	theirs ip address add $their_addr/30 dev v1
	theirs ip address add $their_addr6/126 dev v1 nodad
	theirs ip link set v1 up
}

namespaces_differ()
{
	[ "$(readlink "/proc/$their_pid/ns/net")" != "$(readlink /proc/$$/ns/net)" ]
}

# command...: in the other network namespace.
theirs()
{
	nsenter --net="/proc/$their_pid/ns/net" "$@"
}

# command...: there, and in the private root.
theirs_root()
{
	theirs chroot "$interop_root" "$@"
}

# ---- our speaker ------------------------------------------------------------

# options...
peer_start()
{
	rm -f "$work/in"
	mkfifo "$work/in"
	: > "$work/out"
	"$interop_peer" --local $our_addr --peer $their_addr --local-as $our_as \
		--peer-as $their_as --id 10.99.0.1 --next-hop6 $our_addr6 "$@" \
		< "$work/in" >> "$work/out" 2>> "$work/err" &
	peer_pid=$!
	exec 8> "$work/in"
}

# command line...
peer_say()
{
	echo "$*" >&8
}

peer_end()
{
	exec 8>&-
	wait "$peer_pid"
}

# seconds, extended regular expression: a line of our speaker.
peer_says()
{
	wait_for "$1" grep -qE "$2" "$work/out" && return
	tail -n 20 "$work/out" "$work/err"
	return 1
}

peer_forget()
{
	: > "$work/out"
}

# ---- the other daemon -------------------------------------------------------

# command...: started in the other namespace and the private root; its output is in a file.
other_start()
{
	# It must not keep our speaker's commands open.
	nsenter --net="/proc/$their_pid/ns/net" chroot "$interop_root" "$@" \
		> "$work/other" 2>&1 8>&- &
	other_pid=$!
}

other_stop()
{
	kill "$other_pid"
	wait "$other_pid"
}
