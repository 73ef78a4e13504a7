#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a user gets: installed files, man page, completions, package, and documents that agree with the program.
# Prints TAP.
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
export MAKEFLAGS='' # no jobserver of a make that runs this
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/check.sh

install_and_uninstall() {
	local root="$work/a user's root"
	make -s install DESTDIR="$root" PREFIX=/opt/lagtop >/dev/null || return
	"$root/opt/lagtop/bin/lagtop" --version || return
	[ -s "$root/opt/lagtop/share/man/man8/lagtop.8" ] || return
	[ "$(find "$root" -type f | wc -l)" = 6 ] || { find "$root" && return 1; }
	make -s uninstall DESTDIR="$root" PREFIX=/opt/lagtop || return
	find "$root" -type f | grep . && return 1
	return 0
}

# The service is sound, names what was installed, and exposes little.
service() {
	local root=$work/service unit
	make -s install DESTDIR="$root" PREFIX=/usr || return
	unit=$root/usr/lib/systemd/system/lagtop-record.service
	grep -x 'ExecStart=/usr/bin/lagtop --batch --record .* --keep 2G' "$unit" || return
	find "$root" -name '*.wants' | grep . && return 1 # not enabled
	# Elsewhere it complains of units that are missing below the root; a line number means this file's own.
	systemd-analyze verify --root="$root" "$unit" >"$work/verified" 2>&1
	grep 'lagtop-record.service:[0-9]' "$work/verified" && return 1
	systemd-analyze security --offline=yes --no-pager "$unit" >"$work/security" 2>&1 || { cat "$work/security" && return 1; }
	awk '/Overall exposure level/ { sub(/.*: /, ""); found = 1; if ($1 > 1.6) bad = 1 } END { exit bad || !found }' "$work/security" ||
		{ tail -n 1 "$work/security" && return 1; }
	make -s install DESTDIR="$root" PREFIX=/opt/x && grep -x 'ExecStart=/opt/x/bin/lagtop .*' "$root/opt/x/lib/systemd/system/lagtop-record.service"
}

# Where this machine's shells look by default, as over ssh.
shells_look_there() {
	local prefix root fish zsh
	fish=$(env -u XDG_DATA_DIRS HOME="$work" fish --command "printf '%s\n' \$fish_complete_path")
	# shellcheck disable=SC2016,SC2086 # of zsh
	zsh=$(env -u FPATH zsh -fc 'print -l $fpath')
	for prefix in /usr /usr/local; do
		root=$work/shells$prefix
		make -s install DESTDIR="$root" PREFIX="$prefix" || return
		grep -xF "$(cd "$root" && find . -name lagtop.fish -printf '/%P\n' | sed 's|/lagtop.fish||')" <<<"$fish" ||
			{ echo "fish looks in $fish" && find "$root" && return 1; }
		grep -xF "$(cd "$root" && find . -name _lagtop -printf '/%P\n' | sed 's|/_lagtop||')" <<<"$zsh" ||
			{ echo "zsh looks in $zsh" && find "$root" && return 1; }
	done
	make -s install DESTDIR="$work/named" ZSH_DIR=/z/functions FISH_DIR=/f || return
	[ -s "$work/named/z/functions/_lagtop" ] && [ -s "$work/named/f/lagtop.fish" ]
}

# builds_not SENTENCE VARIABLE…: make with these variables fails and prints only that sentence.
builds_not() {
	local sentence=$1
	shift
	make -s all BUILD="$work/build" LAGTOP="$work/lagtop" "$@" >"$work/built" 2>&1 && return 1
	grep -vE '^make(\[[0-9]+\])?: \*\*\*' "$work/built" >"$work/told"
	[ "$(wc -l <"$work/told")" = 1 ] && grep "^lagtop: $sentence" "$work/told" && return
	cat "$work/built"
	return 1
}

what_is_too_old() {
	mkdir -p "$work/old" || return
	printf '#!/bin/sh\necho 11\n' >"$work/old/clang"
	printf '#!/bin/sh\necho Usage: bpftool gen skeleton FILE\n' >"$work/old/bpftool"
	printf '#!/bin/sh\n exit 1\n' >"$work/old/cc"
	chmod +x "$work"/old/*
	builds_not 'clang 11 is too old: lagtop needs 14' CLANG="$work/old/clang" || return
	builds_not 'packages are missing; "make deps"' CLANG="$work/old/none" || return
	builds_not '.*/bpftool is too old: lagtop needs' BPFTOOL="$work/old/bpftool" || return
	builds_not 'this C library has no' CC="$work/old/cc" || return
	pkg-config --cflags libbpf >/dev/null || return
	sed 's/^Version:.*/Version: 0.3.0/' "$(pkg-config --variable=pcfiledir libbpf)/libbpf.pc" >"$work/old/libbpf.pc"
	PKG_CONFIG_PATH=$work/old builds_not 'libbpf 0.3.0 is too old: lagtop needs 1.0'
}

