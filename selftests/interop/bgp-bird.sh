#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Our BGP session with BIRD: both directions of connecting, routes of both
# families both ways, 4-octet AS numbers, withdrawals, End-of-RIB, route
# refresh, shutdown, extended messages, IPv4 with IPv6 next hops, TCP MD5, TTL
# security.
set -u

# shellcheck source=selftests/interop/bgp-lib.sh
. "$(dirname "$0")/bgp-lib.sh"
interop_isolate /usr/sbin/bird

# Options of the IPv4 channel.
bird_ipv4=

# protocol options...
bird_config()
{
	cat > "$interop_root/tmp/bird.conf" <<-END
	log "/tmp/bird.log" all;
	router id 10.99.0.2;
	protocol device { }
	protocol static static4 {
		ipv4;
		route 198.51.100.0/24 unreachable;
		route 203.0.113.0/24 unreachable;
	}
	protocol static static6 {
		ipv6;
		route 2001:db8:77::/48 unreachable;
	}
	filter outgoing {
		if net = 198.51.100.0/24 then {
			bgp_path.prepend(4200000123);
			bgp_community.add((65010, 7));
			bgp_large_community.add((65010, 1, 2));
			bgp_ext_community.add((rt, 65010, 9));
			bgp_med = 42;
		}
		accept;
	}
	protocol bgp ours {
		local ${bird_local:-$their_addr} as $their_as;
		neighbor ${bird_neighbor:-$our_addr} as $our_as;
		graceful restart on;
		connect retry time 1;
		connect delay time 1;
		error wait time 1, 2;
		$*
		ipv4 {
			import all; export filter outgoing; next hop self;
			$bird_ipv4
		};
		ipv6 { import all; export filter outgoing; next hop address $their_addr6; };
	}
	END
}

bird_start()
{
	other_start /usr/sbin/bird -f -c /tmp/bird.conf -s /tmp/bird.ctl
	wait_for 10 birdc show status
}

birdc()
{
	theirs_root /usr/sbin/birdc -s /tmp/bird.ctl "$@"
}

# prefix, pattern in the details
bird_has()
{
	birdc show route "$1" all protocol ours | grep -q "$2"
}

bird_has_not()
{
	! bird_has "$1" BGP
}

bird_up()
{
	birdc show protocols ours | grep -q Established
}

bird_not_up()
{
	! bird_up
}

# The peer's side may be in its waiting time after an error.
established='"event":"established","peer_as":65010,"hold_time":30,"as4":true,"ipv4":true,"ipv6":true,"refresh":true'

test_routes()
{
	bird_config
	bird_start || exit 1
	peer_start
	check "session up, capabilities" peer_says 15 "$established,\"graceful_restart\":true"
	check "BIRD agrees" wait_for 5 bird_up
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
	check "our route, AS path" wait_for 5 bird_has 10.1.0.0/16 "BGP.as_path: $our_as"
	check "our next hop" bird_has 10.1.0.0/16 "BGP.next_hop: $our_addr"
	check "our communities" bird_has 10.1.0.0/16 '(65001,5)'
	check "our large community" bird_has 10.1.0.0/16 '(4200000001, 3, 4)'
	check "our extended community" bird_has 10.1.0.0/16 '(rt, 65001, 100)'
	check "our IPv6 route" wait_for 5 bird_has 2001:db8:1::/48 "BGP.next_hop: $our_addr6"
	peer_say withdraw 10.1.0.0/16
	check "our withdrawal" wait_for 5 bird_has_not 10.1.0.0/16
	check "the other one stays" bird_has 10.2.0.0/16 "BGP.as_path: $our_as"
	birdc disable static4 > /dev/null
	check "their withdrawal" peer_says 5 '"event":"withdraw","prefix":"198.51.100.0/24"'
	birdc enable static4 > /dev/null
	peer_says 5 '"event":"route","prefix":"198.51.100.0/24"'
	peer_forget
	peer_say refresh 4
	check "route refresh, its end marked" peer_says 5 '"event":"refresh-end","afi":4'
	check "routes told again" peer_says 5 '"event":"route","prefix":"203.0.113.0/24"'
	birdc reload in ours > /dev/null
	check "refresh asked for by the peer" peer_says 5 '"event":"refresh"'
}

test_shutdown()
{
	birdc disable ours '"planned work"' > /dev/null
	check "their shutdown and its text" peer_says 5 \
		'"reason":"notification-in","code":6,"subcode":2.*planned work'
	peer_forget
	birdc enable ours > /dev/null
	check "up again" peer_says 20 "$established"
	peer_say stop firmware update
	check "our shutdown and its text" wait_for 5 grep -q \
		'Received: Administrative shutdown: "firmware update"' "$interop_root/tmp/bird.log"
	peer_end
	other_stop
}

test_active()
{
	bird_config "passive on;"
	bird_start
	peer_start
	check "only we connect" peer_says 15 "$established"
	peer_end
	other_stop
}

test_passive()
{
	bird_config
	rm -f "$interop_root/tmp/bird.log"
	bird_start
	peer_start --passive
	check "only BIRD connects" peer_says 15 "$established"
	peer_end
	check "our silent end is seen" wait_for 5 bird_not_up
	check_not "and is no NOTIFICATION" grep 'ours: Received' "$interop_root/tmp/bird.log"
	other_stop
}

bird_counts()
{
	birdc show route count protocol ours | grep -q "$1 of"
}

# RFC 8654: one attribute set, so that the prefixes fill messages.
test_extended()
{
	local i
	bird_config "enable extended messages on;"
	bird_start
	peer_start --extended
	check "extended messages agreed" peer_says 15 "$established.*\"extended_message\":true"
	for i in {0..2999}; do
		echo "announce 10.$((i / 250)).$((i % 250)).0/24"
	done >&8
	peer_say eor 4
	check "many routes in long messages" wait_for 10 bird_counts 3000
	check "and no complaint" bird_up
	peer_end
	other_stop
}

# RFC 8950: IPv4 routes over IPv6.
test_next_hop6()
{
	bird_ipv4="extended next hop on;" bird_local=$their_addr6 bird_neighbor=$our_addr6 \
		bird_config
	bird_start
	peer_start --local $our_addr6 --peer $their_addr6 --next-hop-capability
	check "IPv6 next hops agreed" peer_says 15 "$established.*\"extended_next_hop\":true"
	check "their IPv4 route" peer_says 5 \
		'"prefix":"203.0.113.0/24","path":"65010","next_hop":"fd00:99::2"'
	peer_say announce 10.1.0.0/16
	check "our IPv4 route" wait_for 5 bird_has 10.1.0.0/16 "BGP.next_hop: $our_addr6"
	peer_say withdraw 10.1.0.0/16
	check "and its end" wait_for 5 bird_has_not 10.1.0.0/16
	peer_end
	other_stop
}

test_wrong_as()
{
	bird_config
	bird_start
	our_as=65444 peer_start
	check "wrong AS: refused by the peer" wait_for 10 \
		grep -q 'Bad peer AS' "$interop_root/tmp/bird.log"
	check "and told here" wait_for 5 grep -q 'Bad Peer AS' "$work/err"
	peer_end
	other_stop
}

test_protected()
{
	bird_config "ttl security on; password \"$secret\";"
	bird_start
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
test_extended
test_next_hop6
test_wrong_as
test_protected
ktap_end
