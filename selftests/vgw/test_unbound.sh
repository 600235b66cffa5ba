#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Policies of no XFRM interface: while there is none the kernel does not look for one
# (disable_xfrm of the gateway's device), and one that comes is obeyed at once.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
gateway_with_two_tunnels

spared() { in_ns "$gw" cat "/proc/sys/net/ipv4/conf/${1:-vgw0}/disable_xfrm"; }
is_spared() { [ "$(spared "${1:-vgw0}")" = "$2" ]; }
reaches4() { in_ns "$c1" ping -n -c 1 -W 5 172.16.0.1; }
reaches6() { in_ns "$c1" ping -n -c 1 -W 5 fd16::1; }
own4() { in_ns "$gw" ping -n -c 1 -W 5 -I 10.1.0.1 172.16.0.1; }
blocked4() { ! in_ns "$c1" ping -n -c 1 -W 0.2 "${1:-172.16.0.1}"; }
plain() # add or delete, direction, source, destination, further words
{
	local what=$1 dir=$2 src=$3 dst=$4
	shift 4
	ip -n "$gw" xfrm policy "$what" dir "$dir" src "$src" dst "$dst" "$@"
}

check "no such policy: nobody looks for one" wait_for 5 is_spared vgw0 1
check "other devices are as they were" is_spared lan 0
check "packets go" reaches4
check "IPv6, too" reaches6
check "and the host's own" own4

# One that comes, and goes.
plain add out 10.1.0.2/32 172.16.0.1/32 action block
check_equal "one that comes is looked for at once" 0 "$(spared)"
check "and is obeyed" blocked4
check "it is no business of others" own4
plain delete out 10.1.0.2/32 172.16.0.1/32
check "it is gone: packets go" reaches4
check "and nobody looks again" wait_for 5 is_spared vgw0 1
plain add out 10.1.0.1/32 172.16.0.1/32 action block
check_not "the host's own packets obey one" in_ns "$gw" ping -n -c 1 -W 0.2 -I 10.1.0.1 172.16.0.1
plain delete out 10.1.0.1/32 172.16.0.1/32
plain add in 192.0.2.0/24 192.0.2.0/24 action block
wait_for 5 is_spared vgw0 1
check "one for what comes in does not matter" is_spared vgw0 1
plain delete in 192.0.2.0/24 192.0.2.0/24

# Each of many, under load that has the routes made all the time.
receiver_start there "$dc"
load_start here "$c1" send -t 172.16.0.1 -f 50 -r 300
failed=0
for _ in {1..15}; do
	wait_for 5 is_spared vgw0 1 || failed=$((failed + 1))
	plain add out 10.1.0.2/32 172.16.9.9/32 action block
	before=$(stat_of tx-packets)
	in_ns "$c1" ping -n -c 2 -i 0.01 -W 0.05 172.16.9.9 > "$vgw_tmp/seen"
	grep -q " 0 received" "$vgw_tmp/seen" || failed=$((failed + 1))
	plain delete out 10.1.0.2/32 172.16.9.9/32
done
check_equal "each of many is obeyed at once" 0 "$failed"
check "while others' packets went" [ "$(stat_of tx-packets)" -gt "$before" ]
check_equal "and none of them was lost" 0 "$(field forward.lost "$(load_stop here)")"
load_stop there > "$vgw_tmp/seen"

# The default, of which nobody tells.
wait_for 5 is_spared vgw0 1
if ip -n "$gw" xfrm policy setdefault out block 2> "$vgw_tmp/seen"; then
	before=$(stat_of tx-packets) counted=$(stat_of drop-blocked)
	check "a default that blocks is obeyed" blocked4
	check_equal "no packet left" "$before" "$(stat_of tx-packets)"
	check "and it is counted" [ "$(stat_of drop-blocked)" -gt "$counted" ]
	plain add out 10.1.0.0/24 172.16.0.0/16 action allow
	plain add out 172.16.0.0/16 10.1.0.0/24 action allow
	check "a policy that allows goes before it" reaches4
	plain delete out 10.1.0.0/24 172.16.0.0/16
	plain delete out 172.16.0.0/16 10.1.0.0/24
	check "without it packets are blocked again" blocked4
	ip -n "$gw" xfrm policy setdefault out accept
	check "the default accepts: packets go" reaches4
fi

# A flush tells of no policy in particular.
plain add out 10.1.0.2/32 172.16.0.1/32 action block
ip -n "$gw" xfrm policy flush
for id in 1 2; do
	policies_add "$gw" $id 198.51.100.1 198.51.100.2
done
check "after a flush nobody looks" wait_for 5 is_spared vgw0 1
check "and packets go" wait_for 5 reaches4

# Devices that come later, and one without a tunnel.
ip -n "$gw" link add vgw1 type vgw
check "a gateway that is down is as it was made" is_spared vgw1 0
ip -n "$gw" link set vgw1 up
check "nobody looks for a second gateway's" wait_for 5 is_spared vgw1 1
check "nor for the first one's" is_spared vgw0 1
plain add out 192.0.2.0/24 192.0.2.0/24 action block
check_equal "one counts for all gateways" "0 0" "$(spared) $(spared vgw1)"
plain delete out 192.0.2.0/24 192.0.2.0/24
