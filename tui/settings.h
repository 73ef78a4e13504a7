/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lagtoprc: what the user changed, kept in $XDG_CONFIG_HOME/lagtop, readable text. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "view.h"

/* Takes the file's word for what the command line left open. Lines that are not understood are reported
 * by view_say, and the file is not written any more. */
void settings_load(struct view *v);
/* Writes the file whole, beside, then renames it. Says so when it cannot. */
void settings_save(struct view *v);

#endif
