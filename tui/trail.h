/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The places from which Enter led on, so that Backspace comes back: pages of processes and tables. */
#ifndef TRAIL_H
#define TRAIL_H

#include "view.h"

/* Remembers the place shown; of more than TRAIL_PLACES the oldest is forgotten. */
void trail_push(struct view *v);
/* Goes back to the last place. False: there is none. */
bool trail_back(struct view *v);
/* "java > postgres": the processes before the one whose page is open, at most so many cells; "": none. */
void trail_text(const struct view *v, char *buf, size_t size, int cells, bool utf8);

#endif
