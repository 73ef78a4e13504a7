/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table on the screen: which columns, in which order of rows, where the cursor is. Rows and
 * values come from the model and the table of columns; nothing is computed here.
 *
 * The cursor belongs to a row's identity (key), not to a line. Until a cursor key was used, and after Home, the table
 * stays at its top: a row that sinks below the lines shown takes the cursor along only if it is `pinned`.
 * After a key that acts on a row the order is held until held_ns, so that the row one wants does not move away.
 */
#ifndef TABLE_H
#define TABLE_H

#include "grid.h"
#include "selection.h"

#define TABLE_COLUMNS 96
#define TABLE_TEXT 256
#define TABLE_HOLD_NS 2000000000ULL

/* What the user asks for in every table. */
struct table_wants {
	struct selection selection;
	char filter[TABLE_TEXT], search[TABLE_TEXT];
	bool no_dead;	/* without processes that exited */
	bool no_kernel; /* without kernel threads that are idle */
	bool tree;
	uint64_t *tags; /* keys of rows */
	uint32_t n_tags, cap_tags;
};

struct table_place {
	uint64_t key;
	uint32_t at;
};

struct table {
	const struct column_view *view;
	enum model_kind kind;
	const struct column *chosen[TABLE_COLUMNS]; /* by the user; those without meaning for kind are left out */
	int n_chosen;
	const struct column *sort, *kept_sort; /* kept: saved in lagtoprc, unlike that of --sort */
	bool reverse, kept_reverse;
	int skip; /* columns scrolled away to the left */

	struct row **order; /* n rows of the model, as shown; valid until it is asked again */
	uint32_t n, cap;
	uint32_t current, of; /* rows of this reading: shown, and in all */
	bool unknown;	      /* there may be rows, but this reading did not collect them */
	/* Processes that did nothing, the last ones in order: so many, and as `folded` a single line below the others.
	 * They follow in `order`, after n. The cursor on that line is at n. */
	uint32_t idle;
	bool folded, unfold; /* the user wants to see them */

	uint32_t cursor, top;
	uint64_t cursor_key;
	bool pinned;
	bool unfocused;		    /* the keys go elsewhere: the cursor is not drawn */
	uint64_t held_ns;	    /* clock until which the order is held */
	struct table_place *places; /* by key: the order held */
	uint32_t n_places;

	/* As drawn, for the mouse and for paging. */
	int y, lines, n_shown;
	struct {
		const struct column *column;
		int x, cells;
	} shown[TABLE_COLUMNS];
	bool more_left, more_right;
};

/* The view's default columns and sort. */
void table_init(struct table *t, const struct column_view *view);
void table_free(struct table *t);
/* Clears the rows and the cursor; columns and sort stay. */
void table_forget(struct table *t);
/* Appends columns by their names, separated by spaces. False: one is not known, or is there already; those
 * before it were appended. */
bool table_choose(struct table *t, const char *names);

/* The columns that mean something for the kind of rows there now. Returns their number. */
int table_columns(const struct table *t, const struct column *out[TABLE_COLUMNS]);

uint64_t table_key(const struct row *r);
/* Filters, sorts (or holds) rows, finds the cursor again. The first `current` rows are of this reading; the others,
 * of processes that exited earlier, come last. 0 or -ENOMEM. */
int table_arrange(struct table *t, enum model_kind kind, struct row *rows, uint32_t n, uint32_t current,
		  const struct table_wants *w, uint64_t now_ns);

const struct row *table_row(const struct table *t, uint32_t line); /* NULL beyond the end */
const struct row *table_cursor(const struct table *t);
/* Whether the cursor is on the line of the idle processes. */
bool table_on_fold(const struct table *t);
/* Shows them, the cursor on the first, or folds them again. */
void table_unfold(struct table *t);
/* Moves the cursor by lines, pins it and holds the order. */
void table_move(struct table *t, int64_t by, uint64_t now_ns);
void table_home(struct table *t);
/* Holds the order from now on. */
void table_hold(struct table *t, uint64_t now_ns);
/* The user asked for another order: it is no longer held, and a cursor that was not moved goes to the top. */
void table_release(struct table *t);

/* Sorts by the sortable column to the left (-1) or right (1). */
void table_sort_move(struct table *t, int direction);
void table_sort(struct table *t, const struct column *c);
/* Makes the current sort the saved one. */
void table_keep_sort(struct table *t);
void table_scroll(struct table *t, int by);

bool table_tagged(const struct table_wants *w, uint64_t key);

/* Draws header and rows into lines [y, y + lines) of the grid. */
void table_draw(struct table *t, struct grid *g, int y, int lines, const struct table_wants *w);

/* Severity of a level of struct model_sparkline. */
enum style table_spark_style(enum model_spark kind, uint8_t level);

#endif
