/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of recordings that stays within a bound: one file an hour, and a new one also when a file has an eighth of
 * the bound. Their names are a number and the time at which they begin, "000012-20261126T220000Z.lag"; the numbers give
 * the order, whatever the clock did meanwhile. Files with other names are left alone.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include "record.h"

/* How much of the past is kept; 0: no such bound. */
struct folder_keep {
	uint64_t bytes;
	uint64_t ns; /* of recorded time */
};

/* Writes to a file, or to a folder if path is one. */
struct recorder;

/* NULL: *why holds one sentence. keep is of a folder; NULL: the default. "-": a stream, see recorder_packed. */
struct recorder *recorder_open(const char *path, const struct folder_keep *keep, char *why, size_t why_size);
/* Appends one complete reading. In a folder the oldest files make room for it, also when the disk is full; a reading
 * for which there is no room at all is dropped. 0 or -errno. */
int recorder_write(struct recorder *r, const struct sample *s);
/* Of a stream: the bytes of the last reading, which the caller writes; of a file NULL. */
const void *recorder_packed(const struct recorder *r, size_t *len);
/* Of the file being written. */
uint64_t recorder_bytes(const struct recorder *r);
/* Readings that were dropped. */
uint64_t recorder_dropped(const struct recorder *r);
/* NULL is legal. 0 or -errno: what could not be written. */
int recorder_close(struct recorder *r);

/* Opens a recording, or all of a folder as one, at a time of it unless when->kind is WHEN_NONE. A file that ends in the
 * middle of a reading is followed by the next one. NULL: *why holds one sentence. */
struct source *folder_replay(const char *path, const struct when *when, char *why, size_t why_size);

#endif
