#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The bundle cache: what may serve every flow is kept, what may not is not, and
# the tunnel says why; nothing that is kept holds up what is removed.
#
#   test_bundle.sh [PART...]
# shellcheck source=selftests/vgw/lib.sh
. "$(dirname "$0")/lib.sh"

vgw_begin
topo_make dc
tunnel_make dc 1
way_back dc 1
gateway_make
tunnel_join 1 1
group_set 1 1
route_add dynamic 1 172.16.0.0/16
route_add dynamic 1 fd16::/16
outer_of dc
ip -n "$dc" route replace local 172.16.0.0/16 dev lo

# Nothing waits for a neighbour later on.
in_ns "$c1" ping -n -c 1 -W 10 10.1.0.1 > "$vgw_tmp/seen"
in_ns "$c1" ping -n -c 1 -W 10 fd01::1 > "$vgw_tmp/seen"

# A shell of its own in the LAN, on one CPU: a packet without a new process.
mkfifo "$vgw_tmp/at.in" "$vgw_tmp/at.out"
ip netns exec "$c1" taskset 1 bash < "$vgw_tmp/at.in" > "$vgw_tmp/at.out" 2> /dev/null &
vgw_jobs+=($!)
exec 6> "$vgw_tmp/at.in" 7< "$vgw_tmp/at.out"

send() # address, packets (1)
{
	local line
	echo "for ((i = ${2:-1}; i > 0; i--)); do echo x > /dev/udp/$1/9; done; echo" >&6
	read -r line <&7
}

# Reads the tunnel into the variables state, cache4, hits...: one request for many checks.
look()
{
	seen=$(g tunnel-get '"id": 1')
	state=$(field state "$seen") cache4=$(field cache4 "$seen") cache6=$(field cache6 "$seen")
	hits=$(field cache-hits "$seen") fills=$(field cache-fills "$seen")
	unused=$(field cache-unused "$seen") sent=$(field tx-packets "$seen")
	mtu=$(field mtu "$seen") spi=$(field spi "$seen")
}

cache_is() # state, family (4)
{
	look
	[ "$state" = up ] && if [ "${2:-4}" = 4 ]; then [ "$cache4" = "$1" ]; else [ "$cache6" = "$1" ]; fi
}

seen_is()
{
	look
	[ "$cache4" = "$1" ]
}

becomes() # state, family (4)
{
	check "$what: the tunnel is up and says $1" wait_for 15 cache_is "$@"
}

sent_are() { [ "$(tunnel_of 1 tx-packets)" = "$1" ]; }

# The next packets go out, or do not, by lookups of their own.
expect() # name, address, packets sent, hits, fills, unused
{
	local sent0 hits0 fills0 unused0
	look
	sent0=$sent hits0=$hits fills0=$fills unused0=$unused
	send "$2" 4
	wait_for 3 sent_are $((sent0 + $3))
	look
	check_equal "$what: $1" "$3 sent, $4 hits, $5 fills, $6 unused" \
		"$((sent - sent0)) sent, $((hits - hits0)) hits, $((fills - fills0)) fills, $((unused - unused0)) unused"
}

policy() # verb, words
{
	local verb=$1
	shift
	ip -n "$gw" xfrm policy "$verb" dir out "$@"
}

any4="src 0.0.0.0/0 dst 0.0.0.0/0"
tmpl="tmpl src $gw_outer dst $dc_outer proto esp reqid 1 mode tunnel"

# shellcheck disable=SC2086 # words
wildcard_back()
{
	policy add $any4 if_id 1 priority 10 $tmpl
	becomes "on"
}

plain()
{
	what="plain"
	becomes "on" 6
	expect "one lookup for four packets" 172.16.0.1 4 3 1 0
	expect "then none" 172.16.0.2 4 4 0 0
	expect "IPv6 has a slot of its own" fd16::1 4 3 1 0
	check_equal "the SA in use is known" 1001 "$spi"
	send 172.16.0.1 20
	expect "IPv4 still has its own" 172.16.0.1 4 4 0 0
}

# The inner route of the packet that fills must bind nobody else.
small_mtu()
{
	local before
	what="a packet with a small path MTU"
	ip -n "$gw" route add 172.16.5.0/24 dev vgw0 mtu 1000
	send 172.16.0.1
	before=$(tunnel_of 1 mtu)
	sa_out_del dc 1 && sa_out_add dc 1
	becomes "on"
	expect "fills" 172.16.5.1 4 3 1 0
	check_equal "$what: the tunnel's MTU stays" "$before" "$mtu"
	# The stack knows that limit itself, but for packets that are made below it.
	check_match "$what: its own limit holds" "mtu ?= ?1000" \
		"$(in_ns "$c1" ping -n -c 1 -W 1 -M "do" -s 1200 172.16.5.1 2>&1)"
	check "$what: others are not bound" in_ns "$c1" ping -n -c 1 -W 10 -M "do" -s 1200 172.16.0.1
	ip -n "$gw" route del 172.16.5.0/24 dev vgw0
}

