/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of counters (include/counters.h) as the front end uses it: members by name and the same numbers as an
 * array, their descriptions, and sets of them. A sample says which counters are not known: in a recording older than a
 * counter, or on a kernel that does not have it, the number is unknown, never 0.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"

struct counter_info {
	const char *name, *unit;
	uint32_t since; /* KERNEL_VERSION; 0: all that lagtop supports */
};

/* By enum lt_counter; a state's is called by its name. */
extern const struct counter_info counter_info[LT_COUNTERS];
/* By enum lt_dist. */
extern const char *const counter_dist_name[LT_DISTS];

struct counter_set {
	uint64_t bits[(LT_COUNTERS + 63) / 64];
};

static inline bool counter_has(const struct counter_set *set, unsigned counter)
{
	return set->bits[counter / 64] >> counter % 64 & 1;
}

static inline void counter_put(struct counter_set *set, unsigned counter)
{
	set->bits[counter / 64] |= 1ULL << counter % 64;
}

static inline void counter_drop(struct counter_set *set, unsigned counter)
{
	set->bits[counter / 64] &= ~(1ULL << counter % 64);
}

/* Removes from a what is not in b: a counter that was ever known counts as known. */
static inline void counter_keep(struct counter_set *a, const struct counter_set *b)
{
	for (size_t i = 0; i < sizeof(a->bits) / sizeof(a->bits[0]); i++)
		a->bits[i] &= b->bits[i];
}

/* Sums saturate: with 100,000 threads, sums of ns reach the limit within two days. */
#define COUNTER_MOST INT64_MAX

static inline uint64_t counter_sum(uint64_t a, uint64_t b)
{
	return a > COUNTER_MOST - b ? COUNTER_MOST : a + b;
}

/* a[i] += b[i], for n counters. */
static inline void counter_add(uint64_t *a, const uint64_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i] = counter_sum(a[i], b[i]);
}

/* to[i] = now[i] - last[i], for n counters, and last becomes now. */
static inline void counter_delta(uint64_t *to, const uint64_t *now, uint64_t *last, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = now[i] - last[i];
		last[i] = now[i];
	}
}

/* The growth of a state's time. A state that ended before the last reading's T, but was not written or could not be
 * read then, was charged up to T; the excess is subtracted from the states that followed, so that the sum remains the
 * wall time. */
void counter_delta_times(uint64_t to[LT_STATES], const uint64_t now[LT_STATES], const uint64_t last[LT_STATES]);

/* The counters that a kernel of this release ("6.1.0-56-amd64") does not feed. */
struct counter_set counter_unknown(const char *release);

#define COUNTER_MEMBER(name, ...) uint64_t name;
/* What every thread has: time by state, the counters of the scheduler and of calls. */
#define COUNTERS_INLINE                                                                                                \
	uint64_t time_ns[LT_STATES];                                                                                   \
	LT_COUNTERS_KERNEL(COUNTER_MEMBER)                                                                             \
	LT_COUNTERS_SCHED(COUNTER_MEMBER) LT_COUNTERS_PARTS(COUNTER_MEMBER) LT_COUNTERS_CALLS(COUNTER_MEMBER)
/* What only a few threads have, in the order of the table, flows first. */
#define COUNTERS_NET                                                                                                   \
	union {                                                                                                        \
		struct {                                                                                               \
			LT_COUNTERS_NET(COUNTER_MEMBER)                                                                \
		};                                                                                                     \
		struct lt_flow flow[LT_PROTOS];                                                                        \
	};
#define COUNTERS_SOCKET LT_COUNTERS_SOCKET(COUNTER_MEMBER)

#endif
