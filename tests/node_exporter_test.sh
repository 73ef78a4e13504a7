#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prometheus's node_exporter accepts what --openmetrics writes: it serves every sample of the file, counters as
# counters. It is Debian's, installed or fetched once into ~/.cache/lagtop, and listens on loopback. Prints TAP.
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh
. tests/check.sh
work=$(mktemp -d)
part=''
exporter=''
address=''
trap '[ -z "$exporter" ] || kill "$exporter" 2>/dev/null; rm -rf "$work" "$part"' EXIT

# Debian's PROGRAM of PACKAGE, in $program; or why not, in $why.
find_program() {
	local codename arch
	program=$(command -v "$1") && return
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	arch=$(dpkg --print-architecture 2>&1)
	program=$cache/$1-$codename-$arch
	[ -x "$program" ] && return
	[ -d "$work/apt" ] || debian_lists "$work/apt" "$codename" "$arch" || return
	debian_try "$work/apt" apt-get "${apt[@]}" download "$2" || return
	why="$cache cannot be written to"
	mkdir -p "$cache" && part=$(mktemp "$program.XXXXXX") || return
	dpkg-deb --fsys-tarfile "$work/apt/$2"_*.deb | tar -xO "./usr/bin/$1" >"$part" &&
		chmod 755 "$part" && mv "$part" "$program"
}

# Starts it; its address in $address, if it listens.
start() {
	local deadline=$((SECONDS + 30))
	mkdir "$work/files"
	timeout -k 1 120 "$program" --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory="$work/files" --web.listen-address=127.0.0.1:0 >"$work/log" 2>&1 &
	exporter=$!
	until address=$(grep -m1 -oE 'address=127\.0\.0\.1:[1-9][0-9]*' "$work/log"); do
		[ $SECONDS -lt $deadline ] && kill -0 "$exporter" 2>/dev/null || return
		read -rt 0.05 <> <(:) # a moment between two looks
	done
	address=${address#address=}
}

listens() {
	[ -n "$address" ] || { cat "$work/log" && return 1; }
}

# It serves what is in the file: the same series, each family with the same type.
taken() {
	curl --silent --show-error --max-time 20 "http://$address/metrics" >"$work/served" || return
	grep -x 'node_textfile_scrape_error 0' "$work/served" || { cat "$work/log" && return 1; }
	for text in "$work/files/lagtop.prom" "$work/served"; do
		sed -n 's/^\(lagtop_.*\) [^ ]*$/\1/p' "$text" | sort >"$text.series"
		grep '^# TYPE lagtop_' "$text" | sort >"$text.types"
	done
	[ "$(wc -l <"$work/served.series")" -ge 100 ] || return
	diff "$work/files/lagtop.prom.series" "$work/served.series" || return
	comm -13 "$work/files/lagtop.prom.types" "$work/served.types" | grep . && return 1 # it drops what has no sample
	diff <(grep '^lagtop_.*_bucket' "$work/files/lagtop.prom" | sort) <(grep '^lagtop_.*_bucket' "$work/served" | sort) ||
		return
	cp "$work/files/lagtop.prom" "$work/kept.$number"
	grep -x '# TYPE lagtop_host_switches_total counter' "$work/served"
}

written_by() {
	./lagtop --replay tests/golden/version1.lag --openmetrics "$work/files/lagtop.prom" -g "$1" && taken &&
		grep -q "^lagtop_$1_calls_seconds_bucket{" "$work/served"
}

hostile_names() {
	rm -f "$work/files/lagtop.prom"
	METRICS_KEPT=$work/files/lagtop.prom build/tests/unit_outputs >"$work/outputs" 2>&1 ||
		{ cat "$work/outputs" && return 1; }
	grep -F 'command="\"},x{\""' "$work/files/lagtop.prom" && taken
}

# Prometheus's own check of names, types and texts.
checked() {
	for text in "$work"/kept.*; do
		"$program" check metrics <"$text" || return
	done
}

if find_program prometheus-node-exporter prometheus-node-exporter; then
	start
	check "it listens" listens
	check "samples by command" written_by command
	check "samples by user" written_by user
	check "samples by control group" written_by cgroup
	check "samples with hostile names" hostile_names
else
	skip "node_exporter takes --openmetrics" "node_exporter cannot be had: $why"
fi
if ! ls "$work"/kept.* >/dev/null 2>&1; then
	skip "promtool check metrics" "node_exporter cannot be had"
elif find_program promtool prometheus; then
	check "promtool check metrics" checked
else
	skip "promtool check metrics" "promtool cannot be had: $why"
fi
echo "1..$number"
exit $status
