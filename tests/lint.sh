#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules that a compiler does not check: who includes what, format, spelling, scripts, and no paths or hosts of one
# machine. Prints TAP; each check prints what breaks it.
# shellcheck disable=SC2317,SC2329 # the checks are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
shopt -s nullglob
. tests/check.sh

# lint.sh [WORDS]: only the checks whose name contains them.
only=${1-}
rule() { case $1 in *"$only"*) check "$@" ;; esac }

# silent COMMAND…: succeeds if the command does and prints nothing.
silent() {
	local found
	found=$("$@" 2>&1) && [ -z "$found" ] && return
	echo "$found"
	return 1
}

files() {
	find . \( -name .git -o -path ./build -o -path ./lagtop \) -prune -o -type f "$@" -print | sed 's|^\./||' | sort
}
mapfile -t sources < <(files -name '*.[ch]')
mapfile -t scripts < <(files \( -name '*.sh' -o -path './.ci/*' \))
mapfile -t texts < <(files ! -name '*.png' ! -name '*.lag' ! -path './tests/corpus/*' ! -name LICENSE)

ncurses_in_one_file() {
	local users
	users=$(grep -lE '#include *[<"].*curses' "${sources[@]}" | grep -v '^tests/')
	[[ $users =~ ^tui/[a-z_]+\.c$ ]] || echo "must be one .c file of tui/: ${users:-none}"
}

libbpf_in_one_module() {
	local users
	users=$(grep -lE '#include *[<"](bpf/|.*\.skel\.h)' "${sources[@]}" | grep -vE '^(bpf|tests)/')
	[ -n "$users" ] || echo "no file does"
	grep -vE '^tui/probe[a-z_]*\.[ch]$' <<<"$users"
	grep -x 'tui/probe\.h' <<<"$users"
	return 0
}

shared_headers_stand_alone() {
	grep -nE '#include' include/*.h | grep -vE '"[a-z]+\.h"|<linux/types\.h>'
	return 0
}

bpf_names() {
	grep -nE '^(SEC|int BPF_PROG\(|int lt_)' bpf/*.bpf.c | grep -oE '[^:]+:[0-9]+:int (BPF_PROG\()?[a-z_0-9]+' |
		awk '{ name = $NF; sub(/BPF_PROG\(/, "", name)
		       if (name !~ /^lt_/ || length(name) > 15) print $0 ": lt_ and at most 15 characters" }'
}

# One form for C, one for scripts.
license_lines() {
	local file
	for file in "${sources[@]}"; do
		[ "$(head -1 "$file")" = "/* SPDX-License-Identifier: GPL-2.0-or-later */" ] || echo "$file: begins without the SPDX line"
	done
	for file in "${scripts[@]}"; do
		head -2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file: no SPDX line"
	done
}

# A header that is included first must compile on its own.
own_header_first() {
	local file own
	for file in tui/*.c tests/*.c; do
		own=$(basename "$file" .c).h
		[ ! -e "${file%.c}.h" ] || [ "$(grep -m1 '^#include' "$file")" = "#include \"$own\"" ] || echo "$file: includes $own not first"
	done
}

# for (int i = …: a loop's variable is declared in it. In tests some are used after it.
loop_variables() {
	grep -nE '\bfor \([a-z_0-9]+ = ' "${sources[@]}" | grep -v '^tests/'
	return 0
}

# Done in one place: arrays grow in grow.c, characters are decoded in utf8.c. Buffers for files of unknown size, and
# arrays that grow by one element, are exempt.
one_of_each() {
	grep -nE '\brealloc(array)?\([^;]*\* 2|\bcap\b.*\* 2' tui/*.[ch] | grep -v '^tui/grow\.[ch]:'
	grep -niE '0xc0\b|& 0x3f\b|& 63\)|nl_langinfo' tui/*.[ch] | grep -v '^tui/utf8\.[ch]:'
	return 0
}

# What includes do not show: the linker's view.
calls_of_layers() {
	MAKEFLAGS='' make -s lagtop >/dev/null && tests/layers.sh symbols
}

# From the opening to the closing brace. A comment in the function or right above it may give a reason for more.
function_length() {
	awk -v longest=60 '
		FNR == 1 { start = 0; reason = 0 }
		/[Ll]onger than a screen: / { reason = 1 }
		/^[A-Za-z_].*\(/ && !/;$/ { name = $0 }
		/^\{/ { start = FNR }
		/^\}/ {
			if (start && !reason && FNR - start >= longest)
				print FILENAME ":" start ": " FNR - start + 1 " lines, and no reason beside it: " name
			start = 0
			reason = 0
		}' "${sources[@]}"
}

file_length() {
	wc -l "${sources[@]}" | awk '$2 != "total" && $1 > 900 { print $2 ": " $1 " lines: more than one reason to change" }'
}

packages_have_rows() {
	local module
	sed -n 's/^\(TEST_\)\?PKGS = //p' Makefile | tr ' ' '\n' | while read -r module; do
		grep -q "pc:$module " tests/deps.sh || echo "$module: not in tests/deps.sh"
	done
}

machine_paths() {
	grep -nE '(^|[^[:alnum:]_}])/([w]ork|[r]oot|[h]ome/[a-z]+)/' "${texts[@]}"
	return 0
}

# What a merge left behind: it may be in a comment's place, or in a file that is not built here.
conflict_markers() {
	grep -nE '^(<{7}|>{7}) ' "${texts[@]}"
	return 0
}

# The hosts that this machine's apt takes packages from.
registry_hosts() {
	local hosts
	hosts=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^/ ]+' | sed 's|.*//||' | sort -u)
	[ -z "$hosts" ] || grep -nF "$hosts" "${texts[@]}"
	return 0
}

clang_warnings() {
	MAKEFLAGS='' make -s syntax >/dev/null
}

# Debian 12's; other versions format some lines differently.
formatter=$(tests/deps.sh clang-format)
formatter_version=$("$formatter" --version | grep -oE 'version [0-9]+')
clang_format() {
	"$formatter" --dry-run --Werror "${sources[@]}" 2>&1 | awk -F: '/error/ && !seen[$1]++ { print $1 ":" $2 ": make format mends it" }'
}

rule "ncurses is included by one file" silent ncurses_in_one_file
rule "libbpf and the skeleton are included by the probe only" silent libbpf_in_one_module
rule "shared headers include only each other" silent shared_headers_stand_alone
rule "BPF programs are named lt_…" silent bpf_names
rule "every source says its license" silent license_lines
rule "own header first" silent own_header_first
rule "loop variables begin with the loop" silent loop_variables
rule "arrays grow and UTF-8 is read in one place" silent one_of_each
rule "no file is too long" silent file_length
rule "no function is too long" silent function_length
rule "files include only the layers before them" silent tests/layers.sh includes
rule "files call only the layers before them" silent calls_of_layers
if [ "$formatter_version" = "version 14" ]; then
	rule "clang-format" silent clang_format
elif [ -z "$only" ]; then
	skip "clang-format" "this clang-format is of ${formatter_version:-no version}; the sources have the format of version 14"
fi
rule "clang has no warnings either" silent clang_warnings
rule "shellcheck" silent shellcheck -f gcc "${scripts[@]}"
rule "codespell" silent codespell -L bu,nd,inflight,iterm --skip "./tests/golden/*,tests/golden/*" "${texts[@]}"
rule "make deps knows every package" silent packages_have_rows
rule "no conflict of a merge" silent conflict_markers
rule "no path of one machine" silent machine_paths
rule "no registry's host" silent registry_hosts
echo "1..$number"
exit $status
