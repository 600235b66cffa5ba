#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What key managers do to SAs, and what of it is a change of the tunnel: a rekey in
# any order, updates, soft limits and other people's SAs are none, and no packet is
# lost; a flush, hard limits and a larval SA are told as what they are.
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2034 # used by name
other=''
vgw_begin
gateway_with_two_tunnels
netns_make other
receiver_start there "$dc"
outer_of dc

# Lines for "ip -batch": an SA of tunnel 1 to the data center.
sa() # verb, SPI, further words
{
	local verb=$1 spi=$2
	shift 2
	printf 'xfrm state %s src %s dst %s proto esp spi %d if_id 1 mode tunnel reqid 1 flag af-unspec %s ' \
		"$verb" $gw_outer $dc_outer "$spi" "$*"
	printf 'aead rfc4106(gcm(aes)) 0x%040d 128\n' "$spi"
}

sa_gone() # SPI
{
	echo "xfrm state delete src $gw_outer dst $dc_outer proto esp spi $1"
}

# All lines are there before the first one counts.
batch() # namespace; lines from standard input
{
	local lines
	lines=$(cat)
	ip -n "$1" -batch - <<< "$lines"
}

look()
{
	seen=$(g tunnel-get '"id": 1')
	state="$(field state "$seen") $(field reason "$seen")" spi=$(field spi "$seen")
	transitions=$(field transitions "$seen") fills=$(field cache-fills "$seen")
}

state_is()
{
	look
	[ "$state" = "$1" ]
}

spi_is()
{
	look
	[ "$spi" = "$1" ]
}

becomes() # name, state and reason
{
	wait_for 5 state_is "$2"
	check_equal "$1" "$2" "$state"
}

# Longer than a change is held back before it is told.
settle()
{
	sleep 0.3
	look
}

quiet() # name: what was done since the last look is no change of the tunnel
{
	local before=$transitions
	settle
	check_equal "$1: no change" "up live, $before" "$state, $transitions"
}

# Everything in this part happens under one load, of which nothing may be lost.
for spi in 1201 1202 1203 1204 1205; do
	sa add $spi
done | batch "$dc"
load_start here "$c1" send -t 172.16.0.1 -b 10.1.0.2 -f 50 -r 300 -l 5000
sleep 0.3
look

sa add 1201 | batch "$gw"
check "a new SA is used" wait_for 5 spi_is 1201
sa_gone 1001 | batch "$gw"
quiet "rekey, the new SA first"

{ sa_gone 1201; sa add 1202; } | batch "$gw"
quiet "rekey, the old SA goes first"
check_equal "and the new one is used" 1202 "$spi"

sa update 1202 | batch "$gw"
quiet "an update in place"

{ sa update 1202 limit packet-soft 10; sa add 1203 limit packet-soft 20 limit byte-soft 1000; } | batch "$gw"
quiet "soft limits by packets and bytes"
sa update 1203 limit time-soft 1 | batch "$gw"
sleep 1
quiet "a soft limit by time"

sa_gone 1202 | batch "$gw"
quiet "of two SAs the older one goes"
sa add 1204 | batch "$gw"
check "two SAs on one if_id" wait_for 5 spi_is 1204
sa_gone 1204 | batch "$gw"
quiet "of two SAs the newer one goes"
check_equal "and the older one is used" 1203 "$spi"

# A change of the peer's address: gone, and back with the new outer addresses. A machine
# that stands still between the two shows a gap of its own making, so it has three tries.
towards() # address; lines of SAs from standard input
{
	sed "s/dst $dc_outer/dst $1/"
}

policies_to() # address
{
	local any
	for any in 0.0.0.0/0 ::/0; do
		echo "xfrm policy update dir out src $any dst $any if_id 1" \
			"tmpl src $gw_outer dst $1 proto esp reqid 1 mode tunnel"
	done
}

moved=198.51.100.3
ip -n "$dc" addr add $moved/24 dev u
sa add 1301 | towards $moved | batch "$dc"
for _ in 1 2 3; do
	before=$transitions
	{ sa_gone 1203; sa add 1301 | towards $moved; policies_to $moved; } | batch "$gw"
	settle
	check_equal "another address of the peer is taken" "1301 $moved" "$spi $(field remote4 "$seen")"
	moves=$((transitions - before))
	{ sa add 1203; policies_to $dc_outer; sa_gone 1301 | towards $moved; } | batch "$gw"
	settle
	[ $moves != 0 ] || break
done
check_equal "another address of the peer: no change" 0 $moves

before=$fills
{ sa add 1401; sa_gone 1401; sa add 1402; echo "xfrm state flush"; echo "xfrm policy flush"; } | batch "$other"
quiet "SAs with the same if_id in another namespace"
check_equal "and what is kept stays" "$before" "$fills"

seen=$(load_stop here)
check_match "nothing of all that lost a packet" \
	'"sent":[0-9]{3,},.*"forward":."received":[0-9]+,"lost":0,"reordered":[0-9]+,"duplicated":0.*"back":."received":[0-9]+,"lost":0' \
	"$seen"

# Changes.
sa_gone 1203 | batch "$gw"
becomes "an inbound SA alone is no way out" "down no-sa"

# Somebody negotiates: the SA that is being made is none yet.
ip netns exec "$gw" ip xfrm monitor acquire > /dev/null 2>&1 &
vgw_jobs+=($!)
larval() { ip -n "$gw" xfrm state | grep -c "spi 0x00000000"; }
larval_there() { [ "$(larval)" -ge 1 ]; }
check "the audit asks for an SA" wait_for 8 larval_there
look
check_equal "an SA in the making is no way out" "down no-sa" "$state"
check "nor are there many ($(larval))" [ "$(larval)" -le 4 ]
sa add 1202 | batch "$gw"
becomes "it comes: up at once" "up live"
kill "${vgw_jobs[-1]}"

sa add 1201 limit time-hard 1 | batch "$gw"
sa_gone 1202 | batch "$gw"
becomes "a hard limit by time" "down no-sa"
sa add 1204 limit byte-hard 3000 | batch "$gw"
becomes "a new SA" "up live"
seen=$(ip netns exec "$c1" "$seqload" send -t 172.16.0.1 -f 50 -r 300 -c 300 -l 3000)
check "a hard limit by bytes costs one packet at most ($(field forward.lost "$seen"))" \
	[ "$(field forward.lost "$seen")" -le 1 ]
becomes "it is told" "down no-sa"

sa add 1205 | batch "$gw"
becomes "up for the flush" "up live"
ip -n "$gw" xfrm state flush
becomes "a flush tells of no single SA, but all are gone" "down no-sa"
check_equal "tunnel 2, too" "down" "$(tunnel_of 2 state)"
sas_make dc 2 2> /dev/null
sa add 1205 | batch "$gw"
becomes "and it comes back" "up live"
check "tunnel 2, too" wait_for 5 tunnel_is 2 up

# The out policies: the same SAs, but nothing that leads to them.
ip -n "$gw" xfrm policy flush
becomes "no policy, no way out" "down no-sa"
policies_add "$gw" 1 $gw_outer $dc_outer
becomes "with policies there is" "up live"
load_stop there > /dev/null
