/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen: takes readings from a source every delay, shows them, dispatches keys.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include "folder.h"
#include "options.h"

/* Runs until quit, end of the iterations or a signal. rec may be NULL. Returns the exit status
 * (0, also for SIGINT; 1 runtime failure, its sentence in why; 128 + n ended by signal n). The terminal is restored.
 * The signals that signals.h has for a terminal must be blocked. */
int screen_run(const struct options *o, struct source *src, struct recorder *rec, char *why, size_t why_size);

#endif
