#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lagtop, its BPF programs and its live tests build for arm64. Prints TAP. (kernels.sh runs them.)
set -u
export MAKEFLAGS='' # no jobserver of a make that runs this
cd "$(dirname "$0")/.." || exit 1
echo 1..1
found=$(tests/arm64.sh 2>&1)
case $? in
0)
	readelf -h build/arm64/lagtop | grep -q 'Machine:.*AArch64' && echo "ok 1 - builds for arm64" && exit
	readelf -h build/arm64/lagtop | sed 's/^/# /'
	;;
77)
	echo "skip: $found"
	echo "ok 1 - builds for arm64 # SKIP"
	exit
	;;
*) echo "# ${found//$'\n'/$'\n'# }" ;;
esac
echo "not ok 1 - builds for arm64"
exit 1
