/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last readings, kept in bounded memory, to step back through. A process or connection is stored once for all
 * consecutive readings in which nothing happened to it; a reading is reassembled when it is asked for.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "sample.h"

/* What is known of a kept reading without reassembling it. */
struct history_moment {
	uint64_t t_ns, realtime_ns, interval_ns;
	uint64_t gap_ns; /* before it, in a recording */
	bool gap, marked;
};

struct history {
	uint32_t n; /* readings kept */
	uint64_t bytes, max_bytes;
	struct history_store *store; /* NULL until it is needed */
};

#define HISTORY_MIN 4 /* readings kept regardless of their size */

/* The newest reading, whose memory the next one reuses: two of them would take too much. NULL: out of memory. */
struct sample *history_take(struct history *h);
/* The sample taken holds a new reading now: adds it, drops the oldest ones beyond max_bytes. 0 or -ENOMEM. */
int history_add(struct history *h);
/* back readings ago, 0: the newest; NULL: not kept, or out of memory. Valid until two others have been asked for. */
struct sample *history_at(const struct history *h, uint32_t back);
/* A process's histogram of that reading, as by model_histogram_of; 0: it did nothing, or is not in that reading. */
uint64_t history_histogram(const struct history *h, uint32_t back, uint32_t pid, uint64_t start_ns, enum lt_dist dist,
			   uint64_t count[HIST_BUCKETS]);
/* The same of a device in one direction. */
uint64_t history_disk_histogram(const struct history *h, uint32_t back, uint32_t major, uint32_t minor,
				enum lt_disk_op op, enum lt_disk_part part, uint64_t count[HIST_BUCKETS]);
/* That reading with only this process, valid until any reading is asked for; NULL: it is not in it, or no memory. */
const struct sample *history_process(const struct history *h, uint32_t back, uint32_t pid, uint64_t start_ns);
/* How many readings ago, `back` or more, it was last present; UINT32_MAX: in no kept reading. */
uint32_t history_last(const struct history *h, uint32_t back, uint32_t pid, uint64_t start_ns);
/* NULL: not kept. Valid until the next reading is added. */
const struct history_moment *history_moment(const struct history *h, uint32_t back);
/* Notes that the reading of that time is marked, or the newest if it is not kept. history_add does it for the marks
 * that a reading has. */
void history_mark(struct history *h, uint64_t realtime_ns);
/* When a reading was taken, as its t_ns; 0: not kept. */
uint64_t history_time(const struct history *h, uint32_t back);
void history_free(struct history *h);

#endif
