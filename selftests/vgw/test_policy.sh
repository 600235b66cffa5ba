#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Policy routes: which packets they take, in which order, what happens when their
# tunnels die, and that traffic does not notice when the list changes.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc
tunnel_make dc 1
tunnel_make dc 2
gateway_make
tunnel_join 1 1 '"source-check": "strict"'
tunnel_join 2 2 '"source-check": "strict"'
group_set 1 1
group_set 2 2
route_add dynamic 1 172.16.0.0/16
route_add dynamic 1 fd16::/16
# A second host of the LAN, whose packets come back through the second tunnel.
ip -n "$c1" addr add 10.1.0.3/24 dev eth0
ip -n "$c1" addr add fd01::3/64 dev eth0 nodad
way_back dc 1
ip -n "$dc" route add 10.1.0.3 dev ipsec2
ip -n "$dc" -6 route add fd01::3 via fd20:2::1 dev ipsec2

policy() # priority, sequence, source, destination, group, further fields
{
	local family=4
	[[ $4 != *:* ]] || family=6
	echo "{\"priority\": $1, \"sequence\": $2, \"src$family\": [\"$3\"], \"dst$family\": [\"$4\"],
		\"group\": $5${6:+, $6}}" | tr -d '\n\t'
}

policy_add() { g policy-route-add "\"policy-route\": [$(policy "$@")]"; }
policy_del() { g policy-route-del "\"policy-route\": [$(policy "$@")]"; }

ping_from() # source [seconds to wait for the last answer]
{
	local dst=172.16.0.1
	[[ $1 != *:* ]] || dst=fd16::1
	in_ns "$c1" ping -n -c 2 -i 0.2 -W "${2:-1}" -I "$1" $dst
}

# The tunnel that two packets of the source took; their answers must arrive.
way_of() # source
{
	local first second
	first=$(tunnel_of 1 tx-packets) second=$(tunnel_of 2 tx-packets)
	ping_from "$1" 10 > /dev/null || echo "no answer,"
	echo "$(($(tunnel_of 1 tx-packets) - first)) $(($(tunnel_of 2 tx-packets) - second))"
}

check_equal "without a policy route the prefix decides" "2 0" "$(way_of 10.1.0.2)"
check_not "strict validation refuses the other tunnel's answers" ping_from 10.1.0.3
policy_add 10 1 10.1.0.3/32 172.16.0.0/16 2
policy_add 10 1 fd01::3/128 fd16::/16 2
check_equal "its source takes the policy route, and the answers are let in" \
	"0 2" "$(way_of 10.1.0.3)"
check_equal "so in IPv6" "0 2" "$(way_of fd01::3)"
check_equal "other sources do not" "2 0" "$(way_of 10.1.0.2)"
check_equal "nor in IPv6" "2 0" "$(way_of fd01::2)"
check_equal "lookup agrees" "tunnel 2" "$(lookup 172.16.0.1 '"src4": "10.1.0.3"')"
check_match "and names it" \
	'"prefix4": \["172.16.0.0/16"\], .*"src4": \["10.1.0.3/32"\], .*"priority": 10, "sequence": 1, .*"result": "selected"' \
	"$(g lookup '"dst4": "172.16.0.1", "src4": "10.1.0.3"' | sed 's/{"prefix4"/\n&/g' | grep '"priority"')"
check_match "what it beat is told" '"result": "after-policy"' \
	"$(g lookup '"dst4": "172.16.0.1", "src4": "10.1.0.3"')"

# Every order of insertion gives the same winner (rules 31 and 33).
orders()
{
	local a b c bad=0
	local one two three
	one=$(policy 4 2 0.0.0.0/0 172.16.0.0/12 2)
	two=$(policy 4 3 10.1.0.2/32 172.16.0.1/32 1)
	three=$(policy 5 0 10.1.0.0/24 172.16.0.0/16 1)
	for a in "$one" "$two" "$three"; do
		for b in "$one" "$two" "$three"; do
			for c in "$one" "$two" "$three"; do
				if [ "$a" = "$b" ] || [ "$b" = "$c" ] || [ "$a" = "$c" ]; then
					continue
				fi
				printf 'policy-route-add {"gateway": %s, "policy-route": [%s]}\n' \
					"$vgw_ifindex" "$a" "$vgw_ifindex" "$b" "$vgw_ifindex" "$c"
				echo "lookup {\"gateway\": $vgw_ifindex, \"dst4\": \"172.16.0.1\"," \
					"\"src4\": \"10.1.0.2\"}"
				echo "policy-route-del {\"gateway\": $vgw_ifindex, \"policy-route\": [$a, $b, $c]}"
			done
		done
	done
}
check_equal "every order of insertion gives the same winner" 6 \
	"$(orders | y_many | grep -c '"verdict": "tunnel".*"tunnel": 2')"

# Refusals: all or nothing, with the reason.
one=$(policy 1 0 10.0.0.0/8 10.9.0.0/16 1)
check_match "a batch with a wrong one is refused" 'no group with this id' \
	"$(g policy-route-add "\"policy-route\": [$one, $(policy 1 1 10.0.0.0/8 10.9.0.0/16 99)]")"
