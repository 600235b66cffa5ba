#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Transit peers with FRR's bgpd: as a route reflector (iBGP) between two gateways and a
# router of the domain, and as a transit router of another AS (eBGP). The gateways' module
# is a model, everything else is real.
set -u

# shellcheck source=selftests/interop/bgp-lib.sh
. "$(dirname "$0")/bgp-lib.sh"
interop_peer=${TRANSIT_PEER:-$interop_top/build/tests/transit_peer}
interop_isolate /usr/lib/frr/bgpd

router=${BGP_PEER:-$interop_top/build/tests/bgp_peer}
[ -x "$router" ] || ktap_skip_all "no $router, build the agent's tests first"

# One network of the domain, a bridge in FRR's namespace: .1 FRR, .11 and .12 the gateways,
# .13 a router that only the reflector knows.
domain_setup()
{
	interop_setup
	theirs ip link set v1 down
	theirs ip link add br0 type bridge
	theirs ip address add 10.0.0.1/24 dev br0
	theirs ip link set br0 up
	local i pid
	for i in 11 12 13; do
		unshare --net sleep infinity &
		pid=$!
		eval "pid$i=$pid"
		wait_for 5 differs $pid || exit 1
		theirs ip link add p$i type veth peer name eth1 netns $pid
		theirs ip link set p$i master br0
		theirs ip link set p$i up
		nsenter --net=/proc/$pid/ns/net ip link set lo up
		nsenter --net=/proc/$pid/ns/net ip address add 10.0.0.$i/24 dev eth1
		nsenter --net=/proc/$pid/ns/net ip link set eth1 up
	done
}

differs()
{
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/$$/ns/net)" ]
}

# N command...: in the namespace of 10.0.0.N
at()
{
	local pid=pid$1
	shift
	nsenter --net="/proc/${!pid}/ns/net" "$@"
}

# as of FRR, options of the neighbours...
frr_start()
{
	local as=$1 i option
	shift
	{
		cat <<-END
		log file /tmp/bgpd.log debugging
		router bgp $as
		 bgp router-id 10.0.0.1
		 no bgp ebgp-requires-policy
		 no bgp network import-check
		 bgp graceful-restart
		 timers connect 2
		END
		for i in 11 12 13; do
			echo " neighbor 10.0.0.$i remote-as 65000"
			echo " neighbor 10.0.0.$i timers connect 1"
			echo " neighbor 10.0.0.$i disable-connected-check"
			echo " neighbor 10.0.0.$i advertisement-interval 0"
		done
		cat <<-END
		 address-family ipv4 unicast
		  network 10.100.0.0/16
		  maximum-paths 4
		END
		for i in 11 12 13; do
			for option; do
				echo "  neighbor 10.0.0.$i $option"
			done
		done
	} > "$interop_root/tmp/bgpd.conf"
	mkdir -p "$interop_root/run/frr"
	other_start /usr/lib/frr/bgpd -Z -n -S -f /tmp/bgpd.conf -i /tmp/bgpd.pid \
		--vty_socket /run/frr -A 127.0.0.1
	wait_for 10 frr "show version"
}

# vtysh command...
frr()
{
	local args=() command
	for command; do
		args+=(-c "$command")
	done
	theirs_root /usr/bin/vtysh -d bgpd --vty_socket /run/frr "${args[@]}"
}

# prefix, extended regular expression
frr_has()
{
	frr "show bgp ipv4 unicast $1" | grep -qE "$2"
}

frr_has_not()
{
	! frr_has "$@"
}