# Blocked at once: the bundle for the rest is warm, and stays valid.
# shellcheck disable=SC2086 # words
several_policies()
{
	what="a block policy beside the wildcard"
	policy update $any4 if_id 1 priority 10 $tmpl
	becomes "on"
	send 172.16.0.1 4
	policy add src 0.0.0.0/0 dst 172.16.9.0/24 if_id 1 priority 1 action block
	expect "its flows are blocked from the ACK on" 172.16.9.1 0 0 0 4
	becomes "many-policies"
	expect "the others have lookups of their own" 172.16.0.1 4 0 0 4
	expect "it blocks behind them, too" 172.16.9.1 0 0 0 4
	policy delete src 0.0.0.0/0 dst 172.16.9.0/24 if_id 1
	becomes "on"
	expect "deleted: all are served again" 172.16.9.1 4 3 1 0

	what="a policy of another if_id"
	policy add $any4 if_id 77 $tmpl
	becomes "on"
	send 172.16.0.1
	expect "does not count" 172.16.0.1 4 4 0 0
	policy delete $any4 if_id 77
}

# shellcheck disable=SC2086 # words
narrow_policy()
{
	what="a policy for some addresses"
	policy delete $any4 if_id 1
	policy add src 0.0.0.0/0 dst 172.16.0.0/17 if_id 1 $tmpl
	check "$what: the tunnel is up" wait_for 15 cache_is "on"
	expect "its flows go out" 172.16.0.1 4 0 0 4
	becomes "policy-selector"
	expect "no others do" 172.16.200.1 0 0 0 4
	expect "its flows still do" 172.16.0.1 4 0 0 4
	policy delete src 0.0.0.0/0 dst 172.16.0.0/17 if_id 1

	what="a policy for a port"
	policy add $any4 proto 17 dport 9 if_id 1 $tmpl
	check "$what: the tunnel is up" wait_for 15 cache_is "on"
	expect "is not kept" 172.16.0.1 4 0 0 4
	policy delete $any4 proto 17 dport 9 if_id 1
	wildcard_back
}

# shellcheck disable=SC2086 # words
marked_policy()
{
	what="a policy for a mark"
	policy delete $any4 if_id 1
	policy add $any4 mark 5 mask 0xff if_id 1 $tmpl
	check "$what: the tunnel is up" wait_for 15 cache_is "on"
	in_ns "$gw" taskset 1 ping -n -c 1 -W 1 -m 5 172.16.0.1 > /dev/null
	becomes "policy-mark"
	check "$what: marked packets go out" in_ns "$gw" ping -n -c 1 -W 10 -m 5 172.16.0.1
	expect "others do not" 172.16.0.1 0 0 0 4
	policy delete $any4 mark 5 mask 0xff if_id 1
	wildcard_back
}

# shellcheck disable=SC2086 # words
nested()
{
	what="two SAs, one around the other"
	policy update $any4 if_id 1 $tmpl tmpl src $gw_outer dst $dc_outer proto esp reqid 9 mode transport
	ip -n "$gw" xfrm state add src $gw_outer dst $dc_outer proto esp spi 9 if_id 1 mode transport \
		reqid 9 aead 'rfc4106(gcm(aes))' "0x$(printf '%040d' 9)" 128
	check "$what: the tunnel is up" wait_for 15 cache_is "on"
	expect "are not kept" 172.16.0.1 4 0 0 4
	becomes "nested"
	ip -n "$gw" xfrm state delete src $gw_outer dst $dc_outer proto esp spi 9
	what="no tunnel mode"
	policy update $any4 if_id 1 tmpl proto esp reqid 1 mode transport
	wait_for 15 seen_is "sa-mode"
	check_equal "$what: the tunnel says it" "sa-mode" "$cache4"
	policy update $any4 if_id 1 priority 10 $tmpl
	what="a plain policy again"
	becomes "on"
}

selector_sa() # SPI, destination
{
	ip -n "$gw" xfrm state add src $gw_outer dst $dc_outer proto esp spi "$1" if_id 1 mode tunnel \
		reqid 1 aead 'rfc4106(gcm(aes))' "0x$(printf '%040d' 1001)" 128 \
		sel src 0.0.0.0/0 dst "$2"
}

