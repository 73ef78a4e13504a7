/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings come into the view, and the rows of what is shown are arranged. */
#ifndef VIEW_READING_H
#define VIEW_READING_H

#include "view.h"

/* A new reading was read into what history_take gave. 0 or -ENOMEM: nothing may be drawn then. */
int view_reading(struct view *v, struct sample *s);
/* Arranges the rows of what is shown: after a reading, and after a key unless it only moved. 0 or -ENOMEM. */
int view_arrange(struct view *v);

#endif
