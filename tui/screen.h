/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen: the only user of ncurses. Takes readings from a source every delay, shows them, dispatches keys.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include "options.h"
#include "record.h"

/* Runs until quit, end of the iterations or a signal. rec may be NULL. Returns the exit status
 * (0; 1 runtime failure, its sentence in why; 128 + n for SIGTERM, SIGHUP). The terminal is restored. */
int screen_run(const struct options *o, struct source *src, struct record *rec, char *why, size_t why_size);

#endif
