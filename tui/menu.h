/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Menus and prompts over the table: their state and what keys do to it; drawn by menu_draw.c. */
#ifndef MENU_H
#define MENU_H

#include "view.h"

/* The columns in the column chooser: the chosen ones in their order, then the others that apply. */
int menu_choosable(const struct table *t, const struct column *out[TABLE_COLUMNS]);
/* The columns that the sort menu shows. */
int menu_sortable(const struct table *t, const struct column *out[TABLE_COLUMNS]);

/* Opens one. */
void menu_open(struct view *v, int mode);
/* Asks whether to raise (1) or lower (-1) a process's nice value. */
void menu_open_nice(struct view *v, int by);

/* Handles a key of a prompt, a question or the column chooser, or the mouse. False: not handled, use the list function
 * of the table of keys. */
bool menu_key(struct view *v, const struct key *k);

/* List functions of the table of keys. The help and the verdict have no cursor: they scroll. */
void menu_move(struct view *v, int by);
void menu_move_page(struct view *v, int direction);
void menu_home(struct view *v);
void menu_end(struct view *v);
void menu_enter(struct view *v);
void menu_reverse(struct view *v);
void menu_close(struct view *v);

#endif
