/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Above the table of who waits for disks: one device in one direction. */
#ifndef DISK_DRAW_H
#define DISK_DRAW_H

#include "view.h"

/* Draws v->disk from line y on. Returns the lines used: fewer on a low screen. */
int disk_draw(const struct view *v, struct grid *g, int y);

#endif
