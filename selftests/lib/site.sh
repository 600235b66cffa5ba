# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The scenario of the demo and of the end-to-end test: a gateway and a data
# center that is made of unmodified Debian packages. Sourced, as root, in a
# machine whose kernel can load the module.
#
#   c-gw ---- gw ============= dc ---- c-dc        (network namespaces)
#        10.1.0.0/24   underlay    172.16.0.0/24
#                  198.51.100.0/24
#
#   tunnel t1: 198.51.100.1 - 198.51.100.2, inside 169.254.10.0/30, if_id 1
#   tunnel t2: 198.51.100.1 - 198.51.100.3, inside 169.254.10.4/30, if_id 2
#
# gw runs strongSwan (loaded by vgwd), vgwd and the module, AS 65001. dc runs
# strongSwan, FRR and xfrm interfaces with ECMP, AS 65010. The gateway has a
# default route into the underlay, so that clear text could leak if it would.

site_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=selftests/lib/netns.sh
. "$site_top/selftests/lib/netns.sh"
# shellcheck source=selftests/lib/ipsec.sh
. "$site_top/selftests/lib/ipsec.sh"

site_run=${SITE_RUN:-/run/vgw-site}
site_config=$site_run/vgw.yaml
site_socket=$site_run/control.sock
site_module=${SITE_MODULE:-$site_top/build/kmod-${VGW_KERNEL:-6.1}/vgw.ko}
site_programs=${SITE_PROGRAMS:-$site_top/build}
site_seqload=$site_top/build/selftests/seqload
site_hold=9
site_quota=50

# The outer address of dc's end of tunnel N, and the inside addresses.
dc_outer() { echo "198.51.100.$((1 + $1))"; }
gw_inside() { echo "169.254.10.$((1 + 4 * ($1 - 1)))"; }
dc_inside() { echo "169.254.10.$((2 + 4 * ($1 - 1)))"; }

# What runs in the background is started by ip itself, not by in_ns: a
# function there would be a shell of its own that gets the signals.

# ---- namespaces -------------------------------------------------------------

site_link() # namespace, device, address, namespace, device, address
{
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	ip -n "$1" address add "$3" dev "$2"
	ip -n "$4" address add "$6" dev "$5"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
}

site_netns()
{
	local ns
	for ns in gw dc c-gw c-dc; do
		ip netns add "$ns"
		# Nothing but what the scenario sends, and addresses usable at once.
		in_ns "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
			net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.addr_gen_mode=1
		ip -n "$ns" link set lo up
	done
	for ns in gw dc; do
		# Without a limit, else the load's own ICMP errors use up what a test waits for.
		in_ns "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=1 \
			net.ipv4.icmp_ratelimit=0
	done
	site_link gw u0 198.51.100.1/24 dc u0 198.51.100.2/24
	ip -n dc address add 198.51.100.3/24 dev u0
	site_link gw lan 10.1.0.1/24 c-gw eth0 10.1.0.2/24
	site_link dc lan 172.16.0.1/24 c-dc eth0 172.16.0.2/24
	ip -n c-gw route add default via 10.1.0.1
	ip -n c-dc route add default via 172.16.0.1
	ip -n gw neighbour add 198.51.100.254 lladdr 02:00:00:00:00:fe dev u0 nud permanent
	ip -n gw route add default via 198.51.100.254
}

# ---- data center: strongSwan, xfrm interfaces, FRR --------------------------

dc_swanctl() # tunnel
{
	cat <<-END
	connections {
		t$1 {
			version = 2
			local_addrs = $(dc_outer "$1")
			remote_addrs = 198.51.100.1
			mobike = no
			if_id_in = $1
			if_id_out = $1
			proposals = aes256gcm16-prfsha384-ecp384,aes128gcm16-prfsha256-ecp256,default
			local { auth = psk }
			remote { auth = psk }
			children {
				t$1 {
					local_ts = 0.0.0.0/0,::/0
					remote_ts = 0.0.0.0/0,::/0
					esp_proposals = aes256gcm16-ecp384,aes256gcm16,aes128gcm16,default
					start_action = none
				}
			}
		}
	}
	secrets {
		ike-t$1 {
			id-1 = 198.51.100.1
			id-2 = $(dc_outer "$1")
			secret = "$(cat "$site_run/t$1.psk")"
		}
	}
	END
}

dc_charon()
{
	charon_start dc
	{ dc_swanctl 1; dc_swanctl 2; } > "$site_run/dc-swanctl.conf"
	charon_load dc "$site_run/dc-swanctl.conf" > "$site_run/dc-swanctl.log" 2>&1
}

