// SPDX-License-Identifier: GPL-2.0-or-later
/* The last readings in bounded memory: see history.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

static uint64_t sample_bytes(const struct sample *s)
{
	return sizeof(*s) + s->cap_processes * sizeof(*s->processes) + s->cap_threads * sizeof(*s->threads) +
	       s->cap_works * sizeof(*s->works) + s->cap_calls * sizeof(*s->calls) +
	       s->cap_buckets * sizeof(*s->buckets) + s->cap_errnos * sizeof(*s->errnos) +
	       s->cap_connections * sizeof(*s->connections) + s->cap_text;
}

struct sample *history_take(struct history *h)
{
	struct sample *s = h->spare;

	h->spare = NULL;
	return s ? s : calloc(1, sizeof(*s));
}

void history_drop(struct history *h, struct sample *s)
{
	if (!s)
		return;
	if (!h->spare) {
		sample_clear(s);
		h->spare = s;
		return;
	}
	sample_free(s);
	free(s);
}

static void forget_oldest(struct history *h)
{
	struct sample *s = h->samples[0];

	h->bytes -= sample_bytes(s);
	h->n--;
	memmove(h->samples, h->samples + 1, h->n * sizeof(*h->samples));
	history_drop(h, s);
}

int history_add(struct history *h, struct sample *s)
{
	if (h->n == h->cap) {
		uint32_t cap = h->cap ? h->cap * 2 : 64;
		struct sample **samples = realloc(h->samples, cap * sizeof(*samples));

		if (!samples) {
			history_drop(h, s);
			return -ENOMEM;
		}
		h->samples = samples;
		h->cap = cap;
	}
	h->samples[h->n++] = s;
	h->bytes += sample_bytes(s);
	while (h->bytes > h->max_bytes && h->n > HISTORY_MIN)
		forget_oldest(h);
	return 0;
}

struct sample *history_at(const struct history *h, uint32_t back)
{
	return back < h->n ? h->samples[h->n - 1 - back] : NULL;
}

void history_free(struct history *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		sample_free(h->samples[i]);
		free(h->samples[i]);
	}
	if (h->spare) {
		sample_free(h->spare);
		free(h->spare);
	}
	free(h->samples);
	*h = (struct history){ .max_bytes = h->max_bytes };
}
