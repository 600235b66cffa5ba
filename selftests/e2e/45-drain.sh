# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A tunnel is drained for work on it: both directions leave it, nothing is lost, and it
# lasts until it is taken back.

drained_weights() { gw_rows "show routes" "' '.join(h['tunnel'] + '=' + str(h['weight']) for r in rows if r['prefix'] == '172.16.0.0/24' and r['class'] == 'dynamic' for h in r['next_hops'])"; }
drained_weights_are() { [ "$(drained_weights)" = "$1" ]; }
drained_empty() { [ "$(gw_rows "show tunnels" "[r['drain']['empty'] if r['drain'] else None for r in rows if r['name'] == 't$1'][0]")" = True ]; }
dc_uses_only() { [ "$(dc_kernel_route 10.1.0.0/24 | grep -o 'dev ipsec[12]' | sort -u)" = "dev ipsec$1" ]; }

# Packets that the kernel dropped because their SA went while they were inside it.
inside_sa() { in_ns gw awk '$1 == "XfrmOutStateInvalid" { print $2 }' /proc/net/xfrm_stat; }

traffic_start
check_match "t2 is drained" "'vgwctl show tunnels t2' tells when" "$(vgwctl drain t2 2>&1)"
check "it stands by in the group" wait_for 10 drained_weights_are "t1=1 t2=0"
check "the data center leaves it, too" wait_for 10 dc_uses_only 1
check "under traffic it becomes empty" wait_for 15 drained_empty 2
check_match "a warning reminds of it" "DRAINED" "$(vgwctl show warnings 2>&1)"
check "a reload" vgwctl reload
check "the agent is killed" gw_kill9
check "and starts again" gw_start
check "both sessions come back" wait_for 30 gw_peers_up 2
check "it is drained as before" wait_for 30 drained_weights_are "t1=1 t2=0"
check "for the data center, too" wait_for 10 dc_uses_only 1
before=$(inside_sa)
check "the only other tunnel loses its SA" delete_sa 1
sleep 1
check "t2 is taken back" vgwctl undrain t2
check "both carry" wait_for 20 drained_weights_are "t1=1 t2=1"
check "from the data center, too" wait_for 20 dc_has_both
traffic_stop
inside=$(($(inside_sa) - before))
[ $inside = 0 ] || ktap_note "$inside packets were inside the SA at that moment, they do not count"
check_no_loss "none of this lost a packet" $inside
check_not "an unknown tunnel is refused" vgwctl drain t9
check "both tunnels are up" wait_for 20 gw_settled
