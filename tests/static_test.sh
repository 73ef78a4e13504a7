#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The static lagtop: one file of at most 5 MB, byte for byte reproducible, that runs in an empty root, in one with
# only busybox and in a fresh Debian with name services that it was not built with, on terminals without a
# description.
# Prints TAP. Needs root. static_test.sh ROOT: only what concerns names, in that root (releases.sh).
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
export MAKEFLAGS='' # no jobserver of a make that runs this
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/check.sh
lagtop=build/static/lagtop
most_bytes=5000000

one_file() {
	local bytes
	bytes=$(stat -c %s "$lagtop")
	echo "$bytes bytes"
	[ "$bytes" -le "$most_bytes" ] && readelf -lW "$lagtop" >"$work/segments" && ! grep -E 'INTERP|DYNAMIC' "$work/segments"
}

same_bytes() {
	mkdir "$work/elsewhere" && cp -r Makefile bpf include tests tui "$work/elsewhere" &&
		make -s -C "$work/elsewhere" static && cmp "$lagtop" "$work/elsewhere/$lagtop" || return
	rm -rf "$work/elsewhere"
}

says_how() {
	"$lagtop" --version | grep '^lagtop .*, static, '
}

# enter ROOT COMMAND…: runs it there with an environment of only TERM and the locale, and its own mounts.
enter() {
	local to=$1
	shift
	debian_with_mounts sh -c "mkdir -p '$to/proc' '$to/sys' && mount -t proc proc '$to/proc' && mount --rbind /sys '$to/sys' &&
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM='${type-dumb}' LC_ALL=en_US.UTF-8 chroot '$to' \"\$@\"" - "$@"
}

# A reading in root $1: its JSON is complete, and includes this very program.
reads() {
	enter "$1" /lagtop --json -n 2 -d 0.3 >"$work/json" || return
	while IFS= read -r line; do /usr/bin/python3 -c 'import json, sys; json.load(sys.stdin)' <<<"$line" || return; done <"$work/json"
	[ "$(grep -c '"comm":"lagtop"' "$work/json")" = 2 ]
}

says_what_works() {
	enter "$1" /lagtop --check >"$work/check"
	case $? in 0 | 3) grep '^sched  *on' "$work/check" ;; *) cat "$work/check" && return 1 ;; esac
}

# draws ROOT TERM: the screen of a recording; what it wrote is in $work/screen.
draws() {
	cp tests/golden/version1.lag "$1/"
	type=$2
	# It ends at the end of its keys.
	(sleep 1 && printf q) | enter_terminal "$1" >"$work/screen"
	unset type
	grep -a $'\033.*web-07' "$work/screen" && grep -a '2211' "$work/screen"
}
enter_terminal() {
	export type
	export -f enter debian_with_mounts
	# script starts $SHELL, or sh, which may drop the functions.
	SHELL=$BASH timeout 20 script -qec "stty rows 24 cols 80 && bash -c 'enter $1 /lagtop --replay /version1.lag'" /dev/null
}

draws_without_descriptions() {
	local name
	for name in xterm-256color xterm foot tmux-256color screen.xterm-256color linux vt100; do
		draws "$1" "$name" >/dev/null || { echo "$name: $(tail -c 300 "$work/screen")" && return 1; }
	done
}

# An entirely unknown terminal still gets one sentence.
refuses_what_it_cannot_know() {
	local name
	for name in foobar dumb; do
		draws "$1" "$name" && return 1
		grep -a "^lagtop: screen: unknown terminal type \"$name\"; try TERM=xterm-256color, or --batch" "$work/screen" || return
	done
}

# user_of UID COMMENT: the user name that a reading shows for a process with that uid, after the name services were
# queried.
user_of() {
	local pid
	setpriv --reuid "$1" sleep 60 &
	pid=$!
	enter "$root" /lagtop --json -n 4 -d 0.5 -p "$pid" | tail -n 1 | grep -o '"user":"[^"]*"'
	kill "$pid"
}

# Name services for network users: a static program cannot load their libraries, but can run getent.
prepare_names() {
	echo 'passwd: sss ldap systemd files' >"$root/etc/nsswitch.conf"
	echo 'alice:x:4242:4242::/:/bin/sh' >>"$root/etc/passwd"
	mv "$root/usr/bin/getent" "$root/usr/bin/getent.real"
	cat >"$root/usr/bin/getent" <<-'END'
		#!/bin/sh
		case "$*" in
		*4343*) echo 'from-ldap:x:4343:4343::/:/bin/sh' ;;
		*4444*) exec sleep 600 ;;
		*) exec /usr/bin/getent.real "$@" ;;
		esac
	END
	chmod 755 "$root/usr/bin/getent"
}
names_of_files() {
	user_of 4242 | grep '"alice"'
}
names_of_services() {
	user_of 4343 | grep '"from-ldap"'
}
# A service that does not answer: the number is shown, and the readings continue.
hanging_services() {
	user_of 4444 | grep '"4444"'
}
selects_by_name() {
	enter "$root" /lagtop --batch -n 1 -d 0.2 -u alice || return
	! enter "$root" /lagtop --batch -n 1 -d 0.2 -u nobody-of-that-name
}
check_names() {
	prepare_names
	check "$1: users of /etc/passwd, with services that cannot be loaded" names_of_files
	check "$1: users that only getent knows" names_of_services
	check "$1: a service that does not answer" hanging_services
	check "$1: --user by name" selects_by_name
}

make -s static >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
if [ $# -gt 0 ]; then
	root=$1
	cp "$lagtop" "$root/"
	check "$root: reads" reads "$root"
	check_names "$root"
	echo "1..$number"
	exit $status
fi
check "one file, at most $most_bytes bytes" one_file
check "the same bytes in another folder" same_bytes
check "--version says how it was built" says_how

mkdir "$work/empty"
cp "$lagtop" "$work/empty/"
mkdir -p "$work/busybox/bin"
cp "$lagtop" "$work/busybox/"
cp /bin/busybox "$work/busybox/bin/"
for root in empty busybox; do
	check "$root root: --check" says_what_works "$work/$root"
	check "$root root: readings" reads "$work/$root"
	check "$root root: screen" draws "$work/$root" xterm-256color
done
check "terminals without a description" draws_without_descriptions "$work/empty"
check "unknown terminals" refuses_what_it_cannot_know "$work/empty"

packed=$(compgen -G "$cache/root-*.tar" | head -n 1)
if [ -n "$packed" ]; then
	root=$work/debian
	mkdir "$root" && tar -C "$root" -xf "$packed"
	cp "$lagtop" "$root/"
	check "Debian: readings" reads "$root"
	check "Debian: screen" draws "$root" xterm-256color
	check "Debian: blocks of UTF-8 without the locale that is asked for" grep -aq · "$work/screen"
	check_names Debian
else
	skip "Debian" "package_test.sh made no root"
fi
echo "1..$number"
exit $status
