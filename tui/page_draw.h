/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of one process, drawn below the title. */
#ifndef PAGE_DRAW_H
#define PAGE_DRAW_H

#include "view.h"

void page_draw(struct view *v, struct grid *g);

#endif
