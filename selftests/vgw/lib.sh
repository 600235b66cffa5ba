# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the module's tests share. A test sources this file, calls vgw_begin, sets
# up what it needs, checks, and ends; all is taken down by itself. After that the
# kernel log must be clean, and every object that was made must have been freed.
#
#      c1                     gw                       dc, dc2, ...
#   10.1.0.2 -- lan -- 10.1.0.1   198.51.100.1 -- 198.51.100.2   172.16.0.1
#   fd01::2            fd01::1    2001:db8:100::1    ...::2      fd16::1
#                      vgw0       ipsecN ======== ipsecN
#
# The second data center has 198.51.101.0/24, 2001:db8:101::/64, 172.17.0.1, fd17::1.
# Tunnel N has if_id N, inside addresses 169.254.(20 + N).1 and .2, fd20:N::1 and ::2,
# SPI 1000 + N outwards and 2000 + N inwards; keys are static.

set -u
vgw_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=selftests/lib/ktap.sh
. "$vgw_top/selftests/lib/ktap.sh"
# shellcheck source=selftests/lib/netns.sh
. "$vgw_top/selftests/lib/netns.sh"

# Namespaces.
# shellcheck disable=SC2034 # used by name
gw='' c1='' dc='' dc2=''
vgw_name=$(basename "$0" .sh)
vgw_mark="vgw selftest $vgw_name $$"
vgw_tmp=
vgw_jobs=()
seqload=$vgw_top/build/selftests/seqload
ynl=$vgw_top/selftests/vgw/ynl

# Module

vgw_module()
{
	local file
	for file in "${VGW_MODULE:-}" "$vgw_top/build/kmod-${VGW_KERNEL:-none}/vgw.ko" \
		"$vgw_top/vgw.ko"; do
		if [ -f "$file" ]; then
			echo "$file"
			return
		fi
	done
	modinfo -n vgw 2> /dev/null
}

vgw_load()
{
	insmod "$(vgw_module)" dyndbg=+p
}

vgw_unload()
{
	if [ -e /sys/module/vgw ]; then
		rmmod vgw
	fi
}

