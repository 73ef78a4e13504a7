/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop without a screen: a reading every delay, each written to stdout and to the recording. */
#ifndef RUN_H
#define RUN_H

#include "options.h"
#include "record.h"

/* Runs until the iterations, the file or the processes of -p end, or a signal comes. rec may be NULL.
 * Returns the exit status; 1: why holds one sentence. The signals that signals.h has for no terminal must be blocked.
 */
int run_batch(const struct options *o, struct source *src, struct record *rec, char *why, size_t why_size);

#endif
