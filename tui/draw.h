/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Draws the whole screen into a grid. */
#ifndef DRAW_H
#define DRAW_H

#include "view.h"

void draw(struct view *v, struct grid *g);

#endif
