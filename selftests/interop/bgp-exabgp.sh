#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Our BGP session with ExaBGP, whose daemon connects: routes of both families
# both ways, communities of all kinds, 4-octet AS numbers, withdrawals,
# End-of-RIB, route refresh, its NOTIFICATION and ours, TCP MD5.
set -u

# shellcheck source=selftests/interop/bgp-lib.sh
. "$(dirname "$0")/bgp-lib.sh"
interop_isolate /usr/sbin/python3-exabgp

exa_graceful="graceful-restart 60;"

# neighbour options, a line each...
exa_config()
{
	local option
	# What it hears goes to a file, what is written to another one are commands.
	cat > "$interop_root/tmp/exa-api" <<-'END'
	#!/bin/sh
	exec 3<&0
	cat <&3 > /tmp/exa.heard &
	exec tail -n +1 -f /tmp/exa.commands
	END
	chmod 755 "$interop_root/tmp/exa-api"
	: > "$interop_root/tmp/exa.commands"
	: > "$interop_root/tmp/exa.heard"
	cat > "$interop_root/tmp/exa.conf" <<-END
	process api {
		run /tmp/exa-api;
		encoder json;
	}
	neighbor $our_addr {
		router-id 10.99.0.2;
		local-address $their_addr;
		local-as $their_as;
		peer-as $our_as;
		hold-time 30;
	END
	for option; do
		echo "	$option;" >> "$interop_root/tmp/exa.conf"
	done
	cat >> "$interop_root/tmp/exa.conf" <<-END
		capability { asn4 enable; route-refresh enable; $exa_graceful }
		family { ipv4 unicast; ipv6 unicast; }
		api {
			processes [ api ];
			neighbor-changes;
			receive { parsed; update; refresh; }
		}
		static {
			route 198.51.100.0/24 next-hop $their_addr as-path [ 65010 4200000123 ] med 42 community [ 65010:7 ] large-community [ 65010:1:2 ] extended-community [ target:65010:9 ];
			route 203.0.113.0/24 next-hop $their_addr as-path [ 65010 ];
			route 2001:db8:77::/48 next-hop $their_addr6 as-path [ 65010 ];
		}
	}
	END
}

exa_start()
{
	other_start /usr/bin/env exabgp.daemon.user=root exabgp.daemon.daemonize=false \
		exabgp.api.cli=false exabgp.log.all=true /usr/sbin/python3-exabgp /tmp/exa.conf
}

exa() { echo "$*" >> "$interop_root/tmp/exa.commands"; }

# pattern: an event of its.
exa_heard() { wait_for 5 grep -qE "$1" "$interop_root/tmp/exa.heard"; }

established='"event":"established","peer_as":65010,"hold_time":30,"as4":true,"ipv4":true,"ipv6":true,"refresh":true'

test_routes()
{
	exa_config
	exa_start
	peer_start --passive
	check "session up, capabilities" peer_says 15 "$established,\"graceful_restart\":true"
	check "ExaBGP agrees" exa_heard '"state": "up"'
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
	peer_say announce 2001:db8:1::/48
	peer_say eor 4
	peer_say eor 6
	check "our route, AS path" exa_heard "\"as-path\": \[ $our_as \].*10\.1\.0\.0/16"
	check "our communities" exa_heard '"community": \[ \[ 65001, 5 \] \].*10\.1\.0\.0/16'
	check "our large community" exa_heard '"large-community": \[ \[ 4200000001, 3 , 4 \] \].*10\.1\.0\.0/16'
	check "our extended community" exa_heard 'target:65001:100.*10\.1\.0\.0/16'
	check "our IPv6 route" exa_heard "$our_addr6\".*2001:db8:1::/48"
	check "our End-of-RIB" exa_heard '"eor": .*"ipv6"'
	peer_say withdraw 10.1.0.0/16
	check "our withdrawal" exa_heard '"withdraw": .*10\.1\.0\.0/16'
	exa "withdraw route 198.51.100.0/24 next-hop $their_addr"
	check "their withdrawal" peer_says 5 '"event":"withdraw","prefix":"198.51.100.0/24"'
	peer_forget
	peer_say refresh 4
	check "route refresh: told again" peer_says 5 '"event":"route","prefix":"203.0.113.0/24"'
	exa "announce route-refresh ipv4 unicast"
	check "refresh asked for by the peer" peer_says 5 '"event":"refresh"'
}

# With graceful restart it would close without a word.
test_notifications()
{
	peer_end
	other_stop
	exa_graceful="" exa_config
	exa_start
	peer_start --passive
	peer_says 15 "$established,\"graceful_restart\":false" > /dev/null
	peer_forget
	exa "neighbor $our_addr teardown 4"
	check "their reset" peer_says 5 '"reason":"notification-in","code":6,"subcode":4'
	check "up again" peer_says 20 "$established"
	peer_say stop firmware update
	# This version ends the session with a complaint of its own: it cannot show a NOTIFICATION.
	check "our shutdown" exa_heard '"state": "down".*(notification received|of type ."3)'
	peer_end
	other_stop
}

test_wrong_as()
{
	exa_config
	exa_start
	our_as=65444 peer_start --passive
	check "wrong AS: told by somebody" wait_for 10 grep -qi 'peer as' "$work/err"
	peer_end
	other_stop
}

test_protected()
{
	exa_config "md5-password \"$secret\""
	exa_start
	peer_start --passive --md5 "$secret"
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
test_notifications
test_wrong_as
test_protected
ktap_end
