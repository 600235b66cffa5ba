#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Our BGP session with FRR's bgpd: both directions of connecting, routes of
# both families both ways, 4-octet AS numbers, withdrawals, End-of-RIB, route
# refresh, graceful restart also over NOTIFICATIONs, shutdown, extended messages,
# TCP MD5, TTL security.
set -u

# shellcheck source=selftests/interop/bgp-lib.sh
. "$(dirname "$0")/bgp-lib.sh"
interop_isolate /usr/lib/frr/bgpd

# neighbour options, a line each...
frr_config()
{
	local option
	cat > "$interop_root/tmp/bgpd.conf" <<-END
	log file /tmp/bgpd.log debugging
	debug bgp neighbor-events
	router bgp $their_as
	 bgp router-id 10.99.0.2
	 no bgp ebgp-requires-policy
	 no bgp network import-check
	 bgp graceful-restart
	 timers connect 2
	 neighbor $our_addr remote-as $our_as
	 neighbor $our_addr disable-connected-check
	 neighbor $our_addr timers 10 30
	 neighbor $our_addr timers connect 1
	 neighbor $our_addr advertisement-interval 0
	END
	for option; do
		echo " neighbor $our_addr $option" >> "$interop_root/tmp/bgpd.conf"
	done
	cat >> "$interop_root/tmp/bgpd.conf" <<-END
	 address-family ipv4 unicast
	  network 198.51.100.0/24 route-map decorate
	  network 203.0.113.0/24
	  neighbor $our_addr activate
	  neighbor $our_addr soft-reconfiguration inbound
	 exit-address-family
	 address-family ipv6 unicast
	  network 2001:db8:77::/48
	  neighbor $our_addr activate
	  neighbor $our_addr route-map hop6 out
	 exit-address-family
	route-map decorate permit 10
	 set as-path prepend 4200000123
	 set community 65010:7
	 set large-community 65010:1:2
	 set extcommunity rt 65010:9
	 set metric 42
	route-map hop6 permit 10
	 set ipv6 next-hop global $their_addr6
	END
}

frr_start()
{
	mkdir -p "$interop_root/run/frr"
	rm -f "$interop_root/tmp/bgpd.log"
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

# prefix, pattern
frr_has()
{
	local family=ipv4
	case $1 in
	*:*) family=ipv6 ;;
	esac
	frr "show bgp $family unicast $1" | grep -q "$2"
}

frr_has_not()
{
	! frr_has "$1" "$our_as"
}

frr_has_not_stale()
{
	frr_has "$1" "$our_as" && ! frr_has "$1" stale
}

frr_neighbor()
{
	frr "show bgp neighbors $our_addr" | grep -qE "$1"
}

established='"event":"established","peer_as":65010,"hold_time":30,"as4":true,"ipv4":true,"ipv6":true,"refresh":true'

test_routes()
{
	frr_config
	frr_start
	peer_start
	check "session up, capabilities" peer_says 15 "$established,\"graceful_restart\":true"
	check "FRR agrees" wait_for 5 frr_neighbor 'BGP state = Established'
	check "route with a 4-octet AS, MED, communities of all kinds" peer_says 5 \
		'"prefix":"198.51.100.0/24","path":"65010 4200000123","next_hop":"10.99.0.2","med":42,"communities":\["65010:7"\],"large":\["65010:1:2"\],"extended":\["0002fdf200000009"\]'
	check "second route" peer_says 5 '"prefix":"203.0.113.0/24","path":"65010"'
	check "IPv6 route over IPv4" peer_says 5 \
		'"prefix":"2001:db8:77::/48","path":"65010","next_hop":"fd00:99::2"'
	check "End-of-RIB IPv4" peer_says 5 '"event":"end-of-rib","afi":4'
	check "End-of-RIB IPv6" peer_says 5 '"event":"end-of-rib","afi":6'
	peer_say communities 65001:5 4200000001:3:4 0002fde900000064
	peer_say announce 10.1.0.0/16 5
	peer_say communities
	peer_say announce 10.2.0.0/16 5
	peer_say announce 2001:db8:1::/48
	peer_say eor 4
	peer_say eor 6
	check "our route, AS path" wait_for 5 frr_has 10.1.0.0/16 "^  $our_as"
	check "our next hop" frr_has 10.1.0.0/16 "^    $our_addr"
	check "our communities" frr_has 10.1.0.0/16 'Community: 65001:5'
	check "our large community" frr_has 10.1.0.0/16 4200000001:3:4
	check "our extended community" frr_has 10.1.0.0/16 RT:65001:100
	check "our IPv6 route" wait_for 5 frr_has 2001:db8:1::/48 "^    $our_addr6"
	check "our End-of-RIB" wait_for 5 frr_neighbor 'End-of-RIB received: *IPv4'
	peer_say withdraw 10.1.0.0/16
	check "our withdrawal" wait_for 5 frr_has_not 10.1.0.0/16
	check "the other one stays" frr_has 10.2.0.0/16 "^  $our_as"
	frr "configure terminal" "router bgp $their_as" "address-family ipv4 unicast" \
		"no network 198.51.100.0/24" > /dev/null
	check "their withdrawal" peer_says 5 '"event":"withdraw","prefix":"198.51.100.0/24"'
	peer_forget
	peer_say refresh 4
	check "route refresh: told again" peer_says 5 '"event":"route","prefix":"203.0.113.0/24"'
	frr "clear bgp ipv4 unicast $our_addr in" > /dev/null
	frr "configure terminal" "router bgp $their_as" "address-family ipv4 unicast" \
		"no neighbor $our_addr soft-reconfiguration inbound" > /dev/null
	frr "clear bgp ipv4 unicast $our_addr in" > /dev/null
	check "refresh asked for by the peer" peer_says 5 '"event":"refresh"'
}

