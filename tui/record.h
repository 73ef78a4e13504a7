/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings in a file: --record writes every sample, --replay reads them back as a source. */
#ifndef RECORD_H
#define RECORD_H

#include "source.h"
#include "when.h"

struct record;

/* Creates path if it does not exist; the first reading empties it. NULL: *why holds one sentence. */
struct record *record_open(const char *path, char *why, size_t why_size);
/* Appends one complete reading. 0 or -errno. */
int record_write(struct record *r, const struct sample *s);
/* NULL is legal. 0 or -errno: what could not be written. */
int record_close(struct record *r);

/* Opens a recording. NULL: *why holds one sentence (not there, not a recording, newer version, damaged).
 * At its end read returns -EAGAIN as long as its writer lives: ask again later. */
struct source *record_replay(const char *path, char *why, size_t why_size);
/* Before the first read: goes to the first reading at or after a time. 0, or -errno and a sentence about the file. */
int record_seek(struct source *src, const struct when *when, char *why, size_t why_size);
/* After read returned the end: what was wrong with the end of the file, or ""; always "" for a live source. */
const char *record_trouble(const struct source *src);

#endif
