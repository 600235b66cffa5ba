#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Our BGP session with GoBGP: routes of both families both ways, communities
# of all kinds, 4-octet AS numbers, withdrawals, End-of-RIB, route refresh,
# graceful restart, shutdown, TCP MD5.
set -u

# shellcheck source=selftests/interop/bgp-lib.sh
. "$(dirname "$0")/bgp-lib.sh"
interop_isolate /usr/bin/gobgpd

# lines of [neighbors.config]...
gobgp_config()
{
	local option family
	cat > "$interop_root/tmp/gobgpd.conf" <<-END
	[global.config]
	  as = $their_as
	  router-id = "10.99.0.2"
	  port = 179
	  local-address-list = ["$their_addr"]
	[[neighbors]]
	  [neighbors.config]
	    neighbor-address = "$our_addr"
	    peer-as = $our_as
	END
	for option; do
		echo "    $option" >> "$interop_root/tmp/gobgpd.conf"
	done
	cat >> "$interop_root/tmp/gobgpd.conf" <<-END
	  [neighbors.timers.config]
	    hold-time = 30
	    keepalive-interval = 10
	    connect-retry = 1
	    idle-hold-time-after-reset = 1
	  [neighbors.transport.config]
	    local-address = "$their_addr"
	    passive-mode = true
	  [neighbors.graceful-restart.config]
	    enabled = true
	    restart-time = 60
	END
	for family in ipv4 ipv6; do
		cat >> "$interop_root/tmp/gobgpd.conf" <<-END
		  [[neighbors.afi-safis]]
		    [neighbors.afi-safis.config]
		      afi-safi-name = "$family-unicast"
		    [neighbors.afi-safis.mp-graceful-restart.config]
		      enabled = true
		END
	done
}

gobgp_start()
{
	other_start /usr/bin/gobgpd -f /tmp/gobgpd.conf -l debug -p
	wait_for 10 gobgp global
}

gobgp() { theirs_root /usr/bin/gobgp "$@"; }

gobgp_routes()
{
	gobgp global rib add 198.51.100.0/24 aspath 4200000123 med 42 community 65010:7 \
		large-community 65010:1:2 rt 65010:9
	gobgp global rib add 203.0.113.0/24
	gobgp global rib add -a ipv6 2001:db8:77::/48 nexthop $their_addr6
}

# prefix, pattern
gobgp_has()
{
	local family=ipv4
	case $1 in
	*:*) family=ipv6 ;;
	esac
	gobgp neighbor $our_addr adj-in -a $family "$1" | grep -qE "$2"
}
gobgp_has_not() { ! gobgp_has "$1" "$our_as"; }
gobgp_stale() { gobgp global rib "$1" | grep -q '^\*\?.*S.*'"$1"; }
gobgp_neighbor() { gobgp neighbor $our_addr | grep -qE "$1"; }

established='"event":"established","peer_as":65010,"hold_time":30,"as4":true,"ipv4":true,"ipv6":true,"refresh":true'

test_routes()
{
	gobgp_config
	gobgp_start
	gobgp_routes
	peer_start
	check "session up, capabilities" peer_says 15 "$established,\"graceful_restart\":true"
	check "GoBGP agrees" wait_for 5 gobgp_neighbor 'BGP state = (BGP_FSM_)?ESTABLISHED'
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
	check "our route, AS path" wait_for 5 gobgp_has 10.1.0.0/16 "$our_addr +$our_as"
	check "our communities" gobgp_has 10.1.0.0/16 'Communities: 65001:5'
	check "our large community" gobgp_has 10.1.0.0/16 '4200000001:3:4'
	check "our extended community" gobgp_has 10.1.0.0/16 '65001:100'
	check "our IPv6 route" wait_for 5 gobgp_has 2001:db8:1::/48 "$our_addr6 +$our_as"
	peer_say withdraw 10.1.0.0/16
	check "our withdrawal" wait_for 5 gobgp_has_not 10.1.0.0/16
	check "the other one stays" gobgp_has 10.2.0.0/16 "$our_as"
	gobgp global rib del 198.51.100.0/24
	check "their withdrawal" peer_says 5 '"event":"withdraw","prefix":"198.51.100.0/24"'
	peer_forget
	peer_say refresh 4
	check "route refresh: told again" peer_says 5 '"event":"route","prefix":"203.0.113.0/24"'
}

# It has just lost us, without a word.
test_graceful()
{
	peer_end
	check "our silent end: GoBGP keeps our route as stale" wait_for 5 gobgp_stale 10.2.0.0/16
	other_stop
}

test_shutdown()
{
	gobgp_config
	gobgp_start
	peer_start
	peer_says 15 "$established" > /dev/null
	peer_say stop firmware update
	check "our shutdown and its text" wait_for 5 grep -qE 'firmware update' "$work/other"
	peer_say start
	peer_end
	other_stop
	gobgp_config
	gobgp_start
	peer_start
	peer_says 15 "$established" > /dev/null
	gobgp neighbor $our_addr shutdown --reason planned > /dev/null
	check "their shutdown and its text" peer_says 5 \
		'"reason":"notification-in","code":6,"subcode":2.*planned'
	peer_end
	other_stop
}

test_wrong_as()
{
	gobgp_config
	gobgp_start
	our_as=65444 peer_start
	check "wrong AS: refused by the peer" wait_for 10 grep -q 'Bad Peer AS' "$work/err"
	peer_end
	other_stop
}

test_protected()
{
	gobgp_config "auth-password = \"$secret\""
	gobgp_start
	peer_start --md5 "$secret"
	if wait_for 1 grep -q 'Protocol not available' "$work/err"; then
		ktap_skip "MD5" "no TCP MD5 in this kernel"
	else
		check "MD5" peer_says 15 "$established"
	fi
	peer_end
	other_stop
}

ktap_begin
interop_setup
test_routes
test_graceful
test_shutdown
test_wrong_as
test_protected
ktap_end
