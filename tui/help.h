/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the help as lines of a given width: keys, signs of the present view, columns; and what was lost. */
#ifndef HELP_H
#define HELP_H

#include "view.h"

#define HELP_KEYS_CELLS 14 /* the longest title of a column */
#define HELP_LINES 1600
#define HELP_TEXTS 4096

struct help_line {
	char key[HELP_KEYS_CELLS * 4 + 1];
	const char *text;
	int len; /* of the part of text that this line shows */
	enum style style;
};

/* Rebuilt each time it is drawn, since the width may change. */
struct help {
	struct help_line line[HELP_LINES];
	int n;
	char texts[HELP_TEXTS]; /* of lines whose text has numbers */
	size_t used;
};

/* Adds a text, cut between words. */
void help_text(struct help *h, const char *key, const char *text, int cells);
void help_make(struct help *h, const struct view *v, int cells, bool blocks);
/* The signs of the screen only. */
void help_signs(struct help *h, const struct view *v, int cells, bool blocks);
void help_lost(struct help *h, const struct view *v, int cells);

#endif
