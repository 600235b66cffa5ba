#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vgw-bfd with FRR's bfdd, single hop: up, timers of both sides, changed timers,
# a silent path in one direction, switched off at either end, the agent's death.
set -u

# shellcheck source=selftests/interop/bgp-lib.sh
. "$(dirname "$0")/bgp-lib.sh"
interop_peer=${BFD_PEER:-$interop_top/build/tests/bfd_peer}
daemon=${VGW_BFD:-$interop_top/build/vgw-bfd}
[ -n "${INTEROP_INSIDE:-}" ] || [ -x "$daemon" ] || ktap_skip_all "no $daemon, 'make agent' builds it"
interop_isolate /usr/lib/frr/bfdd

# daemon...: vtysh of it.
frr()
{
	local args=() command which=$1
	shift
	for command; do
		args+=(-c "$command")
	done
	theirs_root /usr/bin/vtysh -d "$which" --vty_socket /run/frr "${args[@]}"
}

# Fails when they do not answer. bfdd knows no interface without zebra.
frr_start()
{
	mkdir -p "$interop_root/run/frr"
	# They give up root, and vtysh's group has no member but this.
	theirs_root chown frr:frr /run/frr
	cat > "$interop_root/tmp/bfdd.conf" <<-END
	log file /tmp/bfdd.log debugging
	bfd
	 peer $our_addr local-address $their_addr interface v1
	  transmit-interval 200
	  receive-interval 250
	  detect-multiplier 4
	 exit
	 peer $our_addr6 local-address $their_addr6 interface v1
	  transmit-interval 200
	  receive-interval 250
	  detect-multiplier 4
	 exit
	exit
	END
	: > "$interop_root/tmp/zebra.conf"
	theirs_root /usr/lib/frr/zebra -d -f /tmp/zebra.conf -i /tmp/zebra.pid \
		-z /run/frr/zserv.api --vty_socket /run/frr -A 127.0.0.1 > "$work/zebra" 2>&1
	wait_for 10 frr zebra "show version"
	other_start /usr/lib/frr/bfdd -f /tmp/bfdd.conf -i /tmp/bfdd.pid \
		-z /run/frr/zserv.api --bfdctl /run/frr/bfdd.sock --vty_socket /run/frr -A 127.0.0.1
	wait_for 10 frr bfdd "show version"
}

# pattern: in what FRR shows of the session.
frr_peer()
{
	frr bfdd "show bfd peer $our_addr local-address $their_addr interface v1" | grep -qE "$1"
}

frr_configure()
{
	frr bfdd "configure terminal" "bfd" \
		"peer $our_addr local-address $their_addr interface v1" "$@"
}

# local, peer, timers...
agent_start()
{
	rm -f "$work/in"
	mkfifo "$work/in"
	: > "$work/out"
	"$interop_peer" "$work/bfd.sock" v0 "$@" < "$work/in" >> "$work/out" 2>> "$work/err" &
	peer_pid=$!
	exec 8> "$work/in"
}

daemon_start()
{
	# Not with our end of the agent's input, which would never end.
	"$daemon" -s "$work/bfd.sock" -H "$1" 2>> "$work/err" 8>&- &
	daemon_pid=$!
	wait_for 5 test -S "$work/bfd.sock"
}

daemon_stop()
{
	kill "$daemon_pid"
	wait "$daemon_pid"
}

# What our agent was told last.
last()
{
	tail -n 1 "$work/out"
}

last_is()
{
	last | grep -qE "$1"
}

test_up()
{
	agent_start $our_addr $their_addr 300 100 3
	check "up" peer_says 15 '"state":"up"'
	check "FRR agrees" wait_for 5 frr_peer 'Status: up'
	# Each direction: the slower of what one sends and the other takes.
	check "our rate and our detection time" peer_says 5 '"interval":300,"detection":800,'
	check "FRR's view of our timers" wait_for 5 frr_peer 'Transmission interval: 300ms'
	peer_say set 400 600 5
	check "slower timers by a poll sequence" peer_says 10 '"interval":400,"detection":2400,'
	check "FRR took them" wait_for 5 frr_peer 'Receive interval: 600ms'
	peer_say set 300 100 3
	check "faster timers" wait_for 10 last_is '"interval":300,"detection":800,'
	check_not "the session stayed up all the time" \
		grep -qE '"failed":true|"diag":"[^n]' "$work/out"
}

test_silence()
{
	# What FRR sends is lost; what we send arrives.
	theirs ip neighbour replace $our_addr lladdr 02:00:00:00:00:99 dev v1 nud permanent
	check "silence is a failure" wait_for 5 last_is '"diag":"detection time expired".*"failed":true'
	# It hears us, so it goes on to Init; we do not hear that.
	check "FRR hears that we are down" wait_for 5 frr_peer 'Status: (down|init)'
	theirs ip neighbour del $our_addr dev v1
	check "up again" wait_for 15 last_is '"state":"up".*"failed":false'
}

test_switched_off()
{
	frr_configure shutdown > /dev/null
	check "FRR switched off: down, no failure" wait_for 5 \
		last_is '"state":"down".*"remote":"admin-down","failed":false'
	frr_configure "no shutdown" > /dev/null
	check "and on" wait_for 15 last_is '"state":"up"'
	peer_say del
	check "we switch off: FRR knows" wait_for 5 frr_peer 'Remote diagnostics: administratively down'
	peer_forget
	peer_say set 300 100 3
	check "and on again" peer_says 15 '"state":"up"'
}

test_agent_dies()
{
	local same
	same=$(last | sed 's/.*\("discriminator":.*\)}/\1/')
	kill -KILL "$peer_pid"
	wait "$peer_pid" 2> /dev/null
	exec 8>&-
	check_not "the agent is dead: FRR sees nothing of it" wait_for 2 frr_peer 'Status: down'
	agent_start $our_addr $their_addr 300 100 3
	check "the next agent finds the session as it was" peer_says 5 \
		"\"state\":\"up\".*$same}"
	peer_end
	check "not back in the hold time: switched off" wait_for 15 \
		frr_peer 'Remote diagnostics: administratively down'
	daemon_stop
}

test_ipv6()
{
	daemon_start 4
	agent_start $our_addr6 $their_addr6 300 300 3
	check "IPv6: up" peer_says 15 '"state":"up"'
	daemon_stop
	check "vgw-bfd is gone: the agent is told" peer_says 5 '"state":"unknown"'
	peer_forget
	daemon_start 4
	check "vgw-bfd is back: up, no failure meanwhile" peer_says 15 '"state":"up"'
	check_not "not a word of failure" grep -q '"failed":true' "$work/out"
	peer_end
	daemon_stop
}

ktap_begin
interop_setup
# Well over the time for which FRR is looked at after the agent's death.
daemon_start 10
if ! frr_start; then
	ktap_fail "bfdd starts" "$(cat "$work/zebra" "$work/other")"
	ktap_end
	exit
fi
test_up
test_silence
test_switched_off
test_agent_dies
test_ipv6
ktap_end
