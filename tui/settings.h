/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lagtoprc: the saved settings, in $XDG_CONFIG_HOME/lagtop, as text. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "view.h"

/* Applies the file's settings where the command line has none. False: it has invalid lines or cannot be read; a message
 * says which. */
bool settings_load(struct view *v);
/* Sets settings.differs. */
void settings_compare(struct view *v);
/* Writes a temporary file and renames it into place; a symbolic link is followed. An invalid file is left as it is.
 * Shows a message. */
void settings_save(struct view *v);

#endif