# as of FRR: one file for each gateway
configs()
{
	local i
	for i in 11 12; do
		cat > "$work/gw$i.yaml" <<-END
		gateway: {local-asn: 65000, router-id: 10.0.0.$i}
		customer-gateways:
		  - {name: cg1, address: 198.51.100.2, asn: 65001}
		  - {name: cg2, address: 198.51.100.3, asn: 65002}
		connections:
		  - {name: c1, customer-gateway: cg1, bgp: {}, tunnels: [{name: t1, inside-cidr: 169.254.21.0/30}]}
		  - {name: c2, customer-gateway: cg2, bgp: {}, tunnels: [{name: t2, inside-cidr: 169.254.21.4/30}]}
		static-routes:
		  - {prefix: 10.3$((i - 10)).0.0/16, connection: c1}
		transit-peers:
		  - {name: frr, asn: $1, interface: eth1, local-address: 10.0.0.$i, peer-address: 10.0.0.1, bgp: {connect-retry: 1}}
		END
	done
}

# N [kept]
gateway_start()
{
	rm -f "$work/in$1"
	mkfifo "$work/in$1"
	: > "$work/out$1"
	# An exec of nsenter, so that the number is that of the gateway.
	local pid=pid$1
	nsenter --net="/proc/${!pid}/ns/net" "$interop_peer" "$work/gw$1.yaml" "${2:-}" \
		< "$work/in$1" >> "$work/out$1" 2>> "$work/err" 7>&- 8>&- 9>&- &
	eval "gateway$1=$!"
	case $1 in
	11) exec 7> "$work/in11" ;;
	12) exec 9> "$work/in12" ;;
	esac
}

# N command line...
say()
{
	case $1 in
	11) shift; echo "$*" >&7 ;;
	12) shift; echo "$*" >&9 ;;
	esac
}

gateway_kill()
{
	local pid=gateway$1
	kill -9 "${!pid}"
	wait "${!pid}" 2> /dev/null
	case $1 in
	11) exec 7>&- ;;
	12) exec 9>&- ;;
	esac
}

# N pattern: among our routes in the system table
table_has()
{
	at "$1" ip route show proto 118 | grep -qE "$2"
}

table_has_not()
{
	! table_has "$1" "$2"
}

# N pattern: what the sites of the gateway hear
sites_hear()
{
	: > "$work/out$1"
	say "$1" sites
	wait_for 2 grep -q '"end"' "$work/out$1" && grep -qE "$2" "$work/out$1"
}

sites_hear_not()
{
	! sites_hear "$1" "$2"
}

routers_start()
{
	rm -f "$work/in"
	mkfifo "$work/in"
	: > "$work/out"
	at 13 "$router" --local 10.0.0.13 --peer 10.0.0.1 --local-as 65000 --peer-as "$1" \
		--id 10.0.0.13 < "$work/in" >> "$work/out" 2>> "$work/err" 7>&- 9>&- &
	router_pid=$!
	exec 8> "$work/in"
	peer_says 15 '"event":"established"'
}

everybody_stops()
{
	exec 8>&-
	wait "$router_pid"
	gateway_kill 11
	gateway_kill 12
	other_stop
	at 11 ip route flush proto 118
	at 12 ip route flush proto 118
}

# FRR reflects: AS 65000 all over.
test_reflector()
{
	configs 65000
	frr_start 65000 route-reflector-client
	routers_start 65000
	gateway_start 11
	gateway_start 12
	say 11 site 1 10.20.0.0/16 5
	say 12 site 1 10.20.0.0/16 5
	say 12 site 2 10.21.0.0/16
	check "iBGP: a site's route, with its path, metric, preference and mark" wait_for 20 frr_has \
		10.20.0.0/16 '^  65001'
	check "iBGP: from both gateways, next hop self" wait_for 5 frr_both 10.20.0.0/16
	check "iBGP: MED and LOCAL_PREF" frr_has 10.20.0.0/16 'metric 5, localpref 100'
	check "iBGP: the mark" frr_has 10.20.0.0/16 65000:1986492209:65001
	check "iBGP: a static route, path empty" wait_for 5 frr_has 10.31.0.0/16 '^  Local'
	check "iBGP: the reflector's own route is in the system table" wait_for 5 table_has 11 \
		'^10.100.0.0/16 via 10.0.0.1 dev eth1 metric 5001'
	peer_say announce 10.101.0.0/16
	check "iBGP: a reflected route keeps its next hop" wait_for 5 table_has 12 \
		'^10.101.0.0/16 via 10.0.0.13 dev eth1 metric 5013'
	check "iBGP: the sites hear it" sites_hear 12 '"told":"10.101.0.0/16","path":""'
	check "iBGP: another gateway's site comes in nowhere" table_has_not 11 10.21.0.0/16
	check "iBGP: and is not told to the sites" sites_hear_not 11 10.21.0.0/16
	check "iBGP: but to the router" peer_says 5 '"prefix":"10.21.0.0/16","path":"65002","next_hop":"10.0.0.12"'
	say 12 drain 2
	check "iBGP: a drained tunnel says graceful-shutdown" wait_for 5 frr_has 10.21.0.0/16 \
		'graceful-shutdown|65535:0'
	check "iBGP: and the preference falls" frr_has 10.21.0.0/16 'localpref 0'
	say 12 undrain 2
	check "iBGP: taken back" wait_for 5 frr_has 10.21.0.0/16 'localpref 100'
	say 11 gone 1 10.20.0.0/16
	check "iBGP: a withdrawal" wait_for 5 frr_one 10.20.0.0/16
	say 11 site 1 10.20.0.0/16 5
	wait_for 5 frr_both 10.20.0.0/16
}

