#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ike.c against real charons in two namespaces: up, taken down by the peer,
# charon killed, the agent restarted, a wrong key, a silent peer, deletion.
#
#   vm_ike.sh PROGRAM     (root, a kernel with xfrm interfaces)
set -u
program=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/lib/ipsec.sh
. "$here/selftests/lib/ipsec.sh"
work=$(mktemp -d)
out=$work/out
failed=0 n=0 agent=

cleanup()
{
	[ -z "$agent" ] || kill "$agent" 2> /dev/null
	ipsec_cleanup
	ip netns del gw 2> /dev/null
	ip netns del dc 2> /dev/null
}
trap cleanup EXIT

check() # description, command...
{
	local what=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		failed=$((failed + 1))
		tail -q -n 15 "$out" "$work/err" | sed 's/^/# agent: /'
		tail -n 15 "$(charon_log gw)" | sed 's/^/# charon: /'
	fi
}

# Waits for a line that matches after the lines seen so far; sets seen.
seen=0
await() # regular expression, seconds
{
	local i hit
	for ((i = 0; i < $2 * 10; i++)); do
		hit=$(awk -v from=$seen -v re="$1" 'NR > from && $0 ~ re { print NR; exit }' "$out")
		if [ -n "$hit" ]; then
			seen=$hit
			return 0
		fi
		sleep 0.1
	done
	return 1
}

pings()
{
	ip netns exec gw ping -q -c 2 -i 0.2 -W 2 169.254.10.2 > /dev/null
}

unique_id()
{
	charon_ctl gw --list-sas | sed -n 's/^vgw-t1: #\([0-9]*\),.*/\1/p'
}

agent_start()
{
	ip netns exec gw "$program" "$(charon_vici gw)" vgw-t1 198.51.100.1 198.51.100.2 \
		"$work/psk" 1 >> "$out" 2>> "$work/err" &
	agent=$!
}

agent_stop()
{
	kill "$agent" && wait "$agent"
	agent=
}

dc_config() # key
{
	cat > "$work/dc.conf" <<-END
	connections {
		dc {
			version = 2
			local_addrs = 198.51.100.2
			remote_addrs = 198.51.100.1
			local { auth = psk }
			remote { auth = psk }
			if_id_in = 7
			if_id_out = 7
			children {
				net {
					local_ts = 0.0.0.0/0, ::/0
					remote_ts = 0.0.0.0/0, ::/0
				}
			}
		}
	}
	secrets {
		ike-1 {
			id-1 = 198.51.100.1
			secret = "$1"
		}
	}
	END
	charon_load dc "$work/dc.conf" > "$work/load" 2>&1 || cat "$work/load"
}

modprobe -a xfrm_interface esp4 xfrm_user 2> /dev/null
ip netns add gw && ip netns add dc || exit 4
ip link add u0 netns gw type veth peer name u0 netns dc
for ns in gw dc; do
	ip -n $ns link set lo up
	ip -n $ns link set u0 up
done
ip -n gw addr add 198.51.100.1/24 dev u0
ip -n dc addr add 198.51.100.2/24 dev u0
ip -n gw link add ipsec1 type xfrm dev u0 if_id 1 && ip -n dc link add ipsec7 type xfrm dev u0 if_id 7 ||
	exit 4
ip -n gw addr add 169.254.10.1/30 dev ipsec1
ip -n dc addr add 169.254.10.2/30 dev ipsec7
ip -n gw link set ipsec1 up
ip -n dc link set ipsec7 up
(umask 077 && echo "a key of 32 characters, or so, ok" > "$work/psk")
touch "$out" "$work/err"

begin=$SECONDS
check "charon starts in both namespaces" eval 'charon_start gw && charon_start dc'
echo "# in $((SECONDS - begin)) s"
dc_config "a key of 32 characters, or so, ok"

agent_start
check "the tunnel comes up" await "vgw-t1 installed attempts=0 .*AES_GCM_16-" 30
check "packets pass" pings

charon_ctl dc --terminate --ike dc --timeout 3 > /dev/null 2>&1
check "taken down by the peer: seen" await "vgw-t1 (loaded|connecting|established)" 10
check "and up again" await "vgw-t1 installed" 20

charon_ctl dc --terminate --child net --timeout 3 > /dev/null 2>&1
check "only the child taken down: seen" await "vgw-t1 (loaded|connecting|established)" 10
check "and up again" await "vgw-t1 installed" 20

charon_ctl gw --rekey --ike vgw-t1 > /dev/null 2>&1
check "IKE rekey is counted and no flap" await "vgw-t1 installed attempts=0 rekeys=1" 10
charon_ctl gw --rekey --child vgw-t1 > /dev/null 2>&1
check "child rekey is counted and no flap" await "vgw-t1 installed attempts=0 rekeys=2" 10
check "packets pass" pings

before=$(unique_id)
agent_stop
check "without the agent the tunnel stays" pings
agent_start
check "an agent that starts again adopts it" await "vgw-t1 installed attempts=0" 10
check "as the same SA" test -n "$before" -a "$(unique_id)" = "$before"

charon_kill gw
check "charon killed: seen" await "vgw-t1 disconnected" 5
charon_start gw
check "charon back: loaded again, up again" await "vgw-t1 installed" 40
check "packets pass" pings

dc_config "another key, quite another one..."
charon_ctl dc --terminate --ike dc --timeout 3 > /dev/null 2>&1
check "a wrong key is named" await "AUTHENTICATION_FAILED" 20
dc_config "a key of 32 characters, or so, ok"
kill -USR2 "$agent"
check "the right key: up" await "vgw-t1 installed" 40

charon_stop dc
check "peer gone: seen" await "vgw-t1 (loaded|connecting)" 10
check "its silence is named" await "no answer from the peer|not responding|giving up" 40
charon_start dc
dc_config "a key of 32 characters, or so, ok"
check "peer back: up" await "vgw-t1 installed" 90

kill -USR1 "$agent"
await deleted 5
sleep 1
check "deleted: no SA" eval '! charon_ctl gw --list-sas | grep -q vgw-t1'
check "deleted: no connection" eval '! charon_ctl gw --list-conns | grep -q vgw-t1'
agent_stop
echo "1..$n"
[ "$failed" = 0 ]
