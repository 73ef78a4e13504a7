#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds lagtop and its live tests for arm64, into build/arm64, by cross compilation; `arm64.sh static`: the static
# lagtop, build/static-arm64/lagtop. The arm64 libraries are Debian's, fetched once and not installed; prints the
# directory that holds them. Exit status 77 and the reason: they are not available.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh
sysroot=$cache/arm64
release=bookworm
part=''
trap 'rm -rf "$part"' EXIT
packages="busybox-static libc6-dev libgcc-s1 $(tests/deps.sh libraries)"

# First into a temporary directory beside it: a fetch that fails half way leaves nothing that looks complete.
fetch_libraries() {
	local package link
	why="$cache cannot be written to"
	mkdir -p "$cache" && part=$(mktemp -d "$sysroot.XXXXXX") || return
	mkdir -p "$part"/apt "$part"/usr/{bin,lib,sbin}
	ln -s usr/bin usr/lib usr/sbin "$part"
	debian_lists "$part/apt" $release arm64 || return
	# shellcheck disable=SC2086 # a list of words
	debian_try "$part/apt" apt-get "${apt[@]}" install -y --download-only --no-install-recommends $packages || return
	for package in "$part"/apt/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$part" || return
	done
	# They contain paths of the machine that they would be installed on.
	find "$part" -type l -lname '/*' | while read -r link; do
		ln -sfn "$sysroot$(readlink "$link")" "$link"
	done
	rm -rf "$part/apt" "$sysroot"
	echo "$release $packages" >"$part/packages"
	mv -T "$part" "$sysroot"
}

give_up() {
	echo "$1"
	exit 77
}

[ "$(uname -m)" = x86_64 ] || give_up "only an x86-64 machine builds it by cross compilation"
command -v aarch64-linux-gnu-gcc >/dev/null || give_up "there is no aarch64-linux-gnu-gcc"
if [ "$(cat "$sysroot/packages" 2>/dev/null)" != "$release $packages" ]; then
	fetch_libraries || give_up "no arm64 libraries: $why"
fi
export PKG_CONFIG_SYSROOT_DIR=$sysroot
export PKG_CONFIG_LIBDIR=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig
if [ "${1-}" = static ]; then
	make -s ARCH=arm64 CC="aarch64-linux-gnu-gcc --sysroot=$sysroot" static
	exit
fi
make -s BUILD=build/arm64 LAGTOP=build/arm64/lagtop ARCH=arm64 CC="aarch64-linux-gnu-gcc --sysroot=$sysroot" \
	live >&2 || exit 1
echo "$sysroot"
