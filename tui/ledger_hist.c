/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms and maxima of the ledger: see ledger_hist.h. */
#include "ledger_hist.h"

#include <errno.h>
#include <stdlib.h>

#include "ledger.h"

void ledger_hist_forget(struct kept_hist *h)
{
	if (h->n > FEW)
		free(h->counts);
	*h = (struct kept_hist){ 0 };
}

static uint32_t *hist_find(struct kept_hist *h, uint32_t bucket)
{
	if (h->n > FEW)
		return bucket - h->bucket[0] < h->n ? &h->counts[bucket - h->bucket[0]] : NULL;
	for (uint32_t i = 0; i < h->n; i++) {
		if (h->bucket[i] == bucket)
			return &h->few[i];
	}
	return NULL;
}

/* More than a few buckets: all from the lowest to the highest. */
static int hist_spread(struct kept_hist *h, uint32_t bucket)
{
	uint32_t first = bucket, end = bucket + 1, *counts;

	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		if (!hist_find(h, b))
			continue;
		first = b < first ? b : first;
		end = b + 1 > end ? b + 1 : end;
	}
	counts = calloc(end - first, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	for (uint32_t b = first; b < end; b++)
		counts[b - first] = hist_find(h, b) ? *hist_find(h, b) : 0;
	ledger_hist_forget(h);
	*h = (struct kept_hist){ .counts = counts, .n = (uint8_t)(end - first), .bucket = { (uint8_t)first } };
	return 0;
}

static uint32_t *hist_slot(struct kept_hist *h, uint32_t bucket)
{
	uint32_t *slot = hist_find(h, bucket);

	if (slot)
		return slot;
	if (h->n < FEW) {
		h->bucket[h->n] = (uint8_t)bucket;
		return &h->few[h->n++];
	}
	return hist_spread(h, bucket) ? NULL : hist_find(h, bucket);
}

static uint32_t count_of(const struct lt_hist *now, uint32_t first, uint32_t bucket)
{
	return __atomic_load_n(&now->count[bucket], __ATOMIC_RELAXED) + (first == bucket + 1);
}

/* Whether a count that was nonzero is 0 now: only then must zeros be checked. */
static bool hist_wrapped(const struct kept_hist *h, const struct lt_hist *now, uint32_t first)
{
	for (uint32_t i = 0; i < h->n; i++) {
		uint32_t last = h->n > FEW ? h->counts[i] : h->few[i];

		if (last && !count_of(now, first, h->n > FEW ? h->bucket[0] + i : h->bucket[i]))
			return true;
	}
	return false;
}

int ledger_hist_subtract(struct kept_hist *kept, const struct lt_hist *now, uint32_t first, uint64_t max_ns,
			 struct sample_dist *dist, struct sample *out)
{
	bool wrapped = hist_wrapped(kept, now, first);

	dist->first = out->n_buckets;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint32_t count = count_of(now, first, b), *last;
		struct sample_bucket *bucket;

		if (!count && !(wrapped && hist_find(kept, b)))
			continue;
		last = hist_slot(kept, b);
		if (!last)
			return -ENOMEM;
		if (count == *last)
			continue;
		bucket = sample_add_bucket(out);
		if (!bucket)
			return -ENOMEM;
		bucket->bucket = b;
		bucket->count = count - *last;
		*last = count;
	}
	dist->n = out->n_buckets - dist->first;
	dist->max_ns = dist->n ? max_ns : 0;
	return 0;
}

/* 0: nothing in that interval. The epoch is read first: pairs with lt_max_add in bpf/record.bpf.h. */
static uint64_t max_in(const struct lt_max *max, uint32_t epoch)
{
	return __atomic_load_n(&max->epoch[epoch & 1], __ATOMIC_ACQUIRE) == epoch ? ledger_load(&max->ns[epoch & 1])
										  : 0;
}

uint64_t ledger_max_of(const struct lt_max *max, uint32_t epoch, bool dead)
{
	uint64_t ns = max_in(max, epoch), later_ns = dead ? max_in(max, epoch + 1) : 0;

	return later_ns > ns ? later_ns : ns;
}
