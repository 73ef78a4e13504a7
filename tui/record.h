/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings in a file: --record writes every sample, --replay reads them back as a source. */
#ifndef RECORD_H
#define RECORD_H

#include "source.h"
#include "when.h"

struct record;

/* Creates path if it does not exist; the first reading empties it. NULL: *why holds one sentence. */
struct record *record_open(const char *path, char *why, size_t why_size);
/* Without a file: the caller takes the bytes of each reading. NULL: out of memory. */
struct record *record_stream(void);
/* The bytes of the last reading, valid until the next one. */
const void *record_packed(const struct record *r, size_t *len);
/* Appends one complete reading. 0 or -errno. */
int record_write(struct record *r, const struct sample *s);
/* Of the file so far. */
uint64_t record_bytes(const struct record *r);
/* NULL is legal. 0 or -errno: what could not be written. */
int record_close(struct record *r);

/* Opens a recording; "-" is standard input. NULL: *why holds one sentence (not there, not a recording, newer version,
 * damaged). At its end read returns -EAGAIN as long as its writer lives: ask again later. What is not a regular file is
 * a stream: opening it waits for its first bytes, reading never does. */
struct source *record_replay(const char *path, char *why, size_t why_size);
/* Before the first read: goes to the first reading at or after a time. 0, or -errno and a sentence about the file. */
int record_seek(struct source *src, const struct when *when, char *why, size_t why_size);
/* The same over several recordings, one after the other: record_walk adds a file's readings to the walk; then, with a
 * new walk, record_find goes to the first reading at or after a time. total_ns: elapsed_ns of the first walk.
 * record_walk: 0 or -errno; record_find: 1, 0 (not in this file) or -errno; record_missed_time: the sentence. */
int record_walk(struct source *src, struct when_walk *walk);
int record_find(struct source *src, const struct when *when, struct when_walk *walk, uint64_t total_ns);
void record_missed_time(uint64_t first_ns, uint64_t last_ns, char *why, size_t why_size);

#endif
