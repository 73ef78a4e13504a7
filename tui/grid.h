/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame: cells of one character and one style each. All drawing code puts text here; only
 * screen.c turns it into terminal output. Texts must already be clean (format_clean). A wide
 * character takes its cell and an empty one (ch 0) to its right.
 */
#ifndef GRID_H
#define GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"

/* What a cell means, not how it looks: screen.c chooses colours and weights. */
enum style {
	STYLE_NORMAL,
	STYLE_DIM,
	STYLE_STRONG,
	STYLE_NAME,   /* lagtop's own name */
	STYLE_HEADER, /* table header */
	STYLE_SORTED, /* header of the sorted column */
	STYLE_TAB,    /* the active tab */
	STYLE_KEY,    /* a key's name */
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_SPARK,
	STYLE_DEAD,
	STYLE_MATCH,			      /* search match */
	STYLE_BOX,			      /* frame of a menu */
	STYLE_STATE,			      /* first of LT_STATES: the wait budget */
	STYLE_HEAT = STYLE_STATE + LT_STATES, /* first of GRID_HEATS */
	STYLES = STYLE_HEAT + 5,
};
#define GRID_HEATS 5

struct cell {
	uint32_t ch;
	uint8_t style;
	bool selected; /* under the cursor */
};

struct grid {
	int rows, cols;
	bool utf8;		/* texts may be UTF-8 */
	bool blocks;		/* eighth blocks and box drawing may be used */
	int cursor_y, cursor_x; /* of a prompt; y < 0: hidden */
	struct cell *cells;
};

/* Empties the grid at a new size. 0 or -ENOMEM. */
int grid_resize(struct grid *g, int rows, int cols);
void grid_free(struct grid *g);
void grid_clear(struct grid *g);

void grid_put(struct grid *g, int y, int x, uint32_t ch, enum style style);
/* Each clips at `cells` columns and at the border, and returns the columns used. */
int grid_text(struct grid *g, int y, int x, int cells, enum style style, const char *text);
int grid_right(struct grid *g, int y, int x, int cells, enum style style, const char *text);
void grid_fill(struct grid *g, int y, int x, int cells, uint32_t ch, enum style style);
/* Highlights n cells of a line: the cursor. */
void grid_select(struct grid *g, int y, int x, int cells);
/* Columns a clean text takes. */
int grid_width(const char *text);

/* A column of a sparkline: level 0 (nothing) to 8. */
void grid_spark(struct grid *g, int y, int x, int level, enum style style);
/* A horizontal bar of eighths of a cell, at most `cells` long. */
void grid_bar(struct grid *g, int y, int x, int cells, int eighths, enum style style);

/* An emptied, framed box for menus, in the middle of the grid, not larger than it. Returns its inner
 * top left corner and size. */
struct grid_box {
	int y, x, rows, cols;
};
struct grid_box grid_box(struct grid *g, int rows, int cols, const char *title);

#endif