dc_tunnels()
{
	local n
	for n in 1 2; do
		ip -n dc link add "ipsec$n" type xfrm dev u0 if_id "$n"
		ip -n dc address add "$(dc_inside "$n")/30" dev "ipsec$n"
		in_ns dc sysctl -qw "net.ipv4.conf.ipsec$n.rp_filter=0"
		ip -n dc link set "ipsec$n" mtu 1400 up
	done
}

dc_frr_config()
{
	cat <<-END
	frr defaults traditional
	hostname dc
	router bgp 65010
	 bgp router-id 198.51.100.2
	 no bgp ebgp-requires-policy
	 no bgp network import-check
	 no bgp default ipv4-unicast
	 bgp graceful-restart
	 bgp graceful-restart restart-time 120
	 neighbor gw peer-group
	 neighbor gw remote-as 65001
	 neighbor gw timers 3 $site_hold
	 neighbor gw timers connect 2
	 neighbor gw advertisement-interval 0
	 neighbor $(gw_inside 1) peer-group gw
	 neighbor $(gw_inside 2) peer-group gw
	 address-family ipv4 unicast
	  neighbor gw activate
	  network 172.16.0.0/24
	  maximum-paths 2
	 exit-address-family
	END
}

dc_frr_start()
{
	local dir=/etc/frr/dc daemon
	mkdir -p "$dir" /run/frr/dc
	dc_frr_config > "$dir/bgpd.conf"
	echo "hostname dc" > "$dir/zebra.conf"
	: > "$dir/vtysh.conf"
	# Where the root belongs to an ordinary user, so does what Debian closes to others.
	chmod 755 /etc/frr
	chown -R frr:frr "$dir" /run/frr
	for daemon in zebra bgpd; do
		in_ns dc "/usr/lib/frr/$daemon" -d -N dc -f "$dir/$daemon.conf" \
			--log "file:/run/frr/dc/$daemon.log" > "$site_run/dc-$daemon.out" 2>&1
		wait_for 20 test -S "/run/frr/dc/$daemon.vty"
	done
}

# Commands of FRR's shell, one an argument.
frr()
{
	local command args=()
	for command; do
		args+=(-c "$command")
	done
	in_ns dc vtysh -N dc "${args[@]}"
}

# dc_announce FIRST LAST / dc_withdraw FIRST LAST: 172.16.N.0/24 for each N.
dc_networks() # "" or "no ", first, last
{
	local n commands=("configure terminal" "router bgp 65010" "address-family ipv4 unicast")
	for n in $(seq "$2" "$3"); do
		commands+=("${1}network 172.16.$n.0/24")
	done
	frr "${commands[@]}" > /dev/null
}
dc_announce() { dc_networks "" "$1" "$2"; }
dc_withdraw() { dc_networks "no " "$1" "$2"; }

# What FRR has for a prefix, as JSON; empty if it has nothing.
dc_route() { frr "show bgp ipv4 unicast $1 json"; }
dc_has_route() { dc_route "$1" | grep -q '"paths"'; }
dc_kernel_route() { ip -n dc -4 route show "$1"; }
# Both tunnels are in dc's kernel route to the gateway's side.
dc_has_both() { [ "$(dc_kernel_route 10.1.0.0/24 | grep -o 'dev ipsec[12]' | sort -u | wc -l)" = 2 ]; }

# ---- gateway ----------------------------------------------------------------

gw_config() # weight of t2
{
	local n
	cat <<-END
	log: info
	control: { socket: $site_socket }
	gateway:
	  name: vgw0
	  local-asn: 65001
	  router-id: 198.51.100.1
	  quota: $site_quota
	  auto-advertise: true
	  guard: [172.16.0.0/12]
	  graceful-restart: { restart-time: 60 }
	customer-gateways:
	  - { name: dc, address: 198.51.100.2, asn: 65010, site: dc }
	connections:
	  - name: dc
	    customer-gateway: dc
	    bgp: { hold-time: $site_hold, keepalive: 3, connect-retry: 1 }
	    tunnels:
	END
	for n in 1 2; do
		cat <<-END
		      - name: t$n
		        inside-cidr: 169.254.10.$((4 * (n - 1)))/30
		        inside-address: $(gw_inside $n)
		        interface: ipsec$n
		        if-id: $n
		        underlay: u0
		        local-address: 198.51.100.1
		        remote-address: $(dc_outer $n)
		        weight: $([ $n = 1 ] && echo 1 || echo "${1:-1}")
		        ike: { psk-file: $site_run/t$n.psk, dpd-delay: 10 }
		END
	done
}

