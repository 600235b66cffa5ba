# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Netlink sockets of 4 KB: events are lost, and what they would have told is read again.

overruns() { grep -c 'events were lost' "$site_run/vgwd.log"; }
# 300 routes of the domain in one burst, of which the last ones stay.
burst()
{
	{
		for n in $(seq 0 299); do echo "route add 10.$((100 + n / 250)).$((n % 250)).0/24 dev lan"; done
		for n in $(seq 0 289); do echo "route del 10.$((100 + n / 250)).$((n % 250)).0/24 dev lan"; done
	} | ip -n gw -batch -
}
burst_end() { for n in $(seq 290 299); do ip -n gw route del "10.$((100 + n / 250)).$((n % 250)).0/24" dev lan; done; }
dc_routes() { ip -n dc -4 route show | grep -c '^10\.10[01]\.'; }
dc_routes_are() { [ "$(dc_routes)" = "$1" ]; }

gw_stop
fault_set 0 4096
check "the agent starts with receive buffers of 4 KB" \
	gw_start_with VGW_FAULTS="$faults" LD_PRELOAD="$PWD/$faults_lib"
check_state "it gets to the same state" "$fresh"
before=$(overruns)
kill -STOP "$(gw_pid)"
burst
kill -CONT "$(gw_pid)"
check "the data center has the routes that stayed, and no other" wait_for 20 dc_routes_are 10
ktap_note "reading again: $(($(overruns) - before)) times"
check "events were really lost" test "$(overruns)" -gt "$before"
# Of the module: a tunnel's state changes while nobody listens.
kill -STOP "$(gw_pid)"
for n in $(seq 40); do
	ip -n gw link set ipsec2 down
	ip -n gw link set ipsec2 up
done
ip -n gw link set ipsec2 down
kill -CONT "$(gw_pid)"
t2_down() { [ "$(gw_rows "show tunnels" "[r['reason'] for r in rows if r['name'] == 't2'][0]")" != live ]; }
check "the tunnel's last state is known" wait_for 10 t2_down
ip -n gw link set ipsec2 up
burst_end
check_state "the state is that of a fresh start" "$fresh"
gw_stop
fault_set 0 0
check "the agent starts as usual" gw_start
check_state "with the same state" "$fresh"
