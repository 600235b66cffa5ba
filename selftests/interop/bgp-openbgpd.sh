#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Our BGP session with OpenBGPD: both directions of connecting, routes of both
# families both ways, communities of all kinds, 4-octet AS numbers, withdrawals,
# End-of-RIB, route refresh, graceful restart, shutdown, TCP MD5, TTL security.
set -u

# shellcheck source=selftests/interop/bgp-lib.sh
. "$(dirname "$0")/bgp-lib.sh"
interop_isolate /usr/sbin/bgpd

# neighbour options, a line each...
bgpd_config()
{
	local option
	cat > "$interop_root/tmp/bgpd.conf" <<-END
	AS $their_as
	router-id 10.99.0.2
	fib-update no
	listen on $their_addr
	socket "/tmp/bgpd.sock"
	network 198.51.100.0/24 set { community 65010:7 large-community 65010:1:2 ext-community rt 65010:9 metric 42 }
	network 203.0.113.0/24
	network 2001:db8:77::/48
	neighbor $our_addr {
		remote-as $our_as
		local-address $their_addr
		announce IPv4 unicast
		announce IPv6 unicast
		announce enhanced refresh yes
		holdtime 30
	END
	for option; do
		echo "	$option" >> "$interop_root/tmp/bgpd.conf"
	done
	cat >> "$interop_root/tmp/bgpd.conf" <<-END
	}
	allow from any
	allow to any
	END
	chmod 600 "$interop_root/tmp/bgpd.conf"
}

bgpd_start()
{
	mkdir -p "$interop_root/run/openbgpd"
	other_start /usr/sbin/bgpd -d -v -f /tmp/bgpd.conf
	wait_for 10 bgpctl show
}

bgpctl() { theirs_root /usr/sbin/bgpctl -s /tmp/bgpd.sock "$@"; }

# prefix, pattern
bgpd_has() { bgpctl show rib detail in "$1" | grep -qE "$2"; }
bgpd_has_not() { ! bgpd_has "$1" "$our_as"; }
bgpd_stale() { bgpctl show rib detail "$1" | grep -q stale; }
bgpd_neighbor() { bgpctl show neighbor $our_addr | grep -qE "$1"; }

established='"event":"established","peer_as":65010,"hold_time":30,"as4":true,"ipv4":true,"ipv6":true,"refresh":true'

test_routes()
{
	bgpd_config
	bgpd_start
	peer_start
	check "session up, capabilities" peer_says 15 "$established,\"graceful_restart\":true"
	check "OpenBGPD agrees" wait_for 5 bgpd_neighbor 'BGP state = Established'
	check "enhanced route refresh agreed" peer_says 1 '"enhanced_refresh":true'
	check "route with MED, communities of all kinds" peer_says 5 \
		'"prefix":"198.51.100.0/24","path":"65010","next_hop":"10.99.0.2","med":42,"communities":\["65010:7"\],"large":\["65010:1:2"\],"extended":\["0002fdf200000009"\]'
	check "second route" peer_says 5 '"prefix":"203.0.113.0/24","path":"65010"'
	# This version announces ::1 as the next hop there.
	check "IPv6 over IPv4: its wrong next hop costs the route, not the session" peer_says 5 \
		'"event":"withdraw","prefix":"2001:db8:77::/48"'
	check "End-of-RIB IPv4" peer_says 5 '"event":"end-of-rib","afi":4'
	check "End-of-RIB IPv6" peer_says 5 '"event":"end-of-rib","afi":6'
	peer_say communities 65001:5 4200000001:3:4 0002fde900000064
	peer_say announce 10.1.0.0/16 5
	peer_say communities
	peer_say announce 10.2.0.0/16 5
	peer_say announce 2001:db8:1::/48
	peer_say eor 4
	peer_say eor 6
	check "our route, AS path" wait_for 5 bgpd_has 10.1.0.0/16 "^ +$our_as"
	check "our next hop" bgpd_has 10.1.0.0/16 "Nexthop $our_addr"
	check "our communities" bgpd_has 10.1.0.0/16 'Communities: 65001:5'
	check "our large community" bgpd_has 10.1.0.0/16 '4200000001:3:4'
	check "our extended community" bgpd_has 10.1.0.0/16 'rt 65001:100'
	check "our IPv6 route" wait_for 5 bgpd_has 2001:db8:1::/48 "Nexthop $our_addr6"
	peer_say withdraw 10.1.0.0/16
	check "our withdrawal" wait_for 5 bgpd_has_not 10.1.0.0/16
	check "the other one stays" bgpd_has 10.2.0.0/16 "$our_as"
	bgpctl network delete 198.51.100.0/24 > /dev/null
	check "their withdrawal" peer_says 5 '"event":"withdraw","prefix":"198.51.100.0/24"'
	# This version answers no request.
	peer_say refresh 4
	check "route refresh asked for by us: refused without harm" wait_for 5 \
		grep -q 'route refresh: AID IPv4 unicast not negotiated' "$work/other"
	check "the session stays" bgpd_neighbor 'BGP state = Established'
	peer_forget
	bgpctl neighbor $our_addr refresh > /dev/null
	check "refresh asked for by the peer" peer_says 5 '"event":"refresh"'
}

test_shutdown()
{
	peer_forget
	bgpctl neighbor $our_addr down "planned work" > /dev/null
	check "their shutdown and its text" peer_says 5 \
		'"reason":"notification-in","code":6,"subcode":2.*planned work'
	peer_forget
	bgpctl neighbor $our_addr up > /dev/null
	check "up again" peer_says 20 "$established"
	peer_say stop firmware update
	check "our shutdown and its text" wait_for 5 grep -q 'firmware update' "$work/other"
	peer_end
	other_stop
}

test_active()
{
	bgpd_config passive
	bgpd_start
	peer_start
	check "only we connect" peer_says 15 "$established"
	peer_say announce 10.3.0.0/16
	peer_say eor 4
	peer_say eor 6
	wait_for 5 bgpd_has 10.3.0.0/16 "$our_as"
	peer_end
	check "our silent end: OpenBGPD keeps our route as stale" wait_for 5 bgpd_stale 10.3.0.0/16
	other_stop
}

test_passive()
{
	bgpd_config
	peer_start --passive
	bgpd_start
	check "only OpenBGPD connects" peer_says 15 "$established"
	peer_end
	other_stop
}

test_wrong_as()
{
	bgpd_config
	bgpd_start
	our_as=65444 peer_start
	check "wrong AS: refused by the peer" wait_for 10 grep -q 'Bad Peer AS' "$work/err"
	peer_end
	other_stop
}

test_protected()
{
	bgpd_config "ttl-security yes" "tcp md5sig password $secret"
	bgpd_start
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
test_wrong_as
test_protected
ktap_end
