#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Takes the pictures in screenshots/: lagtop runs on a virtual terminal, once per picture, while a web
# server answers, a database writes and something is compiled; then while one service waits for a lock and another
# talks over a lossy network. Needs root. The numbers in the pictures are real.
# Arguments: the pictures to take (all).
set -eum # each load a process group of its own
# In a pid and a network namespace of its own, so that the pictures show the loads and nothing else on this machine.
[ $$ -eq 1 ] || exec unshare --pid --net --fork --kill-child --mount-proc "$0" "$@"
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin
work=$(mktemp -d /var/tmp/lagtop-screenshots-XXXXXX)
chmod 755 "$work"
only=" $* "
readings=40
reading_ms=500
ip link set lo up

stop_loads() {
	local group
	for group in $(jobs -p); do kill -- "-$group" 2>/dev/null || true; done
	wait 2>/dev/null || true
}
limits=()
trap 'stop_loads; rmdir "${limits[@]}" 2>/dev/null; rm -rf "$work"' EXIT

# A load in the background.
begin() {
	"$@" </dev/null >/dev/null 2>&1 &
}

# The same with tests/load, which waits for a byte and is killed at the end.
load() {
	build/tests/load "$@" < <(echo -n x && exec sleep 600) >/dev/null 2>&1 &
}

# Waits until a port is listened on.
until_listening() {
	until (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do read -rt 0.05 <> <(:) || true; done
}

# picture NAME SIZE [VARIABLE=VALUE] -- KEY…: these keys are pressed after the last reading.
picture() {
	[[ $only == '  ' || $only == *" $1 "* ]] || return 0
	local name=$1 size=$2 key keys=(-w "$reading_ms") vars=("XDG_CONFIG_HOME=$work/config")
	shift 2
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	for _ in $(seq "$readings"); do keys+=(-k '^N'); done
	keys+=(-w 0)
	for key; do keys+=(-k "$key"); done
	build/tests/shot "$size" "$work/$name.svg" -f "${keys[@]}" -- \
		env "${vars[@]}" ./lagtop --budget off --manual -d "0.$((reading_ms / 100))"
	rm -rf "$work/config"
	# The SVG has a text for each word of "waiting for the first reading".
	if grep -q '>first</text>' "$work/$name.svg"; then
		echo "screenshots.sh: $name: there was no reading" >&2
		return 1
	fi
	rsvg-convert -z 1.5 "$work/$name.svg" -o "screenshots/$name.png"
}

web_server() {
	mkdir -p "$work/www"
	head -c 20000 README.md >"$work/www/index.html"
	cat >"$work/nginx.conf" <<-END
		worker_processes 2; daemon off; user www-data; pid $work/nginx.pid; error_log $work/error.log;
		events { worker_connections 512; }
		http { access_log $work/access.log; server { listen 127.0.0.1:8080; root $work/www; } }
	END
	begin nginx -e "$work/error.log" -c "$work/nginx.conf"
	until_listening 8080
	begin wrk -t1 -c24 -d600s http://127.0.0.1:8080/index.html
}

database() {
	begin redis-server --port 6379 --dir "$work" --save '' --appendonly yes --appendfsync always
	until_listening 6379
	begin redis-benchmark -p 6379 -t set -n 1000000000 -c 8 -d 400 -q
}

compiler() {
	while MAKEFLAGS='' make -s -j2 BUILD="$work/build" "$work/build/lagtop.a"; do rm -rf "$work/build"; done
}

web_server
database
begin compiler
picture overview 150x34 --
picture process 150x34 -- / r e d i s - s e r Enter Enter
picture disks 120x24 -- 7
stop_loads

# A program in a control group that may use a fifth of a CPU.
limited() {
	local group
	if [ -d /sys/fs/cgroup/cpu ]; then
		group=/sys/fs/cgroup/cpu/lagtop-screenshots
		mkdir -p "$group" && echo 20000 >"$group/cpu.cfs_quota_us"
	else
		group=/sys/fs/cgroup/lagtop-screenshots
		mkdir -p "$group" && echo +cpu >/sys/fs/cgroup/cgroup.subtree_control && echo '20000 100000' >"$group/cpu.max"
	fi
	limits+=("$group")
	(echo 0 >"$group/cgroup.procs" && "$@") </dev/null >/dev/null 2>&1 &
}
web_server
limited gzip -c /dev/zero
picture quota 80x24 --
stop_loads

load futex -1 100000000
nft -f - <<-END
	table inet lossy {
		chain input {
			type filter hook input priority 0
			tcp dport 8080 numgen random mod 100 < 2 drop
		}
	}
END
web_server
picture lossy 80x24 -- 4 '>' '>' '>'
picture lock 80x24 -- / l o a d Enter Enter
