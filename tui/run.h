/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Without a screen: writes every reading to stdout. */
#ifndef RUN_H
#define RUN_H

#include "folder.h"
#include "options.h"

/* Runs until the iterations, the file or the processes of -p end, or a signal comes. rec may be NULL.
 * Returns the exit status; 1: why holds one sentence. */
int run_batch(const struct options *o, struct source *src, struct recorder *rec, char *why, size_t why_size);

#endif
