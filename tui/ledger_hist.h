/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record's histograms and maxima: their values at the last reading, and what an interval added.
 * Counts wrap at 32 bits and are subtracted modulo 2^32. Used by ledger_thread.c only.
 */
#ifndef LEDGER_HIST_H
#define LEDGER_HIST_H

#include "sample.h"

#define FEW 3

/* Bucket counts of a histogram at the last reading; those not kept are 0. There are many histograms, and most of them
 * have few nonzero buckets, since the durations of a call are mostly similar. */
struct kept_hist {
	union {
		uint32_t few[FEW]; /* of bucket[] */
		uint32_t *counts;  /* of bucket[0] and those that follow it */
	} __attribute__((packed, aligned(4)));
	uint8_t n; /* more than FEW: of counts */
	uint8_t bucket[FEW];
};

void ledger_hist_forget(struct kept_hist *h);

/* Appends the histogram's growth since the last reading as sparse buckets to *out, in *dist, and keeps the new counts.
 * first: a bucket + 1 that has one more, or 0. 0 or -ENOMEM. */
int ledger_hist_subtract(struct kept_hist *kept, const struct lt_hist *now, uint32_t first, uint64_t max_ns,
			 struct sample_dist *dist, struct sample *out);

/* The maximum of an interval; for an exited thread, also of the next interval, which may have begun meanwhile. */
uint64_t ledger_max_of(const struct lt_max *max, uint32_t epoch, bool dead);

#endif
