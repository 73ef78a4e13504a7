#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Takes the pictures in screenshots/: records lagtop on this machine while it compiles, packs, writes to the disk
# and talks to itself, then replays the recording on a terminal without a screen, once for each picture.
# Needs root. What is on the pictures was measured when they were taken.
set -eum # each workload a process group of its own
# In a pid namespace of its own, so that the pictures show the workloads and not what else this machine runs.
[ $$ -eq 1 ] || exec unshare --pid --fork --kill-child --mount-proc "$0"
cd "$(dirname "$0")/.."
work=$(mktemp -d /var/tmp/lagtop-screenshots-XXXXXX)
readings=60

stop_loads() {
	local group
	for group in $(jobs -p); do kill -- "-$group" 2>/dev/null || true; done
	wait 2>/dev/null || true
}
trap 'stop_loads; rm -rf "$work"' EXIT

# A workload of tests/load: it begins at once and is killed in the end.
load() {
	build/tests/load "$@" < <(echo -n x && exec sleep 600) >/dev/null 2>&1 &
}

# picture NAME KEY…: after the last reading these keys.
picture() {
	local name=$1 key keys=()
	shift
	for _ in $(seq 2 $readings); do keys+=(-k .); done
	for key; do keys+=(-k "$key"); done
	build/tests/shot 156x36 "$work/$name.svg" -f "${keys[@]}" -- \
		env XDG_CONFIG_HOME="$work" ./lagtop --replay "$work/recording" --filter "not comm=outside" --manual
	rsvg-convert -z 2 "$work/$name.svg" -o "screenshots/$name.png"
}

load tcp -1 100000000
load bursts 0 100000000 300
load transfer tcp4 send 4096 1000000000
load connections 12
(while MAKEFLAGS='' make -s BUILD="$work/build" "$work/build/lagtop.a"; do rm -rf "$work/build"; done) >/dev/null 2>&1 &
(while tar -c /usr/share 2>/dev/null | gzip -6; do :; done) >/dev/null &
(while dd if=/dev/zero of="$work/file" bs=64k count=4000 oflag=direct 2>/dev/null; do :; done) &
./lagtop --json -d 0.5 -n $readings --record "$work/recording" >/dev/null
stop_loads

picture overview
picture process Enter
picture calls 5
picture connections 6
