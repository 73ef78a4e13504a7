/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict on the screen: over the last readings, up to the one that is shown. */
#ifndef VERDICT_VIEW_H
#define VERDICT_VIEW_H

#include "view.h"

/* Makes v->verdict if it is shown and out of date. Forgets the past model, whose sample it may have replaced. 0 or
 * -ENOMEM. */
int verdict_view_update(struct view *v);

#endif
