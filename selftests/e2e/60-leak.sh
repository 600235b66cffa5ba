# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Both tunnels die: nothing leaves in clear text, and the sender is told.

no_sa() { ! has_sa 1 && ! has_sa 2; }
unreachable() { ip netns exec c-gw ping -c 1 -W 2 172.16.0.2 | grep -q 'Unreachable'; }

# The stream would use up what the kernel allows of ICMP errors to one host.
in_ns gw sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000
capture_start
traffic_start 16 100
charon_stop gw
ip -n gw xfrm state flush
check "no SA is left" wait_for 5 no_sa
sleep 1
check "the sender hears that the destination is unreachable" wait_for 5 unreachable
check "the withdrawn prefix is unreachable as well" wait_for $((site_hold + 6)) gw_peers_up 0
sleep 1
# Proof that the capture would see it: this one may leave in clear text.
ip netns exec c-gw ping -c 1 -W 1 10.99.99.99 > /dev/null
traffic_stop
capture_stop
canary=$(capture_count 'host 10.99.99.99')
check "the capture sees clear text where it is allowed" test "$canary" -gt 0
check_equal "no packet for a held prefix left in clear text" "$canary" "$capture_clear"
charon_start gw
check "the tunnels come back" wait_for 60 gw_settled
check "and traffic with them" wait_for 10 ip netns exec c-gw ping -c 1 -W 1 172.16.0.2
check "in both directions over both" wait_for 30 dc_has_both
