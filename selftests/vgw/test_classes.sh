#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which route wins: longest prefix, then system over static over dynamic; what a
# dead tunnel changes. Every row holds in every order of insertion, added one by
# one or in one message, for both families, and leaves an empty table behind.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc
for id in 1 2 3; do
	tunnel_make dc $id
done
gateway_make
for id in 1 2 3; do
	tunnel_join $id 1
done
# Static routes lead to tunnel 1, dynamic ones to 2; group 3 is active and standby.
group_set 1 1
group_set 2 2
group_set 3 1:100 3:0
group_set 4 3:0 1:100
g tunnel-get '"id": 3' > /dev/null

# One of a row's routes as a nest: class, group, prefix[, on-fail].
run_json()
{
	local class=$1 group='' prefix=$3 on_fail=${4:+, \"on-fail\": \"$4\"} key=prefix4
	[[ $prefix != *:* ]] || key=prefix6
	[ "$2" = - ] || group="\"group\": $2, "
	echo "{\"class\": \"$class\", $group\"$key\": [\"$prefix\"]$on_fail}"
}

# The orders of the numbers from 0 to n - 1, one per line.
permute() # n, begun with...
{
	local n=$1 i
	shift
	if [ $# = "$n" ]; then
		echo "$*"
		return
	fi
	for ((i = 0; i < n; i++)); do
		[[ " $* " == *" $i "* ]] || permute "$n" "$@" $i
	done
}

requests_of_row() # address, route...
{
	local address=$1 gateway="\"gateway\": $vgw_ifindex" key=dst4 add=() del=() order i all one
	shift
	[[ $address != *:* ]] || key=dst6
	one="lookup {$gateway, \"$key\": \"$address\"}"
	for i; do
		# shellcheck disable=SC2086 # words of a route
		set -- $i
		add+=("$(run_json "$@")")
		del+=("$(run_json "$1" - "$3")")
	done
	permute ${#add[@]} | while read -r order; do
		all=
		for i in $order; do
			echo "route-add {$gateway, \"route\": [${add[i]}]}"
			all+="${all:+, }${add[i]}"
		done
		echo "$one"
		for i in $order; do
			echo "route-del {$gateway, \"route\": [${del[i]}]}"
		done
		echo "dump route-get {$gateway}"
		echo "route-add {$gateway, \"route\": [$all]}"
		echo "$one"
		all=
		for i in $order; do
			all+="${all:+, }${del[i]}"
		done
		echo "route-del {$gateway, \"route\": [$all]}"
		echo "dump route-get {$gateway}"
	done
}

# A lookup's reply as "class prefix verdict [tunnel]"; anything else stays as it is.
digest()
{
	sed -E -e 's/^.*"verdict": "tunnel".*"tunnel": ([0-9]+).*/& => tunnel \1/; t class' \
		-e 's/^.*"verdict": "([a-z]+)".*/& => \1/' -e ':class' \
		-e 's/^.*\{"prefix[46]": \["([^"]*)"\], "class": "([a-z]*)"[^}]*"result": "(selected|held)".* => /\2 \1 /' \
		-e 's/^.* => //' | sort -u
}

# name, wanted, address, route...: in IPv4, then the same in IPv6.
row()
{
	local name=$1 wanted=$2 address=$3 count
	shift 3
	count=$(permute $# | wc -l)
	check_equal "$name ($count orders)" "$wanted" \
		"$(requests_of_row "$address" "$@" | y_many | digest)"
	check_equal "$name ($count orders, IPv6)" "$(six "$wanted")" \
		"$(requests_of_row "$(six "$address")" "${@//10.1/fd10:1}" | six_routes | y_many | digest)"
}

# 10.1.1.0/24 is fd10:1:1::/48 in the IPv6 rows, 10.1.0.0/16 is fd10:1::/32.
six()
{
	echo "$1" | sed -e 's/10\.1\.1\.0\/24/fd10:1:1::\/48/' -e 's/10\.1\.0\.0\/16/fd10:1::\/32/' \
		-e 's/10\.0\.0\.0\/8/fd10::\/16/' -e 's/10\.1\.1\.5/fd10:1:1::5/'
}

six_routes()
{
	sed -E -e 's/"prefix4": \["fd10:1\.1\.0\/24/"prefix6": ["fd10:1:1::\/48/g' \
		-e 's/"prefix4": \["fd10:1\.0\.0\/16/"prefix6": ["fd10:1::\/32/g' \
		-e 's/"prefix6": \["fd10:1\.1\.0\/24/"prefix6": ["fd10:1:1::\/48/g' \
		-e 's/"prefix6": \["fd10:1\.0\.0\/16/"prefix6": ["fd10:1::\/32/g' \
		-e 's/"prefix4": \["10\.0\.0\.0\/8/"prefix6": ["fd10::\/16/g'
}

a=10.1.1.5
row "a longer dynamic prefix beats static" "dynamic 10.1.1.0/24 tunnel 2" $a \
	"dynamic 2 10.1.1.0/24" "static 1 10.1.0.0/16"
row "a longer dynamic prefix beats system" "dynamic 10.1.1.0/24 tunnel 2" $a \
	"dynamic 2 10.1.1.0/24" "system - 10.1.0.0/16"
row "static beats dynamic" "static 10.1.0.0/16 tunnel 1" $a \
	"static 1 10.1.0.0/16" "dynamic 2 10.1.0.0/16"
row "system beats static and dynamic" "system 10.1.0.0/16 system" $a \
	"system - 10.1.0.0/16" "static 1 10.1.0.0/16" "dynamic 2 10.1.0.0/16"
row "system beats dynamic" "system 10.1.0.0/16 system" $a \
	"system - 10.1.0.0/16" "dynamic 2 10.1.0.0/16"
row "weight 100 beats weight 0" "static 10.1.0.0/16 tunnel 1" $a "static 3 10.1.0.0/16"
row "also when the standby is named first" "static 10.1.0.0/16 tunnel 1" $a "static 4 10.1.0.0/16"
row "three lengths: the longest wins" "static 10.1.1.0/24 tunnel 1" $a \
	"static 1 10.1.1.0/24" "dynamic 2 10.1.0.0/16" "system - 10.0.0.0/8"

g tunnel-set '"id": 1, "failed": 1'
row "static dead: dynamic at the same prefix" "dynamic 10.1.0.0/16 tunnel 2" $a \
	"static 1 10.1.0.0/16" "dynamic 2 10.1.0.0/16"
row "static dead and reserved: dropped" "static 10.1.0.0/16 reserved" $a \
	"static 1 10.1.0.0/16 reserve" "dynamic 2 10.1.0.0/16"
row "static dead: the shorter prefix with a tunnel" "dynamic 10.1.0.0/16 tunnel 2" $a \
	"static 1 10.1.1.0/24" "dynamic 2 10.1.0.0/16" "system - 10.0.0.0/8"
row "static dead: never a shorter system route" "dead" $a \
	"static 1 10.1.1.0/24" "system - 10.1.0.0/16"
row "static dead: past a system route to a tunnel" "dynamic 10.0.0.0/8 tunnel 2" $a \
	"static 1 10.1.1.0/24" "system - 10.1.0.0/16" "dynamic 2 10.0.0.0/8"
row "active dead: the standby" "static 10.1.0.0/16 tunnel 3" $a "static 3 10.1.0.0/16"
row "a reserved route holds what a longer dead one gave up" "static 10.1.0.0/16 reserved" $a \
	"static 1 10.1.1.0/24" "static 1 10.1.0.0/16 reserve" "dynamic 2 10.0.0.0/8"
g tunnel-set '"id": 2, "failed": 1'
row "all dead" "dead" $a "static 1 10.1.0.0/16" "dynamic 2 10.1.0.0/16"
g tunnel-set '"id": 3, "failed": 1'
row "active and standby dead" "dead" $a "static 3 10.1.0.0/16"
for id in 1 2 3; do
	g tunnel-set "\"id\": $id, \"failed\": 0"
done
row "after that, alive again" "static 10.1.0.0/16 tunnel 1" $a \
	"static 1 10.1.0.0/16" "dynamic 2 10.1.0.0/16"

# No route: a miss, or held back by a guard range.
check_equal "no route" miss "$(lookup $a)"
gset gateway-set '"guard4": ["10.0.0.0/8"], "guard6": ["fd00::/8"]'
check_equal "no route inside a guard range" guard "$(lookup $a)"
check_equal "no route inside a guard range, IPv6" guard "$(lookup fd10::5)"
check_equal "no route outside of it" miss "$(lookup 11.0.0.1)"
row "a guard range does not hold back a route" "static 10.1.0.0/16 tunnel 1" $a \
	"static 1 10.1.0.0/16"
row "a system route inside a guard range is one" "system 10.1.0.0/16 system" $a \
	"system - 10.1.0.0/16"
gset gateway-set '"guard4": [], "guard6": []'
check_equal "a cleared guard list" miss "$(lookup $a)"

# Explanation: every candidate with its fate.
route_add static 1 10.1.1.0/24
route_add dynamic 2 10.1.1.0/24
route_add system - 10.1.0.0/16
check_match "candidates are explained" \
	'10.1.1.0/24.*"static".*"selected".*10.1.1.0/24.*"dynamic".*"lower-class".*10.1.0.0/16.*"system".*"shorter-prefix"' \
	"$(g lookup "\"dst4\": \"$a\"")"
g tunnel-set '"id": 1, "failed": 1'
g tunnel-set '"id": 2, "failed": 1'
check_match "also of the dead" \
	'"static".*"all-dead".*"dynamic".*"all-dead".*"system".*"clear-text"' \
	"$(g lookup "\"dst4\": \"$a\"")"
