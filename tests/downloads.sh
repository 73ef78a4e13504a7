#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what `make test` is about to download, once, and how long it takes.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh

downloads() {
	local packages
	packages=$(tests/deps.sh missing build test)
	[ -z "$packages" ] || echo "packages: $packages"
	[ -n "$(debian_mirror)" ] || return
	tests/kernels.sh --downloads
	[ -e "$cache/arm64" ] || echo "libraries of arm64: 24 MB"
	command -v prometheus-node-exporter >/dev/null || compgen -G "$cache/node-exporter-*" >/dev/null || echo "node_exporter: 13 MB"
	compgen -G "$cache/root-*.tar" >/dev/null || echo "a fresh root of this Debian, for the package: 80 MB"
}

found=$(downloads)
if [ -n "$found" ]; then
	echo "make test will download, once:"
	while read -r line; do echo "  $line"; done <<<"$found"
	echo "What is not installed is kept in $cache."
fi
last=$(cat build/test_seconds 2>/dev/null)
if [ -n "$last" ]; then
	echo "It ran for $(((last + 59) / 60)) minutes the last time, downloads included."
else
	echo "It runs for about 45 minutes on two idle CPUs, half of them kernels under emulation."
fi
