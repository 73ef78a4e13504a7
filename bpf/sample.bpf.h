/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LT_LEVEL_SAMPLED: which calls are timed. */
#ifndef SAMPLE_BPF_H
#define SAMPLE_BPF_H

#include "lagtop.h"

#define GAPS (2 * LT_SAMPLED - 1) /* calls between two that are timed: 1 to this many, all equally likely */

/* Whether this call is timed. A fixed gap would be in step with the calls of a loop. The first one comes as early as if
 * the thread had always been counting: that is how the smaller of two gaps is distributed. */
static __always_inline bool lt_is_timed(struct lt_calls *calls)
{
	__u32 left = calls->until_timed, random, other;
	bool timed;

	if (!left) {
		random = bpf_get_prandom_u32();
		left = 1 + (random & 0xffff) % GAPS;
		other = 1 + (random >> 16) % GAPS;
		left = other < left ? other : left;
	}
	timed = left == 1;
	if (timed)
		left = 2 + bpf_get_prandom_u32() % GAPS;
	calls->until_timed = left - 1;
	return timed;
}

/* What a timed call adds to the sum of all durations. One that left its CPU does not stand for others: those are timed
 * from when they left. Only what came before, early_ns, is missing of them. */
static __always_inline __u64 lt_sampled_sum(__u64 total_ns, bool left, __u64 early_ns)
{
	return left ? total_ns + early_ns * (LT_SAMPLED - 1) : total_ns * LT_SAMPLED;
}

#endif
