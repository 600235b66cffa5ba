# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Reloading the same file is no operation: every netlink message of the namespace is seen.

# Messages of routing (0) and generic netlink (16) in the capture.
netlink_messages()
{
	tcpdump -r "$site_run/nlmon.pcap" -w - 2> /dev/null | python3 -c '
import struct, sys
data = sys.stdin.buffer.read()
at, n = 24, 0
while at + 16 <= len(data):
    length = struct.unpack_from("=I", data, at + 8)[0]
    family = struct.unpack_from(">H", data, at + 16 + 14)[0]
    n += family in (0, 16)
    at += 16 + length
print(n)'
}
nlmon_listens() { grep -q 'listening on' "$site_run/nlmon.log"; }

modprobe nlmon
ip -n gw link add nlmon0 type nlmon
ip -n gw link set nlmon0 up
before=$(established_count)
# The agent asks the module for its counts every ten seconds: shorter than that, after one.
sleep 1
ip netns exec gw tcpdump -i nlmon0 -U -w "$site_run/nlmon.pcap" > "$site_run/nlmon.log" 2>&1 &
monitor=$!
wait_for 10 nlmon_listens
ip -n gw link show lo > /dev/null
for _ in 1 2 3 4 5; do
	vgwctl -j reload > "$site_run/reload.json" || break
done
sleep 0.3
kill -INT $monitor
wait $monitor
messages=$(netlink_messages)
check_equal "the same file is an empty difference" "[]" "$(tr -d ' \n' < "$site_run/reload.json")"
# The look at lo, of the test itself, shows that messages are seen: two, and its answers.
ktap_note "netlink messages during five reloads, with one request of the test: $messages"
check "it is seen what goes over netlink" test "$messages" -gt 0
check "and five reloads add nothing but at most one look at the counts" test "$messages" -le 12
check_equal "no session was reset" "$before" "$(established_count)"
ip -n gw link del nlmon0
check_state "the state is that of a fresh start" "$fresh"
