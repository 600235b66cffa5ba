#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Birth and death in every order: routes before IKE, no agent, failed creation,
# and links, devices, module and namespaces that go away under traffic.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc
tunnel_make dc 1 4 cold
tunnel_make dc 2 4 cold
way_back dc 1

setup() # tunnels
{
	local id
	gateway_make
	for id; do
		tunnel_join "$id" 1
	done
	group_set 1 "$@"
	route_add dynamic 1 172.16.0.0/16
	route_add dynamic 1 fd16::/16
}

reaches() { in_ns "$c1" ping -n -c 1 -W 10 172.16.0.1 && in_ns "$c1" ping -n -c 1 -W 10 fd16::1; }

traffic_start()
{
	load_start four "$c1" send -t 172.16.0.1 -f 20 -r 300
	load_start six "$c1" send -t fd16::1 -f 20 -r 300
	sleep 0.5
}

traffic_stop()
{
	load_stop four > /dev/null
	load_stop six > /dev/null
}

# Boot order: everything is there before the first SA is.
setup 1 2
check_equal "before IKE a tunnel is down" "down no-sa" "$(tunnel_of 1 state) $(tunnel_of 1 reason)"
check_match "packets are refused" "Net Unreachable" "$(in_ns "$c1" ping -n -c 1 -W 1 172.16.0.1)"
sas_make dc 1
check "the first SA brings the tunnel up" wait_for 3 tunnel_is 1 up
check "packets go" reaches
sas_make dc 2
wait_for 3 tunnel_is 2 up
way_back dc 1 2

# No agent: nobody has the family open, and a tunnel dies.
receiver_start there "$dc"
ynl_stop
load_start here "$c1" send -t 172.16.0.1 -f 20 -r 300 -d 2 -l 3000
sleep 0.7
sa_out_del dc 1
seen=$(load_wait here)
check_equal "without an agent a dying tunnel costs nothing" "0 0" \
	"$(field forward.lost "$seen") $(field back.lost "$seen")"
sa_out_add dc 1
ynl_start "$gw"
check "nor does it stay dead" wait_for 3 tunnel_is 1 up

# Creation that fails must leave nothing.
check_not "a gateway with an index in use is refused" \
	ip -n "$gw" link add vgw9 index "$vgw_ifindex" type vgw
for i in {2..64}; do
	echo "link add vgw$i type vgw"
done | ip -n "$gw" -batch -
check_match "the sixty-fifth gateway is refused" "network namespace has its limit of gateways" \
	"$(ip -n "$gw" link add vgw65 type vgw 2>&1)"
for i in {2..64}; do
	echo "link del vgw$i"
done | ip -n "$gw" -batch -
check "the first one never noticed" reaches

# The link.
traffic_start
ip -n "$gw" link del vgw0
check "the link goes away under traffic" [ -z "$(ip -n "$gw" link show type vgw)" ]
setup 1 2
check "and comes back" reaches
for _ in {1..5}; do
	ip -n "$gw" link del vgw0
	gateway_make
	tunnel_join 1 1
	group_set 1 1
	route_add static 1 172.16.0.0/16
done
ip -n "$gw" link del vgw0
setup 1 2
check "five times" reaches

# The tunnels' devices. What comes back by a device that is gone is lost, so let it not.
way_back dc 1
ip -n "$gw" link del ipsec2
check "a tunnel's device goes away under traffic" reaches
check_match "the tunnel is told to be down" "device-down" "$(tunnel_of 2 reason)"
ip -n "$gw" link add ipsec2 type xfrm dev u0 if_id 2
ip -n "$gw" link set ipsec2 up
tunnel_join 2 1
check_equal "and given a new one" up "$(tunnel_of 2 state)"
ip -n "$gw" link set ipsec2 netns "$dc" name moved2
check "a tunnel's device leaves the namespace" wait_for 3 tunnel_is 2 down
ip -n "$dc" link del moved2
check "packets go by the other one" reaches
ip -n "$gw" link add ipsec2 type xfrm dev u0 if_id 2
ip -n "$gw" link set ipsec2 up

# The module.
vgw_unload
check_not "the module goes away under traffic" [ -e /sys/module/vgw ]
check "its devices are gone" [ -z "$(ip -n "$gw" -o link show | grep vgw0)" ]
vgw_load
setup 1 2
check "and comes back" reaches
for _ in {1..2}; do
	vgw_unload
	vgw_load
	setup 1 2
done
check "twice" reaches

# The underlay.
ip -n "$gw" link del u0
sleep 0.5
check_not "the underlay's device goes away under traffic" ip -n "$gw" link show u0
traffic_stop
load_stop there > /dev/null
ynl_stop
netns_remove_all

# The namespace.
topo_make dc
tunnel_make dc 1
tunnel_make dc 2
way_back dc 1
setup 1 2
receiver_start there "$dc"
check "a new namespace" reaches
traffic_start
ynl_stop
created=$(vgw_log | grep -c 'vgw0: gateway created')
ip netns del "$gw"
gone() { [ "$(vgw_log | grep -c 'vgw0: gateway destroyed')" = "$created" ]; }
check "the namespace goes away under traffic" wait_for 10 gone
traffic_stop
load_stop there > /dev/null

# Module and namespace at once, with a second gateway.
netns_remove_all
topo_make dc
tunnel_make dc 1
way_back dc 1
setup 1
ip -n "$gw" link add vgw1 type vgw
ip -n "$gw" link set vgw1 up
traffic_start
ynl_stop
ip netns del "$gw" &
vgw_unload
wait $!
check_not "module and namespace go away at once" [ -e /sys/module/vgw ]
traffic_stop
vgw_load
