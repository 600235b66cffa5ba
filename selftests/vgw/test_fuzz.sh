#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Random and broken netlink requests, on two processors at once and under
# traffic: every one is answered, every refusal says why, nothing stays behind,
# and who lacks CAP_NET_ADMIN is refused everything. FUZZ_MESSAGES and FUZZ_SEED
# make a longer or another run.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

fuzz=$vgw_top/build/selftests/fuzz_genl
messages=${FUZZ_MESSAGES:-20000}
seed=${FUZZ_SEED:-$RANDOM}

vgw_begin
topo_make dc
tunnel_make dc 1
tunnel_make dc 2
way_back dc 1 2
ip -n "$gw" link add vgw0 type vgw
ip -n "$gw" link add vgw1 type vgw
ip -n "$gw" link set vgw0 up
gateway_routes
words=(-j 2 -s "$seed" -g "$(ifindex_of "$gw" vgw0)" -g "$(ifindex_of "$gw" vgw1)"
	-d "$(ifindex_of "$gw" ipsec1)" -d "$(ifindex_of "$gw" ipsec2)" -d "$(ifindex_of "$gw" lan)")

fuzz_run() # namespace, words
{
	in_ns "$1" "$fuzz" "${@:2}" > "$vgw_tmp/fuzz" 2>&1
	local status=$?
	tail -n 60 "$vgw_tmp/fuzz"
	return $status
}

plain() { in_ns "$gw" setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"; }

# Slab in kB, with what waits for a grace period gone.
slab()
{
	sleep 1
	sed -n 's/^Slab: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

load_start four "$c1" send -t 10.0.0.1 -f 20 -r 200
fuzz_run "$gw" -n $((messages / 4)) "${words[@]}" > /dev/null
before=$(slab)
check "$messages requests of seed $seed are answered as they must be" \
	fuzz_run "$gw" -n "$messages" "${words[@]}"
ktap_note "$(tail -n 1 "$vgw_tmp/fuzz")"
grown=$(($(slab) - before))
check "memory does not grow (slab by $grown kB)" [ $grown -lt 4096 ]
load_stop four > /dev/null

vgw_ifindex=$(ifindex_of "$gw" vgw0)
ynl_start "$gw"
seen=$(gset gateway-get)
check_equal "both gateways are empty" "0 0 0 0" \
	"$(field tunnels "$seen") $(field groups "$seen") $(field routes "$seen") $(field dynamic-prefixes "$seen")"

check "without CAP_NET_ADMIN every command is refused, reads included" \
	plain "$fuzz" -p
check "so it is for the root of another user namespace" \
	in_ns "$gw" unshare -Ur "$fuzz" -p
check "an ordinary user in namespaces of his own finds nothing either" unshare -Urn bash -c "
	ip link add vgw0 type vgw && ip link add x type xfrm dev lo if_id 5 && ip link set lo up &&
	ip link set x up && $fuzz -n $((messages / 10)) -s $seed -g 2 -d 3"
