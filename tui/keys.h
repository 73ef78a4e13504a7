/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys, one table row each: used for dispatch, the help screen and the key line. */
#ifndef KEYS_H
#define KEYS_H

#include <stdio.h>

#include "view.h"

#define KEY_NEEDS_TABLE 1 /* does nothing without a table, as in the heatmap */
#define KEY_COUNTS 2	  /* each further key of the row adds 1 to arg */
#define KEY_FIRST 8	  /* the help begins with it */
#define KEY_HOLDS 4	  /* acts on a row: the order stays as it is for a while */

/* One of the two functions, or none. */
struct key_action {
	void (*plain)(struct view *v);
	void (*with)(struct view *v, int arg);
	int arg;
};

/* A row without a function is the title of a section of the help. */
struct key_row {
	struct key_action action;
	uint8_t flags;
	uint32_t keys[4];	   /* 0: no more */
	const char *help;	   /* NULL: not in the help */
	const char *label;	   /* on the key line; NULL: not there */
	const char *page_label;	   /* the same in a page; NULL: as label, "": not there */
	struct key_action in_list; /* in the list of a menu */
};

extern const struct key_row key_rows[];
extern const size_t key_rows_count;
bool key_does(const struct key_row *row); /* false: the title of a section */

/* What a key or the mouse does to the view. */
void keys_dispatch(struct view *v, const struct key *k);

/* "PgUp", "F6", "^L", "x" */
const char *key_label(uint32_t code, char buf[16]);

/* The table as text: keys, a tab, what they do; a section's title is on a line of its own. */
void keys_list(FILE *out);

#endif
