#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lint works: each of its rules about structure fails on a copy of the tree in which it is broken.
# shellcheck disable=SC2317,SC2329 # the functions are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/check.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# finds WORDS TEXT: in the copy the rule with these words fails and prints TEXT.
finds() {
	local found
	found=$("$copy/tests/lint.sh" "$1")
	grep -q "^not ok" <<<"$found" && grep -qF -- "$2" <<<"$found" && return
	echo "$found"
	return 1
}

# keeps WORDS: in the copy the rule with these words passes.
keeps() {
	local found
	found=$("$copy/tests/lint.sh" "$1")
	grep -q "^ok" <<<"$found" && ! grep -q "^not ok" <<<"$found" && return
	echo "$found"
	return 1
}

# plant FILE: appends stdin to the copy's file.
plant() {
	cat >>"$copy/$1"
}

# mend FILE…: restores them.
mend() {
	local file
	for file; do
		if [ -e "$file" ]; then cp -p "$file" "$copy/$file"; else rm -f "$copy/$file"; fi
		touch "$copy/$file"
	done
}

# A function with that many lines from brace to brace.
long_function() {
	echo "int planted(int n);"
	echo "${2-}"
	echo "int planted(int n)"
	echo "{"
	yes "	n++;" | head -n $(($1 - 3))
	echo "	return n;"
	echo "}"
}

make -s lagtop >/dev/null || exit 1
tar -c --exclude=.git --exclude='build/*/*' --exclude='*.png' --exclude=corpus . | tar -x -C "$copy"
mkdir -p "$copy/build/tests"

check "the tree as it is has no upward include" keeps include
check "the tree as it is has no upward call" keeps call
check "the tree as it is has no long function" keeps function
check "the tree as it is has one dialect" keeps loop

plant tui/sample.h <<<'#include "view.h"'
check "an include of a higher layer is found" finds include 'tui/sample.h includes view.h'
mend tui/sample.h

# Each calls the other, without a header.
plant tui/text.c <<<'int grid_planted(void); int text_planted(void); int text_planted(void) { return grid_planted(); }'
plant tui/grid.c <<<'int text_planted(void); int grid_planted(void); int grid_planted(void) { return text_planted(); }'
check "a circle of calls is found" finds call 'tui/text.c uses grid_planted of grid.c'
mend tui/text.c tui/grid.c

# Each includes the other, which the compiler accepts.
plant tui/text.h <<<'#include "format.h"'
plant tui/format.h <<<'#include "text.h"'
check "a circle of includes is found" finds include 'tui/text.h includes format.h'
mend tui/text.h tui/format.h

plant tui/planted.h <<<'/* nobody'"'"'s */'
check "a file without a layer is found" finds include 'tui/planted.h: not in the layers'
rm "$copy/tui/planted.h"

sed -i 's/ history_pack / history_pack nothing /' "$copy/tui/README.md"
check "a layer's file that is not there is found" finds include 'nothing: in the layers'
mend tui/README.md

sed -i '1s|.*|// SPDX-License-Identifier: GPL-2.0-or-later|' "$copy/tui/text.c"
check "another form of the license line is found" finds license 'tui/text.c: begins without'
mend tui/text.c

sed -i 's|^#include "text.h"|#include <stddef.h>\n&|' "$copy/tui/text.c"
check "an own header that is not the first is found" finds header 'tui/text.c: includes text.h not first'
mend tui/text.c

plant tui/text.c <<<'int text_planted(int i) { for (i = 0; i < 3; i++); return i; }'
check "a loop variable from outside is found" finds loop 'tui/text.c:'
mend tui/text.c

plant tui/text.c <<<'void *text_planted(void *p, size_t n) { return realloc(p, n * 2); }'
check "an array that grows by itself is found" finds grow 'tui/text.c:'
mend tui/text.c

plant tui/text.c <<<'int text_planted(int c) { return (c & 0xc0) == 0x80; }'
check "UTF-8 taken apart elsewhere is found" finds UTF-8 'tui/text.c:'
mend tui/text.c

printf '/*\n%s HEAD\n*/\n' "$(printf '<%.0s' {1..7})" | plant tui/text.c
check "a merge that was not finished is found" finds conflict 'tui/text.c:'
mend tui/text.c

long_function 61 | plant tui/text.c
check "a function of 61 lines is found" finds function '61 lines'
mend tui/text.c
long_function 60 | plant tui/text.c
check "a function of 60 lines fits" keeps function
mend tui/text.c
long_function 61 '/* Longer than a screen: a table. */' | plant tui/text.c
check "a function of 61 lines with a reason is left alone" keeps function
mend tui/text.c
echo "1..$number"
exit $status
