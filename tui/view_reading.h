/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds readings to the view, and arranges the rows that are shown. */
#ifndef VIEW_READING_H
#define VIEW_READING_H

#include "view.h"

/* Adds the new reading in the memory that history_take returned. 0 or -ENOMEM: nothing may be drawn then. */
int view_reading(struct view *v, struct sample *s);
/* Arranges the rows of what is shown: after a reading, and after a key unless it only moved. 0 or -ENOMEM. */
int view_arrange(struct view *v);

#endif
