/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Menus and prompts over the table: menu.c obeys keys, menu_draw.c draws. */
#ifndef MENU_H
#define MENU_H

#include "view.h"

#define MENU_GROUPS 4
struct menu_group {
	enum model_kind kind;
	const char *name;
};
extern const struct menu_group menu_groups[MENU_GROUPS];

/* The columns that the column chooser shows: those chosen, in their order, then the others that mean something. */
int menu_choosable(const struct table *t, const struct column *out[TABLE_COLUMNS]);
/* The columns that the sort menu shows. */
int menu_sortable(const struct table *t, const struct column *out[TABLE_COLUMNS]);

#endif