gw_module_load() { lsmod | grep -q '^vgw ' || insmod "$site_module"; }
gw_module_unload() { rmmod vgw; }

gw_pid() { cat "$site_run/vgwd.pid" 2> /dev/null; }
gw_alive() { kill -0 "$(gw_pid)" 2> /dev/null; }

# Starts the agent; returns when it answers.
gw_start()
{
	ip netns exec gw "$site_programs/vgwd" -c "$site_config" >> "$site_run/vgwd.log" 2>&1 &
	echo $! > "$site_run/vgwd.pid"
	disown
	wait_for 20 vgwctl show gateway
}

gw_kill9()
{
	local pid
	pid=$(gw_pid)
	kill -KILL "$pid"
	wait_for 5 gw_gone "$pid"
}
gw_gone() { ! kill -0 "$1" 2> /dev/null; }

gw_stop()
{
	local pid
	pid=$(gw_pid)
	kill -TERM "$pid" 2> /dev/null || return 0
	wait_for 10 gw_gone "$pid"
}

vgwctl() { in_ns gw "$site_programs/vgwctl" -s "$site_socket" -t 10 "$@"; }

# gw_rows "show tunnels" EXPRESSION: the Python expression over the list `rows`.
gw_rows()
{
	local words
	read -ra words <<< "$1"
	vgwctl -j "${words[@]}" | python3 -c '
import json, sys
text = sys.stdin.read()
if not text.strip():
    sys.exit(1)
rows = json.loads(text)
rows = rows if isinstance(rows, list) else [rows]
result = eval(sys.argv[1])
print(result)
sys.exit(0 if result or result == 0 and result is not False else 1)' "$2"
}

gw_tunnels_up() { [ "$(gw_rows "show tunnels" "sum(r['state'] == 'up' for r in rows)")" = "$1" ]; }
gw_peers_up() { [ "$(gw_rows "show peers" "sum(r['state'].lower() == 'established' for r in rows)")" = "$1" ]; }
gw_tunnel_state() { gw_rows "show tunnels" "[r['state'] for r in rows if r['name'] == 't$1'][0]"; }
# The learned prefixes that the module holds.
gw_installed() { gw_rows "show routes" "sum(r['class'] == 'dynamic' and bool(r['installed']) for r in rows)"; }
gw_quota_refused()
{
	gw_rows "show routes" "' '.join(sorted({r['prefix'] for r in rows for p in r['paths'] if 'quota' in p['verdict']}))"
}
gw_settled() { gw_tunnels_up 2 && gw_peers_up 2 && vgwctl show gateway > /dev/null; }
gw_next_hops() # prefix
{
	gw_rows "show routes" "' '.join(sorted(h['tunnel'] for r in rows if r['prefix'] == '$1' and r['class'] == 'dynamic' for h in r['next_hops']))"
}
gw_next_hops_are() { [ "$(gw_next_hops "$1")" = "$2" ]; }

# ---- things that happen -----------------------------------------------------

# Deletes the outbound SAs of tunnel N in the gateway's kernel; charon is not told.
delete_sa()
{
	local spi deleted=1
	for spi in $(outbound_spis "$1"); do
		ip -n gw xfrm state delete src 198.51.100.1 dst "$(dc_outer "$1")" proto esp spi "$spi"
		deleted=0
	done
	return $deleted
}

outbound_spis()
{
	ip -n gw xfrm state list src 198.51.100.1 dst "$(dc_outer "$1")" |
		sed -n 's/.*proto esp spi \(0x[0-9a-f]*\).*/\1/p'
}

has_sa() { [ -n "$(outbound_spis "$1")" ]; }

# Nothing of tunnel N's outer packets passes dc any more, in either direction.
peer_silent()
{
	in_ns dc nft -f - <<-END
	table ip silent$1 {
		chain in { type filter hook prerouting priority -300; ip daddr $(dc_outer "$1") drop; }
		chain out { type filter hook output priority -300; ip saddr $(dc_outer "$1") drop; }
		chain post { type filter hook postrouting priority -300; ip saddr $(dc_outer "$1") drop; }
	}
	END
}
peer_talks() { in_ns dc nft delete table ip "silent$1"; }

