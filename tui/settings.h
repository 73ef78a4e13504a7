/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lagtoprc: what the user saved, in $XDG_CONFIG_HOME/lagtop, readable text. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "view.h"

/* Takes the file's word for what the command line left open. False: there are lines that are not understood, or it
 * cannot be read; view_say tells which. */
bool settings_load(struct view *v);
/* Sets settings.differs. */
void settings_compare(struct view *v);
/* Writes the file whole, beside, then renames it; if a link leads to it, the file behind the link. One that is not
 * understood stays as it is. Says what it did. */
void settings_save(struct view *v);

#endif
