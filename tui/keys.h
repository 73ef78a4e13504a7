/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys: one table row each, from which the program obeys, the help screen and the key line print. */
#ifndef KEYS_H
#define KEYS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A key press: a Unicode character, or one of these. */
enum {
	K_ESC = 27,
	K_ENTER = '\r',
	K_TAB = '\t',
	K_CTRL = 0x1f,	 /* mask: 'L' & K_CTRL */
	K_UP = 0x110000, /* beyond Unicode */
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_PAGE_UP,
	K_PAGE_DOWN,
	K_HOME,
	K_END,
	K_BACKSPACE,
	K_DELETE,
	K_BACKTAB,
	K_MOUSE,
	K_F = 0x110100, /* K_F + 1 is F1 */
};

enum key_button { BUTTON_CLICK, BUTTON_WHEEL_UP, BUTTON_WHEEL_DOWN };

struct key {
	uint32_t code;
	int y, x; /* K_MOUSE */
	enum key_button button;
};

enum key_function {
	DO_NOTHING,
	DO_UP,
	DO_DOWN,
	DO_LEFT,
	DO_RIGHT,
	DO_PAGE_UP,
	DO_PAGE_DOWN,
	DO_HALF_UP,
	DO_HALF_DOWN,
	DO_HOME,
	DO_END,
	DO_ENTER,
	DO_BACK,
	DO_NEXT_VIEW,
	DO_PREVIOUS_VIEW,
	DO_VIEW, /* the digit says which */
	DO_SORT_LEFT,
	DO_SORT_RIGHT,
	DO_SORT_MENU,
	DO_REVERSE,
	DO_SEARCH,
	DO_SEARCH_NEXT,
	DO_SEARCH_PREVIOUS,
	DO_FILTER,
	DO_COLUMNS,
	DO_THREADS,
	DO_TREE,
	DO_GROUP,
	DO_KERNEL,
	DO_DEAD,
	DO_ACTIVE,
	DO_TOTALS,
	DO_PAUSE,
	DO_OLDER,
	DO_NEWER,
	DO_OLDER_10,
	DO_NEWER_10,
	DO_DELAY,
	DO_TAG,
	DO_SIGNAL,
	DO_NICE_UP,
	DO_NICE_DOWN,
	DO_HELP,
	DO_REDRAW,
	DO_READ,
	DO_QUIT,
};

struct key_row {
	enum key_function function;
	uint32_t keys[4];  /* 0: no more */
	const char *label; /* on the key line; NULL: not there */
	const char *help;  /* NULL: not in the help */
};

/* A row without function is the title of a section of the help. */
extern const struct key_row key_rows[];
extern const size_t key_rows_count;

enum key_function key_function(uint32_t code);
/* "PgUp", "F6", "^L", "x" */
const char *key_label(uint32_t code, char buf[16]);

/* The table as text: keys, a tab, what they do; a section's title stands alone. */
void keys_list(FILE *out);

#endif
