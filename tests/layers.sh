#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# layers.sh includes | symbols: prints what breaks the order of layers in tui/README.md: a file that is not in the list,
# one that includes a later one, or (symbols: among the objects in build/) calls it or reads its data. A strict order
# has no cycles.
set -u
cd "$(dirname "$0")/.." || exit 1

# NAME.c or NAME.h and its place in the list; NAME stands for both unless NAME.h has a place of its own.
places() {
	awk '/^```layers$/ { inside = 1; next }
	     /^```/ { inside = 0 }
	     inside { for (i = /^ / ? 1 : 2; i <= NF; i++) { name[++n] = $i; if ($i in at) print $i ": twice"; at[$i] = n } }
	     END { for (i = 1; i <= n; i++)
			if (name[i] ~ /\.h$/) print "place", name[i], i
			else { print "name", name[i]; print "place", name[i] ".c", i; if (!((name[i] ".h") in at)) print "place", name[i] ".h", i } }' tui/README.md
}

# Who includes what: only files of tui/.
includes() {
	grep -oE '^#include "[a-z_0-9.]+"' tui/*.[ch] | sed 's|^tui/||; s|:#include "| |; s|"$||' | while read -r file header; do
		[ ! -e "tui/$header" ] || echo "use $file $header includes"
	done
}

# Who calls or reads what of whom, as the linker sees it.
symbols() {
	local file
	for file in tui/*.c; do
		file=$(basename "$file" .c)
		nm "build/$file.o" | awk -v file="$file.c" '
			$1 == "U" { print "needs", file, $2 }
			$2 ~ /^[TDRBCVW]$/ { print "has", file, $3 }'
	done | awk '$1 == "has" { owner[$3] = $2 }
		    $1 == "needs" { file[++n] = $2; symbol[n] = $3 }
		    END { for (i = 1; i <= n; i++) if (symbol[i] in owner)
				print "use", file[i], owner[symbol[i]], "uses " symbol[i] " of" }'
}

{
	places
	for file in tui/*.[ch]; do echo "file ${file#tui/}"; done
	"$1"
} | awk '
	$1 == "place" { at[$2] = $3; next }
	$1 == "name" { names[$2]; next }
	$1 == "file" { if (!($2 in at)) print "tui/" $2 ": not in the layers of tui/README.md"; sub(/\.[ch]$/, "", $2); exists[$2]; next }
	$1 == "use" {
		what = $4
		for (i = 5; i <= NF; i++) what = what " " $i
		if ($2 in at && $3 in at && at[$3] > at[$2])
			print "tui/" $2 " " what " " $3 ", which stands behind it in the layers of tui/README.md"
		next
	}
	{ print }
	END { for (name in names) if (!(name in exists)) print name ": in the layers of tui/README.md, but not in tui/" }'