test_shutdown()
{
	peer_forget
	frr "configure terminal" "router bgp $their_as" \
		"neighbor $our_addr shutdown message planned work" > /dev/null
	check "their shutdown and its text" peer_says 5 \
		'"reason":"notification-in","code":6,"subcode":2.*planned work'
	peer_forget
	frr "configure terminal" "router bgp $their_as" \
		"no neighbor $our_addr shutdown" > /dev/null
	check "up again" peer_says 20 "$established"
	peer_say stop firmware update
	check "our shutdown and its text" wait_for 5 frr_neighbor \
		'Message: "firmware update"|Administrative Shutdown'
	peer_end
	other_stop
}

test_active()
{
	frr_config passive
	frr_start
	peer_start
	check "only we connect" peer_says 15 "$established"
	peer_end
	other_stop
}

test_passive()
{
	frr_config
	frr_start
	peer_start --passive
	check "only FRR connects" peer_says 15 "$established"
	peer_say announce 10.3.0.0/16
	wait_for 5 frr_has 10.3.0.0/16 "^  $our_as"
	peer_end
	check "our silent end: FRR keeps our route as stale" wait_for 5 frr_has 10.3.0.0/16 stale
	other_stop
}

# RFC 8538: a reset is survived, a shutdown (Hard Reset) is not; RFC 8654.
test_graceful()
{
	frr_config
	frr_start
	peer_start --passive --graceful-notification --extended
	check "graceful NOTIFICATION agreed" peer_says 20 \
		"$established.*\"graceful_notification\":true"
	check "extended messages agreed" peer_says 1 '"extended_message":true'
	peer_say announce 10.4.0.0/16
	peer_say eor 4
	peer_say eor 6
	wait_for 5 frr_has 10.4.0.0/16 "^  $our_as"
	peer_forget
	peer_say reset
	check "our reset: FRR keeps our route as stale" wait_for 5 frr_has 10.4.0.0/16 stale
	peer_say start
	check "up again" peer_says 20 "$established"
	peer_say announce 10.4.0.0/16
	peer_say eor 4
	peer_say eor 6
	wait_for 5 frr_has_not_stale 10.4.0.0/16
	peer_forget
	peer_say stop for good
	check "our shutdown: FRR does not" wait_for 5 frr_has_not 10.4.0.0/16
	check "since it was a Hard Reset" wait_for 5 frr_neighbor 'Hard Reset'
	peer_end
	other_stop
}

test_wrong_as()
{
	frr_config
	frr_start
	our_as=65444 peer_start
	check "wrong AS: refused by the peer" wait_for 10 grep -q 'Bad Peer AS' "$work/err"
	peer_end
	other_stop
}

test_protected()
{
	frr_config "ttl-security hops 1" "password $secret"
	frr_start
	peer_start --gtsm --md5 "$secret"
	if wait_for 1 grep -q 'Protocol not available' "$work/err"; then
		ktap_skip "MD5 and TTL security" "no TCP MD5 in this kernel"
	else
		check "MD5 and TTL security" peer_says 15 "$established"
	fi
	peer_end
	other_stop
}

ktap_begin
interop_setup
test_routes
test_shutdown
test_active
test_passive
test_graceful
test_wrong_as
test_protected
ktap_end
