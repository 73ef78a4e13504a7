#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One more metric is three lines in three files: adds minor page faults to a copy of the tree, in these places only,
# and checks that the number arrives everywhere. Prints TAP.
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/check.sh
export MAKEFLAGS=''
pages=5000

git ls-files -z 2>/dev/null | grep -zvE '^(screenshots|tests/(golden|corpus))/' | xargs -0 cp --parents -t "$work" 2>/dev/null ||
	cp -r Makefile README.md bpf include tests tui "$work"

three_lines() {
	cd "$work" || return
	sed -i 's/^\(\t*\)unsigned long nvcsw;/&\n\1unsigned long min_flt;/' bpf/kernel.h &&
		sed -i 's/^\tX(involuntary, .*/&\n\tX(minor_faults, "faults", 0, min_flt) \\/' include/counters.h &&
		sed -i 's|^\t{ "wakeups", "WAKE/s".*|\t{ "minflt", "MINFLT/s", "minor_faults", 8, SHOW_RATE, 0, TASKS, raw_minor_faults, "/s", "Minor page faults." },\n&|' \
			tui/column.c || return
	make lagtop >make.log 2>&1 || { cat make.log && return 1; }
}

# The sum, in the readings on stdin, of the process with that name (others name it as a culprit).
faults() {
	sed 's/{"pid":/\n&/g' | awk '/"comm":"faulter","cmdline"/ && match($0, /"minor_faults":[0-9]+/) {
		n += substr($0, RSTART + 15, RLENGTH - 15) } END { print n + 0 }'
}

# A child that touches that many pages; its parent prints how many faults the kernel counted for it.
is_counted() {
	local kernel seen replayed
	cd "$work" || return
	cat >faulter.c <<-END
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/resource.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			struct rusage use;
			if (argc > 1) {
				char *at = mmap(NULL, $pages * 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
				madvise(at, $pages * 4096L, MADV_NOHUGEPAGE);
				for (long i = 0; i < $pages; i++)
					at[i * 4096] = 1;
				return 0;
			}
			if (!fork())
				execl("./faulter", "faulter", "x", NULL);
			wait(NULL);
			getrusage(RUSAGE_CHILDREN, &use);
			printf("%ld\n", use.ru_minflt);
		}
	END
	cc -o faulter faulter.c || return
	cp faulter starter && mkfifo readings
	./lagtop --json -d 0.5 -n 8 --record faults.lag >readings 2>errors &
	exec 3<readings
	IFS= read -r _ <&3 || { cat errors && return 1; }
	kernel=$(./starter)
	seen=$(faults <&3)
	exec 3<&-
	wait
	replayed=$(./lagtop --replay faults.lag --json -d 1 | faults)
	echo "the kernel counted $kernel, lagtop $seen, its recording $replayed"
	[ "$kernel" -ge "$pages" ] && [ "$seen" = "$kernel" ] && [ "$replayed" = "$kernel" ]
}

is_listed() {
	cd "$work" || return
	./lagtop --list-columns | grep -E '^minflt .*Minor page faults' &&
		./lagtop --csv -n 1 --replay faults.lag | head -1 | grep -w minflt &&
		./lagtop --replay faults.lag --openmetrics faults.prom && grep '^# TYPE lagtop_command_minor_faults_total counter' faults.prom
}

# The path of every counter of the table, now with one more: sums, exited processes, history, recording.
is_looped_over() {
	cd "$work" || return
	make build/tests/unit_counters >make.log 2>&1 || { cat make.log && return 1; }
	build/tests/unit_counters
}

check "three lines build" three_lines
check "every loop has it" is_looped_over
if ! "$work"/lagtop --check >/dev/null 2>&1; then
	skip "the number is the kernel's, live and replayed" "needs root and BPF"
else
	check "the number is the kernel's, live and replayed" is_counted
	check "help, columns, CSV and OpenMetrics have it" is_listed
fi
echo "1..$number"
exit $status