frr_both()
{
	frr_has "$1" '^    10.0.0.11' && frr_has "$1" '^    10.0.0.12'
}

frr_one()
{
	frr_has_not "$1" '^    10.0.0.11' && frr_has "$1" '^    10.0.0.12'
}

# The death of the agent: FRR keeps its routes, the system table too, until it is back.
test_restart()
{
	gateway_kill 12
	check "killed: FRR keeps the routes as stale" wait_for 5 frr_has 10.21.0.0/16 stale
	check "killed: the system table keeps the domain's" table_has 12 10.101.0.0/16
	peer_say withdraw 10.101.0.0/16
	gateway_start 12 kept
	say 12 site 1 10.20.0.0/16 5
	say 12 site 2 10.21.0.0/16
	check "back: fresh again" wait_for 20 frr_fresh 10.21.0.0/16
	check "back: what the domain took back meanwhile is swept" wait_for 5 table_has_not 12 \
		10.101.0.0/16
	check "back: what it still has stayed" table_has 12 '^10.100.0.0/16 via 10.0.0.1'
	check "back: what the agent no longer has is gone from FRR, what it has is there" frr_both \
		10.20.0.0/16
	everybody_stops
}

frr_fresh()
{
	frr_has "$1" '10.0.0.12' && frr_has_not "$1" stale
}

# FRR is a transit router of AS 64999; the router beside it is in ours.
test_external()
{
	configs 64999
	frr_start 64999
	routers_start 64999
	gateway_start 11
	gateway_start 12
	say 11 site 1 10.20.0.0/16 5
	say 12 site 1 10.20.0.0/16 5
	check "eBGP: our AS and then the site's" wait_for 20 frr_has 10.20.0.0/16 '^  65000 65001'
	check "eBGP: both gateways are ways to it" wait_for 5 frr_has 10.20.0.0/16 multipath
	check "eBGP: no metric of the site's" frr_has_not 10.20.0.0/16 'metric 5'
	check "eBGP: the domain's route" wait_for 5 table_has 11 \
		'^10.100.0.0/16 via 10.0.0.1 dev eth1 metric 5001'
	check "eBGP: the sites hear the path" sites_hear 11 '"told":"10.100.0.0/16","path":"64999"'
	check "eBGP: what the other gateway had from its site comes in nowhere" table_has_not 11 \
		10.20.0.0/16
	theirs ip link set p11 down
	check "its link fails: the domain's route goes" wait_for 10 table_has_not 11 10.100.0.0/16
	check "and the sites are not told it any more" sites_hear_not 11 10.100.0.0/16
	theirs ip link set p11 up
	check "it comes back" wait_for 20 table_has 11 10.100.0.0/16
	everybody_stops
}

ktap_begin
domain_setup
test_reflector
test_restart
test_external
ktap_end
