#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The netlink family: what it refuses, where it points and what it says; all or
# nothing; dumps, generations, quota, events, permissions.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc
tunnel_make dc 1
tunnel_make dc 2
gateway_make
lo=1 x1=$(ifindex_of "$gw" ipsec1) x2=$(ifindex_of "$gw" ipsec2)

# name, error, text, path of the attribute (- for none), operation, JSON
refused()
{
	local seen
	seen=$(y "$5" "$6")
	check_equal "refused: $1" "$2, $3, ${4#-}" \
		"$(field error "$seen"), $(sed -E 's/.*"text": "([^"]*)".*/\1/' <<< "$seen"), $(field attr "$seen")"
}

# The same for the gateway vgw0, JSON without braces.
g_refused()
{
	refused "$1" "$2" "$3" "$4" "$5" "{\"gateway\": $vgw_ifindex${6:+, $6}}"
}

prefixes() # first, last: so many different ones, as JSON
{
	local i comma=
	for ((i = $1; i <= $2; i++)); do
		printf '%s"10.%d.%d.0/24"' "$comma" $((100 + i / 256)) $((i % 256))
		comma=', '
	done
}

# Gateways
refused "no gateway named" EINVAL "the gateway's ifindex is missing" - gateway-get '{}'
refused "a gateway that is none" ENODEV "no gateway with this ifindex in the network namespace" - \
	gateway-get "{\"ifindex\": $lo}"
refused "a guard range with host bits" EINVAL \
	"address has bits set behind the prefix length" guard4 \
	gateway-set "{\"ifindex\": $vgw_ifindex, \"guard4\": [\"10.0.0.1/8\"]}"
refused "more guard ranges than allowed" E2BIG "too many guard ranges" guard4 \
	gateway-set "{\"ifindex\": $vgw_ifindex, \"guard4\": [$(prefixes 0 256)]}"
check_not "the device cannot change its namespace" ip -n "$gw" link set vgw0 netns "$dc"

# Tunnels
g_refused "a tunnel without an id" EINVAL "the tunnel's id is missing" - tunnel-set "\"ifindex\": $x1"
g_refused "tunnel id 0" ERANGE "integer out of range" id tunnel-set "\"id\": 0, \"ifindex\": $x1"
g_refused "a new tunnel without a device" EINVAL "a new tunnel needs an ifindex" - tunnel-set '"id": 1'
g_refused "a device that is not there" ENODEV \
	"no device with this ifindex in the network namespace" - tunnel-set '"id": 1, "ifindex": 9999'
g_refused "a device that is no XFRM interface" EINVAL "device is not an XFRM interface" - \
	tunnel-set "\"id\": 1, \"ifindex\": $lo"
g_refused "the gateway itself" EINVAL "device is not an XFRM interface" - \
	tunnel-set "\"id\": 1, \"ifindex\": $vgw_ifindex"
ip -n "$gw" link add external0 type xfrm external
g_refused "external mode" EINVAL "XFRM interface in external mode has no if_id of its own" - \
	tunnel-set "\"id\": 1, \"ifindex\": $(ifindex_of "$gw" external0)"
if ip -n "$gw" link add zero0 type xfrm dev lo if_id 0 2> "$vgw_tmp/seen"; then
	g_refused "if_id 0" EINVAL "XFRM interface has if_id 0" - \
		tunnel-set "\"id\": 1, \"ifindex\": $(ifindex_of "$gw" zero0)"
else
	check_match "refused before it exists: if_id 0" "if_id value is invalid|if_id must be non zero" \
		"$(cat "$vgw_tmp/seen")"
fi
ip -n "$dc" link add foreign0 type xfrm dev u if_id 77
ip -n "$dc" link set foreign0 netns "$gw"
g_refused "a link in another network namespace" EINVAL \
	"XFRM interface has its link in another network namespace" - \
	tunnel-set "\"id\": 1, \"ifindex\": $(ifindex_of "$gw" foreign0)"
g_refused "an unknown source check" ERANGE "integer out of range" source-check \
	tunnel-set "\"id\": 1, \"ifindex\": $x1, \"source-check\": 3"
g_refused "an attribute that does not exist" EINVAL "Unknown attribute type" 99 \
	tunnel-set "\"id\": 1, \"99\": \"00000000\""
check_equal "after all that: no tunnel" "" "$(y dump tunnel-get '{}')"
tunnel_join 1 1
g_refused "one device for two tunnels" EEXIST "device is a tunnel of a gateway already" - \
	tunnel-set "\"id\": 2, \"ifindex\": $x1"
g_refused "another device for a tunnel" EOPNOTSUPP \
	"the device of a tunnel is fixed while it exists" - tunnel-set "\"id\": 1, \"ifindex\": $x2"
tunnel_join 2 1
g tunnel-set '"id": 1, "source-check": "off"'
check_equal "what is not named stays" "off 1" "$(tunnel_of 1 source-check) $(tunnel_of 1 connection)"
g_refused "a tunnel that is not there" ENOENT "no tunnel with this id" id tunnel-get '"id": 9'
g_refused "removing a tunnel that is not there" ENOENT "no tunnel with this id" id tunnel-del '"id": 9'

# Groups
g_refused "a group without an id" EINVAL "the group's id is missing" - group-set '"member": [{"tunnel": 1}]'
g_refused "a group without members" EINVAL "a group needs a member" - group-set '"id": 1'
g_refused "a member without a tunnel" EINVAL "member has no tunnel" member group-set \
	'"id": 1, "member": [{"weight": 1}]'
g_refused "a member that is not there" ENOENT "no tunnel with this id" member.tunnel \
	group-set '"id": 1, "member": [{"tunnel": 1}, {"tunnel": 9}]'
g_refused "a member twice" EINVAL "tunnel is a member twice" member \
	group-set '"id": 1, "member": [{"tunnel": 1}, {"tunnel": 1}]'
g_refused "a group that is not there" ENOENT "no group with this id" id group-get '"id": 9'
group_set 1 1 2
group_set 2 2
g_refused "removing a tunnel in use" EBUSY "tunnel is a member of a group" - tunnel-del '"id": 1'
check_match "a group tells its members" \
	'"tunnel": 1, "weight": 1, "buckets": 128, "live": 1.*"tunnel": 2.*"buckets": 128' \
	"$(g group-get '"id": 1')"

# Routes
g_refused "no route in the message" EINVAL "no route in the message" - route-add
g_refused "a route without a class" EINVAL "route has no class" route route-add \
	'"route": [{"group": 1, "prefix4": ["10.2.0.0/16"]}]'
g_refused "class 0" ERANGE "integer out of range" route.class route-add \
	'"route": [{"class": 0, "group": 1, "prefix4": ["10.2.0.0/16"]}]'
g_refused "a route without a group" EINVAL "route has no group" route route-add \
	'"route": [{"class": "static", "prefix4": ["10.2.0.0/16"]}]'
g_refused "a system route with a group" EINVAL "a system route has no group" route.group route-add \
	'"route": [{"class": "system", "group": 1, "prefix4": ["10.2.0.0/16"]}]'
g_refused "a group that is not there" ENOENT "no group with this id" route.group route-add \
	'"route": [{"class": "static", "group": 9, "prefix4": ["10.2.0.0/16"]}]'
g_refused "host bits" EINVAL "address has bits set behind the prefix length" route.prefix4 route-add \
	'"route": [{"class": "static", "group": 1, "prefix4": ["10.2.0.0/16", "10.2.3.4/24"]}]'
g_refused "host bits in IPv6" EINVAL "address has bits set behind the prefix length" route.prefix6 \
	route-add '"route": [{"class": "static", "group": 1, "prefix6": ["fd00::1/64"]}]'
g_refused "length 33" EINVAL "prefix length is larger than the address" route.prefix4 route-add \
	'"route": [{"class": "static", "group": 1, "prefix4": ["10.2.0.0/33"]}]'
g_refused "length 129" EINVAL "prefix length is larger than the address" route.prefix6 route-add \
	'"route": [{"class": "static", "group": 1, "prefix6": ["::/129"]}]'
g_refused "padding that is not zero" EINVAL "padding of a prefix is not zero" route.prefix4 route-add \
	'"route": [{"class": "static", "group": 1, "prefix4": {"hex": "0a02000010000001"}}]'
g_refused "half a prefix" EINVAL "length is not a multiple of a prefix" route.prefix4 route-add \
	'"route": [{"class": "static", "group": 1, "prefix4": {"hex": "0a020000"}}]'
g_refused "removing what is not there" ENOENT "no route with this prefix and class" route.prefix4 \
	route-del '"route": [{"class": "static", "prefix4": ["10.2.0.0/16"]}]'
seen=$(g route-add '"route": [{"class": "static", "group": 1, "prefix4": ["10.2.0.0/16", "10.3.0.0/16", "10.3.0.1/24"]}]')
first=$(g route-add '"route": [{"class": "static", "group": 1, "prefix4": ["10.2.0.1/16", "10.3.0.0/16", "10.3.0.0/24"]}]')
check_equal "the offset is that of the very prefix" 16 \
	$(($(field offset "$seen") - $(field offset "$first")))
check_equal "a refused message changes nothing" "" "$(g dump route-get)"
route_add static 1 10.2.0.0/16
check_match "a dump tells a route" '"static", "group": 1, "on-fail": "revoke", "prefix4": ..10.2.0.0/16' \
	"$(g dump route-get)"
g_refused "removing a group in use" EBUSY "routes lead to the group" - group-del '"id": 1'
check_equal "a group counts its routes" 1 "$(field routes "$(g group-get '"id": 1')")"
g_refused "one bad removal, nothing removed" ENOENT "no route with this prefix and class" route.prefix4 \
	route-del '"route": [{"class": "static", "prefix4": ["10.2.0.0/16", "10.9.0.0/16"]}]'
check_match "the first is still there" "10.2.0.0/16" "$(g dump route-get)"
route_del static 10.2.0.0/16

# Lookup
g_refused "a lookup without a destination" EINVAL "exactly one destination is needed" - lookup
g_refused "a lookup with two" EINVAL "exactly one destination is needed" - lookup \
	'"dst4": "10.0.0.1", "dst6": "fd00::1"'
g_refused "a lookup of mixed families" EINVAL "source and destination are of different families" - \
	lookup '"dst4": "10.0.0.1", "src6": "fd00::1"'

# Quota
g route-add "\"route\": [{\"class\": \"dynamic\", \"group\": 1, \"prefix4\": [$(prefixes 0 49)]}]"
check_equal "fifty dynamic prefixes" 50 "$(field dynamic-prefixes "$(gset gateway-get)")"
g_refused "the fifty-first" ENOSPC "bgp table full" route.prefix4 route-add \
	"$(route_json dynamic 1 10.9.0.0/16)"
check_equal "a prefix that is there may come again" "" "$(route_add dynamic 2 10.100.7.0/24)"
check_equal "static routes do not count" "" "$(route_add static 1 10.9.0.0/16)"
route_del dynamic 10.100.7.0/24
check_equal "where one left, one enters" "" "$(route_add dynamic 1 fd00::/64)"
gset gateway-set '"quota": 51'
check_equal "a raised quota counts at once" "" "$(route_add dynamic 1 10.9.0.0/16)"

# Generations: what is not refreshed goes with the commit, not before.
seen=$(gset generation-begin)
generation=$(field generation "$seen")
refused "committing another generation" ESTALE "this generation is not open" generation \
	generation-commit "{\"ifindex\": $vgw_ifindex, \"generation\": $((generation + 1))}"
tunnel_join 1 1
group_set 1 1
g route-add "\"route\": [{\"class\": \"dynamic\", \"group\": 1, \"prefix4\": [$(prefixes 60 79)]}]"
check_match "while it is open the old is stale and there" '"10.100.8.0/24".*"stale": 1' \
	"$(g dump route-get | sed 's/}, {/},\n{/g' | grep 10.100.8.0)"
check_equal "and carries packets" "tunnel 1" "$(lookup 10.100.8.1)"
check_equal "new and old together go beyond the quota" 71 \
	"$(field dynamic-prefixes "$(gset gateway-get)")"
check_equal "the commit is taken" "" "$(gset generation-commit "\"generation\": $generation")"
check_equal "the old is gone" miss "$(lookup 10.100.8.1)"
check_equal "the new is there" "tunnel 1" "$(lookup 10.100.61.1)"
check_equal "counts are right" "20 20 1 1" "$(seen=$(gset gateway-get)
	echo "$(field dynamic-prefixes "$seen") $(field routes "$seen") $(field tunnels "$seen") $(field groups "$seen")")"