man_page() {
	mandoc -T lint -W warning build/docs/lagtop.8 || return
	local option
	for option in $(./lagtop --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -e '--[a-z-]+$'); do
		sed 's/\\-/-/g' build/docs/lagtop.8 | grep -qw -e "Fl ${option#-}" || { echo "no $option" && return 1; }
	done
}

# What bash completes after these words.
complete_bash() {
	bash --norc -c '. build/docs/lagtop.bash; COMP_WORDS=(lagtop "$@"); COMP_CWORD=$#; _lagtop; echo "${COMPREPLY[*]}"' - "$@" 2>&1
}

completions() {
	[ "$(complete_bash --rep)" = --replay ] || { complete_bash --rep && return 1; }
	[ "$(complete_bash --view sys)" = syscalls ] || { complete_bash --view sys && return 1; }
	[ "$(complete_bash --sort wake9)" = "wake90 wake99" ] || { complete_bash --sort wake9 && return 1; }
	[ "$(complete_bash --user roo)" = root ] || { complete_bash --user roo && return 1; }
	bash -n build/docs/lagtop.bash
}

# README names only options, keys and pictures that exist, and every picture is in it.
readme_is_true() {
	local key
	grep -oE -e '--[a-z][a-z-]+' README.md | sort -u >"$work/options"
	grep -oE -e '--[a-z][a-z-]+' build/docs/help | sort -u | comm -13 - "$work/options" >"$work/unknown"
	# shellcheck disable=SC2016 # backquotes of the table
	sed -n '/^| key |/,/^$/s/^| \(`.*`\) | .*/\1/p' README.md | grep -oE '`[^` ]+`' | tr -d '`' >"$work/keys"
	while IFS= read -r key; do
		cut -f1 build/docs/list-keys | tr ' ' '\n' | grep -qxF -e "$key" || echo "key $key" >>"$work/unknown"
	done <"$work/keys"
	[ "$(wc -l <"$work/keys")" -ge 10 ] || return
	grep -oE 'screenshots/[a-z]+\.png' README.md | sort -u >"$work/pictures"
	printf '%s\n' screenshots/*.png | diff - "$work/pictures" >>"$work/unknown"
	cat "$work/unknown"
	[ ! -s "$work/unknown" ]
}

# A full disk is reported; a closed pipe is not an error.
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

rpm_package() {
	make -s rpm || return
	mkdir "$work/rpm"
	rpm -qlp build/lagtop-*.rpm 2>/dev/null | grep -x /usr/bin/lagtop || return
	(cd "$work/rpm" && rpm2cpio "$OLDPWD"/build/lagtop-*.rpm | cpio -id --quiet) && "$work/rpm/usr/bin/lagtop" --version
}

# A machine without dpkg-dev: a package without dependencies would be wrong.
package_needs_dependencies() {
	mkdir "$work/bin" && ln -s /usr/bin/* /usr/sbin/* "$work/bin" 2>/dev/null
	rm "$work/bin/dpkg-shlibdeps"
	PATH=$work/bin make -s deb >"$work/made" 2>&1 && return 1
	grep '^lagtop: .*dpkg-shlibdeps.*dpkg-dev' "$work/made" || { cat "$work/made" && return 1; }
	printf '#!/bin/sh\necho "error: no symbols" >&2\nexit 2\n' >"$work/bin/dpkg-shlibdeps"
	chmod +x "$work/bin/dpkg-shlibdeps"
	PATH=$work/bin make -s deb >"$work/made" 2>&1 && return 1
	grep '^lagtop: .*: error: no symbols' "$work/made" || { cat "$work/made" && return 1; }
}

make -s lagtop build/docs/lagtop.8 build/docs/lagtop.bash build/docs/lagtop.fish build/docs/_lagtop >/dev/null
check "install and uninstall" install_and_uninstall
if systemd-analyze security --help >/dev/null 2>&1; then
	check "the service that records" service
else
	skip "the service that records" "systemd-analyze is missing"
fi
check "completions are where fish and zsh look" shells_look_there
check "tools that are too old to build it get one sentence" what_is_too_old
check "the man page is sound and tells every option" man_page
check "bash completes" completions
check "README names what exists" readme_is_true
check "output that cannot be written" output_that_is_not_taken
if command -v dpkg-deb >/dev/null; then
	check "no package without its dependencies" package_needs_dependencies
	check "the Debian package is clean" package
fi
if command -v rpmbuild >/dev/null; then
	check "an RPM package" rpm_package
else
	skip "an RPM package" "rpmbuild is missing"
fi
echo "1..$number"
exit $status
