#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make test` reports: first what it downloads, then its progress; and one function of a program by its name. Prints TAP.
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh
. tests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# With an empty cache, and with a complete one; what is not installed would be listed in both.
downloads_are_told() {
	local name
	XDG_CACHE_HOME=$work/empty tests/downloads.sh >"$work/said" || return
	grep 'It r[ua]n.* minutes' "$work/said" || return
	if [ -n "$(debian_mirror)" ]; then
		for name in 'Linux 6.1 of Debian bookworm, cloud, arm64: [0-9]* MB' 'libraries of arm64: [0-9]* MB' 'a fresh root .*: [0-9]* MB'; do
			grep "^  $name" "$work/said" || { cat "$work/said" && return 1; }
		done
		grep -F "is kept in $work/empty/lagtop" "$work/said" || return
	fi
	mkdir -p "$work/full/lagtop/"{kernels,arm64}
	for name in bullseye-5.10 bookworm-6.1 trixie-6.12 sid-newest sid-newest-rt bookworm-6.1-arm64 trixie-6.12-arm64; do
		echo image >"$work/full/lagtop/kernels/$name"
	done
	touch "$work/full/lagtop/"{node-exporter-x,root-x.tar}
	XDG_CACHE_HOME=$work/full tests/downloads.sh >"$work/said" || return
	grep ' MB' "$work/said" && return 1
	return 0
}

# A test that ends only after the suite has reported it as running.
progress_is_told() {
	local line
	mkfifo "$work/go"
	cat >"$work/slow" <<-END
		#!/bin/sh
		echo 1..2
		echo "ok 1 - the first"
		read -r _ <"$work/go"
		echo "ok 2 - the second"
	END
	chmod +x "$work/slow"
	LAGTOP_TEST_SAYS=0.05 timeout 60 tests/run.sh "$work/slow" | while read -r line; do
		[[ $line = *"slow: "*" s of at most 600, 1 done, last: ok 1 - the first (load "*" on "*" CPUs)" ]] &&
			[ ! -e "$work/told" ] && touch "$work/told" && echo go >"$work/go"
		echo "$line"
	done >"$work/output"
	[ -e "$work/told" ] && grep -x '2 passed, 0 failed, 0 skipped' "$work/output" && return
	cat "$work/output"
	return 1
}

# A unit program prints its own plan, which counts only what it runs.
one_function_runs() {
	ONLY='a_slot_*' tests/run.sh build/tests/unit_focus >"$work/output" &&
		grep -x '1 passed, 0 failed, 0 skipped' "$work/output" &&
		! ONLY=no_such_function tests/run.sh build/tests/unit_focus >"$work/output" &&
		grep -x '0 passed, 0 failed, 0 skipped' "$work/output" && return
	cat "$work/output"
	return 1
}

check "downloads are announced" downloads_are_told
check "what runs for long says how far it is" progress_is_told
check "one function of a program runs alone" one_function_runs
echo "1..$number"
exit $status
