/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kept readings as one line: gaps, marks, and the reading shown. */
#ifndef TIMELINE_DRAW_H
#define TIMELINE_DRAW_H

#include "grid.h"
#include "view.h"

/* Whether there is something to see on it. */
bool timeline_wanted(const struct view *v);
void timeline_draw(const struct view *v, struct grid *g, int y);

#endif
