/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See model_slower.h. */
#include "model_slower.h"

#include "counter.h"

#define USUAL_READINGS 5

/* 0: there were too few readings with answers. */
static uint64_t usual_ns(const struct model_sparkline *past)
{
	uint32_t readings[HIST_BUCKETS + 1] = { 0 }, n = 0, seen = 0;

	for (int i = 0; i < MODEL_SPARK; i++)
		if (past->level[i]) {
			readings[past->level[i] <= HIST_BUCKETS ? past->level[i] : HIST_BUCKETS]++;
			n++;
		}
	for (uint32_t level = 1; n >= USUAL_READINGS && level <= HIST_BUCKETS; level++) {
		seen += readings[level];
		if (2 * seen >= n)
			return hist_floor(level); /* a level is its bucket + 1: the bucket's upper end */
	}
	return 0;
}

uint64_t model_slower_ns(const struct model_dist *response, const struct model_sparkline *past)
{
	uint64_t usual = response->count && past ? usual_ns(past) : 0;
	uint64_t slow = response->count / 100 + !!(response->count % 100), more_ns;

	if (!usual || response->p99_ns / 2 <= usual)
		return 0;
	return __builtin_mul_overflow(slow, response->p99_ns - usual, &more_ns) || more_ns > COUNTER_MOST ? COUNTER_MOST
													  : more_ns;
}
