# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the guests' scripts share. Sourced.

bench_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bench_out=$bench_top/build/bench
feed=$bench_out/feed
tunnels=(1 2 3 4)

bench_begin()
{
	insmod "$bench_top/build/uml/bench/vgw_bench.ko" || exit 1
	insmod "${VGW_MODULE:-$bench_top/build/kmod-uml/vgw.ko}" || exit 1
	# No neighbour or router of IPv6 sends anything into a measurement.
	echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
}

in_ns() # namespace, command
{
	local name=$1
	shift
	nsenter --net="/run/netns/$name" "$@"
}

# A file of one route, as routes.h has it.
route_file() # file, address, length
{
	local a b c d
	IFS=. read -r a b c d <<< "$2"
	# shellcheck disable=SC2059 # the format is made here
	printf "$(printf '\\x%02x' "$a" "$b" "$c" "$d" 0 0 0 0 0 0 0 0 0 0 0 0 "$3" 0 1 0)" > "$1"
}

# Free memory in KiB, with what is only waiting for a grace period given back.
memory_free()
{
	sleep 0.3
	echo 3 > /proc/sys/vm/drop_caches
	sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# A device of the underlay, four outbound SAs over it and an XFRM interface for each. One
# process makes them: starting one is what takes time in the guest.
underlay_make() # namespace, cipher
{
	local id cipher any="src 0.0.0.0/0 dst 0.0.0.0/0"
	case $2 in
	null) cipher="auth digest_null \"\" enc ecb(cipher_null) \"\"" ;;
	gcm) cipher="aead rfc4106(gcm(aes)) 0x000102030405060708090a0b0c0d0e0f10111213 128" ;;
	esac
	{
		echo "link add u0 type dummy"
		echo "address add 192.0.2.1/24 dev u0"
		echo "link set u0 up"
		for id in "${tunnels[@]}"; do
			echo "neighbour add 192.0.2.$((id + 1)) lladdr 02:00:00:00:00:0$id dev u0 nud permanent"
			echo "link add xf$id type xfrm dev u0 if_id $id"
			echo "link set xf$id mtu 1400 up"
			echo "address add 169.254.$id.1/30 dev xf$id"
			echo "xfrm state add src 192.0.2.1 dst 192.0.2.$((id + 1)) proto esp" \
				"spi $((256 + id)) reqid $id mode tunnel if_id $id $cipher"
			echo "xfrm policy add $any dir out if_id $id" \
				"tmpl src 192.0.2.1 dst 192.0.2.$((id + 1)) proto esp reqid $id mode tunnel"
		done
	} | ip -n "$1" -batch -
}

# A gateway with the four tunnels and groups 1 to N of these.
gateway_make() # namespace, N, tunnels of a group
{
	local name=$1 n=$2
	shift 2
	printf '%s\n' "link add vgw0 type vgw" "link set vgw0 up" | ip -n "$name" -batch - &&
		in_ns "$name" "$feed" tunnels vgw0 xf1 xf2 xf3 xf4 &&
		in_ns "$name" "$feed" groups vgw0 "$n" "$@"
}