vgw_begin()
{
	[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
	[ -n "$(vgw_module)" ] || ktap_skip_all "no vgw.ko for this kernel (set VGW_MODULE)"
	[ ! -e /sys/module/vgw ] || ktap_skip_all "the module is loaded, and may be in use"
	modprobe -a xfrm_interface xfrm_user esp4 esp6 2> /dev/null ||
		ktap_skip_all "this kernel has no XFRM interfaces"
	[ -x "$seqload" ] || ktap_skip_all "$seqload is missing: build the tests first"
	vgw_tmp=$(mktemp -d)
	[ "$(nproc)" = 1 ] || vgw_hooks_keep
	echo "$vgw_mark" > /dev/kmsg
	trap vgw_end EXIT
	trap 'exit 1' INT TERM
	# The client may end before us.
	trap '' PIPE
	ktap_begin
	vgw_load || {
		ktap_fail "the module loads" "$(dmesg | tail -n 5)"
		exit 1
	}
}

# An emulated processor may run an instruction that another has just patched, and die of a
# breakpoint that is no longer there: the jump of each netfilter hook, patched with its first and
# last user. A user in the initial namespace, of no rules, keeps them as they are.
vgw_hooks_keep()
{
	local family hook
	for family in ip ip6; do
		echo "add table $family vgw_keep"
		for hook in prerouting input forward output postrouting; do
			echo "add chain $family vgw_keep $hook { type filter hook $hook priority 0; }"
		done
	done | nft -f -
}

vgw_log()
{
	dmesg | sed "1,/$vgw_mark/d"
}

vgw_log_bad()
{
	local bad="WARNING:|BUG:|Oops|refcount_t|unregister_netdevice: waiting|locking dependency"
	bad+="|suspicious RCU|KASAN|UBSAN|general protection|Call Trace|blocked for more"
	bad+="|soft lockup|self-detected stall|kmemleak"
	vgw_log | grep -E -A 20 "$bad"
}

# The objects that were made and not freed, or freed and not made.
vgw_unbalanced()
{
	vgw_log | sed -n 's/.*vgw: \(.*\) created$/\1/p' | sort > "$vgw_tmp/created"
	vgw_log | sed -n 's/.*vgw: \(.*\) destroyed$/\1/p' | sort > "$vgw_tmp/destroyed"
	diff "$vgw_tmp/created" "$vgw_tmp/destroyed"
}

job_gone() { ! kill -0 "$1" 2> /dev/null; }

job_end() # pid
{
	kill "$1" 2> /dev/null || return
	if ! wait_for 10 job_gone "$1"; then
		ktap_note "does not end: $(tr '\0' ' ' < "/proc/$1/cmdline"), $(cat "/proc/$1/stack")"
		kill -KILL "$1"
	fi
	wait "$1" 2> /dev/null
}

vgw_end()
{
	local job status
	trap - EXIT
	for job in "${vgw_jobs[@]}"; do
		job_end "$job"
	done
	ynl_stop
	netns_remove_all
	check "the module is unloaded" wait_for 5 vgw_unload
	check "every object made was freed ($(vgw_log | grep -c 'vgw: .* created$') objects)" \
		vgw_unbalanced
	if [ "$(dmesg | grep -cF "$vgw_mark")" != 0 ]; then
		check_not "the kernel log has no warning" vgw_log_bad
	else
		ktap_fail "the kernel log has no warning" "it is too long: its begin is lost"
	fi
	rm -rf "$vgw_tmp"
	ktap_end
	status=$?
	exit $status
}

# The family's client: one process for the whole test, in the gateway's namespace. A test that wants
# nobody there stops it; a module that was loaded anew has the family under another number.

ynl_pid=
ynl_ns=

ynl_start() # namespace
{
	if [ -n "$ynl_pid" ] && [ "$ynl_ns" = "$1" ]; then
		y resolve
		return
	fi
	ynl_stop
	ynl_ns=$1
	mkfifo "$vgw_tmp/ynl.in" "$vgw_tmp/ynl.out"
	ip netns exec "$1" "$ynl" serve < "$vgw_tmp/ynl.in" > "$vgw_tmp/ynl.out" 2> "$vgw_tmp/ynl.err" &
	ynl_pid=$!
	exec 8> "$vgw_tmp/ynl.in" 9< "$vgw_tmp/ynl.out"
}

ynl_stop()
{
	[ -n "$ynl_pid" ] || return 0
	# What was started meanwhile may hold the pipe open.
	echo quit >&8
	exec 8>&- 9<&-
	wait "$ynl_pid"
	cat "$vgw_tmp/ynl.err"
	rm -f "$vgw_tmp/ynl.in" "$vgw_tmp/ynl.out"
	ynl_pid=
}

# [dump] operation JSON: prints the replies; fails if the kernel refused.
y()
{
	local line status=0
	echo "$*" >&8
	while read -r line <&9; do
		[ "$line" != . ] || return $status
		echo "$line"
		[[ $line != '{"error"'* ]] || status=1
	done
	cat "$vgw_tmp/ynl.err"
	return 2
}

# Requests from standard input, few enough for a pipe: all replies.
y_many()
{
	local line requests
	mapfile -t requests
	printf '%s\n' "${requests[@]}" >&8
	for _ in "${requests[@]}"; do
		while read -r line <&9 && [ "$line" != . ]; do
			echo "$line"
		done
	done
}

# The same for the gateway vgw0; the JSON without braces.
g()
{
	local dump=
	if [ "$1" = dump ]; then
		dump=dump
		shift
	fi
	y $dump "$1" "{\"gateway\": $vgw_ifindex${2:+, $2}}"
}

gset()
{
	y "$1" "{\"ifindex\": $vgw_ifindex${2:+, $2}}"
}

# path of names, JSON: the value of the first such field.
field()
{
	local expression='' between='' name
	for name in ${1//./ }; do
		expression+="$between\"$name\": ?"
		between='[[{][^]}]*'
	done
	[[ $2 =~ $expression\"?([^],\"}]*) ]] || return 1
	echo "${BASH_REMATCH[1]}"
}

stat_of() { field "$1" "$(g stats-get)"; }		# name
tunnel_of() { field "$2" "$(g tunnel-get "\"id\": $1")"; }	# id, name

tunnel_is() # id, state
{
	[ "$(tunnel_of "$1" state)" = "$2" ]
}

# address, further fields of the flow: "tunnel 1", or the verdict.
lookup()
{
	local seen verdict key=dst4
	[[ $1 != *:* ]] || key=dst6
	seen=$(g lookup "\"$key\": \"$1\"${2:+, $2}") || echo "$seen"
	verdict=$(field verdict "$seen")
	[ "$verdict" = tunnel ] && verdict="tunnel $(field tunnel "$seen")"
	echo "$verdict"
}

# Topology

ifindex_of() # namespace, device
{
	local line
	line=$(ip -n "$1" -o link show dev "$2") && echo "${line%%:*}"
}

sysctl_in() # namespace, key=value...
{
	local name=$1
	shift
	ip netns exec "$name" sysctl -qw "$@"
}

# namespace: lines of "ip" from standard input, by one process; one that fails is told, the rest done.
ip_lines() { ip -n "$1" -force -batch -; }

# gw and c1 and the LAN between them; the arguments name the data centers' variables.
topo_make()
{
	local n=0 variable
	netns_make gw c1 "$@"
	ip link add lan netns "$gw" type veth peer name eth0 netns "$c1"
	ip_lines "$gw" <<- END
		addr add 10.1.0.1/24 dev lan
		addr add fd01::1/64 dev lan nodad
		link set lan up
	END
	ip_lines "$c1" <<- END
		addr add 10.1.0.2/24 dev eth0
		addr add fd01::2/64 dev eth0 nodad
		link set eth0 up
		route add default via 10.1.0.1
		route add default via fd01::1
	END
	for variable; do
		underlay_make "${!variable}" $n
		n=$((n + 1))
	done
	for variable in gw "$@"; do
		sysctl_in "${!variable}" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
			net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
}

underlay_make() # data center's namespace, its number
{
	local name=$1 n=$2
	ip link add u"$n" netns "$gw" type veth peer name u netns "$name"
	ip_lines "$gw" <<- END
		addr add 198.51.$((100 + n)).1/24 dev u$n
		addr add 2001:db8:$((100 + n))::1/64 dev u$n nodad
		link set u$n up
	END
	ip_lines "$name" <<- END
		addr add 198.51.$((100 + n)).2/24 dev u
		addr add 2001:db8:$((100 + n))::2/64 dev u nodad
		addr add 172.$((16 + n)).0.1/16 dev lo
		addr add fd$((16 + n))::1/64 dev lo nodad
		link set u up
	END
}

sa_line() # if_id, source, destination, SPI, further words
{
	local id=$1 src=$2 dst=$3 spi=$4
	shift 4
	echo "xfrm state add src $src dst $dst proto esp spi $spi if_id $id mode tunnel reqid $id" \
		"flag af-unspec $* aead rfc4106(gcm(aes)) 0x$(printf '%040d' "$spi") 128"
}

sa_add() # namespace, if_id, source, destination, SPI, further words
{
	local name=$1
	shift
	sa_line "$@" | ip_lines "$name"
}

policy_lines() # if_id, own outer address, peer's
{
	local any
	for any in 0.0.0.0/0 ::/0; do
		echo "xfrm policy add dir out src $any dst $any if_id $1" \
			"tmpl src $2 dst $3 proto esp reqid $1 mode tunnel"
		echo "xfrm policy add dir in src $any dst $any if_id $1" \
			"tmpl src $3 dst $2 proto esp reqid $1 mode tunnel"
		echo "xfrm policy add dir fwd src $any dst $any if_id $1" \
			"tmpl src $3 dst $2 proto esp reqid $1 mode tunnel"
	done
}

policies_add() # namespace, if_id, own outer address, peer's
{
	policy_lines "$2" "$3" "$4" | ip_lines "$1"
}

# Outer addresses of a tunnel: name of the data center's variable, outer family.
outer_of()
{
	local n=0
	[ "$1" = dc ] || n=1
	if [ "${2:-4}" = 4 ]; then
		gw_outer=198.51.$((100 + n)).1 dc_outer=198.51.$((100 + n)).2
	else
		gw_outer=2001:db8:$((100 + n))::1 dc_outer=2001:db8:$((100 + n))::2
	fi
	gw_underlay=u$n
}

# id, underlay's device, which of the two ends (1 or 2): the tunnel's device and addresses
tunnel_lines()
{
	echo "link add ipsec$1 type xfrm dev $2 if_id $1"
	echo "link set ipsec$1 up"
	echo "addr add 169.254.$((20 + $1)).$3/30 dev ipsec$1"
	echo "addr add fd20:$1::$3/64 dev ipsec$1 nodad"
}

# Name of the data center's variable, id, outer family (4), "cold" for no SAs: both ends.
tunnel_make()
{
	local site=${!1} id=$2
	outer_of "$1" "${3:-4}"
	{
		tunnel_lines "$id" $gw_underlay 1
		policy_lines "$id" $gw_outer $dc_outer
	} | ip_lines "$gw"
	{
		tunnel_lines "$id" u 2
		policy_lines "$id" $dc_outer $gw_outer
	} | ip_lines "$site"
	[ "${4:-}" = cold ] || sas_make "$@"
}

sas_make() # as tunnel_make
{
	local site=${!1} id=$2
	outer_of "$1" "${3:-4}"
	{
		sa_line "$id" $gw_outer $dc_outer $((1000 + id))
		sa_line "$id" $dc_outer $gw_outer $((2000 + id))
	} | ip_lines "$site"
	sa_add "$gw" "$id" $dc_outer $gw_outer $((2000 + id))
	sa_out_add "$@"
}

# The gateway's outbound SA of a tunnel.
sa_out_add() # as tunnel_make
{
	outer_of "$1" "${3:-4}"
	sa_add "$gw" "$2" $gw_outer $dc_outer $((1000 + $2))
}

sa_out_del()
{
	outer_of "$1" "${3:-4}"
	ip -n "$gw" xfrm state delete src $gw_outer dst $dc_outer proto esp spi $((1000 + $2))
}

# The data center's way back: its variable, ids of the tunnels.
way_back()
{
	local site=${!1} id hops=() hops6=()
	shift
	for id; do
		hops+=(nexthop dev ipsec"$id")
		hops6+=(nexthop via fd20:"$id"::1 dev ipsec"$id")
	done
	ip_lines "$site" <<- END
		route replace 10.1.0.0/24 ${hops[*]}
		route replace fd01::/64 ${hops6[*]}
	END
}

# vgw0 in the gateway's namespace, the kernel's routes to it, and the client.
gateway_make()
{
	ip_lines "$gw" <<- END
		link add vgw0 type vgw
		link set vgw0 up
	END
	gateway_routes
	vgw_ifindex=$(ifindex_of "$gw" vgw0)
	ynl_start "$gw"
}

gateway_routes()
{
	ip_lines "$gw" <<- END
		route replace 172.16.0.0/12 dev vgw0
		route replace fd10::/12 dev vgw0
	END
}

# id, connection and site, further fields: the tunnel's device as a tunnel of vgw0, live.
tunnel_join()
{
	local ifindex
	ifindex=$(ifindex_of "$gw" ipsec"$1")
	g tunnel-set "\"id\": $1, \"ifindex\": $ifindex, \"connection\": $2, \"site\": $2${3:+, $3}"
}

group_set() # id, tunnels as id or id:weight
{
	local id=$1 members=() one
	shift
	for one; do
		[[ $one == *:* ]] || one+=:1
		members+=("{\"tunnel\": ${one%:*}, \"weight\": ${one#*:}}")
	done
	one=$(IFS=,; echo "${members[*]}")
	g group-set "\"id\": $id, \"member\": [$one]"
}

route_json() # class, group (- for none), prefix, further fields
{
	local key=prefix4 group=
	[[ $3 != *:* ]] || key=prefix6
	[ "$2" = - ] || group="\"group\": $2, "
	echo "\"route\": [{\"class\": \"$1\", $group\"$key\": [\"$3\"]${4:+, $4}}]"
}

route_add() { g route-add "$(route_json "$@")"; }
route_del() { g route-del "$(route_json "$1" - "$2")"; }

# Two tunnels to one data center, one group, both families: what most tests start from.
gateway_with_two_tunnels()
{
	topo_make dc
	tunnel_make dc 1
	tunnel_make dc 2
	way_back dc 1 2
	gateway_make
	tunnel_join 1 1
	tunnel_join 2 1
	group_set 1 1 2
	route_add dynamic 1 172.16.0.0/16
	route_add dynamic 1 fd16::/16
}

# Load

# name, namespace, words: seqload in the background; its report goes to the name's file.
load_start()
{
	local name=$1 ns=$2
	shift 2
	ip netns exec "$ns" "$seqload" "$@" > "$vgw_tmp/$name" 2>&1 &
	vgw_jobs+=($!)
	printf -v "load_$name" %s $!
}

# name: waits for the sender's own end, prints its report.
load_wait()
{
	local pid=load_$1
	# Mostly from a subshell, which cannot use wait.
	while kill -0 "${!pid}" 2> /dev/null; do
		sleep 0.05
	done
	tail -n 1 "$vgw_tmp/$1"
}

load_stop()
{
	local pid=load_$1
	kill "${!pid}" 2> /dev/null
	load_wait "$1"
}

receiver_start() # name, namespace, words
{
	local name=$1 ns=$2
	shift 2
	load_start "$name" "$ns" receive -e "$@"
	wait_for 5 receiver_there "$ns"
}

receiver_there()
{
	[ -n "$(ip netns exec "$1" ss -Hlun 'sport = 7000')" ]
}
