# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A private apt: own lists, own sources, nothing of the host changes. Sourced
# with $top set.

apt_dir=$top/build/apt

# Debian's archive as the host knows it (deb822 or one-line), else the public one.
apt_archive()
{
	local uri
	uri=$(sed -n 's/^URIs:[ \t]*\(http[^ ]*debian\)\/\?$/\1/p' /etc/apt/sources.list.d/*.sources 2> /dev/null | head -n 1)
	[ -n "$uri" ] || uri=$(sed -n 's/^deb[ \t]\+\(\[[^]]*\][ \t]*\)\?\(http[^ ]*debian\)\/\? .*/\2/p' \
		/etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null | head -n 1)
	echo "${uri:-http://deb.debian.org/debian}"
}

apt_options()
{
	echo "-o" "Dir::Etc::sourcelist=$apt_dir/sources.list" "-o" "Dir::Etc::sourceparts=-" \
		"-o" "Dir::State::lists=$apt_dir/lists" "-o" "Dir::Cache=$apt_dir/cache" \
		"-o" "Dir::State::status=$apt_dir/status" "-o" "APT::Sandbox::User=root" \
		"-o" "Acquire::Languages=none" "-o" "Debug::NoLocking=1"
}

# shellcheck disable=SC2046 # options hold no blanks but where the path does, which apt cannot take either
apt_private_get() { apt-get $(apt_options) "$@"; }
# shellcheck disable=SC2046
apt_private_cache() { apt-cache $(apt_options) "$@"; }

apt_private_init()
{
	local uri key=/usr/share/keyrings/debian-archive-keyring.gpg
	[ ! -e "$apt_dir/ready" ] || return 0
	uri=$(apt_archive)
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
	: > "$apt_dir/status"
	for suite in bookworm bookworm-updates bookworm-backports; do
		echo "deb [signed-by=$key] $uri $suite main"
	done > "$apt_dir/sources.list"
	echo "deb [signed-by=$key] ${uri%/debian}/debian-security bookworm-security main" \
		>> "$apt_dir/sources.list"
	apt_private_get update -q >&2
	touch "$apt_dir/ready"
}