# Rekeys the CHILD_SA of tunnel N, from the data center's side.
rekey()
{
	charon_ctl dc --rekey --child "t$1" > "$site_run/rekey.log" 2>&1
}

# ---- traffic ----------------------------------------------------------------

# traffic_start [FLOWS [RATE]]: numbered packets from c-gw to c-dc, each sent back.
traffic_start()
{
	ip netns exec c-dc "$site_seqload" receive -e > "$site_run/receiver.json" 2> "$site_run/receiver.err" &
	traffic_receiver=$!
	wait_for 5 receiver_listens
	ip netns exec c-gw "$site_seqload" send -t 172.16.0.2 -f "${1:-64}" -r "${2:-300}" -P 20000 -l 4000 \
		> "$site_run/sender.json" 2> "$site_run/sender.err" &
	traffic_sender=$!
	sleep 0.5
}
receiver_listens() { in_ns c-dc ss -Hnul | grep -q :7000; }

# Ends the traffic; then traffic KEY says sent, forward_lost, back_lost, gap_ms, devices, ...
traffic_stop()
{
	kill -TERM "$traffic_sender"
	wait "$traffic_sender"
	kill -TERM "$traffic_receiver"
	wait "$traffic_receiver"
	traffic_report > "$site_run/traffic.txt"
}

traffic_report()
{
	python3 - "$site_run/sender.json" "$site_run/receiver.json" <<-'END'
	import json, sys
	sender, receiver = (json.loads(open(name).read().splitlines()[-1]) for name in sys.argv[1:3])
	print("sent", sender["sent"])
	print("flows", sender["flows"])
	print("forward_lost", sender["sent"] - receiver["forward"]["received"])
	print("back_lost", receiver["forward"]["received"] - sender["back"]["received"])
	print("lost", sender["sent"] - sender["back"]["received"])
	print("duplicated", receiver["forward"]["duplicated"] + sender["back"]["duplicated"])
	print("gap_ms", sender["back"].get("longest_gap_ms", 0))
	print("seconds", sender["seconds"])
	END
}

traffic() { sed -n "s/^$1 //p" "$site_run/traffic.txt"; }

# ---- what is on the wire ----------------------------------------------------

capture_start()
{
	rm -f "$site_run/underlay.pcap"
	ip netns exec gw tcpdump -i u0 -U -n -w "$site_run/underlay.pcap" > "$site_run/tcpdump.log" 2>&1 &
	capture_pid=$!
	wait_for 10 grep -q 'listening on' "$site_run/tcpdump.log"
}

# Packets on the underlay that name an inner address, and all ESP packets.
capture_stop()
{
	sleep 0.3
	kill -INT "$capture_pid"
	wait "$capture_pid"
	capture_clear=$(capture_count 'net 172.16.0.0/12 or net 10.0.0.0/8 or net 169.254.0.0/16')
	capture_esp=$(capture_count 'esp')
}

capture_count() { tcpdump -n -r "$site_run/underlay.pcap" "$1" 2> /dev/null | wc -l; }

# ---- the whole --------------------------------------------------------------

# Everything but the module, the gateway's charon and the agent.
site_up()
{
	local n
	rm -rf "$site_run" && mkdir -p "$site_run" && chmod 700 "$site_run"
	modprobe -a xfrm_interface esp4 esp6 xfrm_user nf_tables nft_chain_nat 2> /dev/null
	for n in 1 2; do
		head -c 24 /dev/urandom | base64 > "$site_run/t$n.psk"
		chmod 600 "$site_run/t$n.psk"
	done
	gw_config > "$site_config"
	# vgwd looks for charon where Debian has it.
	ln -sfn "$(charon_vici gw)" /run/charon.vici
	site_netns
	dc_tunnels
	dc_charon
	dc_frr_start
}

site_down()
{
	local ns pid
	gw_stop
	for pid in $(cat /run/frr/dc/*.pid 2> /dev/null); do
		kill "$pid" 2> /dev/null
	done
	ipsec_cleanup
	for ns in gw dc c-gw c-dc; do
		! [ -e "/run/netns/$ns" ] || netns_remove "$ns"
	done
	! lsmod | grep -q '^vgw ' || rmmod vgw
}

# For a failed test: what the parts have to say.
site_logs()
{
	local file
	for file in "$site_run"/*.log /run/frr/dc/*.log "$(charon_log gw)" "$(charon_log dc)"; do
		[ -s "$file" ] || continue
		echo "--- $file"
		grep -v '^opening directory' "$file" | tail -n "${1:-30}"
	done
}
