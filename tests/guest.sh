#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The first process of a guest of kernels.sh: runs lagtop and the live tests, reports, powers off. The kernel's command line
# says where to report to (lagtop.report) and which tests to run (lagtop.tests).
# shellcheck shell=dash
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/root TERM=linux CMOCKA_MESSAGE_OUTPUT=tap LIVE_EMULATED=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
mount -t tracefs trace /sys/kernel/tracing
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t securityfs security /sys/kernel/security
ifconfig lo 127.0.0.1 up
# The kernel finds the disks in the background, and may number them in another order.
disk() {
	for name in /sys/block/nvme0n*; do
		[ "$(cat "$name/nsid" 2>/dev/null)" != "$1" ] || echo "${name##*/}"
	done
}
tries=0
while ! { [ -n "$(disk 2)" ] && [ -n "$(disk 3)" ] && mount -t ext4 "/dev/$(disk 1)" /var/tmp 2>/dev/null; } &&
	[ $((tries += 1)) -lt 100 ]; do
	usleep 100000
done
# Of the same controller, for tests of disks.
LIVE_DISKS="$(disk 2) $(disk 3)"
export LIVE_DISKS
# The strictest setting that distributions use.
echo 3 >/proc/sys/kernel/perf_event_paranoid
echo 2 >/proc/sys/kernel/unprivileged_bpf_disabled

argument() {
	sed -n "s/.*lagtop.$1=\([a-zA-Z0-9]*\).*/\1/p" /proc/cmdline
}

line=/dev/$(argument report)
stty -F "$line" raw -echo
cd /lagtop || exit

# run TITLE COMMAND…: its output, each line after the title, then its exit status.
run() {
	title=$1
	shift
	{
		timeout -k 5 600 "$@" 2>&1
		echo "exit $?"
	} </dev/null | sed "s/^/$title|/" >"$line"
	echo "time|$title $(cut -d. -f1 /proc/uptime) s" >"$line"
}

run kernel uname -r
run check ./lagtop --check
run json ./lagtop --json -n 1 -d 0.3
run static ./lagtop-static --json -n 1 -d 0.3
./lagtop --check >/dev/null || run verbose ./lagtop --verbose --batch -n 1 -d 0.3
case $(argument tests) in
all)
	for test in build/tests/live_*; do
		[ "$test" != build/tests/live_soak ] || continue # no stress-ng here
		[ "$test" != build/tests/live_servers ] || continue # nor servers
		run "${test##*/}" "$test"
	done
	run live_nobody build/nobody_test.sh
	;;
quick)
	ONLY='test_getppid*' run live_counts build/tests/live_counts
	ONLY='test_fork*' run live_exits build/tests/live_counts
	ONLY='test_last*' run live_last build/tests/live_counts
	ONLY='test_mixed*' run live_calls build/tests/live_calls
	ONLY='test_i*' run live_in_flight build/tests/live_calls
	ONLY='test_tcp*' run live_net build/tests/live_net
	ONLY='test_connects*' run live_connects build/tests/live_net
	ONLY='test_accept*' run live_accepts build/tests/live_net
	ONLY='test_queues*' run live_queues build/tests/live_net
	ONLY='test_open*' run live_turns build/tests/live_turns
	ONLY='test_closure*' run live_closure build/tests/live_closure
	ONLY='test_asleep_after*' run live_states build/tests/live_sleeps
	ONLY='test_rt*' run live_rt build/tests/live_sleeps
	ONLY='*queue*' run live_cpus build/tests/live_cpus
	ONLY='*normal*' run live_mutex build/tests/live_locks
	ONLY='*pi*' run live_pi build/tests/live_locks
	ONLY='*condition*' run live_condition build/tests/live_locks
	# The arm64 emulator stops a CPU for longer than the 2 % that the quota may differ by, and is slow: what does not
	# depend on the machine is left to x86-64.
	if [ "$(uname -m)" = x86_64 ]; then
		ONLY='test_network_stack*' run live_stack build/tests/live_net
		ONLY='*ring*' run live_rings build/tests/live_sleeps
		ONLY='*io_uring*' run live_io_uring build/tests/live_sockets
		ONLY='*quota*' run live_quota build/tests/live_splits
		# Debian's kernel of PREEMPT_RT has the driver of the guest's disk in a module.
		if ! uname -v | grep -q PREEMPT_RT; then
			ONLY='*memory*' run live_memory build/tests/live_splits
			ONLY='*page_fault*' run live_page_faults build/tests/live_splits
			run live_disk build/tests/live_disk
		fi
	fi
	for test in life privileges refusals containers; do
		run live_$test build/tests/live_$test
	done
	run live_kill build/tests/live_kill
	# User nobody cannot use tracefs: Linux 7 then skips calls, with PREEMPT_RT more than the test allows; they
	# are in lost.
	uname -v | grep -q PREEMPT_RT || LIVE_NOBODY=1 ONLY='test_getppid*' run live_nobody build/tests/live_counts
	;;
esac
# One CPU writes a record while another reads it: for machines that reorder stores. Of amd64 the emulator runs one CPU at a
# time, and shows nothing that this test does not show on the machine itself.
[ "$(argument tests)" = none ] || [ "$(uname -m)" = x86_64 ] || run live_torn build/tests/unit_ledger_torn
echo 'end|' >"$line"
sync
poweroff -f
