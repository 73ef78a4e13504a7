/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What io_uring's requests in flight wait for, by ring: a thread asleep in io_uring_enter waits for them. ring.bpf.c
 * counts; the switch-out reads.
 */
#ifndef RING_BPF_H
#define RING_BPF_H

#include "flight.bpf.h"

/* OTHER is not counted: timeouts, polls, whatever ends without waiting. */
enum lt_ring_kind { LT_RING_OTHER, LT_RING_DISK, LT_RING_NET, LT_RING_IO };

/* A ring's word: beside the tag, a count of requests for each kind, and how often the counts have been dropped. */
#define LT_RING_COUNT_BITS 11
#define LT_RING_ONE(kind) (1ULL << ((kind)-1) * LT_RING_COUNT_BITS)
#define LT_RING_COUNT(word, kind) ((word) >> ((kind)-1) * LT_RING_COUNT_BITS & ((1ULL << LT_RING_COUNT_BITS) - 1))
#define LT_RING_DROPS_SHIFT (LT_RING_IO * LT_RING_COUNT_BITS)
#define LT_RING_COUNTS(word) ((word) & ((1ULL << LT_RING_DROPS_SHIFT) - 1))
#define LT_RING_DROPS_MASK ((1ULL << (LT_FLIGHT_BITS - LT_RING_DROPS_SHIFT)) - 1)
#define LT_RING_DROPS(word) ((word) >> LT_RING_DROPS_SHIFT & LT_RING_DROPS_MASK)
#define LT_RING_SETS 256

/* A ring without requests in flight has no word. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LT_RING_SETS);
	__type(key, __u32);
	__type(value, struct lt_flights);
} lt_rings __weak SEC(".maps");

/* Everything in flight in a ring: its word, or 0. Two CPUs may have created one each. */
static __always_inline __u64 lt_ring_counts(__u64 ring)
{
	__u64 key = lt_flight_key(ring), counts = 0;
	struct lt_flights *set = lt_flights_of(&lt_rings, key, LT_RING_SETS);

	for (int i = 0; set && i < LT_FLIGHT_WAYS; i++)
		if (set->way[i] >> LT_FLIGHT_BITS == lt_flight_tag(key))
			counts |= LT_RING_COUNTS(set->way[i]);
	return counts;
}

#endif
