#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lagtop builds without a warning, and passes lint and the tests that need no kernel, in fresh roots of other Debian
# releases: releases.sh [RELEASE…], trixie and sid. The roots are made once and kept in ~/.cache/lagtop. Prints TAP.
# Needs root.
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh
. tests/check.sh
work=$(mktemp -d)
part=''
trap 'rm -rf "$work" "$part"' EXIT

# The root of release $1, in $root, with the packages to build, lint and test; or why not, in $why.
make_root() {
	local packed=$cache/release-$1.tar packages mirror
	packages=$(tests/deps.sh packages build test | tr ' ' '\n' | grep -vE 'qemu|aarch64|busybox|debootstrap' | paste -sd ' ')
	root=$work/$1
	if [ "$(cat "$packed.list" 2>/dev/null)" = "$packages" ]; then
		mkdir "$root" && tar -C "$root" -xf "$packed"
		return
	fi
	mirror=$(debian_mirror)
	why="this machine's apt has no Debian mirror"
	[ -n "$mirror" ] || return
	mkdir -p "$cache"
	debian_try "$work" debootstrap --variant=minbase "$1" "$root" "$mirror" || return
	debian_try "$work" debian_inside "$root" "apt-get -qq install -y --no-install-recommends $packages && apt-get clean" || return
	# Beside it first, under a name that no other run has.
	part=$(mktemp "$packed.XXXXXX") && tar -C "$root" -cf "$part" . && mv "$part" "$packed" && echo "$packages" >"$packed.list"
}

builds() {
	debian_inside "$root" 'cd /src && make -s tests WERROR=-Werror'
}

passes() {
	debian_inside "$root" "cd /src && LANG=C.UTF-8 WERROR=-Werror tests/run.sh $*"
}

[ $# -gt 0 ] || set -- trixie sid
for release; do
	if ! make_root "$release"; then
		skip "$release" "$why"
		continue
	fi
	mkdir "$root/src"
	tar -c --exclude=./build --exclude=./lagtop --exclude=./.git . | tar -x -C "$root/src"
	check "$release: builds" builds
	# shellcheck disable=SC2016 # for the shell inside
	check "$release: unit and screen tests" passes '$(ls build/tests/unit_* build/tests/screen_* | grep -v "\.[do]$")'
	check "$release: lint" passes tests/lint.sh
	check "$release: documents, completions and package" passes tests/install_test.sh
	check "$release: fuzz targets" passes tests/fuzz_test.sh
	check "$release: the static lagtop of this machine" tests/static_test.sh "$root"
	rm -rf "$root"
done
echo "1..$number"
exit $status
