/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model_upstream.h"

#include <string.h>

#include "hist.h"

#define LEAST_PART 4 /* one of so many */

/* From the histogram, so at least that. */
static uint64_t waited_ns(const struct sample *s, const struct sample_peer *peer)
{
	uint64_t ns = peer->open.n && peer->open.n != SAMPLE_UNKNOWN ? peer->open.oldest_ns : 0;

	if (ns > s->interval_ns)
		ns = s->interval_ns;
	for (uint32_t i = 0; i < peer->upstream.n; i++) {
		const struct sample_bucket *b = &s->buckets[peer->upstream.first + i];

		ns = counter_sum(ns, b->count * hist_floor(b->bucket));
	}
	return ns;
}

struct search {
	const struct sample_peer *most; /* of all entries: the threads have one each for the same peer */
	uint64_t most_ns, part_ns, all_ns;
};

static void look(const struct sample *s, uint32_t first, uint32_t n, bool again, struct search *to)
{
	for (uint32_t i = first; i < first + n; i++) {
		const struct sample_peer *peer = &s->peers[i];
		uint64_t ns = waited_ns(s, peer);

		if (again) {
			to->all_ns = counter_sum(to->all_ns, ns);
			if (!memcmp(&peer->of, &to->most->of, sizeof(peer->of)))
				to->part_ns = counter_sum(to->part_ns, ns);
		} else if (ns > to->most_ns && peer->of.proto != LT_PROTOS) {
			to->most_ns = ns;
			to->most = peer;
		}
	}
}

static void look_at_all(const struct sample *s, const struct sample_process *p, bool again, struct search *to)
{
	look(s, p->sockets.first_peer, p->sockets.n_peers, again, to);
	for (uint32_t i = 0; i < p->n_threads; i++) {
		uint32_t work = s->threads[p->first_thread + i].work;

		if (work != SAMPLE_NONE)
			look(s, s->works[work].first_peer, s->works[work].n_peers, again, to);
	}
}

const struct lt_peer *model_upstream(const struct sample *s, const struct sample_process *p)
{
	struct search found = { .most = NULL };

	look_at_all(s, p, false, &found);
	if (!found.most)
		return NULL;
	look_at_all(s, p, true, &found);
	return found.part_ns >= found.all_ns / LEAST_PART ? &found.most->of : NULL;
}
