# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Results as KTAP, and kselftest's exit codes. Sourced.

KSFT_PASS=0
KSFT_FAIL=1
KSFT_SKIP=4

ktap_count=0
ktap_failed=0
ktap_skipped=0

ktap_begin()
{
	echo "TAP version 13"
}

# The lines of a text, as diagnostics.
ktap_note()
{
	[ -z "$1" ] || printf '%s\n' "$1" | sed 's/^/# /'
}

ktap_pass()
{
	echo "ok $((++ktap_count)) $1"
}

# name, what was seen
ktap_fail()
{
	ktap_failed=$((ktap_failed + 1))
	echo "not ok $((++ktap_count)) $1"
	ktap_note "${2:-}"
}

ktap_skip()
{
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $((++ktap_count)) $1 # SKIP ${2:-}"
}

# Prints the plan and the sums; returns the exit code of the whole.
ktap_end()
{
	echo "1..$ktap_count"
	echo "# Totals: pass:$((ktap_count - ktap_failed - ktap_skipped)) fail:$ktap_failed skip:$ktap_skipped"
	[ $ktap_failed = 0 ] || return $KSFT_FAIL
	[ $ktap_skipped != "$ktap_count" ] || return $KSFT_SKIP
	return $KSFT_PASS
}

# Nothing of the script can run here.
ktap_skip_all()
{
	ktap_begin
	echo "1..0 # SKIP $1"
	exit $KSFT_SKIP
}

# name, command...: passes if the command does; what it prints explains a failure.
check()
{
	local name=$1 seen
	shift
	if seen=$("$@" 2>&1); then
		ktap_pass "$name"
	else
		ktap_fail "$name" "${seen:-'$*' failed}"
	fi
}

# name, command...: passes if the command fails.
check_not()
{
	local name=$1 seen
	shift
	if seen=$("$@" 2>&1); then
		ktap_fail "$name" "${seen:-'$*' succeeded}"
	else
		ktap_pass "$name"
	fi
}

# name, wanted, seen
check_equal()
{
	if [ "$2" = "$3" ]; then
		ktap_pass "$1"
	else
		ktap_fail "$1" "wanted: $2"$'\n'"seen:   $3"
	fi
}

# name, extended regular expression, seen
check_match()
{
	if [[ $3 =~ $2 ]]; then
		ktap_pass "$1"
	else
		ktap_fail "$1" "wanted: $2"$'\n'"seen:   $3"
	fi
}
