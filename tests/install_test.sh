#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a user gets: installed files, man page, completions, package, and documents that say what the program says.
# Prints TAP.
# shellcheck disable=SC2317 # the checks are called through check
set -u
export MAKEFLAGS='' # no jobserver of a make that runs this
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/check.sh

install_and_uninstall() {
	make -s install DESTDIR="$work/root" PREFIX=/opt/lagtop >/dev/null || return
	"$work/root/opt/lagtop/bin/lagtop" --version || return
	[ -s "$work/root/opt/lagtop/share/man/man8/lagtop.8" ] || return
	make -s uninstall DESTDIR="$work/root" PREFIX=/opt/lagtop
	find "$work/root" -type f | grep . && return 1
	return 0
}

man_page() {
	mandoc -T lint -W warning build/docs/lagtop.8 || return
	local option
	for option in $(./lagtop --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -e '--[a-z-]+$'); do
		sed 's/\\-/-/g' build/docs/lagtop.8 | grep -qw -e "Fl ${option#-}" || { echo "no $option" && return 1; }
	done
}

# What bash offers after these words.
complete_bash() {
	bash --norc -c '. build/docs/lagtop.bash; COMP_WORDS=(lagtop "$@"); COMP_CWORD=$#; _lagtop; echo "${COMPREPLY[*]}"' - "$@" 2>&1
}

completions() {
	[ "$(complete_bash --rep)" = --replay ] || { complete_bash --rep && return 1; }
	[ "$(complete_bash --view sys)" = syscalls ] || { complete_bash --view sys && return 1; }
	[ "$(complete_bash --sort runq9)" = "runq90 runq99" ] || { complete_bash --sort runq9 && return 1; }
	[ "$(complete_bash --user roo)" = root ] || { complete_bash --user roo && return 1; }
	bash -n build/docs/lagtop.bash
}

readme_is_current() {
	awk -v form=readme -f tui/docs.awk build/docs/help build/docs/list-columns build/docs/list-keys README.md |
		diff README.md - || { echo "make readme mends it" && return 1; }
}

# A disk that is full is told; a reader that went away is none of ours.
output_that_is_not_taken() {
	local gone
	./lagtop --list-columns 2>"$work/full" >/dev/full && return 1
	grep 'stdout: No space left' "$work/full" || { cat "$work/full" && return 1; }
	exec {gone}> >(exec true)
	wait $!
	./lagtop --list-columns 1>&"$gone" 2>"$work/gone" || return
	[ ! -s "$work/gone" ] || { cat "$work/gone" && return 1; }
}

package() {
	make -s deb || return
	lintian --fail-on error,warning build/lagtop_*.deb || return
	dpkg-deb -x build/lagtop_*.deb "$work/deb" && "$work/deb/usr/bin/lagtop" --version
}

make -s lagtop build/docs/lagtop.8 build/docs/lagtop.bash build/docs/lagtop.fish build/docs/_lagtop >/dev/null
check "install and uninstall" install_and_uninstall
check "the man page is sound and tells every option" man_page
check "bash completes" completions
check "README's tables are the program's" readme_is_current
check "output that cannot be written" output_that_is_not_taken
command -v dpkg-deb >/dev/null && check "the Debian package is clean" package
echo "1..$number"
exit $status
