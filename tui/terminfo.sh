#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints tui/terminfo.h: this machine's descriptions of the terminals that lagtop supports where no descriptions are installed.
set -eu
cat <<'END'
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptions of terminals for machines without any, in the form of the variable TERMINFO. Made by terminfo.sh. */
#ifndef TERMINFO_H
#define TERMINFO_H

static const struct {
	const char *name, *description;
} builtin[] = {
END
for name in xterm-256color screen-256color linux vt100; do
	echo "	{ \"$name\","
	infocmp -0 -q -Q2 "$name" | fold -w 100 | sed 's/.*/	  "&"/; $s/$/ },/'
done
cat <<'END'
};

#endif
END
