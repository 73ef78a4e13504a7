/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distributions: sums of sparse buckets, percentiles. Durations are ns, buckets are hist.h's.
 * A tally is a dense scratch array, reused for each row; only its used range is
 * scanned and cleared, so that 10,000 idle processes cost nothing here.
 */
#include "model_state.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void tally_widen(struct tally *t, uint32_t low, uint32_t end)
{
	if (t->end == 0 || low < t->low)
		t->low = low;
	if (end > t->end)
		t->end = end;
}

void tally_add(struct tally *t, uint32_t bucket, uint64_t count)
{
	if (count == 0)
		return;
	tally_widen(t, bucket, bucket + 1);
	t->count[bucket] += count;
	t->events += count;
}

void tally_add_dist(struct tally *t, const struct sample *s, const struct sample_dist *d)
{
	const struct sample_bucket *b = s->buckets + d->first;

	if (d->n == 0)
		return;
	tally_widen(t, b[0].bucket, b[d->n - 1].bucket + 1); /* a sample's buckets are in order */
	for (uint32_t i = 0; i < d->n; i++) {
		t->count[b[i].bucket] += b[i].count;
		t->events += b[i].count;
	}
	if (d->max_ns > t->max_ns)
		t->max_ns = d->max_ns;
}

void tally_add_tally(struct tally *t, const struct tally *more)
{
	if (more->events == 0)
		return;
	tally_widen(t, more->low, more->end);
	for (uint32_t b = more->low; b < more->end; b++)
		t->count[b] += more->count[b];
	t->events += more->events;
	if (more->max_ns > t->max_ns)
		t->max_ns = more->max_ns;
}

void tally_clear(struct tally *t)
{
	if (t->end)
		memset(t->count + t->low, 0, (t->end - t->low) * sizeof(t->count[0]));
	t->events = 0;
	t->max_ns = 0;
	t->low = 0;
	t->end = 0;
}

/* The middle of a bucket. The last one is open: its upper end is the maximum, if that lies in it. */
static uint64_t middle(uint32_t bucket, uint64_t max_ns)
{
	uint64_t floor = hist_floor(bucket), top = hist_floor(bucket + 1);

	if (bucket == HIST_BUCKETS - 1)
		top = max_ns > floor ? max_ns : floor;
	return floor + (top - floor) / 2;
}

struct model_dist tally_dist(const struct tally *t)
{
	static const unsigned percents[] = { 50, 90, 99 };
	struct model_dist d = { .count = t->events, .max_ns = t->max_ns };
	uint64_t *const values[] = { &d.p50_ns, &d.p90_ns, &d.p99_ns };
	uint64_t seen = 0;
	uint32_t b = t->low, highest = t->end - 1;

	if (t->events == 0)
		return (struct model_dist){ 0 };
	while (t->count[highest] == 0)
		highest--;
	if (t->max_ns == 0 && highest < HIST_BUCKETS - 1) {
		d.max_ns = hist_floor(highest + 1) - 1;
	} else if (hist_bucket(t->max_ns) < highest) {
		d.max_ns = hist_floor(highest);
		d.max_at_least = true;
	}
	seen = t->count[b];
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		/* Nearest rank: the ⌈p·n⌉-th smallest; in two steps, so that n · 99 does not overflow. */
		uint64_t rank = t->events / 100 * percents[i] + (t->events % 100 * percents[i] + 99) / 100;

		while (seen < rank)
			seen += t->count[++b];
		*values[i] = middle(b, t->max_ns);
		if (*values[i] > d.max_ns)
			*values[i] = d.max_ns;
	}
	return d;
}

struct model_dist model_dist_of(const uint64_t count[HIST_BUCKETS], uint64_t max_ns)
{
	struct tally t = { .max_ns = max_ns };

	for (uint32_t b = 0; b < HIST_BUCKETS; b++)
		tally_add(&t, b, count[b]);
	return tally_dist(&t);
}

uint64_t dist_sum_count(const struct dist_sum *d, uint32_t bucket)
{
	uint64_t count = 0;

	if (bucket >= d->low && bucket - d->low < d->n)
		memcpy(&count, d->counts + (bucket - d->low) * d->bytes, d->bytes);
	return le64toh(count);
}

static void dist_sum_put(struct dist_sum *d, uint32_t bucket, uint64_t count)
{
	count = htole64(count);
	memcpy(d->counts + (bucket - d->low) * d->bytes, &count, d->bytes);
}

/* Room for buckets [low, end) of counts that need `bytes`. */
static int dist_sum_grow(struct dist_sum *d, uint32_t low, uint32_t end, uint32_t bytes)
{
	struct dist_sum grown = {
		.max_ns = d->max_ns, .low = (uint8_t)low, .n = (uint8_t)(end - low), .bytes = (uint8_t)bytes
	};

	grown.counts = calloc(grown.n, bytes);
	if (!grown.counts)
		return -ENOMEM;
	for (uint32_t b = low; b < end; b++)
		dist_sum_put(&grown, b, dist_sum_count(d, b));
	free(d->counts);
	*d = grown;
	return 0;
}

int dist_sum_add(struct dist_sum *d, const struct tally *t)
{
	uint32_t low, end, bytes = d->bytes ? d->bytes : 1;

	if (t->events == 0)
		return 0;
	low = d->n && d->low < t->low ? d->low : t->low;
	end = d->n && d->low + d->n > t->end ? d->low + d->n : t->end;
	for (uint32_t b = t->low; b < t->end; b++)
		while (bytes < sizeof(uint64_t) && (dist_sum_count(d, b) + t->count[b]) >> 8 * bytes)
			bytes++;
	if ((end - low > d->n || bytes > d->bytes) && dist_sum_grow(d, low, end, bytes) < 0)
		return -ENOMEM;
	for (uint32_t b = t->low; b < t->end; b++)
		dist_sum_put(d, b, dist_sum_count(d, b) + t->count[b]);
	if (t->max_ns > d->max_ns)
		d->max_ns = t->max_ns;
	return 0;
}

void tally_add_sum(struct tally *t, const struct dist_sum *d)
{
	if (d->n == 0)
		return;
	tally_widen(t, d->low, d->low + d->n);
	for (uint32_t b = d->low; b < d->low + (uint32_t)d->n; b++) {
		uint64_t count = dist_sum_count(d, b);

		t->count[b] += count;
		t->events += count;
	}
	if (d->max_ns > t->max_ns)
		t->max_ns = d->max_ns;
}
