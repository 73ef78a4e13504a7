#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package in a fresh root of this machine's release: it installs with only its dependencies,
# runs, its man page opens, its completions complete, and after a purge nothing of it is left. So does what `make install` puts into
# /usr/local. Prints TAP.
# The root is made once, by debootstrap, and kept in ~/.cache/lagtop.
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
export MAKEFLAGS='' # no jobserver of a make that runs this
cd "$(dirname "$0")/.." || exit 1
. tests/debian.sh
work=$(mktemp -d)
root=$work/root
part=''
trap 'rm -rf "$work" "$part"' EXIT
. tests/check.sh

skip_all() {
	echo 1..1
	echo "skip: $1"
	echo "ok 1 - the package in a fresh root # SKIP"
	exit
}

# Makes the root, with the dependencies of lagtop's package, man, and the shells with completions.
make_root() {
	local codename mirror wanted=man-db,bash-completion,fish,zsh packed
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || skip_all "this machine's apt has no Debian mirror"
	wanted+=,$(dpkg-deb -f "$package" Depends | sed 's/([^)]*)//g; s/[[:space:]]//g')
	packed=$cache/root-$codename.tar
	if [ "$(cat "$packed.list" 2>/dev/null)" != "$wanted" ]; then
		mkdir -p "$cache"
		debootstrap --variant=minbase --include="$wanted" "$codename" "$root" "$mirror" >"$work/log" 2>&1 ||
			skip_all "debootstrap: $(tail -n 1 "$work/log")"
		# Beside it first, under a name that no other run has.
		part=$(mktemp "$packed.XXXXXX") && tar -C "$root" -cf "$part" . && mv "$part" "$packed" &&
			echo "$wanted" >"$packed.list"
		return
	fi
	mkdir "$root" && tar -C "$root" -xf "$packed"
}

inside() {
	debian_inside "$root" "$1"
}

list_files() {
	(cd "$root" && find . -path ./proc -prune -o -path ./sys -prune -o -path ./tmp -prune -o -path ./var/log -prune -o -path ./var/cache -prune -o \
		-path './var/lib/dpkg/*-old' -o -print) | sort
}

installs() {
	cp "$package" "$root/lagtop.deb"
	inside 'dpkg --install /lagtop.deb' || return
	inside 'lagtop --version'
}

checks() {
	local out code
	out=$(inside 'lagtop --check')
	code=$?
	echo "$out"
	case $code in
	0 | 3) grep 'on, by' <<<"$out" ;;
	*) return 1 ;;
	esac
}

man_opens() {
	inside 'MANPAGER=cat man lagtop' >"$work/man" || return
	grep '^LAGTOP(8)' "$work/man" && grep -e --replay "$work/man" && return
	head -n 20 "$work/man"
	return 1
}

# As in a user's shell, from what the package installed.
bash_completes() {
	local found
	# shellcheck disable=SC2016 # for the shell inside
	found=$(inside '. /usr/share/bash-completion/bash_completion
		_completion_loader lagtop
		complete -p lagtop >/dev/null || exit
		COMP_WORDS=(lagtop --rep) COMP_CWORD=1
		"$(complete -p lagtop | sed "s/.*-F \([^ ]*\).*/\1/")" lagtop --rep lagtop
		echo "${COMPREPLY[*]}"')
	[ "$found" = --replay ] || { echo "$found" && return 1; }
}

fish_completes() {
	local found
	# It keeps a history in its user's home.
	found=$(inside "HOME=/tmp fish --command 'complete --do-complete \"lagtop --rep\"'")
	[[ $found = --replay* ]] || { echo "$found" && return 1; }
}

# In a terminal of its own: what it completes for the word, after setting up completion as users do.
zsh_completes() {
	local found
	cat >"$root/tmp/complete.zsh" <<-'END'
		zmodload zsh/zpty
		export TERM=vt100 HOME=/tmp
		zpty z zsh -f -i
		zpty -w z 'PS1=; autoload -Uz compinit; compinit -D; print rea''dy'
		zpty -r z out '*ready*'
		zpty -n -w z $'lagtop --repl\t'
		zpty -r z out '*--replay*' && print -- --replay
		zpty -d z
	END
	found=$(inside 'timeout 60 zsh -f /tmp/complete.zsh' </dev/null 2>&1)
	rm "$root/tmp/complete.zsh"
	[ "$found" = --replay ] || { echo "$found" && return 1; }
}

# As in a bare container: lagtop's built-in descriptions serve common terminals, others get advice.
terminal_without_description() {
	local said type
	cp tests/golden/version1.lag "$root/tmp/"
	for type in xterm foot; do
		said=$(printf q | inside "mount -t tmpfs none /usr/share/terminfo && mount -t tmpfs none /lib/terminfo &&
			TERM=$type script -qec 'lagtop --replay /tmp/version1.lag' /dev/null" 2>&1)
		grep -a 'web-07' <<<"$said" && continue
		echo "$said"
		return 1
	done
	said=$(inside "TERM=foobar script -qec 'lagtop --replay /tmp/version1.lag' /dev/null" </dev/null)
	rm "$root/tmp/version1.lag"
	grep '"foobar"; try TERM=xterm-256color, or --batch' <<<"$said" || { echo "$said" && return 1; }
}

installs_locally() {
	make -s install DESTDIR="$root" >/dev/null || return
	inside 'lagtop --version' || return
}

uninstalls_locally() {
	make -s uninstall DESTDIR="$root" || return
	# The directories that it needed stay.
	list_files >"$work/after"
	comm -13 "$work/before" "$work/after" | grep lagtop && return 1
	return 0
}

purges() {
	inside 'dpkg --purge lagtop' || return
	rm "$root/lagtop.deb"
	list_files | diff "$work/before" - || return
	inside 'dpkg-query --show lagtop' && return 1
	return 0
}

command -v dpkg-deb >/dev/null || skip_all "this machine makes no Debian packages"
[ "$(id -u)" = 0 ] || skip_all "not root"
debian_with_mounts true 2>/dev/null || skip_all "this process may not mount"
# As the owner of the build directory: no file there becomes root's.
setpriv --reuid "$(stat -c %u build)" --regid "$(stat -c %g build)" --clear-groups \
	make -s deb build/tests/live_refusals || exit
# shellcheck disable=SC2012 # no name has a space
package=$(ls -t build/lagtop_*.deb | head -n 1)
make_root
list_files >"$work/before"
# The live tests detect where nothing can be measured; this one is quick.
no_bpf=$(CMOCKA_MESSAGE_OUTPUT=tap ONLY=test_not_a_terminal build/tests/live_refusals </dev/null | sed -n 's/^skip: //p')
check "it installs" installs
if [ -n "$no_bpf" ]; then
	skip "lagtop --check" "$no_bpf"
else
	check "lagtop --check" checks
fi
check "the man page opens" man_opens
check "bash completes" bash_completes
check "fish completes" fish_completes
check "zsh completes" zsh_completes
check "no description of the terminal" terminal_without_description
check "a purge leaves nothing" purges
check "make install into /usr/local" installs_locally
check "the man page opens from there" man_opens
check "bash completes from there" bash_completes
check "fish completes from there" fish_completes
check "zsh completes from there" zsh_completes
check "make uninstall leaves nothing" uninstalls_locally
echo "1..$number"
exit $status
