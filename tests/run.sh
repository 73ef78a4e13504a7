#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests and counts them: run.sh [-j JOBS] [PROGRAM…], one after the other and all of them by
# default. Every test program speaks TAP: a plan "1..N" and a line per test. A program that crashes,
# hangs, or reports fewer tests than it planned counts as failed: nothing disappears silently.
#
# A test that skips says why in a line "skip: REASON". With LAGTOP_STRICT=1 (.ci/run) a skip is a failure unless this
# kernel or clang-format is the reason ("this kernel …", "this clang-format …").
set -u
cd "$(dirname "$0")/.." || exit 1
export CMOCKA_MESSAGE_OUTPUT=tap
work=$(mktemp -d)
end() {
	local alive
	mapfile -t alive < <(jobs -p)
	[ ${#alive[@]} -eq 0 ] || kill "${alive[@]}" 2>/dev/null
}
trap 'end; rm -rf "$work"' EXIT
jobs=1
if [ "${1-}" = -j ]; then
	jobs=$2
	shift 2
fi
as_root=()
if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then
	as_root=(sudo -n "--preserve-env=CMOCKA_MESSAGE_OUTPUT,ONLY")
fi

all=''
if [ $# -eq 0 ]; then
	all=yes
	shopt -s nullglob
	for program in tests/unit_*.c tests/screen_*.c tests/live_*.c; do
		set -- "$@" "build/${program%.c}"
	done
	set -- "$@" tests/*_test.sh tests/lint.sh tests/kernels.sh
fi

# Prints "passed failed skipped" of the TAP in $output (run), and why tests count as failed;
# $1: the program's exit status.
count() {
	awk -v status="$1" -v strict="${LAGTOP_STRICT-0}" '
	function fail(what) { failed++; print "  FAILED " what }
	/^1\.\.[0-9]+/ { planned += substr($1, 4); plans++ }
	/^skip: / { reason = substr($0, 7) }
	!/^(not )?ok / { next }
	{ name = $0; sub(/^(not )?ok [0-9]+( -)? ?/, "", name); seen++ }
	toupper($0) ~ /# SKIP/ {
		sub(/ *# SKIP */, "", name)
		if (strict && reason !~ /^this (kernel|clang-format)/)
			fail(name ": skipped: " (reason ? reason : "no reason given"))
		else
			skipped++
		if (reason) print "  skipped " name ": " reason
		reason = ""
		next
	}
	/^not ok 0 / { seen-- }	# a group that could not be set up or torn down: not in the plan
	/^not ok / { fail(name); next }
	{ passed++ }
	END {
		if (!plans) fail("no test ran")
		if (seen < planned) { print "  FAILED " planned - seen " that never ended"; failed += planned - seen }
		if (status == 124 || status == 137) fail("took too long")
		else if (status && !failed) fail("exit status " status)
		print "counts " passed + 0, failed + 0, skipped + 0
	}' "$output"
}

# watch PROGRAM LIMIT: a long test reports twice a minute how far it is, and the load.
watch() {
	local began=$SECONDS said
	while ! read -rt "${LAGTOP_TEST_SAYS-30}" <> <(:); do
		said=$(grep -E '^(ok|not ok|# (fetching|booting)) ?' "$output" | tail -n 1)
		echo "  ${1#build/}: $((SECONDS - began)) s of at most $2, $(grep -cE '^(not )?ok ' "$output") done${said:+, last: $said}" \
			"(load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) CPUs)"
	done
}

# run PROGRAM NUMBER: prints the result; its counts and comparisons are left in files with that number.
run() {
	local program=$1 limit=600 command=("$1") output=$work/$2.output start report p f s
	case $program in
	build/tests/live_* | tests/nobody_test.sh | tests/package_test.sh) command=("${as_root[@]}" "$program") ;;
	esac
	[ "$program" = tests/kernels.sh ] && limit=3300
	start=$(date +%s%N)
	: >"$output"
	trap end EXIT
	trap 'exit 143' TERM
	watch "$program" $limit &
	# Commands started with & ignore them otherwise.
	env --default-signal=INT,QUIT timeout -k 5 $limit "${command[@]}" >"$output" 2>&1 </dev/null &
	wait $!
	report=$(count $?)
	end
	sed -n "s/^= //p" "$output" >"$work/$2.compared"
	echo "${report##*$'\n'}" >"$work/$2.counts"
	read -r _ p f s <"$work/$2.counts"
	{
		printf '%-32s %4d passed %3d failed %3d skipped %6d ms\n' "${program#build/}" "$p" "$f" "$s" \
			$((($(date +%s%N) - start) / 1000000))
		[ "$report" = "${report##*$'\n'}" ] || echo "${report%$'\n'*}"
		if [ "$f" -gt 0 ]; then
			echo "  output of $program:"
			tail -n 200 "$output" | sed 's/^/  | /'
		fi
	} >"$work/$2.report"
	flock "$work" cat "$work/$2.report"
}

number=0
for program in "$@"; do
	[ $number -lt "$jobs" ] || wait -n
	number=$((number + 1))
	run "$program" $number &
done
wait
read -r passed failed skipped < <(cat "$work"/*.counts | awk '{ p += $2; f += $3; s += $4 } END { print p + 0, f + 0, s + 0 }')
failed=$((failed + number - $(find "$work" -name '*.counts' | wc -l))) # whose runner was killed

# The live tests' comparisons with the kernel's own accounting, in one table.
if [ -n "$(cat "$work"/*.compared)" ]; then
	printf '\n%-44s %16s %16s %14s %12s\n' compared measured oracle difference allowed
	find "$work" -name '*.compared' | sort -V | xargs cat
	echo
fi
[ -z "$all" ] || echo $SECONDS >build/test_seconds # for downloads.sh
# What failed once more: a log may be read from its end only.
for program in $(seq "$number"); do
	grep -qs '^  FAILED ' "$work/$program.report" && sed -n -e '1s/ .*//p' -e 's/^  FAILED /  FAILED /p' "$work/$program.report"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