refused "committing twice" ESTALE "this generation is not open" generation \
	generation-commit "{\"ifindex\": $vgw_ifindex, \"generation\": $generation}"

# A table that takes many messages to dump.
gset gateway-set '"quota": 0'
g route-add "\"route\": [{\"class\": \"dynamic\", \"group\": 1, \"prefix4\": [$(prefixes 1000 4999)]}]"
g dump route-get > "$vgw_tmp/dump"
check_equal "a large table is dumped whole" "4020 4020" \
	"$(grep -o '[0-9.]*/24' "$vgw_tmp/dump" | wc -l) $(grep -o '[0-9.]*/24' "$vgw_tmp/dump" | sort -u | wc -l)"
check "in several messages" [ "$(wc -l < "$vgw_tmp/dump")" -gt 2 ]
check_not "and not interrupted" grep -q interrupted "$vgw_tmp/dump"
g route-del "\"route\": [{\"class\": \"dynamic\", \"prefix4\": [$(prefixes 1000 4999)]}]"
check_equal "a large removal" 20 "$(field routes "$(gset gateway-get)")"

# Many groups, and a dump of them that another one comes into.
groups_many() # operation, further fields
{
	local first id
	for ((first = 1000; first < 1800; first += 100)); do
		for ((id = first; id < first + 100; id++)); do
			echo "$1 {\"gateway\": $vgw_ifindex, \"id\": $id$2}"
		done | y_many
	done
}
check_equal "many groups" "" "$(groups_many group-set ', "member": [{"tunnel": 1}]')"
dump_during() # operation, JSON without braces: marked messages of a dump of groups
{
	in_ns "$gw" "$ynl" interrupt group-get "{\"gateway\": $vgw_ifindex}" "$1" \
		"{\"gateway\": $vgw_ifindex, $2}" > "$vgw_tmp/dump"
	grep -c interrupted "$vgw_tmp/dump"
}
check_equal "a dump during which nothing changes is not marked" "0 802" \
	"$(dump_during group-get '"id": 1000') $(wc -l < "$vgw_tmp/dump")"
