# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Many flows over two equal tunnels, 50 +/- 5 %; and none of them is moved.

tx_packets() { gw_rows "show tunnels" "' '.join(str(r['tx_packets']) for r in sorted(rows, key=lambda r: r['name']))"; }

read -r first1 first2 <<< "$(tx_packets)"
traffic_start 1000 400
sleep 6
traffic_stop
read -r last1 last2 <<< "$(tx_packets)"
share=$((100 * (last1 - first1) / (last1 + last2 - first1 - first2 + 1)))
ktap_note "1000 flows: $((last1 - first1)) packets by t1, $((last2 - first2)) by t2"
check "flows are spread evenly" test $share -ge 44 -a $share -le 56
check_no_loss "1000 flows lose nothing"
check_equal "nothing arrives twice" 0 "$(traffic duplicated)"
