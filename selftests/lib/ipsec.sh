# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# IKE daemons in network namespaces, for tests and the demo. Sourced.
#
#   charon_start NS         start charon in namespace NS and wait for its socket
#   charon_stop NS          end it in order (its SAs are deleted)
#   charon_kill NS          end it at once (its SAs stay)
#   charon_vici NS          print the path of its VICI socket
#   charon_log NS           print the path of its log
#   charon_load NS FILE     load a swanctl.conf, all of it
#   charon_ctl NS ARG...    swanctl with any command
#   ipsec_cleanup           end every charon that was started here
#
# Only the plugins that PSK tunnels need are loaded: all of them take many
# seconds under emulation. CHARON_DIR is where sockets, logs and settings live.

CHARON_DIR=${CHARON_DIR:-/run/vgw-charon}
CHARON_PLUGINS=${CHARON_PLUGINS:-random nonce openssl hmac kdf pem pkcs1 x509 kernel-netlink socket-default vici}
declare -gA CHARON_PID=()

charon_vici()
{
	echo "$CHARON_DIR/$1/vici"
}

charon_log()
{
	echo "$CHARON_DIR/$1/log"
}

charon_settings()
{
	cat <<-END
	charon {
		load = $CHARON_PLUGINS
		install_routes = no
		install_virtual_ip = no
		retransmit_tries = 3
		retransmit_timeout = 2.0
		plugins {
			vici {
				socket = unix://$(charon_vici "$1")
			}
		}
		filelog {
			log {
				path = $(charon_log "$1")
				append = yes
				flush_line = yes
				default = 1
			}
		}
	}
	swanctl {
		load = random nonce openssl pem pkcs1 x509
	}
	END
}

charon_start()
{
	local ns=$1 dir=$CHARON_DIR/$1 i
	mkdir -p "$dir"
	charon_settings "$ns" > "$dir/strongswan.conf"
	rm -f "$dir/vici"
	STRONGSWAN_CONF=$dir/strongswan.conf ip netns exec "$ns" charon-systemd \
		> "$dir/out" 2>&1 < /dev/null &
	CHARON_PID[$ns]=$!
	for ((i = 0; i < 600; i++)); do
		# The file is there before anybody listens.
		charon_ctl "$ns" --version --daemon > /dev/null 2>&1 && return 0
		kill -0 "${CHARON_PID[$ns]}" 2> /dev/null || break
		sleep 0.05
	done
	echo "charon does not start in $ns:" >&2
	tail -n 20 "$dir/out" "$dir/log" >&2
	return 1
}

charon_end() # signal, namespace
{
	local pid=${CHARON_PID[$2]:-}
	[ -n "$pid" ] || return 0
	kill "-$1" "$pid" 2> /dev/null
	wait "$pid" 2> /dev/null
	unset "CHARON_PID[$2]"
}

charon_stop()
{
	charon_end TERM "$1"
}

charon_kill()
{
	charon_end KILL "$1"
}

charon_ctl()
{
	local ns=$1 command=$2
	shift 2
	STRONGSWAN_CONF=$CHARON_DIR/$ns/strongswan.conf swanctl "$command" "$@" \
		--uri "unix://$(charon_vici "$ns")"
}

charon_load()
{
	charon_ctl "$1" --load-all --clear --noprompt --file "$2"
}

ipsec_cleanup()
{
	local ns
	for ns in "${!CHARON_PID[@]}"; do
		charon_kill "$ns"
	done
}