narrow_sa()
{
	what="an SA for some addresses beside the one for all"
	send 172.16.0.1 4
	selector_sa 1101 172.16.0.0/17
	expect "nothing is kept from the ACK on" 172.16.200.1 4 0 0 4
	becomes "sa-selector"
	sa_out_del dc 1
	what="an SA for some addresses alone"
	becomes "sa-selector"
	expect "its flows go out" 172.16.0.1 4 0 0 4
	expect "others do not" 172.16.200.1 0 0 0 4
	check_equal "$what: they do not make the tunnel doubtful" "up" "$state"
	sa_out_add dc 1
	ip -n "$gw" xfrm state delete src $gw_outer dst $dc_outer proto esp spi 1101
	what="without it"
	becomes "on"
	expect "one lookup serves all" 172.16.200.1 4 3 1 0
}

marking_sa()
{
	what="an SA that marks the outer packet"
	sa_out_del dc 1
	sa_add "$gw" 1 $gw_outer $dc_outer 1001 output-mark 7 mask 0xff
	check "$what: the tunnel is up" wait_for 15 cache_is "on"
	expect "is not kept" 172.16.0.1 4 0 0 4
	becomes "sa-mark"
	sa_out_del dc 1
	sa_out_add dc 1
	what="one that does not"
	becomes "on"
}

no_states()
{
	in_ns "$gw" awk '/XfrmOutNoStates/ { print $2 }' /proc/net/xfrm_stat
}

send_one_each()
{
	local line
	echo "echo x > /dev/udp/fd16::1/9; echo x > /dev/udp/172.16.0.1/9; echo" >&6
	read -r line <&7
}

# A family without an SA asks once a second, and does not make the other one doubtful.
one_family()
{
	local before after transitions
	what="an SA for IPv4 only"
	sa_out_del dc 1
	selector_sa 1001 0.0.0.0/0
	becomes "on"
	sleep 0.3
	transitions=$(tunnel_of 1 transitions)
	send fd16::1
	before=$(no_states)
	send fd16::1 40
	after=$(no_states)
	check "$what: IPv6 packets do not ask each ($((after - before)) did)" [ $((after - before)) -le 20 ]
	expect "IPv4 goes on" 172.16.0.1 4 3 1 0
	# The one that asks, and in the same moment one of the other family.
	sleep 1.2
	before=$(tunnel_of 1 tx-packets)
	send_one_each
	check_equal "$what: at the very moment, too" $((before + 1)) "$(tunnel_of 1 tx-packets)"
	check_equal "$what: the tunnel was up all the time" "$transitions" "$(tunnel_of 1 transitions)"
	what="an SA for IPv6 comes"
	sleep 1.2
	look
	before=$sent
	send fd16::1
	sa_add "$gw" 1 $gw_outer $dc_outer 1102
	send fd16::1 4
	look
	check_equal "$what: it is used from the ACK on" $((before + 4)) "$sent"
	ip -n "$gw" xfrm state delete src $gw_outer dst $dc_outer proto esp spi 1102
	sa_out_del dc 1
	sa_out_add dc 1
	what="an SA for both"
	becomes "on"
}

# Each SA holds a reference on the module of its type.
users_are() { [ "$(cat /sys/module/esp4/refcnt)" = "$1" ]; }

quick() # name, command...
{
	local begin=$EPOCHREALTIME name=$1
	shift
	"$@"
	begin=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
	check "$name is removed at once ($begin ms)" [ $begin -lt 5000 ]
}

warm()
{
	becomes "on"
	send 172.16.0.1 4
	send fd16::1 4
}

tunnel_again()
{
	ip -n "$gw" link add ipsec1 type xfrm dev u0 if_id 1
	ip -n "$gw" link set ipsec1 up
	tunnel_join 1 1
}

# What its tunnels keep goes with the gateway.
no_gateway()
{
	what="the gateway is removed"
	warm
	ip -n "$gw" link del vgw0
	quick "the tunnel's device after its gateway" ip -n "$gw" link del ipsec1
	gateway_make
	tunnel_again
	group_set 1 1
	route_add dynamic 1 172.16.0.0/16
	route_add dynamic 1 fd16::/16
	what="a gateway anew"
	becomes "on"
}

# What is kept must not keep.
removal()
{
	local users
	what="removal"
	warm
	users=$(cat /sys/module/esp4/refcnt)
	sa_out_del dc 1
	check "an SA that was in use is gone without another packet" wait_for 15 users_are $((users - 1))
	sa_out_add dc 1
	warm
	ip -n "$gw" link set ipsec1 down
	ip -n "$gw" link set ipsec1 up
	warm
	quick "the tunnel's device" ip -n "$gw" link del ipsec1
	tunnel_again
	warm
	quick "the underlay" ip -n "$gw" link del u0
}

what="the start"
becomes "on"
if [ $# = 0 ]; then
	set -- plain small_mtu several_policies narrow_policy marked_policy nested narrow_sa marking_sa \
		one_family no_gateway removal
fi
for part; do
	"$part"
done
