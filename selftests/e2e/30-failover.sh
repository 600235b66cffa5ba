# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# An outbound SA goes; the SAs are rekeyed: neither costs a packet.

# Packets that the kernel dropped because their SA went while they were inside it.
inside_sa() { in_ns gw awk '$1 == "XfrmOutStateInvalid" { print $2 }' /proc/net/xfrm_stat; }
rekeyed() { ! has_spi "$1" "$2"; }
has_spi() { outbound_spis "$1" | grep -q "$2"; }

before=$(inside_sa)
traffic_start
check "the outbound SA of t1 is deleted" delete_sa 1
sleep 1
traffic_stop
inside=$(($(inside_sa) - before))
[ $inside = 0 ] || ktap_note "$inside packets were inside the SA at that moment, they do not count"
check_no_loss "deleting an SA loses nothing of what is sent afterwards" $inside
check "the agent brings the tunnel back" wait_for 20 gw_settled

for n in 1 2; do
	old=$(outbound_spis $n | head -n 1)
	traffic_start
	check "tunnel t$n is rekeyed by the peer" rekey $n
	check "t$n has a new SA" wait_for 10 rekeyed $n "${old:-none}"
	sleep 0.5
	traffic_stop
	check_no_loss "a rekey of t$n loses nothing"
done
check "both tunnels are up" wait_for 10 gw_settled