check_match "two families are refused" 'different families' \
	"$(g policy-route-add '"policy-route": [{"src4": ["10.0.0.0/8"], "dst6": ["fd16::/16"], "group": 1}]')"
check_match "no destination is refused" 'exactly one destination' \
	"$(g policy-route-add '"policy-route": [{"src4": ["10.0.0.0/8"], "group": 1}]')"
check_match "host bits are refused" 'bits set behind' \
	"$(g policy-route-add '"policy-route": [{"dst4": ["10.9.0.1/16"], "group": 1}]')"
check_match "one that is not there is not deleted" 'no policy route with this' \
	"$(policy_del 1 0 10.0.0.0/8 10.9.0.0/16 1)"
check_match "its group cannot go" 'routes lead to the group' "$(g group-del '"id": 2')"
check_match "nothing of all that is left" '"policy-routes": 2' "$(gset gateway-get)"

# A dump of several messages.
many()
{
	local i j list
	for ((i = 0; i < 10; i++)); do
		list=
		for ((j = 0; j < 100; j++)); do
			list+="${list:+, }{\"priority\": 99, \"sequence\": $((i * 100 + j)), \"dst4\": [\"10.9.0.0/16\"], \"group\": 1}"
		done
		echo "policy-route-$1 {\"gateway\": $vgw_ifindex, \"policy-route\": [$list]}"
	done
}
many add | y_many
check_equal "a dump has them all, in order" 1000 "$(g dump policy-route-get |
	grep -o '"priority": 99, "sequence": [0-9]*' | sort -u -k 4n | wc -l)"
check_equal "and an answer names no more than the first ones" 32 \
	"$(g lookup '"dst4": "10.9.0.1"' | grep -o '"result"' | wc -l)"

# The list changes under a load: no packet is lost.
receiver_start there "$dc"
load_start here "$c1" send -t 172.16.0.1 -b 10.1.0.3 -f 50 -r 1000 -d 1.5 -l 3000
sleep 0.3
many del | y_many
many add | y_many
many del | y_many
check_match "no packet is lost while a thousand come and go" \
	'"sent":[0-9]{3,4},.*"forward":."received":[0-9]+,"lost":0,.*"back":."received":[0-9]+,"lost":0' \
	"$(load_wait here)"
check_match "they are gone" '"policy-routes": 2' "$(gset gateway-get)"

# Dead: revoke yields to the routes, reserve keeps and drops.
sa_out_del dc 2
wait_for 3 tunnel_is 2 down
check_equal "on-fail revoke: the prefix has its turn" "2 0" "$(way_of 10.1.0.3)"
policy_add 10 1 10.1.0.3/32 172.16.0.0/16 2 '"on-fail": "reserve"'
before=$(stat_of drop-reserved)
check_not "on-fail reserve: it ends there" ping_from 10.1.0.3
check_equal "and is counted" $((before + 2)) "$(stat_of drop-reserved)"
check_equal "other sources go on" "2 0" "$(way_of 10.1.0.2)"
check_equal "lookup says who holds it" "reserved" "$(lookup 172.16.0.1 '"src4": "10.1.0.3"')"
route_del dynamic 172.16.0.0/16
policy_add 10 1 10.1.0.3/32 172.16.0.0/16 2
before=$(stat_of drop-dead)
check_not "all dead: nothing goes out" ping_from 10.1.0.3
check_equal "as dead, not as a miss" $((before + 2)) "$(stat_of drop-dead)"
route_add system - 172.16.0.0/16
check_equal "nor does a system route take it in clear" "dead" \
	"$(lookup 172.16.0.1 '"src4": "10.1.0.3"')"
sa_out_add dc 2
wait_for 3 tunnel_is 2 up
check_equal "alive again: it is used again" "0 2" "$(way_of 10.1.0.3)"

# Active and standby are members of the group, as for routes (D7).
group_set 2 2:1 1:0
check_equal "the active tunnel carries" "tunnel 2" "$(lookup 172.16.0.1 '"src4": "10.1.0.3"')"
g tunnel-set '"id": 2, "failed": 1'
check_equal "the standby takes over" "tunnel 1" "$(lookup 172.16.0.1 '"src4": "10.1.0.3"')"
g tunnel-set '"id": 2, "failed": 0'

# Generations: what is not refreshed goes with the commit, not before.
gset generation-begin > /dev/null
policy_add 10 1 10.1.0.3/32 172.16.0.0/16 2
check_equal "the other one is stale" 1 "$(g dump policy-route-get | grep -o '"stale": 1' | wc -l)"
check_equal "and forwards still" "tunnel 2" \
	"$(lookup fd16::1 '"src6": "fd01::3"')"
gset generation-commit "\"generation\": $(field generation "$(gset gateway-get)")"
check_match "the commit sweeps it" '"policy-routes": 1' "$(gset gateway-get)"
check_match "what was refreshed stays" '"dst4": \["172.16.0.0/16"\]' "$(g dump policy-route-get)"

# The device goes with its policy routes, and under a load.
load_start last "$c1" send -t 172.16.0.1 -b 10.1.0.3 -f 20 -r 500 -d 1 -l 500
sleep 0.2
check "the device is deleted under a load" ip -n "$gw" link del vgw0
load_stop last > /dev/null
