/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What could not be counted: see losses.h. */
#include "losses.h"

#define HALF_A_DIGIT 2000 /* of three: what is less of a sum rounds to the same digits */

_Static_assert(sizeof(struct sample_lost) == LOSS_KINDS * sizeof(uint64_t), "every kind has its text");

const struct loss_text loss_texts[LOSS_KINDS] = {
#define X(NAME, what, touches) { #NAME, what, touches },
	LOSSES(X)
#undef X
};

uint64_t losses_of(const struct sample *s, enum loss loss)
{
	switch (loss) {
#define X(NAME, ...)                                                                                                   \
	case LOSS_##NAME:                                                                                              \
		return s->lost.NAME;
		LOSSES(X)
#undef X
	default:
		return 0;
	}
}

void losses_add(struct losses *l, const struct sample *s)
{
	for (int i = 0; i < LOSS_KINDS; i++) {
		uint64_t n = losses_of(s, (enum loss)i);

		if (!n || n == SAMPLE_UNKNOWN)
			continue;
		if (!l->sum[i])
			l->since_ns[i] = s->realtime_ns;
		l->sum[i] = counter_sum(l->sum[i], n);
	}
}

/* What a kind is a part of; 0: not known, each counts. */
static uint64_t whole_of(const struct sample *s, const struct model_host *h, enum loss loss)
{
	uint64_t requests = 0;

	switch (loss) {
	case LOSS_threads:
	case LOSS_torn:
		return h->threads;
	case LOSS_calls:
		return h->calls_count;
	case LOSS_switches:
		return h->switches;
	case LOSS_requests:
	case LOSS_groups:
		for (uint32_t i = 0; i < s->n_disks; i++)
			requests = counter_sum(requests, s->disks[i].count);
		return requests;
	default:
		return 0;
	}
}

static bool is_touched(enum loss loss, enum model_kind kind)
{
	bool of_disks = loss == LOSS_requests || loss == LOSS_groups;

	if (of_disks || kind == MODEL_DISK)
		return of_disks && kind == MODEL_DISK;
	return kind != MODEL_CONNECTION || loss == LOSS_sockets || loss == LOSS_events;
}

uint64_t losses_that_show(const struct sample *s, const struct model_host *h, enum model_kind kind)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOSS_KINDS; i++) {
		uint64_t n = losses_of(s, (enum loss)i), whole = whole_of(s, h, (enum loss)i);

		if (n && n != SAMPLE_UNKNOWN && is_touched((enum loss)i, kind) && n >= whole / HALF_A_DIGIT)
			sum = counter_sum(sum, n);
	}
	return sum;
}