check_match "a dump into which a group comes is marked" "^[1-9]" \
	"$(dump_during group-set '"id": 1800, "member": [{"tunnel": 1}]')"
check_match "so is one during which a tunnel changes" "^[1-9]" \
	"$(dump_during tunnel-set '"id": 1, "site": 9')"
check_equal "many groups go" "" "$(groups_many group-del ''; g group-del '"id": 1800')"

# Events: a tunnel's fall and rise, a change of the gateway.
in_ns "$gw" "$ynl" listen 20 3 > "$vgw_tmp/events" &
listener=$!
wait_for 10 grep -q '{}' "$vgw_tmp/events"
ip -n "$gw" link set ipsec1 down
wait_for 5 grep -q device-down "$vgw_tmp/events"
ip -n "$gw" link set ipsec1 up
wait_for 5 grep -q '"up"' "$vgw_tmp/events"
gset gateway-set '"quota": 60'
wait $listener
check_match "events come in order" \
	'tunnel-ntf.*"down", "reason": "device-down".*tunnel-ntf.*"up".*gateway-ntf.*"quota": 60' \
	"$(tr '\n' ' ' < "$vgw_tmp/events")"

# Permissions: the namespace's own administrator, nobody else.
plain() { in_ns "$gw" setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"; }
check_match "without CAP_NET_ADMIN: refused" EPERM \
	"$(plain "$ynl" try gateway-get "{\"ifindex\": $vgw_ifindex}" 2>&1)"
check_match "in a user's own namespace: allowed" '"gateway": [0-9]*, "id": 1.*"no-sa"' "$(unshare -Urn bash -c "
	ip link add vgw0 type vgw && ip link set lo up && ip link add x type xfrm dev lo if_id 5 &&
	ip link set x up && $ynl tunnel-set '{\"gateway\": 2, \"id\": 1, \"ifindex\": 3}' \
	tunnel-get '{\"gateway\": 2, \"id\": 1}'" 2>&1)"
check_match "a gateway is not seen from there" ENODEV \
	"$(unshare -Urn "$ynl" try gateway-get "{\"ifindex\": $vgw_ifindex}" 2>&1)"
