# shellcheck shell=bash disable=SC2034 # status is for those that source this
# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the test scripts that print TAP: the $number of checks so far, the $status to exit with. Sourced.
number=0
status=0

# check NAME COMMAND…: passes if the command succeeds; otherwise its output is the reason.
check() {
	local name=$1 found
	shift
	number=$((number + 1))
	if found=$("$@" 2>&1); then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		echo "# ${found//$'\n'/$'\n'# }"
		status=1
	fi
}

# skip NAME REASON: a check that is not possible here.
skip() {
	number=$((number + 1))
	echo "skip: $2"
	echo "ok $number - $1 # SKIP"
}
