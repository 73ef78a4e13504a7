/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The open menu or prompt, drawn over the rest. */
#ifndef MENU_DRAW_H
#define MENU_DRAW_H

#include "view.h"

void menu_draw(struct view *v, struct grid *g);

#endif
